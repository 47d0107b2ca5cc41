/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cevm/lmdb.h: the backend on disk: accounts, storage, code, tries, what each block changed, and the blocks of the chain
 * with their receipts and what finds transactions and logs, in one LMDB file.
 *
 * A block (cevm_db_vtable.begin_block … end_block) is one transaction of the database: after a crash or a power cut the
 * store is at a whole block. So is a move from one branch to another (begin_move … end_move). A commit outside both is a
 * transaction of its own. Blocks that were kept can be taken back and looked into after the store was closed and opened
 * again, as many as the store remembers.
 *
 * A folder holds `data.mdb`, LMDB's `lock.mdb`, and `writer.lock`, locked while a store is open for writing: one at a time,
 * in any process. Stores opened only for reading may stand beside it; each sees the newest whole block when it first reads
 * and keeps to it until cevm_lmdb_refresh. Network file systems are not for this.
 *
 * Records are never trusted: each is checked when it is read. The pages they lie on are LMDB's, which does trust them: a
 * file that something else has written into can end the process, unless check_pages is set when it is opened. No crash and
 * no power cut makes such a file.
 *
 * Errors of the database, and records that are not what they should be, are CEVM_ERR_BACKEND; cevm_lmdb_error_text says
 * what it was. Any function can end in CEVM_ERR_NOMEM too. LMDB itself allocates with libc, the rest with the allocator.
 *
 * Threads: one at a time for each store.
 */
#ifndef CEVM_LMDB_H
#define CEVM_LMDB_H

#include <cevm/db.h>
#include <cevm/host.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cevm_lmdb cevm_lmdb;

/** Value of cevm_lmdb_options.history: every block is remembered for ever. */
#define CEVM_LMDB_ARCHIVE UINT64_MAX

/** Zero-initialise, set struct_size, fill what you need. */
typedef struct cevm_lmdb_options {
    size_t struct_size;              /* sizeof(cevm_lmdb_options) */
    const cevm_allocator *allocator; /* NULL = libc */
    const char *path;                /* the folder */
    bool create;                     /* make the folder and the store when they are not there */
    bool read_only;
    bool no_sync;      /* do not wait for the disk: a power cut can then destroy the store (a killed process cannot) */
    bool check_pages;  /* look through the whole file first: what LMDB itself would trust. Not beside a writer. */
    bool has_history;  /* `history` counts; otherwise what the store was last opened with, 128 for a new one */
    uint64_t history;  /* kept blocks that can be taken back or looked into */
    uint64_t map_size; /* bytes of address space the file may grow into; 0 = 1 TiB, or as much as can be had */
    bool has_receipts; /* `receipts` counts; otherwise what the store was last opened with, all for a new one */
    uint64_t receipts; /* newest blocks whose receipts, transactions and logs can be found; CEVM_LMDB_ARCHIVE: all */
} cevm_lmdb_options;

/** Text of an error, one line. */
typedef struct cevm_lmdb_error {
    char text[512];
} cevm_lmdb_error;

/**
 * Opens a store. Errors, with error->text: CEVM_ERR_IO (no such store, no access, another writer), CEVM_ERR_BACKEND (not a
 * store of this format, damaged), CEVM_ERR_ARGUMENT, CEVM_ERR_NOMEM.
 */
CEVM_API cevm_err cevm_lmdb_open(cevm_lmdb **out, cevm_lmdb_error *error, const cevm_lmdb_options *options);
/** Closes it. A block that is open is dropped. NULL is allowed. */
CEVM_API void cevm_lmdb_close(cevm_lmdb *db);
/** The backend interface; valid as long as the store. Everything that writes is CEVM_ERR_ARGUMENT on a read-only one. */
CEVM_API cevm_db cevm_lmdb_interface(cevm_lmdb *db);
/** What the last CEVM_ERR_BACKEND was about; never NULL, empty when there was none. Valid until the next call. */
CEVM_API const char *cevm_lmdb_error_text(const cevm_lmdb *db);
/** A read-only store looks at the newest block from now on. Views handed out before are no longer valid. */
CEVM_API void cevm_lmdb_refresh(cevm_lmdb *db);

/** Makes cevm_db.block_hash answer `hash` for `number`; part of the open block, if there is one. */
CEVM_API cevm_err cevm_lmdb_set_block_hash(cevm_lmdb *db, uint64_t number, const cevm_hash *hash);

/* ---- The chain --------------------------------------------------------------------------------------------------- */

/**
 * The block whose state the store holds, as cevm_db_vtable.put_block said / it or a block before it by number or hash.
 * *found is false when there is none. Views in *out are valid until the next write; receipts that are no longer kept are
 * empty.
 */
