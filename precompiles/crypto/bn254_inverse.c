/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inverse in the prime field of BN254, by the division steps of Bernstein and Yang ("Fast constant-time gcd computation
 * and modular inversion", 2019), in variable time: all inputs are public.
 *
 * With f = p odd, g = a and delta = 1, a step is
 *     delta > 0 and g odd:  (delta, f, g) = (1 - delta, g, (g - f) / 2)
 *     else:                 (delta, f, g) = (1 + delta, f, (g + (g mod 2) f) / 2)
 * and after at most 741 steps on 256-bit numbers g = 0 and f = 1 or -1. What BATCH steps do depends on the lowest BATCH bits
 * of f and g alone, and is a matrix (u, v; q, r) / 2^BATCH with |u| + |v|, |q| + |r| <= 2^BATCH. It is found on one word and
 * then applied to f and g, and, modulo p, to d and e, for which d a = f c and e a = g c (mod p) hold throughout, c being what
 * e begins with.
 *
 * All four are five signed limbs of 62 bits, the highest one with the sign. d and e are divided by 2^62 after a multiple m of
 * p with |m| <= 2^61 was added, so a batch takes max(|d|, |e|) = M to at most M + p / 2. There are at most 12 batches:
 * |d| < 7p, which 310 bits hold, and one reduction at the end is enough.
 */
#include "precompiles/crypto/bn254_fp.h"

#if defined(__SIZEOF_INT128__) && !defined(CEVM_PORTABLE)

__extension__ typedef __int128 wide;

enum { BATCH = 62, LIMBS = 5 };

static const int64_t limb_mask = ((int64_t)1 << BATCH) - 1;

typedef struct signed62 {
    int64_t l[LIMBS];
} signed62;

typedef struct matrix {
    int64_t u, v, q, r;
} matrix;

/* p and 1 / p mod 2^62. */
static const signed62 modulus = {{0x3c208c16d87cfd47, 0x1e05aa45a1c72a34, 0x5045b68181585d9, 0x19139cb84c680a6e, 0x30}};
static const uint64_t modulus_inverse = 0x382df87d1b799c77;

/* 8p, 4p, 2p, p. */
static const signed62 multiples[4] = {
    {{0x210460b6c3e7ea38, 0x302d522d0e3951a7, 0x2822db40c0ac2ecb, 0x89ce5c263405370, 0x183}},
    {{0x3082305b61f3f51c, 0x3816a916871ca8d3, 0x14116da060561765, 0x244e72e131a029b8, 0xc1}},
    {{0x3841182db0f9fa8e, 0x3c0b548b438e5469, 0xa08b6d0302b0bb2, 0x3227397098d014dc, 0x60}},
    {{0x3c208c16d87cfd47, 0x1e05aa45a1c72a34, 0x5045b68181585d9, 0x19139cb84c680a6e, 0x30}},
};

static signed62 to_signed62(const fp *a)
{
    const uint64_t mask = (uint64_t)limb_mask;
    const signed62 r = {{(int64_t)(a->l[0] & mask), (int64_t)((a->l[0] >> 62 | a->l[1] << 2) & mask),
                         (int64_t)((a->l[1] >> 60 | a->l[2] << 4) & mask),
                         (int64_t)((a->l[2] >> 58 | a->l[3] << 6) & mask), (int64_t)(a->l[3] >> 56)}};
    return r;
}

/*
 * BATCH division steps on the low words of f and g. While delta <= 0 the steps only add multiples of f to g to make it even:
 * as many of them as delta, the batch and the inverse of f at hand (6 bits) allow are done as one addition. eta = -delta.
 */
static int64_t divsteps(matrix *m, int64_t eta, uint64_t f, uint64_t g)
{
    uint64_t u = 1;
    uint64_t v = 0;
    uint64_t q = 0;
    uint64_t r = 1;
    int left = BATCH;
    for (;;) {
        const int zeros = __builtin_ctzll(g | ((uint64_t)1 << left)); /* even steps; the bit stops at the batch's end */
        g >>= zeros;
        u <<= zeros;
        v <<= zeros;
        eta -= zeros;
        left -= zeros;
        if (left == 0) {
            break;
        }
        if (eta < 0) { /* swap, and the sign so that what follows is an addition */
            uint64_t t = f;
            f = g;
            g = 0 - t;
            t = u;
            u = q;
            q = 0 - t;
            t = v;
            v = r;
            r = 0 - t;
            eta = -eta;
        }
        const int64_t until_swap = eta + 1;
        const int limit = until_swap < left ? (int)until_swap : left;
        const uint64_t mask = ((UINT64_MAX >> (64 - limit)) & 63);
        const uint64_t w = (g * f * (f * f - 2)) & mask; /* f * f * (f * f - 2) = -1 mod 64 for f odd */
        g += w * f;
        q += w * u;
        r += w * v;
    }
    m->u = (int64_t)u;
    m->v = (int64_t)v;
    m->q = (int64_t)q;
    m->r = (int64_t)r;
    return eta;
}

/* (f, g) = (u f + v g, q f + r g) / 2^62, exactly. */
static void apply(signed62 *f, signed62 *g, const matrix *m)
{
    wide cf = (wide)m->u * f->l[0] + (wide)m->v * g->l[0];
    wide cg = (wide)m->q * f->l[0] + (wide)m->r * g->l[0];
    cf >>= BATCH;
    cg >>= BATCH;
    for (int i = 1; i < LIMBS; ++i) {
        cf += (wide)m->u * f->l[i] + (wide)m->v * g->l[i];
        cg += (wide)m->q * f->l[i] + (wide)m->r * g->l[i];
        f->l[i - 1] = (int64_t)cf & limb_mask;
        g->l[i - 1] = (int64_t)cg & limb_mask;
        cf >>= BATCH;
        cg >>= BATCH;
    }
    f->l[LIMBS - 1] = (int64_t)cf;
    g->l[LIMBS - 1] = (int64_t)cg;
}

/* The multiple of p, in [-2^61, 2^61), that makes a number with this low word divisible by 2^62. */
static int64_t balance(uint64_t low)
{
    const uint64_t m = (0 - low * modulus_inverse) & (uint64_t)limb_mask;
    return m >> (BATCH - 1) != 0 ? (int64_t)m - limb_mask - 1 : (int64_t)m;
}

/* The same for d and e, modulo p. */
static void apply_modulo(signed62 *d, signed62 *e, const matrix *m)
{
    wide cd = (wide)m->u * d->l[0] + (wide)m->v * e->l[0];
    wide ce = (wide)m->q * d->l[0] + (wide)m->r * e->l[0];
    const int64_t md = balance((uint64_t)cd);
    const int64_t me = balance((uint64_t)ce);
    cd = (cd + (wide)md * modulus.l[0]) >> BATCH;
    ce = (ce + (wide)me * modulus.l[0]) >> BATCH;
    for (int i = 1; i < LIMBS; ++i) {
        cd += (wide)m->u * d->l[i] + (wide)m->v * e->l[i] + (wide)md * modulus.l[i];
        ce += (wide)m->q * d->l[i] + (wide)m->r * e->l[i] + (wide)me * modulus.l[i];
        d->l[i - 1] = (int64_t)cd & limb_mask;
        e->l[i - 1] = (int64_t)ce & limb_mask;
        cd >>= BATCH;
        ce >>= BATCH;
    }
    d->l[LIMBS - 1] = (int64_t)cd;
    e->l[LIMBS - 1] = (int64_t)ce;
}

/* r = a + b or a - b; the limbs but the highest come out in [0, 2^62). */
static void add_signed(signed62 *r, const signed62 *a, const signed62 *b, bool subtract)
{
    int64_t carry = 0;
    for (int i = 0; i < LIMBS - 1; ++i) {
        carry += a->l[i] + (subtract ? -b->l[i] : b->l[i]);
        r->l[i] = carry & limb_mask;
        carry >>= BATCH;
    }
    r->l[LIMBS - 1] = carry + a->l[LIMBS - 1] + (subtract ? -b->l[LIMBS - 1] : b->l[LIMBS - 1]);
}

/* r = d mod p, or -d mod p, for |d| < 8p: 8p +- d lies in (0, 16p). */
static void normalise(fp *r, const signed62 *d, bool negate)
{
    signed62 v;
    add_signed(&v, &multiples[0], d, negate);
    for (int i = 0; i < 4; ++i) {
        signed62 less;
        add_signed(&less, &v, &multiples[i], true);
        if (less.l[LIMBS - 1] >= 0) {
            v = less;
        }
    }
    for (int i = 0; i < 4; ++i) {
        r->l[i] = (uint64_t)v.l[i] >> (2 * i) | (uint64_t)v.l[i + 1] << (BATCH - 2 * i);
    }
}

bool cevm_fp_inv_divsteps(fp *r, const fp *a)
{
    /* c = 2^512 mod p: a holds v * 2^256, and 2^512 / (v * 2^256) is the form of 1 / v. */
    signed62 d = {{0, 0, 0, 0, 0}};
    signed62 e = {{0x332cfc5b538afa89, 0x179c6447511407ef, 0x3ab1eff0a417ff6b, 0x3627dc72ae0d47d1, 0x6}};
    signed62 f = modulus;
    signed62 g = to_signed62(a);
    int64_t eta = -1;
    while ((g.l[0] | g.l[1] | g.l[2] | g.l[3] | g.l[4]) != 0) {
        matrix m;
        eta = divsteps(&m, eta, (uint64_t)f.l[0] | (uint64_t)f.l[1] << BATCH,
                       (uint64_t)g.l[0] | (uint64_t)g.l[1] << BATCH);
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
