/* SPDX-License-Identifier: Apache-2.0 */
/* What gas costs: eth_gasPrice, eth_maxPriorityFeePerGas, eth_baseFee, eth_blobBaseFee, eth_feeHistory. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "evm/u256.h"
#include "rpc/fee_history.h"
#include "rpc/find.h"
#include "rpc/methods.h"
#include "rpc/shapes.h"

enum { GAS_PER_BLOB = 131072 /* EIP-4844 */ };

/* ---- Prices now ---------------------------------------------------------------------------------------------------- */

/** The base fee of the next block, as it is computed or was set. */
static cevm_u256 next_base_fee(const cevm_world *world)
{
    cevm_header header;
    bool is_merged = false;
    cevm_world_next_header(&header, &is_merged, world, cevm_node_now(world));
    return header.has_base_fee ? header.base_fee : cevm_u256_from_u64(0);
}

void cevm_rpc_eth_gasPrice(cevm_rpc_call *call)
{
    cevm_world *world = cevm_node_world(call->node);
    const cevm_u256 base_fee = next_base_fee(world);
    cevm_u256 price;
    cevm_suggest_tip(&price, world);
    price = u256_add(&price, &base_fee);
    if (u256_lt(&price, &world->settings.min_gas_price)) {
        price = world->settings.min_gas_price;
    }
    cevm_json_put_quantity256(call->out, &price);
    cevm_world_release(world);
}

void cevm_rpc_eth_maxPriorityFeePerGas(cevm_rpc_call *call)
{
    cevm_world *world = cevm_node_world(call->node);
    cevm_u256 tip;
    cevm_suggest_tip(&tip, world);
    cevm_json_put_quantity256(call->out, &tip);
    cevm_world_release(world);
}

void cevm_rpc_eth_baseFee(cevm_rpc_call *call)
{
    cevm_world *world = cevm_node_world(call->node);
    const cevm_u256 base_fee = next_base_fee(world);
    cevm_json_put_quantity256(call->out, &base_fee);
    cevm_world_release(world);
}

void cevm_rpc_eth_blobBaseFee(cevm_rpc_call *call)
{
    cevm_world *world = cevm_node_world(call->node);
    cevm_u256 fee;
    cevm_record_blob_fee(&fee, world->head);
    cevm_json_put_quantity256(call->out, &fee);
    cevm_world_release(world);
}

/* ---- eth_feeHistory ------------------------------------------------------------------------------------------------ */

/** What was asked for. */
typedef struct history {
    cevm_rpc_call *call;
    cevm_view view; /* of the newest block */
    uint64_t oldest;
    uint64_t newest;
    double *percentiles;
    size_t percentile_count;
} history;

static bool read_percentiles(history *out, const json_t *list)
{
    const size_t count = json_array_size(list);
    if (count > CEVM_FEE_HISTORY_PERCENTILES) {
        return cevm_rpc_fail(out->call, CEVM_RPC_INVALID_PARAMS, "too many percentiles: at most %d are allowed",
                             (int)CEVM_FEE_HISTORY_PERCENTILES);
    }
    out->percentiles = cevm_arena_array(out->call->arena, count, sizeof *out->percentiles);
    if (out->percentiles == NULL) {
        return cevm_rpc_fail_err(out->call, CEVM_ERR_NOMEM);
    }
    out->percentile_count = count;
    for (size_t i = 0; i < count; ++i) {
        const json_t *value = json_array_get(list, i);
        out->percentiles[i] = json_number_value(value);
        const double least = i > 0 ? out->percentiles[i - 1] : 0;
        if (!json_is_number(value) || !(out->percentiles[i] >= least && out->percentiles[i] <= 100)) {
            return cevm_rpc_fail(out->call, CEVM_RPC_INVALID_PARAMS,
                                 "invalid reward percentile: numbers that ascend from 0 to 100 are wanted");
        }
    }
    return true;
}

static bool open_history(history *out, cevm_rpc_call *call)
{
    uint64_t count = 0;
    *out = (history){.call = call};
    if (!cevm_rpc_read_u64(&count, call, cevm_rpc_param(call, 0), "block count") ||
        !read_percentiles(out, cevm_rpc_param(call, 2)) ||
        !cevm_view_open_block(&out->view, call, cevm_rpc_param(call, 1))) {
        return false;
    }
    const uint64_t first = out->view.world->first;
    const cevm_record *record = out->view.record;
    if (!out->view.is_pending && cevm_world_block(out->view.world, record->block.header.number) != record) {
        cevm_view_close(&out->view);
        return cevm_rpc_fail(call, CEVM_RPC_SERVER, "hash is not currently canonical");
    }
    count = count < CEVM_FEE_HISTORY_BLOCKS ? count : CEVM_FEE_HISTORY_BLOCKS;
    out->newest = record->block.header.number;
    out->oldest = out->newest - first + 1 > count ? out->newest + 1 - count : first;
    return true;
}

