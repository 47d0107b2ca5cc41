/* SPDX-License-Identifier: Apache-2.0 */
/* What the transition tool answers, key by key as geth writes it. */
#include <cevm/hex.h>

#include <stdlib.h>
#include <string.h>

#include "cli/t8n.h"

/* The hash geth's tool gives the block that its receipts name: it is not known there. */
static const cevm_hash block_hash = {{0x13, 0x37}};

json_t *cevm_t8n_json_hex(cevm_bytes bytes)
{
    char small[2 * 256 + 3];
    char *text = bytes.size <= 256 ? small : malloc(2 * bytes.size + 3);
    if (text == NULL) {
        return NULL;
    }
    memcpy(text, "0x", 2);
    cevm_hex_encode(text + 2, bytes.data, bytes.size);
    json_t *json = json_stringn_nocheck(text, 2 * bytes.size + 2);
    if (text != small) {
        free(text);
    }
    return json;
}

static json_t *hash_json(const cevm_hash *hash)
{
    return cevm_t8n_json_hex((cevm_bytes){hash->bytes, sizeof hash->bytes});
}

static json_t *address_json(const cevm_address *address)
{
    return cevm_t8n_json_hex((cevm_bytes){address->bytes, sizeof address->bytes});
}

static json_t *bloom_json(const cevm_bloom *bloom)
{
    return cevm_t8n_json_hex((cevm_bytes){bloom->bytes, sizeof bloom->bytes});
}

static json_t *u256_json(const cevm_u256 *value)
{
    char text[67];
    cevm_u256_to_hex(text, value);
    return json_string_nocheck(text);
}

json_t *cevm_t8n_json_quantity(uint64_t value)
{
    cevm_u256 wide = cevm_u256_from_u64(value);
    return u256_json(&wide);
}

/* An object that is being written; a value that could not be made spoils it. */
typedef struct writer {
    json_t *object;
    bool failed;
} writer;

static void put(writer *w, const char *key, json_t *value)
{
    if (value == NULL || json_object_set_new_nocheck(w->object, key, value) != 0) {
        w->failed = true;
    }
}

static json_t *finish(writer *w)
{
    if (w->failed) {
        json_decref(w->object);
        return NULL;
    }
    return w->object;
}

static void push(json_t *array, json_t *item, bool *failed)
{
    if (item == NULL || json_array_append_new(array, item) != 0) {
        *failed = true;
    }
}

/* ---- Receipts ----------------------------------------------------------------------------------------------------- */

/* Where a log stands in its block. */
typedef struct position {
    const cevm_t8n_env *env;
    const cevm_hash *tx_hash;
    size_t tx_index;
    size_t log_index;
} position;

static json_t *log_json(const cevm_log *log, const position *at)
{
    writer w = {json_object(), false};
    json_t *topics = json_array();
    for (uint32_t i = 0; i < log->topic_count; i++) {
        push(topics, hash_json(&log->topics[i]), &w.failed);
    }
    put(&w, "address", address_json(&log->address));
    put(&w, "topics", topics);
    put(&w, "data", cevm_t8n_json_hex(log->data));
    put(&w, "blockNumber", cevm_t8n_json_quantity(at->env->number));
    put(&w, "transactionHash", hash_json(at->tx_hash));
    put(&w, "transactionIndex", cevm_t8n_json_quantity(at->tx_index));
    put(&w, "blockHash", hash_json(&block_hash));
    put(&w, "blockTimestamp", cevm_t8n_json_quantity(at->env->timestamp));
    put(&w, "logIndex", cevm_t8n_json_quantity(at->log_index));
    put(&w, "removed", json_false());
    return finish(&w);
}

static json_t *receipt_json(const cevm_block_receipt *r, const cevm_t8n_outcome *o, position *at)
{
    static const cevm_address nobody = {{0}};
    writer w = {json_object(), false};
    json_t *logs = json_array();
    if (r->type != CEVM_TX_LEGACY) {
        put(&w, "type", cevm_t8n_json_quantity((uint64_t)r->type));
    }
    put(&w, "root", r->has_root ? hash_json(&r->root) : json_string("0x")); /* EIP-658 */
    put(&w, "status", cevm_t8n_json_quantity(r->succeeded ? 1 : 0));
    put(&w, "cumulativeGasUsed", cevm_t8n_json_quantity(r->cumulative_gas_used));
    put(&w, "logsBloom", bloom_json(&r->bloom));
    for (size_t i = 0; i < r->log_count; i++, at->log_index++) {
        push(logs, log_json(&r->logs[i], at), &w.failed);
    }
    put(&w, "logs", logs);
    put(&w, "transactionHash", hash_json(&r->tx_hash));
    put(&w, "contractAddress", address_json(r->has_created ? &r->created : &nobody));
    put(&w, "gasUsed", cevm_t8n_json_quantity(r->gas_used));
    put(&w, "effectiveGasPrice", json_null());
    if (r->type == CEVM_TX_BLOB) {
        put(&w, "blobGasUsed", cevm_t8n_json_quantity(r->blob_gas_used));
        put(&w, "blobGasPrice", u256_json(&o->block->blob_base_fee));
    }
    put(&w, "blockHash", hash_json(&block_hash));
    put(&w, "blockNumber", cevm_t8n_json_quantity(at->env->number));
    put(&w, "transactionIndex", cevm_t8n_json_quantity(at->tx_index));
    return finish(&w);
}

