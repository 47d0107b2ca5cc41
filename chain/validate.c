/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a transaction is refused. The order is that of the executable specification (validate_transaction, then
 * check_transaction): a transaction with two faults is named after the first.
 *
 * EIP-1559 (fees), EIP-3607 (sender without code, but for the delegations of EIP-7702), EIP-4844 and EIP-7594 (blobs),
 * EIP-3860 (initcode), EIP-2681 (nonce), EIP-7623 (floor), EIP-7825 (gas cap).
 */
#include "chain/validate.h"

#include <cevm/crypto.h>

#include "chain/authorization.h"
#include "evm/u256.h"

#define MAX_INITCODE_SIZE     49152u    /* bytes, EIP-3860 */
#define MAX_TX_GAS            16777216u /* 2^24, EIP-7825 */
#define GAS_PER_BLOB          131072u   /* 2^17, EIP-4844 */
#define MAX_BLOBS_PER_TX      6u        /* EIP-7594 */
#define BLOB_HASH_VERSION_KZG 0x01      /* EIP-4844 */

cevm_tx_error cevm_tx_check_type(const cevm_tx *tx, cevm_fork fork)
{
    switch (tx->type) {
    case CEVM_TX_LEGACY: return CEVM_TX_NONE;
    case CEVM_TX_ACCESS_LIST: return CEVM_HAS_EIP(fork, 2930) ? CEVM_TX_NONE : CEVM_TX_TYPE_1_TX_PRE_FORK;
    case CEVM_TX_DYNAMIC_FEE: return CEVM_HAS_EIP(fork, 1559) ? CEVM_TX_NONE : CEVM_TX_TYPE_2_TX_PRE_FORK;
    case CEVM_TX_BLOB: return CEVM_HAS_EIP(fork, 4844) ? CEVM_TX_NONE : CEVM_TX_TYPE_3_TX_PRE_FORK;
    case CEVM_TX_SET_CODE: return CEVM_HAS_EIP(fork, 7702) ? CEVM_TX_NONE : CEVM_TX_TYPE_4_TX_PRE_FORK;
    default: return CEVM_TX_TYPE_NOT_SUPPORTED;
    }
}

cevm_tx_error cevm_tx_check_chain(const cevm_tx *tx, cevm_fork fork, uint64_t chain_id)
{
    const bool names_chain = tx->type != CEVM_TX_LEGACY || (tx->has_chain_id && CEVM_HAS_EIP(fork, 155));
    return names_chain && tx->chain_id != chain_id ? CEVM_TX_INVALID_CHAINID : CEVM_TX_NONE;
}

cevm_tx_error cevm_tx_check_alone(const cevm_tx *tx, cevm_fork fork)
{
    const cevm_intrinsic_gas intrinsic = cevm_tx_intrinsic_gas(tx, fork);
    if (tx->gas_limit < intrinsic.gas) {
        return CEVM_TX_INTRINSIC_GAS_TOO_LOW;
    }
    if (tx->gas_limit < intrinsic.floor) {
        return CEVM_TX_INTRINSIC_GAS_BELOW_FLOOR_GAS_COST;
    }
    if (tx->nonce == UINT64_MAX && (tx->skips & CEVM_SKIP_NONCE) == 0) {
        return CEVM_TX_NONCE_IS_MAX;
    }
    if (CEVM_HAS_EIP(fork, 3860) && tx->is_create && tx->data.size > MAX_INITCODE_SIZE &&
        (tx->skips & CEVM_SKIP_INITCODE_SIZE) == 0) {
        return CEVM_TX_INITCODE_SIZE_EXCEEDED;
    }
    if (CEVM_HAS_EIP(fork, 7825) && tx->gas_limit > MAX_TX_GAS && (tx->skips & CEVM_SKIP_GAS_CAP) == 0) {
        return CEVM_TX_GAS_LIMIT_EXCEEDS_MAXIMUM;
    }
    return CEVM_TX_NONE;
}

uint64_t cevm_tx_blob_gas(const cevm_tx *tx)
{
    if (tx->type != CEVM_TX_BLOB) {
        return 0;
    }
    const uint64_t count = tx->blob_count;
    return count > UINT64_MAX / GAS_PER_BLOB ? UINT64_MAX : count * GAS_PER_BLOB;
}

