/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks on the state: one block executed and judged, and the store taken from block to block. */
#include <stddef.h>

#include "chain/chain_internal.h"
#include "chain/prefetch.h"

/*
 * The state caches what it read; it is emptied after this much gas. A cold slot costs 2100 gas, so that the cache holds
 * some hundred thousand entries at most, and an emptied one costs a few reads of the store.
 */
#define CACHE_GAS UINT64_C(200000000)
/* What a block without transactions counts: it touches withdrawals and system contracts. */
#define CACHE_GAS_BLOCK UINT64_C(100000)

enum { GAS_PER_BLOB = 1 << 17 }; /* EIP-4844 */

/* ---- The store's block ------------------------------------------------------------------------------------------- */

static cevm_err begin_block(cevm_chain *chain)
{
    const cevm_err err = chain->db.vtable->begin_block(chain->db.ctx);
    chain->block_open = err == CEVM_OK;
    return err;
}

/* Closes the open block; when not even that can be done, the next call tries again (cevm_chain_settle). */
static cevm_err abandon_block(cevm_chain *chain)
{
    cevm_state_discard(chain->state);
    chain->cached_gas = 0;
    if (!chain->block_open) {
        return CEVM_OK;
    }
    const cevm_err err = chain->db.vtable->end_block(chain->db.ctx, false);
    chain->block_open = err != CEVM_OK;
    return err;
}

/* The receipts of the block that was executed as a list, into chain->receipts. */
static cevm_err list_receipts(cevm_chain *chain)
{
    size_t count = 0;
    cevm_buf *buf = &chain->receipts;
    const cevm_block_receipt *receipts = cevm_execution_receipts(chain->execution, &count);
    cevm_buf_clear(buf);
    const size_t list = cevm_rlp_list_begin(buf);
    for (size_t i = 0; i < count; ++i) {
        const cevm_bytes encoded = receipts[i].encoded;
        if (receipts[i].type == CEVM_TX_LEGACY) {
            cevm_buf_append(buf, encoded.data, encoded.size);
        } else {
            cevm_rlp_put_bytes(buf, encoded.data, encoded.size);
        }
    }
    cevm_rlp_list_end(buf, list);
    return buf->failed ? CEVM_ERR_NOMEM : CEVM_OK;
}

/* Tells a store that wants to know which block this is. */
static cevm_err put_block(cevm_chain *chain, const cevm_chain_node *node)
{
    const cevm_db_vtable *v = chain->db.vtable;
    if (v->struct_size <= offsetof(cevm_db_vtable, put_block) || v->put_block == NULL) {
        return CEVM_OK;
    }
    const cevm_err err = list_receipts(chain);
    const cevm_db_block block = {.number = node->header.number,
                                 .hash = node->hash,
                                 .rlp = {node->rlp, node->rlp_size},
                                 .total_difficulty = node->total_difficulty,
                                 .is_merged = node->is_merged,
                                 .receipts = {chain->receipts.data, chain->receipts.size}};
    return err == CEVM_OK ? v->put_block(chain->db.ctx, &block) : err;
}

static cevm_err keep_block(cevm_chain *chain, uint64_t gas_used)
{
    const cevm_err err = chain->db.vtable->end_block(chain->db.ctx, true);
    if (err != CEVM_OK) {
        return err;
    }
    chain->block_open = false;
    chain->undoable += chain->undoable < chain->history ? 1 : 0;
    chain->cached_gas += gas_used + CACHE_GAS_BLOCK;
    if (chain->cached_gas > CACHE_GAS) {
        cevm_state_discard(chain->state);
        chain->cached_gas = 0;
    }
    return CEVM_OK;
}

/* ---- One block --------------------------------------------------------------------------------------------------- */

static void make_input(cevm_execution_input *out, cevm_ommer_reward rewards[CEVM_MAX_OMMERS], const cevm_chain *chain,
                       const cevm_block *block, bool is_merged)
{
    const cevm_header *header = &block->header;
    const cevm_activation *dao = &chain->config.dao_fork;
    *out = (cevm_execution_input){.struct_size = sizeof *out,
                                  .parent_hash = header->parent_hash,
                                  .parent_beacon_root = header->parent_beacon_root,
                                  .is_dao_fork = dao->kind == CEVM_BY_BLOCK && header->number == dao->at,
                                  .pays_reward = !is_merged,
                                  .ommers = rewards,
                                  .withdrawals = block->withdrawals,
                                  .withdrawal_count = block->withdrawal_count,
                                  .deposit_contract = chain->config.deposit_contract,
                                  .skips_hashes = true};
    cevm_header_env(&out->env, &chain->config, header, is_merged);
    cevm_block_reward(&out->reward, out->env.fork);
    for (; out->ommer_count < block->ommer_count && out->ommer_count < CEVM_MAX_OMMERS; ++out->ommer_count) {
        const cevm_header *ommer = &block->ommers[out->ommer_count];
        rewards[out->ommer_count] = (cevm_ommer_reward){ommer->coinbase, ommer->number};
    }
}

