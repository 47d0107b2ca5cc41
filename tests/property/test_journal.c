/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The journal against a model that keeps the whole state by value and copies it at every checkpoint: random operations,
 * nested checkpoints, reverts, transactions under different forks, commits. Prints its seed; SEED=n replays it.
 */
#include <cevm/crypto.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>

#include "tests/property/random.h"
#include "tests/unit/state_fixture.h"

enum { ACCOUNTS = 6, SLOTS = 4, DEPTH = 8, TRANSACTIONS = 1500, OPERATIONS = 60, CODES = 4 };

/* ---- The model --------------------------------------------------------------------------------------------------- */

typedef struct model_account {
    bool exists;
    bool warm;
    bool touched;
    bool destroyed;
    bool created;
    bool stored_slots; /* the store had slots at the last commit, and they have not been dropped as a whole since */
    uint64_t balance;
    uint64_t nonce;
    unsigned code; /* number of one of the texts; 0: none */
    uint64_t slots[SLOTS];
    bool slot_warm[SLOTS];
    uint64_t transient[SLOTS];
} model_account;

typedef struct model {
    model_account accounts[ACCOUNTS];
    size_t logs;
} model;

typedef struct game {
    fixture *f;
    cevm_fork fork;
    model now;
    model start; /* of the transaction */
    model saved[DEPTH];
    cevm_checkpoint marks[DEPTH];
    size_t depth;
    bool ripemd_touched;
} game;

static const char *const codes[CODES] = {"", "a", "some code", "other code"};

static uint64_t random_state;

static uint64_t next_random(void) { return random_next(&random_state); }

static size_t below(size_t limit) { return (size_t)(next_random() % limit); }

static void start_random(void)
{
    random_state = random_seed();
    print_message("SEED=%" PRIu64 "\n", random_state);
}

/** Number 0 is the RIPEMD-160 precompile, whose touches are special. */
static cevm_address actor(size_t i)
{
    cevm_address address = {{0}};
    address.bytes[19] = (uint8_t)(3 + i);
    address.bytes[0] = (uint8_t)(i * 41);
    return address;
}

static void model_touch(game *g, size_t i)
{
    g->now.accounts[i].exists = true;
    g->now.accounts[i].touched = true;
    g->ripemd_touched = g->ripemd_touched || i == 0;
}

static void model_wipe(model_account *a)
{
    const model_account empty = {.warm = a->warm};
    *a = empty;
}

/* ---- Checks ------------------------------------------------------------------------------------------------------ */

static void check_account(game *g, size_t i)
{
    const cevm_address address = actor(i);
    const model_account *a = &g->now.accounts[i];
    const cevm_account_info info = peek(g->f, &address);
    bool has_storage = false;
    cevm_hash hash;
    assert_true(info.exists == a->exists);
    assert_true(info.balance.w[0] == a->balance);
    assert_true(info.nonce == a->nonce);
    assert_true(info.cold == !a->warm);
    cevm_keccak256(&hash, codes[a->code], strlen(codes[a->code]));
    assert_true(cevm_hash_equal(&info.code_hash, &hash));
    const cevm_code code = load_code(g->f, &address);
    assert_true(code.bytes.size == strlen(codes[a->code]));
    assert_true(code.bytes.size == 0 || memcmp(code.bytes.data, codes[a->code], code.bytes.size) == 0);
    for (size_t k = 0; k < SLOTS; ++k) {
        assert_true(slot_now(g->f, &address, k) == a->slots[k]);
        assert_true(tload(g->f, &address, k) == a->transient[k]);
        has_storage = has_storage || a->slots[k] != 0;
    }
    /* The journal does not read all of an account's slots to learn that the last of them was removed one by one. */
    if (a->nonce == 0 && a->code == 0) {
        assert_true(peek(g->f, &address).has_storage == (has_storage || a->stored_slots));
    }
}

static void check(game *g)
{
    size_t logs;
    for (size_t i = 0; i < ACCOUNTS; ++i) {
        check_account(g, i);
    }
    (void)cevm_state_logs(g->f->state, &logs);
    assert_int_equal(logs, g->now.logs);
}

