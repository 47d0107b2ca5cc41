/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of blocks that a chain keeps in memory. */
#include <cevm/alloc.h>

#include "chain/chain_internal.h"

/* Old blocks are looked for once in so many; until then a few more are kept than was promised. */
enum { PRUNE_EVERY = 64 };

/* Headers are kept so that a block on the oldest parent allowed finds all hashes it can ask for. */
enum { MORE_HEADERS = 256 + 8 };

cevm_chain_node *cevm_chain_find_node(const cevm_chain *chain, const cevm_hash *hash)
{
    const uint32_t tag = cevm_map_hash_hash(&chain->seed, hash);
    uint32_t position = cevm_map_start(&chain->map, tag);
    for (;;) {
        const uint32_t slot = cevm_map_next(&chain->map, &position, tag);
        if (slot == CEVM_MAP_NONE) {
            return NULL;
        }
        if (cevm_hash_equal(&chain->nodes[slot]->hash, hash)) {
            return chain->nodes[slot];
        }
    }
}

cevm_chain_node *cevm_chain_ancestor(const cevm_chain_node *node, uint64_t number)
{
    while (node != NULL && node->header.number > number) {
        node = node->parent;
    }
    /* Callers hold the tree; const is only this function's promise not to change it. */
    return node != NULL && node->header.number == number ? (cevm_chain_node *)(uintptr_t)node : NULL;
}

cevm_chain_node *cevm_chain_common(const cevm_chain_node *a, const cevm_chain_node *b)
{
    const uint64_t lower = a->header.number < b->header.number ? a->header.number : b->header.number;
    cevm_chain_node *x = cevm_chain_ancestor(a, lower);
    cevm_chain_node *y = cevm_chain_ancestor(b, lower);
    while (x != y && x != NULL && y != NULL) {
        x = x->parent;
        y = y->parent;
    }
    return x == y ? x : NULL;
}

/* ---- Adding ------------------------------------------------------------------------------------------------------ */

static cevm_err copy_extra(const cevm_chain *chain, cevm_chain_node *node, cevm_bytes extra)
{
    uint8_t *to = node->extra;
    if (extra.size > sizeof node->extra) {
        node->long_extra = cevm_alloc(chain->allocator, extra.size);
        to = node->long_extra;
        if (to == NULL) {
            return CEVM_ERR_NOMEM;
        }
    }
    if (extra.size != 0) {
        memcpy(to, extra.data, extra.size);
    }
    node->header.extra_data = (cevm_bytes){to, extra.size};
    return CEVM_OK;
}

static cevm_err copy_rlp(const cevm_chain *chain, cevm_chain_node *node, cevm_bytes rlp)
{
    node->rlp_size = rlp.size;
    if (rlp.size > node->rlp_capacity) {
        cevm_free(chain->allocator, node->rlp);
        node->rlp = cevm_alloc(chain->allocator, rlp.size);
        node->rlp_capacity = node->rlp != NULL ? rlp.size : 0;
        if (node->rlp == NULL) {
            return CEVM_ERR_NOMEM;
        }
    }
    if (rlp.size != 0) {
        memcpy(node->rlp, rlp.data, rlp.size);
    }
    return CEVM_OK;
}

/* Makes room for one more node in the index. */
static cevm_err reserve_slot(cevm_chain *chain)
{
    cevm_chain_node **nodes = cevm_array_reserve(chain->allocator, chain->nodes, &chain->slot_capacity,
                                                 chain->slot_count, 1, sizeof(cevm_chain_node *));
    if (nodes == NULL) {
        return CEVM_ERR_NOMEM;
    }
    chain->nodes = nodes;
    return cevm_map_reserve(&chain->map, 1);
}

