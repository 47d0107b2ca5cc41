/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/journal.c: life of a state and of a transaction, look-up of accounts and code, undo (cevm/state.h).
 *
 * Start with state/journal_internal.h, which explains how the journal works. EIP-161 is at home here and in
 * journal_account.c: what is touched is kept on a stack, and cevm_state_end_tx deletes what of it is empty.
 */
#include "state/journal_internal.h"

#include <cevm/alloc.h>
#include <cevm/crypto.h>

enum { MAX_ENTRIES = 1 << 30 }; /* indices stay far below CEVM_MAP_NONE */

/* ---- Look-up ----------------------------------------------------------------------------------------------------- */

static cevm_err add_entry(cevm_state *state, uint32_t *index, uint32_t tag, const cevm_address *address)
{
    if (state->account_count >= MAX_ENTRIES) {
        return CEVM_ERR_NOMEM;
    }
    journal_account *accounts = cevm_array_reserve(state->allocator, state->accounts, &state->account_capacity,
                                                   state->account_count, 1, sizeof *accounts);
    if (accounts == NULL) {
        return CEVM_ERR_NOMEM;
    }
    state->accounts = accounts;
    if (cevm_map_reserve(&state->account_map, 1) != CEVM_OK) {
        return CEVM_ERR_NOMEM;
    }
    journal_account *account = &accounts[state->account_count];
    memset(account, 0, sizeof *account);
    account->address = *address;
    account->slots = CEVM_MAP_NONE;
    account->dirty_slots = CEVM_MAP_NONE;
    *index = (uint32_t)state->account_count++;
    cevm_map_insert(&state->account_map, tag, *index);
    return CEVM_OK;
}

cevm_err cevm_journal_other_entry(cevm_state *state, uint32_t *index, const cevm_address *address)
{
    uint32_t found = state->other_account;
    if (found != CEVM_MAP_NONE && cevm_address_equal(&state->accounts[found].address, address)) {
        state->other_account = state->last_account;
        state->last_account = found;
        *index = found;
        return CEVM_OK;
    }
    const uint32_t tag = cevm_map_hash_address(&state->seed, address);
    uint32_t position = cevm_map_start(&state->account_map, tag);
    do {
        found = cevm_map_next(&state->account_map, &position, tag);
    } while (found != CEVM_MAP_NONE && !cevm_address_equal(&state->accounts[found].address, address));
    if (found == CEVM_MAP_NONE) {
        cevm_err err = add_entry(state, &found, tag, address);
        if (err != CEVM_OK) {
            return err;
        }
    }
    state->other_account = state->last_account;
    state->last_account = found;
    *index = found;
    return CEVM_OK;
}

cevm_err cevm_journal_fetch_account(cevm_state *state, uint32_t index)
{
    journal_account *account = &state->accounts[index];
    bool exists = false;
    cevm_db_account stored;
    memset(&stored, 0, sizeof stored);
    const cevm_address address = account->address;
    cevm_err err = state->db.vtable->account(state->db.ctx, &stored, &exists, &address);
    if (err != CEVM_OK) {
        return err;
    }
    if (!exists) {
        memset(&stored, 0, sizeof stored);
        stored.code_hash = cevm_empty_code_hash;
    }
    account->stored = stored;
    account->stored_exists = exists;
    account->exists = exists;
    account->balance = stored.balance;
    account->nonce = stored.nonce;
    account->code_hash = stored.code_hash;
    account->code = cevm_hash_equal(&stored.code_hash, &cevm_empty_code_hash) ? 0 : CEVM_MAP_NONE;
    account->loaded = true;
    return CEVM_OK;
}

cevm_err cevm_journal_keep_code(cevm_state *state, uint32_t *code, const cevm_hash *hash, cevm_bytes bytes)
{
    const uint32_t tag = cevm_map_hash_hash(&state->seed, hash);
    uint32_t position = cevm_map_start(&state->code_map, tag);
    do {
        *code = cevm_map_next(&state->code_map, &position, tag);
    } while (*code != CEVM_MAP_NONE && !cevm_hash_equal(&state->codes[*code].hash, hash));
    if (*code != CEVM_MAP_NONE) {
        return CEVM_OK;
    }
    if (state->code_count >= MAX_ENTRIES) {
        return CEVM_ERR_NOMEM;
    }
    journal_code *codes =
        cevm_array_reserve(state->allocator, state->codes, &state->code_capacity, state->code_count, 1, sizeof *codes);
    if (codes == NULL) {
        return CEVM_ERR_NOMEM;
    }
    state->codes = codes;
    if (cevm_map_reserve(&state->code_map, 1) != CEVM_OK) {
        return CEVM_ERR_NOMEM;
    }
    uint8_t *data = NULL;
    if (bytes.size != 0) {
        data = cevm_alloc(state->allocator, bytes.size);
        if (data == NULL) {
            return CEVM_ERR_NOMEM;
        }
        memcpy(data, bytes.data, bytes.size);
    }
    codes[state->code_count] = (journal_code){.hash = *hash, .data = data, .size = bytes.size};
    *code = (uint32_t)state->code_count++;
    state->code_bytes += bytes.size;
    cevm_map_insert(&state->code_map, tag, *code);
    return CEVM_OK;
}

