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
    size_t stop; /* replaying: the instruction before which to stop; otherwise SIZE_MAX */
} cevm_decoder;

typedef struct cevm_section_end {
    size_t pc;   /* where to go on */
    bool closed; /* nothing falls through to there */
} cevm_section_end;

/** Decodes the section that begins at pc, which is inside the code. */
cevm_section_end cevm_decode_section(const cevm_decoder *d, size_t pc);

#endif
