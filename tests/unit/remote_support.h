/* SPDX-License-Identifier: Apache-2.0 */
/**
 * tests/unit/remote_support.h: a JSON-RPC node over a memory backend, in the process, that counts its requests and
 * misbehaves as it is told. Requests and answers are made with jansson, which the library's remote backend does not use.
 */
#ifndef CEVM_TESTS_REMOTE_SUPPORT_H
#define CEVM_TESTS_REMOTE_SUPPORT_H

#include <cevm/hex.h>
#include <cevm/remote.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** How the node behaves; what is limited by `times` is over after so many requests. */
typedef enum fake_node_mode {
    NODE_WELL,
    NODE_BUSY,         /* HTTP 429 */
    NODE_BROKEN,       /* HTTP 503 */
    NODE_UNREACHABLE,  /* no answer */
    NODE_LIMITS_CALLS, /* every second call of a batch: code -32005 */
    NODE_LIMITS_BATCH, /* an error object, "rate limit exceeded" */
    NODE_GARBAGE,      /* a page of HTML with status 200 */
    NODE_CUT,          /* half of the answer */
    NODE_FORGETS,      /* every second answer of a batch is not there */
    NODE_NO_BATCH,     /* an error object for every batch */
    NODE_BAD_REQUEST,  /* HTTP 400 and no JSON for every batch */
    NODE_SMALL,        /* HTTP 413 for batches of more than 50 */
    NODE_LARGE_ANSWER, /* more than the limit for batches of more than 50 */
    NODE_BACKWARDS,    /* answers in reverse order, between some that nobody asked for */
    NODE_PRUNED,       /* -32000 state that was pruned */
    NODE_NONSENSE,     /* results that are no numbers */
    NODE_NULL,         /* null for everything */
    NODE_FORBIDS       /* HTTP 401 */
} fake_node_mode;

typedef struct fake_node {
    cevm_db db;
    uint64_t number;
    uint64_t chain_id;
    uint8_t branch; /* the first byte of the hashes of its blocks */
    fake_node_mode mode;
    size_t times;
    size_t requests;
    size_t calls;
    size_t largest; /* batch */
    char *answer;
    char last_method[64];
} fake_node;

static inline json_t *fake_node_hex(const uint8_t *data, size_t size)
{
    char *text = malloc(2 * size + 3);
    if (text == NULL) {
        abort();
    }
    memcpy(text, "0x", 2);
    cevm_hex_encode(text + 2, data, size);
    json_t *out = json_string(text);
    free(text);
    return out;
}

static inline json_t *fake_node_quantity(const cevm_u256 *value)
{
    char text[67];
    cevm_u256_to_hex(text, value);
    return json_string(text);
}

static inline cevm_hash fake_node_block_hash(const fake_node *n, uint64_t number)
{
    cevm_hash hash = {{n->branch}};
    cevm_store_be64(hash.bytes + 24, number);
    return hash;
}

static inline json_t *fake_node_block(const fake_node *n, const char *tag)
{
    const uint64_t number = strcmp(tag, "latest") == 0 ? n->number : strtoull(tag, NULL, 16);
    if (number > n->number) {
        return json_null();
    }
    const cevm_u256 word = cevm_u256_from_u64(number);
    const cevm_u256 gas_limit = cevm_u256_from_u64(30000000);
    const cevm_hash hash = fake_node_block_hash(n, number);
    const cevm_hash parent = fake_node_block_hash(n, number - 1);
    const uint8_t extra[3] = {1, 2, 3};
    json_t *o = json_object();
    json_object_set_new(o, "number", fake_node_quantity(&word));
    json_object_set_new(o, "hash", fake_node_hex(hash.bytes, 32));
    json_object_set_new(o, "parentHash", fake_node_hex(parent.bytes, 32));
    json_object_set_new(o, "timestamp", fake_node_quantity(&word));
    json_object_set_new(o, "gasLimit", fake_node_quantity(&gas_limit));
    json_object_set_new(o, "baseFeePerGas", json_string("0x7"));
    json_object_set_new(o, "miner", json_string("0x00000000000000000000000000000000c0ffee00"));
    json_object_set_new(o, "extraData", fake_node_hex(extra, sizeof extra));
    json_object_set_new(o, "blobGasUsed", json_null());
    json_object_set_new(o, "transactions", json_array());
    return o;
}

