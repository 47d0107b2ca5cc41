/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prestateTracer: the accounts and slots a transaction touches, as they were before it; with diffMode those that changed,
 * before and after. In the shape of geth's, and as there an account counts as touched when an instruction names it.
 */
#include <cevm/alloc.h>
#include <cevm/crypto.h>
#include <cevm/hex.h>

#include "chain/authorization.h"
#include "evm/opcodes.h"
#include "trace/prestate.h"

/* ---- What was touched --------------------------------------------------------------------------------------------- */

static uint32_t find_account(const cevm_prestate *t, const cevm_address *address, uint32_t tag)
{
    uint32_t at = cevm_map_start(&t->account_map, tag);
    uint32_t i;
    do {
        i = cevm_map_next(&t->account_map, &at, tag);
    } while (i != CEVM_MAP_NONE && !cevm_address_equal(&t->accounts[i].address, address));
    return i;
}

/* The account with an address, looked up in the state when it is touched for the first time. NULL: the trace has failed. */
static cevm_touched_account *touch(cevm_prestate *t, const cevm_address *address)
{
    uint32_t tag = cevm_map_hash_address(&t->seed, address);
    uint32_t i = find_account(t, address, tag);
    if (i != CEVM_MAP_NONE) {
        return &t->accounts[i];
    }
    void *array = t->accounts;
    bool ok = t->base.failed == CEVM_OK &&
              cevm_trace_grow(&t->base, &array, &t->account_capacity, t->account_count, sizeof t->accounts[0]);
    t->accounts = array;
    if (!ok) {
        return NULL;
    }
    if (cevm_map_reserve(&t->account_map, 1) != CEVM_OK) {
        cevm_trace_fail(&t->base, CEVM_ERR_NOMEM);
        return NULL;
    }
    cevm_account_info info = cevm_trace_account(&t->base, address);
    i = (uint32_t)t->account_count;
    cevm_touched_account *account = &t->accounts[i];
    *account = (cevm_touched_account){.address = *address,
                                      .balance = info.balance,
                                      .nonce = info.nonce,
                                      .has_code = !cevm_hash_equal(&info.code_hash, &cevm_empty_code_hash),
                                      .code_hash = info.code_hash,
                                      .existed = info.exists,
                                      .first_slot = CEVM_MAP_NONE};
    account->has_code = account->has_code && info.exists;
    account->empty = info.nonce == 0 && cevm_u256_is_zero(&info.balance) && !account->has_code;
    if (account->has_code && !t->no_code) {
        account->code = cevm_trace_copy(&t->base, cevm_trace_code(&t->base, address));
    }
    t->account_count++;
    cevm_map_insert(&t->account_map, tag, i);
    return account;
}

static void touch_slot(cevm_prestate *t, const cevm_address *address, const cevm_u256 *key)
{
    cevm_touched_account *account = t->no_storage ? NULL : touch(t, address);
    if (account == NULL) {
        return;
    }
    uint32_t owner = (uint32_t)(account - t->accounts);
    uint32_t tag = cevm_map_hash_slot(&t->seed, owner, key);
    uint32_t at = cevm_map_start(&t->slot_map, tag);
    for (uint32_t i; (i = cevm_map_next(&t->slot_map, &at, tag)) != CEVM_MAP_NONE;) {
        if (t->slots[i].owner == owner && cevm_u256_equal(&t->slots[i].key, key)) {
            return;
        }
    }
    void *array = t->slots;
    bool ok = cevm_trace_grow(&t->base, &array, &t->slot_capacity, t->slot_count, sizeof t->slots[0]);
    t->slots = array;
    if (!ok) {
        return;
    }
    if (cevm_map_reserve(&t->slot_map, 1) != CEVM_OK) {
        cevm_trace_fail(&t->base, CEVM_ERR_NOMEM);
        return;
    }
    uint32_t i = (uint32_t)t->slot_count++;
    t->slots[i] = (cevm_touched_slot){*key, cevm_trace_slot(&t->base, address, key), owner, account->first_slot};
    account->first_slot = i;
    cevm_map_insert(&t->slot_map, tag, i);
}

/* Forgets what the instruction in progress touched: the newest entries. */
static void forget(cevm_prestate *t)
{
    while (t->slot_count > t->slots_before) {
        const cevm_touched_slot *slot = &t->slots[--t->slot_count];
        t->accounts[slot->owner].first_slot = slot->next;
        cevm_map_remove(&t->slot_map, cevm_map_hash_slot(&t->seed, slot->owner, &slot->key), (uint32_t)t->slot_count);
    }
    while (t->account_count > t->accounts_before) {
        const cevm_touched_account *account = &t->accounts[--t->account_count];
        cevm_trace_free(&t->base, account->code);
        cevm_map_remove(&t->account_map, cevm_map_hash_address(&t->seed, &account->address),
                        (uint32_t)t->account_count);
    }
}

