/* SPDX-License-Identifier: Apache-2.0 */
/** RLP (state/rlp.h): the examples of the Yellow Paper and the official RLPTests. */
#include "state/rlp.h"

#include <cevm/hex.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/vector_file.h"

static void check_buf(cevm_buf *buf, const char *hex)
{
    uint8_t expected[128];
    size_t size;
    assert_true(cevm_hex_decode(expected, &size, hex, strlen(hex)));
    assert_false(buf->failed);
    assert_int_equal(buf->size, size);
    assert_memory_equal(buf->data, expected, size);
    cevm_buf_clear(buf);
}

static void test_write(void **unused)
{
    cevm_buf buf;
    (void)unused;
    cevm_buf_init(&buf, NULL);
    cevm_rlp_put_bytes(&buf, "dog", 3);
    check_buf(&buf, "83646f67");
    cevm_rlp_put_bytes(&buf, NULL, 0);
    check_buf(&buf, "80");
    cevm_rlp_put_bytes(&buf, "\x7f", 1);
    check_buf(&buf, "7f");
    cevm_rlp_put_bytes(&buf, "\x80", 1);
    check_buf(&buf, "8180");
    cevm_rlp_put_u64(&buf, 0);
    check_buf(&buf, "80");
    cevm_rlp_put_u64(&buf, 1024);
    check_buf(&buf, "820400");
    cevm_rlp_put_u64(&buf, UINT64_MAX);
    check_buf(&buf, "88ffffffffffffffff");
    const cevm_u256 wide = {{0, 0, 1, 0}};
    cevm_rlp_put_u256(&buf, &wide);
    check_buf(&buf, "910100000000000000000000000000000000");
    const cevm_address address = {{1, 2, 3}};
    cevm_rlp_put_address(&buf, &address);
    check_buf(&buf, "940102030000000000000000000000000000000000");
    const cevm_hash hash = {{0xff}};
    cevm_rlp_put_hash(&buf, &hash);
    check_buf(&buf, "a0ff00000000000000000000000000000000000000000000000000000000000000");
    cevm_buf_free(&buf);
}

static void test_write_lists(void **unused)
{
    cevm_buf buf;
    (void)unused;
    cevm_buf_init(&buf, NULL);
    /* The set theoretical representation of three: [ [], [[]], [ [], [[]] ] ] */
    size_t three = cevm_rlp_list_begin(&buf);
    cevm_rlp_list_end(&buf, cevm_rlp_list_begin(&buf));
    size_t one = cevm_rlp_list_begin(&buf);
    cevm_rlp_list_end(&buf, cevm_rlp_list_begin(&buf));
    cevm_rlp_list_end(&buf, one);
    size_t two = cevm_rlp_list_begin(&buf);
    cevm_rlp_list_end(&buf, cevm_rlp_list_begin(&buf));
    one = cevm_rlp_list_begin(&buf);
    cevm_rlp_list_end(&buf, cevm_rlp_list_begin(&buf));
    cevm_rlp_list_end(&buf, one);
    cevm_rlp_list_end(&buf, two);
    cevm_rlp_list_end(&buf, three);
    check_buf(&buf, "c7c0c1c0c3c0c1c0");

    /* 55 and 56 bytes of payload: the last short and the first long prefix. */
    for (size_t payload = 55; payload <= 56; ++payload) {
        size_t list = cevm_rlp_list_begin(&buf);
        for (size_t i = 0; i < payload; ++i) {
            cevm_rlp_put_u64(&buf, 1);
        }
        cevm_rlp_list_end(&buf, list);
        const size_t header = payload == 55 ? 1 : 2;
        assert_int_equal(buf.size, payload + header);
        assert_int_equal(buf.data[0], payload == 55 ? 0xf7 : 0xf8);
        assert_int_equal(buf.data[header - 1], payload == 55 ? 0xf7 : 56);
        assert_int_equal(buf.data[buf.size - 1], 1);
        cevm_buf_clear(&buf);
    }
    cevm_buf_free(&buf);
}

