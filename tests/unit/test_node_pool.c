/* SPDX-License-Identifier: Apache-2.0 */
/* What comes into the pool and what not, in geth's words; how it is looked into and emptied; who may send. */
#include "node_support.h"

#define TO_BOB "\"to\":\"" BOB "\",\"gas\":\"0x5208\""

static cevm_node *open_manual(void)
{
    cevm_node_options options = node_options();
    options.no_mining = true;
    return node_open_with(&options);
}

static void expect_refused(cevm_node *node, const char *tx, const char *message)
{
    expect_error(node, "eth_sendTransaction", tx, -32000, message);
}

/* ---- Rules ---------------------------------------------------------------------------------------------------------- */

static void test_refusals(void **unused)
{
    cevm_node *node = node_open();
    (void)unused;
    send_wei(node, "", NULL);
    expect_refused(node, "{" TO_BOB ",\"nonce\":\"0x0\"}", "nonce too low: next nonce 1, tx nonce 0");
    expect_refused(node, "{\"to\":\"" BOB "\",\"gas\":\"0x5207\"}",
                   "intrinsic gas too low: gas 20999, minimum needed 21000");
    expect_refused(node, "{\"to\":\"" BOB "\",\"gas\":\"0x1000001\"}",
                   "transaction gas limit too high (cap: 16777216, tx: 16777217)");
    expect_refused(node, "{" TO_BOB ",\"maxFeePerGas\":\"0x5\",\"maxPriorityFeePerGas\":\"0x1\"}",
                   "max fee per gas less than block base fee: address " ALICE ", maxFeePerGas: 5, baseFee: ");
    expect_refused(node, "{" TO_BOB ",\"maxFeePerGas\":\"0x77359400\",\"maxPriorityFeePerGas\":\"0x77359401\"}",
                   "max priority fee per gas higher than max fee per gas");
    rpc_do(node, "anvil_setBalance", "\"" ALICE "\",\"0x1\"");
    expect_refused(
        node, "{" TO_BOB ",\"gasPrice\":\"0x77359400\"}",
        "insufficient funds for gas * price + value: balance 1, tx cost 42000000000000, overshot 41999999999999");
    expect_refused(node, "{\"from\":\"0x0000000000000000000000000000000000001234\"," TO_BOB "}", "unknown account 0x");
    rpc_do(node, "evm_setBlockGasLimit", "\"0x5207\"");
    expect_refused(node, "{" TO_BOB "}", "exceeds block gas limit");
    expect_error(node, "eth_sendTransaction", "{\"value\":\"0x1\"}", -32000,
                 "contract creation without any data provided");
    expect_error(node, "eth_sendTransaction", "{" TO_BOB ",\"chainId\":\"0x1\"}", -32602,
                 "chainId does not match node's (have=1, want=31337)");
    cevm_node_destroy(node);
}

/* EIP-7623: a hundred bytes that are not zero are 400 tokens, 10 gas each at least. */
static void test_floor(void **unused)
{
    char tx[512];
    cevm_node *node = node_open();
    (void)unused;
    int size = snprintf(tx, sizeof tx, "{\"to\":\"" BOB "\",\"gas\":\"0x5a78\",\"data\":\"0x");
    memset(tx + size, 'f', 200);
    (void)snprintf(tx + size + 200, sizeof tx - (size_t)size - 200, "\"}");
    expect_refused(node, tx, "insufficient gas for floor data gas cost: gas 23160, minimum needed 25000");
    cevm_node_destroy(node);
}

static bool is_known(cevm_node *node, const char *hash)
{
    char params[80];
    json_t *tx = rpc(node, "eth_getTransactionByHash", quoted(params, hash));
    const bool known = json_is_object(tx);
    json_decref(tx);
    return known;
}

