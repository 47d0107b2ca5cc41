#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A function is a screen (70 lines), a file one subject (800 lines), and the formatter has been over it.
. "$(dirname "$0")/tap.inc"

# The style puts the braces of a function, and of nothing else that can be long, alone in the first column.
findings=$(sources | grep '\.[ch]$' | xargs awk '
    FNR == 1 { start = 0 }
    /^{/ { start = FNR }
    /^}/ && start { if (FNR - start - 1 > 70) printf "%s:%d: %d lines\n", FILENAME, start, FNR - start - 1; start = 0 }')
check "no function is longer than 70 lines" "$findings"

findings=$(sources | xargs wc -l | awk '$2 != "total" && $1 > 800 { print $2 ": " $1 " lines" }')
check "no file is longer than 800 lines" "$findings"

findings=$(sources | xargs grep -LF 'SPDX-License-Identifier: Apache-2.0')
check "every source file names its licence" "$findings"

if command -v clang-format-14 > /dev/null; then
    findings=$(sources | grep '\.[ch]$' | xargs clang-format-14 --dry-run --Werror 2>&1 | grep 'error:' | cut -d: -f1 | uniq -c)
    check "every file is formatted" "$findings"
else
    skip "every file is formatted" "clang-format-14 is not installed"
fi
