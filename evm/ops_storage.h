/* SPDX-License-Identifier: Apache-2.0 */
/**
 * evm/ops_storage.h: bodies of SLOAD, SSTORE, TLOAD, TSTORE. See opcodes.h for how a body is called.
 */
#ifndef CEVM_EVM_OPS_STORAGE_H
#define CEVM_EVM_OPS_STORAGE_H

#include "evm/frame.h"

static inline int op_SLOAD(cevm_frame *f, cevm_u256 *top)
{
    const bool has_2929 = CEVM_HAS_EIP(f->vm->fork, 2929);
    const bool skip_cold = has_2929 && f->gas < GAS_COLD_SLOAD;
    cevm_slot_info slot;
    const cevm_err err = f->vm->host.vtable->sload(f->vm->host.ctx, &slot, &f->address, &top[0], skip_cold);
    if (err != CEVM_OK) {
        return op_error(f, err);
    }
    /* Never asked as `skipped || cold`: that is one load of two bytes, which waits for the two stores of the host. */
    const bool cold = (skip_cold && slot.skipped) || slot.cold;
    if (has_2929 && !charge(f, cold ? GAS_COLD_SLOAD : GAS_WARM_ACCESS)) {
        return CEVM_STATUS_OUT_OF_GAS;
    }
    top[0] = slot.value;
    return OP_NEXT;
}

/** Gas and refund of one SSTORE. */
typedef struct sstore_cost {
    int64_t gas;
    int64_t refund;
} sstore_cost;

/** Before net metering: by what the write does to the present value alone. */
static inline sstore_cost sstore_cost_gross(const cevm_sstore_info *slot, const cevm_u256 *value)
{
    const bool was_zero = cevm_u256_is_zero(&slot->current);
    const bool is_zero = cevm_u256_is_zero(value);
    return (sstore_cost){.gas = was_zero && !is_zero ? GAS_SSTORE_SET : GAS_SSTORE_RESET,
                         .refund = !was_zero && is_zero ? GAS_SSTORE_CLEAR_REFUND : 0};
}

/**
 * Net metering (EIP-1283, EIP-2200; prices of EIP-2929, refund of EIP-3529): by what the write does to the difference
 * from the value at the start of the transaction. `load` is the price of a write that changes nothing new.
 */
static inline sstore_cost sstore_cost_net(const cevm_sstore_info *slot, const cevm_u256 *value, cevm_fork fork)
{
    const bool has_2929 = CEVM_HAS_EIP(fork, 2929);
    const int64_t load = has_2929 ? GAS_WARM_ACCESS : CEVM_HAS_EIP(fork, 2200) ? 800 : 200;
    const int64_t reset = has_2929 ? GAS_SSTORE_RESET - GAS_COLD_SLOAD : GAS_SSTORE_RESET;
    const int64_t clear = CEVM_HAS_EIP(fork, 3529) ? GAS_SSTORE_CLEAR_REFUND_3529 : GAS_SSTORE_CLEAR_REFUND;
    const bool original_zero = cevm_u256_is_zero(&slot->original);
    sstore_cost cost = {.gas = load, .refund = 0};
    if (cevm_u256_equal(&slot->current, value)) {
        return cost;
    }
    if (cevm_u256_equal(&slot->original, &slot->current)) { /* first change in the transaction */
        cost.gas = original_zero ? GAS_SSTORE_SET : reset;
        cost.refund = !original_zero && cevm_u256_is_zero(value) ? clear : 0;
        return cost;
    }
    if (!original_zero && cevm_u256_is_zero(&slot->current)) {
        cost.refund -= clear;
    } else if (!original_zero && cevm_u256_is_zero(value)) {
        cost.refund += clear;
    }
    if (cevm_u256_equal(&slot->original, value)) { /* back to where it was */
        cost.refund += (original_zero ? GAS_SSTORE_SET : reset) - load;
    }
    return cost;
}

static inline int op_SSTORE(cevm_frame *f, cevm_u256 *top)
{
    const cevm_fork fork = f->vm->fork;
    if (f->is_static) {
        return CEVM_STATUS_STATIC_WRITE;
    }
    /* EIP-2200: a callee that has only the stipend may not write. */
    if (CEVM_HAS_EIP(fork, 2200) && f->gas <= GAS_SSTORE_SENTRY) {
        return charge_too_much(f);
    }
    const bool has_2929 = CEVM_HAS_EIP(fork, 2929);
    const bool skip_cold = has_2929 && f->gas < GAS_COLD_SLOAD;
    cevm_sstore_info slot;
    const cevm_err err = f->vm->host.vtable->sstore(f->vm->host.ctx, &slot, &f->address, &top[0], &top[-1], skip_cold);
    if (err != CEVM_OK) {
        return op_error(f, err);
    }
    if (has_2929 && ((skip_cold && slot.skipped) || slot.cold) && !charge(f, GAS_COLD_SLOAD)) {
        return CEVM_STATUS_OUT_OF_GAS;
    }
    const bool net = CEVM_HAS_EIP(fork, 1283) || CEVM_HAS_EIP(fork, 2200);
    const sstore_cost cost = net ? sstore_cost_net(&slot, &top[-1], fork) : sstore_cost_gross(&slot, &top[-1]);
    if (!charge(f, cost.gas)) {
        return CEVM_STATUS_OUT_OF_GAS; /* the frame's revert takes the write back */
    }
    f->vm->refund += cost.refund;
    return OP_NEXT;
}

/* EIP-1153 */
static inline int op_TLOAD(cevm_frame *f, cevm_u256 *top)
{
    cevm_u256 value;
    const cevm_err err = f->vm->host.vtable->tload(f->vm->host.ctx, &value, &f->address, &top[0]);
    if (err != CEVM_OK) {
        return op_error(f, err);
    }
    top[0] = value;
    return OP_NEXT;
}

static inline int op_TSTORE(cevm_frame *f, cevm_u256 *top)
{
    if (f->is_static) {
        return CEVM_STATUS_STATIC_WRITE;
    }
    const cevm_err err = f->vm->host.vtable->tstore(f->vm->host.ctx, &f->address, &top[0], &top[-1]);
    return err == CEVM_OK ? OP_NEXT : op_error(f, err);
}

#endif
