/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of forks and EIPs as hosts read them (cevm/forks.h): by name in any spelling, and row by row. When an EIP came and
 * went is from the EIPs of the hard forks themselves: EIP-1013, EIP-1716, EIP-1679, EIP-7569.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cevm/forks.h>

static const cevm_eip_info *row_of(uint32_t number)
{
    size_t count = 0;
    const cevm_eip_info *rows = cevm_eips(&count);
    for (size_t i = 0; i < count; ++i) {
        if (rows[i].number == number) {
            return &rows[i];
        }
    }
    fail_msg("there is no row for EIP-%u", (unsigned)number);
    return NULL;
}

static void test_rows(void **state)
{
    size_t count = 0;
    const cevm_eip_info *rows = cevm_eips(&count);
    (void)state;
    for (size_t i = 0; i < count; ++i) {
        assert_in_range(rows[i].since, CEVM_FRONTIER, CEVM_LATEST);
        assert_true(rows[i].until > rows[i].since && rows[i].until <= CEVM_NEVER);
        assert_true(rows[i].title[0] != '\0' && rows[i].home[0] != '\0');
        for (size_t k = 0; k < i; ++k) {
            assert_int_not_equal(rows[k].number, rows[i].number);
        }
    }
    assert_int_equal(row_of(1283)->since, CEVM_CONSTANTINOPLE);
    assert_int_equal(row_of(1283)->until, CEVM_PETERSBURG);
    assert_int_equal(row_of(2200)->since, CEVM_ISTANBUL);
    assert_int_equal(row_of(2200)->until, CEVM_NEVER);
    assert_int_equal(row_of(1153)->since, CEVM_CANCUN);
}

static void test_has_eip(void **state)
{
    (void)state;
    for (int fork = 0; fork < CEVM_FORK_COUNT; ++fork) {
        assert_int_equal(CEVM_HAS_EIP(fork, 1283), fork == CEVM_CONSTANTINOPLE);
        assert_int_equal(CEVM_HAS_EIP(fork, 1153), fork >= CEVM_CANCUN);
    }
}

static void test_names(void **state)
{
    cevm_fork fork = CEVM_BERLIN;
    (void)state;
    for (int i = 0; i < CEVM_FORK_COUNT; ++i) {
        assert_true(cevm_fork_by_name(&fork, cevm_fork_name((cevm_fork)i)));
        assert_int_equal(fork, i);
    }
    assert_null(cevm_fork_name(CEVM_NEVER));
    assert_true(cevm_fork_by_name(&fork, "spurious DRAGON"));
    assert_int_equal(fork, CEVM_SPURIOUS_DRAGON);
    assert_true(cevm_fork_by_name(&fork, "st. petersburg"));
    assert_int_equal(fork, CEVM_PETERSBURG);
    static const char *const unknown[] = {"", "|", "Spurious|Dragon", "Lunch", "Cancun ", "St"};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; ++i) {
        assert_false(cevm_fork_by_name(&fork, unknown[i]));
        assert_int_equal(fork, CEVM_PETERSBURG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_has_eip),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
