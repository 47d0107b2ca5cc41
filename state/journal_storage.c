/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/journal_storage.c: slots (with the warmth of EIP-2929 and the original values of EIP-2200) and transient storage
 * (EIP-1153).
 */
#include "state/journal_internal.h"

#include <cevm/alloc.h>

enum { MAX_ENTRIES = 1 << 30 };

static uint32_t find_slot(const cevm_state *state, uint32_t tag, uint32_t account, const cevm_u256 *key)
{
    uint32_t position = cevm_map_start(&state->slot_map, tag);
    uint32_t found;
    do {
        found = cevm_map_next(&state->slot_map, &position, tag);
    } while (found != CEVM_MAP_NONE &&
             (state->slots[found].account != account || !cevm_u256_equal(&state->slots[found].key, key)));
    return found;
}

/** Index of the slot's entry, made if need be, not loaded. */
static cevm_err slot_entry(cevm_state *state, uint32_t *index, uint32_t account, const cevm_u256 *key)
{
    const uint32_t tag = cevm_map_hash_slot(&state->seed, account, key);
    *index = find_slot(state, tag, account, key);
    if (*index != CEVM_MAP_NONE) {
        return CEVM_OK;
    }
    if (state->slot_count >= MAX_ENTRIES) {
        return CEVM_ERR_NOMEM;
    }
    journal_slot *slots =
        cevm_array_reserve(state->allocator, state->slots, &state->slot_capacity, state->slot_count, 1, sizeof *slots);
    if (slots == NULL) {
        return CEVM_ERR_NOMEM;
    }
    state->slots = slots;
    if (cevm_map_reserve(&state->slot_map, 1) != CEVM_OK) {
        return CEVM_ERR_NOMEM;
    }
    *index = (uint32_t)state->slot_count++;
    journal_slot *slot = &slots[*index];
    memset(slot, 0, sizeof *slot);
    slot->key = *key;
    slot->account = account;
    slot->incarnation = CEVM_JOURNAL_NO_INCARNATION;
    slot->next = state->accounts[account].slots;
    state->accounts[account].slots = *index;
    cevm_map_insert(&state->slot_map, tag, *index);
    return CEVM_OK;
}

/**
 * Fills an entry from the backend, the only time. While the storage is dropped the backend's slots are out of sight: such a
 * slot reads as zero and stays unloaded, for the drop may yet be undone.
 */
static cevm_err fetch_slot(cevm_state *state, uint32_t index)
{
    journal_slot *slot = &state->slots[index];
    journal_account *account = &state->accounts[slot->account];
    cevm_u256 stored = cevm_u256_from_u64(0);
    if (account->incarnation != account->stored_incarnation) {
        return CEVM_OK;
    }
    if (!account->loaded || account->stored_exists) {
        cevm_err err = state->db.vtable->storage(state->db.ctx, &stored, &account->address, &slot->key);
        if (err != CEVM_OK) {
            return err;
        }
        account->nonzero_slots += !cevm_u256_is_zero(&stored);
    }
    slot->stored = stored;
    slot->value = stored;
    slot->incarnation = account->stored_incarnation;
    slot->loaded = true;
    return CEVM_OK;
}

/** The value a slot has now: zero when it belongs to storage that was dropped, or was never loaded. */
static cevm_u256 slot_value(const cevm_state *state, const journal_slot *slot)
{
    return slot->incarnation == state->accounts[slot->account].incarnation ? slot->value : cevm_u256_from_u64(0);
}

/** Finds a slot, warms and loads it; *cold tells whether it was cold, and when skip_cold says so, a cold one is left alone. */
static cevm_err open_slot(cevm_state *state, uint32_t *index, bool *cold, const cevm_address *address,
                          const cevm_u256 *key, bool skip_cold)
{
    uint32_t account = 0;
    cevm_err err = cevm_journal_entry(state, &account, address);
    if (err != CEVM_OK) {
        return err;
    }
    if (skip_cold) {
        const uint32_t found = find_slot(state, cevm_map_hash_slot(&state->seed, account, key), account, key);
        if (found == CEVM_MAP_NONE || state->slots[found].warm_epoch != state->epoch) {
            *cold = true;
            return CEVM_OK;
        }
    }
    err = slot_entry(state, index, account, key);
    if (err != CEVM_OK) {
        return err;
    }
    if (!state->slots[*index].loaded) {
        err = fetch_slot(state, *index);
        if (err != CEVM_OK) {
            return err;
        }
    }
    *cold = state->slots[*index].warm_epoch != state->epoch;
    if (*cold) {
        err = cevm_journal_reserve(state, 1);
        if (err != CEVM_OK) {
            return err;
        }
        cevm_journal_push(state, UNDO_WARM_SLOT, *index);
        state->slots[*index].warm_epoch = state->epoch;
    }
    return CEVM_OK;
}

