/* SPDX-License-Identifier: Apache-2.0 */
/* Messages signed with the node's keys: eth_sign, personal_sign (EIP-191) and typed data (EIP-712). */
#include <inttypes.h>
#include <stdio.h>

#include <cevm/crypto.h>
#include <cevm/hex.h>

#include "rpc/answer.h"
#include "rpc/methods.h"
#include "rpc/typed_data.h"

enum { SIGNATURE = 65 };

static bool is_address(const json_t *value)
{
    cevm_address address;
    return json_string_length(value) == 42 &&
           cevm_hex_decode_exact(address.bytes, sizeof address.bytes, json_string_value(value));
}

/** r ‖ s ‖ 27 or 28. */
static void put_signature(cevm_rpc_call *call, json_t *signer, const cevm_hash *digest)
{
    cevm_address address;
    uint8_t key[32];
    uint8_t signature[SIGNATURE];
    char text[43];
    unsigned parity = 0;
    if (!cevm_rpc_read_address(&address, call, signer, "address")) {
        return;
    }
    if (!cevm_node_key(call->node, key, &address)) {
        cevm_address_to_text(text, &address);
        (void)cevm_rpc_fail(call, CEVM_RPC_SERVER, "unknown account %s: the node has no key for it", text);
        return;
    }
    const bool ok = cevm_sign(signature, signature + 32, &parity, digest, key);
    memset(key, 0, sizeof key);
    if (!ok) {
        (void)cevm_rpc_fail(call, CEVM_RPC_INTERNAL, "the key cannot sign");
        return;
    }
    signature[SIGNATURE - 1] = (uint8_t)(27 + parity);
    cevm_json_put_data(call->out, (cevm_bytes){signature, sizeof signature});
}

/** EIP-191, version 0x45: what wallets show and sign. Text that is no hex stands for itself. */
static bool message_digest(cevm_hash *out, cevm_rpc_call *call, json_t *message)
{
    static const char prefix[] = "\x19"
                                 "Ethereum Signed Message:\n";
    char length[24];
    cevm_buf buf;
    cevm_bytes data = {(const uint8_t *)json_string_value(message), json_string_length(message)};
    if (data.data == NULL || (data.size >= 2 && data.data[0] == '0' && (data.data[1] | 0x20) == 'x')) {
        if (!cevm_rpc_read_data(&data, call, message, "message")) {
            return false;
        }
    }
    (void)snprintf(length, sizeof length, "%zu", data.size);
    cevm_buf_init(&buf, cevm_node_allocator(call->node));
    cevm_buf_append(&buf, prefix, sizeof prefix - 1);
    cevm_buf_append(&buf, length, strlen(length));
    cevm_buf_append(&buf, data.data, data.size);
    const bool ok = !buf.failed || cevm_rpc_fail_err(call, CEVM_ERR_NOMEM);
    if (ok) {
        cevm_keccak256(out, buf.data, buf.size);
    }
    cevm_buf_free(&buf);
    return ok;
}

static void sign_message(cevm_rpc_call *call, json_t *signer, json_t *message)
{
    cevm_hash digest;
    if (message_digest(&digest, call, message)) {
        put_signature(call, signer, &digest);
    }
}

void cevm_rpc_eth_sign(cevm_rpc_call *call) { sign_message(call, cevm_rpc_param(call, 0), cevm_rpc_param(call, 1)); }

/** The message comes first; some clients turn it round, which shows where only one of both is an address. */
void cevm_rpc_personal_sign(cevm_rpc_call *call)
{
    json_t *first = cevm_rpc_param(call, 0);
    json_t *second = cevm_rpc_param(call, 1);
    const bool is_turned = is_address(first) && !is_address(second);
    sign_message(call, is_turned ? first : second, is_turned ? second : first);
}

/* ---- Typed data ----------------------------------------------------------------------------------------------------- */

/** An object, a list, or the text of one. */
static void sign_typed(cevm_rpc_call *call, json_t *signer, json_t *data)
{
    cevm_typed_error text = {.text = ""};
    json_error_t problem;
    cevm_hash digest;
    json_t *parsed = json_is_string(data) ? json_loadb(json_string_value(data), json_string_length(data), 0, &problem)
                                          : json_incref(data);
    const cevm_allocator *allocator = cevm_node_allocator(call->node);
    const bool ok = json_is_array(parsed) ? cevm_typed_list_digest(&digest, &text, parsed, allocator)
                                          : cevm_typed_data_digest(&digest, &text, parsed, allocator);
    json_decref(parsed);
    if (ok) {
        put_signature(call, signer, &digest);
    } else {
        (void)cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "invalid typed data: %s", text.text);
    }
}

/** The address comes first; the oldest form (a list) had it last. */
void cevm_rpc_eth_signTypedData(cevm_rpc_call *call)
{
    json_t *first = cevm_rpc_param(call, 0);
    json_t *second = cevm_rpc_param(call, 1);
    const bool is_turned = is_address(second);
    sign_typed(call, is_turned ? second : first, is_turned ? first : second);
}
