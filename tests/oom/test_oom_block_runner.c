/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every allocation of loading and running a blockchain test fails in turn: the test is never said to pass or fail, it could
 * not be run, and nothing leaks. (An allocation that something can do without may also change nothing.)
 */
#include "faulty.h"

#include "ethereum-tests/runner.h"

static json_t *open_sample(const char *path)
{
    json_error_t error;
    json_t *root = json_load_file(path, 0, &error);
    if (root == NULL) {
        fail_msg("%s:%d: %s", path, error.line, error.text);
    }
    return root;
}

/* Loads and runs the first test of a file. False when that could not be done, and said so. */
static bool run(json_t *root, const cevm_allocator *allocator)
{
    cevm_json_error error = {{0}};
    cevm_test_runner runner;
    cevm_blockchain_test test;
    cevm_test_result result = {0};
    const cevm_json_at top = cevm_json_root(root, "file.json", NULL, &error);
    void *first = json_object_iter(root);
    const cevm_json_at at = {.up = &top,
                             .key = json_object_iter_key(first),
                             .value = json_object_iter_value(first),
                             .file = "file.json",
                             .error = &error};
    if (cevm_test_runner_init(&runner, allocator) != CEVM_OK) {
        return false;
    }
    bool loaded = cevm_blockchain_test_load(&test, &at, allocator);
    if (loaded) {
        cevm_test_run_blockchain(&runner, &result, &test);
        cevm_blockchain_test_free(&test);
    } else {
        assert_string_not_equal(error.text, "");
    }
    cevm_test_runner_clear(&runner);
    if (loaded && result.verdict != CEVM_TEST_PASS) {
        assert_int_equal(result.verdict, CEVM_TEST_ERROR);
        assert_non_null(strstr(result.error, "memory"));
    }
    return loaded && result.verdict == CEVM_TEST_PASS;
}

static void fail_each(const char *path)
{
    json_t *root = open_sample(path);
    faulty f = {0};
    const cevm_allocator allocator = {&f, faulty_resize};
    assert_true(run(root, &allocator));
    assert_int_equal(f.live, 0);
    const size_t count = f.calls;
    size_t failed = 0;
    for (size_t at = 1; at <= count; ++at) {
        f = (faulty){.fail_at = at};
        failed += run(root, &allocator) ? 0 : 1;
        assert_int_equal(f.live, 0);
    }
    print_message("%s: %zu allocations, %zu of them needed\n", path, count, failed);
    assert_true(failed > count / 2);
    json_decref(root);
}

static void test_a_valid_block(void **state)
{
    (void)state;
    fail_each("ethereum-tests/block-samples/eest/test_eip_2935.json");
}

static void test_a_refused_block(void **state)
{
    (void)state;
    fail_each("ethereum-tests/block-samples/tests/wrongGasLimit.json");
}

static void test_branches(void **state)
{
    (void)state;
    fail_each("ethereum-tests/block-samples/legacy/ChainAtoChainB_BlockHash.json");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_valid_block),
        cmocka_unit_test(test_a_refused_block),
        cmocka_unit_test(test_branches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
