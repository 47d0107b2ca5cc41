/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks with all that is known of them. A record is one piece of memory: there may be very many, most of them small.
 */
#include <stddef.h>

#include <cevm/alloc.h>
#include <cevm/crypto.h>

#include "rpc/node_internal.h"

enum { ALIGNMENT = 16 };

typedef struct node_record {
    cevm_record record;
    const cevm_allocator *allocator;
    cevm_block *decoded;
    cevm_pooled **pooled;
    size_t pooled_count;
} node_record;

/** Memory that is handed out in order; with base NULL it is only counted. */
typedef struct cursor {
    uint8_t *base;
    size_t used;
} cursor;

static void *take(cursor *c, size_t size)
{
    void *place = c->base != NULL ? c->base + c->used : NULL;
    c->used += (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return place;
}

static cevm_bytes take_copy(cursor *c, cevm_bytes bytes)
{
    uint8_t *place = take(c, bytes.size);
    if (place != NULL && bytes.size != 0) {
        memcpy(place, bytes.data, bytes.size);
    }
    return (cevm_bytes){place, bytes.size};
}

static void destroy_record(cevm_ref *self)
{
    node_record *r = (node_record *)(void *)self;
    for (size_t i = 0; i < r->pooled_count; ++i) {
        cevm_pooled_release(r->pooled[i]);
    }
    cevm_tree_release(r->record.state);
    cevm_tree_release(r->record.before);
    if (r->decoded != NULL) {
        cevm_block_destroy(r->decoded, r->allocator);
    }
    cevm_free(r->allocator, r);
}

/* ---- Receipts ------------------------------------------------------------------------------------------------------ */

static const cevm_log *take_logs(cursor *c, const cevm_block_receipt *from)
{
    cevm_log *logs = take(c, from->log_count * sizeof *logs);
    for (size_t i = 0; i < from->log_count; ++i) {
        const cevm_bytes data = take_copy(c, from->logs[i].data);
        if (logs != NULL) {
            logs[i] = from->logs[i];
            logs[i].data = data;
        }
    }
    return logs;
}

static void take_receipt(cursor *c, cevm_node_receipt *out, const cevm_record_parts *parts, size_t index)
{
    const cevm_block_receipt *from = &parts->receipts[index];
    const cevm_bytes encoded = take_copy(c, from->encoded);
    const cevm_bytes output = take_copy(c, parts->outputs != NULL ? parts->outputs[index] : (cevm_bytes){NULL, 0});
    const cevm_log *logs = take_logs(c, from);
    if (out == NULL) {
        return;
    }
    *out = (cevm_node_receipt){.has_root = from->has_root,
                               .root = from->root,
                               .succeeded = from->succeeded,
                               .cumulative_gas_used = from->cumulative_gas_used,
                               .gas_used = from->gas_used,
                               .gas_price = from->gas_price,
                               .bloom = from->bloom,
                               .logs = logs,
                               .log_count = from->log_count,
                               .has_created = from->has_created,
                               .created = from->created,
                               .blob_gas_used = from->blob_gas_used,
                               .blob_gas_price = parts->env.blob_base_fee,
                               .encoded = encoded,
                               .output = output};
}

static cevm_node_receipt *take_receipts(cursor *c, const cevm_record_parts *parts, size_t count)
{
    cevm_node_receipt *receipts = take(c, count * sizeof *receipts);
    size_t first_log = 0;
    for (size_t i = 0; i < count; ++i) {
        take_receipt(c, receipts != NULL ? &receipts[i] : NULL, parts, i);
        if (receipts != NULL) {
            receipts[i].first_log = first_log;
            first_log += receipts[i].log_count;
        }
    }
    return receipts;
}

/* ---- Blocks -------------------------------------------------------------------------------------------------------- */

/** The arrays of a block that was made here, over what its transactions hold. */
static void take_txs(cursor *c, node_record *r, const cevm_record_parts *parts)
{
    cevm_tx **txs = take(c, parts->tx_count * sizeof *txs);
    cevm_bytes *raw = take(c, parts->tx_count * sizeof *raw);
    cevm_pooled **pooled = take(c, parts->tx_count * sizeof *pooled);
    if (r == NULL) {
        return;
    }
    for (size_t i = 0; i < parts->tx_count; ++i) {
        cevm_ref_retain(&parts->txs[i]->ref);
        pooled[i] = parts->txs[i];
        txs[i] = pooled[i]->tx;
        raw[i] = pooled[i]->raw;
    }
    r->pooled = pooled;
    r->pooled_count = parts->tx_count;
    r->record.block = (cevm_block){.header = *parts->header,
                                   .txs = txs,
                                   .raw_txs = raw,
                                   .tx_count = parts->tx_count,
                                   .has_withdrawals = parts->header->has_withdrawals_root};
}

/** Lays out everything; counts only while the cursor has no memory. */
static void lay_out(cursor *c, const cevm_record_parts *parts)
{
    node_record *r = take(c, sizeof *r);
    if (r != NULL && parts->decoded != NULL) {
        r->record.block = *parts->decoded;
    }
    if (parts->decoded == NULL) {
        take_txs(c, r, parts);
    }
    const size_t count = parts->decoded != NULL ? parts->decoded->tx_count : parts->tx_count;
    const cevm_bytes extra = parts->decoded == NULL ? take_copy(c, parts->header->extra_data) : (cevm_bytes){NULL, 0};
    cevm_hash *hashes = take(c, count * sizeof *hashes);
    bool *impersonated = take(c, count * sizeof *impersonated);
    cevm_node_receipt *receipts = take_receipts(c, parts, count);
    if (r == NULL) {
        return;
    }
    if (parts->decoded == NULL) {
        r->record.block.header.extra_data = extra;
    }
    for (size_t i = 0; i < count; ++i) {
        impersonated[i] = parts->decoded == NULL && parts->txs[i]->impersonated;
        if (parts->decoded == NULL) {
            hashes[i] = parts->txs[i]->hash;
        } else {
            cevm_keccak256(&hashes[i], parts->decoded->raw_txs[i].data, parts->decoded->raw_txs[i].size);
        }
        receipts[i].tx_hash = hashes[i];
    }
    r->record.hashes = hashes;
    r->record.impersonated = impersonated;
    r->record.receipts = receipts;
}

cevm_err cevm_record_create(cevm_record **out, const cevm_record_parts *parts, const cevm_allocator *allocator)
{
    cursor c = {NULL, 0};
    *out = NULL;
    lay_out(&c, parts);
    c = (cursor){cevm_zalloc(allocator, c.used), 0};
    if (c.base == NULL) {
        return CEVM_ERR_NOMEM;
    }
    node_record *r = (node_record *)(void *)c.base;
    lay_out(&c, parts);
    cevm_ref_init(&r->record.ref, destroy_record);
    r->allocator = allocator;
    r->record.total_difficulty = parts->total_difficulty;
    r->record.is_merged = parts->is_merged;
    r->record.env = parts->env;
    r->record.fork = parts->env.fork;
    r->record.state = cevm_tree_retain(parts->state);
    r->record.before = parts->before != NULL ? cevm_tree_retain(parts->before) : NULL;
    cevm_err err = CEVM_OK;
    if (parts->decoded == NULL) {
        if (parts->hash != NULL) {
            r->record.block.hash = *parts->hash;
        } else {
            err = cevm_header_hash(&r->record.block.hash, &r->record.block.header, allocator);
        }
        if (err == CEVM_OK) {
            err = cevm_block_encode(NULL, &r->record.block.rlp_size, 0, &r->record.block, allocator);
        }
    }
    if (err != CEVM_OK) {
        destroy_record(&r->record.ref);
        return err;
    }
    r->decoded = parts->decoded;
    *out = &r->record;
    return CEVM_OK;
}
