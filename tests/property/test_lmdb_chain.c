/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chain over a store on disk against a model that knows only weights: a random tree of valid blocks delivered in random
 * order, heads that are set, memory that runs out, the store closed and opened again, the process killed at any call. After
 * each step the head is the model's; the store holds its state, its blocks and no others, and finds their transactions and
 * logs as a search through all of them does. Prints its seed; SEED=n replays it.
 */
#include <cevm/lmdb.h>

#include <inttypes.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/import.h"
#include "state/rlp.h"
#include "tests/oom/faulty.h"
#include "tests/property/block_tree.h"
#include "tests/unit/lmdb_support.h"

enum { ROUNDS = 4, STEPS = 160, LINE = 600, KILL_BLOCKS = 9 };

static uint64_t random_state;

static uint64_t below(uint64_t n) { return random_next(&random_state) % n; }

static faulty memory;
static const cevm_allocator allocator = {&memory, faulty_resize};

typedef struct game {
    block_tree tree;
    lmdb_folder folder;
    cevm_lmdb *store;
    cevm_chain *chain;
} game;

/* ---- The store ------------------------------------------------------------------------------------------------------- */

static cevm_lmdb *open_store(const lmdb_folder *folder)
{
    cevm_lmdb *store = NULL;
    cevm_lmdb_error error;
    const cevm_lmdb_options options = {.struct_size = sizeof options,
                                       .allocator = &allocator,
                                       .path = folder->path,
                                       .create = true,
                                       .no_sync = true,
                                       .map_size = (uint64_t)1 << 28};
    const cevm_err err = cevm_lmdb_open(&store, &error, &options);
    if (err != CEVM_OK) {
        print_error("%s\n", error.text);
    }
    assert_int_equal(err, CEVM_OK);
    return store;
}

/** A new store with the forge's first block. */
static cevm_lmdb *make_store(const lmdb_folder *folder, const forge *f)
{
    cevm_lmdb *store = open_store(folder);
    cevm_memdb *accounts = forge_store(NULL);
    const cevm_genesis genesis = {.header = f->genesis, .hash = f->genesis_hash};
    const cevm_import_options options = {.command = "test", .data_dir = folder->path};
    assert_non_null(accounts);
    assert_true(cevm_import_store_fill(store, accounts, &genesis, &options));
    cevm_memdb_destroy(accounts);
    return store;
}

static cevm_chain *open_chain(cevm_lmdb *store, const forge *f)
{
    cevm_chain *chain = NULL;
    const cevm_chain_options options = {.struct_size = sizeof options, .allocator = &allocator, .config = f->config};
    assert_int_equal(cevm_chain_open_stored(&chain, &options, store), CEVM_OK);
    return chain;
}

static void verify(cevm_lmdb *store)
{
    const cevm_err err = cevm_lmdb_verify(store, NULL, NULL);
    if (err != CEVM_OK) {
        print_error("%s\n", cevm_lmdb_error_text(store));
    }
    assert_int_equal(err, CEVM_OK);
}

/* ---- Logs -------------------------------------------------------------------------------------------------------- */

/** What a search should find: blocks in order. */
typedef struct wanted {
    const cevm_lmdb_filter *filter;
    const forged *const *made; /* of the branch, by number - 1 */
    const uint64_t *recorded;  /* of the branch, by number - 1 */
    uint64_t next;             /* number of the block that is looked at next */
    uint64_t head;
    uint64_t found;
} wanted;

static cevm_hash topic(uint64_t value)
{
    cevm_hash h = {{0}};
    cevm_store_be64(h.bytes + 24, value);
    return h;
}

static bool is_in(const cevm_lmdb_topics *topics, uint64_t value)
{
    const cevm_hash h = topic(value);
    for (size_t i = 0; i < topics->count; ++i) {
        if (cevm_hash_equal(&topics->hashes[i], &h)) {
            return true;
        }
    }
    return topics->count == 0;
}

static bool is_wanted(const wanted *w, uint64_t number)
{
    const cevm_lmdb_filter *f = w->filter;
    bool address = f->address_count == 0;
    for (size_t i = 0; i < f->address_count; ++i) {
        address = address || cevm_address_equal(&f->addresses[i], &RECORDER);
    }
    return w->recorded[number - 1] != 0 && address && number >= f->from && number <= f->to && f->topic_count <= 2 &&
           (f->topic_count < 1 || is_in(&f->topics[0], w->recorded[number - 1])) &&
           (f->topic_count < 2 || is_in(&f->topics[1], number));
}

