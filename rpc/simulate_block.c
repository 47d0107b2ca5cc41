/* SPDX-License-Identifier: Apache-2.0 */
/* One simulated block: overrides, system calls, calls, and the header that follows from them. */
#include <inttypes.h>

#include "chain/receipts.h"
#include "rpc/node_internal.h"
#include "rpc/shapes.h"
#include "rpc/simulate.h"
#include "rpc/trial.h"
#include "rpc/tx_reason.h"
#include "state/trie.h"

/** What came of a call. */
typedef struct call_result {
    cevm_bytes output;
    const cevm_log *logs;
    size_t log_count;
    uint64_t gas_used;
    uint64_t gas_peak;
    cevm_status status;
} call_result;

/** A block on its way. */
typedef struct maker {
    cevm_simulation *s;
    const cevm_simulate_block *asked;
    cevm_record record; /* block and hashes of it are shown */
    cevm_header *header;
    bool is_merged;
    cevm_block_env env;
    cevm_vm *vm;
    cevm_execution *execution;
    cevm_tx **txs;
    cevm_hash *hashes;
    cevm_bytes *raw_txs;
    call_result *results;
    size_t count;
} maker;

static bool fail_err(const maker *m, cevm_err err) { return cevm_rpc_fail_err(m->s->call, err); }

/* ---- The header, before ---------------------------------------------------------------------------------------------- */

/** The block before: simulated, or the one all begins with. */
static const cevm_header *parent_of(const cevm_simulation *s, const cevm_hash **hash)
{
    if (s->count != 0) {
        *hash = &s->blocks[s->count - 1].hash;
        return &s->blocks[s->count - 1].header;
    }
    *hash = &s->view.record->block.hash;
    return &s->view.record->block.header;
}

/** Fees of the block: as they were asked for; else as a chain would have them, or nothing when nobody validates. */
static void set_fees(maker *m, const cevm_header *parent, cevm_fork fork)
{
    const cevm_block_overrides *o = &m->asked->overrides;
    cevm_header *header = m->header;
    header->has_base_fee = CEVM_HAS_EIP(fork, 1559);
    if (header->has_base_fee && o->has_base_fee) {
        header->base_fee = o->base_fee;
    } else if (header->has_base_fee && m->s->input.validates) {
        cevm_next_base_fee(&header->base_fee, parent->has_base_fee, &parent->base_fee, parent->gas_used,
                           parent->gas_limit);
    }
    header->has_blob_gas = CEVM_HAS_EIP(fork, 4844);
    if (header->has_blob_gas) {
        const cevm_blob_params params = cevm_chain_blob_params(&m->s->view.world->settings.config, header->timestamp);
        header->excess_blob_gas =
            cevm_next_excess_blob_gas(fork, &params, parent->has_blob_gas ? parent->excess_blob_gas : 0,
                                      parent->has_blob_gas ? parent->blob_gas_used : 0, &parent->base_fee);
    }
}

/** Coinbase and gas limit go on from block to block, what was asked for does not. */
static void begin_header(maker *m)
{
    const cevm_simulation *s = m->s;
    const cevm_block_overrides *o = &m->asked->overrides;
    const cevm_chain_config *config = &s->view.world->settings.config;
    const cevm_hash *parent_hash = NULL;
    const cevm_header *parent = parent_of(s, &parent_hash);
    cevm_header *header = m->header;
    *header = (cevm_header){
        .parent_hash = *parent_hash,
        .ommers_hash = cevm_empty_ommers_hash,
        .coinbase = o->has_coinbase ? o->coinbase : parent->coinbase,
        .number = o->number,
        .timestamp = o->time,
        .gas_limit = o->has_gas_limit ? o->gas_limit : parent->gas_limit,
        .withdrawals_root = cevm_trie_empty_root,
        .parent_beacon_root = o->beacon_root,
        .mix_hash = o->prev_randao,
    };
    m->is_merged = cevm_world_child_is_merged(config, s->view.record, o->number, o->time);
    const cevm_fork fork = cevm_chain_fork(config, o->number, o->time, m->is_merged);
    if (!CEVM_HAS_EIP(fork, 4399)) {
        header->difficulty = o->has_difficulty ? o->difficulty : parent->difficulty;
    }
    header->has_withdrawals_root = CEVM_HAS_EIP(fork, 4895);
    header->has_parent_beacon_root = CEVM_HAS_EIP(fork, 4788);
    header->has_requests_hash = CEVM_HAS_EIP(fork, 7685);
    set_fees(m, parent, fork);
    cevm_header_env(&m->env, config, header, m->is_merged);
    if (o->has_blob_base_fee) {
        m->env.blob_base_fee = o->blob_base_fee;
    }
}

/* ---- Calls ------------------------------------------------------------------------------------------------------------ */

