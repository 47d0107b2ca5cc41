/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/lmdb_visit.c: what there is in the backend on disk: figures, walks in the order of the hashes, the copy without free
 * pages, and blocks forgotten many at a time.
 */
#include <cevm/crypto.h>

#include "state/lmdb_internal.h"

/* ---- Figures --------------------------------------------------------------------------------------------------------- */

cevm_err cevm_lmdb_get_stat(cevm_lmdb *db, cevm_lmdb_stat *out)
{
    MDB_txn *txn;
    MDB_stat tables[LMDB_TABLE_COUNT];
    MDB_envinfo info;
    cevm_err err = cevm_lmdb_reader(db, &txn);
    uint64_t pages = 0;
    uint64_t first = 0;
    bool found = false;
    for (size_t i = 0; err == CEVM_OK && i < LMDB_TABLE_COUNT; ++i) {
        err = cevm_lmdb_fail(db, "cannot tell the figures", mdb_stat(txn, db->tables[i], &tables[i]));
        if (err == CEVM_OK) {
            pages += tables[i].ms_branch_pages + tables[i].ms_leaf_pages + tables[i].ms_overflow_pages;
        }
    }
    if (err == CEVM_OK) {
        err = cevm_lmdb_fail(db, "cannot tell the figures", mdb_env_info(db->env, &info));
    }
    if (err == CEVM_OK && db->read_only) {
        err = cevm_lmdb_load_head(db);
    }
    if (err == CEVM_OK) {
        err = cevm_lmdb_first_receipts(db, &found, &first);
    }
    if (err != CEVM_OK) {
        return err;
    }
    *out = (cevm_lmdb_stat){
        .accounts = tables[LMDB_ACCOUNTS].ms_entries,
        .slots = tables[LMDB_STORAGE].ms_entries,
        .codes = tables[LMDB_CODE].ms_entries,
        .branches = tables[LMDB_BRANCHES].ms_entries,
        .blocks = db->head.sequence,
        .remembered = cevm_lmdb_remembered(db),
        .history = db->history,
        .used_bytes = pages * tables[0].ms_psize,
        .file_bytes = ((uint64_t)info.me_last_pgno + 1) * tables[0].ms_psize,
        .map_bytes = info.me_mapsize,
        .root = db->head.root,
        .receipts = tables[LMDB_RECEIPTS].ms_entries,
        .keeps_receipts = db->receipts,
        .first_receipts = first,
        .transactions = tables[LMDB_TXS].ms_entries,
        .log_records = tables[LMDB_LOGS].ms_entries,
    };
    return CEVM_OK;
}

/* ---- Walks ----------------------------------------------------------------------------------------------------------- */

/** Reads the code of an account; none for an account without. */
static cevm_err code_of(cevm_lmdb *db, cevm_bytes *out, const lmdb_account *account)
{
    const cevm_db view = cevm_lmdb_interface(db);
    *out = (cevm_bytes){NULL, 0};
    return cevm_hash_equal(&account->code_hash, &cevm_empty_code_hash)
               ? CEVM_OK
               : view.vtable->code(view.ctx, out, &account->code_hash);
}

cevm_err cevm_lmdb_for_each_account(cevm_lmdb *db, cevm_lmdb_visit_account visit, void *user)
{
    MDB_cursor *cursor;
    MDB_val key = {0};
    MDB_val value = {0};
    bool found = false;
    cevm_err err = cevm_lmdb_cursor(db, &cursor, LMDB_ACCOUNTS);
    if (err == CEVM_OK) {
        err = cevm_lmdb_seek(db, cursor, &found, &key, &value, NULL, 0, 0);
    }
    while (err == CEVM_OK && found) {
        lmdb_account account;
        cevm_bytes code;
        if (key.mv_size != LMDB_HASH ||
            !cevm_lmdb_decode_account(&account, (cevm_bytes){value.mv_data, value.mv_size})) {
            err = cevm_lmdb_corrupt(db, "the record of an account is damaged (%zu bytes)", value.mv_size);
            break;
        }
        err = code_of(db, &code, &account);
        if (err != CEVM_OK) {
            break;
        }
        const cevm_db_account shown = {.balance = account.balance,
                                       .nonce = account.nonce,
                                       .code_hash = account.code_hash,
                                       .has_storage = account.has_storage};
        if (!visit(user, &account.address, &shown, code)) {
            break;
        }
        const int rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        found = rc == MDB_SUCCESS;
        err = rc == MDB_NOTFOUND ? CEVM_OK : cevm_lmdb_fail(db, "cannot read", rc);
    }
    mdb_cursor_close(cursor);
    return err;
}