static void skip_unwanted(wanted *w)
{
    while (w->next <= w->head && !is_wanted(w, w->next)) {
        ++w->next;
    }
}

/** The transactions of a block, in its encoding. */
static cevm_bytes txs_of(const forged *made)
{
    cevm_bytes block = {made->data, made->size};
    cevm_bytes parts;
    cevm_bytes header;
    cevm_bytes txs = {NULL, 0};
    assert_true(cevm_rlp_next_list(&block, &parts) && cevm_rlp_next_list(&parts, &header) &&
                cevm_rlp_next_list(&parts, &txs));
    return txs;
}

static bool check_log(void *user, const cevm_lmdb_log *log)
{
    wanted *w = user;
    cevm_hash hash;
    cevm_bytes tx = {NULL, 0};
    cevm_rlp_item item;
    skip_unwanted(w);
    assert_int_equal(log->block_number, w->next);
    const forged *made = w->made[w->next - 1];
    assert_memory_equal(&log->block_hash, &made->hash, sizeof made->hash);
    assert_int_equal(log->index, 0);
    assert_memory_equal(&log->log.address, &RECORDER, sizeof RECORDER);
    assert_int_equal(log->log.topic_count, 2);
    const cevm_hash second = topic(w->next);
    assert_memory_equal(&log->log.topics[1], &second, sizeof second);
    cevm_bytes txs = txs_of(made);
    for (uint32_t i = 0; i <= log->tx_index; ++i) {
        assert_true(cevm_rlp_next(&txs, &item));
        tx = item.whole; /* the forge's are all legacy */
    }
    assert_int_equal(txs.size, 0); /* it is the last transaction */
    cevm_keccak256(&hash, tx.data, tx.size);
    assert_memory_equal(&log->tx_hash, &hash, sizeof hash);
    ++w->next;
    ++w->found;
    return true;
}

/** Random searches, compared with a look at every block of the branch. */
static void check_logs(cevm_lmdb *store, const forged *const *made, const uint64_t *recorded, uint64_t head,
                       uint64_t first)
{
    const cevm_address addresses[2] = {FRIEND, RECORDER};
    cevm_hash topics[2][3];
    for (size_t round = 0; round < 4; ++round) {
        cevm_lmdb_filter f = {.from = below(head + 2), .to = below(4) == 0 ? UINT64_MAX : below(head + 3)};
        f.addresses = addresses + below(2);
        f.address_count = below((uint64_t)(addresses + 2 - f.addresses) + 1);
        f.topic_count = below(4);
        for (size_t t = 0; t < 2; ++t) {
            f.topics[t] = (cevm_lmdb_topics){topics[t], below(4)};
            for (size_t i = 0; i < 3; ++i) {
                topics[t][i] = topic(t == 0 ? 1 + below(3) : 1 + below(head + 1));
            }
        }
        wanted w = {.filter = &f, .made = made, .recorded = recorded, .next = first > 1 ? first : 1, .head = head};
        assert_int_equal(cevm_lmdb_for_each_log(store, &f, check_log, &w), CEVM_OK);
        skip_unwanted(&w);
        assert_true(w.next > head); /* nothing was left out */
    }
}

/* ---- What the store holds ---------------------------------------------------------------------------------------- */

/** Each transaction of a block is found, or none is. */
static void check_txs(cevm_lmdb *store, const tree_block *b, bool there)
{
    cevm_bytes txs = txs_of(b->made);
    cevm_rlp_item item;
    for (uint32_t i = 0; cevm_rlp_next(&txs, &item); ++i) {
        cevm_hash hash;
        cevm_lmdb_tx tx;
        bool found = false;
        cevm_keccak256(&hash, item.whole.data, item.whole.size);
        assert_int_equal(cevm_lmdb_find_tx(store, &found, &tx, &hash), CEVM_OK);
        if (!found || !there) { /* the same one may stand in blocks of several branches */
            assert_false(there);
            assert_false(found && cevm_hash_equal(&tx.block_hash, &b->hash));
            continue;
        }
        assert_int_equal(tx.block_number, b->number);
        assert_int_equal(tx.index, i);
        assert_memory_equal(&tx.block_hash, &b->hash, sizeof b->hash);
        assert_int_equal(tx.encoded.size, item.whole.size);
        assert_memory_equal(tx.encoded.data, item.whole.data, item.whole.size);
        assert_true(tx.has_receipt && (tx.receipt.succeeded || tx.receipt.has_root));
        assert_int_equal(tx.first_log, 0);
        assert_true(tx.gas_used >= 21000);
        assert_int_equal(tx.receipt.logs.size != 0, i == 1 && b->recorded != 0);
    }
}

