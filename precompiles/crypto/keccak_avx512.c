/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keccak-f[1600] with the instructions of AVX-512 on 512-bit registers: any function of three operands in one, rotation by
 * any amount, any permutation of a register's lanes, and 32 registers.
 *
 * The state is five registers with a lane at each of five places (three more places hold what nobody looks at). Which lane
 * lies where is linear modulo 5: place i of register r holds lane (x, y) = (c i, d i + m r). The three numbers are a layout,
 * and a round turns one layout into another:
 *
 *   theta works on whole registers, since the lanes of a column lie at the same place of each; a turn of the parities, which
 *   is a rotation of a register by whole lanes, brings them to the columns beside;
 *   rho rotates each lane by a constant;
 *   pi moves nothing: lane (x, y) is henceforth lane (y, 2x + 3y), and where lanes lie is still linear;
 *   chi takes lanes (x, y), (x + 1, y) and (x + 2, y) from three registers, each turned by some lanes so that they meet, and
 *   so that columns are at one place again. Of these fifteen turns a round three are by nothing.
 *
 * That is 33 operations on two ports, where a transposition of the state in each round would make it over 40. It works as
 * long as neither c nor d is 0. After four rounds d is; then lanes change registers but not places, which leaves the parities
 * as they are, so that it is done while those are turned. Eight rounds come back to the first layout.
 *
 * The operations are written in assembly for their order: a round ends when the last of its turns does, which all go through
 * one port, so that port should never wait. Compilers order by other aims, and their rounds take 8 to 15 % longer. (Loads of
 * single lanes, so that they stay such.)
 */
#include "precompiles/crypto/keccak.h"

#if CEVM_KECCAK_HAS_X86
#include <immintrin.h>

#define AVX512        __attribute__((target("avx512f,avx512bw,avx512vl")))
#define AVX512_INLINE AVX512 __attribute__((always_inline)) static inline

enum { ROUNDS = 24, LAYOUTS = 8, SIDE = 5, ROW_BYTES = 8 * SIDE, WORD = 32 };

typedef __m512i row;

/** Eight bytes of anything, wherever they lie. */
typedef uint64_t bytes8 __attribute__((may_alias, aligned(1)));

typedef struct rows {
    row at[SIDE];
} rows;

/** Turns by 1 to 4 lanes, as operands of a permutation: place i takes what is at i + n. */
typedef struct turns {
    row by1, by2, by3, by4;
} turns;

/** A layout, with the order in which a round that begins there makes its registers, and rho's rotations in each register. */
typedef struct layout {
    int c, d, m;
    int order[SIDE];
    uint64_t rho[SIDE][8] __attribute__((aligned(64)));
} layout;

/* Rho's rotations of column x, six bits each from y = 0 on. Macros, for they must be constant expressions. */
#define RHO_COLUMN(x) \
    ((x) == 0 ? 312752384 : (x) == 1 ? 45394689 : (x) == 2 ? 1027518910 : (x) == 3 ? 945135068 : 237139227)
#define RHO(x, y) (RHO_COLUMN((x) % 5) >> (y) % 5 * 6 & 63)
#define RHO_ROW(c, d, mr)                                                                                  \
    {                                                                                                      \
        RHO(0, mr), RHO(c, d + mr), RHO(2 * c, 2 * d + mr), RHO(3 * c, 3 * d + mr), RHO(4 * c, 4 * d + mr) \
    }
#define LAYOUT(c, d, m, ...)                                                                                     \
    {                                                                                                            \
        c, d, m, {__VA_ARGS__},                                                                                  \
        {                                                                                                        \
            RHO_ROW(c, d, 0), RHO_ROW(c, d, m), RHO_ROW(c, d, 2 * m), RHO_ROW(c, d, 3 * m), RHO_ROW(c, d, 4 * m) \
        }                                                                                                        \
    }

/*
 * After (c, d, m) comes (d, 2c + 3d, -2cm/d): pi's matrix on (c, d), and the m for which registers keep their numbers. A layout
 * with d = 0 has become one with d = 3c, by shear. The orders are the best of some thousand that were measured.
 */
