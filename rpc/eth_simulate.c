/* SPDX-License-Identifier: Apache-2.0 */
/* eth_simulateV1. */
#include "rpc/methods.h"
#include "rpc/simulate.h"

static void simulate(cevm_rpc_call *call, const cevm_view *view)
{
    cevm_simulation s = {.call = call, .view = *view};
    bool ok = cevm_simulate_input_read(&s.input, call, &view->record->block.header) && cevm_simulation_open(&s);
    cevm_json_begin_array(call->out);
    for (size_t i = 0; ok && i < s.input.count; ++i) {
        ok = cevm_simulate_block_run(&s, i);
    }
    cevm_json_end_array(call->out);
    cevm_simulation_close(&s);
}

void cevm_rpc_eth_simulateV1(cevm_rpc_call *call)
{
    cevm_view view;
    if (cevm_view_open_block(&view, call, cevm_rpc_param(call, 1))) {
        simulate(call, &view);
        cevm_view_close(&view);
    }
}
