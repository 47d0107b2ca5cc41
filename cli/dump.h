/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cli/dump.h: a state as JSON, for --dump.
 */
#ifndef CEVM_CLI_DUMP_H
#define CEVM_CLI_DUMP_H

#include <cevm/db.h>

/** The state as a JSON object, in the shape of geth's dump. NULL when memory runs out; the caller frees it (free). */
char *cevm_cli_dump(cevm_memdb *db, const cevm_hash *root);

#endif