static void check_store(game *g)
{
    const forged *made[TREE_BLOCKS];
    uint64_t recorded[TREE_BLOCKS];
    const cevm_db db = cevm_lmdb_interface(g->store);
    cevm_hash root;
    cevm_db_block block;
    bool found = false;
    assert_int_equal(db.vtable->root(db.ctx, &root), CEVM_OK);
    assert_memory_equal(&root, &g->tree.blocks[g->tree.head].root, sizeof root);
    assert_int_equal(cevm_lmdb_head(g->store, &found, &block), CEVM_OK);
    assert_true(found);
    assert_memory_equal(&block.hash, &g->tree.blocks[g->tree.head].hash, sizeof block.hash);
    assert_int_equal(block.total_difficulty.w[0], g->tree.blocks[g->tree.head].total);
    for (size_t i = 0; i < TREE_BLOCKS; ++i) {
        const tree_block *b = &g->tree.blocks[i];
        const bool there = tree_is_on_branch(&g->tree, i, g->tree.head);
        assert_int_equal(cevm_lmdb_block_by_hash(g->store, &found, &block, &b->hash), CEVM_OK);
        assert_int_equal(found, there);
        check_txs(g->store, b, there);
        if (there) {
            assert_int_equal(block.number, b->number);
            assert_int_equal(block.rlp.size, b->made->size);
            assert_memory_equal(block.rlp.data, b->made->data, b->made->size);
            made[b->number - 1] = b->made;
            recorded[b->number - 1] = b->recorded;
        }
    }
    check_logs(g->store, made, recorded, g->tree.blocks[g->tree.head].number, 0);
    if (below(4) == 0) {
        verify(g->store);
    }
}

/* ---- Steps ------------------------------------------------------------------------------------------------------- */

/** What lasts is the head's branch; all of it can be taken back. */
static void reopen(game *g)
{
    uint32_t undoable = 0;
    cevm_chain_close(g->chain);
    cevm_lmdb_close(g->store);
    g->store = open_store(&g->folder);
    assert_int_equal(cevm_lmdb_undoable(g->store, &undoable, 128), CEVM_OK);
    assert_int_equal(undoable, g->tree.blocks[g->tree.head].number);
    g->chain = open_chain(g->store, &g->tree.f);
    for (size_t i = 0; i < TREE_BLOCKS; ++i) {
        g->tree.known[i] = tree_is_on_branch(&g->tree, i, g->tree.head);
    }
}

static void play(game *g)
{
    tree_restart(&g->tree);
    assert_true(lmdb_folder_make(&g->folder));
    g->store = make_store(&g->folder, &g->tree.f);
    g->chain = open_chain(g->store, &g->tree.f);
    for (size_t i = 0; i < STEPS; ++i) {
        memory.one_in = below(4) == 0 ? 300 : 0;
        switch (below(12)) {
        case 0: tree_set_head(&g->tree, g->chain, below(TREE_BLOCKS + 1)); break;
        case 1:
            memory.one_in = 0;
            reopen(g);
            break;
        default: tree_deliver(&g->tree, g->chain, below(TREE_BLOCKS)); break;
        }
        memory.one_in = 0;
        check_store(g);
    }
    cevm_chain_close(g->chain);
    cevm_lmdb_close(g->store);
    assert_int_equal(memory.live, 0);
    lmdb_folder_remove(&g->folder);
}

static void test_random_trees(void **unused)
{
    static game g;
    (void)unused;
    for (uint64_t i = random_setting("ITERATIONS", ROUNDS); i-- > 0;) {
        tree_open(&g.tree, &random_state);
        play(&g);
        tree_close(&g.tree);
    }
}

/* ---- Many blocks ------------------------------------------------------------------------------------------------- */

