/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests as they come from a client, to a node that is there: whatever the text, the answer is JSON of the form that
 * JSON-RPC asks for, and the node goes on.
 *
 * The first byte says how the rest is read: as the text of a request, or as the parameters of a method that it picks.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "rpc/dispatch.h"
#include "rpc/node.h"

enum { ROUNDS = 2000, METHOD = 0x80 }; /* a node is used for so many inputs: it keeps what is sent to it */

static const cevm_rpc_limits limits = {.body = 1 << 20, .answer = 4 << 20, .batch = 20, .depth = 64, .timeout_ms = 50};

static cevm_node *make_node(void)
{
    cevm_node *node;
    cevm_node_error error;
    const cevm_node_options options = {.accounts = 2,
                                       .balance = cevm_u256_from_u64(UINT64_MAX),
                                       .fork = CEVM_LATEST,
                                       .has_timestamp = true,
                                       .timestamp = 1000000,
                                       .call_gas_limit = 1000000,
                                       .call_timeout_ms = 50,
                                       .call_memory = 1 << 20};
    cevm_err err = cevm_node_create(&node, &error, &options);
    assert(err == CEVM_OK);
    (void)err;
    return node;
}

/* What changes settings for good, takes as long as it is told to, or asks the network, is left out. */
static bool is_wanted(const char *name)
{
    const cevm_rpc_row *row = cevm_rpc_find(name);
    return row == NULL || (row->flags & CEVM_RPC_WRITE) == 0 || strncmp(name, "eth_", 4) == 0;
}

static bool all_wanted(const json_t *request)
{
    const char *name = json_string_value(json_object_get(request, "method"));
    for (size_t i = 0; json_is_array(request) && i < json_array_size(request); ++i) {
        const char *one = json_string_value(json_object_get(json_array_get(request, i), "method"));
        if (one != NULL && !is_wanted(one)) {
            return false;
        }
    }
    return name == NULL || is_wanted(name);
}

static void check_one(const json_t *answer)
{
    assert(json_is_object(answer));
    assert(strcmp(json_string_value(json_object_get(answer, "jsonrpc")), "2.0") == 0);
    assert(json_object_get(answer, "id") != NULL);
    const json_t *error = json_object_get(answer, "error");
    assert((error != NULL) != (json_object_get(answer, "result") != NULL));
    assert(error == NULL || (json_is_integer(json_object_get(error, "code")) &&
                             json_integer_value(json_object_get(error, "code")) != 0 &&
                             json_is_string(json_object_get(error, "message"))));
}

static void check(const cevm_rpc_output *out)
{
    json_error_t error;
    assert(!out->gone);
    if (out->size == 0) {
        return;
    }
    json_t *answer = json_loadb(out->data, out->size, JSON_ALLOW_NUL, &error);
    assert(answer != NULL);
    for (size_t i = 0; json_is_array(answer) && i < json_array_size(answer); ++i) {
        check_one(json_array_get(answer, i));
    }
    if (!json_is_array(answer)) {
        check_one(answer);
    }
    json_decref(answer);
}

/* {"id":1,"method":…,"params":[…]} of a method and text between the brackets. The caller frees it. */
static char *request_text(size_t *size, const uint8_t *data, size_t data_size)
{
    size_t count;
    const cevm_rpc_row *rows = cevm_rpc_rows(&count);
    const char *name = rows[data_size != 0 ? data[0] % count : 0].name;
    char *text = malloc(data_size + 128);
    assert(text != NULL);
    int head = snprintf(text, 128, "{\"id\":1,\"method\":\"%s\",\"params\":[", name);
    *size = (size_t)head;
    if (data_size > 1) {
        memcpy(text + *size, data + 1, data_size - 1);
        *size += data_size - 1;
    }
    memcpy(text + *size, "]}", 2);
    *size += 2;
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static cevm_node *node;
    static unsigned rounds;
    if (size == 0 || size > 1 << 16) {
        return 0;
    }
    if (rounds++ % ROUNDS == 0) {
        cevm_node_destroy(node);
        node = make_node();
    }
    size_t text_size = size - 1;
    char *made = data[0] >= METHOD ? request_text(&text_size, data + 1, size - 1) : NULL;
    const char *text = made != NULL ? made : (const char *)data + 1;
    cevm_rpc_request request;
    cevm_rpc_output out = {.limit = limits.answer};
    const cevm_rpc_peer peer = {.node = node, .limits = &limits};
    cevm_rpc_request_read(&request, &limits, text, text_size);
    (void)cevm_rpc_request_streams(&request);
    if (all_wanted(request.json)) {
        cevm_rpc_request_answer(&request, &peer, &out);
        check(&out);
    }
    cevm_rpc_output_clear(&out);
    cevm_rpc_request_clear(&request);
    free(made);
    return 0;
}
