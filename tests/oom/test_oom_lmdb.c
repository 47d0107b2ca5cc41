/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every allocation of a chain and its store on disk fails in turn, from the opening to the closing: imports with a
 * reorganisation, a side branch and a refused block, another head, a look at the past, logs and transactions found,
 * everything verified, the store closed and opened again. The answer is CEVM_ERR_NOMEM, nothing has changed, nothing leaks,
 * and the same call made again does what it should. (LMDB's own memory is libc's.)
 */
#include "tests/unit/chain_support.h"

#include "cli/import.h"
#include "tests/oom/faulty.h"
#include "tests/unit/lmdb_support.h"

enum { STEPS = 8 };

typedef struct step {
    const forged *block;
    cevm_block_error error;
    bool is_head;
} step;

typedef struct plan {
    forge f;
    step steps[STEPS];
    cevm_hash tx; /* hash of a transaction of the first step */
} plan;

typedef struct life {
    const plan *p;
    faulty f;
    cevm_allocator allocator;
    lmdb_folder folder;
    cevm_lmdb *store;
    cevm_chain *chain;
} life;

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
        b[i] = forge_block(&p->f, i == 0 ? &p->f.genesis_hash : &b[i - 1]->hash,
                           (recipe){.coinbase = 0xb, .value = 2, .recorded = 2});
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
    cevm_block *block = NULL;
    cevm_block_verdict verdict;
    assert_int_equal(cevm_block_decode(&block, &verdict, (cevm_bytes){a[0]->data, a[0]->size}, NULL), CEVM_OK);
    assert_int_equal(cevm_tx_hash(&p->tx, block->txs[1], NULL), CEVM_OK);
    cevm_block_destroy(block, NULL);
}

/** Makes a call again when memory ran out in it, once. */
static void retry(life *w, cevm_err (*call)(life *w))
{
    cevm_err err = call(w);
    if (err != CEVM_OK) {
        assert_int_equal(err, CEVM_ERR_NOMEM);
        err = call(w);
    }
    assert_int_equal(err, CEVM_OK);
}

static cevm_err open_store(life *w)
{
    cevm_lmdb_error error;
    const cevm_lmdb_options options = {.struct_size = sizeof options,
                                       .allocator = &w->allocator,
                                       .path = w->folder.path,
                                       .create = true,
                                       .no_sync = true,
                                       .map_size = (uint64_t)1 << 28};
    return cevm_lmdb_open(&w->store, &error, &options);
}

static cevm_err open_chain(life *w)
{
    const cevm_chain_options options = {
        .struct_size = sizeof options, .allocator = &w->allocator, .config = w->p->f.config};
    const cevm_err err = cevm_chain_open_stored(&w->chain, &options, w->store);
    assert_true(err == CEVM_OK || w->chain == NULL);
    return err;
}

static cevm_err verify(life *w) { return cevm_lmdb_verify(w->store, NULL, NULL); }

static cevm_err go_to_branch(life *w) { return cevm_chain_set_head(w->chain, &w->p->steps[4].block->hash); }

static bool count_log(void *user, const cevm_lmdb_log *log)
{
    uint64_t *count = user;
    *count += log->block_number;
    return true;
}

/** The logs of the longer branch: one in each of four blocks. */
static cevm_err find_logs(life *w)
{
    uint64_t sum = 0;
    const cevm_lmdb_filter filter = {.to = 100, .addresses = &RECORDER, .address_count = 1, .topic_count = 2};
    const cevm_err err = cevm_lmdb_for_each_log(w->store, &filter, count_log, &sum);
    assert_true(err != CEVM_OK || sum == 1 + 2 + 3 + 4);
    return err;
}

static cevm_err find_tx(life *w)
{
    cevm_lmdb_tx tx;
    bool found = false;
    const cevm_err err = cevm_lmdb_find_tx(w->store, &found, &tx, &w->p->tx);
    assert_true(err != CEVM_OK || (found && tx.block_number == 1 && tx.index == 1));
    return err;
}

static cevm_err read_past(life *w)
{
    cevm_state *state = NULL;
    cevm_account_info info;
    cevm_err err = cevm_chain_state_at(w->chain, &state, &w->p->steps[0].block->hash);
    if (err == CEVM_OK) {
        err = cevm_state_get_account(state, &info, &FRIEND);
        cevm_state_destroy(state);
        assert_true(err != CEVM_OK || info.balance.w[0] % 1000000000 == 1);
    }
    return err;
}

