/* SPDX-License-Identifier: Apache-2.0 */
/* The readable step table. */
#include "trace/steps.h"

#include <cevm/alloc.h>
#include <cevm/hex.h>
#include <cevm/precompile.h>

#include <stdarg.h>

#include "evm/opcodes.h"
#include "trace/geth.h"
#include "trace/revert.h"
#include "trace/selectors.h"

enum { LEFT_COLUMNS = 28, INDENT_LIMIT = 16, NOTE_SIZE = 256, LINE_LIMIT = 400 };

typedef enum colour { PLAIN, DIM, BOLD, CALLS, STORAGE, FAILURE } colour;

struct cevm_steps {
    cevm_geth_trace base; /* first: the format functions get a pointer to it */
    cevm_steps_options options;
    bool titled;         /* the line of column titles has been written */
    char log[NOTE_SIZE]; /* the log the held instruction wrote; "" for none */
};

/* Text that knows how many columns it takes. Nothing is added beyond `limit` columns. */
typedef struct cell {
    char text[LINE_LIMIT * 3 + 1];
    size_t bytes;
    size_t columns;
    size_t limit;
} cell;

/* Columns of a text: its bytes but those that continue a UTF-8 sequence. */
static size_t columns_of(const char *text)
{
    size_t n = 0;
    for (; *text != '\0'; ++text) {
        n += ((unsigned char)*text & 0xc0U) != 0x80U ? 1 : 0;
    }
    return n;
}

/* Adds a text if it fits. */
static bool add(cell *c, const char *text)
{
    size_t bytes = strlen(text);
    size_t columns = columns_of(text);
    if (c->columns + columns > c->limit || c->bytes + bytes >= sizeof c->text) {
        return false;
    }
    memcpy(c->text + c->bytes, text, bytes + 1);
    c->bytes += bytes;
    c->columns += columns;
    return true;
}

static cell cell_of(size_t limit)
{
    cell c;
    c.text[0] = '\0';
    c.bytes = 0;
    c.columns = 0;
    c.limit = limit < LINE_LIMIT ? limit : LINE_LIMIT;
    return c;
}

static const char *dots(const cevm_steps *t) { return t->options.unicode ? "…" : ".."; }
static const char *arrow(const cevm_steps *t) { return t->options.unicode ? "→" : "->"; }
static const char *becomes(const cevm_steps *t) { return t->options.unicode ? "←" : "<-"; }

static void paint(cevm_steps *t, colour c)
{
    static const char *const codes[] = {"\033[0m", "\033[2m", "\033[1m", "\033[1;36m", "\033[33m", "\033[1;31m"};
    if (t->options.colour) {
        cevm_out_text(&t->base.out, codes[c]);
    }
}

static void put_painted(cevm_steps *t, colour c, const char *text)
{
    if (c == PLAIN) {
        cevm_out_text(&t->base.out, text);
    } else {
        paint(t, c);
        cevm_out_text(&t->base.out, text);
        paint(t, PLAIN);
    }
}

/* Text that may take several lines, each indented, the later ones more. */
static void put_wrapped(cevm_steps *t, colour c, size_t indent, const char *text)
{
    bool later = false;
    while (*text != '\0') {
        size_t n = cevm_wrap(text, t->options.width - indent);
        cevm_out_fill(&t->base.out, ' ', indent);
        paint(t, c);
        cevm_out_bytes(&t->base.out, text, text[n] != '\0' ? n - 1 : n);
        paint(t, PLAIN);
        cevm_out_char(&t->base.out, '\n');
        indent += later ? 0 : 2;
        later = true;
        text += n;
    }
}

/* A stack word in at most ten columns, in hex without "0x": short ones whole, long ones by their ends. */
static void short_word(const cevm_steps *t, char *out, size_t size, const cevm_u256 *v)
{
    char text[67];
    cevm_u256_to_hex(text, v);
    size_t digits = strlen(text) - 2;
    if (digits <= 10) {
        (void)snprintf(out, size, "%.10s", text + 2);
    } else {
        (void)snprintf(out, size, "%.4s%s%s", text + 2, dots(t), text + 2 + digits - 4);
    }
}

static const cevm_u256 *top(const cevm_step *step, size_t index)
{
    static const cevm_u256 zero = {{0, 0, 0, 0}};
    return index < step->stack_size ? &step->stack[step->stack_size - 1 - index] : &zero;
}

