#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `cevm node` from its command line: what it shows, what it refuses, how it ends, and that state goes to files and back.
. "$(dirname "$0")/cli.inc"

node=''
stop() { [ -n "$node" ] && kill "$node" 2> /dev/null && wait "$node" 2> /dev/null; }
trap 'stop; rm -rf "$work"; echo "1..$tap_count"' EXIT

start() { # ARGUMENTS: a node on a free port, its number in $node, its address in $url, its output in $work/log
    : > "$work/log" # not the last one's
    "$cevm" node --port 0 "$@" >> "$work/log" 2> "$work/errors" &
    node=$!
    url=''
    for ((i = 0; i < 500; i++)); do
        url=$(sed -n 's|.*\(http://[0-9.]*:[0-9]*\).*|\1|p' "$work/log" | head -n 1)
        [ -n "$url" ] && return
        sleep 0.02
    done
}

finish() { # leaves status
    kill -TERM "$node"
    wait "$node"
    status=$?
    node=''
}

call() { # METHOD PARAMS: the result, or the error's code
    curl -s --max-time 20 -d "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"$1\",\"params\":[${2:-}]}" "$url" |
        sed -E 's/.*"result":(.*)\}$/\1/; s/.*"code":(-?[0-9]+).*/\1/'
}

send() { # FROM TO VALUE
    call eth_sendTransaction "{\"from\":\"$1\",\"to\":\"$2\",\"value\":\"$3\"}"
}

first=0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266
second=0x70997970C51812dc3A010C7d01b50e0d17dc79C8

# ---- What it shows

"$cevm" node --help > "$work/help"
expect "--help ends well" 0 $?
expect "--help fits 80 columns" "" "$(awk 'length > 80' "$work/help")"
expect "--methods lists the table" "$(grep -c '^METHOD(' rpc/methods.def) methods" "$("$cevm" node --methods | tail -n 1)"

start
expect "the banner fits 80 columns" "" "$(awk 'length > 80' "$work/log")"
expect "… names the accounts of the usual mnemonic" 1 "$(grep -c "$first" "$work/log")"
expect "… and their keys" 1 "$(grep -c 0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80 "$work/log")"
expect "the chain id" '"0x7a69"' "$(call eth_chainId)"
expect "a balance" '"0x21e19e0c9bab2400000"' "$(call eth_getBalance "\"$first\"")"
send $first $second 0x1 > /dev/null
expect "a transaction is mined at once" '"0x1"' "$(call eth_blockNumber)"
call eth_getBalance '"0x1"' > /dev/null
sleep 0.2
expect "the log has a line for the request" 1 "$(grep -c '^eth_sendTransaction  [0-9.]* ms$' "$work/log")"
expect "… the transaction" 1 "$(grep -c '^  tx 0x[0-9a-f.…]*  0xf39F.*2266 .*> *0x7099.*79C8  gas 21,000  ok$\|^  tx 0x.*→ 0x7099.*gas 21,000  ok$' "$work/log")"
expect "… the block" 1 "$(grep -c '^  block 1  0x.*  1 transaction  gas 21,000$' "$work/log")"
expect "… and an error" 1 "$(grep -c '^eth_getBalance  .*error -32602: .*address' "$work/log")"
expect "polling is not shown" 0 "$(grep -c 'eth_blockNumber' "$work/log")"
expect "no colours in a file" 0 "$(grep -c $'\x1b' "$work/log")"
finish
expect "SIGTERM ends it well" 0 $status
expect "nothing on standard error" "" "$(cat "$work/errors")"

start --json
send $first $second 0x1 > /dev/null
finish
expect "--json: lines of JSON" "listening transaction block request " "$(python3 -c '
import json, sys
for line in open(sys.argv[1]):
    print(json.loads(line)["event"], end=" ")' "$work/log" 2>&1 | tr ' ' '\n' | awk '
    { seen[$0] = 1 } END { n = split("listening transaction block request", order, " ")
    for (i = 1; i <= n; i++) if (order[i] in seen) printf "%s ", order[i] }')"

start --quiet
send $first $second 0x1 > /dev/null
finish
expect "--quiet: one line" 1 "$(wc -l < "$work/log")"

# ---- Options

start --quiet --chain-id 5 --accounts 2 --balance 7 --gas-limit 1000000 --timestamp 1000 --hardfork London --block-base-fee-per-gas 17
expect "--chain-id" '"0x5"' "$(call eth_chainId)"
expect "--accounts" 2 "$(call eth_accounts | grep -o 0x | wc -l)"
expect "--balance" '"0x6124fee993bc0000"' "$(call eth_getBalance "\"$first\"")"
block=$(call eth_getBlockByNumber '"latest",false')
expect "--gas-limit, --timestamp, --block-base-fee-per-gas" '"0xf4240" "0x3e8" "0x11" ' \
    "$(for key in gasLimit timestamp baseFeePerGas; do printf '%s' "$block" | sed -E "s/.*\"$key\":(\"[^\"]*\").*/\1 /"; done | tr -d '\n')"
