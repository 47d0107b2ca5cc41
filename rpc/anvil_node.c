/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of the node, and what it tells of itself: the anvil_, hardhat_ and evm_ methods that touch neither blocks nor
 * accounts. */
#include <inttypes.h>
#include <stdio.h>

#include "rpc/answer.h"
#include "rpc/member.h"
#include "rpc/methods.h"
#include "rpc/shapes.h"

/** One setting's change. */
typedef struct setting {
    cevm_node *node;
    bool flag;
    uint64_t number;
    cevm_u256 word;
    cevm_hash hash;
    cevm_address address;
} setting;

typedef bool (*setter)(void *user, cevm_world *world, cevm_treedb *db, cevm_node_error *error);

static void change(cevm_rpc_call *call, setter set, setting *s)
{
    if (cevm_rpc_edit(call, set, s)) {
        cevm_rpc_done(call);
    }
}

#define SETTER(name, statement)                                                              \
    static bool name(void *user, cevm_world *world, cevm_treedb *db, cevm_node_error *error) \
    {                                                                                        \
        const setting *s = user;                                                             \
        (void)db;                                                                            \
        (void)error;                                                                         \
        statement;                                                                           \
        return true;                                                                         \
    }

SETTER(set_automine, world->settings.automine = s->flag)
SETTER(set_interval, world->settings.interval_ms = s->number)
SETTER(set_gas_limit, world->settings.gas_limit = s->number)
SETTER(set_coinbase, world->settings.coinbase = s->address)
SETTER(set_min_gas_price, world->settings.min_gas_price = s->word)
SETTER(set_next_base_fee, (world->settings.has_next_base_fee = true, world->settings.next_base_fee = s->word))
SETTER(set_prev_randao, (world->settings.has_prev_randao = true, world->settings.prev_randao = s->hash))
SETTER(set_chain_id, world->settings.config.chain_id = s->number)
SETTER(set_auto_impersonate, world->settings.auto_impersonate = s->flag)
SETTER(set_logging, world->settings.is_silent = !s->flag)
#undef SETTER

/* ---- Mining -------------------------------------------------------------------------------------------------------- */

void cevm_rpc_evm_setAutomine(cevm_rpc_call *call)
{
    setting s = {.flag = false};
    if (cevm_rpc_read_bool(&s.flag, call, cevm_rpc_param(call, 0), "automine")) {
        change(call, set_automine, &s);
    }
}

void cevm_rpc_anvil_getAutomine(cevm_rpc_call *call)
{
    cevm_world *world = cevm_node_world(call->node);
    cevm_json_put_bool(call->out, world->settings.automine);
    cevm_world_release(world);
}

/** Seconds, as anvil has it; as Hardhat has it an array [from, to] of milliseconds, of which the first counts. */
void cevm_rpc_evm_setIntervalMining(cevm_rpc_call *call)
{
    setting s = {.flag = false};
    json_t *value = cevm_rpc_param(call, 0);
    const bool is_range = json_is_array(value);
    if (!cevm_rpc_read_u64(&s.number, call, is_range ? json_array_get(value, 0) : value, "interval")) {
        return;
    }
    if (!is_range && s.number > UINT32_MAX) {
        (void)cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "invalid interval: at most %u seconds", UINT32_MAX);
        return;
    }
    s.number = is_range ? s.number : s.number * 1000;
    change(call, set_interval, &s);
}

void cevm_rpc_anvil_getIntervalMining(cevm_rpc_call *call)
{
    cevm_world *world = cevm_node_world(call->node);
    const uint64_t interval = world->settings.interval_ms;
    cevm_world_release(world);
    if (interval == 0) {
        cevm_json_put_null(call->out);
    } else {
        cevm_json_put_number(call->out, interval / 1000);
    }
}

