/* SPDX-License-Identifier: Apache-2.0 */
/* A chain (cevm/chain.h): importing, branches, the head, the past, limits, and what a failing store leaves behind. */
#include "chain_support.h"
#include "tests/oom/faulty.h"

static forge open_forge(cevm_fork fork)
{
    forge f;
    cevm_chain_config config;
    cevm_chain_config_at_fork(&config, fork);
    forge_open(&f, &config);
    return f;
}

/* Blocks in a line; returns the last. */
static const forged *line(forge *f, const forged **out, const cevm_hash *parent, size_t count, recipe r)
{
    for (size_t i = 0; i < count; ++i) {
        const forged *block = forge_block(f, parent, r);
        if (out != NULL) {
            out[i] = block;
        }
        parent = &block->hash;
    }
    return f->blocks[f->count - 1];
}

/* ---- One branch -------------------------------------------------------------------------------------------------- */

static void test_import_and_find(void **unused)
{
    forge f = open_forge(CEVM_LATEST);
    subject s;
    const forged *blocks[5];
    cevm_chain_block found;
    (void)unused;
    (void)line(&f, blocks, &f.genesis_hash, 5, (recipe){.value = 7, .withdrawal = 3});
    subject_open(&s, &f, 0);
    expect_head(&s, &f.genesis_hash);
    for (size_t i = 0; i < 5; ++i) {
        const cevm_import_result r = subject_import(&s, blocks[i]);
        assert_int_equal(r.verdict.error, CEVM_BLOCK_NONE);
        assert_int_equal(r.number, i + 1);
        assert_int_equal(r.tx_count, 1);
        assert_int_equal(r.gas_used, 21000);
        assert_true(r.is_head);
        expect_head(&s, &blocks[i]->hash);
    }
    assert_true(cevm_chain_find(s.chain, &found, &blocks[2]->hash));
    assert_int_equal(found.header->number, 3);
    assert_true(found.is_merged);
    assert_true(cevm_chain_find_number(s.chain, &found, 4));
    assert_memory_equal(&found.hash, &blocks[3]->hash, sizeof found.hash);
    assert_true(cevm_chain_find_number(s.chain, &found, 0));
    assert_memory_equal(&found.hash, &f.genesis_hash, sizeof found.hash);
    assert_false(cevm_chain_find_number(s.chain, &found, 6));
    assert_false(cevm_chain_find(s.chain, &found, &blocks[0]->header.state_root));
    assert_int_equal(cevm_chain_get_config(s.chain)->chain_id, 1);
    const cevm_import_result again = subject_import(&s, blocks[1]);
    assert_true(again.is_known && !again.is_head && again.verdict.error == CEVM_BLOCK_NONE);
    assert_true(subject_import(&s, blocks[4]).is_head);
    expect_head(&s, &blocks[4]->hash);
    subject_close(&s);
    forge_close(&f);
}

static void test_open_refuses_what_does_not_fit(void **unused)
{
    forge f = open_forge(CEVM_LATEST);
    cevm_chain *chain = NULL;
    cevm_memdb *db = forge_store(NULL);
    cevm_chain_options good = {
        .struct_size = sizeof good, .config = f.config, .head = &f.genesis, .db = cevm_memdb_interface(db)};
    cevm_chain_options o = good;
    cevm_db_vtable lacking = *good.db.vtable;
    const cevm_hash wrong = {{1}};
    const cevm_bytes not_the_head = {(const uint8_t *)"\xc0", 1};
    (void)unused;
    o.struct_size = 8;
    assert_int_equal(cevm_chain_open(&chain, &o), CEVM_ERR_ARGUMENT);
    o = good;
    o.head = NULL;
    assert_int_equal(cevm_chain_open(&chain, &o), CEVM_ERR_ARGUMENT);
    o = good;
    lacking.begin_block = NULL;
    o.db.vtable = &lacking;
    assert_int_equal(cevm_chain_open(&chain, &o), CEVM_ERR_ARGUMENT);
    o = good;
    o.ancestors = &wrong; /* not the parent of the head */
    o.ancestor_count = 1;
    assert_int_equal(cevm_chain_open(&chain, &o), CEVM_ERR_ARGUMENT);
    o = good;
    o.recent_blocks = &not_the_head;
    o.recent_block_count = 1;
    assert_int_equal(cevm_chain_open(&chain, &o), CEVM_ERR_ENCODING);
    cevm_header other = f.genesis;
    other.state_root = wrong;
    o = good;
    o.head = &other;
    assert_int_equal(cevm_chain_open(&chain, &o), CEVM_ERR_ARGUMENT);
    assert_null(chain);
    cevm_chain_close(NULL);
    cevm_memdb_destroy(db);
    forge_close(&f);
}

