/* SPDX-License-Identifier: Apache-2.0 */
/* What the chain is and where it stands: numbers that clients ask for all the time. */
#include "rpc/find.h"
#include "rpc/methods.h"

void cevm_rpc_eth_chainId(cevm_rpc_call *call)
{
    cevm_world *world = cevm_node_world(call->node);
    cevm_json_put_quantity(call->out, world->settings.config.chain_id);
    cevm_world_release(world);
}

void cevm_rpc_eth_blockNumber(cevm_rpc_call *call)
{
    cevm_json_put_quantity(call->out, cevm_node_head_number(call->node));
}

/** The chain is made here: there is nothing to catch up with. */
void cevm_rpc_eth_syncing(cevm_rpc_call *call) { cevm_json_put_bool(call->out, false); }

void cevm_rpc_eth_coinbase(cevm_rpc_call *call)
{
    cevm_world *world = cevm_node_world(call->node);
    cevm_json_put_address(call->out, &world->settings.coinbase);
    cevm_world_release(world);
}

void cevm_rpc_eth_mining(cevm_rpc_call *call)
{
    cevm_world *world = cevm_node_world(call->node);
    cevm_json_put_bool(call->out, world->settings.automine || world->settings.interval_ms != 0);
    cevm_world_release(world);
}

/** Blocks are made without proof of work. */
void cevm_rpc_eth_hashrate(cevm_rpc_call *call) { cevm_json_put_quantity(call->out, 0); }

/** eth/68 in the network's numbering; there is no network. */
void cevm_rpc_eth_protocolVersion(cevm_rpc_call *call) { cevm_json_put_quantity(call->out, 68); }
