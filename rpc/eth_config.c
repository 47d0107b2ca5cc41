/* SPDX-License-Identifier: Apache-2.0 */
/* What the node is set up for: eth_config (EIP-7910) and eth_capabilities. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "chain/system_calls.h"
#include "rpc/find.h"
#include "rpc/methods.h"
#include "rpc/shapes.h"

/* ---- EIP-7910 ------------------------------------------------------------------------------------------------------ */

static int compare_names(const void *a, const void *b)
{
    const cevm_precompile *x = *(const cevm_precompile *const *)a;
    const cevm_precompile *y = *(const cevm_precompile *const *)b;
    return strcmp(x->name, y->name);
}

enum { MAX_PRECOMPILES = 64 };

/** In the order of their names, as the EIP wants it. */
static void put_precompiles(cevm_json_writer *w, cevm_fork fork)
{
    const cevm_precompile *sorted[MAX_PRECOMPILES];
    size_t count = 0;
    size_t active = 0;
    const cevm_precompile *rows = cevm_precompiles(&count);
    for (size_t i = 0; i < count && active < MAX_PRECOMPILES; ++i) {
        if (fork >= rows[i].since) {
            sorted[active++] = &rows[i];
        }
    }
    qsort((void *)sorted, active, sizeof sorted[0], compare_names);
    cevm_json_begin_object(w);
    for (size_t i = 0; i < active; ++i) {
        const cevm_address address = CEVM_ADDRESS_OF(sorted[i]->address);
        cevm_shape_address(w, sorted[i]->name, &address);
    }
    cevm_json_end_object(w);
}

static void put_system_contracts(cevm_json_writer *w, const cevm_chain_config *config, cevm_fork fork)
{
    cevm_json_begin_object(w);
    if (CEVM_HAS_EIP(fork, 4788)) {
        cevm_shape_address(w, "BEACON_ROOTS_ADDRESS", &cevm_beacon_roots_address);
    }
    if (CEVM_HAS_EIP(fork, 7251)) {
        cevm_shape_address(w, "CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS", &cevm_consolidations_address);
    }
    if (CEVM_HAS_EIP(fork, 6110)) {
        cevm_shape_address(w, "DEPOSIT_CONTRACT_ADDRESS", &config->deposit_contract);
    }
    if (CEVM_HAS_EIP(fork, 2935)) {
        cevm_shape_address(w, "HISTORY_STORAGE_ADDRESS", &cevm_history_address);
    }
    if (CEVM_HAS_EIP(fork, 7002)) {
        cevm_shape_address(w, "WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS", &cevm_withdrawals_address);
    }
    cevm_json_end_object(w);
}

static void put_number(cevm_json_writer *w, const char *key, uint64_t value)
{
    cevm_json_put_key(w, key);
    cevm_json_put_number(w, value);
}

/** The rules from a time on. */
static void put_rules(cevm_json_writer *w, const cevm_world *world, uint64_t time)
{
    const cevm_chain_config *config = &world->settings.config;
    const cevm_record *genesis = cevm_world_block(world, world->first);
    const cevm_header *header = &genesis->block.header;
    const cevm_blob_params blobs = cevm_chain_blob_params(config, time);
    const uint64_t at = time > header->timestamp ? time : header->timestamp;
    const cevm_fork fork = cevm_chain_fork(config, UINT64_MAX, at, true);
    char id[16];
    (void)snprintf(id, sizeof id, "0x%08" PRIx32,
                   cevm_fork_id(config, &genesis->block.hash, header->timestamp, UINT64_MAX, at));
    cevm_json_begin_object(w);
    put_number(w, "activationTime", time);
    cevm_json_put_key(w, "blobSchedule");
    cevm_json_begin_object(w);
    put_number(w, "baseFeeUpdateFraction", blobs.base_fee_update_fraction);
    put_number(w, "max", blobs.max);
    put_number(w, "target", blobs.target);
    cevm_json_end_object(w);
    cevm_shape_quantity(w, "chainId", config->chain_id);
    cevm_json_put_key(w, "forkId");
    cevm_json_put_string(w, id);
    cevm_json_put_key(w, "precompiles");
    put_precompiles(w, fork);
    cevm_json_put_key(w, "systemContracts");
    put_system_contracts(w, config, fork);
    cevm_json_end_object(w);
}

/** When the rules changed last, change next and change for the last time. */
typedef struct schedule {
    uint64_t now;
    uint64_t current; /* 0: with the genesis */
    bool has_next;
    uint64_t next;
    uint64_t last;
} schedule;

static void consider(schedule *s, uint64_t time, uint64_t genesis_time)
{
    if (time <= s->now) {
        s->current = time > genesis_time && time > s->current ? time : s->current;
        return;
    }
    s->next = !s->has_next || time < s->next ? time : s->next;
    s->last = !s->has_next || time > s->last ? time : s->last;
    s->has_next = true;
}

static schedule schedule_of(const cevm_world *world)
{
    const cevm_chain_config *config = &world->settings.config;
    const uint64_t genesis_time = cevm_world_block(world, world->first)->block.header.timestamp;
    schedule s = {.now = world->head->block.header.timestamp};
    for (size_t f = 0; f < CEVM_FORK_COUNT; ++f) {
        if (config->forks[f].kind == CEVM_BY_TIME) {
            consider(&s, config->forks[f].at, genesis_time);
        }
    }
    for (size_t i = 0; i < config->blob_schedule_count; ++i) {
        consider(&s, config->blob_schedule[i].timestamp, genesis_time);
    }
    return s;
}

void cevm_rpc_eth_config(cevm_rpc_call *call)
{
    cevm_world *world = cevm_node_world(call->node);
    cevm_json_writer *w = call->out;
    const schedule s = schedule_of(world);
    cevm_json_begin_object(w);
    cevm_json_put_key(w, "current");
    put_rules(w, world, s.current);
    if (s.has_next) {
        cevm_json_put_key(w, "next");
        put_rules(w, world, s.next);
        cevm_json_put_key(w, "last");
        put_rules(w, world, s.last);
    } else {
        cevm_shape_null(w, "next");
        cevm_shape_null(w, "last");
    }
    cevm_json_end_object(w);
    cevm_world_release(world);
}

/* ---- What can be asked for ------------------------------------------------------------------------------------------ */

/** Nothing is ever thrown away here. */
void cevm_rpc_eth_capabilities(cevm_rpc_call *call)
{
    static const char *const resources[] = {"state", "tx", "logs", "receipts", "blocks", "stateproofs"};
    cevm_world *world = cevm_node_world(call->node);
    cevm_json_writer *w = call->out;
    cevm_json_begin_object(w);
    cevm_json_put_key(w, "head");
    cevm_json_begin_object(w);
    cevm_shape_quantity(w, "number", world->head->block.header.number);
    cevm_shape_hash(w, "hash", &world->head->block.hash);
    cevm_json_end_object(w);
    for (size_t i = 0; i < sizeof resources / sizeof resources[0]; ++i) {
        cevm_json_put_key(w, resources[i]);
        cevm_json_begin_object(w);
        cevm_json_put_key(w, "disabled");
        cevm_json_put_bool(w, false);
        cevm_shape_quantity(w, "oldestBlock", world->first);
        cevm_json_end_object(w);
    }
    cevm_json_end_object(w);
    cevm_world_release(world);
}
