/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cli/db.h: the parts of `cevm db`: db.c reads the command line and does what is short, db_get.c shows single things, db_dump.c writes
 * dumps, db_load.c reads them.
 *
 * Functions that return bool write their message to stderr, beginning with `command`, before they return false.
 */
#ifndef CEVM_CLI_DB_H
#define CEVM_CLI_DB_H

#include <cevm/lmdb.h>

#include "cli/commands.h"
#include "cli/options.h"
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

/** What `get` is to show. */
typedef struct cevm_db_get {
    cevm_arguments rest; /* ADDRESS [KEY] | block NUMBER | tx HASH | receipt HASH | logs */
    uint64_t back;       /* accounts and slots: so many blocks ago */
    uint64_t from, to;   /* logs */
    const char *address; /* with commas between them; NULL: any */
    const char *topics[4];
} cevm_db_get;

/** Says that something of the store failed, and why. */
bool cevm_db_say(cevm_db_command *c, cevm_err err);
/** Shows how far a long work is, now and then, on a terminal. */
void cevm_db_show(cevm_db_command *c, const char *what, uint64_t done, uint64_t total);
/** Takes that line away. */
void cevm_db_clear(cevm_db_command *c);

bool cevm_db_run_get(cevm_db_command *c, const cevm_db_get *get);

/** What a binary dump begins with. */
#define CEVM_DB_DUMP_MAGIC "cevm state dump 1\n"

/** geth's alloc, anvil's state, or binary. */
typedef enum cevm_dump_format { CEVM_DUMP_JSON, CEVM_DUMP_ANVIL, CEVM_DUMP_BINARY } cevm_dump_format;

/** Writes all accounts. path NULL: standard output. */
bool cevm_db_dump(cevm_db_command *c, const char *path, cevm_dump_format format);
/** Reads a dump of any form, or a genesis.json, into an empty store. "-" is standard input, for the binary form. */
bool cevm_db_load(cevm_db_command *c, const char *path);

#endif
