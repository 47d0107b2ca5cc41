/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fees that follow from a parent: EIP-1559's base fee, and the excess of blob gas of EIP-4844 (with the parameters of
 * EIP-7691 and of the forks of EIP-7892) with EIP-7918's reserve price. The tables were made with the code in the EIPs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cevm/block.h>
#include <cevm/hex.h>

static cevm_u256 number_of(const char *text)
{
    cevm_u256 value;
    assert_true(cevm_u256_from_text(&value, text));
    return value;
}

static void test_eip1559_base_fee(void **state)
{
    (void)state;
    static const struct {
        const char *parent;
        uint64_t used, limit;
        const char *expected;
    } cases[] = {
        {"0x3b9aca00", 20000000, 20000000, "0x430e2340"},
        {"0x3b9aca00", 10000000, 20000000, "0x3b9aca00"},
        {"0x3b9aca00", 0, 20000000, "0x342770c0"},
        {"0x7", 30000000, 30000000, "0x8"},
        {"0x7", 15000001, 30000000, "0x8"},
        {"0x1", 30000000, 30000001, "0x2"},
        {"0x0", 30000000, 30000000, "0x1"},
        {"0x269e0d37f2a74de4", 13248078, 30000000, "0x260db8c1ca655173"},
        {"0x348", 17981216, 30000000, "0x35c"},
        {"0xed904759531985d", 17026717, 29999999, "0xf1936c961019bfd"},
        {"0x58", 5001, 5001, "0x63"},
        {"0xf6", 5001, 5001, "0x114"},
        {"0x34e", 18973477, 30000000, "0x36a"},
        {"0x2a170b338", 19562129, 30000000, "0x2bb0afc40"},
        {"0x2fb35ec3898d190f9ebdacc0cb1e29c658cda1495e60af5", 18678574, 29999999,
         "0x3129b50b5dabb87c8b650f1603f76cbea777358e76b0a71"},
        {"0x24ede6a46b4cb242", 18142407, 30000000, "0x25e577b7f30f7545"},
        {"0x69876f82e44158bae97ba94d0eda82f8f6d05584ef8aa38", 19515263, 29999999,
         "0x6d7ff36b5a812c30240f5aa6334722b92f6f6891efe6860"},
        {"0x8c38fb2918f135d2", 23894472, 30000000, "0x969dafd6e6559f3e"},
        {"0x2207b458ae2eb1547f15052434b9b5df9e7769b10f4205b4", 14347616, 36123457,
         "0x2127c6b83feb31d5a25b229fff25b59d7d506443d8de1593"},
        {"0x2e4854ac7403e430ec66a78795e761d1", 10058511, 29999999, "0x2c606d7211741c9f72135bebe6711968"},
        {"0x3b2f14c94", 8190519, 30000000, "0x37d352a76"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        const cevm_u256 parent = number_of(cases[i].parent), expected = number_of(cases[i].expected);
        cevm_u256 actual;
        cevm_next_base_fee(&actual, true, &parent, cases[i].used, cases[i].limit);
        assert_true(cevm_u256_equal(&actual, &expected));
        cevm_next_base_fee(&actual, false, &parent, cases[i].used, cases[i].limit);
        assert_true(actual.w[0] == 1000000000 && cevm_u256_fits_u64(&actual));
    }
}

/* Numbers no chain has: the fee saturates, and a limit without a target leaves it. */
static void test_base_fee_bounds(void **state)
{
    (void)state;
    const cevm_u256 max = {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
    cevm_u256 fee;
    cevm_next_base_fee(&fee, true, &max, 2, 2);
    assert_true(cevm_u256_equal(&fee, &max));
    cevm_next_base_fee(&fee, true, &max, UINT64_MAX, 2);
    assert_true(cevm_u256_equal(&fee, &max));
    cevm_next_base_fee(&fee, true, &max, 1, 1);
    assert_true(cevm_u256_equal(&fee, &max));
    cevm_next_base_fee(&fee, true, &max, 0, 2); /* an eighth less: 7 * 2^253 */
    assert_true(fee.w[3] == UINT64_C(0xe000000000000000) && fee.w[2] == 0 && fee.w[1] == 0 && fee.w[0] == 0);
}

static void test_eip7918_excess_blob_gas(void **state)
{
    (void)state;
    static const struct {
        cevm_fork fork;
        uint64_t target, max, fraction, excess, used;
        const char *base_fee;
        uint64_t expected;
    } cases[] = {
        {CEVM_OSAKA, 10, 15, 8346193, 3033845, 1310720, "0x7", 3033845},
        {CEVM_OSAKA, 14, 21, 11684671, 131203072, 1310720, "0x7", 130678784},
        {CEVM_CANCUN, 3, 6, 3338477, 2228224, 786432, "0x10", 2621440},
        {CEVM_OSAKA, 10, 15, 8346193, 262144, 1835008, "0x11", 873813},
        {CEVM_CANCUN, 3, 6, 3338477, 3014656, 0, "0x100000000000000000000000000000000000000000000000000", 2621440},
        {CEVM_OSAKA, 14, 21, 11684671, 3675930, 1572864, "0x11", 4200218},
        {CEVM_OSAKA, 10, 15, 8346193, 131072, 393216, "0x10", 0},
        {CEVM_PRAGUE, 6, 9, 5007716, 0, 786432, "0x3b9aca00", 0},
        {CEVM_OSAKA, 14, 21, 11684671, 36700160, 1048576, "0x16f", 35913728},
        {CEVM_PRAGUE, 10, 15, 8346193, 131072, 1441792, "0x3b9aca00", 262144},
        {CEVM_CANCUN, 3, 6, 3338477, 134234, 131072, "0x11", 0},
        {CEVM_OSAKA, 6, 9, 5007716, 524288, 0, "0xf", 0},
        {CEVM_PRAGUE, 10, 15, 8346193, 182583296, 131072, "0xbccd97b41", 181403648},
        {CEVM_OSAKA, 14, 21, 11684671, 0, 1966080, "0x3b9aca00", 655360},
        {CEVM_CANCUN, 3, 6, 3338477, 0, 131072, "0x10", 0},
        {CEVM_CANCUN, 3, 6, 3338477, 157670, 0, "0x10", 0},
        {CEVM_CANCUN, 3, 6, 3338477, 55705600, 0, "0x3b9aca00", 55312384},
        {CEVM_PRAGUE, 10, 15, 8346193, 0, 1441792, "0x11", 131072},
        {CEVM_OSAKA, 14, 21, 11684671, 0, 1179648, "0x100000000000000000000000000000000000000000000000000", 0},
        {CEVM_PRAGUE, 10, 15, 8346193, 131072, 1966080, "0xf", 786432},
        {CEVM_CANCUN, 3, 6, 3338477, 138161, 131072, "0xf", 0},
        {CEVM_PRAGUE, 10, 15, 8346193, 2883584, 262144, "0x3b9aca00", 1835008},
        {CEVM_PRAGUE, 10, 15, 8346193, 131072, 1310720, "0x3b9aca00", 131072},
        {CEVM_PRAGUE, 14, 21, 11684671, 138936320, 917504, "0x239ce0", 138018816},
        {CEVM_CANCUN, 3, 6, 3338477, 74973184, 0, "0x1519195690", 74579968},
        {CEVM_OSAKA, 6, 9, 5007716, 1930595, 655360, "0x7", 1799523},
        {CEVM_OSAKA, 6, 9, 5007716, 131072, 917504, "0x11", 436906},
        {CEVM_CANCUN, 3, 6, 3338477, 3801088, 393216, "0x100000000000000000000000000000000000000000000000000", 3801088},
        {CEVM_CANCUN, 3, 6, 3338477, 32112640, 786432, "0x100000000000000000000000000000000000000000000000000",
         32505856},
        {CEVM_OSAKA, 6, 9, 5007716, 1703936, 262144, "0x7", 1179648},
        {CEVM_OSAKA, 14, 21, 11684671, 164374, 262144, "0x7", 0},
        {CEVM_OSAKA, 6, 9, 5007716, 131072, 917504, "0xf", 262144},
        {CEVM_OSAKA, 14, 21, 11684671, 131072, 1441792, "0x7", 0},
        {CEVM_CANCUN, 3, 6, 3338477, 0, 786432, "0xf", 393216},
        {CEVM_OSAKA, 6, 9, 5007716, 0, 393216, "0x10", 0},
        {CEVM_OSAKA, 6, 9, 5007716, 3213718, 393216, "0xf", 2820502},
        {CEVM_PRAGUE, 14, 21, 11684671, 94896128, 131072, "0x100000000000000000000000000000000000000000000000000",
         93192192},
        {CEVM_PRAGUE, 14, 21, 11684671, 131072, 2097152, "0xf", 393216},
        {CEVM_CANCUN, 3, 6, 3338477, 0, 786432, "0x3b9aca00", 393216},
        {CEVM_OSAKA, 6, 9, 5007716, 0, 1179648, "0x10", 393216},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        const cevm_blob_params params = {cases[i].target, cases[i].max, cases[i].fraction};
        const cevm_u256 base_fee = number_of(cases[i].base_fee);
        const uint64_t actual =
            cevm_next_excess_blob_gas(cases[i].fork, &params, cases[i].excess, cases[i].used, &base_fee);
        assert_int_equal(actual, cases[i].expected);
    }
}

static void test_excess_blob_gas_bounds(void **state)
{
    (void)state;
    const cevm_blob_params none = {0, 0, 0}, odd = {UINT64_MAX, 1, 1}, small = {6, 9, 5007716};
    const cevm_u256 max = {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
    assert_int_equal(cevm_next_excess_blob_gas(CEVM_OSAKA, &none, 5, 6, &max), 11);
    assert_int_equal(cevm_next_excess_blob_gas(CEVM_OSAKA, &odd, 5, 6, &max), 0);
    assert_int_equal(cevm_next_excess_blob_gas(CEVM_OSAKA, &small, UINT64_MAX, UINT64_MAX, &max),
                     UINT64_MAX - 6 * 131072);
    /* The price of a blob from this excess is beyond 256 bits: nothing costs more. */
    assert_int_equal(cevm_next_excess_blob_gas(CEVM_OSAKA, &small, UINT64_C(5007716) * 180, 0, &max),
                     UINT64_C(5007716) * 180 - 6 * 131072);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eip1559_base_fee),
        cmocka_unit_test(test_base_fee_bounds),
        cmocka_unit_test(test_eip7918_excess_blob_gas),
        cmocka_unit_test(test_excess_blob_gas_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
