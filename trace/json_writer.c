/* SPDX-License-Identifier: Apache-2.0 */
/* JSON to a sink, piece by piece. */
#include "trace/json_writer.h"

#include <cevm/hex.h>

static const char digits[] = "0123456789abcdef";

void cevm_json_writer_init(cevm_json_writer *w, cevm_json_sink sink, void *ctx)
{
    w->sink = sink;
    w->ctx = ctx;
    w->failed = false;
    w->has_key = false;
    w->depth = 0;
    w->total = 0;
    w->used = 0;
    memset(w->filled, 0, sizeof w->filled);
    memset(w->objects, 0, sizeof w->objects);
}

bool cevm_json_flush(cevm_json_writer *w)
{
    if (w->used != 0 && !w->failed && !w->sink(w->ctx, w->data, w->used)) {
        w->failed = true;
    }
    w->used = 0;
    return !w->failed;
}

/* Makes room for `size` bytes, at most CEVM_JSON_BUFFER, and returns where they go; `advance` says how many they were. */
static char *reserve(cevm_json_writer *w, size_t size)
{
    if (sizeof w->data - w->used < size) {
        (void)cevm_json_flush(w);
    }
    return w->data + w->used;
}

static void advance(cevm_json_writer *w, size_t size)
{
    w->used += size;
    w->total += size;
}

static void put(cevm_json_writer *w, const char *text, size_t size)
{
    while (size != 0) {
        size_t room = sizeof w->data - w->used;
        size_t n = size < room ? size : room;
        memcpy(w->data + w->used, text, n);
        advance(w, n);
        text += n;
        size -= n;
        if (size != 0 && !cevm_json_flush(w)) {
            return;
        }
    }
}

static void put_char(cevm_json_writer *w, char c)
{
    *reserve(w, 1) = c;
    advance(w, 1);
}

static bool get_bit(const uint64_t *bits, uint32_t i) { return (bits[i / 64] >> (i % 64) & 1) != 0; }

static void set_bit(uint64_t *bits, uint32_t i, bool on)
{
    uint64_t mask = (uint64_t)1 << (i % 64);
    bits[i / 64] = on ? bits[i / 64] | mask : bits[i / 64] & ~mask;
}

/* What stands before a member or an item of what is open: a comma, but before the first. */
static void separate(cevm_json_writer *w)
{
    if (w->depth == 0) {
        return;
    }
    if (get_bit(w->filled, w->depth - 1)) {
        put_char(w, ',');
    }
    set_bit(w->filled, w->depth - 1, true);
}

/* Goes before every value: one that follows its key has had its comma. */
static void begin_value(cevm_json_writer *w)
{
    if (w->has_key) {
        w->has_key = false;
    } else {
        separate(w);
    }
}

static void open_level(cevm_json_writer *w, bool object)
{
    begin_value(w);
    if (w->depth >= CEVM_JSON_MAX_DEPTH) {
        w->failed = true;
        return;
    }
    set_bit(w->filled, w->depth, false);
    set_bit(w->objects, w->depth, object);
    w->depth++;
    put_char(w, object ? '{' : '[');
}

/* Closes the innermost level, as what it was opened as; a key without a value gets null. */
static void close_level(cevm_json_writer *w)
{
    if (w->depth == 0) {
        return;
    }
    if (w->has_key) {
        cevm_json_put_null(w);
    }
    w->depth--;
    put_char(w, get_bit(w->objects, w->depth) ? '}' : ']');
}

void cevm_json_begin_object(cevm_json_writer *w) { open_level(w, true); }

void cevm_json_end_object(cevm_json_writer *w) { close_level(w); }

void cevm_json_begin_array(cevm_json_writer *w) { open_level(w, false); }

void cevm_json_end_array(cevm_json_writer *w) { close_level(w); }

void cevm_json_close_to(cevm_json_writer *w, uint32_t depth)
{
    while (w->depth > depth) {
        close_level(w);
    }
}

void cevm_json_put_key(cevm_json_writer *w, const char *name)
{
    separate(w);
    put_char(w, '"');
    put(w, name, strlen(name));
    put(w, "\":", 2);
    w->has_key = true;
}

void cevm_json_put_null(cevm_json_writer *w)
{
    begin_value(w);
    put(w, "null", 4);
}

void cevm_json_put_bool(cevm_json_writer *w, bool value)
{
    begin_value(w);
    put(w, value ? "true" : "false", value ? 4 : 5);
}

void cevm_json_put_number(cevm_json_writer *w, uint64_t value)
{
    char text[20];
    size_t at = sizeof text;
    begin_value(w);
    do {
        text[--at] = (char)('0' + (int)(value % 10));
        value /= 10;
    } while (value != 0);
    put(w, text + at, sizeof text - at);
}

