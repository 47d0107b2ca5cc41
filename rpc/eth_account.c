/* SPDX-License-Identifier: Apache-2.0 */
/* What an account holds: balance, nonce, code, storage. */
#include <cevm/hex.h>

#include "rpc/find.h"
#include "rpc/methods.h"
#include "rpc/shapes.h"

enum { MAX_STORAGE_KEYS = 1024 }; /* of one eth_getStorageValues, as geth has it */

/** Reads the address of parameter 0 and the account it names in the block of parameter `block`. */
static bool open_account(cevm_view *view, cevm_db_account *account, cevm_address *address, cevm_rpc_call *call,
                         size_t block)
{
    bool exists = false;
    if (!cevm_rpc_read_address(address, call, cevm_rpc_param(call, 0), "address") ||
        !cevm_view_open_block(view, call, cevm_rpc_param(call, block))) {
        return false;
    }
    if (!cevm_find_account(account, &exists, call, cevm_view_state(view), address)) {
        cevm_view_close(view);
        return false;
    }
    return true;
}

void cevm_rpc_eth_getBalance(cevm_rpc_call *call)
{
    cevm_view view;
    cevm_db_account account;
    cevm_address address;
    if (open_account(&view, &account, &address, call, 1)) {
        cevm_json_put_quantity256(call->out, &account.balance);
        cevm_view_close(&view);
    }
}

/** For "pending" the pool's transactions count without the block being made: wallets ask before each transaction. */
static bool asks_pending(const cevm_rpc_call *call)
{
    const char *tag = json_string_value(cevm_rpc_param(call, 1));
    return tag != NULL && strcmp(tag, "pending") == 0;
}

void cevm_rpc_eth_getTransactionCount(cevm_rpc_call *call)
{
    cevm_address address;
    cevm_db_account account;
    bool exists = false;
    if (asks_pending(call)) {
        cevm_world *world = cevm_node_world(call->node);
        if (cevm_rpc_read_address(&address, call, cevm_rpc_param(call, 0), "address") &&
            cevm_find_account(&account, &exists, call, world->state, &address)) {
            cevm_json_put_quantity(call->out, cevm_world_next_nonce(world, &address, account.nonce));
        }
        cevm_world_release(world);
        return;
    }
    cevm_view view;
    if (open_account(&view, &account, &address, call, 1)) {
        cevm_json_put_quantity(call->out, account.nonce);
        cevm_view_close(&view);
    }
}

/** Code of an account; empty when it has none. */
static bool read_code(cevm_bytes *out, cevm_rpc_call *call, const cevm_view *view, const cevm_db_account *account)
{
    *out = (cevm_bytes){NULL, 0};
    if (cevm_hash_equal(&account->code_hash, &cevm_empty_code_hash)) {
        return true;
    }
    const cevm_db db = cevm_tree_interface(cevm_view_state(view));
    const cevm_err err = db.vtable->code(db.ctx, out, &account->code_hash);
    return err == CEVM_OK || cevm_rpc_fail_err(call, err);
}

void cevm_rpc_eth_getCode(cevm_rpc_call *call)
{
    cevm_view view;
    cevm_db_account account;
    cevm_address address;
    cevm_bytes code;
    if (!open_account(&view, &account, &address, call, 1)) {
        return;
    }
    if (read_code(&code, call, &view, &account)) {
        cevm_json_put_data(call->out, code);
    }
    cevm_view_close(&view);
}

static bool read_slot(cevm_u256 *out, cevm_rpc_call *call, const cevm_view *view, const cevm_address *address,
                      const cevm_u256 *key)
{
    const cevm_db db = cevm_tree_interface(cevm_view_state(view));
    const cevm_err err = db.vtable->storage(db.ctx, out, address, key);
    return err == CEVM_OK || cevm_rpc_fail_err(call, err);
}

void cevm_rpc_eth_getStorageAt(cevm_rpc_call *call)
{
    cevm_view view;
    cevm_address address;
    cevm_u256 key;
    cevm_u256 value;
    if (!cevm_rpc_read_address(&address, call, cevm_rpc_param(call, 0), "address") ||
        !cevm_rpc_read_word(&key, call, cevm_rpc_param(call, 1), "storage key") ||
        !cevm_view_open_block(&view, call, cevm_rpc_param(call, 2))) {
        return;
    }
    if (read_slot(&value, call, &view, &address, &key)) {
        cevm_json_put_word(call->out, &value);
    }
    cevm_view_close(&view);
}

