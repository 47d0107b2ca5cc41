/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What every backend has to do (cevm_db_vtable), on each of them: blocks kept, dropped and taken back, against a model that
 * copies the whole state by value. After every step the store, its root (against a memory backend filled afresh) and every
 * view of the past must agree with the model; every so often an allocation fails, and then nothing may have changed. One
 * that lasts is closed and opened again every so often. Prints its seed; SEED=n replays it.
 */
#include <cevm/crypto.h>
#include <cevm/db.h>
#include <cevm/lmdb.h>
#include <cevm/treedb.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/oom/faulty.h"
#include "tests/property/random.h"
#include "tests/unit/remote_support.h"

enum { ACCOUNTS = 7, SLOTS = 6, HISTORY = 6, STEPS = 4000 };

typedef struct model_account {
    bool exists;
    uint64_t balance;
    uint64_t slots[SLOTS];
} model_account;

typedef struct model {
    model_account accounts[ACCOUNTS];
} model;

/** libc, but one allocation may fail. */
struct game;

/** A kind of backend. open makes game->db, over what is there already; what fails for want of memory fails cleanly. */
typedef struct backend {
    cevm_err (*open)(struct game *g);
    void (*close)(struct game *g);
    void (*check)(struct game *g); /* NULL: it cannot check itself */
    bool lasts;
} backend;

typedef struct game {
    const backend *backend;
    cevm_memdb *memdb;
    cevm_lmdb *lmdb;
    cevm_treedb *treedb;
    cevm_remote *remote;
    fake_node node;
    cevm_remote_transport transport;
    char folder[256];
    cevm_db db;
    faulty memory;
    cevm_allocator allocator;
    model now;
    model past[HISTORY]; /* before each block that can be taken back, oldest first */
    size_t count;
    bool open;
    model before; /* the open block */
} game;

static uint64_t random_state;

static uint64_t below(uint64_t n) { return random_next(&random_state) % n; }

static cevm_address address_of(size_t i)
{
    cevm_address a = {{0}};
    a.bytes[0] = (uint8_t)(0x10 * i);
    a.bytes[19] = 7;
    return a;
}

/* ---- The backends --------------------------------------------------------------------------------------------------- */

static cevm_err open_memory(game *g)
{
    const cevm_err err = cevm_memdb_create(&g->memdb, &g->allocator);
    if (err == CEVM_OK) {
        cevm_memdb_set_history(g->memdb, HISTORY);
        g->db = cevm_memdb_interface(g->memdb);
    }
    return err;
}

static void close_memory(game *g) { cevm_memdb_destroy(g->memdb); }

static cevm_err open_tree(game *g)
{
    const cevm_err err = cevm_treedb_create(&g->treedb, NULL, &g->allocator);
    if (err == CEVM_OK) {
        cevm_treedb_set_history(g->treedb, HISTORY);
        g->db = cevm_treedb_interface(g->treedb);
    }
    return err;
}

static void close_tree(game *g) { cevm_treedb_destroy(g->treedb); }

/** The same over the state of a node elsewhere, of which all is asked that is not here. */
static cevm_err open_remote(game *g)
{
    cevm_remote_error error;
    g->remote = NULL;
    g->treedb = NULL;
    g->transport = fake_node_transport(&g->node);
    cevm_err err = cevm_memdb_create(&g->memdb, NULL);
    assert_int_equal(err, CEVM_OK);
    g->node = (fake_node){.db = cevm_memdb_interface(g->memdb), .number = 5, .chain_id = 1};
    cevm_remote_options options = fake_node_options(&g->transport, NULL);
    options.allocator = &g->allocator;
    err = cevm_remote_open(&g->remote, &error, &options);
    if (err == CEVM_OK) {
        const cevm_db base = cevm_remote_interface(g->remote);
        err = cevm_treedb_create(&g->treedb, &base, &g->allocator);
    }
    if (err == CEVM_OK) {
        cevm_treedb_set_history(g->treedb, HISTORY);
        g->db = cevm_treedb_interface(g->treedb);
    }
    return err;
}

static void close_remote(game *g)
{
    cevm_treedb_destroy(g->treedb);
    cevm_remote_close(g->remote);
    cevm_memdb_destroy(g->memdb);
    fake_node_free(&g->node);
}

static cevm_err open_lmdb(game *g)
{
    cevm_lmdb_error error;
    const cevm_lmdb_options options = {.struct_size = sizeof options,
                                       .allocator = &g->allocator,
                                       .path = g->folder,
                                       .create = true,
                                       .no_sync = true,
                                       .check_pages = below(4) == 0,
                                       .has_history = true,
                                       .history = HISTORY,
                                       .map_size = (uint64_t)1 << 30};
    const cevm_err err = cevm_lmdb_open(&g->lmdb, &error, &options);
    if (err == CEVM_OK) {
        g->db = cevm_lmdb_interface(g->lmdb);
    }
    return err;
}

