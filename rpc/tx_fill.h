/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/tx_fill.h: transactions that a client means: raw ones read, and requests completed with what they leave out, and
 * signed. What is made lives in the call's arena. Threads: those of the call.
 */
#ifndef CEVM_RPC_TX_FILL_H
#define CEVM_RPC_TX_FILL_H

#include "rpc/call_args.h"
#include "rpc/node.h"

enum {
    CEVM_FILL_SIGN =
        1 << 0, /* with the node's key, or if the sender is impersonated with a signature that only names it */
    CEVM_FILL_ANYONE = 1 << 1, /* any sender counts as impersonated */
    CEVM_FILL_KEY = 1 << 2,    /* impersonation is not enough: a key is needed */
    CEVM_FILL_LOCK = 1 << 3    /* hold the nonce: see cevm_tx_sent */
};

/**
 * Completes a transaction object: sender (the first account), chain id, nonce (the next that is free), fees (EIP-1559's as
 * wallets suggest them: twice the base fee and a tip), gas (by estimation). False: the call failed.
 */
bool cevm_tx_fill(cevm_tx *out, bool *impersonated, cevm_rpc_call *call, json_t *object, unsigned flags);
/**
 * After a cevm_tx_fill with CEVM_FILL_LOCK that succeeded, and the sending: until then nobody else is given a nonce, so that
 * requests that come at the same time get different ones.
 */
void cevm_tx_sent(cevm_rpc_call *call);

/**
 * Reads an encoded transaction, of a blob transaction also in the form in which it travels, with its blobs, which are
 * checked and dropped (EIP-4844, EIP-7594). False: the call failed.
 */
bool cevm_tx_read_raw(cevm_tx *out, cevm_rpc_call *call, json_t *value);

/** The encoding in the call's arena. False: the call failed. */
bool cevm_tx_encode_for(cevm_bytes *out, cevm_rpc_call *call, const cevm_tx *tx);

#endif
