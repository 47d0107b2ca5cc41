#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ethereum-tests/fetch.sh on small archives of its own: verified, unpacked once, never half, downloaded where there is none.
. "$(dirname "$0")/../check/tap.inc"

for tool in zstd curl tar sha256sum; do
    if ! command -v $tool > /dev/null; then
        skip "fetch.sh" "$tool is not installed"
        exit 0
    fi
done
work=$(mktemp -d)
trap 'rm -rf "$work"; echo "1..$tap_count"' EXIT
unset CEVM_VECTORS CEVM_VECTORS_OUT CEVM_VECTORS_UPSTREAM
mkdir -p "$work/repo" "$work/archives" "$work/make"
cp ethereum-tests/fetch.sh "$work/repo/"
fetch=$work/repo/fetch.sh
vectors=$work/repo/vectors

# pack NAME TOP TEXT: an archive with TOP/file.json.
pack() {
    rm -rf "${work:?}/make/$2"
    mkdir -p "$work/make/$2"
    echo "$3" > "$work/make/$2/file.json"
    tar -C "$work/make" --zstd -cf "$work/archives/$1.tar.zst" "$2"
}
sums() { (cd "$work/archives" && sha256sum ./*.tar.zst | sed 's|\./||') > "$work/repo/vectors.sha256"; }

pack one first old
pack two second old
sums
tar -C "$work/make" -czf "$work/upstream.tar.gz" first
echo "one file://$work/upstream.tar.gz first first" > "$work/repo/upstream.txt"
export CEVM_VECTORS=$work/archives

"$fetch" --check one two > /dev/null 2>&1
expect "--check before: not there" 1 $?
"$fetch" one two > /dev/null 2>&1
expect "two archives: exit status" 0 $?
expect "two archives: unpacked" "old old" "$(cat "$vectors/first/file.json" "$vectors/second/file.json" | tr '\n' ' ' | sed 's/ $//')"
"$fetch" --check one two > /dev/null 2>&1
expect "--check after: there" 0 $?
expect "nothing is left beside them" "first second" "$(cd "$vectors" && echo *)"

echo mine > "$vectors/first/file.json"
"$fetch" one > /dev/null 2>&1
expect "what is there is not unpacked again" mine "$(cat "$vectors/first/file.json")"
pack one first new
sums
"$fetch" --check one > /dev/null 2>&1
expect "another archive makes it outdated" 1 $?
"$fetch" one > /dev/null 2>&1
expect "another archive is unpacked in its place" new "$(cat "$vectors/first/file.json")"

pack two second newer
message=$("$fetch" two 2>&1)
expect "an archive whose sum is still the old one is current" 0 $?
rm "$vectors/.stamps/two"
message=$("$fetch" two 2>&1)
expect "an archive with another sum: exit status" 1 $?
expect "an archive with another sum: message" 1 "$(grep -c 'is not the archive that' <<< "$message")"
expect "an archive with another sum: nothing is touched" old "$(cat "$vectors/second/file.json")"

head -c 100 "$work/archives/two.tar.zst" > "$work/cut"
mv "$work/cut" "$work/archives/two.tar.zst"
sums
"$fetch" two > /dev/null 2>&1
expect "an archive that is cut: exit status" 1 $?
expect "an archive that is cut: nothing is touched" old "$(cat "$vectors/second/file.json")"
expect "an archive that is cut: nothing is left" "first second" "$(cd "$vectors" && echo *; ls -d "$vectors"/.work* 2> /dev/null)"

unset CEVM_VECTORS
rm -rf "$vectors"
message=$("$fetch" two 2>&1)
expect "no archive and no address: exit status" 1 $?
expect "no archive and no address: message" 1 "$(grep -c 'set CEVM_VECTORS' <<< "$message")"
"$fetch" one > /dev/null 2>&1
expect "a download: exit status" 0 $?
expect "a download: unpacked" old "$(cat "$vectors/first/file.json")"
mkdir -p "$work/make/top/a" "$work/make/top/b" "$work/make/inner/a/c"
touch "$work/make/top/a/1" "$work/make/top/b/2" "$work/make/inner/a/c/3"
tar -C "$work/make/inner" -czf "$work/make/top/fixtures_blockchain_tests.tgz" a
tar -C "$work/make" -czf "$work/folders.tar.gz" top
echo "two file://$work/folders.tar.gz top/a,b deep/second" >> "$work/repo/upstream.txt"
"$fetch" two > /dev/null 2>&1
expect "a download of two folders, one with an archive in the archive" "a/1 a/c/3 b/2" \
    "$(cd "$vectors/deep/second" && find . -type f | sed 's|^./||' | sort | tr '\n' ' ' | sed 's/ $//')"
rm -rf "$vectors" "$work/upstream.tar.gz"
message=$("$fetch" one 2>&1)
expect "a download that fails: exit status" 1 $?
expect "a download that fails: message" 1 "$(grep -c 'could not be downloaded' <<< "$message")"
expect "a download that fails: nothing is left" "" "$(cd "$vectors" && ls)"
CEVM_VECTORS=$work/nowhere "$fetch" one > /dev/null 2>&1
expect "CEVM_VECTORS that is no folder" 1 $?
"$fetch" three > /dev/null 2>&1
expect "a set nobody knows" 2 $?
"$fetch" --nonsense > /dev/null 2>&1
expect "an unknown option" 2 $?
expect "--list names the sets" "one two" "$("$fetch" --list | cut -d' ' -f1 | tr '\n' ' ' | sed 's/ $//')"
