/* SPDX-License-Identifier: Apache-2.0 */
/* The state as the caller wants it: edits, dumps, settings that the next block shows, and what the node tells of itself. */
#include "node_support.h"

#define CONTRACT "0x0000000000000000000000000000000000001234"

/* ---- Edits ---------------------------------------------------------------------------------------------------------- */

static void test_edits(void **unused)
{
    cevm_node *node = node_open();
    (void)unused;
    rpc_do(node, "anvil_setBalance", "\"" CONTRACT "\",\"0x1234\"");
    rpc_do(node, "anvil_addBalance", "\"" CONTRACT "\",\"0x1\"");
    expect_text(node, "eth_getBalance", "\"" CONTRACT "\"", "0x1235");
    rpc_do(node, "anvil_setNonce", "\"" CONTRACT "\",\"0x7\"");
    expect_text(node, "eth_getTransactionCount", "\"" CONTRACT "\"", "0x7");
    expect_bool(node, "hardhat_setStorageAt",
                "\"" CONTRACT "\",\"0x0\",\"0x0000000000000000000000000000000000000000000000000000000000000005\"",
                true);
    rpc_do(node, "anvil_setCode", "\"" CONTRACT "\",\"0x60005460005260206000f3\"");
    expect_text(node, "eth_getCode", "\"" CONTRACT "\"", "0x60005460005260206000f3");
    expect_text(node, "eth_call", "{\"to\":\"" CONTRACT "\"}",
                "0x0000000000000000000000000000000000000000000000000000000000000005");
    rpc_do(node, "anvil_setBalance", "\"" CONTRACT "\",\"0x0\""); /* storage and code stay */
    expect_text(node, "eth_getStorageAt", "\"" CONTRACT "\",\"0x0\"",
                "0x0000000000000000000000000000000000000000000000000000000000000005");
    assert_int_equal(block_number(node), 0);
    cevm_node_destroy(node);
}

/* An edit shows in the next block's root, and goes with the snapshot that was before it. */
static void test_edits_and_blocks(void **unused)
{
    cevm_node *node = node_open();
    (void)unused;
    rpc_do(node, "evm_snapshot", "");
    rpc_do(node, "anvil_setBalance", "\"" BOB "\",\"0x5\"");
    send_wei(node, "", NULL);
    expect_text(node, "eth_getBalance", "\"" BOB "\",\"0x1\"", "0x6");
    expect_text(node, "eth_getBalance", "\"" BOB "\",\"0x0\"", "0x21e19e0c9bab2400000");
    expect_bool(node, "evm_revert", "1", true);
    expect_text(node, "eth_getBalance", "\"" BOB "\"", "0x21e19e0c9bab2400000");
    cevm_node_destroy(node);
}

/* EIP-161: what is empty is not there; the root is that of a state without it. */
static void test_empty_accounts(void **unused)
{
    cevm_node *a = node_open();
    cevm_node *b = node_open();
    (void)unused;
    rpc_do(a, "anvil_setBalance", "\"" CONTRACT "\",\"0x5\"");
    rpc_do(a, "anvil_setBalance", "\"" CONTRACT "\",\"0x0\"");
    rpc_do(a, "anvil_setBlockTimestampInterval", "1");
    rpc_do(b, "anvil_setBlockTimestampInterval", "1");
    rpc_do(a, "evm_mine", "");
    rpc_do(b, "evm_mine", "");
    json_t *left = latest_block(a);
    json_t *right = latest_block(b);
    assert_true(json_equal(json_object_get(left, "stateRoot"), json_object_get(right, "stateRoot")));
    json_decref(left);
    json_decref(right);
    cevm_node_destroy(a);
    cevm_node_destroy(b);
}

/* ---- Settings -------------------------------------------------------------------------------------------------------- */

static void expect_member(cevm_node *node, const char *key, const char *expected)
{
    json_t *block = latest_block(node);
    assert_string_equal(json_string_value(json_object_get(block, key)), expected);
    json_decref(block);
}

static void test_settings(void **unused)
{
    static const char randao[] = "0x00000000000000000000000000000000000000000000000000000000000000ff";
    cevm_node *node = node_open();
    char params[80];
    (void)unused;
    expect_bool(node, "hardhat_setPrevRandao", quoted(params, randao), true);
    rpc_do(node, "hardhat_setCoinbase", "\"0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc\"");
    expect_bool(node, "evm_setBlockGasLimit", "\"0x1000000\"", true);
    rpc_do(node, "evm_mine", "");
    expect_member(node, "mixHash", randao);
    expect_member(node, "miner", "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc");
    expect_member(node, "gasLimit", "0x1000000");
    rpc_do(node, "evm_mine", "");
    json_t *block = latest_block(node);
    assert_string_not_equal(json_string_value(json_object_get(block, "mixHash")), randao); /* it was for one block */
    json_decref(block);
    rpc_do(node, "anvil_setChainId", "\"0x10\"");
    expect_text(node, "eth_chainId", "", "0x10");
    char hash[67];
    send_wei(node, "", hash);
    assert_true(is_mined(node, hash));
    rpc_do(node, "anvil_setMinGasPrice", "\"0x174876e800\""); /* 100 gwei */
    expect_error(node, "eth_sendTransaction", "{\"to\":\"" BOB "\",\"gas\":\"0x5208\",\"gasPrice\":\"0x3b9aca00\"}",
                 -32000, "transaction underpriced: gas fee cap 1000000000, minimum needed 100000000000");
    expect_error(node, "evm_setBlockGasLimit", "\"0x0\"", -32602, "invalid gas limit");
    rpc_do(node, "anvil_setIntervalMining", "3600");
    json_t *interval = rpc(node, "anvil_getIntervalMining", "");
    assert_int_equal(json_integer_value(interval), 3600);
    json_decref(interval);
    cevm_node_destroy(node);
}

