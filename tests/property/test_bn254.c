/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BN254: field operations against GMP; the extensions' shortcuts against their definitions; the laws of G1; bilinearity of
 * the pairing by way of the contracts. SEED= repeats a run, ITERATIONS= lengthens it.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <gmp.h>

#include <cevm/precompile.h>

#include "precompiles/crypto/bn254_pairing.h"
#include "tests/property/random.h"

typedef struct run_state {
    uint64_t seed;
    uint64_t random;
    uint64_t iterations;
    mpz_t p, r;
    const cevm_precompile *contracts[3]; /* add, mul, pairing */
} run_state;

enum { ADD, MUL, PAIRING, MOST_PAIRS = 5 };

static uint64_t next_random(run_state *s) { return random_next(&s->random); }

/* 256 bits of limbs that are often all zeros or all ones. */
static void random_limbs(run_state *s, uint64_t limbs[4])
{
    const uint64_t shape = next_random(s);
    for (int i = 0; i < 4; ++i) {
        const uint64_t v = next_random(s);
        const uint64_t kind = (shape >> (3 * i)) & 7;
        limbs[i] = kind == 0 ? 0 : kind == 1 ? UINT64_MAX : kind == 2 ? v >> (v & 63) : v;
    }
}

/* A number below limit; one in eight is within 3 of its ends. */
static void random_below(run_state *s, mpz_t out, const mpz_t limit)
{
    uint64_t limbs[4];
    random_limbs(s, limbs);
    mpz_import(out, 4, -1, 8, 0, 0, limbs);
    const uint64_t kind = next_random(s) % 16;
    if (kind == 0) {
        mpz_set_ui(out, next_random(s) % 3);
    } else if (kind == 1) {
        mpz_sub_ui(out, limit, 1 + next_random(s) % 3);
    }
    mpz_mod(out, out, limit);
}

static void to_bytes(uint8_t bytes[32], const mpz_t v)
{
    const size_t size = (mpz_sizeinbase(v, 2) + 7) / 8;
    memset(bytes, 0, 32);
    if (mpz_sgn(v) != 0) {
        (void)mpz_export(bytes + 32 - size, NULL, 1, 1, 0, 0, v);
    }
}

static fp to_fp(const mpz_t v)
{
    uint8_t bytes[32];
    fp r = {{0}};
    to_bytes(bytes, v);
    assert_true(cevm_fp_from_bytes(&r, bytes));
    return r;
}

static void expect_fp(const run_state *s, const char *name, const fp *actual, mpz_t expected)
{
    uint8_t bytes[32];
    uint8_t wanted[32];
    mpz_mod(expected, expected, s->p);
    to_bytes(wanted, expected);
    cevm_fp_to_bytes(bytes, actual);
    if (memcmp(bytes, wanted, 32) != 0) {
        fail_msg("%s: SEED=%" PRIu64, name, s->seed);
    }
}

/* Fields ------------------------------------------------------------------------------------------------------------ */

static void check_fp(const run_state *s, const mpz_t a, const mpz_t b)
{
    const fp x = to_fp(a);
    const fp y = to_fp(b);
    fp z;
    fp loose[2];
    mpz_t t;
    mpz_t u;
    mpz_inits(t, u, NULL);
    fp_add(&z, &x, &y);
    mpz_add(t, a, b);
    expect_fp(s, "add", &z, t);
    fp_sub(&z, &x, &y);
    mpz_sub(t, a, b);
    expect_fp(s, "sub", &z, t);
    fp_neg(&z, &y);
    mpz_neg(t, b);
    expect_fp(s, "neg", &z, t);
    cevm_fp_mul(&z, &x, &y);
    mpz_mul(t, a, b);
    expect_fp(s, "mul", &z, t);
    cevm_fp_mul_9_add(&z, &x, &y);
    mpz_mul_ui(t, a, 9);
    mpz_add(t, t, b);
    expect_fp(s, "mul_9_add", &z, t);
    fp_add_loose(&loose[0], &x, &y);
    fp_sub_loose(&loose[1], &x, &y);
    cevm_fp_mul(&z, &loose[0], &loose[1]);
    mpz_mul(t, a, a);
    mpz_submul(t, b, b);
    expect_fp(s, "mul of loose factors", &z, t);
    cevm_fp_mul(&z, &loose[0], &loose[0]);
    mpz_add(t, a, b);
    mpz_mul(t, t, t);
    expect_fp(s, "mul of equal loose factors", &z, t);
    cevm_fp_inv(&z, &x);
    mpz_set_ui(t, 0);
    if (mpz_sgn(a) != 0) {
        assert_int_not_equal(mpz_invert(t, a, s->p), 0);
    }
    expect_fp(s, "inv", &z, t);
    mpz_clears(t, u, NULL);
}