/* A price ten percent higher takes the place of a transaction, less does not. */
static void test_replacement(void **unused)
{
    cevm_node *node = open_manual();
    char first[67];
    char second[67];
    (void)unused;
    send_wei(node, ",\"nonce\":\"0x0\",\"gasPrice\":\"0x77359400\"", first); /* 2 gwei */
    expect_refused(node, "{" TO_BOB ",\"nonce\":\"0x0\",\"gasPrice\":\"0x832155ff\"}",
                   "replacement transaction underpriced");
    assert_true(is_known(node, first));
    send_wei(node, ",\"nonce\":\"0x0\",\"gasPrice\":\"0x83215600\"", second); /* 2.2 gwei */
    assert_false(is_known(node, first));
    assert_true(is_known(node, second));
    expect_text(node, "eth_getTransactionCount", "\"" ALICE "\",\"pending\"", "0x1");
    rpc_do(node, "evm_mine", "");
    assert_true(is_mined(node, second));
    cevm_node_destroy(node);
}

static void test_already_known(void **unused)
{
    cevm_node *node = open_manual();
    char params[512];
    (void)unused;
    json_t *raw = rpc(node, "eth_signTransaction", "{" TO_BOB "}");
    (void)snprintf(params, sizeof params, "\"%s\"", json_string_value(raw));
    rpc_do(node, "eth_sendRawTransaction", params);
    expect_error(node, "eth_sendRawTransaction", params, -32000, "already known");
    rpc_do(node, "evm_mine", "");
    expect_error(node, "eth_sendRawTransaction", params, -32000, "nonce too low: next nonce 1, tx nonce 0");
    json_decref(raw);
    cevm_node_destroy(node);
}

/* A nonce ahead of its time waits for those before it, also where blocks are made at once. */
static void test_nonce_gap(void **unused)
{
    cevm_node *node = node_open();
    char third[67];
    char second[67];
    (void)unused;
    send_wei(node, ",\"nonce\":\"0x2\"", third);
    send_wei(node, ",\"nonce\":\"0x1\"", second);
    assert_int_equal(block_number(node), 0);
    assert_int_equal(rpc_quantity(node, "eth_getTransactionCount", "\"" ALICE "\",\"pending\""), 0);
    send_wei(node, ",\"nonce\":\"0x0\"", NULL);
    assert_int_equal(block_number(node), 1);
    assert_true(is_mined(node, second));
    assert_true(is_mined(node, third));
    cevm_node_destroy(node);
}

/* Without automine a fee that is too low today may do tomorrow. */
static void test_fee_that_waits(void **unused)
{
    cevm_node *node = open_manual();
    char hash[67];
    (void)unused;
    send_wei(node, ",\"maxFeePerGas\":\"0x2faf0800\",\"maxPriorityFeePerGas\":\"0x0\"", hash); /* 0.8 gwei */
    rpc_do(node, "evm_mine", "");
    assert_false(is_mined(node, hash)); /* 0.875 */
    rpc_do(node, "evm_mine", "");
    assert_true(is_mined(node, hash)); /* 0.766 */
    cevm_node_destroy(node);
}

/* ---- Looking into it ------------------------------------------------------------------------------------------------- */

static void expect_status(cevm_node *node, uint64_t pending, uint64_t queued)
{
    json_t *status = rpc(node, "txpool_status", "");
    assert_int_equal(quantity(status, "pending"), pending);
    assert_int_equal(quantity(status, "queued"), queued);
    json_decref(status);
}

static void test_txpool(void **unused)
{
    cevm_node *node = open_manual();
    char hash[67];
    (void)unused;
    send_wei(node, "", NULL);
    send_wei(node, "", hash);
    send_wei(node, ",\"nonce\":\"0x5\",\"gasPrice\":\"0x77359400\"", NULL);
    expect_status(node, 2, 1);
    json_t *content = rpc(node, "txpool_content", "");
    const json_t *pending = json_object_get(json_object_get(content, "pending"), ALICE);
    assert_int_equal(json_object_size(pending), 2);
    assert_string_equal(json_string_value(json_object_get(json_object_get(pending, "1"), "hash")), hash);
    json_decref(content);
    content = rpc(node, "txpool_inspect", "");
    const json_t *queued = json_object_get(json_object_get(content, "queued"), ALICE);
    assert_string_equal(json_string_value(json_object_get(queued, "5")),
                        BOB ": 1 wei + 21000 gas \u00d7 2000000000 wei");
    json_decref(content);
    content = rpc(node, "txpool_contentFrom", "\"" BOB "\"");
    assert_int_equal(json_object_size(json_object_get(content, "pending")), 0);
    json_decref(content);
    content = rpc(node, "txpool_contentFrom", "\"" ALICE "\"");
    assert_int_equal(json_object_size(json_object_get(content, "pending")), 2);
    assert_int_equal(json_object_size(json_object_get(content, "queued")), 1);
    json_decref(content);
    cevm_node_destroy(node);
}

