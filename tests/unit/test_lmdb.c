/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The backend on disk (cevm/lmdb.h) where it differs from the others: who may open it, what lasts, and files that are not
 * what they should be. What all backends have in common is in tests/property/test_backends.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <lmdb.h>
#include <sys/stat.h>

#include "tests/unit/lmdb_support.h"

static cevm_lmdb *open_store(const lmdb_folder *folder, bool create)
{
    cevm_lmdb *db = NULL;
    cevm_lmdb_error error;
    const cevm_err err = lmdb_open(&db, &error, folder, create, false);
    if (err != CEVM_OK) {
        print_error("%s\n", error.text);
    }
    assert_int_equal(err, CEVM_OK);
    return db;
}

static void refused(const lmdb_folder *folder, cevm_err expected, const char *text, bool read_only)
{
    cevm_lmdb *db = NULL;
    cevm_lmdb_error error;
    const cevm_lmdb_options options = {
        .struct_size = sizeof options, .path = folder->path, .read_only = read_only, .map_size = (uint64_t)1 << 28};
    assert_int_equal(cevm_lmdb_open(&db, &error, &options), expected);
    assert_null(db);
    assert_non_null(strstr(error.text, text));
}

static uint64_t balance_of(cevm_lmdb *db, uint64_t number)
{
    const cevm_db view = cevm_lmdb_interface(db);
    const cevm_address address = lmdb_address(number);
    cevm_db_account account;
    bool exists = false;
    assert_int_equal(view.vtable->account(view.ctx, &account, &exists, &address), CEVM_OK);
    return exists ? account.balance.w[0] : 0;
}

static void test_one_writer(void **state)
{
    (void)state;
    lmdb_folder folder;
    assert_true(lmdb_folder_make(&folder));
    refused(&folder, CEVM_ERR_IO, "there is no store here", false);
    refused(&folder, CEVM_ERR_IO, "there is no store here", true);
    cevm_lmdb *db = open_store(&folder, true);
    refused(&folder, CEVM_ERR_IO, "open for writing", false);
    cevm_lmdb_close(db);
    db = open_store(&folder, false);
    cevm_lmdb_close(db);
    lmdb_folder_remove(&folder);
}

static void test_read_only(void **state)
{
    (void)state;
    lmdb_folder folder;
    assert_true(lmdb_folder_make(&folder));
    cevm_lmdb *db = open_store(&folder, true);
    assert_int_equal(lmdb_add_block(db, 0, 70, 1000), CEVM_OK);
    cevm_lmdb_close(db);
    assert_int_equal(chmod(folder.data, 0444), 0);
    cevm_lmdb_error error;
    const cevm_lmdb_options options = {
        .struct_size = sizeof options, .path = folder.path, .read_only = true, .map_size = (uint64_t)1 << 28};
    assert_int_equal(cevm_lmdb_open(&db, &error, &options), CEVM_OK);
    const cevm_db view = cevm_lmdb_interface(db);
    const cevm_diff nothing = {.accounts = NULL, .account_count = 0};
    const cevm_hash hash = {{1}};
    assert_int_equal(balance_of(db, 7), 1007);
    assert_int_equal(view.vtable->commit(view.ctx, &nothing), CEVM_ERR_ARGUMENT);
    assert_int_equal(view.vtable->begin_block(view.ctx), CEVM_ERR_ARGUMENT);
    assert_int_equal(view.vtable->undo_block(view.ctx), CEVM_ERR_ARGUMENT);
    assert_int_equal(cevm_lmdb_set_block_hash(db, 1, &hash), CEVM_ERR_ARGUMENT);
    assert_int_equal(cevm_lmdb_verify(db, NULL, NULL), CEVM_OK);
    cevm_db past;
    assert_int_equal(view.vtable->open_past(view.ctx, &past, 1), CEVM_OK);
    view.vtable->close_past(view.ctx, &past);
    cevm_lmdb_close(db);
    lmdb_folder_remove(&folder);
}

