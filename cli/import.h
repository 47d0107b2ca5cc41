/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cli/import.h: the parts of `cevm import`: import.c reads the command line and runs, import_reader.c takes blocks off
 * files of any size, import_state.c keeps where a run stopped, import_store.c goes on
 * from a store on disk, import_report.c tells how it goes.
 *
 * Functions that return bool write their message to stderr, beginning with `command`, before they return false.
 */
#ifndef CEVM_CLI_IMPORT_H
#define CEVM_CLI_IMPORT_H

#include <cevm/chain.h>
#include <cevm/genesis.h>
#include <cevm/lmdb.h>

#include <stdatomic.h>
#include <stdio.h>

#include "cli/commands.h"
#include "cli/term.h"

/** What the command line says. */
typedef struct cevm_import_options {
    const char *command; /* "cevm import", for messages */
    const char *genesis;
    const char *config; /* name of a preset; NULL: the genesis file's own */
    const char *state;
    const char *data_dir; /* a store on disk; NULL: the chain is in memory */
    bool no_sync;
    bool json;
    bool keep_going;
    bool checks_seal;
    bool has_last;
    uint64_t last; /* number of the block to stop after */
} cevm_import_options;

/* ---- import_reader.c --------------------------------------------------------------------------------------------- */

/** A file of RLP lists, one after the other: blocks, or records of a state file. */
typedef struct cevm_block_reader {
    const char *name;
    const char *item; /* "block", for messages */
    int fd;
    bool is_regular;         /* reading never waits for another program */
    const atomic_bool *stop; /* when set, waiting ends as if reading had failed; may be NULL */
    uint64_t offset;         /* where the list that was read last begins */
    uint64_t end;            /* ... and ends */
    uint8_t *data;           /* that list */
    size_t capacity;
    uint8_t *buffer;
    size_t used, filled;
    char error[160]; /* why the last call failed */
} cevm_block_reader;

typedef enum cevm_block_read { CEVM_READ_BLOCK, CEVM_READ_END, CEVM_READ_FAILED } cevm_block_read;

/** Opens a file, "-" is standard input. False with out->error set; nothing is to be closed then. */
bool cevm_block_reader_open(cevm_block_reader *out, const char *path, const char *item);
/** Takes the next list; *rlp is valid until the next call. After FAILED reader->error says why, offset where. */
cevm_block_read cevm_block_reader_next(cevm_block_reader *reader, cevm_bytes *rlp);
/** Whether the next bytes are this text, which is then behind. */
bool cevm_block_reader_skip(cevm_block_reader *reader, const char *text);
void cevm_block_reader_close(cevm_block_reader *reader);

/* ---- import_ahead.c ---------------------------------------------------------------------------------------------- */

/** What was read: a block, decoded and with its senders as far as that can be done, or why there is none. */
typedef struct cevm_import_item {
    cevm_block_read read;
    char message[160]; /* with FAILED */
    uint64_t offset, end;
    cevm_bytes rlp;
    cevm_err err;               /* of decoding: ENCODING with the verdict, NOMEM */
    cevm_block_verdict verdict; /* with ENCODING */
    cevm_block *block;          /* with OK */
} cevm_import_item;

typedef struct cevm_import_ahead cevm_import_ahead;

/** Opens a file and starts to read. config is borrowed. False after a message. */
bool cevm_import_ahead_start(cevm_import_ahead **out, const char *command, const char *path,
                             const cevm_chain_config *config);
/** The next item, valid until it is done; NULL when it is not there yet after a moment. */
const cevm_import_item *cevm_import_ahead_next(cevm_import_ahead *ahead);
/** Gives back the item. */
void cevm_import_ahead_done(cevm_import_ahead *ahead);
/** Ends it, wherever it is. */
void cevm_import_ahead_stop(cevm_import_ahead *ahead);

/* ---- import_state.c ---------------------------------------------------------------------------------------------- */

/** Blocks that can be taken back, of the chain and of the store, and what is kept of the past otherwise. */
enum { CEVM_IMPORT_HISTORY = 128, CEVM_IMPORT_HASHES = 257, CEVM_IMPORT_RECENT = 8 };

