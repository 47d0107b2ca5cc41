/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cli/run.h: the parts of `cevm run`: run.c reads the command line and executes, run_code.c finds the bytecode,
 * run_prestate.c loads the state before, run_stored.c finds it in a store on disk, run_report.c tells what came of it.
 *
 * Functions that return bool write their message to stderr, beginning with `command`, before they return false.
 */
#ifndef CEVM_CLI_RUN_H
#define CEVM_CLI_RUN_H

#include <cevm/cevm.h>

#include <stdio.h>

#include "cli/commands.h"
#include "cli/fork.h"
#include "cli/tracing.h"

/** What the command line says. */
typedef struct cevm_run_options {
    const cevm_cli *cli;
    const char *command; /* "cevm run", for messages */
    const char *code;    /* CODE: hex or the name of a file; NULL when not given */
    const char *code_file;
    const char *contract;
    bool create;
    uint64_t gas;
    bool has_gas;
    const char *price, *value, *sender, *receiver, *input, *input_file, *prestate, *fork;
    bool bench, stat_dump, dump;
    cevm_tracing tracing;
    cevm_fork_options remote;
    const char *data_dir; /* a store on disk; NULL: none */
    const char *genesis;  /* with it: the rules */
    uint64_t block;       /* with it: the block after which the run is; UINT64_MAX: the newest */
} cevm_run_options;

/** Bytes from malloc; free with cevm_blob_free. */
typedef struct cevm_blob {
    uint8_t *data;
    size_t size;
} cevm_blob;

void cevm_blob_free(cevm_blob *blob);

/** Reads a whole file ("-" is standard input) of at most 256 MiB; a NUL follows the bytes, not counted in size. */
bool cevm_read_file(cevm_blob *out, const char *command, const char *path);

/** Hex text, with or without 0x, blanks allowed, to bytes. `what` names the text in messages ("--input"). */
bool cevm_parse_hex(cevm_blob *out, const char *command, const char *what, const char *text, size_t length);

/** The bytecode the options name: empty when they name none. */
bool cevm_run_load_code(cevm_blob *out, const cevm_run_options *options);

/** An address of 20 bytes in hex; shorter ones are filled with zeros on the left, as geth does. */
bool cevm_parse_address(cevm_address *out, const char *command, const char *what, const char *text);

/** What a genesis file says besides the accounts. */
typedef struct cevm_run_world {
    cevm_block_env block;
    uint64_t gas_limit; /* 0 when it does not say */
} cevm_run_world;

/**
 * Fills the store from a genesis file (or a bare "alloc" object) and the block environment from its header fields. When
 * code is not empty, `receiver` gets it instead of what the file gives it, and exists also if the file does not have it.
 */
bool cevm_run_load_prestate(cevm_memdb *db, cevm_run_world *world, const cevm_run_options *options,
                            const cevm_address *receiver, cevm_bytes code);

typedef struct cevm_run_stored cevm_run_stored;
/**
 * Opens the state that --data-dir and --block name, only for reading, and takes the environment from that block. *out is to
 * be closed after a failure too.
 */
bool cevm_run_stored_open(cevm_run_stored **out, cevm_run_world *world, cevm_db *db, const cevm_run_options *options);
/** Says what the last error of the store was. */
void cevm_run_stored_report(const cevm_run_stored *stored, const cevm_run_options *options);
/** NULL is allowed. */
void cevm_run_stored_close(cevm_run_stored *stored);

/** What came of the run. */
typedef struct cevm_run_outcome {
    cevm_status status;
    uint64_t gas_limit;
    uint64_t gas_used; /* before refunds */
    int64_t refund;
    cevm_bytes output;
    bool has_created;
    cevm_address created;
    const cevm_log *logs;
    size_t log_count;
    uint64_t time_ns; /* one execution; the mean with --bench */
    uint64_t runs;
    uint64_t allocations; /* of one execution, the mean with --bench */
    uint64_t allocated_bytes;
} cevm_run_outcome;

/** The result: the output on stdout as geth's evm has it, and for people a summary on stderr. */
void cevm_run_report(const cevm_run_options *options, const cevm_run_outcome *outcome, const cevm_open_trace *trace);
/** --bench and --statdump, on stderr. */
void cevm_run_report_cost(const cevm_run_outcome *outcome);
/** --dump: the state as JSON on stdout. */
bool cevm_run_dump(const cevm_run_options *options, cevm_memdb *db);

#endif
