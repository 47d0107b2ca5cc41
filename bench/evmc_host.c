/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/evmc_host.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_CODE_SIZE = 24576, CODE_DEPOSIT_BYTE = 200 }; /* EIP-170; gas */

static const cevm_hash zero_hash = {{0}};

/** Keeps the first error. Returns whether there is none. */
static bool keep(bench_evmc_world *world, cevm_err err)
{
    if (err != CEVM_OK && world->err == CEVM_OK) {
        world->err = err;
    }
    return err == CEVM_OK;
}

static cevm_hash hash_of(const cevm_u256 *value)
{
    cevm_hash out;
    cevm_u256_to_be(out.bytes, value);
    return out;
}

void bench_evmc_begin(bench_evmc_world *world, const cevm_host *host, const cevm_block_env *block,
                      const cevm_tx_env *tx)
{
    world->host = *host;
    world->block = block;
    world->tx = tx;
    world->err = CEVM_OK;
    const cevm_u256 chain_id = cevm_u256_from_u64(block->chain_id);
    world->context = (evmc_tx_context_head){
        .tx_gas_price = hash_of(&tx->gas_price),
        .tx_origin = tx->origin,
        .block_coinbase = block->coinbase,
        .block_number = (int64_t)block->number,
        .block_timestamp = (int64_t)block->timestamp,
        .block_gas_limit = (int64_t)block->gas_limit,
        .block_prev_randao = CEVM_HAS_EIP(block->fork, 4399) ? block->prev_randao : hash_of(&block->difficulty),
        .chain_id = hash_of(&chain_id),
        .block_base_fee = hash_of(&block->base_fee),
        .blob_base_fee = hash_of(&block->blob_base_fee),
        .blob_hashes = tx->blob_hashes,
        .blob_hashes_count = tx->blob_hash_count,
    };
}

/* ---- Accounts ---------------------------------------------------------------------------------------------------- */

/** EVMC asks for a balance, a nonce, existence only after it has warmed the account, so that loading it changes nothing. */
static cevm_account_info load(bench_evmc_world *world, const cevm_address *address)
{
    cevm_account_info info;
    if (!keep(world, world->host.vtable->load_account(world->host.ctx, &info, address, false))) {
        memset(&info, 0, sizeof info);
    }
    return info;
}

static cevm_code load_code(bench_evmc_world *world, const cevm_address *address)
{
    cevm_code code;
    if (!keep(world, world->host.vtable->load_code(world->host.ctx, &code, address))) {
        memset(&code, 0, sizeof code);
    }
    return code;
}

bool bench_evmc_account_exists(evmc_host_context *context, const cevm_address *address)
{
    bench_evmc_world *world = bench_evmc_world_of(context);
    const cevm_account_info info = load(world, address);
    /* EIP-161: an empty account counts as missing. */
    return CEVM_HAS_EIP(world->block->fork, 161) ? !cevm_account_info_is_empty(&info) : info.exists;
}

cevm_hash bench_evmc_get_balance(evmc_host_context *context, const cevm_address *address)
{
    const cevm_account_info info = load(bench_evmc_world_of(context), address);
    return hash_of(&info.balance);
}

uint64_t bench_evmc_get_nonce(evmc_host_context *context, const cevm_address *address)
{
    return load(bench_evmc_world_of(context), address).nonce;
}

size_t bench_evmc_get_code_size(evmc_host_context *context, const cevm_address *address)
{
    return load_code(bench_evmc_world_of(context), address).bytes.size;
}

cevm_hash bench_evmc_get_code_hash(evmc_host_context *context, const cevm_address *address)
{
    const cevm_account_info info = load(bench_evmc_world_of(context), address);
    /* EIP-1052: zero for an account that does not exist or is empty. */
    return cevm_account_info_is_empty(&info) ? zero_hash : info.code_hash;
}

