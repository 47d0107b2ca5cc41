/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cli/vectors.h: what `cevm statetest` and `cevm blocktest` have in common: vectors.c reads the command line and finds
 * the files, vectors_pool.c shares them among threads and puts their reports out in order, vectors_file.c runs one file,
 * vectors_report.c writes what people and machines read. What differs is a cevm_vectors_kind: statetest.c and blocktest.c.
 */
#ifndef CEVM_CLI_VECTORS_H
#define CEVM_CLI_VECTORS_H

#include <regex.h>
#include <stdio.h>

#include "cli/commands.h"
#include "cli/tracing.h"
#include "ethereum-tests/runner.h"

typedef struct cevm_vectors_run cevm_vectors_run;

/** One subcommand. */
typedef struct cevm_vectors_kind {
    const char *command; /* its name: "statetest" */
    const char *what;    /* "state tests" */
    const char *rows;    /* what the rows of the summary are: "fork" */
    bool has_entries;    /* a case has many entries, picked by --statetest.fork and --statetest.index */
    void (*help)(FILE *to, const cevm_cli *cli);
    /** Runs a case of a file. False, after cevm_vectors_bad_file, when it is no test of this kind. */
    bool (*run_case)(cevm_vectors_run *run, const cevm_json_at *at);
} cevm_vectors_kind;

typedef struct cevm_vectors_options {
    const cevm_vectors_kind *kind;
    const cevm_cli *cli;
    bool human; /* lines for people; otherwise a JSON array */
    bool has_run;
    regex_t run; /* tests whose name matches; read-only once compiled, safe on all threads */
    bool has_fork;
    cevm_fork fork;
    const char *fork_name; /* of the option */
    bool has_index;
    uint64_t index;
    bool bench;
    bool dump;
    bool trace;
    cevm_tracing tracing;
    uint64_t jobs;
} cevm_vectors_options;

typedef struct cevm_vectors_count {
    uint64_t passed, failed, skipped;
} cevm_vectors_count;

enum {
    CEVM_VECTORS_REASONS = 24,
    CEVM_VECTORS_REASON_SIZE = 64,
    /* Rows of the summary: the forks, then these. */
    CEVM_VECTORS_UNKNOWN = CEVM_FORK_COUNT, /* a fork or network that is not known */
    CEVM_VECTORS_TRANSITION,                /* a network that goes from one fork to another */
    CEVM_VECTORS_ROWS
};

/** What came of a number of files. */
typedef struct cevm_vectors_tally {
    cevm_vectors_count total;
    cevm_vectors_count rows[CEVM_VECTORS_ROWS];
    uint64_t gas_used; /* UINT64_MAX when it is more */
    uint64_t files;
    uint64_t bad_files; /* files that could not be read, or hold something that is no test */
    /** Why entries were skipped; the last row takes what has no row of its own. */
    struct {
        char text[CEVM_VECTORS_REASON_SIZE];
        uint64_t count;
    } reasons[CEVM_VECTORS_REASONS];
} cevm_vectors_tally;

/** One test that was run, for the reports. */
typedef struct cevm_vectors_case {
    const char *file;
    const char *name;
    const char *fork_name; /* as the file spells the fork or network */
    int row;               /* a cevm_fork or another row of the summary */
    size_t index;
    const char *label; /* NULL = none */
    uint64_t time_ns;
    const cevm_test_result *result;
    const char *state; /* --dump: JSON text of the state, or NULL */
} cevm_vectors_case;

/** What one worker needs; one per thread. */
typedef struct cevm_vectors_worker {
    const cevm_vectors_options *options;
    cevm_test_runner runner;
    cevm_open_trace trace; /* empty without --trace */
    cevm_test_watch watch; /* what hands its executions to a named tracer */
} cevm_vectors_worker;

/** The subcommand: reads the command line, runs, reports. Returns the exit code. */
int cevm_vectors_main(const cevm_vectors_kind *kind, const cevm_cli *cli, int argc, char **argv);

/* ---- One file (vectors_file.c) ----------------------------------------------------------------------------------- */

/** False when memory runs out. */
bool cevm_vectors_worker_init(cevm_vectors_worker *out, const cevm_vectors_options *options);
/** False, with a message on stderr, when the trace is not complete. */
bool cevm_vectors_worker_clear(cevm_vectors_worker *worker);

/** What is written to while one file is run. */
struct cevm_vectors_run {
    cevm_vectors_worker *worker;
    cevm_vectors_tally *tally;
    FILE *out;
    FILE *err;
    const char *path;
    bool wrote_json; /* an entry is out: a comma goes before the next */
    char *state;     /* --dump: the state of the test that runs */
};

/**
 * Runs the tests of one file. Reports go to `out` (JSON entries separated by commas, or text), state roots and messages to
 * `err`. Adds to the tally.
 */
void cevm_vectors_file(cevm_vectors_worker *worker, cevm_vectors_tally *tally, FILE *out, FILE *err, const char *path);

/** Nanoseconds of a clock that only goes forward. */
uint64_t cevm_vectors_now_ns(void);
/** Puts out what came of one test. */
void cevm_vectors_report(cevm_vectors_run *run, cevm_vectors_case *c);
/** Says why a file, or a case in it, is not what it should be. Returns false. */
bool cevm_vectors_bad_file(cevm_vectors_run *run, const char *why);

/* ---- Many files (vectors_pool.c) --------------------------------------------------------------------------------- */

/** Runs many files on options->jobs threads and writes their reports to stdout and stderr in the order of the files. */
bool cevm_vectors_pool(cevm_vectors_tally *tally, const cevm_vectors_options *options, char *const *paths,
                       size_t count);

/* ---- Reports (vectors_report.c) ------------------------------------------------------------------ */

/** Counts one test. */
void cevm_vectors_tally_case(cevm_vectors_tally *tally, const cevm_vectors_case *c);
void cevm_vectors_tally_add(cevm_vectors_tally *to, const cevm_vectors_tally *from);

/** One object of the JSON array. */
void cevm_vectors_write_json(FILE *out, const cevm_vectors_case *c, bool bench);
/** A failure for people: what, expected, got, where it first differs, the command that shows it again. */
void cevm_vectors_write_failure(FILE *out, const cevm_vectors_options *options, const cevm_vectors_case *c);
/** The table by fork, the reasons of skips, and the closing line. */
void cevm_vectors_write_summary(FILE *out, const cevm_vectors_kind *kind, const cevm_vectors_tally *tally,
                                double seconds);
/** The same as one line of JSON, into a file. False with a message on stderr when it cannot be written. */
bool cevm_vectors_write_summary_file(const cevm_vectors_options *o, const char *path, const cevm_vectors_tally *tally,
                                     double seconds);

#endif
