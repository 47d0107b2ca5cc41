/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evm/u256.h against numbers written down elsewhere: the tables of EIP-145 and EIP-7939, the definitions of the Yellow
 * Paper (appendix H), and the arithmetic bugs that split or stopped other clients. Words are hexadecimal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "evm/u256.h"

#define ONES_64      "ffffffffffffffff"
#define ZEROS_64     "0000000000000000"
#define ALL_ONES     ONES_64 ONES_64 ONES_64 ONES_64
#define LOWEST       "8000000000000000" ZEROS_64 ZEROS_64 ZEROS_64
#define HIGHEST      "7fffffffffffffff" ONES_64 ONES_64 ONES_64
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A word from at most 64 hexadecimal digits, with an optional minus sign. */
static cevm_u256 word(const char *text)
{
    const char *digits = "0123456789abcdef";
    const bool negative = *text == '-';
    uint8_t bytes[32] = {0};
    const size_t start = negative ? 1 : 0;
    const size_t length = strlen(text) - start;
    assert_in_range(length, 1, 64);
    for (size_t i = 0; i < length; ++i) {
        const char *digit = strchr(digits, text[start + length - 1 - i]);
        assert_non_null(digit);
        bytes[31 - i / 2] |= (uint8_t)((unsigned)(digit - digits) << i % 2 * 4);
    }
    const cevm_u256 v = cevm_u256_from_be(bytes);
    return negative ? u256_neg(&v) : v;
}

static void assert_word(const char *what, const cevm_u256 *got, const char *expected)
{
    const cevm_u256 want = word(expected);
    uint8_t got_bytes[32];
    uint8_t want_bytes[32];
    cevm_u256_to_be(got_bytes, got);
    cevm_u256_to_be(want_bytes, &want);
    if (!cevm_u256_equal(got, &want)) {
        print_error("%s, expected %s\n", what, expected);
    }
    assert_memory_equal(got_bytes, want_bytes, sizeof want_bytes);
}

typedef cevm_u256 (*binary)(const cevm_u256 *a, const cevm_u256 *b);
typedef cevm_u256 (*ternary)(const cevm_u256 *a, const cevm_u256 *b, const cevm_u256 *m);

/* The operands stand in the order in which the opcode pops them. */
typedef struct binary_case {
    binary run;
    const char *a;
    const char *b;
    const char *expected;
} binary_case;

static void check_binary(const binary_case *cases, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        char what[160];
        const cevm_u256 a = word(cases[i].a);
        const cevm_u256 b = word(cases[i].b);
        const cevm_u256 r = cases[i].run(&a, &b);
        (void)snprintf(what, sizeof what, "row %zu: %s, %s", i, cases[i].a, cases[i].b);
        assert_word(what, &r, cases[i].expected);
    }
}

/* The shifts take the value first; the tables below put the count first, as the stack does. */
static cevm_u256 shl(const cevm_u256 *count, const cevm_u256 *value) { return u256_shl(value, count); }

static cevm_u256 shr(const cevm_u256 *count, const cevm_u256 *value) { return u256_shr(value, count); }

static cevm_u256 sar(const cevm_u256 *count, const cevm_u256 *value) { return u256_sar(value, count); }

/* The table "Test Cases" of EIP-145, whole and in its order. */
static void test_eip145_shifts(void **state)
{
    (void)state;
    static const binary_case cases[] = {
        {shl, "0", "1", "1"},
        {shl, "1", "1", "2"},
        {shl, "ff", "1", LOWEST},
        {shl, "100", "1", "0"},
        {shl, "101", "1", "0"},
        {shl, "0", ALL_ONES, ALL_ONES},
        {shl, "1", ALL_ONES, "ffffffffffffffff" ONES_64 ONES_64 "fffffffffffffffe"},
        {shl, "ff", ALL_ONES, LOWEST},
        {shl, "100", ALL_ONES, "0"},
        {shl, "1", "0", "0"},
        {shl, "1", HIGHEST, "ffffffffffffffff" ONES_64 ONES_64 "fffffffffffffffe"},
        {shr, "0", "1", "1"},
        {shr, "1", "1", "0"},
        {shr, "1", LOWEST, "4000000000000000" ZEROS_64 ZEROS_64 ZEROS_64},
        {shr, "ff", LOWEST, "1"},
        {shr, "100", LOWEST, "0"},
        {shr, "101", LOWEST, "0"},
        {shr, "0", ALL_ONES, ALL_ONES},
        {shr, "1", ALL_ONES, HIGHEST},
        {shr, "ff", ALL_ONES, "1"},
        {shr, "100", ALL_ONES, "0"},
        {shr, "1", "0", "0"},
        {sar, "0", "1", "1"},
        {sar, "1", "1", "0"},
        {sar, "1", LOWEST, "c000000000000000" ZEROS_64 ZEROS_64 ZEROS_64},
        {sar, "ff", LOWEST, ALL_ONES},
        {sar, "100", LOWEST, ALL_ONES},
        {sar, "101", LOWEST, ALL_ONES},
        {sar, "0", ALL_ONES, ALL_ONES},
        {sar, "1", ALL_ONES, ALL_ONES},
        {sar, "ff", ALL_ONES, ALL_ONES},
        {sar, "100", ALL_ONES, ALL_ONES},
        {sar, "1", "0", "0"},
        {sar, "fe", "4000000000000000" ZEROS_64 ZEROS_64 ZEROS_64, "1"},
        {sar, "f8", HIGHEST, "7f"},
        {sar, "fe", HIGHEST, "1"},
        {sar, "ff", HIGHEST, "0"},
        {sar, "100", HIGHEST, "0"},
    };
    check_binary(cases, COUNT(cases));
}

