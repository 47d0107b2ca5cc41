/* SPDX-License-Identifier: Apache-2.0 */
/* Readers of parameters: JSON values to what they mean. */
#include "rpc/types.h"

#include <stdio.h>
#include <stdlib.h>

#include <cevm/hex.h>

json_t *cevm_rpc_param(const cevm_rpc_call *call, size_t index)
{
    json_t *value = json_array_get(call->params, index);
    return json_is_null(value) ? NULL : value;
}

static bool refuse(cevm_rpc_call *call, const json_t *value, const char *what, const char *wanted)
{
    char shown[CEVM_RPC_SHOWN];
    cevm_rpc_show(shown, value);
    return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "invalid %s: %s is wanted, not %s", what, wanted, shown);
}

static bool fixed(uint8_t *out, size_t size, cevm_rpc_call *call, const json_t *value, const char *what,
                  const char *wanted)
{
    const char *text = json_string_value(value);
    if (text != NULL && json_string_length(value) == 2 + 2 * size && text[0] == '0' && (text[1] | 0x20) == 'x' &&
        cevm_hex_decode_exact(out, size, text)) {
        return true;
    }
    return refuse(call, value, what, wanted);
}

bool cevm_rpc_read_address(cevm_address *out, cevm_rpc_call *call, json_t *value, const char *what)
{
    return fixed(out->bytes, sizeof out->bytes, call, value, what, "an address (0x and 40 hex digits)");
}

bool cevm_rpc_read_hash(cevm_hash *out, cevm_rpc_call *call, json_t *value, const char *what)
{
    return fixed(out->bytes, sizeof out->bytes, call, value, what, "a hash (0x and 64 hex digits)");
}

/* Hex with leading zeros, decimal digits, or a JSON integer; not "0x" alone. */
static bool quantity(cevm_u256 *out, const json_t *value)
{
    if (json_is_integer(value)) {
        json_int_t number = json_integer_value(value);
        *out = cevm_u256_from_u64((uint64_t)number);
        return number >= 0;
    }
    if (json_is_real(value)) { /* JavaScript writes large whole numbers like 1e+21 */
        double number = json_real_value(value);
        char text[80];
        if (!(number >= 0 && number < 1e27)) {
            return false;
        }
        (void)snprintf(text, sizeof text, "%.0f", number);
        return number == strtod(text, NULL) && cevm_u256_from_text(out, text);
    }
    const char *text = json_string_value(value);
    size_t size = json_string_length(value);
    return text != NULL && size != 0 && strlen(text) == size && !(size == 2 && (text[1] | 0x20) == 'x') &&
           cevm_u256_from_text(out, text);
}

bool cevm_rpc_read_u256(cevm_u256 *out, cevm_rpc_call *call, json_t *value, const char *what)
{
    return quantity(out, value) || refuse(call, value, what, "a quantity (0x and up to 64 hex digits)");
}

bool cevm_rpc_read_u64(uint64_t *out, cevm_rpc_call *call, json_t *value, const char *what)
{
    cevm_u256 wide;
    if (!quantity(&wide, value) || !cevm_u256_fits_u64(&wide)) {
        return refuse(call, value, what, "a quantity (0x and hex digits) of at most 64 bits");
    }
    *out = wide.w[0];
    return true;
}

bool cevm_rpc_read_word(cevm_u256 *out, cevm_rpc_call *call, json_t *value, const char *what)
{
    return quantity(out, value) || refuse(call, value, what, "32 bytes or a quantity (0x and up to 64 hex digits)");
}

bool cevm_rpc_read_data(cevm_bytes *out, cevm_rpc_call *call, json_t *value, const char *what)
{
    const char *text = json_string_value(value);
    size_t length = json_string_length(value);
    size_t size = 0;
    if (text == NULL || length < 2 || text[0] != '0' || (text[1] | 0x20) != 'x') {
        return refuse(call, value, what, "data (0x and two hex digits a byte)");
    }
    uint8_t *bytes = cevm_arena_alloc(call->arena, length / 2);
    if (bytes == NULL) {
        return cevm_rpc_fail_err(call, CEVM_ERR_NOMEM);
    }
    if (!cevm_hex_decode(bytes, &size, text, length)) {
        return refuse(call, value, what, "data (0x and two hex digits a byte)");
    }
    *out = (cevm_bytes){.data = bytes, .size = size};
    return true;
}

bool cevm_rpc_read_bool(bool *out, cevm_rpc_call *call, json_t *value, const char *what)
{
    if (!json_is_boolean(value)) {
        return refuse(call, value, what, "true or false");
    }
    *out = json_is_true(value);
    return true;
}

/* ---- Blocks --------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    cevm_block_tag tag;
} block_tags[] = {
    {"latest", CEVM_TAG_LATEST},       {"pending", CEVM_TAG_PENDING}, {"earliest", CEVM_TAG_EARLIEST},
    {"finalized", CEVM_TAG_FINALIZED}, {"safe", CEVM_TAG_SAFE},
};

static bool is_tag(cevm_block_tag *out, const json_t *value)
{
    const char *text = json_string_value(value);
    for (size_t i = 0; text != NULL && i < sizeof block_tags / sizeof block_tags[0]; ++i) {
        if (strcmp(text, block_tags[i].name) == 0) {
            *out = block_tags[i].tag;
            return true;
        }
    }
    return false;
}

static const char *const block_wanted = "a block (number, hash, or latest, pending, earliest, safe, finalized)";

/* EIP-1898: {"blockHash": …, "requireCanonical": …} or {"blockNumber": …}. */
static bool read_block_object(cevm_block_id *out, cevm_rpc_call *call, json_t *value, const char *what)
{
    json_t *hash = json_object_get(value, "blockHash");
    json_t *number = json_object_get(value, "blockNumber");
    json_t *canonical = json_object_get(value, "requireCanonical");
    if ((hash == NULL) == (number == NULL)) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "invalid %s: either blockHash or blockNumber is wanted",
                             what);
    }
    if (canonical != NULL && !cevm_rpc_read_bool(&out->require_canonical, call, canonical, "requireCanonical")) {
        return false;
    }
    if (number != NULL) {
        out->tag = CEVM_TAG_NUMBER;
        return is_tag(&out->tag, number) || cevm_rpc_read_u64(&out->number, call, number, "blockNumber");
    }
    out->tag = CEVM_TAG_HASH;
    return cevm_rpc_read_hash(&out->hash, call, hash, "blockHash");
}

bool cevm_rpc_read_block_id(cevm_block_id *out, cevm_rpc_call *call, json_t *value, const char *what)
{
    *out = (cevm_block_id){.tag = CEVM_TAG_LATEST};
    if (value == NULL || json_is_null(value)) {
        return true;
    }
    if (json_is_object(value)) {
        return read_block_object(out, call, value, what);
    }
    if (is_tag(&out->tag, value)) {
        return true;
    }
    const char *text = json_string_value(value);
    if (text != NULL && json_string_length(value) == 66 && text[0] == '0' && (text[1] | 0x20) == 'x') {
        out->tag = CEVM_TAG_HASH;
        return cevm_rpc_read_hash(&out->hash, call, value, what);
    }
    cevm_u256 number;
    if (!quantity(&number, value) || !cevm_u256_fits_u64(&number)) {
        return refuse(call, value, what, block_wanted);
    }
    out->tag = CEVM_TAG_NUMBER;
    out->number = number.w[0];
    return true;
}
