/* SPDX-License-Identifier: Apache-2.0 */
/**
 * trace/trace_base.h: what all named tracers share. A tracer is a struct that begins with cevm_trace, made by the function
 * its row of tracers.def names. Internal to trace/.
 */
#ifndef CEVM_TRACE_TRACE_BASE_H
#define CEVM_TRACE_TRACE_BASE_H

#include "trace/tracers.h"

typedef struct cevm_trace_ops {
    /** Before the transaction. May be NULL. */
    cevm_err (*begin)(cevm_trace *t, const cevm_tx *tx, const cevm_block_env *block);
    /** Writes the value, or what is missing of it. */
    cevm_err (*finish)(cevm_trace *t, const cevm_receipt *receipt);
    /** Completes what has been written, if anything was. NULL: nothing is written before finish. */
    void (*abort)(cevm_trace *t, const char *reason);
    /** Frees what the tracer owns, but for the struct. May be NULL. */
    void (*release)(cevm_trace *t);
} cevm_trace_ops;

struct cevm_trace {
    const cevm_trace_ops *ops;
    cevm_tracer hooks;
    const cevm_allocator *allocator;
    cevm_json_writer *out;
    uint32_t depth;       /* of the writer when the trace was made */
    uint64_t total_start; /* of the writer then */
    cevm_state *state;
    cevm_trace_limits limits;
    cevm_trace_context context;
    volatile bool *stop;
    const volatile bool *cancel;
    cevm_err failed; /* the first thing that went wrong */
    cevm_fork fork;  /* of the block, from begin on */
    uint64_t steps;
    uint64_t kept; /* bytes held until the end */
};

typedef cevm_err cevm_trace_maker(cevm_trace **out, cevm_trace_error *error, const cevm_trace_request *request);

#define TRACER(id, name, summary, options) cevm_trace_maker cevm_trace_make_##id;
#include "trace/tracers.def"
#undef TRACER

/** The zeroed struct of a tracer, `size` bytes, with its base filled. NULL without memory. */
void *cevm_trace_new(size_t size, const cevm_trace_ops *ops, const cevm_trace_request *request);

/** Notes the first failure, and asks for the execution to stop. */
void cevm_trace_fail(cevm_trace *t, cevm_err err);

/** Counts a step; false when the tracer should not look at it, for it has failed. */
static inline bool cevm_trace_step(cevm_trace *t)
{
    t->steps++;
    if (t->limits.steps != 0 && t->steps > t->limits.steps) {
        cevm_trace_fail(t, CEVM_ERR_LIMIT);
    }
    if (t->steps % 1024 == 0 && t->cancel != NULL && __atomic_load_n(t->cancel, __ATOMIC_RELAXED)) {
        cevm_trace_fail(t, CEVM_ERR_CANCELLED);
    }
    return t->failed == CEVM_OK;
}

/** Whether writing may go on: the reader is there and the limit of bytes is not reached. Fails the trace otherwise. */
bool cevm_trace_may_write(cevm_trace *t);

/** A copy of bytes, counted; the trace fails, and an empty view comes back, when it cannot be had. Freed by its owner. */
cevm_bytes cevm_trace_copy(cevm_trace *t, cevm_bytes bytes);
/** Frees such a copy. */
void cevm_trace_free(const cevm_trace *t, cevm_bytes bytes);

/** Makes room for one more item in an array (as cevm_array_reserve), counted; false and failed when it cannot be had. */
bool cevm_trace_grow(cevm_trace *t, void **array, size_t *capacity, size_t count, size_t size);

/**
 * `size` bytes of a step's memory at `offset`, with zeros behind its end: a view, or (*copy not NULL) a copy to free with
 * cevm_free. False when offset and size lie beyond what the step's gas could pay, or memory runs out (the trace fails).
 */
bool cevm_trace_memory(cevm_trace *t, cevm_bytes *out, uint8_t **copy, const cevm_step *step, const cevm_u256 *offset,
                       const cevm_u256 *size);

/* Reads of the state as it is at the moment; a failure fails the trace and gives zeros. */
cevm_account_info cevm_trace_account(cevm_trace *t, const cevm_address *address);
cevm_u256 cevm_trace_slot(cevm_trace *t, const cevm_address *address, const cevm_u256 *key);
/** Borrowed until the transaction ends. */
cevm_bytes cevm_trace_code(cevm_trace *t, const cevm_address *address);

/* ---- Options ------------------------------------------------------------------------------------------------------ */

/** Reads a boolean option into *out; absent or null leaves it. False, with the error worded, when it is something else. */
bool cevm_trace_option_bool(bool *out, cevm_trace_error *error, const json_t *config, const char *name);
/** The same of a number that is not negative (a JSON integer or a hexadecimal quantity). */
bool cevm_trace_option_number(uint64_t *out, cevm_trace_error *error, const json_t *config, const char *name);

#endif
