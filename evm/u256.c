/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evm/u256.c: products, quotients and powers too long to be inlined; see u256.h for what each returns.
 *
 * Division multiplies by a reciprocal of the divisor's highest limbs instead of dividing limb by limb: a hardware
 * division of 128 by 64 bits costs more than the two multiplications that replace it, and does not exist on most
 * machines. The method is that of N. Möller and T. Granlund, "Improved division by invariant integers" (IEEE
 * Transactions on Computers 60, 2011); the names u2, u1, u0, d1, d0, v below are the paper's, and so is "algorithm N".
 *
 * A divisor is "normalised" when its highest bit is set. Both operands are shifted left to make it so, which leaves the
 * quotient as it was; the remainder is shifted back.
 */
#include "evm/u256.h"

/* Every loop below runs over a divisor of 2, 3 or 4 limbs known where it is inlined, so it unrolls into registers. */
#define U256_INLINE static inline __attribute__((always_inline))

/* Reciprocals ------------------------------------------------------------------------------------------------------ */

/* (2^19 - 3 * 2^8) / d for d = 256..511: the first 10 bits of the reciprocal of a limb whose top 9 bits are d. */
static const uint16_t reciprocal_seed[256] = {
    2045, 2037, 2029, 2021, 2013, 2005, 1998, 1990, 1983, 1975, 1968, 1960, 1953, 1946, 1938, 1931, 1924, 1917, 1910,
    1903, 1896, 1889, 1883, 1876, 1869, 1863, 1856, 1849, 1843, 1836, 1830, 1824, 1817, 1811, 1805, 1799, 1792, 1786,
    1780, 1774, 1768, 1762, 1756, 1750, 1745, 1739, 1733, 1727, 1722, 1716, 1710, 1705, 1699, 1694, 1688, 1683, 1677,
    1672, 1667, 1661, 1656, 1651, 1646, 1641, 1636, 1630, 1625, 1620, 1615, 1610, 1605, 1600, 1596, 1591, 1586, 1581,
    1576, 1572, 1567, 1562, 1558, 1553, 1548, 1544, 1539, 1535, 1530, 1526, 1521, 1517, 1513, 1508, 1504, 1500, 1495,
    1491, 1487, 1483, 1478, 1474, 1470, 1466, 1462, 1458, 1454, 1450, 1446, 1442, 1438, 1434, 1430, 1426, 1422, 1418,
    1414, 1411, 1407, 1403, 1399, 1396, 1392, 1388, 1384, 1381, 1377, 1374, 1370, 1366, 1363, 1359, 1356, 1352, 1349,
    1345, 1342, 1338, 1335, 1332, 1328, 1325, 1322, 1318, 1315, 1312, 1308, 1305, 1302, 1299, 1295, 1292, 1289, 1286,
    1283, 1280, 1276, 1273, 1270, 1267, 1264, 1261, 1258, 1255, 1252, 1249, 1246, 1243, 1240, 1237, 1234, 1231, 1228,
    1226, 1223, 1220, 1217, 1214, 1211, 1209, 1206, 1203, 1200, 1197, 1195, 1192, 1189, 1187, 1184, 1181, 1179, 1176,
    1173, 1171, 1168, 1165, 1163, 1160, 1158, 1155, 1153, 1150, 1148, 1145, 1143, 1140, 1138, 1135, 1133, 1130, 1128,
    1125, 1123, 1121, 1118, 1116, 1113, 1111, 1109, 1106, 1104, 1102, 1099, 1097, 1095, 1092, 1090, 1088, 1086, 1083,
    1081, 1079, 1077, 1074, 1072, 1070, 1068, 1066, 1064, 1061, 1059, 1057, 1055, 1053, 1051, 1049, 1047, 1044, 1042,
    1040, 1038, 1036, 1034, 1032, 1030, 1028, 1026, 1024,
};

