/* SPDX-License-Identifier: Apache-2.0 */
/**
 * chain/authorization.h: EIP-7702, accounts that delegate their code.
 */
#ifndef CEVM_CHAIN_AUTHORIZATION_H
#define CEVM_CHAIN_AUTHORIZATION_H

#include <cevm/state.h>
#include <cevm/tx.h>
#include <cevm/vm.h>

/**
 * The account that signed a tuple; false when no valid signature of it exists. The digest is
 * keccak256(0x05 ‖ rlp([chain_id, address, nonce])). Pure.
 */
bool cevm_authorization_authority(cevm_address *authority, const cevm_authorization *authorization);

/**
 * Applies the authorizations of a set-code transaction in order; one that is not valid is passed over.
 *
 * @param refund receives the gas to refund: 12500 for each authority that already existed
 * @return CEVM_OK or the host's error
 */
cevm_err cevm_authorizations_apply(uint64_t *refund, const cevm_host *host, const cevm_tx *tx, uint64_t chain_id);

/**
 * Makes a top-level call run the code that its recipient delegates to, one step; the delegate is warm from then on. Nothing
 * happens to a call of an account that delegates nothing. Only from EIP-7702 on.
 *
 * @return CEVM_OK or the host's error
 */
cevm_err cevm_delegation_follow(cevm_message *message, const cevm_host *host);

#endif
