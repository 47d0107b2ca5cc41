#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `cevm t8n`, `t9n` and `b11r` as test generators drive geth's tools: recorded answers of geth, its own cases where the
# vectors hold them, streams and files, traces, exit codes, wrong input.
. "$(dirname "$0")/cli.inc"

samples=$PWD/tests/cli/t8n
vectors=${CEVM_VECTORS_DIR:-ethereum-tests/vectors}

# All of the input on standard input.
stdin=(--input.alloc=stdin --input.env=stdin --input.txs=stdin)
stdout=(--output.alloc=stdout --output.result=stdout)

# ---- What geth answers

while read -r fork reward; do
    input=$samples/$fork.json run t8n "${stdin[@]}" "${stdout[@]}" --output.body=stdout --state.fork "$fork" \
        --state.reward "$reward"
    expect "$fork: a random block, byte for byte as geth writes it" "$(sha256sum < "$samples/$fork.out.json")" \
        "$(sha256sum < "$work/out")"
done << 'END'
Frontier 5000000000000000000
EIP158 -1
London -1
Shanghai 0
Prague 0
BPO1 0
END

# ---- Files and streams

input=$samples/London.json run t8n "${stdin[@]}" --state.fork=London --output.basedir="$work/a/b" --output.body=txs.rlp
expect "files: exit status" 0 "$status"
expect "files: nothing on standard output" "" "$out"
expect "files: alloc, result and body, in a folder that is made" "alloc.json result.json txs.rlp" \
    "$(cd "$work/a/b" && echo *)"
expect "the body is a text of hex" 1 "$(grep -cE '^"0xf[0-9a-f]+"$' "$work/a/b/txs.rlp")"

# The parts in files of their own; the transactions as JSON and as the body just written give the same.
part() { tr -d '\n' < "$samples/London.json" | grep -oE "\"$1\":$2" | head -n 1 | sed "s/^\"$1\"://" > "$work/$1.json"; }
part alloc '\{.*\}(,"env")' && sed -i 's/,"env"$//' "$work/alloc.json"
part env '\{.*\}(,"txs")' && sed -i 's/,"txs"$//' "$work/env.json"
part txs '\[.*\]'
parts=(--input.alloc="$work/alloc.json" --input.env="$work/env.json")
run t8n "${parts[@]}" --input.txs="$work/txs.json" "${stdout[@]}" --state.fork London
cp "$work/out" "$work/from_files"
input=$samples/London.json run t8n "${stdin[@]}" "${stdout[@]}" --state.fork London
expect "three files say what standard input says" "$(cat "$work/from_files")" "$out"
field() { grep -oE "\"$1\": (\"[^\"]*\"|null|\[\])" "$2" | sed -E 's/^[^:]*: //; s/"//g'; }
root=$(field stateRoot "$work/out")
run t8n "${parts[@]}" --input.txs="$work/a/b/txs.rlp" "${stdout[@]}" --state.fork London
expect "transactions as RLP: the same state" "$root" "$(field stateRoot "$work/out")"
expect "transactions as RLP: none is refused" 0 "$(grep -c rejected "$work/out")"
printf '{"alloc": %s, "env": %s, "txsRlp": %s}' "$(cat "$work/alloc.json")" "$(cat "$work/env.json")" \
    "$(cat "$work/a/b/txs.rlp")" > "$work/rlp.json"
input=$work/rlp.json run t8n "${stdin[@]}" "${stdout[@]}" --state.fork London
expect "RLP on standard input: the same state" "$root" "$(field stateRoot "$work/out")"
sed 's/"0x3635c9adc5dea00000"/1000000000000000000000/' "$samples/London.json" > "$work/number.json"
input=$work/number.json run t8n "${stdin[@]}" "${stdout[@]}" --state.fork London
expect "a balance as a number of more than 64 bits: the same state" "$root" "$(field stateRoot "$work/out")"
run t8n "${parts[@]}" --input.txs="$work/txs.json" --output.result=stderr --output.alloc= --state.fork London
expect "a result on standard error" 1 "$(grep -c '"stateRoot"' "$work/err")"
run transition "${parts[@]}" --input.txs="$work/txs.json" "${stdout[@]}" --state.fork London
expect "\`transition\` is another name" "$root" "$(field stateRoot "$work/out")"
ln -s "$cevm" "$work/evm"
"$work/evm" t8n "${parts[@]}" --input.txs="$work/txs.json" "${stdout[@]}" --state.fork London > "$work/out" 2>&1
expect "under the name evm" "$root" "$(field stateRoot "$work/out")"

