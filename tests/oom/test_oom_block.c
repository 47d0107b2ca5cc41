/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every allocation of the codec of blocks, of their roots and of Ethash fails in turn: the answer is CEVM_ERR_NOMEM, and
 * nothing leaks.
 */
#include "tests/oom/faulty.h"

#include "tests/unit/block_samples.h"

/** What a run under a failing allocator works on. */
typedef struct work {
    cevm_bytes rlp;
    const cevm_header *mined; /* for Ethash */
} work;

typedef cevm_err (*step)(const work *w, const cevm_allocator *allocator);

/** Runs a step once undisturbed, then once with each of its allocations failing. Returns how many it has. */
static size_t fail_each(step run, const work *w)
{
    faulty count = {0};
    cevm_allocator allocator = {&count, faulty_resize};
    assert_int_equal(run(w, &allocator), CEVM_OK);
    assert_int_equal(count.live, 0);
    for (size_t at = 1; at <= count.calls; ++at) {
        for (int for_good = 0; for_good < 2; ++for_good) {
            faulty one = {.fail_at = at, .for_good = for_good != 0};
            allocator.ctx = &one;
            assert_int_equal(run(w, &allocator), CEVM_ERR_NOMEM);
            assert_int_equal(one.live, 0);
        }
    }
    return count.calls;
}

static cevm_err decode_and_encode(const work *w, const cevm_allocator *allocator)
{
    cevm_block *block;
    cevm_block_verdict verdict;
    uint8_t again[4096];
    size_t size;
    cevm_hash hash;
    cevm_err err = cevm_block_decode(&block, &verdict, w->rlp, allocator);
    if (err != CEVM_OK) {
        assert_null(block);
        return err;
    }
    err = cevm_block_encode(again, &size, sizeof again, block, allocator);
    if (err == CEVM_OK) {
        assert_int_equal(size, w->rlp.size);
        err = cevm_header_hash(&hash, &block->header, allocator);
    }
    if (err == CEVM_OK) {
        err = cevm_header_encode(again, &size, sizeof again, &block->header, allocator);
    }
    if (err == CEVM_OK) {
        err = cevm_transactions_root(&hash, block->raw_txs, block->tx_count, allocator);
    }
    if (err == CEVM_OK) {
        err = cevm_ommers_hash(&hash, block->ommers, block->ommer_count, allocator);
    }
    if (err == CEVM_OK) {
        err = cevm_withdrawals_root(&hash, block->withdrawals, block->withdrawal_count, allocator);
    }
    cevm_block_destroy(block, allocator);
    return err;
}

static void fail_blocks_of(cevm_blockchain_test *test, void *user)
{
    size_t *total = user;
    for (size_t i = 0; i < test->block_count; ++i) {
        const cevm_test_block b = test_block_at(test, i);
        if (b.is_valid) {
            const work w = {.rlp = b.rlp};
            *total += fail_each(decode_and_encode, &w);
        }
    }
}

static void test_codec_and_roots(void **state)
{
    (void)state;
    static const char *const files[] = {"tests/blockWithAllTransactionTypes.json",
                                        "tests/UncleFromFrontierInHomestead.json",
                                        "tests/withdrawalsAddressBounds.json", "legacy/shanghaiExample.json",
                                        "eest/test_beacon_root_contract_deploy.json"};
    size_t total = 0;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; ++i) {
        for_each_blockchain_test(files[i], fail_blocks_of, &total);
    }
    print_message("%zu allocations\n", total);
    assert_true(total > 100);
}

/** The 16 MiB are refused too: this is what a small machine sees. */
static cevm_err verify(const work *w, const cevm_allocator *allocator)
{
    bool valid;
    return cevm_ethash_check(&valid, w->mined, allocator);
}

static void test_ethash(void **state)
{
    (void)state;
    const cevm_header header = {.number = 1};
    const work w = {.mined = &header};
    assert_true(fail_each(verify, &w) >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codec_and_roots),
        cmocka_unit_test(test_ethash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
