#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: docs/examples/node.sh [CEVM]
#
# From nothing to a failing step: starts a development node, deploys the token of this folder, transfers more than there is,
# and asks where and why that went wrong. Takes curl.
set -eu
cevm=${1:-build/cevm}
here=$(dirname "$0")
log=$(mktemp)
"$cevm" node --port 0 > "$log" 2>&1 &
node=$!
trap 'kill "$node" 2> /dev/null; wait "$node"; rm -f "$log"' EXIT
url=
for _ in $(seq 100); do
    url=$(sed -n 's/^Listening on \(http[^ ]*\).*/\1/p' "$log")
    [ -n "$url" ] && break
    sleep 0.05
done
[ -n "$url" ] || { cat "$log" >&2; exit 1; }

rpc() { # method, parameters
    curl -sS -d "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"$1\",\"params\":[$2]}" "$url"
    echo
}
result() { sed -n 's/.*"result":"\(0x[0-9a-f]*\)".*/\1/p'; }

me=0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266
code=$(sed -n '/"bytecode"/,/}/s/.*"object": *"\([0-9a-f]*\)".*/\1/p' "$here/erc20.json" | head -n 1)
echo '$ deploy the token'
deployed=$(rpc eth_sendTransaction "{\"from\":\"$me\",\"data\":\"0x$code\"}" | result)
token=$(rpc eth_getTransactionReceipt "\"$deployed\"" | sed -n 's/.*"contractAddress":"\(0x[0-9a-f]*\)".*/\1/p')
echo "$token"

echo '$ transfer 2^255 of it'
transfer=0xa9059cbb0000000000000000000000000000000000000000000000000000000000000b0b80
transfer=$transfer$(printf '%062d' 0)
failed=$(rpc eth_sendTransaction "{\"from\":\"$me\",\"to\":\"$token\",\"data\":\"$transfer\",\"gas\":\"0x30d40\"}" | result)
echo "$failed"

echo '$ where did it go wrong?'
rpc debug_traceTransaction "\"$failed\",{\"tracer\":\"failureTracer\"}"

sleep 0.3
echo '$ what the node said'
sed -n '/^Listening/,$p' "$log"
