/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The development node: its accounts, how blocks are mined, the clock, snapshots, and that equal inputs make equal blocks.
 */
#include "node_support.h"

#include <time.h>

/* ---- The first block ------------------------------------------------------------------------------------------------ */

/* What every development node derives from "test test test … junk". */
static void test_accounts(void **unused)
{
    static const char *const expected[] = {
        "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266", "0x70997970c51812dc3a010c7d01b50e0d17dc79c8",
        "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc", "0x90f79bf6eb2c4f870365e785982e1f101e93b906",
        "0x15d34aaf54267db7d7c367839aaf71a00a2c6a65", "0x9965507d1a55bcc2695c58ba16fb37d819b0a4dc",
        "0x976ea74026e726554db657fa54763abd0c3a0aa9", "0x14dc79964da2c08b23698b3d3cc7ca32193d9955",
        "0x23618e81e3f5cdf7f54c3d65f7fbc0abf5b21e8f", "0xa0ee7a142d267c1f36714e4a8f75612f20a79720"};
    uint8_t key[32];
    uint8_t first[32];
    cevm_address address;
    cevm_node *node = node_open();
    (void)unused;
    json_t *accounts = rpc(node, "eth_accounts", "");
    assert_int_equal(json_array_size(accounts), 10);
    for (size_t i = 0; i < 10; ++i) {
        char params[80];
        assert_string_equal(json_string_value(json_array_get(accounts, i)), expected[i]);
        expect_text(node, "eth_getBalance", quoted(params, expected[i]), "0x21e19e0c9bab2400000");
    }
    json_decref(accounts);
    assert_true(
        cevm_hex_decode_exact(first, sizeof first, "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"));
    cevm_node_account(node, 0, &address, key);
    assert_memory_equal(key, first, sizeof key);
    cevm_node_destroy(node);
}

/* BIP-44's usual path for another mnemonic, from the test vectors that wallets share. */
static void test_other_mnemonic(void **unused)
{
    cevm_node_options options = node_options();
    (void)unused;
    options.accounts = 1;
    options.mnemonic = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
    options.derivation = "m/44'/60'/0'/0";
    cevm_node *node = node_open_with(&options);
    json_t *accounts = rpc(node, "eth_accounts", "");
    assert_string_equal(json_string_value(json_array_get(accounts, 0)), "0x9858effd232b4033e47d90003d41ec34ecaeda94");
    json_decref(accounts);
    cevm_node_destroy(node);
    cevm_node_error error;
    options.derivation = "44'/60";
    assert_int_equal(cevm_node_create(&node, &error, &options), CEVM_ERR_ARGUMENT);
    assert_null(node);
    options.derivation = NULL;
    options.mnemonic = "abandon  abandon";
    assert_int_equal(cevm_node_create(&node, &error, &options), CEVM_ERR_ARGUMENT);
    assert_null(node);
    assert_string_equal(error.text,
                        "a mnemonic has 12, 15, 18, 21 or 24 words with one space between, not \"abandon  abandon\"");
    options.mnemonic = "abandon  abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
    assert_int_equal(cevm_node_create(&node, &error, &options), CEVM_ERR_ARGUMENT);
}

static void test_genesis(void **unused)
{
    cevm_node *node = node_open();
    (void)unused;
    expect_text(node, "eth_chainId", "", "0x7a69");
    json_t *block = latest_block(node);
    assert_int_equal(quantity(block, "number"), 0);
    assert_int_equal(quantity(block, "timestamp"), GENESIS_TIME);
    assert_int_equal(quantity(block, "gasLimit"), 30000000);
    assert_int_equal(quantity(block, "baseFeePerGas"), 1000000000);
    json_decref(block);
    /* EIP-2935's contract, and the proxy for CREATE2. */
    json_t *code = rpc(node, "eth_getCode", "\"0x0000F90827F1C53a10cb7A02335B175320002935\"");
    assert_int_equal(json_string_length(code), 2 + 2 * 83);
    json_decref(code);
    code = rpc(node, "eth_getCode", "\"0x4e59b44847b379578588920cA78FbF26c0B4956C\"");
    assert_int_equal(json_string_length(code), 2 + 2 * 69);
    json_decref(code);
    cevm_node_destroy(node);
}

/* Every fork makes blocks. */
static void test_forks(void **unused)
{
    (void)unused;
    for (int fork = CEVM_FRONTIER; fork < CEVM_FORK_COUNT; ++fork) {
        cevm_node_options options = node_options();
        char hash[67];
        options.fork = (cevm_fork)fork;
        cevm_node *node = node_open_with(&options);
        send_wei(node, "", hash);
        assert_true(is_mined(node, hash));
        rpc_do(node, "evm_mine", "");
        assert_int_equal(block_number(node), 2);
        cevm_node_destroy(node);
    }
}

