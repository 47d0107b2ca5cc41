/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evm/u256.c: products, quotients and powers too long to be inlined; see u256.h for what each returns.
 *
 * Division multiplies by a reciprocal of the divisor's highest limbs instead of dividing limb by limb: a hardware
 * division of 128 by 64 bits costs more than the two multiplications that replace it, and does not exist on most
 * machines. Where it does it gives the reciprocal, which Newton's method takes longer for. The method is that of N. Möller
 * and T. Granlund, "Improved division by invariant integers" (IEEE Transactions on Computers 60, 2011); the names u2, u1,
 * u0, d1, d0, v below are the paper's, and so is "algorithm N".
 *
 * A divisor is "normalised" when its highest bit is set. Both operands are shifted left to make it so, which leaves the
 * quotient as it was; the remainder is shifted back.
 */
#include "evm/u256.h"

/*
 * Numbers are kept in named limbs, and helpers are inlined by force, so that they live in registers: a limb written to
 * memory alone and read back as half of a vector costs more than the arithmetic here.
 */
#define U256_INLINE static inline __attribute__((always_inline))

/* Reciprocals ------------------------------------------------------------------------------------------------------ */

#if U256_NATIVE && defined(__x86_64__) && defined(__GNUC__)

/**
 * (2^128 - 1) / d - 2^64 for a normalised limb d, which is (~d:2^64 - 1) / d; ~d < d, so the quotient fits. Compilers have no
 * name for this division.
 */
U256_INLINE uint64_t reciprocal_2by1(uint64_t d)
{
    uint64_t quotient;
    uint64_t remainder;
    __asm__("divq %4" : "=a"(quotient), "=d"(remainder) : "0"(UINT64_MAX), "1"(~d), "r"(d) : "cc");
    return quotient;
}

#else

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

#endif

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
    uint64_t q1;
    uint64_t q0 = u256_mul64(v, u1, &q1);
    u256_add128(&q1, &q0, u1, u0);
    ++q1;
    uint64_t r = u0 - q1 * d;
    /* Half of all quotients need this correction, so it is arithmetic with a mask rather than a branch. */
    const uint64_t mask = (uint64_t)0 - (uint64_t)(r > q0);
    q1 += mask;
    r += d & mask;
    if (__builtin_expect(r >= d, 0)) {
        ++q1;
        r -= d;
    }
    *remainder = r;
    return q1;
}

/** (u2:u1:u0) / (d1:d0) with (u2:u1) < (d1:d0), d1 normalised, v their reciprocal; remainder *r1:*r0 (algorithm 5). */
U256_INLINE uint64_t divide_3by2(uint64_t *r1, uint64_t *r0, uint64_t u2, uint64_t u1, uint64_t u0, uint64_t d1,
                                 uint64_t d0, uint64_t v)
{
    uint64_t q1;
    uint64_t q0 = u256_mul64(v, u2, &q1);
    u256_add128(&q1, &q0, u2, u1);

    uint64_t t1;
    const uint64_t t0 = u256_mul64(d0, q1, &t1);
    uint64_t high = u1 - q1 * d1;
    uint64_t low = u0;
    u256_sub128(&high, &low, t1, t0);
    u256_sub128(&high, &low, d1, d0);
    ++q1;

    const uint64_t mask = (uint64_t)0 - (uint64_t)(high >= q0);
    q1 += mask;
    u256_add128(&high, &low, d1 & mask, d0 & mask);
    if (__builtin_expect(high >= d1, 0) && (high > d1 || low >= d0)) {
        ++q1;
        u256_sub128(&high, &low, d1, d0);
    }
    *r0 = low;
    *r1 = high;
    return q1;
}

/* Division of limbs ------------------------------------------------------------------------------------------------ */

/**
 * One limb of a quotient by a normalised d of four limbs: (*r:next) / d for *r < d, v being the reciprocal of d's upper
 * two limbs. The quotient is returned and the remainder left in *r.
 */
