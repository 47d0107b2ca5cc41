/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many blocks at once: they are promised and made behind the answer. Nobody must be able to tell, but by the time it takes:
 * what is compared is always a chain whose blocks were asked for one by one.
 */
#include "node_support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "rpc/filters.h"

enum { VERY_MANY = 1000000 };

/** The clock must not make a difference between two nodes. */
static cevm_node *open_steady(void)
{
    cevm_node *node = node_open();
    rpc_do(node, "anvil_setBlockTimestampInterval", "12");
    return node;
}

/** How many blocks are really there. */
static uint64_t made(cevm_node *node)
{
    cevm_world *world = cevm_node_world(node);
    const uint64_t number = world->head->block.header.number;
    cevm_world_release(world);
    return number;
}

static void mine(cevm_node *node, uint64_t count)
{
    char params[32];
    (void)snprintf(params, sizeof params, "\"0x%llx\"", (unsigned long long)count);
    rpc_do(node, "hardhat_mine", params);
}

static void mine_one_by_one(cevm_node *node, uint64_t count)
{
    for (uint64_t i = 0; i < count; ++i) {
        rpc_do(node, "evm_mine", "");
    }
}

/** The newest block of two nodes, and with it all that it stands on. */
static void expect_same_head(cevm_node *a, cevm_node *b)
{
    json_t *left = latest_block(a);
    json_t *right = latest_block(b);
    assert_true(json_is_object(left));
    assert_true(json_equal(left, right));
    json_decref(left);
    json_decref(right);
}

/* ---- The same chain ---------------------------------------------------------------------------------------------------- */

static void test_same_blocks(void **unused)
{
    cevm_node *at_once = open_steady();
    cevm_node *single = open_steady();
    (void)unused;
    mine(at_once, 500);
    assert_int_equal(block_number(at_once), 500);
    mine_one_by_one(single, 500);
    expect_same_head(at_once, single);
    for (int i = 1; i <= 3; ++i) { /* one behind the other, and none is waited for */
        mine(at_once, (uint64_t)i * 50);
    }
    mine(at_once, 1);
    assert_int_equal(block_number(at_once), 801);
    mine_one_by_one(single, 301);
    expect_same_head(at_once, single);
    cevm_node_destroy(at_once);
    cevm_node_destroy(single);
}

/* What is set for the next block alone, and what changes the chain in between. */
static void test_same_with_changes(void **unused)
{
    static const struct {
        const char *method;
        const char *params;
    } changes[] = {
        {"hardhat_setPrevRandao", "\"0x1234\""},
        {"hardhat_setNextBlockBaseFeePerGas", "\"0x77359400\""},
        {"evm_setNextBlockTimestamp", "1800000000"},
        {"hardhat_setCoinbase", "\"" CAROL "\""},
        {"evm_setBlockGasLimit", "\"0x1000000\""},
        {"hardhat_setBalance", "\"" CAROL "\",\"0x7\""},
        {"anvil_setBlockTimestampInterval", "5"},
        {"eth_sendTransaction", "{\"from\":\"" ALICE "\",\"to\":\"" BOB "\",\"value\":\"0x1\",\"gas\":\"0x5208\"}"},
        {"evm_increaseTime", "1000"},
        {"anvil_rollback", "3"},
        {"anvil_reorg", "2,[]"},
        {"evm_setIntervalMining", "0"},
    };
    cevm_node *at_once = open_steady();
    cevm_node *single = open_steady();
    (void)unused;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; ++i) {
        mine(at_once, 40);
        mine_one_by_one(single, 40);
        rpc_do(at_once, changes[i].method, changes[i].params);
        rpc_do(single, changes[i].method, changes[i].params);
        mine(at_once, 20);
        mine_one_by_one(single, 20);
        expect_same_head(at_once, single);
    }
    cevm_node_destroy(at_once);
    cevm_node_destroy(single);
}

