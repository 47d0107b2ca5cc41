/* SPDX-License-Identifier: Apache-2.0 */
/**
 * precompiles/crypto/ifma_fp.h: a prime field, eight elements at a time, with the 52-bit multiplications of AVX-512 (IFMA).
 * What includes it says which field: FP8_LIMBS and FP8_WORDS, how many limbs of 52 bits and words of 64 bits a number takes,
 * and the constants fp8_modulus, fp8_negative_inverse (-1 / p mod 2^52), fp8_to_words and fp8_from_words (see below).
 *
 * Eight elements are FP8_LIMBS limbs of 52 bits, least first, each limb a vector with one lane an element. An element v is held
 * as v R mod p (Montgomery), R = 2^(52 FP8_LIMBS), not canonical: R is above p by so much that a product of two numbers comes
 * out below 2p without a comparison as long as it is below R p, and sums and differences need none either. What is a factor
 * must have its limbs in [0, 2^52), which fp8_carry sees to; until then limbs are signed and loose. Bounds stand at each use.
 *
 * Outputs come first and may be the same objects as inputs. Inline and pure; nothing is constant-time: inputs are public.
 */
#ifndef CEVM_PRECOMPILES_CRYPTO_IFMA_FP_H
#define CEVM_PRECOMPILES_CRYPTO_IFMA_FP_H

#include <stdbool.h>
#include <stdint.h>

#include <immintrin.h>

#define IFMA        __attribute__((target("avx512f,avx512dq,avx512ifma")))
#define IFMA_INLINE static inline __attribute__((always_inline)) IFMA

enum { FP8_LANES = 8, FP8_BITS = 52, FP8_TOP = FP8_LIMBS - 1 };

static const uint64_t fp8_mask = ((uint64_t)1 << FP8_BITS) - 1;

/* Eight elements, limb by limb, lane by lane. */
typedef struct fp8 {
    _Alignas(64) uint64_t l[FP8_LIMBS][FP8_LANES];
} fp8;

/* Limbs in registers. */
typedef struct fp8_limbs {
    __m512i l[FP8_LIMBS];
} fp8_limbs;

IFMA_INLINE __m512i fp8_all(uint64_t value) { return _mm512_set1_epi64((long long)value); }

IFMA_INLINE fp8_limbs fp8_load(const fp8 *a)
{
    fp8_limbs r = {{{0}}};
#pragma GCC unroll 8
    for (int i = 0; i < FP8_LIMBS; ++i) {
        r.l[i] = _mm512_load_si512(a->l[i]);
    }
    return r;
}

IFMA_INLINE void fp8_store(fp8 *r, fp8_limbs a)
{
#pragma GCC unroll 8
    for (int i = 0; i < FP8_LIMBS; ++i) {
        _mm512_store_si512(r->l[i], a.l[i]);
    }
}

/* Limb by limb, without carries. */
IFMA_INLINE fp8_limbs fp8_plus(fp8_limbs a, fp8_limbs b)
{
#pragma GCC unroll 8
    for (int i = 0; i < FP8_LIMBS; ++i) {
        a.l[i] = _mm512_add_epi64(a.l[i], b.l[i]);
    }
    return a;
}

IFMA_INLINE fp8_limbs fp8_minus(fp8_limbs a, fp8_limbs b)
{
#pragma GCC unroll 8
    for (int i = 0; i < FP8_LIMBS; ++i) {
        a.l[i] = _mm512_sub_epi64(a.l[i], b.l[i]);
    }
    return a;
}

/* a + 2^shift p, which makes what was above -2^shift p positive. */
IFMA_INLINE fp8_limbs fp8_plus_modulus(fp8_limbs a, unsigned shift)
{
#pragma GCC unroll 8
    for (int i = 0; i < FP8_LIMBS; ++i) {
        a.l[i] = _mm512_add_epi64(a.l[i], fp8_all(fp8_modulus[i] << shift));
    }
    return a;
}

/* Lanes of b where the mask has a one, of a elsewhere. */
IFMA_INLINE fp8_limbs fp8_blend(__mmask8 mask, fp8_limbs a, fp8_limbs b)
{
#pragma GCC unroll 8
    for (int i = 0; i < FP8_LIMBS; ++i) {
        a.l[i] = _mm512_mask_blend_epi64(mask, a.l[i], b.l[i]);
    }
    return a;
}

/* Lane k of the result is lane `from`[k] of a. */
IFMA_INLINE fp8_limbs fp8_permute(__m512i from, fp8_limbs a)
{
#pragma GCC unroll 8
    for (int i = 0; i < FP8_LIMBS; ++i) {
        a.l[i] = _mm512_permutexvar_epi64(from, a.l[i]);
    }
    return a;
}

