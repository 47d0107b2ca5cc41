/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Going back and other branches: what listeners are told, what BLOCKHASH and reads see, and where the transactions go; and a
 * chain from a file.
 */
#include "node_support.h"

#include <unistd.h>

/** What a listener heard. */
typedef struct heard {
    size_t events;
    size_t removed;
    size_t added;
    size_t pooled;
    uint64_t first_removed;
    uint64_t first_added;
} heard;

static void listen(void *user, const cevm_node_event *event)
{
    heard *h = user;
    *h = (heard){.events = h->events + 1,
                 .removed = event->removed_count,
                 .added = event->added_count,
                 .pooled = event->pooled_count,
                 .first_removed = event->removed_count != 0 ? event->removed[0]->block.header.number : 0,
                 .first_added = event->added_count != 0 ? event->added[0]->block.header.number : 0};
}

static void test_events(void **unused)
{
    heard h = {0};
    cevm_node *node = node_open();
    (void)unused;
    assert_true(cevm_node_listen(node, listen, &h));
    send_wei(node, "", NULL);
    assert_int_equal(h.events, 1);
    assert_int_equal(h.pooled, 1);
    assert_int_equal(h.added, 1);
    rpc_do(node, "evm_mine", "{\"blocks\":4}");
    assert_int_equal(h.events, 2);
    assert_int_equal(h.added, 4);
    assert_int_equal(h.first_added, 2);
    rpc_do(node, "evm_snapshot", "");
    rpc_do(node, "evm_mine", "{\"blocks\":2}");
    rpc_do(node, "evm_revert", "1");
    assert_int_equal(h.removed, 2);
    assert_int_equal(h.first_removed, 7); /* newest first */
    assert_int_equal(h.added, 0);
    rpc_do(node, "anvil_reorg", "3,[]");
    assert_int_equal(h.removed, 3);
    assert_int_equal(h.first_removed, 5);
    assert_int_equal(h.added, 3);
    assert_int_equal(h.first_added, 3); /* oldest first */
    rpc_do(node, "anvil_rollback", "5");
    assert_int_equal(h.removed, 5);
    assert_int_equal(h.added, 0);
    cevm_node_destroy(node);
}

static void test_reorg(void **unused)
{
    cevm_node *node = node_open();
    char kept[67];
    char first[67];
    char second[67];
    char params[80];
    (void)unused;
    send_wei(node, "", kept);
    send_wei(node, "", first);
    send_wei(node, "", second);
    json_t *old = latest_block(node);
    const char *old_hash = json_string_value(json_object_get(old, "hash"));
    rpc_do(node, "anvil_reorg", "2,[]");
    assert_int_equal(block_number(node), 3);
    assert_true(is_mined(node, kept));
    assert_false(is_mined(node, first));
    assert_false(is_mined(node, second));
    assert_int_equal(rpc_quantity(node, "eth_getTransactionCount", "\"" ALICE "\",\"latest\""), 1);
    assert_int_equal(rpc_quantity(node, "eth_getTransactionCount", "\"" ALICE "\",\"pending\""), 3);
    json_t *block = latest_block(node);
    assert_string_not_equal(json_string_value(json_object_get(block, "hash")), old_hash);
    json_decref(block);
    block = rpc(node, "eth_getBlockByHash", quoted(params, old_hash)); /* other branches are not forgotten */
    assert_true(json_is_object(block));
    json_decref(block);
    rpc_do(node, "evm_mine", "");
    assert_true(is_mined(node, first));
    assert_true(is_mined(node, second));
    expect_error(node, "anvil_reorg", "9,[]", -32602, "there are only 4 blocks to go back");
    json_decref(old);
    cevm_node_destroy(node);
}

/* The new branch can hold transactions of its own, each in its block. */
static void test_reorg_with_transactions(void **unused)
{
    cevm_node *node = node_open();
    (void)unused;
    rpc_do(node, "evm_mine", "{\"blocks\":5}");
    rpc_do(node, "anvil_reorg",
           "{\"depth\":3,\"tx_block_pairs\":[[{\"from\":\"" ALICE "\",\"to\":\"" BOB "\",\"gas\":\"0x5208\"},1]]}");
    assert_int_equal(block_number(node), 5);
    expect_text(node, "eth_getBlockTransactionCountByNumber", "\"0x3\"", "0x0");
    expect_text(node, "eth_getBlockTransactionCountByNumber", "\"0x4\"", "0x1");
    expect_text(node, "eth_getBlockTransactionCountByNumber", "\"0x5\"", "0x0");
    expect_error(node, "anvil_reorg", "1,[[{\"from\":\"" ALICE "\",\"to\":\"" BOB "\",\"gas\":\"0x5208\"},1]]", -32602,
                 "the new branch has only 1 blocks");
    cevm_node_destroy(node);
}

