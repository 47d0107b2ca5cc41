/* SPDX-License-Identifier: Apache-2.0 */
/* A chain's life, its head, and what can be asked of it. */
#include <cevm/alloc.h>

#include "chain/chain_internal.h"
#include "evm/u256.h"

enum { MAX_HISTORY = 1 << 20 };

/* ---- Opening ----------------------------------------------------------------------------------------------------- */

static bool can_open(const cevm_chain_options *options)
{
    const cevm_db_vtable *v = options->db.vtable;
    return options->struct_size == sizeof *options && options->head != NULL && v != NULL && v->begin_block != NULL &&
           v->end_block != NULL && v->commit != NULL && v->root != NULL && options->history <= MAX_HISTORY &&
           (options->ancestor_count == 0 ||
            (options->ancestors != NULL && cevm_hash_equal(&options->ancestors[0], &options->head->parent_hash)));
}

/* The store must hold the state of the block it is said to hold. */
static cevm_err check_root(const cevm_chain_options *options)
{
    cevm_hash root;
    const cevm_err err = options->db.vtable->root(options->db.ctx, &root);
    if (err != CEVM_OK) {
        return err;
    }
    return cevm_hash_equal(&root, &options->head->state_root) ? CEVM_OK : CEVM_ERR_ARGUMENT;
}

static cevm_err open_engine(cevm_chain *chain, const cevm_chain_options *options)
{
    cevm_vm_config vm = options->vm;
    if (vm.struct_size == 0) {
        vm = (cevm_vm_config){.struct_size = sizeof vm, .allocator = options->allocator};
    }
    const cevm_err err = cevm_vm_create(&chain->vm, &vm);
    if (err != CEVM_OK) {
        return err;
    }
    chain->view.below = options->db;
    chain->view.chain = chain;
    const cevm_db db = cevm_chain_view_db(&chain->view);
    return cevm_state_create(&chain->state, &db, chain->allocator);
}

static cevm_err copy_ancestors(cevm_chain *chain, const cevm_chain_options *options)
{
    const size_t count = options->ancestor_count < CEVM_RECENT_HASHES ? options->ancestor_count : CEVM_RECENT_HASHES;
    chain->opened_at = options->head->number;
    if (count == 0) {
        return CEVM_OK;
    }
    chain->ancestors = cevm_alloc(chain->allocator, count * sizeof *chain->ancestors);
    if (chain->ancestors == NULL) {
        return CEVM_ERR_NOMEM;
    }
    memcpy(chain->ancestors, options->ancestors, count * sizeof *chain->ancestors);
    chain->ancestor_count = count;
    return CEVM_OK;
}

static cevm_err add_first(cevm_chain *chain, const cevm_chain_options *options)
{
    cevm_block block = {.header = *options->head};
    cevm_err err = cevm_header_hash(&block.hash, options->head, chain->allocator);
    if (err == CEVM_OK) {
        err = cevm_chain_make_node(chain, &chain->head, &block, (cevm_bytes){NULL, 0});
    }
    if (err != CEVM_OK) {
        return err;
    }
    const bool given = !cevm_u256_is_zero(&options->total_difficulty);
    chain->head->total_difficulty = given ? options->total_difficulty : options->head->difficulty;
    chain->head->is_merged = options->head_is_merged;
    chain->at = chain->head;
    cevm_chain_add_node(chain, chain->head);
    return CEVM_OK;
}

/* What the head was made without: its ommers, and its encoding. */
static void complete_head(cevm_chain *chain, cevm_chain_node *node)
{
    cevm_chain_node *head = chain->head;
    memcpy(head->ommers, node->ommers, sizeof node->ommers);
    head->ommer_count = node->ommer_count;
    head->rlp = node->rlp;
    head->rlp_size = node->rlp_size;
    head->rlp_capacity = node->rlp_capacity;
    node->rlp = NULL;
    node->rlp_capacity = 0;
    cevm_chain_drop_node(chain, node);
}

/*
 * The blocks before the first one, as far as they were given: ommers may be children of them, and those that the store can
 * take back may have to be executed again. Each is the parent of the one before it in the list. The first is the head.
 */
static cevm_err add_recent(cevm_chain *chain, const cevm_chain_options *options)
{
    cevm_chain_node *child = NULL;
    for (size_t i = 0; i < options->recent_block_count; ++i) {
        cevm_block *block = NULL;
        cevm_block_verdict verdict;
        cevm_chain_node *node = NULL;
        cevm_err err = cevm_block_decode(&block, &verdict, options->recent_blocks[i], chain->allocator);
        if (err != CEVM_OK) {
            return err;
        }
        const cevm_bytes kept = i < options->undoable ? options->recent_blocks[i] : (cevm_bytes){NULL, 0};
        const cevm_hash *expected = child == NULL ? &chain->head->hash : &child->header.parent_hash;
        err = cevm_hash_equal(&block->hash, expected) ? cevm_chain_make_node(chain, &node, block, kept)
                                                      : CEVM_ERR_ARGUMENT;
        cevm_block_destroy(block, chain->allocator);
        if (err != CEVM_OK) {
            return err;
        }
        if (child == NULL) {
            complete_head(chain, node);
            child = chain->head;
            continue;
        }
        node->total_difficulty = u256_sub(&child->total_difficulty, &child->header.difficulty);
        node->is_merged = child->is_merged && cevm_u256_is_zero(&node->header.difficulty);
        cevm_chain_add_node(chain, node);
        child->parent = node;
        child = node;
        chain->undoable += chain->undoable < options->undoable && chain->undoable < chain->history ? 1 : 0;
    }
    return CEVM_OK;
}

