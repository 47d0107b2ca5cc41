/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The optimal ate pairing on BN254 (Vercauteren, "Optimal pairings", 2008), x = 4965661367192848881:
 *
 *     (f_{6x+2, Q}(P) * line([6x+2]Q, psi(Q)) * line([6x+2]Q + psi(Q), -psi^2(Q)))^((p^12 - 1) / r)
 *
 * psi is Frobenius on the twist: psi(x, y) = (conj(x) g2, conj(y) g3) with g_i = (9 + i)^((p - 1) i / 6). A point (x, y) of
 * the twist is (x w^2, y w^3) on the curve over Fp12, so the line of slope s through it takes at P = (X, Y) the value
 * Y - s X w + (s x - y) w^3. Factors in Fp2 vanish in the last power: lines are scaled so that nothing is divided.
 *
 * Membership in G2 comes with the loop. psi^2 - t psi + p = 0 on the twist, t = 6x^2 + 1, and a point has order r exactly if
 *
 *     [6x+2]Q + psi(Q) - psi^2(Q) + psi^3(Q) = 0:
 *
 * for a Q in G2 psi is multiplication by p, and 6x + 2 + p - p^2 + p^3 = 0 mod r. Conversely the left side, reduced by the
 * equation of psi, is (a + b psi)(Q), and a Q that it maps to 0 is also mapped to 0 by N = a^2 + a b t + b^2 p and by the
 * order (2p - r) r of the twist; gcd(N, (2p - r) r) = r. The loop has just computed the first three terms.
 *
 * The formulas for sums do not hold where the multiple reached meets the addend or its opposite, nor the tangent at infinity.
 * Neither happens, on any point of the twist: for every multiple k reached before an addition k, k - 1 and k + 1 are prime to
 * (2p - r) r, and so are the norms of 6x + 2 -+ psi and 6x + 2 + psi -+ psi^2.
 */
#include "precompiles/crypto/bn254_pairing.h"
#include "precompiles/crypto/bn254_ifma.h"

/* 3 / (9 + i), and three times that. */
static const fp2 twist_b = {{{{0x3bf938e377b802a8, 0x020b1b273633535d, 0x26b7edf049755260, 0x2514c6324384a86d}},
                             {{0x38e7ecccd1dcff67, 0x65f0b37d93ce0d3e, 0xd749d0dd22ac00aa, 0x0141b9ce4a688d4d}}}};
static const fp2 three_twist_b = {{{{0x3baa927cb62e0d6a, 0xd71e7c52d1b664fd, 0x03873e63d95d4664, 0x0e75b5b1082ab8f4}},
                                   {{0xaab7c6667596fe35, 0x31d21a78bb6a27ba, 0x85dd7297680401ff, 0x03c52d6adf39a7e9}}}};

/*
 * 6x + 2 = 29793968203157093288 in signed binary without neighbouring digits: where +1 and -1 stand. Its highest digit is at
 * place 65, where the loop begins, so place 64 and below are left; 64 itself has none.
 */
static const uint64_t loop_plus = 0x2002004200804028;
static const uint64_t loop_minus = 0x82889008420a0480;
enum { LOOP_TOP = 64 };

/* x in signed odd digits below 8, highest first. */
static const int8_t x_digits[63] = {1, 0, 0, 0,  0,  0, 5, 0,  0, 0, 0, -3, 0, 0, 0, 3, 0,  0, 0, 0, 5,
                                    0, 0, 0, -5, 0,  0, 0, -3, 0, 0, 0, 1,  0, 0, 0, 0, 5,  0, 0, 0, 0,
                                    7, 0, 0, 0,  -7, 0, 0, 0,  0, 0, 0, 5,  0, 0, 0, 0, -1, 0, 0, 0, 1};

bool cevm_g2_from_bytes(g2 *q, const uint8_t bytes[128])
{
    fp2 left;
    fp2 right;
    if (!cevm_fp_from_bytes(&q->x.c[1], bytes) || !cevm_fp_from_bytes(&q->x.c[0], bytes + 32) ||
        !cevm_fp_from_bytes(&q->y.c[1], bytes + 64) || !cevm_fp_from_bytes(&q->y.c[0], bytes + 96)) {
        return false;
    }
    if (g2_is_infinity(q)) {
        return true;
    }
    cevm_fp2_sqr(&left, &q->y);
    cevm_fp2_sqr(&right, &q->x);
    cevm_fp2_mul(&right, &right, &q->x);
    fp2_add(&right, &right, &twist_b);
    return fp2_equal(&left, &right);
}

