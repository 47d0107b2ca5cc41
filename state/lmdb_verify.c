/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/lmdb_verify.c: whether what the backend on disk holds is whole: every record read, every trie made anew from
 * accounts and slots alone and compared, branch by branch, with the one that is stored. Nothing is held in memory.
 */
#include <cevm/crypto.h>

#include "state/lmdb_internal.h"

enum { REPORT_EVERY = 4096 };

typedef struct verifying {
    cevm_lmdb *db;
    cevm_lmdb_progress progress;
    void *user;
    uint64_t done;
    uint64_t total;
    MDB_cursor *slots;
    uint64_t slots_seen;
    uint64_t branches_seen;
} verifying;

static cevm_err report(verifying *v)
{
    ++v->done;
    return v->progress == NULL || v->done % REPORT_EVERY != 0 || v->progress(v->user, v->done, v->total)
               ? CEVM_OK
               : CEVM_ERR_CANCELLED;
}

static cevm_err check_slot(verifying *v, MDB_val key, MDB_val value)
{
    cevm_lmdb *db = v->db;
    lmdb_slot slot;
    cevm_hash hash;
    const uint8_t *bytes = key.mv_data;
    if (key.mv_size != LMDB_SLOT_KEY || !cevm_lmdb_decode_slot(&slot, (cevm_bytes){value.mv_data, value.mv_size})) {
        return cevm_lmdb_corrupt(db, "the record of a slot is damaged (%zu bytes)", value.mv_size);
    }
    cevm_lmdb_hash_slot(&hash, &slot.key);
    if (memcmp(hash.bytes, bytes + LMDB_HASH, LMDB_HASH) != 0) {
        return cevm_lmdb_corrupt(db, "a slot stands under a key that is not its own");
    }
    v->slots_seen++;
    return report(v);
}

static cevm_err check_storage(verifying *v, const cevm_hash *owner, const lmdb_account *account)
{
    cevm_lmdb *db = v->db;
    MDB_val key = {0};
    MDB_val value = {0};
    bool found = false;
    cevm_hash root;
    cevm_err err = cevm_lmdb_seek(db, v->slots, &found, &key, &value, owner->bytes, LMDB_HASH, LMDB_HASH);
    if (err == CEVM_OK && found != account->has_storage) {
        return cevm_lmdb_corrupt(db, found ? "an account has slots and a record that knows of none"
                                           : "an account has no slots and a record that knows of some");
    }
    if (err != CEVM_OK || !found) {
        return err;
    }
    while (err == CEVM_OK && found) {
        err = check_slot(v, key, value);
        if (err == CEVM_OK) {
            const int rc = mdb_cursor_get(v->slots, &key, &value, MDB_NEXT);
            found = rc == MDB_SUCCESS && key.mv_size >= LMDB_HASH && memcmp(key.mv_data, owner->bytes, LMDB_HASH) == 0;
            err = rc == MDB_NOTFOUND ? CEVM_OK : cevm_lmdb_fail(db, "cannot read", rc);
        }
    }
    if (err == CEVM_OK) {
        err = cevm_lmdb_check_trie(db, &root, &v->branches_seen, owner);
    }
    if (err == CEVM_OK && !cevm_hash_equal(&root, &account->storage_root)) {
        err = cevm_lmdb_corrupt(db, "the slots of an account do not have the root in its record");
    }
    return err;
}

static cevm_err check_account(verifying *v, MDB_val key, MDB_val value)
{
    cevm_lmdb *db = v->db;
    lmdb_account account;
    cevm_hash hash;
    if (key.mv_size != LMDB_HASH || !cevm_lmdb_decode_account(&account, (cevm_bytes){value.mv_data, value.mv_size})) {
        return cevm_lmdb_corrupt(db, "the record of an account is damaged (%zu bytes)", value.mv_size);
    }
    cevm_keccak256(&hash, account.address.bytes, sizeof account.address.bytes);
    if (memcmp(hash.bytes, key.mv_data, LMDB_HASH) != 0) {
        return cevm_lmdb_corrupt(db, "an account stands under a key that is not its own");
    }
    cevm_err err = CEVM_OK;
    if (!cevm_hash_equal(&account.code_hash, &cevm_empty_code_hash)) {
        const cevm_db view = cevm_lmdb_interface(db);
        cevm_bytes code;
        err = view.vtable->code(view.ctx, &code, &account.code_hash);
    }
    if (err == CEVM_OK) {
        err = check_storage(v, &hash, &account);
    }
    return err == CEVM_OK ? report(v) : err;
}

static cevm_err check_accounts(verifying *v)
{
    cevm_lmdb *db = v->db;
    MDB_cursor *cursor;
    MDB_val key = {0};
    MDB_val value = {0};
    bool found = false;
    cevm_hash root;
    cevm_err err = cevm_lmdb_cursor(db, &cursor, LMDB_ACCOUNTS);
    if (err == CEVM_OK) {
        err = cevm_lmdb_seek(db, cursor, &found, &key, &value, NULL, 0, 0);
    }
    while (err == CEVM_OK && found) {
        err = check_account(v, key, value);
        if (err == CEVM_OK) {
            const int rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
            found = rc == MDB_SUCCESS;
            err = rc == MDB_NOTFOUND ? CEVM_OK : cevm_lmdb_fail(db, "cannot read", rc);
        }
    }
    mdb_cursor_close(cursor);
    if (err == CEVM_OK) {
        err = cevm_lmdb_check_trie(db, &root, &v->branches_seen, NULL);
    }
    if (err == CEVM_OK && !cevm_hash_equal(&root, &db->head.root)) {
        err = cevm_lmdb_corrupt(db, "the accounts do not have the root that is stored");
    }
    return err;
}

cevm_err cevm_lmdb_verify(cevm_lmdb *db, cevm_lmdb_progress progress, void *user)
{
    cevm_lmdb_stat stat;
    verifying v = {.db = db, .progress = progress, .user = user};
    if (db->block_open) {
        return CEVM_ERR_ARGUMENT;
    }
    cevm_err err = cevm_lmdb_get_stat(db, &stat);
    if (err == CEVM_OK) {
        v.total = stat.accounts + stat.slots;
        err = cevm_lmdb_cursor(db, &v.slots, LMDB_STORAGE);
    }
    if (err == CEVM_OK) {
        err = check_accounts(&v);
    }
    mdb_cursor_close(v.slots);
    if (err == CEVM_OK && v.slots_seen != stat.slots) {
        err = cevm_lmdb_corrupt(db, "there are slots of no account");
    }
    if (err == CEVM_OK && v.branches_seen != stat.branches) {
        err = cevm_lmdb_corrupt(db, "there are branches of no trie");
    }
    return err == CEVM_OK ? cevm_lmdb_verify_chain(db) : err;
}
