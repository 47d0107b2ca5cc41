/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keccak-f[1600] with the instructions of AVX-512 on 128-bit registers: any function of three operands in one, rotation by
 * any amount, and 32 registers, which hold the whole state.
 *
 * A register holds two lanes of one column, (x, 0) and (x, 1) or (x, 2) and (x, 3); the lanes (x, 4) have a register each, whose
 * upper half is zero. All but pi then works on both lanes at once. And pi moves lane (x, y) to (y, 2x + 3y), so the two lanes
 * that meet in a register come from the same row, the same half of two registers: one unpack makes a register of the new
 * state, and nothing crosses from one half to the other but in theta, for the parity of a column.
 *
 * It is 78 operations a round where general registers take 130, and none waits longer than a cycle. Wider registers take
 * fewer, but pi or theta must then cross from one half to the other by permutations of three cycles through one port, and
 * nothing is left to do meanwhile; bench/README.md has the figures.
 */
#include "precompiles/crypto/keccak.h"

#if CEVM_KECCAK_HAS_X86
#include <immintrin.h>

#define AVX512        __attribute__((target("avx512f,avx512vl")))
#define AVX512_INLINE AVX512 __attribute__((always_inline)) static inline

enum { XOR3 = 0x96, CHI = 0xd2 /* a ^ (~b & c) */, ROUNDS = 24, RATE_LANES = CEVM_KECCAK_RATE / 8 };

/** Column x: lanes y = 0 and 1, lanes y = 2 and 3, lane y = 4. */
typedef struct column {
    __m128i y01, y23, y4;
} column;

typedef struct lanes {
    column x0, x1, x2, x3, x4;
    __mmask8 low_half; /* 1: for chi_low */
} lanes;

/** The amounts of rho for the two lanes of a register, lower half first; y = 4 has immediate ones. */
static const uint64_t rho_01[5][2] = {{0, 36}, {1, 44}, {62, 6}, {28, 55}, {27, 20}};
static const uint64_t rho_23[5][2] = {{3, 41}, {10, 45}, {43, 15}, {25, 21}, {39, 8}};

AVX512_INLINE __m128i pair(const uint64_t *two) { return _mm_loadu_si128((const __m128i *)(const void *)two); }

AVX512_INLINE __m128i one(const void *lane) { return _mm_loadl_epi64(lane); }

AVX512_INLINE __m128i low(__m128i a, __m128i b) { return _mm_unpacklo_epi64(a, b); }

AVX512_INLINE __m128i high(__m128i a, __m128i b) { return _mm_unpackhi_epi64(a, b); }

AVX512_INLINE __m128i xor3(__m128i a, __m128i b, __m128i c) { return _mm_ternarylogic_epi64(a, b, c, XOR3); }

AVX512_INLINE __m128i chi(__m128i a, __m128i b, __m128i c) { return _mm_ternarylogic_epi64(a, b, c, CHI); }

/** Chi on lower halves; makes the upper half zero, whatever pi has left there. */
AVX512_INLINE __m128i chi_low(__mmask8 low_half, __m128i a, __m128i b, __m128i c)
{
    return _mm_maskz_ternarylogic_epi64(low_half, a, b, c, CHI);
}

/** The xor of a column's five lanes, in both halves. */
AVX512_INLINE __m128i parity(const column *c)
{
    const __m128i sum = xor3(c->y01, c->y23, c->y4);
    return _mm_xor_si128(sum, _mm_shuffle_epi32(sum, _MM_SHUFFLE(1, 0, 3, 2)));
}

/** Theta and rho of column x, but for the rotation of lane (x, 4). The parities are those of the columns beside it. */
AVX512_INLINE void theta_rho(column *c, size_t x, __m128i before, __m128i after)
{
    after = _mm_rol_epi64(after, 1);
    c->y01 = _mm_rolv_epi64(xor3(c->y01, before, after), pair(rho_01[x]));
    c->y23 = _mm_rolv_epi64(xor3(c->y23, before, after), pair(rho_23[x]));
    c->y4 = xor3(c->y4, before, after);
}

/** Theta and rho of the whole state. */
AVX512_INLINE void theta_rho_all(lanes *s)
{
    const __m128i p0 = parity(&s->x0), p1 = parity(&s->x1), p2 = parity(&s->x2), p3 = parity(&s->x3),
                  p4 = parity(&s->x4);
    theta_rho(&s->x0, 0, p4, p1);
    theta_rho(&s->x1, 1, p0, p2);
    theta_rho(&s->x2, 2, p1, p3);
    theta_rho(&s->x3, 3, p2, p4);
    theta_rho(&s->x4, 4, p3, p0);
    s->x0.y4 = _mm_rol_epi64(s->x0.y4, 18);
    s->x1.y4 = _mm_rol_epi64(s->x1.y4, 2);
    s->x2.y4 = _mm_rol_epi64(s->x2.y4, 61);
    s->x3.y4 = _mm_rol_epi64(s->x3.y4, 56);
    s->x4.y4 = _mm_rol_epi64(s->x4.y4, 14);
}

