#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the workloads of bench/own/ that need no compiler: loops of one instruction, hashes, calls, transfers.

usage: bench/own.py GETH        GETH: the program bench-geth (make bench-peers)

What must come out of each, the state root and the hash of its logs, is what geth says: nothing here comes from this project's
own EVM. The harness then checks it.
"""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SENDER = '0xa94f5374fce5edbc8e2a8697c15331677e6ebf0b'
KEY = '0x45a915e4d060149eb4365960e6a7a45f334393093061116b197e3240065ff2d8'
TARGET = '0xcccccccccccccccccccccccccccccccccccccccc'
OTHER = 0xdddddddddddddddddddddddddddddddddddddddd
GAS = 1 << 24  # what EIP-7825 lets a transaction have
OPCODES = dict(
    STOP=0x00, ADD=0x01, MUL=0x02, SUB=0x03, DIV=0x04, SDIV=0x05, MOD=0x06, SMOD=0x07, ADDMOD=0x08, MULMOD=0x09, EXP=0x0A,
    SIGNEXTEND=0x0B, LT=0x10, GT=0x11, SLT=0x12, SGT=0x13, EQ=0x14, ISZERO=0x15, AND=0x16, OR=0x17, XOR=0x18, NOT=0x19,
    BYTE=0x1A, SHL=0x1B, SHR=0x1C, SAR=0x1D, CLZ=0x1E, KECCAK256=0x20, ADDRESS=0x30, CALLER=0x33, CALLDATALOAD=0x35,
    CALLDATASIZE=0x36, CODECOPY=0x39, EXTCODESIZE=0x3B, RETURNDATASIZE=0x3D, SELFBALANCE=0x47, POP=0x50, MLOAD=0x51, MSTORE=0x52,
    MSTORE8=0x53, SLOAD=0x54, SSTORE=0x55, JUMP=0x56, JUMPI=0x57, PC=0x58, MSIZE=0x59, GAS=0x5A, JUMPDEST=0x5B, TLOAD=0x5C,
    TSTORE=0x5D, MCOPY=0x5E, PUSH0=0x5F, LOG1=0xA1, CALL=0xF1, RETURN=0xF3, STATICCALL=0xFA)


def push(value, size=None):
    """PUSHn of a number, as short as it goes or `size` bytes long."""
    if size is None:
        size = (value.bit_length() + 7) // 8
    return bytes([0x5F + size]) + value.to_bytes(size, 'big')


def asm(text):
    """Mnemonics; DUPn, SWAPn; a number is a push of it."""
    code = b''
    for word in text.split():
        if word in OPCODES:
            code += bytes([OPCODES[word]])
        elif word.startswith('DUP'):
            code += bytes([0x7F + int(word[3:])])
        elif word.startswith('SWAP'):
            code += bytes([0x8F + int(word[4:])])
        else:
            code += push(int(word, 0))
    return code


def loop(times, body, setup=b''):
    """setup, then body `times` times; the counter is on top of what setup left, and body must leave it there."""
    head = setup + push(times)
    start = len(head)
    return head + asm('JUMPDEST') + body + asm('1 SWAP1 SUB DUP1') + push(start, 2) + asm('JUMPI STOP')


def test(code, fork='Osaka', gas=GAS, data='', value=0, balance=0, others=None, storage=None, unit=None, to=TARGET):
    """A state test of one transaction that calls `code`; `post` is filled in later."""
    pre = {SENDER: {'balance': hex(10**30), 'nonce': '0x00', 'code': '0x', 'storage': {}}}
    if code is not None:
        pre[TARGET] = {'balance': hex(balance), 'nonce': '0x01', 'code': '0x' + code.hex(), 'storage': storage or {}}
    pre.update(others or {})
    info = {'comment': 'made by bench/own.py'}
    if unit:
        info.update(unit=unit[0], units=unit[1])
    return {
        '_info': info,
        'env': {
            'currentBaseFee': '0x0a', 'currentCoinbase': '0x2adc25665018aa1fe0e6bc666dac8fc2697ff9ba',
            'currentDifficulty': '0x00', 'currentExcessBlobGas': '0x00', 'currentGasLimit': hex(1 << 40),
            'currentNumber': '0x01', 'currentRandom': '0x' + '00' * 31 + '01', 'currentTimestamp': '0x03e8',
        },
        'pre': pre,
        'transaction': {'data': ['0x' + data], 'gasLimit': [hex(gas)], 'gasPrice': '0x0a', 'nonce': '0x00', 'secretKey': KEY,
                        'sender': SENDER, 'to': to, 'value': [hex(value)]},
        'post': {fork: [{'hash': None, 'logs': None, 'indexes': {'data': 0, 'gas': 0, 'value': 0}}]},
    }


# ---- Loops of one instruction ---------------------------------------------------------------------------------------

WIDE = 0xF123456789ABCDEF0FEDCBA987654321_1122334455667788_99AABBCCDDEEFF01
OTHER_WIDE = 0x9E3779B97F4A7C15_F39CC0605CEDC834_1082276BF3A27251_F86C6A11D0C18E95
HALF = 0xC2B2AE3D27D4EB4F_165667B19E3779F9


def operands(*values):
    return b''.join(push(v, 32) for v in values)


def loops():
    """Each body is 64 times the instruction and what brings its operands and takes its result away."""
    tests = {}

    def add(name, unit, setup=b'', times=1000, before='', after='', **more):
        tests[name] = test(loop(times, asm(before) + asm(unit) * 64 + asm(after), setup), **more)

    # Operands lie under the counter: the first popped one is the deepest DUP's.
    for op in 'ADD SUB MUL DIV SDIV MOD SMOD LT GT SLT SGT EQ AND OR XOR'.split():
        add(op.lower(), f'DUP2 DUP4 {op} POP', operands(WIDE, OTHER_WIDE))
    for op in ('DIV', 'MOD'):
        add(f'{op.lower()}_by_128_bits', f'DUP2 DUP4 {op} POP', operands(WIDE, HALF))
        add(f'{op.lower()}_by_64_bits', f'DUP2 DUP4 {op} POP', operands(WIDE, HALF >> 64))
        add(f'{op.lower()}_small', f'DUP2 DUP4 {op} POP', operands(HALF >> 64, 1000003))
    add('mul_small', 'DUP2 DUP4 MUL POP', operands(HALF >> 64, 1000003))
    for op in ('ADDMOD', 'MULMOD'):
        add(op.lower(), f'DUP2 DUP4 DUP6 {op} POP', operands(WIDE, OTHER_WIDE, WIDE >> 1))
    add('mulmod_fixed', 'DUP2 DUP4 DUP6 MULMOD POP',
        operands(WIDE, OTHER_WIDE, 2**256 - 2**32 - 977))
    add('exp', 'DUP2 DUP4 EXP POP', operands(WIDE, OTHER_WIDE), times=100)
    add('exp_small', 'DUP2 DUP4 EXP POP', operands(3, 13))
    for op in 'SHL SHR SAR BYTE SIGNEXTEND'.split():
        shift = 11 if op in ('BYTE', 'SIGNEXTEND') else 67
        add(op.lower(), f'DUP3 DUP3 {op} POP', operands(WIDE, shift))
    add('iszero', 'ISZERO', before='DUP1', after='POP')
    add('not', 'NOT', before='DUP1', after='POP')
    add('clz', 'DUP2 CLZ POP', operands(WIDE >> 100))
    for op in 'ADDRESS CALLER CALLDATASIZE RETURNDATASIZE SELFBALANCE PC MSIZE GAS PUSH0'.split():
        add(op.lower(), f'{op} POP')
    add('push1', '0x5a POP')
    add('push32', f'{WIDE} POP')
    for n in (1, 8, 16):
        add(f'dup{n}', f'DUP{n} POP', b''.join(push(i + 1) for i in range(17)))
        add(f'swap{n}', f'SWAP{n} SWAP{n}', b''.join(push(i + 1) for i in range(17)))
    add('jumpdest', 'JUMPDEST', times=3000)
    add('mload', '0 MLOAD POP')
    add('mstore', 'DUP1 0x40 MSTORE')
    add('mstore8', 'DUP1 0x40 MSTORE8')
    add('mcopy_32', '0x20 0x80 0x40 MCOPY')
    add('mcopy_1024', '0x400 0x800 0 MCOPY', times=200)
    add('calldataload', '0x04 CALLDATALOAD POP', data='11' * 64)
    add('codecopy_32', '0x20 0x10 0x40 CODECOPY')
    add('keccak_32', '0x20 0 KECCAK256 POP', times=300)
    add('keccak_64', '0x40 0 KECCAK256 POP', times=300)
    add('keccak_1024', '0x400 0 KECCAK256 POP', times=100)
    add('sload', '7 SLOAD POP', storage={'0x07': '0x0102030405060708'})
    add('sstore_same', '0x55 7 SSTORE', storage={'0x07': '0x55'}, times=1000)
    add('sstore_dirty', 'PC 7 SSTORE', storage={'0x07': '0x55'}, times=1000)
    add('tload', '7 TLOAD POP')
    add('tstore', 'DUP1 7 TSTORE')
    add('extcodesize', 'ADDRESS EXTCODESIZE POP')
    add('log1', '0x77 0x20 0 LOG1', times=100)
    # Where a jump goes depends on where it stands.
    body, start = b'', len(push(1000)) + 1
    for _ in range(64):
        body += push(start + len(body) + 4, 2) + asm('JUMP JUMPDEST')
    tests['jump'] = test(loop(1000, body))
    body = b''
    for _ in range(64):
        body += asm('DUP1 ISZERO') + push(start, 2) + asm('JUMPI')
    tests['jumpi_not_taken'] = test(loop(1000, body))
    return tests


# ---- Calls, hashes, transfers ---------------------------------------------------------------------------------------

def filler(size):
    """Bytes like code's: every second one a small instruction, some pushes, some jump targets. From a fixed generator."""
    common = [0x50, 0x52, 0x51, 0x01, 0x03, 0x14, 0x15, 0x16, 0x5B, 0x56, 0x57, 0x80, 0x81, 0x82, 0x90, 0x91, 0x60, 0x61]
    state, out = 1, bytearray()
    while len(out) < size:
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        byte = state >> 56
        out.append(common[byte % len(common)] if state >> 32 & 1 else byte)
    return bytes(out)