expect "--hardfork: no withdrawals before Shanghai" 0 "$(grep -c withdrawalsRoot <<< "$block")"
finish

# The blob parameters of EIP-7691 and of the forks of EIP-7892, as mainnet has them (target max fraction).
for fork in 'Prague 6 9 5007716' 'osaka 6 9 5007716' 'bpo1 10 15 8346193' 'BPO2 14 21 11684671' 'latest 14 21 11684671'; do
    start --quiet --hardfork "${fork%% *}"
    expect "--hardfork ${fork%% *}: the blob schedule" "${fork#* }" "$(call eth_config |
        sed -E 's/.*"current":.*"baseFeeUpdateFraction":([0-9]+),"max":([0-9]+),"target":([0-9]+).*"next".*/\3 \2 \1/')"
    finish
done

start --quiet --timestamp 4611686018427387904
send $first $second 0x1 > /dev/null
expect "--timestamp 2^62: there is time for a block after it" '"0x4000000000000001"' \
    "$(call eth_getBlockByNumber '"latest",false' | sed -E 's/.*"timestamp":("[^"]*").*/\1/')"
finish

start --quiet --no-mining
send $first $second 0x1 > /dev/null
expect "--no-mining: transactions wait" '"0x0"' "$(call eth_blockNumber)"
call evm_mine > /dev/null
expect "… for evm_mine" '"0x1"' "$(call eth_blockNumber)"
finish

start --quiet --block-time 0.1
sleep 0.6
number=$(call eth_blockNumber)
expect "--block-time: blocks by the clock" yes "$([ $((${number//\"/})) -ge 2 ] && echo yes || echo "$number")"
finish

refused() { # NAME TEXT ARGUMENTS
    local name=$1 text=$2 said
    shift 2
    said=$("$cevm" node "$@" 2>&1)
    expect "$name" "2 yes" "$? $(grep -q -- "$text" <<< "$said" && echo yes || echo "$said")"
}
refused "a fork with a typo" 'did you mean Osaka' --hardfork Ossaka
refused "a fork of blob parameters that is none" 'not "bpo3"' --hardfork bpo3
for time in 4611686018427387905 18446744073709551615; do
    refused "no time for blocks after $time" 'from 0 to 4611686018427387904' --timestamp $time
done
refused "a timestamp beyond 64 bits" 'below 2^64, not "18446744073709551616"' --timestamp 18446744073709551616
refused "no gas at all" 'from 1 to 9223372036854775807' --gas-limit 0
refused "chain 0" 'from 1 to' --chain-id 0
refused "an unknown option" 'did you mean --accounts' --acounts 3
refused "a port that is none" 'from 0 to 65535' --port 65536
refused "a fork that is none" 'cevm version lists' --hardfork Moon
refused "a block time that is none" 'seconds' --block-time never
refused "an order that is none" 'fees or fifo' --order random
refused "a history that is too short" '257 blocks or more' --history 5
refused "an argument" 'is no option' chain
refused "--fork-block-number alone" '--fork-block-number wants --fork-url too' --fork-block-number 5
refused "--fork-cache alone" '--fork-cache wants --fork-url too' --fork-cache "$work/none"
refused "a block behind the URL and beside it" 'given twice' --fork-url http://127.0.0.1:1@5 --fork-block-number 6
refused "--offline alone" '--offline wants --fork-cache FILE' --offline
refused "--no-sync alone" '--no-sync wants --data-dir too' --no-sync
refused "--no-mining by the clock" 'do not go together' --no-mining --block-time 1
refused "an origin that is none" 'origins such as http' --cors-origins localhost

"$cevm" node --port 0 --mnemonic "test junk" > "$work/log" 2>&1
expect "a mnemonic of two words" "1 1" "$? $(grep -c '12, 15, 18' "$work/log")"
"$cevm" node --port 0 --host nowhere > "$work/log" 2>&1
expect "a host that is no address" 1 $?
"$cevm" node --port 0 --genesis "$work/nothing.json" > "$work/log" 2>&1
expect "a genesis file that is not there" 1 $?
"$cevm" node --port 0 --artifacts "$work/nothing" > "$work/log" 2>&1
expect "a folder of artifacts that is not there" "1 1" "$? $(grep -c 'No such file' "$work/log")"

# ---- State in files

