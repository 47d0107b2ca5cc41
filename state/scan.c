/* SPDX-License-Identifier: Apache-2.0 */
#include "state/scan.h"

#include <cevm/hex.h>

/* ---- Tokens ---------------------------------------------------------------------------------------------------------- */

static const char *skip_space(const char *at, const char *end)
{
    while (at != end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) {
        ++at;
    }
    return at;
}

static bool is_digit(const char *at, const char *end) { return at != end && *at >= '0' && *at <= '9'; }

static bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

/** The end of an escape whose backslash is at `at`; NULL when there is no such escape. */
static const char *skip_escape(const char *at, const char *end)
{
    if (++at == end) {
        return NULL;
    }
    if (*at != 'u') {
        return memchr("\"\\/bfnrt", *at, 8) != NULL ? at + 1 : NULL;
    }
    if (end - at < 5) {
        return NULL;
    }
    for (int i = 1; i <= 4; ++i) {
        if (!is_hex(at[i])) {
            return NULL;
        }
    }
    return at + 5;
}

/** The end of the string whose first quote is at `at`, behind its last; NULL when it is not one. */
static const char *skip_string(const char *at, const char *end)
{
    ++at;
    while (at != NULL && at != end && *at != '"') {
        if ((unsigned char)*at < 0x20) {
            return NULL;
        }
        at = *at == '\\' ? skip_escape(at, end) : at + 1;
    }
    return at == NULL || at == end ? NULL : at + 1;
}

static const char *skip_digits(const char *at, const char *end)
{
    while (is_digit(at, end)) {
        ++at;
    }
    return at;
}

static const char *skip_number(const char *at, const char *end)
{
    at += *at == '-' ? 1 : 0;
    if (!is_digit(at, end)) {
        return NULL;
    }
    at = *at == '0' ? at + 1 : skip_digits(at, end);
    if (at != end && *at == '.') {
        if (!is_digit(++at, end)) {
            return NULL;
        }
        at = skip_digits(at, end);
    }
    if (at != end && (*at == 'e' || *at == 'E')) {
        ++at;
        at += at != end && (*at == '+' || *at == '-') ? 1 : 0;
        if (!is_digit(at, end)) {
            return NULL;
        }
        at = skip_digits(at, end);
    }
    return at;
}

static const char *skip_word(const char *at, const char *end, const char *word)
{
    const size_t size = strlen(word);
    return (size_t)(end - at) >= size && memcmp(at, word, size) == 0 ? at + size : NULL;
}

/** The end of what is no array and no object. */
static const char *skip_scalar(const char *at, const char *end)
{
    switch (*at) {
    case '"': return skip_string(at, end);
    case 't': return skip_word(at, end, "true");
    case 'f': return skip_word(at, end, "false");
    case 'n': return skip_word(at, end, "null");
    default: return skip_number(at, end);
    }
}

/* ---- Values ---------------------------------------------------------------------------------------------------------- */

/** The end of "name": with the blanks around it. */
static const char *skip_name(const char *at, const char *end)
{
    at = skip_space(at, end);
    if (at == end || *at != '"') {
        return NULL;
    }
    at = skip_string(at, end);
    at = at != NULL ? skip_space(at, end) : NULL;
    return at != NULL && at != end && *at == ':' ? at + 1 : NULL;
}

/** What is open: a bit for each level, set for an object; the lowest is the innermost. */
typedef struct levels {
    uint64_t objects;
    unsigned depth;
} levels;

/** Behind a value: closes what ends here, and goes on to the next value of what is open. */
static const char *skip_to_next(const char *at, const char *end, levels *open)
{
    while (open->depth != 0) {
        const bool in_object = (open->objects & 1) != 0;
        at = skip_space(at, end);
        if (at == end) {
            return NULL;
        }
        if (*at == ',') {
            return in_object ? skip_name(at + 1, end) : at + 1;
        }
        if (*at != (in_object ? '}' : ']')) {
            return NULL;
        }
        ++at;
        open->objects >>= 1;
        open->depth--;
    }
    return at;
}

/** The end of the value that begins at `at`; NULL when there is none that is well formed. */
static const char *skip_value(const char *at, const char *end)
{
    levels open = {0, 0};
    do {
        at = skip_space(at, end);
        if (at == end) {
            return NULL;
        }
        if (*at == '{' || *at == '[') {
            const bool is_object = *at == '{';
            const char *inside = skip_space(at + 1, end);
            if (open.depth == CEVM_SCAN_MAX_DEPTH || inside == end) {
                return NULL;
            }
            if (*inside != (is_object ? '}' : ']')) {
                open.objects = open.objects << 1 | (is_object ? 1 : 0);
                open.depth++;
                at = is_object ? skip_name(inside, end) : inside;
                if (at == NULL) {
                    return NULL;
                }
                continue;
            }
            at = inside + 1;
        } else {
            at = skip_scalar(at, end);
        }
        at = at != NULL ? skip_to_next(at, end, &open) : NULL;
    } while (at != NULL && open.depth != 0);
    return at;
}

