#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Usage: tests/spec.sh [--sample | --slow | --rest]
#
# Runs the official state tests, VM tests and blockchain tests, suite by suite, and counts entries. What needs a precompiled
# contract that this build does not hold counts as skipped, and the program names the contracts. --sample takes a small
# part of each suite, for slow builds; --slow the few files that take minutes, --rest all others. The small suites that need
# no runner (RLPTests, TrieTests, TransactionTests, DifficultyTests, GenesisTests, PoWTests, BasicTests) are read by unit tests;
# the end of this file says which.
#
# A suite that is not there is one skip, or one failure with CEVM_REQUIRE_VECTORS=1.
set -u
export LC_ALL=C
BUILD=${BUILD:-build}
JOBS=${JOBS:-1}
FLAVOUR=${FLAVOUR:-}
vectors=${CEVM_VECTORS_DIR:-ethereum-tests/vectors}
part=${1:-}
logs=$BUILD/logs/${FLAVOUR}spec$part
rm -rf "$logs"
mkdir -p "$logs"
: > "$logs/results.tsv"

record() { # suite, passed, failed, skipped, seconds
    printf '%-27s %8d passed %6d failed %6d skipped %6d s\n' "$@"
    printf '%s\t%d\t%d\t%d\t%d\n' "$@" >> "$logs/results.tsv"
}

# The number before a word in the summary line, 0 when it is not there.
number() { # word, line
    local n
    n=$(grep -oE "[0-9]+ $1" <<< "$2" | head -n 1 | tr -dc '0-9')
    echo "${n:-0}"
}

run() { # suite, subcommand of cevm, its arguments
    local suite=$FLAVOUR$1 command=$2 log=$logs/$1.log started=$SECONDS line passed failed skipped status
    shift 2
    "$BUILD/cevm" "$command" --human --jobs "$JOBS" "$@" > "$log" 2>&1 < /dev/null
    status=$?
    line=$(grep -E '^[0-9]+ passed' "$log" | tail -n 1)
    passed=$(number passed "$line") failed=$(number failed "$line") skipped=$(number skipped "$line")
    # Whatever went wrong, it must not look like success.
    [ $((passed + failed + skipped)) = 0 ] && failed=1
    [ "$status" != 0 ] && [ "$failed" = 0 ] && failed=1
    sed -n 's/^skipped [0-9]*: /  &/p' "$log"
    if [ "$failed" != 0 ]; then
        echo "  FAILED: cevm $command (exit status $status) on $suite; the end of $log:"
        tail -n 40 "$log" | cut -c1-300 | sed 's/^/    /'
    fi
    record "$suite" "$passed" "$failed" "$skipped" $((SECONDS - started))
}

# A program of its own over a folder of vectors; its last line says what passed.
run_program() { # suite, program, folder, its arguments
    local suite=$FLAVOUR$1 program=$2 folder=$vectors/$3 log=$logs/$1.log started=$SECONDS line failed status
    shift 3
    if [ ! -d "$folder" ]; then
        if [ "${CEVM_REQUIRE_VECTORS:-0}" = 1 ]; then
            echo "  FAILED: $folder is not there and CEVM_REQUIRE_VECTORS=1"
            record "$suite" 0 1 0 0
        else
            echo "  skipped: $suite: $folder is not there (make vectors)"
            record "$suite" 0 0 1 0
        fi
        return
    fi
    CEVM_VECTORS_DIR=$vectors "$BUILD/$program" "$@" > "$log" 2>&1 < /dev/null
    status=$?
    line=$(grep -E '^[0-9]+ passed' "$log" | tail -n 1)
    failed=$(number failed "$line")
    [ "$status" != 0 ] && [ "$failed" = 0 ] && failed=1
    [ -z "$line" ] && failed=1
    if [ "$failed" != 0 ]; then
        echo "  FAILED: $program (exit status $status); the end of $log:"
        tail -n 40 "$log" | cut -c1-300 | sed 's/^/    /'
    fi
    record "$suite" "$(number passed "$line")" "$failed" "$(number skipped "$line")" $((SECONDS - started))
}