static cevm_rlp_number read_u64(const char *hex, uint64_t *out)
{
    uint8_t bytes[64];
    size_t size;
    assert_true(cevm_hex_decode(bytes, &size, hex, strlen(hex)));
    cevm_bytes cursor = {bytes, size};
    cevm_rlp_number result = cevm_rlp_next_u64(&cursor, out);
    assert_int_equal(cursor.size, result == CEVM_RLP_NUMBER_OK ? 0 : size);
    return result;
}

static void test_numbers(void **unused)
{
    uint64_t value = 77;
    (void)unused;
    assert_int_equal(read_u64("00", &value), CEVM_RLP_NUMBER_LEADING_ZERO);
    assert_int_equal(read_u64("820001", &value), CEVM_RLP_NUMBER_LEADING_ZERO);
    assert_int_equal(read_u64("89010000000000000000", &value), CEVM_RLP_NUMBER_TOO_WIDE);
    assert_int_equal(read_u64("c0", &value), CEVM_RLP_NUMBER_NOT_STRING);
    assert_int_equal(read_u64("", &value), CEVM_RLP_NUMBER_NOT_STRING);
    assert_int_equal(read_u64("8101", &value), CEVM_RLP_NUMBER_NOT_STRING);
    assert_int_equal(value, 77);
    assert_int_equal(read_u64("80", &value), CEVM_RLP_NUMBER_OK);
    assert_int_equal(value, 0);
    assert_int_equal(read_u64("88ffffffffffffffff", &value), CEVM_RLP_NUMBER_OK);
    assert_true(value == UINT64_MAX);

    uint8_t wide[34] = {0xa0, 0xff};
    cevm_u256 number;
    cevm_bytes cursor = {wide, 33};
    assert_int_equal(cevm_rlp_next_u256(&cursor, &number), CEVM_RLP_NUMBER_OK);
    assert_true(number.w[3] == UINT64_C(0xff00000000000000) && number.w[0] == 0);
    wide[0] = 0xa1;
    cursor = (cevm_bytes){wide, 34};
    assert_int_equal(cevm_rlp_next_u256(&cursor, &number), CEVM_RLP_NUMBER_TOO_WIDE);
}

static void test_read(void **unused)
{
    const uint8_t list[] = {0xc8, 0x83, 'c', 'a', 't', 0x83, 'd', 'o', 'g', 0x05};
    cevm_bytes cursor = {list, sizeof list};
    cevm_bytes payload;
    cevm_bytes string;
    size_t count;
    uint8_t exact[3];
    (void)unused;
    assert_false(cevm_rlp_next_string(&cursor, &string));
    assert_int_equal(cursor.size, sizeof list);
    assert_true(cevm_rlp_next_list(&cursor, &payload));
    assert_int_equal(cursor.size, 1);
    assert_true(cevm_rlp_count(&count, payload));
    assert_int_equal(count, 2);
    assert_false(cevm_rlp_next_list(&payload, &string));
    assert_false(cevm_rlp_next_exact(&payload, exact, 2));
    assert_true(cevm_rlp_next_exact(&payload, exact, 3));
    assert_memory_equal(exact, "cat", 3);
    assert_true(cevm_rlp_next_string(&payload, &string));
    assert_int_equal(string.size, 3);
    assert_memory_equal(string.data, "dog", 3);
    assert_false(cevm_rlp_next_string(&payload, &string));
    assert_false(cevm_rlp_count(&count, (cevm_bytes){list, 3}));
}

