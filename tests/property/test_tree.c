/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The shared memory backend under random changes, snapshots and returns, beside the plain memory backend: reads and roots
 * are the same; every state kept stays what it was, which is shown by walking it and building it anew; proofs convince a
 * verifier that knows nothing of the tree; the accounts said to differ are those that do. Then the same over a base.
 * Allocations fail now and then; at the end nothing is left. Prints its seed; SEED=n replays it.
 */
#include "tests/oom/faulty.h"
#include "tests/property/proof_check.h"
#include "tests/property/random.h"

#include <cevm/crypto.h>
#include <cevm/treedb.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>

enum { ACCOUNTS = 60, SLOTS = 40, CODES = 5, KEPT = 6, STEPS = 1500 };

static uint64_t random_state;

static uint64_t below(uint64_t n) { return random_next(&random_state) % n; }

static cevm_address address_of(size_t i)
{
    cevm_address a = {{0}};
    a.bytes[3] = (uint8_t)(0x11 * i);
    a.bytes[19] = (uint8_t)i;
    return a;
}

static cevm_bytes code_of(size_t i)
{
    static const uint8_t codes[] = "some code of several lengths";
    return (cevm_bytes){codes, i % CODES * 5};
}

static cevm_hash code_hash_of(size_t i)
{
    cevm_hash hash;
    cevm_keccak256(&hash, code_of(i).data, code_of(i).size);
    return hash;
}

static cevm_hash hash_address(const cevm_address *address)
{
    cevm_hash hash;
    cevm_keccak256(&hash, address->bytes, sizeof address->bytes);
    return hash;
}

static cevm_hash hash_key(const cevm_u256 *key)
{
    uint8_t bytes[32];
    cevm_hash hash;
    cevm_u256_to_be(bytes, key);
    cevm_keccak256(&hash, bytes, sizeof bytes);
    return hash;
}

static cevm_u256 num(uint64_t n) { return cevm_u256_from_u64(n); }

/* ---- Random changes -------------------------------------------------------------------------------------------------- */

typedef struct change_set {
    cevm_account_change changes[ACCOUNTS];
    cevm_slot_change slots[ACCOUNTS][SLOTS];
    cevm_diff diff;
} change_set;

/** Few accounts or many; slots of which more are set than removed, or the other way round. */
static void make_changes(change_set *set)
{
    const uint64_t sparse = below(3) == 0 ? 30 : 3;
    const bool shrinks = below(3) == 0;
    set->diff = (cevm_diff){.accounts = set->changes};
    for (size_t i = 0; i < ACCOUNTS; ++i) {
        if (below(sparse) != 0) {
            continue;
        }
        const size_t code = below(CODES);
        cevm_account_change *c = &set->changes[set->diff.account_count++];
        *c = (cevm_account_change){.address = address_of(i),
                                   .deleted = below(shrinks ? 3 : 8) == 0,
                                   .storage_cleared = below(10) == 0,
                                   .balance = {{below(3), 0, below(2), below(5)}},
                                   .nonce = below(300),
                                   .code_hash = code_hash_of(code),
                                   .code_changed = true,
                                   .code = code_of(code),
                                   .slots = set->slots[i]};
        for (size_t s = 0; s < SLOTS && i % 3 != 0; ++s) {
            if (below(sparse) == 0) {
                const bool gone = below(shrinks ? 2 : 5) == 0;
                set->slots[i][c->slot_count++] =
                    (cevm_slot_change){.key = num(s), .value = gone ? num(0) : num(1 + below(UINT64_MAX - 1) / 7)};
            }
        }
    }
}

/* ---- Comparing ------------------------------------------------------------------------------------------------------- */