#define SIX_THOUSAND "0x14542ba12a337c00000" /* ether; everybody has ten thousand */

static void send_to_bob(cevm_node *node, const char *value, char hash[67])
{
    char tx[256];
    (void)snprintf(tx, sizeof tx, "{" TO_BOB ",\"value\":\"%s\"}", value);
    json_t *result = rpc(node, "eth_sendTransaction", tx);
    memcpy(hash, json_string_value(result), 67);
    json_decref(result);
}

/* Each of two could be paid for, but not both: the second leaves when the first is mined. */
static void test_spent_twice(void **unused)
{
    cevm_node *node = open_manual();
    char first[67];
    char second[67];
    char third[67];
    (void)unused;
    send_to_bob(node, SIX_THOUSAND, first);
    send_to_bob(node, SIX_THOUSAND, second);
    send_to_bob(node, "0x1", third);
    rpc_do(node, "evm_mine", "");
    assert_true(is_mined(node, first));
    assert_false(is_known(node, second));
    assert_true(is_known(node, third)); /* it waits for another second one */
    expect_status(node, 0, 1);
    assert_int_equal(rpc_quantity(node, "eth_getTransactionCount", "\"" ALICE "\",\"pending\""), 1);
    send_to_bob(node, "0x2", second);
    rpc_do(node, "evm_mine", "");
    assert_true(is_mined(node, second));
    assert_true(is_mined(node, third));
    cevm_node_destroy(node);
}

/* Money taken away and given back before a block makes no difference; at a block without it the transaction leaves. */
static void test_poor_sender(void **unused)
{
    cevm_node *node = open_manual();
    char hash[67];
    (void)unused;
    send_to_bob(node, "0x64", hash);
    rpc_do(node, "anvil_setBalance", "\"" ALICE "\",\"0x64\"");
    expect_status(node, 0, 1);
    rpc_do(node, "anvil_setBalance", "\"" ALICE "\",\"0xde0b6b3a7640000\"");
    expect_status(node, 1, 0);
    rpc_do(node, "evm_mine", "");
    assert_true(is_mined(node, hash));
    send_to_bob(node, "0x64", hash);
    rpc_do(node, "anvil_setBalance", "\"" ALICE "\",\"0x0\"");
    rpc_do(node, "evm_mine", "");
    assert_false(is_known(node, hash));
    expect_status(node, 0, 0);
    rpc_do(node, "anvil_setBalance", "\"" ALICE "\",\"0xde0b6b3a7640000\"");
    send_to_bob(node, "0x64", hash); /* its nonce is free */
    rpc_do(node, "evm_mine", "");
    assert_true(is_mined(node, hash));
    cevm_node_destroy(node);
}

/* Blocks have become too small for what waits; and a nonce that was set beyond it. */
static void test_outgrown(void **unused)
{
    cevm_node *node = open_manual();
    char hash[67];
    (void)unused;
    send_wei(node, "", hash);
    rpc_do(node, "evm_setBlockGasLimit", "\"0x5207\"");
    rpc_do(node, "evm_mine", "");
    assert_false(is_known(node, hash));
    rpc_do(node, "evm_setBlockGasLimit", "\"0x1c9c380\"");
    send_wei(node, "", hash);
    rpc_do(node, "anvil_setNonce", "\"" ALICE "\",\"0x5\"");
    rpc_do(node, "evm_mine", "");
    assert_false(is_known(node, hash));
    expect_status(node, 0, 0);
    cevm_node_destroy(node);
}

