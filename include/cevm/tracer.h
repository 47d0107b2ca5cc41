/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cevm/tracer.h: hooks to watch an execution. A tracer sees read-only views and can never change a result; a hook that
 * is NULL costs nothing, and so does execution without a tracer.
 *
 * Order: on_tx_start, then for each frame on_enter, its steps (each on_step, on_step_end), on_exit; on_tx_end. The views are valid only inside the
 * hook. Hooks are called on the thread that executes.
 */
#ifndef CEVM_TRACER_H
#define CEVM_TRACER_H

#include <cevm/host.h>
#include <cevm/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct cevm_message;
struct cevm_result;
struct cevm_block_env;
struct cevm_tx_env;

/** An instruction, seen before it executes (EIP-3155). */
typedef struct cevm_step {
    uint64_t pc;
    uint8_t op;             /* the byte at pc; 0 (STOP) past the end of the code */
    const char *op_name;    /* "PUSH1"; NULL when the byte is no opcode at this fork */
    int64_t gas;            /* left before the instruction */
    int64_t refund;         /* refund counter of the transaction before the instruction */
    uint32_t depth;         /* 1 for the outermost frame */
    const cevm_u256 *stack; /* stack[0] is the bottom, stack[stack_size-1] the top */
    size_t stack_size;
    cevm_bytes memory;           /* before the instruction's own expansion */
    cevm_bytes return_data;      /* what RETURNDATACOPY would see */
    const cevm_address *address; /* account whose storage is used */
    cevm_bytes code;
} cevm_step;

typedef struct cevm_tracer {
    size_t struct_size; /* sizeof(cevm_tracer) */
    void *ctx;
    /** A transaction begins (called by the transition, not by cevm_vm_execute). */
    void (*on_tx_start)(void *ctx, const struct cevm_block_env *block, const struct cevm_tx_env *tx);
    /** A transaction ended; gas_used is after refunds. */
    void (*on_tx_end)(void *ctx, int64_t gas_used);
    /** A frame begins; depth is 1 for the outermost. Precompiled contracts have frames too (without steps). */
    void (*on_enter)(void *ctx, const struct cevm_message *msg, uint32_t depth);
    /** A frame ended; result's output is what the caller sees. */
    void (*on_exit)(void *ctx, const struct cevm_result *result, uint32_t depth);
    /** Before each instruction, as it finds the machine. Every on_step is followed by one on_step_end. */
    void (*on_step)(void *ctx, const cevm_step *step);
    /**
     * The instruction has been charged and done; for a call or creation, before the callee begins (on_enter follows).
     * gas_cost is what it cost, memory expansion and the gas handed to a callee included; when it fails for want of gas,
     * what it asked for. status is -1, or the cevm_status (a halt or a revert) with which it ends the frame.
     */
    void (*on_step_end)(void *ctx, int64_t gas_cost, int status);
    /** A log was written (it may yet be reverted). */
    void (*on_log)(void *ctx, const cevm_log *log);
} cevm_tracer;

#ifdef __cplusplus
}
#endif
#endif
