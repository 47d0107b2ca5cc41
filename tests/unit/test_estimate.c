/* SPDX-License-Identifier: Apache-2.0 */
/* The search for a gas limit: it does, it is close, and it is geth's where the archive of execution-apis says one. */
#include "node_support.h"

#include "rpc/estimate.h"

/** A transaction that needs `need` gas, uses `used` of it, and may fail whatever it gets. */
typedef struct model {
    uint64_t need;
    uint64_t used;
    uint64_t peak;
    bool reverts;
    bool stops;
    unsigned runs;
} model;

static bool run(void *user, cevm_estimate_run *out, uint64_t gas)
{
    model *m = user;
    ++m->runs;
    *out = (cevm_estimate_run){.succeeded = gas >= m->need && !m->reverts,
                               .needs_more = gas < m->need,
                               .gas_used = m->used,
                               .gas_peak = m->peak};
    return !m->stops;
}

static void test_within_an_error_upwards(void **unused)
{
    (void)unused;
    for (uint64_t need = 21000; need < 30000000; need += need / 7 + 1) {
        model m = {.need = need, .used = need - need / 10, .peak = need - need / 20};
        uint64_t gas = 0;
        assert_int_equal(cevm_estimate_gas(&gas, 30000000, false, run, &m), CEVM_ESTIMATE_FOUND);
        assert_true(gas >= need);
        assert_true((double)gas <= (double)need * 1.0153);
        assert_true(m.runs < 24);
    }
}

/* estimate-with-eip7702.io: 46,000 are needed and used, geth answers 0xb52e. */
static void test_the_number_that_geth_finds(void **unused)
{
    model m = {.need = 46000, .used = 46000, .peak = 46000};
    uint64_t gas = 0;
    (void)unused;
    assert_int_equal(cevm_estimate_gas(&gas, 1 << 24, false, run, &m), CEVM_ESTIMATE_FOUND);
    assert_int_equal(gas, 0xb52e);
}

static void test_a_transfer_takes_one_run(void **unused)
{
    model m = {.need = 21000, .used = 21000, .peak = 21000};
    uint64_t gas = 0;
    (void)unused;
    assert_int_equal(cevm_estimate_gas(&gas, 1 << 24, true, run, &m), CEVM_ESTIMATE_FOUND);
    assert_int_equal(gas, 21000);
    assert_int_equal(m.runs, 1);
}

static void test_ways_to_fail(void **unused)
{
    model low = {.need = 50000, .used = 40000, .peak = 40000};
    model reverts = {.need = 0, .used = 30000, .peak = 30000, .reverts = true};
    model stops = {.stops = true};
    uint64_t gas = 0;
    (void)unused;
    assert_int_equal(cevm_estimate_gas(&gas, 49999, false, run, &low), CEVM_ESTIMATE_TOO_LOW);
    assert_int_equal(cevm_estimate_gas(&gas, 100000, false, run, &reverts), CEVM_ESTIMATE_FAILS);
    assert_int_equal(reverts.runs, 1);
    assert_int_equal(cevm_estimate_gas(&gas, 100000, false, run, &stops), CEVM_ESTIMATE_STOPPED);
    assert_int_equal(cevm_estimate_gas(&gas, 0, true, run, &low), CEVM_ESTIMATE_TOO_LOW);
}

/* ---- Through the node ------------------------------------------------------------------------------------------------ */

