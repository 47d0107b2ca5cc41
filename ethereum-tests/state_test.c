/* SPDX-License-Identifier: Apache-2.0 */
#include "ethereum-tests/state_test.h"

#include "ethereum-tests/networks.h"

#include <stdio.h>

bool cevm_state_test_is(const json_t *value)
{
    return json_is_object(json_object_get(value, "post")) && json_object_get(value, "transaction") != NULL;
}

/* ---- Environment ------------------------------------------------------------------------------------------------- */

static bool find_u64(uint64_t *out, const cevm_json_at *object, const char *key)
{
    cevm_json_at at;
    return !cevm_json_find(&at, object, key) || cevm_json_u64(out, &at);
}

static bool find_u256(cevm_u256 *out, const cevm_json_at *object, const char *key)
{
    cevm_json_at at;
    return !cevm_json_find(&at, object, key) || cevm_json_u256(out, &at);
}

static bool need_u64(uint64_t *out, const cevm_json_at *object, const char *key)
{
    cevm_json_at at;
    return cevm_json_need(&at, object, key) && cevm_json_u64(out, &at);
}

static bool load_env(cevm_test_env *out, const cevm_json_at *test)
{
    enum { DEFAULT_BASE_FEE = 10, MAINNET = 1 };
    cevm_json_at env, at, config;
    out->base_fee = cevm_u256_from_u64(DEFAULT_BASE_FEE);
    out->chain_id = MAINNET;
    if (!cevm_json_need(&env, test, "env") || !cevm_json_need(&at, &env, "currentCoinbase") ||
        !cevm_json_address(&out->coinbase, &at)) {
        return false;
    }
    if (!need_u64(&out->number, &env, "currentNumber") || !need_u64(&out->timestamp, &env, "currentTimestamp") ||
        !need_u64(&out->gas_limit, &env, "currentGasLimit")) {
        return false;
    }
    if (!find_u256(&out->difficulty, &env, "currentDifficulty") || !find_u256(&out->random, &env, "currentRandom") ||
        !find_u256(&out->base_fee, &env, "currentBaseFee") ||
        !find_u64(&out->excess_blob_gas, &env, "currentExcessBlobGas")) {
        return false;
    }
    return !cevm_json_find(&config, test, "config") ||
           (cevm_json_is_object(&config) && find_u64(&out->chain_id, &config, "chainid"));
}

/* EIP-7840: the file's own blob schedule goes before mainnet's. */
static bool load_blob_params(cevm_blob_params *out, const cevm_json_at *test, const cevm_test_entry *entry)
{
    cevm_json_at config, schedule;
    if (!CEVM_HAS_EIP(entry->fork, 4844)) {
        return true;
    }
    const bool found = cevm_json_find(&config, test, "config") && cevm_json_find(&schedule, &config, "blobSchedule");
    return cevm_test_blob_params(out, entry->fork, entry->fork_name, found ? &schedule : NULL, test);
}

void cevm_state_test_block(cevm_block_env *out, const cevm_state_test *test, const cevm_test_entry *entry)
{
    const cevm_test_env *env = &test->env;
    cevm_block_env block = {.fork = entry->fork,
                            .coinbase = env->coinbase,
                            .number = env->number,
                            .timestamp = env->timestamp,
                            .gas_limit = env->gas_limit,
                            .chain_id = env->chain_id};
    if (CEVM_HAS_EIP(entry->fork, 1559)) {
        block.base_fee = env->base_fee;
    }
    if (CEVM_HAS_EIP(entry->fork, 4399)) {
        cevm_u256_to_be(block.prev_randao.bytes, &env->random);
    } else {
        block.difficulty = env->difficulty;
    }
    if (CEVM_HAS_EIP(entry->fork, 4844)) {
        block.max_blobs = entry->blob.max;
        cevm_blob_base_fee(&block.blob_base_fee, env->excess_blob_gas, entry->blob.base_fee_update_fraction);
    }
    *out = block;
}

/* ---- Entries ----------------------------------------------------------------------------------------------------- */

/* The arrays of `transaction` that indexes pick from. */
typedef struct choices {
    cevm_json_at transaction, data, gas, value;
    cevm_json_at labels;
    bool has_labels;
} choices;

static bool need_array(cevm_json_at *out, const cevm_json_at *object, const char *key)
{
    return cevm_json_need(out, object, key) && cevm_json_is_array(out);
}

static bool load_choices(choices *out, const cevm_json_at *test)
{
    cevm_json_at info;
    out->has_labels = cevm_json_find(&info, test, "_info") && cevm_json_find(&out->labels, &info, "labels");
    return cevm_json_need(&out->transaction, test, "transaction") &&
           need_array(&out->data, &out->transaction, "data") && need_array(&out->gas, &out->transaction, "gasLimit") &&
           need_array(&out->value, &out->transaction, "value");
}

