/* SPDX-License-Identifier: Apache-2.0 */
/* The methods of Parity's trace module. What a trace says, test_parity_trace.c tests; here it is which, and of what. */
#include "node_support.h"

#include "remote_support.h"

#define COUNTER "0x00000000000000000000000000000000000000c1"
#define CALLER  "0x00000000000000000000000000000000000000c2"
#define ZEROS   "0000000000000000000000000000000000000000000000000000000000000000"
#define ONE     "0000000000000000000000000000000000000000000000000000000000000001"
#define ALL     "[\"trace\",\"stateDiff\",\"vmTrace\"]"

/* Adds one to slot 0. */
#define COUNTER_CODE "0x5f546001015f5500"
/* Calls the counter, with what value came. */
#define CALLER_CODE "0x5f5f5f5f3460c15af100"

static void send(cevm_node *node, char hash[67], const char *from, const char *to)
{
    char params[300];
    (void)snprintf(params, sizeof params, "{\"from\":\"%s\",\"to\":\"%s\",\"gas\":\"0x20000\"}", from, to);
    json_t *result = rpc(node, "eth_sendTransaction", params);
    memcpy(hash, json_string_value(result), 67);
    json_decref(result);
}

static void put_contracts(cevm_node *node)
{
    rpc_do(node, "anvil_setCode", "\"" COUNTER "\",\"" COUNTER_CODE "\"");
    rpc_do(node, "anvil_setCode", "\"" CALLER "\",\"" CALLER_CODE "\"");
}

/* Alice calls the counter and Bob the caller in block 1, Alice sends Bob a wei in block 3: four entries. */
typedef struct scene {
    cevm_node *node;
    char counted[67], called[67], sent[67];
} scene;

static scene scene_of(cevm_node *node)
{
    scene s = {.node = node};
    put_contracts(node);
    rpc_do(node, "evm_setAutomine", "false");
    send(node, s.counted, ALICE, COUNTER);
    send(node, s.called, BOB, CALLER);
    rpc_do(node, "evm_mine", "");
    rpc_do(node, "evm_mine", "");
    send_wei(node, "", s.sent);
    rpc_do(node, "evm_mine", "");
    return s;
}

static json_t *call_with_hash(cevm_node *node, const char *method, const char *hash, const char *more)
{
    char params[400];
    (void)snprintf(params, sizeof params, "\"%s\"%s", hash, more);
    return rpc(node, method, params);
}

static void expect_null(json_t *value)
{
    assert_true(json_is_null(value));
    json_decref(value);
}

static void expect_size(json_t *list, size_t size)
{
    assert_true(json_is_array(list));
    assert_int_equal(json_array_size(list), size);
    json_decref(list);
}

