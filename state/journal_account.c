/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/journal_account.c: what changes an account: warmth (EIP-2929), balance, nonce, code, creation, SELFDESTRUCT
 * (EIP-6780), touching and deletion of empty accounts (EIP-161); and logs.
 */
#include "evm/u256.h"
#include "state/journal_internal.h"

#include <cevm/alloc.h>
#include <cevm/crypto.h>

/* ---- Reads ------------------------------------------------------------------------------------------------------- */

static bool has_no_code(const journal_account *account) { return account->code == 0; }

/** Empty in the sense of EIP-161. */
static bool is_empty(const journal_account *account)
{
    return account->nonce == 0 && cevm_u256_is_zero(&account->balance) && has_no_code(account);
}

static bool has_storage(const journal_account *account)
{
    return account->nonzero_slots != 0 ||
           (account->stored.has_storage && account->incarnation == account->stored_incarnation);
}

/** Fills what the VM sees of a loaded account. A missing one has zero fields by construction. */
static void fill_info(cevm_account_info *out, const journal_account *account)
{
    out->balance = account->balance;
    out->nonce = account->nonce;
    out->code_hash = account->code_hash;
    out->exists = account->exists;
    out->has_storage = account->nonce == 0 && has_no_code(account) && has_storage(account);
    out->skipped = false;
}

/** The number of an address below CEVM_JOURNAL_LOW, otherwise that. */
static inline uint32_t low_number(const cevm_address *address)
{
    uint64_t first;
    uint64_t second;
    memcpy(&first, address->bytes, sizeof first);
    memcpy(&second, address->bytes + 8, sizeof second);
    const uint32_t number = ((uint32_t)address->bytes[18] << 8) | address->bytes[19];
    const bool is_low = (first | second | address->bytes[16] | address->bytes[17]) == 0 && number < CEVM_JOURNAL_LOW;
    return is_low ? number : CEVM_JOURNAL_LOW;
}

/** Whether an account was warmed without its entry. */
static bool is_low_and_warm(const cevm_state *state, const cevm_address *address)
{
    const uint32_t number = low_number(address);
    return number != CEVM_JOURNAL_LOW && state->low_epoch == state->epoch &&
           ((state->low_warm[number / 64] >> (number % 64)) & 1) != 0;
}

/** Whether the next access to an account is the first of the transaction. */
static inline bool is_cold(const cevm_state *state, uint32_t index)
{
    const journal_account *account = &state->accounts[index];
    return account->warm_epoch != state->epoch && !is_low_and_warm(state, &account->address);
}

static cevm_err warm_low(cevm_state *state, uint32_t number)
{
    const uint64_t bit = (uint64_t)1 << (number % 64);
    if (state->low_epoch != state->epoch) {
        memset(state->low_warm, 0, sizeof state->low_warm);
        state->low_epoch = state->epoch;
    }
    const cevm_err err = cevm_journal_reserve(state, 1);
    if (err == CEVM_OK && (state->low_warm[number / 64] & bit) == 0) {
        cevm_journal_push(state, UNDO_WARM_LOW, number);
        state->low_warm[number / 64] |= bit;
    }
    return err;
}

/* A call asks three times in a row for the account that it goes to: what answers that is kept apart from all the rest. */

/** The account that was looked up last if it is this one and loaded, or NULL. */
static inline journal_account *last_account(const cevm_state *state, const cevm_address *address)
{
    journal_account *last = state->last_account != CEVM_MAP_NONE ? &state->accounts[state->last_account] : NULL;
    return last != NULL && cevm_address_equal(&last->address, address) && last->loaded ? last : NULL;
}