size_t bench_evmc_copy_code(evmc_host_context *context, const cevm_address *address, size_t offset, uint8_t *buffer,
                            size_t size)
{
    const cevm_bytes code = load_code(bench_evmc_world_of(context), address).bytes;
    if (offset >= code.size) {
        return 0;
    }
    const size_t left = code.size - offset;
    const size_t count = size < left ? size : left;
    if (count != 0) {
        memcpy(buffer, code.data + offset, count);
    }
    return count;
}

bool bench_evmc_selfdestruct(evmc_host_context *context, const cevm_address *address, const cevm_address *beneficiary)
{
    bench_evmc_world *world = bench_evmc_world_of(context);
    cevm_selfdestruct_info info = {0};
    return keep(world, world->host.vtable->selfdestruct(world->host.ctx, &info, address, beneficiary)) && info.first;
}

cevm_hash bench_evmc_get_block_hash(evmc_host_context *context, int64_t number)
{
    bench_evmc_world *world = bench_evmc_world_of(context);
    cevm_hash out;
    return keep(world, world->host.vtable->block_hash(world->host.ctx, &out, (uint64_t)number)) ? out : zero_hash;
}

void bench_evmc_emit_log(evmc_host_context *context, const cevm_address *address, const uint8_t *data, size_t data_size,
                         const cevm_hash *topics, size_t topics_count)
{
    bench_evmc_world *world = bench_evmc_world_of(context);
    cevm_log log = {.address = *address, .data = {data, data_size}};
    for (; log.topic_count < topics_count && log.topic_count < 4; ++log.topic_count) {
        log.topics[log.topic_count] = topics[log.topic_count];
    }
    (void)keep(world, world->host.vtable->log(world->host.ctx, &log));
}

bool bench_evmc_warm_account(evmc_host_context *context, const cevm_address *address)
{
    return !load(bench_evmc_world_of(context), address).cold;
}

/* ---- Storage ----------------------------------------------------------------------------------------------------- */

static cevm_slot_info load_slot(bench_evmc_world *world, const cevm_address *address, const cevm_hash *key)
{
    const cevm_u256 slot = cevm_u256_from_be(key->bytes);
    cevm_slot_info info;
    if (!keep(world, world->host.vtable->sload(world->host.ctx, &info, address, &slot, false))) {
        memset(&info, 0, sizeof info);
    }
    return info;
}

bool bench_evmc_warm_storage(evmc_host_context *context, const cevm_address *address, const cevm_hash *key)
{
    return !load_slot(bench_evmc_world_of(context), address, key).cold;
}

cevm_hash bench_evmc_get_storage(evmc_host_context *context, const cevm_address *address, const cevm_hash *key)
{
    const cevm_slot_info info = load_slot(bench_evmc_world_of(context), address, key);
    return hash_of(&info.value);
}

/** What EVMC calls a write; by whether the slot was changed before, and whether this brings its original value back. */
static evmc_storage_status storage_status(const cevm_sstore_info *info, const cevm_u256 *value)
{
    const bool from_zero = cevm_u256_is_zero(&info->current);
    const bool to_zero = cevm_u256_is_zero(value);
    if (cevm_u256_equal(&info->current, value)) {
        return EVMC_STORAGE_ASSIGNED;
    }
    if (cevm_u256_equal(&info->original, &info->current)) {
        return from_zero ? EVMC_STORAGE_ADDED : to_zero ? EVMC_STORAGE_DELETED : EVMC_STORAGE_MODIFIED;
    }
    if (cevm_u256_equal(&info->original, value)) {
        return from_zero ? EVMC_STORAGE_DELETED_RESTORED
               : to_zero ? EVMC_STORAGE_ADDED_DELETED
                         : EVMC_STORAGE_MODIFIED_RESTORED;
    }
    if (cevm_u256_is_zero(&info->original)) {
        return EVMC_STORAGE_ASSIGNED;
    }
    return from_zero ? EVMC_STORAGE_DELETED_ADDED : to_zero ? EVMC_STORAGE_MODIFIED_DELETED : EVMC_STORAGE_ASSIGNED;
}