/* A fork that begins amid the promised blocks, at a time. */
static void test_interval(void **unused)
{
    cevm_node *node = node_open();
    char params[32];
    uint64_t last = 0;
    (void)unused;
    rpc_do(node, "evm_setNextBlockTimestamp", "1700001000");
    rpc_do(node, "hardhat_mine", "\"0x64\",\"0x3c\"");
    for (uint64_t number = 1; number <= 100; ++number) {
        (void)snprintf(params, sizeof params, "\"0x%llx\",false", (unsigned long long)number);
        json_t *block = rpc(node, "eth_getBlockByNumber", params);
        last = quantity(block, "timestamp");
        assert_int_equal(last, 1700001000 + (number - 1) * 60);
        json_decref(block);
    }
    rpc_do(node, "evm_mine", ""); /* the clock has gone along with the blocks */
    assert_in_range(latest(node, "timestamp"), last + 1, last + 30);
    json_t *blocks = rpc(node, "evm_mine_detailed", "{\"blocks\":30}");
    assert_int_equal(json_array_size(blocks), 30);
    assert_int_equal(quantity(json_array_get(blocks, 29), "number"), 131);
    json_decref(blocks);
    cevm_node_destroy(node);
}

/* What waits in the pool is in the first block, however many are asked for. */
static void test_pool_first(void **unused)
{
    cevm_node *node = open_steady();
    char hash[67];
    char params[80];
    (void)unused;
    rpc_do(node, "evm_setAutomine", "false");
    send_wei(node, "", hash);
    mine(node, 30);
    json_t *receipt = rpc(node, "eth_getTransactionReceipt", quoted(params, hash));
    assert_int_equal(quantity(receipt, "blockNumber"), 1);
    json_decref(receipt);
    assert_int_equal(block_number(node), 30);
    cevm_node_destroy(node);
}

/* ---- Before they are made ---------------------------------------------------------------------------------------------- */

/* So many blocks take seconds; they are left before they are there, and again when the node ends. */
static void test_left(void **unused)
{
    cevm_node *node = open_steady();
    cevm_node *other = open_steady();
    char id[32];
    (void)unused;
    mine(node, 10);
    (void)snprintf(id, sizeof id, "%llu", (unsigned long long)rpc_quantity(node, "evm_snapshot", ""));
    mine(node, VERY_MANY);
    assert_int_equal(block_number(node), 10 + VERY_MANY);
    expect_bool(node, "evm_revert", "77", false);
    assert_int_equal(block_number(node), 10 + VERY_MANY);
    expect_text(node, "net_version", "", "31337");
    assert_int_equal(made(node), 10);
    expect_bool(node, "evm_revert", id, true);
    assert_int_equal(block_number(node), 10);
    mine_one_by_one(other, 10);
    expect_same_head(node, other);
    mine(node, VERY_MANY);
    rpc_do(node, "hardhat_reset", "");
    assert_int_equal(latest(node, "number"), 0);
    mine(node, VERY_MANY);
    cevm_node_destroy(node);
    cevm_node_destroy(other);
}

