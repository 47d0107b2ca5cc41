#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs into a staging folder and builds the example of README.md against nothing but what was installed: the headers, the
# library and the pkg-config file must be enough, and the program must print what README.md says.
. "$(dirname "$0")/../check/tap.inc"
CC=${CC:-cc}
stage=$(realpath -m "$BUILD")/stage
rm -rf "$stage"

check "make install" "$(MAKEFLAGS= make BUILD="$BUILD" DESTDIR="$stage" PREFIX=/usr install 2>&1 > /dev/null)"

# What pkg-config --static would answer, read without it.
pc=$stage/usr/lib/pkgconfig/cevm.pc
libs=$(sed -n 's/^Libs.private: //p' "$pc")
check "the pkg-config file names the version of the program" "$(
    version=$(sed -n 's/^Version: //p' "$pc")
    "$stage/usr/bin/cevm" --version | grep -qF "$version" || echo "Version: $version in cevm.pc is not the program's")"
check "the program is installed as evm too" "$(
    "$stage/usr/bin/evm" -v 2>&1 | grep -q '^evm version' || echo "evm -v does not begin with 'evm version'")"

cp tests/embed/embed.c "$stage/embed.c"
# shellcheck disable=SC2086 # several libraries
check "the example builds from what was installed" "$(cd "$stage" &&
    $CC -std=c17 -Wall -Wextra -Werror -Iusr/include embed.c -o embed usr/lib/libcevm.a $libs 2>&1)"
check "the example prints what its last comment says" "$(
    diff <(sed -n 's|^// prints: ||p' tests/embed/embed.c) <("$stage/embed" 2>&1))"

if command -v pkg-config > /dev/null; then
    # shellcheck disable=SC2046 # several flags
    check "pkg-config's cevm-static gives a program that needs no library of ours" "$(cd "$stage" &&
        $CC embed.c -o embed_static $(PKG_CONFIG_PATH=usr/lib/pkgconfig pkg-config --define-variable=prefix="$stage/usr" \
            --cflags --libs cevm-static) 2>&1 && ./embed_static > /dev/null && objdump -p embed_static | grep 'NEEDED.*cevm')"
else
    skip "pkg-config's cevm-static gives a program that needs no library of ours" "pkg-config is not installed"
fi

# The shared library, as a compiler finds it by default, and from C++ too.
check "the example builds with the shared library" "$(cd "$stage" &&
    $CC -std=c17 -Wall -Wextra -Werror -Iusr/include embed.c -o embed_shared -Lusr/lib -lcevm 2>&1)"
check "the example runs with the shared library" "$(
    diff <(sed -n 's|^// prints: ||p' tests/embed/embed.c) <(LD_LIBRARY_PATH=$stage/usr/lib "$stage/embed_shared" 2>&1))"
# The lines for CMake are those of docs/embedding/README.md, with a program to go by its name.
lines=$(sed -n '/With CMake:$/,/^[^ ]/ { /^    /s/^    //p }' docs/embedding/README.md)
check "docs/embedding/README.md has lines for CMake" "$(
    for line in 'find_package(cevm ' 'target_link_libraries(program '; do
        grep -qF "$line" <<< "$lines" || echo "no $line"
    done)"
if command -v cmake > /dev/null; then
    mkdir -p "$stage/cmake"
    cat > "$stage/cmake/CMakeLists.txt" << END
cmake_minimum_required(VERSION 3.13)
project(example C)
add_executable(program ../embed.c)
$lines
find_package(cevm 0.1 REQUIRED)
add_executable(program_static ../embed.c)
target_link_libraries(program_static PRIVATE cevm::static)
END
    check "CMake finds both libraries" "$(cd "$stage/cmake" &&
        { cmake -S . -B build -DCMAKE_C_COMPILER="$CC" -DCMAKE_PREFIX_PATH="$stage/usr" && cmake --build build; } > log 2>&1 || tail -n 5 log)"
    for name in program program_static; do
        check "the CMake $name runs" "$(
            diff <(sed -n 's|^// prints: ||p' tests/embed/embed.c) <("$stage/cmake/build/$name" 2>&1))"
    done
else
    skip "CMake finds both libraries" "cmake is not installed"
fi