cevm_err cevm_journal_code(cevm_state *state, uint32_t *code, uint32_t account)
{
    *code = state->accounts[account].code;
    if (*code != CEVM_MAP_NONE) {
        return CEVM_OK;
    }
    const cevm_hash hash = state->accounts[account].code_hash;
    const uint32_t tag = cevm_map_hash_hash(&state->seed, &hash);
    uint32_t position = cevm_map_start(&state->code_map, tag);
    do {
        *code = cevm_map_next(&state->code_map, &position, tag);
    } while (*code != CEVM_MAP_NONE && !cevm_hash_equal(&state->codes[*code].hash, &hash));
    if (*code == CEVM_MAP_NONE) {
        cevm_bytes bytes = {NULL, 0};
        cevm_err err = state->db.vtable->code(state->db.ctx, &bytes, &hash);
        if (err == CEVM_OK) {
            err = cevm_journal_keep_code(state, code, &hash, bytes);
        }
        if (err != CEVM_OK) {
            return err;
        }
    }
    state->accounts[account].code = *code;
    return CEVM_OK;
}

cevm_err cevm_journal_reserve_slow(cevm_state *state, size_t count)
{
    journal_undo *undo = cevm_array_reserve(state->allocator, state->undo, &state->undo_capacity, state->undo_count,
                                            count, sizeof *undo);
    if (undo == NULL) {
        return CEVM_ERR_NOMEM;
    }
    state->undo = undo;
    return CEVM_OK;
}

/* ---- Undo -------------------------------------------------------------------------------------------------------- */

static void undo_create(journal_account *account, const journal_undo *undo)
{
    account->incarnation = undo->extra;
    account->nonzero_slots = undo->value.w[0];
    account->created_epoch = undo->value.w[1];
}

static void undo_code(journal_account *account, const journal_undo *undo)
{
    account->code = (uint32_t)undo->extra;
    memcpy(account->code_hash.bytes, undo->value.w, sizeof account->code_hash.bytes);
}

static void undo_one(cevm_state *state, const journal_undo *undo)
{
    switch (undo->action) {
    case UNDO_WARM_ACCOUNT: state->accounts[undo->index].warm_epoch = 0; break;
    case UNDO_WARM_LOW: state->low_warm[undo->index / 64] &= ~((uint64_t)1 << (undo->index % 64)); break;
    case UNDO_WARM_SLOT: state->slots[undo->index].warm_epoch = 0; break;
    case UNDO_EXIST: state->accounts[undo->index].exists = false; break;
    case UNDO_TOUCH:
        state->accounts[undo->index].touched = false;
        state->touched_head = state->accounts[undo->index].next_touched;
        break;
    case UNDO_BALANCE: state->accounts[undo->index].balance = undo->value; break;
    case UNDO_NONCE: state->accounts[undo->index].nonce = undo->value.w[0]; break;
    case UNDO_CODE: undo_code(&state->accounts[undo->index], undo); break;
    case UNDO_CREATE: undo_create(&state->accounts[undo->index], undo); break;
    case UNDO_DESTROY:
        state->accounts[undo->index].destroyed = false;
        state->destroyed_head = state->accounts[undo->index].next_destroyed;
        break;
    case UNDO_STORAGE: cevm_journal_restore_slot(state, undo); break;
    case UNDO_TRANSIENT: state->transients[undo->index].value = undo->value; break;
    }
}

static void revert(void *ctx, cevm_checkpoint mark)
{
    cevm_state *state = ctx;
    while (state->undo_count > mark.journal) {
        undo_one(state, &state->undo[--state->undo_count]);
    }
    cevm_journal_drop_logs(state, mark.logs);
}

static cevm_checkpoint checkpoint(void *ctx)
{
    const cevm_state *state = ctx;
    return (cevm_checkpoint){.journal = state->undo_count, .logs = state->log_count};
}

/* ---- Life -------------------------------------------------------------------------------------------------------- */

