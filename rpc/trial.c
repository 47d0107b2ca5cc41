/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/trial.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "chain/validate.h"
#include "evm/u256.h"
#include "rpc/tx_reason.h"
#include "trace/revert_reason.h"

#define DEFAULT_GAS_CAP    50000000u
#define DEFAULT_TIMEOUT_MS 5000u

/* ---- Limits -------------------------------------------------------------------------------------------------------- */

uint64_t cevm_trial_gas_cap(const cevm_node_options *options)
{
    return options->call_gas_limit != 0 ? options->call_gas_limit : DEFAULT_GAS_CAP;
}

uint64_t cevm_call_deadline(const cevm_rpc_call *call)
{
    const cevm_node_options *options = cevm_node_get_options(call->node);
    const uint64_t timeout_ms = options->call_timeout_ms != 0 ? options->call_timeout_ms : DEFAULT_TIMEOUT_MS;
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    const uint64_t end = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec + timeout_ms * 1000000u;
    return call->deadline_ns != 0 && call->deadline_ns < end ? call->deadline_ns : end;
}

/* ---- Opening ------------------------------------------------------------------------------------------------------- */

cevm_vm *cevm_call_vm(cevm_rpc_call *call, const cevm_precompile_moves *moves, uint64_t deadline_ns)
{
    const cevm_node_options *options = cevm_node_get_options(call->node);
    cevm_vm *vm = NULL;
    const cevm_vm_config config = {
        .struct_size = sizeof config,
        .allocator = cevm_node_allocator(call->node),
        .memory_limit = options->call_memory != 0 ? options->call_memory : (size_t)1 << 30,
        .deadline_ns = deadline_ns,
        .cancel = call->cancel,
        .precompile_changes = moves != NULL ? moves->changes : NULL,
        .precompile_change_count = moves != NULL ? moves->count : 0,
        .max_code_size = (size_t)options->code_size_limit,
    };
    const cevm_err err = cevm_vm_create(&vm, &config);
    if (err != CEVM_OK) {
        (void)cevm_rpc_fail_err(call, err);
        return NULL;
    }
    return vm;
}

static json_t *param(const cevm_rpc_call *call, size_t index)
{
    return index != 0 ? cevm_rpc_param(call, index) : NULL;
}

/**
 * A call that pays nothing sees a base fee of zero, so that a contract which looks at prices finds none that contradict
 * each other; geth does the same.
 */
static void settle_fees(cevm_trial *trial)
{
    const cevm_tx *tx = &trial->args.tx;
    const cevm_u256 zero = {{0, 0, 0, 0}};
    if (cevm_u256_is_zero(&tx->max_fee) && cevm_u256_is_zero(&tx->max_priority_fee)) {
        trial->env.base_fee = zero;
    }
    if (cevm_u256_is_zero(&tx->max_fee_per_blob_gas)) {
        trial->env.blob_base_fee = zero;
    }
}

/** The environment of the view's block, or of the one that would come next. */
static void set_env(cevm_trial *trial, bool in_next_block)
{
    const cevm_world *world = trial->view.world;
    cevm_header header;
    bool is_merged = false;
    trial->env = trial->bench.env;
    if (in_next_block && trial->view.is_latest) {
        cevm_world_next_header(&header, &is_merged, world, cevm_node_now(world));
        cevm_header_env(&trial->env, &world->settings.config, &header, is_merged);
    }
}

/** The transaction of the object, complete in the trial's environment. */
static bool settle_args(cevm_trial *trial)
{
    const uint64_t cap = cevm_trial_gas_cap(cevm_node_get_options(trial->call->node));
    if (!cevm_call_args_complete(&trial->args, trial->call, trial->env.chain_id, cap)) {
        return false;
    }
    settle_fees(trial);
    return true;
}

static bool make_vm(cevm_trial *trial)
{
    cevm_rpc_call *call = trial->call;
    if (!cevm_precompile_moves_add(&trial->moves, call, &trial->overrides, trial->env.fork)) {
        return false;
    }
    const uint64_t deadline_ns = cevm_call_deadline(call);
    trial->vm = trial->moves.count == 0 ? trial->bench.vm : cevm_call_vm(call, &trial->moves, deadline_ns);
    if (trial->vm != NULL) {
        cevm_vm_set_deadline(trial->vm, deadline_ns);
        cevm_vm_set_cancel(trial->vm, call->cancel);
    }
    return trial->vm != NULL;
}

