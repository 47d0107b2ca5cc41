/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fp12 over BLS12-381 in vectors: ifma_fp12.h with w^6 = 1 + i.
 */
#include "precompiles/crypto/bls12_ifma.h"

#if CEVM_BLS12_IFMA

enum { XI = 1 };

#include "precompiles/crypto/bls12_ifma_fp.h"
#include "precompiles/crypto/ifma_fp12.h"

_Static_assert(sizeof(element) == sizeof(cevm_ifma_fp12), "the same thing under two names");

/* 2^480 mod p: of a number in blst's form it makes a factor that turns another such number into the product in ours. */
static const uint64_t to_factor[FP8_LIMBS] = {0x6a0c0a653f6fc, 0xdf21bc8d58e0c, 0x63665a0c7a249, 0xf6cc74d9c6d43,
                                              0xb33c525492b6b, 0xc5935a887f8c8, 0x487a48f1eb623, 0x1447c};

static const element *in(const cevm_ifma_fp12 *a) { return (const void *)a; }
static element *out(cevm_ifma_fp12 *a) { return (void *)a; }

void cevm_ifma_fp12_from_blst(cevm_ifma_fp12 *r, const blst_fp12 *a) { element_from(out(r), a->fp6[0].fp2[0].fp[0].l); }

void cevm_ifma_fp12_to_blst(blst_fp12 *r, const cevm_ifma_fp12 *a) { element_to(r->fp6[0].fp2[0].fp[0].l, in(a)); }

void cevm_ifma_fp12_conjugate(cevm_ifma_fp12 *r, const cevm_ifma_fp12 *a) { element_conjugate(out(r), in(a)); }

void cevm_ifma_fp12_mul(cevm_ifma_fp12 *r, const cevm_ifma_fp12 *a, const cevm_ifma_fp12 *b)
{
    element_mul(out(r), in(a), in(b));
}

void cevm_ifma_fp12_sqr(cevm_ifma_fp12 *r, const cevm_ifma_fp12 *a) { element_mul(out(r), in(a), in(a)); }

void cevm_ifma_fp12_sqr_cyclotomic(cevm_ifma_fp12 *r, const cevm_ifma_fp12 *a, unsigned times)
{
    element_sqr_cyclotomic(out(r), in(a), times);
}

IFMA void cevm_ifma_place_set(cevm_ifma_place *place, const blst_fp *x, const blst_fp *y)
{
    const __m512i at = _mm512_setr_epi64(0, 6, 12, 18, 24, 30, 0, 0);
    const blst_fp one = blst_fp12_one()->fp6[0].fp2[0].fp[0];
    const blst_fp factors[6] = {one, one, *x, *x, *y, *y};
    fp8_store((fp8 *)(void *)place, fp8_product(fp8_constant(to_factor), fp8_gather(factors[0].l, at, SIX_LANES)));
}

IFMA void cevm_ifma_fp12_mul_line(cevm_ifma_fp12 *r, const cevm_ifma_fp12 *a, const blst_fp6 *line,
                                  const cevm_ifma_place *place)
{
    static const int powers[3] = {0, 2, 3};
    const __m512i at = _mm512_setr_epi64(0, 6, 12, 18, 24, 30, 0, 0);
    const fp8_limbs scale = fp8_load((const fp8 *)(const void *)place);
    element_mul_line(out(r), in(a), fp8_product(scale, fp8_gather(line->fp2[0].fp[0].l, at, SIX_LANES)), powers);
}

IFMA void cevm_ifma_fp12_mul_unit_line(cevm_ifma_fp12 *r, const cevm_ifma_fp12 *a, const uint64_t line[24],
                                       const cevm_ifma_place *place)
{
    static const int real_lanes[2] = {2, 4};
    static const int imaginary_lanes[2] = {3, 5};
    static const int powers[2] = {2, 3};
    const __m512i at = _mm512_setr_epi64(0, 0, 0, 6, 12, 18, 0, 0);
    const __m512i neighbours = _mm512_setr_epi64(1, 0, 3, 2, 5, 4, 7, 6);
    const fp8_limbs a_r = fp8_load(&in(a)->r);
    const fp8_limbs a_i = fp8_load(&in(a)->i);
    factor f;
    fp8 values;
    fp8 sums;
    const fp8_limbs scale = fp8_load((const fp8 *)(const void *)place);
    const fp8_limbs value = fp8_product(scale, fp8_gather(line, at, 0x3c));
    fp8_store(&values, value);
    fp8_store(&sums, fp8_carry(fp8_plus(value, fp8_permute(neighbours, value))));
    set_factor(&f, in(a));
    const fp8_limbs real = sum_of_products(2, &values, real_lanes, powers, &f.part[REAL]);
    const fp8_limbs imaginary = sum_of_products(2, &values, imaginary_lanes, powers, &f.part[IMAGINARY]);
    const fp8_limbs cross = sum_of_products(2, &sums, real_lanes, powers, &f.part[SUM]);
    /* The line's 1 adds a itself, to the imaginary parts by way of the sums. */
    set_from_products(out(r), fp8_plus(a_r, real), imaginary, fp8_plus(fp8_plus(a_r, a_i), cross));
}

#endif