__attribute__((noinline)) static cevm_err load_other_account(cevm_state *state, cevm_account_info *out,
                                                             const cevm_address *address, bool skip_cold)
{
    uint32_t index = 0;
    cevm_err err = cevm_journal_entry(state, &index, address);
    if (err != CEVM_OK) {
        return err;
    }
    const bool cold = is_cold(state, index);
    out->cold = cold;
    if (cold && skip_cold) {
        out->skipped = true;
        return CEVM_OK;
    }
    if (cold) {
        err = cevm_journal_reserve(state, 1);
    }
    if (err == CEVM_OK && !state->accounts[index].loaded) {
        err = cevm_journal_account(state, &index, address);
    }
    if (err != CEVM_OK) {
        return err;
    }
    if (cold) {
        cevm_journal_push(state, UNDO_WARM_ACCOUNT, index);
        state->accounts[index].warm_epoch = state->epoch;
    }
    fill_info(out, &state->accounts[index]);
    return CEVM_OK;
}

cevm_err cevm_journal_load_account(void *ctx, cevm_account_info *out, const cevm_address *address, bool skip_cold)
{
    cevm_state *state = ctx;
    const journal_account *last = last_account(state, address);
    if (last != NULL && last->warm_epoch == state->epoch) {
        out->cold = false;
        fill_info(out, last);
        return CEVM_OK;
    }
    return load_other_account(state, out, address, skip_cold);
}

cevm_err cevm_state_get_account(cevm_state *state, cevm_account_info *out, const cevm_address *address)
{
    uint32_t index = 0;
    cevm_err err = cevm_journal_account(state, &index, address);
    if (err == CEVM_OK) {
        fill_info(out, &state->accounts[index]);
        out->cold = is_cold(state, index);
    }
    return err;
}

static void fill_code(cevm_code *out, const cevm_state *state, const journal_account *account)
{
    const journal_code *code = &state->codes[account->code];
    out->hash = account->code_hash;
    out->bytes = (cevm_bytes){code->data, code->size};
}

__attribute__((noinline)) static cevm_err load_other_code(cevm_state *state, cevm_code *out,
                                                          const cevm_address *address)
{
    uint32_t index = 0;
    uint32_t code = 0;
    cevm_err err = cevm_journal_account(state, &index, address);
    if (err == CEVM_OK) {
        err = cevm_journal_code(state, &code, index);
    }
    if (err == CEVM_OK) {
        fill_code(out, state, &state->accounts[index]);
    }
    return err;
}

cevm_err cevm_journal_load_code(void *ctx, cevm_code *out, const cevm_address *address)
{
    cevm_state *state = ctx;
    const journal_account *last = last_account(state, address);
    if (last != NULL && last->code != CEVM_MAP_NONE) {
        fill_code(out, state, last);
        return CEVM_OK;
    }
    return load_other_code(state, out, address);
}

cevm_err cevm_journal_block_hash(void *ctx, cevm_hash *out, uint64_t number)
{
    const cevm_state *state = ctx;
    return state->db.vtable->block_hash(state->db.ctx, out, number);
}

cevm_err cevm_journal_warm_account(void *ctx, const cevm_address *address)
{
    cevm_state *state = ctx;
    uint32_t index = 0;
    const uint32_t number = low_number(address);
    if (number != CEVM_JOURNAL_LOW) {
        return warm_low(state, number);
    }
    cevm_err err = cevm_journal_entry(state, &index, address);
    if (err == CEVM_OK) {
        err = cevm_journal_reserve(state, 1);
    }
    if (err == CEVM_OK && state->accounts[index].warm_epoch != state->epoch) {
        cevm_journal_push(state, UNDO_WARM_ACCOUNT, index);
        state->accounts[index].warm_epoch = state->epoch;
    }
    return err;
}

/* ---- Changes of one field; the account is loaded and undo entries are reserved ----------------------------------- */

/** Makes the account exist. At most one undo entry. */
static void make_exist(cevm_state *state, uint32_t index)
{
    if (!state->accounts[index].exists) {
        cevm_journal_push(state, UNDO_EXIST, index);
        state->accounts[index].exists = true;
        cevm_journal_mark_dirty(state, index);
    }
}

