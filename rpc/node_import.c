/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks from a file of RLP, one after the other, each on the head: checked as cevm_chain_import checks them (header against
 * parent, ommers, body, execution, roots), but for the seal.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cevm/alloc.h>

#include "evm/u256.h"
#include "rpc/node_internal.h"

enum { MAX_OMMERS = 2, OMMER_GENERATIONS = 7, GAS_PER_BLOB = 1 << 17 };

/** One block on its way in. */
typedef struct import {
    cevm_node *node;
    cevm_world *draft;
    cevm_block *block;
    cevm_block_verdict verdict;
    bool is_merged;
    cevm_execution_input input;
    cevm_ommer_reward rewards[MAX_OMMERS];
} import;

/* ---- Ommers (Yellow Paper, 11.1) ------------------------------------------------------------------------------------ */

/** The ancestor of the block so many generations back, its parent being 1; NULL when there is none. */
static const cevm_record *ancestor(const import *im, uint64_t back)
{
    const uint64_t number = im->block->header.number;
    return number >= back + im->draft->first ? cevm_world_block(im->draft, number - back) : NULL;
}

static cevm_err is_used(bool *out, const import *im, const cevm_hash *hash)
{
    cevm_err err = CEVM_OK;
    *out = false;
    for (uint64_t back = 1; err == CEVM_OK && back <= OMMER_GENERATIONS && ancestor(im, back) != NULL; ++back) {
        const cevm_block *block = &ancestor(im, back)->block;
        for (size_t i = 0; err == CEVM_OK && i < block->ommer_count; ++i) {
            cevm_hash other;
            err = cevm_header_hash(&other, &block->ommers[i], im->node->allocator);
            *out = *out || cevm_hash_equal(&other, hash);
        }
    }
    return err;
}

static cevm_err check_ommer(import *im, const cevm_header *ommer, const cevm_hash *hash)
{
    const cevm_record *parent = NULL;
    bool is_ancestor = false;
    bool used = false;
    const cevm_err err = is_used(&used, im, hash);
    for (uint64_t back = 1; back <= OMMER_GENERATIONS && ancestor(im, back) != NULL; ++back) {
        const cevm_record *record = ancestor(im, back);
        is_ancestor = is_ancestor || cevm_hash_equal(&record->block.hash, hash);
        parent = cevm_hash_equal(&record->block.hash, &ommer->parent_hash) ? record : parent;
    }
    if (used) {
        im->verdict.error = CEVM_BLOCK_UNCLE_IN_CHAIN;
    } else if (is_ancestor) {
        im->verdict.error = CEVM_BLOCK_UNCLE_IS_ANCESTOR;
    } else if (parent == NULL) {
        im->verdict.error = CEVM_BLOCK_UNCLE_PARENT_INCORRECT;
    } else if (parent == im->draft->head) {
        im->verdict.error = CEVM_BLOCK_UNCLE_IS_BROTHER;
    } else {
        cevm_header_check(&im->verdict.error, &im->draft->settings.config, ommer, &parent->block.header, false);
    }
    return err;
}

static cevm_err check_ommers(import *im)
{
    const cevm_block *block = im->block;
    cevm_hash hashes[MAX_OMMERS];
    if (block->ommer_count > (im->is_merged ? 0 : MAX_OMMERS)) {
        im->verdict.error = CEVM_BLOCK_TOO_MANY_UNCLES;
        return CEVM_OK;
    }
    for (size_t i = 0; i < block->ommer_count && im->verdict.error == CEVM_BLOCK_NONE; ++i) {
        cevm_err err = cevm_header_hash(&hashes[i], &block->ommers[i], im->node->allocator);
        if (err == CEVM_OK && i > 0 && cevm_hash_equal(&hashes[0], &hashes[i])) {
            im->verdict.error = CEVM_BLOCK_UNCLE_TWICE;
            return CEVM_OK;
        }
        if (err == CEVM_OK) {
            err = check_ommer(im, &block->ommers[i], &hashes[i]);
        }
        if (err != CEVM_OK) {
            return err;
        }
        im->rewards[i] = (cevm_ommer_reward){block->ommers[i].coinbase, block->ommers[i].number};
    }
    im->input.ommers = im->rewards;
    im->input.ommer_count = block->ommer_count;
    return CEVM_OK;
}

/* ---- Header and body ------------------------------------------------------------------------------------------------ */

