/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Products in the prime field of BN254 and in its quadratic extension.
 *
 * A product is Montgomery's, operand scanning with a reduction after each limb: t = (t + a * b_i + m * p) / 2^64, with m such
 * that the division is exact. p is below 2^256 / 5.29, so nothing overflows the five limbs of t, and the result is below
 * (product) / 2^256 + p < 2p as long as the product is below 5.29 p^2: two loose factors, or the sum of two products of a
 * canonical and a loose one. One conditional subtraction then makes it canonical.
 *
 * That room also pays for the extension: a0 b0 - a1 b1 = a0 b0 + a1 (2p - b1) and a0 b1 + a1 b0 are each summed limb by limb
 * and reduced once (Longa, "Efficient Algorithms for Large Prime Characteristic Fields", 2022).
 *
 * On x86-64 the rows are written with MULX and the two carry chains of ADCX and ADOX where the processor has them, which
 * each product asks of the processor's description that libgcc keeps: one load and a branch that is never mispredicted.
 */
#include <cevm/types.h>

#include "precompiles/crypto/bn254_fp.h"

/* -1 / p mod 2^64. */
static const uint64_t negative_inverse = 0x87d20782e4866389;

/* 2^512 mod p: a product with it makes the Montgomery form. */
static const fp montgomery_r2 = {{0xf32cfc5b538afa89, 0xb5e71911d44501fb, 0x47ab1eff0a417ff6, 0x06d89f71cab8351f}};

/* q * p, as far as cevm_fp_mul_9_add needs it. Only 256 bits: what it is taken from is below 2^256 afterwards. */
static const fp modulus_multiples[10] = {
    {{0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000}},
    {{0x3c208c16d87cfd47, 0x97816a916871ca8d, 0xb85045b68181585d, 0x30644e72e131a029}},
    {{0x7841182db0f9fa8e, 0x2f02d522d0e3951a, 0x70a08b6d0302b0bb, 0x60c89ce5c2634053}},
    {{0xb461a4448976f7d5, 0xc6843fb439555fa7, 0x28f0d12384840918, 0x912ceb58a394e07d}},
    {{0xf082305b61f3f51c, 0x5e05aa45a1c72a34, 0xe14116da06056176, 0xc19139cb84c680a6}},
    {{0x2ca2bc723a70f263, 0xf58714d70a38f4c2, 0x99915c908786b9d3, 0xf1f5883e65f820d0}},
    {{0x68c3488912edefaa, 0x8d087f6872aabf4f, 0x51e1a24709081231, 0x2259d6b14729c0fa}},
    {{0xa4e3d49feb6aecf1, 0x2489e9f9db1c89dc, 0x0a31e7fd8a896a8f, 0x52be2524285b6124}},
    {{0xe10460b6c3e7ea38, 0xbc0b548b438e5469, 0xc2822db40c0ac2ec, 0x83227397098d014d}},
    {{0x1d24eccd9c64e77f, 0x538cbf1cac001ef7, 0x7ad2736a8d8c1b4a, 0xb386c209eabea177}},
};

/* The portable form ------------------------------------------------------------------------------------------------- */

/* t += a * b for one limb b; t has five. Written out, here and below, for compilers keep t in registers only so. */
static inline void row_add(uint64_t t[5], const fp *a, uint64_t b)
{
    uint64_t carry = 0;
    t[0] = fp_multiply_add(&carry, a->l[0], b, t[0]);
    t[1] = fp_multiply_add(&carry, a->l[1], b, t[1]);
    t[2] = fp_multiply_add(&carry, a->l[2], b, t[2]);
    t[3] = fp_multiply_add(&carry, a->l[3], b, t[3]);
    t[4] += carry;
}

/* t = (t + m p) / 2^64. */
static inline void row_reduce(uint64_t t[5])
{
    row_add(t, &fp_modulus, t[0] * negative_inverse);
    t[0] = t[1];
    t[1] = t[2];
    t[2] = t[3];
    t[3] = t[4];
    t[4] = 0;
}

static void multiply_portable(fp *r, const fp *a, const fp *b)
{
    uint64_t t[5] = {0};
    row_add(t, a, b->l[0]);
    row_reduce(t);
    row_add(t, a, b->l[1]);
    row_reduce(t);
    row_add(t, a, b->l[2]);
    row_reduce(t);
    row_add(t, a, b->l[3]);
    row_reduce(t);
    fp_subtract_modulus_once(r, t[0], t[1], t[2], t[3]);
}

