/* SPDX-License-Identifier: Apache-2.0 */
/**
 * trace/json_writer.h: JSON written as it comes, in constant memory: what traces and JSON-RPC answers are made with.
 *
 * Text is handed to a sink in pieces. Commas and quotes are the writer's care; that each value stands where JSON wants
 * one, the caller's. Once the sink has refused a piece everything after it is dropped, so a caller need only look at
 * `failed` where it would otherwise go on for long.
 *
 * Threads: one writer on one thread at a time.
 */
#ifndef CEVM_TRACE_JSON_WRITER_H
#define CEVM_TRACE_JSON_WRITER_H

#include <cevm/types.h>

/** Takes a piece of text; false when it cannot (the reader is gone, a limit is reached, no memory). */
typedef bool (*cevm_json_sink)(void *ctx, const char *text, size_t size);

/* 1025 frames of a call trace, an object and an array each, have room within an answer. */
enum { CEVM_JSON_BUFFER = 4096, CEVM_JSON_MAX_DEPTH = 4096 };

typedef struct cevm_json_writer {
    cevm_json_sink sink;
    void *ctx;
    bool failed;    /* the sink has refused, or values were nested too deeply */
    bool has_key;   /* a key was written, its value not yet */
    uint32_t depth; /* open objects and arrays */
    uint64_t total; /* bytes handed over and waiting, for limits */
    size_t used;
    uint64_t filled[CEVM_JSON_MAX_DEPTH / 64];  /* by depth: a value has been written, a comma comes before the next */
    uint64_t objects[CEVM_JSON_MAX_DEPTH / 64]; /* by depth: an object, not an array; for cevm_json_close_to */
    char data[CEVM_JSON_BUFFER];
} cevm_json_writer;

void cevm_json_writer_init(cevm_json_writer *w, cevm_json_sink sink, void *ctx);
/** Hands over what is buffered. False when anything has failed. */
bool cevm_json_flush(cevm_json_writer *w);

void cevm_json_begin_object(cevm_json_writer *w);
void cevm_json_end_object(cevm_json_writer *w);
void cevm_json_begin_array(cevm_json_writer *w);
void cevm_json_end_array(cevm_json_writer *w);
/** Ends what is open until `depth` objects and arrays are left: how a value that broke off becomes JSON again. */
void cevm_json_close_to(cevm_json_writer *w, uint32_t depth);
/** A member's name (plain ASCII without quotes); its value comes next. */
void cevm_json_put_key(cevm_json_writer *w, const char *name);

void cevm_json_put_null(cevm_json_writer *w);
void cevm_json_put_bool(cevm_json_writer *w, bool value);
/** A JSON number. */
void cevm_json_put_number(cevm_json_writer *w, uint64_t value);
void cevm_json_put_signed(cevm_json_writer *w, int64_t value);
/** A string, escaped; bytes that are not UTF-8 become U+FFFD. */
void cevm_json_put_string(cevm_json_writer *w, const char *text);
void cevm_json_put_string_n(cevm_json_writer *w, const char *text, size_t size);
/** "0x1f", without leading zeros. */
void cevm_json_put_quantity(cevm_json_writer *w, uint64_t value);
void cevm_json_put_quantity256(cevm_json_writer *w, const cevm_u256 *value);
/** "0x" and two digits a byte. */
void cevm_json_put_data(cevm_json_writer *w, cevm_bytes bytes);
void cevm_json_put_hash(cevm_json_writer *w, const cevm_hash *hash);
/** 32 bytes in full, as storage keys and values are shown. */
void cevm_json_put_word(cevm_json_writer *w, const cevm_u256 *value);
void cevm_json_put_address(cevm_json_writer *w, const cevm_address *address);
/** A value that is JSON already. */
void cevm_json_put_raw(cevm_json_writer *w, const char *json, size_t size);

#endif