static void compare_reads(const cevm_db *a, const cevm_db *b)
{
    for (size_t i = 0; i < ACCOUNTS; ++i) {
        const cevm_address address = address_of(i);
        cevm_db_account left;
        cevm_db_account right;
        bool left_exists;
        bool right_exists;
        assert_int_equal(a->vtable->account(a->ctx, &left, &left_exists, &address), CEVM_OK);
        assert_int_equal(b->vtable->account(b->ctx, &right, &right_exists, &address), CEVM_OK);
        assert_int_equal(left_exists, right_exists);
        if (left_exists) {
            assert_true(cevm_u256_equal(&left.balance, &right.balance) && left.nonce == right.nonce);
            assert_true(cevm_hash_equal(&left.code_hash, &right.code_hash));
            assert_int_equal(left.has_storage, right.has_storage);
            cevm_bytes code;
            if (!cevm_hash_equal(&left.code_hash, &cevm_empty_code_hash)) {
                assert_int_equal(a->vtable->code(a->ctx, &code, &left.code_hash), CEVM_OK);
                cevm_hash hash;
                cevm_keccak256(&hash, code.data, code.size);
                assert_true(cevm_hash_equal(&hash, &left.code_hash));
            }
        }
        for (size_t s = 0; s < SLOTS; ++s) {
            const cevm_u256 key = num(s);
            cevm_u256 x;
            cevm_u256 y;
            assert_int_equal(a->vtable->storage(a->ctx, &x, &address, &key), CEVM_OK);
            assert_int_equal(b->vtable->storage(b->ctx, &y, &address, &key), CEVM_OK);
            assert_true(cevm_u256_equal(&x, &y));
        }
    }
}

/** Puts what a walk over a state meets into a plain store. */
typedef struct copying {
    const cevm_tree *from;
    cevm_memdb *to;
    const cevm_address *address;
    cevm_hash last; /* hashed key, to see the order */
    cevm_hash last_slot;
    size_t count;
    size_t slot_count;
} copying;

static bool copy_slot(void *user, const cevm_hash *hashed, const cevm_u256 *key, const cevm_u256 *value)
{
    copying *c = user;
    const cevm_hash expected = hash_key(key);
    assert_true(cevm_hash_equal(hashed, &expected));
    assert_true(c->slot_count++ == 0 || memcmp(c->last_slot.bytes, hashed->bytes, 32) < 0);
    c->last_slot = *hashed;
    assert_int_equal(cevm_memdb_set_storage(c->to, c->address, key, value), CEVM_OK);
    return true;
}

static bool copy_account(void *user, const cevm_hash *hashed, const cevm_address *address,
                         const cevm_db_account *account, const cevm_hash *storage_root, cevm_bytes code)
{
    copying *c = user;
    const cevm_hash expected = hash_address(address);
    assert_true(cevm_hash_equal(hashed, &expected));
    assert_true(c->count++ == 0 || memcmp(c->last.bytes, hashed->bytes, 32) < 0);
    c->last = *hashed;
    assert_int_equal(cevm_memdb_set_account(c->to, address, &account->balance, account->nonce, code), CEVM_OK);
    c->address = address;
    c->slot_count = 0;
    assert_int_equal(cevm_tree_for_each_slot(c->from, address, NULL, copy_slot, c), CEVM_OK);
    assert_int_equal(c->slot_count != 0, account->has_storage);
    assert_int_equal(c->slot_count == 0, cevm_hash_equal(storage_root, &cevm_trie_empty_root));
    return true;
}

/** A plain store with what a state holds. */
static cevm_memdb *rebuild(const cevm_tree *tree)
{
    copying c = {.from = tree};
    assert_int_equal(cevm_memdb_create(&c.to, NULL), CEVM_OK);
    assert_int_equal(cevm_tree_for_each_account(tree, NULL, copy_account, &c), CEVM_OK);
    cevm_hash root;
    cevm_hash expected;
    assert_int_equal(cevm_memdb_root(c.to, &expected), CEVM_OK);
    cevm_tree_root(tree, &root);
    assert_memory_equal(root.bytes, expected.bytes, 32);
    return c.to;
}

/* ---- Proofs ---------------------------------------------------------------------------------------------------------- */

/** The root in the value of an account's leaf. */
static cevm_hash root_in_account(cevm_bytes value)
{
    cevm_bytes fields;
    cevm_bytes item = {NULL, 0};
    cevm_hash root;
    assert_true(cevm_rlp_next_list(&value, &fields));
    for (size_t i = 0; i < 3; ++i) {
        assert_true(cevm_rlp_next_string(&fields, &item));
    }
    assert_int_equal(item.size, 32);
    memcpy(root.bytes, item.data, 32);
    return root;
}

