/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cevm/state.h: the journaled state: a cache over a backend that can undo to any checkpoint, and the host the VM runs on.
 *
 * Life of a transaction: cevm_state_begin_tx, execution through cevm_state_host, cevm_state_end_tx. After any number of
 * transactions cevm_state_commit hands the accumulated changes to the backend at once, or cevm_state_discard drops them.
 *
 * Errors, where nothing else is said: CEVM_ERR_NOMEM, and those of the backend. What was to be changed is then as it was.
 *
 * Threads: one state per thread at a time.
 */
#ifndef CEVM_STATE_H
#define CEVM_STATE_H

#include <cevm/db.h>
#include <cevm/forks.h>
#include <cevm/host.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cevm_state cevm_state;

/**
 * Makes a state over a backend (copied; what it points to must outlive the state), freed with cevm_state_destroy. allocator
 * may be NULL. Errors: CEVM_ERR_NOMEM.
 */
CEVM_API cevm_err cevm_state_create(cevm_state **out, const cevm_db *db, const cevm_allocator *allocator);
/** What was not committed is lost. NULL is allowed. */
CEVM_API void cevm_state_destroy(cevm_state *state);

/** The host over this state; valid as long as it. */
CEVM_API cevm_host cevm_state_host(cevm_state *state);

/**
 * Starts a transaction under the rules of `fork`: nothing is warm, transient storage is empty, the values now present
 * become the originals of EIP-2200, no logs.
 */
CEVM_API cevm_err cevm_state_begin_tx(cevm_state *state, cevm_fork fork);

/**
 * Ends it: deletes what SELFDESTRUCT marked and, from EIP-161 on, what was touched and is empty; drops the undo log.
 * Logs stay readable until the next begin.
 */
CEVM_API cevm_err cevm_state_end_tx(cevm_state *state);

/** The logs of the transaction, in order; owned by the state until the next begin_tx. */
CEVM_API const cevm_log *cevm_state_logs(const cevm_state *state, size_t *count);

/* Reads and writes outside execution (they are journaled like the VM's and warm nothing). */
/** An account; a missing one has zero fields and exists = false. */
CEVM_API cevm_err cevm_state_get_account(cevm_state *state, cevm_account_info *out, const cevm_address *address);
/** A slot; 0 when absent. */
CEVM_API cevm_err cevm_state_get_storage(cevm_state *state, cevm_u256 *out, const cevm_address *address,
                                         const cevm_u256 *key);
/** Adds to a balance and touches the account (creating it if need be). Overflow wraps; callers guard. */
CEVM_API cevm_err cevm_state_add_balance(cevm_state *state, const cevm_address *address, const cevm_u256 *amount);
/** Takes from a balance; CEVM_ERR_ARGUMENT when it is too small. Does not touch. */
CEVM_API cevm_err cevm_state_sub_balance(cevm_state *state, const cevm_address *address, const cevm_u256 *amount);
/** Sets a nonce, creating the account if need be. */
CEVM_API cevm_err cevm_state_set_nonce(cevm_state *state, const cevm_address *address, uint64_t nonce);
/** Warms a slot without reading it (EIP-2930 access lists). */
CEVM_API cevm_err cevm_state_warm_slot(cevm_state *state, const cevm_address *address, const cevm_u256 *key);

/**
 * Tells the backend what will be read soon (cevm_db_vtable.prefetch); nothing happens in one that does not want to know.
 * Errors: the backend's.
 */
CEVM_API cevm_err cevm_state_prefetch(cevm_state *state, const cevm_db_key *keys, size_t count);

/** Writes all changes since the last commit to the backend. The state stays usable and cached. */
CEVM_API cevm_err cevm_state_commit(cevm_state *state);
/**
 * Commits, then asks the backend for its state root. CEVM_ERR_ARGUMENT, and nothing committed, when the backend has none
 * to tell.
 */
CEVM_API cevm_err cevm_state_commit_root(cevm_state *state, cevm_hash *out);
/** Forgets every change since the last commit and the whole cache, but for some code, which its hash tells from other. */
CEVM_API void cevm_state_discard(cevm_state *state);

#ifdef __cplusplus
}
#endif
#endif
