#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Brings the official test vectors to ethereum-tests/vectors/: from the archives in $CEVM_VECTORS, checked against
# vectors.sha256, or else from the projects that publish them (upstream.txt). Each set is unpacked beside its place and
# then renamed into it; a stamp says from what, so that the work is done once.
#
# `fetch.sh --help` explains the options. Exit codes: 0 everything asked for is there, 1 something is not, 2 usage.

set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# bench/fetch.sh brings other archives with the same script.
sums=${CEVM_VECTORS_SUMS:-$here/vectors.sha256}
variable=${CEVM_VECTORS_VARIABLE:-CEVM_VECTORS}
upstream=${CEVM_VECTORS_UPSTREAM:-$here/upstream.txt}
vectors=${CEVM_VECTORS_OUT:-$here/vectors}
# What the parts that exist today can use.
wanted='eest-state_tests GeneralStateTests LegacyTests eest-blockchain_tests BlockchainTests eest-devnet-supplement
 execution-apis geth-testdata goevmlab EthereumTestsMisc EIP-assets c-kzg-4844'
work=

usage() {
    cat <<EOF
Usage: ethereum-tests/fetch.sh [--list | --check] [--all] [NAME...]

Brings the official test vectors to ethereum-tests/vectors/.
Without NAME: $wanted.

  --all     every set that vectors.sha256 names
  --list    show the sets, and which are there
  --check   say whether the sets are there and current; bring nothing
  --help    this text

CEVM_VECTORS   a folder with the archives (NAME.tar.zst). They are checked against
               ethereum-tests/vectors.sha256. Without it the sets that
               ethereum-tests/upstream.txt lists are downloaded from there.
EOF
}

say() { printf '%s\n' "$*" >&2; }
die() {
    say "fetch.sh: $*"
    exit 1
}

cleanup() { [ -z "$work" ] || rm -rf -- "$work"; }
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

need() { # program, apt package
    command -v "$1" >/dev/null 2>&1 || die "the program '$1' is missing (apt install $2)"
}

sum_of() { awk -v f="$1.tar.zst" '$2 == f { print $1 }' "$sums"; }
upstream_row() { awk -v n="$1" '$1 == n { print $2, $3, $4 }' "$upstream"; }
stamp_of() { cat -- "$vectors/.stamps/$1" 2>/dev/null || true; }

# What the stamp of a set must say now: which archive, or which address, it comes from.
source_of() {
    if [ -n "${CEVM_VECTORS:-}" ] && [ -f "$CEVM_VECTORS/$1.tar.zst" ]; then
        echo "sha256:$(sum_of "$1")"
    else
        upstream_row "$1" | awk '{ print $1 }'
    fi
}

# A set that is there is current when it comes from the pinned archive or the pinned address, whichever is at hand now.
is_current() {
    stamp=$(stamp_of "$1")
    [ -n "$stamp" ] || return 1
    [ "$stamp" = "sha256:$(sum_of "$1")" ] || [ "$stamp" = "$(upstream_row "$1" | awk '{ print $1 }')" ]
}

