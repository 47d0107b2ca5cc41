/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Blocks of the memory backend, kept, dropped and taken back, against a model that copies the whole state by value. After
 * every step the store, its root (against a store filled afresh) and every view of the past must agree with the model;
 * every so often an allocation fails, and then nothing may have changed. Prints its seed; SEED=n replays it.
 */
#include <cevm/crypto.h>
#include <cevm/db.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>

#include "tests/property/random.h"

enum { ACCOUNTS = 5, SLOTS = 5, HISTORY = 6, STEPS = 6000 };

typedef struct model_account {
    bool exists;
    uint64_t balance;
    uint64_t slots[SLOTS];
} model_account;

typedef struct model {
    model_account accounts[ACCOUNTS];
} model;

/** libc, but one allocation may fail. */
typedef struct failing {
    size_t left; /* allocations until the one that fails; 0: none does */
} failing;

typedef struct game {
    cevm_memdb *memdb;
    cevm_db db;
    failing failing;
    model now;
    model past[HISTORY]; /* before each block that can be taken back, oldest first */
    size_t count;
    bool open;
    model before; /* the open block */
} game;

static uint64_t random_state;

static uint64_t below(uint64_t n) { return random_next(&random_state) % n; }

static void *failing_resize(void *ctx, void *ptr, size_t size)
{
    failing *f = ctx;
    if (size == 0) {
        free(ptr);
        return NULL;
    }
    return f->left != 0 && --f->left == 0 ? NULL : realloc(ptr, size);
}

static cevm_address address_of(size_t i)
{
    cevm_address a = {{0}};
    a.bytes[0] = (uint8_t)(0x10 * i);
    a.bytes[19] = 7;
    return a;
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
    assert_int_equal(cevm_memdb_root(g->memdb, &root), CEVM_OK);
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
        assert_int_equal(g->failing.left, 0);
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

static void step(game *g)
{
    g->failing.left = below(8) == 0 ? 1 + below(12) : 0;
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
    g->failing.left = 0;
}

static void test_blocks_against_a_model(void **state)
{
    (void)state;
    const uint64_t seed = random_seed();
    print_message("SEED=%" PRIu64 "\n", seed);
    random_state = seed;
    static game g;
    const cevm_allocator allocator = {.ctx = &g.failing, .resize = failing_resize};
    assert_int_equal(cevm_memdb_create(&g.memdb, &allocator), CEVM_OK);
    g.db = cevm_memdb_interface(g.memdb);
    cevm_memdb_set_history(g.memdb, HISTORY);
    for (size_t i = 0; i < STEPS; ++i) {
        step(&g);
        compare(&g);
        if (below(3) == 0) {
            compare_root(&g); /* it also lets the store forget what is gone, so not after each step */
        }
    }
    cevm_memdb_destroy(g.memdb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_blocks_against_a_model)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
