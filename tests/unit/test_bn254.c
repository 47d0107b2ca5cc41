/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 0x06, 0x07, 0x08 (EIP-196, EIP-197): what they answer, what they refuse, and the relations that the tables of
 * precompiles/crypto/bn254_*.c were derived from, checked with GMP. Points and multiples come from the textbook formulas in
 * affine coordinates, computed in Python.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <gmp.h>

#include "precompiles/crypto/bn254_pairing.h"
#include "tests/unit/precompile_call.h"

#define ZERO    "0000000000000000000000000000000000000000000000000000000000000000"
#define ONE     "0000000000000000000000000000000000000000000000000000000000000001"
#define TWO     "0000000000000000000000000000000000000000000000000000000000000002"
#define MODULUS "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47"
#define ORDER   "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001"
#define ONES    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

/* The generators of EIP-197, -G1, 2 G1, 3 G1. */
#define G1       ONE TWO
#define MINUS_G1 ONE "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd45"
#define TWICE_G1                                                       \
    "030644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd3" \
    "15ed738c0e0a7c92e7845f96b2ae9c0a68a6a449e3538fc7ff3ebf7a5a18a2c4"
#define THRICE_G1                                                      \
    "0769bf9ac56bea3ff40232bcb1b6bd159315d84715b8e679f2d355961915abf0" \
    "2ab799bee0489429554fdb7c8d086475319e63b40b9c5b57cdf1ff3dd9fe2261"
#define G2_X                                                           \
    "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2" \
    "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"
#define G2_Y_I "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"
#define G2_Y_1 "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa"
#define G2     G2_X G2_Y_I G2_Y_1
#define NO_G1  ZERO ZERO
#define NO_G2  NO_G1 NO_G1

/* G1 times 0x123456789abcdef0fedcba9876543210. */
#define P                                                              \
    "1523bd49c35b1aea8830a43debc089447989415fae82f117b8a6cb9f6bb38b59" \
    "1a9bde814c5b4571221e206d66e070db650facf8679e4c3ffb381cb145ee901d"

enum { ADD = 0x06, MUL = 0x07, PAIRING = 0x08, PAIR_SIZE = 192 };

static void expect_refused(unsigned address, const char *input)
{
    assert_int_equal(call_hex(address, CEVM_OSAKA, input).status, CEVM_PRECOMPILE_FAIL);
}

static void expect(unsigned address, const char *input, const char *output)
{
    expect_output(call_hex(address, CEVM_OSAKA, input), output);
}

static void test_eip196_addition(void **state)
{
    (void)state;
    expect(ADD, G1 G1, TWICE_G1);
    expect(ADD, G1 TWICE_G1, THRICE_G1);
    expect(ADD, TWICE_G1 G1, THRICE_G1);
    expect(ADD, G1 MINUS_G1, NO_G1);
    expect(ADD, G1 NO_G1, G1);
    expect(ADD, NO_G1 G1, G1);
    expect(ADD, NO_G1 NO_G1, NO_G1);
}

static void test_eip196_input_lengths(void **state)
{
    (void)state;
    expect(ADD, "", NO_G1);
    expect(ADD, G1, G1);
    expect(ADD, G1 G1 "ff", TWICE_G1);
    expect(MUL, "", NO_G1);
    expect(MUL, G1, NO_G1);
    expect(MUL, G1 "00", NO_G1);
    expect(MUL, G1 TWO "ff", TWICE_G1);
    expect(MUL, G1 "0000000000000000000000000000000000000000000000000000000000000003" G1, THRICE_G1);
    expect_refused(ADD, ONE);
    expect_refused(MUL, ONE);
    expect(ADD, "00000000000000000000000000000000000000000000000000000000000000", NO_G1);
}

