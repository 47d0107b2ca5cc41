#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Usage: docs/examples/run.sh build/cevm     (make run)
# What cevm is for, in three commands: each is shown before it runs.
set -eu
cevm=$1
token="--codefile docs/examples/erc20.json --prestate docs/examples/prestate.json --receiver 0xc0de --sender 0xa11ce"

show() {
    printf '\n$ %s\n' "$*"
    "$@" 2>&1
}

# shellcheck disable=SC2086 # several options
{
    echo 'An ERC-20 token as the Solidity compiler made it: how much does 0xa11ce own? Every instruction:'
    show "$cevm" run --trace $token --input 0x70a0823100000000000000000000000000000000000000000000000000000000000a11ce
    printf '\n%s\n' 'It sends more than it has, and the revert reason is shown in words:'
    show "$cevm" run $token --input 0xa9059cbb0000000000000000000000000000000000000000000000000000000000000b0b00000000000000000000000000000000000000000000006c6b935b8bbd400000
    printf '\n%s\n' 'Official state tests that this repository holds (make check runs all there are):'
    show "$cevm" statetest --human ethereum-tests/samples
}
