/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fp6 and Fp12 over BN254. Products by Karatsuba's and Toom's identities, which trade products for sums; squares in the
 * cyclotomic subgroup by Granger and Scott ("Faster squaring in the cyclotomic subgroup of sixth degree extensions", 2010).
 *
 * Sums that only go into a product as its second factor stay loose: cevm_fp2_mul takes them so.
 */
#include "precompiles/crypto/bn254_fp12.h"

/*
 * (9 + i)^((p^k - 1) i / 6), row k - 1, column i, in Montgomery form. w^6 = 9 + i, so (w^i)^(p^k) is w^i times that. With
 * g_k for column 1, columns are its powers, and g_2 = g_1 conj(g_1), g_3 = g_1 g_2.
 */
static const fp2 frobenius_coefficients[3][6] = {
    {
        {{{{0xd35d438dc58f0d9d, 0x0a78eb28f5c70b3d, 0x666ea36f7879462c, 0x0e0a77c19a07df2f}},
          {{0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000}}}},
        {{{{0xaf9ba69633144907, 0xca6b1d7387afb78a, 0x11bded5ef08a2087, 0x02f34d751a1f3a7c}},
          {{0xa222ae234c492d72, 0xd00f02a4565de15b, 0xdc2ff3a253dfc926, 0x10a75716b3899551}}}},
        {{{{0xb5773b104563ab30, 0x347f91c8a9aa6454, 0x7a007127242e0991, 0x1956bcd8118214ec}},
          {{0x6e849f1ea0aa4757, 0xaa1c7b6d89f89141, 0xb6e713cdfae0ca3a, 0x26694fbb4e82ebc3}}}},
        {{{{0xe4bbdd0c2936b629, 0xbb30f162e133bacb, 0x31a9d1b6f9645366, 0x253570bea500f8dd}},
          {{0xa1d77ce45ffe77c7, 0x07affd117826d1db, 0x6d16bd27bb7edc6b, 0x2c87200285defecc}}}},
        {{{{0x7361d77f843abe92, 0xa5bb2bd3273411fb, 0x9c941f314b3e2399, 0x15df9cddbb9fd3ec}},
          {{0x5dddfd154bd8c949, 0x62cb29a5a4445b60, 0x37bc870a0c7dd2b9, 0x24830a9d3171f0fd}}}},
        {{{{0xc970692f41690fe7, 0xe240342127694b0b, 0x32bee66b83c459e8, 0x12aabced0ab08841}},
          {{0x0d485d2340aebfa9, 0x05193418ab2fcc57, 0xd3b0a40b8a4910f5, 0x2f21ebb535d2925a}}}},
    },
    {
        {{{{0xd35d438dc58f0d9d, 0x0a78eb28f5c70b3d, 0x666ea36f7879462c, 0x0e0a77c19a07df2f}},
          {{0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000}}}},
        {{{{0xca8d800500fa1bf2, 0xf0c5d61468b39769, 0x0e201271ad0d4418, 0x04290f65bad856e6}},
          {{0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000}}}},
        {{{{0x3350c88e13e80b9c, 0x7dce557cdb5e56b9, 0x6001b4b8b615564a, 0x2682e617020217e0}},
          {{0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000}}}},
        {{{{0x68c3488912edefaa, 0x8d087f6872aabf4f, 0x51e1a24709081231, 0x2259d6b14729c0fa}},
          {{0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000}}}},
        {{{{0x71930c11d782e155, 0xa6bb947cffbe3323, 0xaa303344d4741444, 0x2c3b3f0d26594943}},
          {{0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000}}}},
        {{{{0x08cfc388c494f1ab, 0x19b315148d1373d4, 0x584e90fdcb6c0213, 0x09e1685bdf2f8849}},
          {{0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000}}}},
    },
    {
        {{{{0xd35d438dc58f0d9d, 0x0a78eb28f5c70b3d, 0x666ea36f7879462c, 0x0e0a77c19a07df2f}},
          {{0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000}}}},
        {{{{0x365316184e46d97d, 0x0af7129ed4c96d9f, 0x659da72fca1009b5, 0x08116d8983a20d23}},
          {{0xb1df4af7c39c1939, 0x3d9f02878a73bf7f, 0x9b2220928caf0ae0, 0x26684515eff054a6}}}},
        {{{{0xc9af22f716ad6bad, 0xb311782a4aa662b2, 0x19eeaf64e248c7f4, 0x20273e77e3439f82}},
          {{0xacc02860f7ce93ac, 0x3933d5817ba76b4c, 0x69e6188b446c8467, 0x0a46036d4417cc55}}}},
        {{{{0x5764af0aaf46471e, 0xdc50792e873e0fc1, 0x86a673ff881d04f6, 0x0b2eddb43c30a74c}},
          {{0x9a490f32787e8580, 0x8fd16d7ff04af8b1, 0x4b39888ec6027bf2, 0x03dd2e705b52a15d}}}},
        {{{{0x448a93a57b6762df, 0xbfd62df528fdeadf, 0xd858f5d00e9bd47a, 0x06b03d4d3476ec58}},
          {{0x2b19daf4bcc936d1, 0xa1a54e7a56f4299f, 0xb533eee05adeaef1, 0x170c812b84dda0b2}}}},
        {{{{0xe0bc4b2275cf559f, 0xc238b945c154e60f, 0x803982a5929a7d5e, 0x15ce052df7e4a37e}},
          {{0x2d28efbdbf3799a7, 0x9b097e3c1ad60773, 0x982d4113af4a535b, 0x24e18991e3056063}}}},
    },
};