AVX512_INLINE void keccak_round(lanes *s, __m128i iota)
{
    theta_rho_all(s);

    /* Pi: lane (x, y) of the new state is lane (x + 3y, x) of the old one. */
    const column b0 = {low(s->x0.y01, s->x3.y01), low(s->x1.y01, s->x4.y01), s->x2.y01};
    const column b1 = {high(s->x1.y01, s->x4.y01), high(s->x2.y01, s->x0.y01), high(s->x3.y01, s->x3.y01)};
    const column b2 = {low(s->x2.y23, s->x0.y23), low(s->x3.y23, s->x1.y23), s->x4.y23};
    const column b3 = {high(s->x3.y23, s->x1.y23), high(s->x4.y23, s->x2.y23), high(s->x0.y23, s->x0.y23)};
    const column b4 = {low(s->x4.y4, s->x2.y4), low(s->x0.y4, s->x3.y4), s->x1.y4};

    const __mmask8 half = s->low_half;
    s->x0 = (column){_mm_xor_si128(chi(b0.y01, b1.y01, b2.y01), iota), chi(b0.y23, b1.y23, b2.y23),
                     chi_low(half, b0.y4, b1.y4, b2.y4)};
    s->x1 = (column){chi(b1.y01, b2.y01, b3.y01), chi(b1.y23, b2.y23, b3.y23), chi_low(half, b1.y4, b2.y4, b3.y4)};
    s->x2 = (column){chi(b2.y01, b3.y01, b4.y01), chi(b2.y23, b3.y23, b4.y23), chi_low(half, b2.y4, b3.y4, b4.y4)};
    s->x3 = (column){chi(b3.y01, b4.y01, b0.y01), chi(b3.y23, b4.y23, b0.y23), chi_low(half, b3.y4, b4.y4, b0.y4)};
    s->x4 = (column){chi(b4.y01, b0.y01, b1.y01), chi(b4.y23, b0.y23, b1.y23), chi_low(half, b4.y4, b0.y4, b1.y4)};
}

/** The last round, of which the first four lanes of row 0 are all that is read: pi takes that row from the diagonal. */
AVX512_INLINE void last_round(cevm_hash *out, lanes *s, __m128i iota)
{
    theta_rho_all(s);
    const __m128i b0 = s->x0.y01, b1 = high(s->x1.y01, s->x1.y01), b2 = s->x2.y23, b3 = high(s->x3.y23, s->x3.y23),
                  b4 = s->x4.y4;
    const __m128i b01 = low(b0, b1), b12 = low(b1, b2), b23 = low(b2, b3), b34 = low(b3, b4), b40 = low(b4, b0);
    _mm_storeu_si128((__m128i *)(void *)out->bytes, _mm_xor_si128(chi(b01, b12, b23), iota));
    _mm_storeu_si128((__m128i *)(void *)(out->bytes + 16), chi(b23, b34, b40));
}

/** Takes in column x of a block of which the first `count` lanes are there: a constant, so that no test of it is left. */
AVX512_INLINE void absorb(column *c, const uint8_t *block, size_t x, size_t count)
{
    if (x < count) {
        const __m128i first = one(block + 8 * x);
        c->y01 = _mm_xor_si128(c->y01, x + 5 < count ? low(first, one(block + 8 * (x + 5))) : first);
    }
    if (x + 10 < count) {
        const __m128i third = one(block + 8 * (x + 10));
        c->y23 = _mm_xor_si128(c->y23, x + 15 < count ? low(third, one(block + 8 * (x + 15))) : third);
    }
}

AVX512_INLINE void absorb_all(lanes *s, const uint8_t *block, size_t count)
{
    absorb(&s->x0, block, 0, count);
    absorb(&s->x1, block, 1, count);
    absorb(&s->x2, block, 2, count);
    absorb(&s->x3, block, 3, count);
    absorb(&s->x4, block, 4, count);
}

/** The padding's two ends for a rest of 32 or 64 bytes: lane 4 or 8, and the end of lane 16. */
AVX512_INLINE void absorb_pad(lanes *s, size_t size, uint8_t pad)
{
    const __m128i first = _mm_cvtsi32_si128(pad);
    if (size == 32) {
        s->x4.y01 = _mm_xor_si128(s->x4.y01, first);
    } else {
        s->x3.y01 = _mm_xor_si128(s->x3.y01, _mm_slli_si128(first, 8));
    }
    s->x1.y23 = _mm_xor_si128(s->x1.y23, _mm_set_epi64x(INT64_MIN, 0));
}

/** Takes in the last `size` bytes, fewer than a block, and the padding. Keys and pairs of words go without a copy. */
AVX512_INLINE void absorb_last(lanes *s, const uint8_t *rest, size_t size, uint8_t pad)
{
    if (size == 64) {
        absorb_all(s, rest, 8);
        absorb_pad(s, 64, pad);
    } else if (size == 32) {
        absorb_all(s, rest, 4);
        absorb_pad(s, 32, pad);
    } else {
        uint64_t last[RATE_LANES] = {0};
        cevm_keccak_xor_last(last, rest, size, pad);
        absorb_all(s, (const uint8_t *)last, RATE_LANES);
    }
}

AVX512 void cevm_keccak_sponge_avx512(cevm_hash *out, const void *data, size_t size, uint8_t pad)
{
    const __m128i zero = _mm_setzero_si128();
    const column empty = {zero, zero, zero};
    lanes s = {empty, empty, empty, empty, empty, 1};
    __asm__("" : "+k"(s.low_half)); /* clang, if it knew the mask, would zero the half by an instruction of its own */
    const uint8_t *block = data;
    for (bool more = true; more;) {
        more = size >= CEVM_KECCAK_RATE;
        if (more) {
            absorb_all(&s, block, RATE_LANES);
        } else {
            absorb_last(&s, block, size, pad);
        }
        for (size_t i = 0; i < ROUNDS - 1; ++i) {
            keccak_round(&s, one(&cevm_keccak_round_constants[i]));
        }
        if (more) {
            keccak_round(&s, one(&cevm_keccak_round_constants[ROUNDS - 1]));
            block += CEVM_KECCAK_RATE;
            size -= CEVM_KECCAK_RATE;
        }
    }
    last_round(out, &s, one(&cevm_keccak_round_constants[ROUNDS - 1]));
}
#endif
