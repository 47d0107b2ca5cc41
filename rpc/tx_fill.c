/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/tx_fill.h"

#include <inttypes.h>

#include <cevm/crypto.h>
#include <cevm/hex.h>

#include "evm/u256.h"
#include "rpc/answer.h"
#include "rpc/blob_sidecar.h"
#include "rpc/find.h"
#include "rpc/methods.h"
#include "rpc/node_internal.h"

enum { SUGGESTED_TIP = 1000000000 /* wei per gas */ };

/** A request on its way to a transaction. */
typedef struct filling {
    cevm_rpc_call *call;
    cevm_call_args args;
    json_t *object;
    cevm_world *world;
    cevm_header header; /* of the next block */
    cevm_block_env env;
    unsigned flags;
    bool impersonated;
    bool has_key;
    uint8_t key[32];
} filling;

/* ---- Raw transactions ----------------------------------------------------------------------------------------------- */

/** Type ‖ fields: what the hash and the block are made of. */
static bool strip(cevm_bytes *raw, cevm_rpc_call *call, cevm_bytes fields)
{
    uint8_t *copy = cevm_arena_alloc(call->arena, fields.size + 1);
    if (copy == NULL) {
        return cevm_rpc_fail_err(call, CEVM_ERR_NOMEM);
    }
    copy[0] = CEVM_TX_BLOB;
    memcpy(copy + 1, fields.data, fields.size);
    *raw = (cevm_bytes){copy, fields.size + 1};
    return true;
}

static void *arena_resize(void *ctx, void *ptr, size_t size)
{
    return ptr == NULL && size != 0 ? cevm_arena_alloc(ctx, size)
                                    : NULL; /* decoding allocates once, and frees nothing */
}

bool cevm_tx_read_raw(cevm_tx *out, cevm_rpc_call *call, json_t *value)
{
    const cevm_allocator in_arena = {call->arena, arena_resize};
    cevm_blob_sidecar sidecar;
    cevm_bytes raw;
    cevm_bytes fields;
    cevm_tx *tx = NULL;
    cevm_tx_error reason = CEVM_TX_NONE;
    if (!cevm_rpc_read_data(&raw, call, value, "transaction")) {
        return false;
    }
    const bool has_sidecar = cevm_blob_sidecar_split(&sidecar, &fields, raw);
    if (has_sidecar && !strip(&raw, call, fields)) {
        return false;
    }
    const cevm_err err = cevm_tx_decode(&tx, &reason, raw, &in_arena);
    if (err == CEVM_ERR_ENCODING) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "invalid transaction: %s", cevm_tx_error_string(reason));
    }
    if (err != CEVM_OK) {
        return cevm_rpc_fail_err(call, err);
    }
    if (has_sidecar) {
        const char *wrong = cevm_blob_sidecar_check(&sidecar, tx, cevm_node_allocator(call->node));
        if (wrong != NULL) {
            return cevm_rpc_fail(call, CEVM_RPC_SERVER, "%s", wrong);
        }
    }
    *out = *tx;
    return true;
}

bool cevm_tx_encode_for(cevm_bytes *out, cevm_rpc_call *call, const cevm_tx *tx)
{
    size_t size = 0;
    cevm_err err = cevm_tx_encode(NULL, &size, 0, tx, NULL);
    uint8_t *bytes = err == CEVM_OK ? cevm_arena_alloc(call->arena, size) : NULL;
    if (bytes == NULL) {
        return cevm_rpc_fail_err(call, CEVM_ERR_NOMEM);
    }
    err = cevm_tx_encode(bytes, &size, size, tx, NULL);
    *out = (cevm_bytes){bytes, size};
    return err == CEVM_OK || cevm_rpc_fail_err(call, err);
}

/* ---- What was left out ----------------------------------------------------------------------------------------------- */

static bool fill_sender(filling *f)
{
    char text[43];
    cevm_tx *tx = &f->args.tx;
    if (!f->args.has_from) {
        if (cevm_node_account_count(f->call->node) == 0) {
            return cevm_rpc_fail(f->call, CEVM_RPC_INVALID_PARAMS, "\"from\" is missing, and the node has no account");
        }
        cevm_node_account(f->call->node, 0, &tx->sender, NULL);
    }
    tx->has_sender = true;
    f->has_key = cevm_node_key(f->call->node, f->key, &tx->sender);
    f->impersonated = !f->has_key && ((f->flags & CEVM_FILL_ANYONE) != 0 || f->world->settings.auto_impersonate ||
                                      cevm_world_is_impersonated(f->world, &tx->sender));
    if (f->has_key || (f->impersonated && (f->flags & CEVM_FILL_KEY) == 0) || (f->flags & CEVM_FILL_SIGN) == 0) {
        return true;
    }
    cevm_address_to_text(text, &tx->sender);
    return cevm_rpc_fail(f->call, CEVM_RPC_SERVER,
                         "unknown account %s: the node has no key for it, and it is not impersonated", text);
}