int bench_evmc_set_storage(evmc_host_context *context, const cevm_address *address, const cevm_hash *key,
                           const cevm_hash *value)
{
    bench_evmc_world *world = bench_evmc_world_of(context);
    const cevm_u256 slot = cevm_u256_from_be(key->bytes), word = cevm_u256_from_be(value->bytes);
    cevm_sstore_info info;
    if (!keep(world, world->host.vtable->sstore(world->host.ctx, &info, address, &slot, &word, false))) {
        return EVMC_STORAGE_ASSIGNED;
    }
    return (int)storage_status(&info, &word);
}

cevm_hash bench_evmc_get_transient_storage(evmc_host_context *context, const cevm_address *address,
                                           const cevm_hash *key)
{
    bench_evmc_world *world = bench_evmc_world_of(context);
    const cevm_u256 slot = cevm_u256_from_be(key->bytes);
    cevm_u256 value;
    return keep(world, world->host.vtable->tload(world->host.ctx, &value, address, &slot)) ? hash_of(&value)
                                                                                           : zero_hash;
}

void bench_evmc_set_transient_storage(evmc_host_context *context, const cevm_address *address, const cevm_hash *key,
                                      const cevm_hash *value)
{
    bench_evmc_world *world = bench_evmc_world_of(context);
    const cevm_u256 slot = cevm_u256_from_be(key->bytes), word = cevm_u256_from_be(value->bytes);
    (void)keep(world, world->host.vtable->tstore(world->host.ctx, address, &slot, &word));
}

/* ---- Messages ---------------------------------------------------------------------------------------------------- */

static void release_output(const evmc_result_head *result) { free((void *)(uintptr_t)result->output_data); }

static void finish(bench_evmc_frame *frame, evmc_status_code status, int64_t gas_left)
{
    frame->done = true;
    frame->result = (evmc_result_head){.status_code = status, .gas_left = gas_left};
}

/** A contract's output and scratch are one block, which the result owns. */
static void run_precompile(bench_evmc_world *world, bench_evmc_frame *frame, const cevm_precompile *contract,
                           const evmc_message_head *message)
{
    const cevm_fork fork = world->block->fork;
    const cevm_bytes input = {message->input_data, message->input_size};
    const cevm_precompile_cost cost = contract->cost(input, fork);
    finish(frame, EVMC_OUT_OF_GAS, 0);
    if (cost.gas > (uint64_t)message->gas) {
        return;
    }
    if (cost.output_size > SIZE_MAX / 4 || cost.scratch_size > SIZE_MAX / 4) {
        (void)keep(world, CEVM_ERR_LIMIT);
        return;
    }
    const size_t scratch_at = (cost.output_size + 15) & ~(size_t)15;
    uint8_t *block = malloc(scratch_at + cost.scratch_size + 1);
    if (block == NULL) {
        (void)keep(world, CEVM_ERR_NOMEM);
        return;
    }
    size_t size = 0;
    switch (contract->run(block, &size, input, fork, block + scratch_at)) {
    case CEVM_PRECOMPILE_OK:
        finish(frame, EVMC_SUCCESS, message->gas - (int64_t)cost.gas);
        frame->result.output_data = block;
        frame->result.output_size = size;
        frame->result.release = release_output;
        return;
    case CEVM_PRECOMPILE_FAIL: finish(frame, EVMC_PRECOMPILE_FAILURE, 0); break;
    case CEVM_PRECOMPILE_NOT_BUILT: (void)keep(world, CEVM_ERR_NOT_BUILT); break;
    case CEVM_PRECOMPILE_NOMEM:
    default: (void)keep(world, CEVM_ERR_NOMEM);
    }
    free(block);
}