cevm_tx_error cevm_tx_max_cost(cevm_u256 *out, const cevm_tx *tx)
{
    const cevm_u256 gas = cevm_u256_from_u64(tx->gas_limit);
    cevm_u256 cost;
    if (cevm_u256_mul_overflow(&cost, &tx->max_fee, &gas)) {
        return CEVM_TX_GASLIMIT_PRICE_PRODUCT_OVERFLOW;
    }
    if (tx->type == CEVM_TX_BLOB) {
        const cevm_u256 blob_gas = cevm_u256_from_u64(cevm_tx_blob_gas(tx));
        cevm_u256 blob_cost;
        if (cevm_u256_mul_overflow(&blob_cost, &tx->max_fee_per_blob_gas, &blob_gas) ||
            u256_add_overflow(&cost, &cost, &blob_cost)) {
            return CEVM_TX_INSUFFICIENT_ACCOUNT_FUNDS;
        }
    }
    return u256_add_overflow(out, &cost, &tx->value) ? CEVM_TX_INSUFFICIENT_ACCOUNT_FUNDS : CEVM_TX_NONE;
}

cevm_u256 cevm_tx_effective_price(const cevm_tx *tx, const cevm_block_env *block)
{
    cevm_u256 price;
    if (!CEVM_HAS_EIP(block->fork, 1559) || u256_add_overflow(&price, &block->base_fee, &tx->max_priority_fee)) {
        return tx->max_fee;
    }
    return u256_lt(&price, &tx->max_fee) ? price : tx->max_fee;
}

/** Gas that is left in the block. */
static cevm_tx_error check_gas_room(const cevm_tx *tx, const cevm_block_env *block, const cevm_block_usage *usage)
{
    const uint64_t used = usage != NULL ? usage->gas_used : 0;
    const uint64_t room = used < block->gas_limit ? block->gas_limit - used : 0;
    const bool fits = tx->gas_limit <= room || (tx->skips & CEVM_SKIP_GAS_CAP) != 0;
    if (!fits || tx->gas_limit > INT64_MAX) {
        return CEVM_TX_GAS_ALLOWANCE_EXCEEDED;
    }
    return CEVM_TX_NONE;
}

/** Blobs that are left in the block, and how many a transaction may have. */
static cevm_tx_error check_blob_room(const cevm_tx *tx, const cevm_block_env *block, const cevm_block_usage *usage)
{
    if (tx->type == CEVM_TX_BLOB) {
        if (tx->blob_count > block->max_blobs) {
            return CEVM_TX_TYPE_3_TX_BLOBS_ABOVE_BLOCK_LIMIT;
        }
        if (CEVM_HAS_EIP(block->fork, 7594) && tx->blob_count > MAX_BLOBS_PER_TX) {
            return CEVM_TX_TYPE_3_TX_BLOB_COUNT_EXCEEDED;
        }
        const uint64_t blobs_used = usage != NULL ? usage->blob_gas_used / GAS_PER_BLOB : 0;
        if (blobs_used > block->max_blobs || tx->blob_count > block->max_blobs - blobs_used) {
            return CEVM_TX_TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED;
        }
    }
    return CEVM_TX_NONE;
}

/** Whether this fee is not held against the transaction. */
static bool skips_fee(const cevm_tx *tx, const cevm_u256 *fee)
{
    return (tx->skips & CEVM_SKIP_ZERO_FEES) != 0 && cevm_u256_is_zero(fee);
}

static cevm_tx_error check_fees(const cevm_tx *tx, const cevm_block_env *block)
{
    if (!CEVM_HAS_EIP(block->fork, 1559)) {
        return CEVM_TX_NONE;
    }
    if (u256_lt(&tx->max_fee, &tx->max_priority_fee)) {
        return CEVM_TX_PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS;
    }
    if (skips_fee(tx, &tx->max_fee)) {
        return CEVM_TX_NONE;
    }
    return u256_lt(&tx->max_fee, &block->base_fee) ? CEVM_TX_INSUFFICIENT_MAX_FEE_PER_GAS : CEVM_TX_NONE;
}

