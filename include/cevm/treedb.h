/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cevm/treedb.h: the memory backend whose past stays readable: states are immutable trees that share what they have in
 * common, so that keeping one, going back to one and reading an old one cost the same whatever they hold.
 *
 * The tree is the Merkle Patricia trie itself (Yellow Paper, appendix D): roots and proofs (EIP-1186) come from it.
 *
 * Threads: a store (cevm_treedb) is one thread's at a time. A state (cevm_tree) is immutable: any number of threads may
 * read it at the same time, also while the store goes on, and the last one to release it frees it. The allocator must
 * then be safe on all of them.
 */
#ifndef CEVM_TREEDB_H
#define CEVM_TREEDB_H

#include <cevm/db.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cevm_treedb cevm_treedb;
/** One state that stays as it is; counted. */
typedef struct cevm_tree cevm_tree;

/**
 * Makes an empty store. allocator may be NULL (libc).
 *
 * base, if not NULL (copied; what it points to must outlive the store and all its states, and its reads must be safe on
 * every thread that reads them): what is not in the tree is read from there, and what was deleted is not. A root then is
 * that of the tree alone, and proofs and visits show only what is in it. Errors: CEVM_ERR_NOMEM.
 */
CEVM_API cevm_err cevm_treedb_create(cevm_treedb **out, const cevm_db *base, const cevm_allocator *allocator);
/**
 * Makes a store whose present state is this one, apart from the store that it comes from: what is written to either does
 * not show in the other, and they may be used on different threads. States of one can be restored in the other. Errors:
 * CEVM_ERR_NOMEM.
 */
CEVM_API cevm_err cevm_treedb_branch(cevm_treedb **out, const cevm_tree *tree);
/** States that were handed out stay. NULL is allowed. */
CEVM_API void cevm_treedb_destroy(cevm_treedb *db);
/** The backend interface, complete but for block_hash, which answers zero (or the base's); valid as long as the store. */
CEVM_API cevm_db cevm_treedb_interface(cevm_treedb *db);
/** How many kept blocks can be taken back or looked into through the interface; 0 is the default. */
CEVM_API void cevm_treedb_set_history(cevm_treedb *db, size_t blocks);

/** Adds or replaces an account, dropping the storage it had. Code is copied. Errors: CEVM_ERR_NOMEM. */
CEVM_API cevm_err cevm_treedb_set_account(cevm_treedb *db, const cevm_address *address, const cevm_u256 *balance,
                                          uint64_t nonce, cevm_bytes code);
/** Sets a slot of an account that exists (CEVM_ERR_ARGUMENT otherwise); 0 removes it. Errors: CEVM_ERR_NOMEM, the base's. */
CEVM_API cevm_err cevm_treedb_set_storage(cevm_treedb *db, const cevm_address *address, const cevm_u256 *key,
                                          const cevm_u256 *value);

/**
 * The present state, which the caller releases. Takes time in proportion to what changed since the last one (its hashes
 * are completed); when no commit came since a state was handed out or restored, it is that one again. CEVM_ERR_ARGUMENT when
 * a block is open. Errors: CEVM_ERR_NOMEM.
 */
CEVM_API cevm_err cevm_treedb_snapshot(cevm_treedb *db, cevm_tree **out);
/** Makes a state of this store the present one; constant time. CEVM_ERR_ARGUMENT when a block is open. */
CEVM_API cevm_err cevm_treedb_restore(cevm_treedb *db, cevm_tree *tree);
/** Makes the state without anything (but the base) the present one. CEVM_ERR_ARGUMENT when a block is open. */
CEVM_API cevm_err cevm_treedb_clear(cevm_treedb *db);

/** One more holder, who releases it; returns the state itself. */
CEVM_API cevm_tree *cevm_tree_retain(cevm_tree *tree);
/** NULL is allowed. */
CEVM_API void cevm_tree_release(cevm_tree *tree);
/** Reads of a state, for cevm_state_create; commit is NULL. Valid as long as the caller holds the state. */
CEVM_API cevm_db cevm_tree_interface(const cevm_tree *tree);
/** Its root, which is known: constant time. */
CEVM_API void cevm_tree_root(const cevm_tree *tree, cevm_hash *out);

/** Called for each node of a proof, from the root down; false stops. */
typedef bool (*cevm_tree_visit_node)(void *user, cevm_bytes rlp);
/**
 * The nodes on the way to an account (EIP-1186), whether or not it is there; *out, if not NULL, is the account's storage
 * root (that of the empty trie when there is none). Errors: CEVM_ERR_NOMEM.
 */
CEVM_API cevm_err cevm_tree_prove_account(const cevm_tree *tree, cevm_hash *storage_root, const cevm_address *address,
                                          cevm_tree_visit_node visit, void *user);
/** The nodes on the way to a slot in the account's storage trie; none when that is empty. Never fails. */
CEVM_API cevm_err cevm_tree_prove_slot(const cevm_tree *tree, const cevm_address *address, const cevm_u256 *key,
                                       cevm_tree_visit_node visit, void *user);

/** An account or slot met on a visit; views are valid inside the call. Return false to stop. */
typedef bool (*cevm_tree_visit_account)(void *user, const cevm_hash *hashed_address, const cevm_address *address,
                                        const cevm_db_account *account, const cevm_hash *storage_root, cevm_bytes code);
typedef bool (*cevm_tree_visit_slot)(void *user, const cevm_hash *hashed_key, const cevm_u256 *key,
                                     const cevm_u256 *value);
/** In the order of keccak256(address), from `from` on (NULL = all), as debug_accountRange goes. Errors: the base's. */
CEVM_API cevm_err cevm_tree_for_each_account(const cevm_tree *tree, const cevm_hash *from,
                                             cevm_tree_visit_account visit, void *user);
/** In the order of keccak256(key), from `from` on (NULL = all). Never fails. */
CEVM_API cevm_err cevm_tree_for_each_slot(const cevm_tree *tree, const cevm_address *address, const cevm_hash *from,
                                          cevm_tree_visit_slot visit, void *user);
/** Called for each address; return false to stop. */
typedef bool (*cevm_tree_visit_address)(void *user, const cevm_address *address);
/**
 * Each account in which two states differ, in no order: shared parts are skipped. For debug_getModifiedAccounts. Never fails.
 */
CEVM_API cevm_err cevm_tree_for_each_change(const cevm_tree *before, const cevm_tree *after,
                                            cevm_tree_visit_address visit, void *user);
/**
 * What has to be committed to a store that holds `before` (NULL: nothing) so that it holds `after`, in the order that a diff
 * has; not that an account of the base is there again, for which there is no change. Code is a view of after's, and only in
 * the diff where it is not in the base. Freed with cevm_tree_diff_free. Errors: CEVM_ERR_NOMEM.
 */
CEVM_API cevm_err cevm_tree_diff(cevm_diff *out, const cevm_tree *before, const cevm_tree *after);
/** Frees what cevm_tree_diff made, before `after` is released. */
CEVM_API void cevm_tree_diff_free(cevm_diff *diff, const cevm_tree *after);

#ifdef __cplusplus
}
#endif
#endif
