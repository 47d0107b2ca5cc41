#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The repository speaks of itself alone, and admits no unfinished work in passing: what is not there is in README.md's table.
. "$(dirname "$0")/tap.inc"

files() {
    if git rev-parse --git-dir > /dev/null 2>&1; then
        git ls-files --cached --others --exclude-standard
    else
        find . -type f -not -path './.git/*' -not -path './third_party/*' -not -path "./$BUILD/*" -not -path './ethereum-tests/vectors/*' -not -path '*/node_modules/*' | sed 's|^\./||'
    fi | grep -vE '^(build|\.ci/run$|tests/check/words\.sh$)|\.(json|md\.orig)$'
}

findings=$(files | tr '\n' '\0' | xargs -0 grep -nIE '(^|[^A-Za-z0-9_.])/(work|tmp|home|root)/|\.\./shared|"resolved": *"http' | cut -c1-160)
check "no paths or addresses of one machine" "$findings"

findings=$(files | grep -E '\.(c|h|def|sh|inc)$|Makefile' | tr '\n' '\0' |
    xargs -0 grep -nIwE 'TODO|FIXME|XXX|HACK|not implemented|unimplemented|assert\(true\)' | cut -c1-160)
check "no unfinished work left in the sources" "$findings"

# In conditions an EIP is asked for by number; forks are compared only where tables are read.
findings=$(grep -rnE '(fork|revision)[A-Za-z_>.-]* *(>=|<|<=|>) *CEVM_[A-Z]' precompiles evm state chain trace --include='*.[ch]' 2> /dev/null |
    grep -vE 'CEVM_FORK_COUNT|^evm/(opcodes\.h|op_table\.c):')
check "rules are asked for by EIP, not by fork" "$findings"