/* Who has a deadline does not wait for ever. */
static void test_deadline(void **unused)
{
    const cevm_rpc_limits limits = {.body = 1000, .answer = 1000, .batch = 1, .depth = 10, .timeout_ms = 5};
    static const char text[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_gasPrice\"}";
    cevm_node *node = node_open();
    const cevm_rpc_peer peer = {.node = node, .limits = &limits};
    cevm_rpc_output out = {.limit = limits.answer};
    cevm_rpc_request request;
    (void)unused;
    mine(node, VERY_MANY);
    cevm_rpc_request_read(&request, &limits, text, strlen(text));
    cevm_rpc_request_answer(&request, &peer, &out);
    cevm_rpc_request_clear(&request);
    static const char expected[] =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32002,\"message\":\"1000000 blocks are "
        "still being mined\"}}";
    assert_int_equal(out.size, strlen(expected));
    assert_memory_equal(out.data, expected, out.size);
    cevm_rpc_output_clear(&out);
    cevm_node_destroy(node);
}

/* ---- When they cannot be made ------------------------------------------------------------------------------------------ */

/* What speaks against the first block is said at once: a contract that EIP-7002 has the block call fails. */
static void test_refused(void **unused)
{
    cevm_node *node = node_open();
    (void)unused;
    mine(node, 10);
    rpc_do(node, "anvil_setCode", "\"0x00000961Ef480Eb55e80D19ad83579A64c007002\",\"0xfe\"");
    expect_error(node, "hardhat_mine", "\"0x100\"", -32000, "no block can be made: ");
    assert_int_equal(block_number(node), 10);
    assert_int_equal(latest(node, "number"), 10);
    cevm_node_destroy(node);
}

static atomic_bool no_memory;

static void *resize(void *ctx, void *ptr, size_t size)
{
    (void)ctx;
    if (size == 0) {
        free(ptr);
        return NULL;
    }
    return atomic_load(&no_memory) ? NULL : realloc(ptr, size);
}

/* Memory runs out behind the answer: the next request is told so, once, and the chain is as it was. */
static void test_broken(void **unused)
{
    static const cevm_allocator allocator = {NULL, resize};
    cevm_node_options options = node_options();
    (void)unused;
    options.allocator = &allocator;
    cevm_node *node = node_open_with(&options);
    mine(node, 20);
    assert_int_equal(latest(node, "number"), 20);
    for (int i = 0; i < 2; ++i) {
        mine(node, VERY_MANY / 2);
        mine(node, 7);
        atomic_store(&no_memory, true);
        json_t *answer =
            rpc_answer(node, i == 0 ? "eth_getBlockByNumber" : "evm_snapshot", i == 0 ? "\"latest\",false" : "");
        const json_t *error = json_object_get(answer, "error");
        assert_string_equal(json_string_value(json_object_get(error, "message")), "out of memory");
        json_decref(answer);
        atomic_store(&no_memory, false);
        assert_int_equal(block_number(node), 20);
        assert_int_equal(latest(node, "number"), 20);
    }
    mine(node, 30);
    assert_int_equal(latest(node, "number"), 50);
    cevm_node_destroy(node);
}

/* ---- Who is told ------------------------------------------------------------------------------------------------------- */

/* A connection that only looks at the numbers of heads. */
struct cevm_session {
    cevm_session_guest *guest;
    uint64_t last;
    uint64_t count;
    bool in_order;
};

bool cevm_session_send(cevm_session *session, const char *json, size_t size)
{
    json_t *message = json_loadb(json, size, 0, NULL);
    const json_t *head = json_object_get(json_object_get(message, "params"), "result");
    const uint64_t number = quantity(head, "number");
    session->in_order = session->in_order && number == session->last + 1;
    session->last = number;
    ++session->count;
    json_decref(message);
    return true;
}

void cevm_session_attach(cevm_session *session, cevm_session_guest *guest) { session->guest = guest; }

cevm_session_guest *cevm_session_guest_of(const cevm_session *session, const void *kind)
{
    return session->guest != NULL && session->guest->kind == kind ? session->guest : NULL;
}

/* A subscriber is told of every head, in order, also of those that are left at once; so is who polls. */
static void test_told(void **unused)
{
    cevm_node *node = open_steady();
    cevm_session session = {.in_order = true};
    cevm_filter_terms terms = {.kind = CEVM_FILTER_BLOCKS};
    uint64_t id = 0;
    char filter[32];
    (void)unused;
    assert_int_equal(cevm_filters_subscribe(cevm_node_filters(node), &id, &session, &terms), CEVM_OK);
    json_t *value = rpc(node, "eth_newBlockFilter", "");
    (void)snprintf(filter, sizeof filter, "\"%s\"", json_string_value(value));
    json_decref(value);
    for (int i = 0; i < 4; ++i) {
        mine(node, 100);
    }
    json_t *hashes = rpc(node, "eth_getFilterChanges", filter);
    assert_int_equal(json_array_size(hashes), 400);
    json_decref(hashes);
    assert_true(session.in_order);
    assert_int_equal(session.count, 400);
    const uint64_t snapshot = rpc_quantity(node, "evm_snapshot", "");
    mine(node, 200);
    char params[32];
    (void)snprintf(params, sizeof params, "%llu", (unsigned long long)snapshot);
    expect_bool(node, "evm_revert", params, true);
    assert_true(session.in_order);
    assert_int_equal(session.count, 600);
    session.guest->closed(session.guest, &session);
    cevm_node_destroy(node);
}

/* ---- At the same time --------------------------------------------------------------------------------------------------- */

enum { CLIENTS = 3, TURNS = 40, BLOCKS = 20 };

typedef struct client {
    cevm_node *node;
    size_t which;
    size_t failures;
} client;

/* Each mines, one reads, one writes. Threads must not assert. */
static void *run_client(void *arg)
{
    client *c = arg;
    for (int i = 0; i < TURNS; ++i) {
        static const char *const methods[] = {"eth_getBlockByNumber", "eth_sendTransaction", "eth_blockNumber"};
        static const char *const params[] = {"\"latest\",true",
                                             "{\"to\":\"" BOB "\",\"value\":\"0x1\",\"gas\":\"0x5208\"}", ""};
        json_t *mined = rpc_answer(c->node, "anvil_mine", "20");
        json_t *answer = rpc_answer(c->node, methods[c->which], params[c->which]);
        c->failures += json_object_get(mined, "result") == NULL || json_object_get(answer, "result") == NULL;
        json_decref(mined);
        json_decref(answer);
    }
    return NULL;
}

static void test_clients(void **unused)
{
    cevm_node *node = node_open();
    pthread_t threads[CLIENTS];
    client clients[CLIENTS];
    (void)unused;
    for (size_t i = 0; i < CLIENTS; ++i) {
        clients[i] = (client){.node = node, .which = i};
        assert_int_equal(pthread_create(&threads[i], NULL, run_client, &clients[i]), 0);
    }
    for (size_t i = 0; i < CLIENTS; ++i) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(clients[i].failures, 0);
    }
    assert_int_equal(block_number(node), CLIENTS * TURNS * BLOCKS + TURNS);
    assert_int_equal(latest(node, "number"), CLIENTS * TURNS * BLOCKS + TURNS);
    cevm_node_destroy(node);
}

