/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every allocation of the node's store fails in turn: while a world is saved in the place of another, then while it is read
 * back. A save that fails leaves the world that was there; nothing leaks.
 */
#include "faulty.h"
#include "tests/unit/node_support.h"

#include <unistd.h>

#include "rpc/store.h"

typedef struct bench {
    faulty memory;
    cevm_allocator allocator;
    char folder[256];
    cevm_node *node;
    cevm_world *first;
    cevm_world *second;
} bench;

static void bench_open(bench *b)
{
    const char *place = getenv("TMPDIR");
    memset(b, 0, sizeof *b);
    b->allocator = (cevm_allocator){&b->memory, faulty_resize};
    (void)snprintf(b->folder, sizeof b->folder, "%s/cevm-oom-XXXXXX", place != NULL ? place : P_tmpdir);
    assert_non_null(mkdtemp(b->folder));
    b->node = node_open();
    send_wei(b->node, "", NULL);
    send_wei(b->node, "", NULL);
    rpc_do(b->node, "anvil_setBalance", "\"" CAROL "\",\"0x5\"");
    b->first = cevm_node_world(b->node);
    rpc_do(b->node, "anvil_rollback", "1");
    rpc_do(b->node, "anvil_impersonateAccount", "\"" BOB "\"");
    rpc_do(b->node, "eth_sendTransaction",
           "{\"from\":\"" ALICE "\",\"data\":\"0x60015f55335f5fa15f5f5360015ff3\",\"gas\":\"0x30000\"}");
    rpc_do(b->node, "anvil_setCode", "\"" CAROL "\",\"0x6001\"");
    rpc_do(b->node, "evm_mine", "");
    rpc_do(b->node, "anvil_setNonce", "\"" CAROL "\",\"0x5\"");
    rpc_do(b->node, "evm_setAutomine", "false");
    send_wei(b->node, "", NULL);
    b->second = cevm_node_world(b->node);
}

static void bench_close(bench *b)
{
    static const char *const names[] = {"data.mdb", "lock.mdb", "writer.lock"};
    char path[300];
    cevm_world_release(b->first);
    cevm_world_release(b->second);
    cevm_node_destroy(b->node);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        (void)snprintf(path, sizeof path, "%s/%s", b->folder, names[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(b->folder), 0);
}

/** Reads what the store holds with an allocation failing; when it works out, it has to be this world. */
static bool load(bench *b, cevm_store *store, const cevm_world *expected)
{
    cevm_treedb *db = NULL;
    cevm_world *world = NULL;
    cevm_node_error error = {.err = CEVM_OK};
    if (cevm_treedb_create(&db, NULL, &b->allocator) != CEVM_OK) {
        return false;
    }
    const bool ok = cevm_store_load(store, &error, &world, db, cevm_node_nothing(b->node));
    if (ok) {
        cevm_hash root;
        cevm_hash wanted;
        assert_true(cevm_hash_equal(&world->head->block.hash, &expected->head->block.hash));
        cevm_tree_root(world->state, &root);
        cevm_tree_root(expected->state, &wanted);
        assert_true(cevm_hash_equal(&root, &wanted));
        assert_int_equal(world->pool.count, expected->pool.count);
        assert_int_equal(world->impersonated.count, expected->impersonated.count);
    } else {
        assert_int_equal(error.err, CEVM_ERR_NOMEM);
    }
    cevm_world_release(world);
    cevm_treedb_destroy(db);
    return ok;
}

static cevm_store *open_store(bench *b)
{
    cevm_store *store = NULL;
    cevm_node_error error;
    if (!cevm_store_open(&store, &error, b->folder, true, &b->allocator)) {
        assert_int_equal(error.err, CEVM_ERR_NOMEM);
        return NULL;
    }
    return store;
}

static void save(cevm_store *store, cevm_world *world)
{
    cevm_node_error error;
    if (!cevm_store_save(store, &error, world)) {
        fail_msg("%s", error.text);
    }
}

/** Closes a store and opens another, which has to hold this world. */
static cevm_store *start_again(bench *b, cevm_store *store, const cevm_world *world)
{
    cevm_store_close(store);
    store = open_store(b);
    assert_non_null(store);
    assert_true(load(b, store, world));
    return store;
}

static void test_saving(void **unused)
{
    bench b;
    size_t at = 0;
    bool ok = false;
    (void)unused;
    bench_open(&b);
    cevm_store *store = open_store(&b);
    assert_non_null(store);
    save(store, b.first);
    while (!ok) {
        cevm_node_error error = {.err = CEVM_OK};
        b.memory.calls = 0;
        b.memory.fail_at = ++at;
        ok = cevm_store_save(store, &error, b.second);
        b.memory.fail_at = 0;
        assert_true(ok || error.err == CEVM_ERR_NOMEM);
        if (!ok && at % 5 == 0) {
            store = start_again(&b, store, b.first);
        }
        save(store, b.second);
        if (at % 5 == 0) {
            store = start_again(&b, store, b.second);
        }
        save(store, b.first);
        ok = ok && b.memory.calls < at;
    }
    cevm_store_close(store);
    assert_int_equal(b.memory.live, 0);
    print_message("%zu allocations\n", at - 1);
    bench_close(&b);
}

static void test_loading(void **unused)
{
    bench b;
    size_t at = 0;
    bool ok = false;
    (void)unused;
    bench_open(&b);
    cevm_store *store = open_store(&b);
    assert_non_null(store);
    save(store, b.second);
    cevm_store_close(store);
    while (!ok) {
        b.memory.calls = 0;
        b.memory.fail_at = ++at;
        store = open_store(&b);
        ok = store != NULL && load(&b, store, b.second) && b.memory.calls < at;
        cevm_store_close(store);
        assert_int_equal(b.memory.live, 0);
    }
    b.memory.fail_at = 0;
    print_message("%zu allocations\n", at - 1);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_saving), cmocka_unit_test(test_loading)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
