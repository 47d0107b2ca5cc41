/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/trial.h: a call that is tried on a state and leaves nothing behind: what eth_call, eth_estimateGas,
 * eth_createAccessList and the tracing of calls share.
 *
 * A trial is opened from the call's parameters, run any number of times (each time on the state as it was, with the
 * overrides), and closed. Threads: one thread's.
 */
#ifndef CEVM_RPC_TRIAL_H
#define CEVM_RPC_TRIAL_H

#include "rpc/call_args.h"
#include "rpc/find.h"
#include "rpc/overrides.h"

typedef struct cevm_trial {
    cevm_rpc_call *call;
    cevm_view view;
    cevm_workbench bench;
    cevm_vm *vm; /* the workbench's, or our own where contracts were moved */
    cevm_state_overrides overrides;
    cevm_precompile_moves moves;
    cevm_block_env env; /* of the block, with its overrides */
    cevm_call_args args;
    bool dirty; /* the state has been run on */
} cevm_trial;

/** Which parameters of the call are what; 0 for what the method has not. The transaction object is parameter 0. */
typedef struct cevm_trial_params {
    size_t block;
    size_t state_overrides;
    size_t block_overrides;
    /**
     * On the newest state the call is tried as if it stood in the block that comes next, as the transaction that follows it
     * will: otherwise what depends on the time since the last block would be estimated wrongly.
     */
    bool in_next_block;
} cevm_trial_params;

/**
 * Reads the parameters, finds the block, opens its state. Gas is capped at the node's limit for calls. False: the call
 * failed or was answered (cevm_view_open_block), nothing to close.
 */
bool cevm_trial_open(cevm_trial *out, cevm_rpc_call *call, const cevm_trial_params *params);
/**
 * The same for a transaction that is signed, in the place of parameter 0: as it is, with its fees and gas. Its pointers are
 * borrowed until the trial is closed.
 */
bool cevm_trial_open_tx(cevm_trial *out, cevm_rpc_call *call, const cevm_trial_params *params, const cevm_tx *tx);
/**
 * The same with other parameters than the call's own, an array that it lets go of; NULL, or `built` false: out of memory.
 */
bool cevm_trial_open_shown(cevm_trial *out, cevm_rpc_call *call, const cevm_trial_params *params, json_t *shown,
                           bool built);
/** Another transaction object for a trial without block overrides, in the same place. False: the call failed. */
bool cevm_trial_next(cevm_trial *trial, json_t *object);
void cevm_trial_close(cevm_trial *trial);

/** The gas that a call may have at most. */
uint64_t cevm_trial_gas_cap(const cevm_node_options *options);

/** When a call that executes has to end: the call's own deadline, or what the node lets calls take. CLOCK_MONOTONIC. */
uint64_t cevm_call_deadline(const cevm_rpc_call *call);
/** A VM with the node's limits and these contracts moved (NULL: none), which the caller destroys. NULL: the call failed. */
cevm_vm *cevm_call_vm(cevm_rpc_call *call, const cevm_precompile_moves *moves, uint64_t deadline_ns);

/** The most gas that the sender can pay for at the price given, below or equal to `gas`. False: the call failed. */
bool cevm_trial_allowance(cevm_trial *trial, uint64_t *gas);

/** What came of a run. Output and logs are the VM's and the state's until the next run. */
typedef struct cevm_trial_outcome {
    cevm_receipt receipt;
    cevm_tx_error reason; /* not NONE: it could not be executed, there is no receipt */
} cevm_trial_outcome;

/** Runs args.tx with this much gas. False: the call failed (timeout, limits, memory). */
bool cevm_trial_run(cevm_trial *trial, cevm_trial_outcome *out, uint64_t gas, const cevm_tracer *tracer);
/** Whether the run succeeded; otherwise the call fails with the reason (a revert: code 3, its data, the reason in words). */
bool cevm_trial_expect_success(cevm_trial *trial, const cevm_trial_outcome *outcome);
/** The account of an address as the next run will find it. False: the call failed. */
bool cevm_trial_account(cevm_trial *trial, cevm_account_info *out, const cevm_address *address);

/** "execution reverted", with the reason where the data is Solidity's Error(string) or Panic(uint256), as geth words it. */
void cevm_revert_message(char *out, size_t size, cevm_bytes data);

#endif
