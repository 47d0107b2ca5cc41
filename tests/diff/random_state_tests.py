# SPDX-License-Identifier: Apache-2.0
"""Random state tests in the official format, made to reach far: operands that mean something, contracts that call each
other and the precompiled contracts, storage that is written again and again, every fork. A seed gives always the same
tests."""

import json
import random

FORKS = ["Frontier", "Homestead", "EIP150", "EIP158", "Byzantium", "Constantinople", "ConstantinopleFix", "Istanbul",
         "Berlin", "London", "Paris", "Shanghai", "Cancun", "Prague", "Osaka"]
BYZANTIUM, CONSTANTINOPLE, ISTANBUL, BERLIN, LONDON, PARIS, SHANGHAI, CANCUN, PRAGUE, OSAKA = 4, 5, 7, 8, 9, 10, 11, 12, 13, 14
SECRET = "0x45a915e4d060149eb4365960e6a7a45f334393093061116b197e3240065ff2d8"
SENDER = "0xa94f5374fce5edbc8e2a8697c15331677e6ebf0b"
COINBASE = "0x2adc25665018aa1fe0e6bc666dac8fc2697ff9ba"
CONTRACTS = ["0x%040x" % (0xC000 + i) for i in range(5)]
ENDS = (0x00, 0xF3, 0xFD, 0xFE, 0xFF)

# opcode: (words taken, first fork, weight)
OPCODES = {}


def add(opcodes, words, fork=0, weight=1.0):
    for opcode in opcodes:
        OPCODES[opcode] = (words, fork, weight)


add(list(range(0x01, 0x08)) + [0x0A, 0x0B], 2)
add([0x08, 0x09], 3)
add([0x10, 0x11, 0x12, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1A], 2)
add([0x15, 0x19], 1)
add([0x1B, 0x1C, 0x1D], 2, CONSTANTINOPLE)
add([0x1E], 1, OSAKA)
add([0x20], 2, 0, 2)
add([0x30, 0x32, 0x33, 0x34, 0x36, 0x38, 0x3A, 0x41, 0x42, 0x43, 0x44, 0x45, 0x58, 0x59, 0x5A, 0x5B], 0)
add([0x31, 0x35, 0x3B, 0x40, 0x50, 0x51], 1)
add([0x37, 0x39], 3)
add([0x3C], 4)
add([0x3D], 0, BYZANTIUM)
add([0x3E], 3, BYZANTIUM)
add([0x3F], 1, CONSTANTINOPLE)
add([0x46, 0x47], 0, ISTANBUL)
add([0x48], 0, LONDON)
add([0x49], 1, CANCUN)
add([0x4A], 0, CANCUN)
add([0x52, 0x53], 2)
add([0x54], 1, 0, 5)
add([0x55], 2, 0, 8)
add([0x5C], 1, CANCUN, 2)
add([0x5D], 2, CANCUN, 2)
add([0x5E], 3, CANCUN)
add([0x5F], 0, SHANGHAI)
for topics in range(5):
    add([0xA0 + topics], 2 + topics)
