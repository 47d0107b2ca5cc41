/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The struct log: every instruction, in the shape of geth's. It is written while the transaction executes: what an
 * instruction finds at once, what it cost when that is known, and gas, failure and return value of the whole behind the
 * list. Only the storage slots seen are kept, for each SLOAD and SSTORE shows all of its contract so far.
 */
#include <cevm/alloc.h>
#include <cevm/hex.h>

#include "evm/opcodes.h"
#include "state/map.h"
#include "trace/fault_watch.h"
#include "trace/geth.h"
#include "trace/geth_fault.h"
#include "trace/trace_base.h"

typedef struct seen_slot {
    cevm_u256 key;
    cevm_u256 value;
    uint32_t owner; /* its contract */
    uint32_t next;  /* of the same contract; CEVM_MAP_NONE at the end */
} seen_slot;

typedef struct seen_contract {
    cevm_address address;
    uint32_t first, last; /* slots in the order in which they were seen */
} seen_contract;

typedef struct struct_log {
    cevm_trace base;
    bool memory, no_stack, no_storage, return_data;
    uint64_t limit; /* bytes of entries; 0 is none */
    cevm_fault_watch watch;
    uint64_t entries; /* bytes of entries written */
    uint64_t entry_start;
    bool begun;   /* "structLogs" is open */
    bool open;    /* an entry is, without its cost */
    bool waiting; /* its instruction has done its work, the next hook tells the rest */
    int64_t cost;
    cevm_map_seed seed;
    cevm_map contract_map, slot_map;
    seen_contract *contracts;
    size_t contract_count, contract_capacity;
    seen_slot *slots;
    size_t slot_count, slot_capacity;
} struct_log;

/* ---- Storage seen ------------------------------------------------------------------------------------------------- */

static uint32_t contract_of(struct_log *t, const cevm_address *address)
{
    uint32_t tag = cevm_map_hash_address(&t->seed, address);
    uint32_t at = cevm_map_start(&t->contract_map, tag);
    for (uint32_t i; (i = cevm_map_next(&t->contract_map, &at, tag)) != CEVM_MAP_NONE;) {
        if (cevm_address_equal(&t->contracts[i].address, address)) {
            return i;
        }
    }
    void *array = t->contracts;
    bool ok = cevm_trace_grow(&t->base, &array, &t->contract_capacity, t->contract_count, sizeof t->contracts[0]);
    t->contracts = array;
    if (!ok || cevm_map_reserve(&t->contract_map, 1) != CEVM_OK) {
        cevm_trace_fail(&t->base, CEVM_ERR_NOMEM);
        return CEVM_MAP_NONE;
    }
    uint32_t index = (uint32_t)t->contract_count++;
    t->contracts[index] = (seen_contract){*address, CEVM_MAP_NONE, CEVM_MAP_NONE};
    cevm_map_insert(&t->contract_map, tag, index);
    return index;
}

static void see(struct_log *t, uint32_t owner, const cevm_u256 *key, const cevm_u256 *value)
{
    uint32_t tag = cevm_map_hash_slot(&t->seed, owner, key);
    uint32_t at = cevm_map_start(&t->slot_map, tag);
    seen_contract *contract = &t->contracts[owner];
    for (uint32_t i; (i = cevm_map_next(&t->slot_map, &at, tag)) != CEVM_MAP_NONE;) {
        if (t->slots[i].owner == owner && cevm_u256_equal(&t->slots[i].key, key)) {
            t->slots[i].value = *value;
            return;
        }
    }
    void *array = t->slots;
    bool ok = cevm_trace_grow(&t->base, &array, &t->slot_capacity, t->slot_count, sizeof t->slots[0]);
    t->slots = array;
    if (!ok || cevm_map_reserve(&t->slot_map, 1) != CEVM_OK) {
        cevm_trace_fail(&t->base, CEVM_ERR_NOMEM);
        return;
    }
    uint32_t index = (uint32_t)t->slot_count++;
    t->slots[index] = (seen_slot){*key, *value, owner, CEVM_MAP_NONE};
    cevm_map_insert(&t->slot_map, tag, index);
    if (contract->last != CEVM_MAP_NONE) {
        t->slots[contract->last].next = index;
    } else {
        contract->first = index;
    }
    contract->last = index;
}