/** In each tenth block there is a log, of the address that is asked for. */
static inline json_t *fake_node_logs(const fake_node *n, const json_t *filter)
{
    const char *from = json_string_value(json_object_get(filter, "fromBlock"));
    const char *to = json_string_value(json_object_get(filter, "toBlock"));
    const char *hash = json_string_value(json_object_get(filter, "blockHash"));
    json_t *address = json_array_get(json_object_get(filter, "address"), 0);
    json_t *out = json_array();
    uint64_t first = from != NULL ? strtoull(from, NULL, 16) : 1;
    uint64_t last = to != NULL ? strtoull(to, NULL, 16) : 0;
    if (hash != NULL) {
        uint8_t bytes[32];
        first = last = cevm_hex_decode_exact(bytes, sizeof bytes, hash) ? cevm_load_be64(bytes + 24) : UINT64_MAX;
    }
    if (last > n->number) {
        json_decref(out);
        return NULL; /* of blocks that are not there nobody may ask */
    }
    for (; first <= last; ++first) {
        if (first % 10 == 0) {
            const cevm_u256 word = cevm_u256_from_u64(first);
            (void)json_array_append_new(out,
                                        json_pack("{s:o,s:O?,s:O?}", "blockNumber", fake_node_quantity(&word),
                                                  "address", address, "topics", json_object_get(filter, "topics")));
        }
    }
    return out;
}

/** The result of one call; NULL when the method or its parameters are not what they should be. */
static inline json_t *fake_node_result(fake_node *n, const char *method, const json_t *params)
{
    const char *first = json_string_value(json_array_get(params, 0));
    const char *second = json_string_value(json_array_get(params, 1));
    const char *tag = json_string_value(json_array_get(params, json_array_size(params) - 1));
    cevm_address address;
    if (strcmp(method, "eth_chainId") == 0) {
        const cevm_u256 id = cevm_u256_from_u64(n->chain_id);
        return fake_node_quantity(&id);
    }
    if (strcmp(method, "eth_getBlockByNumber") == 0) {
        return first != NULL ? fake_node_block(n, first) : NULL;
    }
    if (strcmp(method, "eth_getLogs") == 0) {
        return fake_node_logs(n, json_array_get(params, 0));
    }
    if (first == NULL || tag == NULL || !cevm_hex_decode_exact(address.bytes, 20, first) ||
        strtoull(tag, NULL, 16) > n->number) {
        return NULL;
    }
    if (strcmp(method, "eth_getStorageAt") == 0) {
        uint8_t word[32];
        cevm_u256 value;
        if (second == NULL || !cevm_hex_decode_exact(word, 32, second)) {
            return NULL;
        }
        const cevm_u256 key = cevm_u256_from_be(word);
        (void)n->db.vtable->storage(n->db.ctx, &value, &address, &key);
        cevm_u256_to_be(word, &value);
        return fake_node_hex(word, 32);
    }
    cevm_db_account account;
    bool exists = false;
    (void)n->db.vtable->account(n->db.ctx, &account, &exists, &address);
    if (strcmp(method, "eth_getBalance") == 0) {
        return exists ? fake_node_quantity(&account.balance) : json_string("0x0");
    }
    if (strcmp(method, "eth_getTransactionCount") == 0) {
        const cevm_u256 nonce = cevm_u256_from_u64(exists ? account.nonce : 0);
        return fake_node_quantity(&nonce);
    }
    if (strcmp(method, "eth_getCode") == 0) {
        cevm_bytes code = {NULL, 0};
        if (exists && !cevm_hash_equal(&account.code_hash, &cevm_empty_code_hash)) {
            (void)n->db.vtable->code(n->db.ctx, &code, &account.code_hash);
        }
        return fake_node_hex(code.data, code.size);
    }
    return NULL;
}

static inline json_t *fake_node_error(int code, const char *message)
{
    return json_pack("{s:s, s:n, s:{s:i, s:s}}", "jsonrpc", "2.0", "id", "error", "code", code, "message", message);
}

static inline json_t *fake_node_answer(fake_node *n, const json_t *request, size_t index)
{
    const char *method = json_string_value(json_object_get(request, "method"));
    json_t *id = json_object_get(request, "id");
    json_t *out = NULL;
    n->calls++;
    if (method == NULL || id == NULL) {
        return fake_node_error(-32600, "invalid request");
    }
    (void)snprintf(n->last_method, sizeof n->last_method, "%s", method);
    const bool is_state = strcmp(method, "eth_chainId") != 0 && strcmp(method, "eth_getBlockByNumber") != 0;
    if (n->mode == NODE_LIMITS_CALLS && n->times != 0 && index % 2 == 1) {
        out = fake_node_error(-32005, "daily request count exceeded");
    } else if (n->mode == NODE_PRUNED && is_state) {
        out = fake_node_error(-32000, "missing trie node d67e (path ) \n state is not available");
    } else if (n->mode == NODE_NONSENSE && is_state) {
        out = json_pack("{s:s, s:s}", "jsonrpc", "2.0", "result", "12");
    } else if (n->mode == NODE_NULL) {
        out = json_pack("{s:s, s:n}", "jsonrpc", "2.0", "result");
    } else {
        json_t *result = fake_node_result(n, method, json_object_get(request, "params"));
        out = result != NULL ? json_pack("{s:s, s:o}", "jsonrpc", "2.0", "result", result)
                             : fake_node_error(-32602, "invalid params");
    }
    json_object_set(out, "id", id);
    return out;
}

