/* SPDX-License-Identifier: Apache-2.0 */
/* EIP-3155 lines in geth's spelling. */
#include "trace/eip3155.h"

#include <cevm/alloc.h>

#include "evm/opcodes.h"
#include "trace/geth.h"

struct cevm_eip3155 {
    cevm_geth_trace base; /* first: a trace is found by its base */
    cevm_eip3155_options options;
    cevm_tracer hooks; /* with call frames: the base's, but for SELFDESTRUCT */
    bool destroys;     /* a SELFDESTRUCT has begun, and if it does not fail ends the frame */
    cevm_address from, to;
    cevm_u256 value;
};

#define PUT(o, literal) cevm_out_bytes((o), (literal), sizeof(literal) - 1)

/*
 * What comes from contracts is written as digits, and errors are our own words: only "<" and ">" ("stack underflow
 * (0 <=> 2)") need care, for geth's JSON encoder escapes them.
 */
static void put_error(cevm_out *o, const char *text)
{
    if (text == NULL) {
        return;
    }
    PUT(o, ",\"error\":\"");
    for (; *text != '\0'; ++text) {
        if (*text == '<') {
            PUT(o, "\\u003c");
        } else if (*text == '>') {
            PUT(o, "\\u003e");
        } else {
            cevm_out_char(o, *text);
        }
    }
    cevm_out_char(o, '"');
}

static void put_stack(cevm_out *o, const cevm_u256 *stack, size_t size)
{
    cevm_out_char(o, '[');
    for (size_t i = 0; i < size; ++i) {
        if (i != 0) {
            cevm_out_char(o, ',');
        }
        cevm_out_char(o, '"');
        cevm_out_word(o, &stack[i]);
        cevm_out_char(o, '"');
    }
    cevm_out_char(o, ']');
}

static void put_line(cevm_geth_trace *t, const cevm_geth_line *line)
{
    const cevm_step *step = line->step;
    cevm_out *o = &t->out;
    char name[32];
    PUT(o, "{\"pc\":");
    cevm_out_decimal(o, step->pc);
    PUT(o, ",\"op\":");
    cevm_out_decimal(o, step->op);
    PUT(o, ",\"gas\":\"");
    cevm_out_quantity(o, (uint64_t)step->gas);
    PUT(o, "\",\"gasCost\":\"");
    cevm_out_quantity(o, (uint64_t)line->gas_cost);
    if (t->fields.memory && line->memory_size != 0) {
        PUT(o, "\",\"memory\":\"0x");
        cevm_out_hex(o, step->memory);
        cevm_out_hex_zeros(o, line->memory_size - step->memory.size);
    }
    PUT(o, "\",\"memSize\":");
    cevm_out_decimal(o, line->memory_size);
    PUT(o, ",\"stack\":");
    if (t->fields.no_stack) {
        PUT(o, "null");
    } else {
        put_stack(o, step->stack, line->stack_size);
    }
    if (t->fields.return_data && step->return_data.size != 0) {
        PUT(o, ",\"returnData\":\"0x");
        cevm_out_hex(o, step->return_data);
        cevm_out_char(o, '"');
    }
    PUT(o, ",\"depth\":");
    cevm_out_decimal(o, step->depth);
    PUT(o, ",\"refund\":");
    cevm_out_decimal(o, (uint64_t)step->refund);
    PUT(o, ",\"opName\":\"");
    cevm_out_text(o, cevm_geth_op_name(name, sizeof name, step));
    cevm_out_char(o, '"');
    put_error(o, line->error);
    PUT(o, "}\n");
}

static void put_exit(cevm_geth_trace *t, const cevm_result *result, uint64_t gas_used, const char *error,
                     uint32_t depth)
{
    cevm_out *o = &t->out;
    (void)depth;
    PUT(o, "{\"output\":\"");
    cevm_out_hex(o, result->output);
    PUT(o, "\",\"gasUsed\":\"");
    cevm_out_quantity(o, gas_used);
    cevm_out_char(o, '"');
    put_error(o, error);
    PUT(o, "}\n");
}

static const cevm_geth_format format = {.enter = NULL, .line = put_line, .exit = put_exit};

/* ---- Call frames -------------------------------------------------------------------------------------------------- */

static const char *const kind_names[] = {
    [CEVM_CALL] = "CALL",
    [CEVM_CALLCODE] = "CALLCODE",
    [CEVM_DELEGATECALL] = "DELEGATECALL",
    [CEVM_STATICCALL] = "STATICCALL",
    [CEVM_CREATE] = "CREATE",
    [CEVM_CREATE2] = "CREATE2",
};

static void put_ends(cevm_out *o, const cevm_address *from, const cevm_address *to)
{
    PUT(o, "{\"from\":\"0x");
    cevm_out_hex(o, (cevm_bytes){from->bytes, sizeof from->bytes});
    PUT(o, "\",\"to\":\"0x");
    cevm_out_hex(o, (cevm_bytes){to->bytes, sizeof to->bytes});
}

