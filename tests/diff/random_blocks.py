# SPDX-License-Identifier: Apache-2.0
"""Random blocks as input of `evm t8n`: every fork, every type of transaction, transactions with a fault, environments
that are given or follow from the parent's, ommers, withdrawals, requests. A seed gives always the same blocks."""

import functools
import json
import pathlib

import keys
from random_state_tests import (BERLIN, BYZANTIUM, CANCUN, COINBASE, CONTRACTS, FORKS, LONDON, OSAKA, PARIS, PRAGUE,
                                SHANGHAI, Generator)

SPURIOUS_DRAGON = FORKS.index("EIP158")

SECRETS = [1, 2, 3, 4, 5, 0x45a915e4d060149eb4365960e6a7a45f334393093061116b197e3240065ff2d8]
SYSTEM = json.loads((pathlib.Path(__file__).parent / "system_contracts.json").read_text())
DEPOSIT_CONTRACT = "0x00000000219ab540356cbb839cbe05303d7705fa"
DEPOSIT_TOPIC = "649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5"
# Logs its calldata under the topic of a deposit.
DEPOSIT_CODE = "0x365f5f377f" + DEPOSIT_TOPIC + "365fa100"
# What geth's test networks know besides the forks of state tests: (name, rules of).
MORE_FORKS = [("MuirGlacier", "Istanbul"), ("ArrowGlacier", "London"), ("GrayGlacier", "London"), ("BPO1", "Osaka"),
              ("BPO2", "Osaka"), ("BPO3", "Osaka"), ("BPO4", "Osaka"), ("CancunToPragueAtTime15k", "Cancun"),
              ("BerlinToLondonAt5", "Berlin"), ("HomesteadToDaoAt5", "Homestead"), ("PragueToOsakaAtTime15k", "Prague")]

ADDRESS = {secret: functools.lru_cache(maxsize=None)(lambda secret=secret: keys.address(secret)) for secret in SECRETS}


def sender(secret):
    return ADDRESS[secret]()


def word(value):
    return value.to_bytes(32, "big")


