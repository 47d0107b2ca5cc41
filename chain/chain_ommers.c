/* SPDX-License-Identifier: Apache-2.0 */
/* Ommers of a block (Yellow Paper, 11.1): at most two, children of recent ancestors, in no block before. */
#include "chain/chain_internal.h"

/* Whether a header stands among the ancestors (*is_ancestor) or among their ommers (*is_used). */
static void look_up(bool *is_ancestor, bool *is_used, const cevm_chain_node *parent, const cevm_hash *hash)
{
    const cevm_chain_node *node = parent;
    *is_ancestor = false;
    *is_used = false;
    for (int i = 0; node != NULL && i < CEVM_OMMER_GENERATIONS; ++i, node = node->parent) {
        *is_ancestor = *is_ancestor || cevm_hash_equal(&node->hash, hash);
        for (size_t k = 0; k < node->ommer_count; ++k) {
            *is_used = *is_used || cevm_hash_equal(&node->ommers[k], hash);
        }
    }
}

/* The ancestor with this hash, at most seven generations back; NULL when there is none. */
static const cevm_chain_node *find_parent(const cevm_chain_node *parent, const cevm_hash *hash)
{
    const cevm_chain_node *node = parent;
    for (int i = 0; node != NULL && i < CEVM_OMMER_GENERATIONS; ++i, node = node->parent) {
        if (cevm_hash_equal(&node->hash, hash)) {
            return node;
        }
    }
    return NULL;
}

static cevm_err check_ommer(cevm_chain *chain, cevm_block_error *reason, const cevm_header *ommer,
                            const cevm_hash *hash, const cevm_chain_node *parent)
{
    bool is_ancestor;
    bool is_used;
    look_up(&is_ancestor, &is_used, parent, hash);
    const cevm_chain_node *own_parent = find_parent(parent, &ommer->parent_hash);
    if (is_used) {
        *reason = CEVM_BLOCK_UNCLE_IN_CHAIN;
    } else if (is_ancestor) {
        *reason = CEVM_BLOCK_UNCLE_IS_ANCESTOR;
    } else if (own_parent == NULL) {
        *reason = CEVM_BLOCK_UNCLE_PARENT_INCORRECT;
    } else if (own_parent == parent) {
        *reason = CEVM_BLOCK_UNCLE_IS_BROTHER;
    } else {
        cevm_header_check(reason, &chain->config, ommer, &own_parent->header, false);
    }
    return *reason == CEVM_BLOCK_NONE ? cevm_chain_check_seal(chain, reason, ommer) : CEVM_OK;
}

cevm_err cevm_chain_check_ommers(cevm_chain *chain, cevm_block_error *reason, const cevm_block *block,
                                 const cevm_chain_node *parent, bool is_merged)
{
    cevm_hash hashes[CEVM_MAX_OMMERS];
    *reason = CEVM_BLOCK_NONE;
    if (block->ommer_count > (is_merged ? 0 : CEVM_MAX_OMMERS)) {
        *reason = CEVM_BLOCK_TOO_MANY_UNCLES;
        return CEVM_OK;
    }
    for (size_t i = 0; i < block->ommer_count; ++i) {
        cevm_err err = cevm_header_hash(&hashes[i], &block->ommers[i], chain->allocator);
        if (err != CEVM_OK) {
            return err;
        }
        if (i > 0 && cevm_hash_equal(&hashes[0], &hashes[i])) {
            *reason = CEVM_BLOCK_UNCLE_TWICE;
            return CEVM_OK;
        }
        err = check_ommer(chain, reason, &block->ommers[i], &hashes[i], parent);
        if (err != CEVM_OK || *reason != CEVM_BLOCK_NONE) {
            return err;
        }
    }
    return CEVM_OK;
}