static void test_eip196_multiplication(void **state)
{
    (void)state;
    static const struct {
        const char *scalar;
        const char *product;
    } rows[] = {
        {ZERO, NO_G1},
        {ONE, P},
        {ORDER, NO_G1},
        {TWO, "22ab6c24f2f9559be218e9473ff8067ea6b0c8963cdb8a1c4c8d090f6c12c2d8"
              "2edb4260d8e571c675abfe2678e4449dd4a55a8a0e792210e5cf9fc9a3e8031f"},
        {"0000000000000000000000000000000000000000000000000000000000000003",
         "217cf0b32662f580618b14d176cc5e32a498a969b5fde2e01e34c00adb416602"
         "2282c7e6c046741c1ec6f1662e5a6f439d31b8852a1276cd1c2f5dd142df849a"},
        {"0000000000000000000000000000000080000000000000000000000000000000",
         "1c42a55320624a7769eb84c0225e55f9e406a5eaf734785b417c8fdea2022551"
         "2dcf4c1a4f42684b7dd84850ce79182cd942d33ce4f712f009e7878b222a9266"},
        {"00000000000000000000000000000000ffffffffffffffffffffffffffffffff",
         "272d0430c44359414a5fd034fdc075fb82e0f35eb21c43ec21659b320ffb0560"
         "223aadc3b6780f3c421b812b26285f90e5f3f3098720c4ba364439ec7985779f"},
        {"8000000000000000000000000000000000000000000000000000000000000001",
         "0735b1c9eac884a1d0982e8706d80bab38d647cbcd5e7b5857839bcb8d691a15"
         "08fe2001aab2c940b80d774f1d33b4d2cb38eafc5e7d76f46693e95ecd513d44"},
        {ONES, "09610e8ff098c8639a0c3334275c8539f91b04639b2416b38d9b6c42998b01e0"
               "072c448e6dc82b57f035bc18c0c9e71482a9e0bec7a3b0b460b894f95bee54ee"},
        {"30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000000",
         "1523bd49c35b1aea8830a43debc089447989415fae82f117b8a6cb9f6bb38b59"
         "15c86ff194d65ab8963225491aa0e7823271bd9900d37e4d40e86f65928e6d2a"},
        {"30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000003",
         "22ab6c24f2f9559be218e9473ff8067ea6b0c8963cdb8a1c4c8d090f6c12c2d8"
         "2edb4260d8e571c675abfe2678e4449dd4a55a8a0e792210e5cf9fc9a3e8031f"},
        {"0000000000000000b3c4d79d41a917585bfc41088d8daaa78b17ea66b99c90dd",
         "0c6a11f0e7f8c76a6a71a1c202e4db9dbe0ef4a5620d24ef0946c61dc459fd74"
         "1a9bde814c5b4571221e206d66e070db650facf8679e4c3ffb381cb145ee901d"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        char input[192 + 1];
        (void)snprintf(input, sizeof input, "%s%s", P, rows[i].scalar);
        expect(MUL, input, rows[i].product);
        (void)snprintf(input, sizeof input, "%s%s", NO_G1, rows[i].scalar);
        expect(MUL, input, NO_G1);
    }
}

static void test_coordinates_of_p_or_more_are_refused(void **state)
{
    (void)state;
    static const char *const points[] = {
        MODULUS TWO,     ONE MODULUS,
        MODULUS MODULUS, ZERO MODULUS,
        MODULUS ZERO,    ONES TWO,
        ONE ONES,        ONE "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd49", /* p + 2 */
    };
    char input[2 * PAIR_SIZE + 1];
    for (size_t i = 0; i < sizeof points / sizeof points[0]; ++i) {
        expect_refused(ADD, points[i]);
        (void)snprintf(input, sizeof input, "%s%s", G1, points[i]);
        expect_refused(ADD, input);
        (void)snprintf(input, sizeof input, "%s%s", points[i], ZERO);
        expect_refused(MUL, input);
        (void)snprintf(input, sizeof input, "%s%s", points[i], G2);
        expect_refused(PAIRING, input);
        (void)snprintf(input, sizeof input, "%s%s", points[i], NO_G2);
        expect_refused(PAIRING, input);
    }
    expect_refused(PAIRING, G1 MODULUS ZERO ZERO ZERO);
    expect_refused(PAIRING, G1 ZERO MODULUS ZERO ZERO);
    expect_refused(PAIRING, G1 ZERO ZERO MODULUS ZERO);
    expect_refused(PAIRING, G1 ZERO ZERO ZERO MODULUS);
    expect_refused(PAIRING, G1 G2_X G2_Y_I ONES);
    expect_refused(PAIRING, NO_G1 ZERO ZERO ZERO MODULUS);
}

static void test_points_off_the_curve_are_refused(void **state)
{
    (void)state;
    expect_refused(ADD, ONE ONE);
    expect_refused(ADD, G1 ONE ONE);
    expect_refused(ADD, ZERO ONE);
    expect_refused(ADD, ONE ZERO);
    expect_refused(MUL, ONE ONE ZERO);
    expect_refused(PAIRING, ONE ONE NO_G2);
    expect_refused(PAIRING, ONE ONE G2);
}

static void test_eip197_pairing(void **state)
{
    (void)state;
    expect(PAIRING, "", ONE);
    expect(PAIRING, G1 G2, ZERO);
    expect(PAIRING, G1 G2 MINUS_G1 G2, ONE);
    expect(PAIRING, G1 G2 G1 G2, ZERO);
    expect(PAIRING, G1 G2 G1 G2 MINUS_G1 G2 MINUS_G1 G2, ONE);
    expect(PAIRING, TWICE_G1 G2 MINUS_G1 G2 MINUS_G1 G2, ONE);
    expect(PAIRING, TWICE_G1 G2 G1 G2 MINUS_G1 G2 MINUS_G1 G2, ZERO);
    expect(PAIRING, NO_G1 G2, ONE);
    expect(PAIRING, G1 NO_G2, ONE);
    expect(PAIRING, NO_G1 NO_G2, ONE);
    expect(PAIRING, NO_G1 G2 G1 G2, ZERO);
    expect(PAIRING, G1 G2 G1 NO_G2, ZERO);
    expect(PAIRING, G1 G2 NO_G1 G2 MINUS_G1 G2 G1 NO_G2, ONE);
}

/* Regression 19: 32 bytes, whatever the answer. */
static void test_regression_19_pairing_output_size(void **state)
{
    (void)state;
    static const char *const inputs[] = {"", G1 G2, G1 G2 MINUS_G1 G2, NO_G1 NO_G2};
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; ++i) {
        const call_result r = call_hex(PAIRING, CEVM_BYZANTIUM, inputs[i]);
        assert_int_equal(r.status, CEVM_PRECOMPILE_OK);
        assert_int_equal(r.size, 32);
        free(r.output);
    }
}

