/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cevm/execution.h: what a block does to the state: system calls, transactions, withdrawals, rewards, requests.
 *
 * One execution is begun, fed transactions one by one, and ended. A caller that makes blocks decides after each
 * transaction whether there is room for another; a caller that checks blocks compares what came out with the header.
 *
 * Threads: one execution, its VM and its state on one thread at a time.
 */
#ifndef CEVM_EXECUTION_H
#define CEVM_EXECUTION_H

#include <cevm/block.h>
#include <cevm/state.h>
#include <cevm/transition.h>
#include <cevm/vm.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Of an ommer, what its reward depends on. */
typedef struct cevm_ommer_reward {
    cevm_address coinbase;
    uint64_t number;
} cevm_ommer_reward;

/** Everything a block is executed with, but its transactions. Borrowed until the execution is destroyed. */
typedef struct cevm_execution_input {
    size_t struct_size; /* sizeof(cevm_execution_input) */
    cevm_block_env env;
    cevm_hash parent_hash;        /* EIP-2935 */
    cevm_hash parent_beacon_root; /* EIP-4788 */
    bool is_dao_fork;             /* EIP-779's irregular state change happens at the start of this block */
    bool pays_reward;             /* coinbase and ommers are paid (and touched) at the end */
    cevm_u256 reward;             /* wei for a block without ommers; see cevm_block_reward */
    const cevm_ommer_reward *ommers;
    size_t ommer_count;
    const cevm_withdrawal *withdrawals; /* EIP-4895 */
    size_t withdrawal_count;
    cevm_address deposit_contract; /* EIP-6110; its logs are the deposit requests */
    bool skips_hashes;             /* tx_hash and logs_hash, which no header commits to, are not wanted and left zero */
} cevm_execution_input;

/** The reward of a block in wei: 5, 3 (EIP-649), 2 (EIP-1234) ether, 0 from Paris. */
CEVM_API void cevm_block_reward(cevm_u256 *out, cevm_fork fork);

/** Receipt of one transaction, as it is hashed and as it is shown. */
typedef struct cevm_block_receipt {
    cevm_tx_type type;
    cevm_hash tx_hash;
    bool has_root; /* before Byzantium: the state root after the transaction stands for the status (EIP-658) */
    cevm_hash root;
    bool succeeded;
    uint64_t cumulative_gas_used;
    uint64_t gas_used;
    cevm_u256 gas_price; /* effective, wei per gas */
    cevm_bloom bloom;
    const cevm_log *logs; /* owned by the execution */
    size_t log_count;
    bool has_created;
    cevm_address created;
    uint64_t blob_gas_used;
    cevm_bytes encoded; /* as it stands in the receipts trie; owned by the execution */
} cevm_block_receipt;

/** What a whole block gave. */
typedef struct cevm_execution_output {
    uint64_t gas_used;
    uint64_t blob_gas_used;
    cevm_bloom logs_bloom;
    cevm_hash receipts_root;
    cevm_hash logs_hash; /* keccak256(rlp(all logs)) */
    bool has_requests;   /* EIP-7685 */
    cevm_hash requests_hash;
    const cevm_bytes *requests; /* type byte and data, ascending, empty ones left out; owned by the execution */
    size_t request_count;
} cevm_execution_output;

typedef struct cevm_execution cevm_execution;

/**
 * Prepares an execution. All arguments are borrowed. After any call on it has returned an error an execution may only be
 * destroyed and its state discarded (with what it committed before Byzantium), but for the one case told at
 * cevm_execution_tx. Errors: CEVM_ERR_NOMEM; CEVM_ERR_ARGUMENT, also for an ommer that is not 0 to 8 blocks older than the
 * block.
 */
CEVM_API cevm_err cevm_execution_create(cevm_execution **out, cevm_vm *vm, cevm_state *state,
                                        const cevm_execution_input *input, const cevm_allocator *allocator);
/** NULL is allowed. */
CEVM_API void cevm_execution_destroy(cevm_execution *execution);

/**
 * Makes an execution, whatever became of it, ready for another block on the same VM and state; it keeps its memory. What
 * it gave before is gone. Errors: CEVM_ERR_ARGUMENT as at cevm_execution_create, nothing changed.
 */
CEVM_API cevm_err cevm_execution_restart(cevm_execution *execution, const cevm_execution_input *input);

/**
 * The start of the block: the DAO's irregular change, then the system calls of EIP-4788 and EIP-2935, which the tracer is
 * shown as transactions. Errors: as cevm_vm_execute.
 */
CEVM_API cevm_err cevm_execution_begin(cevm_execution *execution, const cevm_tracer *tracer);

/**
 * Applies one transaction whose sender is known. A refused one (*reason is not NONE) leaves no trace; the next may follow.
 * Of any other *out (may be NULL) and cevm_execution_receipts have the receipt. Before Byzantium this commits to the
 * backend, whose root the receipt needs (CEVM_ERR_ARGUMENT from one that has none).
 *
 * Errors: as cevm_tx_apply. When the transaction was stopped (CEVM_ERR_LIMIT, CEVM_ERR_CANCELLED, CEVM_ERR_NOT_BUILT) it
 * left no trace and the next may follow.
 */
CEVM_API cevm_err cevm_execution_tx(cevm_execution *execution, cevm_receipt *out, cevm_tx_error *reason,
                                    const cevm_tx *tx, const cevm_tracer *tracer);

/**
 * The end of the block: rewards, withdrawals, then requests (deposits from logs, then the system calls of EIP-7002 and
 * EIP-7251). *reason: NONE; INVALID_DEPOSIT_EVENT_LAYOUT, SYSTEM_CONTRACT_EMPTY, SYSTEM_CONTRACT_CALL_FAILED: the block
 * is then not valid and the state must be discarded. Changes wait in the state for cevm_state_commit. Errors: as
 * cevm_vm_execute.
 */
CEVM_API cevm_err cevm_execution_end(cevm_execution *execution, cevm_execution_output *out, cevm_block_error *reason,
                                     const cevm_tracer *tracer);

/** Receipts of the transactions so far, in order; valid until the next call on the execution. */
CEVM_API const cevm_block_receipt *cevm_execution_receipts(const cevm_execution *execution, size_t *count);
/** Gas and blob gas used so far. */
CEVM_API cevm_block_usage cevm_execution_usage(const cevm_execution *execution);

#ifdef __cplusplus
}
#endif
#endif
