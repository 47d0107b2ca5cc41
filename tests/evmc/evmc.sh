#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 The official state tests through EVMC: every message of every transaction runs
# in libcevm-evmc12.so and libcevm-evmc18.so, over EVMC's host of bench/, and the state roots must be those of the
# tests. All of them with EVMC_ALL=1, otherwise every 20th file.
. "$(dirname "$0")/../check/tap.inc"
vectors=${CEVM_VECTORS_DIR:-ethereum-tests/vectors}
JOBS=${JOBS:-1}

through() { # name, ABI, files or folders
    local name=$1 abi=$2 line log
    shift 2
    log=$BUILD/logs/evmc$abi-$name.log
    mkdir -p "${log%/*}"
    EVMC_MACHINE=$(realpath "$BUILD/libcevm-evmc$abi.so") "$BUILD/through-evmc" statetest --human --jobs "$JOBS" "$@" > "$log" 2>&1
    status=$?
    line=$(grep -E '^[0-9]+ passed' "$log" | tail -n 1)
    check "$name through EVMC's ABI $abi: ${line:-nothing}" "$(
        [ "$status" = 0 ] && grep -qE '^[1-9][0-9]* passed, 0 failed' <<< "$line" || tail -n 20 "$log" | cut -c1-200)"
}

for abi in 12 18; do
    through samples "$abi" ethereum-tests/samples
    for suite in GeneralStateTests state_tests; do
        if [ -d "$vectors/$suite" ]; then
            mapfile -t files < <(find -L "$vectors/$suite" -type f -name '*.json' | sort |
                if [ "${EVMC_ALL:-0}" = 1 ]; then cat; else grep -v stTimeConsuming | awk 'NR % 20 == 1'; fi)
            through "$suite" "$abi" "${files[@]}"
        else
            skip "$suite through EVMC's ABI $abi" "$vectors/$suite is not there (make vectors)"
        fi
    done
done
