/* SPDX-License-Identifier: Apache-2.0 */
/* eth_getProof: an account and slots of it, with the nodes of the trie that prove them (EIP-1186). */
#include "rpc/find.h"
#include "rpc/methods.h"
#include "rpc/shapes.h"

enum { MAX_PROOF_KEYS = 1024 };

static bool put_node(void *user, cevm_bytes rlp)
{
    cevm_json_writer *w = user;
    cevm_json_put_data(w, rlp);
    return !w->failed;
}

/** The key is shown as it was asked for: in full when it came in full, as a quantity otherwise. */
static void put_key_as_given(cevm_json_writer *w, const json_t *given, const cevm_u256 *key)
{
    cevm_json_put_key(w, "key");
    if (json_string_length(given) == 66) {
        cevm_json_put_word(w, key);
    } else {
        cevm_json_put_quantity256(w, key);
    }
}

static bool put_slot(cevm_rpc_call *call, const cevm_tree *state, const cevm_address *address, json_t *given)
{
    const cevm_db db = cevm_tree_interface(state);
    cevm_u256 key;
    cevm_u256 value;
    if (!cevm_rpc_read_word(&key, call, given, "storage key")) {
        return false;
    }
    cevm_err err = db.vtable->storage(db.ctx, &value, address, &key);
    if (err != CEVM_OK) {
        return cevm_rpc_fail_err(call, err);
    }
    cevm_json_begin_object(call->out);
    put_key_as_given(call->out, given, &key);
    cevm_shape_quantity256(call->out, "value", &value);
    cevm_json_put_key(call->out, "proof");
    cevm_json_begin_array(call->out);
    err = cevm_tree_prove_slot(state, address, &key, put_node, call->out);
    cevm_json_end_array(call->out);
    cevm_json_end_object(call->out);
    return err == CEVM_OK || cevm_rpc_fail_err(call, err);
}

static bool put_proof(cevm_rpc_call *call, const cevm_tree *state, const cevm_address *address, const json_t *keys)
{
    cevm_json_writer *w = call->out;
    cevm_db_account account;
    bool exists = false;
    cevm_hash root;
    if (!cevm_find_account(&account, &exists, call, state, address)) {
        return false;
    }
    cevm_json_begin_object(w);
    cevm_shape_address(w, "address", address);
    cevm_json_put_key(w, "accountProof");
    cevm_json_begin_array(w);
    const cevm_err err = cevm_tree_prove_account(state, &root, address, put_node, w);
    cevm_json_end_array(w);
    if (err != CEVM_OK) {
        return cevm_rpc_fail_err(call, err);
    }
    cevm_shape_quantity256(w, "balance", &account.balance);
    cevm_shape_hash(w, "codeHash", &account.code_hash);
    cevm_shape_quantity(w, "nonce", account.nonce);
    cevm_shape_hash(w, "storageHash", &root);
    cevm_json_put_key(w, "storageProof");
    cevm_json_begin_array(w);
    bool ok = true;
    for (size_t i = 0; i < json_array_size(keys) && ok; ++i) {
        ok = put_slot(call, state, address, json_array_get(keys, i));
    }
    cevm_json_end_array(w);
    cevm_json_end_object(w);
    return ok;
}

void cevm_rpc_eth_getProof(cevm_rpc_call *call)
{
    cevm_view view;
    cevm_address address;
    const json_t *keys = cevm_rpc_param(call, 1);
    if (!cevm_rpc_read_address(&address, call, cevm_rpc_param(call, 0), "address")) {
        return;
    }
    if (json_array_size(keys) > MAX_PROOF_KEYS) {
        (void)cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "too many keys (max %d)", (int)MAX_PROOF_KEYS);
        return;
    }
    if (!cevm_view_open_block(&view, call, cevm_rpc_param(call, 2))) {
        return;
    }
    (void)put_proof(call, cevm_view_state(&view), &address, keys);
    cevm_view_close(&view);
}
