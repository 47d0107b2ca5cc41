/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arithmetic tables of go-ethereum (core/vm/testdata/testcases_*.json, [{X, Y, Expected}]). There Y is the top of
 * the stack: `sub` means Y - X, and `shl` shifts X by Y.
 *
 * The tables are looked for in $CEVM_VECTORS_DIR, or in ethereum-tests/vectors. Without them the tests are skipped and
 * reported so; with CEVM_REQUIRE_VECTORS=1 they fail.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "evm/u256.h"

typedef cevm_u256 (*binary)(const cevm_u256 *top, const cevm_u256 *second);

static cevm_u256 op_eq(const cevm_u256 *a, const cevm_u256 *b) { return cevm_u256_from_u64(cevm_u256_equal(a, b)); }

static cevm_u256 op_lt(const cevm_u256 *a, const cevm_u256 *b) { return cevm_u256_from_u64(u256_lt(a, b)); }

static cevm_u256 op_gt(const cevm_u256 *a, const cevm_u256 *b) { return cevm_u256_from_u64(u256_gt(a, b)); }

static cevm_u256 op_slt(const cevm_u256 *a, const cevm_u256 *b) { return cevm_u256_from_u64(u256_slt(a, b)); }

static cevm_u256 op_sgt(const cevm_u256 *a, const cevm_u256 *b) { return cevm_u256_from_u64(u256_sgt(a, b)); }

static cevm_u256 op_shl(const cevm_u256 *count, const cevm_u256 *value) { return u256_shl(value, count); }

static cevm_u256 op_shr(const cevm_u256 *count, const cevm_u256 *value) { return u256_shr(value, count); }

static cevm_u256 op_sar(const cevm_u256 *count, const cevm_u256 *value) { return u256_sar(value, count); }

/* `published` says whether go-ethereum ships a table of that name; the others are run if one appears. */
static const struct {
    const char *name;
    binary run;
    bool published;
} tables[] = {
    {"add", u256_add, true},
    {"and", u256_and, true},
    {"byte", u256_byte, false},
    {"div", cevm_u256_div, true},
    {"eq", op_eq, true},
    {"exp", cevm_u256_exp, false},
    {"gt", op_gt, true},
    {"lt", op_lt, true},
    {"mod", cevm_u256_mod, true},
    {"mul", u256_mul, true},
    {"or", u256_or, true},
    {"sar", op_sar, false},
    {"sdiv", cevm_u256_sdiv, true},
    {"sgt", op_sgt, true},
    {"shl", op_shl, true},
    {"shr", op_shr, true},
    {"signext", u256_signextend, false},
    {"slt", op_slt, false},
    {"smod", cevm_u256_smod, false},
    {"sub", u256_sub, true},
    {"xor", u256_xor, true},
};

enum { TABLES = sizeof tables / sizeof tables[0], CASES = 1215 };

/* Member `key` of a case as a word: exactly 64 hexadecimal digits. */
static cevm_u256 member(const json_t *entry, const char *key)
{
    const char *text = json_string_value(json_object_get(entry, key));
    uint8_t bytes[32];
    assert_non_null(text);
    assert_int_equal(strlen(text), 64);
    for (size_t i = 0; i < sizeof bytes; ++i) {
        const char pair[3] = {text[2 * i], text[2 * i + 1], '\0'};
        char *end = NULL;
        bytes[i] = (uint8_t)strtoul(pair, &end, 16);
        assert_ptr_equal(end, pair + 2);
    }
    return cevm_u256_from_be(bytes);
}

/* Runs one table and returns its number of cases, 0 if there is no such file. */
static size_t run_table(const char *path, const char *name, binary run)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return 0;
    }
    json_error_t error;
    json_t *cases = json_loadf(file, 0, &error);
    (void)fclose(file);
    if (cases == NULL) {
        fail_msg("%s: %s", path, error.text);
    }
    assert_true(json_is_array(cases));
    const size_t count = json_array_size(cases);
    for (size_t i = 0; i < count; ++i) {
        const json_t *entry = json_array_get(cases, i);
        const cevm_u256 x = member(entry, "X");
        const cevm_u256 y = member(entry, "Y");
        const cevm_u256 expected = member(entry, "Expected");
        const cevm_u256 got = run(&y, &x);
        if (!cevm_u256_equal(&got, &expected)) {
            fail_msg("%s: case %zu differs", name, i);
        }
    }
    json_decref(cases);
    return count;
}

static void test_geth_tables(void **state)
{
    (void)state;
    const char *folder = getenv("CEVM_VECTORS_DIR");
    const char *required = getenv("CEVM_REQUIRE_VECTORS");
    const bool must_run = required != NULL && strcmp(required, "1") == 0;
    size_t total = 0;
    for (size_t i = 0; i < TABLES; ++i) {
        char path[4096];
        const int length = snprintf(path, sizeof path, "%s/geth-testdata/core/vm/testdata/testcases_%s.json",
                                    folder != NULL ? folder : "ethereum-tests/vectors", tables[i].name);
        assert_in_range(length, 1, sizeof path - 1);
        const size_t count = run_table(path, tables[i].name, tables[i].run);
        if (count == 0 && tables[i].published && (must_run || total != 0)) {
            fail_msg("no cases in %s", path);
        }
        if (count == 0 && total == 0) {
            print_message("no vectors at %s\n", path);
            skip();
        }
        total += count;
    }
    print_message("%zu cases\n", total);
    assert_in_range(total, CASES, SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_geth_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