add([0xF0], 3, 0, 3)
add([0xF1], 7, 0, 6)
add([0xF2], 7, 0, 3)
add([0xF4], 6, 1, 4)
add([0xF5], 4, CONSTANTINOPLE, 3)
add([0xFA], 6, BYZANTIUM, 4)
add([0xF3], 2, 0, 0.3)
add([0xFD], 2, BYZANTIUM, 0.3)
add([0xFF], 1, 0, 0.3)
add([0x00, 0xFE], 0, 0, 0.1)
NO_RESULT = {0x37, 0x39, 0x3C, 0x3E, 0x50, 0x52, 0x53, 0x55, 0x5B, 0x5D, 0x5E, 0xA0, 0xA1, 0xA2, 0xA3, 0xA4}
RANGES = {0x20, 0x37, 0x39, 0x51, 0x52, 0x5E, 0x53, 0xF3, 0xFD, 0xA0, 0xA1, 0xA2, 0xA3, 0xA4}


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def address(self):
        r = self.random
        x = r.random()
        if x < 0.55:
            return int(r.choice(CONTRACTS), 16)
        if x < 0.8:
            return r.choice([r.randint(1, 0x11), r.randint(1, 0x11), 0x100])
        if x < 0.9:
            return int(SENDER, 16)
        return int(COINBASE, 16) if x < 0.95 else r.getrandbits(160)

    def small(self):
        r = self.random
        x = r.random()
        if x < 0.7:
            return r.choice([0, 1, 2, 31, 32, 33, 64, 96, 128, 200, 255])
        if x < 0.95:
            return r.randint(0, 1000)
        return r.choice([2**255, 2**256 - 1, 2**64 - 1, 2**63, 2**32, 2**31, r.getrandbits(256)])

    def value(self):
        r = self.random
        x = r.random()
        if x < 0.5:
            return self.small()
        if x < 0.6:
            return self.address()
        return r.choice([2**255, 2**256 - 1, 2**255 - 1, 2**128, 2**64, 2**64 - 1, 2**127 + 1, r.getrandbits(256),
                         r.getrandbits(128), r.getrandbits(64)])

    def call_tail(self):
        r = self.random
        return [self.small(), r.choice([0, 4, 32, 64, 128, 160, 192, 213]), self.small(), r.choice([0, 4, 32, 64])]

    def operands(self, opcode):
        """What an opcode takes, the top of the stack first."""
        r = self.random
        gas = r.choice([0, 100, 2300, 5000, 30000, 100000, 2**64, 2**256 - 1])
        if opcode in (0xF1, 0xF2):
            return [gas, self.address(), r.choice([0, 0, 0, 1, 5, 2**200])] + self.call_tail()
        if opcode in (0xF4, 0xFA):
            return [gas, self.address()] + self.call_tail()
        if opcode in (0xF0, 0xF5):
            salt = [r.choice([0, 1, r.getrandbits(256)])] if opcode == 0xF5 else []
            return [r.choice([0, 0, 0, 1, 2**200]), r.choice([0, 0, 1, 22, 27]), r.choice([0, 1, 10, 32, 64])] + salt
        if opcode == 0x55:
            return [r.choice([0, 1, 2]), r.choice([0, 0, 1, 2, self.value()])]
        if opcode in (0x54, 0x5C):
            return [r.choice([0, 1, 2, 3])]
        if opcode == 0x5D:
            return [r.choice([0, 1, 2]), r.choice([0, 1, 2])]
        if opcode in (0x31, 0x3B, 0x3F, 0xFF):
            return [self.address()]
        if opcode == 0x3C:
            return [self.address(), self.small(), self.small(), r.choice([0, 1, 32, 40])]
        if opcode == 0x3E:
            return [self.small(), r.choice([0, 0, 1, 32]), r.choice([0, 0, 1, 32, 64])]
        if opcode == 0x40:
            return [r.choice([0, 1, 2, 3, 4, 5, self.value()])]
        pick = self.small if opcode in RANGES else self.value
        return [pick() for _ in range(OPCODES[opcode][0])]

    @staticmethod
    def push(value):
        length = max(1, (value.bit_length() + 7) // 8)
        return [0x5F + length] + list(value.to_bytes(length, "big"))

    def program(self, fork, inner=False, size=None):
        r = self.random
        code = []
        known = [c for c in OPCODES if OPCODES[c][1] <= fork or r.random() < 0.002]
        weights = [OPCODES[c][2] for c in known]
        for _ in range(size or r.randint(3, 40)):
            x = r.random()
            if x < 0.06 and not inner:  # initcode into memory
                word = self.program(fork, True, r.randint(1, 5))[:32]
                padding = [0] * (32 - len(word))
                word = word + padding if r.random() < 0.5 else padding + word
                code += [0x7F] + word + [0x60, r.choice([0, 0, 32]), 0x52]
            elif x < 0.10:
                code.append(r.choice([0x80, 0x90]) + r.randint(0, 15) if r.random() < 0.3 else 0x80)
            elif x < 0.13:  # a jump forward that hits, or misses by one
                target = len(code) + 6 + r.randint(0, 1)
                code += [0x60, r.choice([0, 1]), 0x61, target >> 8, target & 255, 0x57, 0x5B]
            elif x < 0.135:
                code.append(r.getrandbits(8))
            else:
                opcode = r.choices(known, weights)[0]
                for operand in reversed(self.operands(opcode)):
                    code += self.push(operand)
                code.append(opcode)
                if opcode not in NO_RESULT and opcode not in ENDS and r.random() < 0.25:
                    code += [0x60, r.randint(0, 3), 0x55]  # the result matters to the root
        return code

    def accounts(self, fork):
        r = self.random
        pre = {SENDER: {"balance": hex(r.choice([10**18, 10**21])), "nonce": "0x0", "code": "0x", "storage": {}}}
        for address in CONTRACTS:
            if r.random() > 0.85:
                continue
            code = self.program(fork)
            if fork >= PRAGUE and r.random() < 0.15:  # an account that delegates (EIP-7702)
                target = r.choice(CONTRACTS) if r.random() < 0.8 else "0x%040x" % r.randint(1, 10)
                code = [0xEF, 0x01, 0x00] + list(bytes.fromhex(target[2:]))
            storage = {"0x%02x" % k: "0x%02x" % r.choice([1, 2, 255]) for k in range(3) if r.random() < 0.4}
            pre[address] = {"balance": hex(r.choice([0, 1, 1000])), "nonce": hex(r.choice([0, 1, 1])),
                            "code": "0x" + bytes(code).hex(), "storage": storage}
        return pre

    def transaction(self, fork):
        r = self.random
        creates = r.random() < 0.15
        data = self.program(fork) if creates else [r.getrandbits(8) for _ in range(r.randint(0, 80))]
        tx = {"data": ["0x" + bytes(data).hex()], "gasLimit": [hex(r.choice([60000, 100000, 300000, 1000000]))],
              "value": [hex(r.choice([0, 0, 1, 10**15]))], "nonce": "0x0", "secretKey": SECRET, "sender": SENDER,
              "to": "" if creates else r.choice(CONTRACTS)}
        if fork >= LONDON and r.random() < 0.5:
            tx.update(maxFeePerGas="0x20", maxPriorityFeePerGas=hex(r.choice([0, 1, 5])))
        else:
            tx["gasPrice"] = "0x10"
        if fork >= BERLIN and r.random() < 0.3:
            tx["accessLists"] = [[{"address": r.choice(CONTRACTS + ["0x%040x" % 5]),
                                   "storageKeys": ["0x%064x" % r.randint(0, 3)]} for _ in range(r.randint(0, 3))]]
        return tx

    def test(self, name):
        fork = self.random.randrange(len(FORKS))
        env = {"currentCoinbase": COINBASE, "currentDifficulty": "0x20000", "currentGasLimit": "0x26e1f476fe1e22",
               "currentNumber": "0x5", "currentTimestamp": "0x3e8", "previousHash": "0x" + "22" * 32}
        if fork >= LONDON:
            env["currentBaseFee"] = "0x10"
        if fork >= PARIS:
            env["currentRandom"] = "0x" + "11" * 32
        if fork >= CANCUN:
            env["currentExcessBlobGas"] = "0x0"
        unknown = {"hash": "0x" + "00" * 32, "logs": "0x" + "00" * 32, "indexes": {"data": 0, "gas": 0, "value": 0}}
        return {name: {"env": env, "pre": self.accounts(fork), "transaction": self.transaction(fork),
                       "post": {FORKS[fork]: [unknown]}, "_info": {}}}


def write_tests(folder, seed, count):
    """Writes count tests, one a file, and returns their paths."""
    generator = Generator(seed)
    paths = []
    for i in range(count):
        path = folder / ("t%05d.json" % i)
        path.write_text(json.dumps(generator.test("t%05d" % i)))
        paths.append(path)
    return paths
