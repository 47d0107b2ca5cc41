/* SPDX-License-Identifier: Apache-2.0 */
/* States and VMs for readers: a few are kept for those who come next. */
#include <cevm/alloc.h>

#include "chain/validate.h"
#include "rpc/node_internal.h"

enum { KEPT = 16 };
#define DEFAULT_CALL_MEMORY ((size_t)1 << 30)

struct cevm_workbench_slot {
    cevm_workbench_slot *next;
    cevm_node_view view;
    cevm_state *state;
    cevm_vm *vm;
};

/* ---- Slots --------------------------------------------------------------------------------------------------------- */

static void free_slot(const cevm_node *node, cevm_workbench_slot *slot)
{
    cevm_vm_destroy(slot->vm);
    if (slot->state != NULL) {
        cevm_state_destroy(slot->state);
    }
    cevm_free(node->allocator, slot);
}

static cevm_err make_slot(cevm_node *node, cevm_workbench_slot **out)
{
    const size_t memory = node->options.call_memory;
    const cevm_vm_config config = {.struct_size = sizeof config,
                                   .allocator = node->allocator,
                                   .code_cache = node->code_cache,
                                   .memory_limit = memory != 0 ? memory : DEFAULT_CALL_MEMORY,
                                   .max_code_size = (size_t)node->options.code_size_limit};
    cevm_workbench_slot *slot = cevm_zalloc(node->allocator, sizeof *slot);
    if (slot == NULL) {
        return CEVM_ERR_NOMEM;
    }
    const cevm_db db = cevm_node_view_db(&slot->view);
    cevm_err err = cevm_state_create(&slot->state, &db, node->allocator);
    if (err == CEVM_OK) {
        err = cevm_vm_create(&slot->vm, &config);
    }
    if (err != CEVM_OK) {
        free_slot(node, slot);
        return err;
    }
    *out = slot;
    return CEVM_OK;
}

static cevm_err get_slot(cevm_node *node, cevm_workbench_slot **out)
{
    (void)pthread_mutex_lock(&node->benches_lock);
    *out = node->benches;
    if (*out != NULL) {
        node->benches = (*out)->next;
        --node->bench_count;
    }
    (void)pthread_mutex_unlock(&node->benches_lock);
    return *out != NULL ? CEVM_OK : make_slot(node, out);
}

void cevm_node_benches_free(cevm_node *node)
{
    while (node->benches != NULL) {
        cevm_workbench_slot *slot = node->benches;
        node->benches = slot->next;
        free_slot(node, slot);
    }
}

/* ---- Opening and closing -------------------------------------------------------------------------------------------- */

static cevm_err open_bench(cevm_workbench *out, cevm_node *node, cevm_world *world, cevm_record *record,
                           const cevm_tree *tree, const cevm_record *newest)
{
    cevm_workbench_slot *slot = NULL;
    *out = (cevm_workbench){.node = node};
    const cevm_err err = get_slot(node, &slot);
    if (err != CEVM_OK) {
        return err;
    }
    slot->view = (cevm_node_view){.below = cevm_tree_interface(tree), .world = world, .head = newest};
    *out = (cevm_workbench){.node = node,
                            .world = cevm_world_retain(world),
                            .record = record,
                            .state = slot->state,
                            .vm = slot->vm,
                            .env = record->env,
                            .internal = slot};
    cevm_ref_retain(&record->ref);
    return CEVM_OK;
}

cevm_err cevm_workbench_open(cevm_workbench *out, cevm_node *node, cevm_world *world, cevm_record *record)
{
    if (record != NULL) {
        return open_bench(out, node, world, record, record->state, record);
    }
    const cevm_err err = open_bench(out, node, world, world->head, world->state, world->head);
    if (err == CEVM_OK) {
        out->env.chain_id = world->settings.config.chain_id;
    }
    return err;
}

cevm_err cevm_workbench_open_before(cevm_workbench *out, cevm_node *node, cevm_world *world, cevm_record *record)
{
    const cevm_record *parent = cevm_world_block_by_hash(world, &record->block.header.parent_hash);
    if (record->before == NULL) {
        *out = (cevm_workbench){.node = node};
        return CEVM_ERR_ARGUMENT;
    }
    return open_bench(out, node, world, record, record->before, parent);
}

void cevm_workbench_close(cevm_workbench *bench)
{
    cevm_node *node = bench->node;
    cevm_workbench_slot *slot = bench->internal;
    if (slot == NULL) {
        return;
    }
    cevm_state_discard(slot->state);
    cevm_vm_set_deadline(slot->vm, 0);
    cevm_vm_set_cancel(slot->vm, NULL);
    cevm_record_release(bench->record);
    cevm_world_release(bench->world);
    bench->internal = NULL;
    (void)pthread_mutex_lock(&node->benches_lock);
    const bool keep = node->bench_count < KEPT;
    if (keep) {
        slot->next = node->benches;
        node->benches = slot;
        ++node->bench_count;
    }
    (void)pthread_mutex_unlock(&node->benches_lock);
    if (!keep) {
        free_slot(node, slot);
    }
}

/* ---- Executing a block again ---------------------------------------------------------------------------------------- */

/** The start of the block: system calls and, once in the history of one chain, the DAO's change. */
static cevm_err begin_block(cevm_workbench *bench)
{
    cevm_execution_input input;
    cevm_execution *execution = NULL;
    const cevm_record *record = bench->record;
    cevm_node_input(&input, &bench->world->settings.config, &record->block.header, record->is_merged);
    input.env = record->env;
    cevm_err err = cevm_execution_create(&execution, bench->vm, bench->state, &input, bench->node->allocator);
    if (err == CEVM_OK) {
        err = cevm_execution_begin(execution, NULL);
    }
    cevm_execution_destroy(execution);
    return err;
}

/**
 * The transactions are applied one by one and not through an execution: that would want the state root after each one
 * before Byzantium, which a state for reading has not.
 */
cevm_err cevm_workbench_replay(cevm_workbench *bench, const cevm_tracer *(*tracer)(void *user, size_t index),
                               bool (*done)(void *user, size_t index, const cevm_receipt *receipt), void *user)
{
    const cevm_block *block = &bench->record->block;
    cevm_block_usage usage = {0, 0};
    cevm_err err = begin_block(bench);
    for (size_t i = 0; err == CEVM_OK && i < block->tx_count; ++i) {
        cevm_receipt receipt;
        cevm_tx_error reason = CEVM_TX_NONE;
        const cevm_tracer *watching = tracer != NULL ? tracer(user, i) : NULL;
        err = cevm_tx_apply(bench->vm, bench->state, &receipt, &reason, block->txs[i], &bench->record->env, &usage,
                            watching);
        if (err == CEVM_OK && reason != CEVM_TX_NONE) {
            err = CEVM_ERR_BACKEND; /* the state does not hold what it held */
        }
        if (err != CEVM_OK) {
            return err;
        }
        usage.gas_used += receipt.gas_used;
        usage.blob_gas_used += receipt.blob_gas_used;
        if (!done(user, i, &receipt)) {
            return CEVM_OK;
        }
    }
    return err;
}
