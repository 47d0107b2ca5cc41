/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Powers modulo odd numbers of one or two limbs, by Montgomery's products, and modulo powers of two of up to four limbs, by the
 * low halves of products; and how the two are put together for an even modulus.
 *
 * Such moduli are priced by the word, so they buy the longest exponents, and for GMP they are mostly overhead. What they cost is
 * the wait for each square before the next. So the exponent is taken from its lowest bit up: the product with what has come
 * together does not wait for the square, nor the square for it, and is made for a bit of 0 too and dropped, which costs less
 * than a branch that the processor cannot foresee. A window of more bits would save nothing.
 *
 * Each size is compiled on its own, so that numbers stay in registers.
 */
#include "precompiles/crypto/power.h"

#if CEVM_HAS_POWER_SMALL

#define ALWAYS_INLINE __attribute__((always_inline)) static inline

enum { LIMB_BITS = 64, MOST = CEVM_POWER_EVEN, TINY_BITS = 16 };

__extension__ typedef unsigned __int128 wide;

/* 1 / a mod 2^64 for an odd a: each step doubles the number of right bits, of which a itself has three. */
static mp_limb_t inverse_of(mp_limb_t a)
{
    mp_limb_t x = a;
    for (int i = 0; i < 5; ++i) {
        x *= 2 - a * x;
    }
    return x;
}

static size_t bit_length(cevm_natural a) { return a.count * LIMB_BITS - (size_t)__builtin_clzll(a.limbs[a.count - 1]); }

static wide wide_of(const mp_limb_t two[2]) { return ((wide)two[1] << LIMB_BITS) | two[0]; }

static bool bit_at(cevm_natural a, size_t i) { return (a.limbs[i / LIMB_BITS] >> (i % LIMB_BITS) & 1) != 0; }

/* Odd moduli ------------------------------------------------------------------------------------------------------- */

/* a b / 2^64 mod m, below m when a or b is. `inverse` is 1 / m mod 2^64. */
ALWAYS_INLINE mp_limb_t montgomery_1(mp_limb_t a, mp_limb_t b, mp_limb_t m, mp_limb_t inverse)
{
    const wide product = (wide)a * b;
    const mp_limb_t high = (mp_limb_t)(product >> LIMB_BITS);
    const mp_limb_t taken = (mp_limb_t)((wide)((mp_limb_t)product * inverse) * m >> LIMB_BITS);
    const mp_limb_t whole = high - taken;
    const mp_limb_t wrapped = high + m - taken; /* high + m is there before `taken` is */
    return high < taken ? wrapped : whole;
}

/*
 * a b / 2^128 mod m, below m when a or b is. `inverse` is 1 / m mod 2^64. What is taken off cancels the lowest limb of the
 * product, and then the next; the difference may fall below 0 by less than m.
 */
ALWAYS_INLINE wide montgomery_2(wide a, wide b, wide m, mp_limb_t inverse)
{
    const mp_limb_t a0 = (mp_limb_t)a, a1 = (mp_limb_t)(a >> LIMB_BITS);
    const mp_limb_t b0 = (mp_limb_t)b, b1 = (mp_limb_t)(b >> LIMB_BITS);
    const mp_limb_t m0 = (mp_limb_t)m, m1 = (mp_limb_t)(m >> LIMB_BITS);
    const wide low = (wide)a0 * b0;
    const wide cross = (wide)a0 * b1 + (mp_limb_t)(low >> LIMB_BITS);
    const wide middle = (wide)a1 * b0 + (mp_limb_t)cross;
    const wide high = (wide)a1 * b1 + (mp_limb_t)(cross >> LIMB_BITS) + (mp_limb_t)(middle >> LIMB_BITS);

    const mp_limb_t u0 = (mp_limb_t)low * inverse;
    const wide taken_0 = (wide)u0 * m1 + (mp_limb_t)((wide)u0 * m0 >> LIMB_BITS);
    const mp_limb_t next = (mp_limb_t)middle - (mp_limb_t)taken_0;
    const mp_limb_t u1 = next * inverse;
    const wide taken_1 = (wide)u1 * m1 + (mp_limb_t)((wide)u1 * m0 >> LIMB_BITS);
    /* Both are below m, so their sum is within one modulus of what it is taken from: no more than one correction. */
    const wide taken = (wide)(mp_limb_t)(taken_0 >> LIMB_BITS) + ((mp_limb_t)middle < (mp_limb_t)taken_0);
    const wide partly = high - taken;
    const wide whole = partly - taken_1;
    const bool negative = high < taken || partly < taken_1;
    return negative ? whole + m : whole;
}