static void test_prime_field(void **state)
{
    run_state *s = *state;
    mpz_t a;
    mpz_t b;
    mpz_inits(a, b, NULL);
    for (uint64_t i = 0; i < 100 * s->iterations; ++i) {
        random_below(s, a, s->p);
        random_below(s, b, s->p);
        check_fp(s, a, b);
    }
    mpz_clears(a, b, NULL);
}

static void test_numbers_of_p_or_more_are_no_elements(void **state)
{
    run_state *s = *state;
    mpz_t v;
    mpz_init(v);
    for (uint64_t i = 0; i < 100 * s->iterations; ++i) {
        uint64_t limbs[4];
        uint8_t bytes[32];
        fp x;
        random_limbs(s, limbs);
        mpz_import(v, 4, -1, 8, 0, 0, limbs);
        if (i < 10) {
            mpz_add_ui(v, s->p, i);
            mpz_sub_ui(v, v, 5);
        }
        to_bytes(bytes, v);
        assert_int_equal(cevm_fp_from_bytes(&x, bytes), mpz_cmp(v, s->p) < 0);
    }
    mpz_clear(v);
}

static void test_quadratic_field(void **state)
{
    run_state *s = *state;
    mpz_t v[4];
    mpz_t t;
    for (int k = 0; k < 4; ++k) {
        mpz_init(v[k]);
    }
    mpz_init(t);
    for (uint64_t i = 0; i < 30 * s->iterations; ++i) {
        for (int k = 0; k < 4; ++k) {
            random_below(s, v[k], s->p);
        }
        const fp2 a = {{to_fp(v[0]), to_fp(v[1])}};
        const fp2 b = {{to_fp(v[2]), to_fp(v[3])}};
        fp2 c;
        fp2 loose;
        cevm_fp2_mul(&c, &a, &b);
        mpz_mul(t, v[0], v[2]);
        mpz_submul(t, v[1], v[3]);
        expect_fp(s, "fp2 mul, real", &c.c[0], t);
        mpz_mul(t, v[0], v[3]);
        mpz_addmul(t, v[1], v[2]);
        expect_fp(s, "fp2 mul, imaginary", &c.c[1], t);
        fp2_add_loose(&loose, &b, &b);
        fp2_add(&c, &c, &c);
        cevm_fp2_mul(&loose, &a, &loose);
        assert_true(fp2_equal(&c, &loose));
        cevm_fp2_sqr(&c, &a);
        cevm_fp2_mul(&loose, &a, &a);
        assert_true(fp2_equal(&c, &loose));
        c = a;
        fp2_mul_xi(&c, &c);
        mpz_mul_ui(t, v[0], 9);
        mpz_sub(t, t, v[1]);
        expect_fp(s, "times 9 + i, real", &c.c[0], t);
        mpz_mul_ui(t, v[1], 9);
        mpz_add(t, t, v[0]);
        expect_fp(s, "times 9 + i, imaginary", &c.c[1], t);
        cevm_fp2_inv(&c, &a);
        cevm_fp2_mul(&c, &c, &a);
        mpz_set_ui(t, !fp2_is_zero(&a));
        expect_fp(s, "fp2 inv", &c.c[0], t);
        assert_true(fp_is_zero(&c.c[1]));
    }
    for (int k = 0; k < 4; ++k) {
        mpz_clear(v[k]);
    }
    mpz_clear(t);
}

