/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cevm/db.h: the state backend, the one interface to implement to put the EVM over a store of your own.
 *
 * The journal above it caches: within one cevm_state a key is asked for once. Reads may fail; a failure ends the
 * execution with CEVM_ERR_BACKEND and is never taken for "zero". Called only from the thread that uses the state.
 */
#ifndef CEVM_DB_H
#define CEVM_DB_H

#include <cevm/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An account as stored. */
typedef struct cevm_db_account {
    cevm_u256 balance; /* wei */
    uint64_t nonce;
    cevm_hash code_hash; /* keccak256(code) */
    bool has_storage;    /* at least one non-zero slot */
} cevm_db_account;

/** One changed slot; value 0 deletes it. */
typedef struct cevm_slot_change {
    cevm_u256 key;
    cevm_u256 value;
} cevm_slot_change;

/** What became of one account. */
typedef struct cevm_account_change {
    cevm_address address;
    bool deleted;         /* the account is gone, its storage with it; nothing below counts */
    bool storage_cleared; /* all old slots are dropped before `slots` are written */
    cevm_u256 balance;
    uint64_t nonce;
    cevm_hash code_hash;
    bool code_changed; /* code holds the new code (may be empty) */
    cevm_bytes code;
    const cevm_slot_change *slots;
    size_t slot_count;
} cevm_account_change;

/** A set of changes, one entry an account, ordered by address; slots ordered by key. Borrowed for the call. */
typedef struct cevm_diff {
    const cevm_account_change *accounts;
    size_t account_count;
} cevm_diff;

/** A key that is about to be read. */
typedef struct cevm_db_key {
    cevm_address address;
    bool is_slot;
    cevm_u256 slot;
} cevm_db_key;

/** A block of the chain whose state the store holds. */
typedef struct cevm_db_block {
    uint64_t number;
    cevm_hash hash;
    cevm_bytes rlp;             /* the block's encoding; may be empty */
    cevm_u256 total_difficulty; /* of the block and all before it */
    bool is_merged;
    cevm_bytes receipts; /* RLP list of the receipts, typed ones as strings, as nodes send them; empty: not known */
} cevm_db_block;

typedef struct cevm_db cevm_db;

typedef struct cevm_db_vtable {
    size_t struct_size; /* sizeof(cevm_db_vtable) */

    /** Reads an account; *exists tells whether it is there, *out is defined only then. */
    cevm_err (*account)(void *ctx, cevm_db_account *out, bool *exists, const cevm_address *address);
    /** Reads a slot; 0 when absent. */
    cevm_err (*storage)(void *ctx, cevm_u256 *out, const cevm_address *address, const cevm_u256 *key);
    /** Reads code by hash (never asked for the hash of no code). The bytes stay valid until the next commit. */
    cevm_err (*code)(void *ctx, cevm_bytes *out, const cevm_hash *code_hash);
    /** Hash of a past block; all zero when unknown. */
    cevm_err (*block_hash)(void *ctx, cevm_hash *out, uint64_t number);
    /** Optional (may be NULL): these keys will be read soon. A remote store fetches them in one round trip. */
    cevm_err (*prefetch)(void *ctx, const cevm_db_key *keys, size_t count);
    /** Applies all changes or none. */
    cevm_err (*commit)(void *ctx, const cevm_diff *diff);
    /** Optional: the state root (Merkle Patricia trie) of what has been committed. */
    cevm_err (*root)(void *ctx, cevm_hash *out);

    /* Optional, what a chain needs (cevm/chain.h). All may be NULL. */

    /**
     * Opens a block: the commits that follow belong to it. CEVM_ERR_ARGUMENT when one is open.
     */
    cevm_err (*begin_block)(void *ctx);
    /**
     * Closes the open block. keep: it lasts, all of its commits or (on an error) none of them; otherwise the store is as
     * it was before begin_block. On an error the block stays open and the call may be repeated.
     */
    cevm_err (*end_block)(void *ctx, bool keep);
    /**
     * Takes back the newest block that was kept. CEVM_ERR_ARGUMENT when none is remembered (or one is open); on any error
     * the store is as it was.
     */
    cevm_err (*undo_block)(void *ctx);
    /**
     * Opens a view of the store as it was `back` blocks ago (0 = now), only for reading: commit may be NULL in it. It is
     * valid until the next begin_block or undo_block. CEVM_ERR_ARGUMENT when so many are not remembered.
     */
    cevm_err (*open_past)(void *ctx, cevm_db *out, size_t back);
    void (*close_past)(void *ctx, cevm_db *past);
    /**
     * Optional even for a chain: the open block is this one. It is kept, dropped and taken back with the changes, so that a
     * store that lasts knows of which block it holds the state. Numbers grow from block to block (CEVM_ERR_ARGUMENT).
     */
    cevm_err (*put_block)(void *ctx, const cevm_db_block *block);

    /**
     * Optional even for a chain, both or neither: what is kept and taken back from begin_move to end_move lasts together or
     * not at all, so that a store that lasts is never found half-way between two branches. Between them blocks are opened,
     * closed and taken back as ever; open_past is not called. CEVM_ERR_ARGUMENT when a block or a move is open.
     */
    cevm_err (*begin_move)(void *ctx);
    /**
     * keep false: the store is as it was before begin_move, an open block is dropped, and nothing can fail. The move is over
     * after an error too, and nothing of it was kept; but CEVM_ERR_ARGUMENT, when a block is open or no move is.
     */
    cevm_err (*end_move)(void *ctx, bool keep);
} cevm_db_vtable;