static void test_unknown_parents(void **unused)
{
    forge f = open_forge(CEVM_LATEST);
    subject s;
    const forged *blocks[2];
    (void)unused;
    (void)line(&f, blocks, &f.genesis_hash, 2, (recipe){0});
    cevm_block orphan = {.header = blocks[0]->header, .has_withdrawals = true};
    memset(&orphan.header.parent_hash, 0, sizeof orphan.header.parent_hash);
    const forged *zero = forge_keep(&f, &orphan);
    const forged garbage = {.data = (uint8_t *)(uintptr_t) "\xc1\x80", .size = 2};
    subject_open(&s, &f, 0);
    expect_refusal(&s, blocks[1], CEVM_BLOCK_UNKNOWN_PARENT);
    expect_refusal(&s, zero, CEVM_BLOCK_UNKNOWN_PARENT_ZERO);
    expect_refusal(&s, &garbage, CEVM_BLOCK_RLP_STRUCTURES_ENCODING);
    expect_import(&s, blocks[0], true, 0);
    expect_import(&s, blocks[1], true, 0);
    subject_close(&s);
    forge_close(&f);
}

/* ---- Branches before the merge ----------------------------------------------------------------------------------- */

/* A is there first; B has the same difficulty, then more, then A again. */
static void test_total_difficulty_decides(void **unused)
{
    forge f = open_forge(CEVM_BERLIN);
    subject s;
    const forged *a[4], *b[3];
    (void)unused;
    (void)line(&f, a, &f.genesis_hash, 4, (recipe){.coinbase = 0xa, .value = 1});
    (void)line(&f, b, &f.genesis_hash, 3, (recipe){.coinbase = 0xb, .value = 2});
    subject_open(&s, &f, 0);
    expect_import(&s, a[0], true, 0);
    expect_import(&s, a[1], true, 0);
    expect_import(&s, b[0], false, 0);
    expect_head(&s, &a[1]->hash);
    expect_import(&s, b[1], false, 0); /* as heavy: the first seen stays */
    expect_head(&s, &a[1]->hash);
    expect_import(&s, b[2], true, 2);
    expect_head(&s, &b[2]->hash);
    expect_import(&s, a[2], false, 0);
    expect_head(&s, &b[2]->hash);
    expect_import(&s, a[3], true, 3);
    expect_head(&s, &a[3]->hash);
    cevm_chain_block found;
    assert_true(cevm_chain_find_number(s.chain, &found, 2));
    assert_memory_equal(&found.hash, &a[1]->hash, sizeof found.hash);
    assert_true(cevm_chain_find(s.chain, &found, &b[1]->hash)); /* other branches stay known */
    assert_false(found.is_merged);
    subject_close(&s);
    forge_close(&f);
}

/* A short branch of hard blocks wins over a longer one of easy blocks. */
static void test_shorter_but_heavier_branch(void **unused)
{
    forge f = open_forge(CEVM_BERLIN);
    subject s;
    const forged *slow[3], *fast[3];
    (void)unused;
    (void)line(&f, slow, &f.genesis_hash, 3, (recipe){.seconds = 2000}); /* the difficulty falls to its minimum */
    (void)line(&f, fast, &f.genesis_hash, 3, (recipe){.seconds = 1});
    subject_open(&s, &f, 0);
    for (size_t i = 0; i < 3; ++i) {
        expect_import(&s, slow[i], true, 0);
    }
    expect_import(&s, fast[0], false, 0);
    expect_import(&s, fast[1], false, 0);
    expect_import(&s, fast[2], true, 3);
    expect_head(&s, &fast[2]->hash);
    subject_close(&s);
    forge_close(&f);
}

