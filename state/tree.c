/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/tree.c: the shared memory backend (cevm/treedb.h): the store, its blocks, and the states handed out.
 */
#include "state/tree_internal.h"

#include <cevm/alloc.h>
#include <cevm/crypto.h>

/* ---- Life ------------------------------------------------------------------------------------------------------------ */

cevm_err cevm_treedb_create(cevm_treedb **out, const cevm_db *base, const cevm_allocator *allocator)
{
    cevm_treedb *db = cevm_zalloc(allocator, sizeof *db);
    if (db == NULL) {
        return CEVM_ERR_NOMEM;
    }
    const cevm_err err = cevm_tree_common_create(&db->common, base, allocator);
    if (err != CEVM_OK) {
        cevm_free(allocator, db);
        return err;
    }
    *out = db;
    return CEVM_OK;
}

cevm_err cevm_treedb_branch(cevm_treedb **out, const cevm_tree *tree)
{
    cevm_treedb *db = cevm_zalloc(tree->common->allocator, sizeof *db);
    if (db == NULL) {
        return CEVM_ERR_NOMEM;
    }
    db->common = tree->common;
    cevm_tree_common_retain(db->common);
    db->now = cevm_tree_state_copy(&tree->state);
    *out = db;
    return CEVM_OK;
}

void cevm_treedb_destroy(cevm_treedb *db)
{
    if (db == NULL) {
        return;
    }
    tree_common *common = db->common;
    const cevm_allocator *allocator = common->allocator;
    cevm_treedb_forget_handed_out(db);
    for (size_t i = 0; i < db->past_count; ++i) {
        cevm_tree_state_release(common, &db->past[i]);
    }
    cevm_tree_state_release(common, &db->now);
    cevm_free(allocator, db->past);
    cevm_free(allocator, db);
    cevm_tree_common_release(common);
}

/* ---- Reads of the store ---------------------------------------------------------------------------------------------- */

static tree_view view_now(void *ctx)
{
    cevm_treedb *db = ctx;
    return (tree_view){.common = db->common, .state = &db->now, .memo = &db->memo};
}

static cevm_err now_account(void *ctx, cevm_db_account *out, bool *exists, const cevm_address *address)
{
    const tree_view view = view_now(ctx);
    return cevm_tree_read_account(&view, out, exists, address);
}

static cevm_err now_storage(void *ctx, cevm_u256 *out, const cevm_address *address, const cevm_u256 *key)
{
    const tree_view view = view_now(ctx);
    return cevm_tree_read_storage(&view, out, address, key);
}

static cevm_err now_code(void *ctx, cevm_bytes *out, const cevm_hash *code_hash)
{
    return cevm_tree_code_read(out, view_now(ctx).common, code_hash);
}

static cevm_err now_block_hash(void *ctx, cevm_hash *out, uint64_t number)
{
    return cevm_tree_read_block_hash(view_now(ctx).common, out, number);
}

static cevm_err now_prefetch(void *ctx, const cevm_db_key *keys, size_t count)
{
    const tree_view view = view_now(ctx);
    return cevm_tree_read_prefetch(&view, keys, count);
}

static cevm_err now_root(void *ctx, cevm_hash *out)
{
    cevm_treedb *db = ctx;
    cevm_tree_hash(db->now.accounts, out);
    return CEVM_OK;
}

/* ---- Blocks ---------------------------------------------------------------------------------------------------------- */

/** Forgets the oldest states until no more than the history are left. */
static void forget(cevm_treedb *db)
{
    if (db->past_count <= db->history) {
        return;
    }
    const size_t gone = db->past_count - db->history;
    for (size_t i = 0; i < gone; ++i) {
        cevm_tree_state_release(db->common, &db->past[i]);
    }
    db->past_count -= gone;
    memmove(db->past, db->past + gone, db->past_count * sizeof *db->past);
}

void cevm_treedb_set_history(cevm_treedb *db, size_t blocks)
{
    db->history = blocks;
    if (!db->block_open) {
        forget(db);
    }
}

static cevm_err begin_block(void *ctx)
{
    cevm_treedb *db = ctx;
    if (db->block_open) {
        return CEVM_ERR_ARGUMENT;
    }
    tree_state *past =
        cevm_array_reserve(db->common->allocator, db->past, &db->past_capacity, db->past_count, 1, sizeof *past);
    if (past == NULL) {
        return CEVM_ERR_NOMEM;
    }
    db->past = past;
    past[db->past_count++] = cevm_tree_state_copy(&db->now);
    db->block_open = true;
    return CEVM_OK;
}