static void expect_store_at(life *w, const cevm_hash *hash)
{
    cevm_db_block block;
    bool found = false;
    assert_int_equal(cevm_lmdb_head(w->store, &found, &block), CEVM_OK);
    assert_true(found);
    assert_memory_equal(&block.hash, hash, sizeof *hash);
}

static void run_step(life *w, const step *what)
{
    cevm_import_result r;
    cevm_chain_block head, found;
    const cevm_bytes rlp = {what->block->data, what->block->size};
    cevm_chain_head(w->chain, &head);
    const cevm_hash before = head.hash;
    cevm_err err = cevm_chain_import(w->chain, &r, rlp, NULL);
    if (err != CEVM_OK) {
        assert_int_equal(err, CEVM_ERR_NOMEM);
        cevm_chain_head(w->chain, &head);
        assert_memory_equal(&head.hash, &before, sizeof before);
        assert_false(cevm_chain_find(w->chain, &found, &what->block->hash));
        expect_store_at(w, &before);
        err = cevm_chain_import(w->chain, &r, rlp, NULL);
    }
    assert_int_equal(err, CEVM_OK);
    assert_int_equal(r.verdict.error, what->error);
    assert_int_equal(r.is_head, what->is_head);
    expect_store_at(w, what->is_head ? &what->block->hash : &before);
}

/** A store with the first block, before anything fails. */
static void make_store(life *w)
{
    cevm_memdb *accounts = forge_store(NULL);
    const cevm_genesis genesis = {.header = w->p->f.genesis, .hash = w->p->f.genesis_hash};
    const cevm_import_options options = {.command = "test", .data_dir = w->folder.path};
    assert_true(lmdb_folder_make(&w->folder));
    assert_int_equal(open_store(w), CEVM_OK);
    assert_non_null(accounts);
    assert_true(cevm_import_store_fill(w->store, accounts, &genesis, &options));
    cevm_memdb_destroy(accounts);
    cevm_lmdb_close(w->store);
}

static void live(life *w)
{
    retry(w, open_store);
    retry(w, open_chain);
    for (size_t i = 0; i < STEPS; ++i) {
        run_step(w, &w->p->steps[i]);
        if (i == 4) { /* in the middle */
            cevm_chain_close(w->chain);
            cevm_lmdb_close(w->store);
            retry(w, open_store);
            retry(w, open_chain);
            for (size_t again = 0; again < i; ++again) { /* what was not on the head's branch is forgotten */
                cevm_import_result r;
                const forged *block = w->p->steps[again].block;
                const cevm_bytes rlp = {block->data, block->size};
                cevm_err err = cevm_chain_import(w->chain, &r, rlp, NULL);
                err = err == CEVM_ERR_NOMEM ? cevm_chain_import(w->chain, &r, rlp, NULL) : err;
                assert_int_equal(err, CEVM_OK);
                assert_int_equal(r.verdict.error, CEVM_BLOCK_NONE);
            }
            if (w->p->steps[6].is_head) { /* past the merge; the side branch is a block short of the one it was */
                cevm_import_result r;
                const cevm_bytes rlp = {w->p->steps[4].block->data, w->p->steps[4].block->size};
                cevm_err err = cevm_chain_import(w->chain, &r, rlp, NULL);
                err = err == CEVM_ERR_NOMEM ? cevm_chain_import(w->chain, &r, rlp, NULL) : err;
                assert_int_equal(err, CEVM_OK);
            }
        }
    }
    retry(w, find_logs);
    retry(w, find_tx);
    retry(w, read_past);
    retry(w, go_to_branch);
    expect_store_at(w, &w->p->steps[4].block->hash);
    retry(w, verify);
    cevm_chain_close(w->chain);
    cevm_lmdb_close(w->store);
}

static void check_fork(cevm_fork fork)
{
    static plan p;
    make_plan(&p, fork);
    size_t n = 1;
    for (bool reached = true; reached; ++n) {
        life w = {.p = &p};
        w.allocator = (cevm_allocator){&w.f, faulty_resize};
        make_store(&w);
        w.f.calls = 0;
        w.f.fail_at = n;
        live(&w);
        reached = w.f.calls >= n;
        assert_int_equal(w.f.live, 0);
        lmdb_folder_remove(&w.folder);
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
