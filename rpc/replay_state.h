/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/replay_state.h: the states inside a block: it is executed again on a store of its own, and what came of any number of
 * its transactions can be kept and looked through.
 *
 * Threads: one thread's.
 */
#ifndef CEVM_RPC_REPLAY_STATE_H
#define CEVM_RPC_REPLAY_STATE_H

#include "rpc/find.h"
#include "rpc/node_internal.h"

typedef struct cevm_replay_state {
    cevm_rpc_call *call;
    cevm_workbench bench;
    cevm_treedb *db; /* the state before the block, and what it wrote */
    cevm_node_view view;
    cevm_state *state; /* over the view, in the place of the bench's */
} cevm_replay_state;

/** The state before the block. False: the call failed, nothing to close. */
bool cevm_replay_open(cevm_replay_state *out, cevm_rpc_call *call, cevm_world *world, cevm_record *record);
void cevm_replay_close(cevm_replay_state *replay);

/** Called after each transaction; false ends the replay. */
typedef bool (*cevm_replay_visit)(void *user, cevm_replay_state *replay, size_t index);
/**
 * Executes the start of the block and its first `count` transactions; once for each open. visit may be NULL. False: the call
 * failed.
 */
bool cevm_replay_run(cevm_replay_state *replay, size_t count, cevm_replay_visit visit, void *user);
/** Commits what was executed and gives the state, which the caller releases. False: the call failed. */
bool cevm_replay_snapshot(cevm_replay_state *replay, cevm_tree **out);

#endif