static void close_lmdb(game *g) { cevm_lmdb_close(g->lmdb); }

static void check_lmdb(game *g)
{
    const cevm_err err = cevm_lmdb_verify(g->lmdb, NULL, NULL);
    if (err != CEVM_OK) {
        print_error("%s\n", cevm_lmdb_error_text(g->lmdb));
    }
    assert_int_equal(err, CEVM_OK);
}

static const backend memory = {.open = open_memory, .close = close_memory};
static const backend tree = {.open = open_tree, .close = close_tree};
static const backend remote = {.open = open_remote, .close = close_remote};
static const backend lmdb = {.open = open_lmdb, .close = close_lmdb, .check = check_lmdb, .lasts = true};

static void make_folder(char *out, size_t size)
{
    const char *place = getenv("TMPDIR");
    (void)snprintf(out, size, "%s/cevm-XXXXXX", place != NULL ? place : P_tmpdir);
    assert_non_null(mkdtemp(out));
}

static void remove_folder(const char *folder)
{
    static const char *const names[] = {"data.mdb", "lock.mdb", "writer.lock"};
    char path[512];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(folder), 0);
}

/* ---- Comparing ----------------------------------------------------------------------------------------------------- */

static void compare_reads(const cevm_db *db, const model *m)
{
    for (size_t i = 0; i < ACCOUNTS; ++i) {
        const cevm_address address = address_of(i);
        cevm_db_account account;
        bool exists = false;
        assert_int_equal(db->vtable->account(db->ctx, &account, &exists, &address), CEVM_OK);
        assert_int_equal(exists, m->accounts[i].exists);
        bool has_storage = false;
        for (size_t s = 0; s < SLOTS; ++s) {
            const cevm_u256 key = cevm_u256_from_u64(s);
            cevm_u256 value;
            assert_int_equal(db->vtable->storage(db->ctx, &value, &address, &key), CEVM_OK);
            assert_int_equal(value.w[0], m->accounts[i].slots[s]);
            has_storage = has_storage || m->accounts[i].slots[s] != 0;
        }
        if (exists) {
            assert_int_equal(account.balance.w[0], m->accounts[i].balance);
            assert_int_equal(account.has_storage, has_storage);
        }
    }
}

static void compare_root(game *g)
{
    cevm_memdb *fresh = NULL;
    assert_int_equal(cevm_memdb_create(&fresh, NULL), CEVM_OK);
    for (size_t i = 0; i < ACCOUNTS; ++i) {
        const model_account *a = &g->now.accounts[i];
        const cevm_address address = address_of(i);
        const cevm_u256 balance = cevm_u256_from_u64(a->balance);
        if (!a->exists) {
            continue;
        }
        assert_int_equal(cevm_memdb_set_account(fresh, &address, &balance, 0, (cevm_bytes){NULL, 0}), CEVM_OK);
        for (size_t s = 0; s < SLOTS; ++s) {
            const cevm_u256 key = cevm_u256_from_u64(s);
            const cevm_u256 value = cevm_u256_from_u64(a->slots[s]);
            assert_int_equal(cevm_memdb_set_storage(fresh, &address, &key, &value), CEVM_OK);
        }
    }
    cevm_hash expected;
    cevm_hash root;
    assert_int_equal(cevm_memdb_root(fresh, &expected), CEVM_OK);
    assert_int_equal(g->db.vtable->root(g->db.ctx, &root), CEVM_OK);
    assert_memory_equal(root.bytes, expected.bytes, sizeof root.bytes);
    cevm_memdb_destroy(fresh);
}

static void compare(game *g)
{
    compare_reads(&g->db, &g->now);
    if (g->open) {
        return;
    }
    for (size_t back = 0; back <= g->count; ++back) {
        cevm_db past;
        assert_int_equal(g->db.vtable->open_past(g->db.ctx, &past, back), CEVM_OK);
        compare_reads(&past, back == 0 ? &g->now : &g->past[g->count - back]);
        g->db.vtable->close_past(g->db.ctx, &past);
    }
    cevm_db none;
    assert_int_equal(g->db.vtable->open_past(g->db.ctx, &none, g->count + 1), CEVM_ERR_ARGUMENT);
}

/* ---- Steps ----------------------------------------------------------------------------------------------------------- */

