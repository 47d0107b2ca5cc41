/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks, their headers, ommers and receipts. */
#include "rpc/find.h"
#include "rpc/methods.h"
#include "rpc/shapes.h"

/** Opens the block of parameter 0, a hash. False: answered or failed. */
static bool open_by_hash(cevm_view *view, cevm_rpc_call *call)
{
    cevm_hash hash;
    if (!cevm_rpc_read_hash(&hash, call, cevm_rpc_param(call, 0), "block hash")) {
        return false;
    }
    cevm_view_open_hash(view, call, &hash);
    if (view->record == NULL) {
        cevm_view_close(view);
        if (!cevm_remote_passthrough(call)) {
            cevm_json_put_null(call->out);
        }
        return false;
    }
    return true;
}

/** The same for a number or tag. */
static bool open_by_number(cevm_view *view, cevm_rpc_call *call)
{
    if (!cevm_view_open(view, call, cevm_rpc_param(call, 0))) {
        return false;
    }
    if (view->record == NULL) {
        const bool is_remote = view->is_remote;
        cevm_view_close(view);
        if (!is_remote || !cevm_remote_passthrough(call)) {
            cevm_json_put_null(call->out);
        }
        return false;
    }
    return true;
}

typedef bool (*opener)(cevm_view *view, cevm_rpc_call *call);

/* ---- Blocks and headers -------------------------------------------------------------------------------------------- */

static void put_block(cevm_rpc_call *call, opener open, bool header_only)
{
    cevm_view view;
    bool full = false;
    json_t *detail = cevm_rpc_param(call, 1);
    if (detail != NULL && !cevm_rpc_read_bool(&full, call, detail, "full transactions")) {
        return;
    }
    if (open(&view, call)) {
        if (header_only || !cevm_remote_tells_block(call, &view, full)) {
            cevm_shape_block(call->out, view.record,
                             header_only ? CEVM_BLOCK_HEADER
                             : full      ? CEVM_BLOCK_FULL
                                         : CEVM_BLOCK_HASHES,
                             view.is_pending);
        }
        cevm_view_close(&view);
    }
}

void cevm_rpc_eth_getBlockByNumber(cevm_rpc_call *call) { put_block(call, open_by_number, false); }
void cevm_rpc_eth_getBlockByHash(cevm_rpc_call *call) { put_block(call, open_by_hash, false); }
void cevm_rpc_eth_getHeaderByNumber(cevm_rpc_call *call) { put_block(call, open_by_number, true); }
void cevm_rpc_eth_getHeaderByHash(cevm_rpc_call *call) { put_block(call, open_by_hash, true); }

static void put_tx_count(cevm_rpc_call *call, opener open)
{
    cevm_view view;
    if (open(&view, call)) {
        cevm_json_put_quantity(call->out, view.record->block.tx_count);
        cevm_view_close(&view);
    }
}

void cevm_rpc_eth_getBlockTransactionCountByNumber(cevm_rpc_call *call) { put_tx_count(call, open_by_number); }
void cevm_rpc_eth_getBlockTransactionCountByHash(cevm_rpc_call *call) { put_tx_count(call, open_by_hash); }

/* ---- Ommers -------------------------------------------------------------------------------------------------------- */

static void put_ommer_count(cevm_rpc_call *call, opener open)
{
    cevm_view view;
    if (open(&view, call)) {
        cevm_json_put_quantity(call->out, view.record->block.ommer_count);
        cevm_view_close(&view);
    }
}

void cevm_rpc_eth_getUncleCountByBlockNumber(cevm_rpc_call *call) { put_ommer_count(call, open_by_number); }
void cevm_rpc_eth_getUncleCountByBlockHash(cevm_rpc_call *call) { put_ommer_count(call, open_by_hash); }

static void put_ommer(cevm_rpc_call *call, opener open)
{
    cevm_view view;
    uint64_t index = 0;
    if (!cevm_rpc_read_u64(&index, call, cevm_rpc_param(call, 1), "uncle index") || !open(&view, call)) {
        return;
    }
    if (index >= view.record->block.ommer_count) {
        cevm_json_put_null(call->out);
    } else {
        const cevm_err err =
            cevm_shape_ommer(call->out, &view.record->block.ommers[index], cevm_node_allocator(call->node));
        if (err != CEVM_OK) {
            (void)cevm_rpc_fail_err(call, err);
        }
    }
    cevm_view_close(&view);
}

void cevm_rpc_eth_getUncleByBlockNumberAndIndex(cevm_rpc_call *call) { put_ommer(call, open_by_number); }
void cevm_rpc_eth_getUncleByBlockHashAndIndex(cevm_rpc_call *call) { put_ommer(call, open_by_hash); }

/* ---- Receipts ------------------------------------------------------------------------------------------------------ */

void cevm_rpc_eth_getBlockReceipts(cevm_rpc_call *call)
{
    cevm_view view;
    if (!open_by_number(&view, call)) {
        return;
    }
    cevm_json_begin_array(call->out);
    for (size_t i = 0; i < view.record->block.tx_count && !call->out->failed; ++i) {
        cevm_shape_receipt(call->out, view.record, i);
    }
    cevm_json_end_array(call->out);
    cevm_view_close(&view);
}
