/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The precompiled contracts: the table at each fork, the prices of the Yellow Paper and the EIPs, and what the contracts that
 * this build holds answer. modexp has a file of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/precompile_call.h"

static uint8_t zeros[1 << 16];

static void test_table(void **state)
{
    (void)state;
    static const struct {
        unsigned address;
        const char *name;
        cevm_fork since;
    } expected[] = {
        {0x01, "ECREC", CEVM_FRONTIER},
        {0x02, "SHA256", CEVM_FRONTIER},
        {0x03, "RIPEMD160", CEVM_FRONTIER},
        {0x04, "ID", CEVM_FRONTIER},
        {0x05, "MODEXP", CEVM_BYZANTIUM},
        {0x06, "BN254_ADD", CEVM_BYZANTIUM},
        {0x07, "BN254_MUL", CEVM_BYZANTIUM},
        {0x08, "BN254_PAIRING", CEVM_BYZANTIUM},
        {0x09, "BLAKE2F", CEVM_ISTANBUL},
        {0x0a, "KZG_POINT_EVALUATION", CEVM_CANCUN},
        {0x0b, "BLS12_G1ADD", CEVM_PRAGUE},
        {0x0c, "BLS12_G1MSM", CEVM_PRAGUE},
        {0x0d, "BLS12_G2ADD", CEVM_PRAGUE},
        {0x0e, "BLS12_G2MSM", CEVM_PRAGUE},
        {0x0f, "BLS12_PAIRING_CHECK", CEVM_PRAGUE},
        {0x10, "BLS12_MAP_FP_TO_G1", CEVM_PRAGUE},
        {0x11, "BLS12_MAP_FP2_TO_G2", CEVM_PRAGUE},
        {0x100, "P256VERIFY", CEVM_OSAKA},
    };
    size_t count = 0;
    const cevm_precompile *rows = cevm_precompiles(&count);
    assert_int_equal(count, sizeof expected / sizeof expected[0]);
    for (size_t i = 0; i < count; ++i) {
        assert_int_equal(rows[i].address, expected[i].address);
        assert_string_equal(rows[i].name, expected[i].name);
        for (int fork = CEVM_FRONTIER; fork < (int)CEVM_FORK_COUNT; ++fork) {
            const cevm_precompile *found = contract_at(expected[i].address, (cevm_fork)fork);
            assert_ptr_equal(found, fork >= (int)expected[i].since ? &rows[i] : NULL);
        }
    }
}

static void test_all_other_addresses_are_ordinary(void **state)
{
    (void)state;
    size_t found = 0;
    for (unsigned number = 0; number <= 0xffff; ++number) {
        found += contract_at(number, CEVM_LATEST) != NULL;
    }
    assert_int_equal(found, 18);
    for (size_t i = 0; i < 18; ++i) {
        cevm_address address = {{0}};
        address.bytes[19] = 1;
        address.bytes[i] = 1;
        assert_null(cevm_precompile_find(&address, CEVM_LATEST));
        address.bytes[i] = 0x80;
        assert_null(cevm_precompile_find(&address, CEVM_LATEST));
    }
}

/* Yellow Paper, appendix E: so much a call and so much for each word begun. */
static void test_word_prices(void **state)
{
    (void)state;
    static const struct {
        unsigned address;
        uint64_t base;
        uint64_t word;
    } prices[] = {{0x02, 60, 12}, {0x03, 600, 120}, {0x04, 15, 3}};
    for (size_t i = 0; i < sizeof prices / sizeof prices[0]; ++i) {
        const unsigned at = prices[i].address;
        assert_int_equal(price_of(at, CEVM_FRONTIER, NULL, 0), prices[i].base);
        assert_int_equal(price_of(at, CEVM_OSAKA, zeros, 1), prices[i].base + prices[i].word);
        assert_int_equal(price_of(at, CEVM_OSAKA, zeros, 32), prices[i].base + prices[i].word);
        assert_int_equal(price_of(at, CEVM_OSAKA, zeros, 33), prices[i].base + 2 * prices[i].word);
        assert_int_equal(price_of(at, CEVM_OSAKA, zeros, 65536), prices[i].base + 2048 * prices[i].word);
    }
}

