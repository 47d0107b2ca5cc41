/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shared memory backend (cevm/treedb.h): who owns what, what a state keeps, what a base lends; and many threads that
 * read states while the store goes on. Run under ThreadSanitizer too (make tsan).
 */
#include <cevm/crypto.h>
#include <cevm/treedb.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/** Counts what is held, on any thread. */
typedef struct counter {
    atomic_size_t blocks;
    atomic_size_t bytes; /* of blocks of at least LARGE, which is code in these tests */
} counter;

enum { LARGE = 20000 };

static void *counting_resize(void *ctx, void *ptr, size_t size)
{
    enum { HEADER = 16 };
    counter *c = ctx;
    uint8_t *block = ptr != NULL ? (uint8_t *)ptr - HEADER : NULL;
    size_t old = 0;
    if (block != NULL) {
        memcpy(&old, block, sizeof old);
        atomic_fetch_sub(&c->blocks, 1);
        atomic_fetch_sub(&c->bytes, old >= LARGE ? old : 0);
    }
    if (size == 0) {
        free(block);
        return NULL;
    }
    block = realloc(block, size + HEADER);
    assert_non_null(block);
    memcpy(block, &size, sizeof size);
    atomic_fetch_add(&c->blocks, 1);
    atomic_fetch_add(&c->bytes, size >= LARGE ? size : 0);
    return block + HEADER;
}

static cevm_u256 num(uint64_t n) { return cevm_u256_from_u64(n); }

static cevm_address address_of(uint64_t n)
{
    cevm_address a = {{0}};
    cevm_store_be64(a.bytes + 12, n);
    return a;
}

static void set_account(cevm_treedb *db, uint64_t n, uint64_t balance, cevm_bytes code)
{
    const cevm_address address = address_of(n);
    const cevm_u256 wei = num(balance);
    assert_int_equal(cevm_treedb_set_account(db, &address, &wei, 1, code), CEVM_OK);
}

static void set_slot(cevm_treedb *db, uint64_t n, uint64_t key, uint64_t value)
{
    const cevm_address address = address_of(n);
    const cevm_u256 k = num(key);
    const cevm_u256 v = num(value);
    assert_int_equal(cevm_treedb_set_storage(db, &address, &k, &v), CEVM_OK);
}

static void delete_account(cevm_treedb *db, uint64_t n)
{
    const cevm_db view = cevm_treedb_interface(db);
    const cevm_account_change change = {.address = address_of(n), .deleted = true};
    const cevm_diff diff = {.accounts = &change, .account_count = 1};
    assert_int_equal(view.vtable->commit(view.ctx, &diff), CEVM_OK);
}

static bool account_of(const cevm_db *db, cevm_db_account *out, uint64_t n)
{
    const cevm_address address = address_of(n);
    bool exists;
    assert_int_equal(db->vtable->account(db->ctx, out, &exists, &address), CEVM_OK);
    return exists;
}

static uint64_t slot_of(const cevm_db *db, uint64_t n, uint64_t key)
{
    const cevm_address address = address_of(n);
    const cevm_u256 k = num(key);
    cevm_u256 value;
    assert_int_equal(db->vtable->storage(db->ctx, &value, &address, &k), CEVM_OK);
    return value.w[0];
}

static cevm_tree *snapshot(cevm_treedb *db)
{
    cevm_tree *tree = NULL;
    assert_int_equal(cevm_treedb_snapshot(db, &tree), CEVM_OK);
    return tree;
}

static const cevm_bytes no_code = {NULL, 0};

/* ---- Roots ----------------------------------------------------------------------------------------------------------- */

