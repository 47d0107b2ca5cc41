/* SPDX-License-Identifier: Apache-2.0 */
/* State overrides. */
#include "rpc/overrides.h"

#include <cevm/hex.h>

#include "rpc/member.h"

/* ---- Reading ------------------------------------------------------------------------------------------------------- */

/** The name of a member as a value, for the readers of values. */
static bool read_name(cevm_address *address, cevm_u256 *word, cevm_rpc_call *call, const char *name)
{
    json_t *text = json_string(name);
    const bool ok = address != NULL ? cevm_rpc_read_address(address, call, text, "address of a state override")
                                    : cevm_rpc_read_word(word, call, text, "storage key of a state override");
    json_decref(text);
    return ok;
}

static bool read_slots(cevm_account_override *out, cevm_rpc_call *call, json_t *object)
{
    if (!json_is_object(object)) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "invalid state override: storage is an object");
    }
    cevm_slot_override *slots = cevm_arena_array(call->arena, json_object_size(object), sizeof *slots);
    if (slots == NULL) {
        return cevm_rpc_fail_err(call, CEVM_ERR_NOMEM);
    }
    const char *name = NULL;
    json_t *value = NULL;
    size_t count = 0;
    json_object_foreach(object, name, value)
    {
        if (!read_name(NULL, &slots[count].key, call, name) ||
            !cevm_rpc_read_word(&slots[count].value, call, value, "storage value of a state override")) {
            return false;
        }
        ++count;
    }
    out->slots = slots;
    out->slot_count = count;
    return true;
}

static bool read_storage(cevm_account_override *out, cevm_rpc_call *call, const json_t *object, const char *name)
{
    json_t *whole = cevm_member(object, "state");
    json_t *diff = cevm_member(object, "stateDiff");
    if (whole != NULL && diff != NULL) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "account %.42s has both 'state' and 'stateDiff'", name);
    }
    out->clears_storage = whole != NULL;
    json_t *slots = whole != NULL ? whole : diff;
    return slots == NULL || read_slots(out, call, slots);
}

/* A member that is misspelt would leave the account as it is, and the answer would be taken for what it is not. */
static bool has_known_members(cevm_rpc_call *call, const char *name, json_t *object)
{
    static const char *const known[] = {"balance", "nonce", "code", "state", "stateDiff", "movePrecompileToAddress"};
    enum { COUNT = sizeof known / sizeof known[0] };
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        size_t i = 0;
        while (i < COUNT && strcmp(key, known[i]) != 0) {
            ++i;
        }
        if (i == COUNT) {
            return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS,
                                 "invalid state override of %.42s: \"%.40s\" is none of balance, nonce, code, state, "
                                 "stateDiff, movePrecompileToAddress",
                                 name, key);
        }
    }
    return true;
}

static bool read_account(cevm_account_override *out, cevm_rpc_call *call, const char *name, json_t *object)
{
    if (!read_name(&out->address, NULL, call, name)) {
        return false;
    }
    if (!json_is_object(object)) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "invalid state override of %.42s: an object is wanted",
                             name);
    }
    if (!has_known_members(call, name, object)) {
        return false;
    }
    json_t *code = cevm_member(object, "code");
    out->has_code = code != NULL;
    if (code != NULL && !cevm_rpc_read_data(&out->code, call, code, "code")) {
        return false;
    }
    return cevm_member_u256(&out->balance, &out->has_balance, call, object, "balance") &&
           cevm_member_u64(&out->nonce, &out->has_nonce, call, object, "nonce") &&
           cevm_member_address(&out->moved_to, &out->moves, call, object, "movePrecompileToAddress") &&
           read_storage(out, call, object, name);
}

bool cevm_state_overrides_read(cevm_state_overrides *out, cevm_rpc_call *call, json_t *object)
{
    *out = (cevm_state_overrides){.accounts = NULL};
    if (object == NULL) {
        return true;
    }
    if (!json_is_object(object)) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "invalid state overrides: an object is wanted");
    }
    out->accounts = cevm_arena_array(call->arena, json_object_size(object), sizeof *out->accounts);
    if (out->accounts == NULL) {
        return cevm_rpc_fail_err(call, CEVM_ERR_NOMEM);
    }
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(object, name, value)
    {
        if (!read_account(&out->accounts[out->count], call, name, value)) {
            return false;
        }
        ++out->count;
    }
    return true;
}

/* ---- Applying ------------------------------------------------------------------------------------------------------ */

static cevm_err set_balance(cevm_state *state, const cevm_address *address, const cevm_u256 *balance)
{
    cevm_account_info account;
    cevm_err err = cevm_state_get_account(state, &account, address);
    if (err == CEVM_OK && !cevm_u256_is_zero(&account.balance)) {
        err = cevm_state_sub_balance(state, address, &account.balance);
    }
    if (err == CEVM_OK && !cevm_u256_is_zero(balance)) {
        err = cevm_state_add_balance(state, address, balance);
    }
    return err;
}

