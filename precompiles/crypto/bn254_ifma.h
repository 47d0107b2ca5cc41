/* SPDX-License-Identifier: Apache-2.0 */
/**
 * precompiles/crypto/bn254_ifma.h: what a pairing on BN254 does in Fp12, on processors with AVX-512 and its 52-bit
 * multiplications (IFMA), in a third of the time; callers ask cevm_bn254_has_ifma and use bn254_fp12.h where there is none.
 *
 * Outputs come first and may be the same objects as inputs. Pure functions, safe on any thread, no allocation, at most 8 KiB of
 * C stack. Not constant-time: inputs are public.
 */
#ifndef CEVM_PRECOMPILES_CRYPTO_BN254_IFMA_H
#define CEVM_PRECOMPILES_CRYPTO_BN254_IFMA_H

#include "precompiles/crypto/bn254_fp12.h"

#if FP_X86
#define CEVM_BN254_IFMA 1

/** Whether the processor and the system have it. Nothing else in this file may be called otherwise. */
static inline bool cevm_bn254_has_ifma(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512ifma");
}

/** An element of Fp12 = Fp2[w], w^6 = 9 + i: real parts, then imaginary parts; lane k is the coefficient of w^k. Which form
 * the numbers have is told in ifma_fp.h. */
typedef struct ifma_fp12 {
    _Alignas(64) uint64_t c[2][5][8];
} ifma_fp12;

void cevm_bn254_ifma_from(ifma_fp12 *r, const fp12 *a);
void cevm_bn254_ifma_to(fp12 *r, const ifma_fp12 *a);
void cevm_bn254_ifma_mul(ifma_fp12 *r, const ifma_fp12 *a, const ifma_fp12 *b);
void cevm_bn254_ifma_mul_line(ifma_fp12 *r, const ifma_fp12 *a, const fp12_line *line);

/** a^(p^6); 1 / a if a^(p^6 + 1) = 1. */
void cevm_bn254_ifma_conjugate(ifma_fp12 *r, const ifma_fp12 *a);

/** a^(2^times) for a^(p^4 - p^2 + 1) = 1. */
void cevm_bn254_ifma_sqr_cyclotomic(ifma_fp12 *r, const ifma_fp12 *a, unsigned times);

#else
#define CEVM_BN254_IFMA 0
#endif

#endif
