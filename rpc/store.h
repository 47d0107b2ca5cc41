/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/store.h: the node's world on disk (--data-dir), over cevm/lmdb.h: what was published is there when the node is started
 * again, however it ended.
 *
 * The store holds one world: the blocks of the head's branch with receipts and states, the state with edits made since, the
 * pool, the settings. Saving another world is one transaction of the database: blocks that went are taken back, blocks that
 * came are added. Blocks of other branches and snapshots are of the process, and not kept.
 *
 * Threads: one at a time; the node's writer.
 */
#ifndef CEVM_RPC_STORE_H
#define CEVM_RPC_STORE_H

#include <cevm/lmdb.h>

#include "rpc/node.h"

typedef struct cevm_store cevm_store;

/**
 * Opens the store in a folder, which is made when it is not there. no_sync: see cevm_lmdb_options. On false *error says why.
 */
bool cevm_store_open(cevm_store **out, cevm_node_error *error, const char *data_dir, bool no_sync,
                     const cevm_allocator *allocator);
/** NULL is allowed. */
void cevm_store_close(cevm_store *store);
/** Where the chain that a store holds was forked from a remote one. */
typedef struct cevm_fork_point {
    uint64_t chain_id; /* the remote's */
    uint64_t number;
    cevm_hash hash;
} cevm_fork_point;

/** The point that the world saved last goes on from; *found is false when nothing was saved, or no fork. */
bool cevm_store_fork_point(cevm_store *store, cevm_node_error *error, bool *found, cevm_fork_point *out);
/** The worlds to be saved go on from this point. Only before the first is saved. */
void cevm_store_set_fork_point(cevm_store *store, const cevm_fork_point *point);
/**
 * Whether a database holds a node's fork of a remote chain: its accounts are then only what was changed, and nothing but a node
 * can make sense of them. False after an error too, which the next call meets again.
 */
bool cevm_store_holds_fork(cevm_lmdb *lmdb);
/** Whether a world was saved. */
bool cevm_store_is_empty(cevm_store *store, cevm_node_error *error, bool *empty);

/**
 * Reads the world that was saved last; *out is NULL when nothing was. `db`, which must be empty but may have a base, makes
 * its states; `nothing` is the value of its sets. On false *error says what is wrong, and the store is as it was.
 */
bool cevm_store_load(cevm_store *store, cevm_node_error *error, cevm_world **out, cevm_treedb *db, cevm_ref *nothing);
/** Makes the store, which was read before, hold this world. On false it holds the one it held. */
bool cevm_store_save(cevm_store *store, cevm_node_error *error, cevm_world *world);

#endif