static cevm_err set_up(cevm_chain *chain, const cevm_chain_options *options)
{
    cevm_err err = check_root(options);
    if (err == CEVM_OK) {
        chain->path = cevm_alloc(chain->allocator, ((size_t)chain->history + 1) * sizeof(cevm_chain_node *));
        err = chain->path != NULL ? open_engine(chain, options) : CEVM_ERR_NOMEM;
    }
    if (err == CEVM_OK) {
        err = copy_ancestors(chain, options);
    }
    if (err == CEVM_OK) {
        err = add_first(chain, options);
    }
    return err == CEVM_OK ? add_recent(chain, options) : err;
}

cevm_err cevm_chain_open(cevm_chain **out, const cevm_chain_options *options)
{
    *out = NULL;
    if (!can_open(options)) {
        return CEVM_ERR_ARGUMENT;
    }
    cevm_chain *chain = cevm_zalloc(options->allocator, sizeof *chain);
    if (chain == NULL) {
        return CEVM_ERR_NOMEM;
    }
    chain->allocator = options->allocator;
    cevm_buf_init(&chain->receipts, chain->allocator);
    chain->config = options->config;
    chain->history = options->history != 0 ? options->history : CEVM_DEFAULT_HISTORY;
    chain->db = options->db;
    chain->ethash = options->ethash;
    chain->log = options->log;
    cevm_map_init(&chain->map, chain->allocator);
    cevm_map_seed_init(&chain->seed);
    const cevm_err err = set_up(chain, options);
    if (err != CEVM_OK) {
        cevm_chain_close(chain);
        return err;
    }
    *out = chain;
    return CEVM_OK;
}

void cevm_chain_close(cevm_chain *chain)
{
    if (chain == NULL) {
        return;
    }
    cevm_chain_drop_move(chain);
    if (chain->block_open) {
        (void)chain->db.vtable->end_block(chain->db.ctx, false);
    }
    cevm_buf_free(&chain->receipts);
    cevm_chain_close_past(chain);
    cevm_execution_destroy(chain->execution);
    cevm_state_destroy(chain->state);
    cevm_vm_destroy(chain->vm);
    cevm_ethash_destroy(chain->own_ethash);
    if (chain->stray != NULL) {
        cevm_chain_drop_node(chain, chain->stray);
    }
    cevm_chain_free_nodes(chain);
    cevm_free(chain->allocator, chain->ancestors);
    cevm_free(chain->allocator, chain->path);
    cevm_free(chain->allocator, chain);
}

/* ---- Asking ------------------------------------------------------------------------------------------------------ */

static void show(cevm_chain_block *out, const cevm_chain_node *node)
{
    *out = (cevm_chain_block){.hash = node->hash,
                              .header = &node->header,
                              .total_difficulty = node->total_difficulty,
                              .is_merged = node->is_merged};
}

void cevm_chain_head(const cevm_chain *chain, cevm_chain_block *out) { show(out, chain->head); }

bool cevm_chain_find(const cevm_chain *chain, cevm_chain_block *out, const cevm_hash *hash)
{
    const cevm_chain_node *node = cevm_chain_find_node(chain, hash);
    if (node != NULL) {
        show(out, node);
    }
    return node != NULL;
}

bool cevm_chain_find_number(const cevm_chain *chain, cevm_chain_block *out, uint64_t number)
{
    const cevm_chain_node *node = cevm_chain_ancestor(chain->head, number);
    if (node != NULL) {
        show(out, node);
    }
    return node != NULL;
}

const cevm_chain_config *cevm_chain_get_config(const cevm_chain *chain) { return &chain->config; }

/* ---- Another head ------------------------------------------------------------------------------------------------ */

cevm_err cevm_chain_set_head(cevm_chain *chain, const cevm_hash *hash)
{
    cevm_chain_close_past(chain);
    cevm_err err = cevm_chain_recover(chain);
    if (err != CEVM_OK) {
        return err;
    }
    cevm_chain_node *node = cevm_chain_find_node(chain, hash);
    if (node == NULL || !cevm_chain_can_reach(chain, node)) {
        return CEVM_ERR_ARGUMENT;
    }
    err = cevm_chain_begin_move(chain);
    if (err == CEVM_OK) {
        err = cevm_chain_move(chain, node);
    }
    if (err == CEVM_OK) {
        err = cevm_chain_keep_move(chain);
    }
    if (err == CEVM_OK) {
        cevm_chain_log_head(chain, node);
        chain->head = node;
        cevm_chain_prune(chain);
        return CEVM_OK;
    }
    (void)cevm_chain_settle(chain); /* if not now, then before the next call does anything */
    return err;
}
