/* SPDX-License-Identifier: Apache-2.0 */
/* A chain's changes to the table of precompiled contracts: one off, one in another's place, one more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cevm/precompile.h>

static cevm_precompile_cost length_cost(cevm_bytes input, cevm_fork fork)
{
    (void)fork;
    cevm_precompile_cost cost = {input.size, 1, 0};
    return cost;
}

static cevm_precompile_status length_run(uint8_t *output, size_t *output_size, cevm_bytes input, cevm_fork fork,
                                         void *scratch)
{
    (void)fork;
    (void)scratch;
    output[0] = (uint8_t)input.size;
    *output_size = 1;
    return CEVM_PRECOMPILE_OK;
}

static const cevm_precompile length_contract = {0, CEVM_LONDON, "LENGTH", 0, length_cost, length_run};

static const cevm_precompile_change changes[] = {
    {CEVM_ADDRESS_OF(0x0a), NULL},
    {CEVM_ADDRESS_OF(0x02), &length_contract},
    {CEVM_ADDRESS_OF(0x1234), &length_contract},
    {{{0x02, [19] = 0x01}}, &length_contract}, /* no small number */
    {CEVM_ADDRESS_OF(0x02), NULL},             /* never reached */
};

static const cevm_precompile *find(const cevm_address *address, cevm_fork fork)
{
    return cevm_precompile_find_with(changes, sizeof changes / sizeof changes[0], address, fork);
}

static void test_changes(void **state)
{
    (void)state;
    const cevm_address far = {{0x02, [19] = 0x01}};
    const cevm_address kzg = CEVM_ADDRESS_OF(0x0a);
    const cevm_address sha = CEVM_ADDRESS_OF(0x02);
    const cevm_address more = CEVM_ADDRESS_OF(0x1234);
    const cevm_address p256 = CEVM_ADDRESS_OF(0x100);
    assert_null(find(&kzg, CEVM_OSAKA));
    assert_ptr_equal(find(&sha, CEVM_OSAKA), &length_contract);
    assert_null(find(&sha, CEVM_BERLIN)); /* before its time there is nothing, also not what it replaces */
    assert_ptr_equal(find(&more, CEVM_LONDON), &length_contract);
    assert_null(find(&more, CEVM_BERLIN));
    assert_ptr_equal(find(&far, CEVM_OSAKA), &length_contract);
    assert_ptr_equal(find(&p256, CEVM_OSAKA), cevm_precompile_find(&p256, CEVM_OSAKA));
    assert_non_null(find(&p256, CEVM_OSAKA));
    assert_null(find(&p256, CEVM_PRAGUE));
}

static void test_no_changes(void **state)
{
    (void)state;
    size_t count = 0;
    const cevm_precompile *rows = cevm_precompiles(&count);
    for (size_t i = 0; i < count; ++i) {
        const cevm_address address = CEVM_ADDRESS_OF(rows[i].address);
        assert_ptr_equal(cevm_precompile_find_with(NULL, 0, &address, CEVM_OSAKA), &rows[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_no_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
