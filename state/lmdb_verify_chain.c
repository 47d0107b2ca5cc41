/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/lmdb_verify_chain.c: whether the blocks in the backend on disk are what their hashes say, each the parent of the
 * next, and whether what finds transactions and logs is complete and holds nothing else.
 */
#include <cevm/alloc.h>
#include <cevm/crypto.h>

#include "state/lmdb_internal.h"
#include "state/trie.h"

/* Places in a header, and in a block. */
enum {
    PARENT = 0,
    OMMERS_HASH = 1,
    TRANSACTIONS_ROOT = 4,
    RECEIPTS_ROOT = 5,
    AT_NUMBER = 8,
    WITHDRAWALS_ROOT = 16, /* EIP-4895 */
    MOST_FIELDS = 40,
    TXS = 1,
    OMMERS = 2,
    WITHDRAWALS = 3,
    MOST_PARTS = 4
};

typedef struct checking {
    cevm_lmdb *db;
    cevm_bytes *values; /* of a list whose root is made */
    size_t capacity;
    cevm_db_block block;
    bool has_before;
    cevm_hash before; /* hash of the block before */
    uint64_t bodies;
    uint64_t receipts;
    uint64_t transactions;
    uint64_t marks;
} checking;

static cevm_err damaged(const checking *c, const char *what)
{
    return cevm_lmdb_corrupt(c->db, "block %llu: %s", (unsigned long long)c->block.number, what);
}

/** Items of a list, at most `most`. False when it is malformed or longer. */
static bool split(cevm_rlp_item *out, size_t *count, cevm_bytes payload, size_t most)
{
    for (*count = 0; payload.size != 0; ++*count) {
        if (*count == most || !cevm_rlp_next(&payload, &out[*count])) {
            return false;
        }
    }
    return true;
}

static cevm_err reserve_values(checking *c, size_t count)
{
    if (count <= c->capacity) {
        return CEVM_OK;
    }
    cevm_bytes *values = cevm_resize_array(c->db->allocator, c->values, count, sizeof *values);
    if (values == NULL) {
        return CEVM_ERR_NOMEM;
    }
    c->values = values;
    c->capacity = count;
    return CEVM_OK;
}

/** Whether items have the root that a header's field says. A string stands for what is in it (EIP-2718). */
static cevm_err check_root(checking *c, cevm_bytes payload, const cevm_rlp_item *field, const char *what)
{
    cevm_hash root = cevm_trie_empty_root;
    size_t count = 0;
    if (!cevm_rlp_count(&count, payload)) {
        return damaged(c, what);
    }
    cevm_err err = reserve_values(c, count);
    for (size_t i = 0; err == CEVM_OK && i < count; ++i) {
        cevm_rlp_item item;
        if (!cevm_rlp_next(&payload, &item)) {
            return damaged(c, what);
        }
        c->values[i] = item.is_list ? item.whole : item.payload;
        err = c->values[i].size != 0 ? CEVM_OK : damaged(c, what);
    }
    if (err == CEVM_OK && count != 0) {
        err = cevm_trie_ordered_root(&root, c->values, count, c->db->allocator);
    }
    if (err != CEVM_OK) {
        return err;
    }
    return field->payload.size == LMDB_HASH && memcmp(field->payload.data, root.bytes, LMDB_HASH) == 0
               ? CEVM_OK
               : damaged(c, what);
}

static cevm_err check_header(const checking *c, const cevm_rlp_item *header, cevm_rlp_item fields[MOST_FIELDS],
                             size_t *count)
{
    cevm_hash hash;
    uint64_t number = 0;
    cevm_keccak256(&hash, header->whole.data, header->whole.size);
    if (!header->is_list || !split(fields, count, header->payload, MOST_FIELDS) || *count <= AT_NUMBER ||
        !cevm_hash_equal(&hash, &c->block.hash)) {
        return damaged(c, "the header is not what the hash says");
    }
    cevm_bytes field = fields[AT_NUMBER].whole;
    if (cevm_rlp_next_u64(&field, &number) != CEVM_RLP_NUMBER_OK || number != c->block.number) {
        return damaged(c, "the header has another number");
    }
    return !c->has_before || (fields[PARENT].payload.size == LMDB_HASH &&
                              memcmp(fields[PARENT].payload.data, c->before.bytes, LMDB_HASH) == 0)
               ? CEVM_OK
               : damaged(c, "it is not a child of the block before it");
}

