/* SPDX-License-Identifier: Apache-2.0 */
/**
 * tests/unit/chain_support.h: a forge that makes valid blocks on any block it made before, and a chain to import them
 * into. The forge has a store and a chain of its own, so that the one under test sees only bytes.
 */
#ifndef CEVM_TESTS_CHAIN_SUPPORT_H
#define CEVM_TESTS_CHAIN_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include <cevm/chain.h>
#include <cevm/crypto.h>
#include <cevm/hex.h>

#include "chain/genesis_json.h"
#include "execution_support.h"

enum { FORGED_MAX = 1024 };

/** A block that was made. */
typedef struct forged {
    uint8_t *data;
    size_t size;
    cevm_hash hash;
    cevm_header header;
} forged;

/** What a block is made of. Zeros: an empty block a second after its parent. */
typedef struct recipe {
    uint8_t coinbase;  /* last byte of its address */
    uint64_t seconds;  /* after the parent; 0 = 1. Before the merge later blocks are easier. */
    uint64_t value;    /* wei sent to FRIEND, 0 = no such transaction */
    uint64_t recorded; /* number of the block whose hash RECORDER stores under its own number; 0 = none */
    const cevm_header *ommers;
    size_t ommer_count;
    uint64_t withdrawal; /* gwei to FRIEND, from Shanghai */
} recipe;

typedef struct forge {
    cevm_chain_config config;
    cevm_memdb *db;
    cevm_vm *vm;
    cevm_chain *chain;
    cevm_header genesis;
    cevm_hash genesis_hash;
    forged *blocks[FORGED_MAX];
    size_t count;
} forge;

static const cevm_address FRIEND = {{0xf0, [19] = 1}};
static const cevm_address RECORDER = {{0xc0, [19] = 2}};
static const uint8_t forge_key[32] = {[31] = 1};

/** The accounts every chain of these tests begins with; NULL when memory runs out. */
static inline cevm_memdb *forge_store(const cevm_allocator *allocator)
{
    /* RECORDER: storage[NUMBER] = BLOCKHASH(calldata word); a log with the word and NUMBER as topics */
    static const char *const contracts[][2] = {{"c000000000000000000000000000000000000002", "600035404355"
                                                                                            "4360003560006000a200"},
                                               {BEACON_ROOTS, BEACON_ROOTS_CODE},
                                               {HISTORY, HISTORY_CODE},
                                               {WITHDRAWALS, WITHDRAWALS_CODE},
                                               {CONSOLIDATIONS, CONSOLIDATIONS_CODE}};
    cevm_memdb *db = NULL;
    cevm_address sender;
    const cevm_u256 rich = {{0, 1 << 20, 0, 0}}, none = {{0}};
    cevm_err err = cevm_memdb_create(&db, allocator);
    if (err != CEVM_OK) {
        return NULL;
    }
    cevm_memdb_set_history(db, 128);
    assert_true(cevm_secret_to_address(&sender, forge_key));
    err = cevm_memdb_set_account(db, &sender, &rich, 0, (cevm_bytes){NULL, 0});
    for (size_t i = 0; err == CEVM_OK && i < sizeof contracts / sizeof contracts[0]; ++i) {
        uint8_t code[1024];
        size_t size = 0;
        const cevm_address address = address_from(contracts[i][0]);
        assert_true(strlen(contracts[i][1]) / 2 <= sizeof code);
        assert_true(cevm_hex_decode(code, &size, contracts[i][1], strlen(contracts[i][1])));
        err = cevm_memdb_set_account(db, &address, &none, 1, (cevm_bytes){code, size});
    }
    if (err != CEVM_OK) {
        cevm_memdb_destroy(db);
        return NULL;
    }
    return db;
}

static inline cevm_hash store_root(cevm_memdb *db)
{
    cevm_hash root;
    assert_int_equal(cevm_memdb_root(db, &root), CEVM_OK);
    return root;
}

static inline void forge_open(forge *f, const cevm_chain_config *config)
{
    memset(f, 0, sizeof *f);
    f->config = *config;
    f->db = forge_store(NULL);
    assert_non_null(f->db);
    const cevm_hash root = store_root(f->db);
    f->genesis = (cevm_header){.ommers_hash = cevm_empty_ommers_hash, .gas_limit = 10000000, .timestamp = 0};
    f->genesis.difficulty = cevm_u256_from_u64(0x20000);
    cevm_genesis_complete(&f->genesis, config, &root);
    assert_int_equal(cevm_header_hash(&f->genesis_hash, &f->genesis, NULL), CEVM_OK);
    const cevm_chain_options options = {
        .struct_size = sizeof options, .config = *config, .head = &f->genesis, .db = cevm_memdb_interface(f->db)};
    assert_int_equal(cevm_chain_open(&f->chain, &options), CEVM_OK);
    assert_int_equal(cevm_vm_create(&f->vm, NULL), CEVM_OK);
}

