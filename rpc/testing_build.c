/* SPDX-License-Identifier: Apache-2.0 */
/* testing_buildBlockV1: a block made to order, of given transactions or the pool's, that is not added to the chain. */
#include <stdlib.h>

#include "chain/validate.h"
#include "evm/u256.h"
#include "rpc/member.h"
#include "rpc/methods.h"
#include "rpc/node_internal.h"
#include "rpc/shapes.h"
#include "rpc/simulate.h"
#include "rpc/tx_reason.h"
#include "state/trie.h"

enum { MAX_EXTRA_DATA = 32, MAX_PASSES = 64, BAD_ATTRIBUTES = -38003 };

/** A block on its way. */
typedef struct builder {
    cevm_simulation s; /* its state and VM */
    cevm_header header;
    cevm_hash hash;
    cevm_block_overrides attributes; /* the withdrawals of it */
    cevm_block_env env;
    cevm_execution *execution;
    cevm_bytes *raw_txs;
    size_t count;
    cevm_u256 value; /* wei that the coinbase gets */
} builder;

/* ---- What is asked for ---------------------------------------------------------------------------------------------- */

static bool read_attributes(builder *b, cevm_rpc_call *call, const json_t *object)
{
    const cevm_record *parent = b->s.view.record;
    cevm_header *header = &b->header;
    cevm_bytes extra = {NULL, 0};
    json_t *given = cevm_rpc_param(call, 3);
    bool has = false;
    if (!cevm_member_u64(&header->timestamp, &has, call, object, "timestamp") ||
        !cevm_member_hash(&header->mix_hash, &has, call, object, "prevRandao") ||
        !cevm_member_address(&header->coinbase, &has, call, object, "suggestedFeeRecipient") ||
        !cevm_member_hash(&header->parent_beacon_root, &has, call, object, "parentBeaconBlockRoot") ||
        !cevm_withdrawals_read(&b->attributes, call, cevm_member(object, "withdrawals")) ||
        (given != NULL && !cevm_rpc_read_data(&extra, call, given, "extra data"))) {
        return false;
    }
    if (header->timestamp <= parent->block.header.timestamp) {
        return cevm_rpc_fail(call, BAD_ATTRIBUTES, "invalid timestamp: not after the parent's");
    }
    if (extra.size > MAX_EXTRA_DATA) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "invalid extra data: at most %d bytes are allowed",
                             (int)MAX_EXTRA_DATA);
    }
    header->extra_data = extra;
    return true;
}

/** What follows from the parent. */
static bool begin_header(builder *b, cevm_rpc_call *call)
{
    const cevm_record *parent = b->s.view.record;
    const cevm_chain_config *config = &b->s.view.world->settings.config;
    cevm_header *h = &b->header;
    h->parent_hash = parent->block.hash;
    h->number = parent->block.header.number + 1;
    h->gas_limit = parent->block.header.gas_limit;
    h->ommers_hash = cevm_empty_ommers_hash;
    const bool is_merged = cevm_world_child_is_merged(config, parent, h->number, h->timestamp);
    const cevm_fork fork = cevm_chain_fork(config, h->number, h->timestamp, is_merged);
    if (!CEVM_HAS_EIP(fork, 4895)) {
        return cevm_rpc_fail(call, BAD_ATTRIBUTES, "blocks can be built from Shanghai on");
    }
    const cevm_blob_params params = cevm_chain_blob_params(config, h->timestamp);
    const cevm_header *p = &parent->block.header;
    h->has_base_fee = h->has_withdrawals_root = true;
    h->has_blob_gas = CEVM_HAS_EIP(fork, 4844);
    h->has_parent_beacon_root = CEVM_HAS_EIP(fork, 4788);
    h->has_requests_hash = CEVM_HAS_EIP(fork, 7685);
    cevm_next_base_fee(&h->base_fee, p->has_base_fee, &p->base_fee, p->gas_used, p->gas_limit);
    if (h->has_blob_gas) {
        h->excess_blob_gas =
            cevm_next_excess_blob_gas(fork, &params, p->excess_blob_gas, p->blob_gas_used, &p->base_fee);
    }
    cevm_header_env(&b->env, config, h, is_merged);
    return true;
}