static int error_code(cevm_tx_error reason)
{
    static const struct {
        cevm_tx_error reason;
        int code;
    } codes[] = {
        {CEVM_TX_NONCE_MISMATCH_TOO_LOW, CEVM_SIMULATE_NONCE_TOO_LOW},
        {CEVM_TX_NONCE_MISMATCH_TOO_HIGH, CEVM_SIMULATE_NONCE_TOO_HIGH},
        {CEVM_TX_INSUFFICIENT_MAX_FEE_PER_GAS, CEVM_SIMULATE_BASE_FEE_TOO_LOW},
        {CEVM_TX_INTRINSIC_GAS_TOO_LOW, CEVM_SIMULATE_INTRINSIC_GAS},
        {CEVM_TX_INTRINSIC_GAS_BELOW_FLOOR_GAS_COST, CEVM_SIMULATE_INTRINSIC_GAS},
        {CEVM_TX_INSUFFICIENT_ACCOUNT_FUNDS, CEVM_SIMULATE_FUNDS},
        {CEVM_TX_GASLIMIT_PRICE_PRODUCT_OVERFLOW, CEVM_SIMULATE_FUNDS},
        {CEVM_TX_SENDER_NOT_EOA, CEVM_SIMULATE_SENDER_NOT_EOA},
        {CEVM_TX_INITCODE_SIZE_EXCEEDED, CEVM_SIMULATE_INITCODE},
        {CEVM_TX_PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS, CEVM_RPC_INVALID_PARAMS},
    };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; ++i) {
        if (codes[i].reason == reason) {
            return codes[i].code;
        }
    }
    return CEVM_RPC_INTERNAL;
}

static bool refuse(const maker *m, cevm_tx_error reason, const cevm_tx *tx, const cevm_account_info *sender)
{
    char text[CEVM_TX_REASON_SIZE];
    cevm_tx_reason_describe(text, reason, tx, &m->env, sender);
    return cevm_rpc_fail(m->s->call, error_code(reason), "err: %s (supplied gas %" PRIu64 ")", text, tx->gas_limit);
}

/** Fills in what the call leaves out: the sender's nonce, the gas that is left in the block. */
static bool complete(const maker *m, cevm_call_args *args, const cevm_account_info *sender)
{
    const cevm_block_usage usage = cevm_execution_usage(m->execution);
    const uint64_t room = m->env.gas_limit - usage.gas_used;
    cevm_tx *tx = &args->tx;
    if (!args->has_nonce) {
        tx->nonce = sender->nonce;
    }
    if (!args->has_gas) {
        tx->gas_limit = room;
    }
    if (tx->gas_limit > room) {
        return cevm_rpc_fail(m->s->call, CEVM_SIMULATE_BLOCK_GAS, "block gas limit reached: %" PRIu64 " >= %" PRIu64,
                             usage.gas_used, m->env.gas_limit);
    }
    args->has_gas = true;
    if (!cevm_call_args_complete(args, m->s->call, m->env.chain_id, m->s->gas_left)) {
        return false;
    }
    if (m->s->input.validates) {
        tx->skips &= ~(unsigned)(CEVM_SKIP_NONCE | CEVM_SKIP_ZERO_FEES);
    }
    return true;
}

/** The transaction as it is shown: encoded, without a signature. */
static bool keep_tx(maker *m, const cevm_tx *tx)
{
    cevm_arena *arena = m->s->call->arena;
    size_t size = 0;
    cevm_err err = cevm_tx_encode(NULL, &size, 0, tx, m->s->allocator);
    cevm_tx *copy = cevm_arena_alloc(arena, sizeof *copy);
    uint8_t *raw = cevm_arena_alloc(arena, size);
    if (err == CEVM_OK && (copy == NULL || raw == NULL)) {
        err = CEVM_ERR_NOMEM;
    }
    if (err == CEVM_OK) {
        err = cevm_tx_encode(raw, &size, size, tx, m->s->allocator);
    }
    if (err == CEVM_OK) {
        err = cevm_tx_hash(&m->hashes[m->count], tx, m->s->allocator);
    }
    if (err != CEVM_OK) {
        return fail_err(m, err);
    }
    *copy = *tx;
    m->txs[m->count] = copy;
    m->raw_txs[m->count] = (cevm_bytes){raw, size};
    return true;
}

