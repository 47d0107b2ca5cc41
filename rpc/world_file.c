/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole world as one piece of bytes: a name, the node, the number of the head, each block that is not forgotten, the edits
 * if there are any, the number of transactions that wait, and those.
 */
#include "rpc/world_file.h"
#include "rpc/node_internal.h"

static const char world_name[] = "cevm world";

/* ---- Writing ------------------------------------------------------------------------------------------------------- */

typedef struct writing {
    cevm_codec c;
    cevm_buf piece;
    cevm_err err;
} writing;

/** Appends the piece, if making it went well. */
static void put_piece(writing *w, cevm_err err)
{
    cevm_bytes bytes = {w->piece.data, w->piece.size};
    w->err = w->err == CEVM_OK ? err : w->err;
    if (w->err == CEVM_OK) {
        cevm_codec_bytes(&w->c, &bytes);
    }
}

static void put_block(writing *w, const cevm_record *record, const cevm_record *previous,
                      const cevm_allocator *allocator)
{
    uint64_t number = record->block.header.number;
    cevm_hash hash = record->block.hash;
    cevm_u256 total_difficulty = record->total_difficulty;
    bool is_merged = record->is_merged;
    cevm_codec_u64(&w->c, &number);
    cevm_codec_hash(&w->c, &hash);
    cevm_codec_u256(&w->c, &total_difficulty);
    cevm_codec_bool(&w->c, &is_merged);
    put_piece(w, cevm_entry_rlp(&w->piece, record, allocator));
    put_piece(w, cevm_entry_receipts(&w->piece, record));
    put_piece(w, cevm_entry_block(&w->piece, record, previous));
}

static bool put_pooled(void *user, const cevm_hash *hash, cevm_ref *value)
{
    writing *w = user;
    (void)hash;
    put_piece(w, cevm_entry_pooled(&w->piece, (const cevm_pooled *)(const void *)value));
    return w->err == CEVM_OK;
}

cevm_err cevm_world_write(cevm_buf *out, const cevm_world *world)
{
    writing w = {.c = {.out = out}, .err = CEVM_OK};
    cevm_bytes name = {(const uint8_t *)world_name, sizeof world_name - 1};
    uint64_t head = world->head->block.header.number;
    uint64_t waiting = world->pool.count;
    bool has_edits = world->state != world->head->state;
    cevm_buf_init(&w.piece, world->allocator);
    cevm_codec_bytes(&w.c, &name);
    put_piece(&w, cevm_entry_node(&w.piece, world, false));
    cevm_codec_u64(&w.c, &head);
    const cevm_record *previous = NULL;
    for (uint64_t n = world->first; w.err == CEVM_OK && n <= head; ++n) {
        const cevm_record *record = cevm_world_block(world, n);
        if (record != NULL) { /* it was not forgotten */
            put_block(&w, record, previous, world->allocator);
            previous = record;
        }
    }
    cevm_codec_bool(&w.c, &has_edits);
    if (has_edits) {
        put_piece(&w, cevm_entry_edits(&w.piece, world));
    }
    cevm_codec_u64(&w.c, &waiting);
    cevm_pmap_for_each(&world->pool, put_pooled, &w);
    cevm_buf_free(&w.piece);
    return w.err != CEVM_OK || cevm_codec_end(&w.c) ? w.err : CEVM_ERR_NOMEM;
}

/* ---- Reading ------------------------------------------------------------------------------------------------------- */

typedef struct reading {
    cevm_codec c;
    bool has_next;
    uint64_t next; /* number of the block that comes next */
} reading;

static cevm_err read_block(void *ctx, bool *found, cevm_db_block *block, cevm_bytes *entry, uint64_t number)
{
    reading *r = ctx;
    cevm_codec *c = &r->c;
    if (!r->has_next) {
        cevm_codec_u64(c, &r->next);
        r->has_next = true;
    }
    *found = !c->failed && r->next == number;
    if (!*found) {
        return c->failed ? CEVM_ERR_ENCODING : CEVM_OK;
    }
    r->has_next = false;
    *block = (cevm_db_block){.number = number};
    cevm_codec_hash(c, &block->hash);
    cevm_codec_u256(c, &block->total_difficulty);
    cevm_codec_bool(c, &block->is_merged);
    cevm_codec_bytes(c, &block->rlp);
    cevm_codec_bytes(c, &block->receipts);
    cevm_codec_bytes(c, entry);
    return c->failed ? CEVM_ERR_ENCODING : CEVM_OK;
}

