/* SPDX-License-Identifier: Apache-2.0 */
/**
 * chain/json.h: reading JSON with errors that say where: the file, the line for text that is no JSON, the key
 * path ("name/post/Cancun/0/hash") for a value that is not what it should be.
 *
 * Limits: a file above CEVM_JSON_MAX_SIZE is refused before it is read; nesting above 2048 levels is refused by the
 * parser (jansson, which takes its memory from libc); a key that stands twice in one object is an error, because two readers could take different ones.
 *
 * Convention: functions return true, or false after writing the reason into the error. Threads: no shared state; one
 * document is read by one thread at a time.
 */
#ifndef CEVM_CHAIN_JSON_H
#define CEVM_CHAIN_JSON_H

#include <cevm/types.h>
#include <jansson.h>

#include "evm/arena.h"

/** Bytes a JSON file may have. The largest official vector has under 100 MiB. */
#define CEVM_JSON_MAX_SIZE ((size_t)256 * 1024 * 1024)

typedef struct cevm_json_error {
    char text[1024]; /* one line, NUL-terminated */
} cevm_json_error;

/** Writes an error that is about no place in a document. Returns false. */
bool cevm_json_say(cevm_json_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Reads a whole file. The caller owns *out (json_decref). */
bool cevm_json_load_file(json_t **out, cevm_json_error *error, const char *path);

/** The same from memory; `name` stands for the file in messages. */
bool cevm_json_load_text(json_t **out, cevm_json_error *error, const char *name, const char *text, size_t size);

/**
 * Parses a text with the parser's own flags, for a caller with messages of its own. A number too big for the parser becomes a
 * string, which is read as a quantity all the same. NULL with the place in *where when it is no JSON or memory runs out.
 */
json_t *cevm_json_parse(const char *text, size_t size, size_t flags, json_error_t *where);

/** A place in a document: a value, and the way to it. Lives on the stack; `up`, `key` and `file` are borrowed. */
typedef struct cevm_json_at {
    const struct cevm_json_at *up; /* NULL at the root */
    const char *key;               /* key in the object above; NULL for an array item */
    size_t index;                  /* index in the array above */
    json_t *value;
    const char *file;
    cevm_json_error *error;
} cevm_json_at;

/** The root of a document. label, if not NULL, begins the key path. */
cevm_json_at cevm_json_root(json_t *value, const char *file, const char *label, cevm_json_error *error);

/** Writes "file: key/path: message" into the error. Returns false. */
bool cevm_json_fail(const cevm_json_at *at, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Whether the value is an object / an array / a string; says so if not. */
bool cevm_json_is_object(const cevm_json_at *at);
bool cevm_json_is_array(const cevm_json_at *at);
bool cevm_json_text(const char **out, const cevm_json_at *at);

/** The member of an object that must be there. */
bool cevm_json_need(cevm_json_at *out, const cevm_json_at *object, const char *key);
/** The member of an object that may be there: false (without an error) when it is missing or null. */
bool cevm_json_find(cevm_json_at *out, const cevm_json_at *object, const char *key);
/** An item of an array; index must be below json_array_size. */
cevm_json_at cevm_json_item(const cevm_json_at *array, size_t index);

/** A quantity: hex text with "0x" (any length, "0x" = 0), decimal text, or a JSON integer that is not negative. */
bool cevm_json_u256(cevm_u256 *out, const cevm_json_at *at);
bool cevm_json_u64(uint64_t *out, const cevm_json_at *at);
/** Exactly 20 or 32 bytes of hex, "0x" optional. */
bool cevm_json_address(cevm_address *out, const cevm_json_at *at);
bool cevm_json_hash(cevm_hash *out, const cevm_json_at *at);
/** Bytes of hex, "0x" optional, "" = none; the bytes live in the arena. */
bool cevm_json_bytes(cevm_bytes *out, const cevm_json_at *at, cevm_arena *arena);
/** A key of an object as an address or a quantity; at is the member. */
bool cevm_json_key_address(cevm_address *out, const cevm_json_at *at);
bool cevm_json_key_u256(cevm_u256 *out, const cevm_json_at *at);

#endif
