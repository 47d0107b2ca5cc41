/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A development node under random use: transactions with gaps and replacements, mining, edits, snapshots, reorganisations.
 * Two nodes are given the same, one of them short of memory now and then: they must agree after every step. Snapshots bring
 * back what was; indices stay whole; blocks executed again give what they gave. Prints its seed; SEED=n replays it.
 */
#include "tests/unit/node_support.h"

#include <inttypes.h>

#include "evm/u256.h"
#include "tests/property/random.h"

enum { ROUNDS = 6, STEPS = 250, SENDERS = 4, MAX_SNAPSHOTS = 64 };

static uint64_t random_state;

static uint64_t below(uint64_t n) { return random_next(&random_state) % n; }

/* ---- Memory that runs out -------------------------------------------------------------------------------------------- */

static bool starving; /* one allocation in a hundred fails */
static uint64_t hunger;

static void *starving_resize(void *ctx, void *ptr, size_t size)
{
    (void)ctx;
    if (size == 0) {
        free(ptr);
        return NULL;
    }
    return starving && random_next(&hunger) % 100 == 0 ? NULL : realloc(ptr, size);
}

static const cevm_allocator allocator = {NULL, starving_resize};

/* ---- What a node is ---------------------------------------------------------------------------------------------------- */

typedef struct picture {
    cevm_hash head;
    cevm_hash root;
    size_t pool;
    size_t queues;
    size_t txs;
    cevm_u256 next_base_fee;
    uint64_t gas_limit;
} picture;

static picture picture_of(cevm_node *node)
{
    picture p;
    cevm_world *world = cevm_node_world(node);
    memset(&p, 0, sizeof p);
    p.head = world->head->block.hash;
    p.pool = world->pool.count;
    p.queues = world->queues.count;
    p.txs = world->txs.count;
    p.gas_limit = world->settings.gas_limit;
    if (world->settings.has_next_base_fee) {
        p.next_base_fee = world->settings.next_base_fee;
    }
    cevm_tree_root(world->state, &p.root);
    cevm_world_release(world);
    return p;
}

static bool same(const picture *a, const picture *b) { return memcmp(a, b, sizeof *a) == 0; }

/** Every block stands on the one before, and every transaction where its index says. */
static void check_world(cevm_node *node)
{
    cevm_world *world = cevm_node_world(node);
    size_t txs = 0;
    assert_ptr_equal(cevm_world_block(world, world->head->block.header.number), world->head);
    assert_null(cevm_world_block(world, world->head->block.header.number + 1));
    for (uint64_t number = world->head->block.header.number; number > 0; --number) {
        const cevm_record *record = cevm_world_block(world, number);
        const cevm_record *parent = cevm_world_block(world, number - 1);
        assert_memory_equal(&record->block.header.parent_hash, &parent->block.hash, sizeof parent->block.hash);
        assert_true(record->block.header.timestamp > parent->block.header.timestamp);
        assert_ptr_equal(cevm_world_block_by_hash(world, &record->block.hash), record);
        for (size_t i = 0; i < record->block.tx_count; ++i) {
            const cevm_tx_place *place = cevm_world_tx(world, &record->hashes[i]);
            assert_ptr_equal(place->record, record);
            assert_int_equal(place->index, i);
            assert_null(cevm_world_pooled(world, &record->hashes[i]));
        }
        txs += record->block.tx_count;
    }
    assert_int_equal(txs, world->txs.count);
    assert_int_equal(world->pool.count, world->queues.count);
    cevm_world_release(world);
}

static bool compare_receipt(void *user, size_t index, const cevm_receipt *receipt)
{
    const cevm_record *record = user;
    const cevm_node_receipt *expected = &record->receipts[index];
    assert_int_equal(receipt->gas_used, expected->gas_used);
    assert_int_equal(cevm_status_is_success(receipt->status), expected->succeeded);
    assert_int_equal(receipt->log_count, expected->log_count);
    assert_int_equal(receipt->output.size, expected->output.size);
    return true;
}

/** A block of the past, executed again on the state it had. */
static void replay_one(cevm_node *node)
{
    cevm_workbench bench;
    cevm_world *world = cevm_node_world(node);
    cevm_record *record = cevm_world_block(world, below(world->head->block.header.number + 1));
    if (record->before != NULL) {
        assert_int_equal(cevm_workbench_open_before(&bench, node, world, record), CEVM_OK);
        assert_int_equal(cevm_workbench_replay(&bench, NULL, compare_receipt, record), CEVM_OK);
        cevm_workbench_close(&bench);
    }
    cevm_world_release(world);
}

/* ---- Steps ------------------------------------------------------------------------------------------------------------ */

