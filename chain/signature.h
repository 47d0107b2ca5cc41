/* SPDX-License-Identifier: Apache-2.0 */
/**
 * chain/signature.h: what EIP-2 and the curve demand of the two numbers of a signature, shared by transactions and by the
 * authorizations of EIP-7702, and what v says of the chain. Pure, safe on any thread.
 */
#ifndef CEVM_CHAIN_SIGNATURE_H
#define CEVM_CHAIN_SIGNATURE_H

#include <cevm/tx.h>

/** Whether r is in [1, n-1] and s in [1, n-1], or with low_s in [1, n/2] (EIP-2). */
bool cevm_signature_in_range(const cevm_u256 *r, const cevm_u256 *s, bool low_s);

/**
 * Takes the chain id of a legacy transaction out of its v (EIP-155): v = 35 + 2 * chain_id + parity, which may pass 64 bits.
 * Any other v names no chain.
 */
void cevm_tx_chain_of_v(cevm_tx *tx);

#endif
