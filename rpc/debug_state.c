/* SPDX-License-Identifier: Apache-2.0 */
/* Looking through states: debug_storageRangeAt, accountRange, intermediateRoots, getModifiedAccounts…. */
#include <cevm/crypto.h>
#include <cevm/hex.h>

#include "rpc/debug_block.h"
#include "rpc/methods.h"
#include "rpc/replay_state.h"
#include "rpc/shapes.h"

enum { MOST_ACCOUNTS = 256, MOST_SLOTS = 1024 };

static void put_hash_key(cevm_json_writer *w, const cevm_hash *hash)
{
    char name[67] = "0x";
    cevm_hex_encode(name + 2, hash->bytes, sizeof hash->bytes);
    cevm_json_put_key(w, name);
}

/** A place to go on from: 32 bytes, or fewer, behind which there are zeros. */
static bool read_start(cevm_hash *out, cevm_rpc_call *call, size_t index)
{
    cevm_bytes bytes = {NULL, 0};
    json_t *value = cevm_rpc_param(call, index);
    *out = (cevm_hash){{0}};
    if (value != NULL && !cevm_rpc_read_data(&bytes, call, value, "start")) {
        return false;
    }
    if (bytes.size > sizeof out->bytes) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "start has at most 32 bytes");
    }
    if (bytes.size != 0) {
        memcpy(out->bytes, bytes.data, bytes.size);
    }
    return true;
}

static bool read_count(uint64_t *out, cevm_rpc_call *call, size_t index, uint64_t most)
{
    json_t *value = cevm_rpc_param(call, index);
    *out = most;
    if (value != NULL && !cevm_rpc_read_u64(out, call, value, "number of results")) {
        return false;
    }
    *out = *out == 0 || *out > most ? most : *out;
    return true;
}

/* ---- debug_storageRangeAt ------------------------------------------------------------------------------------------ */

typedef struct slot_range {
    cevm_json_writer *w;
    uint64_t left;
    bool has_next;
    cevm_hash next;
} slot_range;

static bool put_slot(void *user, const cevm_hash *hashed_key, const cevm_u256 *key, const cevm_u256 *value)
{
    slot_range *r = user;
    if (r->left == 0) {
        r->has_next = true;
        r->next = *hashed_key;
        return false;
    }
    r->left--;
    put_hash_key(r->w, hashed_key);
    cevm_json_begin_object(r->w);
    cevm_json_put_key(r->w, "key");
    if (key != NULL) {
        cevm_json_put_word(r->w, key);
    } else {
        cevm_json_put_null(r->w);
    }
    cevm_json_put_key(r->w, "value");
    cevm_json_put_word(r->w, value);
    cevm_json_end_object(r->w);
    return !r->w->failed;
}

static void put_slots(cevm_rpc_call *call, const cevm_tree *state, const cevm_address *address, const cevm_hash *start,
                      uint64_t count)
{
    slot_range r = {.w = call->out, .left = count};
    cevm_json_begin_object(call->out);
    cevm_json_put_key(call->out, "storage");
    cevm_json_begin_object(call->out);
    cevm_err err = cevm_tree_for_each_slot(state, address, start, put_slot, &r);
    cevm_json_end_object(call->out);
    cevm_json_put_key(call->out, "nextKey");
    if (r.has_next) {
        cevm_json_put_hash(call->out, &r.next);
    } else {
        cevm_json_put_null(call->out);
    }
    cevm_json_end_object(call->out);
    if (err != CEVM_OK) {
        (void)cevm_rpc_fail_err(call, err);
    }
}

/** The slots of a contract as transaction `index` of the block finds them, in the order of their hashes. */
void cevm_rpc_debug_storageRangeAt(cevm_rpc_call *call)
{
    cevm_view view;
    cevm_replay_state replay;
    cevm_tree *state = NULL;
    cevm_address address;
    cevm_hash start;
    uint64_t index = 0;
    uint64_t count = 0;
    if (!cevm_rpc_read_u64(&index, call, cevm_rpc_param(call, 1), "transaction index") ||
        !cevm_rpc_read_address(&address, call, cevm_rpc_param(call, 2), "address") || !read_start(&start, call, 3) ||
        !read_count(&count, call, 4, MOST_SLOTS) || !cevm_debug_open_block(&view, call, 0)) {
        return;
    }
    if (index > view.record->block.tx_count) {
        (void)cevm_rpc_fail(call, CEVM_RPC_SERVER, "transaction index %llu out of range: the block has %zu",
                            (unsigned long long)index, view.record->block.tx_count);
    } else if (cevm_replay_open(&replay, call, view.world, view.record)) {
        if (cevm_replay_run(&replay, (size_t)index, NULL, NULL) && cevm_replay_snapshot(&replay, &state)) {
            put_slots(call, state, &address, &start, count);
            cevm_tree_release(state);
        }
        cevm_replay_close(&replay);
    }
    cevm_view_close(&view);
}

