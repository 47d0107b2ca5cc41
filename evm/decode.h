/* SPDX-License-Identifier: Apache-2.0 */
/** evm/decode.h: what the loop over the sections (decode.c) and the instructions in them (decode_op.c) share. */
#ifndef CEVM_EVM_DECODE_H
#define CEVM_EVM_DECODE_H

#include "evm/section.h"

/** Decoding of one code. */
typedef struct cevm_decoder {
    cevm_section *s;
    const uint8_t *code;
    size_t size;
    const cevm_op_info *ops;
    const uint64_t *jumpdests; /* NULL while replaying */
    size_t stop;               /* replaying: the instruction before which to stop; otherwise SIZE_MAX */
} cevm_decoder;

/** In a pc: the entry's target is still a position in the code. */
#define CEVM_NEEDS_TARGET (UINT32_C(1) << 31)

/** The kinds of THE table; 0 for a byte without a row. */
enum op_kind {
    KIND_UNDEFINED,
    KIND_UNARY,
    KIND_BINARY,
    KIND_TERNARY,
    KIND_PURE,
    KIND_READ,
    KIND_FULL,
    KIND_EDGE,
    KIND_FLOW,
    KIND_PUSH,
    KIND_DUP,
    KIND_SWAP,
    KIND_LOG
};

extern const uint8_t cevm_op_kinds[256];

/**
 * What comes before an instruction itself: the words that its entry wants in their places, room for its result. When it fails
 * and goes back to the exact engine, the stack is as it is after this.
 */
void cevm_decode_prepare(const cevm_decoder *d, uint8_t op);

/** The instruction at pc: what it does to the section, and its entry if it has one. */
void cevm_decode_op(const cevm_decoder *d, uint8_t op, size_t pc);

#endif
