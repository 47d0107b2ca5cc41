/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The file of the backend on disk. Input that begins with an even byte is a list of changes to the bytes of a small store's
 * file (three bytes of position, one of value). Otherwise it is a list of changes to its records, which LMDB itself makes,
 * so that pages stay whole: which table, which record, and what becomes of it. The store is then opened as anybody would
 * and used in every way. Whatever was changed, nothing may crash.
 */
#include <stddef.h>
#include <stdint.h>

#include <lmdb.h>
#include <sys/stat.h>

#include "tests/unit/lmdb_support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct fuzz {
    lmdb_folder folder;
    uint8_t *image;
    uint8_t *copy;
    size_t size;
} fuzz;

static void need(bool condition)
{
    if (!condition) {
        abort();
    }
}

/** A store whose trees have branches, in memory where there is a file system in memory. */
static void make_image(fuzz *f)
{
    cevm_lmdb *db = NULL;
    cevm_lmdb_error error;
    if (access("/dev/shm", W_OK) == 0) {
        (void)setenv("TMPDIR", "/dev/shm", 1);
    }
    need(lmdb_folder_make(&f->folder) && lmdb_open(&db, &error, &f->folder, true, false) == CEVM_OK);
    need(lmdb_add_block(db, 0, 40, 1) == CEVM_OK && lmdb_add_block(db, 20, 30, 2) == CEVM_OK);
    cevm_lmdb_close(db);
    f->image = lmdb_read_file(&f->size, f->folder.data);
    need(f->image != NULL);
    f->copy = malloc(f->size);
    need(f->copy != NULL);
}

static void change_bytes(const fuzz *f, const uint8_t *data, size_t size)
{
    memcpy(f->copy, f->image, f->size);
    for (size_t i = 0; i + 4 <= size; i += 4) {
        const size_t at = (size_t)data[i] | (size_t)data[i + 1] << 8 | (size_t)data[i + 2] << 16;
        f->copy[at % f->size] = data[i + 3];
    }
    need(lmdb_write_file(f->folder.data, f->copy, f->size));
}

/** The record of a table that a number points to. */
static bool find_record(MDB_cursor *cursor, MDB_val *key, MDB_val *value, unsigned number)
{
    int rc = mdb_cursor_get(cursor, key, value, MDB_FIRST);
    while (rc == MDB_SUCCESS && number-- != 0) {
        rc = mdb_cursor_get(cursor, key, value, MDB_NEXT);
    }
    return rc == MDB_SUCCESS;
}

/** One change: what[0] table, what[1] record, what[2] kind, what[3], what[4] of it. */
static void change_record(MDB_txn *txn, const uint8_t what[5])
{
    static const char *const tables[] = {"meta",   "accounts", "storage", "code",     "branches", "history", "changes",
                                         "hashes", "chain",    "blocks",  "receipts", "numbers",  "txs",     "logs"};
    uint8_t key_bytes[600];
    uint8_t bytes[20000];
    MDB_cursor *cursor;
    MDB_dbi table;
    MDB_val key = {0};
    MDB_val value = {0};
    need(mdb_dbi_open(txn, tables[what[0] % (sizeof tables / sizeof tables[0])], 0, &table) == MDB_SUCCESS);
    need(mdb_cursor_open(txn, table, &cursor) == MDB_SUCCESS);
    const bool found = find_record(cursor, &key, &value, what[1]);
    mdb_cursor_close(cursor);
    if (!found || key.mv_size > sizeof key_bytes || value.mv_size >= sizeof bytes) {
        return;
    }
    memcpy(key_bytes, key.mv_data, key.mv_size);
    if (value.mv_size != 0) {
        memcpy(bytes, value.mv_data, value.mv_size);
    }
    key.mv_data = key_bytes;
    value.mv_data = bytes;
    switch (what[2] % 5) {
    case 0: /* another byte */ bytes[value.mv_size != 0 ? (what[3] * 37u) % value.mv_size : 0] = what[4]; break;
    case 1: /* shorter */ value.mv_size = value.mv_size * what[3] / 256; break;
    case 2: /* longer */ bytes[value.mv_size++] = what[4]; break;
    case 3: /* gone */ (void)mdb_del(txn, table, &key, NULL); return;
    default: /* under another key */
        key_bytes[what[3] % key.mv_size] = what[4];
        key.mv_size -= what[3] > 200 && key.mv_size > 1 ? 1 : 0;
        break;
    }
    (void)mdb_put(txn, table, &key, &value, 0);
}

static void change_records(const fuzz *f, const uint8_t *data, size_t size)
{
    MDB_env *env = NULL;
    MDB_txn *txn = NULL;
    need(lmdb_write_file(f->folder.data, f->image, f->size));
    need(mdb_env_create(&env) == MDB_SUCCESS && mdb_env_set_maxdbs(env, 16) == MDB_SUCCESS &&
         mdb_env_set_mapsize(env, (size_t)1 << 24) == MDB_SUCCESS &&
         mdb_env_open(env, f->folder.path, MDB_NOSYNC | MDB_NOLOCK, 0644) == MDB_SUCCESS);
    need(mdb_txn_begin(env, NULL, 0, &txn) == MDB_SUCCESS);
    for (size_t i = 0; i + 5 <= size; i += 5) {
        change_record(txn, data + i);
    }
    need(mdb_txn_commit(txn) == MDB_SUCCESS);
    mdb_env_close(env);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static fuzz f;
    if (f.image == NULL) {
        make_image(&f);
    }
    if (size < 5 || size > 200) { /* a few changes find more than many */
        return 0;
    }
    if (data[0] % 2 == 0) {
        change_bytes(&f, data + 1, size - 1);
    } else {
        change_records(&f, data + 1, size - 1);
    }
    (void)lmdb_use_all(&f.folder);
    return 0;
}
