/* SPDX-License-Identifier: Apache-2.0 */
/* Revert reasons in geth's words. */
#include "trace/revert_reason.h"

#include <cevm/hex.h>

#include <stdio.h>

static const uint8_t selector_error[4] = {0x08, 0xc3, 0x79, 0xa0}; /* Error(string) */
static const uint8_t selector_panic[4] = {0x4e, 0x48, 0x7b, 0x71}; /* Panic(uint256) */

/* The words go over the wire, so they are geth's and not those of trace/revert.c. */
static const struct {
    uint64_t code;
    const char *text;
} panics[] = {
    {0x00, "generic panic"},
    {0x01, "assert(false)"},
    {0x11, "arithmetic underflow or overflow"},
    {0x12, "division or modulo by zero"},
    {0x21, "enum overflow"},
    {0x22, "invalid encoded storage byte array accessed"},
    {0x31, "out-of-bounds array access; popping on an empty array"},
    {0x32, "out-of-bounds access of an array or bytesN"},
    {0x41, "out of memory"},
    {0x51, "uninitialized function"},
};

static bool read_string(cevm_bytes *text, cevm_bytes body)
{
    cevm_u256 word;
    if (body.size < 64) {
        return false;
    }
    word = cevm_u256_from_be(body.data);
    if (!cevm_u256_fits_u64(&word) || word.w[0] > body.size - 32) {
        return false;
    }
    size_t at = (size_t)word.w[0];
    word = cevm_u256_from_be(body.data + at);
    if (!cevm_u256_fits_u64(&word) || word.w[0] > body.size - 32 - at) {
        return false;
    }
    *text = (cevm_bytes){body.data + at + 32, (size_t)word.w[0]};
    return true;
}

static cevm_bytes of_text(const char *text) { return (cevm_bytes){(const uint8_t *)text, strlen(text)}; }

bool cevm_revert_reason(cevm_bytes *text, char scratch[CEVM_REVERT_REASON_SIZE], cevm_bytes data)
{
    if (data.size < 4) {
        return false;
    }
    cevm_bytes body = {data.data + 4, data.size - 4};
    if (memcmp(data.data, selector_error, 4) == 0) {
        return read_string(text, body);
    }
    if (memcmp(data.data, selector_panic, 4) != 0 || body.size < 32) {
        return false;
    }
    cevm_u256 code = cevm_u256_from_be(body.data);
    for (size_t i = 0; i < sizeof panics / sizeof panics[0] && cevm_u256_fits_u64(&code); ++i) {
        if (panics[i].code == code.w[0]) {
            *text = of_text(panics[i].text);
            return true;
        }
    }
    char hex[67];
    cevm_u256_to_hex(hex, &code);
    (void)snprintf(scratch, CEVM_REVERT_REASON_SIZE, "unknown panic code: %s", hex);
    *text = of_text(scratch);
    return true;
}
