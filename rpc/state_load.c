/* SPDX-License-Identifier: Apache-2.0 */
/*
 * anvil_loadState: accounts as anvil and anvil_dumpState write them are put into the state, and if the head that came with
 * them is beyond ours the chain goes on from it. Where the whole chain was written too (rpc/world_file.h), it takes the place
 * of ours, unless ours is a fork of another.
 */
#include <cevm/alloc.h>
#include <cevm/crypto.h>
#include <cevm/hex.h>

#include "rpc/answer.h"
#include "rpc/gunzip.h"
#include "rpc/member.h"
#include "rpc/methods.h"
#include "rpc/node_internal.h"
#include "rpc/world_file.h"

/** What is loaded. */
typedef struct load {
    cevm_rpc_call *call;
    const json_t *accounts;
    cevm_bytes chain; /* the whole of it; empty: none */
    bool has_head;
    cevm_header head;
} load;

/* ---- Accounts ------------------------------------------------------------------------------------------------------ */

static bool spoilt(cevm_node_error *error, const char *address, const char *what)
{
    return cevm_node_say(error, CEVM_RPC_INVALID_PARAMS, "the state is spoilt: account %.64s: %s", address, what);
}

static bool number_of(cevm_u256 *out, const json_t *value)
{
    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        *out = cevm_u256_from_u64((uint64_t)json_integer_value(value));
        return true;
    }
    return json_is_string(value) && cevm_u256_from_text(out, json_string_value(value));
}

/** The account without its slots. */
static bool put_account(load *l, cevm_treedb *db, cevm_node_error *error, const char *name, const cevm_address *address,
                        const json_t *account)
{
    cevm_u256 balance = {{0, 0, 0, 0}};
    cevm_u256 nonce = {{0, 0, 0, 0}};
    const json_t *code = json_object_get(account, "code");
    const size_t length = json_string_length(code);
    uint8_t *bytes = NULL;
    size_t size = 0;
    if (!number_of(&balance, json_object_get(account, "balance")) ||
        !number_of(&nonce, json_object_get(account, "nonce")) || !cevm_u256_fits_u64(&nonce)) {
        return spoilt(error, name, "balance or nonce");
    }
    if (length != 0) {
        bytes = cevm_alloc(cevm_node_allocator(l->call->node), length);
        if (bytes == NULL) {
            return cevm_node_say_err(error, CEVM_ERR_NOMEM);
        }
    }
    bool ok =
        length == 0 || cevm_hex_decode(bytes, &size, json_string_value(code), length) || spoilt(error, name, "code");
    if (ok) {
        const cevm_err err = cevm_treedb_set_account(db, address, &balance, nonce.w[0], (cevm_bytes){bytes, size});
        ok = err == CEVM_OK || cevm_node_say_err(error, err);
    }
    cevm_free(cevm_node_allocator(l->call->node), bytes);
    return ok;
}

static bool put_storage(cevm_treedb *db, cevm_node_error *error, const char *name, const cevm_address *address,
                        json_t *storage)
{
    const char *key;
    json_t *value;
    json_object_foreach(storage, key, value)
    {
        cevm_u256 slot;
        cevm_u256 word;
        if (!cevm_u256_from_text(&slot, key) || !number_of(&word, value)) {
            return spoilt(error, name, "storage");
        }
        const cevm_err err = cevm_treedb_set_storage(db, address, &slot, &word);
        if (err != CEVM_OK) {
            return cevm_node_say_err(error, err);
        }
    }
    return true;
}

static bool put_accounts(load *l, cevm_treedb *db, cevm_node_error *error)
{
    const char *name;
    json_t *account;
    json_object_foreach((json_t *)(uintptr_t)l->accounts, name, account)
    {
        cevm_address address;
        if (!cevm_hex_decode_exact(address.bytes, sizeof address.bytes, name)) {
            return spoilt(error, name, "it is no address");
        }
        if (!put_account(l, db, error, name, &address, account) ||
            !put_storage(db, error, name, &address, json_object_get(account, "storage"))) {
            return false;
        }
    }
    return true;
}

/* ---- The head ------------------------------------------------------------------------------------------------------- */

