/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EIP-7951: signatures on secp256r1 at 0x100. The EIP's own file of vectors (Wycheproof's and its own), and the bounds that
 * libcrypto does not check. The signature below is case #1 of Wycheproof's ecdsa_secp256r1_sha256_p1363 tests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/precompile_vectors.h"

/* clang-format off */
#define HASH "bb5a52f42f9c9261ed4361f59422a1e30036e7c32b270c8807a419feca605023"
#define OTHER_HASH "bb5a52f42f9c9261ed4361f59422a1e30036e7c32b270c8807a419feca605022"
#define R "2ba3a8be6b94d5ec80a6d9d1190a436effe50d85a1eee859b8cc6af9bd5c2e18"
#define S "4cd60b855d442f5b3c7b11eb6c4e0ae7525fe710fab9aa7c77a67f79e6fadd76"
#define MINUS_S "b329f479a2bbd0a5c384ee1493b1f5186a87139cac5df4087c134b49156847db"
#define X "2927b10512bae3eddcfe467828128bad2903269919f7086069c8c4df6c732838"
#define Y "c7787964eaac00e5921fb1498a60f4606766b3d9685001558d1a974e7341513e"
#define ZERO "0000000000000000000000000000000000000000000000000000000000000000"
#define MAX "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
#define ORDER "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
#define MODULUS "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"
/* Wycheproof's #113: k*G has a large x-coordinate. */
#define LARGE_X_INPUT \
    "bb5a52f42f9c9261ed4361f59422a1e30036e7c32b270c8807a419feca605023" \
    "000000000000000000000000000000004319055358e8617b0c46353d039cdaab" \
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc63254e" \
    "0ad99500288d466940031d72a9f5445a4d43784640855bf0a69874d2de5fe103" \
    "c5011e6ef2c42dcd50d5d3d29f99ae6eba2c80c9244f4c5422f0979ff0c3ba5e"
/* The same with r + n for r. */
#define LARGE_X_NOT_REDUCED \
    "bb5a52f42f9c9261ed4361f59422a1e30036e7c32b270c8807a419feca605023" \
    "ffffffff00000001000000000000000000000000fffffffffffffffffffffffc" \
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc63254e" \
    "0ad99500288d466940031d72a9f5445a4d43784640855bf0a69874d2de5fe103" \
    "c5011e6ef2c42dcd50d5d3d29f99ae6eba2c80c9244f4c5422f0979ff0c3ba5e"
/* Wycheproof's #214: y-coordinate of the public key is small. */
#define SMALL_Y_INPUT \
    "2f77668a9dfbf8d5848b9eeb4a7145ca94c6ed9236e4a773f6dcafa5132b2f91" \
    "31230428405560dcb88fb5a646836aea9b23a23dd973dcbe8014c87b8b20eb07" \
    "0f9344d6e812ce166646747694a41b0aaf97374e19f3c5fb8bd7ae3d9bd0beff" \
    "bcbb2914c79f045eaa6ecbbc612816b3be5d2d6796707d8125e9f851c18af015" \
    "000000001352bb4a0fa2ea4cceb9ab63dd684ade5a1127bcf300a698a7193bc2"
/* The same with y + p for y. */
#define SMALL_Y_NOT_REDUCED \
    "2f77668a9dfbf8d5848b9eeb4a7145ca94c6ed9236e4a773f6dcafa5132b2f91" \
    "31230428405560dcb88fb5a646836aea9b23a23dd973dcbe8014c87b8b20eb07" \
    "0f9344d6e812ce166646747694a41b0aaf97374e19f3c5fb8bd7ae3d9bd0beff" \
    "bcbb2914c79f045eaa6ecbbc612816b3be5d2d6796707d8125e9f851c18af015" \
    "ffffffff1352bb4b0fa2ea4cceb9ab63dd684adf5a1127bcf300a698a7193bc1"
/* The key is the generator and the hash is -r: both multiples cancel. */
#define INFINITY_INPUT \
    "d45c5740946b2a147f59262ee6f5bc90bd01ed280528b62b3aed5fc93f06f739" \
    "2ba3a8be6b94d5ec80a6d9d1190a436effe50d85a1eee859b8cc6af9bd5c2e18" \
    "4cd60b855d442f5b3c7b11eb6c4e0ae7525fe710fab9aa7c77a67f79e6fadd76" \
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296" \
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
/* clang-format on */

static const char one[] = "0000000000000000000000000000000000000000000000000000000000000001";

static void expect(const char *input, const char *output)
{
    const call_result r = call_hex(0x100, CEVM_OSAKA, input);
    assert_int_equal(r.gas, 6900);
    expect_output(r, output);
}

/* The prices in the file, 3450, are those of an earlier draft; the EIP says 6900. */
static void test_eip7951_vectors(void **state)
{
    (void)state;
    run_vectors("EIP-assets/assets/eip-7951/test-vectors.json", 0x100, CEVM_OSAKA, 781, 6900);
}

static void test_valid_and_malleable(void **state)
{
    (void)state;
    expect(HASH R S X Y, one);
    expect(HASH R MINUS_S X Y, one); /* -s is as good; only Ethereum's own signatures must have the smaller one */
    expect(OTHER_HASH R S X Y, "");
}

static void test_lengths(void **state)
{
    (void)state;
    expect("", "");
    expect(HASH R S X, "");
    expect(HASH R S X Y "00", "");
    expect(HASH R S X Y X, "");
}

/* Regression 28: r and s at and beyond their bounds, coordinates that are not reduced, infinity, points off the curve. */
static void test_regression_28_p256_bounds(void **state)
{
    (void)state;
    static const char *const refused[] = {
        HASH ZERO S X Y,  HASH R ZERO X Y,  HASH ORDER S X Y,    HASH R ORDER X Y,    HASH R S ZERO ZERO,
        HASH R S X ZERO,  HASH R S ZERO Y,  HASH R S MODULUS Y,  HASH R S X MODULUS,  HASH R S Y X,
        HASH R S MAX MAX, HASH MAX MAX X Y, LARGE_X_NOT_REDUCED, SMALL_Y_NOT_REDUCED,
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; ++i) {
        expect(refused[i], "");
    }
}

/* The x of the sum is r + n: it is r modulo n. And a sum that is infinity verifies nothing. */
static void test_x_beyond_the_order_and_infinity(void **state)
{
    (void)state;
    expect(LARGE_X_INPUT, one);
    expect(SMALL_Y_INPUT, one);
    expect(INFINITY_INPUT, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eip7951_vectors),
        cmocka_unit_test(test_valid_and_malleable),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_regression_28_p256_bounds),
        cmocka_unit_test(test_x_beyond_the_order_and_infinity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