static cevm_err check_body(import *im)
{
    const cevm_block *block = im->block;
    const cevm_header *header = &block->header;
    const cevm_allocator *allocator = im->node->allocator;
    cevm_hash hash;
    cevm_err err = cevm_ommers_hash(&hash, block->ommers, block->ommer_count, allocator);
    if (err == CEVM_OK && !cevm_hash_equal(&hash, &header->ommers_hash)) {
        im->verdict.error = CEVM_BLOCK_INVALID_UNCLES_HASH;
    }
    if (block->has_withdrawals != header->has_withdrawals_root) {
        im->verdict.error = CEVM_BLOCK_INCORRECT_BLOCK_FORMAT;
    }
    if (err == CEVM_OK && im->verdict.error == CEVM_BLOCK_NONE && block->has_withdrawals) {
        err = cevm_withdrawals_root(&hash, block->withdrawals, block->withdrawal_count, allocator);
        if (err == CEVM_OK && !cevm_hash_equal(&hash, &header->withdrawals_root)) {
            im->verdict.error = CEVM_BLOCK_INVALID_WITHDRAWALS_ROOT;
        }
    }
    if (err == CEVM_OK && im->verdict.error == CEVM_BLOCK_NONE) {
        err = cevm_transactions_root(&hash, block->raw_txs, block->tx_count, allocator);
        if (err == CEVM_OK && !cevm_hash_equal(&hash, &header->transactions_root)) {
            im->verdict.error = CEVM_BLOCK_INVALID_TRANSACTIONS_ROOT;
        }
    }
    return err;
}

static cevm_err check_block(import *im)
{
    const cevm_chain_config *config = &im->draft->settings.config;
    const cevm_header *header = &im->block->header;
    const cevm_record *parent = im->draft->head;
    if (!cevm_hash_equal(&header->parent_hash, &parent->block.hash)) {
        im->verdict.error = CEVM_BLOCK_UNKNOWN_PARENT;
        return CEVM_OK;
    }
    im->is_merged = cevm_world_child_is_merged(config, parent, header->number, header->timestamp);
    cevm_node_input(&im->input, config, header, im->is_merged);
    im->input.withdrawals = im->block->withdrawals;
    im->input.withdrawal_count = im->block->withdrawal_count;
    if (!cevm_block_size_is_valid(im->input.env.fork, im->block->rlp_size)) {
        im->verdict.error = CEVM_BLOCK_RLP_BLOCK_LIMIT_EXCEEDED;
        return CEVM_OK;
    }
    cevm_header_check(&im->verdict.error, config, header, &parent->block.header, im->is_merged);
    cevm_err err = CEVM_OK;
    if (im->verdict.error == CEVM_BLOCK_NONE) {
        err = check_ommers(im);
    }
    if (err == CEVM_OK && im->verdict.error == CEVM_BLOCK_NONE) {
        err = check_body(im);
    }
    return err;
}

/* ---- Execution ------------------------------------------------------------------------------------------------------ */

static cevm_err run_txs(import *im)
{
    cevm_err err = CEVM_OK;
    for (size_t i = 0; err == CEVM_OK && im->verdict.error == CEVM_BLOCK_NONE && i < im->block->tx_count; ++i) {
        cevm_tx_error reason = CEVM_TX_NONE;
        err = cevm_tx_recover_sender(im->block->txs[i], &reason, im->input.env.fork, im->node->allocator);
        if (err == CEVM_OK && reason == CEVM_TX_NONE) {
            err = cevm_execution_tx(im->node->engine.execution, NULL, &reason, im->block->txs[i], NULL);
        }
        if (err == CEVM_OK && reason != CEVM_TX_NONE) {
            im->verdict = (cevm_block_verdict){CEVM_BLOCK_TRANSACTION, reason, i};
        }
    }
    return err;
}

static cevm_block_error compare(const cevm_header *header, const cevm_execution_output *out, const cevm_hash *root,
                                uint64_t max_blobs)
{
    if (out->gas_used != header->gas_used) {
        return CEVM_BLOCK_INVALID_GAS_USED;
    }
    if (header->has_blob_gas && out->blob_gas_used != header->blob_gas_used) {
        return header->blob_gas_used / GAS_PER_BLOB > max_blobs ? CEVM_BLOCK_BLOB_GAS_USED_ABOVE_LIMIT
                                                                : CEVM_BLOCK_INCORRECT_BLOB_GAS_USED;
    }
    if (memcmp(out->logs_bloom.bytes, header->logs_bloom.bytes, sizeof out->logs_bloom.bytes) != 0) {
        return CEVM_BLOCK_INVALID_LOG_BLOOM;
    }
    if (!cevm_hash_equal(&out->receipts_root, &header->receipts_root)) {
        return CEVM_BLOCK_INVALID_RECEIPTS_ROOT;
    }
    if (out->has_requests && !cevm_hash_equal(&out->requests_hash, &header->requests_hash)) {
        return CEVM_BLOCK_INVALID_REQUESTS;
    }
    return cevm_hash_equal(root, &header->state_root) ? CEVM_BLOCK_NONE : CEVM_BLOCK_INVALID_STATE_ROOT;
}