/* ---- Transactions --------------------------------------------------------------------------------------------------- */

static void add_value(builder *b, const cevm_tx *tx, const cevm_receipt *receipt)
{
    const cevm_u256 gas = cevm_u256_from_u64(receipt->gas_used);
    cevm_u256 tip = cevm_tx_effective_price(tx, &b->env);
    tip = u256_sub(&tip, &b->env.base_fee);
    tip = u256_mul(&tip, &gas);
    b->value = u256_add(&b->value, &tip);
}

/** Executes one and keeps it; *reason says why not. False: the call failed. */
static bool add_tx(builder *b, const cevm_tx *tx, cevm_bytes raw, cevm_tx_error *reason)
{
    cevm_receipt receipt;
    const cevm_err err = cevm_execution_tx(b->execution, &receipt, reason, tx, NULL);
    if (err != CEVM_OK) {
        return cevm_rpc_fail_err(b->s.call, err);
    }
    if (*reason == CEVM_TX_NONE) {
        add_value(b, tx, &receipt);
        b->raw_txs[b->count++] = raw;
    }
    return true;
}

static bool refuse(const builder *b, cevm_tx_error reason, const cevm_tx *tx)
{
    char text[CEVM_TX_REASON_SIZE];
    cevm_account_info sender;
    const cevm_err err = cevm_state_get_account(b->s.state, &sender, &tx->sender);
    if (err != CEVM_OK) {
        return cevm_rpc_fail_err(b->s.call, err);
    }
    cevm_tx_reason_describe(text, reason, tx, &b->env, &sender);
    return cevm_rpc_fail(b->s.call, CEVM_RPC_SERVER, "%s", text);
}

/** All of the given ones or none. */
static bool add_given(builder *b, json_t *value)
{
    cevm_rpc_call *call = b->s.call;
    cevm_tx_error reason = CEVM_TX_NONE;
    cevm_bytes raw;
    cevm_tx *tx = NULL;
    if (!cevm_rpc_read_data(&raw, call, value, "transaction")) {
        return false;
    }
    cevm_err err = cevm_tx_decode(&tx, &reason, raw, b->s.allocator);
    if (err == CEVM_OK) {
        err = cevm_tx_recover_sender(tx, &reason, b->env.fork, b->s.allocator);
    }
    bool ok = err == CEVM_OK && reason == CEVM_TX_NONE;
    if (!ok) {
        (void)(err == CEVM_OK || err == CEVM_ERR_ENCODING
                   ? cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "%s", cevm_tx_error_string(reason))
                   : cevm_rpc_fail_err(call, err));
    } else {
        ok = add_tx(b, tx, raw, &reason) && (reason == CEVM_TX_NONE || refuse(b, reason, tx));
    }
    if (tx != NULL) {
        cevm_tx_destroy(tx, b->s.allocator);
    }
    return ok;
}

typedef struct pool_list {
    const cevm_pooled **items;
    size_t count;
} pool_list;

/** Blobs do not stay with transactions that wait, and a block with blobs is nothing without them. */
static bool collect(void *user, const cevm_hash *key, cevm_ref *value)
{
    pool_list *list = user;
    const cevm_pooled *pooled = (const cevm_pooled *)(void *)value;
    (void)key;
    if (pooled->tx->type != CEVM_TX_BLOB) {
        list->items[list->count++] = pooled;
    }
    return true;
}

static int compare_arrival(const void *a, const void *b)
{
    const cevm_pooled *x = *(const cevm_pooled *const *)a;
    const cevm_pooled *y = *(const cevm_pooled *const *)b;
    return x->sequence < y->sequence ? -1 : x->sequence > y->sequence ? 1 : 0;
}