run t8n --help
expect "--help names the forks, as test fillers look for them" 4 \
    "$(grep -ohwE 'Frontier|CancunToPragueAtTime15k|BPO2|Osaka' <<< "$out" | wc -l)"

# ---- Traces and counts

input=$samples/Prague.json run t8n "${stdin[@]}" --state.fork Prague --output.basedir="$work/trace" --trace \
    --opcode.count count.json
expect "a trace file for each transaction" 4 "$(find "$work/trace" -name 'trace-[0-3]-0x*.jsonl' | wc -l)"
expect "each ends with output and gas" 4 "$(tail -qn 1 "$work"/trace/*.jsonl | grep -cE '^\{"output":"[0-9a-f]*","gasUsed":"0x[0-9a-f]+"')"
steps=$(cat "$work"/trace/*.jsonl | grep '"pc"' | grep -vc '"error"')
counted=$(tr -d ' {}\n' < "$work/trace/count.json" | tr ',' '\n' | awk -F : '{ n += $2 } END { print n }')
expect "--opcode.count counts system calls too" true "$([ "$counted" -gt "$steps" ] && echo true || echo "$counted $steps")"
input=$samples/Prague.json run t8n "${stdin[@]}" --state.fork Prague --output.basedir="$work/trace2" --trace \
    --trace.nostack --trace.memory --trace.returndata --trace.callframes
expect "--trace.nostack" 0 "$(cat "$work"/trace2/*.jsonl | grep -c '"stack":\[')"
expect "--trace.memory" true "$(grep -q '"memory":"0x' "$work"/trace2/*.jsonl && echo true)"
expect "--trace.callframes" true "$(grep -qhE '^\{"from":"0x[0-9a-f]{40}","to":"0x[0-9a-f]{40}"' "$work"/trace2/*.jsonl && echo true)"
input=$samples/frames.json run t8n "${stdin[@]}" --state.fork Shanghai --output.basedir="$work/frames" --trace \
    --trace.nostack --trace.callframes
expect "frames of calls, creations and SELFDESTRUCT, as geth writes them" "" \
    "$(diff "$samples/frames.out.jsonl" "$work"/frames/trace-0-*.jsonl | head -n 5)"
input=$samples/Prague.json run t8n "${stdin[@]}" --state.fork Prague --output.basedir="$work/state_test" --state-test
expect "--state-test leaves requests out" "[]" "$(field requests "$work/state_test/result.json")"

# ---- What cannot be done

edit() { sed -E "$1" "$samples/London.json" > "$work/edited.json"; }
# refuse_edit NAME STATUS MESSAGE SED-EXPRESSION [ARGUMENTS]
refuse_edit() {
    local name=$1 wanted=$2 message=$3
    edit "$4"
    shift 4
    input=$work/edited.json refuse "$name" "$wanted" "$message" t8n "${stdin[@]}" "${stdout[@]}" --state.fork London "$@"
}
refuse "a missing file" 11 "no/such/alloc.json" t8n --input.alloc no/such/alloc.json
refuse_edit "JSON that is none" 10 "failed unmarshalling stdin" 's/^\{/[/'
refuse_edit "a key that stands twice" 10 "duplicate object key" 's/^\{/{"env":{},/'
refuse_edit "an alloc that is none" 10 "failed unmarshalling alloc" 's/"balance":"0x/"balance":"zz/'
refuse_edit "an environment without a number" 10 "missing required field 'currentNumber'" 's/"currentNumber"/"x"/'
refuse_edit "a transaction without gas" 10 'has no "gas"' 's/"gas":/"gass":/'
refuse_edit "a fork nobody knows" 3 'Lunch' 's/^//' --state.fork Lunch
refuse_edit "an EIP on top of a fork" 3 "EIPs cannot be added" 's/^//' --state.fork London+1153
refuse_edit "a fork that needs more" 3 "Shanghai config but missing 'withdrawals'" 's/^//' --state.fork Shanghai
refuse_edit "a base fee that cannot be known" 3 "missing 'parentBaseFee'" 's/"(current|parent)BaseFee"/"x"/g'
refuse_edit "a difficulty that cannot be known" 3 "missing parentDifficulty" 's/"(current|parent)Difficulty"/"x"/g'
refuse_edit "a tracer there is not" 3 'unknown tracer "callTracer2"' 's/^//' --trace.tracer callTracer2
refuse_edit "a reward that is none" 3 "--state.reward" 's/^//' --state.reward=-2
refuse "an unknown option" 3 "unknown option" t8n --inptu.alloc x
for tool in t8n t9n b11r; do
    refuse "$tool: an argument" 3 "only options" $tool alloc.json
done
echo '"0xc180"' > "$work/short.rlp"
echo '"0xc2"' > "$work/bad.rlp"
refuse "RLP that is none" 12 "rlp:" t8n "${parts[@]}" --input.txs="$work/bad.rlp" --state.fork London
run t8n "${parts[@]}" --input.txs="$work/short.rlp" --output.alloc= --output.result=stdout --state.fork London
expect "RLP of no transaction is a refusal" "typed transaction too short" "$(field error "$work/out")"
touch "$work/file"
refuse_edit "a folder that cannot be made" 11 "failed creating output basedir" 's/^//' --output.basedir="$work/file/x"

# BLOCKHASH of a block whose hash is not given: PUSH1 0 BLOCKHASH.
cat > "$work/hash.json" << 'END'
{"alloc": {"0x7e5f4552091a69125d5dfcb7b8c2659029395bdf": {"balance": "0xde0b6b3a7640000"},
           "0x000000000000000000000000000000000000c000": {"balance": "0x0", "code": "0x600040"}},
 "env": {"currentCoinbase": "0x2adc25665018aa1fe0e6bc666dac8fc2697ff9ba", "currentDifficulty": "0x20000",
         "currentGasLimit": "0x989680", "currentNumber": "0x5", "currentTimestamp": "0x3e8", "blockHashes": {}},
 "txs": [{"nonce": "0x0", "gas": "0x186a0", "gasPrice": "0x10", "to": "0x000000000000000000000000000000000000c000",
          "value": "0x0", "input": "0x", "v": "0x0", "r": "0x0", "s": "0x0",
          "secretKey": "0x0000000000000000000000000000000000000000000000000000000000000001"}]}
END
input=$work/hash.json refuse "a block hash that is missing" 4 "getHash(0) invoked, blockhash for that block not provided" \
    t8n "${stdin[@]}" "${stdout[@]}" --state.fork Berlin
sed 's/"blockHashes": {}/"x": 0/' "$work/hash.json" > "$work/no_hashes.json"
input=$work/no_hashes.json refuse "no block hashes at all" 4 "no blockhashes provided" t8n "${stdin[@]}" "${stdout[@]}" \
    --state.fork Berlin
# A block that cannot be valid: Prague without its system contracts.
zero=0x0000000000000000000000000000000000000000000000000000000000000000
sed 's/"currentDifficulty": "0x20000"/"currentRandom": "0x1", "currentBaseFee": "0x7", "withdrawals": []/
    s/"blockHashes"/"parentBeaconBlockRoot": "'$zero'", "blockHashes"/; s/600040/00/' "$work/hash.json" > "$work/prague.json"
input=$work/prague.json refuse "a block without its system contracts" 2 "system contract" t8n "${stdin[@]}" "${stdout[@]}" \
    --state.fork Prague

# ---- geth's own cases

# Lines in order of their text: JSON values where the order of keys may differ.
normal() { sed -E 's/^ +//; s/ +:/:/; s/,$//' | sort; }

geth_case() { # tool folder inputs fork reward outputs code expected
    local tool=$1 folder=$2 inputs=$3 fork=$4 outputs=$6 code=${7%%(*} wanted=$8 arguments=() flags='' kind part
    local at=$cases/$folder
    case $inputs in *'; flags:'*) flags=${inputs#*; flags:} inputs=${inputs%%; flags:*} ;; esac
    for part in ${inputs//;/ }; do
        case ${part%%=*} in
        Env) kind=header ;; OmmersRlp) kind=ommers ;; TxsRlp) kind=txs ;; Withdrawals) kind=withdrawals ;;
        Clique) kind=clique ;; *) kind=${part%%=*} ;;
        esac
        if [ "$kind" = clique ]; then kind=seal.clique; else kind=input.$kind; fi
        arguments+=("--$kind=$at/${part#*=}")
    done
    [ "$fork" = - ] || arguments+=("--state.fork=$fork")
    case $tool in
    t8n) for part in alloc result body; do
        case $outputs in *$part*) arguments+=("--output.$part=stdout") ;; *) arguments+=("--output.$part=") ;; esac
    done ;;
    b11r) arguments+=(--output.block=stdout) ;;
    esac
    # shellcheck disable=SC2086 # switches
    run "$tool" "${arguments[@]}" --output.basedir="$work/geth-$folder" $flags
}

cases=$vectors/geth-testdata/cmd/evm/testdata
if [ -f "$cases/t8n-args.tsv" ]; then
    while IFS=$'\t' read -r tool folder inputs fork reward outputs code wanted; do
        case $tool in '#'*) continue ;; esac
        name="geth's case: $tool $folder $fork $wanted"
        if [ "$tool" = t9n ]; then
            run t9n --input.txs="$cases/$folder/${inputs#txs=}" --state.fork="$fork"
        else
            geth_case "$tool" "$folder" "$inputs" "$fork" "$reward" "$outputs" "$code" "$wanted"
        fi
        expect "$name: exit status" "${code%%(*}" "$status"
        case $wanted in
        -) ;;
        trace*) for file in "$cases/$folder"/trace-*; do
            expect "$name: line for line" "" "$(diff "$file" "$work/geth-$folder/$(basename "$file")" 2>&1 | head -n 5)"
        done ;;
        *) expect "$name" "" "$(diff <(normal < "$cases/$folder/$wanted") <(normal <<< "$out") | head -n 10)" ;;
        esac
    done < "$cases/t8n-args.tsv"
else
    skip "geth's cases of t8n, t9n and b11r" "no geth-testdata in $vectors"
fi

# ---- t9n and b11r besides

echo '{"txsRlp": '"$(cat "$work/a/b/txs.rlp")"'}' > "$work/t9n.json"
input=$work/t9n.json run t9n --input.txs stdin --state.fork London
expect "t9n: sender, hash and intrinsic gas of each" "3 3 3" \
    "$(field address "$work/out" | wc -l) $(field hash "$work/out" | wc -l) $(field intrinsicGas "$work/out" | wc -l)"
expect "t9n: the hashes are the receipts'" "$(field transactionHash "$samples/London.out.json" | sort -u)" \
    "$(field hash "$work/out" | sort -u)"
input=$work/t9n.json run transaction --input.txs stdin --state.fork Istanbul
expect "t9n: an older fork does not know new types" true \
    "$(grep -q '"error": "transaction type not supported"' "$work/out" && echo true)"
input=$work/t9n.json run t9n --input.txs stdin --state.fork London --state.chainid 5
expect "t9n: another chain" true "$(grep -q 'invalid chain id for signer: have 1 want 5' "$work/out" && echo true)"
refuse "t9n: JSON transactions" 11 "only rlp supported" t9n --input.txs "$work/txs.json"

echo '{"header": {"stateRoot": "'$zero'", "number": "1", "gasLimit": "0x1388", "timestamp": "0x3e8"}, "txs": ""}' \
    > "$work/b11r.json"
block=(b11r --input.header=stdin --input.txs=stdin)
input=$work/b11r.json run "${block[@]}" --output.block=stdout
expect "b11r: a block of defaults" 1 "$(grep -cE '"rlp": "0xf90[0-9a-f]+c0c0"' "$work/out")"
input=$work/b11r.json run block-builder "${block[@]:1}" --output.basedir="$work/blocks"
expect "b11r: into a file" 1 "$(grep -c '"hash"' "$work/blocks/block.json")"
sed 's/"stateRoot"/"x"/' "$work/b11r.json" > "$work/b11r_bad.json"
input=$work/b11r_bad.json refuse "b11r: a header without a root" 10 "missing required field 'stateRoot'" "${block[@]}"
sed 's/"txs": ""/"txs": "0xc3820102"/' "$work/b11r.json" > "$work/b11r_bad.json"
input=$work/b11r_bad.json refuse "b11r: a transaction that is none" 12 "unable to decode transaction" "${block[@]}"
sed 's/"txs": ""/"txs": "", "ommers": ["0xc0"]/' "$work/b11r.json" > "$work/b11r_bad.json"
input=$work/b11r_bad.json refuse "b11r: an ommer that is none" 12 "unable to decode ommer" "${block[@]}" \
    --input.ommers=stdin
