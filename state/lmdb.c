/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/lmdb.c: the backend on disk (cevm/lmdb.h): transactions, access to records, and the interface.
 *
 * Reads outside a block use one reading transaction that is kept until the store is next written to, so that views of
 * code stay valid. Within a block they use the block's transaction. Each commit, and each making of roots, is a transaction
 * nested in the block's: when it fails, what it wrote is gone and the block is as before.
 */
#include <cevm/alloc.h>
#include <cevm/crypto.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "state/lmdb_internal.h"

/* ---- Errors ---------------------------------------------------------------------------------------------------------- */

cevm_err cevm_lmdb_fail(cevm_lmdb *db, const char *what, int rc)
{
    if (rc == MDB_SUCCESS) {
        return CEVM_OK;
    }
    /* LMDB calls it an I/O error when fewer bytes were written than asked for. */
    (void)snprintf(db->text, sizeof db->text, "%s: %s%s", what, mdb_strerror(rc),
                   rc == EIO ? " (or the disk is full)" : "");
    return rc == ENOMEM ? CEVM_ERR_NOMEM : CEVM_ERR_BACKEND;
}

cevm_err cevm_lmdb_corrupt(cevm_lmdb *db, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(db->text, sizeof db->text, format, args);
    va_end(args);
    return CEVM_ERR_BACKEND;
}

const char *cevm_lmdb_error_text(const cevm_lmdb *db) { return db->text; }

/* ---- Transactions ---------------------------------------------------------------------------------------------------- */

cevm_err cevm_lmdb_reader(cevm_lmdb *db, MDB_txn **out)
{
    int rc = MDB_SUCCESS;
    if (db->is_lost) {
        return cevm_lmdb_corrupt(db, "the open block could not be written");
    }
    if (db->writer == NULL && !db->reading) {
        rc = db->reader == NULL ? mdb_txn_begin(db->env, NULL, MDB_RDONLY, &db->reader) : mdb_txn_renew(db->reader);
        db->reading = rc == MDB_SUCCESS;
    }
    *out = db->writer != NULL ? db->writer : db->reader;
    return cevm_lmdb_fail(db, "cannot begin to read", rc);
}

/** Ends the reading transaction; views of the map are then no longer valid. */
void cevm_lmdb_refresh(cevm_lmdb *db)
{
    if (db->reading) {
        mdb_txn_reset(db->reader);
        db->reading = false;
    }
}

/** Doubles the address space the file may grow into when half of it is used; only between transactions. */
static cevm_err grow(cevm_lmdb *db)
{
    MDB_envinfo info;
    MDB_stat stat;
    int rc = mdb_env_info(db->env, &info);
    if (rc == MDB_SUCCESS) {
        rc = mdb_env_stat(db->env, &stat);
    }
    if (rc == MDB_SUCCESS && info.me_last_pgno > info.me_mapsize / stat.ms_psize / 2 &&
        info.me_mapsize <= SIZE_MAX / 4) {
        rc = mdb_env_set_mapsize(db->env, info.me_mapsize * 2);
    }
    return cevm_lmdb_fail(db, "the map of the file cannot grow", rc);
}

cevm_err cevm_lmdb_begin(cevm_lmdb *db, MDB_txn **outer)
{
    MDB_txn *txn = NULL;
    cevm_err err = CEVM_OK;
    *outer = db->writer;
    if (db->is_lost) {
        return cevm_lmdb_corrupt(db, "the open block could not be written");
    }
    if (db->writer == NULL) {
        cevm_lmdb_refresh(db);
        err = grow(db);
    }
    if (err == CEVM_OK) {
        err = cevm_lmdb_fail(db, "cannot begin to write", mdb_txn_begin(db->env, db->writer, 0, &txn));
    }
    if (err == CEVM_OK) {
        db->writer = txn;
    }
    return err;
}

cevm_err cevm_lmdb_end(cevm_lmdb *db, MDB_txn *outer, cevm_err err)
{
    MDB_txn *txn = db->writer;
    db->writer = outer;
    if (err == CEVM_OK) {
        return cevm_lmdb_fail(db, "cannot commit", mdb_txn_commit(txn));
    }
    mdb_txn_abort(txn);
    return err;
}

/* ---- Records --------------------------------------------------------------------------------------------------------- */

/** LMDB wants to be able to write through its arguments and does not. */
static MDB_val val_of(const void *data, size_t size)
{
    union {
        const void *given;
        void *taken;
    } pointer = {.given = data};
    return (MDB_val){.mv_size = size, .mv_data = pointer.taken};
}

cevm_err cevm_lmdb_get(cevm_lmdb *db, bool *found, cevm_bytes *out, lmdb_table table, const void *key, size_t key_size)
{
    MDB_txn *txn = NULL;
    MDB_val k = val_of(key, key_size);
    MDB_val v;
    *found = false;
    const cevm_err err = cevm_lmdb_reader(db, &txn);
    if (err != CEVM_OK) {
        return err;
    }
    const int rc = mdb_get(txn, db->tables[table], &k, &v);
    if (rc == MDB_NOTFOUND) {
        return CEVM_OK;
    }
    if (rc == MDB_SUCCESS) {
        *found = true;
        *out = (cevm_bytes){v.mv_data, v.mv_size};
    }
    return cevm_lmdb_fail(db, "cannot read", rc);
}

