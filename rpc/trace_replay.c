/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces of what was executed, in Parity's manner: trace_block, trace_transaction, trace_get, trace_replayTransaction,
 * trace_replayBlockTransactions.
 */
#include "rpc/find.h"
#include "rpc/methods.h"
#include "rpc/trace_parity.h"

/* ---- Blocks -------------------------------------------------------------------------------------------------------- */

/** The block of parameter 0, if it is to be answered here. False: the call failed or was answered. */
static bool open_block(cevm_view *out, cevm_rpc_call *call)
{
    if (!cevm_view_open_block(out, call, cevm_rpc_param(call, 0))) {
        return false;
    }
    if (cevm_trace_asks_remote(call, out->world, out->record)) {
        cevm_view_close(out);
        return false;
    }
    return true;
}

void cevm_rpc_trace_block(cevm_rpc_call *call)
{
    static const cevm_parity_list all = {.wants = NULL};
    cevm_view view;
    if (!open_block(&view, call)) {
        return;
    }
    cevm_json_begin_array(call->out);
    if (cevm_trace_put_block(call, view.world, view.record, &all, cevm_call_deadline(call), NULL)) {
        cevm_json_end_array(call->out);
    }
    cevm_view_close(&view);
}

static cevm_trace *make(cevm_trace_run *run, const cevm_trace_context *context)
{
    return cevm_trace_parts_make(run->user, run->call, run->bench.state, context, &run->stop);
}

void cevm_rpc_trace_replayBlockTransactions(cevm_rpc_call *call)
{
    cevm_view view;
    cevm_parity_parts parts;
    if (!cevm_trace_parts_read(&parts, call, cevm_rpc_param(call, 1), "parameter 2") || !open_block(&view, call)) {
        return;
    }
    cevm_trace_run run = {
        .call = call, .deadline_ns = cevm_call_deadline(call), .all = true, .make = make, .user = &parts};
    cevm_json_begin_array(call->out);
    if (view.record->block.tx_count == 0 || cevm_trace_run_block(&run, view.world, view.record)) {
        cevm_json_end_array(call->out);
    }
    cevm_view_close(&view);
}

/* ---- Transactions -------------------------------------------------------------------------------------------------- */

/**
 * Where the transaction of parameter 0 is. NULL: it is not in a block of this chain; then *answered tells whether the remote
 * chain answered, or the call failed. The world is the caller's to release.
 */
static const cevm_tx_place *find(cevm_rpc_call *call, cevm_world **world, bool *answered)
{
    cevm_hash hash;
    *world = NULL;
    *answered = true;
    if (!cevm_rpc_read_hash(&hash, call, cevm_rpc_param(call, 0), "transaction hash")) {
        return NULL;
    }
    *world = cevm_node_world(call->node);
    const cevm_tx_place *place = cevm_world_tx(*world, &hash);
    if (place == NULL) {
        *answered = cevm_world_pooled(*world, &hash) == NULL && cevm_remote_passthrough(call);
    }
    return place;
}

void cevm_rpc_trace_transaction(cevm_rpc_call *call)
{
    static const cevm_parity_list all = {.wants = NULL};
    cevm_world *world = NULL;
    bool answered = false;
    const cevm_tx_place *place = find(call, &world, &answered);
    if (place != NULL) {
        cevm_json_begin_array(call->out);
        if (cevm_trace_put_transaction(call, world, place, &all)) {
            cevm_json_end_array(call->out);
        }
    } else if (!answered) {
        cevm_json_put_null(call->out);
    }
    cevm_world_release(world);
}

void cevm_rpc_trace_replayTransaction(cevm_rpc_call *call)
{
    cevm_world *world = NULL;
    bool answered = false;
    cevm_parity_parts parts;
    if (!cevm_trace_parts_read(&parts, call, cevm_rpc_param(call, 1), "parameter 2")) {
        return;
    }
    const cevm_tx_place *place = find(call, &world, &answered);
    if (place != NULL) {
        cevm_trace_run run = {
            .call = call, .deadline_ns = cevm_call_deadline(call), .index = place->index, .make = make, .user = &parts};
        (void)cevm_trace_run_block(&run, world, place->record);
    } else if (!answered) {
        (void)cevm_rpc_fail(call, CEVM_RPC_SERVER, "transaction not found");
    }
    cevm_world_release(world);
}

/* ---- trace_get ----------------------------------------------------------------------------------------------------- */

/* The deepest a call can stand. */
enum { MAX_PATH = 1025 };

typedef struct position {
    uint64_t path[MAX_PATH];
    size_t size;
    bool found;
} position;

static bool is_at(void *user, const cevm_parity_entry *entry)
{
    position *p = user;
    bool same = entry->path_size == p->size;
    for (size_t i = 0; i < p->size && same; ++i) {
        same = entry->path[i] == p->path[i];
    }
    p->found = p->found || same;
    return same;
}

static bool read_position(position *out, cevm_rpc_call *call, const json_t *path)
{
    out->size = json_array_size(path);
    out->found = false;
    if (out->size > MAX_PATH) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "a position has at most %d parts", (int)MAX_PATH);
    }
    for (size_t i = 0; i < out->size; ++i) {
        if (!cevm_rpc_read_u64(&out->path[i], call, json_array_get(path, i), "position")) {
            return false;
        }
    }
    return true;
}

void cevm_rpc_trace_get(cevm_rpc_call *call)
{
    cevm_world *world = NULL;
    bool answered = false;
    position wanted;
    if (!read_position(&wanted, call, cevm_rpc_param(call, 1))) {
        return;
    }
    const cevm_tx_place *place = find(call, &world, &answered);
    if (place != NULL) {
        const cevm_parity_list list = {.wants = is_at, .user = &wanted};
        answered = !cevm_trace_put_transaction(call, world, place, &list) || wanted.found;
    }
    if (!answered) {
        cevm_json_put_null(call->out);
    }
    cevm_world_release(world);
}
