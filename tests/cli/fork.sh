#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The state of a chain elsewhere: `cevm run --fork-url` and `cevm node --fork-url` over another node of our own, what they
# record, and the same without anybody to ask.
. "$(dirname "$0")/cli.inc"

nodes=''
stop() { for node in $nodes; do kill "$node" 2> /dev/null && wait "$node" 2> /dev/null; done; }
trap 'stop; rm -rf "$work"; echo "1..$tap_count"' EXIT
cache=$work/chain.cache

# contains NAME TEXT GOT
contains() {
    if grep -qF -- "$2" <<< "$3"; then check "$1" ""; else check "$1" "wanted in it: $2
got: ${3:0:600}"; fi
}

# start ARGUMENTS: a node; its URL in $url.
start() {
    local log i
    log=$work/node.$(wc -w <<< "$nodes")
    "$cevm" node --port 0 --accounts 2 "$@" > "$log" 2>&1 &
    nodes="$nodes $!"
    for ((i = 0; i < 250; i++)); do
        url=$(grep -oE 'http://127\.0\.0\.1:[0-9]+' "$log" | head -n 1)
        [ -n "$url" ] && return
        sleep 0.02
    done
    cat "$log" >&2
}

# rpc URL METHOD PARAMS: the result, or the message of the error.
rpc() {
    curl -s --max-time 30 -H 'content-type: application/json' -d "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"$2\",\"params\":$3}" "$1" |
        sed -E 's/^\{"jsonrpc":"2\.0","id":1,"(result|error)"://; s/\}$//; s/^"(.*)"$/\1/'
}

run() {
    out=$("$cevm" run "$@" 2> "$work/err" < /dev/null)
    err=$(cat "$work/err")
}

