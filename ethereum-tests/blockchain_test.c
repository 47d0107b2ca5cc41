/* SPDX-License-Identifier: Apache-2.0 */
#include "ethereum-tests/blockchain_test.h"

#include <stdio.h>

bool cevm_blockchain_test_is(const json_t *value)
{
    return json_is_array(json_object_get(value, "blocks")) && json_object_get(value, "genesisBlockHeader") != NULL;
}

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

static bool need_hash(cevm_hash *out, const cevm_json_at *object, const char *key)
{
    cevm_json_at at;
    return cevm_json_need(&at, object, key) && cevm_json_hash(out, &at);
}

static bool find_hash(bool *found, cevm_hash *out, const cevm_json_at *object, const char *key)
{
    cevm_json_at at;
    *found = cevm_json_find(&at, object, key);
    return !*found || cevm_json_hash(out, &at);
}

/* Exactly `size` bytes. */
static bool need_exact(uint8_t *out, size_t size, const cevm_json_at *object, const char *key, cevm_arena *arena)
{
    cevm_json_at at;
    cevm_bytes bytes;
    if (!cevm_json_need(&at, object, key) || !cevm_json_bytes(&bytes, &at, arena)) {
        return false;
    }
    if (bytes.size != size) {
        return cevm_json_fail(&at, "must be %zu bytes, are %zu", size, bytes.size);
    }
    memcpy(out, bytes.data, size);
    return true;
}

/* ---- The genesis ------------------------------------------------------------------------------------------------- */

/* What a header has had since Frontier. */
static bool load_first_fields(cevm_header *out, const cevm_json_at *at, cevm_arena *arena)
{
    cevm_json_at field;
    return need_hash(&out->parent_hash, at, "parentHash") && need_hash(&out->ommers_hash, at, "uncleHash") &&
           cevm_json_need(&field, at, "coinbase") && cevm_json_address(&out->coinbase, &field) &&
           need_hash(&out->state_root, at, "stateRoot") && need_hash(&out->transactions_root, at, "transactionsTrie") &&
           need_hash(&out->receipts_root, at, "receiptTrie") &&
           need_exact(out->logs_bloom.bytes, sizeof out->logs_bloom.bytes, at, "bloom", arena) &&
           need_u256(&out->difficulty, at, "difficulty") && need_u64(&out->number, at, "number") &&
           need_u64(&out->gas_limit, at, "gasLimit") && need_u64(&out->gas_used, at, "gasUsed") &&
           need_u64(&out->timestamp, at, "timestamp") && cevm_json_need(&field, at, "extraData") &&
           cevm_json_bytes(&out->extra_data, &field, arena) && need_hash(&out->mix_hash, at, "mixHash") &&
           need_exact(out->nonce, sizeof out->nonce, at, "nonce", arena);
}

static bool load_header(cevm_header *out, const cevm_json_at *at, cevm_arena *arena)
{
    cevm_json_at field;
    *out = (cevm_header){0};
    if (!load_first_fields(out, at, arena)) {
        return false;
    }
    out->has_base_fee = cevm_json_find(&field, at, "baseFeePerGas");
    if (out->has_base_fee && !cevm_json_u256(&out->base_fee, &field)) {
        return false;
    }
    out->has_blob_gas = cevm_json_find(&field, at, "blobGasUsed");
    if (out->has_blob_gas &&
        (!cevm_json_u64(&out->blob_gas_used, &field) || !need_u64(&out->excess_blob_gas, at, "excessBlobGas"))) {
        return false;
    }
    return find_hash(&out->has_withdrawals_root, &out->withdrawals_root, at, "withdrawalsRoot") &&
           find_hash(&out->has_parent_beacon_root, &out->parent_beacon_root, at, "parentBeaconBlockRoot") &&
           find_hash(&out->has_requests_hash, &out->requests_hash, at, "requestsHash");
}

static bool load_genesis(cevm_blockchain_test *out, const cevm_json_at *at)
{
    cevm_json_at header, field;
    if (!cevm_json_need(&header, at, "genesisBlockHeader") || !load_header(&out->genesis, &header, &out->arena) ||
        !need_hash(&out->genesis_hash, &header, "hash")) {
        return false;
    }
    if (cevm_json_find(&field, at, "genesisRLP") && !cevm_json_bytes(&out->genesis_rlp, &field, &out->arena)) {
        return false;
    }
    return cevm_json_need(&field, at, "pre") && cevm_genesis_alloc_load(&out->pre, &field, &out->arena);
}

/* ---- The network ------------------------------------------------------------------------------------------------- */

