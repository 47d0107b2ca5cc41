/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/tree_commit.c: changes of the shared memory backend.
 *
 * A commit of many parts keeps the state it began with and goes back to it when it fails. That costs the copies of the
 * nodes it changes, so a commit of a single account with at most one slot is instead ordered so that what can fail comes
 * before what shows.
 */
#include "state/tree_internal.h"

#include <cevm/alloc.h>

/** A leaf without contents for a key. */
static tree_leaf *make_leaf(tree_common *common, tree_kind kind, const cevm_hash *key)
{
    tree_node *n = cevm_tree_node_make(common, kind);
    if (n == NULL) {
        return NULL;
    }
    tree_as_leaf(n)->key = *key;
    return tree_as_leaf(n);
}

/** Puts a leaf, or frees it. */
static cevm_err put_or_free(tree_common *common, tree_node **root, tree_leaf *leaf)
{
    const cevm_err err = cevm_tree_put(common, root, leaf);
    if (err != CEVM_OK) {
        cevm_tree_node_release(common, &leaf->head);
    }
    return err;
}

/* ---- Slots ----------------------------------------------------------------------------------------------------------- */

/** Notes that what the base has in a slot counts no more. */
static cevm_err mark_slot(tree_common *common, tree_node **gone, const cevm_hash *hashed, const cevm_u256 *key)
{
    if (cevm_tree_find(*gone, hashed) != NULL) {
        return CEVM_OK;
    }
    tree_leaf *leaf = make_leaf(common, TREE_SLOT_MARK, hashed);
    if (leaf == NULL) {
        return CEVM_ERR_NOMEM;
    }
    ((tree_slot_mark *)(void *)leaf)->key = *key;
    return put_or_free(common, gone, leaf);
}

/** Sets or removes a slot of an account that is the store's own. */
static cevm_err write_slot(tree_common *common, tree_memo *memo, tree_account *account, const cevm_slot_change *change)
{
    const cevm_hash hashed = cevm_tree_memo_key(memo, &change->key);
    tree_leaf *leaf = cevm_tree_find(account->storage, &hashed);
    if (cevm_u256_is_zero(&change->value)) {
        cevm_err err = account->is_whole ? CEVM_OK : mark_slot(common, &account->gone, &hashed, &change->key);
        if (err == CEVM_OK && leaf != NULL) {
            err = cevm_tree_remove(common, &account->storage, &hashed);
            account->slot_count -= (size_t)(err == CEVM_OK);
        }
        return err;
    }
    if (leaf != NULL) {
        if (cevm_u256_equal(&tree_as_slot(&leaf->head)->value, &change->value)) {
            return CEVM_OK;
        }
        leaf = cevm_tree_open(common, &account->storage, &hashed);
        if (leaf == NULL) {
            return CEVM_ERR_NOMEM;
        }
        tree_as_slot(&leaf->head)->value = change->value;
        return CEVM_OK;
    }
    leaf = make_leaf(common, TREE_SLOT, &hashed);
    if (leaf == NULL) {
        return CEVM_ERR_NOMEM;
    }
    tree_as_slot(&leaf->head)->key = change->key;
    tree_as_slot(&leaf->head)->value = change->value;
    const cevm_err err = put_or_free(common, &account->storage, leaf);
    account->slot_count += (size_t)(err == CEVM_OK);
    return err;
}

static cevm_err write_slots(tree_common *common, tree_memo *memo, tree_account *account,
                            const cevm_account_change *change)
{
    cevm_err err = CEVM_OK;
    for (size_t i = 0; err == CEVM_OK && i < change->slot_count; ++i) {
        err = write_slot(common, memo, account, &change->slots[i]);
    }
    return err;
}

/* ---- Accounts -------------------------------------------------------------------------------------------------------- */

static cevm_err delete_account(cevm_treedb *db, const cevm_hash *key, const cevm_address *address)
{
    if (db->common->has_base && cevm_tree_find(db->now.gone, key) == NULL) {
        tree_leaf *leaf = make_leaf(db->common, TREE_ACCOUNT_MARK, key);
        if (leaf == NULL) {
            return CEVM_ERR_NOMEM;
        }
        ((tree_account_mark *)(void *)leaf)->address = *address;
        const cevm_err err = put_or_free(db->common, &db->now.gone, leaf);
        if (err != CEVM_OK) {
            return err;
        }
    }
    return cevm_tree_remove(db->common, &db->now.accounts, key);
}

/** The code an account has after a change. */
static cevm_err code_after(tree_code **out, tree_common *common, const tree_account *old,
                           const cevm_account_change *change)
{
    if (change->code_changed) {
        return cevm_tree_code_get(out, common, &change->code_hash, change->code);
    }
    if (old != NULL && old->code != NULL && cevm_hash_equal(&old->code->hash, &change->code_hash)) {
        *out = old->code;
        cevm_tree_code_retain(*out);
        return CEVM_OK;
    }
    return cevm_tree_code_named(out, common, &change->code_hash);
}

