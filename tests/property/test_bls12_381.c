/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BLS12-381 by way of its contracts (EIP-2537): G1's addition against GMP, the laws of both groups, sums of multiples against
 * doubling and adding, bilinearity of the pairing. SEED= repeats a run, ITERATIONS= lengthens it.
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

#include "tests/property/random.h"
#include "tests/unit/precompile_call.h"

enum { FP = 64, SCALAR = 32, G1 = 128, G2 = 256, MOST_TERMS = 40, MOST_PAIRS = 20 };

/* The contracts of a group, and the size of its points. */
typedef struct group {
    unsigned add, msm, map;
    size_t size;
} group;

static const group groups[] = {{0x0b, 0x0c, 0x10, G1}, {0x0d, 0x0e, 0x11, G2}};

typedef struct point {
    uint8_t bytes[G2];
} point;

typedef struct run_state {
    uint64_t seed;
    uint64_t random;
    uint64_t iterations;
    mpz_t p, r;
} run_state;

static uint64_t next_random(run_state *s) { return random_next(&s->random); }

static void random_number(run_state *s, mpz_t out, unsigned bits)
{
    mpz_set_ui(out, 0);
    for (unsigned i = 0; i < bits; i += 32) {
        mpz_mul_2exp(out, out, 32);
        mpz_add_ui(out, out, (unsigned long)(next_random(s) >> 32));
    }
}

/* Any 256-bit number; often one at which splitting goes wrong if it does: near 0, r, the parameter's powers, 2^256. */
static void random_scalar(run_state *s, mpz_t out)
{
    const uint64_t kind = next_random(s) % 8;
    mpz_set_str(out, "d201000000010000", 16);
    if (kind < 4) {
        random_number(s, out, 256);
        return;
    }
    if (kind == 4) {
        mpz_set(out, s->r);
    } else if (kind == 5) {
        mpz_pow_ui(out, out, 1 + next_random(s) % 3);
    } else {
        mpz_set_ui(out, 0);
        mpz_setbit(out, kind == 6 ? 256 : next_random(s) % 256);
    }
    mpz_add_ui(out, out, next_random(s) % 5);
    mpz_sub_ui(out, out, 2);
    mpz_fdiv_r_2exp(out, out, 256); /* what was negative is now just below 2^256 */
}

static void to_bytes(uint8_t *bytes, size_t size, const mpz_t v)
{
    const size_t used = (mpz_sizeinbase(v, 2) + 7) / 8;
    memset(bytes, 0, size);
    if (mpz_sgn(v) != 0) {
        (void)mpz_export(bytes + size - used, NULL, 1, 1, 0, 0, v);
    }
}

static void from_bytes(mpz_t out, const uint8_t *bytes, size_t size) { mpz_import(out, size, 1, 1, 0, 0, bytes); }

/* Calls that must succeed ------------------------------------------------------------------------------------------- */

static point call_point(const run_state *s, unsigned contract, const uint8_t *input, size_t size, size_t output)
{
    point r = {{0}};
    const call_result c = call(contract, CEVM_PRAGUE, input, size);
    if (c.status != CEVM_PRECOMPILE_OK || c.size != output) {
        fail_msg("0x%x: status %d, SEED=%" PRIu64, contract, (int)c.status, s->seed);
    }
    memcpy(r.bytes, c.output, output);
    free(c.output);
    return r;
}

static point add(const run_state *s, const group *g, point a, point b)
{
    uint8_t input[2 * G2];
    memcpy(input, a.bytes, g->size);
    memcpy(input + g->size, b.bytes, g->size);
    return call_point(s, g->add, input, 2 * g->size, g->size);
}

static point sum(const run_state *s, const group *g, size_t count, const point *points, mpz_t *scalars)
{
    static uint8_t input[MOST_TERMS * (G2 + SCALAR)];
    uint8_t *at = input;
    for (size_t i = 0; i < count; ++i) {
        memcpy(at, points[i].bytes, g->size);
        to_bytes(at + g->size, SCALAR, scalars[i]);
        at += g->size + SCALAR;
    }
    return call_point(s, g->msm, input, (size_t)(at - input), g->size);
}

static point multiply(const run_state *s, const group *g, point a, const mpz_t scalar)
{
    mpz_t one[1];
    mpz_init_set(one[0], scalar);
    const point r = sum(s, g, 1, &a, one);
    mpz_clear(one[0]);
    return r;
}

static point random_point(run_state *s, const group *g)
{
    uint8_t input[2 * FP] = {0};
    mpz_t v;
    mpz_init(v);
    for (size_t i = 0; i < g->size / G1; ++i) {
        random_number(s, v, 384);
        mpz_mod(v, v, s->p);
        to_bytes(input + i * FP, FP, v);
    }
    mpz_clear(v);
    return call_point(s, g->map, input, g->size / 2, g->size);
}

static point negative(const run_state *s, const group *g, point a)
{
    mpz_t v;
    mpz_init(v);
    for (size_t at = g->size / 2; at < g->size; at += FP) {
        from_bytes(v, a.bytes + at, FP);
        if (mpz_sgn(v) != 0) {
            mpz_sub(v, s->p, v);
        }
        to_bytes(a.bytes + at, FP, v);
    }
    mpz_clear(v);
    return a;
}