/* A side block that is refused leaves the store at the head, not where the block was tried. */
static void test_bad_block_on_a_branch(void **unused)
{
    forge f = open_forge(CEVM_BERLIN);
    subject s;
    const forged *a[3];
    cevm_block block;
    forge_scratch scratch;
    (void)unused;
    (void)line(&f, a, &f.genesis_hash, 3, (recipe){.value = 1});
    const recipe r = {.coinbase = 0xb, .value = 2};
    forge_draft(&f, &block, &scratch, &a[0]->hash, &r);
    block.header.state_root.bytes[0] ^= 1;
    const forged *bad = forge_keep(&f, &block);
    subject_open(&s, &f, 0);
    for (size_t i = 0; i < 3; ++i) {
        expect_import(&s, a[i], true, 0);
    }
    expect_refusal(&s, bad, CEVM_BLOCK_INVALID_STATE_ROOT);
    expect_refusal(&s, bad, CEVM_BLOCK_INVALID_STATE_ROOT);
    expect_import(&s, forge_block(&f, &a[0]->hash, r), false, 0);
    subject_close(&s);
    forge_close(&f);
}

/* ---- After the merge --------------------------------------------------------------------------------------------- */

static void test_set_head_decides_after_the_merge(void **unused)
{
    forge f = open_forge(CEVM_LATEST);
    subject s;
    const forged *a[2], *b[4];
    const cevm_hash unknown = {{1}};
    (void)unused;
    (void)line(&f, a, &f.genesis_hash, 2, (recipe){.coinbase = 0xa, .value = 1});
    (void)line(&f, b, &a[0]->hash, 4, (recipe){.coinbase = 0xb, .value = 2});
    subject_open(&s, &f, 0);
    expect_import(&s, a[0], true, 0);
    expect_import(&s, a[1], true, 0);
    for (size_t i = 0; i < 4; ++i) {
        expect_import(&s, b[i], false, 0); /* however long it grows */
        expect_head(&s, &a[1]->hash);
    }
    assert_int_equal(cevm_chain_set_head(s.chain, &unknown), CEVM_ERR_ARGUMENT);
    assert_int_equal(cevm_chain_set_head(s.chain, &b[3]->hash), CEVM_OK);
    expect_head(&s, &b[3]->hash);
    assert_int_equal(cevm_chain_set_head(s.chain, &b[3]->hash), CEVM_OK);
    assert_int_equal(cevm_chain_set_head(s.chain, &f.genesis_hash), CEVM_OK);
    expect_head(&s, &f.genesis_hash);
    assert_int_equal(cevm_chain_set_head(s.chain, &a[1]->hash), CEVM_OK);
    expect_head(&s, &a[1]->hash);
    assert_true(subject_import(&s, b[3]).is_known);
    subject_close(&s);
    forge_close(&f);
}