struct cevm_db {
    const cevm_db_vtable *vtable;
    void *ctx;
};

/* ---- The memory backend ------------------------------------------------------------------------------------------ */

typedef struct cevm_memdb cevm_memdb;

/** Makes an empty store. allocator may be NULL (libc). Errors: CEVM_ERR_NOMEM. */
CEVM_API cevm_err cevm_memdb_create(cevm_memdb **out, const cevm_allocator *allocator);
/** NULL is allowed. */
CEVM_API void cevm_memdb_destroy(cevm_memdb *db);
/** The backend interface of a store; valid as long as the store. */
CEVM_API cevm_db cevm_memdb_interface(cevm_memdb *db);
/** Adds or replaces an account, dropping the storage it had. Code is copied. Errors: CEVM_ERR_NOMEM. */
CEVM_API cevm_err cevm_memdb_set_account(cevm_memdb *db, const cevm_address *address, const cevm_u256 *balance,
                                         uint64_t nonce, cevm_bytes code);
/** Sets a slot of an account that exists (CEVM_ERR_ARGUMENT otherwise); 0 removes it. Errors: CEVM_ERR_NOMEM. */
CEVM_API cevm_err cevm_memdb_set_storage(cevm_memdb *db, const cevm_address *address, const cevm_u256 *key,
                                         const cevm_u256 *value);
/** Makes cevm_db.block_hash answer `hash` for `number`. Errors: CEVM_ERR_NOMEM. */
CEVM_API cevm_err cevm_memdb_set_block_hash(cevm_memdb *db, uint64_t number, const cevm_hash *hash);
/**
 * How many kept blocks can be taken back or looked into (see cevm_db_vtable); 0, the default, forgets each when it is
 * closed. Fewer than before forgets the oldest.
 */
CEVM_API void cevm_memdb_set_history(cevm_memdb *db, size_t blocks);
/** State root of the store. Errors: CEVM_ERR_NOMEM. */
CEVM_API cevm_err cevm_memdb_root(cevm_memdb *db, cevm_hash *out);

/** Called for each account, in address order; return false to stop. Views are valid inside the call. */
typedef bool (*cevm_memdb_visit_account)(void *user, const cevm_address *address, const cevm_db_account *account,
                                         cevm_bytes code);
typedef bool (*cevm_memdb_visit_slot)(void *user, const cevm_u256 *key, const cevm_u256 *value);
/** Each account; visit must not write. Errors: CEVM_ERR_NOMEM. */
CEVM_API cevm_err cevm_memdb_for_each_account(cevm_memdb *db, cevm_memdb_visit_account visit, void *user);
/** Each non-zero slot of an account in key order; nothing when the account is missing. The same rules. */
CEVM_API cevm_err cevm_memdb_for_each_slot(cevm_memdb *db, const cevm_address *address, cevm_memdb_visit_slot visit,
                                           void *user);

#ifdef __cplusplus
}
#endif
#endif
