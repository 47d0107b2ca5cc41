/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keccak-f[1600] and the sponge around it, in portable C from FIPS 202 section 3.
 *
 * Two states take turns (a round reads one and writes the other), so no lane is copied for pi, and every index is a
 * constant: the compiler keeps lanes in registers as far as there are any.
 *
 * Within the permutation six lanes (complemented_lanes) are held as their complements. By De Morgan's laws most NOTs of chi
 * then vanish into the choice between AND and OR: 5 remain in a round of the 25 in the standard's form, which counts on
 * processors without an and-not instruction. The lanes are those of the Keccak team's implementation overview; how each
 * row's five formulas follow is said at chi_row_0.
 */
#include "precompiles/crypto/keccak.h"
#include "precompiles/crypto/little_endian.h"

enum { RATE = 136, RATE_LANES = RATE / 8, LANES = 25 };

const cevm_hash cevm_empty_code_hash = {{0xc5, 0xd2, 0x46, 0x01, 0x86, 0xf7, 0x23, 0x3c, 0x92, 0x7e, 0x7d,
                                         0xb2, 0xdc, 0xc7, 0x03, 0xc0, 0xe5, 0x00, 0xb6, 0x53, 0xca, 0x82,
                                         0x27, 0x3b, 0x7b, 0xfa, 0xd8, 0x04, 0x5d, 0x85, 0xa4, 0x70}};

/* Step iota. */
const uint64_t cevm_keccak_round_constants[24] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b,
    0x0000000080000001, 0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088,
    0x0000000080008009, 0x000000008000000a, 0x000000008000808b, 0x800000000000008b, 0x8000000000008089,
    0x8000000000008003, 0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
};

static inline uint64_t rotl(uint64_t v, unsigned n) { return (v << n) | (v >> (64 - n)); }

/*
 * Step chi, out[i] = b[i] ^ (~b[i + 1] & b[i + 2]), on one row of the state each.
 *
 * A comment "101.. -> 01.." says which of the five operands come complemented, and which results are to be. In row 0, for
 * example, b0 and b2 come as s0 = ~b0 and s2 = ~b2, so out[0] = ~s0 ^ (~s1 & ~s2) = ~s0 ^ ~(s1 | s2) = s0 ^ (s1 | s2).
 */
static inline void chi_row_0(uint64_t out[5], uint64_t s0, uint64_t s1, uint64_t s2, uint64_t s3, uint64_t s4)
{
    out[0] = s0 ^ (s1 | s2); /* 10110 -> 01100 */
    out[1] = s1 ^ (~s2 | s3);
    out[2] = s2 ^ (s3 & s4);
    out[3] = s3 ^ (s4 | s0);
    out[4] = s4 ^ (s0 & s1);
}

static inline void chi_row_1(uint64_t out[5], uint64_t s0, uint64_t s1, uint64_t s2, uint64_t s3, uint64_t s4)
{
    out[0] = s0 ^ (s1 | s2); /* 10100 -> 00010 */
    out[1] = s1 ^ (s2 & s3);
    out[2] = s2 ^ (s3 | ~s4);
    out[3] = s3 ^ (s4 | s0);
    out[4] = s4 ^ (s0 & s1);
}

static inline void chi_row_2(uint64_t out[5], uint64_t s0, uint64_t s1, uint64_t s2, uint64_t s3, uint64_t s4)
{
    const uint64_t not_s3 = ~s3; /* 10100 -> 00100 */
    out[0] = s0 ^ (s1 | s2);
    out[1] = s1 ^ (s2 & s3);
    out[2] = s2 ^ (not_s3 & s4);
    out[3] = not_s3 ^ (s4 | s0);
    out[4] = s4 ^ (s0 & s1);
}

static inline void chi_row_3(uint64_t out[5], uint64_t s0, uint64_t s1, uint64_t s2, uint64_t s3, uint64_t s4)
{
    const uint64_t not_s3 = ~s3; /* 01011 -> 00100 */
    out[0] = s0 ^ (s1 & s2);
    out[1] = s1 ^ (s2 | s3);
    out[2] = s2 ^ (not_s3 | s4);
    out[3] = not_s3 ^ (s4 & s0);
    out[4] = s4 ^ (s0 | s1);
}

static inline void chi_row_4(uint64_t out[5], uint64_t s0, uint64_t s1, uint64_t s2, uint64_t s3, uint64_t s4)
{
    const uint64_t not_s1 = ~s1; /* 10010 -> 10000 */
    out[0] = s0 ^ (not_s1 & s2);
    out[1] = not_s1 ^ (s2 | s3);
    out[2] = s2 ^ (s3 & s4);
    out[3] = s3 ^ (s4 | s0);
    out[4] = s4 ^ (s0 & s1);
}

