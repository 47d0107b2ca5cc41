#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The tables say the truth: every EIP has a home that mentions it and a test, every opcode one body, the generated page is
# current.
. "$(dirname "$0")/tap.inc"

eips=$(sed -n 's/^EIP(\([0-9]*\), .*"\([^"]*\)")$/\1 \2/p' include/cevm/eips.def)

findings=$(while read -r number home; do
    if [ ! -f "$home" ]; then
        echo "EIP-$number: its home $home does not exist"
    elif ! grep -qE "EIP-$number\b|HAS_EIP\([^,]*, $number\)" "$home" &&
        { [ "$number" -lt 1000 ] || ! grep -qw "$number" "$home"; }; then
        echo "EIP-$number: its home $home does not mention it"
    fi
done <<< "$eips")
check "every EIP has a home that mentions it" "$findings"

# A test names an EIP as "EIP-N" or "eipN": in its text or, for the official vectors, in the name of its file.
named=$({ grep -rhoiE 'eip[-_ ]?[0-9]+' tests ethereum-tests/samples --include='*.[ch]' --include='*.sh' --include='*.json'
    find ethereum-tests -type f -name '*.json' | grep -oiE 'eip[-_ ]?[0-9]+'; } | tr -dc '0-9\n' | sort -u)
findings=$(while read -r number home; do
    grep -qx "$number" <<< "$named" || echo "EIP-$number: no test names it"
done <<< "$eips")
check "every EIP has a test" "$findings"

# Families (PUSH1 ... PUSH32) share the body of their kind.
bodies=$(grep -hoE '^(__attribute__.*)?static .*\bop_[A-Z0-9]+\(' evm/*.h evm/*.c 2> /dev/null | grep -oE 'op_[A-Z0-9]+')
findings=$(sed -n 's/^ *OP(at, 0x[0-9a-f]*, \([A-Z0-9]*\), [0-9]*, [0-9]*, \([A-Z]*\), .*/\1 \2/p' evm/opcodes.h |
    while read -r name kind; do
        case $kind in PUSH | DUP | SWAP | LOG) name=$kind ;; esac
        count=$(grep -cx "op_$name" <<< "$bodies")
        [ "$count" = 1 ] || echo "op_$name has $count bodies in evm/"
    done | sort -u)
check "every opcode has one body" "$findings"

findings=$("$BUILD/docs/opcodes" 2>&1 | diff docs/opcodes.md - 2>&1 | head -n 10)
check "docs/opcodes.md is what make docs writes" "$findings"

findings=$("$BUILD/docs/rpc" 2>&1 | diff docs/rpc.md - 2>&1 | head -n 10)
check "docs/rpc.md is what make docs writes" "$findings"

findings=$(sed -n 's/^METHOD(\([^,]*\),.*/\1/p' rpc/methods.def | LC_ALL=C sort -c 2>&1)
check "the methods stand in the order of their names" "$findings"

# A row is one line, so that a method is found by its name.
findings=$(sed -n '/^ \*\/$/,$p' rpc/methods.def | grep -vE '^( \*/|METHOD\(.*\)|)$')
check "every method is one row" "$findings"
