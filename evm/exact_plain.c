/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The exact engine without a tracer: the same checks in the same order as in exact.c, with what the table says about an
 * opcode as constants of its handler. It counts the bytes of code it runs, so that code which is run a lot gets decoded.
 */
#include "evm/dispatch.h"
#include "evm/exact.h"
#include "evm/ops_arith.h"
#include "evm/ops_call.h"
#include "evm/ops_env.h"
#include "evm/ops_flow.h"
#include "evm/ops_memory.h"
#include "evm/ops_storage.h"

/* `end` is behind the code, `base` as in the frame. */
#define CEVM_PARAMETERS \
    const uint8_t *ip, cevm_u256 *top, int64_t gas, cevm_frame *f, const uint8_t *end, const cevm_u256 *base
#define CEVM_ARGUMENTS ip, top, gas, f, end, base

typedef union plain_handler {
    CEVM_HANDLER_CALL int (*call)(CEVM_PARAMETERS);
    const void *label;
} plain_handler;

/** Counts the bytes from the mark to pc, which are a straight line. */
static inline void count_heat(cevm_frame *f, size_t pc) { *f->heat += (uint32_t)(pc - f->heat_mark); }

/** Stops before or, for what is no fault, behind an instruction. */
__attribute__((noinline)) static int leave(const uint8_t *ip, cevm_u256 *top, cevm_frame *f, int status)
{
    f->top = top;
    f->pc = (size_t)(ip - f->code);
    if (f->heat != NULL) {
        count_heat(f, f->pc);
    }
    return status;
}

/** The stack is too low or too high for the instruction, or the fork does not have it. */
__attribute__((noinline, cold)) static int leave_stack(const uint8_t *ip, cevm_u256 *top, int64_t gas, cevm_frame *f)
{
    f->gas = gas;
    return leave(ip, top, f, (int)cevm_stack_fault(&f->vm->ops[*ip], (size_t)(top - f->base)));
}

/** After a jump from `from` to pc: OP_NEXT, or OP_HOT when the code has earned being decoded. */
static inline int jumped(cevm_frame *f, size_t from, size_t pc)
{
    if (f->heat == NULL) {
        return OP_NEXT;
    }
    count_heat(f, from);
    f->heat_mark = pc;
    return *f->heat >= f->heat_limit ? OP_HOT : OP_NEXT;
}

#define NEXT(n)                                            \
    do {                                                   \
        ip += (n);                                         \
        GO_TO(handlers[LIKELY(ip < end) ? *ip : OP_STOP]); \
    } while (0)

/* Words that an opcode adds to the stack. */
#define GROWTH(in, out) ((out) > (in) ? (out) - (in) : 0)