/* "name[at..end]" for a range of bytes given by two operands. */
static void put_range(const cevm_steps *t, char *out, size_t size, const char *name, const cevm_u256 *at,
                      const cevm_u256 *length)
{
    if (cevm_u256_fits_u64(at) && cevm_u256_fits_u64(length) && at->w[0] <= UINT32_MAX && length->w[0] <= UINT32_MAX) {
        (void)snprintf(out, size, "%s[%llx..%llx]", name, (unsigned long long)at->w[0],
                       (unsigned long long)(at->w[0] + length->w[0]));
    } else {
        char from[40];
        short_word(t, from, sizeof from, at);
        (void)snprintf(out, size, "%s[%s..]", name, from);
    }
}

/* "name[key]" or "name[key] <- value". */
static void put_slot(const cevm_steps *t, char *out, size_t size, const char *name, const cevm_u256 *key,
                     const cevm_u256 *value)
{
    char k[40];
    char v[40] = "";
    short_word(t, k, sizeof k, key);
    if (value != NULL) {
        short_word(t, v, sizeof v, value);
    }
    (void)snprintf(out, size, value != NULL ? "%s[%s] %s %s" : "%s[%s]", name, k, becomes(t), v);
}

/* "mem[a..b] <- source[c..d]". */
static void put_copy(const cevm_steps *t, char *out, size_t size, const char *source, const cevm_step *step,
                     size_t first)
{
    char to[80];
    char from[80];
    put_range(t, to, sizeof to, "mem", top(step, first), top(step, first + 2));
    put_range(t, from, sizeof from, source, top(step, first + 1), top(step, first + 2));
    (void)snprintf(out, size, "%s %s %s", to, becomes(t), from);
}

static void put_jump(const cevm_steps *t, char *out, size_t size, const cevm_step *step)
{
    char to[40];
    short_word(t, to, sizeof to, top(step, 0));
    if (step->op == OP_JUMPI && cevm_u256_is_zero(top(step, 1))) {
        (void)snprintf(out, size, "no jump to %s", to);
    } else {
        (void)snprintf(out, size, "%s %s", arrow(t), to);
    }
}

/* What an instruction does, in words; false when its operands say it best. */
static bool effect(const cevm_steps *t, char *out, size_t size, const cevm_step *step)
{
    if (step->stack_size < cevm_op_tables[CEVM_LATEST][step->op].in) {
        return false;
    }
    switch (step->op) {
    case OP_SLOAD: put_slot(t, out, size, "storage", top(step, 0), NULL); return true;
    case OP_SSTORE: put_slot(t, out, size, "storage", top(step, 0), top(step, 1)); return true;
    case OP_TLOAD: put_slot(t, out, size, "transient", top(step, 0), NULL); return true;
    case OP_TSTORE: put_slot(t, out, size, "transient", top(step, 0), top(step, 1)); return true;
    case OP_MLOAD: put_slot(t, out, size, "mem", top(step, 0), NULL); return true;
    case OP_MSTORE:
    case OP_MSTORE8: put_slot(t, out, size, "mem", top(step, 0), top(step, 1)); return true;
    case OP_CALLDATALOAD: put_slot(t, out, size, "calldata", top(step, 0), NULL); return true;
    case OP_CALLDATACOPY: put_copy(t, out, size, "calldata", step, 0); return true;
    case OP_CODECOPY: put_copy(t, out, size, "code", step, 0); return true;
    case OP_EXTCODECOPY: put_copy(t, out, size, "code", step, 1); return true;
    case OP_RETURNDATACOPY: put_copy(t, out, size, "returndata", step, 0); return true;
    case OP_MCOPY: put_copy(t, out, size, "mem", step, 0); return true;
    case OP_KECCAK256: put_range(t, out, size, "hash of mem", top(step, 0), top(step, 1)); return true;
    case OP_RETURN:
    case OP_REVERT: put_range(t, out, size, "mem", top(step, 0), top(step, 1)); return true;
    case OP_JUMP:
    case OP_JUMPI: put_jump(t, out, size, step); return true;
    default: return false;
    }
}

