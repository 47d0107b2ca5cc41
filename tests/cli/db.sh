#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `cevm db`, and `cevm import --data-dir` against everything that ends a program half-way: kill -9 at random moments, a full
# disk, a file that is damaged, cut short, or that cannot be written. After each the store opens at a whole block, verifies,
# and goes on to the same root. KILLS=200 kills more often than the 12 times of `make check`; SEED=n repeats the moments.
. "$(dirname "$0")/cli.inc"

samples=ethereum-tests/chain-samples
genesis=$samples/genesis.json
chain=$samples/chain.rlp
head=$(sed -n 's/.*"headBlockHash": "\(0x[0-9a-f]*\)".*/\1/p' "$samples/headfcu.json")
kills=${KILLS:-12}
RANDOM=${SEED:-$$}
echo "# SEED=${SEED:-$$}"

# db COMMAND ARGUMENTS: leaves out (both streams) and status.
db() {
    out=$("$cevm" db "$@" 2>&1 < /dev/null)
    status=$?
}

import() { "$cevm" import --genesis "$genesis" --data-dir "$@" "$chain" 2>&1; }
head_of() { "$cevm" db stat --json --data-dir "$1" | grep -oE '"hash":"0x[0-9a-f]*"' | cut -d '"' -f 4; }

# ---- The whole way, and what db says about it

out=$(import "$work/whole" --stop-at 17)
out=$(import "$work/whole")
expect "the chain goes on in a store on disk" "$head" "$(head_of "$work/whole")"
db verify --data-dir "$work/whole"
expect "verify finds it whole" 0 "$status"
db dump --data-dir "$work/whole" --out "$work/whole.json"
expect "dump" "0 " "$status $out"
db dump --data-dir "$work/whole" --format binary --out "$work/whole.bin"
expect "dump --format binary" "0 " "$status $out"
for form in json bin; do
    db load --data-dir "$work/from-$form" "$work/whole.$form"
    expect "load from $form" "0" "$status"
    "$cevm" db dump --data-dir "$work/from-$form" > "$work/again.json"
    "$cevm" db dump --data-dir "$work/from-$form" --format binary > "$work/again.bin"
    expect "... equal states are equal files" "" "$(cmp "$work/again.json" "$work/whole.json" 2>&1
        cmp "$work/again.bin" "$work/whole.bin" 2>&1)"
    db load --data-dir "$work/from-$form" "$work/whole.$form"
    expect "... and load wants an empty store" 1 "$status"
done
# What the execution APIs' tests say of this chain (execution-apis, tests/eth_getLogs and eth_getTransactionReceipt).
emit=0x00000000000000000000000000000000000000000000000000000000656d6974
second=0x95b7276947f6331672b0c63eca28c1d39f25286d5e2793d6a487837ff1475ba0
hash=0xd48ebacfb769b85602310e2e0cf322e19f8cce25ac69cfd52f2d8622e3bbc3c9
db get logs --data-dir "$work/whole" --from 3 --to 6 --topic0 $emit --topic1 $second
expect "get logs finds the one there is" "0 4 $hash 0x7dcd17433742f4c0ca53122ab541d0ba67fc27df" \
    "$status $(awk '$1 == "block" || $1 == "transaction" || $1 == "address" { print $2 }' <<< "$out" | paste -sd ' ')"
db get receipt --data-dir "$work/whole" $hash
expect "get receipt" "0 4 1 0" "$status $(awk '/^(block  |index|log )/ { print $2 }' <<< "$out" | paste -sd ' ')"
db get block --data-dir "$work/whole" 0x98f797a6af91ea770ab3a99d89c17a3a46d14c76db6bb711b18156a3493d2c94
expect "get block by hash" "0 4 yes" "$status $(awk '$1 == "block" { print $2 }' <<< "$out") $(grep -q $hash <<< "$out" && echo yes)"
db get tx --data-dir "$work/whole" 0x3fbac8b19b59077cd29bbacc3815d73577b45a4d976cae80b04c98c793684c07
expect "get tx" "0 3 0x7435ed30a8b4aeb0877cef0c6e8cffe834eb865f" \
    "$status $(awk '$1 == "block" && NF == 2 || $1 == "from" { print $2 }' <<< "$out" | paste -sd ' ')"
db get tx --data-dir "$work/whole" 0x00000000000000000000000000000000000000000000000000000000deadbeef
expect "... one that is not there" "0 there is no such transaction" "$status $out"