static void test_eth_estimate_gas(void **unused)
{
    cevm_node *node = node_open();
    (void)unused;
    expect_text(node, "eth_estimateGas", "{\"from\":\"" ALICE "\",\"to\":\"" BOB "\",\"value\":\"0x1\"}", "0x5208");
    /* A limit under any transaction's least gas is none, as in geth. */
    expect_text(node, "eth_estimateGas", "{\"from\":\"" ALICE "\",\"to\":\"" BOB "\",\"gas\":\"0x0\"}", "0x5208");
    expect_text(node, "eth_estimateGas", "{\"from\":\"" ALICE "\",\"to\":\"" BOB "\",\"gas\":\"0x1\"}", "0x5208");
    /* Without funds for any gas at its price. */
    expect_error(node, "eth_estimateGas",
                 "{\"from\":\"0x00000000000000000000000000000000000000aa\",\"to\":\"" BOB
                 "\",\"gasPrice\":\"0x77359400\"}",
                 -32000, "gas required exceeds allowance (0)");
    /* PUSH0 PUSH0 REVERT */
    rpc_do(node, "anvil_setCode", "\"0x00000000000000000000000000000000000000c0\",\"0x5f5ffd\"");
    expect_error(node, "eth_estimateGas", "{\"to\":\"0x00000000000000000000000000000000000000c0\"}", 3,
                 "execution reverted");
    /* A value that the sender has not. */
    expect_error(node, "eth_estimateGas",
                 "{\"from\":\"0x00000000000000000000000000000000000000aa\",\"to\":\"" BOB "\",\"value\":\"0x1\"}",
                 -32000, "insufficient funds");
    cevm_node_destroy(node);
}

/** What the estimate says is what the transaction gets by with, and nine tenths of it are not enough. */
static void test_an_estimate_holds(void **unused)
{
    cevm_node *node = node_open();
    char params[512];
    (void)unused;
    /* Hashes 512 words and stores the result: PUSH2 4000 PUSH0 KECCAK256 PUSH0 SSTORE. */
    rpc_do(node, "anvil_setCode", "\"0x00000000000000000000000000000000000000c0\",\"0x6140005f205f5500\"");
    const uint64_t gas = rpc_quantity(node, "eth_estimateGas",
                                      "{\"from\":\"" ALICE "\",\"to\":\"0x00000000000000000000000000000000000000c0\"}");
    (void)snprintf(params, sizeof params,
                   "{\"from\":\"" ALICE "\",\"to\":\"0x00000000000000000000000000000000000000c0\",\"gas\":\"0x%llx\"}",
                   (unsigned long long)gas);
    rpc_do(node, "eth_call", params);
    (void)snprintf(params, sizeof params,
                   "{\"from\":\"" ALICE "\",\"to\":\"0x00000000000000000000000000000000000000c0\",\"gas\":\"0x%llx\"}",
                   (unsigned long long)(gas - gas / 10));
    expect_error(node, "eth_call", params, -32000, "out of gas");
    cevm_node_destroy(node);
}

/* In the newest block's own time there is nothing to do for this contract, in the next one's it has a slot to write. */
static void test_in_the_next_block(void **unused)
{
    cevm_node *node = node_open();
    static const char call[] = "{\"from\":\"" ALICE "\",\"to\":\"0x00000000000000000000000000000000000000c0\"";
    char params[512];
    (void)unused;
    /* PUSH0 SLOAD TIMESTAMP EQ PUSH1 0a JUMPI TIMESTAMP PUSH0 SSTORE JUMPDEST STOP */
    rpc_do(node, "anvil_setCode", "\"0x00000000000000000000000000000000000000c0\",\"0x5f544214600a57425f555b00\"");
    (void)snprintf(params, sizeof params, "%s,\"gas\":\"0x30d40\"}", call);
    rpc_do(node, "eth_sendTransaction", params);
    (void)snprintf(params, sizeof params, "%s}", call);
    const uint64_t gas = rpc_quantity(node, "eth_estimateGas", params);
    (void)snprintf(params, sizeof params, "%s,\"gas\":\"0x%llx\"}", call, (unsigned long long)gas);
    json_t *hash = rpc(node, "eth_sendTransaction", params);
    char quoted_hash[80];
    json_t *receipt = rpc(node, "eth_getTransactionReceipt", quoted(quoted_hash, json_string_value(hash)));
    assert_int_equal(quantity(receipt, "status"), 1);
    json_decref(receipt);
    json_decref(hash);
    cevm_node_destroy(node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_within_an_error_upwards),  cmocka_unit_test(test_the_number_that_geth_finds),
        cmocka_unit_test(test_a_transfer_takes_one_run), cmocka_unit_test(test_ways_to_fail),
        cmocka_unit_test(test_eth_estimate_gas),         cmocka_unit_test(test_an_estimate_holds),
        cmocka_unit_test(test_in_the_next_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
