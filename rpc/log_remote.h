/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/log_remote.h: logs of the chain that ours is a fork of, up to the block it was forked at.
 */
#ifndef CEVM_RPC_LOG_REMOTE_H
#define CEVM_RPC_LOG_REMOTE_H

#include "rpc/log_filter.h"

/**
 * Writes the logs of a range of the remote chain that match into an array that is open. False: the call failed; that the node
 * there said no is in the error.
 */
bool cevm_log_put_remote_range(cevm_rpc_call *call, const cevm_log_filter *filter, uint64_t from, uint64_t to);
/** The same of one block. */
bool cevm_log_put_remote_block(cevm_rpc_call *call, const cevm_log_filter *filter, const cevm_hash *hash);

#endif
