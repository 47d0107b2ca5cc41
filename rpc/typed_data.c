/* SPDX-License-Identifier: Apache-2.0 */
/* Structured data to be signed: EIP-712. */
#include "rpc/typed_data.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cevm/crypto.h>
#include <cevm/hex.h>

#include "evm/arena.h"
#include "evm/u256.h"
#include "state/map.h"
#include "state/rlp.h"

enum { MAX_TYPES = 256, MAX_NAME = 128, MAX_DEPTH = 32, WORD = 32 };

/** A struct type whose hash is known. */
typedef struct known_type {
    const char *name;
    cevm_hash hash;
} known_type;

/** One document. */
typedef struct document {
    cevm_typed_error *error;
    const cevm_allocator *allocator;
    const json_t *types;
    known_type known[MAX_TYPES];
    size_t known_count;
    size_t depth;
} document;

static bool say(cevm_typed_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool say(cevm_typed_error *error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    return false;
}

static bool finish_hash(cevm_hash *out, cevm_typed_error *error, cevm_buf *buf)
{
    const bool ok = !buf->failed || say(error, "out of memory");
    if (ok) {
        cevm_keccak256(out, buf->data, buf->size);
    }
    cevm_buf_free(buf);
    return ok;
}

/* ---- Types --------------------------------------------------------------------------------------------------------- */

/** The name of a struct type, as the document holds it, out of the first `size` characters; NULL when it is none. */
static const char *struct_name(const document *d, const char *name, size_t size)
{
    char copy[MAX_NAME];
    if (size >= sizeof copy) {
        return NULL;
    }
    memcpy(copy, name, size);
    copy[size] = '\0';
    void *place = json_object_iter_at((json_t *)(uintptr_t)d->types, copy);
    return place != NULL ? json_object_iter_key(place) : NULL;
}

static const json_t *fields_of(const document *d, const char *name) { return json_object_get(d->types, name); }

static const char *field_text(const json_t *field, const char *key)
{
    const char *text = json_string_value(json_object_get(field, key));
    return text != NULL && strlen(text) == json_string_length(json_object_get(field, key)) ? text : NULL;
}

/** Adds the struct types a type's fields name, if they are not in the list yet. */
static bool add_referenced(document *d, const char **names, size_t *count, const char *type)
{
    size_t index;
    const json_t *field;
    const json_t *fields = fields_of(d, type);
    json_array_foreach(fields, index, field)
    {
        const char *name = field_text(field, "type");
        if (name == NULL || field_text(field, "name") == NULL) {
            return say(d->error, "types.%s: fields need a \"name\" and a \"type\"", type);
        }
        const char *found = struct_name(d, name, strcspn(name, "["));
        bool is_new = found != NULL;
        for (size_t i = 0; is_new && i < *count; ++i) {
            is_new = strcmp(names[i], found) != 0;
        }
        if (is_new && *count == MAX_TYPES) {
            return say(d->error, "there are more than %d types", (int)MAX_TYPES);
        }
        if (is_new) {
            names[(*count)++] = found;
        }
    }
    return true;
}

static int by_name(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;
    return strcmp(*left, *right);
}

static void put_text(cevm_buf *buf, const char *text) { cevm_buf_append(buf, text, strlen(text)); }

/** Name(type name,…) */
static void put_type(cevm_buf *buf, const document *d, const char *name)
{
    size_t index;
    const json_t *field;
    put_text(buf, name);
    put_text(buf, "(");
    json_array_foreach(fields_of(d, name), index, field)
    {
        put_text(buf, index != 0 ? "," : "");
        put_text(buf, field_text(field, "type"));
        put_text(buf, " ");
        put_text(buf, field_text(field, "name"));
    }
    put_text(buf, ")");
}

/** encodeType: the type itself, then all it names directly or not, in the order of their names. */
static bool type_hash(document *d, cevm_hash *out, const char *type)
{
    const char *names[MAX_TYPES];
    size_t count = 1;
    cevm_buf buf;
    for (size_t i = 0; i < d->known_count; ++i) {
        if (strcmp(d->known[i].name, type) == 0) {
            *out = d->known[i].hash;
            return true;
        }
    }
    if (fields_of(d, type) == NULL) {
        return say(d->error, "unknown type %.64s", type);
    }
    names[0] = type;
    for (size_t i = 0; i < count; ++i) {
        if (!add_referenced(d, names, &count, names[i])) {
            return false;
        }
    }
    cevm_sort((void *)(names + 1), count - 1, sizeof names[0], by_name);
    cevm_buf_init(&buf, d->allocator);
    for (size_t i = 0; i < count; ++i) {
        put_type(&buf, d, names[i]);
    }
    if (!finish_hash(out, d->error, &buf)) {
        return false;
    }
    if (d->known_count < MAX_TYPES) {
        d->known[d->known_count++] = (known_type){type, *out};
    }
    return true;
}

/* ---- Atomic values --------------------------------------------------------------------------------------------------- */

/** Bits or bytes in a type's name: "uint256" → 256; `fallback` without digits; 0 when it is no number. */
static unsigned size_in(const char *digits, unsigned fallback)
{
    char *end = NULL;
    if (*digits == '\0') {
        return fallback;
    }
    const unsigned long value = strtoul(digits, &end, 10);
    return *end == '\0' && digits[0] >= '1' && digits[0] <= '9' && value <= 256 ? (unsigned)value : 0;
}

/** A whole number as JSON integer or text, in hex or decimal, with a sign. */
static bool read_number(cevm_u256 *magnitude, bool *negative, const json_t *value)
{
    *negative = false;
    if (json_is_integer(value)) {
        const json_int_t number = json_integer_value(value);
        *negative = number < 0;
        *magnitude = cevm_u256_from_u64(*negative ? 0 - (uint64_t)number : (uint64_t)number);
        return true;
    }
    if (json_is_real(value)) {
        char text[64];
        const double number = json_real_value(value);
        *negative = number < 0;
        (void)snprintf(text, sizeof text, "%.0f", *negative ? -number : number);
        return (number < 1e18 && number > -1e18) && (double)(int64_t)number == number &&
               cevm_u256_from_text(magnitude, text);
    }
    const char *text = json_string_value(value);
    if (text == NULL || strlen(text) != json_string_length(value)) {
        return false;
    }
    *negative = text[0] == '-';
    return text[*negative] != '\0' && cevm_u256_from_text(magnitude, text + *negative);
}

static bool encode_number(document *d, uint8_t out[WORD], const char *type, const json_t *value)
{
    const bool is_signed = type[0] == 'i';
    const unsigned bits = size_in(type + (is_signed ? 3 : 4), 256);
    cevm_u256 number;
    bool negative = false;
    if (bits == 0 || bits % 8 != 0) {
        return say(d->error, "unknown type %s", type);
    }
    if (!read_number(&number, &negative, value)) {
        return say(d->error, "a value of type %s is no whole number", type);
    }
    const unsigned room = is_signed ? bits - 1 : bits; /* for the magnitude; one more of it fits below zero */
    const cevm_u256 one = cevm_u256_from_u64(1);
    const cevm_u256 zero = cevm_u256_from_u64(0);
    const cevm_u256 shifted = negative && !cevm_u256_is_zero(&number) ? u256_sub(&number, &one) : number;
    const bool fits = room == 256 || u256_bit_length(&shifted) <= room;
    if (!fits || (negative && !is_signed && !cevm_u256_is_zero(&number))) {
        return say(d->error, "a value does not fit its type %s", type);
    }
    number = negative ? u256_sub(&zero, &number) : number;
    cevm_u256_to_be(out, &number);
    return true;
}

/** Bytes of "0x…"; other text stands for itself, as signers take it. */
static bool read_bytes(document *d, cevm_buf *out, const json_t *value)
{
    const char *text = json_string_value(value);
    const size_t length = json_string_length(value);
    size_t size = 0;
    cevm_buf_init(out, d->allocator);
    if (text == NULL) {
        return say(d->error, "bytes have to be text (0x and hex digits)");
    }
    cevm_buf_append(out, text, length);
    if (out->failed) {
        cevm_buf_free(out);
        return say(d->error, "out of memory");
    }
    if (length >= 2 && text[0] == '0' && (text[1] | 0x20) == 'x') {
        if (!cevm_hex_decode(out->data, &size, text, length)) {
            cevm_buf_free(out);
            return say(d->error, "bytes are no hex");
        }
        out->size = size;
    }
    return true;
}

static bool encode_bytes(document *d, uint8_t out[WORD], const char *type, const json_t *value)
{
    const unsigned width = size_in(type + 5, 0);
    cevm_buf bytes;
    cevm_hash hash;
    if (type[5] != '\0' && (width == 0 || width > WORD)) {
        return say(d->error, "unknown type %s", type);
    }
    if (!read_bytes(d, &bytes, value)) {
        return false;
    }
    if (type[5] == '\0') {
        cevm_keccak256(&hash, bytes.data, bytes.size);
        memcpy(out, hash.bytes, WORD);
    } else if (bytes.size <= width) {
        memset(out, 0, WORD);
        if (bytes.size != 0) {
            memcpy(out, bytes.data, bytes.size);
        }
    }
    const bool ok = type[5] == '\0' || bytes.size <= width || say(d->error, "a value does not fit its type %s", type);
    cevm_buf_free(&bytes);
    return ok;
}

static bool encode_bool(document *d, uint8_t out[WORD], const json_t *value)
{
    const char *text = json_string_value(value);
    const bool is_true = json_is_true(value) || (text != NULL && strcmp(text, "true") == 0) ||
                         (json_is_integer(value) && json_integer_value(value) == 1);
    const bool is_false = json_is_false(value) || (text != NULL && strcmp(text, "false") == 0) ||
                          (json_is_integer(value) && json_integer_value(value) == 0);
    memset(out, 0, WORD);
    out[WORD - 1] = is_true;
    return is_true || is_false || say(d->error, "a value of type bool is neither true nor false");
}

static bool encode_address(document *d, uint8_t out[WORD], const json_t *value)
{
    const char *text = json_string_value(value);
    memset(out, 0, WORD);
    return (text != NULL && strlen(text) == 42 && cevm_hex_decode_exact(out + 12, 20, text)) ||
           say(d->error, "a value of type address is none (0x and 40 hex digits)");
}

static bool encode_atom(document *d, uint8_t out[WORD], const char *type, const json_t *value)
{
    cevm_hash hash;
    if (strcmp(type, "string") == 0) {
        const char *text = json_string_value(value);
        if (text == NULL) {
            return say(d->error, "a value of type string is no text");
        }
        cevm_keccak256(&hash, text, json_string_length(value));
        memcpy(out, hash.bytes, WORD);
        return true;
    }
    if (strcmp(type, "bool") == 0) {
        return encode_bool(d, out, value);
    }
    if (strcmp(type, "address") == 0) {
        return encode_address(d, out, value);
    }
    if (strncmp(type, "bytes", 5) == 0) {
        return encode_bytes(d, out, type, value);
    }
    if (strncmp(type, "uint", 4) == 0 || strncmp(type, "int", 3) == 0) {
        return encode_number(d, out, type, value);
    }
    return say(d->error, "unknown type %.64s", type);
}

/* ---- Structs and arrays: as deep as values nest, which is bounded ----------------------------------------------------- */

static bool encode_value(document *d, uint8_t out[WORD], const char *type, size_t size, const json_t *value);

/** keccak256 of the items' words, one after the other. `size` characters of the type stand before the last bracket. */
static bool encode_array(document *d, uint8_t out[WORD], const char *type, size_t size, const json_t *value)
{
    const unsigned long wanted = strtoul(type + size + 1, NULL, 10);
    const bool is_fixed = type[size + 1] != ']';
    size_t index;
    const json_t *item;
    cevm_buf buf;
    cevm_hash hash;
    if (!json_is_array(value) || (is_fixed && json_array_size(value) != wanted)) {
        return say(d->error, "a value of type %.64s is no such array", type);
    }
    cevm_buf_init(&buf, d->allocator);
    json_array_foreach(value, index, item)
    {
        uint8_t word[WORD];
        if (!encode_value(d, word, type, size, item)) {
            cevm_buf_free(&buf);
            return false;
        }
        cevm_buf_append(&buf, word, sizeof word);
    }
    if (!finish_hash(&hash, d->error, &buf)) {
        return false;
    }
    memcpy(out, hash.bytes, WORD);
    return true;
}

/** hashStruct: keccak256(typeHash ‖ the words of the fields). */
static bool hash_struct(document *d, cevm_hash *out, const char *type, const json_t *value)
{
    size_t index;
    const json_t *field;
    cevm_buf buf;
    if (!json_is_object(value)) {
        return say(d->error, "a value of type %.64s is no object", type);
    }
    if (!type_hash(d, out, type)) {
        return false;
    }
    cevm_buf_init(&buf, d->allocator);
    cevm_buf_append(&buf, out->bytes, sizeof out->bytes);
    json_array_foreach(fields_of(d, type), index, field)
    {
        const char *name = field_text(field, "name");
        const char *field_type = field_text(field, "type");
        const json_t *member = json_object_get(value, name);
        uint8_t word[WORD] = {0};
        const bool is_struct = struct_name(d, field_type, strlen(field_type)) != NULL;
        bool ok = true;
        if ((member == NULL || json_is_null(member)) && !is_struct) {
            ok = say(d->error, "%.64s: the field %.64s is missing", type, name);
        } else if (member != NULL && !json_is_null(member)) { /* a struct that is missing counts as zero */
            ok = encode_value(d, word, field_type, strlen(field_type), member);
        }
        if (!ok) {
            cevm_buf_free(&buf);
            return false;
        }
        cevm_buf_append(&buf, word, sizeof word);
    }
    return finish_hash(out, d->error, &buf);
}

/** One value as a word; the type is the first `size` characters. */
static bool encode_value(document *d, uint8_t out[WORD], const char *type, size_t size, const json_t *value)
{
    char name[MAX_NAME];
    cevm_hash hash;
    bool ok = false;
    if (size >= sizeof name) {
        return say(d->error, "a type's name is longer than %zu characters", sizeof name - 1);
    }
    if (d->depth == MAX_DEPTH) {
        return say(d->error, "values are nested deeper than %d", (int)MAX_DEPTH);
    }
    memcpy(name, type, size);
    name[size] = '\0';
    ++d->depth;
    const char *bracket = size > 0 && name[size - 1] == ']' ? strrchr(name, '[') : NULL;
    const char *structure = struct_name(d, name, size);
    if (bracket != NULL) {
        ok = encode_array(d, out, name, (size_t)(bracket - name), value);
    } else if (structure != NULL) {
        ok = hash_struct(d, &hash, structure, value);
        if (ok) {
            memcpy(out, hash.bytes, WORD);
        }
    } else {
        ok = encode_atom(d, out, name, value);
    }
    --d->depth;
    return ok;
}

/* ---- The document --------------------------------------------------------------------------------------------------- */

/** The type of the domain follows from what is in it, where it is not given. */
static json_t *domain_fields(const json_t *domain)
{
    static const char *const rows[][2] = {{"name", "string"},
                                          {"version", "string"},
                                          {"chainId", "uint256"},
                                          {"verifyingContract", "address"},
                                          {"salt", "bytes32"}};
    json_t *fields = json_array();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        if (json_object_get(domain, rows[i][0]) != NULL) {
            (void)json_array_append_new(fields, json_pack("{ssss}", "name", rows[i][0], "type", rows[i][1]));
        }
    }
    return fields;
}

