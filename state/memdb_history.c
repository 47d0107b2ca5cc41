/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/memdb_history.c: the blocks that the memory backend can take back, and views of the past (cevm_db_vtable).
 *
 * While a block is open every commit first notes what it is about to change: the account as it was, and either the old
 * value of each slot or, when the whole storage is dropped, the storage itself, put aside as it is. Taking a block back is a
 * commit of what was noted. A view of the past asks the blocks since, oldest first: the first that changed a key knows what
 * it was before; what none of them changed is as it is now.
 */
#include <cevm/alloc.h>

#include "evm/u256.h"
#include "state/layer.h"
#include "state/memdb_internal.h"

/* ---- Orders and look-up -------------------------------------------------------------------------------------------- */

static int compare_addresses(const cevm_address *a, const cevm_address *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

static int compare_sequences(size_t a, size_t b) { return a < b ? -1 : (int)(a > b); }

static int compare_accounts(const void *a, const void *b)
{
    const memdb_old_account *left = a;
    const memdb_old_account *right = b;
    const int order = compare_addresses(&left->address, &right->address);
    return order != 0 ? order : compare_sequences(left->sequence, right->sequence);
}

static int compare_slot_keys(const memdb_old_slot *left, const cevm_address *address, const cevm_u256 *key)
{
    const int order = compare_addresses(&left->address, address);
    return order != 0 ? order : u256_cmp(&left->key, key);
}

static int compare_slots(const void *a, const void *b)
{
    const memdb_old_slot *left = a;
    const memdb_old_slot *right = b;
    const int order = compare_slot_keys(left, &right->address, &right->key);
    return order != 0 ? order : compare_sequences(left->sequence, right->sequence);
}

static const memdb_old_account *find_old_account(const memdb_version *version, const cevm_address *address)
{
    size_t low = 0;
    size_t high = version->account_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = compare_addresses(&version->accounts[middle].address, address);
        if (order == 0) {
            return &version->accounts[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

/** Position of the first slot not before (address, key); key NULL means the account's first. */
static size_t lower_slot(const memdb_version *version, const cevm_address *address, const cevm_u256 *key)
{
    const cevm_u256 zero = {{0}};
    size_t low = 0;
    size_t high = version->slot_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (compare_slot_keys(&version->slots[middle], address, key != NULL ? key : &zero) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* ---- Noting -------------------------------------------------------------------------------------------------------- */

cevm_err cevm_memdb_history_reserve(cevm_memdb *db, const cevm_diff *diff)
{
    if (!db->block_open) {
        return CEVM_OK;
    }
    memdb_version *version = &db->versions[db->version_count - 1];
    memdb_old_account *accounts = cevm_array_reserve(db->allocator, version->accounts, &version->account_capacity,
                                                     version->account_count, diff->account_count, sizeof *accounts);
    if (accounts == NULL) {
        return CEVM_ERR_NOMEM;
    }
    version->accounts = accounts;
    size_t slot_count = 0;
    for (size_t i = 0; i < diff->account_count; ++i) {
        slot_count += diff->accounts[i].slot_count;
    }
    if (slot_count != 0) {
        memdb_old_slot *slots = cevm_array_reserve(db->allocator, version->slots, &version->slot_capacity,
                                                   version->slot_count, slot_count, sizeof *slots);
        if (slots == NULL) {
            return CEVM_ERR_NOMEM;
        }
        version->slots = slots;
    }
    return CEVM_OK;
}

void cevm_memdb_history_note(cevm_memdb *db, memdb_account *account, const cevm_account_change *change)
{
    memdb_version *version = &db->versions[db->version_count - 1];
    memdb_old_account *old = &version->accounts[version->account_count++];
    *old = (memdb_old_account){
        .address = account->address,
        .sequence = version->next_sequence++,
        .existed = account->exists,
        .had_storage = account->storage != NULL && account->storage->nonzero != 0,
        .nonce = account->nonce,
        .balance = account->balance,
        .code_hash = account->code_hash,
    };
    if (account->replaced) {
        return; /* what the block found is put aside already, the storage it made itself is nobody's past */
    }
    if (change->deleted || change->storage_cleared || !account->exists) {
        old->replaced = true;
        old->storage = account->storage;
        account->storage = NULL;
        account->replaced = true;
        return;
    }
    for (size_t i = 0; i < change->slot_count; ++i) {
        version->slots[version->slot_count++] = (memdb_old_slot){
            .address = account->address,
            .sequence = version->next_sequence++,
            .key = change->slots[i].key,
            .value = cevm_memdb_slot_value(db, account->storage, &change->slots[i].key),
        };
    }
}

/** Puts the lists in order and leaves one entry a key: how it was before the block. */
static void tidy(cevm_memdb *db, memdb_version *version)
{
    cevm_sort(version->accounts, version->account_count, sizeof *version->accounts, compare_accounts);
    cevm_sort(version->slots, version->slot_count, sizeof *version->slots, compare_slots);
    size_t kept = 0;
    for (size_t i = 0; i < version->account_count; ++i) {
        memdb_old_account *old = &version->accounts[i];
        memdb_old_account *first = kept != 0 ? &version->accounts[kept - 1] : NULL;
        if (first == NULL || !cevm_address_equal(&first->address, &old->address)) {
            version->accounts[kept++] = *old;
        } else if (!first->replaced) {
            first->replaced = old->replaced;
            first->storage = old->storage;
        } else {
            cevm_memdb_free_storage(db, old->storage);
        }
    }
    version->account_count = kept;
    kept = 0;
    for (size_t i = 0; i < version->slot_count; ++i) {
        const memdb_old_slot *slot = &version->slots[i];
        if (kept == 0 || compare_slot_keys(&version->slots[kept - 1], &slot->address, &slot->key) != 0) {
            version->slots[kept++] = *slot;
        }
    }
    version->slot_count = kept;
}

/* ---- Versions ------------------------------------------------------------------------------------------------------ */

static void free_version(cevm_memdb *db, memdb_version *version)
{
    for (size_t i = 0; i < version->account_count; ++i) {
        cevm_memdb_free_storage(db, version->accounts[i].storage);
    }
    cevm_free(db->allocator, version->accounts);
    cevm_free(db->allocator, version->slots);
}

/** Forgets the oldest closed versions until no more than the history are left. */
static void forget(cevm_memdb *db)
{
    const size_t closed = db->version_count - (db->block_open ? 1 : 0);
    if (closed <= db->history) {
        return;
    }
    const size_t gone = closed - db->history;
    for (size_t i = 0; i < gone; ++i) {
        free_version(db, &db->versions[i]);
    }
    db->version_count -= gone;
    memmove(db->versions, db->versions + gone, db->version_count * sizeof *db->versions);
}

void cevm_memdb_history_free(cevm_memdb *db)
{
    for (size_t i = 0; i < db->version_count; ++i) {
        free_version(db, &db->versions[i]);
    }
    cevm_free(db->allocator, db->versions);
}

void cevm_memdb_set_history(cevm_memdb *db, size_t blocks)
{
    db->history = blocks;
    forget(db);
}

cevm_err cevm_memdb_begin_block(void *ctx)
{
    cevm_memdb *db = ctx;
    if (db->block_open) {
        return CEVM_ERR_ARGUMENT;
    }
    memdb_version *versions =
        cevm_array_reserve(db->allocator, db->versions, &db->version_capacity, db->version_count, 1, sizeof *versions);
    if (versions == NULL) {
        return CEVM_ERR_NOMEM;
    }
    db->versions = versions;
    memset(&versions[db->version_count++], 0, sizeof *versions);
    db->block_open = true;
    return CEVM_OK;
}

/* ---- Taking a block back ------------------------------------------------------------------------------------------- */

/** The changes that undo a version. Slots of a storage that was put aside are written to it, not by the commit. */
static void describe_undo(const memdb_version *version, cevm_account_change *changes, cevm_slot_change *slots)
{
    for (size_t i = 0; i < version->slot_count; ++i) {
        slots[i] = (cevm_slot_change){.key = version->slots[i].key, .value = version->slots[i].value};
    }
    size_t next = 0;
    for (size_t i = 0; i < version->account_count; ++i) {
        const memdb_old_account *old = &version->accounts[i];
        const size_t first = next;
        while (next < version->slot_count && cevm_address_equal(&version->slots[next].address, &old->address)) {
            ++next;
        }
        changes[i] = (cevm_account_change){
            .address = old->address,
            .deleted = !old->existed,
            .storage_cleared = old->replaced,
            .balance = old->balance,
            .nonce = old->nonce,
            .code_hash = old->code_hash,
            .slots = slots + first,
            .slot_count = old->replaced ? 0 : next - first,
        };
    }
}

/** Makes room in the storages that were put aside for the slots the block had changed before it dropped them. */
static cevm_err reserve_aside(const cevm_memdb *db, memdb_version *version)
{
    for (size_t i = 0; i < version->account_count; ++i) {
        memdb_old_account *old = &version->accounts[i];
        const size_t first = lower_slot(version, &old->address, NULL);
        size_t count = 0;
        while (first + count < version->slot_count &&
               cevm_address_equal(&version->slots[first + count].address, &old->address)) {
            ++count;
        }
        if (!old->replaced || count == 0) {
            continue;
        }
        if (old->storage == NULL) {
            old->storage = cevm_memdb_make_storage(db, count);
        } else if (cevm_memdb_reserve_slots(db, old->storage, count) != CEVM_OK) {
            return CEVM_ERR_NOMEM;
        }
        if (old->storage == NULL) {
            return CEVM_ERR_NOMEM;
        }
    }
    return CEVM_OK;
}

/** Gives the accounts their storages back, with the slots as the block found them. */
static void put_back(cevm_memdb *db, memdb_version *version)
{
    for (size_t i = 0; i < version->account_count; ++i) {
        memdb_old_account *old = &version->accounts[i];
        if (old->storage == NULL) {
            continue;
        }
        for (size_t s = lower_slot(version, &old->address, NULL);
             s < version->slot_count && cevm_address_equal(&version->slots[s].address, &old->address); ++s) {
            const cevm_slot_change change = {.key = version->slots[s].key, .value = version->slots[s].value};
            cevm_memdb_write_slot(db, old->storage, &change);
        }
        db->accounts[cevm_memdb_find_account(db, &old->address)].storage = old->storage;
        old->storage = NULL;
    }
}

/** The next block finds no storage replaced. */
static void clear_marks(cevm_memdb *db, const memdb_version *version)
{
    for (size_t i = 0; i < version->account_count; ++i) {
        const uint32_t index = cevm_memdb_find_account(db, &version->accounts[i].address);
        if (index != CEVM_MAP_NONE) {
            db->accounts[index].replaced = false;
        }
    }
}

/** Undoes the newest version and removes it. On an error everything is as it was. */
static cevm_err undo(cevm_memdb *db)
{
    memdb_version *version = &db->versions[db->version_count - 1];
    const bool was_open = db->block_open;
    cevm_err err = reserve_aside(db, version);
    cevm_account_change *changes = NULL;
    cevm_slot_change *slots = NULL;
    if (err == CEVM_OK && version->account_count != 0) {
        changes = cevm_resize_array(db->allocator, NULL, version->account_count, sizeof *changes);
        slots = cevm_resize_array(db->allocator, NULL, version->slot_count + 1, sizeof *slots);
        err = changes != NULL && slots != NULL ? CEVM_OK : CEVM_ERR_NOMEM;
    }
    if (err == CEVM_OK && version->account_count != 0) {
        describe_undo(version, changes, slots);
        const cevm_diff diff = {.accounts = changes, .account_count = version->account_count};
        db->block_open = false; /* the commit is not to be noted */
        err = cevm_memdb_commit(db, &diff);
        db->block_open = was_open;
    }
    cevm_free(db->allocator, changes);
    cevm_free(db->allocator, slots);
    if (err == CEVM_OK) {
        put_back(db, version);
        clear_marks(db, version);
        free_version(db, version);
        --db->version_count;
    }
    return err;
}

cevm_err cevm_memdb_end_block(void *ctx, bool keep)
{
    cevm_memdb *db = ctx;
    if (!db->block_open) {
        return CEVM_ERR_ARGUMENT;
    }
    memdb_version *version = &db->versions[db->version_count - 1];
    tidy(db, version);
    if (!keep) {
        const cevm_err err = undo(db);
        if (err != CEVM_OK) {
            return err;
        }
    } else {
        clear_marks(db, version);
    }
    db->block_open = false;
    forget(db);
    return CEVM_OK;
}

cevm_err cevm_memdb_undo_block(void *ctx)
{
    cevm_memdb *db = ctx;
    return db->block_open || db->version_count == 0 ? CEVM_ERR_ARGUMENT : undo(db);
}

/* ---- Views --------------------------------------------------------------------------------------------------------- */

typedef struct memdb_past {
    cevm_db now; /* first: state/layer.h */
    cevm_memdb *db;
    size_t from; /* the oldest version that came after the moment looked at */
} memdb_past;

static cevm_err past_account(void *ctx, cevm_db_account *out, bool *exists, const cevm_address *address)
{
    const memdb_past *past = ctx;
    for (size_t i = past->from; i < past->db->version_count; ++i) {
        const memdb_old_account *old = find_old_account(&past->db->versions[i], address);
        if (old == NULL) {
            continue;
        }
        *exists = old->existed;
        out->balance = old->balance;
        out->nonce = old->nonce;
        out->code_hash = old->code_hash;
        out->has_storage = old->had_storage;
        return CEVM_OK;
    }
    return past->now.vtable->account(past->now.ctx, out, exists, address);
}

static cevm_err past_storage(void *ctx, cevm_u256 *out, const cevm_address *address, const cevm_u256 *key)
{
    const memdb_past *past = ctx;
    for (size_t i = past->from; i < past->db->version_count; ++i) {
        const memdb_version *version = &past->db->versions[i];
        const size_t slot = lower_slot(version, address, key);
        if (slot < version->slot_count && compare_slot_keys(&version->slots[slot], address, key) == 0) {
            *out = version->slots[slot].value;
            return CEVM_OK;
        }
        const memdb_old_account *old = find_old_account(version, address);
        if (old != NULL && old->replaced) {
            *out = cevm_memdb_slot_value(past->db, old->storage, key);
            return CEVM_OK;
        }
    }
    return past->now.vtable->storage(past->now.ctx, out, address, key);
}

cevm_err cevm_memdb_open_past(void *ctx, cevm_db *out, size_t back)
{
    static const cevm_db_vtable vtable = {
        .struct_size = sizeof vtable,
        .account = past_account,
        .storage = past_storage,
        .code = cevm_layer_code,
        .block_hash = cevm_layer_block_hash,
    };
    cevm_memdb *db = ctx;
    if (db->block_open || back > db->version_count) {
        return CEVM_ERR_ARGUMENT;
    }
    memdb_past *past = cevm_alloc(db->allocator, sizeof *past);
    if (past == NULL) {
        return CEVM_ERR_NOMEM;
    }
    *past = (memdb_past){.now = cevm_memdb_interface(db), .db = db, .from = db->version_count - back};
    *out = (cevm_db){.vtable = &vtable, .ctx = past};
    return CEVM_OK;
}

void cevm_memdb_close_past(void *ctx, cevm_db *past)
{
    const cevm_memdb *db = ctx;
    cevm_free(db->allocator, past->ctx);
    *past = (cevm_db){0};
}