/** The block, its state and environment. */
static bool open_place(cevm_trial *trial, const cevm_trial_params *params)
{
    cevm_rpc_call *call = trial->call;
    cevm_block_overrides block;
    if (!cevm_state_overrides_read(&trial->overrides, call, param(call, params->state_overrides)) ||
        !cevm_block_overrides_read(&block, call, param(call, params->block_overrides)) ||
        !cevm_view_open_block(&trial->view, call, param(call, params->block))) {
        return false;
    }
    if (!cevm_view_workbench(&trial->bench, call, &trial->view)) {
        cevm_view_close(&trial->view);
        return false;
    }
    set_env(trial, params->in_next_block);
    cevm_block_overrides_apply(&block, &trial->env);
    return true;
}

static bool close_unless(cevm_trial *trial, bool ok)
{
    if (!ok) {
        cevm_trial_close(trial);
    }
    return ok;
}

bool cevm_trial_open(cevm_trial *out, cevm_rpc_call *call, const cevm_trial_params *params)
{
    *out = (cevm_trial){.call = call};
    return cevm_call_args_read(&out->args, call, cevm_rpc_param(call, 0), CEVM_CALL_LEGACY) &&
           open_place(out, params) && close_unless(out, settle_args(out) && make_vm(out));
}

bool cevm_trial_open_tx(cevm_trial *out, cevm_rpc_call *call, const cevm_trial_params *params, const cevm_tx *tx)
{
    *out = (cevm_trial){.call = call, .args = {.tx = *tx, .has_from = true, .has_gas = true}};
    return open_place(out, params) && close_unless(out, make_vm(out));
}

bool cevm_trial_open_shown(cevm_trial *out, cevm_rpc_call *call, const cevm_trial_params *params, json_t *shown,
                           bool built)
{
    if (shown == NULL || !built) {
        json_decref(shown);
        return cevm_rpc_fail_err(call, CEVM_ERR_NOMEM);
    }
    json_t *given = call->params;
    call->params = shown;
    const bool ok = cevm_trial_open(out, call, params);
    call->params = given;
    json_decref(shown);
    return ok;
}

bool cevm_trial_next(cevm_trial *trial, json_t *object)
{
    /* The one before may have paid nothing: see settle_fees. */
    trial->env.base_fee = trial->bench.env.base_fee;
    trial->env.blob_base_fee = trial->bench.env.blob_base_fee;
    return cevm_call_args_read(&trial->args, trial->call, object, CEVM_CALL_LEGACY) && settle_args(trial);
}

void cevm_trial_close(cevm_trial *trial)
{
    if (trial->vm != trial->bench.vm) {
        cevm_vm_destroy(trial->vm);
    }
    cevm_workbench_close(&trial->bench);
    cevm_view_close(&trial->view);
}

/* ---- Running ------------------------------------------------------------------------------------------------------- */

/** The state as the call finds it: nothing of earlier runs, and the overrides. */
static cevm_err reset(cevm_trial *trial)
{
    if (trial->dirty) {
        cevm_state_discard(trial->bench.state);
    }
    trial->dirty = true;
    return cevm_state_overrides_apply(&trial->overrides, trial->bench.state, trial->env.fork);
}

bool cevm_trial_account(cevm_trial *trial, cevm_account_info *out, const cevm_address *address)
{
    cevm_err err = reset(trial);
    if (err == CEVM_OK) {
        err = cevm_state_get_account(trial->bench.state, out, address);
    }
    return err == CEVM_OK || cevm_rpc_fail_err(trial->call, err);
}

