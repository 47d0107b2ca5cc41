/* SPDX-License-Identifier: Apache-2.0 */
/**
 * trace/tracers.h: the tracers that have a name (trace/tracers.def), in the shapes of geth's: one engine behind every
 * debug method and behind --trace.tracer.
 *
 * A trace watches one transaction (or call) and writes one JSON value:
 *
 *     cevm_trace_create(&t, &error, &request);     what is wrong with name or options is in error.text
 *     cevm_trace_begin(t, tx, block);              reads what the transaction will change
 *     cevm_tx_apply(vm, state, …, cevm_trace_hooks(t));
 *     cevm_trace_finish(t, &receipt);              or cevm_trace_abort when the transaction did not come to its end
 *     cevm_trace_destroy(t);
 *
 * The struct log, which is what a request without a name gets, is written while the transaction executes, in constant
 * memory but for the storage slots it has seen; the others keep what they saw and write it at the end.
 *
 * Threads: one trace, its state and its writer on one thread at a time.
 */
#ifndef CEVM_TRACE_TRACERS_H
#define CEVM_TRACE_TRACERS_H

#include <cevm/state.h>
#include <cevm/tracer.h>
#include <cevm/transition.h>
#include <cevm/tx.h>

#include <jansson.h>

#include "trace/json_writer.h"

typedef struct cevm_trace cevm_trace;

/** Why a trace could not be made, for the person who asked: one sentence, and what there is instead. */
typedef struct cevm_trace_error {
    char text[640];
} cevm_trace_error;

/** Bounds; 0 is none. One that is reached stops the trace (see cevm_trace_request.stop), and finish reports it. */
typedef struct cevm_trace_limits {
    uint64_t bytes;  /* of JSON written */
    uint64_t steps;  /* instructions seen */
    uint64_t memory; /* bytes kept until the end; 0 is 1 GiB */
} cevm_trace_limits;

/** Where the transaction stands; flatCallTracer repeats it. What is not known stays zero. */
typedef struct cevm_trace_context {
    bool has_block; /* block_hash is known: not for a call on the pending block */
    cevm_hash block_hash;
    uint64_t block_number;
    bool has_tx; /* tx_hash is known: not for debug_traceCall */
    cevm_hash tx_hash;
    uint64_t tx_index;
    uint64_t log_index; /* logs of the block before this transaction */
} cevm_trace_context;

typedef struct cevm_trace_request {
    const char *name;      /* a row of tracers.def; NULL or "" is the struct log */
    const json_t *config;  /* an object with the tracer's options, or NULL; read while the trace is made */
    cevm_json_writer *out; /* receives one value; borrowed until the trace is destroyed */
    cevm_state *state;     /* what the transaction executes on; borrowed, and only read */
    const cevm_allocator *allocator;
    cevm_trace_limits limits;
    cevm_trace_context context;
    /**
     * Set to true when going on is in vain: a limit is reached, memory ran out, the writer's reader has gone. Give it to the
     * VM as its cancel flag. NULL: the execution goes on, unwatched.
     */
    volatile bool *stop;
    /** Looked at now and then; true ends the trace as a limit does, with CEVM_ERR_CANCELLED. May be NULL. */
    const volatile bool *cancel;
} cevm_trace_request;

/**
 * Makes a trace. Errors: CEVM_ERR_ARGUMENT for a name or an option that does not exist or has the wrong type (error->text
 * lists what there is), CEVM_ERR_NOMEM. *out is NULL then, and nothing was written.
 */
cevm_err cevm_trace_create(cevm_trace **out, cevm_trace_error *error, const cevm_trace_request *request);

/** Before the transaction: tx and block are borrowed for the call. Errors: the state's, CEVM_ERR_NOMEM. */
cevm_err cevm_trace_begin(cevm_trace *trace, const cevm_tx *tx, const cevm_block_env *block);

/** The hooks to execute with; valid as long as the trace. */
const cevm_tracer *cevm_trace_hooks(cevm_trace *trace);

/**
 * After the transaction (the state shows it, committed or not): completes the value. Errors: CEVM_ERR_LIMIT,
 * CEVM_ERR_NOMEM when the trace is not whole, CEVM_ERR_IO when the writer has failed, the state's. The value is JSON all
 * the same, but for CEVM_ERR_IO: if any of it had been written it is completed as by cevm_trace_abort, else null.
 */
cevm_err cevm_trace_finish(cevm_trace *trace, const cevm_receipt *receipt);

/**
 * Ends the trace of a transaction that was refused or stopped. A struct log that has begun is closed, with "error": reason.
 * Returns whether anything was written: if not, the caller still owes the writer a value.
 */
bool cevm_trace_abort(cevm_trace *trace, const char *reason);

/** What stopped it, while the transaction executes; CEVM_OK when nothing has. */
cevm_err cevm_trace_failure(const cevm_trace *trace);

/** Frees; NULL is allowed. */
void cevm_trace_destroy(cevm_trace *trace);

/** A tracer that can be asked for. Static storage. */
typedef struct cevm_trace_info {
    const char *name;    /* "" for the struct log */
    const char *summary; /* one line */
    const char *options; /* their names, separated by blanks */
} cevm_trace_info;

/** All of them, in the order in which they are shown. */
const cevm_trace_info *cevm_trace_list(size_t *count);

#endif
