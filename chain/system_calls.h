/* SPDX-License-Identifier: Apache-2.0 */
/**
 * chain/system_calls.h: calls of the system contracts, which no transaction makes and nobody pays for.
 *
 * Each call is a transaction of its own on the state: nothing is warm, transient storage is empty, empty accounts go. Its
 * gas and its logs count nowhere. After an error the state must be discarded.
 */
#ifndef CEVM_CHAIN_SYSTEM_CALLS_H
#define CEVM_CHAIN_SYSTEM_CALLS_H

#include <cevm/block.h>
#include <cevm/state.h>
#include <cevm/vm.h>

/** What a system call runs on. */
typedef struct cevm_system_caller {
    cevm_vm *vm;
    cevm_state *state;
    const cevm_block_env *block;
    const cevm_tracer *tracer; /* a call is shown to it as a transaction; may be NULL */
} cevm_system_caller;

extern const cevm_address cevm_beacon_roots_address;   /* EIP-4788 */
extern const cevm_address cevm_history_address;        /* EIP-2935 */
extern const cevm_address cevm_withdrawals_address;    /* EIP-7002 */
extern const cevm_address cevm_consolidations_address; /* EIP-7251 */

enum { CEVM_MAX_SYSTEM_CONTRACTS = 4 };

/** The contracts that a block of a fork calls; how many. */
size_t cevm_system_contracts(const cevm_address *out[CEVM_MAX_SYSTEM_CONTRACTS], cevm_fork fork);

enum { CEVM_MAX_RING_SLOTS = 3 };

/**
 * The slots that the start of a block overwrites, whatever is in them, in the contracts of EIP-4788 and EIP-2935 as the
 * EIPs give them; how many.
 */
size_t cevm_system_ring_slots(cevm_db_key out[CEVM_MAX_RING_SLOTS], const cevm_block_env *block);

/** EIP-4788: keeps the root of the parent's beacon block. A missing contract and a failed call mean nothing. */
cevm_err cevm_system_store_beacon_root(const cevm_system_caller *caller, const cevm_hash *root);
/** EIP-2935: keeps the hash of the parent. A missing contract and a failed call mean nothing. */
cevm_err cevm_system_store_parent_hash(const cevm_system_caller *caller, const cevm_hash *hash);

/**
 * EIP-7002 / EIP-7251: takes the requests that wait in the contract. *out belongs to the VM until its next execution.
 * *reason: NONE, SYSTEM_CONTRACT_EMPTY or SYSTEM_CONTRACT_CALL_FAILED.
 */
cevm_err cevm_system_take_withdrawals(const cevm_system_caller *caller, cevm_bytes *out, cevm_block_error *reason);
cevm_err cevm_system_take_consolidations(const cevm_system_caller *caller, cevm_bytes *out, cevm_block_error *reason);

#endif
