/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BLAKE2's F (EIP-152): as BLAKE2b-512 against libcrypto's, and the form that the processor makes the library choose against
 * the portable one, at numbers of rounds around the period of the message schedule.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "precompiles/crypto/blake2b.h"
#include "precompiles/crypto/little_endian.h"

enum { STATE = 64, BLOCK = 128, OFFSET = 16, ROUNDS = 12 };

typedef void compression(uint8_t out[64], const uint8_t h[64], const uint8_t m[128], const uint8_t t[16], bool last,
                         uint32_t rounds);

static void fill(uint8_t *out, size_t size, size_t seed)
{
    for (size_t i = 0; i < size; ++i) {
        out[i] = (uint8_t)(i * 151 + seed * 7 + (i * seed >> 3));
    }
}

/* RFC 7693 section 3.3, without a key. */
static void blake2b_512(compression *f, uint8_t h[STATE], const uint8_t *data, size_t size)
{
    static const uint64_t iv[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
                                   0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
    for (size_t i = 0; i < 8; ++i) {
        store_le64(h + 8 * i, iv[i] ^ (i == 0 ? 0x01010000 ^ STATE : 0));
    }
    size_t at = 0;
    do {
        uint8_t block[BLOCK] = {0};
        uint8_t offset[OFFSET] = {0};
        const size_t take = size - at < BLOCK ? size - at : BLOCK;
        memcpy(block, data + at, take);
        at += take;
        store_le64(offset, at);
        f(h, h, block, offset, at == size, ROUNDS);
    } while (at < size);
}

static void test_against_libcrypto(void **state)
{
    (void)state;
    enum { LONGEST = 400 };
    uint8_t data[LONGEST];
    fill(data, sizeof data, 5);
    for (size_t size = 0; size <= LONGEST; ++size) {
        uint8_t expected[STATE];
        uint8_t got[STATE];
        unsigned length = 0;
        assert_int_equal(EVP_Digest(data, size, expected, &length, EVP_blake2b512(), NULL), 1);
        assert_int_equal(length, sizeof expected);
        blake2b_512(cevm_blake2b_f, got, data, size);
        assert_memory_equal(got, expected, sizeof got);
        blake2b_512(cevm_blake2b_f_portable, got, data, size);
        assert_memory_equal(got, expected, sizeof got);
    }
}

static void test_forms_agree(void **state)
{
    (void)state;
    for (uint32_t rounds = 0; rounds <= 45; ++rounds) {
        uint8_t h[STATE];
        uint8_t m[BLOCK];
        uint8_t t[OFFSET];
        uint8_t expected[STATE];
        uint8_t got[STATE];
        fill(h, sizeof h, rounds);
        fill(m, sizeof m, rounds + 100);
        fill(t, sizeof t, rounds + 200);
        for (int last = 0; last < 2; ++last) {
            cevm_blake2b_f_portable(expected, h, m, t, last != 0, rounds);
            cevm_blake2b_f(got, h, m, t, last != 0, rounds);
            assert_memory_equal(got, expected, sizeof got);
        }
        cevm_blake2b_f(h, h, m, t, true, rounds); /* out may be h */
        assert_memory_equal(h, got, sizeof got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_libcrypto),
        cmocka_unit_test(test_forms_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