cevm_err cevm_journal_sload(void *ctx, cevm_slot_info *out, const cevm_address *address, const cevm_u256 *key,
                            bool skip_cold)
{
    cevm_state *state = ctx;
    uint32_t index = 0;
    bool cold = false;
    cevm_err err = open_slot(state, &index, &cold, address, key, skip_cold);
    if (err != CEVM_OK) {
        return err;
    }
    out->cold = cold;
    out->skipped = cold && skip_cold;
    if (!out->skipped) {
        out->value = slot_value(state, &state->slots[index]);
    }
    return CEVM_OK;
}

/** Puts a slot, and its account, on the list of what a commit has to look at. */
static void mark_slot_dirty(cevm_state *state, uint32_t index)
{
    journal_slot *slot = &state->slots[index];
    if (!slot->dirty) {
        slot->dirty = true;
        slot->next_dirty = state->accounts[slot->account].dirty_slots;
        state->accounts[slot->account].dirty_slots = index;
    }
    cevm_journal_mark_dirty(state, slot->account);
}

static void write_slot(cevm_state *state, uint32_t index, const cevm_u256 *current, const cevm_u256 *value)
{
    journal_slot *slot = &state->slots[index];
    journal_account *account = &state->accounts[slot->account];
    journal_undo *undo = cevm_journal_push(state, UNDO_STORAGE, index);
    undo->value = slot->value;
    undo->extra = slot->incarnation;
    account->nonzero_slots -= !cevm_u256_is_zero(current);
    account->nonzero_slots += !cevm_u256_is_zero(value);
    slot->value = *value;
    slot->incarnation = account->incarnation;
    mark_slot_dirty(state, index);
}

void cevm_journal_restore_slot(cevm_state *state, const journal_undo *undo)
{
    journal_slot *slot = &state->slots[undo->index];
    journal_account *account = &state->accounts[slot->account];
    account->nonzero_slots -= !cevm_u256_is_zero(&slot->value);
    slot->value = undo->value;
    slot->incarnation = undo->extra;
    const cevm_u256 restored = slot_value(state, slot);
    account->nonzero_slots += !cevm_u256_is_zero(&restored);
}

cevm_err cevm_journal_sstore(void *ctx, cevm_sstore_info *out, const cevm_address *address, const cevm_u256 *key,
                             const cevm_u256 *value, bool skip_cold)
{
    cevm_state *state = ctx;
    uint32_t index = 0;
    uint32_t owner = 0;
    bool cold = false;
    cevm_err err = cevm_journal_account(state, &owner, address);
    if (err == CEVM_OK) {
        err = cevm_journal_reserve(state, 2); /* warming and writing */
    }
    if (err == CEVM_OK) {
        err = open_slot(state, &index, &cold, address, key, skip_cold);
    }
    if (err != CEVM_OK) {
        return err;
    }
    out->cold = cold;
    out->skipped = cold && skip_cold;
    if (out->skipped) {
        return CEVM_OK;
    }
    journal_slot *slot = &state->slots[index];
    const cevm_u256 current = slot_value(state, slot);
    out->current = current;
    if (state->accounts[owner].created_epoch == state->epoch) {
        /* The storage is as old as the account. What the slot held before does not count, nor is it remembered here, for
           the creation may yet be undone. */
        out->original = cevm_u256_from_u64(0);
    } else {
        if (slot->original_epoch != state->epoch) {
            slot->original_epoch = state->epoch;
            slot->original = current;
        }
        out->original = slot->original;
    }
    if (!cevm_u256_equal(&current, value)) {
        write_slot(state, index, &current, value);
    }
    return CEVM_OK;
}