static void random_fp12(run_state *s, fp12 *a)
{
    mpz_t v;
    mpz_init(v);
    for (int i = 0; i < 12; ++i) {
        random_below(s, v, s->p);
        a->c[i / 6].c[i / 2 % 3].c[i % 2] = to_fp(v);
    }
    mpz_clear(v);
}

/* a b from the definition: sums of products of coefficients of w^i, w^6 = 9 + i. */
static void schoolbook(fp12 *r, const fp12 *a, const fp12 *b)
{
    fp12 out;
    memset(&out, 0, sizeof out);
    for (int i = 0; i < 6; ++i) {
        for (int k = 0; k < 6; ++k) {
            fp2 t;
            fp2 *at = &out.c[(i + k) % 2].c[(i + k) % 6 / 2];
            cevm_fp2_mul(&t, &a->c[i % 2].c[i / 2], &b->c[k % 2].c[k / 2]);
            if (i + k >= 6) {
                fp2_mul_xi(&t, &t);
            }
            fp2_add(at, at, &t);
        }
    }
    *r = out;
}

static void fp12_power(fp12 *r, const fp12 *a, const mpz_t exponent)
{
    fp12 out;
    cevm_fp12_one(&out);
    for (size_t i = mpz_sizeinbase(exponent, 2); i-- > 0;) {
        schoolbook(&out, &out, &out);
        if (mpz_tstbit(exponent, i) != 0) {
            schoolbook(&out, &out, a);
        }
    }
    *r = out;
}

static void test_fp12(void **state)
{
    run_state *s = *state;
    for (uint64_t i = 0; i < s->iterations; ++i) {
        fp12 a;
        fp12 b;
        fp12 c;
        fp12 d;
        random_fp12(s, &a);
        random_fp12(s, &b);
        schoolbook(&c, &a, &b);
        cevm_fp12_mul(&d, &a, &b);
        assert_true(cevm_fp12_equal(&c, &d));
        schoolbook(&c, &a, &a);
        cevm_fp12_sqr(&d, &a);
        assert_true(cevm_fp12_equal(&c, &d));
        cevm_fp12_inv(&d, &a);
        cevm_fp12_mul(&d, &d, &a);
        assert_true(cevm_fp12_is_one(&d));
        const fp12_line line = {b.c[0].c[0], b.c[1].c[0], b.c[1].c[1]};
        memset(&b, 0, sizeof b);
        b.c[0].c[0] = line.c0;
        b.c[1].c[0] = line.c1;
        b.c[1].c[1] = line.c2;
        schoolbook(&c, &a, &b);
        cevm_fp12_mul_line(&d, &a, &line);
        assert_true(cevm_fp12_equal(&c, &d));
    }
}

/* Frobenius is raising to p; a^((p^6 - 1) (p^2 + 1)) is where the cyclotomic squares hold; the final power by its number. */
static void test_powers(void **state)
{
    run_state *s = *state;
    fp12 a;
    fp12 b;
    fp12 c;
    mpz_t e;
    mpz_t x;
    mpz_t whole;
    mpz_inits(e, whole, NULL);
    mpz_init_set_str(x, "4965661367192848881", 10);
    random_fp12(s, &a);
    c = a;
    for (unsigned power = 1; power <= 6; ++power) {
        fp12_power(&c, &c, s->p);
        if (power <= 3) {
            cevm_fp12_frobenius(&b, &a, power);
            assert_true(cevm_fp12_equal(&b, &c));
        }
    }
    cevm_fp12_conjugate(&b, &a);
    assert_true(cevm_fp12_equal(&b, &c));

    cevm_fp12_inv(&c, &a);
    cevm_fp12_mul(&b, &b, &c);
    cevm_fp12_frobenius(&c, &b, 2);
    cevm_fp12_mul(&b, &b, &c);
    cevm_fp12_sqr(&c, &b);
    cevm_fp12_sqr_cyclotomic(&b, &b);
    assert_true(cevm_fp12_equal(&b, &c));

    mpz_pow_ui(whole, s->p, 12); /* (p^12 - 1) / r * 2x (6x^2 + 3x + 1) */
    mpz_sub_ui(whole, whole, 1);
    mpz_divexact(whole, whole, s->r);
    mpz_mul_ui(e, x, 6);
    mpz_add_ui(e, e, 3);
    mpz_mul(e, e, x);
    mpz_add_ui(e, e, 1);
    mpz_mul(e, e, x);
    mpz_mul_ui(e, e, 2);
    assert_false(mpz_divisible_p(e, s->r));
    mpz_mul(whole, whole, e);
    fp12_power(&c, &a, whole);
    cevm_bn254_final_exponentiation(&b, &a);
    assert_true(cevm_fp12_equal(&b, &c));
    mpz_clears(e, x, whole, NULL);
}

