/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/memdb_internal.h: what the files of the memory backend share. memdb.c holds the store and the commit,
 * memdb_root.c the tries over it, memdb_visit.c the walks in order.
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
};

/** Index of an account (deleted ones too), or CEVM_MAP_NONE. */
uint32_t cevm_memdb_find_account(const cevm_memdb *db, const cevm_address *address);
/** Code by hash; NULL when the store does not have it. */
const memdb_code *cevm_memdb_find_code(const cevm_memdb *db, const cevm_hash *hash);
/** Frees a storage; NULL is allowed. */
void cevm_memdb_free_storage(const cevm_memdb *db, memdb_storage *storage);

#endif
