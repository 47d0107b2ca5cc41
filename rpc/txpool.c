/* SPDX-License-Identifier: Apache-2.0 */
/* What waits: the txpool_ methods, and those that take transactions out again. "Pending" could run in the next block, all
 * others are "queued" behind a nonce that is missing, or a balance that is too small. */
#include <inttypes.h>
#include <stdio.h>

#include <cevm/alloc.h>
#include <cevm/hex.h>

#include "chain/validate.h"
#include "evm/u256.h"
#include "rpc/answer.h"
#include "rpc/find.h"
#include "rpc/methods.h"
#include "rpc/node_internal.h"
#include "rpc/shapes.h"

/** The pool by sender and nonce. */
typedef struct listing {
    cevm_rpc_call *call;
    cevm_world *world;
    cevm_pooled **items;
    bool *ready;
    size_t count;
} listing;

static bool gather(void *user, const cevm_hash *key, cevm_ref *value)
{
    listing *l = user;
    (void)key;
    l->items[l->count++] = (cevm_pooled *)(void *)value;
    return true;
}

static bool follows(const listing *l, size_t i)
{
    return i > 0 && cevm_address_equal(&l->items[i - 1]->tx->sender, &l->items[i]->tx->sender);
}

static bool can_pay(const cevm_u256 *balance, const cevm_tx *tx)
{
    cevm_u256 cost;
    return cevm_tx_max_cost(&cost, tx) == CEVM_TX_NONE && !u256_lt(balance, &cost);
}

static bool list_open(listing *l, cevm_rpc_call *call)
{
    cevm_db_account account = {.nonce = 0};
    bool exists = false;
    *l = (listing){.call = call, .world = cevm_node_world(call->node)};
    l->items = cevm_arena_array(call->arena, l->world->pool.count, sizeof(cevm_pooled *));
    l->ready = cevm_arena_array(call->arena, l->world->pool.count, sizeof *l->ready);
    if (l->items == NULL || l->ready == NULL) {
        cevm_world_release(l->world);
        return cevm_rpc_fail_err(call, CEVM_ERR_NOMEM);
    }
    cevm_pmap_for_each(&l->world->pool, gather, l);
    cevm_pooled_sort(l->items, l->count);
    for (size_t i = 0; i < l->count; ++i) {
        const cevm_tx *tx = l->items[i]->tx;
        if (!follows(l, i) && !cevm_find_account(&account, &exists, call, l->world->state, &tx->sender)) {
            cevm_world_release(l->world);
            return false;
        }
        if (!exists) {
            account = (cevm_db_account){.nonce = 0};
        }
        const bool is_next =
            follows(l, i) ? l->ready[i - 1] && l->items[i - 1]->tx->nonce + 1 == tx->nonce : tx->nonce == account.nonce;
        l->ready[i] = is_next && can_pay(&account.balance, tx);
    }
    return true;
}

static void list_close(listing *l) { cevm_world_release(l->world); }

void cevm_rpc_txpool_status(cevm_rpc_call *call)
{
    listing l;
    size_t ready = 0;
    if (!list_open(&l, call)) {
        return;
    }
    for (size_t i = 0; i < l.count; ++i) {
        ready += l.ready[i];
    }
    cevm_json_begin_object(call->out);
    cevm_shape_quantity(call->out, "pending", ready);
    cevm_shape_quantity(call->out, "queued", l.count - ready);
    cevm_json_end_object(call->out);
    list_close(&l);
}

/* ---- Contents ------------------------------------------------------------------------------------------------------- */

static void put_whole(cevm_json_writer *w, const cevm_pooled *pooled)
{
    cevm_shape_tx(w, pooled->tx, &pooled->hash, (cevm_block_place){.header = NULL}, 0);
}

/** "0x…: 1 wei + 21000 gas × 2 wei", as geth has it. */
static void put_summary(cevm_json_writer *w, const cevm_pooled *pooled)
{
    char to[43] = "contract creation";
    char value[80];
    char price[80];
    char text[256];
    if (!pooled->tx->is_create) {
        cevm_address_to_text(to, &pooled->tx->to);
    }
    cevm_u256_to_decimal(value, &pooled->tx->value);
    cevm_u256_to_decimal(price, &pooled->tx->max_fee);
    (void)snprintf(text, sizeof text, "%s: %s wei + %" PRIu64 " gas \u00d7 %s wei", to, value, pooled->tx->gas_limit,
                   price);
    cevm_json_put_string(w, text);
}

typedef void (*putter)(cevm_json_writer *w, const cevm_pooled *pooled);

static void put_nonce(cevm_json_writer *w, const cevm_pooled *pooled)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRIu64, pooled->tx->nonce);
    cevm_json_put_key(w, text);
}

