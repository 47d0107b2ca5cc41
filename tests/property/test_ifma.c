/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arithmetic in vectors against the same in scalars: Fp12 over BN254 against our own, Fp12 and membership in G1 and G2 of BLS12-381
 * against blst, on numbers that are often at the ends of their range; and inverses and signed digits over BLS12-381. SEED=
 * repeats a run, ITERATIONS= lengthens it. A processor without the instructions has only the latter two to test.
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

#include "precompiles/crypto/bls12_ifma.h"
#include "precompiles/crypto/bn254_ifma.h"
#include "precompiles/crypto/bn254_pairing.h"
#include "tests/property/random.h"

typedef struct run_state {
    uint64_t seed;
    uint64_t random;
    uint64_t iterations;
} run_state;

enum { STEPS = 12 };

static uint64_t next_random(run_state *s) { return random_next(&s->random); }

/* A number below the modulus: one in four is 0, 1, or within 2 of the modulus; others have limbs that are all zeros or ones. */
static void random_number(run_state *s, uint64_t *limbs, const uint64_t *modulus, size_t count)
{
    const uint64_t kind = next_random(s) % 16;
    if (kind < 4) {
        memset(limbs, 0, count * sizeof *limbs);
        if (kind < 2) {
            limbs[0] = kind;
        } else {
            memcpy(limbs, modulus, count * sizeof *limbs);
            limbs[0] -= kind - 1;
        }
        return;
    }
    for (size_t i = 0; i < count; ++i) {
        const uint64_t v = next_random(s);
        const uint64_t shape = next_random(s) % 6;
        limbs[i] = shape == 0 ? 0 : shape == 1 ? UINT64_MAX : v;
    }
    limbs[count - 1] %= modulus[count - 1]; /* below the modulus by its highest limb alone */
}

#define EXPECT(condition, what)                             \
    do {                                                    \
        if (!(condition)) {                                 \
            fail_msg("%s: SEED=%" PRIu64, what, (s)->seed); \
        }                                                   \
    } while (0)

#if CEVM_BN254_IFMA

static void random_fp12(run_state *s, fp12 *a)
{
    for (int i = 0; i < 12; ++i) {
        random_number(s, a->c[i / 6].c[i / 2 % 3].c[i % 2].l, fp_modulus.l, 4);
    }
}

/* Both forms go through the same products, squares and conjugates, and come out the same. */
static void check_bn254_products(run_state *s)
{
    fp12 a;
    fp12 b;
    fp12 back;
    ifma_fp12 v;
    ifma_fp12 w;
    random_fp12(s, &a);
    cevm_bn254_ifma_from(&v, &a);
    cevm_bn254_ifma_to(&back, &v);
    EXPECT(cevm_fp12_equal(&a, &back), "to vectors and back");
    for (int i = 0; i < STEPS; ++i) {
        fp12_line line;
        random_fp12(s, &b);
        cevm_bn254_ifma_from(&w, &b);
        line = (fp12_line){b.c[0].c[0], b.c[0].c[1], b.c[1].c[2]};
        switch (next_random(s) % 4) {
        case 0:
            cevm_bn254_ifma_conjugate(&w, &w);
            cevm_fp12_conjugate(&b, &b);
            cevm_bn254_ifma_mul(&v, &v, &w);
            cevm_fp12_mul(&a, &a, &b);
            break;
        case 1:
            cevm_bn254_ifma_mul(&v, &v, &v);
            cevm_fp12_sqr(&a, &a);
            break;
        case 2:
            cevm_bn254_ifma_mul_line(&v, &v, &line);
            cevm_fp12_mul_line(&a, &a, &line);
            break;
        default:
            cevm_bn254_ifma_conjugate(&v, &v);
            cevm_fp12_conjugate(&a, &a);
            break;
        }
        cevm_bn254_ifma_to(&back, &v);
        EXPECT(cevm_fp12_equal(&a, &back), "products over BN254");
    }
}

