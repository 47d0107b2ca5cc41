/* SPDX-License-Identifier: Apache-2.0 */
/** Hexadecimal and decimal text (cevm/hex.h). Expected values are written out or made by GMP. */
#include <cevm/hex.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <gmp.h>

static bool decode(uint8_t *out, size_t *size, const char *text)
{
    return cevm_hex_decode(out, size, text, strlen(text));
}

static void test_decode(void **unused)
{
    uint8_t out[8];
    size_t size = 99;
    (void)unused;
    assert_true(decode(out, &size, "0x00fF10"));
    assert_int_equal(size, 3);
    assert_memory_equal(out, "\x00\xff\x10", 3);
    assert_true(decode(out, &size, "deadBEEF"));
    assert_int_equal(size, 4);
    assert_memory_equal(out, "\xde\xad\xbe\xef", 4);
    assert_true(decode(out, &size, ""));
    assert_int_equal(size, 0);
    assert_true(decode(out, &size, "0x"));
    assert_int_equal(size, 0);
}

static void test_decode_rejects(void **unused)
{
    static const char *const bad[] = {"0", "0x1", "0x123", "0xgg", "zz", "0x 1", "12\n3", "x0", "0x0x00"};
    uint8_t out[8];
    size_t size;
    (void)unused;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
        assert_false(decode(out, &size, bad[i]));
    }
    /* A NUL inside the length given is no digit. */
    assert_false(cevm_hex_decode(out, &size, "0x\0000", 4));
}

static void test_decode_exact(void **unused)
{
    uint8_t out[3] = {0, 0, 0x77};
    (void)unused;
    assert_true(cevm_hex_decode_exact(out, 2, "0x0102"));
    assert_memory_equal(out, "\x01\x02\x77", 3);
    assert_false(cevm_hex_decode_exact(out, 2, "0x010203"));
    assert_false(cevm_hex_decode_exact(out, 2, "0x01020"));
    assert_false(cevm_hex_decode_exact(out, 2, "0x01"));
    assert_true(cevm_hex_decode_exact(out, 0, "0x"));
    assert_int_equal(out[2], 0x77);
}

static void test_encode(void **unused)
{
    char out[9];
    const uint8_t bytes[] = {0x00, 0x9a, 0xbc, 0xff};
    (void)unused;
    cevm_hex_encode(out, bytes, sizeof bytes);
    assert_string_equal(out, "009abcff");
    cevm_hex_encode(out, NULL, 0);
    assert_string_equal(out, "");
}

static void check_number(const char *text, uint64_t w3, uint64_t w2, uint64_t w1, uint64_t w0)
{
    cevm_u256 value;
    assert_true(cevm_u256_from_text(&value, text));
    assert_true(value.w[3] == w3 && value.w[2] == w2 && value.w[1] == w1 && value.w[0] == w0);
}

static void test_from_text(void **unused)
{
    (void)unused;
    check_number("0x", 0, 0, 0, 0);
    check_number("0x0", 0, 0, 0, 0);
    check_number("0x0003", 0, 0, 0, 3);
    check_number("0x20000", 0, 0, 0, 0x20000);
    check_number("0XaB", 0, 0, 0, 0xab);
    check_number("0x000000000000000000000000000000000000000000000000000000000000000000000000ff", 0, 0, 0, 255);
    check_number("0x1000000000000000000000000000000000000000000000002", 1, 0, 0, 2);
    check_number("0", 0, 0, 0, 0);
    check_number("00012", 0, 0, 0, 12);
    check_number("18446744073709551616", 0, 0, 1, 0);
    check_number("115792089237316195423570985008687907853269984665640564039457584007913129639935", UINT64_MAX,
                 UINT64_MAX, UINT64_MAX, UINT64_MAX);
}

static void test_from_text_rejects(void **unused)
{
    static const char *const bad[] = {
        "",
        " 1",
        "-1",
        "1 ",
        "0xg",
        "12a",
        "0x:bigint 0x1",
        "+5",
        "0x10000000000000000000000000000000000000000000000000000000000000000",
        "115792089237316195423570985008687907853269984665640564039457584007913129639936",
        "1157920892373161954235709850086879078532699846656405640394575840079131296399350"};
    cevm_u256 value;
    (void)unused;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
        assert_false(cevm_u256_from_text(&value, bad[i]));
    }
}

static void test_against_gmp(void **unused)
{
    gmp_randstate_t random;
    mpz_t number;
    (void)unused;
    gmp_randinit_default(random);
    mpz_init(number);
    for (unsigned bits = 0; bits <= 256; ++bits) {
        uint8_t bytes[32] = {0};
        size_t size = 0;
        char ours[80];
        char theirs[80];
        cevm_u256 back;
        mpz_rrandomb(number, random, bits);
        mpz_export(bytes, &size, 1, 1, 1, 0, number);
        memmove(bytes + 32 - size, bytes, size);
        memset(bytes, 0, 32 - size);
        const cevm_u256 value = cevm_u256_from_be(bytes);
        cevm_u256_to_decimal(ours, &value);
        (void)gmp_snprintf(theirs, sizeof theirs, "%Zd", number);
        assert_string_equal(ours, theirs);
        assert_true(cevm_u256_from_text(&back, theirs) && cevm_u256_equal(&back, &value));
        cevm_u256_to_hex(ours, &value);
        (void)gmp_snprintf(theirs, sizeof theirs, "0x%Zx", number);
        assert_string_equal(ours, theirs);
        assert_true(cevm_u256_from_text(&back, theirs) && cevm_u256_equal(&back, &value));
    }
    mpz_clear(number);
    gmp_randclear(random);
}

/* The addresses of EIP-55. */
static void test_address(void **unused)
{
    (void)unused;
    static const char *const texts[] = {
        "0x52908400098527886E0F7030069857D2E4169EE7", "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
        "0xde709f2102306220921060314715629080e2fb77", "0x27b1fdb04752bbc536007a920d24acb045561c26",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char text[43];
        cevm_address address;
        assert_true(cevm_hex_decode_exact(address.bytes, sizeof address.bytes, texts[i]));
        cevm_address_to_text(text, &address);
        assert_string_equal(text, texts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode),       cmocka_unit_test(test_decode_rejects),
        cmocka_unit_test(test_decode_exact), cmocka_unit_test(test_encode),
        cmocka_unit_test(test_from_text),    cmocka_unit_test(test_from_text_rejects),
        cmocka_unit_test(test_against_gmp),  cmocka_unit_test(test_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