/* t = (t + a0 * b + a1 * c + m p) / 2^64. */
static inline void row_two(uint64_t t[5], const fp2 *a, uint64_t b, uint64_t c)
{
    row_add(t, &a->c[0], b);
    row_add(t, &a->c[1], c);
    row_reduce(t);
}

/* r = a0 * b + a1 * c. */
static void multiply_two_portable(fp *r, const fp2 *a, const fp *b, const fp *c)
{
    uint64_t t[5] = {0};
    row_two(t, a, b->l[0], c->l[0]);
    row_two(t, a, b->l[1], c->l[1]);
    row_two(t, a, b->l[2], c->l[2]);
    row_two(t, a, b->l[3], c->l[3]);
    fp_subtract_modulus_once(r, t[0], t[1], t[2], t[3]);
}

/* MULX, ADCX, ADOX -------------------------------------------------------------------------------------------------- */

#if FP_X86

/*
 * Whether the processor has what the rows below need. Flags of the compiler may promise it; else libgcc or compiler-rt know,
 * if the compiler is new enough to ask them for ADX.
 */
static inline bool has_adx(void)
{
#if defined(__ADX__) && defined(__BMI2__)
    return true;
#elif (defined(__clang__) && __clang_major__ >= 18) || (!defined(__clang__) && __GNUC__ >= 11)
    return __builtin_cpu_supports("adx") && __builtin_cpu_supports("bmi2");
#else
    return false;
#endif
}

/* Text for the assembler. Operands 0 to 4 are the limbs of t, 5 and 6 a product's halves, 7 and 8 a and b, 9 the second b of
 * the sum of two products; RDX holds the limb of b, or m. */
#define STEP(SOURCE, T, U) "mulx " SOURCE ",%5,%6;adcx %5,%" #T ";adox %6,%" #U ";"

/* The first row: t has no value yet. */
#define ROW_FIRST(B)                                                                                               \
    "movq " B ",%%rdx;mulx (%7),%0,%1;mulx 8(%7),%5,%2;addq %5,%1;mulx 16(%7),%5,%3;adcq %5,%2;mulx 24(%7),%5,%4;" \
    "adcq %5,%3;adcq $0,%4;"

/* t += a * B, t being T0 .. T4; XOR clears both carries. */
#define ROW(A0, A1, A2, A3, B, T0, T1, T2, T3, T4)                                      \
    "movq " B ",%%rdx;xorl %k5,%k5;" STEP(A0, T0, T1) STEP(A1, T1, T2) STEP(A2, T2, T3) \
        STEP(A3, T3, T4) "adcq $0,%" #T4 ";"

/* The same for the two elements of an fp2. */
#define ROW_A(B, T0, T1, T2, T3, T4)  ROW("(%7)", "8(%7)", "16(%7)", "24(%7)", B, T0, T1, T2, T3, T4)
#define ROW_A1(B, T0, T1, T2, T3, T4) ROW("32(%7)", "40(%7)", "48(%7)", "56(%7)", B, T0, T1, T2, T3, T4)

/* t += m p: T0 becomes 0, which is then the top limb of t / 2^64, and serves here to add the last carry. */
#define REDUCE(T0, T1, T2, T3, T4)                                                                   \
    "movq %" #T0 ",%%rdx;imulq %[n],%%rdx;xorl %k5,%k5;" STEP("%[p0]", T0, T1) STEP("%[p1]", T1, T2) \
        STEP("%[p2]", T2, T3) STEP("%[p3]", T3, T4) "adcx %" #T0 ",%" #T4 ";"

/* t - p if that is not negative; limb 3 is 0 and free when the four limbs are 4, 0, 1, 2. */
#define SUBTRACT_ONCE                                                                                            \
    "movq %4,%5;subq %[p0],%5;movq %0,%6;sbbq %[p1],%6;movq %1,%%rdx;sbbq %[p2],%%rdx;movq %2,%3;sbbq %[p3],%3;" \
    "cmovncq %5,%4;cmovncq %6,%0;cmovncq %%rdx,%1;cmovncq %3,%2"

