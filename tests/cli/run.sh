#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `cevm run`, the `evm` name, help and options as people, scripts and fuzzers use them. geth's recorded outputs are compared
# where the vectors hold them.
. "$(dirname "$0")/cli.inc"

mkdir "$work/bin"
ln -s "$cevm" "$work/bin/evm"
evm=$work/bin/evm
vectors=${CEVM_VECTORS_DIR:-ethereum-tests/vectors}
export LC_ALL=C.UTF-8

# run PROGRAM ARGUMENTS: leaves out, err and status.
run() {
    "$@" > "$work/out" 2> "$work/err" < /dev/null
    status=$?
    out=$(tr -d '\0' < "$work/out")
    err=$(cat "$work/err")
}

# refused NAME STATUS TEXT ARGUMENTS...: exits with STATUS, says TEXT on stderr, writes nothing to stdout.
refused() {
    local name=$1 wanted=$2 text=$3
    shift 3
    run "$cevm" "$@"
    if [ "$status" != "$wanted" ] || [ -n "$out" ] || ! grep -qF -- "$text" <<< "$err"; then
        check "$name" "exit status $status (wanted $wanted), stdout \"${out:0:80}\"
stderr: ${err:0:300}
wanted in it: $text"
    else
        check "$name" ""
    fi
}

# ---- Names, versions, help

run "$cevm" -v
expect "-v begins as geth's evm" "evm version" "$(grep -o '^evm version' <<< "$out")"
run "$evm" --version
expect "--version under the name evm" "evm version" "$(grep -o '^evm version' <<< "$out")"
run "$cevm" version
expect "version lists the forks" "Frontier Osaka" "$(sed -n 's/^forks: //p' <<< "$out" | awk '{ print $1, $NF }')"
for arguments in "--help" "help" "help run" "run --help" "run -h" "statetest --help" "help statetest" "version --help"; do
    # shellcheck disable=SC2086 # several words
    run "$cevm" $arguments
    expect "cevm $arguments" "0 Usage: cevm" "$status $(grep -o 'Usage: cevm' <<< "$out" | head -n 1)"
done
run "$cevm" help --help
expect "help --help explains help" "0 Usage: cevm help [COMMAND]" "$status $out"
expect "the manual page has every command" "" "$("$cevm" --help | sed -n 's/^  \([a-z0-9-]*\)  .*/\1/p' | while read -r command; do
    grep -q "^\.BR\{0,1\} .*\b${command/-/\\\\-}\b" docs/man/cevm.1 || echo "$command"
done)"
for command in run statetest blocktest import db t8n t8n-server t9n b11r node precompile version help; do
    expect "$command --help fits 80 columns" "" "$("$cevm" $command --help | awk 'length > 80')"
done
run "$cevm" run --help
expect "the help of run has examples that run" "" "$(sed -n 's/^  cevm \(run .*0x6[0-9a-f]*\)$/\1/p' <<< "$out" |
    while read -r line; do
        # shellcheck disable=SC2086
        "$cevm" $line 2> /dev/null | grep -q '^0x0*2a$' || echo "$line"
    done)"
run "$evm" run --help
expect "help speaks of evm under that name" "Usage: evm run" "$(grep -o 'Usage: evm run' <<< "$out")"

# ---- Wrong command lines

refused "no command" 2 "Usage: cevm"
refused "an unknown command names the nearest" 2 'did you mean "statetest"?' stattest
refused "an unknown option names the nearest" 2 "did you mean --trace.nostack?" run --trace.nostak 00
refused "an option without its value" 2 "--gas wants a value" run 00 --gas
refused "a number that is none" 2 '--gas wants a number' run --gas=-1 00
refused "a number beyond 64 bits" 2 '--gas wants a number' run --gas 18446744073709551616 00
refused "a switch with a strange value" 2 '--trace wants true or false, not "maybe"' run --trace=maybe 00
refused "two codes" 2 "is too many" run 00 01
refused "a letter that is no option is shown as it was typed" 2 "node: unknown option -x" node -x
refused "... and nothing is near to it" 2 "$(printf 'unknown option -x\n(')" node -x
refused "a letter with a number behind it" 2 "port wants a number from 0 to 65535" node -p65536
refused "a long name with one dash is no letter with a value" 2 "unknown option -ports" node -ports 1
refused "--block without a store" 2 "--block wants --data-dir too" run --block 5 00
refused "--genesis without a store" 2 "--genesis wants --data-dir" run --genesis nothing 00
refused "--fork-block-number without a remote" 2 "--fork-block-number wants --fork-url too" run --fork-block-number 5 00
refused "--fork-cache without a remote" 2 "--fork-cache wants --fork-url" run --fork-cache "$work/none" 00
refused "--contract without a file" 2 "--contract wants a file of code too" run --contract Token --prestate nothing
refused "a trace format that is none, without --trace" 1 'unknown trace format "xml"' run --trace.format xml 00
refused "what is neither hex nor a file" 1 "(and no file has this name)" run mytoken
refused "no code" 2 "no code" run
refused "a trace format that is none" 1 'unknown trace format "xml"' run --trace --trace.format xml 00
refused "an unknown fork lists the known" 1 "Frontier Homestead" run --fork Lunch 00
refused "an amount that is none" 1 "--value wants an amount of wei" run --value 1ether 00