void bench_evmc_call_begin(bench_evmc_world *world, bench_evmc_frame *frame, const evmc_message_head *message,
                           const cevm_address *code_address)
{
    const cevm_host *host = &world->host;
    frame->done = false;
    frame->start = host->vtable->checkpoint(host->ctx);
    if (message->kind == EVMC_CALL) {
        const cevm_u256 value = cevm_u256_from_be(message->value.bytes);
        (void)keep(world, host->vtable->transfer(host->ctx, &message->sender, &message->recipient, &value));
    }
    if ((message->flags & EVMC_DELEGATED) == 0) { /* EIP-7702: delegation to a precompile runs nothing */
        const cevm_precompile *contract = cevm_precompile_find(code_address, world->block->fork);
        if (contract != NULL) {
            run_precompile(world, frame, contract, message);
            return;
        }
    }
    frame->code = load_code(world, code_address).bytes;
    if (frame->code.size == 0 || world->err != CEVM_OK) {
        finish(frame, world->err == CEVM_OK ? EVMC_SUCCESS : EVMC_INTERNAL_ERROR, message->gas);
    }
}

void bench_evmc_create_begin(bench_evmc_world *world, bench_evmc_frame *frame, const evmc_message_head *message,
                             const cevm_address *address)
{
    const cevm_host *host = &world->host;
    frame->done = false;
    frame->code = (cevm_bytes){message->input_data, message->input_size};
    if (message->depth != 0) { /* of a top-level message the transaction has bumped it */
        (void)keep(world, host->vtable->increment_nonce(host->ctx, &message->sender));
    }
    const cevm_account_info info = load(world, address);
    frame->start = host->vtable->checkpoint(host->ctx);
    /* EIP-684: nonce or code; EIP-7610: or storage. */
    if (info.exists &&
        (info.nonce != 0 || info.has_storage || !cevm_hash_equal(&info.code_hash, &cevm_empty_code_hash))) {
        finish(frame, EVMC_FAILURE, 0);
        return;
    }
    const cevm_u256 value = cevm_u256_from_be(message->value.bytes);
    if (!keep(world, host->vtable->create_account(host->ctx, address)) ||
        !keep(world, host->vtable->transfer(host->ctx, &message->sender, address, &value))) {
        finish(frame, EVMC_INTERNAL_ERROR, 0);
    }
}

void bench_evmc_create_end(bench_evmc_world *world, evmc_result_head *result, const cevm_address *address)
{
    const cevm_fork fork = world->block->fork;
    if (result->status_code != EVMC_SUCCESS) {
        return;
    }
    const cevm_bytes code = {result->output_data, result->output_size};
    const int64_t price = (int64_t)code.size * CODE_DEPOSIT_BYTE;
    evmc_status_code status = EVMC_SUCCESS;
    if (CEVM_HAS_EIP(fork, 170) && code.size > MAX_CODE_SIZE) {
        status = EVMC_FAILURE;
    } else if (CEVM_HAS_EIP(fork, 3541) && code.size != 0 && code.data[0] == 0xef) {
        status = EVMC_CONTRACT_VALIDATION_FAILURE;
    } else if (result->gas_left < price) {
        if (!CEVM_HAS_EIP(fork, 2)) {
            result->output_size = 0;
            return; /* Frontier: the account is made, without code and without charge */
        }
        status = EVMC_OUT_OF_GAS;
    }
    result->output_size = 0; /* EIP-211: a creation leaves return data only when it reverts */
    if (status == EVMC_SUCCESS) {
        result->gas_left -= price;
        (void)keep(world, world->host.vtable->set_code(world->host.ctx, address, code));
    } else {
        result->status_code = status;
        result->gas_left = 0;
        result->gas_refund = 0;
    }
}

void bench_evmc_message_end(bench_evmc_world *world, const bench_evmc_frame *frame, const evmc_result_head *result)
{
    if (result->status_code != EVMC_SUCCESS) {
        world->host.vtable->revert(world->host.ctx, frame->start);
    }
}