/* Brings all limbs but the highest into [0, 2^52). The highest takes the rest, and the sign. */
IFMA_INLINE fp8_limbs fp8_carry(fp8_limbs a)
{
    const __m512i mask = fp8_all(fp8_mask);
#pragma GCC unroll 8
    for (int i = 0; i < FP8_TOP; ++i) {
        a.l[i + 1] = _mm512_add_epi64(a.l[i + 1], _mm512_srai_epi64(a.l[i], FP8_BITS));
        a.l[i] = _mm512_and_si512(a.l[i], mask);
    }
    return a;
}

/* a modulo p below 2p, carried, for a of loose limbs in [16p, 84p), and up to 2^12 p where R is above 2^35 p. */
IFMA_INLINE fp8_limbs fp8_reduce(fp8_limbs a)
{
    /* The quotient by p, from the highest limb, with 1 / p rounded down: never too large, and too small by less than 1. */
    const __m512i reciprocal = fp8_all(((uint64_t)1 << FP8_BITS) / (fp8_modulus[FP8_TOP] + 1));
    const __m512i zero = _mm512_setzero_si512();
    const __m512i top = _mm512_add_epi64(a.l[FP8_TOP], _mm512_srai_epi64(a.l[FP8_TOP - 1], FP8_BITS));
    const __m512i q = _mm512_madd52hi_epu64(zero, top, reciprocal);
#pragma GCC unroll 8
    for (int i = 0; i < FP8_LIMBS; ++i) {
        const __m512i p = fp8_all(fp8_modulus[i]);
        a.l[i] = _mm512_sub_epi64(a.l[i], _mm512_madd52lo_epu64(zero, q, p));
        if (i < FP8_TOP) {
            a.l[i + 1] = _mm512_sub_epi64(a.l[i + 1], _mm512_madd52hi_epu64(zero, q, p));
        }
    }
    return fp8_carry(a);
}

/* t += a * b for one limb of a and all of b; t begins at the limb's place. */
IFMA_INLINE void fp8_row(__m512i *t, __m512i a, const __m512i b[FP8_LIMBS])
{
#pragma GCC unroll 8
    for (int i = 0; i < FP8_LIMBS; ++i) {
        t[i] = _mm512_madd52lo_epu64(t[i], a, b[i]);
    }
#pragma GCC unroll 8
    for (int i = 0; i < FP8_LIMBS; ++i) {
        t[i + 1] = _mm512_madd52hi_epu64(t[i + 1], a, b[i]);
    }
}

/* t / R modulo p, below t / R + p; limbs of t are below 2^60 and not negative. */
IFMA_INLINE fp8_limbs fp8_montgomery(__m512i t[2 * FP8_LIMBS])
{
    const __m512i zero = _mm512_setzero_si512();
    fp8_limbs p;
    fp8_limbs r = {{{0}}};
#pragma GCC unroll 8
    for (int i = 0; i < FP8_LIMBS; ++i) {
        p.l[i] = fp8_all(fp8_modulus[i]);
    }
#pragma GCC unroll 8
    for (int i = 0; i < FP8_LIMBS; ++i) {
        fp8_row(t + i, _mm512_madd52lo_epu64(zero, t[i], fp8_all(fp8_negative_inverse)), p.l);
        t[i + 1] = _mm512_add_epi64(t[i + 1], _mm512_srli_epi64(t[i], FP8_BITS));
    }
#pragma GCC unroll 8
    for (int i = 0; i < FP8_LIMBS; ++i) {
        r.l[i] = t[FP8_LIMBS + i];
    }
    return fp8_carry(r);
}