static void test_history_lasts_and_is_pruned(void **state)
{
    (void)state;
    lmdb_folder folder;
    cevm_lmdb_stat stat;
    assert_true(lmdb_folder_make(&folder));
    cevm_lmdb *db = open_store(&folder, true);
    for (uint64_t block = 1; block <= 20; ++block) {
        assert_int_equal(lmdb_add_block(db, 0, 10, block * 100), CEVM_OK);
    }
    cevm_lmdb_close(db);
    db = open_store(&folder, false);
    const cevm_db view = cevm_lmdb_interface(db);
    for (size_t back = 0; back <= 20; ++back) {
        cevm_db past;
        cevm_db_account account;
        bool exists = false;
        const cevm_address address = lmdb_address(3);
        assert_int_equal(view.vtable->open_past(view.ctx, &past, back), CEVM_OK);
        assert_int_equal(past.vtable->account(past.ctx, &account, &exists, &address), CEVM_OK);
        assert_int_equal(exists, back != 20);
        if (exists) {
            assert_int_equal(account.balance.w[0], (20 - back) * 100 + 3);
        }
        view.vtable->close_past(view.ctx, &past);
    }
    assert_int_equal(cevm_lmdb_prune(db, 3, NULL, NULL), CEVM_OK);
    assert_int_equal(cevm_lmdb_get_stat(db, &stat), CEVM_OK);
    assert_int_equal(stat.remembered, 3);
    for (uint64_t block = 20; block > 17; --block) {
        assert_int_equal(balance_of(db, 3), block * 100 + 3);
        assert_int_equal(view.vtable->undo_block(view.ctx), CEVM_OK);
    }
    assert_int_equal(view.vtable->undo_block(view.ctx), CEVM_ERR_ARGUMENT);
    assert_int_equal(balance_of(db, 3), 1703);
    assert_int_equal(cevm_lmdb_verify(db, NULL, NULL), CEVM_OK);
    cevm_lmdb_close(db);
    lmdb_folder_remove(&folder);
}

static void test_the_block_goes_with_its_changes(void **state)
{
    (void)state;
    lmdb_folder folder;
    cevm_db_block block = {.number = 5, .hash = {{5}}, .total_difficulty = cevm_u256_from_u64(9), .is_merged = true};
    cevm_db_block head;
    bool found = true;
    cevm_hash hash;
    assert_true(lmdb_folder_make(&folder));
    cevm_lmdb *db = open_store(&folder, true);
    cevm_db view = cevm_lmdb_interface(db);
    assert_int_equal(cevm_lmdb_head(db, &found, &head), CEVM_OK);
    assert_false(found);
    assert_int_equal(view.vtable->put_block(view.ctx, &block), CEVM_ERR_ARGUMENT);
    for (int keep = 0; keep < 2; ++keep) {
        assert_int_equal(view.vtable->begin_block(view.ctx), CEVM_OK);
        block.rlp = (cevm_bytes){(const uint8_t *)"\xc1\x80", 2};
        assert_int_equal(view.vtable->put_block(view.ctx, &block), CEVM_OK);
        assert_int_equal(view.vtable->end_block(view.ctx, keep == 1), CEVM_OK);
        assert_int_equal(cevm_lmdb_head(db, &found, &head), CEVM_OK);
        assert_int_equal(found, keep == 1);
    }
    cevm_lmdb_close(db);
    db = open_store(&folder, false);
    view = cevm_lmdb_interface(db);
    assert_int_equal(cevm_lmdb_head(db, &found, &head), CEVM_OK);
    assert_true(found && head.is_merged && head.number == 5 && head.total_difficulty.w[0] == 9);
    assert_int_equal(head.rlp.size, 2);
    assert_int_equal(view.vtable->block_hash(view.ctx, &hash, 5), CEVM_OK);
    assert_memory_equal(hash.bytes, block.hash.bytes, sizeof hash.bytes);
    assert_int_equal(view.vtable->undo_block(view.ctx), CEVM_OK);
    assert_int_equal(cevm_lmdb_head(db, &found, &head), CEVM_OK);
    assert_false(found);
    cevm_lmdb_close(db);
    lmdb_folder_remove(&folder);
}

