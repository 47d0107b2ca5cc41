#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `cevm statetest` as fuzzers, test generators and people drive it: streams, JSON, exit codes, batch mode, bad input.
. "$(dirname "$0")/cli.inc"

samples=ethereum-tests/samples
add11=$samples/tests/add11.json
reject=$samples/tests/lowFeeCap.json

# run ARGUMENTS: leaves out, err and status.
run() {
    out=$("$cevm" statetest "$@" 2> "$work/err" < /dev/null)
    status=$?
    err=$(cat "$work/err")
}

# field NAME JSON: the values of a key in the order in which they stand, one a line.
field() { grep -oE "\"$1\": (\"[^\"]*\"|true|false)" <<< "$2" | sed -E 's/^[^:]*: //; s/"//g'; }

# A test whose expected root is wrong.
wrong=$work/wrong.json
sed -E '0,/"hash"/ s/("hash" *: *"0x)../\1ff/' "$samples/legacy/ABAcalls2.json" > "$wrong"

# ---- The contract of geth's evm

run "$add11"
expect "a passing test: exit status 0" 0 "$status"
expect "a passing test: names its fork" Cancun "$(field fork "$out" | sort -u)"
expect "a passing test: passes" true "$(field pass "$out" | sort -u)"
wanted=$(grep -oE '"hash" *: *"0x[0-9a-f]{64}"' "$add11" | tail -n 1 | grep -oE '0x[0-9a-f]{64}')
expect "a passing test: its root on stdout" "$wanted" "$(field stateRoot "$out")"
expect "a passing test: exactly one root on stderr, spaced as goevmlab looks for it" "{\"stateRoot\": \"$wanted\"}" "$err"
expect "stdout is an array" "[ ]" "$(head -n 1 <<< "$out") $(tail -n 1 <<< "$out")"

run "$wrong"
expect "a failing test: still exit status 0 in JSON" 0 "$status"
expect "a failing test: pass is false" false "$(field pass "$out" | head -n 1)"
expect "a failing test: the error has both roots" 1 "$(field error "$out" | grep -cE '^post state root mismatch: got [0-9a-f]{64}, want ff[0-9a-f]{62}$')"

run "$reject"
expect "a rejected transaction: passes where it must be rejected" true "$(field pass "$out" | sort -u)"
expect "a rejected transaction: has a root" 1 "$(field stateRoot "$out" | sort -u | wc -l)"