U256_INLINE uint64_t divide_step(cevm_u256 *r, uint64_t next, const cevm_u256 *d, uint64_t v)
{
    if (__builtin_expect(r->w[3] == d->w[3] && r->w[2] == d->w[2], 0)) {
        /*
         * The quotient of the upper limbs alone would not fit a limb. As *r < d, the true one is then the largest limb,
         * 2^64 - 1, and the remainder is ((*r - d):next) + d.
         */
        const cevm_u256 x = u256_sub(r, d);
        const cevm_u256 moved = {{next, x.w[0], x.w[1], x.w[2]}};
        *r = u256_add(&moved, d);
        return UINT64_MAX;
    }
    uint64_t upper;
    uint64_t lower;
    uint64_t q = divide_3by2(&upper, &lower, r->w[3], r->w[2], r->w[1], d->w[3], d->w[2], v);

    /* The remainder so far is (upper:lower:w[0]:next); what q times the lower half of d takes is still in it. */
    uint64_t taken;
    const uint64_t low0 = u256_mul64(q, d->w[0], &taken);
    const uint64_t low1 = u256_muladd64(q, d->w[1], taken, 0, &taken);
    unsigned char borrow = 0;
    const uint64_t w0 = u256_subb(next, low0, &borrow);
    const uint64_t w1 = u256_subb(r->w[0], low1, &borrow);
    const uint64_t w2 = u256_subb(lower, taken, &borrow);
    const uint64_t w3 = u256_subb(upper, 0, &borrow);
    *r = (cevm_u256){{w0, w1, w2, w3}};
    if (__builtin_expect(borrow != 0, 0)) {
        /* The limbs left out of the estimate made it one too large. */
        *r = u256_add(r, d);
        --q;
    }
    return q;
}

/** How many of the n limbs of x remain when the zeros at the top are left out. */
U256_INLINE unsigned significant_limbs(const uint64_t *x, unsigned n)
{
    while (n > 0 && x[n - 1] == 0) {
        --n;
    }
    return n;
}

/** out = x << bits for bits 0..63, over four limbs. The top bits of `below` enter; what leaves is returned. */
U256_INLINE uint64_t shift_four_left(uint64_t out[4], const uint64_t x[4], uint64_t below, unsigned bits)
{
    const uint64_t x0 = x[0];
    const uint64_t x1 = x[1];
    const uint64_t x2 = x[2];
    const uint64_t x3 = x[3];
    out[0] = u256_funnel_left(x0, below, bits);
    out[1] = u256_funnel_left(x1, x0, bits);
    out[2] = u256_funnel_left(x2, x1, bits);
    out[3] = u256_funnel_left(x3, x2, bits);
    return u256_funnel_left(0, x3, bits);
}

/** Moves q one limb up and puts `limb` below: quotients come highest limb first, and so never go through memory. */
U256_INLINE void append_limb(cevm_u256 *q, uint64_t limb) { *q = (cevm_u256){{limb, q->w[0], q->w[1], q->w[2]}}; }

/*
 * The divisions below take a normalised divisor and u as `count` limbs, of which the highest is smaller than that of
 * the divisor. They append to *q a limb for each one that u has beyond the divisor's, and return the remainder.
 */

U256_INLINE uint64_t divide_by_1(cevm_u256 *q, const uint64_t *u, unsigned count, uint64_t d)
{
    const uint64_t v = reciprocal_2by1(d);
    uint64_t r = u[count - 1];
    for (unsigned i = count - 1; i-- > 0;) {
        append_limb(q, divide_2by1(&r, r, u[i], d, v));
    }
    return r;
}

