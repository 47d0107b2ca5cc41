/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chain against a model that knows only weights: a random tree of valid blocks, delivered in random order, with orphans,
 * repetitions, heads that are set, looks at the past, and memory that runs out now and then. Prints its seed; SEED=n
 * replays it.
 */
#include "tests/unit/chain_support.h"

#include <inttypes.h>

#include "tests/property/random.h"

enum { BLOCKS = 48, ROUNDS = 12, STEPS = 400, GENESIS = BLOCKS };

static uint64_t random_state;

static uint64_t below(uint64_t n) { return random_next(&random_state) % n; }

/* A block of the tree; the genesis is the last entry. */
typedef struct tree_block {
    const forged *made;
    cevm_hash hash;
    cevm_hash root;
    size_t parent;
    uint64_t total; /* difficulty */
    uint64_t sent;  /* wei that FRIEND has after it */
} tree_block;

typedef struct game {
    forge f;
    tree_block tree[BLOCKS + 1];
    subject s;
    bool known[BLOCKS + 1];
    size_t head;
} game;

/* ---- Memory that runs out ---------------------------------------------------------------------------------------- */

static bool starving; /* one allocation in three hundred fails */

static void *starving_resize(void *ctx, void *ptr, size_t size)
{
    (void)ctx;
    if (size == 0) {
        free(ptr);
        return NULL;
    }
    return starving && below(300) == 0 ? NULL : realloc(ptr, size);
}

static const cevm_allocator allocator = {NULL, starving_resize};

/* ---- The tree ---------------------------------------------------------------------------------------------------- */

static void grow_tree(game *g)
{
    g->tree[GENESIS] = (tree_block){.hash = g->f.genesis_hash, .root = g->f.genesis.state_root, .total = 0x20000};
    for (size_t i = 0; i < BLOCKS; ++i) {
        const size_t recent = i < 6 ? i : 6;
        const size_t parent = i == 0 || below(8) == 0 ? GENESIS : i - 1 - below(recent);
        const recipe r = {
            .coinbase = (uint8_t)(1 + i), .seconds = 1 + below(40), .value = 1 + below(9), .recorded = below(3)};
        const tree_block *on = &g->tree[parent];
        const forged *made = forge_block(&g->f, &on->hash, r);
        g->tree[i] = (tree_block){.made = made,
                                  .hash = made->hash,
                                  .root = made->header.state_root,
                                  .parent = parent,
                                  .total = on->total + made->header.difficulty.w[0],
                                  .sent = on->sent + r.value};
    }
}

static bool is_on_branch(const game *g, size_t block, size_t tip)
{
    while (tip != block && tip != GENESIS) {
        tip = g->tree[tip].parent;
    }
    return tip == block;
}

/* ---- Steps ------------------------------------------------------------------------------------------------------- */

static void deliver(game *g, size_t block)
{
    const tree_block *b = &g->tree[block];
    cevm_import_result r;
    const cevm_err err = cevm_chain_import(g->s.chain, &r, (cevm_bytes){b->made->data, b->made->size}, NULL);
    if (err != CEVM_OK) {
        assert_int_equal(err, CEVM_ERR_NOMEM);
        return;
    }
    assert_int_equal(r.is_known, g->known[block]);
    if (g->known[block]) {
        return;
    }
    assert_int_equal(r.verdict.error, g->known[b->parent] ? CEVM_BLOCK_NONE : CEVM_BLOCK_UNKNOWN_PARENT);
    if (g->known[b->parent]) {
        g->known[block] = true;
        assert_int_equal(r.is_head, b->total > g->tree[g->head].total);
        g->head = r.is_head ? block : g->head;
    }
}

static void set_head(game *g, size_t block)
{
    const cevm_err err = cevm_chain_set_head(g->s.chain, &g->tree[block].hash);
    if (err == CEVM_OK) {
        assert_true(g->known[block]);
        g->head = block;
    } else {
        assert_true(err == CEVM_ERR_NOMEM || (err == CEVM_ERR_ARGUMENT && !g->known[block]));
    }
}

static void look(game *g, size_t block)
{
    cevm_state *state = NULL;
    cevm_account_info info;
    cevm_err err = cevm_chain_state_at(g->s.chain, &state, &g->tree[block].hash);
    if (err == CEVM_OK) {
        err = cevm_state_get_account(state, &info, &FRIEND);
        cevm_state_destroy(state);
    }
    if (err == CEVM_OK) {
        assert_true(g->known[block] && is_on_branch(g, block, g->head));
        assert_int_equal(info.balance.w[0], g->tree[block].sent);
    } else if (err == CEVM_ERR_ARGUMENT) {
        assert_false(g->known[block] && is_on_branch(g, block, g->head));
    } else {
        assert_int_equal(err, CEVM_ERR_NOMEM);
    }
}

static void check_head(game *g, bool with_store)
{
    cevm_chain_block head;
    const tree_block *expected = &g->tree[g->head];
    cevm_chain_head(g->s.chain, &head);
    assert_memory_equal(&head.hash, &expected->hash, sizeof head.hash);
    assert_int_equal(head.total_difficulty.w[0], expected->total);
    if (!with_store) {
        return;
    }
    assert_int_equal(cevm_chain_set_head(g->s.chain, &expected->hash),
                     CEVM_OK); /* the store comes back, if it had to */
    const cevm_hash root = store_root(g->s.db);
    assert_memory_equal(&root, &expected->root, sizeof root);
}

static void play(game *g)
{
    memset(g->known, 0, sizeof g->known);
    g->known[GENESIS] = true;
    g->head = GENESIS;
    g->s.db = forge_store(&allocator);
    assert_non_null(g->s.db);
    const cevm_chain_options options = {.struct_size = sizeof options,
                                        .allocator = &allocator,
                                        .config = g->f.config,
                                        .head = &g->f.genesis,
                                        .db = cevm_memdb_interface(g->s.db)};
    assert_int_equal(cevm_chain_open(&g->s.chain, &options), CEVM_OK);
    for (size_t i = 0; i < STEPS; ++i) {
        starving = below(4) == 0;
        switch (below(12)) {
        case 0: set_head(g, below(BLOCKS + 1)); break;
        case 1:
        case 2: look(g, below(BLOCKS + 1)); break;
        default: deliver(g, below(BLOCKS)); break;
        }
        starving = false;
        check_head(g, below(8) == 0);
    }
    for (size_t i = 0; i < BLOCKS; ++i) { /* parents come before their children */
        deliver(g, i);
        check_head(g, true);
    }
    subject_close(&g->s);
}

static void test_random_trees(void **unused)
{
    static game g;
    const uint64_t seed = random_seed();
    (void)unused;
    print_message("SEED=%" PRIu64 "\n", seed);
    random_state = seed;
    for (uint64_t i = random_setting("ITERATIONS", ROUNDS); i-- > 0;) {
        cevm_chain_config config;
        cevm_chain_config_at_fork(&config, below(2) == 0 ? CEVM_BERLIN : CEVM_TANGERINE_WHISTLE);
        forge_open(&g.f, &config);
        grow_tree(&g);
        play(&g);
        play(&g);
        forge_close(&g.f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_trees)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
