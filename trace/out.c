/* SPDX-License-Identifier: Apache-2.0 */
/* The buffered writer of the tracers. */
#include "trace/out.h"

static const char digits[] = "0123456789abcdef";

static void spill(cevm_out *o)
{
    if (o->used != 0 && !o->failed && fwrite(o->data, 1, o->used, o->stream) != o->used) {
        o->failed = true;
    }
    o->used = 0;
}

bool cevm_out_flush(cevm_out *o)
{
    spill(o);
    if (!o->failed && fflush(o->stream) != 0) {
        o->failed = true;
    }
    return !o->failed;
}

/* Makes room for `size` bytes, at most CEVM_OUT_SIZE, and returns where they go; the caller adds to used. */
static char *reserve(cevm_out *o, size_t size)
{
    if (sizeof o->data - o->used < size) {
        spill(o);
    }
    return o->data + o->used;
}

void cevm_out_bytes(cevm_out *o, const char *text, size_t size)
{
    while (size != 0) {
        size_t room = sizeof o->data - o->used;
        size_t n = size < room ? size : room;
        memcpy(o->data + o->used, text, n);
        o->used += n;
        text += n;
        size -= n;
        if (size != 0) {
            spill(o);
        }
    }
}

void cevm_out_text(cevm_out *o, const char *text) { cevm_out_bytes(o, text, strlen(text)); }

void cevm_out_char(cevm_out *o, char c)
{
    *reserve(o, 1) = c;
    o->used += 1;
}

void cevm_out_fill(cevm_out *o, char c, size_t count)
{
    for (; count != 0; --count) {
        cevm_out_char(o, c);
    }
}

void cevm_out_decimal(cevm_out *o, uint64_t v)
{
    char text[20];
    size_t at = sizeof text;
    do {
        text[--at] = (char)('0' + (int)(v % 10));
        v /= 10;
    } while (v != 0);
    cevm_out_bytes(o, text + at, sizeof text - at);
}

/* Writes the digits of v without leading zeros (at least one); returns how many. */
static size_t put_digits(char *p, uint64_t v)
{
    unsigned shift = 0;
    while (shift < 60 && (v >> shift) > 15) {
        shift += 4;
    }
    size_t n = 0;
    for (;; shift -= 4) {
        p[n++] = digits[(v >> shift) & 15];
        if (shift == 0) {
            return n;
        }
    }
}

void cevm_out_quantity(cevm_out *o, uint64_t v)
{
    char *p = reserve(o, 18);
    p[0] = '0';
    p[1] = 'x';
    o->used += 2 + put_digits(p + 2, v);
}

void cevm_out_word(cevm_out *o, const cevm_u256 *v)
{
    char *p = reserve(o, 66);
    int limb = 3;
    while (limb > 0 && v->w[limb] == 0) {
        --limb;
    }
    p[0] = '0';
    p[1] = 'x';
    size_t n = 2 + put_digits(p + 2, v->w[limb]);
    while (limb-- > 0) {
        uint64_t w = v->w[limb];
        for (unsigned i = 0; i < 16; ++i) {
            p[n++] = digits[(w >> (60 - 4 * i)) & 15];
        }
    }
    o->used += n;
}

void cevm_out_hex(cevm_out *o, cevm_bytes bytes)
{
    const uint8_t *data = bytes.data;
    size_t left = bytes.size;
    while (left != 0) {
        size_t n = left < sizeof o->data / 4 ? left : sizeof o->data / 4;
        char *p = reserve(o, 2 * n);
        for (size_t i = 0; i < n; ++i) {
            p[2 * i] = digits[data[i] >> 4];
            p[2 * i + 1] = digits[data[i] & 15];
        }
        o->used += 2 * n;
        data += n;
        left -= n;
    }
}

void cevm_out_hex_zeros(cevm_out *o, size_t count)
{
    cevm_out_fill(o, '0', count);
    cevm_out_fill(o, '0', count);
}
