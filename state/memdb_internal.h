/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/memdb_internal.h: what the files of the memory backend share. memdb.c holds the store and the commit,
 * memdb_root.c the tries over it, memdb_visit.c the walks in order, memdb_history.c the blocks that can be taken back.
 */
#ifndef CEVM_STATE_MEMDB_INTERNAL_H
#define CEVM_STATE_MEMDB_INTERNAL_H

#include "state/map.h"
#include "state/rlp.h"
#include "state/trie.h"

#include <cevm/db.h>

/** A slot. One that became 0 stays until the trie has forgotten it, then its place is free. */
typedef struct memdb_slot {
    cevm_u256 key;
    cevm_u256 value;
    uint32_t link; /* next dirty slot, or next free place */
    bool dirty;    /* the trie does not know this value yet */
} memdb_slot;

typedef struct memdb_storage {
    cevm_map map;
    memdb_slot *slots;
    size_t count; /* places used, free ones included */
    size_t capacity;
    size_t nonzero;
    uint32_t free_head;
    uint32_t dirty_head;
    cevm_trie trie; /* keccak256(key) -> rlp(value) */
} memdb_storage;

/** An account. One that was deleted stays until the trie has forgotten it. */
typedef struct memdb_account {
    cevm_address address;
    bool exists;
    bool dirty;
    bool replaced; /* the open block has put another storage in the place of the one it found */
    uint32_t link; /* next dirty account, or next free place */
    uint64_t nonce;
    cevm_u256 balance;
    cevm_hash code_hash;
    memdb_storage *storage; /* NULL: no slots */
} memdb_account;

typedef struct memdb_code {
    cevm_hash hash;
    uint8_t *data;
    size_t size;
} memdb_code;

typedef struct memdb_block {
    uint64_t number;
    cevm_hash hash;
} memdb_block;

/** What a block found in an account that it changed. */
typedef struct memdb_old_account {
    cevm_address address;
    size_t sequence; /* the first of several of one address counts */
    bool existed;
    bool had_storage; /* at least one non-zero slot */
    bool replaced;    /* the block dropped the storage; it waits in `storage` */
    uint64_t nonce;
    cevm_u256 balance;
    cevm_hash code_hash;
    memdb_storage *storage; /* owned; NULL: there were no slots */
} memdb_old_account;

/** What a block found in a slot that it changed, unless the whole storage was put aside before. */
typedef struct memdb_old_slot {
    cevm_address address;
    size_t sequence;
    cevm_u256 key;
    cevm_u256 value;
} memdb_old_slot;

/** One block that can be taken back. Both lists are in order, one entry a key, once it is closed. */
typedef struct memdb_version {
    memdb_old_account *accounts;
    size_t account_count;
    size_t account_capacity;
    memdb_old_slot *slots;
    size_t slot_count;
    size_t slot_capacity;
    size_t next_sequence;
} memdb_version;

struct cevm_memdb {
    const cevm_allocator *allocator;
    cevm_map_seed seed;
    cevm_map account_map;
    memdb_account *accounts;
    size_t account_count; /* places used, free ones included */
    size_t account_capacity;
    uint32_t free_head;
    uint32_t dirty_head;
    cevm_map code_map; /* code is kept as long as the store: other accounts may hold the same */
    memdb_code *codes;
    size_t code_count;
    size_t code_capacity;
    cevm_map block_map;
    memdb_block *blocks;
    size_t block_count;
    size_t block_capacity;
    cevm_trie trie; /* keccak256(address) -> rlp(account) */
    cevm_buf scratch;
    cevm_buf value;
    memdb_version *versions; /* oldest first; the last one is open when block_open */
    size_t version_count;
    size_t version_capacity;
    size_t history; /* closed versions to remember */
    bool block_open;
};

/** Index of an account (deleted ones too), or CEVM_MAP_NONE. */
uint32_t cevm_memdb_find_account(const cevm_memdb *db, const cevm_address *address);
/** Code by hash; NULL when the store does not have it. */
const memdb_code *cevm_memdb_find_code(const cevm_memdb *db, const cevm_hash *hash);
/** Value of a slot; 0 when it is not there. storage may be NULL. */
cevm_u256 cevm_memdb_slot_value(const cevm_memdb *db, const memdb_storage *storage, const cevm_u256 *key);
/** A storage with room for `extra` slots; NULL when memory runs out. */
memdb_storage *cevm_memdb_make_storage(const cevm_memdb *db, size_t extra);
/** Makes room for `extra` more slots. */
cevm_err cevm_memdb_reserve_slots(const cevm_memdb *db, memdb_storage *storage, size_t extra);
/** Sets a slot; cannot fail after cevm_memdb_reserve_slots. */
void cevm_memdb_write_slot(const cevm_memdb *db, memdb_storage *storage, const cevm_slot_change *change);
/** Frees a storage; NULL is allowed. */
void cevm_memdb_free_storage(const cevm_memdb *db, memdb_storage *storage);
/** cevm_db.commit. */
cevm_err cevm_memdb_commit(void *ctx, const cevm_diff *diff);

/* ---- memdb_history.c ---------------------------------------------------------------------------------------------- */

/** Makes room in the open block, if there is one, for what a diff changes. */
cevm_err cevm_memdb_history_reserve(cevm_memdb *db, const cevm_diff *diff);
/** Notes in the open block how an account is before `change`; takes its storage when the change drops it. */
void cevm_memdb_history_note(cevm_memdb *db, memdb_account *account, const cevm_account_change *change);
void cevm_memdb_history_free(cevm_memdb *db);

/* Functions of cevm_db_vtable. */
cevm_err cevm_memdb_begin_block(void *ctx);
cevm_err cevm_memdb_end_block(void *ctx, bool keep);
cevm_err cevm_memdb_undo_block(void *ctx);
cevm_err cevm_memdb_open_past(void *ctx, cevm_db *out, size_t back);
void cevm_memdb_close_past(void *ctx, cevm_db *past);

#endif
