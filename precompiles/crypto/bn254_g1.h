/* SPDX-License-Identifier: Apache-2.0 */
/**
 * precompiles/crypto/bn254_g1.h: the group G1 of EIP-196, y^2 = x^3 + 3 over Fp, all of whose points have order r (or 1).
 * (0, 0), which is not on the curve, stands for the point at infinity. Pure functions, safe on any thread, no allocation.
 */
#ifndef CEVM_PRECOMPILES_CRYPTO_BN254_G1_H
#define CEVM_PRECOMPILES_CRYPTO_BN254_G1_H

#include "precompiles/crypto/bn254_fp.h"

typedef struct g1 {
    fp x, y;
} g1;

static inline bool g1_is_infinity(const g1 *p) { return fp_is_zero(&p->x) && fp_is_zero(&p->y); }

/** Reads x and y, 32 big-endian bytes each. False if one of them is p or more, or the point is neither on the curve nor
 * (0, 0). */
bool cevm_g1_from_bytes(g1 *p, const uint8_t bytes[64]);

void cevm_g1_to_bytes(uint8_t bytes[64], const g1 *p);

/** a + b; r may be either. */
void cevm_g1_add(g1 *r, const g1 *a, const g1 *b);

/** k a for the 256-bit number k, four limbs, least first, which may be r or more; r may be a. */
void cevm_g1_mul(g1 *r, const g1 *a, const uint64_t k[4]);

/** The numbers k1, k2 with k = k1 + k2 lambda mod r that cevm_g1_mul works with: 192-bit two's complement, least limb first,
 * |k1|, |k2| < 2^129. */
void cevm_g1_split(uint64_t k1[3], uint64_t k2[3], const uint64_t k[4]);

/** (beta x, y) = lambda (x, y), beta and lambda cube roots of 1 modulo p and r. */
void cevm_g1_endomorphism(g1 *r, const g1 *a);

#endif
