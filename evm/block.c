/* SPDX-License-Identifier: Apache-2.0 */
/* The block engine: runs decoded code (block.h) with the handlers of block_handlers.inc. */
#include "evm/block.h"
#include "evm/dispatch.h"
#include "evm/ops_arith.h"
#include "evm/ops_call.h"
#include "evm/ops_env.h"
#include "evm/ops_flow.h"
#include "evm/ops_memory.h"
#include "evm/ops_storage.h"

/* The stack word at an offset of the entry. */
static inline cevm_u256 *word_at(cevm_u256 *sp, int16_t offset) { return (cevm_u256 *)(void *)((char *)sp + offset); }

/** Leaves the engine at a section that the exact engine has to run: it finds the fault, or ends the frame before it. */
__attribute__((noinline, cold)) static int leave_section(const cevm_entry *ip, cevm_u256 *sp, int64_t gas,
                                                         cevm_frame *f)
{
    f->top = sp;
    f->pc = f->block->pcs[ip - f->block->entries];
    f->gas = gas + ip->begin.gas;
    f->ip = NULL;
    f->heat = NULL;
    return cevm_exact_run(f);
}

/**
 * An instruction inside a section did not succeed. If gas was short, that may be for what was charged ahead: the exact engine
 * does it again from there, with gas and memory as they were.
 */
__attribute__((noinline, cold)) static int leave_inside(const cevm_entry *ip, cevm_u256 *sp, int64_t gas, cevm_frame *f,
                                                        size_t memory_size, int status)
{
    if (status != CEVM_STATUS_OUT_OF_GAS) {
        return status;
    }
    f->memory_size = memory_size;
    f->gas = gas + cevm_decoded_restore(f, ip, sp);
    f->ip = NULL;
    f->heat = NULL;
    return cevm_exact_run(f);
}

/** The host's limits ended the execution, or a jump was bad. */
__attribute__((noinline, cold)) static int leave_jump(cevm_frame *f, int64_t gas, int status)
{
    f->gas = gas;
    return status;
}

/** The entry a jump to `target` leads to, NULL for a bad one. */
static inline const cevm_entry *find_target(const cevm_frame *f, const cevm_u256 *target)
{
    const cevm_decoded_code *code = f->block;
    if (UNLIKELY(!cevm_u256_fits_u64(target) || target->w[0] >= code->code_size)) {
        return NULL;
    }
    const uint32_t index = code->targets[target->w[0]];
    return index != 0 ? &code->entries[index] : NULL;
}

static inline bool is_less_than_imm(const cevm_u256 *a, uint32_t imm) { return cevm_u256_fits_u64(a) && a->w[0] < imm; }
static inline bool is_more_than_imm(const cevm_u256 *a, uint32_t imm)
{
    return !cevm_u256_fits_u64(a) || a->w[0] > imm;
}
static inline bool is_imm(const cevm_u256 *a, uint32_t imm)
{
    return ((a->w[0] ^ imm) | a->w[1] | a->w[2] | a->w[3]) == 0;
}

#define TO  word_at(sp, ip->to)
#define A   word_at(sp, ip->a)
#define B   word_at(sp, ip->b)
#define C   word_at(sp, ip->c)
#define IMM (&(cevm_u256){{ip->imm, 0, 0, 0}})

/* Goes to the section that begins at ip: its check, then its first entry. */
#define ENTER()                                                                 \
    do {                                                                        \
        gas -= ip->begin.gas;                                                   \
        const size_t used = (size_t)((const char *)sp - (const char *)f->base); \
        if (UNLIKELY(gas < 0 || used - ip->begin.need >= ip->begin.span)) {     \
            return leave_section(ip, sp, gas, f);                               \
        }                                                                       \
        NEXT(1);                                                                \
    } while (0)

/* A jump to a BEGIN entry; loops pass here, so here the host's limits are looked at. */
#define JUMP(entry)                                   \
    do {                                              \
        ip = (entry);                                 \
        if (UNLIKELY(--f->vm->poll_countdown == 0)) { \
            GO_SLOW(POLL);                            \
        }                                             \
        ENTER();                                      \
    } while (0)

#define CEVM_PARAMETERS const cevm_entry *ip, cevm_u256 *sp, int64_t gas, cevm_frame *f
#define CEVM_ARGUMENTS  ip, sp, gas, f
#define NEXT(n)             \
    do {                    \
        ip += (n);          \
        GO_TO(ip->handler); \
    } while (0)

/* Which opcodes have an entry. */
#define ENTRY_OF_UNARY(name)   HANDLER_OF(OP_##name)
#define ENTRY_OF_BINARY(name)  HANDLER_OF(OP_##name)
#define ENTRY_OF_TERNARY(name) HANDLER_OF(OP_##name)
#define ENTRY_OF_READ(name)    HANDLER_OF(OP_##name)
#define ENTRY_OF_FULL(name)    HANDLER_OF(OP_##name)
#define ENTRY_OF_EDGE(name)    HANDLER_OF(OP_##name)
#define ENTRY_OF_LOG(name)     HANDLER_OF(OP_##name)
#define ENTRY_OF_PURE(name) \
    {                       \
        .label = NULL       \
    }
#define ENTRY_OF_FLOW(name) \
    {                       \
        .label = NULL       \
    }
#define ENTRY_OF_PUSH(name) \
    {                       \
        .label = NULL       \
    }
#define ENTRY_OF_DUP(name) \
    {                      \
        .label = NULL      \
    }
#define ENTRY_OF_SWAP(name) \
    {                       \
        .label = NULL       \
    }

/* clang-format off */
#define ENTRY(name) [BLOCK_##name] = HANDLER_OF(name),
#define OPCODE(at, code, name, in, out, kind, since, price) [BLOCK_OP_##name] = ENTRY_OF_##kind(name),
#define HANDLERS {CEVM_BLOCK_ENTRIES(ENTRY) CEVM_OPCODES(OPCODE, 0)}
/* clang-format on */

#if CEVM_DISPATCH_CALLS

#include "evm/block_handlers.inc"

static const cevm_decoded_handler handlers[BLOCK_KIND_COUNT] = HANDLERS;

const cevm_decoded_handler *cevm_decoded_handlers(void) { return handlers; }

int cevm_decoded_run(cevm_frame *f)
{
    const cevm_entry *ip = f->ip;
    return ip->handler.call(ip, f->top, f->gas, f);
}

#else

/** Runs a frame; without one, tells what the handlers are. */
static int run(cevm_frame *f, const cevm_decoded_handler **table)
{
    static const cevm_decoded_handler handlers[BLOCK_KIND_COUNT] = HANDLERS;
    if (f == NULL) {
        *table = handlers;
        return OP_NEXT;
    }
    const cevm_entry *ip = f->ip;
    cevm_u256 *sp = f->top;
    int64_t gas = f->gas;
    GO_TO(ip->handler);
#include "evm/block_handlers.inc"
}

const cevm_decoded_handler *cevm_decoded_handlers(void)
{
    const cevm_decoded_handler *table;
    (void)run(NULL, &table);
    return table;
}

int cevm_decoded_run(cevm_frame *f) { return run(f, NULL); }

#endif