/** Goes back to the newest state that is remembered. */
static void go_back(cevm_treedb *db)
{
    cevm_treedb_forget_handed_out(db);
    cevm_tree_state_release(db->common, &db->now);
    db->now = db->past[--db->past_count];
}

static cevm_err end_block(void *ctx, bool keep)
{
    cevm_treedb *db = ctx;
    if (!db->block_open) {
        return CEVM_ERR_ARGUMENT;
    }
    db->block_open = false;
    if (!keep) {
        go_back(db);
    }
    forget(db);
    return CEVM_OK;
}

static cevm_err undo_block(void *ctx)
{
    cevm_treedb *db = ctx;
    if (db->block_open || db->past_count == 0) {
        return CEVM_ERR_ARGUMENT;
    }
    go_back(db);
    return CEVM_OK;
}

/* ---- States ---------------------------------------------------------------------------------------------------------- */

/** A state with one owner; its root is left to the caller. */
static cevm_tree *make_tree(tree_common *common, const tree_state *state)
{
    cevm_tree *tree = cevm_zalloc(common->allocator, sizeof *tree);
    if (tree != NULL) {
        atomic_init(&tree->count, 1);
        cevm_tree_common_retain(common);
        tree->common = common;
        tree->state = cevm_tree_state_copy(state);
    }
    return tree;
}

cevm_tree *cevm_tree_retain(cevm_tree *tree)
{
    atomic_fetch_add_explicit(&tree->count, 1, memory_order_relaxed);
    return tree;
}

void cevm_tree_release(cevm_tree *tree)
{
    if (tree == NULL || atomic_fetch_sub_explicit(&tree->count, 1, memory_order_acq_rel) != 1) {
        return;
    }
    tree_common *common = tree->common;
    cevm_tree_state_release(common, &tree->state);
    cevm_free(common->allocator, tree);
    cevm_tree_common_release(common);
}

void cevm_tree_root(const cevm_tree *tree, cevm_hash *out) { *out = tree->root; }

void cevm_treedb_forget_handed_out(cevm_treedb *db)
{
    cevm_tree_release(db->handed_out);
    db->handed_out = NULL;
}

cevm_err cevm_treedb_snapshot(cevm_treedb *db, cevm_tree **out)
{
    if (db->block_open) {
        return CEVM_ERR_ARGUMENT;
    }
    if (db->handed_out != NULL) {
        *out = cevm_tree_retain(db->handed_out);
        return CEVM_OK;
    }
    cevm_tree *tree = make_tree(db->common, &db->now);
    if (tree == NULL) {
        return CEVM_ERR_NOMEM;
    }
    cevm_hash unused;
    cevm_tree_hash(db->now.gone, &unused);
    cevm_tree_hash(db->now.accounts, &tree->root);
    db->handed_out = cevm_tree_retain(tree);
    *out = tree;
    return CEVM_OK;
}

cevm_err cevm_treedb_restore(cevm_treedb *db, cevm_tree *tree)
{
    if (db->block_open || tree->common != db->common) {
        return CEVM_ERR_ARGUMENT;
    }
    tree_state before = db->now;
    cevm_tree *handed_out = cevm_tree_retain(tree); /* first: it may be the one that is forgotten */
    cevm_treedb_forget_handed_out(db);
    db->handed_out = handed_out;
    db->now = cevm_tree_state_copy(&tree->state);
    cevm_tree_state_release(db->common, &before);
    return CEVM_OK;
}

cevm_err cevm_treedb_clear(cevm_treedb *db)
{
    if (db->block_open) {
        return CEVM_ERR_ARGUMENT;
    }
    cevm_treedb_forget_handed_out(db);
    cevm_tree_state_release(db->common, &db->now);
    return CEVM_OK;
}

/* ---- Reads of a state ------------------------------------------------------------------------------------------------ */

static tree_view view_tree(void *ctx)
{
    const cevm_tree *tree = ctx;
    return (tree_view){.common = tree->common, .state = &tree->state};
}

static cevm_err tree_account_of(void *ctx, cevm_db_account *out, bool *exists, const cevm_address *address)
{
    const tree_view view = view_tree(ctx);
    return cevm_tree_read_account(&view, out, exists, address);
}

static cevm_err tree_storage_of(void *ctx, cevm_u256 *out, const cevm_address *address, const cevm_u256 *key)
{
    const tree_view view = view_tree(ctx);
    return cevm_tree_read_storage(&view, out, address, key);
}

