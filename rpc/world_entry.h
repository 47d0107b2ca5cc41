/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/world_entry.h: a world as bytes, piece by piece: what a store or a file keeps of it, and how it is made again.
 *
 * The pieces: the node (where the chain begins, counters, settings, whom it signs for); for each block its encoding, its
 * receipts, and an entry (root of the state after it, what is known of its transactions, the edits before it, what it
 * changed); the edits since the head; each transaction that waits. From the changes the states of all blocks are made again,
 * one after the other.
 *
 * Threads: none of this keeps anything.
 */
#ifndef CEVM_RPC_WORLD_ENTRY_H
#define CEVM_RPC_WORLD_ENTRY_H

#include "rpc/world_codec.h"

/** Of the form that is written; another is not read. */
enum { CEVM_WORLD_VERSION = 1 };

/* ---- Writing: each replaces what the buffer holds. Errors: CEVM_ERR_NOMEM. ------------------------------------------ */

/**
 * has_clock: with the distance of the clock from real time. Otherwise only whether there is one (1 or 0), so that what is
 * written depends on nothing but the world.
 */
cevm_err cevm_entry_node(cevm_buf *out, const cevm_world *world, bool has_clock);
/** The encoding of a block. */
cevm_err cevm_entry_rlp(cevm_buf *out, const cevm_record *record, const cevm_allocator *allocator);
/** A list of receipts as nodes send them: typed ones are strings in it. */
cevm_err cevm_entry_receipts(cevm_buf *out, const cevm_record *record);
/** `previous` is the block that was written before it, its parent where that is known; NULL: the first block. */
cevm_err cevm_entry_block(cevm_buf *out, const cevm_record *record, const cevm_record *previous);
cevm_err cevm_entry_edits(cevm_buf *out, const cevm_world *world);
cevm_err cevm_entry_pooled(cevm_buf *out, const cevm_pooled *pooled);

/* ---- Reading -------------------------------------------------------------------------------------------------------- */

/** Takes the entry of a transaction that waits; false stops. */
typedef bool (*cevm_pooled_entry)(void *user, cevm_bytes entry);

/** Where a world is read from. Views are valid until the next call. */
typedef struct cevm_world_source {
    void *ctx;
    /** Asked for each number once, in their order. */
    cevm_err (*block)(void *ctx, bool *found, cevm_db_block *block, cevm_bytes *entry, uint64_t number);
    cevm_err (*edits)(void *ctx, bool *found, cevm_bytes *entry);
    cevm_err (*pool)(void *ctx, cevm_pooled_entry visit, void *user);
    cevm_bytes node;
    uint64_t head; /* number of the newest block */
    bool is_fork;  /* the first block is a remote chain's, and called what it is called there */
} cevm_world_source;

/**
 * Makes a world again. `db`, whose state has to be empty, makes its states; `nothing` is the value of its sets. Errors:
 * CEVM_ERR_ENCODING (what was read is not what was written), CEVM_ERR_NOMEM, those of the source.
 */
cevm_err cevm_world_read(cevm_world **out, const cevm_world_source *source, cevm_treedb *db, cevm_ref *nothing,
                         const cevm_allocator *allocator);

#endif
