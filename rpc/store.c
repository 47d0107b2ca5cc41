/* SPDX-License-Identifier: Apache-2.0 */
/* The node's world on disk: opening, and saving one world in the place of another. */
#include <cevm/alloc.h>

#include "rpc/store_internal.h"

bool cevm_store_say(const cevm_store *store, cevm_node_error *error, cevm_err err)
{
    const char *text = err == CEVM_ERR_BACKEND || err == CEVM_ERR_IO ? cevm_lmdb_error_text(store->lmdb) : "";
    (void)cevm_node_say(error, 0, "data-dir: %s%s%s", cevm_err_string(err), *text != '\0' ? ": " : "", text);
    error->err = err;
    return false;
}

/* ---- Life ---------------------------------------------------------------------------------------------------------- */

bool cevm_store_open(cevm_store **out, cevm_node_error *error, const char *data_dir, bool no_sync,
                     const cevm_allocator *allocator)
{
    cevm_lmdb_error text = {.text = ""};
    const cevm_lmdb_options options = {.struct_size = sizeof options,
                                       .allocator = allocator,
                                       .path = data_dir,
                                       .create = true,
                                       .no_sync = no_sync,
                                       .has_history = true,
                                       .history = CEVM_LMDB_ARCHIVE};
    cevm_store *store = cevm_zalloc(allocator, sizeof *store);
    *out = NULL;
    if (store == NULL) {
        return cevm_node_say_err(error, CEVM_ERR_NOMEM);
    }
    store->allocator = allocator;
    const cevm_err err = cevm_lmdb_open(&store->lmdb, &text, &options);
    if (err != CEVM_OK) {
        cevm_free(allocator, store);
        (void)cevm_node_say(error, 0, "%s", text.text[0] != '\0' ? text.text : cevm_err_string(err));
        error->err = err;
        return false;
    }
    store->db = cevm_lmdb_interface(store->lmdb);
    cevm_buf_init(&store->block, allocator);
    cevm_buf_init(&store->receipts, allocator);
    cevm_buf_init(&store->entry, allocator);
    *out = store;
    return true;
}

void cevm_store_close(cevm_store *store)
{
    if (store == NULL) {
        return;
    }
    cevm_lmdb_close(store->lmdb);
    cevm_world_release(store->saved);
    cevm_buf_free(&store->block);
    cevm_buf_free(&store->receipts);
    cevm_buf_free(&store->entry);
    cevm_free(store->allocator, store);
}

/* ---- Entries ------------------------------------------------------------------------------------------------------- */

/** Puts what store->entry holds, if making it went well. */
static cevm_err put_entry(cevm_store *store, cevm_bytes name, cevm_err err)
{
    return err == CEVM_OK ? cevm_lmdb_put_entry(store->lmdb, name, (cevm_bytes){store->entry.data, store->entry.size})
                          : err;
}

static cevm_err remove_entry(cevm_store *store, cevm_bytes name)
{
    return cevm_lmdb_put_entry(store->lmdb, name, (cevm_bytes){NULL, 0});
}

/* ---- The pool ------------------------------------------------------------------------------------------------------ */

typedef struct pool_walk {
    cevm_store *store;
    const cevm_pmap *other;
    bool adds;
    cevm_err err;
} pool_walk;

/** Visits one pool: what the other has too stays. */
static bool compare_pooled(void *user, const cevm_hash *hash, cevm_ref *value)
{
    pool_walk *w = user;
    uint8_t name[STORE_TX_NAME];
    const cevm_ref *there = w->other != NULL ? cevm_pmap_get(w->other, hash) : NULL;
    if (w->adds && there != value) {
        const cevm_pooled *pooled = (const cevm_pooled *)(const void *)value;
        w->err = cevm_entry_pooled(&w->store->entry, pooled);
        w->err = put_entry(w->store, cevm_store_tx_name(name, hash), w->err);
    } else if (!w->adds && there == NULL) {
        w->err = remove_entry(w->store, cevm_store_tx_name(name, hash));
    }
    return w->err == CEVM_OK;
}

static cevm_err save_pool(cevm_store *store, const cevm_world *old, const cevm_world *world)
{
    pool_walk w = {.store = store, .other = &world->pool, .err = CEVM_OK};
    if (old != NULL && old->pool.root == world->pool.root) {
        return CEVM_OK;
    }
    if (old != NULL) {
        cevm_pmap_for_each(&old->pool, compare_pooled, &w);
    }
    w.adds = true;
    w.other = old != NULL ? &old->pool : NULL;
    if (w.err == CEVM_OK) {
        cevm_pmap_for_each(&world->pool, compare_pooled, &w);
    }
    return w.err;
}

