/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inverse in the prime field of BLS12-381, by the division steps of divsteps.h; blst's takes a fixed number of steps, which
 * public inputs need not. d and e are divided by 2^60 after a multiple m of p with |m| <= 2^59 was added, so a batch takes
 * max(|d|, |e|) = M to at most M + p / 2. There are at most 19 batches, for 1101 steps are enough for 381 bits: |d| < 11p, and one
 * reduction at the end is enough.
 */
#include "precompiles/bls12_381.h"
#include "precompiles/crypto/divsteps.h"

#ifndef CEVM_NO_BLST

#if CEVM_DIVSTEPS && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__

enum { LIMBS = 7, WORDS = 6 };

typedef struct signed60 {
    int64_t l[LIMBS];
} signed60;

/* 1 / p mod 2^60. */
static const uint64_t modulus_inverse = 0x60c000300030003;

/* 16p, 8p, 4p, 2p, p. */
static const signed60 multiples[5] = {
    {{0xfeffffffffaaab0, 0xbfffeb153ffffb9, 0xd2a0f6b0f6241ea, 0xb84f38512bf6730, 0xb6434bacd764774, 0xa397fe69a4b1ba7,
      0x1a0111e}},
    {{0xff7fffffffd5558, 0x5ffff58a9ffffdc, 0x69507b587b120f5, 0x5c279c2895fb398, 0xdb21a5d66bb23ba, 0x51cbff34d258dd3,
      0xd0088f}},
    {{0x7fbfffffffeaaac, 0xaffffac54ffffee, 0x34a83dac3d8907a, 0x2e13ce144afd9cc, 0xed90d2eb35d91dd, 0xa8e5ff9a692c6e9,
      0x680447}},
    {{0x3fdffffffff5556, 0x57fffd62a7ffff7, 0x1a541ed61ec483d, 0x9709e70a257ece6, 0xf6c869759aec8ee, 0xd472ffcd3496374,
      0x340223}},
    {{0x9feffffffffaaab, 0xabfffeb153ffffb, 0xd2a0f6b0f6241e, 0x4b84f38512bf673, 0x7b6434bacd76477, 0xea397fe69a4b1ba,
      0x1a0111}},
};
static const signed60 *const modulus = &multiples[4];

/* 2^768 mod p: a number holds v * 2^384, and 2^768 / (v * 2^384) is the form of 1 / v. */
static const signed60 form_twice = {{0x4df1f341c341746, 0x76e6a609d104f1f, 0x5476c4c95b6d50a, 0x88a9939d83c08de,
                                     0xe85b519952d67eb, 0xe592cae3aa9a793, 0x11988f}};

static signed60 to_signed60(const blst_fp *a)
{
    signed60 r = {{0}};
    uint64_t words[WORDS + 1] = {0};
    memcpy(words, a, sizeof *a);
    for (unsigned i = 0; i < LIMBS; ++i) {
        const unsigned word = DIVSTEPS * i / 64;
        const unsigned shift = DIVSTEPS * i % 64;
        const uint64_t high = shift != 0 ? words[word + 1] << (64 - shift) : 0;
        r.l[i] = (int64_t)((words[word] >> shift | high) & (uint64_t)divsteps_mask);
    }
    return r;
}

/* (f, g) = (u f + v g, q f + r g) / 2^60, exactly. */
static void apply(signed60 *f, signed60 *g, const divsteps_matrix *m)
{
    divsteps_wide cf = (divsteps_wide)m->u * f->l[0] + (divsteps_wide)m->v * g->l[0];
    divsteps_wide cg = (divsteps_wide)m->q * f->l[0] + (divsteps_wide)m->r * g->l[0];
    cf >>= DIVSTEPS;
    cg >>= DIVSTEPS;
    for (int i = 1; i < LIMBS; ++i) {
        cf += (divsteps_wide)m->u * f->l[i] + (divsteps_wide)m->v * g->l[i];
        cg += (divsteps_wide)m->q * f->l[i] + (divsteps_wide)m->r * g->l[i];
        f->l[i - 1] = (int64_t)cf & divsteps_mask;
        g->l[i - 1] = (int64_t)cg & divsteps_mask;
        cf >>= DIVSTEPS;
        cg >>= DIVSTEPS;
    }
    f->l[LIMBS - 1] = (int64_t)cf;
    g->l[LIMBS - 1] = (int64_t)cg;
}

