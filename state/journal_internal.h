/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/journal_internal.h: what the files of the journal share.
 *
 *   journal.c          life of a state and of a transaction, look-up of accounts, undo
 *   journal_account.c  everything that changes an account: balance, nonce, code, creation, deletion, logs
 *   journal_storage.c  slots and transient storage
 *   journal_commit.c   the diff handed to the backend
 *
 * Entries live in arrays and are named by index, because the arrays move when they grow. An entry that exists need not be
 * loaded: warming an address does not read it.
 *
 * Undo: every change is written to one log of typed entries, and a checkpoint is an index into it. Whatever a change needs
 * (undo entries, places in arrays) is reserved before anything is touched, so a change happens whole or not at all, and
 * undoing it cannot fail.
 *
 * Warmth, original values and "created in this transaction" are epochs: a number compared with the transaction's. Nothing is
 * cleared when a transaction begins.
 *
 * Storage as a whole is dropped by giving the account a new incarnation: a slot written under another one reads as zero.
 * That takes constant time, and so does undoing it.
 */
#ifndef CEVM_STATE_JOURNAL_INTERNAL_H
#define CEVM_STATE_JOURNAL_INTERNAL_H

#include "state/map.h"

#include <cevm/state.h>

/** The incarnation of a slot that holds no value yet; no account ever has it. */
#define CEVM_JOURNAL_NO_INCARNATION UINT64_MAX

typedef struct journal_account {
    cevm_address address;
    bool loaded; /* the backend has been asked */
    bool exists; /* in the state, even if empty */
    bool dirty;  /* in the list of what a commit has to look at */
    bool touched;
    bool destroyed;     /* SELFDESTRUCT: deleted when the transaction ends */
    bool stored_exists; /* as the backend has it */
    uint64_t nonce;
    cevm_u256 balance;
    cevm_hash code_hash;
    uint32_t code;        /* index of the code, or CEVM_MAP_NONE: not fetched yet */
    uint32_t slots;       /* list of the account's slots (journal_slot.next) */
    uint32_t dirty_slots; /* those of them that a commit has to look at (journal_slot.next_dirty) */
    uint32_t next_dirty;
    uint32_t next_touched;       /* stack: undone in reverse order */
    uint32_t next_destroyed;     /* likewise */
    uint64_t warm_epoch;         /* warm when equal to the transaction's */
    uint64_t created_epoch;      /* created in this transaction when equal to it */
    uint64_t incarnation;        /* of the storage */
    uint64_t nonzero_slots;      /* cached slots of this incarnation that are not zero */
    uint64_t stored_incarnation; /* the one the backend's slots belong to */
    cevm_db_account stored;
} journal_account;

typedef struct journal_slot {
    cevm_u256 key;
    cevm_u256 value;    /* of `incarnation` */
    cevm_u256 original; /* at the start of transaction `original_epoch` (EIP-2200) */
    cevm_u256 stored;   /* as the backend has it */
    uint64_t incarnation;
    uint64_t original_epoch;
    uint64_t warm_epoch;
    uint32_t account;
    uint32_t next;
    uint32_t next_dirty;
    bool loaded;
    bool dirty;
} journal_slot;

typedef struct journal_transient {
    cevm_u256 key;
    cevm_u256 value;
    uint32_t account;
} journal_transient;

/**
 * Code is shared by hash, and kept until the cache is dropped and longer if it is little, so views of it stay valid. Entry 0 is
 * no code.
 */
typedef struct journal_code {
    cevm_hash hash;
    uint8_t *data;
    size_t size;
} journal_code;

/** What was done, and how it is undone. */
typedef enum journal_action {
    UNDO_WARM_ACCOUNT, /* account loaded or warmed for the first time / cold again */
    UNDO_WARM_LOW,     /* low address warmed for the first time / cold again */
    UNDO_WARM_SLOT,    /* slot loaded or warmed for the first time / cold again */
    UNDO_EXIST,        /* account came into being / it does not exist */
    UNDO_TOUCH,        /* account touched (EIP-161) / off the stack of touched accounts */
    UNDO_BALANCE,      /* balance changed / the old one */
    UNDO_NONCE,        /* nonce changed / the old one */
    UNDO_CODE,         /* code set / the old hash and code */
    UNDO_CREATE,       /* storage dropped, marked as created / the old incarnation, its count of slots, the old mark */
    UNDO_DESTROY,      /* marked for deletion / off the stack of marked accounts */
    UNDO_STORAGE,      /* slot written / the old value, under the incarnation it had */
    UNDO_TRANSIENT     /* transient slot written / the old value */
} journal_action;

typedef struct journal_undo {
    journal_action action;
    uint32_t index; /* of the account, slot or transient slot; the number of a low address */
    uint64_t extra; /* incarnation, or code index */
    cevm_u256 value;
} journal_undo;

/** Addresses below this number are warmed without an entry: precompiles are, in each transaction. */
enum { CEVM_JOURNAL_LOW = 512 };

struct cevm_state {
    const cevm_allocator *allocator;
    cevm_db db;
    cevm_fork fork;
    uint64_t epoch; /* number of the transaction; 0 is never current */
    uint64_t last_incarnation;
    uint64_t low_epoch;                       /* the transaction in which low_warm was last written */
    uint64_t low_warm[CEVM_JOURNAL_LOW / 64]; /* bits of low addresses that it warmed */
    cevm_map_seed seed;

    cevm_map account_map;
    journal_account *accounts;
    size_t account_count;
    size_t account_capacity;
    uint32_t last_account;  /* index of the account last looked up, or CEVM_MAP_NONE */
    uint32_t other_account; /* the one before that: a call goes to and fro between two */
    uint32_t dirty_head;
    uint32_t touched_head;
    uint32_t destroyed_head;
    bool ripemd_touched;

