/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cli/statetest.h: the parts of `cevm statetest`: statetest.c reads the command line and finds the files,
 * statetest_pool.c shares them among threads and puts their reports out in order, statetest_file.c runs one file,
 * statetest_report.c writes what people and machines read, statetest_dump.c a state.
 */
#ifndef CEVM_CLI_STATETEST_H
#define CEVM_CLI_STATETEST_H

#include <regex.h>
#include <stdio.h>

#include "cli/commands.h"
#include "cli/tracing.h"
#include "ethereum-tests/runner.h"

typedef struct cevm_statetest_options {
    const cevm_cli *cli;
    bool human; /* lines for people; otherwise a JSON array */
    bool has_run;
    regex_t run; /* tests whose name matches; read-only once compiled, safe on all threads */
    bool has_fork;
    cevm_fork fork;
    bool has_index;
    uint64_t index;
    bool bench;
    bool dump;
    bool trace;
    cevm_tracing tracing;
    uint64_t jobs;
} cevm_statetest_options;

typedef struct cevm_statetest_count {
    uint64_t passed, failed, skipped;
} cevm_statetest_count;

enum { CEVM_STATETEST_REASONS = 24, CEVM_STATETEST_REASON_SIZE = 64 };

/** What came of a number of files. The last fork row counts entries of forks that are not known. */
typedef struct cevm_statetest_tally {
    cevm_statetest_count total;
    cevm_statetest_count forks[CEVM_FORK_COUNT + 1];
    uint64_t files;
    uint64_t bad_files; /* files that could not be read, or hold something that is no test */
    /** Why entries were skipped; the last row takes what has no row of its own. */
    struct {
        char text[CEVM_STATETEST_REASON_SIZE];
        uint64_t count;
    } reasons[CEVM_STATETEST_REASONS];
} cevm_statetest_tally;

/** One entry that was run, for the reports. */
typedef struct cevm_statetest_case {
    const char *file;
    const char *name;
    const char *fork_name;
    int fork; /* a cevm_fork, or CEVM_FORK_COUNT when it is not known */
    size_t index;
    const char *label; /* NULL = none */
    uint64_t time_ns;
    const cevm_test_result *result;
    const char *state; /* --dump: JSON text of the state, or NULL */
} cevm_statetest_case;

/** What one worker needs; one per thread. */
typedef struct cevm_statetest_worker {
    const cevm_statetest_options *options;
    cevm_test_runner runner;
    cevm_open_trace trace; /* empty without --trace */
} cevm_statetest_worker;

/** False when memory runs out. */
bool cevm_statetest_worker_init(cevm_statetest_worker *out, const cevm_statetest_options *options);
/** False, with a message on stderr, when the trace is not complete. */
bool cevm_statetest_worker_clear(cevm_statetest_worker *worker);

/**
 * Runs the tests of one file. Reports go to `out` (JSON entries separated by commas, or text), state roots and messages to
 * `err`. Adds to the tally.
 */
void cevm_statetest_file(cevm_statetest_worker *worker, cevm_statetest_tally *tally, FILE *out, FILE *err,
                         const char *path);

/** Runs many files on options->jobs threads and writes their reports to stdout and stderr in the order of the files. */
bool cevm_statetest_pool(cevm_statetest_tally *tally, const cevm_statetest_options *options, char *const *paths,
                         size_t count);

/** Counts one entry. */
void cevm_statetest_tally_case(cevm_statetest_tally *tally, const cevm_statetest_case *c);
void cevm_statetest_tally_add(cevm_statetest_tally *to, const cevm_statetest_tally *from);

/** One object of the JSON array. */
void cevm_statetest_write_json(FILE *out, const cevm_statetest_case *c, bool bench);
/** A failure for people: what, expected, got, where it first differs, the command that shows it again. */
void cevm_statetest_write_failure(FILE *out, const cevm_statetest_options *options, const cevm_statetest_case *c);
/** The table by fork, the reasons of skips, and the closing line. */
void cevm_statetest_write_summary(FILE *out, const cevm_statetest_tally *tally, double seconds);
/** The same as one line of JSON, into a file. False with a message on stderr when it cannot be written. */
bool cevm_statetest_write_summary_file(const char *path, const cevm_statetest_tally *tally, double seconds);

/** The state as a JSON object, in the shape of geth's dump. NULL when memory runs out; the caller frees it (free). */
char *cevm_statetest_dump(cevm_memdb *db, const cevm_hash *root);

#endif
