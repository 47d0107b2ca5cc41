/* SPDX-License-Identifier: Apache-2.0 */
/*
 * modexp: the examples of EIP-198, the edges of its inputs, the bound of EIP-7823, and the prices of EIP-198, EIP-2565 and
 * EIP-7883 at their borders. Expected remainders are Python's pow(); random operands are in tests/property/test_modexp.c,
 * the EIPs' tables of prices in test_geth_precompiles.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <gmp.h>

#include "precompiles/precompiles.h"
#include "tests/unit/precompile_call.h"

#define W(tail) "000000000000000000000000000000000000000000000000" tail /* a word by its last 8 bytes */
#define L0      W("0000000000000000")
#define L1      W("0000000000000001")
#define L2      W("0000000000000002")
#define L32     W("0000000000000020")
#define HUGE_   "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
#define PRIME   "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f"
#define PRIME_1 "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2e"

static const cevm_fork priced_anew[] = {CEVM_BYZANTIUM, CEVM_BERLIN, CEVM_OSAKA};
enum { PRICINGS = sizeof priced_anew / sizeof priced_anew[0] };

static void expect_everywhere(const char *input, const char *output)
{
    for (size_t i = 0; i < PRICINGS; ++i) {
        expect_output(call_hex(0x05, priced_anew[i], input), output);
    }
}

static void test_eip198_examples(void **state)
{
    (void)state;
    expect_everywhere(L1 L32 L32 "03" PRIME_1 PRIME, L1); /* Fermat's little theorem */
    expect_everywhere(L0 L32 L32 PRIME_1 PRIME, L0);
    /* An input that ends within the modulus, and one with more after it: 3^0xffff mod 2^255. */
    static const char third[] = L1 L2 L32 "03ffff8000000000000000000000000000000000000000000000000000000000000000";
    expect_everywhere(third, "3b01b01ac41f2d6e917c6d6a221ce793802469026d9ab7578fa2e79e4da6aaab");
    expect_everywhere(L1 L2 L32 "03ffff80", "3b01b01ac41f2d6e917c6d6a221ce793802469026d9ab7578fa2e79e4da6aaab");
    expect_everywhere(L1 L2 L32 "03ffff800000000000000000000000000000000000000000000000000000000000000007",
                      "3b01b01ac41f2d6e917c6d6a221ce793802469026d9ab7578fa2e79e4da6aaab");
}

static void test_eip198_example_that_nobody_can_pay(void **state)
{
    (void)state;
    static const char input[] = L0 L32 HUGE_ "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe"
                                             "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffd";
    for (size_t i = 0; i < PRICINGS; ++i) {
        size_t size = 0;
        uint8_t *bytes = bytes_of_hex(input, &size);
        assert_true(price_of(0x05, priced_anew[i], bytes, size) == UINT64_MAX);
        free(bytes);
    }
}

/* The remainder is as long as the modulus, whatever its value; modulo 0 it is 0. */
static void test_edges(void **state)
{
    (void)state;
    expect_everywhere("", "");
    expect_everywhere(L1, "");
    expect_everywhere(L0 L0 L0, "");
    expect_everywhere(L1 L1 L0 "0203", "");
    expect_everywhere(L1 L1 L1 "020300", "00"); /* modulo 0 */
    expect_everywhere(L1 L1 L2 "02030000", "0000");
    expect_everywhere(L1 L1 L1 "020301", "00");     /* modulo 1 */
    expect_everywhere(L1 L1 L2 "02000001", "0000"); /* even 2^0 modulo 1 */
    expect_everywhere(L0 L0 L1 "05", "01");         /* 0^0 */
    expect_everywhere(L1 L1 L1 "000005", "01");     /* 0^0 in full */
    expect_everywhere(L1 L1 L1 "000305", "00");     /* 0^3 */
    expect_everywhere(L1 L0 L1 "0705", "01");       /* 7^0 */
    expect_everywhere(L0 L0 L2 "0001", "0000");
    expect_everywhere(L0 L0 L32 PRIME, L1);
    expect_everywhere(L1 L1 L32 "0205", L0);        /* the modulus lies beyond the input */
    expect_everywhere(L1 L1 L2 "020500ff", "0020"); /* padded on the left */
    expect_everywhere(L2 L1 L1 "010001ff", "01");   /* a base longer than the modulus: 256 mod 255 */
}