static void test_eip197_lengths(void **state)
{
    (void)state;
    static uint8_t zeros[3 * PAIR_SIZE];
    for (size_t size = 1; size <= sizeof zeros; ++size) {
        const call_result r = call(PAIRING, CEVM_OSAKA, zeros, size);
        assert_int_equal(r.status, size % PAIR_SIZE == 0 ? CEVM_PRECOMPILE_OK : CEVM_PRECOMPILE_FAIL);
        free(r.output);
    }
    expect_refused(PAIRING, G1);
    expect_refused(PAIRING, G1 G2 "00");
}

/*
 * Regression 7 (CVE-2025-30147): a point must be on the twist and, besides, of order r. The points: off the twist; on it
 * with a random order; of each small prime order that divides its cofactor, where sums meet their exceptions; of the
 * cofactor's order; and the generator plus a point of order 10069.
 */
static void test_regression_7_points_outside_g2_are_refused(void **state)
{
    (void)state;
    static const char *const points[] = {
        G2_X G2_Y_I G2_Y_I,
        G2_X G2_Y_1 G2_Y_I,
        ONE ZERO ZERO ZERO,
        ZERO ZERO ZERO ONE,
        "23445bb31738f7d93d9c172411e20b8f6b0d549b6f03675a1600a35a099950d80dbd9d7381e74ef5e8e25d940ed904759531985d5d9dc9"
        "f81818e811892f902b2b1b84bfc21e1beb24c243d78e7708c13fe099648e4d401260947b0f23311ae8089640eb115c71746298ca6700be"
        "9c43b81165b9020638372942fd8b929a1fbf",
        "271d88a12f567cd289890e4f30ae7031f84370ef358a9d96e301a6b96907919c1546b074c0fff63fb27929d77e3c02b75f5990daf69b3f"
        "71b8ede38666add02c1f869e8af47c997233f8847078fa01d42ad4a6e07f8a8545211eef870769a9631c719213168b8d2b318dd8e61548"
        "5ef1b6f4d4197652f3b086a59366a3ca8556",
        "17a87b80be6448e59cbd54eeec0388ade81983594c7e47a93572443c1582919a055e93200467339eb8638c2ffbd45781ccf29c4d7e3c66"
        "5c020bcc67f4751d730655f38d928625a41ad3ac99093a337770cd6a11027b328961b24889bd86b3fb0000e9b6457e8f55d556e20c899a"
        "6835495bcadb6961c8d6e811886bf2909b95",
        "17918accfd42e3dd1a71b00799618cd5591f2b2bdbc7caa94e7a5fbf28d0a0e12d3c1883adb8b0cf61b835b236b12829991fe98de0e3a0"
        "98cfe7e1b551bc755a185a84da1bbe51993373c70f7012bcb850e4e243ed0e06a96f8c1d9139b6578703a7c355de6d576184dd27a99966"
        "66f1e5a16a7a5e3c689c1265f2b1c73c5b39",
        "0b1606447262ecd25b10189641a4904e34d932dc8fa94169caf48cbfca7924b928b2dfafc3622764ed3d35afb47ff8c626ce17b79c45a0"
        "5a637cfa5b6184ee5229d7b0507fae3330a39d71bc1d8822cc8f316faddda1c22d649eaed33fc41aa32c3a3089a01efbcca4d436a92acc"
        "71eb5ff37a704d319c70c335f0700d7a16cb",
    };
    for (size_t i = 0; i < sizeof points / sizeof points[0]; ++i) {
        char input[4 * PAIR_SIZE + 1];
        g2 q;
        size_t size = 0;
        uint8_t *bytes = bytes_of_hex(points[i], &size);
        assert_int_equal(size, 128);
        assert_int_equal(cevm_g2_from_bytes(&q, bytes), i >= 4);
        free(bytes);
        if (i >= 4) {
            assert_false(cevm_g2_in_subgroup(&q));
        }
        (void)snprintf(input, sizeof input, "%s%s", G1, points[i]);
        expect_refused(PAIRING, input);
        (void)snprintf(input, sizeof input, "%s%s", NO_G1, points[i]);
        expect_refused(PAIRING, input);
        (void)snprintf(input, sizeof input, "%s%s%s%s", G1, G2, G1, points[i]);
        expect_refused(PAIRING, input);
        (void)snprintf(input, sizeof input, "%s%s%s%s", G1, points[i], G1, G2);
        expect_refused(PAIRING, input);
    }
    g2 q;
    size_t size = 0;
    uint8_t *bytes = bytes_of_hex(G2, &size);
    assert_true(cevm_g2_from_bytes(&q, bytes));
    assert_true(cevm_g2_in_subgroup(&q));
    free(bytes);
}