/** Writes a record behind the backend's back. */
static void put_record(const lmdb_folder *folder, const char *table, const void *key, size_t key_size,
                       const char *value, size_t size)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    uint8_t key_copy[64];
    char value_copy[80];
    memcpy(key_copy, key, key_size);
    memcpy(value_copy, value, size);
    MDB_val k = {.mv_size = key_size, .mv_data = key_copy};
    MDB_val v = {.mv_size = size, .mv_data = value_copy};
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 16), 0);
    assert_int_equal(mdb_env_open(env, folder->path, 0, 0644), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, table, MDB_CREATE, &dbi), 0);
    assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void test_damaged_records(void **state)
{
    (void)state;
    lmdb_folder folder;
    assert_true(lmdb_folder_make(&folder));
    cevm_lmdb *db = open_store(&folder, true);
    assert_int_equal(lmdb_add_block(db, 0, 20, 1), CEVM_OK);
    cevm_lmdb_close(db);
    const cevm_address address = lmdb_address(3);
    cevm_hash hash;
    cevm_keccak256(&hash, address.bytes, sizeof address.bytes);
    put_record(&folder, "accounts", hash.bytes, sizeof hash.bytes, "\x01", 1);
    db = open_store(&folder, false);
    const cevm_db view = cevm_lmdb_interface(db);
    cevm_db_account account;
    bool exists = false;
    assert_int_equal(view.vtable->account(view.ctx, &account, &exists, &address), CEVM_ERR_BACKEND);
    assert_non_null(strstr(cevm_lmdb_error_text(db), "the record of an account is damaged"));
    assert_int_equal(cevm_lmdb_verify(db, NULL, NULL), CEVM_ERR_BACKEND);
    cevm_lmdb_close(db);
    put_record(&folder, "meta", "format", 6, "cevm state 9", 12);
    refused(&folder, CEVM_ERR_BACKEND, "format that this version does not know", false);
    refused(&folder, CEVM_ERR_BACKEND, "format that this version does not know", true);
    lmdb_folder_remove(&folder);
    assert_true(lmdb_folder_make(&folder));
    put_record(&folder, "others", "a", 1, "b", 1);
    refused(&folder, CEVM_ERR_BACKEND, "another program's database", false);
    lmdb_folder_remove(&folder);
}

/** Records that are damaged so that a walk over them could go on for ever. */
static void test_damaged_records_end_walks(void **state)
{
    (void)state;
    static const uint8_t far[8] = {0x0f};
    static const uint8_t first[8] = {[7] = 1};
    char record[65] = {0};
    lmdb_folder folder;
    uint64_t logs = 0;
    const cevm_lmdb_filter all = {.to = UINT64_MAX};
    assert_true(lmdb_folder_make(&folder));
    cevm_lmdb *db = open_store(&folder, true);
    assert_int_equal(lmdb_add_block(db, 0, 20, 1), CEVM_OK);
    cevm_lmdb_close(db);
    put_record(&folder, "chain", far, sizeof far, record, sizeof record);
    db = open_store(&folder, false);
    assert_int_equal(cevm_lmdb_for_each_log(db, &all, lmdb_count_log, &logs), CEVM_OK);
    assert_true(logs != 0);
    assert_int_equal(cevm_lmdb_verify(db, NULL, NULL), CEVM_ERR_BACKEND);
    cevm_lmdb_close(db);
    put_record(&folder, "receipts", first, sizeof first, "", 0);
    db = open_store(&folder, false);
    assert_int_equal(cevm_lmdb_prune_receipts(db, 0, NULL, NULL), CEVM_ERR_BACKEND);
    cevm_lmdb_close(db);
    lmdb_folder_remove(&folder);
}

