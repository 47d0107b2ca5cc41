/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Membership in the subgroup G2 of BLS12-381 for eight points at once, a lane each.
 *
 * A point Q of the twist is in G2 exactly if [|x|]Q = -psi(Q), psi being Frobenius on the twist and x the curve's parameter
 * (Scott, "A note on group membership tests for G1, G2 and GT on BLS pairing-friendly curves", 2021). The multiple is taken in
 * Jacobian coordinates (x / z^2, y / z^3). Where the formula for sums does not hold - the points are equal, opposite, or one is
 * infinity - z becomes 0, and stays it from there on. A multiple with z other than 0 is therefore right.
 */
#include "precompiles/crypto/bls12_ifma.h"

#if CEVM_BLS12_IFMA

#include "precompiles/crypto/bls12_ifma_fp.h"

/* In our form: 1, and the factors of -psi: (x, y) -> (conj(x) cx, -conj(y) cy), cx purely imaginary. */
static const uint64_t one[FP8_LIMBS] = {0x6480ea8e9b9af, 0x65766c8fe444f, 0x8b540fea96f7d, 0x3b2ee82efd422,
                                        0xa6723e5f0ade5, 0xff6eb6fdd4230, 0xe06ef23c24a25, 0x14c8e};
static const uint64_t cx[FP8_LIMBS] = {0x18a5500cc654c, 0x2e1c1e9482fe9, 0xd5d532d24a460, 0x23e982695377,
                                       0x36c99171ef509, 0x19b0966cc23e1, 0x44c5fb3cf7304, 0x1227f};
static const uint64_t cy[2][FP8_LIMBS] = {{0x9c1a677c96161, 0xf16c8708fcef3, 0x94977d28093e6, 0xa06b71c927307,
                                           0xb4fa740f70cc7, 0x844ca7b844683, 0x3f2d89b2709bb, 0x917d},
                                          {0x53e598836494a, 0xd44ccf702cac, 0xd677e519e1819, 0x7253f567ab707,
                                           0xc14d00a8de6bd, 0x975b0e8b07449, 0xdf760e4bf908f, 0x10e93}};

/* Eight elements of Fp2. */
typedef struct fp2x8 {
    fp8 r, i;
} fp2x8;

/* Eight points. Between steps x and y are below 70p, z below 16p. */
typedef struct points {
    fp2x8 x, y, z;
} points;

IFMA_INLINE fp8_limbs sum(const fp8 *a, const fp8 *b) { return fp8_plus(fp8_load(a), fp8_load(b)); }
IFMA_INLINE fp8_limbs difference(const fp8 *a, const fp8 *b) { return fp8_minus(fp8_load(a), fp8_load(b)); }

/* Not inline: a product is long. Factors are below 2^10 p; what comes out is below 8p. */
IFMA static void multiply(fp2x8 *r, const fp2x8 *a, const fp2x8 *b)
{
    const fp8_limbs sums = fp8_product(fp8_carry(sum(&a->r, &a->i)), fp8_carry(sum(&b->r, &b->i)));
    const fp8_limbs real = fp8_product(fp8_load(&a->r), fp8_load(&b->r));
    const fp8_limbs imaginary = fp8_product(fp8_load(&a->i), fp8_load(&b->i));
    const fp8_limbs rest = fp8_minus(sums, fp8_plus(real, imaginary)); /* in (-4p, 2p) */
    fp8_store(&r->r, fp8_carry(fp8_plus_modulus(fp8_minus(real, imaginary), 1)));
    fp8_store(&r->i, fp8_carry(fp8_plus_modulus(rest, 2)));
}

/* The same, for a below 2^7 p. */
IFMA static void square(fp2x8 *r, const fp2x8 *a)
{
    const fp8_limbs plus = fp8_carry(sum(&a->r, &a->i));
    const fp8_limbs minus = fp8_carry(fp8_plus_modulus(difference(&a->r, &a->i), 7));
    const fp8_limbs half = fp8_product(fp8_load(&a->r), fp8_load(&a->i));
    fp8_store(&r->r, fp8_product(plus, minus));
    fp8_store(&r->i, fp8_carry(fp8_plus(half, half)));
}

IFMA static void set_sum(fp2x8 *r, const fp2x8 *a, const fp2x8 *b)
{
    fp8_store(&r->r, fp8_carry(sum(&a->r, &b->r)));
    fp8_store(&r->i, fp8_carry(sum(&a->i, &b->i)));
}

/* a - b + 2^shift p; b is below 2^shift p. */
IFMA static void set_difference(fp2x8 *r, const fp2x8 *a, const fp2x8 *b, unsigned shift)
{
    fp8_store(&r->r, fp8_carry(fp8_plus_modulus(difference(&a->r, &b->r), shift)));
    fp8_store(&r->i, fp8_carry(fp8_plus_modulus(difference(&a->i, &b->i), shift)));
}

