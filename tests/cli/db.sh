#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `cevm db`, and `cevm import --data-dir` against everything that ends a program half-way: kill -9 at random moments, a full
# disk, a file that is damaged, cut short, or that cannot be written. After each the store opens at a whole block, verifies,
# and goes on to the same root. KILLS=200 kills more often than the 12 times of `make check`; SEED=n repeats the moments.
. "$(dirname "$0")/../check/tap.inc"

cevm=$(realpath -e "$BUILD/cevm") || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"; echo "1..$tap_count"' EXIT
samples=ethereum-tests/chain-samples
genesis=$samples/genesis.json
chain=$samples/chain.rlp
head=$(sed -n 's/.*"headBlockHash": "\(0x[0-9a-f]*\)".*/\1/p' "$samples/headfcu.json")
kills=${KILLS:-12}
RANDOM=${SEED:-$$}
echo "# SEED=${SEED:-$$}"

# expect NAME WANTED GOT
expect() {
    if [ "$2" = "$3" ]; then check "$1" ""; else check "$1" "expected: $2
got: $3"; fi
}

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
head -c 9000 "$work/whole.bin" > "$work/cut.bin"
db load --data-dir "$work/cut" "$work/cut.bin"
expect "a dump that is cut off is refused" "1 yes" "$status $(grep -q 'cut off' <<< "$out" && echo yes)"
db prune --data-dir "$work/whole" --keep 3
expect "prune" "0 3 blocks can be taken back or looked into" "$status $out"
db compact --data-dir "$work/whole"
expect "compact" 0 "$status"
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
done
expect "torn pages are told, and nothing crashes" "" "$crashed"
expect "... those that are in use are refused" yes "$([ "$refused" -ge 4 ] && echo yes || echo "$refused of 80")"
truncate -s $((size - 4096)) "$work/torn/data.mdb"
out=$(import "$work/torn")
expect "a file that is cut short is refused" "1 yes" "$? $(grep -q 'cut short' <<< "$out" && echo yes || echo "$out")"
