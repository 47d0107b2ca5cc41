/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cli/db.h: the parts of `cevm db`: db.c reads the command line and does what is short, db_dump.c writes and reads dumps.
 *
 * Functions that return bool write their message to stderr, beginning with `command`, before they return false.
 */
#ifndef CEVM_CLI_DB_H
#define CEVM_CLI_DB_H

#include <cevm/lmdb.h>

#include "cli/commands.h"
#include "cli/term.h"

typedef struct cevm_db_command {
    const char *command;  /* "cevm db dump", for messages */
    const char *data_dir; /* the store's folder */
    cevm_lmdb *store;
    cevm_db db;
    cevm_term term;
    double shown; /* when progress was shown last, seconds of the monotonic clock */
    bool has_line;
} cevm_db_command;

/** Says that something of the store failed, and why. */
bool cevm_db_say(cevm_db_command *c, cevm_err err);
/** Shows how far a long work is, now and then, on a terminal. */
void cevm_db_show(cevm_db_command *c, const char *what, uint64_t done, uint64_t total);
/** Takes that line away. */
void cevm_db_clear(cevm_db_command *c);

/** Writes all accounts: as geth's alloc JSON, or binary. path NULL: standard output. */
bool cevm_db_dump(cevm_db_command *c, const char *path, bool binary);
/** Reads a dump of either form, or a genesis.json, into an empty store. "-" is standard input, for the binary form. */
bool cevm_db_load(cevm_db_command *c, const char *path);

#endif
