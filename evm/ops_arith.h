/* SPDX-License-Identifier: Apache-2.0 */
/**
 * evm/ops_arith.h: bodies of the arithmetic, comparison and bit opcodes (0x01 … 0x1e). See opcodes.h for how a body is called.
 */
#ifndef CEVM_EVM_OPS_ARITH_H
#define CEVM_EVM_OPS_ARITH_H

#include "evm/frame.h"

static inline void op_ADD(cevm_u256 *top) { top[-1] = u256_add(&top[0], &top[-1]); }
static inline void op_MUL(cevm_u256 *top) { top[-1] = u256_mul(&top[0], &top[-1]); }
static inline void op_SUB(cevm_u256 *top) { top[-1] = u256_sub(&top[0], &top[-1]); }
static inline void op_DIV(cevm_u256 *top) { top[-1] = cevm_u256_div(&top[0], &top[-1]); }
static inline void op_SDIV(cevm_u256 *top) { top[-1] = cevm_u256_sdiv(&top[0], &top[-1]); }
static inline void op_MOD(cevm_u256 *top) { top[-1] = cevm_u256_mod(&top[0], &top[-1]); }
static inline void op_SMOD(cevm_u256 *top) { top[-1] = cevm_u256_smod(&top[0], &top[-1]); }
static inline void op_ADDMOD(cevm_u256 *top) { top[-2] = cevm_u256_addmod(&top[0], &top[-1], &top[-2]); }
static inline void op_MULMOD(cevm_u256 *top) { top[-2] = cevm_u256_mulmod(&top[0], &top[-1], &top[-2]); }
static inline void op_SIGNEXTEND(cevm_u256 *top) { top[-1] = u256_signextend(&top[0], &top[-1]); }

static inline int op_EXP(cevm_frame *f, cevm_u256 *top)
{
    const int64_t byte_price = CEVM_HAS_EIP(f->vm->fork, 160) ? GAS_EXP_BYTE_160 : GAS_EXP_BYTE;
    if (!charge(f, byte_price * (int64_t)u256_byte_length(&top[-1]))) {
        return CEVM_STATUS_OUT_OF_GAS;
    }
    top[-1] = cevm_u256_exp(&top[0], &top[-1]);
    return OP_NEXT;
}

static inline void op_LT(cevm_u256 *top) { top[-1] = cevm_u256_from_u64(u256_lt(&top[0], &top[-1])); }
static inline void op_GT(cevm_u256 *top) { top[-1] = cevm_u256_from_u64(u256_gt(&top[0], &top[-1])); }
static inline void op_SLT(cevm_u256 *top) { top[-1] = cevm_u256_from_u64(u256_slt(&top[0], &top[-1])); }
static inline void op_SGT(cevm_u256 *top) { top[-1] = cevm_u256_from_u64(u256_sgt(&top[0], &top[-1])); }
static inline void op_EQ(cevm_u256 *top) { top[-1] = cevm_u256_from_u64(cevm_u256_equal(&top[0], &top[-1])); }
static inline void op_ISZERO(cevm_u256 *top) { top[0] = cevm_u256_from_u64(cevm_u256_is_zero(&top[0])); }

static inline void op_AND(cevm_u256 *top) { top[-1] = u256_and(&top[0], &top[-1]); }
static inline void op_OR(cevm_u256 *top) { top[-1] = u256_or(&top[0], &top[-1]); }
static inline void op_XOR(cevm_u256 *top) { top[-1] = u256_xor(&top[0], &top[-1]); }
static inline void op_NOT(cevm_u256 *top) { top[0] = u256_not(&top[0]); }
static inline void op_BYTE(cevm_u256 *top) { top[-1] = u256_byte(&top[0], &top[-1]); }

/* EIP-145: the shift count is on top. */
static inline void op_SHL(cevm_u256 *top) { top[-1] = u256_shl(&top[-1], &top[0]); }
static inline void op_SHR(cevm_u256 *top) { top[-1] = u256_shr(&top[-1], &top[0]); }
static inline void op_SAR(cevm_u256 *top) { top[-1] = u256_sar(&top[-1], &top[0]); }

/* EIP-7939 */
static inline void op_CLZ(cevm_u256 *top) { top[0] = cevm_u256_from_u64(u256_clz(&top[0])); }

#endif
