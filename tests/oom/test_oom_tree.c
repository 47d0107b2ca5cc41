/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every allocation of a block over the shared memory backend fails in turn, those of the store among them: creating the
 * store, filling it, executing, committing, keeping the state and going back. The answer is CEVM_ERR_NOMEM, what was there
 * stays, the same succeeds afterwards, and nothing leaks.
 */
#include "faulty.h"
#include "tests/unit/execution_support.h"

#include <cevm/treedb.h>
#include <cevm/vm.h>

enum { TX_COUNT = 3 };

typedef struct bench {
    faulty memory;
    cevm_allocator allocator;
    cevm_memdb *model; /* what the store is filled with */
    cevm_execution_input input;
    cevm_tx txs[TX_COUNT];
    cevm_hash before;
    cevm_hash after;
    bool has_after;
} bench;

static void bench_open(bench *b)
{
    static const uint8_t key[32] = {[31] = SENDER_KEY};
    static const uint8_t words[64] = {[31] = 5, [63] = 9};
    world w;
    memset(b, 0, sizeof *b);
    world_open(&w, CEVM_OSAKA);
    put_system_contracts(&w);
    world_put(&w, address_of(CONTRACT), 0, 1,
              "365f5f375f515f55602051600155365fa0"); /* copies its calldata; two SSTOREs, LOG0 */
    b->input = input_of(&w);
    b->model = w.db;
    cevm_vm_destroy(w.vm);
    cevm_state_destroy(w.state);
    b->allocator = (cevm_allocator){&b->memory, faulty_resize};
    for (uint64_t i = 0; i < TX_COUNT; ++i) {
        b->txs[i] = plain_tx();
        b->txs[i].nonce = i;
    }
    b->txs[0].data = (cevm_bytes){words, sizeof words};
    b->txs[2].is_create = true;
    b->txs[2].data = (cevm_bytes){(const uint8_t *)"\x60\x01\x5f\x55\x60\x01\x5f\xf3", 8}; /* SSTORE; code 0x00 */
    for (size_t i = 0; i < TX_COUNT; ++i) {
        assert_int_equal(cevm_tx_sign(&b->txs[i], key, NULL), CEVM_OK);
    }
    assert_int_equal(cevm_memdb_root(b->model, &b->before), CEVM_OK);
}

/* ---- Filling --------------------------------------------------------------------------------------------------------- */

typedef struct filling {
    cevm_memdb *from;
    cevm_treedb *to;
    const cevm_address *address;
    cevm_err err;
} filling;

static bool fill_slot(void *user, const cevm_u256 *key, const cevm_u256 *value)
{
    filling *f = user;
    f->err = cevm_treedb_set_storage(f->to, f->address, key, value);
    return f->err == CEVM_OK;
}

static bool fill_account(void *user, const cevm_address *address, const cevm_db_account *account, cevm_bytes code)
{
    filling *f = user;
    f->address = address;
    f->err = cevm_treedb_set_account(f->to, address, &account->balance, account->nonce, code);
    if (f->err == CEVM_OK) {
        assert_int_equal(cevm_memdb_for_each_slot(f->from, address, fill_slot, f), CEVM_OK);
    }
    return f->err == CEVM_OK;
}

/* ---- The block ------------------------------------------------------------------------------------------------------- */

static cevm_err execute(const bench *b, cevm_vm *vm, cevm_state *state)
{
    cevm_execution *execution = NULL;
    cevm_tx_error reason;
    cevm_execution_output out;
    cevm_block_error verdict;
    cevm_err err = cevm_execution_create(&execution, vm, state, &b->input, &b->allocator);
    if (err == CEVM_OK) {
        err = cevm_execution_begin(execution, NULL);
    }
    for (size_t i = 0; i < TX_COUNT && err == CEVM_OK; ++i) {
        err = cevm_execution_tx(execution, NULL, &reason, &b->txs[i], NULL);
        assert_true(err != CEVM_OK || reason == CEVM_TX_NONE);
        err = err == CEVM_OK ? cevm_state_commit(state) : err; /* several commits in a block */
    }
    if (err == CEVM_OK) {
        err = cevm_execution_end(execution, &out, &verdict, NULL);
    }
    cevm_execution_destroy(execution);
    return err == CEVM_OK ? cevm_state_commit(state) : err;
}