static cevm_err check_body(checking *c)
{
    cevm_rlp_item parts[MOST_PARTS];
    cevm_rlp_item fields[MOST_FIELDS];
    cevm_bytes rest = c->block.rlp;
    cevm_bytes payload;
    cevm_hash hash;
    size_t count = 0;
    size_t field_count = 0;
    if (!cevm_rlp_next_list(&rest, &payload) || rest.size != 0 || !split(parts, &count, payload, MOST_PARTS) ||
        count <= OMMERS || !parts[TXS].is_list || !parts[OMMERS].is_list) {
        return damaged(c, "the body is malformed");
    }
    cevm_err err = check_header(c, &parts[0], fields, &field_count);
    if (err == CEVM_OK) {
        err = check_root(c, parts[TXS].payload, &fields[TRANSACTIONS_ROOT], "the transactions are not the header's");
    }
    cevm_keccak256(&hash, parts[OMMERS].whole.data, parts[OMMERS].whole.size);
    if (err == CEVM_OK && (fields[OMMERS_HASH].payload.size != LMDB_HASH ||
                           memcmp(hash.bytes, fields[OMMERS_HASH].payload.data, LMDB_HASH) != 0)) {
        err = damaged(c, "the ommers are not the header's");
    }
    const bool has_withdrawals = count > WITHDRAWALS;
    if (err == CEVM_OK && has_withdrawals != (field_count > WITHDRAWALS_ROOT)) {
        err = damaged(c, "the withdrawals are not the header's");
    }
    if (err == CEVM_OK && has_withdrawals) {
        err = check_root(c, parts[WITHDRAWALS].payload, &fields[WITHDRAWALS_ROOT],
                         "the withdrawals are not the header's");
    }
    if (err == CEVM_OK && c->block.receipts.size != 0) {
        err = cevm_lmdb_receipts_begin(&payload, c->block.receipts)
                  ? check_root(c, payload, &fields[RECEIPTS_ROOT], "the receipts are not the header's")
                  : damaged(c, "the receipts are malformed");
    }
    return err;
}

/* ---- Indexes --------------------------------------------------------------------------------------------------------- */

static cevm_err check_txs(checking *c)
{
    cevm_bytes txs;
    cevm_bytes tx;
    if (!cevm_lmdb_txs_of(&txs, c->block.rlp)) {
        return damaged(c, "the body is malformed");
    }
    for (uint32_t i = 0; cevm_lmdb_next_tx(&txs, &tx); ++i) {
        uint8_t expected[LMDB_TX_RECORD];
        cevm_hash hash;
        cevm_bytes record;
        bool found = false;
        cevm_store_be64(expected, c->block.number);
        for (size_t b = 0; b < 4; ++b) {
            expected[LMDB_NUMBER + b] = (uint8_t)(i >> (24 - 8 * b));
        }
        cevm_keccak256(&hash, tx.data, tx.size);
        const cevm_err err = cevm_lmdb_get(c->db, &found, &record, LMDB_TXS, hash.bytes, LMDB_HASH);
        if (err != CEVM_OK) {
            return err;
        }
        if (!found || record.size != sizeof expected || memcmp(record.data, expected, sizeof expected) != 0) {
            return damaged(c, "a transaction of it cannot be found by its hash");
        }
        c->transactions++;
    }
    return CEVM_OK;
}

static cevm_err check_logs(checking *c)
{
    size_t count = 0;
    cevm_err err = cevm_lmdb_marks_of(c->db, &count, c->block.receipts);
    if (err != CEVM_OK) {
        return err == CEVM_ERR_ENCODING ? damaged(c, "the receipts are malformed") : err;
    }
    for (size_t i = 0; i < count; ++i) {
        uint8_t key[LMDB_MARK + LMDB_NUMBER];
        cevm_bytes record;
        bool found = false;
        cevm_lmdb_log_key(key, c->db->value.data + i * LMDB_MARK, c->block.number);
        err = cevm_lmdb_get(c->db, &found, &record, LMDB_LOGS, key, sizeof key);
        if (err != CEVM_OK) {
            return err;
        }
        if (!found || record.size == 0 ||
            memchr(record.data, (int)(c->block.number % LMDB_SECTION), record.size) == NULL) {
            return damaged(c, "a log of it cannot be found");
        }
    }
    c->marks += count;
    return CEVM_OK;
}

static cevm_err check_number(const checking *c)
{
    bool found = false;
    cevm_bytes record;
    const cevm_err err = cevm_lmdb_get(c->db, &found, &record, LMDB_NUMBERS, c->block.hash.bytes, LMDB_HASH);
    if (err != CEVM_OK) {
        return err;
    }
    return found && record.size == LMDB_NUMBER && cevm_load_be64(record.data) == c->block.number
               ? CEVM_OK
               : damaged(c, "it cannot be found by its hash");
}

