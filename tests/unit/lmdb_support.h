/* SPDX-License-Identifier: Apache-2.0 */
/**
 * tests/unit/lmdb_support.h: a small store on disk in a folder of its own, and its file as bytes.
 */
#ifndef CEVM_TESTS_LMDB_SUPPORT_H
#define CEVM_TESTS_LMDB_SUPPORT_H

#include <cevm/block.h>
#include <cevm/crypto.h>
#include <cevm/lmdb.h>

#include "state/rlp.h"
#include "state/trie.h"

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

enum { LMDB_TXS_EACH = 2 };

/** The receipts of a made-up block: a legacy one, and a typed one with logs. `each` receives them one by one. */
static inline void lmdb_put_receipts(cevm_buf *out, cevm_bytes each[LMDB_TXS_EACH], cevm_buf scratch[LMDB_TXS_EACH],
                                     uint64_t number)
{
    static const uint8_t bloom[256] = {0};
    const size_t list = cevm_rlp_list_begin(out);
    for (uint64_t i = 0; i < LMDB_TXS_EACH; ++i) {
        cevm_buf *buf = &scratch[i];
        const uint8_t type = 2;
        if (i == 1) {
            cevm_buf_append(buf, &type, 1);
        }
        const size_t receipt = cevm_rlp_list_begin(buf);
        cevm_rlp_put_u64(buf, 1);
        cevm_rlp_put_u64(buf, 21000 * (i + 1));
        cevm_rlp_put_bytes(buf, bloom, sizeof bloom);
        const size_t logs = cevm_rlp_list_begin(buf);
        for (uint64_t l = 0; l < 3 * i; ++l) {
            const cevm_address address = lmdb_address(l);
            const cevm_hash topic = {{(uint8_t)number, (uint8_t)l}};
            const size_t log = cevm_rlp_list_begin(buf);
            cevm_rlp_put_address(buf, &address);
            const size_t topics = cevm_rlp_list_begin(buf);
            for (uint64_t t = 0; t <= l; ++t) {
                cevm_rlp_put_hash(buf, &topic);
            }
            cevm_rlp_list_end(buf, topics);
            cevm_rlp_put_bytes(buf, bloom, (size_t)(40 * l));
            cevm_rlp_list_end(buf, log);
        }
        cevm_rlp_list_end(buf, logs);
        cevm_rlp_list_end(buf, receipt);
        each[i] = (cevm_bytes){buf->data, buf->size};
        if (i == 1) {
            cevm_rlp_put_bytes(out, buf->data, buf->size);
        } else {
            cevm_buf_append(out, buf->data, buf->size);
        }
    }
    cevm_rlp_list_end(out, list);
}

/** Puts a made-up block after the head into the open block: its roots are right, its transactions just bytes. */
static inline cevm_err lmdb_put_block(cevm_lmdb *db)
{
    const cevm_db view = cevm_lmdb_interface(db);
    cevm_buf scratch[LMDB_TXS_EACH] = {{0}, {0}};
    cevm_buf receipts = {0};
    cevm_bytes each[LMDB_TXS_EACH];
    uint8_t txs[LMDB_TXS_EACH][10];
    cevm_bytes raw[LMDB_TXS_EACH];
    uint8_t bytes[2048];
    cevm_db_block head;
    bool found = false;
    cevm_err err = cevm_lmdb_head(db, &found, &head);
    cevm_block block = {.raw_txs = raw, .tx_count = LMDB_TXS_EACH};
    block.header = (cevm_header){.number = 1, .ommers_hash = cevm_empty_ommers_hash};
    if (err == CEVM_OK && found) {
        block.header.number = head.number + 1;
        block.header.parent_hash = head.hash;
    }
    for (size_t i = 0; i < LMDB_TXS_EACH; ++i) {
        txs[i][0] = i == 0 ? 0xc9 : 2; /* a list of one string of eight bytes; of a type */
        txs[i][1] = i == 0 ? 0x88 : 7;
        cevm_store_be64(txs[i] + 2, block.header.number);
        raw[i] = (cevm_bytes){txs[i], sizeof txs[i]};
    }
    cevm_db_block out = {.number = block.header.number, .total_difficulty = cevm_u256_from_u64(block.header.number)};
    lmdb_put_receipts(&receipts, each, scratch, block.header.number);
    if (err == CEVM_OK) {
        err = cevm_transactions_root(&block.header.transactions_root, raw, LMDB_TXS_EACH, NULL);
    }
    if (err == CEVM_OK) {
        err = cevm_trie_ordered_root(&block.header.receipts_root, each, LMDB_TXS_EACH, NULL);
    }
    if (err == CEVM_OK) {
        err = cevm_block_encode(bytes, &out.rlp.size, sizeof bytes, &block, NULL);
    }
    if (err == CEVM_OK) {
        err = cevm_header_hash(&out.hash, &block.header, NULL);
    }
    out.rlp.data = bytes;
    out.receipts = (cevm_bytes){receipts.data, receipts.size};
    if (err == CEVM_OK) {
        err = view.vtable->put_block(view.ctx, &out);
    }
    cevm_buf_free(&receipts);
    cevm_buf_free(&scratch[0]);
    cevm_buf_free(&scratch[1]);
    return err;
}

