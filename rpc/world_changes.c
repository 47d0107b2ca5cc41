/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/world_changes.h"

#include <stdlib.h>

/* ---- Blocks -------------------------------------------------------------------------------------------------------- */

/** Number of the oldest block in which the branches of two heads differ; one above the heads when they do not. */
static uint64_t fork_number(const cevm_world *before, const cevm_world *after)
{
    const uint64_t a = before->head->block.header.number;
    const uint64_t b = after->head->block.header.number;
    const uint64_t least = before->first > after->first ? before->first : after->first;
    uint64_t number = (a < b ? a : b) + 1;
    while (number > least && cevm_world_block(before, number - 1) != cevm_world_block(after, number - 1)) {
        --number;
    }
    return number;
}

void cevm_world_block_changes(const cevm_world *before, const cevm_world *after, cevm_block_change visit, void *user)
{
    if (before->head == after->head) {
        return;
    }
    const uint64_t fork = fork_number(before, after);
    for (uint64_t n = before->head->block.header.number + 1; n > fork; --n) {
        const cevm_record *record = cevm_world_block(before, n - 1);
        if (record != NULL && !visit(user, record, true)) {
            return;
        }
    }
    for (uint64_t n = fork; n <= after->head->block.header.number; ++n) {
        const cevm_record *record = cevm_world_block(after, n);
        if (record != NULL && !visit(user, record, false)) {
            return;
        }
    }
}

/* ---- Transactions -------------------------------------------------------------------------------------------------- */

typedef struct tx_changes {
    const cevm_world *before;
    cevm_tx_change visit;
    void *user;
    bool stopped;
    const cevm_pooled **list; /* with room for the whole pool */
    size_t count;
} tx_changes;

static bool visit_block(void *user, const cevm_record *record, bool removed)
{
    tx_changes *c = user;
    for (size_t i = 0; i < record->block.tx_count && !removed; ++i) {
        const cevm_hash *hash = &record->hashes[i];
        if (cevm_world_pooled(c->before, hash) != NULL || cevm_world_tx(c->before, hash) != NULL) {
            continue; /* it was there before */
        }
        if (!c->visit(c->user, record->block.txs[i], hash)) {
            c->stopped = true;
            return false;
        }
    }
    return true;
}

static bool collect(void *user, const cevm_hash *key, cevm_ref *value)
{
    tx_changes *c = user;
    const cevm_pooled *pooled = (const cevm_pooled *)(void *)value;
    if (pooled->sequence >= c->before->pool_sequence || cevm_world_pooled(c->before, key) == NULL) {
        c->list[c->count++] = pooled;
    }
    return true;
}

static int compare_arrival(const void *a, const void *b)
{
    const cevm_pooled *x = *(const cevm_pooled *const *)a;
    const cevm_pooled *y = *(const cevm_pooled *const *)b;
    return x->sequence < y->sequence ? -1 : x->sequence > y->sequence ? 1 : 0;
}

cevm_err cevm_world_tx_changes(const cevm_world *before, const cevm_world *after, cevm_tx_change visit, void *user,
                               cevm_arena *arena)
{
    tx_changes c = {.before = before, .visit = visit, .user = user};
    cevm_world_block_changes(before, after, visit_block, &c);
    if (c.stopped || after->pool.count == 0) {
        return CEVM_OK;
    }
    c.list = cevm_arena_array(arena, after->pool.count, sizeof *c.list);
    if (c.list == NULL) {
        return CEVM_ERR_NOMEM;
    }
    cevm_pmap_for_each(&after->pool, collect, &c);
    qsort((void *)c.list, c.count, sizeof *c.list, compare_arrival);
    for (size_t i = 0; i < c.count && visit(user, c.list[i]->tx, &c.list[i]->hash); ++i) {
    }
    return CEVM_OK;
}