static colour colour_of(uint8_t op)
{
    switch (op) {
    case OP_SLOAD:
    case OP_SSTORE:
    case OP_TLOAD:
    case OP_TSTORE: return STORAGE;
    case OP_CALL:
    case OP_CALLCODE:
    case OP_DELEGATECALL:
    case OP_STATICCALL:
    case OP_CREATE:
    case OP_CREATE2:
    case OP_SELFDESTRUCT: return CALLS;
    default: return PLAIN;
    }
}

/* The operands from the top down, as many as fit; "+3" tells how many do not. */
static void add_stack(const cevm_steps *t, cell *c, const cevm_step *step)
{
    size_t limit = c->limit;
    for (size_t i = 0; i < step->stack_size; ++i) {
        char word[40];
        char more[24];
        short_word(t, word, sizeof word, top(step, i));
        size_t left = step->stack_size - i - 1;
        (void)snprintf(more, sizeof more, " +%zu", step->stack_size - i);
        c->limit = left == 0 || limit < 6 ? limit : limit - 5; /* room to say that there are more */
        if (c->columns + columns_of(word) + 1 > c->limit) {
            c->limit = limit;
            (void)add(c, i == 0 ? more + 1 : more);
            return;
        }
        (void)add(c, i == 0 ? "" : " ");
        (void)add(c, word);
    }
    c->limit = limit;
}

static size_t indent_of(uint32_t depth)
{
    size_t n = depth > 1 ? 2 * ((size_t)depth - 1) : 0;
    return n < INDENT_LIMIT ? n : INDENT_LIMIT;
}

/* The bytes behind a PUSH, shortened to what fits. */
static void add_immediate(const cevm_steps *t, cell *c, const cevm_step *step)
{
    size_t n = step->op > OP_PUSH0 && step->op <= OP_PUSH32 ? (size_t)(step->op - OP_PUSH0) : 0;
    char text[72] = " 0x";
    if (n == 0 || step->code.size == 0) {
        return;
    }
    size_t left = step->code.size - 1;
    size_t present = n < left ? n : left; /* code may end inside: the rest reads as zero */
    cevm_hex_encode(text + 3, step->code.data + 1, present);
    memset(text + 3 + 2 * present, '0', 2 * (n - present));
    text[3 + 2 * n] = '\0';
    if (!add(c, text) && n > 4) {
        char cut[40];
        (void)snprintf(cut, sizeof cut, "%.7s%s%s", text, dots(t), text + 3 + 2 * n - 4);
        (void)add(c, cut);
    }
}

static void put_titles(cevm_steps *t)
{
    char text[160];
    if (t->titled) {
        return;
    }
    t->titled = true;
    (void)snprintf(text, sizeof text, "%-*s%11s %10s  %s\n", LEFT_COLUMNS, "  pc  instruction", "gas left", "cost",
                   t->options.no_stack ? "effect" : "effect, or stack (top first)");
    put_painted(t, DIM, text);
}

/* A text in the last column, or on a line of its own when it is too long for it. */
static void put_right(cevm_steps *t, colour c, size_t indent, const char *text)
{
    if (columns_of(text) > t->options.width - LEFT_COLUMNS - 24) {
        cevm_out_char(&t->base.out, '\n');
        cevm_out_fill(&t->base.out, ' ', indent + 6);
    } else {
        cevm_out_text(&t->base.out, "  ");
    }
    put_painted(t, c, text);
}

static void steps_line(cevm_geth_trace *base, const cevm_geth_line *line)
{
    cevm_steps *t = (cevm_steps *)(void *)base;
    const cevm_step *step = line->step;
    cevm_out *o = &base->out;
    char buffer[LINE_LIMIT];
    size_t indent = indent_of(step->depth);
    size_t right = t->options.width - LEFT_COLUMNS - 24;
    cell left = cell_of(LEFT_COLUMNS);
    cell rest = cell_of(right);
    cevm_out_fill(o, ' ', indent);
    (void)snprintf(buffer, sizeof buffer, "%04llx  ", (unsigned long long)step->pc);
    put_painted(t, DIM, buffer);
    left.columns = indent + strlen(buffer);
    (void)add(&left, cevm_geth_op_name(buffer, sizeof buffer, step));
    add_immediate(t, &left, step);
    put_painted(t, line->error != NULL ? FAILURE : colour_of(step->op), left.text);
    cevm_out_fill(o, ' ', left.columns < LEFT_COLUMNS ? LEFT_COLUMNS - left.columns : 0);
    (void)snprintf(buffer, sizeof buffer, "%11lld %10lld", (long long)step->gas, (long long)line->gas_cost);
    cevm_out_text(o, buffer);
    if (line->error != NULL) {
        put_right(t, FAILURE, indent, line->error);
    } else if (effect(t, buffer, sizeof buffer, step)) {
        put_right(t, colour_of(step->op), indent, buffer);
    } else if (!t->options.no_stack && step->stack_size != 0) {
        add_stack(t, &rest, step);
        cevm_out_text(o, "  ");
        cevm_out_text(o, rest.text);
    }
    cevm_out_char(o, '\n');
    if (t->log[0] != '\0') {
        put_wrapped(t, STORAGE, indent + 6, t->log);
        t->log[0] = '\0';
    }
}

