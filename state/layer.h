/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/layer.h: a backend over a backend: entries of cevm_db_vtable that ask the one below, for a layer that answers some
 * questions itself and passes the others on.
 *
 * Their context is any struct whose first member is the cevm_db below. Errors are those of the backend below; a commit or a
 * root that it does not offer is CEVM_ERR_ARGUMENT, a prefetch that it does not offer does nothing. Threads: as the backend
 * below.
 */
#ifndef CEVM_STATE_LAYER_H
#define CEVM_STATE_LAYER_H

#include <cevm/db.h>

cevm_err cevm_layer_account(void *ctx, cevm_db_account *out, bool *exists, const cevm_address *address);
cevm_err cevm_layer_storage(void *ctx, cevm_u256 *out, const cevm_address *address, const cevm_u256 *key);
cevm_err cevm_layer_code(void *ctx, cevm_bytes *out, const cevm_hash *code_hash);
cevm_err cevm_layer_block_hash(void *ctx, cevm_hash *out, uint64_t number);
cevm_err cevm_layer_prefetch(void *ctx, const cevm_db_key *keys, size_t count);
cevm_err cevm_layer_commit(void *ctx, const cevm_diff *diff);
cevm_err cevm_layer_root(void *ctx, cevm_hash *out);

#endif