/** Those of the pool that fit, in the order they came; one that waits for another is tried again after it. */
static bool add_pool(builder *b)
{
    pool_list list = {.items = cevm_arena_array(b->s.call->arena, b->s.view.world->pool.count, sizeof *list.items)};
    if (list.items == NULL) {
        return cevm_rpc_fail_err(b->s.call, CEVM_ERR_NOMEM);
    }
    cevm_pmap_for_each(&b->s.view.world->pool, collect, &list);
    qsort((void *)list.items, list.count, sizeof *list.items, compare_arrival);
    bool progress = true;
    for (size_t pass = 0; progress && pass < MAX_PASSES; ++pass) {
        progress = false;
        for (size_t i = 0; i < list.count; ++i) {
            cevm_tx_error reason = CEVM_TX_NONE;
            if (list.items[i] == NULL) {
                continue;
            }
            if (!add_tx(b, list.items[i]->tx, list.items[i]->raw, &reason)) {
                return false;
            }
            if (reason == CEVM_TX_NONE) {
                list.items[i] = NULL;
                progress = true;
            }
        }
    }
    return true;
}

static bool add_transactions(builder *b)
{
    cevm_rpc_call *call = b->s.call;
    json_t *given = cevm_rpc_param(call, 2);
    const size_t most = given != NULL ? json_array_size(given) : b->s.view.world->pool.count;
    b->raw_txs = cevm_arena_array(call->arena, most, sizeof *b->raw_txs);
    if (b->raw_txs == NULL) {
        return cevm_rpc_fail_err(call, CEVM_ERR_NOMEM);
    }
    if (given == NULL) {
        return add_pool(b);
    }
    bool ok = true;
    for (size_t i = 0; ok && i < most; ++i) {
        ok = add_given(b, json_array_get(given, i));
    }
    return ok;
}

/* ---- Making it ------------------------------------------------------------------------------------------------------ */

static cevm_err begin_execution(builder *b)
{
    const cevm_execution_input input = {
        .struct_size = sizeof input,
        .env = b->env,
        .parent_hash = b->header.parent_hash,
        .parent_beacon_root = b->header.parent_beacon_root,
        .withdrawals = b->attributes.withdrawals,
        .withdrawal_count = b->attributes.withdrawal_count,
        .deposit_contract = b->s.view.world->settings.config.deposit_contract,
        .skips_hashes = true,
    };
    const cevm_err err = cevm_execution_create(&b->execution, b->s.vm, b->s.state, &input, b->s.allocator);
    return err != CEVM_OK ? err : cevm_execution_begin(b->execution, NULL);
}

static cevm_err end_header(builder *b, const cevm_execution_output *output)
{
    cevm_header *h = &b->header;
    h->gas_used = output->gas_used;
    h->blob_gas_used = output->blob_gas_used;
    h->logs_bloom = output->logs_bloom;
    h->receipts_root = output->receipts_root;
    h->requests_hash = output->requests_hash;
    cevm_err err = cevm_transactions_root(&h->transactions_root, b->raw_txs, b->count, b->s.allocator);
    if (err == CEVM_OK) {
        err = cevm_withdrawals_root(&h->withdrawals_root, b->attributes.withdrawals, b->attributes.withdrawal_count,
                                    b->s.allocator);
    }
    if (err == CEVM_OK) {
        err = cevm_state_commit_root(b->s.state, &h->state_root);
    }
    return err != CEVM_OK ? err : cevm_header_hash(&b->hash, h, b->s.allocator);
}

/* ---- Writing -------------------------------------------------------------------------------------------------------- */

static void put_byte_strings(cevm_json_writer *w, const char *key, const cevm_bytes *items, size_t count)
{
    cevm_json_put_key(w, key);
    cevm_json_begin_array(w);
    for (size_t i = 0; i < count; ++i) {
        cevm_json_put_data(w, items[i]);
    }
    cevm_json_end_array(w);
}

