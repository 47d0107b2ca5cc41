/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A development node on the state of a chain elsewhere: what is there, what is changed here, what it asks for and how often.
 */
#include "node_support.h"

#include "remote_support.h"
#include "rpc/node_internal.h"

enum { MINED = 100 };

/* Three slots that point to each other, behind a proxy: slot 0 of the proxy is the address of the code. */
#define PROXY      "0x0000000000000000000000000000000000002000"
#define PROXY_CODE "365f5f375f5f365f5f545af43d5f5f3e3d5ff3"
#define WALK_CODE  "5f355454545f5260205ff3"
#define DELEGATED  "ef01000000000000000000000000000000000000001234"

typedef struct scene {
    cevm_memdb *db;
    fake_node fake_node;
    cevm_remote_transport transport;
    cevm_node *node;
} scene;

static cevm_address address_at(uint64_t number)
{
    cevm_address a = {{0}};
    cevm_store_be64(a.bytes + 12, number);
    return a;
}

static void put(scene *s, cevm_address address, uint64_t balance, uint64_t nonce, const char *code_hex)
{
    uint8_t code[1024];
    size_t size = 0;
    const cevm_u256 wei = cevm_u256_from_u64(balance);
    assert_true(cevm_hex_decode(code, &size, code_hex, strlen(code_hex)));
    assert_int_equal(cevm_memdb_set_account(s->db, &address, &wei, nonce, (cevm_bytes){code, size}), CEVM_OK);
}

static void put_slot(scene *s, cevm_address address, uint64_t key, uint64_t value)
{
    const cevm_u256 k = cevm_u256_from_u64(key);
    const cevm_u256 v = cevm_u256_from_u64(value);
    assert_int_equal(cevm_memdb_set_storage(s->db, &address, &k, &v), CEVM_OK);
}

static void scene_open(scene *s)
{
    const cevm_address proxy = address_at(0x2000);
    cevm_address alice;
    memset(s, 0, sizeof *s);
    assert_int_equal(cevm_memdb_create(&s->db, NULL), CEVM_OK);
    put(s, address_at(0x1a1a), 0, 1, WALK_CODE);
    put(s, proxy, 0, 1, PROXY_CODE);
    put_slot(s, proxy, 0, 0x1a1a);
    for (uint64_t i = 0; i < MINED; ++i) {
        put_slot(s, proxy, 10000 + i, 20000 + i);
        put_slot(s, proxy, 20000 + i, 30000 + i);
        put_slot(s, proxy, 30000 + i, 40000 + i);
        put(s, address_at(0x4000 + i), 1000000000000000000u, i, "");
    }
    assert_true(cevm_hex_decode_exact(alice.bytes, sizeof alice.bytes, ALICE));
    put(s, alice, 5, 9, DELEGATED);
    s->fake_node = (fake_node){.db = cevm_memdb_interface(s->db), .number = 1000, .chain_id = 77, .branch = 0xaa};
    s->transport = fake_node_transport(&s->fake_node);
    cevm_node_options options = node_options();
    options.has_timestamp = false;
    options.fork_transport = &s->transport;
    s->node = node_open_with(&options);
}

static void scene_close(scene *s)
{
    cevm_node_destroy(s->node);
    fake_node_free(&s->fake_node);
    cevm_memdb_destroy(s->db);
}

/** The chain goes on where the other one is; its accounts, and the known ones with the balance of the options. */
static void test_where_it_begins(void **state)
{
    (void)state;
    scene s;
    scene_open(&s);
    expect_text(s.node, "eth_blockNumber", "", "0x3e8");
    expect_text(s.node, "eth_chainId", "", "0x4d");
    expect_text(s.node, "eth_getBalance", "\"0x0000000000000000000000000000000000004003\",\"latest\"",
                "0xde0b6b3a7640000");
    expect_text(s.node, "eth_getTransactionCount", "\"0x0000000000000000000000000000000000004003\",\"latest\"", "0x3");
    expect_text(s.node, "eth_getCode", "\"" PROXY "\",\"latest\"", "0x" PROXY_CODE);
    expect_text(s.node, "eth_getBalance", "\"" ALICE "\",\"latest\"", "0x21e19e0c9bab2400000");
    expect_text(s.node, "eth_getTransactionCount", "\"" ALICE "\",\"latest\"", "0x9");
    expect_text(s.node, "eth_getCode", "\"" ALICE "\",\"latest\"", "0x"); /* the key is known to everybody */
    json_t *block = rpc(s.node, "eth_getBlockByNumber", "\"0x1f4\",false");
    assert_int_equal(quantity(block, "number"), 500);
    json_decref(block);
    rpc_do(s.node, "evm_mine", "");
    block = rpc(s.node, "eth_getBlockByNumber", "\"latest\",false");
    const cevm_hash parent = fake_node_block_hash(&s.fake_node, 1000);
    char expected[67] = "0x";
    cevm_hex_encode(expected + 2, parent.bytes, 32);
    assert_int_equal(quantity(block, "number"), 1001);
    assert_string_equal(json_string_value(json_object_get(block, "parentHash")), expected);
    json_decref(block);
    scene_close(&s);
}

