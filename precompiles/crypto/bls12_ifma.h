/* SPDX-License-Identifier: Apache-2.0 */
/**
 * precompiles/crypto/bls12_ifma.h: arithmetic of BLS12-381 on processors with AVX-512 and its 52-bit multiplications (IFMA):
 * what a pairing does in Fp12, and what checks that points lie in their subgroup. blst does the same with scalar
 * instructions, at a third to a fifth of the speed; callers ask cevm_bls12_has_ifma and turn to it where there is none.
 *
 * Outputs come first and may be the same objects as inputs. Pure functions, safe on any thread, no allocation, at most 16 KiB
 * of C stack. Not constant-time: inputs are public.
 */
#ifndef CEVM_PRECOMPILES_CRYPTO_BLS12_IFMA_H
#define CEVM_PRECOMPILES_CRYPTO_BLS12_IFMA_H

#include "precompiles/bls12_381.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(CEVM_PORTABLE) && !defined(CEVM_NO_BLST)
#define CEVM_BLS12_IFMA 1
#else
#define CEVM_BLS12_IFMA 0
#endif

#if CEVM_BLS12_IFMA

/** Whether the processor and the system have it. Nothing else in this file may be called otherwise. */
static inline bool cevm_bls12_has_ifma(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512ifma");
}

/** An element of Fp12 = Fp2[w], w^6 = 1 + i: real parts, then imaginary parts; lane k is the coefficient of w^k. Which form
 * the numbers have is told in bls12_ifma_fp.h. */
typedef struct cevm_ifma_fp12 {
    _Alignas(64) uint64_t c[2][8][8];
} cevm_ifma_fp12;

/** A point (x, y) of G1, made ready to have lines evaluated at it. */
typedef struct cevm_ifma_place {
    _Alignas(64) uint64_t l[8][8];
} cevm_ifma_place;

void cevm_ifma_fp12_from_blst(cevm_ifma_fp12 *r, const blst_fp12 *a);
void cevm_ifma_fp12_to_blst(blst_fp12 *r, const cevm_ifma_fp12 *a);
void cevm_ifma_fp12_mul(cevm_ifma_fp12 *r, const cevm_ifma_fp12 *a, const cevm_ifma_fp12 *b);
void cevm_ifma_fp12_sqr(cevm_ifma_fp12 *r, const cevm_ifma_fp12 *a);

/** a^(p^6); 1 / a if a^(p^6 + 1) = 1. */
void cevm_ifma_fp12_conjugate(cevm_ifma_fp12 *r, const cevm_ifma_fp12 *a);

/** a^(2^times) for a^(p^4 - p^2 + 1) = 1. */
void cevm_ifma_fp12_sqr_cyclotomic(cevm_ifma_fp12 *r, const cevm_ifma_fp12 *a, unsigned times);

void cevm_ifma_place_set(cevm_ifma_place *place, const blst_fp *x, const blst_fp *y);

/** a * (l0 + l1 x w^2 + l2 y w^3) for the line's coefficients l and the place (x, y). */
void cevm_ifma_fp12_mul_line(cevm_ifma_fp12 *r, const cevm_ifma_fp12 *a, const blst_fp6 *line,
                             const cevm_ifma_place *place);

/** a * (1 + l0 x w^2 + l1 y w^3), the four numbers of l in blst's form. */
void cevm_ifma_fp12_mul_unit_line(cevm_ifma_fp12 *r, const cevm_ifma_fp12 *a, const uint64_t line[24],
                                  const cevm_ifma_place *place);

/** Whether all of 1 to 8 points, on their curve and not infinity, are in G1, or in G2. */
bool cevm_ifma_g1_in_subgroup(const blst_p1_affine *p, size_t count);
bool cevm_ifma_g2_in_subgroup(const blst_p2_affine *p, size_t count);

#endif
#endif
