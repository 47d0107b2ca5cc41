/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/lmdb_internal.h: what the files of the backend on disk share. docs/adr/0011 tells why it is laid out like this.
 *
 * Accounts and slots are found by the hashes of their keys, so that the leaves of a trie lie side by side in its order.
 * Only branches are stored beside them, each with the references to its children: leaves are made from the records, and
 * the nibbles between two branches are found in any leaf below.
 *
 *   meta      name                                     format, what is to be remembered, sequence, root …
 *   accounts  keccak(address)                          record of lmdb_record.c
 *   storage   keccak(address) keccak(key)              key and value, short
 *   code      keccak(code)                             code
 *   branches  0 nibbles… | 1 keccak(address) nibbles…  which children there are, then their references
 *   history   kind key sequence                        the record before that block; empty: there was none
 *   changes   sequence kind key                        (empty) what a block changed
 *   hashes    number                                   hash of a block, as it was set
 *   chain     number                                   hash, total difficulty and side of the merge of a block
 *   blocks    number                                   encoding of a block
 *   receipts  number                                   receipts of a block, as they were given
 *   numbers   hash of a block                          its number
 *   txs       hash of a transaction                    number of its block, index in it
 *   logs      eight bytes of a hash, number / 256      last bytes of the numbers of blocks with such a log, ascending
 *
 * chain, blocks, receipts and what finds them hold the blocks of the head's branch: a block that is taken back goes from
 * all of them.
 *
 * Numbers in keys are big-endian, eight bytes; nibbles take a byte each.
 */
#ifndef CEVM_STATE_LMDB_INTERNAL_H
#define CEVM_STATE_LMDB_INTERNAL_H

#include "state/rlp.h"

#include <cevm/lmdb.h>

#include <lmdb.h>

typedef enum lmdb_table {
    LMDB_META,
    LMDB_ACCOUNTS,
    LMDB_STORAGE,
    LMDB_CODE,
    LMDB_BRANCHES,
    LMDB_HISTORY,
    LMDB_CHANGES,
    LMDB_HASHES,
    LMDB_CHAIN,
    LMDB_BLOCKS,
    LMDB_RECEIPTS,
    LMDB_NUMBERS,
    LMDB_TXS,
    LMDB_LOGS,
    LMDB_TABLE_COUNT
} lmdb_table;

/** What a key of history and changes is of. */
enum { LMDB_KIND_ACCOUNT = 1, LMDB_KIND_SLOT = 2, LMDB_KIND_CHAIN = 3 };

enum {
    LMDB_HASH = 32,
    LMDB_SLOT_KEY = 64,
    LMDB_NIBBLES = 64,     /* of a hash */
    LMDB_MAX_RECORD = 126, /* of an account, the longest */
    LMDB_MAX_SLOT = 65,
    LMDB_MAX_BRANCH = 2 + 16 * 33,
    LMDB_NUMBER = 8,
    LMDB_CHAIN_RECORD = 2 * LMDB_HASH + 1,
    LMDB_TX_RECORD = LMDB_NUMBER + 4,
    LMDB_MARK = 8,     /* of what a log is found by */
    LMDB_SECTION = 256 /* blocks whose numbers share a record of logs */
};

typedef struct lmdb_account {
    cevm_address address;
    uint64_t nonce;
    cevm_u256 balance;
    cevm_hash code_hash;
    bool has_storage;
    cevm_hash storage_root; /* when has_storage; all zero while a slot of it is dirty */
} lmdb_account;

typedef struct lmdb_slot {
    cevm_u256 key;
    cevm_u256 value; /* never 0 */
} lmdb_slot;

typedef struct lmdb_slot_key {
    uint8_t bytes[LMDB_SLOT_KEY];
} lmdb_slot_key;

/** How a parent includes a node: the hash, or the encoding itself when it is shorter; size 0: there is no node. */
typedef struct lmdb_ref {
    uint8_t size;
    uint8_t bytes[32];
} lmdb_ref;

struct lmdb_walk;

/** Numbers that stand in the table meta. */
typedef struct lmdb_head {
    uint64_t sequence; /* of the newest kept block; 0: none */
    uint64_t oldest;   /* the blocks after this one are remembered */
    cevm_hash root;
} lmdb_head;

struct cevm_lmdb {
    const cevm_allocator *allocator;
    MDB_env *env;
    MDB_dbi tables[LMDB_TABLE_COUNT];
    int writer_lock; /* file descriptor; -1 when read-only */
    bool read_only;
    bool has_seal; /* a seal is written when the store is closed */
    uint64_t history;
    uint64_t receipts; /* blocks whose receipts are kept */