/** A random change of some accounts, on the model and as a diff. */
static void random_commit(game *g)
{
    model next = g->now;
    cevm_account_change changes[ACCOUNTS];
    cevm_slot_change slots[ACCOUNTS][SLOTS];
    cevm_diff diff = {.accounts = changes};
    for (size_t i = 0; i < ACCOUNTS; ++i) {
        model_account *a = &next.accounts[i];
        if (below(2) == 0) {
            continue;
        }
        cevm_account_change *c = &changes[diff.account_count++];
        *c = (cevm_account_change){.address = address_of(i), .code_hash = cevm_empty_code_hash, .slots = slots[i]};
        if (a->exists && below(4) == 0) {
            c->deleted = true;
            *a = (model_account){0};
            continue;
        }
        c->storage_cleared = a->exists && below(4) == 0;
        if (c->storage_cleared) {
            memset(a->slots, 0, sizeof a->slots);
        }
        a->exists = true;
        a->balance = below(1000);
        c->balance = cevm_u256_from_u64(a->balance);
        for (size_t s = 0; s < SLOTS; ++s) {
            if (below(3) == 0) {
                a->slots[s] = below(3);
                slots[i][c->slot_count++] =
                    (cevm_slot_change){.key = cevm_u256_from_u64(s), .value = cevm_u256_from_u64(a->slots[s])};
            }
        }
    }
    if (g->db.vtable->commit(g->db.ctx, &diff) == CEVM_OK) {
        g->now = next;
    } else {
        assert_true(faulty_failed(&g->memory));
    }
}

static void begin(game *g)
{
    if (g->db.vtable->begin_block(g->db.ctx) == CEVM_OK) {
        g->open = true;
        g->before = g->now;
    }
}

static void end(game *g, bool keep)
{
    if (g->db.vtable->end_block(g->db.ctx, keep) != CEVM_OK) {
        return;
    }
    g->open = false;
    if (!keep) {
        g->now = g->before;
        return;
    }
    if (g->count == HISTORY) {
        memmove(g->past, g->past + 1, (HISTORY - 1) * sizeof g->past[0]);
        --g->count;
    }
    g->past[g->count++] = g->before;
}

static void take_back(game *g)
{
    const cevm_err err = g->db.vtable->undo_block(g->db.ctx);
    if (g->count == 0) {
        assert_int_equal(err, CEVM_ERR_ARGUMENT);
    } else if (err == CEVM_OK) {
        g->now = g->past[--g->count];
    } else {
        assert_int_equal(err, CEVM_ERR_NOMEM);
    }
}

/** Closes the store and opens it again; an open block is dropped by that. */
static void reopen(game *g)
{
    g->backend->close(g);
    faulty_after(&g->memory, below(4) == 0 ? 1 + below(3) : 0);
    cevm_err err = g->backend->open(g);
    if (err != CEVM_OK) {
        assert_int_equal(err, CEVM_ERR_NOMEM);
        faulty_after(&g->memory, 0);
        err = g->backend->open(g);
    }
    assert_int_equal(err, CEVM_OK);
    if (g->open) {
        g->open = false;
        g->now = g->before;
    }
}

static void step(game *g)
{
    faulty_after(&g->memory, below(8) == 0 ? 1 + below(12) : 0);
    switch (below(6)) {
    case 0:
        if (g->open) {
            end(g, below(3) != 0);
        } else {
            begin(g);
        }
        break;
    case 1:
        if (g->open) {
            assert_int_equal(g->db.vtable->undo_block(g->db.ctx), CEVM_ERR_ARGUMENT);
            assert_int_equal(g->db.vtable->begin_block(g->db.ctx), CEVM_ERR_ARGUMENT);
        } else {
            assert_int_equal(g->db.vtable->end_block(g->db.ctx, true), CEVM_ERR_ARGUMENT);
            take_back(g);
        }
        break;
    default:
        if (g->open) {
            random_commit(g);
        } else {
            begin(g);
        }
        break;
    }
    faulty_after(&g->memory, 0);
    if (g->backend->lasts && below(5) == 0) {
        reopen(g);
        faulty_after(&g->memory, 0);
    }
    if (g->backend->check != NULL && !g->open && below(4) == 0) {
        g->backend->check(g);
    }
}

static void play(const backend *kind)
{
    static game g;
    memset(&g, 0, sizeof g);
    g.backend = kind;
    g.allocator = (cevm_allocator){.ctx = &g.memory, .resize = faulty_resize};
    make_folder(g.folder, sizeof g.folder);
    assert_int_equal(kind->open(&g), CEVM_OK);
    for (size_t i = 0; i < STEPS; ++i) {
        step(&g);
        compare(&g);
        if (below(3) == 0) {
            compare_root(&g); /* it also lets the memory backend forget what is gone, so not after each step */
        }
    }
    kind->close(&g);
    remove_folder(g.folder);
}

