/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/overrides.h: what a call may suppose to be different: accounts (state overrides) and the block (block overrides), as
 * geth's eth_call and eth_simulateV1 take them.
 *
 * Overrides are read once and can be applied many times. Everything read lives in the call's arena.
 */
#ifndef CEVM_RPC_OVERRIDES_H
#define CEVM_RPC_OVERRIDES_H

#include <cevm/block.h>
#include <cevm/precompile.h>
#include <cevm/state.h>
#include <cevm/vm.h>

#include "rpc/rpc.h"

typedef struct cevm_slot_override {
    cevm_u256 key;
    cevm_u256 value;
} cevm_slot_override;

/** One account. */
typedef struct cevm_account_override {
    cevm_address address;
    bool has_balance;
    cevm_u256 balance;
    bool has_nonce;
    uint64_t nonce;
    bool has_code;
    cevm_bytes code;
    bool clears_storage; /* "state": the slots are all there are; else "stateDiff": they are set, others stay */
    const cevm_slot_override *slots;
    size_t slot_count;
    bool moves; /* the precompiled contract of this address is found at another one */
    cevm_address moved_to;
} cevm_account_override;

/** Zero is none. */
typedef struct cevm_state_overrides {
    cevm_account_override *accounts;
    size_t count;
} cevm_state_overrides;

/** {address: {balance, nonce, code, state | stateDiff, movePrecompileToAddress}}; NULL is none. False: the call failed. */
bool cevm_state_overrides_read(cevm_state_overrides *out, cevm_rpc_call *call, json_t *object);
/**
 * Writes them into a state, as a transaction would that came before all others; no transaction may be open. What it did
 * waits there for cevm_state_commit or cevm_state_discard. Errors: the state's.
 */
cevm_err cevm_state_overrides_apply(const cevm_state_overrides *overrides, cevm_state *state, cevm_fork fork);

/** The precompiled contracts of a VM after moves. Zero is the standard ones. Lives in the arena it was made with. */
typedef struct cevm_precompile_moves {
    cevm_precompile_change *changes;
    size_t count;
    size_t capacity;
} cevm_precompile_moves;

/**
 * Adds what the overrides move, and what they put code in the place of. False: the call failed, an account that is to be
 * moved is no precompiled contract, or memory ran out.
 */
bool cevm_precompile_moves_add(cevm_precompile_moves *moves, cevm_rpc_call *call, const cevm_state_overrides *overrides,
                               cevm_fork fork);

/** A block's; each counts only where its has_ is set. */
typedef struct cevm_block_overrides {
    bool has_number;
    uint64_t number;
    bool has_time;
    uint64_t time;
    bool has_gas_limit;
    uint64_t gas_limit;
    bool has_coinbase;
    cevm_address coinbase;
    bool has_prev_randao;
    cevm_hash prev_randao;
    bool has_difficulty;
    cevm_u256 difficulty;
    bool has_base_fee;
    cevm_u256 base_fee;
    bool has_blob_base_fee;
    cevm_u256 blob_base_fee;
    bool has_beacon_root;
    cevm_hash beacon_root;
    bool has_withdrawals;
    const cevm_withdrawal *withdrawals;
    size_t withdrawal_count;
} cevm_block_overrides;

/** NULL is none. False: the call failed. */
bool cevm_block_overrides_read(cevm_block_overrides *out, cevm_rpc_call *call, json_t *object);
/** The member "withdrawals" of an object, alone: [{index, validatorIndex, address, amount}] (EIP-4895); NULL is none. */
bool cevm_withdrawals_read(cevm_block_overrides *out, cevm_rpc_call *call, const json_t *list);
void cevm_block_overrides_apply(const cevm_block_overrides *overrides, cevm_block_env *env);

#endif
