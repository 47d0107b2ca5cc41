/* SPDX-License-Identifier: Apache-2.0 */
/* Revert reasons in words. */
#include "trace/revert.h"

#include <cevm/hex.h>

#include <stdio.h>

#include "trace/selectors.h"

enum { SELECTOR_ERROR = 0x08c379a0, SELECTOR_PANIC = 0x4e487b71 };

/** The meaning of a Panic code (Solidity's table), or NULL when it has none. */
static const char *panic_meaning(uint64_t code)
{
    switch (code) {
    case 0x00: return "generic compiler panic";
    case 0x01: return "assertion failed";
    case 0x11: return "arithmetic overflow or underflow";
    case 0x12: return "division or modulo by zero";
    case 0x21: return "value outside of its enum";
    case 0x22: return "storage byte array badly encoded";
    case 0x31: return "pop of an empty array";
    case 0x32: return "array index out of bounds";
    case 0x41: return "too much memory allocated";
    case 0x51: return "call of an uninitialised function";
    default: return NULL;
    }
}

/* Length of the UTF-8 sequence of printable text at p, 0 when there is none. */
static size_t printable(const uint8_t *p, size_t left)
{
    if (p[0] < 0x80) {
        return p[0] >= 0x20 && p[0] != 0x7f && p[0] != '"' && p[0] != '\\' ? 1 : 0;
    }
    size_t n = p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : p[0] >= 0xe0 && p[0] < 0xf0 ? 3 : p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;
    if (n == 0 || n > left) {
        return 0;
    }
    uint32_t code = p[0] & (0xffU >> (n + 1));
    for (size_t i = 1; i < n; ++i) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
        code = (code << 6) | (p[i] & 0x3fU);
    }
    bool control = code < 0xa1; /* C1, and a blank that looks like one */
    bool overlong = (n == 3 && code < 0x800) || (n == 4 && code < 0x10000);
    bool surrogate = code >= 0xd800 && code < 0xe000;
    /* Marks that turn the direction of text could make a trace lie about what it says. */
    bool turns = (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
                 (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
    return control || overlong || surrogate || turns || code > 0x10ffff ? 0 : n;
}

void cevm_put_quoted(char *out, size_t size, const char *prefix, cevm_bytes text, const char *suffix)
{
    size_t used = (size_t)snprintf(out, size, "%s\"", prefix);
    size_t tail = strlen(suffix) + 2;
    size_t at = 0;
    while (at < text.size && used + tail + 4 < size) {
        size_t n = printable(text.data + at, text.size - at);
        if (n != 0) {
            memcpy(out + used, text.data + at, n);
            used += n;
            at += n;
        } else if (text.data[at] == '"' || text.data[at] == '\\') {
            out[used++] = '\\';
            out[used++] = (char)text.data[at++];
        } else {
            used += (size_t)snprintf(out + used, size - used, "\\x%02x", (unsigned)text.data[at++]);
        }
    }
    if (used < size) {
        (void)snprintf(out + used, size - used, "\"%s", suffix);
    }
}

bool cevm_abi_bytes(cevm_bytes *out, cevm_bytes arguments, size_t head)
{
    if (arguments.size < 64 || head > arguments.size - 32) {
        return false;
    }
    cevm_u256 offset = cevm_u256_from_be(arguments.data + head);
    if (!cevm_u256_fits_u64(&offset) || offset.w[0] > arguments.size - 32) {
        return false;
    }
    size_t at = (size_t)offset.w[0];
    cevm_u256 length = cevm_u256_from_be(arguments.data + at);
    if (!cevm_u256_fits_u64(&length) || length.w[0] > arguments.size - 32 - at) {
        return false;
    }
    *out = (cevm_bytes){arguments.data + at + 32, (size_t)length.w[0]};
    return true;
}

static void put_panic(char *out, size_t size, const cevm_u256 *code)
{
    char text[67];
    const char *meaning = cevm_u256_fits_u64(code) ? panic_meaning(code->w[0]) : NULL;
    cevm_u256_to_hex(text, code);
    (void)snprintf(out, size, meaning != NULL ? "Panic(%s): %s" : "Panic(%s)", text, meaning != NULL ? meaning : "");
}

bool cevm_revert_describe(char *out, size_t size, cevm_bytes data)
{
    if (data.size == 0) {
        (void)snprintf(out, size, "no reason given");
        return false;
    }
    if (data.size < 4) {
        (void)snprintf(out, size, "%zu byte%s, too short for an error", data.size, data.size == 1 ? "" : "s");
        return false;
    }
    uint32_t selector = (uint32_t)data.data[0] << 24 | (uint32_t)data.data[1] << 16 | (uint32_t)data.data[2] << 8 |
                        (uint32_t)data.data[3];
    cevm_bytes arguments = {data.data + 4, data.size - 4};
    cevm_bytes text;
    if (selector == SELECTOR_ERROR && cevm_abi_bytes(&text, arguments, 0)) {
        cevm_put_quoted(out, size, "Error(", text, ")");
        return true;
    }
    if (selector == SELECTOR_PANIC && arguments.size == 32) {
        cevm_u256 code = cevm_u256_from_be(arguments.data);
        put_panic(out, size, &code);
        return true;
    }
    const char *known = cevm_known_error(selector);
    if (known != NULL && selector != SELECTOR_ERROR && selector != SELECTOR_PANIC) {
        cevm_describe_call(out, size, known, arguments);
        return true;
    }
    if (arguments.size % 32 != 0) {
        (void)snprintf(out, size, "%zu bytes that are no error", data.size);
        return false;
    }
    if (arguments.size == 0) {
        (void)snprintf(out, size, "custom error 0x%08x (no arguments)", selector);
    } else {
        (void)snprintf(out, size, "custom error 0x%08x (%zu word%s of arguments)", selector, arguments.size / 32,
                       arguments.size == 32 ? "" : "s");
    }
    return true;
}
