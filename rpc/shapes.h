/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/shapes.h: blocks, transactions, receipts and logs as JSON-RPC shows them (execution-apis; geth's spelling).
 *
 * Each function writes one value, or (…_members) the members of an object that the caller has begun. Pure, safe on any
 * thread; what is written is only read.
 */
#ifndef CEVM_RPC_SHAPES_H
#define CEVM_RPC_SHAPES_H

#include "rpc/world.h"
#include "trace/json_writer.h"

/** How a block is shown. */
typedef enum cevm_block_detail {
    CEVM_BLOCK_HASHES, /* transactions by their hashes */
    CEVM_BLOCK_FULL,   /* whole transactions */
    CEVM_BLOCK_HEADER  /* neither transactions nor uncles */
} cevm_block_detail;

/** The block a transaction or log stands in; header NULL: in none, it waits. */
typedef struct cevm_block_place {
    const cevm_header *header;
    const cevm_hash *hash; /* NULL: the block is not made yet ("pending") */
} cevm_block_place;

void cevm_shape_header_members(cevm_json_writer *w, const cevm_header *header);
/** A block or header; `pending`: what only a block that was made has (hash, nonce, coinbase) is null. */
void cevm_shape_block(cevm_json_writer *w, const cevm_record *record, cevm_block_detail detail, bool pending);
/** Its members, for an object that has more. Of the record only block and hashes are looked at. */
void cevm_shape_block_members(cevm_json_writer *w, const cevm_record *record, cevm_block_detail detail, bool pending);
/** The ommer of a block as eth_getUncle… shows it. Errors: CEVM_ERR_NOMEM, nothing written. */
cevm_err cevm_shape_ommer(cevm_json_writer *w, const cevm_header *ommer, const cevm_allocator *allocator);
void cevm_shape_withdrawals(cevm_json_writer *w, const cevm_withdrawal *withdrawals, size_t count);

void cevm_shape_tx(cevm_json_writer *w, const cevm_tx *tx, const cevm_hash *hash, cevm_block_place place, size_t index);
/** A transaction of a record. */
void cevm_shape_record_tx(cevm_json_writer *w, const cevm_record *record, size_t index);
void cevm_shape_access_list(cevm_json_writer *w, const cevm_access_entry *entries, size_t count);

/** `index` is that of the receipt in its block. */
void cevm_shape_receipt(cevm_json_writer *w, const cevm_record *record, size_t index);
/** Where a log stands. */
typedef struct cevm_log_place {
    cevm_block_place block;
    const cevm_hash *tx_hash;
    size_t tx_index;
    size_t log_index; /* in the block */
    bool removed;     /* its block is no longer on the head's branch */
} cevm_log_place;
void cevm_shape_log(cevm_json_writer *w, const cevm_log *log, const cevm_log_place *place);

/** A member with its value. */
void cevm_shape_quantity(cevm_json_writer *w, const char *key, uint64_t value);
void cevm_shape_quantity256(cevm_json_writer *w, const char *key, const cevm_u256 *value);
void cevm_shape_hash(cevm_json_writer *w, const char *key, const cevm_hash *value);
void cevm_shape_address(cevm_json_writer *w, const char *key, const cevm_address *value);
void cevm_shape_data(cevm_json_writer *w, const char *key, cevm_bytes value);
void cevm_shape_null(cevm_json_writer *w, const char *key);

#endif
