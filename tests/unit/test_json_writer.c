/* SPDX-License-Identifier: Apache-2.0 */
/** JSON written in pieces (trace/json_writer.h). What comes out is written out by hand, and jansson must read it. */
#include "trace/json_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <jansson.h>

/* Keeps what is written, and refuses to take more than `limit`. */
typedef struct text {
    char *data;
    size_t size;
    size_t limit;
    size_t calls;
} text;

static bool take(void *ctx, const char *piece, size_t size)
{
    text *t = ctx;
    t->calls++;
    if (size > t->limit - t->size) {
        return false;
    }
    char *grown = realloc(t->data, t->size + size + 1);
    assert_non_null(grown);
    t->data = grown;
    memcpy(t->data + t->size, piece, size);
    t->size += size;
    t->data[t->size] = '\0';
    return true;
}

static cevm_json_writer writer;

static text begin(void) { return (text){.limit = SIZE_MAX}; }

static void expect(text *t, const char *json)
{
    assert_true(cevm_json_flush(&writer));
    assert_int_equal(writer.total, strlen(json));
    assert_string_equal(t->data, json);
    free(t->data);
}

static void test_structure(void **unused)
{
    text t = begin();
    (void)unused;
    cevm_json_writer_init(&writer, take, &t);
    cevm_json_begin_object(&writer);
    cevm_json_put_key(&writer, "a");
    cevm_json_put_number(&writer, 1);
    cevm_json_put_key(&writer, "b");
    cevm_json_begin_array(&writer);
    cevm_json_begin_array(&writer);
    cevm_json_end_array(&writer);
    cevm_json_put_null(&writer);
    cevm_json_put_bool(&writer, true);
    cevm_json_put_bool(&writer, false);
    cevm_json_begin_object(&writer);
    cevm_json_end_object(&writer);
    cevm_json_put_signed(&writer, -5);
    cevm_json_put_signed(&writer, 5);
    cevm_json_end_array(&writer);
    cevm_json_put_key(&writer, "c");
    cevm_json_put_raw(&writer, "[1, 2]", 6);
    cevm_json_put_key(&writer, "d");
    cevm_json_put_string(&writer, "");
    cevm_json_end_object(&writer);
    assert_int_equal(writer.depth, 0);
    expect(&t, "{\"a\":1,\"b\":[[],null,true,false,{},-5,5],\"c\":[1, 2],\"d\":\"\"}");
}

static void test_numbers(void **unused)
{
    static const cevm_u256 big = {{0x1122334455667788, 0, 0, 0x0f00000000000000}};
    static const cevm_u256 zero = {{0, 0, 0, 0}};
    static const cevm_address address = {{0xab, 1}};
    static const cevm_hash hash = {{1, [31] = 0xff}};
    text t = begin();
    (void)unused;
    cevm_json_writer_init(&writer, take, &t);
    cevm_json_begin_array(&writer);
    cevm_json_put_number(&writer, UINT64_MAX);
    cevm_json_put_signed(&writer, INT64_MIN);
    cevm_json_put_quantity(&writer, 0);
    cevm_json_put_quantity(&writer, UINT64_MAX);
    cevm_json_put_quantity256(&writer, &zero);
    cevm_json_put_quantity256(&writer, &big);
    cevm_json_put_data(&writer, (cevm_bytes){NULL, 0});
    cevm_json_put_data(&writer, (cevm_bytes){address.bytes, 2});
    cevm_json_put_address(&writer, &address);
    cevm_json_put_hash(&writer, &hash);
    cevm_json_put_word(&writer, &big);
    cevm_json_end_array(&writer);
    expect(&t, "[18446744073709551615,-9223372036854775808,\"0x0\",\"0xffffffffffffffff\",\"0x0\","
               "\"0xf000000000000000000000000000000000000000000000"
               "01122334455667788\",\"0x\",\"0xab01\","
               "\"0xab01000000000000000000000000000000000000\","
               "\"0x01000000000000000000000000000000000000000000000000000000000000ff\","
               "\"0x0f00000000000000000000000000000000000000000000001122334455667788\"]");
}

