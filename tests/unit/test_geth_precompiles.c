/* SPDX-License-Identifier: Apache-2.0 */
/*
 * go-ethereum's vectors for the precompiled contracts (core/vm/testdata/precompiles, [{Input, Expected | ExpectedError, Gas,
 * Name}]): prices for all, outputs for those that this build holds; and EIP-7883's own table of prices, whose rows are the
 * same inputs.
 *
 * The files are looked for in $CEVM_VECTORS_DIR, or in ethereum-tests/vectors. Without them the tests are skipped and
 * reported so; with CEVM_REQUIRE_VECTORS=1 they fail.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/unit/precompile_call.h"

/* The fork is one at which the file's prices hold; `cases` is how many the file had when this was written. */
typedef struct vector_file {
    const char *name;
    unsigned address;
    cevm_fork fork;
    size_t cases;
} vector_file;

static const vector_file files[] = {
    {"ecRecover", 0x01, CEVM_FRONTIER, 5},
    {"modexp", 0x05, CEVM_BYZANTIUM, 17}, /* EIP-198's prices, in force until Berlin */
    {"modexp", 0x05, CEVM_ISTANBUL, 17},
    {"modexp_eip2565", 0x05, CEVM_BERLIN, 47},
    {"modexp_eip2565", 0x05, CEVM_PRAGUE, 47},
    {"bn256Add", 0x06, CEVM_ISTANBUL, 16},
    {"bn256Pairing", 0x08, CEVM_ISTANBUL, 14},
    {"blake2F", 0x09, CEVM_ISTANBUL, 5},
    {"pointEvaluation", 0x0a, CEVM_CANCUN, 1},
    {"blsG1Mul", 0x0c, CEVM_PRAGUE, 11}, /* multiplications are sums of one term since the EIP was final */
    {"blsG2Mul", 0x0e, CEVM_PRAGUE, 11},
    {"fail-blsG1Mul", 0x0c, CEVM_PRAGUE, 7},
    {"fail-blsG2Mul", 0x0e, CEVM_PRAGUE, 7},
};

enum { FILES = sizeof files / sizeof files[0] };

static const char *text_member(const json_t *entry, const char *key)
{
    return json_string_value(json_object_get(entry, key));
}

/* The cases of a file; NULL, or a failed test if vectors are required, when it is not there. */
static json_t *load(const char *name)
{
    const char *folder = getenv("CEVM_VECTORS_DIR");
    const char *required = getenv("CEVM_REQUIRE_VECTORS");
    char path[4096];
    const int length = snprintf(path, sizeof path, "%s/geth-testdata/core/vm/testdata/precompiles/%s.json",
                                folder != NULL ? folder : "ethereum-tests/vectors", name);
    assert_in_range(length, 1, sizeof path - 1);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        if (required != NULL && strcmp(required, "1") == 0) {
            fail_msg("%s: cannot be read", path);
        }
        print_message("no vectors at %s\n", path);
        return NULL;
    }
    json_error_t error;
    json_t *cases = json_loadf(file, 0, &error);
    (void)fclose(file);
    if (cases == NULL) {
        fail_msg("%s: %s", path, error.text);
    }
    assert_true(json_is_array(cases));
    return cases;
}

/* Runs one case. True if its output was compared, false if the build does not hold the contract. */
static bool run_case(const vector_file *file, const json_t *entry)
{
    const char *name = text_member(entry, "Name");
    const char *input = text_member(entry, "Input");
    const char *expected = text_member(entry, "Expected");
    const json_t *gas = json_object_get(entry, "Gas");
    assert_non_null(name);
    assert_non_null(input);
    const call_result r = call_hex(file->address, file->fork, input);
    if (gas != NULL && r.gas != (uint64_t)json_integer_value(gas)) {
        fail_msg("%s, %s: gas %llu, not %lld", file->name, name, (unsigned long long)r.gas,
                 (long long)json_integer_value(gas));
    }
#ifdef CEVM_NO_BLST
    if (r.status == CEVM_PRECOMPILE_NOT_BUILT) {
        return false;
    }
#endif
    if (expected == NULL) {
        assert_non_null(text_member(entry, "ExpectedError"));
        assert_int_equal(r.status, CEVM_PRECOMPILE_FAIL);
        return true;
    }
    size_t size = 0;
    uint8_t *bytes = bytes_of_hex(expected, &size);
    if (r.status != CEVM_PRECOMPILE_OK || r.size != size || memcmp(r.output, bytes, size) != 0) {
        fail_msg("%s, %s: status %d, or another output", file->name, name, (int)r.status);
    }
    free(bytes);
    free(r.output);
    return true;
}