/* FIPS 180-4 and the RIPEMD-160 page of its authors. */
static void test_hashes(void **state)
{
    (void)state;
    expect_output(call(0x02, CEVM_FRONTIER, NULL, 0),
                  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect_output(call(0x02, CEVM_OSAKA, "abc", 3), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect_output(call(0x03, CEVM_FRONTIER, NULL, 0),
                  "0000000000000000000000009c1185a5c5e9fc54612808977ee8f548b2258d31");
    expect_output(call(0x03, CEVM_OSAKA, "abc", 3), "0000000000000000000000008eb208f7e05d987a9b044a8e98c6b087f15a0bfc");
}

static void test_identity(void **state)
{
    (void)state;
    expect_output(call(0x04, CEVM_FRONTIER, NULL, 0), "");
    expect_output(call_hex(0x04, CEVM_OSAKA, "00112233445566778899"), "00112233445566778899");
}

/* The signature that EIP-155 gives as its example: digest, v = 27, r, s and the signer. */
#define DIGEST "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53"
#define V27    "000000000000000000000000000000000000000000000000000000000000001b"
#define V28    "000000000000000000000000000000000000000000000000000000000000001c"
#define R      "28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276"
#define S      "67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"
#define ZERO   "0000000000000000000000000000000000000000000000000000000000000000"
#define ORDER  "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
#define SIGNER "0000000000000000000000009d8a62f656a8d1615c1294fd71e9cfb3e4855a4f"

static void test_ecrecover(void **state)
{
    (void)state;
    const call_result r = call_hex(0x01, CEVM_FRONTIER, DIGEST V27 R S);
    assert_int_equal(r.gas, 3000);
    expect_output(r, SIGNER);
    expect_output(call_hex(0x01, CEVM_OSAKA, DIGEST V27 R S "ffff"), SIGNER); /* what follows is not read */
    expect_output(call(0x01, CEVM_OSAKA, NULL, 0), "");
}

static void test_ecrecover_refuses_with_empty_output(void **state)
{
    (void)state;
    static const char *const inputs[] = {
        DIGEST ZERO R S,
        DIGEST "000000000000000000000000000000000000000000000000000000000000001a" R S,
        DIGEST "000000000000000000000000000000000000000000000000000000000000001d" R S,
        DIGEST "000000000000000000000000000000000000000000000001000000000000001b" R S, /* 27 in the low 64 bits only */
        DIGEST "010000000000000000000000000000000000000000000000000000000000001b" R S,
        DIGEST V27 ZERO S,
        DIGEST V27 R ZERO,
        DIGEST V27 ORDER S,
        DIGEST V27 R ORDER,
        DIGEST V27 "0000000000000000000000000000000000000000000000000000000000000005" S, /* 5^3 + 7 is no square */
        DIGEST V27 R,                                                                    /* s is then zero */
        DIGEST,
    };
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; ++i) {
        const call_result r = call_hex(0x01, CEVM_OSAKA, inputs[i]);
        assert_int_equal(r.gas, 3000);
        expect_output(r, "");
    }
}

/* EIP-2 refuses s above half the order in transactions; here n - s under the other parity recovers the same signer. */
static void test_regression_29_ecrecover_accepts_high_s(void **state)
{
    (void)state;
    expect_output(
        call_hex(0x01, CEVM_OSAKA, DIGEST V28 R "98341627668089e51348fccfb4c7ff31c55912f2d2e47ef09652acf665fad3be"),
        SIGNER);
}

/* EIP-196, EIP-197, and EIP-1108 from Istanbul on. */
static void test_eip1108_bn254_prices(void **state)
{
    (void)state;
    static const struct {
        cevm_fork fork;
        uint64_t add, mul, pairing, pair;
    } prices[] = {
        {CEVM_BYZANTIUM, 500, 40000, 100000, 80000},
        {CEVM_PETERSBURG, 500, 40000, 100000, 80000},
        {CEVM_ISTANBUL, 150, 6000, 45000, 34000},
        {CEVM_OSAKA, 150, 6000, 45000, 34000},
    };
    for (size_t i = 0; i < sizeof prices / sizeof prices[0]; ++i) {
        const cevm_fork fork = prices[i].fork;
        assert_int_equal(price_of(0x06, fork, zeros, 128), prices[i].add);
        assert_int_equal(price_of(0x06, fork, NULL, 0), prices[i].add);
        assert_int_equal(price_of(0x07, fork, zeros, 96), prices[i].mul);
        assert_int_equal(price_of(0x08, fork, NULL, 0), prices[i].pairing);
        assert_int_equal(price_of(0x08, fork, zeros, 191), prices[i].pairing);
        assert_int_equal(price_of(0x08, fork, zeros, 192), prices[i].pairing + prices[i].pair);
        assert_int_equal(price_of(0x08, fork, zeros, 1920), prices[i].pairing + 10 * prices[i].pair);
    }
    assert_int_equal(call(0x08, CEVM_OSAKA, zeros, 193).status, CEVM_PRECOMPILE_FAIL);
}

static void test_eip4844_point_evaluation(void **state)
{
    (void)state;
    assert_int_equal(price_of(0x0a, CEVM_CANCUN, zeros, 192), 50000);
    assert_int_equal(call(0x0a, CEVM_CANCUN, NULL, 0).status, CEVM_PRECOMPILE_FAIL);
    assert_int_equal(call(0x0a, CEVM_CANCUN, zeros, 191).status, CEVM_PRECOMPILE_FAIL);
    assert_int_equal(call(0x0a, CEVM_CANCUN, zeros, 193).status, CEVM_PRECOMPILE_FAIL);
}

/* The sizes and prices of EIP-2537; the discounts checked are ends and middles of its two tables. */
static void test_eip2537_prices(void **state)
{
    (void)state;
    assert_int_equal(price_of(0x0b, CEVM_PRAGUE, zeros, 256), 375);
    assert_int_equal(price_of(0x0d, CEVM_PRAGUE, zeros, 512), 600);
    assert_int_equal(price_of(0x10, CEVM_PRAGUE, zeros, 64), 5500);
    assert_int_equal(price_of(0x11, CEVM_PRAGUE, zeros, 128), 23800);
    assert_int_equal(price_of(0x0f, CEVM_PRAGUE, zeros, 384), 70300);
    assert_int_equal(price_of(0x0f, CEVM_PRAGUE, zeros, (size_t)3 * 384), 37700 + 3 * 32600);
}

/* Regression 27: another client priced a multi-exponentiation wrongly. */
static void test_regression_27_eip2537_multi_exponentiation_prices(void **state)
{
    (void)state;
    static const struct {
        size_t terms;
        uint64_t g1, g2; /* thousandths */
    } rows[] = {{1, 1000, 1000}, {2, 949, 1000},  {3, 848, 923},   {10, 712, 770},  {64, 576, 582},
                {93, 547, 550},  {127, 520, 524}, {128, 519, 524}, {129, 519, 524}, {200, 519, 524}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        const uint64_t k = rows[i].terms;
        assert_int_equal(price_of(0x0c, CEVM_PRAGUE, zeros, (size_t)k * 160), k * 12000 * rows[i].g1 / 1000);
        assert_int_equal(price_of(0x0e, CEVM_PRAGUE, zeros, (size_t)k * 288), k * 22500 * rows[i].g2 / 1000);
    }
}

/* All prices of 1 to 128 terms, added up; the sums are those of the tables in the EIP's text. */
static void test_eip2537_discount_tables(void **state)
{
    (void)state;
    uint64_t g1 = 0;
    uint64_t g2 = 0;
    for (size_t k = 1; k <= 128; ++k) {
        g1 += price_of(0x0c, CEVM_PRAGUE, zeros, k * 160);
        g2 += price_of(0x0e, CEVM_PRAGUE, zeros, k * 288);
    }
    assert_int_equal(g1, 55429812);
    assert_int_equal(g2, 105183659);
}

static void test_eip2537_lengths(void **state)
{
    (void)state;
    static const struct {
        unsigned address;
        size_t size;
        bool list;
    } rows[] = {{0x0b, 256, false}, {0x0c, 160, true}, {0x0d, 512, false}, {0x0e, 288, true},
                {0x0f, 384, true},  {0x10, 64, false}, {0x11, 128, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        assert_int_equal(call(rows[i].address, CEVM_PRAGUE, NULL, 0).status, CEVM_PRECOMPILE_FAIL);
        assert_int_equal(call(rows[i].address, CEVM_PRAGUE, zeros, rows[i].size - 1).status, CEVM_PRECOMPILE_FAIL);
        assert_int_equal(call(rows[i].address, CEVM_PRAGUE, zeros, rows[i].size + 1).status, CEVM_PRECOMPILE_FAIL);
        if (!rows[i].list) {
            assert_int_equal(call(rows[i].address, CEVM_PRAGUE, zeros, 2 * rows[i].size).status, CEVM_PRECOMPILE_FAIL);
        }
    }
}

static void test_eip7951_p256verify(void **state)
{
    (void)state;
    assert_int_equal(price_of(0x100, CEVM_OSAKA, zeros, 160), 6900);
    assert_int_equal(price_of(0x100, CEVM_OSAKA, NULL, 0), 6900);
    expect_output(call(0x100, CEVM_OSAKA, NULL, 0), "");
    expect_output(call(0x100, CEVM_OSAKA, zeros, 159), "");
    expect_output(call(0x100, CEVM_OSAKA, zeros, 160), "");
    expect_output(call(0x100, CEVM_OSAKA, zeros, 161), "");
}

/* A curve that this build does not hold must never look like an answer; and a build with blst holds them all. */
static void test_contracts_without_blst_say_so(void **state)
{
    (void)state;
    static const struct {
        unsigned address;
        size_t size;
    } rows[] = {{0x0a, 192}, {0x0b, 256}, {0x0c, 160}, {0x0d, 512}, {0x0e, 288}, {0x0f, 384}, {0x10, 64}, {0x11, 128}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        const call_result r = call(rows[i].address, CEVM_OSAKA, zeros, rows[i].size);
#ifdef CEVM_NO_BLST
        assert_int_equal(r.status, CEVM_PRECOMPILE_NOT_BUILT);
#else
        assert_int_equal(r.status, rows[i].address == 0x0a ? CEVM_PRECOMPILE_FAIL : CEVM_PRECOMPILE_OK);
#endif
        free(r.output);
    }
}

/* The rest of the input of EIP-152's test vectors 4 to 8, which differ in the rounds before it and the flag after it. */
#define BLAKE2_H                                                       \
    "48c9bdf267e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5" \
    "d182e6ad7f520e511f6c3e2b8c68059b6bbd41fbabd9831f79217e1319cde05b"
#define BLAKE2_M                       \
    "61626300000000000000000000000000" \
    "00000000000000000000000000000000" ZERO ZERO ZERO
#define BLAKE2 BLAKE2_H BLAKE2_M "03000000000000000000000000000000"

static void test_eip152_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *input;
        uint64_t gas;
        const char *output;
    } rows[] = {
        {"00000000" BLAKE2 "01", 0,
         "08c9bcf367e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5d282e6ad7f520e511f6c3e2b8c68059b9442be0454267"
         "ce0"
         "79217e1319cde05b"},
        {"0000000c" BLAKE2 "01", 12,
         "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d17d87c5392aab792dc252d5de4533cc9518d38aa8dbf19"
         "25a"
         "b92386edd4009923"},
        {"0000000c" BLAKE2 "00", 12,
         "75ab69d3190a562c51aef8d88f1c2775876944407270c42c9844252c26d2875298743e7f6d5ea2f2d3e8d226039cd31b4e426ac4f2d3d"
         "666"
         "a610c2116fde4735"},
        {"00000001" BLAKE2 "01", 1,
         "b63a380cb2897d521994a85234ee2c181b5f844d2c624c002677e9703449d2fba551b3a8333bcdf5f2f7e08993d53923de3d64fcc68c0"
         "34e"
         "717b9293fed7a421"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        const call_result r = call_hex(0x09, CEVM_ISTANBUL, rows[i].input);
        assert_int_equal(r.gas, rows[i].gas);
        expect_output(r, rows[i].output);
    }
}

static void test_eip152_refused(void **state)
{
    (void)state;
    assert_int_equal(call(0x09, CEVM_ISTANBUL, NULL, 0).status, CEVM_PRECOMPILE_FAIL);
    assert_int_equal(call_hex(0x09, CEVM_ISTANBUL, "00000c" BLAKE2 "01").status, CEVM_PRECOMPILE_FAIL);
    assert_int_equal(call_hex(0x09, CEVM_ISTANBUL, "000000000c" BLAKE2 "01").status, CEVM_PRECOMPILE_FAIL);
    assert_int_equal(call_hex(0x09, CEVM_ISTANBUL, "0000000c" BLAKE2 "02").status, CEVM_PRECOMPILE_FAIL);
    assert_int_equal(call_hex(0x09, CEVM_ISTANBUL, "0000000c" BLAKE2 "ff").status, CEVM_PRECOMPILE_FAIL);
}

/* Its price is the whole protection against the largest number of rounds. */
static void test_eip152_largest_price(void **state)
{
    (void)state;
    size_t size = 0;
    uint8_t *input = bytes_of_hex("ffffffff" BLAKE2 "01", &size);
    assert_int_equal(price_of(0x09, CEVM_ISTANBUL, input, size), 4294967295u);
    free(input);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_all_other_addresses_are_ordinary),
        cmocka_unit_test(test_word_prices),
        cmocka_unit_test(test_hashes),
        cmocka_unit_test(test_identity),
        cmocka_unit_test(test_ecrecover),
        cmocka_unit_test(test_ecrecover_refuses_with_empty_output),
        cmocka_unit_test(test_regression_29_ecrecover_accepts_high_s),
        cmocka_unit_test(test_eip1108_bn254_prices),
        cmocka_unit_test(test_eip4844_point_evaluation),
        cmocka_unit_test(test_eip2537_prices),
        cmocka_unit_test(test_regression_27_eip2537_multi_exponentiation_prices),
        cmocka_unit_test(test_eip2537_discount_tables),
        cmocka_unit_test(test_eip2537_lengths),
        cmocka_unit_test(test_eip7951_p256verify),
        cmocka_unit_test(test_contracts_without_blst_say_so),
        cmocka_unit_test(test_eip152_vectors),
        cmocka_unit_test(test_eip152_refused),
        cmocka_unit_test(test_eip152_largest_price),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