static bool fill_chain(filling *f)
{
    cevm_tx *tx = &f->args.tx;
    const uint64_t own = f->world->settings.config.chain_id;
    if (f->args.has_chain_id && tx->chain_id != own) {
        return cevm_rpc_fail(f->call, CEVM_RPC_INVALID_PARAMS,
                             "chainId does not match node's (have=%" PRIu64 ", want=%" PRIu64 ")", tx->chain_id, own);
    }
    tx->chain_id = own;
    tx->has_chain_id = CEVM_HAS_EIP(f->env.fork, 155);
    return true;
}

/** From the world as it is at that moment: others may have sent since this request began. */
static bool read_nonce(filling *f)
{
    cevm_db_account account;
    bool exists = false;
    cevm_tx *tx = &f->args.tx;
    cevm_world *world = cevm_node_world(f->call->node);
    const bool ok = cevm_find_account(&account, &exists, f->call, world->state, &tx->sender);
    if (ok) {
        tx->nonce = cevm_world_next_nonce(world, &tx->sender, exists ? account.nonce : 0);
    }
    cevm_world_release(world);
    return ok;
}

/** Twice the base fee and a tip: what wallets offer, so that the transaction stays good for some blocks. */
static void fill_fees(filling *f)
{
    cevm_tx *tx = &f->args.tx;
    cevm_u256 tip = cevm_u256_from_u64(SUGGESTED_TIP);
    if (tx->type == CEVM_TX_LEGACY || tx->type == CEVM_TX_ACCESS_LIST) {
        if (!f->args.has_gas_price) {
            tx->max_fee = u256_add(&f->env.base_fee, &tip);
            tx->max_fee = u256_lt(&tx->max_fee, &f->world->settings.min_gas_price) ? f->world->settings.min_gas_price
                                                                                   : tx->max_fee;
        }
        tx->max_priority_fee = tx->max_fee;
        return;
    }
    if (f->args.has_gas_price) { /* a type was asked for that has no such price: both fees are it */
        return;
    }
    if (!f->args.has_priority_fee) {
        tx->max_priority_fee = f->args.has_max_fee && u256_lt(&tx->max_fee, &tip) ? tx->max_fee : tip;
    }
    if (!f->args.has_max_fee) {
        tx->max_fee = u256_add(&f->env.base_fee, &f->env.base_fee);
        tx->max_fee = u256_add(&tx->max_fee, &tx->max_priority_fee);
    }
    if (tx->type == CEVM_TX_BLOB && !f->args.has_blob_fee) {
        tx->max_fee_per_blob_gas = u256_add(&f->env.blob_base_fee, &f->env.blob_base_fee);
    }
}

/** The request as the estimation wants it: with its sender, without fees that would only bound the gas by the balance. */
static json_t *estimation_params(const filling *f)
{
    char sender[43];
    json_t *object = json_copy(f->object);
    cevm_address_to_text(sender, &f->args.tx.sender);
    (void)json_object_del(object, "gas");
    (void)json_object_del(object, "nonce");
    if (object == NULL || json_object_set_new(object, "from", json_string(sender)) != 0) {
        json_decref(object);
        return NULL;
    }
    return json_pack("[os]", object, "pending"); /* time and fees of the block it will be in */
}

/** Asks eth_estimateGas; when it fails so does the call, with its reason and data. */
static bool estimate(filling *f, uint64_t *gas)
{
    cevm_rpc_capture capture;
    cevm_rpc_call inner = *f->call;
    cevm_u256 value = {{0, 0, 0, 0}};
    inner.params = estimation_params(f);
    if (inner.params == NULL) {
        return cevm_rpc_fail_err(f->call, CEVM_ERR_NOMEM);
    }
    cevm_rpc_capture_begin(&capture, cevm_node_allocator(f->call->node));
    inner.out = &capture.writer;
    cevm_rpc_eth_estimateGas(&inner);
    const bool written = cevm_rpc_capture_end(&capture);
    char text[80] = "";
    if (inner.error.code == 0 && written && capture.text.size > 2 && capture.text.size < sizeof text) {
        memcpy(text, capture.text.data + 1, capture.text.size - 2); /* within its quotes */
    }
    cevm_buf_free(&capture.text);
    json_decref(inner.params);
    if (inner.error.code != 0) {
        f->call->error = inner.error;
        f->call->console = inner.console;
        return false;
    }
    *gas = cevm_u256_from_text(&value, text) && cevm_u256_fits_u64(&value) ? value.w[0] : 0;
    return *gas != 0 || cevm_rpc_fail(f->call, CEVM_RPC_INTERNAL, "gas could not be estimated");
}

