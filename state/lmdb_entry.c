/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/lmdb_entry.c: entries of the store's user, kept beside the chain in the same transactions. They stand in the table
 * meta, their names after a mark that no name of the store's own begins with.
 */
#include "state/lmdb_internal.h"

enum { MARK = 0, MAX_KEY = 1 + CEVM_LMDB_MAX_ENTRY_NAME };

/** The key of an entry; 0 when the name is no name. */
static size_t entry_key(uint8_t out[MAX_KEY], cevm_bytes name)
{
    if (name.size == 0 || name.size > CEVM_LMDB_MAX_ENTRY_NAME) {
        return 0;
    }
    out[0] = MARK;
    memcpy(out + 1, name.data, name.size);
    return 1 + name.size;
}

cevm_err cevm_lmdb_put_entry(cevm_lmdb *db, cevm_bytes name, cevm_bytes value)
{
    uint8_t key[MAX_KEY];
    MDB_txn *outer;
    const size_t size = entry_key(key, name);
    if (size == 0 || db->read_only) {
        return CEVM_ERR_ARGUMENT;
    }
    cevm_err err = cevm_lmdb_begin(db, &outer);
    if (err != CEVM_OK) {
        return err;
    }
    err = value.size != 0 ? cevm_lmdb_put(db, LMDB_META, key, size, value) : cevm_lmdb_remove(db, LMDB_META, key, size);
    return cevm_lmdb_end(db, outer, err);
}

cevm_err cevm_lmdb_entry(cevm_lmdb *db, bool *found, cevm_bytes *value, cevm_bytes name)
{
    uint8_t key[MAX_KEY];
    const size_t size = entry_key(key, name);
    *found = false;
    return size != 0 ? cevm_lmdb_get(db, found, value, LMDB_META, key, size) : CEVM_ERR_ARGUMENT;
}

cevm_err cevm_lmdb_for_each_entry(cevm_lmdb *db, cevm_bytes prefix, cevm_lmdb_visit_entry visit, void *user)
{
    uint8_t from[MAX_KEY] = {MARK};
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    bool found = false;
    if (prefix.size > CEVM_LMDB_MAX_ENTRY_NAME) {
        return CEVM_ERR_ARGUMENT;
    }
    if (prefix.size != 0) {
        memcpy(from + 1, prefix.data, prefix.size);
    }
    const size_t size = 1 + prefix.size;
    cevm_err err = cevm_lmdb_cursor(db, &cursor, LMDB_META);
    if (err == CEVM_OK) {
        err = cevm_lmdb_seek(db, cursor, &found, &key, &value, from, size, size);
    }
    while (err == CEVM_OK && found) {
        const uint8_t *name = key.mv_data;
        if (!visit(user, (cevm_bytes){name + 1, key.mv_size - 1}, (cevm_bytes){value.mv_data, value.mv_size})) {
            break;
        }
        const int rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        found = rc == MDB_SUCCESS && key.mv_size >= size && memcmp(key.mv_data, from, size) == 0;
        err = rc == MDB_NOTFOUND ? CEVM_OK : cevm_lmdb_fail(db, "cannot read", rc);
    }
    mdb_cursor_close(cursor);
    return err;
}
