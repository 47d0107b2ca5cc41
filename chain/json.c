/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/json.h"

#include <cevm/alloc.h>
#include <cevm/hex.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

bool cevm_json_say(cevm_json_error *error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    return false;
}

/* Reads size bytes or up to the end of the file, whichever comes first; SIZE_MAX on failure. */
static size_t read_fully(int fd, char *out, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t n = read(fd, out + done, size - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return SIZE_MAX;
        }
        if (n == 0) {
            break;
        }
        done += (size_t)n;
    }
    return done;
}

/* Reads an open file into a new buffer. */
static bool slurp(char **out, size_t *out_size, cevm_json_error *error, const char *path, int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        return cevm_json_say(error, "%s: cannot be read: %s", path, strerror(errno));
    }
    if (!S_ISREG(st.st_mode)) {
        return cevm_json_say(error, "%s: is not a regular file", path);
    }
    if (st.st_size < 0 || (uintmax_t)st.st_size > CEVM_JSON_MAX_SIZE) {
        return cevm_json_say(error, "%s: has %jd bytes; JSON files above %zu MiB are not read", path,
                             (intmax_t)st.st_size, CEVM_JSON_MAX_SIZE >> 20);
    }
    size_t size = (size_t)st.st_size;
    char *text = cevm_alloc(NULL, size + 1);
    if (text == NULL) {
        return cevm_json_say(error, "%s: out of memory for %zu bytes", path, size);
    }
    size_t got = read_fully(fd, text, size);
    if (got == SIZE_MAX) {
        cevm_free(NULL, text);
        return cevm_json_say(error, "%s: cannot be read: %s", path, strerror(errno));
    }
    *out = text;
    *out_size = got;
    return true;
}

bool cevm_json_load_file(json_t **out, cevm_json_error *error, const char *path)
{
    *out = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* O_NONBLOCK: a FIFO must not hang us */
    if (fd < 0) {
        return cevm_json_say(error, "%s: cannot be opened: %s", path, strerror(errno));
    }
    char *text = NULL;
    size_t size = 0;
    bool ok = slurp(&text, &size, error, path, fd);
    (void)close(fd);
    if (ok) {
        ok = cevm_json_load_text(out, error, path, text, size);
        cevm_free(NULL, text);
    }
    return ok;
}

/*
 * Puts quotes around integers of more than 18 digits, which the parser cannot hold; as text they are read as quantities.
 * Genesis files have such a "terminalTotalDifficulty". Returns the new text, or NULL when memory runs out.
 */
static char *quote_big_integers(const char *text, size_t size, size_t *out_size)
{
    enum { MOST_DIGITS = 18 };
    char *out = size < SIZE_MAX / 2 ? cevm_alloc(NULL, size + size / MOST_DIGITS * 2 + 2) : NULL;
    size_t used = 0;
    bool in_string = false;
    for (size_t i = 0; out != NULL && i < size;) {
        size_t digits = 0;
        while (!in_string && i + digits < size && text[i + digits] >= '0' && text[i + digits] <= '9') {
            digits++;
        }
        const size_t count = digits != 0 ? digits : in_string && text[i] == '\\' && i + 1 < size ? 2 : 1;
        const char quote[2] = {digits > MOST_DIGITS ? '"' : '\0', '\0'};
        in_string = in_string != (count == 1 && text[i] == '"');
        used = (size_t)(stpcpy(out + used, quote) - out);
        memcpy(out + used, text + i, count);
        used = (size_t)(stpcpy(out + used + count, quote) - out);
        i += count;
    }
    *out_size = used;
    return out;
}

json_t *cevm_json_parse(const char *text, size_t size, size_t flags, json_error_t *where)
{
    json_t *value = json_loadb(text, size, flags, where);
    if (value == NULL && json_error_code(where) == json_error_numeric_overflow) {
        size_t quoted_size = 0;
        char *quoted = quote_big_integers(text, size, &quoted_size);
        if (quoted != NULL) {
            value = json_loadb(quoted, quoted_size, flags, where);
            cevm_free(NULL, quoted);
        }
    }
    return value;
}

bool cevm_json_load_text(json_t **out, cevm_json_error *error, const char *name, const char *text, size_t size)
{
    json_error_t at;
    *out = cevm_json_parse(text, size, JSON_REJECT_DUPLICATES, &at);
    if (*out == NULL) {
        return cevm_json_say(error, "%s:%d:%d: is not valid JSON: %s", name, at.line, at.column, at.text);
    }
    return true;
}

cevm_json_at cevm_json_root(json_t *value, const char *file, const char *label, cevm_json_error *error)
{
    cevm_json_at at = {.key = label, .value = value, .file = file, .error = error};
    return at;
}

bool cevm_json_fail(const cevm_json_at *at, const char *format, ...)
{
    enum { MAX_STEPS = 16 };
    const cevm_json_at *steps[MAX_STEPS];
    size_t count = 0;
    for (const cevm_json_at *p = at; p != NULL && count < MAX_STEPS; p = p->up) {
        steps[count++] = p;
    }
    cevm_json_error *error = at->error;
    size_t room = sizeof error->text;
    size_t used = (size_t)snprintf(error->text, room, "%s: ", at->file);
    bool first = true;
    while (count-- > 0 && used < room) {
        const cevm_json_at *p = steps[count];
        if (p->key == NULL && p->up == NULL) {
            continue;
        }
        const char *slash = first ? "" : "/";
        first = false;
        int n = p->key != NULL ? snprintf(error->text + used, room - used, "%s%s", slash, p->key)
                               : snprintf(error->text + used, room - used, "%s%zu", slash, p->index);
        used += (size_t)n;
    }
    if (!first && used < room) {
        used += (size_t)snprintf(error->text + used, room - used, ": ");
    }
    if (used < room) {
        va_list args;
        va_start(args, format);
        (void)vsnprintf(error->text + used, room - used, format, args);
        va_end(args);
    }
    return false;
}

