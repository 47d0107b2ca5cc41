/* SPDX-License-Identifier: Apache-2.0 */
/* Failures as geth shows them. */
#include "trace/geth_fault.h"

#include <cevm/vm.h>

#include <stdio.h>

#include "evm/opcodes.h"

enum { WARM_ACCESS = 100, COLD_ACCESS = 2600, SSTORE_SENTRY = 2300 };

/* The largest memory geth can price; beyond it says that gas overflows. */
static const uint64_t memory_limit = 0x1fffffffe0;

/* Of the writes a static frame refuses, geth notices these while it executes and the others while it prices. */
static bool refused_in_execution(const cevm_step *step)
{
    return step->op == OP_TSTORE || (step->op >= OP_LOG0 && step->op <= OP_LOG4);
}

bool cevm_geth_shows_twice(const cevm_step *step, int status)
{
    return status == CEVM_STATUS_REVERT || status == CEVM_STATUS_BAD_JUMP || status == CEVM_STATUS_UNDEFINED_OPCODE ||
           status == CEVM_STATUS_INVALID_OPCODE || status == CEVM_STATUS_RETURN_DATA_BOUNDS ||
           (status == CEVM_STATUS_STATIC_WRITE && refused_in_execution(step));
}

size_t cevm_geth_operands_taken(const cevm_step *step, int status)
{
    bool takes =
        status == CEVM_STATUS_REVERT || status == CEVM_STATUS_BAD_JUMP || status == CEVM_STATUS_RETURN_DATA_BOUNDS;
    size_t in = takes ? cevm_op_tables[CEVM_LATEST][step->op].in : 0;
    return in <= step->stack_size ? in : step->stack_size;
}

/* The range of memory an instruction touches: two operands, counted from the top, or one and a fixed length. */
typedef struct range {
    size_t offset;
    size_t length;  /* operand, or NO_OPERAND */
    uint64_t fixed; /* length when there is no operand for it */
} range;

#define NO_OPERAND SIZE_MAX

/* Writes the ranges an opcode touches; returns how many (at most 2). */
static size_t ranges_of(range out[2], uint8_t op)
{
    switch (op) {
    case OP_MLOAD:
    case OP_MSTORE: out[0] = (range){0, NO_OPERAND, 32}; return 1;
    case OP_MSTORE8: out[0] = (range){0, NO_OPERAND, 1}; return 1;
    case OP_KECCAK256:
    case OP_RETURN:
    case OP_REVERT:
    case OP_LOG0:
    case OP_LOG1:
    case OP_LOG2:
    case OP_LOG3:
    case OP_LOG4: out[0] = (range){0, 1, 0}; return 1;
    case OP_CALLDATACOPY:
    case OP_CODECOPY:
    case OP_RETURNDATACOPY: out[0] = (range){0, 2, 0}; return 1;
    case OP_EXTCODECOPY: out[0] = (range){1, 3, 0}; return 1;
    case OP_CREATE:
    case OP_CREATE2: out[0] = (range){1, 2, 0}; return 1;
    case OP_MCOPY:
        out[0] = (range){0, 2, 0};
        out[1] = (range){1, 2, 0};
        return 2;
    case OP_CALL:
    case OP_CALLCODE:
        out[0] = (range){3, 4, 0};
        out[1] = (range){5, 6, 0};
        return 2;
    case OP_DELEGATECALL:
    case OP_STATICCALL:
        out[0] = (range){2, 3, 0};
        out[1] = (range){4, 5, 0};
        return 2;
    default: return 0;
    }
}

/* The end of the memory an instruction touches, rounded up to words; false when it does not fit 64 bits. */
static bool memory_end(uint64_t *out, const cevm_step *step)
{
    range ranges[2];
    size_t count = ranges_of(ranges, step->op);
    *out = 0;
    for (size_t i = 0; i < count; ++i) {
        const range *r = &ranges[i];
        if (r->offset >= step->stack_size || (r->length != NO_OPERAND && r->length >= step->stack_size)) {
            continue;
        }
        const cevm_u256 *top = &step->stack[step->stack_size - 1];
        cevm_u256 length = r->length != NO_OPERAND ? *(top - r->length) : cevm_u256_from_u64(r->fixed);
        const cevm_u256 *offset = top - r->offset;
        if (cevm_u256_is_zero(&length)) {
            continue;
        }
        if (!cevm_u256_fits_u64(&length) || !cevm_u256_fits_u64(offset) ||
            length.w[0] > UINT64_MAX - 31 - offset->w[0] || offset->w[0] > UINT64_MAX - 31) {
            return false;
        }
        uint64_t end = (offset->w[0] + length.w[0] + 31) / 32 * 32;
        *out = end > *out ? end : *out;
    }
    return true;
}

