/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/tx_reason.h"

#include <inttypes.h>
#include <stdio.h>

#include <cevm/hex.h>

#include "chain/validate.h"

enum { DECIMAL = 80, ADDRESS = 43 };

static void describe_funds(char out[CEVM_TX_REASON_SIZE], const char *text, const char *address, const cevm_tx *tx,
                           const cevm_account_info *sender)
{
    cevm_u256 cost;
    char have[DECIMAL];
    char want[DECIMAL];
    cevm_u256_to_decimal(have, &sender->balance);
    if (cevm_tx_max_cost(&cost, tx) == CEVM_TX_NONE) {
        cevm_u256_to_decimal(want, &cost);
    } else {
        (void)snprintf(want, sizeof want, "more than 256 bits");
    }
    (void)snprintf(out, CEVM_TX_REASON_SIZE, "%s: address %s have %s want %s", text, address, have, want);
}

static void describe_fee(char out[CEVM_TX_REASON_SIZE], const char *text, const char *address, const char *fee_name,
                         const cevm_u256 *fee, const char *base_name, const cevm_u256 *base)
{
    char have[DECIMAL];
    char want[DECIMAL];
    cevm_u256_to_decimal(have, fee);
    cevm_u256_to_decimal(want, base);
    (void)snprintf(out, CEVM_TX_REASON_SIZE, "%s: address %s, %s: %s, %s: %s", text, address, fee_name, have, base_name,
                   want);
}

void cevm_tx_reason_describe(char out[CEVM_TX_REASON_SIZE], cevm_tx_error reason, const cevm_tx *tx,
                             const cevm_block_env *block, const cevm_account_info *sender)
{
    const char *text = cevm_tx_error_string(reason);
    const cevm_intrinsic_gas intrinsic = cevm_tx_intrinsic_gas(tx, block->fork);
    char address[ADDRESS];
    cevm_address_to_text(address, &tx->sender);
    if (reason == CEVM_TX_NONCE_MISMATCH_TOO_LOW || reason == CEVM_TX_NONCE_MISMATCH_TOO_HIGH) {
        (void)snprintf(out, CEVM_TX_REASON_SIZE, "%s: address %s, tx: %" PRIu64 " state: %" PRIu64, text, address,
                       tx->nonce, sender->nonce);
    } else if (reason == CEVM_TX_INSUFFICIENT_ACCOUNT_FUNDS) {
        describe_funds(out, text, address, tx, sender);
    } else if (reason == CEVM_TX_INTRINSIC_GAS_TOO_LOW || reason == CEVM_TX_INTRINSIC_GAS_BELOW_FLOOR_GAS_COST) {
        const bool is_floor = reason == CEVM_TX_INTRINSIC_GAS_BELOW_FLOOR_GAS_COST;
        (void)snprintf(out, CEVM_TX_REASON_SIZE, "%s: have %" PRIu64 ", want %" PRIu64, text, tx->gas_limit,
                       is_floor ? intrinsic.floor : intrinsic.gas);
    } else if (reason == CEVM_TX_INSUFFICIENT_MAX_FEE_PER_GAS) {
        describe_fee(out, text, address, "maxFeePerGas", &tx->max_fee, "baseFee", &block->base_fee);
    } else if (reason == CEVM_TX_INSUFFICIENT_MAX_FEE_PER_BLOB_GAS) {
        describe_fee(out, text, address, "blobGasFeeCap", &tx->max_fee_per_blob_gas, "blobBaseFee",
                     &block->blob_base_fee);
    } else if (reason == CEVM_TX_PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS) {
        describe_fee(out, text, address, "maxPriorityFeePerGas", &tx->max_priority_fee, "maxFeePerGas", &tx->max_fee);
    } else {
        (void)snprintf(out, CEVM_TX_REASON_SIZE, "%s: address %s", text, address);
    }
}