typedef enum kind { SEND, MINE, EDIT, SNAPSHOT, REVERT, REORG, ROLLBACK, SETTINGS, PENDING } kind;

typedef struct step {
    kind what;
    cevm_tx tx;
    uint64_t number;
    cevm_u256 word;
    bool split; /* MINE: one by one */
    bool ok;
} step;

typedef struct kept {
    uint64_t id;
    picture then;
} kept;

/** A transfer, a creation, or a call of the contract that fails; sometimes ahead of its nonce or behind. */
static void make_tx(step *s, cevm_node *node)
{
    cevm_address sender;
    uint8_t key[32];
    static const uint8_t code[] = {0x60, 0x01, 0x54, 0x60, 0x01, 0x01, 0x60, 0x01, 0x55, 0x42, 0x60, 0x00, 0x55};
    const uint64_t what = below(4);
    cevm_node_account(node, below(SENDERS), &sender, key);
    cevm_world *world = cevm_node_world(node);
    cevm_db_account account = {.nonce = 0};
    bool exists = false;
    const cevm_db db = cevm_tree_interface(world->state);
    assert_int_equal(db.vtable->account(db.ctx, &account, &exists, &sender), CEVM_OK);
    const uint64_t next = cevm_world_next_nonce(world, &sender, account.nonce);
    cevm_world_release(world);
    s->tx = (cevm_tx){.type = CEVM_TX_DYNAMIC_FEE,
                      .has_chain_id = true,
                      .chain_id = 31337,
                      .nonce = below(4) != 0 ? next : account.nonce + below(6),
                      .gas_limit = 53000 + below(200000),
                      .value = cevm_u256_from_u64(below(1000)),
                      .is_create = what == 0};
    if (what == 0) {
        s->tx.data = (cevm_bytes){code, sizeof code};
    } else if (what == 1) {
        s->tx.to = (cevm_address){{0xcc}}; /* reverts: see set_up */
    } else {
        cevm_node_account(node, below(SENDERS), &s->tx.to, NULL);
    }
    s->tx.max_fee = cevm_u256_from_u64(1000000000 + below(4) * 2000000000);
    s->tx.max_priority_fee = cevm_u256_from_u64(below(1000000000));
    assert_int_equal(cevm_tx_sign(&s->tx, key, NULL), CEVM_OK);
    s->tx.has_sender = false;
}

static bool edit(void *user, cevm_world *world, cevm_treedb *db, cevm_node_error *error)
{
    const step *s = user;
    if (s->what == EDIT) {
        const cevm_address address = {{0xdd, (uint8_t)s->number}};
        error->err = cevm_treedb_set_account(db, &address, &s->word, s->number, (cevm_bytes){NULL, 0});
        if (error->err == CEVM_OK) {
            error->err = cevm_treedb_set_storage(db, &address, &s->word, &s->word);
        }
        return error->err == CEVM_OK;
    }
    world->settings.has_next_base_fee = s->number % 3 == 0;
    world->settings.next_base_fee = cevm_u256_from_u64(1000000 * (1 + s->number));
    world->settings.gas_limit = 200000 + s->number * 10000;
    world->settings.automine = s->number % 4 != 0;
    return true;
}

/** Many empty blocks are made behind the answer: all there when this returns, or none. */
static bool mine(cevm_node *node, cevm_node_error *error, const step *s)
{
    const uint64_t count = 2 * s->number;
    bool ok = true;
    if (!s->split) {
        return cevm_node_mine(node, error, count, s->number % 3) && cevm_node_settle(node, error, 0, NULL);
    }
    for (uint64_t i = 0; ok && i < count; ++i) {
        ok = cevm_node_mine(node, error, 1, 0);
    }
    return ok;
}

static bool run(cevm_node *node, cevm_node_error *error, step *s)
{
    cevm_hash hash;
    bool found = false;
    switch (s->what) {
    case SEND: return cevm_node_submit(node, error, &hash, &s->tx, false);
    case MINE: return mine(node, error, s);
    case EDIT:
    case SETTINGS: return cevm_node_edit(node, error, edit, s);
    case SNAPSHOT: return cevm_node_snapshot(node, error, &s->number);
    case REVERT: return cevm_node_revert(node, error, &found, s->number) && found;
    case REORG: return cevm_node_reorg(node, error, s->number % 5, NULL, 0);
    case ROLLBACK: return cevm_node_rollback(node, error, s->number % 3);
    case PENDING: {
        cevm_record *record = NULL;
        cevm_world *world = cevm_node_world(node);
        error->err = cevm_node_pending(node, world, &record);
        if (record != NULL) {
            cevm_ref_release(&record->ref);
        }
        cevm_world_release(world);
        return error->err == CEVM_OK;
    }
    default: return false;
    }
}

