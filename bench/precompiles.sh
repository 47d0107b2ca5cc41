#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Usage: bench/precompiles.sh     (make bench-precompiles)
#
# Times every case of the precompile vectors (make vectors brings them) at the newest fork's prices, and the worst inputs that
# have been found beside them (bench/worst/, MODEXP's at each of its three pricings), and prints for each file the case
# with the least gas per second: what an attacker would choose of them. The last line is the slowest of all.
set -u
export LC_ALL=C
BUILD=${BUILD:-build}
vectors=${CEVM_VECTORS_DIR:-ethereum-tests/vectors}
here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# row FILE [ARGUMENTS]: the slowest case of a file. "slowest" may be cut off in the list of cases, so the line is found by time.
row() {
    file=$1
    shift
    out=$("$BUILD/cevm" precompile --vectors "$file" --bench "$@" 2>&1) || true
    slowest=$(sed -n 's/^.*, slowest: [0-9.]* Mgas\/s, //p' <<< "$out")
    name=$(sed -n 's/^\(.*\) at .*, slowest: .*/\1/p' <<< "$out")
    fork=$(sed -n 's/^.* at \(.*\), slowest: .*/\1/p' <<< "$out")
    [ -n "$name" ] || return 0
    grep -F -- "${slowest:0:44}" <<< "$out" | grep ' ns ' | awk -v f="$(basename "$file" .json)" -v n="$name at $fork" -v s="$slowest" '
        { for (i = 1; i <= NF; ++i) { if ($i == "gas") g = $(i - 1); if ($i == "ns") t = $(i - 1); if ($i == "Mgas/s") m = $(i - 1) }
          if (best == "" || m + 0 < best + 0) { best = m; gas = g; ns = t } }
        END { printf "| %s | %s | %s | %d | %.2f | %.1f |\n", f, n, substr(s, 1, 48), gas, ns / 1000, best }' | tee -a "$work/rows"
}

echo "| file | contract | slowest case | gas | µs a call | Mgas/s |"
echo "| --- | --- | --- | ---: | ---: | ---: |"
for file in "$vectors"/geth-testdata/core/vm/testdata/precompiles/*.json "$vectors"/EIP-assets/assets/eip-2537/*.json \
    "$vectors"/EIP-assets/assets/eip-7951/*.json; do
    case $file in
        */fail-* | *\**) ;;
        */eip-7951/*) row "$file" --fork Osaka P256VERIFY ;;
        *) row "$file" --fork Osaka ;;
    esac
done
found=$(wc -l < "$work/rows" 2> /dev/null || echo 0)
for file in "$here"/worst/*.json; do
    case $(basename "$file" .json) in
        modexp*) row "$file" ;; # the name tells the fork
        *) row "$file" "$(basename "$file" .json)" ;;
    esac
done
sort -t '|' -k7,7n "$work/rows" | awk -F ' *[|] *' 'NR == 1 { printf "\nslowest: %s Mgas/s, %s, %s (%s)\n", $7, $3, $4, $2 }'
[ "$found" != 0 ] || { echo "no precompile vectors under $vectors (make vectors)" >&2; exit 1; }
