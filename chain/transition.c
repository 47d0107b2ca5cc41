/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one transaction does: buy gas, warm what the rules warm, run the message, give back what is left.
 *
 * EIP-2929 and EIP-2930 (warm from the start), EIP-3651 (coinbase too), EIP-1559 (prices), EIP-3529 (refund of at most a
 * fifth), EIP-7623 (floor, after the refund), EIP-4844 (blob fee, burnt), EIP-7702 (authorizations, delegated recipients).
 */
#include <cevm/transition.h>

#include "chain/authorization.h"
#include "chain/validate.h"
#include "evm/u256.h"

/** One transaction on its way. */
typedef struct run {
    cevm_vm *vm;
    cevm_state *state;
    cevm_host host;
    const cevm_tx *tx;
    const cevm_block_env *block;
    const cevm_tracer *tracer;
    cevm_tx_env env;
    cevm_intrinsic_gas intrinsic;
    cevm_message message;
    uint64_t authorization_refund; /* gas */
} run;

/** The blob fee goes to nobody; the rest of the price is given back or paid out in settle(). */
static cevm_err buy_gas(const run *r)
{
    const cevm_u256 gas = cevm_u256_from_u64(r->tx->gas_limit);
    const cevm_u256 blob_gas = cevm_u256_from_u64(cevm_tx_blob_gas(r->tx));
    /* Neither product nor sum can pass 256 bits: prices are at most the limits whose sum validation found covered. */
    cevm_u256 blob_fee = u256_mul(&blob_gas, &r->block->blob_base_fee);
    if (u256_lt(&r->tx->max_fee_per_blob_gas, &r->block->blob_base_fee)) { /* only with CEVM_SKIP_ZERO_FEES */
        blob_fee = cevm_u256_from_u64(0);
    }
    cevm_u256 price = u256_mul(&gas, &r->env.gas_price);
    price = u256_add(&price, &blob_fee);
    const cevm_err err = cevm_state_sub_balance(r->state, &r->tx->sender, &price);
    return err != CEVM_OK ? err : cevm_state_set_nonce(r->state, &r->tx->sender, r->tx->nonce + 1);
}

/** EIP-2930: addresses and slots that the transaction lists. */
static cevm_err warm_access_list(const run *r)
{
    for (size_t i = 0; i < r->tx->access_count; ++i) {
        const cevm_access_entry *entry = &r->tx->access_list[i];
        cevm_err err = r->host.vtable->warm_account(r->host.ctx, &entry->address);
        for (size_t k = 0; k < entry->key_count && err == CEVM_OK; ++k) {
            const cevm_u256 key = cevm_u256_from_be(entry->keys[k].bytes);
            err = cevm_state_warm_slot(r->state, &entry->address, &key);
        }
        if (err != CEVM_OK) {
            return err;
        }
    }
    return CEVM_OK;
}

static cevm_err warm_precompiles(const run *r)
{
    if ((r->tx->skips & CEVM_SKIP_MOVED) == 0) {
        return cevm_vm_warm_precompiles(r->vm, &r->host, r->block->fork);
    }
    size_t count;
    const cevm_precompile *rows = cevm_precompiles(&count);
    cevm_err err = CEVM_OK;
    for (size_t i = 0; i < count && err == CEVM_OK; ++i) {
        const cevm_address address = CEVM_ADDRESS_OF(rows[i].address);
        if (r->block->fork >= rows[i].since) {
            err = r->host.vtable->warm_account(r->host.ctx, &address);
        }
    }
    return err;
}

/** EIP-2929: what a transaction may touch at the warm price from its beginning. */
static cevm_err warm_all(const run *r)
{
    if (!CEVM_HAS_EIP(r->block->fork, 2929)) {
        return CEVM_OK;
    }
    cevm_err err = r->host.vtable->warm_account(r->host.ctx, &r->tx->sender);
    if (err == CEVM_OK) {
        err = r->host.vtable->warm_account(r->host.ctx, &r->message.recipient);
    }
    if (err == CEVM_OK) {
        err = warm_precompiles(r);
    }
    if (err == CEVM_OK && CEVM_HAS_EIP(r->block->fork, 3651)) {
        err = r->host.vtable->warm_account(r->host.ctx, &r->block->coinbase);
    }
    return err != CEVM_OK ? err : warm_access_list(r);
}

static void build_message(run *r)
{
    const cevm_tx *tx = r->tx;
    r->message = (cevm_message){
        .kind = tx->is_create ? CEVM_CREATE : CEVM_CALL,
        .gas = (int64_t)(tx->gas_limit - r->intrinsic.gas),
        .sender = tx->sender,
        .value = tx->value,
        .input = tx->data,
    };
    if (tx->is_create) {
        cevm_create_address(&r->message.recipient, &tx->sender, tx->nonce);
    } else {
        r->message.recipient = tx->to;
    }
    r->message.code_address = r->message.recipient;
}

/** EIP-7702: tuples first, then the recipient's delegation, which one of them may just have set. */
static cevm_err delegate(run *r)
{
    if (!CEVM_HAS_EIP(r->block->fork, 7702) || r->tx->is_create) {
        return CEVM_OK;
    }
    cevm_err err = CEVM_OK;
    if (r->tx->type == CEVM_TX_SET_CODE) {
        err = cevm_authorizations_apply(&r->authorization_refund, &r->host, r->tx, r->block->chain_id);
    }
    return err != CEVM_OK ? err : cevm_delegation_follow(&r->message, &r->host);
}

