/* SPDX-License-Identifier: Apache-2.0 */
/* geth's struct and Markdown traces. */
#include "trace/geth_text.h"

#include <cevm/alloc.h>
#include <cevm/crypto.h>
#include <cevm/hex.h>

#include "evm/opcodes.h"
#include "trace/geth.h"

struct cevm_geth_text {
    cevm_geth_trace base; /* first: the format functions get a pointer to it */
    bool no_storage;
};

/* Text padded to `width` columns, on its left or its right. */
static void put_padded(cevm_out *o, const char *text, size_t width, bool to_the_right)
{
    size_t length = strlen(text);
    size_t pad = length < width ? width - length : 0;
    cevm_out_fill(o, ' ', to_the_right ? pad : 0);
    cevm_out_text(o, text);
    cevm_out_fill(o, ' ', to_the_right ? 0 : pad);
}

static void put_number(cevm_out *o, uint64_t v, int width)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%*llu", width, (unsigned long long)v);
    cevm_out_text(o, text);
}

/* An address with the mixed case that checks it (EIP-55). */
static void put_address(cevm_out *o, const cevm_address *address)
{
    char text[41];
    cevm_hash hash;
    cevm_hex_encode(text, address->bytes, sizeof address->bytes);
    cevm_keccak256(&hash, text, 40);
    for (size_t i = 0; i < 40; ++i) {
        unsigned nibble = ((unsigned)hash.bytes[i / 2] >> (i % 2 == 0 ? 4 : 0)) & 15U;
        if (nibble >= 8 && text[i] >= 'a') {
            text[i] = (char)(text[i] - 'a' + 'A');
        }
    }
    cevm_out_text(o, "0x");
    cevm_out_text(o, text);
}

/* ---- md ----------------------------------------------------------------------------------------------------------- */

static void put_0x(cevm_out *o, cevm_bytes bytes)
{
    cevm_out_text(o, bytes.size != 0 ? "0x" : "");
    cevm_out_hex(o, bytes);
}

static void md_enter(cevm_geth_trace *t, const cevm_message *msg, uint32_t depth)
{
    cevm_out *o = &t->out;
    char value[79];
    if (depth != 1) {
        return;
    }
    cevm_u256_to_decimal(value, &msg->value);
    cevm_out_text(o, "Pre-execution info:\n  - from: `");
    put_address(o, &msg->sender);
    cevm_out_text(o, msg->kind == CEVM_CREATE ? "`\n  - create: `" : "`\n  - to: `");
    put_address(o, &msg->recipient);
    cevm_out_text(o, "`\n  - data: `");
    put_0x(o, msg->input);
    cevm_out_text(o, "`\n  - gas: `");
    cevm_out_decimal(o, (uint64_t)msg->gas);
    cevm_out_text(o, "`\n  - value: `");
    cevm_out_text(o, value);
    cevm_out_text(o, "` wei\n\n");
    cevm_out_text(o, t->fields.no_stack
                         ? "|  Pc   |      Op     | Cost |   Refund  |\n|-------|-------------|------|-----------|\n"
                         : "|  Pc   |      Op     | Cost |   Refund  |   Stack   |\n"
                           "|-------|-------------|------|-----------|-----------|\n");
}

static void md_stack(cevm_out *o, const cevm_u256 *stack, size_t size)
{
    char word[67] = "";
    if (size <= 1) { /* the only rows narrow enough to be padded */
        char cell[80];
        if (size == 1) {
            cevm_u256_to_hex(word, &stack[0]);
        }
        (void)snprintf(cell, sizeof cell, "[%s]", word);
        put_padded(o, cell, 10, true);
        return;
    }
    size_t length = 1; /* every item brings one bracket or comma, and one is left */
    for (size_t i = 0; i < size && length < 10; ++i) {
        cevm_u256_to_hex(word, &stack[i]);
        length += strlen(word) + 1;
    }
    cevm_out_fill(o, ' ', length < 10 ? 10 - length : 0);
    for (size_t i = 0; i < size; ++i) {
        cevm_out_char(o, i == 0 ? '[' : ',');
        cevm_out_word(o, &stack[i]);
    }
    cevm_out_char(o, ']');
}

static void md_line(cevm_geth_trace *t, const cevm_geth_line *line)
{
    cevm_out *o = &t->out;
    char name[32];
    cevm_out_text(o, "| ");
    put_number(o, line->step->pc, 4);
    cevm_out_text(o, "  | ");
    put_padded(o, cevm_geth_op_name(name, sizeof name, line->step), 10, true);
    cevm_out_text(o, "  |  ");
    put_number(o, (uint64_t)line->gas_cost, 3);
    cevm_out_text(o, " |");
    put_number(o, (uint64_t)line->step->refund, 10);
    cevm_out_text(o, " |");
    if (!t->fields.no_stack) {
        md_stack(o, line->step->stack, line->stack_size);
        cevm_out_text(o, " |");
    }
    cevm_out_char(o, '\n');
    if (line->error != NULL) {
        cevm_out_text(o, "Error: ");
        cevm_out_text(o, line->error);
        cevm_out_char(o, '\n');
    }
}

static void md_exit(cevm_geth_trace *t, const cevm_result *result, uint64_t gas_used, const char *error, uint32_t depth)
{
    cevm_out *o = &t->out;
    if (depth != 1) {
        return;
    }
    cevm_out_text(o, "\nPost-execution info:\n  - output: `");
    put_0x(o, result->output);
    cevm_out_text(o, "`\n  - consumed gas: `");
    cevm_out_decimal(o, gas_used);
    cevm_out_text(o, "`\n  - error: `");
    cevm_out_text(o, error != NULL ? error : "<nil>");
    cevm_out_text(o, "`\n");
}