/** Every prefix of an encoding is refused, and nothing past its end is read. */
static void test_truncated(void **unused)
{
    uint8_t text[300];
    cevm_buf buf;
    (void)unused;
    memset(text, 'x', sizeof text);
    cevm_buf_init(&buf, NULL);
    size_t list = cevm_rlp_list_begin(&buf);
    cevm_rlp_put_bytes(&buf, text, sizeof text);
    cevm_rlp_list_end(&buf, list);
    for (size_t size = 0; size < buf.size; ++size) {
        uint8_t *copy = malloc(size + 1);
        assert_non_null(copy);
        memcpy(copy, buf.data, size);
        cevm_bytes cursor = {copy, size};
        cevm_rlp_item item;
        assert_false(cevm_rlp_next(&cursor, &item));
        assert_int_equal(cursor.size, size);
        free(copy);
    }
    cevm_buf_free(&buf);
}

/** Writes what a test of the official set says. */
static void put_json(cevm_buf *buf, const json_t *value)
{
    if (json_is_array(value)) {
        size_t list = cevm_rlp_list_begin(buf);
        size_t i;
        json_t *item;
        json_array_foreach(value, i, item) { put_json(buf, item); }
        cevm_rlp_list_end(buf, list);
    } else if (json_is_integer(value)) {
        cevm_rlp_put_u64(buf, (uint64_t)json_integer_value(value));
    } else {
        const char *text = json_string_value(value);
        assert_non_null(text);
        cevm_u256 number;
        if (text[0] == '#' && cevm_u256_from_text(&number, text + 1)) {
            cevm_rlp_put_u256(buf, &number);
        } else if (text[0] == '#') {
            /* The one number above 2^256 in the set: 2^256 itself. */
            const uint8_t bytes[33] = {1};
            assert_string_equal(text,
                                "#115792089237316195423570985008687907853269984665640564039457584007913129639936");
            cevm_rlp_put_bytes(buf, bytes, sizeof bytes);
        } else {
            cevm_rlp_put_bytes(buf, text, json_string_length(value));
        }
    }
}

/** Whether bytes are exactly one canonical item, lists looked into. */
static bool is_valid(cevm_bytes bytes, bool one)
{
    size_t count = 0;
    while (bytes.size != 0) {
        cevm_rlp_item item;
        if (!cevm_rlp_next(&bytes, &item) || (item.is_list && !is_valid(item.payload, false))) {
            return false;
        }
        ++count;
    }
    return !one || count == 1;
}

static uint8_t *decode_hex(const json_t *value, size_t *size)
{
    const char *text = json_string_value(value);
    assert_non_null(text);
    uint8_t *bytes = malloc(strlen(text) / 2 + 1);
    assert_non_null(bytes);
    assert_true(cevm_hex_decode(bytes, size, text, strlen(text)));
    return bytes;
}

static void test_official(void **unused)
{
    json_t *root = open_vectors("EthereumTestsMisc/RLPTests/rlptest.json");
    const char *name;
    json_t *test;
    (void)unused;
    assert_true(json_object_size(root) > 20);
    json_object_foreach(root, name, test)
    {
        size_t size;
        uint8_t *expected = decode_hex(json_object_get(test, "out"), &size);
        cevm_buf buf;
        cevm_buf_init(&buf, NULL);
        put_json(&buf, json_object_get(test, "in"));
        if (buf.failed || buf.size != size || memcmp(buf.data, expected, size) != 0) {
            fail_msg("%s: wrong encoding", name);
        }
        if (!is_valid((cevm_bytes){expected, size}, true)) {
            fail_msg("%s: refused", name);
        }
        cevm_buf_free(&buf);
        free(expected);
    }
    json_decref(root);
}

static void test_official_invalid(void **unused)
{
    json_t *root = open_vectors("EthereumTestsMisc/RLPTests/invalidRLPTest.json");
    const char *name;
    json_t *test;
    (void)unused;
    assert_true(json_object_size(root) > 20);
    json_object_foreach(root, name, test)
    {
        size_t size;
        uint8_t *bytes = decode_hex(json_object_get(test, "out"), &size);
        if (is_valid((cevm_bytes){bytes, size}, true)) {
            fail_msg("%s: accepted", name);
        }
        free(bytes);
    }
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write),
        cmocka_unit_test(test_write_lists),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_official),
        cmocka_unit_test(test_official_invalid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