const fp2 *cevm_fp12_frobenius_coefficient(unsigned power, unsigned i) { return &frobenius_coefficients[power - 1][i]; }

/* Fp6 --------------------------------------------------------------------------------------------------------------- */

static inline void fp6_add(fp6 *r, const fp6 *a, const fp6 *b)
{
    for (int i = 0; i < 3; ++i) {
        fp2_add(&r->c[i], &a->c[i], &b->c[i]);
    }
}

static inline void fp6_sub(fp6 *r, const fp6 *a, const fp6 *b)
{
    for (int i = 0; i < 3; ++i) {
        fp2_sub(&r->c[i], &a->c[i], &b->c[i]);
    }
}

static inline void fp6_neg(fp6 *r, const fp6 *a)
{
    for (int i = 0; i < 3; ++i) {
        fp2_neg(&r->c[i], &a->c[i]);
    }
}

/* a v. */
static inline void fp6_mul_v(fp6 *r, const fp6 *a)
{
    fp2 top;
    fp2_mul_xi(&top, &a->c[2]);
    r->c[2] = a->c[1];
    r->c[1] = a->c[0];
    r->c[0] = top;
}

/* r = (a + b) (c + d) - e - f, that is a d + b c if e = a c and f = b d. */
static inline void cross(fp2 *r, const fp2 *a, const fp2 *b, const fp2 *c, const fp2 *d, const fp2 *e, const fp2 *f)
{
    fp2 s;
    fp2 t;
    fp2_add(&s, a, b);
    fp2_add_loose(&t, c, d);
    cevm_fp2_mul(&s, &s, &t);
    fp2_sub(&s, &s, e);
    fp2_sub(r, &s, f);
}

static void fp6_mul(fp6 *r, const fp6 *a, const fp6 *b)
{
    fp2 v0;
    fp2 v1;
    fp2 v2;
    fp2 x0;
    fp2 x1;
    fp2 t;
    cevm_fp2_mul(&v0, &a->c[0], &b->c[0]);
    cevm_fp2_mul(&v1, &a->c[1], &b->c[1]);
    cevm_fp2_mul(&v2, &a->c[2], &b->c[2]);
    cross(&x0, &a->c[1], &a->c[2], &b->c[1], &b->c[2], &v1, &v2);
    cross(&x1, &a->c[0], &a->c[1], &b->c[0], &b->c[1], &v0, &v1);
    cross(&t, &a->c[0], &a->c[2], &b->c[0], &b->c[2], &v0, &v2);
    fp2_add(&r->c[2], &t, &v1);
    fp2_mul_xi(&x0, &x0);
    fp2_add(&r->c[0], &x0, &v0);
    fp2_mul_xi(&v2, &v2);
    fp2_add(&r->c[1], &x1, &v2);
}

/* a (b0 + b1 v), b0 and b1 canonical. */
static void fp6_mul_01(fp6 *r, const fp6 *a, const fp2 *b0, const fp2 *b1)
{
    fp2 v0;
    fp2 v1;
    fp2 x0;
    fp2 x2;
    cevm_fp2_mul(&v0, &a->c[0], b0);
    cevm_fp2_mul(&v1, &a->c[1], b1);
    cevm_fp2_mul(&x0, &a->c[2], b1);
    cevm_fp2_mul(&x2, &a->c[2], b0);
    cross(&r->c[1], &a->c[0], &a->c[1], b0, b1, &v0, &v1);
    fp2_mul_xi(&x0, &x0);
    fp2_add(&r->c[0], &v0, &x0);
    fp2_add(&r->c[2], &v1, &x2);
}

