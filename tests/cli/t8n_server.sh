#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `cevm t8n-server` as the executable specification's daemon is driven: requests one by one and at once, requests that are
# wrong, an end in good order.
. "$(dirname "$0")/cli.inc"

samples=$PWD/tests/cli/t8n
server=''
stop() { [ -n "$server" ] && kill "$server" 2> /dev/null && wait "$server" 2> /dev/null; }
trap 'stop; rm -rf "$work"; echo "1..$tap_count"' EXIT
socket=$work/t8n.sock

# start ARGUMENTS: a server, its number in $server, its output in $work/log.
start() {
    "$cevm" t8n-server "$@" > "$work/log" 2>&1 &
    server=$!
}

wait_for() { # condition
    local i
    for ((i = 0; i < 500; i++)); do
        eval "$1" && return
        sleep 0.02
    done
}

# post BODY-FILE [CURL-ARGUMENTS]: leaves status and out.
post() {
    local body=$1
    shift
    status=$(curl -s --max-time 60 --unix-socket "$socket" -o "$work/out" -w '%{http_code}' --data-binary @"$body" "$@" \
        "${url:-http://localhost/}")
    out=$(cat "$work/out" 2> /dev/null)
}

# request FORK REWARD [MORE]: a sample as a request.
request() {
    printf '{"state": {"fork": "%s", "chainid": 1, "reward": %s}, "input": %s%s}' "$1" "$2" \
        "$(cat "$samples/$1.json")" "${3:-}"
}

# What is compared, without blanks: the sample's answer, and the server's.
roots() { tr -d ' \n' | grep -oE '"(stateRoot|txRoot|receiptsRoot|gasUsed|body|requestsHash|withdrawalsRoot)":"[^"]*"' | sort; }

start --uds "$socket" --jobs 3
wait_for '[ -S "$socket" ]'
expect "the socket is for this user alone" 600 "$(stat -c %a "$socket")"

while read -r fork reward; do
    request "$fork" "$reward" > "$work/$fork.json"
    post "$work/$fork.json"
    expect "$fork: status" 200 "$status"
    expect "$fork: what t8n answers" "$(roots < "$samples/$fork.out.json")" "$(roots <<< "$out")"
done << 'END'
Frontier 5000000000000000000
EIP158 -1
London -1
Shanghai 0
Prague 0
BPO1 0
END

# ---- Many at once

clients=()
for i in 1 2 3 4 5 6 7 8; do
    for fork in London Prague BPO1; do
        curl -s --max-time 60 --unix-socket "$socket" -o "$work/many.$i.$fork" --data-binary @"$work/$fork.json" \
            http://localhost/ &
        clients+=($!)
    done
done
wait "${clients[@]}"
for fork in London Prague BPO1; do
    expect "eight at once, $fork" "$(for ((i = 0; i < 8; i++)); do roots < "$samples/$fork.out.json"; done | sort)" \
        "$(for ((i = 1; i < 9; i++)); do roots < "$work/many.$i.$fork"; done | sort)"
done

# ---- What a request may ask besides

request Prague 0 ', "count-opcodes": true' > "$work/count.json"
post "$work/count.json"
expect "count-opcodes" true "$(grep -q '"opcodeCount":{.*"PUSH1":[0-9]' <<< "$out" && echo true)"
mkdir "$work/traces"
request Prague 0 ', "trace": true, "output-basedir": "'"$work/traces"'"' > "$work/trace.json"
post "$work/trace.json"
expect "trace: files in output-basedir" 4 "$(find "$work/traces" -name 'trace-*-0x*.jsonl' | wc -l)"
url='http://localhost/?arg=--state-test' post "$work/Prague.json"
expect "?arg=--state-test leaves requests out" true "$(grep -q '"requests":\[\]' <<< "$out" && echo true)"
sed 's/"reward": 0}/"reward": 0, "blobSchedule": {"BPO1": {"target": 1, "max": 1, "baseFeeUpdateFraction": 8346193}}}/' \
    "$work/BPO1.json" > "$work/schedule.json"
post "$work/schedule.json"
expect "a blob schedule of its own" true "$(grep -q 'would exceed maximum allowance 131072' <<< "$out" && echo true)"
sed 's/0x3373ff[0-9a-f]*"/0x"/g' "$work/Prague.json" > "$work/broken.json"
post "$work/broken.json"
expect "a block that cannot be valid is an answer" "200 true" "$status $(grep -q '"blockException":"' <<< "$out" && echo true)"