/** Copies what is the VM's and the state's until the next call. */
static bool keep_result(maker *m, const cevm_receipt *receipt, const cevm_transfer_logs *transfers)
{
    cevm_arena *arena = m->s->call->arena;
    call_result *result = &m->results[m->count];
    uint8_t *output = cevm_arena_alloc(arena, receipt->output.size);
    *result = (call_result){
        .logs = transfers->logs,
        .log_count = transfers->count,
        .gas_used = receipt->gas_used,
        .gas_peak = receipt->gas_peak,
        .status = receipt->status,
        .output = {output, receipt->output.size},
    };
    if (output == NULL || transfers->failed) {
        return fail_err(m, CEVM_ERR_NOMEM);
    }
    if (receipt->output.size != 0) {
        memcpy(output, receipt->output.data, receipt->output.size);
    }
    if (m->s->input.traces_transfers) {
        return true;
    }
    result->log_count = receipt->log_count;
    const cevm_err err = cevm_copy_logs(&result->logs, receipt->logs, receipt->log_count, arena);
    return err == CEVM_OK || fail_err(m, err);
}

static bool run_call(maker *m, json_t *object)
{
    cevm_simulation *s = m->s;
    cevm_call_args args;
    cevm_account_info sender;
    cevm_receipt receipt;
    cevm_tx_error reason = CEVM_TX_NONE;
    cevm_transfer_logs transfers;
    if (!cevm_call_args_read(&args, s->call, object, CEVM_CALL_DYNAMIC_FEE)) {
        return false;
    }
    cevm_err err = cevm_state_get_account(s->state, &sender, &args.tx.sender);
    if (err != CEVM_OK || !complete(m, &args, &sender)) {
        return err == CEVM_OK ? false : fail_err(m, err);
    }
    if (!keep_tx(m, &args.tx)) {
        return false;
    }
    const cevm_tracer *tracer = cevm_transfer_logs_begin(&transfers, s->state, s->call->arena);
    cevm_tx tx = args.tx;
    if (!s->input.validates) {
        tx.nonce = sender.nonce; /* the account goes on from its own, whatever is shown */
    }
    err = cevm_execution_tx(m->execution, &receipt, &reason, &tx, s->input.traces_transfers ? tracer : NULL);
    if (err != CEVM_OK) {
        return fail_err(m, err);
    }
    if (reason != CEVM_TX_NONE) {
        return refuse(m, reason, &args.tx, &sender);
    }
    s->gas_left -= receipt.gas_used < s->gas_left ? receipt.gas_used : s->gas_left;
    const bool ok = keep_result(m, &receipt, &transfers);
    ++m->count;
    return ok;
}

/* ---- The header, after ------------------------------------------------------------------------------------------------ */

static cevm_err end_header(maker *m, const cevm_execution_output *output)
{
    const cevm_simulation *s = m->s;
    cevm_header *header = m->header;
    cevm_block *block = &m->record.block;
    header->gas_used = output->gas_used;
    header->blob_gas_used = output->blob_gas_used;
    header->logs_bloom = output->logs_bloom;
    header->receipts_root = output->receipts_root;
    header->requests_hash = output->requests_hash;
    cevm_err err = cevm_transactions_root(&header->transactions_root, m->raw_txs, m->count, s->allocator);
    if (err == CEVM_OK && header->has_withdrawals_root) {
        err = cevm_withdrawals_root(&header->withdrawals_root, m->asked->overrides.withdrawals,
                                    m->asked->overrides.withdrawal_count, s->allocator);
    }
    if (err == CEVM_OK) {
        err = cevm_state_commit_root(s->state, &header->state_root);
    }
    if (err == CEVM_OK) {
        err = cevm_header_hash(&block->hash, header, s->allocator);
    }
    block->header = *header;
    block->txs = m->txs;
    block->raw_txs = m->raw_txs;
    block->tx_count = m->count;
    block->has_withdrawals = header->has_withdrawals_root;
    block->withdrawals = m->asked->overrides.withdrawals;
    block->withdrawal_count = m->asked->overrides.withdrawal_count;
    m->record.hashes = m->hashes;
    return err != CEVM_OK ? err : cevm_block_encode(NULL, &block->rlp_size, 0, block, s->allocator);
}

static bool end_block(maker *m)
{
    cevm_execution_output output;
    cevm_block_error reason = CEVM_BLOCK_NONE;
    cevm_err err = cevm_execution_end(m->execution, &output, &reason, NULL);
    if (err == CEVM_OK && reason != CEVM_BLOCK_NONE) {
        return cevm_rpc_fail(m->s->call, CEVM_RPC_SERVER, "%s", cevm_block_error_string(reason));
    }
    if (err == CEVM_OK) {
        err = end_header(m, &output);
    }
    if (err != CEVM_OK) {
        return fail_err(m, err);
    }
    m->s->blocks[m->s->count].hash = m->record.block.hash;
    m->s->backend.count = ++m->s->count;
    return true;
}

/* ---- Writing ---------------------------------------------------------------------------------------------------------- */