static const char *text_at(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* ---- What was executed --------------------------------------------------------------------------------------------- */

static void test_block(void **unused)
{
    scene s = scene_of(node_open());
    (void)unused;
    json_t *block = rpc(s.node, "trace_block", "\"0x1\"");
    json_t *first = call_with_hash(s.node, "trace_transaction", s.counted, "");
    json_t *second = call_with_hash(s.node, "trace_transaction", s.called, "");
    assert_int_equal(json_array_size(first), 1);
    assert_int_equal(json_array_size(second), 2);
    assert_int_equal(json_array_extend(first, second), 0);
    assert_true(json_equal(block, first));
    const json_t *inner = json_array_get(block, 2);
    json_t *header = rpc(s.node, "eth_getBlockByNumber", "\"0x1\",false");
    assert_string_equal(text_at(inner, "blockHash"), text_at(header, "hash"));
    assert_string_equal(text_at(inner, "transactionHash"), s.called);
    assert_int_equal(json_integer_value(json_object_get(inner, "blockNumber")), 1);
    assert_int_equal(json_integer_value(json_object_get(inner, "transactionPosition")), 1);
    assert_string_equal(text_at(json_object_get(inner, "action"), "from"), CALLER);
    assert_string_equal(text_at(json_object_get(inner, "action"), "to"), COUNTER);
    json_t *by_hash = call_with_hash(s.node, "trace_block", text_at(header, "hash"), "");
    assert_true(json_equal(block, by_hash));
    expect_size(rpc(s.node, "trace_block", "\"0x2\""), 0);
    expect_size(rpc(s.node, "trace_block", "\"0x0\""), 0);
    expect_size(rpc(s.node, "trace_block", "\"latest\""), 1);
    expect_error(s.node, "trace_block", "\"0x9\"", -32000, "header not found: the newest block is 3");
    expect_null(rpc(s.node, "trace_transaction", "\"0x" ZEROS "\""));
    json_decref(by_hash);
    json_decref(header);
    json_decref(block);
    json_decref(first);
    json_decref(second);
    cevm_node_destroy(s.node);
}

static void test_get(void **unused)
{
    scene s = scene_of(node_open());
    (void)unused;
    json_t *all = call_with_hash(s.node, "trace_transaction", s.called, "");
    json_t *outer = call_with_hash(s.node, "trace_get", s.called, ",[]");
    json_t *inner = call_with_hash(s.node, "trace_get", s.called, ",[\"0x0\"]");
    assert_true(json_equal(outer, json_array_get(all, 0)));
    assert_true(json_equal(inner, json_array_get(all, 1)));
    expect_null(call_with_hash(s.node, "trace_get", s.called, ",[\"0x1\"]"));
    expect_null(call_with_hash(s.node, "trace_get", s.called, ",[\"0x0\",\"0x0\"]"));
    expect_null(rpc(s.node, "trace_get", "\"0x" ZEROS "\",[]"));
    json_decref(all);
    json_decref(outer);
    json_decref(inner);
    cevm_node_destroy(s.node);
}

/* Slot 0 of the counter in a stateDiff: from and to. */
static void expect_count(const json_t *answer, unsigned from, unsigned to)
{
    const json_t *account = json_object_get(json_object_get(answer, "stateDiff"), COUNTER);
    const json_t *slot = json_object_get(json_object_get(json_object_get(account, "storage"), "0x" ZEROS), "*");
    assert_int_equal(quantity(slot, "from"), from);
    assert_int_equal(quantity(slot, "to"), to);
}

/* Each on the state it was executed on, whatever has happened since. */
static void test_replay(void **unused)
{
    scene s = scene_of(node_open());
    (void)unused;
    rpc_do(s.node, "anvil_setStorageAt", "\"" COUNTER "\",\"0x0\",\"0x" ZEROS "\"");
    json_t *block = rpc(s.node, "trace_replayBlockTransactions", "\"0x1\"," ALL);
    json_t *second = call_with_hash(s.node, "trace_replayTransaction", s.called, "," ALL);
    assert_int_equal(json_array_size(block), 2);
    expect_count(json_array_get(block, 0), 0, 1);
    expect_count(second, 1, 2);
    assert_true(json_equal(json_array_get(block, 1), second));
    assert_string_equal(text_at(second, "transactionHash"), s.called);
    assert_string_equal(text_at(json_object_get(second, "vmTrace"), "code"), CALLER_CODE);
    assert_null(json_object_get(json_array_get(json_object_get(second, "trace"), 0), "blockHash"));
    json_decref(second);
    second = call_with_hash(s.node, "trace_replayTransaction", s.called, ",[\"trace\"]");
    assert_true(json_is_null(json_object_get(second, "vmTrace")));
    assert_true(json_is_null(json_object_get(second, "stateDiff")));
    json_decref(second);
    second = call_with_hash(s.node, "trace_replayTransaction", s.called, ",[]");
    assert_int_equal(json_array_size(json_object_get(second, "trace")), 0);
    json_decref(second);
    json_decref(block);
    expect_size(rpc(s.node, "trace_replayBlockTransactions", "\"0x0\"," ALL), 0);
    expect_error(s.node, "trace_replayTransaction", "\"0x" ZEROS "\"," ALL, -32000, "transaction not found");
    expect_error(s.node, "trace_replayBlockTransactions", "\"0x1\",[\"traces\"]", -32602,
                 "unknown kind of trace \"traces\"");
    expect_error(s.node, "trace_replayBlockTransactions", "\"0x1\",[1]", -32602, "unknown kind of trace \"\"");
    cevm_node_destroy(s.node);
}

/* ---- trace_filter -------------------------------------------------------------------------------------------------- */

static json_t *filtered(cevm_node *node, const char *filter) { return rpc(node, "trace_filter", filter); }

static void test_filter(void **unused)
{
    scene s = scene_of(node_open());
    cevm_node *node = s.node;
    (void)unused;
    expect_size(filtered(node, "{}"), 4);
    expect_size(filtered(node, "{\"fromBlock\":\"0x1\",\"toBlock\":\"0x2\"}"), 3);
    expect_size(filtered(node, "{\"fromBlock\":\"latest\"}"), 1);
    expect_size(filtered(node, "{\"toBlock\":\"earliest\"}"), 0);
    expect_size(filtered(node, "{\"fromAddress\":[\"" ALICE "\"]}"), 2);
    expect_size(filtered(node, "{\"fromAddress\":\"" CALLER "\"}"), 1);
    expect_size(filtered(node, "{\"toAddress\":[\"" COUNTER "\"]}"), 2);
    expect_size(filtered(node, "{\"fromAddress\":[\"" ALICE "\"],\"toAddress\":[\"" COUNTER "\"]}"), 3);
    expect_size(
        filtered(node, "{\"fromAddress\":[\"" ALICE "\"],\"toAddress\":[\"" COUNTER "\"],\"mode\":\"intersection\"}"),
        1);
    expect_size(filtered(node, "{\"fromAddress\":[\"" ALICE "\"],\"toAddress\":[],\"mode\":\"intersection\"}"), 2);
    json_t *all = filtered(node, "{}");
    json_t *page = filtered(node, "{\"after\":1,\"count\":2}");
    assert_int_equal(json_array_size(page), 2);
    assert_true(json_equal(json_array_get(page, 0), json_array_get(all, 1)));
    assert_true(json_equal(json_array_get(page, 1), json_array_get(all, 2)));
    json_decref(page);
    json_decref(all);
    expect_size(filtered(node, "{\"count\":\"0x0\"}"), 0);
    expect_size(filtered(node, "{\"after\":4}"), 0);
    expect_size(filtered(node, "{\"after\":3,\"count\":9}"), 1);
    expect_error(node, "trace_filter", "{\"fromBlock\":\"0x3\",\"toBlock\":\"0x1\"}", -32602,
                 "invalid block range: fromBlock 3 comes after toBlock 1");
    expect_error(node, "trace_filter", "{\"topics\":[]}", -32602, "unknown member \"topics\" of the filter");
    expect_error(node, "trace_filter", "{\"mode\":\"both\"}", -32602, "mode is \"union\" or \"intersection\"");
    expect_error(node, "trace_filter", "{\"toAddress\":[\"0x1\"]}", -32602, "invalid toAddress");
    cevm_node_destroy(node);
}

/* Who deploys is the sender, what is deployed the recipient. */
static void test_filter_of_creation(void **unused)
{
    cevm_node *node = node_open();
    (void)unused;
    rpc_do(node, "eth_sendTransaction", "{\"from\":\"" ALICE "\",\"data\":\"0x60015ff3\",\"gas\":\"0x20000\"}");
    json_t *got = filtered(node, "{\"toAddress\":[\"0x5fbdb2315678afecb367f032d93f642f64180aa3\"]}");
    assert_int_equal(json_array_size(got), 1);
    assert_string_equal(text_at(json_array_get(got, 0), "type"), "create");
    json_decref(got);
    cevm_node_destroy(node);
}

/* EIP-1234: two ether a block until the merge, and none after it (EIP-3675). */
static void test_rewards(void **unused)
{
    cevm_node_options options = node_options();
    (void)unused;
    options.fork = CEVM_BERLIN;
    cevm_node *node = node_open_with(&options);
    rpc_do(node, "anvil_setCoinbase", "\"" CAROL "\"");
    send_wei(node, ",\"gasPrice\":\"0x77359400\"", NULL);
    json_t *got = rpc(node, "trace_block", "\"0x1\"");
    assert_int_equal(json_array_size(got), 2);
    const json_t *reward = json_array_get(got, 1);
    const json_t *action = json_object_get(reward, "action");
    assert_string_equal(text_at(reward, "type"), "reward");
    assert_string_equal(text_at(action, "author"), "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc");
    assert_string_equal(text_at(action, "rewardType"), "block");
    assert_string_equal(text_at(action, "value"), "0x1bc16d674ec80000");
    assert_true(json_is_null(json_object_get(reward, "result")));
    json_decref(got);
    expect_size(filtered(node, "{\"toAddress\":[\"" CAROL "\"]}"), 1);
    expect_size(filtered(node, "{\"fromAddress\":[\"" CAROL "\"]}"), 0);
    cevm_node_destroy(node);
    node = node_open();
    send_wei(node, "", NULL);
    expect_size(rpc(node, "trace_block", "\"0x1\""), 1);
    cevm_node_destroy(node);
}

/* ---- What was not executed ----------------------------------------------------------------------------------------- */

static void test_call(void **unused)
{
    scene s = scene_of(node_open());
    (void)unused;
    json_t *got = rpc(s.node, "trace_call", "{\"to\":\"" COUNTER "\"}," ALL);
    expect_count(got, 2, 3);
    assert_null(json_object_get(got, "transactionHash"));
    json_decref(got);
    rpc_do(s.node, "anvil_setStorageAt", "\"" COUNTER "\",\"0x0\",\"0x" ONE "\"");
    rpc_do(s.node, "evm_mine", "");
    got = rpc(s.node, "trace_call", "{\"to\":\"" COUNTER "\"},[\"stateDiff\"],\"0x1\"");
    expect_count(got, 2, 3);
    json_decref(got);
    got = rpc(s.node, "trace_call",
              "{\"to\":\"" CAROL "\",\"from\":\"" ALICE "\"},[\"trace\"],\"latest\",{\"" CAROL
              "\":{\"code\":\"0x435f5260205ff3\"}},{\"number\":\"0x1234\"}");
    assert_string_equal(text_at(got, "output"), "0x0000000000000000000000000000000000000000000000000000000000001234");
    json_decref(got);
    got = rpc(s.node, "trace_call", "{\"to\":\"" COUNTER "\"}," ALL); /* nothing has stayed of the others */
    expect_count(got, 1, 2);
    json_decref(got);
    expect_error(s.node, "trace_call", "{\"from\":\"" COUNTER "\",\"to\":\"" BOB "\",\"value\":\"0x1\"}," ALL, -32000,
                 "tracing failed: insufficient funds");
    cevm_node_destroy(s.node);
}

static void test_call_many(void **unused)
{
    scene s = scene_of(node_open());
    (void)unused;
    json_t *got = rpc(s.node, "trace_callMany",
                      "[[{\"to\":\"" COUNTER "\"},[\"stateDiff\"]],[{\"from\":\"" BOB "\",\"to\":\"" CALLER "\"}," ALL
                      "]],\"latest\"");
    assert_int_equal(json_array_size(got), 2);
    expect_count(json_array_get(got, 0), 2, 3);
    expect_count(json_array_get(got, 1), 3, 4);
    assert_int_equal(json_array_size(json_object_get(json_array_get(got, 0), "trace")), 0);
    assert_int_equal(json_array_size(json_object_get(json_array_get(got, 1), "trace")), 2);
    json_decref(got);
    expect_size(rpc(s.node, "trace_callMany", "[]"), 0);
    expect_error(s.node, "trace_callMany",
                 "[[{\"to\":\"" COUNTER "\"},[]],[{\"to\":\"" COUNTER "\",\"gas\":\"0x1\"},[]]]", -32000,
                 "call 2: tracing failed: intrinsic gas too low");
    expect_error(s.node, "trace_callMany", "[[{\"to\":\"" COUNTER "\"}]]", -32602, "each call is an array of");
    expect_error(s.node, "trace_callMany", "[[{\"to\":\"" COUNTER "\"},[\"all\"]]]", -32602,
                 "unknown kind of trace \"all\"");
    cevm_node_destroy(s.node);
}

/* Hex digits as "[1,2],kinds" behind the bracket that is there. */
static void put_bytes(char *list, size_t size, const char *digits)
{
    size_t used = strlen(list);
    for (; digits[0] != '\0'; digits += 2) {
        const char byte[3] = {digits[0], digits[1], '\0'};
        used += (size_t)snprintf(list + used, size - used, "%s%lu", used > 1 ? "," : "", strtoul(byte, NULL, 16));
        assert_true(used < size);
    }
    used += (size_t)snprintf(list + used, size - used, "]," ALL);
    assert_true(used < size);
}

/* What a signed transaction will do is what it does when it is sent. */
static void test_raw_transaction(void **unused)
{
    cevm_node *node = node_open();
    (void)unused;
    put_contracts(node);
    json_t *raw =
        rpc(node, "eth_signTransaction", "{\"from\":\"" ALICE "\",\"to\":\"" CALLER "\",\"gas\":\"0x20000\"}");
    char params[600];
    (void)snprintf(params, sizeof params, "\"%s\"," ALL, json_string_value(raw));
    json_t *before = rpc(node, "trace_rawTransaction", params);
    (void)snprintf(params, sizeof params, "\"%s\"", json_string_value(raw));
    json_t *hash = rpc(node, "eth_sendRawTransaction", params);
    json_t *after = call_with_hash(node, "trace_replayTransaction", json_string_value(hash), "," ALL);
    assert_int_equal(json_object_del(after, "transactionHash"), 0);
    assert_true(json_equal(before, after));
    expect_count(before, 0, 1);
    json_decref(before);
    /* the same as a list of bytes, on the state that it has left */
    (void)snprintf(params, sizeof params, "\"%s\"," ALL, json_string_value(raw));
    before = rpc(node, "trace_rawTransaction", params);
    expect_count(before, 1, 2);
    char list[2000] = "[";
    put_bytes(list, sizeof list, json_string_value(raw) + 2);
    json_t *same = rpc(node, "trace_rawTransaction", list);
    assert_true(json_equal(before, same));
    json_decref(same);
    json_decref(before);
    json_decref(after);
    json_decref(hash);
    json_decref(raw);
    expect_error(node, "trace_rawTransaction", "\"0xc0\"," ALL, -32602, "invalid transaction");
    expect_error(node, "trace_rawTransaction", "[256]," ALL, -32602, "invalid transaction: a list of bytes");
    cevm_node_destroy(node);
}

/* ---- A fork -------------------------------------------------------------------------------------------------------- */

/* What lies before the fork the remote is asked for, under the same name; what came after it is told here. */
static void test_fork(void **unused)
{
    cevm_memdb *db = NULL;
    (void)unused;
    assert_int_equal(cevm_memdb_create(&db, NULL), CEVM_OK);
    fake_node remote = {.db = cevm_memdb_interface(db), .number = 1000, .chain_id = 77, .branch = 0xaa};
    const cevm_remote_transport transport = fake_node_transport(&remote);
    cevm_node_options options = node_options();
    options.has_timestamp = false;
    options.fork_transport = &transport;
    scene s = scene_of(node_open_with(&options));
    expect_size(rpc(s.node, "trace_block", "\"0x3e9\""), 3);
    expect_size(call_with_hash(s.node, "trace_transaction", s.called, ""), 2);
    expect_size(filtered(s.node, "{}"), 4);
    expect_size(filtered(s.node, "{\"fromBlock\":\"0x3e9\",\"toBlock\":\"0x3ea\"}"), 3);
    static const struct {
        const char *method;
        const char *params;
    } cases[] = {{"trace_block", "\"0x3e7\""},
                 {"trace_block", "\"0x3e8\""},
                 {"trace_replayBlockTransactions", "\"0x3e8\"," ALL},
                 {"trace_transaction", "\"0x" ZEROS "\""},
                 {"trace_replayTransaction", "\"0x" ZEROS "\"," ALL},
                 {"trace_get", "\"0x" ZEROS "\",[]"},
                 {"trace_call", "{\"to\":\"" COUNTER "\"}," ALL ",\"0x3e7\""},
                 {"trace_filter", "{\"fromBlock\":\"0x3e0\",\"toBlock\":\"0x3e8\"}"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        expect_error(s.node, cases[i].method, cases[i].params, -32603, "the remote chain: ");
        assert_string_equal(remote.last_method, cases[i].method);
    }
    expect_error(s.node, "trace_filter", "{\"fromBlock\":\"0x3e0\"}", -32602,
                 "the range goes over block 1000, where this chain was forked");
    cevm_node_destroy(s.node);
    fake_node_free(&remote);
    cevm_memdb_destroy(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_block),
        cmocka_unit_test(test_get),
        cmocka_unit_test(test_replay),
        cmocka_unit_test(test_filter),
        cmocka_unit_test(test_filter_of_creation),
        cmocka_unit_test(test_rewards),
        cmocka_unit_test(test_call),
        cmocka_unit_test(test_call_many),
        cmocka_unit_test(test_raw_transaction),
        cmocka_unit_test(test_fork),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
