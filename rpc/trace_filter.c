/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace_filter: the entries of a range of blocks by who sent and who received. Where addresses of both are given, an entry
 * needs one of either (as Erigon, reth and anvil have it), or with "mode": "intersection" one of each (as OpenEthereum).
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "rpc/find.h"
#include "rpc/methods.h"
#include "rpc/trace_config.h"
#include "rpc/trace_parity.h"

enum { MAX_ADDRESSES = 1000 };

typedef struct addresses {
    cevm_address *list; /* in the call's arena */
    size_t count;
} addresses;

typedef struct filter {
    bool has_from;
    uint64_t from, to; /* blocks */
    addresses senders, recipients;
    bool needs_both;
    uint64_t after; /* so many of those that match are passed over */
    bool has_count;
    uint64_t count; /* and so many are left to be written */
} filter;

/* ---- Matching ------------------------------------------------------------------------------------------------------ */

static bool holds(const addresses *set, const cevm_address *address)
{
    bool found = false;
    for (size_t i = 0; i < set->count && !found && address != NULL; ++i) {
        found = cevm_address_equal(&set->list[i], address);
    }
    return found;
}

static bool matches(const filter *f, const cevm_parity_entry *entry)
{
    const bool any_sender = f->senders.count == 0;
    const bool any_recipient = f->recipients.count == 0;
    const bool sender = holds(&f->senders, entry->from);
    const bool recipient = holds(&f->recipients, entry->to);
    if (f->needs_both) {
        return (any_sender || sender) && (any_recipient || recipient);
    }
    return (any_sender && any_recipient) || sender || recipient;
}

static bool goes_on(void *user)
{
    const filter *f = user;
    return !f->has_count || f->count != 0;
}

static bool wants(void *user, const cevm_parity_entry *entry)
{
    filter *f = user;
    if (!goes_on(f) || !matches(f, entry)) {
        return false;
    }
    if (f->after != 0) {
        f->after--;
        return false;
    }
    f->count -= f->has_count ? 1 : 0;
    return true;
}

/* ---- Reading ------------------------------------------------------------------------------------------------------- */

/** An array of addresses, or one; null is none. */
static bool read_addresses(addresses *out, cevm_rpc_call *call, json_t *value, const char *what)
{
    const size_t count = json_is_array(value) ? json_array_size(value) : json_is_null(value) ? 0 : 1;
    if (count > MAX_ADDRESSES) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "%s has %zu addresses, at most %d are allowed", what, count,
                             (int)MAX_ADDRESSES);
    }
    if (count == 0) {
        return true;
    }
    out->list = cevm_arena_alloc(call->arena, count * sizeof out->list[0]);
    if (out->list == NULL) {
        return cevm_rpc_fail_err(call, CEVM_ERR_NOMEM);
    }
    for (size_t i = 0; i < count; ++i) {
        json_t *item = json_is_array(value) ? json_array_get(value, i) : value;
        if (!cevm_rpc_read_address(&out->list[out->count++], call, item, what)) {
            return false;
        }
    }
    return true;
}

/** A number or tag of the filter as a number. */
static bool read_block(uint64_t *out, cevm_rpc_call *call, const cevm_world *world, json_t *value, const char *what)
{
    cevm_block_id id;
    if (!cevm_rpc_read_block_id(&id, call, value, what)) {
        return false;
    }
    if (id.tag == CEVM_TAG_HASH) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "%s wants a number or a tag", what);
    }
    *out = world->head->block.header.number; /* what waits in the pool is in no block */
    if (id.tag == CEVM_TAG_NUMBER || id.tag == CEVM_TAG_EARLIEST) {
        *out = id.tag == CEVM_TAG_NUMBER ? id.number : 0;
    }
    return true;
}

static bool read_mode(filter *out, cevm_rpc_call *call, const json_t *value)
{
    const char *mode = json_is_string(value) ? json_string_value(value) : "";
    out->needs_both = strcmp(mode, "intersection") == 0;
    return json_is_null(value) || out->needs_both || strcmp(mode, "union") == 0 ||
           cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "mode is \"union\" or \"intersection\"");
}