static const layout layouts[LAYOUTS] = {
    LAYOUT(1, 3, 1, 1, 2, 4, 0, 3), LAYOUT(3, 1, 1, 1, 3, 4, 0, 2), LAYOUT(1, 4, 4, 4, 1, 2, 3, 0),
    LAYOUT(4, 4, 3, 2, 3, 1, 4, 0), LAYOUT(4, 2, 4, 4, 3, 1, 0, 2), LAYOUT(2, 4, 4, 4, 2, 1, 0, 3),
    LAYOUT(4, 1, 1, 1, 4, 3, 2, 0), LAYOUT(1, 1, 2, 3, 2, 4, 1, 0),
};

AVX512_INLINE int mod5(int n) { return (n % 5 + 5) % 5; }

/** 1 / n modulo 5. */
AVX512_INLINE int inverse(int n) { return mod5(n * n * n); }

AVX512_INLINE row xor3(row a, row b, row c)
{
    __asm__ volatile("vpternlogq $0x96, %2, %1, %0" : "+v"(a) : "v"(b), "v"(c));
    return a;
}

/** a ^ (~b & c) */
AVX512_INLINE row chi(row a, row b, row c)
{
    __asm__ volatile("vpternlogq $0xd2, %2, %1, %0" : "+v"(a) : "v"(b), "v"(c));
    return a;
}

AVX512_INLINE row rotated_by_one(row v)
{
    row out;
    __asm__ volatile("vprolq $1, %1, %0" : "=v"(out) : "v"(v));
    return out;
}

AVX512_INLINE row rotated(row v, const uint64_t by[8])
{
    row out;
    __asm__ volatile("vprolvq %2, %1, %0" : "=v"(out) : "v"(v), "m"(*(const row *)(const void *)by));
    return out;
}

AVX512_INLINE row permuted(row v, row places)
{
    row out;
    __asm__ volatile("vpermq %2, %1, %0" : "=v"(out) : "v"(places), "v"(v));
    return out;
}

/** Lane n of b and the others of a, for each bit n of `lanes`. */
AVX512_INLINE row blended(row a, row b, __mmask8 lanes)
{
    row out;
    __asm__ volatile("vpblendmq %2, %1, %0%{%3%}" : "=v"(out) : "v"(a), "v"(b), "Yk"(lanes));
    return out;
}

/** A lane in memory, and zeros. */
AVX512_INLINE row lane(const void *from)
{
    row out;
    __asm__ volatile("vmovq %1, %x0" : "=v"(out) : "m"(*(const bytes8 *)from));
    return out;
}

/**
 * Lane n from memory. Words that are hashed have often just been stored, in eighths or quarters: a load of more than was
 * stored at once would wait until the stores are done.
 */
AVX512_INLINE row with_lane(row v, unsigned n, const void *from)
{
    __asm__ volatile("vpbroadcastq %1, %0%{%2%}" : "+v"(v) : "m"(*(const bytes8 *)from), "Yk"((__mmask8)(1U << n)));
    return v;
}

AVX512_INLINE row turned(const turns *by, row v, int lanes)
{
    switch (mod5(lanes)) {
    case 0: return v;
    case 1: return permuted(v, by->by1);
    case 2: return permuted(v, by->by2);
    case 3: return permuted(v, by->by3);
    default: return permuted(v, by->by4);
    }
}

/** What a round works with after theta's sums: the parities of the columns before and after, the latter rotated. */
typedef struct step {
    const layout *at;
    const turns *by;
    const rows *from;
    row before, after;
} step;

/** The registers after rho that there are already, a bit each in `made`: they are made when they are first asked for. */
typedef struct rho_rows {
    rows of;
    unsigned made;
} rho_rows;

/** The parities, those registers last that were made last: `before` is the layout of the round that made them. */
AVX512_INLINE row parities(const rows *s, const layout *before)
{
    const int *o = before->order;
    return xor3(xor3(s->at[o[0]], s->at[o[1]], s->at[o[2]]), s->at[o[3]], s->at[o[4]]);
}

/** Register r takes what register r + by has at these places. */
AVX512_INLINE rows shifted(const rows *s, int by, __mmask8 places)
{
    const row *r = s->at;
    return (rows){{blended(r[0], r[by], places), blended(r[1], r[(1 + by) % 5], places),
                   blended(r[2], r[(2 + by) % 5], places), blended(r[3], r[(3 + by) % 5], places),
                   blended(r[4], r[(4 + by) % 5], places)}};
}