/* evmone #1294: lengths are judged even when base and modulus are empty and there is nothing to compute. */
static void test_regression_19_eip7823_zero_length_base_and_modulus(void **state)
{
    (void)state;
    expect_output(call_hex(0x05, CEVM_OSAKA, L0 W("0000000000000400") L0), "");
    assert_int_equal(call_hex(0x05, CEVM_OSAKA, L0 W("0000000000000401") L0).status, CEVM_PRECOMPILE_FAIL);
    assert_int_equal(call_hex(0x05, CEVM_OSAKA, L0 HUGE_ L0).status, CEVM_PRECOMPILE_FAIL);
    /* Before, the exponent's length could be anything: it is free at EIP-198's prices, and 200 gas at EIP-2565's. */
    const call_result free_of_charge = call_hex(0x05, CEVM_BYZANTIUM, L0 HUGE_ L0);
    const call_result minimum = call_hex(0x05, CEVM_BERLIN, L0 HUGE_ L0);
    assert_int_equal(free_of_charge.gas, 0);
    assert_int_equal(minimum.gas, 200);
    expect_output(free_of_charge, "");
    expect_output(minimum, "");
}

static void test_eip7823_limit(void **state)
{
    (void)state;
    static const char *const over[] = {
        W("0000000000000401") L1 L1,
        L1 W("0000000000000401") L1,
        L1 L1 W("0000000000000401"),
        "0000000000000000000000000000000000000000000000010000000000000001" L1 L1, /* 2^64 + 1 */
        L1 L1 "8000000000000000000000000000000000000000000000000000000000000001",
    };
    for (size_t i = 0; i < sizeof over / sizeof over[0]; ++i) {
        assert_int_equal(call_hex(0x05, CEVM_OSAKA, over[i]).status, CEVM_PRECOMPILE_FAIL);
    }
    uint8_t zeros[1024] = {0};
    const call_result r = call_hex(0x05, CEVM_OSAKA, W("0000000000000400") W("0000000000000400") W("0000000000000400"));
    assert_int_equal(r.status, CEVM_PRECOMPILE_OK);
    assert_int_equal(r.size, sizeof zeros);
    assert_memory_equal(r.output, zeros, sizeof zeros);
    free(r.output);
    const call_result before = call_hex(0x05, CEVM_PRAGUE, L1 L1 W("0000000000000401"));
    assert_int_equal(before.status, CEVM_PRECOMPILE_OK);
    assert_int_equal(before.size, 1025);
    free(before.output);
}

/* geth #25987 and constantine #280: even moduli, whose odd part and power of two are computed apart. */
static void test_regression_25_modexp_even_modulus(void **state)
{
    (void)state;
    static const struct {
        const char *input;
        const char *output;
    } rows[] = {
        {W("0000000000000001") W("0000000000000001") W("0000000000000001") "03"
                                                                           "05"
                                                                           "02",
         "01"},
        {W("0000000000000001") W("0000000000000004") W("0000000000000001") "07"
                                                                           "01000001"
                                                                           "10",
         "07"},
        {W("0000000000000002") W("0000000000000002") W("0000000000000008") "fff1"
                                                                           "ffff"
                                                                           "8000000000000000",
         "04cc75da44601111"},
        {W("0000000000000001") W("0000000000000001")
             W("0000000000000020") "02"
                                   "ff"
                                   "8000000000000000000000000000000000000000000000000000000000000000",
         "0000000000000000000000000000000000000000000000000000000000000000"},
        {W("0000000000000001") W("0000000000000001") W("0000000000000009") "02"
                                                                           "03"
                                                                           "010000000000000000",
         "000000000000000008"},
        {W("0000000000000001") W("0000000000000001") W("0000000000000009") "06"
                                                                           "40"
                                                                           "010000000000000000",
         "000000000000000000"},
        {W("0000000000000008") W("0000000000000008") W("0000000000000009") "f2a74de452e6b439"
                                                                           "6513270e269e0d37"
                                                                           "010000000000000000",
         "00c47938aee0308949"},
        {W("0000000000000020") W("0000000000000010")
             W("0000000000000018") "9531985d5d9dc9f81818e811892f902bd23f0824128b2f330c5c7fd0a6a3a450"
                                   "36f675cc81e74ef5e8e25d940ed90475"
                                   "6b0d549b6f03675a1600a35a099950d90000000000000000",
         "2f890da89230b0918ca6c66d09b3d3980000000000000000"},
        {W("0000000000000020") W("0000000000000008")
             W("0000000000000014") "90c192cfd3ac94af0f21ddb66cad4a268d116ece1738f7d93d9c172411e20b8f"
                                   "f28c105d1fb17c23"
                                   "a170b33392630590000000000000000000000000",
         "86a4d8be959935d8ad6fcdaeb2e8af78792881af"},
        {W("000000000000001f") W("0000000000000004")
             W("0000000000000020") "658f14cb19b4292bcc15eb277a099e1fac61e3e53a1b532a7e91e3413eed6a"
                                   "3e7af6b3"
                                   "a4ede6a4d69964849447ab2c442f7d5bb7892d971d032e7c17d9af607131a320",
         "9e965301b3db1f08ee3dc378656f1d7eda70e13624f6b213992d54973f4091e0"},
        {W("0000000000000026") W("0000000000000008")
             W("0000000000000020") "094e1a61dbe22e44158bae97ba94d0eda82f8f6d05584ef8aa38922766581e27a1c08a6a63ec"
                                   "a38fd547923a7369"
                                   "11e840b483d38618809781bdb267211461c7d948c789ae92faab901980c28628",
         "0f91dcce54a73334c93912be9732d00aa10a66c119fbb20530802f328f2250c8"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        expect_everywhere(rows[i].input, rows[i].output);
    }
}

/* A length that no memory holds asks for none, and says so rather than let GMP abort; see modexp.c. */
static void test_lengths_that_no_block_can_pay(void **state)
{
    (void)state;
    static const char *const inputs[] = {
        W("0000000000100001") L1 L1,
        L1 L1 W("0000000000100001"),
        L1 L1 W("7fffffffffffffff"),
        HUGE_ HUGE_ HUGE_,
    };
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; ++i) {
        size_t size = 0;
        uint8_t *bytes = bytes_of_hex(inputs[i], &size);
        const cevm_bytes input = {bytes, size};
        const cevm_precompile_cost cost = contract_at(0x05, CEVM_BERLIN)->cost(input, CEVM_BERLIN);
        assert_true(cost.gas > 3000000000u);
        assert_int_equal(cost.output_size, 0);
        assert_int_equal(cost.scratch_size, 0);
        assert_int_equal(call(0x05, CEVM_BERLIN, bytes, size).status, CEVM_PRECOMPILE_NOMEM);
        free(bytes);
    }
}

