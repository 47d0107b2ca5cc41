/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random transactions: encode and decode are inverse, signing and recovery are inverse, and a damaged encoding is refused
 * or is the one encoding of another transaction. The seed is printed; SEED= replays it, ROUNDS= sets how many.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/property/random_tx.h"

static void assert_same_lists(const cevm_tx *a, const cevm_tx *b)
{
    assert_int_equal(a->access_count, b->access_count);
    for (size_t i = 0; i < a->access_count; ++i) {
        const cevm_access_entry *x = &a->access_list[i];
        const cevm_access_entry *y = &b->access_list[i];
        assert_memory_equal(x->address.bytes, y->address.bytes, 20);
        assert_int_equal(x->key_count, y->key_count);
        assert_true(x->key_count == 0 || memcmp(x->keys, y->keys, x->key_count * sizeof(cevm_hash)) == 0);
    }
    assert_int_equal(a->blob_count, b->blob_count);
    assert_true(a->blob_count == 0 || memcmp(a->blob_hashes, b->blob_hashes, a->blob_count * sizeof(cevm_hash)) == 0);
    assert_int_equal(a->authorization_count, b->authorization_count);
    for (size_t i = 0; i < a->authorization_count; ++i) {
        const cevm_authorization *x = &a->authorizations[i];
        const cevm_authorization *y = &b->authorizations[i];
        assert_true(cevm_u256_equal(&x->chain_id, &y->chain_id) && cevm_address_equal(&x->address, &y->address));
        assert_true(x->nonce == y->nonce && x->y_parity == y->y_parity);
        assert_true(cevm_u256_equal(&x->r, &y->r) && cevm_u256_equal(&x->s, &y->s));
    }
}

static void assert_same(const cevm_tx *a, const cevm_tx *b)
{
    assert_int_equal(a->type, b->type);
    assert_int_equal(a->has_chain_id, b->has_chain_id);
    assert_true(a->chain_id == b->chain_id && a->nonce == b->nonce && a->gas_limit == b->gas_limit);
    assert_true(cevm_u256_equal(&a->max_fee, &b->max_fee));
    assert_true(cevm_u256_equal(&a->max_priority_fee, &b->max_priority_fee));
    assert_true(a->is_create == b->is_create && (a->is_create || cevm_address_equal(&a->to, &b->to)));
    assert_true(cevm_u256_equal(&a->value, &b->value));
    assert_int_equal(a->data.size, b->data.size);
    assert_true(a->data.size == 0 || memcmp(a->data.data, b->data.data, a->data.size) == 0);
    assert_true(cevm_u256_equal(&a->max_fee_per_blob_gas, &b->max_fee_per_blob_gas));
    assert_true(cevm_u256_equal(&a->v, &b->v) && cevm_u256_equal(&a->r, &b->r) && cevm_u256_equal(&a->s, &b->s));
    assert_same_lists(a, b);
}

/** Decodes an exact-size copy, so that ASan sees any read past its end; what decodes must encode to the same bytes. */
static void decode_canonically(const uint8_t *raw, size_t size, const cevm_tx *same)
{
    uint8_t *exact = malloc(size != 0 ? size : 1);
    assert_non_null(exact);
    if (size != 0) {
        memcpy(exact, raw, size);
    }
    cevm_tx *tx = NULL;
    cevm_tx_error reason;
    const cevm_err err = cevm_tx_decode(&tx, &reason, (cevm_bytes){exact, size}, NULL);
    assert_true(err == CEVM_OK ? reason == CEVM_TX_NONE : err == CEVM_ERR_ENCODING && reason != CEVM_TX_NONE);
    assert_true(same == NULL || err == CEVM_OK);
    if (err == CEVM_OK) {
        size_t again_size;
        uint8_t *again = malloc(size);
        assert_non_null(again);
        assert_int_equal(cevm_tx_encode(again, &again_size, size, tx, NULL), CEVM_OK);
        assert_int_equal(again_size, size);
        assert_memory_equal(again, exact, size);
        free(again);
    }
    free(exact); /* the transaction must not point into it */
    if (err == CEVM_OK) {
        if (same != NULL) {
            assert_same(tx, same);
        }
        (void)cevm_tx_recover_sender(tx, &reason, (cevm_fork)below(CEVM_FORK_COUNT), NULL);
        assert_true(tx->has_sender == (reason == CEVM_TX_NONE));
        cevm_tx_destroy(tx, NULL);
    }
}

static void test_random_transactions(void **state)
{
    (void)state;
    static uint8_t raw[8192], damaged[8192];
    static pool arrays;
    const uint64_t seed = random_seed();
    const uint64_t rounds = random_setting("ROUNDS", 2000);
    print_message("SEED=%" PRIu64 " ROUNDS=%" PRIu64 "\n", seed, rounds);
    random_state = seed;
    for (uint64_t round = 0; round < rounds; ++round) {
        cevm_tx tx = random_tx(&arrays);
        uint8_t key[32];
        size_t size;
        random_bytes(key, sizeof key);
        key[0] = (uint8_t)below(255); /* below the order of the curve */
        key[31] |= 1;
        assert_int_equal(cevm_tx_sign(&tx, key, NULL), CEVM_OK);
        const cevm_address sender = tx.sender;
        cevm_tx_error reason;
        assert_int_equal(cevm_tx_recover_sender(&tx, &reason, CEVM_LATEST, NULL), CEVM_OK);
        assert_int_equal(reason, CEVM_TX_NONE);
        assert_true(tx.has_sender && cevm_address_equal(&sender, &tx.sender));

        assert_int_equal(cevm_tx_encode(raw, &size, sizeof raw, &tx, NULL), CEVM_OK);
        decode_canonically(raw, size, &tx);
        for (size_t i = 0; i < 20; ++i) {
            memcpy(damaged, raw, size);
            decode_canonically(damaged, damage(damaged, size, sizeof damaged), NULL);
        }
    }
}

static void test_every_truncation_is_refused(void **state)
{
    (void)state;
    static uint8_t raw[8192];
    static pool arrays;
    for (size_t i = 0; i < 40; ++i) {
        const cevm_tx tx = random_tx(&arrays);
        size_t size;
        assert_int_equal(cevm_tx_encode(raw, &size, sizeof raw, &tx, NULL), CEVM_OK);
        for (size_t cut = 0; cut < size; ++cut) {
            uint8_t *exact = malloc(cut != 0 ? cut : 1);
            cevm_tx *out;
            cevm_tx_error reason;
            assert_non_null(exact);
            memcpy(exact, raw, cut);
            assert_int_equal(cevm_tx_decode(&out, &reason, (cevm_bytes){exact, cut}, NULL), CEVM_ERR_ENCODING);
            free(exact);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_transactions),
        cmocka_unit_test(test_every_truncation_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