static void check_bn254_cyclotomic(run_state *s)
{
    fp12 a;
    fp12 back;
    ifma_fp12 v;
    const unsigned times = 1 + (unsigned)(next_random(s) % 9);
    do {
        random_fp12(s, &a);
        cevm_fp12_inv(&back, &a);
        cevm_fp12_mul(&back, &back, &a);
    } while (!cevm_fp12_is_one(&back));
    cevm_bn254_final_exponentiation(&a, &a);
    cevm_bn254_ifma_from(&v, &a);
    if (next_random(s) % 2 == 0) {
        cevm_bn254_ifma_conjugate(&v, &v);
        cevm_fp12_conjugate(&a, &a);
    }
    cevm_bn254_ifma_sqr_cyclotomic(&v, &v, times);
    for (unsigned i = 0; i < times; ++i) {
        cevm_fp12_sqr(&a, &a);
    }
    cevm_bn254_ifma_to(&back, &v);
    EXPECT(cevm_fp12_equal(&a, &back), "cyclotomic squares over BN254");
}

static void test_bn254(void **state)
{
    run_state *s = *state;
    for (uint64_t i = 0; i < s->iterations && cevm_bn254_has_ifma(); ++i) {
        check_bn254_products(s);
        check_bn254_cyclotomic(s);
    }
}

#else

static void test_bn254(void **state) { (void)state; }

#endif

#ifndef CEVM_NO_BLST

static void random_fp(run_state *s, blst_fp *a)
{
    static const uint64_t modulus[6] = {0xb9feffffffffaaab, 0x1eabfffeb153ffff, 0x6730d2a0f6b0f624,
                                        0x64774b84f38512bf, 0x4b1ba7b6434bacd7, 0x1a0111ea397fe69a};
    uint64_t limbs[6];
    random_number(s, limbs, modulus, 6);
    memcpy(a, limbs, sizeof *a); /* as blst holds it */
}

static void test_bls12_inverse(void **state)
{
    run_state *s = *state;
    for (uint64_t i = 0; i < 20 * s->iterations; ++i) {
        blst_fp2 a;
        blst_fp2 ours;
        blst_fp2 theirs;
        random_fp(s, &a.fp[0]);
        random_fp(s, &a.fp[1]);
        cevm_bls12_fp_inverse(&ours.fp[0], &a.fp[0]);
        blst_fp_eucl_inverse(&theirs.fp[0], &a.fp[0]);
        EXPECT(memcmp(&ours.fp[0], &theirs.fp[0], sizeof a.fp[0]) == 0, "inverse in Fp");
        cevm_bls12_fp2_inverse(&ours, &a);
        blst_fp2_eucl_inverse(&theirs, &a);
        EXPECT(memcmp(&ours, &theirs, sizeof ours) == 0, "inverse in Fp2");
    }
}

/* The digits make up the scalar modulo r, are odd, and below 8. */
static void test_signed_quarters(void **state)
{
    run_state *s = *state;
    mpz_t order;
    mpz_t parameter;
    mpz_t expected;
    mpz_t sum;
    mpz_init_set_str(order, "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001", 16);
    mpz_init_set_str(parameter, "d201000000010000", 16);
    mpz_inits(expected, sum, NULL);
    for (uint64_t i = 0; i < 20 * s->iterations; ++i) {
        static const uint64_t top[4] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
        uint64_t limbs[4];
        uint8_t scalar[32];
        int8_t digit[CEVM_BLS12_DIGITS][4];
        random_number(s, limbs, top, 4);
        mpz_import(expected, 4, -1, 8, 0, 0, limbs);
        for (size_t k = 0; k < 32; ++k) {
            scalar[k] = (uint8_t)(limbs[3 - k / 8] >> (56 - 8 * (k % 8)));
        }
        const size_t rows = cevm_bls12_signed_quarters(digit, scalar);
        mpz_set_ui(sum, 0);
        for (size_t base = 4; base-- > 0;) {
            mpz_t part;
            mpz_init(part);
            for (size_t k = rows; k-- > 0;) {
                const int d = digit[k][base];
                EXPECT(d == 0 || (d % 2 != 0 && d < 8 && d > -8), "a digit");
                mpz_mul_2exp(part, part, 1);
                if (d < 0) {
                    mpz_sub_ui(part, part, (unsigned long)-d);
                } else {
                    mpz_add_ui(part, part, (unsigned long)d);
                }
            }
            mpz_mul(sum, sum, parameter);
            mpz_add(sum, sum, part);
            mpz_clear(part);
        }
        EXPECT(mpz_congruent_p(sum, expected, order), "signed digits");
    }
    mpz_clears(order, parameter, expected, sum, NULL);
}