/* d and the remainder have two limbs, the upper ones being 0. */
U256_INLINE cevm_u256 divide_by_2(cevm_u256 *q, const uint64_t *u, unsigned count, const cevm_u256 *d)
{
    const uint64_t v = reciprocal_3by2(d->w[1], d->w[0]);
    uint64_t r1 = u[count - 1];
    uint64_t r0 = u[count - 2];
    for (unsigned i = count - 2; i-- > 0;) {
        append_limb(q, divide_3by2(&r1, &r0, r1, r0, u[i], d->w[1], d->w[0], v));
    }
    return (cevm_u256){{r0, r1, 0, 0}};
}

U256_INLINE cevm_u256 divide_by_4(cevm_u256 *q, const uint64_t *u, unsigned count, const cevm_u256 *d)
{
    const uint64_t v = reciprocal_3by2(d->w[3], d->w[2]);
    cevm_u256 r = {{u[count - 4], u[count - 3], u[count - 2], u[count - 1]}};
    for (unsigned i = count - 4; i-- > 0;) {
        append_limb(q, divide_step(&r, u[i], d, v));
    }
    return r;
}

/**
 * Appends the quotient to *q and returns the remainder of the number in u[1..count] by d, which has n <= count limbs.
 * Both are already shifted left by `bits`, which normalises d; u[count + 1] holds what left at the top, and u[0] is 0.
 */
U256_INLINE cevm_u256 divide_shifted(cevm_u256 *q, const uint64_t *u, unsigned count, const cevm_u256 *d, unsigned n,
                                     unsigned bits)
{
    /* Often nothing left at the top and the limb below can be the highest: that saves a step whose limb would be 0. */
    if (u[count + 1] != 0 || u[count] >= d->w[n - 1]) {
        ++count;
    }
    if (n == 1) {
        return cevm_u256_from_u64(divide_by_1(q, u + 1, count, d->w[0]) >> bits);
    }
    if (n == 2) {
        const cevm_u256 r = divide_by_2(q, u + 1, count, d);
        return (cevm_u256){{u256_funnel_right(r.w[1], r.w[0], bits), r.w[1] >> bits, 0, 0}};
    }
    /* Three limbs are divided as four of which the lowest is 0, and u[0] is then the lowest limb of u. */
    const bool three = n == 3;
    const cevm_u256 extended = {
        {three ? 0 : d->w[0], three ? d->w[0] : d->w[1], three ? d->w[1] : d->w[2], three ? d->w[2] : d->w[3]}};
    const cevm_u256 r = divide_by_4(q, three ? u : u + 1, three ? count + 1 : count, &extended);
    return u256_shr_u(&r, three ? bits + 64 : bits);
}

/** The limbs of a number shifted left by 0..63 bits. */
typedef struct five_limbs {
    uint64_t w0, w1, w2, w3, w4;
} five_limbs;

U256_INLINE five_limbs shift_word_left(const cevm_u256 *a, unsigned bits)
{
    return (five_limbs){a->w[0] << bits, u256_funnel_left(a->w[1], a->w[0], bits),
                        u256_funnel_left(a->w[2], a->w[1], bits), u256_funnel_left(a->w[3], a->w[2], bits),
                        u256_funnel_left(0, a->w[3], bits)};
}

/*
 * A word divided by a divisor of one to four limbs, each with its steps written out. Steps whose quotient is 0 are left out
 * where that is often so.
 */

U256_INLINE cevm_u256 divide_word_by_1(cevm_u256 *q, const cevm_u256 *a, const cevm_u256 *b)
{
    const unsigned bits = u256_clz64(b->w[0]);
    const uint64_t d = b->w[0] << bits;
    const uint64_t v = reciprocal_2by1(d);
    const five_limbs u = shift_word_left(a, bits);
    uint64_t r = u.w4;
    uint64_t q3 = 0;
    uint64_t q2 = 0;
    if ((a->w[3] | a->w[2]) != 0) {
        q3 = divide_2by1(&r, r, u.w3, d, v);
        q2 = divide_2by1(&r, r, u.w2, d, v);
    } else {
        r = u.w2;
    }
    const uint64_t q1 = divide_2by1(&r, r, u.w1, d, v);
    const uint64_t q0 = divide_2by1(&r, r, u.w0, d, v);
    *q = (cevm_u256){{q0, q1, q2, q3}};
    return cevm_u256_from_u64(r >> bits);
}