/* EIP-3675: a block is past the merge when its parent's total difficulty reached the terminal one. */
static void test_merge_eip3675(void **unused)
{
    forge f;
    subject s;
    cevm_chain_config config;
    cevm_chain_block head;
    cevm_block block;
    forge_scratch scratch;
    const forged *pow[2], *pos[2];
    (void)unused;
    cevm_chain_config_at_fork(&config, CEVM_PARIS);
    config.terminal_total_difficulty = cevm_u256_from_u64(3 * 0x20000); /* genesis and two blocks */
    forge_open(&f, &config);
    (void)line(&f, pow, &f.genesis_hash, 2, (recipe){.value = 1});
    (void)line(&f, pos, &pow[1]->hash, 2, (recipe){.value = 1});
    const recipe r = {.value = 1};
    forge_draft(&f, &block, &scratch, &pow[0]->hash, &r);
    assert_false(scratch.is_merged);
    block.header.difficulty = (cevm_u256){{0}};
    const forged *early = forge_keep(&f, &block);
    forge_draft(&f, &block, &scratch, &pos[0]->hash, &r);
    assert_true(scratch.is_merged);
    block.header.difficulty = cevm_u256_from_u64(0x20000);
    const forged *late = forge_keep(&f, &block);
    subject_open(&s, &f, 0);
    expect_import(&s, pow[0], true, 0);
    expect_refusal(&s, early, CEVM_BLOCK_IMPORT_IMPOSSIBLE_PARIS_WRONG_POS);
    expect_import(&s, pow[1], true, 0);
    expect_import(&s, pos[0], true, 0);
    expect_refusal(&s, late, CEVM_BLOCK_IMPORT_IMPOSSIBLE_DIFFICULTY_OVER_PARIS);
    cevm_chain_head(s.chain, &head);
    assert_true(head.is_merged);
    const cevm_u256 terminal = head.total_difficulty;
    /* A heavier branch without the merge comes too late. */
    const forged *other = forge_block(&f, &pow[0]->hash, (recipe){.coinbase = 9, .value = 2});
    expect_import(&s, other, false, 0);
    expect_head(&s, &pos[0]->hash);
    expect_import(&s, pos[1], true, 0);
    cevm_chain_head(s.chain, &head);
    assert_true(cevm_u256_equal(&terminal, &head.total_difficulty));
    subject_close(&s);
    forge_close(&f);
}

/* ---- The past ---------------------------------------------------------------------------------------------------- */

static cevm_u256 balance_at(subject *s, const cevm_hash *hash)
{
    cevm_state *state = NULL;
    cevm_account_info info;
    assert_int_equal(cevm_chain_state_at(s->chain, &state, hash), CEVM_OK);
    assert_int_equal(cevm_state_get_account(state, &info, &FRIEND), CEVM_OK);
    /* What is done to it stays in it. */
    const cevm_u256 gift = cevm_u256_from_u64(1000000);
    assert_int_equal(cevm_state_begin_tx(state, CEVM_LATEST), CEVM_OK);
    assert_int_equal(cevm_state_add_balance(state, &FRIEND, &gift), CEVM_OK);
    assert_int_equal(cevm_state_end_tx(state), CEVM_OK);
    cevm_state_destroy(state);
    return info.balance;
}

static void test_state_at(void **unused)
{
    forge f = open_forge(CEVM_LATEST);
    subject s;
    const forged *a[6];
    cevm_state *state = NULL;
    (void)unused;
    (void)line(&f, a, &f.genesis_hash, 6, (recipe){.value = 5});
    const forged *side = forge_block(&f, &a[3]->hash, (recipe){.value = 100});
    subject_open(&s, &f, 4);
    for (size_t i = 0; i < 6; ++i) {
        expect_import(&s, a[i], true, 0);
    }
    expect_import(&s, side, false, 0);
    for (size_t round = 0; round < 2; ++round) {
        for (size_t i = 1; i < 6; ++i) {
            const cevm_u256 balance = balance_at(&s, &a[i]->hash);
            assert_int_equal(balance.w[0], 5 * (i + 1));
        }
    }
    assert_int_equal(cevm_chain_state_at(s.chain, &state, &a[0]->hash), CEVM_ERR_ARGUMENT); /* five blocks back */
    assert_int_equal(cevm_chain_state_at(s.chain, &state, &side->hash), CEVM_ERR_ARGUMENT);
    assert_int_equal(cevm_chain_state_at(s.chain, &state, &f.genesis.state_root), CEVM_ERR_ARGUMENT);
    assert_null(state);
    expect_head(&s, &a[5]->hash);
    assert_int_equal(cevm_chain_set_head(s.chain, &side->hash), CEVM_OK);
    assert_int_equal(balance_at(&s, &side->hash).w[0], 120);
    subject_close(&s);
    forge_close(&f);
}