/* RFC 8259, section 7; the ill-formed sequences are of the kinds table 3-7 of the Unicode standard leaves out. */
static void test_strings(void **unused)
{
    static const struct {
        const char *in;
        const char *out;
    } cases[] = {
        {"plain /<>&'", "\"plain /<>&'\""},
        {"\"\\", "\"\\\"\\\\\""},
        {"\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""},
        {"\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\""},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
        {"a\x80z", "\"a\xef\xbf\xbdz\""},                                             /* a continuation alone */
        {"\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},                                 /* too long for "/" */
        {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},                 /* a surrogate */
        {"\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* beyond U+10FFFF */
        {"\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\""},                                 /* cut short */
        {"\xff", "\"\xef\xbf\xbd\""},
    };
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        text t = begin();
        cevm_json_writer_init(&writer, take, &t);
        cevm_json_put_string(&writer, cases[i].in);
        expect(&t, cases[i].out);
    }
    text t = begin();
    cevm_json_writer_init(&writer, take, &t);
    cevm_json_put_string_n(&writer, "a\0b", 3);
    expect(&t, "\"a\\u0000b\"");
}

/* Every byte, in strings longer than the buffer at every offset to its end, is read back by jansson. */
static void test_strings_across_the_buffer(void **unused)
{
    enum { SIZE = 3 * CEVM_JSON_BUFFER };
    char *in = malloc(SIZE);
    (void)unused;
    assert_non_null(in);
    for (size_t i = 0; i < SIZE; ++i) {
        in[i] = (char)(i % 127 + 1);
    }
    for (size_t skip = 0; skip < 130; ++skip) {
        text t = begin();
        cevm_json_writer_init(&writer, take, &t);
        cevm_json_begin_array(&writer);
        cevm_json_put_string_n(&writer, in + skip, SIZE - skip);
        cevm_json_end_array(&writer);
        assert_true(cevm_json_flush(&writer));
        json_t *read = json_loadb(t.data, t.size, 0, NULL);
        assert_non_null(read);
        const json_t *item = json_array_get(read, 0);
        assert_int_equal(json_string_length(item), SIZE - skip);
        assert_memory_equal(json_string_value(item), in + skip, SIZE - skip);
        json_decref(read);
        free(t.data);
    }
    free(in);
}

static void test_long_data(void **unused)
{
    enum { SIZE = 100000 };
    uint8_t *bytes = malloc(SIZE);
    text t = begin();
    (void)unused;
    assert_non_null(bytes);
    for (size_t i = 0; i < SIZE; ++i) {
        bytes[i] = (uint8_t)(i * 7);
    }
    cevm_json_writer_init(&writer, take, &t);
    cevm_json_put_data(&writer, (cevm_bytes){bytes, SIZE});
    assert_true(cevm_json_flush(&writer));
    assert_int_equal(t.size, 2 * SIZE + 4);
    for (size_t i = 0; i < SIZE; ++i) {
        char digits[3];
        (void)snprintf(digits, sizeof digits, "%02x", bytes[i]);
        assert_memory_equal(t.data + 3 + 2 * i, digits, 2);
    }
    free(bytes);
    free(t.data);
}

static void test_close_to(void **unused)
{
    text t = begin();
    (void)unused;
    cevm_json_writer_init(&writer, take, &t);
    cevm_json_begin_object(&writer);
    cevm_json_put_key(&writer, "result");
    cevm_json_begin_array(&writer);
    uint32_t depth = writer.depth;
    cevm_json_begin_object(&writer);
    cevm_json_put_key(&writer, "x");
    cevm_json_begin_array(&writer);
    cevm_json_put_number(&writer, 1);
    cevm_json_begin_object(&writer);
    cevm_json_put_key(&writer, "broken");
    cevm_json_close_to(&writer, depth);
    cevm_json_put_number(&writer, 2);
    cevm_json_close_to(&writer, 0);
    cevm_json_close_to(&writer, 0);
    expect(&t, "{\"result\":[{\"x\":[1,{\"broken\":null}]},2]}");
}

static void test_depth(void **unused)
{
    text t = begin();
    (void)unused;
    cevm_json_writer_init(&writer, take, &t);
    for (size_t i = 0; i < CEVM_JSON_MAX_DEPTH; ++i) {
        cevm_json_begin_array(&writer);
    }
    assert_false(writer.failed);
    cevm_json_close_to(&writer, 0);
    assert_true(cevm_json_flush(&writer));
    assert_int_equal(t.size, 2 * CEVM_JSON_MAX_DEPTH);
    free(t.data);
    t = begin();
    cevm_json_writer_init(&writer, take, &t);
    for (size_t i = 0; i < CEVM_JSON_MAX_DEPTH + 5; ++i) {
        cevm_json_begin_array(&writer);
    }
    assert_true(writer.failed);
    assert_false(cevm_json_flush(&writer));
    free(t.data);
}

/* Once a piece is refused, nothing more is handed over. */
static void test_refusal(void **unused)
{
    text t = begin();
    (void)unused;
    t.limit = 3 * (size_t)CEVM_JSON_BUFFER;
    cevm_json_writer_init(&writer, take, &t);
    cevm_json_begin_array(&writer);
    for (size_t i = 0; i < 10000; ++i) {
        cevm_json_put_string(&writer, "0123456789");
        cevm_json_put_data(&writer, (cevm_bytes){(const uint8_t *)"abc", 3});
    }
    assert_true(writer.failed);
    assert_false(cevm_json_flush(&writer));
    assert_int_equal(t.calls, 4);
    assert_int_equal(t.size, 3 * CEVM_JSON_BUFFER);
    free(t.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_structure), cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_strings),   cmocka_unit_test(test_strings_across_the_buffer),
        cmocka_unit_test(test_long_data), cmocka_unit_test(test_close_to),
        cmocka_unit_test(test_depth),     cmocka_unit_test(test_refusal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
