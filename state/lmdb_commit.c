/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/lmdb_commit.c: a set of changes into the tables of the backend on disk, noting what was there before and marking
 * what the tries do not know yet.
 */
#include <cevm/alloc.h>
#include <cevm/crypto.h>

#include "state/lmdb_internal.h"
#include "state/map.h"
#include "state/trie.h"

/* ---- Marks ----------------------------------------------------------------------------------------------------------- */

cevm_err cevm_lmdb_mark_account(cevm_lmdb *db, const cevm_hash *hash)
{
    cevm_hash *accounts =
        cevm_array_reserve(db->allocator, db->accounts, &db->account_capacity, db->account_count, 1, sizeof *accounts);
    if (accounts == NULL) {
        return CEVM_ERR_NOMEM;
    }
    db->accounts = accounts;
    accounts[db->account_count++] = *hash;
    return CEVM_OK;
}

cevm_err cevm_lmdb_mark_slot(cevm_lmdb *db, const uint8_t key[LMDB_SLOT_KEY])
{
    lmdb_slot_key *slots =
        cevm_array_reserve(db->allocator, db->slots, &db->slot_capacity, db->slot_count, 1, sizeof *slots);
    if (slots == NULL) {
        return CEVM_ERR_NOMEM;
    }
    db->slots = slots;
    memcpy(slots[db->slot_count++].bytes, key, LMDB_SLOT_KEY);
    return CEVM_OK;
}

/* ---- Storage --------------------------------------------------------------------------------------------------------- */

cevm_err cevm_lmdb_drop_branches(cevm_lmdb *db, const cevm_hash *hash)
{
    uint8_t prefix[1 + LMDB_HASH] = {1};
    MDB_cursor *cursor;
    memcpy(prefix + 1, hash->bytes, LMDB_HASH);
    cevm_err err = cevm_lmdb_cursor(db, &cursor, LMDB_BRANCHES);
    while (err == CEVM_OK) {
        bool found = false;
        MDB_val key;
        MDB_val value;
        err = cevm_lmdb_seek(db, cursor, &found, &key, &value, prefix, sizeof prefix, sizeof prefix);
        if (err != CEVM_OK || !found) {
            break;
        }
        err = cevm_lmdb_fail(db, "cannot remove", mdb_cursor_del(cursor, 0));
    }
    mdb_cursor_close(cursor);
    return err;
}

/** Notes and removes every slot of an account. */
static cevm_err drop_storage(cevm_lmdb *db, const cevm_hash *hash)
{
    MDB_cursor *cursor;
    cevm_err err = cevm_lmdb_cursor(db, &cursor, LMDB_STORAGE);
    while (err == CEVM_OK) {
        bool found = false;
        MDB_val key;
        MDB_val value;
        err = cevm_lmdb_seek(db, cursor, &found, &key, &value, hash->bytes, LMDB_HASH, LMDB_HASH);
        if (err != CEVM_OK || !found) {
            break;
        }
        if (key.mv_size != LMDB_SLOT_KEY) {
            err = cevm_lmdb_corrupt(db, "the key of a slot has %zu bytes", key.mv_size);
            break;
        }
        /* Other tables are written, this one is not, so key and value stay where they are. */
        err =
            cevm_lmdb_note(db, LMDB_KIND_SLOT, key.mv_data, LMDB_SLOT_KEY, (cevm_bytes){value.mv_data, value.mv_size});
        if (err == CEVM_OK) {
            err = cevm_lmdb_fail(db, "cannot remove", mdb_cursor_del(cursor, 0));
        }
    }
    mdb_cursor_close(cursor);
    return err == CEVM_OK ? cevm_lmdb_drop_branches(db, hash) : err;
}

static cevm_err write_slot(cevm_lmdb *db, const cevm_hash *hash, const cevm_slot_change *change)
{
    uint8_t key[LMDB_SLOT_KEY];
    uint8_t record[LMDB_MAX_SLOT];
    cevm_hash slot_hash;
    bool found = false;
    cevm_bytes old = {NULL, 0};
    cevm_lmdb_hash_slot(&slot_hash, &change->key);
    memcpy(key, hash->bytes, LMDB_HASH);
    memcpy(key + LMDB_HASH, slot_hash.bytes, LMDB_HASH);
    cevm_err err = cevm_lmdb_get(db, &found, &old, LMDB_STORAGE, key, sizeof key);
    if (err == CEVM_OK) {
        err = cevm_lmdb_note(db, LMDB_KIND_SLOT, key, sizeof key, found ? old : (cevm_bytes){NULL, 0});
    }
    if (err == CEVM_OK) {
        err = cevm_lmdb_mark_slot(db, key);
    }
    if (err != CEVM_OK) {
        return err;
    }
    if (cevm_u256_is_zero(&change->value)) {
        return found ? cevm_lmdb_remove(db, LMDB_STORAGE, key, sizeof key) : CEVM_OK;
    }
    const lmdb_slot slot = {.key = change->key, .value = change->value};
    const size_t size = cevm_lmdb_encode_slot(record, &slot);
    return cevm_lmdb_put(db, LMDB_STORAGE, key, sizeof key, (cevm_bytes){record, size});
}

