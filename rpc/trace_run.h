/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/trace_run.h: transactions of a block and calls, executed under a trace: what the debug_ methods that trace and the
 * trace_ methods share.
 *
 * Threads: a run is one thread's.
 */
#ifndef CEVM_RPC_TRACE_RUN_H
#define CEVM_RPC_TRACE_RUN_H

#include "rpc/trial.h"
#include "trace/tracers.h"

/** A block executed again, with one of its transactions traced, or all. Zero-initialise, fill down to `user`. */
typedef struct cevm_trace_run cevm_trace_run;
struct cevm_trace_run {
    cevm_rpc_call *call;
    uint64_t deadline_ns; /* CLOCK_MONOTONIC */
    bool all;
    size_t index; /* of the one */
    /** The trace of a transaction, on bench.state, with `stop` to stop the execution. NULL: the call failed. */
    cevm_trace *(*make)(cevm_trace_run *run, const cevm_trace_context *context);
    /** Called when all is written of a transaction; false ends the run. NULL: nothing more to do. */
    bool (*done)(cevm_trace_run *run);
    void *user;
    cevm_workbench bench;
    volatile bool stop;
    cevm_trace *trace; /* its own: of the transaction that executes */
};

/** False: the call failed. */
bool cevm_trace_run_block(cevm_trace_run *run, cevm_world *world, cevm_record *record);

/** A VM with the node's limits for calls that `stop` stops, and these contracts moved (NULL: none). NULL: the call failed. */
cevm_vm *cevm_trace_vm(cevm_rpc_call *call, const cevm_precompile_moves *moves, uint64_t deadline_ns,
                       const volatile bool *stop);
/**
 * Executes a trial's transaction on its state as that is, with its overrides, and writes the trace. False: the call failed.
 */
bool cevm_trace_run_call(cevm_trial *trial, cevm_trace *trace, cevm_vm *vm);

#endif
