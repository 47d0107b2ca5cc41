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
 * All four are five signed limbs of 60 bits, the highest one with the sign. d and e are divided by 2^60 after a multiple m of
 * p with |m| <= 2^59 was added, so a batch takes max(|d|, |e|) = M to at most M + p / 2. There are at most 13 batches:
 * |d| < 8p, which 300 bits hold, and one reduction at the end is enough.
 */
#include "precompiles/crypto/bn254_fp.h"

#if defined(__SIZEOF_INT128__) && !defined(CEVM_PORTABLE)

__extension__ typedef __int128 wide;

enum { HALF = 30, BATCH = 2 * HALF, LIMBS = 5 };

static const int64_t limb_mask = ((int64_t)1 << BATCH) - 1;

typedef struct signed60 {
    int64_t l[LIMBS];
} signed60;

typedef struct matrix {
    int64_t u, v, q, r;
} matrix;

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
    const uint64_t mask = (uint64_t)limb_mask;
    const signed60 r = {{(int64_t)(a->l[0] & mask), (int64_t)((a->l[0] >> 60 | a->l[1] << 4) & mask),
                         (int64_t)((a->l[1] >> 56 | a->l[2] << 8) & mask),
                         (int64_t)((a->l[2] >> 52 | a->l[3] << 12) & mask), (int64_t)(a->l[3] >> 48)}};
    return r;
}

/* What the steps work on. Rows of the matrix are held as (first + second * 2^32) mod 2^64, on which sums, negations and
 * shifts act as on the two; both are at most 2^30 in HALF steps. */
typedef struct step_state {
    uint64_t f, g;
    uint64_t top, bottom;
    uint64_t zeros; /* that g ends in: even steps to come */
    int64_t eta;    /* -delta */
} step_state;

/* a = b if a's eta is negative. It is at every other step or so, which no processor could foretell: there is no branch. */
static inline void replace_if_negative(step_state *a, const step_state *b)
{
#if FP_X86
    __asm__("testq %5, %5\n\tcmovsq %6, %0\n\tcmovsq %7, %1\n\tcmovsq %8, %2\n\tcmovsq %9, %3\n\t"
            "cmovsq %10, %4\n\tcmovsq %11, %5"
            : "+&r"(a->f), "+&r"(a->g), "+&r"(a->top), "+&r"(a->bottom), "+&r"(a->zeros), "+&r"(a->eta)
            : "r"(b->f), "r"(b->g), "r"(b->top), "r"(b->bottom), "r"(b->zeros), "r"(b->eta)
            : "cc");
#else
    const uint64_t mask = 0 - ((uint64_t)a->eta >> 63);
    a->f ^= (a->f ^ b->f) & mask;
    a->g ^= (a->g ^ b->g) & mask;
    a->top ^= (a->top ^ b->top) & mask;
    a->bottom ^= (a->bottom ^ b->bottom) & mask;
    a->zeros ^= (a->zeros ^ b->zeros) & mask;
    a->eta = (int64_t)((uint64_t)a->eta ^ (((uint64_t)a->eta ^ (uint64_t)b->eta) & mask));
#endif
}

/* HALF division steps. All even steps that follow an odd one are done as one shift; of the two odd steps both are done, and
 * one is chosen, for the choice is then off the longest chain of operations. */
static inline __attribute__((always_inline)) void half_divsteps(matrix *m, step_state *state)
{
    step_state s = *state;
    uint64_t stop = (uint64_t)1 << HALF; /* one bit further down with each step */
    s.top = 1;
    s.bottom = (uint64_t)1 << 32;
    s.zeros = (uint64_t)__builtin_ctzll(s.g | stop);
    for (;;) {
        s.g >>= s.zeros;
        s.top <<= s.zeros;
        stop >>= s.zeros;
        s.eta -= (int64_t)s.zeros;
        if (stop == 1) {
            break;
        }
        step_state swapped = {s.g, s.g - s.f, s.bottom, s.bottom - s.top, 0, -s.eta};
        swapped.zeros = (uint64_t)__builtin_ctzll(swapped.g | stop);
        s.g += s.f;
        s.bottom += s.top;
        s.zeros = (uint64_t)__builtin_ctzll(s.g | stop);
        replace_if_negative(&s, &swapped);
    }
    m->u = (int32_t)(uint32_t)s.top;
    m->v = (int32_t)(uint32_t)((s.top - (uint64_t)m->u) >> 32);
    m->q = (int32_t)(uint32_t)s.bottom;
    m->r = (int32_t)(uint32_t)((s.bottom - (uint64_t)m->q) >> 32);
    *state = s;
}

/* BATCH steps on the low words of f and g; returns the new eta. */
static inline __attribute__((always_inline)) int64_t batch_of_divsteps(matrix *m, int64_t eta, uint64_t f, uint64_t g)
{
    step_state s = {f, g, 0, 0, 0, eta};
    matrix a;
    matrix b;
    half_divsteps(&a, &s);
    half_divsteps(&b, &s);
    m->u = b.u * a.u + b.v * a.q;
    m->v = b.u * a.v + b.v * a.r;
    m->q = b.q * a.u + b.r * a.q;
    m->r = b.q * a.v + b.r * a.r;
    return s.eta;
}

#if FP_X86
/* With BMI2's shifts, which take one operation instead of three. */
__attribute__((target("bmi2"))) static int64_t divsteps_bmi2(matrix *m, int64_t eta, uint64_t f, uint64_t g)
{
    return batch_of_divsteps(m, eta, f, g);
}
#endif

static int64_t divsteps(matrix *m, int64_t eta, uint64_t f, uint64_t g)
{
#if FP_X86
    if (__builtin_cpu_supports("bmi2")) {
        return divsteps_bmi2(m, eta, f, g);
    }
#endif
    return batch_of_divsteps(m, eta, f, g);
}

/* (f, g) = (u f + v g, q f + r g) / 2^60, exactly. */
static void apply(signed60 *f, signed60 *g, const matrix *m)
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

/* The multiple of p, in [-2^59, 2^59), that makes a number with this low word divisible by 2^60. */
static int64_t balance(uint64_t low)
{
    const uint64_t m = (0 - low * modulus_inverse) & (uint64_t)limb_mask;
    return m >> (BATCH - 1) != 0 ? (int64_t)m - limb_mask - 1 : (int64_t)m;
}

/* The same for d and e, modulo p. */
static void apply_modulo(signed60 *d, signed60 *e, const matrix *m)
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

/* r = a + b or a - b; the limbs but the highest come out in [0, 2^60). */
static void add_signed(signed60 *r, const signed60 *a, const signed60 *b, bool subtract)
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
        r->l[i] = (uint64_t)v.l[i] >> (4 * i) | (uint64_t)v.l[i + 1] << (BATCH - 4 * i);
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
