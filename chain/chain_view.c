/* SPDX-License-Identifier: Apache-2.0 */
/* The store as a chain's states see it: with the hashes of the blocks before. */
#include <cevm/alloc.h>

#include "chain/chain_internal.h"
#include "state/layer.h"

/* Nearest first, as far back as anything is known: the tree, the last parent hash in it, what the chain was opened with. */
static void fill_hashes(cevm_chain_view *view)
{
    const cevm_chain *chain = view->chain;
    const cevm_chain_node *node = view->base;
    size_t count = 0;
    memset(view->hashes, 0, sizeof view->hashes);
    view->has_hashes = true;
    for (;; node = node->parent) {
        view->hashes[count++] = node->hash;
        if (count == CEVM_RECENT_HASHES || node->header.number == 0) {
            return;
        }
        if (node->parent == NULL) {
            view->hashes[count++] = node->header.parent_hash;
            break;
        }
    }
    for (uint64_t number = node->header.number - 1; count < CEVM_RECENT_HASHES && number-- > 0; ++count) {
        const uint64_t back = chain->opened_at - 1 - number; /* the oldest node is not younger than the first */
        if (number >= chain->opened_at || back >= chain->ancestor_count) {
            return;
        }
        view->hashes[count] = chain->ancestors[back];
    }
}

static cevm_err view_block_hash(void *ctx, cevm_hash *out, uint64_t number)
{
    cevm_chain_view *view = ctx;
    const uint64_t base = view->base->header.number;
    memset(out, 0, sizeof *out);
    if (number > base || base - number >= CEVM_RECENT_HASHES) {
        return CEVM_OK;
    }
    if (!view->has_hashes) {
        fill_hashes(view);
    }
    *out = view->hashes[base - number];
    return CEVM_OK;
}

cevm_db cevm_chain_view_db(cevm_chain_view *view)
{
    static const cevm_db_vtable vtable = {
        .struct_size = sizeof vtable,
        .account = cevm_layer_account,
        .storage = cevm_layer_storage,
        .code = cevm_layer_code,
        .block_hash = view_block_hash,
        .prefetch = cevm_layer_prefetch,
        .commit = cevm_layer_commit,
        .root = cevm_layer_root,
    };
    return (cevm_db){.vtable = &vtable, .ctx = view};
}

void cevm_chain_view_rebase(cevm_chain_view *view, const cevm_chain_node *base)
{
    view->base = base;
    view->has_hashes = false;
}

/* ---- The past ---------------------------------------------------------------------------------------------------- */

void cevm_chain_close_past(cevm_chain *chain)
{
    while (chain->past != NULL) {
        cevm_chain_past *past = chain->past;
        chain->past = past->next;
        if (chain->db.vtable->close_past != NULL) {
            chain->db.vtable->close_past(chain->db.ctx, &past->view.below);
        }
        cevm_free(chain->allocator, past);
    }
}

/* The view of a block of the head's branch, opened if it is not yet. */
static cevm_err open_past(cevm_chain *chain, cevm_chain_past **out, const cevm_chain_node *node)
{
    for (cevm_chain_past *past = chain->past; past != NULL; past = past->next) {
        if (past->view.base == node) {
            *out = past;
            return CEVM_OK;
        }
    }
    cevm_chain_past *past = cevm_zalloc(chain->allocator, sizeof *past);
    if (past == NULL) {
        return CEVM_ERR_NOMEM;
    }
    const size_t back = (size_t)(chain->head->header.number - node->header.number);
    const cevm_err err = chain->db.vtable->open_past(chain->db.ctx, &past->view.below, back);
    if (err != CEVM_OK) {
        cevm_free(chain->allocator, past);
        return err;
    }
    past->view.chain = chain;
    cevm_chain_view_rebase(&past->view, node);
    past->next = chain->past;
    chain->past = past;
    *out = past;
    return CEVM_OK;
}

cevm_err cevm_chain_state_at(cevm_chain *chain, cevm_state **out, const cevm_hash *hash)
{
    *out = NULL;
    cevm_err err = cevm_chain_settle(chain);
    if (err != CEVM_OK) {
        return err;
    }
    const cevm_chain_node *node = cevm_chain_find_node(chain, hash);
    if (node == NULL || chain->db.vtable->open_past == NULL ||
        cevm_chain_ancestor(chain->head, node->header.number) != node ||
        chain->head->header.number - node->header.number > chain->history) {
        return CEVM_ERR_ARGUMENT;
    }
    cevm_chain_past *past = NULL;
    err = open_past(chain, &past, node);
    if (err != CEVM_OK) {
        return err;
    }
    const cevm_db db = cevm_chain_view_db(&past->view);
    return cevm_state_create(out, &db, chain->allocator);
}
