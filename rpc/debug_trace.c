/* SPDX-License-Identifier: Apache-2.0 */
/* Traces of what was executed and of calls: debug_traceTransaction, debug_traceBlock…, debug_traceCall. */
#include <cevm/crypto.h>
#include <cevm/hex.h>

#include "rpc/debug_block.h"
#include "rpc/find.h"
#include "rpc/methods.h"
#include "rpc/trace_config.h"
#include "rpc/trace_run.h"
#include "state/rlp.h"

/* What a request about transactions says. */
typedef struct wanted {
    const cevm_trace_config *config;
    bool all; /* of the block: each as {"txHash", "result"} */
} wanted;

static cevm_trace *make(cevm_trace_run *run, const cevm_trace_context *context)
{
    const wanted *w = run->user;
    if (w->all) {
        cevm_json_begin_object(run->call->out);
        cevm_json_put_key(run->call->out, "txHash");
        cevm_json_put_hash(run->call->out, &context->tx_hash);
        cevm_json_put_key(run->call->out, "result");
    }
    return cevm_trace_config_make(w->config, run->call, run->bench.state, context, &run->stop);
}

static bool done(cevm_trace_run *run)
{
    cevm_json_end_object(run->call->out);
    return true;
}

/* Whether the options make a trace: asked before anything is executed or written. */
static bool check_config(const cevm_trace_config *config, cevm_rpc_call *call)
{
    cevm_trace_context context = {0};
    cevm_trace *trace = cevm_trace_config_make(config, call, NULL, &context, NULL);
    cevm_trace_destroy(trace);
    return trace != NULL;
}

/* Executes a block again and writes the trace of one transaction of it. */
static void trace_one(cevm_rpc_call *call, const cevm_trace_config *config, cevm_world *world,
                      const cevm_tx_place *place)
{
    wanted w = {.config = config};
    cevm_trace_run run = {
        .call = call, .deadline_ns = config->deadline_ns, .index = place->index, .make = make, .user = &w};
    (void)cevm_trace_run_block(&run, world, place->record);
}

static void trace_block(cevm_rpc_call *call, cevm_world *world, cevm_record *record)
{
    cevm_trace_config config;
    if (!cevm_trace_config_read(&config, call, cevm_rpc_param(call, 1), false)) {
        return;
    }
    if (check_config(&config, call)) {
        wanted w = {.config = &config, .all = true};
        cevm_trace_run run = {
            .call = call, .deadline_ns = config.deadline_ns, .all = true, .make = make, .done = done, .user = &w};
        cevm_json_begin_array(call->out);
        if (cevm_trace_run_block(&run, world, record)) {
            cevm_json_end_array(call->out);
        }
    }
    cevm_trace_config_free(&config);
}

void cevm_rpc_debug_traceTransaction(cevm_rpc_call *call)
{
    cevm_hash hash;
    cevm_trace_config config;
    if (!cevm_rpc_read_hash(&hash, call, cevm_rpc_param(call, 0), "transaction hash") ||
        !cevm_trace_config_read(&config, call, cevm_rpc_param(call, 1), false)) {
        return;
    }
    cevm_world *world = cevm_node_world(call->node);
    const cevm_tx_place *place = cevm_world_tx(world, &hash);
    if (place != NULL) {
        if (check_config(&config, call)) {
            trace_one(call, &config, world, place);
        }
    } else if (cevm_world_pooled(world, &hash) != NULL) {
        (void)cevm_rpc_fail(call, CEVM_RPC_SERVER,
                            "transaction not found: it waits in the pool and was not executed yet");
    } else if (!cevm_remote_passthrough(call)) {
        (void)cevm_rpc_fail(call, CEVM_RPC_SERVER, "transaction not found");
    }
    cevm_world_release(world);
    cevm_trace_config_free(&config);
}

void cevm_rpc_debug_traceBlockByNumber(cevm_rpc_call *call)
{
    cevm_view view;
    if (!cevm_debug_open_block(&view, call, 0)) {
        return;
    }
    trace_block(call, view.world, view.record);
    cevm_view_close(&view);
}

static void trace_block_of_hash(cevm_rpc_call *call, const cevm_hash *hash)
{
    cevm_view view;
    cevm_view_open_hash(&view, call, hash);
    if (view.record != NULL) {
        trace_block(call, view.world, view.record);
    } else if (!cevm_remote_passthrough(call)) {
        char text[65];
        cevm_hex_encode(text, hash->bytes, sizeof hash->bytes);
        (void)cevm_rpc_fail(call, CEVM_RPC_SERVER, "block 0x%s not found", text);
    }
    cevm_view_close(&view);
}

void cevm_rpc_debug_traceBlockByHash(cevm_rpc_call *call)
{
    cevm_hash hash;
    if (cevm_rpc_read_hash(&hash, call, cevm_rpc_param(call, 0), "block hash")) {
        trace_block_of_hash(call, &hash);
    }
}

