/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/journal_commit.c: from the cache to a diff for the backend, and the cache's bookkeeping when it was accepted.
 *
 * Only accounts and slots on the lists of what was written are looked at; of these only what differs from what the backend
 * has goes into the diff.
 */
#include "evm/u256.h"
#include "state/journal_internal.h"

#include <cevm/alloc.h>

static bool storage_dropped(const journal_account *account)
{
    return account->incarnation != account->stored_incarnation;
}

static cevm_u256 value_now(const journal_account *account, const journal_slot *slot)
{
    return slot->incarnation == account->incarnation ? slot->value : cevm_u256_from_u64(0);
}

/** Whether a slot differs from what the backend has once it has dropped the account's storage (if it has to). */
static bool slot_differs(const journal_account *account, const journal_slot *slot)
{
    const cevm_u256 now = value_now(account, slot);
    if (storage_dropped(account)) {
        return !cevm_u256_is_zero(&now);
    }
    return !cevm_u256_equal(&now, &slot->stored);
}

/** Appends the account's changed slots to `slots` (or only counts them when it is NULL). */
static size_t collect_slots(const cevm_state *state, const journal_account *account, cevm_slot_change *slots)
{
    size_t count = 0;
    for (uint32_t i = account->dirty_slots; i != CEVM_MAP_NONE; i = state->slots[i].next_dirty) {
        const journal_slot *slot = &state->slots[i];
        if (slot_differs(account, slot)) {
            if (slots != NULL) {
                slots[count] = (cevm_slot_change){.key = slot->key, .value = value_now(account, slot)};
            }
            ++count;
        }
    }
    return count;
}

/** Describes an account's change; false when there is none. Slots are appended at `slots`. */
static bool describe(const cevm_state *state, cevm_account_change *out, const journal_account *account,
                     cevm_slot_change *slots)
{
    const cevm_db_account *stored = &account->stored;
    memset(out, 0, sizeof *out);
    out->address = account->address;
    if (!account->exists) {
        out->deleted = true;
        return account->stored_exists;
    }
    out->storage_cleared = account->stored_exists && storage_dropped(account);
    out->balance = account->balance;
    out->nonce = account->nonce;
    out->code_hash = account->code_hash;
    if (!cevm_hash_equal(&account->code_hash, &stored->code_hash)) {
        const journal_code *code = &state->codes[account->code];
        out->code_changed = true;
        out->code = (cevm_bytes){code->data, code->size};
    }
    out->slots = slots;
    out->slot_count = collect_slots(state, account, slots);
    return !account->stored_exists || out->storage_cleared || out->code_changed || out->slot_count != 0 ||
           account->nonce != stored->nonce || !cevm_u256_equal(&account->balance, &stored->balance);
}

static int compare_changes(const void *a, const void *b)
{
    const cevm_account_change *left = a;
    const cevm_account_change *right = b;
    return memcmp(left->address.bytes, right->address.bytes, sizeof left->address.bytes);
}

static int compare_slots(const void *a, const void *b)
{
    const cevm_slot_change *left = a;
    const cevm_slot_change *right = b;
    return u256_cmp(&left->key, &right->key);
}

/** The backend has everything now: forgets what was dirty. */
static void settle_account(cevm_state *state, journal_account *account)
{
    const bool dropped = storage_dropped(account);
    if (dropped) {
        /* Also slots that were only read: what the backend had under them is gone. */
        for (uint32_t i = account->slots; i != CEVM_MAP_NONE; i = state->slots[i].next) {
            journal_slot *slot = &state->slots[i];
            slot->value = value_now(account, slot);
            slot->stored = slot->value;
            slot->incarnation = account->incarnation;
            slot->loaded = true;
        }
    }
    for (uint32_t i = account->dirty_slots; i != CEVM_MAP_NONE; i = state->slots[i].next_dirty) {
        journal_slot *slot = &state->slots[i];
        slot->stored = value_now(account, slot);
        slot->dirty = false;
    }
    account->dirty_slots = CEVM_MAP_NONE;
    account->dirty = false;
    account->stored_exists = account->exists;
    account->stored_incarnation = account->incarnation;
    account->stored.balance = account->balance;
    account->stored.nonce = account->nonce;
    account->stored.code_hash = account->code_hash;
    account->stored.has_storage = account->nonzero_slots != 0 || (!dropped && account->stored.has_storage);
}

/** Upper bounds for the diff. */
static void count_changes(const cevm_state *state, size_t *accounts, size_t *slots)
{
    *accounts = 0;
    *slots = 0;
    for (uint32_t i = state->dirty_head; i != CEVM_MAP_NONE; i = state->accounts[i].next_dirty) {
        const journal_account *account = &state->accounts[i];
        ++*accounts;
        *slots += account->exists ? collect_slots(state, account, NULL) : 0;
    }
}

cevm_err cevm_state_commit(cevm_state *state)
{
    size_t account_count;
    size_t slot_count;
    count_changes(state, &account_count, &slot_count);
    if (account_count == 0) {
        return CEVM_OK;
    }
    cevm_account_change *changes = cevm_resize_array(state->allocator, NULL, account_count, sizeof *changes);
    cevm_slot_change *slots =
        slot_count != 0 ? cevm_resize_array(state->allocator, NULL, slot_count, sizeof *slots) : NULL;
    cevm_err err = CEVM_ERR_NOMEM;
    if (changes != NULL && (slots != NULL || slot_count == 0)) {
        cevm_diff diff = {.accounts = changes, .account_count = 0};
        size_t used = 0;
        for (uint32_t i = state->dirty_head; i != CEVM_MAP_NONE; i = state->accounts[i].next_dirty) {
            cevm_account_change *change = &changes[diff.account_count];
            cevm_slot_change *place = slots != NULL ? slots + used : NULL;
            if (describe(state, change, &state->accounts[i], place)) {
                if (change->slot_count != 0) {
                    cevm_sort(place, change->slot_count, sizeof *place, compare_slots);
                    used += change->slot_count;
                }
                ++diff.account_count;
            }
        }
        cevm_sort(changes, diff.account_count, sizeof *changes, compare_changes);
        err = diff.account_count != 0 ? state->db.vtable->commit(state->db.ctx, &diff) : CEVM_OK;
    }
    cevm_free(state->allocator, changes);
    cevm_free(state->allocator, slots);
    if (err != CEVM_OK) {
        return err;
    }
    for (uint32_t i = state->dirty_head; i != CEVM_MAP_NONE; i = state->accounts[i].next_dirty) {
        settle_account(state, &state->accounts[i]);
    }
    state->dirty_head = CEVM_MAP_NONE;
    return CEVM_OK;
}

cevm_err cevm_state_commit_root(cevm_state *state, cevm_hash *out)
{
    const cevm_db *db = &state->db;
    if (db->vtable->root == NULL) {
        return CEVM_ERR_ARGUMENT;
    }
    const cevm_err err = cevm_state_commit(state);
    return err != CEVM_OK ? err : db->vtable->root(db->ctx, out);
}
