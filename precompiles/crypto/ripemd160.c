/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RIPEMD-160, from "RIPEMD-160: A Strengthened Version of RIPEMD" (Dobbertin, Bosselaers, Preneel, 1996), appendix A.
 *
 * A block goes through two lines of 80 steps that do not meet before the end. A step waits for the one before it, so one line
 * alone leaves most of the processor idle: here the two take turns, step by step, and the rounds are unrolled so that every
 * index and every amount of rotation is a constant.
 */
#include "precompiles/crypto/ripemd160.h"
#include "precompiles/crypto/little_endian.h"

enum { BLOCK = 64, LENGTH_AT = BLOCK - 8, WORDS = 16, ROUNDS = 5, STATE = 5 };

/* Which word of the block each step takes, and by how much it rotates: left line, right line. */
static const uint8_t left_word[ROUNDS][WORDS] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {7, 4, 13, 1, 10, 6, 15, 3, 12, 0, 9, 5, 2, 14, 11, 8},
    {3, 10, 14, 4, 9, 15, 8, 1, 2, 7, 0, 6, 13, 11, 5, 12}, {1, 9, 11, 10, 0, 8, 12, 4, 13, 3, 7, 15, 14, 5, 6, 2},
    {4, 0, 5, 9, 7, 12, 2, 10, 14, 1, 3, 8, 11, 6, 15, 13},
};
static const uint8_t right_word[ROUNDS][WORDS] = {
    {5, 14, 7, 0, 9, 2, 11, 4, 13, 6, 15, 8, 1, 10, 3, 12}, {6, 11, 3, 7, 0, 13, 5, 10, 14, 15, 8, 12, 4, 9, 1, 2},
    {15, 5, 1, 3, 7, 14, 6, 9, 11, 8, 12, 2, 10, 0, 4, 13}, {8, 6, 4, 1, 3, 11, 15, 0, 5, 12, 2, 13, 9, 7, 10, 14},
    {12, 15, 10, 4, 1, 5, 8, 7, 6, 2, 13, 14, 0, 3, 9, 11},
};
static const uint8_t left_turn[ROUNDS][WORDS] = {
    {11, 14, 15, 12, 5, 8, 7, 9, 11, 13, 14, 15, 6, 7, 9, 8}, {7, 6, 8, 13, 11, 9, 7, 15, 7, 12, 15, 9, 11, 7, 13, 12},
    {11, 13, 6, 7, 14, 9, 13, 15, 14, 8, 13, 6, 5, 12, 7, 5}, {11, 12, 14, 15, 14, 15, 9, 8, 9, 14, 5, 6, 8, 6, 5, 12},
    {9, 15, 5, 11, 6, 8, 13, 12, 5, 12, 13, 14, 11, 8, 5, 6},
};
static const uint8_t right_turn[ROUNDS][WORDS] = {
    {8, 9, 9, 11, 13, 15, 15, 5, 7, 7, 8, 11, 14, 14, 12, 6}, {9, 13, 15, 7, 12, 8, 9, 11, 7, 7, 12, 7, 6, 15, 13, 11},
    {9, 7, 15, 11, 8, 6, 6, 14, 12, 13, 5, 14, 13, 13, 7, 5}, {15, 5, 8, 11, 14, 14, 6, 14, 6, 9, 12, 9, 12, 5, 15, 8},
    {8, 5, 12, 9, 12, 5, 14, 6, 8, 13, 6, 5, 15, 13, 11, 11},
};

/* What each round adds: the integer parts of 2^30 times the square (left) and cube (right) roots of 2, 3, 5 and 7. */
static const uint32_t left_constant[ROUNDS] = {0, 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xa953fd4e};
static const uint32_t right_constant[ROUNDS] = {0x50a28be6, 0x5c4dd124, 0x6d703ef3, 0x7a6d76e9, 0};

/* The five words of a line. */
typedef struct line {
    uint32_t a, b, c, d, e;
} line;

static inline uint32_t rotl(uint32_t v, unsigned n) { return (v << n) | (v >> (32 - n)); }

/*
 * The function of round `round`, counted from 0, plus `rest`. b is what the step before has just made, so b comes in last:
 * round 3 chooses by d, and what it takes of c can be added before b is known.
 */
static inline uint32_t add_function(unsigned round, uint32_t rest, uint32_t b, uint32_t c, uint32_t d)
{
    switch (round) {
    case 0: return rest + (b ^ (c ^ d));
    case 1: return rest + (((c ^ d) & b) ^ d); /* b ? c : d */
    case 2: return rest + ((b | ~c) ^ d);
    case 3: return (rest + (c & ~d)) + (b & d); /* d ? b : c */
    default: return rest + (b ^ (c | ~d));
    }
}

static inline line step(line l, unsigned round, uint32_t addend, unsigned turn)
{
    const uint32_t sum = add_function(round, l.a + addend, l.b, l.c, l.d);
    const line next = {l.e, rotl(sum, turn) + l.e, l.b, rotl(l.c, 10), l.d};
    return next;
}

/* One round of both lines; the right one takes the functions in the opposite order. Inlined, for its indices to be constants. */
__attribute__((always_inline)) static inline void both(line *left, line *right, const uint32_t x[WORDS], unsigned round)
{
    line l = *left;
    line r = *right;
#pragma GCC unroll 16
    for (size_t i = 0; i < WORDS; ++i) {
        l = step(l, round, x[left_word[round][i]] + left_constant[round], left_turn[round][i]);
        r = step(r, ROUNDS - 1 - round, x[right_word[round][i]] + right_constant[round], right_turn[round][i]);
    }
    *left = l;
    *right = r;
}

static inline void load_block(uint32_t x[WORDS], const uint8_t *block)
{
    for (size_t i = 0; i < WORDS; ++i) {
        x[i] = load_le32(block + 4 * i);
    }
}

static void compress(uint32_t h[STATE], const uint32_t x[WORDS])
{
    line left = {h[0], h[1], h[2], h[3], h[4]};
    line right = left;
    both(&left, &right, x, 0);
    both(&left, &right, x, 1);
    both(&left, &right, x, 2);
    both(&left, &right, x, 3);
    both(&left, &right, x, 4);
    const uint32_t first = h[1] + left.c + right.d;
    h[1] = h[2] + left.d + right.e;
    h[2] = h[3] + left.e + right.a;
    h[3] = h[4] + left.a + right.b;
    h[4] = h[0] + left.b + right.c;
    h[0] = first;
}

/* The words of the last `size` bytes, fewer than a block, and zeros. */
static void load_rest(uint32_t x[WORDS], const uint8_t *bytes, size_t size)
{
    uint8_t block[BLOCK] = {0};
    if (size != 0) {
        memcpy(block, bytes, size);
    }
    load_block(x, block);
}

void cevm_ripemd160(uint8_t out[20], const void *data, size_t size)
{
    uint32_t h[STATE] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    uint32_t x[WORDS];
    const uint8_t *at = data;
    size_t rest = size;
    for (; rest >= BLOCK; rest -= BLOCK, at += BLOCK) {
        load_block(x, at);
        compress(h, x);
    }
    load_rest(x, at, rest);
    x[rest / 4] |= UINT32_C(0x80) << (rest % 4 * 8);
    if (rest >= LENGTH_AT) {
        compress(h, x);
        memset(x, 0, sizeof x);
    }
    x[WORDS - 2] = (uint32_t)((uint64_t)size << 3);
    x[WORDS - 1] = (uint32_t)((uint64_t)size >> 29);
    compress(h, x);
    for (size_t i = 0; i < STATE; ++i) {
        store_le32(out + 4 * i, h[i]);
    }
}
