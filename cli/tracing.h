/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cli/tracing.h: the --trace options that several commands share, and the tracer they ask for.
 */
#ifndef CEVM_CLI_TRACING_H
#define CEVM_CLI_TRACING_H

#include <cevm/tracer.h>
#include <cevm/types.h>

#include <stdio.h>

#include "cli/named_trace.h"
#include "cli/options.h"
#include "trace/eip3155.h"
#include "trace/geth_text.h"
#include "trace/steps.h"

/** What the command line says about tracing. Start from CEVM_TRACING_DEFAULTS. */
typedef struct cevm_tracing {
    bool trace;          /* --trace */
    bool json;           /* --json, the older way to ask for the JSON trace */
    const char *format;  /* --trace.format: json, struct, md or table; NULL when not given */
    bool no_memory;      /* --trace.nomemory, true unless switched off, as in geth */
    bool no_stack;       /* --trace.nostack */
    bool no_storage;     /* --trace.nostorage */
    bool no_return_data; /* --trace.noreturndata, true unless switched off, as in geth */
    const char *tracer;  /* --trace.tracer: a name of trace/tracers.def; asks for a trace by itself */
    const char *config;  /* --trace.config or --trace.jsonconfig: its options, JSON */
} cevm_tracing;

#define CEVM_TRACING_DEFAULTS                     \
    {                                             \
        .no_memory = true, .no_return_data = true \
    }

enum { CEVM_TRACING_OPTION_COUNT = 13 };

/** Writes the CEVM_TRACING_OPTION_COUNT rows of the options above (with geth's older spellings) to `rows`. */
void cevm_tracing_options(cevm_option *rows, cevm_tracing *tracing);

/** The tracer in use; all NULL when none was asked for. */
typedef struct cevm_open_trace {
    const cevm_tracer *tracer; /* give this to the execution */
    bool is_table;
    cevm_eip3155 *json;
    cevm_geth_text *text;
    cevm_steps *steps;
    bool is_named; /* --trace.tracer: `named` is begun and ended around each transaction, `tracer` is NULL */
    cevm_named_trace named;
} cevm_open_trace;

/** Whether anything is traced. */
static inline bool cevm_tracing_is_open(const cevm_open_trace *open) { return open->tracer != NULL || open->is_named; }

/**
 * Makes the tracer the options ask for, writing to `stream`. `fallback` is the format when none is named. False, with a
 * message on stderr that begins with `command`, when format, tracer or options are unknown or memory runs out.
 */
bool cevm_tracing_open(cevm_open_trace *out, const cevm_tracing *tracing, const char *fallback, const char *command,
                       FILE *stream);
/** Writes out what is buffered and frees the tracer. False, with a message on stderr, when the trace is not complete. */
bool cevm_tracing_close(cevm_open_trace *open, const char *command);

#endif