static void test_a_long_line(void **unused)
{
    static forge f;
    static const forged *made[LINE];
    static uint64_t recorded[LINE];
    lmdb_folder folder;
    cevm_chain_config config;
    cevm_lmdb_stat stat;
    cevm_import_result r;
    (void)unused;
    cevm_chain_config_at_fork(&config, CEVM_LATEST);
    forge_open(&f, &config);
    assert_true(lmdb_folder_make(&folder));
    cevm_lmdb *store = make_store(&folder, &f);
    cevm_chain *chain = open_chain(store, &f);
    for (size_t i = 0; i < LINE; ++i) {
        recorded[i] = below(40) == 0 ? 1 + below(3) : 0;
        made[i] = forge_block(&f, i == 0 ? &f.genesis_hash : &made[i - 1]->hash, (recipe){.recorded = recorded[i]});
        assert_int_equal(cevm_chain_import(chain, &r, (cevm_bytes){made[i]->data, made[i]->size}, NULL), CEVM_OK);
        assert_true(r.is_head);
    }
    for (size_t i = 0; i < 50; ++i) {
        check_logs(store, made, recorded, LINE, 0);
    }
    verify(store);
    assert_int_equal(cevm_lmdb_prune_receipts(store, 250, NULL, NULL), CEVM_OK);
    assert_int_equal(cevm_lmdb_get_stat(store, &stat), CEVM_OK);
    assert_int_equal(stat.receipts, 250);
    assert_int_equal(stat.first_receipts, LINE - 249);
    for (size_t i = 0; i < 50; ++i) {
        check_logs(store, made, recorded, LINE, stat.first_receipts);
    }
    verify(store);
    assert_int_equal(cevm_lmdb_prune_receipts(store, 0, NULL, NULL), CEVM_OK);
    assert_int_equal(cevm_lmdb_get_stat(store, &stat), CEVM_OK);
    assert_int_equal(stat.receipts + stat.transactions + stat.log_records, 0);
    verify(store);
    cevm_chain_close(chain);
    cevm_lmdb_close(store);
    lmdb_folder_remove(&folder);
    forge_close(&f);
}

/* ---- Killed ------------------------------------------------------------------------------------------------------ */

/** The store behind a layer that ends the process at one of its calls. */
typedef struct mortal {
    cevm_db below;
    uint64_t calls_left;
} mortal;

static void live_on(mortal *m)
{
    if (m->calls_left-- == 0) {
        (void)kill(getpid(), SIGKILL);
    }
}

#define MORTAL(name, parameters, arguments)                   \
    static cevm_err mortal_##name parameters                  \
    {                                                         \
        mortal *m = ctx;                                      \
        live_on(m);                                           \
        const cevm_err err = m->below.vtable->name arguments; \
        live_on(m);                                           \
        return err;                                           \
    }

MORTAL(account, (void *ctx, cevm_db_account *out, bool *exists, const cevm_address *address),
       (m->below.ctx, out, exists, address))
MORTAL(storage, (void *ctx, cevm_u256 *out, const cevm_address *address, const cevm_u256 *key),
       (m->below.ctx, out, address, key))
MORTAL(code, (void *ctx, cevm_bytes *out, const cevm_hash *hash), (m->below.ctx, out, hash))
MORTAL(block_hash, (void *ctx, cevm_hash *out, uint64_t number), (m->below.ctx, out, number))
MORTAL(commit, (void *ctx, const cevm_diff *diff), (m->below.ctx, diff))
MORTAL(root, (void *ctx, cevm_hash *out), (m->below.ctx, out))
MORTAL(begin_block, (void *ctx), (m->below.ctx))
MORTAL(end_block, (void *ctx, bool keep), (m->below.ctx, keep))
MORTAL(undo_block, (void *ctx), (m->below.ctx))
MORTAL(put_block, (void *ctx, const cevm_db_block *block), (m->below.ctx, block))
MORTAL(begin_move, (void *ctx), (m->below.ctx))
MORTAL(end_move, (void *ctx, bool keep), (m->below.ctx, keep))

static cevm_db mortal_interface(mortal *m)
{
    static const cevm_db_vtable vtable = {.struct_size = sizeof vtable,
                                          .account = mortal_account,
                                          .storage = mortal_storage,
                                          .code = mortal_code,
                                          .block_hash = mortal_block_hash,
                                          .commit = mortal_commit,
                                          .root = mortal_root,
                                          .begin_block = mortal_begin_block,
                                          .end_block = mortal_end_block,
                                          .undo_block = mortal_undo_block,
                                          .put_block = mortal_put_block,
                                          .begin_move = mortal_begin_move,
                                          .end_move = mortal_end_move};
    return (cevm_db){.vtable = &vtable, .ctx = m};
}

