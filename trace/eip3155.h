/* SPDX-License-Identifier: Apache-2.0 */
/**
 * trace/eip3155.h: one JSON line per instruction (EIP-3155), byte for byte as geth's `evm` writes them, because fuzzers
 * and test generators compare them.
 *
 * A line shows the state before the instruction. It is written when the instruction's price and end are known, for gasCost
 * and "error" belong to the same line; the stack is kept until then (and, where asked for, memory and return data: the
 * copies are the only memory that grows). As in geth, an instruction that was paid for and failed while it executed (a bad
 * jump, INVALID, a write in a static call, REVERT) is shown twice: as any other, and again with "error" and without the
 * operands it took. Each frame ends with {"output":…,"gasUsed":…,"error":…}; gasUsed is that frame's, before refunds.
 *
 * A tracer belongs to one thread at a time.
 */
#ifndef CEVM_TRACE_EIP3155_H
#define CEVM_TRACE_EIP3155_H

#include <cevm/tracer.h>
#include <cevm/types.h>

#include <stdio.h>

typedef struct cevm_eip3155 cevm_eip3155;

/** What a line holds besides the fields that are always there. Zero is geth's default. */
typedef struct cevm_eip3155_options {
    bool memory;      /* "memory":"0x…" when there is any */
    bool no_stack;    /* "stack":null instead of the items */
    bool return_data; /* "returnData":"0x…" when there is any */
    /**
     * A line {"from", "to", "input", "gas", "value", "type"} where a frame begins (input only with memory), and, as geth
     * has it, a frame for each SELFDESTRUCT too. Its value is the account's balance, which `balance` tells (false when it
     * cannot; called while the execution goes on, and must change nothing). Without it, it is 0.
     */
    bool call_frames;
    bool (*balance)(void *ctx, cevm_u256 *out, const cevm_address *address);
    void *balance_ctx;
} cevm_eip3155_options;

/**
 * Makes a tracer that writes to `stream` (borrowed; it must outlive the tracer). opt and a may be NULL.
 * Errors: CEVM_ERR_NOMEM.
 */
cevm_err cevm_eip3155_create(cevm_eip3155 **out, FILE *stream, const cevm_eip3155_options *opt,
                             const cevm_allocator *a);

/** The hooks to give to an execution; valid as long as the tracer. One tracer may watch executions one after another. */
const cevm_tracer *cevm_eip3155_tracer(cevm_eip3155 *t);

/**
 * Writes out what is buffered (that also happens whenever an outermost frame ends). CEVM_ERR_IO when any write has failed,
 * CEVM_ERR_NOMEM when a step could not be kept whole.
 */
cevm_err cevm_eip3155_flush(cevm_eip3155 *t);

/** Flushes and frees; NULL is allowed. */
void cevm_eip3155_destroy(cevm_eip3155 *t);

#endif
