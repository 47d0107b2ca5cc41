/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cli/precompile.h: the parts of `cevm precompile`: precompile.c reads the command line and makes one call,
 * precompile_vectors.c runs files of vectors, precompile_bench.c measures.
 *
 * Functions that return bool write their message to stderr, beginning with `command`, before they return false.
 */
#ifndef CEVM_CLI_PRECOMPILE_H
#define CEVM_CLI_PRECOMPILE_H

#include <cevm/cevm.h>

#include "cli/run.h"

/** What the command line says. */
typedef struct cevm_precompile_options {
    const char *command; /* "cevm precompile", for messages */
    const char *name;    /* NAME or ADDRESS; NULL when not given */
    const char *fork;    /* NULL when not given */
    const char *vectors;
    bool json;
    bool list;
    bool bench;
} cevm_precompile_options;

/** What a call gave. */
typedef struct cevm_precompile_call {
    cevm_precompile_status status;
    uint64_t gas;
    cevm_blob output; /* empty unless status is OK; free with cevm_blob_free */
} cevm_precompile_call;

/** The contract with this name (any case) or address (hex or decimal). */
const cevm_precompile *cevm_precompile_by_name(const cevm_precompile_options *o, const char *text);

/** Calls a contract. False when memory is short. */
bool cevm_precompile_run(cevm_precompile_call *out, const cevm_precompile_options *o, const cevm_precompile *contract,
                         cevm_fork fork, cevm_bytes input);

/** What the contract wants of its input, in a sentence, for an input of this size that it refused. */
const char *cevm_precompile_rule(const cevm_precompile *contract, size_t size);

/** What a call takes. */
typedef struct cevm_precompile_time {
    uint64_t gas;
    double ns;   /* processor time of one call */
    double mgas; /* million gas a second */
} cevm_precompile_time;

/** Measures a call that succeeds. False when memory is short. In precompile_bench.c. */
bool cevm_precompile_bench(cevm_precompile_time *out, const cevm_precompile_options *o, const cevm_precompile *contract,
                           cevm_fork fork, cevm_bytes input);

/** `--vectors FILE`: the exit code. */
int cevm_precompile_vectors(const cevm_precompile_options *o);

#endif
