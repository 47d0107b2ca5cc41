/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receipts as bytes: by hand from the rules of RLP, from the official vectors, and their tries. EIP-658: status in the
 * place of the root.
 */
#include "execution_support.h"

#include "chain/receipts.h"
#include "state/trie.h"

static cevm_bytes encode(cevm_buf *buf, const cevm_block_receipt *receipt)
{
    cevm_buf_clear(buf);
    cevm_put_receipt(buf, receipt);
    assert_false(buf->failed);
    return (cevm_bytes){buf->data, buf->size};
}

static void assert_hex(cevm_bytes bytes, const char *expected)
{
    char *hex = malloc(2 * bytes.size + 1);
    assert_non_null(hex);
    cevm_hex_encode(hex, bytes.data, bytes.size);
    assert_string_equal(hex, expected);
    free(hex);
}

/** 264 = 1 + 3 + 259 + 1 bytes: status, gas, bloom, no logs. */
static void test_encoding_of_each_type(void **state)
{
    (void)state;
    cevm_buf buf;
    cevm_buf_init(&buf, NULL);
    for (int type = CEVM_TX_LEGACY; type <= CEVM_TX_SET_CODE; ++type) {
        for (int succeeded = 0; succeeded < 2; ++succeeded) {
            const cevm_block_receipt receipt = {
                .type = (cevm_tx_type)type, .succeeded = succeeded != 0, .cumulative_gas_used = 21000};
            cevm_bytes bytes = encode(&buf, &receipt);
            if (type != CEVM_TX_LEGACY) {
                assert_int_equal(bytes.data[0], type);
                bytes = (cevm_bytes){bytes.data + 1, bytes.size - 1};
            }
            uint8_t expected[267] = {0xf9, 0x01, 0x08, succeeded ? 0x01 : 0x80, 0x82, 0x52, 0x08, 0xb9, 0x01, 0x00};
            expected[266] = 0xc0;
            assert_int_equal(bytes.size, sizeof expected);
            assert_memory_equal(bytes.data, expected, sizeof expected);
        }
    }
    cevm_buf_free(&buf);
}

static void test_eip658_root_before_byzantium(void **state)
{
    (void)state;
    cevm_buf buf;
    cevm_buf_init(&buf, NULL);
    cevm_block_receipt receipt = {.has_root = true, .succeeded = true, .cumulative_gas_used = 21000};
    memset(receipt.root.bytes, 0xab, sizeof receipt.root.bytes);
    const cevm_bytes bytes = encode(&buf, &receipt);
    uint8_t expected[299] = {0xf9, 0x01, 0x28, 0xa0};
    memset(expected + 4, 0xab, 32);
    memcpy(expected + 36, (const uint8_t[]){0x82, 0x52, 0x08, 0xb9, 0x01, 0x00}, 6);
    expected[298] = 0xc0;
    assert_int_equal(bytes.size, sizeof expected);
    assert_memory_equal(bytes.data, expected, sizeof expected);
    cevm_buf_free(&buf);
}

/** Of test_constant_gas[fork_Berlin-LOG2]: three logs with two topics of zero and no data. */
static void test_receipt_of_the_official_vectors(void **state)
{
    (void)state;
    static const char expected[] =
        "f9021f01830186a4b90100004000000000000000000000000000000000000000000000000000000000000000000000000000000000"
        "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
        "0000000000020000000000000000000800000000000000000000000000000000000000000000000000000000000000000000000000"
        "0000000000000000000000000010000000000000000000000000000000000000000000000020000000000000000000000000000000"
        "0000000000000000000000000000000000000000002000000000000000000000000000000000000000000000000000000000000000"
        "0000f90114f85a945de4d41f8ff7480aa5355d0f8f2446f2665163aef842a000000000000000000000000000000000000000000000"
        "00000000000000000000a0000000000000000000000000000000000000000000000000000000000000000080f85a945de4d41f8ff7"
        "480aa5355d0f8f2446f2665163aef842a00000000000000000000000000000000000000000000000000000000000000000a0000000"
        "000000000000000000000000000000000000000000000000000000000080f85a945de4d41f8ff7480aa5355d0f8f2446f2665163ae"
        "f842a00000000000000000000000000000000000000000000000000000000000000000a00000000000000000000000000000000000"
        "00000000000000000000000000000080";
    cevm_log logs[3];
    for (size_t i = 0; i < 3; ++i) {
        logs[i] = (cevm_log){.address = address_from("5de4d41f8ff7480aa5355d0f8f2446f2665163ae"), .topic_count = 2};
    }
    cevm_block_receipt receipt = {.succeeded = true, .cumulative_gas_used = 0x0186a4, .logs = logs, .log_count = 3};
    cevm_bloom_add_logs(&receipt.bloom, logs, 3);
    cevm_buf buf;
    cevm_buf_init(&buf, NULL);
    assert_hex(encode(&buf, &receipt), expected);
    cevm_buf_free(&buf);
}