/* ---- Accounts -------------------------------------------------------------------------------------------------------- */

static cevm_err keep_code(cevm_lmdb *db, const cevm_account_change *change)
{
    bool found = false;
    cevm_bytes old;
    if (!change->code_changed || change->code.size == 0) {
        return CEVM_OK;
    }
    const cevm_err err = cevm_lmdb_get(db, &found, &old, LMDB_CODE, change->code_hash.bytes, LMDB_HASH);
    return err == CEVM_OK && !found ? cevm_lmdb_put(db, LMDB_CODE, change->code_hash.bytes, LMDB_HASH, change->code)
                                    : err;
}

/** Writes the record of an account that was `old` when `found`. */
static cevm_err write_account(cevm_lmdb *db, const cevm_hash *hash, const cevm_account_change *change, bool found,
                              const lmdb_account *old)
{
    uint8_t record[LMDB_MAX_RECORD];
    const bool had_storage = found && old->has_storage && !change->storage_cleared;
    lmdb_account account = {.address = change->address,
                            .nonce = change->nonce,
                            .balance = change->balance,
                            .code_hash = change->code_hash,
                            .has_storage = had_storage};
    if (had_storage) {
        account.storage_root = old->storage_root;
    }
    for (size_t i = 0; i < change->slot_count; ++i) {
        account.has_storage = account.has_storage || !cevm_u256_is_zero(&change->slots[i].value);
    }
    if (change->slot_count != 0) {
        memset(&account.storage_root, 0, sizeof account.storage_root);
    }
    const size_t size = cevm_lmdb_encode_account(record, &account);
    return cevm_lmdb_put(db, LMDB_ACCOUNTS, hash->bytes, LMDB_HASH, (cevm_bytes){record, size});
}

static cevm_err apply_change(cevm_lmdb *db, const cevm_account_change *change)
{
    cevm_hash hash;
    bool found = false;
    cevm_bytes record = {NULL, 0};
    lmdb_account old = {.has_storage = false};
    cevm_keccak256(&hash, change->address.bytes, sizeof change->address.bytes);
    cevm_err err = cevm_lmdb_get(db, &found, &record, LMDB_ACCOUNTS, hash.bytes, LMDB_HASH);
    if (err == CEVM_OK && found && !cevm_lmdb_decode_account(&old, record)) {
        err = cevm_lmdb_corrupt(db, "the record of an account is damaged (%zu bytes)", record.size);
    }
    if (err == CEVM_OK) {
        err = cevm_lmdb_note(db, LMDB_KIND_ACCOUNT, hash.bytes, LMDB_HASH, found ? record : (cevm_bytes){NULL, 0});
    }
    if (err == CEVM_OK) {
        err = cevm_lmdb_mark_account(db, &hash);
    }
    if (err == CEVM_OK && (change->deleted || change->storage_cleared) && old.has_storage) {
        err = drop_storage(db, &hash);
    }
    if (err != CEVM_OK || change->deleted) {
        return err != CEVM_OK || !found ? err : cevm_lmdb_remove(db, LMDB_ACCOUNTS, hash.bytes, LMDB_HASH);
    }
    err = keep_code(db, change);
    if (err == CEVM_OK) {
        err = write_account(db, &hash, change, found, &old);
    }
    for (size_t i = 0; err == CEVM_OK && i < change->slot_count; ++i) {
        err = write_slot(db, &hash, &change->slots[i]);
    }
    return err;
}

cevm_err cevm_lmdb_commit(void *ctx, const cevm_diff *diff)
{
    cevm_lmdb *db = ctx;
    MDB_txn *outer;
    const lmdb_head before = db->head;
    const size_t accounts = db->account_count;
    const size_t slots = db->slot_count;
    if (db->read_only) {
        return CEVM_ERR_ARGUMENT;
    }
    cevm_err err = cevm_lmdb_begin(db, &outer);
    if (err != CEVM_OK) {
        return err;
    }
    for (size_t i = 0; err == CEVM_OK && i < diff->account_count; ++i) {
        err = apply_change(db, &diff->accounts[i]);
    }
    if (err == CEVM_OK && !db->block_open) { /* nothing is left to do between blocks */
        err = cevm_lmdb_update_root(db);
        if (err == CEVM_OK) {
            err = cevm_lmdb_put_head(db);
        }
    }
    err = cevm_lmdb_end(db, outer, err);
    if (err != CEVM_OK) {
        db->head = before;
        db->account_count = accounts;
        db->slot_count = slots;
    }
    return err;
}