static void test_info(void **unused)
{
    cevm_node *node = node_open();
    (void)unused;
    rpc_do(node, "evm_mine", "{\"blocks\":3}");
    json_t *block = latest_block(node);
    json_t *info = rpc(node, "anvil_nodeInfo", "");
    assert_int_equal(quantity(info, "currentBlockNumber"), 3);
    assert_true(json_equal(json_object_get(info, "currentBlockHash"), json_object_get(block, "hash")));
    assert_string_equal(json_string_value(json_object_get(info, "hardFork")), "Osaka");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(info, "environment"), "chainId")), 31337);
    json_decref(info);
    info = rpc(node, "hardhat_metadata", "");
    assert_int_equal(json_integer_value(json_object_get(info, "latestBlockNumber")), 3);
    assert_true(json_equal(json_object_get(info, "latestBlockHash"), json_object_get(block, "hash")));
    json_decref(info);
    json_decref(block);
    cevm_node_destroy(node);
}

/* ---- Dumps ------------------------------------------------------------------------------------------------------------ */

static char *dump(cevm_node *node)
{
    json_t *state = rpc(node, "anvil_dumpState", "");
    char *text = json_dumps(state, JSON_ENCODE_ANY); /* with its quotes: a parameter */
    json_decref(state);
    return text;
}

static void test_dump_and_load(void **unused)
{
    cevm_node *from = node_open();
    cevm_node *to = node_open();
    (void)unused;
    rpc_do(from, "anvil_setCode", "\"" CONTRACT "\",\"0x6001\"");
    rpc_do(from, "anvil_setStorageAt", "\"" CONTRACT "\",\"0x5\",\"0x7\"");
    send_wei(from, "", NULL);
    rpc_do(from, "evm_mine", "{\"blocks\":4}");
    char *state = dump(from);
    expect_bool(to, "anvil_loadState", state, true);
    json_t *left = latest_block(from);
    json_t *right = latest_block(to);
    assert_true(json_equal(json_object_get(left, "hash"), json_object_get(right, "hash")));
    json_decref(left);
    json_decref(right);
    expect_text(to, "eth_getCode", "\"" CONTRACT "\"", "0x6001");
    expect_text(to, "eth_getStorageAt", "\"" CONTRACT "\",\"0x5\"",
                "0x0000000000000000000000000000000000000000000000000000000000000007");
    expect_text(to, "eth_getTransactionCount", "\"" ALICE "\"", "0x1");
    char *again = dump(to);
    assert_string_equal(state, again); /* byte for byte */
    free(again);
    send_wei(to, "", NULL);
    assert_int_equal(block_number(to), 6);
    rpc_do(to, "anvil_reset", ""); /* to where it began: before what was loaded */
    assert_int_equal(block_number(to), 0);
    free(state);
    cevm_node_destroy(from);
    cevm_node_destroy(to);
}

/* The part of anvil's form that matters, with decimal and hex numbers as it writes them; its blocks need not be there. */
static void test_load_accounts(void **unused)
{
    static const char state[] = "{\"block\":null,\"accounts\":{\"" CONTRACT
                                "\":{\"nonce\":3,\"balance\":\"0x64\",\"code\":\"0x\",\"storage\":{\"0x1\":\"0x2\"}}},"
                                "\"best_block_number\":null}";
    cevm_node *node = node_open();
    char params[1024] = "\"0x";
    (void)unused;
    cevm_hex_encode(params + 3, (const uint8_t *)state, sizeof state - 1);
    strcat(params, "\"");
    expect_bool(node, "anvil_loadState", params, true);
    expect_text(node, "eth_getTransactionCount", "\"" CONTRACT "\"", "0x3");
    expect_text(node, "eth_getBalance", "\"" CONTRACT "\"", "0x64");
    expect_error(node, "anvil_loadState", "\"0x7b7d\"", -32602, "the state has no \"accounts\"");
    expect_error(node, "anvil_loadState", "\"0x7b\"", -32602, "the state is no JSON");
    expect_error(node, "anvil_loadState", "\"0x1f8b08\"", -32602, "the state is spoilt: it is packed");
    /* "{}" as gzip: a stored block, its CRC-32 and its length. */
    expect_error(node, "anvil_loadState", "\"0x1f8b08000000000000ff010200fdff7b7d43bfa6a302000000\"", -32602,
                 "the state has no \"accounts\"");
    cevm_node_destroy(node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edits),          cmocka_unit_test(test_edits_and_blocks),
        cmocka_unit_test(test_empty_accounts), cmocka_unit_test(test_settings),
        cmocka_unit_test(test_info),           cmocka_unit_test(test_dump_and_load),
        cmocka_unit_test(test_load_accounts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