CEVM_API cevm_err cevm_lmdb_head(cevm_lmdb *db, bool *found, cevm_db_block *out);
CEVM_API cevm_err cevm_lmdb_block(cevm_lmdb *db, bool *found, cevm_db_block *out, uint64_t number);
CEVM_API cevm_err cevm_lmdb_block_by_hash(cevm_lmdb *db, bool *found, cevm_db_block *out, const cevm_hash *hash);

/** A receipt taken apart; the views are of the list it came from. */
typedef struct cevm_lmdb_receipt {
    uint8_t type;  /* EIP-2718; 0: legacy */
    bool has_root; /* before EIP-658: the state root after the transaction stands for the status */
    cevm_hash root;
    bool succeeded;
    uint64_t cumulative_gas_used;
    cevm_bytes bloom;   /* 256 bytes */
    cevm_bytes logs;    /* for cevm_lmdb_next_log */
    cevm_bytes encoded; /* as it stands in the receipts trie */
} cevm_lmdb_receipt;

/** Begins to read a list of receipts (cevm_db_block.receipts). False when it is no list. */
CEVM_API bool cevm_lmdb_receipts_begin(cevm_bytes *cursor, cevm_bytes list);
/** Takes the next receipt; false at the end (cursor->size is 0) and when it is malformed. */
CEVM_API bool cevm_lmdb_next_receipt(cevm_bytes *cursor, cevm_lmdb_receipt *out);
/** The same for the logs of a receipt. */
CEVM_API bool cevm_lmdb_next_log(cevm_bytes *cursor, cevm_log *out);

/** A transaction of the chain. */
typedef struct cevm_lmdb_tx {
    uint64_t block_number;
    cevm_hash block_hash;
    uint32_t index;            /* in the block */
    cevm_bytes encoded;        /* as it is hashed: the type before the payload; valid until the next write */
    bool has_receipt;          /* what follows counts */
    uint64_t gas_used;         /* by this transaction alone */
    size_t first_log;          /* index in the block of the receipt's first log */
    cevm_lmdb_receipt receipt; /* views are valid until the next write */
} cevm_lmdb_tx;

/** Finds a transaction by hash, if its block's receipts are kept. */
CEVM_API cevm_err cevm_lmdb_find_tx(cevm_lmdb *db, bool *found, cevm_lmdb_tx *out, const cevm_hash *hash);

/** Which of the topics at one position are wanted; count 0: any. */
typedef struct cevm_lmdb_topics {
    const cevm_hash *hashes;
    size_t count;
} cevm_lmdb_topics;

/** Which logs are wanted, as eth_getLogs has it. */
typedef struct cevm_lmdb_filter {
    uint64_t from, to;             /* numbers of blocks, both included */
    const cevm_address *addresses; /* any of these; none: any at all */
    size_t address_count;
    cevm_lmdb_topics topics[4];
    size_t topic_count; /* positions that are given: a log with fewer topics is not wanted */
} cevm_lmdb_filter;

/** A log that was found; views are valid inside the call. */
typedef struct cevm_lmdb_log {
    uint64_t block_number;
    cevm_hash block_hash;
    uint32_t tx_index;
    cevm_hash tx_hash; /* all zero when the block's body is not there */
    size_t index;      /* in the block */
    cevm_log log;
} cevm_lmdb_log;

/** Called for each log, in the order of the chain; return false to stop. */
typedef bool (*cevm_lmdb_visit_log)(void *user, const cevm_lmdb_log *log);
/**
 * Finds logs, by index: blocks without a wanted address or topic are not read. Blocks whose receipts are not kept are
 * passed over (cevm_lmdb_stat.first_receipts). CEVM_ERR_ARGUMENT for more than four topics. visit must not write.
 */
CEVM_API cevm_err cevm_lmdb_for_each_log(cevm_lmdb *db, const cevm_lmdb_filter *filter, cevm_lmdb_visit_log visit,
                                         void *user);

/**
 * How many of the newest blocks undo_block takes back one by one, so that a chain opened over the store can be told
 * (cevm_chain_options.undoable): those that are remembered and that put_block named. At most `most`.
 */
CEVM_API cevm_err cevm_lmdb_undoable(cevm_lmdb *db, uint32_t *out, uint32_t most);

/** Longest name of an entry, bytes. */
enum { CEVM_LMDB_MAX_ENTRY_NAME = 255 };
/**
 * Keeps bytes of the caller's own under a name (1 to CEVM_LMDB_MAX_ENTRY_NAME bytes, any), in the place of what it had; an
 * empty value removes them. Part of the open block or move, if there is one; not taken back with a block later.
 */
