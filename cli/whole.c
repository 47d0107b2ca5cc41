/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/whole.h"

#include <stdio.h>

#include "rpc/store.h"

bool cevm_is_whole_store(cevm_lmdb *store, const char *command, const char *data_dir)
{
    if (!cevm_store_holds_fork(store)) {
        return true;
    }
    (void)fprintf(stderr,
                  "%s: %s holds a fork of a remote chain, of whose state only the changes: cevm node goes on from it\n",
                  command, data_dir);
    return false;
}
