/* SPDX-License-Identifier: Apache-2.0 */
/**
 * precompiles/crypto/divsteps_field.h: the inverse in a prime field, by the division steps of divsteps.h. What includes it says
 * which field, by FIELD_LIMBS, how many signed limbs of 60 bits f, g, d and e take, FIELD_WORDS, how many words of 64 bits a number
 * takes, FIELD_MULTIPLES, and these constants, in limbs: field_multiples, p last and each twice the one behind it,
 * field_inverse (1 / p mod 2^60), and field_form, which is 2^(128 FIELD_WORDS) mod p: what is held as v * 2^(64 FIELD_WORDS) comes
 * out as 1 / v in the same form.
 *
 * d and e are divided by 2^60 after a multiple m of p with |m| <= 2^59 was added, so a batch takes max(|d|, |e|) = M to at most
 * M + p / 2. As long as |d| is then below the first multiple, one reduction at the end is enough.
 *
 * Inline and pure, and not in constant time: inputs are public.
 */
#ifndef CEVM_PRECOMPILES_CRYPTO_DIVSTEPS_FIELD_H
#define CEVM_PRECOMPILES_CRYPTO_DIVSTEPS_FIELD_H

#include "precompiles/crypto/divsteps.h"

#include <stdbool.h>
#include <string.h>

enum { FIELD_TOP = FIELD_LIMBS - 1 };

typedef struct field_limbs {
    int64_t l[FIELD_LIMBS];
} field_limbs;

static inline field_limbs field_from_words(const uint64_t words[FIELD_WORDS])
{
    field_limbs r = {{0}};
#pragma GCC unroll 8
    for (unsigned i = 0; i < FIELD_LIMBS; ++i) {
        const unsigned word = DIVSTEPS * i / 64;
        const unsigned shift = DIVSTEPS * i % 64;
        const uint64_t high = shift != 0 && word + 1 < FIELD_WORDS ? words[word + 1] << (64 - shift) : 0;
        r.l[i] = (int64_t)((words[word] >> shift | high) & (uint64_t)divsteps_mask);
    }
    return r;
}

/* (f, g) = (u f + v g, q f + r g) / 2^60, exactly. */
static inline void field_apply(field_limbs *f, field_limbs *g, const divsteps_matrix *m)
{
    divsteps_wide cf = (divsteps_wide)m->u * f->l[0] + (divsteps_wide)m->v * g->l[0];
    divsteps_wide cg = (divsteps_wide)m->q * f->l[0] + (divsteps_wide)m->r * g->l[0];
    cf >>= DIVSTEPS;
    cg >>= DIVSTEPS;
    for (int i = 1; i < FIELD_LIMBS; ++i) {
        cf += (divsteps_wide)m->u * f->l[i] + (divsteps_wide)m->v * g->l[i];
        cg += (divsteps_wide)m->q * f->l[i] + (divsteps_wide)m->r * g->l[i];
        f->l[i - 1] = (int64_t)cf & divsteps_mask;
        g->l[i - 1] = (int64_t)cg & divsteps_mask;
        cf >>= DIVSTEPS;
        cg >>= DIVSTEPS;
    }
    f->l[FIELD_TOP] = (int64_t)cf;
    g->l[FIELD_TOP] = (int64_t)cg;
}

/* The multiple of p, in [-2^59, 2^59), that makes a number with this low word divisible by 2^60. */
static inline int64_t field_balance(uint64_t low)
{
    const uint64_t m = (0 - low * field_inverse) & (uint64_t)divsteps_mask;
    return m >> (DIVSTEPS - 1) != 0 ? (int64_t)m - divsteps_mask - 1 : (int64_t)m;
}

