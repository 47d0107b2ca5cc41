/* SPDX-License-Identifier: Apache-2.0 */
/* Reads of accounts, blocks and transactions that the archive of execution-apis does not ask for. */
#include "node_support.h"

#define CODE "0x00000000000000000000000000000000000000c0"

/** A member that is text. */
static void expect_member(const json_t *object, const char *key, const char *expected)
{
    const char *text = json_string_value(json_object_get(object, key));
    assert_non_null(text);
    assert_string_equal(text, expected);
}

static void expect_null(cevm_node *node, const char *method, const char *params)
{
    json_t *result = rpc(node, method, params);
    assert_true(json_is_null(result));
    json_decref(result);
}

static void test_accounts(void **unused)
{
    cevm_node *node = node_open();
    (void)unused;
    rpc_do(node, "anvil_setCode", "\"" CODE "\",\"0x00\"");
    json_t *account = rpc(node, "eth_getAccount", "\"" CODE "\",\"latest\"");
    /* keccak256(0x00), and the root of the empty trie. */
    expect_member(account, "codeHash", "0xbc36789e7a1e281436464229828f817d6612f7b477d66591ff96a9e064bcc98a");
    expect_member(account, "storageRoot", "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
    expect_member(account, "balance", "0x0");
    json_decref(account);
    expect_null(node, "eth_getAccount", "\"0x00000000000000000000000000000000000000ab\",\"latest\"");
    account = rpc(node, "eth_getAccountInfo", "\"" CODE "\"");
    expect_member(account, "code", "0x00");
    expect_member(account, "nonce", "0x0");
    json_decref(account);
    cevm_node_destroy(node);
}

/* Edits and transactions show where they are asked for, and the past stays as it was. */
static void test_states_of_blocks(void **unused)
{
    cevm_node *node = node_open();
    (void)unused;
    send_wei(node, "", NULL);
    rpc_do(node, "anvil_setBalance", "\"" BOB "\",\"0x7\"");
    expect_text(node, "eth_getBalance", "\"" BOB "\",\"latest\"", "0x7");
    expect_text(node, "eth_getBalance", "\"" BOB "\",\"0x0\"", "0x21e19e0c9bab2400000");
    expect_text(node, "eth_getBalance", "\"" BOB "\",\"earliest\"", "0x21e19e0c9bab2400000");
    expect_text(node, "eth_getBalance", "\"" BOB "\",\"pending\"", "0x7");
    expect_error(node, "eth_getBalance", "\"" BOB "\",\"0x5\"", -32000, "header not found");
    expect_error(node, "eth_getBalance",
                 "\"" BOB "\",{\"blockHash\":\"0x" /* no block's */
                 "0000000000000000000000000000000000000000000000000000000000000001\"}",
                 -32000, "header not found");
    expect_text(node, "eth_getTransactionCount", "\"" ALICE "\",\"latest\"", "0x1");
    expect_text(node, "eth_getTransactionCount", "\"" ALICE "\",\"0x0\"", "0x0");
    rpc_do(node, "evm_setAutomine", "false");
    send_wei(node, "", NULL);
    send_wei(node, "", NULL);
    expect_text(node, "eth_getTransactionCount", "\"" ALICE "\",\"pending\"", "0x3");
    expect_text(node, "eth_getTransactionCount", "\"" ALICE "\",\"latest\"", "0x1");
    expect_text(node, "eth_getBlockTransactionCountByNumber", "\"pending\"", "0x2");
    json_t *block = rpc(node, "eth_getBlockByNumber", "\"pending\",true");
    assert_true(json_is_null(json_object_get(block, "hash")));
    assert_int_equal(json_array_size(json_object_get(block, "transactions")), 2);
    json_decref(block);
    json_t *pending = rpc(node, "eth_pendingTransactions", "");
    assert_int_equal(json_array_size(pending), 2);
    assert_true(json_is_null(json_object_get(json_array_get(pending, 0), "blockHash")));
    json_decref(pending);
    cevm_node_destroy(node);
}

/* EIP-1898: a hash on a branch that was left. */
static void test_canonical_hashes(void **unused)
{
    cevm_node *node = node_open();
    char params[300];
    (void)unused;
    rpc_do(node, "evm_mine", "");
    json_t *block = latest_block(node);
    char hash[67];
    memcpy(hash, json_string_value(json_object_get(block, "hash")), sizeof hash);
    json_decref(block);
    (void)snprintf(params, sizeof params, "\"" BOB "\",{\"blockHash\":\"%s\",\"requireCanonical\":true}", hash);
    expect_text(node, "eth_getBalance", params, "0x21e19e0c9bab2400000");
    rpc_do(node, "anvil_rollback", "1");
    expect_error(node, "eth_getBalance", params, -32000, "hash is not currently canonical");
    (void)snprintf(params, sizeof params, "\"" BOB "\",{\"blockHash\":\"%s\"}", hash);
    expect_text(node, "eth_getBalance", params, "0x21e19e0c9bab2400000");
    cevm_node_destroy(node);
}

static void test_transactions(void **unused)
{
    cevm_node *node = node_open();
    char hash[67];
    char params[120];
    (void)unused;
    send_wei(node, "", hash);
    json_t *by_hash = rpc(node, "eth_getTransactionByHash", quoted(params, hash));
    json_t *by_index = rpc(node, "eth_getTransactionByBlockNumberAndIndex", "\"latest\",\"0x0\"");
    assert_true(json_equal(by_hash, by_index));
    (void)snprintf(params, sizeof params, "\"%s\",\"0x0\"", json_string_value(json_object_get(by_hash, "blockHash")));
    json_t *by_block = rpc(node, "eth_getTransactionByBlockHashAndIndex", params);
    assert_true(json_equal(by_hash, by_block));
    json_t *raw = rpc(node, "eth_getRawTransactionByHash", quoted(params, hash));
    json_t *raw_by_index = rpc(node, "eth_getRawTransactionByBlockNumberAndIndex", "\"latest\",\"0x0\"");
    assert_true(json_equal(raw, raw_by_index));
    assert_memory_equal(json_string_value(raw), "0x02f8", 6); /* EIP-1559 */
    json_decref(raw);
    json_decref(raw_by_index);
    json_decref(by_hash);
    json_decref(by_index);
    json_decref(by_block);
    expect_null(node, "eth_getTransactionByBlockNumberAndIndex", "\"latest\",\"0x1\"");
    expect_null(node, "eth_getTransactionByBlockNumberAndIndex", "\"0x63\",\"0x0\"");
    expect_null(node, "eth_getUncleByBlockNumberAndIndex", "\"latest\",\"0x0\"");
    expect_text(node, "eth_getUncleCountByBlockNumber", "\"latest\"", "0x0");
    cevm_node_destroy(node);
}

static void test_headers_and_the_chain(void **unused)
{
    cevm_node *node = node_open();
    (void)unused;
    rpc_do(node, "evm_mine", "");
    json_t *header = rpc(node, "eth_getHeaderByNumber", "\"latest\"");
    assert_int_equal(quantity(header, "number"), 1);
    assert_null(json_object_get(header, "transactions"));
    json_decref(header);
    json_t *capabilities = rpc(node, "eth_capabilities", "");
    assert_int_equal(quantity(json_object_get(capabilities, "head"), "number"), 1);
    assert_int_equal(quantity(json_object_get(capabilities, "state"), "oldestBlock"), 0);
    json_decref(capabilities);
    expect_text(node, "eth_chainId", "", "0x7a69");
    expect_bool(node, "eth_syncing", "", false);
    expect_bool(node, "eth_mining", "", true);
    expect_text(node, "eth_blobBaseFee", "", "0x1"); /* EIP-4844's least */
    cevm_node_destroy(node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accounts),
        cmocka_unit_test(test_states_of_blocks),
        cmocka_unit_test(test_canonical_hashes),
        cmocka_unit_test(test_transactions),
        cmocka_unit_test(test_headers_and_the_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