/* ---- Blocks -------------------------------------------------------------------------------------------------------- */

/** One step of the database: the state goes from one to another, and if there is a block it is named. */
static cevm_err put_step(cevm_store *store, const cevm_tree *from, const cevm_tree *to, const cevm_db_block *block)
{
    const cevm_db *db = &store->db;
    cevm_diff diff = {NULL, 0};
    cevm_err err = db->vtable->begin_block(db->ctx);
    if (err == CEVM_OK) {
        err = cevm_tree_diff(&diff, from, to);
    }
    if (err == CEVM_OK && diff.account_count != 0) {
        err = db->vtable->commit(db->ctx, &diff);
    }
    cevm_tree_diff_free(&diff, to);
    if (err == CEVM_OK && block != NULL) {
        err = db->vtable->put_block(db->ctx, block);
    }
    return err == CEVM_OK ? db->vtable->end_block(db->ctx, true) : err;
}

static cevm_err add_block(cevm_store *store, const cevm_record *record, const cevm_record *previous)
{
    uint8_t name[STORE_BLOCK_NAME];
    cevm_err err = cevm_entry_rlp(&store->block, record, store->allocator);
    if (err == CEVM_OK) {
        err = cevm_entry_receipts(&store->receipts, record);
    }
    const cevm_db_block block = {.number = record->block.header.number,
                                 .hash = record->block.hash,
                                 .rlp = {store->block.data, store->block.size},
                                 .total_difficulty = record->total_difficulty,
                                 .is_merged = record->is_merged,
                                 .receipts = {store->receipts.data, store->receipts.size}};
    if (err == CEVM_OK) {
        err = put_step(store, previous != NULL ? previous->state : NULL, record->state, &block);
    }
    if (err == CEVM_OK) {
        err = cevm_entry_block(&store->entry, record, previous);
    }
    return put_entry(store, cevm_store_block_name(name, block.number), err);
}

/** Blocks that the world had forgotten before it was saved are not there. */
static cevm_err take_back_block(cevm_store *store, uint64_t number)
{
    uint8_t name[STORE_BLOCK_NAME];
    cevm_db_block block;
    bool found = false;
    cevm_err err = cevm_lmdb_block(store->lmdb, &found, &block, number);
    if (err != CEVM_OK || !found) {
        return err;
    }
    err = store->db.vtable->undo_block(store->db.ctx);
    return err == CEVM_OK ? remove_entry(store, cevm_store_block_name(name, number)) : err;
}

/* ---- Forks of remote chains ----------------------------------------------------------------------------------------- */

static void codec_fork(cevm_codec *c, cevm_fork_point *point)
{
    cevm_codec_u64(c, &point->chain_id);
    cevm_codec_u64(c, &point->number);
    cevm_codec_hash(c, &point->hash);
}

bool cevm_store_fork_point(cevm_store *store, cevm_node_error *error, bool *found, cevm_fork_point *out)
{
    cevm_codec c = {.out = NULL};
    const cevm_err err = cevm_lmdb_entry(store->lmdb, found, &c.in, cevm_store_fork_name());
    if (err != CEVM_OK) {
        return cevm_store_say(store, error, err);
    }
    if (*found) {
        codec_fork(&c, &store->fork);
        if (!cevm_codec_end(&c)) {
            return cevm_node_say(error, 0, "data-dir: what it holds of the node is damaged");
        }
        store->is_fork = true;
        *out = store->fork;
    }
    return true;
}

bool cevm_store_holds_fork(cevm_lmdb *lmdb)
{
    bool found = false;
    cevm_bytes entry;
    return cevm_lmdb_entry(lmdb, &found, &entry, cevm_store_fork_name()) == CEVM_OK && found;
}

void cevm_store_set_fork_point(cevm_store *store, const cevm_fork_point *point)
{
    store->is_fork = true;
    store->fork = *point;
}

bool cevm_store_is_empty(cevm_store *store, cevm_node_error *error, bool *empty)
{
    bool found = false;
    cevm_db_block head;
    const cevm_err err = cevm_lmdb_head(store->lmdb, &found, &head);
    *empty = !found;
    return err == CEVM_OK || cevm_store_say(store, error, err);
}

static cevm_err put_fork(cevm_store *store)
{
    cevm_codec c = {.out = &store->entry};
    cevm_buf_clear(&store->entry);
    codec_fork(&c, &store->fork);
    return put_entry(store, cevm_store_fork_name(), cevm_codec_end(&c) ? CEVM_OK : CEVM_ERR_NOMEM);
}

