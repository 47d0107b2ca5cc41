#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Foundry's forge and cast: script, create, send, call, run, logs, proof, access lists, at the node RPC_URL. Prints answers as
# lib.mjs does.
set -euo pipefail
export LC_ALL=C NO_COLOR=1 FOUNDRY_DISABLE_NIGHTLY_WARNING=1
here=$(cd "$(dirname "$0")" && pwd)
bin=$here/forge/node_modules/@foundry-rs
cast() { "$bin/cast-linux-amd64/bin/cast" "$@" --rpc-url "$RPC_URL"; }
forge() { FOUNDRY_SOLC=$(realpath "$here/../solc.cjs") "$bin/forge-linux-amd64/bin/forge" "$@"; }
pure() { "$bin/cast-linux-amd64/bin/cast" "$@"; }
answer() { printf '["%s",%s]\n' "$1" "$(node -e 'process.stdout.write(JSON.stringify(process.argv[1]))' -- "$2")"; }
field() { node -e 'const v = JSON.parse(require("fs").readFileSync(0))[process.argv[1]]; console.log(typeof v === "object" ? JSON.stringify(v) : v)' "$1"; }

key=0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80
me=0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266
other=0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC
cd "$here/forge"

answer chain "$(cast chain-id)"
answer balance "$(cast balance $other)"
made=$(forge create src/Counter.sol:Counter --rpc-url "$RPC_URL" --private-key $key --broadcast --json --constructor-args 3)
counter=$(field deployedTo <<< "$made")
answer 'forge create' "$counter"
answer call "$(cast call "$counter" 'value()(uint256)')"
sent=$(cast send "$counter" 'add(uint256)' 5 --private-key $key --json)
answer send "$(field status <<< "$sent") $(field gasUsed <<< "$sent") $(field type <<< "$sent")"
unlocked=$(cast send "$counter" 'add(uint256)' 6 --from $me --unlocked --json)
answer 'send unlocked' "$(field status <<< "$unlocked") $(field gasUsed <<< "$unlocked")"
answer 'called again' "$(cast call "$counter" 'value()(uint256)')"
answer 'call reverts' "$(cast call "$counter" 'add(uint256)' 101 2>&1 | grep -o 'data: "0x[0-9a-f]*"' | tr -d '"' | head -n 1)"
answer 'send reverts' "$(cast send "$counter" 'add(uint256)' 102 --private-key $key 2>&1 | grep -c 'revert')"
answer estimate "$([ "$(cast estimate "$counter" 'add(uint256)' 5)" -gt 27000 ] && echo enough)"
answer logs "$(cast logs --address "$counter" --from-block 0 'Counted(address indexed,uint256)' --json | node -e \
    'console.log(JSON.stringify(JSON.parse(require("fs").readFileSync(0)).map((l) => [l.topics, l.data])))')"
answer storage "$(cast storage "$counter" 0)"
answer proof "$(cast proof "$counter" 0 | node -e \
    'const p = JSON.parse(require("fs").readFileSync(0)); console.log(p.codeHash, p.storageProof[0].value, p.accountProof.length > 0)')"
answer 'access list' "$(cast access-list "$counter" 'add(uint256)' 5 2>&1 | grep -o '0x[0-9a-f]\{64\}' | head -n 1)"
hash=$(field transactionHash <<< "$sent")
answer run "$(cast run "$hash" 2>&1 | grep -c 'Counter\|Transaction successfully executed\|Gas used')"
answer trace "$(cast trace "$hash" | node -e 'const [t] = JSON.parse(require("fs").readFileSync(0)); delete t.action.gas;
    console.log(JSON.stringify([t.action, t.result, t.subtraces, t.traceAddress, t.type]))')"
answer receipt "$(cast receipt "$hash" gasUsed)"
answer 'transaction' "$(cast tx "$hash" input)"
answer nonce "$(cast nonce $me)"
answer code "$(pure keccak "$(cast code "$counter")")"
answer block "$(cast block latest --field number)"
answer 'raw transaction' "$(cast publish "$(cast mktx $other --value 9 --private-key $key)" --json | node -e 'console.log(JSON.parse(require("fs").readFileSync(0)).status)')"
answer 'cast rpc' "$(cast rpc eth_getBalance $other latest)"
state=$(cast rpc anvil_dumpState | tr -d '"')
cast rpc anvil_setBalance $other 0x5 > /dev/null
answer 'loads what it dumped' "$(cast rpc anvil_loadState "$state") $(cast balance $other) $(cast block latest --field number)"
answer 'blob price' "$([ -n "$(cast rpc eth_blobBaseFee)" ] && echo there)"
script=$(forge script script/Deploy.s.sol:Deploy --rpc-url "$RPC_URL" --broadcast --slow 2>&1) || { echo "$script" >&2; exit 1; }
answer 'forge script' "$(grep -c 'ONCHAIN EXECUTION COMPLETE & SUCCESSFUL' <<< "$script")"
fixed=$(pure create2 --deployer 0x4e59b44847b379578588920cA78FbF26c0B4956C --salt "0x$(printf '%064x' 1)" --init-code \
    "$(forge inspect src/Counter.sol:Counter bytecode)$(printf '%064x' 10)" | grep -o '0x[0-9a-fA-F]\{40\}' | head -n 1)
answer 'create2 address' "$fixed"
answer 'create2 value' "$(cast call "$fixed" 'value()(uint256)') $(cast balance "$fixed")"
