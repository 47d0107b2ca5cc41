/* SPDX-License-Identifier: Apache-2.0 */
/* Questions about what lies before the block at which this chain was forked from a remote one, and about that block. */
#include "rpc/find.h"

#include <stdio.h>
#include <stdlib.h>

#include <cevm/alloc.h>
#include <cevm/hex.h>

/** Puts a question to the remote; its answer is the call's. */
static void ask(cevm_rpc_call *call, cevm_remote *remote, const char *method, const char *params)
{
    char *result = NULL;
    const cevm_err err = params != NULL ? cevm_remote_call(remote, &result, method, params) : CEVM_ERR_NOMEM;
    if (err == CEVM_OK) {
        cevm_json_put_raw(call->out, result, strlen(result));
        cevm_free(cevm_node_allocator(call->node), result);
    } else {
        (void)cevm_rpc_fail_err(call, err);
    }
}

bool cevm_remote_passthrough(cevm_rpc_call *call)
{
    cevm_remote *remote = cevm_node_remote(call->node);
    if (remote == NULL) {
        return false;
    }
    char *params = json_dumps(call->params, JSON_COMPACT);
    ask(call, remote, call->row->name, params);
    free(params);
    return true;
}

bool cevm_remote_tells_block(cevm_rpc_call *call, const cevm_view *view, bool full)
{
    cevm_remote *remote = cevm_node_remote(call->node);
    char hash[65];
    char params[96];
    if (remote == NULL || cevm_node_get_options(call->node)->offline ||
        view->record != cevm_world_block(view->world, view->world->first)) {
        return false;
    }
    cevm_hex_encode(hash, view->record->block.hash.bytes, 32);
    (void)snprintf(params, sizeof params, "[\"0x%s\",%s]", hash, full ? "true" : "false");
    ask(call, remote, "eth_getBlockByHash", params);
    return true;
}
