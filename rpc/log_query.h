/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/log_query.h: the blocks a filter object speaks of, and the logs in them: eth_getLogs and eth_getFilterLogs.
 */
#ifndef CEVM_RPC_LOG_QUERY_H
#define CEVM_RPC_LOG_QUERY_H

#include "rpc/log_filter.h"

enum { CEVM_LOG_MAX_RESULTS = 100000 };

/** "blockHash", or "fromBlock" and "toBlock", which are the head when they are missing. */
typedef struct cevm_log_bounds {
    bool by_hash;
    cevm_hash hash;
    cevm_block_id from;
    cevm_block_id to;
} cevm_log_bounds;

/** False: the call failed. */
bool cevm_log_bounds_read(cevm_log_bounds *out, cevm_rpc_call *call, const json_t *object);
/**
 * Writes the array of what matches, or fails the call: a range that is reversed, an unknown block hash, too many logs, no
 * time left. Blocks after the head are none.
 */
void cevm_log_query(cevm_rpc_call *call, const cevm_world *world, const cevm_log_filter *filter,
                    const cevm_log_bounds *bounds);

#endif