/** The chain begins anew with this block; what was before is not known here. */
static cevm_err begin_with(load *l, cevm_world *world, cevm_tree *state)
{
    cevm_record *record = NULL;
    const cevm_chain_config *config = &world->settings.config;
    cevm_record_parts parts = {.header = &l->head,
                               .total_difficulty = world->head->total_difficulty,
                               .is_merged = world->head->is_merged,
                               .state = state};
    parts.is_merged = cevm_world_child_is_merged(config, world->head, l->head.number, l->head.timestamp);
    cevm_header_env(&parts.env, config, &l->head, parts.is_merged);
    const cevm_err err = cevm_record_create(&record, &parts, world->allocator);
    if (err != CEVM_OK) {
        return err;
    }
    cevm_pmap_release(&world->by_number);
    cevm_pmap_release(&world->by_hash);
    cevm_pmap_release(&world->txs);
    cevm_pmap_release(&world->with_logs);
    world->first = l->head.number;
    world->forgotten = 0;
    const cevm_err appended = cevm_world_append(world, record);
    cevm_record_release(record);
    return appended;
}

static bool apply(void *user, cevm_world *world, cevm_treedb *db, cevm_node_error *error)
{
    load *l = user;
    cevm_tree *state = NULL;
    if (l->chain.size != 0) {
        const cevm_err loaded = cevm_world_load(world, db, l->chain, cevm_node_nothing(l->call->node));
        return loaded == CEVM_OK ||
               (loaded == CEVM_ERR_ENCODING ? cevm_node_say(error, CEVM_RPC_INVALID_PARAMS, "the state is spoilt: cevm")
                                            : cevm_node_say_err(error, loaded));
    }
    if (!put_accounts(l, db, error)) {
        return false;
    }
    if (!l->has_head || l->head.number <= world->head->block.header.number) {
        return true;
    }
    if (l->head.timestamp > CEVM_NODE_LAST_TIME) {
        return cevm_node_say(error, CEVM_RPC_INVALID_PARAMS,
                             "the state is spoilt: no block can come after the head's timestamp");
    }
    cevm_err err = cevm_treedb_snapshot(db, &state);
    if (err == CEVM_OK) {
        err = begin_with(l, world, state);
    }
    cevm_tree_release(state);
    const uint64_t now = cevm_node_now(world);
    if (now <= l->head.timestamp) { /* the clock goes on from there too */
        world->settings.time_offset += (int64_t)(l->head.timestamp + 1 - now);
    }
    return err == CEVM_OK || cevm_node_say_err(error, err);
}

/** A header as JSON-RPC writes it. */
static bool read_header(cevm_header *h, cevm_rpc_call *call, json_t *object)
{
    bool has = false;
    *h = (cevm_header){.ommers_hash = cevm_empty_ommers_hash};
    json_t *bloom = cevm_member(object, "logsBloom");
    json_t *extra = cevm_member(object, "extraData");
    json_t *nonce = cevm_member(object, "nonce");
    cevm_bytes bytes = {NULL, 0};
    if (bloom != NULL) {
        if (!cevm_rpc_read_data(&bytes, call, bloom, "logsBloom") || bytes.size != sizeof h->logs_bloom.bytes) {
            return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "the state is spoilt: logsBloom");
        }
        memcpy(h->logs_bloom.bytes, bytes.data, bytes.size);
    }
    if (nonce != NULL && cevm_rpc_read_data(&bytes, call, nonce, "nonce") && bytes.size == sizeof h->nonce) {
        memcpy(h->nonce, bytes.data, bytes.size);
    }
    return (extra == NULL || cevm_rpc_read_data(&h->extra_data, call, extra, "extraData")) &&
           cevm_member_hash(&h->parent_hash, &has, call, object, "parentHash") &&
           cevm_member_hash(&h->ommers_hash, &has, call, object, "sha3Uncles") &&
           cevm_member_address(&h->coinbase, &has, call, object, "miner") &&
           cevm_member_hash(&h->state_root, &has, call, object, "stateRoot") &&
           cevm_member_hash(&h->transactions_root, &has, call, object, "transactionsRoot") &&
           cevm_member_hash(&h->receipts_root, &has, call, object, "receiptsRoot") &&
           cevm_member_u256(&h->difficulty, &has, call, object, "difficulty") &&
           cevm_member_u64(&h->number, &has, call, object, "number") &&
           cevm_member_u64(&h->gas_limit, &has, call, object, "gasLimit") &&
           cevm_member_u64(&h->gas_used, &has, call, object, "gasUsed") &&
           cevm_member_u64(&h->timestamp, &has, call, object, "timestamp") &&
           cevm_member_hash(&h->mix_hash, &has, call, object, "mixHash") &&
           cevm_member_u256(&h->base_fee, &h->has_base_fee, call, object, "baseFeePerGas") &&
           cevm_member_hash(&h->withdrawals_root, &h->has_withdrawals_root, call, object, "withdrawalsRoot") &&
           cevm_member_u64(&h->blob_gas_used, &h->has_blob_gas, call, object, "blobGasUsed") &&
           cevm_member_u64(&h->excess_blob_gas, &h->has_blob_gas, call, object, "excessBlobGas") &&
           cevm_member_hash(&h->parent_beacon_root, &h->has_parent_beacon_root, call, object,
                            "parentBeaconBlockRoot") &&
           cevm_member_hash(&h->requests_hash, &h->has_requests_hash, call, object, "requestsHash");
}

