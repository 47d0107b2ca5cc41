#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs random blocks through `cevm t8n` and another program with the command line of geth's `evm t8n`, and compares the
exit status and, as JSON values, the state afterwards, the result and the body.

    tests/diff/diff_t8n.py --peer path/to/evm [--seed N] [--count N] [--server] [--trace] [--tracers] [--ignore KEY...]

--trace and --tracers compare what instructions and the named tracers show as well. --server sends cevm's share to one `cevm t8n-server`. --ignore leaves keys of the result and of its receipts out, for
peers that lack them ("error": what a refusal says). Exit status: 0 all equal, 1 a difference (the input is kept and
named), 2 something could not be run."""

import argparse
import http.client
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time

from random_blocks import BlockGenerator

PARTS = ("alloc", "result", "body")


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class Server:
    """One `cevm t8n-server` for all blocks."""

    def __init__(self, binary, folder):
        self.path = os.path.join(folder, "t8n.sock")
        self.process = subprocess.Popen([binary, "t8n-server", "--uds", self.path])
        for _ in range(500):
            if os.path.exists(self.path):
                return
            time.sleep(0.01)
        sys.exit("the server does not come up")

    def run(self, fork, reward, block):
        connection = UnixConnection(self.path)
        request = {"state": {"fork": fork, "chainid": 1, "reward": reward}, "input": block}
        connection.request("POST", "/", json.dumps(request))
        response = connection.getresponse()
        answer = json.loads(response.read())
        connection.close()
        if response.status != 200:
            return answer["code"], answer
        if "blockException" in answer["result"]:  # what the command ends with status 2 for
            return 2, {}
        return 0, answer

    def stop(self):
        self.process.terminate()
        if self.process.wait(timeout=60) != 0:
            sys.exit("the server ended with status %d" % self.process.returncode)


def run(command, fork, reward, block, more=()):
    """Exit status and output of a t8n command."""
    arguments = command + ["--state.fork", fork, "--state.reward", str(reward), "--output.body", "stdout"]
    arguments += ["--input.%s=stdin" % k for k in ("alloc", "env", "txs")]
    arguments += ["--output.%s=stdout" % k for k in ("alloc", "result")] + list(more)
    done = subprocess.run(arguments, input=json.dumps(block), capture_output=True, text=True, check=False)
    if done.returncode not in (0, 2, 3, 4, 10, 11, 12):
        return done.returncode, {"stderr": done.stderr[-500:]}
    return done.returncode, json.loads(done.stdout) if done.returncode == 0 else {"stderr": done.stderr}


def comparable(trace):
    """A trace without what is known to differ: one opcode has two names, of which geth keeps the older; and what an
    instruction would have cost that ran out of gas, and why a precompiled contract failed, geth words by its own insides."""
    lines = []
    for line in trace.replace("DIFFICULTY", "PREVRANDAO").splitlines():
        if '"error":"' in line:
            line = re.sub(r'"error":"[^"]*"', '"error"', re.sub(r'"(gasCost|refund)":"?[0-9a-fx]+"?,', "", line))
        lines.append(line)
    return "\n".join(lines)


def first_line(ours, theirs):
    """The first line of two texts that differs, in words."""
    for i, (a, b) in enumerate(zip(ours.splitlines() + ["(the end)"], theirs.splitlines() + ["(the end)"])):
        if a != b:
            return "line %d: cevm %.400s, peer %.400s" % (i + 1, a, b)
    return "one is longer"


def compare_traces(options, peer, block):
    """Differences between the trace files and instruction counts of both; None when there is none."""
    flags = ["--trace", "--trace.callframes", "--trace.memory", "--trace.returndata", "--opcode.count=count.json"]
    with tempfile.TemporaryDirectory() as ours, tempfile.TemporaryDirectory() as theirs:
        status = [run(command, *block, flags + ["--output.basedir=" + folder])[0]
                  for command, folder in (([options.cevm, "t8n"], ours), (peer, theirs))]
        if status[0] != 0 or status[1] != 0:
            return None
        names = [sorted(os.listdir(folder)) for folder in (ours, theirs)]
        if names[0] != names[1]:
            return "files: cevm %s, peer %s" % (set(names[0]) - set(names[1]), set(names[1]) - set(names[0]))
        for name in names[0]:
            a, b = (comparable(pathlib.Path(folder, name).read_text()) for folder in (ours, theirs))
            if (json.loads(a) != json.loads(b)) if name == "count.json" else a != b:
                return "%s: %s" % (name, first_line(a, b))
    return None


TRACERS = (("callTracer", {}), ("callTracer", {"withLog": True}), ("callTracer", {"onlyTopCall": True, "withLog": True}),
           ("flatCallTracer", {}), ("flatCallTracer", {"convertParityErrors": True, "includePrecompiles": True}),
           ("prestateTracer", {}), ("prestateTracer", {"diffMode": True}), ("prestateTracer", {"includeEmpty": True}),
           ("prestateTracer", {"diffMode": True, "disableCode": True, "disableStorage": True}), ("4byteTracer", {}),
           ("keccak256PreimageTracer", {}), ("noopTracer", {}), ("opcountTracer", {}), ("unigramTracer", {}),
           ("erc7562Tracer", {"withLog": True}), ("muxTracer", {"callTracer": {"withLog": True}, "prestateTracer": {}}))


UNTOLD = ("blockNumber", "transactionHash", "logs")
NEVER_THERE = {"codeHash": "0x" + "00" * 32}
SYSTEM_ADDRESS = "0xfffffffffffffffffffffffffffffffffffffffe"


def comparable_value(value):
    """What a tracer gave, without what is known to differ: what geth's program does not tell its tracers, DIFFICULTY's
    name, in what words gas ran out, a byte is no opcode or a precompiled contract failed, and the change that geth's prestateTracer sees in an
    account that was looked at but is not there."""
    if isinstance(value, dict):
        value = {k.replace("DIFFICULTY", "PREVRANDAO"): comparable_value(v) for k, v in value.items()
                 if k not in UNTOLD and v != NEVER_THERE}
        for error in ("out of gas", "invalid opcode"):
            if str(value.get("error")).startswith(error):
                value["error"] = error
        return value
    if isinstance(value, list):
        return [comparable_value(v) for v in value]
    return value


def unify_precompile_errors(ours, theirs):
    if isinstance(ours, dict) and isinstance(theirs, dict):
        if ours.get("error") in ("precompiled contract failed", "Built-in failed") and "error" in theirs:
            ours["error"] = theirs["error"]
        for key in set(ours) & set(theirs):
            unify_precompile_errors(ours[key], theirs[key])
    elif isinstance(ours, list) and isinstance(theirs, list):
        for a, b in zip(ours, theirs):
            unify_precompile_errors(a, b)


def compare_tracers(options, peer, block):
    """Differences between what named tracers give; None when there is none."""
    for name, config in TRACERS:
        flags = ["--trace.tracer", name, "--trace.jsonconfig", json.dumps(config)]
        with tempfile.TemporaryDirectory() as ours, tempfile.TemporaryDirectory() as theirs:
            status = [run(command, *block, flags + ["--output.basedir=" + folder])[0]
                      for command, folder in (([options.cevm, "t8n"], ours), (peer, theirs))]
            if status[0] != 0 or status[1] != 0:
                return None
            # geth's program gives a tracer that is fresh to the first transaction only, and none after a system call.
            files = [next(pathlib.Path(folder).glob("trace-0-*.json"), None) for folder in (ours, theirs)]
            texts = [file.read_text() if file else "" for file in files]
            if "" not in texts and SYSTEM_ADDRESS not in texts[1]:
                a, b = (comparable_value(json.loads(text)) for text in texts)
                unify_precompile_errors(a, b)
                if name == "keccak256PreimageTracer":  # geth shows what there was no gas to hash as well
                    b = {k: v for k, v in b.items() if k in a}
                if name == "erc7562Tracer":  # geth says it of the frames below the outermost
                    a.pop("outOfGas"), b.pop("outOfGas")
                found = difference(a, b)
                if found is not None:
                    return "%s %s: %s" % (name, json.dumps(config), found)
    return None


def without(value, ignored):
    """A copy of a JSON value without the keys that are ignored."""
    if isinstance(value, dict):
        return {k: without(v, ignored) for k, v in value.items() if k not in ignored}
    if isinstance(value, list):
        return [without(v, ignored) for v in value]
    return value


def difference(ours, theirs, path=""):
    """The first place where two JSON values differ, in words; None when there is none."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted(set(ours) | set(theirs)):
            if key not in ours or key not in theirs:
                return "%s/%s: only in %s" % (path, key, "cevm" if key in ours else "the peer")
            found = difference(ours[key], theirs[key], path + "/" + key)
            if found is not None:
                return found
        return None
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for i, (a, b) in enumerate(zip(ours, theirs)):
            found = difference(a, b, "%s/%d" % (path, i))
            if found is not None:
                return found
        return None
    return None if ours == theirs else "%s: cevm %.300s, peer %.300s" % (path, ours, theirs)