/* Counts around the size of a batch: pairs of e(G1, G2) e(-G1, G2), then one that makes the product another than 1. */
static void test_many_pairs(void **state)
{
    (void)state;
    enum { MOST = 131 };
    static const size_t counts[] = {62, 63, 64, 65, 66, 127, 128, 129, 130, MOST};
    static uint8_t input[MOST * PAIR_SIZE];
    size_t size = 0;
    uint8_t *two = bytes_of_hex(G1 G2 MINUS_G1 G2, &size);
    uint8_t *infinity = bytes_of_hex(NO_G1 G2, &size);
    for (size_t i = 0; i < MOST; ++i) {
        memcpy(input + i * PAIR_SIZE, two + (i % 2) * PAIR_SIZE, PAIR_SIZE);
    }
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; ++i) {
        const size_t last = (counts[i] - 1) * PAIR_SIZE;
        expect_output(call(PAIRING, CEVM_OSAKA, input, counts[i] * PAIR_SIZE), counts[i] % 2 == 0 ? ONE : ZERO);
        uint8_t saved[PAIR_SIZE];
        memcpy(saved, input + last, PAIR_SIZE);
        memcpy(input + last, infinity, PAIR_SIZE);
        expect_output(call(PAIRING, CEVM_OSAKA, input, counts[i] * PAIR_SIZE), counts[i] % 2 == 0 ? ZERO : ONE);
        memcpy(input + last, saved, PAIR_SIZE);
    }
    const cevm_bytes largest = {input, sizeof input};
    assert_in_range(contract_at(PAIRING, CEVM_OSAKA)->cost(largest, CEVM_OSAKA).scratch_size, 1, 64 << 10);
    free(two);
    free(infinity);
}

