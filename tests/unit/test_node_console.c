/* SPDX-License-Identifier: Apache-2.0 */
/* console.log of calls and transactions, as the node's log and cevm_consoleLogs tell it. */
#include "node_support.h"

#include <string.h>

#include "rpc/log.h"

/* Each calls the console with log(string): "good" and stops, "bad" and reverts, "loop" for ever. */
#define TEXT(size, text)                                                       \
    "41304fac0000000000000000000000000000000000000000000000000000000000000020" \
    "00000000000000000000000000000000000000000000000000000000000000" size text \
    "0000000000000000000000000000000000000000000000000000"
#define CALL "5f5f60645f73000000000000000000636f6e736f6c652e6c6f675afa50"
#define GOOD "606460245f39" CALL "00" TEXT("04", "676f6f640000")
#define BAD  "606460265f39" CALL "5f5ffd" TEXT("03", "626164000000")
#define LOOP "606460275f395b" CALL "600656" TEXT("04", "6c6f6f700000")

#define GOOD_AT "0x000000000000000000000000000000000000aaaa"
#define BAD_AT  "0x000000000000000000000000000000000000bbbb"
#define LOOP_AT "0x000000000000000000000000000000000000cccc"
#define TO(at)  "{\"to\":\"" at "\"}"

typedef struct heard {
    char text[40000];
    size_t size;
} heard;

static void hear(void *user, const cevm_rpc_call *call, const char *method, uint64_t nanoseconds)
{
    heard *h = user;
    (void)method;
    (void)nanoseconds;
    h->size = call->console.size;
    assert_true(h->size < sizeof h->text);
    memcpy(h->text, call->console.data != NULL ? (const char *)call->console.data : "", h->size);
    h->text[h->size] = '\0';
}

/** Makes a call of which somebody is told; true when it did not fail. */
static bool ask(cevm_node *node, cevm_rpc_observer observer, void *user, const char *method, const char *params)
{
    const cevm_rpc_limits limits = {.body = 10000, .answer = 10000, .batch = 1, .depth = 10};
    const cevm_rpc_peer peer = {.node = node, .limits = &limits, .observer = observer, .observer_user = user};
    cevm_rpc_output out = {.limit = limits.answer};
    cevm_rpc_request request;
    char text[2000];
    (void)snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":[%s]}", method,
                   params);
    cevm_rpc_request_read(&request, &limits, text, strlen(text));
    cevm_rpc_request_answer(&request, &peer, &out);
    cevm_rpc_request_clear(&request);
    json_t *answer = json_loadb(out.data, out.size, 0, NULL);
    const bool ok = json_object_get(answer, "result") != NULL;
    json_decref(answer);
    cevm_rpc_output_clear(&out);
    return ok;
}

static cevm_node *open_with_code(void)
{
    cevm_node *node = node_open();
    rpc_do(node, "anvil_setCode", "\"" GOOD_AT "\",\"0x" GOOD "\"");
    rpc_do(node, "anvil_setCode", "\"" BAD_AT "\",\"0x" BAD "\"");
    rpc_do(node, "anvil_setCode", "\"" LOOP_AT "\",\"0x" LOOP "\"");
    return node;
}

static void test_calls(void **unused)
{
    cevm_node *node = open_with_code();
    heard h;
    (void)unused;
    assert_true(ask(node, hear, &h, "eth_call", TO(GOOD_AT)));
    assert_string_equal(h.text, "good\n");
    assert_false(ask(node, hear, &h, "eth_call", TO(BAD_AT)));
    assert_string_equal(h.text, "bad\n");
    assert_false(ask(node, hear, &h, "eth_call", TO(LOOP_AT)));
    assert_in_range(h.size, 32 * 1024, 33 * 1024);
    assert_string_equal(h.text + h.size - 16, "loop\n(and more)\n");
    assert_true(ask(node, hear, &h, "eth_call", TO(BOB)));
    assert_string_equal(h.text, "");
    assert_false(ask(node, hear, &h, "eth_call", "{\"to\":1}"));
    assert_string_equal(h.text, "");
    cevm_node_destroy(node);
}

/* Many executions, of which one is told; and none when the transaction follows, as Hardhat does it. */
static void test_estimates(void **unused)
{
    cevm_node *node = open_with_code();
    heard h;
    (void)unused;
    assert_true(ask(node, hear, &h, "eth_estimateGas", TO(GOOD_AT)));
    assert_string_equal(h.text, "");
    assert_false(ask(node, hear, &h, "eth_estimateGas", TO(BAD_AT)));
    assert_string_equal(h.text, "bad\n");
    assert_false(
        ask(node, hear, &h, "eth_estimateGas", "{\"to\":\"" GOOD_AT "\",\"gas\":\"0x5c62\"}")); /* too little */
    assert_string_equal(h.text, "good\n");
    cevm_node_destroy(node);
}