run --trace --statetest.index 0 --run '^add11$' "$add11"
expect "a trace is JSON lines on stderr" 1 "$(head -n 1 <<< "$err" | grep -cE '^\{"pc":0,"op":[0-9]+,"gas":"0x[0-9a-f]+","gasCost":"0x[0-9a-f]+","memSize":0,"stack":\[\],"depth":1,"refund":0,"opName":"[A-Z0-9]+"\}$')"
expect "a trace ends with the output and one root" 2 "$(tail -n 2 <<< "$err" | grep -cE '^\{"output":"|^\{"stateRoot": "0x')"
lines=$(wc -l <<< "$err")
run --json --statetest.index 0 --run '^add11$' "$add11"
expect "--json is the older spelling" "$lines" "$(wc -l <<< "$err")"
run --trace --trace.nostack --trace.nomemory=false --statetest.index 0 "$add11"
expect "--trace.nostack leaves the stack out" 0 "$(grep -c '"stack":\["' <<< "$err")"

sed 's/"Osaka"/"BPO1"/' "$samples/eest/test_tx_gas_limit_cap_at_maximum.json" > "$work/bpo.json"
run --statetest.fork BPO1 "$work/bpo.json"
expect "--statetest.fork picks a fork of blob parameters" BPO1 "$(field fork "$out" | sort -u)"
run --statetest.fork Osaka "$work/bpo.json"
expect "which is not Osaka" "" "$(field fork "$out")"
run --statetest.fork Homestead "$samples/legacy/cancun_transactionCollidingWithNonEmptyAccount_calls.json"
expect "--statetest.fork picks one fork" Homestead "$(field fork "$out" | sort -u)"
run --statetest.index 1 "$samples/tests/labelsExample.json"
expect "--statetest.index picks one entry" 1 "$(field name "$out" | wc -l)"
run --run 'no such test' "$add11"
expect "--run without a match is an empty array" "[ ]" "$(tr -s '\n' ' ' <<< "$out" | sed 's/ $//')"
run --dump --statetest.index 0 "$add11"
expect "--dump shows accounts" true "$(grep -q '"accounts": {' <<< "$out" && echo true)"
run --bench --statetest.index 0 "$add11"
expect "--bench shows time and gas" 1 "$(grep -cE '"stats": \{"time": [0-9]+, "gasUsed": [0-9]+\}' <<< "$out")"

out=$(printf '%s\n%s\n\n%s\n' "$add11" "$reject" "$add11" | "$cevm" statetest 2> "$work/err")
expect "batch mode answers each line, up to an empty one" 2 "$(grep -c '^\]' <<< "$out")"
expect "batch mode: one root an entry" 2 "$(grep -c '^{"stateRoot": "0x' "$work/err")"
coproc "$cevm" statetest 2> /dev/null
echo "$add11" >&"${COPROC[1]}"
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
expect "--human: the closing line" 1 "$(tail -n 1 <<< "$out" | grep -cE '^[0-9]+ passed, 0 failed, [0-9]+ skipped')"
run --human --summary "$work/summary.json" "$wrong"
expect "--human: exit status 1 when one fails" 1 "$status"
expect "--human: expected and got" 2 "$(grep -cE '^ +(root: expected|got) 0x[0-9a-f]{64}$' <<< "$out")"
again=$(sed -n 's/^ *again: cevm //p' <<< "$out" | head -n 1)
again=$(eval "\"$cevm\" $again" | grep -c '^FAIL')
expect "--human: the command that shows it again does" 1 "$again"
expect "--summary counts" 1 "$(grep -c '"failed": 1,' "$work/summary.json")"
sed -E '/"state" *:/,$ s/("balance" *: *"0x)[0-9a-f]*"/\1123456"/; /"post" *:/,$ s/("hash" *: *"0x)../\1ff/' \
    "$samples/eest/test_tx_gas_limit_cap_at_maximum.json" > "$work/state.json"
run --human "$work/state.json"
expect "--human: names the first account that differs" true "$(grep -qE 'first difference: account 0x[0-9a-f]{40}: balance: expected 0x123456, got 0x' <<< "$out" && echo true)"

# ---- Bad input: a clear message, a non-zero exit, never a crash

refuse "missing file" 1 "no/such/file.json" no/such/file.json
refuse "unknown fork" 2 'Atlantis' --statetest.fork Atlantis "$add11"
refuse "unknown option" 2 '--statetest.frok' --statetest.frok Cancun "$add11"
refuse "bad regular expression" 2 '"["' --run '[' "$add11"
refuse "bad index" 2 '"x"' --statetest.index x "$add11"
refuse "unknown trace format" 2 'cevm statetest: unknown trace format "xml"' --trace --trace.format xml "$add11"
refuse "nothing to run" 1 'cevm statetest: no test was chosen by --run' --human --run '^none$' "$add11"
run --run '^none$' "$add11"
expect "... which for programs is an empty array" "0 [ ]" "$status $(tr '\n' ' ' <<< "$out" | sed 's/ $//')"
refuse "a summary that cannot be written" 1 'cevm statetest: no/such/file: cannot be written' --summary no/such/file "$add11"
head -c 1000 "$add11" > "$work/cut.json"
refuse "truncated JSON" 1 "cut.json:" "$work/cut.json"
echo '{"t": {"env": 1, "pre": {}, "post": {}, "transaction": {}}}' > "$work/type.json"
refuse "wrong type" 1 't/env: must be an object, is a number' "$work/type.json"
echo '{"t": {}}' > "$work/other.json"
refuse "not a state test" 1 'is not a state test' "$work/other.json"
mkdir "$work/empty"
refuse "empty folder" 1 'no .json file was found' "$work/empty"
sed 's/"Cancun"/"Atlantis"/' "$add11" > "$work/fork.json"
run "$work/fork.json"
expect "unknown fork in a file: the entry fails" 'false unsupported fork Atlantis' "$(field pass "$out") $(grep -o 'unsupported fork [^,]*' <<< "$out" | tr -d '"\\')"
truncate -s 1G "$work/big.json"
refuse "a file of 1 GiB" 1 'above 256 MiB are not read' "$work/big.json"
head -c 200000000 /dev/zero | tr '\0' '[' > "$work/deep.json"
refuse "200 million levels of nesting" 1 'maximum parsing depth reached' "$work/deep.json"
rm "$work/deep.json"
