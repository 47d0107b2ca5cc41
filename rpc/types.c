/* SPDX-License-Identifier: Apache-2.0 */
/* THE table of the types of parameters, and the check of a call's parameters against its row. */
#include "rpc/types.h"

#include <stdio.h>

typedef struct type {
    const char *name;
    bool (*matches)(const json_t *value);
    const char *words;
    const char *schema;
} type;

static bool is_hex(const char *text, size_t size)
{
    for (size_t i = 0; i < size; ++i) {
        unsigned char c = (unsigned char)text[i];
        if (!((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'))) {
            return false;
        }
    }
    return true;
}

/* "0x" and hex digits: how many, or SIZE_MAX when it is something else. */
static size_t hex_digits(const json_t *value)
{
    const char *text = json_string_value(value);
    size_t size = json_string_length(value);
    if (text == NULL || size < 2 || text[0] != '0' || (text[1] | 0x20) != 'x' || !is_hex(text + 2, size - 2)) {
        return SIZE_MAX;
    }
    return size - 2;
}

static bool is_address(const json_t *value) { return hex_digits(value) == 40; }
static bool is_hash(const json_t *value) { return hex_digits(value) == 64; }

static bool is_data(const json_t *value)
{
    size_t digits = hex_digits(value);
    return digits != SIZE_MAX && digits % 2 == 0;
}

static bool is_decimal(const json_t *value)
{
    const char *text = json_string_value(value);
    size_t size = json_string_length(value);
    for (size_t i = 0; text != NULL && i < size; ++i) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
    }
    return text != NULL && size != 0 && size <= 78;
}

static bool is_quantity(const json_t *value)
{
    size_t digits = hex_digits(value);
    return (digits != SIZE_MAX && digits != 0) || (json_is_integer(value) && json_integer_value(value) >= 0) ||
           (json_is_real(value) && json_real_value(value) >= 0) || is_decimal(value);
}

static bool is_bool(const json_t *value) { return json_is_boolean(value); }
static bool is_number(const json_t *value) { return json_is_number(value); }
static bool is_string(const json_t *value) { return json_is_string(value); }
static bool is_object(const json_t *value) { return json_is_object(value); }
static bool is_array(const json_t *value) { return json_is_array(value); }
static bool is_any(const json_t *value) { return value != NULL; }

static bool is_block(const json_t *value)
{
    static const char *const tags[] = {"latest", "pending", "earliest", "safe", "finalized"};
    const char *text = json_string_value(value);
    for (size_t i = 0; text != NULL && i < sizeof tags / sizeof tags[0]; ++i) {
        if (strcmp(text, tags[i]) == 0) {
            return true;
        }
    }
    return json_is_object(value) || is_quantity(value);
}

#define HEX(pattern) "{\"type\":\"string\",\"pattern\":\"^0x[0-9a-fA-F]" pattern "$\"}"

static const type types[] = {
    {"Address", is_address, "an address (0x and 40 hex digits)", HEX("{40}")},
    {"Any", is_any, "a value", "{}"},
    {"Array", is_array, "an array", "{\"type\":\"array\"}"},
    {"Block", is_block, "a block (number, hash, or latest, pending, earliest, safe, finalized)",
     "{\"oneOf\":[{\"type\":\"string\",\"pattern\":\"^0x[0-9a-fA-F]{1,64}$\"},{\"enum\":[\"latest\",\"pending\","
     "\"earliest\",\"safe\",\"finalized\"]},{\"type\":\"object\",\"properties\":{\"blockNumber\":{\"type\":\"string\"},"
     "\"blockHash\":{\"type\":\"string\"},\"requireCanonical\":{\"type\":\"boolean\"}}}]}"},
    {"Bool", is_bool, "true or false", "{\"type\":\"boolean\"}"},
    {"Call", is_object, "an object (a transaction)", "{\"type\":\"object\",\"title\":\"transaction\"}"},
    {"Data", is_data, "data (0x and two hex digits a byte)", HEX("*")},
    {"Filter", is_object, "an object (a filter of logs)", "{\"type\":\"object\",\"title\":\"filter\"}"},
    {"Hash", is_hash, "a hash (0x and 64 hex digits)", HEX("{64}")},
    {"Number", is_number, "a number", "{\"type\":\"number\"}"},
    {"Object", is_object, "an object", "{\"type\":\"object\"}"},
    {"Quantity", is_quantity, "a quantity (0x and hex digits)", HEX("{1,64}")},
    {"String", is_string, "a string", "{\"type\":\"string\"}"},
    {"Word", is_quantity, "32 bytes or a quantity (0x and up to 64 hex digits)", HEX("{1,64}")},
};

static const type *find_type(const cevm_rpc_text *name)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; ++i) {
        if (strlen(types[i].name) == name->size && memcmp(types[i].name, name->text, name->size) == 0) {
            return &types[i];
        }
    }
    return NULL;
}