static cevm_err run_txs(const cevm_chain *chain, cevm_execution *execution, cevm_block_verdict *verdict,
                        const cevm_block *block, cevm_fork fork, const cevm_tracer *tracer)
{
    for (size_t i = 0; i < block->tx_count; ++i) {
        cevm_tx_error reason = CEVM_TX_NONE;
        cevm_err err = CEVM_OK;
        if (!block->txs[i]->has_sender) {
            err = cevm_tx_recover_sender(block->txs[i], &reason, fork, chain->allocator);
        }
        if (err == CEVM_OK && reason == CEVM_TX_NONE) {
            err = cevm_execution_tx(execution, NULL, &reason, block->txs[i], tracer);
        }
        if (err != CEVM_OK) {
            return err;
        }
        if (reason != CEVM_TX_NONE) {
            *verdict = (cevm_block_verdict){CEVM_BLOCK_TRANSACTION, reason, i};
            return CEVM_OK;
        }
    }
    return CEVM_OK;
}

/* What is wrong with the header's blob gas. */
static cevm_block_error compare_blobs(const cevm_header *header, uint64_t blob_gas_used, uint64_t max_blobs)
{
    if (!header->has_blob_gas || blob_gas_used == header->blob_gas_used) {
        return CEVM_BLOCK_NONE;
    }
    return header->blob_gas_used / GAS_PER_BLOB > max_blobs ? CEVM_BLOCK_BLOB_GAS_USED_ABOVE_LIMIT
                                                            : CEVM_BLOCK_INCORRECT_BLOB_GAS_USED;
}