static void test_minimum_prices(void **state)
{
    (void)state;
    assert_int_equal(price_of(0x05, CEVM_BYZANTIUM, NULL, 0), 0);
    assert_int_equal(price_of(0x05, CEVM_ISTANBUL, NULL, 0), 0);
    assert_int_equal(price_of(0x05, CEVM_BERLIN, NULL, 0), 200); /* EIP-2565 */
    assert_int_equal(price_of(0x05, CEVM_PRAGUE, NULL, 0), 200);
    assert_int_equal(price_of(0x05, CEVM_OSAKA, NULL, 0), 500); /* EIP-7883 */
}

/* ---- What the common sizes allocate ------------------------------------------------------------------------------ */

static size_t gmp_allocations;

static void *count_alloc(size_t size)
{
    ++gmp_allocations;
    return malloc(size);
}

static void *count_realloc(void *block, size_t old_size, size_t size)
{
    (void)old_size;
    ++gmp_allocations;
    return realloc(block, size);
}

static void count_free(void *block, size_t size)
{
    (void)size;
    free(block);
}

/** base, exponent and modulus of `size` bytes, the modulus with this last byte. */
static void raise_size(size_t size, uint8_t last)
{
    const size_t total = 96 + 3 * size;
    uint8_t *input = calloc(total, 1);
    assert_non_null(input);
    for (size_t i = 0; i < 3; ++i) {
        input[32 * i + 30] = (uint8_t)(size >> 8);
        input[32 * i + 31] = (uint8_t)size;
        memset(input + 96 + i * size, (int)(0xe1 + i), size);
    }
    input[total - 1] = last;
    const cevm_precompile_cost cost = cevm_modexp_cost((cevm_bytes){input, total}, CEVM_OSAKA);
    uint8_t *output = malloc(cost.output_size);
    void *scratch = malloc(cost.scratch_size + 1);
    assert_non_null(output);
    assert_non_null(scratch);
    size_t written = 0;
    assert_int_equal(cevm_modexp_run(output, &written, (cevm_bytes){input, total}, CEVM_OSAKA, scratch),
                     CEVM_PRECOMPILE_OK);
    assert_int_equal(written, size);
    free(output);
    free(scratch);
    free(input);
}

static void test_common_sizes_allocate_nothing(void **state)
{
    (void)state;
    mp_set_memory_functions(count_alloc, count_realloc, count_free);
    static const size_t sizes[] = {1, 8, 16, 24, 32, 48, 64, 96, 128, 256};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; ++i) {
        raise_size(sizes[i], 0x71); /* odd */
        raise_size(sizes[i], 0x70); /* even */
        raise_size(sizes[i], 0x80);
    }
    assert_int_equal(gmp_allocations, 0);
    mp_set_memory_functions(NULL, NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eip198_examples),
        cmocka_unit_test(test_eip198_example_that_nobody_can_pay),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_regression_19_eip7823_zero_length_base_and_modulus),
        cmocka_unit_test(test_eip7823_limit),
        cmocka_unit_test(test_regression_25_modexp_even_modulus),
        cmocka_unit_test(test_lengths_that_no_block_can_pay),
        cmocka_unit_test(test_minimum_prices),
        cmocka_unit_test(test_common_sizes_allocate_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
