/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every allocation of a development node fails in turn, once or for good: the call says so, the world is what it was, and
 * the same call succeeds afterwards. Nothing leaks.
 */
#include "tests/oom/faulty.h"

#include <stdio.h>

#include <cevm/hex.h>

#include "rpc/node.h"

/** What a world is, as far as a caller can tell. */
typedef struct fingerprint {
    cevm_hash head;
    cevm_hash root;
    size_t pool;
    size_t txs;
    uint64_t timestamp_set;
} fingerprint;

static fingerprint fingerprint_of(cevm_node *node)
{
    cevm_world *world = cevm_node_world(node);
    fingerprint out = {.head = world->head->block.hash,
                       .pool = world->pool.count,
                       .txs = world->txs.count,
                       .timestamp_set = world->settings.next_timestamp};
    cevm_tree_root(world->state, &out.root);
    cevm_world_release(world);
    return out;
}

/* ---- What is done ----------------------------------------------------------------------------------------------------- */

static bool send(cevm_node *node, cevm_node_error *error, uint64_t nonce)
{
    cevm_tx tx = {.type = CEVM_TX_DYNAMIC_FEE,
                  .has_chain_id = true,
                  .chain_id = 31337,
                  .nonce = nonce,
                  .gas_limit = 100000,
                  .value = {{1, 0, 0, 0}}};
    cevm_address from;
    uint8_t key[32];
    cevm_hash hash;
    tx.max_fee = cevm_u256_from_u64(4000000000);
    tx.max_priority_fee = cevm_u256_from_u64(1000000000);
    cevm_node_account(node, 1, &tx.to, NULL);
    cevm_node_account(node, 0, &from, key);
    assert_int_equal(cevm_tx_sign(&tx, key, NULL), CEVM_OK);
    tx.has_sender = false; /* it has to be found out */
    return cevm_node_submit(node, error, &hash, &tx, false);
}

static bool set_balance(void *user, cevm_world *world, cevm_treedb *db, cevm_node_error *error)
{
    const cevm_address address = {{0xab}};
    const cevm_u256 balance = cevm_u256_from_u64(5);
    (void)user;
    error->err = cevm_treedb_set_account(db, &address, &balance, 0, (cevm_bytes){NULL, 0});
    world->settings.has_next_timestamp = error->err == CEVM_OK;
    world->settings.next_timestamp = world->head->block.header.timestamp + 100;
    return error->err == CEVM_OK;
}

typedef bool (*step)(cevm_node *node, cevm_node_error *error);

static bool send_first(cevm_node *node, cevm_node_error *error) { return send(node, error, 0); }
static bool send_second(cevm_node *node, cevm_node_error *error) { return send(node, error, 1); }
static bool send_later(cevm_node *node, cevm_node_error *error) { return send(node, error, 5); }
static bool mine(cevm_node *node, cevm_node_error *error) { return cevm_node_mine(node, error, 2, 10); }
static bool edit(cevm_node *node, cevm_node_error *error) { return cevm_node_edit(node, error, set_balance, NULL); }
static bool reorg(cevm_node *node, cevm_node_error *error) { return cevm_node_reorg(node, error, 3, NULL, 0); }
static bool rollback(cevm_node *node, cevm_node_error *error) { return cevm_node_rollback(node, error, 1); }
static bool snapshot(cevm_node *node, cevm_node_error *error)
{
    uint64_t id = 0;
    return cevm_node_snapshot(node, error, &id);
}
static bool revert(cevm_node *node, cevm_node_error *error)
{
    bool found = false;
    const bool ok = cevm_node_revert(node, error, &found, 1);
    return ok && found;
}
static bool reset(cevm_node *node, cevm_node_error *error) { return cevm_node_reset(node, error); }

/** Reads for which a state and a VM are made. */
static bool bench(cevm_node *node, cevm_node_error *error)
{
    cevm_workbench b;
    cevm_account_info info;
    const cevm_address address = {{0xab}};
    cevm_world *world = cevm_node_world(node);
    error->err = cevm_workbench_open(&b, node, world, NULL);
    if (error->err == CEVM_OK) {
        error->err = cevm_state_get_account(b.state, &info, &address);
        cevm_workbench_close(&b);
    }
    cevm_world_release(world);
    return error->err == CEVM_OK;
}

static bool pending(cevm_node *node, cevm_node_error *error)
{
    cevm_record *record = NULL;
    cevm_world *world = cevm_node_world(node);
    error->err = cevm_node_pending(node, world, &record);
    if (error->err == CEVM_OK) {
        cevm_ref_release(&record->ref);
    }
    cevm_world_release(world);
    return error->err == CEVM_OK;
}

/* ---- One run with one failure ------------------------------------------------------------------------------------------ */

static cevm_node *open_node(faulty *f, const cevm_allocator *allocator)
{
    cevm_node_options options = {
        .allocator = allocator, .accounts = 2, .fork = CEVM_LATEST, .has_timestamp = true, .timestamp = 1700000000};
    cevm_node_error error;
    cevm_node *node = NULL;
    assert_true(cevm_u256_from_text(&options.balance, "10000000000000000000000"));
    cevm_err err = cevm_node_create(&node, &error, &options);
    if (err != CEVM_OK) {
        assert_int_equal(err, CEVM_ERR_NOMEM);
        assert_null(node);
        assert_int_equal(f->live, 0);
        f->fail_at = 0;
        err = cevm_node_create(&node, &error, &options);
    }
    assert_int_equal(err, CEVM_OK);
    return node;
}

static void run(faulty *f, cevm_node *node, step what)
{
    cevm_node_error error = {.err = CEVM_OK};
    const fingerprint before = fingerprint_of(node);
    if (what(node, &error)) {
        return;
    }
    assert_int_equal(error.err, CEVM_ERR_NOMEM);
    const fingerprint after = fingerprint_of(node);
    assert_memory_equal(&before, &after, sizeof before);
    f->fail_at = 0;
    if (!what(node, &error)) {
        fail_msg("it does not work afterwards: %s", error.text);
    }
}

static void fail_each(bool for_good)
{
    static const step steps[] = {bench, send_first, pending, send_later, edit,   mine,    snapshot, send_second, mine,
                                 reorg, rollback,   mine,    bench,      revert, pending, mine,     reset};
    bool reached = true;
    size_t n = 1;
    for (; reached; n += 1 + n / 400) { /* all of the first ones, a sample of the many alike that follow */
        faulty f = {.fail_at = n, .for_good = for_good};
        const cevm_allocator allocator = {&f, faulty_resize};
        cevm_node *node = open_node(&f, &allocator);
        for (size_t i = 0; i < sizeof steps / sizeof steps[0]; ++i) {
            run(&f, node, steps[i]);
        }
        reached = f.calls >= n;
        cevm_node_destroy(node);
        assert_int_equal(f.live, 0);
    }
    assert_true(n > 500);
}

static void test_once(void **unused)
{
    (void)unused;
    fail_each(false);
}

static void test_for_good(void **unused)
{
    (void)unused;
    fail_each(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_once), cmocka_unit_test(test_for_good)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
