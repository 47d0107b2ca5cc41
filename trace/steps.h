/* SPDX-License-Identifier: Apache-2.0 */
/**
 * trace/steps.h: the trace a person reads: a line an instruction with its gas and what it works on, effects on storage,
 * memory and control flow in words, calls as indented blocks, reverts decoded. For programs there is trace/eip3155.h.
 *
 * Constant memory. A tracer belongs to one thread at a time.
 */
#ifndef CEVM_TRACE_STEPS_H
#define CEVM_TRACE_STEPS_H

#include <cevm/tracer.h>
#include <cevm/types.h>

#include <stdio.h>

typedef struct cevm_steps cevm_steps;

/** How it looks. Zero is plain ASCII in 80 columns. */
typedef struct cevm_steps_options {
    bool colour;
    bool unicode;
    bool no_stack;  /* leave the stack out */
    unsigned width; /* columns; 0 means 80 */
} cevm_steps_options;

/** Makes a tracer that writes to `stream` (borrowed). opt and a may be NULL. Errors: CEVM_ERR_NOMEM. */
cevm_err cevm_steps_create(cevm_steps **out, FILE *stream, const cevm_steps_options *opt, const cevm_allocator *a);
/** The hooks; valid as long as the tracer. */
const cevm_tracer *cevm_steps_tracer(cevm_steps *t);
/** Writes out what is buffered. CEVM_ERR_IO when any write has failed. */
cevm_err cevm_steps_flush(cevm_steps *t);
/** Flushes and frees; NULL is allowed. */
void cevm_steps_destroy(cevm_steps *t);

#endif
