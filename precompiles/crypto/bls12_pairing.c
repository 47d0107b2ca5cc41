/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The optimal ate pairing on BLS12-381 (Vercauteren, "Optimal pairings", 2008): f_{|x|, Q}(P)^((p^12 - 1) / r), or its inverse,
 * for the curve's parameter x is negative; whether a product of them is 1 does not depend on that.
 *
 * A point (x, y) of the twist y^2 = x^3 + 4 (1 + i) is (x / w^2, y / w^3) on the curve over Fp12, w^6 = 1 + i, so the line of
 * slope s through it takes at P = (X, Y), times w^3, the value (s x - y) - s X w^2 + Y w^3. Factors in Fp2 and powers of w^3
 * vanish in the last power: lines are scaled so that nothing is divided.
 *
 * Membership in G2 comes with the loop: a point Q of the twist is in it exactly if [x]Q = psi(Q), psi being Frobenius on the
 * twist (Scott, "A note on group membership tests for G1, G2 and GT on BLS pairing-friendly curves", 2021), and the loop ends
 * at [|x|]Q. Where the formulas for sums do not hold - the multiple reached is Q, -Q or infinity - z becomes 0 and stays it; a
 * tangent is never upright, for the twist has an odd number of points. So z says at the end whether all went well.
 */
#include "precompiles/crypto/bls12_pairing.h"

#ifndef CEVM_NO_BLST

/* The highest digit of |x| is at place 63. */
enum { LOOP_TOP = 62 };

static bool has_digit(int place) { return ((cevm_bls12_parameter >> place) & 1) != 0; }

/* Values ------------------------------------------------------------------------------------------------------------ */

void cevm_bls12_value_set_one(cevm_bls12_value *r)
{
    r->in_vectors = false;
    r->as.scalar = *blst_fp12_one();
#if CEVM_BLS12_IFMA
    if (cevm_bls12_has_ifma()) {
        const blst_fp12 one = r->as.scalar;
        cevm_ifma_fp12_from_blst(&r->as.vector, &one);
        r->in_vectors = true;
    }
#endif
}

void cevm_bls12_value_mul(cevm_bls12_value *r, const cevm_bls12_value *a, const cevm_bls12_value *b)
{
    r->in_vectors = a->in_vectors;
#if CEVM_BLS12_IFMA
    if (a->in_vectors) {
        cevm_ifma_fp12_mul(&r->as.vector, &a->as.vector, &b->as.vector);
        return;
    }
#endif
    blst_fp12_mul(&r->as.scalar, &a->as.scalar, &b->as.scalar);
}

static void square(cevm_bls12_value *r)
{
#if CEVM_BLS12_IFMA
    if (r->in_vectors) {
        cevm_ifma_fp12_sqr(&r->as.vector, &r->as.vector);
        return;
    }
#endif
    blst_fp12_sqr(&r->as.scalar, &r->as.scalar);
}

/* r *= line[0] + line[1] x w^2 - line[2] y w^3. */
static void multiply_line(cevm_bls12_value *r, const blst_fp6 *line, const cevm_bls12_place *p)
{
    blst_fp6 value = *line;
#if CEVM_BLS12_IFMA
    if (r->in_vectors) {
        cevm_ifma_fp12_mul_line(&r->as.vector, &r->as.vector, line, &p->vector);
        return;
    }
#endif
    for (int i = 0; i < 2; ++i) {
        blst_fp_mul(&value.fp2[1].fp[i], &line->fp2[1].fp[i], &p->x);
        blst_fp_mul(&value.fp2[2].fp[i], &line->fp2[2].fp[i], &p->minus_y);
    }
    blst_fp12_mul_by_xy00z0(&r->as.scalar, &r->as.scalar, &value);
}

void cevm_bls12_place_set(cevm_bls12_place *place, const blst_p1_affine *p)
{
    place->x = p->x;
    blst_fp_cneg(&place->minus_y, &p->y, true);
#if CEVM_BLS12_IFMA
    if (cevm_bls12_has_ifma()) {
        cevm_ifma_place_set(&place->vector, &place->x, &place->minus_y);
    }
#endif
}

/* Lines ------------------------------------------------------------------------------------------------------------- */

/*
 * Doubles the point reached, (X / Z, Y / Z). With B = Y^2 and E = 12 (1 + i) Z^2 the new point is
 * (2 X Y (B - 3E), (B + 3E)^2 - 12 E^2, 8 B Y Z), and the tangent times -2 Y Z is (E - B) + 3 X^2 x_P w^2 - 2 Y Z y_P w^3.
 */
