/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cli/options.h: a command line read by a table, in the spelling of Go's flag package, which geth's tools use: `--name
 * value`, `--name=value`, `-name` alike; a letter may have a number right behind it, `-p8545`; a switch is `--name`, `--name=true` or `--name=false`; `--` ends the options;
 * options and other arguments may be mixed.
 */
#ifndef CEVM_CLI_OPTIONS_H
#define CEVM_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/nearest.h"

typedef enum cevm_option_kind {
    CEVM_OPTION_SWITCH, /* target: bool * */
    CEVM_OPTION_TEXT,   /* target: const char ** (points into argv) */
    CEVM_OPTION_NUMBER  /* target: uint64_t *; decimal or 0x hex */
} cevm_option_kind;

/** One option. A table ends with a row whose name is NULL. */
typedef struct cevm_option {
    const char *name; /* without dashes, dots as they are: "trace.format" */
    cevm_option_kind kind;
    void *target;
} cevm_option;

/** What is left when the options are taken out. */
typedef struct cevm_arguments {
    char **items; /* argv's own array, reordered: the arguments that are no options, in order */
    size_t count;
    bool help; /* -h or --help was given */
} cevm_arguments;

/**
 * Reads argv[1…]. False, with a message on stderr that names the command, the option and the nearest known one, when the
 * command line is wrong. argv is reordered.
 */
bool cevm_options_parse(cevm_arguments *out, const cevm_option *table, const char *command, int argc, char **argv);

#endif