/** Drops all slots by beginning the contract anew, which keeps the balance; nonce and code are put back. */
static cevm_err clear_storage(cevm_state *state, const cevm_host *host, const cevm_address *address)
{
    cevm_account_info account;
    cevm_code code = {.bytes = {NULL, 0}};
    cevm_err err = cevm_state_get_account(state, &account, address);
    if (err == CEVM_OK && account.exists) {
        err = host->vtable->load_code(host->ctx, &code, address);
    }
    if (err == CEVM_OK) {
        err = host->vtable->create_account(host->ctx, address);
    }
    if (err == CEVM_OK) {
        err = cevm_state_set_nonce(state, address, account.nonce);
    }
    return err == CEVM_OK ? host->vtable->set_code(host->ctx, address, code.bytes) : err;
}

static cevm_err apply_account(const cevm_account_override *o, cevm_state *state, const cevm_host *host)
{
    cevm_err err = o->clears_storage ? clear_storage(state, host, &o->address) : CEVM_OK;
    if (err == CEVM_OK && o->has_nonce) {
        err = cevm_state_set_nonce(state, &o->address, o->nonce);
    }
    if (err == CEVM_OK && o->has_code) {
        err = host->vtable->set_code(host->ctx, &o->address, o->code);
    }
    if (err == CEVM_OK && o->has_balance) {
        err = set_balance(state, &o->address, &o->balance);
    }
    for (size_t i = 0; i < o->slot_count && err == CEVM_OK; ++i) {
        cevm_sstore_info info;
        err = host->vtable->sstore(host->ctx, &info, &o->address, &o->slots[i].key, &o->slots[i].value, false);
    }
    return err;
}

cevm_err cevm_state_overrides_apply(const cevm_state_overrides *overrides, cevm_state *state, cevm_fork fork)
{
    if (overrides->count == 0) {
        return CEVM_OK;
    }
    const cevm_host host = cevm_state_host(state);
    cevm_err err = cevm_state_begin_tx(state, fork);
    for (size_t i = 0; i < overrides->count && err == CEVM_OK; ++i) {
        err = apply_account(&overrides->accounts[i], state, &host);
    }
    return err == CEVM_OK ? cevm_state_end_tx(state) : err;
}

/* ---- Precompiled contracts ----------------------------------------------------------------------------------------- */

/** Says what is at an address; what was said of it before no longer counts. */
static bool put_change(cevm_precompile_moves *moves, cevm_rpc_call *call, const cevm_address *address,
                       const cevm_precompile *contract)
{
    for (size_t i = 0; i < moves->count; ++i) {
        if (cevm_address_equal(&moves->changes[i].address, address)) {
            moves->changes[i].contract = contract;
            return true;
        }
    }
    if (moves->count == moves->capacity) {
        const size_t capacity = 2 * moves->capacity + 8;
        cevm_precompile_change *changes = cevm_arena_array(call->arena, capacity, sizeof *changes);
        if (changes == NULL) {
            return cevm_rpc_fail_err(call, CEVM_ERR_NOMEM);
        }
        if (moves->count != 0) {
            memcpy(changes, moves->changes, moves->count * sizeof *changes);
        }
        moves->changes = changes;
        moves->capacity = capacity;
    }
    moves->changes[moves->count++] = (cevm_precompile_change){*address, contract};
    return true;
}

bool cevm_precompile_moves_add(cevm_precompile_moves *moves, cevm_rpc_call *call, const cevm_state_overrides *overrides,
                               cevm_fork fork)
{
    /* What moves is looked up before anything has moved: overrides are one step, whatever their order. */
    const cevm_precompile **moved = cevm_arena_array(call->arena, overrides->count, sizeof *moved);
    if (moved == NULL) {
        return cevm_rpc_fail_err(call, CEVM_ERR_NOMEM);
    }
    for (size_t i = 0; i < overrides->count; ++i) {
        const cevm_account_override *o = &overrides->accounts[i];
        moved[i] = cevm_precompile_find_with(moves->changes, moves->count, &o->address, fork);
        if (o->moves && moved[i] == NULL) {
            char shown[43];
            cevm_address_to_text(shown, &o->address);
            return cevm_rpc_fail(call, CEVM_RPC_SERVER, "account %s is not a precompile", shown);
        }
    }
    for (size_t i = 0; i < overrides->count; ++i) {
        const cevm_account_override *o = &overrides->accounts[i];
        if (moved[i] != NULL && (o->moves || o->has_code) && !put_change(moves, call, &o->address, NULL)) {
            return false;
        }
    }
    for (size_t i = 0; i < overrides->count; ++i) {
        const cevm_account_override *o = &overrides->accounts[i];
        if (o->moves && !put_change(moves, call, &o->moved_to, moved[i])) {
            return false;
        }
    }
    return true;
}