#define RESULTS "=&r"(t0), "=&r"(t1), "=&r"(t2), "=&r"(t3), "=&r"(t4), "=&r"(lo), "=&r"(hi)
#define CONSTANTS                                                                                               \
    [p0] "m"(fp_modulus.l[0]), [p1] "m"(fp_modulus.l[1]), [p2] "m"(fp_modulus.l[2]), [p3] "m"(fp_modulus.l[3]), \
        [n] "m"(negative_inverse)

static inline void multiply_adx(fp *r, const fp *a, const fp *b)
{
    uint64_t t0;
    uint64_t t1;
    uint64_t t2;
    uint64_t t3;
    uint64_t t4;
    uint64_t lo;
    uint64_t hi;
    __asm__(ROW_FIRST("(%8)") REDUCE(0, 1, 2, 3, 4)              /**/
            ROW_A("8(%8)", 1, 2, 3, 4, 0) REDUCE(1, 2, 3, 4, 0)  /**/
            ROW_A("16(%8)", 2, 3, 4, 0, 1) REDUCE(2, 3, 4, 0, 1) /**/
            ROW_A("24(%8)", 3, 4, 0, 1, 2) REDUCE(3, 4, 0, 1, 2) SUBTRACT_ONCE:RESULTS
            : "r"(a), "r"(b), CONSTANTS
            : "rdx", "cc", "memory");
    *r = (fp){{t4, t0, t1, t2}};
}

/* r = a0 * b + a1 * c. */
static inline void multiply_two_adx(fp *r, const fp2 *a, const fp *b, const fp *c)
{
    uint64_t t0;
    uint64_t t1;
    uint64_t t2;
    uint64_t t3;
    uint64_t t4;
    uint64_t lo;
    uint64_t hi;
    __asm__(ROW_FIRST("(%8)") ROW_A1("(%9)", 0, 1, 2, 3, 4) REDUCE(0, 1, 2, 3, 4)                /**/
            ROW_A("8(%8)", 1, 2, 3, 4, 0) ROW_A1("8(%9)", 1, 2, 3, 4, 0) REDUCE(1, 2, 3, 4, 0)   /**/
            ROW_A("16(%8)", 2, 3, 4, 0, 1) ROW_A1("16(%9)", 2, 3, 4, 0, 1) REDUCE(2, 3, 4, 0, 1) /**/
            ROW_A("24(%8)", 3, 4, 0, 1, 2) ROW_A1("24(%9)", 3, 4, 0, 1, 2) REDUCE(3, 4, 0, 1, 2) SUBTRACT_ONCE:RESULTS
            : "r"(a), "r"(b), "r"(c), CONSTANTS
            : "rdx", "cc", "memory");
    *r = (fp){{t4, t0, t1, t2}};
}

static inline void multiply(fp *r, const fp *a, const fp *b)
{
    if (has_adx()) {
        multiply_adx(r, a, b);
    } else {
        multiply_portable(r, a, b);
    }
}

/* r = 9a + b below 10p as 320 bits; the return value is the highest limb. */
static inline uint64_t nine_times_plus(fp *r, const fp *a, const fp *b)
{
    uint64_t t0 = a->l[0];
    uint64_t t1 = a->l[1];
    uint64_t t2 = a->l[2];
    uint64_t t3 = a->l[3];
    uint64_t t4 = 0;
    __asm__("shldq $3, %3, %4\n\tshldq $3, %2, %3\n\tshldq $3, %1, %2\n\tshldq $3, %0, %1\n\tshlq $3, %0\n\t"
            "addq %5, %0\n\tadcq %6, %1\n\tadcq %7, %2\n\tadcq %8, %3\n\tadcq $0, %4\n\t"
            "addq %9, %0\n\tadcq %10, %1\n\tadcq %11, %2\n\tadcq %12, %3\n\tadcq $0, %4"
            : "+&r"(t0), "+&r"(t1), "+&r"(t2), "+&r"(t3), "+&r"(t4)
            : "m"(a->l[0]), "m"(a->l[1]), "m"(a->l[2]), "m"(a->l[3]), "m"(b->l[0]), "m"(b->l[1]), "m"(b->l[2]),
              "m"(b->l[3])
            : "cc");
    *r = (fp){{t0, t1, t2, t3}};
    return t4;
}

#else

static inline void multiply(fp *r, const fp *a, const fp *b) { multiply_portable(r, a, b); }