/* The same transaction in another block: it leaves the pool, into which its old block had given it back. */
static void test_reorg_with_the_same_transaction(void **unused)
{
    cevm_node *node = node_open();
    char params[1024];
    (void)unused;
    json_t *raw = rpc(node, "eth_signTransaction", "{\"to\":\"" BOB "\",\"gas\":\"0x5208\"}");
    (void)snprintf(params, sizeof params, "\"%s\"", json_string_value(raw));
    json_t *hash = rpc(node, "eth_sendRawTransaction", params);
    rpc_do(node, "evm_mine", "");
    (void)snprintf(params, sizeof params, "2,[[\"%s\",1]]", json_string_value(raw));
    rpc_do(node, "anvil_reorg", params);
    assert_true(is_mined(node, json_string_value(hash)));
    expect_text(node, "eth_getBlockTransactionCountByNumber", "\"0x1\"", "0x0");
    json_t *status = rpc(node, "txpool_status", "");
    assert_int_equal(quantity(status, "pending") + quantity(status, "queued"), 0);
    json_decref(status);
    expect_text(node, "eth_getTransactionCount", "\"" ALICE "\",\"pending\"", "0x1");
    json_decref(hash);
    json_decref(raw);
    cevm_node_destroy(node);
}

/* An empty block in the place of an empty block, at the same time, is another block all the same. */
static void test_branches_differ(void **unused)
{
    cevm_node *node = node_open();
    (void)unused;
    rpc_do(node, "anvil_setBlockTimestampInterval", "1");
    rpc_do(node, "evm_mine", "");
    json_t *before = latest_block(node);
    rpc_do(node, "anvil_reorg", "1,[]");
    json_t *after = latest_block(node);
    assert_true(json_equal(json_object_get(before, "timestamp"), json_object_get(after, "timestamp")));
    assert_false(json_equal(json_object_get(before, "hash"), json_object_get(after, "hash")));
    json_decref(before);
    json_decref(after);
    cevm_node_destroy(node);
}

/* BLOCKHASH of the parent, as a contract tells it: PUSH1 1, NUMBER, SUB, BLOCKHASH, stored and returned. */
static void test_blockhash(void **unused)
{
    static const char where[] = "\"0x0000000000000000000000000000000000001234\"";
    cevm_node *node = node_open();
    char params[128];
    (void)unused;
    (void)snprintf(params, sizeof params, "%s,\"0x60014303408060005260005560206000f3\"", where);
    rpc_do(node, "anvil_setCode", params);
    rpc_do(node, "evm_mine", "{\"blocks\":3}");
    rpc_do(node, "anvil_reorg", "2,[]");
    json_t *parent = latest_block(node);
    rpc_do(node, "eth_sendTransaction", "{\"to\":\"0x0000000000000000000000000000000000001234\",\"gas\":\"0x20000\"}");
    (void)snprintf(params, sizeof params, "%s,\"0x0\"", where);
    expect_text(node, "eth_getStorageAt", params, json_string_value(json_object_get(parent, "hash")));
    /* eth_call on the block that is now the head asks for the same. */
    json_t *block = rpc(node, "eth_getBlockByNumber", "\"0x3\",false");
    expect_text(node, "eth_call", "{\"to\":\"0x0000000000000000000000000000000000001234\"},\"0x4\"",
                json_string_value(json_object_get(block, "hash")));
    json_decref(block);
    json_decref(parent);
    cevm_node_destroy(node);
}

/* ---- A chain from files ---------------------------------------------------------------------------------------------- */

/** A file of the archive of execution-apis; skips the test without it. */
static const char *vector(char out[4096], const char *name)
{
    const char *folder = getenv("CEVM_VECTORS_DIR");
    const char *require = getenv("CEVM_REQUIRE_VECTORS");
    (void)snprintf(out, 4096, "%s/execution-apis/tests/%s", folder != NULL ? folder : "ethereum-tests/vectors", name);
    if (access(out, R_OK) != 0) {
        print_message("no vectors at %s: set CEVM_VECTORS_DIR\n", out);
        if (require != NULL && strcmp(require, "1") == 0) {
            fail_msg("CEVM_REQUIRE_VECTORS=1 and %s is missing", out);
        }
        skip();
    }
    return out;
}

