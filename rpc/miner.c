/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks out of the pool. Of each sender the transactions go in the order of their nonces; among senders the one whose next
 * transaction pays most (or came first) is served first. What cannot run yet waits; what the sender can no longer pay for when
 * the block is done leaves, as in geth's pool.
 */
#include <cevm/alloc.h>

#include "chain/validate.h"
#include "evm/u256.h"
#include "rpc/node_internal.h"
#include "state/map.h"

/** One block on its way. */
typedef struct job {
    cevm_node *node;
    cevm_node_error *error;
    cevm_world *draft;
    const cevm_mine_plan *plan;
    cevm_header header;
    bool is_merged;
    cevm_execution_input input;
    cevm_pooled **candidates; /* the pool by sender and nonce; held */
    size_t candidate_count;
    size_t *heap; /* indices of candidates: of each sender the next one, the best on top */
    size_t heap_size;
    cevm_pooled **refused; /* never to run: they leave the pool; at most one a candidate */
    size_t refused_count;
    bool is_full; /* something would have run in a larger block */
} job;

/* ---- Candidates ---------------------------------------------------------------------------------------------------- */

static bool gather_one(void *user, const cevm_hash *key, cevm_ref *value)
{
    job *j = user;
    (void)key;
    cevm_ref_retain(value);
    j->candidates[j->candidate_count++] = (cevm_pooled *)(void *)value;
    return true;
}

/** What a transaction leaves the coinbase of each gas; nothing when it does not even pay the base fee. */
static cevm_u256 tip_of(const job *j, const cevm_tx *tx)
{
    const cevm_u256 price = cevm_tx_effective_price(tx, &j->input.env);
    return u256_lt(&price, &j->input.env.base_fee) ? cevm_u256_from_u64(0) : u256_sub(&price, &j->input.env.base_fee);
}

static bool is_better(const job *j, size_t a, size_t b)
{
    const cevm_pooled *x = j->candidates[a];
    const cevm_pooled *y = j->candidates[b];
    if (j->draft->settings.order == CEVM_ORDER_FEES) {
        const cevm_u256 left = tip_of(j, x->tx);
        const cevm_u256 right = tip_of(j, y->tx);
        const int order = u256_cmp(&left, &right);
        if (order != 0) {
            return order > 0;
        }
    }
    return x->sequence < y->sequence;
}

static void sift_down(job *j, size_t at)
{
    for (size_t child = 2 * at + 1; child < j->heap_size; child = 2 * at + 1) {
        if (child + 1 < j->heap_size && is_better(j, j->heap[child + 1], j->heap[child])) {
            ++child;
        }
        if (!is_better(j, j->heap[child], j->heap[at])) {
            return;
        }
        const size_t moved = j->heap[at];
        j->heap[at] = j->heap[child];
        j->heap[child] = moved;
        at = child;
    }
}

static bool same_sender(const job *j, size_t a, size_t b)
{
    return cevm_address_equal(&j->candidates[a]->tx->sender, &j->candidates[b]->tx->sender);
}

/** Puts the first transaction of each sender on the heap. Those whose nonce has been used cannot be there. */
static cevm_err fill_heap(job *j)
{
    for (size_t i = 0; i < j->candidate_count; ++i) {
        cevm_account_info account;
        if (i > 0 && same_sender(j, i - 1, i)) {
            continue;
        }
        const cevm_err err = cevm_state_get_account(j->node->engine.state, &account, &j->candidates[i]->tx->sender);
        if (err != CEVM_OK) {
            return err;
        }
        size_t first = i;
        while (first < j->candidate_count && same_sender(j, i, first) &&
               j->candidates[first]->tx->nonce < account.nonce) {
            j->refused[j->refused_count++] = j->candidates[first++];
        }
        if (first < j->candidate_count && same_sender(j, i, first) &&
            j->candidates[first]->tx->nonce == account.nonce) {
            j->heap[j->heap_size++] = first;
        }
    }
    for (size_t i = j->heap_size / 2; i-- > 0;) {
        sift_down(j, i);
    }
    return CEVM_OK;
}