/* A slot of RECORDER: what BLOCKHASH gave in the block with this number. */
static cevm_u256 recorded(subject *s, uint64_t number)
{
    cevm_chain_block head;
    cevm_state *state = NULL;
    cevm_u256 value;
    const cevm_u256 key = cevm_u256_from_u64(number);
    cevm_chain_head(s->chain, &head);
    assert_int_equal(cevm_chain_state_at(s->chain, &state, &head.hash), CEVM_OK);
    assert_int_equal(cevm_state_get_storage(state, &value, &RECORDER, &key), CEVM_OK);
    cevm_state_destroy(state);
    return value;
}

static void test_block_hashes_of_each_branch(void **unused)
{
    forge f = open_forge(CEVM_LATEST);
    subject s;
    const forged *a[3], *b[3];
    (void)unused;
    (void)line(&f, a, &f.genesis_hash, 3, (recipe){.coinbase = 0xa, .recorded = 1});
    (void)line(&f, b, &f.genesis_hash, 3, (recipe){.coinbase = 0xb, .recorded = 1});
    subject_open(&s, &f, 0);
    for (size_t i = 0; i < 3; ++i) {
        expect_import(&s, a[i], true, 0);
        expect_import(&s, b[i], false, 0);
    }
    const cevm_u256 on_a = recorded(&s, 3);
    const cevm_u256 hash_a = cevm_u256_from_be(a[0]->hash.bytes);
    assert_true(cevm_u256_equal(&on_a, &hash_a));
    assert_int_equal(cevm_chain_set_head(s.chain, &b[2]->hash), CEVM_OK);
    const cevm_u256 on_b = recorded(&s, 3);
    const cevm_u256 hash_b = cevm_u256_from_be(b[0]->hash.bytes);
    assert_true(cevm_u256_equal(&on_b, &hash_b));
    subject_close(&s);
    forge_close(&f);
}

/* ---- Going on from a later block --------------------------------------------------------------------------------- */

/* A chain opened at a block, with the store that holds its state: another chain made it. */
static void test_open_at_a_later_block(void **unused)
{
    forge f = open_forge(CEVM_LATEST);
    subject s;
    cevm_chain *later = NULL;
    cevm_import_result r;
    const forged *a[300];
    cevm_hash ancestors[299];
    (void)unused;
    (void)line(&f, a, &f.genesis_hash, 299, (recipe){0});
    a[299] = forge_block(&f, &a[298]->hash, (recipe){.recorded = 300 - 256}); /* the oldest hash it can ask for */
    subject_open(&s, &f, 0);
    for (size_t i = 0; i < 299; ++i) {
        expect_import(&s, a[i], true, 0);
        ancestors[298 - i] = i == 0 ? f.genesis_hash : a[i - 1]->hash;
    }
    cevm_chain_close(s.chain);
    s.chain = NULL;
    cevm_chain_options o = {.struct_size = sizeof o,
                            .config = f.config,
                            .head = &a[298]->header,
                            .total_difficulty = cevm_u256_from_u64(0x20000),
                            .head_is_merged = true,
                            .ancestors = ancestors,
                            .ancestor_count = 299,
                            .db = cevm_memdb_interface(s.db)};
    assert_int_equal(cevm_chain_open(&later, &o), CEVM_OK);
    assert_int_equal(cevm_chain_import(later, &r, (cevm_bytes){a[299]->data, a[299]->size}, NULL), CEVM_OK);
    assert_int_equal(r.verdict.error, CEVM_BLOCK_NONE);
    s.chain = later;
    expect_head(&s, &a[299]->hash);
    subject_close(&s);
    forge_close(&f);
}

/* A chain opened at a block with the encodings of that and the ones before it, nearest first. */
static void reopen(subject *s, const forge *f, const forged *head, const cevm_bytes *recent, size_t count)
{
    cevm_chain_block at;
    cevm_chain_head(s->chain, &at);
    const cevm_u256 total = at.total_difficulty;
    cevm_chain_close(s->chain);
    s->chain = NULL;
    const cevm_chain_options o = {.struct_size = sizeof o,
                                  .config = f->config,
                                  .head = &head->header,
                                  .total_difficulty = total,
                                  .recent_blocks = recent,
                                  .recent_block_count = count,
                                  .db = cevm_memdb_interface(s->db)};
    assert_int_equal(cevm_chain_open(&s->chain, &o), CEVM_OK);
}