/** The empty root is keccak256(rlp("")) (Yellow Paper, appendix D), however empty the trie has become. */
static void test_roots(void **unused)
{
    static const uint8_t empty[4] = {0x56, 0xe8, 0x1f, 0x17};
    cevm_treedb *db;
    cevm_hash root;
    (void)unused;
    assert_int_equal(cevm_treedb_create(&db, NULL, NULL), CEVM_OK);
    const cevm_db view = cevm_treedb_interface(db);
    assert_int_equal(view.vtable->root(view.ctx, &root), CEVM_OK);
    assert_memory_equal(root.bytes, empty, sizeof empty);
    cevm_tree *nothing = snapshot(db);
    set_account(db, 1, 5, no_code);
    set_account(db, 2, 5, no_code);
    cevm_tree *two = snapshot(db);
    cevm_tree *again = snapshot(db);
    assert_ptr_equal(two, again);
    cevm_tree_release(again);
    cevm_hash both;
    cevm_tree_root(two, &both);
    delete_account(db, 1);
    delete_account(db, 2);
    assert_int_equal(view.vtable->root(view.ctx, &root), CEVM_OK);
    assert_memory_equal(root.bytes, empty, sizeof empty);
    assert_int_equal(cevm_treedb_restore(db, two), CEVM_OK);
    assert_int_equal(cevm_treedb_restore(db, two), CEVM_OK);
    again = snapshot(db);
    assert_ptr_equal(two, again);
    cevm_tree_release(again);
    assert_int_equal(view.vtable->root(view.ctx, &root), CEVM_OK);
    assert_memory_equal(root.bytes, both.bytes, 32);
    assert_int_equal(cevm_treedb_clear(db), CEVM_OK);
    assert_int_equal(view.vtable->root(view.ctx, &root), CEVM_OK);
    assert_memory_equal(root.bytes, empty, sizeof empty);
    assert_int_equal(cevm_treedb_restore(db, two), CEVM_OK);
    assert_int_equal(cevm_treedb_restore(db, nothing), CEVM_OK);
    assert_int_equal(view.vtable->root(view.ctx, &root), CEVM_OK);
    assert_memory_equal(root.bytes, empty, sizeof empty);
    cevm_tree_release(nothing);
    cevm_tree_release(two);
    cevm_treedb_destroy(db);
}

/* ---- Ownership ------------------------------------------------------------------------------------------------------- */

static void test_code_goes_with_its_last_account(void **unused)
{
    static uint8_t bytes[LARGE];
    const cevm_bytes code = {bytes, sizeof bytes};
    counter c = {0};
    const cevm_allocator allocator = {.ctx = &c, .resize = counting_resize};
    cevm_treedb *db;
    cevm_db_account account;
    cevm_bytes read;
    (void)unused;
    assert_int_equal(cevm_treedb_create(&db, NULL, &allocator), CEVM_OK);
    const cevm_db view = cevm_treedb_interface(db);
    set_account(db, 1, 1, code);
    const size_t once = atomic_load(&c.bytes);
    assert_true(once >= LARGE);
    set_account(db, 2, 1, code);
    set_account(db, 3, 1, code);
    assert_int_equal(atomic_load(&c.bytes), once);
    assert_true(account_of(&view, &account, 3));
    assert_int_equal(view.vtable->code(view.ctx, &read, &account.code_hash), CEVM_OK);
    assert_int_equal(read.size, LARGE);
    cevm_tree *kept = snapshot(db);
    set_account(db, 1, 1, no_code);
    delete_account(db, 2);
    set_account(db, 3, 2, no_code);
    assert_int_equal(atomic_load(&c.bytes), once); /* the state kept has it */
    const cevm_db old = cevm_tree_interface(kept);
    assert_int_equal(old.vtable->code(old.ctx, &read, &account.code_hash), CEVM_OK);
    cevm_tree_release(kept);
    assert_int_equal(atomic_load(&c.bytes), 0);
    assert_int_equal(view.vtable->code(view.ctx, &read, &account.code_hash), CEVM_ERR_BACKEND);
    set_account(db, 1, 1, code); /* and again */
    assert_int_equal(atomic_load(&c.bytes), once);
    cevm_treedb_destroy(db);
    assert_int_equal(atomic_load(&c.blocks), 0);
}

