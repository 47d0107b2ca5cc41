/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fp12 over BN254 in vectors: ifma_fp12.h with w^6 = 9 + i. R = 2^260 is above 84p.
 */
#include "precompiles/crypto/bn254_ifma.h"

#if CEVM_BN254_IFMA

enum { XI = 9 };

enum { FP8_LIMBS = 5, FP8_WORDS = 4 };

static const uint64_t fp8_modulus[FP8_LIMBS] = {0x8c16d87cfd47, 0x916871ca8d3c2, 0x181585d97816a, 0xa029b85045b68,
                                                0x30644e72e131};
static const uint64_t fp8_negative_inverse = 0x20782e4866389;
static const uint64_t fp8_to_words[FP8_LIMBS] = {0xd438dc58f0d9d, 0x28f5c70b3dd35, 0x879462c0a78eb, 0xdf2f666ea36f7,
                                                 0xe0a77c19a07};
static const uint64_t fp8_from_words[FP8_LIMBS] = {0xb0f2afaec667a, 0xed9626b0fffbd, 0x9e2a0fcad825a, 0xe357276f48b70,
                                                   0xd791464ef86};

#include "precompiles/crypto/ifma_fp.h"
#include "precompiles/crypto/ifma_fp12.h"

_Static_assert(sizeof(element) == sizeof(ifma_fp12), "the same thing under two names");

static const element *in(const ifma_fp12 *a) { return (const void *)a; }
static element *out(ifma_fp12 *a) { return (void *)a; }

void cevm_bn254_ifma_from(ifma_fp12 *r, const fp12 *a) { element_from(out(r), a->c[0].c[0].c[0].l); }

void cevm_bn254_ifma_to(fp12 *r, const ifma_fp12 *a) { element_to(r->c[0].c[0].c[0].l, in(a)); }

void cevm_bn254_ifma_conjugate(ifma_fp12 *r, const ifma_fp12 *a) { element_conjugate(out(r), in(a)); }

void cevm_bn254_ifma_mul(ifma_fp12 *r, const ifma_fp12 *a, const ifma_fp12 *b) { element_mul(out(r), in(a), in(b)); }

void cevm_bn254_ifma_sqr_cyclotomic(ifma_fp12 *r, const ifma_fp12 *a, unsigned times)
{
    element_sqr_cyclotomic(out(r), in(a), times);
}

IFMA void cevm_bn254_ifma_mul_line(ifma_fp12 *r, const ifma_fp12 *a, const fp12_line *line)
{
    static const int powers[3] = {0, 1, 3}; /* c0 + (c1 + c2 v) w */
    const __m512i at = _mm512_setr_epi64(0, 4, 8, 12, 16, 20, 0, 0);
    element_mul_line(out(r), in(a), fp8_from(line->c0.c[0].l, at, SIX_LANES), powers);
}

#endif
