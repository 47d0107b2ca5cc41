/* SPDX-License-Identifier: Apache-2.0 */
/*
 * G1 of BN254.
 *
 * Multiplication splits the scalar along the curve's endomorphism (Gallant, Lambert, Vanstone, 2001): lambda P = (beta x, y),
 * so k P = k1 P + k2 (lambda P) with halves k1, k2 half as long. Both run through one chain of doublings in Jacobian
 * coordinates (x / z^2, y / z^3), in signed windows over a table of odd multiples that one shared inversion makes affine.
 *
 * The split. With x the curve's parameter, (b1, c) = (6x^2 + 4x + 1, 2x + 1) and (c, -b2) = (2x + 1, -(6x^2 + 2x)) span the
 * lattice of (u, v) with u + v lambda = 0 mod r. The multiples of them nearest to (k, 0) are n1 = k b2 / r and n2 = k c / r;
 * taken as k * floor(2^256 b2 / r) / 2^256 they come out less than 2 too small, so k1 = k - n1 b1 - n2 c lies in [0, 2^129)
 * and k2 = n2 b2 - n1 c in (-2^129, 2^129), for every k of 256 bits.
 */
#include "precompiles/crypto/bn254_g1.h"

enum { WINDOW = 5, TABLE = 1 << (WINDOW - 2), DIGITS = 136 };

typedef struct jacobian {
    fp x, y, z; /* z = 0: infinity */
} jacobian;

static const fp three = {{0x7a17caa950ad28d7, 0x1f6ac17ae15521b9, 0x334bea4e696bd284, 0x2a1f6744ce179d8e}};

/* A cube root of 1: (9 + i)^(4 (p^2 - 1) / 6). */
static const fp beta = {{0x71930c11d782e155, 0xa6bb947cffbe3323, 0xaa303344d4741444, 0x2c3b3f0d26594943}};

bool cevm_g1_from_bytes(g1 *p, const uint8_t bytes[64])
{
    fp left;
    fp right;
    if (!cevm_fp_from_bytes(&p->x, bytes) || !cevm_fp_from_bytes(&p->y, bytes + 32)) {
        return false;
    }
    if (g1_is_infinity(p)) {
        return true;
    }
    fp_sqr(&left, &p->y);
    fp_sqr(&right, &p->x);
    cevm_fp_mul(&right, &right, &p->x);
    fp_add(&right, &right, &three);
    return fp_equal(&left, &right);
}

void cevm_g1_to_bytes(uint8_t bytes[64], const g1 *p)
{
    cevm_fp_to_bytes(bytes, &p->x);
    cevm_fp_to_bytes(bytes + 32, &p->y);
}

void cevm_g1_endomorphism(g1 *r, const g1 *a)
{
    cevm_fp_mul(&r->x, &a->x, &beta);
    r->y = a->y;
}

void cevm_g1_add(g1 *r, const g1 *a, const g1 *b)
{
    fp slope;
    fp t;
    fp x;
    if (g1_is_infinity(a)) {
        *r = *b;
        return;
    }
    if (g1_is_infinity(b)) {
        *r = *a;
        return;
    }
    if (!fp_equal(&a->x, &b->x)) {
        fp_sub(&t, &b->x, &a->x);
        cevm_fp_inv(&t, &t);
        fp_sub(&slope, &b->y, &a->y);
    } else if (fp_equal(&a->y, &b->y)) { /* y is not 0: no point has order 2 */
        fp_double(&t, &a->y);
        cevm_fp_inv(&t, &t);
        fp_sqr(&slope, &a->x);
        cevm_fp_mul(&slope, &slope, &three);
    } else {
        memset(r, 0, sizeof *r);
        return;
    }
    cevm_fp_mul(&slope, &slope, &t);
    fp_sqr(&x, &slope);
    fp_sub(&x, &x, &a->x);
    fp_sub(&x, &x, &b->x);
    fp_sub(&t, &a->x, &x);
    cevm_fp_mul(&t, &t, &slope);
    fp_sub(&r->y, &t, &a->y);
    r->x = x;
}

/* 2a; infinity stays it. With S = 4 x y^2 and M = 3 x^2: (M^2 - 2S, M (S - x') - 8 y^4, 2 y z). */
static void jacobian_double(jacobian *r, const jacobian *a)
{
    fp yy;
    fp s;
    fp m;
    fp t;
    fp_sqr(&yy, &a->y);
    cevm_fp_mul(&s, &a->x, &yy);
    fp_double(&s, &s);
    fp_double(&s, &s);
    fp_sqr(&m, &a->x);
    fp_double(&t, &m);
    fp_add(&m, &m, &t);
    fp_add_loose(&t, &a->y, &a->y);
    cevm_fp_mul(&r->z, &t, &a->z);
    fp_sqr(&r->x, &m);
    fp_sub(&r->x, &r->x, &s);
    fp_sub(&r->x, &r->x, &s);
    fp_add_loose(&t, &yy, &yy);
    fp_sqr(&yy, &t); /* 4 y^4 */
    fp_double(&yy, &yy);
    fp_sub_loose(&t, &s, &r->x);
    cevm_fp_mul(&m, &m, &t);
    fp_sub(&r->y, &m, &yy);
}

