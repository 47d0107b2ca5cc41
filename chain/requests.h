/* SPDX-License-Identifier: Apache-2.0 */
/**
 * chain/requests.h: what the execution layer asks of the consensus layer (EIP-7685).
 */
#ifndef CEVM_CHAIN_REQUESTS_H
#define CEVM_CHAIN_REQUESTS_H

#include "chain/system_calls.h"
#include "evm/arena.h"
#include "state/rlp.h"

#include <cevm/execution.h>

/** Types of requests: deposits, withdrawals, consolidations. */
enum { CEVM_REQUEST_TYPES = 3 };

/** The requests of a block, each its type byte and its data, ascending by type; types without data are left out. */
typedef struct cevm_requests {
    cevm_bytes items[CEVM_REQUEST_TYPES];
    size_t count;
} cevm_requests;

/**
 * Takes the deposits of a block out of its logs (EIP-6110) and appends them as one request. The bytes are the arena's;
 * scratch is overwritten. *reason: NONE or INVALID_DEPOSIT_EVENT_LAYOUT. Errors: CEVM_ERR_NOMEM.
 */
cevm_err cevm_requests_add_deposits(cevm_requests *requests, cevm_block_error *reason,
                                    const cevm_address *deposit_contract, const cevm_block_receipt *receipts,
                                    size_t receipt_count, cevm_arena *arena, cevm_buf *scratch);

/**
 * Asks the system contracts for withdrawals and consolidations and appends them. *reason as cevm_system_take_withdrawals.
 */
cevm_err cevm_requests_add_from_contracts(cevm_requests *requests, cevm_block_error *reason,
                                          const cevm_system_caller *caller, cevm_arena *arena);

/** The commitment of the header: sha256 over the sha256 of each request. */
void cevm_requests_hash(cevm_hash *out, const cevm_requests *requests);

#endif
