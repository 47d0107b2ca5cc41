/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runner of blockchain tests passes what is right and fails what is not: official tests, then the same with one thing
 * changed at a time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ethereum-tests/runner.h"

#define SAMPLES   "ethereum-tests/block-samples/"
#define WRONG     "0x00000000000000000000000000000000000000000000000000000000000000ff"
#define ONE_VALID SAMPLES "eest/test_eip_2935.json"
#define ONE_WRONG SAMPLES "tests/wrongGasLimit.json"
#define BRANCHES  SAMPLES "legacy/ChainAtoChainB_BlockHash.json"
#define OLD_NAMES SAMPLES "legacy/wrongDifficulty.json"
#define HASH_ONLY SAMPLES "tests/DaoTransactions_XBlockm1.json"

/* A file and its first test. */
typedef struct fixture {
    json_t *document;
    const char *name;
    json_t *test;
} fixture;

static fixture open_file(const char *path)
{
    fixture f;
    json_error_t error;
    f.document = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (f.document == NULL) {
        fail_msg("%s:%d: %s", path, error.line, error.text);
    }
    void *first = json_object_iter(f.document);
    f.name = json_object_iter_key(first);
    f.test = json_object_iter_value(first);
    return f;
}

/* Loads and runs the test as it is now. False when it cannot be loaded. */
static bool run(fixture *f, cevm_test_result *result)
{
    cevm_json_error error;
    cevm_test_runner runner;
    cevm_blockchain_test test;
    cevm_json_at root = cevm_json_root(f->document, "file.json", NULL, &error);
    cevm_json_at at = {.up = &root, .key = f->name, .value = f->test, .file = "file.json", .error = &error};
    assert_true(cevm_blockchain_test_is(f->test));
    if (!cevm_blockchain_test_load(&test, &at, NULL)) {
        print_message("%s\n", error.text);
        return false;
    }
    assert_int_equal(cevm_test_runner_init(&runner, NULL), CEVM_OK);
    cevm_test_run_blockchain(&runner, result, &test);
    cevm_test_runner_clear(&runner);
    cevm_blockchain_test_free(&test);
    return true;
}

static void expect_pass(fixture *f)
{
    cevm_test_result result;
    assert_true(run(f, &result));
    assert_string_equal(result.error, "");
    assert_int_equal(result.verdict, CEVM_TEST_PASS);
    assert_true(result.has_root);
}

static void expect_fail(fixture *f, cevm_test_aspect aspect, const char *words)
{
    cevm_test_result result;
    assert_true(run(f, &result));
    assert_int_equal(result.verdict, CEVM_TEST_FAIL);
    if (strstr(result.error, words) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", result.error, words);
    }
    assert_string_equal(cevm_test_aspect_name(result.aspect), cevm_test_aspect_name(aspect));
    json_decref(f->document);
}

static void set_text(json_t *object, const char *key, const char *text)
{
    assert_int_equal(json_object_set_new(object, key, json_string(text)), 0);
}

static json_t *block(fixture *f, size_t index)
{
    json_t *found = json_array_get(json_object_get(f->test, "blocks"), index);
    assert_non_null(found);
    return found;
}

static void test_samples_pass(void **state)
{
    (void)state;
    static const char *const paths[] = {ONE_VALID, ONE_WRONG, BRANCHES, OLD_NAMES, HASH_ONLY};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        fixture f = open_file(paths[i]);
        expect_pass(&f);
        json_decref(f.document);
    }
}

static void test_head(void **state)
{
    (void)state;
    fixture f = open_file(ONE_VALID);
    set_text(f.test, "lastblockhash", WRONG);
    expect_fail(&f, CEVM_TEST_HEAD, "last block hash validation mismatch");

    f = open_file(BRANCHES); /* without its last block the other branch is the longer one */
    json_t *blocks = json_object_get(f.test, "blocks");
    assert_int_equal(json_array_remove(blocks, json_array_size(blocks) - 1), 0);
    expect_fail(&f, CEVM_TEST_HEAD, "last block hash validation mismatch");
}

static void test_state(void **state)
{
    (void)state;
    fixture f = open_file(ONE_VALID);
    json_t *accounts = json_object_get(f.test, "postState");
    json_t *account = json_object_iter_value(json_object_iter(accounts));
    set_text(account, "balance", "0x123456789a");
    expect_fail(&f, CEVM_TEST_STATE, "balance: expected 0x123456789a");

    f = open_file(ONE_VALID);
    accounts = json_object_get(f.test, "postState");
    assert_int_equal(json_object_del(accounts, json_object_iter_key(json_object_iter(accounts))), 0);
    expect_fail(&f, CEVM_TEST_STATE, "post state validation failed");

    f = open_file(HASH_ONLY);
    set_text(f.test, "postStateHash", WRONG);
    expect_fail(&f, CEVM_TEST_ROOT, "post state root mismatch");
}