const char *cevm_rpc_type_words(const cevm_rpc_text *name)
{
    const type *t = find_type(name);
    return t != NULL ? t->words : NULL;
}

const char *cevm_rpc_type_schema(const cevm_rpc_text *name)
{
    const type *t = find_type(name);
    return t != NULL ? t->schema : NULL;
}

/* ---- The text of a row ------------------------------------------------------------------------------------------------ */

bool cevm_rpc_next_spec(cevm_rpc_spec *out, const char **cursor)
{
    const char *p = *cursor;
    p += strspn(p, ", ");
    if (*p == '\0') {
        return false;
    }
    *out = (cevm_rpc_spec){.rest = strncmp(p, "...", 3) == 0};
    p += out->rest ? 3 : 0;
    out->name = (cevm_rpc_text){p, strcspn(p, "?: ,")};
    p += out->name.size;
    out->optional = *p == '?';
    p += strspn(p, "?: ");
    out->type = (cevm_rpc_text){p, strcspn(p, ", ")};
    *cursor = p + out->type.size;
    return true;
}

bool cevm_rpc_next_type(cevm_rpc_text *name, bool *is_array_of, const cevm_rpc_text *type_text, size_t *cursor)
{
    if (*cursor >= type_text->size) {
        return false;
    }
    const char *start = type_text->text + *cursor;
    const char *bar = memchr(start, '|', type_text->size - *cursor);
    size_t size = bar != NULL ? (size_t)(bar - start) : type_text->size - *cursor;
    *cursor += size + 1;
    *is_array_of = size > 2 && memcmp(start + size - 2, "[]", 2) == 0;
    *name = (cevm_rpc_text){start, *is_array_of ? size - 2 : size};
    return true;
}

void cevm_rpc_show(char out[CEVM_RPC_SHOWN], const json_t *value)
{
    switch (value != NULL ? json_typeof(value) : JSON_NULL) {
    case JSON_NULL: (void)snprintf(out, CEVM_RPC_SHOWN, "%s", value != NULL ? "null" : "nothing"); return;
    case JSON_TRUE: (void)snprintf(out, CEVM_RPC_SHOWN, "true"); return;
    case JSON_FALSE: (void)snprintf(out, CEVM_RPC_SHOWN, "false"); return;
    case JSON_OBJECT: (void)snprintf(out, CEVM_RPC_SHOWN, "an object"); return;
    case JSON_ARRAY: (void)snprintf(out, CEVM_RPC_SHOWN, "an array"); return;
    case JSON_INTEGER: (void)snprintf(out, CEVM_RPC_SHOWN, "%" JSON_INTEGER_FORMAT, json_integer_value(value)); return;
    case JSON_REAL: (void)snprintf(out, CEVM_RPC_SHOWN, "%g", json_real_value(value)); return;
    case JSON_STRING: break;
    }
    const char *text = json_string_value(value);
    size_t size = json_string_length(value);
    size_t kept = size <= CEVM_RPC_SHOWN - 8 ? size : CEVM_RPC_SHOWN - 8;
    while (kept < size && kept > 0 && ((unsigned char)text[kept] & 0xc0) == 0x80) {
        --kept; /* not in the middle of a character */
    }
    (void)snprintf(out, CEVM_RPC_SHOWN, "\"%.*s%s\"", (int)kept, text, kept < size ? "…" : "");
}

/* ---- The check -------------------------------------------------------------------------------------------------------- */

