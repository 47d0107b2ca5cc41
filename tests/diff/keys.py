# SPDX-License-Identifier: Apache-2.0
"""Keccak-256 and secp256k1 signatures, slow and plain: what random blocks need to sign EIP-7702 authorizations."""

P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
     0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8)
MASK = 2**64 - 1


def rounds():
    """The constants of the 24 rounds, from the linear feedback shift register of the specification."""
    state = 1
    for _ in range(24):
        constant = 0
        for j in range(7):
            if state & 1:
                constant |= 1 << (2**j - 1)
            state = (state << 1) ^ (0x171 if state & 0x80 else 0)
        yield constant


ROUNDS = list(rounds())


def rotate(x, n):
    return ((x << n) | (x >> (64 - n))) & MASK if n else x


def permute(a):
    for constant in ROUNDS:
        c = [a[x][0] ^ a[x][1] ^ a[x][2] ^ a[x][3] ^ a[x][4] for x in range(5)]
        d = [c[(x - 1) % 5] ^ rotate(c[(x + 1) % 5], 1) for x in range(5)]
        a = [[a[x][y] ^ d[x] for y in range(5)] for x in range(5)]
        x, y, moved = 1, 0, a[1][0]
        b = [[0] * 5 for _ in range(5)]
        b[0][0] = a[0][0]
        for t in range(24):
            b[y][(2 * x + 3 * y) % 5] = rotate(moved, (t + 1) * (t + 2) // 2 % 64)
            x, y = y, (2 * x + 3 * y) % 5
            moved = a[x][y]
        a = [[b[x][y] ^ (~b[(x + 1) % 5][y] & b[(x + 2) % 5][y]) for y in range(5)] for x in range(5)]
        a[0][0] ^= constant
    return a


def keccak256(data):
    rate = 136
    data = bytearray(data) + b"\x01" + b"\x00" * (rate - 1 - len(data) % rate)
    data[-1] |= 0x80
    a = [[0] * 5 for _ in range(5)]
    for block in range(0, len(data), rate):
        for i in range(rate // 8):
            a[i % 5][i // 5] ^= int.from_bytes(data[block + 8 * i:block + 8 * i + 8], "little")
        a = permute(a)
    return b"".join(a[i % 5][i // 5].to_bytes(8, "little") for i in range(4))


def add(p, q):
    if p is None or q is None:
        return p if q is None else q
    if p[0] == q[0]:
        if (p[1] + q[1]) % P == 0:
            return None
        slope = 3 * p[0] * p[0] * pow(2 * p[1], -1, P) % P
    else:
        slope = (q[1] - p[1]) * pow(q[0] - p[0], -1, P) % P
    x = (slope * slope - p[0] - q[0]) % P
    return x, (slope * (p[0] - x) - p[1]) % P


def multiply(k):
    result, power = None, G
    while k:
        if k & 1:
            result = add(result, power)
        power = add(power, power)
        k >>= 1
    return result


def address(secret):
    x, y = multiply(secret)
    return "0x" + keccak256(x.to_bytes(32, "big") + y.to_bytes(32, "big"))[12:].hex()


def sign(digest, secret, k):
    """(y parity, r, s) with the nonce k, s in the lower half."""
    x, y = multiply(k)
    r = x % N
    s = pow(k, -1, N) * (int.from_bytes(digest, "big") + r * secret) % N
    return (y & 1 ^ 1, r, N - s) if s > N // 2 else (y & 1, r, s)


def rlp(item):
    """Of bytes, numbers and lists."""
    if isinstance(item, list):
        payload, base = b"".join(rlp(i) for i in item), 0xC0
    else:
        payload = item.to_bytes((item.bit_length() + 7) // 8, "big") if isinstance(item, int) else item
        if len(payload) == 1 and payload[0] < 0x80:
            return payload
        base = 0x80
    if len(payload) < 56:
        return bytes([base + len(payload)]) + payload
    length = len(payload).to_bytes((len(payload).bit_length() + 7) // 8, "big")
    return bytes([base + 55 + len(length)]) + length + payload
