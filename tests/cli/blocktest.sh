#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `cevm blocktest` as fuzzers, test generators and people drive it: streams, JSON, exit codes, batch mode, bad input.
. "$(dirname "$0")/cli.inc"

samples=ethereum-tests/block-samples
valid=$samples/eest/test_eip_2935.json
invalid=$samples/tests/wrongGasLimit.json
branches=$samples/legacy/ChainAtoChainB_BlockHash.json

# run ARGUMENTS: leaves out, err and status.
run() {
    out=$("$cevm" blocktest "$@" 2> "$work/err" < /dev/null)
    status=$?
    err=$(cat "$work/err")
}

# field NAME JSON: the values of a key in the order in which they stand, one a line.
field() { grep -oE "\"$1\": (\"[^\"]*\"|true|false)" <<< "$2" | sed -E 's/^[^:]*: //; s/"//g'; }

# The state root of the block that a file says is the last; of the genesis where no block is valid.
last_root() { grep -oE '"stateRoot" *: *"0x[0-9a-f]{64}"' "$1" | tail -n 1 | grep -oE '0x[0-9a-f]{64}'; }

# A test whose last block is another one than the file says.
wrong=$work/wrong.json
sed -E 's/("lastblockhash" *: *"0x)../\1ff/' "$valid" > "$wrong"

# ---- The contract of geth's evm

run "$valid"
expect "a passing test: exit status 0" 0 "$status"
expect "a passing test: names its network" Prague "$(field fork "$out")"
expect "a passing test: passes" true "$(field pass "$out")"
wanted=$(last_root "$valid")
expect "a passing test: the root of its head on stdout" "$wanted" "$(field stateRoot "$out")"
expect "a passing test: exactly one root on stderr" "{\"stateRoot\": \"$wanted\"}" "$err"
expect "stdout is an array" "[ ]" "$(head -n 1 <<< "$out") $(tail -n 1 <<< "$out")"

run "$wrong"
expect "a failing test: still exit status 0 in JSON" 0 "$status"
expect "a failing test: pass is false" false "$(field pass "$out")"
expect "a failing test: the error has both hashes" 1 "$(field error "$out" | grep -cE '^last block hash validation mismatch: want: ff[0-9a-f]{62}, have: [0-9a-f]{64}$')"

run "$invalid"
expect "an invalid block: passes where it must be refused" true "$(field pass "$out")"
sed 's/BlockException\.INVALID_GASLIMIT/BlockException.INVALID_STATE_ROOT/' "$invalid" > "$work/reason.json"
run "$work/reason.json"
expect "an invalid block: fails where it must be refused for another reason" 1 "$(field error "$out" | grep -c 'refused for another reason: got INVALID_GASLIMIT .*, want BlockException.INVALID_STATE_ROOT$')"

run "$branches"
expect "one answer for each test of a file" 3 "$(field pass "$out" | grep -c true)"
run --run London "$branches"
expect "--run picks by name" London "$(field fork "$out")"
run --run 'no such test' "$branches"
expect "--run without a match is an empty array" "[ ]" "$(tr -s '\n' ' ' <<< "$out" | sed 's/ $//')"

