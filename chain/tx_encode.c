/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transaction to bytes: with its signature (EIP-2718 envelopes, legacy lists), or as its sender signs it (EIP-155).
 */
#include <cevm/tx.h>

#include "chain/encoding.h"

static void put_access_list(cevm_buf *buf, const cevm_tx *tx)
{
    const size_t list = cevm_rlp_list_begin(buf);
    for (size_t i = 0; i < tx->access_count; ++i) {
        const cevm_access_entry *entry = &tx->access_list[i];
        const size_t pair = cevm_rlp_list_begin(buf);
        cevm_rlp_put_address(buf, &entry->address);
        const size_t keys = cevm_rlp_list_begin(buf);
        for (size_t k = 0; k < entry->key_count; ++k) {
            cevm_rlp_put_hash(buf, &entry->keys[k]);
        }
        cevm_rlp_list_end(buf, keys);
        cevm_rlp_list_end(buf, pair);
    }
    cevm_rlp_list_end(buf, list);
}

static void put_blob_fields(cevm_buf *buf, const cevm_tx *tx)
{
    cevm_rlp_put_u256(buf, &tx->max_fee_per_blob_gas);
    const size_t list = cevm_rlp_list_begin(buf);
    for (size_t i = 0; i < tx->blob_count; ++i) {
        cevm_rlp_put_hash(buf, &tx->blob_hashes[i]);
    }
    cevm_rlp_list_end(buf, list);
}

static void put_authorizations(cevm_buf *buf, const cevm_tx *tx)
{
    const size_t list = cevm_rlp_list_begin(buf);
    for (size_t i = 0; i < tx->authorization_count; ++i) {
        const cevm_authorization *a = &tx->authorizations[i];
        const size_t tuple = cevm_rlp_list_begin(buf);
        cevm_rlp_put_u256(buf, &a->chain_id);
        cevm_rlp_put_address(buf, &a->address);
        cevm_rlp_put_u64(buf, a->nonce);
        cevm_rlp_put_u64(buf, a->y_parity);
        cevm_rlp_put_u256(buf, &a->r);
        cevm_rlp_put_u256(buf, &a->s);
        cevm_rlp_list_end(buf, tuple);
    }
    cevm_rlp_list_end(buf, list);
}

/** Every field before the signature. */
static void put_fields(cevm_buf *buf, const cevm_tx *tx)
{
    const bool typed = tx->type != CEVM_TX_LEGACY;
    if (typed) {
        cevm_rlp_put_u64(buf, tx->chain_id);
    }
    cevm_rlp_put_u64(buf, tx->nonce);
    if (tx->type != CEVM_TX_LEGACY && tx->type != CEVM_TX_ACCESS_LIST) {
        cevm_rlp_put_u256(buf, &tx->max_priority_fee);
    }
    cevm_rlp_put_u256(buf, &tx->max_fee);
    cevm_rlp_put_u64(buf, tx->gas_limit);
    if (tx->is_create) {
        cevm_rlp_put_bytes(buf, NULL, 0);
    } else {
        cevm_rlp_put_address(buf, &tx->to);
    }
    cevm_rlp_put_u256(buf, &tx->value);
    cevm_rlp_put_bytes(buf, tx->data.data, tx->data.size);
    if (typed) {
        put_access_list(buf, tx);
    }
    if (tx->type == CEVM_TX_BLOB) {
        put_blob_fields(buf, tx);
    }
    if (tx->type == CEVM_TX_SET_CODE) {
        put_authorizations(buf, tx);
    }
}

static void put_type(cevm_buf *buf, const cevm_tx *tx)
{
    if (tx->type != CEVM_TX_LEGACY) {
        const uint8_t type = (uint8_t)tx->type;
        cevm_buf_append(buf, &type, 1);
    }
}

/** The signed encoding, into a buffer whose `failed` the caller checks. */
static void put_signed(cevm_buf *buf, const cevm_tx *tx)
{
    put_type(buf, tx);
    const size_t list = cevm_rlp_list_begin(buf);
    put_fields(buf, tx);
    cevm_rlp_put_u256(buf, &tx->v);
    cevm_rlp_put_u256(buf, &tx->r);
    cevm_rlp_put_u256(buf, &tx->s);
    cevm_rlp_list_end(buf, list);
}

cevm_err cevm_tx_encode(uint8_t *out, size_t *size, size_t capacity, const cevm_tx *tx, const cevm_allocator *allocator)
{
    cevm_buf buf;
    cevm_buf_init(&buf, allocator);
    put_signed(&buf, tx);
    return cevm_encoding_finish(out, size, capacity, &buf);
}

cevm_err cevm_tx_hash(cevm_hash *out, const cevm_tx *tx, const cevm_allocator *allocator)
{
    cevm_buf buf;
    cevm_buf_init(&buf, allocator);
    put_signed(&buf, tx);
    return cevm_hash_finish(out, &buf);
}

cevm_err cevm_tx_signing_hash(cevm_hash *out, const cevm_tx *tx, const cevm_allocator *allocator)
{
    cevm_buf buf;
    cevm_buf_init(&buf, allocator);
    put_type(&buf, tx);
    const size_t list = cevm_rlp_list_begin(&buf);
    put_fields(&buf, tx);
    if (tx->type == CEVM_TX_LEGACY && tx->has_chain_id) { /* EIP-155 */
        cevm_rlp_put_u64(&buf, tx->chain_id);
        cevm_rlp_put_u64(&buf, 0);
        cevm_rlp_put_u64(&buf, 0);
    }
    cevm_rlp_list_end(&buf, list);
    return cevm_hash_finish(out, &buf);
}