/** What the child does until it is killed: imports all blocks; *done counts those that are through. Does not return. */
static void import_and_die(const forge *f, const forged *const *blocks, const lmdb_folder *folder, uint64_t calls,
                           volatile uint32_t *done)
{
    cevm_import_result r;
    cevm_chain *chain = NULL;
    cevm_lmdb *store = make_store(folder, f);
    mortal m = {.below = cevm_lmdb_interface(store), .calls_left = calls};
    const cevm_chain_options options = {
        .struct_size = sizeof options, .config = f->config, .head = &f->genesis, .db = mortal_interface(&m)};
    bool ok = cevm_chain_open(&chain, &options) == CEVM_OK;
    for (uint32_t i = 0; ok && i < KILL_BLOCKS; ++i) {
        ok = cevm_chain_import(chain, &r, (cevm_bytes){blocks[i]->data, blocks[i]->size}, NULL) == CEVM_OK;
        *done = i + 1;
    }
    _exit(ok ? 0 : 1);
}

/** The store is at the head there was before the import that was killed, or at the one after it; and it goes on. */
static void check_survivor(const forge *f, const forged *const *blocks, const size_t heads[KILL_BLOCKS + 1],
                           const lmdb_folder *folder, uint32_t done)
{
    cevm_lmdb *store = open_store(folder);
    cevm_chain_block head;
    cevm_import_result r;
    verify(store);
    cevm_chain *chain = open_chain(store, f);
    cevm_chain_head(chain, &head);
    const size_t before = heads[done];
    const size_t after = heads[done < KILL_BLOCKS ? done + 1 : done];
    const cevm_hash *hash_before = before == KILL_BLOCKS ? &f->genesis_hash : &blocks[before]->hash;
    assert_true(cevm_hash_equal(&head.hash, hash_before) || cevm_hash_equal(&head.hash, &blocks[after]->hash));
    for (size_t i = 0; i < KILL_BLOCKS; ++i) {
        assert_int_equal(cevm_chain_import(chain, &r, (cevm_bytes){blocks[i]->data, blocks[i]->size}, NULL), CEVM_OK);
        assert_int_equal(r.verdict.error, CEVM_BLOCK_NONE);
    }
    cevm_chain_head(chain, &head);
    assert_memory_equal(&head.hash, &blocks[heads[KILL_BLOCKS]]->hash, sizeof head.hash);
    verify(store);
    cevm_chain_close(chain);
    cevm_lmdb_close(store);
}

static void test_killed_between_branches(void **unused)
{
    static forge f;
    const forged *blocks[KILL_BLOCKS];
    /* Which block is the head when so many were imported: three on one branch, six on a lighter one that ends heavier. */
    static const size_t heads[KILL_BLOCKS + 1] = {KILL_BLOCKS, 0, 1, 2, 2, 2, 2, 6, 7, 8};
    cevm_chain_config config;
    (void)unused;
    cevm_chain_config_at_fork(&config, CEVM_BERLIN);
    forge_open(&f, &config);
    for (size_t i = 0; i < KILL_BLOCKS; ++i) {
        const cevm_hash *parent = i == 0 || i == 3 ? &f.genesis_hash : &blocks[i - 1]->hash;
        blocks[i] =
            forge_block(&f, parent, (recipe){.coinbase = (uint8_t)(i < 3 ? 1 : 2), .value = i + 1, .recorded = 1});
    }
    volatile uint32_t *done = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(done != MAP_FAILED);
    bool was_killed = true;
    uint64_t kills = 0;
    for (uint64_t calls = below(3); was_killed; calls += 1 + below(3)) {
        lmdb_folder folder;
        int status = 0;
        assert_true(lmdb_folder_make(&folder));
        *done = 0;
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            import_and_die(&f, blocks, &folder, calls, done);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        was_killed = WIFSIGNALED(status);
        assert_true(was_killed ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0);
        check_survivor(&f, blocks, heads, &folder, *done);
        lmdb_folder_remove(&folder);
        ++kills;
    }
    assert_true(kills > 50);
    (void)munmap((void *)(uintptr_t)done, 4096);
    forge_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_trees),
        cmocka_unit_test(test_a_long_line),
        cmocka_unit_test(test_killed_between_branches),
    };
    const uint64_t seed = random_seed();
    print_message("SEED=%" PRIu64 "\n", seed);
    random_state = seed;
    memory.chance = seed + 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
