/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/world_file.h: a whole world as one piece of bytes: what anvil_dumpState has beside anvil's own form, so that a node that
 * loads it goes on where the other stood, with all blocks, receipts, past states, the pool and the settings. Equal worlds
 * give equal bytes, whatever the time of day.
 */
#ifndef CEVM_RPC_WORLD_FILE_H
#define CEVM_RPC_WORLD_FILE_H

#include "rpc/world_entry.h"

/** Appends a world's bytes. Errors: CEVM_ERR_NOMEM. */
cevm_err cevm_world_write(cevm_buf *out, const cevm_world *world);
/**
 * Makes a draft hold the world that was written, but mine as it did. `db` makes its states; it has none of a base, and its
 * state is then that of the draft. `nothing` is the value of sets. The clock of a node whose clock was not the real one goes
 * on from the head. On an error draft and db may hold a part of it: drop them. Errors: CEVM_ERR_ENCODING, CEVM_ERR_NOMEM.
 */
cevm_err cevm_world_load(cevm_world *draft, cevm_treedb *db, cevm_bytes bytes, cevm_ref *nothing);

#endif
