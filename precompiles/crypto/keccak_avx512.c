/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keccak-f[1600] with AVX-512: a row of five lanes in each of five registers.
 *
 * In row form theta and rho are element-wise but for two rotations of the row of parities. Pi sends row y to column y, so
 * a permutation inside each register yields the state in column form, where chi is element-wise: one ternary operation a
 * register. Then the state is turned back to row form. That takes two unpacks for each of two pairs of columns and one
 * two-source permutation for each row; the fifth column travels in the idle elements 5 to 7 (see `pi`), so only two rows
 * need a blend on top.
 *
 * Chosen at run time; keccak.c has the portable form, and the tests compare the two.
 */
#include "precompiles/crypto/keccak.h"

#if CEVM_KECCAK_HAS_AVX512
#include <immintrin.h>

#define AVX512        __attribute__((target("avx512f")))
#define AVX512_INLINE AVX512 __attribute__((always_inline)) static inline

enum { RATE_LANES = 17, XOR3 = 0x96, CHI = 0xd2 /* a ^ (~b & c) */ };

typedef struct rows {
    __m512i r0, r1, r2, r3, r4;
} rows;

AVX512_INLINE __m512i lanes(long long a, long long b, long long c, long long d, long long e, long long f, long long g,
                            long long h)
{
    return _mm512_setr_epi64(a, b, c, d, e, f, g, h);
}

/**
 * Iota of the round before, theta and rho. Iota is put in here because it then waits for nothing: once on the way to the
 * parities, once for row 0 itself.
 */
AVX512_INLINE void theta_rho(rows *s, __m512i iota)
{
    const __m512i left = lanes(4, 0, 1, 2, 3, 5, 6, 7), right = lanes(1, 2, 3, 4, 0, 5, 6, 7);
    const __m512i half = _mm512_ternarylogic_epi64(s->r0, s->r1, s->r2, XOR3);
    const __m512i parity = _mm512_ternarylogic_epi64(half, _mm512_xor_si512(s->r3, iota), s->r4, XOR3);
    const __m512i before = _mm512_permutexvar_epi64(left, parity);
    const __m512i after = _mm512_permutexvar_epi64(right, _mm512_rol_epi64(parity, 1));
    s->r0 = _mm512_ternarylogic_epi64(_mm512_xor_si512(s->r0, iota), before, after, XOR3);
    s->r1 = _mm512_ternarylogic_epi64(s->r1, before, after, XOR3);
    s->r2 = _mm512_ternarylogic_epi64(s->r2, before, after, XOR3);
    s->r3 = _mm512_ternarylogic_epi64(s->r3, before, after, XOR3);
    s->r4 = _mm512_ternarylogic_epi64(s->r4, before, after, XOR3);
    s->r0 = _mm512_rolv_epi64(s->r0, lanes(0, 1, 62, 28, 27, 0, 0, 0));
    s->r1 = _mm512_rolv_epi64(s->r1, lanes(36, 44, 6, 55, 20, 0, 0, 0));
    s->r2 = _mm512_rolv_epi64(s->r2, lanes(3, 10, 43, 25, 39, 0, 0, 0));
    s->r3 = _mm512_rolv_epi64(s->r3, lanes(41, 45, 15, 21, 8, 0, 0, 0));
    s->r4 = _mm512_rolv_epi64(s->r4, lanes(18, 2, 61, 56, 14, 0, 0, 0));
}

/**
 * Row y to column y: element Y comes from element (3 Y + y) mod 5. Elements 5, 6 and 7 repeat Y = 1, 0 and 3, which is
 * where the way back (rows_of) looks for the fifth column.
 */
AVX512_INLINE void pi(rows *s)
{
    s->r0 = _mm512_permutexvar_epi64(lanes(0, 3, 1, 4, 2, 3, 0, 4), s->r0);
    s->r1 = _mm512_permutexvar_epi64(lanes(1, 4, 2, 0, 3, 4, 1, 0), s->r1);
    s->r2 = _mm512_permutexvar_epi64(lanes(2, 0, 3, 1, 4, 0, 2, 1), s->r2);
    s->r3 = _mm512_permutexvar_epi64(lanes(3, 1, 4, 2, 0, 1, 3, 2), s->r3);
    s->r4 = _mm512_permutexvar_epi64(lanes(4, 2, 0, 3, 1, 2, 4, 3), s->r4);
}