# Minutes on one core: BLAKE2 F with 2^32-1 rounds, once a fork. They run beside all others instead of after them.
slow_name=/CALLBlake2f_MaxRounds.json
slow_files() {
    run_slow legacy-Cancun-blake2f statetest LegacyTests/Cancun/GeneralStateTests
    run_slow GeneralStateTests-blake2f statetest GeneralStateTests
    run_slow BlockchainTests-blake2f blocktest BlockchainTests/GeneralStateTests
}

run_slow() { # suite, command, folder
    local file=$vectors/$3/stTimeConsuming$slow_name
    [ ! -f "$file" ] || run "$1" "$2" "$file"
}

# The files of a suite; of a sample every 20th, always the same ones, and none of those that are slow by design.
files_of() {
    find -L "$1" -type f -name '*.json' ! -path "*$slow_name" | sort |
        if [ "$part" = --sample ]; then grep -v stTimeConsuming | awk 'NR % 20 == 1'; else cat; fi
}

all_others() {
    run samples statetest ethereum-tests/samples
    run samples-blocks blocktest ethereum-tests/block-samples
    # Requests and answers, in their order against one node.
    run_program execution-apis tests/rpc/execution_apis execution-apis/tests "$vectors/execution-apis/tests"
    # What geth's named tracers give; those written in JavaScript are left out.
    run_program geth-tracers tests/unit/test_geth_tracers geth-testdata/eth/tracers/internal/tracetest/testdata
    suites
    name_the_rest
}

suites() {
    while read -r suite command folder; do
        if [ -d "$vectors/$folder" ]; then
            mapfile -t files < <(files_of "$vectors/$folder")
            run "$suite" "$command" "${files[@]}"
        elif [ "${CEVM_REQUIRE_VECTORS:-0}" = 1 ]; then
            echo "  FAILED: $vectors/$folder is not there and CEVM_REQUIRE_VECTORS=1"
            record "$FLAVOUR$suite" 0 1 0 0
        else
            echo "  skipped: $suite: $vectors/$folder is not there (make vectors)"
            record "$FLAVOUR$suite" 0 0 1 0
        fi
    done << 'SUITES'
state_tests statetest state_tests
GeneralStateTests statetest GeneralStateTests
legacy-Cancun statetest LegacyTests/Cancun/GeneralStateTests
legacy-Constantinople statetest LegacyTests/Constantinople/GeneralStateTests
VMTests statetest LegacyTests/Constantinople/VMTests
blockchain_tests blocktest blockchain_tests
blockchain-devnet blocktest blockchain_tests_devnet
BlockchainTests blocktest BlockchainTests
blocks-Cancun blocktest LegacyTests/Cancun/BlockchainTests
blocks-Constantinople blocktest LegacyTests/Constantinople/BlockchainTests
SUITES
}

# The suites that unit tests read (make test-unit), and what of them no EVM has a use for. Folder, programs or reason.
name_the_rest() {
    while read -r folder what; do
        [ -d "$vectors/EthereumTestsMisc/$folder" ] && [ "$part" != --sample ] && echo "  $folder: $what"
    done << 'MISC'
ABITests not run: how a contract's callers encode arguments is no rule of the chain
BasicTests in tests/unit/test_difficulty and test_basic_vectors; not run: crypto (ciphers of the network), hexencodetest (no such function; the trie's roots prove it), blockgenesistest (headers of a time before Frontier)
DifficultyTests in tests/unit/test_difficulty
GenesisTests in tests/unit/test_basic_vectors
JSONSchema no tests: the schemas of the other files
KeyStoreTests not run: files that wallets keep keys in
PoWTests in tests/unit/test_ethash
RLPTests in tests/unit/test_rlp
TransactionTests in tests/unit/test_tx_codec
TrieTests in tests/unit/test_trie; not run: trietestnextprev (neighbours of a key, which nothing asks the trie for)
MISC
}

case $part in
--slow) slow_files ;;
--rest | --sample) all_others ;;
*)
    slow_files &
    all_others
    wait
    ;;
esac

sum() { awk -F '\t' -v column="$1" '{ n += $column } END { print n + 0 }' "$logs/results.tsv"; }
if [ -n "${CEVM_RESULTS:-}" ]; then
    cat "$logs/results.tsv" >> "$CEVM_RESULTS"
else
    echo "$(sum 2) passed, $(sum 3) failed, $(sum 4) skipped"
fi
[ "$(sum 3)" = 0 ]