static void double_step(blst_fp6 *line, cevm_bls12_pair *t)
{
    blst_fp2 b;
    blst_fp2 e;
    blst_fp2 u;
    blst_fp2 zz;
    blst_fp2 *tangent = &line->fp2[1];
    blst_fp2 *yz = &line->fp2[2];
    blst_fp2_sqr(&b, &t->y);
    blst_fp2_sqr(&zz, &t->z);
    blst_fp_sub(&e.fp[0], &zz.fp[0], &zz.fp[1]);
    blst_fp_add(&e.fp[1], &zz.fp[0], &zz.fp[1]);
    blst_fp2_mul_by_3(&e, &e);
    blst_fp2_lshift(&e, &e, 2);
    blst_fp2_sub(&line->fp2[0], &e, &b);
    blst_fp2_add(yz, &t->y, &t->z);
    blst_fp2_sqr(yz, yz);
    blst_fp2_sub(yz, yz, &b);
    blst_fp2_sub(yz, yz, &zz); /* 2 Y Z */
    blst_fp2_sqr(tangent, &t->x);
    blst_fp2_add(&t->x, &t->x, &t->y);
    blst_fp2_sqr(&t->x, &t->x);
    blst_fp2_sub(&t->x, &t->x, tangent);
    blst_fp2_sub(&t->x, &t->x, &b); /* 2 X Y */
    blst_fp2_mul_by_3(tangent, tangent);

    blst_fp2_mul_by_3(&u, &e);
    blst_fp2_add(&t->y, &b, &u);
    blst_fp2_sqr(&t->y, &t->y);
    blst_fp2_sub(&u, &b, &u);
    blst_fp2_mul(&t->x, &t->x, &u);
    blst_fp2_sqr(&e, &e);
    blst_fp2_mul_by_3(&e, &e);
    blst_fp2_lshift(&e, &e, 2);
    blst_fp2_sub(&t->y, &t->y, &e);
    blst_fp2_mul(&t->z, &b, yz);
    blst_fp2_lshift(&t->z, &t->z, 2);
}

/*
 * Adds q to the point reached. With theta = Y - y Z and lambda = X - x Z the slope is theta / lambda, and the line times
 * -lambda is (lambda y - theta x) + theta x_P w^2 - lambda y_P w^3.
 */
static void add_step(blst_fp6 *line, cevm_bls12_pair *t)
{
    blst_fp2 *theta = &line->fp2[1];
    blst_fp2 *lambda = &line->fp2[2];
    blst_fp2 d;
    blst_fp2 e;
    blst_fp2 f;
    blst_fp2_mul(theta, &t->q.y, &t->z);
    blst_fp2_sub(theta, &t->y, theta);
    blst_fp2_mul(lambda, &t->q.x, &t->z);
    blst_fp2_sub(lambda, &t->x, lambda);
    blst_fp2_mul(&line->fp2[0], lambda, &t->q.y);
    blst_fp2_mul(&d, theta, &t->q.x);
    blst_fp2_sub(&line->fp2[0], &line->fp2[0], &d);

    blst_fp2_sqr(&d, lambda);
    blst_fp2_mul(&e, lambda, &d); /* lambda^3 */
    blst_fp2_mul(&d, &t->x, &d);  /* X lambda^2 */
    blst_fp2_sqr(&f, theta);
    blst_fp2_mul(&f, &f, &t->z);
    blst_fp2_add(&f, &f, &e);
    blst_fp2_sub(&f, &f, &d);
    blst_fp2_sub(&f, &f, &d); /* Z theta^2 + lambda^3 - 2 X lambda^2 */
    blst_fp2_mul(&t->x, lambda, &f);
    blst_fp2_sub(&d, &d, &f);
    blst_fp2_mul(&d, theta, &d);
    blst_fp2_mul(&f, &e, &t->y);
    blst_fp2_sub(&t->y, &d, &f);
    blst_fp2_mul(&t->z, &t->z, &e);
}

static void begin(cevm_bls12_pair *pair, const blst_p2_affine *q)
{
    pair->q = *q;
    pair->x = q->x;
    pair->y = q->y;
    pair->z = blst_fp12_one()->fp6[0].fp2[0];
}

/* Whether the point reached is [|x|]q of a q in G2. */
static bool loop_closes(const cevm_bls12_pair *t)
{
    static const blst_fp2 zero;
    blst_p2_affine last;
    cevm_bls12_g2_endomorphism(&last, &t->q, 1);
    blst_fp2_mul(&last.x, &last.x, &t->z);
    blst_fp2_mul(&last.y, &last.y, &t->z);
    return memcmp(&t->z, &zero, sizeof zero) != 0 && memcmp(&last.x, &t->x, sizeof last.x) == 0 &&
           memcmp(&last.y, &t->y, sizeof last.y) == 0;
}

/* Loops ------------------------------------------------------------------------------------------------------------- */

void cevm_bls12_pair_set(cevm_bls12_pair *pair, const blst_p1_affine *p, const blst_p2_affine *q)
{
    begin(pair, q);
    cevm_bls12_place_set(&pair->p, p);
}

bool cevm_bls12_miller_loop(cevm_bls12_value *r, cevm_bls12_pair *pairs, size_t count)
{
    blst_fp6 line;
    cevm_bls12_value_set_one(r);
    for (int place = LOOP_TOP; place >= 0; --place) {
        if (place != LOOP_TOP) {
            square(r);
        }
        for (size_t i = 0; i < count; ++i) {
            double_step(&line, &pairs[i]);
            multiply_line(r, &line, &pairs[i].p);
            if (has_digit(place)) {
                add_step(&line, &pairs[i]);
                multiply_line(r, &line, &pairs[i].p);
            }
        }
    }
    bool all_close = true;
    for (size_t i = 0; i < count; ++i) {
        all_close = all_close && loop_closes(&pairs[i]);
    }
    return all_close;
}