/** The root of the store equals that of a store filled from the model. */
static void check_root(game *g)
{
    cevm_memdb *fresh;
    cevm_hash root;
    cevm_hash expected;
    assert_int_equal(cevm_memdb_create(&fresh, NULL), CEVM_OK);
    for (size_t i = 0; i < ACCOUNTS; ++i) {
        const model_account *a = &g->now.accounts[i];
        const cevm_address address = actor(i);
        const cevm_u256 balance = num(a->balance);
        const cevm_bytes code = {(const uint8_t *)codes[a->code], strlen(codes[a->code])};
        if (!a->exists) {
            continue;
        }
        assert_int_equal(cevm_memdb_set_account(fresh, &address, &balance, a->nonce, code), CEVM_OK);
        for (size_t k = 0; k < SLOTS; ++k) {
            const cevm_u256 key = num(k);
            const cevm_u256 value = num(a->slots[k]);
            assert_int_equal(cevm_memdb_set_storage(fresh, &address, &key, &value), CEVM_OK);
        }
    }
    assert_int_equal(cevm_memdb_root(fresh, &expected), CEVM_OK);
    assert_int_equal(cevm_memdb_root(g->f->memdb, &root), CEVM_OK);
    assert_true(cevm_hash_equal(&root, &expected));
    cevm_memdb_destroy(fresh);
}

/* ---- Operations on both ------------------------------------------------------------------------------------------ */

static void do_load(game *g, size_t i)
{
    const cevm_address address = actor(i);
    model_account *a = &g->now.accounts[i];
    const bool skip = below(2) == 0;
    const cevm_account_info info = load(g->f, &address, skip);
    assert_true(info.cold == !a->warm);
    assert_true(info.skipped == (skip && !a->warm));
    a->warm = a->warm || !skip;
}

static void do_sload(game *g, size_t i)
{
    const cevm_address address = actor(i);
    model_account *a = &g->now.accounts[i];
    const size_t k = below(SLOTS);
    const bool skip = below(2) == 0;
    const cevm_slot_info info = sload(g->f, &address, k, skip);
    assert_true(info.cold == !a->slot_warm[k]);
    assert_true(info.skipped == (skip && !a->slot_warm[k]));
    assert_true(info.skipped || info.value.w[0] == a->slots[k]);
    a->slot_warm[k] = a->slot_warm[k] || !skip;
}

static void do_sstore(game *g, size_t i)
{
    const cevm_address address = actor(i);
    model_account *a = &g->now.accounts[i];
    const size_t k = below(SLOTS);
    const uint64_t value = below(3);
    if (!a->exists) {
        return; /* only code that runs writes storage */
    }
    const cevm_sstore_info info = sstore(g->f, &address, k, value);
    assert_true(info.cold == !a->slot_warm[k]);
    assert_true(info.current.w[0] == a->slots[k]);
    assert_true(info.original.w[0] == (a->created ? 0 : g->start.accounts[i].slots[k]));
    a->slot_warm[k] = true;
    a->slots[k] = value;
}

static void do_transfer(game *g, size_t i)
{
    const size_t j = below(ACCOUNTS);
    const cevm_address from = actor(i);
    const cevm_address to = actor(j);
    const uint64_t value = below(2) == 0 ? 0 : below((size_t)g->now.accounts[i].balance + 1);
    transfer(g->f, &from, &to, value);
    g->now.accounts[i].balance -= value;
    model_touch(g, j);
    g->now.accounts[j].balance += value;
}

static void do_create(game *g, size_t i)
{
    const cevm_address address = actor(i);
    model_account *a = &g->now.accounts[i];
    if (a->nonce != 0 || a->code != 0) {
        return; /* not free */
    }
    create(g->f, &address);
    a->exists = true;
    a->created = true;
    a->nonce = CEVM_HAS_EIP(g->fork, 161) ? 1 : 0;
    a->stored_slots = false;
    memset(a->slots, 0, sizeof a->slots);
}

static void do_set_code(game *g, size_t i)
{
    const cevm_address address = actor(i);
    const unsigned code = (unsigned)below(CODES);
    set_code(g->f, &address, codes[code]);
    g->now.accounts[i].exists = true;
    g->now.accounts[i].code = code;
}

static void do_selfdestruct(game *g, size_t i)
{
    const size_t j = below(ACCOUNTS);
    const cevm_address address = actor(i);
    const cevm_address heir = actor(j);
    model_account *a = &g->now.accounts[i];
    if (!a->exists) {
        return; /* only code that runs destroys itself */
    }
    const bool goes = !CEVM_HAS_EIP(g->fork, 6780) || a->created;
    assert_true(selfdestruct(g->f, &address, &heir) == (goes && !a->destroyed));
    if (i != j) {
        model_touch(g, j);
        g->now.accounts[j].balance += a->balance;
        a->balance = 0;
    } else if (goes) {
        model_touch(g, i);
        a->balance = 0;
    }
    a->destroyed = a->destroyed || goes;
}

