/* SPDX-License-Identifier: Apache-2.0 */
/**
 * evm/ops_flow.h: bodies of the opcodes that move the program counter or end the frame. See opcodes.h for how a body is
 * called.
 */
#ifndef CEVM_EVM_OPS_FLOW_H
#define CEVM_EVM_OPS_FLOW_H

#include "evm/ops_env.h"

/**
 * Whether a jump may go to pc, which is inside the code, while f->jumpdests is NULL: OP_NEXT, BAD_JUMP, or OP_ERROR when
 * memory runs out. Sooner or later it finds all JUMPDESTs.
 */
int cevm_frame_check_jump(cevm_frame *f, size_t pc);

static inline int op_STOP(cevm_frame *f, cevm_u256 *top)
{
    (void)top;
    f->vm->output.size = 0;
    return CEVM_STATUS_STOP;
}

static inline void op_JUMPDEST(cevm_u256 *top) { (void)top; }

static inline int op_GAS(cevm_frame *f, cevm_u256 *top)
{
    top[1] = cevm_u256_from_u64((uint64_t)f->gas);
    return OP_NEXT;
}

/** Goes to a JUMPDEST, or halts. Loops pass here, so here the host's limits are looked at. */
static inline int jump_to(cevm_frame *f, const cevm_u256 *target, size_t *pc)
{
    if (!cevm_u256_fits_u64(target) || target->w[0] >= f->code_size) {
        return CEVM_STATUS_BAD_JUMP;
    }
    if (f->jumpdests == NULL) {
        const int st = cevm_frame_check_jump(f, (size_t)target->w[0]);
        if (st != OP_NEXT) {
            return st;
        }
    } else if (!jumpdest_test(f->jumpdests, target->w[0])) {
        return CEVM_STATUS_BAD_JUMP;
    }
    *pc = (size_t)target->w[0];
    return poll_limits(f);
}

static inline int op_JUMP(cevm_frame *f, cevm_u256 *top, size_t *pc) { return jump_to(f, &top[0], pc); }

static inline int op_JUMPI(cevm_frame *f, cevm_u256 *top, size_t *pc)
{
    if (cevm_u256_is_zero(&top[-1])) {
        ++*pc;
        return OP_NEXT;
    }
    return jump_to(f, &top[0], pc);
}

static inline int op_PC(cevm_frame *f, cevm_u256 *top, size_t *pc)
{
    (void)f;
    top[1] = cevm_u256_from_u64(*pc);
    ++*pc;
    return OP_NEXT;
}

/** PUSHn when push_is_ahead. Straight from the code into limbs; n is a constant where it matters. */
__attribute__((always_inline)) static inline void push_from(cevm_u256 *top, size_t n, const uint8_t *bytes)
{
    const size_t limbs = n / 8;
    const size_t rest = n % 8;
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; ++i) {
        top[1].w[i] = i < limbs ? cevm_load_be64(bytes + n - 8 * (i + 1)) : 0;
    }
    if (rest != 0) {
        top[1].w[limbs] = cevm_load_be64(bytes) >> (64 - 8 * rest);
    }
}

/** Whether so much code is left that push_from reads nothing else. */
static inline bool push_is_ahead(size_t n, size_t left) { return left >= (n < 8 ? 8 : n); }

/** PUSHn: its n bytes are at `bytes`, of which `left` are code; those behind the code are zeros. */
__attribute__((always_inline)) static inline void op_PUSH(cevm_u256 *top, size_t n, const uint8_t *bytes, size_t left)
{
    if (push_is_ahead(n, left)) {
        push_from(top, n, bytes);
        return;
    }
    uint8_t word[32] = {0};
    memcpy(word + 32 - n, bytes, left < n ? left : n);
    top[1] = cevm_u256_from_be(word);
}

/** Ends the frame with a piece of its memory as output. */
static inline int end_with_output(cevm_frame *f, cevm_u256 *top, cevm_status status)
{
    const int st = memory_expand(f, &top[0], &top[-1]);
    if (st != OP_NEXT) {
        return st;
    }
    const size_t size = (size_t)top[-1].w[0];
    if (!cevm_buffer_reserve(f->vm, &f->vm->output, size)) {
        return op_error(f, CEVM_ERR_NOMEM);
    }
    if (size != 0) {
        memcpy(f->vm->output.data, f->memory + top[0].w[0], size);
    }
    f->vm->output.size = size;
    return (int)status;
}

static inline int op_RETURN(cevm_frame *f, cevm_u256 *top) { return end_with_output(f, top, CEVM_STATUS_RETURN); }
/* EIP-140 */
static inline int op_REVERT(cevm_frame *f, cevm_u256 *top) { return end_with_output(f, top, CEVM_STATUS_REVERT); }

static inline int op_INVALID(cevm_frame *f, cevm_u256 *top)
{
    (void)f;
    (void)top;
    return CEVM_STATUS_INVALID_OPCODE;
}

/** What SELFDESTRUCT pays for an account that its balance brings to life (EIP-150, EIP-161). */
static inline int selfdestruct_charge_new(cevm_frame *f, const cevm_account_info *beneficiary)
{
    cevm_account_info self;
    if (!CEVM_HAS_EIP(f->vm->fork, 150)) {
        return OP_NEXT;
    }
    bool makes_new = !beneficiary->exists;
    if (CEVM_HAS_EIP(f->vm->fork, 161)) {
        const cevm_err err = f->vm->host.vtable->load_account(f->vm->host.ctx, &self, &f->address, false);
        if (err != CEVM_OK) {
            return op_error(f, err);
        }
        makes_new = !cevm_u256_is_zero(&self.balance) && cevm_account_info_is_empty(beneficiary);
    }
    return !makes_new || charge(f, GAS_NEW_ACCOUNT) ? OP_NEXT : CEVM_STATUS_OUT_OF_GAS;
}

/* EIP-6780 (deletion only in the transaction of creation) is the host's; here are the price and the refund. */
static inline int op_SELFDESTRUCT(cevm_frame *f, cevm_u256 *top)
{
    const cevm_fork fork = f->vm->fork;
    const cevm_host *host = &f->vm->host;
    if (f->is_static) {
        return CEVM_STATUS_STATIC_WRITE;
    }
    const cevm_address beneficiary = cevm_address_from_u256(&top[0]);
    cevm_account_info account;
    const bool has_2929 = CEVM_HAS_EIP(fork, 2929);
    f->vm->wants = CEVM_WANTS_HEIR;
    cevm_err err = host->vtable->load_account(host->ctx, &account, &beneficiary, has_2929 && f->gas < GAS_COLD_ACCOUNT);
    if (err != CEVM_OK) {
        return op_error(f, err);
    }
    /* EIP-2929: a cold beneficiary costs, a warm one nothing. */
    if (has_2929 && (account.skipped || account.cold) && !charge(f, GAS_COLD_ACCOUNT)) {
        return CEVM_STATUS_OUT_OF_GAS;
    }
    const int st = selfdestruct_charge_new(f, &account);
    if (st != OP_NEXT) {
        return st;
    }
    cevm_selfdestruct_info info;
    err = host->vtable->selfdestruct(host->ctx, &info, &f->address, &beneficiary);
    if (err != CEVM_OK) {
        return op_error(f, err);
    }
    if (info.first && !CEVM_HAS_EIP(fork, 3529)) {
        f->vm->refund += GAS_SELFDESTRUCT_REFUND;
    }
    f->vm->output.size = 0;
    return CEVM_STATUS_SELFDESTRUCT;
}

#endif
