/* SPDX-License-Identifier: Apache-2.0 */
/**
 * chain/genesis_json.h: the parts of a genesis.json, for those who find them in other files than a genesis file.
 */
#ifndef CEVM_CHAIN_GENESIS_JSON_H
#define CEVM_CHAIN_GENESIS_JSON_H

#include <cevm/genesis.h>

#include "chain/alloc.h"
#include "chain/json.h"

/**
 * Reads geth's "config" object. What says nothing about rules (clique, ethash, comments) is passed over; a fork that this
 * library does not know is an error, because its blocks would be judged by wrong rules.
 */
bool cevm_genesis_config_read(cevm_chain_config *out, const cevm_json_at *config);

/**
 * Reads header and accounts of a genesis whose config is known; extra_data lives in the arena. The state root and the
 * fields that depend on the fork at block 0 are not set (cevm_genesis_complete).
 */
bool cevm_genesis_header_read(cevm_header *out, const cevm_json_at *genesis, cevm_arena *arena);

/**
 * Gives a genesis header the fields that its fork has (each read from the file when it is there), the roots of its empty
 * body, and the state root `root`.
 */
void cevm_genesis_complete(cevm_header *header, const cevm_chain_config *config, const cevm_hash *root);

#endif
