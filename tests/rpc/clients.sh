#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Usage: tests/rpc/clients.sh [--all] [--only NAME]...
#
# Real clients against `cevm node` (run.mjs). By itself: ethers, viem and web3.js with the contracts of OpenZeppelin, Uniswap,
# Safe and ERC-4337, compared with what anvil answered once. --all: Foundry and Hardhat too, beside an anvil that runs now;
# that takes half a gigabyte of npm packages the first time. Packages are pinned and none of their scripts is run.
set -u
here=$(cd "$(dirname "$0")" && pwd)
mode=--recorded
if [ "${1:-}" = --all ]; then mode='' && shift; fi

skip_all() {
    echo "ok 1 - clients # SKIP $1"
    echo '1..1'
    exit 0
}

# Node.js 18 is what Debian 12 has.
major=$(node --version 2> /dev/null | sed 's/^v\([0-9]*\).*/\1/')
[ "${major:-0}" -ge 18 ] || skip_all "needs Node.js 18 or newer (apt: nodejs)"
command -v npm > /dev/null || skip_all "needs npm (apt: npm)"

# packages FOLDER: installs what its package.json names, unless that has been done.
packages() {
    local done="$1/node_modules/.package.json"
    cmp -s "$1/package.json" "$done" && return
    local command=install
    [ -f "$1/package-lock.json" ] && command=ci
    echo "# npm $command for the clients in $(basename "$1")" >&2
    (cd "$1" && npm "$command" --loglevel=error > /dev/null) && cp "$1/package.json" "$done"
}

folders=$here
[ -z "$mode" ] && folders="$here $here/clients/forge $here/clients/hardhat"
for folder in $folders; do
    packages "$folder" || {
        echo "not ok 1 - npm packages of $folder"
        echo '1..1'
        exit 1
    }
done
node "$here/compile.mjs" || exit 1
# shellcheck disable=SC2086 # none or one
exec node "$here/run.mjs" $mode "$@"
