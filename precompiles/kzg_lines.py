#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints precompiles/kzg_lines.c: precompiles/kzg_lines.py > precompiles/kzg_lines.c

The lines of the Miller loop over BLS12-381 for the two points of G2 that verifying a KZG proof pairs with: the generator and
[τ]G2 (EIP-4844). Only textbook arithmetic on affine points; tests/unit/test_kzg.c computes the same with blst.
"""

P = 0x1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab
PARAMETER = 0xd201000000010000

# Points of the twist, x and y, each real part first: the generator (EIP-2537), and the second of the ceremony's powers in G2.
GENERATOR = (
    (0x024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8,
     0x13e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e),
    (0x0ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801,
     0x0606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79be))
TAU = (
    (0x185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b087041de621000edc98edada20c1def2,
     0x15bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d2914e5870cb452d2afaaab24f3499f72),
    (0x014353bdb96b626dd7d5ee8599d1fca2131569490e28de18e82451a496a9c9794ce26d105941f383ee689bfbbb832a99,
     0x1666c54b0a32529503432fcae0181b4bef79de09fc63671fda5ed1ba9bfa07899495346f3d7ac9cd23048ef30d0a154f))


def sub(a, b):
    return ((a[0] - b[0]) % P, (a[1] - b[1]) % P)


def mul(a, b):
    return ((a[0] * b[0] - a[1] * b[1]) % P, (a[0] * b[1] + a[1] * b[0]) % P)


def inverse(a):
    norm = pow(a[0] * a[0] + a[1] * a[1], -1, P)
    return (a[0] * norm % P, -a[1] * norm % P)


def line_and_sum(t, q):
    """The line through t and q (the tangent if they are equal) as the table has it, and t + q."""
    (x, y), (u, v) = t, q
    if t == q:
        square = mul(x, x)
        slope = mul((3 * square[0] % P, 3 * square[1] % P), inverse((2 * y[0] % P, 2 * y[1] % P)))
    else:
        slope = mul(sub(v, y), inverse(sub(u, x)))
    third = sub(sub(mul(slope, slope), x), u)
    scale = inverse(sub(mul(slope, x), y))
    zero = (0, 0)
    return (mul(sub(zero, slope), scale), sub(zero, scale)), (third, sub(mul(slope, sub(x, third)), y))


def lines(q):
    out = []
    t = q
    for place in range(PARAMETER.bit_length() - 2, -1, -1):
        line, t = line_and_sum(t, t)
        out.append(line)
        if PARAMETER >> place & 1:
            line, t = line_and_sum(t, q)
            out.append(line)
    return out


def words(numbers):
    for number in numbers:
        montgomery = (number << 384) % P
        for i in range(6):
            yield "0x%016x" % (montgomery >> (64 * i) & (2**64 - 1))


print("""/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Printed by precompiles/kzg_lines.py: the lines of a Miller loop over BLS12-381 for the generator of G2 and for [τ]G2, the
 * points that a KZG proof is paired with (EIP-4844). Each is 1 + a x w^2 - b y w^3, and here are a and b, real parts first, as
 * limbs least first, in blst's Montgomery form.
 */
#include "precompiles/point_evaluation.h"

#ifndef CEVM_NO_BLST

/* clang-format off */
const cevm_bls12_line cevm_kzg_lines[2][CEVM_BLS12_LINES] = {""")
for point in (GENERATOR, TAU):
    print("{")
    for a, b in lines(point):
        text = list(words(a + b))
        rows = [", ".join(text[i:i + 6]) for i in range(0, 24, 6)]
        print("{{" + ",\n  ".join(rows) + "}},")
    print("},")
print("};\n/* clang-format on */\n\n#endif")
