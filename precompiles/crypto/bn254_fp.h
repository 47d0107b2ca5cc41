/* SPDX-License-Identifier: Apache-2.0 */
/**
 * precompiles/crypto/bn254_fp.h: the prime field of BN254 (EIP-196), p = 36x^4 + 36x^3 + 24x^2 + 6x + 1 with
 * x = 4965661367192848881. Inline: sums; in bn254_fp.c: products and conversions; in bn254_inverse.c: the inverse.
 *
 * An element v is held as v * 2^256 mod p (Montgomery), four 64-bit limbs, least first, always below p: equal elements are
 * equal bytes. A *loose* one may be anything below 2p; where loose operands are allowed it is said. Products of two loose
 * operands come out below p all the same, for 2^256 is above 5p (see bn254_fp.c).
 *
 * Outputs come first and may be the same objects as inputs. Nothing here is constant-time: inputs are public. Pure
 * functions, safe on any thread; they touch only their operands and the C stack.
 */
#ifndef CEVM_PRECOMPILES_CRYPTO_BN254_FP_H
#define CEVM_PRECOMPILES_CRYPTO_BN254_FP_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(CEVM_PORTABLE)
#define FP_X86 1
#else
#define FP_X86 0
#endif

typedef struct fp {
    uint64_t l[4];
} fp;

/* p, 2p and the Montgomery form of 1, as limbs; here so that sums can name them as constants. */
static const fp fp_modulus = {{0x3c208c16d87cfd47, 0x97816a916871ca8d, 0xb85045b68181585d, 0x30644e72e131a029}};
static const fp fp_twice_modulus = {{0x7841182db0f9fa8e, 0x2f02d522d0e3951a, 0x70a08b6d0302b0bb, 0x60c89ce5c2634053}};
static const fp fp_one = {{0xd35d438dc58f0d9d, 0x0a78eb28f5c70b3d, 0x666ea36f7879462c, 0x0e0a77c19a07df2f}};

/* Words with carries --------------------------------------------------------------------------------------------- */

/* a + b + *carry; the carry out goes to *carry. */
static inline uint64_t fp_adc(uint64_t *carry, uint64_t a, uint64_t b)
{
    const uint64_t sum = a + b;
    const uint64_t out = sum + *carry;
    *carry = (uint64_t)(sum < a) | (uint64_t)(out < sum);
    return out;
}

/* a - b - *borrow. */
static inline uint64_t fp_sbb(uint64_t *borrow, uint64_t a, uint64_t b)
{
    const uint64_t difference = a - b;
    const uint64_t out = difference - *borrow;
    *borrow = (uint64_t)(a < b) | (uint64_t)(difference < *borrow);
    return out;
}

#if defined(__SIZEOF_INT128__) && !defined(CEVM_PORTABLE)
__extension__ typedef unsigned __int128 fp_dword;

/* a * b + c + *carry: the low half; the high half goes to *carry. */
static inline uint64_t fp_multiply_add(uint64_t *carry, uint64_t a, uint64_t b, uint64_t c)
{
    const fp_dword sum = (fp_dword)a * b + c + *carry;
    *carry = (uint64_t)(sum >> 64);
    return (uint64_t)sum;
}
#else
static inline uint64_t fp_multiply_add(uint64_t *carry, uint64_t a, uint64_t b, uint64_t c)
{
    const uint64_t a0 = a & UINT32_MAX;
    const uint64_t a1 = a >> 32;
    const uint64_t b0 = b & UINT32_MAX;
    const uint64_t b1 = b >> 32;
    const uint64_t low = a0 * b0;
    const uint64_t middle = a1 * b0 + (low >> 32); /* below 2^64: (2^32-1)^2 + 2^32-1 */
    const uint64_t other = a0 * b1 + (middle & UINT32_MAX);
    const uint64_t product = (other << 32) | (low & UINT32_MAX);
    const uint64_t with_c = product + c;
    const uint64_t out = with_c + *carry;
    *carry = a1 * b1 + (middle >> 32) + (other >> 32) + (uint64_t)(with_c < c) + (uint64_t)(out < with_c);
    return out;
}
#endif

/* Elements ---------------------------------------------------------------------------------------------------------- */

static inline bool fp_is_zero(const fp *a) { return (a->l[0] | a->l[1] | a->l[2] | a->l[3]) == 0; }

static inline bool fp_equal(const fp *a, const fp *b)
{
    return ((a->l[0] ^ b->l[0]) | (a->l[1] ^ b->l[1]) | (a->l[2] ^ b->l[2]) | (a->l[3] ^ b->l[3])) == 0;
}

#if FP_X86

