/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks and time at the caller's will: evm_mine, evm_snapshot, evm_revert, the clock, reorganisations. */
#include <stdio.h>
#include <stdlib.h>

#include "rpc/answer.h"
#include "rpc/member.h"
#include "rpc/methods.h"
#include "rpc/shapes.h"
#include "rpc/trial.h"
#include "rpc/tx_fill.h"

enum { MAX_BLOCKS = 1000000 };

/* ---- Mining -------------------------------------------------------------------------------------------------------- */

static const uint64_t last_time = CEVM_NODE_LAST_TIME;

/** The most seconds between two blocks: with MAX_BLOCKS of them the clock stays within 64 bits. */
static const uint64_t longest_interval = (UINT64_C(1) << 62) / MAX_BLOCKS;

static bool refuse_time(cevm_node_error *error, uint64_t timestamp)
{
    *error = (cevm_node_error){.code = CEVM_RPC_INVALID_PARAMS};
    (void)snprintf(error->text, sizeof error->text, "Timestamp error: %llu is beyond the last time of the clock, %llu",
                   (unsigned long long)timestamp, (unsigned long long)last_time);
    return false;
}

static bool check_interval(cevm_rpc_call *call, uint64_t interval)
{
    return interval <= longest_interval ||
           cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "Timestamp error: at most %llu seconds between two blocks",
                         (unsigned long long)longest_interval);
}

typedef struct timestamp_edit {
    uint64_t timestamp;
} timestamp_edit;

static bool set_next_timestamp(void *user, cevm_world *world, cevm_treedb *db, cevm_node_error *error)
{
    const timestamp_edit *edit = user;
    const uint64_t head = world->head->block.header.timestamp;
    (void)db;
    if (edit->timestamp <= head) {
        *error = (cevm_node_error){.code = CEVM_RPC_INVALID_PARAMS};
        (void)snprintf(error->text, sizeof error->text,
                       "Timestamp error: %llu is lower than or equal to previous block's timestamp %llu",
                       (unsigned long long)edit->timestamp, (unsigned long long)head);
        return false;
    }
    if (edit->timestamp > last_time) {
        return refuse_time(error, edit->timestamp);
    }
    world->settings.has_next_timestamp = true;
    world->settings.next_timestamp = edit->timestamp;
    return true;
}

static bool mine(cevm_rpc_call *call, uint64_t count, uint64_t interval)
{
    cevm_node_error error = {.err = CEVM_OK};
    if (count > MAX_BLOCKS) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "at most %d blocks can be mined at once", (int)MAX_BLOCKS);
    }
    return check_interval(call, interval) &&
           (cevm_node_mine(call->node, &error, count, interval) || cevm_rpc_fail_node(call, &error));
}

/** evm_mine's parameter: a timestamp, or {"timestamp", "blocks"}. */
static bool read_mine(cevm_rpc_call *call, uint64_t *count, timestamp_edit *at, bool *has_at)
{
    json_t *value = cevm_rpc_param(call, 0);
    bool has_blocks = false;
    *count = 1;
    *has_at = false;
    if (!json_is_object(value)) {
        *has_at = value != NULL;
        return value == NULL || cevm_rpc_read_u64(&at->timestamp, call, value, "timestamp");
    }
    return cevm_member_u64(count, &has_blocks, call, value, "blocks") &&
           cevm_member_u64(&at->timestamp, has_at, call, value, "timestamp");
}

static bool run_evm_mine(cevm_rpc_call *call, uint64_t *count)
{
    timestamp_edit at = {0};
    bool has_at = false;
    return read_mine(call, count, &at, &has_at) && (!has_at || cevm_rpc_edit(call, set_next_timestamp, &at)) &&
           mine(call, *count, 0);
}

void cevm_rpc_evm_mine(cevm_rpc_call *call)
{
    uint64_t count = 1;
    if (run_evm_mine(call, &count)) {
        cevm_json_put_quantity(call->out, 0);
    }
}

/** Writes the members of an object that another function writes whole, into an object that is open. */
static bool put_members(cevm_rpc_call *call, const cevm_record *record, size_t index, bool is_tx)
{
    cevm_rpc_capture capture;
    cevm_rpc_capture_begin(&capture, cevm_node_allocator(call->node));
    if (is_tx) {
        cevm_shape_record_tx(&capture.writer, record, index);
    } else {
        cevm_shape_block(&capture.writer, record, CEVM_BLOCK_HEADER, false);
    }
    json_error_t error;
    json_t *object = NULL;
    if (cevm_rpc_capture_end(&capture)) {
        object = json_loadb((const char *)capture.text.data, capture.text.size, 0, &error);
    }
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        cevm_json_put_key(call->out, key);
        cevm_json_put_raw(call->out, text != NULL ? text : "null", text != NULL ? strlen(text) : 4);
        free(text);
    }
    const bool ok = object != NULL || cevm_rpc_fail_err(call, CEVM_ERR_NOMEM);
    json_decref(object);
    cevm_buf_free(&capture.text);
    return ok;
}

