#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times the transition tool: `cevm t8n`, `cevm t8n-server`, and a program with the command line of geth's `evm t8n`.

    bench/t8n.py --peer path/to/evm [--cevm build/cevm]

Two blocks: a sample of tests/cli/t8n (four transactions over ten accounts), and 500 signed transfers over 5000 accounts of
four slots each. All input comes and all output goes through pipes. The sides take turns; the shortest time of each counts."""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "diff"))

import diff_t8n  # noqa: E402
import keys  # noqa: E402

PARTS = ["--state.fork", "Prague", "--state.reward", "0"]
PARTS += ["--input.%s=stdin" % k for k in ("alloc", "env", "txs")]
PARTS += ["--output.%s=stdout" % k for k in ("alloc", "result", "body")]


def large(cevm, small):
    """The block of transfers, signed by cevm."""
    accounts = ["0x%040x" % (0x100000 + i * 7919) for i in range(5000)]
    block = {"alloc": dict(small["alloc"]), "env": dict(small["env"], currentGasLimit=hex(10**9)), "txs": []}
    for i, account in enumerate(accounts):
        block["alloc"][account] = {"balance": hex(10**18 + i), "nonce": "0x1", "code": "0x6000",
                                   "storage": {"0x%064x" % k: "0x%064x" % (k + 1) for k in range(4)}}
    block["alloc"][keys.address(1)] = {"balance": hex(10**24)}
    for i, account in enumerate(accounts[:500]):
        block["txs"].append({"type": "0x2", "chainId": "0x1", "nonce": hex(i), "gas": "0x186a0", "maxFeePerGas": "0x64",
                             "maxPriorityFeePerGas": "0x1", "to": account, "value": "0x1", "input": "0x", "v": "0x0",
                             "r": "0x0", "s": "0x0", "secretKey": "0x%064x" % 1})
    status, answer = diff_t8n.run([cevm, "t8n"], "Prague", 0, block)
    if status != 0 or len(answer["result"]["receipts"]) != 500:
        sys.exit("the large block does not work")
    del block["txs"]
    return dict(block, txsRlp=answer["body"])


def clock(work):
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", required=True)
    parser.add_argument("--cevm", default="build/cevm")
    options = parser.parse_args()
    small = json.loads((ROOT / "tests" / "cli" / "t8n" / "Prague.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        server = diff_t8n.Server(options.cevm, folder)
        for name, block, rounds in (("small", small, 200), ("large", large(options.cevm, small), 15)):
            text = json.dumps(block).encode()
            sides = {"cevm t8n": lambda: subprocess.run([options.cevm, "t8n"] + PARTS, input=text, capture_output=True, check=True),
                     "peer": lambda: subprocess.run([options.peer, "t8n"] + PARTS, input=text, capture_output=True, check=True),
                     "t8n-server": lambda: server.run("Prague", 0, block)}
            best = {side: clock(work) for side, work in sides.items()}
            for _ in range(rounds):
                for side, work in sides.items():
                    best[side] = min(best[side], clock(work))
            print("%s, %d bytes of JSON: " % (name, len(text)) + ", ".join("%s %.2f ms" % item for item in best.items()))
        server.stop()


if __name__ == "__main__":
    main()
