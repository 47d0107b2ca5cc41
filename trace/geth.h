/* SPDX-License-Identifier: Apache-2.0 */
/**
 * trace/geth.h: what the formats that follow geth's tracers share: a step is kept until its price and its end are known,
 * failures are worded as geth words them, and an instruction that failed while it executed is shown twice, as geth does.
 *
 * A format (eip3155.c, geth_text.c) supplies the functions that write; this base calls them. Internal to trace/.
 */
#ifndef CEVM_TRACE_GETH_H
#define CEVM_TRACE_GETH_H

#include <cevm/forks.h>
#include <cevm/tracer.h>
#include <cevm/vm.h>

#include "trace/out.h"

/** What of a step is shown besides the fields that always are. Zero is geth's default. */
typedef struct cevm_trace_fields {
    bool memory;      /* the memory of the frame */
    bool no_stack;    /* leave the stack out */
    bool return_data; /* the return data buffer */
    bool once;        /* show a failing instruction once, with its error, whatever geth does */
} cevm_trace_fields;

/** One step, ready to be written. */
typedef struct cevm_geth_line {
    const cevm_step *step;
    size_t stack_size;  /* words to show: all, or without the operands a failing instruction has taken */
    size_t memory_size; /* bytes to show: what step->memory holds, then zeros */
    int64_t gas_cost;
    const char *error; /* NULL when the instruction did its work */
} cevm_geth_line;

typedef struct cevm_geth_trace cevm_geth_trace;

typedef struct cevm_geth_format {
    void (*enter)(cevm_geth_trace *t, const cevm_message *msg, uint32_t depth); /* may be NULL */
    void (*line)(cevm_geth_trace *t, const cevm_geth_line *line);
    /** gas_used is the frame's, before refunds; error is NULL on success. */
    void (*exit)(cevm_geth_trace *t, const cevm_result *result, uint64_t gas_used, const char *error, uint32_t depth);
} cevm_geth_format;

enum { CEVM_TRACE_MAX_DEPTH = 1026, CEVM_TRACE_STACK_LIMIT = 1024 };

/** Bytes kept beyond a hook; grows, never shrinks. */
typedef struct cevm_kept_bytes {
    uint8_t *data;
    size_t capacity;
} cevm_kept_bytes;

struct cevm_geth_trace {
    cevm_tracer hooks;
    const cevm_geth_format *format;
    cevm_trace_fields fields;
    const cevm_allocator *allocator;
    cevm_fork fork;
    bool no_memory; /* a step could not be kept whole */
    char fault[96]; /* how the frame that is about to end failed; "" when it has not */
    cevm_step held; /* its views point into the members below; `code` is what stands at pc, 33 bytes at most */
    uint8_t code[33];
    bool holding; /* between on_step and on_step_end */
    bool waiting; /* `held` has done its work, but is written when the next hook has told the rest */
    int64_t waiting_cost;
    cevm_kept_bytes memory;
    cevm_kept_bytes return_data;
    int64_t start_gas[CEVM_TRACE_MAX_DEPTH]; /* by depth */
    cevm_u256 stack[CEVM_TRACE_STACK_LIMIT];
    cevm_out out;
};

/** Fills a zeroed struct. fields and a may be NULL; stream is borrowed. */
void cevm_geth_trace_init(cevm_geth_trace *t, FILE *stream, const cevm_geth_format *format,
                          const cevm_trace_fields *fields, const cevm_allocator *a);
/** Writes out what is buffered. CEVM_ERR_IO when any write has failed, CEVM_ERR_NOMEM when a step could not be kept. */
cevm_err cevm_geth_trace_flush(cevm_geth_trace *t);
/** Flushes, and frees what the struct owns. */
void cevm_geth_trace_release(cevm_geth_trace *t);

/** "PUSH1", or "opcode 0xc not defined" written into buffer (32 bytes do). */
const char *cevm_geth_op_name(char *buffer, size_t size, const cevm_step *step);

#endif
