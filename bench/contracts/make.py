#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes state tests of calls into contracts that were really deployed: OpenZeppelin's ERC-20, Uniswap v2 and v3.

usage: make.py CEVM COMPILED [GETH]

CEVM is the program cevm, whose t8n deploys and sets up; COMPILED is what compile.js prints. GETH is bench-geth, which fills in
what must come out; without it the state root is left zero and the harness compares machines alone. ERC-20 goes to bench/own/
(committed, and only written with GETH), Uniswap to bench/workloads/uniswap/: its licences are not this project's.
"""
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '..'), os.path.join(HERE, '../../tests/diff')]
from keys import keccak256  # noqa: E402
from own import GAS, KEY, SENDER, fill, test  # noqa: E402

FORK = 'Osaka'
SETUP_FORK = 'Cancun'  # later blocks call system contracts, which would have to be there
ENV = {
    'currentBaseFee': '0x0a', 'currentCoinbase': '0x2adc25665018aa1fe0e6bc666dac8fc2697ff9ba', 'currentDifficulty': '0x00',
    'currentExcessBlobGas': '0x00', 'currentGasLimit': hex(1 << 40), 'currentNumber': '0x01',
    'currentRandom': '0x' + '00' * 31 + '01', 'currentTimestamp': '0x03e8', 'parentBeaconBlockRoot': '0x' + '00' * 32,
    'withdrawals': [],
}
MILLION = 10**24  # of a token with 18 decimals


def number(value):
    return '%064x' % (value % 2**256)


def word(value):
    """An argument: a number, or an address as text."""
    return number(int(value, 16) if isinstance(value, str) else value)


def call(signature, *arguments):
    """Calldata, hex. A list of addresses may only be the third argument of five, as Uniswap's router has it."""
    head, tail = '', ''
    for a in arguments:
        if isinstance(a, list):
            head += number(32 * len(arguments))
            tail += number(len(a)) + ''.join(word(x) for x in a)
        else:
            head += word(a)
    return keccak256(signature.encode())[:4].hex() + head + tail


