/* SPDX-License-Identifier: Apache-2.0 */
/**
 * evm/ops_memory.h: bodies of the stack, memory, hash, copy and log opcodes. See opcodes.h for how a body is called.
 */
#ifndef CEVM_EVM_OPS_MEMORY_H
#define CEVM_EVM_OPS_MEMORY_H

#include "evm/frame.h"

#include <cevm/crypto.h>

static inline void op_POP(cevm_u256 *top) { (void)top; }
/* EIP-3855 */
static inline void op_PUSH0(cevm_u256 *top) { top[1] = cevm_u256_from_u64(0); }
static inline void op_DUP(cevm_u256 *top, int n) { top[1] = top[1 - n]; }

__attribute__((always_inline)) static inline void op_SWAP(cevm_u256 *top, int n) { u256_exchange(&top[0], &top[-n]); }

/* What MLOAD, MSTORE and MSTORE8 do when the memory is there. */
static inline void memory_get(const cevm_frame *f, cevm_u256 *out, const cevm_u256 *offset)
{
    *out = cevm_u256_from_be(f->memory + offset->w[0]);
}

static inline void memory_put(cevm_frame *f, const cevm_u256 *offset, const cevm_u256 *value)
{
    cevm_u256_to_be(f->memory + offset->w[0], value);
}

static inline void memory_put8(cevm_frame *f, const cevm_u256 *offset, const cevm_u256 *value)
{
    f->memory[offset->w[0]] = (uint8_t)value->w[0];
}

/* The whole of them, with their operands anywhere; out may be offset. */
static inline int memory_load(cevm_frame *f, cevm_u256 *out, const cevm_u256 *offset)
{
    const int st = memory_expand_fixed(f, offset, 32);
    if (st == OP_NEXT) {
        memory_get(f, out, offset);
    }
    return st;
}

static inline int memory_store(cevm_frame *f, const cevm_u256 *offset, const cevm_u256 *value)
{
    const int st = memory_expand_fixed(f, offset, 32);
    if (st == OP_NEXT) {
        memory_put(f, offset, value);
    }
    return st;
}

static inline int memory_store8(cevm_frame *f, const cevm_u256 *offset, const cevm_u256 *value)
{
    const int st = memory_expand_fixed(f, offset, 1);
    if (st == OP_NEXT) {
        memory_put8(f, offset, value);
    }
    return st;
}

static inline int op_MLOAD(cevm_frame *f, cevm_u256 *top) { return memory_load(f, &top[0], &top[0]); }
static inline int op_MSTORE(cevm_frame *f, cevm_u256 *top) { return memory_store(f, &top[0], &top[-1]); }
static inline int op_MSTORE8(cevm_frame *f, cevm_u256 *top) { return memory_store8(f, &top[0], &top[-1]); }

static inline void op_MSIZE(const cevm_frame *f, cevm_u256 *top) { top[1] = cevm_u256_from_u64(f->memory_size); }

static inline int op_KECCAK256(cevm_frame *f, cevm_u256 *top)
{
    const int st = memory_expand(f, &top[0], &top[-1]);
    if (st != OP_NEXT) {
        return st;
    }
    const uint64_t size = top[-1].w[0];
    if (!charge(f, (int64_t)gas_words(size) * GAS_KECCAK256_WORD)) {
        return CEVM_STATUS_OUT_OF_GAS;
    }
    if (size == 64) {
        top[-1] = cevm_keccak_memo_get(&f->vm->keccak_memo, f->memory + top[0].w[0]);
        return OP_NEXT;
    }
    cevm_hash h;
    cevm_keccak256(&h, size != 0 ? f->memory + top[0].w[0] : NULL, (size_t)size);
    top[-1] = cevm_u256_from_be(h.bytes);
    return OP_NEXT;
}

/** Charges for memory and words of a copy of `size` bytes to `to`. */
static inline int copy_charge(cevm_frame *f, const cevm_u256 *to, const cevm_u256 *size)
{
    const int st = memory_expand(f, to, size);
    if (st != OP_NEXT) {
        return st;
    }
    return charge(f, (int64_t)gas_words(size->w[0]) * GAS_COPY_WORD) ? OP_NEXT : CEVM_STATUS_OUT_OF_GAS;
}

