/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/lmdb_history.c: blocks of the backend on disk: kept, dropped, taken back, forgotten, and looked into.
 *
 * What a block changes first is noted under (kind, key, sequence of the block), so that the state before a block is found
 * with one search however far back it lies: the first note of the key at or after that block, and without one the record
 * as it is now. A second table lists the notes of each block, to take it back or to forget it.
 */
#include <cevm/alloc.h>
#include <cevm/crypto.h>

#include "state/layer.h"
#include "state/lmdb_internal.h"

enum {
    SEQUENCE = 8,
    MAX_NOTE_KEY = 1 + LMDB_SLOT_KEY + SEQUENCE,
    FORGET_AT_ONCE = 4 /* blocks more than there should be that are forgotten with each new one */
};

static bool is_note_key(int kind, size_t size)
{
    return (kind == LMDB_KIND_ACCOUNT && size == LMDB_HASH) || (kind == LMDB_KIND_SLOT && size == LMDB_SLOT_KEY) ||
           (kind == LMDB_KIND_CHAIN && size == SEQUENCE);
}

static size_t history_key(uint8_t out[MAX_NOTE_KEY], int kind, const uint8_t *key, size_t size, uint64_t sequence)
{
    out[0] = (uint8_t)kind;
    memcpy(out + 1, key, size);
    cevm_store_be64(out + 1 + size, sequence);
    return 1 + size + SEQUENCE;
}

cevm_err cevm_lmdb_note(cevm_lmdb *db, int kind, const uint8_t *key, size_t key_size, cevm_bytes old)
{
    uint8_t note[MAX_NOTE_KEY];
    uint8_t change[MAX_NOTE_KEY];
    uint8_t record[LMDB_MAX_RECORD];
    if (!db->block_open || db->history == 0) {
        return CEVM_OK;
    }
    if (old.size > sizeof record) {
        return cevm_lmdb_corrupt(db, "a record has %zu bytes", old.size);
    }
    if (old.size != 0) {
        memcpy(record, old.data, old.size); /* the page it lies on may move when others are written */
    }
    const uint64_t sequence = db->head.sequence + 1;
    cevm_store_be64(change, sequence);
    change[SEQUENCE] = (uint8_t)kind;
    memcpy(change + SEQUENCE + 1, key, key_size);
    MDB_val k = {.mv_size = history_key(note, kind, key, key_size, sequence), .mv_data = note};
    MDB_val v = {.mv_size = old.size, .mv_data = record};
    const int rc = mdb_put(db->writer, db->tables[LMDB_HISTORY], &k, &v, MDB_NOOVERWRITE);
    if (rc == MDB_KEYEXIST) {
        return CEVM_OK;
    }
    if (rc != MDB_SUCCESS) {
        return cevm_lmdb_fail(db, "cannot note a change", rc);
    }
    return cevm_lmdb_put(db, LMDB_CHANGES, change, SEQUENCE + 1 + key_size, (cevm_bytes){NULL, 0});
}

uint64_t cevm_lmdb_remembered(const cevm_lmdb *db)
{
    const uint64_t there = db->head.sequence - db->head.oldest;
    return there < db->history ? there : db->history;
}

/* ---- Walking over the notes of a block ------------------------------------------------------------------------------- */

typedef cevm_err (*note_visit)(cevm_lmdb *db, int kind, const uint8_t *key, size_t key_size, cevm_bytes old);

/** Takes the first note of a block out of both tables, after a visit. *found is false when there are none left. */
static cevm_err take_note(cevm_lmdb *db, MDB_cursor *changes, bool *found, uint64_t sequence, note_visit visit)
{
    uint8_t from[SEQUENCE];
    uint8_t key[LMDB_SLOT_KEY];
    uint8_t note[MAX_NOTE_KEY];
    uint8_t record[LMDB_MAX_RECORD];
    MDB_val k;
    MDB_val v;
    cevm_store_be64(from, sequence);
    cevm_err err = cevm_lmdb_seek(db, changes, found, &k, &v, from, sizeof from, sizeof from);
    if (err != CEVM_OK || !*found) {
        return err;
    }
    const uint8_t *bytes = k.mv_data;
    const size_t key_size = k.mv_size - SEQUENCE - (k.mv_size > SEQUENCE ? 1 : 0);
    if (k.mv_size <= SEQUENCE + 1 || !is_note_key(bytes[SEQUENCE], key_size)) {
        return cevm_lmdb_corrupt(db, "the list of what a block changed is damaged");
    }
    const int kind = bytes[SEQUENCE];
    memcpy(key, bytes + SEQUENCE + 1, key_size);
    const size_t note_size = history_key(note, kind, key, key_size, sequence);
    if (visit != NULL) {
        bool there = false;
        cevm_bytes old;
        err = cevm_lmdb_get(db, &there, &old, LMDB_HISTORY, note, note_size);
        if (err == CEVM_OK && (!there || old.size > sizeof record)) {
            err = cevm_lmdb_corrupt(db, "what a block changed is %s", there ? "damaged" : "missing");
        }
        if (err != CEVM_OK) {
            return err;
        }
        if (old.size != 0) {
            memcpy(record, old.data, old.size);
        }
        err = visit(db, kind, key, key_size, (cevm_bytes){record, old.size});
    }
    if (err == CEVM_OK) {
        err = cevm_lmdb_remove(db, LMDB_HISTORY, note, note_size);
    }
    return err == CEVM_OK ? cevm_lmdb_fail(db, "cannot remove", mdb_cursor_del(changes, 0)) : err;
}

