/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signing and recovery on secp256k1: the example of EIP-155, whose signature is deterministic (RFC 6979), the range of keys
 * and of r, s and y parity, and that any number of threads may do it.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <cevm/crypto.h>
#include <cevm/hex.h>

typedef struct example {
    uint8_t secret[32];
    cevm_hash digest;
    uint8_t r[32];
    uint8_t s[32];
    cevm_address signer;
    uint8_t order[32]; /* of the group */
} example;

static example eip155(void)
{
    example e;
    memset(e.secret, 0x46, sizeof e.secret);
    assert_true(
        cevm_hex_decode_exact(e.digest.bytes, 32, "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53"));
    assert_true(cevm_hex_decode_exact(e.r, 32, "28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276"));
    assert_true(cevm_hex_decode_exact(e.s, 32, "67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"));
    assert_true(cevm_hex_decode_exact(e.signer.bytes, 20, "9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f"));
    assert_true(cevm_hex_decode_exact(e.order, 32, "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"));
    return e;
}

static void test_eip155_example(void **state)
{
    (void)state;
    const example e = eip155();
    uint8_t r[32];
    uint8_t s[32];
    unsigned y_parity = 2;
    cevm_address address;
    assert_true(cevm_secret_to_address(&address, e.secret));
    assert_true(cevm_address_equal(&address, &e.signer));
    assert_true(cevm_sign(r, s, &y_parity, &e.digest, e.secret));
    assert_memory_equal(r, e.r, sizeof r);
    assert_memory_equal(s, e.s, sizeof s);
    assert_int_equal(y_parity, 0); /* v = 37 = 35 + 2 * chain id 1 */
    assert_true(cevm_recover_address(&address, &e.digest, r, s, y_parity));
    assert_true(cevm_address_equal(&address, &e.signer));
}

static void test_secret_keys_out_of_range(void **state)
{
    (void)state;
    const example e = eip155();
    const uint8_t zero[32] = {0};
    uint8_t top[32];
    uint8_t r[32];
    uint8_t s[32];
    unsigned y_parity = 0;
    cevm_address address;
    memset(top, 0xff, sizeof top);
    const uint8_t *const bad[] = {zero, e.order, top};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
        assert_false(cevm_secret_to_address(&address, bad[i]));
        assert_false(cevm_sign(r, s, &y_parity, &e.digest, bad[i]));
    }
    uint8_t last[32];
    memcpy(last, e.order, sizeof last);
    last[31] -= 1;
    assert_true(cevm_secret_to_address(&address, last));
}

static void test_recovery_out_of_range(void **state)
{
    (void)state;
    const example e = eip155();
    const uint8_t zero[32] = {0};
    cevm_address address;
    for (unsigned y_parity = 0; y_parity < 2; ++y_parity) {
        assert_false(cevm_recover_address(&address, &e.digest, zero, e.s, y_parity));
        assert_false(cevm_recover_address(&address, &e.digest, e.r, zero, y_parity));
        assert_false(cevm_recover_address(&address, &e.digest, e.order, e.s, y_parity));
        assert_false(cevm_recover_address(&address, &e.digest, e.r, e.order, y_parity));
    }
    for (unsigned y_parity = 2; y_parity < 6; ++y_parity) {
        assert_false(cevm_recover_address(&address, &e.digest, e.r, e.s, y_parity));
    }
    assert_true(cevm_recover_address(&address, &e.digest, e.r, e.s, 1));
    assert_false(cevm_address_equal(&address, &e.signer)); /* a key there is, but another */
}

/* Signs and recovers under many keys; returns NULL when all agree. */
static void *round_trips(void *argument)
{
    uint8_t *failed = argument;
    uint8_t secret[32] = {0};
    for (unsigned i = 1; i <= 50; ++i) {
        cevm_hash digest;
        cevm_address expected;
        cevm_address got;
        uint8_t r[32];
        uint8_t s[32];
        unsigned y_parity = 0;
        secret[i % 31] = (uint8_t)(7 * i);
        secret[31] = (uint8_t)i;
        cevm_keccak256(&digest, secret, sizeof secret);
        if (!cevm_secret_to_address(&expected, secret) || !cevm_sign(r, s, &y_parity, &digest, secret) || s[0] > 0x7f ||
            !cevm_recover_address(&got, &digest, r, s, y_parity) || !cevm_address_equal(&got, &expected)) {
            return failed;
        }
    }
    return NULL;
}

static void test_round_trips_on_four_threads(void **state)
{
    (void)state;
    pthread_t threads[4];
    uint8_t failed = 1;
    for (size_t i = 0; i < 4; ++i) {
        assert_int_equal(pthread_create(&threads[i], NULL, round_trips, &failed), 0);
    }
    for (size_t i = 0; i < 4; ++i) {
        void *result = &failed;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_null(result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eip155_example),
        cmocka_unit_test(test_secret_keys_out_of_range),
        cmocka_unit_test(test_recovery_out_of_range),
        cmocka_unit_test(test_round_trips_on_four_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
