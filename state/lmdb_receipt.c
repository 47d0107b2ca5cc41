/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/lmdb_receipt.c: what the backend on disk has to know of blocks and receipts as bytes: where the transactions of a
 * block are, and what a receipt (EIP-2718, EIP-658) and its logs say.
 */
#include "state/lmdb_internal.h"

enum { BLOOM = 256, TOPICS = 4 };

bool cevm_lmdb_txs_of(cevm_bytes *out, cevm_bytes block)
{
    cevm_bytes fields;
    cevm_bytes header;
    return cevm_rlp_next_list(&block, &fields) && block.size == 0 && cevm_rlp_next_list(&fields, &header) &&
           cevm_rlp_next_list(&fields, out);
}

bool cevm_lmdb_next_tx(cevm_bytes *txs, cevm_bytes *out)
{
    cevm_rlp_item item;
    if (!cevm_rlp_next(txs, &item)) {
        return false;
    }
    *out = item.is_list ? item.whole : item.payload; /* typed ones are strings in the block */
    return true;
}

bool cevm_lmdb_receipts_begin(cevm_bytes *cursor, cevm_bytes list)
{
    return cevm_rlp_next_list(&list, cursor) && list.size == 0;
}

/** The status, or before EIP-658 the state root. */
static bool take_status(cevm_lmdb_receipt *out, cevm_bytes *fields)
{
    cevm_bytes status;
    if (!cevm_rlp_next_string(fields, &status)) {
        return false;
    }
    out->has_root = status.size == LMDB_HASH;
    if (out->has_root) {
        memcpy(out->root.bytes, status.data, LMDB_HASH);
        return true;
    }
    out->succeeded = status.size == 1;
    return status.size == 0 || (status.size == 1 && status.data[0] == 1);
}

bool cevm_lmdb_next_receipt(cevm_bytes *cursor, cevm_lmdb_receipt *out)
{
    cevm_bytes rest = *cursor;
    cevm_rlp_item item;
    cevm_bytes fields;
    *out = (cevm_lmdb_receipt){.type = 0};
    if (!cevm_rlp_next(&rest, &item)) {
        return false;
    }
    out->encoded = item.is_list ? item.whole : item.payload;
    cevm_bytes body = out->encoded;
    if (!item.is_list) {
        if (body.size == 0 || body.data[0] == 0 || body.data[0] > 0x7f) {
            return false;
        }
        out->type = body.data[0];
        body = (cevm_bytes){body.data + 1, body.size - 1};
    }
    if (!cevm_rlp_next_list(&body, &fields) || body.size != 0 || !take_status(out, &fields) ||
        cevm_rlp_next_u64(&fields, &out->cumulative_gas_used) != CEVM_RLP_NUMBER_OK ||
        !cevm_rlp_next_string(&fields, &out->bloom) || out->bloom.size != BLOOM ||
        !cevm_rlp_next_list(&fields, &out->logs) || fields.size != 0) {
        return false;
    }
    *cursor = rest;
    return true;
}

bool cevm_lmdb_next_log(cevm_bytes *cursor, cevm_log *out)
{
    cevm_bytes rest = *cursor;
    cevm_bytes fields;
    cevm_bytes topics;
    *out = (cevm_log){.topic_count = 0};
    if (!cevm_rlp_next_list(&rest, &fields) ||
        !cevm_rlp_next_exact(&fields, out->address.bytes, sizeof out->address.bytes) ||
        !cevm_rlp_next_list(&fields, &topics)) {
        return false;
    }
    while (topics.size != 0) {
        if (out->topic_count == TOPICS ||
            !cevm_rlp_next_exact(&topics, out->topics[out->topic_count].bytes, LMDB_HASH)) {
            return false;
        }
        ++out->topic_count;
    }
    if (!cevm_rlp_next_string(&fields, &out->data) || fields.size != 0) {
        return false;
    }
    *cursor = rest;
    return true;
}