static void test_geth_vectors(void **state)
{
    (void)state;
    size_t compared = 0;
    size_t priced_only = 0;
    for (size_t i = 0; i < FILES; ++i) {
        json_t *cases = load(files[i].name);
        if (cases == NULL && i == 0) {
            skip();
        }
        assert_non_null(cases);
        const size_t count = json_array_size(cases);
        assert_in_range(count, files[i].cases, SIZE_MAX);
        for (size_t k = 0; k < count; ++k) {
            if (run_case(&files[i], json_array_get(cases, k))) {
                ++compared;
            } else {
                ++priced_only;
            }
        }
        json_decref(cases);
    }
    print_message("%zu outputs compared; %zu cases of contracts not built, compared by price alone\n", compared,
                  priced_only);
}

/* The table in EIP-7883's section "Test Cases"; names are those of the vector file. */
static const struct {
    const char *name;
    uint64_t before; /* EIP-2565 */
    uint64_t after;
} eip_7883[] = {
    {"nagydani-1-square", 200, 500},    {"nagydani-1-qube", 200, 500},     {"nagydani-1-pow0x10001", 341, 2048},
    {"nagydani-2-square", 200, 512},    {"nagydani-2-qube", 200, 512},     {"nagydani-2-pow0x10001", 1365, 8192},
    {"nagydani-3-square", 341, 2048},   {"nagydani-3-qube", 341, 2048},    {"nagydani-3-pow0x10001", 5461, 32768},
    {"nagydani-4-square", 1365, 8192},  {"nagydani-4-qube", 1365, 8192},   {"nagydani-4-pow0x10001", 21845, 131072},
    {"nagydani-5-square", 5461, 32768}, {"nagydani-5-qube", 5461, 32768},  {"nagydani-5-pow0x10001", 87381, 524288},
    {"marius-1-even", 2057, 45296},     {"guido-1-even", 2298, 51136},     {"guido-2-even", 2300, 51152},
    {"guido-3-even", 5400, 32400},      {"guido-4-even", 1026, 94448},     {"marcin-1-base-heavy", 200, 1152},
    {"marcin-1-exp-heavy", 215, 16624}, {"marcin-1-balanced", 200, 1200},  {"marcin-2-base-heavy", 867, 5202},
    {"marcin-2-exp-heavy", 852, 16368}, {"marcin-2-balanced", 996, 5978},  {"marcin-3-base-heavy", 677, 2032},
    {"marcin-3-exp-heavy", 765, 4080},  {"marcin-3-balanced", 1360, 4080},
};

enum { EIP_7883_ROWS = sizeof eip_7883 / sizeof eip_7883[0] };

static void test_eip7883_price_table(void **state)
{
    (void)state;
    json_t *cases = load("modexp_eip2565");
    if (cases == NULL) {
        skip();
    }
    for (size_t i = 0; i < EIP_7883_ROWS; ++i) {
        const char *input = NULL;
        const char *expected = NULL;
        for (size_t k = 0; k < json_array_size(cases); ++k) {
            const json_t *entry = json_array_get(cases, k);
            if (strcmp(text_member(entry, "Name"), eip_7883[i].name) == 0) {
                input = text_member(entry, "Input");
                expected = text_member(entry, "Expected");
            }
        }
        if (input == NULL || expected == NULL) {
            fail_msg("no vector is called %s", eip_7883[i].name);
        }
        const call_result r = call_hex(0x05, CEVM_OSAKA, input);
        const call_result earlier = call_hex(0x05, CEVM_PRAGUE, input);
        assert_int_equal(r.gas, eip_7883[i].after);
        assert_int_equal(earlier.gas, eip_7883[i].before);
        free(earlier.output);
        expect_output(r, expected);
    }
    json_decref(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_geth_vectors),
        cmocka_unit_test(test_eip7883_price_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