# ---- Bad input

refused "hex: the character and where it stands" 1 "CODE is not hex: 'g' at position 5" run 0x60g0
refused "hex: an odd number of digits" 1 "3 digits, an odd number" run 600
refused "hex: one digit" 1 "1 digit, an odd number" run 0x6
refused "hex: --input" 1 "--input is not hex: 'z' at position 3" run 00 --input 0xzz
refused "hex: not ASCII" 1 "byte 0xc3 at position 1" run --input $'\xc3\xa9' 00
refused "an address that is too long" 1 "--sender is no address" run --sender 0x112233445566778899aabbccddeeff00112233445566 00
refused "an address that is no hex" 1 "--receiver is not hex: 'x' at position 4" run --receiver 0x1x 00
refused "a missing file is named" 1 "cannot open no/such.hex" run --codefile no/such.hex
refused "a missing file as CODE is named" 1 "cannot open no/such.json" run no/such.json
refused "a missing prestate is named" 1 "cannot open no/such" run --prestate no/such 00
refused "a folder is no file" 1 "cannot read" run --codefile "$work"
echo '{"alloc": {' > "$work/cut.json"
refused "truncated JSON: line and column" 1 "cut.json:2:0: is not valid JSON" run --prestate "$work/cut.json" 00
refused "truncated artifact" 1 "cut.json, line 2, column 0" run --codefile "$work/cut.json"
echo '{"alloc": {"0x01": {}}}' > "$work/short.json"
refused "a prestate address of the wrong size" 1 "0x01: the key must be an address" run --prestate "$work/short.json" 00
echo '{"alloc": {"0x00000000000000000000000000000000000a11ce": {"balance": "much"}}}' > "$work/much.json"
refused "a prestate balance that is none" 1 "balance: must be a number" run --prestate "$work/much.json" 00
echo '{"alloc": []}' > "$work/list.json"
refused "a prestate without accounts" 1 "alloc: must be an object" run --prestate "$work/list.json" 00
head -c 4000000 /dev/zero | tr '\0' '[' > "$work/deep.json"
refused "JSON nested four million deep" 1 "deep.json:1:" run --prestate "$work/deep.json" 00
echo '{"bytecode": "0x60__$aabbccddeeff00112233445566778899aa$__60", "contractName": "A"}' > "$work/link.json"
refused "an unlinked library" 1 "a library is not linked (position 5)" run --create --codefile "$work/link.json"
head -c 33554432 /dev/zero | tr '\0' '5' > "$work/big.hex" # 16 MiB of SSTORE
run "$cevm" run --codefile "$work/big.hex"
expect "16 MiB of bytecode run" "0 0x  error: stack underflow" "$status $(tr '\n' ' ' <<< "$out" | sed 's/ $//')"

# ---- Running