def deposit_event(r):
    """The data of a deposit's log: five offsets, then five byte strings in padded words."""
    def field(size):
        return word(size) + bytes(r.getrandbits(8) for _ in range(size)).ljust((size + 31) // 32 * 32, b"\0")
    data = b"".join(word(x) for x in (160, 256, 320, 384, 512))
    return data + field(48) + field(32) + field(8) + field(96) + field(8)


class BlockGenerator(Generator):
    def pick_fork(self):
        r = self.random
        if r.random() < 0.75:
            fork = r.randrange(len(FORKS))
            return FORKS[fork], fork
        name, rules = r.choice(MORE_FORKS)
        return name, FORKS.index(rules)

    # ---- The environment

    def environment(self, name, fork):
        r = self.random
        number = r.choice([1, 2, 5, 5, 6, 300, 1920000])
        parent_time = r.choice([1000, 14990])
        env = {"currentCoinbase": r.choice([COINBASE, COINBASE, CONTRACTS[0], sender(1), "0x" + "00" * 19 + "03"]),
               "currentGasLimit": hex(r.choice([30000000, 10**7, 10**6, 0x26e1f476fe1e22])),
               "currentNumber": hex(number), "currentTimestamp": hex(parent_time + r.choice([1, 5, 10, 30, 1000])),
               "parentTimestamp": hex(parent_time)}
        known = range(max(0, number - 8), number)  # programs ask for small numbers
        if r.random() < 0.95:
            env["blockHashes"] = {hex(n): "0x%064x" % r.getrandbits(256) for n in known}
            if r.random() < 0.05:
                env["blockHashes"].pop(hex(r.choice(known)))
        self.add_fees(env, fork)
        if fork < PARIS:
            self.add_mining(env, number)
        else:
            env["currentRandom"] = hex(r.getrandbits(256))
        if fork >= SHANGHAI or r.random() < 0.03:
            env["withdrawals"] = [self.withdrawal(i) for i in range(r.choice([0, 0, 1, 3]))]
        if fork >= CANCUN:
            self.add_blobs(env, fork)
        return env

    def add_fees(self, env, fork):
        r = self.random
        if fork >= LONDON - 1:
            if r.random() < 0.6:
                env["currentBaseFee"] = hex(r.choice([0, 1, 7, 16, 16]))
            else:
                limit = r.choice([20000000, 30000000])
                env.update(parentBaseFee=hex(r.choice([7, 16, 17])), parentGasLimit=hex(limit),
                           parentGasUsed=hex(r.choice([0, limit // 2, limit // 2 + 1, limit])))

    def add_mining(self, env, number):
        r = self.random
        if r.random() < 0.5:
            env["currentDifficulty"] = hex(r.choice([0x20000, 1, 2**40]))
        else:
            env["parentDifficulty"] = hex(r.choice([0x20000, 0x20001, 2**40, 2**50 + 12345][2 * (number > 10**6):]))
            if r.random() < 0.5:
                env["parentUncleHash"] = "0x" + r.choice(["11" * 32, "00" * 32,
                                                          keys.keccak256(b"\xc0").hex()])
        if r.random() < 0.2:
            env["ommers"] = [{"delta": r.choice([1, 1]), "address": "0x%040x" % r.getrandbits(160)}
                             for _ in range(r.choice([1, 2]))]

    def add_blobs(self, env, fork):
        r = self.random
        env["parentBeaconBlockRoot"] = "0x%064x" % r.getrandbits(256)
        x = r.random()
        if x < 0.5:
            env["currentExcessBlobGas"] = hex(r.choice([0, 0, 131072, 3 * 131072, 20 * 131072, 60 * 131072]))
        elif x < 0.95:
            env.update(parentExcessBlobGas=hex(r.choice([0, 131072, 10 * 131072, 40 * 131072])),
                       parentBlobGasUsed=hex(131072 * r.choice([0, 1, 3, 6, 9])),
                       parentBaseFee=hex(r.choice([7, 16, 2**20])), parentGasLimit="0x1c9c380", parentGasUsed="0x0")

    def withdrawal(self, index):
        r = self.random
        target = r.choice([sender(r.choice(SECRETS)), r.choice(CONTRACTS), "0x%040x" % r.getrandbits(160)])
        return {"index": hex(index), "validatorIndex": hex(r.randrange(1000)), "address": target,
                "amount": hex(r.choice([0, 1, 10**9, 2**64 - 1]))}

    # ---- The state

    def state(self, fork):
        r = self.random
        pre = self.accounts(fork)
        for secret in SECRETS:
            pre[sender(secret)] = {"balance": hex(r.choice([10**18, 10**21])), "nonce": hex(r.choice([0, 0, 7]))}
        if r.random() < 0.05:
            pre[sender(5)]["code"] = r.choice(["0x00", "0x6000600155"] + ["0xef0100" + CONTRACTS[1][2:]] * (fork >= PRAGUE))
        if fork >= CANCUN:
            for contract in SYSTEM.values():
                pre[contract["address"]] = {"balance": "0x0", "nonce": "0x1", "code": contract["code"]}
            pre[DEPOSIT_CONTRACT] = {"balance": "0x0", "nonce": "0x1", "code": DEPOSIT_CODE}
        if r.random() < 0.02:
            pre.pop(r.choice(list(pre)))
        return pre

    # ---- Transactions

    def authorization(self, nonces):
        r = self.random
        if r.random() < 0.3:  # somebody's, or nobody's
            return {"chainId": r.choice(["0x0", "0x1", "0x2"]), "address": r.choice(CONTRACTS), "nonce": "0x0",
                    "yParity": r.choice(["0x0", "0x1"]), "r": hex(r.getrandbits(255)), "s": hex(r.getrandbits(254))}
        secret, chain = r.choice(SECRETS), r.choice([0, 1, 1, 2])
        nonce = nonces[secret] + r.choice([0, 0, 0, 1, 1, 2])
        target = r.choice(CONTRACTS + ["0x" + "00" * 20])
        digest = keys.keccak256(b"\x05" + keys.rlp([chain, bytes.fromhex(target[2:]), nonce]))
        parity, big_r, s = keys.sign(digest, secret, r.randrange(1, 16))
        if r.random() < 0.05:
            parity, s = parity ^ 1, keys.N - s
        return {"chainId": hex(chain), "address": target, "nonce": hex(nonce), "yParity": hex(parity), "r": hex(big_r),
                "s": hex(s)}

    def target_and_data(self, fork):
        """Recipient, data, value."""
        r = self.random
        if fork >= PRAGUE and r.random() < 0.15:
            kind = r.choice(["EIP-7002", "EIP-7251", "deposit", "deposit"])
            if kind == "deposit":
                data = deposit_event(r) if r.random() < 0.95 else deposit_event(r)[:-32]
                return DEPOSIT_CONTRACT, data, 0
            size = 56 if kind == "EIP-7002" else 96
            data = bytes(r.getrandbits(8) for _ in range(r.choice([size, size, size, 5])))
            return SYSTEM[kind]["address"], data, r.choice([1, 1, 2, 0])
        if fork >= CANCUN and r.random() < 0.05:
            kind = r.choice(["EIP-4788", "EIP-2935"])
            return SYSTEM[kind]["address"], word(r.choice([1001, 1005, 4, 0])), 0
        value = r.choice([0, 0, 1, 10**15])
        if r.random() < 0.15:
            return None, bytes(self.program(fork)), value
        target = r.choice(CONTRACTS + [sender(r.choice(SECRETS)), "0x%040x" % r.getrandbits(160)])
        return target, bytes(r.getrandbits(8) for _ in range(r.choice([0, 0, 4, 80]))), value

    def block_transaction(self, fork, nonces):
        r = self.random
        newest = max(0 if fork < BERLIN else 1 if fork < LONDON else 2 if fork < CANCUN else 3 if fork < PRAGUE else 4,
                     4 if r.random() < 0.01 else 0)
        kind = r.randint(0, newest)
        secret = r.choice(SECRETS)
        to, data, value = self.target_and_data(fork)
        if kind >= 3 and to is None:
            to = r.choice(CONTRACTS)
        tx = {"type": hex(kind), "nonce": hex(nonces[secret]), "gas": hex(r.choice([60000, 100000, 300000, 1000000])),
              "value": hex(value), "input": "0x" + data.hex(), "to": to, "secretKey": "0x%064x" % secret,
              "v": "0x0", "r": "0x0", "s": "0x0", "chainId": "0x1"}
        if kind < 2:
            tx["gasPrice"] = hex(r.choice([16, 20, 1000]))
        else:
            tx.update(maxFeePerGas=hex(r.choice([17, 100])), maxPriorityFeePerGas=hex(r.choice([0, 1, 17])))
        if kind == 0 and (fork < SPURIOUS_DRAGON or r.random() < 0.2) and r.random() < 0.95:
            tx["protected"] = False
        if kind >= 1:
            tx["accessList"] = [{"address": r.choice(CONTRACTS), "storageKeys": ["0x%064x" % r.randint(0, 3)
                                 for _ in range(r.randint(0, 2))]} for _ in range(r.randint(0, 2))]
        if kind == 3:
            count = r.choice([1, 1, 2, 3])
            tx.update(maxFeePerBlobGas=hex(r.choice([1, 100, 10**9, 10**9])),
                      blobVersionedHashes=["0x01%062x" % r.getrandbits(248) for _ in range(count)])
        if kind == 4:
            tx["authorizationList"] = [self.authorization(nonces) for _ in range(r.choice([1, 1, 2]))]
        nonces[secret] += 1
        return tx

    def spoil(self, tx, fork):
        """One thing that a transaction may not be, if it can be that."""
        r = self.random
        kind = int(tx["type"], 16)
        faults = [lambda: tx.update(nonce=hex(int(tx["nonce"], 16) + 1)),
                  lambda: tx.update(nonce=hex(max(0, int(tx["nonce"], 16) - 1))),
                  lambda: tx.update(gas=hex(r.choice([0, 20999, 21000]))), lambda: tx.update(gas=hex(2**50)),
                  lambda: tx.update(gas=hex(2**24 + 1)), lambda: tx.update(value=hex(10**30)),
                  lambda: tx.update(input="0x" + "00" * 49153, to=None, gas="0xf4240") if kind < 3 else None,
                  lambda: tx.update(input="0x" + "ff" * 3000, gas="0x1c138")]
        if kind >= 2:
            faults += [lambda: tx.update(maxFeePerGas="0x0", maxPriorityFeePerGas="0x0"),
                       lambda: tx.update(maxPriorityFeePerGas="0x1000000")]
        if kind == 3:
            faults += [lambda: tx.update(maxFeePerBlobGas="0x0"),
                       lambda: tx["blobVersionedHashes"].append("0x02" + "00" * 31),
                       lambda: tx.update(blobVersionedHashes=["0x01" + "00" * 31] * r.choice([6, 7, 9, 10, 33]))]
        if kind == 4:
            faults.append(lambda: tx.update(authorizationList=[]))
        r.choice(faults)()
        if fork < BYZANTIUM and len(tx["input"]) > 90000:
            tx["input"] = "0x"  # it would only take long

    def block(self):
        """A name of rules, the reward, and the input."""
        r = self.random
        name, fork = self.pick_fork()
        state = self.state(fork)
        nonces = {s: int(state.get(sender(s), {}).get("nonce", "0x0"), 16) for s in SECRETS}
        txs = []
        for _ in range(r.choice([0, 1, 2, 4, 8])):
            tx = self.block_transaction(fork, nonces)
            if r.random() < 0.15:
                self.spoil(tx, fork)
                if r.random() < 0.8:
                    nonces[int(tx["secretKey"], 16)] -= 1
            txs.append(tx)
        reward = r.choice([-1, 0, 2 * 10**18, 5 * 10**18]) if fork < PARIS else r.choice([-1, 0])
        return name, reward, {"alloc": state, "env": self.environment(name, fork), "txs": txs}
