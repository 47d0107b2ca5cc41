/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EIP-2537, the contracts on BLS12-381: the EIP's own vectors and geth's, which are where $CEVM_VECTORS_DIR says. Prices and
 * lengths are in test_precompiles.c, the laws of the groups in tests/property/test_bls12_381.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/precompile_vectors.h"

enum { G1ADD = 0x0b, G1MSM, G2ADD, G2MSM, PAIRING, MAP_G1, MAP_G2 };

#define EIP(name)  "EIP-assets/assets/eip-2537/" name "_bls.json"
#define GETH(name) "geth-testdata/core/vm/testdata/precompiles/" name ".json"

static void test_g1(void **state)
{
    (void)state;
    needs_blst();
    run_vectors(EIP("add_G1"), G1ADD, CEVM_PRAGUE, 9, 0);
    run_vectors(EIP("fail-add_G1"), G1ADD, CEVM_PRAGUE, 7, 0);
    run_vectors(EIP("mul_G1"), G1MSM, CEVM_PRAGUE, 11, 0);
    run_vectors(EIP("fail-mul_G1"), G1MSM, CEVM_PRAGUE, 8, 0);
    run_vectors(EIP("map_fp_to_G1"), MAP_G1, CEVM_PRAGUE, 5, 0);
    run_vectors(EIP("fail-map_fp_to_G1"), MAP_G1, CEVM_PRAGUE, 5, 0);
}

static void test_g2(void **state)
{
    (void)state;
    needs_blst();
    run_vectors(EIP("add_G2"), G2ADD, CEVM_PRAGUE, 9, 0);
    run_vectors(EIP("fail-add_G2"), G2ADD, CEVM_PRAGUE, 7, 0);
    run_vectors(EIP("mul_G2"), G2MSM, CEVM_PRAGUE, 11, 0);
    run_vectors(EIP("fail-mul_G2"), G2MSM, CEVM_PRAGUE, 8, 0);
    run_vectors(EIP("map_fp2_to_G2"), MAP_G2, CEVM_PRAGUE, 5, 0);
    run_vectors(EIP("fail-map_fp2_to_G2"), MAP_G2, CEVM_PRAGUE, 5, 0);
}

/* Regression 27: multi-exponentiations, with their prices. The EIP has no file of sums in G2 that succeed. */
static void test_regression_27_eip2537_multi_exponentiation(void **state)
{
    (void)state;
    needs_blst();
    run_vectors(EIP("msm_G1"), G1MSM, CEVM_PRAGUE, 163, 0);
    run_vectors(EIP("fail-msm_G1"), G1MSM, CEVM_PRAGUE, 8, 0);
    run_vectors(EIP("fail-msm_G2"), G2MSM, CEVM_PRAGUE, 8, 0);
}

static void test_pairing(void **state)
{
    (void)state;
    needs_blst();
    run_vectors(EIP("pairing_check"), PAIRING, CEVM_PRAGUE, 15, 0);
    run_vectors(EIP("fail-pairing_check"), PAIRING, CEVM_PRAGUE, 25, 0);
}

static void test_geth(void **state)
{
    (void)state;
    needs_blst();
    run_vectors(GETH("blsG1Mul"), G1MSM, CEVM_PRAGUE, 11, 0);
    run_vectors(GETH("blsG2Mul"), G2MSM, CEVM_PRAGUE, 11, 0);
    run_vectors(GETH("fail-blsG1Mul"), G1MSM, CEVM_PRAGUE, 7, 0);
    run_vectors(GETH("fail-blsG2Mul"), G2MSM, CEVM_PRAGUE, 7, 0);
}

/* Infinities need no vectors: they are zeros, and what they give is plain. */
static void test_infinities(void **state)
{
    (void)state;
    needs_blst();
    static const uint8_t zeros[20 * 384];
    static const struct {
        unsigned address;
        size_t size, output;
    } rows[] = {{G1ADD, 256, 128}, {G2ADD, 512, 256},  {G1MSM, 160, 128},       {G1MSM, (size_t)40 * 160, 128},
                {G2MSM, 288, 256}, {PAIRING, 384, 32}, {PAIRING, 20 * 384, 32}, {G2MSM, (size_t)20 * 288, 256}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        const call_result r = call(rows[i].address, CEVM_PRAGUE, zeros, rows[i].size);
        uint8_t expected[256] = {0};
        expected[31] = rows[i].address == PAIRING;
        assert_int_equal(r.status, CEVM_PRECOMPILE_OK);
        assert_int_equal(r.size, rows[i].output);
        assert_memory_equal(r.output, expected, r.size);
        free(r.output);
    }
}

#define G1_X                                                                                                           \
    "0000000000000000000000000000000017f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aef" \
    "fb3af00adb22c6bb"
#define G1_Y                                                                                                           \
    "0000000000000000000000000000000008b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae4" \
    "0caa232946c5e7e1"
#define G2_X0                                                                                                          \
    "00000000000000000000000000000000024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbef" \
    "d48056c8c121bdb8"
#define G2_X1                                                                                                          \
    "0000000000000000000000000000000013e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57" \
    "e5ac7d055d042b7e"
#define G2_Y0                                                                                                          \
    "000000000000000000000000000000000ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289" \
    "e193548608b82801"
#define G2_Y1                                                                                                          \
    "000000000000000000000000000000000606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab3f370d275cec1da1" \
    "aaa9075ff05f79be"

/*
 * Points of the curves whose order is a small prime, found by multiplying points with the rest of the curves' orders. They go
 * through the exceptions of the formulas for sums when membership is looked at. Additions know them, all else refuses them.
 */
