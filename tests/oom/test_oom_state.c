/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Every allocation of RLP, trie, memory backend and journal fails in turn. Each failure must come back as CEVM_ERR_NOMEM,
 * leave what was there as it was, let the same step succeed when tried again, and leak nothing.
 *
 * A script of steps runs once undisturbed, noting what the world looks like after each step; then once for every
 * allocation it made, with that one failing.
 */
#include "faulty.h"
#include "state/rlp.h"
#include "state/trie.h"

#include <cevm/crypto.h>
#include <cevm/state.h>

/* ---- The world the scripts run in -------------------------------------------------------------------------------- */

typedef struct world {
    faulty memory;
    cevm_allocator allocator;
    cevm_memdb *memdb;
    cevm_state *state;
    cevm_host host;
    cevm_trie trie;
    cevm_buf buf;
    size_t visited;
    bool begun; /* from here on the store changes through the journal only, so that looking at both agrees */
} world;

typedef cevm_err (*step)(world *w);

static cevm_address actor(unsigned i)
{
    cevm_address address = {{0}};
    address.bytes[0] = (uint8_t)(i * 37);
    address.bytes[19] = (uint8_t)i;
    return address;
}

static cevm_u256 num(uint64_t v) { return cevm_u256_from_u64(v); }

/* ---- Steps: trie and RLP ----------------------------------------------------------------------------------------- */

static cevm_err trie_many(world *w, unsigned first, unsigned last, unsigned length)
{
    for (unsigned i = first; i < last; ++i) {
        const uint8_t key[4] = {(uint8_t)(i * 7), (uint8_t)(i % 5), (uint8_t)i, 0};
        uint8_t value[64];
        memset(value, (int)(i & 0xff), sizeof value);
        cevm_err err = cevm_trie_put(&w->trie, (cevm_bytes){key, 1 + i % 4}, (cevm_bytes){value, length});
        if (err != CEVM_OK) {
            return err;
        }
    }
    return CEVM_OK;
}

static cevm_err trie_add_one(world *w) { return trie_many(w, 0, 1, 40); }
static cevm_err trie_add_second(world *w) { return trie_many(w, 2, 3, 40); }
static cevm_err trie_add_prefix(world *w) { return trie_many(w, 4, 5, 3); }
static cevm_err trie_replace(world *w) { return trie_many(w, 2, 3, 60); }
static cevm_err trie_remove(world *w) { return trie_many(w, 0, 1, 0); }

static cevm_err trie_ordered(world *w)
{
    const cevm_bytes values[3] = {
        {(const uint8_t *)"abc", 3}, {(const uint8_t *)"abcdefgh", 8}, {(const uint8_t *)"z", 1}};
    cevm_hash root;
    return cevm_trie_ordered_root(&root, values, 3, &w->allocator);
}

static cevm_err trie_root(world *w)
{
    cevm_hash root;
    return cevm_trie_root(&w->trie, &root, &w->buf);
}

static cevm_err rlp_write(world *w)
{
    uint8_t text[200] = {1};
    cevm_buf_clear(&w->buf);
    size_t list = cevm_rlp_list_begin(&w->buf);
    for (size_t i = 0; i < 20; ++i) {
        cevm_rlp_put_bytes(&w->buf, text, sizeof text);
        cevm_rlp_put_u64(&w->buf, i);
    }
    cevm_rlp_list_end(&w->buf, list);
    if (w->buf.failed) {
        cevm_buf_free(&w->buf);
        return CEVM_ERR_NOMEM;
    }
    cevm_bytes cursor = {w->buf.data, w->buf.size};
    cevm_bytes payload;
    size_t count;
    assert_true(cevm_rlp_next_list(&cursor, &payload) && cursor.size == 0);
    assert_true(cevm_rlp_count(&count, payload) && count == 40);
    return CEVM_OK;
}

/* ---- Steps: memory backend --------------------------------------------------------------------------------------- */

