/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cli/whole.h: whether a store on disk holds all of the state, as commands other than `cevm node` need it.
 */
#ifndef CEVM_CLI_WHOLE_H
#define CEVM_CLI_WHOLE_H

#include <cevm/lmdb.h>

/** False, after a message on stderr, for the store of a node that forked a remote chain: most accounts are elsewhere. */
bool cevm_is_whole_store(cevm_lmdb *store, const char *command, const char *data_dir);

#endif
