/* SPDX-License-Identifier: Apache-2.0 */
/* Powers modulo a number: the choice of the way, short exponents, and what is left to GMP. */
#include "precompiles/crypto/power.h"

/* The largest exponent for which dividing each product is faster than going to Montgomery's form and back. */
enum { SHORT_EXPONENT = 4 };

size_t cevm_power_scratch(size_t base_limbs, size_t modulus_limbs) { return 2 * base_limbs + 6 * modulus_limbs + 16; }

static cevm_natural trimmed(cevm_natural a)
{
    while (a.count != 0 && a.limbs[a.count - 1] == 0) {
        --a.count;
    }
    return a;
}

/* Limbs a[0, count) become a mod m, m without leading zeros; returns how many limbs that has. */
static size_t reduce(mp_limb_t *a, size_t count, cevm_natural m, mp_limb_t *quotient)
{
    if (count >= m.count) {
        mpn_tdiv_qr(quotient, a, 0, a, (mp_size_t)count, m.limbs, (mp_size_t)m.count);
        count = m.count;
    }
    return trimmed((cevm_natural){a, count}).count;
}

/*
 * From the highest bit of a short exponent down. A square takes what it is of only as long as it is: small bases modulo
 * large numbers are never divided.
 */
static void by_division(mp_limb_t *out, cevm_natural base, mp_limb_t exponent, cevm_natural m, mp_limb_t *scratch)
{
    mp_limb_t *x = scratch;                      /* base mod m; room for the base, or a modulus */
    mp_limb_t *power = x + base.count;           /* two moduli */
    mp_limb_t *product = power + 2 * m.count;    /* two moduli */
    mp_limb_t *quotient = product + 2 * m.count; /* as long as what is divided */
    memcpy(x, base.limbs, base.count * sizeof *x);
    const size_t x_count = reduce(x, base.count, m, quotient);
    size_t count = x_count;
    memcpy(power, x, count * sizeof *x);
    unsigned bit = exponent >= 4 ? 2 : exponent >= 2 ? 1 : 0;
    while (bit-- > 0 && count != 0) {
        mpn_sqr(product, power, (mp_size_t)count);
        count = reduce(product, 2 * count, m, quotient);
        if ((exponent >> bit & 1) != 0 && count != 0) {
            if (count >= x_count) {
                (void)mpn_mul(power, product, (mp_size_t)count, x, (mp_size_t)x_count);
            } else {
                (void)mpn_mul(power, x, (mp_size_t)x_count, product, (mp_size_t)count);
            }
            count = reduce(power, count + x_count, m, quotient);
        } else {
            memcpy(power, product, count * sizeof *power);
        }
    }
    memcpy(out, power, count * sizeof *out);
    memset(out + count, 0, (m.count - count) * sizeof *out);
}

/*
 * GMP keeps a result where it is when there is room for it, so this one is given `out`: the power is below m and never needs
 * more. What else mpz_powm takes for moduli of up to 1024 bytes it takes from the stack; nothing is allocated.
 */
static void by_gmp(mp_limb_t *out, cevm_natural base, cevm_natural exponent, cevm_natural m)
{
    mpz_t b;
    mpz_t e;
    mpz_t n;
    mpz_t result = {{._mp_alloc = (int)m.count, ._mp_size = 0, ._mp_d = out}};
    mpz_powm(result, mpz_roinit_n(b, base.limbs, (mp_size_t)base.count),
             mpz_roinit_n(e, exponent.limbs, (mp_size_t)exponent.count), mpz_roinit_n(n, m.limbs, (mp_size_t)m.count));
    const size_t count = mpz_size(result);
    memset(out + count, 0, (m.count - count) * sizeof *out);
}

#if CEVM_HAS_POWER_SMALL
static void by_odd(mp_limb_t *out, cevm_natural base, cevm_natural exponent, cevm_natural q, mp_limb_t *scratch)
{
    if (q.count <= CEVM_POWER_ODD) {
        cevm_power_odd(out, base, exponent, q, scratch);
    } else {
        by_gmp(out, base, exponent, q);
    }
}

/*
 * The modulus as q 2^k, q odd, a power each, and then together. GMP does so too, but raises to the whole exponent modulo 2^k,
 * where k bits of it tell all.
 */
static void by_parts(mp_limb_t *out, cevm_natural base, cevm_natural exponent, cevm_natural m, mp_limb_t *scratch)
{
    const size_t k = mpn_scan1(m.limbs, 0);
    const size_t whole = k / GMP_NUMB_BITS;
    const unsigned rest = (unsigned)(k % GMP_NUMB_BITS);
    if (k == 0) {
        by_odd(out, base, exponent, m, scratch);
        return;
    }
    if (k > (size_t)CEVM_POWER_EVEN * GMP_NUMB_BITS) {
        by_gmp(out, base, exponent, m);
        return;
    }
    mp_limb_t *q = scratch;
    mp_limb_t *r1 = q + m.count;
    mp_limb_t r2[CEVM_POWER_EVEN];
    size_t count = m.count - whole;
    if (rest != 0) {
        (void)mpn_rshift(q, m.limbs + whole, (mp_size_t)count, rest);
        count -= q[count - 1] == 0;
    } else {
        memcpy(q, m.limbs + whole, count * sizeof *q);
    }
    cevm_power_even(r2, base, exponent, k);
    memset(r1, 0, m.count * sizeof *r1);
    if (count > 1 || q[0] > 1) {
        by_odd(r1, base, exponent, (cevm_natural){q, count}, r1 + m.count);
    }
    cevm_power_combine(out, m.count, r1, (cevm_natural){q, count}, r2, k, r1 + m.count);
}
#endif

bool cevm_power(mp_limb_t *out, cevm_natural base, cevm_natural exponent, cevm_natural modulus, mp_limb_t *scratch)
{
    const cevm_natural b = trimmed(base);
    const cevm_natural e = trimmed(exponent);
    const cevm_natural m = trimmed(modulus);
    if (m.count == 0 || (m.count == 1 && m.limbs[0] == 1)) {
        return false;
    }
    memset(out + m.count, 0, (modulus.count - m.count) * sizeof *out);
    if (e.count == 0 || b.count == 0) {
        memset(out, 0, m.count * sizeof *out);
        out[0] = e.count == 0;
    } else if (e.count == 1 && e.limbs[0] <= SHORT_EXPONENT) {
        by_division(out, b, e.limbs[0], m, scratch);
    } else {
#if CEVM_HAS_POWER_SMALL
        by_parts(out, b, e, m, scratch);
#else
        by_gmp(out, b, e, m);
#endif
    }
    return true;
}
