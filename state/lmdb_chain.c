/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/lmdb_chain.c: the blocks of the chain whose state the backend on disk holds. The newest record is the head: it is
 * written in the block's own transaction, and taken back with it.
 */
#include "state/lmdb_internal.h"

enum { NUMBER = 8, CHAIN_RECORD = 2 * LMDB_HASH + 1 };

cevm_err cevm_lmdb_put_block(void *ctx, const cevm_db_block *block)
{
    cevm_lmdb *db = ctx;
    uint8_t key[NUMBER];
    uint8_t record[CHAIN_RECORD];
    bool found = false;
    cevm_bytes old = {NULL, 0};
    MDB_txn *outer;
    if (!db->block_open) {
        return CEVM_ERR_ARGUMENT;
    }
    cevm_store_be64(key, block->number);
    memcpy(record, block->hash.bytes, LMDB_HASH);
    cevm_u256_to_be(record + LMDB_HASH, &block->total_difficulty);
    record[CHAIN_RECORD - 1] = block->is_merged ? 1 : 0;
    cevm_err err = cevm_lmdb_begin(db, &outer);
    if (err != CEVM_OK) {
        return err;
    }
    err = cevm_lmdb_get(db, &found, &old, LMDB_CHAIN, key, sizeof key);
    if (err == CEVM_OK) {
        err = cevm_lmdb_note(db, LMDB_KIND_CHAIN, key, sizeof key, found ? old : (cevm_bytes){NULL, 0});
    }
    if (err == CEVM_OK) {
        err = cevm_lmdb_put(db, LMDB_CHAIN, key, sizeof key, (cevm_bytes){record, sizeof record});
    }
    if (err == CEVM_OK && block->rlp.size != 0) {
        err = cevm_lmdb_put(db, LMDB_BLOCKS, block->hash.bytes, LMDB_HASH, block->rlp);
    }
    return cevm_lmdb_end(db, outer, err);
}

static cevm_err read_block(cevm_lmdb *db, cevm_db_block *out, uint64_t number, cevm_bytes record)
{
    bool found = false;
    if (record.size != CHAIN_RECORD || record.data[CHAIN_RECORD - 1] > 1) {
        return cevm_lmdb_corrupt(db, "the record of block %llu is damaged (%zu bytes)", (unsigned long long)number,
                                 record.size);
    }
    *out = (cevm_db_block){.number = number,
                           .total_difficulty = cevm_u256_from_be(record.data + LMDB_HASH),
                           .is_merged = record.data[CHAIN_RECORD - 1] != 0};
    memcpy(out->hash.bytes, record.data, LMDB_HASH);
    const cevm_err err = cevm_lmdb_get(db, &found, &out->rlp, LMDB_BLOCKS, out->hash.bytes, LMDB_HASH);
    if (!found) {
        out->rlp = (cevm_bytes){NULL, 0};
    }
    return err;
}

cevm_err cevm_lmdb_block(cevm_lmdb *db, bool *found, cevm_db_block *out, uint64_t number)
{
    uint8_t key[NUMBER];
    cevm_bytes record;
    cevm_store_be64(key, number);
    const cevm_err err = cevm_lmdb_get(db, found, &record, LMDB_CHAIN, key, sizeof key);
    return err == CEVM_OK && *found ? read_block(db, out, number, record) : err;
}

cevm_err cevm_lmdb_head(cevm_lmdb *db, bool *found, cevm_db_block *out)
{
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    *found = false;
    cevm_err err = cevm_lmdb_cursor(db, &cursor, LMDB_CHAIN);
    if (err != CEVM_OK) {
        return err;
    }
    const int rc = mdb_cursor_get(cursor, &key, &value, MDB_LAST);
    mdb_cursor_close(cursor);
    if (rc != MDB_SUCCESS) {
        return rc == MDB_NOTFOUND ? CEVM_OK : cevm_lmdb_fail(db, "cannot read", rc);
    }
    if (key.mv_size != NUMBER) {
        return cevm_lmdb_corrupt(db, "the key of a block has %zu bytes", key.mv_size);
    }
    *found = true;
    err = read_block(db, out, cevm_load_be64(key.mv_data), (cevm_bytes){value.mv_data, value.mv_size});
    return err;
}
