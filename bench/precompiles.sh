#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Usage: bench/precompiles.sh     (make bench-precompiles)
#
# Times every case of the precompile vectors (make vectors brings them) at the newest fork's prices, and prints for each
# contract the case with the least gas per second: what an attacker would choose of them.
set -u
export LC_ALL=C
BUILD=${BUILD:-build}
vectors=${CEVM_VECTORS_DIR:-ethereum-tests/vectors}
status=0
found=''
echo "| file | contract | slowest case | gas | µs a call | Mgas/s |"
echo "| --- | --- | --- | ---: | ---: | ---: |"
for file in "$vectors"/geth-testdata/core/vm/testdata/precompiles/*.json "$vectors"/EIP-assets/assets/eip-2537/*.json \
    "$vectors"/EIP-assets/assets/eip-7951/*.json; do
    case $file in */fail-* | *\**) continue ;; esac
    contract=''
    case $file in */eip-7951/*) contract=P256VERIFY ;; esac
    # shellcheck disable=SC2086 # none or one
    out=$("$BUILD/cevm" precompile --vectors "$file" --bench --fork Osaka $contract 2>&1) || true
    slowest=$(sed -n 's/^.*, slowest: [0-9.]* Mgas\/s, //p' <<< "$out")
    name=$(sed -n 's/^\(.*\) at .*, slowest: .*/\1/p' <<< "$out")
    [ -n "$name" ] || continue
    found=1
    grep -F -- "${slowest:0:44}" <<< "$out" | grep ' ns ' | sort -k5,5 | awk -v f="$(basename "$file" .json)" -v n="$name" -v s="$slowest" '
        { for (i = 1; i <= NF; ++i) { if ($i == "gas") g = $(i - 1); if ($i == "ns") t = $(i - 1); if ($i == "Mgas/s") m = $(i - 1) }
          if (best == "" || m + 0 < best + 0) { best = m; gas = g; ns = t } }
        END { printf "| %s | %s | %s | %d | %.2f | %.1f |\n", f, n, substr(s, 1, 48), gas, ns / 1000, best }'
done
[ -n "$found" ] || { echo "no precompile vectors under $vectors (make vectors)" >&2; status=1; }
exit $status