/* ---- debug_accountRange -------------------------------------------------------------------------------------------- */

typedef struct account_range {
    cevm_json_writer *w;
    const cevm_tree *state;
    uint64_t left;
    bool without_code, without_storage;
    bool has_next;
    cevm_hash next;
    cevm_err err;
} account_range;

static bool put_dumped_slot(void *user, const cevm_hash *hashed_key, const cevm_u256 *key, const cevm_u256 *value)
{
    cevm_json_writer *w = user;
    char text[67];
    uint8_t bytes[32];
    if (key == NULL) {
        put_hash_key(w, hashed_key);
    } else {
        cevm_hash name;
        cevm_u256_to_be(name.bytes, key);
        put_hash_key(w, &name);
    }
    cevm_u256_to_be(bytes, value);
    size_t zeros = 0;
    while (zeros < sizeof bytes - 1 && bytes[zeros] == 0) {
        zeros++;
    }
    cevm_hex_encode(text, bytes + zeros, sizeof bytes - zeros); /* geth: without 0x and leading zeros */
    cevm_json_put_string(w, text);
    return !w->failed;
}

static void put_account_members(account_range *r, const cevm_hash *hashed, const cevm_address *address,
                                const cevm_db_account *account, const cevm_hash *storage_root, cevm_bytes code)
{
    cevm_json_writer *w = r->w;
    char decimal[79];
    cevm_u256_to_decimal(decimal, &account->balance);
    cevm_json_put_key(w, "balance");
    cevm_json_put_string(w, decimal);
    cevm_json_put_key(w, "nonce");
    cevm_json_put_number(w, account->nonce);
    cevm_shape_hash(w, "root", storage_root);
    cevm_shape_hash(w, "codeHash", &account->code_hash);
    if (!r->without_code && code.size != 0) {
        cevm_shape_data(w, "code", code);
    }
    if (!r->without_storage && account->has_storage && address != NULL) {
        cevm_json_put_key(w, "storage");
        cevm_json_begin_object(w);
        r->err = cevm_tree_for_each_slot(r->state, address, NULL, put_dumped_slot, w);
        cevm_json_end_object(w);
    }
    if (address != NULL) {
        cevm_shape_address(w, "address", address);
    }
    cevm_shape_hash(w, "key", hashed);
}

static bool put_account(void *user, const cevm_hash *hashed, const cevm_address *address,
                        const cevm_db_account *account, const cevm_hash *storage_root, cevm_bytes code)
{
    account_range *r = user;
    if (r->left == 0) {
        r->has_next = true;
        r->next = *hashed;
        return false;
    }
    r->left--;
    if (address != NULL) {
        char name[43] = "0x";
        cevm_hex_encode(name + 2, address->bytes, sizeof address->bytes);
        cevm_json_put_key(r->w, name);
    } else {
        put_hash_key(r->w, hashed);
    }
    cevm_json_begin_object(r->w);
    put_account_members(r, hashed, address, account, storage_root, code);
    cevm_json_end_object(r->w);
    return r->err == CEVM_OK && !r->w->failed;
}

/** 32 bytes in base64, as geth gives the place to go on from. */
static void put_base64(cevm_json_writer *w, const cevm_hash *hash)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char text[45];
    size_t n = 0;
    for (size_t i = 0; i < 33; i += 3) {
        const uint32_t three = (uint32_t)hash->bytes[i] << 16 | (uint32_t)hash->bytes[i + 1] << 8 |
                               (i + 2 < sizeof hash->bytes ? hash->bytes[i + 2] : 0u);
        for (int shift = 18; shift >= 0; shift -= 6) {
            text[n++] = digits[three >> shift & 63];
        }
    }
    text[43] = '='; /* 32 bytes are two more than ten times three */
    text[44] = '\0';
    cevm_json_put_string(w, text);
}

static bool read_flag(bool *out, cevm_rpc_call *call, size_t index, const char *what)
{
    json_t *value = cevm_rpc_param(call, index);
    return value == NULL || cevm_rpc_read_bool(out, call, value, what);
}