def text_arguments(*texts):
    """Constructor arguments: strings of at most 32 bytes."""
    head, tail = '', ''
    for t in texts:
        head += number(32 * len(texts) + len(tail) // 2)
        tail += number(len(t)) + t.encode().hex().ljust(64, '0')
    return head + tail


def create_address(nonce):
    sender = bytes.fromhex(SENDER[2:])
    encoded = b'\x80' if nonce == 0 else bytes([nonce]) if nonce < 128 else bytes([0x81, nonce])
    rlp = b'\x94' + sender + encoded
    return '0x' + keccak256(bytes([0xC0 + len(rlp)]) + rlp)[12:].hex()


def create2_address(creator, salt, initcode):
    return '0x' + keccak256(b'\xff' + bytes.fromhex(creator[2:]) + salt + keccak256(initcode))[12:].hex()


class Chain:
    """Accounts, and transactions that are applied to them one after another."""

    def __init__(self, cevm):
        self.cevm = cevm
        self.alloc = {SENDER: {'balance': hex(10**30)}}
        self.nonce = 0

    def send(self, data, to=None):
        tx = {'type': '0x0', 'nonce': hex(self.nonce), 'gasPrice': '0x0a', 'gas': hex(GAS), 'value': '0x0',
              'input': '0x' + data, 'secretKey': KEY, 'v': '0x0', 'r': '0x0', 's': '0x0'}
        if to is not None:
            tx['to'] = to
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, 'in.json'), 'w') as f:
                json.dump({'alloc': self.alloc, 'env': ENV, 'txs': [tx]}, f)
            with open(os.path.join(folder, 'in.json')) as f:
                done = subprocess.run(
                    [self.cevm, 't8n', '--input.alloc', 'stdin', '--input.env', 'stdin', '--input.txs', 'stdin', '--output.alloc',
                     'stdout', '--output.result', 'stdout', '--state.fork', SETUP_FORK, '--state.reward', '-1'],
                    stdin=f, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit('t8n: ' + done.stderr)
        out = json.loads(done.stdout)
        receipts = out['result']['receipts']
        if not receipts or receipts[0]['status'] != '0x1':
            raise SystemExit(f'transaction {self.nonce} fails: {out["result"]}')
        self.alloc = out['alloc']
        self.nonce += 1
        return create_address(self.nonce - 1)

    def call(self, to, signature, *arguments):
        self.send(call(signature, *arguments), to)

    def measured(self, comment, to, signature, *arguments):
        """The state test of a call in the state as it is now."""
        t = test(None, fork=FORK, data=call(signature, *arguments), to=to)
        t['_info']['comment'] = comment
        t['pre'] = {
            address: {'balance': a.get('balance', '0x0'), 'nonce': a.get('nonce', '0x0'), 'code': a.get('code', '0x'),
                      'storage': a.get('storage', {})}
            for address, a in self.alloc.items()
        }
        t['transaction']['nonce'] = hex(self.nonce)
        return t


def tokens(chain, token):
    """Two tokens of a sender who has a million of each; the lower address first."""
    pair = sorted(chain.send(token + text_arguments(name, symbol)) for name, symbol in (('One', 'ONE'), ('Two', 'TWO')))
    for t in pair:
        chain.call(t, 'mint(address,uint256)', SENDER, MILLION)
    return pair


def erc20(cevm, compiled):
    chain = Chain(cevm)
    one, _ = tokens(chain, compiled['Token'])
    friend, stranger = '0x' + 'ab' * 20, '0x' + 'cd' * 20
    chain.call(one, 'transfer(address,uint256)', friend, 10**18)
    comment = 'OpenZeppelin ERC-20; bench/contracts/make.py'
    tests = {
        'erc20_transfer': chain.measured(comment, one, 'transfer(address,uint256)', friend, 10**17),
        'erc20_transfer_new': chain.measured(comment, one, 'transfer(address,uint256)', stranger, 10**17),
        'erc20_approve': chain.measured(comment, one, 'approve(address,uint256)', friend, 10**18),
        'erc20_mint': chain.measured(comment, one, 'mint(address,uint256)', friend, 10**18),
    }
    chain.call(one, 'approve(address,uint256)', SENDER, MILLION)
    tests['erc20_transfer_from'] = chain.measured(comment, one, 'transferFrom(address,address,uint256)', SENDER, friend, 10**17)
    return tests


def artifact(path):
    with open(os.path.join(HERE, 'node_modules/@uniswap', path)) as f:
        code = json.load(f)['bytecode']
    return code.removeprefix('0x')


def uniswap_v2(cevm, compiled):
    chain = Chain(cevm)
    one, two = tokens(chain, compiled['Token'])
    factory = chain.send(artifact('v2-core/build/UniswapV2Factory.json') + word(SENDER))
    router = chain.send(artifact('v2-periphery/build/UniswapV2Router02.json') + word(factory) + word(one))
    for t in (one, two):
        chain.call(t, 'approve(address,uint256)', router, 2**256 - 1)
    chain.call(router, 'addLiquidity(address,address,uint256,uint256,uint256,uint256,address,uint256)', one, two, MILLION // 10,
               MILLION // 20, 1, 1, SENDER, 10**9)
    swap = ('swapExactTokensForTokens(uint256,uint256,address[],address,uint256)', 10**18, 1, [one, two], SENDER, 10**9)
    chain.call(router, *swap)
    return {'uniswap_v2_swap': chain.measured('Uniswap v2: the router swaps one token for another', router, *swap)}


def uniswap_v3(cevm, compiled):
    chain = Chain(cevm)
    one, two = tokens(chain, compiled['Token'])
    factory = chain.send(artifact('v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json'))
    trader = chain.send(compiled['Trader'])
    for t in (one, two):
        chain.call(t, 'transfer(address,uint256)', trader, MILLION // 2)
    chain.call(factory, 'createPool(address,address,uint24)', one, two, 3000)
    initcode = artifact('v3-core/artifacts/contracts/UniswapV3Pool.sol/UniswapV3Pool.json')
    salt = keccak256(bytes.fromhex(word(one) + word(two) + number(3000)))
    pool = create2_address(factory, salt, bytes.fromhex(initcode))
    chain.call(pool, 'initialize(uint160)', 2**96)
    mint = 'mint(address,int24,int24,uint128)'
    chain.call(trader, mint, pool, -887220, 887220, 10**21)
    for i in range(1, 9):  # ticks for the long swap to cross
        chain.call(trader, mint, pool, -60 * i, 60 * i, 10**20)
    swap = 'swap(address,bool,int256,uint160)'
    lowest = 4295128740
    chain.call(trader, swap, pool, 1, 10**16, lowest)
    return {
        'uniswap_v3_swap': chain.measured('Uniswap v3: a swap within one range', trader, swap, pool, 1, 10**16, lowest),
        'uniswap_v3_swap_far': chain.measured('Uniswap v3: a swap that crosses eight ticks', trader, swap, pool, 1, 4 * 10**19,
                                              lowest),
    }


def write(geth, path, tests):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if geth:
        fill(geth, path, tests)
        return
    for t in tests.values():
        t['post'][FORK][0].update(hash='0x' + '00' * 32, logs='0x' + '00' * 32)
    with open(path, 'w') as out:
        json.dump(tests, out, indent=1)
    print(f'{os.path.relpath(path)}: {len(tests)} programs')


def main():
    if len(sys.argv) not in (3, 4):
        raise SystemExit(__doc__)
    cevm, geth = sys.argv[1], sys.argv[3] if len(sys.argv) == 4 else None
    with open(sys.argv[2]) as f:
        compiled = json.load(f)
    if geth:
        write(geth, os.path.join(HERE, '../own/erc20.json'), erc20(cevm, compiled))
    uniswap = uniswap_v2(cevm, compiled)
    uniswap.update(uniswap_v3(cevm, compiled))
    write(geth, os.path.join(HERE, '../workloads/uniswap/uniswap.json'), uniswap)


if __name__ == '__main__':
    main()
