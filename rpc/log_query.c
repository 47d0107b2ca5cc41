/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/log_query.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include <cevm/alloc.h>

#include "rpc/find.h"
#include "rpc/log_remote.h"
#include "rpc/member.h"
#include "rpc/methods.h"
#include "state/map.h"

enum {
    BLOCKS_BETWEEN_LOOKS = 4096, /* at the clock, and whether the client is still there */
    SPARSE = 2                   /* a block with logs found among them costs less than two looked up by number */
};

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

/** Blocks of a range that may hold what is looked for. */
typedef struct candidates {
    const cevm_log_filter *filter;
    const cevm_allocator *allocator;
    uint64_t from;
    uint64_t to;
    const cevm_record **list;
    size_t count;
    size_t capacity;
    bool failed;
} candidates;

static bool consider(void *user, const cevm_hash *key, cevm_ref *value)
{
    candidates *c = user;
    const cevm_record *record = (const cevm_record *)(const void *)value;
    const cevm_header *header = &record->block.header;
    (void)key;
    if (header->number < c->from || header->number > c->to ||
        !cevm_log_filter_may_match(c->filter, &header->logs_bloom)) {
        return true;
    }
    const cevm_record **list =
        cevm_array_reserve(c->allocator, (void *)c->list, &c->capacity, c->count, 1, sizeof(const cevm_record *));
    c->failed = list == NULL;
    if (list != NULL) {
        c->list = list;
        c->list[c->count++] = record;
    }
    return !c->failed;
}

static int by_number(const void *a, const void *b)
{
    const uint64_t left = (*(const cevm_record *const *)a)->block.header.number;
    const uint64_t right = (*(const cevm_record *const *)b)->block.header.number;
    return left < right ? -1 : left > right;
}

/** Where few of the blocks have logs these are looked through, and not the whole range. */
static void put_sparse(answer *a, const cevm_world *world, const cevm_log_filter *filter, uint64_t from, uint64_t to)
{
    candidates c = {.filter = filter, .allocator = cevm_node_allocator(a->call->node), .from = from, .to = to};
    cevm_pmap_for_each(&world->with_logs, consider, &c);
    if (c.failed) {
        (void)cevm_rpc_fail_err(a->call, CEVM_ERR_NOMEM);
    } else if (c.count != 0) {
        qsort((void *)c.list, c.count, sizeof(const cevm_record *), by_number);
    }
    for (size_t i = 0; !c.failed && i < c.count && cevm_log_filter_search(filter, c.list[i], put_log, a); ++i) {
        if (i % BLOCKS_BETWEEN_LOOKS == BLOCKS_BETWEEN_LOOKS - 1 && is_out_of_time(a->call)) {
            (void)cevm_rpc_fail_err(a->call, CEVM_ERR_CANCELLED);
            break;
        }
    }
    cevm_free(c.allocator, (void *)c.list);
}

static void put_dense(answer *a, const cevm_world *world, const cevm_log_filter *filter, uint64_t from, uint64_t to)
{
    for (uint64_t n = from; n <= to; ++n) {
        const cevm_record *record = cevm_world_block(world, n);
        if (record != NULL && !cevm_log_filter_search(filter, record, put_log, a)) {
            return;
        }
        if ((n - from) % BLOCKS_BETWEEN_LOOKS == BLOCKS_BETWEEN_LOOKS - 1 && is_out_of_time(a->call)) {
            (void)cevm_rpc_fail_err(a->call, CEVM_ERR_CANCELLED);
            return;
        }
    }
}

/** Whether the logs of the oldest block here are elsewhere: it is the one that a fork begins with. */
static bool is_remote_head(cevm_rpc_call *call)
{
    return cevm_node_remote(call->node) != NULL && !cevm_node_get_options(call->node)->offline;
}

/** In a fork, blocks up to the one it begins with are the remote's to tell of. */
static void put_range(cevm_rpc_call *call, const cevm_world *world, const cevm_log_filter *filter, uint64_t from,
                      uint64_t to)
{
    answer a = {.call = call};
    bool ok = true;
    cevm_json_begin_array(call->out);
    if (cevm_node_remote(call->node) != NULL &&
        (from < world->first || (from == world->first && is_remote_head(call)))) {
        ok = cevm_log_put_remote_range(call, filter, from, to < world->first ? to : world->first);
        from = world->first + 1;
    }
    if (ok && from <= to && (to - from) / SPARSE > world->with_logs.count) {
        put_sparse(&a, world, filter, from, to);
    } else if (ok) {
        put_dense(&a, world, filter, from, to);
    }
    cevm_json_end_array(call->out);
}

static void put_block(cevm_rpc_call *call, const cevm_world *world, const cevm_log_filter *filter,
                      const cevm_hash *hash)
{
    answer a = {.call = call};
    const cevm_record *record = cevm_world_block_by_hash(world, hash);
    const bool is_remote =
        cevm_node_remote(call->node) != NULL &&
        (record == NULL || (record == cevm_world_block(world, world->first) && is_remote_head(call)));
    if (record == NULL && !is_remote) {
        (void)cevm_rpc_fail(call, CEVM_RPC_SERVER, "unknown block");
        return;
    }
    cevm_json_begin_array(call->out);
    if (is_remote) {
        (void)cevm_log_put_remote_block(call, filter, hash);
    } else {
        (void)cevm_log_filter_search(filter, record, put_log, &a);
    }
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
