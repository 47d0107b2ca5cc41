/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts as the caller wants them: anvil_setBalance and its kin. The state of `latest` changes, no block is made. */
#include <cevm/crypto.h>

#include "evm/u256.h"
#include "rpc/answer.h"
#include "rpc/methods.h"

/** One account's change. */
typedef struct account_edit {
    cevm_address address;
    bool has_balance;
    bool adds; /* to the balance that is there */
    cevm_u256 balance;
    bool has_nonce;
    uint64_t nonce;
    bool has_code;
    cevm_bytes code;
    bool has_slot;
    cevm_slot_change slot;
} account_edit;

static cevm_err read_account(cevm_db_account *out, const cevm_db *db, const cevm_address *address)
{
    bool exists = false;
    const cevm_err err = db->vtable->account(db->ctx, out, &exists, address);
    if (err == CEVM_OK && !exists) {
        *out = (cevm_db_account){.code_hash = cevm_empty_code_hash};
    }
    return err;
}

/** An account with nothing in it is not kept (EIP-161), as long as it has no storage either. */
static bool is_empty(const cevm_account_change *change, bool has_storage)
{
    return cevm_u256_is_zero(&change->balance) && change->nonce == 0 && !has_storage &&
           cevm_hash_equal(&change->code_hash, &cevm_empty_code_hash);
}

static bool apply(void *user, cevm_world *world, cevm_treedb *treedb, cevm_node_error *error)
{
    const account_edit *edit = user;
    const cevm_db db = cevm_treedb_interface(treedb);
    cevm_db_account account;
    (void)world;
    cevm_err err = read_account(&account, &db, &edit->address);
    if (err == CEVM_OK) {
        const bool writes_slot = edit->has_slot && !cevm_u256_is_zero(&edit->slot.value);
        cevm_account_change change = {.address = edit->address,
                                      .balance = edit->has_balance ? edit->balance : account.balance,
                                      .nonce = edit->has_nonce ? edit->nonce : account.nonce,
                                      .code_hash = account.code_hash,
                                      .code_changed = edit->has_code,
                                      .code = edit->code,
                                      .slots = &edit->slot,
                                      .slot_count = edit->has_slot ? 1 : 0};
        if (edit->adds && u256_add_overflow(&change.balance, &account.balance, &edit->balance)) {
            change.balance = u256_max();
        }
        if (edit->has_code) {
            cevm_keccak256(&change.code_hash, edit->code.data, edit->code.size);
        }
        change.deleted = is_empty(&change, account.has_storage || writes_slot);
        const cevm_diff diff = {.accounts = &change, .account_count = 1};
        err = db.vtable->commit(db.ctx, &diff);
    }
    if (err != CEVM_OK) {
        *error = (cevm_node_error){.err = err};
    }
    return err == CEVM_OK;
}

static bool read_address(account_edit *edit, cevm_rpc_call *call)
{
    return cevm_rpc_read_address(&edit->address, call, cevm_rpc_param(call, 0), "address");
}

static void finish(cevm_rpc_call *call, account_edit *edit)
{
    if (cevm_rpc_edit(call, apply, edit)) {
        cevm_rpc_done(call);
    }
}

void cevm_rpc_anvil_setBalance(cevm_rpc_call *call)
{
    account_edit edit = {.has_balance = true};
    if (read_address(&edit, call) && cevm_rpc_read_u256(&edit.balance, call, cevm_rpc_param(call, 1), "balance")) {
        finish(call, &edit);
    }
}

void cevm_rpc_anvil_addBalance(cevm_rpc_call *call)
{
    account_edit edit = {.adds = true};
    if (read_address(&edit, call) && cevm_rpc_read_u256(&edit.balance, call, cevm_rpc_param(call, 1), "balance")) {
        finish(call, &edit);
    }
}

void cevm_rpc_anvil_setNonce(cevm_rpc_call *call)
{
    account_edit edit = {.has_nonce = true};
    if (read_address(&edit, call) && cevm_rpc_read_u64(&edit.nonce, call, cevm_rpc_param(call, 1), "nonce")) {
        finish(call, &edit);
    }
}

void cevm_rpc_anvil_setCode(cevm_rpc_call *call)
{
    account_edit edit = {.has_code = true};
    if (read_address(&edit, call) && cevm_rpc_read_data(&edit.code, call, cevm_rpc_param(call, 1), "code")) {
        finish(call, &edit);
    }
}

void cevm_rpc_anvil_setStorageAt(cevm_rpc_call *call)
{
    account_edit edit = {.has_slot = true};
    if (read_address(&edit, call) && cevm_rpc_read_word(&edit.slot.key, call, cevm_rpc_param(call, 1), "key") &&
        cevm_rpc_read_word(&edit.slot.value, call, cevm_rpc_param(call, 2), "value") &&
        cevm_rpc_edit(call, apply, &edit)) {
        cevm_json_put_bool(call->out, true);
    }
}
