/* SPDX-License-Identifier: Apache-2.0 */
/**
 * trace/geth_text.h: the two traces that geth's `evm` writes for people: `struct` (a paragraph an instruction) and `md`
 * (a Markdown table). A tracer belongs to one thread at a time.
 */
#ifndef CEVM_TRACE_GETH_TEXT_H
#define CEVM_TRACE_GETH_TEXT_H

#include <cevm/tracer.h>
#include <cevm/types.h>

#include <stdio.h>

typedef struct cevm_geth_text cevm_geth_text;

/** Zero is geth's default. */
typedef struct cevm_geth_text_options {
    bool markdown; /* md; otherwise struct */
    bool memory;   /* struct only: the frame's memory */
    bool no_stack;
    bool no_storage;  /* struct only: what SSTORE writes */
    bool return_data; /* struct only */
} cevm_geth_text_options;

/** Makes a tracer that writes to `stream` (borrowed). opt and a may be NULL. Errors: CEVM_ERR_NOMEM. */
cevm_err cevm_geth_text_create(cevm_geth_text **out, FILE *stream, const cevm_geth_text_options *opt,
                               const cevm_allocator *a);
/** The hooks; valid as long as the tracer. */
const cevm_tracer *cevm_geth_text_tracer(cevm_geth_text *t);
/** Writes out what is buffered. CEVM_ERR_IO, CEVM_ERR_NOMEM when something could not be written or kept. */
cevm_err cevm_geth_text_flush(cevm_geth_text *t);
/** Flushes and frees; NULL is allowed. */
void cevm_geth_text_destroy(cevm_geth_text *t);

#endif
