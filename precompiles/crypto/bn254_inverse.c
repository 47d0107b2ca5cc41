/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inverse in the prime field of BN254, by the division steps of divsteps.h. d and e are divided by 2^60 after a multiple m
 * of p with |m| <= 2^59 was added, so a batch takes max(|d|, |e|) = M to at most M + p / 2. There are at most 13 batches, for 741
 * steps are enough for 256 bits: |d| < 8p, which 300 bits hold, and one reduction at the end is enough.
 */
#include "precompiles/crypto/bn254_fp.h"
#include "precompiles/crypto/divsteps.h"

#if CEVM_DIVSTEPS

enum { LIMBS = 5 };

typedef struct signed60 {
    int64_t l[LIMBS];
} signed60;

/* p and 1 / p mod 2^60. */
static const signed60 modulus = {{0xc208c16d87cfd47, 0x816a916871ca8d3, 0x45b68181585d97, 0x4e72e131a029b85, 0x3064}};
static const uint64_t modulus_inverse = 0x82df87d1b799c77;

/* 8p, 4p, 2p, p. */
static const signed60 multiples[4] = {
    {{0x10460b6c3e7ea38, 0xb548b438e5469e, 0x22db40c0ac2ecbc, 0x7397098d014dc28, 0x18322}},
    {{0x82305b61f3f51c, 0x5aa45a1c72a34f, 0x116da060561765e, 0x39cb84c680a6e14, 0xc191}},
    {{0x841182db0f9fa8e, 0x2d522d0e3951a7, 0x8b6d0302b0bb2f, 0x9ce5c263405370a, 0x60c8}},
    {{0xc208c16d87cfd47, 0x816a916871ca8d3, 0x45b68181585d97, 0x4e72e131a029b85, 0x3064}},
};

static signed60 to_signed60(const fp *a)
{
    const uint64_t mask = (uint64_t)divsteps_mask;
    const signed60 r = {{(int64_t)(a->l[0] & mask), (int64_t)((a->l[0] >> 60 | a->l[1] << 4) & mask),
                         (int64_t)((a->l[1] >> 56 | a->l[2] << 8) & mask),
                         (int64_t)((a->l[2] >> 52 | a->l[3] << 12) & mask), (int64_t)(a->l[3] >> 48)}};
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
    divsteps_wide cd = (divsteps_wide)m->u * d->l[0] + (divsteps_wide)m->v * e->l[0];
    divsteps_wide ce = (divsteps_wide)m->q * d->l[0] + (divsteps_wide)m->r * e->l[0];
    const int64_t md = balance((uint64_t)cd);
    const int64_t me = balance((uint64_t)ce);
    cd = (cd + (divsteps_wide)md * modulus.l[0]) >> DIVSTEPS;
    ce = (ce + (divsteps_wide)me * modulus.l[0]) >> DIVSTEPS;
    for (int i = 1; i < LIMBS; ++i) {
        cd += (divsteps_wide)m->u * d->l[i] + (divsteps_wide)m->v * e->l[i] + (divsteps_wide)md * modulus.l[i];
        ce += (divsteps_wide)m->q * d->l[i] + (divsteps_wide)m->r * e->l[i] + (divsteps_wide)me * modulus.l[i];
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

/* r = d mod p, or -d mod p, for |d| < 8p: 8p +- d lies in (0, 16p). */
static void normalise(fp *r, const signed60 *d, bool negate)
{
    signed60 v;
    add_signed(&v, &multiples[0], d, negate);
    for (int i = 0; i < 4; ++i) {
        signed60 less;
        add_signed(&less, &v, &multiples[i], true);
        if (less.l[LIMBS - 1] >= 0) {
            v = less;
        }
    }
    for (int i = 0; i < 4; ++i) {
        r->l[i] = (uint64_t)v.l[i] >> (4 * i) | (uint64_t)v.l[i + 1] << (DIVSTEPS - 4 * i);
    }
}

bool cevm_fp_inv_divsteps(fp *r, const fp *a)
{
    /* c = 2^512 mod p: a holds v * 2^256, and 2^512 / (v * 2^256) is the form of 1 / v. */
    signed60 d = {{0, 0, 0, 0, 0}};
    signed60 e = {{0x32cfc5b538afa89, 0xe71911d44501fbf, 0xb1eff0a417ff6b5, 0x9f71cab8351f47a, 0x6d8}};
    signed60 f = modulus;
    signed60 g = to_signed60(a);
    int64_t eta = -1;
    while ((g.l[0] | g.l[1] | g.l[2] | g.l[3] | g.l[4]) != 0) {
        divsteps_matrix m;
        eta = divsteps_batch(&m, eta, (uint64_t)f.l[0] | (uint64_t)f.l[1] << DIVSTEPS,
                             (uint64_t)g.l[0] | (uint64_t)g.l[1] << DIVSTEPS);
        apply(&f, &g, &m);
        apply_modulo(&d, &e, &m);
    }
    normalise(r, &d, f.l[LIMBS - 1] < 0);
    return true;
}

#else

bool cevm_fp_inv_divsteps(fp *r, const fp *a)
{
    (void)r;
    (void)a;
    return false;
}

#endif
