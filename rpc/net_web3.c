/* SPDX-License-Identifier: Apache-2.0 */
/* The methods that say who answers: net_, web3_, rpc_modules. */
#include <inttypes.h>
#include <stdio.h>

#include <cevm/crypto.h>

#include "rpc/methods.h"
#include "rpc/node.h"

void cevm_rpc_net_listening(cevm_rpc_call *call) { cevm_json_put_bool(call->out, true); }

void cevm_rpc_net_peerCount(cevm_rpc_call *call) { cevm_json_put_quantity(call->out, 0); }

void cevm_rpc_net_version(cevm_rpc_call *call)
{
    char text[24];
    cevm_world *world = cevm_node_world(call->node);
    (void)snprintf(text, sizeof text, "%" PRIu64, world->settings.config.chain_id);
    cevm_world_release(world);
    cevm_json_put_string(call->out, text);
}

void cevm_rpc_web3_clientVersion(cevm_rpc_call *call)
{
    char text[64];
    /* Hardhat's network helpers work only with nodes whose version begins with "hardhat", "zksync" or "anvil". */
    (void)snprintf(text, sizeof text, "anvil/cevm/v%s", cevm_version());
    cevm_json_put_string(call->out, text);
}

void cevm_rpc_web3_sha3(cevm_rpc_call *call)
{
    cevm_bytes data;
    cevm_hash hash;
    if (cevm_rpc_read_data(&data, call, cevm_rpc_param(call, 0), "data")) {
        cevm_keccak256(&hash, data.data, data.size);
        cevm_json_put_hash(call->out, &hash);
    }
}

void cevm_rpc_rpc_modules(cevm_rpc_call *call)
{
    size_t count;
    const cevm_rpc_row *rows = cevm_rpc_rows(&count);
    char last[32] = "";
    cevm_json_begin_object(call->out);
    for (size_t i = 0; i < count; ++i) { /* families stand together */
        char family[32];
        (void)snprintf(family, sizeof family, "%.*s", (int)strcspn(rows[i].name, "_."), rows[i].name);
        if (strcmp(family, last) != 0) {
            cevm_json_put_key(call->out, family);
            cevm_json_put_string(call->out, "1.0");
            memcpy(last, family, sizeof last);
        }
    }
    cevm_json_end_object(call->out);
}