/* CVE-2021-41272: a client read shift counts as signed 32-bit numbers, so that 2^31 and more shifted the other way. */
static void test_cve_2021_41272_shift_counts_are_unsigned(void **state)
{
    (void)state;
    static const char *const counts[] = {
        "7fffffff",
        "80000000",
        "80000001",
        "ffffffff",
        "100000000",
        "100000001",
        "7fffffffffffffff",
        "8000000000000000",
        "ffffffffffffff01",
        "10000000000000000",
        "10000000000000001",
        "100000000" ZEROS_64 ZEROS_64 ZEROS_64,
        LOWEST,
        HIGHEST,
        ALL_ONES,
    };
    static const char *const values[] = {"1", HIGHEST, LOWEST, ALL_ONES};
    for (size_t i = 0; i < COUNT(counts); ++i) {
        for (size_t k = 0; k < COUNT(values); ++k) {
            const binary_case cases[] = {
                {shl, counts[i], values[k], "0"},
                {shr, counts[i], values[k], "0"},
                {sar, counts[i], values[k], k >= 2 ? ALL_ONES : "0"},
            };
            check_binary(cases, COUNT(cases));
        }
    }
}

/* The cases of EIP-7939 and a bit beside every limb boundary. */
static void test_eip7939_clz(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        unsigned zeros;
    } cases[] = {
        {"0", 256},
        {LOWEST, 0},
        {ALL_ONES, 0},
        {"4000000000000000" ZEROS_64 ZEROS_64 ZEROS_64, 1},
        {HIGHEST, 1},
        {"1", 255},
        {"1" ZEROS_64 ZEROS_64 ZEROS_64, 63},
        {ONES_64 ONES_64 ONES_64, 64},
        {"1" ZEROS_64 ZEROS_64, 127},
        {ONES_64 ONES_64, 128},
        {"1" ZEROS_64, 191},
        {ONES_64, 192},
    };
    for (size_t i = 0; i < COUNT(cases); ++i) {
        const cevm_u256 v = word(cases[i].word);
        assert_int_equal(u256_clz(&v), cases[i].zeros);
        assert_int_equal(u256_bit_length(&v), 256 - cases[i].zeros);
        assert_int_equal(u256_byte_length(&v), (256 - cases[i].zeros + 7) / 8);
    }
}

static void test_signextend(void **state)
{
    (void)state;
    static const binary_case cases[] = {
        {u256_signextend, "0", "ff", ALL_ONES},
        {u256_signextend, "0", "7f", "7f"},
        {u256_signextend, "0", "80", "-80"},
        {u256_signextend, "0", "122f", "2f"},
        {u256_signextend, "0", ALL_ONES, ALL_ONES},
        {u256_signextend, "0", "ffffff7f", "7f"},
        {u256_signextend, "1", "8000", "-8000"},
        {u256_signextend, "1", "ff7fff", "7fff"},
        {u256_signextend, "7", "8000000000000000", "-8000000000000000"},
        {u256_signextend, "7", "17fffffffffffffff", "7fffffffffffffff"},
        {u256_signextend, "8", "80" ZEROS_64, "-80" ZEROS_64},
        {u256_signextend, "8", "ff7f" ONES_64, "7f" ONES_64},
        {u256_signextend, "f", "8000000000000000" ZEROS_64, "-8000000000000000" ZEROS_64},
        {u256_signextend, "1e", "00800000000000000000000000000000" ZEROS_64 ZEROS_64,
         "ff800000000000000000000000000000" ZEROS_64 ZEROS_64},
        {u256_signextend, "1e", "ff7f0000000000000000000000000000" ZEROS_64 ZEROS_64,
         "007f0000000000000000000000000000" ZEROS_64 ZEROS_64},
        {u256_signextend, "1f", HIGHEST, HIGHEST},
        {u256_signextend, "1f", LOWEST, LOWEST},
        {u256_signextend, "20", "ff", "ff"},
        {u256_signextend, "10000000000000000", "ff", "ff"},
        {u256_signextend, ALL_ONES, "80", "80"},
    };
    check_binary(cases, COUNT(cases));
}

