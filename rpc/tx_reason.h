/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/tx_reason.h: why a transaction cannot be executed, with the numbers that say so, in geth's words (clients look for
 * them). Pure, safe on any thread.
 */
#ifndef CEVM_RPC_TX_REASON_H
#define CEVM_RPC_TX_REASON_H

#include <cevm/host.h>
#include <cevm/tx.h>
#include <cevm/vm.h>

enum { CEVM_TX_REASON_SIZE = 512 };

/**
 * Describes a reason that cevm_tx_validate gave for this transaction in this block, its sender's account being `sender`.
 * The text is cut to CEVM_TX_REASON_SIZE - 1 bytes.
 */
void cevm_tx_reason_describe(char out[CEVM_TX_REASON_SIZE], cevm_tx_error reason, const cevm_tx *tx,
                             const cevm_block_env *block, const cevm_account_info *sender);

#endif