void cevm_rpc_evm_setBlockGasLimit(cevm_rpc_call *call)
{
    setting s = {.flag = false};
    if (!cevm_rpc_read_u64(&s.number, call, cevm_rpc_param(call, 0), "gas limit")) {
        return;
    }
    if (s.number == 0 || s.number > INT64_MAX) {
        (void)cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "invalid gas limit: it has to be from 1 to 2^63 - 1");
        return;
    }
    if (cevm_rpc_edit(call, set_gas_limit, &s)) {
        cevm_json_put_bool(call->out, true);
    }
}

void cevm_rpc_anvil_setCoinbase(cevm_rpc_call *call)
{
    setting s = {.flag = false};
    if (cevm_rpc_read_address(&s.address, call, cevm_rpc_param(call, 0), "address")) {
        change(call, set_coinbase, &s);
    }
}

void cevm_rpc_anvil_setMinGasPrice(cevm_rpc_call *call)
{
    setting s = {.flag = false};
    if (cevm_rpc_read_u256(&s.word, call, cevm_rpc_param(call, 0), "gas price")) {
        change(call, set_min_gas_price, &s);
    }
}

void cevm_rpc_anvil_setNextBlockBaseFeePerGas(cevm_rpc_call *call)
{
    setting s = {.flag = false};
    if (cevm_rpc_read_u256(&s.word, call, cevm_rpc_param(call, 0), "base fee")) {
        change(call, set_next_base_fee, &s);
    }
}

void cevm_rpc_anvil_setPrevRandao(cevm_rpc_call *call)
{
    setting s = {.flag = false};
    cevm_u256 word;
    if (cevm_rpc_read_word(&word, call, cevm_rpc_param(call, 0), "prevRandao")) {
        cevm_u256_to_be(s.hash.bytes, &word);
        change(call, set_prev_randao, &s);
    }
}

void cevm_rpc_anvil_setChainId(cevm_rpc_call *call)
{
    setting s = {.flag = false};
    if (cevm_rpc_read_u64(&s.number, call, cevm_rpc_param(call, 0), "chain id")) {
        change(call, set_chain_id, &s);
    }
}

void cevm_rpc_anvil_setLoggingEnabled(cevm_rpc_call *call)
{
    setting s = {.flag = false};
    if (cevm_rpc_read_bool(&s.flag, call, cevm_rpc_param(call, 0), "enabled")) {
        change(call, set_logging, &s);
    }
}

void cevm_rpc_anvil_setRpcUrl(cevm_rpc_call *call)
{
    (void)cevm_rpc_fail(call, CEVM_RPC_UNSUPPORTED, "the remote chain is chosen at the start (--fork-url)");
}

/* ---- Impersonation -------------------------------------------------------------------------------------------------- */

static bool impersonate(void *user, cevm_world *world, cevm_treedb *db, cevm_node_error *error)
{
    const setting *s = user;
    const cevm_hash key = cevm_world_address_key(&s->address);
    (void)db;
    const cevm_err err = s->flag
                             ? cevm_pmap_put(&world->impersonated, &key, cevm_node_nothing(s->node), world->allocator)
                             : cevm_pmap_remove(&world->impersonated, &key, world->allocator);
    error->err = err;
    return err == CEVM_OK;
}

static void set_impersonation(cevm_rpc_call *call, bool on)
{
    setting s = {.node = call->node, .flag = on};
    if (cevm_rpc_read_address(&s.address, call, cevm_rpc_param(call, 0), "address")) {
        change(call, impersonate, &s);
    }
}

void cevm_rpc_anvil_impersonateAccount(cevm_rpc_call *call) { set_impersonation(call, true); }

void cevm_rpc_anvil_stopImpersonatingAccount(cevm_rpc_call *call) { set_impersonation(call, false); }

void cevm_rpc_anvil_autoImpersonateAccount(cevm_rpc_call *call)
{
    setting s = {.flag = false};
    if (cevm_rpc_read_bool(&s.flag, call, cevm_rpc_param(call, 0), "enabled")) {
        change(call, set_auto_impersonate, &s);
    }
}

/* ---- Starting again ------------------------------------------------------------------------------------------------- */