/** A block's encoding, in memory of malloc. */
typedef struct cevm_import_block {
    cevm_hash hash;
    uint8_t *data;
    size_t size;
    size_t capacity;
} cevm_import_block;

/** Where a chain stands, but for its accounts. Free with cevm_import_point_free. */
typedef struct cevm_import_point {
    cevm_hash genesis; /* hash of block 0: a state belongs to one chain */
    cevm_header head;  /* extra_data points into `header_rlp` */
    uint8_t *header_rlp;
    size_t header_size;
    cevm_u256 total_difficulty;
    bool is_merged;
    cevm_hash ancestors[CEVM_IMPORT_HASHES]; /* before head, nearest first */
    size_t ancestor_count;
    cevm_import_block recent[CEVM_IMPORT_HISTORY + CEVM_IMPORT_RECENT]; /* head and before, nearest first */
    size_t recent_count;
    uint32_t undoable; /* of these, how many the store can take back */
} cevm_import_point;

void cevm_import_point_free(cevm_import_point *point);

/** Writes a point and the accounts of a store into a file: whole or not at all. */
bool cevm_import_state_save(const cevm_import_point *point, cevm_memdb *db, const char *command, const char *path);
/** Reads both back into an empty store. That the accounts are those of the head is for cevm_chain_open to check. */
bool cevm_import_state_load(cevm_import_point *out, cevm_memdb *db, const char *command, const char *path);

/* ---- import_store.c ---------------------------------------------------------------------------------------------- */

/** Opens the store options->data_dir names, making it when it is not there. */
bool cevm_import_store_open(cevm_lmdb **out, const cevm_import_options *options);
/** Puts the first block and its accounts, which are in `db`, into an empty store. */
bool cevm_import_store_fill(cevm_lmdb *store, cevm_memdb *db, const cevm_genesis *genesis,
                            const cevm_import_options *options);
/** Where the chain in a store stands; *found is false when it holds none. Free with cevm_import_point_free. */
bool cevm_import_store_load(cevm_import_point *out, bool *found, cevm_lmdb *store, const cevm_import_options *options);

/* ---- import_report.c --------------------------------------------------------------------------------------------- */

/** How far a run is. */
typedef struct cevm_import_progress {
    uint64_t blocks; /* imported */
    uint64_t known;  /* passed over */
    uint64_t refused;
    uint64_t transactions;
    uint64_t gas;
    uint64_t reorganisations;
    uint64_t bytes;       /* read, of all files */
    uint64_t total_bytes; /* 0 when it cannot be told */
    double start;         /* seconds of the monotonic clock */
    double shown;         /* when the line was written last, and what it told then */
    uint64_t shown_blocks;
    uint64_t shown_gas;
    bool has_line; /* a line of progress stands on the terminal */
} cevm_import_progress;

/** Why a run ended before its files did. */
typedef struct cevm_import_stop {
    bool happened;
    bool interrupted; /* by a signal; nothing is wrong */
    const char *file;
    uint64_t offset; /* where the block begins that was not imported */
    bool has_block;
    uint64_t number;
    cevm_hash hash;
    cevm_block_verdict verdict;
} cevm_import_stop;

/** Seconds of the monotonic clock. */
double cevm_import_now(void);
/** Writes the line of progress, if stderr is a terminal and a second has passed. */
void cevm_import_show(cevm_import_progress *progress, const cevm_term *term, uint64_t number);
/** Takes the line of progress away, before anything else is written. */
void cevm_import_clear(cevm_import_progress *progress);
/** "INVALID_GAS_USED: invalid gas used" or "transaction 3: NONCE_MISMATCH_TOO_LOW: nonce too low". */
void cevm_import_reason(char *out, size_t size, const cevm_block_verdict *verdict);
/** The summary on stdout, for people or as one line of JSON. */
void cevm_import_summary(const cevm_import_progress *progress, const cevm_import_stop *stop,
                         const cevm_chain_block *head, bool json);

#endif