/* ---- struct ------------------------------------------------------------------------------------------------------- */

/* Bytes as `hexdump -C` shows them; what lies beyond data.size, up to size, is zero. */
static void put_dump(cevm_out *o, cevm_bytes data, size_t size)
{
    for (size_t at = 0; at < size; at += 16) {
        char row[96];
        char plain[17] = "";
        int n = snprintf(row, sizeof row, "%08zx ", at);
        for (size_t i = 0; i < 16; ++i) {
            bool inside = at + i < size;
            uint8_t byte = at + i < data.size ? data.data[at + i] : 0;
            const char *gap = i == 8 ? "  " : " ";
            n += inside ? snprintf(row + n, sizeof row - (size_t)n, "%s%02x", gap, (unsigned)byte)
                        : snprintf(row + n, sizeof row - (size_t)n, "%s  ", gap);
            if (inside) {
                plain[i] = byte >= 32 && byte < 127 ? (char)byte : '.';
                plain[i + 1] = '\0';
            }
        }
        cevm_out_text(o, row);
        cevm_out_text(o, "  |");
        cevm_out_text(o, plain);
        cevm_out_text(o, "|\n");
    }
}

static void put_word_hex(cevm_out *o, const cevm_u256 *v)
{
    uint8_t bytes[32];
    cevm_u256_to_be(bytes, v);
    cevm_out_hex(o, (cevm_bytes){bytes, sizeof bytes});
}

static void struct_line(cevm_geth_trace *t, const cevm_geth_line *line)
{
    const cevm_geth_text *text = (const cevm_geth_text *)(const void *)t;
    const cevm_step *step = line->step;
    cevm_out *o = &t->out;
    char name[32];
    char number[96];
    put_padded(o, cevm_geth_op_name(name, sizeof name, step), 16, false);
    (void)snprintf(number, sizeof number, "pc=%08llu gas=%lld cost=%lld", (unsigned long long)step->pc,
                   (long long)step->gas, (long long)line->gas_cost);
    cevm_out_text(o, number);
    if (line->error != NULL) {
        cevm_out_text(o, " ERROR: ");
        cevm_out_text(o, line->error);
    }
    cevm_out_char(o, '\n');
    if (!t->fields.no_stack && line->stack_size != 0) {
        cevm_out_text(o, "Stack:\n");
        for (size_t i = 0; i < line->stack_size; ++i) {
            (void)snprintf(number, sizeof number, "%08zu  ", i);
            cevm_out_text(o, number);
            cevm_out_word(o, &step->stack[line->stack_size - 1 - i]);
            cevm_out_char(o, '\n');
        }
    }
    if (t->fields.memory && line->memory_size != 0) {
        cevm_out_text(o, "Memory:\n");
        put_dump(o, step->memory, line->memory_size);
    }
    if (!text->no_storage && step->op == OP_SSTORE && step->stack_size >= 2) {
        cevm_out_text(o, "Storage:\n");
        put_word_hex(o, &step->stack[step->stack_size - 1]);
        cevm_out_text(o, ": ");
        put_word_hex(o, &step->stack[step->stack_size - 2]);
        cevm_out_char(o, '\n');
    }
    if (t->fields.return_data && step->return_data.size != 0) {
        cevm_out_text(o, "ReturnData:\n");
        put_dump(o, step->return_data, step->return_data.size);
    }
    cevm_out_char(o, '\n');
}

static void struct_exit(cevm_geth_trace *t, const cevm_result *result, uint64_t gas_used, const char *error,
                        uint32_t depth)
{
    (void)t;
    (void)result;
    (void)gas_used;
    (void)error;
    (void)depth;
}

static const cevm_geth_format markdown = {.enter = md_enter, .line = md_line, .exit = md_exit};
static const cevm_geth_format paragraphs = {.enter = NULL, .line = struct_line, .exit = struct_exit};

cevm_err cevm_geth_text_create(cevm_geth_text **out, FILE *stream, const cevm_geth_text_options *opt,
                               const cevm_allocator *a)
{
    static const cevm_geth_text_options defaults = {0};
    const cevm_geth_text_options *use = opt != NULL ? opt : &defaults;
    cevm_geth_text *t = cevm_zalloc(a, sizeof *t);
    *out = t;
    if (t == NULL) {
        return CEVM_ERR_NOMEM;
    }
    cevm_trace_fields fields = {.memory = use->memory && !use->markdown,
                                .no_stack = use->no_stack,
                                .return_data = use->return_data && !use->markdown};
    cevm_geth_trace_init(&t->base, stream, use->markdown ? &markdown : &paragraphs, &fields, a);
    t->no_storage = use->no_storage;
    return CEVM_OK;
}

const cevm_tracer *cevm_geth_text_tracer(cevm_geth_text *t) { return &t->base.hooks; }

cevm_err cevm_geth_text_flush(cevm_geth_text *t) { return cevm_geth_trace_flush(&t->base); }

void cevm_geth_text_destroy(cevm_geth_text *t)
{
    if (t != NULL) {
        const cevm_allocator *a = t->base.allocator;
        cevm_geth_trace_release(&t->base);
        cevm_free(a, t);
    }
}
