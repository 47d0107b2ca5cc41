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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_g1),
        cmocka_unit_test(test_g2),
        cmocka_unit_test(test_regression_27_eip2537_multi_exponentiation),
        cmocka_unit_test(test_pairing),
        cmocka_unit_test(test_geth),
        cmocka_unit_test(test_infinities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