static const char *type_name(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT: return "an object";
    case JSON_ARRAY: return "an array";
    case JSON_STRING: return "a string";
    case JSON_INTEGER:
    case JSON_REAL: return "a number";
    case JSON_TRUE:
    case JSON_FALSE: return "a boolean";
    case JSON_NULL: return "null";
    }
    return "unknown";
}

bool cevm_json_is_object(const cevm_json_at *at)
{
    return json_is_object(at->value) || cevm_json_fail(at, "must be an object, is %s", type_name(at->value));
}

bool cevm_json_is_array(const cevm_json_at *at)
{
    return json_is_array(at->value) || cevm_json_fail(at, "must be an array, is %s", type_name(at->value));
}

bool cevm_json_text(const char **out, const cevm_json_at *at)
{
    *out = json_string_value(at->value);
    if (*out == NULL) {
        return cevm_json_fail(at, "must be a string, is %s", type_name(at->value));
    }
    return true;
}

static cevm_json_at member(const cevm_json_at *object, const char *key)
{
    cevm_json_at at = {.up = object, .key = key, .file = object->file, .error = object->error};
    at.value = json_object_get(object->value, key);
    return at;
}

bool cevm_json_need(cevm_json_at *out, const cevm_json_at *object, const char *key)
{
    if (!cevm_json_is_object(object)) {
        return false;
    }
    *out = member(object, key);
    return out->value != NULL || cevm_json_fail(object, "has no \"%s\"", key);
}

bool cevm_json_find(cevm_json_at *out, const cevm_json_at *object, const char *key)
{
    *out = member(object, key);
    return out->value != NULL && !json_is_null(out->value);
}

cevm_json_at cevm_json_item(const cevm_json_at *array, size_t index)
{
    cevm_json_at at = {.up = array, .index = index, .file = array->file, .error = array->error};
    at.value = json_array_get(array->value, index);
    return at;
}

/* What an error shows of a text that may be megabytes long. */
static bool fail_quoting(const cevm_json_at *at, const char *what, const char *text)
{
    size_t length = strlen(text);
    return cevm_json_fail(at, "must be %s, is \"%.80s\"%s", what, text, length > 80 ? "..." : "");
}

static bool text_u256(cevm_u256 *out, const cevm_json_at *at, const char *text)
{
    return cevm_u256_from_text(out, text) || fail_quoting(at, "a number of at most 256 bits", text);
}

bool cevm_json_u256(cevm_u256 *out, const cevm_json_at *at)
{
    if (json_is_integer(at->value)) {
        json_int_t n = json_integer_value(at->value);
        *out = cevm_u256_from_u64((uint64_t)n);
        return n >= 0 || cevm_json_fail(at, "must not be negative");
    }
    const char *text;
    return cevm_json_text(&text, at) && text_u256(out, at, text);
}

bool cevm_json_u64(uint64_t *out, const cevm_json_at *at)
{
    cevm_u256 wide;
    if (!cevm_json_u256(&wide, at)) {
        return false;
    }
    *out = wide.w[0];
    return cevm_u256_fits_u64(&wide) || cevm_json_fail(at, "must fit 64 bits");
}

bool cevm_json_address(cevm_address *out, const cevm_json_at *at)
{
    const char *text;
    return cevm_json_text(&text, at) &&
           (cevm_hex_decode_exact(out->bytes, sizeof out->bytes, text) || fail_quoting(at, "20 bytes of hex", text));
}

bool cevm_json_hash(cevm_hash *out, const cevm_json_at *at)
{
    const char *text;
    return cevm_json_text(&text, at) &&
           (cevm_hex_decode_exact(out->bytes, sizeof out->bytes, text) || fail_quoting(at, "32 bytes of hex", text));
}

bool cevm_json_bytes(cevm_bytes *out, const cevm_json_at *at, cevm_arena *arena)
{
    const char *text;
    if (!cevm_json_text(&text, at)) {
        return false;
    }
    size_t length = strlen(text);
    uint8_t *data = cevm_arena_zalloc(arena, length / 2 + 1);
    if (data == NULL) {
        return cevm_json_fail(at, "out of memory");
    }
    size_t size = 0;
    if (length != 0 && !cevm_hex_decode(data, &size, text, length)) {
        return fail_quoting(at, "bytes of hex", text);
    }
    out->data = data;
    out->size = size;
    return true;
}

bool cevm_json_key_address(cevm_address *out, const cevm_json_at *at)
{
    return cevm_hex_decode_exact(out->bytes, sizeof out->bytes, at->key) ||
           cevm_json_fail(at, "the key must be an address, 20 bytes of hex");
}

bool cevm_json_key_u256(cevm_u256 *out, const cevm_json_at *at)
{
    return cevm_u256_from_text(out, at->key) || cevm_json_fail(at, "the key must be a number of at most 256 bits");
}