static void check_slot_proof(const cevm_tree *tree, const cevm_address *address, uint64_t slot,
                             const cevm_hash *storage_root)
{
    static proof p;
    const cevm_db db = cevm_tree_interface(tree);
    const cevm_u256 key = num(slot);
    const cevm_hash hashed = hash_key(&key);
    cevm_bytes shown = {NULL, 0};
    cevm_u256 value;
    cevm_u256 proven = num(0);
    p.count = 0;
    assert_int_equal(cevm_tree_prove_slot(tree, address, &key, proof_collect, &p), CEVM_OK);
    assert_int_equal(db.vtable->storage(db.ctx, &value, address, &key), CEVM_OK);
    const proof_result result = proof_verify(&p, storage_root, &hashed, &shown);
    assert_int_equal(result, cevm_u256_is_zero(&value) ? PROOF_ABSENT : PROOF_PRESENT);
    if (result == PROOF_PRESENT) {
        assert_int_equal(cevm_rlp_next_u256(&shown, &proven), CEVM_RLP_NUMBER_OK);
    }
    assert_true(cevm_u256_equal(&proven, &value));
}

static void check_proofs(const cevm_tree *tree)
{
    static proof p;
    const cevm_address address = address_of(below(ACCOUNTS + 3));
    const cevm_hash hashed = hash_address(&address);
    const cevm_db db = cevm_tree_interface(tree);
    cevm_db_account account;
    bool exists;
    cevm_bytes value = {NULL, 0};
    cevm_hash root;
    cevm_hash storage_root;
    cevm_tree_root(tree, &root);
    p.count = 0;
    assert_int_equal(cevm_tree_prove_account(tree, &storage_root, &address, proof_collect, &p), CEVM_OK);
    assert_int_equal(db.vtable->account(db.ctx, &account, &exists, &address), CEVM_OK);
    assert_int_equal(proof_verify(&p, &root, &hashed, &value), exists ? PROOF_PRESENT : PROOF_ABSENT);
    if (exists) {
        const cevm_hash in_leaf = root_in_account(value);
        assert_memory_equal(in_leaf.bytes, storage_root.bytes, 32);
    } else {
        assert_memory_equal(storage_root.bytes, cevm_trie_empty_root.bytes, 32);
    }
    check_slot_proof(tree, &address, below(SLOTS + 2), &storage_root);
    check_slot_proof(tree, &address, below(SLOTS + 2), &storage_root);
}

/* ---- Walks from somewhere, differences ------------------------------------------------------------------------------- */

typedef struct listing {
    cevm_hash hashes[ACCOUNTS + SLOTS];
    size_t count;
} listing;

static bool list_account(void *user, const cevm_hash *hashed, const cevm_address *address,
                         const cevm_db_account *account, const cevm_hash *storage_root, cevm_bytes code)
{
    listing *l = user;
    (void)address;
    (void)account;
    (void)storage_root;
    (void)code;
    l->hashes[l->count++] = *hashed;
    return true;
}

static bool list_slot(void *user, const cevm_hash *hashed, const cevm_u256 *key, const cevm_u256 *value)
{
    listing *l = user;
    (void)key;
    (void)value;
    l->hashes[l->count++] = *hashed;
    return true;
}

/** From where a walk begins: a key that is there, one close to it, or any. */
static cevm_hash random_start(const listing *all)
{
    cevm_hash from = {{0}};
    for (size_t i = 0; i < 32; ++i) {
        from.bytes[i] = (uint8_t)below(256);
    }
    if (all->count != 0 && below(4) != 0) {
        from = all->hashes[below(all->count)];
        if (below(2) == 0) {
            from.bytes[below(3)] ^= (uint8_t)(1u << below(8));
        } else if (below(2) == 0) {
            from.bytes[31] = (uint8_t)(from.bytes[31] + 1);
        }
    }
    return from;
}

