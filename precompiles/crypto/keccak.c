/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keccak-f[1600] and the sponge around it, in portable C from FIPS 202 section 3.
 *
 * Two states take turns (a round reads one and writes the other), so no lane is copied for pi, and every index is a
 * constant: the compiler keeps lanes in registers as far as there are any.
 *
 * The code is compiled twice. For processors with an and-not instruction and rotations that keep their operand (BMI) chi is as
 * the standard has it. For all others six lanes (complemented_lanes) are held as their complements within the permutation:
 * by De Morgan's laws most NOTs of chi then vanish into the choice between AND and OR, and 5 remain in a round of the 25. The
 * lanes are those of the Keccak team's implementation overview; how each row's five formulas follow is said at chi_row_0.
 */
#include "precompiles/crypto/keccak.h"
#include "precompiles/crypto/little_endian.h"

enum { RATE = CEVM_KECCAK_RATE, RATE_LANES = RATE / 8, LANES = 25, ROUNDS = 24 };

#define ALWAYS_INLINE __attribute__((always_inline)) static inline

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

ALWAYS_INLINE uint64_t rotl(uint64_t v, unsigned n) { return (v << n) | (v >> (64 - n)); }

/*
 * Step chi, out[i] = b[i] ^ (~b[i + 1] & b[i + 2]), on one row of the state each.
 *
 * A comment "101.. -> 01.." says which of the five operands come complemented, and which results are to be. In row 0, for
 * example, b0 and b2 come as s0 = ~b0 and s2 = ~b2, so out[0] = ~s0 ^ (~s1 & ~s2) = ~s0 ^ ~(s1 | s2) = s0 ^ (s1 | s2).
 */
ALWAYS_INLINE void chi_row_0(uint64_t out[5], uint64_t s0, uint64_t s1, uint64_t s2, uint64_t s3, uint64_t s4)
{
    out[0] = s0 ^ (s1 | s2); /* 10110 -> 01100 */
    out[1] = s1 ^ (~s2 | s3);
    out[2] = s2 ^ (s3 & s4);
    out[3] = s3 ^ (s4 | s0);
    out[4] = s4 ^ (s0 & s1);
}

ALWAYS_INLINE void chi_row_1(uint64_t out[5], uint64_t s0, uint64_t s1, uint64_t s2, uint64_t s3, uint64_t s4)
{
    out[0] = s0 ^ (s1 | s2); /* 10100 -> 00010 */
    out[1] = s1 ^ (s2 & s3);
    out[2] = s2 ^ (s3 | ~s4);
    out[3] = s3 ^ (s4 | s0);
    out[4] = s4 ^ (s0 & s1);
}

ALWAYS_INLINE void chi_row_2(uint64_t out[5], uint64_t s0, uint64_t s1, uint64_t s2, uint64_t s3, uint64_t s4)
{
    const uint64_t not_s3 = ~s3; /* 10100 -> 00100 */
    out[0] = s0 ^ (s1 | s2);
    out[1] = s1 ^ (s2 & s3);
    out[2] = s2 ^ (not_s3 & s4);
    out[3] = not_s3 ^ (s4 | s0);
    out[4] = s4 ^ (s0 & s1);
}

ALWAYS_INLINE void chi_row_3(uint64_t out[5], uint64_t s0, uint64_t s1, uint64_t s2, uint64_t s3, uint64_t s4)
{
    const uint64_t not_s3 = ~s3; /* 01011 -> 00100 */
    out[0] = s0 ^ (s1 & s2);
    out[1] = s1 ^ (s2 | s3);
    out[2] = s2 ^ (not_s3 | s4);
    out[3] = not_s3 ^ (s4 & s0);
    out[4] = s4 ^ (s0 | s1);
}

ALWAYS_INLINE void chi_row_4(uint64_t out[5], uint64_t s0, uint64_t s1, uint64_t s2, uint64_t s3, uint64_t s4)
{
    const uint64_t not_s1 = ~s1; /* 10010 -> 10000 */
    out[0] = s0 ^ (not_s1 & s2);
    out[1] = not_s1 ^ (s2 | s3);
    out[2] = s2 ^ (s3 & s4);
    out[3] = s3 ^ (s4 | s0);
    out[4] = s4 ^ (s0 & s1);
}

/* Chi on a row of uncomplemented lanes. */
ALWAYS_INLINE void chi_row(uint64_t out[5], uint64_t b0, uint64_t b1, uint64_t b2, uint64_t b3, uint64_t b4)
{
    out[0] = b0 ^ (~b1 & b2);
    out[1] = b1 ^ (~b2 & b3);
    out[2] = b2 ^ (~b3 & b4);
    out[3] = b3 ^ (~b4 & b0);
    out[4] = b4 ^ (~b0 & b1);
}

