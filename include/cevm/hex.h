/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cevm/hex.h: hexadecimal text to bytes and back. Pure, safe on any thread.
 */
#ifndef CEVM_HEX_H
#define CEVM_HEX_H

#include <cevm/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Decodes `length` characters of hex, with or without "0x", into out (room for length/2 bytes).
 * False, with nothing promised about out, on an odd number of digits or a character that is no digit.
 */
CEVM_API bool cevm_hex_decode(uint8_t *out, size_t *out_size, const char *text, size_t length);

/** Decodes a NUL-terminated text that must give exactly `size` bytes ("0x" optional). */
CEVM_API bool cevm_hex_decode_exact(uint8_t *out, size_t size, const char *text);

/** Writes 2*size lower-case digits and a NUL, without "0x"; out has room for 2*size+1. */
CEVM_API void cevm_hex_encode(char *out, const uint8_t *data, size_t size);

/**
 * Reads a quantity: "0x" hex of any length and leading zeros ("0x", "0x0", "0x0003"), or decimal digits.
 * False when it is malformed or does not fit 256 bits.
 */
CEVM_API bool cevm_u256_from_text(cevm_u256 *out, const char *text);

/** Writes the shortest hex quantity ("0x0", "0x1f"); out has room for 67 bytes. */
CEVM_API void cevm_u256_to_hex(char *out, const cevm_u256 *value);

/** Writes decimal; out has room for 79 bytes. */
CEVM_API void cevm_u256_to_decimal(char *out, const cevm_u256 *value);

/** Writes "0x" and 40 digits, upper and lower case as EIP-55 has them; out has room for 43 bytes. */
CEVM_API void cevm_address_to_text(char *out, const cevm_address *address);

#ifdef __cplusplus
}
#endif
#endif
