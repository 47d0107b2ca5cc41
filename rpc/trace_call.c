/* SPDX-License-Identifier: Apache-2.0 */
/* Traces of what was not executed, in Parity's manner: trace_call, trace_callMany, trace_rawTransaction. */
#include <stdio.h>

#include "rpc/methods.h"
#include "rpc/trace_parity.h"

enum { MAX_CALLS = 1000 };

/** Executes the trial's transaction on the state as it is, and writes its trace. False: the call failed. */
static bool put_trace(cevm_trial *trial, const cevm_parity_parts *parts, uint64_t deadline_ns)
{
    cevm_rpc_call *call = trial->call;
    const cevm_record *record = trial->view.record;
    volatile bool stop = false;
    const cevm_trace_context context = {
        .has_block = !trial->view.is_pending, .block_hash = record->block.hash, .block_number = trial->env.number};
    cevm_vm *vm = cevm_trace_vm(call, &trial->moves, deadline_ns, &stop);
    cevm_trace *trace = vm != NULL ? cevm_trace_parts_make(parts, call, trial->bench.state, &context, &stop) : NULL;
    const bool ok = trace != NULL && cevm_trace_run_call(trial, trace, vm);
    cevm_trace_destroy(trace);
    cevm_vm_destroy(vm);
    return ok;
}

void cevm_rpc_trace_call(cevm_rpc_call *call)
{
    static const cevm_trial_params params = {.block = 2, .state_overrides = 3, .block_overrides = 4};
    cevm_parity_parts parts;
    cevm_trial trial;
    if (cevm_trace_parts_read(&parts, call, cevm_rpc_param(call, 1), "parameter 2") &&
        cevm_trial_open(&trial, call, &params)) {
        (void)put_trace(&trial, &parts, cevm_call_deadline(call));
        cevm_trial_close(&trial);
    }
}

/* ---- trace_callMany ------------------------------------------------------------------------------------------------ */

/** [call, kinds] of one call; all of them are looked at before anything is executed. */
static bool read_pair(json_t **object, cevm_parity_parts *parts, cevm_rpc_call *call, const json_t *pair)
{
    *object = json_array_get(pair, 0);
    if (json_array_size(pair) != 2 || !json_is_object(*object)) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS,
                             "each call is an array of a transaction object and the kinds of trace");
    }
    return cevm_trace_parts_read(parts, call, json_array_get(pair, 1), "a call");
}

static bool check_calls(cevm_rpc_call *call, const json_t *calls)
{
    json_t *object = NULL;
    cevm_parity_parts parts;
    const size_t count = json_array_size(calls);
    if (count > MAX_CALLS) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "too many calls: %zu, at most %d are allowed", count,
                             (int)MAX_CALLS);
    }
    bool ok = true;
    for (size_t i = 0; i < count && ok; ++i) {
        ok = read_pair(&object, &parts, call, json_array_get(calls, i));
    }
    return ok;
}

/** A trial of the first call: it is shown as parameter 0, where a trial looks for it. */
static bool open_first(cevm_trial *out, cevm_rpc_call *call, json_t *object)
{
    static const cevm_trial_params params = {.block = 1};
    json_t *shown = json_array();
    json_t *block = cevm_rpc_param(call, 1);
    const bool ok = shown != NULL && json_array_append(shown, object) == 0 &&
                    (block == NULL || json_array_append(shown, block) == 0);
    return cevm_trial_open_shown(out, call, &params, shown, ok);
}

/** Which of the calls it was that failed, counted from 1. */
static void name_failure(cevm_rpc_call *call, size_t index)
{
    char text[sizeof call->error.message];
    memcpy(text, call->error.message, sizeof text);
    (void)snprintf(call->error.message, sizeof call->error.message, "call %zu: %.900s", index + 1, text);
}

void cevm_rpc_trace_callMany(cevm_rpc_call *call)
{
    const json_t *calls = cevm_rpc_param(call, 0);
    const size_t count = json_array_size(calls);
    const uint64_t deadline_ns = cevm_call_deadline(call);
    json_t *object = NULL;
    cevm_parity_parts parts;
    cevm_trial trial;
    if (!check_calls(call, calls)) {
        return;
    }
    cevm_json_begin_array(call->out);
    bool ok =
        count == 0 || (read_pair(&object, &parts, call, json_array_get(calls, 0)) && open_first(&trial, call, object));
    const bool is_open = ok && count != 0;
    for (size_t i = 0; i < count && ok; ++i) {
        ok = read_pair(&object, &parts, call, json_array_get(calls, i)) &&
             (i == 0 || cevm_trial_next(&trial, object)) && put_trace(&trial, &parts, deadline_ns);
        if (!ok) {
            name_failure(call, i);
        }
    }
    if (is_open) {
        cevm_trial_close(&trial);
    }
    if (ok) {
        cevm_json_end_array(call->out);
    }
}

/* ---- trace_rawTransaction ------------------------------------------------------------------------------------------ */

/** The bytes of an array of numbers: so Foundry's cast sends a transaction. */
static bool read_bytes(cevm_bytes *out, cevm_rpc_call *call, const json_t *array)
{
    const size_t count = json_array_size(array);
    uint8_t *bytes = cevm_arena_alloc(call->arena, count != 0 ? count : 1);
    if (bytes == NULL) {
        return cevm_rpc_fail_err(call, CEVM_ERR_NOMEM);
    }
    for (size_t i = 0; i < count; ++i) {
        const json_t *item = json_array_get(array, i);
        const json_int_t value = json_is_integer(item) ? json_integer_value(item) : -1;
        if (value < 0 || value > UINT8_MAX) {
            return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "invalid transaction: a list of bytes is wanted");
        }
        bytes[i] = (uint8_t)value;
    }
    *out = (cevm_bytes){bytes, count};
    return true;
}

/** Decodes and recovers the sender. False: the call failed. */
static bool read_raw(cevm_tx **out, cevm_rpc_call *call)
{
    const cevm_allocator *allocator = cevm_node_allocator(call->node);
    cevm_bytes raw;
    cevm_tx_error reason = CEVM_TX_NONE;
    *out = NULL;
    json_t *given = cevm_rpc_param(call, 0);
    if (json_is_array(given) ? !read_bytes(&raw, call, given) : !cevm_rpc_read_data(&raw, call, given, "transaction")) {
        return false;
    }
    cevm_err err = cevm_tx_decode(out, &reason, raw, allocator);
    if (err == CEVM_OK) {
        err = cevm_tx_recover_sender(*out, &reason, CEVM_LATEST, allocator);
    }
    if (err == CEVM_ERR_ENCODING || (err == CEVM_OK && reason != CEVM_TX_NONE)) {
        (void)cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "invalid transaction: %s", cevm_tx_error_name(reason));
    } else if (err != CEVM_OK) {
        (void)cevm_rpc_fail_err(call, err);
    }
    return call->error.code == 0;
}

/** In the block that comes next, where it would be mined; its nonce may be any. */
void cevm_rpc_trace_rawTransaction(cevm_rpc_call *call)
{
    static const cevm_trial_params params = {.block = 2, .in_next_block = true};
    cevm_parity_parts parts;
    cevm_trial trial;
    cevm_tx *tx = NULL;
    if (cevm_trace_parts_read(&parts, call, cevm_rpc_param(call, 1), "parameter 2") && read_raw(&tx, call) &&
        cevm_trial_open_tx(&trial, call, &params, tx)) {
        (void)put_trace(&trial, &parts, cevm_call_deadline(call));
        cevm_trial_close(&trial);
    }
    cevm_tx_destroy(tx, cevm_node_allocator(call->node));
}
