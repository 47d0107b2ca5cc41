/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BLAKE2b's F, from RFC 7693. Rounds go in tens, the period of the message schedule, so that its indices are constants.
 *
 * With AVX2 the four columns (then the four diagonals) of a round are worked on side by side, one row of the state in each
 * register.
 */
#include "precompiles/crypto/blake2b.h"
#include "precompiles/crypto/little_endian.h"

#if defined(__x86_64__) && !defined(CEVM_PORTABLE)
#include <immintrin.h>
#define HAS_AVX2_PATH 1
#else
#define HAS_AVX2_PATH 0
#endif

enum { PERIOD = 10 };

static const uint64_t iv[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
                               0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

/* RFC 7693 section 2.7. */
static const uint8_t sigma[PERIOD][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

static inline uint64_t rotr(uint64_t v, unsigned n) { return (v >> n) | (v << (64 - n)); }

static inline void mix(uint64_t *a, uint64_t *b, uint64_t *c, uint64_t *d, uint64_t x, uint64_t y)
{
    *a += *b + x;
    *d = rotr(*d ^ *a, 32);
    *c += *d;
    *b = rotr(*b ^ *c, 24);
    *a += *b + y;
    *d = rotr(*d ^ *a, 16);
    *c += *d;
    *b = rotr(*b ^ *c, 63);
}

static inline void blake2b_round(uint64_t v[16], const uint64_t m[16], const uint8_t s[16])
{
    mix(&v[0], &v[4], &v[8], &v[12], m[s[0]], m[s[1]]);
    mix(&v[1], &v[5], &v[9], &v[13], m[s[2]], m[s[3]]);
    mix(&v[2], &v[6], &v[10], &v[14], m[s[4]], m[s[5]]);
    mix(&v[3], &v[7], &v[11], &v[15], m[s[6]], m[s[7]]);
    mix(&v[0], &v[5], &v[10], &v[15], m[s[8]], m[s[9]]);
    mix(&v[1], &v[6], &v[11], &v[12], m[s[10]], m[s[11]]);
    mix(&v[2], &v[7], &v[8], &v[13], m[s[12]], m[s[13]]);
    mix(&v[3], &v[4], &v[9], &v[14], m[s[14]], m[s[15]]);
}

/* Ten rounds with the schedule written out. */
static void blake2b_period(uint64_t v[16], const uint64_t m[16])
{
    blake2b_round(v, m, sigma[0]);
    blake2b_round(v, m, sigma[1]);
    blake2b_round(v, m, sigma[2]);
    blake2b_round(v, m, sigma[3]);
    blake2b_round(v, m, sigma[4]);
    blake2b_round(v, m, sigma[5]);
    blake2b_round(v, m, sigma[6]);
    blake2b_round(v, m, sigma[7]);
    blake2b_round(v, m, sigma[8]);
    blake2b_round(v, m, sigma[9]);
}

void cevm_blake2b_f_portable(uint8_t out[64], const uint8_t h[64], const uint8_t m[128], const uint8_t t[16], bool last,
                             uint32_t rounds)
{
    uint64_t message[16];
    uint64_t v[16];
    for (size_t i = 0; i < 8; ++i) {
        v[i] = load_le64(h + 8 * i);
        v[i + 8] = iv[i];
    }
    for (size_t i = 0; i < 16; ++i) {
        message[i] = load_le64(m + 8 * i);
    }
    v[12] ^= load_le64(t);
    v[13] ^= load_le64(t + 8);
    v[14] ^= last ? UINT64_MAX : 0;
    for (; rounds >= PERIOD; rounds -= PERIOD) {
        blake2b_period(v, message);
    }
    for (uint32_t i = 0; i < rounds; ++i) {
        blake2b_round(v, message, sigma[i]);
    }
    for (size_t i = 0; i < 8; ++i) {
        store_le64(out + 8 * i, load_le64(h + 8 * i) ^ v[i] ^ v[i + 8]);
    }
}

#if HAS_AVX2_PATH
#define AVX2        __attribute__((target("avx2")))
#define AVX2_INLINE AVX2 __attribute__((always_inline)) static inline

/** The state, a row of four words in each register. */
typedef struct rows {
    __m256i a, b, c, d;
} rows;

AVX2_INLINE __m256i load_row(const void *words) { return _mm256_loadu_si256(words); }

/** Message words of a round: x and y of the columns, then of the diagonals. */
typedef struct words {
    __m256i column_x, column_y, diagonal_x, diagonal_y;
} words;

AVX2_INLINE __m256i gather(const uint8_t m[128], uint8_t i0, uint8_t i1, uint8_t i2, uint8_t i3)
{
    return _mm256_set_epi64x((long long)load_le64(m + (size_t)8 * i3), (long long)load_le64(m + (size_t)8 * i2),
                             (long long)load_le64(m + (size_t)8 * i1), (long long)load_le64(m + (size_t)8 * i0));
}

/**
 * The words of a round. The diagonals are worked on with row b at rest and the others turned towards it (see
 * round_avx2), which numbers them from the one that b[0] is on: 3, 0, 1, 2.
 */
AVX2_INLINE void load_words(words *w, const uint8_t m[128], const uint8_t s[16])
{
    w->column_x = gather(m, s[0], s[2], s[4], s[6]);
    w->column_y = gather(m, s[1], s[3], s[5], s[7]);
    w->diagonal_x = gather(m, s[14], s[8], s[10], s[12]);
    w->diagonal_y = gather(m, s[15], s[9], s[11], s[13]);
}

/** Four mixes at once; y is added to a before it is needed, off the critical path. */
AVX2_INLINE void mix_avx2(rows *r, __m256i x, __m256i y)
{
    const __m256i right_24 = _mm256_setr_epi8(3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10, 3, 4, 5, 6, 7, 0, 1,
                                              2, 11, 12, 13, 14, 15, 8, 9, 10);
    const __m256i right_16 = _mm256_setr_epi8(2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9, 2, 3, 4, 5, 6, 7, 0,
                                              1, 10, 11, 12, 13, 14, 15, 8, 9);
    r->a = _mm256_add_epi64(_mm256_add_epi64(r->a, x), r->b);
    r->d = _mm256_shuffle_epi32(_mm256_xor_si256(r->d, r->a), _MM_SHUFFLE(2, 3, 0, 1)); /* by 32 */
    r->c = _mm256_add_epi64(r->c, r->d);
    r->a = _mm256_add_epi64(r->a, y);
    r->b = _mm256_shuffle_epi8(_mm256_xor_si256(r->b, r->c), right_24);
    r->a = _mm256_add_epi64(r->a, r->b);
    r->d = _mm256_shuffle_epi8(_mm256_xor_si256(r->d, r->a), right_16);
    r->c = _mm256_add_epi64(r->c, r->d);
    r->b = _mm256_xor_si256(r->b, r->c);
    r->b = _mm256_or_si256(_mm256_srli_epi64(r->b, 63), _mm256_add_epi64(r->b, r->b)); /* by 63 */
}

/** Row b is the last that a mix yields, so the other rows are turned to make diagonals into columns, and back. */
AVX2_INLINE void round_avx2(rows *r, const words *w)
{
    mix_avx2(r, w->column_x, w->column_y);
    r->a = _mm256_permute4x64_epi64(r->a, _MM_SHUFFLE(2, 1, 0, 3));
    r->d = _mm256_permute4x64_epi64(r->d, _MM_SHUFFLE(1, 0, 3, 2));
    r->c = _mm256_permute4x64_epi64(r->c, _MM_SHUFFLE(0, 3, 2, 1));
    mix_avx2(r, w->diagonal_x, w->diagonal_y);
    r->a = _mm256_permute4x64_epi64(r->a, _MM_SHUFFLE(0, 3, 2, 1));
    r->d = _mm256_permute4x64_epi64(r->d, _MM_SHUFFLE(1, 0, 3, 2));
    r->c = _mm256_permute4x64_epi64(r->c, _MM_SHUFFLE(2, 1, 0, 3));
}

/*
 * The words of the first ten rounds are put together between the rounds, where the processor does it while it waits for the
 * round before, and kept for those that come after.
 */
AVX2 static void f_avx2(uint8_t out[64], const uint8_t h[64], const uint8_t m[128], const uint8_t t[16], bool last,
                        uint32_t rounds)
{
    words schedule[PERIOD];
    const __m256i offset = _mm256_set_epi64x(0, last ? -1 : 0, (long long)load_le64(t + 8), (long long)load_le64(t));
    rows r = {.a = load_row(h), .b = load_row(h + 32), .c = load_row(iv), .d = load_row(iv + 4)};
    r.d = _mm256_xor_si256(r.d, offset);
    uint32_t done = 0;
    for (; done < PERIOD && done < rounds; ++done) {
        load_words(&schedule[done], m, sigma[done]);
        round_avx2(&r, &schedule[done]);
    }
    for (uint32_t at = 0; done < rounds; ++done) {
        round_avx2(&r, &schedule[at]);
        at = at + 1 < PERIOD ? at + 1 : 0;
    }
    const __m256i low = _mm256_xor_si256(load_row(h), _mm256_xor_si256(r.a, r.c));
    const __m256i high = _mm256_xor_si256(load_row(h + 32), _mm256_xor_si256(r.b, r.d));
    _mm256_storeu_si256((__m256i *)(void *)out, low);
    _mm256_storeu_si256((__m256i *)(void *)(out + 32), high);
}
#endif

void cevm_blake2b_f(uint8_t out[64], const uint8_t h[64], const uint8_t m[128], const uint8_t t[16], bool last,
                    uint32_t rounds)
{
#if HAS_AVX2_PATH
    if (__builtin_cpu_supports("avx2")) {
        f_avx2(out, h, m, t, last, rounds);
        return;
    }
#endif
    cevm_blake2b_f_portable(out, h, m, t, last, rounds);
}
