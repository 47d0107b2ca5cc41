#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Usage: .ci/setup.sh run|check
#
# Looks for what building (run) or building and testing (check) takes, says what is missing and why, and installs it with
# apt (as root or through sudo). NO_INSTALL=1 installs nothing: what is missing is named, and the script fails.
# Everything is looked for by what it gives (a command, a header), so parts that did not come from apt count too.
set -u

purpose=${1:-run}
cc=${CC:-cc}
build=${BUILD:-build}
missing=''

need() { # package, what for
    missing="$missing $1"
    printf '  %-22s %s\n' "$1" "$2" >&2
}

command_needed() { # command, package, what for
    command -v "$1" > /dev/null 2>&1 || need "$2" "$3"
}

header_needed() { # header, package, what for
    if command -v "$cc" > /dev/null 2>&1; then
        # cmocka.h does not compile without these three.
        printf '#include <stdarg.h>\n#include <stddef.h>\n#include <setjmp.h>\n#include <stdint.h>\n#include <%s>\n' "$1" |
            "$cc" -x c -fsyntax-only - 2> /dev/null && return
    else
        for folder in /usr/include /usr/local/include /usr/include/*-linux-gnu; do
            [ -f "$folder/$1" ] && return
        done
    fi
    need "$2" "$3"
}

# blst comes from an npm package unless the system has one, it is there already, or it is not wanted.
blst_needed() {
    case ${BLST:-auto} in none | system) return ;; esac
    [ -f third_party/blst/.integrity ] && return
    [ -n "${BLST_PACKAGE:-}" ] && return
    command -v "$cc" > /dev/null 2>&1 && [ "$(CC=$cc precompiles/blst.sh which 2> /dev/null)" = system ] && return
    command_needed objcopy binutils "builds blst into the library"
    command_needed npm npm "brings the sources of blst, for the BLS12-381 and KZG precompiles"
}

fuzzer_needed() {
    for clang in ${CLANG:-clang-19 clang-18 clang-17 clang-16 clang-15 clang-14 clang}; do
        command -v "$clang" > /dev/null 2>&1 || continue
        runtime=$("$clang" -print-file-name=libclang_rt.fuzzer.a 2> /dev/null)
        [ -f "$runtime" ] && return
        # clang 14 on Debian names the file after the architecture.
        [ -f "$("$clang" -print-resource-dir)/lib/linux/libclang_rt.fuzzer-$(uname -m).a" ] && return
    done
    need clang-14 "a second compiler; builds the fuzzers"
    need libclang-rt-14-dev "clang's runtime for fuzzers and sanitizers"
}

find_missing() {
    missing=''
    command_needed "$cc" gcc "C compiler"
    header_needed stdio.h libc6-dev "headers of the C library"
    header_needed gmp.h libgmp-dev "big numbers, for the MODEXP precompile"
    header_needed secp256k1_recovery.h libsecp256k1-dev "signatures: ecrecover and transaction senders"
    header_needed openssl/evp.h libssl-dev "SHA-256 and RIPEMD-160 (libcrypto)"
    header_needed jansson.h libjansson-dev "JSON: test vectors and input of the program"
    header_needed lmdb.h liblmdb-dev "LMDB: the store on disk"
    header_needed curl/curl.h libcurl4-openssl-dev "libcurl: the state of a node elsewhere (loaded when it is used)"
    header_needed microhttpd.h libmicrohttpd-dev "HTTP: the program's node and t8n-server"
    header_needed wslay/wslay.h libwslay-dev "WebSocket: the program's node"
    header_needed zlib.h zlib1g-dev "gzip: packed states of the program's node (loaded when it is used)"
    blst_needed
    [ "$purpose" = run ] && return
    header_needed cmocka.h libcmocka-dev "unit tests"
    command_needed g++ g++ "checks that the public headers compile as C++"
    command_needed zstd zstd "unpacks the official test vectors"
    command_needed clang-format-14 clang-format-14 "checks the formatting"
    command_needed node nodejs "runs real clients (ethers, viem, web3.js) against the node"
    command_needed npm npm "brings those clients"
    command_needed curl curl "downloads the official test vectors"
    command_needed python3 python3 "drives the node as hostile clients do"
    [ -e /etc/ssl/certs/ca-certificates.crt ] || [ -d /etc/pki/tls ] || need ca-certificates "lets curl trust the servers"
    fuzzer_needed
}

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

header='cevm: missing on this machine:'
found=$(find_missing 2>&1)
[ -z "$found" ] && exit 0
printf '%s\n%s\n' "$header" "$found" >&2
find_missing 2> /dev/null
command="apt-get install -y --no-install-recommends$missing"

if [ "${NO_INSTALL:-0}" != 0 ]; then
    fail "NO_INSTALL is set, so nothing was installed. On Debian or Ubuntu:" "  $command"
fi
command -v apt-get > /dev/null 2>&1 ||
    fail "There is no apt-get here. Install what is named above (these are Debian's names) and run this again."
as_root=''
if [ "$(id -u)" != 0 ]; then
    command -v sudo > /dev/null 2>&1 || fail "Installing takes root or sudo. As root:" "  $command"
    as_root=sudo
fi

mkdir -p "$build"
log=$build/setup.log
apt() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Acquire::Retries=2 -o Acquire::http::Timeout=30 \
        -o APT::Update::Error-Mode=any "$@" < /dev/null >> "$log" 2>&1
}

echo "cevm: installing them with apt; the details go to $log" >&2
: > "$log"
# shellcheck disable=SC2086 # one word a package
if ! apt update || ! apt install --no-install-recommends $missing; then
    grep -E '^(E|Err|W):' "$log" | head -n 4 | sed 's/^/  /' >&2
    fail "cevm: apt could not fetch or install:$missing" \
        "Check the network and apt's sources, then run this again; or install them yourself:" "  $command"
fi
still=$(find_missing 2>&1)
[ -z "$still" ] || fail "cevm: apt says it installed everything, yet these are not found:" "$still"
