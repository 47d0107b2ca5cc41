#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Usage: tests/spec.sh [--sample]
#
# Runs the official state tests and VMTests, suite by suite, and counts entries. What needs a precompiled contract that this
# build does not hold counts as skipped, and the program names the contracts. --sample takes a small part of each suite,
# for slow builds.
#
# A suite that is not there is one skip, or one failure with CEVM_REQUIRE_VECTORS=1.
set -u
export LC_ALL=C
BUILD=${BUILD:-build}
JOBS=${JOBS:-1}
FLAVOUR=${FLAVOUR:-}
vectors=${CEVM_VECTORS_DIR:-ethereum-tests/vectors}
logs=$BUILD/logs/spec
mkdir -p "$logs"
sample=${1:-}
all_passed=0 all_failed=0 all_skipped=0

record() { # suite, passed, failed, skipped, seconds
    printf '%-22s %8d passed %6d failed %6d skipped %6d s\n' "$@"
    all_passed=$((all_passed + $2)) all_failed=$((all_failed + $3)) all_skipped=$((all_skipped + $4))
    [ -z "${CEVM_RESULTS:-}" ] || printf '%s\t%d\t%d\t%d\t%d\n' "$@" >> "$CEVM_RESULTS"
}

# The number before a word in the summary line, 0 when it is not there.
number() { # word, line
    local n
    n=$(grep -oE "[0-9]+ $1" <<< "$2" | head -n 1 | tr -dc '0-9')
    echo "${n:-0}"
}

run() { # suite, log, arguments of cevm statetest
    local suite=$FLAVOUR$1 log=$2 started=$SECONDS line passed failed skipped status
    shift 2
    "$BUILD/cevm" statetest --human --jobs "$JOBS" "$@" > "$log" 2>&1 < /dev/null
    status=$?
    line=$(grep -E '^[0-9]+ passed' "$log" | tail -n 1)
    passed=$(number passed "$line") failed=$(number failed "$line") skipped=$(number skipped "$line")
    # Whatever went wrong, it must not look like success.
    [ $((passed + failed + skipped)) = 0 ] && failed=1
    [ "$status" != 0 ] && [ "$failed" = 0 ] && failed=1
    sed -n 's/^skipped [0-9]*: /  &/p' "$log"
    if [ "$failed" != 0 ]; then
        echo "  FAILED: cevm statetest $(cut -c1-200 <<< "$*") (exit status $status); the end of $log:"
        tail -n 40 "$log" | sed 's/^/    /'
    fi
    record "$suite" "$passed" "$failed" "$skipped" $((SECONDS - started))
}

# A tenth of the files would still take minutes under a sanitizer: every 60th it is, and always the same ones.
sample_of() { find "$1" -type f -name '*.json' | sort | awk 'NR % 60 == 1'; }

run samples "$logs/${FLAVOUR}samples.log" ethereum-tests/samples
while read -r suite folder; do
    if [ ! -d "$vectors/$folder" ]; then
        if [ "${CEVM_REQUIRE_VECTORS:-0}" = 1 ]; then
            echo "  FAILED: $vectors/$folder is not there and CEVM_REQUIRE_VECTORS=1"
            record "$FLAVOUR$suite" 0 1 0 0
        else
            echo "  skipped: $suite: $vectors/$folder is not there (make vectors)"
            record "$FLAVOUR$suite" 0 0 1 0
        fi
    elif [ "$sample" = --sample ]; then
        mapfile -t files < <(sample_of "$vectors/$folder")
        run "$suite" "$logs/$FLAVOUR$suite.log" "${files[@]}"
    else
        run "$suite" "$logs/$FLAVOUR$suite.log" "$vectors/$folder"
    fi
done << 'SUITES'
state_tests state_tests
GeneralStateTests GeneralStateTests
legacy-Cancun LegacyTests/Cancun/GeneralStateTests
legacy-Constantinople LegacyTests/Constantinople/GeneralStateTests
VMTests LegacyTests/Constantinople/VMTests
SUITES

[ -n "${CEVM_RESULTS:-}" ] || echo "$all_passed passed, $all_failed failed, $all_skipped skipped"
[ "$all_failed" = 0 ]