static void do_small(game *g, size_t i)
{
    const cevm_address address = actor(i);
    model_account *a = &g->now.accounts[i];
    const size_t k = below(SLOTS);
    const cevm_u256 key = num(k);
    switch (below(5)) {
    case 0:
        tstore(g->f, &address, k, 7 + k);
        a->transient[k] = 7 + k;
        break;
    case 1:
        add_log(g->f, &address, 1, "log");
        ++g->now.logs;
        break;
    case 2:
        assert_int_equal(g->f->host.vtable->warm_account(g->f->host.ctx, &address), CEVM_OK);
        a->warm = true;
        break;
    case 3:
        assert_int_equal(cevm_state_warm_slot(g->f->state, &address, &key), CEVM_OK);
        a->slot_warm[k] = true;
        break;
    default:
        assert_int_equal(g->f->host.vtable->increment_nonce(g->f->host.ctx, &address), CEVM_OK);
        a->exists = true;
        ++a->nonce;
        break;
    }
}

static void do_mark(game *g)
{
    if (g->depth < DEPTH) {
        g->saved[g->depth] = g->now;
        g->marks[g->depth++] = mark(g->f);
    }
}

static void do_revert(game *g)
{
    if (g->depth > 0) {
        g->depth = below(g->depth);
        revert_to(g->f, g->marks[g->depth]);
        g->now = g->saved[g->depth];
        check(g);
    }
}

static void operate(game *g)
{
    const size_t i = below(ACCOUNTS);
    switch (below(14)) {
    case 0: do_load(g, i); break;
    case 1:
    case 2: do_sload(g, i); break;
    case 3:
    case 4: do_sstore(g, i); break;
    case 5: do_transfer(g, i); break;
    case 6: do_create(g, i); break;
    case 7: do_set_code(g, i); break;
    case 8: do_selfdestruct(g, i); break;
    case 9:
    case 10: do_small(g, i); break;
    case 11:
    case 12: do_mark(g); break;
    default: do_revert(g); break;
    }
}

static void model_end(game *g)
{
    for (size_t i = 0; i < ACCOUNTS; ++i) {
        model_account *a = &g->now.accounts[i];
        const bool touched = a->touched || (i == 0 && g->ripemd_touched);
        const bool empty = a->nonce == 0 && a->balance == 0 && a->code == 0;
        if (a->destroyed || (CEVM_HAS_EIP(g->fork, 161) && touched && empty)) {
            model_wipe(a);
        }
        a->warm = a->touched = a->destroyed = a->created = false;
        memset(a->slot_warm, 0, sizeof a->slot_warm);
        memset(a->transient, 0, sizeof a->transient);
    }
    g->ripemd_touched = false;
}

static void commit_both(game *g)
{
    commit_state(g->f);
    for (size_t i = 0; i < ACCOUNTS; ++i) {
        for (size_t k = 0; k < SLOTS; ++k) {
            model_account *a = &g->now.accounts[i];
            a->stored_slots = a->stored_slots || a->slots[k] != 0;
        }
    }
}

static void discard_both(game *g)
{
    cevm_state_discard(g->f->state);
    for (size_t i = 0; i < ACCOUNTS; ++i) {
        g->now.accounts[i].stored_slots = false; /* asked anew */
        for (size_t k = 0; k < SLOTS; ++k) {
            g->now.accounts[i].stored_slots = g->now.accounts[i].stored_slots || g->now.accounts[i].slots[k] != 0;
        }
    }
}

static void test_against_model(void **unused)
{
    static const cevm_fork forks[] = {CEVM_FRONTIER, CEVM_SPURIOUS_DRAGON, CEVM_BERLIN, CEVM_CANCUN};
    static game g;
    (void)unused;
    memset(&g, 0, sizeof g);
    g.f = fixture_make();
    for (size_t tx = 0; tx < TRANSACTIONS; ++tx) {
        g.fork = forks[below(4)];
        begin(g.f, g.fork);
        g.now.logs = 0;
        g.start = g.now;
        g.depth = 0;
        const cevm_address rich = actor(below(ACCOUNTS));
        const cevm_u256 gift = num(100);
        assert_int_equal(cevm_state_add_balance(g.f->state, &rich, &gift), CEVM_OK);
        for (size_t i = 0; i < ACCOUNTS; ++i) {
            const cevm_address address = actor(i);
            if (cevm_address_equal(&address, &rich)) {
                model_touch(&g, i);
                g.now.accounts[i].balance += 100;
            }
        }
        for (size_t i = 0; i < OPERATIONS; ++i) {
            operate(&g);
        }
        check(&g);
        end(g.f);
        model_end(&g);
        check(&g);
        if (below(3) == 0) {
            commit_both(&g);
            check(&g);
            check_root(&g);
        }
        if (below(20) == 0) {
            commit_both(&g);
            discard_both(&g);
            check(&g);
        }
    }
    fixture_free(g.f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_model)};
    start_random();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