static void test_byte(void **state)
{
    (void)state;
    const char *counting = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20";
    const cevm_u256 v = word(counting);
    for (unsigned i = 0; i < 32; ++i) {
        const cevm_u256 index = cevm_u256_from_u64(i);
        const cevm_u256 byte = u256_byte(&index, &v);
        const cevm_u256 expected = cevm_u256_from_u64(i + 1);
        assert_true(cevm_u256_equal(&byte, &expected));
    }
    const binary_case cases[] = {
        {u256_byte, "20", counting, "0"},        {u256_byte, "100", counting, "0"},
        {u256_byte, "100000000", counting, "0"}, {u256_byte, "10000000000000000", counting, "0"},
        {u256_byte, LOWEST, counting, "0"},      {u256_byte, ALL_ONES, counting, "0"},
    };
    check_binary(cases, COUNT(cases));
}

/* Division by zero is zero, SDIV rounds towards zero, and the one quotient that does not fit wraps. */
static void test_division(void **state)
{
    (void)state;
    static const binary_case cases[] = {
        {cevm_u256_div, "0", "0", "0"},
        {cevm_u256_div, ALL_ONES, "0", "0"},
        {cevm_u256_div, ALL_ONES, ALL_ONES, "1"},
        {cevm_u256_div, "7", "2", "3"},
        {cevm_u256_div, ALL_ONES, "1" ZEROS_64 ZEROS_64, ONES_64 ONES_64},
        {cevm_u256_mod, "0", "0", "0"},
        {cevm_u256_mod, ALL_ONES, "0", "0"},
        {cevm_u256_mod, "11", "5", "2"},
        {cevm_u256_mod, "-1", "-2", "1"},
        {cevm_u256_sdiv, LOWEST, "-1", LOWEST},
        {cevm_u256_sdiv, LOWEST, "1", LOWEST},
        {cevm_u256_sdiv, LOWEST, LOWEST, "1"},
        {cevm_u256_sdiv, LOWEST, "0", "0"},
        {cevm_u256_sdiv, "1", LOWEST, "0"},
        {cevm_u256_sdiv, "-7", "2", "-3"},
        {cevm_u256_sdiv, "7", "-2", "-3"},
        {cevm_u256_sdiv, "-7", "-2", "3"},
        {cevm_u256_sdiv, "-2", "-1", "2"},
        {cevm_u256_smod, "7", "3", "1"},
        {cevm_u256_smod, "-7", "3", "-1"},
        {cevm_u256_smod, "7", "-3", "1"},
        {cevm_u256_smod, "-7", "-3", "-1"},
        {cevm_u256_smod, "-8", "-3", "-2"},
        {cevm_u256_smod, LOWEST, "-1", "0"},
        {cevm_u256_smod, "-7", "0", "0"},
        {cevm_u256_smod, "-6", "3", "0"},
        {cevm_u256_smod, "5", LOWEST, "5"},
    };
    check_binary(cases, COUNT(cases));
}

static void test_divmod_by_zero(void **state)
{
    (void)state;
    const cevm_u256 a = u256_max();
    const cevm_u256 zero = cevm_u256_from_u64(0);
    cevm_u256 q = a;
    cevm_u256 r = a;
    cevm_u256_divmod(&q, &r, &a, &zero);
    assert_true(cevm_u256_is_zero(&q));
    assert_true(cevm_u256_is_zero(&r));
}

static void test_exp(void **state)
{
    (void)state;
    static const binary_case cases[] = {
        {cevm_u256_exp, "0", "0", "1"},
        {cevm_u256_exp, ALL_ONES, "0", "1"},
        {cevm_u256_exp, "0", "1", "0"},
        {cevm_u256_exp, "0", ALL_ONES, "0"},
        {cevm_u256_exp, "1", ALL_ONES, "1"},
        {cevm_u256_exp, "2", "1", "2"},
        {cevm_u256_exp, "2", "ff", LOWEST},
        {cevm_u256_exp, "2", "100", "0"},
        {cevm_u256_exp, "2", "10000000000000001", "0"},
        {cevm_u256_exp, "4", "7f", "4000000000000000" ZEROS_64 ZEROS_64 ZEROS_64},
        {cevm_u256_exp, "-1", "2", "1"},
        {cevm_u256_exp, "-1", ALL_ONES, "-1"},
        {cevm_u256_exp, "a", "12", "de0b6b3a7640000"},
        {cevm_u256_exp, "3", "5", "f3"},
    };
    check_binary(cases, COUNT(cases));
}

