/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Membership in the subgroup G1 of BLS12-381 for eight points at once, a lane each.
 *
 * A point P of the curve is in G1 exactly if [x^2]P = (beta x_P, -y_P) (Scott, "A note on group membership tests for G1, G2 and
 * GT on BLS pairing-friendly curves", 2021), x the curve's parameter, whose multiple is taken twice, in Jacobian coordinates
 * (x / z^2, y / z^3). Where a formula for sums does not hold - the points are equal, opposite, or one is infinity - z becomes
 * 0, and stays it from there on; so does infinity. A multiple with z other than 0 is therefore right.
 */
#include "precompiles/crypto/bls12_ifma.h"

#if CEVM_BLS12_IFMA

#include "precompiles/crypto/bls12_ifma_fp.h"

/* In our form. */
static const uint64_t one[FP8_LIMBS] = {0x6480ea8e9b9af, 0x65766c8fe444f, 0x8b540fea96f7d, 0x3b2ee82efd422,
                                        0xa6723e5f0ade5, 0xff6eb6fdd4230, 0xe06ef23c24a25, 0x14c8e};
static const uint64_t beta[FP8_LIMBS] = {0xd75aaff33455f, 0xd095356b7cbb6, 0x953a2f6fa079f, 0x1080cf0a3d697,
                                         0x3f7de3465fe7c, 0x1f71fd6896ec,  0xd9dd9cc172747, 0x7d91};

/* Eight points. Between steps x is below 32p, y below 32p, z below 4p. */
typedef struct points {
    fp8 x, y, z;
} points;

/* Not inline: a product is long. */
IFMA static void multiply(fp8 *r, const fp8 *a, const fp8 *b) { fp8_store(r, fp8_product(fp8_load(a), fp8_load(b))); }

IFMA_INLINE void set_sum(fp8 *r, const fp8 *a, const fp8 *b)
{
    fp8_store(r, fp8_carry(fp8_plus(fp8_load(a), fp8_load(b))));
}

/* a - b + 2^shift p; b is below 2^shift p. */
IFMA_INLINE void set_difference(fp8 *r, const fp8 *a, const fp8 *b, unsigned shift)
{
    fp8_store(r, fp8_carry(fp8_plus_modulus(fp8_minus(fp8_load(a), fp8_load(b)), shift)));
}

/* With A = x^2, B = y^2, D = 2 ((x + B)^2 - A - B^2), E = 3A: x' = E^2 - 2D, y' = E (D - x') - 8 B^2, z' = 2 y z. */
IFMA static void twice(points *p)
{
    fp8 a;
    fp8 b;
    fp8 t;
    multiply(&p->z, &p->y, &p->z);
    set_sum(&p->z, &p->z, &p->z);
    multiply(&a, &p->x, &p->x);
    multiply(&b, &p->y, &p->y);
    set_sum(&t, &p->x, &b);
    multiply(&b, &b, &b);
    multiply(&t, &t, &t);
    const fp8_limbs aa = fp8_load(&a);
    const fp8_limbs half_d = fp8_minus(fp8_load(&t), fp8_plus(aa, fp8_load(&b))); /* in (-4p, 2p) */
    const fp8_limbs d = fp8_plus(half_d, half_d);
    fp8_store(&a, fp8_carry(fp8_plus(aa, fp8_plus(aa, aa))));
    multiply(&t, &a, &a);
    const fp8_limbs x = fp8_minus(fp8_load(&t), fp8_plus(d, d)); /* in (-8p, 18p) */
    fp8_store(&p->x, fp8_carry(fp8_plus_modulus(x, 3)));
    fp8_store(&t, fp8_carry(fp8_plus_modulus(fp8_minus(d, x), 5)));
    multiply(&t, &a, &t);
    const fp8_limbs bb2 = fp8_plus(fp8_load(&b), fp8_load(&b));
    const fp8_limbs bb4 = fp8_plus(bb2, bb2);
    fp8_store(&p->y, fp8_carry(fp8_plus_modulus(fp8_minus(fp8_load(&t), fp8_plus(bb4, bb4)), 4)));
}

/* p + q, and q->z = 1 unless q_zz, its square, is given. With U = x z_q^2, S = y z_q^3, H = x_q z^2 - U, R = y_q z^3 - S:
 * x' = R^2 - H^3 - 2 U H^2, y' = R (U H^2 - x') - S H^3, z' = z z_q H. */
IFMA static void add(points *p, const points *q, const fp8 *q_zz)
{
    fp8 zz;
    fp8 h;
    fp8 r;
    fp8 t;
    multiply(&zz, &p->z, &p->z);
    multiply(&h, &q->x, &zz);
    multiply(&r, &q->y, &zz);
    multiply(&r, &r, &p->z);
    if (q_zz != NULL) {
        multiply(&p->x, &p->x, q_zz);
        multiply(&p->y, &p->y, q_zz);
        multiply(&p->y, &p->y, &q->z);
        multiply(&p->z, &p->z, &q->z);
    }
    set_difference(&h, &h, &p->x, 5);
    set_difference(&r, &r, &p->y, 5);
    multiply(&p->z, &p->z, &h);
    multiply(&zz, &h, &h);
    multiply(&p->x, &p->x, &zz); /* U H^2 */
    multiply(&h, &h, &zz);
    multiply(&p->y, &p->y, &h); /* S H^3 */
    multiply(&t, &r, &r);
    const fp8_limbs v = fp8_load(&p->x);
    const fp8_limbs x = fp8_minus(fp8_load(&t), fp8_plus(fp8_load(&h), fp8_plus(v, v))); /* in (-6p, 2p) */
    fp8_store(&p->x, fp8_carry(fp8_plus_modulus(x, 3)));
    fp8_store(&t, fp8_carry(fp8_plus_modulus(fp8_minus(v, x), 3)));
    multiply(&t, &r, &t);
    set_difference(&p->y, &t, &p->y, 1);
}

/* |x| times the points. */
IFMA static void times_parameter(points *p, bool affine)
{
    const points base = *p;
    fp8 base_zz;
    multiply(&base_zz, &base.z, &base.z);
    for (int place = 62; place >= 0; --place) {
        twice(p);
        if (((cevm_bls12_parameter >> place) & 1) != 0) {
            add(p, &base, affine ? NULL : &base_zz);
        }
    }
}

IFMA bool cevm_ifma_g1_in_subgroup(const blst_p1_affine *p, size_t count)
{
    const __m512i at = _mm512_setr_epi64(0, 12, 24, 36, 48, 60, 72, 84);
    const __mmask8 lanes = (__mmask8)(0xffu >> (8 - count));
    fp8 x;
    fp8 y;
    fp8 zz;
    points q;
    fp8_store(&x, fp8_from(p->x.l, at, lanes));
    fp8_store(&y, fp8_from(p->y.l, at, lanes));
    q.x = x;
    q.y = y;
    fp8_store(&q.z, fp8_constant(one));
    times_parameter(&q, true);
    times_parameter(&q, false);
    multiply(&zz, &q.z, &q.z);
    fp8_store(&x, fp8_product(fp8_constant(beta), fp8_load(&x)));
    multiply(&x, &x, &zz);
    multiply(&zz, &zz, &q.z);
    multiply(&y, &y, &zz);
    const __mmask8 same_x = fp8_zero_lanes(fp8_carry(fp8_plus_modulus(fp8_minus(fp8_load(&x), fp8_load(&q.x)), 6)));
    const __mmask8 same_y = fp8_zero_lanes(fp8_carry(fp8_plus(fp8_load(&y), fp8_load(&q.y))));
    return (same_x & same_y & (__mmask8)~fp8_zero_lanes(fp8_load(&q.z)) & lanes) == lanes;
}

#endif