/* One round. Lane (x, y) is at x + 5 y; row y of `out` collects, after rho and pi, the lanes (x + 3 y, x) of `a`. */
static inline void keccak_round(uint64_t out[LANES], const uint64_t a[LANES], uint64_t constant)
{
    const uint64_t c0 = a[0] ^ a[5] ^ a[10] ^ a[15] ^ a[20];
    const uint64_t c1 = a[1] ^ a[6] ^ a[11] ^ a[16] ^ a[21];
    const uint64_t c2 = a[2] ^ a[7] ^ a[12] ^ a[17] ^ a[22];
    const uint64_t c3 = a[3] ^ a[8] ^ a[13] ^ a[18] ^ a[23];
    const uint64_t c4 = a[4] ^ a[9] ^ a[14] ^ a[19] ^ a[24];
    const uint64_t d0 = c4 ^ rotl(c1, 1);
    const uint64_t d1 = c0 ^ rotl(c2, 1);
    const uint64_t d2 = c1 ^ rotl(c3, 1);
    const uint64_t d3 = c2 ^ rotl(c4, 1);
    const uint64_t d4 = c3 ^ rotl(c0, 1);
    chi_row_0(out, a[0] ^ d0, rotl(a[6] ^ d1, 44), rotl(a[12] ^ d2, 43), rotl(a[18] ^ d3, 21), rotl(a[24] ^ d4, 14));
    out[0] ^= constant;
    chi_row_1(out + 5, rotl(a[3] ^ d3, 28), rotl(a[9] ^ d4, 20), rotl(a[10] ^ d0, 3), rotl(a[16] ^ d1, 45),
              rotl(a[22] ^ d2, 61));
    chi_row_2(out + 10, rotl(a[1] ^ d1, 1), rotl(a[7] ^ d2, 6), rotl(a[13] ^ d3, 25), rotl(a[19] ^ d4, 8),
              rotl(a[20] ^ d0, 18));
    chi_row_3(out + 15, rotl(a[4] ^ d4, 27), rotl(a[5] ^ d0, 36), rotl(a[11] ^ d1, 10), rotl(a[17] ^ d2, 15),
              rotl(a[23] ^ d3, 56));
    chi_row_4(out + 20, rotl(a[2] ^ d2, 62), rotl(a[8] ^ d3, 55), rotl(a[14] ^ d4, 39), rotl(a[15] ^ d0, 41),
              rotl(a[21] ^ d1, 2));
}

/* To the held form of the six complemented_lanes, and back. */
static inline void complement(uint64_t a[LANES])
{
    static const uint8_t complemented_lanes[6] = {1, 2, 8, 12, 17, 20};
    for (size_t i = 0; i < sizeof complemented_lanes; ++i) {
        a[complemented_lanes[i]] = ~a[complemented_lanes[i]];
    }
}

static void keccak_f1600(uint64_t a[LANES])
{
    uint64_t b[LANES];
    complement(a);
    for (size_t i = 0; i < 24; i += 2) {
        keccak_round(b, a, cevm_keccak_round_constants[i]);
        keccak_round(a, b, cevm_keccak_round_constants[i + 1]);
    }
    complement(a);
}

void cevm_keccak_absorb_portable(uint64_t state[LANES], const uint8_t *blocks, size_t count)
{
    for (; count != 0; --count, blocks += RATE) {
        for (size_t i = 0; i < RATE_LANES; ++i) {
            state[i] ^= load_le64(blocks + 8 * i);
        }
        keccak_f1600(state);
    }
}

static void absorb(uint64_t state[LANES], const uint8_t *blocks, size_t count)
{
#if CEVM_KECCAK_HAS_AVX512
    if (__builtin_cpu_supports("avx512f")) {
        cevm_keccak_absorb_avx512(state, blocks, count);
        return;
    }
#endif
    cevm_keccak_absorb_portable(state, blocks, count);
}

void cevm_keccak_sponge(cevm_hash *out, const void *data, size_t size, uint8_t pad)
{
    uint64_t state[LANES] = {0};
    uint8_t last[RATE] = {0};
    const uint8_t *in = data;
    const size_t whole = size / RATE, rest = size % RATE;
    if (whole != 0) {
        absorb(state, in, whole);
    }
    if (rest != 0) {
        memcpy(last, in + whole * RATE, rest);
    }
    last[rest] = pad;
    last[RATE - 1] |= 0x80;
    absorb(state, last, 1);
    for (size_t i = 0; i < 4; ++i) {
        store_le64(out->bytes + 8 * i, state[i]);
    }
}

void cevm_keccak256(cevm_hash *out, const void *data, size_t size)
{
    cevm_keccak_sponge(out, data, size, CEVM_KECCAK_PAD);
}
