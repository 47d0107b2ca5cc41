/* SPDX-License-Identifier: Apache-2.0 */
/**
 * trace/out.h: a buffer in front of a FILE with the few formats traces need. It exists because a trace writes some twenty
 * fields an instruction, and printf for each of them would cost more than executing it.
 */
#ifndef CEVM_TRACE_OUT_H
#define CEVM_TRACE_OUT_H

#include <cevm/types.h>

#include <stdio.h>

enum { CEVM_OUT_SIZE = 16384 };

typedef struct cevm_out {
    FILE *stream;
    bool failed; /* a write failed; everything after it is dropped */
    size_t used;
    char data[CEVM_OUT_SIZE];
} cevm_out;

/** Hands the buffered text to the stream, and the stream's to the system. False when a write has failed. */
bool cevm_out_flush(cevm_out *o);
void cevm_out_bytes(cevm_out *o, const char *text, size_t size);
void cevm_out_text(cevm_out *o, const char *text);
void cevm_out_char(cevm_out *o, char c);
/** `count` times c. */
void cevm_out_fill(cevm_out *o, char c, size_t count);
void cevm_out_decimal(cevm_out *o, uint64_t v);
/** "0x1f", without leading zeros. */
void cevm_out_quantity(cevm_out *o, uint64_t v);
void cevm_out_word(cevm_out *o, const cevm_u256 *v);
/** Two digits a byte, without "0x". */
void cevm_out_hex(cevm_out *o, cevm_bytes bytes);
/** `count` zero bytes as hex. */
void cevm_out_hex_zeros(cevm_out *o, size_t count);

#endif
