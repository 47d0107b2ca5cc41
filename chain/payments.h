/* SPDX-License-Identifier: Apache-2.0 */
/**
 * chain/payments.h: ether that moves without a transaction. Each function is a transaction of its own on the state; after
 * an error the state must be discarded.
 */
#ifndef CEVM_CHAIN_PAYMENTS_H
#define CEVM_CHAIN_PAYMENTS_H

#include <cevm/execution.h>

/** EIP-779: the balances of the DAO and its children go to the contract that refunds them. */
cevm_err cevm_pay_dao_refund(cevm_state *state, cevm_fork fork);

/** Whether the ommers are of an age that a reward is defined for: 0 to 8 blocks before `number`. */
bool cevm_ommers_can_be_paid(const cevm_ommer_reward *ommers, size_t count, uint64_t number);

/** At the end of a block: the reward of the coinbase and the ommers, then withdrawals (EIP-4895). */
cevm_err cevm_pay_block(cevm_state *state, const cevm_execution_input *input);

#endif
