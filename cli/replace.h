/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cli/replace.h: a new file in the place of an old one, so that after a crash or a power cut there is one or the other, whole.
 */
#ifndef CEVM_CLI_REPLACE_H
#define CEVM_CLI_REPLACE_H

#include <stdbool.h>

/**
 * Moves `from`, written and closed, to `to` in the same file system: waits until its bytes are on the disk, renames it, and
 * waits until the folder that lists it is on the disk too. False with errno set; when the last step fails `to` is new
 * already, and no more is known.
 */
bool cevm_replace_file(const char *from, const char *to);

#endif
