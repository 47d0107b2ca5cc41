#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# --trace.tracer: the named tracers behind run, statetest and t8n.
. "$(dirname "$0")/cli.inc"

samples=$PWD/tests/cli/t8n
add11=$(find "$PWD/ethereum-tests/samples" -name 'add11*.json' | head -n 1)

# ---- run

run run --trace.tracer callTracer 602a60005260206000f3
expect "run: the trace is a line of JSON on standard error" 1 \
    "$(grep -cE '^\{"from":"0x[0-9a-f]{40}","gas":"0x2540be400","gasUsed":"0x12",.*"type":"CALL"\}$' <<< "$err")"
expect "run: the output stays on standard output" 0x000000000000000000000000000000000000000000000000000000000000002a "$out"

run run --trace.tracer structLog --trace.config '{"disableStack":true}' 00
expect "run: the struct log by name" \
    '{"structLogs":[{"pc":0,"op":"STOP","gas":10000000000,"depth":1,"gasCost":0}],"gas":0,"failed":false,"returnValue":"0x"}' \
    "$(head -n 1 <<< "$err")"

run run --create --trace.tracer prestateTracer --trace.config '{"diffMode":true}' 600160005560006000f3
expect "run --create: before and after" 1 "$(grep -cE '^\{"post":\{.*"storage":\{.*"pre":\{\}\}$' <<< "$err")"

run run --trace.tracer muxTracer --trace.jsonconfig '{"opcountTracer":{},"noopTracer":null}' 600050
expect "run: geth's name of --trace.config; several tracers" '{"opcountTracer":3,"noopTracer":{}}' "$(head -n 1 <<< "$err")"

run run --help
expect "run --help lists the tracers" 1 "$(grep -c '^ *prestateTracer ' <<< "$out")"
expect "run --help lists their options" 1 "$(grep -c 'diffMode disableCode disableStorage includeEmpty' <<< "$out")"

refuse "an unknown tracer" 1 'unknown tracer "callTracer2"; there are callTracer, ' \
    run --trace.tracer callTracer2 00
refuse "a tracer in JavaScript" 1 'tracers written in JavaScript are not supported; there are callTracer' \
    run --trace.tracer '{step: function() {}, result: function() {}}' 00
refuse "an unknown option" 1 'unknown option "withLogs" of callTracer; there are onlyTopCall, withLog' \
    run --trace.tracer callTracer --trace.config '{"withLogs":true}' 00
refuse "options that are no JSON" 1 'no JSON' run --trace.tracer callTracer --trace.config '{withLog' 00
refuse "options without a tracer" 1 'name it with --trace.tracer' run --trace.config '{}' 00

# ---- statetest

run statetest --trace.tracer callTracer --statetest.index 0 --statetest.fork Cancun "$add11"
expect "statetest: a trace, then the root" '1 1' \
    "$(grep -cE '^\{"from":.*"type":"CALL"\}$' <<< "$err") $(tail -n 1 <<< "$err" | grep -c stateRoot)"
expect "statetest: nothing changes" 1 "$(grep -c '"pass": true' <<< "$out")"
refuse "statetest: an unknown tracer" 2 'unknown tracer' statetest --trace.tracer x "$add11"
refuse "blocktest has none" 2 'works with run, statetest and t8n' blocktest --trace.tracer callTracer "$add11"

# ---- t8n: geth's file names

stdin=(--input.alloc=stdin --input.env=stdin --input.txs=stdin --output.result=stdout --output.alloc=)
input=$samples/Prague.json run t8n "${stdin[@]}" --state.fork Prague --output.basedir="$work/t8n" \
    --trace.tracer callTracer --trace.config '{"withLog":true}' --opcode.count count.json
expect "t8n: exit status" 0 "$status"
expect "t8n: a file for each transaction" 4 "$(find "$work/t8n" -name 'trace-[0-3]-0x*.json' | wc -l)"
included=$(grep -c '"cumulativeGasUsed"' <<< "$out")
expect "t8n: each that was executed has its trace" "$included" \
    "$(cat "$work"/t8n/trace-*.json | grep -cE '^\{"from":.*"type":"(CALL|CREATE)"')"
expect "t8n: instructions are counted beside it" true "$(grep -q PUSH1 "$work/t8n/count.json" && echo true)"
input=$samples/Prague.json run t8n "${stdin[@]}" --state.fork Prague --output.basedir="$work/flat" \
    --trace.tracer flatCallTracer
hash=$(find "$work/flat" -name 'trace-1-0x*.json' | sed 's/.*trace-1-\(0x[0-9a-f]*\).json/\1/')
[ -s "$work/flat/trace-1-$hash.json" ] &&
    expect "t8n: flatCallTracer knows where its transaction stands" true \
        "$(grep -q "\"transactionHash\":\"$hash\",\"transactionPosition\":1" "$work/flat/trace-1-$hash.json" && echo true)"
input=$samples/Prague.json refuse "t8n: an unknown tracer" 3 'failed instantiating tracer: unknown tracer "x"' \
    t8n "${stdin[@]}" --state.fork Prague --trace.tracer x
