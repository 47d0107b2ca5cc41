/* SPDX-License-Identifier: Apache-2.0 */
/**
 * tests/unit/block_samples.h: the official blockchain tests that the repository holds, one by one. Include after cmocka.h.
 */
#ifndef CEVM_TESTS_BLOCK_SAMPLES_H
#define CEVM_TESTS_BLOCK_SAMPLES_H

#include <stdlib.h>

#include "ethereum-tests/blockchain_test.h"

/** Every file of ethereum-tests/block-samples with a block that is valid. */
static const char *const block_samples[] = {
    "eest/test_beacon_root_contract_deploy.json",
    "eest/test_blob_base_fee_with_bpo_transition.json",
    "eest/test_eip_2935.json",
    "eest/test_tx_into_self_delegating_set_code.json",
    "eest/test_withdrawal_requests_during_fork.json",
    "legacy/ChainAtoChainB_BlockHash.json",
    "legacy/mergeExample.json",
    "legacy/shanghaiExample.json",
    "legacy/uncleHeaderAtBlock2Byzantium.json",
    "tests/BerlinToLondonTransition.json",
    "tests/blockWithAllTransactionTypes.json",
    "tests/ByzantiumTransition.json",
    "tests/DaoTransactions_XBlockm1.json",
    "tests/HomesteadOverrideFrontier.json",
    "tests/oneUncle.json",
    "tests/powToPosTest.json",
    "tests/shanghaiBeforeTransition.json",
    "tests/UncleFromFrontierInHomestead.json",
    "tests/withdrawalsAddressBounds.json",
};

enum { BLOCK_SAMPLES = sizeof block_samples / sizeof block_samples[0] };

/** Calls `use` with each test of a file. */
static inline void for_each_blockchain_test(const char *file, void (*use)(cevm_blockchain_test *test, void *user),
                                            void *user)
{
    char path[256];
    json_t *root;
    cevm_json_error error;
    (void)snprintf(path, sizeof path, "ethereum-tests/block-samples/%s", file);
    if (!cevm_json_load_file(&root, &error, path)) {
        fail_msg("%s", error.text);
    }
    const cevm_json_at at = cevm_json_root(root, path, NULL, &error);
    const char *name;
    json_t *value;
    json_object_foreach(root, name, value)
    {
        cevm_json_at one;
        cevm_blockchain_test test;
        if (!cevm_json_need(&one, &at, name) || !cevm_blockchain_test_load(&test, &one, NULL)) {
            fail_msg("%s", error.text);
        }
        assert_true(test.network_known);
        use(&test, user);
        cevm_blockchain_test_free(&test);
    }
    json_decref(root);
}

static inline cevm_test_block test_block_at(cevm_blockchain_test *test, size_t index)
{
    cevm_test_block block;
    cevm_json_error error;
    if (!cevm_blockchain_test_block(&block, test, index, &error)) {
        fail_msg("%s", error.text);
    }
    return block;
}

static inline cevm_block *decode_block(cevm_bytes rlp)
{
    cevm_block *block;
    cevm_block_verdict verdict;
    assert_int_equal(cevm_block_decode(&block, &verdict, rlp, NULL), CEVM_OK);
    assert_int_equal(verdict.error, CEVM_BLOCK_NONE);
    return block;
}

#endif