/* With A = x^2, B = y^2, D = 4 x B, E = 3A: x' = E^2 - 2D, y' = E (D - x') - 8 B^2, z' = 2 y z. */
IFMA static void twice(points *p)
{
    fp2x8 a;
    fp2x8 b;
    fp2x8 d;
    fp2x8 t;
    multiply(&p->z, &p->y, &p->z);
    set_sum(&p->z, &p->z, &p->z); /* below 16p */
    square(&a, &p->x);
    square(&b, &p->y);
    multiply(&d, &p->x, &b);
    set_sum(&d, &d, &d);
    set_sum(&d, &d, &d); /* below 32p */
    set_sum(&t, &a, &a);
    set_sum(&a, &a, &t); /* below 12p */
    square(&t, &a);
    set_difference(&t, &t, &d, 5);
    set_difference(&p->x, &t, &d, 5); /* below 68p */
    square(&b, &b);
    set_sum(&b, &b, &b);
    set_sum(&b, &b, &b);
    set_sum(&b, &b, &b); /* below 32p */
    set_difference(&t, &d, &p->x, 7);
    multiply(&t, &a, &t);
    set_difference(&p->y, &t, &b, 5); /* below 8p + 32p */
}

/* p + q, q affine. With H = x_q z^2 - x, R = y_q z^3 - y: x' = R^2 - H^3 - 2 x H^2, y' = R (x H^2 - x') - y H^3, z' = z H. */
IFMA static void add(points *p, const fp2x8 *x, const fp2x8 *y)
{
    fp2x8 zz;
    fp2x8 h;
    fp2x8 r;
    fp2x8 v;
    square(&zz, &p->z);
    multiply(&h, x, &zz);
    multiply(&r, y, &zz);
    multiply(&r, &r, &p->z);
    set_difference(&h, &h, &p->x, 7);
    set_difference(&r, &r, &p->y, 6);
    multiply(&p->z, &p->z, &h);
    multiply(&zz, &h, &h);
    multiply(&v, &p->x, &zz);
    multiply(&h, &h, &zz);
    multiply(&p->y, &p->y, &h);
    multiply(&p->x, &r, &r);
    set_difference(&p->x, &p->x, &h, 3);
    set_difference(&p->x, &p->x, &v, 3);
    set_difference(&p->x, &p->x, &v, 3); /* below 32p */
    set_difference(&v, &v, &p->x, 5);
    multiply(&r, &r, &v);
    set_difference(&p->y, &r, &p->y, 3); /* below 16p */
}

IFMA_INLINE void load(fp2x8 *r, const blst_fp2 *first, __m512i at, __mmask8 lanes)
{
    fp8_store(&r->r, fp8_from(first->fp[0].l, at, lanes));
    fp8_store(&r->i, fp8_from(first->fp[1].l, at, lanes));
}

/* Lanes in which a and b, below 2^8 p, are equal modulo p. */
IFMA static __mmask8 equal_lanes(const fp2x8 *a, const fp2x8 *b)
{
    fp2x8 d;
    set_difference(&d, a, b, 8);
    return fp8_zero_lanes(fp8_load(&d.r)) & fp8_zero_lanes(fp8_load(&d.i));
}

/* x = conj(x) cx zz, y = -conj(y) cy zz z. */
IFMA static void minus_psi(fp2x8 *x, fp2x8 *y, const fp2x8 *z)
{
    const fp8_limbs zero = {{{0}}};
    const fp8_limbs real = fp8_load(&x->r);
    fp2x8 factor;
    fp2x8 zz;
    fp8_store(&x->r, fp8_product(fp8_load(&x->i), fp8_constant(cx)));
    fp8_store(&x->i, fp8_product(real, fp8_constant(cx)));
    fp8_store(&y->r, fp8_carry(fp8_plus_modulus(fp8_minus(zero, fp8_load(&y->r)), 1)));
    fp8_store(&factor.r, fp8_constant(cy[0]));
    fp8_store(&factor.i, fp8_constant(cy[1]));
    square(&zz, z);
    multiply(x, x, &zz);
    multiply(&zz, &zz, z);
    multiply(y, y, &factor);
    multiply(y, y, &zz);
}

IFMA bool cevm_ifma_g2_in_subgroup(const blst_p2_affine *p, size_t count)
{
    const __m512i at = _mm512_setr_epi64(0, 24, 48, 72, 96, 120, 144, 168);
    const __mmask8 lanes = (__mmask8)(0xffu >> (8 - count));
    fp2x8 x;
    fp2x8 y;
    points q;
    load(&x, &p->x, at, lanes);
    load(&y, &p->y, at, lanes);
    q.x = x;
    q.y = y;
    fp8_store(&q.z.r, fp8_constant(one));
    memset(&q.z.i, 0, sizeof q.z.i);
    for (int place = 62; place >= 0; --place) {
        twice(&q);
        if (((cevm_bls12_parameter >> place) & 1) != 0) {
            add(&q, &x, &y);
        }
    }
    minus_psi(&x, &y, &q.z);
    const __mmask8 zero = fp8_zero_lanes(fp8_load(&q.z.r)) & fp8_zero_lanes(fp8_load(&q.z.i));
    return (equal_lanes(&x, &q.x) & equal_lanes(&y, &q.y) & (__mmask8)~zero & lanes) == lanes;
}

#endif
