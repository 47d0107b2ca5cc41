/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/trace_config.h: the options object of the debug methods that trace: which tracer, with what options, for how long.
 */
#ifndef CEVM_RPC_TRACE_CONFIG_H
#define CEVM_RPC_TRACE_CONFIG_H

#include "rpc/rpc.h"
#include "trace/tracers.h"

typedef struct cevm_trace_config {
    const char *tracer;      /* NULL: the struct log */
    json_t *options;         /* the tracer's; owned */
    uint64_t deadline_ns;    /* CLOCK_MONOTONIC */
    json_t *state_overrides; /* borrowed; debug_traceCall alone */
    json_t *block_overrides;
    bool has_tx_index; /* on the state before this transaction of the block */
    uint64_t tx_index;
} cevm_trace_config;

/**
 * Reads {tracer, tracerConfig, timeout, reexec, the struct log's options}; NULL is the struct log. `of_call`: stateOverrides,
 * blockOverrides and txIndex too. False: the call failed, nothing to free.
 */
bool cevm_trace_config_read(cevm_trace_config *out, cevm_rpc_call *call, json_t *object, bool of_call);
void cevm_trace_config_free(cevm_trace_config *config);

/** What every trace of a call is given: where to write, the node's limits, what stops it. */
cevm_trace_request cevm_trace_request_of(cevm_rpc_call *call, cevm_state *state, const cevm_trace_context *context,
                                         volatile bool *stop);
/** A trace after the config, which writes to the call's answer. NULL: the call failed, in the tracer's words. */
cevm_trace *cevm_trace_config_make(const cevm_trace_config *config, cevm_rpc_call *call, cevm_state *state,
                                   const cevm_trace_context *context, volatile bool *stop);

/** Fails the call for an execution that was stopped: by its time, by a limit, because the client went. Returns false. */
bool cevm_trace_fail_call(cevm_rpc_call *call, cevm_err err);

#endif
