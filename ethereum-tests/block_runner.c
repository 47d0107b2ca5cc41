/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a blockchain test: genesis, blocks one after another, head, state at the head. */
#include <cevm/chain.h>
#include <cevm/hex.h>

#include <stdio.h>

#include "ethereum-tests/runner.h"

/* What one run holds; torn down by run_end. */
typedef struct run {
    cevm_test_runner *runner;
    cevm_test_result *out;
    cevm_blockchain_test *test;
    cevm_memdb *db;
    cevm_chain *chain;
} run;

static void run_end(run *r)
{
    cevm_chain_close(r->chain);
    cevm_memdb_destroy(r->db);
}

/* A value of the test that cannot be read. */
static bool fail_to_read(cevm_test_result *out, const cevm_json_error *error)
{
    out->verdict = CEVM_TEST_ERROR;
    (void)snprintf(out->error, sizeof out->error, "%.500s", error->text);
    return false;
}

static void hash_text(char out[67], const cevm_hash *hash)
{
    memcpy(out, "0x", 2);
    cevm_hex_encode(out + 2, hash->bytes, sizeof hash->bytes);
}

/* ---- The genesis ------------------------------------------------------------------------------------------------- */

/* The header's fields, the encoded block and the accounts must be of one block. */
static bool check_genesis(run *r)
{
    const cevm_blockchain_test *test = r->test;
    const cevm_allocator *allocator = r->runner->allocator;
    cevm_hash hash, root;
    cevm_err err = cevm_header_hash(&hash, &test->genesis, allocator);
    if (err == CEVM_OK) {
        err = cevm_memdb_root(r->db, &root);
    }
    if (err != CEVM_OK) {
        cevm_test_fail_err(r->out, "genesis", err);
        return false;
    }
    if (!cevm_hash_equal(&root, &test->genesis.state_root)) {
        cevm_test_fail_hash(r->out, CEVM_TEST_GENESIS, "genesis state root", &test->genesis.state_root, &root);
        return false;
    }
    if (!cevm_hash_equal(&hash, &test->genesis_hash)) {
        cevm_test_fail_hash(r->out, CEVM_TEST_GENESIS, "genesis block hash", &test->genesis_hash, &hash);
        return false;
    }
    if (test->genesis_rlp.size == 0) {
        return true;
    }
    cevm_block *block = NULL;
    cevm_block_verdict verdict = {0};
    err = cevm_block_decode(&block, &verdict, test->genesis_rlp, allocator);
    if (err == CEVM_ERR_ENCODING) {
        const char *name = cevm_block_error_name(verdict.error);
        cevm_test_fail(r->out, CEVM_TEST_GENESIS, "a block", name, "genesis RLP decoding failed: %s", name);
    } else if (err != CEVM_OK) {
        cevm_test_fail_err(r->out, "genesis", err);
    } else if (!cevm_hash_equal(&block->hash, &test->genesis_hash)) {
        cevm_test_fail_hash(r->out, CEVM_TEST_GENESIS, "hash of the genesis RLP", &test->genesis_hash, &block->hash);
    }
    cevm_block_destroy(block, allocator);
    return r->out->verdict == CEVM_TEST_PASS;
}

/* The chain begins with the genesis; nothing of a test is ever final. */
static bool open_chain(run *r)
{
    const cevm_blockchain_test *test = r->test;
    cevm_err err = cevm_memdb_create(&r->db, r->runner->allocator);
    if (err == CEVM_OK) {
        err = cevm_genesis_alloc_store(r->db, &test->pre);
    }
    if (err != CEVM_OK) {
        cevm_test_fail_err(r->out, "genesis", err);
        return false;
    }
    if (!check_genesis(r)) {
        return false;
    }
    uint32_t history = test->block_count < UINT32_MAX ? (uint32_t)test->block_count + 1 : UINT32_MAX;
    cevm_memdb_set_history(r->db, history);
    const cevm_chain_options options = {.struct_size = sizeof options,
                                        .allocator = r->runner->allocator,
                                        .config = test->network.config,
                                        .head = &test->genesis,
                                        .head_is_merged = test->network.merged_from_start,
                                        .db = cevm_memdb_interface(r->db),
                                        .history = history,
                                        .vm = r->runner->config,
                                        .ethash = r->runner->ethash};
    err = cevm_chain_open(&r->chain, &options);
    if (err != CEVM_OK) {
        cevm_test_fail_err(r->out, "opening the chain", err);
    }
    return err == CEVM_OK;
}

