/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cli/node_state.h: a node's state from and to files: what anvil_dumpState gives and anvil_loadState takes.
 *
 * Functions return false after a message on stderr.
 */
#ifndef CEVM_CLI_NODE_STATE_H
#define CEVM_CLI_NODE_STATE_H

#include "cli/node.h"

/** Loads --load-state, or --state if the file is there. */
bool cevm_node_state_load(const cevm_node_command *command, cevm_node *node);
/** Writes --dump-state or --state: whole and synced, or not at all. */
bool cevm_node_state_dump(const cevm_node_command *command, cevm_node *node);

#endif
