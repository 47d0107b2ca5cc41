/* SPDX-License-Identifier: Apache-2.0 */
/** tests/unit/json_text.h: what a JSON writer wrote, kept, read back and compared. Include after cmocka.h. */
#ifndef CEVM_TESTS_JSON_TEXT_H
#define CEVM_TESTS_JSON_TEXT_H

#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/json_writer.h"

typedef struct json_text {
    char *data; /* freed by json_text_read, or by the test */
    size_t size;
} json_text;

/** The sink. */
static inline bool json_text_take(void *ctx, const char *piece, size_t size)
{
    json_text *t = ctx;
    char *grown = realloc(t->data, t->size + size + 1);
    assert_non_null(grown);
    t->data = grown;
    memcpy(t->data + t->size, piece, size);
    t->size += size;
    t->data[t->size] = '\0';
    return true;
}

/** What was written, parsed: it must be one JSON value without a key that stands twice. */
static inline json_t *json_text_read(cevm_json_writer *writer, json_text *text)
{
    json_error_t error;
    assert_true(cevm_json_flush(writer));
    assert_non_null(text->data);
    json_t *out = json_loadb(text->data, text->size, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (out == NULL) {
        fail_msg("no JSON: %s at byte %d of %.2000s", error.text, error.position, text->data);
    }
    free(text->data);
    *text = (json_text){0};
    return out;
}

/** Prints the first lines in which two texts differ. */
static inline void json_text_show_difference(const char *name, const char *want, const char *got)
{
    size_t line = 1;
    size_t start = 0;
    size_t i = 0;
    for (; want[i] == got[i] && want[i] != '\0'; ++i) {
        if (want[i] == '\n') {
            line++;
            start = i + 1;
        }
    }
    print_message("%s: line %zu of the sorted JSON\n  want %.300s\n  got  %.300s\n", name, line, want + start,
                  got + start);
}

#endif