U256_INLINE cevm_u256 divide_word_by_2(cevm_u256 *q, const cevm_u256 *a, const cevm_u256 *b)
{
    const unsigned bits = u256_clz64(b->w[1]);
    const uint64_t d1 = u256_funnel_left(b->w[1], b->w[0], bits);
    const uint64_t d0 = b->w[0] << bits;
    const uint64_t v = reciprocal_3by2(d1, d0);
    const five_limbs u = shift_word_left(a, bits);
    uint64_t r1 = u.w4;
    uint64_t r0 = u.w3;
    uint64_t q2 = 0;
    if ((r1 | (uint64_t)(r0 >= d1)) != 0) {
        q2 = divide_3by2(&r1, &r0, r1, r0, u.w2, d1, d0, v);
    } else {
        r1 = r0;
        r0 = u.w2;
    }
    const uint64_t q1 = divide_3by2(&r1, &r0, r1, r0, u.w1, d1, d0, v);
    const uint64_t q0 = divide_3by2(&r1, &r0, r1, r0, u.w0, d1, d0, v);
    *q = (cevm_u256){{q0, q1, q2, 0}};
    return (cevm_u256){{u256_funnel_right(r1, r0, bits), r1 >> bits, 0, 0}};
}

/* As by four limbs of which the lowest is 0. */
U256_INLINE cevm_u256 divide_word_by_3(cevm_u256 *q, const cevm_u256 *a, const cevm_u256 *b)
{
    const unsigned bits = u256_clz64(b->w[2]);
    const cevm_u256 d = {
        {0, b->w[0] << bits, u256_funnel_left(b->w[1], b->w[0], bits), u256_funnel_left(b->w[2], b->w[1], bits)}};
    const uint64_t v = reciprocal_3by2(d.w[3], d.w[2]);
    const five_limbs u = shift_word_left(a, bits);
    cevm_u256 r = {{u.w1, u.w2, u.w3, u.w4}};
    const uint64_t q1 = divide_step(&r, u.w0, &d, v);
    const uint64_t q0 = divide_step(&r, 0, &d, v);
    *q = (cevm_u256){{q0, q1, 0, 0}};
    return u256_shr_u(&r, bits + 64);
}

U256_INLINE cevm_u256 divide_word_by_4(cevm_u256 *q, const cevm_u256 *a, const cevm_u256 *b)
{
    const unsigned bits = u256_clz64(b->w[3]);
    const five_limbs s = shift_word_left(b, bits);
    const cevm_u256 d = {{s.w0, s.w1, s.w2, s.w3}};
    const five_limbs u = shift_word_left(a, bits);
    cevm_u256 r = {{u.w1, u.w2, u.w3, u.w4}};
    *q = cevm_u256_from_u64(divide_step(&r, u.w0, &d, reciprocal_3by2(d.w[3], d.w[2])));
    return (cevm_u256){{u256_funnel_right(r.w[1], r.w[0], bits), u256_funnel_right(r.w[2], r.w[1], bits),
                        u256_funnel_right(r.w[3], r.w[2], bits), r.w[3] >> bits}};
}

/** *q = a / b; the remainder is returned. Both are 0 when b is 0. */
U256_INLINE cevm_u256 divide(cevm_u256 *q, const cevm_u256 *a, const cevm_u256 *b)
{
    *q = cevm_u256_from_u64(0);
    if (u256_lt(a, b)) {
        return *a;
    }
    if (b->w[3] != 0) {
        return divide_word_by_4(q, a, b);
    }
    if (b->w[2] != 0) {
        return divide_word_by_3(q, a, b);
    }
    if (b->w[1] != 0) {
        return divide_word_by_2(q, a, b);
    }
    return b->w[0] != 0 ? divide_word_by_1(q, a, b) : cevm_u256_from_u64(0);
}