static cevm_err run_block(const bench *b, cevm_treedb *store)
{
    const cevm_db db = cevm_treedb_interface(store);
    const cevm_vm_config config = {.struct_size = sizeof config, .allocator = &b->allocator};
    cevm_vm *vm = NULL;
    cevm_state *state = NULL;
    cevm_err err = db.vtable->begin_block(db.ctx);
    if (err != CEVM_OK) {
        return err;
    }
    err = cevm_vm_create(&vm, &config);
    if (err == CEVM_OK) {
        err = cevm_state_create(&state, &db, &b->allocator);
    }
    if (err == CEVM_OK) {
        err = execute(b, vm, state);
    }
    cevm_state_destroy(state);
    cevm_vm_destroy(vm);
    assert_int_equal(db.vtable->end_block(db.ctx, err == CEVM_OK), CEVM_OK);
    return err;
}

static void assert_root(cevm_treedb *store, const cevm_hash *expected)
{
    const cevm_db db = cevm_treedb_interface(store);
    cevm_hash root;
    assert_int_equal(db.vtable->root(db.ctx, &root), CEVM_OK);
    assert_memory_equal(root.bytes, expected->bytes, sizeof root.bytes);
}

/** Fills a store, keeps its state, adds a block, keeps that state too, goes back. */
static cevm_err run_all(bench *b, cevm_treedb *store, cevm_tree **first, cevm_tree **second)
{
    filling f = {.from = b->model, .to = store, .err = CEVM_OK};
    assert_int_equal(cevm_memdb_for_each_account(b->model, fill_account, &f), CEVM_OK);
    cevm_err err = f.err == CEVM_OK ? cevm_treedb_snapshot(store, first) : f.err;
    if (err != CEVM_OK) {
        return err;
    }
    assert_root(store, &b->before);
    err = run_block(b, store);
    if (err != CEVM_OK) {
        assert_root(store, &b->before);
        return err;
    }
    err = cevm_treedb_snapshot(store, second);
    if (err == CEVM_OK) {
        cevm_hash root;
        cevm_tree_root(*second, &root);
        assert_true(!b->has_after || cevm_hash_equal(&root, &b->after));
        b->after = root;
        b->has_after = true;
        assert_int_equal(cevm_treedb_restore(store, *first), CEVM_OK);
        assert_root(store, &b->before);
        assert_int_equal(cevm_treedb_restore(store, *second), CEVM_OK);
        assert_root(store, &b->after);
    } else {
        const cevm_db db = cevm_treedb_interface(store);
        assert_int_equal(db.vtable->undo_block(db.ctx), CEVM_OK);
        assert_root(store, &b->before);
    }
    return err;
}

/** Everything, with one allocation refused; whatever fails is tried once more without that. */
static cevm_err run_with_fault(bench *b, size_t at, bool for_good)
{
    cevm_treedb *store = NULL;
    cevm_tree *first = NULL;
    cevm_tree *second = NULL;
    b->memory = (faulty){.fail_at = at, .for_good = for_good};
    cevm_err err = cevm_treedb_create(&store, NULL, &b->allocator);
    if (err == CEVM_OK) {
        cevm_treedb_set_history(store, 1);
        err = run_all(b, store, &first, &second);
        if (err != CEVM_OK) {
            cevm_tree_release(first);
            first = NULL;
            b->memory.fail_at = 0;
            assert_int_equal(run_all(b, store, &first, &second), CEVM_OK);
        }
    }
    cevm_tree_release(first);
    cevm_treedb_destroy(store);
    cevm_tree_release(second);
    assert_int_equal(b->memory.live, 0);
    return err;
}

static void test_every_allocation(void **state)
{
    (void)state;
    bench b;
    bench_open(&b);
    assert_int_equal(run_with_fault(&b, 0, false), CEVM_OK);
    assert_memory_not_equal(b.after.bytes, b.before.bytes, 32);
    const size_t allocations = b.memory.calls;
    for (size_t at = 1; at <= allocations; ++at) {
        const cevm_err err = run_with_fault(&b, at, false);
        assert_true(err == CEVM_OK || err == CEVM_ERR_NOMEM); /* a cache can do without */
        assert_int_equal(run_with_fault(&b, at, true), CEVM_ERR_NOMEM);
    }
    print_message("%zu allocations\n", allocations);
    cevm_memdb_destroy(b.model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
