/* SPDX-License-Identifier: Apache-2.0 */
/**
 * evm/ops_call.h: bodies of the opcodes that begin another frame. They charge, fill vm->pending and return OP_CHILD; the
 * engine then calls cevm_message_begin. See opcodes.h for how a body is called.
 */
#ifndef CEVM_EVM_OPS_CALL_H
#define CEVM_EVM_OPS_CALL_H

#include "evm/ops_env.h"

/**
 * Charges for where a call's input and output lie in the caller's memory, and notes it in vm->pending. From `ranges` downwards
 * the stack has the offset and the size of the input, and then those of the output.
 */
static inline int call_memory(cevm_frame *f, const cevm_u256 *ranges)
{
    int st = memory_expand(f, &ranges[0], &ranges[-1]);
    if (st == OP_NEXT) {
        st = memory_expand(f, &ranges[-2], &ranges[-3]);
    }
    if (st != OP_NEXT) {
        return st;
    }
    cevm_pending *p = &f->vm->pending;
    const size_t size = (size_t)ranges[-1].w[0];
    p->msg.input = (cevm_bytes){size != 0 ? f->memory + ranges[0].w[0] : NULL, size};
    p->output_size = ranges[-3].w[0];
    p->output_offset = p->output_size != 0 ? ranges[-2].w[0] : 0;
    return OP_NEXT;
}

/**
 * Loads the code to run, following an EIP-7702 delegation (one step; the delegate is charged like any account access).
 * Sets pending.code, code_address and disable_precompiles.
 */
static inline int call_code(cevm_frame *f, const cevm_address *address)
{
    cevm_pending *p = &f->vm->pending;
    p->msg.code_address = *address;
    p->msg.disable_precompiles = false;
    int st = load_code(f, &p->code, address, CEVM_WANTS_CODE_TO_RUN);
    if (st != OP_NEXT || !CEVM_HAS_EIP(f->vm->fork, 7702)) {
        return st;
    }
    cevm_address delegate;
    if (!cevm_delegation_target(&delegate, p->code.bytes)) {
        return OP_NEXT;
    }
    cevm_account_info account;
    st = load_account(f, &account, &delegate, CEVM_WANTS_NOTHING);
    if (st == OP_NEXT) {
        st = load_code(f, &p->code, &delegate, CEVM_WANTS_NOTHING);
        p->msg.code_address = delegate;
        p->msg.disable_precompiles = true;
    }
    return st;
}

/** Takes the gas handed to the callee: what is asked for, at most all but one 64th of what is left (EIP-150). */
static inline int call_gas(cevm_frame *f, const cevm_u256 *wanted)
{
    int64_t gas;
    if (CEVM_HAS_EIP(f->vm->fork, 150)) {
        const int64_t most = f->gas - f->gas / 64;
        gas = cevm_u256_fits_u64(wanted) && wanted->w[0] < (uint64_t)most ? (int64_t)wanted->w[0] : most;
    } else {
        if (!cevm_u256_fits_u64(wanted) || wanted->w[0] > INT64_MAX) {
            return charge_too_much(f);
        }
        gas = (int64_t)wanted->w[0];
    }
    if (!charge(f, gas)) {
        return CEVM_STATUS_OUT_OF_GAS;
    }
    f->vm->pending.msg.gas = gas;
    return OP_NEXT;
}

/** What a call with value costs more: the transfer, and the account that it may bring to life (CALL only). */
static inline int call_value_charge(cevm_frame *f, const cevm_account_info *target, bool is_call,
                                    const cevm_u256 *value)
{
    const bool has_value = !cevm_u256_is_zero(value);
    int64_t gas = has_value ? GAS_CALL_VALUE : 0;
    if (is_call) {
        const bool makes_new =
            CEVM_HAS_EIP(f->vm->fork, 161) ? has_value && cevm_account_info_is_empty(target) : !target->exists;
        gas += makes_new ? GAS_NEW_ACCOUNT : 0;
    }
    return charge(f, gas) ? OP_NEXT : CEVM_STATUS_OUT_OF_GAS;
}

/** Whether call_value_charge has to know of the target. */
static inline cevm_wants call_wants(const cevm_frame *f, bool has_value, cevm_call_kind kind)
{
    const bool may_be_new = kind == CEVM_CALL && (has_value || !CEVM_HAS_EIP(f->vm->fork, 161));
    return may_be_new ? CEVM_WANTS_EXISTENCE : CEVM_WANTS_NOTHING;
}