#endif

#if CEVM_BLS12_IFMA

static void random_blst_fp12(run_state *s, blst_fp12 *a)
{
    for (int i = 0; i < 12; ++i) {
        random_fp(s, &a->fp6[i / 6].fp2[i / 2 % 3].fp[i % 2]);
    }
}

/* The line's coefficients scaled as the place asks, for blst. */
static void scale_line(blst_fp6 *scaled, const blst_fp6 *line, const blst_fp *x, const blst_fp *y)
{
    *scaled = *line;
    for (int i = 0; i < 2; ++i) {
        blst_fp_mul(&scaled->fp2[1].fp[i], &line->fp2[1].fp[i], x);
        blst_fp_mul(&scaled->fp2[2].fp[i], &line->fp2[2].fp[i], y);
    }
}

static void check_bls12_step(run_state *s, blst_fp12 *a, cevm_ifma_fp12 *v)
{
    blst_fp12 b;
    blst_fp6 line;
    cevm_ifma_fp12 w;
    cevm_ifma_place place;
    uint64_t words[24];
    random_blst_fp12(s, &b);
    const blst_fp x = b.fp6[1].fp2[0].fp[0];
    const blst_fp y = b.fp6[1].fp2[1].fp[1];
    switch (next_random(s) % 5) {
    case 0:
        cevm_ifma_fp12_from_blst(&w, &b);
        cevm_ifma_fp12_conjugate(&w, &w);
        blst_fp12_conjugate(&b);
        cevm_ifma_fp12_mul(v, v, &w);
        blst_fp12_mul(a, a, &b);
        break;
    case 1:
        cevm_ifma_fp12_sqr(v, v);
        blst_fp12_sqr(a, a);
        break;
    case 2:
        cevm_ifma_place_set(&place, &x, &y);
        cevm_ifma_fp12_mul_line(v, v, &b.fp6[0], &place);
        scale_line(&line, &b.fp6[0], &x, &y);
        blst_fp12_mul_by_xy00z0(a, a, &line);
        break;
    case 3:
        cevm_ifma_place_set(&place, &x, &y);
        memcpy(words, &b.fp6[0].fp2[1], sizeof words);
        cevm_ifma_fp12_mul_unit_line(v, v, words, &place);
        b.fp6[0].fp2[0] = blst_fp12_one()->fp6[0].fp2[0];
        scale_line(&line, &b.fp6[0], &x, &y);
        blst_fp12_mul_by_xy00z0(a, a, &line);
        break;
    default:
        cevm_ifma_fp12_conjugate(v, v);
        blst_fp12_conjugate(a);
        break;
    }
}

static void check_bls12_fp12(run_state *s)
{
    blst_fp12 a;
    blst_fp12 back;
    cevm_ifma_fp12 v;
    random_blst_fp12(s, &a);
    cevm_ifma_fp12_from_blst(&v, &a);
    for (int i = 0; i < STEPS; ++i) {
        cevm_ifma_fp12_to_blst(&back, &v);
        EXPECT(blst_fp12_is_equal(&a, &back), "products over BLS12-381");
        check_bls12_step(s, &a, &v);
    }
    do {
        random_blst_fp12(s, &a);
        blst_fp12_inverse(&back, &a);
        blst_fp12_mul(&back, &back, &a);
    } while (!blst_fp12_is_one(&back));
    blst_final_exp(&a, &a);
    cevm_ifma_fp12_from_blst(&v, &a);
    const unsigned times = 1 + (unsigned)(next_random(s) % 9);
    cevm_ifma_fp12_sqr_cyclotomic(&v, &v, times);
    for (unsigned i = 0; i < times; ++i) {
        blst_fp12_sqr(&a, &a);
    }
    cevm_ifma_fp12_to_blst(&back, &v);
    EXPECT(blst_fp12_is_equal(&a, &back), "cyclotomic squares over BLS12-381");
}