static bool load_index(size_t *out, const cevm_json_at *indexes, const char *key, const cevm_json_at *choice)
{
    uint64_t index = 0;
    if (!need_u64(&index, indexes, key)) {
        return false;
    }
    if (index >= json_array_size(choice->value)) {
        return cevm_json_fail(indexes, "\"%s\" is %ju, but transaction/%s has %zu items", key, (uintmax_t)index,
                              choice->key, json_array_size(choice->value));
    }
    *out = (size_t)index;
    return true;
}

static const char *find_label(const choices *c, size_t data)
{
    char key[24];
    (void)snprintf(key, sizeof key, "%zu", data);
    return c->has_labels ? json_string_value(json_object_get(c->labels.value, key)) : NULL;
}

static bool is_bigint(const json_t *value)
{
    const char *text = json_string_value(value);
    return text != NULL && strncmp(text, "0x:bigint", strlen("0x:bigint")) == 0;
}

static bool load_entry(cevm_test_entry *out, const cevm_json_at *at, const choices *c, cevm_arena *arena)
{
    cevm_json_at field, indexes;
    if (!cevm_json_need(&field, at, "hash") || !cevm_json_hash(&out->root, &field) ||
        !cevm_json_need(&field, at, "logs") || !cevm_json_hash(&out->logs, &field) ||
        !cevm_json_need(&indexes, at, "indexes")) {
        return false;
    }
    if (!load_index(&out->data, &indexes, "data", &c->data) || !load_index(&out->gas, &indexes, "gas", &c->gas) ||
        !load_index(&out->value, &indexes, "value", &c->value)) {
        return false;
    }
    out->label = find_label(c, out->data);
    out->value_too_wide = is_bigint(json_array_get(c->value.value, out->value));
    if (cevm_json_find(&field, at, "txbytes")) {
        out->has_tx_bytes = true;
        if (!cevm_json_bytes(&out->tx_bytes, &field, arena)) {
            return false;
        }
    }
    if (cevm_json_find(&field, at, "expectException") && !cevm_json_text(&out->expect_exception, &field)) {
        return false;
    }
    if (cevm_json_find(&field, at, "state")) {
        out->state = field.value;
    }
    return true;
}

static bool load_fork(cevm_test_entry *entries, size_t *next, const cevm_json_at *list, const cevm_json_at *test,
                      const choices *c, cevm_arena *arena)
{
    cevm_test_entry fork = {.fork_name = list->key};
    fork.fork_known = cevm_test_fork_by_name(&fork.fork, list->key);
    if (fork.fork_known && !load_blob_params(&fork.blob, test, &fork)) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(list->value); i++) {
        cevm_json_at item = cevm_json_item(list, i);
        cevm_test_entry *entry = &entries[(*next)++];
        *entry = fork;
        entry->index = i;
        if (!load_entry(entry, &item, c, arena)) {
            return false;
        }
    }
    return true;
}

static bool load_entries(cevm_state_test *out, const cevm_json_at *test)
{
    choices c;
    cevm_json_at post;
    if (!load_choices(&c, test) || !cevm_json_need(&post, test, "post") || !cevm_json_is_object(&post)) {
        return false;
    }
    out->transaction = c.transaction.value;
    const char *key;
    json_t *value;
    json_object_foreach(post.value, key, value)
    {
        cevm_json_at list = {.up = &post, .key = key, .value = value, .file = test->file, .error = test->error};
        if (!cevm_json_is_array(&list)) {
            return false;
        }
        out->entry_count += json_array_size(value);
    }
    cevm_test_entry *entries = cevm_arena_array(&out->arena, out->entry_count, sizeof *entries);
    if (entries == NULL) {
        return cevm_json_fail(&post, "out of memory");
    }
    out->entries = entries;
    size_t next = 0;
    json_object_foreach(post.value, key, value)
    {
        cevm_json_at list = {.up = &post, .key = key, .value = value, .file = test->file, .error = test->error};
        if (!load_fork(entries, &next, &list, test, &c, &out->arena)) {
            return false;
        }
    }
    return true;
}

bool cevm_state_test_load(cevm_state_test *out, const cevm_json_at *at, const cevm_allocator *allocator)
{
    cevm_json_at pre;
    *out = (cevm_state_test){.name = at->key, .file = at->file, .arena = {.allocator = allocator}};
    if (!cevm_json_is_object(at) || !load_env(&out->env, at) || !cevm_json_need(&pre, at, "pre") ||
        !cevm_genesis_alloc_load(&out->pre, &pre, &out->arena) || !load_entries(out, at)) {
        cevm_state_test_free(out);
        return false;
    }
    return true;
}

void cevm_state_test_free(cevm_state_test *test) { cevm_arena_destroy(&test->arena); }