/* x^e out of Montgomery's form, in which x is. */
static mp_limb_t power_1(mp_limb_t x, cevm_natural e, mp_limb_t m)
{
    const mp_limb_t inverse = inverse_of(m);
    const size_t bits = bit_length(e);
    mp_limb_t power = 1; /* not in Montgomery's form, so neither are its products with x */
    for (size_t i = 0; i < bits; ++i) {
        const mp_limb_t next = montgomery_1(power, x, m, inverse);
        power = bit_at(e, i) ? next : power;
        x = montgomery_1(x, x, m, inverse);
    }
    return power;
}

static wide power_2(wide x, cevm_natural e, wide m)
{
    const mp_limb_t inverse = inverse_of((mp_limb_t)m);
    const size_t bits = bit_length(e);
    wide power = 1;
    for (size_t i = 0; i < bits; ++i) {
        const wide next = montgomery_2(power, x, m, inverse);
        power = bit_at(e, i) ? next : power;
        x = montgomery_2(x, x, m, inverse);
    }
    return power;
}

static uint32_t lcm(uint32_t a, uint32_t b)
{
    uint32_t x = a;
    uint32_t y = b;
    while (y != 0) {
        const uint32_t rest = x % y;
        x = y;
        y = rest;
    }
    return a / x * b;
}

/* Carmichael's function: the period of all powers modulo an odd m, here below 2^TINY_BITS. */
static uint32_t period_of(uint32_t m)
{
    uint32_t period = 1;
    for (uint32_t p = 3; p * p <= m; p += 2) {
        uint32_t power = 1;
        for (; m % p == 0; m /= p) {
            power *= p;
        }
        if (power > 1) {
            period = lcm(period, power / p * (p - 1));
        }
    }
    return m > 1 ? lcm(period, m - 1) : period;
}

void cevm_power_odd(mp_limb_t *out, cevm_natural base, cevm_natural exponent, cevm_natural q, mp_limb_t *scratch)
{
    enum { LONG_EXPONENT = 4 }; /* limbs from which on a search for the period pays */
    cevm_natural e = exponent;
    mp_limb_t equivalent;
    if (q.count == 1 && q.limbs[0] >> TINY_BITS == 0 && e.count >= LONG_EXPONENT) {
        /* Powers of a number that shares a factor with q take part in the period from the 16th on, for q < 2^16. */
        const uint32_t period = period_of((uint32_t)q.limbs[0]);
        equivalent = mpn_mod_1(e.limbs, (mp_size_t)e.count, period) + (mp_limb_t)TINY_BITS * period;
        e = (cevm_natural){&equivalent, 1};
    }
    mp_limb_t *x = scratch; /* base 2^(64 n), and then that mod q, which is the base in Montgomery's form */
    const size_t count = base.count + q.count;
    memset(x, 0, q.count * sizeof *x);
    memcpy(x + q.count, base.limbs, base.count * sizeof *x);
    if (q.count == 1) {
        out[0] = power_1(mpn_mod_1(x, (mp_size_t)count, q.limbs[0]), e, q.limbs[0]);
        return;
    }
    mpn_tdiv_qr(x + count, x, 0, x, (mp_size_t)count, q.limbs, (mp_size_t)q.count);
    const wide power = power_2(wide_of(x), e, wide_of(q.limbs));
    out[0] = (mp_limb_t)power;
    out[1] = (mp_limb_t)(power >> LIMB_BITS);
}

/* Powers of two ---------------------------------------------------------------------------------------------------- */

static size_t limbs_of(size_t bits) { return (bits + LIMB_BITS - 1) / LIMB_BITS; }

/* Keeps the low k bits of a number of limbs_of(k) limbs. */
static void mask(mp_limb_t *a, size_t k)
{
    if (k % LIMB_BITS != 0) {
        a[k / LIMB_BITS] &= (UINT64_C(1) << (k % LIMB_BITS)) - 1;
    }
}

/* r = a b mod 2^(64 n); r may be a or b. */
ALWAYS_INLINE void low_product(mp_limb_t *r, const mp_limb_t *a, const mp_limb_t *b, size_t n)
{
    mp_limb_t t[MOST] = {0};
#pragma GCC unroll 4
    for (size_t i = 0; i < n; ++i) {
        mp_limb_t carry = 0;
#pragma GCC unroll 4
        for (size_t j = 0; i + j < n; ++j) {
            const wide sum = (wide)a[j] * b[i] + t[i + j] + carry;
            t[i + j] = (mp_limb_t)sum;
            carry = (mp_limb_t)(sum >> LIMB_BITS);
        }
    }
    memcpy(r, t, n * sizeof *r);
}

