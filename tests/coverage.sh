#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Usage: tests/coverage.sh SOURCE...     (make coverage) Lines run by the tests, by file and in all; needs gcov, part of gcc.
set -u
BUILD=${BUILD:-build/coverage}
top=$PWD
for source in "$@"; do
    object=$BUILD/${source%.c}.o
    (cd "$(dirname "$object")" && gcov -n -s "$top" "$(basename "$object")" 2> /dev/null)
done | awk -v top="$top/" '
    /^File / { file = $2; gsub(/\x27/, "", file); sub(top, "", file) }
    /^Lines executed:/ && file != "" {
        split($0, part, /[:% ]+/)
        if (file !~ /^\// && file !~ /^tests\// && part[5] > total[file]) total[file] = part[5]
        if (file !~ /^\//) hit[file] = hit[file] > part[3] * part[5] / 100 ? hit[file] : part[3] * part[5] / 100
        file = ""
    }
    END {
        for (file in total) { printf "%6.1f %% of %5d  %s\n", 100 * hit[file] / total[file], total[file], file | "sort -k5"; h += hit[file]; t += total[file] }
        close("sort -k5")
        if (t) printf "%6.1f %% of %5d  in all\n", 100 * h / t, t
    }'