/** The part of a whole walk that begins not before a key has to be what a walk from there gives. */
static void compare_walk(const listing *all, const listing *some, const cevm_hash *from)
{
    size_t first = 0;
    while (first < all->count && memcmp(all->hashes[first].bytes, from->bytes, 32) < 0) {
        ++first;
    }
    assert_int_equal(some->count, all->count - first);
    assert_true(some->count == 0 || memcmp(some->hashes, &all->hashes[first], some->count * sizeof(cevm_hash)) == 0);
}

static void check_walks(const cevm_tree *tree)
{
    const cevm_address address = address_of(below(ACCOUNTS));
    listing all = {.count = 0};
    listing some = {.count = 0};
    assert_int_equal(cevm_tree_for_each_account(tree, NULL, list_account, &all), CEVM_OK);
    cevm_hash from = random_start(&all);
    assert_int_equal(cevm_tree_for_each_account(tree, &from, list_account, &some), CEVM_OK);
    compare_walk(&all, &some, &from);
    all.count = 0;
    some.count = 0;
    assert_int_equal(cevm_tree_for_each_slot(tree, &address, NULL, list_slot, &all), CEVM_OK);
    from = random_start(&all);
    assert_int_equal(cevm_tree_for_each_slot(tree, &address, &from, list_slot, &some), CEVM_OK);
    compare_walk(&all, &some, &from);
}

static bool note_change(void *user, const cevm_address *address)
{
    size_t *times = user;
    ++times[address->bytes[19]];
    return true;
}

static bool same_account(const cevm_tree *a, const cevm_tree *b, const cevm_address *address)
{
    const cevm_db left = cevm_tree_interface(a);
    const cevm_db right = cevm_tree_interface(b);
    cevm_db_account x = {.nonce = 0};
    cevm_db_account y = {.nonce = 0};
    bool x_exists;
    bool y_exists;
    assert_int_equal(left.vtable->account(left.ctx, &x, &x_exists, address), CEVM_OK);
    assert_int_equal(right.vtable->account(right.ctx, &y, &y_exists, address), CEVM_OK);
    bool same = x_exists == y_exists && (!x_exists || (x.nonce == y.nonce && cevm_u256_equal(&x.balance, &y.balance) &&
                                                       cevm_hash_equal(&x.code_hash, &y.code_hash)));
    for (size_t s = 0; s < SLOTS; ++s) {
        const cevm_u256 key = num(s);
        cevm_u256 v;
        cevm_u256 w;
        assert_int_equal(left.vtable->storage(left.ctx, &v, address, &key), CEVM_OK);
        assert_int_equal(right.vtable->storage(right.ctx, &w, address, &key), CEVM_OK);
        same = same && cevm_u256_equal(&v, &w);
    }
    return same;
}

/** exact: what is named differs. Over a base, an account may be named for what is hidden of it. */
static void check_changes(const cevm_tree *before, const cevm_tree *after, bool exact)
{
    size_t times[256] = {0};
    assert_int_equal(cevm_tree_for_each_change(before, after, note_change, times), CEVM_OK);
    for (size_t i = 0; i < ACCOUNTS; ++i) {
        const cevm_address address = address_of(i);
        const bool same = same_account(before, after, &address);
        assert_true(times[i] <= 1);
        assert_true(same || times[i] == 1);
        assert_true(!exact || !same || times[i] == 0);
    }
}

typedef struct game {
    faulty memory;
    cevm_allocator allocator;
    cevm_treedb *treedb;
    cevm_db tree;
    cevm_memdb *memdb; /* says what is right */
    cevm_db plain;
    cevm_tree *kept[KEPT];
    cevm_hash roots[KEPT]; /* when they were kept */
} game;