/** As the engine API shows a block. */
static void put_payload(cevm_json_writer *w, const builder *b)
{
    const cevm_header *h = &b->header;
    cevm_json_begin_object(w);
    cevm_shape_hash(w, "parentHash", &h->parent_hash);
    cevm_shape_address(w, "feeRecipient", &h->coinbase);
    cevm_shape_hash(w, "stateRoot", &h->state_root);
    cevm_shape_hash(w, "receiptsRoot", &h->receipts_root);
    cevm_shape_data(w, "logsBloom", (cevm_bytes){h->logs_bloom.bytes, sizeof h->logs_bloom.bytes});
    cevm_shape_hash(w, "prevRandao", &h->mix_hash);
    cevm_shape_quantity(w, "blockNumber", h->number);
    cevm_shape_quantity(w, "gasLimit", h->gas_limit);
    cevm_shape_quantity(w, "gasUsed", h->gas_used);
    cevm_shape_quantity(w, "timestamp", h->timestamp);
    cevm_shape_data(w, "extraData", h->extra_data);
    cevm_shape_quantity256(w, "baseFeePerGas", &h->base_fee);
    cevm_shape_hash(w, "blockHash", &b->hash);
    put_byte_strings(w, "transactions", b->raw_txs, b->count);
    cevm_json_put_key(w, "withdrawals");
    cevm_shape_withdrawals(w, b->attributes.withdrawals, b->attributes.withdrawal_count);
    if (h->has_blob_gas) {
        cevm_shape_quantity(w, "blobGasUsed", h->blob_gas_used);
        cevm_shape_quantity(w, "excessBlobGas", h->excess_blob_gas);
    }
    cevm_json_end_object(w);
}

static void put_result(cevm_json_writer *w, const builder *b, const cevm_execution_output *output)
{
    cevm_json_begin_object(w);
    cevm_json_put_key(w, "executionPayload");
    put_payload(w, b);
    cevm_shape_quantity256(w, "blockValue", &b->value);
    cevm_json_put_key(w, "blobsBundle");
    cevm_json_begin_object(w);
    put_byte_strings(w, "commitments", NULL, 0);
    put_byte_strings(w, "proofs", NULL, 0);
    put_byte_strings(w, "blobs", NULL, 0);
    cevm_json_end_object(w);
    put_byte_strings(w, "executionRequests", output->requests, output->request_count);
    cevm_json_put_key(w, "shouldOverrideBuilder");
    cevm_json_put_bool(w, false);
    cevm_json_end_object(w);
}

static bool build(builder *b)
{
    cevm_rpc_call *call = b->s.call;
    cevm_execution_output output;
    cevm_block_error wrong = CEVM_BLOCK_NONE;
    if (!read_attributes(b, call, cevm_rpc_param(call, 1)) || !begin_header(b, call) || !cevm_simulation_open(&b->s)) {
        return false;
    }
    cevm_err err = begin_execution(b);
    if (err != CEVM_OK) {
        return cevm_rpc_fail_err(call, err);
    }
    if (!add_transactions(b)) {
        return false;
    }
    err = cevm_execution_end(b->execution, &output, &wrong, NULL);
    if (err == CEVM_OK && wrong != CEVM_BLOCK_NONE) {
        return cevm_rpc_fail(call, CEVM_RPC_SERVER, "%s", cevm_block_error_string(wrong));
    }
    if (err == CEVM_OK) {
        err = end_header(b, &output);
    }
    if (err != CEVM_OK) {
        return cevm_rpc_fail_err(call, err);
    }
    put_result(call->out, b, &output);
    return true;
}

void cevm_rpc_testing_buildBlockV1(cevm_rpc_call *call)
{
    cevm_hash parent;
    builder b = {.s = {.call = call}};
    if (!cevm_rpc_read_hash(&parent, call, cevm_rpc_param(call, 0), "parent hash")) {
        return;
    }
    cevm_view_open_hash(&b.s.view, call, &parent);
    if (b.s.view.record == NULL) {
        (void)cevm_rpc_fail(call, CEVM_RPC_SERVER, "unknown parent block");
    } else {
        (void)build(&b);
        cevm_execution_destroy(b.execution);
        cevm_simulation_close(&b.s);
    }
    cevm_view_close(&b.s.view);
}
