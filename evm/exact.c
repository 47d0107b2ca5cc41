/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The exact engine: raw bytes, with gas and stack checked at each instruction. It serves traces and cold code, and it is
 * the judge of every other engine. The loop exists twice, with and without a tracer, so that execution without one pays
 * nothing for it.
 */
#include "evm/frame.h"
#include "evm/ops_arith.h"
#include "evm/ops_call.h"
#include "evm/ops_env.h"
#include "evm/ops_flow.h"
#include "evm/ops_memory.h"
#include "evm/ops_storage.h"

/** Why the instruction may not run at this height of the stack. */
static cevm_status stack_fault(const cevm_op_info *info, size_t height)
{
    if (info->span == 0) {
        return CEVM_STATUS_UNDEFINED_OPCODE;
    }
    return height < info->in ? CEVM_STATUS_STACK_UNDERFLOW : CEVM_STATUS_STACK_OVERFLOW;
}

static void trace_step(const cevm_frame *f, uint8_t op, size_t pc, const cevm_u256 *top)
{
    const cevm_vm *vm = f->vm;
    if (vm->tracer->on_step == NULL) {
        return;
    }
    const cevm_step step = {.pc = pc,
                            .op = op,
                            .op_name = cevm_opcode_name(vm->fork, op),
                            .gas = f->gas,
                            .refund = vm->refund,
                            .depth = (uint32_t)vm->depth,
                            .stack = f->base + 1,
                            .stack_size = (size_t)(top - f->base),
                            .memory = {f->memory, f->memory_size},
                            .return_data = {vm->output.data, vm->output.size},
                            .address = &f->address,
                            .code = {f->code, f->code_size}};
    vm->tracer->on_step(vm->tracer->ctx, &step);
}

static void trace_step_end(const cevm_frame *f, int64_t gas_before, int status)
{
    const cevm_vm *vm = f->vm;
    if (vm->tracer->on_step_end != NULL) {
        const bool failed = status >= 0 && !cevm_status_is_success((cevm_status)status);
        vm->tracer->on_step_end(vm->tracer->ctx, gas_before - f->gas, failed ? status : -1);
    }
}

/** Counts a jump: OP_HOT when the code has made enough of them to be decoded. */
static inline int count_jump(cevm_frame *f)
{
    return f->heat != NULL && ++*f->heat >= f->heat_limit ? OP_HOT : OP_NEXT;
}

/* How each kind of body is called; see opcodes.h. Bodies that may charge see the gas in the frame. */
#define RUN_UNARY(code, name)   top[0] = op_##name(&top[0]);
#define RUN_BINARY(code, name)  top[-1] = op_##name(&top[0], &top[-1]);
#define RUN_TERNARY(code, name) top[-2] = op_##name(&top[0], &top[-1], &top[-2]);
#define RUN_PURE(code, name)    op_##name(top);
#define RUN_READ(code, name)    op_##name(f, top);
#define RUN_DUP(code, name)     op_DUP(top, code - OP_DUP1 + 1);
#define RUN_SWAP(code, name)    op_SWAP(top, code - OP_SWAP1 + 1);
#define RUN_PUSH(code, name)                  \
    op_PUSH(f, top, code - OP_PUSH1 + 1, pc); \
    pc += code - OP_PUSH1 + 1;
#define RUN_FULL(code, name)    \
    f->gas = gas;               \
    status = op_##name(f, top); \
    gas = f->gas;
#define RUN_EDGE(code, name) RUN_FULL(code, name)
#define RUN_LOG(code, name)                  \
    f->gas = gas;                            \
    status = op_LOG(f, top, code - OP_LOG0); \
    gas = f->gas;
#define RUN_FLOW(code, name)                              \
    const size_t from = pc;                               \
    status = op_##name(f, top, &pc);                      \
    if (!traced && status == OP_NEXT && pc != from + 1) { \
        status = count_jump(f);                           \
    }                                                     \
    --pc; /* the loop's step puts it back */

#define CASE(at, code, name, in, out, kind, since, price) \
    case OP_##name: {                                     \
        RUN_##kind(code, name) top += (out) - (in);       \
        break;                                            \
    }

/** The loop. `traced` is a constant at each of its two uses. */
__attribute__((always_inline)) static inline int run(cevm_frame *f, const bool traced)
{
    const cevm_op_info *ops = f->vm->ops;
    const uint8_t *code = f->code;
    const size_t code_size = f->code_size;
    const cevm_u256 *base = f->base;
    cevm_u256 *top = f->top;
    size_t pc = f->pc;
    int64_t gas = f->gas;
    int status = OP_NEXT;
    do {
        const uint8_t op = pc < code_size ? code[pc] : OP_STOP;
        const cevm_op_info *info = &ops[op];
        const int64_t gas_before = gas;
        const size_t height = (size_t)(top - base);
        if (traced) {
            f->gas = gas;
            trace_step(f, op, pc, top);
        }
        gas -= info->gas;
        if (height - info->in >= info->span) {
            status = (int)stack_fault(info, height);
        } else if (gas < 0) {
            status = CEVM_STATUS_OUT_OF_GAS;
        } else {
            switch (op) {
                CEVM_OPCODES(CASE, 0)
            default: status = CEVM_STATUS_UNDEFINED_OPCODE; break;
            }
        }
        ++pc;
        if (traced) {
            f->gas = gas;
            trace_step_end(f, gas_before, status);
        }
    } while (status == OP_NEXT);
    f->gas = gas;
    f->top = top;
    f->pc = pc;
    return status;
}

static int run_plain(cevm_frame *f) { return run(f, false); }
static int run_traced(cevm_frame *f) { return run(f, true); }

int cevm_exact_run(cevm_frame *f)
{
    const cevm_tracer *tracer = f->vm->tracer;
    const bool traced = tracer != NULL && (tracer->on_step != NULL || tracer->on_step_end != NULL);
    return traced ? run_traced(f) : run_plain(f);
}