/** What blob transactions (EIP-4844) and set-code transactions (EIP-7702) must have beyond the others. */
static cevm_tx_error check_type_rules(const cevm_tx *tx, const cevm_block_env *block)
{
    if (tx->type == CEVM_TX_BLOB) {
        if (tx->blob_count == 0) {
            return CEVM_TX_TYPE_3_TX_ZERO_BLOBS;
        }
        for (size_t i = 0; i < tx->blob_count; ++i) {
            if (tx->blob_hashes[i].bytes[0] != BLOB_HASH_VERSION_KZG) {
                return CEVM_TX_TYPE_3_TX_INVALID_BLOB_VERSIONED_HASH;
            }
        }
        if (u256_lt(&tx->max_fee_per_blob_gas, &block->blob_base_fee) && !skips_fee(tx, &tx->max_fee_per_blob_gas)) {
            return CEVM_TX_INSUFFICIENT_MAX_FEE_PER_BLOB_GAS;
        }
        return tx->is_create ? CEVM_TX_TYPE_3_TX_CONTRACT_CREATION : CEVM_TX_NONE;
    }
    if (tx->type == CEVM_TX_SET_CODE) {
        if (tx->is_create) {
            return CEVM_TX_TYPE_4_TX_CONTRACT_CREATION;
        }
        return tx->authorization_count == 0 ? CEVM_TX_TYPE_4_EMPTY_AUTHORIZATION_LIST : CEVM_TX_NONE;
    }
    return CEVM_TX_NONE;
}

/** EIP-3607: an account with code cannot send, unless the code is a delegation of EIP-7702. */
static cevm_err check_sender_code(cevm_tx_error *reason, cevm_state *state, const cevm_tx *tx,
                                  const cevm_account_info *sender, cevm_fork fork)
{
    if (cevm_hash_equal(&sender->code_hash, &cevm_empty_code_hash) || (tx->skips & CEVM_SKIP_SENDER_CODE) != 0) {
        return CEVM_OK;
    }
    *reason = CEVM_TX_SENDER_NOT_EOA;
    if (CEVM_HAS_EIP(fork, 7702)) {
        const cevm_host host = cevm_state_host(state);
        cevm_code code;
        cevm_address delegate;
        const cevm_err err = host.vtable->load_code(host.ctx, &code, &tx->sender);
        if (err != CEVM_OK) {
            return err;
        }
        if (cevm_delegation_target(&delegate, code.bytes)) {
            *reason = CEVM_TX_NONE;
        }
    }
    return CEVM_OK;
}

/** Nonce, funds and code of the sender. */
static cevm_err check_sender(cevm_tx_error *reason, cevm_state *state, const cevm_tx *tx, cevm_fork fork)
{
    cevm_account_info sender;
    const cevm_err err = cevm_state_get_account(state, &sender, &tx->sender);
    if (err != CEVM_OK) {
        return err;
    }
    if (sender.nonce != tx->nonce && (tx->skips & CEVM_SKIP_NONCE) == 0) {
        *reason = tx->nonce < sender.nonce ? CEVM_TX_NONCE_MISMATCH_TOO_LOW : CEVM_TX_NONCE_MISMATCH_TOO_HIGH;
        return CEVM_OK;
    }
    cevm_u256 cost;
    *reason = cevm_tx_max_cost(&cost, tx);
    if (*reason == CEVM_TX_NONE && u256_lt(&sender.balance, &cost)) {
        *reason = CEVM_TX_INSUFFICIENT_ACCOUNT_FUNDS;
    }
    return *reason == CEVM_TX_NONE ? check_sender_code(reason, state, tx, &sender, fork) : CEVM_OK;
}

cevm_err cevm_tx_validate(cevm_tx_error *reason, cevm_state *state, const cevm_tx *tx, const cevm_block_env *block,
                          const cevm_block_usage *usage)
{
    *reason = cevm_tx_check_type(tx, block->fork);
    if (!tx->has_sender && *reason == CEVM_TX_NONE) {
        return CEVM_ERR_ARGUMENT;
    }
    if (*reason == CEVM_TX_NONE) {
        *reason = cevm_tx_check_chain(tx, block->fork, block->chain_id);
    }
    /* Vectors with several faults name the room in the block before the fees, and the fees before the intrinsic gas. */
    if (*reason == CEVM_TX_NONE) {
        *reason = check_gas_room(tx, block, usage);
    }
    if (*reason == CEVM_TX_NONE) {
        *reason = check_fees(tx, block);
    }
    if (*reason == CEVM_TX_NONE) {
        *reason = cevm_tx_check_alone(tx, block->fork);
    }
    if (*reason == CEVM_TX_NONE) {
        *reason = check_blob_room(tx, block, usage);
    }
    if (*reason == CEVM_TX_NONE) {
        *reason = check_type_rules(tx, block);
    }
    return *reason == CEVM_TX_NONE ? check_sender(reason, state, tx, block->fork) : CEVM_OK;
}
