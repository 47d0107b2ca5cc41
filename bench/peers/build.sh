#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Usage: bench/peers/build.sh [revm] [geth]     (make bench-peers)
#
# Builds the peers that run in processes of their own, into $BUILD/peers: revm with cargo, geth with go, each at the version
# that its lock file pins.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
mkdir -p "${BUILD:-build}/peers"
out=$(CDPATH='' cd -- "${BUILD:-build}/peers" && pwd)
status=0

need() { # program, what for
    command -v "$1" > /dev/null 2>&1 && return
    echo "build.sh: $2 needs the program '$1'" >&2
    status=1
    return 1
}

[ $# -gt 0 ] || set -- revm geth
for peer in "$@"; do
    case $peer in
        revm)
            need cargo revm || continue
            (cd "$here/revm" && CARGO_TARGET_DIR=$out/revm RUSTFLAGS='-C target-cpu=x86-64-v3' \
                cargo build --release --locked --quiet) && cp "$out/revm/release/bench-revm" "$out/" || status=1
            ;;
        geth)
            need go geth || continue
            (cd "$here/geth" && GOAMD64=v3 go build -o "$out/bench-geth" .) || status=1
            ;;
        *)
            echo "build.sh: no peer is called $peer" >&2
            exit 2
            ;;
    esac
done
exit $status
