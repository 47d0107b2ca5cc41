/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The exact engine: raw bytes, with gas and stack checked at each instruction. It serves traces and cold code, and it is
 * the judge of the block engine. It exists twice, so that execution without a tracer pays nothing for one: here as a plain
 * loop with the hooks in it, and without them in exact_plain.c.
 */
#include "evm/exact.h"
#include "evm/ops_arith.h"
#include "evm/ops_call.h"
#include "evm/ops_env.h"
#include "evm/ops_flow.h"
#include "evm/ops_memory.h"
#include "evm/ops_storage.h"

cevm_status cevm_stack_fault(const cevm_op_info *info, size_t height)
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

/* How each kind of body is called; see opcodes.h. Bodies that may charge see the gas in the frame. */
#define RUN_UNARY(byte, name)   top[0] = op_##name(&top[0]);
#define RUN_BINARY(byte, name)  top[-1] = op_##name(&top[0], &top[-1]);
#define RUN_TERNARY(byte, name) top[-2] = op_##name(f, &top[0], &top[-1], &top[-2]);
#define RUN_PURE(byte, name)    op_##name(top);
#define RUN_READ(byte, name)    op_##name(f, top);
#define RUN_DUP(byte, name)     op_DUP(top, (byte)-OP_DUP1 + 1);
#define RUN_SWAP(byte, name)    op_SWAP(top, (byte)-OP_SWAP1 + 1);
#define RUN_PUSH(byte, name)                                                 \
    op_PUSH(top, (byte)-OP_PUSH1 + 1, &f->code[pc + 1], code_size - pc - 1); \
    pc += (byte)-OP_PUSH1 + 1;
#define RUN_FULL(byte, name)    \
    f->gas = gas;               \
    status = op_##name(f, top); \
    gas = f->gas;
#define RUN_EDGE(byte, name) RUN_FULL(byte, name)
#define RUN_LOG(byte, name)                  \
    f->gas = gas;                            \
    status = op_LOG(f, top, (byte)-OP_LOG0); \
    gas = f->gas;
#define RUN_FLOW(byte, name)         \
    status = op_##name(f, top, &pc); \
    --pc; /* the loop's step puts it back */

#define CASE(at, code, name, in, out, kind, since, price) \
    case OP_##name: {                                     \
        RUN_##kind(code, name) top += (out) - (in);       \
        break;                                            \
    }

static int run_traced(cevm_frame *f)
{
    const cevm_op_info *ops = f->vm->ops;
    const size_t code_size = f->code_size;
    cevm_u256 *top = f->top;
    size_t pc = f->pc;
    int64_t gas = f->gas;
    int status = OP_NEXT;
    do {
        const uint8_t op = pc < code_size ? f->code[pc] : OP_STOP;
        const cevm_op_info *info = &ops[op];
        const int64_t gas_before = gas;
        const size_t height = (size_t)(top - f->base);
        f->gas = gas;
        trace_step(f, op, pc, top);
        gas -= info->gas;
        if (height - info->in >= info->span) {
            status = (int)cevm_stack_fault(info, height);
        } else if (gas < 0) {
            status = CEVM_STATUS_OUT_OF_GAS;
        } else {
            switch (op) {
                CEVM_OPCODES(CASE, 0)
            default: status = CEVM_STATUS_UNDEFINED_OPCODE; break;
            }
        }
        ++pc;
        f->gas = gas;
        trace_step_end(f, gas_before, status);
    } while (status == OP_NEXT);
    f->gas = gas;
    f->top = top;
    f->pc = pc;
    return status;
}

int cevm_exact_run(cevm_frame *f)
{
    const cevm_tracer *tracer = f->vm->tracer;
    const bool traced = tracer != NULL && (tracer->on_step != NULL || tracer->on_step_end != NULL);
    return traced ? run_traced(f) : cevm_exact_run_plain(f);
}