static bool fill_gas(filling *f) { return f->args.has_gas || estimate(f, &f->args.tx.gas_limit); }

/* ---- The signature --------------------------------------------------------------------------------------------------- */

/** v of a parity: EIP-155's for a legacy transaction that names its chain. */
static cevm_u256 v_of(const cevm_tx *tx, unsigned parity)
{
    if (tx->type != CEVM_TX_LEGACY) {
        return cevm_u256_from_u64(parity);
    }
    const cevm_u256 base = cevm_u256_from_u64((tx->has_chain_id ? 35 : 27) + parity);
    const cevm_u256 id = cevm_u256_from_u64(tx->has_chain_id ? tx->chain_id : 0);
    const cevm_u256 twice = u256_add(&id, &id);
    return u256_add(&twice, &base);
}

/**
 * Nobody has signed: the signature names the sender, so that equal transactions of different senders have different hashes.
 */
static void pretend(cevm_tx *tx)
{
    tx->r = cevm_u256_from_address(&tx->sender);
    tx->s = tx->r;
    tx->v = v_of(tx, 0);
}

static bool sign(filling *f)
{
    cevm_tx *tx = &f->args.tx;
    cevm_hash digest;
    uint8_t r[32];
    uint8_t s[32];
    unsigned parity = 0;
    if ((f->flags & CEVM_FILL_SIGN) == 0) {
        return true;
    }
    if (!f->has_key) {
        pretend(tx);
        return true;
    }
    const cevm_err err = cevm_tx_signing_hash(&digest, tx, cevm_node_allocator(f->call->node));
    if (err != CEVM_OK) {
        return cevm_rpc_fail_err(f->call, err);
    }
    /* Not cevm_tx_sign, which would derive the sender again. */
    if (!cevm_sign(r, s, &parity, &digest, f->key)) {
        return cevm_rpc_fail(f->call, CEVM_RPC_INTERNAL, "the key cannot sign");
    }
    tx->r = cevm_u256_from_be(r);
    tx->s = cevm_u256_from_be(s);
    tx->v = v_of(tx, parity);
    return true;
}

static bool fill(filling *f)
{
    bool is_merged = false;
    cevm_world_next_header(&f->header, &is_merged, f->world, cevm_node_now(f->world));
    cevm_header_env(&f->env, &f->world->settings.config, &f->header, is_merged);
    const cevm_call_default type = f->header.has_base_fee ? CEVM_CALL_DYNAMIC_FEE : CEVM_CALL_LEGACY;
    if (!cevm_call_args_read(&f->args, f->call, f->object, type) || !fill_sender(f) || !fill_chain(f)) {
        return false;
    }
    if (!f->args.has_to && f->args.tx.data.size == 0) { /* a forgotten "to": the value would be lost in a new account */
        return cevm_rpc_fail(f->call, CEVM_RPC_SERVER, "contract creation without any data provided");
    }
    fill_fees(f);
    if (!fill_gas(f)) {
        return false;
    }
    const bool locks = (f->flags & CEVM_FILL_LOCK) != 0;
    if (locks) {
        (void)pthread_mutex_lock(&f->call->node->sending);
    }
    const bool ok = (f->args.has_nonce || read_nonce(f)) && sign(f);
    if (locks && !ok) {
        cevm_tx_sent(f->call);
    }
    return ok;
}

void cevm_tx_sent(cevm_rpc_call *call) { (void)pthread_mutex_unlock(&call->node->sending); }

bool cevm_tx_fill(cevm_tx *out, bool *impersonated, cevm_rpc_call *call, json_t *object, unsigned flags)
{
    filling f = {.call = call, .object = object, .world = cevm_node_world(call->node), .flags = flags};
    const bool ok = fill(&f);
    cevm_world_release(f.world);
    memset(f.key, 0, sizeof f.key);
    *out = f.args.tx;
    *impersonated = f.impersonated;
    return ok;
}
