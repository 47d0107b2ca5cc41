/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The "stateDiff" of Parity's trace module: the accounts that a transaction changed. Of each, balance, code and nonce are
 * "=", {"+": new}, {"-": old} or {"*": {"from", "to"}}; an account that came into being has "+" in all of them, one that
 * went away "-". Slots are listed where they changed.
 */
#include <cevm/crypto.h>

#include "trace/parity_parts.h"
#include "trace/prestate.h"

/* What becomes of an account, and of all its parts with it. */
typedef enum account_fate { LIVES, IS_BORN, DIES } account_fate;

typedef struct account_change {
    account_fate fate;
    cevm_account_info now;
    bool balance, nonce, code, storage;
} account_change;

/* ---- What changed -------------------------------------------------------------------------------------------------- */

/* A slot of an account that is new counts when it holds something, of one that is gone when it held something. */
static bool slot_differs(cevm_u256 *now, cevm_prestate *t, const cevm_touched_account *account,
                         const cevm_touched_slot *slot, account_fate fate)
{
    *now = fate == DIES ? (cevm_u256){{0, 0, 0, 0}} : cevm_trace_slot(&t->base, &account->address, &slot->key);
    return !cevm_u256_equal(now, &slot->value);
}

static bool any_slot_differs(cevm_prestate *t, const cevm_touched_account *account, account_fate fate)
{
    cevm_u256 now;
    bool differs = false;
    for (uint32_t i = account->first_slot; i != CEVM_MAP_NONE && !differs; i = t->slots[i].next) {
        differs = slot_differs(&now, t, account, &t->slots[i], fate);
    }
    return differs;
}

/* False: it is as it was, or was never there. */
static bool compare(account_change *out, cevm_prestate *t, const cevm_touched_account *account)
{
    const cevm_account_info now = cevm_trace_account(&t->base, &account->address);
    const bool has_code = now.exists && !cevm_hash_equal(&now.code_hash, &cevm_empty_code_hash);
    *out = (account_change){.fate = LIVES, .now = now};
    if (!account->existed || !now.exists) {
        out->fate = now.exists ? IS_BORN : DIES;
        return account->existed != now.exists;
    }
    out->balance = !cevm_u256_equal(&now.balance, &account->balance);
    out->nonce = now.nonce != account->nonce;
    out->code = has_code != account->has_code || (has_code && !cevm_hash_equal(&now.code_hash, &account->code_hash));
    out->storage = any_slot_differs(t, account, LIVES);
    return out->balance || out->nonce || out->code || out->storage;
}

/* ---- Writing ------------------------------------------------------------------------------------------------------ */

/* "=", or the object around values; the caller writes the value itself, or both with their names, and ends it. */
static bool begin_part(cevm_json_writer *w, const char *name, account_fate fate, bool changed)
{
    cevm_json_put_key(w, name);
    if (fate == LIVES && !changed) {
        cevm_json_put_string(w, "=");
        return false;
    }
    cevm_json_begin_object(w);
    cevm_json_put_key(w, fate == IS_BORN ? "+" : fate == DIES ? "-" : "*");
    if (fate == LIVES) {
        cevm_json_begin_object(w);
    }
    return true;
}

static void end_part(cevm_json_writer *w, account_fate fate)
{
    if (fate == LIVES) {
        cevm_json_end_object(w);
    }
    cevm_json_end_object(w);
}

static void put_number(cevm_json_writer *w, const char *name, const account_change *c, bool changed,
                       const cevm_u256 *before, const cevm_u256 *now)
{
    if (!begin_part(w, name, c->fate, changed)) {
        return;
    }
    if (c->fate == LIVES) {
        cevm_json_put_key(w, "from");
        cevm_json_put_quantity256(w, before);
        cevm_json_put_key(w, "to");
    }
    cevm_json_put_quantity256(w, c->fate == DIES ? before : now);
    end_part(w, c->fate);
}

static void put_code(cevm_prestate *t, const cevm_touched_account *account, const account_change *c)
{
    cevm_json_writer *w = t->base.out;
    if (!begin_part(w, "code", c->fate, c->code)) {
        return;
    }
    if (c->fate == LIVES) {
        cevm_json_put_key(w, "from");
        cevm_json_put_data(w, account->code);
        cevm_json_put_key(w, "to");
    }
    cevm_json_put_data(w, c->fate == DIES ? account->code : cevm_trace_code(&t->base, &account->address));
    end_part(w, c->fate);
}

static void put_storage(cevm_prestate *t, const cevm_touched_account *account, const account_change *c)
{
    cevm_json_writer *w = t->base.out;
    cevm_json_put_key(w, "storage");
    cevm_json_begin_object(w);
    for (uint32_t i = account->first_slot; i != CEVM_MAP_NONE && cevm_trace_may_write(&t->base); i = t->slots[i].next) {
        const cevm_touched_slot *slot = &t->slots[i];
        cevm_u256 now;
        if (!slot_differs(&now, t, account, slot, c->fate)) {
            continue;
        }
        cevm_prestate_put_word_key(w, &slot->key);
        cevm_json_begin_object(w);
        cevm_json_put_key(w, c->fate == IS_BORN ? "+" : c->fate == DIES ? "-" : "*");
        if (c->fate == LIVES) {
            cevm_json_begin_object(w);
            cevm_json_put_key(w, "from");
            cevm_json_put_word(w, &slot->value);
            cevm_json_put_key(w, "to");
        }
        cevm_json_put_word(w, c->fate == DIES ? &slot->value : &now);
        end_part(w, c->fate);
    }
    cevm_json_end_object(w);
}

static cevm_err finish(cevm_trace *base, const cevm_receipt *receipt)
{
    cevm_prestate *t = (cevm_prestate *)base;
    cevm_json_writer *w = base->out;
    (void)receipt;
    cevm_prestate_sort(t);
    cevm_json_begin_object(w);
    for (size_t i = 0; i < t->account_count && cevm_trace_may_write(base); ++i) {
        const cevm_touched_account *account = &t->accounts[i];
        account_change c;
        if (!compare(&c, t, account)) {
            continue;
        }
        const cevm_u256 nonce_before = cevm_u256_from_u64(account->nonce);
        const cevm_u256 nonce_now = cevm_u256_from_u64(c.now.nonce);
        cevm_prestate_put_address_key(w, &account->address);
        cevm_json_begin_object(w);
        put_number(w, "balance", &c, c.balance, &account->balance, &c.now.balance);
        put_code(t, account, &c);
        put_number(w, "nonce", &c, c.nonce, &nonce_before, &nonce_now);
        put_storage(t, account, &c);
        cevm_json_end_object(w);
    }
    cevm_json_end_object(w);
    return base->failed;
}

cevm_err cevm_trace_make_state_diff(cevm_trace **out, const cevm_trace_request *request)
{
    static const cevm_trace_ops ops = {
        .begin = cevm_prestate_begin, .finish = finish, .release = cevm_prestate_release};
    cevm_prestate *t = cevm_prestate_create(request, &ops);
    if (t == NULL) {
        return CEVM_ERR_NOMEM;
    }
    *out = &t->base;
    return CEVM_OK;
}