static bool digest(document *d, cevm_hash *out, const json_t *data)
{
    uint8_t bytes[2 + 2 * WORD] = {0x19, 0x01};
    const char *primary = json_string_value(json_object_get(data, "primaryType"));
    cevm_hash hash;
    if (primary == NULL || json_object_get(d->types, primary) == NULL) {
        return say(d->error, "\"primaryType\" is missing or none of the types");
    }
    if (!hash_struct(d, &hash, "EIP712Domain", json_object_get(data, "domain"))) {
        return false;
    }
    memcpy(bytes + 2, hash.bytes, WORD);
    const bool has_message = strcmp(primary, "EIP712Domain") != 0;
    if (has_message) {
        if (!hash_struct(d, &hash, primary, json_object_get(data, "message"))) {
            return false;
        }
        memcpy(bytes + 2 + WORD, hash.bytes, WORD);
    }
    cevm_keccak256(out, bytes, has_message ? sizeof bytes : 2 + WORD);
    return true;
}

bool cevm_typed_data_digest(cevm_hash *out, cevm_typed_error *error, const json_t *data,
                            const cevm_allocator *allocator)
{
    const json_t *given = json_object_get(data, "types");
    if (!json_is_object(given) || !json_is_object(json_object_get(data, "domain"))) {
        return say(error, "typed data has to be {types, primaryType, domain, message}");
    }
    document *d = calloc(1, sizeof *d);
    json_t *types = json_copy((json_t *)(uintptr_t)given);
    bool ok = (d != NULL && types != NULL) || say(error, "out of memory");
    if (ok && json_object_get(types, "EIP712Domain") == NULL) {
        ok = json_object_set_new(types, "EIP712Domain", domain_fields(json_object_get(data, "domain"))) == 0 ||
             say(error, "out of memory");
    }
    if (ok) {
        *d = (document){.error = error, .allocator = allocator, .types = types};
        ok = digest(d, out, data);
    }
    json_decref(types);
    free(d);
    return ok;
}

