/* SPDX-License-Identifier: Apache-2.0 */
/* The pool of a draft: the same transactions under their hashes and under sender and nonce. */
#include <cevm/alloc.h>
#include <cevm/crypto.h>

#include "rpc/node_internal.h"
#include "state/map.h"

static void destroy_pooled(cevm_ref *self)
{
    cevm_pooled *pooled = (cevm_pooled *)(void *)self;
    cevm_tx_destroy(pooled->tx, pooled->allocator);
    cevm_free(pooled->allocator, pooled);
}

/** A copy of its own: encoded and read again, which also makes sure that it can be. */
static cevm_err copy_tx(cevm_pooled *out, uint8_t *raw, size_t size, const cevm_tx *tx)
{
    cevm_tx_error reason = CEVM_TX_NONE;
    cevm_err err = cevm_tx_encode(raw, &size, size, tx, out->allocator);
    if (err == CEVM_OK) {
        out->raw = (cevm_bytes){raw, size};
        err = cevm_tx_decode(&out->tx, &reason, out->raw, out->allocator);
    }
    if (err != CEVM_OK) {
        return err;
    }
    cevm_keccak256(&out->hash, raw, size);
    out->tx->has_sender = tx->has_sender;
    out->tx->sender = tx->sender;
    return CEVM_OK;
}

cevm_err cevm_pooled_create(cevm_pooled **out, const cevm_tx *tx, bool impersonated, const cevm_allocator *allocator)
{
    size_t size = 0;
    *out = NULL;
    cevm_err err = cevm_tx_encode(NULL, &size, 0, tx, allocator);
    if (err != CEVM_OK) {
        return err;
    }
    cevm_pooled *pooled = cevm_zalloc(allocator, sizeof *pooled + size);
    if (pooled == NULL) {
        return CEVM_ERR_NOMEM;
    }
    cevm_ref_init(&pooled->ref, destroy_pooled);
    pooled->allocator = allocator;
    pooled->impersonated = impersonated;
    err = copy_tx(pooled, (uint8_t *)(pooled + 1), size, tx);
    if (err != CEVM_OK) {
        cevm_free(allocator, pooled);
        return err;
    }
    pooled->tx->skips = impersonated ? CEVM_SKIP_SENDER_CODE : 0;
    *out = pooled;
    return CEVM_OK;
}

static int by_sender_and_nonce(const void *a, const void *b)
{
    const cevm_pooled *const *left = a;
    const cevm_pooled *const *right = b;
    const cevm_tx *x = (*left)->tx;
    const cevm_tx *y = (*right)->tx;
    const int order = memcmp(x->sender.bytes, y->sender.bytes, sizeof x->sender.bytes);
    return order != 0 ? order : (x->nonce > y->nonce) - (x->nonce < y->nonce);
}

void cevm_pooled_sort(cevm_pooled **items, size_t count)
{
    cevm_sort((void *)items, count, sizeof(cevm_pooled *), by_sender_and_nonce);
}

cevm_err cevm_pool_remove(cevm_world *draft, const cevm_pooled *pooled)
{
    cevm_pooled *waiting = cevm_world_pooled(draft, &pooled->hash); /* it, or another copy of it */
    if (waiting == NULL) {
        return CEVM_OK;
    }
    const cevm_hash key = cevm_world_queue_key(&waiting->tx->sender, waiting->tx->nonce);
    cevm_ref_retain(&waiting->ref); /* the map's own may be the last */
    cevm_err err = CEVM_OK;
    if (cevm_pmap_get(&draft->queues, &key) == &waiting->ref) {
        err = cevm_pmap_remove(&draft->queues, &key, draft->allocator);
    }
    if (err == CEVM_OK) {
        err = cevm_pmap_remove(&draft->pool, &waiting->hash, draft->allocator);
    }
    cevm_pooled_release(waiting);
    return err;
}

cevm_err cevm_pool_put(cevm_world *draft, cevm_pooled *pooled)
{
    const cevm_hash key = cevm_world_queue_key(&pooled->tx->sender, pooled->tx->nonce);
    cevm_pooled *old = cevm_world_queued(draft, &pooled->tx->sender, pooled->tx->nonce);
    cevm_err err = CEVM_OK;
    if (old != NULL) {
        err = cevm_pool_remove(draft, old);
    }
    if (err == CEVM_OK) {
        err = cevm_pmap_put(&draft->pool, &pooled->hash, &pooled->ref, draft->allocator);
    }
    return err != CEVM_OK ? err : cevm_pmap_put(&draft->queues, &key, &pooled->ref, draft->allocator);
}
