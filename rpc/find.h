/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/find.h: what a request means by a block, and the state it reads there.
 *
 * A view holds a world of its own until it is closed, so that one request sees one moment. Threads: a view is one
 * thread's.
 */
#ifndef CEVM_RPC_FIND_H
#define CEVM_RPC_FIND_H

#include "rpc/node.h"
#include "rpc/rpc.h"

/** A block as a request sees it. Zero is closed. */
typedef struct cevm_view {
    cevm_world *world;   /* held */
    cevm_record *record; /* NULL: there is no such block; borrowed from the world, or held when pending */
    bool is_pending;     /* the block that would be mined now */
    bool is_latest;      /* asked for as "latest": the state is the head's with edits made since */
    bool is_remote;      /* it lies below where this chain begins, on the chain it was forked from */
} cevm_view;

/**
 * Finds the block that `block` (a number, tag, hash or EIP-1898 object; NULL means latest) names. True also when there is
 * none (record NULL); false, the call failed and the view closed, when the value is no block, or no canonical one where
 * one was asked for.
 */
bool cevm_view_open(cevm_view *out, cevm_rpc_call *call, json_t *block);
/** The same, and fails the call ("header not found") when there is no such block. */
bool cevm_view_open_block(cevm_view *out, cevm_rpc_call *call, json_t *block);
/** The block of this hash, on any branch. */
void cevm_view_open_hash(cevm_view *out, cevm_rpc_call *call, const cevm_hash *hash);
void cevm_view_close(cevm_view *view);

/** The state after the view's block; borrowed. Its record must be there. */
cevm_tree *cevm_view_state(const cevm_view *view);
/** Opens a workbench on it. False: the call failed. Closed by the caller before the view. */
bool cevm_view_workbench(cevm_workbench *out, cevm_rpc_call *call, const cevm_view *view);

/** Reads an account of a state; one that is not there has zeros and the hash of no code. False: the call failed. */
bool cevm_find_account(cevm_db_account *out, bool *exists, cevm_rpc_call *call, const cevm_tree *state,
                       const cevm_address *address);

/**
 * The hook of a node that was forked from a remote chain: where a block, transaction or log is not known here but may be
 * there, the same question is put to the remote. True: the call was answered by it, or failed. False: this node has no
 * remote, and the caller answers as if the thing did not exist.
 */
bool cevm_remote_passthrough(cevm_rpc_call *call);
/**
 * The block at which a fork begins is here without its transactions: the remote tells it whole. True: the call was
 * answered, or failed. False: it is another block, or nobody can be asked.
 */
bool cevm_remote_tells_block(cevm_rpc_call *call, const cevm_view *view, bool full);

#endif