static bool is_ripemd(const cevm_address *address)
{
    static const cevm_address ripemd = {{[19] = 3}};
    return cevm_address_equal(address, &ripemd);
}

/**
 * Touches an account (EIP-161), which brings it into being: before EIP-161 it stays, from then on it goes at the end of the
 * transaction if it is empty. At most two undo entries.
 *
 * The touch of the RIPEMD-160 precompile outlives a revert: in mainnet block 2675119 a call to it ran out of gas, and the
 * clients of the day deleted the empty account nevertheless.
 */
static void touch(cevm_state *state, uint32_t index)
{
    make_exist(state, index);
    journal_account *account = &state->accounts[index];
    if (!account->touched) {
        cevm_journal_push(state, UNDO_TOUCH, index);
        account->touched = true;
        account->next_touched = state->touched_head;
        state->touched_head = index;
        cevm_journal_mark_dirty(state, index);
    }
    if (is_ripemd(&account->address)) {
        state->ripemd_touched = true;
    }
}

/** At most one undo entry. */
static void set_balance(cevm_state *state, uint32_t index, const cevm_u256 *balance)
{
    journal_account *account = &state->accounts[index];
    if (!cevm_u256_equal(&account->balance, balance)) {
        cevm_journal_push(state, UNDO_BALANCE, index)->value = account->balance;
        account->balance = *balance;
        cevm_journal_mark_dirty(state, index);
    }
}

/** At most two undo entries. */
static void set_nonce(cevm_state *state, uint32_t index, uint64_t nonce)
{
    make_exist(state, index);
    journal_account *account = &state->accounts[index];
    if (account->nonce != nonce) {
        cevm_journal_push(state, UNDO_NONCE, index)->value = cevm_u256_from_u64(account->nonce);
        account->nonce = nonce;
        cevm_journal_mark_dirty(state, index);
    }
}

/** Adds to one balance, touching it. At most three undo entries. */
static void credit(cevm_state *state, uint32_t index, const cevm_u256 *amount)
{
    touch(state, index);
    const cevm_u256 sum = u256_add(&state->accounts[index].balance, amount);
    set_balance(state, index, &sum);
}

/* ---- Changes ----------------------------------------------------------------------------------------------------- */

/** Loads an account and makes room to change it. */
static cevm_err open_account(cevm_state *state, uint32_t *index, const cevm_address *address, size_t undo_entries)
{
    cevm_err err = cevm_journal_account(state, index, address);
    return err == CEVM_OK ? cevm_journal_reserve(state, undo_entries) : err;
}

__attribute__((noinline)) static cevm_err move_or_touch(cevm_state *state, const cevm_address *from,
                                                        const cevm_address *to, const cevm_u256 *value, bool moves)
{
    uint32_t source = 0;
    uint32_t target = 0;
    cevm_err err = moves ? cevm_journal_account(state, &source, from) : CEVM_OK;
    if (err == CEVM_OK) {
        err = open_account(state, &target, to, 4);
    }
    if (err != CEVM_OK) {
        return err;
    }
    if (!moves) {
        touch(state, target);
        return CEVM_OK;
    }
    const cevm_u256 rest = u256_sub(&state->accounts[source].balance, value);
    set_balance(state, source, &rest);
    credit(state, target, value);
    return CEVM_OK;
}

cevm_err cevm_journal_transfer(void *ctx, const cevm_address *from, const cevm_address *to, const cevm_u256 *value)
{
    cevm_state *state = ctx;
    const bool moves = !cevm_u256_is_zero(value);
    if (!moves) {
        const journal_account *last = last_account(state, to);
        if (last != NULL && last->touched) {
            return CEVM_OK; /* it exists since then, and the mark of RIPEMD-160 too */
        }
    }
    return move_or_touch(state, from, to, value, moves);
}