/* psi^power, power 1 to 3. */
static void psi(g2 *r, const g2 *q, unsigned power)
{
    fp2 x = q->x;
    fp2 y = q->y;
    if (power % 2 == 1) {
        fp2_conjugate(&x, &x);
        fp2_conjugate(&y, &y);
    }
    cevm_fp2_mul(&r->x, &x, cevm_fp12_frobenius_coefficient(power, 2));
    cevm_fp2_mul(&r->y, &y, cevm_fp12_frobenius_coefficient(power, 3));
}

/*
 * Doubles the point reached, (X / Z, Y / Z). With B = Y^2 and E = 3 b Z^2, b the twist's constant, the new point is
 * (2 X Y (B - 3E), (B + 3E)^2 - 12 E^2, 8 B Y Z), and the tangent times -2 Y Z is -2 Y Z y_P + 3 X^2 x_P w + (E - B) w^3.
 */
static void double_step(fp12_line *line, bn254_pair *t)
{
    fp2 b;
    fp2 e;
    fp2 h;
    fp2 s;
    fp2 u;
    cevm_fp2_sqr(&b, &t->y);
    cevm_fp2_sqr(&e, &t->z);
    cevm_fp2_mul(&e, &e, &three_twist_b);
    fp2_add_loose(&s, &t->z, &t->z);
    cevm_fp2_mul(&h, &t->y, &s);
    fp2_sub(&line->c2, &e, &b);
    fp2_scale(&line->c0, &h, &t->py);
    cevm_fp2_sqr(&s, &t->x);
    fp2_scale(&line->c1, &s, &t->px3);

    fp2_double(&s, &e); /* 2E */
    fp2_add(&u, &s, &e);
    fp2_add(&e, &b, &u);
    fp2_sub(&u, &b, &u);
    fp2_add_loose(&t->x, &t->x, &t->x);
    cevm_fp2_mul(&t->x, &t->y, &t->x);
    cevm_fp2_mul(&t->x, &u, &t->x);
    cevm_fp2_sqr(&t->y, &e);
    cevm_fp2_sqr(&s, &s);
    fp2_sub(&t->y, &t->y, &s);
    fp2_add(&s, &s, &s);
    fp2_sub(&t->y, &t->y, &s);
    fp2_double(&h, &h);
    fp2_add_loose(&h, &h, &h);
    cevm_fp2_mul(&t->z, &b, &h);
}

/*
 * Adds q to the point reached. With theta = Y - y Z and lambda = X - x Z the slope is theta / lambda, and the line times
 * -lambda is -lambda y_P + theta x_P w + (lambda y - theta x) w^3.
 */
static void add_step(fp12_line *line, bn254_pair *t, const g2 *q)
{
    fp2 theta;
    fp2 lambda;
    fp2 d;
    fp2 e;
    fp2 f;
    cevm_fp2_mul(&theta, &q->y, &t->z);
    fp2_sub(&theta, &t->y, &theta);
    cevm_fp2_mul(&lambda, &q->x, &t->z);
    fp2_sub(&lambda, &t->x, &lambda);
    fp2_scale(&line->c0, &lambda, &t->py);
    fp2_scale(&line->c1, &theta, &t->px);
    cevm_fp2_mul(&line->c2, &lambda, &q->y);
    cevm_fp2_mul(&d, &theta, &q->x);
    fp2_sub(&line->c2, &line->c2, &d);

    cevm_fp2_sqr(&d, &lambda);
    cevm_fp2_mul(&e, &lambda, &d); /* lambda^3 */
    cevm_fp2_mul(&d, &t->x, &d);   /* X lambda^2 */
    cevm_fp2_sqr(&f, &theta);
    cevm_fp2_mul(&f, &f, &t->z);
    fp2_add(&f, &f, &e);
    fp2_sub(&f, &f, &d);
    fp2_sub(&f, &f, &d); /* Z theta^2 + lambda^3 - 2 X lambda^2 */
    cevm_fp2_mul(&t->x, &lambda, &f);
    fp2_sub(&d, &d, &f);
    cevm_fp2_mul(&d, &theta, &d);
    cevm_fp2_mul(&f, &e, &t->y);
    fp2_sub(&t->y, &d, &f);
    cevm_fp2_mul(&t->z, &t->z, &e);
}

void cevm_bn254_pair_set(bn254_pair *pair, const g1 *p, const g2 *q)
{
    pair->q = *q;
    pair->x = q->x;
    pair->y = q->y;
    memset(&pair->z, 0, sizeof pair->z);
    pair->z.c[0] = fp_one;
    pair->px = p->x;
    fp_double(&pair->px3, &p->x);
    fp_add(&pair->px3, &pair->px3, &p->x);
    fp_neg(&pair->py, &p->y);
}

