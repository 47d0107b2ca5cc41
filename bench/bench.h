/* SPDX-License-Identifier: Apache-2.0 */
/**
 * bench/bench.h: the parts of the harness and what they say to each other.
 *
 * A program is one entry of a state test. A machine is a virtual machine that can run it: this library, an EVMC library
 * in the same process, or another process that speaks the protocol of bench/peers/. A machine is asked what came of a
 * program (an answer, compared before anything is timed), and then how long it takes (a sample).
 *
 * One thread. Functions print their own messages to stderr and return false.
 */
#ifndef CEVM_BENCH_BENCH_H
#define CEVM_BENCH_BENCH_H

#include <stdio.h>

#include "ethereum-tests/state_test.h"

/** What is timed. */
typedef enum bench_mode {
    /** The message, by a machine that has run it before, over a state that has been read. What it changed is undone. */
    BENCH_EXECUTE,
    /** The same by a machine made a moment ago, which has seen none of the code: its analysis is in the time. */
    BENCH_TOTAL,
    /** The whole transaction: checks, gas bought and given back, reads from the store. Its changes are dropped. */
    BENCH_TRANSACTION,
    BENCH_MODE_COUNT
} bench_mode;

/** "execute" …; static storage. */
const char *bench_mode_name(bench_mode mode);

/* ---- Programs (programs.c) --------------------------------------------------------------------------------------- */

typedef struct bench_program {
    char name[112]; /* "main/snailtracer", "main/sha1_divs/5311"; unique */
    char group[24]; /* the folder of the file; geometric means are taken over it */
    const char *path;
    cevm_state_test *test;
    const cevm_test_entry *entry;
    cevm_tx tx;
    cevm_block_env block;
    cevm_tx_env env;
    cevm_message message;
    bool has_post;    /* the file gives the state root and the logs that must come out */
    const char *unit; /* what the program does `units` times ("call"), or NULL */
    uint64_t units;
} bench_program;

typedef struct bench_programs {
    bench_program *items;
    size_t count;
    size_t capacity;
    struct bench_file *files; /* what the programs borrow from */
} bench_programs;

/** Adds the programs of a file, or of the *.json files below a folder, in the order of their names. */
bool bench_programs_add(bench_programs *programs, const char *path);
void bench_programs_free(bench_programs *programs);

/* ---- Answers ----------------------------------------------------------------------------------------------------- */

typedef enum bench_end { BENCH_SUCCESS, BENCH_REVERT, BENCH_HALT } bench_end;

/** "success" …; static storage. */
const char *bench_end_name(bench_end end);

/** What came of a program. Of a message: gas without the intrinsic gas and the refund. */
typedef struct bench_answer {
    bench_end end;
    uint64_t gas;
    int64_t refund;   /* of a message; 0 for a transaction */
    cevm_hash output; /* keccak256 */
    cevm_hash logs;   /* keccak256(rlp(logs)) */
    bool has_root;
    cevm_hash root; /* state root after it; a machine in another process may not tell */
} bench_answer;

/** Whether two answers agree; otherwise the first difference is written as one line. */
bool bench_answer_equal(const bench_answer *a, const bench_answer *b, char *text, size_t size);

/* ---- Machines ---------------------------------------------------------------------------------------------------- */

typedef struct bench_machine bench_machine;

typedef struct bench_machine_vtable {
    /** Makes ready for a program; the machine borrows it until unload. */
    bool (*load)(bench_machine *machine, const bench_program *program);
    /** Runs it once from its beginning and tells what came of it. A message and a transaction have different answers. */
    bool (*answer)(bench_machine *machine, bench_mode mode, bench_answer *out);
    /**
     * Runs it `count` times and tells how many nanoseconds of processor time all of them took together. BENCH_TOTAL:
     * `count` times the median of the runs, at most BENCH_COLD_RUNS of them, each timed by itself.
     */
    bool (*sample)(bench_machine *machine, bench_mode mode, uint64_t count, uint64_t *ns);
    void (*unload)(bench_machine *machine);
    void (*close)(bench_machine *machine);
} bench_machine_vtable;

struct bench_machine {
    const bench_machine_vtable *vtable;
    char name[16];    /* heads a column */
    char version[80]; /* of the machine, and how it is reached */
    bool modes[BENCH_MODE_COUNT];
    bool is_cevm; /* this library, whatever the engine */
};

/** This library, with an engine: "auto", "exact" or "block". `name` may be NULL: "cevm". */
bench_machine *bench_machine_cevm(const char *name, const char *engine);
/** A shared object with an EVMC machine of ABI 12 or 18. `name` may be NULL: the file's, without "lib" and ".so". */
bench_machine *bench_machine_evmc(const char *name, const char *path);
/** A program that speaks the protocol of bench/peers/README.md on its standard input and output. */
bench_machine *bench_machine_process(const char *name, const char *path);

/* ---- Measuring (measure.c) --------------------------------------------------------------------------------------- */

typedef struct bench_options {
    bool modes[BENCH_MODE_COUNT];
    uint64_t rounds;
    uint64_t sample_ns; /* one sample takes about this long, or one run of the program */
    bool check_only;
} bench_options;

/** The times of one program on one machine, in nanoseconds for one run. */
typedef struct bench_times {
    bool measured;
    uint64_t runs; /* in a sample */
    double min;
    double median;
    double spread; /* distance of the quartiles over the median */
} bench_times;

enum { BENCH_MACHINES = 8, BENCH_ROUNDS = 1001, BENCH_COLD_RUNS = 1000 };

/** One line of a table: a program in a mode. */
typedef struct bench_row {
    const bench_program *program;
    bench_mode mode;
    bench_answer answer;
    bench_times times[BENCH_MACHINES];
} bench_row;

typedef struct bench_results {
    bench_machine *machines[BENCH_MACHINES];
    size_t machine_count;
    bench_row *rows; /* mode by mode, the programs in order */
    size_t row_count;
    size_t wrong; /* programs on which machines do not agree, or not with their file */
} bench_results;

/**
 * Checks and measures every program on every machine, in rounds in which each machine has its turn. False when something
 * could not be run at all; a wrong answer is counted and its program not timed.
 */
bool bench_measure(bench_results *results, const bench_programs *programs, const bench_options *options);
void bench_results_free(bench_results *results);

/** Nanoseconds that this thread has had of a processor: what others do on the machine is not in them. */
uint64_t bench_cpu_ns(void);
/** Nanoseconds of a clock that only goes forward; costs less to ask. */
uint64_t bench_wall_ns(void);
/**
 * The time of a single run. A short one is taken from the wall clock, because asking for processor time costs as much as
 * such a run; a long one from the processor's, because others may have had it in between.
 */
typedef struct bench_stopwatch {
    uint64_t cpu, wall;
} bench_stopwatch;
bench_stopwatch bench_start(void);
uint64_t bench_stop(const bench_stopwatch *watch);
/** The median of `count` > 0 times, which are reordered. */
uint64_t bench_median(uint64_t *times, size_t count);

/* ---- Reports (report.c, report_json.c) --------------------------------------------------------------------------- */

/** Tables of 80 columns, with the geometric mean of each group. by_min: ratios of the minima, otherwise of the medians. */
void bench_report(FILE *out, const bench_results *results, bool by_min);
/** Everything that was measured, as JSON. */
bool bench_report_json(const char *path, const bench_results *results, const bench_options *options);

#endif