/** What a change says beyond slots and code; the reference to the code is taken over. */
static void set_fields(tree_common *common, tree_account *account, const cevm_account_change *change, tree_code *code)
{
    tree_code *old = account->code;
    account->balance = change->balance;
    account->nonce = change->nonce;
    account->code = code;
    cevm_tree_code_release(common, old);
}

/** Whether the base counts for the slots of an account that the tree has not had. */
static cevm_err look_below(const cevm_treedb *db, tree_account *account)
{
    const cevm_db *base = &db->common->base;
    account->is_whole = true;
    if (!db->common->has_base || cevm_tree_find(db->now.gone, &account->leaf.key) != NULL) {
        return CEVM_OK;
    }
    cevm_db_account below;
    bool exists = false;
    const cevm_err err = base->vtable->account(base->ctx, &below, &exists, &account->address);
    if (err == CEVM_OK && exists) {
        account->is_whole = false;
        account->base_has_storage = below.has_storage;
    }
    return err;
}

static cevm_err add_account(cevm_treedb *db, const cevm_hash *key, const cevm_account_change *change)
{
    tree_leaf *leaf = make_leaf(db->common, TREE_ACCOUNT, key);
    if (leaf == NULL) {
        return CEVM_ERR_NOMEM;
    }
    tree_account *account = tree_as_account(&leaf->head);
    tree_code *code = NULL;
    account->address = change->address;
    account->is_whole = true;
    cevm_err err = change->storage_cleared ? CEVM_OK : look_below(db, account);
    if (err == CEVM_OK) {
        err = code_after(&code, db->common, NULL, change);
    }
    if (err == CEVM_OK) {
        set_fields(db->common, account, change, code);
        err = write_slots(db->common, &db->memo, account, change);
    }
    if (err == CEVM_OK) {
        err = cevm_tree_put(db->common, &db->now.accounts, leaf);
    }
    if (err != CEVM_OK) {
        cevm_tree_node_release(db->common, &leaf->head);
    }
    return err;
}

/** Gives an account other slots than it had. */
static cevm_err replace_storage(tree_common *common, tree_memo *memo, tree_account *account,
                                const cevm_account_change *change)
{
    tree_account fresh = {.is_whole = true};
    const cevm_err err = write_slots(common, memo, &fresh, change);
    if (err != CEVM_OK) {
        cevm_tree_node_release(common, fresh.storage);
        return err;
    }
    tree_node *const storage = account->storage;
    tree_node *const gone = account->gone;
    account->is_whole = true;
    account->storage = fresh.storage;
    account->gone = NULL;
    account->slot_count = fresh.slot_count;
    cevm_tree_node_release(common, storage);
    cevm_tree_node_release(common, gone);
    return CEVM_OK;
}

static cevm_err change_account(cevm_treedb *db, const cevm_hash *key, const cevm_account_change *change)
{
    tree_leaf *leaf = cevm_tree_open(db->common, &db->now.accounts, key);
    if (leaf == NULL) {
        return CEVM_ERR_NOMEM;
    }
    tree_account *account = tree_as_account(&leaf->head);
    tree_code *code = NULL;
    cevm_err err = code_after(&code, db->common, account, change);
    if (err != CEVM_OK) {
        return err;
    }
    err = change->storage_cleared ? replace_storage(db->common, &db->memo, account, change)
                                  : write_slots(db->common, &db->memo, account, change);
    if (err != CEVM_OK) {
        cevm_tree_code_release(db->common, code);
        return err;
    }
    set_fields(db->common, account, change, code);
    return CEVM_OK;
}

static cevm_err apply(cevm_treedb *db, const cevm_account_change *change)
{
    const cevm_hash key = cevm_tree_memo_address(&db->memo, &change->address);
    if (change->deleted) {
        return delete_account(db, &key, &change->address);
    }
    const bool is_there = cevm_tree_find(db->now.accounts, &key) != NULL;
    return is_there ? change_account(db, &key, change) : add_account(db, &key, change);
}

cevm_err cevm_treedb_commit(void *ctx, const cevm_diff *diff)
{
    cevm_treedb *db = ctx;
    if (diff->account_count != 0) {
        cevm_treedb_forget_handed_out(db);
    }
    if (diff->account_count == 1 && diff->accounts[0].slot_count <= 1) {
        return apply(db, &diff->accounts[0]);
    }
    tree_state before = cevm_tree_state_copy(&db->now);
    cevm_err err = CEVM_OK;
    for (size_t i = 0; err == CEVM_OK && i < diff->account_count; ++i) {
        err = apply(db, &diff->accounts[i]);
    }
    if (err != CEVM_OK) {
        const tree_state failed = db->now;
        db->now = before;
        before = failed;
    }
    cevm_tree_state_release(db->common, &before);
    return err;
}
