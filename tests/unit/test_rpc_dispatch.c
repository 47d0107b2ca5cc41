/* SPDX-License-Identifier: Apache-2.0 */
/* JSON-RPC 2.0 from text to text (rpc/dispatch.h): the examples of the specification's kind, limits, and near names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rpc/dispatch.h"

static const cevm_rpc_limits limits = {.body = 2000, .answer = 4096, .batch = 3, .depth = 8};

typedef struct observed {
    unsigned calls;
    int last_code;
} observed;

static void observe(void *user, const cevm_rpc_call *call, const char *method, uint64_t nanoseconds)
{
    observed *o = user;
    assert_non_null(method);
    (void)nanoseconds;
    o->calls++;
    o->last_code = call->error.code;
}

/* The answer as text; the caller frees it. */
static char *answer(const char *text, observed *seen)
{
    cevm_rpc_request request;
    cevm_rpc_output out = {.limit = limits.answer};
    const cevm_rpc_peer peer = {.limits = &limits, .observer = observe, .observer_user = seen};
    cevm_rpc_request_read(&request, &limits, text, strlen(text));
    cevm_rpc_request_answer(&request, &peer, &out);
    char *copy = strndup(out.data != NULL ? out.data : "", out.size);
    cevm_rpc_output_clear(&out);
    cevm_rpc_request_clear(&request);
    assert_non_null(copy);
    return copy;
}

static void expect(const char *text, const char *wanted)
{
    observed seen = {0};
    char *got = answer(text, &seen);
    assert_string_equal(got, wanted);
    free(got);
}

static int code_of(const char *text)
{
    observed seen = {0};
    json_error_t error;
    char *got = answer(text, &seen);
    json_t *json = json_loads(got, 0, &error);
    assert_non_null(json);
    int code = (int)json_integer_value(json_object_get(json_object_get(json, "error"), "code"));
    json_decref(json);
    free(got);
    return code;
}

#define ASK "\"method\":\"net_listening\""

static void single(void **state)
{
    (void)state;
    expect("{\"jsonrpc\":\"2.0\",\"id\":1," ASK ",\"params\":[]}", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":true}");
    expect("{\"jsonrpc\":\"2.0\",\"id\":\"x\\n\"," ASK "}", "{\"jsonrpc\":\"2.0\",\"id\":\"x\\n\",\"result\":true}");
    expect("{\"id\":null," ASK ",\"params\":{}}", "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":true}");
    expect("{\"id\":-7," ASK ",\"params\":null}", "{\"jsonrpc\":\"2.0\",\"id\":-7,\"result\":true}");
    expect("{" ASK "}", "");
}

static void batches(void **state)
{
    (void)state;
    expect("[{\"id\":1," ASK "},{" ASK "},{\"id\":2," ASK "}]",
           "[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":true},{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":true}]");
    expect("[{" ASK "},{" ASK "}]", "");
    assert_int_equal(code_of("[]"), CEVM_RPC_INVALID_REQUEST);
    assert_int_equal(code_of("[1,2,3,4]"), CEVM_RPC_LIMIT);
    observed seen = {0};
    char *got = answer("[1,{},{\"id\":3," ASK "}]", &seen);
    json_error_t error;
    json_t *json = json_loads(got, 0, &error);
    assert_int_equal(json_array_size(json), 3);
    for (size_t i = 0; i < 2; ++i) {
        const json_t *one = json_array_get(json, i);
        assert_int_equal(json_integer_value(json_object_get(json_object_get(one, "error"), "code")),
                         CEVM_RPC_INVALID_REQUEST);
        assert_true(json_is_null(json_object_get(one, "id")));
    }
    assert_int_equal(seen.calls, 1);
    json_decref(json);
    free(got);
}

static void what_is_wrong(void **state)
{
    (void)state;
    assert_int_equal(code_of("{"), CEVM_RPC_PARSE_ERROR);
    assert_int_equal(code_of(""), CEVM_RPC_PARSE_ERROR);
    assert_int_equal(code_of("{\"id\":1} x"), CEVM_RPC_PARSE_ERROR);
    assert_int_equal(code_of("[[[[[[[[[]]]]]]]]]"), CEVM_RPC_PARSE_ERROR); /* nine levels */
    assert_int_equal(code_of("5"), CEVM_RPC_INVALID_REQUEST);
    assert_int_equal(code_of("{\"id\":1}"), CEVM_RPC_INVALID_REQUEST);
    assert_int_equal(code_of("{\"id\":[]," ASK "}"), CEVM_RPC_INVALID_REQUEST);
    assert_int_equal(code_of("{\"jsonrpc\":\"1.0\",\"id\":1," ASK "}"), CEVM_RPC_INVALID_REQUEST);
    assert_int_equal(code_of("{\"id\":1," ASK ",\"params\":[1]}"), CEVM_RPC_INVALID_PARAMS);
    assert_int_equal(code_of("{\"id\":1,\"method\":\"eth_subscribe\",\"params\":[\"newHeads\"]}"),
                     CEVM_RPC_UNSUPPORTED);
    /* brackets in text are not nesting */
    expect("{\"id\":\"[[[[[[[[[[\\\"[[\"," ASK "}",
           "{\"jsonrpc\":\"2.0\",\"id\":\"[[[[[[[[[[\\\"[[\",\"result\":true}");
}

static void near_names(void **state)
{
    static const char *const cases[][2] = {
        {"eth_blockNumbr", "eth_blockNumber"}, {"ETH_chainId", "eth_chainId"}, {"ganache_snapshot", "_snapshot"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        char text[128];
        observed seen = {0};
        (void)snprintf(text, sizeof text, "{\"id\":1,\"method\":\"%s\"}", cases[i][0]);
        char *got = answer(text, &seen);
        assert_int_equal(seen.last_code, CEVM_RPC_METHOD_NOT_FOUND);
        assert_non_null(strstr(got, "did you mean"));
        assert_non_null(strstr(strstr(got, "did you mean"), cases[i][1]));
        free(got);
    }
}

/* The family alone makes no name near: anvil_foo is not anvil_mine misspelt. */
static void far_names(void **state)
{
    static const char *const names[] = {"anvil_foo", "anvil_deal", "eth_x", "nothing"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        char text[128];
        observed seen = {0};
        (void)snprintf(text, sizeof text, "{\"id\":1,\"method\":\"%s\"}", names[i]);
        char *got = answer(text, &seen);
        assert_int_equal(seen.last_code, CEVM_RPC_METHOD_NOT_FOUND);
        assert_null(strstr(got, "did you mean"));
        free(got);
    }
}

static void limits_hold(void **state)
{
    char large[2048];
    (void)state;
    memset(large, ' ', sizeof large);
    large[sizeof large - 1] = '\0';
    assert_int_equal(code_of(large), CEVM_RPC_LIMIT);
    assert_int_equal(code_of("{\"id\":1,\"method\":\"rpc.discover\"}"), CEVM_RPC_LIMIT); /* more than 4 KiB */
}

/* keccak256("hello"), as every library has it. */
static void a_value(void **state)
{
    (void)state;
    expect("{\"id\":1,\"method\":\"web3_sha3\",\"params\":{\"data\":\"0x68656c6c6f\"}}",
           "{\"jsonrpc\":\"2.0\",\"id\":1,"
           "\"result\":\"0x1c8aff950685c2ed4bc3174f3472287b56d9517b9c948127319a09a7a36deac8\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single),     cmocka_unit_test(batches),   cmocka_unit_test(what_is_wrong),
        cmocka_unit_test(near_names), cmocka_unit_test(far_names), cmocka_unit_test(limits_hold),
        cmocka_unit_test(a_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