/* a * b / R + p bounds what comes out. */
IFMA_INLINE fp8_limbs fp8_product(fp8_limbs a, fp8_limbs b)
{
    const __m512i zero = _mm512_setzero_si512();
    const __m512i inverse = fp8_all(fp8_negative_inverse);
    __m512i t[FP8_LIMBS + 1];
    fp8_limbs p;
    fp8_limbs r = {{{0}}};
#pragma GCC unroll 8
    for (int i = 0; i < FP8_LIMBS; ++i) {
        p.l[i] = fp8_all(fp8_modulus[i]);
        t[i] = zero;
    }
#pragma GCC unroll 8
    for (int i = 0; i < FP8_LIMBS; ++i) {
        t[FP8_LIMBS] = zero;
        fp8_row(t, b.l[i], a.l);
        fp8_row(t, _mm512_madd52lo_epu64(zero, t[0], inverse), p.l);
        t[1] = _mm512_add_epi64(t[1], _mm512_srli_epi64(t[0], FP8_BITS));
#pragma GCC unroll 8
        for (int k = 0; k < FP8_LIMBS; ++k) {
            t[k] = t[k + 1];
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < FP8_LIMBS; ++i) {
        r.l[i] = t[i];
    }
    return fp8_carry(r);
}

/* Lanes of numbers below R that are 0 modulo p. A product with 1 is at most p: it makes 0 of 0 and p of other multiples. */
IFMA_INLINE __mmask8 fp8_zero_lanes(fp8_limbs a)
{
    fp8_limbs number_one = {{{0}}};
    number_one.l[0] = fp8_all(1);
    const fp8_limbs r = fp8_product(a, number_one);
    __mmask8 zero = 0xff;
    __mmask8 modulus = 0xff;
#pragma GCC unroll 8
    for (int i = 0; i < FP8_LIMBS; ++i) {
        zero &= _mm512_cmpeq_epi64_mask(r.l[i], _mm512_setzero_si512());
        modulus &= _mm512_cmpeq_epi64_mask(r.l[i], fp8_all(fp8_modulus[i]));
    }
    return zero | modulus;
}

/* Between 64-bit and 52-bit limbs -------------------------------------------------------------------------------------- */

/* Without its optimiser, gcc has gather and scatter as macros that hand on the mask as a number with a sign. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"

/* The limbs of eight numbers: number k begins at base[at[k]]; lanes without a bit in the mask become 0. */
IFMA_INLINE fp8_limbs fp8_gather(const uint64_t *base, __m512i at, __mmask8 lanes)
{
    const __m512i mask = fp8_all(fp8_mask);
    __m512i w[FP8_WORDS];
    fp8_limbs r = {{{0}}};
#pragma GCC unroll 8
    for (int i = 0; i < FP8_WORDS; ++i) {
        w[i] = _mm512_mask_i64gather_epi64(_mm512_setzero_si512(), lanes, at, (const void *)(base + i), 8);
    }
#pragma GCC unroll 8
    for (unsigned i = 0; i < FP8_LIMBS; ++i) {
        const unsigned word = FP8_BITS * i / 64;
        const unsigned shift = FP8_BITS * i % 64;
        r.l[i] = _mm512_srli_epi64(w[word], shift);
        if (shift > 64 - FP8_BITS && word + 1 < FP8_WORDS) {
            r.l[i] = _mm512_or_si512(r.l[i], _mm512_slli_epi64(w[word + 1], 64 - shift));
        }
        r.l[i] = _mm512_and_si512(r.l[i], mask);
    }
    return r;
}

/* The reverse, of numbers below 2p, canonical: number k goes to base[at[k]]. */
IFMA_INLINE void fp8_scatter(uint64_t *base, __m512i at, __mmask8 lanes, fp8_limbs a)
{
    fp8_limbs less = a;
#pragma GCC unroll 8
    for (int i = 0; i < FP8_LIMBS; ++i) {
        less.l[i] = _mm512_sub_epi64(a.l[i], fp8_all(fp8_modulus[i]));
    }
    less = fp8_carry(less);
    a = fp8_blend(_mm512_movepi64_mask(less.l[FP8_TOP]), less, a);
#pragma GCC unroll 8
    for (unsigned i = 0; i < FP8_WORDS; ++i) {
        const unsigned limb = 64 * i / FP8_BITS;
        const unsigned shift = 64 * i % FP8_BITS;
        __m512i w = _mm512_srli_epi64(a.l[limb], shift);
        if (limb + 1 < FP8_LIMBS) {
            w = _mm512_or_si512(w, _mm512_slli_epi64(a.l[limb + 1], FP8_BITS - shift));
        }
        if (2 * FP8_BITS - shift < 64 && limb + 2 < FP8_LIMBS) {
            w = _mm512_or_si512(w, _mm512_slli_epi64(a.l[limb + 2], 2 * FP8_BITS - shift));
        }
        _mm512_mask_i64scatter_epi64((void *)(base + i), lanes, at, w, 8);
    }
}

#pragma GCC diagnostic pop

IFMA_INLINE fp8_limbs fp8_constant(const uint64_t value[FP8_LIMBS])
{
    fp8_limbs r = {{{0}}};
#pragma GCC unroll 8
    for (int i = 0; i < FP8_LIMBS; ++i) {
        r.l[i] = fp8_all(value[i]);
    }
    return r;
}

/* Scalar code holds v * W, W = 2^(64 FP8_WORDS): fp8_to_words is W, by which a product leaves our form for that one, and
 * fp8_from_words is R^2 / W, which does the reverse. */
IFMA_INLINE fp8_limbs fp8_from(const uint64_t *base, __m512i at, __mmask8 lanes)
{
    return fp8_product(fp8_constant(fp8_from_words), fp8_gather(base, at, lanes));
}

IFMA_INLINE void fp8_to(uint64_t *base, __m512i at, __mmask8 lanes, fp8_limbs a)
{
    fp8_scatter(base, at, lanes, fp8_product(fp8_constant(fp8_to_words), a));
}

#endif