/* a + b for b affine and not infinity, whatever a is. */
static void jacobian_add(jacobian *r, const jacobian *a, const g1 *b)
{
    fp h;
    fp s;
    fp t;
    fp hh;
    if (fp_is_zero(&a->z)) {
        r->x = b->x;
        r->y = b->y;
        r->z = fp_one;
        return;
    }
    fp_sqr(&t, &a->z);
    cevm_fp_mul(&h, &b->x, &t);
    fp_sub(&h, &h, &a->x);
    cevm_fp_mul(&t, &t, &a->z);
    cevm_fp_mul(&s, &b->y, &t);
    fp_sub(&s, &s, &a->y);
    if (fp_is_zero(&h)) { /* the same point, or its opposite */
        if (fp_is_zero(&s)) {
            jacobian_double(r, a);
        } else {
            memset(r, 0, sizeof *r);
        }
        return;
    }
    cevm_fp_mul(&r->z, &a->z, &h);
    fp_sqr(&hh, &h);
    cevm_fp_mul(&h, &h, &hh);     /* h^3 */
    cevm_fp_mul(&hh, &hh, &a->x); /* x h^2 */
    fp_sqr(&t, &s);
    fp_sub(&t, &t, &h);
    fp_sub(&t, &t, &hh);
    fp_sub(&r->x, &t, &hh);
    cevm_fp_mul(&h, &h, &a->y);
    fp_sub_loose(&t, &hh, &r->x);
    cevm_fp_mul(&t, &t, &s);
    fp_sub(&r->y, &t, &h);
}

static void to_affine(g1 *r, const jacobian *a, const fp *inverse_of_z)
{
    fp t;
    fp_sqr(&t, inverse_of_z);
    cevm_fp_mul(&r->x, &a->x, &t);
    cevm_fp_mul(&t, &t, inverse_of_z);
    cevm_fp_mul(&r->y, &a->y, &t);
}

/*
 * table[i] = (2i + 1) a for a not infinity; none of them is, for r is prime and far above.
 *
 * The formulas of sums do not know the curve's constant, so 2a may be taken as the affine point (x, y) of its Jacobian
 * coordinates (x, y, z): that is (x, y) -> (x z^2, y z^3) of the curve, an isomorphism to y^2 = x^3 + 3 z^6. Multiples are
 * computed there and brought back with z as a factor of their own z.
 */
static void odd_multiples(g1 table[TABLE], const g1 *a)
{
    jacobian multiples[TABLE];
    fp products[TABLE]; /* of all z so far */
    fp inverse;
    fp t;
    const jacobian once = {a->x, a->y, fp_one};
    jacobian twice;
    jacobian_double(&twice, &once);
    const g1 step = {twice.x, twice.y};
    fp_sqr(&t, &twice.z);
    cevm_fp_mul(&multiples[0].x, &a->x, &t);
    cevm_fp_mul(&t, &t, &twice.z);
    cevm_fp_mul(&multiples[0].y, &a->y, &t);
    multiples[0].z = fp_one;
    products[0] = fp_one;
    for (int i = 1; i < TABLE; ++i) {
        jacobian_add(&multiples[i], &multiples[i - 1], &step);
    }
    for (int i = 1; i < TABLE; ++i) {
        cevm_fp_mul(&multiples[i].z, &multiples[i].z, &twice.z);
        cevm_fp_mul(&products[i], &products[i - 1], &multiples[i].z);
    }
    cevm_fp_inv(&inverse, &products[TABLE - 1]);
    for (int i = TABLE - 1; i > 0; --i) {
        fp own;
        cevm_fp_mul(&own, &inverse, &products[i - 1]);
        cevm_fp_mul(&inverse, &inverse, &multiples[i].z);
        to_affine(&table[i], &multiples[i], &own);
    }
    table[0] = *a;
}

/* out = a * b in as many limbs as both have together. */
static void multiply_limbs(uint64_t *out, const uint64_t *a, int a_limbs, const uint64_t *b, int b_limbs)
{
    memset(out, 0, (size_t)(a_limbs + b_limbs) * sizeof *out);
    for (int i = 0; i < a_limbs; ++i) {
        uint64_t carry = 0;
        for (int k = 0; k < b_limbs; ++k) {
            out[i + k] = fp_multiply_add(&carry, a[i], b[k], out[i + k]);
        }
        out[i + b_limbs] = carry;
    }
}