/* The point to add at a place of the loop; false if there is none. */
static bool loop_addend(g2 *r, const g2 *q, int place)
{
    const bool plus = place < 64 && ((loop_plus >> place) & 1) != 0;
    const bool minus = place < 64 && ((loop_minus >> place) & 1) != 0;
    if (!plus && !minus) {
        return false;
    }
    *r = *q;
    if (minus) {
        fp2_neg(&r->y, &r->y);
    }
    return true;
}

/* psi(q), then -psi^2(q). */
static void last_addend(g2 *r, const g2 *q, unsigned which)
{
    psi(r, q, which);
    if (which == 2) {
        fp2_neg(&r->y, &r->y);
    }
}

/* Whether the point reached is -psi^3(q). That z is not 0 is known (see above) and looked at all the same. */
static bool loop_closes(const bn254_pair *t)
{
    g2 last;
    psi(&last, &t->q, 3);
    fp2_neg(&last.y, &last.y);
    cevm_fp2_mul(&last.x, &last.x, &t->z);
    cevm_fp2_mul(&last.y, &last.y, &t->z);
    return !fp2_is_zero(&t->z) && fp2_equal(&last.x, &t->x) && fp2_equal(&last.y, &t->y);
}

bool cevm_g2_in_subgroup(const g2 *q)
{
    static const g1 nowhere = {{{0}}, {{0}}}; /* lines are not looked at */
    bn254_pair t;
    fp12_line line;
    g2 addend;
    cevm_bn254_pair_set(&t, &nowhere, q);
    for (int place = LOOP_TOP; place >= 0; --place) {
        double_step(&line, &t);
        if (loop_addend(&addend, q, place)) {
            add_step(&line, &t, &addend);
        }
    }
    for (unsigned which = 1; which <= 2; ++which) {
        last_addend(&addend, q, which);
        add_step(&line, &t, &addend);
    }
    return loop_closes(&t);
}

/* The product of a Miller loop, in the form that this processor computes with. */
typedef struct product {
    union {
        fp12 scalar;
#if CEVM_BN254_IFMA
        ifma_fp12 vector;
#endif
    } as;
    bool in_vectors;
} product;

static void product_set_one(product *r)
{
    fp12 one;
    cevm_fp12_one(&one);
    r->in_vectors = false;
#if CEVM_BN254_IFMA
    if (cevm_bn254_has_ifma()) {
        r->in_vectors = true;
        cevm_bn254_ifma_from(&r->as.vector, &one);
        return;
    }
#endif
    r->as.scalar = one;
}

static void product_sqr(product *r)
{
#if CEVM_BN254_IFMA
    if (r->in_vectors) {
        cevm_bn254_ifma_mul(&r->as.vector, &r->as.vector, &r->as.vector);
        return;
    }
#endif
    cevm_fp12_sqr(&r->as.scalar, &r->as.scalar);
}

static void product_mul_line(product *r, const fp12_line *line)
{
#if CEVM_BN254_IFMA
    if (r->in_vectors) {
        cevm_bn254_ifma_mul_line(&r->as.vector, &r->as.vector, line);
        return;
    }
#endif
    cevm_fp12_mul_line(&r->as.scalar, &r->as.scalar, line);
}

static void product_get(fp12 *r, const product *a)
{
#if CEVM_BN254_IFMA
    if (a->in_vectors) {
        cevm_bn254_ifma_to(r, &a->as.vector);
        return;
    }
#endif
    *r = a->as.scalar;
}

bool cevm_bn254_miller_loop(fp12 *r, bn254_pair *pairs, size_t count)
{
    fp12_line line;
    g2 addend;
    product f;
    product_set_one(&f);
    for (int place = LOOP_TOP; place >= 0; --place) {
        if (place != LOOP_TOP) {
            product_sqr(&f);
        }
        for (size_t i = 0; i < count; ++i) {
            double_step(&line, &pairs[i]);
            product_mul_line(&f, &line);
            if (loop_addend(&addend, &pairs[i].q, place)) {
                add_step(&line, &pairs[i], &addend);
                product_mul_line(&f, &line);
            }
        }
    }
    bool all_close = true;
    for (size_t i = 0; i < count; ++i) {
        for (unsigned which = 1; which <= 2; ++which) {
            last_addend(&addend, &pairs[i].q, which);
            add_step(&line, &pairs[i], &addend);
            product_mul_line(&f, &line);
        }
        all_close = all_close && loop_closes(&pairs[i]);
    }
    product_get(r, &f);
    return all_close;
}

