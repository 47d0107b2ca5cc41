/* SPDX-License-Identifier: Apache-2.0 */
/* What the trace_ methods share. */
#include "rpc/trace_parity.h"

#include <inttypes.h>
#include <stdio.h>

#include "chain/payments.h"
#include "rpc/trace_config.h"

/* ---- Kinds of trace ------------------------------------------------------------------------------------------------ */

bool cevm_trace_parts_read(cevm_parity_parts *out, cevm_rpc_call *call, const json_t *value, const char *what)
{
    size_t i;
    json_t *item;
    *out = (cevm_parity_parts){.trace = false};
    if (!json_is_array(value)) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS,
                             "%s wants an array of \"trace\", \"stateDiff\" and \"vmTrace\"", what);
    }
    json_array_foreach(value, i, item)
    {
        const char *name = json_is_string(item) ? json_string_value(item) : "";
        if (strcmp(name, "trace") == 0) {
            out->trace = true;
        } else if (strcmp(name, "stateDiff") == 0) {
            out->state_diff = true;
        } else if (strcmp(name, "vmTrace") == 0) {
            out->vm_trace = true;
        } else {
            return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS,
                                 "unknown kind of trace \"%.40s\" in %s; there are trace, stateDiff, vmTrace", name,
                                 what);
        }
    }
    return true;
}

cevm_trace *cevm_trace_parts_make(const cevm_parity_parts *parts, cevm_rpc_call *call, cevm_state *state,
                                  const cevm_trace_context *context, volatile bool *stop)
{
    cevm_trace *trace = NULL;
    const cevm_trace_request request = cevm_trace_request_of(call, state, context, stop);
    const cevm_err err = cevm_parity_create(&trace, &request, parts);
    if (err != CEVM_OK) {
        (void)cevm_rpc_fail_err(call, err);
    }
    return trace;
}

/* ---- Entries of a block -------------------------------------------------------------------------------------------- */

typedef struct entries {
    const cevm_parity_list *list;
    bool (*more)(void *user);
} entries;

static cevm_trace *make_list(cevm_trace_run *run, const cevm_trace_context *context)
{
    const entries *e = run->user;
    cevm_trace *trace = NULL;
    const cevm_trace_request request = cevm_trace_request_of(run->call, run->bench.state, context, &run->stop);
    const cevm_err err = cevm_parity_list_create(&trace, &request, e->list);
    if (err != CEVM_OK) {
        (void)cevm_rpc_fail_err(run->call, err);
    }
    return trace;
}

static bool list_goes_on(cevm_trace_run *run)
{
    const entries *e = run->user;
    return e->more == NULL || e->more(e->list->user);
}

static void put_reward(cevm_rpc_call *call, const cevm_record *record, const cevm_parity_list *list,
                       const cevm_parity_reward *reward)
{
    const cevm_trace_context context = {
        .has_block = true, .block_hash = record->block.hash, .block_number = record->block.header.number};
    const cevm_parity_entry entry = {.to = &reward->author};
    if (list->wants == NULL || list->wants(list->user, &entry)) {
        cevm_parity_put_reward(call->out, &context, reward);
    }
}

/* Who was paid for the block: its author, then those of its ommers. Nobody is after the merge, nor for the first block. */
static void put_rewards(cevm_rpc_call *call, const cevm_record *record, const cevm_parity_list *list)
{
    const cevm_block *block = &record->block;
    cevm_u256 worth;
    if (record->is_merged || record->before == NULL) {
        return;
    }
    cevm_block_reward(&worth, record->fork);
    const cevm_parity_reward own = {
        .author = block->header.coinbase, .value = cevm_author_payment(&worth, block->ommer_count), .type = "block"};
    put_reward(call, record, list, &own);
    for (size_t i = 0; i < block->ommer_count; ++i) {
        const cevm_header *ommer = &block->ommers[i];
        const cevm_parity_reward theirs = {.author = ommer->coinbase,
                                           .value = cevm_ommer_payment(&worth, block->header.number - ommer->number),
                                           .type = "uncle"};
        put_reward(call, record, list, &theirs);
    }
}

bool cevm_trace_put_block(cevm_rpc_call *call, cevm_world *world, cevm_record *record, const cevm_parity_list *list,
                          uint64_t deadline_ns, bool (*more)(void *user))
{
    entries e = {.list = list, .more = more};
    cevm_trace_run run = {
        .call = call, .deadline_ns = deadline_ns, .all = true, .make = make_list, .done = list_goes_on, .user = &e};
    if (record->block.tx_count != 0 && !cevm_trace_run_block(&run, world, record)) {
        return false;
    }
    put_rewards(call, record, list);
    return true;
}

bool cevm_trace_put_transaction(cevm_rpc_call *call, cevm_world *world, const cevm_tx_place *place,
                                const cevm_parity_list *list)
{
    entries e = {.list = list};
    cevm_trace_run run = {
        .call = call, .deadline_ns = cevm_call_deadline(call), .index = place->index, .make = make_list, .user = &e};
    return cevm_trace_run_block(&run, world, place->record);
}

/* ---- A fork -------------------------------------------------------------------------------------------------------- */

bool cevm_trace_asks_remote(cevm_rpc_call *call, const cevm_world *world, const cevm_record *record)
{
    char number[24];
    if (cevm_node_remote(call->node) == NULL || record != cevm_world_block(world, world->first)) {
        return false;
    }
    (void)snprintf(number, sizeof number, "0x%" PRIx64, record->block.header.number);
    if (json_array_set_new(call->params, 0, json_string(number)) != 0) {
        return !cevm_rpc_fail_err(call, CEVM_ERR_NOMEM);
    }
    return cevm_remote_passthrough(call);
}
