/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inverse in the prime field of BLS12-381, by the division steps of divsteps_field.h; blst's takes a fixed number of steps,
 * which public inputs need not. There are at most 19 batches, for 1101 steps are enough for 381 bits: |d| < 11p.
 */
#include "precompiles/bls12_381.h"
#include "precompiles/crypto/divsteps.h"

#ifndef CEVM_NO_BLST

#if CEVM_DIVSTEPS && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__

enum { FIELD_LIMBS = 7, FIELD_WORDS = 6, FIELD_MULTIPLES = 5 };

static const uint64_t field_inverse = 0x60c000300030003;

/* 16p, 8p, 4p, 2p, p. */
static const int64_t field_multiples[FIELD_MULTIPLES][FIELD_LIMBS] = {
    {0xfeffffffffaaab0, 0xbfffeb153ffffb9, 0xd2a0f6b0f6241ea, 0xb84f38512bf6730, 0xb6434bacd764774, 0xa397fe69a4b1ba7,
     0x1a0111e},
    {0xff7fffffffd5558, 0x5ffff58a9ffffdc, 0x69507b587b120f5, 0x5c279c2895fb398, 0xdb21a5d66bb23ba, 0x51cbff34d258dd3,
     0xd0088f},
    {0x7fbfffffffeaaac, 0xaffffac54ffffee, 0x34a83dac3d8907a, 0x2e13ce144afd9cc, 0xed90d2eb35d91dd, 0xa8e5ff9a692c6e9,
     0x680447},
    {0x3fdffffffff5556, 0x57fffd62a7ffff7, 0x1a541ed61ec483d, 0x9709e70a257ece6, 0xf6c869759aec8ee, 0xd472ffcd3496374,
     0x340223},
    {0x9feffffffffaaab, 0xabfffeb153ffffb, 0xd2a0f6b0f6241e, 0x4b84f38512bf673, 0x7b6434bacd76477, 0xea397fe69a4b1ba,
     0x1a0111},
};

/* 2^768 mod p. */
static const int64_t field_form[FIELD_LIMBS] = {0x4df1f341c341746, 0x76e6a609d104f1f, 0x5476c4c95b6d50a,
                                                0x88a9939d83c08de, 0xe85b519952d67eb, 0xe592cae3aa9a793,
                                                0x11988f};

#include "precompiles/crypto/divsteps_field.h"

void cevm_bls12_fp_inverse(blst_fp *r, const blst_fp *a)
{
    uint64_t words[FIELD_WORDS];
    memcpy(words, a, sizeof words);
    field_invert(words, words);
    memcpy(r, words, sizeof words);
}

#else

void cevm_bls12_fp_inverse(blst_fp *r, const blst_fp *a) { blst_fp_eucl_inverse(r, a); }

#endif

/* (a0 - a1 i) / (a0^2 + a1^2). */
void cevm_bls12_fp2_inverse(blst_fp2 *r, const blst_fp2 *a)
{
    blst_fp norm;
    blst_fp square;
    blst_fp_sqr(&norm, &a->fp[0]);
    blst_fp_sqr(&square, &a->fp[1]);
    blst_fp_add(&norm, &norm, &square);
    cevm_bls12_fp_inverse(&norm, &norm);
    blst_fp_mul(&r->fp[0], &a->fp[0], &norm);
    blst_fp_cneg(&norm, &norm, true);
    blst_fp_mul(&r->fp[1], &a->fp[1], &norm);
}

#endif
