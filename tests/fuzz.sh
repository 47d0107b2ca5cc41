#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Usage: tests/fuzz.sh PROGRAM...     (make fuzz; FUZZ_SECONDS bounds each program, 0 = until stopped or a finding)
# What was learnt stays in build/corpus/NAME, findings are written to build/findings-NAME-*.
set -u
top=${BUILD:-build}
for program in "$@"; do
    name=$(basename "$program")
    mkdir -p "$top/corpus/$name"
    echo "== $name"
    "$program" -max_total_time="${FUZZ_SECONDS:-0}" -timeout=20 -rss_limit_mb=4096 \
        -artifact_prefix="$top/findings-$name-" "$top/corpus/$name" || exit 1
done