static void expect_logs(cevm_node *node, const char *method, const char *params, const char *expected)
{
    char text[200] = "";
    size_t used = 0;
    size_t index;
    json_t *log;
    json_t *logs = rpc(node, method, params);
    json_array_foreach(logs, index, log)
    {
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used != 0 ? " " : "",
                                 json_string_value(json_object_get(log, "blockNumber")));
        assert_true(used < sizeof text);
    }
    assert_string_equal(text, expected);
    json_decref(logs);
}

/** Logs up to the block of the fork (1000) are asked for there, later ones are here; one range may hold both. */
static void test_logs(void **state)
{
    (void)state;
    scene s;
    char params[300];
    char topic[67] = "0x";
    scene_open(&s);
    rpc_do(s.node, "anvil_setCode", "\"" PROXY "\",\"0x60015f5fa1\""); /* LOG1 */
    for (int i = 0; i < 3; ++i) {
        rpc_do(s.node, "eth_sendTransaction", "{\"from\":\"" ALICE "\",\"to\":\"" PROXY "\",\"gas\":\"0x186a0\"}");
    }
    expect_logs(s.node, "eth_getLogs", "{\"fromBlock\":\"0x3db\",\"toBlock\":\"0x3e7\"}", "0x3de");
    expect_logs(s.node, "eth_getLogs", "{\"fromBlock\":\"0x3db\"}", "0x3de 0x3e8 0x3e9 0x3ea 0x3eb");
    expect_logs(s.node, "eth_getLogs", "{\"fromBlock\":\"0x3e8\",\"toBlock\":\"0x3ea\"}", "0x3e8 0x3e9 0x3ea");
    const size_t asked = s.fake_node.calls;
    expect_logs(s.node, "eth_getLogs", "{\"fromBlock\":\"0x3e9\"}", "0x3e9 0x3ea 0x3eb");
    assert_int_equal(s.fake_node.calls, asked);
    const cevm_hash hash = fake_node_block_hash(&s.fake_node, 1000);
    cevm_hex_encode(topic + 2, hash.bytes, 32);
    (void)snprintf(params, sizeof params, "{\"blockHash\":\"%s\"}", topic);
    expect_logs(s.node, "eth_getLogs", params, "0x3e8");
    /* The remote is asked for what was asked for here. */
    (void)snprintf(params, sizeof params,
                   "{\"fromBlock\":\"0x3e8\",\"address\":\"" PROXY "\",\"topics\":[null,[\"%s\"]]}", topic);
    json_t *logs = rpc(s.node, "eth_getLogs", params);
    char *text = json_dumps(logs, JSON_COMPACT | JSON_SORT_KEYS);
    (void)snprintf(params, sizeof params,
                   "[{\"address\":\"" PROXY "\",\"blockNumber\":\"0x3e8\",\"topics\":[null,[\"%s\"]]}]", topic);
    assert_string_equal(text, params);
    free(text);
    json_decref(logs);
    json_t *id = rpc(s.node, "eth_newFilter", "{\"fromBlock\":\"0x3e8\"}");
    (void)snprintf(params, sizeof params, "\"%s\"", json_string_value(id));
    json_decref(id);
    expect_logs(s.node, "eth_getFilterLogs", params, "0x3e8 0x3e9 0x3ea 0x3eb");
    s.fake_node.mode = NODE_PRUNED;
    s.fake_node.times = 1000;
    expect_error(s.node, "eth_getLogs", "{\"fromBlock\":\"0x3db\"}", -32000, "the remote chain: ");
    scene_close(&s);
}

/** Reads that depend on each other take as many round trips as they are long, not more for many calls or transactions. */
static void test_round_trips(void **state)
{
    (void)state;
    scene s;
    scene_open(&s);
    size_t before = s.fake_node.requests;
    expect_text(s.node, "eth_call",
                "{\"to\":\"" PROXY
                "\",\"data\":\"0x0000000000000000000000000000000000000000000000000000000000002711\"}",
                "0x0000000000000000000000000000000000000000000000000000000000009c41");
    print_message("a call: %zu round trips\n", s.fake_node.requests - before);
    assert_true(s.fake_node.requests - before <= 7);
    before = s.fake_node.requests;
    expect_text(s.node, "eth_call",
                "{\"to\":\"" PROXY
                "\",\"data\":\"0x0000000000000000000000000000000000000000000000000000000000002711\"}",
                "0x0000000000000000000000000000000000000000000000000000000000009c41");
    assert_int_equal(s.fake_node.requests, before);

    rpc_do(s.node, "evm_setAutomine", "false");
    rpc_do(s.node, "anvil_autoImpersonateAccount", "true");
    for (unsigned i = 0; i < MINED; ++i) {
        char params[300];
        (void)snprintf(params, sizeof params,
                       "{\"from\":\"0x%040x\",\"to\":\"" PROXY "\",\"gas\":\"0x15f90\",\"data\":\"0x%064x\"}",
                       0x4000 + i, 10000 + i);
        rpc_do(s.node, "eth_sendTransaction", params);
    }
    before = s.fake_node.requests;
    rpc_do(s.node, "evm_mine", "");
    print_message("a block of %d transactions: %zu round trips\n", MINED, s.fake_node.requests - before);
    assert_true(s.fake_node.requests - before <= 6);
    json_t *block = rpc(s.node, "eth_getBlockByNumber", "\"latest\",false");
    assert_int_equal(json_array_size(json_object_get(block, "transactions")), MINED);
    json_decref(block);
    scene_close(&s);
}