static void test_genesis(void **state)
{
    (void)state;
    fixture f = open_file(ONE_VALID);
    json_t *account = json_object_iter_value(json_object_iter(json_object_get(f.test, "pre")));
    set_text(account, "nonce", "0x77");
    expect_fail(&f, CEVM_TEST_GENESIS, "genesis state root mismatch");

    f = open_file(ONE_VALID);
    set_text(json_object_get(f.test, "genesisBlockHeader"), "gasUsed", "0x01");
    expect_fail(&f, CEVM_TEST_GENESIS, "genesis block hash mismatch");

    f = open_file(ONE_VALID);
    set_text(f.test, "genesisRLP", "0xc0");
    expect_fail(&f, CEVM_TEST_GENESIS, "genesis RLP decoding failed");
}

static void test_valid_blocks(void **state)
{
    (void)state;
    fixture f = open_file(ONE_VALID); /* a valid block that the file calls invalid */
    assert_int_equal(json_object_del(block(&f, 0), "blockHeader"), 0);
    expect_fail(&f, CEVM_TEST_REASON, "insertion should have failed due to: an invalid block");

    f = open_file(ONE_VALID);
    set_text(json_object_get(block(&f, 0), "blockHeader"), "hash", WRONG);
    expect_fail(&f, CEVM_TEST_HASH, "block (index 0) hash mismatch");

    f = open_file(ONE_VALID);
    json_t *receipts = json_array(), *receipt = json_object();
    set_text(receipt, "rlp", "0xc0");
    assert_int_equal(json_array_append_new(receipts, receipt), 0);
    assert_int_equal(json_object_set_new(block(&f, 0), "receipts", receipts), 0);
    expect_fail(&f, CEVM_TEST_RECEIPTS, "root of the receipts mismatch");
}

static void test_invalid_blocks(void **state)
{
    (void)state;
    fixture f = open_file(ONE_WRONG); /* an invalid block that the file calls valid */
    json_t *header = json_object();
    set_text(header, "hash", WRONG);
    assert_int_equal(json_object_set_new(block(&f, 0), "blockHeader", header), 0);
    expect_fail(&f, CEVM_TEST_REASON, "insertion into chain failed: INVALID_GASLIMIT");

    f = open_file(ONE_WRONG); /* refused for a reason that the file does not name */
    set_text(block(&f, 0), "expectException", "BlockException.INVALID_BLOCK_NUMBER|TransactionException.NONCE_IS_MAX");
    expect_fail(&f, CEVM_TEST_REASON, "refused for another reason: got INVALID_GASLIMIT");

    f = open_file(OLD_NAMES); /* reasons by network: that of another one does not count */
    assert_int_equal(json_object_del(block(&f, 0), "expectExceptionALL"), 0);
    set_text(block(&f, 0), "expectExceptionFrontier", "InvalidNumber");
    expect_pass(&f);
    char key[64];
    (void)snprintf(key, sizeof key, "expectException%s", json_string_value(json_object_get(f.test, "network")));
    set_text(block(&f, 0), key, "InvalidNumber");
    expect_fail(&f, CEVM_TEST_REASON, "refused for another reason");

    f = open_file(ONE_WRONG); /* where the file names none, any will do */
    assert_int_equal(json_object_del(block(&f, 0), "expectException"), 0);
    expect_pass(&f);
    json_decref(f.document);
}

static void test_what_cannot_be_run(void **state)
{
    (void)state;
    cevm_test_result result;
    fixture f = open_file(ONE_VALID);
    set_text(f.test, "network", "Atlantis");
    assert_true(run(&f, &result));
    assert_int_equal(result.verdict, CEVM_TEST_ERROR);
    assert_string_equal(result.error, "unsupported fork \"Atlantis\"");
    json_decref(f.document);

    f = open_file(ONE_VALID);
    set_text(block(&f, 0), "rlp", "0xzz");
    assert_true(run(&f, &result));
    assert_int_equal(result.verdict, CEVM_TEST_ERROR);
    assert_non_null(strstr(result.error, "blocks/0/rlp"));
    json_decref(f.document);

    static const char *const keys[] = {"network", "pre", "lastblockhash", "postState"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        f = open_file(ONE_VALID);
        assert_int_equal(json_object_del(f.test, keys[i]), 0);
        assert_false(run(&f, &result));
        json_decref(f.document);
    }
    f = open_file(ONE_VALID);
    set_text(json_object_get(f.test, "genesisBlockHeader"), "bloom", "0x00");
    assert_false(run(&f, &result));
    json_decref(f.document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples_pass),
        cmocka_unit_test(test_head),
        cmocka_unit_test(test_state),
        cmocka_unit_test(test_genesis),
        cmocka_unit_test(test_valid_blocks),
        cmocka_unit_test(test_invalid_blocks),
        cmocka_unit_test(test_what_cannot_be_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