/* ---- Mining --------------------------------------------------------------------------------------------------------- */

static void test_automine(void **unused)
{
    cevm_node *node = node_open();
    char params[80];
    char hash[67];
    (void)unused;
    for (uint64_t i = 1; i <= 3; ++i) {
        send_wei(node, "", hash);
        json_t *receipt = rpc(node, "eth_getTransactionReceipt", quoted(params, hash));
        assert_int_equal(quantity(receipt, "blockNumber"), i);
        assert_int_equal(quantity(receipt, "status"), 1);
        assert_int_equal(quantity(receipt, "gasUsed"), 21000);
        json_decref(receipt);
        assert_int_equal(block_number(node), i);
    }
    assert_int_equal(rpc_quantity(node, "eth_getTransactionCount", "\"" ALICE "\""), 3);
    cevm_node_destroy(node);
}

/* EIP-1559 from an empty parent: an eighth less. */
static void test_base_fee(void **unused)
{
    cevm_node *node = node_open();
    (void)unused;
    rpc_do(node, "evm_mine", "");
    assert_int_equal(latest(node, "baseFeePerGas"), 875000000);
    rpc_do(node, "anvil_setNextBlockBaseFeePerGas", "\"0x77359400\"");
    rpc_do(node, "evm_mine", "");
    assert_int_equal(latest(node, "baseFeePerGas"), 2000000000);
    rpc_do(node, "evm_mine", "");
    assert_int_equal(latest(node, "baseFeePerGas"), 1750000000);
    cevm_node_destroy(node);
}

static void test_manual(void **unused)
{
    cevm_node *node = node_open();
    char hash[67];
    (void)unused;
    rpc_do(node, "evm_setAutomine", "false");
    expect_bool(node, "anvil_getAutomine", "", false);
    send_wei(node, "", hash);
    assert_false(is_mined(node, hash));
    assert_int_equal(rpc_quantity(node, "eth_getTransactionCount", "\"" ALICE "\",\"pending\""), 1);
    assert_int_equal(rpc_quantity(node, "eth_getTransactionCount", "\"" ALICE "\",\"latest\""), 0);
    send_wei(node, "", NULL);
    rpc_do(node, "evm_mine", "");
    assert_true(is_mined(node, hash));
    assert_int_equal(block_number(node), 1);
    assert_int_equal(rpc_quantity(node, "eth_getBlockTransactionCountByNumber", "\"latest\""), 2);
    rpc_do(node, "hardhat_mine", "\"0x64\",\"0xc\"");
    assert_int_equal(block_number(node), 101);
    cevm_node_destroy(node);
}

static void wait_for_blocks(cevm_node *node, uint64_t number)
{
    static const struct timespec pause = {.tv_nsec = 5000000};
    for (int i = 0; i < 2000 && block_number(node) < number; ++i) {
        (void)nanosleep(&pause, NULL);
    }
    assert_true(block_number(node) >= number);
}

static void test_interval(void **unused)
{
    cevm_node_options options = node_options();
    char hash[67];
    (void)unused;
    options.block_time_ms = 20;
    cevm_node *node = node_open_with(&options);
    expect_bool(node, "anvil_getAutomine", "", false);
    send_wei(node, "", hash);
    wait_for_blocks(node, 3);
    assert_true(is_mined(node, hash));
    rpc_do(node, "evm_setIntervalMining", "0");
    const uint64_t number = block_number(node);
    static const struct timespec pause = {.tv_nsec = 60000000};
    (void)nanosleep(&pause, NULL);
    assert_int_equal(block_number(node), number);
    rpc_do(node, "evm_setIntervalMining", "[10,20]");
    wait_for_blocks(node, number + 2);
    cevm_node_destroy(node);
}

static void test_mixed(void **unused)
{
    cevm_node_options options = node_options();
    char hash[67];
    (void)unused;
    options.block_time_ms = 20;
    options.mixed_mining = true;
    cevm_node *node = node_open_with(&options);
    send_wei(node, "", hash);
    assert_true(is_mined(node, hash));
    wait_for_blocks(node, 4);
    cevm_node_destroy(node);
}

