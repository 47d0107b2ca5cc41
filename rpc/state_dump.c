/* SPDX-License-Identifier: Apache-2.0 */
/*
 * anvil_dumpState: the state of `latest` as anvil writes it: the accounts, and the head without its transactions, so that
 * who loads it goes on from there. In the order of the hashes of addresses and keys: equal states give equal bytes. In a
 * member of its own, which anvil passes over, stands the whole chain (rpc/world_file.h).
 */
#include <stdio.h>

#include <cevm/hex.h>

#include "rpc/answer.h"
#include "rpc/methods.h"
#include "rpc/node_internal.h"
#include "rpc/shapes.h"
#include "rpc/world_file.h"

/** One dump. */
typedef struct dump {
    cevm_json_writer *w;
    cevm_world *world;
    bool is_whole; /* with all blocks */
    cevm_err err;
} dump;

static bool put_slot(void *user, const cevm_hash *hashed_key, const cevm_u256 *key, const cevm_u256 *value)
{
    cevm_json_writer *w = user;
    uint8_t bytes[32];
    char text[67] = "0x";
    (void)hashed_key;
    cevm_u256_to_be(bytes, key);
    cevm_hex_encode(text + 2, bytes, sizeof bytes);
    cevm_json_put_key(w, text);
    cevm_json_put_word(w, value);
    return !w->failed;
}

static bool put_account(void *user, const cevm_hash *hashed_address, const cevm_address *address,
                        const cevm_db_account *account, const cevm_hash *storage_root, cevm_bytes code)
{
    dump *d = user;
    char text[43] = "0x";
    (void)hashed_address;
    (void)storage_root;
    cevm_hex_encode(text + 2, address->bytes, sizeof address->bytes);
    cevm_json_put_key(d->w, text);
    cevm_json_begin_object(d->w);
    cevm_json_put_key(d->w, "nonce");
    cevm_json_put_number(d->w, account->nonce);
    cevm_shape_quantity256(d->w, "balance", &account->balance);
    cevm_shape_data(d->w, "code", code);
    cevm_json_put_key(d->w, "storage");
    cevm_json_begin_object(d->w);
    d->err = cevm_tree_for_each_slot(d->world->state, address, NULL, put_slot, d->w);
    cevm_json_end_object(d->w);
    cevm_json_end_object(d->w);
    return d->err == CEVM_OK && !d->w->failed;
}

static void put_number(cevm_json_writer *w, const char *key, uint64_t value)
{
    cevm_json_put_key(w, key);
    cevm_json_put_number(w, value);
}

/** What the next block would begin with. */
static void put_environment(cevm_json_writer *w, const cevm_record *head)
{
    const cevm_header *h = &head->block.header;
    cevm_json_begin_object(w);
    cevm_shape_quantity(w, "number", h->number);
    cevm_shape_address(w, "beneficiary", &h->coinbase);
    cevm_shape_quantity(w, "timestamp", h->timestamp);
    put_number(w, "gas_limit", h->gas_limit);
    put_number(w, "basefee", cevm_u256_fits_u64(&h->base_fee) ? h->base_fee.w[0] : UINT64_MAX);
    cevm_shape_quantity256(w, "difficulty", &h->difficulty);
    cevm_shape_hash(w, "prevrandao", &h->mix_hash);
    cevm_json_put_key(w, "blob_excess_gas_and_price");
    if (h->has_blob_gas && cevm_u256_fits_u64(&head->env.blob_base_fee)) {
        cevm_json_begin_object(w);
        put_number(w, "excess_blob_gas", h->excess_blob_gas);
        put_number(w, "blob_gasprice", head->env.blob_base_fee.w[0]);
        cevm_json_end_object(w);
    } else {
        cevm_json_put_null(w);
    }
    cevm_json_end_object(w);
}

static void put_head(cevm_json_writer *w, const cevm_header *header)
{
    cevm_json_begin_array(w);
    cevm_json_begin_object(w);
    cevm_json_put_key(w, "header");
    cevm_json_begin_object(w);
    cevm_shape_header_members(w, header);
    cevm_json_end_object(w);
    cevm_json_put_key(w, "transactions");
    cevm_json_begin_array(w);
    cevm_json_end_array(w);
    cevm_json_put_key(w, "ommers");
    cevm_json_begin_array(w);
    cevm_json_end_array(w);
    cevm_json_end_object(w);
    cevm_json_end_array(w);
}

static void put_chain(dump *d)
{
    cevm_buf bytes;
    cevm_buf_init(&bytes, d->world->allocator);
    const cevm_err err = cevm_world_write(&bytes, d->world);
    d->err = d->err == CEVM_OK ? err : d->err;
    cevm_shape_data(d->w, "cevm", (cevm_bytes){bytes.data, bytes.size});
    cevm_buf_free(&bytes);
}

static void put_state(dump *d)
{
    cevm_json_writer *w = d->w;
    cevm_json_begin_object(w);
    cevm_json_put_key(w, "block");
    put_environment(w, d->world->head);
    cevm_json_put_key(w, "accounts");
    cevm_json_begin_object(w);
    const cevm_err err = cevm_tree_for_each_account(d->world->state, NULL, put_account, d);
    d->err = d->err == CEVM_OK ? err : d->err;
    cevm_json_end_object(w);
    put_number(w, "best_block_number", d->world->head->block.header.number);
    cevm_json_put_key(w, "blocks");
    put_head(w, &d->world->head->block.header);
    cevm_json_put_key(w, "transactions");
    cevm_json_begin_array(w);
    cevm_json_end_array(w);
    cevm_shape_null(w, "historical_states");
    if (d->is_whole) {
        put_chain(d);
    }
    cevm_json_end_object(w);
}

/** The JSON as bytes in hex: "0x7b22…". */
static void put_hex(cevm_rpc_call *call, const cevm_buf *text)
{
    cevm_json_put_data(call->out, (cevm_bytes){text->data, text->size});
}

void cevm_rpc_anvil_dumpState(cevm_rpc_call *call)
{
    cevm_rpc_capture capture;
    bool is_whole = true;
    if (cevm_rpc_param(call, 0) != NULL && !cevm_rpc_read_bool(&is_whole, call, cevm_rpc_param(call, 0), "history")) {
        return;
    }
    cevm_rpc_capture_begin(&capture, cevm_node_allocator(call->node));
    dump d = {.w = &capture.writer, .world = cevm_node_world(call->node), .err = CEVM_OK};
    d.is_whole = is_whole && cevm_node_remote(call->node) == NULL; /* what a fork has is not all here */
    put_state(&d);
    cevm_world_release(d.world);
    if (!cevm_rpc_capture_end(&capture)) {
        d.err = CEVM_ERR_NOMEM;
    }
    if (d.err == CEVM_OK) {
        put_hex(call, &capture.text);
    } else {
        (void)cevm_rpc_fail_err(call, d.err);
    }
    cevm_buf_free(&capture.text);
}
