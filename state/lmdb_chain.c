/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/lmdb_chain.c: the blocks of the chain whose state the backend on disk holds. The newest record is the head: it is
 * written in the block's own transaction, and taken back with it.
 */
#include "state/lmdb_internal.h"

/* ---- Reading --------------------------------------------------------------------------------------------------------- */

static cevm_err read_part(cevm_lmdb *db, cevm_bytes *out, lmdb_table table, const uint8_t key[LMDB_NUMBER])
{
    bool found = false;
    const cevm_err err = cevm_lmdb_get(db, &found, out, table, key, LMDB_NUMBER);
    if (!found) {
        *out = (cevm_bytes){NULL, 0};
    }
    return err;
}

static cevm_err read_block(cevm_lmdb *db, cevm_db_block *out, uint64_t number, cevm_bytes record)
{
    uint8_t key[LMDB_NUMBER];
    if (record.size != LMDB_CHAIN_RECORD || record.data[LMDB_CHAIN_RECORD - 1] > 1) {
        return cevm_lmdb_corrupt(db, "the record of block %llu is damaged (%zu bytes)", (unsigned long long)number,
                                 record.size);
    }
    *out = (cevm_db_block){.number = number,
                           .total_difficulty = cevm_u256_from_be(record.data + LMDB_HASH),
                           .is_merged = record.data[LMDB_CHAIN_RECORD - 1] != 0};
    memcpy(out->hash.bytes, record.data, LMDB_HASH);
    cevm_store_be64(key, number);
    const cevm_err err = read_part(db, &out->rlp, LMDB_BLOCKS, key);
    return err == CEVM_OK ? read_part(db, &out->receipts, LMDB_RECEIPTS, key) : err;
}

cevm_err cevm_lmdb_block(cevm_lmdb *db, bool *found, cevm_db_block *out, uint64_t number)
{
    uint8_t key[LMDB_NUMBER];
    cevm_bytes record;
    cevm_store_be64(key, number);
    const cevm_err err = cevm_lmdb_get(db, found, &record, LMDB_CHAIN, key, sizeof key);
    return err == CEVM_OK && *found ? read_block(db, out, number, record) : err;
}

cevm_err cevm_lmdb_block_by_hash(cevm_lmdb *db, bool *found, cevm_db_block *out, const cevm_hash *hash)
{
    cevm_bytes record;
    cevm_err err = cevm_lmdb_get(db, found, &record, LMDB_NUMBERS, hash->bytes, LMDB_HASH);
    if (err != CEVM_OK || !*found) {
        return err;
    }
    if (record.size != LMDB_NUMBER) {
        return cevm_lmdb_corrupt(db, "the record of a block's number is damaged (%zu bytes)", record.size);
    }
    err = cevm_lmdb_block(db, found, out, cevm_load_be64(record.data));
    if (err == CEVM_OK && (!*found || !cevm_hash_equal(&out->hash, hash))) {
        err = cevm_lmdb_corrupt(db, "the number of a block is that of another");
    }
    return err;
}

/** Number and record of the first or last block of a table of numbers. */
static cevm_err end_of(cevm_lmdb *db, bool *found, uint64_t *number, cevm_bytes *record, lmdb_table table,
                       MDB_cursor_op which)
{
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    *found = false;
    const cevm_err err = cevm_lmdb_cursor(db, &cursor, table);
    if (err != CEVM_OK) {
        return err;
    }
    const int rc = mdb_cursor_get(cursor, &key, &value, which);
    mdb_cursor_close(cursor);
    if (rc != MDB_SUCCESS) {
        return rc == MDB_NOTFOUND ? CEVM_OK : cevm_lmdb_fail(db, "cannot read", rc);
    }
    if (key.mv_size != LMDB_NUMBER) {
        return cevm_lmdb_corrupt(db, "the key of a block has %zu bytes", key.mv_size);
    }
    *found = true;
    *number = cevm_load_be64(key.mv_data);
    *record = (cevm_bytes){value.mv_data, value.mv_size};
    return CEVM_OK;
}