/* ---- Blocks ------------------------------------------------------------------------------------------------------ */

/* "INVALID_GASLIMIT (invalid gas limit)", "transaction 2: NONCE_IS_MAX (…)". */
static void verdict_text(char *out, size_t size, const cevm_block_verdict *verdict)
{
    if (verdict->error == CEVM_BLOCK_TRANSACTION) {
        (void)snprintf(out, size, "transaction %zu: %s (%s)", verdict->tx_index, cevm_tx_error_name(verdict->tx_error),
                       cevm_tx_error_string(verdict->tx_error));
    } else {
        (void)snprintf(out, size, "%s (%s)", cevm_block_error_name(verdict->error),
                       cevm_block_error_string(verdict->error));
    }
}

static bool judge_refused(run *r, size_t index, const cevm_test_block *block, const cevm_block_verdict *verdict)
{
    char got[160];
    verdict_text(got, sizeof got, verdict);
    if (block->is_valid) {
        cevm_test_fail(r->out, CEVM_TEST_REASON, "a valid block", got,
                       "block (index %zu) insertion into chain failed: %s", index, got);
    } else if (block->expected != NULL && !cevm_block_verdict_matches(verdict, block->expected)) {
        cevm_test_fail(r->out, CEVM_TEST_REASON, block->expected, got,
                       "block (index %zu) refused for another reason: got %s, want %s", index, got, block->expected);
    }
    return r->out->verdict == CEVM_TEST_PASS;
}

/* The receipts that the file gives must be those whose root the header has, and execution has shown that root. */
static bool check_receipts(run *r, size_t index, const cevm_test_block *block, const cevm_header *header)
{
    cevm_hash root;
    cevm_err err = cevm_transactions_root(&root, block->receipts, block->receipt_count, r->runner->allocator);
    if (err != CEVM_OK) {
        cevm_test_fail_err(r->out, "receipts", err);
        return false;
    }
    if (!cevm_hash_equal(&root, &header->receipts_root)) {
        char what[64];
        (void)snprintf(what, sizeof what, "block (index %zu) root of the receipts", index);
        cevm_test_fail_hash(r->out, CEVM_TEST_RECEIPTS, what, &root, &header->receipts_root);
        return false;
    }
    return true;
}

static bool judge_accepted(run *r, size_t index, const cevm_test_block *block, const cevm_import_result *result)
{
    if (!block->is_valid) {
        const char *expected = block->expected != NULL ? block->expected : "an invalid block";
        cevm_test_fail(r->out, CEVM_TEST_REASON, expected, "a valid block",
                       "block (index %zu) insertion should have failed due to: %s", index, expected);
        return false;
    }
    if (!cevm_hash_equal(&result->hash, &block->hash)) {
        char what[64];
        (void)snprintf(what, sizeof what, "block (index %zu) hash", index);
        cevm_test_fail_hash(r->out, CEVM_TEST_HASH, what, &block->hash, &result->hash);
        return false;
    }
    cevm_chain_block added;
    if (!cevm_chain_find(r->chain, &added, &result->hash)) {
        cevm_test_fail(r->out, CEVM_TEST_HEAD, "a block of the chain", "nothing",
                       "block (index %zu) was accepted and is not there", index);
        return false;
    }
    if (block->receipts != NULL && !check_receipts(r, index, block, added.header)) {
        return false;
    }
    if (!added.is_merged || result->is_head || result->is_known) {
        return true;
    }
    /* From Paris on difficulty decides nothing: each block that arrives is one that consensus has chosen. */
    cevm_err err = cevm_chain_set_head(r->chain, &result->hash);
    if (err != CEVM_OK) {
        cevm_test_fail_err(r->out, "choosing the head", err);
    }
    return err == CEVM_OK;
}