static cevm_err db_account(world *w, unsigned i)
{
    const cevm_address address = actor(i);
    const cevm_u256 balance = num(1000 + i);
    const uint8_t code[2] = {0x60, (uint8_t)i};
    return cevm_memdb_set_account(w->memdb, &address, &balance, i, (cevm_bytes){code, i % 2 * 2});
}

static cevm_err db_slot(world *w, unsigned i, uint64_t key, uint64_t value)
{
    const cevm_address address = actor(i);
    const cevm_u256 k = num(key);
    const cevm_u256 v = num(value);
    return cevm_memdb_set_storage(w->memdb, &address, &k, &v);
}

static cevm_err db_account_1(world *w) { return db_account(w, 1); }
static cevm_err db_account_2(world *w) { return db_account(w, 2); }
static cevm_err db_account_3(world *w) { return db_account(w, 3); }
static cevm_err db_slot_1(world *w) { return db_slot(w, 1, 1, 11); }
static cevm_err db_slot_2(world *w) { return db_slot(w, 1, 2, 22); }

static cevm_err db_block(world *w)
{
    const cevm_hash hash = {{7}};
    return cevm_memdb_set_block_hash(w->memdb, 7, &hash);
}

static cevm_err db_root(world *w)
{
    cevm_hash root;
    return cevm_memdb_root(w->memdb, &root);
}

static bool on_account(void *user, const cevm_address *address, const cevm_db_account *account, cevm_bytes code)
{
    world *w = user;
    (void)address;
    (void)account;
    (void)code;
    ++w->visited;
    return true;
}

static bool on_slot(void *user, const cevm_u256 *key, const cevm_u256 *value)
{
    world *w = user;
    (void)key;
    (void)value;
    ++w->visited;
    return true;
}

static cevm_err db_visit(world *w)
{
    const cevm_address address = actor(1);
    w->visited = 0;
    cevm_err err = cevm_memdb_for_each_account(w->memdb, on_account, w);
    return err == CEVM_OK ? cevm_memdb_for_each_slot(w->memdb, &address, on_slot, w) : err;
}

/* ---- Steps: journal ---------------------------------------------------------------------------------------------- */

static cevm_err tx_begin(world *w) { return cevm_state_begin_tx(w->state, CEVM_SHANGHAI); }
static cevm_err tx_end(world *w) { return cevm_state_end_tx(w->state); }
static cevm_err tx_commit(world *w) { return cevm_state_commit(w->state); }

static cevm_err tx_load(world *w)
{
    const cevm_address address = actor(1);
    cevm_account_info info;
    return w->host.vtable->load_account(w->host.ctx, &info, &address, false);
}

static cevm_err tx_warm(world *w)
{
    const cevm_address address = actor(9);
    return w->host.vtable->warm_account(w->host.ctx, &address);
}

static cevm_err tx_warm_slot(world *w)
{
    const cevm_address address = actor(9);
    const cevm_u256 key = num(4);
    return cevm_state_warm_slot(w->state, &address, &key);
}

static cevm_err tx_code(world *w)
{
    const cevm_address address = actor(3);
    cevm_code code;
    return w->host.vtable->load_code(w->host.ctx, &code, &address);
}

static cevm_err tx_sload(world *w)
{
    const cevm_address address = actor(1);
    const cevm_u256 key = num(1);
    cevm_slot_info info;
    return w->host.vtable->sload(w->host.ctx, &info, &address, &key, false);
}

static cevm_err tx_sstore(world *w)
{
    const cevm_address address = actor(1);
    const cevm_u256 key = num(2);
    const cevm_u256 value = num(23);
    cevm_sstore_info info;
    return w->host.vtable->sstore(w->host.ctx, &info, &address, &key, &value, false);
}

static cevm_err tx_tstore(world *w)
{
    const cevm_address address = actor(1);
    const cevm_u256 key = num(2);
    return w->host.vtable->tstore(w->host.ctx, &address, &key, &key);
}

static cevm_err tx_transfer(world *w)
{
    const cevm_address from = actor(1);
    const cevm_address to = actor(6);
    const cevm_u256 value = num(100);
    return w->host.vtable->transfer(w->host.ctx, &from, &to, &value);
}