/* ---- The older form ------------------------------------------------------------------------------------------------- */

/** A value as wide as its type, without padding. */
static bool put_packed(document *d, cevm_buf *buf, const char *type, const json_t *value)
{
    uint8_t word[WORD];
    cevm_buf bytes;
    if (strcmp(type, "string") == 0) {
        const char *text = json_string_value(value);
        if (text == NULL) {
            return say(d->error, "a value of type string is no text");
        }
        cevm_buf_append(buf, text, json_string_length(value));
        return true;
    }
    if (strcmp(type, "bytes") == 0) {
        if (!read_bytes(d, &bytes, value)) {
            return false;
        }
        cevm_buf_append(buf, bytes.data, bytes.size);
        cevm_buf_free(&bytes);
        return true;
    }
    if (!encode_atom(d, word, type, value)) {
        return false;
    }
    size_t width = strcmp(type, "bool") == 0 ? 1 : 20; /* or an address */
    if (strncmp(type, "bytes", 5) == 0) {
        cevm_buf_append(buf, word, size_in(type + 5, 0));
        return true;
    }
    if (strncmp(type, "uint", 4) == 0 || strncmp(type, "int", 3) == 0) {
        width = size_in(type + (type[0] == 'u' ? 4 : 3), 256) / 8;
    }
    cevm_buf_append(buf, word + WORD - width, width);
    return true;
}