/** (2^128 - 1) / d - 2^64 for a normalised limb d (algorithm 2): three Newton steps, then an exact correction. */
U256_INLINE uint64_t reciprocal_2by1(uint64_t d)
{
    const uint64_t d9 = d >> 55;
    const uint64_t d40 = (d >> 24) + 1;
    const uint64_t d63 = (d >> 1) + (d & 1);
    const uint64_t v0 = reciprocal_seed[d9 - 256];
    const uint64_t v1 = (v0 << 11) - ((v0 * v0 * d40) >> 40) - 1;
    const uint64_t v2 = (v1 << 13) + ((v1 * (((uint64_t)1 << 60) - v1 * d40)) >> 47);
    const uint64_t e = ((v2 >> 1) & ((uint64_t)0 - (d & 1))) - v2 * d63;
    uint64_t high;
    (void)u256_mul64(v2, e, &high);
    const uint64_t v3 = (v2 << 31) + (high >> 1);
    unsigned char carry = 0;
    (void)u256_addc(u256_mul64(v3, d, &high), d, &carry);
    return v3 - u256_addc(high, d, &carry);
}

/** (2^192 - 1) / (d1:d0) - 2^64 for a normalised d1 (algorithm 6). */
U256_INLINE uint64_t reciprocal_3by2(uint64_t d1, uint64_t d0)
{
    uint64_t v = reciprocal_2by1(d1);
    uint64_t p = d1 * v + d0;
    if (p < d0) {
        --v;
        if (p >= d1) {
            --v;
            p -= d1;
        }
        p -= d1;
    }
    uint64_t t1;
    const uint64_t t0 = u256_mul64(v, d0, &t1);
    p += t1;
    if (p < t1) {
        --v;
        if (p > d1 || (p == d1 && t0 >= d0)) {
            --v;
        }
    }
    return v;
}

/** (u1:u0) / d with u1 < d, d normalised and v its reciprocal (algorithm 4). */
U256_INLINE uint64_t divide_2by1(uint64_t *remainder, uint64_t u1, uint64_t u0, uint64_t d, uint64_t v)
{
    unsigned char carry = 0;
    uint64_t q1;
    const uint64_t q0 = u256_addc(u256_mul64(v, u1, &q1), u0, &carry);
    q1 = u256_addc(q1, u1, &carry) + 1;
    uint64_t r = u0 - q1 * d;
    if (r > q0) {
        --q1;
        r += d;
    }
    if (__builtin_expect(r >= d, 0)) {
        ++q1;
        r -= d;
    }
    *remainder = r;
    return q1;
}

/** (u2:u1:u0) / (d1:d0) with (u2:u1) < (d1:d0), d1 normalised and v their reciprocal; remainder r[1]:r[0] (algorithm 5). */
U256_INLINE uint64_t divide_3by2(uint64_t r[2], uint64_t u2, uint64_t u1, uint64_t u0, const uint64_t d[2], uint64_t v)
{
    const uint64_t d1 = d[1];
    const uint64_t d0 = d[0];
    unsigned char carry = 0;
    uint64_t q1;
    const uint64_t q0 = u256_addc(u256_mul64(v, u2, &q1), u1, &carry);
    q1 = u256_addc(q1, u2, &carry);

    uint64_t t1;
    const uint64_t t0 = u256_mul64(d0, q1, &t1);
    unsigned char borrow = 0;
    uint64_t r0 = u256_subb(u0, t0, &borrow);
    uint64_t r1 = u256_subb(u1 - q1 * d1, t1, &borrow);
    borrow = 0;
    r0 = u256_subb(r0, d0, &borrow);
    r1 = u256_subb(r1, d1, &borrow);
    ++q1;

    /* Half of all quotients need this correction, so it is arithmetic with a mask rather than a branch. */
    const uint64_t mask = (uint64_t)0 - (uint64_t)(r1 >= q0);
    q1 += mask;
    carry = 0;
    r0 = u256_addc(r0, d0 & mask, &carry);
    r1 = u256_addc(r1, d1 & mask, &carry);
    if (__builtin_expect(r1 >= d1, 0) && (r1 > d1 || r0 >= d0)) {
        ++q1;
        borrow = 0;
        r0 = u256_subb(r0, d0, &borrow);
        r1 = u256_subb(r1, d1, &borrow);
    }
    r[0] = r0;
    r[1] = r1;
    return q1;
}

