/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/simulate.h"
#include "rpc/trial.h"
#include "state/layer.h"

/* ---- The backend: everything goes below but block hashes ------------------------------------------------------------ */

static cevm_err block_hash(void *ctx, cevm_hash *out, uint64_t number)
{
    const cevm_simulate_backend *b = ctx;
    if (number > b->base) {
        const uint64_t index = number - b->base - 1;
        *out = index < b->count ? b->blocks[index].hash : (cevm_hash){{0}};
        return CEVM_OK;
    }
    const cevm_record *record = cevm_world_block(b->world, number);
    if (record == NULL) { /* below the block of a fork */
        return b->below.vtable->block_hash(b->below.ctx, out, number);
    }
    *out = record->block.hash;
    return CEVM_OK;
}

static cevm_db backend_db(cevm_simulate_backend *backend)
{
    static const cevm_db_vtable vtable = {
        .struct_size = sizeof vtable,
        .account = cevm_layer_account,
        .storage = cevm_layer_storage,
        .code = cevm_layer_code,
        .block_hash = block_hash,
        .commit = cevm_layer_commit,
        .root = cevm_layer_root,
    };
    return (cevm_db){&vtable, backend};
}

/* ---- State and VM --------------------------------------------------------------------------------------------------- */

static cevm_err open_state(cevm_simulation *s)
{
    cevm_err err = cevm_treedb_branch(&s->db, cevm_view_state(&s->view));
    if (err != CEVM_OK) {
        return err;
    }
    s->backend = (cevm_simulate_backend){
        .below = cevm_treedb_interface(s->db),
        .world = s->view.world,
        .base = s->view.record->block.header.number,
        .blocks = s->blocks,
    };
    const cevm_db db = backend_db(&s->backend);
    return cevm_state_create(&s->state, &db, s->allocator);
}

bool cevm_simulation_open(cevm_simulation *s)
{
    s->allocator = cevm_node_allocator(s->call->node);
    s->gas_left = cevm_trial_gas_cap(cevm_node_get_options(s->call->node));
    s->deadline_ns = cevm_call_deadline(s->call);
    s->blocks = cevm_arena_array(s->call->arena, s->input.count, sizeof *s->blocks);
    if (s->blocks == NULL) {
        return cevm_rpc_fail_err(s->call, CEVM_ERR_NOMEM);
    }
    const cevm_err err = open_state(s);
    if (err != CEVM_OK) {
        return cevm_rpc_fail_err(s->call, err);
    }
    s->vm = cevm_call_vm(s->call, NULL, s->deadline_ns);
    return s->vm != NULL;
}

void cevm_simulation_close(cevm_simulation *s)
{
    cevm_vm_destroy(s->vm);
    if (s->state != NULL) {
        cevm_state_destroy(s->state);
    }
    cevm_treedb_destroy(s->db);
}
