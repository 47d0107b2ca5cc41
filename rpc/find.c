/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks by number, tag and hash (EIP-1898). */
#include "rpc/find.h"

#include <inttypes.h>

static bool find_by_hash(cevm_view *view, cevm_rpc_call *call, const cevm_block_id *id)
{
    cevm_record *record = cevm_world_block_by_hash(view->world, &id->hash);
    view->record = record;
    if (record == NULL || !id->require_canonical ||
        cevm_world_block(view->world, record->block.header.number) == record) {
        return true;
    }
    return cevm_rpc_fail(call, CEVM_RPC_SERVER, "hash is not currently canonical");
}

static bool find(cevm_view *view, cevm_rpc_call *call, const cevm_block_id *id)
{
    cevm_world *world = view->world;
    cevm_err err = CEVM_OK;
    switch (id->tag) {
    case CEVM_TAG_NUMBER:
        view->record = cevm_world_block(world, id->number);
        view->is_remote = id->number < world->first;
        /* Edits of the state since the head count where the head is asked for by its number too: it is the same state. */
        view->is_latest = view->record == world->head;
        return true;
    case CEVM_TAG_HASH: return find_by_hash(view, call, id);
    case CEVM_TAG_LATEST:
    case CEVM_TAG_SAFE:
    case CEVM_TAG_FINALIZED: /* a development chain has no consensus to wait for: its head is final */
        view->record = world->head;
        view->is_latest = true;
        return true;
    case CEVM_TAG_EARLIEST:
        view->record = cevm_world_block(world, 0);
        view->is_remote = world->first > 0;
        return true;
    case CEVM_TAG_PENDING:
        err = cevm_node_pending(call->node, world, &view->record);
        view->is_pending = err == CEVM_OK && view->record != NULL;
        return err == CEVM_OK || cevm_rpc_fail_err(call, err);
    }
    return cevm_rpc_fail(call, CEVM_RPC_INTERNAL, "unknown block tag");
}

bool cevm_view_open(cevm_view *out, cevm_rpc_call *call, json_t *block)
{
    cevm_block_id id;
    *out = (cevm_view){.world = NULL};
    if (!cevm_rpc_read_block_id(&id, call, block, "block")) {
        return false;
    }
    out->world = cevm_node_world(call->node);
    if (!find(out, call, &id)) {
        cevm_view_close(out);
        return false;
    }
    return true;
}

bool cevm_view_open_block(cevm_view *out, cevm_rpc_call *call, json_t *block)
{
    if (!cevm_view_open(out, call, block)) {
        return false;
    }
    if (out->record != NULL || (out->is_remote && cevm_remote_passthrough(call))) {
        if (out->record == NULL) { /* answered from elsewhere */
            cevm_view_close(out);
            return false;
        }
        return true;
    }
    const uint64_t head = out->world->head->block.header.number;
    cevm_view_close(out);
    return cevm_rpc_fail(call, CEVM_RPC_SERVER, "header not found: the newest block is %" PRIu64, head);
}

void cevm_view_open_hash(cevm_view *out, cevm_rpc_call *call, const cevm_hash *hash)
{
    *out = (cevm_view){.world = cevm_node_world(call->node)};
    out->record = cevm_world_block_by_hash(out->world, hash);
}

void cevm_view_close(cevm_view *view)
{
    if (view->is_pending && view->record != NULL) {
        cevm_ref_release(&view->record->ref);
    }
    cevm_world_release(view->world);
    *view = (cevm_view){.world = NULL};
}

cevm_tree *cevm_view_state(const cevm_view *view) { return view->is_latest ? view->world->state : view->record->state; }

bool cevm_view_workbench(cevm_workbench *out, cevm_rpc_call *call, const cevm_view *view)
{
    const cevm_err err = cevm_workbench_open(out, call->node, view->world, view->is_latest ? NULL : view->record);
    return err == CEVM_OK || cevm_rpc_fail_err(call, err);
}

bool cevm_find_account(cevm_db_account *out, bool *exists, cevm_rpc_call *call, const cevm_tree *state,
                       const cevm_address *address)
{
    const cevm_db db = cevm_tree_interface(state);
    const cevm_err err = db.vtable->account(db.ctx, out, exists, address);
    if (err != CEVM_OK) {
        return cevm_rpc_fail_err(call, err);
    }
    if (!*exists) {
        *out = (cevm_db_account){.code_hash = cevm_empty_code_hash};
    }
    return true;
}