void cevm_rpc_anvil_reset(cevm_rpc_call *call)
{
    cevm_node_error error = {.err = CEVM_OK};
    json_t *forking = cevm_member(cevm_rpc_param(call, 0), "forking");
    if (forking != NULL && cevm_member(forking, "jsonRpcUrl") != NULL) {
        (void)cevm_rpc_fail(call, CEVM_RPC_UNSUPPORTED, "the remote chain is chosen at the start (--fork-url)");
        return;
    }
    if (cevm_node_reset(call->node, &error)) {
        cevm_rpc_done(call);
    } else {
        (void)cevm_rpc_fail_node(call, &error);
    }
}

/* ---- What the node is ----------------------------------------------------------------------------------------------- */

static void put_fork_config(cevm_rpc_call *call)
{
    const cevm_node_options *options = cevm_node_get_options(call->node);
    cevm_json_writer *w = call->out;
    cevm_json_put_key(w, "forkConfig");
    cevm_json_begin_object(w);
    cevm_json_put_key(w, "forkUrl");
    if (options->fork_url != NULL) {
        cevm_json_put_string(w, options->fork_url);
    } else {
        cevm_json_put_null(w);
    }
    cevm_json_put_key(w, "forkBlockNumber");
    if (options->fork_url != NULL && options->has_fork_block) {
        cevm_json_put_number(w, options->fork_block);
    } else {
        cevm_json_put_null(w);
    }
    cevm_json_put_key(w, "forkRetryBackoff");
    cevm_json_put_null(w);
    cevm_json_end_object(w);
}

void cevm_rpc_anvil_nodeInfo(cevm_rpc_call *call)
{
    cevm_json_writer *w = call->out;
    cevm_world *world = cevm_node_world(call->node);
    const cevm_header *head = &world->head->block.header;
    cevm_header next;
    bool is_merged = false;
    cevm_world_next_header(&next, &is_merged, world, cevm_node_now(world));
    cevm_json_begin_object(w);
    cevm_shape_quantity(w, "currentBlockNumber", head->number);
    cevm_json_put_key(w, "currentBlockTimestamp");
    cevm_json_put_number(w, head->timestamp);
    cevm_shape_hash(w, "currentBlockHash", &world->head->block.hash);
    cevm_json_put_key(w, "hardFork");
    cevm_json_put_string(w, cevm_fork_name(world->head->fork));
    cevm_json_put_key(w, "transactionOrder");
    cevm_json_put_string(w, world->settings.order == CEVM_ORDER_FIFO ? "fifo" : "fees");
    cevm_json_put_key(w, "environment");
    cevm_json_begin_object(w);
    cevm_shape_quantity256(w, "baseFee", &next.base_fee);
    cevm_json_put_key(w, "chainId");
    cevm_json_put_number(w, world->settings.config.chain_id);
    cevm_shape_quantity(w, "gasLimit", world->settings.gas_limit);
    cevm_shape_quantity256(w, "gasPrice", &next.base_fee);
    cevm_json_end_object(w);
    put_fork_config(call);
    cevm_json_end_object(w);
    cevm_world_release(world);
}

void cevm_rpc_anvil_metadata(cevm_rpc_call *call)
{
    char version[64];
    cevm_json_writer *w = call->out;
    cevm_world *world = cevm_node_world(call->node);
    const cevm_record *first = cevm_world_block(world, world->first);
    (void)snprintf(version, sizeof version, "cevm/v%s", cevm_version());
    cevm_json_begin_object(w);
    cevm_json_put_key(w, "clientVersion");
    cevm_json_put_string(w, version);
    cevm_json_put_key(w, "chainId");
    cevm_json_put_number(w, world->settings.config.chain_id);
    cevm_shape_hash(w, "instanceId", &first->block.hash);
    cevm_json_put_key(w, "latestBlockNumber");
    cevm_json_put_number(w, world->head->block.header.number);
    cevm_shape_hash(w, "latestBlockHash", &world->head->block.hash);
    cevm_json_end_object(w);
    cevm_world_release(world);
}
