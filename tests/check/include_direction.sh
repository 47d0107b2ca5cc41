#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A folder includes only itself and what stands to its left:
#   include/cevm <- precompiles <- evm <- state <- chain <- trace <- ethereum-tests, rpc <- cli <- bench
. "$(dirname "$0")/tap.inc"

findings=$(sources | grep -vE '^(tests|docs)/' | xargs awk '
    BEGIN {
        rank["include"] = 0; rank["precompiles"] = 1; rank["evm"] = 2; rank["state"] = 3; rank["chain"] = 4
        rank["trace"] = 5; rank["ethereum-tests"] = 6; rank["rpc"] = 6; rank["cli"] = 7; rank["bench"] = 8
    }
    /^[ \t]*#[ \t]*include[ \t]+["<]/ {
        split(FILENAME, own, "/"); from = own[1]
        target = $0
        sub(/^[^"<]*["<]/, "", target); sub(/[">].*/, "", target)
        n = split(target, part, "/")
        to = part[1] == "cevm" ? "include" : part[1]
        if (n < 2 || !(to in rank) || to == from) next
        if (rank[to] >= rank[from]) printf "%s:%d includes %s\n", FILENAME, FNR, target
    }
    /^[ \t]*#[ \t]*include[ \t]+"\.\./ { printf "%s:%d goes up with \"..\"\n", FILENAME, FNR }')
check "includes go one way" "$findings"
