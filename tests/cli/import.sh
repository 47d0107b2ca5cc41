#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `cevm import`: the chain of the execution-apis vectors (54 blocks, every fork from Frontier to the second blob fork), whole,
# in pieces, cut off, spoiled, and stopped half-way.
. "$(dirname "$0")/cli.inc"

samples=ethereum-tests/chain-samples
genesis=$samples/genesis.json
chain=$samples/chain.rlp
size=$(stat -c %s "$chain")
head=$(sed -n 's/.*"headBlockHash": "\(0x[0-9a-f]*\)".*/\1/p' "$samples/headfcu.json")
export LC_ALL=C.UTF-8

# run ARGUMENTS: leaves out, err and status of `cevm import`.
run() {
    "$cevm" import "$@" > "$work/out" 2> "$work/err" < /dev/null
    status=$?
    out=$(cat "$work/out")
    err=$(cat "$work/err")
}

# says NAME STATUS TEXT ARGUMENTS...: exits with STATUS and says TEXT on stderr.
says() {
    local name=$1 wanted=$2 text=$3
    shift 3
    run "$@"
    if [ "$status" != "$wanted" ] || ! grep -qF -- "$text" <<< "$err"; then
        check "$name" "exit status $status (wanted $wanted)
stderr: ${err:0:400}
wanted in it: $text"
    else
        check "$name" ""
    fi
}

# member KEY: a number or text of the JSON summary.
member() { grep -oE "\"$1\":(\"[^\"]*\"|[0-9.]+|null)" <<< "$out" | head -n 1 | sed 's/^[^:]*://; s/"//g'; }

# ---- The whole chain

run --genesis "$genesis" "$chain"
expect "the chain imports to the head of the vectors" "0 head is block 54 $head" "$status $(tail -n 1 <<< "$out")"
expect "... in 54 blocks" "imported 54 blocks (249 transactions, 103.4 Mgas)" "${out%% in *}"
expect "... without a word on stderr" "" "$err"

run --genesis "$genesis" --json "$chain"
expect "--json: one line" "1" "$(wc -l <<< "$out" | tr -d ' ')"
expect "--json: counts and head" "54 0 0 249 54 $head" \
    "$(member blocks) $(member known) $(member refused) $(member transactions) $(member number) $(member hash)"
expect "--json: nothing stopped it" "null" "$(member stopped)"

out=$("$cevm" import --genesis "$genesis" --json - < "$chain")
expect "standard input" "$head" "$(member hash)"

run --genesis "$genesis" --json "$chain" "$chain"
expect "blocks that are there are passed over" "0 54 54" "$status $(member blocks) $(member known)"

# ---- In pieces

run --genesis "$genesis" --state "$work/state" --stop-at 30 "$chain"
expect "--stop-at" "0 head is block 30" "$status $(tail -n 1 <<< "$out" | cut -d ' ' -f 1-4)"
run --genesis "$genesis" --state "$work/state" --json "$chain"
expect "--state goes on where it stopped" "0 24 30 $head" "$status $(member blocks) $(member known) $(member hash)"
run --genesis "$genesis" --state "$work/state" --json "$chain"
expect "... and has nothing left to do" "0 0 54 $head" "$status $(member blocks) $(member known) $(member hash)"
for stop in 1 2 3 6 9 26 27 35 36 37 53; do
    rm -f "$work/one"
    run --genesis "$genesis" --state "$work/one" --stop-at $stop "$chain"
    run --genesis "$genesis" --state "$work/one" --json "$chain"
    expect "stopped after block $stop and gone on" "0 $((54 - stop)) $head" "$status $(member blocks) $(member hash)"
done

sed 's/"nonce": "0x0"/"nonce": "0x1"/' "$genesis" > "$work/other.json"
says "a state belongs to its genesis" 1 "is the state of a chain with another genesis" \
    --genesis "$work/other.json" --state "$work/state" "$chain"
says "another genesis, another chain" 1 "unknown ancestor" --genesis "$work/other.json" "$chain"
head -c 3000 "$work/state" > "$work/cut"
says "a state that is cut off" 1 "$work/cut: " --genesis "$genesis" --state "$work/cut" "$chain"
cp "$chain" "$work/no-state"
says "a file that is no state" 1 "is not a chain state" --genesis "$genesis" --state "$work/no-state" "$chain"
# The last byte of an account's balance or code: the state root tells.
cp "$work/state" "$work/spoiled"
printf '\x00' | dd of="$work/spoiled" bs=1 seek=$(($(stat -c %s "$work/spoiled") - 20)) conv=notrunc 2> /dev/null
says "a state that is spoiled" 1 "$work/spoiled: " --genesis "$genesis" --state "$work/spoiled" "$chain"
expect "states are not touched by that" "" "$(cmp "$work/no-state" "$chain" 2>&1)"

# ---- Blocks that are not valid

