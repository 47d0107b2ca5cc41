/* SPDX-License-Identifier: Apache-2.0 */
/* Transaction objects. */
#include "rpc/call_args.h"

#include <inttypes.h>

#include "chain/tx_json.h"
#include "rpc/member.h"
#include "rpc/node.h"

/** "to": missing, null, "" and "0x" are a creation. */
static bool read_recipient(cevm_call_args *out, cevm_rpc_call *call, const json_t *object)
{
    json_t *value = cevm_member(object, "to");
    const char *text = json_string_value(value);
    out->has_to = value != NULL && !(text != NULL && (text[0] == '\0' || strcmp(text, "0x") == 0));
    out->tx.is_create = !out->has_to;
    return !out->has_to || cevm_rpc_read_address(&out->tx.to, call, value, "to");
}

/** "input" and the older "data": one of them, or both the same. */
static bool read_input(cevm_call_args *out, cevm_rpc_call *call, const json_t *object)
{
    json_t *input = cevm_member(object, "input");
    json_t *data = cevm_member(object, "data");
    if (input != NULL && !cevm_rpc_read_data(&out->tx.data, call, input, "input")) {
        return false;
    }
    if (data == NULL) {
        return true;
    }
    cevm_bytes older;
    if (!cevm_rpc_read_data(&older, call, data, "data")) {
        return false;
    }
    if (input != NULL && (older.size != out->tx.data.size ||
                          (older.size != 0 && memcmp(older.data, out->tx.data.data, older.size) != 0))) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "both \"data\" and \"input\" are set and not equal");
    }
    out->tx.data = older;
    return true;
}

typedef bool (*list_reader)(cevm_tx *out, const cevm_json_at *list, cevm_arena *arena);

static bool read_list(cevm_call_args *out, bool *has, cevm_rpc_call *call, const json_t *object, const char *key,
                      list_reader reader)
{
    json_t *value = cevm_member(object, key);
    *has = value != NULL;
    if (value == NULL) {
        return true;
    }
    cevm_json_error error = {.text = ""};
    const cevm_json_at at = cevm_json_root(value, "transaction", key, &error);
    return reader(&out->tx, &at, call->arena) || cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "%.900s", error.text);
}

static bool read_fees(cevm_call_args *out, cevm_rpc_call *call, const json_t *object)
{
    cevm_u256 price = {{0, 0, 0, 0}};
    if (!cevm_member_u256(&price, &out->has_gas_price, call, object, "gasPrice") ||
        !cevm_member_u256(&out->tx.max_fee, &out->has_max_fee, call, object, "maxFeePerGas") ||
        !cevm_member_u256(&out->tx.max_priority_fee, &out->has_priority_fee, call, object, "maxPriorityFeePerGas") ||
        !cevm_member_u256(&out->tx.max_fee_per_blob_gas, &out->has_blob_fee, call, object, "maxFeePerBlobGas")) {
        return false;
    }
    if (!out->has_gas_price) {
        return true;
    }
    if (out->has_max_fee || out->has_priority_fee) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS,
                             "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified");
    }
    out->tx.max_fee = price;
    out->tx.max_priority_fee = price;
    return true;
}

/* ---- The type ------------------------------------------------------------------------------------------------------ */

/** A price names a legacy transaction, or one with an access list; lists and fees of later types name those. */
static cevm_tx_type type_of(const cevm_call_args *args, cevm_call_default fallback)
{
    if (args->has_authorizations) {
        return CEVM_TX_SET_CODE;
    }
    if (args->has_blob_hashes) {
        return CEVM_TX_BLOB;
    }
    if (!args->has_gas_price && (args->has_max_fee || args->has_priority_fee || fallback == CEVM_CALL_DYNAMIC_FEE)) {
        return CEVM_TX_DYNAMIC_FEE;
    }
    return args->has_access_list ? CEVM_TX_ACCESS_LIST : CEVM_TX_LEGACY;
}

/** A type that was asked for counts where it can hold all that is there. */
static bool settle_type(cevm_call_args *args, cevm_rpc_call *call, const json_t *object, cevm_call_default fallback)
{
    uint64_t asked = 0;
    const cevm_tx_type found = type_of(args, fallback);
    args->tx.type = found;
    if (!cevm_member_u64(&asked, &args->has_type, call, object, "type")) {
        return false;
    }
    if (!args->has_type) {
        return true;
    }
    if (asked > CEVM_TX_SET_CODE) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "transaction type not supported: %" PRIu64, asked);
    }
    const bool needs_market = args->has_max_fee || args->has_priority_fee;
    if ((found >= CEVM_TX_BLOB && asked != (uint64_t)found) || (asked < CEVM_TX_DYNAMIC_FEE && needs_market) ||
        (asked == CEVM_TX_LEGACY && args->has_access_list)) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS,
                             "a transaction of type %" PRIu64 " cannot have these fields: they make it one of type %d",
                             asked, (int)found);
    }
    args->tx.type = (cevm_tx_type)asked;
    return true;
}

bool cevm_call_args_read(cevm_call_args *out, cevm_rpc_call *call, json_t *object, cevm_call_default type)
{
    bool has_value = false;
    *out = (cevm_call_args){.tx = {.has_sender = true}};
    if (!json_is_object(object)) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "invalid transaction: an object is wanted");
    }
    json_t *from = cevm_member(object, "from");
    out->has_from = from != NULL;
    if (from != NULL && !cevm_rpc_read_address(&out->tx.sender, call, from, "from")) {
        return false;
    }
    return read_recipient(out, call, object) && read_input(out, call, object) &&
           cevm_member_u64(&out->tx.gas_limit, &out->has_gas, call, object, "gas") &&
           cevm_member_u64(&out->tx.nonce, &out->has_nonce, call, object, "nonce") &&
           cevm_member_u64(&out->tx.chain_id, &out->has_chain_id, call, object, "chainId") &&
           cevm_member_u256(&out->tx.value, &has_value, call, object, "value") && read_fees(out, call, object) &&
           read_list(out, &out->has_access_list, call, object, "accessList", cevm_tx_json_access_list) &&
           read_list(out, &out->has_blob_hashes, call, object, "blobVersionedHashes", cevm_tx_json_blob_hashes) &&
           read_list(out, &out->has_authorizations, call, object, "authorizationList", cevm_tx_json_authorizations) &&
           settle_type(out, call, object, type);
}

bool cevm_call_args_complete(cevm_call_args *args, cevm_rpc_call *call, uint64_t chain_id, uint64_t cap)
{
    cevm_tx *tx = &args->tx;
    if (args->has_chain_id && tx->chain_id != chain_id) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS,
                             "chainId does not match node's (have=%" PRIu64 ", want=%" PRIu64 ")", tx->chain_id,
                             chain_id);
    }
    tx->chain_id = chain_id;
    tx->has_chain_id = tx->type != CEVM_TX_LEGACY;
    if (!args->has_gas || tx->gas_limit > cap) {
        tx->gas_limit = cap;
    }
    tx->skips = CEVM_SKIP_SENDER_CODE | CEVM_SKIP_GAS_CAP | CEVM_SKIP_NONCE | CEVM_SKIP_ZERO_FEES | CEVM_SKIP_MOVED;
    if (cevm_node_get_options(call->node)->code_size_limit != 0) {
        tx->skips |= CEVM_SKIP_INITCODE_SIZE;
    }
    return true;
}