static cevm_err gather(job *j)
{
    const size_t count = j->draft->pool.count;
    if (count == 0) {
        return CEVM_OK;
    }
    const cevm_allocator *allocator = j->node->allocator;
    j->candidates = cevm_resize_array(allocator, NULL, count, sizeof(cevm_pooled *));
    j->refused = cevm_resize_array(allocator, NULL, count, sizeof(cevm_pooled *));
    j->heap = cevm_resize_array(allocator, NULL, count, sizeof *j->heap);
    if (j->candidates == NULL || j->refused == NULL || j->heap == NULL) {
        return CEVM_ERR_NOMEM;
    }
    cevm_pmap_for_each(&j->draft->pool, gather_one, j);
    cevm_pooled_sort(j->candidates, j->candidate_count);
    return fill_heap(j);
}

static void free_job(job *j)
{
    for (size_t i = 0; i < j->candidate_count; ++i) {
        cevm_pooled_release(j->candidates[i]);
    }
    cevm_free(j->node->allocator, (void *)j->candidates);
    cevm_free(j->node->allocator, (void *)j->refused);
    cevm_free(j->node->allocator, j->heap);
}

/* ---- Transactions -------------------------------------------------------------------------------------------------- */

/** Makes room in the lists of what is in the block. */
static cevm_err reserve(cevm_node *node)
{
    cevm_node_engine *e = &node->engine;
    cevm_bytes *outputs =
        cevm_array_reserve(node->allocator, e->output_list, &e->output_capacity, e->output_count, 1, sizeof *outputs);
    if (outputs == NULL) {
        return CEVM_ERR_NOMEM;
    }
    e->output_list = outputs;
    cevm_pooled **included = cevm_array_reserve(node->allocator, (void *)e->included, &e->included_capacity,
                                                e->included_count, 1, sizeof *included);
    if (included == NULL) {
        return CEVM_ERR_NOMEM;
    }
    e->included = included;
    return CEVM_OK;
}

static cevm_err run_tx(job *j, cevm_pooled *pooled, cevm_tx_error *reason)
{
    cevm_node_engine *e = &j->node->engine;
    cevm_receipt receipt;
    cevm_err err = reserve(j->node);
    if (err == CEVM_OK) {
        err = cevm_execution_tx(e->execution, &receipt, reason, pooled->tx, NULL);
    }
    if (err != CEVM_OK || *reason != CEVM_TX_NONE) {
        return err;
    }
    cevm_buf_append(&e->outputs, receipt.output.data, receipt.output.size);
    e->output_list[e->output_count++] = (cevm_bytes){NULL, receipt.output.size}; /* the buffer may still move */
    e->included[e->included_count++] = pooled;
    return e->outputs.failed ? CEVM_ERR_NOMEM : CEVM_OK;
}

/** Whether a transaction refused for this reason can do better in a later block. */
static bool can_wait(cevm_tx_error reason)
{
    switch ((int)reason) {
    case CEVM_TX_GAS_ALLOWANCE_EXCEEDED:
    case CEVM_TX_TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED:
    case CEVM_TX_INSUFFICIENT_MAX_FEE_PER_GAS:
    case CEVM_TX_INSUFFICIENT_MAX_FEE_PER_BLOB_GAS:
    case CEVM_TX_INSUFFICIENT_ACCOUNT_FUNDS:
    case CEVM_TX_NONCE_MISMATCH_TOO_HIGH: return true;
    default: return false;
    }
}

static bool refuse(job *j, const cevm_pooled *pooled, cevm_tx_error reason)
{
    return cevm_node_say(j->error, cevm_tx_error_rpc_code(reason), "%s", cevm_tx_error_string(reason)) &&
           pooled != NULL;
}

/** Runs what is best until nothing is left that fits. */
static bool run_pool(job *j)
{
    cevm_err err = CEVM_OK;
    while (err == CEVM_OK && j->heap_size > 0) {
        const size_t best = j->heap[0];
        cevm_pooled *pooled = j->candidates[best];
        cevm_tx_error reason = CEVM_TX_NONE;
        err = run_tx(j, pooled, &reason);
        if (err == CEVM_OK && reason != CEVM_TX_NONE && !can_wait(reason)) {
            if (pooled == j->plan->wanted) {
                return refuse(j, pooled, reason);
            }
            j->refused[j->refused_count++] = pooled;
        }
        j->is_full = j->is_full || reason == CEVM_TX_GAS_ALLOWANCE_EXCEEDED ||
                     reason == CEVM_TX_TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED;
        const bool goes_on = reason == CEVM_TX_NONE && best + 1 < j->candidate_count &&
                             same_sender(j, best, best + 1) &&
                             j->candidates[best + 1]->tx->nonce == pooled->tx->nonce + 1;
        j->heap[0] = goes_on ? best + 1 : j->heap[--j->heap_size];
        sift_down(j, 0);
    }
    return err == CEVM_OK || cevm_node_say_err(j->error, err);
}