run --trace "$valid"
expect "a trace is JSON lines on stderr" 1 "$(head -n 1 <<< "$err" | grep -cE '^\{"pc":0,"op":[0-9]+,"gas":"0x[0-9a-f]+","gasCost":"0x[0-9a-f]+","memSize":0,"stack":\[\],"depth":1,"refund":0,"opName":"[A-Z0-9]+"\}$')"
expect "a trace ends with the output and one root" 2 "$(tail -n 2 <<< "$err" | grep -cE '^\{"output":"|^\{"stateRoot": "0x')"
expect "a trace changes nothing" true "$(field pass "$out")"
lines=$(wc -l <<< "$err")
run --json "$valid"
expect "--json is the older spelling" "$lines" "$(wc -l <<< "$err")"
run --dump "$valid"
expect "--dump shows accounts" true "$(grep -q '"accounts": {' <<< "$out" && echo true)"
run --bench "$valid"
expect "--bench shows time and gas" 1 "$(grep -cE '"stats": \{"time": [0-9]+, "gasUsed": [1-9][0-9]*\}' <<< "$out")"

out=$(printf '%s\n%s\n\n%s\n' "$valid" "$invalid" "$valid" | "$cevm" blocktest 2> "$work/err")
expect "batch mode answers each line, up to an empty one" 2 "$(grep -c '^\]' <<< "$out")"
expect "batch mode: one root a test" 2 "$(grep -c '^{"stateRoot": "0x' "$work/err")"
coproc "$cevm" blocktest 2> /dev/null
echo "$valid" >&"${COPROC[1]}"
answer=
while read -r -t 20 line <&"${COPROC[0]}"; do
    answer=$answer$line
    [ "$line" = "]" ] && break
done
expect "batch mode answers before the next line comes" 1 "$(grep -c '"pass": true' <<< "$answer")"
exec {COPROC[1]}>&-
wait

run --jobs 1 "$samples"
one=$out$err
run --jobs 4 "$samples"
expect "four threads report as one does" "$(sha256sum <<< "$one")" "$(sha256sum <<< "$out$err")"

# ---- For people

run --human "$samples"
expect "--human: exit status 0 when all pass" 0 "$status"
expect "--human: the closing line" 1 "$(tail -n 1 <<< "$out" | grep -cE '^[0-9]+ passed, 0 failed, 0 skipped')"
expect "--human: networks that change have a row" 1 "$(grep -cE '^\(transitions\) +[1-9]' <<< "$out")"
run --human --summary "$work/summary.json" "$wrong"
expect "--human: exit status 1 when one fails" 1 "$status"
expect "--human: expected and got" 2 "$(grep -cE '^ +(head: expected|got) 0x[0-9a-f]{64}$' <<< "$out")"
again=$(sed -n 's/^ *again: cevm //p' <<< "$out" | head -n 1)
again=$(eval "\"$cevm\" $again" | grep -c '^FAIL')
expect "--human: the command that shows it again does" 1 "$again"
expect "--summary counts" 1 "$(grep -cE '"failed": 1,.*"gasUsed": [1-9]' "$work/summary.json")"
sed -E '/"postState" *:/,$ s/("balance" *: *"0x)[0-9a-f]*"/\1123456"/' "$valid" > "$work/state.json"
run --human "$work/state.json"
expect "--human: names the first account that differs" true "$(grep -qE 'first difference: account 0x[0-9a-f]{40}: balance: expected 0x123456, got 0x' <<< "$out" && echo true)"

# ---- Bad input: a clear message, a non-zero exit, never a crash

refuse "missing file" 1 "cevm blocktest: no/such/file.json" no/such/file.json
expect "--help offers no tracers: an import shows instructions" 0 "$("$cevm" blocktest --help | grep -c 'trace.tracer')"
refuse "an option of statetest" 2 '--statetest.fork' --statetest.fork London "$valid"
refuse "bad regular expression" 2 '"["' --run '[' "$valid"
head -c 1000 "$valid" > "$work/cut.json"
refuse "truncated JSON" 1 "cut.json:" "$work/cut.json"
refuse "not a blockchain test" 1 'is not a blockchain test' ethereum-tests/samples/tests/add11.json
sed -E 's/"gasLimit" *: *"0x[0-9a-f]*"/"gasLimit": {}/' "$valid" > "$work/type.json"
refuse "wrong type" 1 'genesisBlockHeader/gasLimit: must be a string, is an object' "$work/type.json"
sed -E 's/"rlp" *: *"0x/"rlp": "0xzz/' "$valid" > "$work/hex.json"
run "$work/hex.json"
expect "a block that is no hex: the test fails" 'false 1' "$(field pass "$out") $(field error "$out" | grep -c 'blocks/0/rlp: must be bytes of hex')"
sed -E 's/"network" *: *"Prague"/"network": "Atlantis"/' "$valid" > "$work/network.json"
run "$work/network.json"
expect "unknown network: the test fails" 'false unsupported fork Atlantis' "$(field pass "$out") $(grep -o 'unsupported fork [^,]*' <<< "$out" | tr -d '"\\')"
