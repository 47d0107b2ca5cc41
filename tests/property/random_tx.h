/* SPDX-License-Identifier: Apache-2.0 */
/**
 * tests/property/random_tx.h: random transactions and small damages to their bytes, from one seed (random_state). Include
 * after cmocka.h.
 */
#ifndef CEVM_TESTS_RANDOM_TX_H
#define CEVM_TESTS_RANDOM_TX_H

#include <cevm/transition.h>
#include <cevm/tx.h>

#include "tests/property/random.h"

/** Set it to the seed. */
static uint64_t random_state;

static inline uint64_t random_u64(void) { return random_next(&random_state); }

static inline size_t below(size_t limit) { return (size_t)(random_u64() % limit); }

/** A number of a random width, so that short and long forms all appear. */
static inline uint64_t random_number(void)
{
    const unsigned bits = (unsigned)below(65);
    return bits == 0 ? 0 : random_u64() >> (64 - bits);
}

static inline cevm_u256 random_u256(void)
{
    cevm_u256 v = {{0}};
    const size_t limbs = below(5);
    for (size_t i = 0; i < limbs; ++i) {
        v.w[i] = i + 1 == limbs ? random_number() : random_u64();
    }
    return v;
}

static inline void random_bytes(uint8_t *out, size_t size)
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

static inline void random_lists(cevm_tx *tx, pool *p)
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

static inline cevm_tx random_tx(pool *p)
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

/** One to three small damages: a bit, a byte, a cut, a repeat. Returns the new size. */
static inline size_t damage(uint8_t *raw, size_t size, size_t capacity)
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

#endif