/* Chi on row y, in the form that the state is in. */
ALWAYS_INLINE void chi(uint64_t out[LANES], bool complemented, size_t y, uint64_t b0, uint64_t b1, uint64_t b2,
                       uint64_t b3, uint64_t b4)
{
    uint64_t *row = out + 5 * y;
    if (!complemented) {
        chi_row(row, b0, b1, b2, b3, b4);
        return;
    }
    switch (y) {
    case 0: chi_row_0(row, b0, b1, b2, b3, b4); break;
    case 1: chi_row_1(row, b0, b1, b2, b3, b4); break;
    case 2: chi_row_2(row, b0, b1, b2, b3, b4); break;
    case 3: chi_row_3(row, b0, b1, b2, b3, b4); break;
    default: chi_row_4(row, b0, b1, b2, b3, b4); break;
    }
}

/* One round. Lane (x, y) is at x + 5 y; row y of `out` collects, after rho and pi, the lanes (x + 3 y, x) of `a`. */
ALWAYS_INLINE void keccak_round(uint64_t out[LANES], const uint64_t a[LANES], uint64_t constant, bool complemented)
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
    chi(out, complemented, 0, a[0] ^ d0, rotl(a[6] ^ d1, 44), rotl(a[12] ^ d2, 43), rotl(a[18] ^ d3, 21),
        rotl(a[24] ^ d4, 14));
    out[0] ^= constant;
    chi(out, complemented, 1, rotl(a[3] ^ d3, 28), rotl(a[9] ^ d4, 20), rotl(a[10] ^ d0, 3), rotl(a[16] ^ d1, 45),
        rotl(a[22] ^ d2, 61));
    chi(out, complemented, 2, rotl(a[1] ^ d1, 1), rotl(a[7] ^ d2, 6), rotl(a[13] ^ d3, 25), rotl(a[19] ^ d4, 8),
        rotl(a[20] ^ d0, 18));
    chi(out, complemented, 3, rotl(a[4] ^ d4, 27), rotl(a[5] ^ d0, 36), rotl(a[11] ^ d1, 10), rotl(a[17] ^ d2, 15),
        rotl(a[23] ^ d3, 56));
    chi(out, complemented, 4, rotl(a[2] ^ d2, 62), rotl(a[8] ^ d3, 55), rotl(a[14] ^ d4, 39), rotl(a[15] ^ d0, 41),
        rotl(a[21] ^ d1, 2));
}

/* To the held form of the six complemented_lanes, and back. */
ALWAYS_INLINE void complement(uint64_t a[LANES])
{
    static const uint8_t complemented_lanes[6] = {1, 2, 8, 12, 17, 20};
    for (size_t i = 0; i < sizeof complemented_lanes; ++i) {
        a[complemented_lanes[i]] = ~a[complemented_lanes[i]];
    }
}

ALWAYS_INLINE void keccak_f1600(uint64_t a[LANES], bool complemented)
{
    uint64_t b[LANES];
    for (size_t i = 0; i < ROUNDS; i += 2) {
        keccak_round(b, a, cevm_keccak_round_constants[i], complemented);
        keccak_round(a, b, cevm_keccak_round_constants[i + 1], complemented);
    }
}

ALWAYS_INLINE void sponge(cevm_hash *out, const uint8_t *data, size_t size, uint8_t pad, bool complemented)
{
    uint64_t state[LANES] = {0};
    if (complemented) {
        complement(state);
    }
    for (bool more = true; more;) {
        more = size >= RATE;
        if (more) {
            for (size_t i = 0; i < RATE_LANES; ++i) {
                state[i] ^= load_le64(data + 8 * i);
            }
            data += RATE;
            size -= RATE;
        } else {
            cevm_keccak_xor_last(state, data, size, pad);
        }
        keccak_f1600(state, complemented);
    }
    if (complemented) {
        complement(state);
    }
    for (size_t i = 0; i < 4; ++i) {
        store_le64(out->bytes + 8 * i, state[i]);
    }
}

void cevm_keccak_sponge_portable(cevm_hash *out, const void *data, size_t size, uint8_t pad)
{
    sponge(out, data, size, pad, true);
}

#if CEVM_KECCAK_HAS_X86
#define BMI __attribute__((target("bmi,bmi2")))

BMI void cevm_keccak_sponge_bmi(cevm_hash *out, const void *data, size_t size, uint8_t pad)
{
    sponge(out, data, size, pad, false);
}

BMI static void permute_bmi(uint64_t lanes[LANES]) { keccak_f1600(lanes, false); }

static bool has_bmi(void) { return __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2"); }
#endif

void cevm_keccak_permute(uint64_t lanes[LANES])
{
#if CEVM_KECCAK_HAS_X86
    if (has_bmi()) {
        permute_bmi(lanes);
        return;
    }
#endif
    complement(lanes);
    keccak_f1600(lanes, true);
    complement(lanes);
}

void cevm_keccak_sponge(cevm_hash *out, const void *data, size_t size, uint8_t pad)
{
#if CEVM_KECCAK_HAS_X86
    if (__builtin_cpu_supports("avx512vbmi2")) {
        cevm_keccak_sponge_avx512(out, data, size, pad);
        return;
    }
    if (has_bmi()) {
        cevm_keccak_sponge_bmi(out, data, size, pad);
        return;
    }
#endif
    cevm_keccak_sponge_portable(out, data, size, pad);
}

void cevm_keccak256(cevm_hash *out, const void *data, size_t size)
{
    cevm_keccak_sponge(out, data, size, CEVM_KECCAK_PAD);
}
