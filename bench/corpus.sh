#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Usage: bench/corpus.sh     (make bench-corpus)
#
# Runs each suite of official state tests and blockchain tests once and prints entries, wall seconds, processor seconds, the
# peak of resident memory and, of blocks, million gas a processor second (of state tests, single transactions that burn up to
# 2^63 gas at once would decide), as a table for bench/README.md. Checks that nothing failed: a fast wrong answer is no figure.
set -u
export LC_ALL=C
BUILD=${BUILD:-build}
JOBS=${JOBS:-1}
vectors=${CEVM_VECTORS_DIR:-ethereum-tests/vectors}
log=$(mktemp)
trap 'rm -f "$log" "$log.json"' EXIT
status=0

# Peak and processor time are the last values read from the running process, every tenth of a second.
measure() { # suite, folder, subcommand of cevm
    local pid peak=0 ticks=0 now started=$EPOCHREALTIME line gas
    "$BUILD/cevm" "$3" --human --jobs "$JOBS" --summary "$log.json" "$2" > "$log" 2>&1 < /dev/null &
    pid=$!
    while now=$(awk '/^VmHWM:/ { peak = $2 } FILENAME ~ /stat$/ { ticks = $14 + $15 } END { if (peak) print peak, ticks }' \
        /proc/$pid/stat /proc/$pid/status 2> /dev/null) && [ -n "$now" ]; do
        read -r peak ticks <<< "$now"
        sleep 0.1
    done
    wait $pid || { status=1; tail -n 20 "$log" >&2; }
    line=$(grep -E '^[0-9]+ passed' "$log" | tail -n 1)
    gas=
    [ "$3" = blocktest ] && gas=$(grep -oE '"gasUsed": [0-9]+' "$log.json" | tr -dc '0-9')
    awk -v suite="$1" -v line="$line" -v wall="$(echo "$EPOCHREALTIME $started" | awk '{ print $1 - $2 }')" \
        -v ticks="$ticks" -v hz="$(getconf CLK_TCK)" -v peak="$peak" -v gas="$gas" \
        'BEGIN { split(line, n, " "); seconds = ticks / hz; printf "| %s | %d | %d | %.1f | %.1f | %d | %s |\n", suite,
                 n[1], n[5], wall, seconds, peak / 1024, gas == "" ? "" : sprintf("%.0f", gas / 1e6 / (seconds > 0.1 ? seconds : 0.1)) }'
}

echo "| suite | passed | skipped | wall s | processor s | peak MiB | Mgas/s |"
echo "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
while read -r command folder; do
    if [ -d "$vectors/$folder" ]; then
        measure "$folder" "$vectors/$folder" "$command"
    else
        echo "$vectors/$folder is not there (make vectors)" >&2
        status=1
    fi
done << 'SUITES'
statetest state_tests
statetest GeneralStateTests
statetest LegacyTests/Cancun/GeneralStateTests
statetest LegacyTests/Constantinople/GeneralStateTests
statetest LegacyTests/Constantinople/VMTests
blocktest blockchain_tests
blocktest blockchain_tests_devnet
blocktest BlockchainTests
blocktest LegacyTests/Cancun/BlockchainTests
blocktest LegacyTests/Constantinople/BlockchainTests
SUITES
exit $status
