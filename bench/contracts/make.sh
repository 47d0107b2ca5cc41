#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Usage: bench/contracts/make.sh     (make bench-contracts)
#
# Compiles OpenZeppelin's ERC-20 with npm's solc, takes Uniswap v2 and v3 from their npm packages, deploys all of them and writes
# a call into each as a state test: ERC-20 to bench/own/, Uniswap to bench/workloads/uniswap/. With $BUILD/peers/bench-geth
# (make bench-peers) the files also say what must come out; ERC-20's is only written then.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
build=${BUILD:-build}
for tool in npm node python3; do
    command -v $tool > /dev/null 2>&1 || { echo "make.sh: the program '$tool' is missing" >&2; exit 1; }
done
[ -x "$build/cevm" ] || { echo "make.sh: $build/cevm is not built (make)" >&2; exit 1; }
[ -d "$here/node_modules/solc" ] || (cd "$here" && npm ci --no-audit --no-fund --loglevel=error > /dev/null)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
node "$here/compile.js" > "$work/compiled.json"
geth=
[ ! -x "$build/peers/bench-geth" ] || geth=$build/peers/bench-geth
# shellcheck disable=SC2086 # none or one
python3 "$here/make.py" "$build/cevm" "$work/compiled.json" $geth
