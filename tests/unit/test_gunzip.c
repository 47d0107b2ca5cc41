/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unpacking gzip: files put together here after RFC 1951 and RFC 1952, whole, cut short, damaged, and larger than they look.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <cevm/alloc.h>

#include "rpc/gunzip.h"
#include "tests/oom/faulty.h"

/* The check value of CRC-32 in every catalogue of them. */
#define TEXT "123456789"
enum { TEXT_SIZE = 9, HEADER = 10 };
static const uint32_t text_crc = 0xcbf43926;

static void put_le(cevm_buf *out, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; ++i) {
        const uint8_t byte = (uint8_t)(value >> (8 * i));
        cevm_buf_append(out, &byte, 1);
    }
}

static void put_header(cevm_buf *out)
{
    static const uint8_t header[HEADER] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255}; /* deflate, no name, unknown system */
    cevm_buf_append(out, header, sizeof header);
}

/** The text, in one stored block. */
static void put_text(cevm_buf *out)
{
    put_header(out);
    put_le(out, 1, 1);
    put_le(out, TEXT_SIZE, 2);
    put_le(out, (uint16_t)~TEXT_SIZE, 2);
    cevm_buf_append(out, TEXT, TEXT_SIZE);
    put_le(out, text_crc, 4);
    put_le(out, TEXT_SIZE, 4);
}

static cevm_bytes bytes_of(const cevm_buf *buf) { return (cevm_bytes){buf->data, buf->size}; }

static void expect_err(cevm_bytes packed, cevm_err expected)
{
    cevm_buf out;
    cevm_buf_init(&out, NULL);
    assert_int_equal(cevm_gunzip(&out, packed, 1000), expected);
    cevm_buf_free(&out);
}

static void test_whole(void **state)
{
    cevm_buf packed;
    cevm_buf out;
    (void)state;
    cevm_buf_init(&packed, NULL);
    cevm_buf_init(&out, NULL);
    put_text(&packed);
    assert_true(cevm_is_gzip(bytes_of(&packed)));
    assert_int_equal(cevm_gunzip(&out, bytes_of(&packed), TEXT_SIZE), CEVM_OK); /* as much as is allowed */
    assert_int_equal(out.size, TEXT_SIZE);
    put_text(&packed); /* another behind it: one text; it is added to what is there */
    assert_int_equal(cevm_gunzip(&out, bytes_of(&packed), 2 * TEXT_SIZE), CEVM_OK);
    assert_int_equal(out.size, 3 * TEXT_SIZE);
    assert_memory_equal(out.data, TEXT TEXT TEXT, out.size);
    cevm_buf_free(&out);
    cevm_buf_free(&packed);
}

static void test_damaged(void **state)
{
    cevm_buf packed;
    (void)state;
    cevm_buf_init(&packed, NULL);
    put_text(&packed);
    const size_t size = packed.size;
    for (size_t cut = 0; cut < size; ++cut) {
        expect_err((cevm_bytes){packed.data, cut}, CEVM_ERR_ENCODING);
    }
    for (size_t i = HEADER + 5; i < size; ++i) { /* the text, its checksum, its length */
        packed.data[i] ^= 1;
        expect_err(bytes_of(&packed), CEVM_ERR_ENCODING);
        packed.data[i] ^= 1;
    }
    put_le(&packed, 'x', 1);
    expect_err(bytes_of(&packed), CEVM_ERR_ENCODING);
    packed.size = size;
    put_le(&packed, 0, 8); /* padding is other bytes too */
    expect_err(bytes_of(&packed), CEVM_ERR_ENCODING);
    packed.size = size;
    put_header(&packed); /* a second file that ends with its header */
    expect_err(bytes_of(&packed), CEVM_ERR_ENCODING);
    cevm_buf_free(&packed);
    expect_err((cevm_bytes){(const uint8_t *)"{}", 2}, CEVM_ERR_ENCODING);
    expect_err((cevm_bytes){NULL, 0}, CEVM_ERR_ENCODING);
}

