/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The price of blob gas (EIP-4844). Expected numbers come from the specification's taylor_exponential in Python, whose
 * integers have no width.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include <cevm/hex.h>
#include <cevm/transition.h>

static const struct {
    uint64_t excess, fraction;
    const char *price;
} cases[] = {
    {0, 3338477, "0x1"},
    {1, 3338477, "0x1"},
    {131072, 3338477, "0x1"},
    {2314057, 3338477, "0x1"},
    {2314058, 3338477, "0x2"},
    {10485760, 3338477, "0x17"},
    {0, 5007716, "0x1"},
    {3471062, 5007716, "0x1"},
    {50077160, 5007716, "0x560a"},
    {590910429, 3338477, "0xa3f09605ad675c8eedbed5b070355a3f671691a4cfe68384dfaf98762032c6d0"},
    {592193000, 3338477, "0xf0bafc71bbed86ff4904ec65583c5a226793fb32bc448a209cd8a74aebcf4fca"},
    {592400429, 3338477, "0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
    {594248905, 3338477, "0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
    {594248906, 3338477, "0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
    {UINT64_MAX, 3338477, "0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
    {UINT64_MAX, UINT64_MAX, "0x2"},
    {(uint64_t)1 << 63, (uint64_t)1 << 56, "0x195e54c5dd42177f53f33f365ea905440efa13de5f31787"},
    {UINT64_MAX, (uint64_t)1 << 57, "0x195e54c5dd421772a4c8cf64399121729d5e3ae2b7f816a"},
    {1, 1, "0x2"},
    {177, 1, "0xa3ef3f14b98c47625f22f1693ec89c27052649a6d9530006ce9c8bca6b7b6379"},
    {178, 1, "0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
    {1, 0, "0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
};

static void test_eip4844_blob_base_fee(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        cevm_u256 price;
        char text[67];
        cevm_blob_base_fee(&price, cases[i].excess, cases[i].fraction);
        cevm_u256_to_hex(text, &price);
        assert_string_equal(text, cases[i].price);
    }
}

static void assert_params(cevm_fork fork, uint64_t target, uint64_t max, uint64_t fraction)
{
    const cevm_blob_params params = cevm_blob_params_default(fork);
    assert_int_equal(params.target, target);
    assert_int_equal(params.max, max);
    assert_int_equal(params.base_fee_update_fraction, fraction);
}

static void test_eip7691_blob_schedule(void **state)
{
    (void)state;
    assert_params(CEVM_SHANGHAI, 0, 0, 0);
    assert_params(CEVM_CANCUN, 3, 6, 3338477);
    assert_params(CEVM_PRAGUE, 6, 9, 5007716);
}

/* EIP-7918 changes how a block's excess follows from its parent, not what an excess costs. */
static void test_eip7918_leaves_the_price_of_an_excess(void **state)
{
    (void)state;
    assert_params(CEVM_OSAKA, 6, 9, 5007716);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eip4844_blob_base_fee),
        cmocka_unit_test(test_eip7691_blob_schedule),
        cmocka_unit_test(test_eip7918_leaves_the_price_of_an_excess),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
