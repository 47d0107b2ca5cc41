/* SPDX-License-Identifier: Apache-2.0 */
/* The block environment of a transition: read, checked, completed. */
#include <stdlib.h>
#include <string.h>

#include "cli/t8n.h"

typedef enum field_kind { ADDRESS, U64, NUMBER, HASH } field_kind;

/* One key of "env". A NUMBER holds its own flag; a HASH has one elsewhere. */
typedef struct field {
    const char *key;
    field_kind kind;
    bool required;
    size_t offset;
    size_t flag; /* offset of a bool, for HASH */
} field;

#define AT(member) offsetof(cevm_t8n_env, member)

static const field fields[] = {
    {"currentCoinbase", ADDRESS, true, AT(coinbase), 0},
    {"currentGasLimit", U64, true, AT(gas_limit), 0},
    {"currentNumber", U64, true, AT(number), 0},
    {"currentTimestamp", U64, true, AT(timestamp), 0},
    {"currentDifficulty", NUMBER, false, AT(difficulty), 0},
    {"currentRandom", NUMBER, false, AT(random), 0},
    {"currentBaseFee", NUMBER, false, AT(base_fee), 0},
    {"currentExcessBlobGas", NUMBER, false, AT(excess_blob_gas), 0},
    {"parentDifficulty", NUMBER, false, AT(parent_difficulty), 0},
    {"parentBaseFee", NUMBER, false, AT(parent_base_fee), 0},
    {"parentExcessBlobGas", NUMBER, false, AT(parent_excess_blob_gas), 0},
    {"parentBlobGasUsed", NUMBER, false, AT(parent_blob_gas_used), 0},
    {"parentGasUsed", U64, false, AT(parent_gas_used), 0},
    {"parentGasLimit", U64, false, AT(parent_gas_limit), 0},
    {"parentTimestamp", U64, false, AT(parent_timestamp), 0},
    {"parentUncleHash", HASH, false, AT(parent_ommers_hash), AT(has_parent_ommers_hash)},
    {"parentBeaconBlockRoot", HASH, false, AT(parent_beacon_root), AT(has_parent_beacon_root)},
    {"parentHash", HASH, false, AT(parent_hash), AT(has_parent_hash)},
};

static bool read_field(cevm_t8n_env *out, const field *f, const cevm_json_at *env)
{
    cevm_json_at at;
    char *base = (char *)out;
    if (!cevm_json_find(&at, env, f->key)) {
        return !f->required || cevm_json_fail(env, "missing required field '%s'", f->key);
    }
    switch (f->kind) {
    case ADDRESS: return cevm_json_address((cevm_address *)(void *)(base + f->offset), &at);
    case U64: return cevm_json_u64((uint64_t *)(void *)(base + f->offset), &at);
    case NUMBER: {
        cevm_t8n_number *number = (cevm_t8n_number *)(void *)(base + f->offset);
        number->given = true;
        return cevm_json_u256(&number->value, &at);
    }
    case HASH: {
        *(bool *)(void *)(base + f->flag) = true;
        return cevm_json_hash((cevm_hash *)(void *)(base + f->offset), &at);
    }
    }
    return false;
}

static int by_number(const void *a, const void *b)
{
    const cevm_t8n_block_hash *x = a, *y = b;
    return x->number < y->number ? -1 : x->number > y->number;
}

static bool read_block_hashes(cevm_t8n_env *out, const cevm_json_at *env, cevm_arena *arena)
{
    cevm_json_at map;
    if (!cevm_json_find(&map, env, "blockHashes")) {
        return true;
    }
    if (!cevm_json_is_object(&map)) {
        return false;
    }
    size_t count = json_object_size(map.value);
    cevm_t8n_block_hash *items = cevm_arena_array(arena, count, sizeof *items);
    if (items == NULL) {
        return cevm_json_fail(&map, "out of memory");
    }
    size_t i = 0;
    const char *key;
    json_t *value;
    json_object_foreach(map.value, key, value)
    {
        cevm_json_at item = {.up = &map, .key = key, .value = value, .file = map.file, .error = map.error};
        cevm_u256 number;
        if (!cevm_json_key_u256(&number, &item) || !cevm_json_hash(&items[i].hash, &item)) {
            return false;
        }
        if (!cevm_u256_fits_u64(&number)) {
            return cevm_json_fail(&item, "the key must fit 64 bits");
        }
        items[i++].number = number.w[0];
    }
    qsort(items, count, sizeof *items, by_number);
    out->has_block_hashes = true;
    out->block_hashes = items;
    out->block_hash_count = count;
    return true;
}