# Block 2 without block 1 before it: where block 1 ends is in its prefix, f9 and two bytes.
first=$((3 + 16#$(od -An -tx1 -j 1 -N 2 "$chain" | tr -d " \n")))
tail -c +$((first + 1)) "$chain" > "$work/second.rlp"
says "--no-sync without a store" 2 "--no-sync wants --data-dir too" --genesis "$genesis" --no-sync "$chain"
says "an unknown parent" 1 "second.rlp: byte 0: block 2 0x" --genesis "$genesis" "$work/second.rlp"
expect "... named" "UNKNOWN_PARENT: unknown ancestor" "${err##*: block 2 0x????????????????????????????????????????????????????????????????: }"

# The state root stands behind four fixed fields: two prefixes, parent hash, ommers hash, coinbase.
head -c "$size" "$chain" > "$work/root.rlp"
printf '\x00\x00' | dd of="$work/root.rlp" bs=1 seek=$((first + 3 + 3 + 33 + 33 + 21 + 5)) conv=notrunc 2> /dev/null
says "a wrong state root" 1 "root.rlp: byte $first: block 2 0x" --genesis "$genesis" "$work/root.rlp"
expect "... named" "INVALID_STATE_ROOT: invalid merkle root" "${err##*: block 2 0x????????????????????????????????????????????????????????????????: }"
expect "... the block before it is the head" "head is block 1" "$(tail -n 1 <<< "$out" | cut -d ' ' -f 1-4)"
run --genesis "$genesis" --json "$work/root.rlp"
expect "--json: what stopped it" "1 1 $first INVALID_STATE_ROOT" "$status $(member blocks) $(member offset) $(member error)"
run --genesis "$genesis" --json --keep-going "$work/root.rlp" "$chain"
expect "--keep-going: refused ones are counted, the exit code tells" "1 54 53 $head" \
    "$status $(member blocks) $(member refused) $(member hash)"

# ---- Files that are not right

head -c $((first + 100)) "$chain" > "$work/cut.rlp"
says "a file that is cut off" 1 "cut.rlp: byte $first: the file ends in the middle of the block" \
    --genesis "$genesis" "$work/cut.rlp"
{ head -c "$first" "$chain"; printf 'hello'; } > "$work/text.rlp"
says "no block" 1 "text.rlp: byte $first: no block begins here" --genesis "$genesis" "$work/text.rlp"
{ head -c "$first" "$chain"; printf '\xff\xff\xff\xff\xff\xff\xff\xff\xff'; } > "$work/huge.rlp"
says "a length beyond reason" 1 "huge.rlp: byte $first: a list of more than 1 GiB" --genesis "$genesis" "$work/huge.rlp"
gzip -c "$chain" > "$work/chain.rlp.gz"
says "a compressed file" 1 "is compressed (gzip): unpack it first" --genesis "$genesis" "$work/chain.rlp.gz"
says "a missing file" 1 "nowhere.rlp: cannot be opened: No such file" --genesis "$genesis" "$work/nowhere.rlp"
says "a folder" 1 "is a folder" --genesis "$genesis" "$work"
: > "$work/empty.rlp"
run --genesis "$genesis" "$work/empty.rlp"
expect "an empty file" "0 head is block 0" "$status $(tail -n 1 <<< "$out" | cut -d ' ' -f 1-4)"
says "a missing genesis" 1 "nowhere.json: cannot be opened" --genesis "$work/nowhere.json" "$chain"
says "a chain whose accounts are not known" 1 "(the rules of mainnet are known, its first accounts are not" \
    --genesis mainnet "$chain"
says "rules of another chain" 1 "block 1 0x" --genesis "$genesis" --config dev "$chain"
says "rules of no chain" 1 "no chain is called \"goerli\"" --genesis "$genesis" --config goerli "$chain"
says "no genesis" 2 "--genesis FILE says which chain it is" "$chain"
says "no blocks" 2 "no file of blocks is given" --genesis "$genesis"
says "a state that cannot be written" 1 "cannot be written: No such file" \
    --genesis "$genesis" --state "$work/no/such/folder" "$chain"
says "seals that are no proof of work" 1 "INVALID_SEAL: invalid proof-of-work" \
    --genesis "$genesis" --check-seal "$chain"

# ---- Stopping

# A pipe that stays open after one block: the program waits for the next, and is interrupted.
mkfifo "$work/pipe"
"$cevm" import --genesis "$genesis" --state "$work/stopped" "$work/pipe" > "$work/out" 2> "$work/err" &
pid=$!
exec 9> "$work/pipe"
head -c "$first" "$chain" >&9
sleep 1
kill -INT $pid
wait $pid
status=$?
exec 9>&-
expect "Ctrl-C stops after a whole block" "130 head is block 1" "$status $(tail -n 1 "$work/out" | cut -d ' ' -f 1-4)"
expect "... and says where" "stopped before byte $first" "$(grep -o 'stopped before byte .*' "$work/err")"
run --genesis "$genesis" --state "$work/stopped" --json "$chain"
expect "... and --state goes on from there" "0 53 $head" "$status $(member blocks) $(member hash)"

# ---- On a terminal

if command -v script > /dev/null; then
    script -qec "$cevm import --genesis $genesis $chain" /dev/null > "$work/typescript" < /dev/null
    expect "a terminal is left clean" "0" "$(tail -n 1 "$work/typescript" | grep -c 'blocks/s  ')"
fi