/*
 * 1 / a: with A = a0^2 - xi a1 a2, B = xi a2^2 - a0 a1, C = a1^2 - a0 a2 the product a (A + B v + C v^2) is
 * a0 A + xi (a2 B + a1 C), which lies in Fp2.
 */
static void fp6_inv(fp6 *r, const fp6 *a)
{
    fp6 n;
    fp2 t;
    fp2 norm;
    cevm_fp2_sqr(&n.c[0], &a->c[0]);
    cevm_fp2_mul(&t, &a->c[1], &a->c[2]);
    fp2_mul_xi(&t, &t);
    fp2_sub(&n.c[0], &n.c[0], &t);
    cevm_fp2_sqr(&n.c[1], &a->c[2]);
    fp2_mul_xi(&n.c[1], &n.c[1]);
    cevm_fp2_mul(&t, &a->c[0], &a->c[1]);
    fp2_sub(&n.c[1], &n.c[1], &t);
    cevm_fp2_sqr(&n.c[2], &a->c[1]);
    cevm_fp2_mul(&t, &a->c[0], &a->c[2]);
    fp2_sub(&n.c[2], &n.c[2], &t);

    cevm_fp2_mul(&norm, &a->c[2], &n.c[1]);
    cevm_fp2_mul(&t, &a->c[1], &n.c[2]);
    fp2_add(&norm, &norm, &t);
    fp2_mul_xi(&norm, &norm);
    cevm_fp2_mul(&t, &a->c[0], &n.c[0]);
    fp2_add(&norm, &norm, &t);
    cevm_fp2_inv(&norm, &norm);
    for (int i = 0; i < 3; ++i) {
        cevm_fp2_mul(&r->c[i], &n.c[i], &norm);
    }
}

/* Fp12 -------------------------------------------------------------------------------------------------------------- */

void cevm_fp12_one(fp12 *r)
{
    memset(r, 0, sizeof *r);
    r->c[0].c[0].c[0] = fp_one;
}

bool cevm_fp12_equal(const fp12 *a, const fp12 *b)
{
    bool equal = true;
    for (int i = 0; i < 6; ++i) {
        equal = equal && fp2_equal(&a->c[i / 3].c[i % 3], &b->c[i / 3].c[i % 3]);
    }
    return equal;
}

bool cevm_fp12_is_one(const fp12 *a)
{
    fp12 one;
    cevm_fp12_one(&one);
    return cevm_fp12_equal(a, &one);
}

void cevm_fp12_mul(fp12 *r, const fp12 *a, const fp12 *b)
{
    fp6 low;
    fp6 high;
    fp6 s;
    fp6 t;
    fp6_add(&s, &a->c[0], &a->c[1]);
    fp6_add(&t, &b->c[0], &b->c[1]);
    fp6_mul(&low, &a->c[0], &b->c[0]);
    fp6_mul(&high, &a->c[1], &b->c[1]);
    fp6_mul(&s, &s, &t);
    fp6_sub(&s, &s, &low);
    fp6_sub(&r->c[1], &s, &high);
    fp6_mul_v(&high, &high);
    fp6_add(&r->c[0], &low, &high);
}

/* (a0 + a1 w)^2 = (a0 + a1) (a0 + v a1) - a0 a1 - v a0 a1 + 2 a0 a1 w. */
void cevm_fp12_sqr(fp12 *r, const fp12 *a)
{
    fp6 product;
    fp6 s;
    fp6 t;
    fp6_add(&s, &a->c[0], &a->c[1]);
    fp6_mul_v(&t, &a->c[1]);
    fp6_add(&t, &t, &a->c[0]);
    fp6_mul(&product, &a->c[0], &a->c[1]);
    fp6_mul(&s, &s, &t);
    fp6_sub(&s, &s, &product);
    fp6_add(&r->c[1], &product, &product);
    fp6_mul_v(&t, &product);
    fp6_sub(&r->c[0], &s, &t);
}

/* Karatsuba on (a0 + a1 w) (c0 + (c1 + c2 v) w). */
void cevm_fp12_mul_line(fp12 *r, const fp12 *a, const fp12_line *line)
{
    fp6 low;
    fp6 high;
    fp6 s;
    fp2 sum;
    for (int i = 0; i < 3; ++i) {
        cevm_fp2_mul(&low.c[i], &a->c[0].c[i], &line->c0);
    }
    fp6_mul_01(&high, &a->c[1], &line->c1, &line->c2);
    fp2_add(&sum, &line->c0, &line->c1);
    fp6_add(&s, &a->c[0], &a->c[1]);
    fp6_mul_01(&s, &s, &sum, &line->c2);
    fp6_sub(&s, &s, &low);
    fp6_sub(&r->c[1], &s, &high);
    fp6_mul_v(&high, &high);
    fp6_add(&r->c[0], &low, &high);
}

