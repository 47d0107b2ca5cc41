/* SPDX-License-Identifier: Apache-2.0 */
/* The transaction of a state test, built from its JSON fields: for files without "txbytes". */
#include "ethereum-tests/state_test.h"

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

static bool load_access_list(cevm_tx *out, const cevm_json_at *list, cevm_arena *arena)
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

/* "accessLists" is parallel to "data"; an item may be null. Sets *present when there is a list, even an empty one. */
static bool pick_access_list(bool *present, cevm_tx *out, const cevm_json_at *tx, size_t data, cevm_arena *arena)
{
    cevm_json_at lists;
    *present = false;
    if (!cevm_json_find(&lists, tx, "accessLists")) {
        return true;
    }
    if (!cevm_json_is_array(&lists)) {
        return false;
    }
    cevm_json_at list = cevm_json_item(&lists, data);
    if (list.value == NULL || json_is_null(list.value)) {
        return true;
    }
    *present = true;
    return load_access_list(out, &list, arena);
}

static bool load_blob_hashes(cevm_tx *out, const cevm_json_at *list, cevm_arena *arena)
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

static bool load_authorizations(cevm_tx *out, const cevm_json_at *list, cevm_arena *arena)
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

/* Reads the fields that tell the type, and the type from them. */
static bool load_typed(cevm_tx *out, const cevm_json_at *tx, size_t data, cevm_arena *arena)
{
    cevm_json_at fee, blob_fee, hashes, authorizations;
    bool has_list = false;
    if (!pick_access_list(&has_list, out, tx, data, arena)) {
        return false;
    }
    bool has_fee = cevm_json_find(&fee, tx, "maxFeePerGas");
    bool has_blob_fee = cevm_json_find(&blob_fee, tx, "maxFeePerBlobGas");
    bool has_hashes = cevm_json_find(&hashes, tx, "blobVersionedHashes");
    bool has_authorizations = cevm_json_find(&authorizations, tx, "authorizationList");
    if (has_blob_fee && !cevm_json_u256(&out->max_fee_per_blob_gas, &blob_fee)) {
        return false;
    }
    if ((has_hashes && !load_blob_hashes(out, &hashes, arena)) ||
        (has_authorizations && !load_authorizations(out, &authorizations, arena))) {
        return false;
    }
    out->type = has_authorizations           ? CEVM_TX_SET_CODE
                : has_blob_fee || has_hashes ? CEVM_TX_BLOB
                : has_fee                    ? CEVM_TX_DYNAMIC_FEE
                : has_list                   ? CEVM_TX_ACCESS_LIST
                                             : CEVM_TX_LEGACY;
    if (out->type == CEVM_TX_LEGACY || out->type == CEVM_TX_ACCESS_LIST) {
        bool ok = need_u256(&out->max_fee, tx, "gasPrice");
        out->max_priority_fee = out->max_fee;
        return ok;
    }
    return need_u256(&out->max_fee, tx, "maxFeePerGas") &&
           need_u256(&out->max_priority_fee, tx, "maxPriorityFeePerGas");
}

/* The item of an array of choices that the entry's index picks. */
static bool pick(cevm_json_at *out, cevm_json_at *list, const cevm_json_at *tx, const char *key, size_t index)
{
    if (!cevm_json_need(list, tx, key) || !cevm_json_is_array(list)) {
        return false;
    }
    *out = cevm_json_item(list, index);
    return out->value != NULL || cevm_json_fail(list, "has no item %zu", index);
}

static bool load_recipient(cevm_tx *out, const cevm_json_at *tx)
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

static bool sign(cevm_tx *out, const cevm_json_at *tx, const cevm_allocator *allocator)
{
    cevm_json_at at;
    if (cevm_json_find(&at, tx, "secretKey")) {
        cevm_hash key;
        if (!cevm_json_hash(&key, &at)) {
            return false;
        }
        cevm_err err = cevm_tx_sign(out, key.bytes, allocator);
        out->has_sender = err == CEVM_OK;
        return err == CEVM_OK || cevm_json_fail(&at, "cannot sign: %s", cevm_err_string(err));
    }
    out->has_sender = true;
    return cevm_json_need(&at, tx, "sender") && cevm_json_address(&out->sender, &at);
}

bool cevm_state_test_transaction(cevm_tx *out, cevm_state_test *test, const cevm_test_entry *entry,
                                 cevm_json_error *error)
{
    cevm_json_at name = cevm_json_root(test->transaction, test->file, test->name, error);
    cevm_json_at tx = {
        .up = &name, .key = "transaction", .value = test->transaction, .file = test->file, .error = error};
    cevm_json_at list, item;
    cevm_tx result = {.type = CEVM_TX_LEGACY};
    if (!need_u64(&result.nonce, &tx, "nonce") || !load_recipient(&result, &tx) ||
        !pick(&item, &list, &tx, "gasLimit", entry->gas) || !cevm_json_u64(&result.gas_limit, &item) ||
        !pick(&item, &list, &tx, "value", entry->value) || !cevm_json_u256(&result.value, &item) ||
        !pick(&item, &list, &tx, "data", entry->data) || !cevm_json_bytes(&result.data, &item, &test->arena)) {
        return false;
    }
    if (!load_typed(&result, &tx, entry->data, &test->arena)) {
        return false;
    }
    result.has_chain_id = result.type != CEVM_TX_LEGACY;
    result.chain_id = result.has_chain_id ? test->env.chain_id : 0;
    if (!sign(&result, &tx, test->arena.allocator)) {
        return false;
    }
    *out = result;
    return true;
}