static bool put_detailed_tx(cevm_rpc_call *call, const cevm_record *record, size_t index)
{
    const cevm_node_receipt *receipt = &record->receipts[index];
    cevm_json_writer *w = call->out;
    char reason[1024];
    cevm_json_begin_object(w);
    if (!put_members(call, record, index, true)) {
        return false;
    }
    cevm_shape_data(w, "output", receipt->output);
    if (!receipt->succeeded) {
        cevm_revert_message(reason, sizeof reason, receipt->output);
        cevm_json_put_key(w, "revertReason");
        cevm_json_put_string(w, reason);
    }
    cevm_json_end_object(w);
    return true;
}

static bool put_detailed_block(cevm_rpc_call *call, const cevm_record *record)
{
    cevm_json_begin_object(call->out);
    if (!put_members(call, record, 0, false)) {
        return false;
    }
    cevm_json_put_key(call->out, "transactions");
    cevm_json_begin_array(call->out);
    for (size_t i = 0; i < record->block.tx_count; ++i) {
        if (!put_detailed_tx(call, record, i)) {
            return false;
        }
    }
    cevm_json_end_array(call->out);
    cevm_json_end_object(call->out);
    return true;
}

void cevm_rpc_evm_mine_detailed(cevm_rpc_call *call)
{
    uint64_t count = 1;
    bool ok = run_evm_mine(call, &count) && cevm_rpc_settle(call);
    if (!ok) {
        return;
    }
    cevm_world *world = cevm_node_world(call->node);
    const uint64_t head = world->head->block.header.number;
    cevm_json_begin_array(call->out);
    for (uint64_t number = head - count + 1; ok && number <= head; ++number) {
        ok = put_detailed_block(call, cevm_world_block(world, number));
    }
    cevm_json_end_array(call->out);
    cevm_world_release(world);
}

/** anvil_mine and hardhat_mine: how many blocks, and seconds between them. */
void cevm_rpc_anvil_mine(cevm_rpc_call *call)
{
    uint64_t count = 1;
    uint64_t interval = 0;
    if (cevm_rpc_optional_u64(&count, call, 0, "count") && cevm_rpc_optional_u64(&interval, call, 1, "interval") &&
        mine(call, count, interval)) {
        cevm_rpc_done(call);
    }
}

/* ---- Snapshots ----------------------------------------------------------------------------------------------------- */

void cevm_rpc_evm_snapshot(cevm_rpc_call *call)
{
    cevm_node_error error = {.err = CEVM_OK};
    uint64_t id = 0;
    if (cevm_node_snapshot(call->node, &error, &id)) {
        cevm_json_put_quantity(call->out, id);
    } else {
        (void)cevm_rpc_fail_node(call, &error);
    }
}

void cevm_rpc_evm_revert(cevm_rpc_call *call)
{
    cevm_node_error error = {.err = CEVM_OK};
    uint64_t id = 0;
    bool found = false;
    if (!cevm_rpc_read_u64(&id, call, cevm_rpc_param(call, 0), "id")) {
        return;
    }
    if (cevm_node_revert(call->node, &error, &found, id)) {
        cevm_json_put_bool(call->out, found);
    } else {
        (void)cevm_rpc_fail_node(call, &error);
    }
}

/* ---- The clock ----------------------------------------------------------------------------------------------------- */

typedef struct clock_edit {
    uint64_t value;
    uint64_t offset; /* of the clock to real time, afterwards */
    bool found;
} clock_edit;

static bool increase_time(void *user, cevm_world *world, cevm_treedb *db, cevm_node_error *error)
{
    clock_edit *edit = user;
    const uint64_t now = cevm_node_now(world);
    (void)db;
    if (edit->value > last_time || now > last_time - edit->value) {
        return refuse_time(error, edit->value > UINT64_MAX - now ? UINT64_MAX : now + edit->value);
    }
    world->settings.time_offset += (int64_t)edit->value;
    edit->offset = (uint64_t)world->settings.time_offset;
    return true;
}

/** The clock shows this time, from now on. */
static bool set_time(void *user, cevm_world *world, cevm_treedb *db, cevm_node_error *error)
{
    clock_edit *edit = user;
    (void)db;
    (void)error;
    world->settings.time_offset += (int64_t)(edit->value - cevm_node_now(world));
    edit->offset = (uint64_t)world->settings.time_offset;
    return true;
}

static void edit_clock(cevm_rpc_call *call, const char *what,
                       bool (*edit)(void *, cevm_world *, cevm_treedb *, cevm_node_error *))
{
    clock_edit e = {0};
    if (cevm_rpc_read_u64(&e.value, call, cevm_rpc_param(call, 0), what) && cevm_rpc_edit(call, edit, &e)) {
        cevm_json_put_signed(call->out, (int64_t)e.offset);
    }
}

void cevm_rpc_evm_increaseTime(cevm_rpc_call *call) { edit_clock(call, "seconds", increase_time); }