/* ---- eth_getStorageValues: {address: [key, …]} to {address: [value, …]} -------------------------------------------- */

/** Checks the request before anything is read: how many keys, and that there are some. */
static bool check_storage_request(cevm_rpc_call *call, json_t *request)
{
    const char *name = NULL;
    json_t *keys = NULL;
    size_t count = 0;
    json_object_foreach(request, name, keys)
    {
        if (!json_is_array(keys)) {
            return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "invalid storage keys: an array is wanted");
        }
        count += json_array_size(keys);
    }
    if (count == 0) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "empty request");
    }
    return count <= MAX_STORAGE_KEYS ||
           cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "too many slots (max %d)", (int)MAX_STORAGE_KEYS);
}

static bool put_values_of(cevm_rpc_call *call, const cevm_view *view, const char *name, const json_t *keys)
{
    cevm_address address;
    char shown[43] = "0x";
    json_t *text = json_string(name);
    const bool ok = cevm_rpc_read_address(&address, call, text, "address");
    json_decref(text);
    if (!ok) {
        return false;
    }
    cevm_hex_encode(shown + 2, address.bytes, sizeof address.bytes);
    cevm_json_put_key(call->out, shown);
    cevm_json_begin_array(call->out);
    for (size_t i = 0; i < json_array_size(keys); ++i) {
        cevm_u256 key;
        cevm_u256 value;
        if (!cevm_rpc_read_word(&key, call, json_array_get(keys, i), "storage key") ||
            !read_slot(&value, call, view, &address, &key)) {
            return false;
        }
        cevm_json_put_word(call->out, &value);
    }
    cevm_json_end_array(call->out);
    return true;
}

void cevm_rpc_eth_getStorageValues(cevm_rpc_call *call)
{
    cevm_view view;
    json_t *request = cevm_rpc_param(call, 0);
    if (!check_storage_request(call, request) || !cevm_view_open_block(&view, call, cevm_rpc_param(call, 1))) {
        return;
    }
    const char *name = NULL;
    json_t *keys = NULL;
    bool ok = true;
    cevm_json_begin_object(call->out);
    json_object_foreach(request, name, keys) { ok = ok && put_values_of(call, &view, name, keys); }
    if (ok) {
        cevm_json_end_object(call->out);
    }
    cevm_view_close(&view);
}

/* ---- Whole accounts ------------------------------------------------------------------------------------------------ */

/** Balance, nonce and code in one answer, as development nodes give them. */
void cevm_rpc_eth_getAccountInfo(cevm_rpc_call *call)
{
    cevm_view view;
    cevm_db_account account;
    cevm_address address;
    cevm_bytes code;
    if (!open_account(&view, &account, &address, call, 1)) {
        return;
    }
    if (read_code(&code, call, &view, &account)) {
        cevm_json_begin_object(call->out);
        cevm_shape_quantity256(call->out, "balance", &account.balance);
        cevm_shape_quantity(call->out, "nonce", account.nonce);
        cevm_shape_data(call->out, "code", code);
        cevm_json_end_object(call->out);
    }
    cevm_view_close(&view);
}

/** Only the storage's root is wanted of the proof. */
static bool ignore_node(void *user, cevm_bytes rlp)
{
    (void)user;
    (void)rlp;
    return true;
}

/** What the state trie holds of an account; null when it is not there. */
void cevm_rpc_eth_getAccount(cevm_rpc_call *call)
{
    cevm_view view;
    cevm_db_account account;
    cevm_address address;
    cevm_hash root;
    if (!open_account(&view, &account, &address, call, 1)) {
        return;
    }
    const cevm_err err = cevm_tree_prove_account(cevm_view_state(&view), &root, &address, ignore_node, NULL);
    if (err != CEVM_OK) {
        (void)cevm_rpc_fail_err(call, err);
    } else if (account.nonce == 0 && cevm_u256_is_zero(&account.balance) && !account.has_storage &&
               cevm_hash_equal(&account.code_hash, &cevm_empty_code_hash)) {
        cevm_json_put_null(call->out);
    } else {
        cevm_json_begin_object(call->out);
        cevm_shape_hash(call->out, "codeHash", &account.code_hash);
        cevm_shape_hash(call->out, "storageRoot", &root);
        cevm_shape_quantity256(call->out, "balance", &account.balance);
        cevm_shape_quantity(call->out, "nonce", account.nonce);
        cevm_json_end_object(call->out);
    }
    cevm_view_close(&view);
}
