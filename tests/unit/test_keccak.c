/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keccak-256: published answers, and the permutation and sponge against libcrypto's SHA3-256, from which it differs by the
 * pad byte alone, at every length around the first five block borders.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include <cevm/crypto.h>
#include <cevm/hex.h>

#include "precompiles/crypto/keccak.h"

static void expect_hash(const void *data, size_t size, const char *expected)
{
    cevm_hash hash;
    char text[65];
    cevm_keccak256(&hash, data, size);
    cevm_hex_encode(text, hash.bytes, sizeof hash.bytes);
    assert_string_equal(text, expected);
}

static void test_known_answers(void **state)
{
    (void)state;
    static const char fox[] = "The quick brown fox jumps over the lazy dog";
    static const char transfer[] = "Transfer(address,address,uint256)";
    expect_hash(NULL, 0, "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
    expect_hash("abc", 3, "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
    expect_hash(fox, sizeof fox - 1, "4d741b6f1eb29cb2a9b9911c82f56fa8d73b04959d3d9d222895df6c0b28aa15");
    /* The topic of every ERC-20 transfer, the root of the empty trie, the hash of a block without uncles. */
    expect_hash(transfer, sizeof transfer - 1, "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
    expect_hash("\x80", 1, "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
    expect_hash("\xc0", 1, "1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347");
}

static void test_empty_code_hash(void **state)
{
    (void)state;
    cevm_hash hash;
    cevm_keccak256(&hash, NULL, 0);
    assert_true(cevm_hash_equal(&hash, &cevm_empty_code_hash));
}

static void test_every_length_against_sha3(void **state)
{
    (void)state;
    enum { LONGEST = 700 };
    for (size_t size = 0; size <= LONGEST; ++size) {
        uint8_t *data = malloc(size + 1); /* of the exact size, so that reading past it is seen */
        assert_non_null(data);
        for (size_t i = 0; i < size; ++i) {
            data[i] = (uint8_t)(i * 151 + size * 7 + (i >> 3));
        }
        cevm_hash ours;
        uint8_t theirs[32];
        unsigned length = 0;
        cevm_keccak_sponge(&ours, data, size, CEVM_SHA3_PAD);
        assert_int_equal(EVP_Digest(data, size, theirs, &length, EVP_sha3_256(), NULL), 1);
        assert_int_equal(length, sizeof theirs);
        assert_memory_equal(ours.bytes, theirs, sizeof theirs);
        free(data);
    }
}

static void test_unaligned_input(void **state)
{
    (void)state;
    uint8_t data[8 + 200];
    memset(data, 0x5a, sizeof data);
    cevm_hash first;
    cevm_keccak256(&first, data, 200);
    for (size_t shift = 1; shift < 8; ++shift) {
        cevm_hash hash;
        cevm_keccak256(&hash, data + shift, 200);
        assert_true(cevm_hash_equal(&hash, &first));
    }
}

static void test_output_may_be_the_input(void **state)
{
    (void)state;
    cevm_hash hash = {{0}};
    cevm_hash expected;
    cevm_keccak256(&expected, hash.bytes, sizeof hash.bytes);
    cevm_keccak256(&hash, hash.bytes, sizeof hash.bytes);
    assert_true(cevm_hash_equal(&hash, &expected));
}

/* Whichever form the processor makes the library choose, all that it can run agree. */
static void test_forms_agree(void **state)
{
    (void)state;
    enum { LONGEST = 3 * CEVM_KECCAK_RATE };
    uint8_t data[LONGEST];
    for (size_t i = 0; i < sizeof data; ++i) {
        data[i] = (uint8_t)(i * i + 3 * i);
    }
    for (size_t size = 0; size <= LONGEST; ++size) {
        cevm_hash expected;
        cevm_keccak_sponge_portable(&expected, data, size, CEVM_KECCAK_PAD);
        cevm_hash got = expected;
#if CEVM_KECCAK_HAS_X86
        if (__builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2")) {
            cevm_keccak_sponge_bmi(&got, data, size, CEVM_KECCAK_PAD);
            assert_true(cevm_hash_equal(&got, &expected));
        }
        if (__builtin_cpu_supports("avx512vl")) {
            cevm_keccak_sponge_avx512(&got, data, size, CEVM_KECCAK_PAD);
        }
#endif
        assert_true(cevm_hash_equal(&got, &expected));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_empty_code_hash),
        cmocka_unit_test(test_every_length_against_sha3),
        cmocka_unit_test(test_unaligned_input),
        cmocka_unit_test(test_output_may_be_the_input),
        cmocka_unit_test(test_forms_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