static bool load_network(cevm_blockchain_test *out, const cevm_json_at *at)
{
    cevm_json_at name, config, schedule, field;
    if (!cevm_json_need(&name, at, "network") || !cevm_json_text(&out->network_name, &name)) {
        return false;
    }
    bool has_config = cevm_json_find(&config, at, "config");
    bool has_schedule = has_config && cevm_json_find(&schedule, &config, "blobSchedule");
    if (!cevm_test_network_by_name(&out->network, &out->network_known, &name, has_schedule ? &schedule : NULL)) {
        (void)snprintf(out->network_error, sizeof out->network_error, "unsupported fork \"%.80s\"", out->network_name);
        return !out->network_known; /* a name that is not known is told when the test is run */
    }
    cevm_chain_config *rules = &out->network.config;
    if (has_config && cevm_json_find(&field, &config, "chainid") && !cevm_json_u64(&rules->chain_id, &field)) {
        return false;
    }
    if (cevm_json_find(&field, at, "sealEngine")) { /* tests without it have no proof of work either */
        const char *engine;
        if (!cevm_json_text(&engine, &field)) {
            return false;
        }
        rules->checks_seal = strcmp(engine, "Ethash") == 0;
    }
    return true;
}

/* ---- The test ---------------------------------------------------------------------------------------------------- */

static bool load_end(cevm_blockchain_test *out, const cevm_json_at *at)
{
    cevm_json_at field;
    if (!need_hash(&out->last_hash, at, "lastblockhash") ||
        !find_hash(&out->has_post_hash, &out->post_hash, at, "postStateHash")) {
        return false;
    }
    if (cevm_json_find(&field, at, "postState")) {
        out->post = field.value;
    }
    return out->post != NULL || out->has_post_hash || cevm_json_fail(at, "has no \"postState\"");
}

bool cevm_blockchain_test_load(cevm_blockchain_test *out, const cevm_json_at *at, const cevm_allocator *allocator)
{
    cevm_json_at blocks;
    *out = (cevm_blockchain_test){.name = at->key, .file = at->file, .arena = {.allocator = allocator}};
    if (!cevm_json_need(&blocks, at, "blocks") || !cevm_json_is_array(&blocks) || !load_network(out, at) ||
        !load_genesis(out, at) || !load_end(out, at)) {
        cevm_blockchain_test_free(out);
        return false;
    }
    out->blocks = blocks.value;
    out->block_count = json_array_size(blocks.value);
    return true;
}

void cevm_blockchain_test_free(cevm_blockchain_test *test) { cevm_arena_destroy(&test->arena); }

/* ---- Blocks ------------------------------------------------------------------------------------------------------ */

/* The older files say by network why a block is refused: "expectExceptionByzantium", "expectExceptionALL". */
static bool load_expected(cevm_test_block *out, const cevm_blockchain_test *test, const cevm_json_at *at)
{
    char own[64];
    (void)snprintf(own, sizeof own, "expectException%.40s", test->network_name);
    const char *const keys[] = {"expectException", own, "expectExceptionALL"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        cevm_json_at field;
        if (cevm_json_find(&field, at, keys[i])) {
            return cevm_json_text(&out->expected, &field);
        }
    }
    return true;
}

static bool load_receipts(cevm_test_block *out, const cevm_json_at *at, cevm_arena *arena)
{
    if (!cevm_json_is_array(at)) {
        return false;
    }
    size_t count = json_array_size(at->value);
    cevm_bytes *receipts = cevm_arena_array(arena, count, sizeof *receipts);
    if (receipts == NULL) {
        return cevm_json_fail(at, "out of memory");
    }
    for (size_t i = 0; i < count; i++) {
        cevm_json_at item = cevm_json_item(at, i), rlp;
        if (!cevm_json_need(&rlp, &item, "rlp") || !cevm_json_bytes(&receipts[i], &rlp, arena)) {
            return false;
        }
    }
    out->receipts = receipts;
    out->receipt_count = count;
    return true;
}

bool cevm_blockchain_test_block(cevm_test_block *out, cevm_blockchain_test *test, size_t index, cevm_json_error *error)
{
    cevm_json_at top = cevm_json_root(NULL, test->file, test->name, error);
    cevm_json_at blocks = {.up = &top, .key = "blocks", .value = test->blocks, .file = test->file, .error = error};
    cevm_json_at at = cevm_json_item(&blocks, index), header, field;
    *out = (cevm_test_block){0};
    if (!cevm_json_need(&field, &at, "rlp") || !cevm_json_bytes(&out->rlp, &field, &test->arena)) {
        return false;
    }
    out->is_valid = cevm_json_find(&header, &at, "blockHeader");
    if (!out->is_valid) {
        return load_expected(out, test, &at);
    }
    return need_hash(&out->hash, &header, "hash") &&
           (!cevm_json_find(&field, &at, "receipts") || load_receipts(out, &field, &test->arena));
}

bool cevm_blockchain_test_post(cevm_genesis_alloc *out, cevm_blockchain_test *test, cevm_json_error *error)
{
    cevm_json_at top = cevm_json_root(NULL, test->file, test->name, error);
    cevm_json_at post = {.up = &top, .key = "postState", .value = test->post, .file = test->file, .error = error};
    return cevm_genesis_alloc_load(out, &post, &test->arena);
}
