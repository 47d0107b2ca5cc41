/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/fork.h"

#include <stdio.h>

void cevm_fork_option_rows(cevm_option rows[CEVM_FORK_OPTION_COUNT], cevm_fork_options *options)
{
    rows[0] = (cevm_option){"fork-url", CEVM_OPTION_TEXT, &options->url};
    rows[1] = (cevm_option){"fork-block-number", CEVM_OPTION_NUMBER, &options->block};
    rows[2] = (cevm_option){"fork-cache", CEVM_OPTION_TEXT, &options->cache};
    rows[3] = (cevm_option){"offline", CEVM_OPTION_SWITCH, &options->offline};
}

bool cevm_fork_is_wanted(const cevm_fork_options *options) { return options->url != NULL || options->offline; }

bool cevm_fork_open(cevm_remote **out, const cevm_fork_options *options, const char *command,
                    const cevm_allocator *allocator)
{
    cevm_remote_error error;
    const cevm_remote_options remote = {.struct_size = sizeof remote,
                                        .allocator = allocator,
                                        .url = options->url,
                                        .has_block = options->block != UINT64_MAX,
                                        .block = options->block,
                                        .cache_path = options->cache,
                                        .offline = options->offline,
                                        .patience_ms = 20000};
    if (options->offline && options->cache == NULL) {
        (void)fprintf(stderr, "%s: --offline takes --fork-cache FILE, recorded by a run without it\n", command);
        return false;
    }
    if (cevm_remote_open(out, &error, &remote) != CEVM_OK) {
        (void)fprintf(stderr, "%s: %s\n", command, error.text);
        return false;
    }
    return true;
}

void cevm_fork_report(cevm_remote *remote, const char *command)
{
    cevm_remote_error error;
    cevm_remote_last_error(remote, &error);
    (void)fprintf(stderr, "%s: %s\n", command, error.text);
}
