/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions and calls executed under a trace. */
#include "rpc/trace_run.h"

#include "rpc/trace_config.h"
#include "rpc/tx_reason.h"

cevm_vm *cevm_trace_vm(cevm_rpc_call *call, const cevm_precompile_moves *moves, uint64_t deadline_ns,
                       const volatile bool *stop)
{
    cevm_rpc_call stoppable = *call;
    stoppable.cancel = stop;
    cevm_vm *vm = cevm_call_vm(&stoppable, moves, deadline_ns);
    if (vm == NULL) {
        call->error = stoppable.error;
    }
    return vm;
}

/* What went wrong with the execution, unless the trace knows better. */
static bool fail_trace(cevm_rpc_call *call, cevm_trace *trace, cevm_err err)
{
    if (trace != NULL) {
        cevm_err own = cevm_trace_failure(trace);
        (void)cevm_trace_abort(trace, cevm_err_string(own != CEVM_OK ? own : err));
        err = own != CEVM_OK ? own : err;
    }
    return cevm_trace_fail_call(call, err);
}

/* ---- Transactions of a block --------------------------------------------------------------------------------------- */

static cevm_trace_context context_of(const cevm_record *record, size_t index)
{
    return (cevm_trace_context){.has_block = true,
                                .block_hash = record->block.hash,
                                .block_number = record->block.header.number,
                                .has_tx = true,
                                .tx_hash = record->hashes[index],
                                .tx_index = index,
                                .log_index = record->receipts[index].first_log};
}

static const cevm_tracer *watch(void *user, size_t index)
{
    cevm_trace_run *r = user;
    const cevm_record *record = r->bench.record;
    if ((!r->all && index != r->index) || r->call->error.code != 0) {
        return NULL;
    }
    const cevm_trace_context context = context_of(record, index);
    r->trace = r->make(r, &context);
    if (r->trace == NULL) {
        return NULL;
    }
    cevm_err err = cevm_trace_begin(r->trace, record->block.txs[index], &r->bench.env);
    if (err != CEVM_OK) {
        (void)cevm_rpc_fail_err(r->call, err);
        return NULL;
    }
    return cevm_trace_hooks(r->trace);
}

static bool finish(void *user, size_t index, const cevm_receipt *receipt)
{
    cevm_trace_run *r = user;
    (void)index;
    if (r->trace == NULL) { /* one that comes before, or the call has failed */
        return r->call->error.code == 0;
    }
    cevm_err err = cevm_trace_finish(r->trace, receipt);
    if (err != CEVM_OK) {
        (void)cevm_trace_fail_call(r->call, err);
    }
    bool more = r->all;
    if (r->done != NULL) {
        more = r->done(r) && more;
    }
    cevm_trace_destroy(r->trace);
    r->trace = NULL;
    return err == CEVM_OK && more;
}

bool cevm_trace_run_block(cevm_trace_run *run, cevm_world *world, cevm_record *record)
{
    cevm_rpc_call *call = run->call;
    if (record->before == NULL) {
        return cevm_rpc_fail(call, CEVM_RPC_SERVER, "genesis is not traceable");
    }
    cevm_err err = cevm_workbench_open_before(&run->bench, call->node, world, record);
    if (err != CEVM_OK) {
        return cevm_rpc_fail_err(call, err);
    }
    cevm_vm *vm = cevm_trace_vm(call, NULL, run->deadline_ns, &run->stop);
    if (vm != NULL) {
        run->bench.vm = vm;
        err = cevm_workbench_replay(&run->bench, watch, finish, run);
        if (err != CEVM_OK) {
            (void)fail_trace(call, run->trace, err);
        }
        cevm_trace_destroy(run->trace);
        run->trace = NULL;
        cevm_vm_destroy(vm);
    }
    cevm_workbench_close(&run->bench);
    return call->error.code == 0;
}

/* ---- A call -------------------------------------------------------------------------------------------------------- */

static bool refuse_call(cevm_trial *trial, cevm_tx_error reason, const cevm_account_info *sender)
{
    char text[CEVM_TX_REASON_SIZE];
    cevm_tx_reason_describe(text, reason, &trial->args.tx, &trial->env, sender);
    return cevm_rpc_fail(trial->call, CEVM_RPC_SERVER, "tracing failed: %s", text);
}

bool cevm_trace_run_call(cevm_trial *trial, cevm_trace *trace, cevm_vm *vm)
{
    cevm_state *state = trial->bench.state;
    cevm_tx *tx = &trial->args.tx;
    cevm_account_info sender;
    cevm_receipt receipt;
    cevm_tx_error reason = CEVM_TX_NONE;
    cevm_err err = cevm_state_overrides_apply(&trial->overrides, state, trial->env.fork);
    if (err == CEVM_OK) {
        err = cevm_state_get_account(state, &sender, &tx->sender);
    }
    if (err != CEVM_OK) {
        return cevm_rpc_fail_err(trial->call, err);
    }
    tx->nonce = sender.nonce;
    err = cevm_trace_begin(trace, tx, &trial->env);
    if (err == CEVM_OK) {
        err = cevm_tx_apply(vm, state, &receipt, &reason, tx, &trial->env, NULL, cevm_trace_hooks(trace));
    }
    if (err != CEVM_OK) {
        return fail_trace(trial->call, trace, err);
    }
    if (reason != CEVM_TX_NONE) {
        return refuse_call(trial, reason, &sender);
    }
    err = cevm_trace_finish(trace, &receipt);
    return err == CEVM_OK || cevm_trace_fail_call(trial->call, err);
}