/* An account that is called, and the one whose code it runs (EIP-7702). */
static void touch_callee(cevm_prestate *t, const cevm_address *address)
{
    cevm_address delegate;
    (void)touch(t, address);
    if (CEVM_HAS_EIP(t->base.fork, 7702) && cevm_delegation_target(&delegate, cevm_trace_code(&t->base, address))) {
        (void)touch(t, &delegate);
    }
}

/* ---- Hooks -------------------------------------------------------------------------------------------------------- */

static void on_step(void *ctx, const cevm_step *step)
{
    cevm_prestate *t = ctx;
    t->held.op = OP_STOP;
    if (!cevm_trace_step(&t->base) || step->code.size == 0) {
        return;
    }
    t->held = *step;
    t->held_address = *step->address;
    t->accounts_before = t->account_count;
    t->slots_before = t->slot_count;
    const cevm_u256 *top = step->stack + step->stack_size - 1; /* read only as far as the stack is high */
    cevm_address named;
    switch (step->op) {
    case OP_SLOAD:
    case OP_SSTORE:
        if (step->stack_size >= 1) {
            touch_slot(t, step->address, top);
        }
        break;
    case OP_EXTCODECOPY:
    case OP_EXTCODEHASH:
    case OP_EXTCODESIZE:
    case OP_BALANCE:
    case OP_SELFDESTRUCT:
        if (step->stack_size >= 1) {
            named = cevm_address_from_u256(top);
            (void)touch(t, &named);
        }
        break;
    case OP_CALL:
    case OP_CALLCODE:
    case OP_DELEGATECALL:
    case OP_STATICCALL:
        if (step->stack_size >= 5) {
            named = cevm_address_from_u256(top - 1);
            touch_callee(t, &named);
        }
        break;
    default: break;
    }
}

static void on_step_end(void *ctx, int64_t gas_cost, int status)
{
    cevm_prestate *t = ctx;
    (void)gas_cost;
    uint8_t op = t->held.op;
    t->held.op = OP_STOP;
    if (op == OP_STOP) {
        return;
    }
    if (status >= 0 && !cevm_status_is_success((cevm_status)status)) {
        forget(t);
    } else if (op == OP_SELFDESTRUCT) {
        cevm_touched_account *account = touch(t, &t->held_address);
        /* EIP-6780: only what this transaction created goes away. */
        if (account != NULL && (account->created || !CEVM_HAS_EIP(t->base.fork, 6780))) {
            account->deleted = true;
        }
    }
}

/* The addresses of new contracts, before they are. */
static void on_enter(void *ctx, const cevm_message *msg, uint32_t depth)
{
    cevm_prestate *t = ctx;
    (void)depth;
    if (msg->kind == CEVM_CREATE || msg->kind == CEVM_CREATE2) {
        cevm_touched_account *account = touch(t, &msg->recipient);
        if (account != NULL) {
            account->created = true;
        }
    }
}

cevm_err cevm_prestate_begin(cevm_trace *base, const cevm_tx *tx, const cevm_block_env *block)
{
    cevm_prestate *t = (cevm_prestate *)base;
    (void)touch(t, &tx->sender);
    if (tx->is_create) {
        cevm_address created;
        cevm_create_address(&created, &tx->sender, cevm_trace_account(base, &tx->sender).nonce);
        cevm_touched_account *account = touch(t, &created);
        if (account != NULL) {
            account->created = true;
        }
    } else {
        touch_callee(t, &tx->to);
    }
    (void)touch(t, &block->coinbase);
    for (size_t i = 0; i < tx->authorization_count; ++i) {
        cevm_address authority;
        if (cevm_authorization_authority(&authority, &tx->authorizations[i])) {
            (void)touch(t, &authority);
        }
    }
    return base->failed;
}

/* ---- Writing ------------------------------------------------------------------------------------------------------ */

static int by_owner_and_key(const void *a, const void *b)
{
    const cevm_touched_slot *x = a;
    const cevm_touched_slot *y = b;
    if (x->owner != y->owner) {
        return x->owner < y->owner ? -1 : 1;
    }
    for (size_t i = 4; i-- > 0;) {
        if (x->key.w[i] != y->key.w[i]) {
            return x->key.w[i] < y->key.w[i] ? -1 : 1;
        }
    }
    return 0;
}

static int by_address(const void *a, const void *b)
{
    return memcmp(((const cevm_touched_account *)a)->address.bytes, ((const cevm_touched_account *)b)->address.bytes,
                  sizeof(cevm_address));
}

