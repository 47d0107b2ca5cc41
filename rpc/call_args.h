/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/call_args.h: the transaction object of eth_call, eth_estimateGas, eth_sendTransaction and their kin, read and made
 * into a transaction.
 *
 * Everything read lives in the call's arena. Unknown members are let pass, as clients send their own.
 */
#ifndef CEVM_RPC_CALL_ARGS_H
#define CEVM_RPC_CALL_ARGS_H

#include <cevm/tx.h>
#include <cevm/vm.h>

#include "rpc/rpc.h"

/** What the object says; fields of `tx` that it does not name are zero. */
typedef struct cevm_call_args {
    cevm_tx tx; /* its type follows from the fields that are there; sender is "from" or zero */
    bool has_from;
    bool has_to;
    bool has_gas;
    bool has_nonce;
    bool has_chain_id;
    bool has_gas_price;
    bool has_max_fee;
    bool has_priority_fee;
    bool has_blob_fee;
    bool has_access_list;
    bool has_blob_hashes;
    bool has_authorizations;
    bool has_type; /* tx.type was asked for by "type" */
} cevm_call_args;

/** What a transaction is when no field decides it. */
typedef enum cevm_call_default { CEVM_CALL_LEGACY, CEVM_CALL_DYNAMIC_FEE } cevm_call_default;

/** Reads the object. False: the call failed, with a message that names the member. */
bool cevm_call_args_read(cevm_call_args *out, cevm_rpc_call *call, json_t *object, cevm_call_default type);

/**
 * Makes of it what can be tried on a state: a sender, the chain's id (one that was given must be it), gas (at most `cap`,
 * which is also what there is when none was given), fees of zero where none were given, and no check that only a
 * transaction that is meant has to pass. The nonce is left as it is.
 */
bool cevm_call_args_complete(cevm_call_args *args, cevm_rpc_call *call, uint64_t chain_id, uint64_t cap);

#endif