static void test_memory_against_a_model(void **state)
{
    (void)state;
    play(&memory);
}

static void test_tree_against_a_model(void **state)
{
    (void)state;
    play(&tree);
}

static void test_remote_against_a_model(void **state)
{
    (void)state;
    play(&remote);
}

static void test_lmdb_against_a_model(void **state)
{
    (void)state;
    play(&lmdb);
}

/* ---- Larger states --------------------------------------------------------------------------------------------------- */

enum { MANY = 3000, BLOCKS = 60, CHANGES = 120 };

/** A change of many keys, the same for two stores. Removals are as many as additions, so tries grow and shrink. */
static void large_commit(const cevm_db *a, const cevm_db *b)
{
    static cevm_slot_change slots[CHANGES];
    cevm_account_change changes[CHANGES];
    cevm_diff diff = {.accounts = changes};
    const uint64_t stride = 1 + below(MANY / CHANGES);
    uint64_t number = below(stride + 1);
    const bool shrinks = below(2) == 0;
    for (size_t i = 0; i < CHANGES; ++i) { /* keys in order */
        slots[i] =
            (cevm_slot_change){.key = cevm_u256_from_u64(i * stride + number),
                               .value = cevm_u256_from_u64(below(3) == 0 || shrinks ? 0 : 1 + below(UINT64_MAX))};
    }
    for (size_t i = 0; i < CHANGES; ++i, number += stride) {
        cevm_account_change *c = &changes[diff.account_count++];
        *c = (cevm_account_change){.code_hash = cevm_empty_code_hash,
                                   .balance = cevm_u256_from_u64(below(UINT64_MAX)),
                                   .nonce = below(3),
                                   .deleted = i != 0 && below(shrinks ? 2 : 6) == 0};
        cevm_store_be64(c->address.bytes + 12, i == 0 ? 0 : number + 1);
        if (i == 0 || (!c->deleted && below(20) == 0)) {
            c->storage_cleared = below(30) == 0;
            c->slots = slots;
            c->slot_count = i == 0 ? CHANGES : below(CHANGES);
        }
    }
    assert_int_equal(a->vtable->commit(a->ctx, &diff), CEVM_OK);
    assert_int_equal(b->vtable->commit(b->ctx, &diff), CEVM_OK);
}

static void compare_roots(const cevm_db *a, const cevm_db *b)
{
    cevm_hash left;
    cevm_hash right;
    assert_int_equal(a->vtable->root(a->ctx, &left), CEVM_OK);
    assert_int_equal(b->vtable->root(b->ctx, &right), CEVM_OK);
    assert_memory_equal(left.bytes, right.bytes, sizeof left.bytes);
}

static void test_roots_of_large_states(void **state)
{
    (void)state;
    static game m;
    static game l;
    memset(&m, 0, sizeof m);
    memset(&l, 0, sizeof l);
    m.allocator = (cevm_allocator){.ctx = &m.memory, .resize = faulty_resize};
    l.allocator = (cevm_allocator){.ctx = &l.memory, .resize = faulty_resize};
    make_folder(l.folder, sizeof l.folder);
    assert_int_equal(open_memory(&m), CEVM_OK);
    assert_int_equal(open_lmdb(&l), CEVM_OK);
    for (size_t block = 0; block < BLOCKS; ++block) {
        const bool keep = below(4) != 0;
        assert_int_equal(m.db.vtable->begin_block(m.db.ctx), CEVM_OK);
        assert_int_equal(l.db.vtable->begin_block(l.db.ctx), CEVM_OK);
        for (uint64_t commits = 1 + below(3); commits != 0; --commits) {
            large_commit(&m.db, &l.db);
            if (below(2) == 0) {
                compare_roots(&m.db, &l.db);
            }
        }
        assert_int_equal(m.db.vtable->end_block(m.db.ctx, keep), CEVM_OK);
        assert_int_equal(l.db.vtable->end_block(l.db.ctx, keep), CEVM_OK);
        compare_roots(&m.db, &l.db);
        if (below(4) == 0) {
            assert_int_equal(m.db.vtable->undo_block(m.db.ctx), l.db.vtable->undo_block(l.db.ctx));
            compare_roots(&m.db, &l.db);
        }
        check_lmdb(&l);
    }
    close_memory(&m);
    close_lmdb(&l);
    remove_folder(l.folder);
}

int main(void)
{
    const uint64_t seed = random_seed();
    print_message("SEED=%" PRIu64 "\n", seed);
    random_state = seed;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_against_a_model), cmocka_unit_test(test_tree_against_a_model),
        cmocka_unit_test(test_remote_against_a_model), cmocka_unit_test(test_lmdb_against_a_model),
        cmocka_unit_test(test_roots_of_large_states),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