static void test_limit(void **state)
{
    cevm_buf packed;
    cevm_buf out;
    (void)state;
    cevm_buf_init(&packed, NULL);
    cevm_buf_init(&out, NULL);
    put_text(&packed);
    assert_int_equal(cevm_gunzip(&out, bytes_of(&packed), TEXT_SIZE - 1), CEVM_ERR_LIMIT);
    put_text(&packed); /* both count */
    assert_int_equal(cevm_gunzip(&out, bytes_of(&packed), 2 * TEXT_SIZE - 1), CEVM_ERR_LIMIT);
    cevm_buf_free(&out);
    cevm_buf_free(&packed);
}

/** Bits, the first in the lowest place of a byte. */
typedef struct bits {
    cevm_buf *out;
    uint8_t byte;
    unsigned used;
} bits;

static void put_bits(bits *b, unsigned value, unsigned count)
{
    for (unsigned i = 0; i < count; ++i) {
        b->byte |= (uint8_t)((value >> i & 1) << b->used);
        if (++b->used == 8) {
            cevm_buf_append(b->out, &b->byte, 1);
            b->byte = 0;
            b->used = 0;
        }
    }
}

/** Huffman codes go in from their first bit on. */
static void put_code(bits *b, unsigned code, unsigned count)
{
    for (unsigned i = count; i > 0; --i) {
        put_bits(b, code >> (i - 1) & 1, 1);
    }
}

/** One block with the fixed codes: a zero, and `repeats` times 258 more of them, each 13 bits. */
static void put_zeros(cevm_buf *out, size_t repeats)
{
    bits b = {.out = out};
    put_header(out);
    put_bits(&b, 1, 1);
    put_bits(&b, 1, 2);
    put_code(&b, 0x30, 8);
    for (size_t i = 0; i < repeats; ++i) {
        put_code(&b, 0xc5, 8); /* 285: a length of 258 */
        put_code(&b, 0, 5);    /* a distance of 1 */
    }
    put_code(&b, 0, 7);
    put_bits(&b, 0, 7);
}

typedef struct meter {
    size_t most;
} meter;

/** Notes the largest block that is asked for. */
static void *metered_resize(void *ctx, void *ptr, size_t size)
{
    meter *m = ctx;
    m->most = size > m->most ? size : m->most;
    return cevm_default_allocator()->resize(NULL, ptr, size);
}

/* A gigabyte of zeros in 7 MB is given up at the limit, with no more memory taken than that. */
static void test_bomb(void **state)
{
    enum { REPEATS = (1 << 30) / 258, MOST = 1 << 20 };
    meter m = {0};
    const cevm_allocator allocator = {.ctx = &m, .resize = metered_resize};
    cevm_buf packed;
    cevm_buf out;
    (void)state;
    cevm_buf_init(&packed, NULL);
    put_zeros(&packed, REPEATS);
    assert_in_range(packed.size, 6 << 20, 7 << 20);
    cevm_buf_init(&out, &allocator);
    assert_int_equal(cevm_gunzip(&out, bytes_of(&packed), MOST), CEVM_ERR_LIMIT);
    assert_in_range(out.size, 1, MOST);
    assert_in_range(m.most, 1, 2 * MOST);
    cevm_buf_free(&out);
    cevm_buf_free(&packed);
}

static void test_out_of_memory(void **state)
{
    faulty f = {0};
    const cevm_allocator allocator = {.ctx = &f, .resize = faulty_resize};
    cevm_buf packed;
    cevm_err err = CEVM_ERR_NOMEM;
    (void)state;
    cevm_buf_init(&packed, NULL);
    put_text(&packed);
    for (f.fail_at = 1; err != CEVM_OK; ++f.fail_at) {
        cevm_buf out;
        f.calls = 0;
        cevm_buf_init(&out, &allocator);
        err = cevm_gunzip(&out, bytes_of(&packed), TEXT_SIZE);
        assert_int_equal(err, f.calls >= f.fail_at ? CEVM_ERR_NOMEM : CEVM_OK);
        cevm_buf_free(&out);
        assert_int_equal(f.live, 0);
    }
    assert_true(f.fail_at > 3); /* zlib's own memory, its window, the buffer */
    cevm_buf_free(&packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole), cmocka_unit_test(test_damaged),       cmocka_unit_test(test_limit),
        cmocka_unit_test(test_bomb),  cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