/** The block with the number that the state calls its best. */
static bool read_head(load *l, json_t *state)
{
    cevm_u256 best;
    size_t index;
    json_t *block;
    json_t *blocks = cevm_member(state, "blocks");
    if (!number_of(&best, cevm_member(state, "best_block_number"))) {
        return true;
    }
    json_array_foreach(blocks, index, block)
    {
        json_t *header = cevm_member(block, "header");
        cevm_u256 number;
        if (!number_of(&number, cevm_member(header, "number")) || !cevm_u256_equal(&number, &best)) {
            continue;
        }
        l->has_head = true;
        return read_header(&l->head, l->call, header);
    }
    return true;
}

/* ---- The text ------------------------------------------------------------------------------------------------------- */

static void load_state(cevm_rpc_call *call, json_t *state)
{
    load l = {.call = call, .accounts = cevm_member(state, "accounts")};
    if (!json_is_object(l.accounts)) {
        (void)cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "the state has no \"accounts\"");
        return;
    }
    json_t *chain = cevm_member(state, "cevm");
    if (chain != NULL && cevm_node_remote(call->node) == NULL && !cevm_rpc_read_data(&l.chain, call, chain, "cevm")) {
        return;
    }
    if (read_head(&l, state) && cevm_rpc_edit(call, apply, &l)) {
        cevm_json_put_bool(call->out, true);
    }
}

/** What anvil_dumpState of anvil gives is packed. */
static bool unpack(cevm_buf *out, cevm_bytes *text, cevm_rpc_call *call)
{
    const cevm_err err = cevm_gunzip(out, *text, call->largest);
    *text = (cevm_bytes){out->data, out->size};
    switch ((int)err) {
    case CEVM_OK: return true;
    case CEVM_ERR_ENCODING:
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS,
                             "the state is spoilt: it is packed (gzip) and cannot be unpacked");
    case CEVM_ERR_LIMIT:
        return cevm_rpc_fail(call, CEVM_RPC_LIMIT,
                             "the state unpacks to more than %zu bytes, the largest request (--max-request-mib)",
                             call->largest);
    case CEVM_ERR_NOT_BUILT:
        return cevm_rpc_fail(call, CEVM_RPC_UNSUPPORTED,
                             "the state is packed (gzip), and libz.so.1 is not on this machine (Debian: zlib1g)");
    default: return cevm_rpc_fail_err(call, err);
    }
}

void cevm_rpc_anvil_loadState(cevm_rpc_call *call)
{
    cevm_bytes text;
    cevm_buf unpacked;
    json_error_t error;
    if (!cevm_rpc_read_data(&text, call, cevm_rpc_param(call, 0), "state")) {
        return;
    }
    cevm_buf_init(&unpacked, cevm_node_allocator(call->node));
    if (cevm_is_gzip(text) && !unpack(&unpacked, &text, call)) {
        cevm_buf_free(&unpacked);
        return;
    }
    json_t *state = json_loadb((const char *)text.data, text.size, 0, &error);
    cevm_buf_free(&unpacked);
    if (state == NULL) {
        (void)cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "the state is no JSON: %s (line %d)", error.text,
                            error.line);
        return;
    }
    load_state(call, state);
    json_decref(state);
}
