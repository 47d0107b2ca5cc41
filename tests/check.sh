#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `make check`: every suite in order, one table, one closing line. A step that fails does not stop the next one; a step that
# cannot even be built is one failure.
set -u
export LC_ALL=C
BUILD=${BUILD:-build}
JOBS=${JOBS:-1}
mkdir -p "$BUILD"
export CEVM_RESULTS=$(realpath -m "$BUILD")/results.tsv
: > "$CEVM_RESULTS"
started=$SECONDS

total() { awk -F '\t' -v column="$1" '{ n += $column } END { print n + 0 }' "$CEVM_RESULTS"; }

step() { # make's arguments
    local before
    before=$(total 3)
    echo "== make $*"
    make BUILD="$BUILD" JOBS="$JOBS" WERROR=1 "$@" < /dev/null && return
    [ "$(total 3)" != "$before" ] && return
    echo "  FAILED: make $* did not get as far as its tests"
    printf '%s\t0\t1\t0\t0\n' "make $1" >> "$CEVM_RESULTS"
}

# Suites whose vectors are not there are skipped and counted, unless CEVM_REQUIRE_VECTORS=1.
vectors() {
    echo "== official test vectors"
    ethereum-tests/fetch.sh < /dev/null && return
    if [ "${CEVM_REQUIRE_VECTORS:-0}" = 1 ]; then
        printf 'vectors\t0\t1\t0\t0\n' >> "$CEVM_RESULTS"
    else
        echo "  Going on without them: the tests that need them are skipped, and counted as such."
    fi
}

# The vectors that take minutes on one core run behind all that follows, and give way to it.
slow_vectors() {
    SPEC_ARGS=--slow step test-spec > "$BUILD/slow-vectors.log" 2>&1 &
    renice -n 10 -p $! > /dev/null 2>&1
}

step -j"$JOBS" programs
vectors
slow_vectors
step test-house
step test-unit
step test-property
step test-oom
step test-cli
step test-embed
step test-evmc
step test-clients
SPEC_ARGS=--rest step test-spec
step asan
step portable
step clang
step test-fuzz
wait
cat "$BUILD/slow-vectors.log"

echo
printf '%-27s %9s %9s %9s %9s\n' suite passed failed skipped seconds
awk -F '\t' '{ printf "%-27s %9d %9d %9d %9d\n", $1, $2, $3, $4, $5 }' "$CEVM_RESULTS"
printf '%-27s %39d\n' 'whole check' $((SECONDS - started))
echo "$(total 2) passed, $(total 3) failed, $(total 4) skipped"
[ "$(total 3)" = 0 ]
