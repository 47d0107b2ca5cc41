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

#include <cevm/transition.h>
#include <cevm/tx.h>

#include "tests/property/random.h"

static uint64_t random_state;

static uint64_t random_u64(void) { return random_next(&random_state); }

static size_t below(size_t limit) { return (size_t)(random_u64() % limit); }

/** A number of a random width, so that short and long forms all appear. */
static uint64_t random_number(void)
{
    const unsigned bits = (unsigned)below(65);
    return bits == 0 ? 0 : random_u64() >> (64 - bits);
}

static cevm_u256 random_u256(void)
{
    cevm_u256 v = {{0}};
    const size_t limbs = below(5);
    for (size_t i = 0; i < limbs; ++i) {
        v.w[i] = i + 1 == limbs ? random_number() : random_u64();
    }
    return v;
}

static void random_bytes(uint8_t *out, size_t size)
{
    for (size_t i = 0; i < size; ++i) {
        out[i] = (uint8_t)random_u64();
    }
}

#define MAX_ITEMS 5
#define MAX_DATA  600

/** The arrays a random transaction points into. */
typedef struct pool {
    uint8_t data[MAX_DATA];
    cevm_hash keys[MAX_ITEMS][MAX_ITEMS];
    cevm_access_entry entries[MAX_ITEMS];
    cevm_hash blobs[MAX_ITEMS];
    cevm_authorization tuples[MAX_ITEMS];
} pool;

static void random_lists(cevm_tx *tx, pool *p)
{
    if (tx->type != CEVM_TX_LEGACY) {
        tx->access_count = below(MAX_ITEMS + 1);
        tx->access_list = p->entries;
        for (size_t i = 0; i < tx->access_count; ++i) {
            random_bytes(p->entries[i].address.bytes, 20);
            random_bytes(p->keys[i][0].bytes, sizeof p->keys[i]);
            p->entries[i].keys = p->keys[i];
            p->entries[i].key_count = below(MAX_ITEMS + 1);
        }
    }
    if (tx->type == CEVM_TX_BLOB) {
        tx->max_fee_per_blob_gas = random_u256();
        tx->blob_hashes = p->blobs;
        tx->blob_count = below(MAX_ITEMS + 1);
        random_bytes(p->blobs[0].bytes, sizeof p->blobs);
    }
    if (tx->type == CEVM_TX_SET_CODE) {
        tx->authorizations = p->tuples;
        tx->authorization_count = below(MAX_ITEMS + 1);
        for (size_t i = 0; i < tx->authorization_count; ++i) {
            random_bytes(p->tuples[i].address.bytes, 20);
            p->tuples[i].chain_id = random_u256();
            p->tuples[i].nonce = random_number();
            p->tuples[i].y_parity = (uint8_t)random_u64();
            p->tuples[i].r = random_u256();
            p->tuples[i].s = random_u256();
        }
    }
}

static cevm_tx random_tx(pool *p)
{
    cevm_tx tx = {.type = (cevm_tx_type)below(5)};
    tx.has_chain_id = tx.type != CEVM_TX_LEGACY || below(2) == 0;
    tx.chain_id = tx.has_chain_id ? random_number() : 0;
    tx.nonce = random_number();
    tx.gas_limit = random_number();
    tx.max_fee = random_u256();
    tx.max_priority_fee = tx.type == CEVM_TX_LEGACY || tx.type == CEVM_TX_ACCESS_LIST ? tx.max_fee : random_u256();
    tx.is_create = below(4) == 0;
    if (!tx.is_create) {
        random_bytes(tx.to.bytes, 20);
    }
    tx.value = random_u256();
    tx.data = (cevm_bytes){p->data, below(3) == 0 ? below(3) : below(MAX_DATA + 1)};
    random_bytes(p->data, tx.data.size);
    random_lists(&tx, p);
    return tx;
}

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

/** One to three small damages: a bit, a byte, a cut, a repeat. Returns the new size. */
static size_t damage(uint8_t *raw, size_t size, size_t capacity)
{
    for (size_t left = 1 + below(3); left != 0 && size != 0; --left) {
        const size_t at = below(4) == 0 ? below(size) : below(size < 24 ? size : 24); /* prefixes are in front */
        switch (below(5)) {
        case 0: raw[at] ^= (uint8_t)(1u << below(8)); break;
        case 1: raw[at] = (uint8_t)random_u64(); break;
        case 2: size -= 1; break;
        case 3:
            memmove(raw + at, raw + at + 1, size - at - 1);
            size -= 1;
            break;
        default:
            if (size < capacity) {
                memmove(raw + at + 1, raw + at, size - at);
                raw[at] = below(2) == 0 ? 0 : (uint8_t)random_u64();
                size += 1;
            }
            break;
        }
    }
    return size;
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
