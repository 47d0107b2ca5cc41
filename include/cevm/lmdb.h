/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cevm/lmdb.h: the backend on disk: accounts, storage, code, tries and what each block changed, in one LMDB file.
 *
 * A block (cevm_db_vtable.begin_block … end_block) is one transaction of the database: after a crash or a power cut the
 * store is at a whole block. A commit outside a block is a transaction of its own. Blocks that were kept can be taken back
 * and looked into after the store was closed and opened again, as many as the store remembers.
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
 * what it was. LMDB itself allocates with libc, the rest with the allocator.
 *
 * Threads: one at a time for each store.
 */
#ifndef CEVM_LMDB_H
#define CEVM_LMDB_H

#include <cevm/db.h>

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

/**
 * The block whose state the store holds, as cevm_db_vtable.put_block said / a block before it by number. *found is false
 * when there is none. out->rlp is valid until the next write.
 */
CEVM_API cevm_err cevm_lmdb_head(cevm_lmdb *db, bool *found, cevm_db_block *out);
CEVM_API cevm_err cevm_lmdb_block(cevm_lmdb *db, bool *found, cevm_db_block *out, uint64_t number);

/** How much there is. */
typedef struct cevm_lmdb_stat {
    uint64_t accounts;
    uint64_t slots;
    uint64_t codes;
    uint64_t branches;   /* nodes of the tries that are stored */
    uint64_t blocks;     /* kept since the store was made, less those taken back */
    uint64_t remembered; /* of those, how many can be taken back or looked into */
    uint64_t history;    /* how many are to be remembered; CEVM_LMDB_ARCHIVE: all */
    uint64_t used_bytes; /* of the file, pages that hold something */
    uint64_t file_bytes; /* up to the last page ever used */
    uint64_t map_bytes;  /* how far it may grow */
    cevm_hash root;      /* as stored */
} cevm_lmdb_stat;
CEVM_API cevm_err cevm_lmdb_get_stat(cevm_lmdb *db, cevm_lmdb_stat *out);

/** Called now and then by long walks; return false to stop them (CEVM_ERR_CANCELLED). done counts accounts and slots. */
typedef bool (*cevm_lmdb_progress)(void *user, uint64_t done, uint64_t total);

/**
 * Reads everything: each record must be well formed, each key the hash of what it stands for, each code what its hash says;
 * then makes all roots anew from accounts and slots alone and compares them with what is stored. CEVM_ERR_BACKEND, and
 * cevm_lmdb_error_text says what and where, at the first fault. progress may be NULL.
 */
CEVM_API cevm_err cevm_lmdb_verify(cevm_lmdb *db, cevm_lmdb_progress progress, void *user);

/** Called for each account, in the order of keccak256(address); return false to stop. Views are valid inside the call. */
typedef bool (*cevm_lmdb_visit_account)(void *user, const cevm_address *address, const cevm_db_account *account,
                                        cevm_bytes code);
typedef bool (*cevm_lmdb_visit_slot)(void *user, const cevm_u256 *key, const cevm_u256 *value);
CEVM_API cevm_err cevm_lmdb_for_each_account(cevm_lmdb *db, cevm_lmdb_visit_account visit, void *user);
/** Each slot of an account, in the order of keccak256(key); nothing when the account is missing. */
CEVM_API cevm_err cevm_lmdb_for_each_slot(cevm_lmdb *db, const cevm_address *address, cevm_lmdb_visit_slot visit,
                                          void *user);

/** Forgets all but the newest `keep` of the blocks that can be taken back, in several transactions. */
CEVM_API cevm_err cevm_lmdb_prune(cevm_lmdb *db, uint64_t keep, cevm_lmdb_progress progress, void *user);
/** Writes a copy without free pages into another folder, which must be there and hold no store. Errors: CEVM_ERR_IO. */
CEVM_API cevm_err cevm_lmdb_copy(cevm_lmdb *db, const char *path);

#ifdef __cplusplus
}
#endif
#endif
