/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/console.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cevm/alloc.h>
#include <cevm/crypto.h>
#include <cevm/hex.h>
#include <cevm/vm.h>

enum { PARTS = 4, TEXT_SIZE = 8192, MAX_SIGNATURES = 1024 };

typedef enum part_type { END, UINT, INT, STRING, BOOL, ADDRESS, BYTES, FIXED } part_type; /* FIXED + n - 1: bytesN */

typedef struct signature {
    uint32_t selector;
    uint8_t types[PARTS];
} signature;

struct cevm_console {
    const cevm_allocator *allocator;
    size_t count;
    signature items[MAX_SIGNATURES];
};

/* 0x000000000000000000636F6e736F6c652e6c6f67: "console.log" behind zeros */
static const char name[] = "console.log";
enum { NAME_SIZE = sizeof name - 1 };

static bool is_console(const cevm_address *address)
{
    static const uint8_t zeros[20 - NAME_SIZE];
    return memcmp(address->bytes, zeros, sizeof zeros) == 0 &&
           memcmp(address->bytes + sizeof zeros, name, NAME_SIZE) == 0;
}

bool cevm_console_in_code(cevm_bytes code)
{
    return code.size != 0 && memmem(code.data, code.size, name, NAME_SIZE) != NULL;
}

/* ---- Signatures --------------------------------------------------------------------------------------------------------- */

static void add(cevm_console *c, const char *text, const uint8_t types[PARTS])
{
    cevm_hash hash;
    if (c->count == MAX_SIGNATURES) {
        return;
    }
    cevm_keccak256(&hash, text, strlen(text));
    signature *s = &c->items[c->count++];
    s->selector =
        (uint32_t)hash.bytes[0] << 24 | (uint32_t)hash.bytes[1] << 16 | (uint32_t)hash.bytes[2] << 8 | hash.bytes[3];
    memcpy(s->types, types, PARTS);
}

/* log of up to four parts, each of one of four types; old versions of the library had uint for uint256 in the name. */
static void add_combinations(cevm_console *c, const char *uint_name)
{
    const char *const names[] = {uint_name, "string", "bool", "address"};
    static const uint8_t types[] = {UINT, STRING, BOOL, ADDRESS};
    for (unsigned parts = 0; parts <= PARTS; ++parts) {
        for (unsigned n = 0; n < 1u << (2 * parts); ++n) {
            char text[64] = "log(";
            uint8_t list[PARTS] = {0};
            size_t used = 4;
            for (unsigned i = 0; i < parts; ++i) {
                unsigned which = n >> (2 * i) & 3;
                list[i] = types[which];
                used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i != 0 ? "," : "", names[which]);
            }
            (void)snprintf(text + used, sizeof text - used, ")");
            add(c, text, list);
        }
    }
}

static void add_named(cevm_console *c)
{
    static const struct {
        const char *text;
        uint8_t types[PARTS];
    } others[] = {
        {"log(int256)", {INT}},
        {"log(int)", {INT}},
        {"log(string,int256)", {STRING, INT}},
        {"log(string,int)", {STRING, INT}},
        {"log(bytes)", {BYTES}},
        {"logBytes(bytes)", {BYTES}},
        {"logString(string)", {STRING}},
        {"logBool(bool)", {BOOL}},
        {"logAddress(address)", {ADDRESS}},
        {"logUint(uint256)", {UINT}},
        {"logUint(uint)", {UINT}},
        {"logInt(int256)", {INT}},
        {"logInt(int)", {INT}},
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; ++i) {
        add(c, others[i].text, others[i].types);
    }
    for (unsigned n = 1; n <= 32; ++n) {
        char text[32];
        uint8_t types[PARTS] = {(uint8_t)(FIXED + n - 1)};
        (void)snprintf(text, sizeof text, "logBytes%u(bytes%u)", n, n);
        add(c, text, types);
        (void)snprintf(text, sizeof text, "log(bytes%u)", n);
        add(c, text, types);
    }
}

static int compare(const void *a, const void *b)
{
    const signature *x = a;
    const signature *y = b;
    return (x->selector > y->selector) - (x->selector < y->selector);
}

cevm_console *cevm_console_create(const cevm_allocator *allocator)
{
    cevm_console *c = cevm_zalloc(allocator, sizeof *c);
    if (c != NULL) {
        c->allocator = allocator;
        add_combinations(c, "uint256");
        add_combinations(c, "uint");
        add_named(c);
        qsort(c->items, c->count, sizeof c->items[0], compare);
    }
    return c;
}