/* A point of the curve: of G1, or hardly ever, or of order 3, for x = 0 gives 2 and -2. */
static void random_point(run_state *s, blst_p1_affine *point, bool inside)
{
    blst_fp four;
    blst_fp t;
    const uint64_t number[6] = {4, 0, 0, 0, 0, 0};
    blst_fp_from_uint64(&four, number);
    if (inside) {
        blst_p1 p;
        random_fp(s, &t);
        blst_map_to_g1(&p, &t, NULL);
        blst_p1_to_affine(point, &p);
        return;
    }
    do {
        random_fp(s, &point->x);
        blst_fp_sqr(&t, &point->x);
        blst_fp_mul(&t, &t, &point->x);
        blst_fp_add(&t, &t, &four);
    } while (!blst_fp_sqrt(&point->y, &t));
}

/* The same of the twist. */
static void random_twist_point(run_state *s, blst_p2_affine *point, bool inside)
{
    blst_fp2 four;
    blst_fp2 t;
    const uint64_t number[6] = {4, 0, 0, 0, 0, 0};
    blst_fp_from_uint64(&four.fp[0], number);
    four.fp[1] = four.fp[0];
    if (inside) {
        blst_p2 p;
        random_fp(s, &t.fp[0]);
        random_fp(s, &t.fp[1]);
        blst_map_to_g2(&p, &t, NULL);
        blst_p2_to_affine(point, &p);
        return;
    }
    do {
        random_fp(s, &point->x.fp[0]);
        random_fp(s, &point->x.fp[1]);
        blst_fp2_sqr(&t, &point->x);
        blst_fp2_mul(&t, &t, &point->x);
        blst_fp2_add(&t, &t, &four);
    } while (!blst_fp2_sqrt(&point->y, &t));
}

static void check_bls12_twist_subgroup(run_state *s)
{
    blst_p2_affine points[8];
    const size_t count = 1 + next_random(s) % 8;
    const size_t odd_one = next_random(s) % (2 * count);
    for (size_t i = 0; i < count; ++i) {
        random_twist_point(s, &points[i], i != odd_one);
    }
    EXPECT(odd_one >= count || !blst_p2_affine_in_g2(&points[odd_one]), "a point outside G2");
    EXPECT(cevm_ifma_g2_in_subgroup(points, count) == (odd_one >= count), "membership in G2");
}

static void check_bls12_subgroup(run_state *s)
{
    blst_p1_affine points[8];
    const size_t count = 1 + next_random(s) % 8;
    const size_t odd_one = next_random(s) % (2 * count); /* if there is one */
    bool expected = true;
    for (size_t i = 0; i < count; ++i) {
        random_point(s, &points[i], i != odd_one);
        expected = expected && blst_p1_affine_in_g1(&points[i]);
    }
    EXPECT(cevm_ifma_g1_in_subgroup(points, count) == expected, "membership in G1");
    EXPECT(odd_one >= count || !expected, "a point outside G1");
}

static void test_bls12(void **state)
{
    run_state *s = *state;
    for (uint64_t i = 0; i < s->iterations && cevm_bls12_has_ifma(); ++i) {
        check_bls12_fp12(s);
        check_bls12_subgroup(s);
        check_bls12_twist_subgroup(s);
    }
}

#else

static void test_bls12(void **state) { (void)state; }

#endif

static int set_up(void **state)
{
    static run_state s;
    s.seed = random_seed();
    s.iterations = random_setting("ITERATIONS", 300);
    s.random = s.seed;
    (void)printf("test_ifma: SEED=%" PRIu64 "\n", s.seed);
    *state = &s;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bn254),
        cmocka_unit_test(test_bls12),
#ifndef CEVM_NO_BLST
        cmocka_unit_test(test_bls12_inverse),
        cmocka_unit_test(test_signed_quarters),
#endif
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