/* Division of limbs ------------------------------------------------------------------------------------------------ */

/** How many of the n limbs of x remain when the zeros at the top are left out. */
U256_INLINE unsigned significant_limbs(const uint64_t *x, unsigned n)
{
    while (n > 0 && x[n - 1] == 0) {
        --n;
    }
    return n;
}

/** out = x << bits for bits 0..63, over n limbs and one more limb of out for what leaves at the top. */
U256_INLINE void shift_limbs_left(uint64_t *out, const uint64_t *x, unsigned n, unsigned bits)
{
    out[n] = u256_funnel_left(0, x[n - 1], bits);
    for (unsigned i = n - 1; i > 0; --i) {
        out[i] = u256_funnel_left(x[i], x[i - 1], bits);
    }
    out[0] = x[0] << bits;
}

/** One limb of divisor: q gets `count` limbs; the remainder is returned. u has `count` limbs, d is not zero. */
U256_INLINE uint64_t divide_by_limb(uint64_t *q, const uint64_t *u, unsigned count, uint64_t d)
{
    const unsigned bits = u256_clz64(d);
    const uint64_t normalised = d << bits;
    const uint64_t v = reciprocal_2by1(normalised);
    uint64_t r = u256_funnel_left(0, u[count - 1], bits);
    for (unsigned i = count - 1; i > 0; --i) {
        q[i] = divide_2by1(&r, r, u256_funnel_left(u[i], u[i - 1], bits), normalised, v);
    }
    q[0] = divide_2by1(&r, r, u[0] << bits, normalised, v);
    return r >> bits;
}

/** u[0..n-1] -= q * d[0..n-1]; what is still to be subtracted from the limb above is returned. */
U256_INLINE uint64_t subtract_product(uint64_t *u, const uint64_t *d, unsigned n, uint64_t q)
{
    uint64_t above = 0;
    for (unsigned i = 0; i < n; ++i) {
        uint64_t high;
        unsigned char carry = 0;
        const uint64_t low = u256_addc(u256_mul64(q, d[i], &high), above, &carry);
        unsigned char borrow = 0;
        u[i] = u256_subb(u[i], low, &borrow);
        /* q * d + above is at most 2^128 - 2^64, where high is all ones but low is 0 and borrows nothing: this fits. */
        above = high + carry + borrow;
    }
    return above;
}

/**
 * One limb of the quotient, for a divisor d of n = 2..4 normalised limbs: u has n + 1 limbs and u < d * 2^64; the
 * quotient is returned and the low n limbs of u become the remainder. The limb above them is then stale.
 */
U256_INLINE uint64_t divide_step(uint64_t *u, const uint64_t *d, unsigned n, uint64_t v)
{
    if (__builtin_expect(u[n] == d[n - 1] && u[n - 1] == d[n - 2], 0)) {
        /* The quotient of the top limbs alone would not fit one limb. As u < d * 2^64, the true one is the largest. */
        (void)subtract_product(u, d, n, UINT64_MAX);
        return UINT64_MAX;
    }
    uint64_t r[2];
    uint64_t q = divide_3by2(r, u[n], u[n - 1], u[n - 2], d + n - 2, v);
    if (n > 2) {
        unsigned char borrow = 0;
        r[0] = u256_subb(r[0], subtract_product(u, d, n - 2, q), &borrow);
        r[1] = u256_subb(r[1], 0, &borrow);
        if (__builtin_expect(borrow != 0, 0)) {
            /* The limbs left out of the estimate made it one too large. */
            unsigned char carry = 0;
            for (unsigned i = 0; i < n - 2; ++i) {
                u[i] = u256_addc(u[i], d[i], &carry);
            }
            r[0] = u256_addc(r[0], d[n - 2], &carry);
            r[1] = u256_addc(r[1], d[n - 1], &carry);
            --q;
        }
    }
    u[n - 2] = r[0];
    u[n - 1] = r[1];
    return q;
}

/**
 * u / d over limbs, for d of n = 2..4 normalised limbs and u of `count` > n limbs, the highest smaller than d's highest.
 * q gets count - n limbs, unless it is NULL; the low n limbs of u become the remainder.
 */
