#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the object code of libcevm.a shows: no mutable globals, no names but ours, no functions a library must not call.
. "$(dirname "$0")/tap.inc"
lib=$BUILD/libcevm.a

# Tables of pointers lie in .data.rel.ro: constant once the program is loaded. blst.o, which is not ours, has one word: what
# the processor can do, written once by its constructor before main.
findings=$(objdump -h "$lib" | awk '
    /file format/ { file = $1 }
    $2 ~ /^\.(data|bss|tdata|tbss)/ && $2 !~ /^\.data\.rel\.ro/ && $3 !~ /^0+$/ &&
        !(file == "blst.o:" && $2 == ".bss" && $3 == "00000004") { print file " has " $2 " of 0x" $3 " bytes" }
    ')
common=$(nm "$lib" 2> /dev/null | awk '$2 == "C"')
check "no mutable globals" "$findings$common"

findings=$(nm -g --defined-only "$lib" 2> /dev/null | awk 'NF == 3 && $3 !~ /^cevm_/ { print $3 }')
check "every symbol begins with cevm_" "$findings"

# The allocator is asked for memory, callers are told of errors, output goes where the caller says.
banned='malloc|calloc|strdup|strndup|aligned_alloc|alloca|abort|exit|_exit|gets|strcpy|strcat|sprintf|vsprintf|strtok|rand|srand|time|getenv|system|setlocale|signal|printf|puts|putchar|localtime|gmtime|setjmp|longjmp'
findings=$(nm -u "$lib" 2> /dev/null | awk -v banned="^(__)?($banned)(_chk)?(@.*)?$" '
    /:$/ { file = $0 }
    $1 == "U" && $2 ~ banned { print file " calls " $2 }')
check "the library does not call what it must not" "$findings"

findings=$(nm -u "$lib" 2> /dev/null | awk '
    /:$/ { file = $0 }
    $1 == "U" && $2 ~ /^(realloc|free)(@.*)?$/ && file != "errors.o:" { print file " calls " $2 }')
check "only the default allocator calls realloc and free" "$findings"

# libcevm.so shows what the public headers declare and nothing else. Inline functions are not symbols.
exported=$(nm -D --defined-only "$BUILD/libcevm.so" 2> /dev/null | awk '$2 ~ /[TtRDB]/ { sub("@.*", "", $3); print $3 }' | sort -u)
declared=$(cat include/cevm/*.h | tr '\n' ' ' | grep -oE 'CEVM_API [^;]*;' |
    sed -E 's/^CEVM_API //; s/\(.*//; s/;$//; s/\[.*//' | grep -oE 'cevm_[a-z0-9_]+ *$' | tr -d ' ' | sort -u)
check "libcevm.so exports what the headers declare" "$(diff <(echo "$declared") <(echo "$exported") | grep '^[<>]' |
    sed 's/^</declared only:/; s/^>/exported only:/')"
findings=$(objdump -p "$BUILD/libcevm.so" 2> /dev/null | grep -E 'TEXTREL|RPATH|RUNPATH')
check "libcevm.so has no text relocations and no search path" "$findings"