const cevm_hash *cevm_t8n_find_hash(const cevm_t8n_env *env, uint64_t number)
{
    const cevm_t8n_block_hash wanted = {.number = number};
    const cevm_t8n_block_hash *found =
        env->block_hash_count == 0
            ? NULL
            : bsearch(&wanted, env->block_hashes, env->block_hash_count, sizeof wanted, by_number);
    return found != NULL ? &found->hash : NULL;
}

static bool read_ommers(cevm_t8n_env *out, const cevm_json_at *env, cevm_arena *arena)
{
    cevm_json_at list;
    if (!cevm_json_find(&list, env, "ommers")) {
        return true;
    }
    if (!cevm_json_is_array(&list)) {
        return false;
    }
    size_t count = json_array_size(list.value);
    cevm_ommer_reward *items = cevm_arena_array(arena, count, sizeof *items);
    if (items == NULL) {
        return cevm_json_fail(&list, "out of memory");
    }
    for (size_t i = 0; i < count; i++) {
        cevm_json_at item = cevm_json_item(&list, i), at;
        uint64_t delta = 0;
        if (!cevm_json_need(&at, &item, "delta") || !cevm_json_u64(&delta, &at)) {
            return false;
        }
        if (delta > 8 || delta > out->number) {
            return cevm_json_fail(&at, "an ommer is at most 8 blocks old");
        }
        items[i].number = out->number - delta;
        if (!cevm_json_need(&at, &item, "address") || !cevm_json_address(&items[i].coinbase, &at)) {
            return false;
        }
    }
    out->ommers = items;
    out->ommer_count = count;
    return true;
}

static bool read_number(uint64_t *out, const cevm_json_at *object, const char *key)
{
    cevm_json_at at;
    return cevm_json_need(&at, object, key) && cevm_json_u64(out, &at);
}

bool cevm_t8n_read_withdrawals(const cevm_withdrawal **out, size_t *count, const cevm_json_at *list, cevm_arena *arena)
{
    if (!cevm_json_is_array(list)) {
        return false;
    }
    *count = json_array_size(list->value);
    cevm_withdrawal *items = cevm_arena_array(arena, *count, sizeof *items);
    *out = items;
    if (items == NULL) {
        return cevm_json_fail(list, "out of memory");
    }
    for (size_t i = 0; i < *count; i++) {
        cevm_json_at item = cevm_json_item(list, i), address;
        if (!read_number(&items[i].index, &item, "index") ||
            !read_number(&items[i].validator_index, &item, "validatorIndex") ||
            !read_number(&items[i].amount, &item, "amount") || !cevm_json_need(&address, &item, "address") ||
            !cevm_json_address(&items[i].address, &address)) {
            return false;
        }
    }
    return true;
}

bool cevm_t8n_read_env(cevm_t8n_env *out, cevm_t8n_error *error, json_t *json, const char *file, cevm_arena *arena)
{
    cevm_json_at env = cevm_json_root(json, file, NULL, &error->message), list;
    *out = (cevm_t8n_env){0};
    if (!cevm_json_is_object(&env)) {
        return cevm_t8n_code(error, CEVM_T8N_JSON);
    }
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (!read_field(out, &fields[i], &env)) {
            return cevm_t8n_code(error, CEVM_T8N_JSON);
        }
    }
    bool ok = read_block_hashes(out, &env, arena) && read_ommers(out, &env, arena);
    if (ok && cevm_json_find(&list, &env, "withdrawals")) {
        out->has_withdrawals = true;
        ok = cevm_t8n_read_withdrawals(&out->withdrawals, &out->withdrawal_count, &list, arena);
    }
    return ok || cevm_t8n_code(error, CEVM_T8N_JSON);
}

/* ---- What follows from the parent --------------------------------------------------------------------------------- */

