/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a block does to the state, in the order of the executable specification's apply_body: system calls, transactions,
 * rewards and withdrawals, requests.
 */
#include <cevm/execution.h>

#include "chain/payments.h"
#include "chain/receipts.h"
#include "chain/requests.h"
#include "chain/system_calls.h"
#include "chain/validate.h"
#include "state/map.h"

#include <cevm/alloc.h>

struct cevm_execution {
    const cevm_allocator *allocator;
    cevm_vm *vm;
    cevm_state *state;
    cevm_execution_input input;
    cevm_block_usage usage;
    cevm_block_receipt *receipts;
    size_t receipt_count;
    size_t receipt_capacity;
    cevm_requests requests;
    cevm_arena arena; /* logs and encodings of receipts, requests */
    cevm_buf scratch;
    bool broken; /* an error left the state with part of a step in it */
};

/* ---- Life -------------------------------------------------------------------------------------------------------- */

static bool can_execute(const cevm_execution_input *input)
{
    return input->struct_size == sizeof *input &&
           cevm_ommers_can_be_paid(input->ommers, input->ommer_count, input->env.number);
}

cevm_err cevm_execution_create(cevm_execution **out, cevm_vm *vm, cevm_state *state, const cevm_execution_input *input,
                               const cevm_allocator *allocator)
{
    *out = NULL;
    if (!can_execute(input)) {
        return CEVM_ERR_ARGUMENT;
    }
    cevm_execution *execution = cevm_zalloc(allocator, sizeof *execution);
    if (execution == NULL) {
        return CEVM_ERR_NOMEM;
    }
    execution->allocator = allocator;
    execution->vm = vm;
    execution->state = state;
    execution->input = *input;
    cevm_arena_init(&execution->arena, allocator);
    cevm_buf_init(&execution->scratch, allocator);
    *out = execution;
    return CEVM_OK;
}

cevm_err cevm_execution_restart(cevm_execution *execution, const cevm_execution_input *input)
{
    static const cevm_arena_mark beginning = {NULL, 0};
    if (!can_execute(input)) {
        return CEVM_ERR_ARGUMENT;
    }
    cevm_arena_release(&execution->arena, beginning);
    execution->input = *input;
    execution->usage = (cevm_block_usage){0, 0};
    execution->receipt_count = 0;
    execution->requests.count = 0;
    execution->broken = false;
    return CEVM_OK;
}

void cevm_execution_destroy(cevm_execution *execution)
{
    if (execution == NULL) {
        return;
    }
    cevm_arena_destroy(&execution->arena);
    cevm_buf_free(&execution->scratch);
    cevm_free(execution->allocator, execution->receipts);
    cevm_free(execution->allocator, execution);
}

const cevm_block_receipt *cevm_execution_receipts(const cevm_execution *execution, size_t *count)
{
    *count = execution->receipt_count;
    return execution->receipts;
}

cevm_block_usage cevm_execution_usage(const cevm_execution *execution) { return execution->usage; }

static cevm_system_caller system_caller(const cevm_execution *execution, const cevm_tracer *tracer)
{
    return (cevm_system_caller){
        .vm = execution->vm, .state = execution->state, .block = &execution->input.env, .tracer = tracer};
}

/* ---- The start --------------------------------------------------------------------------------------------------- */

cevm_err cevm_execution_begin(cevm_execution *execution, const cevm_tracer *tracer)
{
    const cevm_execution_input *input = &execution->input;
    const cevm_fork fork = input->env.fork;
    const cevm_system_caller caller = system_caller(execution, tracer);
    if (execution->broken) {
        return CEVM_ERR_ARGUMENT;
    }
    cevm_err err = CEVM_OK;
    if (input->is_dao_fork) {
        err = cevm_pay_dao_refund(execution->state, fork);
    }
    if (err == CEVM_OK && CEVM_HAS_EIP(fork, 4788)) {
        err = cevm_system_store_beacon_root(&caller, &input->parent_beacon_root);
    }
    if (err == CEVM_OK && CEVM_HAS_EIP(fork, 2935)) {
        err = cevm_system_store_parent_hash(&caller, &input->parent_hash);
    }
    execution->broken = err != CEVM_OK;
    return err;
}

/* ---- A transaction ----------------------------------------------------------------------------------------------- */

static cevm_err encode(cevm_execution *execution, cevm_block_receipt *receipt)
{
    cevm_buf *buf = &execution->scratch;
    cevm_buf_clear(buf);
    cevm_put_receipt(buf, receipt);
    uint8_t *copy = buf->failed ? NULL : cevm_arena_alloc(&execution->arena, buf->size);
    if (copy == NULL) {
        return CEVM_ERR_NOMEM;
    }
    memcpy(copy, buf->data, buf->size);
    receipt->encoded = (cevm_bytes){copy, buf->size};
    return CEVM_OK;
}

