/* SPDX-License-Identifier: Apache-2.0 */
/* eth_feeHistory and the suggestions: percentiles by hand, base fees by EIP-1559. */
#include "node_support.h"

#include "rpc/fee_history.h"

/** A block of transactions with these tips (wei) and gas, over a base fee of 100. */
typedef struct block {
    cevm_record record;
    cevm_node_receipt receipts[4];
} block;

static void make(block *out, const uint64_t tips[4], const uint64_t gas[4], size_t count)
{
    memset(out, 0, sizeof *out);
    out->record.block.tx_count = count;
    out->record.block.header.has_base_fee = true;
    out->record.block.header.base_fee = cevm_u256_from_u64(100);
    for (size_t i = 0; i < count; ++i) {
        out->receipts[i].gas_used = gas[i];
        out->receipts[i].gas_price = cevm_u256_from_u64(100 + tips[i]);
        out->record.block.header.gas_used += gas[i];
    }
    out->record.receipts = out->receipts;
}

/* The tip at a percentile is that of the transaction in which this share of the block's gas is reached, cheapest first. */
static void test_percentiles_by_hand(void **unused)
{
    static const uint64_t tips[4] = {30, 10, 40, 20};
    static const uint64_t gas[4] = {300, 100, 400, 200};
    static const double percentiles[] = {0, 10, 11, 30, 31, 60, 61, 100};
    static const uint64_t expected[] = {10, 10, 20, 20, 30, 30, 40, 40};
    cevm_u256 out[8];
    block b;
    (void)unused;
    make(&b, tips, gas, 4);
    assert_int_equal(cevm_fee_percentiles(out, &b.record, percentiles, 8, NULL), CEVM_OK);
    for (size_t i = 0; i < 8; ++i) {
        assert_int_equal(out[i].w[0], expected[i]);
    }
    make(&b, tips, gas, 0);
    assert_int_equal(cevm_fee_percentiles(out, &b.record, percentiles, 8, NULL), CEVM_OK);
    assert_int_equal(out[7].w[0], 0);
}

static uint64_t item(const json_t *object, const char *key, size_t index)
{
    return quantity(json_array_get(json_object_get(object, key), index), NULL);
}

/* EIP-1559: an empty block lowers the base fee by an eighth. */
static void test_history_of_a_chain(void **unused)
{
    cevm_node_options options = node_options();
    options.has_base_fee = true;
    options.base_fee = cevm_u256_from_u64(1000000000);
    cevm_node *node = node_open_with(&options);
    (void)unused;
    rpc_do(node, "evm_mine", "");
    send_wei(node, ",\"maxFeePerGas\":\"0x77359400\",\"maxPriorityFeePerGas\":\"0x3b9aca0\"", NULL);
    json_t *history = rpc(node, "eth_feeHistory", "\"0x2\",\"latest\",[0,50,100]");
    assert_int_equal(quantity(history, "oldestBlock"), 1);
    assert_int_equal(json_array_size(json_object_get(history, "baseFeePerGas")), 3);
    assert_int_equal(item(history, "baseFeePerGas", 0), 875000000);
    assert_int_equal(item(history, "baseFeePerGas", 1), 765625000);
    /* 765625000 - 765625000 * (15000000 - 21000) / 15000000 / 8 */
    assert_int_equal(item(history, "baseFeePerGas", 2), 670055860);
    const json_t *ratio = json_array_get(json_object_get(history, "gasUsedRatio"), 1);
    assert_true(json_is_real(ratio) && json_real_value(ratio) == 21000.0 / 30000000.0);
    const json_t *reward = json_array_get(json_object_get(history, "reward"), 1);
    assert_int_equal(quantity(json_array_get(reward, 0), NULL), 0x3b9aca0);
    assert_int_equal(quantity(json_array_get(reward, 2), NULL), 0x3b9aca0);
    json_decref(history);
    /* The next base fee and the only tip there was. */
    assert_int_equal(rpc_quantity(node, "eth_baseFee", ""), 670055860);
    assert_int_equal(rpc_quantity(node, "eth_maxPriorityFeePerGas", ""), 0x3b9aca0);
    assert_int_equal(rpc_quantity(node, "eth_gasPrice", ""), 670055860 + 0x3b9aca0);
    cevm_node_destroy(node);
}

static void test_what_is_refused(void **unused)
{
    cevm_node *node = node_open();
    (void)unused;
    expect_error(node, "eth_feeHistory", "\"0x2\",\"latest\",[50,10]", -32602, "invalid reward percentile");
    expect_error(node, "eth_feeHistory", "\"0x2\",\"latest\",[101]", -32602, "invalid reward percentile");
    expect_error(node, "eth_feeHistory", "\"0x2\",\"0x9\",[]", -32000, "header not found");
    json_t *history = rpc(node, "eth_feeHistory", "\"0x400\",\"latest\",[]");
    assert_int_equal(json_array_size(json_object_get(history, "baseFeePerGas")), 2);
    assert_null(json_object_get(history, "reward"));
    json_decref(history);
    cevm_node_destroy(node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_percentiles_by_hand),
        cmocka_unit_test(test_history_of_a_chain),
        cmocka_unit_test(test_what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