static cevm_err tx_create(world *w)
{
    const cevm_address address = actor(5);
    return w->host.vtable->create_account(w->host.ctx, &address);
}

static cevm_err tx_create_slot(world *w)
{
    const cevm_address address = actor(5);
    const cevm_u256 key = num(9);
    cevm_sstore_info info;
    return w->host.vtable->sstore(w->host.ctx, &info, &address, &key, &key, false);
}

static cevm_err tx_set_code(world *w)
{
    const cevm_address address = actor(5);
    return w->host.vtable->set_code(w->host.ctx, &address, (cevm_bytes){(const uint8_t *)"new code", 8});
}

static cevm_err tx_nonce(world *w)
{
    const cevm_address address = actor(2);
    return w->host.vtable->increment_nonce(w->host.ctx, &address);
}

static cevm_err tx_log(world *w)
{
    const cevm_log log = {.address = actor(1), .topic_count = 1, .data = {(const uint8_t *)"some data", 9}};
    return w->host.vtable->log(w->host.ctx, &log);
}

static cevm_err tx_selfdestruct(world *w)
{
    const cevm_address address = actor(3);
    const cevm_address heir = actor(7);
    cevm_selfdestruct_info info;
    return w->host.vtable->selfdestruct(w->host.ctx, &info, &address, &heir);
}

/** Many small changes, to make every array and table grow; undone at once when one of them fails. */
static cevm_err tx_many(world *w)
{
    const cevm_checkpoint mark = w->host.vtable->checkpoint(w->host.ctx);
    cevm_err err = CEVM_OK;
    for (unsigned i = 0; err == CEVM_OK && i < 40; ++i) {
        const cevm_address address = actor(1);
        const cevm_address other = actor(100 + i);
        const cevm_u256 key = num(1000 + i);
        cevm_sstore_info info;
        err = w->host.vtable->sstore(w->host.ctx, &info, &address, &key, &key, false);
        if (err == CEVM_OK) {
            err = cevm_state_add_balance(w->state, &other, &key);
        }
        if (err == CEVM_OK) {
            err = w->host.vtable->tstore(w->host.ctx, &other, &key, &key);
        }
        if (err == CEVM_OK) {
            err = tx_log(w);
        }
    }
    if (err != CEVM_OK) {
        w->host.vtable->revert(w->host.ctx, mark);
    }
    return err;
}

static const step script[] = {
    rlp_write, trie_add_one,   trie_add_second, trie_root,    trie_add_prefix, trie_root,       trie_replace,
    trie_root, trie_remove,    trie_root,       trie_ordered, db_account_1,    db_account_2,    db_account_3,
    db_slot_1, db_slot_2,      db_block,        db_root,      db_visit,        tx_begin,        tx_load,
    tx_warm,   tx_warm_slot,   tx_code,         tx_sload,     tx_sstore,       tx_tstore,       tx_transfer,
    tx_create, tx_create_slot, tx_set_code,     tx_nonce,     tx_log,          tx_selfdestruct, tx_many,
    tx_end,    tx_commit,      db_root,         db_visit,     tx_begin,        tx_sstore,       tx_end,
    tx_commit, db_root};
enum { STEPS = sizeof script / sizeof script[0] };

/* ---- What the world looks like ----------------------------------------------------------------------------------- */

static void add(cevm_buf *buf, const void *data, size_t size) { cevm_buf_append(buf, data, size); }

static void look_at_state(world *w, cevm_buf *view)
{
    size_t logs;
    for (unsigned i = 0; i < 12; ++i) {
        const cevm_address address = actor(i);
        cevm_account_info info;
        assert_int_equal(cevm_state_get_account(w->state, &info, &address), CEVM_OK);
        const uint64_t facts[] = {info.exists, info.cold, info.nonce, info.balance.w[0]};
        add(view, facts, sizeof facts);
        add(view, &info.code_hash, sizeof info.code_hash);
        for (uint64_t k = 0; k < 10; ++k) {
            const cevm_u256 key = num(k);
            cevm_u256 value;
            assert_int_equal(cevm_state_get_storage(w->state, &value, &address, &key), CEVM_OK);
            add(view, &value, sizeof value);
            assert_int_equal(w->host.vtable->tload(w->host.ctx, &value, &address, &key), CEVM_OK);
            add(view, &value, sizeof value);
        }
    }
    (void)cevm_state_logs(w->state, &logs);
    add(view, &logs, sizeof logs);
}