/* Compares what the header promised with what came out, all but the state root; geth's order. */
static cevm_block_error compare(const cevm_header *header, const cevm_execution_output *out, uint64_t max_blobs)
{
    const cevm_block_error blobs = compare_blobs(header, out->blob_gas_used, max_blobs);
    if (out->gas_used != header->gas_used) {
        return CEVM_BLOCK_INVALID_GAS_USED;
    }
    if (blobs != CEVM_BLOCK_NONE) {
        return blobs;
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
    return CEVM_BLOCK_NONE;
}

/*
 * Everything between the opening and the closing of the store's block. A verdict that is there already stands unless a
 * transaction turns out to be the reason.
 */
static cevm_err run_block(cevm_chain *chain, cevm_block_verdict *verdict, const cevm_block *block,
                          const cevm_block_env *env, const cevm_tracer *tracer)
{
    cevm_execution *execution = chain->execution;
    cevm_execution_output out;
    cevm_hash root;
    cevm_err err = cevm_execution_begin(execution, tracer);
    if (err == CEVM_OK) {
        err = run_txs(chain, execution, verdict, block, env->fork, tracer);
    }
    if (err == CEVM_OK && verdict->error == CEVM_BLOCK_NONE) {
        err = cevm_execution_end(execution, &out, &verdict->error, tracer);
        if (err == CEVM_OK && verdict->error == CEVM_BLOCK_NONE) {
            verdict->error = compare(&block->header, &out, env->max_blobs);
        }
    }
    if (err != CEVM_OK || verdict->error != CEVM_BLOCK_NONE) {
        return err;
    }
    err = cevm_state_commit(chain->state);
    if (err == CEVM_OK) {
        err = chain->db.vtable->root(chain->db.ctx, &root);
    }
    if (err == CEVM_OK && !cevm_hash_equal(&root, &block->header.state_root)) {
        verdict->error = CEVM_BLOCK_INVALID_STATE_ROOT;
    }
    return err;
}

cevm_err cevm_chain_execute(cevm_chain *chain, cevm_block_verdict *verdict, const cevm_block *block,
                            const cevm_chain_node *node, const cevm_tracer *tracer)
{
    cevm_execution_input input;
    cevm_ommer_reward rewards[CEVM_MAX_OMMERS];
    make_input(&input, rewards, chain, block, node->is_merged);
    cevm_chain_view_rebase(&chain->view, node->parent);
    cevm_err err = chain->execution != NULL
                       ? cevm_execution_restart(chain->execution, &input)
                       : cevm_execution_create(&chain->execution, chain->vm, chain->state, &input, chain->allocator);
    if (err == CEVM_OK) {
        err = begin_block(chain);
    }
    if (err == CEVM_OK) {
        err = cevm_prefetch_block(chain->state, &input, (const cevm_tx *const *)block->txs, block->tx_count,
                                  chain->allocator);
    }
    if (err == CEVM_OK) {
        err = run_block(chain, verdict, block, &input.env, tracer);
    }
    if (err == CEVM_OK && verdict->error == CEVM_BLOCK_NONE) {
        err = put_block(chain, node);
        if (err == CEVM_OK) {
            err = keep_block(chain, block->header.gas_used);
        }
        if (err == CEVM_OK) {
            return CEVM_OK;
        }
    }
    const cevm_err closing = abandon_block(chain);
    return err != CEVM_OK ? err : closing;
}

/* ---- From block to block ----------------------------------------------------------------------------------------- */

/* Executes a block of the tree once more. It was valid, so it has to be valid again. */
static cevm_err replay(cevm_chain *chain, cevm_chain_node *node)
{
    cevm_block *block = NULL;
    cevm_block_verdict verdict = {.error = CEVM_BLOCK_NONE};
    const cevm_bytes rlp = {node->rlp, node->rlp_size};
    cevm_err err = cevm_block_decode(&block, &verdict, rlp, chain->allocator);
    if (err == CEVM_OK) {
        err = cevm_chain_execute(chain, &verdict, block, node, NULL);
        if (err == CEVM_OK && verdict.error != CEVM_BLOCK_NONE) {
            err = CEVM_ERR_BACKEND; /* the store does not hold what it held */
        }
        cevm_block_destroy(block, chain->allocator);
    }
    if (err == CEVM_OK) {
        chain->at = node;
    }
    return err == CEVM_ERR_ENCODING ? CEVM_ERR_BACKEND : err;
}

static cevm_err undo_to(cevm_chain *chain, const cevm_chain_node *ancestor)
{
    if (chain->at == ancestor) {
        return CEVM_OK;
    }
    if (chain->db.vtable->undo_block == NULL) {
        return CEVM_ERR_ARGUMENT;
    }
    cevm_state_discard(chain->state);
    chain->cached_gas = 0;
    while (chain->at != ancestor) {
        const cevm_err err = chain->db.vtable->undo_block(chain->db.ctx);
        if (err != CEVM_OK) {
            return err;
        }
        chain->at = chain->at->parent;
        chain->undoable--;
    }
    return CEVM_OK;
}

bool cevm_chain_can_reach(const cevm_chain *chain, const cevm_chain_node *target)
{
    const cevm_chain_node *fork_point = cevm_chain_common(chain->head, target);
    if (target == chain->head) {
        return true;
    }
    return fork_point != NULL && chain->head->header.number - fork_point->header.number <= chain->undoable &&
           target->header.number - fork_point->header.number < chain->history;
}

cevm_err cevm_chain_move(cevm_chain *chain, cevm_chain_node *target)
{
    cevm_chain_node *ancestor = cevm_chain_common(chain->at, target);
    size_t steps = 0;
    if (ancestor == NULL || chain->at->header.number - ancestor->header.number > chain->undoable) {
        return CEVM_ERR_ARGUMENT;
    }
    for (cevm_chain_node *node = target; node != ancestor; node = node->parent) {
        if (steps > chain->history || node->rlp_size == 0) {
            return CEVM_ERR_ARGUMENT;
        }
        chain->path[steps++] = node;
    }
    cevm_err err = undo_to(chain, ancestor);
    while (err == CEVM_OK && steps > 0) {
        err = replay(chain, chain->path[--steps]);
    }
    return err;
}

cevm_err cevm_chain_begin_move(cevm_chain *chain)
{
    const cevm_db_vtable *v = chain->db.vtable;
    if (v->struct_size <= offsetof(cevm_db_vtable, end_move) || v->begin_move == NULL || v->end_move == NULL) {
        return CEVM_OK;
    }
    const cevm_err err = v->begin_move(chain->db.ctx);
    chain->move_open = err == CEVM_OK;
    chain->undoable_before_move = chain->undoable;
    return err;
}

/* The chain after a move that was not kept. */
static void forget_move(cevm_chain *chain)
{
    chain->move_open = false;
    chain->block_open = false; /* it went with the move */
    chain->at = chain->head;
    chain->undoable = chain->undoable_before_move;
    cevm_state_discard(chain->state);
    chain->cached_gas = 0;
}

cevm_err cevm_chain_keep_move(cevm_chain *chain)
{
    if (!chain->move_open) {
        return CEVM_OK;
    }
    const cevm_err err = chain->db.vtable->end_move(chain->db.ctx, true);
    chain->move_open = false;
    if (err != CEVM_OK) {
        forget_move(chain);
    }
    return err;
}

void cevm_chain_drop_move(cevm_chain *chain)
{
    if (chain->move_open) {
        (void)chain->db.vtable->end_move(chain->db.ctx, false);
        forget_move(chain);
    }
}

cevm_err cevm_chain_settle(cevm_chain *chain)
{
    cevm_err err = CEVM_OK;
    cevm_chain_drop_move(chain);
    if (chain->block_open) {
        err = abandon_block(chain);
    }
    if (err == CEVM_OK && chain->at != chain->head) {
        err = cevm_chain_move(chain, chain->head);
    }
    if (err == CEVM_OK && chain->stray != NULL) {
        cevm_chain_drop_node(chain, chain->stray);
        chain->stray = NULL;
    }
    return err;
}

cevm_err cevm_chain_recover(cevm_chain *chain)
{
    const bool astray = chain->block_open || chain->at != chain->head;
    const cevm_err err = cevm_chain_settle(chain);
    if (astray && err == CEVM_OK) {
        cevm_chain_log_recovered(chain);
    }
    return err;
}
