#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs random state tests through cevm and through another EVM that has geth's command line, and compares state roots
and, step by step, traces: what fuzzers of the network compare (depth, pc, gas, opcode, the last six words of the stack).

    tests/diff/diff.py --peer path/to/evm [--seed N] [--count N] [--rounds N] [--no-trace]

Exit status: 0 all equal, 1 a difference (the test is kept and named), 2 something could not be run."""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from random_state_tests import write_tests


def run(binary, paths, trace):
    """Standard output and error of BINARY statetest, which gets the names of the tests on its standard input."""
    command = [binary, "statetest"] + (["--trace", "--trace.format", "json"] if trace else [])
    names = "".join("%s\n" % path for path in paths)
    done = subprocess.run(command, input=names, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit("%s: exit status %d\n%s" % (" ".join(command), done.returncode, done.stderr[-2000:]))
    return done.stderr


def executions(text):
    """Splits a trace at its state roots: for each test its steps and its root. STOP is left out, as fuzzers do."""
    steps = []
    for line in text.splitlines():
        if not line.startswith("{"):
            continue
        entry = json.loads(line)
        if "stateRoot" in entry:
            yield steps, entry["stateRoot"]
            steps = []
        elif "pc" in entry and entry["op"] != 0:
            steps.append((entry["depth"], entry["pc"], entry["gas"], entry["op"], tuple((entry.get("stack") or [])[-6:])))


def first_difference(ours, theirs):
    for i, (a, b) in enumerate(zip(ours[0], theirs[0])):
        if a != b:
            return "step %d: cevm %s, peer %s" % (i, a, b)
    if len(ours[0]) != len(theirs[0]):
        return "cevm made %d steps, the peer %d" % (len(ours[0]), len(theirs[0]))
    return "state root: cevm %s, peer %s" % (ours[1], theirs[1]) if ours[1] != theirs[1] else None


def compare(options, seed, folder):
    """One round; returns the number of differences and of steps compared."""
    paths = write_tests(folder, seed, options.count)
    ours = list(executions(run(options.cevm, paths, options.trace)))
    theirs = list(executions(run(options.peer, paths, options.trace)))
    if len(ours) != len(paths) or len(theirs) != len(paths):
        sys.exit("%d tests, but cevm gave %d roots and the peer %d" % (len(paths), len(ours), len(theirs)))
    bad = 0
    for path, a, b in zip(paths, ours, theirs):
        difference = first_difference(a, b)
        if difference is not None:
            kept = pathlib.Path("diff-%d-%s" % (seed, path.name))
            shutil.copy(path, kept)
            print("%s: %s" % (kept, difference))
            bad += 1
    return bad, sum(len(steps) for steps, _ in ours)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", required=True, help="an EVM with geth's `evm statetest`")
    parser.add_argument("--cevm", default="build/cevm")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--count", type=int, default=500, help="tests a round")
    parser.add_argument("--rounds", type=int, default=1, help="rounds, each with the next seed")
    parser.add_argument("--no-trace", dest="trace", action="store_false", help="compare roots only")
    options = parser.parse_args()
    bad = steps = 0
    for seed in range(options.seed, options.seed + options.rounds):
        with tempfile.TemporaryDirectory() as folder:
            found, made = compare(options, seed, pathlib.Path(folder))
        bad, steps = bad + found, steps + made
    print("SEED=%d: %d tests, %d steps, %d differ" % (options.seed, options.count * options.rounds, steps, bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