/** {address: {nonce: …}} of those that are ready, or of those that are not. */
static void put_senders(const listing *l, const char *key, bool ready, putter put)
{
    cevm_json_writer *w = l->call->out;
    const cevm_pooled *last = NULL;
    cevm_json_put_key(w, key);
    cevm_json_begin_object(w);
    for (size_t i = 0; i < l->count; ++i) {
        const cevm_pooled *pooled = l->items[i];
        if (l->ready[i] != ready) {
            continue;
        }
        if (last == NULL || !cevm_address_equal(&last->tx->sender, &pooled->tx->sender)) {
            char sender[43];
            if (last != NULL) {
                cevm_json_end_object(w);
            }
            cevm_address_to_text(sender, &pooled->tx->sender);
            cevm_json_put_key(w, sender);
            cevm_json_begin_object(w);
        }
        put_nonce(w, pooled);
        put(w, pooled);
        last = pooled;
    }
    if (last != NULL) {
        cevm_json_end_object(w);
    }
    cevm_json_end_object(w);
}

static void put_all(cevm_rpc_call *call, putter put)
{
    listing l;
    if (list_open(&l, call)) {
        cevm_json_begin_object(call->out);
        put_senders(&l, "pending", true, put);
        put_senders(&l, "queued", false, put);
        cevm_json_end_object(call->out);
        list_close(&l);
    }
}

void cevm_rpc_txpool_content(cevm_rpc_call *call) { put_all(call, put_whole); }

void cevm_rpc_txpool_inspect(cevm_rpc_call *call) { put_all(call, put_summary); }

static void put_of(const listing *l, const char *key, bool ready, const cevm_address *sender)
{
    cevm_json_writer *w = l->call->out;
    cevm_json_put_key(w, key);
    cevm_json_begin_object(w);
    for (size_t i = 0; i < l->count; ++i) {
        if (l->ready[i] == ready && cevm_address_equal(&l->items[i]->tx->sender, sender)) {
            put_nonce(w, l->items[i]);
            put_whole(w, l->items[i]);
        }
    }
    cevm_json_end_object(w);
}

void cevm_rpc_txpool_contentFrom(cevm_rpc_call *call)
{
    listing l;
    cevm_address sender;
    if (cevm_rpc_read_address(&sender, call, cevm_rpc_param(call, 0), "address") && list_open(&l, call)) {
        cevm_json_begin_object(call->out);
        put_of(&l, "pending", true, &sender);
        put_of(&l, "queued", false, &sender);
        cevm_json_end_object(call->out);
        list_close(&l);
    }
}

/* ---- Taking out ----------------------------------------------------------------------------------------------------- */

/** What is to go: one hash, one sender's, or everything. */
typedef struct removal {
    bool by_hash;
    bool by_sender;
    cevm_hash hash;
    cevm_address sender;
    cevm_pooled **found;
    size_t count;
    bool removed;
} removal;

static bool choose(void *user, const cevm_hash *key, cevm_ref *value)
{
    removal *r = user;
    cevm_pooled *pooled = (cevm_pooled *)(void *)value;
    (void)key;
    if (!r->by_sender || cevm_address_equal(&pooled->tx->sender, &r->sender)) {
        r->found[r->count++] = pooled;
    }
    return true;
}

static bool take_out(void *user, cevm_world *draft, cevm_treedb *db, cevm_node_error *error)
{
    removal *r = user;
    (void)db;
    r->found = cevm_resize_array(draft->allocator, NULL, draft->pool.count + 1, sizeof(cevm_pooled *));
    cevm_err err = r->found != NULL ? CEVM_OK : CEVM_ERR_NOMEM;
    if (err == CEVM_OK && r->by_hash) {
        r->found[0] = cevm_world_pooled(draft, &r->hash);
        r->count = r->found[0] != NULL;
    } else if (err == CEVM_OK) {
        cevm_pmap_for_each(&draft->pool, choose, r);
    }
    for (size_t i = 0; err == CEVM_OK && i < r->count; ++i) {
        err = cevm_pool_remove(draft, r->found[i]);
    }
    r->removed = r->count != 0;
    cevm_free(draft->allocator, (void *)r->found);
    error->err = err;
    return err == CEVM_OK;
}

static bool drop_one(cevm_rpc_call *call, removal *r)
{
    *r = (removal){.by_hash = true};
    return cevm_rpc_read_hash(&r->hash, call, cevm_rpc_param(call, 0), "hash") && cevm_rpc_edit(call, take_out, r);
}

/** The hash, or null when it was not there; Hardhat's spelling answers whether it was. */
void cevm_rpc_anvil_dropTransaction(cevm_rpc_call *call)
{
    removal r;
    if (!drop_one(call, &r)) {
        return;
    }
    if (r.removed) {
        cevm_json_put_hash(call->out, &r.hash);
    } else {
        cevm_json_put_null(call->out);
    }
}

void cevm_rpc_hardhat_dropTransaction(cevm_rpc_call *call)
{
    removal r;
    if (drop_one(call, &r)) {
        cevm_json_put_bool(call->out, r.removed);
    }
}

void cevm_rpc_anvil_dropAllTransactions(cevm_rpc_call *call)
{
    removal r = {.by_hash = false};
    if (cevm_rpc_edit(call, take_out, &r)) {
        cevm_rpc_done(call);
    }
}

void cevm_rpc_anvil_removePoolTransactions(cevm_rpc_call *call)
{
    removal r = {.by_sender = true};
    if (cevm_rpc_read_address(&r.sender, call, cevm_rpc_param(call, 0), "address") &&
        cevm_rpc_edit(call, take_out, &r)) {
        cevm_rpc_done(call);
    }
}
