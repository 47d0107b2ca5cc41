/* SPDX-License-Identifier: Apache-2.0 */
/* The transaction of a state test, built from its JSON fields: for files without "txbytes". */
#include "chain/tx_json.h"
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
    return cevm_tx_json_access_list(out, &list, arena);
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
    if ((has_hashes && !cevm_tx_json_blob_hashes(out, &hashes, arena)) ||
        (has_authorizations && !cevm_tx_json_authorizations(out, &authorizations, arena))) {
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
    if (!need_u64(&result.nonce, &tx, "nonce") || !cevm_tx_json_recipient(&result, &tx) ||
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