/* The tables -------------------------------------------------------------------------------------------------------- */

/* p or r from the curve's parameter: 36x^4 + 36x^3 + middle x^2 + 6x + 1. */
static void polynomial(mpz_t out, unsigned long middle)
{
    const unsigned long coefficients[] = {36, 36, middle, 6, 1};
    mpz_t x;
    mpz_init_set_str(x, "4965661367192848881", 10);
    mpz_set_ui(out, 0);
    for (size_t i = 0; i < 5; ++i) {
        mpz_mul(out, out, x);
        mpz_add_ui(out, out, coefficients[i]);
    }
    mpz_clear(x);
}

static void fp2_power(fp2 *r, const fp2 *a, const mpz_t exponent)
{
    memset(r, 0, sizeof *r);
    r->c[0] = fp_one;
    for (size_t i = mpz_sizeinbase(exponent, 2); i-- > 0;) {
        cevm_fp2_sqr(r, r);
        if (mpz_tstbit(exponent, i) != 0) {
            cevm_fp2_mul(r, r, a);
        }
    }
}

static void test_moduli(void **state)
{
    (void)state;
    mpz_t expected;
    mpz_t v;
    mpz_inits(expected, v, NULL);
    polynomial(expected, 24);
    mpz_import(v, 4, -1, 8, 0, 0, fp_modulus.l);
    assert_int_equal(mpz_cmp(v, expected), 0);
    mpz_mul_2exp(expected, expected, 1);
    mpz_import(v, 4, -1, 8, 0, 0, fp_twice_modulus.l);
    assert_int_equal(mpz_cmp(v, expected), 0);
    polynomial(expected, 18);
    mpz_set_str(v, ORDER, 16);
    assert_int_equal(mpz_cmp(v, expected), 0);
    mpz_clears(expected, v, NULL);
}

/* (9 + i)^((p^k - 1) i / 6). */
static void test_frobenius_coefficients(void **state)
{
    (void)state;
    fp2 xi = {{fp_one, fp_one}};
    mpz_t p;
    mpz_t exponent;
    mpz_inits(p, exponent, NULL);
    polynomial(p, 24);
    for (int i = 0; i < 8; ++i) {
        fp_add(&xi.c[0], &xi.c[0], &fp_one);
    }
    for (unsigned power = 1; power <= 3; ++power) {
        for (unsigned i = 0; i < 6; ++i) {
            fp2 expected;
            mpz_pow_ui(exponent, p, power);
            mpz_sub_ui(exponent, exponent, 1);
            mpz_divexact_ui(exponent, exponent, 6);
            mpz_mul_ui(exponent, exponent, i);
            fp2_power(&expected, &xi, exponent);
            assert_true(fp2_equal(&expected, cevm_fp12_frobenius_coefficient(power, i)));
        }
    }
    mpz_clears(p, exponent, NULL);
}