/** A hash over everything there is to see. It changes nothing but what is cached. */
static cevm_hash look(world *w)
{
    cevm_buf view;
    cevm_hash hash;
    cevm_buf_init(&view, NULL);
    assert_int_equal(cevm_trie_root(&w->trie, &hash, &w->buf), CEVM_OK);
    add(&view, &hash, sizeof hash);
    assert_int_equal(cevm_memdb_root(w->memdb, &hash), CEVM_OK);
    add(&view, &hash, sizeof hash);
    if (w->begun) {
        look_at_state(w, &view);
    }
    assert_false(view.failed);
    cevm_keccak256(&hash, view.data, view.size);
    cevm_buf_free(&view);
    return hash;
}

/** Sets up the world; false (and nothing left) when memory ran out. */
static bool world_open(world *w, size_t fail_at)
{
    memset(w, 0, sizeof *w);
    w->memory.fail_at = fail_at;
    w->allocator = (cevm_allocator){.ctx = &w->memory, .resize = faulty_resize};
    cevm_trie_init(&w->trie, &w->allocator);
    cevm_buf_init(&w->buf, &w->allocator);
    cevm_err err = cevm_memdb_create(&w->memdb, &w->allocator);
    if (err != CEVM_OK) {
        assert_int_equal(err, CEVM_ERR_NOMEM);
        return false;
    }
    const cevm_db db = cevm_memdb_interface(w->memdb);
    err = cevm_state_create(&w->state, &db, &w->allocator);
    if (err != CEVM_OK) {
        assert_int_equal(err, CEVM_ERR_NOMEM);
        cevm_memdb_destroy(w->memdb);
        return false;
    }
    w->host = cevm_state_host(w->state);
    return true;
}

static void world_close(world *w)
{
    cevm_state_destroy(w->state);
    cevm_memdb_destroy(w->memdb);
    cevm_trie_clear(&w->trie);
    cevm_buf_free(&w->buf);
    assert_int_equal(w->memory.live, 0);
}

/** One run with allocation `fail_at` failing; false when the script did not make that many. */
static bool run(size_t fail_at, const cevm_hash *views)
{
    world w;
    if (!world_open(&w, fail_at)) {
        assert_int_equal(w.memory.live, 0);
        return true;
    }
    for (size_t i = 0; i < STEPS; ++i) {
        const bool failed_before = faulty_failed(&w.memory);
        cevm_err err = script[i](&w);
        if (faulty_failed(&w.memory) == failed_before) {
            assert_int_equal(err, CEVM_OK);
            continue;
        }
        assert_int_equal(err, CEVM_ERR_NOMEM);
        const cevm_hash view = look(&w);
        if (!cevm_hash_equal(&view, &views[i])) {
            fail_msg("allocation %zu failed in step %zu and left a trace", fail_at, i);
        }
        assert_int_equal(script[i](&w), CEVM_OK);
    }
    const cevm_hash view = look(&w);
    assert_true(cevm_hash_equal(&view, &views[STEPS]));
    const bool more = faulty_failed(&w.memory);
    world_close(&w);
    return more;
}

static void test_every_allocation(void **unused)
{
    static cevm_hash views[STEPS + 1];
    world w;
    size_t n = 1;
    (void)unused;
    assert_true(world_open(&w, 0));
    for (size_t i = 0; i < STEPS; ++i) {
        views[i] = look(&w);
        assert_int_equal(script[i](&w), CEVM_OK);
    }
    views[STEPS] = look(&w);
    world_close(&w);
    while (run(n, views)) {
        ++n;
    }
    print_message("%zu allocations failed in turn\n", n - 1);
    assert_true(n > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_allocation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