/* G1, by its contracts ---------------------------------------------------------------------------------------------- */

/* Runs a contract that must succeed. */
static void run(const run_state *s, int which, uint8_t *output, const uint8_t *data, size_t size)
{
    static _Alignas(16) uint8_t scratch[1 << 16];
    const cevm_bytes input = {data, size};
    size_t output_size = 0;
    assert_in_range(s->contracts[which]->cost(input, CEVM_LATEST).scratch_size, 0, sizeof scratch);
    assert_int_equal(s->contracts[which]->run(output, &output_size, input, CEVM_LATEST, scratch), CEVM_PRECOMPILE_OK);
    assert_int_equal(output_size, which == PAIRING ? 32 : 64);
}

static void add(const run_state *s, uint8_t out[64], const uint8_t a[64], const uint8_t b[64])
{
    uint8_t input[128];
    memcpy(input, a, 64);
    memcpy(input + 64, b, 64);
    run(s, ADD, out, input, sizeof input);
}

/* k may be any number. */
static void mul(const run_state *s, uint8_t out[64], const uint8_t a[64], const mpz_t k)
{
    uint8_t input[96];
    mpz_t reduced;
    mpz_init(reduced);
    mpz_fdiv_r_2exp(reduced, k, 256);
    memcpy(input, a, 64);
    to_bytes(input + 64, reduced);
    run(s, MUL, out, input, sizeof input);
    mpz_clear(reduced);
}

/* 256 bits; 0, r and their neighbours too. */
static void random_scalar(run_state *s, mpz_t k)
{
    uint64_t limbs[4];
    random_limbs(s, limbs);
    mpz_import(k, 4, -1, 8, 0, 0, limbs);
    const uint64_t kind = next_random(s) % 8;
    if (kind < 2) {
        mpz_mul_ui(k, s->r, kind);
        mpz_add_ui(k, k, next_random(s) % 3);
    }
}

static void random_point(run_state *s, uint8_t out[64])
{
    static const uint8_t generator[64] = {[31] = 1, [63] = 2};
    mpz_t k;
    mpz_init(k);
    random_scalar(s, k);
    mul(s, out, generator, k);
    mpz_clear(k);
}

static void test_g1_is_a_group(void **state)
{
    run_state *s = *state;
    for (uint64_t i = 0; i < 10 * s->iterations; ++i) {
        static const uint8_t infinity[64];
        uint8_t a[64];
        uint8_t b[64];
        uint8_t c[64];
        uint8_t left[64];
        uint8_t right[64];
        random_point(s, a);
        random_point(s, b);
        random_point(s, c);
        if (i % 8 == 0) {
            memcpy(b, a, 64);
        }
        add(s, left, a, b);
        add(s, right, b, a);
        assert_memory_equal(left, right, 64);
        add(s, left, left, c);
        add(s, right, b, c);
        add(s, right, a, right);
        assert_memory_equal(left, right, 64);
        add(s, left, a, infinity);
        assert_memory_equal(left, a, 64);
        mpz_t k;
        mpz_init(k);
        mul(s, left, a, s->r);
        assert_memory_equal(left, infinity, 64);
        mpz_sub_ui(k, s->r, 1);
        mul(s, left, a, k);
        add(s, left, left, a);
        assert_memory_equal(left, infinity, 64);
        mpz_clear(k);
    }
}