/* Compilers do not keep carries in the flags across limbs; ADC does. No instruction here is newer than x86-64 itself. */
static inline void fp_add_loose(fp *r, const fp *a, const fp *b)
{
    uint64_t t0 = a->l[0];
    uint64_t t1 = a->l[1];
    uint64_t t2 = a->l[2];
    uint64_t t3 = a->l[3];
    __asm__("addq %4, %0\n\tadcq %5, %1\n\tadcq %6, %2\n\tadcq %7, %3"
            : "+&r"(t0), "+&r"(t1), "+&r"(t2), "+&r"(t3)
            : "m"(b->l[0]), "m"(b->l[1]), "m"(b->l[2]), "m"(b->l[3])
            : "cc");
    *r = (fp){{t0, t1, t2, t3}};
}

/* a - b modulo 2^256. */
static inline void fp_subtract_limbs(fp *r, const fp *a, const fp *b)
{
    uint64_t t0 = a->l[0];
    uint64_t t1 = a->l[1];
    uint64_t t2 = a->l[2];
    uint64_t t3 = a->l[3];
    __asm__("subq %4, %0\n\tsbbq %5, %1\n\tsbbq %6, %2\n\tsbbq %7, %3"
            : "+&r"(t0), "+&r"(t1), "+&r"(t2), "+&r"(t3)
            : "m"(b->l[0]), "m"(b->l[1]), "m"(b->l[2]), "m"(b->l[3])
            : "cc");
    *r = (fp){{t0, t1, t2, t3}};
}

/* r = a - p if that is not negative, else a, for any a below 2^256. */
static inline void fp_subtract_modulus_once(fp *r, uint64_t t0, uint64_t t1, uint64_t t2, uint64_t t3)
{
    uint64_t s0 = t0;
    uint64_t s1 = t1;
    uint64_t s2 = t2;
    uint64_t s3 = t3;
    __asm__("subq %8, %0\n\tsbbq %9, %1\n\tsbbq %10, %2\n\tsbbq %11, %3\n\t"
            "cmovcq %4, %0\n\tcmovcq %5, %1\n\tcmovcq %6, %2\n\tcmovcq %7, %3"
            : "+&r"(s0), "+&r"(s1), "+&r"(s2), "+&r"(s3)
            : "r"(t0), "r"(t1), "r"(t2), "r"(t3), "m"(fp_modulus.l[0]), "m"(fp_modulus.l[1]), "m"(fp_modulus.l[2]),
              "m"(fp_modulus.l[3])
            : "cc");
    *r = (fp){{s0, s1, s2, s3}};
}

static inline void fp_add(fp *r, const fp *a, const fp *b)
{
    fp t;
    fp_add_loose(&t, a, b);
    fp_subtract_modulus_once(r, t.l[0], t.l[1], t.l[2], t.l[3]);
}

static inline void fp_sub(fp *r, const fp *a, const fp *b)
{
    uint64_t t0 = a->l[0];
    uint64_t t1 = a->l[1];
    uint64_t t2 = a->l[2];
    uint64_t t3 = a->l[3];
    uint64_t p0 = fp_modulus.l[0];
    uint64_t p1 = fp_modulus.l[1];
    uint64_t p2 = fp_modulus.l[2];
    uint64_t p3 = fp_modulus.l[3];
    uint64_t zero = 0;
    __asm__("subq %9, %0\n\tsbbq %10, %1\n\tsbbq %11, %2\n\tsbbq %12, %3\n\t"
            "cmovncq %8, %4\n\tcmovncq %8, %5\n\tcmovncq %8, %6\n\tcmovncq %8, %7\n\t"
            "addq %4, %0\n\tadcq %5, %1\n\tadcq %6, %2\n\tadcq %7, %3"
            : "+&r"(t0), "+&r"(t1), "+&r"(t2), "+&r"(t3), "+&r"(p0), "+&r"(p1), "+&r"(p2), "+&r"(p3)
            : "r"(zero), "m"(b->l[0]), "m"(b->l[1]), "m"(b->l[2]), "m"(b->l[3])
            : "cc");
    *r = (fp){{t0, t1, t2, t3}};
}

#else

static inline void fp_add_loose(fp *r, const fp *a, const fp *b)
{
    uint64_t carry = 0;
    for (int i = 0; i < 4; ++i) {
        r->l[i] = fp_adc(&carry, a->l[i], b->l[i]);
    }
}

/* a - b modulo 2^256. */
static inline void fp_subtract_limbs(fp *r, const fp *a, const fp *b)
{
    uint64_t borrow = 0;
    for (int i = 0; i < 4; ++i) {
        r->l[i] = fp_sbb(&borrow, a->l[i], b->l[i]);
    }
}

/* r = a - p if that is not negative, else a, for any a below 2^256. */
static inline void fp_subtract_modulus_once(fp *r, uint64_t t0, uint64_t t1, uint64_t t2, uint64_t t3)
{
    const uint64_t t[4] = {t0, t1, t2, t3};
    uint64_t s[4];
    uint64_t borrow = 0;
    for (int i = 0; i < 4; ++i) {
        s[i] = fp_sbb(&borrow, t[i], fp_modulus.l[i]);
    }
    for (int i = 0; i < 4; ++i) {
        r->l[i] = borrow != 0 ? t[i] : s[i];
    }
}