U256_INLINE void divide_limbs(uint64_t *q, uint64_t *u, unsigned count, const uint64_t *d, unsigned n)
{
    const uint64_t v = reciprocal_3by2(d[n - 1], d[n - 2]);
    for (unsigned i = count - n; i-- > 0;) {
        const uint64_t limb = divide_step(u + i, d, n, v);
        if (q != NULL) {
            q[i] = limb;
        }
    }
}

/** out = x >> bits for bits 0..63 over n limbs; zeros enter at the top. */
U256_INLINE void shift_limbs_right(uint64_t *out, const uint64_t *x, unsigned n, unsigned bits)
{
    for (unsigned i = 0; i + 1 < n; ++i) {
        out[i] = u256_funnel_right(x[i + 1], x[i], bits);
    }
    out[n - 1] = x[n - 1] >> bits;
}

/** q = u / d and *r = u % d; u has count <= 4 significant limbs, d has n of them, and u >= d > 0. q and *r start as 0. */
static void divide_words(uint64_t q[4], uint64_t r[4], const uint64_t *u, unsigned count, const uint64_t *d, unsigned n)
{
    if (n == 1) {
        r[0] = divide_by_limb(q, u, count, d[0]);
        return;
    }
    uint64_t shifted[5];
    uint64_t divisor[5];
    const unsigned bits = u256_clz64(d[n - 1]);
    shift_limbs_left(shifted, u, count, bits);
    shift_limbs_left(divisor, d, n, bits);
    if (n == 2) {
        divide_limbs(q, shifted, count + 1, divisor, 2);
    } else if (n == 3) {
        divide_limbs(q, shifted, count + 1, divisor, 3);
    } else {
        divide_limbs(q, shifted, count + 1, divisor, 4);
    }
    shift_limbs_right(r, shifted, n, bits);
}

/** u % m for u of count <= 8 limbs and m > 0. */
static cevm_u256 reduce(const uint64_t *u, unsigned count, const cevm_u256 *m)
{
    cevm_u256 r = {{0, 0, 0, 0}};
    const unsigned n = significant_limbs(m->w, 4);
    count = significant_limbs(u, count);
    if (count < n) {
        memcpy(r.w, u, count * sizeof r.w[0]);
        return r;
    }
    if (n == 1) {
        uint64_t quotient[8];
        r.w[0] = divide_by_limb(quotient, u, count, m->w[0]);
        return r;
    }
    uint64_t shifted[9];
    uint64_t divisor[5];
    const unsigned bits = u256_clz64(m->w[n - 1]);
    shift_limbs_left(shifted, u, count, bits);
    shift_limbs_left(divisor, m->w, n, bits);
    /* A product of reduced operands is this small nearly always: its first quotient limb would be 0. */
    if (shifted[count] == 0 && shifted[count - 1] < divisor[n - 1]) {
        --count;
    }
    if (n == 2) {
        divide_limbs(NULL, shifted, count + 1, divisor, 2);
    } else if (n == 3) {
        divide_limbs(NULL, shifted, count + 1, divisor, 3);
    } else {
        divide_limbs(NULL, shifted, count + 1, divisor, 4);
    }
    shift_limbs_right(r.w, shifted, n, bits);
    return r;
}

/* Products --------------------------------------------------------------------------------------------------------- */

void cevm_u256_mul_wide(uint64_t out[8], const cevm_u256 *a, const cevm_u256 *b)
{
    uint64_t p[8] = {0};
    for (unsigned i = 0; i < 4; ++i) {
        uint64_t high[4];
        unsigned char carry = 0;
        for (unsigned j = 0; j < 4; ++j) {
            p[i + j] = u256_addc(p[i + j], u256_mul64(a->w[i], b->w[j], &high[j]), &carry);
        }
        p[i + 4] = carry;
        carry = 0;
        for (unsigned j = 0; j < 4; ++j) {
            p[i + j + 1] = u256_addc(p[i + j + 1], high[j], &carry);
        }
    }
    memcpy(out, p, sizeof p);
}