/* beta^3 = 1 != beta, seen on the points; and lambda^2 + lambda + 1 = 0 mod r, which the multiplication above ties to it. */
static void test_endomorphism(void **state)
{
    (void)state;
    size_t size = 0;
    uint8_t *bytes = bytes_of_hex(P, &size);
    uint8_t out[64];
    static const uint64_t lambda[4] = {0x8b17ea66b99c90dd, 0x5bfc41088d8daaa7, 0xb3c4d79d41a91758, 0};
    g1 a;
    g1 image;
    g1 multiple;
    assert_true(cevm_g1_from_bytes(&a, bytes));
    cevm_g1_endomorphism(&image, &a);
    cevm_g1_mul(&multiple, &a, lambda);
    assert_true(fp_equal(&image.x, &multiple.x) && fp_equal(&image.y, &multiple.y));
    assert_false(fp_equal(&image.x, &a.x));
    cevm_g1_endomorphism(&image, &image);
    cevm_g1_endomorphism(&image, &image);
    cevm_g1_to_bytes(out, &image);
    assert_memory_equal(out, bytes, 64);
    free(bytes);
}

/* k1 + k2 lambda = k mod r and both are short, for the shortest and longest k and those around r and lambda. */
static void test_scalar_split(void **state)
{
    (void)state;
    static const char *const scalars[] = {
        ZERO,
        ONE,
        TWO,
        ONES,
        ORDER,
        MODULUS,
        "0000000000000000b3c4d79d41a917585bfc41088d8daaa78b17ea66b99c90dd",
        "0000000000000000b3c4d79d41a917585bfc41088d8daaa78b17ea66b99c90dc",
        "00000000000000000000000000000000ffffffffffffffffffffffffffffffff",
        "8000000000000000000000000000000000000000000000000000000000000000",
    };
    mpz_t k;
    mpz_t halves[2];
    mpz_t lambda;
    mpz_t order;
    mpz_inits(k, halves[0], halves[1], NULL);
    mpz_init_set_str(lambda, scalars[6], 16);
    mpz_init_set_str(order, ORDER, 16);
    for (size_t i = 0; i < sizeof scalars / sizeof scalars[0]; ++i) {
        uint64_t limbs[4] = {0};
        uint64_t split[2][3];
        mpz_set_str(k, scalars[i], 16);
        (void)mpz_export(limbs, NULL, -1, 8, 0, 0, k);
        cevm_g1_split(split[0], split[1], limbs);
        for (int n = 0; n < 2; ++n) {
            mpz_import(halves[n], 3, -1, 8, 0, 0, split[n]);
            if (split[n][2] >> 63 != 0) {
                mpz_t whole;
                mpz_init(whole);
                mpz_setbit(whole, 192);
                mpz_sub(halves[n], halves[n], whole);
                mpz_clear(whole);
            }
            assert_in_range(mpz_sizeinbase(halves[n], 2), 0, 129);
        }
        mpz_submul(k, lambda, halves[1]);
        mpz_sub(k, k, halves[0]);
        assert_true(mpz_divisible_p(k, order));
    }
    mpz_clears(k, halves[0], halves[1], lambda, order, NULL);
}