bool cevm_typed_list_digest(cevm_hash *out, cevm_typed_error *error, const json_t *list,
                            const cevm_allocator *allocator)
{
    document *d = calloc(1, sizeof *d);
    size_t index;
    const json_t *item;
    cevm_buf schema;
    cevm_buf values;
    uint8_t both[2 * WORD];
    cevm_hash hash = {{0}};
    cevm_buf_init(&schema, allocator);
    cevm_buf_init(&values, allocator);
    bool ok = d != NULL || say(error, "out of memory");
    if (ok) {
        *d = (document){.error = error, .allocator = allocator};
    }
    json_array_foreach(list, index, item)
    {
        const char *type = field_text(item, "type");
        const char *name = field_text(item, "name");
        if (!ok || type == NULL || name == NULL) {
            ok = ok && say(error, "typed data has to be a list of {type, name, value}");
            break;
        }
        put_text(&schema, type);
        put_text(&schema, " ");
        put_text(&schema, name);
        ok = put_packed(d, &values, type, json_object_get(item, "value"));
    }
    free(d);
    ok = finish_hash(&hash, error, &schema) && ok;
    memcpy(both, hash.bytes, WORD);
    ok = finish_hash(&hash, error, &values) && ok;
    memcpy(both + WORD, hash.bytes, WORD);
    cevm_keccak256(out, both, sizeof both);
    return ok;
}