bool cevm_u256_mul_overflow(cevm_u256 *out, const cevm_u256 *a, const cevm_u256 *b)
{
    uint64_t p[8];
    cevm_u256_mul_wide(p, a, b);
    *out = (cevm_u256){{p[0], p[1], p[2], p[3]}};
    return (p[4] | p[5] | p[6] | p[7]) != 0;
}

/* Quotients -------------------------------------------------------------------------------------------------------- */

void cevm_u256_divmod(cevm_u256 *quotient, cevm_u256 *remainder, const cevm_u256 *a, const cevm_u256 *b)
{
    cevm_u256 q = {{0, 0, 0, 0}};
    cevm_u256 r = {{0, 0, 0, 0}};
    if (cevm_u256_fits_u64(a) && cevm_u256_fits_u64(b)) {
        if (b->w[0] != 0) {
            q.w[0] = a->w[0] / b->w[0];
            r.w[0] = a->w[0] % b->w[0];
        }
    } else if (u256_lt(a, b)) {
        r = *a;
    } else if (!cevm_u256_is_zero(b)) {
        divide_words(q.w, r.w, a->w, significant_limbs(a->w, 4), b->w, significant_limbs(b->w, 4));
    }
    *quotient = q;
    *remainder = r;
}

cevm_u256 cevm_u256_div(const cevm_u256 *a, const cevm_u256 *b)
{
    cevm_u256 q;
    cevm_u256 r;
    cevm_u256_divmod(&q, &r, a, b);
    return q;
}

cevm_u256 cevm_u256_mod(const cevm_u256 *a, const cevm_u256 *b)
{
    cevm_u256 q;
    cevm_u256 r;
    cevm_u256_divmod(&q, &r, a, b);
    return r;
}

/** |a| as an unsigned number; 2^255 for the lowest one. */
static cevm_u256 magnitude(const cevm_u256 *a)
{
    return u256_is_negative(a) ? u256_neg(a) : *a;
}

cevm_u256 cevm_u256_sdiv(const cevm_u256 *a, const cevm_u256 *b)
{
    /* -2^255 / -1 needs no case of its own: both magnitudes are right, and 2^255 is the word that the EVM wants. */
    const cevm_u256 dividend = magnitude(a);
    const cevm_u256 divisor = magnitude(b);
    const cevm_u256 q = cevm_u256_div(&dividend, &divisor);
    return u256_is_negative(a) != u256_is_negative(b) ? u256_neg(&q) : q;
}

cevm_u256 cevm_u256_smod(const cevm_u256 *a, const cevm_u256 *b)
{
    const cevm_u256 dividend = magnitude(a);
    const cevm_u256 divisor = magnitude(b);
    const cevm_u256 r = cevm_u256_mod(&dividend, &divisor);
    return u256_is_negative(a) ? u256_neg(&r) : r;
}

/* Modular arithmetic ----------------------------------------------------------------------------------------------- */

/** x minus m if x is not smaller than m, for x < 2m. */
static cevm_u256 subtract_once(const cevm_u256 *x, const cevm_u256 *m)
{
    cevm_u256 difference;
    return u256_sub_borrow(&difference, x, m) ? *x : difference;
}

cevm_u256 cevm_u256_addmod(const cevm_u256 *a, const cevm_u256 *b, const cevm_u256 *m)
{
    if (m->w[3] != 0 && a->w[3] <= m->w[3] && b->w[3] <= m->w[3]) {
        /* With a top limb no larger than m's, a number is less than m + 2^192, hence less than 2m. */
        const cevm_u256 x = subtract_once(a, m);
        const cevm_u256 y = subtract_once(b, m);
        cevm_u256 sum;
        cevm_u256 reduced;
        const bool carried = u256_add_overflow(&sum, &x, &y);
        const bool borrowed = u256_sub_borrow(&reduced, &sum, m);
        return carried || !borrowed ? reduced : sum;
    }
    if (cevm_u256_is_zero(m)) {
        return *m;
    }
    cevm_u256 sum;
    const bool carried = u256_add_overflow(&sum, a, b);
    const uint64_t limbs[5] = {sum.w[0], sum.w[1], sum.w[2], sum.w[3], carried};
    return reduce(limbs, 5, m);
}