/** The difference of two states, committed to a plain store that holds the one, makes it hold the other. */
static void check_diff(game *g, const cevm_tree *before, const cevm_tree *after)
{
    cevm_memdb *store = before != NULL ? rebuild(before) : NULL;
    cevm_diff diff;
    cevm_hash root;
    cevm_hash expected;
    if (store == NULL) {
        assert_int_equal(cevm_memdb_create(&store, NULL), CEVM_OK);
    }
    const cevm_db db = cevm_memdb_interface(store);
    faulty_after(&g->memory, below(4) == 0 ? 1 + below(8) : 0);
    cevm_err err = cevm_tree_diff(&diff, before, after);
    if (err != CEVM_OK) {
        assert_int_equal(err, CEVM_ERR_NOMEM);
        assert_true(faulty_failed(&g->memory));
        err = cevm_tree_diff(&diff, before, after);
    }
    faulty_after(&g->memory, 0);
    assert_int_equal(err, CEVM_OK);
    for (size_t i = 0; i < diff.account_count; ++i) {
        const cevm_account_change *c = &diff.accounts[i];
        assert_true(i == 0 || memcmp(c[-1].address.bytes, c->address.bytes, 20) < 0);
        for (size_t s = 1; s < c->slot_count; ++s) {
            assert_true(c->slots[s - 1].key.w[0] < c->slots[s].key.w[0]);
        }
        assert_true(before == NULL || !c->deleted || c->slot_count == 0);
    }
    assert_int_equal(db.vtable->commit(db.ctx, &diff), CEVM_OK);
    cevm_tree_diff_free(&diff, after);
    assert_int_equal(cevm_memdb_root(store, &root), CEVM_OK);
    cevm_tree_root(after, &expected);
    assert_memory_equal(root.bytes, expected.bytes, 32);
    cevm_memdb_destroy(store);
}

/* ---- The game -------------------------------------------------------------------------------------------------------- */

static void use_memdb(game *g, cevm_memdb *memdb)
{
    cevm_memdb_destroy(g->memdb);
    g->memdb = memdb;
    g->plain = cevm_memdb_interface(memdb);
}

static void compare_roots(game *g)
{
    cevm_hash left;
    cevm_hash right;
    assert_int_equal(g->tree.vtable->root(g->tree.ctx, &left), CEVM_OK);
    assert_int_equal(g->plain.vtable->root(g->plain.ctx, &right), CEVM_OK);
    assert_memory_equal(left.bytes, right.bytes, 32);
}

static void change(game *g)
{
    static change_set set;
    make_changes(&set);
    faulty_after(&g->memory, below(6) == 0 ? 1 + below(40) : 0);
    const cevm_err err = g->tree.vtable->commit(g->tree.ctx, &set.diff);
    assert_true(err == CEVM_OK || (err == CEVM_ERR_NOMEM && faulty_failed(&g->memory)));
    faulty_after(&g->memory, 0);
    if (err == CEVM_OK) {
        assert_int_equal(g->plain.vtable->commit(g->plain.ctx, &set.diff), CEVM_OK);
    }
}

static void keep(game *g)
{
    const size_t i = below(KEPT);
    cevm_tree_release(g->kept[i]);
    g->kept[i] = NULL;
    faulty_after(&g->memory, below(10) == 0 ? 1 : 0);
    const cevm_err err = cevm_treedb_snapshot(g->treedb, &g->kept[i]);
    assert_true(err == CEVM_OK || (err == CEVM_ERR_NOMEM && faulty_failed(&g->memory)));
    faulty_after(&g->memory, 0);
    if (err == CEVM_OK) {
        cevm_tree_root(g->kept[i], &g->roots[i]);
    } else {
        g->kept[i] = NULL;
    }
}

static void look(game *g, size_t i)
{
    cevm_hash root;
    const size_t other = below(KEPT);
    cevm_tree_root(g->kept[i], &root);
    assert_memory_equal(root.bytes, g->roots[i].bytes, 32);
    cevm_memdb *rebuilt = rebuild(g->kept[i]);
    const cevm_db plain = cevm_memdb_interface(rebuilt);
    const cevm_db tree = cevm_tree_interface(g->kept[i]);
    compare_reads(&tree, &plain);
    assert_int_equal(tree.vtable->root(tree.ctx, &root), CEVM_OK);
    assert_memory_equal(root.bytes, g->roots[i].bytes, 32);
    cevm_memdb_destroy(rebuilt);
    check_proofs(g->kept[i]);
    check_walks(g->kept[i]);
    if (g->kept[other] != NULL) {
        check_changes(g->kept[i], g->kept[other], true);
        check_diff(g, g->kept[other], g->kept[i]);
    } else {
        check_diff(g, NULL, g->kept[i]);
    }
}

