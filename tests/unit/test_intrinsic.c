/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intrinsic gas by fork. Expected numbers are the EIPs' constants, added up by hand in the comments.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include <cevm/transition.h>

static const uint8_t mixed[8] = {0, 0, 0, 1, 2, 3, 4, 5}; /* three zeros, five others */

static void assert_gas(const cevm_tx *tx, cevm_fork fork, uint64_t gas, uint64_t floor)
{
    const cevm_intrinsic_gas got = cevm_tx_intrinsic_gas(tx, fork);
    assert_true(got.gas == gas);
    assert_true(got.floor == floor);
}

static void test_base_and_floor(void **state)
{
    (void)state;
    const cevm_tx tx = {.gas_limit = 1};
    for (int fork = 0; fork < CEVM_FORK_COUNT; ++fork) {
        assert_gas(&tx, (cevm_fork)fork, 21000, fork >= CEVM_PRAGUE ? 21000 : 0);
    }
}

static void test_eip2028_data(void **state)
{
    (void)state;
    const cevm_tx tx = {.data = {mixed, sizeof mixed}};
    for (int fork = 0; fork < CEVM_ISTANBUL; ++fork) {
        assert_gas(&tx, (cevm_fork)fork, 21000 + 3 * 4 + 5 * 68, 0);
    }
    for (int fork = CEVM_ISTANBUL; fork < CEVM_PRAGUE; ++fork) {
        assert_gas(&tx, (cevm_fork)fork, 21000 + 3 * 4 + 5 * 16, 0);
    }
    /* EIP-7623: 3 + 5 * 4 = 23 tokens at 10 */
    assert_gas(&tx, CEVM_PRAGUE, 21092, 21230);
    assert_gas(&tx, CEVM_OSAKA, 21092, 21230);
}

static void test_eip2_creation(void **state)
{
    (void)state;
    const cevm_tx tx = {.is_create = true};
    assert_gas(&tx, CEVM_FRONTIER, 21000, 0);
    for (int fork = CEVM_HOMESTEAD; fork < CEVM_PRAGUE; ++fork) {
        assert_gas(&tx, (cevm_fork)fork, 53000, 0);
    }
    assert_gas(&tx, CEVM_PRAGUE, 53000, 21000); /* the floor knows no creation */
}

static void test_eip3860_initcode_words(void **state)
{
    (void)state;
    static const uint8_t zeros[65] = {0};
    static const struct {
        size_t size;
        uint64_t words;
    } sizes[] = {{0, 0}, {1, 1}, {31, 1}, {32, 1}, {33, 2}, {64, 2}, {65, 3}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; ++i) {
        const cevm_tx create = {.is_create = true, .data = {zeros, sizes[i].size}};
        const cevm_tx call = {.data = {zeros, sizes[i].size}};
        assert_gas(&create, CEVM_PARIS, 53000 + 4 * sizes[i].size, 0);
        assert_gas(&create, CEVM_SHANGHAI, 53000 + 4 * sizes[i].size + 2 * sizes[i].words, 0);
        assert_gas(&call, CEVM_SHANGHAI, 21000 + 4 * sizes[i].size, 0);
    }
}

static void test_eip2930_access_list(void **state)
{
    (void)state;
    static const cevm_hash keys[3];
    const cevm_access_entry entries[] = {
        {.keys = keys, .key_count = 3}, {.key_count = 0}, {.keys = keys, .key_count = 1}};
    const cevm_tx tx = {.type = CEVM_TX_ACCESS_LIST, .access_list = entries, .access_count = 3};
    assert_gas(&tx, CEVM_BERLIN, 21000 + 3 * 2400 + 4 * 1900, 0);
    assert_gas(&tx, CEVM_PRAGUE, 21000 + 3 * 2400 + 4 * 1900, 21000);
}

static void test_eip7702_authorizations(void **state)
{
    (void)state;
    static const cevm_authorization tuples[2];
    const cevm_tx tx = {.type = CEVM_TX_SET_CODE, .authorizations = tuples, .authorization_count = 2};
    assert_gas(&tx, CEVM_PRAGUE, 21000 + 2 * 25000, 21000);
}

static void test_counts_of_any_size_saturate(void **state)
{
    (void)state;
    const cevm_access_entry entry = {.key_count = SIZE_MAX};
    const cevm_tx tx = {.type = CEVM_TX_ACCESS_LIST, .access_list = &entry, .access_count = 1};
    const cevm_tx set_code = {.type = CEVM_TX_SET_CODE, .authorization_count = SIZE_MAX};
    const bool saturates = SIZE_MAX > UINT32_MAX; /* where size_t has 32 bits the products still fit */
    const uint64_t count = SIZE_MAX;
    assert_gas(&tx, CEVM_BERLIN, saturates ? UINT64_MAX : 21000 + 2400 + 1900 * count, 0);
    assert_gas(&set_code, CEVM_PRAGUE, saturates ? UINT64_MAX : 21000 + 25000 * count, 21000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_and_floor),
        cmocka_unit_test(test_eip2028_data),
        cmocka_unit_test(test_eip2_creation),
        cmocka_unit_test(test_eip3860_initcode_words),
        cmocka_unit_test(test_eip2930_access_list),
        cmocka_unit_test(test_eip7702_authorizations),
        cmocka_unit_test(test_counts_of_any_size_saturate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