static void test_dropping(void **unused)
{
    cevm_node *node = open_manual();
    char hash[67];
    char params[80];
    (void)unused;
    send_wei(node, "", NULL);
    send_wei(node, "", hash);
    expect_text(node, "anvil_dropTransaction", quoted(params, hash), hash);
    json_t *none = rpc(node, "anvil_dropTransaction", params);
    assert_true(json_is_null(none));
    json_decref(none);
    expect_status(node, 1, 0);
    send_wei(node, "", hash);
    expect_bool(node, "hardhat_dropTransaction", quoted(params, hash), true);
    expect_bool(node, "hardhat_dropTransaction", quoted(params, hash), false);
    rpc_do(node, "eth_sendTransaction", "{\"from\":\"" BOB "\",\"to\":\"" ALICE "\",\"gas\":\"0x5208\"}");
    rpc_do(node, "anvil_removePoolTransactions", "\"" ALICE "\"");
    expect_status(node, 1, 0);
    rpc_do(node, "anvil_dropAllTransactions", "");
    expect_status(node, 0, 0);
    cevm_node_destroy(node);
}

/* ---- Senders --------------------------------------------------------------------------------------------------------- */

/* A contract sends, against EIP-3607, as long as it is impersonated; equal transactions of two have different hashes. */
static void test_impersonation(void **unused)
{
    static const char from_first[] = "{\"from\":\"0x0000000000000000000000000000000000001234\"," TO_BOB "}";
    static const char from_second[] = "{\"from\":\"0x0000000000000000000000000000000000001235\"," TO_BOB "}";
    cevm_node *node = node_open();
    (void)unused;
    for (int i = 4; i < 6; ++i) {
        char params[128];
        (void)snprintf(params, sizeof params, "\"0x000000000000000000000000000000000000123%d\"", i);
        rpc_do(node, "hardhat_impersonateAccount", params);
        (void)snprintf(params, sizeof params, "\"0x000000000000000000000000000000000000123%d\",\"0xde0b6b3a7640000\"",
                       i);
        rpc_do(node, "hardhat_setBalance", params);
    }
    rpc_do(node, "hardhat_setCode", "\"0x0000000000000000000000000000000000001234\",\"0x00\"");
    json_t *first = rpc(node, "eth_sendTransaction", from_first);
    json_t *second = rpc(node, "eth_sendTransaction", from_second);
    assert_false(json_equal(first, second));
    assert_true(is_mined(node, json_string_value(first)));
    assert_true(is_mined(node, json_string_value(second)));
    json_decref(first);
    json_decref(second);
    rpc_do(node, "hardhat_stopImpersonatingAccount", "\"0x0000000000000000000000000000000000001234\"");
    expect_refused(node, from_first, "unknown account 0x");
    rpc_do(node, "eth_sendUnsignedTransaction", from_first);
    rpc_do(node, "anvil_autoImpersonateAccount", "true");
    rpc_do(node, "eth_sendTransaction", from_first);
    cevm_node_destroy(node);
}

/* What the node signs, others recover: of each type, and for a chain of another id. */
static void test_signing(void **unused)
{
    static const char *const fields[] = {"\"gasPrice\":\"0x77359400\"", "\"gasPrice\":\"0x77359400\",\"accessList\":[]",
                                         "\"maxFeePerGas\":\"0x77359400\""};
    cevm_node_options options = node_options();
    (void)unused;
    options.chain_id = UINT64_C(0xffffffffffff);
    cevm_node *node = node_open_with(&options);
    for (uint64_t type = 0; type < 3; ++type) {
        char params[1024];
        (void)snprintf(params, sizeof params, "{\"from\":\"" CAROL "\"," TO_BOB ",%s}", fields[type]);
        json_t *raw = rpc(node, "eth_signTransaction", params);
        (void)snprintf(params, sizeof params, "\"%s\"", json_string_value(raw));
        json_t *receipt = rpc(node, "eth_sendRawTransactionSync", params);
        assert_int_equal(quantity(receipt, "type"), type);
        assert_string_equal(json_string_value(json_object_get(receipt, "from")),
                            "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc");
        json_decref(receipt);
        json_decref(raw);
    }
    cevm_node_destroy(node);
}

/* Without automine a receipt that is waited for does not come. */
static void test_waiting_in_vain(void **unused)
{
    cevm_node *node = open_manual();
    (void)unused;
    expect_error(node, "eth_sendTransactionSync", "{" TO_BOB "},\"0x14\"", 4,
                 "The transaction was added to the mempool but wasn't processed in 20ms");
    cevm_node_destroy(node);
}

