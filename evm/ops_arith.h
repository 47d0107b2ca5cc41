/* SPDX-License-Identifier: Apache-2.0 */
/**
 * evm/ops_arith.h: bodies of the arithmetic, comparison and bit opcodes (0x01 … 0x1e). See opcodes.h for how a body is called.
 */
#ifndef CEVM_EVM_OPS_ARITH_H
#define CEVM_EVM_OPS_ARITH_H

#include "evm/frame.h"

static inline cevm_u256 op_ADD(const cevm_u256 *a, const cevm_u256 *b) { return u256_add(a, b); }
static inline cevm_u256 op_MUL(const cevm_u256 *a, const cevm_u256 *b) { return u256_mul(a, b); }
static inline cevm_u256 op_SUB(const cevm_u256 *a, const cevm_u256 *b) { return u256_sub(a, b); }
static inline cevm_u256 op_DIV(const cevm_u256 *a, const cevm_u256 *b) { return cevm_u256_div(a, b); }
static inline cevm_u256 op_SDIV(const cevm_u256 *a, const cevm_u256 *b) { return cevm_u256_sdiv(a, b); }
static inline cevm_u256 op_MOD(const cevm_u256 *a, const cevm_u256 *b) { return cevm_u256_mod(a, b); }
static inline cevm_u256 op_SMOD(const cevm_u256 *a, const cevm_u256 *b) { return cevm_u256_smod(a, b); }
static inline cevm_u256 op_SIGNEXTEND(const cevm_u256 *a, const cevm_u256 *b) { return u256_signextend(a, b); }

static inline cevm_u256 op_ADDMOD(cevm_frame *f, const cevm_u256 *a, const cevm_u256 *b, const cevm_u256 *m)
{
    (void)f;
    return cevm_u256_addmod(a, b, m);
}

static inline cevm_u256 op_MULMOD(cevm_frame *f, const cevm_u256 *a, const cevm_u256 *b, const cevm_u256 *m)
{
    return cevm_u256_mulmod_with(&f->vm->modulus, a, b, m);
}

static inline int op_EXP(cevm_frame *f, cevm_u256 *top)
{
    const int64_t byte_price = CEVM_HAS_EIP(f->vm->fork, 160) ? GAS_EXP_BYTE_160 : GAS_EXP_BYTE;
    if (!charge(f, byte_price * (int64_t)u256_byte_length(&top[-1]))) {
        return CEVM_STATUS_OUT_OF_GAS;
    }
    top[-1] = cevm_u256_exp(&top[0], &top[-1]);
    return OP_NEXT;
}

static inline cevm_u256 op_LT(const cevm_u256 *a, const cevm_u256 *b) { return cevm_u256_from_u64(u256_lt(a, b)); }
static inline cevm_u256 op_GT(const cevm_u256 *a, const cevm_u256 *b) { return cevm_u256_from_u64(u256_gt(a, b)); }
static inline cevm_u256 op_SLT(const cevm_u256 *a, const cevm_u256 *b) { return cevm_u256_from_u64(u256_slt(a, b)); }
static inline cevm_u256 op_SGT(const cevm_u256 *a, const cevm_u256 *b) { return cevm_u256_from_u64(u256_sgt(a, b)); }
static inline cevm_u256 op_EQ(const cevm_u256 *a, const cevm_u256 *b)
{
    return cevm_u256_from_u64(cevm_u256_equal(a, b));
}
static inline cevm_u256 op_ISZERO(const cevm_u256 *a) { return cevm_u256_from_u64(cevm_u256_is_zero(a)); }

static inline cevm_u256 op_AND(const cevm_u256 *a, const cevm_u256 *b) { return u256_and(a, b); }
static inline cevm_u256 op_OR(const cevm_u256 *a, const cevm_u256 *b) { return u256_or(a, b); }
static inline cevm_u256 op_XOR(const cevm_u256 *a, const cevm_u256 *b) { return u256_xor(a, b); }
static inline cevm_u256 op_NOT(const cevm_u256 *a) { return u256_not(a); }
static inline cevm_u256 op_BYTE(const cevm_u256 *a, const cevm_u256 *b) { return u256_byte(a, b); }

/* EIP-145: the shift count is on top. */
static inline cevm_u256 op_SHL(const cevm_u256 *a, const cevm_u256 *b) { return u256_shl(b, a); }
static inline cevm_u256 op_SHR(const cevm_u256 *a, const cevm_u256 *b) { return u256_shr(b, a); }
static inline cevm_u256 op_SAR(const cevm_u256 *a, const cevm_u256 *b) { return u256_sar(b, a); }

/* EIP-7939 */
static inline cevm_u256 op_CLZ(const cevm_u256 *a) { return cevm_u256_from_u64(u256_clz(a)); }

#endif
