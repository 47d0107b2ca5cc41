/* SPDX-License-Identifier: Apache-2.0 */
/* console.log out of calldata (rpc/console.h). Selectors are those of Hardhat's and Foundry's console.sol. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <cevm/hex.h>

#include "rpc/console.h"

#define WORD(digits) "00000000000000000000000000000000000000000000000000000000000000" digits

static const struct {
    const char *input, *text;
} good[] = {
    {"51973ec9", ""},
    {"41304fac" WORD("20") WORD("05") "68656c6c6f000000000000000000000000000000000000000000000000000000", "hello"},
    {"f82c50f1" WORD("2a"), "42"},
    {"f5b1bba9" WORD("2a"), "42"}, /* log(uint), of old versions */
    {"2d5b6cb9ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffd6", "-42"},
    {"2d5b6cb98000000000000000000000000000000000000000000000000000000000000000",
     "-57896044618658097711785492504343953926634992332820282019728792003956564819968"},
    {"32458eed" WORD("01"), "true"},
    {"32458eed" WORD("00"), "false"},
    {"2c2ecbc2000000000000000000000000f39fd6e51aad88f6f4ce6ab8827279cfffb92266",
     "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"},
    {"0be77f56" WORD("20") WORD("03") "0102030000000000000000000000000000000000000000000000000000000000", "0x010203"},
    {"b60e72cc" WORD("40") WORD("07") WORD("01") "7800000000000000000000000000000000000000000000000000000000000000",
     "x 7"},
    {"b60e72cc" WORD("40") WORD("07") WORD("05") "25642f2573000000000000000000000000000000000000000000000000000000",
     "7/%s"}, /* "%d/%s" and one number */
    {"b60e72cc" WORD("40") WORD("1f") WORD("06") "2525202578250000000000000000000000000000000000000000000000000000",
     "% 0x1f%"}, /* "%% %x%" */
};

static const char *const bad[] = {
    "",
    "41304f",
    "deadbeef",
    "41304fac",
    "41304fac" WORD("20"),
    "41304fac" WORD("20") WORD("01"),
    "f82c50f1",
    "41304facffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff" WORD("00"),
    "41304fac00000000000000000000000000000000000000000000000000000000fffffffe" WORD("00"),
    "41304fac" WORD("20") "000000000000000000000000000000000000000000000000ffffffffffffffff",
};

static bool format(char *out, size_t size, const cevm_console *console, const char *hex)
{
    uint8_t input[512];
    size_t input_size = 0;
    assert_true(cevm_hex_decode(input, &input_size, hex, strlen(hex)));
    return cevm_console_format(out, size, console, (cevm_bytes){input, input_size});
}

static void what_is_logged(void **state)
{
    cevm_console *console = cevm_console_create(NULL);
    char text[256];
    (void)state;
    assert_non_null(console);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; ++i) {
        assert_true(format(text, sizeof text, console, good[i].input));
        assert_string_equal(text, good[i].text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
        assert_false(format(text, sizeof text, console, bad[i]));
    }
    cevm_console_destroy(console);
}

static void long_text_is_cut(void **state)
{
    cevm_console *console = cevm_console_create(NULL);
    char text[4];
    (void)state;
    assert_true(format(text, sizeof text, console, good[1].input));
    assert_string_equal(text, "hel");
    cevm_console_destroy(console);
}

static void code_that_logs(void **state)
{
    static const uint8_t code[] = "\x60\x01\x6a"
                                  "console.log"
                                  "\xfa";
    (void)state;
    assert_true(cevm_console_in_code((cevm_bytes){code, sizeof code - 1}));
    assert_false(cevm_console_in_code((cevm_bytes){code, 10}));
    assert_false(cevm_console_in_code((cevm_bytes){NULL, 0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_logged),
        cmocka_unit_test(long_text_is_cut),
        cmocka_unit_test(code_that_logs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
