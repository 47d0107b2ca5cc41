/* SPDX-License-Identifier: Apache-2.0 */
/**
 * precompiles/crypto/bn254_pairing.h: the group G2 of EIP-197, points of order r on y^2 = x^3 + 3 / (9 + i) over Fp2, and the
 * optimal ate pairing of G1 and G2, as far as the question "is the product of these pairings 1?" needs it.
 *
 * Pure functions, safe on any thread, no allocation; about 4 KiB of C stack.
 */
#ifndef CEVM_PRECOMPILES_CRYPTO_BN254_PAIRING_H
#define CEVM_PRECOMPILES_CRYPTO_BN254_PAIRING_H

#include "precompiles/crypto/bn254_fp12.h"
#include "precompiles/crypto/bn254_g1.h"

/** (0, 0) is infinity. */
typedef struct g2 {
    fp2 x, y;
} g2;

/** One pair while its Miller loop runs. */
typedef struct bn254_pair {
    g2 q;
    fp2 x, y, z;    /* the multiple of q that has been reached, as (x / z, y / z) */
    fp px, px3, py; /* of the point of G1: x, 3 x and -y */
} bn254_pair;

static inline bool g2_is_infinity(const g2 *q) { return fp2_is_zero(&q->x) && fp2_is_zero(&q->y); }

/** Reads 128 bytes: x and y, each its coefficient of i first (EIP-197), 32 big-endian bytes each. False if one is p or more,
 * or the point is neither on the curve nor (0, 0). Membership in G2 is not seen here. */
bool cevm_g2_from_bytes(g2 *q, const uint8_t bytes[128]);

/** True if a point of the curve, not infinity, has order r. */
bool cevm_g2_in_subgroup(const g2 *q);

/** Makes a pair ready for the loop; neither point is infinity. */
void cevm_bn254_pair_set(bn254_pair *pair, const g1 *p, const g2 *q);

/** r = the product of the Miller functions of all the pairs, at least one, with one chain of squares. False if a point q does
 * not have order r: the product is then of no meaning. Pairs are used up. */
bool cevm_bn254_miller_loop(fp12 *r, bn254_pair *pairs, size_t count);

/** The power of a that makes pairings of Miller functions: a^((p^12 - 1) / r * m) for an m prime to r, so that it is 1 exactly
 * if a^((p^12 - 1) / r) is. a is not 0. */
void cevm_bn254_final_exponentiation(fp12 *r, const fp12 *a);

#endif