# A contract that returns what slot 1 holds, plus the balance of the address in slot 2.
token=0x00000000000000000000000000000000000000c0
rich=0x00000000000000000000000000000000000000c1
answer=0x0000000000000000000000000000000000000000000000000000000000000107
start --chain-id 77
chain=$url
rpc "$chain" anvil_setCode "[\"$token\",\"0x600154600254310160005260206000f3\"]" > "$work/set"
rpc "$chain" anvil_setStorageAt "[\"$token\",\"0x1\",\"0x0000000000000000000000000000000000000000000000000000000000000007\"]" >> "$work/set"
rpc "$chain" anvil_setStorageAt "[\"$token\",\"0x2\",\"0x000000000000000000000000${rich#0x}\"]" >> "$work/set"
rpc "$chain" anvil_setBalance "[\"$rich\",\"0x100\"]" >> "$work/set"
rpc "$chain" evm_mine '[]' > /dev/null
rpc "$chain" evm_mine '[]' > /dev/null
expect "the chain elsewhere" "$answer" "$(rpc "$chain" eth_call "[{\"to\":\"$token\"},\"latest\"]")"

# ---- run

run --fork-url "$chain" --receiver $token --fork-cache "$cache"
expect "run: a contract of the chain" "$answer" "$out"
run --fork-url "$chain" --fork-block-number 0 --receiver $token
expect "run: before it was there" "0x" "$out"
run --fork-url "$chain" 0x73${rich#0x}316000524660205260406000f3
expect "run: code of one's own over its state, and its chain id" \
    "0x0000000000000000000000000000000000000000000000000000000000000100000000000000000000000000000000000000000000000000000000000000004d" "$out"
recorded=$(wc -c < "$cache")
run --offline --receiver $token --fork-cache "$cache"
expect "run: offline, the same" "$answer" "$out"
expect "run: offline changes nothing" "$recorded" "$(wc -c < "$cache")"
run --offline --fork-cache "$cache" --receiver $token --sender $rich 0x6003545000
contains "run: offline, what is missing is named" "does not have slot 0x3 of 0x00000000000000000000000000000000000000C0 (block 2, chain 77)" "$err"
run --offline --fork-cache "$cache" --fork-block-number 9 --receiver $token
contains "run: offline, a block that was not recorded" "has nothing of block 9" "$err"
run --offline --receiver $token
contains "run: offline takes a file" "--offline takes --fork-cache FILE" "$err"
run --fork-url http://127.0.0.1:1/secret --receiver $token
contains "run: nobody there" "127.0.0.1:1: Couldn't connect to server" "$err"
expect "… and the rest of the URL is not shown" "" "$(grep -o secret <<< "$err")"
run --fork-url "$chain" --prestate "$work/none" --receiver $token
contains "run: one state or the other" "--fork-url does not go with --prestate" "$err"

# ---- node

start --fork-url "$chain" --fork-cache "$cache"
fork=$url
expect "node: begins where the chain is" "0x2 0x4d" "$(rpc "$fork" eth_blockNumber '[]') $(rpc "$fork" eth_chainId '[]')"
for block in '"latest"' '"0x1"' '"earliest"'; do
    expect "node: block $block is the chain's" "$(rpc "$chain" eth_getBlockByNumber "[$block,false]")" \
        "$(rpc "$fork" eth_getBlockByNumber "[$block,false]")"
done
expect "node: calls over its state" "$answer" "$(rpc "$fork" eth_call "[{\"to\":\"$token\"},\"latest\"]")"
rpc "$fork" anvil_setBalance "[\"$rich\",\"0x200\"]" > /dev/null
changed=${answer/107/207}
expect "node: changes are its own" "$changed $answer" \
    "$(rpc "$fork" eth_call "[{\"to\":\"$token\"},\"latest\"]") $(rpc "$chain" eth_call "[{\"to\":\"$token\"},\"latest\"]")"
from=$(rpc "$fork" eth_accounts '[]' | grep -oE '0x[0-9a-fA-F]{40}' | head -n 1)
hash=$(rpc "$fork" eth_sendTransaction "[{\"from\":\"$from\",\"to\":\"$rich\",\"value\":\"0x5\"}]")
contains "node: a transaction is mined on it" '"blockNumber":"0x3"' "$(rpc "$fork" eth_getTransactionReceipt "[\"$hash\"]")"
expect "node: … and seen" "0x205 0x3" "$(rpc "$fork" eth_getBalance "[\"$rich\",\"latest\"]") $(rpc "$fork" eth_blockNumber '[]')"

start --offline --fork-cache "$cache"
offline=$url
expect "node: offline, the same" "$answer 0x2" \
    "$(rpc "$offline" eth_call "[{\"to\":\"$token\"},\"latest\"]") $(rpc "$offline" eth_blockNumber '[]')"
contains "node: offline, what is missing is named" "does not have account 0x00000000000000000000000000000000000000ff (block 2, chain 77)" \
    "$(rpc "$offline" eth_getBalance '["0x00000000000000000000000000000000000000ff","latest"]')"
# With a folder: after kill -9 the fork goes on where it was, at the same block though the chain has gone on, and offline too.
start --fork-url "$chain" --data-dir "$work/data"
kept=$url
rpc "$kept" eth_sendTransaction "[{\"from\":\"$from\",\"to\":\"$rich\",\"value\":\"0x5\"}]" > /dev/null
rpc "$kept" anvil_setStorageAt "[\"$token\",\"0x1\",\"0x0000000000000000000000000000000000000000000000000000000000000008\"]" > /dev/null
said() {
    rpc "$1" eth_getBlockByNumber '["latest",true]'
    rpc "$1" eth_getBlockByNumber '["0x2",false]'
    rpc "$1" eth_call "[{\"to\":\"$token\"},\"latest\"]"
    rpc "$1" eth_call "[{\"to\":\"$token\"},\"0x2\"]"
    rpc "$1" eth_getTransactionCount "[\"$from\",\"latest\"]"
}
before=$(said "$kept")
contains "data-dir of a fork: changed and mined" "0x000000000000000000000000000000000000000000000000000000000000010d" "$before"
kill -9 "${nodes##* }"
wait "${nodes##* }" 2> /dev/null
rpc "$chain" evm_mine '[]' > /dev/null
start --fork-url "$chain" --data-dir "$work/data"
expect "… the same after kill -9" "$before" "$(said "$url")"
rpc "$url" eth_sendTransaction "[{\"from\":\"$from\",\"to\":\"$rich\",\"value\":\"0x5\"}]" > /dev/null
expect "… and it goes on" "0x4" "$(rpc "$url" eth_blockNumber '[]')"
before=$(said "$url")
kill "${nodes##* }"
wait "${nodes##* }"
start --offline --data-dir "$work/data"
# The first block, whose body is the chain's, cannot be asked for there.
expect "… offline with what was read" "$(sed 2d <<< "$before")" "$(said "$url" | sed 2d)"
kill "${nodes##* }"
wait "${nodes##* }"
contains "… not without the chain" "holds a fork of chain 77 at block 2: --fork-url says where" \
    "$("$cevm" node --port 0 --data-dir "$work/data" 2>&1)"
contains "… nor at another block" "holds a fork at block 2, not 1" \
    "$("$cevm" node --port 0 --fork-url "$chain" --fork-block-number 1 --data-dir "$work/data" 2>&1)"
contains "… nor read as a whole state" "holds a fork of a remote chain" "$("$cevm" db verify --data-dir "$work/data" 2>&1)"
contains "… by run neither" "holds a fork of a remote chain" "$("$cevm" run --data-dir "$work/data" 00 2>&1)"
start --chain-id 77
rpc "$url" evm_mine '[]' > /dev/null
rpc "$url" evm_mine '[]' > /dev/null
contains "… nor over a chain with another block there" "the remote chain has another block there" \
    "$("$cevm" node --port 0 --fork-url "$url" --data-dir "$work/data" 2>&1)"
"$cevm" db init --data-dir "$work/own" > /dev/null
contains "a folder with a chain of its own" "fork needs another folder" "$(
    "$cevm" node --port 0 --quiet --data-dir "$work/own" > "$work/own.log" 2>&1 & own=$!
    sleep 0.5
    kill $own && wait $own
    "$cevm" node --port 0 --fork-url "$chain" --data-dir "$work/own" 2>&1
)"
contains "node: nobody there" "127.0.0.1:1: Couldn't connect to server" \
    "$("$cevm" node --port 0 --fork-url http://127.0.0.1:1 2>&1)"
contains "node: a fork and a genesis do not go together" "takes no genesis" \
    "$("$cevm" node --port 0 --fork-url "$chain" --init "$work/none" 2>&1)"
