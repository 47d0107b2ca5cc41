/* SPDX-License-Identifier: Apache-2.0 */
/* The node's world on disk: reading it back. */
#include "rpc/store_internal.h"

static cevm_err find_block(void *ctx, bool *found, cevm_db_block *block, cevm_bytes *entry, uint64_t number)
{
    const cevm_store *store = ctx;
    uint8_t name[STORE_BLOCK_NAME];
    const cevm_err err = cevm_lmdb_block(store->lmdb, found, block, number);
    return err == CEVM_OK && *found ? cevm_lmdb_entry(store->lmdb, found, entry, cevm_store_block_name(name, number))
                                    : err;
}

static cevm_err find_edits(void *ctx, bool *found, cevm_bytes *entry)
{
    cevm_store *store = ctx;
    const cevm_err err = cevm_lmdb_entry(store->lmdb, found, entry, cevm_store_edits_name());
    store->has_edits = *found;
    return err;
}

typedef struct pool_visit {
    cevm_pooled_entry visit;
    void *user;
} pool_visit;

static bool visit_pooled(void *user, cevm_bytes name, cevm_bytes value)
{
    const pool_visit *v = user;
    (void)name;
    return v->visit(v->user, value);
}

static cevm_err visit_pool(void *ctx, cevm_pooled_entry visit, void *user)
{
    const cevm_store *store = ctx;
    pool_visit v = {visit, user};
    return cevm_lmdb_for_each_entry(store->lmdb, cevm_store_txs_prefix(), visit_pooled, &v);
}

/** Whether the world's state is the one that the database itself has. */
static cevm_err check_root(const cevm_store *store, const cevm_world *world)
{
    cevm_hash root;
    cevm_hash stored;
    const cevm_err err = store->db.vtable->root(store->db.ctx, &stored);
    cevm_tree_root(world->state, &root);
    return err != CEVM_OK || cevm_hash_equal(&root, &stored) ? err : CEVM_ERR_ENCODING;
}

bool cevm_store_load(cevm_store *store, cevm_node_error *error, cevm_world **out, cevm_treedb *db, cevm_ref *nothing)
{
    cevm_world_source source = {
        .ctx = store, .block = find_block, .edits = find_edits, .pool = visit_pool, .is_fork = store->is_fork};
    cevm_world *world = NULL;
    cevm_db_block head = {.number = 0};
    bool has_head = false;
    bool has_node = false;
    *out = NULL;
    cevm_err err = cevm_lmdb_head(store->lmdb, &has_head, &head);
    if (err == CEVM_OK) {
        err = cevm_lmdb_entry(store->lmdb, &has_node, &source.node, cevm_store_node_name());
    }
    if (err != CEVM_OK) {
        return cevm_store_say(store, error, err);
    }
    if (has_head != has_node) {
        return cevm_node_say(error, 0, "data-dir: it holds a chain that no node made (by cevm import, perhaps)");
    }
    if (!has_node) {
        return true;
    }
    source.head = head.number;
    err = cevm_world_read(&world, &source, db, nothing, store->allocator);
    if (err == CEVM_OK &&
        !store->is_fork) { /* what is over a remote state has a root that the database does not know */
        err = check_root(store, world);
    }
    if (err != CEVM_OK) {
        cevm_world_release(world);
        return err == CEVM_ERR_ENCODING ? cevm_node_say(error, 0, "data-dir: what it holds of the node is damaged")
                                        : cevm_store_say(store, error, err);
    }
    store->saved = cevm_world_retain(world);
    *out = world;
    return true;
}