def contract(code):
    return {'balance': '0x00', 'nonce': '0x01', 'code': '0x' + code.hex(), 'storage': {}}


def calls():
    tests = {}
    call = asm(f'0 0 0 0 {OTHER} GAS STATICCALL POP')
    other = '0x%040x' % OTHER
    tests['call_plain'] = test(loop(10000, call), others={other: contract(asm('STOP'))}, unit=('call', 10000))
    tests['call_24k'] = test(loop(1000, call), others={other: contract(asm('STOP') + filler(24575))}, unit=('call', 1000))
    # Calls itself with one less until nothing is left of the number in its input.
    again = asm('0 CALLDATALOAD DUP1 ISZERO') + push(0, 2) + asm('JUMPI 1 SWAP1 SUB 0 MSTORE 0 0 0x20 0 0 ADDRESS GAS CALL POP STOP')
    end = len(again)
    again = again.replace(push(0, 2) + asm('JUMPI'), push(end, 2) + asm('JUMPI')) + asm('JUMPDEST STOP')
    tests['deep_calls'] = test(again, fork='Prague', gas=1 << 36, data='%064x' % 1000, unit=('call', 1000))
    tests['keccak_10k'] = test(loop(10000, asm('0x40 0 KECCAK256 0 MSTORE')), unit=('hash', 10000))
    tests['top_call'] = test(asm('STOP'), unit=('call', 1))
    tests['top_call_24k'] = test(asm('STOP') + filler(24575), unit=('call', 1))
    return tests


