/* SPDX-License-Identifier: Apache-2.0 */
/**
 * chain/tx_json.h: transactions written as JSON: the lists they share with state tests, and a whole transaction as the
 * JSON-RPC and the transition tools write it.
 *
 * Conventions of chain/json.h. What is read lives in the arena, the transaction's views point there.
 */
#ifndef CEVM_CHAIN_TX_JSON_H
#define CEVM_CHAIN_TX_JSON_H

#include <cevm/tx.h>

#include "chain/json.h"

/** [{"address", "storageKeys": [...]}], EIP-2930. Keys may be written short. */
bool cevm_tx_json_access_list(cevm_tx *out, const cevm_json_at *list, cevm_arena *arena);
/** [32-byte hash, ...], EIP-4844. */
bool cevm_tx_json_blob_hashes(cevm_tx *out, const cevm_json_at *list, cevm_arena *arena);
/** [{"chainId", "address", "nonce", "yParity" or "v", "r", "s"}], EIP-7702. */
bool cevm_tx_json_authorizations(cevm_tx *out, const cevm_json_at *list, cevm_arena *arena);
/** "to": missing, null, "" and "0x" are a creation. */
bool cevm_tx_json_recipient(cevm_tx *out, const cevm_json_at *tx);

/**
 * A whole transaction: "type" (missing = legacy), "chainId", "nonce", "gas", "gasPrice" or "maxFeePerGas" and
 * "maxPriorityFeePerGas", "to", "value", "input" (or "data"), "accessList", "maxFeePerBlobGas", "blobVersionedHashes",
 * "authorizationList", "v" (or "yParity"), "r", "s".
 *
 * With a "secretKey" and no signature (v, r and s missing or zero) it is signed here; a legacy one for `chain_id` unless
 * "protected" is false. The sender is not set otherwise.
 */
bool cevm_tx_json_load(cevm_tx *out, const cevm_json_at *at, uint64_t chain_id, cevm_arena *arena);

#endif
