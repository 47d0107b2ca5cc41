/* SPDX-License-Identifier: Apache-2.0 */
/* Filters that are polled. */
#include <inttypes.h>

#include "rpc/filters.h"
#include "rpc/member.h"
#include "rpc/methods.h"
#include "rpc/shapes.h"
#include "rpc/world_changes.h"

/* ---- Making -------------------------------------------------------------------------------------------------------- */

static void add_filter(cevm_rpc_call *call, cevm_filter_terms *terms)
{
    uint64_t id = 0;
    const cevm_err err = cevm_filters_add(cevm_node_filters(call->node), &id, terms);
    if (err == CEVM_ERR_LIMIT) {
        (void)cevm_rpc_fail(call, CEVM_RPC_LIMIT, "there are %d filters already: uninstall some",
                            (int)CEVM_MAX_FILTERS);
    } else if (err != CEVM_OK) {
        (void)cevm_rpc_fail_err(call, err);
    } else {
        cevm_json_put_quantity(call->out, id);
    }
}

void cevm_rpc_eth_newFilter(cevm_rpc_call *call)
{
    cevm_filter_terms terms = {.kind = CEVM_FILTER_LOGS};
    const json_t *object = cevm_rpc_param(call, 0);
    if (cevm_log_bounds_read(&terms.bounds, call, object) &&
        cevm_log_filter_read(&terms.logs, call, object, cevm_node_allocator(call->node))) {
        add_filter(call, &terms);
    }
}

void cevm_rpc_eth_newBlockFilter(cevm_rpc_call *call)
{
    cevm_filter_terms terms = {.kind = CEVM_FILTER_BLOCKS};
    add_filter(call, &terms);
}

void cevm_rpc_eth_newPendingTransactionFilter(cevm_rpc_call *call)
{
    cevm_filter_terms terms = {.kind = CEVM_FILTER_TXS};
    json_t *full = cevm_rpc_param(call, 0);
    bool is_full = false;
    if (full != NULL && !cevm_rpc_read_bool(&is_full, call, full, "full transactions")) {
        return;
    }
    terms.kind = is_full ? CEVM_FILTER_TXS_FULL : CEVM_FILTER_TXS;
    add_filter(call, &terms);
}

/* ---- Polling ------------------------------------------------------------------------------------------------------- */

static bool find_filter(cevm_polled *out, cevm_rpc_call *call, bool changes)
{
    uint64_t id = 0;
    return cevm_rpc_read_u64(&id, call, cevm_rpc_param(call, 0), "filter id") &&
           (cevm_filters_poll(cevm_node_filters(call->node), out, id, changes) ||
            cevm_rpc_fail(call, CEVM_RPC_SERVER, "filter not found: it was uninstalled, or not polled for long"));
}

/** The answer on its way. */
typedef struct answer {
    cevm_json_writer *out;
    const cevm_filter_terms *terms;
    bool removed;
} answer;

static bool put_log(void *user, const cevm_record *record, size_t tx_index, size_t log_index)
{
    const answer *a = user;
    cevm_shape_record_log(a->out, record, tx_index, log_index, a->removed);
    return !a->out->failed;
}

static bool is_above(const cevm_block_id *bound, uint64_t number)
{
    return bound->tag == CEVM_TAG_NUMBER && number > bound->number;
}

static bool is_below(const cevm_block_id *bound, uint64_t number)
{
    return bound->tag == CEVM_TAG_NUMBER && number < bound->number;
}

static bool put_logs_of(void *user, const cevm_record *record, bool removed)
{
    answer *a = user;
    const uint64_t number = record->block.header.number;
    a->removed = removed;
    return is_below(&a->terms->bounds.from, number) || is_above(&a->terms->bounds.to, number) ||
           cevm_log_filter_search(&a->terms->logs, record, put_log, a);
}

static bool put_block_hash(void *user, const cevm_record *record, bool removed)
{
    const answer *a = user;
    if (!removed) {
        cevm_json_put_hash(a->out, &record->block.hash);
    }
    return !a->out->failed;
}

static bool put_tx(void *user, const cevm_tx *tx, const cevm_hash *hash)
{
    const answer *a = user;
    if (a->terms->kind == CEVM_FILTER_TXS_FULL) {
        cevm_shape_tx(a->out, tx, hash, (cevm_block_place){NULL, NULL}, 0);
    } else {
        cevm_json_put_hash(a->out, hash);
    }
    return !a->out->failed;
}

void cevm_rpc_eth_getFilterChanges(cevm_rpc_call *call)
{
    cevm_polled polled;
    cevm_err err = CEVM_OK;
    if (!find_filter(&polled, call, true)) {
        return;
    }
    answer a = {.out = call->out, .terms = polled.terms};
    cevm_json_begin_array(call->out);
    switch (polled.terms->kind) {
    case CEVM_FILTER_LOGS: cevm_world_block_changes(polled.before, polled.after, put_logs_of, &a); break;
    case CEVM_FILTER_BLOCKS: cevm_world_block_changes(polled.before, polled.after, put_block_hash, &a); break;
    case CEVM_FILTER_TXS:
    case CEVM_FILTER_TXS_FULL: err = cevm_world_tx_changes(polled.before, polled.after, put_tx, &a, call->arena); break;
    case CEVM_FILTER_RECEIPTS:
    case CEVM_FILTER_SYNCING: break; /* never polled */
    }
    cevm_json_end_array(call->out);
    cevm_polled_release(&polled);
    if (err != CEVM_OK) {
        (void)cevm_rpc_fail_err(call, err);
    }
}

/** All logs of a filter's range, as eth_getLogs would give them. */
void cevm_rpc_eth_getFilterLogs(cevm_rpc_call *call)
{
    cevm_polled polled;
    if (!find_filter(&polled, call, false)) {
        return;
    }
    if (polled.terms->kind == CEVM_FILTER_LOGS) {
        cevm_log_query(call, polled.after, &polled.terms->logs, &polled.terms->bounds);
    } else {
        (void)cevm_rpc_fail(call, CEVM_RPC_SERVER, "filter not found: this one is not about logs");
    }
    cevm_polled_release(&polled);
}

void cevm_rpc_eth_uninstallFilter(cevm_rpc_call *call)
{
    uint64_t id = 0;
    if (cevm_rpc_read_u64(&id, call, cevm_rpc_param(call, 0), "filter id")) {
        cevm_json_put_bool(call->out, cevm_filters_remove(cevm_node_filters(call->node), id));
    }
}