cevm_err cevm_state_warm_slot(cevm_state *state, const cevm_address *address, const cevm_u256 *key)
{
    uint32_t account = 0;
    uint32_t index = 0;
    cevm_err err = cevm_journal_entry(state, &account, address);
    if (err == CEVM_OK) {
        err = cevm_journal_reserve(state, 1);
    }
    if (err == CEVM_OK) {
        err = slot_entry(state, &index, account, key);
    }
    if (err != CEVM_OK) {
        return err;
    }
    if (state->slots[index].warm_epoch != state->epoch) {
        cevm_journal_push(state, UNDO_WARM_SLOT, index);
        state->slots[index].warm_epoch = state->epoch;
    }
    return CEVM_OK;
}

cevm_err cevm_state_get_storage(cevm_state *state, cevm_u256 *out, const cevm_address *address, const cevm_u256 *key)
{
    uint32_t account = 0;
    uint32_t index = 0;
    cevm_err err = cevm_journal_entry(state, &account, address);
    if (err == CEVM_OK) {
        err = slot_entry(state, &index, account, key);
    }
    if (err == CEVM_OK && !state->slots[index].loaded) {
        err = fetch_slot(state, index);
    }
    if (err == CEVM_OK) {
        *out = slot_value(state, &state->slots[index]);
    }
    return err;
}

/* ---- Transient storage ------------------------------------------------------------------------------------------- */

static uint32_t find_transient(const cevm_state *state, uint32_t tag, uint32_t account, const cevm_u256 *key)
{
    uint32_t position = cevm_map_start(&state->transient_map, tag);
    uint32_t found;
    do {
        found = cevm_map_next(&state->transient_map, &position, tag);
    } while (found != CEVM_MAP_NONE &&
             (state->transients[found].account != account || !cevm_u256_equal(&state->transients[found].key, key)));
    return found;
}

cevm_err cevm_journal_tload(void *ctx, cevm_u256 *out, const cevm_address *address, const cevm_u256 *key)
{
    cevm_state *state = ctx;
    uint32_t account = 0;
    cevm_err err = cevm_journal_entry(state, &account, address);
    if (err != CEVM_OK) {
        return err;
    }
    const uint32_t tag = cevm_map_hash_slot(&state->seed, account, key);
    const uint32_t found = find_transient(state, tag, account, key);
    *out = found != CEVM_MAP_NONE ? state->transients[found].value : cevm_u256_from_u64(0);
    return CEVM_OK;
}

static cevm_err add_transient(cevm_state *state, uint32_t *index, uint32_t tag, uint32_t account, const cevm_u256 *key)
{
    if (state->transient_count >= MAX_ENTRIES) {
        return CEVM_ERR_NOMEM;
    }
    journal_transient *transients = cevm_array_reserve(state->allocator, state->transients, &state->transient_capacity,
                                                       state->transient_count, 1, sizeof *transients);
    if (transients == NULL) {
        return CEVM_ERR_NOMEM;
    }
    state->transients = transients;
    if (cevm_map_reserve(&state->transient_map, 1) != CEVM_OK) {
        return CEVM_ERR_NOMEM;
    }
    *index = (uint32_t)state->transient_count++;
    transients[*index] = (journal_transient){.key = *key, .value = cevm_u256_from_u64(0), .account = account};
    cevm_map_insert(&state->transient_map, tag, *index);
    return CEVM_OK;
}

cevm_err cevm_journal_tstore(void *ctx, const cevm_address *address, const cevm_u256 *key, const cevm_u256 *value)
{
    cevm_state *state = ctx;
    uint32_t account = 0;
    cevm_err err = cevm_journal_entry(state, &account, address);
    if (err == CEVM_OK) {
        err = cevm_journal_reserve(state, 1);
    }
    if (err != CEVM_OK) {
        return err;
    }
    const uint32_t tag = cevm_map_hash_slot(&state->seed, account, key);
    uint32_t index = find_transient(state, tag, account, key);
    if (index == CEVM_MAP_NONE) {
        err = add_transient(state, &index, tag, account, key);
        if (err != CEVM_OK) {
            return err;
        }
    }
    cevm_journal_push(state, UNDO_TRANSIENT, index)->value = state->transients[index].value;
    state->transients[index].value = *value;
    return CEVM_OK;
}

void cevm_journal_clear_transient(cevm_state *state)
{
    cevm_map_clear(&state->transient_map);
    state->transient_count = 0;
}