/** The block becomes the draft's head; `im->block` is then the record's. */
static cevm_err keep(import *im, cevm_tree *state)
{
    cevm_record *record = NULL;
    size_t count = 0;
    const cevm_record_parts parts = {.header = &im->block->header,
                                     .decoded = im->block,
                                     .receipts = cevm_execution_receipts(im->node->engine.execution, &count),
                                     .env = im->input.env,
                                     .total_difficulty =
                                         u256_add(&im->draft->head->total_difficulty, &im->block->header.difficulty),
                                     .is_merged = im->is_merged,
                                     .state = state,
                                     .before = im->draft->state};
    cevm_err err = cevm_record_create(&record, &parts, im->node->allocator);
    if (err == CEVM_OK) {
        im->block = NULL;
        err = cevm_world_append(im->draft, record);
    }
    cevm_record_release(record);
    return err;
}

static cevm_err execute(import *im)
{
    cevm_execution_output out;
    cevm_tree *state = NULL;
    cevm_hash root;
    cevm_err err = cevm_node_engine_begin(im->node, im->draft, &im->input);
    if (err == CEVM_OK) {
        err = run_txs(im);
    }
    if (err == CEVM_OK && im->verdict.error == CEVM_BLOCK_NONE) {
        err = cevm_node_engine_end(im->node, &out, &im->verdict.error, &state, &root);
    }
    if (err == CEVM_OK && im->verdict.error == CEVM_BLOCK_NONE) {
        im->verdict.error = compare(&im->block->header, &out, &root, im->input.env.max_blobs);
    }
    if (err == CEVM_OK && im->verdict.error == CEVM_BLOCK_NONE) {
        err = keep(im, state);
    }
    cevm_tree_release(state);
    if (err != CEVM_OK || im->verdict.error != CEVM_BLOCK_NONE) {
        cevm_node_engine_abandon(im->node);
    }
    return err;
}

/* ---- The file ------------------------------------------------------------------------------------------------------- */

static bool say_verdict(cevm_node_error *error, const import *im, const char *path, uint64_t index)
{
    const bool is_tx = im->verdict.error == CEVM_BLOCK_TRANSACTION;
    return cevm_node_say(error, cevm_block_error_rpc_code(im->verdict.error), "%s: block %llu of the file: %s%s%s",
                         path, (unsigned long long)index, cevm_block_error_string(im->verdict.error), is_tx ? ": " : "",
                         is_tx ? cevm_tx_error_string(im->verdict.tx_error) : "");
}

static bool import_one(cevm_node *node, cevm_node_error *error, cevm_world *draft, cevm_bytes rlp, const char *path,
                       uint64_t index)
{
import im = {.node = node, .draft = draft };
    cevm_err err = cevm_block_decode(&im.block, &im.verdict, rlp, node->allocator);
    const bool known = err == CEVM_OK && cevm_world_block_by_hash(draft, &im.block->hash) != NULL;
    if (err == CEVM_OK && !known) {
        err = check_block(&im);
    }
    if (err == CEVM_OK && !known && im.verdict.error == CEVM_BLOCK_NONE) {
        err = execute(&im);
    }
    if (im.block != NULL) {
        cevm_block_destroy(im.block, node->allocator);
    }
    if (im.verdict.error != CEVM_BLOCK_NONE) {
        return say_verdict(error, &im, path, index);
    }
    return err == CEVM_OK || cevm_node_say_err(error, err);
}

static bool import_all(cevm_node *node, cevm_node_error *error, cevm_world *draft, cevm_bytes rest, const char *path)
{
    for (uint64_t index = 0; rest.size != 0; ++index) {
        cevm_rlp_item item;
        if (!cevm_rlp_next(&rest, &item)) {
            return cevm_node_say(error, 0, "%s: block %llu of the file is cut short or no RLP", path,
                                 (unsigned long long)index);
        }
        if (!import_one(node, error, draft, item.whole, path, index)) {
            return false;
        }
    }
    draft->settings.gas_limit = draft->head->block.header.gas_limit;
    return true;
}

bool cevm_node_import(cevm_node *node, cevm_node_error *error, cevm_world *draft, const char *path)
{
    struct stat info;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0 || info.st_size < 0) {
        const int reason = errno;
        if (fd >= 0) {
            (void)close(fd);
        }
        return cevm_node_say(error, 0, "%s: %s", path, strerror(reason));
    }
    bool ok = true;
    if (info.st_size > 0) {
        void *data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        ok = data != MAP_FAILED || cevm_node_say(error, 0, "%s: %s", path, strerror(errno));
        if (ok) {
            ok = import_all(node, error, draft, (cevm_bytes){data, (size_t)info.st_size}, path);
            (void)munmap(data, (size_t)info.st_size);
        }
    }
    (void)close(fd);
    return ok;
}
