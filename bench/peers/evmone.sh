#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Usage: bench/peers/evmone.sh EVMONE INTX OUT [NAME...]
#
# Builds evmone as shared objects that `make bench VM=…` loads, from the sources in the folders EVMONE (0.23, with evmc/ in
# it) and INTX, into the folder OUT: libevmone-NAME.so. The names, all of them when none is given:
#   stock  clang-19 as evmone builds itself (-O3)
#   gcc    gcc-12
#   flags  clang-19 with the four flags that keep its dispatch apart and its operand stack out of the vector registers
# All for x86-64-v3. CLANG, CLANGXX, GCC, GXX name other compilers.
set -eu
[ $# -ge 3 ] || { sed -n '3,12s/^# \{0,1\}//p' "$0" >&2; exit 2; }
evmone=$1 intx=$2 out=$3
shift 3
here=$(cd "$(dirname "$0")" && pwd)
[ -f "$evmone/lib/evmone/vm.cpp" ] || { echo "evmone.sh: no evmone in $evmone" >&2; exit 1; }
[ -d "$intx/include/intx" ] || { echo "evmone.sh: no intx in $intx" >&2; exit 1; }

# Stock clang may fold all dispatch into one jump; evmone leaves the operand stack to the vectoriser. These flags stop both.
tuned='-mllvm -tail-dup-pred-size=9999 -mllvm -tail-dup-succ-size=9999 -mno-implicit-float -fno-slp-vectorize'

build() { # name, C++ compiler, C compiler, flags
    local name=$1 cxx=$2 cc=$3 folder="$out/$1" file object
    shift 3
    mkdir -p "$folder"
    # What evmone's CMake files say, and position-independent code.
    local common=(-w -O3 -DNDEBUG -march=x86-64-v3 -fPIC -I"$evmone/lib" -I"$evmone/include" "$@")
    local cpp=(-std=c++20 -fvisibility=hidden -fno-exceptions -fno-rtti -I"$evmone/evmc/include" -I"$intx/include"
        '-DPROJECT_VERSION="0.23"')
    for file in "$evmone"/lib/evmone/*.cpp "$here/evmone.cpp"; do
        case $file in */cpu_check.cpp) continue ;; esac
        object=$folder/$(basename "$file" .cpp).o
        [ "$object" -nt "$file" ] || nice "$cxx" "${common[@]}" "${cpp[@]}" -c "$file" -o "$object"
    done
    nice "$cc" "${common[@]}" -c "$evmone/lib/evmone_precompiles/keccak.c" -o "$folder/keccak.o"
    "$cxx" -shared -Wl,--no-undefined -o "$out/libevmone-$name.so" "$folder"/*.o
    echo "$out/libevmone-$name.so"
}

for name in "${@:-stock gcc flags}"; do
    for name in $name; do
        case $name in
            stock) build stock "${CLANGXX:-clang++-19}" "${CLANG:-clang-19}" ;;
            gcc) build gcc "${GXX:-g++-12}" "${GCC:-gcc-12}" ;;
            # shellcheck disable=SC2086 # four flags
            flags) build flags "${CLANGXX:-clang++-19}" "${CLANG:-clang-19}" $tuned ;;
            *) echo "evmone.sh: no build is called $name" >&2; exit 2 ;;
        esac
    done
done