run "$cevm" run 0x602a60005260206000f3
expect "the output is the first line of stdout" "0 0x000000000000000000000000000000000000000000000000000000000000002a" "$status $out"
expect "gas for people is on stderr" "gas used  18 of 10000000000" "$(grep -o 'gas used .*' <<< "$err")"
run "$evm" run 0x602a60005260206000f3
expect "nothing but the output under the name evm" "" "$err"
run "$cevm" run 5f5ffd
expect "a revert is a run: exit status 0, as geth" "0 0x| error: execution reverted|" "$status $(tr '\n' '|' < "$work/out")"
printf '0x602a\n60005260206000f3\n' > "$work/code.hex"
run "$cevm" run --codefile "$work/code.hex"
expect "--codefile, blanks and line ends allowed" "2a" "${out: -2}"
expect "--codefile - is standard input" "2a" "$(echo 602a60005260206000f3 | "$cevm" run --codefile - 2> /dev/null | tail -c 3)"
run "$cevm" run "$work/code.hex"
expect "CODE may name a file" "2a" "${out: -2}"
run "$cevm" run --input 0x0102 --gas=100000 -sender 0xaa --receiver bb --value 0 365f5260206020f3
expect "options in Go's spellings" 0 "$status"
run "$cevm" run 365f5260205ff3 --input 0x010203
expect "options may follow CODE; calldata arrives" "03" "${out: -2}"
echo 0x0102 > "$work/in.hex"
run "$cevm" run --inputfile "$work/in.hex" 365f5260205ff3
expect "--inputfile" "02" "${out: -2}"
run "$cevm" run --sender 0xabc 335f5260205ff3
expect "--sender is the caller" "abc" "${out: -3}"
run "$cevm" run --price 7 3a5f5260205ff3
expect "--price" "07" "${out: -2}"
run "$cevm" run --fork Paris 5f
expect "--fork: PUSH0 is not in Paris" "1" "$(grep -c 'invalid opcode' <<< "$out")"
run "$cevm" run --create 6001600c60003960016000f300
expect "--create tells the address" "created   0x1f2a98889594024bffda3311cbe69728d392c06d" "$(grep -o 'created .*' <<< "$err")"
run "$cevm" run --bench 00
expect "--bench: four lines, as geth" 4 "$(grep -cE '^(EVM gas used|execution time|allocations|allocated bytes): ' <<< "$err")"
run "$cevm" run --trace 6001600255
expect "--trace is a table for people, in 80 columns" "1" "$(grep -c 'storage\[2\] ← 1' <<< "$err")"
expect "no colour into a file" "" "$(grep -l $'\033' "$work/err")"
for fork in Frontier Homestead EIP150 EIP158 Byzantium Constantinople ConstantinopleFix Istanbul Berlin London Paris \
    Shanghai Cancun Prague Osaka; do
    "$cevm" run --fork $fork 600160020160005260206000f3 2> /dev/null | grep -q '^0x0*3$' || echo $fork
done > "$work/forks"
expect "every fork runs" "" "$(cat "$work/forks")"

# A genesis file chooses the rules by its block and time: Shanghai, and PUSH0 with it, begins at second 100.
for time in 99 100; do
    echo "{\"config\": {\"chainId\": 7, \"londonBlock\": 0, \"mergeNetsplitBlock\": 0, \"shanghaiTime\": 100},
        \"timestamp\": \"$time\", \"gasLimit\": \"0x5208\", \"alloc\": {}}" > "$work/genesis$time.json"
    run "$cevm" run --prestate "$work/genesis$time.json" 5f
    expect "a genesis file chooses the fork at second $time" "$((100 - time))" "$(grep -c 'invalid opcode' <<< "$out")"
done
for key in 0x10 10 "$(printf '%064d' 10)"; do
    echo "{\"0x000000000000000000000000000000000000c0de\": {\"storage\": {\"$key\": \"2a\"}}}" > "$work/words.json"
    run "$cevm" run --prestate "$work/words.json" --receiver 0xc0de 60105460005260206000f3
    expect "storage in a prestate is hex, as geth has it, with 0x or without: ${#key} digits" "2a" "${out: -2}"
done
run "$cevm" run --prestate "$work/genesis99.json" 4660005260206000f3
expect "a genesis file gives the chain id and the gas limit" "7 21000" "$((16#${out: -2})) $(sed -n 's/.* of //p' <<< "$err")"

# ---- A compiler's contract

token=(--codefile docs/examples/erc20.json --prestate docs/examples/prestate.json --receiver 0xc0de --sender 0xa11ce)
run "$cevm" run "${token[@]}" --input 0x70a0823100000000000000000000000000000000000000000000000000000000000a11ce
expect "ERC-20 balanceOf: 1000 * 10^18" "3635c9adc5dea00000" "${out: -18}"
run "$cevm" run "${token[@]}" --input 0xa9059cbb0000000000000000000000000000000000000000000000000000000000000b0b0000000000000000000000000000000000000000000000000de0b6b3a7640000
expect "ERC-20 transfer: true, and a log in words" "1 1" "${out: -1} $(grep -c 'Transfer(0x00000000000000000000000000000000000a11ce' <<< "$err")"
run "$cevm" run "${token[@]}" --input 0xa9059cbb0000000000000000000000000000000000000000000000000000000000000b0b00000000000000000000000000000000000000000000006c6b935b8bbd400000
expect "ERC-20 transfer of too much: the reason" 1 "$(grep -c 'ERC20InsufficientBalance(0x00000000000000000000000000000000000a11ce' <<< "$err")"
run "$cevm" run --create --codefile docs/examples/erc20.json --contract Token
expect "ERC-20 constructor: returns what the compiler calls the deployed code" "" \
    "$(diff <(echo "0x$(grep -A2 deployedBytecode docs/examples/erc20.json | grep -oE '[0-9a-f]{100,}')") <(echo "$out"))"