# The programs of docs/embedding. Each prints what its last lines say, from C and from C++ headers that were installed.
samples=$(realpath ethereum-tests/chain-samples)
for name in host backend tracer chain; do
    source=docs/embedding/$name.c
    cp "$source" "$stage/$name.c"
    # shellcheck disable=SC2086 # several libraries
    check "$name.c builds from what was installed" "$(cd "$stage" &&
        $CC -std=c17 -Wall -Wextra -Wpedantic -Werror -Iusr/include "$name.c" -o "$name" usr/lib/libcevm.a $libs 2>&1)"
    [ "$name" = chain ] && arguments=("$samples/genesis.json" "$samples/chain.rlp") || arguments=()
    check "$name.c prints what it says" "$(
        diff <(sed -n 's|^// prints: ||p' "$source") <("$stage/$name" ${arguments[@]+"${arguments[@]}"} 2>&1))"
    page=docs/embedding/README.md
    [ "$name" = chain ] && page=docs/embedding/chain.md
    listing=$(awk -v name="$name.c" '/^## / { here = index($0, "`" name "`") != 0 || name == "chain.c" }
        /^```$/ { on = 0 } on { print } /^```c$/ && here { on = 1 }' "$page")
    check "$page shows $name.c" "$(diff <(echo "$listing") <(tail -n +2 "$source") | head -n 10)"
done

# The programs behind store.md and remote.md, whose listings are parts of them: no network, and each its own files.
# listings PAGE FILE: the listings of a page that do not stand in a file as they are.
listings() {
    local text line block='' on=0 count=0
    text=$(cat "$2")
    while IFS= read -r line; do
        if [ "$on" = 0 ]; then
            [ "$line" = '```c' ] && on=1 block=''
            [[ $line =~ ^'    ' ]] && echo "a listing that is in no program: $line"
        elif [ "$line" = '```' ]; then
            on=0 count=$((count + 1))
            [[ $text == *"$block"* ]] || printf 'not in %s: %s\n' "$2" "$block"
        else
            block+=$line$'\n'
        fi
    done < "$1"
    [ "$count" -gt 0 ] && [ "$on" = 0 ] || echo "$1 has no listing, or one without an end"
}
for name in store remote; do
    source=docs/embedding/$name.c
    cp "$source" "$stage/$name.c"
    # shellcheck disable=SC2086 # several libraries
    check "$name.c builds from what was installed" "$(cd "$stage" &&
        $CC -std=c17 -Wall -Wextra -Wpedantic -Werror -Iusr/include "$name.c" -o "$name" usr/lib/libcevm.a $libs 2>&1)"
    [ "$name" = store ] && arguments=(store.folder "$samples/genesis.json" "$samples/chain.rlp") || arguments=(remote.cache)
    check "$name.c prints what it says" "$(
        diff <(sed -n 's|^// prints: ||p' "$source") <(cd "$stage" && "./$name" "${arguments[@]}" 2>&1))"
    check "docs/embedding/$name.md shows parts of $name.c" "$(listings "docs/embedding/$name.md" "$source" | head -n 10)"
done

# The machines for EVMC, as its loader finds them: only their entry points are to be seen, and nothing of ours is needed.
for abi in 12 18; do
    machine=$stage/usr/lib/libcevm-evmc$abi.so
    check "libcevm-evmc$abi.so exports what EVMC's loader looks for" "$(
        diff <(printf '%s\n' evmc_create "evmc_create_cevm_evmc$abi") \
            <(nm -D --defined-only "$machine" | awk '{ print $3 }' | grep -v '^__' | sort))"
    check "libcevm-evmc$abi.so needs no other library of ours" "$(objdump -p "$machine" | grep 'NEEDED.*cevm')"
done

# The listing in README.md is the file, so that it compiles.
listing=$(awk '/^```c$/ { on = 1; next } /^```$/ { on = 0 } on' README.md)
check "README.md shows this file" "$(diff <(echo "$listing") <(tail -n +2 tests/embed/embed.c) | head -n 10)"

"$stage/embed" > /dev/null 2>&1 || echo "# the example could not run"
make BUILD="$BUILD" DESTDIR="$stage" PREFIX=/usr uninstall > /dev/null 2>&1
check "make uninstall leaves nothing behind" "$(find "$stage/usr" -type f -o -type l 2> /dev/null)"