cevm_host cevm_state_host(cevm_state *state)
{
    static const cevm_host_vtable vtable = {
        .struct_size = sizeof vtable,
        .load_account = cevm_journal_load_account,
        .load_code = cevm_journal_load_code,
        .sload = cevm_journal_sload,
        .sstore = cevm_journal_sstore,
        .tload = cevm_journal_tload,
        .tstore = cevm_journal_tstore,
        .block_hash = cevm_journal_block_hash,
        .warm_account = cevm_journal_warm_account,
        .transfer = cevm_journal_transfer,
        .create_account = cevm_journal_create_account,
        .increment_nonce = cevm_journal_increment_nonce,
        .set_code = cevm_journal_set_code,
        .selfdestruct = cevm_journal_selfdestruct,
        .log = cevm_journal_log,
        .checkpoint = checkpoint,
        .revert = revert,
    };
    return (cevm_host){.vtable = &vtable, .ctx = state};
}

cevm_err cevm_state_create(cevm_state **out, const cevm_db *db, const cevm_allocator *allocator)
{
    cevm_state *state = cevm_zalloc(allocator, sizeof *state);
    if (state == NULL) {
        return CEVM_ERR_NOMEM;
    }
    state->allocator = allocator;
    state->db = *db;
    state->fork = CEVM_LATEST;
    state->epoch = 1;
    state->last_account = CEVM_MAP_NONE;
    state->other_account = CEVM_MAP_NONE;
    state->dirty_head = CEVM_MAP_NONE;
    state->touched_head = CEVM_MAP_NONE;
    state->destroyed_head = CEVM_MAP_NONE;
    cevm_map_seed_init(&state->seed);
    cevm_map_init(&state->account_map, allocator);
    cevm_map_init(&state->slot_map, allocator);
    cevm_map_init(&state->transient_map, allocator);
    cevm_map_init(&state->code_map, allocator);
    uint32_t no_code;
    cevm_err err = cevm_journal_keep_code(state, &no_code, &cevm_empty_code_hash, (cevm_bytes){NULL, 0});
    if (err != CEVM_OK) {
        cevm_state_destroy(state);
        return err;
    }
    *out = state;
    return CEVM_OK;
}

void cevm_state_destroy(cevm_state *state)
{
    if (state == NULL) {
        return;
    }
    cevm_journal_drop_logs(state, 0);
    for (size_t i = 0; i < state->code_count; ++i) {
        cevm_free(state->allocator, state->codes[i].data);
    }
    cevm_map_free(&state->account_map);
    cevm_map_free(&state->slot_map);
    cevm_map_free(&state->transient_map);
    cevm_map_free(&state->code_map);
    cevm_free(state->allocator, state->accounts);
    cevm_free(state->allocator, state->slots);
    cevm_free(state->allocator, state->transients);
    cevm_free(state->allocator, state->codes);
    cevm_free(state->allocator, state->undo);
    cevm_free(state->allocator, state->logs);
    cevm_free(state->allocator, state);
}

cevm_err cevm_state_begin_tx(cevm_state *state, cevm_fork fork)
{
    state->fork = fork;
    ++state->epoch;
    state->undo_count = 0;
    state->ripemd_touched = false;
    cevm_journal_clear_transient(state);
    cevm_journal_drop_logs(state, 0);
    return CEVM_OK;
}

cevm_err cevm_state_end_tx(cevm_state *state)
{
    cevm_journal_delete_accounts(state);
    cevm_journal_clear_transient(state);
    state->undo_count = 0;
    ++state->epoch; /* nothing is warm or newly created between transactions */
    return CEVM_OK;
}

/** Frees all codes but the entry of no code, which every state has. */
static void drop_codes(cevm_state *state)
{
    while (state->code_count > 1) {
        const uint32_t index = (uint32_t)--state->code_count;
        cevm_map_remove(&state->code_map, cevm_map_hash_hash(&state->seed, &state->codes[index].hash), index);
        cevm_free(state->allocator, state->codes[index].data);
    }
    state->code_bytes = 0;
}

void cevm_state_discard(cevm_state *state)
{
    enum { KEEP_CODE = 1 << 20 };
    if (state->code_bytes > KEEP_CODE) { /* whatever the state, the code of a hash is the same */
        drop_codes(state);
    }
    cevm_map_clear(&state->account_map);
    cevm_map_clear(&state->slot_map);
    cevm_journal_clear_transient(state);
    state->account_count = 0;
    state->slot_count = 0;
    state->undo_count = 0;
    state->last_account = CEVM_MAP_NONE;
    state->other_account = CEVM_MAP_NONE;
    state->dirty_head = CEVM_MAP_NONE;
    state->touched_head = CEVM_MAP_NONE;
    state->destroyed_head = CEVM_MAP_NONE;
    state->ripemd_touched = false;
    ++state->epoch;
}