void cevm_console_destroy(cevm_console *console)
{
    if (console != NULL) {
        cevm_free(console->allocator, console);
    }
}

/* ---- Text --------------------------------------------------------------------------------------------------------------- */

typedef struct text {
    char *out;
    size_t size, room; /* room: without the NUL */
} text;

static void put(text *t, const char *bytes, size_t size)
{
    size_t n = size < t->room - t->size ? size : t->room - t->size;
    memcpy(t->out + t->size, bytes, n);
    t->size += n;
    t->out[t->size] = '\0';
}

static void put_hex(text *t, const uint8_t *bytes, size_t size)
{
    put(t, "0x", 2);
    for (size_t i = 0; i < size && t->size < t->room; ++i) {
        char pair[3];
        cevm_hex_encode(pair, bytes + i, 1);
        put(t, pair, 2);
    }
}

/* The bytes a part of a type without fixed size points to. */
static bool dynamic(cevm_bytes *out, cevm_bytes arguments, const cevm_u256 *offset)
{
    if (!cevm_u256_fits_u64(offset) || arguments.size < 32 || offset->w[0] > arguments.size - 32) {
        return false;
    }
    cevm_u256 size = cevm_u256_from_be(arguments.data + offset->w[0]);
    if (!cevm_u256_fits_u64(&size) || size.w[0] > arguments.size - 32 - offset->w[0]) {
        return false;
    }
    *out = (cevm_bytes){arguments.data + offset->w[0] + 32, (size_t)size.w[0]};
    return true;
}

static void put_decimal(text *t, cevm_u256 value, bool is_signed)
{
    char digits[80];
    if (is_signed && value.w[3] >> 63 != 0) {
        put(t, "-", 1);
        uint64_t carry = 1; /* two's complement */
        for (int i = 0; i < 4; ++i) {
            value.w[i] = ~value.w[i] + carry;
            carry = carry != 0 && value.w[i] == 0;
        }
    }
    cevm_u256_to_decimal(digits, &value);
    put(t, digits, strlen(digits));
}

/* Writes part `index`; `hex`: numbers in hex. False when it is not there. */
static bool put_part(text *t, const signature *s, size_t index, cevm_bytes arguments, bool hex)
{
    char digits[80];
    cevm_bytes bytes;
    if (arguments.size / 32 <= index) {
        return false;
    }
    const uint8_t *word = arguments.data + 32 * index;
    cevm_u256 value = cevm_u256_from_be(word);
    cevm_address address = cevm_address_from_u256(&value);
    switch (s->types[index]) {
    case UINT:
    case INT:
        if (hex) {
            cevm_u256_to_hex(digits, &value);
            put(t, digits, strlen(digits));
        } else {
            put_decimal(t, value, s->types[index] == INT);
        }
        return true;
    case BOOL: put(t, value.w[0] != 0 ? "true" : "false", value.w[0] != 0 ? 4 : 5); return true;
    case ADDRESS:
        cevm_address_to_text(digits, &address);
        put(t, digits, strlen(digits));
        return true;
    case STRING:
        if (!dynamic(&bytes, arguments, &value)) {
            return false;
        }
        put(t, (const char *)bytes.data, bytes.size);
        return true;
    case BYTES:
        if (!dynamic(&bytes, arguments, &value)) {
            return false;
        }
        put_hex(t, bytes.data, bytes.size);
        return true;
    default: put_hex(t, word, (size_t)s->types[index] - FIXED + 1); return true;
    }
}

static size_t part_count(const signature *s)
{
    size_t n = 0;
    while (n < PARTS && s->types[n] != END) {
        ++n;
    }
    return n;
}

/* The first part with the following ones in the place of its %s, %d … *used: how many parts it took. */
static bool put_filled(text *t, const signature *s, cevm_bytes arguments, cevm_bytes format, size_t *used)
{
    size_t count = part_count(s);
    const char *p = (const char *)format.data;
    size_t start = 0;
    *used = 1;
    for (size_t i = 0; i + 1 < format.size; ++i) {
        if (p[i] != '%') {
            continue;
        }
        bool percent = p[i + 1] == '%';
        bool fills = strchr("sdiox", p[i + 1]) != NULL && p[i + 1] != '\0' && *used < count;
        if (percent || fills) {
            put(t, p + start, i - start + (percent ? 1 : 0));
            if (fills && !put_part(t, s, (*used)++, arguments, p[i + 1] == 'x')) {
                return false;
            }
            start = i + 2;
            ++i;
        }
    }
    put(t, p + start, format.size - start);
    return true;
}