static json_t *receipts_json(const cevm_t8n_outcome *o)
{
    bool failed = false;
    json_t *list = json_array();
    position at = {.env = o->env};
    for (size_t i = 0; i < o->receipt_count; i++) {
        at.tx_hash = &o->receipts[i].tx_hash;
        at.tx_index = i;
        push(list, receipt_json(&o->receipts[i], o, &at), &failed);
    }
    if (failed) {
        json_decref(list);
        return NULL;
    }
    return list;
}

/* ---- The result --------------------------------------------------------------------------------------------------- */

static json_t *rejected_json(const cevm_t8n_outcome *o)
{
    bool failed = false;
    json_t *list = json_array();
    for (size_t i = 0; i < o->rejected_count; i++) {
        push(list, json_pack("{s:I,s:s}", "index", (json_int_t)o->rejected[i].index, "error", o->rejected[i].reason),
             &failed);
    }
    if (failed) {
        json_decref(list);
        return NULL;
    }
    return list;
}

static json_t *requests_json(const cevm_execution_output *output)
{
    bool failed = false;
    json_t *list = json_array();
    for (size_t i = 0; i < output->request_count; i++) {
        push(list, cevm_t8n_json_hex(output->requests[i]), &failed);
    }
    if (failed) {
        json_decref(list);
        return NULL;
    }
    return list;
}

json_t *cevm_t8n_result_json(const cevm_t8n_outcome *o)
{
    const cevm_execution_output *output = o->output;
    const cevm_t8n_env *env = o->env;
    writer w = {json_object(), false};
    put(&w, "stateRoot", hash_json(&o->state_root));
    put(&w, "txRoot", hash_json(&o->tx_root));
    put(&w, "receiptsRoot", hash_json(&output->receipts_root));
    put(&w, "logsHash", hash_json(&output->logs_hash));
    put(&w, "logsBloom", bloom_json(&output->logs_bloom));
    put(&w, "receipts", receipts_json(o));
    if (o->rejected_count != 0) {
        put(&w, "rejected", rejected_json(o));
    }
    put(&w, "currentDifficulty", env->difficulty.given ? u256_json(&env->difficulty.value) : json_null());
    put(&w, "gasUsed", cevm_t8n_json_quantity(output->gas_used));
    if (env->base_fee.given) {
        put(&w, "currentBaseFee", u256_json(&env->base_fee.value));
    }
    if (o->has_withdrawals_root) {
        put(&w, "withdrawalsRoot", hash_json(&o->withdrawals_root));
    }
    if (env->excess_blob_gas.given) {
        put(&w, "currentExcessBlobGas", u256_json(&env->excess_blob_gas.value));
        put(&w, "blobGasUsed", cevm_t8n_json_quantity(output->blob_gas_used));
    }
    if (output->has_requests) {
        put(&w, "requestsHash", hash_json(&output->requests_hash));
    }
    put(&w, "requests", output->has_requests ? requests_json(output) : json_null());
    if (o->block_exception != NULL) {
        put(&w, "blockException", json_string(o->block_exception));
    }
    return finish(&w);
}

/* ---- The state ---------------------------------------------------------------------------------------------------- */

typedef struct collector {
    cevm_memdb *db;
    json_t *accounts;
    json_t *storage; /* of the account at hand */
    bool failed;
} collector;

static bool add_slot(void *user, const cevm_u256 *key, const cevm_u256 *value)
{
    collector *c = user;
    char text[67] = "0x";
    uint8_t word[32];
    cevm_u256_to_be(word, key);
    cevm_hex_encode(text + 2, word, sizeof word);
    cevm_u256_to_be(word, value);
    json_t *json = cevm_t8n_json_hex((cevm_bytes){word, sizeof word});
    c->failed = c->failed || json == NULL || json_object_set_new_nocheck(c->storage, text, json) != 0;
    return !c->failed;
}

static bool add_account(void *user, const cevm_address *address, const cevm_db_account *account, cevm_bytes code)
{
    collector *c = user;
    char text[43] = "0x";
    writer w = {json_object(), false};
    if (code.size != 0) {
        put(&w, "code", cevm_t8n_json_hex(code));
    }
    if (account->has_storage) {
        c->storage = json_object();
        w.failed = c->storage == NULL || cevm_memdb_for_each_slot(c->db, address, add_slot, c) != CEVM_OK || c->failed;
        put(&w, "storage", c->storage);
    }
    put(&w, "balance", u256_json(&account->balance));
    if (account->nonce != 0) {
        put(&w, "nonce", cevm_t8n_json_quantity(account->nonce));
    }
    cevm_hex_encode(text + 2, address->bytes, sizeof address->bytes);
    json_t *json = finish(&w);
    c->failed = c->failed || json == NULL || json_object_set_new_nocheck(c->accounts, text, json) != 0;
    return !c->failed;
}

json_t *cevm_t8n_alloc_json(cevm_memdb *db)
{
    collector c = {.db = db, .accounts = json_object()};
    if (c.accounts == NULL || cevm_memdb_for_each_account(db, add_account, &c) != CEVM_OK || c.failed) {
        json_decref(c.accounts);
        return NULL;
    }
    return c.accounts;
}