# Moves everything in $work/new into place and leaves the stamp.
install_set() { # name, stamp
    rm -f -- "$vectors/.stamps/$1"
    for new in "$work"/new/*; do
        place=$vectors/$(basename -- "$new")
        if [ -e "$place" ]; then
            mkdir -p "$work/old"
            mv -- "$place" "$work/old/"
        fi
        mv -- "$new" "$place"
    done
    printf '%s\n' "$2" >"$work/stamp"
    mv -- "$work/stamp" "$vectors/.stamps/$1"
    rm -rf -- "$work"
    work=
}

begin_set() {
    mkdir -p "$vectors/.stamps"
    work=$vectors/.work.$$
    rm -rf -- "$work"
    mkdir -p "$work/new"
}

# Unpacks $1 into $2, counting the KiB on a terminal.
unpack() {
    if [ -t 2 ]; then
        tar -xf "$1" -C "$2" --checkpoint=500 --checkpoint-action=ttyout='\r  unpacked %u0 KiB ' || return 1
        printf '\r\033[K' >&2
    else
        tar -xf "$1" -C "$2"
    fi
}

from_archive() { # name
    archive=$CEVM_VECTORS/$1.tar.zst
    need zstd zstd
    need sha256sum coreutils
    say "$1: checking $archive"
    want=$(sum_of "$1")
    got=$(sha256sum <"$archive" | cut -d' ' -f1)
    if [ "$want" != "$got" ]; then
        say "fetch.sh: $archive is not the archive that $(basename -- "$(dirname -- "$sums")")/$(basename -- "$sums") names"
        say "  expected sha256 $want"
        say "       got sha256 $got"
        return 1
    fi
    begin_set
    say "$1: unpacking"
    if ! unpack "$archive" "$work/new"; then
        say "fetch.sh: $archive cannot be unpacked (is the disk full?)"
        return 1
    fi
    install_set "$1" "sha256:$want"
}

# GitHub's archive of the tests keeps some sets, or parts of sets, packed once more.
unpack_inner() {
    for inner in "$work"/raw/*/fixtures_general_state_tests.tgz "$work"/raw/*/fixtures_blockchain_tests.tgz; do
        [ ! -f "$inner" ] || tar -xzf "$inner" -C "$(dirname -- "$inner")" || return 1
    done
}

# Moves what a row of upstream.txt names to its place: one folder, or several ("top/A,B,C") below one.
take_from_download() { # folder in the archive, name below vectors/
    mkdir -p "$(dirname -- "$work/new/$2")"
    case $1 in
        *,*)
            mkdir "$work/new/$2"
            for part in $(basename -- "$1" | tr ',' ' '); do
                mv -- "$work/raw/$(dirname -- "$1")/$part" "$work/new/$2/" || return 1
            done
            ;;
        *) mv -- "$work/raw/$1" "$work/new/$2" ;;
    esac
}

from_upstream() { # name
    row=$(upstream_row "$1")
    if [ -z "$row" ]; then
        say "fetch.sh: $1 comes only as an archive: set $variable to the folder that holds $1.tar.zst"
        return 1
    fi
    url=${row%% *}
    rest=${row#* }
    inside=${rest% *}
    place=${rest#* }
    need curl curl
    begin_set
    say "$1: downloading $url"
    bar=--silent
    [ ! -t 2 ] || bar=--progress-bar
    if ! curl --fail --location --show-error --retry 2 --connect-timeout 20 $bar -o "$work/download.tar.gz" "$url"; then
        say "fetch.sh: $1 could not be downloaded; set $variable to a folder of archives to work without a network"
        return 1
    fi
    say "$1: unpacking"
    mkdir -p "$work/raw"
    if ! unpack "$work/download.tar.gz" "$work/raw" || ! unpack_inner || ! take_from_download "$inside" "$place"; then
        say "fetch.sh: $url does not hold $inside"
        return 1
    fi
    rm -rf -- "$work/raw" "$work/download.tar.gz"
    install_set "$1" "$url"
}

bring() { # name
    if is_current "$1"; then
        return 0
    fi
    if [ -n "${CEVM_VECTORS:-}" ] && [ -f "$CEVM_VECTORS/$1.tar.zst" ]; then
        from_archive "$1"
    else
        from_upstream "$1"
    fi
}

list() {
    for name in $(awk '{ sub(/\.tar\.zst$/, "", $2); print $2 }' "$sums"); do
        state='not here'
        if is_current "$name"; then
            state='unpacked'
        elif [ -n "$(stamp_of "$name")" ]; then
            state='outdated'
        elif [ -n "$(source_of "$name")" ]; then
            state="can be had from $(if [ -f "${CEVM_VECTORS:-/nonexistent}/$name.tar.zst" ]; then echo "\$$variable"; else echo upstream; fi)"
        fi
        printf '%-24s %s\n' "$name" "$state"
    done
}

mode=bring
names=
for arg in "$@"; do
    case $arg in
        --help | -h)
            usage
            exit 0
            ;;
        --list) mode=list ;;
        --check) mode=check ;;
        --all) names=$(awk '{ sub(/\.tar\.zst$/, "", $2); print $2 }' "$sums") ;;
        -*)
            say "fetch.sh: unknown option $arg (--help lists the options)"
            exit 2
            ;;
        *)
            if [ -z "$(sum_of "$arg")" ]; then
                say "fetch.sh: no set is called $arg (--list names them)"
                exit 2
            fi
            names="$names $arg"
            ;;
    esac
done
names=${names:-$wanted}

if [ -n "${CEVM_VECTORS:-}" ] && [ ! -d "$CEVM_VECTORS" ]; then
    die "$variable is '$CEVM_VECTORS', which is no folder"
fi

case $mode in
    list)
        list
        exit 0
        ;;
    check)
        missing=
        for name in $names; do
            is_current "$name" || missing="$missing $name"
        done
        [ -z "$missing" ] || die "not here or outdated:$missing"
        exit 0
        ;;
esac

# One at a time: two runs would move the same folders.
mkdir -p "$vectors"
if command -v flock >/dev/null 2>&1; then
    exec 9>"$vectors/.lock"
    flock 9
fi
failed=
count=0
total=$(echo $names | wc -w)
for name in $names; do
    count=$((count + 1))
    is_current "$name" || say "[$count/$total] $name"
    if ! bring "$name"; then
        failed="$failed $name"
    fi
    cleanup
    work=
done
[ -z "$failed" ] || die "could not bring:$failed"