static void low_product_of(mp_limb_t *r, const mp_limb_t *a, const mp_limb_t *b, size_t n)
{
    switch (n) {
    case 1: low_product(r, a, b, 1); break;
    case 2: low_product(r, a, b, 2); break;
    case 3: low_product(r, a, b, 3); break;
    default: low_product(r, a, b, 4); break;
    }
}

/* power *= x^e mod 2^(64 n), x being spent. */
ALWAYS_INLINE void low_power(mp_limb_t *power, mp_limb_t *x, cevm_natural e, size_t n)
{
    const size_t bits = bit_length(e);
    for (size_t i = 0; i < bits; ++i) {
        mp_limb_t next[MOST];
        low_product(next, power, x, n);
        const bool set = bit_at(e, i);
        for (size_t j = 0; j < n; ++j) {
            power[j] = set ? next[j] : power[j];
        }
        low_product(x, x, x, n);
    }
}

static void low_power_of(mp_limb_t *power, mp_limb_t *x, cevm_natural e, size_t n)
{
    switch (n) {
    case 1: low_power(power, x, e, 1); break;
    case 2: low_power(power, x, e, 2); break;
    case 3: low_power(power, x, e, 3); break;
    default: low_power(power, x, e, 4); break;
    }
}

/*
 * The powers of an even base are 0 from the exponent k on; those of an odd one repeat with a period that divides 2^k, so that
 * k bits of the exponent tell all.
 */
void cevm_power_even(mp_limb_t *out, cevm_natural base, cevm_natural exponent, size_t k)
{
    const size_t n = limbs_of(k);
    mp_limb_t x[MOST] = {0};
    mp_limb_t e[MOST] = {0};
    memcpy(x, base.limbs, (base.count < n ? base.count : n) * sizeof *x);
    memcpy(e, exponent.limbs, (exponent.count < n ? exponent.count : n) * sizeof *e);
    memset(out, 0, n * sizeof *out);
    if ((x[0] & 1) != 0) {
        mask(e, k);
    } else if (exponent.count > 1 || exponent.limbs[0] >= k) {
        return;
    }
    out[0] = 1;
    size_t count = n;
    while (count > 0 && e[count - 1] == 0) {
        --count;
    }
    if (count > 0) {
        low_power_of(out, x, (cevm_natural){e, count}, n);
    }
    mask(out, k);
}

/* r = 1 / q mod 2^(64 n): Newton's steps, which double the number of right limbs. */
static void inverse_limbs(mp_limb_t *r, cevm_natural q, size_t n)
{
    mp_limb_t odd[MOST] = {0};
    mp_limb_t error[MOST];
    memcpy(odd, q.limbs, (q.count < n ? q.count : n) * sizeof *odd);
    memset(r, 0, n * sizeof *r);
    r[0] = inverse_of(odd[0]);
    for (size_t right = 1; right < n; right *= 2) {
        low_product_of(error, odd, r, n);
        (void)mpn_neg(error, error, (mp_size_t)n);
        (void)mpn_add_1(error, error, (mp_size_t)n, 2);
        low_product_of(r, r, error, n);
    }
}

/* r1 + q ((r2 - r1) / q mod 2^k) */
void cevm_power_combine(mp_limb_t *out, size_t count, const mp_limb_t *r1, cevm_natural q, const mp_limb_t *r2,
                        size_t k, mp_limb_t *scratch)
{
    const size_t n = limbs_of(k);
    mp_limb_t inverse[MOST];
    mp_limb_t times[MOST];
    mp_limb_t *product = scratch;
    inverse_limbs(inverse, q, n);
    (void)mpn_sub_n(times, r2, r1, (mp_size_t)n);
    low_product_of(times, times, inverse, n);
    mask(times, k);
    if (q.count >= n) {
        (void)mpn_mul(product, q.limbs, (mp_size_t)q.count, times, (mp_size_t)n);
    } else {
        (void)mpn_mul(product, times, (mp_size_t)n, q.limbs, (mp_size_t)q.count);
    }
    (void)mpn_add_n(out, product, r1, (mp_size_t)count);
}
#endif