/** Keeps the receipt of a transaction that was applied, in the place that was made for it. */
static cevm_err keep_receipt(cevm_execution *execution, const cevm_tx *tx, const cevm_receipt *result)
{
    cevm_block_receipt *receipt = &execution->receipts[execution->receipt_count];
    *receipt = (cevm_block_receipt){
        .type = tx->type,
        .has_root = !CEVM_HAS_EIP(execution->input.env.fork, 658),
        .succeeded = cevm_status_is_success(result->status),
        .cumulative_gas_used = execution->usage.gas_used + result->gas_used,
        .gas_used = result->gas_used,
        .gas_price = cevm_tx_effective_price(tx, &execution->input.env),
        .log_count = result->log_count,
        .has_created = result->has_created,
        .created = result->created,
        .blob_gas_used = result->blob_gas_used,
    };
    cevm_err err = cevm_copy_logs(&receipt->logs, result->logs, result->log_count, &execution->arena);
    if (err == CEVM_OK && !execution->input.skips_hashes) {
        err = cevm_tx_hash(&receipt->tx_hash, tx, execution->allocator);
    }
    if (err == CEVM_OK && receipt->has_root) {
        err = cevm_state_commit_root(execution->state, &receipt->root);
    }
    if (err != CEVM_OK) {
        return err;
    }
    cevm_bloom_add_logs(&receipt->bloom, receipt->logs, receipt->log_count);
    return encode(execution, receipt);
}

static cevm_err reserve_receipt(cevm_execution *execution)
{
    cevm_block_receipt *receipts =
        cevm_array_reserve(execution->allocator, execution->receipts, &execution->receipt_capacity,
                           execution->receipt_count, 1, sizeof *receipts);
    if (receipts == NULL) {
        return CEVM_ERR_NOMEM;
    }
    execution->receipts = receipts;
    return CEVM_OK;
}

cevm_err cevm_execution_tx(cevm_execution *execution, cevm_receipt *out, cevm_tx_error *reason, const cevm_tx *tx,
                           const cevm_tracer *tracer)
{
    *reason = CEVM_TX_NONE;
    if (execution->broken) {
        return CEVM_ERR_ARGUMENT;
    }
    cevm_receipt result = {.status = CEVM_STATUS_STOP};
    cevm_err err = reserve_receipt(execution);
    if (err == CEVM_OK) {
        err = cevm_tx_apply(execution->vm, execution->state, &result, reason, tx, &execution->input.env,
                            &execution->usage, tracer);
    }
    if (err != CEVM_OK || *reason != CEVM_TX_NONE) {
        return err;
    }
    err = keep_receipt(execution, tx, &result);
    if (err != CEVM_OK) {
        execution->broken = true;
        return err;
    }
    const cevm_block_receipt *receipt = &execution->receipts[execution->receipt_count++];
    execution->usage.gas_used = receipt->cumulative_gas_used;
    execution->usage.blob_gas_used += receipt->blob_gas_used;
    if (out != NULL) {
        *out = result;
        out->logs = receipt->logs;
    }
    return CEVM_OK;
}

/* ---- The end ----------------------------------------------------------------------------------------------------- */

static cevm_err collect_requests(cevm_execution *execution, cevm_block_error *reason, const cevm_tracer *tracer)
{
    const cevm_system_caller caller = system_caller(execution, tracer);
    cevm_err err = CEVM_OK;
    execution->requests.count = 0;
    if (CEVM_HAS_EIP(execution->input.env.fork, 6110)) {
        err = cevm_requests_add_deposits(&execution->requests, reason, &execution->input.deposit_contract,
                                         execution->receipts, execution->receipt_count, &execution->arena,
                                         &execution->scratch);
    }
    if (err != CEVM_OK || *reason != CEVM_BLOCK_NONE) {
        return err;
    }
    return cevm_requests_add_from_contracts(&execution->requests, reason, &caller, &execution->arena);
}

static void add_blooms(cevm_bloom *out, const cevm_block_receipt *receipts, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        for (size_t b = 0; receipts[i].log_count != 0 && b < sizeof out->bytes; ++b) {
            out->bytes[b] |= receipts[i].bloom.bytes[b];
        }
    }
}

/** What the header commits to. */
static cevm_err summarise(cevm_execution *execution, cevm_execution_output *out)
{
    *out = (cevm_execution_output){
        .gas_used = execution->usage.gas_used,
        .blob_gas_used = execution->usage.blob_gas_used,
        .has_requests = CEVM_HAS_EIP(execution->input.env.fork, 7685),
    };
    add_blooms(&out->logs_bloom, execution->receipts, execution->receipt_count);
    if (out->has_requests) {
        out->requests = execution->requests.items;
        out->request_count = execution->requests.count;
        cevm_requests_hash(&out->requests_hash, &execution->requests);
    }
    cevm_err err = CEVM_OK;
    if (!execution->input.skips_hashes) {
        err = cevm_receipts_logs_hash(&out->logs_hash, execution->receipts, execution->receipt_count,
                                      &execution->scratch);
    }
    if (err != CEVM_OK) {
        return err;
    }
    return cevm_receipts_root(&out->receipts_root, execution->receipts, execution->receipt_count, execution->allocator);
}

cevm_err cevm_execution_end(cevm_execution *execution, cevm_execution_output *out, cevm_block_error *reason,
                            const cevm_tracer *tracer)
{
    *reason = CEVM_BLOCK_NONE;
    if (execution->broken) {
        return CEVM_ERR_ARGUMENT;
    }
    cevm_err err = cevm_pay_block(execution->state, &execution->input);
    if (err == CEVM_OK && CEVM_HAS_EIP(execution->input.env.fork, 7685)) {
        err = collect_requests(execution, reason, tracer);
    }
    if (err == CEVM_OK && *reason == CEVM_BLOCK_NONE) {
        err = summarise(execution, out);
    }
    execution->broken = true; /* a block has one end */
    return err;
}