#if CEVM_BN254_IFMA
/* power_x in vectors. */
static void power_x_in_vectors(fp12 *r, const fp12 *a)
{
    ifma_fp12 odd[4]; /* a, a^3, a^5, a^7 */
    ifma_fp12 t;
    ifma_fp12 power;
    unsigned squarings = 0;
    cevm_bn254_ifma_from(&odd[0], a);
    cevm_bn254_ifma_sqr_cyclotomic(&t, &odd[0], 1);
    for (int i = 1; i < 4; ++i) {
        cevm_bn254_ifma_mul(&odd[i], &odd[i - 1], &t);
    }
    power = odd[0];
    for (size_t i = 1; i < sizeof x_digits; ++i) {
        const int digit = x_digits[i];
        ++squarings;
        if (digit != 0) {
            cevm_bn254_ifma_sqr_cyclotomic(&power, &power, squarings);
            squarings = 0;
            t = odd[(digit < 0 ? -digit : digit) / 2];
            if (digit < 0) {
                cevm_bn254_ifma_conjugate(&t, &t);
            }
            cevm_bn254_ifma_mul(&power, &power, &t);
        }
    }
    cevm_bn254_ifma_to(r, &power); /* the lowest digit is not 0 */
}
#endif

/* a^x for a in the cyclotomic subgroup, where the inverse is the conjugate. */
static void power_x(fp12 *r, const fp12 *a)
{
    fp12 odd[4]; /* a, a^3, a^5, a^7 */
    fp12 t;
#if CEVM_BN254_IFMA
    if (cevm_bn254_has_ifma()) {
        power_x_in_vectors(r, a);
        return;
    }
#endif
    odd[0] = *a;
    cevm_fp12_sqr_cyclotomic(&t, a);
    for (int i = 1; i < 4; ++i) {
        cevm_fp12_mul(&odd[i], &odd[i - 1], &t);
    }
    *r = odd[0];
    for (size_t i = 1; i < sizeof x_digits; ++i) {
        const int digit = x_digits[i];
        cevm_fp12_sqr_cyclotomic(r, r);
        if (digit > 0) {
            cevm_fp12_mul(r, r, &odd[digit / 2]);
        } else if (digit < 0) {
            cevm_fp12_conjugate(&t, &odd[-digit / 2]);
            cevm_fp12_mul(r, r, &t);
        }
    }
}

/*
 * (p^12 - 1) / r = (p^6 - 1) (p^2 + 1) * (p^4 - p^2 + 1) / r. The last factor is taken 2x (6x^2 + 3x + 1) times (Fuentes-
 * Castaneda, Knapp, Rodriguez-Henriquez, "Faster hashing to G2", 2011), which r does not divide. With
 * l2 = 12x^3 + 6x^2 + 6x and l1 = l2 - 2x it is then
 *
 *     (l2 + 6x^2 + 1) + l1 p + l2 p^2 + (l1 - 1) p^3.
 */
void cevm_bn254_final_exponentiation(fp12 *r, const fp12 *a)
{
    fp12 f;
    fp12 t;
    fp12 f2x;
    fp12 f6x2;
    fp12 l1;
    fp12 l2;
    cevm_fp12_inv(&t, a);
    cevm_fp12_conjugate(&f, a);
    cevm_fp12_mul(&t, &t, &f);
    cevm_fp12_frobenius(&f, &t, 2);
    cevm_fp12_mul(&f, &f, &t);

    power_x(&f2x, &f);
    cevm_fp12_sqr_cyclotomic(&f2x, &f2x);
    cevm_fp12_sqr_cyclotomic(&l2, &f2x);
    cevm_fp12_mul(&l2, &l2, &f2x); /* 6x */
    power_x(&f6x2, &l2);
    cevm_fp12_mul(&l2, &l2, &f6x2);
    cevm_fp12_sqr_cyclotomic(&t, &f6x2);
    power_x(&l1, &t); /* 12x^3 */
    cevm_fp12_mul(&l2, &l2, &l1);
    cevm_fp12_conjugate(&t, &f2x);
    cevm_fp12_mul(&l1, &l2, &t);

    cevm_fp12_mul(r, &l2, &f6x2);
    cevm_fp12_mul(r, r, &f);
    cevm_fp12_frobenius(&t, &l1, 1);
    cevm_fp12_mul(r, r, &t);
    cevm_fp12_frobenius(&t, &l2, 2);
    cevm_fp12_mul(r, r, &t);
    cevm_fp12_conjugate(&t, &f);
    cevm_fp12_mul(&t, &t, &l1);
    cevm_fp12_frobenius(&t, &t, 3);
    cevm_fp12_mul(r, r, &t);
}
