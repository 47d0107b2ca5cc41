/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A block on its way into the chain: what is checked, in which order, and which block is the head afterwards. Before the
 * merge (EIP-3675) total difficulty decides, after it the caller.
 */
#include "chain/chain_internal.h"
#include "evm/u256.h"

/** Whether the child of a block is past the merge (EIP-3675). */
static bool child_is_merged(const cevm_chain *chain, const cevm_chain_node *parent, uint64_t number, uint64_t timestamp)
{
    const cevm_activation *merge = &chain->config.forks[CEVM_PARIS];
    if (merge->kind == CEVM_BY_TOTAL_DIFFICULTY) {
        return parent->is_merged || !u256_lt(&parent->total_difficulty, &chain->config.terminal_total_difficulty);
    }
    return parent->is_merged || cevm_is_active(merge, number, timestamp);
}

/* ---- Checks without the state ------------------------------------------------------------------------------------ */

cevm_err cevm_chain_check_seal(cevm_chain *chain, cevm_block_error *reason, const cevm_header *header)
{
    bool valid = true;
    cevm_err err = CEVM_OK;
    if (chain->config.checks_seal) {
        if (chain->ethash == NULL) {
            err = cevm_ethash_create(&chain->own_ethash, chain->allocator);
            chain->ethash = chain->own_ethash;
        }
        if (err == CEVM_OK) {
            err = cevm_ethash_verify(chain->ethash, &valid, header);
        }
    }
    *reason = valid ? CEVM_BLOCK_NONE : CEVM_BLOCK_INVALID_SEAL;
    return err;
}

/* The header: against its parent, and its seal. */
static cevm_err check_header(cevm_chain *chain, cevm_block_error *reason, const cevm_block *block,
                             const cevm_chain_node *parent, bool is_merged)
{
    const cevm_fork fork = cevm_chain_fork(&chain->config, block->header.number, block->header.timestamp, is_merged);
    *reason = CEVM_BLOCK_NONE;
    if (!cevm_block_size_is_valid(fork, block->rlp_size)) {
        *reason = CEVM_BLOCK_RLP_BLOCK_LIMIT_EXCEEDED;
        return CEVM_OK;
    }
    cevm_header_check(reason, &chain->config, &block->header, &parent->header, is_merged);
    if (*reason != CEVM_BLOCK_NONE || is_merged) {
        return CEVM_OK;
    }
    return cevm_chain_check_seal(chain, reason, &block->header);
}

/* The body against the roots in the header. */
static cevm_err check_body(const cevm_chain *chain, cevm_block_error *reason, const cevm_block *block)
{
    const cevm_header *header = &block->header;
    cevm_hash hash;
    *reason = CEVM_BLOCK_NONE;
    cevm_err err = cevm_ommers_hash(&hash, block->ommers, block->ommer_count, chain->allocator);
    if (err != CEVM_OK || !cevm_hash_equal(&hash, &header->ommers_hash)) {
        *reason = CEVM_BLOCK_INVALID_UNCLES_HASH;
        return err;
    }
    if (block->has_withdrawals != header->has_withdrawals_root) {
        *reason = CEVM_BLOCK_INCORRECT_BLOCK_FORMAT;
        return CEVM_OK;
    }
    if (block->has_withdrawals) {
        err = cevm_withdrawals_root(&hash, block->withdrawals, block->withdrawal_count, chain->allocator);
        if (err != CEVM_OK || !cevm_hash_equal(&hash, &header->withdrawals_root)) {
            *reason = CEVM_BLOCK_INVALID_WITHDRAWALS_ROOT;
        }
    }
    return err;
}

/*
 * The transactions root comes last, as in the executable specification, where it is compared after execution: a
 * transaction that is not valid is a better reason, so such a block is executed as far as that.
 */
static cevm_err check_transactions_root(const cevm_chain *chain, cevm_block_error *reason, const cevm_block *block)
{
    cevm_hash hash;
    const cevm_err err = cevm_transactions_root(&hash, block->raw_txs, block->tx_count, chain->allocator);
    *reason = err == CEVM_OK && cevm_hash_equal(&hash, &block->header.transactions_root)
                  ? CEVM_BLOCK_NONE
                  : CEVM_BLOCK_INVALID_TRANSACTIONS_ROOT;
    return err;
}

static cevm_err check(cevm_chain *chain, cevm_block_error *reason, const cevm_block *block,
                      const cevm_chain_node *parent, bool is_merged)
{
    cevm_err err = check_header(chain, reason, block, parent, is_merged);
    if (err == CEVM_OK && *reason == CEVM_BLOCK_NONE) {
        err = cevm_chain_check_ommers(chain, reason, block, parent, is_merged);
    }
    if (err == CEVM_OK && *reason == CEVM_BLOCK_NONE) {
        err = check_body(chain, reason, block);
    }
    return err;
}

/* The parent, if blocks can be put on it. The store must be able to go there and come back. */
static cevm_chain_node *find_parent(const cevm_chain *chain, cevm_block_error *reason, const cevm_block *block)
{
    static const cevm_hash zero = {{0}};
    cevm_chain_node *parent = cevm_chain_find_node(chain, &block->header.parent_hash);
    *reason =
        cevm_hash_equal(&block->header.parent_hash, &zero) ? CEVM_BLOCK_UNKNOWN_PARENT_ZERO : CEVM_BLOCK_UNKNOWN_PARENT;
    if (parent == NULL) {
        return NULL;
    }
    if (!cevm_chain_can_reach(chain, parent)) {
        return NULL;
    }
    *reason = CEVM_BLOCK_NONE;
    return parent;
}