/** A store as a file in memory. */
static uint8_t *make_image(size_t *size, const lmdb_folder *folder)
{
    cevm_lmdb *db = open_store(folder, true);
    for (uint64_t i = 0; i < 4; ++i) {
        assert_int_equal(lmdb_add_block(db, i * 20, 140, i + 1), CEVM_OK);
    }
    cevm_lmdb_close(db);
    uint8_t *image = lmdb_read_file(size, folder->data);
    assert_non_null(image);
    return image;
}

static void test_files_cut_short(void **state)
{
    (void)state;
    lmdb_folder folder;
    size_t size = 0;
    assert_true(lmdb_folder_make(&folder));
    uint8_t *image = make_image(&size, &folder);
    assert_true(lmdb_use_all(&folder));
    for (size_t cut = 0; cut < size; cut += cut < 8192 ? 61 : 4096) {
        assert_true(lmdb_write_file(folder.data, image, cut));
        refused(&folder, CEVM_ERR_BACKEND, "", false);
    }
    free(image);
    lmdb_folder_remove(&folder);
}

/** Spoils pages: zeros, another page's bytes, half of another page (a torn write), single bytes. Nothing may crash. */
static void test_spoiled_pages(void **state)
{
    (void)state;
    enum { PAGE = 4096, ROUNDS = 1500 };
    lmdb_folder folder;
    size_t size = 0;
    size_t found = 0;
    uint64_t x = 88172645463325252u;
    assert_true(lmdb_folder_make(&folder));
    uint8_t *image = make_image(&size, &folder);
    uint8_t *copy = malloc(size);
    assert_non_null(copy);
    for (size_t round = 0; round < ROUNDS; ++round) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        uint8_t *page = copy + (x >> 8) % (size / PAGE) * PAGE;
        const uint8_t *other = image + (x >> 24) % (size / PAGE) * PAGE;
        memcpy(copy, image, size);
        switch (round % 5) {
        case 0: memset(page, 0, PAGE); break;
        case 1: memcpy(page, other, PAGE); break;
        case 2: memcpy(page + PAGE / 2, other + PAGE / 2, PAGE / 2); break;
        case 3: /* where the pointers are */ page[(x >> 40) % 64] ^= (uint8_t)(1u << (x >> 61)); break;
        default: page[(x >> 40) % PAGE] = (uint8_t)(x >> 56); break;
        }
        assert_true(lmdb_write_file(folder.data, copy, size));
        found += lmdb_use_all(&folder) ? 0 : 1;
    }
    assert_true(found > ROUNDS / 3); /* the others hit free pages, the older of two heads, or changed nothing */
    free(copy);
    free(image);
    lmdb_folder_remove(&folder);
}

/** Opens a store as programs do, waiting for the disk. */
static cevm_err open_plainly(cevm_lmdb **out, const lmdb_folder *folder, bool read_only)
{
    cevm_lmdb_error error;
    const cevm_lmdb_options options = {
        .struct_size = sizeof options, .path = folder->path, .read_only = read_only, .map_size = (uint64_t)1 << 28};
    return cevm_lmdb_open(out, &error, &options);
}

static long lock_size(const lmdb_folder *folder)
{
    char path[300];
    struct stat info;
    (void)snprintf(path, sizeof path, "%s/writer.lock", folder->path);
    return stat(path, &info) == 0 ? (long)info.st_size : -1;
}

