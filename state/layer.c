/* SPDX-License-Identifier: Apache-2.0 */
#include "state/layer.h"

cevm_err cevm_layer_account(void *ctx, cevm_db_account *out, bool *exists, const cevm_address *address)
{
    const cevm_db *below = ctx;
    return below->vtable->account(below->ctx, out, exists, address);
}

cevm_err cevm_layer_storage(void *ctx, cevm_u256 *out, const cevm_address *address, const cevm_u256 *key)
{
    const cevm_db *below = ctx;
    return below->vtable->storage(below->ctx, out, address, key);
}

cevm_err cevm_layer_code(void *ctx, cevm_bytes *out, const cevm_hash *code_hash)
{
    const cevm_db *below = ctx;
    return below->vtable->code(below->ctx, out, code_hash);
}

cevm_err cevm_layer_block_hash(void *ctx, cevm_hash *out, uint64_t number)
{
    const cevm_db *below = ctx;
    return below->vtable->block_hash(below->ctx, out, number);
}

cevm_err cevm_layer_prefetch(void *ctx, const cevm_db_key *keys, size_t count)
{
    const cevm_db *below = ctx;
    return below->vtable->prefetch != NULL ? below->vtable->prefetch(below->ctx, keys, count) : CEVM_OK;
}

cevm_err cevm_layer_commit(void *ctx, const cevm_diff *diff)
{
    const cevm_db *below = ctx;
    return below->vtable->commit != NULL ? below->vtable->commit(below->ctx, diff) : CEVM_ERR_ARGUMENT;
}

cevm_err cevm_layer_root(void *ctx, cevm_hash *out)
{
    const cevm_db *below = ctx;
    return below->vtable->root != NULL ? below->vtable->root(below->ctx, out) : CEVM_ERR_ARGUMENT;
}