/* Products --------------------------------------------------------------------------------------------------------- */

/**
 * The whole product, upper half in *high, lower half returned. Row by row as on paper, every limb by its name: in an array
 * they would not stay in registers with every compiler.
 */
U256_INLINE cevm_u256 multiply(cevm_u256 *high, const cevm_u256 *a, const cevm_u256 *b)
{
    const uint64_t b0 = b->w[0];
    const uint64_t b1 = b->w[1];
    const uint64_t b2 = b->w[2];
    const uint64_t b3 = b->w[3];
    uint64_t c;
    uint64_t factor = a->w[0];
    const uint64_t p0 = u256_mul64(factor, b0, &c);
    uint64_t p1 = u256_muladd64(factor, b1, c, 0, &c);
    uint64_t p2 = u256_muladd64(factor, b2, c, 0, &c);
    uint64_t p3 = u256_muladd64(factor, b3, c, 0, &c);
    uint64_t p4 = c;
    factor = a->w[1];
    p1 = u256_muladd64(factor, b0, p1, 0, &c);
    p2 = u256_muladd64(factor, b1, p2, c, &c);
    p3 = u256_muladd64(factor, b2, p3, c, &c);
    p4 = u256_muladd64(factor, b3, p4, c, &c);
    uint64_t p5 = c;
    factor = a->w[2];
    p2 = u256_muladd64(factor, b0, p2, 0, &c);
    p3 = u256_muladd64(factor, b1, p3, c, &c);
    p4 = u256_muladd64(factor, b2, p4, c, &c);
    p5 = u256_muladd64(factor, b3, p5, c, &c);
    uint64_t p6 = c;
    factor = a->w[3];
    p3 = u256_muladd64(factor, b0, p3, 0, &c);
    p4 = u256_muladd64(factor, b1, p4, c, &c);
    p5 = u256_muladd64(factor, b2, p5, c, &c);
    p6 = u256_muladd64(factor, b3, p6, c, &c);
    *high = (cevm_u256){{p4, p5, p6, c}};
    return (cevm_u256){{p0, p1, p2, p3}};
}

void cevm_u256_mul_wide(uint64_t out[8], const cevm_u256 *a, const cevm_u256 *b)
{
    cevm_u256 high;
    const cevm_u256 low = multiply(&high, a, b);
    memcpy(out, &low, sizeof low);
    memcpy(out + 4, &high, sizeof high);
}

bool cevm_u256_mul_overflow(cevm_u256 *out, const cevm_u256 *a, const cevm_u256 *b)
{
    cevm_u256 high;
    *out = multiply(&high, a, b);
    return !cevm_u256_is_zero(&high);
}

/* Quotients -------------------------------------------------------------------------------------------------------- */

void cevm_u256_divmod(cevm_u256 *quotient, cevm_u256 *remainder, const cevm_u256 *a, const cevm_u256 *b)
{
    cevm_u256 q;
    const cevm_u256 r = divide(&q, a, b);
    *quotient = q;
    *remainder = r;
}

/* Most divisions are of numbers of one limb, and those are not to save the registers that the long ones need. */

__attribute__((noinline)) static cevm_u256 long_quotient(const cevm_u256 *a, const cevm_u256 *b)
{
    cevm_u256 q;
    (void)divide(&q, a, b);
    return q;
}

__attribute__((noinline)) static cevm_u256 long_remainder(const cevm_u256 *a, const cevm_u256 *b)
{
    cevm_u256 q;
    return divide(&q, a, b);
}

cevm_u256 cevm_u256_div(const cevm_u256 *a, const cevm_u256 *b)
{
    if (cevm_u256_fits_u64(a) && cevm_u256_fits_u64(b)) {
        return cevm_u256_from_u64(b->w[0] != 0 ? a->w[0] / b->w[0] : 0);
    }
    return long_quotient(a, b);
}

