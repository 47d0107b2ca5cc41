/* SPDX-License-Identifier: Apache-2.0 */
/**
 * chain/prefetch.h: what a block will read, as far as it says so itself: told to the backend before anything is executed,
 * so that a remote one fetches it in one round trip.
 */
#ifndef CEVM_CHAIN_PREFETCH_H
#define CEVM_CHAIN_PREFETCH_H

#include <cevm/execution.h>

/**
 * Senders (where known), recipients, access lists, delegates, coinbase, withdrawals, ommers and system contracts. Takes no
 * time when the backend does not want to know. Errors: CEVM_ERR_NOMEM, the backend's.
 */
cevm_err cevm_prefetch_block(cevm_state *state, const cevm_execution_input *input, const cevm_tx *const *txs,
                             size_t tx_count, const cevm_allocator *allocator);

#endif