cevm_err cevm_lmdb_head(cevm_lmdb *db, bool *found, cevm_db_block *out)
{
    uint64_t number = 0;
    cevm_bytes record;
    const cevm_err err = end_of(db, found, &number, &record, LMDB_CHAIN, MDB_LAST);
    return err == CEVM_OK && *found ? read_block(db, out, number, record) : err;
}

cevm_err cevm_lmdb_first_receipts(cevm_lmdb *db, bool *found, uint64_t *number)
{
    cevm_bytes record;
    return end_of(db, found, number, &record, LMDB_RECEIPTS, MDB_FIRST);
}

cevm_err cevm_lmdb_find_tx(cevm_lmdb *db, bool *found, cevm_lmdb_tx *out, const cevm_hash *hash)
{
    cevm_bytes record;
    cevm_bytes cursor = {NULL, 0};
    cevm_db_block block;
    cevm_err err = cevm_lmdb_get(db, found, &record, LMDB_TXS, hash->bytes, LMDB_HASH);
    if (err != CEVM_OK || !*found) {
        return err;
    }
    if (record.size != LMDB_TX_RECORD) {
        return cevm_lmdb_corrupt(db, "the record of a transaction is damaged (%zu bytes)", record.size);
    }
    *out = (cevm_lmdb_tx){.block_number = cevm_load_be64(record.data)};
    for (size_t i = 0; i < 4; ++i) {
        out->index = out->index << 8 | record.data[LMDB_NUMBER + i];
    }
    err = cevm_lmdb_block(db, found, &block, out->block_number);
    if (err != CEVM_OK) {
        return err;
    }
    bool whole = *found && cevm_lmdb_txs_of(&cursor, block.rlp);
    for (uint32_t i = 0; whole && i <= out->index; ++i) {
        whole = cevm_lmdb_next_tx(&cursor, &out->encoded);
    }
    out->block_hash = block.hash;
    out->has_receipt = whole && block.receipts.size != 0;
    whole = whole && (!out->has_receipt || cevm_lmdb_receipts_begin(&cursor, block.receipts));
    uint64_t gas_before = 0;
    for (uint32_t i = 0; whole && out->has_receipt && i <= out->index; ++i) {
        cevm_log log;
        while (i != 0 && cevm_lmdb_next_log(&out->receipt.logs, &log)) {
            ++out->first_log;
        }
        gas_before = out->receipt.cumulative_gas_used;
        whole = cevm_lmdb_next_receipt(&cursor, &out->receipt);
    }
    out->gas_used = out->receipt.cumulative_gas_used - gas_before;
    return whole ? CEVM_OK
                 : cevm_lmdb_corrupt(db, "block %llu does not hold the transaction it is said to hold",
                                     (unsigned long long)out->block_number);
}

/* ---- Writing --------------------------------------------------------------------------------------------------------- */

static cevm_err write_block(cevm_lmdb *db, const cevm_db_block *block)
{
    uint8_t key[LMDB_NUMBER];
    uint8_t record[LMDB_CHAIN_RECORD];
    cevm_store_be64(key, block->number);
    memcpy(record, block->hash.bytes, LMDB_HASH);
    cevm_u256_to_be(record + LMDB_HASH, &block->total_difficulty);
    record[LMDB_CHAIN_RECORD - 1] = block->is_merged ? 1 : 0;
    cevm_err err = cevm_lmdb_note(db, LMDB_KIND_CHAIN, key, sizeof key, (cevm_bytes){NULL, 0});
    if (err == CEVM_OK) {
        err = cevm_lmdb_put(db, LMDB_CHAIN, key, sizeof key, (cevm_bytes){record, sizeof record});
    }
    if (err == CEVM_OK) {
        err = cevm_lmdb_put(db, LMDB_NUMBERS, block->hash.bytes, LMDB_HASH, (cevm_bytes){key, sizeof key});
    }
    if (err == CEVM_OK && block->rlp.size != 0) {
        err = cevm_lmdb_put(db, LMDB_BLOCKS, key, sizeof key, block->rlp);
    }
    if (err != CEVM_OK || block->receipts.size == 0 || db->receipts == 0) {
        return err;
    }
    err = cevm_lmdb_put(db, LMDB_RECEIPTS, key, sizeof key, block->receipts);
    return err == CEVM_OK ? cevm_lmdb_index(db, block, true) : err;
}