static void check_ternary(ternary run, const char *a, const char *b, const char *m, const char *expected)
{
    char what[300];
    const cevm_u256 x = word(a);
    const cevm_u256 y = word(b);
    const cevm_u256 modulus = word(m);
    const cevm_u256 r = run(&x, &y, &modulus);
    (void)snprintf(what, sizeof what, "%s, %s mod %s", a, b, m);
    assert_word(what, &r, expected);
}

/* CVE-2020-26242: a client's MULMOD divided a 512-bit product by zero and stopped. */
static void test_cve_2020_26242_mulmod_by_zero(void **state)
{
    (void)state;
    static const char *const values[] = {"0", "1", ONES_64, ONES_64 ONES_64, LOWEST, ALL_ONES};
    for (size_t i = 0; i < COUNT(values); ++i) {
        for (size_t k = 0; k < COUNT(values); ++k) {
            check_ternary(cevm_u256_mulmod, values[i], values[k], "0", "0");
            check_ternary(cevm_u256_addmod, values[i], values[k], "0", "0");
        }
    }
}

/* The sum and the product are not cut to 256 bits before they are reduced. */
static void test_modular_arithmetic(void **state)
{
    (void)state;
    check_ternary(cevm_u256_addmod, "a", "a", "8", "4");
    check_ternary(cevm_u256_addmod, ALL_ONES, "2", "2", "1");
    check_ternary(cevm_u256_addmod, ALL_ONES, ALL_ONES, ALL_ONES, "0");
    check_ternary(cevm_u256_addmod, ALL_ONES, "1", ALL_ONES, "1");
    check_ternary(cevm_u256_addmod, ALL_ONES, "1", "3", "1");
    check_ternary(cevm_u256_addmod, ALL_ONES, ALL_ONES, "1", "0");
    check_ternary(cevm_u256_mulmod, "a", "a", "8", "4");
    check_ternary(cevm_u256_mulmod, ALL_ONES, ALL_ONES, "c", "9");
    check_ternary(cevm_u256_mulmod, ALL_ONES, ALL_ONES, "1", "0");
    check_ternary(cevm_u256_mulmod, ALL_ONES, ALL_ONES, ALL_ONES, "0");
    check_ternary(cevm_u256_mulmod, ALL_ONES, ALL_ONES, "-2", "1");
    check_ternary(cevm_u256_mulmod, LOWEST, LOWEST, ALL_ONES, "4000000000000000" ZEROS_64 ZEROS_64 ZEROS_64);
}

/* A limb lives at its index on every machine: the same words come out of bytes on little- and big-endian hosts. */
static void test_limb_order(void **state)
{
    (void)state;
    const cevm_u256 v = word("0123456789abcdef" ONES_64 ZEROS_64 "00000000000000fe");
    assert_int_equal(v.w[0], 0xfe);
    assert_int_equal(v.w[1], 0);
    assert_int_equal(v.w[2], UINT64_MAX);
    assert_int_equal(v.w[3], 0x0123456789abcdef);
}

static void test_overflow_flags(void **state)
{
    (void)state;
    const cevm_u256 max = u256_max();
    const cevm_u256 one = cevm_u256_from_u64(1);
    const cevm_u256 zero = cevm_u256_from_u64(0);
    cevm_u256 r;
    assert_true(u256_add_overflow(&r, &max, &one));
    assert_true(cevm_u256_is_zero(&r));
    assert_false(u256_add_overflow(&r, &max, &zero));
    assert_true(u256_sub_borrow(&r, &zero, &one));
    assert_true(cevm_u256_equal(&r, &max));
    assert_false(u256_sub_borrow(&r, &one, &one));
    assert_true(cevm_u256_mul_overflow(&r, &max, &max));
    assert_true(cevm_u256_equal(&r, &one));
    assert_false(cevm_u256_mul_overflow(&r, &max, &one));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eip145_shifts),
        cmocka_unit_test(test_cve_2021_41272_shift_counts_are_unsigned),
        cmocka_unit_test(test_eip7939_clz),
        cmocka_unit_test(test_signextend),
        cmocka_unit_test(test_byte),
        cmocka_unit_test(test_division),
        cmocka_unit_test(test_divmod_by_zero),
        cmocka_unit_test(test_exp),
        cmocka_unit_test(test_cve_2020_26242_mulmod_by_zero),
        cmocka_unit_test(test_modular_arithmetic),
        cmocka_unit_test(test_limb_order),
        cmocka_unit_test(test_overflow_flags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
