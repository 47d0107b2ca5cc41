/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks, headers, receipts and transactions as they are encoded: debug_getRaw…, and debug_getBadBlocks. */
#include "rpc/debug_block.h"
#include "rpc/methods.h"

bool cevm_debug_open_block(cevm_view *out, cevm_rpc_call *call, size_t index)
{
    json_t *value = cevm_rpc_param(call, index);
    const char *text = json_string_value(value);
    if (json_is_number(value) || (text != NULL && text[0] >= '0' && text[0] <= '9' && text[1] != 'x')) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "invalid argument %zu: hex string without 0x prefix",
                             index);
    }
    return cevm_view_open_block(out, call, value);
}

/* An encoder as in cevm/block.h: says the size with out NULL. */
typedef cevm_err (*encoder)(uint8_t *out, size_t *size, size_t capacity, const cevm_record *record,
                            const cevm_allocator *allocator);

static cevm_err encode_block(uint8_t *out, size_t *size, size_t capacity, const cevm_record *record,
                             const cevm_allocator *allocator)
{
    return cevm_block_encode(out, size, capacity, &record->block, allocator);
}

static cevm_err encode_header(uint8_t *out, size_t *size, size_t capacity, const cevm_record *record,
                              const cevm_allocator *allocator)
{
    return cevm_header_encode(out, size, capacity, &record->block.header, allocator);
}

static void put_encoded(cevm_rpc_call *call, encoder encode)
{
    cevm_view view;
    size_t size = 0;
    const cevm_allocator *allocator = cevm_node_allocator(call->node);
    if (!cevm_debug_open_block(&view, call, 0)) {
        return;
    }
    cevm_err err = encode(NULL, &size, 0, view.record, allocator);
    uint8_t *bytes = err == CEVM_OK ? cevm_arena_alloc(call->arena, size) : NULL;
    if (err == CEVM_OK && bytes == NULL) {
        err = CEVM_ERR_NOMEM;
    }
    if (err == CEVM_OK) {
        err = encode(bytes, &size, size, view.record, allocator);
    }
    if (err == CEVM_OK) {
        cevm_json_put_data(call->out, (cevm_bytes){bytes, size});
    } else {
        (void)cevm_rpc_fail_err(call, err);
    }
    cevm_view_close(&view);
}

void cevm_rpc_debug_getRawBlock(cevm_rpc_call *call) { put_encoded(call, encode_block); }
void cevm_rpc_debug_getRawHeader(cevm_rpc_call *call) { put_encoded(call, encode_header); }

void cevm_rpc_debug_getRawReceipts(cevm_rpc_call *call)
{
    cevm_view view;
    if (!cevm_debug_open_block(&view, call, 0)) {
        return;
    }
    cevm_json_begin_array(call->out);
    for (size_t i = 0; i < view.record->block.tx_count; ++i) {
        cevm_json_put_data(call->out, view.record->receipts[i].encoded);
    }
    cevm_json_end_array(call->out);
    cevm_view_close(&view);
}

/** Of one that is not known, no bytes, as geth answers. */
void cevm_rpc_debug_getRawTransaction(cevm_rpc_call *call)
{
    cevm_hash hash;
    if (!cevm_rpc_read_hash(&hash, call, cevm_rpc_param(call, 0), "transaction hash")) {
        return;
    }
    cevm_world *world = cevm_node_world(call->node);
    const cevm_tx_place *place = cevm_world_tx(world, &hash);
    const cevm_pooled *pooled = place == NULL ? cevm_world_pooled(world, &hash) : NULL;
    if (place != NULL) {
        cevm_json_put_data(call->out, place->record->block.raw_txs[place->index]);
    } else if (pooled != NULL) {
        cevm_json_put_data(call->out, pooled->raw);
    } else if (!cevm_remote_passthrough(call)) {
        cevm_json_put_data(call->out, (cevm_bytes){NULL, 0});
    }
    cevm_world_release(world);
}

/** This node makes its own blocks, and refuses a file that holds a bad one. */
void cevm_rpc_debug_getBadBlocks(cevm_rpc_call *call)
{
    cevm_json_begin_array(call->out);
    cevm_json_end_array(call->out);
}