cevm_err cevm_chain_make_node(cevm_chain *chain, cevm_chain_node **out, const cevm_block *block, cevm_bytes rlp)
{
    cevm_chain_node *node = chain->spare;
    cevm_err err = reserve_slot(chain);
    if (err != CEVM_OK) {
        return err;
    }
    if (node != NULL) {
        chain->spare = node->parent;
    } else {
        node = cevm_zalloc(chain->allocator, sizeof *node);
        if (node == NULL) {
            return CEVM_ERR_NOMEM;
        }
    }
    node->parent = NULL;
    node->hash = block->hash;
    node->header = block->header;
    node->header.extra_data = (cevm_bytes){node->extra, 0};
    node->ommer_count = 0;
    err = copy_extra(chain, node, block->header.extra_data);
    if (err == CEVM_OK) {
        err = copy_rlp(chain, node, rlp);
    }
    for (size_t i = 0; err == CEVM_OK && i < block->ommer_count && i < CEVM_MAX_OMMERS; ++i) {
        err = cevm_header_hash(&node->ommers[i], &block->ommers[i], chain->allocator);
        node->ommer_count = i + 1;
    }
    if (err != CEVM_OK) {
        cevm_chain_drop_node(chain, node);
        return err;
    }
    *out = node;
    return CEVM_OK;
}

void cevm_chain_drop_node(cevm_chain *chain, cevm_chain_node *node)
{
    cevm_free(chain->allocator, node->long_extra);
    node->long_extra = NULL;
    node->parent = chain->spare;
    chain->spare = node;
}

void cevm_chain_add_node(cevm_chain *chain, cevm_chain_node *node)
{
    node->slot = (uint32_t)chain->slot_count++;
    chain->nodes[node->slot] = node;
    cevm_map_insert(&chain->map, cevm_map_hash_hash(&chain->seed, &node->hash), node->slot);
}

/* ---- Letting go -------------------------------------------------------------------------------------------------- */

static void remove_from_map(cevm_chain *chain, const cevm_chain_node *node)
{
    cevm_map_remove(&chain->map, cevm_map_hash_hash(&chain->seed, &node->hash), node->slot);
}

/* Takes a node out; the last one gets its slot. */
static void remove_node(cevm_chain *chain, cevm_chain_node *node)
{
    cevm_chain_node *last = chain->nodes[chain->slot_count - 1];
    const uint32_t slot = node->slot;
    remove_from_map(chain, node);
    if (last != node) {
        remove_from_map(chain, last);
        last->slot = slot;
        chain->nodes[slot] = last;
        cevm_map_insert(&chain->map, cevm_map_hash_hash(&chain->seed, &last->hash), slot);
    }
    chain->slot_count--;
    cevm_chain_drop_node(chain, node);
}

void cevm_chain_prune(cevm_chain *chain)
{
    if (chain->until_prune-- != 0) {
        return;
    }
    chain->until_prune = PRUNE_EVERY - 1;
    const uint64_t head = chain->head->header.number;
    const uint64_t oldest_body = head > chain->history ? head - chain->history : 0;
    const uint64_t oldest = oldest_body > MORE_HEADERS ? oldest_body - MORE_HEADERS : 0;
    for (size_t i = 0; i < chain->slot_count; ++i) { /* before any of them is used for something else */
        cevm_chain_node *node = chain->nodes[i];
        if (node->parent != NULL && node->parent->header.number < oldest) {
            node->parent = NULL;
        }
        if (node->header.number < oldest_body) {
            node->rlp_size = 0;
        }
    }
    for (size_t i = chain->slot_count; i-- > 0;) {
        if (chain->nodes[i]->header.number < oldest) {
            remove_node(chain, chain->nodes[i]);
        }
    }
}

static void free_node(const cevm_chain *chain, cevm_chain_node *node)
{
    cevm_free(chain->allocator, node->rlp);
    cevm_free(chain->allocator, node->long_extra);
    cevm_free(chain->allocator, node);
}

void cevm_chain_free_nodes(cevm_chain *chain)
{
    for (size_t i = 0; i < chain->slot_count; ++i) {
        free_node(chain, chain->nodes[i]);
    }
    while (chain->spare != NULL) {
        cevm_chain_node *node = chain->spare;
        chain->spare = node->parent;
        free_node(chain, node);
    }
    cevm_free(chain->allocator, chain->nodes);
    cevm_map_free(&chain->map);
}