/* The multiple of p, in [-2^59, 2^59), that makes a number with this low word divisible by 2^60. */
static int64_t balance(uint64_t low)
{
    const uint64_t m = (0 - low * modulus_inverse) & (uint64_t)divsteps_mask;
    return m >> (DIVSTEPS - 1) != 0 ? (int64_t)m - divsteps_mask - 1 : (int64_t)m;
}

/* The same for d and e, modulo p. */
static void apply_modulo(signed60 *d, signed60 *e, const divsteps_matrix *m)
{
    const int64_t *p = modulus->l;
    divsteps_wide cd = (divsteps_wide)m->u * d->l[0] + (divsteps_wide)m->v * e->l[0];
    divsteps_wide ce = (divsteps_wide)m->q * d->l[0] + (divsteps_wide)m->r * e->l[0];
    const int64_t md = balance((uint64_t)cd);
    const int64_t me = balance((uint64_t)ce);
    cd = (cd + (divsteps_wide)md * p[0]) >> DIVSTEPS;
    ce = (ce + (divsteps_wide)me * p[0]) >> DIVSTEPS;
    for (int i = 1; i < LIMBS; ++i) {
        cd += (divsteps_wide)m->u * d->l[i] + (divsteps_wide)m->v * e->l[i] + (divsteps_wide)md * p[i];
        ce += (divsteps_wide)m->q * d->l[i] + (divsteps_wide)m->r * e->l[i] + (divsteps_wide)me * p[i];
        d->l[i - 1] = (int64_t)cd & divsteps_mask;
        e->l[i - 1] = (int64_t)ce & divsteps_mask;
        cd >>= DIVSTEPS;
        ce >>= DIVSTEPS;
    }
    d->l[LIMBS - 1] = (int64_t)cd;
    e->l[LIMBS - 1] = (int64_t)ce;
}

/* r = a + b or a - b; the limbs but the highest come out in [0, 2^60). */
static void add_signed(signed60 *r, const signed60 *a, const signed60 *b, bool subtract)
{
    int64_t carry = 0;
    for (int i = 0; i < LIMBS - 1; ++i) {
        carry += a->l[i] + (subtract ? -b->l[i] : b->l[i]);
        r->l[i] = carry & divsteps_mask;
        carry >>= DIVSTEPS;
    }
    r->l[LIMBS - 1] = carry + a->l[LIMBS - 1] + (subtract ? -b->l[LIMBS - 1] : b->l[LIMBS - 1]);
}

/* r = d mod p, or -d mod p, for |d| < 16p: 16p +- d lies in (0, 32p). */
static void normalise(blst_fp *r, const signed60 *d, bool negate)
{
    signed60 v;
    uint64_t words[WORDS];
    add_signed(&v, &multiples[0], d, negate);
    for (int i = 0; i < 5; ++i) {
        signed60 less;
        add_signed(&less, &v, &multiples[i], true);
        if (less.l[LIMBS - 1] >= 0) {
            v = less;
        }
    }
    for (unsigned i = 0; i < WORDS; ++i) {
        words[i] = (uint64_t)v.l[i] >> (4 * i) | (uint64_t)v.l[i + 1] << (DIVSTEPS - 4 * i);
    }
    memcpy(r, words, sizeof *r);
}

void cevm_bls12_fp_inverse(blst_fp *r, const blst_fp *a)
{
    signed60 d = {{0}};
    signed60 e = form_twice;
    signed60 f = *modulus;
    signed60 g = to_signed60(a);
    int64_t eta = -1;
    while ((g.l[0] | g.l[1] | g.l[2] | g.l[3] | g.l[4] | g.l[5] | g.l[6]) != 0) {
        divsteps_matrix m;
        eta = divsteps_batch(&m, eta, (uint64_t)f.l[0] | (uint64_t)f.l[1] << DIVSTEPS,
                             (uint64_t)g.l[0] | (uint64_t)g.l[1] << DIVSTEPS);
        apply(&f, &g, &m);
        apply_modulo(&d, &e, &m);
    }
    normalise(r, &d, f.l[LIMBS - 1] < 0);
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