void cevm_rpc_debug_accountRange(cevm_rpc_call *call)
{
    cevm_view view;
    cevm_hash start;
    cevm_hash root;
    account_range r = {.w = call->out};
    char text[65];
    if (!read_start(&start, call, 1) || !read_count(&r.left, call, 2, MOST_ACCOUNTS) ||
        !read_flag(&r.without_code, call, 3, "nocode") || !read_flag(&r.without_storage, call, 4, "nostorage") ||
        !cevm_debug_open_block(&view, call, 0)) {
        return;
    }
    r.state = cevm_view_state(&view);
    cevm_tree_root(r.state, &root);
    cevm_hex_encode(text, root.bytes, sizeof root.bytes);
    cevm_json_begin_object(call->out);
    cevm_json_put_key(call->out, "root");
    cevm_json_put_string(call->out, text);
    cevm_json_put_key(call->out, "accounts");
    cevm_json_begin_object(call->out);
    cevm_err err = cevm_tree_for_each_account(r.state, &start, put_account, &r);
    cevm_json_end_object(call->out);
    if (r.has_next) {
        cevm_json_put_key(call->out, "next");
        put_base64(call->out, &r.next);
    }
    cevm_json_end_object(call->out);
    err = err != CEVM_OK ? err : r.err;
    if (err != CEVM_OK) {
        (void)cevm_rpc_fail_err(call, err);
    }
    cevm_view_close(&view);
}

/* ---- debug_intermediateRoots --------------------------------------------------------------------------------------- */

static bool put_root(void *user, cevm_replay_state *replay, size_t index)
{
    cevm_json_writer *w = user;
    cevm_tree *state = NULL;
    cevm_hash root;
    (void)index;
    if (!cevm_replay_snapshot(replay, &state)) {
        return false;
    }
    cevm_tree_root(state, &root);
    cevm_tree_release(state);
    cevm_json_put_hash(w, &root);
    return !w->failed;
}

/** The state root after each transaction of a block. */
void cevm_rpc_debug_intermediateRoots(cevm_rpc_call *call)
{
    cevm_hash hash;
    cevm_view view;
    cevm_replay_state replay;
    if (!cevm_rpc_read_hash(&hash, call, cevm_rpc_param(call, 0), "block hash")) {
        return;
    }
    cevm_view_open_hash(&view, call, &hash);
    if (view.record == NULL) {
        (void)cevm_rpc_fail(call, CEVM_RPC_SERVER, "block not found");
    } else if (cevm_replay_open(&replay, call, view.world, view.record)) {
        cevm_json_begin_array(call->out);
        (void)cevm_replay_run(&replay, view.record->block.tx_count, put_root, call->out);
        cevm_json_end_array(call->out);
        cevm_replay_close(&replay);
    }
    cevm_view_close(&view);
}

/* ---- debug_getModifiedAccounts… ------------------------------------------------------------------------------------ */

static bool put_address(void *user, const cevm_address *address)
{
    cevm_json_writer *w = user;
    cevm_json_put_address(w, address);
    return !w->failed;
}

/** Between the states after two blocks; without the second, what the first one changed. */
static void put_modified(cevm_rpc_call *call, const cevm_view *first, const cevm_view *second)
{
    const cevm_record *from = first->record;
    const cevm_record *to = second != NULL ? second->record : from;
    const cevm_tree *before = second != NULL ? from->state : from->before;
    if (second != NULL && from->block.header.number >= to->block.header.number) {
        (void)cevm_rpc_fail(call, CEVM_RPC_SERVER,
                            "start block height (%llu) must be less than end block height (%llu)",
                            (unsigned long long)from->block.header.number, (unsigned long long)to->block.header.number);
        return;
    }
    if (before == NULL) {
        (void)cevm_rpc_fail(call, CEVM_RPC_SERVER, "the first block has no parent");
        return;
    }
    cevm_json_begin_array(call->out);
    const cevm_err err = cevm_tree_for_each_change(before, to->state, put_address, call->out);
    cevm_json_end_array(call->out);
    if (err != CEVM_OK) {
        (void)cevm_rpc_fail_err(call, err);
    }
}

static bool open_either(cevm_view *out, cevm_rpc_call *call, size_t index, bool by_hash)
{
    cevm_hash hash;
    if (!by_hash) {
        return cevm_debug_open_block(out, call, index);
    }
    if (!cevm_rpc_read_hash(&hash, call, cevm_rpc_param(call, index), "block hash")) {
        return false;
    }
    cevm_view_open_hash(out, call, &hash);
    if (out->record == NULL) {
        cevm_view_close(out);
        return cevm_rpc_fail(call, CEVM_RPC_SERVER, "block %s not found", index == 0 ? "at the start" : "at the end");
    }
    return true;
}

static void get_modified(cevm_rpc_call *call, bool by_hash)
{
    cevm_view first;
    cevm_view second;
    if (!open_either(&first, call, 0, by_hash)) {
        return;
    }
    if (cevm_rpc_param(call, 1) == NULL) {
        put_modified(call, &first, NULL);
    } else if (open_either(&second, call, 1, by_hash)) {
        put_modified(call, &first, &second);
        cevm_view_close(&second);
    }
    cevm_view_close(&first);
}

void cevm_rpc_debug_getModifiedAccountsByNumber(cevm_rpc_call *call) { get_modified(call, false); }
void cevm_rpc_debug_getModifiedAccountsByHash(cevm_rpc_call *call) { get_modified(call, true); }