static void put_rest(cevm_out *o, uint64_t gas, const cevm_u256 *value, const char *kind)
{
    PUT(o, "\",\"gas\":\"");
    cevm_out_quantity(o, gas);
    if (value != NULL) {
        PUT(o, "\",\"value\":\"");
        cevm_out_word(o, value);
        PUT(o, "\",\"type\":\"");
    } else {
        PUT(o, "\",\"value\":null,\"type\":\"");
    }
    cevm_out_text(o, kind);
    PUT(o, "\"}\n");
}

static void put_enter(cevm_geth_trace *t, const cevm_message *msg, uint32_t depth)
{
    cevm_out *o = &t->out;
    (void)depth;
    bool keeps_account = msg->kind == CEVM_DELEGATECALL || msg->kind == CEVM_CALLCODE;
    put_ends(o, keeps_account ? &msg->recipient : &msg->sender, keeps_account ? &msg->code_address : &msg->recipient);
    if (t->fields.memory && msg->input.size != 0) {
        PUT(o, "\",\"input\":\"0x");
        cevm_out_hex(o, msg->input);
    }
    put_rest(o, (uint64_t)msg->gas, msg->kind == CEVM_STATICCALL ? NULL : &msg->value, kind_names[msg->kind]);
}

static void put_exit_with_frames(cevm_geth_trace *base, const cevm_result *result, uint64_t gas_used, const char *error,
                                 uint32_t depth)
{
    cevm_eip3155 *t = (cevm_eip3155 *)base;
    if (t->destroys) {
        put_ends(&base->out, &t->from, &t->to);
        put_rest(&base->out, 0, &t->value, "SELFDESTRUCT");
        PUT(&base->out, "{\"output\":\"\",\"gasUsed\":\"0x0\"}\n");
        t->destroys = false;
    }
    put_exit(base, result, gas_used, error, depth);
}

static const cevm_geth_format format_with_frames = {.enter = put_enter, .line = put_line, .exit = put_exit_with_frames};

/* What a SELFDESTRUCT will move, while it can still be seen. */
static void on_step(void *ctx, const cevm_step *step)
{
    cevm_eip3155 *t = ctx;
    t->base.hooks.on_step(&t->base, step);
    t->destroys = step->op == OP_SELFDESTRUCT && step->stack_size != 0;
    if (t->destroys) {
        t->from = *step->address;
        t->to = cevm_address_from_u256(&step->stack[step->stack_size - 1]);
        t->value = (cevm_u256){{0, 0, 0, 0}};
        if (t->options.balance != NULL && !t->options.balance(t->options.balance_ctx, &t->value, &t->from)) {
            t->value = (cevm_u256){{0, 0, 0, 0}};
        }
    }
}

static void on_step_end(void *ctx, int64_t gas_cost, int status)
{
    cevm_eip3155 *t = ctx;
    t->base.hooks.on_step_end(&t->base, gas_cost, status);
    t->destroys = t->destroys && (status < 0 || cevm_status_is_success((cevm_status)status));
}

/* The hooks of the base, called for this trace; `ctx` of the base's is the same address. */
static void watch_frames(cevm_eip3155 *t)
{
    t->hooks = t->base.hooks;
    t->hooks.ctx = t;
    t->hooks.on_step = on_step;
    t->hooks.on_step_end = on_step_end;
}

cevm_err cevm_eip3155_create(cevm_eip3155 **out, FILE *stream, const cevm_eip3155_options *opt, const cevm_allocator *a)
{
    cevm_eip3155 *t = cevm_zalloc(a, sizeof *t);
    *out = t;
    if (t == NULL) {
        return CEVM_ERR_NOMEM;
    }
    cevm_trace_fields fields = {0};
    if (opt != NULL) {
        fields = (cevm_trace_fields){.memory = opt->memory, .no_stack = opt->no_stack, .return_data = opt->return_data};
    }
    bool frames = opt != NULL && opt->call_frames;
    if (opt != NULL) {
        t->options = *opt;
    }
    cevm_geth_trace_init(&t->base, stream, frames ? &format_with_frames : &format, &fields, a);
    if (frames) {
        watch_frames(t);
    }
    return CEVM_OK;
}

const cevm_tracer *cevm_eip3155_tracer(cevm_eip3155 *t) { return t->options.call_frames ? &t->hooks : &t->base.hooks; }

cevm_err cevm_eip3155_flush(cevm_eip3155 *t) { return cevm_geth_trace_flush(&t->base); }

void cevm_eip3155_destroy(cevm_eip3155 *t)
{
    if (t != NULL) {
        const cevm_allocator *a = t->base.allocator;
        cevm_geth_trace_release(&t->base);
        cevm_free(a, t);
    }
}