cevm_u256 cevm_u256_mod(const cevm_u256 *a, const cevm_u256 *b)
{
    if (cevm_u256_fits_u64(a) && cevm_u256_fits_u64(b)) {
        return cevm_u256_from_u64(b->w[0] != 0 ? a->w[0] % b->w[0] : 0);
    }
    return long_remainder(a, b);
}

/** |a| as an unsigned number; 2^255 for the lowest one. */
U256_INLINE cevm_u256 magnitude(const cevm_u256 *a) { return u256_is_negative(a) ? u256_neg(a) : *a; }

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

/** (high:low) % m for m > 0. */
U256_INLINE cevm_u256 reduce(const cevm_u256 *low, const cevm_u256 *high, const cevm_u256 *m)
{
    cevm_u256 q;
    const unsigned above = significant_limbs(high->w, 4);
    if (above == 0) {
        return cevm_u256_mod(low, m);
    }
    const unsigned n = significant_limbs(m->w, 4);
    const unsigned bits = u256_clz64(m->w[n - 1]);
    uint64_t u[10];
    cevm_u256 d;
    u[0] = 0;
    (void)shift_four_left(u + 1, low->w, 0, bits);
    u[9] = shift_four_left(u + 5, high->w, low->w[3], bits);
    (void)shift_four_left(d.w, m->w, 0, bits);
    q = cevm_u256_from_u64(0);
    return divide_shifted(&q, u, 4 + above, &d, n, bits);
}

/** x minus m if x is not smaller than m, for x < 2m. */
U256_INLINE cevm_u256 subtract_once(const cevm_u256 *x, const cevm_u256 *m)
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
    const cevm_u256 carry = cevm_u256_from_u64(carried);
    return reduce(&sum, &carry, m);
}

cevm_u256 cevm_u256_mulmod(const cevm_u256 *a, const cevm_u256 *b, const cevm_u256 *m)
{
    /* The modulus is looked at before anything is done with it: dividing by 0 here is the bug of CVE-2020-26242. */
    if (cevm_u256_is_zero(m)) {
        return *m;
    }
    cevm_u256 high;
    const cevm_u256 low = multiply(&high, a, b);
    return reduce(&low, &high, m);
}

/** Notes a modulus, or, when it is the one noted last, makes it ready. */
static void remember_modulus(cevm_modulus *known, const cevm_u256 *m)
{
    if (!cevm_u256_equal(&known->m, m)) {
        *known = (cevm_modulus){.m = *m};
        return;
    }
    known->bits = u256_clz64(m->w[3]);
    known->shifted = u256_shl_u(m, known->bits);
    known->upper_reciprocal = reciprocal_3by2(known->shifted.w[3], known->shifted.w[2]);
    /* (2^512 - 1) - 2^256 * shifted, which has ~shifted as its upper half, divided by shifted. */
    const cevm_u256 *d = &known->shifted;
    const uint64_t u[8] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, ~d->w[0], ~d->w[1], ~d->w[2], ~d->w[3]};
    known->reciprocal = cevm_u256_from_u64(0);
    (void)divide_by_4(&known->reciprocal, u, 8, d);
    known->ready = true;
}

/**
 * (u1:u0) % d with u1 < d, d normalised and v its reciprocal: algorithm 4, with words of 256 bits in the place of limbs.
 */