cevm_err cevm_journal_create_account(void *ctx, const cevm_address *address)
{
    cevm_state *state = ctx;
    uint32_t index = 0;
    cevm_err err = open_account(state, &index, address, 3);
    if (err != CEVM_OK) {
        return err;
    }
    make_exist(state, index);
    journal_account *account = &state->accounts[index];
    journal_undo *undo = cevm_journal_push(state, UNDO_CREATE, index);
    undo->extra = account->incarnation;
    undo->value = (cevm_u256){{account->nonzero_slots, account->created_epoch, 0, 0}};
    account->incarnation = ++state->last_incarnation;
    account->nonzero_slots = 0;
    account->created_epoch = state->epoch;
    cevm_journal_mark_dirty(state, index);
    set_nonce(state, index, CEVM_HAS_EIP(state->fork, 161) ? 1 : 0);
    return CEVM_OK;
}

cevm_err cevm_journal_increment_nonce(void *ctx, const cevm_address *address)
{
    cevm_state *state = ctx;
    uint32_t index = 0;
    cevm_err err = open_account(state, &index, address, 2);
    if (err == CEVM_OK) {
        set_nonce(state, index, state->accounts[index].nonce + 1);
    }
    return err;
}

cevm_err cevm_journal_set_code(void *ctx, const cevm_address *address, cevm_bytes code)
{
    cevm_state *state = ctx;
    uint32_t index = 0;
    uint32_t kept = 0;
    cevm_hash hash;
    cevm_keccak256(&hash, code.data, code.size);
    cevm_err err = open_account(state, &index, address, 2);
    if (err == CEVM_OK) {
        err = cevm_journal_keep_code(state, &kept, &hash, code);
    }
    if (err != CEVM_OK) {
        return err;
    }
    make_exist(state, index);
    journal_account *account = &state->accounts[index];
    journal_undo *undo = cevm_journal_push(state, UNDO_CODE, index);
    undo->extra = account->code;
    memcpy(undo->value.w, account->code_hash.bytes, sizeof account->code_hash.bytes);
    account->code = kept;
    account->code_hash = hash;
    cevm_journal_mark_dirty(state, index);
    return CEVM_OK;
}

cevm_err cevm_journal_selfdestruct(void *ctx, cevm_selfdestruct_info *out, const cevm_address *address,
                                   const cevm_address *beneficiary)
{
    cevm_state *state = ctx;
    uint32_t index = 0;
    uint32_t heir = 0;
    cevm_err err = open_account(state, &index, address, 6);
    if (err == CEVM_OK) {
        err = cevm_journal_account(state, &heir, beneficiary);
    }
    if (err != CEVM_OK) {
        return err;
    }
    const cevm_u256 zero = cevm_u256_from_u64(0);
    const cevm_u256 amount = state->accounts[index].balance;
    const bool goes = !CEVM_HAS_EIP(state->fork, 6780) || state->accounts[index].created_epoch == state->epoch;
    out->first = goes && !state->accounts[index].destroyed;
    if (heir != index) {
        set_balance(state, index, &zero);
        credit(state, heir, &amount);
    } else if (goes) {
        touch(state, index);
        set_balance(state, index, &zero); /* burnt */
    }
    if (out->first) {
        journal_account *account = &state->accounts[index];
        cevm_journal_push(state, UNDO_DESTROY, index);
        account->destroyed = true;
        account->next_destroyed = state->destroyed_head;
        state->destroyed_head = index;
        cevm_journal_mark_dirty(state, index);
    }
    return CEVM_OK;
}

cevm_err cevm_state_add_balance(cevm_state *state, const cevm_address *address, const cevm_u256 *amount)
{
    uint32_t index = 0;
    cevm_err err = open_account(state, &index, address, 3);
    if (err == CEVM_OK) {
        credit(state, index, amount);
    }
    return err;
}

