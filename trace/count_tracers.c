/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tracers that count: selectors (4byteTracer, as geth's), instructions (opcountTracer and unigramTracer, in the shape
 * of geth's of these names), instructions with their gas (opcodeGasTracer); and noopTracer, which does nothing.
 */
#include <cevm/alloc.h>
#include <cevm/precompile.h>

#include <stdio.h>

#include "evm/opcodes.h"
#include "state/map.h"
#include "trace/trace_base.h"

/* ---- Nothing ------------------------------------------------------------------------------------------------------ */

static cevm_err finish_empty(cevm_trace *base, const cevm_receipt *receipt)
{
    (void)receipt;
    cevm_json_begin_object(base->out);
    cevm_json_end_object(base->out);
    return CEVM_OK;
}

cevm_err cevm_trace_make_noop(cevm_trace **out, cevm_trace_error *error, const cevm_trace_request *request)
{
    static const cevm_trace_ops ops = {.finish = finish_empty};
    (void)error;
    *out = cevm_trace_new(sizeof **out, &ops, request);
    return *out != NULL ? CEVM_OK : CEVM_ERR_NOMEM;
}

/* ---- Instructions ------------------------------------------------------------------------------------------------- */

typedef struct op_tracer {
    cevm_trace base;
    uint64_t count[256];
    uint64_t gas[256];
    uint64_t total;
    uint8_t op; /* between on_step and on_step_end */
    bool holding;
    /* The frame that began last, until another begins or ends: when it ends without a step, its caller pays for it. */
    bool leaf;
    uint8_t leaf_op;
    uint64_t leaf_gas; /* handed to it */
} op_tracer;

static void count_step(void *ctx, const cevm_step *step)
{
    op_tracer *t = ctx;
    t->leaf = false;
    t->holding = step->code.size != 0 && cevm_trace_step(&t->base);
    if (t->holding) {
        t->op = step->op;
        t->count[step->op]++;
        t->total++;
    }
}

static void count_gas(void *ctx, int64_t gas_cost, int status)
{
    op_tracer *t = ctx;
    (void)status;
    if (t->holding && gas_cost > 0) {
        t->gas[t->op] += (uint64_t)gas_cost;
    }
}

/*
 * What a call hands to its callee is spent there, by instructions that are counted themselves, or comes back: so does the
 * stipend, which is a part of what sending value costs.
 */
static void uncount_handed(void *ctx, const cevm_message *msg, uint32_t depth)
{
    op_tracer *t = ctx;
    t->leaf = depth > 1 && t->holding;
    if (t->leaf) {
        uint64_t *gas = &t->gas[t->op];
        t->leaf_op = t->op;
        t->leaf_gas = (uint64_t)msg->gas;
        *gas -= t->leaf_gas < *gas ? t->leaf_gas : *gas;
    }
}

/* A frame without steps is a precompiled contract, an account without code, or failed before it began. */
static void count_leaf(void *ctx, const cevm_result *result, uint32_t depth)
{
    op_tracer *t = ctx;
    (void)depth;
    if (t->leaf && t->leaf_gas > (uint64_t)result->gas.left) {
        t->gas[t->leaf_op] += t->leaf_gas - (uint64_t)result->gas.left;
    }
    t->leaf = false;
}

/* The name of an opcode, of any fork; bytes that are none as geth names them. */
static const char *name_of(char *buffer, size_t size, size_t op)
{
    const char *name = cevm_opcode_name(CEVM_LATEST, (uint8_t)op);
    if (name == NULL) {
        (void)snprintf(buffer, size, "opcode 0x%zx not defined", op);
        name = buffer;
    }
    return name;
}

static cevm_err finish_total(cevm_trace *base, const cevm_receipt *receipt)
{
    (void)receipt;
    cevm_json_put_number(base->out, ((op_tracer *)base)->total);
    return CEVM_OK;
}

static cevm_err finish_counts(cevm_trace *base, const cevm_receipt *receipt)
{
    const op_tracer *t = (op_tracer *)base;
    char buffer[32];
    (void)receipt;
    cevm_json_begin_object(base->out);
    for (size_t op = 0; op < 256; ++op) {
        if (t->count[op] != 0) {
            cevm_json_put_key(base->out, name_of(buffer, sizeof buffer, op));
            cevm_json_put_number(base->out, t->count[op]);
        }
    }
    cevm_json_end_object(base->out);
    return CEVM_OK;
}

static cevm_err finish_gas(cevm_trace *base, const cevm_receipt *receipt)
{
    const op_tracer *t = (op_tracer *)base;
    cevm_json_writer *w = base->out;
    char buffer[32];
    (void)receipt;
    cevm_json_begin_object(w);
    cevm_json_put_key(w, "opcodeGas");
    cevm_json_begin_array(w);
    for (size_t op = 0; op < 256; ++op) {
        if (t->count[op] != 0) {
            cevm_json_begin_object(w);
            cevm_json_put_key(w, "opcode");
            cevm_json_put_string(w, name_of(buffer, sizeof buffer, op));
            cevm_json_put_key(w, "count");
            cevm_json_put_number(w, t->count[op]);
            cevm_json_put_key(w, "gasUsed");
            cevm_json_put_number(w, t->gas[op]);
            cevm_json_end_object(w);
        }
    }
    cevm_json_end_array(w);
    cevm_json_end_object(w);
    return CEVM_OK;
}

static cevm_err make_op_tracer(cevm_trace **out, const cevm_trace_request *request, const cevm_trace_ops *ops)
{
    op_tracer *t = cevm_trace_new(sizeof *t, ops, request);
    if (t == NULL) {
        return CEVM_ERR_NOMEM;
    }
    t->base.hooks.on_step = count_step;
    *out = &t->base;
    return CEVM_OK;
}

cevm_err cevm_trace_make_op_count(cevm_trace **out, cevm_trace_error *error, const cevm_trace_request *request)
{
    static const cevm_trace_ops ops = {.finish = finish_total};
    (void)error;
    return make_op_tracer(out, request, &ops);
}

cevm_err cevm_trace_make_unigram(cevm_trace **out, cevm_trace_error *error, const cevm_trace_request *request)
{
    static const cevm_trace_ops ops = {.finish = finish_counts};
    (void)error;
    return make_op_tracer(out, request, &ops);
}

cevm_err cevm_trace_make_op_gas(cevm_trace **out, cevm_trace_error *error, const cevm_trace_request *request)
{
    static const cevm_trace_ops ops = {.finish = finish_gas};
    (void)error;
    cevm_err err = make_op_tracer(out, request, &ops);
    if (err == CEVM_OK) {
        (*out)->hooks.on_step_end = count_gas;
        (*out)->hooks.on_enter = uncount_handed;
        (*out)->hooks.on_exit = count_leaf;
    }
    return err;
}

/* ---- Selectors ---------------------------------------------------------------------------------------------------- */

typedef struct selector_count {
    uint32_t selector;
    uint64_t size; /* bytes behind the selector */
    uint64_t count;
} selector_count;

typedef struct selector_tracer {
    cevm_trace base;
    cevm_map_seed seed;
    cevm_map map;
    selector_count *rows;
    size_t row_count, row_capacity;
} selector_tracer;

static void count_selector(selector_tracer *t, uint32_t selector, uint64_t size)
{
    const cevm_u256 key = {{selector, size, 0, 0}};
    uint32_t tag = cevm_map_hash_slot(&t->seed, 0, &key);
    uint32_t at = cevm_map_start(&t->map, tag);
    for (uint32_t i; (i = cevm_map_next(&t->map, &at, tag)) != CEVM_MAP_NONE;) {
        if (t->rows[i].selector == selector && t->rows[i].size == size) {
            t->rows[i].count++;
            return;
        }
    }
    void *array = t->rows;
    bool ok = cevm_trace_grow(&t->base, &array, &t->row_capacity, t->row_count, sizeof t->rows[0]);
    t->rows = array;
    if (!ok) {
        return;
    }
    if (cevm_map_reserve(&t->map, 1) != CEVM_OK) {
        cevm_trace_fail(&t->base, CEVM_ERR_NOMEM);
        return;
    }
    t->rows[t->row_count] = (selector_count){selector, size, 1};
    cevm_map_insert(&t->map, tag, (uint32_t)t->row_count++);
}

static void on_selector(void *ctx, const cevm_message *msg, uint32_t depth)
{
    selector_tracer *t = ctx;
    (void)depth;
    bool creates = msg->kind == CEVM_CREATE || msg->kind == CEVM_CREATE2;
    if (creates || msg->input.size < 4 ||
        (!msg->disable_precompiles && cevm_precompile_find(&msg->code_address, t->base.fork) != NULL)) {
        return; /* a precompiled contract is no more than an instruction */
    }
    const uint8_t *p = msg->input.data;
    count_selector(t, (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3], msg->input.size - 4);
}

static int by_selector(const void *a, const void *b)
{
    const selector_count *x = a;
    const selector_count *y = b;
    if (x->selector != y->selector) {
        return x->selector < y->selector ? -1 : 1;
    }
    return x->size < y->size ? -1 : x->size > y->size ? 1 : 0;
}

static cevm_err finish_selectors(cevm_trace *base, const cevm_receipt *receipt)
{
    selector_tracer *t = (selector_tracer *)base;
    (void)receipt;
    cevm_sort(t->rows, t->row_count, sizeof t->rows[0], by_selector);
    cevm_json_begin_object(base->out);
    for (size_t i = 0; i < t->row_count && cevm_trace_may_write(base); ++i) {
        char name[40];
        (void)snprintf(name, sizeof name, "0x%08x-%llu", (unsigned)t->rows[i].selector,
                       (unsigned long long)t->rows[i].size);
        cevm_json_put_key(base->out, name);
        cevm_json_put_number(base->out, t->rows[i].count);
    }
    cevm_json_end_object(base->out);
    return base->failed;
}

static void release_selectors(cevm_trace *base)
{
    selector_tracer *t = (selector_tracer *)base;
    cevm_map_free(&t->map);
    cevm_free(base->allocator, t->rows);
}

cevm_err cevm_trace_make_four_byte(cevm_trace **out, cevm_trace_error *error, const cevm_trace_request *request)
{
    static const cevm_trace_ops ops = {.finish = finish_selectors, .release = release_selectors};
    selector_tracer *t = cevm_trace_new(sizeof *t, &ops, request);
    (void)error;
    if (t == NULL) {
        return CEVM_ERR_NOMEM;
    }
    cevm_map_seed_init(&t->seed);
    cevm_map_init(&t->map, request->allocator);
    t->base.hooks.on_enter = on_selector;
    *out = &t->base;
    return CEVM_OK;
}
