/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/fee_history.h: what gas cost in past blocks, and what it is likely to cost. Pure, safe on any thread.
 */
#ifndef CEVM_RPC_FEE_HISTORY_H
#define CEVM_RPC_FEE_HISTORY_H

#include "rpc/world.h"
#include "trace/json_writer.h"

enum { CEVM_FEE_HISTORY_BLOCKS = 1024, CEVM_FEE_HISTORY_PERCENTILES = 100 };

/**
 * The tips that the given percentiles of the block's gas paid at most, transactions ordered by tip (eth_feeHistory's
 * "reward"); zeros for a block without any. `percentiles` ascend from 0 to 100. Errors: CEVM_ERR_NOMEM.
 */
cevm_err cevm_fee_percentiles(cevm_u256 *out, const cevm_record *record, const double *percentiles, size_t count,
                              const cevm_allocator *allocator);
/** Base fee and blob base fee of the block after a record (zero before their forks), its time being that of the record. */
void cevm_next_fees(cevm_u256 *base_fee, cevm_u256 *blob_base_fee, const cevm_world *world, const cevm_record *record);
/** The price of blob gas in a record's own block; zero before EIP-4844. */
void cevm_record_blob_fee(cevm_u256 *out, const cevm_record *record);
/**
 * A tip that gets a transaction mined, as geth's oracle suggests it: the 60th percentile of the lowest tips of the last
 * blocks; the node's default, 1 gwei, where there were none.
 */
void cevm_suggest_tip(cevm_u256 *out, const cevm_world *world);

#endif