/** From d = 0 to d = 3c: register r takes at place i what register r + 3i has; by 0, 3, 1, 4, 2 in steps of one, two, four. */
AVX512_INLINE rows sheared(const rows *s)
{
    enum { AT_1 = 2, AT_2 = 4, AT_3 = 8, AT_4 = 16 };
    const rows by1 = shifted(s, 1, AT_1 | AT_2);
    const rows by2 = shifted(&by1, 2, AT_1 | AT_4);
    return shifted(&by2, 4, AT_3);
}

/** Register r after theta and rho. */
AVX512_INLINE row theta_rho(rho_rows *b, step s, int r)
{
    r = mod5(r);
    if (!(b->made >> r & 1)) {
        b->of.at[r] = rotated(xor3(s.from->at[r], s.before, s.after), s.at->rho[r]);
        b->made |= 1U << r;
    }
    return b->of.at[r];
}

/** Register r of the next layout, after pi and chi, and in register 0, at place 0, iota. */
AVX512_INLINE row pi_chi(rho_rows *b, step s, int r, const uint64_t *iota)
{
    const int one = inverse(s.at->c), turn = -s.at->m * inverse(s.at->d) * r;
    const int apart = (1 - s.at->d * one) * inverse(s.at->m);
    row x = turned(s.by, theta_rho(b, s, r), turn);
    if (r == 0) {
        x = _mm512_xor_si512(x, lane(iota));
    }
    const row x1 = turned(s.by, theta_rho(b, s, r + apart), turn + one);
    const row x2 = turned(s.by, theta_rho(b, s, r + 2 * apart), turn + 2 * one);
    return chi(x, x1, x2);
}

AVX512_INLINE step theta_sums(const rows *s, const turns *by, size_t i)
{
    const layout *at = &layouts[i];
    const row sums = parities(s, &layouts[(i + LAYOUTS - 1) % LAYOUTS]);
    const row after = rotated_by_one(sums);
    return (step){at, by, s, turned(by, sums, -inverse(at->c)), turned(by, after, inverse(at->c))};
}

/** A round that begins in layout i. */
AVX512_INLINE void keccak_round(rows *s, const turns *by, size_t i, const uint64_t *iota)
{
    const step g = theta_sums(s, by, i); /* of sums that shear does not change; g.from is the state after it */
    if (i % 4 == 0) {
        *s = sheared(s);
    }
    const int *o = g.at->order;
    rho_rows b;
    b.made = 0;
    rows out;
    out.at[o[0]] = pi_chi(&b, g, o[0], iota);
    out.at[o[1]] = pi_chi(&b, g, o[1], iota);
    out.at[o[2]] = pi_chi(&b, g, o[2], iota);
    out.at[o[3]] = pi_chi(&b, g, o[3], iota);
    out.at[o[4]] = pi_chi(&b, g, o[4], iota);
    *s = out;
}

/** All rounds but the last. */
AVX512_INLINE void rounds_but_last(rows *s, const turns *by)
{
    const uint64_t *iota = cevm_keccak_round_constants;
    for (;;) {
        keccak_round(s, by, 0, iota);
        keccak_round(s, by, 1, iota + 1);
        keccak_round(s, by, 2, iota + 2);
        keccak_round(s, by, 3, iota + 3);
        keccak_round(s, by, 4, iota + 4);
        keccak_round(s, by, 5, iota + 5);
        keccak_round(s, by, 6, iota + 6);
        iota += LAYOUTS;
        if (iota == cevm_keccak_round_constants + ROUNDS) {
            return;
        }
        keccak_round(s, by, 7, iota - 1);
    }
}

/** The last round, of which the first four lanes of row 0 are all that is read. */
AVX512_INLINE void last_round(cevm_hash *out, const rows *s, const turns *by)
{
    rho_rows b;
    b.made = 0;
    const row first = pi_chi(&b, theta_sums(s, by, LAYOUTS - 1), 0, &cevm_keccak_round_constants[ROUNDS - 1]);
    _mm256_storeu_si256((__m256i *)(void *)out->bytes, _mm512_castsi512_si256(first));
}

AVX512_INLINE void add(row *r, row v) { *r = _mm512_xor_si512(*r, v); }