/** How far a block was executed again. */
typedef struct again {
    const cevm_record *record;
    size_t txs;
    uint64_t gas;
} again;

static bool compare(void *user, size_t index, const cevm_receipt *receipt)
{
    again *a = user;
    const cevm_node_receipt *expected = &a->record->receipts[index];
    assert_int_equal(index, a->txs++);
    assert_int_equal(receipt->gas_used, expected->gas_used);
    a->gas += receipt->gas_used;
    assert_int_equal(a->gas, expected->cumulative_gas_used);
    if (!expected->has_root) {
        assert_int_equal(cevm_status_is_success(receipt->status), expected->succeeded);
    }
    assert_int_equal(receipt->log_count, expected->log_count);
    return true;
}

/* Every block executed again on the state before it, by the rules of its fork. */
static void replay_all(cevm_node *node)
{
    cevm_world *world = cevm_node_world(node);
    for (uint64_t number = 1; number <= world->head->block.header.number; ++number) {
        cevm_workbench bench;
        cevm_record *record = cevm_world_block(world, number);
        again a = {.record = record};
        assert_int_equal(cevm_workbench_open_before(&bench, node, world, record), CEVM_OK);
        assert_int_equal(cevm_workbench_replay(&bench, NULL, compare, &a), CEVM_OK);
        assert_int_equal(a.txs, record->block.tx_count);
        assert_int_equal(a.gas, record->block.header.gas_used);
        cevm_workbench_close(&bench);
    }
    cevm_world_release(world);
}

/* 54 blocks through all forks; the archive's headfcu.json says what the head is. */
static void test_import(void **unused)
{
    cevm_node_options options = node_options();
    char genesis[4096];
    char chain[4096];
    char path[4096];
    json_error_t error;
    (void)unused;
    options.has_timestamp = false;
    options.genesis_path = vector(genesis, "genesis.json");
    options.import_path = vector(chain, "chain.rlp");
    cevm_node *node = node_open_with(&options);
    assert_int_equal(block_number(node), 54);
    json_t *update = json_load_file(vector(path, "headfcu.json"), 0, &error);
    assert_non_null(update);
    const json_t *state = json_array_get(json_object_get(update, "params"), 0);
    json_t *block = latest_block(node);
    assert_true(json_equal(json_object_get(state, "headBlockHash"), json_object_get(block, "hash")));
    json_decref(block);
    json_decref(update);
    replay_all(node);
    rpc_do(node, "evm_mine", ""); /* the chain goes on */
    assert_int_equal(block_number(node), 55);
    cevm_node_destroy(node);
}

/** Copies a file with one byte changed, or cut short. */
static void spoil(const char *from, const char *to, size_t at, bool cut)
{
    FILE *in = fopen(from, "rb");
    FILE *out = fopen(to, "wb");
    int byte = EOF;
    assert_non_null(in);
    assert_non_null(out);
    for (size_t i = 0; (byte = fgetc(in)) != EOF && !(cut && i == at); ++i) {
        assert_int_not_equal(fputc(i == at ? byte ^ 1 : byte, out), EOF);
    }
    assert_int_equal(fclose(in), 0);
    assert_int_equal(fclose(out), 0);
}

static void test_import_refuses(void **unused)
{
    cevm_node_options options = node_options();
    cevm_node_error error;
    cevm_node *node = NULL;
    char genesis[4096];
    char chain[4096];
    char spoilt[] = P_tmpdir "/cevm-node-XXXXXX";
    (void)unused;
    options.genesis_path = vector(genesis, "genesis.json");
    options.import_path = spoilt;
    const int fd = mkstemp(spoilt);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    spoil(vector(chain, "chain.rlp"), spoilt, 100, false); /* in the first block's roots */
    assert_int_not_equal(cevm_node_create(&node, &error, &options), CEVM_OK);
    assert_non_null(strstr(error.text, "block 0 of the file: "));
    spoil(chain, spoilt, 5000, true);
    assert_int_not_equal(cevm_node_create(&node, &error, &options), CEVM_OK);
    assert_non_null(strstr(error.text, "cut short"));
    assert_int_equal(unlink(spoilt), 0);
    assert_int_not_equal(cevm_node_create(&node, &error, &options), CEVM_OK);
    assert_non_null(strstr(error.text, "No such file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_reorg),
        cmocka_unit_test(test_reorg_with_transactions),
        cmocka_unit_test(test_reorg_with_the_same_transaction),
        cmocka_unit_test(test_branches_differ),
        cmocka_unit_test(test_blockhash),
        cmocka_unit_test(test_import),
        cmocka_unit_test(test_import_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
