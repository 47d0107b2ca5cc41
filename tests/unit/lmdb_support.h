/* SPDX-License-Identifier: Apache-2.0 */
/**
 * tests/unit/lmdb_support.h: a small store on disk in a folder of its own, and its file as bytes.
 */
#ifndef CEVM_TESTS_LMDB_SUPPORT_H
#define CEVM_TESTS_LMDB_SUPPORT_H

#include <cevm/crypto.h>
#include <cevm/lmdb.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct lmdb_folder {
    char path[256];
    char data[280];
} lmdb_folder;

static inline bool lmdb_folder_make(lmdb_folder *out)
{
    const char *place = getenv("TMPDIR");
    (void)snprintf(out->path, sizeof out->path, "%.200s/cevm-XXXXXX", place != NULL ? place : P_tmpdir);
    if (mkdtemp(out->path) == NULL) {
        return false;
    }
    (void)snprintf(out->data, sizeof out->data, "%s/data.mdb", out->path);
    return true;
}

static inline void lmdb_folder_remove(const lmdb_folder *folder)
{
    static const char *const names[] = {"data.mdb", "lock.mdb", "writer.lock"};
    char path[300];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        (void)snprintf(path, sizeof path, "%s/%s", folder->path, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(folder->path);
}

static inline cevm_err lmdb_open(cevm_lmdb **out, cevm_lmdb_error *error, const lmdb_folder *folder, bool create,
                                 bool check_pages)
{
    const cevm_lmdb_options options = {.struct_size = sizeof options,
                                       .path = folder->path,
                                       .create = create,
                                       .no_sync = true,
                                       .check_pages = check_pages,
                                       .map_size = (uint64_t)1 << 28};
    return cevm_lmdb_open(out, error, &options);
}

static inline cevm_address lmdb_address(uint64_t number)
{
    cevm_address a = {{0}};
    cevm_store_be64(a.bytes + 12, number + 1);
    return a;
}

/** One block of accounts [from, from + count): balance, some code (short and long), some slots. */
static inline cevm_err lmdb_add_block(cevm_lmdb *db, uint64_t from, uint64_t count, uint64_t balance)
{
    static const uint8_t code[9000] = {0x60, 0x01};
    const cevm_db view = cevm_lmdb_interface(db);
    cevm_err err = view.vtable->begin_block(view.ctx);
    for (uint64_t i = from; err == CEVM_OK && i < from + count; ++i) {
        cevm_slot_change slots[3];
        for (uint64_t s = 0; s < 3; ++s) {
            slots[s] = (cevm_slot_change){cevm_u256_from_u64(s * i), cevm_u256_from_u64(balance + s)};
        }
        cevm_account_change change = {.address = lmdb_address(i),
                                      .balance = cevm_u256_from_u64(balance + i),
                                      .code_hash = cevm_empty_code_hash,
                                      .slots = slots,
                                      .slot_count = i != 0 && i % 4 == 0 ? 3 : 0};
        if (i % 8 == 0) {
            change.code_changed = true;
            change.code = (cevm_bytes){code, i % 64 == 0 ? sizeof code - i : 5 + i};
            cevm_keccak256(&change.code_hash, change.code.data, change.code.size);
        }
        const cevm_diff diff = {.accounts = &change, .account_count = 1};
        err = view.vtable->commit(view.ctx, &diff);
    }
    return err == CEVM_OK ? view.vtable->end_block(view.ctx, true) : err;
}

/** A file as bytes (free). NULL when it cannot be read. */
static inline uint8_t *lmdb_read_file(size_t *size, const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    if (file != NULL && fseek(file, 0, SEEK_END) == 0) {
        const long end = ftell(file);
        *size = end > 0 ? (size_t)end : 0;
        data = malloc(*size + 1);
        rewind(file);
        if (data != NULL && fread(data, 1, *size, file) != *size) {
            free(data);
            data = NULL;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return data;
}

static inline bool lmdb_write_file(const char *path, const uint8_t *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    bool ok = file != NULL && fwrite(data, 1, size, file) == size;
    if (file != NULL) {
        ok = fclose(file) == 0 && ok;
    }
    return ok;
}

/**
 * Opens a file that may be damaged, with its pages looked through, and when that finds nothing uses it in every way:
 * verifies, takes blocks back, changes accounts, verifies again. Returns whether it was found whole at first.
 */
static inline bool lmdb_use_all(const lmdb_folder *folder)
{
    cevm_lmdb *db = NULL;
    cevm_lmdb_error error;
    if (lmdb_open(&db, &error, folder, false, true) != CEVM_OK) {
        return false;
    }
    const bool whole = cevm_lmdb_verify(db, NULL, NULL) == CEVM_OK;
    const cevm_db view = cevm_lmdb_interface(db);
    (void)view.vtable->undo_block(view.ctx);
    if (lmdb_add_block(db, 3, 12, 77) != CEVM_OK) {
        (void)view.vtable->end_block(view.ctx, false);
    }
    (void)cevm_lmdb_verify(db, NULL, NULL);
    cevm_lmdb_close(db);
    return whole;
}

#endif
