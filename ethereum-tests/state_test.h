/* SPDX-License-Identifier: Apache-2.0 */
/**
 * ethereum-tests/state_test.h: the official state tests, read from JSON.
 *
 * A file is an object {name: test}. A test has one environment and one state before, and many entries: for each fork a
 * list of transactions (picked by indexes from the arrays of `transaction`) with what must come of them. Spellings from
 * 2018 (no "txbytes", numbers of odd length) to today's are read; keys that are not known are ignored.
 *
 * A loaded test borrows from its JSON document and must not outlive it. Threads: one test per thread.
 */
#ifndef CEVM_TESTS_STATE_TEST_H
#define CEVM_TESTS_STATE_TEST_H

#include <cevm/forks.h>
#include <cevm/transition.h>

#include "chain/alloc.h"

/** The block of a test; what a fork does not know is left out by cevm_state_test_block. */
typedef struct cevm_test_env {
    cevm_address coinbase;
    uint64_t number;
    uint64_t timestamp;
    uint64_t gas_limit;
    cevm_u256 difficulty;
    cevm_u256 random;         /* EIP-4399 */
    cevm_u256 base_fee;       /* EIP-1559; 10 wei when the file has none, as the tool that filled such files assumes */
    uint64_t excess_blob_gas; /* EIP-4844, of this block */
    uint64_t chain_id;
} cevm_test_env;

/** One entry: a transaction under a fork, and what must come of it. */
typedef struct cevm_test_entry {
    const char *fork_name; /* as the file spells it */
    bool fork_known;
    cevm_fork fork;          /* valid when fork_known */
    size_t index;            /* position in the fork's list */
    size_t data, gas, value; /* indexes into the arrays of `transaction` */
    const char *label;       /* name of the data index ("_info.labels"), or NULL */
    cevm_blob_params blob;   /* valid when fork_known: the file's schedule for the fork, else mainnet's */
    cevm_hash root;          /* state root after it */
    cevm_hash logs;          /* keccak256(rlp(logs)) */
    bool has_tx_bytes;
    cevm_bytes tx_bytes;          /* the signed transaction */
    const char *expect_exception; /* why it must be rejected, or NULL */
    bool value_too_wide;          /* the value is written as a "0x:bigint": no transaction can hold it */
    json_t *state;                /* all accounts after it, or NULL; read only when the root differs */
} cevm_test_entry;

typedef struct cevm_state_test {
    const char *name; /* key in the file */
    const char *file;
    cevm_arena arena;
    cevm_test_env env;
    cevm_genesis_alloc pre;
    json_t *transaction;
    const cevm_test_entry *entries; /* in the order of the file */
    size_t entry_count;
} cevm_state_test;

/** Whether a case of a file looks like a state test ("post" with "transaction"). */
bool cevm_state_test_is(const json_t *value);

/**
 * Reads one case; at->key is its name. False with the reason in at->error; nothing is then left to free. Errors: a missing
 * or wrong key, an index out of range, memory.
 */
bool cevm_state_test_load(cevm_state_test *out, const cevm_json_at *at, const cevm_allocator *allocator);
void cevm_state_test_free(cevm_state_test *test);

/** The block environment of an entry whose fork is known. */
void cevm_state_test_block(cevm_block_env *out, const cevm_state_test *test, const cevm_test_entry *entry);

/**
 * Builds the transaction of an entry from the test's `transaction` object, into memory of the test's arena: signed with
 * its secretKey, or with only a sender when there is no key. The type follows from the keys that are there: authorizationList,
 * maxFeePerBlobGas or blobVersionedHashes, maxFeePerGas, a non-null access list, none of them.
 */
bool cevm_state_test_transaction(cevm_tx *out, cevm_state_test *test, const cevm_test_entry *entry,
                                 cevm_json_error *error);

#endif
