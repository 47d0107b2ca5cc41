/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/trace_parity.h: what the trace_ methods share: the kinds of trace a request names, traces after them, rewards, and
 * what a fork does not have itself.
 */
#ifndef CEVM_RPC_TRACE_PARITY_H
#define CEVM_RPC_TRACE_PARITY_H

#include "rpc/trace_run.h"
#include "trace/parity.h"

/** Reads ["trace", "stateDiff", "vmTrace"]; `what` names it in messages. False: the call failed. */
bool cevm_trace_parts_read(cevm_parity_parts *out, cevm_rpc_call *call, const json_t *value, const char *what);
/** A trace of these parts, which writes to the call's answer. NULL: the call failed. */
cevm_trace *cevm_trace_parts_make(const cevm_parity_parts *parts, cevm_rpc_call *call, cevm_state *state,
                                  const cevm_trace_context *context, volatile bool *stop);

/**
 * Writes the entries of a block that the list wants: those of its transactions, then before the merge the rewards. `more`
 * (NULL: always) is asked after each transaction. False: the call failed.
 */
bool cevm_trace_put_block(cevm_rpc_call *call, cevm_world *world, cevm_record *record, const cevm_parity_list *list,
                          uint64_t deadline_ns, bool (*more)(void *user));
/** The same of one transaction. */
bool cevm_trace_put_transaction(cevm_rpc_call *call, cevm_world *world, const cevm_tx_place *place,
                                const cevm_parity_list *list);

/**
 * The block at which a fork begins is here without its transactions: the remote is asked, with the block's number as
 * parameter 0. True: the call was answered, or failed. False: it is another block, or nobody can be asked.
 */
bool cevm_trace_asks_remote(cevm_rpc_call *call, const cevm_world *world, const cevm_record *record);

#endif