/* An SLOAD or SSTORE shows what is known of its contract's storage, its own slot included. */
static void put_storage(struct_log *t, const cevm_step *step)
{
    const cevm_u256 *top = step->stack + step->stack_size - 1;
    bool load = step->op == OP_SLOAD && step->stack_size >= 1;
    bool store = step->op == OP_SSTORE && step->stack_size >= 2;
    if (t->no_storage || (!load && !store)) {
        return;
    }
    cevm_u256 value = load ? cevm_trace_slot(&t->base, step->address, top) : top[-1];
    uint32_t owner = contract_of(t, step->address);
    if (owner == CEVM_MAP_NONE) {
        return;
    }
    see(t, owner, top, &value);
    cevm_json_writer *w = t->base.out;
    cevm_json_put_key(w, "storage");
    cevm_json_begin_object(w);
    for (uint32_t i = t->contracts[owner].first; i != CEVM_MAP_NONE; i = t->slots[i].next) {
        char name[67] = "0x";
        uint8_t bytes[32];
        cevm_u256_to_be(bytes, &t->slots[i].key);
        cevm_hex_encode(name + 2, bytes, sizeof bytes);
        cevm_json_put_key(w, name);
        cevm_json_put_word(w, &t->slots[i].value);
    }
    cevm_json_end_object(w);
}

/* ---- Entries ------------------------------------------------------------------------------------------------------ */

static void begin_list(struct_log *t)
{
    if (!t->begun) {
        t->begun = true;
        cevm_json_begin_object(t->base.out);
        cevm_json_put_key(t->base.out, "structLogs");
        cevm_json_begin_array(t->base.out);
    }
}

static void put_stack(cevm_json_writer *w, const cevm_step *step)
{
    cevm_json_put_key(w, "stack");
    cevm_json_begin_array(w);
    for (size_t i = 0; i < step->stack_size; ++i) {
        cevm_json_put_quantity256(w, &step->stack[i]);
    }
    cevm_json_end_array(w);
}

static void put_memory(cevm_json_writer *w, const cevm_step *step)
{
    cevm_json_put_key(w, "memory");
    cevm_json_begin_array(w);
    for (size_t i = 0; i + 32 <= step->memory.size && !w->failed; i += 32) {
        cevm_json_put_data(w, (cevm_bytes){step->memory.data + i, 32});
    }
    cevm_json_end_array(w);
}

/* Ends the entry that is open. */
static void end_entry(struct_log *t, int64_t refund, const char *error)
{
    cevm_json_writer *w = t->base.out;
    t->open = false;
    t->waiting = false;
    cevm_json_put_key(w, "gasCost");
    cevm_json_put_number(w, (uint64_t)t->cost);
    if (refund != 0) {
        cevm_json_put_key(w, "refund");
        cevm_json_put_number(w, (uint64_t)refund);
    }
    if (error != NULL) {
        cevm_json_put_key(w, "error");
        cevm_json_put_string(w, error);
    }
    cevm_json_end_object(w);
    t->entries += w->total - t->entry_start;
    (void)cevm_trace_may_write(&t->base);
}

/* The entry of an instruction whose price or refund only this hook, the next one, could tell. */
static void settle(struct_log *t, int64_t refund)
{
    if (t->waiting) {
        bool counted = t->watch.held.op == OP_SSTORE || t->watch.held.op == OP_SELFDESTRUCT;
        end_entry(t, counted ? refund : t->watch.held.refund, NULL);
    }
}

static void on_tx_start(void *ctx, const struct cevm_block_env *block, const struct cevm_tx_env *tx)
{
    struct_log *t = ctx;
    (void)tx;
    t->watch.fork = block->fork;
}

static void on_step(void *ctx, const cevm_step *step)
{
    struct_log *t = ctx;
    settle(t, step->refund);
    if (!cevm_trace_step(&t->base) || !cevm_fault_watch_step(&t->watch, step) ||
        (t->limit != 0 && t->entries > t->limit)) {
        return;
    }
    cevm_json_writer *w = t->base.out;
    char name[32];
    begin_list(t);
    t->entry_start = w->total;
    t->open = true;
    cevm_json_begin_object(w);
    cevm_json_put_key(w, "pc");
    cevm_json_put_number(w, step->pc);
    cevm_json_put_key(w, "op");
    cevm_json_put_string(w, cevm_geth_op_name(name, sizeof name, step));
    cevm_json_put_key(w, "gas");
    cevm_json_put_number(w, (uint64_t)step->gas);
    cevm_json_put_key(w, "depth");
    cevm_json_put_number(w, step->depth);
    if (!t->no_stack) {
        put_stack(w, step);
    }
    if (t->return_data && step->return_data.size != 0) {
        cevm_json_put_key(w, "returnData");
        cevm_json_put_data(w, step->return_data);
    }
    if (t->memory && step->memory.size != 0) {
        put_memory(w, step);
    }
    put_storage(t, step);
}