/** The padding's second end. */
AVX512_INLINE void add_end(rows *s) { add(&s->at[3], _mm512_setr_epi64(0, INT64_MIN, 0, 0, 0, 0, 0, 0)); /* lane 16 */ }

AVX512_INLINE void absorb_block(rows *s, const uint8_t *block)
{
    add(&s->at[0], _mm512_maskz_loadu_epi64(0x1f, block));
    add(&s->at[1], _mm512_maskz_loadu_epi64(0x1f, block + ROW_BYTES));
    add(&s->at[2], _mm512_maskz_loadu_epi64(0x1f, block + 2 * ROW_BYTES));
    add(&s->at[3], _mm512_maskz_loadu_epi64(0x03, block + 3 * ROW_BYTES));
}

AVX512_INLINE void absorb_word(rows *s, const uint8_t *word, uint64_t pad)
{
    const row r = with_lane(with_lane(with_lane(lane(word), 1, word + 8), 2, word + 16), 3, word + 24);
    add(&s->at[0], with_lane(r, 4, &pad));
    add_end(s);
}

AVX512_INLINE void absorb_two_words(rows *s, const uint8_t *words, uint64_t pad)
{
    const row r = with_lane(with_lane(with_lane(lane(words), 1, words + 8), 2, words + 16), 3, words + 24);
    add(&s->at[0], with_lane(r, 4, words + 32));
    const row next = with_lane(with_lane(lane(words + 40), 1, words + 48), 2, words + 56);
    add(&s->at[1], with_lane(next, 3, &pad));
    add_end(s);
}

/** Row r of a last block of `size` bytes, and the padding's first byte if it lies there. Reads the `size` bytes only. */
AVX512_INLINE row last_row(const uint8_t *rest, size_t size, size_t r, row pad)
{
    const size_t start = r * ROW_BYTES;
    const size_t left = start < size ? size - start : 0;
    const __mmask64 here = (UINT64_C(1) << (left < ROW_BYTES ? left : ROW_BYTES)) - 1;
    const __mmask64 end = start <= size && left < ROW_BYTES ? UINT64_C(1) << left : 0;
    return _mm512_mask_mov_epi8(_mm512_maskz_loadu_epi8(here, left > 0 ? rest + start : rest), end, pad);
}

/** Takes in the last `size` bytes, fewer than a block, and the padding. */
AVX512_INLINE void absorb_last(rows *s, const uint8_t *rest, size_t size, uint8_t pad)
{
    if (size == 2 * WORD) {
        absorb_two_words(s, rest, pad);
    } else if (size == WORD) {
        absorb_word(s, rest, pad);
    } else {
        const row pads = _mm512_set1_epi8((char)pad);
        add(&s->at[0], last_row(rest, size, 0, pads));
        add(&s->at[1], last_row(rest, size, 1, pads));
        add(&s->at[2], last_row(rest, size, 2, pads));
        add(&s->at[3], last_row(rest, size, 3, pads));
        add_end(s);
    }
}

AVX512 void cevm_keccak_sponge_avx512(cevm_hash *out, const void *data, size_t size, uint8_t pad)
{
    turns by = {_mm512_setr_epi64(1, 2, 3, 4, 0, 5, 6, 7), _mm512_setr_epi64(2, 3, 4, 0, 1, 5, 6, 7),
                _mm512_setr_epi64(3, 4, 0, 1, 2, 5, 6, 7), _mm512_setr_epi64(4, 0, 1, 2, 3, 5, 6, 7)};
    const row zero = _mm512_setzero_si512();
    rows s = {{zero, zero, zero, zero, zero}};
    const uint8_t *block =
        size > 0 ? data : out->bytes; /* data may be NULL, which a load of nothing would be slow at */
    for (;; block += CEVM_KECCAK_RATE, size -= CEVM_KECCAK_RATE) {
        const bool last = size < CEVM_KECCAK_RATE;
        if (last) {
            absorb_last(&s, block, size, pad);
        } else {
            absorb_block(&s, block);
        }
        rounds_but_last(&s, &by);
        if (last) {
            break;
        }
        keccak_round(&s, &by, LAYOUTS - 1, &cevm_keccak_round_constants[ROUNDS - 1]);
    }
    last_round(out, &s, &by);
}
#endif