static void test_ommers_after_opening_at_a_later_block(void **unused)
{
    forge f = open_forge(CEVM_BERLIN);
    subject s;
    const forged *a[4];
    cevm_chain_block found;
    (void)unused;
    (void)line(&f, a, &f.genesis_hash, 2, (recipe){.coinbase = 0xa});
    const forged *other = forge_block(&f, &a[0]->hash, (recipe){.coinbase = 0xb});
    a[2] = forge_block(&f, &a[1]->hash, (recipe){.ommers = &other->header, .ommer_count = 1});
    const recipe again = {.ommers = &other->header, .ommer_count = 1};
    cevm_block draft;
    forge_scratch scratch;
    forge_draft(&f, &draft, &scratch, &a[2]->hash, &again);
    const forged *twice = forge_keep(&f, &draft);
    a[3] = forge_block(&f, &a[2]->hash, (recipe){0});
    subject_open(&s, &f, 0);
    expect_import(&s, a[0], true, 0);
    expect_import(&s, a[1], true, 0);
    reopen(&s, &f, a[1], NULL, 0);
    expect_refusal(&s, a[2], CEVM_BLOCK_UNCLE_PARENT_INCORRECT); /* a[0] is not known to it */
    const cevm_bytes of_two[] = {{a[1]->data, a[1]->size}, {a[0]->data, a[0]->size}};
    reopen(&s, &f, a[1], of_two, 2);
    assert_true(cevm_chain_find_number(s.chain, &found, 1));
    assert_int_equal(found.total_difficulty.w[0], 0x20000 + a[0]->header.difficulty.w[0]);
    expect_import(&s, a[2], true, 0);
    const cevm_bytes of_three[] = {{a[2]->data, a[2]->size}, of_two[0], of_two[1]};
    reopen(&s, &f, a[2], of_three, 3);
    expect_refusal(&s, twice, CEVM_BLOCK_UNCLE_IN_CHAIN); /* the head's own ommers count */
    expect_import(&s, a[3], true, 0);
    expect_head(&s, &a[3]->hash);
    subject_close(&s);
    forge_close(&f);
}

/* A block that was decoded elsewhere, with senders; a wrong one is taken as it is. */
static void test_import_of_a_decoded_block(void **unused)
{
    forge f = open_forge(CEVM_LATEST);
    subject s;
    cevm_block *block = NULL;
    cevm_block_verdict verdict;
    cevm_import_result r;
    cevm_tx_error reason;
    (void)unused;
    const forged *a = forge_block(&f, &f.genesis_hash, (recipe){.value = 1});
    const cevm_bytes rlp = {a->data, a->size};
    subject_open(&s, &f, 0);
    assert_int_equal(cevm_block_decode(&block, &verdict, rlp, NULL), CEVM_OK);
    block->txs[0]->has_sender = true;
    block->txs[0]->sender = FRIEND;
    assert_int_equal(cevm_chain_import_block(s.chain, &r, block, rlp, NULL), CEVM_OK);
    assert_int_equal(r.verdict.error, CEVM_BLOCK_TRANSACTION);
    assert_int_equal(r.verdict.tx_error, CEVM_TX_INSUFFICIENT_ACCOUNT_FUNDS);
    assert_int_equal(cevm_tx_recover_sender(block->txs[0], &reason, CEVM_LATEST, NULL), CEVM_OK);
    assert_int_equal(cevm_chain_import_block(s.chain, &r, block, rlp, NULL), CEVM_OK);
    assert_int_equal(r.verdict.error, CEVM_BLOCK_NONE);
    assert_true(r.is_head);
    expect_head(&s, &a->hash);
    cevm_block_destroy(block, NULL);
    subject_close(&s);
    forge_close(&f);
}

