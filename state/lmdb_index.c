/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/lmdb_index.c: what finds transactions and logs in the backend on disk. A transaction is found by its hash. A log is
 * found by its address and by each of its topics: under eight bytes of a hash of what it is found by stand the blocks that
 * have one, 256 blocks a record, a byte each. Two that share those eight bytes cost a look into a block, nothing else:
 * whoever searches compares the logs themselves.
 *
 * None of this is noted in the history: what a block added is found again in its body and receipts when it is taken back.
 */
#include <cevm/crypto.h>

#include <stdlib.h>

#include "state/lmdb_internal.h"

/* ---- Transactions ---------------------------------------------------------------------------------------------------- */

static cevm_err index_tx(cevm_lmdb *db, const cevm_hash *hash, uint64_t number, uint32_t index, bool add)
{
    uint8_t record[LMDB_TX_RECORD];
    cevm_store_be64(record, number);
    for (size_t i = 0; i < 4; ++i) {
        record[LMDB_NUMBER + i] = (uint8_t)(index >> (24 - 8 * i));
    }
    return add ? cevm_lmdb_put(db, LMDB_TXS, hash->bytes, LMDB_HASH, (cevm_bytes){record, sizeof record})
               : cevm_lmdb_remove(db, LMDB_TXS, hash->bytes, LMDB_HASH);
}

static cevm_err index_txs(cevm_lmdb *db, const cevm_db_block *block, bool add)
{
    cevm_bytes txs;
    cevm_bytes tx;
    cevm_err err = CEVM_OK;
    if (!cevm_lmdb_txs_of(&txs, block->rlp)) {
        return CEVM_ERR_ENCODING;
    }
    for (uint32_t i = 0; err == CEVM_OK && cevm_lmdb_next_tx(&txs, &tx); ++i) {
        cevm_hash hash;
        cevm_keccak256(&hash, tx.data, tx.size);
        err = index_tx(db, &hash, block->number, i, add);
    }
    return err == CEVM_OK && txs.size != 0 ? CEVM_ERR_ENCODING : err;
}

/* ---- Logs ------------------------------------------------------------------------------------------------------------ */

void cevm_lmdb_mark(uint8_t out[LMDB_MARK], unsigned kind, const void *value, size_t size)
{
    uint8_t bytes[1 + LMDB_HASH];
    cevm_hash hash;
    bytes[0] = (uint8_t)kind;
    memcpy(bytes + 1, value, size);
    cevm_keccak256(&hash, bytes, 1 + size);
    memcpy(out, hash.bytes, LMDB_MARK);
}

static void put_mark(cevm_buf *marks, unsigned kind, const void *value, size_t size)
{
    uint8_t mark[LMDB_MARK];
    cevm_lmdb_mark(mark, kind, value, size);
    cevm_buf_append(marks, mark, sizeof mark);
}

static bool put_marks(cevm_buf *marks, cevm_bytes logs)
{
    cevm_log log;
    while (cevm_lmdb_next_log(&logs, &log)) {
        put_mark(marks, 0, log.address.bytes, sizeof log.address.bytes);
        for (unsigned i = 0; i < log.topic_count; ++i) {
            put_mark(marks, 1 + i, log.topics[i].bytes, LMDB_HASH);
        }
    }
    return logs.size == 0;
}

static int compare_marks(const void *a, const void *b) { return memcmp(a, b, LMDB_MARK); }

cevm_err cevm_lmdb_marks_of(cevm_lmdb *db, size_t *count, cevm_bytes receipts)
{
    cevm_buf *marks = &db->value;
    cevm_lmdb_receipt receipt;
    cevm_bytes cursor;
    *count = 0;
    cevm_buf_clear(marks);
    if (!cevm_lmdb_receipts_begin(&cursor, receipts)) {
        return CEVM_ERR_ENCODING;
    }
    while (cevm_lmdb_next_receipt(&cursor, &receipt)) {
        if (!put_marks(marks, receipt.logs)) {
            return CEVM_ERR_ENCODING;
        }
    }
    if (cursor.size != 0 || marks->failed) {
        return marks->failed ? CEVM_ERR_NOMEM : CEVM_ERR_ENCODING;
    }
    if (marks->size == 0) {
        return CEVM_OK;
    }
    qsort(marks->data, marks->size / LMDB_MARK, LMDB_MARK, compare_marks);
    for (size_t at = 0; at < marks->size; at += LMDB_MARK) {
        uint8_t *to = marks->data + *count * LMDB_MARK;
        if (at == 0 || memcmp(to - LMDB_MARK, marks->data + at, LMDB_MARK) != 0) {
            memmove(to, marks->data + at, LMDB_MARK);
            ++*count;
        }
    }
    return CEVM_OK;
}

void cevm_lmdb_log_key(uint8_t out[LMDB_MARK + LMDB_NUMBER], const uint8_t mark[LMDB_MARK], uint64_t number)
{
    memcpy(out, mark, LMDB_MARK);
    cevm_store_be64(out + LMDB_MARK, number / LMDB_SECTION);
}

/** Puts a block into the record of a mark, or takes it out. */
static cevm_err index_mark(cevm_lmdb *db, const uint8_t mark[LMDB_MARK], uint64_t number, bool add)
{
    uint8_t key[LMDB_MARK + LMDB_NUMBER];
    uint8_t record[LMDB_SECTION + 1];
    const uint8_t low = (uint8_t)(number % LMDB_SECTION);
    bool found = false;
    cevm_bytes old;
    size_t at = 0;
    cevm_lmdb_log_key(key, mark, number);
    const cevm_err err = cevm_lmdb_get(db, &found, &old, LMDB_LOGS, key, sizeof key);
    if (err != CEVM_OK) {
        return err;
    }
    const size_t size = found ? old.size : 0;
    if (size > LMDB_SECTION || (found && size == 0)) {
        return cevm_lmdb_corrupt(db, "a record of logs is damaged (%zu bytes)", size);
    }
    while (at < size && old.data[at] < low) {
        ++at;
    }
    const bool there = at < size && old.data[at] == low;
    if (there == add) {
        return CEVM_OK;
    }
    const size_t behind = there ? at + 1 : at;
    if (size != 0) {
        memcpy(record, old.data, at);
        memcpy(record + at + (add ? 1 : 0), old.data + behind, size - behind);
    }
    if (add) {
        record[at] = low;
    }
    const size_t after = add ? size + 1 : size - 1;
    return after != 0 ? cevm_lmdb_put(db, LMDB_LOGS, key, sizeof key, (cevm_bytes){record, after})
                      : cevm_lmdb_remove(db, LMDB_LOGS, key, sizeof key);
}

cevm_err cevm_lmdb_index(cevm_lmdb *db, const cevm_db_block *block, bool add)
{
    size_t count = 0;
    cevm_err err = block->rlp.size != 0 ? index_txs(db, block, add) : CEVM_OK;
    if (err == CEVM_OK) {
        err = cevm_lmdb_marks_of(db, &count, block->receipts);
    }
    for (size_t i = 0; err == CEVM_OK && i < count; ++i) {
        err = index_mark(db, db->value.data + i * LMDB_MARK, block->number, add);
    }
    return err;
}