/** Copies size bytes of source from `from` on into memory at `to`, zeros where the source has ended. Paid for before. */
static inline void copy_padded(cevm_frame *f, const cevm_u256 *to, cevm_bytes source, const cevm_u256 *from,
                               const cevm_u256 *size)
{
    const size_t n = (size_t)size->w[0];
    if (n == 0) {
        return;
    }
    uint8_t *out = f->memory + to->w[0];
    size_t have = 0;
    if (cevm_u256_fits_u64(from) && from->w[0] < source.size) {
        have = source.size - (size_t)from->w[0];
        have = have < n ? have : n;
        memcpy(out, source.data + from->w[0], have);
    }
    if (have != n) {
        memset(out + have, 0, n - have);
    }
}

/**
 * CALLDATACOPY and CODECOPY, with their operands anywhere. The source is read when the memory is there: making it may move
 * the caller's, in which calldata lies.
 */
static inline int copy_from(cevm_frame *f, const cevm_u256 *to, const cevm_bytes *source, const cevm_u256 *from,
                            const cevm_u256 *size)
{
    const int st = copy_charge(f, to, size);
    if (st == OP_NEXT) {
        copy_padded(f, to, *source, from, size);
    }
    return st;
}

static inline int op_CALLDATACOPY(cevm_frame *f, cevm_u256 *top)
{
    return copy_from(f, &top[0], &f->input, &top[-1], &top[-2]);
}

static inline int op_CODECOPY(cevm_frame *f, cevm_u256 *top)
{
    return copy_from(f, &top[0], &(cevm_bytes){f->code, f->code_size}, &top[-1], &top[-2]);
}

/* EIP-211: reading past the end of the return data is a halt, even for no bytes. */
static inline int op_RETURNDATACOPY(cevm_frame *f, cevm_u256 *top)
{
    const int st = copy_charge(f, &top[0], &top[-2]);
    if (st != OP_NEXT) {
        return st;
    }
    const uint64_t have = f->vm->output.size;
    if (!cevm_u256_fits_u64(&top[-1]) || !cevm_u256_fits_u64(&top[-2]) || top[-1].w[0] > have ||
        top[-2].w[0] > have - top[-1].w[0]) {
        return CEVM_STATUS_RETURN_DATA_BOUNDS;
    }
    copy_padded(f, &top[0], (cevm_bytes){f->vm->output.data, f->vm->output.size}, &top[-1], &top[-2]);
    return OP_NEXT;
}

/* EIP-5656 */
static inline int copy_inside(cevm_frame *f, const cevm_u256 *to, const cevm_u256 *from, const cevm_u256 *size)
{
    const int st = copy_charge(f, u256_gt(to, from) ? to : from, size);
    if (st == OP_NEXT && size->w[0] != 0) {
        memmove(f->memory + to->w[0], f->memory + from->w[0], (size_t)size->w[0]);
    }
    return st;
}

static inline int op_MCOPY(cevm_frame *f, cevm_u256 *top) { return copy_inside(f, &top[0], &top[-1], &top[-2]); }

static inline int op_LOG(cevm_frame *f, cevm_u256 *top, int topics)
{
    const int st = memory_expand(f, &top[0], &top[-1]);
    if (st != OP_NEXT) {
        return st;
    }
    const size_t size = (size_t)top[-1].w[0];
    if (!charge(f, (int64_t)size * GAS_LOG_BYTE)) {
        return CEVM_STATUS_OUT_OF_GAS;
    }
    if (f->is_static) {
        return CEVM_STATUS_STATIC_WRITE;
    }
    cevm_log log = {.address = f->address,
                    .topic_count = (uint32_t)topics,
                    .data = {size != 0 ? f->memory + top[0].w[0] : NULL, size}};
    for (int i = 0; i < topics; ++i) {
        cevm_u256_to_be(log.topics[i].bytes, &top[-2 - i]);
    }
    const cevm_err err = f->vm->host.vtable->log(f->vm->host.ctx, &log);
    if (err != CEVM_OK) {
        return op_error(f, err);
    }
    if (f->vm->tracer != NULL && f->vm->tracer->on_log != NULL) {
        f->vm->tracer->on_log(f->vm->tracer->ctx, &log);
    }
    return OP_NEXT;
}

#endif
