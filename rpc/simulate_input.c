/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "rpc/member.h"
#include "rpc/simulate.h"

static bool read_block(cevm_simulate_block *out, cevm_rpc_call *call, json_t *object)
{
    if (!json_is_object(object)) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "invalid blockStateCalls: an array of objects is wanted");
    }
    json_t *calls = cevm_member(object, "calls");
    if (calls != NULL && !json_is_array(calls)) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "invalid calls: an array is wanted");
    }
    out->calls = calls;
    return cevm_block_overrides_read(&out->overrides, call, cevm_member(object, "blockOverrides")) &&
           cevm_state_overrides_read(&out->state, call, cevm_member(object, "stateOverrides"));
}

/** Where the next block goes. */
typedef struct cursor {
    uint64_t base;
    uint64_t number; /* of the block before */
    uint64_t timestamp;
} cursor;

static bool too_many(cevm_rpc_call *call)
{
    return cevm_rpc_fail(call, CEVM_SIMULATE_TOO_MANY, "too many blocks: at most %d can be simulated",
                         (int)CEVM_SIMULATE_MAX_BLOCKS);
}

/** Blocks that nobody asked for between the one before and `number`. */
static bool fill_gap(cevm_simulate_input *out, cevm_rpc_call *call, cursor *at, uint64_t number)
{
    while (at->number + 1 < number) {
        if (at->timestamp > UINT64_MAX - CEVM_SIMULATE_BLOCK_SECONDS) {
            return cevm_rpc_fail(call, CEVM_SIMULATE_TIMESTAMP, "block timestamps overflow");
        }
        ++at->number;
        at->timestamp += CEVM_SIMULATE_BLOCK_SECONDS;
        out->blocks[out->count++] = (cevm_simulate_block){
            .overrides = {.has_number = true, .number = at->number, .has_time = true, .time = at->timestamp}};
    }
    return true;
}

/** Gives the block its number and time and puts it behind the others. */
static bool place(cevm_simulate_input *out, cevm_rpc_call *call, cursor *at, const cevm_simulate_block *given)
{
    cevm_simulate_block block = *given;
    cevm_block_overrides *o = &block.overrides;
    const uint64_t number = o->has_number ? o->number : at->number + 1;
    if (number <= at->number) {
        return cevm_rpc_fail(call, CEVM_SIMULATE_BLOCK_NUMBER,
                             "block numbers must be in order: %" PRIu64 " <= %" PRIu64, number, at->number);
    }
    if (number - at->base > CEVM_SIMULATE_MAX_BLOCKS) {
        return too_many(call);
    }
    if (!fill_gap(out, call, at, number)) {
        return false;
    }
    if (!o->has_time) {
        o->time = at->timestamp <= UINT64_MAX - CEVM_SIMULATE_BLOCK_SECONDS
                      ? at->timestamp + CEVM_SIMULATE_BLOCK_SECONDS
                      : at->timestamp;
    }
    if (o->time <= at->timestamp) {
        return cevm_rpc_fail(call, CEVM_SIMULATE_TIMESTAMP,
                             "block timestamps must be in order: %" PRIu64 " <= %" PRIu64, o->time, at->timestamp);
    }
    o->number = at->number = number;
    o->has_number = o->has_time = true;
    at->timestamp = o->time;
    out->blocks[out->count++] = block;
    return true;
}

bool cevm_simulate_input_read(cevm_simulate_input *out, cevm_rpc_call *call, const cevm_header *base)
{
    const json_t *object = cevm_rpc_param(call, 0);
    const json_t *list = cevm_member(object, "blockStateCalls");
    cursor at = {.base = base->number, .number = base->number, .timestamp = base->timestamp};
    *out = (cevm_simulate_input){.count = 0};
    if (!cevm_member_flag(&out->traces_transfers, call, object, "traceTransfers") ||
        !cevm_member_flag(&out->validates, call, object, "validation") ||
        !cevm_member_flag(&out->shows_transactions, call, object, "returnFullTransactions")) {
        return false;
    }
    if (json_array_size(list) == 0) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "empty input: blockStateCalls has no block");
    }
    if (json_array_size(list) > CEVM_SIMULATE_MAX_BLOCKS || base->number > UINT64_MAX - CEVM_SIMULATE_MAX_BLOCKS) {
        return too_many(call);
    }
    out->blocks = cevm_arena_array(call->arena, CEVM_SIMULATE_MAX_BLOCKS, sizeof *out->blocks);
    if (out->blocks == NULL) {
        return cevm_rpc_fail_err(call, CEVM_ERR_NOMEM);
    }
    for (size_t i = 0; i < json_array_size(list); ++i) {
        cevm_simulate_block block = {.calls = NULL};
        if (!read_block(&block, call, json_array_get(list, i)) || !place(out, call, &at, &block)) {
            return false;
        }
    }
    return true;
}