/* a^2 + a b t + b^2 p for the element c0 + c1 psi + c2 psi^2 + c3 psi^3 = a + b psi, where psi^2 = t psi - p. */
static void norm(mpz_t out, const mpz_t c0, const int c[3])
{
    mpz_t p;
    mpz_t t;
    mpz_t v[4];
    mpz_inits(p, t, NULL);
    polynomial(p, 24);
    polynomial(t, 18);
    mpz_sub(t, p, t);
    mpz_add_ui(t, t, 1); /* the order of the curve is p + 1 - t */
    mpz_init_set(v[0], c0);
    for (int i = 1; i < 4; ++i) {
        mpz_init_set_si(v[i], c[i - 1]);
    }
    for (int i = 3; i > 1; --i) {
        mpz_addmul(v[i - 1], v[i], t);
        mpz_submul(v[i - 2], v[i], p);
    }
    mpz_mul(out, v[0], v[0]);
    mpz_mul(t, t, v[0]);
    mpz_addmul(out, t, v[1]);
    mpz_mul(p, p, v[1]);
    mpz_addmul(out, p, v[1]);
    for (int i = 0; i < 4; ++i) {
        mpz_clear(v[i]);
    }
    mpz_clears(p, t, NULL);
}

/* What bn254_pairing.c says of its Miller loop: the sum that vanishes does so on G2 alone, and no sum has an exception. */
static void test_subgroup_criterion(void **state)
{
    (void)state;
    static const int closing[3] = {1, -1, 1};
    static const int others[4][3] = {{1, 0, 0}, {-1, 0, 0}, {1, 1, 0}, {1, -1, 0}};
    mpz_t order;
    mpz_t whole; /* (2p - r) r: how many points the twist has */
    mpz_t k;
    mpz_t end;
    mpz_t v;
    mpz_inits(order, whole, k, v, NULL);
    mpz_init_set_str(end, "29793968203157093288", 10); /* 6x + 2 */
    polynomial(order, 18);
    polynomial(whole, 24);
    mpz_mul_2exp(whole, whole, 1);
    mpz_sub(whole, whole, order);
    assert_false(mpz_divisible_p(whole, order));
    mpz_mul(whole, whole, order);
    norm(v, end, closing);
    mpz_gcd(v, v, whole);
    assert_int_equal(mpz_cmp(v, order), 0);
    for (int i = 0; i < 4; ++i) {
        norm(v, end, others[i]);
        mpz_gcd(v, v, whole);
        assert_int_equal(mpz_cmp_ui(v, 1), 0);
    }
    /* k, before the digit at place i is added: twice the number that the digits above it make. */
    for (size_t i = 0; i < 65; ++i) {
        mpz_mul_ui(k, end, 3); /* the digits are those of (3 end - end) / 2: prefixes of 3 end minus prefixes of end */
        mpz_fdiv_q_2exp(k, k, i + 2);
        mpz_fdiv_q_2exp(v, end, i + 2);
        mpz_sub(k, k, v);
        mpz_mul_2exp(k, k, 1);
        mpz_sub_ui(v, k, 1);
        for (int d = -1; d <= 1; ++d) {
            mpz_t common;
            mpz_init(common);
            mpz_gcd(common, v, whole);
            assert_int_equal(mpz_cmp_ui(common, 1), 0);
            mpz_clear(common);
            mpz_add_ui(v, v, 1);
        }
    }
    mpz_clears(order, whole, k, end, v, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eip196_addition),
        cmocka_unit_test(test_eip196_input_lengths),
        cmocka_unit_test(test_eip196_multiplication),
        cmocka_unit_test(test_coordinates_of_p_or_more_are_refused),
        cmocka_unit_test(test_points_off_the_curve_are_refused),
        cmocka_unit_test(test_eip197_pairing),
        cmocka_unit_test(test_regression_19_pairing_output_size),
        cmocka_unit_test(test_eip197_lengths),
        cmocka_unit_test(test_regression_7_points_outside_g2_are_refused),
        cmocka_unit_test(test_many_pairs),
        cmocka_unit_test(test_moduli),
        cmocka_unit_test(test_frobenius_coefficients),
        cmocka_unit_test(test_endomorphism),
        cmocka_unit_test(test_scalar_split),
        cmocka_unit_test(test_subgroup_criterion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