def transfers():
    tests = {}
    receiver = 0xEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEE000
    rich = {'balance': '0x0de0b6b3a7640000', 'nonce': '0x01', 'code': '0x', 'storage': {}}
    tests['transfer'] = test(None, value=10**15, gas=21000, to='0x%040x' % receiver, others={'0x%040x' % receiver: rich})
    # Pays one wei each to a thousand accounts: the counter is the low end of the address.
    pay = asm(f'0 0 0 0 1 DUP6 {receiver} ADD 0 CALL POP')
    others = {'0x%040x' % (receiver + i): rich for i in range(1, 1001)}
    tests['transfers_1000'] = test(loop(1000, pay), balance=10**9, others=others, unit=('transfer', 1000))
    return tests


# ---- Filling --------------------------------------------------------------------------------------------------------

def fill(geth, path, tests):
    """Asks geth what comes of each test, and writes the file."""
    with open(path, 'w') as out:
        json.dump(tests, out)
    with subprocess.Popen([geth, '--serve'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as peer:
        peer.stdout.readline()
        for name, t in tests.items():
            (fork, entries), = t['post'].items()
            gas = int(t['transaction']['gasLimit'][0], 16)
            peer.stdin.write('\t'.join(['load', path, name, fork, '0', '0', '0', str(gas)]) + '\n')
            peer.stdin.flush()
            answer = peer.stdout.readline().split()
            if answer[:2] != ['ok', 'success']:
                raise SystemExit(f'{name}: {" ".join(answer)}')
            entries[0]['logs'], entries[0]['hash'] = answer[4], answer[5]
        peer.stdin.close()
    with open(path, 'w') as out:
        json.dump(tests, out, indent=1)
        out.write('\n')
    print(f'{os.path.relpath(path)}: {len(tests)} programs')


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith('-'):
        raise SystemExit(__doc__)
    fill(sys.argv[1], os.path.join(HERE, 'own/loops/loops.json'), loops())
    fill(sys.argv[1], os.path.join(HERE, 'own/calls.json'), calls())
    fill(sys.argv[1], os.path.join(HERE, 'own/transfers.json'), transfers())


if __name__ == '__main__':
    main()