static void put_failure(cevm_json_writer *w, const call_result *result)
{
    char message[1024];
    const bool reverted = result->status == CEVM_STATUS_REVERT;
    cevm_revert_message(message, sizeof message, result->output);
    cevm_json_put_key(w, "error");
    cevm_json_begin_object(w);
    cevm_json_put_key(w, "message");
    cevm_json_put_string(w, reverted ? message : cevm_status_string(result->status));
    cevm_json_put_key(w, "code");
    cevm_json_put_signed(w, reverted ? CEVM_RPC_REVERTED : CEVM_SIMULATE_VM_ERROR);
    if (reverted) {
        cevm_shape_data(w, "data", result->output);
    }
    cevm_json_end_object(w);
}

static void put_result(cevm_json_writer *w, const maker *m, size_t index, size_t first_log)
{
    const call_result *result = &m->results[index];
    const bool succeeded = cevm_status_is_success(result->status);
    cevm_log_place place = {
        .block = {&m->record.block.header, &m->record.block.hash},
        .tx_hash = &m->hashes[index],
        .tx_index = index,
    };
    cevm_json_begin_object(w);
    cevm_shape_data(w, "returnData", succeeded ? result->output : (cevm_bytes){NULL, 0});
    cevm_json_put_key(w, "logs");
    cevm_json_begin_array(w);
    for (size_t i = 0; i < result->log_count; ++i) {
        place.log_index = first_log + i;
        cevm_shape_log(w, &result->logs[i], &place);
    }
    cevm_json_end_array(w);
    cevm_shape_quantity(w, "gasUsed", result->gas_used);
    cevm_shape_quantity(w, "maxUsedGas", result->gas_peak);
    cevm_shape_quantity(w, "status", succeeded ? 1 : 0);
    if (!succeeded) {
        put_failure(w, result);
    }
    cevm_json_end_object(w);
}

static void put_block(const maker *m)
{
    cevm_json_writer *w = m->s->call->out;
    size_t log_count = 0;
    cevm_json_begin_object(w);
    cevm_shape_block_members(w, &m->record, m->s->input.shows_transactions ? CEVM_BLOCK_FULL : CEVM_BLOCK_HASHES,
                             false);
    cevm_json_put_key(w, "calls");
    cevm_json_begin_array(w);
    for (size_t i = 0; i < m->count; ++i) {
        put_result(w, m, i, log_count);
        log_count += m->results[i].log_count;
    }
    cevm_json_end_array(w);
    cevm_json_end_object(w);
}

/* ---- All of it -------------------------------------------------------------------------------------------------------- */

static bool begin_block(maker *m)
{
    cevm_simulation *s = m->s;
    cevm_precompile_moves moves = {.count = 0};
    const size_t count = json_array_size(m->asked->calls);
    m->txs = cevm_arena_array(s->call->arena, count, sizeof(cevm_tx *));
    m->hashes = cevm_arena_array(s->call->arena, count, sizeof *m->hashes);
    m->raw_txs = cevm_arena_array(s->call->arena, count, sizeof *m->raw_txs);
    m->results = cevm_arena_array(s->call->arena, count, sizeof *m->results);
    if (m->txs == NULL || m->hashes == NULL || m->raw_txs == NULL || m->results == NULL) {
        return fail_err(m, CEVM_ERR_NOMEM);
    }
    if (!cevm_precompile_moves_add(&moves, s->call, &m->asked->state, m->env.fork)) {
        return false;
    }
    m->vm = moves.count == 0 ? s->vm : cevm_call_vm(s->call, &moves, s->deadline_ns);
    if (m->vm == NULL) {
        return false;
    }
    const cevm_execution_input input = {
        .struct_size = sizeof input,
        .env = m->env,
        .parent_hash = m->header->parent_hash,
        .parent_beacon_root = m->header->parent_beacon_root,
        .withdrawals = m->asked->overrides.withdrawals,
        .withdrawal_count = m->asked->overrides.withdrawal_count,
        .deposit_contract = s->view.world->settings.config.deposit_contract,
        .skips_hashes = true,
    };
    cevm_err err = cevm_state_overrides_apply(&m->asked->state, s->state, m->env.fork);
    if (err == CEVM_OK) {
        err = cevm_execution_create(&m->execution, m->vm, s->state, &input, s->allocator);
    }
    if (err == CEVM_OK) {
        err = cevm_execution_begin(m->execution, NULL);
    }
    return err == CEVM_OK || fail_err(m, err);
}

bool cevm_simulate_block_run(cevm_simulation *s, size_t index)
{
    maker m = {.s = s, .asked = &s->input.blocks[index], .header = &s->blocks[index].header};
    begin_header(&m);
    bool ok = begin_block(&m);
    for (size_t i = 0; ok && i < json_array_size(m.asked->calls); ++i) {
        ok = run_call(&m, json_array_get(m.asked->calls, i));
    }
    ok = ok && end_block(&m);
    if (ok) {
        put_block(&m);
    }
    cevm_execution_destroy(m.execution);
    if (m.vm != s->vm) {
        cevm_vm_destroy(m.vm);
    }
    return ok;
}