static void test_states_outlive_the_store(void **unused)
{
    counter c = {0};
    const cevm_allocator allocator = {.ctx = &c, .resize = counting_resize};
    cevm_treedb *db;
    cevm_db_account account;
    (void)unused;
    assert_int_equal(cevm_treedb_create(&db, NULL, &allocator), CEVM_OK);
    for (uint64_t i = 0; i < 500; ++i) {
        set_account(db, i, i, no_code);
    }
    set_slot(db, 7, 1, 11);
    cevm_tree *first = snapshot(db);
    for (uint64_t i = 0; i < 500; i += 2) {
        delete_account(db, i);
    }
    set_slot(db, 7, 1, 0);
    cevm_tree *second = snapshot(db);
    assert_ptr_equal(cevm_tree_retain(second), second);
    cevm_tree_release(second);
    cevm_treedb_destroy(db);
    const cevm_db a = cevm_tree_interface(first);
    const cevm_db b = cevm_tree_interface(second);
    assert_null(a.vtable->commit);
    for (uint64_t i = 0; i < 500; ++i) {
        assert_true(account_of(&a, &account, i) && account.balance.w[0] == i);
        assert_int_equal(account_of(&b, &account, i), i % 2);
    }
    assert_int_equal(slot_of(&a, 7, 1), 11);
    assert_int_equal(slot_of(&b, 7, 1), 0);
    assert_true(account_of(&b, &account, 7) && !account.has_storage);
    cevm_tree_release(first);
    cevm_tree_release(second);
    cevm_tree_release(NULL);
    assert_int_equal(atomic_load(&c.blocks), 0);
}

static void test_what_is_refused(void **unused)
{
    cevm_treedb *db;
    cevm_treedb *other;
    cevm_tree *none = NULL;
    const cevm_address nobody = address_of(9);
    const cevm_u256 one = num(1);
    (void)unused;
    assert_int_equal(cevm_treedb_create(&db, NULL, NULL), CEVM_OK);
    assert_int_equal(cevm_treedb_create(&other, NULL, NULL), CEVM_OK);
    const cevm_db view = cevm_treedb_interface(db);
    assert_int_equal(cevm_treedb_set_storage(db, &nobody, &one, &one), CEVM_ERR_ARGUMENT);
    cevm_tree *foreign = snapshot(other);
    cevm_tree *own = snapshot(db);
    assert_int_equal(cevm_treedb_restore(db, foreign), CEVM_ERR_ARGUMENT);
    assert_int_equal(view.vtable->begin_block(view.ctx), CEVM_OK);
    assert_int_equal(cevm_treedb_restore(db, own), CEVM_ERR_ARGUMENT);
    assert_int_equal(cevm_treedb_snapshot(db, &none), CEVM_ERR_ARGUMENT);
    assert_int_equal(cevm_treedb_clear(db), CEVM_ERR_ARGUMENT);
    assert_int_equal(view.vtable->end_block(view.ctx, true), CEVM_OK);
    assert_int_equal(view.vtable->undo_block(view.ctx), CEVM_ERR_ARGUMENT); /* no history was asked for */
    cevm_tree_release(foreign);
    cevm_tree_release(own);
    cevm_treedb_destroy(db);
    cevm_treedb_destroy(other);
}

/* ---- Over a base ----------------------------------------------------------------------------------------------------- */

