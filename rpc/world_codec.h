/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/world_codec.h: what the node keeps beside its blocks, as bytes. One function describes each thing, for writing and for
 * reading: a sequence of RLP strings.
 */
#ifndef CEVM_RPC_WORLD_CODEC_H
#define CEVM_RPC_WORLD_CODEC_H

#include "rpc/world.h"
#include "state/rlp.h"

/** Writes when `out` is not NULL, else reads from `in`. What is read into views points into the input. */
typedef struct cevm_codec {
    cevm_buf *out;
    cevm_bytes in;
    bool failed; /* the input is not what was written */
} cevm_codec;

/** Whether all went well: the input was used up, or memory did not run out. */
bool cevm_codec_end(const cevm_codec *c);

void cevm_codec_u64(cevm_codec *c, uint64_t *value);
void cevm_codec_bool(cevm_codec *c, bool *value);
void cevm_codec_u256(cevm_codec *c, cevm_u256 *value);
void cevm_codec_hash(cevm_codec *c, cevm_hash *value);
void cevm_codec_address(cevm_codec *c, cevm_address *value);
void cevm_codec_bytes(cevm_codec *c, cevm_bytes *value);
void cevm_codec_settings(cevm_codec *c, cevm_node_settings *settings);

/** What is known of a transaction in a block beside its receipt. */
typedef struct cevm_codec_tx {
    cevm_address sender;
    bool impersonated;
    cevm_u256 gas_price;
    uint64_t gas_used;
    bool has_created;
    cevm_address created;
    uint64_t blob_gas_used;
    cevm_bytes output;
} cevm_codec_tx;
void cevm_codec_block_tx(cevm_codec *c, cevm_codec_tx *tx);

/** Appends the changes that lead from one state to another (from NULL: from nothing). Errors: CEVM_ERR_NOMEM. */
cevm_err cevm_codec_put_changes(cevm_codec *c, const cevm_tree *from, const cevm_tree *to);
/** Commits changes that were written. Errors: CEVM_ERR_ENCODING, and those of the commit. */
cevm_err cevm_codec_commit_changes(cevm_codec *c, cevm_treedb *db, const cevm_allocator *allocator);

#endif