bool cevm_trial_allowance(cevm_trial *trial, uint64_t *gas)
{
    cevm_account_info sender;
    const cevm_tx *tx = &trial->args.tx;
    if (cevm_u256_is_zero(&tx->max_fee)) {
        return true;
    }
    if (!cevm_trial_account(trial, &sender, &tx->sender)) {
        return false;
    }
    cevm_u256 fees = cevm_u256_from_u64(cevm_tx_blob_gas(tx));
    cevm_u256 left = sender.balance;
    if (cevm_u256_mul_overflow(&fees, &fees, &tx->max_fee_per_blob_gas) ||
        u256_add_overflow(&fees, &fees, &tx->value) || u256_lt(&left, &fees)) {
        return true; /* too little even without gas: the run says so */
    }
    left = u256_sub(&left, &fees);
    const cevm_u256 allowance = cevm_u256_div(&left, &tx->max_fee);
    if (cevm_u256_fits_u64(&allowance) && allowance.w[0] < *gas) {
        *gas = allowance.w[0];
    }
    return true;
}

/** A run of which only what it reads counts. */
static cevm_err rehearse(void *user)
{
    cevm_trial *trial = user;
    cevm_account_info sender;
    cevm_trial_outcome outcome;
    cevm_tx *tx = &trial->args.tx;
    cevm_err err = reset(trial);
    if (err == CEVM_OK) {
        err = cevm_state_get_account(trial->bench.state, &sender, &tx->sender);
    }
    if (err == CEVM_OK) {
        tx->nonce = sender.nonce;
        err = cevm_tx_apply(trial->vm, trial->bench.state, &outcome.receipt, &outcome.reason, tx, &trial->env, NULL,
                            NULL);
    }
    cevm_state_discard(trial->bench.state);
    return err;
}

bool cevm_trial_run(cevm_trial *trial, cevm_trial_outcome *out, uint64_t gas, const cevm_tracer *tracer)
{
    cevm_account_info sender;
    trial->args.tx.gas_limit = gas;
    const cevm_err rehearsed = cevm_node_rehearse(trial->call->node, rehearse, trial);
    if (rehearsed != CEVM_OK) {
        return cevm_rpc_fail_err(trial->call, rehearsed);
    }
    cevm_tx *tx = &trial->args.tx;
    if (!cevm_trial_account(trial, &sender, &tx->sender)) {
        return false;
    }
    tx->nonce = sender.nonce; /* whatever was given: addresses of contracts follow from the account's */
    tx->gas_limit = gas;
    const cevm_err err =
        cevm_tx_apply(trial->vm, trial->bench.state, &out->receipt, &out->reason, tx, &trial->env, NULL, tracer);
    return err == CEVM_OK || cevm_rpc_fail_err(trial->call, err);
}

/* ---- What came of it ----------------------------------------------------------------------------------------------- */

void cevm_revert_message(char *out, size_t size, cevm_bytes data)
{
    char scratch[CEVM_REVERT_REASON_SIZE];
    cevm_bytes text;
    if (cevm_revert_reason(&text, scratch, data)) {
        (void)snprintf(out, size, "execution reverted: %.*s", text.size < 800 ? (int)text.size : 800,
                       (const char *)text.data);
    } else {
        (void)snprintf(out, size, "execution reverted");
    }
}

static bool fail_with_reason(cevm_trial *trial, cevm_tx_error reason)
{
    char text[CEVM_TX_REASON_SIZE];
    cevm_account_info sender;
    const uint64_t gas = trial->args.tx.gas_limit;
    if (!cevm_trial_account(trial, &sender, &trial->args.tx.sender)) {
        return false;
    }
    cevm_tx_reason_describe(text, reason, &trial->args.tx, &trial->env, &sender);
    return cevm_rpc_fail(trial->call, cevm_tx_error_rpc_code(reason), "%s (supplied gas %" PRIu64 ")", text, gas);
}

bool cevm_trial_expect_success(cevm_trial *trial, const cevm_trial_outcome *outcome)
{
    if (outcome->reason != CEVM_TX_NONE) {
        return fail_with_reason(trial, outcome->reason);
    }
    const cevm_status status = outcome->receipt.status;
    if (cevm_status_is_success(status)) {
        return true;
    }
    if (status == CEVM_STATUS_REVERT) {
        char message[1024];
        cevm_revert_message(message, sizeof message, outcome->receipt.output);
        return cevm_rpc_fail_data(trial->call, CEVM_RPC_REVERTED, outcome->receipt.output, "%s", message);
    }
    return cevm_rpc_fail(trial->call, CEVM_RPC_SERVER, "%s", cevm_status_string(status));
}