static void test_over_a_base(void **unused)
{
    cevm_memdb *below;
    cevm_treedb *db;
    cevm_db_account account;
    const cevm_bytes code = {(const uint8_t *)"\x60\x00", 2};
    const cevm_u256 wei = num(100);
    const cevm_hash block_hash = {{9}};
    (void)unused;
    assert_int_equal(cevm_memdb_create(&below, NULL), CEVM_OK);
    for (uint64_t i = 1; i <= 3; ++i) {
        const cevm_address address = address_of(i);
        assert_int_equal(cevm_memdb_set_account(below, &address, &wei, 1, code), CEVM_OK);
        for (uint64_t s = 1; s <= 2; ++s) {
            const cevm_u256 key = num(s);
            const cevm_u256 value = num(10 * i + s);
            assert_int_equal(cevm_memdb_set_storage(below, &address, &key, &value), CEVM_OK);
        }
    }
    assert_int_equal(cevm_memdb_set_block_hash(below, 5, &block_hash), CEVM_OK);
    const cevm_db base = cevm_memdb_interface(below);
    assert_int_equal(cevm_treedb_create(&db, &base, NULL), CEVM_OK);
    const cevm_db view = cevm_treedb_interface(db);
    cevm_hash hash;
    assert_int_equal(view.vtable->block_hash(view.ctx, &hash, 5), CEVM_OK);
    assert_memory_equal(hash.bytes, block_hash.bytes, 32);

    /* A slot: the others still come from below. Set to 0: it is 0, whatever is below. */
    set_slot(db, 1, 1, 77);
    set_slot(db, 1, 2, 0);
    assert_int_equal(slot_of(&view, 1, 1), 77);
    assert_int_equal(slot_of(&view, 1, 2), 0);
    assert_true(account_of(&view, &account, 1) && account.balance.w[0] == 100 && account.has_storage);
    cevm_bytes read;
    assert_int_equal(view.vtable->code(view.ctx, &read, &account.code_hash), CEVM_OK);
    assert_int_equal(read.size, 2);

    /* Deleted: nothing is left, not even when the account comes back. */
    cevm_tree *before = snapshot(db);
    delete_account(db, 2);
    assert_false(account_of(&view, &account, 2));
    assert_int_equal(slot_of(&view, 2, 1), 0);
    const cevm_account_change back = {.address = address_of(2), .balance = wei, .code_hash = cevm_empty_code_hash};
    const cevm_diff diff = {.accounts = &back, .account_count = 1};
    assert_int_equal(view.vtable->commit(view.ctx, &diff), CEVM_OK);
    assert_true(account_of(&view, &account, 2) && !account.has_storage);
    assert_int_equal(slot_of(&view, 2, 1), 0);
    delete_account(db, 2);
    assert_false(account_of(&view, &account, 2));

    /* Replaced: the storage below is gone. */
    set_account(db, 3, 1, no_code);
    assert_int_equal(slot_of(&view, 3, 1), 0);

    /* And the state of before is as it was. */
    const cevm_db old = cevm_tree_interface(before);
    assert_true(account_of(&old, &account, 2) && account.has_storage);
    assert_int_equal(slot_of(&old, 2, 1), 21);
    assert_int_equal(slot_of(&old, 3, 2), 32);
    cevm_tree_release(before);
    cevm_treedb_destroy(db);
    cevm_memdb_destroy(below);
}

/* ---- Threads --------------------------------------------------------------------------------------------------------- */

enum { READERS = 6, ROUNDS = 150, HELD = 300, SLOTS = 20 };

/** The writer leaves its newest state here; readers take it. */
typedef struct board {
    pthread_mutex_t lock;
    cevm_tree *tree;
    uint64_t round;
    bool done;
} board;

static uint8_t round_code(uint64_t round) { return (uint8_t)(1 + round % 7); }

/** Whether all that a state says is of one round. */
static bool is_whole(const cevm_tree *tree, uint64_t round)
{
    const cevm_db db = cevm_tree_interface(tree);
    bool right = true;
    for (uint64_t i = 0; i < HELD; ++i) {
        const cevm_address address = address_of(i);
        cevm_db_account account;
        bool exists = false;
        right = right && db.vtable->account(db.ctx, &account, &exists, &address) == CEVM_OK && exists &&
                account.balance.w[0] == round;
        cevm_bytes code = {NULL, 0};
        if (right && i % 50 == 0) {
            right = db.vtable->code(db.ctx, &code, &account.code_hash) == CEVM_OK && code.size == 1 &&
                    code.data[0] == round_code(round);
        }
    }
    const cevm_address owner = address_of(0);
    for (uint64_t s = 0; s < SLOTS; ++s) {
        const cevm_u256 key = num(s);
        cevm_u256 value;
        right = right && db.vtable->storage(db.ctx, &value, &owner, &key) == CEVM_OK && value.w[0] == round + s;
    }
    return right;
}

