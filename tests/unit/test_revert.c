/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Revert reasons in words. The encodings are written out by the ABI specification's rules; the selectors are the first four
 * bytes of keccak256 of the signatures, which the test computes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cevm/cevm.h>

#include <stdio.h>

#include "trace/revert.h"
#include "trace/selectors.h"

static const char *describe_bytes(const uint8_t *data, size_t size, bool known)
{
    static char text[256];
    assert_int_equal(cevm_revert_describe(text, sizeof text, (cevm_bytes){data, size}), known);
    return text;
}

/* The description of data given in hex. */
static const char *describe(const char *hex, bool known)
{
    uint8_t data[512];
    size_t size = 0;
    assert_true(cevm_hex_decode(data, &size, hex, strlen(hex)));
    return describe_bytes(data, size, known);
}

#define WORD(last2)  "00000000000000000000000000000000000000000000000000000000000000" last2
#define ERROR_STRING "08c379a0"
#define PANIC        "4e487b71"

static void test_error_string(void **state)
{
    (void)state;
    assert_string_equal(describe(ERROR_STRING WORD("20")
                                     WORD("06") "7061757365640000000000000000000000000000000000000000000000000000",
                                 true),
                        "Error(\"paused\")");
    assert_string_equal(describe(ERROR_STRING WORD("20") WORD("00"), true), "Error(\"\")");
    /* Not padded to whole words, as hand-written code has it. */
    assert_string_equal(describe(ERROR_STRING WORD("20") WORD("02") "6869", true), "Error(\"hi\")");
}

/* The text goes to a terminal: nothing in it may command it, or pretend. */
static void test_text_is_escaped(void **state)
{
    (void)state;
    assert_string_equal(describe(ERROR_STRING WORD("20") WORD("05") "1b5b326d0a", true), "Error(\"\\x1b[2m\\x0a\")");
    assert_string_equal(describe(ERROR_STRING WORD("20") WORD("03") "225c7f", true), "Error(\"\\\"\\\\\\x7f\")");
    assert_string_equal(describe(ERROR_STRING WORD("20") WORD("05") "c3a9e282ac", true),
                        "Error(\"\xc3\xa9\xe2\x82\xac\")");
    /* Broken, overlong and surrogate UTF-8, a C1 control, and a mark that turns the direction of text. */
    assert_string_equal(describe(ERROR_STRING WORD("20") WORD("02") "c328", true), "Error(\"\\xc3(\")");
    assert_string_equal(describe(ERROR_STRING WORD("20") WORD("03") "e08080", true), "Error(\"\\xe0\\x80\\x80\")");
    assert_string_equal(describe(ERROR_STRING WORD("20") WORD("03") "eda080", true), "Error(\"\\xed\\xa0\\x80\")");
    assert_string_equal(describe(ERROR_STRING WORD("20") WORD("02") "c29b", true), "Error(\"\\xc2\\x9b\")");
    assert_string_equal(describe(ERROR_STRING WORD("20") WORD("03") "e280ae", true), "Error(\"\\xe2\\x80\\xae\")");
}

/* Offsets and lengths that point outside must not be followed. */
static void test_broken_encodings(void **state)
{
    (void)state;
    static const char huge[] = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
    char hex[300];
    (void)snprintf(hex, sizeof hex, "%s%s%s", ERROR_STRING, huge, WORD("01"));
    assert_string_equal(describe(hex, true), "custom error 0x08c379a0 (2 words of arguments)");
    (void)snprintf(hex, sizeof hex, "%s%s%s", ERROR_STRING, WORD("20"), huge);
    assert_string_equal(describe(hex, true), "custom error 0x08c379a0 (2 words of arguments)");
    assert_string_equal(describe(ERROR_STRING WORD("41") WORD("00"), true),
                        "custom error 0x08c379a0 (2 words of arguments)");
    assert_string_equal(describe(ERROR_STRING WORD("20") WORD("21"), true),
                        "custom error 0x08c379a0 (2 words of arguments)");
    assert_string_equal(describe(ERROR_STRING, true), "custom error 0x08c379a0 (no arguments)");
    assert_string_equal(describe(PANIC, true), "custom error 0x4e487b71 (no arguments)");
}

/* Solidity's documentation, "Panic via assert and Error via require". */
static void test_panic(void **state)
{
    (void)state;
    assert_string_equal(describe(PANIC WORD("01"), true), "Panic(0x1): assertion failed");
    assert_string_equal(describe(PANIC WORD("11"), true), "Panic(0x11): arithmetic overflow or underflow");
    assert_string_equal(describe(PANIC WORD("12"), true), "Panic(0x12): division or modulo by zero");
    assert_string_equal(describe(PANIC WORD("32"), true), "Panic(0x32): array index out of bounds");
    assert_string_equal(describe(PANIC WORD("99"), true), "Panic(0x99)");
    assert_string_equal(describe(PANIC "01" WORD("01"), false), "37 bytes that are no error");
}

static void test_custom(void **state)
{
    (void)state;
    assert_string_equal(describe("deadbeef", true), "custom error 0xdeadbeef (no arguments)");
    assert_string_equal(describe("deadbeef" WORD("01"), true), "custom error 0xdeadbeef (1 word of arguments)");
    /* ERC-6093 */
    assert_string_equal(describe("e450d38c" WORD("0b") WORD("01") WORD("02"), true),
                        "ERC20InsufficientBalance(0x000000000000000000000000000000000000000b, 1, 2)");
    assert_string_equal(describe("", false), "no reason given");
    assert_string_equal(describe("01", false), "1 byte, too short for an error");
    assert_string_equal(describe("deadbeef00", false), "5 bytes that are no error");
}

