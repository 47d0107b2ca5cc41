#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Usage: bench/corpus.sh     (make bench)
#
# Runs each suite of official state tests once and prints entries, wall seconds, processor seconds and the peak of resident
# memory, as a table for bench/README.md. Checks that nothing failed: a fast wrong answer is no figure.
set -u
export LC_ALL=C
BUILD=${BUILD:-build}
JOBS=${JOBS:-1}
vectors=${CEVM_VECTORS_DIR:-ethereum-tests/vectors}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0

# Peak and processor time are the last values read from the running process, every tenth of a second.
measure() { # suite, folder
    local pid peak=0 ticks=0 now started=$EPOCHREALTIME line
    "$BUILD/cevm" statetest --human --jobs "$JOBS" "$2" > "$log" 2>&1 < /dev/null &
    pid=$!
    while now=$(awk '/^VmHWM:/ { peak = $2 } FILENAME ~ /stat$/ { ticks = $14 + $15 } END { if (peak) print peak, ticks }' \
        /proc/$pid/stat /proc/$pid/status 2> /dev/null) && [ -n "$now" ]; do
        read -r peak ticks <<< "$now"
        sleep 0.1
    done
    wait $pid || { status=1; tail -n 20 "$log" >&2; }
    line=$(grep -E '^[0-9]+ passed' "$log" | tail -n 1)
    awk -v suite="$1" -v line="$line" -v wall="$(echo "$EPOCHREALTIME $started" | awk '{ print $1 - $2 }')" \
        -v ticks="$ticks" -v hz="$(getconf CLK_TCK)" -v peak="$peak" \
        'BEGIN { split(line, n, " "); printf "| %s | %d | %d | %.1f | %.1f | %d |\n", suite, n[1], n[5], wall, ticks / hz, peak / 1024 }'
}

echo "| suite | passed | skipped | wall s | processor s | peak MiB |"
echo "| --- | ---: | ---: | ---: | ---: | ---: |"
for folder in state_tests GeneralStateTests LegacyTests/Cancun/GeneralStateTests \
    LegacyTests/Constantinople/GeneralStateTests LegacyTests/Constantinople/VMTests; do
    if [ -d "$vectors/$folder" ]; then
        measure "$folder" "$vectors/$folder"
    else
        echo "$vectors/$folder is not there (make vectors)" >&2
        status=1
    fi
done
exit $status
