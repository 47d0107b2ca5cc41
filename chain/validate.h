/* SPDX-License-Identifier: Apache-2.0 */
/**
 * chain/validate.h: the checks of a transaction that need no state and no block. Pure, safe on any thread.
 */
#ifndef CEVM_CHAIN_VALIDATE_H
#define CEVM_CHAIN_VALIDATE_H

#include <cevm/transition.h>

/** Whether the fork knows the transaction's type: NONE or TYPE_n_TX_PRE_FORK. */
cevm_tx_error cevm_tx_check_type(const cevm_tx *tx, cevm_fork fork);

/** Whether a transaction that names a chain (EIP-155, EIP-2718) names this one: NONE or INVALID_CHAINID. */
cevm_tx_error cevm_tx_check_chain(const cevm_tx *tx, cevm_fork fork, uint64_t chain_id);

/**
 * Gas against the intrinsic cost and the floor (EIP-7623), the greatest nonce (EIP-2681), initcode size (EIP-3860) and
 * the gas cap (EIP-7825); in the order of the executable specification's validate_transaction.
 */
cevm_tx_error cevm_tx_check_alone(const cevm_tx *tx, cevm_fork fork);

/**
 * The most a transaction can cost its sender, in wei: gas_limit * max_fee + blob gas * max_fee_per_blob_gas + value.
 * GASLIMIT_PRICE_PRODUCT_OVERFLOW when gas * price, INSUFFICIENT_ACCOUNT_FUNDS when the sum passes 256 bits: no account
 * holds that.
 */
cevm_tx_error cevm_tx_max_cost(cevm_u256 *out, const cevm_tx *tx);

/** Wei per gas that the sender pays: min(max_fee, base_fee + max_priority_fee) (EIP-1559). */
cevm_u256 cevm_tx_effective_price(const cevm_tx *tx, const cevm_block_env *block);

/** Blob gas of a transaction: 2^17 a blob (EIP-4844). */
uint64_t cevm_tx_blob_gas(const cevm_tx *tx);

#endif