static inline void forge_close(forge *f)
{
    for (size_t i = 0; i < f->count; ++i) {
        free(f->blocks[i]->data);
        free(f->blocks[i]);
    }
    cevm_chain_close(f->chain);
    cevm_vm_destroy(f->vm);
    cevm_memdb_destroy(f->db);
}

/* ---- Making a block ---------------------------------------------------------------------------------------------- */

static inline void forge_header(const forge *f, cevm_header *h, bool *is_merged, const cevm_chain_block *parent,
                                const recipe *r)
{
    const cevm_header *p = parent->header;
    *h = (cevm_header){.parent_hash = parent->hash, .number = p->number + 1, .gas_limit = p->gas_limit};
    h->timestamp = p->timestamp + (r->seconds != 0 ? r->seconds : 1);
    h->coinbase.bytes[19] = r->coinbase;
    const cevm_u256 *total = &parent->total_difficulty, *terminal = &f->config.terminal_total_difficulty;
    assert_true(cevm_u256_fits_u64(total) && cevm_u256_fits_u64(terminal));
    *is_merged = parent->is_merged ||
                 (f->config.forks[CEVM_PARIS].kind == CEVM_BY_TOTAL_DIFFICULTY && total->w[0] >= terminal->w[0]);
    const cevm_fork fork = cevm_chain_fork(&f->config, h->number, h->timestamp, *is_merged);
    if (!*is_merged) {
        cevm_next_difficulty(&h->difficulty, &f->config, fork, h->number, h->timestamp, &p->difficulty, p->timestamp,
                             !cevm_hash_equal(&p->ommers_hash, &cevm_empty_ommers_hash));
    }
    h->has_base_fee = CEVM_HAS_EIP(fork, 1559);
    if (h->has_base_fee) {
        h->gas_limit *= p->has_base_fee ? 1 : 2;
        cevm_next_base_fee(&h->base_fee, p->has_base_fee, &p->base_fee, p->gas_used, p->gas_limit);
    }
    h->has_withdrawals_root = CEVM_HAS_EIP(fork, 4895);
    h->has_blob_gas = CEVM_HAS_EIP(fork, 4844);
    if (h->has_blob_gas) {
        const cevm_blob_params blobs = cevm_chain_blob_params(&f->config, h->timestamp);
        h->excess_blob_gas =
            cevm_next_excess_blob_gas(fork, &blobs, p->excess_blob_gas, p->blob_gas_used, &p->base_fee);
    }
    h->has_parent_beacon_root = CEVM_HAS_EIP(fork, 4788);
    h->has_requests_hash = CEVM_HAS_EIP(fork, 7685);
}

enum { FORGE_TXS = 2, FORGE_TX_SIZE = 256 };

/** Signs a transaction of the forge's account and encodes it. */
static inline void forge_sign(cevm_tx *tx, uint8_t bytes[FORGE_TX_SIZE], cevm_bytes *raw)
{
    size_t size = 0;
    assert_int_equal(cevm_tx_sign(tx, forge_key, NULL), CEVM_OK);
    assert_int_equal(cevm_tx_encode(bytes, &size, FORGE_TX_SIZE, tx, NULL), CEVM_OK);
    *raw = (cevm_bytes){bytes, size};
}

/** The transactions of a recipe, encoded into `raw`. */
static inline size_t forge_txs(const forge *f, cevm_tx txs[FORGE_TXS], uint8_t bytes[FORGE_TXS][FORGE_TX_SIZE],
                               cevm_bytes raw[FORGE_TXS], const recipe *r)
{
    const cevm_db db = cevm_memdb_interface(f->db);
    static uint8_t word[32];
    cevm_address sender;
    cevm_db_account account;
    bool exists = false;
    size_t count = 0;
    cevm_tx simple = {.type = CEVM_TX_LEGACY, .gas_limit = 100000, .to = FRIEND};
    simple.max_fee = cevm_u256_from_u64(2000000000);
    simple.max_priority_fee = simple.max_fee;
    if (r->value != 0) {
        txs[count] = simple;
        txs[count++].value = cevm_u256_from_u64(r->value);
    }
    if (r->recorded != 0) {
        cevm_store_be64(word + 24, r->recorded);
        txs[count] = simple;
        txs[count].to = RECORDER;
        txs[count++].data = (cevm_bytes){word, sizeof word};
    }
    assert_true(cevm_secret_to_address(&sender, forge_key));
    assert_int_equal(db.vtable->account(db.ctx, &account, &exists, &sender), CEVM_OK);
    for (size_t i = 0; i < count; ++i) {
        txs[i].nonce = account.nonce + i;
        forge_sign(&txs[i], bytes[i], &raw[i]);
    }
    return count;
}