static void expect_equal(const run_state *s, const char *law, const group *g, point a, point b)
{
    if (memcmp(a.bytes, b.bytes, g->size) != 0) {
        fail_msg("%s in G%zu: SEED=%" PRIu64, law, g->size / G1, s->seed);
    }
}

static const point infinity;

/* Laws -------------------------------------------------------------------------------------------------------------- */

static void check_laws(run_state *s, const group *g)
{
    const point a = random_point(s, g);
    const point b = random_point(s, g);
    const point c = random_point(s, g);
    mpz_t k;
    mpz_t m;
    mpz_inits(k, m, NULL);
    random_scalar(s, k);
    random_scalar(s, m);
    expect_equal(s, "a + b = b + a", g, add(s, g, a, b), add(s, g, b, a));
    expect_equal(s, "(a + b) + c = a + (b + c)", g, add(s, g, add(s, g, a, b), c), add(s, g, a, add(s, g, b, c)));
    expect_equal(s, "a + 0 = a", g, add(s, g, a, infinity), a);
    expect_equal(s, "0 + a = a", g, add(s, g, infinity, a), a);
    expect_equal(s, "a - a = 0", g, add(s, g, a, negative(s, g, a)), infinity);
    expect_equal(s, "r a = 0", g, multiply(s, g, a, s->r), infinity);
    const point ka = multiply(s, g, a, k);
    const point ma = multiply(s, g, a, m);
    expect_equal(s, "k (a + b) = k a + k b", g, multiply(s, g, add(s, g, a, b), k),
                 add(s, g, ka, multiply(s, g, b, k)));
    expect_equal(s, "k (m a) = m (k a)", g, multiply(s, g, ma, k), multiply(s, g, ka, m));
    mpz_add(k, k, m);
    mpz_mod(k, k, s->r);
    expect_equal(s, "(k + m) a = k a + m a", g, multiply(s, g, a, k), add(s, g, ka, ma));
    mpz_set_ui(k, 2);
    expect_equal(s, "2 a = a + a", g, multiply(s, g, a, k), add(s, g, a, a));
    mpz_clears(k, m, NULL);
}

/* The multiple by nothing but additions. */
static point double_and_add(const run_state *s, const group *g, point a, const mpz_t scalar)
{
    point r = infinity;
    for (size_t i = mpz_sizeinbase(scalar, 2); i-- > 0;) {
        r = add(s, g, r, r);
        if (mpz_tstbit(scalar, i) != 0) {
            r = add(s, g, r, a);
        }
    }
    return r;
}

/* Among the terms are equal and opposite points, infinity, and zeros; the number is on both sides of each threshold. */
static void check_sums(run_state *s, const group *g)
{
    point points[MOST_TERMS];
    mpz_t scalars[MOST_TERMS];
    point expected = infinity;
    const uint64_t shape = next_random(s) % 3;
    const size_t count = 1 + next_random(s) % (shape == 0 ? MOST_TERMS : 4);
    for (size_t i = 0; i < count; ++i) {
        const uint64_t kind = next_random(s) % 8;
        mpz_init(scalars[i]);
        random_scalar(s, scalars[i]);
        points[i] = kind == 0             ? infinity
                    : kind < 3 && i != 0  ? points[next_random(s) % i]
                    : kind == 3 && i != 0 ? negative(s, g, points[i - 1])
                                          : random_point(s, g);
        if (kind == 3 && i != 0 && next_random(s) % 2 == 0) {
            mpz_set(scalars[i], scalars[i - 1]); /* the two cancel */
        }
        expected = add(s, g, expected, double_and_add(s, g, points[i], scalars[i]));
    }
    expect_equal(s, "sum of multiples", g, sum(s, g, count, points, scalars), expected);
    for (size_t i = 0; i < count; ++i) {
        mpz_clear(scalars[i]);
    }
}

/* x^3 + 4 = y^2 for a random x: a point of the curve, hardly ever one of the subgroup. */
static void random_curve_point(run_state *s, mpz_t x, mpz_t y)
{
    mpz_t e;
    mpz_t t;
    mpz_inits(e, t, NULL);
    mpz_add_ui(e, s->p, 1);
    mpz_fdiv_q_2exp(e, e, 2); /* p = 3 mod 4 */
    do {
        random_number(s, x, 384);
        mpz_mod(x, x, s->p);
        mpz_powm_ui(t, x, 3, s->p);
        mpz_add_ui(t, t, 4);
        mpz_mod(t, t, s->p);
        mpz_powm(y, t, e, s->p);
        mpz_mul(e, y, y);
        mpz_mod(e, e, s->p);
        mpz_sub(t, t, e);
        mpz_add_ui(e, s->p, 1);
        mpz_fdiv_q_2exp(e, e, 2);
    } while (mpz_sgn(t) != 0);
    mpz_clears(e, t, NULL);
}