/** A file that was written into since it was closed is looked through; one that was not need not be. */
static void test_the_seal(void **state)
{
    (void)state;
    enum { PAGE = 4096 };
    lmdb_folder folder;
    size_t size = 0;
    size_t refused_plainly = 0;
    cevm_lmdb *db = NULL;
    assert_true(lmdb_folder_make(&folder));
    uint8_t *image = make_image(&size, &folder);
    assert_int_equal(lock_size(&folder), 0); /* without waiting for the disk nothing is promised */
    assert_int_equal(open_plainly(&db, &folder, false), CEVM_OK);
    assert_int_equal(lock_size(&folder), 0);
    cevm_lmdb_close(db);
    assert_true(lock_size(&folder) > 0);
    assert_int_equal(open_plainly(&db, &folder, true), CEVM_OK);
    cevm_lmdb_close(db);
    assert_true(lock_size(&folder) > 0);
    for (size_t page = 2; page < size / PAGE; ++page) {
        uint8_t *copy = malloc(size);
        assert_non_null(copy);
        memcpy(copy, image, size);
        memset(copy + page * PAGE + 10, 0xff, 64);
        assert_true(lmdb_write_file(folder.data, copy, size));
        for (int read_only = 0; read_only < 2; ++read_only) {
            const cevm_err err = open_plainly(&db, &folder, read_only == 1);
            assert_true(err == CEVM_OK || err == CEVM_ERR_BACKEND);
            if (err == CEVM_OK) { /* a page that is free, or in the middle of a long value */
                const cevm_err found = cevm_lmdb_verify(db, NULL, NULL);
                assert_true(found == CEVM_OK || found == CEVM_ERR_BACKEND);
                cevm_lmdb_close(db);
            } else {
                ++refused_plainly;
            }
        }
        free(copy);
    }
    assert_true(refused_plainly > 20);
    free(image);
    lmdb_folder_remove(&folder);
}

static bool see_log(void *user, const cevm_lmdb_log *log)
{
    uint64_t *seen = user;
    assert_true(log->tx_index == 1 && log->log.topic_count == log->index + 1);
    return ++*seen != 3;
}

static void test_what_is_found(void **state)
{
    (void)state;
    lmdb_folder folder;
    cevm_db_block block;
    bool found = false;
    uint64_t seen = 0;
    assert_true(lmdb_folder_make(&folder));
    cevm_lmdb *db = open_store(&folder, true);
    const cevm_db view = cevm_lmdb_interface(db);
    const cevm_lmdb_filter all = {.to = UINT64_MAX};
    const cevm_lmdb_filter wrong = {.to = UINT64_MAX, .topic_count = 5};
    for (uint64_t i = 0; i < 4; ++i) {
        assert_int_equal(lmdb_add_block(db, i, 5, 9), CEVM_OK);
    }
    assert_int_equal(cevm_lmdb_for_each_log(db, &wrong, see_log, &seen), CEVM_ERR_ARGUMENT);
    assert_int_equal(cevm_lmdb_for_each_log(db, &all, see_log, &seen), CEVM_OK);
    assert_int_equal(seen, 3); /* it was stopped */
    /* Numbers grow; receipts that are none are refused and leave nothing. */
    assert_int_equal(view.vtable->begin_block(view.ctx), CEVM_OK);
    assert_int_equal(cevm_lmdb_block(db, &found, &block, 4), CEVM_OK);
    assert_true(found);
    assert_int_equal(view.vtable->put_block(view.ctx, &block), CEVM_ERR_ARGUMENT);
    uint8_t rlp[2048];
    assert_true(block.rlp.size <= sizeof rlp);
    memcpy(rlp, block.rlp.data, block.rlp.size);
    block.rlp.data = rlp;
    block.number = 5;
    block.hash.bytes[0] ^= 1;
    block.receipts = (cevm_bytes){(const uint8_t *)"\xc1\x80", 2};
    assert_int_equal(view.vtable->put_block(view.ctx, &block), CEVM_ERR_ENCODING);
    assert_int_equal(cevm_lmdb_block_by_hash(db, &found, &block, &block.hash), CEVM_OK);
    assert_false(found);
    assert_int_equal(view.vtable->end_block(view.ctx, true), CEVM_OK);
    assert_int_equal(cevm_lmdb_verify(db, NULL, NULL), CEVM_OK);
    uint32_t undoable = 0;
    assert_int_equal(cevm_lmdb_undoable(db, &undoable, 100), CEVM_OK);
    assert_int_equal(undoable, 0); /* the newest was not named */
    assert_int_equal(view.vtable->undo_block(view.ctx), CEVM_OK);
    assert_int_equal(cevm_lmdb_undoable(db, &undoable, 3), CEVM_OK);
    assert_int_equal(undoable, 3);
    cevm_lmdb_close(db);
    lmdb_folder_remove(&folder);
}

