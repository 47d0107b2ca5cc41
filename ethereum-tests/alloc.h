/* SPDX-License-Identifier: Apache-2.0 */
/**
 * ethereum-tests/alloc.h: the accounts of a test ("pre", "post", "state"): read, put into a store, compared with one.
 */
#ifndef CEVM_TESTS_ALLOC_H
#define CEVM_TESTS_ALLOC_H

#include <cevm/db.h>

#include "ethereum-tests/json.h"

typedef struct cevm_test_account {
    cevm_address address;
    cevm_u256 balance; /* wei */
    uint64_t nonce;
    cevm_bytes code;
    const cevm_slot_change *slots; /* as written, zero values included */
    size_t slot_count;
} cevm_test_account;

typedef struct cevm_test_alloc {
    const cevm_test_account *accounts;
    size_t count;
} cevm_test_alloc;

/** Reads {address: {balance, nonce, code, storage}}; a missing field is zero. Everything lives in the arena. */
bool cevm_test_alloc_load(cevm_test_alloc *out, const cevm_json_at *at, cevm_arena *arena);

/** Adds the accounts to a store. Errors: CEVM_ERR_NOMEM. */
cevm_err cevm_test_alloc_store(cevm_memdb *db, const cevm_test_alloc *alloc);

/**
 * Names the first difference between a store and the accounts it should hold, in address order ("account 0x…: balance:
 * expected …, got …"). *same tells whether there was none; text is written only when there is one.
 */
cevm_err cevm_test_alloc_compare(bool *same, char *text, size_t text_size, cevm_memdb *db,
                                 const cevm_test_alloc *expected);

#endif