void cevm_prestate_sort(cevm_prestate *t)
{
    cevm_sort(t->slots, t->slot_count, sizeof t->slots[0], by_owner_and_key);
    for (size_t i = t->slot_count; i-- > 0;) {
        cevm_touched_slot *slot = &t->slots[i];
        bool last = i + 1 == t->slot_count || t->slots[i + 1].owner != slot->owner;
        slot->next = last ? CEVM_MAP_NONE : (uint32_t)i + 1;
        t->accounts[slot->owner].first_slot = (uint32_t)i;
    }
    cevm_sort(t->accounts, t->account_count, sizeof t->accounts[0], by_address);
}

void cevm_prestate_put_address_key(cevm_json_writer *w, const cevm_address *address)
{
    char name[43] = "0x";
    cevm_hex_encode(name + 2, address->bytes, sizeof address->bytes);
    cevm_json_put_key(w, name);
}

void cevm_prestate_put_word_key(cevm_json_writer *w, const cevm_u256 *key)
{
    char name[67] = "0x";
    uint8_t bytes[32];
    cevm_u256_to_be(bytes, key);
    cevm_hex_encode(name + 2, bytes, sizeof bytes);
    cevm_json_put_key(w, name);
}

static void put_slot(cevm_json_writer *w, const cevm_u256 *key, const cevm_u256 *value)
{
    cevm_prestate_put_word_key(w, key);
    cevm_json_put_word(w, value);
}

/* The slots as they were before; with diffMode those that changed and were (`after`: are) not zero. */
static void put_storage(cevm_prestate *t, const cevm_touched_account *account, bool after)
{
    cevm_json_writer *w = t->base.out;
    bool any = false;
    for (uint32_t i = account->first_slot; i != CEVM_MAP_NONE && cevm_trace_may_write(&t->base); i = t->slots[i].next) {
        const cevm_touched_slot *slot = &t->slots[i];
        cevm_u256 value = slot->value;
        if (t->diff && !account->deleted) {
            cevm_u256 now = cevm_trace_slot(&t->base, &account->address, &slot->key);
            if (cevm_u256_equal(&now, &value)) {
                continue;
            }
            value = after ? now : value;
            if (cevm_u256_is_zero(&value)) {
                continue;
            }
        }
        if (!any) {
            any = true;
            cevm_json_put_key(w, "storage");
            cevm_json_begin_object(w);
        }
        put_slot(w, &slot->key, &value);
    }
    if (any) {
        cevm_json_end_object(w);
    }
}

static void put_before(cevm_prestate *t, const cevm_touched_account *account)
{
    cevm_json_writer *w = t->base.out;
    cevm_prestate_put_address_key(w, &account->address);
    cevm_json_begin_object(w);
    cevm_json_put_key(w, "balance");
    cevm_json_put_quantity256(w, &account->balance);
    if (account->code.size != 0) {
        cevm_json_put_key(w, "code");
        cevm_json_put_data(w, account->code);
    }
    if (account->has_code) {
        cevm_json_put_key(w, "codeHash");
        cevm_json_put_hash(w, &account->code_hash);
    }
    if (account->nonce != 0) {
        cevm_json_put_key(w, "nonce");
        cevm_json_put_number(w, account->nonce);
    }
    put_storage(t, account, false);
    cevm_json_end_object(w);
}

static bool slots_changed(cevm_prestate *t, const cevm_touched_account *account)
{
    bool changed = false;
    for (uint32_t i = account->first_slot; i != CEVM_MAP_NONE && !changed; i = t->slots[i].next) {
        cevm_u256 now = cevm_trace_slot(&t->base, &account->address, &t->slots[i].key);
        changed = !cevm_u256_equal(&now, &t->slots[i].value);
    }
    return changed;
}

/* How an account differs now; false when it does not. */
typedef struct change {
    cevm_account_info now;
    bool balance, nonce, code, storage;
} change;

static bool compare(change *out, cevm_prestate *t, const cevm_touched_account *account)
{
    cevm_account_info now = cevm_trace_account(&t->base, &account->address);
    bool has_code = now.exists && !cevm_hash_equal(&now.code_hash, &cevm_empty_code_hash);
    *out = (change){.now = now};
    out->balance = !cevm_u256_equal(&now.balance, &account->balance);
    out->nonce = now.nonce != account->nonce;
    out->code = has_code != account->has_code || (has_code && !cevm_hash_equal(&now.code_hash, &account->code_hash));
    out->storage = slots_changed(t, account);
    return out->balance || out->nonce || out->code || out->storage;
}