cevm_err cevm_lmdb_put(cevm_lmdb *db, lmdb_table table, const void *key, size_t key_size, cevm_bytes value)
{
    MDB_val k = val_of(key, key_size);
    MDB_val v = val_of(value.data, value.size);
    return cevm_lmdb_fail(db, "cannot write", mdb_put(db->writer, db->tables[table], &k, &v, 0));
}

cevm_err cevm_lmdb_remove(cevm_lmdb *db, lmdb_table table, const void *key, size_t key_size)
{
    MDB_val k = val_of(key, key_size);
    const int rc = mdb_del(db->writer, db->tables[table], &k, NULL);
    return cevm_lmdb_fail(db, "cannot remove", rc == MDB_NOTFOUND ? MDB_SUCCESS : rc);
}

cevm_err cevm_lmdb_cursor(cevm_lmdb *db, MDB_cursor **out, lmdb_table table)
{
    MDB_txn *txn = NULL;
    *out = NULL;
    const cevm_err err = cevm_lmdb_reader(db, &txn);
    return err == CEVM_OK ? cevm_lmdb_fail(db, "cannot open a cursor", mdb_cursor_open(txn, db->tables[table], out))
                          : err;
}

cevm_err cevm_lmdb_seek(cevm_lmdb *db, MDB_cursor *cursor, bool *found, MDB_val *key, MDB_val *value, const void *from,
                        size_t from_size, size_t prefix)
{
    *key = val_of(from, from_size);
    const int rc = mdb_cursor_get(cursor, key, value, from_size == 0 ? MDB_FIRST : MDB_SET_RANGE);
    *found = rc == MDB_SUCCESS && key->mv_size >= prefix && (prefix == 0 || memcmp(key->mv_data, from, prefix) == 0);
    return rc == MDB_NOTFOUND ? CEVM_OK : cevm_lmdb_fail(db, "cannot search", rc);
}

/* ---- The head -------------------------------------------------------------------------------------------------------- */

static const char head_name[] = "head";

cevm_err cevm_lmdb_put_head(cevm_lmdb *db)
{
    uint8_t record[16 + LMDB_HASH];
    cevm_store_be64(record, db->head.sequence);
    cevm_store_be64(record + 8, db->head.oldest);
    memcpy(record + 16, db->head.root.bytes, LMDB_HASH);
    return cevm_lmdb_put(db, LMDB_META, head_name, sizeof head_name - 1, (cevm_bytes){record, sizeof record});
}

cevm_err cevm_lmdb_load_head(cevm_lmdb *db)
{
    bool found = false;
    cevm_bytes record;
    const cevm_err err = cevm_lmdb_get(db, &found, &record, LMDB_META, head_name, sizeof head_name - 1);
    if (err != CEVM_OK) {
        return err;
    }
    if (!found || record.size != 16 + LMDB_HASH) {
        return cevm_lmdb_corrupt(db, "the record of the head is damaged or missing");
    }
    db->head.sequence = cevm_load_be64(record.data);
    db->head.oldest = cevm_load_be64(record.data + 8);
    memcpy(db->head.root.bytes, record.data + 16, LMDB_HASH);
    return db->head.oldest <= db->head.sequence ? CEVM_OK
                                                : cevm_lmdb_corrupt(db, "the record of the head contradicts itself");
}

/* ---- The interface --------------------------------------------------------------------------------------------------- */

cevm_err cevm_lmdb_read_account(cevm_lmdb *db, cevm_db_account *out, bool *exists, const cevm_hash *hash)
{
    lmdb_account account;
    cevm_err err = cevm_lmdb_find_account(db, exists, &account, hash);
    if (err != CEVM_OK || !*exists) {
        return err;
    }
    *out = (cevm_db_account){.balance = account.balance,
                             .nonce = account.nonce,
                             .code_hash = account.code_hash,
                             .has_storage = account.has_storage};
    if (account.has_storage && db->slot_count != 0) { /* the last slot may have gone since the record was written */
        MDB_cursor *cursor;
        MDB_val key;
        MDB_val value;
        err = cevm_lmdb_cursor(db, &cursor, LMDB_STORAGE);
        if (err == CEVM_OK) {
            err = cevm_lmdb_seek(db, cursor, &out->has_storage, &key, &value, hash->bytes, LMDB_HASH, LMDB_HASH);
            mdb_cursor_close(cursor);
        }
    }
    return err;
}

static cevm_err read_account(void *ctx, cevm_db_account *out, bool *exists, const cevm_address *address)
{
    cevm_hash hash;
    cevm_keccak256(&hash, address->bytes, sizeof address->bytes);
    return cevm_lmdb_read_account(ctx, out, exists, &hash);
}