static void go_back(game *g, size_t i)
{
    assert_int_equal(cevm_treedb_restore(g->treedb, g->kept[i]), CEVM_OK);
    use_memdb(g, rebuild(g->kept[i]));
    compare_reads(&g->tree, &g->plain);
}

static void test_beside_the_plain_store(void **unused)
{
    static game g;
    cevm_memdb *memdb;
    (void)unused;
    memset(&g, 0, sizeof g);
    g.allocator = (cevm_allocator){.ctx = &g.memory, .resize = faulty_resize};
    assert_int_equal(cevm_treedb_create(&g.treedb, NULL, &g.allocator), CEVM_OK);
    g.tree = cevm_treedb_interface(g.treedb);
    assert_int_equal(cevm_memdb_create(&memdb, NULL), CEVM_OK);
    use_memdb(&g, memdb);
    for (size_t step = 0; step < STEPS; ++step) {
        const size_t i = below(KEPT);
        switch (below(8)) {
        case 0: keep(&g); break;
        case 1:
            if (g.kept[i] != NULL && below(2) == 0) {
                go_back(&g, i);
            }
            break;
        case 2:
            if (g.kept[i] != NULL) {
                look(&g, i);
            }
            break;
        case 3: compare_roots(&g); break;
        case 4: compare_reads(&g.tree, &g.plain); break;
        default: change(&g); break;
        }
    }
    /* States outlive their store. */
    const bool first = below(2) == 0;
    if (first) {
        cevm_treedb_destroy(g.treedb);
    }
    for (size_t i = 0; i < KEPT; ++i) {
        if (g.kept[i] != NULL) {
            look(&g, i);
        }
    }
    for (size_t i = 0; i < KEPT; ++i) {
        cevm_tree_release(g.kept[i]);
    }
    if (!first) {
        cevm_treedb_destroy(g.treedb);
    }
    cevm_memdb_destroy(g.memdb);
    assert_int_equal(g.memory.live, 0);
}

/* ---- Over a base ----------------------------------------------------------------------------------------------------- */

/** has_storage of an account of the base whose slots were all set to zero above it is not known; it is left out. */
static void compare_reads_over(const cevm_db *tree, const cevm_db *plain)
{
    for (size_t i = 0; i < ACCOUNTS; ++i) {
        const cevm_address address = address_of(i);
        cevm_db_account left;
        cevm_db_account right;
        bool exists;
        bool expected;
        assert_int_equal(tree->vtable->account(tree->ctx, &left, &exists, &address), CEVM_OK);
        assert_int_equal(plain->vtable->account(plain->ctx, &right, &expected, &address), CEVM_OK);
        assert_int_equal(exists, expected);
        assert_true(!exists || (left.nonce == right.nonce && cevm_u256_equal(&left.balance, &right.balance) &&
                                cevm_hash_equal(&left.code_hash, &right.code_hash)));
        assert_true(!exists || left.has_storage || !right.has_storage);
        cevm_bytes code;
        if (exists && !cevm_hash_equal(&left.code_hash, &cevm_empty_code_hash)) {
            assert_int_equal(tree->vtable->code(tree->ctx, &code, &left.code_hash), CEVM_OK);
            cevm_hash hash;
            cevm_keccak256(&hash, code.data, code.size);
            assert_true(cevm_hash_equal(&hash, &left.code_hash));
        }
        for (size_t s = 0; s < SLOTS; ++s) {
            const cevm_u256 key = num(s);
            cevm_u256 x;
            cevm_u256 y;
            assert_int_equal(tree->vtable->storage(tree->ctx, &x, &address, &key), CEVM_OK);
            assert_int_equal(plain->vtable->storage(plain->ctx, &y, &address, &key), CEVM_OK);
            assert_true(cevm_u256_equal(&x, &y));
        }
    }
}

