/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every allocation of a chain and its store fails in turn, over imports with two reorganisations, a side branch, a refused
 * block and a view of the past: the answer is CEVM_ERR_NOMEM, nothing has changed, nothing leaks, and the same call made
 * again does what it should.
 */
#include "tests/oom/faulty.h"
#include "tests/unit/chain_support.h"

enum { STEPS = 8 };

/* What is imported, and what has to come of it. */
typedef struct step {
    const forged *block;
    cevm_block_error error;
    bool is_head;
} step;

typedef struct plan {
    forge f;
    step steps[STEPS];
} plan;

static void make_plan(plan *p, cevm_fork fork)
{
    cevm_chain_config config;
    const forged *a[4], *b[3];
    cevm_block draft;
    forge_scratch scratch;
    const recipe r = {.coinbase = 0xc, .value = 3};
    cevm_chain_config_at_fork(&config, fork);
    forge_open(&p->f, &config);
    for (size_t i = 0; i < 4; ++i) {
        a[i] = forge_block(&p->f, i == 0 ? &p->f.genesis_hash : &a[i - 1]->hash,
                           (recipe){.coinbase = 0xa, .value = 1, .recorded = 1, .withdrawal = 5});
    }
    for (size_t i = 0; i < 3; ++i) {
        b[i] = forge_block(&p->f, i == 0 ? &p->f.genesis_hash : &b[i - 1]->hash, (recipe){.coinbase = 0xb, .value = 2});
    }
    forge_draft(&p->f, &draft, &scratch, &a[0]->hash, &r);
    draft.header.receipts_root.bytes[3] ^= 1;
    const bool by_weight = !CEVM_HAS_EIP(fork, 3675);
    const step steps[STEPS] = {
        {a[0], CEVM_BLOCK_NONE, true},       {a[1], CEVM_BLOCK_NONE, true},
        {b[0], CEVM_BLOCK_NONE, false},      {b[1], CEVM_BLOCK_NONE, false},
        {b[2], CEVM_BLOCK_NONE, by_weight},  {forge_keep(&p->f, &draft), CEVM_BLOCK_INVALID_RECEIPTS_ROOT, false},
        {a[2], CEVM_BLOCK_NONE, !by_weight}, {a[3], CEVM_BLOCK_NONE, true},
    };
    memcpy(p->steps, steps, sizeof steps);
}

static cevm_memdb *make_store(const cevm_allocator *allocator)
{
    cevm_memdb *db = forge_store(allocator);
    return db != NULL ? db : forge_store(allocator); /* the one failure is behind us */
}

static void open_chain(subject *s, const plan *p, const cevm_allocator *allocator)
{
    s->db = make_store(allocator);
    assert_non_null(s->db);
    const cevm_chain_options options = {.struct_size = sizeof options,
                                        .allocator = allocator,
                                        .config = p->f.config,
                                        .head = &p->f.genesis,
                                        .db = cevm_memdb_interface(s->db)};
    cevm_err err = cevm_chain_open(&s->chain, &options);
    if (err != CEVM_OK) {
        assert_int_equal(err, CEVM_ERR_NOMEM);
        assert_null(s->chain);
        err = cevm_chain_open(&s->chain, &options);
    }
    assert_int_equal(err, CEVM_OK);
}

static void run_step(subject *s, const step *what)
{
    cevm_import_result r;
    cevm_chain_block head, found;
    const cevm_bytes rlp = {what->block->data, what->block->size};
    cevm_chain_head(s->chain, &head);
    const cevm_hash before = head.hash;
    cevm_err err = cevm_chain_import(s->chain, &r, rlp, NULL);
    if (err != CEVM_OK) {
        assert_int_equal(err, CEVM_ERR_NOMEM);
        cevm_chain_head(s->chain, &head);
        assert_memory_equal(&head.hash, &before, sizeof before);
        assert_false(cevm_chain_find(s->chain, &found, &what->block->hash));
        err = cevm_chain_import(s->chain, &r, rlp, NULL);
    }
    assert_int_equal(err, CEVM_OK);
    assert_int_equal(r.verdict.error, what->error);
    assert_int_equal(r.is_head, what->is_head);
    assert_false(r.is_known);
    cevm_chain_head(s->chain, &head);
    assert_memory_equal(&head.hash, what->is_head ? &what->block->hash : &before, sizeof before);
}

static void read_past(subject *s, const cevm_hash *hash)
{
    cevm_state *state = NULL;
    cevm_account_info info;
    cevm_err err = CEVM_ERR_NOMEM;
    for (int attempt = 0; attempt < 2 && err != CEVM_OK; ++attempt) {
        err = cevm_chain_state_at(s->chain, &state, hash);
        if (err == CEVM_OK) {
            err = cevm_state_get_account(state, &info, &FRIEND);
            cevm_state_destroy(state);
        }
        assert_true(err == CEVM_OK || err == CEVM_ERR_NOMEM);
    }
    assert_int_equal(err, CEVM_OK);
    assert_int_equal(info.balance.w[0] % 1000000000, 1);
}

static void check_fork(cevm_fork fork)
{
    plan p;
    make_plan(&p, fork);
    size_t n = 1;
    for (bool reached = true; reached; ++n) {
        faulty f = {.fail_at = n};
        const cevm_allocator allocator = {&f, faulty_resize};
        subject s;
        open_chain(&s, &p, &allocator);
        for (size_t i = 0; i < STEPS; ++i) {
            run_step(&s, &p.steps[i]);
        }
        read_past(&s, &p.steps[0].block->hash);
        cevm_err err = cevm_chain_set_head(s.chain, &p.steps[4].block->hash);
        if (err != CEVM_OK) {
            assert_int_equal(err, CEVM_ERR_NOMEM);
            err = cevm_chain_set_head(s.chain, &p.steps[4].block->hash);
        }
        assert_int_equal(err, CEVM_OK);
        reached = f.calls >= n;
        f.fail_at = 0; /* the root is asked for below */
        expect_head(&s, &p.steps[4].block->hash);
        subject_close(&s);
        assert_int_equal(f.live, 0);
    }
    assert_true(n > 100);
    forge_close(&p.f);
}

static void test_before_the_merge(void **unused)
{
    (void)unused;
    check_fork(CEVM_SPURIOUS_DRAGON); /* its receipts take a state root each */
}

static void test_after_the_merge(void **unused)
{
    (void)unused;
    check_fork(CEVM_LATEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_before_the_merge),
        cmocka_unit_test(test_after_the_merge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
