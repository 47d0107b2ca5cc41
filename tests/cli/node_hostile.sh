#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `cevm node` and clients that mean harm: its limits hold, and others are served.
cd "$(dirname "$0")/../.." || exit 1
if ! command -v python3 > /dev/null; then
    echo 'ok 1 - hostile clients # SKIP python3 is not installed'
    echo '1..1'
    exit
fi
PYTHONDONTWRITEBYTECODE=1 exec python3 tests/rpc/hostile.py "${BUILD:-build}/cevm"