/* ---- The head ---------------------------------------------------------------------------------------------------- */

static bool becomes_head(const cevm_chain *chain, const cevm_chain_node *node)
{
    if (node->is_merged) {
        return node->parent == chain->head;
    }
    return !chain->head->is_merged && u256_gt(&node->total_difficulty, &chain->head->total_difficulty);
}

/* The block on which the store stands becomes the head. */
static void add_head(cevm_chain *chain, cevm_import_result *out, cevm_chain_node *node)
{
    const cevm_chain_node *fork_point = cevm_chain_common(chain->head, node);
    out->is_head = true;
    cevm_chain_log_head(chain, node);
    out->reorg_depth = (uint32_t)(chain->head->header.number - fork_point->header.number);
    cevm_chain_add_node(chain, node);
    chain->head = node;
    cevm_chain_prune(chain);
}

/* The block on which the store stands is one of another branch: it is in the tree when the store is back at the head. */
static cevm_err add_side(cevm_chain *chain, cevm_chain_node *node)
{
    chain->stray = node;
    cevm_chain_drop_move(chain);
    const cevm_err err = cevm_chain_move(chain, chain->head);
    if (err != CEVM_OK) {
        return err;
    }
    chain->stray = NULL;
    cevm_chain_add_node(chain, node);
    cevm_chain_prune(chain);
    return CEVM_OK;
}

/* ---- The whole way ----------------------------------------------------------------------------------------------- */

static cevm_err execute_and_add(cevm_chain *chain, cevm_import_result *out, const cevm_block *block, cevm_bytes rlp,
                                cevm_chain_node *parent, bool is_merged, const cevm_tracer *tracer)
{
    cevm_chain_node *node = NULL;
    cevm_err err = cevm_chain_make_node(chain, &node, block, rlp);
    if (err != CEVM_OK) {
        return err;
    }
    node->parent = parent;
    node->is_merged = is_merged;
    node->total_difficulty = u256_add(&parent->total_difficulty, &block->header.difficulty);
    if (parent != chain->head) {
        err = cevm_chain_begin_move(chain);
    }
    if (err == CEVM_OK) {
        err = cevm_chain_move(chain, parent);
    }
    if (err == CEVM_OK) {
        err = cevm_chain_execute(chain, &out->verdict, block, node, tracer);
    }
    if (err == CEVM_OK && out->verdict.error == CEVM_BLOCK_NONE) {
        chain->at = node;
        if (!becomes_head(chain, node)) {
            out->gas_used = block->header.gas_used;
            return add_side(chain, node);
        }
        err = cevm_chain_keep_move(chain);
    }
    if (err != CEVM_OK || out->verdict.error != CEVM_BLOCK_NONE) {
        cevm_chain_drop_node(chain, node);
        const cevm_err back = cevm_chain_settle(chain);
        return err != CEVM_OK ? err : back;
    }
    out->gas_used = block->header.gas_used;
    add_head(chain, out, node);
    return CEVM_OK;
}

static cevm_err import_block(cevm_chain *chain, cevm_import_result *out, const cevm_block *block, cevm_bytes rlp,
                             const cevm_tracer *tracer)
{
    out->hash = block->hash;
    out->number = block->header.number;
    out->tx_count = block->tx_count;
    if (cevm_chain_find_node(chain, &block->hash) != NULL) {
        out->is_known = true;
        out->is_head = cevm_hash_equal(&block->hash, &chain->head->hash);
        return CEVM_OK;
    }
    cevm_chain_node *parent = find_parent(chain, &out->verdict.error, block);
    if (parent == NULL) {
        return CEVM_OK;
    }
    const bool is_merged = child_is_merged(chain, parent, block->header.number, block->header.timestamp);
    cevm_err err = check(chain, &out->verdict.error, block, parent, is_merged);
    if (err != CEVM_OK || out->verdict.error != CEVM_BLOCK_NONE) {
        return err;
    }
    err = check_transactions_root(chain, &out->verdict.error, block);
    if (err != CEVM_OK) {
        return err;
    }
    return execute_and_add(chain, out, block, rlp, parent, is_merged, tracer);
}

/* What every import begins with. */
static cevm_err begin(cevm_chain *chain, cevm_import_result *out)
{
    *out = (cevm_import_result){.verdict = {.error = CEVM_BLOCK_NONE}};
    cevm_chain_close_past(chain);
    return cevm_chain_recover(chain);
}

/* What every import ends with. */
static cevm_err finish(const cevm_chain *chain, const cevm_import_result *out, cevm_err err)
{
    if (err == CEVM_OK) {
        cevm_chain_log_import(chain, out);
    }
    return err;
}

cevm_err cevm_chain_import_block(cevm_chain *chain, cevm_import_result *out, const cevm_block *block, cevm_bytes rlp,
                                 const cevm_tracer *tracer)
{
    const cevm_err err = begin(chain, out);
    return err == CEVM_OK ? finish(chain, out, import_block(chain, out, block, rlp, tracer)) : err;
}

cevm_err cevm_chain_import(cevm_chain *chain, cevm_import_result *out, cevm_bytes rlp, const cevm_tracer *tracer)
{
    cevm_block *block = NULL;
    cevm_err err = begin(chain, out);
    if (err != CEVM_OK) {
        return err;
    }
    err = cevm_block_decode(&block, &out->verdict, rlp, chain->allocator);
    if (err == CEVM_OK) {
        err = import_block(chain, out, block, rlp, tracer);
        cevm_block_destroy(block, chain->allocator);
    }
    return finish(chain, out,
                  err == CEVM_ERR_ENCODING ? CEVM_OK : err); /* the verdict says what is wrong with the bytes */
}
