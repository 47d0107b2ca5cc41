/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/log_remote.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <cevm/alloc.h>
#include <cevm/hex.h>

#include "rpc/node_internal.h"

static json_t *hex_of(const uint8_t *bytes, size_t size)
{
    char text[2 + 2 * 32 + 1] = "0x";
    cevm_hex_encode(text + 2, bytes, size);
    return json_string(text);
}

/** The filter as a filter object without bounds. NULL when memory runs out; jansson passes that on. */
static json_t *object_of(const cevm_log_filter *filter)
{
    json_t *addresses = json_array();
    json_t *topics = json_array();
    for (size_t i = 0; i < filter->address_count; ++i) {
        (void)json_array_append_new(addresses, hex_of(filter->addresses[i].bytes, sizeof filter->addresses[i].bytes));
    }
    for (size_t t = 0; t < filter->topic_count; ++t) {
        const cevm_topic_choice *choice = &filter->topics[t];
        json_t *place = choice->count != 0 ? json_array() : json_null();
        for (size_t i = 0; i < choice->count; ++i) {
            (void)json_array_append_new(place, hex_of(choice->topics[i].bytes, sizeof choice->topics[i].bytes));
        }
        (void)json_array_append_new(topics, place);
    }
    const bool is_whole =
        json_array_size(addresses) == filter->address_count && json_array_size(topics) == filter->topic_count;
    if (!is_whole || filter->address_count == 0) { /* to some nodes no address is none */
        json_decref(addresses);
        addresses = NULL;
    }
    if (!is_whole) {
        json_decref(topics);
        return NULL;
    }
    return addresses != NULL ? json_pack("{s:o,s:o}", "address", addresses, "topics", topics)
                             : json_pack("{s:o}", "topics", topics);
}

/** Writes what stands between the brackets of the remote's answer. */
static bool put_answer(cevm_rpc_call *call, char *text)
{
    size_t size = strlen(text);
    if (size < 2 || text[0] != '[' || text[size - 1] != ']') {
        return cevm_rpc_fail(call, CEVM_RPC_INTERNAL, "the remote chain: its answer to eth_getLogs is no array");
    }
    ++text;
    size -= 2;
    const size_t blank = strspn(text, " \t\r\n");
    if (blank < size) {
        cevm_json_put_raw(call->out, text, size);
    }
    return true;
}

/** Takes the object. */
static bool ask(cevm_rpc_call *call, json_t *object)
{
    char *result = NULL;
    char *params = NULL;
    json_t *list = object != NULL ? json_pack("[o]", object) : NULL;
    params = list != NULL ? json_dumps(list, JSON_COMPACT) : NULL;
    json_decref(list);
    const cevm_err err = params != NULL ? cevm_remote_call(cevm_node_remote(call->node), &result, "eth_getLogs", params)
                                        : CEVM_ERR_NOMEM;
    free(params);
    if (err != CEVM_OK) {
        cevm_node_error error = {.err = CEVM_OK};
        (void)cevm_node_say_remote(call->node, &error, err);
        return cevm_rpc_fail(call, err == CEVM_ERR_BACKEND ? CEVM_RPC_SERVER : CEVM_RPC_INTERNAL, "%s", error.text);
    }
    const bool ok = put_answer(call, result);
    cevm_free(cevm_node_allocator(call->node), result);
    return ok;
}

bool cevm_log_put_remote_range(cevm_rpc_call *call, const cevm_log_filter *filter, uint64_t from, uint64_t to)
{
    char first[20];
    char last[20];
    json_t *object = object_of(filter);
    (void)snprintf(first, sizeof first, "0x%" PRIx64, from);
    (void)snprintf(last, sizeof last, "0x%" PRIx64, to);
    if (json_object_set_new(object, "fromBlock", json_string(first)) != 0 ||
        json_object_set_new(object, "toBlock", json_string(last)) != 0) {
        json_decref(object);
        object = NULL;
    }
    return ask(call, object);
}

bool cevm_log_put_remote_block(cevm_rpc_call *call, const cevm_log_filter *filter, const cevm_hash *hash)
{
    json_t *object = object_of(filter);
    if (json_object_set_new(object, "blockHash", hex_of(hash->bytes, sizeof hash->bytes)) != 0) {
        json_decref(object);
        object = NULL;
    }
    return ask(call, object);
}