start --quiet --state "$work/state"
send $first $second 0x10 > /dev/null
finish
expect "--state is written at the end" "0 yes" "$status $([ -s "$work/state" ] && echo yes)"
start --quiet --state "$work/state"
expect "… and read at the start" '"0x21e19e0c9bab2400010"' "$(call eth_getBalance "\"$second\"")"
finish
start --quiet --load-state "$work/state" --dump-state "$work/other"
expect "--load-state" '"0x21e19e0c9bab2400010"' "$(call eth_getBalance "\"$second\"")"
finish
expect "--dump-state" yes "$([ -s "$work/other" ] && echo yes)"
start --quiet --dump-state "$work/twice"
kill -INT "$node" 2> /dev/null
kill -TERM "$node" 2> /dev/null # as a terminal and what started it do together
finish
expect "… for all that the signal comes again" "0 yes" "$status $([ -s "$work/twice" ] && echo yes)"
"$cevm" node --port 0 --dump-state "$work/nowhere/state" > "$work/log" 2>&1
expect "a state that could not be written is told at the start" "1 1" "$? $(grep -c 'No such file' "$work/log")"
# What anvil wrote, plain and packed: an account of it, and its head.
gzip -c tests/cli/anvil-state.json > "$work/anvil.gz"
balance=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["accounts"][sys.argv[2].lower()]["balance"])' \
    tests/cli/anvil-state.json "$first")
for file in tests/cli/anvil-state.json "$work/anvil.gz"; do
    start --quiet --load-state "$file"
    expect "a state of anvil's: $(basename "$file")" "\"$balance\" \"0x2\"" "$(call eth_getBalance "\"$first\"") $(call eth_blockNumber)"
    finish
done
start --quiet
expect "anvil_loadState: packed, as anvil_dumpState of anvil gives it" "true \"$balance\"" \
    "$(call anvil_loadState "\"0x$(od -An -v -tx1 "$work/anvil.gz" | tr -d ' \n')\"") $(call eth_getBalance "\"$first\"")"
finish
head -c 500 "$work/anvil.gz" > "$work/cut.gz"
"$cevm" node --port 0 --load-state "$work/cut.gz" > "$work/log" 2>&1
expect "a packed state that is cut short" "1 1" "$? $(grep -c 'cut.gz: .* cannot be unpacked' "$work/log")"
head -c 300000000 /dev/zero | gzip -1 > "$work/zeros.gz"
start --quiet --max-request-mib 8
printf '{"jsonrpc":"2.0","id":1,"method":"anvil_loadState","params":["0x%s"]}' \
    "$(od -An -v -tx1 "$work/zeros.gz" | tr -d ' \n')" > "$work/request"
expect "a packed state that unpacks to too much" "-32005" \
    "$(curl -s --max-time 20 -d "@$work/request" "$url" | sed -E 's/.*"code":(-?[0-9]+).*/\1/')"
expect "… and the node has not grown by it" yes \
    "$([ "$(sed -n 's/^VmHWM:[[:blank:]]*\([0-9]*\) kB/\1/p' "/proc/$node/status")" -lt 80000 ] && echo yes)"
finish
echo nonsense > "$work/bad"
"$cevm" node --port 0 --load-state "$work/bad" > "$work/log" 2>&1
expect "a state that is none" 1 $?
"$cevm" node --port 0 --load-state "$work" > "$work/log" 2>&1
expect "a folder is no state" "1 1" "$? $(grep -c 'Is a directory' "$work/log")"
start --quiet --dump-state "$work/hangup"
kill -HUP "$node"
wait "$node"
expect "a closed terminal ends it with its state written" "0 yes" "$? $([ -s "$work/hangup" ] && echo yes)"
node=''
(
    trap '' HUP
    exec "$cevm" node --port 0 --quiet > "$work/log"
) &
node=$!
for ((i = 0; i < 500; i++)); do grep -q Listening "$work/log" && break || sleep 0.02; done
kill -HUP "$node"
sleep 0.1
finish
expect "… but not under nohup" 0 "$status"
start --quiet --data-dir "$work/chain" --chain-id 9 --hardfork London
finish
start --quiet --data-dir "$work/chain" --chain-id 9 --hardfork London
expect "--data-dir: the same command line goes on" '"0x9"' "$(call eth_chainId)"
finish
for other in '--chain-id 5:chain 9, not 5' '--hardfork Paris:rules of London, not Paris' \
    '--genesis ethereum-tests/chain-samples/genesis.json:begins with another block than'; do
    # shellcheck disable=SC2086 # an option and its value
    "$cevm" node --port 0 --data-dir "$work/chain" ${other%%:*} > "$work/log" 2>&1
    expect "… with another ${other%% *} it does not" "1 1" "$? $(grep -c "data-dir: it holds .*${other#*:}" "$work/log")"
done
start --quiet --retries 5 --no-rate-limit --threads 4 --no-storage-caching --memory-limit 1000000
expect "anvil's options for its own caches are taken" '"0x7a69"' "$(call eth_chainId)"
finish
start --artifacts "$work/bad"
expect "artifacts without an ABI: a warning" 1 "$(grep -c 'there is no ABI here' "$work/errors")"
finish

# ---- IPC

start --quiet --ipc "$work/node.ipc"
expect "--ipc answers" '{"jsonrpc":"2.0","id":1,"result":"0x7a69"}' "$(python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(b"{\"id\":1,\"method\":\"eth_chainId\"}")
print(s.makefile().readline(), end="")' "$work/node.ipc")"
finish
expect "… and its socket goes with it" no "$([ -e "$work/node.ipc" ] && echo yes || echo no)"
