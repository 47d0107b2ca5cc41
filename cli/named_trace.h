/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cli/named_trace.h: a tracer of trace/tracers.def on the command line (--trace.tracer NAME, --trace.config JSON): one line
 * of JSON for each transaction, to a stream.
 */
#ifndef CEVM_CLI_NAMED_TRACE_H
#define CEVM_CLI_NAMED_TRACE_H

#include <stdio.h>

#include "trace/tracers.h"

typedef struct cevm_named_trace {
    const char *name;
    json_t *config; /* owned */
    FILE *stream;   /* borrowed */
    cevm_json_writer writer;
    cevm_trace *trace; /* of the transaction that executes */
    cevm_trace_error error;
    cevm_err failed; /* the first trace that is not complete */
} cevm_named_trace;

/** Whether name and config (JSON text, NULL for none) make a tracer; out->error.text says why not. Frees with close. */
bool cevm_named_trace_open(cevm_named_trace *out, const char *name, const char *config, FILE *stream);

/** Before a transaction; NULL, with `failed` set, when it cannot be traced. `context` may be NULL. */
const cevm_tracer *cevm_named_trace_begin(cevm_named_trace *t, cevm_state *state, const cevm_tx *tx,
                                          const cevm_block_env *block, const cevm_trace_context *context);
/** After it: writes the line. No receipt: it was refused or stopped, and there is none. */
void cevm_named_trace_end(cevm_named_trace *t, const cevm_receipt *receipt);

/** Frees; CEVM_OK when every trace is complete. */
cevm_err cevm_named_trace_close(cevm_named_trace *t);

/** The rows of the table for --help. */
void cevm_named_trace_help(FILE *to);

#endif