static cevm_err take_notes(cevm_lmdb *db, uint64_t sequence, note_visit visit)
{
    MDB_cursor *changes;
    bool found = true;
    cevm_err err = cevm_lmdb_cursor(db, &changes, LMDB_CHANGES);
    while (err == CEVM_OK && found) {
        err = take_note(db, changes, &found, sequence, visit);
    }
    mdb_cursor_close(changes);
    return err;
}

cevm_err cevm_lmdb_forget_oldest(cevm_lmdb *db)
{
    const cevm_err err = take_notes(db, db->head.oldest + 1, NULL);
    db->head.oldest += err == CEVM_OK ? 1 : 0;
    return err;
}

/* ---- Blocks ---------------------------------------------------------------------------------------------------------- */

cevm_err cevm_lmdb_begin_block(void *ctx)
{
    cevm_lmdb *db = ctx;
    MDB_txn *outer;
    if (db->block_open || db->read_only) {
        return CEVM_ERR_ARGUMENT;
    }
    const cevm_err err = cevm_lmdb_begin(db, &outer); /* outer is db->move */
    if (err == CEVM_OK) {
        db->block_open = true;
        db->before = db->head;
    }
    return err;
}

/** What is written last into a block that is kept. */
static cevm_err finish_block(cevm_lmdb *db)
{
    cevm_err err = db->account_count != 0 ? cevm_lmdb_update_root(db) : CEVM_OK;
    if (err != CEVM_OK) {
        return err;
    }
    db->head.sequence++;
    /* A store that remembers nothing has noted nothing of this block, so what it remembered has to go at once. */
    uint64_t limit = db->history != 0 ? FORGET_AT_ONCE : UINT64_MAX;
    for (; err == CEVM_OK && limit != 0 && db->head.sequence - db->head.oldest > db->history; --limit) {
        err = cevm_lmdb_forget_oldest(db);
    }
    if (err == CEVM_OK) {
        bool left = false;
        err = cevm_lmdb_drop_receipts(db, &left, db->receipts, FORGET_AT_ONCE);
    }
    return err == CEVM_OK ? cevm_lmdb_put_head(db) : err;
}

static cevm_err keep_block(cevm_lmdb *db)
{
    MDB_txn *outer;
    const lmdb_head head = db->head;
    const size_t accounts = db->account_count;
    const size_t slots = db->slot_count;
    cevm_err err = cevm_lmdb_begin(db, &outer);
    if (err == CEVM_OK) {
        err = cevm_lmdb_end(db, outer, finish_block(db));
    }
    if (err != CEVM_OK) {
        db->head = head;
        db->account_count = accounts;
        db->slot_count = slots;
        return err;
    }
    err = cevm_lmdb_end(db, db->move, CEVM_OK);
    db->is_lost = err != CEVM_OK; /* LMDB gives a transaction up when it cannot write it */
    return err;
}

cevm_err cevm_lmdb_end_block(void *ctx, bool keep)
{
    cevm_lmdb *db = ctx;
    if (!db->block_open) {
        return CEVM_ERR_ARGUMENT;
    }
    if (keep) {
        const cevm_err err =
            db->is_lost ? cevm_lmdb_corrupt(db, "the open block could not be written") : keep_block(db);
        if (err != CEVM_OK) {
            return err;
        }
    } else {
        if (db->writer != db->move) { /* not when it is lost */
            (void)cevm_lmdb_end(db, db->move, CEVM_ERR_CANCELLED);
        }
        db->head = db->before;
        db->account_count = 0;
        db->slot_count = 0;
    }
    db->is_lost = false;
    db->block_open = false;
    return CEVM_OK;
}

