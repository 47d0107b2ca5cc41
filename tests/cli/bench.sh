#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The harness of bench/: it runs, checks results, tells wrong ones, and talks to peers. No time is judged.
. "$(dirname "$0")/../check/tap.inc"

bench=$BUILD/cevm-bench
work=$(mktemp -d)
trap 'rm -rf "$work"; echo "1..$tap_count"' EXIT

# contains NAME TEXT FILE
contains() { if grep -qF -- "$2" "$3"; then check "$1" ""; else check "$1" "no '$2' in: $(head -c 2000 "$3")"; fi; }

"$bench" --check bench/own > "$work/out" 2>&1
expect "our own workloads give what geth said: exit status" 0 $?
contains "… and none is wrong" " 0 wrong" "$work/out"

"$bench" --check --engine exact --engine block bench/own > "$work/out" 2>&1
expect "both engines agree on them: exit status" 0 $?

"$bench" --rounds 2 --time 1 --filter '^own/(transfer|erc20_approve)$' --json "$work/out.json" bench/own > "$work/out" 2>&1
expect "a short run: exit status" 0 $?
contains "… has a table of messages" "execute: the message" "$work/out"
contains "… of cold ones" "total: the message" "$work/out"
contains "… and of transactions" "transaction: the whole" "$work/out"
expect "… no line is longer than 80 columns" "" "$(awk 'length > 80' "$work/out")"
expect "… and no colour in a file" "" "$(grep -c $'\033' "$work/out" | grep -v '^0$')"
if command -v python3 > /dev/null; then
    expect "… JSON: programs, modes" "own/erc20_approve own/transfer execute total transaction" "$(python3 - "$work/out.json" << 'EOF'
import json, sys
rows = json.load(open(sys.argv[1]))['rows']
print(*sorted({r['program'] for r in rows}), *sorted({r['mode'] for r in rows}))
EOF
    )"
    "$bench" --rounds 2 --time 1 --engine exact --filter '^own/transfer$' --json "$work/two.json" bench/own > /dev/null 2>&1
    python3 bench/plot.py "$work/two.json" > "$work/two.svg"
    contains "plot.py draws them" "own/transfer, exact" "$work/two.svg"
else
    skip "… JSON: programs, modes" "python3 is not installed"
fi

# Another state root in the file: the result is wrong, and said to be.
sed 's/"hash": "0x....../"hash": "0x000001/' bench/own/erc20.json > "$work/wrong.json"
"$bench" --check "$work/wrong.json" > "$work/out" 2>&1
expect "a wrong root: exit status" 1 $?
contains "a wrong root: said" "state root, got and expected" "$work/out"

# A peer in a process of its own that lies about the gas, and one that is none.
cat > "$work/liar" << 'EOF'
#!/bin/sh
echo "bench 1 liar 1.0"
while read -r word rest; do
    case $word in
        load) echo "ok success 1 0x$(printf %064d 0) 0x$(printf %064d 0)" ;;
        *) echo "ok 1000" ;;
    esac
done
EOF
chmod +x "$work/liar"
"$bench" --check --mode transaction --peer "$work/liar" --filter '^own/transfer$' bench/own > "$work/out" 2>&1
expect "a peer with another answer: exit status" 1 $?
contains "a peer with another answer: said" "cevm and liar differ: gas: 21000 and 1" "$work/out"
"$bench" --check --peer /bin/true bench/own > "$work/out" 2>&1
expect "a peer that says nothing: exit status" 1 $?
contains "a peer that says nothing: said" "the process has ended" "$work/out"
"$bench" --check --vm "$work/none.so" bench/own > "$work/out" 2>&1
expect "a shared object that is not there: exit status" 1 $?

# This library as EVMC machines of both ABIs, over the harness's host.
for abi in 12 18; do
    if [ -f "$BUILD/libcevm-evmc$abi.so" ]; then
        "$bench" --check --mode execute --vm "$BUILD/libcevm-evmc$abi.so" bench/own > "$work/out" 2>&1
        expect "an EVMC machine of ABI $abi agrees: exit status" 0 $?
    fi
done

"$bench" --help > "$work/out"
expect "--help: exit status" 0 $?
contains "--help has examples" "examples:" "$work/out"
"$bench" bench/own --mode sideways > "$work/out" 2>&1
expect "an unknown mode: exit status" 2 $?
"$bench" > "$work/out" 2>&1
expect "no program: exit status" 2 $?
"$bench" --check "$work/nothing.json" > "$work/out" 2>&1
expect "no such file: exit status" 1 $?