    MDB_txn *reader; /* NULL until the first read */
    bool reading;    /* it is not reset */
    MDB_txn *writer; /* the open block's or the running commit's; the innermost when they nest */
    bool block_open;
    bool is_lost; /* the open block could not be written and is gone */
    lmdb_head head;
    lmdb_head before; /* head when the block was opened */
    MDB_txn *move;    /* a move's, which blocks are nested in; NULL: none is open */
    lmdb_head before_move;

    /* What the tries do not know yet; in no order, with repetitions. */
    cevm_hash *accounts;
    size_t account_count;
    size_t account_capacity;
    lmdb_slot_key *slots;
    size_t slot_count;
    size_t slot_capacity;

    struct lmdb_walk *walk; /* memory for making roots */
    cevm_buf scratch;
    cevm_buf value;
    char text[512];
};

/* ---- lmdb.c: transactions and access ------------------------------------------------------------------------------- */

/** Notes what went wrong; the error for a result of LMDB. */
cevm_err cevm_lmdb_fail(cevm_lmdb *db, const char *what, int rc);
/** A record that is not what it should be. */
cevm_err cevm_lmdb_corrupt(cevm_lmdb *db, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** The transaction to read with. */
cevm_err cevm_lmdb_reader(cevm_lmdb *db, MDB_txn **out);
/** Begins a transaction within the one that is open, or a first one. *outer receives what was open. */
cevm_err cevm_lmdb_begin(cevm_lmdb *db, MDB_txn **outer);
/** Ends it: commits when err is CEVM_OK, else drops what it did. The error of either. */
cevm_err cevm_lmdb_end(cevm_lmdb *db, MDB_txn *outer, cevm_err err);

/** Reads a record; *out is valid until the next write. An absent one is not an error. */
cevm_err cevm_lmdb_get(cevm_lmdb *db, bool *found, cevm_bytes *out, lmdb_table table, const void *key, size_t key_size);
cevm_err cevm_lmdb_put(cevm_lmdb *db, lmdb_table table, const void *key, size_t key_size, cevm_bytes value);
/** Removes a record, which may be absent. */
cevm_err cevm_lmdb_remove(cevm_lmdb *db, lmdb_table table, const void *key, size_t key_size);

/** Finds the first record at or after a key. *found tells whether it begins with the first `prefix` bytes of the key. */
cevm_err cevm_lmdb_seek(cevm_lmdb *db, MDB_cursor *cursor, bool *found, MDB_val *key, MDB_val *value, const void *from,
                        size_t from_size, size_t prefix);
cevm_err cevm_lmdb_cursor(cevm_lmdb *db, MDB_cursor **out, lmdb_table table);

/** Writes the head of the store. */
cevm_err cevm_lmdb_put_head(cevm_lmdb *db);
cevm_err cevm_lmdb_load_head(cevm_lmdb *db);

/* ---- lmdb_record.c: records ------------------------------------------------------------------------------------------ */

void cevm_lmdb_hash_slot(cevm_hash *out, const cevm_u256 *key);
size_t cevm_lmdb_encode_account(uint8_t out[LMDB_MAX_RECORD], const lmdb_account *account);
bool cevm_lmdb_decode_account(lmdb_account *out, cevm_bytes record);
size_t cevm_lmdb_encode_slot(uint8_t out[LMDB_MAX_SLOT], const lmdb_slot *slot);
bool cevm_lmdb_decode_slot(lmdb_slot *out, cevm_bytes record);
size_t cevm_lmdb_encode_branch(uint8_t out[LMDB_MAX_BRANCH], const lmdb_ref refs[16]);
bool cevm_lmdb_decode_branch(lmdb_ref refs[16], cevm_bytes record);

/** Finds an account by hash. CEVM_ERR_BACKEND when its record is damaged. */
cevm_err cevm_lmdb_find_account(cevm_lmdb *db, bool *found, lmdb_account *out, const cevm_hash *hash);

/* ---- lmdb_commit.c ----------------------------------------------------------------------------------------------------- */

/** cevm_db.commit. */
cevm_err cevm_lmdb_commit(void *ctx, const cevm_diff *diff);
/** Marks an account or a slot as not known to the tries. */
cevm_err cevm_lmdb_mark_account(cevm_lmdb *db, const cevm_hash *hash);
cevm_err cevm_lmdb_mark_slot(cevm_lmdb *db, const uint8_t key[LMDB_SLOT_KEY]);
/** Removes the stored branches of an account's trie. */
cevm_err cevm_lmdb_drop_branches(cevm_lmdb *db, const cevm_hash *hash);

/* ---- lmdb_history.c: blocks -------------------------------------------------------------------------------------------- */

/** Notes in the open block how a record was before it, unless that is noted already. */
cevm_err cevm_lmdb_note(cevm_lmdb *db, int kind, const uint8_t *key, size_t key_size, cevm_bytes old);
uint64_t cevm_lmdb_remembered(const cevm_lmdb *db);
cevm_err cevm_lmdb_begin_block(void *ctx);
cevm_err cevm_lmdb_end_block(void *ctx, bool keep);
cevm_err cevm_lmdb_undo_block(void *ctx);
cevm_err cevm_lmdb_open_past(void *ctx, cevm_db *out, size_t back);
void cevm_lmdb_close_past(void *ctx, cevm_db *past);
cevm_err cevm_lmdb_begin_move(void *ctx);
cevm_err cevm_lmdb_end_move(void *ctx, bool keep);
/** Forgets the oldest remembered block, in the open transaction. */
cevm_err cevm_lmdb_forget_oldest(cevm_lmdb *db);

/* ---- lmdb_root.c: tries ------------------------------------------------------------------------------------------------ */

/** Brings the tries up to date with what is marked, in the open transaction; db->head.root is the root then. */
cevm_err cevm_lmdb_update_root(cevm_lmdb *db);
/**
 * Makes a trie anew from its leaves, compares each branch with the one that is stored, adds their number. owner NULL: the
 * trie of the accounts.
 */
cevm_err cevm_lmdb_check_trie(cevm_lmdb *db, cevm_hash *root, uint64_t *branch_count, const cevm_hash *owner);
void cevm_lmdb_free_walk(cevm_lmdb *db);

/* ---- lmdb_pages.c: the file itself ------------------------------------------------------------------------------------- */

/** Looks through the pages of a file whose two first were looked at. CEVM_ERR_BACKEND with a text when one is damaged. */
cevm_err cevm_lmdb_check_pages(int file, size_t page_size, char *text, size_t text_size,
                               const cevm_allocator *allocator);

/* ---- lmdb_seal.c: whether the file is as it was closed ------------------------------------------------------------------- */

/** Whether the lock file (-1: there is none) says that nothing was written into the file since it was closed. */
bool cevm_lmdb_is_sealed(int lock, int data);
void cevm_lmdb_put_seal(int lock, int data);
bool cevm_lmdb_break_seal(int lock);

/* ---- lmdb_chain.c: blocks of the chain --------------------------------------------------------------------------------- */

cevm_err cevm_lmdb_put_block(void *ctx, const cevm_db_block *block);
/** Takes a block out of all tables, in the open transaction. */
cevm_err cevm_lmdb_drop_block(cevm_lmdb *db, uint64_t number);
/** Number of the first block whose receipts are there. */
cevm_err cevm_lmdb_first_receipts(cevm_lmdb *db, bool *found, uint64_t *number);
/** Drops receipts that are too old, and what finds them, of at most `limit` blocks. *left: there are more. */
cevm_err cevm_lmdb_drop_receipts(cevm_lmdb *db, bool *left, uint64_t keep, uint64_t limit);

/* ---- lmdb_receipt.c: receipts and transactions as bytes ---------------------------------------------------------------- */

/** The transactions of a block, as a cursor for cevm_lmdb_next_tx. False when the bytes are no block. */
bool cevm_lmdb_txs_of(cevm_bytes *out, cevm_bytes block);
/** Takes the next: as it is hashed. False when there is none, or (txs->size is not 0 then) it is malformed. */
bool cevm_lmdb_next_tx(cevm_bytes *txs, cevm_bytes *out);

/* ---- lmdb_index.c: what finds transactions and logs -------------------------------------------------------------------- */

/** What a log is found by: its address (kind 0), or its topic at kind - 1. */
void cevm_lmdb_mark(uint8_t out[LMDB_MARK], unsigned kind, const void *value, size_t size);
/** The marks of all logs of a block, sorted, each once, into db->value. CEVM_ERR_ENCODING when they are malformed. */
cevm_err cevm_lmdb_marks_of(cevm_lmdb *db, size_t *count, cevm_bytes receipts);
/** Writes (add) or removes what finds the transactions and logs of a block. */
cevm_err cevm_lmdb_index(cevm_lmdb *db, const cevm_db_block *block, bool add);
/** Key of the record of logs that a block belongs to. */
void cevm_lmdb_log_key(uint8_t out[LMDB_MARK + LMDB_NUMBER], const uint8_t mark[LMDB_MARK], uint64_t number);

/* ---- lmdb_verify_chain.c ----------------------------------------------------------------------------------------------- */

/** cevm_lmdb_verify for blocks, receipts and what finds them. */
cevm_err cevm_lmdb_verify_chain(cevm_lmdb *db);

/** cevm_db.account as it is now, for an address whose hash is known. */
cevm_err cevm_lmdb_read_account(cevm_lmdb *db, cevm_db_account *out, bool *exists, const cevm_hash *hash);

#endif