/** Makes a record what it was before a block; a block of the chain is dropped, there was none under its number. */
static cevm_err put_back(cevm_lmdb *db, int kind, const uint8_t *key, size_t key_size, cevm_bytes old)
{
    const lmdb_table table = kind == LMDB_KIND_ACCOUNT ? LMDB_ACCOUNTS : LMDB_STORAGE;
    cevm_err err = CEVM_OK;
    if (kind == LMDB_KIND_CHAIN) {
        return cevm_lmdb_drop_block(db, cevm_load_be64(key));
    }
    if (kind == LMDB_KIND_ACCOUNT) {
        cevm_hash hash;
        memcpy(hash.bytes, key, LMDB_HASH);
        err = cevm_lmdb_mark_account(db, &hash);
    } else {
        err = cevm_lmdb_mark_slot(db, key);
    }
    if (err != CEVM_OK) {
        return err;
    }
    return old.size != 0 ? cevm_lmdb_put(db, table, key, key_size, old) : cevm_lmdb_remove(db, table, key, key_size);
}

cevm_err cevm_lmdb_undo_block(void *ctx)
{
    cevm_lmdb *db = ctx;
    const lmdb_head before = db->head;
    MDB_txn *outer;
    if (db->block_open || db->read_only || cevm_lmdb_remembered(db) == 0) {
        return CEVM_ERR_ARGUMENT;
    }
    cevm_err err = cevm_lmdb_begin(db, &outer);
    if (err != CEVM_OK) {
        return err;
    }
    err = take_notes(db, db->head.sequence, put_back);
    if (err == CEVM_OK) {
        err = cevm_lmdb_update_root(db);
    }
    if (err == CEVM_OK) {
        db->head.sequence--;
        err = cevm_lmdb_put_head(db);
    }
    err = cevm_lmdb_end(db, outer, err);
    if (err != CEVM_OK) {
        db->head = before;
        db->account_count = 0;
        db->slot_count = 0;
    }
    return err;
}

cevm_err cevm_lmdb_undoable(cevm_lmdb *db, uint32_t *out, uint32_t most)
{
    cevm_err err = db->read_only ? cevm_lmdb_load_head(db) : CEVM_OK;
    const uint64_t remembered = cevm_lmdb_remembered(db);
    MDB_cursor *cursor = NULL;
    bool found = true;
    *out = 0;
    if (err == CEVM_OK) {
        err = cevm_lmdb_cursor(db, &cursor, LMDB_CHANGES);
    }
    while (err == CEVM_OK && *out < most && *out < remembered) {
        uint8_t from[SEQUENCE + 1];
        MDB_val key;
        MDB_val value;
        cevm_store_be64(from, db->head.sequence - *out);
        from[SEQUENCE] = LMDB_KIND_CHAIN;
        err = cevm_lmdb_seek(db, cursor, &found, &key, &value, from, sizeof from, sizeof from);
        if (err != CEVM_OK || !found) {
            break;
        }
        ++*out;
    }
    mdb_cursor_close(cursor);
    return err;
}

/* ---- Moves ----------------------------------------------------------------------------------------------------------- */

cevm_err cevm_lmdb_begin_move(void *ctx)
{
    cevm_lmdb *db = ctx;
    MDB_txn *outer;
    if (db->block_open || db->read_only || db->move != NULL) {
        return CEVM_ERR_ARGUMENT;
    }
    const cevm_err err = cevm_lmdb_begin(db, &outer);
    if (err == CEVM_OK) {
        db->move = db->writer;
        db->before_move = db->head;
    }
    return err;
}

cevm_err cevm_lmdb_end_move(void *ctx, bool keep)
{
    cevm_lmdb *db = ctx;
    if (db->move == NULL || (keep && db->block_open)) {
        return CEVM_ERR_ARGUMENT;
    }
    if (db->block_open) {
        (void)cevm_lmdb_end_block(db, false);
    }
    db->move = NULL;
    const cevm_err err = cevm_lmdb_end(db, NULL, keep ? CEVM_OK : CEVM_ERR_CANCELLED);
    if (!keep || err != CEVM_OK) {
        db->head = db->before_move;
        db->account_count = 0;
        db->slot_count = 0;
    }
    return keep ? err : CEVM_OK;
}

/* ---- Views ----------------------------------------------------------------------------------------------------------- */

