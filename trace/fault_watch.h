/* SPDX-License-Identifier: Apache-2.0 */
/**
 * trace/fault_watch.h: in what words geth reports that a frame failed. That takes a look at the instruction that failed,
 * so the operands of each are kept until its end is known. Internal to trace/.
 */
#ifndef CEVM_TRACE_FAULT_WATCH_H
#define CEVM_TRACE_FAULT_WATCH_H

#include <cevm/forks.h>
#include <cevm/tracer.h>
#include <cevm/vm.h>

enum { CEVM_FAULT_STACK = 1024, CEVM_FAULT_OPERANDS = 7 };

typedef struct cevm_fault_watch {
    cevm_fork fork; /* set by on_tx_start or begin */
    bool holding;   /* between step and step_end */
    char text[96];  /* of the frame about to end; "" when it has not failed in an instruction */
    cevm_step
        held; /* memory, return_data and code are not for reading; of the stack only the topmost operands are there */
    cevm_address address;
    cevm_u256 stack[CEVM_FAULT_STACK];
} cevm_fault_watch;

/** A frame begins. */
void cevm_fault_watch_enter(cevm_fault_watch *w);
/** on_step; false when there is nothing to execute (a creation without initcode, which geth does not run). */
bool cevm_fault_watch_step(cevm_fault_watch *w, const cevm_step *step);
/** on_step_end: notes a failure and corrects *gas_cost to the price geth shows. Whether the instruction failed. */
bool cevm_fault_watch_step_end(cevm_fault_watch *w, int64_t *gas_cost, int status);
/** Why a frame that ended with `status` failed, NULL when it did not; valid until the next call. */
const char *cevm_fault_watch_exit(cevm_fault_watch *w, cevm_status status);

/** Operand i from the top of the instruction held (i < CEVM_FAULT_OPERANDS), or NULL when the stack is not that high. */
static inline const cevm_u256 *cevm_fault_watch_operand(const cevm_fault_watch *w, size_t i)
{
    return i < w->held.stack_size ? &w->stack[w->held.stack_size - 1 - i] : NULL;
}

/** Why a precompiled contract refused its input, as geth words it where that can be told from the input's length. */
const char *cevm_precompile_fault(const cevm_address *address, size_t input_size);

#endif
