/* SPDX-License-Identifier: Apache-2.0 */
/* cevm_consoleLogs: what a transaction wrote with console.log. */
#include "rpc/console.h"
#include "rpc/methods.h"

typedef struct lines {
    cevm_rpc_call *call;
} lines;

static bool add_line(void *user, size_t tx_index, const char *text)
{
    lines *l = user;
    (void)tx_index;
    cevm_json_put_string(l->call->out, text);
    return !l->call->out->failed && (l->call->cancel == NULL || !__atomic_load_n(l->call->cancel, __ATOMIC_RELAXED));
}

static cevm_err write_lines(cevm_rpc_call *call, cevm_world *world, const cevm_tx_place *place)
{
    const cevm_allocator *allocator = cevm_node_allocator(call->node);
    lines l = {call};
    const cevm_console_bounds bounds = {.deadline_ns = call->deadline_ns, .cancel = call->cancel};
    cevm_console *console = cevm_console_create(allocator);
    cevm_err err = CEVM_ERR_NOMEM;
    if (console != NULL) {
        cevm_json_begin_array(call->out);
        err = cevm_console_replay(console, call->node, world, place->record, place->index, &bounds, add_line, &l);
        cevm_json_end_array(call->out);
    }
    cevm_console_destroy(console);
    return err;
}

void cevm_rpc_cevm_consoleLogs(cevm_rpc_call *call)
{
    cevm_hash hash;
    if (!cevm_rpc_read_hash(&hash, call, cevm_rpc_param(call, 0), "hash")) {
        return;
    }
    cevm_world *world = cevm_node_world(call->node);
    const cevm_tx_place *place = cevm_world_tx(world, &hash);
    if (place == NULL) {
        cevm_json_put_null(call->out);
    } else {
        cevm_err err = write_lines(call, world, place);
        if (err == CEVM_ERR_ARGUMENT) {
            (void)cevm_rpc_fail(call, CEVM_RPC_UNAVAILABLE, "the state before this transaction is not there");
        } else if (err != CEVM_OK) {
            (void)cevm_rpc_fail_err(call, err);
        }
    }
    cevm_world_release(world);
}