/* More than a block holds goes into as many as it takes; tips decide the order within one. */
static void test_full_blocks(void **unused)
{
    cevm_node *node = node_open();
    char cheap[67];
    char dear[67];
    (void)unused;
    rpc_do(node, "evm_setAutomine", "false");
    rpc_do(node, "evm_setBlockGasLimit", "\"0xa410\""); /* two transfers */
    send_wei(node, ",\"maxPriorityFeePerGas\":\"0x1\"", cheap);
    send_wei(node, "", NULL);
    send_wei(node, "", NULL);
    json_t *hash =
        rpc(node, "eth_sendTransaction",
            "{\"from\":\"" BOB "\",\"to\":\"" ALICE "\",\"gas\":\"0x5208\",\"maxPriorityFeePerGas\":\"0x64\"}");
    memcpy(dear, json_string_value(hash), sizeof dear);
    json_decref(hash);
    rpc_do(node, "evm_mine", "");
    json_t *block = latest_block(node);
    const json_t *txs = json_object_get(block, "transactions");
    assert_int_equal(json_array_size(txs), 2);
    assert_string_equal(json_string_value(json_array_get(txs, 0)), dear);
    assert_string_equal(json_string_value(json_array_get(txs, 1)), cheap);
    json_decref(block);
    rpc_do(node, "evm_setAutomine", "true");
    send_wei(node, "", NULL); /* three wait now: two blocks */
    assert_int_equal(block_number(node), 3);
    expect_text(node, "eth_getBlockTransactionCountByNumber", "\"0x2\"", "0x2");
    expect_text(node, "eth_getBlockTransactionCountByNumber", "\"0x3\"", "0x1");
    cevm_node_destroy(node);
}

/* Only the newest blocks are kept where that is asked for, and the first; what they hold goes on to work. */
static void test_history(void **unused)
{
    cevm_node_options options = node_options();
    char early[67];
    char late[67];
    (void)unused;
    options.history = 300;
    cevm_node *node = node_open_with(&options);
    send_wei(node, "", early);
    rpc_do(node, "evm_snapshot", "");
    rpc_do(node, "evm_mine", "{\"blocks\":900}");
    send_wei(node, "", late);
    assert_false(is_mined(node, early));
    assert_true(is_mined(node, late));
    json_t *block = rpc(node, "eth_getBlockByNumber", "\"0x258\",false");
    assert_true(json_is_null(block));
    json_decref(block);
    block = rpc(node, "eth_getBlockByNumber", "\"earliest\",false");
    assert_int_equal(quantity(block, "number"), 0);
    json_decref(block);
    assert_int_equal(rpc_quantity(node, "eth_getTransactionCount", "\"" ALICE "\",\"0x2bc\""), 1);
    expect_error(node, "anvil_rollback", "400", -32602, "only 300 blocks are kept");
    rpc_do(node, "anvil_rollback", "200");
    assert_int_equal(block_number(node), 702);
    expect_bool(node, "evm_revert", "1", true); /* a snapshot keeps its own */
    assert_true(is_mined(node, early));
    cevm_node_destroy(node);
}

static void test_order_of_arrival(void **unused)
{
    cevm_node_options options = node_options();
    (void)unused;
    options.order = CEVM_ORDER_FIFO;
    options.no_mining = true;
    cevm_node *node = node_open_with(&options);
    char first[67];
    send_wei(node, ",\"maxPriorityFeePerGas\":\"0x1\"", first);
    rpc_do(node, "eth_sendTransaction", "{\"from\":\"" BOB "\",\"to\":\"" ALICE "\",\"gas\":\"0x5208\"}");
    rpc_do(node, "evm_mine", "");
    json_t *block = latest_block(node);
    assert_string_equal(json_string_value(json_array_get(json_object_get(block, "transactions"), 0)), first);
    json_decref(block);
    cevm_node_destroy(node);
}

/* ---- The clock ------------------------------------------------------------------------------------------------------ */

static void expect_time(cevm_node *node, uint64_t at_least)
{
    const uint64_t time = latest(node, "timestamp");
    assert_true(time >= at_least && time < at_least + 30); /* the test takes that long at most */
}