static const struct small_order {
    int order;
    const char *point;
} small_orders[] = {
    {3, "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
        "00000000000000000000000000000000000000000000000000000000000000001a0111ea397fe69a4b1ba7b6434bacd7"
        "64774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaa9"},
    {11, "0000000000000000000000000000000019b3e2c8c6bbf59d3c326b531fc1e639d29200c28624ac604f251a12908c9b7f"
         "735318617f625954cc71cdf03229b1ef0000000000000000000000000000000015d1455562b9a28d0f11a69ecd34f5a8"
         "ade01df410168a09cf16ccfbcbfc69403c7c5771a05d217a122b795529939e03"},
    {10177, "00000000000000000000000000000000193b2cc2a8a222518a034a317b5739ccd4a649411687902474b6c8856f35d618"
            "539e97dafa1784403ae4bcd37562c2340000000000000000000000000000000010e65a0c79bf17f8e54b43641b540c35"
            "9525582f787dde24bcaa974ffd96252dfbc15b5c35b6662339ba7b300e597853"},
    {13, "0000000000000000000000000000000009c801b1c24e6662e6c94f9b8f0ac01768d0b974fe1ad3d3727c7afc77bafd60"
         "e086aeed8a678de31267be27fd73543b0000000000000000000000000000000003a58fd8e0c4b1a4025da5ca3176405e"
         "d7fa11dcf55003b1ceae958a7a62815f5f3a79792d91eebf83ccffc228784a4500000000000000000000000000000000"
         "0c3fb4169126d38f3c761513b8db8ef50b597fdecae99d587116975f6cb4cc664b4904adc4d043a1ceb49f566d2de75d"
         "00000000000000000000000000000000134387d7a75fe7e266d680c4b59af7e97aa125ac02132de4e35378973c34fb96"
         "e2e9b6c00d2b770590d9c67f680185d0"},
    {23, "000000000000000000000000000000000638b940ecce48354d0e83e95a7be7240bd81eb6ca0eb5c366d84ea781ba28ba"
         "7c8bdd979ad2d8ce62ebeb26d23d41320000000000000000000000000000000007c87d716ef538d3eea61dab0721766e"
         "ab305635aad4ee00a281de3aa148f69d6236c07134cc420b98621dafbf3e020100000000000000000000000000000000"
         "0c32675c4694c41a94cbbbc43d1629ba3e9d46f3bf5599ae61135718aa96b8df657409f96a53dd0a47dab8dd9b4b3494"
         "0000000000000000000000000000000005636a9b3443e2bac6df89147717614c8c779893b2aeaedb439e73ab8e5e5943"
         "ce78c58f7f9db8f93e1df43a54dda2a5"},
    {2713, "00000000000000000000000000000000171e9409628e388ef3f3cb5f81a8fc4b12fb25ebb44c6f3463ce9850b65141ba"
           "efcc9cd9cf6c1398d42278ae102a73e60000000000000000000000000000000000b76428a3cd28a1ac355a0de95661e3"
           "9361bde846dc485b50dbc13d06651b179bda29e2396cfc6690b7c3f6877108bc00000000000000000000000000000000"
           "02447973c83421295f4021d9a01e9da5844c84b5c94a78bb48566c6e9dfca33a5e768da767c1edf64f9b3ce8b2aecf0b"
           "000000000000000000000000000000000625644718d6503e13a1dd76a56e3d8b43fb94b280f64b558dc3489c9cd91c5f"
           "b08b48438f11da67b7e3f746e4fe26b2"},
};

/* A term with the point, alone and three times, must be refused. */
static void expect_refused(unsigned address, const char *before, const char *point, const char *after)
{
    char input[4 * 1024];
    for (int terms = 1; terms <= 3; terms += 2) {
        size_t at = 0;
        for (int i = 0; i < terms; ++i) {
            const int size = snprintf(input + at, sizeof input - at, "%s%s%s", before, point, after);
            assert_in_range(size, 1, sizeof input - at - 1);
            at += (size_t)size;
        }
        assert_int_equal(call_hex(address, CEVM_PRAGUE, input).status, CEVM_PRECOMPILE_FAIL);
    }
}

static void test_points_of_small_order(void **state)
{
    (void)state;
    needs_blst();
    /* The generators, which EIP-2537 gives. */
    static const char g1[] = G1_X G1_Y;
    static const char g2[] = G2_X0 G2_X1 G2_Y0 G2_Y1;
    static const char scalar[] = "0000000000000000000000000000000000000000000000000000000000000007";
    for (size_t i = 0; i < sizeof small_orders / sizeof small_orders[0]; ++i) {
        const char *point = small_orders[i].point;
        const bool in_g1 = strlen(point) == 256;
        char twice[2 * 512 + 1];
        (void)snprintf(twice, sizeof twice, "%s%s", point, point);
        const call_result sum = call_hex(in_g1 ? G1ADD : G2ADD, CEVM_PRAGUE, twice);
        assert_int_equal(sum.status, CEVM_PRECOMPILE_OK);
        free(sum.output);
        expect_refused(in_g1 ? G1MSM : G2MSM, "", point, scalar);
        expect_refused(PAIRING, in_g1 ? "" : g1, point, in_g1 ? g2 : "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_g1),
        cmocka_unit_test(test_g2),
        cmocka_unit_test(test_regression_27_eip2537_multi_exponentiation),
        cmocka_unit_test(test_pairing),
        cmocka_unit_test(test_geth),
        cmocka_unit_test(test_infinities),
        cmocka_unit_test(test_points_of_small_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
