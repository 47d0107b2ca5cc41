/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/store_internal.h: what the files of the node's store share. store.c saves worlds, store_load.c reads one back;
 * world_entry.h says how they are written.
 *
 * The database holds the blocks as every chain keeps them (cevm_db_vtable.put_block), each a block of its own that can be
 * taken back, and the state with the edits made since the head as one more, which has no name and is taken back before
 * anything else happens. Beside them stand entries:
 *
 *   n            the node
 *   b number     a block's entry
 *   e            the edits since the head
 *   t hash       a transaction that waits
 *   f            where it was forked from a remote chain: then states are what was changed over the remote's
 */
#ifndef CEVM_RPC_STORE_INTERNAL_H
#define CEVM_RPC_STORE_INTERNAL_H

#include <cevm/lmdb.h>

#include "rpc/node_internal.h"
#include "rpc/store.h"
#include "rpc/world_entry.h"

enum { STORE_BLOCK_NAME = 9, STORE_TX_NAME = 33 };

struct cevm_store {
    const cevm_allocator *allocator;
    cevm_lmdb *lmdb;
    cevm_db db;
    cevm_world *saved; /* what it holds; NULL: nothing */
    bool is_fork;
    cevm_fork_point fork;
    bool has_edits; /* the state stands after the head's as a step of its own */
    cevm_buf block; /* encodings, while they are made */
    cevm_buf receipts;
    cevm_buf entry;
};

/** Names of entries. */
static inline cevm_bytes cevm_store_node_name(void) { return (cevm_bytes){(const uint8_t *)"n", 1}; }
static inline cevm_bytes cevm_store_fork_name(void) { return (cevm_bytes){(const uint8_t *)"f", 1}; }
static inline cevm_bytes cevm_store_edits_name(void) { return (cevm_bytes){(const uint8_t *)"e", 1}; }
static inline cevm_bytes cevm_store_txs_prefix(void) { return (cevm_bytes){(const uint8_t *)"t", 1}; }
static inline cevm_bytes cevm_store_block_name(uint8_t out[STORE_BLOCK_NAME], uint64_t number)
{
    out[0] = 'b';
    cevm_store_be64(out + 1, number);
    return (cevm_bytes){out, STORE_BLOCK_NAME};
}
static inline cevm_bytes cevm_store_tx_name(uint8_t out[STORE_TX_NAME], const cevm_hash *hash)
{
    out[0] = 't';
    memcpy(out + 1, hash->bytes, sizeof hash->bytes);
    return (cevm_bytes){out, STORE_TX_NAME};
}

/** Says in *error what a call on the database ended with; returns false. */
bool cevm_store_say(const cevm_store *store, cevm_node_error *error, cevm_err err);

#endif