/* A log in words: the event when it is one of the known, what it holds otherwise. */
static void on_log(void *ctx, const cevm_log *log)
{
    cevm_steps *t = ctx;
    uint32_t start = 0;
    if (log->topic_count != 0) {
        const uint8_t *p = log->topics[0].bytes;
        start = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
    }
    const char *event = log->topic_count != 0 ? cevm_known_event(start) : NULL;
    uint8_t words[32 * 4];
    size_t indexed = log->topic_count != 0 ? log->topic_count - 1 : 0;
    if (event != NULL && indexed * 32 + log->data.size <= sizeof words) {
        char text[NOTE_SIZE - 8];
        for (size_t i = 0; i < indexed; ++i) {
            memcpy(words + 32 * i, log->topics[i + 1].bytes, 32);
        }
        if (log->data.size != 0) {
            memcpy(words + 32 * indexed, log->data.data, log->data.size);
        }
        cevm_describe_call(text, sizeof text, event, (cevm_bytes){words, indexed * 32 + log->data.size});
        (void)snprintf(t->log, sizeof t->log, "event %s", text);
    } else if (log->topic_count != 0) {
        (void)snprintf(t->log, sizeof t->log, "event 0x%08x%s (%u topics, %zu bytes)", start, dots(t),
                       (unsigned)log->topic_count, log->data.size);
    } else {
        (void)snprintf(t->log, sizeof t->log, "log without topics (%zu bytes)", log->data.size);
    }
}

static const char *kind_name(const cevm_message *msg)
{
    switch (msg->kind) {
    case CEVM_CALL: return msg->is_static ? "static call" : "call";
    case CEVM_CALLCODE: return "callcode";
    case CEVM_DELEGATECALL: return "delegate call";
    case CEVM_STATICCALL: return "static call";
    case CEVM_CREATE: return "create";
    case CEVM_CREATE2: return "create2";
    }
    return "call";
}

/* The function called, or the size of what was sent. */
static void describe_input(char *out, size_t size, const cevm_message *msg, cevm_fork fork)
{
    bool creates = msg->kind == CEVM_CREATE || msg->kind == CEVM_CREATE2;
    const cevm_precompile *contract = creates ? NULL : cevm_precompile_find(&msg->code_address, fork);
    if (creates) {
        (void)snprintf(out, size, "%zu bytes of init code", msg->input.size);
    } else if (contract != NULL) {
        (void)snprintf(out, size, "precompiled contract %s, %zu bytes of input", contract->name, msg->input.size);
    } else if (msg->input.size < 4) {
        (void)snprintf(out, size, msg->input.size == 0 ? "no input" : "%zu bytes of input", msg->input.size);
    } else {
        const uint8_t *p = msg->input.data;
        uint32_t selector = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
        const char *known = cevm_known_function(selector);
        if (known != NULL) {
            cevm_describe_call(out, size, known, (cevm_bytes){p + 4, msg->input.size - 4});
        } else {
            (void)snprintf(out, size, "input 0x%08x + %zu bytes", selector, msg->input.size - 4);
        }
    }
}

