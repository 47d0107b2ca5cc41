#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Searches for the inputs of MODEXP that buy the most time for their gas.

    bench/modexp_search.py [--cevm build/cevm] [--fork Berlin] [--seed 1] [--seconds 60] [--write FILE]

Begins with inputs of every shape (odd and even moduli, powers of two, exponents of all ones, alternating, random or a single
bit, bases of other lengths), then changes the worst of them at random: lengths, bits, factors of two. Each generation is
timed by `cevm precompile --vectors FILE --bench`, against the remainders of Python's pow(), so that a wrong one ends the
search. Prints the worst inputs, one of each shape, and writes them as vectors in go-ethereum's form.

The three pricings are EIP-198's (--fork Byzantium), EIP-2565's (Berlin) and EIP-7883's (Osaka). Calls below --least gas are left out:
at EIP-198's prices a call may be free, and what is paid is the CALL.
"""
import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time

GENERATION = 60
MOST_GAS = 400_000  # longer calls are as slow for their gas, and take longer to measure
LINE = re.compile(r"^(c\d+) +(\d+) gas +(\d+) ns +([0-9.]+) Mgas/s$")


class Input:
    """The three numbers, as bytes, and a word for their shape."""

    def __init__(self, base, exponent, modulus, shape):
        self.parts = (base, exponent, modulus)
        self.shape = shape

    def hex(self):
        return ("".join("%064x" % len(p) for p in self.parts)) + "".join(p.hex() for p in self.parts)

    def expected(self):
        base, exponent, modulus = (int.from_bytes(p, "big") for p in self.parts)
        size = len(self.parts[2])
        return (pow(base, exponent, modulus) if modulus > 1 else 0).to_bytes(size, "big").hex()

    def lengths(self):
        return tuple(len(p) for p in self.parts)


def gas_of(i, fork):
    """The EIPs' prices; used to keep the search within bounds, cevm's own are what is reported."""
    base, exponent, modulus = i.lengths()
    n = max(base, modulus)
    head = int.from_bytes(i.parts[1][:32], "big")
    bits = max(head.bit_length() - 1, 0)
    if exponent > 32:
        bits += (16 if fork == "Osaka" else 8) * (exponent - 32)
    words = (n + 7) // 8
    if fork == "Osaka":
        return max(500, (16 if n <= 32 else 2 * words * words) * max(bits, 1))
    if fork == "Berlin":
        return max(200, words * words * max(bits, 1) // 3)
    square = n * n if n <= 64 else n * n // 4 + 96 * n - 3072 if n <= 1024 else n * n // 16 + 480 * n - 199680
    return square * max(bits, 1) // 20


def number(r, size, kind):
    bits = 8 * size
    if bits == 0:
        return b""
    ones = (1 << bits) - 1
    value = {
        "ones": ones,
        "alternating": ones // 3,
        "single": 1 << (bits - 1),
        "three": min(3, ones),
        "random": r.getrandbits(bits) | 1 << (bits - 1),
    }[kind]
    return value.to_bytes(size, "big")


def modulus(r, size, kind):
    bits = 8 * size
    value = r.getrandbits(bits) | 1 << (bits - 1) | 1
    zeros = {"odd": 0, "even": 1, "half": bits // 2, "limb": min(64, bits - 1), "power": bits - 1}[kind]
    return (value >> zeros << zeros).to_bytes(size, "big")


def random_input(r, fork):
    size = r.choice([1, 2, 3, 4, 7, 8, 8, 9, 15, 16, 17, 23, 24, 31, 32, 33, 40, 48, 64, 65, 96, 120, 128, 192, 256, 512, 1024])
    kind = r.choice(["odd", "odd", "even", "half", "limb", "power"])
    pattern = r.choice(["ones", "ones", "alternating", "single", "three", "random"])
    length = r.choice([1, 1, 2, 3, 4, 5, 8, 9, 16, 24, 32, 33, 40, 64, 75, 80, 96, 128, 256, 512, 1024])
    base = r.choice([size, size, size, 1, max(1, size - 1), size + 8, 2 * size])
    return Input(number(r, min(base, 1024), r.choice(["random", "ones"])), number(r, length, pattern), modulus(r, size, kind),
                 "%s modulus, exponent %s" % (kind, pattern))


def changed(r, i):
    parts = [bytearray(p) for p in i.parts]
    for _ in range(r.choice([1, 1, 2, 3])):
        part = parts[r.randrange(3)]
        what = r.randrange(5)
        if what == 0 and len(part) < 1024:
            part.insert(r.randrange(len(part) + 1), r.choice([0, 255, r.randrange(256)]))
        elif what == 1 and len(part) > 1:
            del part[r.randrange(len(part))]
        elif what == 2 and part:
            part[r.randrange(len(part))] ^= 1 << r.randrange(8)
        elif what == 3 and part:
            part[-1] &= r.choice([0xFE, 0xF0, 0])
        elif part:
            part[0] = r.choice([255, 128, 1, part[0]])
    return Input(*(bytes(p) for p in parts), i.shape)


def measure(options, inputs):
    """(Mgas/s, gas, ns, input) of each."""
    vectors = [{"Name": "c%d" % k, "Input": i.hex(), "Expected": i.expected()} for k, i in enumerate(inputs)]
    with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as f:
        json.dump(vectors, f)
    done = subprocess.run([options.cevm, "precompile", "--vectors", f.name, "--bench", "--fork", options.fork, "MODEXP"],
                          capture_output=True, text=True, check=False)
    os.unlink(f.name)
    if done.returncode != 0:
        sys.exit("cevm disagrees with pow():\n%s%s" % (done.stdout, done.stderr))
    found = []
    for line in done.stdout.splitlines():
        m = LINE.match(line)
        if m:
            gas, ns = int(m.group(2)), max(float(m.group(3)), 1)
            found.append((gas * 1e3 / ns, gas, ns, inputs[int(m.group(1)[1:])]))
    return found


def search(options):
    r = random.Random(options.seed)
    best = []
    end = time.monotonic() + options.seconds
    rounds = 0
    while time.monotonic() < end:
        inputs = []
        while len(inputs) < GENERATION:
            old = best and rounds > 4 and r.random() < 0.7
            i = changed(r, r.choice(best)[3]) if old else random_input(r, options.fork)
            if options.least <= gas_of(i, options.fork) <= MOST_GAS and i.lengths()[2] > 0:
                inputs.append(i)
        best = sorted(best + measure(options, inputs), key=lambda b: b[0])
        seen = {}
        kept = []
        for b in best:  # at most a few of a shape and size of modulus, so that one does not crowd out the others
            key = (b[3].shape, len(b[3].parts[2]))
            seen[key] = seen.get(key, 0) + 1
            if seen[key] <= 2:
                kept.append(b)
        best = kept[:40]
        rounds += 1
    return measure(options, [b[3] for b in best])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cevm", default="build/cevm")
    parser.add_argument("--fork", default="Osaka", choices=["Byzantium", "Berlin", "Osaka"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--least", type=int, default=200)
    parser.add_argument("--write")
    options = parser.parse_args()
    found = sorted(search(options), key=lambda b: b[0])
    vectors = []
    shapes = set()
    for mgas, gas, ns, i in found:
        shape = (i.shape, len(i.parts[2]))
        if shape in shapes or len(vectors) == 10:
            continue
        shapes.add(shape)
        name = "%d-%d-%d %s" % (i.lengths() + (i.shape,))
        print("%8.1f Mgas/s %8d gas %10.0f ns  %s" % (mgas, gas, ns, name))
        vectors.append({"Input": i.hex(), "Expected": i.expected(), "Gas": gas, "Name": name})
    if options.write:
        with open(options.write, "w", encoding="ascii") as f:
            json.dump(vectors, f, indent=1)
            f.write("\n")


if __name__ == "__main__":
    main()