static cevm_err tree_code_of(void *ctx, cevm_bytes *out, const cevm_hash *code_hash)
{
    return cevm_tree_code_read(out, view_tree(ctx).common, code_hash);
}

static cevm_err tree_block_hash_of(void *ctx, cevm_hash *out, uint64_t number)
{
    return cevm_tree_read_block_hash(view_tree(ctx).common, out, number);
}

static cevm_err tree_prefetch_of(void *ctx, const cevm_db_key *keys, size_t count)
{
    const tree_view view = view_tree(ctx);
    return cevm_tree_read_prefetch(&view, keys, count);
}

static cevm_err tree_root_of(void *ctx, cevm_hash *out)
{
    const cevm_tree *tree = ctx;
    *out = tree->root;
    return CEVM_OK;
}

/* The past through the backend interface: the same reads, without a root, which nobody may have asked for then. */
static const cevm_db_vtable past_vtable = {
    .struct_size = sizeof past_vtable,
    .account = tree_account_of,
    .storage = tree_storage_of,
    .code = tree_code_of,
    .block_hash = tree_block_hash_of,
    .prefetch = tree_prefetch_of,
};

static const cevm_db_vtable tree_vtable = {
    .struct_size = sizeof tree_vtable,
    .account = tree_account_of,
    .storage = tree_storage_of,
    .code = tree_code_of,
    .block_hash = tree_block_hash_of,
    .prefetch = tree_prefetch_of,
    .root = tree_root_of,
};

cevm_db cevm_tree_interface(const cevm_tree *tree)
{
    return (cevm_db){.vtable = &tree_vtable, .ctx = (void *)(uintptr_t)tree};
}

static cevm_err open_past(void *ctx, cevm_db *out, size_t back)
{
    cevm_treedb *db = ctx;
    if (db->block_open || back > db->past_count) {
        return CEVM_ERR_ARGUMENT;
    }
    cevm_tree *tree = make_tree(db->common, back != 0 ? &db->past[db->past_count - back] : &db->now);
    if (tree == NULL) {
        return CEVM_ERR_NOMEM;
    }
    *out = (cevm_db){.vtable = &past_vtable, .ctx = tree};
    return CEVM_OK;
}

static void close_past(void *ctx, cevm_db *past)
{
    (void)ctx;
    cevm_tree_release(past->ctx);
    *past = (cevm_db){0};
}

/* ---- Public ---------------------------------------------------------------------------------------------------------- */

cevm_db cevm_treedb_interface(cevm_treedb *db)
{
    static const cevm_db_vtable vtable = {
        .struct_size = sizeof vtable,
        .account = now_account,
        .storage = now_storage,
        .code = now_code,
        .block_hash = now_block_hash,
        .prefetch = now_prefetch,
        .commit = cevm_treedb_commit,
        .root = now_root,
        .begin_block = begin_block,
        .end_block = end_block,
        .undo_block = undo_block,
        .open_past = open_past,
        .close_past = close_past,
    };
    return (cevm_db){.vtable = &vtable, .ctx = db};
}

cevm_err cevm_treedb_set_account(cevm_treedb *db, const cevm_address *address, const cevm_u256 *balance, uint64_t nonce,
                                 cevm_bytes code)
{
    cevm_account_change change = {.address = *address,
                                  .storage_cleared = true,
                                  .balance = *balance,
                                  .nonce = nonce,
                                  .code_hash = cevm_empty_code_hash,
                                  .code_changed = true,
                                  .code = code};
    if (code.size != 0) {
        cevm_keccak256(&change.code_hash, code.data, code.size);
    }
    const cevm_diff diff = {.accounts = &change, .account_count = 1};
    return cevm_treedb_commit(db, &diff);
}

cevm_err cevm_treedb_set_storage(cevm_treedb *db, const cevm_address *address, const cevm_u256 *key,
                                 const cevm_u256 *value)
{
    cevm_db_account account;
    bool exists = false;
    const cevm_err err = now_account(db, &account, &exists, address);
    if (err != CEVM_OK || !exists) {
        return err != CEVM_OK ? err : CEVM_ERR_ARGUMENT;
    }
    const cevm_slot_change slot = {.key = *key, .value = *value};
    const cevm_account_change change = {.address = *address,
                                        .balance = account.balance,
                                        .nonce = account.nonce,
                                        .code_hash = account.code_hash,
                                        .slots = &slot,
                                        .slot_count = 1};
    const cevm_diff diff = {.accounts = &change, .account_count = 1};
    return cevm_treedb_commit(db, &diff);
}