static bool read_member(filter *out, cevm_rpc_call *call, const cevm_world *world, const char *key, json_t *value)
{
    if (strcmp(key, "fromBlock") == 0) {
        out->has_from = !json_is_null(value);
        return !out->has_from || read_block(&out->from, call, world, value, "fromBlock");
    }
    if (strcmp(key, "toBlock") == 0) {
        return json_is_null(value) || read_block(&out->to, call, world, value, "toBlock");
    }
    if (strcmp(key, "fromAddress") == 0) {
        return read_addresses(&out->senders, call, value, "fromAddress");
    }
    if (strcmp(key, "toAddress") == 0) {
        return read_addresses(&out->recipients, call, value, "toAddress");
    }
    if (strcmp(key, "after") == 0) {
        return json_is_null(value) || cevm_rpc_read_u64(&out->after, call, value, "after");
    }
    if (strcmp(key, "count") == 0) {
        out->has_count = !json_is_null(value);
        return !out->has_count || cevm_rpc_read_u64(&out->count, call, value, "count");
    }
    if (strcmp(key, "mode") == 0) {
        return read_mode(out, call, value);
    }
    return cevm_rpc_fail(
        call, CEVM_RPC_INVALID_PARAMS,
        "unknown member \"%.40s\" of the filter; there are fromBlock, toBlock, fromAddress, toAddress, "
        "mode, after, count",
        key);
}

/** Without blocks the range is that of Erigon, reth and anvil: all there is here. */
static bool read_filter(filter *out, cevm_rpc_call *call, const cevm_world *world)
{
    const char *key;
    json_t *value;
    const uint64_t before = world->first > world->forgotten ? world->first : world->forgotten;
    *out = (filter){.from = before != 0 ? before + 1 : 0, .to = world->head->block.header.number};
    json_object_foreach(cevm_rpc_param(call, 0), key, value)
    {
        if (!read_member(out, call, world, key, value)) {
            return false;
        }
    }
    return out->from <= out->to || !out->has_from ||
           cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS,
                         "invalid block range: fromBlock %" PRIu64 " comes after toBlock %" PRIu64, out->from, out->to);
}

/* ---- The range ----------------------------------------------------------------------------------------------------- */

/** Short transactions, and many empty blocks, end before the VM looks at the clock. */
static bool in_time(cevm_rpc_call *call, uint64_t deadline_ns)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec < deadline_ns ||
           cevm_trace_fail_call(call, CEVM_ERR_CANCELLED);
}

static void put_range(cevm_rpc_call *call, cevm_world *world, filter *f)
{
    const uint64_t deadline_ns = cevm_call_deadline(call);
    const uint64_t head = world->head->block.header.number;
    const uint64_t last = f->to < head ? f->to : head;
    const cevm_parity_list list = {.wants = wants, .user = f};
    bool ok = true;
    cevm_json_begin_array(call->out);
    for (uint64_t n = f->from; n <= last && ok && goes_on(f); ++n) {
        cevm_record *record = cevm_world_block(world, n);
        if (record != NULL && record->before != NULL) {
            ok = cevm_trace_put_block(call, world, record, &list, deadline_ns, goes_on);
        }
        ok = ok && in_time(call, deadline_ns);
    }
    if (ok) {
        cevm_json_end_array(call->out);
    }
}

/** Puts the question to the remote chain, with the range in numbers: its tags mean other blocks. */
static bool pass_on(cevm_rpc_call *call, const filter *f)
{
    json_t *object = cevm_rpc_param(call, 0);
    char from[24];
    char to[24];
    (void)snprintf(from, sizeof from, "0x%" PRIx64, f->from);
    (void)snprintf(to, sizeof to, "0x%" PRIx64, f->to);
    if (json_object_set_new(object, "fromBlock", json_string(from)) != 0 ||
        json_object_set_new(object, "toBlock", json_string(to)) != 0) {
        return !cevm_rpc_fail_err(call, CEVM_ERR_NOMEM);
    }
    return cevm_remote_passthrough(call);
}

/** What lies on the remote chain, it tells; true when the call was answered or failed. */
static bool ask_remote(cevm_rpc_call *call, const cevm_world *world, const filter *f)
{
    if (cevm_node_remote(call->node) == NULL || f->from > world->first || f->from > f->to) {
        return false;
    }
    if (f->to <= world->first) {
        return pass_on(call, f);
    }
    return !cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS,
                          "the range goes over block %" PRIu64
                          ", where this chain was forked from a remote one: ask for "
                          "the blocks up to it and those after it apart",
                          world->first);
}

/** With a history that is cut the oldest blocks cannot be executed again: that they are left out has to be said. */
static bool is_known(cevm_rpc_call *call, const cevm_world *world, const filter *f)
{
    return f->to <= world->first || f->from > world->forgotten || world->forgotten == 0 ||
           cevm_rpc_fail(call, CEVM_RPC_SERVER, "blocks up to %" PRIu64 " are not kept any more: ask for later ones",
                         world->forgotten);
}

void cevm_rpc_trace_filter(cevm_rpc_call *call)
{
    filter f;
    cevm_world *world = cevm_node_world(call->node);
    if (read_filter(&f, call, world) && !ask_remote(call, world, &f) && is_known(call, world, &f)) {
        put_range(call, world, &f);
    }
    cevm_world_release(world);
}