void cevm_json_put_signed(cevm_json_writer *w, int64_t value)
{
    if (value >= 0) {
        cevm_json_put_number(w, (uint64_t)value);
        return;
    }
    begin_value(w);
    put_char(w, '-');
    w->has_key = true; /* the digits are no second value */
    cevm_json_put_number(w, 0 - (uint64_t)value);
}

/*
 * Bytes of the UTF-8 character at the start of text (size > 0), or 0 when there is none: cut short, too long for its
 * value, a surrogate, or beyond U+10FFFF.
 */
static size_t utf8_length(const unsigned char *text, size_t size)
{
    unsigned char c = text[0];
    size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
    if (n > size) {
        return 0;
    }
    for (size_t i = 1; i < n; ++i) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    if ((c == 0xe0 && text[1] < 0xa0) || (c == 0xed && text[1] > 0x9f) || (c == 0xf0 && text[1] < 0x90) ||
        (c == 0xf4 && text[1] > 0x8f)) {
        return 0;
    }
    return n;
}

static void put_escaped(cevm_json_writer *w, unsigned char c)
{
    static const char *const names[] = {['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\f'] = "\\f", ['\r'] = "\\r"};
    if (c < sizeof names / sizeof names[0] && names[c] != NULL) {
        put(w, names[c], 2);
    } else if (c < 0x20 || c == 0x7f) {
        char *p = reserve(w, 6);
        memcpy(p, "\\u00", 4);
        p[4] = digits[c >> 4];
        p[5] = digits[c & 15];
        advance(w, 6);
    } else {
        char pair[2] = {'\\', (char)c};
        put(w, pair, 2);
    }
}

static bool is_plain(unsigned char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

void cevm_json_put_string_n(cevm_json_writer *w, const char *text, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)text;
    begin_value(w);
    put_char(w, '"');
    for (size_t i = 0; i < size && !w->failed;) {
        size_t run = 0;
        while (i + run < size && is_plain(bytes[i + run])) {
            ++run;
        }
        put(w, text + i, run);
        i += run;
        if (i == size) {
            break;
        }
        size_t n = utf8_length(bytes + i, size - i);
        if (n == 0) {
            put(w, "\xef\xbf\xbd", 3);
            i += 1;
        } else if (n == 1) {
            put_escaped(w, bytes[i]);
            i += 1;
        } else {
            put(w, text + i, n);
            i += n;
        }
    }
    put_char(w, '"');
}

void cevm_json_put_string(cevm_json_writer *w, const char *text) { cevm_json_put_string_n(w, text, strlen(text)); }

void cevm_json_put_quantity(cevm_json_writer *w, uint64_t value)
{
    cevm_u256 wide = cevm_u256_from_u64(value);
    cevm_json_put_quantity256(w, &wide);
}

void cevm_json_put_quantity256(cevm_json_writer *w, const cevm_u256 *value)
{
    char text[67];
    begin_value(w);
    cevm_u256_to_hex(text, value);
    put_char(w, '"');
    put(w, text, strlen(text));
    put_char(w, '"');
}

void cevm_json_put_data(cevm_json_writer *w, cevm_bytes bytes)
{
    const uint8_t *data = bytes.data;
    size_t left = bytes.size;
    begin_value(w);
    put(w, "\"0x", 3);
    while (left != 0 && !w->failed) {
        size_t n = left < sizeof w->data / 4 ? left : sizeof w->data / 4;
        char *p = reserve(w, 2 * n);
        for (size_t i = 0; i < n; ++i) {
            p[2 * i] = digits[data[i] >> 4];
            p[2 * i + 1] = digits[data[i] & 15];
        }
        advance(w, 2 * n);
        data += n;
        left -= n;
    }
    put_char(w, '"');
}

void cevm_json_put_hash(cevm_json_writer *w, const cevm_hash *hash)
{
    cevm_json_put_data(w, (cevm_bytes){hash->bytes, sizeof hash->bytes});
}

void cevm_json_put_word(cevm_json_writer *w, const cevm_u256 *value)
{
    uint8_t bytes[32];
    cevm_u256_to_be(bytes, value);
    cevm_json_put_data(w, (cevm_bytes){bytes, sizeof bytes});
}

void cevm_json_put_address(cevm_json_writer *w, const cevm_address *address)
{
    cevm_json_put_data(w, (cevm_bytes){address->bytes, sizeof address->bytes});
}

void cevm_json_put_raw(cevm_json_writer *w, const char *json, size_t size)
{
    begin_value(w);
    put(w, json, size);
}
