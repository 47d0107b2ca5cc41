#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Usage: precompiles/blst.sh which           says which blst a build would take: system or package
#        precompiles/blst.sh fetch           brings blst's sources to third_party/blst
#        precompiles/blst.sh build FOLDER    fetches if need be; compiles FOLDER/blst.o and writes FOLDER/cevm_blst_names.h
#
# blst is the library under the BLS12-381 and KZG contracts. Its sources come from the npm package that blst.lock names,
# with the ordinary npm client, and are used only if their SHA-512 is the one written there; nothing of the package is run.
# The object holds all of blst under names that begin with cevm_, so that a program may link another blst beside it.
#
# Environment: CC, NM, OBJCOPY, NPM; BLST_PACKAGE=FILE takes the package from a file (npm pack's .tgz) instead of npm.
# Exit codes: 0 done, 1 it cannot be done (the message says what is missing), 2 usage.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
lock=$root/precompiles/blst.lock
sources=$root/third_party/blst
: "${CC:=cc}" "${NM:=nm}" "${OBJCOPY:=objcopy}" "${NPM:=npm}"
work=

cleanup() { [ -z "$work" ] || rm -rf -- "$work"; }
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

die() {
    printf 'cevm: %s\n' "$1" >&2
    shift
    [ $# = 0 ] || printf '      %s\n' "$@" >&2
    printf '      (`make BLST=none` builds without the contracts 0x0a to 0x11)\n' >&2
    exit 1
}

need() { # program, package of Debian, what for
    command -v "$1" > /dev/null 2>&1 || die "the program $1 is missing; it $3 (apt: $2)"
}

field() { sed -n "s/^ *\"$1\": *\"\([^\"]*\)\".*/\1/p" "$lock"; }

# A blst of the system counts when what we call links; older ones lack some of it.
which_blst() {
    printf '%s\n' '#include <blst.h>' '#include <blst_aux.h>' 'int main(void) {' \
        'blst_miller_loop_n(0, 0, 0, 0); blst_p1s_mult_pippenger(0, 0, 0, 0, 0, 0);' \
        'blst_p2s_mult_wbits(0, 0, 0, 0, 0, 0, 0); return blst_fp12_finalverify(0, 0) != 0; }' > "$work/probe.c"
    # shellcheck disable=SC2086 # CC may hold options
    if $CC -w -o "$work/probe" "$work/probe.c" -lblst > /dev/null 2>&1; then echo system; else echo package; fi
}

fetch() {
    integrity=$(field integrity)
    [ "$(cat "$sources/.integrity" 2> /dev/null)" = "$integrity" ] && return
    package=$(field name)@$(field version)
    file=${BLST_PACKAGE:-}
    if [ -z "$file" ]; then
        need "$NPM" npm "downloads $package, which holds the sources of blst"
        echo "cevm: downloading $package with npm (the sources of blst)" >&2
        if ! file=$work/$("$NPM" pack "$package" --pack-destination "$work" --ignore-scripts --loglevel error 2> "$work/log"); then
            sed 's/^/      /' "$work/log" | head -n 6 >&2
            die "npm could not download $package. Check the network;" \
                "or run npm pack $package elsewhere and name its file in BLST_PACKAGE."
        fi
    fi
    [ -r "$file" ] || die "$file cannot be read"
    wanted=$(printf '%s' "${integrity#sha512-}" | base64 -d | od -An -v -tx1 | tr -d ' \n')
    got=$(sha512sum < "$file" | cut -d ' ' -f 1)
    [ "$got" = "$wanted" ] || die "$package is not what precompiles/blst.lock expects:" "SHA-512 $got" "not     $wanted"
    tar -xzf "$file" -C "$work" "package/$(field folder)" || die "$file cannot be unpacked"
    printf '%s\n' "$integrity" > "$work/package/$(field folder)/.integrity"
    mkdir -p "$root/third_party"
    rm -rf -- "$sources"
    mv -- "$work/package/$(field folder)" "$sources" 2> /dev/null ||
        [ "$(cat "$sources/.integrity")" = "$integrity" ] # another build was faster
}

# Our own flags, not CFLAGS: assembly gains nothing from sanitizers, and blst asks for these two.
compile() { # folder
    need "$OBJCOPY" binutils "renames the symbols of blst"
    flags='-O2 -g -fno-builtin -fPIC -fvisibility=hidden -w'
    # shellcheck disable=SC2086
    case $($CC -dumpmachine) in
    x86_64*) flags="$flags -D__BLST_PORTABLE__" ;; # asks the processor for ADX when it starts
    aarch64* | arm64*) ;;
    *) flags="$flags -D__BLST_NO_ASM__" ;;
    esac
    # shellcheck disable=SC2086
    $CC $flags -c "$sources/src/server.c" -o "$work/server.o" &&
        $CC $flags -c "$sources/build/assembly.S" -o "$work/assembly.o" &&
        $CC -r -nostdlib "$work/server.o" "$work/assembly.o" -o "$work/blst.o" || die "blst could not be compiled with $CC"
    "$NM" -g --defined-only "$work/blst.o" | sed -n 's/.* \(blst_[a-z0-9_]*\)$/\1/p' | sort -u > "$work/names"
    [ -s "$work/names" ] || die "$NM finds no functions of blst in its object"
    sed 's/.*/& cevm_&/' "$work/names" > "$work/renames"
    "$OBJCOPY" --redefine-syms="$work/renames" "$work/blst.o"
    "$OBJCOPY" --wildcard --keep-global-symbol='cevm_*' "$work/blst.o"
    {
        printf '/* Written by precompiles/blst.sh: the names of blst in our copy of it. */\n'
        sed 's/.*/#define & cevm_&/' "$work/names"
    } > "$work/cevm_blst_names.h"
    mkdir -p "$1"
    mv -f -- "$work/cevm_blst_names.h" "$work/blst.o" "$1/"
}

case ${1:-},$# in
which,1 | fetch,1 | build,2) ;;
*)
    sed -n '3,5s/^# //p' "$0" >&2
    exit 2
    ;;
esac
if [ "$1" = which ]; then
    work=$(mktemp -d)
    which_blst
else
    mkdir -p "$root/third_party" # on the file system of its destination, so that moving is renaming
    work=$(mktemp -d "$root/third_party/.work.XXXXXX")
    fetch
    [ "$1" = fetch ] || compile "$2"
fi