/** Executes the body on the forge's store and puts what comes out into the header; the store is then as before. */
static inline void forge_execute(forge *f, cevm_header *h, bool is_merged, cevm_tx *txs, size_t tx_count,
                                 const cevm_block *body)
{
    const cevm_db db = cevm_memdb_interface(f->db);
    cevm_ommer_reward rewards[2];
    cevm_execution_input input = {.struct_size = sizeof input,
                                  .parent_hash = h->parent_hash,
                                  .parent_beacon_root = h->parent_beacon_root,
                                  .pays_reward = !is_merged,
                                  .ommers = rewards,
                                  .ommer_count = body->ommer_count,
                                  .withdrawals = body->withdrawals,
                                  .withdrawal_count = body->withdrawal_count,
                                  .deposit_contract = f->config.deposit_contract};
    cevm_state *state = NULL;
    cevm_execution *execution = NULL;
    cevm_execution_output out;
    cevm_block_error error;
    for (size_t i = 0; i < body->ommer_count; ++i) {
        rewards[i] = (cevm_ommer_reward){body->ommers[i].coinbase, body->ommers[i].number};
    }
    cevm_header_env(&input.env, &f->config, h, is_merged);
    cevm_block_reward(&input.reward, input.env.fork);
    assert_int_equal(db.vtable->begin_block(db.ctx), CEVM_OK);
    assert_int_equal(cevm_state_create(&state, &db, NULL), CEVM_OK);
    assert_int_equal(cevm_execution_create(&execution, f->vm, state, &input, NULL), CEVM_OK);
    assert_int_equal(cevm_execution_begin(execution, NULL), CEVM_OK);
    for (size_t i = 0; i < tx_count; ++i) {
        cevm_tx_error reason;
        assert_int_equal(cevm_execution_tx(execution, NULL, &reason, &txs[i], NULL), CEVM_OK);
        assert_int_equal(reason, CEVM_TX_NONE);
    }
    assert_int_equal(cevm_execution_end(execution, &out, &error, NULL), CEVM_OK);
    assert_int_equal(error, CEVM_BLOCK_NONE);
    assert_int_equal(cevm_state_commit(state), CEVM_OK);
    h->gas_used = out.gas_used;
    h->blob_gas_used = out.blob_gas_used;
    h->logs_bloom = out.logs_bloom;
    h->receipts_root = out.receipts_root;
    h->requests_hash = out.requests_hash;
    h->state_root = store_root(f->db);
    cevm_execution_destroy(execution);
    cevm_state_destroy(state);
    assert_int_equal(db.vtable->end_block(db.ctx, false), CEVM_OK);
}

/** Encodes a block whose header is filled in, and keeps it. */
static inline const forged *forge_keep(forge *f, cevm_block *block)
{
    forged *out = calloc(1, sizeof *out);
    assert_non_null(out);
    assert_true(f->count < FORGED_MAX);
    assert_int_equal(cevm_block_encode(NULL, &out->size, 0, block, NULL), CEVM_OK);
    out->data = malloc(out->size);
    assert_non_null(out->data);
    assert_int_equal(cevm_block_encode(out->data, &out->size, out->size, block, NULL), CEVM_OK);
    assert_int_equal(cevm_header_hash(&out->hash, &block->header, NULL), CEVM_OK);
    out->header = block->header;
    f->blocks[f->count++] = out;
    return out;
}

/** A block as it is before it is encoded: for tests that change it first. Arrays live in the scratch. */
typedef struct forge_scratch {
    cevm_tx txs[FORGE_TXS];
    uint8_t bytes[FORGE_TXS][FORGE_TX_SIZE];
    cevm_bytes raw[FORGE_TXS];
    cevm_withdrawal withdrawal;
    bool is_merged;
} forge_scratch;

