/* SPDX-License-Identifier: Apache-2.0 */
/**
 * chain/receipts.h: receipts as bytes, and what a block's header says of them.
 */
#ifndef CEVM_CHAIN_RECEIPTS_H
#define CEVM_CHAIN_RECEIPTS_H

#include "evm/arena.h"
#include "state/rlp.h"

#include <cevm/execution.h>

/** Appends a log: [address, topics, data]. */
void cevm_put_log(cevm_buf *buf, const cevm_log *log);

/** Appends a receipt as it stands in the receipts trie: [status or root, gas, bloom, logs], with its type before it. */
void cevm_put_receipt(cevm_buf *buf, const cevm_block_receipt *receipt);

/** Copies logs and their data into the arena. Errors: CEVM_ERR_NOMEM. */
cevm_err cevm_copy_logs(const cevm_log **out, const cevm_log *logs, size_t count, cevm_arena *arena);

/** Root of the trie of receipts that have been encoded. Errors: CEVM_ERR_NOMEM. */
cevm_err cevm_receipts_root(cevm_hash *out, const cevm_block_receipt *receipts, size_t count,
                            const cevm_allocator *allocator);

/** keccak256 of the list of all logs. scratch is overwritten. Errors: CEVM_ERR_NOMEM. */
cevm_err cevm_receipts_logs_hash(cevm_hash *out, const cevm_block_receipt *receipts, size_t count, cevm_buf *scratch);

#endif
