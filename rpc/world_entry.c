/* SPDX-License-Identifier: Apache-2.0 */
/* A world as bytes: writing its pieces. */
#include <cevm/alloc.h>

#include "rpc/world_entry.h"

/** Begins an entry. */
static cevm_codec begin(cevm_buf *out)
{
    cevm_buf_clear(out);
    return (cevm_codec){.out = out};
}

static cevm_err end(const cevm_codec *c) { return cevm_codec_end(c) ? CEVM_OK : CEVM_ERR_NOMEM; }

static bool put_impersonated(void *user, const cevm_hash *key, cevm_ref *value)
{
    cevm_codec *c = user;
    cevm_address address;
    (void)value;
    memcpy(address.bytes, key->bytes, sizeof address.bytes);
    cevm_codec_address(c, &address);
    return true;
}

cevm_err cevm_entry_node(cevm_buf *out, const cevm_world *world, bool has_clock)
{
    cevm_codec c = begin(out);
    uint64_t numbers[] = {CEVM_WORLD_VERSION, world->first,         world->forgotten,
                          world->branch,      world->pool_sequence, world->impersonated.count};
    cevm_node_settings settings = world->settings;
    if (!has_clock) {
        settings.time_offset = settings.time_offset != 0 ? 1 : 0;
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; ++i) {
        cevm_codec_u64(&c, &numbers[i]);
    }
    cevm_pmap_for_each(&world->impersonated, put_impersonated, &c);
    cevm_codec_settings(&c, &settings);
    return end(&c);
}

cevm_err cevm_entry_pooled(cevm_buf *out, const cevm_pooled *pooled)
{
    cevm_codec c = begin(out);
    cevm_bytes raw = pooled->raw;
    cevm_address sender = pooled->tx->sender;
    bool impersonated = pooled->impersonated;
    uint64_t sequence = pooled->sequence;
    cevm_codec_u64(&c, &sequence);
    cevm_codec_address(&c, &sender);
    cevm_codec_bool(&c, &impersonated);
    cevm_codec_bytes(&c, &raw);
    return end(&c);
}

cevm_err cevm_entry_rlp(cevm_buf *buf, const cevm_record *record, const cevm_allocator *allocator)
{
    size_t size = 0;
    cevm_buf_clear(buf);
    cevm_err err = cevm_block_encode(NULL, &size, 0, &record->block, allocator);
    if (err == CEVM_OK && size > buf->capacity) {
        uint8_t *data = cevm_resize(allocator, buf->data, size);
        if (data == NULL) {
            return CEVM_ERR_NOMEM;
        }
        buf->data = data;
        buf->capacity = size;
    }
    if (err == CEVM_OK) {
        err = cevm_block_encode(buf->data, &size, buf->capacity, &record->block, allocator);
        buf->size = size;
    }
    return err;
}

cevm_err cevm_entry_receipts(cevm_buf *buf, const cevm_record *record)
{
    cevm_buf_clear(buf);
    const size_t list = cevm_rlp_list_begin(buf);
    for (size_t i = 0; i < record->block.tx_count; ++i) {
        const cevm_bytes encoded = record->receipts[i].encoded;
        if (encoded.size != 0 && encoded.data[0] >= 0xc0) {
            cevm_buf_append(buf, encoded.data, encoded.size);
        } else {
            cevm_rlp_put_bytes(buf, encoded.data, encoded.size);
        }
    }
    cevm_rlp_list_end(buf, list);
    return buf->failed ? CEVM_ERR_NOMEM : CEVM_OK;
}

static void put_block_txs(cevm_codec *c, const cevm_record *record)
{
    uint64_t count = record->block.tx_count;
    cevm_codec_u64(c, &count);
    for (size_t i = 0; i < record->block.tx_count; ++i) {
        const cevm_node_receipt *receipt = &record->receipts[i];
        cevm_codec_tx tx = {.sender = record->block.txs[i]->sender,
                            .impersonated = record->impersonated[i],
                            .gas_price = receipt->gas_price,
                            .gas_used = receipt->gas_used,
                            .has_created = receipt->has_created,
                            .created = receipt->created,
                            .blob_gas_used = receipt->blob_gas_used,
                            .output = receipt->output};
        cevm_codec_block_tx(c, &tx);
    }
}

cevm_err cevm_entry_block(cevm_buf *out, const cevm_record *record, const cevm_record *previous)
{
    const cevm_tree *from = previous != NULL ? previous->state : NULL;
    bool was_edited = record->before != NULL && previous != NULL && record->before != previous->state;
    cevm_codec c = begin(out);
    cevm_hash root; /* not the header's where a chain begins with a block from elsewhere */
    cevm_err err = CEVM_OK;
    cevm_tree_root(record->state, &root);
    cevm_codec_hash(&c, &root);
    put_block_txs(&c, record);
    cevm_codec_bool(&c, &was_edited);
    if (was_edited) {
        err = cevm_codec_put_changes(&c, from, record->before);
        from = record->before;
    }
    if (err == CEVM_OK) {
        err = cevm_codec_put_changes(&c, from, record->state);
    }
    return err == CEVM_OK ? end(&c) : err;
}

cevm_err cevm_entry_edits(cevm_buf *out, const cevm_world *world)
{
    cevm_codec c = begin(out);
    const cevm_err err = cevm_codec_put_changes(&c, world->head->state, world->state);
    return err == CEVM_OK ? end(&c) : err;
}