# A call on the state of the chain: the number of the block, and the code of a contract that logs.
run() {
    out=$("$cevm" run --data-dir "$work/whole" --genesis "$genesis" "$@" 2>&1 < /dev/null)
    status=$?
}
run 4360005260206000f3
expect "run on the newest block" "0 0x0000000000000000000000000000000000000000000000000000000000000036" "$status ${out%%
*}"
run --block 20 4360005260206000f3
expect "... on an older one" "0 0x0000000000000000000000000000000000000000000000000000000000000014" "$status ${out%%
*}"
run --receiver 0x7dcd17433742f4c0ca53122ab541d0ba67fc27df
expect "... the code that is there" "0 yes" "$status $(grep -q "$emit" <<< "$out" && echo yes)"
run --block 100 43
expect "... a block that is not there" 1 "$status"
run --prestate "$genesis" 43
expect "... and --prestate do not go together" 2 "$status"

# A state that anvil wrote; its last block's header has the root. What is written for anvil is the same for equal states.
root=$(grep -oE '"stateRoot":"0x[0-9a-f]*","[^{}]*"number":"0x2"' tests/cli/anvil-state.json | cut -d '"' -f 4)
db load --data-dir "$work/anvil" tests/cli/anvil-state.json
expect "load of a state that anvil wrote" "0 the state root is $root" "$status $out"
db dump --data-dir "$work/anvil" --format anvil --out "$work/anvil.json"
db load --data-dir "$work/anvil-again" "$work/anvil.json"
"$cevm" db dump --data-dir "$work/anvil-again" --format anvil > "$work/again.json"
expect "dump --format anvil, and back" "the state root is $root" "$out$(cmp "$work/again.json" "$work/anvil.json" 2>&1)"
db dump --data-dir "$work/whole" --format anvil --out "$work/chain.json"
db load --data-dir "$work/chain" "$work/chain.json"
expect "... of a chain" "$("$cevm" db stat --data-dir "$work/whole" | awk '/^state root/ { print $3 }')" "${out##* }"
db load --data-dir "$work/alloc" "$genesis"
expect "load of a genesis" 0 "$status"
printf '{"blocks":[{"}":[1,{"\\"":2}]}],"x":null,"accounts":{}}' > "$work/none.json"
db load --data-dir "$work/none" "$work/none.json"
expect "load of no accounts" 0 "$status"
for bad in '{"accounts":{"0x1":{}}}' '{"accounts":{' '{"blocks":[}' '{"blocks":[]}' '[]' '{"accounts":{}}x'; do
    echo "$bad" > "$work/bad.json"
    rm -rf "$work/bad"
    db load --data-dir "$work/bad" "$work/bad.json"
    expect "load refuses $bad" 1 "$status"
done
head -c 9000 "$work/whole.bin" > "$work/cut.bin"
db load --data-dir "$work/cut" "$work/cut.bin"
expect "a dump that is cut off is refused" "1 yes" "$status $(grep -q 'cut off' <<< "$out" && echo yes)"
db prune --data-dir "$work/whole"
expect "prune wants to be told what to keep" "2 yes" "$status $(grep -q -- '--keep N says' <<< "$out" && echo yes)"
db stat --data-dir "$work/whole" --json
expect "... and has forgotten nothing" 0 "$(grep -c '"remembered":0,' <<< "$out")"
db get logs --data-dir "$work/whole" --from 9 --to 3
expect "logs of a range that ends before it begins" "2 yes" "$status $(grep -q 'comes after' <<< "$out" && echo yes)"
db init --data-dir "$work/both" --archive --history 5
expect "init: --archive and --history" "2 no" "$status $([ -e "$work/both" ] && echo yes || echo no)"
db prune --data-dir "$work/whole" --keep 3
expect "prune" "0 3 blocks can be taken back or looked into" "$status $out"
db prune --data-dir "$work/whole" --receipts 10
expect "prune --receipts" "0 receipts of 10 blocks are kept" "$status ${out##*
}"
db get tx --data-dir "$work/whole" $hash
expect "... the others' transactions are found no more" "0 there is no such transaction" "$status $out"
db compact --data-dir "$work/whole"
expect "compact tells what the file is now" "0 $(stat -c %s "$work/whole/data.mdb" | awk '{ printf "is %.1f MB now", $1 / 1e6 }')" \
    "$status ${out##* and }"
db verify --data-dir "$work/whole"
expect "... the store is whole after it" "0 $head" "$status $(head_of "$work/whole")"
db init --data-dir "$work/whole" --genesis "$genesis"
expect "init does not touch a chain that is there" "1 $head" "$status $(head_of "$work/whole")"
db stat --data-dir "$work/nowhere"
expect "a store that is not there" "1 no" "$status $([ -e "$work/nowhere" ] && echo yes || echo no)"
db stat
expect "no --data-dir" 2 "$status"
db nonsense
expect "no such command" 2 "$status"
# A disk that is full to the last byte, where this machine lets us make one.
if unshare -rm true 2> /dev/null; then
    mkdir "$work/full"
    out=$(unshare -rm sh -c 'mount -t tmpfs -o size=64k full "$1/full" && {
        cat /dev/zero > "$1/full/ballast" 2> /dev/null
        "$2" db init --data-dir "$1/full/store" 2>&1
        echo $?
        rm "$1/full/ballast"
        head -c 45000 /dev/zero > "$1/full/ballast"
        "$2" import --genesis "$3" --data-dir "$1/full/store" "$4" 2>&1
    }' - "$work" "$cevm" "$genesis" "$chain")
    expect "a full disk: an error, no crash" "lock.mdb cannot be written: No space left on device 1" \
        "$(sed -n '1s/.*: \(lock.mdb.*\)/\1/p; 2p' <<< "$out" | tr '\n' ' ' | sed 's/ $//')"
    expect "... and the cause is named when a block does not fit" 1 "$(grep -c 'disk is full\|No space left' <<< "$(tail -n +3 <<< "$out")")"