/* a -= b modulo 2^192. */
static void subtract_192(uint64_t a[3], const uint64_t b[3])
{
    uint64_t borrow = 0;
    for (int i = 0; i < 3; ++i) {
        a[i] = fp_sbb(&borrow, a[i], b[i]);
    }
}

void cevm_g1_split(uint64_t k1[3], uint64_t k2[3], const uint64_t k[4])
{
    static const uint64_t b2_over_r[3] = {0x7a7bd9d4391eb18d, 0x4ccef014a773d2cf, 2}; /* 2^256 b2 / r, rounded down */
    static const uint64_t c_over_r[2] = {0xd91d232ec7e0b3d7, 2};
    static const uint64_t b1[2] = {0x0be4e1541221250b, 0x6f4d8248eeb859fd};
    static const uint64_t b2[2] = {0x8211bbeb7d4f1128, 0x6f4d8248eeb859fc};
    static const uint64_t c[1] = {0x89d3256894d213e3};
    uint64_t n1[7];
    uint64_t n2[6];
    uint64_t product[5];
    multiply_limbs(n1, k, 4, b2_over_r, 3);
    multiply_limbs(n2, k, 4, c_over_r, 2);
    memcpy(k1, k, 3 * sizeof *k1);
    multiply_limbs(product, n1 + 4, 3, b1, 2);
    subtract_192(k1, product);
    multiply_limbs(product, n2 + 4, 2, c, 1);
    subtract_192(k1, product);
    multiply_limbs(product, n2 + 4, 2, b2, 2);
    memcpy(k2, product, 3 * sizeof *k2);
    multiply_limbs(product, n1 + 4, 3, c, 1);
    subtract_192(k2, product);
}

/* The number in signed odd digits below 2^(WINDOW - 1), at least WINDOW - 1 zeros between them. Returns how many places. */
static int signed_windows(int8_t digits[DIGITS], const uint64_t number[3])
{
    static const uint64_t zero[3] = {0, 0, 0};
    uint64_t k[3];
    const bool negative = number[2] >> 63 != 0;
    int length = 0;
    memcpy(k, number, sizeof k);
    if (negative) {
        memcpy(k, zero, sizeof k);
        subtract_192(k, number);
    }
    memset(digits, 0, DIGITS);
    for (int i = 0; i < DIGITS && (k[0] | k[1] | k[2]) != 0; ++i) {
        if ((k[0] & 1) != 0) {
            int digit = (int)(k[0] & ((1u << WINDOW) - 1));
            digit -= digit >= 1 << (WINDOW - 1) ? 1 << WINDOW : 0;
            const uint64_t magnitude[3] = {(uint64_t)(digit < 0 ? -digit : digit), 0, 0};
            if (digit > 0) {
                subtract_192(k, magnitude);
            } else {
                uint64_t carry = 0;
                for (int n = 0; n < 3; ++n) {
                    k[n] = fp_adc(&carry, k[n], magnitude[n]);
                }
            }
            digits[i] = (int8_t)(negative ? -digit : digit);
            length = i + 1;
        }
        k[0] = k[0] >> 1 | k[1] << 63;
        k[1] = k[1] >> 1 | k[2] << 63;
        k[2] >>= 1;
    }
    return length;
}

/* sum += digit * P, the odd multiples of P in the table. */
static void add_digit(jacobian *sum, const g1 table[TABLE], int digit)
{
    if (digit > 0) {
        jacobian_add(sum, sum, &table[digit / 2]);
    } else if (digit < 0) {
        g1 t = table[-digit / 2];
        fp_neg(&t.y, &t.y);
        jacobian_add(sum, sum, &t);
    }
}

void cevm_g1_mul(g1 *r, const g1 *a, const uint64_t k[4])
{
    uint64_t k1[3];
    uint64_t k2[3];
    int8_t digits1[DIGITS];
    int8_t digits2[DIGITS];
    g1 table1[TABLE];
    g1 table2[TABLE];
    jacobian sum = {{{0}}, {{0}}, {{0}}};
    fp inverse;
    if (g1_is_infinity(a)) {
        *r = *a;
        return;
    }
    cevm_g1_split(k1, k2, k);
    const int length1 = signed_windows(digits1, k1);
    const int length2 = signed_windows(digits2, k2);
    odd_multiples(table1, a);
    for (int i = 0; i < TABLE; ++i) {
        cevm_g1_endomorphism(&table2[i], &table1[i]);
    }
    for (int i = (length1 > length2 ? length1 : length2) - 1; i >= 0; --i) {
        jacobian_double(&sum, &sum);
        add_digit(&sum, table1, digits1[i]);
        add_digit(&sum, table2, digits2[i]);
    }
    cevm_fp_inv(&inverse, &sum.z); /* 0 at infinity, which makes (0, 0) of it */
    to_affine(r, &sum, &inverse);
}