static inline uint64_t nine_times_plus(fp *r, const fp *a, const fp *b)
{
    uint64_t carry = 0;
    for (int i = 0; i < 4; ++i) {
        r->l[i] = fp_multiply_add(&carry, a->l[i], 9, b->l[i]);
    }
    return carry;
}

#endif

/* What the header promises ------------------------------------------------------------------------------------------ */

void cevm_fp_mul(fp *r, const fp *a, const fp *b) { multiply(r, a, b); }

void cevm_fp_mul_9_add(fp *r, const fp *a, const fp *b)
{
    fp t;
    const uint64_t top = nine_times_plus(&t, a, b);
    /* With h = t / 2^250 rounded down, t / p - h * 79 / 1024 rounded down lies in [0, 2): p is 12.098 * 2^250, h < 121. */
    const uint64_t h = (top << 6) | (t.l[3] >> 58);
    fp_subtract_limbs(&t, &t, &modulus_multiples[(h * 79) >> 10]);
    fp_subtract_modulus_once(r, t.l[0], t.l[1], t.l[2], t.l[3]);
}

void cevm_fp2_mul(fp2 *r, const fp2 *a, const fp2 *b)
{
    fp minus;
    fp real;
    fp_subtract_limbs(&minus, &fp_twice_modulus, &b->c[1]);
#if FP_X86
    if (has_adx()) {
        multiply_two_adx(&real, a, &b->c[0], &minus);
        multiply_two_adx(&r->c[1], a, &b->c[1], &b->c[0]);
        r->c[0] = real;
        return;
    }
#endif
    multiply_two_portable(&real, a, &b->c[0], &minus);
    multiply_two_portable(&r->c[1], a, &b->c[1], &b->c[0]);
    r->c[0] = real;
}

void cevm_fp2_sqr(fp2 *r, const fp2 *a)
{
    fp sum;
    fp difference;
    fp twice;
    fp_add_loose(&sum, &a->c[0], &a->c[1]);
    fp_sub_loose(&difference, &a->c[0], &a->c[1]);
    fp_add_loose(&twice, &a->c[0], &a->c[0]);
    multiply(&r->c[1], &twice, &a->c[1]);
    multiply(&r->c[0], &sum, &difference);
}

/* a^(p - 2), for compilers without 128-bit integers. */
static void invert_by_power(fp *r, const fp *a)
{
    const fp base = *a;
    *r = fp_one;
    for (int i = 255; i >= 0; --i) {
        const uint64_t limb = fp_modulus.l[i / 64] - (i < 64 ? 2 : 0); /* the lowest limb is above 2: no borrow */
        fp_sqr(r, r);
        if (((limb >> (i % 64)) & 1) != 0) {
            cevm_fp_mul(r, r, &base);
        }
    }
}

void cevm_fp_inv(fp *r, const fp *a)
{
    if (!cevm_fp_inv_divsteps(r, a)) {
        invert_by_power(r, a);
    }
}

/* (a0 - a1 i) / (a0^2 + a1^2). */
void cevm_fp2_inv(fp2 *r, const fp2 *a)
{
    fp norm;
    fp square;
    fp_sqr(&norm, &a->c[0]);
    fp_sqr(&square, &a->c[1]);
    fp_add(&norm, &norm, &square);
    cevm_fp_inv(&norm, &norm);
    cevm_fp_mul(&r->c[0], &a->c[0], &norm);
    fp_neg(&norm, &norm);
    cevm_fp_mul(&r->c[1], &a->c[1], &norm);
}

bool cevm_fp_from_bytes(fp *r, const uint8_t bytes[32])
{
    fp v;
    fp reduced;
    for (int i = 0; i < 4; ++i) {
        v.l[i] = cevm_load_be64(bytes + 8 * (3 - i));
    }
    fp_subtract_modulus_once(&reduced, v.l[0], v.l[1], v.l[2], v.l[3]);
    if (!fp_equal(&v, &reduced)) {
        return false;
    }
    cevm_fp_mul(r, &v, &montgomery_r2);
    return true;
}

void cevm_fp_to_bytes(uint8_t bytes[32], const fp *a)
{
    static const fp one = {{1, 0, 0, 0}}; /* the number, so that the product takes 2^256 out */
    fp v;
    cevm_fp_mul(&v, a, &one);
    for (int i = 0; i < 4; ++i) {
        cevm_store_be64(bytes + 8 * (3 - i), v.l[i]);
    }
}
