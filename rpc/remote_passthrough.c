/* SPDX-License-Identifier: Apache-2.0 */
/* Questions about what lies before the block at which this chain was forked from a remote one. */
#include "rpc/find.h"

bool cevm_remote_passthrough(cevm_rpc_call *call)
{
    const cevm_node_options *options = cevm_node_get_options(call->node);
    if (options->fork_url == NULL) {
        return false;
    }
    (void)cevm_rpc_fail(call, CEVM_RPC_UNSUPPORTED, "not known here: it lies before the block of the fork");
    return true;
}