static void expect_lines(cevm_node *node, const char *params, const char *only)
{
    json_t *lines = rpc(node, "cevm_consoleLogs", params);
    assert_int_equal(json_array_size(lines), 1);
    assert_string_equal(json_string_value(json_array_get(lines, 0)), only);
    json_decref(lines);
}

static void test_method(void **unused)
{
    cevm_node *node = open_with_code();
    char params[80];
    (void)unused;
    expect_lines(node, TO(GOOD_AT), "good");
    expect_lines(node, TO(BAD_AT) ",\"latest\"", "bad");
    expect_lines(node, TO(BOB) ",\"latest\",{\"" BOB "\":{\"code\":\"0x" GOOD "\"}}", "good");
    expect_error(node, "cevm_consoleLogs", "{\"to\":\"" GOOD_AT "\",\"gas\":\"0x1\"}", -32000, "intrinsic gas too low");
    json_t *hash = rpc(node, "eth_sendTransaction", "{\"to\":\"" GOOD_AT "\",\"gas\":\"0x10000\"}");
    expect_lines(node, quoted(params, json_string_value(hash)), "good");
    json_decref(hash);
    json_t *none =
        rpc(node, "cevm_consoleLogs", "\"0x1111111111111111111111111111111111111111111111111111111111111111\"");
    assert_true(json_is_null(none));
    json_decref(none);
    cevm_node_destroy(node);
}

/* A transaction without gas is estimated first; when that fails there is no transaction to tell it. */
static void test_filled_in(void **unused)
{
    cevm_node *node = open_with_code();
    heard h;
    (void)unused;
    assert_false(ask(node, hear, &h, "eth_sendTransaction", TO(BAD_AT)));
    assert_string_equal(h.text, "bad\n");
    cevm_node_destroy(node);
}

/** Reads what was written; times are replaced by "-". */
static void read_log(FILE *file, char *out, size_t size)
{
    char line[256];
    size_t used = 0;
    rewind(file);
    while (fgets(line, sizeof line, file) != NULL) {
        char *ms = strstr(line, " ms");
        char *gap = strstr(line, "  ");
        if (ms != NULL && gap != NULL && gap != line) {
            memmove(gap + 1, ms + 3, strlen(ms + 3) + 1);
        }
        if (strstr(line, "  tx 0x") == NULL && strstr(line, "  block ") == NULL) {
            used += (size_t)snprintf(out + used, size - used, "%s", line);
        }
        assert_true(used < size);
    }
}

static void test_log(void **unused)
{
    cevm_node *node = node_open();
    FILE *file = tmpfile();
    char text[2000];
    (void)unused;
    assert_non_null(file);
    const cevm_node_log_options options = {.node = node, .to = file};
    cevm_node_log *log = cevm_node_log_start(&options);
    assert_non_null(log);
    assert_true(cevm_node_listen(node, cevm_node_log_listen, log));
    assert_true(ask(node, cevm_node_log_observe, log, "anvil_setCode", "\"" GOOD_AT "\",\"0x" GOOD "\""));
    assert_true(ask(node, cevm_node_log_observe, log, "anvil_setCode", "\"" BAD_AT "\",\"0x" BAD "\""));
    assert_true(ask(node, cevm_node_log_observe, log, "eth_call", TO(GOOD_AT)));
    assert_false(ask(node, cevm_node_log_observe, log, "eth_estimateGas", TO(BAD_AT)));
    assert_true(
        ask(node, cevm_node_log_observe, log, "eth_sendTransaction", "{\"to\":\"" GOOD_AT "\",\"gas\":\"0x10000\"}"));
    cevm_node_log_stop(log);
    read_log(file, text, sizeof text);
    assert_string_equal(text, "anvil_setCode \n"
                              "anvil_setCode \n"
                              "eth_call \n"
                              "  console.log: good\n"
                              "eth_estimateGas   error 3: execution reverted\n"
                              "  console.log: bad\n"
                              "eth_sendTransaction \n"
                              "  console.log: good\n");
    (void)fclose(file);
    cevm_node_destroy(node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_calls), cmocka_unit_test(test_estimates),
                                       cmocka_unit_test(test_method), cmocka_unit_test(test_filled_in),
                                       cmocka_unit_test(test_log)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
