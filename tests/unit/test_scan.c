/* SPDX-License-Identifier: Apache-2.0 */
/**
 * JSON read where it lies (state/scan.h), against RFC 8259 and against jansson.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "state/scan.h"

static bool scan(cevm_scan_value *out, const char *text)
{
    return cevm_scan_document(out, (cevm_bytes){(const uint8_t *)text, strlen(text)});
}

static const char *const good[] = {
    "0",
    "-0",
    "1",
    "-12.5e+3",
    "1E5",
    "0.5",
    "true",
    "false",
    "null",
    "\"\"",
    "\"a\\\"b\\u00e9\\\\\"",
    "[]",
    "{}",
    " [ ] ",
    "\t{\r\n}",
    "[1,2,[3,{\"a\":[{}]}],null]",
    "{\"a\":1,\"b\":{\"c\":[true,false]},\"\":\"x\"}",
    "[[],[],{}]",
    "[\"}\",\"]\",{\"{\":\"[\"}]",
};

static const char *const bad[] = {
    "",          " ",       "-",           "+1",       "01",
    "1.",        "1e",      ".5",          "tru",      "truex",
    "nul",       "[",       "]",           "{",        "}",
    "[1,]",      "[,1]",    "[1 2]",       "{\"a\"}",  "{\"a\":}",
    "{a:1}",     "{1:2}",   "{\"a\":1,}",  "{,}",      "{\"a\":1 \"b\":2}",
    "\"",        "\"\\x\"", "\"\\u12g4\"", "\"\\u123", "\"\n\"",
    "1 2",       "[] []",   "[}",          "{]",       "[[]",
    "{\"a\":[}", "'a'",     "NaN",         "[1],",     "{\"a\":1}}",
};

static void test_what_is_json(void **state)
{
    (void)state;
    cevm_scan_value value;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; ++i) {
        assert_true(scan(&value, good[i]));
        json_t *other = json_loads(good[i], JSON_DECODE_ANY, NULL);
        assert_non_null(other);
        json_decref(other);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
        if (scan(&value, bad[i])) {
            print_error("%s\n", bad[i]);
        }
        assert_false(scan(&value, bad[i]));
        assert_null(json_loads(bad[i], JSON_DECODE_ANY, NULL));
    }
}

static void test_depth(void **state)
{
    (void)state;
    char text[2 * (CEVM_SCAN_MAX_DEPTH + 1) + 1];
    cevm_scan_value value;
    for (size_t depth = CEVM_SCAN_MAX_DEPTH; depth <= CEVM_SCAN_MAX_DEPTH + 1; ++depth) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        text[2 * depth] = '\0';
        assert_true(scan(&value, text) == (depth <= CEVM_SCAN_MAX_DEPTH));
        text[depth - 1] = '{';
        assert_false(scan(&value, text));
    }
    static char deep[100001];
    memset(deep, '[', sizeof deep - 1);
    assert_false(scan(&value, deep));
}

static void test_walks(void **state)
{
    (void)state;
    cevm_scan_value value;
    cevm_scan_value key;
    cevm_scan_value item;
    assert_true(scan(&value, " { \"a\" : 1 , \"b\":[ \"x\" ,{ } ],\"a\":2,\"c\":null } "));
    static const char *const names[] = {"a", "b", "a", "c"};
    static const cevm_scan_type types[] = {CEVM_SCAN_NUMBER, CEVM_SCAN_ARRAY, CEVM_SCAN_NUMBER, CEVM_SCAN_NULL};
    cevm_scan_walk walk = cevm_scan_items(&value);
    for (size_t i = 0; i < 4; ++i) {
        assert_true(cevm_scan_next(&walk, &key, &item));
        assert_true(cevm_scan_equals(&key, names[i]));
        assert_int_equal(item.type, types[i]);
    }
    assert_false(cevm_scan_next(&walk, &key, &item));
    assert_false(cevm_scan_next(&walk, &key, &item));
    assert_true(cevm_scan_member(&item, &value, "a") && item.text[0] == '1');
    assert_false(cevm_scan_member(&item, &value, "d"));
    assert_true(cevm_scan_member(&item, &value, "b"));
    walk = cevm_scan_items(&item);
    assert_true(cevm_scan_next(&walk, NULL, &key) && cevm_scan_equals(&key, "x"));
    assert_true(cevm_scan_next(&walk, NULL, &key) && key.type == CEVM_SCAN_OBJECT);
    assert_false(cevm_scan_next(&walk, NULL, &key));
    assert_true(scan(&value, "[ ]"));
    walk = cevm_scan_items(&value);
    assert_false(cevm_scan_next(&walk, NULL, &item));
    assert_false(cevm_scan_member(&item, &value, "a"));
    assert_true(scan(&value, "7"));
    walk = cevm_scan_items(&value);
    assert_false(cevm_scan_next(&walk, NULL, &item));
}

static void test_meanings(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_quantity;
        uint64_t low;
    } rows[] = {
        {"\"0x0\"", true, 0},
        {"\"0x\"", true, 0},
        {"\"0x00ff\"", true, 255},
        {"\"0xAb\"", true, 0xab},
        {"\"ab\"", false, 0},
        {"\"0xg\"", false, 0},
        {"\"0x0x1\"", false, 0},
        {"\"0X1\"", false, 0},
        {"1", false, 0},
        {"null", false, 0},
        {"\"0x00000000000000000000000000000000000000000000000000000000000000000\"", false, 0},
        {"\"0x0000000000000000000000000000000000000000000000000000000000000001\"", true, 1},
    };
    cevm_scan_value value;
    cevm_u256 word;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        assert_true(scan(&value, rows[i].text));
        assert_true(cevm_scan_quantity(&word, &value) == rows[i].is_quantity);
        assert_true(!rows[i].is_quantity || (cevm_u256_fits_u64(&word) && word.w[0] == rows[i].low));
    }
    uint64_t small;
    assert_true(scan(&value, "\"0xffffffffffffffff\"") && cevm_scan_u64(&small, &value) && small == UINT64_MAX);
    assert_true(scan(&value, "\"0x10000000000000000\"") && !cevm_scan_u64(&small, &value));
    uint8_t bytes[2];
    assert_true(scan(&value, "\"0x0102\"") && cevm_scan_fixed(bytes, 2, &value) && bytes[1] == 2);
    assert_true(scan(&value, "\"0x010\"") && !cevm_scan_fixed(bytes, 2, &value));
    assert_true(scan(&value, "\"010203\"") && !cevm_scan_fixed(bytes, 2, &value));
    int64_t number;
    assert_true(scan(&value, "-32005") && cevm_scan_int64(&number, &value) && number == -32005);
    assert_true(scan(&value, "1.5") && !cevm_scan_int64(&number, &value));
    assert_true(scan(&value, "1234567890123456789") && !cevm_scan_int64(&number, &value));
    assert_true(scan(&value, "\"5\"") && !cevm_scan_int64(&number, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_json),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_walks),
        cmocka_unit_test(test_meanings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
