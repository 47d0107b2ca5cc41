/* SPDX-License-Identifier: Apache-2.0 */
/* The writer's store, state and VM, and a block executed on them. */
#include <cevm/alloc.h>

#include "rpc/node_internal.h"
#include "state/layer.h"

/* The state caches what it read; it is emptied after this much gas, as chain/chain_execute.c does. */
#define CACHE_GAS       UINT64_C(200000000)
#define CACHE_GAS_BLOCK UINT64_C(100000)

enum { BLOCK_HASHES = 256 };

/* ---- A backend with block hashes ------------------------------------------------------------------------------------ */

/**
 * By number on the branch of the world's head; the blocks of another branch are found from child to parent until they meet
 * it.
 */
static cevm_err view_block_hash(void *ctx, cevm_hash *out, uint64_t number)
{
    const cevm_node_view *view = ctx;
    const cevm_record *at = view->head;
    memset(out, 0, sizeof *out);
    for (int i = 0; at != NULL && i < BLOCK_HASHES && number < at->block.header.number; ++i) {
        if (cevm_world_block(view->world, at->block.header.number) == at) {
            at = cevm_world_block(view->world, number);
            break;
        }
        at = cevm_world_block_by_hash(view->world, &at->block.header.parent_hash);
    }
    if (at != NULL && at->block.header.number == number) {
        *out = at->block.hash;
    } else if (number < view->world->first) {
        return view->below.vtable->block_hash(view->below.ctx, out, number); /* a remote chain's */
    }
    return CEVM_OK;
}

cevm_db cevm_node_view_db(cevm_node_view *view)
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

/* ---- Life ---------------------------------------------------------------------------------------------------------- */

cevm_err cevm_node_engine_open(cevm_node *node)
{
    cevm_node_engine *e = &node->engine;
    const cevm_vm_config config = {.struct_size = sizeof config,
                                   .allocator = node->allocator,
                                   .code_cache = node->code_cache,
                                   .max_code_size = (size_t)node->options.code_size_limit};
    cevm_buf_init(&e->outputs, node->allocator);
    const cevm_db base = node->remote != NULL ? cevm_remote_interface(node->remote) : (cevm_db){.vtable = NULL};
    cevm_err err = cevm_treedb_create(&e->db, node->remote != NULL ? &base : NULL, node->allocator);
    if (err == CEVM_OK) {
        e->view.below = cevm_treedb_interface(e->db);
        const cevm_db db = cevm_node_view_db(&e->view);
        err = cevm_state_create(&e->state, &db, node->allocator);
    }
    return err != CEVM_OK ? err : cevm_vm_create(&e->vm, &config);
}

void cevm_node_engine_close(cevm_node *node)
{
    cevm_node_engine *e = &node->engine;
    cevm_execution_destroy(e->execution);
    cevm_vm_destroy(e->vm);
    if (e->state != NULL) {
        cevm_state_destroy(e->state);
    }
    cevm_tree_release(e->at);
    if (e->db != NULL) {
        cevm_treedb_destroy(e->db);
    }
    cevm_buf_free(&e->outputs);
    cevm_free(node->allocator, e->output_list);
    cevm_free(node->allocator, (void *)e->included);
    *e = (cevm_node_engine){.db = NULL};
}

static void set_at(cevm_node_engine *e, cevm_tree *tree)
{
    cevm_tree *old = e->at;
    e->at = tree != NULL ? cevm_tree_retain(tree) : NULL;
    cevm_tree_release(old);
}

void cevm_node_engine_abandon(cevm_node *node)
{
    set_at(&node->engine, NULL);
    cevm_state_discard(node->engine.state);
    node->engine.cached_gas = 0;
}

cevm_err cevm_node_engine_seek(cevm_node *node, const cevm_world *world)
{
    cevm_node_engine *e = &node->engine;
    e->view.world = world;
    e->view.head = world->head;
    if (e->at == world->state) {
        return CEVM_OK;
    }
    cevm_node_engine_abandon(node);
    const cevm_err err = cevm_treedb_restore(e->db, world->state);
    if (err == CEVM_OK) {
        set_at(e, world->state);
    }
    return err;
}

/* ---- A block ------------------------------------------------------------------------------------------------------- */

void cevm_node_input(cevm_execution_input *out, const cevm_chain_config *config, const cevm_header *header,
                     bool is_merged)
{
    const cevm_activation *dao = &config->dao_fork;
    *out = (cevm_execution_input){.struct_size = sizeof *out,
                                  .parent_hash = header->parent_hash,
                                  .parent_beacon_root = header->parent_beacon_root,
                                  .is_dao_fork = dao->kind == CEVM_BY_BLOCK && header->number == dao->at,
                                  .pays_reward = !is_merged,
                                  .deposit_contract = config->deposit_contract,
                                  .skips_hashes = true};
    cevm_header_env(&out->env, config, header, is_merged);
    cevm_block_reward(&out->reward, out->env.fork);
}

cevm_err cevm_node_engine_begin(cevm_node *node, const cevm_world *draft, const cevm_execution_input *input)
{
    cevm_node_engine *e = &node->engine;
    cevm_buf_clear(&e->outputs);
    e->output_count = 0;
    e->included_count = 0;
    cevm_err err = cevm_node_engine_seek(node, draft);
    if (err == CEVM_OK) {
        err = e->execution != NULL ? cevm_execution_restart(e->execution, input)
                                   : cevm_execution_create(&e->execution, e->vm, e->state, input, node->allocator);
    }
    return err != CEVM_OK ? err : cevm_execution_begin(e->execution, NULL);
}

cevm_err cevm_node_engine_end(cevm_node *node, cevm_execution_output *out, cevm_block_error *reason, cevm_tree **state,
                              cevm_hash *root)
{
    cevm_node_engine *e = &node->engine;
    *state = NULL;
    cevm_err err = cevm_execution_end(e->execution, out, reason, NULL);
    if (err != CEVM_OK || *reason != CEVM_BLOCK_NONE) {
        return err;
    }
    err = cevm_state_commit(e->state);
    if (err == CEVM_OK) {
        err = cevm_treedb_snapshot(e->db, state);
    }
    if (err != CEVM_OK) {
        return err;
    }
    cevm_tree_root(*state, root);
    set_at(e, *state);
    e->cached_gas += out->gas_used + CACHE_GAS_BLOCK;
    if (e->cached_gas > CACHE_GAS) {
        cevm_state_discard(e->state);
        e->cached_gas = 0;
    }
    return CEVM_OK;
}
