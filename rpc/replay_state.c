/* SPDX-License-Identifier: Apache-2.0 */
/* A block executed again, with the states in it. */
#include "rpc/replay_state.h"

#include "rpc/trace_config.h"
#include "rpc/trial.h"

static cevm_err open_store(cevm_replay_state *r, cevm_world *world, const cevm_record *record)
{
    const cevm_allocator *allocator = cevm_node_allocator(r->call->node);
    cevm_err err = cevm_treedb_branch(&r->db, record->before);
    if (err != CEVM_OK) {
        return err;
    }
    r->view = (cevm_node_view){.below = cevm_treedb_interface(r->db),
                               .world = world,
                               .head = cevm_world_block_by_hash(world, &record->block.header.parent_hash)};
    const cevm_db db = cevm_node_view_db(&r->view);
    return cevm_state_create(&r->state, &db, allocator);
}

bool cevm_replay_open(cevm_replay_state *out, cevm_rpc_call *call, cevm_world *world, cevm_record *record)
{
    *out = (cevm_replay_state){.call = call};
    if (record->before == NULL) {
        return cevm_rpc_fail(call, CEVM_RPC_SERVER, "genesis is not traceable");
    }
    cevm_err err = cevm_workbench_open_before(&out->bench, call->node, world, record);
    if (err == CEVM_OK) {
        err = open_store(out, world, record);
    }
    if (err != CEVM_OK) {
        cevm_replay_close(out);
        return cevm_rpc_fail_err(call, err);
    }
    out->bench.state = out->state;
    cevm_vm_set_deadline(out->bench.vm, cevm_call_deadline(call));
    cevm_vm_set_cancel(out->bench.vm, call->cancel);
    return true;
}

void cevm_replay_close(cevm_replay_state *replay)
{
    if (replay->state != NULL) {
        cevm_state_destroy(replay->state);
    }
    if (replay->db != NULL) {
        cevm_treedb_destroy(replay->db);
    }
    cevm_workbench_close(&replay->bench);
    *replay = (cevm_replay_state){.call = replay->call};
}

typedef struct run {
    cevm_replay_state *replay;
    size_t count;
    cevm_replay_visit visit;
    void *user;
} run;

static bool done(void *user, size_t index, const cevm_receipt *receipt)
{
    const run *r = user;
    (void)receipt;
    return (r->visit == NULL || r->visit(r->user, r->replay, index)) && index + 1 < r->count;
}

bool cevm_replay_run(cevm_replay_state *replay, size_t count, cevm_replay_visit visit, void *user)
{
    run r = {.replay = replay, .count = count, .visit = visit, .user = user};
    cevm_err err = count != 0 ? cevm_workbench_replay(&replay->bench, NULL, done, &r) : CEVM_OK;
    return (err == CEVM_OK || cevm_trace_fail_call(replay->call, err)) && replay->call->error.code == 0;
}

bool cevm_replay_snapshot(cevm_replay_state *replay, cevm_tree **out)
{
    cevm_err err = cevm_state_commit(replay->state);
    if (err == CEVM_OK) {
        err = cevm_treedb_snapshot(replay->db, out);
    }
    return err == CEVM_OK || cevm_rpc_fail_err(replay->call, err);
}