cevm_err cevm_state_sub_balance(cevm_state *state, const cevm_address *address, const cevm_u256 *amount)
{
    uint32_t index = 0;
    cevm_err err = open_account(state, &index, address, 1);
    if (err != CEVM_OK) {
        return err;
    }
    if (u256_lt(&state->accounts[index].balance, amount)) {
        return CEVM_ERR_ARGUMENT;
    }
    const cevm_u256 rest = u256_sub(&state->accounts[index].balance, amount);
    set_balance(state, index, &rest);
    return CEVM_OK;
}

cevm_err cevm_state_set_nonce(cevm_state *state, const cevm_address *address, uint64_t nonce)
{
    uint32_t index = 0;
    cevm_err err = open_account(state, &index, address, 2);
    if (err == CEVM_OK) {
        set_nonce(state, index, nonce);
    }
    return err;
}

/* ---- Deletion at the end of a transaction ------------------------------------------------------------------------ */

/** The account is gone, with whatever was sent to it after it was marked; its storage is empty if it ever comes back. */
static void delete_account(cevm_state *state, uint32_t index)
{
    journal_account *account = &state->accounts[index];
    account->exists = false;
    account->nonce = 0;
    account->balance = cevm_u256_from_u64(0);
    account->code = 0;
    account->code_hash = cevm_empty_code_hash;
    account->incarnation = ++state->last_incarnation;
    account->nonzero_slots = 0;
    cevm_journal_mark_dirty(state, index);
}

static void delete_if_empty(cevm_state *state, uint32_t index)
{
    const journal_account *account = &state->accounts[index];
    if (account->exists && is_empty(account)) {
        delete_account(state, index);
    }
}

void cevm_journal_delete_accounts(cevm_state *state)
{
    const bool clearing = CEVM_HAS_EIP(state->fork, 161);
    for (uint32_t i = state->destroyed_head; i != CEVM_MAP_NONE; i = state->accounts[i].next_destroyed) {
        state->accounts[i].destroyed = false;
        delete_account(state, i);
    }
    state->destroyed_head = CEVM_MAP_NONE;
    for (uint32_t i = state->touched_head; i != CEVM_MAP_NONE; i = state->accounts[i].next_touched) {
        state->accounts[i].touched = false;
        if (clearing) {
            delete_if_empty(state, i);
        }
    }
    state->touched_head = CEVM_MAP_NONE;
    if (clearing && state->ripemd_touched) {
        /* It was touched, so it has an entry, and is loaded. */
        const cevm_address ripemd = {{[19] = 3}};
        uint32_t index;
        if (cevm_journal_entry(state, &index, &ripemd) == CEVM_OK) {
            delete_if_empty(state, index);
        }
    }
    state->ripemd_touched = false;
}

/* ---- Logs -------------------------------------------------------------------------------------------------------- */

cevm_err cevm_journal_log(void *ctx, const cevm_log *log)
{
    cevm_state *state = ctx;
    cevm_log *logs =
        cevm_array_reserve(state->allocator, state->logs, &state->log_capacity, state->log_count, 1, sizeof *logs);
    if (logs == NULL) {
        return CEVM_ERR_NOMEM;
    }
    state->logs = logs;
    uint8_t *data = NULL;
    if (log->data.size != 0) {
        data = cevm_alloc(state->allocator, log->data.size);
        if (data == NULL) {
            return CEVM_ERR_NOMEM;
        }
        memcpy(data, log->data.data, log->data.size);
    }
    cevm_log *copy = &logs[state->log_count++];
    *copy = *log;
    copy->data.data = data;
    return CEVM_OK;
}

void cevm_journal_drop_logs(cevm_state *state, size_t from)
{
    while (state->log_count > from) {
        cevm_bytes data = state->logs[--state->log_count].data;
        cevm_free(state->allocator, (void *)(uintptr_t)data.data); /* made by cevm_journal_log */
    }
}

const cevm_log *cevm_state_logs(const cevm_state *state, size_t *count)
{
    *count = state->log_count;
    return state->logs;
}
