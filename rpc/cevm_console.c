/* SPDX-License-Identifier: Apache-2.0 */
/* cevm_consoleLogs: what a transaction wrote with console.log, or what a call would write. */
#include "rpc/console.h"
#include "rpc/methods.h"
#include "rpc/trial.h"

static bool add_line(void *user, size_t tx_index, const char *text)
{
    cevm_rpc_call *call = user;
    (void)tx_index;
    cevm_json_put_string(call->out, text);
    return !call->out->failed && (call->cancel == NULL || !__atomic_load_n(call->cancel, __ATOMIC_RELAXED));
}

/* ---- Of a transaction ------------------------------------------------------------------------------------------------- */

static cevm_err write_lines(cevm_rpc_call *call, cevm_world *world, const cevm_tx_place *place)
{
    const cevm_allocator *allocator = cevm_node_allocator(call->node);
    const cevm_console_bounds bounds = {.deadline_ns = call->deadline_ns, .cancel = call->cancel};
    cevm_console *console = cevm_console_create(allocator);
    cevm_err err = CEVM_ERR_NOMEM;
    if (console != NULL) {
        cevm_json_begin_array(call->out);
        err = cevm_console_replay(console, call->node, world, place->record, place->index, &bounds, add_line, call);
        cevm_json_end_array(call->out);
    }
    cevm_console_destroy(console);
    return err;
}

static void logs_of_tx(cevm_rpc_call *call)
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

/* ---- Of a call --------------------------------------------------------------------------------------------------------- */

/** Reverted calls have written too; only one that cannot be made at all fails. */
static void logs_of_call(cevm_rpc_call *call)
{
    static const cevm_trial_params params = {.block = 1, .state_overrides = 2, .block_overrides = 3};
    cevm_trial trial;
    cevm_trial_outcome outcome;
    cevm_console_tap tap;
    if (!cevm_trial_open(&trial, call, &params)) {
        return;
    }
    cevm_console_tap_open(&tap, NULL, add_line, call, cevm_node_allocator(call->node));
    cevm_json_begin_array(call->out);
    uint64_t gas = trial.args.tx.gas_limit;
    if ((trial.args.has_gas || cevm_trial_allowance(&trial, &gas)) &&
        cevm_trial_run(&trial, &outcome, gas, &tap.tracer) && outcome.reason != CEVM_TX_NONE) {
        (void)cevm_trial_expect_success(&trial, &outcome);
    }
    cevm_json_end_array(call->out);
    cevm_console_tap_close(&tap);
    cevm_trial_close(&trial);
}

void cevm_rpc_cevm_consoleLogs(cevm_rpc_call *call)
{
    if (json_is_object(cevm_rpc_param(call, 0))) {
        logs_of_call(call);
    } else {
        logs_of_tx(call);
    }
}