/* What exact.c checks, with constants. The price and the first fork are constants too for most. */
#define CHECK(in, out, since, price)                                                          \
    do {                                                                                      \
        const int64_t height = top - base;                                                    \
        if (UNLIKELY(((in) != 0 && height < (in)) ||                                          \
                     (GROWTH(in, out) != 0 && height > CEVM_STACK_LIMIT - GROWTH(in, out)) || \
                     (CEVM_##since != CEVM_FRONTIER && f->vm->fork < CEVM_##since))) {        \
            return leave_stack(ip, top, gas, f);                                              \
        }                                                                                     \
        gas -= (price);                                                                       \
        if (UNLIKELY(gas < 0)) {                                                              \
            f->gas = gas;                                                                     \
            return leave(ip, top, f, CEVM_STATUS_OUT_OF_GAS);                                 \
        }                                                                                     \
    } while (0)

/* A body that may fail. */
#define BODY(in, out, body)                       \
    do {                                          \
        f->gas = gas;                             \
        const int status = (body);                \
        top += (out) - (in);                      \
        if (UNLIKELY(status != OP_NEXT)) {        \
            return leave(ip + 1, top, f, status); \
        }                                         \
        gas = f->gas;                             \
        NEXT(1);                                  \
    } while (0)

#define SIMPLE(name, in, out, since, price, step, body) \
    HANDLER(name)                                       \
    {                                                   \
        CHECK(in, out, since, price);                   \
        body;                                           \
        top += (out) - (in);                            \
        NEXT(step);                                     \
    }
#define PLAIN_UNARY(byte, name, in, out, since, price) \
    SIMPLE(name, in, out, since, price, 1, top[0] = op_##name(&top[0]))
#define PLAIN_BINARY(byte, name, in, out, since, price) \
    SIMPLE(name, in, out, since, price, 1, top[-1] = op_##name(&top[0], &top[-1]))
#define PLAIN_TERNARY(byte, name, in, out, since, price) \
    SIMPLE(name, in, out, since, price, 1, top[-2] = op_##name(f, &top[0], &top[-1], &top[-2]))
#define PLAIN_PURE(byte, name, in, out, since, price) SIMPLE(name, in, out, since, price, 1, op_##name(top))
#define PLAIN_READ(byte, name, in, out, since, price) SIMPLE(name, in, out, since, price, 1, op_##name(f, top))
#define PLAIN_DUP(byte, name, in, out, since, price)  SIMPLE(name, in, out, since, price, 1, op_DUP(top, in))
#define PLAIN_SWAP(byte, name, in, out, since, price) SIMPLE(name, in, out, since, price, 1, op_SWAP(top, (in)-1))
#define PUSH_SIZE(byte)                               ((byte)-OP_PUSH1 + 1)
#define PLAIN_PUSH(byte, name, in, out, since, price)                            \
    SLOW(name)                                                                   \
    {                                                                            \
        op_PUSH(top, PUSH_SIZE(byte), ip + 1, (size_t)(end - ip - 1));           \
        top += 1;                                                                \
        NEXT(PUSH_SIZE(byte) + 1);                                               \
    }                                                                            \
    HANDLER(name)                                                                \
    {                                                                            \
        CHECK(in, out, since, price);                                            \
        if (UNLIKELY(!push_is_ahead(PUSH_SIZE(byte), (size_t)(end - ip - 1)))) { \
            GO_SLOW(name);                                                       \
        }                                                                        \
        push_from(top, PUSH_SIZE(byte), ip + 1);                                 \
        top += 1;                                                                \
        NEXT(PUSH_SIZE(byte) + 1);                                               \
    }
#define PLAIN_FULL(byte, name, in, out, since, price) \
    SLOW(name) { BODY(in, out, op_##name(f, top)); }  \
    HANDLER(name)                                     \
    {                                                 \
        CHECK(in, out, since, price);                 \
        SURE_##name(name, in, out);                   \
        GO_SLOW(name);                                \
    }
/* For some that may fail, a condition under which they cannot, and what they then do. */
#define WHEN_SURE(condition, body, in, out) \
    if (LIKELY(condition)) {                \
        body;                               \
        top += (out) - (in);                \
        NEXT(1);                            \
    }
#define SURE_MLOAD(name, in, out)   WHEN_SURE(memory_has(f, top, 32), memory_get(f, top, top), in, out)
#define SURE_MSTORE(name, in, out)  WHEN_SURE(memory_has(f, top, 32), memory_put(f, top, top - 1), in, out)
#define SURE_MSTORE8(name, in, out) WHEN_SURE(memory_has(f, top, 1), memory_put8(f, top, top - 1), in, out)
#define SURE_EXP(name, in, out)
#define SURE_KECCAK256(name, in, out)
#define SURE_CALLDATACOPY(name, in, out)
#define SURE_CODECOPY(name, in, out)
#define SURE_RETURNDATACOPY(name, in, out)
#define SURE_BLOCKHASH(name, in, out)
#define SURE_SELFBALANCE(name, in, out)
#define SURE_TLOAD(name, in, out)
#define SURE_TSTORE(name, in, out)
#define SURE_MCOPY(name, in, out)
#define PLAIN_EDGE(byte, name, in, out, since, price) \
    HANDLER(name)                                     \
    {                                                 \
        CHECK(in, out, since, price);                 \
        BODY(in, out, op_##name(f, top));             \
    }
#define PLAIN_LOG(byte, name, in, out, since, price) \
    HANDLER(name)                                    \
    {                                                \
        CHECK(in, out, since, price);                \
        BODY(in, out, op_LOG(f, top, (in)-2));       \
    }
#define FLOW(name, in, out)                         \
    do {                                            \
        const size_t from = (size_t)(ip - f->code); \
        size_t pc = from;                           \
        int status = op_##name(f, top, &pc);        \
        if (status == OP_NEXT && pc != from + 1) {  \
            status = jumped(f, from, pc);           \
        }                                           \
        ip = f->code + pc;                          \
        top += (out) - (in);                        \
        if (UNLIKELY(status != OP_NEXT)) {          \
            f->gas = gas;                           \
            return leave(ip, top, f, status);       \
        }                                           \
        NEXT(0);                                    \
    } while (0)
/* The first jump, and the one that looks at the limits, out of the way of all others. */
#define PLAIN_FLOW(byte, name, in, out, since, price)                       \
    SLOW(name) { FLOW(name, in, out); }                                     \
    HANDLER(name)                                                           \
    {                                                                       \
        CHECK(in, out, since, price);                                       \
        if (UNLIKELY(f->jumpdests == NULL || f->vm->poll_countdown == 1)) { \
            GO_SLOW(name);                                                  \
        }                                                                   \
        FLOW(name, in, out);                                                \
    }
#define PLAIN(at, code, name, in, out, kind, since, price) PLAIN_##kind(code, name, in, out, since, price)

/* A byte without a row has the first handler. */
#if defined(__clang__)
#pragma GCC diagnostic ignored "-Winitializer-overrides"
#else
#pragma GCC diagnostic ignored "-Woverride-init"
#endif
/* clang-format off */
#define ROW(at, code, name, in, out, kind, since, price) [code] = HANDLER_OF(name),
#define ROWS {[0 ... 255] = HANDLER_OF(UNDEFINED), CEVM_OPCODES(ROW, 0)}
/* clang-format on */

#if CEVM_DISPATCH_CALLS

static const plain_handler handlers[256];

CEVM_OPCODES(PLAIN, f->vm->fork)

HANDLER(UNDEFINED)
{
    (void)end;
    (void)base;
    return leave_stack(ip, top, gas, f);
}

static const plain_handler handlers[256] = ROWS;

int cevm_exact_run_plain(cevm_frame *f)
{
    const uint8_t *ip = f->code + f->pc;
    const uint8_t *end = f->code + f->code_size;
    f->heat_mark = f->pc;
    return handlers[ip < end ? *ip : OP_STOP].call(ip, f->top, f->gas, f, end, f->base);
}

#else

int cevm_exact_run_plain(cevm_frame *f)
{
    static const plain_handler handlers[256] = ROWS;
    const uint8_t *ip = f->code + f->pc;
    const uint8_t *end = f->code + f->code_size;
    const cevm_u256 *base = f->base;
    cevm_u256 *top = f->top;
    int64_t gas = f->gas;
    f->heat_mark = f->pc;
    NEXT(0);
    CEVM_OPCODES(PLAIN, f->vm->fork)
    HANDLER(UNDEFINED) { return leave_stack(ip, top, gas, f); }
}

#endif
