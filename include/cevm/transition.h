/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cevm/transition.h: what one transaction does to the state: validation, fees, execution, refund.
 *
 * Threads: functions of their arguments; a VM and a state are one thread's at a time.
 */
#ifndef CEVM_TRANSITION_H
#define CEVM_TRANSITION_H

#include <cevm/state.h>
#include <cevm/tx.h>
#include <cevm/vm.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a transaction costs whatever it does. */
typedef struct cevm_intrinsic_gas {
    uint64_t gas;
    uint64_t floor; /* EIP-7623; 0 before Prague */
} cevm_intrinsic_gas;

/** Intrinsic gas of a transaction. Saturates at UINT64_MAX. */
CEVM_API cevm_intrinsic_gas cevm_tx_intrinsic_gas(const cevm_tx *tx, cevm_fork fork);

/** What executing a valid transaction gave. */
typedef struct cevm_receipt {
    cevm_status status;
    uint64_t gas_used; /* after refund and floor */
    uint64_t gas_refunded;
    uint64_t gas_peak; /* gas_used if nothing had been refunded: what the limit has to hold */
    uint64_t blob_gas_used;
    cevm_bytes output; /* owned by the VM until its next execution */
    bool has_created;  /* a creation: `created` is the new address (also when it failed) */
    cevm_address created;
    const cevm_log *logs; /* owned by the state until its next begin_tx */
    size_t log_count;
} cevm_receipt;

/** How far a block is filled, for the checks that need it. Zero for a transaction alone. */
typedef struct cevm_block_usage {
    uint64_t gas_used;
    uint64_t blob_gas_used;
} cevm_block_usage;

/**
 * Checks a transaction against the state, in the order geth and the executable specification check it, changing nothing.
 * tx->has_sender must be set. *reason is NONE when all is well. Errors: those of the state.
 */
CEVM_API cevm_err cevm_tx_validate(cevm_tx_error *reason, cevm_state *state, const cevm_tx *tx,
                                   const cevm_block_env *block, const cevm_block_usage *usage);

/**
 * Validates and applies one transaction. When *reason is not NONE the state is as it was and *out is undefined.
 *
 * The transaction is begun and ended on `state` (cevm_state_begin_tx / end_tx); its changes wait there for
 * cevm_state_commit. Block rewards are not paid here.
 *
 * @return CEVM_OK, also for a rejected or a failed transaction; the errors of cevm_vm_execute. On any error the state is as
 *         it was.
 */
CEVM_API cevm_err cevm_tx_apply(cevm_vm *vm, cevm_state *state, cevm_receipt *out, cevm_tx_error *reason,
                                const cevm_tx *tx, const cevm_block_env *block, const cevm_block_usage *usage,
                                const cevm_tracer *tracer);

/** Blob parameters of a chain at a time (EIP-7840, EIP-7892). */
typedef struct cevm_blob_params {
    uint64_t target; /* blobs a block aims at */
    uint64_t max;    /* blobs a block may hold */
    uint64_t base_fee_update_fraction;
} cevm_blob_params;

/** Mainnet's parameters at a fork; all zero before Cancun. */
CEVM_API cevm_blob_params cevm_blob_params_default(cevm_fork fork);
/** EIP-4844's price of blob gas from the excess, saturating at 2^256-1. */
CEVM_API void cevm_blob_base_fee(cevm_u256 *out, uint64_t excess_blob_gas, uint64_t update_fraction);

/** keccak256(rlp(logs)), the "logs" of a state test. Errors: CEVM_ERR_NOMEM. */
CEVM_API cevm_err cevm_logs_hash(cevm_hash *out, const cevm_log *logs, size_t count, const cevm_allocator *allocator);

#ifdef __cplusplus
}
#endif
#endif