cevm_u256 cevm_u256_mulmod(const cevm_u256 *a, const cevm_u256 *b, const cevm_u256 *m)
{
    /* The modulus is looked at before anything is done with it: dividing by 0 here is the bug of CVE-2020-26242. */
    if (cevm_u256_is_zero(m)) {
        return *m;
    }
    uint64_t product[8];
    cevm_u256_mul_wide(product, a, b);
    return reduce(product, 8, m);
}

/* Powers ----------------------------------------------------------------------------------------------------------- */

/** a * a modulo 2^256: six multiplications where a product needs ten. */
static cevm_u256 square(const cevm_u256 *a)
{
    const uint64_t a0 = a->w[0];
    const uint64_t a1 = a->w[1];
    uint64_t high;
    /* a0*a1 stands at limb 1, a0*a2 at limb 2, a0*a3 + a1*a2 at limb 3; each occurs twice in the square. */
    const uint64_t x1 = u256_mul64(a0, a1, &high);
    unsigned char carry = 0;
    uint64_t high02;
    const uint64_t x2 = u256_addc(u256_mul64(a0, a->w[2], &high02), high, &carry);
    const uint64_t x3 = high02 + carry + a0 * a->w[3] + a1 * a->w[2];

    uint64_t square_high;
    const uint64_t w0 = u256_mul64(a0, a0, &square_high);
    carry = 0;
    const uint64_t w1 = u256_addc(x1 << 1, square_high, &carry);
    const uint64_t a1_low = u256_mul64(a1, a1, &square_high);
    const uint64_t w2 = u256_addc(u256_funnel_left(x2, x1, 1), a1_low, &carry);
    const uint64_t w3 = u256_addc(u256_funnel_left(x3, x2, 1), square_high, &carry);
    return (cevm_u256){{w0, w1, w2, w3}};
}

/** base^exponent by its bits from the top, for an exponent of length > 0 bits. */
static cevm_u256 power_by_bits(const cevm_u256 *base, uint64_t exponent, unsigned length)
{
    cevm_u256 r = *base;
    for (unsigned i = length - 1; i-- > 0;) {
        r = square(&r);
        if ((exponent >> i & 1) != 0) {
            r = u256_mul(&r, base);
        }
    }
    return r;
}

/** base^exponent by four bits at a time: a third of the multiplications for a long exponent. */
static cevm_u256 power_by_nibbles(const cevm_u256 *base, const cevm_u256 *exponent, unsigned length)
{
    cevm_u256 powers[16];
    powers[0] = cevm_u256_from_u64(1);
    powers[1] = *base;
    for (unsigned i = 2; i < 16; ++i) {
        powers[i] = i % 2 == 0 ? square(&powers[i / 2]) : u256_mul(&powers[i - 1], base);
    }
    cevm_u256 r = powers[0];
    for (unsigned i = (length + 3) / 4; i-- > 0;) {
        r = square(&r);
        r = square(&r);
        r = square(&r);
        r = square(&r);
        const unsigned nibble = (unsigned)(exponent->w[i / 16] >> (i % 16 * 4)) & 15;
        if (nibble != 0) {
            r = u256_mul(&r, &powers[nibble]);
        }
    }
    return r;
}

cevm_u256 cevm_u256_exp(const cevm_u256 *base, const cevm_u256 *exponent)
{
    const unsigned length = u256_bit_length(exponent);
    if (length == 0) {
        return cevm_u256_from_u64(1);
    }
    if ((base->w[0] & 1) == 0) {
        /* An even base has a power of two in it: beyond exponent 255 nothing is left, and 2 itself is a shift. */
        if (length > 8) {
            return cevm_u256_from_u64(0);
        }
        if (base->w[0] == 2 && cevm_u256_fits_u64(base)) {
            const cevm_u256 one = cevm_u256_from_u64(1);
            return u256_shl_u(&one, (unsigned)exponent->w[0]);
        }
    }
    return length <= 32 ? power_by_bits(base, exponent->w[0], length) : power_by_nibbles(base, exponent, length);
}