/** Runs what was asked for; a transaction that is refused is an error. */
static bool run_list(job *j)
{
    for (size_t i = 0; i < j->plan->tx_count; ++i) {
        cevm_tx_error reason = CEVM_TX_NONE;
        const cevm_err err = run_tx(j, j->plan->txs[i], &reason);
        if (err != CEVM_OK) {
            return cevm_node_say_err(j->error, err);
        }
        if (reason != CEVM_TX_NONE) {
            return refuse(j, j->plan->txs[i], reason);
        }
    }
    return true;
}

/* ---- The block ----------------------------------------------------------------------------------------------------- */

static void point_outputs(cevm_node_engine *e)
{
    size_t offset = 0;
    for (size_t i = 0; i < e->output_count; ++i) {
        e->output_list[i].data = e->outputs.data != NULL ? e->outputs.data + offset : NULL;
        offset += e->output_list[i].size;
    }
}

static cevm_err make_record(job *j, const cevm_execution_output *out, cevm_tree *state, cevm_record **record)
{
    cevm_node_engine *e = &j->node->engine;
    const cevm_record *parent = j->draft->head;
    size_t count = 0;
    point_outputs(e);
    j->header.gas_used = out->gas_used;
    j->header.logs_bloom = out->logs_bloom;
    j->header.receipts_root = out->receipts_root;
    j->header.blob_gas_used = out->blob_gas_used;
    j->header.requests_hash = out->has_requests ? out->requests_hash : j->header.requests_hash;
    cevm_record_parts parts = {.header = &j->header,
                               .txs = e->included,
                               .tx_count = e->included_count,
                               .receipts = cevm_execution_receipts(e->execution, &count),
                               .outputs = e->output_list,
                               .env = j->input.env,
                               .total_difficulty = u256_add(&parent->total_difficulty, &j->header.difficulty),
                               .is_merged = j->is_merged,
                               .state = state,
                               .before = j->draft->state};
    cevm_err err = CEVM_OK;
    if (e->included_count != 0) {
        cevm_bytes *raw = cevm_resize_array(j->node->allocator, NULL, e->included_count, sizeof *raw);
        if (raw == NULL) {
            return CEVM_ERR_NOMEM;
        }
        for (size_t i = 0; i < e->included_count; ++i) {
            raw[i] = e->included[i]->raw;
        }
        err = cevm_transactions_root(&j->header.transactions_root, raw, e->included_count, j->node->allocator);
        cevm_free(j->node->allocator, raw);
    }
    return err != CEVM_OK ? err : cevm_record_create(record, &parts, j->node->allocator);
}

/** What was set for one block only has been used. */
static void use_up(cevm_world *draft, uint64_t now)
{
    cevm_node_settings *s = &draft->settings;
    if (s->has_next_timestamp) { /* the clock goes on from there */
        s->time_offset += (int64_t)(s->next_timestamp - now);
    }
    s->has_next_timestamp = false;
    s->has_next_base_fee = false;
    s->has_prev_randao = false;
}

/** Whether no block can hold it that comes next, unless somebody sends money or sets another gas limit. */
static bool is_hopeless(const job *j, const cevm_tx *tx, const cevm_account_info *sender)
{
    cevm_u256 cost;
    return tx->nonce < sender->nonce || tx->gas_limit > j->header.gas_limit ||
           cevm_tx_max_cost(&cost, tx) != CEVM_TX_NONE || u256_lt(&sender->balance, &cost);
}