/* A text that is too long is cut, and the buffer is never overrun. */
static void test_cut(void **state)
{
    (void)state;
    uint8_t data[4 + 64 + 200] = {0x08, 0xc3, 0x79, 0xa0};
    data[4 + 31] = 32;
    data[4 + 63] = 200;
    memset(data + 4 + 64, 1, 200);
    for (size_t size = 1; size < 300; ++size) {
        char text[301];
        memset(text, '#', sizeof text);
        (void)cevm_revert_describe(text, size, (cevm_bytes){data, sizeof data});
        assert_non_null(memchr(text, '\0', size));
        assert_int_equal(text[size], '#');
    }
}

/* The table's selectors are what keccak256 of its signatures gives. */
static void test_selectors(void **state)
{
    (void)state;
    static const char *const functions[] = {"totalSupply()", "balanceOf(address)", "transfer(address,uint256)",
                                            "transferFrom(address,address,uint256)", "withdraw(uint256)"};
    static const char *const errors[] = {"Error(string)", "Panic(uint256)", "OwnableUnauthorizedAccount(address)",
                                         "ERC721InsufficientApproval(address,uint256)", "NotInitializing()"};
    static const char *const events[] = {"Transfer(address,address,uint256)", "Approval(address,address,uint256)",
                                         "Withdrawal(address,uint256)"};
    cevm_hash hash;
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; ++i) {
        cevm_keccak256(&hash, functions[i], strlen(functions[i]));
        assert_string_equal(cevm_known_function((uint32_t)(cevm_load_be64(hash.bytes) >> 32)), functions[i]);
    }
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; ++i) {
        cevm_keccak256(&hash, errors[i], strlen(errors[i]));
        assert_string_equal(cevm_known_error((uint32_t)(cevm_load_be64(hash.bytes) >> 32)), errors[i]);
    }
    for (size_t i = 0; i < sizeof events / sizeof events[0]; ++i) {
        cevm_keccak256(&hash, events[i], strlen(events[i]));
        assert_string_equal(cevm_known_event((uint32_t)(cevm_load_be64(hash.bytes) >> 32)), events[i]);
    }
    assert_null(cevm_known_function(0));
}

static void test_describe_call(void **state)
{
    (void)state;
    char text[200];
    uint8_t words[96] = {0};
    words[31] = 1;
    memset(words + 32, 0xff, 32);
    words[95] = 7;
    const cevm_bytes all = {words, sizeof words};
    cevm_describe_call(text, sizeof text, "f(bool,uint256,string)", all);
    assert_string_equal(text, "f(true, 0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff, …)");
    cevm_describe_call(text, sizeof text, "f(bool,uint256,string)", (cevm_bytes){words, 95});
    assert_string_equal(text, "f(bool,uint256,string)"); /* too short to be such a call */
    cevm_describe_call(text, sizeof text, "f()", (cevm_bytes){NULL, 0});
    assert_string_equal(text, "f()");
    cevm_describe_call(text, 6, "f(bool,uint256,string)", all);
    assert_string_equal(text, "f(tru");
}

/* Encodings by the rules of the ABI specification: heads first, what has no fixed size behind them. */
static void test_describe_types(void **state)
{
    (void)state;
    char text[400];
    uint8_t words[7 * 32] = {0};
    const cevm_bytes all = {words, sizeof words};
    words[31] = 0x60; /* where the string begins */
    memset(words + 32, 0xff, 31);
    words[63] = 0xf9; /* -7 */
    words[95] = 0xa0; /* where the bytes begin */
    words[127] = 5;
    memcpy(words + 128, "sev\"n", 5);
    words[191] = 3;
    memcpy(words + 192, "\x01\x02\xff", 3);
    cevm_describe_call(text, sizeof text, "Bad(string,int256,bytes)", all);
    assert_string_equal(text, "Bad(\"sev\\\"n\", -7, 0x0102ff)");
    cevm_describe_call(text, sizeof text, "Bad(uint256[],int8,uint8)", all);
    assert_string_equal(text, "Bad(…, -7, 160)");
    /* What lies behind a tuple or an array of a fixed size is not where its number says. */
    cevm_describe_call(text, sizeof text, "Bad(uint256[2],uint256)", all);
    assert_string_equal(text, "Bad(…)");
    cevm_describe_call(text, sizeof text, "Bad(uint8,(uint256,address),uint256)", all);
    assert_string_equal(text, "Bad(96, …)");
    cevm_describe_call(text, sizeof text, "Bad((uint256,address)[],int256)", all);
    assert_string_equal(text, "Bad(…, -7)");
    words[29] = 1; /* the string beyond the end */
    cevm_describe_call(text, sizeof text, "Bad(string,int256)", all);
    assert_string_equal(text, "Bad(…, -7)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error_string),     cmocka_unit_test(test_text_is_escaped),
        cmocka_unit_test(test_broken_encodings), cmocka_unit_test(test_panic),
        cmocka_unit_test(test_custom),           cmocka_unit_test(test_cut),
        cmocka_unit_test(test_selectors),        cmocka_unit_test(test_describe_call),
        cmocka_unit_test(test_describe_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
