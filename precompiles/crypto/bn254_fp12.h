/* SPDX-License-Identifier: Apache-2.0 */
/**
 * precompiles/crypto/bn254_fp12.h: the extensions of bn254_fp.h that a pairing's values lie in: Fp6 = Fp2[v], v^3 = 9 + i, and
 * Fp12 = Fp6[w], w^2 = v (EIP-197's field, in another basis). All coefficients are canonical. Outputs come first and may be
 * the same objects as inputs. Pure functions, safe on any thread; they touch only their operands and the C stack.
 */
#ifndef CEVM_PRECOMPILES_CRYPTO_BN254_FP12_H
#define CEVM_PRECOMPILES_CRYPTO_BN254_FP12_H

#include "precompiles/crypto/bn254_fp.h"

typedef struct fp6 {
    fp2 c[3];
} fp6;

typedef struct fp12 {
    fp6 c[2];
} fp12;

/** The value of a line at a point: c0 + (c1 + c2 v) w. */
typedef struct fp12_line {
    fp2 c0, c1, c2;
} fp12_line;

void cevm_fp12_one(fp12 *r);
bool cevm_fp12_is_one(const fp12 *a);
bool cevm_fp12_equal(const fp12 *a, const fp12 *b);

void cevm_fp12_mul(fp12 *r, const fp12 *a, const fp12 *b);
void cevm_fp12_sqr(fp12 *r, const fp12 *a);
/** a times the line's value. */
void cevm_fp12_mul_line(fp12 *r, const fp12 *a, const fp12_line *line);

/** 1 / a, and 0 for 0. */
void cevm_fp12_inv(fp12 *r, const fp12 *a);

/** a^(p^6); 1 / a if a^(p^6 + 1) = 1. */
void cevm_fp12_conjugate(fp12 *r, const fp12 *a);

/** a^(p^power), power 1, 2 or 3. */
void cevm_fp12_frobenius(fp12 *r, const fp12 *a, unsigned power);

/** a^2 for a^(p^4 - p^2 + 1) = 1. */
void cevm_fp12_sqr_cyclotomic(fp12 *r, const fp12 *a);

/** (9 + i)^((p^power - 1) i / 6) for power 1, 2 or 3 and i 0 to 5: what w^i is multiplied by when raised to p^power. */
const fp2 *cevm_fp12_frobenius_coefficient(unsigned power, unsigned i);

#endif