/* Addition in all of the curve, by the textbook's formula; and the refusal of points outside the subgroup elsewhere. */
static void check_outside_subgroup(run_state *s)
{
    uint8_t input[2 * G1] = {0};
    mpz_t x[3];
    mpz_t y[3];
    mpz_t slope;
    mpz_t t;
    point expected = infinity;
    mpz_inits(x[0], x[1], x[2], y[0], y[1], y[2], slope, t, NULL);
    for (size_t i = 0; i < 2; ++i) {
        random_curve_point(s, x[i], y[i]);
        to_bytes(input + i * G1, FP, x[i]);
        to_bytes(input + i * G1 + FP, FP, y[i]);
    }
    mpz_sub(t, x[1], x[0]);
    assert_int_not_equal(mpz_invert(t, t, s->p), 0);
    mpz_sub(slope, y[1], y[0]);
    mpz_mul(slope, slope, t);
    mpz_mul(x[2], slope, slope);
    mpz_sub(x[2], x[2], x[0]);
    mpz_sub(x[2], x[2], x[1]);
    mpz_mod(x[2], x[2], s->p);
    mpz_sub(t, x[0], x[2]);
    mpz_mul(y[2], slope, t);
    mpz_sub(y[2], y[2], y[0]);
    mpz_mod(y[2], y[2], s->p);
    to_bytes(expected.bytes, FP, x[2]);
    to_bytes(expected.bytes + FP, FP, y[2]);
    expect_equal(s, "addition against GMP", &groups[0], call_point(s, groups[0].add, input, 2 * G1, G1), expected);
    memset(input + G1, 0, SCALAR);
    assert_int_equal(call(groups[0].msm, CEVM_PRAGUE, input, G1 + SCALAR).status, CEVM_PRECOMPILE_FAIL);
    mpz_clears(x[0], x[1], x[2], y[0], y[1], y[2], slope, t, NULL);
}

static bool pairs_to_one(const run_state *s, const uint8_t *input, size_t pairs)
{
    const point r = call_point(s, 0x0f, input, pairs * (G1 + G2), 32);
    return r.bytes[31] == 1;
}

/* Pairs (k a, m b) and (-k m a, b), all mixed up with infinities, give 1; with one of them left out they do not. */
static void check_pairing(run_state *s)
{
    static uint8_t input[MOST_PAIRS * (G1 + G2)];
    const size_t couples = 1 + next_random(s) % (MOST_PAIRS / 2);
    mpz_t k;
    mpz_t m;
    mpz_inits(k, m, NULL);
    memset(input, 0, sizeof input);
    for (size_t i = 0; i < couples; ++i) {
        uint8_t *at = input + 2 * i * (G1 + G2);
        const point a = random_point(s, &groups[0]);
        const point b = random_point(s, &groups[1]);
        random_scalar(s, k);
        random_scalar(s, m);
        if (i == 0) { /* the last law needs a pair that is not 1 */
            mpz_set_ui(k, 3);
            mpz_set_ui(m, 5);
        }
        memcpy(at, multiply(s, &groups[0], a, k).bytes, G1);
        memcpy(at + G1, multiply(s, &groups[1], b, m).bytes, G2);
        mpz_mul(k, k, m);
        mpz_mod(k, k, s->r);
        at += G1 + G2;
        memcpy(at, negative(s, &groups[0], multiply(s, &groups[0], a, k)).bytes, G1);
        memcpy(at + G1, b.bytes, G2);
    }
    if (!pairs_to_one(s, input, 2 * couples)) {
        fail_msg("the pairing is not bilinear: SEED=%" PRIu64, s->seed);
    }
    memset(input, 0, G1);
    if (pairs_to_one(s, input, 2 * couples)) {
        fail_msg("the pairing is degenerate: SEED=%" PRIu64, s->seed);
    }
    mpz_clears(k, m, NULL);
}

static void test_group_laws(void **state)
{
    run_state *s = *state;
    for (uint64_t i = 0; i < s->iterations; ++i) {
        check_laws(s, &groups[0]);
        check_laws(s, &groups[1]);
        check_outside_subgroup(s);
    }
}

static void test_sums_of_multiples(void **state)
{
    run_state *s = *state;
    for (uint64_t i = 0; i < s->iterations; ++i) {
        check_sums(s, &groups[i % 2]);
    }
}

static void test_pairing_is_bilinear(void **state)
{
    run_state *s = *state;
    for (uint64_t i = 0; i < s->iterations; ++i) {
        check_pairing(s);
    }
}

static int set_up(void **state)
{
    static run_state s;
    s.seed = random_seed();
    s.iterations = random_setting("ITERATIONS", 60);
    s.random = s.seed;
    (void)printf("test_bls12_381: SEED=%" PRIu64 "\n", s.seed);
    mpz_init_set_str(
        s.p, "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab", 16);
    mpz_init_set_str(s.r, "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001", 16);
#ifdef CEVM_NO_BLST
    s.iterations = 0; /* a build without the contracts */
    (void)puts("built without blst: nothing to test");
#endif
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
        cmocka_unit_test(test_group_laws),
        cmocka_unit_test(test_sums_of_multiples),
        cmocka_unit_test(test_pairing_is_bilinear),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