/** [address, [], data] with 3 and with 60 bytes of data, by hand. */
static void test_log_with_data(void **state)
{
    (void)state;
    static const uint8_t data[60] = {0x11, 0x22, 0x33};
    cevm_log log = {.address = address_from("00000000000000000000000000000000000000aa"), .data = {data, 3}};
    cevm_buf buf;
    cevm_buf_init(&buf, NULL);
    cevm_put_log(&buf, &log);
    assert_hex((cevm_bytes){buf.data, buf.size}, "da9400000000000000000000000000000000000000aac083112233");
    cevm_buf_clear(&buf);
    log.data.size = sizeof data;
    log.topic_count = 1;
    cevm_put_log(&buf, &log);
    assert_int_equal(buf.size, 2 + 21 + 34 + 62);
    assert_memory_equal(buf.data, ((const uint8_t[]){0xf8, 117, 0x94}), 3);
    assert_memory_equal(buf.data + 23, ((const uint8_t[]){0xe1, 0xa0, 0}), 3);
    assert_memory_equal(buf.data + 57, ((const uint8_t[]){0xb8, 60, 0x11, 0x22, 0x33, 0}), 6);
    cevm_buf_free(&buf);
}

static void test_receipts_root(void **state)
{
    (void)state;
    /* Roots of blocks of the official vectors with one successful transaction of 21000 gas and no logs. */
    static const struct {
        cevm_tx_type type;
        const char *root;
    } rows[] = {
        {CEVM_TX_LEGACY, "056b23fbba480696b65fe5a59b8f2148a1299103c4f57df839233af2cf4ca2d2"},
        {CEVM_TX_DYNAMIC_FEE, "f78dfb743fbd92ade140711c8bbc542b5e307f0ab7984eff35d751969fe57efa"},
        {CEVM_TX_BLOB, "eaa8c40899a61ae59615cf9985f5e2194f8fd2b57d273be63bde6733e89b12ab"},
    };
    cevm_hash root;
    cevm_buf buf;
    cevm_buf_init(&buf, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        cevm_block_receipt receipt = {.type = rows[i].type, .succeeded = true, .cumulative_gas_used = 21000};
        receipt.encoded = encode(&buf, &receipt);
        assert_int_equal(cevm_receipts_root(&root, &receipt, 1, NULL), CEVM_OK);
        assert_hex((cevm_bytes){root.bytes, 32}, rows[i].root);
    }
    assert_int_equal(cevm_receipts_root(&root, NULL, 0, NULL), CEVM_OK);
    assert_hex((cevm_bytes){root.bytes, 32}, "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
    cevm_buf_free(&buf);
}

/** The trie's keys are rlp(index): with 130 receipts all three forms of them occur. */
static void test_receipts_root_of_many(void **state)
{
    (void)state;
    enum { COUNT = 130 };
    static cevm_block_receipt receipts[COUNT];
    static uint8_t bytes[COUNT][300];
    cevm_hash root, expected;
    cevm_trie trie;
    cevm_buf buf, scratch;
    cevm_buf_init(&buf, NULL);
    cevm_buf_init(&scratch, NULL);
    cevm_trie_init(&trie, NULL);
    for (size_t i = 0; i < COUNT; ++i) {
        receipts[i] = (cevm_block_receipt){.succeeded = i % 3 != 0, .cumulative_gas_used = 21000 * (i + 1)};
        const cevm_bytes encoded = encode(&buf, &receipts[i]);
        memcpy(bytes[i], encoded.data, encoded.size);
        receipts[i].encoded = (cevm_bytes){bytes[i], encoded.size};
        const uint8_t key[2] = {i < 128 ? (i == 0 ? 0x80 : (uint8_t)i) : 0x81, (uint8_t)i};
        assert_int_equal(cevm_trie_put(&trie, (cevm_bytes){key, i < 128 ? 1 : 2}, receipts[i].encoded), CEVM_OK);
    }
    assert_int_equal(cevm_trie_root(&trie, &expected, &scratch), CEVM_OK);
    assert_int_equal(cevm_receipts_root(&root, receipts, COUNT, NULL), CEVM_OK);
    assert_memory_equal(root.bytes, expected.bytes, 32);
    cevm_trie_clear(&trie);
    cevm_buf_free(&buf);
    cevm_buf_free(&scratch);
}

/** Of a block: one list over all transactions, as if they were one. Without logs it is keccak256(rlp([])). */
static void test_logs_hash_of_a_block(void **state)
{
    (void)state;
    static const uint8_t data[] = {1, 2, 3, 4};
    const cevm_log logs[] = {{.address = address_of(1), .topic_count = 1},
                             {.address = address_of(2), .data = {data, 4}},
                             {.topic_count = 4}};
    const cevm_block_receipt receipts[] = {
        {.logs = logs, .log_count = 1}, {.log_count = 0}, {.logs = logs + 1, .log_count = 2}};
    cevm_hash hash, expected;
    cevm_buf scratch;
    cevm_buf_init(&scratch, NULL);
    assert_int_equal(cevm_logs_hash(&expected, logs, 3, NULL), CEVM_OK);
    assert_int_equal(cevm_receipts_logs_hash(&hash, receipts, 3, &scratch), CEVM_OK);
    assert_memory_equal(hash.bytes, expected.bytes, 32);
    assert_int_equal(cevm_receipts_logs_hash(&hash, receipts + 1, 1, &scratch), CEVM_OK);
    assert_hex((cevm_bytes){hash.bytes, 32}, "1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347");
    cevm_buf_free(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encoding_of_each_type),
        cmocka_unit_test(test_eip658_root_before_byzantium),
        cmocka_unit_test(test_receipt_of_the_official_vectors),
        cmocka_unit_test(test_log_with_data),
        cmocka_unit_test(test_receipts_root),
        cmocka_unit_test(test_receipts_root_of_many),
        cmocka_unit_test(test_logs_hash_of_a_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