bool cevm_console_format(char *out, size_t size, const cevm_console *console, cevm_bytes input)
{
    text t = {out, 0, size - 1};
    out[0] = '\0';
    if (input.size < 4) {
        return false;
    }
    const signature key = {.selector = (uint32_t)input.data[0] << 24 | (uint32_t)input.data[1] << 16 |
                                       (uint32_t)input.data[2] << 8 | input.data[3]};
    const signature *s = bsearch(&key, console->items, console->count, sizeof key, compare);
    const cevm_bytes arguments = {input.data + 4, input.size - 4};
    if (s == NULL) {
        return false;
    }
    size_t count = part_count(s);
    size_t i = 0;
    if (count > 1 && s->types[0] == STRING && arguments.size >= 32) {
        cevm_bytes format;
        cevm_u256 offset = cevm_u256_from_be(arguments.data);
        if (!dynamic(&format, arguments, &offset) || !put_filled(&t, s, arguments, format, &i)) {
            return false;
        }
    }
    for (; i < count; ++i) {
        put(&t, " ", i != 0 ? 1 : 0);
        if (!put_part(&t, s, i, arguments, false)) {
            return false;
        }
    }
    return true;
}

/* ---- Listening ------------------------------------------------------------------------------------------------------------- */

/** Makes what it takes to read the first line. */
static bool prepare(cevm_console_tap *tap)
{
    if (tap->console == NULL) {
        tap->console = tap->own = cevm_console_create(tap->allocator);
    }
    if (tap->text == NULL) {
        tap->text = cevm_alloc(tap->allocator, TEXT_SIZE);
    }
    return tap->console != NULL && tap->text != NULL;
}

static void on_enter(void *ctx, const struct cevm_message *message, uint32_t depth)
{
    cevm_console_tap *tap = ctx;
    (void)depth;
    if (tap->stopped || message->kind == CEVM_CREATE || !is_console(&message->code_address)) {
        return;
    }
    if (!prepare(tap)) {
        tap->stopped = true;
    } else if (cevm_console_format(tap->text, TEXT_SIZE, tap->console, message->input)) {
        tap->stopped = !tap->visit(tap->user, tap->index, tap->text);
    }
}

void cevm_console_tap_open(cevm_console_tap *out, const cevm_console *console, cevm_console_visit visit, void *user,
                           const cevm_allocator *allocator)
{
    *out = (cevm_console_tap){.tracer = {.struct_size = sizeof out->tracer, .ctx = out, .on_enter = on_enter},
                              .allocator = allocator,
                              .console = console,
                              .visit = visit,
                              .user = user};
}

void cevm_console_tap_close(cevm_console_tap *tap)
{
    cevm_console_destroy(tap->own);
    cevm_free(tap->allocator, tap->text);
}

/* ---- Replay ------------------------------------------------------------------------------------------------------------- */

typedef struct replay {
    cevm_console_tap tap;
    size_t only;
} replay;

static const cevm_tracer *tracer_for(void *user, size_t index)
{
    replay *r = user;
    r->tap.index = index;
    return r->only == SIZE_MAX || r->only == index ? &r->tap.tracer : NULL;
}

static bool done(void *user, size_t index, const cevm_receipt *receipt)
{
    const replay *r = user;
    (void)receipt;
    return !r->tap.stopped && index != r->only;
}

cevm_err cevm_console_replay(const cevm_console *console, cevm_node *node, cevm_world *world, cevm_record *record,
                             size_t only_index, const cevm_console_bounds *bounds, cevm_console_visit visit, void *user)
{
    cevm_workbench bench;
    if (record->before == NULL) {
        return CEVM_ERR_ARGUMENT;
    }
    replay r = {.only = only_index};
    cevm_console_tap_open(&r.tap, console, visit, user, cevm_node_allocator(node));
    cevm_err err = cevm_workbench_open_before(&bench, node, world, record);
    if (err == CEVM_OK) {
        cevm_vm_set_deadline(bench.vm, bounds->deadline_ns);
        cevm_vm_set_cancel(bench.vm, bounds->cancel);
        err = cevm_workbench_replay(&bench, tracer_for, done, &r);
        cevm_workbench_close(&bench);
    }
    cevm_console_tap_close(&r.tap);
    return err;
}