/** Gas used in the end: minus the refund, at least the floor. */
static void count_gas(cevm_receipt *out, const run *r, const cevm_result *result)
{
    const uint64_t left = (uint64_t)result->gas.left;
    const uint64_t used = r->tx->gas_limit - left;
    const uint64_t limit = used / (CEVM_HAS_EIP(r->block->fork, 3529) ? 5 : 2);
    uint64_t refund = r->authorization_refund;
    if (cevm_status_is_success(result->status) && result->gas.refund > 0) {
        refund += (uint64_t)result->gas.refund;
    }
    out->gas_refunded = refund < limit ? refund : limit;
    out->gas_used = used - out->gas_refunded;
    out->gas_peak = used;
    if (out->gas_used < r->intrinsic.floor) {
        out->gas_used = r->intrinsic.floor;
    }
    if (out->gas_peak < r->intrinsic.floor) {
        out->gas_peak = r->intrinsic.floor;
    }
}

/**
 * Gives the sender what is left and pays the coinbase. The coinbase is touched even with nothing: that creates it before
 * EIP-161 and deletes it, if it is empty, from then on.
 */
static cevm_err settle(const run *r, const cevm_receipt *receipt)
{
    const cevm_u256 left = cevm_u256_from_u64(r->tx->gas_limit - receipt->gas_used);
    const cevm_u256 back = u256_mul(&left, &r->env.gas_price);
    cevm_err err = CEVM_OK;
    if (!cevm_u256_is_zero(&back)) {
        err = cevm_state_add_balance(r->state, &r->tx->sender, &back);
    }
    if (err != CEVM_OK) {
        return err;
    }
    cevm_u256 tip = r->env.gas_price;
    if (CEVM_HAS_EIP(r->block->fork, 1559)) { /* a price below the base fee is zero: CEVM_SKIP_ZERO_FEES */
        tip = u256_lt(&tip, &r->block->base_fee) ? cevm_u256_from_u64(0) : u256_sub(&tip, &r->block->base_fee);
    }
    const cevm_u256 used = cevm_u256_from_u64(receipt->gas_used);
    const cevm_u256 fee = u256_mul(&used, &tip);
    return cevm_state_add_balance(r->state, &r->block->coinbase, &fee);
}

static cevm_err execute(run *r, cevm_receipt *out)
{
    cevm_err err = buy_gas(r);
    build_message(r);
    if (err == CEVM_OK) {
        err = warm_all(r);
    }
    if (err == CEVM_OK) {
        err = delegate(r);
    }
    if (err != CEVM_OK) {
        return err;
    }
    if (r->tracer != NULL && r->tracer->on_tx_start != NULL) {
        r->tracer->on_tx_start(r->tracer->ctx, r->block, &r->env);
    }
    cevm_result result;
    err = cevm_vm_execute(r->vm, &result, &r->message, r->block, &r->env, &r->host, r->tracer);
    if (err != CEVM_OK) {
        return err;
    }
    *out = (cevm_receipt){
        .status = result.status,
        .blob_gas_used = cevm_tx_blob_gas(r->tx),
        .output = result.output,
        .has_created = r->tx->is_create,
    };
    if (r->tx->is_create) {
        out->created = r->message.recipient;
    }
    count_gas(out, r, &result);
    return settle(r, out);
}

/**
 * Takes everything back to the mark and closes the transaction with nothing in it. It is begun anew for that: the touch of
 * the RIPEMD-160 precompile outlives a revert (EIP-161's exception of 2016), but must not outlive the transaction.
 */
static void abandon(const run *r, cevm_checkpoint mark)
{
    r->host.vtable->revert(r->host.ctx, mark);
    (void)cevm_state_begin_tx(r->state, r->block->fork); /* neither has anything to fail at */
    (void)cevm_state_end_tx(r->state);
}

cevm_err cevm_tx_apply(cevm_vm *vm, cevm_state *state, cevm_receipt *out, cevm_tx_error *reason, const cevm_tx *tx,
                       const cevm_block_env *block, const cevm_block_usage *usage, const cevm_tracer *tracer)
{
    run r = {.vm = vm, .state = state, .tx = tx, .block = block, .tracer = tracer};
    *reason = CEVM_TX_NONE;
    cevm_err err = cevm_state_begin_tx(state, block->fork);
    if (err != CEVM_OK) {
        return err;
    }
    r.host = cevm_state_host(state);
    const cevm_checkpoint mark = r.host.vtable->checkpoint(r.host.ctx);
    err = cevm_tx_validate(reason, state, tx, block, usage);
    if (err != CEVM_OK || *reason != CEVM_TX_NONE) {
        abandon(&r, mark);
        return err;
    }
    r.intrinsic = cevm_tx_intrinsic_gas(tx, block->fork);
    r.env.origin = tx->sender;
    r.env.gas_price = cevm_tx_effective_price(tx, block);
    if (tx->type == CEVM_TX_BLOB) {
        r.env.blob_hashes = tx->blob_hashes;
        r.env.blob_hash_count = tx->blob_count;
    }
    err = execute(&r, out);
    if (err == CEVM_OK) {
        err = cevm_state_end_tx(state);
    }
    if (err != CEVM_OK) {
        abandon(&r, mark);
        return err;
    }
    out->logs = cevm_state_logs(state, &out->log_count);
    if (tracer != NULL && tracer->on_tx_end != NULL) {
        tracer->on_tx_end(tracer->ctx, (int64_t)out->gas_used);
    }
    return CEVM_OK;
}