/** A chain that has the system contracts is asked for their rings neither at each block nor offline. */
static void test_empty_blocks_ask_nothing(void **state)
{
    (void)state;
    scene s;
    scene_open(&s);
    cevm_node_destroy(s.node);
    cevm_predeploy given;
    for (size_t i = 0; cevm_node_predeploy(&given, i); ++i) {
        if (given.size < 600) {
            char code[2 * sizeof given.code + 1];
            cevm_hex_encode(code, given.code, given.size);
            put(&s, given.address, 0, 1, code);
            put_slot(&s, given.address, 1, 0);
        }
    }
    cevm_node_options options = node_options();
    options.has_timestamp = false;
    options.fork_transport = &s.transport;
    s.node = node_open_with(&options);
    rpc_do(s.node, "evm_mine", "");
    const size_t before = s.fake_node.requests;
    for (int i = 0; i < 20; ++i) {
        rpc_do(s.node, "evm_mine", "");
    }
    assert_int_equal(s.fake_node.requests, before);
    scene_close(&s);
}

/** What is changed is changed here; going back brings what is there. */
static void test_changes(void **state)
{
    (void)state;
    scene s;
    scene_open(&s);
    json_t *snapshot = rpc(s.node, "evm_snapshot", "");
    char params[32];
    (void)snprintf(params, sizeof params, "\"%s\"", json_string_value(snapshot));
    json_decref(snapshot);
    rpc_do(s.node, "anvil_setStorageAt",
           "\"" PROXY "\",\"0x7530\",\"0x0000000000000000000000000000000000000000000000000000000000000005\"");
    rpc_do(s.node, "anvil_setBalance", "\"0x0000000000000000000000000000000000004003\",\"0x1\"");
    rpc_do(s.node, "evm_mine", "");
    const char *const call =
        "{\"to\":\"" PROXY "\",\"data\":\"0x0000000000000000000000000000000000000000000000000000000000002710\"}";
    expect_text(s.node, "eth_call", call, "0x0000000000000000000000000000000000000000000000000000000000000005");
    expect_text(s.node, "eth_getBalance", "\"0x0000000000000000000000000000000000004003\",\"latest\"", "0x1");
    expect_bool(s.node, "evm_revert", params, true);
    expect_text(s.node, "eth_call", call, "0x0000000000000000000000000000000000000000000000000000000000009c40");
    expect_text(s.node, "eth_getBalance", "\"0x0000000000000000000000000000000000004003\",\"latest\"",
                "0xde0b6b3a7640000");
    scene_close(&s);
}

/** What goes wrong there is said as it was said. */
static void test_troubles(void **state)
{
    (void)state;
    scene s;
    scene_open(&s);
    s.fake_node.mode = NODE_PRUNED;
    expect_error(s.node, "eth_getBalance", "\"0x0000000000000000000000000000000000004003\",\"latest\"", -32603,
                 "the remote chain: the node: eth_getBalance: the node says missing trie node");
    s.fake_node.mode = NODE_WELL;
    expect_text(s.node, "eth_getBalance", "\"0x0000000000000000000000000000000000004003\",\"latest\"",
                "0xde0b6b3a7640000");
    scene_close(&s);
    cevm_node *node = NULL;
    cevm_node_error error;
    cevm_node_options options = node_options();
    options.offline = true;
    assert_true(cevm_node_create(&node, &error, &options) != CEVM_OK);
    assert_string_equal(error.text, "offline takes a cache file");
    options.genesis_path = "none";
    assert_true(cevm_node_create(&node, &error, &options) != CEVM_OK);
    assert_non_null(strstr(error.text, "takes no genesis"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_where_it_begins), cmocka_unit_test(test_logs),
        cmocka_unit_test(test_round_trips),     cmocka_unit_test(test_empty_blocks_ask_nothing),
        cmocka_unit_test(test_changes),         cmocka_unit_test(test_troubles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