static cevm_err read_edits(void *ctx, bool *found, cevm_bytes *entry)
{
    cevm_codec *c = &((reading *)ctx)->c;
    cevm_codec_bool(c, found);
    if (*found) {
        cevm_codec_bytes(c, entry);
    }
    return c->failed ? CEVM_ERR_ENCODING : CEVM_OK;
}

static cevm_err read_pool(void *ctx, cevm_pooled_entry visit, void *user)
{
    cevm_codec *c = &((reading *)ctx)->c;
    uint64_t count = 0;
    cevm_codec_u64(c, &count);
    for (uint64_t i = 0; !c->failed && i < count; ++i) {
        cevm_bytes entry;
        cevm_codec_bytes(c, &entry);
        if (!c->failed && !visit(user, entry)) {
            return CEVM_OK; /* whoever visits has said why */
        }
    }
    return cevm_codec_end(c) ? CEVM_OK : CEVM_ERR_ENCODING;
}

/** The settings of the chain that was written, and how this node mines. */
static void set_settings(cevm_node_settings *out, const cevm_world *from)
{
    const cevm_node_settings own = *out;
    *out = from->settings;
    out->automine = own.automine;
    out->interval_ms = own.interval_ms;
    out->order = own.order;
    out->auto_impersonate = own.auto_impersonate;
    out->is_silent = own.is_silent;
    out->time_offset = 0;
    if (from->settings.time_offset != 0) {
        out->time_offset = (int64_t)(from->head->block.header.timestamp - cevm_node_real_time());
    }
}

static void replace_map(cevm_pmap *map, const cevm_pmap *by)
{
    cevm_pmap old = *map;
    *map = cevm_pmap_copy(by);
    cevm_pmap_release(&old);
}

static void take_over(cevm_world *draft, const cevm_world *from)
{
    replace_map(&draft->by_number, &from->by_number);
    replace_map(&draft->by_hash, &from->by_hash);
    replace_map(&draft->txs, &from->txs);
    replace_map(&draft->with_logs, &from->with_logs);
    replace_map(&draft->pool, &from->pool);
    replace_map(&draft->queues, &from->queues);
    replace_map(&draft->impersonated, &from->impersonated);
    cevm_record *old = draft->head;
    draft->head = from->head;
    cevm_ref_retain(&draft->head->ref);
    cevm_record_release(old);
    cevm_world_set_state(draft, from->state);
    draft->first = from->first;
    draft->forgotten = from->forgotten;
    draft->branch = from->branch;
    draft->pool_sequence = from->pool_sequence;
    set_settings(&draft->settings, from);
}

cevm_err cevm_world_load(cevm_world *draft, cevm_treedb *db, cevm_bytes bytes, cevm_ref *nothing)
{
    reading r = {.c = {.in = bytes}};
    cevm_codec *c = &r.c;
    cevm_world_source source = {.ctx = &r, .block = read_block, .edits = read_edits, .pool = read_pool};
    cevm_world *world = NULL;
    cevm_bytes name;
    cevm_codec_bytes(c, &name);
    if (c->failed || name.size != sizeof world_name - 1 || memcmp(name.data, world_name, name.size) != 0) {
        return CEVM_ERR_ENCODING;
    }
    cevm_codec_bytes(c, &source.node);
    cevm_codec_u64(c, &source.head);
    if (c->failed) {
        return CEVM_ERR_ENCODING;
    }
    cevm_err err = cevm_treedb_clear(db);
    if (err == CEVM_OK) {
        err = cevm_world_read(&world, &source, db, nothing, draft->allocator);
    }
    if (err == CEVM_OK) {
        take_over(draft, world);
    }
    cevm_world_release(world);
    return err;
}
