/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of the log: for people, and as JSON. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include <cevm/hex.h>

#include "rpc/log.h"
#include "trace/selectors.h"

#define RED   "\x1b[31m"
#define GREEN "\x1b[32m"
#define CYAN  "\x1b[36m"
#define DIM   "\x1b[2m"
#define BOLD  "\x1b[1m"
#define PLAIN "\x1b[0m"

typedef struct line {
    char *out;
    size_t size;
    const cevm_node_log_options *options;
} line;

static void put(line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(line *l, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(l->out + l->size, CEVM_LOG_LINE - l->size, format, arguments);
    va_end(arguments);
    size_t left = CEVM_LOG_LINE - 1 - l->size;
    l->size += n < 0 ? 0 : (size_t)n < left ? (size_t)n : left;
}

static const char *colour(const line *l, const char *code) { return l->options->colour ? code : ""; }

static uint32_t selector_of(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* 0xf39F…2266 */
static void put_address(line *l, const cevm_address *address)
{
    char text[43];
    cevm_address_to_text(text, address);
    put(l, "%.6s%s%s", text, l->options->unicode ? "…" : "..", text + 38);
}

static void put_hash(line *l, const cevm_hash *hash)
{
    char text[65];
    cevm_hex_encode(text, hash->bytes, sizeof hash->bytes);
    put(l, "0x%.4s%s%s", text, l->options->unicode ? "…" : "..", text + 60);
}

/* 51,234 */
static void put_count(line *l, uint64_t value)
{
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%" PRIu64, value);
    for (int i = 0; i < n; ++i) {
        put(l, "%s%c", i != 0 && (n - i) % 3 == 0 ? "," : "", digits[i]);
    }
}

/* What comes from clients and contracts goes to a terminal: no control characters, one line. */
static void put_clean(line *l, const char *text, size_t size)
{
    for (size_t i = 0; i < size && l->size + 8 < CEVM_LOG_LINE; ++i) {
        unsigned char c = (unsigned char)text[i];
        bool c1 = c == 0xc2 && i + 1 < size && (unsigned char)text[i + 1] >= 0x80 && (unsigned char)text[i + 1] < 0xa0;
        put(l, c < 0x20 || c == 0x7f || c1 ? "\\x%02x" : "%c", c);
    }
}

/* ---- JSON --------------------------------------------------------------------------------------------------------------- */

/* Collects a line; what does not fit makes it too long. */
typedef struct json_line {
    char *out;
    size_t size;
} json_line;

static bool json_sink(void *ctx, const char *text, size_t size)
{
    json_line *j = ctx;
    if (size >= CEVM_LOG_LINE - j->size) {
        return false;
    }
    memcpy(j->out + j->size, text, size);
    j->size += size;
    j->out[j->size] = '\0';
    return true;
}

static void json_begin(cevm_json_writer *w, json_line *j, char *out, const char *event)
{
    *j = (json_line){out, 0};
    out[0] = '\0';
    cevm_json_writer_init(w, json_sink, j);
    cevm_json_begin_object(w);
    cevm_json_put_key(w, "event");
    cevm_json_put_string(w, event);
}

static size_t json_end(cevm_json_writer *w, json_line *j)
{
    cevm_json_end_object(w);
    if (!cevm_json_flush(w)) {
        static const char text[] = "{\"event\":\"dropped\",\"reason\":\"too long\"}";
        memcpy(j->out, text, sizeof text);
        j->size = sizeof text - 1;
    }
    return j->size;
}

static void json_text(cevm_json_writer *w, const char *key, const char *text, size_t size)
{
    cevm_json_put_key(w, key);
    cevm_json_put_string_n(w, text, size < 300 ? size : 300);
}

static void json_number(cevm_json_writer *w, const char *key, uint64_t value)
{
    cevm_json_put_key(w, key);
    cevm_json_put_number(w, value);
}

static void json_hash(cevm_json_writer *w, const char *key, const cevm_hash *hash)
{
    cevm_json_put_key(w, key);
    cevm_json_put_hash(w, hash);
}

static void json_address(cevm_json_writer *w, const char *key, const cevm_address *address)
{
    cevm_json_put_key(w, key);
    cevm_json_put_address(w, address);
}

/* The reason behind an error's data, where it is what a contract reverted with; "" otherwise. */
static void revert_reason(char out[512], const cevm_node_log_options *options, const cevm_rpc_call *call)
{
    const char *data = call->error.data;
    size_t length = data != NULL ? strlen(data) : 0;
    size_t size;
    out[0] = '\0';
    if (call->error.code != CEVM_RPC_REVERTED || length < 12 || data[0] != '"' ||
        strchr(call->error.message, ':') != NULL) { /* then it says why */
        return;
    }
    uint8_t *bytes = cevm_arena_alloc(call->arena, length);
    if (bytes != NULL && cevm_hex_decode(bytes, &size, data + 1, length - 2)) {
        cevm_artifacts_describe_revert(out, 512, options->artifacts, (cevm_bytes){bytes, size});
    }
}

/* ---- Requests ----------------------------------------------------------------------------------------------------------- */

size_t cevm_log_request(char out[CEVM_LOG_LINE], const cevm_node_log_options *options, const cevm_rpc_call *call,
                        const char *method, uint64_t nanoseconds)
{
    size_t size = strlen(method);
    size = size < 64 ? size : 64;
    char reason[512];
    revert_reason(reason, options, call);
    if (options->json) {
        cevm_json_writer w;
        json_line j;
        json_begin(&w, &j, out, "request");
        json_text(&w, "method", method, size);
        json_number(&w, "microseconds", nanoseconds / 1000);
        if (call->error.code != 0) {
            cevm_json_put_key(&w, "code");
            cevm_json_put_signed(&w, call->error.code);
            json_text(&w, "error", call->error.message, strlen(call->error.message));
            json_text(&w, "reason", reason, strlen(reason));
        }
        return json_end(&w, &j);
    }
    line l = {out, 0, options};
    put(&l, "%s", colour(&l, BOLD));
    put_clean(&l, method, size);
    put(&l, "%s  %s%" PRIu64 ".%02" PRIu64 " ms%s", colour(&l, PLAIN), colour(&l, DIM), nanoseconds / 1000000,
        nanoseconds / 10000 % 100, colour(&l, PLAIN));
    if (call->error.code != 0) {
        put(&l, "  %serror %d%s: ", colour(&l, RED), call->error.code, colour(&l, PLAIN));
        put_clean(&l, call->error.message, strlen(call->error.message));
        put(&l, "%s", reason[0] != '\0' ? ": " : "");
        put_clean(&l, reason, strlen(reason));
    }
    return l.size;
}

/* ---- Transactions ------------------------------------------------------------------------------------------------------- */

/* The function a transaction calls: its name without arguments; "" when there is none. */
static void function_name(char out[128], const cevm_node_log_options *options, const cevm_tx *tx)
{
    out[0] = '\0';
    if (tx->is_create || tx->data.size < 4) {
        return;
    }
    uint32_t selector = selector_of(tx->data.data);
    const char *signature = cevm_artifacts_function(options->artifacts, selector);
    if (signature != NULL) {
        (void)snprintf(out, 128, "%.*s", (int)strcspn(signature, "("), signature);
    } else {
        (void)snprintf(out, 128, "0x%08" PRIx32, selector);
    }
}

static void failure(char out[512], const cevm_node_log_options *options, const cevm_node_receipt *receipt,
                    const cevm_tx *tx)
{
    if (receipt->output.size != 0) {
        cevm_artifacts_describe_revert(out, 512, options->artifacts, receipt->output);
    } else {
        (void)snprintf(out, 512, "%s",
                       receipt->gas_used == tx->gas_limit ? "no reason; all gas was used" : "no reason given");
    }
}

static size_t json_tx(char out[CEVM_LOG_LINE], const cevm_node_log_options *options, const cevm_record *record,
                      size_t index)
{
    const cevm_tx *tx = record->block.txs[index];
    const cevm_node_receipt *receipt = &record->receipts[index];
    cevm_json_writer w;
    json_line j;
    char text[512];
    json_begin(&w, &j, out, "transaction");
    json_hash(&w, "hash", &record->hashes[index]);
    json_number(&w, "block", record->block.header.number);
    json_address(&w, "from", &tx->sender);
    if (!tx->is_create) {
        json_address(&w, "to", &tx->to);
    } else if (receipt->has_created) {
        json_address(&w, "created", &receipt->created);
    }
    function_name(text, options, tx);
    if (text[0] != '\0') {
        json_text(&w, "function", text, strlen(text));
    }
    json_number(&w, "gasUsed", receipt->gas_used);
    cevm_json_put_key(&w, "succeeded");
    cevm_json_put_bool(&w, receipt->succeeded);
    if (!receipt->succeeded) {
        failure(text, options, receipt, tx);
        json_text(&w, "reason", text, strlen(text));
    }
    return json_end(&w, &j);
}

size_t cevm_log_tx(char out[CEVM_LOG_LINE], const cevm_node_log_options *options, const cevm_record *record,
                   size_t index)
{
    if (options->json) {
        return json_tx(out, options, record, index);
    }
    const cevm_tx *tx = record->block.txs[index];
    const cevm_node_receipt *receipt = &record->receipts[index];
    char text[512];
    line l = {out, 0, options};
    put(&l, "  tx ");
    put_hash(&l, &record->hashes[index]);
    put(&l, "  ");
    put_address(&l, &tx->sender);
    put(&l, options->unicode ? " → " : " -> ");
    if (!tx->is_create) {
        put_address(&l, &tx->to);
    } else {
        put(&l, "new ");
        put_address(&l, &receipt->created);
    }
    function_name(text, options, tx);
    put(&l, "%s%s%s%s", text[0] != '\0' ? " " : "", colour(&l, CYAN), text, colour(&l, PLAIN));
    put(&l, "  gas ");
    put_count(&l, receipt->gas_used);
    if (receipt->succeeded) {
        put(&l, "  %sok%s", colour(&l, GREEN), colour(&l, PLAIN));
    } else {
        failure(text, options, receipt, tx);
        put(&l, "  %sfailed%s: ", colour(&l, RED), colour(&l, PLAIN));
        put_clean(&l, text, strlen(text));
    }
    return l.size;
}

/* ---- Blocks ------------------------------------------------------------------------------------------------------------- */

size_t cevm_log_block(char out[CEVM_LOG_LINE], const cevm_node_log_options *options, const cevm_record *record)
{
    const cevm_header *header = &record->block.header;
    if (options->json) {
        cevm_json_writer w;
        json_line j;
        json_begin(&w, &j, out, "block");
        json_number(&w, "number", header->number);
        json_hash(&w, "hash", &record->block.hash);
        json_number(&w, "timestamp", header->timestamp);
        json_number(&w, "transactions", record->block.tx_count);
        json_number(&w, "gasUsed", header->gas_used);
        return json_end(&w, &j);
    }
    line l = {out, 0, options};
    put(&l, "  %sblock %" PRIu64 "  ", colour(&l, DIM), header->number);
    put_hash(&l, &record->block.hash);
    if (record->block.tx_count == 0) {
        put(&l, "  empty%s", colour(&l, PLAIN));
        return l.size;
    }
    put(&l, "  %zu transaction%s  gas ", record->block.tx_count, record->block.tx_count == 1 ? "" : "s");
    put_count(&l, header->gas_used);
    put(&l, "%s", colour(&l, PLAIN));
    return l.size;
}

size_t cevm_log_empty_blocks(char out[CEVM_LOG_LINE], const cevm_node_log_options *options, const cevm_record *record,
                             uint64_t first)
{
    uint64_t last = record->block.header.number;
    if (first == last) {
        return cevm_log_block(out, options, record);
    }
    if (options->json) {
        cevm_json_writer w;
        json_line j;
        json_begin(&w, &j, out, "blocks");
        json_number(&w, "first", first);
        json_number(&w, "last", last);
        json_hash(&w, "hash", &record->block.hash);
        return json_end(&w, &j);
    }
    line l = {out, 0, options};
    put(&l, "  %sblocks %" PRIu64 " to %" PRIu64 "  empty%s", colour(&l, DIM), first, last, colour(&l, PLAIN));
    return l.size;
}

size_t cevm_log_removed(char out[CEVM_LOG_LINE], const cevm_node_log_options *options, const cevm_record *record,
                        size_t count)
{
    uint64_t last = record->block.header.number;
    if (options->json) {
        cevm_json_writer w;
        json_line j;
        json_begin(&w, &j, out, "removed");
        json_number(&w, "blocks", count);
        json_number(&w, "last", last);
        return json_end(&w, &j);
    }
    line l = {out, 0, options};
    put(&l, "  %staken back: %zu block%s, down from %" PRIu64 "%s", colour(&l, DIM), count, count == 1 ? "" : "s", last,
        colour(&l, PLAIN));
    return l.size;
}

size_t cevm_log_console(char out[CEVM_LOG_LINE], const cevm_node_log_options *options, const char *text)
{
    if (options->json) {
        cevm_json_writer w;
        json_line j;
        json_begin(&w, &j, out, "console.log");
        json_text(&w, "text", text, strlen(text));
        return json_end(&w, &j);
    }
    line l = {out, 0, options};
    put(&l, "  console.log: ");
    put_clean(&l, text, strlen(text));
    return l.size;
}