static void test_moves(void **state)
{
    (void)state;
    lmdb_folder folder;
    cevm_hash before;
    cevm_hash after;
    assert_true(lmdb_folder_make(&folder));
    cevm_lmdb *db = open_store(&folder, true);
    cevm_db view = cevm_lmdb_interface(db);
    for (uint64_t i = 0; i < 4; ++i) {
        assert_int_equal(lmdb_add_block(db, i, 5, i), CEVM_OK);
    }
    assert_int_equal(view.vtable->end_move(view.ctx, true), CEVM_ERR_ARGUMENT);
    for (int round = 0; round < 3; ++round) { /* given up, given up with a block open, closed half-way */
        assert_int_equal(view.vtable->root(view.ctx, &before), CEVM_OK);
        assert_int_equal(view.vtable->begin_move(view.ctx), CEVM_OK);
        assert_int_equal(view.vtable->begin_move(view.ctx), CEVM_ERR_ARGUMENT);
        assert_int_equal(view.vtable->undo_block(view.ctx), CEVM_OK);
        assert_int_equal(view.vtable->undo_block(view.ctx), CEVM_OK);
        assert_int_equal(lmdb_add_block(db, 3, 30, 1000), CEVM_OK);
        assert_int_equal(cevm_lmdb_verify(db, NULL, NULL), CEVM_OK);
        assert_int_equal(balance_of(db, 7), 1007);
        if (round == 1) {
            assert_int_equal(view.vtable->begin_block(view.ctx), CEVM_OK);
            assert_int_equal(view.vtable->end_move(view.ctx, true), CEVM_ERR_ARGUMENT);
        }
        if (round == 2) {
            cevm_lmdb_close(db);
            db = open_store(&folder, false);
            view = cevm_lmdb_interface(db);
        } else {
            assert_int_equal(view.vtable->end_move(view.ctx, false), CEVM_OK);
        }
        assert_int_equal(view.vtable->root(view.ctx, &after), CEVM_OK);
        assert_memory_equal(&after, &before, sizeof after);
        assert_int_equal(balance_of(db, 7), 10);
        assert_int_equal(cevm_lmdb_verify(db, NULL, NULL), CEVM_OK);
    }
    assert_int_equal(view.vtable->begin_move(view.ctx), CEVM_OK);
    assert_int_equal(view.vtable->undo_block(view.ctx), CEVM_OK);
    assert_int_equal(lmdb_add_block(db, 3, 30, 1000), CEVM_OK);
    assert_int_equal(view.vtable->end_move(view.ctx, true), CEVM_OK);
    cevm_lmdb_close(db);
    db = open_store(&folder, false);
    assert_int_equal(balance_of(db, 7), 1007);
    assert_int_equal(cevm_lmdb_verify(db, NULL, NULL), CEVM_OK);
    cevm_lmdb_close(db);
    lmdb_folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_writer),
        cmocka_unit_test(test_read_only),
        cmocka_unit_test(test_history_lasts_and_is_pruned),
        cmocka_unit_test(test_the_block_goes_with_its_changes),
        cmocka_unit_test(test_damaged_records),
        cmocka_unit_test(test_damaged_records_end_walks),
        cmocka_unit_test(test_files_cut_short),
        cmocka_unit_test(test_spoiled_pages),
        cmocka_unit_test(test_the_seal),
        cmocka_unit_test(test_what_is_found),
        cmocka_unit_test(test_moves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