/** One block of accounts [from, from + count): balance, some code (short and long), some slots; and a block of the chain. */
static inline cevm_err lmdb_add_block(cevm_lmdb *db, uint64_t from, uint64_t count, uint64_t balance)
{
    enum { MOST = 256 };
    static const uint8_t code[9000] = {0x60, 0x01};
    static cevm_account_change changes[MOST];
    static cevm_slot_change slots[MOST][3];
    const cevm_db view = cevm_lmdb_interface(db);
    const cevm_diff diff = {.accounts = changes, .account_count = (size_t)count};
    cevm_err err = count <= MOST ? view.vtable->begin_block(view.ctx) : CEVM_ERR_ARGUMENT;
    for (uint64_t n = 0; err == CEVM_OK && n < count; ++n) {
        const uint64_t i = from + n;
        for (uint64_t s = 0; s < 3; ++s) {
            slots[n][s] = (cevm_slot_change){cevm_u256_from_u64(s * i), cevm_u256_from_u64(balance + s)};
        }
        changes[n] = (cevm_account_change){.address = lmdb_address(i),
                                           .balance = cevm_u256_from_u64(balance + i),
                                           .code_hash = cevm_empty_code_hash,
                                           .slots = slots[n],
                                           .slot_count = i != 0 && i % 4 == 0 ? 3 : 0};
        if (i % 8 == 0) {
            changes[n].code_changed = true;
            changes[n].code = (cevm_bytes){code, i % 64 == 0 ? sizeof code - i : 5 + i};
            cevm_keccak256(&changes[n].code_hash, changes[n].code.data, changes[n].code.size);
        }
    }
    if (err == CEVM_OK) {
        err = view.vtable->commit(view.ctx, &diff);
    }
    if (err == CEVM_OK) {
        err = lmdb_put_block(db);
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

/** Counts logs and their topics. */
static inline bool lmdb_count_log(void *user, const cevm_lmdb_log *log)
{
    uint64_t *count = user;
    *count += 1 + log->log.topic_count;
    return true;
}

/**
 * Opens a file that may be damaged, as anybody would, and when that finds nothing uses it in every way: verifies, takes blocks back, changes accounts, verifies again. Returns whether it was found whole at first.
 */
static inline bool lmdb_use_all(const lmdb_folder *folder)
{
    cevm_lmdb *db = NULL;
    cevm_lmdb_error error;
    if (lmdb_open(&db, &error, folder, false, false) != CEVM_OK) {
        return false;
    }
    const bool whole = cevm_lmdb_verify(db, NULL, NULL) == CEVM_OK;
    const cevm_db view = cevm_lmdb_interface(db);
    const cevm_address address = lmdb_address(1);
    const cevm_lmdb_filter filter = {.to = UINT64_MAX, .addresses = &address, .address_count = 1};
    const cevm_lmdb_filter all = {.to = UINT64_MAX};
    uint64_t logs = 0;
    (void)cevm_lmdb_for_each_log(db, &filter, lmdb_count_log, &logs);
    (void)cevm_lmdb_for_each_log(db, &all, lmdb_count_log, &logs);
    (void)view.vtable->undo_block(view.ctx);
    if (lmdb_add_block(db, 3, 12, 77) != CEVM_OK) {
        (void)view.vtable->end_block(view.ctx, false);
    }
    (void)cevm_lmdb_verify(db, NULL, NULL);
    (void)cevm_lmdb_prune_receipts(db, 1, NULL, NULL);
    cevm_lmdb_close(db);
    return whole;
}

#endif