static cevm_scan_value value_of(const char *at, const char *end)
{
    cevm_scan_value value = {CEVM_SCAN_NUMBER, at, (size_t)(end - at)};
    switch (*at) {
    case '{': value.type = CEVM_SCAN_OBJECT; break;
    case '[': value.type = CEVM_SCAN_ARRAY; break;
    case 't': value.type = CEVM_SCAN_TRUE; break;
    case 'f': value.type = CEVM_SCAN_FALSE; break;
    case 'n': value.type = CEVM_SCAN_NULL; break;
    case '"': value = (cevm_scan_value){CEVM_SCAN_STRING, at + 1, (size_t)(end - at) - 2}; break;
    default: break;
    }
    return value;
}

bool cevm_scan_document(cevm_scan_value *out, cevm_bytes document)
{
    if (document.size == 0) {
        return false;
    }
    const char *at = (const char *)document.data;
    const char *end = at + document.size;
    at = skip_space(at, end);
    const char *stop = skip_value(at, end);
    if (stop == NULL || skip_space(stop, end) != end) {
        return false;
    }
    *out = value_of(at, stop);
    return true;
}

cevm_scan_walk cevm_scan_items(const cevm_scan_value *value)
{
    cevm_scan_walk walk = {.is_object = value->type == CEVM_SCAN_OBJECT};
    if (value->type == CEVM_SCAN_OBJECT || value->type == CEVM_SCAN_ARRAY) {
        walk.at = value->text + 1;
        walk.end = value->text + value->size - 1;
    }
    return walk;
}

bool cevm_scan_next(cevm_scan_walk *walk, cevm_scan_value *key, cevm_scan_value *value)
{
    if (walk->at == walk->end) {
        return false;
    }
    const char *at = skip_space(walk->at, walk->end);
    if (at != walk->end && *at == ',') {
        at = skip_space(at + 1, walk->end);
    }
    const char *stop = at != walk->end && walk->is_object ? skip_string(at, walk->end) : NULL;
    if (walk->is_object && stop != NULL) {
        if (key != NULL) {
            *key = value_of(at, stop);
        }
        at = skip_name(at, walk->end);
        at = at != NULL ? skip_space(at, walk->end) : walk->end;
    }
    stop = at != walk->end ? skip_value(at, walk->end) : NULL;
    if (stop == NULL) { /* only blanks were left */
        walk->at = walk->end;
        return false;
    }
    *value = value_of(at, stop);
    walk->at = stop;
    return true;
}

bool cevm_scan_member(cevm_scan_value *out, const cevm_scan_value *object, const char *name)
{
    cevm_scan_walk walk = cevm_scan_items(object);
    cevm_scan_value key;
    while (walk.is_object && cevm_scan_next(&walk, &key, out)) {
        if (cevm_scan_equals(&key, name)) {
            return true;
        }
    }
    return false;
}

/* ---- What values mean ------------------------------------------------------------------------------------------------ */

bool cevm_scan_equals(const cevm_scan_value *value, const char *text)
{
    return value->type == CEVM_SCAN_STRING && value->size == strlen(text) &&
           memcmp(value->text, text, value->size) == 0;
}

bool cevm_scan_int64(int64_t *out, const cevm_scan_value *value)
{
    const bool is_negative = value->type == CEVM_SCAN_NUMBER && value->text[0] == '-';
    const size_t from = is_negative ? 1 : 0;
    int64_t number = 0;
    if (value->type != CEVM_SCAN_NUMBER || value->size - from > 18) {
        return false;
    }
    for (size_t i = from; i < value->size; ++i) {
        if (value->text[i] < '0' || value->text[i] > '9') {
            return false;
        }
        number = number * 10 + (value->text[i] - '0');
    }
    *out = is_negative ? -number : number;
    return true;
}

static bool has_prefix(const cevm_scan_value *value)
{
    return value->type == CEVM_SCAN_STRING && value->size >= 2 && memcmp(value->text, "0x", 2) == 0;
}

bool cevm_scan_quantity(cevm_u256 *out, const cevm_scan_value *value)
{
    char digits[64];
    uint8_t bytes[32];
    size_t size = 0;
    if (!has_prefix(value) || value->size > 2 + sizeof digits) {
        return false;
    }
    const size_t count = value->size - 2;
    memset(digits, '0', sizeof digits);
    memcpy(digits + (sizeof digits - count), value->text + 2, count);
    /* A second prefix among the digits would be skipped. */
    if (memchr(digits, 'x', sizeof digits) != NULL || !cevm_hex_decode(bytes, &size, digits, sizeof digits)) {
        return false;
    }
    *out = cevm_u256_from_be(bytes);
    return size == sizeof bytes;
}

bool cevm_scan_u64(uint64_t *out, const cevm_scan_value *value)
{
    cevm_u256 number;
    if (!cevm_scan_quantity(&number, value) || !cevm_u256_fits_u64(&number)) {
        return false;
    }
    *out = number.w[0];
    return true;
}

bool cevm_scan_fixed(uint8_t *out, size_t size, const cevm_scan_value *value)
{
    size_t written = 0;
    return has_prefix(value) && value->size == 2 + 2 * size &&
           cevm_hex_decode(out, &written, value->text, value->size) && written == size;
}