U256_INLINE cevm_u256 reduce_with(const cevm_u256 *u1, const cevm_u256 *u0, const cevm_u256 *d, const cevm_u256 *v)
{
    cevm_u256 q1;
    cevm_u256 q0 = multiply(&q1, v, u1);
    unsigned char carry = 1;
    const uint64_t x0 = u256_addc(q1.w[0], u1->w[0], &carry);
    const uint64_t x1 = u256_addc(q1.w[1], u1->w[1], &carry);
    const uint64_t x2 = u256_addc(q1.w[2], u1->w[2], &carry);
    const uint64_t x3 = u256_addc(q1.w[3], u1->w[3], &carry);
    q1 = (cevm_u256){{x0, x1, x2, x3}};
    const cevm_u256 carried = cevm_u256_from_u64(u256_add_overflow(&q0, &q0, u0));
    q1 = u256_add(&q1, &carried);
    const cevm_u256 product = u256_mul(&q1, d);
    cevm_u256 r = u256_sub(u0, &product);
    const uint64_t mask = (uint64_t)0 - (uint64_t)u256_lt(&q0, &r);
    const cevm_u256 correction = {{d->w[0] & mask, d->w[1] & mask, d->w[2] & mask, d->w[3] & mask}};
    r = u256_add(&r, &correction);
    return __builtin_expect(!u256_lt(&r, d), 0) ? u256_sub(&r, d) : r;
}

cevm_u256 cevm_u256_mulmod_with(cevm_modulus *known, const cevm_u256 *a, const cevm_u256 *b, const cevm_u256 *m)
{
    if (m->w[3] == 0) {
        return cevm_u256_mulmod(a, b, m); /* short ones are faster by themselves */
    }
    if (!known->ready || !cevm_u256_equal(&known->m, m)) {
        remember_modulus(known, m);
        return cevm_u256_mulmod(a, b, m);
    }
    /* One factor is made smaller than the modulus and shifted like it: then the product is in range, whatever the other. */
    const unsigned bits = known->bits;
    const five_limbs shifted = shift_word_left(a, bits);
    cevm_u256 factor = {{shifted.w0, shifted.w1, shifted.w2, shifted.w3}};
    if (!u256_lt(a, m)) {
        factor = (cevm_u256){{shifted.w1, shifted.w2, shifted.w3, shifted.w4}};
        (void)divide_step(&factor, shifted.w0, &known->shifted, known->upper_reciprocal);
    }
    cevm_u256 high;
    const cevm_u256 low = multiply(&high, &factor, b);
    const cevm_u256 r = reduce_with(&high, &low, &known->shifted, &known->reciprocal);
    return (cevm_u256){{u256_funnel_right(r.w[1], r.w[0], bits), u256_funnel_right(r.w[2], r.w[1], bits),
                        u256_funnel_right(r.w[3], r.w[2], bits), r.w[3] >> bits}};
}

/* Powers ----------------------------------------------------------------------------------------------------------- */

/** a * a modulo 2^256: six multiplications where a product needs ten. */
U256_INLINE cevm_u256 square(const cevm_u256 *a)
{
    /*
     * What stands beside the diagonal occurs twice, and one factor is doubled for that: the lower one, which the square before has
     * ready first, as those of a power wait for each other. The bit that leaves a0 at the top then brings a1 to limb 2.
     */
    const uint64_t a0 = a->w[0];
    const uint64_t a1 = a->w[1];
    const uint64_t a2 = a->w[2];
    const uint64_t twice0 = a0 << 1;
    const uint64_t twice1 = u256_funnel_left(a1, a0, 1);
    const uint64_t rest = a1 & ((uint64_t)0 - (a0 >> 63));
    uint64_t c;
    uint64_t d;
    const uint64_t w0 = u256_mul64(a0, a0, &c);
    uint64_t w1 = u256_mul64(twice0, a1, &d);
    u256_add128(&d, &w1, 0, c);
    uint64_t w3;
    uint64_t w2 = u256_mul64(a1, a1, &w3);
    u256_add128(&w3, &w2, twice1 * a2, rest);
    u256_add128(&w3, &w2, twice0 * a->w[3], d);
    const uint64_t x = u256_mul64(twice0, a2, &c);
    u256_add128(&w3, &w2, c, x);
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

/** base^exponent by four bits at a time: half the multiplications for a long exponent, on average. */
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