/** CALL and CALLCODE. */
static inline int call_with_value(cevm_frame *f, cevm_u256 *top, cevm_call_kind kind)
{
    cevm_message *msg = &f->vm->pending.msg;
    const cevm_address target = cevm_address_from_u256(&top[-1]);
    const bool has_value = !cevm_u256_is_zero(&top[-2]);
    if (kind == CEVM_CALL && has_value && f->is_static) {
        return CEVM_STATUS_STATIC_WRITE;
    }
    cevm_account_info account;
    int st = call_memory(f, &top[-3]);
    if (st == OP_NEXT) {
        st = load_account(f, &account, &target, call_wants(f, has_value, kind));
    }
    if (st == OP_NEXT) {
        st = call_value_charge(f, &account, kind == CEVM_CALL, &top[-2]);
    }
    if (st == OP_NEXT) {
        st = call_code(f, &target);
    }
    if (st == OP_NEXT) {
        st = call_gas(f, &top[0]);
    }
    if (st != OP_NEXT) {
        return st;
    }
    msg->gas += has_value ? GAS_CALL_STIPEND : 0;
    msg->kind = kind;
    msg->is_static = f->is_static;
    msg->sender = f->address;
    msg->recipient = kind == CEVM_CALL ? target : f->address;
    msg->value = top[-2];
    return OP_CHILD;
}

static inline int op_CALL(cevm_frame *f, cevm_u256 *top) { return call_with_value(f, top, CEVM_CALL); }
static inline int op_CALLCODE(cevm_frame *f, cevm_u256 *top) { return call_with_value(f, top, CEVM_CALLCODE); }

/** DELEGATECALL and STATICCALL: the same stack, no value. */
static inline int call_without_value(cevm_frame *f, cevm_u256 *top, cevm_call_kind kind)
{
    cevm_message *msg = &f->vm->pending.msg;
    const cevm_address target = cevm_address_from_u256(&top[-1]);
    cevm_account_info account;
    int st = call_memory(f, &top[-2]);
    if (st == OP_NEXT) {
        st = load_account(f, &account, &target, CEVM_WANTS_NOTHING);
    }
    if (st == OP_NEXT) {
        st = call_code(f, &target);
    }
    if (st == OP_NEXT) {
        st = call_gas(f, &top[0]);
    }
    if (st != OP_NEXT) {
        return st;
    }
    msg->kind = kind;
    if (kind == CEVM_DELEGATECALL) {
        msg->is_static = f->is_static;
        msg->sender = f->sender;
        msg->recipient = f->address;
        msg->value = f->value;
    } else {
        msg->is_static = true;
        msg->sender = f->address;
        msg->recipient = target;
        msg->value = cevm_u256_from_u64(0);
    }
    return OP_CHILD;
}

/* EIP-7 */
static inline int op_DELEGATECALL(cevm_frame *f, cevm_u256 *top)
{
    return call_without_value(f, top, CEVM_DELEGATECALL);
}
/* EIP-214 */
static inline int op_STATICCALL(cevm_frame *f, cevm_u256 *top) { return call_without_value(f, top, CEVM_STATICCALL); }

/** CREATE and CREATE2: charges for the initcode and takes the gas of the new frame. */
static inline int create_message(cevm_frame *f, cevm_u256 *top, cevm_call_kind kind)
{
    const cevm_fork fork = f->vm->fork;
    cevm_pending *p = &f->vm->pending;
    if (f->is_static) {
        return CEVM_STATUS_STATIC_WRITE;
    }
    const int st = memory_expand(f, &top[-1], &top[-2]);
    if (st != OP_NEXT) {
        return st;
    }
    const uint64_t size = top[-2].w[0];
    if (CEVM_HAS_EIP(fork, 3860) && size > f->vm->max_initcode_size) {
        return CEVM_STATUS_INITCODE_TOO_LARGE; /* before anything is done: the nonce stays as it is */
    }
    int64_t per_word = CEVM_HAS_EIP(fork, 3860) ? GAS_INITCODE_WORD : 0;
    per_word += kind == CEVM_CREATE2 ? GAS_KECCAK256_WORD : 0;
    if (!charge(f, per_word * (int64_t)gas_words(size))) {
        return CEVM_STATUS_OUT_OF_GAS;
    }
    const int64_t gas = CEVM_HAS_EIP(fork, 150) ? f->gas - f->gas / 64 : f->gas;
    f->gas -= gas;
    p->msg = (cevm_message){.kind = kind,
                            .gas = gas,
                            .sender = f->address,
                            .value = top[0],
                            .input = {size != 0 ? f->memory + top[-1].w[0] : NULL, (size_t)size}};
    p->output_offset = 0;
    p->output_size = 0;
    return OP_CHILD;
}

static inline int op_CREATE(cevm_frame *f, cevm_u256 *top) { return create_message(f, top, CEVM_CREATE); }

/* EIP-1014 */
static inline int op_CREATE2(cevm_frame *f, cevm_u256 *top)
{
    const int st = create_message(f, top, CEVM_CREATE2);
    if (st == OP_CHILD) {
        cevm_hash salt, initcode_hash;
        f->vm->pending.salt = top[-3];
        cevm_u256_to_be(salt.bytes, &top[-3]);
        cevm_keccak256(&initcode_hash, f->vm->pending.msg.input.data, f->vm->pending.msg.input.size);
        cevm_create2_address(&f->vm->pending.msg.recipient, &f->address, &salt, &initcode_hash);
    }
    return st;
}

#endif