/* (a0 - a1 w) / (a0^2 - v a1^2). */
void cevm_fp12_inv(fp12 *r, const fp12 *a)
{
    fp6 norm;
    fp6 t;
    fp6_mul(&norm, &a->c[0], &a->c[0]);
    fp6_mul(&t, &a->c[1], &a->c[1]);
    fp6_mul_v(&t, &t);
    fp6_sub(&norm, &norm, &t);
    fp6_inv(&norm, &norm);
    fp6_mul(&r->c[0], &a->c[0], &norm);
    fp6_neg(&norm, &norm);
    fp6_mul(&r->c[1], &a->c[1], &norm);
}

void cevm_fp12_conjugate(fp12 *r, const fp12 *a)
{
    r->c[0] = a->c[0];
    fp6_neg(&r->c[1], &a->c[1]);
}

void cevm_fp12_frobenius(fp12 *r, const fp12 *a, unsigned power)
{
    const fp2 *g = frobenius_coefficients[power - 1];
    for (int i = 0; i < 6; ++i) { /* the coefficient of w^i */
        fp2 t = a->c[i % 2].c[i / 2];
        if (power % 2 == 1) {
            fp2_conjugate(&t, &t);
        }
        if (i == 0) {
            r->c[0].c[0] = t;
        } else if (power == 2) {
            fp2_scale(&r->c[i % 2].c[i / 2], &t, &g[i].c[0]); /* the row lies in Fp */
        } else {
            cevm_fp2_mul(&r->c[i % 2].c[i / 2], &t, &g[i]);
        }
    }
}

/* (a + b s)^2 in Fp4 = Fp2[s], s^2 = xi: a^2 + xi b^2 and 2 a b. */
static inline void fp4_sqr(fp2 *square, fp2 *twice_product, const fp2 *a, const fp2 *b)
{
    fp2 a2;
    fp2 b2;
    fp2 s;
    cevm_fp2_sqr(&a2, a);
    cevm_fp2_sqr(&b2, b);
    fp2_add(&s, a, b);
    cevm_fp2_sqr(&s, &s);
    fp2_sub(&s, &s, &a2);
    fp2_sub(twice_product, &s, &b2);
    fp2_mul_xi(&b2, &b2);
    fp2_add(square, &a2, &b2);
}

/* r = 3 t - 2 z, or 3 t + 2 z. */
static inline void triple_minus_twice(fp2 *r, const fp2 *t, const fp2 *z)
{
    fp2 d;
    fp2_sub(&d, t, z);
    fp2_double(&d, &d);
    fp2_add(r, &d, t);
}

static inline void triple_plus_twice(fp2 *r, const fp2 *t, const fp2 *z)
{
    fp2 d;
    fp2_add(&d, t, z);
    fp2_double(&d, &d);
    fp2_add(r, &d, t);
}

/*
 * With s = w^3, s^2 = xi, an element is A + B w + C w^2 over Fp4 = Fp2[s], A of the coefficients of w^0 and w^3, B of w^1 and
 * w^4, C of w^2 and w^5. In the subgroup its square is (3 A^2 - 2 A') + (3 s C^2 + 2 B') w + (3 B^2 - 2 C') w^2, where ' turns
 * s into -s.
 */
void cevm_fp12_sqr_cyclotomic(fp12 *r, const fp12 *a)
{
    fp2 a_even;
    fp2 a_odd;
    fp2 b_even;
    fp2 b_odd;
    fp2 c_even;
    fp2 c_odd;
    fp4_sqr(&a_even, &a_odd, &a->c[0].c[0], &a->c[1].c[1]);
    fp4_sqr(&b_even, &b_odd, &a->c[1].c[0], &a->c[0].c[2]);
    fp4_sqr(&c_even, &c_odd, &a->c[0].c[1], &a->c[1].c[2]);
    fp2_mul_xi(&c_odd, &c_odd);
    triple_minus_twice(&r->c[0].c[0], &a_even, &a->c[0].c[0]);
    triple_plus_twice(&r->c[1].c[1], &a_odd, &a->c[1].c[1]);
    triple_minus_twice(&r->c[0].c[1], &b_even, &a->c[0].c[1]);
    triple_plus_twice(&r->c[1].c[2], &b_odd, &a->c[1].c[2]);
    triple_plus_twice(&r->c[1].c[0], &c_odd, &a->c[1].c[0]);
    triple_minus_twice(&r->c[0].c[2], &c_even, &a->c[0].c[2]);
}
