/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/world_changes.h: what happened between two worlds: blocks that went and came, transactions that turned up. Because
 * worlds share what they have in common, keeping the one that was seen last is all the memory a poller needs.
 *
 * Pure, safe on any thread; both worlds must be held.
 */
#ifndef CEVM_RPC_WORLD_CHANGES_H
#define CEVM_RPC_WORLD_CHANGES_H

#include "evm/arena.h"
#include "rpc/world.h"

/** A block that went (removed) or came; false stops. */
typedef bool (*cevm_block_change)(void *user, const cevm_record *record, bool removed);
/** Blocks of the old head's branch that are not on the new one's, newest first, then the others, oldest first. */
void cevm_world_block_changes(const cevm_world *before, const cevm_world *after, cevm_block_change visit, void *user);

typedef bool (*cevm_tx_change)(void *user, const cevm_tx *tx, const cevm_hash *hash);
/**
 * Transactions that came into the pool since: those that were mined meanwhile, in the order of their blocks, then those
 * that wait, in the order they came. Errors: CEVM_ERR_NOMEM.
 */
cevm_err cevm_world_tx_changes(const cevm_world *before, const cevm_world *after, cevm_tx_change visit, void *user,
                               cevm_arena *arena);

#endif
