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

/** What the author of an ommer `age` blocks old (0 to 8) gets where a block is worth `reward` wei. */
cevm_u256 cevm_ommer_payment(const cevm_u256 *reward, uint64_t age);
/** What the author of a block gets for it and for naming so many ommers. */
cevm_u256 cevm_author_payment(const cevm_u256 *reward, size_t ommer_count);

/** At the end of a block: the reward of the coinbase and the ommers, then withdrawals (EIP-4895). */
cevm_err cevm_pay_block(cevm_state *state, const cevm_execution_input *input);

#endif