static void multiply_short_line(cevm_bls12_value *r, const cevm_bls12_line *line, const cevm_bls12_place *p)
{
    blst_fp6 value;
#if CEVM_BLS12_IFMA
    if (r->in_vectors) {
        cevm_ifma_fp12_mul_unit_line(&r->as.vector, &r->as.vector, line->words, &p->vector);
        return;
    }
#endif
    value.fp2[0] = blst_fp12_one()->fp6[0].fp2[0];
    memcpy(&value.fp2[1], line->words, sizeof line->words);
    multiply_line(r, &value, p);
}

void cevm_bls12_miller_loop_lines(cevm_bls12_value *r, const cevm_bls12_line *const lines[2],
                                  const cevm_bls12_place places[2])
{
    size_t next = 0;
    cevm_bls12_value_set_one(r);
    for (int place = LOOP_TOP; place >= 0; --place) {
        if (place != LOOP_TOP) {
            square(r);
        }
        for (int k = 0; k <= (has_digit(place) ? 1 : 0); ++k) {
            for (size_t i = 0; i < 2; ++i) {
                multiply_short_line(r, &lines[i][next], &places[i]);
            }
            ++next;
        }
    }
}

/* The final exponentiation ------------------------------------------------------------------------------------------ */

#if CEVM_BLS12_IFMA

/* a^|x| for a in the cyclotomic subgroup. */
static void power(cevm_ifma_fp12 *r, const cevm_ifma_fp12 *a)
{
    const cevm_ifma_fp12 base = *a;
    unsigned squarings = 0;
    *r = base;
    for (int place = LOOP_TOP; place >= 0; --place) {
        ++squarings;
        if (has_digit(place) || place == 0) {
            cevm_ifma_fp12_sqr_cyclotomic(r, r, squarings);
            squarings = 0;
        }
        if (has_digit(place)) {
            cevm_ifma_fp12_mul(r, r, &base);
        }
    }
}

/* a^x. */
static void power_x(cevm_ifma_fp12 *r, const cevm_ifma_fp12 *a)
{
    power(r, a);
    cevm_ifma_fp12_conjugate(r, r);
}

static void frobenius(cevm_ifma_fp12 *r, const cevm_ifma_fp12 *a, unsigned times)
{
    blst_fp12 t;
    cevm_ifma_fp12_to_blst(&t, a);
    blst_fp12_frobenius_map(&t, &t, times);
    cevm_ifma_fp12_from_blst(r, &t);
}

/*
 * (p^12 - 1) / r = (p^6 - 1) (p^2 + 1) * (p^4 - p^2 + 1) / r. Three times the last factor, which r does not divide, is
 * (x - 1)^2 (x + p) (x^2 + p^2 - 1) + 3 (Hayashida, Hayasaka, Teruya, "Efficient final exponentiation via cyclotomic structure",
 * 2020).
 */
static bool vector_pairs_to_one(const cevm_ifma_fp12 *a)
{
    blst_fp12 f;
    blst_fp12 t;
    cevm_ifma_fp12 m;
    cevm_ifma_fp12 c;
    cevm_ifma_fp12 d;
    cevm_ifma_fp12 u;
    cevm_ifma_fp12_to_blst(&f, a);
    blst_fp12_inverse(&t, &f);
    blst_fp12_conjugate(&f);
    blst_fp12_mul(&t, &t, &f);
    blst_fp12_frobenius_map(&f, &t, 2);
    blst_fp12_mul(&f, &f, &t);
    cevm_ifma_fp12_from_blst(&m, &f);

    c = m;
    for (int i = 0; i < 2; ++i) { /* x - 1, twice */
        power_x(&d, &c);
        cevm_ifma_fp12_conjugate(&c, &c);
        cevm_ifma_fp12_mul(&c, &d, &c);
    }
    power_x(&d, &c);
    frobenius(&u, &c, 1);
    cevm_ifma_fp12_mul(&c, &d, &u);
    power(&d, &c);
    power(&d, &d);
    frobenius(&u, &c, 2);
    cevm_ifma_fp12_mul(&d, &d, &u);
    cevm_ifma_fp12_conjugate(&c, &c);
    cevm_ifma_fp12_mul(&d, &d, &c);
    cevm_ifma_fp12_mul(&d, &d, &m);
    cevm_ifma_fp12_sqr_cyclotomic(&m, &m, 1);
    cevm_ifma_fp12_mul(&d, &d, &m);
    cevm_ifma_fp12_to_blst(&f, &d);
    return blst_fp12_is_one(&f);
}

#endif

bool cevm_bls12_pairs_to_one(const cevm_bls12_value *a)
{
    blst_fp12 t;
#if CEVM_BLS12_IFMA
    if (a->in_vectors) {
        return vector_pairs_to_one(&a->as.vector);
    }
#endif
    blst_final_exp(&t, &a->as.scalar);
    return blst_fp12_is_one(&t);
}

#endif