static inline json_t *fake_node_batch(fake_node *n, const json_t *requests)
{
    json_t *out = json_array();
    for (size_t i = 0; i < json_array_size(requests); ++i) {
        json_t *answer = fake_node_answer(n, json_array_get(requests, i), i);
        if (n->mode == NODE_BACKWARDS) {
            json_t *stray = json_pack("{s:s, s:i, s:s}", "jsonrpc", "2.0", "id", 1000000 + (int)i, "result", "0x1");
            (void)json_array_insert_new(out, 0, answer);
            (void)json_array_insert_new(out, 0, stray);
        } else if (n->mode == NODE_FORGETS && n->times != 0 && i % 2 == 1) {
            json_decref(answer);
        } else {
            (void)json_array_append_new(out, answer);
        }
    }
    return out;
}

/** What the node says to a request before it looks at it; true: that is all. */
static inline bool fake_node_refuses(const fake_node *n, cevm_remote_reply *out, const json_t *request)
{
    static const char page[] = "<html>busy</html>";
    const size_t size = json_is_array(request) ? json_array_size(request) : 1;
    const bool still = n->times != 0;
    out->body = (cevm_bytes){(const uint8_t *)page, sizeof page - 1};
    out->status = 200;
    if (n->mode == NODE_BUSY && still) {
        out->status = 429;
    } else if (n->mode == NODE_BROKEN && still) {
        out->status = 503;
    } else if (n->mode == NODE_UNREACHABLE && still) {
        *out = (cevm_remote_reply){.reason = "Couldn't connect to server"};
    } else if (n->mode == NODE_FORBIDS) {
        out->status = 401;
    } else if (n->mode == NODE_BAD_REQUEST && json_is_array(request)) {
        out->status = 400;
    } else if (n->mode == NODE_SMALL && size > 50) {
        out->status = 413;
    } else if (n->mode == NODE_LARGE_ANSWER && size > 50) {
        *out = (cevm_remote_reply){.is_too_large = true};
    } else {
        return n->mode == NODE_GARBAGE && still;
    }
    return true;
}

static inline cevm_err fake_node_post(void *ctx, cevm_remote_reply *out, cevm_bytes body)
{
    fake_node *n = ctx;
    *out = (cevm_remote_reply){.status = 200};
    json_t *request = json_loadb((const char *)body.data, body.size, 0, NULL);
    if (request == NULL) {
        abort(); /* the library wrote something that is not JSON */
    }
    const size_t size = json_is_array(request) ? json_array_size(request) : 1;
    n->requests++;
    n->largest = size > n->largest ? size : n->largest;
    if (!fake_node_refuses(n, out, request)) {
        json_t *answer = NULL;
        if (json_is_array(request) && n->mode == NODE_NO_BATCH) {
            answer = fake_node_error(-32600, "batch requests are not supported");
        } else if (json_is_array(request) && n->mode == NODE_LIMITS_BATCH && n->times != 0) {
            answer = fake_node_error(-32090, "Rate limit exceeded");
        } else {
            answer = json_is_array(request) ? fake_node_batch(n, request) : fake_node_answer(n, request, 0);
        }
        free(n->answer);
        n->answer = json_dumps(answer, JSON_COMPACT);
        json_decref(answer);
        const size_t length = strlen(n->answer);
        out->body =
            (cevm_bytes){(const uint8_t *)n->answer, n->mode == NODE_CUT && n->times != 0 ? length / 2 : length};
    }
    n->times -= n->times != 0 ? 1 : 0;
    json_decref(request);
    return CEVM_OK;
}

static inline cevm_remote_transport fake_node_transport(fake_node *n)
{
    return (cevm_remote_transport){.ctx = n, .post = fake_node_post};
}

static inline void fake_node_free(fake_node *n) { free(n->answer); }

/** Options for a store over the node that does not wait long. */
static inline cevm_remote_options fake_node_options(const cevm_remote_transport *transport, const char *cache_path)
{
    return (cevm_remote_options){.struct_size = sizeof(cevm_remote_options),
                                 .url = "https://user:secret@node.example:8545/v3/key",
                                 .cache_path = cache_path,
                                 .first_wait_ms = 1,
                                 .patience_ms = 300,
                                 .transport = transport};
}

#endif
