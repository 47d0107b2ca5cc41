/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chain against a model that knows only weights: a random tree of valid blocks, delivered in random order, with orphans,
 * repetitions, heads that are set, looks at the past, and memory that runs out now and then. Prints its seed; SEED=n
 * replays it.
 */
#include <inttypes.h>

#include "tests/oom/faulty.h"
#include "tests/property/block_tree.h"

enum { ROUNDS = 12, STEPS = 400 };

static uint64_t random_state;

static uint64_t below(uint64_t n) { return random_next(&random_state) % n; }

static faulty memory;
static const cevm_allocator allocator = {&memory, faulty_resize};

typedef struct game {
    block_tree tree;
    subject s;
} game;

static void look(game *g, size_t block)
{
    cevm_state *state = NULL;
    cevm_account_info info;
    cevm_err err = cevm_chain_state_at(g->s.chain, &state, &g->tree.blocks[block].hash);
    if (err == CEVM_OK) {
        err = cevm_state_get_account(state, &info, &FRIEND);
        cevm_state_destroy(state);
    }
    if (err == CEVM_OK) {
        assert_true(g->tree.known[block] && tree_is_on_branch(&g->tree, block, g->tree.head));
        assert_int_equal(info.balance.w[0], g->tree.blocks[block].sent);
    } else if (err == CEVM_ERR_ARGUMENT) {
        assert_false(g->tree.known[block] && tree_is_on_branch(&g->tree, block, g->tree.head));
    } else {
        assert_int_equal(err, CEVM_ERR_NOMEM);
    }
}

static void check_head(game *g, bool with_store)
{
    cevm_chain_block head;
    const tree_block *expected = &g->tree.blocks[g->tree.head];
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
    tree_restart(&g->tree);
    g->s.db = forge_store(&allocator);
    assert_non_null(g->s.db);
    const cevm_chain_options options = {.struct_size = sizeof options,
                                        .allocator = &allocator,
                                        .config = g->tree.f.config,
                                        .head = &g->tree.f.genesis,
                                        .db = cevm_memdb_interface(g->s.db)};
    assert_int_equal(cevm_chain_open(&g->s.chain, &options), CEVM_OK);
    for (size_t i = 0; i < STEPS; ++i) {
        memory.one_in = below(4) == 0 ? 300 : 0;
        switch (below(12)) {
        case 0: tree_set_head(&g->tree, g->s.chain, below(TREE_BLOCKS + 1)); break;
        case 1:
        case 2: look(g, below(TREE_BLOCKS + 1)); break;
        default: tree_deliver(&g->tree, g->s.chain, below(TREE_BLOCKS)); break;
        }
        memory.one_in = 0;
        check_head(g, below(8) == 0);
    }
    for (size_t i = 0; i < TREE_BLOCKS; ++i) { /* parents come before their children */
        tree_deliver(&g->tree, g->s.chain, i);
        check_head(g, true);
    }
    subject_close(&g->s);
    assert_int_equal(memory.live, 0);
}

static void test_random_trees(void **unused)
{
    static game g;
    const uint64_t seed = random_seed();
    (void)unused;
    print_message("SEED=%" PRIu64 "\n", seed);
    random_state = seed;
    memory.chance = seed + 1;
    for (uint64_t i = random_setting("ITERATIONS", ROUNDS); i-- > 0;) {
        tree_open(&g.tree, &random_state);
        play(&g);
        play(&g);
        tree_close(&g.tree);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_trees)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
