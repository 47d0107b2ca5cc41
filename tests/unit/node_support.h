/* SPDX-License-Identifier: Apache-2.0 */
/**
 * tests/unit/node_support.h: a development node to test, and calls to it as clients make them. Include nothing before it
 * but the system's headers.
 */
#ifndef CEVM_TESTS_NODE_SUPPORT_H
#define CEVM_TESTS_NODE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include <cevm/hex.h>

#include "rpc/dispatch.h"
#include "rpc/node.h"

/* The first of the accounts that everybody knows. */
#define ALICE "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
#define BOB   "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
#define CAROL "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"

/* When the chain of a test begins: the clock then stands some seconds behind it at most. */
enum { GENESIS_TIME = 1700000000 };

static inline cevm_node_options node_options(void)
{
    cevm_node_options options = {.accounts = 10, .fork = CEVM_LATEST, .has_timestamp = true, .timestamp = GENESIS_TIME};
    assert_true(cevm_u256_from_text(&options.balance, "10000000000000000000000"));
    return options;
}

static inline cevm_node *node_open_with(const cevm_node_options *options)
{
    cevm_node *node = NULL;
    cevm_node_error error;
    const cevm_err err = cevm_node_create(&node, &error, options);
    if (err != CEVM_OK) {
        fail_msg("the node does not start: %s", error.text);
    }
    return node;
}

static inline cevm_node *node_open(void)
{
    const cevm_node_options options = node_options();
    return node_open_with(&options);
}

/** The answer to a request: {"jsonrpc", "id", "result" or "error"}. The parameters are JSON text, without the brackets. */
static inline json_t *rpc_answer(cevm_node *node, const char *method, const char *params)
{
    const cevm_rpc_limits limits = {.body = 1 << 26, .answer = 1 << 26, .batch = 100, .depth = 200};
    const cevm_rpc_peer peer = {.node = node, .limits = &limits};
    cevm_rpc_output out = {.limit = limits.answer};
    cevm_rpc_request request;
    json_error_t error;
    const size_t size = strlen(method) + strlen(params) + 100;
    char *text = malloc(size);
    assert_non_null(text);
    (void)snprintf(text, size, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":[%s]}", method, params);
    cevm_rpc_request_read(&request, &limits, text, strlen(text));
    cevm_rpc_request_answer(&request, &peer, &out);
    cevm_rpc_request_clear(&request);
    json_t *answer = json_loadb(out.data, out.size, 0, &error);
    if (answer == NULL) {
        fail_msg("%s: the answer is no JSON: %s", method, error.text);
    }
    cevm_rpc_output_clear(&out);
    free(text);
    return answer;
}

/** The result, which the caller drops (json_decref). An error ends the test. */
static inline json_t *rpc(cevm_node *node, const char *method, const char *params)
{
    json_t *answer = rpc_answer(node, method, params);
    json_t *result = json_object_get(answer, "result");
    if (result == NULL) {
        char *text = json_dumps(answer, 0);
        fail_msg("%s(%s): %s", method, params, text);
    }
    json_incref(result);
    json_decref(answer);
    return result;
}

static inline void rpc_do(cevm_node *node, const char *method, const char *params)
{
    json_decref(rpc(node, method, params));
}

/** A result that is text. */
static inline void expect_text(cevm_node *node, const char *method, const char *params, const char *expected)
{
    json_t *result = rpc(node, method, params);
    assert_true(json_is_string(result));
    assert_string_equal(json_string_value(result), expected);
    json_decref(result);
}

static inline void expect_bool(cevm_node *node, const char *method, const char *params, bool expected)
{
    json_t *result = rpc(node, method, params);
    assert_true(json_is_boolean(result));
    assert_int_equal(json_is_true(result), expected);
    json_decref(result);
}

/** A call that fails with this code, its message beginning with these words. */
static inline void expect_error(cevm_node *node, const char *method, const char *params, int code, const char *message)
{
    json_t *answer = rpc_answer(node, method, params);
    const json_t *error = json_object_get(answer, "error");
    assert_non_null(error);
    const char *text = json_string_value(json_object_get(error, "message"));
    if (strncmp(text, message, strlen(message)) != 0) {
        fail_msg("%s fails with \"%s\", not \"%s\"", method, text, message);
    }
    assert_int_equal(json_integer_value(json_object_get(error, "code")), code);
    json_decref(answer);
}

/** A quantity out of an object, or the quantity itself with key NULL. */
static inline uint64_t quantity(const json_t *object, const char *key)
{
    const json_t *value = key != NULL ? json_object_get(object, key) : object;
    cevm_u256 number;
    assert_true(json_is_string(value));
    assert_true(cevm_u256_from_text(&number, json_string_value(value)));
    assert_true(cevm_u256_fits_u64(&number));
    return number.w[0];
}

static inline uint64_t rpc_quantity(cevm_node *node, const char *method, const char *params)
{
    json_t *result = rpc(node, method, params);
    const uint64_t out = quantity(result, NULL);
    json_decref(result);
    return out;
}

static inline uint64_t block_number(cevm_node *node) { return rpc_quantity(node, "eth_blockNumber", ""); }

static inline json_t *latest_block(cevm_node *node) { return rpc(node, "eth_getBlockByNumber", "\"latest\",false"); }

static inline uint64_t latest(cevm_node *node, const char *key)
{
    json_t *block = latest_block(node);
    const uint64_t out = quantity(block, key);
    json_decref(block);
    return out;
}

/** Sends one wei from Alice to Bob; `more` goes into the transaction object. *hash receives 66 characters and a NUL. */
static inline void send_wei(cevm_node *node, const char *more, char hash[67])
{
    char params[512];
    (void)snprintf(params, sizeof params, "{\"from\":\"%s\",\"to\":\"%s\",\"value\":\"0x1\",\"gas\":\"0x5208\"%s}",
                   ALICE, BOB, more);
    json_t *result = rpc(node, "eth_sendTransaction", params);
    assert_int_equal(json_string_length(result), 66);
    if (hash != NULL) {
        memcpy(hash, json_string_value(result), 67);
    }
    json_decref(result);
}

/** A quoted hash as parameter. */
static inline const char *quoted(char out[80], const char *hash)
{
    (void)snprintf(out, 80, "\"%s\"", hash);
    return out;
}

static inline bool is_mined(cevm_node *node, const char *hash)
{
    char params[80];
    json_t *receipt = rpc(node, "eth_getTransactionReceipt", quoted(params, hash));
    const bool out = json_is_object(receipt);
    json_decref(receipt);
    return out;
}

#endif