static const cevm_record *record_of(const history *h, uint64_t number)
{
    return number == h->newest ? h->view.record : cevm_world_block(h->view.world, number);
}

/** A number between 0 and 1 with as few digits as tell it from all others. */
static void put_ratio(cevm_json_writer *w, uint64_t part, uint64_t whole)
{
    char text[32];
    const double ratio = whole != 0 ? (double)part / (double)whole : 0;
    for (int digits = 6; digits <= 17; ++digits) {
        (void)snprintf(text, sizeof text, "%.*g", digits, ratio);
        if (strtod(text, NULL) == ratio) {
            break;
        }
    }
    cevm_json_put_raw(w, text, strlen(text));
}

/** Fees of the blocks and of the one that follows. */
static void put_fees(const history *h, bool of_blobs)
{
    cevm_json_writer *w = h->call->out;
    cevm_json_begin_array(w);
    for (uint64_t n = h->oldest; n <= h->newest; ++n) {
        const cevm_record *record = record_of(h, n);
        cevm_u256 fee = record->block.header.base_fee;
        if (of_blobs) {
            cevm_record_blob_fee(&fee, record);
        }
        cevm_json_put_quantity256(w, &fee);
    }
    cevm_u256 base_fee;
    cevm_u256 blob_base_fee;
    cevm_next_fees(&base_fee, &blob_base_fee, h->view.world, h->view.record);
    cevm_json_put_quantity256(w, of_blobs ? &blob_base_fee : &base_fee);
    cevm_json_end_array(w);
}

static void put_ratios(const history *h, bool of_blobs)
{
    cevm_json_writer *w = h->call->out;
    cevm_json_begin_array(w);
    for (uint64_t n = h->oldest; n <= h->newest; ++n) {
        const cevm_record *record = record_of(h, n);
        const cevm_header *header = &record->block.header;
        if (of_blobs) {
            put_ratio(w, header->blob_gas_used, record->env.max_blobs * GAS_PER_BLOB);
        } else {
            put_ratio(w, header->gas_used, header->gas_limit);
        }
    }
    cevm_json_end_array(w);
}

static bool put_rewards(const history *h)
{
    cevm_json_writer *w = h->call->out;
    cevm_u256 rewards[CEVM_FEE_HISTORY_PERCENTILES];
    cevm_json_begin_array(w);
    for (uint64_t n = h->oldest; n <= h->newest; ++n) {
        const cevm_err err = cevm_fee_percentiles(rewards, record_of(h, n), h->percentiles, h->percentile_count,
                                                  cevm_node_allocator(h->call->node));
        if (err != CEVM_OK) {
            return cevm_rpc_fail_err(h->call, err);
        }
        cevm_json_begin_array(w);
        for (size_t i = 0; i < h->percentile_count; ++i) {
            cevm_json_put_quantity256(w, &rewards[i]);
        }
        cevm_json_end_array(w);
    }
    cevm_json_end_array(w);
    return true;
}

void cevm_rpc_eth_feeHistory(cevm_rpc_call *call)
{
    history h;
    cevm_json_writer *w = call->out;
    if (!open_history(&h, call)) {
        return;
    }
    cevm_json_begin_object(w);
    cevm_shape_quantity(w, "oldestBlock", h.oldest);
    cevm_json_put_key(w, "baseFeePerGas");
    put_fees(&h, false);
    cevm_json_put_key(w, "gasUsedRatio");
    put_ratios(&h, false);
    cevm_json_put_key(w, "baseFeePerBlobGas");
    put_fees(&h, true);
    cevm_json_put_key(w, "blobGasUsedRatio");
    put_ratios(&h, true);
    bool ok = true;
    if (h.percentile_count != 0) {
        cevm_json_put_key(w, "reward");
        ok = put_rewards(&h);
    }
    if (ok) {
        cevm_json_end_object(w);
    }
    cevm_view_close(&h.view);
}