/* A block as RLP: it has to be one of this chain's, for only their states are known. */
void cevm_rpc_debug_traceBlock(cevm_rpc_call *call)
{
    cevm_bytes rlp;
    cevm_rlp_item block;
    cevm_rlp_item header;
    cevm_hash hash;
    if (!cevm_rpc_read_data(&rlp, call, cevm_rpc_param(call, 0), "block")) {
        return;
    }
    cevm_bytes cursor = rlp;
    bool ok = cevm_rlp_next(&cursor, &block) && block.is_list && cursor.size == 0;
    cursor = ok ? block.payload : (cevm_bytes){NULL, 0};
    if (!ok || !cevm_rlp_next(&cursor, &header) || !header.is_list) {
        (void)cevm_rpc_fail(call, CEVM_RPC_SERVER, "could not decode block: it is no RLP of one");
        return;
    }
    cevm_keccak256(&hash, header.whole.data, header.whole.size);
    trace_block_of_hash(call, &hash);
}

/* ---- debug_traceCall ----------------------------------------------------------------------------------------------- */

/* Hooks of no tracer, for the transactions that come before the place of the call. */
static const cevm_tracer *watch_nothing(void *user, size_t index)
{
    (void)user;
    (void)index;
    return NULL;
}

static bool is_not_last(void *user, size_t index, const cevm_receipt *receipt)
{
    (void)receipt;
    return index + 1 < *(const uint64_t *)user;
}

/* Takes the state to what it was before a transaction of the block. */
static bool go_to_index(cevm_trial *trial, const cevm_trace_config *config)
{
    cevm_rpc_call *call = trial->call;
    cevm_record *record = trial->view.record;
    uint64_t index = config->tx_index;
    if (index > record->block.tx_count || record->before == NULL) {
        return cevm_rpc_fail(call, CEVM_RPC_SERVER, "transaction index %llu out of range for block of %zu transactions",
                             (unsigned long long)index, record->block.tx_count);
    }
    const cevm_block_env env = trial->env;
    cevm_workbench_close(&trial->bench);
    cevm_err err = cevm_workbench_open_before(&trial->bench, call->node, trial->view.world, record);
    if (err != CEVM_OK) {
        return cevm_rpc_fail_err(call, err);
    }
    trial->env = env;
    if (index != 0) {
        err = cevm_workbench_replay(&trial->bench, watch_nothing, is_not_last, &index);
    }
    return err == CEVM_OK || cevm_trace_fail_call(call, err);
}

static void trace_trial(cevm_trial *trial, const cevm_trace_config *config)
{
    cevm_rpc_call *call = trial->call;
    const cevm_record *record = trial->view.record;
    volatile bool stop = false;
    if (config->has_tx_index && !go_to_index(trial, config)) {
        return;
    }
    cevm_vm *vm = cevm_trace_vm(call, &trial->moves, config->deadline_ns, &stop);
    if (vm == NULL) {
        return;
    }
    const cevm_trace_context context = {
        .has_block = !trial->view.is_pending, .block_hash = record->block.hash, .block_number = trial->env.number};
    cevm_trace *trace = cevm_trace_config_make(config, call, trial->bench.state, &context, &stop);
    if (trace != NULL) {
        (void)cevm_trace_run_call(trial, trace, vm);
        cevm_trace_destroy(trace);
    }
    cevm_vm_destroy(vm);
}

/*
 * The overrides stand in the options and not among the parameters, where a trial looks for them: it is shown them there. Any
 * of the two may be missing.
 */
static bool open_trial(cevm_trial *out, cevm_rpc_call *call, const cevm_trace_config *config)
{
    static const cevm_trial_params params = {.block = 1, .state_overrides = 2, .block_overrides = 3};
    json_t *block = cevm_rpc_param(call, 1);
    json_t *shown = json_array();
    bool ok = shown != NULL && json_array_append(shown, cevm_rpc_param(call, 0)) == 0;
    json_t *rest[] = {block, config->state_overrides, config->block_overrides};
    for (size_t i = 0; i < sizeof rest / sizeof rest[0] && ok; ++i) {
        ok = (rest[i] != NULL ? json_array_append(shown, rest[i]) : json_array_append_new(shown, json_null())) == 0;
    }
    return cevm_trial_open_shown(out, call, &params, shown, ok);
}

void cevm_rpc_debug_traceCall(cevm_rpc_call *call)
{
    cevm_trace_config config;
    cevm_trial trial;
    if (!cevm_trace_config_read(&config, call, cevm_rpc_param(call, 2), true)) {
        return;
    }
    if (check_config(&config, call) && open_trial(&trial, call, &config)) {
        trace_trial(&trial, &config);
        cevm_trial_close(&trial);
    }
    cevm_trace_config_free(&config);
}