size_t cevm_geth_memory_at_fault(const cevm_step *step, int status)
{
    uint64_t end = 0;
    bool expands = status == CEVM_STATUS_REVERT || status == CEVM_STATUS_RETURN_DATA_BOUNDS ||
                   (status == CEVM_STATUS_STATIC_WRITE && refused_in_execution(step));
    if (!expands || !memory_end(&end, step) || end > memory_limit || end <= step->memory.size) {
        return step->memory.size;
    }
    return (size_t)end;
}

/* Calls have a price by warmth from EIP-2929 on; geth's static price is then that of a warm access. */
static bool priced_by_warmth(uint8_t op, cevm_fork fork)
{
    bool calls = op == OP_CALL || op == OP_CALLCODE || op == OP_DELEGATECALL || op == OP_STATICCALL;
    return calls && CEVM_HAS_EIP(fork, 2929);
}

static int64_t static_price(uint8_t op, cevm_fork fork)
{
    return priced_by_warmth(op, fork) ? WARM_ACCESS : (int64_t)cevm_op_tables[fork][op].gas;
}

/* Out of gas has several names, by where geth notices it. */
static const char *out_of_gas(int64_t *gas_cost, const cevm_step *step, cevm_fork fork)
{
    bool by_warmth = priced_by_warmth(step->op, fork);
    int64_t fixed = static_price(step->op, fork);
    uint64_t end = 0;
    if (step->gas < fixed) {
        *gas_cost = fixed;
        return "out of gas";
    }
    if (!memory_end(&end, step)) {
        *gas_cost = fixed;
        return "gas uint64 overflow";
    }
    if (by_warmth && *gas_cost == COLD_ACCESS && step->gas < COLD_ACCESS) { /* charged apart, before the rest */
        *gas_cost = fixed;
        return "out of gas: out of gas";
    }
    if (end > memory_limit) {
        *gas_cost = fixed;
        return "out of gas: gas uint64 overflow";
    }
    if (step->op == OP_SSTORE && step->gas <= SSTORE_SENTRY && CEVM_HAS_EIP(fork, 2200)) {
        *gas_cost = fixed;
        return "out of gas: not enough gas for reentrancy sentry";
    }
    return "out of gas";
}

void cevm_geth_fault(char *out, size_t size, int64_t *gas_cost, const cevm_step *step, int status, cevm_fork fork)
{
    const cevm_op_info *info = &cevm_op_tables[fork][step->op];
    if (status == CEVM_STATUS_STACK_UNDERFLOW) {
        *gas_cost = (int64_t)info->gas;
        (void)snprintf(out, size, "stack underflow (%zu <=> %u)", step->stack_size, (unsigned)info->in);
    } else if (status == CEVM_STATUS_STACK_OVERFLOW) {
        *gas_cost = (int64_t)info->gas;
        (void)snprintf(out, size, "stack limit reached %zu (%u)", step->stack_size,
                       (unsigned)CEVM_STACK_LIMIT + info->in - info->out);
    } else if (status == CEVM_STATUS_UNDEFINED_OPCODE) {
        (void)snprintf(out, size, "invalid opcode: opcode 0x%x not defined", (unsigned)step->op);
    } else if (status == CEVM_STATUS_STATIC_WRITE && !refused_in_execution(step)) {
        *gas_cost = static_price(step->op, fork);
        (void)snprintf(out, size, "out of gas: write protection");
    } else if (status == CEVM_STATUS_OUT_OF_GAS) {
        (void)snprintf(out, size, "%s", out_of_gas(gas_cost, step, fork));
    } else {
        (void)snprintf(out, size, "%s", cevm_status_string((cevm_status)status));
    }
}