# ---- What is wrong

# refuse NAME STATUS TEXT BODY
refuse() {
    printf '%s' "$4" > "$work/body"
    post "$work/body"
    expect "$1: status" "$2" "$status"
    expect "$1: says why" true "$(grep -qF -- "$3" <<< "$out" && echo true || echo "$out")"
}
refuse "no JSON" 400 '"code":10' '{"state"'
refuse "an array" 400 'must be an object' '[]'
refuse "no fork" 400 'has no \"fork\"' '{"state": {}}'
refuse "an unknown fork" 400 '"code":3' '{"state": {"fork": "Lunch"}, "input": {"env": {"currentCoinbase":
    "0x2adc25665018aa1fe0e6bc666dac8fc2697ff9ba", "currentGasLimit": 1, "currentNumber": 1, "currentTimestamp": 1}, "txs": []}}'
refuse "no environment" 400 'has no \"env\"' '{"state": {"fork": "London"}, "input": {}}'
sed 's/"currentNumber"/"x"/' "$work/London.json" > "$work/no_number"
post "$work/no_number"
expect "an environment without a number" "400 true" "$status $(grep -q 'currentNumber' <<< "$out" && echo true)"
url='http://localhost/?arg=--nonsense' post "$work/London.json"
expect "an unknown argument" 400 "$status"
url=http://localhost/other post "$work/London.json"
expect "another path" 404 "$status"
post "$work/London.json" -X PUT
expect "another method" 405 "$status"
expect "GET" 405 "$(curl -s --unix-socket "$socket" -o /dev/null -w '%{http_code}' http://localhost/)"
post "$work/London.json"
expect "after all of that it still answers" "$(roots < "$samples/London.out.json")" "$(roots <<< "$out")"

# ---- The end

kill -TERM "$server"
wait "$server"
expect "SIGTERM: exit status" 0 "$?"
expect "SIGTERM: the socket is gone" gone "$([ -e "$socket" ] || echo gone)"

start --uds "$socket" --max-request 1
wait_for '[ -S "$socket" ]'
head -c 2000000 /dev/zero > "$work/large"
post "$work/large"
expect "a request that is too large" 413 "$status"
post "$work/large" -H 'Transfer-Encoding: chunked'
expect "one whose size is not told" 413 "$status"
"$cevm" t8n-server --uds "$socket" > "$work/second" 2>&1
expect "a second server leaves the first alone" 1 "$?"
post "$work/London.json"
expect "the first goes on" 200 "$status"
{ kill -KILL "$server" && wait "$server"; } 2> /dev/null
start --uds "$socket"
wait_for 'curl -s --unix-socket "$socket" -o /dev/null http://localhost/'
post "$work/London.json"
expect "a socket that was left behind makes room" 200 "$status"
kill -INT "$server"
wait "$server"
expect "SIGINT: exit status" 0 "$?"
touch "$work/file"
"$cevm" t8n-server --uds "$work/file" > "$work/second" 2>&1
expect "a file in the way stays" "1 file" "$? $(basename "$work/file")"

start --listen 0 --timeout 2
wait_for 'grep -q "^listening on http://127.0.0.1:" "$work/log"'
url=$(sed -n 's/^listening on //p' "$work/log")
status=$(curl -s --max-time 60 -o "$work/out" -w '%{http_code}' --data-binary @"$work/London.json" "$url")
expect "over TCP" "200 $(roots < "$samples/London.out.json")" "$status $(roots < "$work/out")"
status=$(curl -s --max-time 60 -o "$work/out" -w '%{http_code}' --data-binary @"$work/trace.json" "$url")
expect "over TCP nobody has files written" 400 "$status"
port=${url##*:}
exec 9<> "/dev/tcp/127.0.0.1/${port%/}"
printf 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n' >&9
read -r -t 20 line <&9
exec 9>&-
expect "a body that is no HTTP" 400 "$(grep -oE '400' <<< "$line" | head -n 1)"
wait "$server"
expect "--timeout ends it when nobody asks" 0 "$?"
server=''
for arguments in '' '--uds a --listen 1' '--uds x --jobs 0' '--listen 70000' '--listen 1.2.3:80' 'extra --uds x'; do
    # shellcheck disable=SC2086 # words
    timeout 10 "$cevm" t8n-server $arguments > "$work/out" 2>&1
    status=$?
    expect "wrong: t8n-server $arguments" true "$([ $status = 1 ] || [ $status = 2 ] && echo true || echo "$status")"
done