static inline void fp_add(fp *r, const fp *a, const fp *b)
{
    fp t;
    fp_add_loose(&t, a, b);
    fp_subtract_modulus_once(r, t.l[0], t.l[1], t.l[2], t.l[3]);
}

static inline void fp_sub(fp *r, const fp *a, const fp *b)
{
    uint64_t borrow = 0;
    uint64_t carry = 0;
    uint64_t t[4];
    for (int i = 0; i < 4; ++i) {
        t[i] = fp_sbb(&borrow, a->l[i], b->l[i]);
    }
    for (int i = 0; i < 4; ++i) {
        r->l[i] = fp_adc(&carry, t[i], borrow != 0 ? fp_modulus.l[i] : 0);
    }
}

#endif

/* a - b + p for a and b below p: loose. */
static inline void fp_sub_loose(fp *r, const fp *a, const fp *b)
{
    fp t;
    fp_subtract_limbs(&t, &fp_modulus, b);
    fp_add_loose(r, &t, a);
}

static inline void fp_double(fp *r, const fp *a) { fp_add(r, a, a); }

static inline void fp_neg(fp *r, const fp *a)
{
    static const fp zero = {{0, 0, 0, 0}};
    fp_sub(r, &zero, a);
}

/** a * b; both may be loose. */
void cevm_fp_mul(fp *r, const fp *a, const fp *b);

static inline void fp_sqr(fp *r, const fp *a) { cevm_fp_mul(r, a, a); }

/** 9a + b, b at most p. */
void cevm_fp_mul_9_add(fp *r, const fp *a, const fp *b);

/** 1 / a, and 0 for 0. */
void cevm_fp_inv(fp *r, const fp *a);

/** The same by division steps (bn254_inverse.c). False, with nothing written, where the compiler has no 128-bit integers or
 * CEVM_PORTABLE is set. */
bool cevm_fp_inv_divsteps(fp *r, const fp *a);

/** Reads 32 big-endian bytes; false if they are p or more. */
bool cevm_fp_from_bytes(fp *r, const uint8_t bytes[32]);

void cevm_fp_to_bytes(uint8_t bytes[32], const fp *a);

/* The quadratic extension Fp[i], i^2 = -1: c[0] + c[1] i. ----------------------------------------------------------- */

typedef struct fp2 {
    fp c[2];
} fp2;

static inline bool fp2_is_zero(const fp2 *a) { return fp_is_zero(&a->c[0]) && fp_is_zero(&a->c[1]); }

static inline bool fp2_equal(const fp2 *a, const fp2 *b)
{
    return fp_equal(&a->c[0], &b->c[0]) && fp_equal(&a->c[1], &b->c[1]);
}

static inline void fp2_add(fp2 *r, const fp2 *a, const fp2 *b)
{
    fp_add(&r->c[0], &a->c[0], &b->c[0]);
    fp_add(&r->c[1], &a->c[1], &b->c[1]);
}

static inline void fp2_add_loose(fp2 *r, const fp2 *a, const fp2 *b)
{
    fp_add_loose(&r->c[0], &a->c[0], &b->c[0]);
    fp_add_loose(&r->c[1], &a->c[1], &b->c[1]);
}

static inline void fp2_sub(fp2 *r, const fp2 *a, const fp2 *b)
{
    fp_sub(&r->c[0], &a->c[0], &b->c[0]);
    fp_sub(&r->c[1], &a->c[1], &b->c[1]);
}

static inline void fp2_double(fp2 *r, const fp2 *a) { fp2_add(r, a, a); }

static inline void fp2_neg(fp2 *r, const fp2 *a)
{
    fp_neg(&r->c[0], &a->c[0]);
    fp_neg(&r->c[1], &a->c[1]);
}

/* The conjugate, which is also a^p. */
static inline void fp2_conjugate(fp2 *r, const fp2 *a)
{
    r->c[0] = a->c[0];
    fp_neg(&r->c[1], &a->c[1]);
}

/** a * b; b may be loose. */
void cevm_fp2_mul(fp2 *r, const fp2 *a, const fp2 *b);

void cevm_fp2_sqr(fp2 *r, const fp2 *a);

/** a * s for s in Fp; either may be loose. */
static inline void fp2_scale(fp2 *r, const fp2 *a, const fp *s)
{
    cevm_fp_mul(&r->c[0], &a->c[0], s);
    cevm_fp_mul(&r->c[1], &a->c[1], s);
}

/* a times 9 + i, which is no square and no cube and so makes the next extensions. */
static inline void fp2_mul_xi(fp2 *r, const fp2 *a)
{
    fp minus;
    const fp a0 = a->c[0];
    fp_subtract_limbs(&minus, &fp_modulus, &a->c[1]);
    cevm_fp_mul_9_add(&r->c[1], &a->c[1], &a0);
    cevm_fp_mul_9_add(&r->c[0], &a0, &minus);
}

/** 1 / a, and 0 for 0. */
void cevm_fp2_inv(fp2 *r, const fp2 *a);

#endif