static bool complete_difficulty(cevm_t8n_env *env, cevm_t8n_error *error, const cevm_chain_config *config)
{
    if (env->is_merged) { /* EIP-4399 */
        if (!env->random.given) {
            return cevm_t8n_fail(error, CEVM_T8N_CONFIG, "post-merge requires currentRandom to be defined in env");
        }
        if (env->difficulty.given && !cevm_u256_is_zero(&env->difficulty.value)) {
            return cevm_t8n_fail(error, CEVM_T8N_CONFIG, "post-merge difficulty must be zero (or omitted) in env");
        }
        env->difficulty = (cevm_t8n_number){0};
        return true;
    }
    if (env->difficulty.given) {
        return true;
    }
    if (!env->parent_difficulty.given) {
        return cevm_t8n_fail(error, CEVM_T8N_CONFIG,
                             "currentDifficulty was not provided, and cannot be calculated due to missing "
                             "parentDifficulty");
    }
    if (env->number == 0) {
        return cevm_t8n_fail(error, CEVM_T8N_CONFIG, "currentDifficulty needs to be provided for block number 0");
    }
    if (env->timestamp <= env->parent_timestamp) {
        return cevm_t8n_fail(error, CEVM_T8N_CONFIG,
                             "currentDifficulty cannot be calculated -- currentTime (%llu) needs to be after parent "
                             "time (%llu)",
                             (unsigned long long)env->timestamp, (unsigned long long)env->parent_timestamp);
    }
    static const cevm_hash none = {{0}};
    bool had_ommers = env->has_parent_ommers_hash && !cevm_hash_equal(&env->parent_ommers_hash, &none) &&
                      !cevm_hash_equal(&env->parent_ommers_hash, &cevm_empty_ommers_hash);
    env->difficulty.given = true;
    cevm_next_difficulty(&env->difficulty.value, config, env->fork, env->number, env->timestamp,
                         &env->parent_difficulty.value, env->parent_timestamp, had_ommers);
    return true;
}

static bool complete_base_fee(cevm_t8n_env *env, cevm_t8n_error *error, const cevm_test_network *network)
{
    if (!CEVM_HAS_EIP(env->fork, 1559) || env->base_fee.given) {
        return true;
    }
    if (!env->parent_base_fee.given || env->number == 0) {
        return cevm_t8n_fail(error, CEVM_T8N_CONFIG, "EIP-1559 config but missing 'parentBaseFee' in env section");
    }
    bool parent_is_1559 = CEVM_HAS_EIP(cevm_chain_fork(&network->config, env->number - 1, env->parent_timestamp,
                                                       env->is_merged || network->merged_from_start),
                                       1559);
    env->base_fee.given = true;
    cevm_next_base_fee(&env->base_fee.value, parent_is_1559, &env->parent_base_fee.value, env->parent_gas_used,
                       env->parent_gas_limit);
    return true;
}

static bool complete_blob_gas(cevm_t8n_env *env, cevm_t8n_error *error, const cevm_chain_config *config)
{
    cevm_t8n_number *excess = &env->excess_blob_gas;
    const cevm_t8n_number *before = &env->parent_excess_blob_gas, *used = &env->parent_blob_gas_used;
    if (!CEVM_HAS_EIP(env->fork, 4844)) {
        *excess = (cevm_t8n_number){0};
        return true;
    }
    if (!cevm_u256_fits_u64(&excess->value) || !cevm_u256_fits_u64(&before->value) ||
        !cevm_u256_fits_u64(&used->value)) {
        return cevm_t8n_fail(error, CEVM_T8N_JSON, "env: blob gas must fit 64 bits");
    }
    if (!excess->given && before->given && used->given) {
        cevm_blob_params params = cevm_chain_blob_params(config, env->timestamp);
        excess->given = true;
        excess->value = cevm_u256_from_u64(cevm_next_excess_blob_gas(env->fork, &params, before->value.w[0],
                                                                     used->value.w[0], &env->parent_base_fee.value));
    }
    return true;
}

bool cevm_t8n_complete_env(cevm_t8n_env *env, cevm_t8n_error *error, const cevm_test_network *network,
                           bool is_state_test)
{
    const cevm_chain_config *config = &network->config;
    /* A network that merges at a total difficulty has done so when the block says it has no difficulty. */
    bool merges = config->forks[CEVM_PARIS].kind == CEVM_BY_TOTAL_DIFFICULTY;
    bool looks_merged = env->random.given && cevm_u256_is_zero(&env->difficulty.value);
    env->is_merged = network->merged_from_start || (merges && looks_merged);
    env->fork = cevm_chain_fork(config, env->number, env->timestamp, env->is_merged);
    if (!complete_base_fee(env, error, network)) {
        return false;
    }
    if (CEVM_HAS_EIP(env->fork, 4895) && !env->has_withdrawals && !is_state_test) {
        return cevm_t8n_fail(error, CEVM_T8N_CONFIG, "Shanghai config but missing 'withdrawals' in env section");
    }
    if (!complete_difficulty(env, error, config)) {
        return false;
    }
    if (!CEVM_HAS_EIP(env->fork, 4788)) {
        env->has_parent_beacon_root = false;
    } else if (!env->has_parent_beacon_root && !is_state_test) {
        return cevm_t8n_fail(error, CEVM_T8N_CONFIG, "post-cancun env requires parentBeaconBlockRoot to be set");
    }
    return complete_blob_gas(env, error, config);
}