typedef struct lmdb_past {
    cevm_db now; /* first: state/layer.h */
    cevm_lmdb *db;
    uint64_t from; /* the first block that came after the moment looked at */
} lmdb_past;

/** Finds the oldest note of a key since the moment looked at. */
static cevm_err find_note(const lmdb_past *past, bool *found, cevm_bytes *out, int kind, const uint8_t *key,
                          size_t key_size)
{
    uint8_t from[MAX_NOTE_KEY];
    MDB_cursor *cursor;
    MDB_val k;
    MDB_val v;
    const size_t size = history_key(from, kind, key, key_size, past->from);
    cevm_err err = cevm_lmdb_cursor(past->db, &cursor, LMDB_HISTORY);
    if (err != CEVM_OK) {
        return err;
    }
    err = cevm_lmdb_seek(past->db, cursor, found, &k, &v, from, size, 1 + key_size);
    mdb_cursor_close(cursor);
    if (err == CEVM_OK && *found) {
        *out = (cevm_bytes){v.mv_data, v.mv_size};
    }
    return err;
}

static cevm_err past_account(void *ctx, cevm_db_account *out, bool *exists, const cevm_address *address)
{
    const lmdb_past *past = ctx;
    cevm_hash hash;
    bool found = false;
    cevm_bytes old;
    lmdb_account account;
    cevm_keccak256(&hash, address->bytes, sizeof address->bytes);
    const cevm_err err = find_note(past, &found, &old, LMDB_KIND_ACCOUNT, hash.bytes, LMDB_HASH);
    if (err != CEVM_OK || !found) {
        return err != CEVM_OK ? err : cevm_lmdb_read_account(past->db, out, exists, &hash);
    }
    *exists = old.size != 0;
    if (!*exists) {
        return CEVM_OK;
    }
    if (!cevm_lmdb_decode_account(&account, old)) {
        return cevm_lmdb_corrupt(past->db, "the past record of an account is damaged (%zu bytes)", old.size);
    }
    *out = (cevm_db_account){.balance = account.balance,
                             .nonce = account.nonce,
                             .code_hash = account.code_hash,
                             .has_storage = account.has_storage};
    return CEVM_OK;
}

static cevm_err past_storage(void *ctx, cevm_u256 *out, const cevm_address *address, const cevm_u256 *key)
{
    const lmdb_past *past = ctx;
    cevm_hash hashes[2];
    uint8_t slot_key[LMDB_SLOT_KEY];
    bool found = false;
    cevm_bytes old;
    lmdb_slot slot;
    cevm_keccak256(&hashes[0], address->bytes, sizeof address->bytes);
    cevm_lmdb_hash_slot(&hashes[1], key);
    memcpy(slot_key, hashes, sizeof slot_key);
    const cevm_err err = find_note(past, &found, &old, LMDB_KIND_SLOT, slot_key, sizeof slot_key);
    if (err != CEVM_OK) {
        return err;
    }
    if (!found) {
        return past->now.vtable->storage(past->now.ctx, out, address, key);
    }
    if (old.size != 0 && !cevm_lmdb_decode_slot(&slot, old)) {
        return cevm_lmdb_corrupt(past->db, "the past record of a slot is damaged (%zu bytes)", old.size);
    }
    *out = old.size != 0 ? slot.value : cevm_u256_from_u64(0);
    return CEVM_OK;
}

cevm_err cevm_lmdb_open_past(void *ctx, cevm_db *out, size_t back)
{
    static const cevm_db_vtable vtable = {
        .struct_size = sizeof vtable,
        .account = past_account,
        .storage = past_storage,
        .code = cevm_layer_code,
        .block_hash = cevm_layer_block_hash,
    };
    cevm_lmdb *db = ctx;
    cevm_err err = db->read_only ? cevm_lmdb_load_head(db) : CEVM_OK;
    if (err != CEVM_OK) {
        return err;
    }
    if (db->block_open || back > cevm_lmdb_remembered(db)) {
        return CEVM_ERR_ARGUMENT;
    }
    lmdb_past *past = cevm_alloc(db->allocator, sizeof *past);
    if (past == NULL) {
        return CEVM_ERR_NOMEM;
    }
    *past = (lmdb_past){.now = cevm_lmdb_interface(db), .db = db, .from = db->head.sequence + 1 - back};
    *out = (cevm_db){.vtable = &vtable, .ctx = past};
    return CEVM_OK;
}

void cevm_lmdb_close_past(void *ctx, cevm_db *past)
{
    const cevm_lmdb *db = ctx;
    cevm_free(db->allocator, past->ctx);
    *past = (cevm_db){0};
}