/** The same under want of memory: it happens as a whole or not at all, and then succeeds when there is enough. */
static bool run_starving(cevm_node *node, cevm_node_error *error, step *s)
{
    const picture before = picture_of(node);
    *error = (cevm_node_error){.err = CEVM_OK};
    starving = below(3) == 0;
    bool ok = run(node, error, s);
    starving = false;
    if (!ok && error->code == 0 && error->err == CEVM_ERR_NOMEM) {
        const picture after = picture_of(node);
        assert_true(same(&before, &after));
        *error = (cevm_node_error){.err = CEVM_OK};
        ok = run(node, error, s);
    }
    return ok;
}

/* ---- The game --------------------------------------------------------------------------------------------------------- */

static bool set_up(void *user, cevm_world *world, cevm_treedb *db, cevm_node_error *error)
{
    static const uint8_t code[] = {0x43, 0x60, 0x00, 0x52, 0x60, 0x20, 0x60, 0x00, 0xfd}; /* reverts with NUMBER */
    const cevm_u256 zero = {{0, 0, 0, 0}};
    const cevm_address address = {{0xcc}};
    (void)user;
    world->settings.has_timestamp_interval = true; /* the clock must not make a difference */
    world->settings.timestamp_interval = 12;
    error->err = cevm_treedb_set_account(db, &address, &zero, 1, (cevm_bytes){code, sizeof code});
    return error->err == CEVM_OK;
}

static cevm_node *open_one(const cevm_allocator *with)
{
    cevm_node_options options = node_options();
    cevm_node_error error;
    options.allocator = with;
    options.accounts = SENDERS;
    cevm_node *node = node_open_with(&options);
    assert_true(cevm_node_edit(node, &error, set_up, NULL));
    return node;
}

static kind choose(void)
{
    static const kind kinds[] = {SEND, SEND,     SEND,   SEND,  SEND,     SEND,     MINE,   MINE,
                                 EDIT, SNAPSHOT, REVERT, REORG, ROLLBACK, SETTINGS, PENDING};
    return kinds[below(sizeof kinds / sizeof kinds[0])];
}

static void play_step(cevm_node *plenty, cevm_node *scarce, kept *snapshots, size_t *count)
{
    cevm_node_error left = {.err = CEVM_OK};
    cevm_node_error right = {.err = CEVM_OK};
    step s = {.what = choose(), .number = below(20), .word = cevm_u256_from_u64(1 + below(1000))};
    size_t chosen = 0;
    if (s.what == SEND) {
        make_tx(&s, plenty);
    } else if (s.what == REVERT || s.what == SNAPSHOT) {
        if (s.what == REVERT && *count == 0) {
            return;
        }
        chosen = s.what == REVERT ? below(*count) : *count;
        s.number = s.what == REVERT ? snapshots[chosen].id : 0;
    }
    step again = s;
    s.split = s.number % 3 == 0; /* there is no interval that would be set between them */
    const bool ok = run(plenty, &left, &s);
    assert_int_equal(run_starving(scarce, &right, &again), ok);
    if (!ok) {
        assert_string_equal(left.text, right.text);
    }
    const picture a = picture_of(plenty);
    const picture b = picture_of(scarce);
    if (!same(&a, &b)) {
        fail_msg("two nodes differ after a step of kind %d", (int)s.what);
    }
    if (ok && s.what == SNAPSHOT && *count < MAX_SNAPSHOTS) {
        assert_int_equal(s.number, again.number);
        snapshots[(*count)++] = (kept){s.number, a};
    } else if (ok && s.what == REVERT) {
        assert_true(same(&a, &snapshots[chosen].then));
        *count = chosen;
    }
}

static void play(void)
{
    kept snapshots[MAX_SNAPSHOTS];
    size_t count = 0;
    cevm_node *plenty = open_one(NULL);
    cevm_node *scarce = open_one(&allocator);
    for (int i = 0; i < STEPS; ++i) {
        play_step(plenty, scarce, snapshots, &count);
        if (below(16) == 0) {
            check_world(plenty);
            replay_one(scarce);
        }
    }
    check_world(plenty);
    check_world(scarce);
    cevm_node_destroy(plenty);
    cevm_node_destroy(scarce);
}

static void test_random_use(void **unused)
{
    const uint64_t seed = random_seed();
    (void)unused;
    print_message("SEED=%" PRIu64 "\n", seed);
    random_state = seed;
    hunger = seed + 1;
    for (uint64_t i = random_setting("ITERATIONS", ROUNDS); i-- > 0;) {
        play();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_use)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
