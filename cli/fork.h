/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cli/fork.h: the state of a chain that is somewhere else, as the command line names it: --fork-url, --fork-block-number,
 * --fork-cache, --offline.
 */
#ifndef CEVM_CLI_FORK_H
#define CEVM_CLI_FORK_H

#include <cevm/remote.h>

#include "cli/options.h"

typedef struct cevm_fork_options {
    const char *url;
    uint64_t block; /* UINT64_MAX: the newest */
    const char *cache;
    bool offline;
} cevm_fork_options;

#define CEVM_FORK_DEFAULTS  \
    {                       \
        .block = UINT64_MAX \
    }

enum { CEVM_FORK_OPTION_COUNT = 4 };

/** The rows of the four options. */
void cevm_fork_option_rows(cevm_option rows[CEVM_FORK_OPTION_COUNT], cevm_fork_options *options);
/** Whether they ask for such a state. */
bool cevm_fork_is_wanted(const cevm_fork_options *options);
/** Opens it. False with a message on stderr that begins with `command`. */
bool cevm_fork_open(cevm_remote **out, const cevm_fork_options *options, const char *command,
                    const cevm_allocator *allocator);
/** Says what the last error of the store was, after `command`. */
void cevm_fork_report(cevm_remote *remote, const char *command);

#endif
