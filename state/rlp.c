/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/rlp.c: recursive length prefix (Yellow Paper, appendix B): a writer over a growable buffer and a strict reader.
 *
 * Nothing recurses: lists are nested by the caller, who reads a payload with the same functions.
 */
#include "state/rlp.h"

#include <cevm/alloc.h>

enum {
    STRING_SHORT = 0x80, /* 0x80 + length, for 0 to 55 bytes */
    LIST_SHORT = 0xc0,
    LONG_OFFSET = 55, /* prefix + 55 + number of length bytes, for more */
    MAX_SHORT = 55
};

/* ---- Buffer ------------------------------------------------------------------------------------------------------ */

void cevm_buf_init(cevm_buf *buf, const cevm_allocator *allocator)
{
    memset(buf, 0, sizeof *buf);
    buf->allocator = allocator;
}

void cevm_buf_free(cevm_buf *buf)
{
    cevm_free(buf->allocator, buf->data);
    cevm_buf_init(buf, buf->allocator);
}

void cevm_buf_clear(cevm_buf *buf)
{
    buf->size = 0;
    buf->failed = false;
}

/** Makes room for `extra` more bytes; on failure sets `failed` and answers false. */
static bool make_room(cevm_buf *buf, size_t extra)
{
    if (buf->failed) {
        return false;
    }
    if (extra <= buf->capacity - buf->size) {
        return true;
    }
    size_t capacity = buf->capacity != 0 ? buf->capacity : 64;
    while (capacity - buf->size < extra) {
        if (capacity > SIZE_MAX / 2) {
            buf->failed = true;
            return false;
        }
        capacity *= 2;
    }
    uint8_t *data = cevm_resize(buf->allocator, buf->data, capacity);
    if (data == NULL) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

void cevm_buf_append(cevm_buf *buf, const void *data, size_t size)
{
    if (size != 0 && make_room(buf, size)) {
        memcpy(buf->data + buf->size, data, size);
        buf->size += size;
    }
}

/* ---- Writer ------------------------------------------------------------------------------------------------------ */

/** Writes the prefix of a payload of `size` bytes; returns its length (at most 9). */
static size_t make_prefix(uint8_t prefix[9], uint8_t base, size_t size)
{
    if (size <= MAX_SHORT) {
        prefix[0] = (uint8_t)(base + size);
        return 1;
    }
    uint8_t wide[8];
    size_t zeros = 0;
    cevm_store_be64(wide, size);
    while (wide[zeros] == 0) {
        ++zeros;
    }
    prefix[0] = (uint8_t)(base + LONG_OFFSET + (8 - zeros));
    memcpy(prefix + 1, wide + zeros, 8 - zeros);
    return 9 - zeros;
}

void cevm_rlp_put_bytes(cevm_buf *buf, const void *data, size_t size)
{
    if (size != 1 || ((const uint8_t *)data)[0] >= STRING_SHORT) {
        uint8_t prefix[9];
        cevm_buf_append(buf, prefix, make_prefix(prefix, STRING_SHORT, size));
    }
    cevm_buf_append(buf, data, size);
}

/** A number is the string of its big-endian bytes without leading zeros. */
static void put_number(cevm_buf *buf, const uint8_t *bytes, size_t size)
{
    while (size != 0 && *bytes == 0) {
        ++bytes;
        --size;
    }
    cevm_rlp_put_bytes(buf, bytes, size);
}

void cevm_rlp_put_u64(cevm_buf *buf, uint64_t value)
{
    uint8_t bytes[8];
    cevm_store_be64(bytes, value);
    put_number(buf, bytes, sizeof bytes);
}

void cevm_rlp_put_u256(cevm_buf *buf, const cevm_u256 *value)
{
    uint8_t bytes[32];
    cevm_u256_to_be(bytes, value);
    put_number(buf, bytes, sizeof bytes);
}

void cevm_rlp_put_address(cevm_buf *buf, const cevm_address *address)
{
    cevm_rlp_put_bytes(buf, address->bytes, sizeof address->bytes);
}

void cevm_rlp_put_hash(cevm_buf *buf, const cevm_hash *hash)
{
    cevm_rlp_put_bytes(buf, hash->bytes, sizeof hash->bytes);
}

size_t cevm_rlp_list_begin(cevm_buf *buf)
{
    /* One byte is kept for the prefix: only a list of more than 55 bytes has to be moved when it ends. */
    size_t mark = buf->size;
    cevm_buf_append(buf, "", 1);
    return mark;
}

void cevm_rlp_list_end(cevm_buf *buf, size_t mark)
{
    uint8_t prefix[9];
    if (buf->failed) {
        return;
    }
    size_t payload = buf->size - mark - 1;
    size_t length = make_prefix(prefix, LIST_SHORT, payload);
    if (length > 1) {
        if (!make_room(buf, length - 1)) {
            return;
        }
        memmove(buf->data + mark + length, buf->data + mark + 1, payload);
        buf->size += length - 1;
    }
    memcpy(buf->data + mark, prefix, length);
}

/* ---- Reader ------------------------------------------------------------------------------------------------------ */

/** Reads a length of `count` bytes (1 to 8) after the prefix byte; false when it is not the shortest form. */
static bool read_long_length(uint64_t *out, cevm_bytes in, size_t count)
{
    uint64_t length = 0;
    if (in.size - 1 < count || in.data[1] == 0) {
        return false;
    }
    for (size_t i = 0; i < count; ++i) {
        length = length << 8 | in.data[1 + i];
    }
    *out = length;
    return length > MAX_SHORT;
}

bool cevm_rlp_next(cevm_bytes *cursor, cevm_rlp_item *out)
{
    const cevm_bytes in = *cursor;
    if (in.size == 0) {
        return false;
    }
    uint8_t first = in.data[0];
    size_t header = 1;
    uint64_t length = 0;
    bool is_list = first >= LIST_SHORT;
    uint8_t base = is_list ? LIST_SHORT : STRING_SHORT;
    if (first < STRING_SHORT) {
        header = 0;
        length = 1;
    } else if (first <= base + MAX_SHORT) {
        length = (uint64_t)(first - base);
    } else {
        size_t count = (size_t)(first - base - LONG_OFFSET);
        if (!read_long_length(&length, in, count)) {
            return false;
        }
        header += count;
    }
    if (length > in.size - header) {
        return false;
    }
    /* A single byte below 0x80 is its own encoding. */
    if (header == 1 && !is_list && length == 1 && in.data[1] < STRING_SHORT) {
        return false;
    }
    size_t size = (size_t)length;
    out->is_list = is_list;
    out->payload = (cevm_bytes){in.data + header, size};
    out->whole = (cevm_bytes){in.data, header + size};
    *cursor = (cevm_bytes){in.data + header + size, in.size - header - size};
    return true;
}

static bool next_of_kind(cevm_bytes *cursor, cevm_bytes *payload, bool is_list)
{
    cevm_bytes rest = *cursor;
    cevm_rlp_item item;
    if (!cevm_rlp_next(&rest, &item) || item.is_list != is_list) {
        return false;
    }
    *payload = item.payload;
    *cursor = rest;
    return true;
}

bool cevm_rlp_next_list(cevm_bytes *cursor, cevm_bytes *payload) { return next_of_kind(cursor, payload, true); }

bool cevm_rlp_next_string(cevm_bytes *cursor, cevm_bytes *payload) { return next_of_kind(cursor, payload, false); }

/** Takes a number of at most `width` bytes, right-aligned into out; the cursor moves only when it is one. */
static cevm_rlp_number next_number(cevm_bytes *cursor, uint8_t *out, size_t width)
{
    cevm_bytes rest = *cursor;
    cevm_bytes bytes;
    if (!cevm_rlp_next_string(&rest, &bytes)) {
        return CEVM_RLP_NUMBER_NOT_STRING;
    }
    if (bytes.size != 0 && bytes.data[0] == 0) {
        return CEVM_RLP_NUMBER_LEADING_ZERO;
    }
    if (bytes.size > width) {
        return CEVM_RLP_NUMBER_TOO_WIDE;
    }
    memset(out, 0, width);
    if (bytes.size != 0) {
        memcpy(out + (width - bytes.size), bytes.data, bytes.size);
    }
    *cursor = rest;
    return CEVM_RLP_NUMBER_OK;
}

cevm_rlp_number cevm_rlp_next_u64(cevm_bytes *cursor, uint64_t *out)
{
    uint8_t bytes[8];
    cevm_rlp_number result = next_number(cursor, bytes, sizeof bytes);
    if (result == CEVM_RLP_NUMBER_OK) {
        *out = cevm_load_be64(bytes);
    }
    return result;
}

cevm_rlp_number cevm_rlp_next_u256(cevm_bytes *cursor, cevm_u256 *out)
{
    uint8_t bytes[32];
    cevm_rlp_number result = next_number(cursor, bytes, sizeof bytes);
    if (result == CEVM_RLP_NUMBER_OK) {
        *out = cevm_u256_from_be(bytes);
    }
    return result;
}

bool cevm_rlp_next_exact(cevm_bytes *cursor, uint8_t *out, size_t size)
{
    cevm_bytes rest = *cursor;
    cevm_bytes bytes;
    if (!cevm_rlp_next_string(&rest, &bytes) || bytes.size != size) {
        return false;
    }
    if (size != 0) {
        memcpy(out, bytes.data, size);
    }
    *cursor = rest;
    return true;
}

bool cevm_rlp_count(size_t *out, cevm_bytes payload)
{
    size_t count = 0;
    cevm_rlp_item item;
    while (payload.size != 0) {
        if (!cevm_rlp_next(&payload, &item)) {
            return false;
        }
        ++count;
    }
    *out = count;
    return true;
}
