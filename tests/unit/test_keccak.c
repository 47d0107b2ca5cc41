/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keccak-256: published answers, and the permutation and sponge against libcrypto's SHA3-256, from which it differs by the
 * pad byte alone, at every length around the first seven block borders; every form of them that the processor can run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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

typedef void sponge_function(cevm_hash *out, const void *data, size_t size, uint8_t pad);

/* The sponges that this processor can run, the portable one first. Gives their number. */
static size_t forms(sponge_function *out[3])
{
    size_t count = 0;
    out[count++] = cevm_keccak_sponge_portable;
#if CEVM_KECCAK_HAS_X86
    if (__builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2")) {
        out[count++] = cevm_keccak_sponge_bmi;
    }
    if (__builtin_cpu_supports("avx512vbmi2")) {
        out[count++] = cevm_keccak_sponge_avx512;
    }
#endif
    return count;
}

static uint8_t next_byte(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint8_t)(*seed >> 56);
}

/* Whichever form the processor makes the library choose: each by itself is SHA3-256 of libcrypto, with its pad byte, at every
 * length, and all give the same Keccak-256. */
static void test_each_form(void **state)
{
    (void)state;
    enum { LONGEST = 1000 };
    sponge_function *form[3];
    const size_t count = forms(form);
    uint64_t seed = 1;
    for (size_t size = 0; size <= LONGEST; ++size) {
        uint8_t *data = malloc(size + 1); /* of the exact size, so that reading past it is seen */
        assert_non_null(data);
        for (size_t i = 0; i < size; ++i) {
            data[i] = next_byte(&seed);
        }
        uint8_t sha3[32];
        assert_int_equal(EVP_Digest(data, size, sha3, NULL, EVP_sha3_256(), NULL), 1);
        cevm_hash chosen;
        cevm_keccak256(&chosen, data, size);
        for (size_t i = 0; i < count; ++i) {
            cevm_hash hash;
            form[i](&hash, data, size, CEVM_SHA3_PAD);
            assert_memory_equal(hash.bytes, sha3, sizeof sha3);
            form[i](&hash, data, size, CEVM_KECCAK_PAD);
            assert_true(cevm_hash_equal(&hash, &chosen));
        }
        free(data);
    }
}

static void test_known_answers_of_each_form(void **state)
{
    (void)state;
    static const uint8_t empty_trie[32] = {0x56, 0xe8, 0x1f, 0x17, 0x1b, 0xcc, 0x55, 0xa6, 0xff, 0x83, 0x45,
                                           0xe6, 0x92, 0xc0, 0xf8, 0x6e, 0x5b, 0x48, 0xe0, 0x1b, 0x99, 0x6c,
                                           0xad, 0xc0, 0x01, 0x62, 0x2f, 0xb5, 0xe3, 0x63, 0xb4, 0x21};
    sponge_function *form[3];
    const size_t count = forms(form);
    for (size_t i = 0; i < count; ++i) {
        cevm_hash hash;
        form[i](&hash, NULL, 0, CEVM_KECCAK_PAD);
        assert_true(cevm_hash_equal(&hash, &cevm_empty_code_hash));
        form[i](&hash, "\x80", 1, CEVM_KECCAK_PAD);
        assert_memory_equal(hash.bytes, empty_trie, sizeof empty_trie);
    }
}

/* Against the end of a page and from the start of one, with nothing mapped beside it: each form reads its bytes only. */
static void test_reads_nothing_beside_its_bytes(void **state)
{
    (void)state;
    enum { LONGEST = 2 * CEVM_KECCAK_RATE + 8 };
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *pages = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(pages, MAP_FAILED);
    uint8_t *open = pages + page;
    assert_int_equal(mprotect(open, page, PROT_READ | PROT_WRITE), 0);
    uint64_t seed = 3;
    for (size_t i = 0; i < page; ++i) {
        open[i] = next_byte(&seed);
    }
    sponge_function *form[3];
    const size_t count = forms(form);
    for (size_t size = 0; size <= LONGEST; ++size) {
        const uint8_t *places[] = {open, open + page - size};
        for (size_t at = 0; at < 2; ++at) {
            uint8_t expected[32];
            assert_int_equal(EVP_Digest(places[at], size, expected, NULL, EVP_sha3_256(), NULL), 1);
            for (size_t i = 0; i < count; ++i) {
                cevm_hash hash;
                form[i](&hash, places[at], size, CEVM_SHA3_PAD);
                assert_memory_equal(hash.bytes, expected, sizeof expected);
            }
        }
    }
    munmap(pages, 3 * page);
}

/* The permutation alone, in a sponge of rate 576 bits: SHA3-512. */
static void test_permutation(void **state)
{
    (void)state;
    enum { RATE_512 = 72 };
    uint64_t seed = 2;
    for (size_t size = 0; size < RATE_512; ++size) {
        uint8_t block[RATE_512] = {0};
        for (size_t i = 0; i < size; ++i) {
            block[i] = next_byte(&seed);
        }
        uint8_t expected[64];
        assert_int_equal(EVP_Digest(block, size, expected, NULL, EVP_sha3_512(), NULL), 1);
        block[size] ^= CEVM_SHA3_PAD;
        block[RATE_512 - 1] ^= 0x80;
        uint64_t lanes[25] = {0};
        for (size_t i = 0; i < RATE_512 / 8; ++i) {
            lanes[i] = load_le64(block + 8 * i);
        }
        cevm_keccak_permute(lanes);
        for (size_t i = 0; i < sizeof expected / 8; ++i) {
            assert_true(lanes[i] == load_le64(expected + 8 * i));
        }
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
        cmocka_unit_test(test_each_form),
        cmocka_unit_test(test_known_answers_of_each_form),
        cmocka_unit_test(test_reads_nothing_beside_its_bytes),
        cmocka_unit_test(test_permutation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