static bool matches(const cevm_rpc_text *type_text, const json_t *value)
{
    cevm_rpc_text name;
    bool array;
    size_t cursor = 0;
    while (cevm_rpc_next_type(&name, &array, type_text, &cursor)) {
        const type *t = find_type(&name);
        bool ok = t != NULL && (array ? json_is_array(value) : t->matches(value));
        for (size_t i = 0; ok && array && i < json_array_size(value); ++i) {
            ok = t->matches(json_array_get(value, i));
        }
        if (ok) {
            return true;
        }
    }
    return false;
}

/* "an address (…) or an array of hashes": into a text of `size` bytes. */
static void describe(char *out, size_t size, const cevm_rpc_text *type_text)
{
    cevm_rpc_text name;
    bool array;
    size_t cursor = 0;
    size_t used = 0;
    out[0] = '\0';
    while (used < size && cevm_rpc_next_type(&name, &array, type_text, &cursor)) {
        const char *words = cevm_rpc_type_words(&name);
        int n = snprintf(out + used, size - used, "%s%s%s", used != 0 ? " or " : "", array ? "an array, each " : "",
                         words != NULL ? words : "?");
        used += n > 0 ? (size_t)n : 0;
    }
}

static bool wrong(cevm_rpc_call *call, size_t index, const cevm_rpc_spec *spec, const json_t *value)
{
    char wanted[256];
    char shown[CEVM_RPC_SHOWN];
    describe(wanted, sizeof wanted, &spec->type);
    if (value == NULL) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "missing value for required argument %zu (%.*s): %s", index,
                             (int)spec->name.size, spec->name.text, wanted);
    }
    cevm_rpc_show(shown, value);
    return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "invalid argument %zu (%.*s): %s is wanted, not %s", index,
                         (int)spec->name.size, spec->name.text, wanted, shown);
}

/* Named parameters in the order of the row; false when a name is not of the row. */
static json_t *order_named(cevm_rpc_call *call, json_t *given)
{
    json_t *ordered = json_array();
    const char *cursor = call->row->params;
    cevm_rpc_spec spec;
    size_t found = 0;
    while (cevm_rpc_next_spec(&spec, &cursor)) {
        char name[64];
        (void)snprintf(name, sizeof name, "%.*s", (int)spec.name.size, spec.name.text);
        json_t *value = json_object_get(given, name);
        found += value != NULL;
        if (json_array_append_new(ordered, value != NULL ? json_incref(value) : json_null()) != 0) {
            json_decref(ordered);
            (void)cevm_rpc_fail_err(call, CEVM_ERR_NOMEM);
            return NULL;
        }
    }
    if (found != json_object_size(given)) {
        json_decref(ordered);
        (void)cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "unknown parameter: %s has (%s)", call->row->name,
                            call->row->params);
        return NULL;
    }
    return ordered;
}

bool cevm_rpc_check_params(cevm_rpc_call *call, json_t *given, json_t **made)
{
    *made = NULL;
    if (given == NULL || json_is_null(given)) {
        *made = json_array();
    } else if (json_is_object(given)) {
        *made = order_named(call, given);
    } else if (json_is_array(given)) {
        *made = json_incref(given);
    } else {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "params must be an array or an object");
    }
    if (*made == NULL) {
        return cevm_rpc_fail_err(call, CEVM_ERR_NOMEM); /* unless it says already what is wrong */
    }
    call->params = *made;
    size_t count = json_array_size(call->params);
    const char *cursor = call->row->params;
    cevm_rpc_spec spec;
    size_t i = 0;
    while (cevm_rpc_next_spec(&spec, &cursor)) {
        if (spec.rest) {
            for (; i < count; ++i) {
                if (!matches(&spec.type, json_array_get(call->params, i))) {
                    return wrong(call, i, &spec, json_array_get(call->params, i));
                }
            }
            return true;
        }
        json_t *value = json_array_get(call->params, i);
        if (value == NULL || json_is_null(value)) {
            if (!spec.optional) {
                return wrong(call, i, &spec, NULL);
            }
        } else if (!matches(&spec.type, value)) {
            return wrong(call, i, &spec, value);
        }
        ++i;
    }
    for (size_t k = i; k < count; ++k) {
        if (!json_is_null(json_array_get(call->params, k))) {
            return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "too many arguments, want at most %zu: %s(%s)", i,
                                 call->row->name, call->row->params);
        }
    }
    return true;
}