/** Some changes keep the code that an account has, as a transfer does. */
static void keep_codes(change_set *set, const cevm_db *plain)
{
    for (size_t i = 0; i < set->diff.account_count; ++i) {
        cevm_account_change *c = &set->changes[i];
        cevm_db_account account;
        bool exists;
        assert_int_equal(plain->vtable->account(plain->ctx, &account, &exists, &c->address), CEVM_OK);
        if (exists && below(2) == 0) {
            c->code_changed = false;
            c->code_hash = account.code_hash;
        }
    }
}

static void test_over_a_base(void **unused)
{
    static change_set set;
    static game g;
    cevm_memdb *base;
    cevm_memdb *memdb;
    (void)unused;
    memset(&g, 0, sizeof g);
    g.allocator = (cevm_allocator){.ctx = &g.memory, .resize = faulty_resize};
    assert_int_equal(cevm_memdb_create(&base, NULL), CEVM_OK);
    assert_int_equal(cevm_memdb_create(&memdb, NULL), CEVM_OK);
    use_memdb(&g, memdb);
    const cevm_db below_it = cevm_memdb_interface(base);
    for (size_t i = 0; i < 3; ++i) {
        make_changes(&set);
        assert_int_equal(below_it.vtable->commit(below_it.ctx, &set.diff), CEVM_OK);
        assert_int_equal(g.plain.vtable->commit(g.plain.ctx, &set.diff), CEVM_OK);
    }
    assert_int_equal(cevm_treedb_create(&g.treedb, &below_it, &g.allocator), CEVM_OK);
    g.tree = cevm_treedb_interface(g.treedb);
    cevm_tree *start = NULL;
    assert_int_equal(cevm_treedb_snapshot(g.treedb, &start), CEVM_OK);
    cevm_treedb *twin = NULL; /* is told what differs, and nothing else */
    assert_int_equal(cevm_treedb_create(&twin, &below_it, &g.allocator), CEVM_OK);
    const cevm_db twin_db = cevm_treedb_interface(twin);
    for (size_t step = 0; step < STEPS / 5; ++step) {
        cevm_tree *state = NULL;
        compare_reads_over(&g.tree, &g.plain);
        make_changes(&set);
        keep_codes(&set, &g.plain);
        faulty_after(&g.memory, below(6) == 0 ? 1 + below(40) : 0);
        const cevm_err err = g.tree.vtable->commit(g.tree.ctx, &set.diff);
        assert_true(err == CEVM_OK || (err == CEVM_ERR_NOMEM && faulty_failed(&g.memory)));
        faulty_after(&g.memory, 0);
        if (err == CEVM_OK) {
            assert_int_equal(g.plain.vtable->commit(g.plain.ctx, &set.diff), CEVM_OK);
        }
        assert_int_equal(cevm_treedb_snapshot(g.treedb, &state), CEVM_OK);
        check_changes(start, state, false);
        /* The tree alone is a trie like any other. */
        listing all = {.count = 0};
        assert_int_equal(cevm_tree_for_each_account(state, NULL, list_account, &all), CEVM_OK);
        if (below(3) == 0) {
            const cevm_db view = cevm_tree_interface(state);
            cevm_diff diff;
            compare_reads_over(&view, &g.plain);
            assert_int_equal(cevm_tree_diff(&diff, start, state), CEVM_OK);
            assert_int_equal(twin_db.vtable->commit(twin_db.ctx, &diff), CEVM_OK);
            cevm_tree_diff_free(&diff, state);
            compare_reads(&twin_db, &view);
            cevm_tree_release(start);
            start = cevm_tree_retain(state);
        }
        cevm_tree_release(state);
    }
    cevm_tree_release(start);
    cevm_treedb_destroy(g.treedb);
    cevm_treedb_destroy(twin);
    cevm_memdb_destroy(g.memdb);
    cevm_memdb_destroy(base);
    assert_int_equal(g.memory.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_beside_the_plain_store),
                                       cmocka_unit_test(test_over_a_base)};
    random_state = random_seed();
    print_message("SEED=%" PRIu64 "\n", random_state);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
