/* SPDX-License-Identifier: Apache-2.0 */
/* RIPEMD-160: the answers that its authors published, and libcrypto's at every length around the first block borders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include <cevm/hex.h>

#include "precompiles/crypto/ripemd160.h"

enum { DIGEST = 20 };

static void expect_digest(const void *data, size_t size, const char *expected)
{
    uint8_t digest[DIGEST];
    char text[2 * DIGEST + 1];
    cevm_ripemd160(digest, data, size);
    cevm_hex_encode(text, digest, sizeof digest);
    assert_string_equal(text, expected);
}

/* "RIPEMD-160: A Strengthened Version of RIPEMD", appendix B. */
static void test_published_answers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *digest;
    } rows[] = {
        {"", "9c1185a5c5e9fc54612808977ee8f548b2258d31"},
        {"a", "0bdc9d2d256b3ee9daae347be6f4dc835a467ffe"},
        {"abc", "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"},
        {"message digest", "5d0689ef49d2fae572b881b123a85ffa21595f36"},
        {"abcdefghijklmnopqrstuvwxyz", "f71c27109c692c1b56bbdceb5b9d2865b3708dbc"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "12a053384a9c0c88e405a06c27dcf49ada62eb2b"},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "b0e20b6e3116640286ed3a87a5713079b21f5189"},
        {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
         "9b752e45573d4b39f4dbd3323cab82bf63326bfb"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        expect_digest(rows[i].text, strlen(rows[i].text), rows[i].digest);
    }
    enum { MILLION = 1000000 };
    char *many = malloc(MILLION);
    assert_non_null(many);
    memset(many, 'a', MILLION);
    expect_digest(many, MILLION, "52783243c1697bdbe16d37f97f68f08325dc1528");
    free(many);
    expect_digest(NULL, 0, rows[0].digest);
}

static void test_every_length_against_libcrypto(void **state)
{
    (void)state;
    enum { LONGEST = 400 };
    for (size_t size = 0; size <= LONGEST; ++size) {
        uint8_t *data = malloc(size + (size == 0)); /* of the exact size, so that reading past it is seen */
        assert_non_null(data);
        for (size_t i = 0; i < size; ++i) {
            data[i] = (uint8_t)(i * 151 + size * 7 + (i >> 3));
        }
        uint8_t ours[DIGEST];
        uint8_t theirs[DIGEST];
        unsigned length = 0;
        cevm_ripemd160(ours, data, size);
        assert_int_equal(EVP_Digest(data, size, theirs, &length, EVP_ripemd160(), NULL), 1);
        assert_int_equal(length, sizeof theirs);
        assert_memory_equal(ours, theirs, sizeof theirs);
        free(data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_answers),
        cmocka_unit_test(test_every_length_against_libcrypto),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
