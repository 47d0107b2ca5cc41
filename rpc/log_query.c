/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/log_query.h"

#include <inttypes.h>
#include <time.h>

#include "rpc/find.h"
#include "rpc/member.h"
#include "rpc/methods.h"

enum { BLOCKS_BETWEEN_LOOKS = 4096 }; /* at the clock, and whether the client is still there */

bool cevm_log_bounds_read(cevm_log_bounds *out, cevm_rpc_call *call, const json_t *object)
{
    json_t *from = cevm_member(object, "fromBlock");
    json_t *to = cevm_member(object, "toBlock");
    *out = (cevm_log_bounds){.by_hash = false};
    if (!cevm_member_hash(&out->hash, &out->by_hash, call, object, "blockHash")) {
        return false;
    }
    if (out->by_hash && (from != NULL || to != NULL)) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS,
                             "cannot specify both blockHash and fromBlock/toBlock, choose one or the other");
    }
    return cevm_rpc_read_block_id(&out->from, call, from, "fromBlock") &&
           cevm_rpc_read_block_id(&out->to, call, to, "toBlock");
}

/* ---- Writing ------------------------------------------------------------------------------------------------------- */

/** The answer on its way. */
typedef struct answer {
    cevm_rpc_call *call;
    size_t count;
} answer;

static bool put_log(void *user, const cevm_record *record, size_t tx_index, size_t log_index)
{
    answer *a = user;
    if (++a->count > CEVM_LOG_MAX_RESULTS) {
        return cevm_rpc_fail(a->call, CEVM_RPC_LIMIT,
                             "query returned more than %d results: ask for fewer blocks at a time",
                             (int)CEVM_LOG_MAX_RESULTS);
    }
    cevm_shape_record_log(a->call->out, record, tx_index, log_index, false);
    return !a->call->out->failed;
}

static bool is_out_of_time(cevm_rpc_call *call)
{
    struct timespec now;
    if (call->cancel != NULL && __atomic_load_n(call->cancel, __ATOMIC_RELAXED)) {
        return true;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return call->deadline_ns != 0 && (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec >= call->deadline_ns;
}

static void put_range(cevm_rpc_call *call, const cevm_world *world, const cevm_log_filter *filter, uint64_t from,
                      uint64_t to)
{
    answer a = {.call = call};
    cevm_json_begin_array(call->out);
    for (uint64_t n = from; n <= to; ++n) {
        const cevm_record *record = cevm_world_block(world, n);
        if (record != NULL && !cevm_log_filter_search(filter, record, put_log, &a)) {
            break;
        }
        if ((n - from) % BLOCKS_BETWEEN_LOOKS == BLOCKS_BETWEEN_LOOKS - 1 && is_out_of_time(call)) {
            (void)cevm_rpc_fail_err(call, CEVM_ERR_CANCELLED);
            break;
        }
    }
    cevm_json_end_array(call->out);
}

static void put_block(cevm_rpc_call *call, const cevm_world *world, const cevm_log_filter *filter,
                      const cevm_hash *hash)
{
    answer a = {.call = call};
    const cevm_record *record = cevm_world_block_by_hash(world, hash);
    if (record == NULL) {
        if (!cevm_remote_passthrough(call)) {
            (void)cevm_rpc_fail(call, CEVM_RPC_SERVER, "unknown block");
        }
        return;
    }
    cevm_json_begin_array(call->out);
    (void)cevm_log_filter_search(filter, record, put_log, &a);
    cevm_json_end_array(call->out);
}

/* ---- Which blocks -------------------------------------------------------------------------------------------------- */

/** A bound as a number; false when it is a hash that is not known. */
static bool number_of(uint64_t *out, const cevm_world *world, const cevm_block_id *id)
{
    const cevm_record *record = id->tag == CEVM_TAG_HASH ? cevm_world_block_by_hash(world, &id->hash) : world->head;
    switch (id->tag) {
    case CEVM_TAG_NUMBER: *out = id->number; return true;
    case CEVM_TAG_EARLIEST: *out = world->first; return true;
    case CEVM_TAG_HASH:
    case CEVM_TAG_LATEST:
    case CEVM_TAG_PENDING:
    case CEVM_TAG_SAFE:
    case CEVM_TAG_FINALIZED: break;
    }
    if (record != NULL) {
        *out = record->block.header.number;
    }
    return record != NULL;
}

void cevm_log_query(cevm_rpc_call *call, const cevm_world *world, const cevm_log_filter *filter,
                    const cevm_log_bounds *bounds)
{
    const uint64_t head = world->head->block.header.number;
    uint64_t from = 0;
    uint64_t to = 0;
    if (bounds->by_hash) {
        put_block(call, world, filter, &bounds->hash);
    } else if (!number_of(&from, world, &bounds->from) || !number_of(&to, world, &bounds->to)) {
        (void)cevm_rpc_fail(call, CEVM_RPC_SERVER, "unknown block");
    } else if (from > to) {
        (void)cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS,
                            "invalid block range params: fromBlock %" PRIu64 " comes after toBlock %" PRIu64, from, to);
    } else if (from < world->first && to < world->first && cevm_remote_passthrough(call)) {
        return;
    } else if (from < world->first && cevm_node_get_options(call->node)->fork_url != NULL) {
        (void)cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS,
                            "the range begins before the block of the fork (%" PRIu64
                            ") and ends after it: ask for the "
                            "two parts apart",
                            world->first);
    } else {
        put_range(call, world, filter, from, to < head ? to : head);
    }
}

void cevm_rpc_eth_getLogs(cevm_rpc_call *call)
{
    cevm_log_filter filter;
    cevm_log_bounds bounds;
    const json_t *object = cevm_rpc_param(call, 0);
    if (!cevm_log_bounds_read(&bounds, call, object) ||
        !cevm_log_filter_read(&filter, call, object, cevm_node_allocator(call->node))) {
        return;
    }
    cevm_world *world = cevm_node_world(call->node);
    cevm_log_query(call, world, &filter, &bounds);
    cevm_world_release(world);
    cevm_log_filter_free(&filter);
}