/** Clients give seconds, or like JavaScript's Date milliseconds: no chain lives to see the year 5138. */
void cevm_rpc_evm_setTime(cevm_rpc_call *call)
{
    static const uint64_t latest = UINT64_C(100000000000);
    clock_edit e = {0};
    if (!cevm_rpc_read_u64(&e.value, call, cevm_rpc_param(call, 0), "timestamp")) {
        return;
    }
    e.value = e.value > latest ? e.value / 1000 : e.value;
    if (cevm_rpc_edit(call, set_time, &e)) {
        cevm_json_put_signed(call->out, (int64_t)e.offset);
    }
}

void cevm_rpc_evm_setNextBlockTimestamp(cevm_rpc_call *call)
{
    timestamp_edit edit = {0};
    if (cevm_rpc_read_u64(&edit.timestamp, call, cevm_rpc_param(call, 0), "timestamp") &&
        cevm_rpc_edit(call, set_next_timestamp, &edit)) {
        cevm_rpc_done(call);
    }
}

static bool set_interval(void *user, cevm_world *world, cevm_treedb *db, cevm_node_error *error)
{
    const clock_edit *edit = user;
    (void)db;
    (void)error;
    world->settings.has_timestamp_interval = true;
    world->settings.timestamp_interval = edit->value;
    return true;
}

static bool remove_interval(void *user, cevm_world *world, cevm_treedb *db, cevm_node_error *error)
{
    clock_edit *edit = user;
    (void)db;
    (void)error;
    edit->found = world->settings.has_timestamp_interval;
    world->settings.has_timestamp_interval = false;
    return true;
}

void cevm_rpc_anvil_setBlockTimestampInterval(cevm_rpc_call *call)
{
    clock_edit e = {0};
    if (cevm_rpc_read_u64(&e.value, call, cevm_rpc_param(call, 0), "seconds") && check_interval(call, e.value) &&
        cevm_rpc_edit(call, set_interval, &e)) {
        cevm_rpc_done(call);
    }
}

void cevm_rpc_anvil_removeBlockTimestampInterval(cevm_rpc_call *call)
{
    clock_edit e = {0};
    if (cevm_rpc_edit(call, remove_interval, &e)) {
        cevm_json_put_bool(call->out, e.found);
    }
}

/* ---- Other branches ------------------------------------------------------------------------------------------------- */

/** [transaction or raw bytes, place among the new blocks] */
static bool read_pair(cevm_rpc_call *call, cevm_reorg_tx *out, json_t *pair)
{
    cevm_tx *tx = cevm_arena_zalloc(call->arena, sizeof *tx);
    if (tx == NULL) {
        return cevm_rpc_fail_err(call, CEVM_ERR_NOMEM);
    }
    if (!json_is_array(pair) || json_array_size(pair) != 2) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS,
                             "pairs of a transaction and the place of its block are wanted");
    }
    out->tx = tx;
    json_t *what = json_array_get(pair, 0);
    const bool ok = json_is_string(what) ? cevm_tx_read_raw(tx, call, what)
                                         : cevm_tx_fill(tx, &out->impersonated, call, what, CEVM_FILL_SIGN);
    return ok && cevm_rpc_read_u64(&out->offset, call, json_array_get(pair, 1), "block");
}

void cevm_rpc_anvil_reorg(cevm_rpc_call *call)
{
    cevm_node_error error = {.err = CEVM_OK};
    json_t *first = cevm_rpc_param(call, 0);
    const bool is_object = json_is_object(first);
    json_t *pairs = is_object ? cevm_member(first, "tx_block_pairs") : cevm_rpc_param(call, 1);
    uint64_t depth = 0;
    if (!cevm_rpc_read_u64(&depth, call, is_object ? cevm_member(first, "depth") : first, "depth")) {
        return;
    }
    const size_t count = json_array_size(pairs);
    cevm_reorg_tx *txs = cevm_arena_array(call->arena, count, sizeof *txs);
    if (txs == NULL) {
        (void)cevm_rpc_fail_err(call, CEVM_ERR_NOMEM);
        return;
    }
    for (size_t i = 0; i < count; ++i) {
        if (!read_pair(call, &txs[i], json_array_get(pairs, i))) {
            return;
        }
        if (txs[i].offset >= depth) {
            (void)cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "the new branch has only %llu blocks",
                                (unsigned long long)depth);
            return;
        }
    }
    if (cevm_node_reorg(call->node, &error, depth, txs, count)) {
        cevm_rpc_done(call);
    } else {
        (void)cevm_rpc_fail_node(call, &error);
    }
}

void cevm_rpc_anvil_rollback(cevm_rpc_call *call)
{
    cevm_node_error error = {.err = CEVM_OK};
    uint64_t depth = 1;
    if (!cevm_rpc_optional_u64(&depth, call, 0, "depth")) {
        return;
    }
    if (cevm_node_rollback(call->node, &error, depth)) {
        cevm_rpc_done(call);
    } else {
        (void)cevm_rpc_fail_node(call, &error);
    }
}