static void on_step_end(void *ctx, int64_t gas_cost, int status)
{
    struct_log *t = ctx;
    uint8_t op = t->watch.held.op;
    bool fails = cevm_fault_watch_step_end(&t->watch, &gas_cost, status);
    if (!t->open) {
        return;
    }
    t->cost = gas_cost;
    /* What geth finds while it executes, not before, its struct log does not show. */
    bool shows = fails && !cevm_geth_shows_twice(&t->watch.held, status);
    if (!fails && (op == OP_SSTORE || op == OP_SELFDESTRUCT || op == OP_CREATE || op == OP_CREATE2)) {
        t->waiting = true; /* see must_wait in trace/geth.c */
        return;
    }
    end_entry(t, t->watch.held.refund, shows ? t->watch.text : NULL);
}

static void on_enter(void *ctx, const struct cevm_message *msg, uint32_t depth)
{
    struct_log *t = ctx;
    (void)depth;
    if (t->watch.held.op == OP_CREATE || t->watch.held.op == OP_CREATE2) {
        t->cost -= msg->gas;
    }
    settle(t, t->watch.held.refund);
    cevm_fault_watch_enter(&t->watch);
}

static void on_leave(void *ctx, const struct cevm_result *result, uint32_t depth)
{
    struct_log *t = ctx;
    (void)depth;
    settle(t, result->gas.refund);
}

/* ---- The whole ---------------------------------------------------------------------------------------------------- */

static cevm_err begin(cevm_trace *base, const cevm_tx *tx, const cevm_block_env *block)
{
    (void)tx;
    ((struct_log *)base)->watch.fork = block->fork;
    return CEVM_OK;
}

static cevm_err finish(cevm_trace *base, const cevm_receipt *receipt)
{
    struct_log *t = (struct_log *)base;
    cevm_json_writer *w = base->out;
    bool keeps_output = cevm_status_is_success(receipt->status) || receipt->status == CEVM_STATUS_REVERT;
    begin_list(t);
    cevm_json_end_array(w);
    cevm_json_put_key(w, "gas");
    cevm_json_put_number(w, receipt->gas_used);
    cevm_json_put_key(w, "failed");
    cevm_json_put_bool(w, !cevm_status_is_success(receipt->status));
    cevm_json_put_key(w, "returnValue");
    cevm_json_put_data(w, keeps_output ? receipt->output : (cevm_bytes){NULL, 0});
    cevm_json_end_object(w);
    return CEVM_OK;
}

static void abandon(cevm_trace *base, const char *reason)
{
    struct_log *t = (struct_log *)base;
    if (t->open) {
        end_entry(t, 0, NULL);
    }
    cevm_json_close_to(base->out, base->depth + 1);
    cevm_json_put_key(base->out, "error");
    cevm_json_put_string(base->out, reason);
}

static void release(cevm_trace *base)
{
    struct_log *t = (struct_log *)base;
    cevm_map_free(&t->contract_map);
    cevm_map_free(&t->slot_map);
    cevm_free(base->allocator, t->contracts);
    cevm_free(base->allocator, t->slots);
}

static const cevm_trace_ops ops = {.begin = begin, .finish = finish, .abort = abandon, .release = release};

cevm_err cevm_trace_make_struct_log(cevm_trace **out, cevm_trace_error *error, const cevm_trace_request *request)
{
    const json_t *config = request->config;
    struct_log *t = cevm_trace_new(sizeof *t, &ops, request);
    if (t == NULL) {
        return CEVM_ERR_NOMEM;
    }
    /* Older clients say disableMemory; that it is false then says they want it. */
    bool no_memory = true;
    if (!cevm_trace_option_bool(&no_memory, error, config, "disableMemory")) {
        goto refused;
    }
    t->memory = !no_memory;
    if (!cevm_trace_option_bool(&t->memory, error, config, "enableMemory") ||
        !cevm_trace_option_bool(&t->no_stack, error, config, "disableStack") ||
        !cevm_trace_option_bool(&t->no_storage, error, config, "disableStorage") ||
        !cevm_trace_option_bool(&t->return_data, error, config, "enableReturnData") ||
        !cevm_trace_option_number(&t->limit, error, config, "limit")) {
        goto refused;
    }
    t->watch.fork = CEVM_LATEST;
    cevm_map_seed_init(&t->seed);
    cevm_map_init(&t->contract_map, request->allocator);
    cevm_map_init(&t->slot_map, request->allocator);
    t->base.hooks.on_tx_start = on_tx_start;
    t->base.hooks.on_step = on_step;
    t->base.hooks.on_step_end = on_step_end;
    t->base.hooks.on_enter = on_enter;
    t->base.hooks.on_exit = on_leave;
    *out = &t->base;
    return CEVM_OK;
refused:
    cevm_free(request->allocator, t);
    return CEVM_ERR_ARGUMENT;
}
