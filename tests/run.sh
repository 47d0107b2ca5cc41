#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Usage: tests/run.sh SUITE PROGRAM...
#
# Runs test programs, JOBS at a time, and counts what they report. A program reports in TAP ("ok 1 - name", "not ok 2 - name",
# "ok 3 - name # SKIP reason"), as cmocka and the scripts of this folder do; one that reports nothing counts as one test by
# its exit status. A program that dies, or runs fewer tests than it announced ("1..N"), is a failure of its own.
#
# Appends "suite <tab> passed <tab> failed <tab> skipped <tab> seconds" to $CEVM_RESULTS, where `make check` adds up; run by
# itself it ends with the closing line.
set -u
export LC_ALL=C CMOCKA_MESSAGE_OUTPUT=TAP
BUILD=${BUILD:-build}
JOBS=${JOBS:-1}
suite=$1
shift
logs=$BUILD/logs/$suite
rm -rf "$logs"
mkdir -p "$logs"
passed=0 failed=0 skipped=0
skip_line='^(not )?ok .*# *skip' # cmocka calls a skipped test "not ok"
started=$SECONDS

# Findings stay in build/fuzz/logs; what it learns is thrown away, so that each run is like the first.
run_fuzzer() {
    local seeds=''
    [ "$(basename "$1")" = fuzz_state_test ] && seeds='ethereum-tests/samples ethereum-tests/block-samples'
    [ "$(basename "$1")" = fuzz_t8n ] && seeds=tests/cli/t8n
    local corpus=$logs/corpus-$(basename "$1")
    mkdir -p "$corpus"
    # shellcheck disable=SC2086 # none or some
    "$1" -max_total_time="${FUZZ_SECONDS:-8}" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$logs/$(basename "$1")-" "$corpus" $seeds
    local status=$?
    rm -rf "$corpus"
    return $status
}

run_one() { # program
    case $suite in
    fuzz) run_fuzzer "$1" ;;
    # shellcheck disable=SC2086 # $RUNNER is a command with its options, or nothing
    *) case $1 in */*) ${RUNNER:-} "$1" ;; *) ${RUNNER:-} "./$1" ;; esac ;;
    esac
}

count() { # program, log, exit status
    local planned good bad skips
    planned=$(awk '/^1\.\.[0-9]+/ { sub(/^1\.\./, ""); n += $1 } END { print n + 0 }' "$2")
    skips=$(grep -ciE "$skip_line" "$2")
    good=$(grep -E '^ok( |$)' "$2" | grep -cviE "$skip_line")
    bad=$(grep -E '^not ok( |$)' "$2" | grep -cviE "$skip_line")
    if [ $((good + bad + skips)) = 0 ]; then
        if [ "$3" = 0 ]; then good=1; else bad=1; fi
    elif [ "$3" != 0 ] && [ "$bad" = 0 ]; then
        bad=1
    elif [ "$planned" -gt $((good + bad + skips)) ]; then
        bad=$((planned - good - skips))
    fi
    grep -iE "$skip_line" "$2" | sed "s|^.*# *|  $(basename "$1"): |"
    if [ "$bad" != 0 ]; then
        echo "  FAILED: $1 (exit status $3); the end of $2:"
        { grep -E '^not ok' "$2" | grep -viE "$skip_line"; grep -vE '^(ok|not ok) ' "$2" | tail -n 25; } | sed 's/^/    /'
    fi
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + skips))
}

# In one subshell each, so that what one does to its surroundings is its own affair.
running=0
for program in "$@"; do
    if [ $running -ge "$JOBS" ]; then
        wait -n
        running=$((running - 1))
    fi
    log=$logs/$(basename "$program").log
    {
        run_one "$program" > "$log" 2>&1 < /dev/null
        echo $? > "$log.status"
    } &
    running=$((running + 1))
done
wait
for program in "$@"; do
    log=$logs/$(basename "$program").log
    count "$program" "$log" "$(cat "$log.status")"
    rm -f "$log.status"
done

seconds=$((SECONDS - started))
printf '%-27s %8d passed %6d failed %6d skipped %6d s\n' "$suite" $passed $failed $skipped $seconds
if [ -n "${CEVM_RESULTS:-}" ]; then
    printf '%s\t%d\t%d\t%d\t%d\n' "$suite" $passed $failed $skipped $seconds >> "$CEVM_RESULTS"
else
    echo "$passed passed, $failed failed, $skipped skipped"
fi
[ $failed = 0 ]