fi
db --help
expect "--help" "0 Usage: cevm db COMMAND --data-dir DIR [OPTION]..." "$status ${out%%
*}"

# ---- kill -9

findings=''
rounds=0
round_of=0
while [ "$rounds" -lt "$kills" ]; do
    "$cevm" import --genesis "$genesis" --data-dir "$work/killed" "$chain" > "$work/log" 2>&1 &
    pid=$! # of the program itself: a function would run in a shell of its own
    sleep "0.$(printf %03d $((RANDOM % 160)))"
    if kill -9 "$pid" 2> /dev/null; then rounds=$((rounds + 1)); fi
    wait "$pid" 2> /dev/null
    # A store may not have been made yet.
    if [ -s "$work/killed/data.mdb" ]; then
        db verify --data-dir "$work/killed"
        if [ "$status" != 0 ] && ! grep -q 'is empty: there is no store' <<< "$out"; then
            findings="$findings
after kill $rounds: $out"
        fi
    fi
    if [ "$(head_of "$work/killed" 2> /dev/null)" = "$head" ]; then
        rm -rf "$work/killed"
        round_of=$((round_of + 1))
    fi
done 2> /dev/null
import "$work/killed" > "$work/log"
expect "after $kills kills the store was whole each time" "" "$findings"
expect "... and comes to the same head" "$head" "$(head_of "$work/killed")"
db dump --data-dir "$work/killed"
expect "... with the same accounts" "" "$(diff <(echo "$out") "$work/whole.json" | head -n 3)"

# ---- A full disk: the file may not grow

(
    trap '' XFSZ
    ulimit -f 300
    import "$work/full" > "$work/log"
)
status=$?
expect "a full disk ends the import with a message" "1 yes" \
    "$status $(grep -qiE 'commit|write|too large|space' "$work/log" && echo yes || cat "$work/log")"
db verify --data-dir "$work/full"
expect "... at a whole block" 0 "$status"
import "$work/full" > "$work/log"
expect "... and with room again it goes on" "$head" "$(head_of "$work/full")"

# ---- Others at the door, and damage

"$cevm" import --genesis "$genesis" --data-dir "$work/busy" - < <(sleep 3) > /dev/null 2>&1 &
pid=$!
for _ in $(seq 50); do [ -s "$work/busy/data.mdb" ] && "$cevm" db stat --data-dir "$work/busy" > /dev/null 2>&1 && break; sleep 0.05; done
out=$(import "$work/busy")
expect "a second writer is turned away" "1 yes" "$? $(grep -q 'open for writing' <<< "$out" && echo yes || echo "$out")"
db stat --data-dir "$work/busy"
expect "... a reader is not" 0 "$status"
kill "$pid" 2> /dev/null
wait "$pid" 2> /dev/null

cp -r "$work/killed" "$work/torn"
size=$(stat -c %s "$work/torn/data.mdb")
refused=0
crashed=''
# Many pages are free, and tearing them harms nothing; so go on until four were in use.
for i in $(seq 80); do
    [ "$refused" -lt 4 ] || break
    cp "$work/killed/data.mdb" "$work/torn/data.mdb"
    dd if=/dev/urandom of="$work/torn/data.mdb" bs=2048 count=1 seek=$((RANDOM % (size / 2048))) conv=notrunc 2> /dev/null
    db verify --data-dir "$work/torn"
    case $status in
    0) ;; # a page that is free
    1) refused=$((refused + 1)) ;;
    *) crashed="$crashed round $i: $status $out" ;;
    esac
    db stat --data-dir "$work/torn"
    [ "$status" -le 1 ] || crashed="$crashed round $i: stat $status $out"
    out=$(import "$work/torn" 2>&1) || [ $? -eq 1 ] || crashed="$crashed round $i: import $out"
done
expect "torn pages are told, and nothing crashes" "" "$crashed"
expect "... those that are in use are refused" yes "$([ "$refused" -ge 4 ] && echo yes || echo "$refused of 80")"
truncate -s $((size - 4096)) "$work/torn/data.mdb"
out=$(import "$work/torn")
expect "a file that is cut short is refused" "1 yes" "$? $(grep -q 'cut short' <<< "$out" && echo yes || echo "$out")"
