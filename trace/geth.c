/* SPDX-License-Identifier: Apache-2.0 */
/* The base of the formats that follow geth. */
#include "trace/geth.h"

#include <cevm/alloc.h>

#include <stdio.h>

#include "evm/opcodes.h"
#include "trace/geth_fault.h"

const char *cevm_geth_op_name(char *buffer, size_t size, const cevm_step *step)
{
    if (step->op_name != NULL) {
        return step->op_name;
    }
    (void)snprintf(buffer, size, "opcode 0x%x not defined", (unsigned)step->op);
    return buffer;
}

/* Points *view at a copy of what it views. Without memory for it the view becomes empty and the tracer remembers. */
static void keep(cevm_geth_trace *t, cevm_kept_bytes *kept, cevm_bytes *view)
{
    if (view->size == 0) {
        view->data = NULL;
        return;
    }
    if (kept->capacity < view->size) {
        uint8_t *grown = cevm_resize(t->allocator, kept->data, view->size);
        if (grown == NULL) {
            t->no_memory = true;
            *view = (cevm_bytes){0};
            return;
        }
        kept->data = grown;
        kept->capacity = view->size;
    }
    memcpy(kept->data, view->data, view->size);
    view->data = kept->data;
}

static void on_tx_start(void *ctx, const struct cevm_block_env *block, const struct cevm_tx_env *tx)
{
    cevm_geth_trace *t = ctx;
    (void)tx;
    t->fork = block->fork;
}

/* Writes the line that waited for what only the next hook tells. */
static void settle(cevm_geth_trace *t)
{
    if (t->waiting) {
        cevm_geth_line line = {&t->held, t->held.stack_size, t->held.memory.size, t->waiting_cost, NULL};
        t->waiting = false;
        t->format->line(t, &line);
    }
}

static void on_step(void *ctx, const cevm_step *step)
{
    cevm_geth_trace *t = ctx;
    if (t->held.op == OP_SSTORE) { /* a line that waits; otherwise about to be overwritten */
        t->held.refund = step->refund;
    }
    settle(t);
    if (step->code.size == 0) { /* a creation without initcode: geth does not run it */
        return;
    }
    t->held = *step;
    t->held.stack = t->stack;
    t->held.stack_size = step->stack_size <= CEVM_TRACE_STACK_LIMIT ? step->stack_size : CEVM_TRACE_STACK_LIMIT;
    if (t->held.stack_size != 0) {
        memcpy(t->stack, step->stack, t->held.stack_size * sizeof t->stack[0]);
    }
    t->held.code = (cevm_bytes){t->code, 0};
    if (step->pc < step->code.size) {
        size_t left = step->code.size - (size_t)step->pc;
        t->held.code.size = left < sizeof t->code ? left : sizeof t->code;
        memcpy(t->code, step->code.data + step->pc, t->held.code.size);
    }
    if (t->fields.memory) {
        keep(t, &t->memory, &t->held.memory);
    }
    if (t->fields.return_data) {
        keep(t, &t->return_data, &t->held.return_data);
    } else {
        t->held.return_data = (cevm_bytes){0};
    }
    t->holding = true;
}

/*
 * Some instructions are written late. geth counts the refund of an SSTORE or SELFDESTRUCT while it prices it, before it
 * shows it: the line bears the counter that the next hook finds. And its price of a creation does not hold the gas handed
 * to the new frame.
 */
static bool must_wait(uint8_t op)
{
    return op == OP_SSTORE || op == OP_SELFDESTRUCT || op == OP_CREATE || op == OP_CREATE2;
}

static void on_step_end(void *ctx, int64_t gas_cost, int status)
{
    cevm_geth_trace *t = ctx;
    if (!t->holding) {
        return;
    }
    t->holding = false;
    if (status < 0 && must_wait(t->held.op)) {
        t->waiting = true;
        t->waiting_cost = gas_cost;
        return;
    }
    cevm_geth_line line = {&t->held, t->held.stack_size, t->held.memory.size, gas_cost, NULL};
    bool fails = status >= 0 && !cevm_status_is_success((cevm_status)status);
    bool twice = fails && cevm_geth_shows_twice(&t->held, status) && !t->fields.once;
    if (fails) {
        cevm_geth_fault(t->fault, sizeof t->fault, &line.gas_cost, &t->held, status, t->fork);
        if (!twice) {
            line.error = t->fault;
        }
    }
    t->format->line(t, &line);
    if (twice) {
        line.stack_size -= cevm_geth_operands_taken(&t->held, status);
        line.memory_size = cevm_geth_memory_at_fault(&t->held, status);
        line.error = t->fault;
        t->held.return_data = (cevm_bytes){0}; /* geth's fault hook is not given it */
        t->format->line(t, &line);
    }
}

static void on_enter(void *ctx, const struct cevm_message *msg, uint32_t depth)
{
    cevm_geth_trace *t = ctx;
    if (t->held.op == OP_CREATE || t->held.op == OP_CREATE2) {
        t->waiting_cost -= msg->gas;
    }
    settle(t);
    t->fault[0] = '\0';
    if (depth < CEVM_TRACE_MAX_DEPTH) {
        t->start_gas[depth] = msg->gas;
    }
    if (t->format->enter != NULL) {
        t->format->enter(t, msg, depth);
    }
}

static void on_exit(void *ctx, const struct cevm_result *result, uint32_t depth)
{
    cevm_geth_trace *t = ctx;
    if (t->waiting && t->held.op == OP_SELFDESTRUCT) {
        t->held.refund = result->gas.refund;
    }
    settle(t);
    int64_t start = depth < CEVM_TRACE_MAX_DEPTH ? t->start_gas[depth] : 0;
    uint64_t used = start > result->gas.left ? (uint64_t)(start - result->gas.left) : 0;
    const char *error = NULL;
    if (!cevm_status_is_success(result->status)) {
        error = t->fault[0] != '\0' ? t->fault : cevm_status_string(result->status);
    }
    t->format->exit(t, result, used, error, depth);
    t->fault[0] = '\0';
    if (depth <= 1) {
        (void)cevm_out_flush(&t->out);
    }
}

void cevm_geth_trace_init(cevm_geth_trace *t, FILE *stream, const cevm_geth_format *format,
                          const cevm_trace_fields *fields, const cevm_allocator *a)
{
    t->format = format;
    if (fields != NULL) {
        t->fields = *fields;
    }
    t->allocator = a;
    t->fork = CEVM_LATEST;
    t->out.stream = stream;
    t->hooks = (cevm_tracer){.struct_size = sizeof t->hooks,
                             .ctx = t,
                             .on_tx_start = on_tx_start,
                             .on_enter = on_enter,
                             .on_exit = on_exit,
                             .on_step = on_step,
                             .on_step_end = on_step_end};
}

cevm_err cevm_geth_trace_flush(cevm_geth_trace *t)
{
    settle(t);
    if (!cevm_out_flush(&t->out)) {
        return CEVM_ERR_IO;
    }
    return t->no_memory ? CEVM_ERR_NOMEM : CEVM_OK;
}

void cevm_geth_trace_release(cevm_geth_trace *t)
{
    (void)cevm_geth_trace_flush(t);
    cevm_free(t->allocator, t->memory.data);
    cevm_free(t->allocator, t->return_data.data);
}