static void *read_states(void *user)
{
    board *b = user;
    bool right = true;
    for (bool done = false; !done;) {
        (void)pthread_mutex_lock(&b->lock);
        cevm_tree *tree = cevm_tree_retain(b->tree);
        const uint64_t round = b->round;
        done = b->done;
        (void)pthread_mutex_unlock(&b->lock);
        right = right && is_whole(tree, round);
        cevm_tree_release(tree);
    }
    return right ? NULL : b;
}

static void write_round(cevm_treedb *db, uint64_t round)
{
    const uint8_t code = round_code(round);
    const cevm_db view = cevm_treedb_interface(db);
    assert_int_equal(view.vtable->begin_block(view.ctx), CEVM_OK);
    for (uint64_t i = 0; i < HELD; ++i) {
        set_account(db, i, round, i % 50 == 0 ? (cevm_bytes){&code, 1} : no_code);
    }
    for (uint64_t s = 0; s < SLOTS; ++s) {
        set_slot(db, 0, s, round + s);
    }
    assert_int_equal(view.vtable->end_block(view.ctx, true), CEVM_OK);
}

static void publish(board *b, cevm_treedb *db, uint64_t round)
{
    cevm_tree *tree = snapshot(db);
    (void)pthread_mutex_lock(&b->lock);
    cevm_tree *old = b->tree;
    b->tree = tree;
    b->round = round;
    b->done = round == ROUNDS;
    (void)pthread_mutex_unlock(&b->lock);
    cevm_tree_release(old);
}

static void test_readers_and_a_writer(void **unused)
{
    board b = {.round = 0};
    pthread_t readers[READERS];
    counter c = {0};
    const cevm_allocator allocator = {.ctx = &c, .resize = counting_resize};
    cevm_treedb *db;
    (void)unused;
    assert_int_equal(cevm_treedb_create(&db, NULL, &allocator), CEVM_OK);
    cevm_treedb_set_history(db, 3);
    assert_int_equal(pthread_mutex_init(&b.lock, NULL), 0);
    write_round(db, 1);
    publish(&b, db, 1);
    for (size_t i = 0; i < READERS; ++i) {
        assert_int_equal(pthread_create(&readers[i], NULL, read_states, &b), 0);
    }
    for (uint64_t round = 2; round <= ROUNDS; ++round) {
        if (round % 10 == 0) { /* go back, and on from there */
            (void)pthread_mutex_lock(&b.lock);
            cevm_tree *now = cevm_tree_retain(b.tree);
            (void)pthread_mutex_unlock(&b.lock);
            write_round(db, 1000);
            assert_int_equal(cevm_treedb_restore(db, now), CEVM_OK);
            cevm_tree_release(now);
        }
        write_round(db, round);
        publish(&b, db, round);
    }
    for (size_t i = 0; i < READERS; ++i) {
        void *wrong = NULL;
        assert_int_equal(pthread_join(readers[i], &wrong), 0);
        assert_null(wrong);
    }
    (void)pthread_mutex_destroy(&b.lock);
    cevm_treedb_destroy(db);
    cevm_tree_release(b.tree);
    assert_int_equal(atomic_load(&c.blocks), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_roots),
        cmocka_unit_test(test_code_goes_with_its_last_account),
        cmocka_unit_test(test_states_outlive_the_store),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_over_a_base),
        cmocka_unit_test(test_readers_and_a_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
