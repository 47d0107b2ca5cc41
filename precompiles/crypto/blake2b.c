/* SPDX-License-Identifier: Apache-2.0 */
/* BLAKE2b's F, from RFC 7693. Rounds go in tens, the period of the message schedule, so that its indices are constants. */
#include "precompiles/crypto/blake2b.h"

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

static inline uint64_t load_le64(const uint8_t *p)
{
    return (uint64_t)p[0] | ((uint64_t)p[1] << 8) | ((uint64_t)p[2] << 16) | ((uint64_t)p[3] << 24) |
           ((uint64_t)p[4] << 32) | ((uint64_t)p[5] << 40) | ((uint64_t)p[6] << 48) | ((uint64_t)p[7] << 56);
}

static inline void store_le64(uint8_t *p, uint64_t v)
{
    for (int i = 0; i < 8; ++i) {
        p[i] = (uint8_t)(v >> (8 * i));
    }
}

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

void cevm_blake2b_f(uint8_t out[64], const uint8_t h[64], const uint8_t m[128], const uint8_t t[16], bool last,
                    uint32_t rounds)
{
    uint64_t state[8];
    uint64_t message[16];
    uint64_t v[16];
    for (size_t i = 0; i < 8; ++i) {
        state[i] = load_le64(h + 8 * i);
        v[i] = state[i];
        v[i + 8] = iv[i];
    }
    for (size_t i = 0; i < 16; ++i) {
        message[i] = load_le64(m + 8 * i);
    }
    v[12] ^= load_le64(t);
    v[13] ^= load_le64(t + 8);
    if (last) {
        v[14] = ~v[14];
    }
    for (; rounds >= PERIOD; rounds -= PERIOD) {
        blake2b_period(v, message);
    }
    for (uint32_t i = 0; i < rounds; ++i) {
        blake2b_round(v, message, sigma[i]);
    }
    for (size_t i = 0; i < 8; ++i) {
        store_le64(out + 8 * i, state[i] ^ v[i] ^ v[i + 8]);
    }
}
