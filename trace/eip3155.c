/* SPDX-License-Identifier: Apache-2.0 */
/* EIP-3155 lines in geth's spelling. */
#include "trace/eip3155.h"

#include <cevm/alloc.h>

#include "trace/geth.h"

struct cevm_eip3155 {
    cevm_geth_trace base;
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
    cevm_geth_trace_init(&t->base, stream, &format, &fields, a);
    return CEVM_OK;
}

const cevm_tracer *cevm_eip3155_tracer(cevm_eip3155 *t) { return &t->base.hooks; }

cevm_err cevm_eip3155_flush(cevm_eip3155 *t) { return cevm_geth_trace_flush(&t->base); }

void cevm_eip3155_destroy(cevm_eip3155 *t)
{
    if (t != NULL) {
        const cevm_allocator *a = t->base.allocator;
        cevm_geth_trace_release(&t->base);
        cevm_free(a, t);
    }
}
