/* SPDX-License-Identifier: Apache-2.0 */
#include "ethereum-tests/vm_test.h"

bool cevm_vm_test_is(const json_t *value) { return json_is_object(json_object_get(value, "exec")); }

static bool need_u64(uint64_t *out, const cevm_json_at *object, const char *key)
{
    cevm_json_at at;
    return cevm_json_need(&at, object, key) && cevm_json_u64(out, &at);
}

static bool need_u256(cevm_u256 *out, const cevm_json_at *object, const char *key)
{
    cevm_json_at at;
    return cevm_json_need(&at, object, key) && cevm_json_u256(out, &at);
}

static bool need_address(cevm_address *out, const cevm_json_at *object, const char *key)
{
    cevm_json_at at;
    return cevm_json_need(&at, object, key) && cevm_json_address(out, &at);
}

static bool need_bytes(cevm_bytes *out, const cevm_json_at *object, const char *key, cevm_arena *arena)
{
    cevm_json_at at;
    return cevm_json_need(&at, object, key) && cevm_json_bytes(out, &at, arena);
}

/* The tests name no fork: mainnet's at that height is meant. They were written before Byzantium. */
static cevm_fork mainnet_fork(uint64_t number)
{
    return number >= 2675000   ? CEVM_SPURIOUS_DRAGON
           : number >= 2463000 ? CEVM_TANGERINE_WHISTLE
           : number >= 1150000 ? CEVM_HOMESTEAD
                               : CEVM_FRONTIER;
}

static bool load_block(cevm_block_env *out, const cevm_json_at *test)
{
    cevm_json_at env;
    if (!cevm_json_need(&env, test, "env") || !need_address(&out->coinbase, &env, "currentCoinbase") ||
        !need_u64(&out->number, &env, "currentNumber") || !need_u64(&out->timestamp, &env, "currentTimestamp") ||
        !need_u64(&out->gas_limit, &env, "currentGasLimit") ||
        !need_u256(&out->difficulty, &env, "currentDifficulty")) {
        return false;
    }
    out->fork = mainnet_fork(out->number);
    out->chain_id = 1;
    return true;
}

static bool load_exec(cevm_vm_test *out, const cevm_json_at *test)
{
    cevm_json_at exec;
    if (!cevm_json_need(&exec, test, "exec") || !need_address(&out->address, &exec, "address") ||
        !need_address(&out->caller, &exec, "caller") || !need_address(&out->origin, &exec, "origin") ||
        !need_u256(&out->value, &exec, "value") || !need_u256(&out->gas_price, &exec, "gasPrice") ||
        !need_u64(&out->gas, &exec, "gas")) {
        return false;
    }
    if (out->gas > INT64_MAX) {
        return cevm_json_fail(&exec, "\"gas\" must fit 63 bits");
    }
    return need_bytes(&out->code, &exec, "code", &out->arena) && need_bytes(&out->data, &exec, "data", &out->arena);
}

static bool load_expected(cevm_vm_test *out, const cevm_json_at *test)
{
    cevm_json_at at;
    out->must_fail = !cevm_json_find(&at, test, "post");
    if (out->must_fail) {
        return true;
    }
    if (!cevm_genesis_alloc_load(&out->post, &at, &out->arena) || !need_u64(&out->gas_left, test, "gas") ||
        !need_bytes(&out->output, test, "out", &out->arena)) {
        return false;
    }
    return cevm_json_need(&at, test, "logs") && cevm_json_hash(&out->logs, &at);
}

bool cevm_vm_test_load(cevm_vm_test *out, const cevm_json_at *at, const cevm_allocator *allocator)
{
    cevm_json_at pre;
    *out = (cevm_vm_test){.name = at->key, .file = at->file, .arena = {.allocator = allocator}};
    if (!load_block(&out->block, at) || !load_exec(out, at) || !cevm_json_need(&pre, at, "pre") ||
        !cevm_genesis_alloc_load(&out->pre, &pre, &out->arena) || !load_expected(out, at)) {
        cevm_vm_test_free(out);
        return false;
    }
    return true;
}

void cevm_vm_test_free(cevm_vm_test *test) { cevm_arena_destroy(&test->arena); }