/* One mines and goes back, others mine and read meanwhile, and the clock mines too: nobody waits for ever. */
static void *run_leaver(void *arg)
{
    client *c = arg;
    for (int i = 0; i < TURNS; ++i) {
        char params[40] = "";
        json_t *id = rpc_answer(c->node, "evm_snapshot", "");
        json_decref(rpc_answer(c->node, "anvil_mine", "1000"));
        const char *text = json_string_value(json_object_get(id, "result"));
        (void)snprintf(params, sizeof params, "\"%s\"", text != NULL ? text : "");
        json_t *answer = rpc_answer(c->node, "evm_revert", params);
        c->failures += json_object_get(answer, "result") == NULL;
        json_decref(answer);
        json_decref(id);
    }
    return NULL;
}

static void test_leavers(void **unused)
{
    cevm_node_options options = node_options();
    pthread_t threads[CLIENTS];
    client clients[CLIENTS];
    (void)unused;
    options.block_time_ms = 1;
    options.mixed_mining = true;
    cevm_node *node = node_open_with(&options);
    for (size_t i = 0; i < CLIENTS; ++i) {
        clients[i] = (client){.node = node, .which = i};
        assert_int_equal(pthread_create(&threads[i], NULL, i == 1 ? run_client : run_leaver, &clients[i]), 0);
    }
    for (size_t i = 0; i < CLIENTS; ++i) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(clients[i].failures, 0);
    }
    const uint64_t number = block_number(node);
    assert_true(latest(node, "number") >= number);
    uint64_t now = number;
    for (int i = 0; i < 2000 && now < number + 3; ++i) { /* the clock still mines */
        (void)usleep(1000);
        now = block_number(node);
    }
    assert_true(now >= number + 3);
    cevm_node_destroy(node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_blocks), cmocka_unit_test(test_same_with_changes),
        cmocka_unit_test(test_interval),    cmocka_unit_test(test_pool_first),
        cmocka_unit_test(test_left),        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_refused),     cmocka_unit_test(test_broken),
        cmocka_unit_test(test_told),        cmocka_unit_test(test_clients),
        cmocka_unit_test(test_leavers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