/* EIP-170 and EIP-3860, and how a node can be told to let more pass. Initcode: the code is so many zeros. */
static void deploy(cevm_node *node, size_t padding, const char *size, bool fits)
{
    const size_t room = 2 * padding + 512;
    char *tx = malloc(room);
    char params[80];
    assert_non_null(tx);
    (void)snprintf(tx, room, "{\"from\":\"" ALICE "\",\"gas\":\"0xf00000\",\"data\":\"0x62%s6000f3", size);
    const size_t at = strlen(tx);
    memset(tx + at, '0', 2 * padding);
    (void)snprintf(tx + at + 2 * padding, room - at - 2 * padding, "\"}");
    json_t *hash = rpc(node, "eth_sendTransaction", tx);
    json_t *receipt = rpc(node, "eth_getTransactionReceipt", quoted(params, json_string_value(hash)));
    assert_int_equal(quantity(receipt, "status"), fits);
    json_decref(receipt);
    json_decref(hash);
    free(tx);
}

static void test_code_size(void **unused)
{
    cevm_node_options options = node_options();
    (void)unused;
    cevm_node *node = node_open_with(&options);
    deploy(node, 0, "006000", true); /* 24576 bytes */
    deploy(node, 0, "006001", false);
    cevm_node_destroy(node);
    options.code_size_limit = 30000;
    node = node_open_with(&options);
    deploy(node, 50000, "007530", true); /* more initcode than EIP-3860 allows, too */
    deploy(node, 0, "007531", false);
    cevm_node_destroy(node);
}

/* Without gas in the request the estimation fails first, with reason and data; with gas the receipt shows the failure. */
static void test_reverts(void **unused)
{
    /* Error("no"): PUSH32 selector and offset, … written into memory word by word and reverted with. */
    static const char code[] = "\"0x7f08c379a000000000000000000000000000000000000000000000000000000000600052"
                               "6020600452600260245261"
                               "6e6f60f01b604452"
                               "60646000fd\"";
    char params[512];
    cevm_node *node = node_open();
    (void)unused;
    (void)snprintf(params, sizeof params, "\"0x0000000000000000000000000000000000001234\",%s", code);
    rpc_do(node, "anvil_setCode", params);
    expect_error(node, "eth_sendTransaction", "{\"to\":\"0x0000000000000000000000000000000000001234\"}", 3,
                 "execution reverted: no");
    assert_int_equal(block_number(node), 0);
    json_t *hash =
        rpc(node, "eth_sendTransaction", "{\"to\":\"0x0000000000000000000000000000000000001234\",\"gas\":\"0x10000\"}");
    json_t *receipt = rpc(node, "eth_getTransactionReceipt", quoted(params, json_string_value(hash)));
    assert_int_equal(quantity(receipt, "status"), 0);
    json_decref(receipt);
    json_decref(hash);
    rpc_do(node, "evm_setAutomine", "false");
    rpc_do(node, "eth_sendTransaction", "{\"to\":\"0x0000000000000000000000000000000000001234\",\"gas\":\"0x10000\"}");
    json_t *blocks = rpc(node, "evm_mine_detailed", "");
    const json_t *tx = json_array_get(json_object_get(json_array_get(blocks, 0), "transactions"), 0);
    assert_string_equal(json_string_value(json_object_get(tx, "revertReason")), "execution reverted: no");
    json_decref(blocks);
    cevm_node_destroy(node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),    cmocka_unit_test(test_floor),
        cmocka_unit_test(test_replacement), cmocka_unit_test(test_already_known),
        cmocka_unit_test(test_nonce_gap),   cmocka_unit_test(test_fee_that_waits),
        cmocka_unit_test(test_txpool),      cmocka_unit_test(test_spent_twice),
        cmocka_unit_test(test_poor_sender), cmocka_unit_test(test_outgrown),
        cmocka_unit_test(test_dropping),    cmocka_unit_test(test_impersonation),
        cmocka_unit_test(test_reverts),     cmocka_unit_test(test_code_size),
        cmocka_unit_test(test_signing),     cmocka_unit_test(test_waiting_in_vain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