static void test_clock(void **unused)
{
    cevm_node *node = node_open();
    (void)unused;
    rpc_do(node, "evm_mine", "");
    expect_time(node, GENESIS_TIME);
    rpc_do(node, "evm_increaseTime", "3600");
    rpc_do(node, "evm_mine", "");
    expect_time(node, GENESIS_TIME + 3600);
    rpc_do(node, "evm_setNextBlockTimestamp", "1800000000");
    rpc_do(node, "evm_mine", "");
    assert_int_equal(latest(node, "timestamp"), 1800000000);
    rpc_do(node, "evm_mine", ""); /* and it goes on from there */
    expect_time(node, 1800000001);
    expect_error(node, "evm_setNextBlockTimestamp", "1800000000", -32602, "Timestamp error: 1800000000 is lower than");
    rpc_do(node, "evm_mine", "1900000000");
    assert_int_equal(latest(node, "timestamp"), 1900000000);
    rpc_do(node, "evm_setTime", "2000000000");
    rpc_do(node, "evm_mine", "");
    expect_time(node, 2000000000);
    cevm_node_destroy(node);
}

static void test_clock_intervals(void **unused)
{
    cevm_node *node = node_open();
    (void)unused;
    rpc_do(node, "anvil_setBlockTimestampInterval", "7");
    rpc_do(node, "evm_mine", "{\"blocks\":3}");
    assert_int_equal(latest(node, "timestamp"), GENESIS_TIME + 21);
    expect_bool(node, "anvil_removeBlockTimestampInterval", "", true);
    expect_bool(node, "anvil_removeBlockTimestampInterval", "", false);
    rpc_do(node, "evm_setNextBlockTimestamp", "1800000000");
    rpc_do(node, "anvil_mine", "\"0x4\",\"0xa\"");
    assert_int_equal(latest(node, "timestamp"), 1800000030);
    cevm_node_destroy(node);
}

/* Time never stands still, however many blocks a second has. */
static void test_time_grows(void **unused)
{
    cevm_node *node = node_open();
    uint64_t last = GENESIS_TIME;
    (void)unused;
    for (int i = 0; i < 20; ++i) {
        rpc_do(node, "evm_mine", "");
        const uint64_t time = latest(node, "timestamp");
        assert_true(time > last);
        last = time;
    }
    cevm_node_destroy(node);
}

/* ---- Snapshots ------------------------------------------------------------------------------------------------------ */

static void test_snapshot(void **unused)
{
    cevm_node *node = node_open();
    char waiting[67];
    char later[67];
    char params[80];
    (void)unused;
    rpc_do(node, "evm_mine", "{\"blocks\":5}");
    rpc_do(node, "evm_setAutomine", "false");
    send_wei(node, "", waiting);
    rpc_do(node, "anvil_setNextBlockBaseFeePerGas", "\"0x3b9aca01\"");
    json_t *before = latest_block(node);
    expect_text(node, "evm_snapshot", "", "0x1");
    rpc_do(node, "evm_increaseTime", "100000");
    rpc_do(node, "evm_mine", "{\"blocks\":9}");
    send_wei(node, "", later);
    rpc_do(node, "evm_mine", "");
    rpc_do(node, "anvil_setBalance", "\"" BOB "\",\"0x0\"");
    rpc_do(node, "anvil_setCoinbase", "\"" CAROL "\"");
    expect_text(node, "evm_snapshot", "", "0x2");
    rpc_do(node, "evm_setAutomine", "true");
    expect_bool(node, "evm_revert", "\"0x1\"", true);
    json_t *after = latest_block(node);
    assert_true(json_equal(before, after));
    json_decref(before);
    json_decref(after);
    assert_int_equal(block_number(node), 5);
    expect_text(node, "eth_getBalance", "\"" BOB "\"", "0x21e19e0c9bab2400000");
    expect_bool(node, "anvil_getAutomine", "", true); /* not the chain's: it stays, as in anvil and Hardhat */
    rpc_do(node, "evm_setAutomine", "false");
    json_t *gone = rpc(node, "eth_getTransactionByHash", quoted(params, later));
    assert_true(json_is_null(gone));
    json_decref(gone);
    expect_bool(node, "evm_revert", "\"0x2\"", false); /* it came later */
    expect_bool(node, "evm_revert", "\"0x1\"", false); /* it is used up */
    rpc_do(node, "evm_mine", "");
    expect_time(node, GENESIS_TIME + 1);
    assert_int_equal(latest(node, "baseFeePerGas"), 1000000001);
    expect_text(node, "eth_coinbase", "", "0x0000000000000000000000000000000000000000");
    assert_true(is_mined(node, waiting));
    cevm_node_destroy(node);
}

