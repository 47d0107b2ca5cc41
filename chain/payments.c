/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ether that moves without a transaction: the reward of proof of work (EIP-649, EIP-1234), withdrawals (EIP-4895), and the
 * irregular state change of EIP-779.
 */
#include "chain/payments.h"

#include "evm/u256.h"

#define WEI_PER_GWEI  1000000000u
#define WEI_PER_ETHER 1000000000000000000u

/** An ommer's reward falls by an eighth of the block's with each block of age. */
enum { OMMER_SHARES = 8, NEPHEW_DIVISOR = 32 };

void cevm_block_reward(cevm_u256 *out, cevm_fork fork)
{
    uint64_t ether = 5;
    if (CEVM_HAS_EIP(fork, 3675)) {
        ether = 0;
    } else if (CEVM_HAS_EIP(fork, 1234)) {
        ether = 2;
    } else if (CEVM_HAS_EIP(fork, 649)) {
        ether = 3;
    }
    *out = cevm_u256_from_u64(ether * WEI_PER_ETHER);
}

/* ---- EIP-779 ----------------------------------------------------------------------------------------------------- */

static const cevm_address dao_accounts[] = {
#define DAO_ACCOUNT(...) {{__VA_ARGS__}},
#include "chain/dao_accounts.def"
#undef DAO_ACCOUNT
};

static const cevm_address dao_refund_contract = {{0xbf, 0x4e, 0xd7, 0xb2, 0x7f, 0x1d, 0x66, 0x65, 0x46, 0xe3,
                                                  0x0d, 0x74, 0xd5, 0x0d, 0x17, 0x3d, 0x20, 0xbc, 0xa7, 0x54}};

/** Both accounts exist afterwards, even if there was nothing to move: so it is on every chain with this fork. */
static cevm_err move_all(cevm_state *state, const cevm_address *from, const cevm_address *to)
{
    const cevm_u256 nothing = cevm_u256_from_u64(0);
    cevm_account_info info;
    cevm_err err = cevm_state_get_account(state, &info, from);
    if (err == CEVM_OK) {
        err = cevm_state_add_balance(state, from, &nothing);
    }
    if (err == CEVM_OK) {
        err = cevm_state_sub_balance(state, from, &info.balance);
    }
    return err != CEVM_OK ? err : cevm_state_add_balance(state, to, &info.balance);
}

cevm_err cevm_pay_dao_refund(cevm_state *state, cevm_fork fork)
{
    cevm_err err = cevm_state_begin_tx(state, fork);
    for (size_t i = 0; i < sizeof dao_accounts / sizeof dao_accounts[0] && err == CEVM_OK; ++i) {
        err = move_all(state, &dao_accounts[i], &dao_refund_contract);
    }
    return err != CEVM_OK ? err : cevm_state_end_tx(state);
}

/* ---- The end of a block ------------------------------------------------------------------------------------------ */

bool cevm_ommers_can_be_paid(const cevm_ommer_reward *ommers, size_t count, uint64_t number)
{
    for (size_t i = 0; i < count; ++i) {
        if (ommers[i].number > number || number - ommers[i].number > OMMER_SHARES) {
            return false;
        }
    }
    return true;
}

cevm_u256 cevm_ommer_payment(const cevm_u256 *reward, uint64_t age)
{
    const cevm_u256 shares = cevm_u256_from_u64(OMMER_SHARES);
    const cevm_u256 left = cevm_u256_from_u64(OMMER_SHARES - age);
    const cevm_u256 product = u256_mul(&left, reward);
    return cevm_u256_div(&product, &shares);
}

cevm_u256 cevm_author_payment(const cevm_u256 *reward, size_t ommer_count)
{
    const cevm_u256 divisor = cevm_u256_from_u64(NEPHEW_DIVISOR);
    const cevm_u256 count = cevm_u256_from_u64(ommer_count);
    const cevm_u256 nephew = cevm_u256_div(reward, &divisor);
    const cevm_u256 nephews = u256_mul(&nephew, &count);
    return u256_add(reward, &nephews);
}

/** The coinbase and the ommers' are touched even by a reward of nothing. */
static cevm_err pay_rewards(cevm_state *state, const cevm_execution_input *input)
{
    for (size_t i = 0; i < input->ommer_count; ++i) {
        const cevm_ommer_reward *ommer = &input->ommers[i];
        const cevm_u256 amount = cevm_ommer_payment(&input->reward, input->env.number - ommer->number);
        const cevm_err err = cevm_state_add_balance(state, &ommer->coinbase, &amount);
        if (err != CEVM_OK) {
            return err;
        }
    }
    const cevm_u256 reward = cevm_author_payment(&input->reward, input->ommer_count);
    return cevm_state_add_balance(state, &input->env.coinbase, &reward);
}

/** A withdrawal of nothing touches its account all the same: an empty one goes (EIP-161), a missing one stays missing. */
static cevm_err pay_withdrawals(cevm_state *state, const cevm_execution_input *input)
{
    const cevm_u256 gwei = cevm_u256_from_u64(WEI_PER_GWEI);
    cevm_err err = CEVM_OK;
    for (size_t i = 0; i < input->withdrawal_count && err == CEVM_OK; ++i) {
        const cevm_u256 amount = cevm_u256_from_u64(input->withdrawals[i].amount);
        const cevm_u256 wei = u256_mul(&amount, &gwei);
        err = cevm_state_add_balance(state, &input->withdrawals[i].address, &wei);
    }
    return err;
}

cevm_err cevm_pay_block(cevm_state *state, const cevm_execution_input *input)
{
    const bool withdraws = CEVM_HAS_EIP(input->env.fork, 4895) && input->withdrawal_count != 0;
    if (!input->pays_reward && !withdraws) {
        return CEVM_OK;
    }
    cevm_err err = cevm_state_begin_tx(state, input->env.fork);
    if (err == CEVM_OK && input->pays_reward) {
        err = pay_rewards(state, input);
    }
    if (err == CEVM_OK && withdraws) {
        err = pay_withdrawals(state, input);
    }
    return err != CEVM_OK ? err : cevm_state_end_tx(state);
}