    cevm_map slot_map;
    journal_slot *slots;
    size_t slot_count;
    size_t slot_capacity;

    cevm_map transient_map;
    journal_transient *transients;
    size_t transient_count;
    size_t transient_capacity;

    cevm_map code_map;
    journal_code *codes;
    size_t code_count;
    size_t code_capacity;
    size_t code_bytes; /* of all codes */

    journal_undo *undo;
    size_t undo_count;
    size_t undo_capacity;

    cevm_log *logs;
    size_t log_count;
    size_t log_capacity;
};

/* ---- journal.c --------------------------------------------------------------------------------------------------- */

/** cevm_journal_entry for an account that was not the last one. */
cevm_err cevm_journal_other_entry(cevm_state *state, uint32_t *index, const cevm_address *address);
/** Asks the backend for the account with this entry, the only time. Errors: the backend's. */
cevm_err cevm_journal_fetch_account(cevm_state *state, uint32_t index);
/** Index of the code of a loaded account, fetched if need be. Errors: CEVM_ERR_NOMEM, the backend's. */
cevm_err cevm_journal_code(cevm_state *state, uint32_t *code, uint32_t account);
/** Keeps a copy of code (none kept twice). Errors: CEVM_ERR_NOMEM. */
cevm_err cevm_journal_keep_code(cevm_state *state, uint32_t *code, const cevm_hash *hash, cevm_bytes bytes);
/** Makes room for `count` undo entries. Errors: CEVM_ERR_NOMEM. */
cevm_err cevm_journal_reserve_slow(cevm_state *state, size_t count);
/** Frees logs from number `from` on. */
void cevm_journal_drop_logs(cevm_state *state, size_t from);

static inline cevm_err cevm_journal_reserve(cevm_state *state, size_t count)
{
    return state->undo_capacity - state->undo_count >= count ? CEVM_OK : cevm_journal_reserve_slow(state, count);
}

/** Index of the account's entry, made if need be, not loaded. Errors: CEVM_ERR_NOMEM. */
static inline cevm_err cevm_journal_entry(cevm_state *state, uint32_t *index, const cevm_address *address)
{
    const uint32_t last = state->last_account;
    if (last != CEVM_MAP_NONE && cevm_address_equal(&state->accounts[last].address, address)) {
        *index = last;
        return CEVM_OK;
    }
    return cevm_journal_other_entry(state, index, address);
}

/** The same, loaded from the backend if it was not. Errors: CEVM_ERR_NOMEM, the backend's. */
static inline cevm_err cevm_journal_account(cevm_state *state, uint32_t *index, const cevm_address *address)
{
    const cevm_err err = cevm_journal_entry(state, index, address);
    return err != CEVM_OK || state->accounts[*index].loaded ? err : cevm_journal_fetch_account(state, *index);
}

/** Adds an undo entry; room has been reserved. The caller fills `extra` and `value` where the action has them. */
static inline journal_undo *cevm_journal_push(cevm_state *state, journal_action action, uint32_t index)
{
    journal_undo *undo = &state->undo[state->undo_count++];
    undo->action = action;
    undo->index = index;
    return undo;
}

/** Puts the account on the list of what a commit has to look at. */
static inline void cevm_journal_mark_dirty(cevm_state *state, uint32_t account)
{
    journal_account *a = &state->accounts[account];
    if (!a->dirty) {
        a->dirty = true;
        a->next_dirty = state->dirty_head;
        state->dirty_head = account;
    }
}

/* ---- journal_account.c: the host's functions --------------------------------------------------------------------- */

cevm_err cevm_journal_load_account(void *ctx, cevm_account_info *out, const cevm_address *address, bool skip_cold);
cevm_err cevm_journal_load_code(void *ctx, cevm_code *out, const cevm_address *address);
cevm_err cevm_journal_block_hash(void *ctx, cevm_hash *out, uint64_t number);
cevm_err cevm_journal_warm_account(void *ctx, const cevm_address *address);
cevm_err cevm_journal_transfer(void *ctx, const cevm_address *from, const cevm_address *to, const cevm_u256 *value);
cevm_err cevm_journal_create_account(void *ctx, const cevm_address *address);
cevm_err cevm_journal_increment_nonce(void *ctx, const cevm_address *address);
cevm_err cevm_journal_set_code(void *ctx, const cevm_address *address, cevm_bytes code);
cevm_err cevm_journal_selfdestruct(void *ctx, cevm_selfdestruct_info *out, const cevm_address *address,
                                   const cevm_address *beneficiary);
cevm_err cevm_journal_log(void *ctx, const cevm_log *log);
/** Deletes accounts marked by SELFDESTRUCT and, from EIP-161 on, those touched and empty. */
void cevm_journal_delete_accounts(cevm_state *state);

/* ---- journal_storage.c: the host's functions --------------------------------------------------------------------- */

cevm_err cevm_journal_sload(void *ctx, cevm_slot_info *out, const cevm_address *address, const cevm_u256 *key,
                            bool skip_cold);
cevm_err cevm_journal_sstore(void *ctx, cevm_sstore_info *out, const cevm_address *address, const cevm_u256 *key,
                             const cevm_u256 *value, bool skip_cold);
cevm_err cevm_journal_tload(void *ctx, cevm_u256 *out, const cevm_address *address, const cevm_u256 *key);
cevm_err cevm_journal_tstore(void *ctx, const cevm_address *address, const cevm_u256 *key, const cevm_u256 *value);
/** Undo of a slot's write. */
void cevm_journal_restore_slot(cevm_state *state, const journal_undo *undo);
/** Empties transient storage (EIP-1153: at the end of a transaction). */
void cevm_journal_clear_transient(cevm_state *state);

#endif
