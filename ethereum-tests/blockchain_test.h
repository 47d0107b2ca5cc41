/* SPDX-License-Identifier: Apache-2.0 */
/**
 * ethereum-tests/blockchain_test.h: the official blockchain tests, read from JSON.
 *
 * A file is an object {name: test}. A test has a network, a genesis block with its accounts, a list of blocks to import one
 * after another, valid or not, and what must be there at the end. Of a block its "rlp" is what counts: the fields beside it
 * are for readers, and tests of bad encodings have none. Keys that are not known are ignored.
 *
 * A loaded test borrows from its JSON document and must not outlive it. Threads: one test per thread.
 */
#ifndef CEVM_TESTS_BLOCKCHAIN_TEST_H
#define CEVM_TESTS_BLOCKCHAIN_TEST_H

#include <cevm/block.h>

#include "chain/alloc.h"
#include "ethereum-tests/networks.h"

typedef struct cevm_blockchain_test {
    const char *name; /* key in the file */
    const char *file;
    cevm_arena arena;
    const char *network_name; /* as the file spells it */
    bool network_known;
    char network_error[256];   /* why it is not */
    cevm_test_network network; /* valid when network_known */
    cevm_genesis_alloc pre;
    cevm_header genesis;
    cevm_hash genesis_hash;
    cevm_bytes genesis_rlp; /* the whole block; empty when the file does not give it */
    json_t *blocks;
    size_t block_count;
    cevm_hash last_hash; /* of the head after all blocks */
    json_t *post;        /* all accounts at the head, or NULL */
    bool has_post_hash;  /* state root of the head */
    cevm_hash post_hash;
} cevm_blockchain_test;

/** One block to import. */
typedef struct cevm_test_block {
    cevm_bytes rlp;
    bool is_valid;              /* must be accepted */
    cevm_hash hash;             /* of a valid block */
    const char *expected;       /* why it must be refused; NULL where the file does not say */
    const cevm_bytes *receipts; /* encoded, of a valid block; NULL when the file does not give them */
    size_t receipt_count;
} cevm_test_block;

/** Whether a case of a file looks like a blockchain test ("blocks" with "genesisBlockHeader"). */
bool cevm_blockchain_test_is(const json_t *value);

/**
 * Reads one case but its blocks; at->key is its name. False with the reason in at->error; nothing is then left to free.
 * A network that is not known is no error: see network_known.
 */
bool cevm_blockchain_test_load(cevm_blockchain_test *out, const cevm_json_at *at, const cevm_allocator *allocator);
void cevm_blockchain_test_free(cevm_blockchain_test *test);

/** Reads block `index` into memory of the test's arena. False with the reason in error. */
bool cevm_blockchain_test_block(cevm_test_block *out, cevm_blockchain_test *test, size_t index, cevm_json_error *error);

/** Reads the accounts that must be there at the end (test->post is not NULL) into memory of the test's arena. */
bool cevm_blockchain_test_post(cevm_genesis_alloc *out, cevm_blockchain_test *test, cevm_json_error *error);

#endif
