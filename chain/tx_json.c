/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/tx_json.h"

#include "chain/signature.h"

static bool need_u256(cevm_u256 *out, const cevm_json_at *object, const char *key)
{
    cevm_json_at at;
    return cevm_json_need(&at, object, key) && cevm_json_u256(out, &at);
}

static bool need_u64(uint64_t *out, const cevm_json_at *object, const char *key)
{
    cevm_json_at at;
    return cevm_json_need(&at, object, key) && cevm_json_u64(out, &at);
}

/* A number that may be missing, then *out stays. */
static bool find_u256(cevm_u256 *out, const cevm_json_at *object, const char *key)
{
    cevm_json_at at;
    return !cevm_json_find(&at, object, key) || cevm_json_u256(out, &at);
}

static bool load_keys(cevm_access_entry *out, const cevm_json_at *item, cevm_arena *arena)
{
    cevm_json_at list;
    if (!cevm_json_find(&list, item, "storageKeys")) {
        return true;
    }
    if (!cevm_json_is_array(&list)) {
        return false;
    }
    size_t count = json_array_size(list.value);
    cevm_hash *keys = cevm_arena_array(arena, count, sizeof *keys);
    if (keys == NULL) {
        return cevm_json_fail(&list, "out of memory");
    }
    for (size_t i = 0; i < count; i++) {
        cevm_json_at key = cevm_json_item(&list, i);
        cevm_u256 wide; /* written short in older files */
        if (!cevm_json_u256(&wide, &key)) {
            return false;
        }
        cevm_u256_to_be(keys[i].bytes, &wide);
    }
    out->keys = keys;
    out->key_count = count;
    return true;
}

bool cevm_tx_json_access_list(cevm_tx *out, const cevm_json_at *list, cevm_arena *arena)
{
    if (!cevm_json_is_array(list)) {
        return false;
    }
    size_t count = json_array_size(list->value);
    cevm_access_entry *entries = cevm_arena_array(arena, count, sizeof *entries);
    if (entries == NULL) {
        return cevm_json_fail(list, "out of memory");
    }
    for (size_t i = 0; i < count; i++) {
        cevm_json_at item = cevm_json_item(list, i), address;
        if (!cevm_json_need(&address, &item, "address") || !cevm_json_address(&entries[i].address, &address) ||
            !load_keys(&entries[i], &item, arena)) {
            return false;
        }
    }
    out->access_list = entries;
    out->access_count = count;
    return true;
}

bool cevm_tx_json_blob_hashes(cevm_tx *out, const cevm_json_at *list, cevm_arena *arena)
{
    if (!cevm_json_is_array(list)) {
        return false;
    }
    size_t count = json_array_size(list->value);
    cevm_hash *hashes = cevm_arena_array(arena, count, sizeof *hashes);
    if (hashes == NULL) {
        return cevm_json_fail(list, "out of memory");
    }
    for (size_t i = 0; i < count; i++) {
        cevm_json_at item = cevm_json_item(list, i);
        if (!cevm_json_hash(&hashes[i], &item)) {
            return false;
        }
    }
    out->blob_hashes = hashes;
    out->blob_count = count;
    return true;
}

static bool load_authorization(cevm_authorization *out, const cevm_json_at *item)
{
    cevm_json_at address, parity;
    uint64_t y = 0;
    if (!need_u256(&out->chain_id, item, "chainId") || !cevm_json_need(&address, item, "address") ||
        !cevm_json_address(&out->address, &address) || !need_u64(&out->nonce, item, "nonce") ||
        !need_u256(&out->r, item, "r") || !need_u256(&out->s, item, "s")) {
        return false;
    }
    bool found = cevm_json_find(&parity, item, "yParity") || cevm_json_find(&parity, item, "v");
    if (!found) {
        return cevm_json_fail(item, "has neither \"yParity\" nor \"v\"");
    }
    if (!cevm_json_u64(&y, &parity)) {
        return false;
    }
    out->y_parity = (uint8_t)y;
    return y <= UINT8_MAX || cevm_json_fail(&parity, "must fit one byte");
}

bool cevm_tx_json_authorizations(cevm_tx *out, const cevm_json_at *list, cevm_arena *arena)
{
    if (!cevm_json_is_array(list)) {
        return false;
    }
    size_t count = json_array_size(list->value);
    cevm_authorization *items = cevm_arena_array(arena, count, sizeof *items);
    if (items == NULL) {
        return cevm_json_fail(list, "out of memory");
    }
    for (size_t i = 0; i < count; i++) {
        cevm_json_at item = cevm_json_item(list, i);
        if (!load_authorization(&items[i], &item)) {
            return false;
        }
    }
    out->authorizations = items;
    out->authorization_count = count;
    return true;
}

bool cevm_tx_json_recipient(cevm_tx *out, const cevm_json_at *tx)
{
    cevm_json_at to;
    out->is_create = true;
    if (!cevm_json_find(&to, tx, "to")) {
        return true;
    }
    const char *text = json_string_value(to.value);
    if (text != NULL && (strcmp(text, "") == 0 || strcmp(text, "0x") == 0)) {
        return true;
    }
    out->is_create = false;
    return cevm_json_address(&out->to, &to);
}

