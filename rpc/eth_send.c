/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions from clients: eth_sendTransaction, eth_sendRawTransaction and their kin. */
#include <time.h>

#include <cevm/crypto.h>

#include "rpc/answer.h"
#include "rpc/methods.h"
#include "rpc/shapes.h"
#include "rpc/tx_fill.h"

enum { DEFAULT_WAIT_MS = 2000, MAX_WAIT_MS = 60000, POLL_NS = 2000000, NOT_IN_TIME = 4 };

/* ---- Accounts ------------------------------------------------------------------------------------------------------ */

void cevm_rpc_eth_accounts(cevm_rpc_call *call)
{
    const size_t count = cevm_node_account_count(call->node);
    cevm_json_begin_array(call->out);
    for (size_t i = 0; i < count; ++i) {
        cevm_address address;
        cevm_node_account(call->node, i, &address, NULL);
        cevm_json_put_address(call->out, &address);
    }
    cevm_json_end_array(call->out);
}

/* ---- Sending ------------------------------------------------------------------------------------------------------- */

static bool submit(cevm_rpc_call *call, cevm_hash *hash, const cevm_tx *tx, bool impersonated)
{
    cevm_node_error error = {.err = CEVM_OK};
    return cevm_node_submit(call->node, &error, hash, tx, impersonated) || cevm_rpc_fail_node(call, &error);
}

static bool send_request(cevm_rpc_call *call, cevm_hash *hash, unsigned flags)
{
    cevm_tx tx;
    bool impersonated = false;
    if (!cevm_tx_fill(&tx, &impersonated, call, cevm_rpc_param(call, 0), flags | CEVM_FILL_LOCK)) {
        return false;
    }
    const bool ok = submit(call, hash, &tx, impersonated);
    cevm_tx_sent(call);
    return ok;
}

static bool send_raw(cevm_rpc_call *call, cevm_hash *hash)
{
    cevm_tx tx;
    return cevm_tx_read_raw(&tx, call, cevm_rpc_param(call, 0)) && submit(call, hash, &tx, false);
}

void cevm_rpc_eth_sendTransaction(cevm_rpc_call *call)
{
    cevm_hash hash;
    if (send_request(call, &hash, CEVM_FILL_SIGN)) {
        cevm_json_put_hash(call->out, &hash);
    }
}

void cevm_rpc_eth_sendUnsignedTransaction(cevm_rpc_call *call)
{
    cevm_hash hash;
    if (send_request(call, &hash, CEVM_FILL_SIGN | CEVM_FILL_ANYONE)) {
        cevm_json_put_hash(call->out, &hash);
    }
}

void cevm_rpc_eth_sendRawTransaction(cevm_rpc_call *call)
{
    cevm_hash hash;
    if (send_raw(call, &hash)) {
        cevm_json_put_hash(call->out, &hash);
    }
}

/* ---- Sending and waiting -------------------------------------------------------------------------------------------- */

static uint64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/** Writes the receipt once it is there. */
static bool put_receipt(cevm_rpc_call *call, const cevm_hash *hash)
{
    cevm_world *world = cevm_node_world(call->node);
    const cevm_tx_place *place = cevm_world_tx(world, hash);
    if (place != NULL) {
        cevm_shape_receipt(call->out, place->record, place->index);
    }
    cevm_world_release(world);
    return place != NULL;
}

/** Where blocks are made at once the receipt is there already; otherwise it is waited for, as long as the caller says. */
static void wait_for_receipt(cevm_rpc_call *call, const cevm_hash *hash, uint64_t wait_ms)
{
    static const struct timespec pause = {.tv_nsec = POLL_NS};
    const uint64_t until = now_ns() + (wait_ms < MAX_WAIT_MS ? wait_ms : MAX_WAIT_MS) * 1000000u;
    while (!put_receipt(call, hash)) {
        if (now_ns() >= until || (call->cancel != NULL && __atomic_load_n(call->cancel, __ATOMIC_RELAXED))) {
            (void)cevm_rpc_fail_data(call, NOT_IN_TIME, (cevm_bytes){hash->bytes, sizeof hash->bytes},
                                     "The transaction was added to the mempool but wasn't processed in %llums",
                                     (unsigned long long)wait_ms);
            return;
        }
        (void)nanosleep(&pause, NULL);
    }
}

void cevm_rpc_eth_sendRawTransactionSync(cevm_rpc_call *call)
{
    cevm_hash hash;
    uint64_t wait_ms = DEFAULT_WAIT_MS;
    if (cevm_rpc_optional_u64(&wait_ms, call, 1, "timeout") && send_raw(call, &hash)) {
        wait_for_receipt(call, &hash, wait_ms);
    }
}

void cevm_rpc_eth_sendTransactionSync(cevm_rpc_call *call)
{
    cevm_hash hash;
    uint64_t wait_ms = DEFAULT_WAIT_MS;
    if (cevm_rpc_optional_u64(&wait_ms, call, 1, "timeout") && send_request(call, &hash, CEVM_FILL_SIGN)) {
        wait_for_receipt(call, &hash, wait_ms);
    }
}

/* ---- Without sending ------------------------------------------------------------------------------------------------ */

void cevm_rpc_eth_signTransaction(cevm_rpc_call *call)
{
    cevm_tx tx;
    cevm_bytes raw;
    bool impersonated = false;
    if (cevm_tx_fill(&tx, &impersonated, call, cevm_rpc_param(call, 0), CEVM_FILL_SIGN | CEVM_FILL_KEY) &&
        cevm_tx_encode_for(&raw, call, &tx)) {
        cevm_json_put_data(call->out, raw);
    }
}

/** {raw, tx}: complete but not signed. */
void cevm_rpc_eth_fillTransaction(cevm_rpc_call *call)
{
    cevm_tx tx;
    cevm_bytes raw;
    cevm_hash hash;
    bool impersonated = false;
    if (!cevm_tx_fill(&tx, &impersonated, call, cevm_rpc_param(call, 0), 0) || !cevm_tx_encode_for(&raw, call, &tx)) {
        return;
    }
    cevm_keccak256(&hash, raw.data, raw.size);
    cevm_json_begin_object(call->out);
    cevm_shape_data(call->out, "raw", raw);
    cevm_json_put_key(call->out, "tx");
    cevm_shape_tx(call->out, &tx, &hash, (cevm_block_place){.header = NULL}, 0);
    cevm_json_end_object(call->out);
}
