/* SPDX-License-Identifier: Apache-2.0 */
/**
 * chain/alloc.h: accounts written as JSON ("alloc", "pre", "post"): read, put into a store, compared with one.
 */
#ifndef CEVM_CHAIN_ALLOC_H
#define CEVM_CHAIN_ALLOC_H

#include <cevm/db.h>

#include "chain/json.h"

typedef struct cevm_genesis_account {
    cevm_address address;
    cevm_u256 balance; /* wei */
    uint64_t nonce;
    cevm_bytes code;
    const cevm_slot_change *slots; /* as written, zero values included */
    size_t slot_count;
} cevm_genesis_account;

typedef struct cevm_genesis_alloc {
    const cevm_genesis_account *accounts;
    size_t count;
} cevm_genesis_alloc;

/** Reads {address: {balance, nonce, code, storage}}; a missing field is zero. Everything lives in the arena. */
bool cevm_genesis_alloc_load(cevm_genesis_alloc *out, const cevm_json_at *at, cevm_arena *arena);

/** Adds the accounts to a store. Errors: CEVM_ERR_NOMEM. */
cevm_err cevm_genesis_alloc_store(cevm_memdb *db, const cevm_genesis_alloc *alloc);

/**
 * Names the first difference between a store and the accounts it should hold, in address order ("account 0x…: balance:
 * expected …, got …"). *same tells whether there was none; text is written only when there is one.
 */
cevm_err cevm_genesis_alloc_compare(bool *same, char *text, size_t text_size, cevm_memdb *db,
                                    const cevm_genesis_alloc *expected);

#endif
