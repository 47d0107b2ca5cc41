/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions, mined and waiting, and their receipts. */
#include "rpc/find.h"
#include "rpc/methods.h"
#include "rpc/shapes.h"

/* ---- By hash ------------------------------------------------------------------------------------------------------- */

/** A transaction looked up in a world of its own. */
typedef struct found_tx {
    cevm_world *world; /* held */
    const cevm_tx_place *place;
    const cevm_pooled *pooled;
} found_tx;

/** False: answered (null, or by the remote) or failed. Otherwise one of place and pooled is there. */
static bool open_tx(found_tx *out, cevm_rpc_call *call)
{
    cevm_hash hash;
    if (!cevm_rpc_read_hash(&hash, call, cevm_rpc_param(call, 0), "transaction hash")) {
        return false;
    }
    out->world = cevm_node_world(call->node);
    out->place = cevm_world_tx(out->world, &hash);
    out->pooled = out->place == NULL ? cevm_world_pooled(out->world, &hash) : NULL;
    if (out->place != NULL || out->pooled != NULL) {
        return true;
    }
    cevm_world_release(out->world);
    if (!cevm_remote_passthrough(call)) {
        cevm_json_put_null(call->out);
    }
    return false;
}

static void put_waiting(cevm_json_writer *w, const cevm_pooled *pooled)
{
    cevm_shape_tx(w, pooled->tx, &pooled->hash, (cevm_block_place){NULL, NULL}, 0);
}

void cevm_rpc_eth_getTransactionByHash(cevm_rpc_call *call)
{
    found_tx found;
    if (!open_tx(&found, call)) {
        return;
    }
    if (found.place != NULL) {
        cevm_shape_record_tx(call->out, found.place->record, found.place->index);
    } else {
        put_waiting(call->out, found.pooled);
    }
    cevm_world_release(found.world);
}

void cevm_rpc_eth_getTransactionReceipt(cevm_rpc_call *call)
{
    found_tx found;
    if (!open_tx(&found, call)) {
        return;
    }
    if (found.place != NULL) {
        cevm_shape_receipt(call->out, found.place->record, found.place->index);
    } else { /* it waits: there is none yet */
        cevm_json_put_null(call->out);
    }
    cevm_world_release(found.world);
}

void cevm_rpc_eth_getRawTransactionByHash(cevm_rpc_call *call)
{
    found_tx found;
    if (!open_tx(&found, call)) {
        return;
    }
    if (found.place != NULL) {
        cevm_json_put_data(call->out, found.place->record->block.raw_txs[found.place->index]);
    } else {
        cevm_json_put_data(call->out, found.pooled->raw);
    }
    cevm_world_release(found.world);
}

/* ---- By block and index -------------------------------------------------------------------------------------------- */

static bool open_block(cevm_view *view, cevm_rpc_call *call, bool by_hash)
{
    cevm_hash hash;
    if (!by_hash) {
        return cevm_view_open(view, call, cevm_rpc_param(call, 0));
    }
    if (!cevm_rpc_read_hash(&hash, call, cevm_rpc_param(call, 0), "block hash")) {
        return false;
    }
    cevm_view_open_hash(view, call, &hash);
    view->is_remote = true;
    return true;
}

static void put_indexed(cevm_rpc_call *call, bool by_hash, bool raw)
{
    cevm_view view;
    uint64_t index = 0;
    if (!cevm_rpc_read_u64(&index, call, cevm_rpc_param(call, 1), "transaction index") ||
        !open_block(&view, call, by_hash)) {
        return;
    }
    const cevm_record *record = view.record;
    if (record == NULL && view.is_remote && cevm_remote_passthrough(call)) {
        cevm_view_close(&view);
        return;
    }
    if (record == NULL || index >= record->block.tx_count) {
        cevm_json_put_null(call->out);
    } else if (raw) {
        cevm_json_put_data(call->out, record->block.raw_txs[index]);
    } else {
        const cevm_block_place place = {&record->block.header, view.is_pending ? NULL : &record->block.hash};
        cevm_shape_tx(call->out, record->block.txs[index], &record->hashes[index], place, index);
    }
    cevm_view_close(&view);
}

void cevm_rpc_eth_getTransactionByBlockNumberAndIndex(cevm_rpc_call *call) { put_indexed(call, false, false); }
void cevm_rpc_eth_getTransactionByBlockHashAndIndex(cevm_rpc_call *call) { put_indexed(call, true, false); }
void cevm_rpc_eth_getRawTransactionByBlockNumberAndIndex(cevm_rpc_call *call) { put_indexed(call, false, true); }
void cevm_rpc_eth_getRawTransactionByBlockHashAndIndex(cevm_rpc_call *call) { put_indexed(call, true, true); }

/* ---- What waits ---------------------------------------------------------------------------------------------------- */

static bool put_pooled(void *user, const cevm_hash *key, cevm_ref *value)
{
    cevm_json_writer *w = user;
    (void)key;
    put_waiting(w, (const cevm_pooled *)(void *)value);
    return !w->failed;
}

/** All that wait: this node is its accounts' wallet and everybody else's. */
void cevm_rpc_eth_pendingTransactions(cevm_rpc_call *call)
{
    cevm_world *world = cevm_node_world(call->node);
    cevm_json_begin_array(call->out);
    cevm_pmap_for_each(&world->pool, put_pooled, call->out);
    cevm_json_end_array(call->out);
    cevm_world_release(world);
}
