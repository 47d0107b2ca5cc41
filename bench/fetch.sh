#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Usage: bench/fetch.sh [--list | --check]     (make bench-workloads)
#
# Brings the workloads of other projects to bench/workloads/: from the archives in $CEVM_WORKLOADS, checked against
# workloads.sha256, or else from where upstream.txt says they are published. Ours, in bench/own/, are always there.
#   evm-benchmarks  what evmone's own bench runs (Apache-2.0)
#   contracts       single calls into real contracts, from evm2 (MIT)
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
export CEVM_VECTORS="${CEVM_WORKLOADS:-}"
export CEVM_VECTORS_VARIABLE=CEVM_WORKLOADS
export CEVM_VECTORS_SUMS="$here/workloads.sha256"
export CEVM_VECTORS_UPSTREAM="$here/upstream.txt"
export CEVM_VECTORS_OUT="$here/workloads"
exec "$here/../ethereum-tests/fetch.sh" "$@" evm-benchmarks contracts