/* The same for d and e, modulo p. */
static inline void field_apply_modulo(field_limbs *d, field_limbs *e, const divsteps_matrix *m)
{
    const int64_t *p = field_multiples[FIELD_MULTIPLES - 1];
    divsteps_wide cd = (divsteps_wide)m->u * d->l[0] + (divsteps_wide)m->v * e->l[0];
    divsteps_wide ce = (divsteps_wide)m->q * d->l[0] + (divsteps_wide)m->r * e->l[0];
    const int64_t md = field_balance((uint64_t)cd);
    const int64_t me = field_balance((uint64_t)ce);
    cd = (cd + (divsteps_wide)md * p[0]) >> DIVSTEPS;
    ce = (ce + (divsteps_wide)me * p[0]) >> DIVSTEPS;
    for (int i = 1; i < FIELD_LIMBS; ++i) {
        cd += (divsteps_wide)m->u * d->l[i] + (divsteps_wide)m->v * e->l[i] + (divsteps_wide)md * p[i];
        ce += (divsteps_wide)m->q * d->l[i] + (divsteps_wide)m->r * e->l[i] + (divsteps_wide)me * p[i];
        d->l[i - 1] = (int64_t)cd & divsteps_mask;
        e->l[i - 1] = (int64_t)ce & divsteps_mask;
        cd >>= DIVSTEPS;
        ce >>= DIVSTEPS;
    }
    d->l[FIELD_TOP] = (int64_t)cd;
    e->l[FIELD_TOP] = (int64_t)ce;
}

/* r = a + b or a - b; the limbs but the highest come out in [0, 2^60). */
static inline void field_add(field_limbs *r, const field_limbs *a, const int64_t b[FIELD_LIMBS], bool subtract)
{
    int64_t carry = 0;
    for (int i = 0; i < FIELD_TOP; ++i) {
        carry += a->l[i] + (subtract ? -b[i] : b[i]);
        r->l[i] = carry & divsteps_mask;
        carry >>= DIVSTEPS;
    }
    r->l[FIELD_TOP] = carry + a->l[FIELD_TOP] + (subtract ? -b[FIELD_TOP] : b[FIELD_TOP]);
}

/* d mod p, or -d mod p, for |d| below the first multiple: that +- d lies between 0 and twice the first. */
static inline field_limbs field_normalised(const field_limbs *d, bool negate)
{
    field_limbs v = {{0}};
    field_add(&v, &v, field_multiples[0], false);
    field_add(&v, &v, d->l, negate);
    for (int i = 0; i < FIELD_MULTIPLES; ++i) {
        field_limbs less;
        field_add(&less, &v, field_multiples[i], true);
        if (less.l[FIELD_TOP] >= 0) {
            v = less;
        }
    }
    return v;
}

static inline bool field_is_zero(const field_limbs *a)
{
    int64_t any = 0;
#pragma GCC unroll 8
    for (int i = 0; i < FIELD_LIMBS; ++i) {
        any |= a->l[i];
    }
    return any == 0;
}

/** 1 / a, and 0 for 0; canonical. r and a may be the same. */
static inline void field_invert(uint64_t r[FIELD_WORDS], const uint64_t a[FIELD_WORDS])
{
    field_limbs d = {{0}};
    field_limbs e;
    field_limbs f;
    field_limbs g = field_from_words(a);
    int64_t eta = -1;
    memcpy(e.l, field_form, sizeof e.l);
    memcpy(f.l, field_multiples[FIELD_MULTIPLES - 1], sizeof f.l);
    while (!field_is_zero(&g)) {
        divsteps_matrix m;
        eta = divsteps_batch(&m, eta, (uint64_t)f.l[0] | (uint64_t)f.l[1] << DIVSTEPS,
                             (uint64_t)g.l[0] | (uint64_t)g.l[1] << DIVSTEPS);
        field_apply(&f, &g, &m);
        field_apply_modulo(&d, &e, &m);
    }
    d = field_normalised(&d, f.l[FIELD_TOP] < 0);
#pragma GCC unroll 8
    for (unsigned i = 0; i < FIELD_WORDS; ++i) {
        r[i] = (uint64_t)d.l[i] >> (4 * i) | (uint64_t)d.l[i + 1] << (DIVSTEPS - 4 * i);
    }
}

#endif
