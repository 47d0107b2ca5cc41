/* SPDX-License-Identifier: Apache-2.0 */
/* HMAC-SHA512 against RFC 4231, and both it and PBKDF2 against libcrypto's own (rpc/hmac.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cevm/hex.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "rpc/hmac.h"

static void rfc_4231_case_2(void **state)
{
    uint8_t out[CEVM_SHA512_SIZE], wanted[CEVM_SHA512_SIZE];
    (void)state;
    assert_true(cevm_hex_decode_exact(wanted, sizeof wanted,
                                      "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
                                      "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"));
    cevm_hmac_sha512(out, (cevm_bytes){(const uint8_t *)"Jefe", 4},
                     (cevm_bytes){(const uint8_t *)"what do ya want for nothing?", 28});
    assert_memory_equal(out, wanted, sizeof out);
}

static void every_length_of_key(void **state)
{
    uint8_t bytes[300], out[CEVM_SHA512_SIZE], wanted[EVP_MAX_MD_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof bytes; ++i) {
        bytes[i] = (uint8_t)(i * 7 + 1);
    }
    for (size_t n = 0; n < sizeof bytes; ++n) {
        unsigned size = 0;
        assert_non_null(HMAC(EVP_sha512(), bytes, (int)n, bytes, n, wanted, &size));
        cevm_hmac_sha512(out, (cevm_bytes){bytes, n}, (cevm_bytes){bytes, n});
        assert_memory_equal(out, wanted, sizeof out);
    }
    for (unsigned rounds = 1; rounds < 300; rounds += 37) {
        assert_int_equal(PKCS5_PBKDF2_HMAC((const char *)bytes, (int)rounds, bytes, 8, (int)rounds, EVP_sha512(),
                                           CEVM_SHA512_SIZE, wanted),
                         1);
        cevm_pbkdf2_sha512(out, (cevm_bytes){bytes, rounds}, (cevm_bytes){bytes, 8}, rounds);
        assert_memory_equal(out, wanted, sizeof out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_4231_case_2),
        cmocka_unit_test(every_length_of_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