cevm_err cevm_lmdb_put_block(void *ctx, const cevm_db_block *block)
{
    cevm_lmdb *db = ctx;
    cevm_bytes record;
    MDB_txn *outer = NULL;
    bool found = false;
    uint64_t newest = 0;
    if (!db->block_open) {
        return CEVM_ERR_ARGUMENT;
    }
    cevm_err err = end_of(db, &found, &newest, &record, LMDB_CHAIN, MDB_LAST);
    if (err == CEVM_OK && found && block->number <= newest) {
        return CEVM_ERR_ARGUMENT;
    }
    if (err == CEVM_OK) {
        err = cevm_lmdb_begin(db, &outer);
    }
    return err == CEVM_OK ? cevm_lmdb_end(db, outer, write_block(db, block)) : err;
}

/** Removes the receipts of a block, which need not be there unless `listed`, and what finds its transactions and logs. */
static cevm_err drop_receipts_of(cevm_lmdb *db, uint64_t number, bool listed)
{
    uint8_t key[LMDB_NUMBER];
    bool found = false;
    cevm_db_block block;
    cevm_err err = cevm_lmdb_block(db, &found, &block, number);
    if (err == CEVM_OK && (!found || (listed && block.receipts.size == 0))) {
        return cevm_lmdb_corrupt(db, "there are receipts of a block that is not there, or empty ones");
    }
    if (err != CEVM_OK || block.receipts.size == 0) {
        return err;
    }
    /* The pages they lie on may move when others are written. */
    cevm_buf_clear(&db->scratch);
    cevm_buf_append(&db->scratch, block.rlp.data, block.rlp.size);
    cevm_buf_append(&db->scratch, block.receipts.data, block.receipts.size);
    if (db->scratch.failed) {
        return CEVM_ERR_NOMEM;
    }
    block.rlp.data = db->scratch.data;
    block.receipts.data = db->scratch.data + block.rlp.size;
    err = cevm_lmdb_index(db, &block, false);
    if (err == CEVM_ERR_ENCODING) {
        return cevm_lmdb_corrupt(db, "body or receipts of block %llu are damaged", (unsigned long long)number);
    }
    cevm_store_be64(key, number);
    return err == CEVM_OK ? cevm_lmdb_remove(db, LMDB_RECEIPTS, key, sizeof key) : err;
}

cevm_err cevm_lmdb_drop_block(cevm_lmdb *db, uint64_t number)
{
    uint8_t key[LMDB_NUMBER];
    bool found = false;
    cevm_db_block block;
    cevm_store_be64(key, number);
    cevm_err err = cevm_lmdb_block(db, &found, &block, number);
    if (err == CEVM_OK && !found) {
        err = cevm_lmdb_corrupt(db, "block %llu is to be taken back and not there", (unsigned long long)number);
    }
    const cevm_hash hash = block.hash;
    if (err == CEVM_OK) {
        err = drop_receipts_of(db, number, false);
    }
    if (err == CEVM_OK) {
        err = cevm_lmdb_remove(db, LMDB_NUMBERS, hash.bytes, LMDB_HASH);
    }
    if (err == CEVM_OK) {
        err = cevm_lmdb_remove(db, LMDB_BLOCKS, key, sizeof key);
    }
    return err == CEVM_OK ? cevm_lmdb_remove(db, LMDB_CHAIN, key, sizeof key) : err;
}

cevm_err cevm_lmdb_drop_receipts(cevm_lmdb *db, bool *left, uint64_t keep, uint64_t limit)
{
    uint64_t newest = 0;
    uint64_t oldest = 0;
    cevm_bytes record;
    bool found = false;
    *left = keep != CEVM_LMDB_ARCHIVE;
    cevm_err err = *left ? end_of(db, left, &newest, &record, LMDB_CHAIN, MDB_LAST) : CEVM_OK;
    while (err == CEVM_OK && *left) {
        err = cevm_lmdb_first_receipts(db, &found, &oldest);
        *left = err == CEVM_OK && found && (newest < oldest || newest - oldest >= keep);
        if (!*left || limit-- == 0) {
            break;
        }
        err = drop_receipts_of(db, oldest, true);
    }
    return err;
}
