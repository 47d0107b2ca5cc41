#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Each public header compiles by itself, as C17 and as C++17, under -pedantic -Werror.
. "$(dirname "$0")/tap.inc"

for header in include/cevm/*.h; do
    findings=$(echo "#include <cevm/${header##*/}>" |
        ${CC:-cc} -std=c17 -pedantic -Wall -Wextra -Werror -Iinclude -fsyntax-only -x c - 2>&1)
    check "$header is C17" "$findings"
done
if command -v g++ > /dev/null; then
    for header in include/cevm/*.h; do
        findings=$(echo "#include <cevm/${header##*/}>" |
            g++ -std=c++17 -pedantic -Wall -Wextra -Werror -Iinclude -fsyntax-only -x c++ - 2>&1)
        check "$header is C++17" "$findings"
    done
else
    skip "public headers are C++17" "g++ is not installed"
fi