code=600a60005360016000f3
cat > "$work/two.json" << END
{"contracts": {"a.sol:A": {"bin": "$code", "bin-runtime": "602a60005260206000f3"}, "b.sol:B": {"bin": "00", "bin-runtime": "00"}}}
END
refused "several contracts: they are listed" 1 "b.sol:B" run --codefile "$work/two.json"
refused "a contract that is not there: what is" 1 "a.sol:A" run --codefile "$work/two.json" --contract C
run "$cevm" run --codefile "$work/two.json" --contract A
expect "combined JSON, --contract" "2a" "${out: -2}"
echo "{\"contractName\": \"A\", \"bytecode\": \"0x$code\", \"deployedBytecode\": \"0x602a60005260206000f3\"}" > "$work/hardhat.json"
run "$cevm" run --codefile "$work/hardhat.json"
expect "a Hardhat artifact" "2a" "${out: -2}"
echo "{\"bytecode\": {\"object\": \"0x$code\"}, \"deployedBytecode\": {\"object\": \"0x602a60005260206000f3\"}}" > "$work/foundry.json"
run "$cevm" run "$work/foundry.json"
expect "a Foundry artifact" "2a" "${out: -2}"
refused "JSON that is no artifact" 1 "no Solidity compiler output" run --codefile docs/examples/prestate.json

# ---- geth's own expectations

recorded=$vectors/geth-testdata/cmd/evm/testdata
# same NUMBER STREAM ARGUMENTS...: `evm ARGUMENTS` writes to that stream what geth did.
same() {
    local number=$1 stream=$2
    shift 2
    run "$evm" "$@"
    local got=$work/out
    [ "$stream" = 2 ] && got=$work/err
    check "geth's evm ${*//$vectors\//}: stream $stream" "$(diff <(grep -vE '^(INFO|WARN) ' "$recorded/evmrun/$number.out.$stream.txt") "$got" | cut -c1-300 | head -n 10)"
}
if [ -d "$recorded/evmrun" ]; then
    same 1 1 run --trace --trace.format=json 6040
    same 1 2 run --trace --trace.format=json 6040
    same 1 2 run --json 6040
    same 2 1 run --trace --trace.format=struct 0x6040
    same 2 2 run --trace --trace.format=struct 0x6040
    same 3 1 run --trace --trace.format=struct --dump 0x6040
    same 4 1 run --trace --dump 0x6040
    same 4 2 run --trace --dump 0x6040
    same 5 1 run --trace --trace.format=md 0x6040
    same 5 2 run --trace --trace.format=md 0x6040
    same 6 1 statetest "$recorded/statetest.json"
    same 6 2 statetest "$recorded/statetest.json"
    same 7 1 statetest --trace --trace.format=md "$recorded/statetest.json"
    same 7 2 statetest --trace --trace.format=md "$recorded/statetest.json"
    same 8 1 statetest --trace --trace.format=json "$recorded/statetest.json"
    same 8 2 statetest --trace --trace.format=json "$recorded/statetest.json"
    run "$evm" run --bench 6040
    check "geth's evm run --bench 6040" "$(paste -d '\n' "$recorded/evmrun/9.out.2.txt" "$work/err" |
        while read -r pattern && read -r line; do [[ $line =~ ^${pattern//\\d/[0-9]}$ ]] || echo "$line is not $pattern"; done)"
    for case in "$vectors"/goevmlab/evms/testdata/cases/*.json; do
        name=$(basename "$case")
        run "$evm" statetest --trace --trace.format=json --trace.nomemory=true --trace.noreturndata=true "$case"
        check "geth's trace of $name, line by line" \
            "$(diff "$vectors/goevmlab/evms/testdata/traces/$name.geth.stderr.txt" "$work/err" | cut -c1-300 | head -n 10)"
    done
elif [ "${CEVM_REQUIRE_VECTORS:-0}" = 1 ]; then
    check "geth's recorded outputs" "CEVM_REQUIRE_VECTORS=1 and $recorded is not there"
else
    skip "geth's recorded outputs" "$recorded is not there"
fi
