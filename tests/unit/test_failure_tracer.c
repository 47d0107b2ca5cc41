/* SPDX-License-Identifier: Apache-2.0 */
/* failureTracer: which instruction of which contract a failure is put down to. */
#include "node_support.h"

#define CALLER "0x00000000000000000000000000000000000000a0"
#define CALLEE "0x00000000000000000000000000000000000000b0"

/* Calls the callee with all it has; what follows stands at pc 9. */
#define CALL_IT "0x5f5f5f5f5f60b05af1"
/* Reverts at pc 7 with the word 42. */
#define REVERTS "0x602a5f5260205ffd"

/** The trace of a call of the caller, both with this code. */
static json_t *trace(cevm_node *node, const char *caller, const char *callee)
{
    char params[1024];
    (void)snprintf(params, sizeof params,
                   "{\"from\":\"" ALICE "\",\"to\":\"" CALLER
                   "\",\"data\":\"0xa9059cbb\",\"gas\":\"0x186a0\"},\"latest\","
                   "{\"tracer\":\"failureTracer\",\"stateOverrides\":{\"" CALLER "\":{\"code\":\"%s\"},\"" CALLEE
                   "\":{\"code\":\"%s\"}}}",
                   caller, callee);
    return rpc(node, "debug_traceCall", params);
}

static void expect_step(const json_t *result, const char *address, json_int_t pc, const char *op, json_int_t depth)
{
    const json_t *step = json_object_get(result, "step");
    assert_true(json_is_true(json_object_get(result, "failed")));
    assert_string_equal(json_string_value(json_object_get(step, "address")), address);
    assert_int_equal(json_integer_value(json_object_get(step, "pc")), pc);
    assert_string_equal(json_string_value(json_object_get(step, "op")), op);
    assert_int_equal(json_integer_value(json_object_get(step, "depth")), depth);
    assert_int_equal((json_int_t)json_array_size(json_object_get(result, "calls")), depth);
}

static void test_handed_on(void **unused)
{
    cevm_node *node = node_open();
    (void)unused;
    /* The caller reverts with what the callee said: RETURNDATASIZE PUSH0 PUSH0 RETURNDATACOPY RETURNDATASIZE PUSH0 REVERT. */
    json_t *result = trace(node, CALL_IT "3d5f5f3e3d5ffd", REVERTS);
    expect_step(result, CALLEE, 7, "REVERT", 2);
    const json_t *calls = json_object_get(result, "calls");
    assert_string_equal(json_string_value(json_object_get(json_array_get(calls, 0), "selector")), "0xa9059cbb");
    assert_string_equal(json_string_value(json_object_get(json_array_get(calls, 0), "to")), CALLER);
    assert_string_equal(json_string_value(json_object_get(json_array_get(calls, 1), "from")), CALLER);
    assert_null(json_object_get(json_array_get(calls, 1), "selector"));
    const json_t *stack = json_object_get(json_object_get(result, "step"), "stack");
    assert_string_equal(json_string_value(json_array_get(stack, 0)), "0x0");
    assert_string_equal(json_string_value(json_array_get(stack, 1)), "0x20");
    json_decref(result);
    cevm_node_destroy(node);
}

/* What there is no data of is handed on by the same instructions; far from the call they mean something else. */
static void test_handed_on_without_data(void **unused)
{
    cevm_node *node = node_open();
    char far[256] = CALL_IT "3d5f5f3e";
    (void)unused;
    json_t *result = trace(node, CALL_IT "3d5f5f3e3d5ffd", "0x5f5ffd");
    expect_step(result, CALLEE, 2, "REVERT", 2);
    json_decref(result);
    result = trace(node, CALL_IT "3d5f5f3e3d5ffd", "0x5b5f56");
    assert_string_equal(json_string_value(json_object_get(result, "error")), "out of gas");
    assert_int_equal(json_array_size(json_object_get(result, "calls")), 2);
    json_decref(result);
    for (int i = 0; i < 64; ++i) {
        strcat(far, "5b");
    }
    strcat(far, "3d5ffd");
    result = trace(node, far, "0x5f5ffd");
    expect_step(result, CALLER, 9 + 4 + 64 + 2, "REVERT", 1);
    json_decref(result);
    cevm_node_destroy(node);
}

static void test_own_reason(void **unused)
{
    cevm_node *node = node_open();
    (void)unused;
    /* The callee fails, the caller goes on and fails for itself: POP INVALID; then with other data. */
    json_t *result = trace(node, CALL_IT "50fe", REVERTS);
    expect_step(result, CALLER, 10, "INVALID", 1);
    json_decref(result);
    result = trace(node, CALL_IT "602b5f5260205ffd", REVERTS);
    expect_step(result, CALLER, 16, "REVERT", 1);
    json_decref(result);
    /* Without data and without a copy of it nothing tells that it was handed on. */
    result = trace(node, CALL_IT "5f5ffd", "0x5f5ffd");
    expect_step(result, CALLER, 11, "REVERT", 1);
    assert_string_equal(json_string_value(json_object_get(result, "error")), "execution reverted");
    json_decref(result);
    cevm_node_destroy(node);
}

static void test_other_ends(void **unused)
{
    cevm_node *node = node_open();
    (void)unused;
    json_t *result = trace(node, CALL_IT "00", REVERTS);
    assert_true(json_is_false(json_object_get(result, "failed")));
    json_decref(result);
    /* JUMPDEST PUSH0 JUMP for ever: the gas ends at one of them. */
    result = trace(node, "0x5b5f56", "0x");
    assert_string_equal(json_string_value(json_object_get(result, "error")), "out of gas");
    json_decref(result);
    result = trace(node, "0x600456", "0x");
    expect_step(result, CALLER, 2, "JUMP", 1);
    assert_string_equal(json_string_value(json_object_get(result, "error")), "invalid jump destination");
    json_decref(result);
    result = trace(node, "0x0c", "0x");
    expect_step(result, CALLER, 0, "INVALID", 1);
    json_decref(result);
    cevm_node_destroy(node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handed_on),
        cmocka_unit_test(test_handed_on_without_data),
        cmocka_unit_test(test_own_reason),
        cmocka_unit_test(test_other_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