AVX512_INLINE void chi(rows *s)
{
    const __m512i r0 = s->r0, r1 = s->r1;
    s->r0 = _mm512_ternarylogic_epi64(s->r0, s->r1, s->r2, CHI);
    s->r1 = _mm512_ternarylogic_epi64(s->r1, s->r2, s->r3, CHI);
    s->r2 = _mm512_ternarylogic_epi64(s->r2, s->r3, s->r4, CHI);
    s->r3 = _mm512_ternarylogic_epi64(s->r3, s->r4, r0, CHI);
    s->r4 = _mm512_ternarylogic_epi64(s->r4, r0, r1, CHI);
}

/** Column form back to row form. */
AVX512_INLINE void rows_of(rows *s)
{
    const __m512i fifth = s->r4; /* elements: 0 1 2 3 4 1 0 3 */
    const __m512i low_01 = _mm512_unpacklo_epi64(s->r0, s->r1);
    const __m512i high_01 = _mm512_unpackhi_epi64(s->r0, s->r1);
    const __m512i low_23 = _mm512_mask_unpacklo_epi64(fifth, 0x3f, s->r2, s->r3);
    const __m512i high_23 = _mm512_mask_unpackhi_epi64(fifth, 0x5f, s->r2, s->r3);
    const __m512i second = _mm512_permutexvar_epi64(lanes(2, 2, 2, 2, 2, 2, 2, 2), fifth);
    s->r0 = _mm512_permutex2var_epi64(low_01, lanes(0, 1, 8, 9, 14, 5, 6, 7), low_23);
    s->r1 = _mm512_permutex2var_epi64(high_01, lanes(0, 1, 8, 9, 13, 5, 6, 7), high_23);
    s->r2 = _mm512_permutex2var_epi64(low_01, lanes(2, 3, 10, 11, 4, 5, 6, 7), low_23);
    s->r3 = _mm512_permutex2var_epi64(high_01, lanes(2, 3, 10, 11, 15, 5, 6, 7), high_23);
    s->r4 = _mm512_permutex2var_epi64(low_01, lanes(4, 5, 12, 13, 4, 5, 6, 7), low_23);
    s->r2 = _mm512_mask_blend_epi64(0x10, s->r2, second);
    s->r4 = _mm512_mask_blend_epi64(0x10, s->r4, fifth);
}

AVX512 void cevm_keccak_absorb_avx512(uint64_t state[25], const uint8_t *blocks, size_t count)
{
    enum { ROW = 0x1f, REST = 0x03 };
    rows s = {.r0 = _mm512_maskz_loadu_epi64(ROW, state),
              .r1 = _mm512_maskz_loadu_epi64(ROW, state + 5),
              .r2 = _mm512_maskz_loadu_epi64(ROW, state + 10),
              .r3 = _mm512_maskz_loadu_epi64(ROW, state + 15),
              .r4 = _mm512_maskz_loadu_epi64(ROW, state + 20)};
    for (; count != 0; --count, blocks += (size_t)8 * RATE_LANES) {
        s.r0 = _mm512_xor_si512(s.r0, _mm512_maskz_loadu_epi64(ROW, blocks));
        s.r1 = _mm512_xor_si512(s.r1, _mm512_maskz_loadu_epi64(ROW, blocks + 40));
        s.r2 = _mm512_xor_si512(s.r2, _mm512_maskz_loadu_epi64(ROW, blocks + 80));
        s.r3 = _mm512_xor_si512(s.r3, _mm512_maskz_loadu_epi64(REST, blocks + 120));
        __m512i iota = _mm512_setzero_si512();
        for (size_t i = 0; i < 24; ++i) {
            theta_rho(&s, iota);
            pi(&s);
            chi(&s);
            rows_of(&s);
            iota = _mm512_maskz_loadu_epi64(0x01, &cevm_keccak_round_constants[i]);
        }
        s.r0 = _mm512_xor_si512(s.r0, iota);
    }
    _mm512_mask_storeu_epi64(state, ROW, s.r0);
    _mm512_mask_storeu_epi64(state + 5, ROW, s.r1);
    _mm512_mask_storeu_epi64(state + 10, ROW, s.r2);
    _mm512_mask_storeu_epi64(state + 15, ROW, s.r3);
    _mm512_mask_storeu_epi64(state + 20, ROW, s.r4);
}
#endif