cevm_err cevm_lmdb_for_each_slot(cevm_lmdb *db, const cevm_address *address, cevm_lmdb_visit_slot visit, void *user)
{
    MDB_cursor *cursor;
    MDB_val key = {0};
    MDB_val value = {0};
    cevm_hash owner;
    bool found = false;
    cevm_keccak256(&owner, address->bytes, sizeof address->bytes);
    cevm_err err = cevm_lmdb_cursor(db, &cursor, LMDB_STORAGE);
    if (err == CEVM_OK) {
        err = cevm_lmdb_seek(db, cursor, &found, &key, &value, owner.bytes, LMDB_HASH, LMDB_HASH);
    }
    while (err == CEVM_OK && found) {
        lmdb_slot slot;
        if (key.mv_size != LMDB_SLOT_KEY || !cevm_lmdb_decode_slot(&slot, (cevm_bytes){value.mv_data, value.mv_size})) {
            err = cevm_lmdb_corrupt(db, "the record of a slot is damaged (%zu bytes)", value.mv_size);
            break;
        }
        if (!visit(user, &slot.key, &slot.value)) {
            break;
        }
        const int rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        found = rc == MDB_SUCCESS && key.mv_size >= LMDB_HASH && memcmp(key.mv_data, owner.bytes, LMDB_HASH) == 0;
        err = rc == MDB_NOTFOUND ? CEVM_OK : cevm_lmdb_fail(db, "cannot read", rc);
    }
    mdb_cursor_close(cursor);
    return err;
}

/* ---- Upkeep ---------------------------------------------------------------------------------------------------------- */

cevm_err cevm_lmdb_prune(cevm_lmdb *db, uint64_t keep, cevm_lmdb_progress progress, void *user)
{
    enum { AT_ONCE = 64 }; /* blocks a transaction */
    const uint64_t before = db->head.sequence - db->head.oldest;
    if (db->read_only || db->block_open) {
        return CEVM_ERR_ARGUMENT;
    }
    while (db->head.sequence - db->head.oldest > keep) {
        MDB_txn *outer;
        const lmdb_head head = db->head;
        cevm_err err = cevm_lmdb_begin(db, &outer);
        if (err != CEVM_OK) {
            return err;
        }
        for (int i = 0; err == CEVM_OK && i < AT_ONCE && db->head.sequence - db->head.oldest > keep; ++i) {
            err = cevm_lmdb_forget_oldest(db);
        }
        if (err == CEVM_OK) {
            err = cevm_lmdb_put_head(db);
        }
        err = cevm_lmdb_end(db, outer, err);
        if (err != CEVM_OK) {
            db->head = head;
            return err;
        }
        const uint64_t left = db->head.sequence - db->head.oldest;
        if (progress != NULL && !progress(user, before - left, before - keep)) {
            return CEVM_ERR_CANCELLED;
        }
    }
    return CEVM_OK;
}

cevm_err cevm_lmdb_prune_receipts(cevm_lmdb *db, uint64_t keep, cevm_lmdb_progress progress, void *user)
{
    enum { AT_ONCE = 256 };
    cevm_lmdb_stat stat;
    bool left = true;
    if (db->read_only || db->block_open) {
        return CEVM_ERR_ARGUMENT;
    }
    cevm_err err = cevm_lmdb_get_stat(db, &stat);
    for (uint64_t done = AT_ONCE; err == CEVM_OK && left; done += AT_ONCE) {
        MDB_txn *outer;
        err = cevm_lmdb_begin(db, &outer);
        if (err == CEVM_OK) {
            err = cevm_lmdb_end(db, outer, cevm_lmdb_drop_receipts(db, &left, keep, AT_ONCE));
        }
        const uint64_t total = stat.receipts > keep ? stat.receipts - keep : 0;
        if (err == CEVM_OK && progress != NULL && !progress(user, done < total ? done : total, total)) {
            err = CEVM_ERR_CANCELLED;
        }
    }
    return err;
}

cevm_err cevm_lmdb_copy(cevm_lmdb *db, const char *path)
{
    if (db->block_open || db->move != NULL) {
        return CEVM_ERR_ARGUMENT;
    }
    const cevm_err err = cevm_lmdb_fail(db, "cannot write the copy", mdb_env_copy2(db->env, path, MDB_CP_COMPACT));
    return err == CEVM_ERR_BACKEND ? CEVM_ERR_IO : err;
}