static cevm_err check_block(checking *c)
{
    cevm_err err = check_number(c);
    if (err == CEVM_OK && c->block.rlp.size != 0) {
        c->bodies++;
        err = check_body(c);
    }
    if (err != CEVM_OK || c->block.receipts.size == 0) {
        return err;
    }
    c->receipts++;
    err = c->block.rlp.size != 0 ? check_txs(c) : CEVM_OK;
    return err == CEVM_OK ? check_logs(c) : err;
}

/* ---- Everything ------------------------------------------------------------------------------------------------------ */

static cevm_err check_blocks(checking *c, MDB_cursor *cursor, uint64_t *count)
{
    cevm_lmdb *db = c->db;
    MDB_val key = {0};
    MDB_val value = {0};
    bool found = false;
    cevm_err err = cevm_lmdb_seek(db, cursor, &found, &key, &value, NULL, 0, 0);
    for (*count = 0; err == CEVM_OK && found; ++*count) {
        if (key.mv_size != LMDB_NUMBER) {
            return cevm_lmdb_corrupt(db, "the key of a block has %zu bytes", key.mv_size);
        }
        const uint64_t number = cevm_load_be64(key.mv_data);
        c->has_before = *count != 0 && c->block.number + 1 == number;
        c->before = c->block.hash;
        err = cevm_lmdb_block(db, &found, &c->block, number);
        if (err == CEVM_OK) {
            err = check_block(c);
        }
        if (err == CEVM_OK) {
            const int rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
            found = rc == MDB_SUCCESS;
            err = rc == MDB_NOTFOUND ? CEVM_OK : cevm_lmdb_fail(db, "cannot read", rc);
        }
    }
    return err;
}

/** How many blocks the records of logs name, all together. */
static cevm_err count_marks(cevm_lmdb *db, uint64_t *out)
{
    MDB_cursor *cursor;
    MDB_val key = {0};
    MDB_val value = {0};
    bool found = false;
    *out = 0;
    cevm_err err = cevm_lmdb_cursor(db, &cursor, LMDB_LOGS);
    if (err == CEVM_OK) {
        err = cevm_lmdb_seek(db, cursor, &found, &key, &value, NULL, 0, 0);
    }
    while (err == CEVM_OK && found) {
        *out += value.mv_size;
        const int rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        found = rc == MDB_SUCCESS;
        err = rc == MDB_NOTFOUND ? CEVM_OK : cevm_lmdb_fail(db, "cannot read", rc);
    }
    mdb_cursor_close(cursor);
    return err;
}

/** Whether a table has as many records as were met. */
static cevm_err check_count(cevm_lmdb *db, lmdb_table table, uint64_t expected, const char *what)
{
    MDB_txn *txn;
    MDB_stat stat;
    cevm_err err = cevm_lmdb_reader(db, &txn);
    if (err == CEVM_OK) {
        err = cevm_lmdb_fail(db, "cannot tell the figures", mdb_stat(txn, db->tables[table], &stat));
    }
    return err == CEVM_OK && stat.ms_entries != expected ? cevm_lmdb_corrupt(db, "there are %s of no block", what)
                                                         : err;
}

cevm_err cevm_lmdb_verify_chain(cevm_lmdb *db)
{
    checking c = {.db = db};
    MDB_cursor *cursor;
    uint64_t blocks = 0;
    uint64_t marks = 0;
    cevm_err err = cevm_lmdb_cursor(db, &cursor, LMDB_CHAIN);
    if (err == CEVM_OK) {
        err = check_blocks(&c, cursor, &blocks);
    }
    mdb_cursor_close(cursor);
    cevm_free(db->allocator, c.values);
    if (err == CEVM_OK) {
        err = check_count(db, LMDB_NUMBERS, blocks, "numbers");
    }
    if (err == CEVM_OK) {
        err = check_count(db, LMDB_BLOCKS, c.bodies, "bodies");
    }
    if (err == CEVM_OK) {
        err = check_count(db, LMDB_RECEIPTS, c.receipts, "receipts");
    }
    if (err == CEVM_OK) {
        err = check_count(db, LMDB_TXS, c.transactions, "transactions");
    }
    if (err == CEVM_OK) {
        err = count_marks(db, &marks);
    }
    return err == CEVM_OK && marks != c.marks ? cevm_lmdb_corrupt(db, "there are logs of no block") : err;
}