static void steps_enter(cevm_geth_trace *base, const cevm_message *msg, uint32_t depth)
{
    cevm_steps *t = (cevm_steps *)(void *)base;
    cevm_out *o = &base->out;
    char from[41];
    char to[41];
    char value[79];
    char text[NOTE_SIZE];
    size_t indent = indent_of(depth);
    bool delegated = msg->kind == CEVM_DELEGATECALL || msg->kind == CEVM_CALLCODE;
    put_titles(t);
    cevm_hex_encode(from, msg->sender.bytes, sizeof msg->sender.bytes);
    cevm_hex_encode(to, delegated ? msg->code_address.bytes : msg->recipient.bytes, sizeof msg->recipient.bytes);
    cevm_u256_to_decimal(value, &msg->value);
    cevm_out_fill(o, ' ', indent);
    (void)snprintf(text, sizeof text, "%s %s 0x%s", t->options.unicode ? "▼" : ">", kind_name(msg), to);
    put_painted(t, CALLS, text);
    cevm_out_char(o, '\n');
    cevm_out_fill(o, ' ', indent + 2);
    (void)snprintf(text, sizeof text, "from 0x%.4s%s%s, gas %lld%s%s%s\n", from, dots(t), from + 36,
                   (long long)msg->gas, cevm_u256_is_zero(&msg->value) ? "" : ", value ",
                   cevm_u256_is_zero(&msg->value) ? "" : value, cevm_u256_is_zero(&msg->value) ? "" : " wei");
    put_painted(t, DIM, text);
    describe_input(text, sizeof text, msg, base->fork);
    put_wrapped(t, BOLD, indent + 2, text);
}

static void steps_exit(cevm_geth_trace *base, const cevm_result *result, uint64_t gas_used, const char *error,
                       uint32_t depth)
{
    cevm_steps *t = (cevm_steps *)(void *)base;
    cevm_out *o = &base->out;
    char text[NOTE_SIZE + 64];
    const char *mark = t->options.unicode ? "▲" : "<";
    size_t size = result->output.size;
    if (error == NULL && size == 0) {
        (void)snprintf(text, sizeof text, "%s done", mark);
    } else if (error == NULL && size == 32) {
        char word[67];
        const cevm_u256 v = cevm_u256_from_be(result->output.data);
        cevm_u256_to_hex(word, &v);
        (void)snprintf(text, sizeof text, "%s returned %s", mark, word);
        if (columns_of(text) + indent_of(depth) > t->options.width) {
            (void)snprintf(text, sizeof text, "%s returned %.10s%s%s", mark, word, dots(t), word + 58);
        }
    } else if (error == NULL) {
        (void)snprintf(text, sizeof text, "%s returned %zu byte%s", mark, size, size == 1 ? "" : "s");
    } else if (result->status == CEVM_STATUS_REVERT) {
        char reason[NOTE_SIZE];
        (void)cevm_revert_describe(reason, sizeof reason, result->output);
        (void)snprintf(text, sizeof text, "%s reverted: %s", mark, reason);
    } else {
        (void)snprintf(text, sizeof text, "%s failed: %s", mark, error);
    }
    put_wrapped(t, error == NULL ? CALLS : FAILURE, indent_of(depth), text);
    cevm_out_fill(o, ' ', indent_of(depth) + 2);
    (void)snprintf(text, sizeof text, "gas used %llu\n", (unsigned long long)gas_used);
    put_painted(t, DIM, text);
}

static const cevm_geth_format format = {.enter = steps_enter, .line = steps_line, .exit = steps_exit};

cevm_err cevm_steps_create(cevm_steps **out, FILE *stream, const cevm_steps_options *opt, const cevm_allocator *a)
{
    const cevm_trace_fields fields = {.once = true};
    cevm_steps *t = cevm_zalloc(a, sizeof *t);
    *out = t;
    if (t == NULL) {
        return CEVM_ERR_NOMEM;
    }
    cevm_geth_trace_init(&t->base, stream, &format, &fields, a);
    t->base.hooks.on_log = on_log;
    if (opt != NULL) {
        t->options = *opt;
    }
    if (t->options.width == 0) {
        t->options.width = 80;
    }
    t->options.width = t->options.width < 64 ? 64 : t->options.width;
    t->options.width = t->options.width > LINE_LIMIT ? LINE_LIMIT : t->options.width;
    return CEVM_OK;
}

const cevm_tracer *cevm_steps_tracer(cevm_steps *t) { return &t->base.hooks; }

cevm_err cevm_steps_flush(cevm_steps *t) { return cevm_geth_trace_flush(&t->base); }

void cevm_steps_destroy(cevm_steps *t)
{
    if (t != NULL) {
        const cevm_allocator *a = t->base.allocator;
        cevm_geth_trace_release(&t->base);
        cevm_free(a, t);
    }
}