/* ---- Limits ------------------------------------------------------------------------------------------------------ */

static void test_old_blocks_are_final(void **unused)
{
    forge f = open_forge(CEVM_LATEST);
    subject s;
    const forged *a[8];
    (void)unused;
    (void)line(&f, a, &f.genesis_hash, 8, (recipe){.value = 1});
    const forged *four_back = forge_block(&f, &a[3]->hash, (recipe){.coinbase = 7});
    const forged *three_back = forge_block(&f, &a[4]->hash, (recipe){.coinbase = 7});
    const forged *grown[4];
    (void)line(&f, grown, &three_back->hash, 4, (recipe){.coinbase = 7});
    subject_open(&s, &f, 3);
    for (size_t i = 0; i < 8; ++i) {
        expect_import(&s, a[i], true, 0);
    }
    expect_refusal(&s, four_back, CEVM_BLOCK_UNKNOWN_PARENT);
    assert_int_equal(cevm_chain_set_head(s.chain, &a[3]->hash), CEVM_ERR_ARGUMENT);
    expect_import(&s, three_back, false, 0);
    expect_import(&s, grown[0], false, 0);
    expect_import(&s, grown[1], false, 0);
    expect_refusal(&s, grown[2], CEVM_BLOCK_UNKNOWN_PARENT); /* the branch would be longer than can be taken back */
    assert_int_equal(cevm_chain_set_head(s.chain, &a[5]->hash), CEVM_OK);
    expect_head(&s, &a[5]->hash);
    /* Going back does not make final blocks open again. */
    expect_refusal(&s, four_back, CEVM_BLOCK_UNKNOWN_PARENT);
    subject_close(&s);
    forge_close(&f);
}

static void test_memory_does_not_grow_with_the_chain(void **unused)
{
    forge f = open_forge(CEVM_LATEST);
    faulty memory = {0};
    const cevm_allocator allocator = {&memory, faulty_resize};
    const forged *a[1000];
    cevm_chain *chain = NULL;
    cevm_chain_block found;
    size_t at_half = 0;
    (void)unused;
    (void)line(&f, a, &f.genesis_hash, 1000, (recipe){.value = 1});
    cevm_memdb *db = forge_store(NULL);
    cevm_memdb_set_history(db, 4);
    const cevm_chain_options o = {.struct_size = sizeof o,
                                  .allocator = &allocator,
                                  .config = f.config,
                                  .head = &f.genesis,
                                  .db = cevm_memdb_interface(db),
                                  .history = 4};
    assert_int_equal(cevm_chain_open(&chain, &o), CEVM_OK);
    for (size_t i = 0; i < 1000; ++i) {
        cevm_import_result r;
        assert_int_equal(cevm_chain_import(chain, &r, (cevm_bytes){a[i]->data, a[i]->size}, NULL), CEVM_OK);
        assert_int_equal(r.verdict.error, CEVM_BLOCK_NONE);
        at_half = i == 499 ? memory.live : at_half;
    }
    assert_true(memory.live <= at_half);
    assert_true(cevm_chain_find_number(chain, &found, 1000 - 4 - 264));
    assert_false(cevm_chain_find_number(chain, &found, 1000 - 4 - 264 - 64));
    cevm_chain_close(chain);
    assert_int_equal(memory.live, 0);
    cevm_memdb_destroy(db);
    forge_close(&f);
}

/* ---- A store that fails ------------------------------------------------------------------------------------------ */