CEVM_API cevm_err cevm_lmdb_put_entry(cevm_lmdb *db, cevm_bytes name, cevm_bytes value);
/** Reads an entry; *value is valid until the next write. */
CEVM_API cevm_err cevm_lmdb_entry(cevm_lmdb *db, bool *found, cevm_bytes *value, cevm_bytes name);
/** Called for each entry; views are valid inside the call. Return false to stop. */
typedef bool (*cevm_lmdb_visit_entry)(void *user, cevm_bytes name, cevm_bytes value);
/** Each entry whose name begins with `prefix`, in the order of their names. visit must not write. */
CEVM_API cevm_err cevm_lmdb_for_each_entry(cevm_lmdb *db, cevm_bytes prefix, cevm_lmdb_visit_entry visit, void *user);

/** How much there is. */
typedef struct cevm_lmdb_stat {
    uint64_t accounts;
    uint64_t slots;
    uint64_t codes;
    uint64_t branches;       /* nodes of the tries that are stored */
    uint64_t blocks;         /* kept since the store was made, less those taken back */
    uint64_t remembered;     /* of those, how many can be taken back or looked into */
    uint64_t history;        /* how many are to be remembered; CEVM_LMDB_ARCHIVE: all */
    uint64_t used_bytes;     /* of the file, pages that hold something */
    uint64_t file_bytes;     /* up to the last page ever used */
    uint64_t map_bytes;      /* how far it may grow */
    cevm_hash root;          /* as stored */
    uint64_t receipts;       /* blocks whose receipts are kept */
    uint64_t keeps_receipts; /* how many are to be kept; CEVM_LMDB_ARCHIVE: all */
    uint64_t first_receipts; /* number of the first of them */
    uint64_t transactions;   /* that can be found by hash */
    uint64_t log_records;    /* an address or topic, and the blocks of 256 that have it */
} cevm_lmdb_stat;
/** Tells how much there is now. */
CEVM_API cevm_err cevm_lmdb_get_stat(cevm_lmdb *db, cevm_lmdb_stat *out);

/** Called now and then by long walks; return false to stop them (CEVM_ERR_CANCELLED). done counts accounts and slots. */
typedef bool (*cevm_lmdb_progress)(void *user, uint64_t done, uint64_t total);

/**
 * Reads everything: each record must be well formed, each key the hash of what it stands for, each code what its hash says;
 * then makes all roots anew from accounts and slots alone and compares them with what is stored. Each block must be what
 * its hash says and the parent of the next, each receipt what its header says, each index complete and without more.
 * CEVM_ERR_BACKEND, and cevm_lmdb_error_text says what and where, at the first fault. progress may be NULL.
 */
CEVM_API cevm_err cevm_lmdb_verify(cevm_lmdb *db, cevm_lmdb_progress progress, void *user);

/** Called for each account, in the order of keccak256(address); return false to stop. Views are valid inside the call. */
typedef bool (*cevm_lmdb_visit_account)(void *user, const cevm_address *address, const cevm_db_account *account,
                                        cevm_bytes code);
typedef bool (*cevm_lmdb_visit_slot)(void *user, const cevm_u256 *key, const cevm_u256 *value);
/** Each account; visit must not write. */
CEVM_API cevm_err cevm_lmdb_for_each_account(cevm_lmdb *db, cevm_lmdb_visit_account visit, void *user);
/** Each slot of an account, in the order of keccak256(key); nothing when the account is missing. visit must not write. */
CEVM_API cevm_err cevm_lmdb_for_each_slot(cevm_lmdb *db, const cevm_address *address, cevm_lmdb_visit_slot visit,
                                          void *user);

/** Forgets all but the newest `keep` of the blocks that can be taken back, in several transactions. */
CEVM_API cevm_err cevm_lmdb_prune(cevm_lmdb *db, uint64_t keep, cevm_lmdb_progress progress, void *user);
/** Drops the receipts of all but the newest `keep` blocks, and what finds their transactions and logs. */
CEVM_API cevm_err cevm_lmdb_prune_receipts(cevm_lmdb *db, uint64_t keep, cevm_lmdb_progress progress, void *user);
/** Writes a copy without free pages into another folder, which must be there and hold no store. Errors: CEVM_ERR_IO. */
CEVM_API cevm_err cevm_lmdb_copy(cevm_lmdb *db, const char *path);

#ifdef __cplusplus
}
#endif
#endif
