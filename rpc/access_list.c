/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/access_list.h"

#include "evm/opcodes.h"

/* ---- The list ------------------------------------------------------------------------------------------------------ */

static cevm_touched_account *find(const cevm_access_list *list, const cevm_address *address)
{
    for (size_t i = 0; i < list->count; ++i) {
        if (cevm_address_equal(&list->accounts[i].address, address)) {
            return &list->accounts[i];
        }
    }
    return NULL;
}

/** Room for one more item; the arena keeps the old array until it is given back. */
static void *grow(cevm_access_list *list, const void *old, size_t *capacity, size_t count, size_t size)
{
    if (count < *capacity) {
        return NULL;
    }
    const size_t wanted = 2 * *capacity + 8;
    void *items = cevm_arena_array(list->arena, wanted, size);
    if (items == NULL) {
        list->failed = true;
        return NULL;
    }
    if (count != 0) {
        memcpy(items, old, count * size);
    }
    *capacity = wanted;
    return items;
}

static cevm_touched_account *add_account(cevm_access_list *list, const cevm_address *address)
{
    cevm_touched_account *account = find(list, address);
    if (account != NULL) {
        return account;
    }
    cevm_touched_account *moved = grow(list, list->accounts, &list->capacity, list->count, sizeof *moved);
    list->accounts = moved != NULL ? moved : list->accounts;
    if (list->failed) {
        return NULL;
    }
    account = &list->accounts[list->count++];
    *account = (cevm_touched_account){.address = *address};
    return account;
}

static bool has_key(const cevm_touched_account *account, const cevm_hash *key)
{
    for (size_t i = 0; i < account->key_count; ++i) {
        if (cevm_hash_equal(&account->keys[i], key)) {
            return true;
        }
    }
    return false;
}

static void add_slot(cevm_access_list *list, const cevm_address *address, const cevm_hash *key)
{
    cevm_touched_account *account = add_account(list, address);
    if (account == NULL || has_key(account, key)) {
        return;
    }
    cevm_hash *moved = grow(list, account->keys, &account->key_capacity, account->key_count, sizeof *moved);
    account->keys = moved != NULL ? moved : account->keys;
    if (!list->failed) {
        account->keys[account->key_count++] = *key;
    }
}

static void touch(cevm_access_list *list, const cevm_u256 *word)
{
    const cevm_address address = cevm_address_from_u256(word);
    for (size_t i = 0; i < list->excluded_count; ++i) {
        if (cevm_address_equal(&list->excluded[i], &address)) {
            return;
        }
    }
    (void)add_account(list, &address);
}

void cevm_access_list_begin(cevm_access_list *out, const cevm_tx *tx, const cevm_address *excluded,
                            size_t excluded_count, cevm_arena *arena)
{
    *out = (cevm_access_list){.arena = arena, .excluded = excluded, .excluded_count = excluded_count};
    for (size_t i = 0; i < tx->access_count; ++i) {
        const cevm_access_entry *entry = &tx->access_list[i];
        const cevm_u256 word = cevm_u256_from_address(&entry->address);
        touch(out, &word);
        for (size_t k = 0; k < entry->key_count; ++k) {
            add_slot(out, &entry->address, &entry->keys[k]);
        }
    }
}

/* ---- Watching ------------------------------------------------------------------------------------------------------ */

/** What the instruction is about to touch, as geth's list of opcodes has it. */
static void on_step(void *ctx, const cevm_step *step)
{
    cevm_access_list *list = ctx;
    const cevm_u256 *top = step->stack + step->stack_size;
    switch (step->op) {
    case OP_SLOAD:
    case OP_SSTORE:
        if (step->stack_size >= 1) {
            cevm_hash key;
            cevm_u256_to_be(key.bytes, &top[-1]);
            add_slot(list, step->address, &key);
        }
        break;
    case OP_BALANCE:
    case OP_EXTCODESIZE:
    case OP_EXTCODECOPY:
    case OP_EXTCODEHASH:
    case OP_SELFDESTRUCT:
        if (step->stack_size >= 1) {
            touch(list, &top[-1]);
        }
        break;
    case OP_CALL:
    case OP_CALLCODE:
    case OP_DELEGATECALL:
    case OP_STATICCALL:
        if (step->stack_size >= 5) {
            touch(list, &top[-2]);
        }
        break;
    default: break;
    }
}

const cevm_tracer *cevm_access_list_tracer(cevm_access_list *list)
{
    list->tracer = (cevm_tracer){.struct_size = sizeof list->tracer, .ctx = list, .on_step = on_step};
    return &list->tracer;
}

bool cevm_access_list_equal(const cevm_access_list *a, const cevm_access_list *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; ++i) {
        const cevm_touched_account *mine = &a->accounts[i];
        const cevm_touched_account *theirs = find(b, &mine->address);
        if (theirs == NULL || theirs->key_count != mine->key_count) {
            return false;
        }
        for (size_t k = 0; k < mine->key_count; ++k) {
            if (!has_key(theirs, &mine->keys[k])) {
                return false;
            }
        }
    }
    return true;
}

const cevm_access_entry *cevm_access_list_entries(const cevm_access_list *list, size_t *count)
{
    cevm_access_entry *entries = cevm_arena_array(list->arena, list->count, sizeof *entries);
    *count = list->count;
    for (size_t i = 0; entries != NULL && i < list->count; ++i) {
        entries[i] =
            (cevm_access_entry){list->accounts[i].address, list->accounts[i].keys, list->accounts[i].key_count};
    }
    return entries;
}