static cevm_err read_storage(void *ctx, cevm_u256 *out, const cevm_address *address, const cevm_u256 *key)
{
    cevm_lmdb *db = ctx;
    cevm_hash hashes[2];
    bool found = false;
    cevm_bytes record;
    lmdb_slot slot;
    cevm_keccak256(&hashes[0], address->bytes, sizeof address->bytes);
    cevm_lmdb_hash_slot(&hashes[1], key);
    const cevm_err err = cevm_lmdb_get(db, &found, &record, LMDB_STORAGE, hashes, sizeof hashes);
    if (err != CEVM_OK) {
        return err;
    }
    if (found && (!cevm_lmdb_decode_slot(&slot, record) || !cevm_u256_equal(&slot.key, key))) {
        return cevm_lmdb_corrupt(db, "the record of a slot is damaged (%zu bytes)", record.size);
    }
    *out = found ? slot.value : cevm_u256_from_u64(0);
    return CEVM_OK;
}

static cevm_err read_code(void *ctx, cevm_bytes *out, const cevm_hash *code_hash)
{
    cevm_lmdb *db = ctx;
    bool found = false;
    cevm_hash hash;
    const cevm_err err = cevm_lmdb_get(db, &found, out, LMDB_CODE, code_hash->bytes, LMDB_HASH);
    if (err != CEVM_OK) {
        return err;
    }
    if (!found) {
        return cevm_lmdb_corrupt(db, "the code of an account is missing");
    }
    cevm_keccak256(&hash, out->data, out->size);
    return cevm_hash_equal(&hash, code_hash)
               ? CEVM_OK
               : cevm_lmdb_corrupt(db, "the code of an account is not what its hash says");
}

static cevm_err read_block_hash(void *ctx, cevm_hash *out, uint64_t number)
{
    cevm_lmdb *db = ctx;
    uint8_t key[8];
    bool found = false;
    cevm_bytes record;
    cevm_db_block block;
    cevm_store_be64(key, number);
    memset(out, 0, sizeof *out);
    cevm_err err = cevm_lmdb_block(db, &found, &block, number);
    if (err != CEVM_OK || found) {
        *out = err == CEVM_OK ? block.hash : *out;
        return err;
    }
    err = cevm_lmdb_get(db, &found, &record, LMDB_HASHES, key, sizeof key);
    if (err != CEVM_OK || !found) {
        return err;
    }
    if (record.size != LMDB_HASH) {
        return cevm_lmdb_corrupt(db, "the record of a block hash is damaged (%zu bytes)", record.size);
    }
    memcpy(out->bytes, record.data, LMDB_HASH);
    return CEVM_OK;
}

cevm_err cevm_lmdb_set_block_hash(cevm_lmdb *db, uint64_t number, const cevm_hash *hash)
{
    uint8_t key[8];
    MDB_txn *outer;
    if (db->read_only) {
        return CEVM_ERR_ARGUMENT;
    }
    cevm_store_be64(key, number);
    cevm_err err = cevm_lmdb_begin(db, &outer);
    if (err == CEVM_OK) {
        err = cevm_lmdb_put(db, LMDB_HASHES, key, sizeof key, (cevm_bytes){hash->bytes, LMDB_HASH});
        err = cevm_lmdb_end(db, outer, err);
    }
    return err;
}

static cevm_err read_root(void *ctx, cevm_hash *out)
{
    cevm_lmdb *db = ctx;
    cevm_err err = CEVM_OK;
    if (db->account_count != 0) { /* only within a block: a commit of its own leaves nothing to do */
        MDB_txn *outer;
        const lmdb_head before = db->head;
        const size_t accounts = db->account_count;
        const size_t slots = db->slot_count;
        err = cevm_lmdb_begin(db, &outer);
        if (err == CEVM_OK) {
            err = cevm_lmdb_end(db, outer, cevm_lmdb_update_root(db));
        }
        if (err != CEVM_OK) {
            db->head = before;
            db->account_count = accounts;
            db->slot_count = slots;
        }
    } else if (db->is_lost) {
        return cevm_lmdb_corrupt(db, "the open block could not be written");
    } else if (db->read_only) {
        err = cevm_lmdb_load_head(db); /* of the block that is being read, which another process may have written */
    }
    if (err == CEVM_OK) {
        *out = db->head.root;
    }
    return err;
}

cevm_db cevm_lmdb_interface(cevm_lmdb *db)
{
    static const cevm_db_vtable vtable = {
        .struct_size = sizeof vtable,
        .account = read_account,
        .storage = read_storage,
        .code = read_code,
        .block_hash = read_block_hash,
        .prefetch = NULL,
        .commit = cevm_lmdb_commit,
        .root = read_root,
        .begin_block = cevm_lmdb_begin_block,
        .end_block = cevm_lmdb_end_block,
        .undo_block = cevm_lmdb_undo_block,
        .open_past = cevm_lmdb_open_past,
        .close_past = cevm_lmdb_close_past,
        .put_block = cevm_lmdb_put_block,
        .begin_move = cevm_lmdb_begin_move,
        .end_move = cevm_lmdb_end_move,
    };
    return (cevm_db){.vtable = &vtable, .ctx = db};
}