/* k A from the additions alone. */
static void add_up(const run_state *s, uint8_t out[64], const uint8_t a[64], const mpz_t k)
{
    memset(out, 0, 64);
    for (size_t i = mpz_sizeinbase(k, 2); i-- > 0;) {
        add(s, out, out, out);
        if (mpz_tstbit(k, i) != 0) {
            add(s, out, out, a);
        }
    }
}

static void test_g1_multiples(void **state)
{
    run_state *s = *state;
    mpz_t k;
    mpz_t n;
    mpz_t t;
    mpz_inits(k, n, t, NULL);
    for (uint64_t i = 0; i < s->iterations; ++i) {
        uint8_t a[64];
        uint8_t b[64];
        uint8_t left[64];
        uint8_t right[64];
        random_point(s, a);
        random_point(s, b);
        random_scalar(s, k);
        random_scalar(s, n);
        mul(s, left, a, k);
        add_up(s, right, a, k);
        assert_memory_equal(left, right, 64);

        mul(s, right, a, n); /* k A + n A = (k + n) A */
        add(s, left, left, right);
        mpz_add(t, k, n);
        mpz_mod(t, t, s->r);
        mul(s, right, a, t);
        assert_memory_equal(left, right, 64);

        add(s, left, a, b); /* k (A + B) = k A + k B */
        mul(s, left, left, k);
        mul(s, a, a, k);
        mul(s, right, b, k);
        add(s, right, a, right);
        assert_memory_equal(left, right, 64);

        mul(s, left, a, n); /* n (k A) = (n k) A, A being k A by now */
        mpz_mul(t, n, k);
        mpz_mod(t, t, s->r);
        mpz_mod(k, k, s->r);
        if (mpz_sgn(k) != 0) {
            mpz_t inverse;
            mpz_init(inverse);
            assert_int_not_equal(mpz_invert(inverse, k, s->r), 0);
            mul(s, a, a, inverse);
            mul(s, right, a, t);
            assert_memory_equal(left, right, 64);
            mpz_clear(inverse);
        }
    }
    mpz_clears(k, n, t, NULL);
}

/* The pairing ------------------------------------------------------------------------------------------------------- */

/* k times the generator of G2, by doubling and adding in affine coordinates. */
static void g2_add(g2 *r, const g2 *a, const g2 *b)
{
    fp2 slope;
    fp2 t;
    fp2 x;
    if (g2_is_infinity(a) || g2_is_infinity(b)) {
        *r = g2_is_infinity(a) ? *b : *a;
        return;
    }
    if (!fp2_equal(&a->x, &b->x)) {
        fp2_sub(&slope, &b->y, &a->y);
        fp2_sub(&t, &b->x, &a->x);
    } else if (fp2_equal(&a->y, &b->y)) {
        fp2 square;
        cevm_fp2_sqr(&square, &a->x);
        fp2_double(&slope, &square);
        fp2_add(&slope, &slope, &square);
        fp2_double(&t, &a->y);
    } else {
        memset(r, 0, sizeof *r);
        return;
    }
    cevm_fp2_inv(&t, &t);
    cevm_fp2_mul(&slope, &slope, &t);
    cevm_fp2_sqr(&x, &slope);
    fp2_sub(&x, &x, &a->x);
    fp2_sub(&x, &x, &b->x);
    fp2_sub(&t, &a->x, &x);
    cevm_fp2_mul(&t, &slope, &t);
    fp2_sub(&r->y, &t, &a->y);
    r->x = x;
}