/** The transactions that were not chosen, seen on the state after the block. */
static cevm_err drop_hopeless(job *j)
{
    cevm_account_info sender;
    cevm_err err = CEVM_OK;
    for (size_t i = 0; err == CEVM_OK && i < j->candidate_count; ++i) {
        cevm_pooled *pooled = j->candidates[i];
        if (i == 0 || !same_sender(j, i - 1, i)) {
            err = cevm_state_get_account(j->node->engine.state, &sender, &pooled->tx->sender);
        }
        if (err == CEVM_OK && is_hopeless(j, pooled->tx, &sender)) {
            err = cevm_pool_remove(j->draft, pooled);
        }
    }
    return err;
}

static cevm_err leave_pool(job *j)
{
    cevm_node_engine *e = &j->node->engine;
    cevm_err err = CEVM_OK;
    for (size_t i = 0; err == CEVM_OK && i < e->included_count; ++i) {
        err = cevm_pool_remove(j->draft, e->included[i]);
    }
    for (size_t i = 0; err == CEVM_OK && i < j->refused_count; ++i) {
        err = cevm_pool_remove(j->draft, j->refused[i]);
    }
    return err == CEVM_OK ? drop_hopeless(j) : err;
}

/** The end of the block, and the draft with it. */
static bool finish(job *j, uint64_t now)
{
    cevm_execution_output out;
    cevm_block_error reason = CEVM_BLOCK_NONE;
    cevm_tree *state = NULL;
    cevm_record *record = NULL;
    cevm_err err = cevm_node_engine_end(j->node, &out, &reason, &state, &j->header.state_root);
    if (err == CEVM_OK && reason != CEVM_BLOCK_NONE) {
        return cevm_node_say(j->error, cevm_block_error_rpc_code(reason), "no block can be made: %s",
                             cevm_block_error_string(reason));
    }
    if (err == CEVM_OK) {
        err = make_record(j, &out, state, &record);
    }
    if (err == CEVM_OK) {
        err = leave_pool(j);
    }
    if (err == CEVM_OK) {
        err = cevm_world_append(j->draft, record);
    }
    if (err == CEVM_OK && j->node->options.history != 0) {
        err = cevm_world_forget(j->draft, j->node->options.history);
    }
    cevm_record_release(record);
    cevm_tree_release(state);
    use_up(j->draft, now);
    return err == CEVM_OK || cevm_node_say_err(j->error, err);
}

/** The block from its beginning; only what is ready is asked for. */
static bool make(job *j, cevm_mined *mined, uint64_t now)
{
    const bool is_list = j->plan->txs != NULL;
    cevm_err err = cevm_node_engine_seek(j->node, j->draft);
    if (err == CEVM_OK) {
        err = cevm_node_warm_block(j->node, &j->input, is_list ? j->plan->txs : j->candidates,
                                   is_list ? j->plan->tx_count : j->candidate_count);
    }
    if (err == CEVM_OK) {
        err = cevm_node_engine_begin(j->node, j->draft, &j->input);
    }
    bool ok = err == CEVM_OK || cevm_node_say_remote(j->node, j->error, err);
    if (ok) {
        ok = j->plan->txs != NULL ? run_list(j) : run_pool(j);
    }
    if (ok && (!j->plan->needs_txs || j->node->engine.included_count != 0)) {
        ok = finish(j, now);
        mined->a_block = ok;
    }
    mined->is_full = j->is_full;
    if (!mined->a_block) {
        cevm_node_engine_abandon(j->node);
    }
    return ok;
}

bool cevm_node_mine_on(cevm_node *node, cevm_node_error *error, cevm_world *draft, const cevm_mine_plan *plan,
                       cevm_mined *mined)
{
    const uint64_t now =
        plan->real_time != 0 ? plan->real_time + (uint64_t)draft->settings.time_offset : cevm_node_now(draft);
    job j = {.node = node, .error = error, .draft = draft, .plan = plan};
    *mined = (cevm_mined){.a_block = false};
    cevm_world_next_header(&j.header, &j.is_merged, draft, now);
    cevm_node_input(&j.input, &draft->settings.config, &j.header, j.is_merged);
    cevm_err err = CEVM_OK;
    if (plan->txs == NULL) {
        err = cevm_node_engine_seek(node, draft);
        err = err == CEVM_OK ? gather(&j) : err;
    }
    bool ok = err == CEVM_OK || cevm_node_say_err(error, err);
    if (ok && (!plan->needs_txs || j.heap_size != 0)) {
        ok = make(&j, mined, now);
    }
    free_job(&j);
    return ok;
}