static void put_after(cevm_prestate *t, const cevm_touched_account *account, const change *c)
{
    static const cevm_hash none = {{0}};
    cevm_json_writer *w = t->base.out;
    cevm_prestate_put_address_key(w, &account->address);
    cevm_json_begin_object(w);
    if (c->balance) {
        cevm_json_put_key(w, "balance");
        cevm_json_put_quantity256(w, &c->now.balance);
    }
    if (c->code) {
        if (!t->no_code) {
            cevm_json_put_key(w, "code");
            cevm_json_put_data(w, cevm_trace_code(&t->base, &account->address));
        }
        cevm_json_put_key(w, "codeHash");
        cevm_json_put_hash(w, c->now.exists ? &c->now.code_hash : &none);
    }
    if (c->nonce && c->now.nonce != 0) {
        cevm_json_put_key(w, "nonce");
        cevm_json_put_number(w, c->now.nonce);
    }
    put_storage(t, account, true);
    cevm_json_end_object(w);
}

static bool is_shown(const cevm_prestate *t, const cevm_touched_account *account)
{
    return t->with_empty || !account->empty;
}

static void put_pre(cevm_prestate *t)
{
    change c;
    cevm_json_begin_object(t->base.out);
    for (size_t i = 0; i < t->account_count && cevm_trace_may_write(&t->base); ++i) {
        const cevm_touched_account *account = &t->accounts[i];
        if (is_shown(t, account) && (!t->diff || account->deleted || compare(&c, t, account))) {
            put_before(t, account);
        }
    }
    cevm_json_end_object(t->base.out);
}

static void put_post(cevm_prestate *t)
{
    change c;
    cevm_json_begin_object(t->base.out);
    for (size_t i = 0; i < t->account_count && cevm_trace_may_write(&t->base); ++i) {
        const cevm_touched_account *account = &t->accounts[i];
        if (!account->deleted && compare(&c, t, account)) {
            put_after(t, account, &c);
        }
    }
    cevm_json_end_object(t->base.out);
}

static cevm_err finish(cevm_trace *base, const cevm_receipt *receipt)
{
    cevm_prestate *t = (cevm_prestate *)base;
    (void)receipt;
    cevm_prestate_sort(t);
    if (!t->diff) {
        put_pre(t);
        return base->failed;
    }
    cevm_json_begin_object(base->out);
    cevm_json_put_key(base->out, "post");
    put_post(t);
    cevm_json_put_key(base->out, "pre");
    put_pre(t);
    cevm_json_end_object(base->out);
    return base->failed;
}

void cevm_prestate_release(cevm_trace *base)
{
    cevm_prestate *t = (cevm_prestate *)base;
    for (size_t i = 0; i < t->account_count; ++i) {
        cevm_trace_free(base, t->accounts[i].code);
    }
    cevm_map_free(&t->account_map);
    cevm_map_free(&t->slot_map);
    cevm_free(base->allocator, t->accounts);
    cevm_free(base->allocator, t->slots);
}

cevm_prestate *cevm_prestate_create(const cevm_trace_request *request, const cevm_trace_ops *ops)
{
    cevm_prestate *t = cevm_trace_new(sizeof *t, ops, request);
    if (t != NULL) {
        cevm_map_seed_init(&t->seed);
        cevm_map_init(&t->account_map, request->allocator);
        cevm_map_init(&t->slot_map, request->allocator);
        t->base.hooks.on_enter = on_enter;
        t->base.hooks.on_step = on_step;
        t->base.hooks.on_step_end = on_step_end;
    }
    return t;
}

cevm_err cevm_trace_make_prestate(cevm_trace **out, cevm_trace_error *error, const cevm_trace_request *request)
{
    static const cevm_trace_ops ops = {
        .begin = cevm_prestate_begin, .finish = finish, .release = cevm_prestate_release};
    const json_t *config = request->config;
    cevm_prestate *t = cevm_prestate_create(request, &ops);
    if (t == NULL) {
        return CEVM_ERR_NOMEM;
    }
    if (!cevm_trace_option_bool(&t->diff, error, config, "diffMode") ||
        !cevm_trace_option_bool(&t->no_code, error, config, "disableCode") ||
        !cevm_trace_option_bool(&t->no_storage, error, config, "disableStorage") ||
        !cevm_trace_option_bool(&t->with_empty, error, config, "includeEmpty")) {
        cevm_trace_destroy(&t->base);
        return CEVM_ERR_ARGUMENT;
    }
    if (t->diff && t->with_empty) { /* what was empty has nothing to differ from */
        (void)strcpy(error->text, "options diffMode and includeEmpty exclude each other");
        cevm_trace_destroy(&t->base);
        return CEVM_ERR_ARGUMENT;
    }
    *out = &t->base;
    return CEVM_OK;
}