/* Whatever call of the store fails in a reorganisation or on a side branch: nothing has changed, and it works again. */
static void test_a_store_that_fails_once(void **unused)
{
    forge f = open_forge(CEVM_BERLIN);
    const forged *order[7];
    const bool becomes_head[7] = {true, true, false, false, true, false, true};
    (void)unused;
    const forged *a[4], *b[3];
    (void)line(&f, a, &f.genesis_hash, 4, (recipe){.coinbase = 0xa, .value = 1});
    (void)line(&f, b, &f.genesis_hash, 3, (recipe){.coinbase = 0xb, .value = 2});
    memcpy(order, (const forged *[]){a[0], a[1], b[0], b[1], b[2], a[2], a[3]}, sizeof order);
    for (size_t n = 1, failures = 1; failures != 0; ++n) {
        subject s = {.db = forge_store(NULL)};
        flaky_db layer = {.below = cevm_memdb_interface(s.db), .counted = FLAKY_WRITES | FLAKY_BLOCKS};
        const cevm_chain_options o = {
            .struct_size = sizeof o, .config = f.config, .head = &f.genesis, .db = flaky_interface(&layer)};
        assert_int_equal(cevm_chain_open(&s.chain, &o), CEVM_OK);
        layer.fail_at = layer.calls + n;
        failures = 0;
        for (size_t i = 0; i < 7; ++i) {
            cevm_import_result r;
            const cevm_bytes rlp = {order[i]->data, order[i]->size};
            cevm_chain_block before, after;
            cevm_chain_head(s.chain, &before);
            const cevm_hash head = before.hash;
            cevm_err err = cevm_chain_import(s.chain, &r, rlp, NULL);
            if (err != CEVM_OK) {
                assert_int_equal(err, CEVM_ERR_BACKEND);
                failures++;
                cevm_chain_head(s.chain, &after);
                assert_memory_equal(&after.hash, &head, sizeof head);
                assert_false(cevm_chain_find(s.chain, &after, &order[i]->hash));
                assert_int_equal(cevm_chain_import(s.chain, &r, rlp, NULL), CEVM_OK);
            }
            assert_int_equal(r.verdict.error, CEVM_BLOCK_NONE);
            assert_int_equal(r.is_head, becomes_head[i]);
            assert_false(r.is_known);
            expect_head(&s, becomes_head[i] ? &order[i]->hash : &head);
        }
        assert_true(failures <= 1);
        subject_close(&s);
    }
    forge_close(&f);
}

/* A store that cannot go back takes blocks in a line only; one that forgot too much says so. */
static void test_stores_without_a_past(void **unused)
{
    forge f = open_forge(CEVM_BERLIN);
    subject s = {.db = forge_store(NULL)};
    const forged *a[2];
    cevm_import_result r;
    (void)unused;
    (void)line(&f, a, &f.genesis_hash, 2, (recipe){.value = 1});
    const forged *b = forge_block(&f, &f.genesis_hash, (recipe){.value = 2});
    cevm_memdb_set_history(s.db, 1);
    const cevm_chain_options o = {
        .struct_size = sizeof o, .config = f.config, .head = &f.genesis, .db = cevm_memdb_interface(s.db)};
    assert_int_equal(cevm_chain_open(&s.chain, &o), CEVM_OK);
    expect_import(&s, a[0], true, 0);
    expect_import(&s, a[1], true, 0);
    assert_int_equal(cevm_chain_import(s.chain, &r, (cevm_bytes){b->data, b->size}, NULL), CEVM_ERR_ARGUMENT);
    expect_head(&s, &a[1]->hash);
    subject_close(&s);
    forge_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_import_and_find),
        cmocka_unit_test(test_open_refuses_what_does_not_fit),
        cmocka_unit_test(test_unknown_parents),
        cmocka_unit_test(test_total_difficulty_decides),
        cmocka_unit_test(test_shorter_but_heavier_branch),
        cmocka_unit_test(test_bad_block_on_a_branch),
        cmocka_unit_test(test_set_head_decides_after_the_merge),
        cmocka_unit_test(test_merge_eip3675),
        cmocka_unit_test(test_state_at),
        cmocka_unit_test(test_block_hashes_of_each_branch),
        cmocka_unit_test(test_open_at_a_later_block),
        cmocka_unit_test(test_ommers_after_opening_at_a_later_block),
        cmocka_unit_test(test_import_of_a_decoded_block),
        cmocka_unit_test(test_old_blocks_are_final),
        cmocka_unit_test(test_memory_does_not_grow_with_the_chain),
        cmocka_unit_test(test_a_store_that_fails_once),
        cmocka_unit_test(test_stores_without_a_past),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