def fault(text):
    """What a refusal names, without the numbers that follow."""
    return re.split(r"[:(0-9]", text)[0].strip()


def unify_faults(ours, theirs, others):
    """A transaction with two faults may be refused for either: such pairs are counted, they are no difference."""
    a, b = (side["result"].get("rejected", []) for side in (ours, theirs))
    for mine, other in zip(a, b):
        pair = (fault(mine["error"]), fault(other["error"]))
        if mine["index"] == other["index"] and pair[0] != pair[1]:
            others[pair] = others.get(pair, 0) + 1
            mine["error"] = other["error"]


def compare(ours, theirs, ignored, others):
    if ours[0] != theirs[0]:
        return "exit status: cevm %d (%.300s), peer %d (%.300s)" % (ours[0], ours[1] if ours[0] else "", theirs[0],
                                                                  theirs[1] if theirs[0] else "")
    if ours[0] != 0:
        return None
    unify_faults(ours[1], theirs[1], others)
    return difference(*({k: without(side[1][k], ignored) for k in PARTS} for side in (ours, theirs)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", required=True, help="a program with geth's `evm t8n`, and its arguments up to there")
    parser.add_argument("--cevm", default="build/cevm")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--count", type=int, default=200, help="blocks")
    parser.add_argument("--server", action="store_true", help="cevm's share goes to one server")
    parser.add_argument("--trace", action="store_true", help="compare trace files and instruction counts as well")
    parser.add_argument("--tracers", action="store_true", help="compare what the named tracers give as well")
    parser.add_argument("--ignore", nargs="*", default=[])
    options = parser.parse_args()
    peer = options.peer.split() if " " in options.peer else [options.peer, "t8n"]
    bad = executed = included = refused = crashed = 0
    others = {}
    with tempfile.TemporaryDirectory() as folder:
        server = Server(options.cevm, folder) if options.server else None
        for seed in range(options.seed, options.seed + options.count):
            block = BlockGenerator(seed).block()
            ours = server.run(*block) if server else run([options.cevm, "t8n"], *block)
            theirs = run(peer, *block)
            found = compare(ours, theirs, set(options.ignore), others)
            if found is None and options.trace:
                found = compare_traces(options, peer, block)
            if found is None and options.tracers:
                found = compare_tracers(options, peer, block)
            if ours[0] == 0:
                executed += 1
                included += len(ours[1]["result"]["receipts"])
                refused += len(ours[1]["result"].get("rejected", []))
            if found is not None and "goroutine" in str(theirs[1].get("stderr")):
                crashed += 1
                found = None
            if found is not None:
                kept = pathlib.Path("diff-t8n-%d.json" % seed)
                kept.write_text(json.dumps(block[2], indent=1))
                print("%s: --state.fork %s --state.reward %d: %s" % (kept, block[0], block[1], found), flush=True)
                bad += 1
        if server:
            server.stop()
    for (mine, other), count in sorted(others.items()):
        print("refused %d times for \"%s\", by the peer for \"%s\"" % (count, mine, other))
    if crashed:
        print("the peer crashed at %d blocks" % crashed)
    print("SEED=%d: %d blocks, %d of them executed with %d transactions and %d refused, %d differ" %
          (options.seed, options.count, executed, included, refused, bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
