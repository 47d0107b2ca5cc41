/* SPDX-License-Identifier: Apache-2.0 */
/* Going back, and other blocks in the place of those that were. */
#include <cevm/alloc.h>

#include "rpc/node_internal.h"

/** What a block held that could run again: signed transactions and those of impersonated senders. */
static cevm_err inject(cevm_node *node, cevm_world *draft, const cevm_record *record)
{
    for (size_t i = 0; i < record->block.tx_count; ++i) {
        cevm_pooled *pooled = NULL;
        const cevm_tx *tx = record->block.txs[i];
        if (cevm_world_queued(draft, &tx->sender, tx->nonce) != NULL) {
            continue; /* one that came later, in its stead */
        }
        cevm_err err = cevm_pooled_create(&pooled, tx, record->impersonated[i], node->allocator);
        if (err == CEVM_OK) {
            pooled->sequence = draft->pool_sequence++;
            err = cevm_pool_put(draft, pooled);
        }
        cevm_pooled_release(pooled);
        if (err != CEVM_OK) {
            return err;
        }
    }
    return CEVM_OK;
}

/** Takes the newest blocks off a draft; their transactions wait again. The clock stays. */
static bool go_back(cevm_node *node, cevm_node_error *error, cevm_world *draft, uint64_t depth)
{
    const uint64_t height = draft->head->block.header.number - draft->first;
    if (depth > height) {
        return cevm_node_say(error, -32602, "there are only %llu blocks to go back, not %llu",
                             (unsigned long long)height, (unsigned long long)depth);
    }
    if (depth != 0 && cevm_world_block(draft, draft->head->block.header.number - depth) == NULL) {
        return cevm_node_say(error, -32602, "only %llu blocks are kept: --history says how many",
                             (unsigned long long)node->options.history);
    }
    const uint64_t old_head = draft->head->block.header.number;
    cevm_err err = CEVM_OK;
    for (uint64_t i = 0; err == CEVM_OK && i < depth; ++i) {
        err = cevm_world_drop_head(draft);
    }
    for (uint64_t number = old_head - depth + 1; err == CEVM_OK && number <= old_head; ++number) {
        err = inject(node, draft, cevm_world_block(node->world, number));
    }
    draft->branch++;
    return err == CEVM_OK || cevm_node_say_err(error, err);
}

/** The transactions of a plan that go into the block at this place, in their order; *out is to be freed. */
static cevm_err pick(cevm_node *node, cevm_pooled ***out, size_t *count, const cevm_reorg_tx *txs, size_t tx_count,
                     uint64_t offset)
{
    *count = 0;
    *out = cevm_resize_array(node->allocator, NULL, tx_count + 1, sizeof(cevm_pooled *));
    if (*out == NULL) {
        return CEVM_ERR_NOMEM;
    }
    cevm_err err = CEVM_OK;
    for (size_t i = 0; err == CEVM_OK && i < tx_count; ++i) {
        if (txs[i].offset == offset) {
            err = cevm_pooled_create(&(*out)[*count], txs[i].tx, txs[i].impersonated, node->allocator);
            *count += err == CEVM_OK;
        }
    }
    return err;
}

static bool recover_senders(cevm_node *node, cevm_node_error *error, cevm_pooled **txs, size_t count, cevm_fork fork)
{
    for (size_t i = 0; i < count; ++i) {
        cevm_tx_error reason = CEVM_TX_NONE;
        cevm_err err = CEVM_OK;
        if (!txs[i]->tx->has_sender) {
            err = cevm_tx_recover_sender(txs[i]->tx, &reason, fork, node->allocator);
        }
        if (err != CEVM_OK) {
            return cevm_node_say_err(error, err);
        }
        if (reason != CEVM_TX_NONE) {
            return cevm_node_say(error, cevm_tx_error_rpc_code(reason), "%s", cevm_tx_error_string(reason));
        }
    }
    return true;
}

/** One block of the new branch. What it holds leaves the pool, if it waited there. */
static bool mine_one(cevm_node *node, cevm_node_error *error, cevm_world *draft, const cevm_reorg_tx *txs,
                     size_t tx_count, uint64_t offset)
{
    cevm_pooled **chosen = NULL;
    size_t count = 0;
    cevm_mined mined;
    const cevm_err err = pick(node, &chosen, &count, txs, tx_count, offset);
    bool ok = err == CEVM_OK || cevm_node_say_err(error, err);
    if (ok) {
        const cevm_mine_plan plan = {.txs = chosen, .tx_count = count};
        ok = recover_senders(node, error, chosen, count, draft->head->fork) &&
             cevm_node_mine_on(node, error, draft, &plan, &mined);
    }
    for (size_t i = 0; i < count; ++i) {
        cevm_pooled_release(chosen[i]);
    }
    cevm_free(node->allocator, (void *)chosen);
    return ok;
}

static bool change_branch(cevm_node *node, cevm_node_error *error, uint64_t depth, const cevm_reorg_tx *txs,
                          size_t tx_count, uint64_t new_blocks)
{
    if (!cevm_node_lock(node, error)) {
        return false;
    }
    cevm_world *draft = cevm_world_clone(node->world);
    bool ok = draft != NULL || cevm_node_say_err(error, CEVM_ERR_NOMEM);
    ok = ok && go_back(node, error, draft, depth);
    for (uint64_t i = 0; ok && i < new_blocks; ++i) {
        ok = mine_one(node, error, draft, txs, tx_count, i);
    }
    ok = ok && cevm_node_publish(node, error, draft, NULL, 0);
    if (!ok) {
        cevm_world_release(draft);
    }
    cevm_node_unlock(node);
    return ok;
}

bool cevm_node_reorg(cevm_node *node, cevm_node_error *error, uint64_t depth, const cevm_reorg_tx *txs, size_t tx_count)
{
    return change_branch(node, error, depth, txs, tx_count, depth);
}

bool cevm_node_rollback(cevm_node *node, cevm_node_error *error, uint64_t depth)
{
    return change_branch(node, error, depth, NULL, 0, 0);
}