/* ---- Saving -------------------------------------------------------------------------------------------------------- */

/**
 * Number of the first block that two worlds do not share; the first of all when they share none. A block that one of them has
 * forgotten is theirs both: nobody goes back that far.
 */
static uint64_t first_difference(const cevm_world *old, const cevm_world *world)
{
    const uint64_t a = old->head->block.header.number;
    const uint64_t b = world->head->block.header.number;
    uint64_t number = (a < b ? a : b) + 1;
    if (old->first != world->first || cevm_world_block(old, old->first) != cevm_world_block(world, old->first)) {
        return old->first;
    }
    while (number > old->first) {
        const cevm_record *left = cevm_world_block(old, number - 1);
        const cevm_record *right = cevm_world_block(world, number - 1);
        if (left == right || left == NULL || right == NULL) {
            break;
        }
        --number;
    }
    return number;
}

static cevm_err take_back(cevm_store *store, uint64_t from)
{
    cevm_err err = CEVM_OK;
    if (store->has_edits) {
        err = store->db.vtable->undo_block(store->db.ctx);
        if (err == CEVM_OK) {
            err = remove_entry(store, cevm_store_edits_name());
        }
    }
    for (uint64_t n = store->saved->head->block.header.number + 1; err == CEVM_OK && n > from; --n) {
        err = take_back_block(store, n - 1);
    }
    return err;
}

static cevm_err put_edits(cevm_store *store, const cevm_world *world)
{
    cevm_err err = put_step(store, world->head->state, world->state, NULL);
    if (err == CEVM_OK) {
        err = cevm_entry_edits(&store->entry, world);
    }
    return put_entry(store, cevm_store_edits_name(), err);
}

/** Adds the blocks from a number on that the world has not forgotten, each after the one before. */
static cevm_err add_blocks(cevm_store *store, const cevm_world *world, uint64_t from)
{
    const cevm_record *previous = NULL;
    cevm_err err = CEVM_OK;
    if (from > world->first) {
        previous = cevm_world_block(world, from - 1);
        previous = previous != NULL ? previous : cevm_world_block(store->saved, from - 1);
        err = previous != NULL ? CEVM_OK : CEVM_ERR_ARGUMENT;
    }
    for (uint64_t n = from; err == CEVM_OK && n <= world->head->block.header.number; ++n) {
        const cevm_record *record = cevm_world_block(world, n);
        if (record != NULL) {
            err = add_block(store, record, previous);
            previous = record;
        }
    }
    return err;
}

/** Within a move. */
static cevm_err replace(cevm_store *store, const cevm_world *world, bool *has_edits)
{
    const cevm_world *old = store->saved;
    cevm_err err = CEVM_OK;
    *has_edits = store->has_edits;
    if (old == NULL || old->head != world->head || old->state != world->state) {
        const uint64_t from = old != NULL ? first_difference(old, world) : world->first;
        err = old != NULL ? take_back(store, from) : CEVM_OK;
        if (err == CEVM_OK) {
            err = add_blocks(store, world, old != NULL && from > old->first ? from : world->first);
        }
        *has_edits = world->state != world->head->state;
        if (err == CEVM_OK && *has_edits) {
            err = put_edits(store, world);
        }
    }
    if (err == CEVM_OK && old == NULL && store->is_fork) {
        err = put_fork(store);
    }
    if (err == CEVM_OK) {
        err = save_pool(store, old, world);
    }
    if (err == CEVM_OK) {
        err = cevm_entry_node(&store->entry, world, true);
    }
    return put_entry(store, cevm_store_node_name(), err);
}

bool cevm_store_save(cevm_store *store, cevm_node_error *error, cevm_world *world)
{
    const cevm_db *db = &store->db;
    bool has_edits = false;
    if (store->saved == world) {
        return true;
    }
    cevm_err err = db->vtable->begin_move(db->ctx);
    if (err != CEVM_OK) {
        return cevm_store_say(store, error, err);
    }
    err = replace(store, world, &has_edits);
    if (err != CEVM_OK) {
        (void)cevm_store_say(store, error, err); /* before the text is another's */
        (void)db->vtable->end_move(db->ctx, false);
        return false;
    }
    err = db->vtable->end_move(db->ctx, true);
    if (err != CEVM_OK) {
        return cevm_store_say(store, error, err);
    }
    cevm_world_release(store->saved);
    store->saved = cevm_world_retain(world);
    store->has_edits = has_edits;
    return true;
}