/* ---- A whole transaction ------------------------------------------------------------------------------------------ */

static bool load_type(cevm_tx *out, const cevm_json_at *at)
{
    cevm_json_at type;
    uint64_t number = 0;
    if (cevm_json_find(&type, at, "type") && !cevm_json_u64(&number, &type)) {
        return false;
    }
    switch (number) {
    case 0: out->type = CEVM_TX_LEGACY; return true;
    case 1: out->type = CEVM_TX_ACCESS_LIST; return true;
    case 2: out->type = CEVM_TX_DYNAMIC_FEE; return true;
    case 3: out->type = CEVM_TX_BLOB; return true;
    case 4: out->type = CEVM_TX_SET_CODE; return true;
    default: return cevm_json_fail(&type, "transaction type not supported");
    }
}

static bool load_fees(cevm_tx *out, const cevm_json_at *at)
{
    if (out->type == CEVM_TX_LEGACY || out->type == CEVM_TX_ACCESS_LIST) {
        bool ok = need_u256(&out->max_fee, at, "gasPrice");
        out->max_priority_fee = out->max_fee;
        return ok;
    }
    return need_u256(&out->max_fee, at, "maxFeePerGas") &&
           need_u256(&out->max_priority_fee, at, "maxPriorityFeePerGas") &&
           (out->type != CEVM_TX_BLOB || need_u256(&out->max_fee_per_blob_gas, at, "maxFeePerBlobGas"));
}

static bool load_lists(cevm_tx *out, const cevm_json_at *at, cevm_arena *arena)
{
    cevm_json_at list;
    if (out->type != CEVM_TX_LEGACY && cevm_json_find(&list, at, "accessList") &&
        !cevm_tx_json_access_list(out, &list, arena)) {
        return false;
    }
    if (out->type == CEVM_TX_BLOB &&
        (!cevm_json_need(&list, at, "blobVersionedHashes") || !cevm_tx_json_blob_hashes(out, &list, arena))) {
        return false;
    }
    return out->type != CEVM_TX_SET_CODE ||
           (cevm_json_need(&list, at, "authorizationList") && cevm_tx_json_authorizations(out, &list, arena));
}

static bool load_input(cevm_tx *out, const cevm_json_at *at, cevm_arena *arena)
{
    cevm_json_at input;
    bool found = cevm_json_find(&input, at, "input") || cevm_json_find(&input, at, "data");
    return found ? cevm_json_bytes(&out->data, &input, arena) : cevm_json_fail(at, "has no \"input\"");
}

static bool load_signature(cevm_tx *out, const cevm_json_at *at)
{
    cevm_json_at parity;
    if (!find_u256(&out->r, at, "r") || !find_u256(&out->s, at, "s")) {
        return false;
    }
    bool found =
        cevm_json_find(&parity, at, "v") || (out->type != CEVM_TX_LEGACY && cevm_json_find(&parity, at, "yParity"));
    return !found || cevm_json_u256(&out->v, &parity);
}

static bool sign(cevm_tx *out, const cevm_json_at *at, const cevm_json_at *key, uint64_t chain_id, cevm_arena *arena)
{
    cevm_json_at flag;
    cevm_u256 secret;
    uint8_t bytes[32];
    if (out->type == CEVM_TX_LEGACY) {
        out->has_chain_id = !(cevm_json_find(&flag, at, "protected") && json_is_false(flag.value));
        out->chain_id = out->has_chain_id ? chain_id : 0;
    }
    if (!cevm_json_u256(&secret, key)) {
        return false;
    }
    cevm_u256_to_be(bytes, &secret);
    cevm_err err = cevm_tx_sign(out, bytes, arena->allocator);
    out->has_sender = err == CEVM_OK;
    return err == CEVM_OK || cevm_json_fail(key, "cannot sign: %s", cevm_err_string(err));
}

bool cevm_tx_json_load(cevm_tx *out, const cevm_json_at *at, uint64_t chain_id, cevm_arena *arena)
{
    cevm_json_at key;
    cevm_tx tx = {.type = CEVM_TX_LEGACY};
    if (!cevm_json_is_object(at) || !load_type(&tx, at) || !need_u64(&tx.nonce, at, "nonce") ||
        !need_u64(&tx.gas_limit, at, "gas") || !load_fees(&tx, at) || !cevm_tx_json_recipient(&tx, at) ||
        !need_u256(&tx.value, at, "value") || !load_input(&tx, at, arena) || !load_lists(&tx, at, arena) ||
        !load_signature(&tx, at)) {
        return false;
    }
    if (tx.type != CEVM_TX_LEGACY) {
        tx.has_chain_id = true;
        if (!need_u64(&tx.chain_id, at, "chainId")) {
            return false;
        }
    }
    bool is_signed = !cevm_u256_is_zero(&tx.v) || !cevm_u256_is_zero(&tx.r) || !cevm_u256_is_zero(&tx.s);
    if (!is_signed && cevm_json_find(&key, at, "secretKey")) {
        if (!sign(&tx, at, &key, chain_id, arena)) {
            return false;
        }
    } else if (tx.type == CEVM_TX_LEGACY) {
        cevm_tx_chain_of_v(&tx);
    }
    *out = tx;
    return true;
}