static void g2_multiple(uint8_t out[128], const mpz_t k)
{
    static const char *const generator[4] = {
        "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2",
        "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed",
        "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b",
        "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa",
    };
    uint8_t bytes[128];
    g2 base;
    g2 sum;
    mpz_t v;
    mpz_init(v);
    for (int i = 0; i < 4; ++i) {
        mpz_set_str(v, generator[i], 16);
        to_bytes(bytes + 32 * i, v);
    }
    mpz_clear(v);
    assert_true(cevm_g2_from_bytes(&base, bytes));
    memset(&sum, 0, sizeof sum);
    for (size_t i = mpz_sizeinbase(k, 2); i-- > 0;) {
        g2_add(&sum, &sum, &sum);
        if (mpz_tstbit(k, i) != 0) {
            g2_add(&sum, &sum, &base);
        }
    }
    cevm_fp_to_bytes(out, &sum.x.c[1]);
    cevm_fp_to_bytes(out + 32, &sum.x.c[0]);
    cevm_fp_to_bytes(out + 64, &sum.y.c[1]);
    cevm_fp_to_bytes(out + 96, &sum.y.c[0]);
}

/*
 * Pairs (a_i G1, b_i G2) multiply to 1 exactly if the sum of a_i b_i is 0 mod r. The last a is chosen so that it is; then it
 * is changed by one, and the product must not be 1 (unless the last b is 0).
 */
static void test_bilinearity(void **state)
{
    run_state *s = *state;
    static const uint8_t generator[64] = {[31] = 1, [63] = 2};
    mpz_t a;
    mpz_t b;
    mpz_t sum;
    mpz_inits(a, b, sum, NULL);
    for (uint64_t i = 0; i < s->iterations; ++i) {
        uint8_t input[MOST_PAIRS * 192];
        uint8_t out[32];
        uint8_t expected[32] = {0};
        const size_t pairs = 2 + next_random(s) % (MOST_PAIRS - 1);
        mpz_set_ui(sum, 0);
        for (size_t k = 0; k < pairs; ++k) {
            random_scalar(s, a);
            random_scalar(s, b);
            mpz_mod(b, b, s->r);
            if (k == pairs - 1) {
                if (mpz_sgn(b) == 0) {
                    mpz_set_ui(b, 1);
                }
                assert_int_not_equal(mpz_invert(a, b, s->r), 0);
                mpz_mul(a, a, sum);
                mpz_neg(a, a);
                mpz_mod(a, a, s->r);
            }
            mpz_addmul(sum, a, b);
            mul(s, input + 192 * k, generator, a);
            g2_multiple(input + 192 * k + 64, b);
        }
        run(s, PAIRING, out, input, pairs * 192);
        expected[31] = 1;
        assert_memory_equal(out, expected, 32);
        mpz_add_ui(a, a, 1);
        mul(s, input + 192 * (pairs - 1), generator, a);
        run(s, PAIRING, out, input, pairs * 192);
        expected[31] = 0;
        assert_memory_equal(out, expected, 32);
    }
    mpz_clears(a, b, sum, NULL);
}

static int set_up(void **state)
{
    static run_state s;
    s.seed = random_seed();
    s.random = s.seed;
    s.iterations = random_setting("ITERATIONS", 50);
    for (int i = 0; i < 3; ++i) {
        cevm_address address = {{0}};
        address.bytes[19] = (uint8_t)(6 + i);
        s.contracts[i] = cevm_precompile_find(&address, CEVM_LATEST);
        if (s.contracts[i] == NULL) {
            return -1;
        }
    }
    mpz_init_set_str(s.p, "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47", 16);
    mpz_init_set_str(s.r, "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001", 16);
    (void)printf("test_bn254: SEED=%" PRIu64 "\n", s.seed);
    *state = &s;
    return 0;
}

static int tear_down(void **state)
{
    run_state *s = *state;
    mpz_clears(s->p, s->r, NULL);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prime_field),     cmocka_unit_test(test_numbers_of_p_or_more_are_no_elements),
        cmocka_unit_test(test_quadratic_field), cmocka_unit_test(test_fp12),
        cmocka_unit_test(test_powers),          cmocka_unit_test(test_g1_is_a_group),
        cmocka_unit_test(test_g1_multiples),    cmocka_unit_test(test_bilinearity),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