static void test_many_snapshots(void **unused)
{
    cevm_node *node = node_open();
    (void)unused;
    for (uint64_t i = 1; i <= 50; ++i) {
        assert_int_equal(rpc_quantity(node, "evm_snapshot", ""), i);
        send_wei(node, "", NULL);
    }
    for (uint64_t i = 50; i <= 50 && i > 0; i -= 7) {
        char params[24];
        (void)snprintf(params, sizeof params, "%llu", (unsigned long long)i);
        expect_bool(node, "evm_revert", params, true);
        assert_int_equal(block_number(node), i - 1);
        assert_int_equal(rpc_quantity(node, "eth_getTransactionCount", "\"" ALICE "\""), i - 1);
    }
    rpc_do(node, "anvil_reset", "");
    assert_int_equal(block_number(node), 0);
    assert_int_equal(rpc_quantity(node, "eth_getTransactionCount", "\"" ALICE "\""), 0);
    cevm_node_destroy(node);
}

/* ---- Equal inputs, equal blocks -------------------------------------------------------------------------------------- */

static void play(cevm_node *node)
{
    rpc_do(node, "anvil_setBlockTimestampInterval", "12");
    send_wei(node, "", NULL);
    rpc_do(node, "evm_setAutomine", "false");
    for (int i = 0; i < 5; ++i) {
        send_wei(node, "", NULL);
        rpc_do(node, "eth_sendTransaction", "{\"from\":\"" BOB "\",\"to\":\"" CAROL "\",\"gas\":\"0x5208\"}");
    }
    rpc_do(node, "evm_mine", "{\"blocks\":3}");
    rpc_do(node, "anvil_setBalance", "\"" CAROL "\",\"0x1234\"");
    rpc_do(node, "anvil_setStorageAt", "\"" CAROL "\",\"0x1\",\"0x2\"");
    send_wei(node, "", NULL);
    rpc_do(node, "anvil_reorg", "1,[]");
    rpc_do(node, "evm_mine", "");
}

static void test_determinism(void **unused)
{
    cevm_node *a = node_open();
    cevm_node *b = node_open();
    (void)unused;
    play(a);
    play(b);
    json_t *left = latest_block(a);
    json_t *right = latest_block(b);
    assert_true(json_equal(left, right));
    assert_int_equal(quantity(left, "number"), 5);
    assert_int_equal(json_array_size(json_object_get(left, "transactions")), 1);
    json_decref(left);
    json_decref(right);
    cevm_node_destroy(a);
    cevm_node_destroy(b);
}

/* Time neither wraps nor goes back, however far it is pushed. */
static void test_end_of_time(void **unused)
{
    static const char last[] = "\"0x4000000000000000\""; /* 2^62, the last time of the clock */
    cevm_node *node = node_open();
    (void)unused;
    const uint64_t before = latest(node, "timestamp");
    expect_error(node, "evm_increaseTime", "\"0xffffffffffffffff\"", -32602, "Timestamp error: ");
    expect_error(node, "evm_increaseTime", last, -32602, "Timestamp error: ");
    expect_error(node, "evm_setNextBlockTimestamp", "\"0x4000000000000001\"", -32602, "Timestamp error: ");
    expect_error(node, "evm_mine", "\"0xffffffffffffffff\"", -32602, "Timestamp error: ");
    expect_error(node, "hardhat_mine", "\"0x2\",\"0xffffffffffffffff\"", -32602, "Timestamp error: ");
    expect_error(node, "evm_setBlockTimestampInterval", "\"0xffffffffffffffff\"", -32602, "Timestamp error: ");
    assert_int_equal(latest(node, "timestamp"), before);
    rpc_do(node, "evm_setNextBlockTimestamp", last);
    rpc_do(node, "evm_mine", "");
    assert_int_equal(latest(node, "timestamp"), UINT64_C(1) << 62);
    rpc_do(node, "hardhat_mine", "\"0x2\",\"0x3c\"");
    assert_true(latest(node, "timestamp") > UINT64_C(1) << 62);
    cevm_node_destroy(node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accounts),    cmocka_unit_test(test_other_mnemonic),   cmocka_unit_test(test_genesis),
        cmocka_unit_test(test_forks),       cmocka_unit_test(test_automine),         cmocka_unit_test(test_base_fee),
        cmocka_unit_test(test_manual),      cmocka_unit_test(test_interval),         cmocka_unit_test(test_mixed),
        cmocka_unit_test(test_full_blocks), cmocka_unit_test(test_order_of_arrival), cmocka_unit_test(test_history),
        cmocka_unit_test(test_clock),       cmocka_unit_test(test_clock_intervals),  cmocka_unit_test(test_time_grows),
        cmocka_unit_test(test_snapshot),    cmocka_unit_test(test_many_snapshots),   cmocka_unit_test(test_determinism),
        cmocka_unit_test(test_end_of_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