static inline void forge_draft(forge *f, cevm_block *block, forge_scratch *s, const cevm_hash *parent, const recipe *r)
{
    cevm_chain_block on;
    cevm_chain_block ancestor;
    assert_int_equal(cevm_chain_set_head(f->chain, parent), CEVM_OK);
    cevm_chain_head(f->chain, &on);
    for (uint64_t back = 0; back < 256 && back <= on.header->number; ++back) { /* what BLOCKHASH answers here */
        if (cevm_chain_find_number(f->chain, &ancestor, on.header->number - back)) {
            assert_int_equal(cevm_memdb_set_block_hash(f->db, on.header->number - back, &ancestor.hash), CEVM_OK);
        }
    }
    *block = (cevm_block){.ommers = r->ommers, .ommer_count = r->ommer_count};
    forge_header(f, &block->header, &s->is_merged, &on, r);
    block->tx_count = forge_txs(f, s->txs, s->bytes, s->raw, r);
    block->raw_txs = s->raw;
    block->has_withdrawals = block->header.has_withdrawals_root;
    if (block->has_withdrawals && r->withdrawal != 0) {
        s->withdrawal = (cevm_withdrawal){.address = FRIEND, .amount = r->withdrawal};
        block->withdrawals = &s->withdrawal;
        block->withdrawal_count = 1;
    }
    cevm_header *h = &block->header;
    assert_int_equal(cevm_ommers_hash(&h->ommers_hash, block->ommers, block->ommer_count, NULL), CEVM_OK);
    assert_int_equal(cevm_transactions_root(&h->transactions_root, block->raw_txs, block->tx_count, NULL), CEVM_OK);
    assert_int_equal(cevm_withdrawals_root(&h->withdrawals_root, block->withdrawals, block->withdrawal_count, NULL),
                     CEVM_OK);
    forge_execute(f, h, s->is_merged, s->txs, block->tx_count, block);
}

/** Makes a block on one that was made before (or the genesis). It lives as long as the forge. */
static inline const forged *forge_block(forge *f, const cevm_hash *parent, recipe r)
{
    cevm_block block;
    forge_scratch scratch;
    cevm_import_result result;
    forge_draft(f, &block, &scratch, parent, &r);
    const forged *out = forge_keep(f, &block);
    assert_int_equal(cevm_chain_import(f->chain, &result, (cevm_bytes){out->data, out->size}, NULL), CEVM_OK);
    if (result.verdict.error != CEVM_BLOCK_NONE) {
        fail_msg("the forge made a block that is not valid: %s", cevm_block_error_name(result.verdict.error));
    }
    return out;
}

/* ---- The chain under test ---------------------------------------------------------------------------------------- */

typedef struct subject {
    cevm_memdb *db;
    cevm_chain *chain;
} subject;

static inline void subject_open(subject *s, const forge *f, uint32_t history)
{
    s->db = forge_store(NULL);
    assert_non_null(s->db);
    if (history != 0) {
        cevm_memdb_set_history(s->db, history);
    }
    const cevm_chain_options options = {.struct_size = sizeof options,
                                        .config = f->config,
                                        .head = &f->genesis,
                                        .db = cevm_memdb_interface(s->db),
                                        .history = history};
    assert_int_equal(cevm_chain_open(&s->chain, &options), CEVM_OK);
}

static inline void subject_close(subject *s)
{
    cevm_chain_close(s->chain);
    cevm_memdb_destroy(s->db);
}

static inline cevm_import_result subject_import(subject *s, const forged *block)
{
    cevm_import_result result;
    assert_int_equal(cevm_chain_import(s->chain, &result, (cevm_bytes){block->data, block->size}, NULL), CEVM_OK);
    return result;
}

/** The head is this block, and the store holds its state. */
static inline void expect_head(subject *s, const cevm_hash *hash)
{
    cevm_chain_block head;
    cevm_chain_head(s->chain, &head);
    assert_memory_equal(&head.hash, hash, sizeof *hash);
    const cevm_hash root = store_root(s->db);
    assert_memory_equal(&root, &head.header->state_root, sizeof root);
}

/** Imports a block that is valid; whether it becomes the head is told. */
static inline void expect_import(subject *s, const forged *block, bool is_head, uint32_t reorg_depth)
{
    const cevm_import_result r = subject_import(s, block);
    if (r.verdict.error != CEVM_BLOCK_NONE) {
        fail_msg("block %u is refused: %s", (unsigned)r.number, cevm_block_error_name(r.verdict.error));
    }
    assert_false(r.is_known);
    assert_int_equal(r.is_head, is_head);
    assert_int_equal(r.reorg_depth, reorg_depth);
    assert_memory_equal(&r.hash, &block->hash, sizeof r.hash);
}

/** Imports a block that is refused for this reason, and sees that nothing has changed. */
static inline void expect_refusal(subject *s, const forged *block, cevm_block_error error)
{
    cevm_chain_block before;
    cevm_chain_block found;
    cevm_chain_head(s->chain, &before);
    const cevm_hash head = before.hash;
    const cevm_import_result r = subject_import(s, block);
    if (r.verdict.error != error) {
        fail_msg("expected %s, got %s", cevm_block_error_name(error), cevm_block_error_name(r.verdict.error));
    }
    assert_false(r.is_head);
    assert_false(cevm_chain_find(s->chain, &found, &block->hash));
    expect_head(s, &head);
}

#endif
