/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The optimal ate pairing on BN254 (Vercauteren, "Optimal pairings", 2008), x = 4965661367192848881:
 *
 *     (f_{6x+2, Q}(P) * line([6x+2]Q, psi(Q)) * line([6x+2]Q + psi(Q), -psi^2(Q)))^((p^12 - 1) / r)
 *
 * psi is Frobenius on the twist: psi(x, y) = (conj(x) g2, conj(y) g3) with g_i = (9 + i)^((p - 1) i / 6). A point (x, y) of
 * the twist is (x w^2, y w^3) on the curve over Fp12, so the line of slope s through it takes at P = (X, Y) the value
 * Y - s X w + (s x - y) w^3. Factors in Fp2 vanish in the last power: lines are scaled so that nothing is divided.
 *
 * Membership in G2 comes with the loop. psi^2 - t psi + p = 0 on the twist, t = 6x^2 + 1, and a point has order r exactly if
 *
 *     [6x+2]Q + psi(Q) - psi^2(Q) + psi^3(Q) = 0:
 *
 * for a Q in G2 psi is multiplication by p, and 6x + 2 + p - p^2 + p^3 = 0 mod r. Conversely the left side, reduced by the
 * equation of psi, is (a + b psi)(Q), and a Q that it maps to 0 is also mapped to 0 by N = a^2 + a b t + b^2 p and by the
 * order (2p - r) r of the twist; gcd(N, (2p - r) r) = r. The loop has just computed the first three terms.
 *
 * The formulas for sums do not hold where a multiple reached meets Q or -Q, or a doubling gives infinity: never on a point of
 * order r, as the multiples are below r - 1, and on others z becomes 0 and then stays 0, which is refused in the end.
 */
#include "precompiles/crypto/bn254_pairing.h"

/* 3 / (9 + i), and three times that. */
static const fp2 twist_b = {{{{0x3bf938e377b802a8, 0x020b1b273633535d, 0x26b7edf049755260, 0x2514c6324384a86d}},
                             {{0x38e7ecccd1dcff67, 0x65f0b37d93ce0d3e, 0xd749d0dd22ac00aa, 0x0141b9ce4a688d4d}}}};
static const fp2 three_twist_b = {{{{0x3baa927cb62e0d6a, 0xd71e7c52d1b664fd, 0x03873e63d95d4664, 0x0e75b5b1082ab8f4}},
                                   {{0xaab7c6667596fe35, 0x31d21a78bb6a27ba, 0x85dd7297680401ff, 0x03c52d6adf39a7e9}}}};

/*
 * 6x + 2 = 29793968203157093288 in signed binary without neighbouring digits: where +1 and -1 stand. Its highest digit is at
 * place 65, where the loop begins, so place 64 and below are left; 64 itself has none.
 */
static const uint64_t loop_plus = 0x2002004200804028;
static const uint64_t loop_minus = 0x82889008420a0480;