static bool import_block(run *r, size_t index)
{
    cevm_json_error error;
    cevm_test_block block;
    cevm_import_result result;
    if (!cevm_blockchain_test_block(&block, r->test, index, &error)) {
        return fail_to_read(r->out, &error);
    }
    cevm_err err = cevm_chain_import(r->chain, &result, block.rlp, r->runner->tracer);
    if (err != CEVM_OK) {
        char what[64];
        (void)snprintf(what, sizeof what, "block (index %zu)", index);
        cevm_test_fail_err(r->out, what, err);
        return false;
    }
    if (result.verdict.error != CEVM_BLOCK_NONE) {
        return judge_refused(r, index, &block, &result.verdict);
    }
    r->out->gas_used += result.gas_used;
    return judge_accepted(r, index, &block, &result);
}

static bool import_blocks(run *r)
{
    for (size_t i = 0; i < r->test->block_count; i++) {
        cevm_arena_mark mark = cevm_arena_get_mark(&r->test->arena);
        bool ok = import_block(r, i);
        cevm_arena_release(&r->test->arena, mark);
        if (!ok) {
            return false;
        }
    }
    return true;
}

/* ---- The end ----------------------------------------------------------------------------------------------------- */

static void check_state(run *r, const cevm_header *head)
{
    cevm_test_result *out = r->out;
    cevm_blockchain_test *test = r->test;
    cevm_hash root;
    cevm_err err = cevm_memdb_root(r->db, &root);
    if (err != CEVM_OK) {
        cevm_test_fail_err(out, "state root", err);
        return;
    }
    if (!cevm_hash_equal(&root, &head->state_root)) {
        cevm_test_fail_hash(out, CEVM_TEST_ROOT, "state root at the head", &head->state_root, &root);
    } else if (test->has_post_hash && !cevm_hash_equal(&root, &test->post_hash)) {
        cevm_test_fail_hash(out, CEVM_TEST_ROOT, "post state root", &test->post_hash, &root);
    }
    if (test->post == NULL) {
        return;
    }
    cevm_json_error error;
    cevm_genesis_alloc expected;
    bool same = true;
    char detail[sizeof out->detail] = "";
    if (!cevm_blockchain_test_post(&expected, test, &error)) {
        (void)fail_to_read(out, &error);
        return;
    }
    err = cevm_genesis_alloc_compare(&same, detail, sizeof detail, r->db, &expected);
    if (err != CEVM_OK) {
        cevm_test_fail_err(out, "post state", err);
    } else if (!same) {
        if (out->verdict == CEVM_TEST_PASS) {
            cevm_test_fail(out, CEVM_TEST_STATE, "", "", "post state validation failed: %.400s", detail);
        }
        (void)snprintf(out->detail, sizeof out->detail, "%s", detail);
    }
}

static void check_end(run *r)
{
    cevm_chain_block head;
    cevm_chain_head(r->chain, &head);
    r->out->has_root = true;
    r->out->root = head.header->state_root;
    if (r->out->verdict != CEVM_TEST_PASS) {
        return;
    }
    if (!cevm_hash_equal(&head.hash, &r->test->last_hash)) {
        char want[67], have[67];
        hash_text(want, &r->test->last_hash);
        hash_text(have, &head.hash);
        cevm_test_fail(r->out, CEVM_TEST_HEAD, want, have, "last block hash validation mismatch: want: %s, have: %s",
                       want + 2, have + 2);
        return;
    }
    check_state(r, head.header);
}

void cevm_test_run_blockchain(cevm_test_runner *runner, cevm_test_result *out, cevm_blockchain_test *test)
{
    memset(out, 0, sizeof *out);
    if (!test->network_known) {
        out->verdict = CEVM_TEST_ERROR;
        (void)snprintf(out->error, sizeof out->error, "%s", test->network_error);
        return;
    }
    run r = {.runner = runner, .out = out, .test = test};
    if (open_chain(&r)) {
        (void)import_blocks(&r);
        check_end(&r);
        if (runner->inspect != NULL) {
            runner->inspect(runner->inspect_user, r.db, &out->root);
        }
    }
    run_end(&r);
}
