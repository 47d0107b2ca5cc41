/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/tree_read.c: what is read from a state of the shared memory backend: from the tree, then what is known to be gone,
 * then from the base, if there is one.
 */
#include "state/tree_internal.h"

#include <cevm/alloc.h>
#include <cevm/crypto.h>

cevm_hash cevm_tree_hash_address(const cevm_address *address)
{
    cevm_hash hash;
    cevm_keccak256(&hash, address->bytes, sizeof address->bytes);
    return hash;
}

cevm_hash cevm_tree_hash_key(const cevm_u256 *key)
{
    uint8_t bytes[32];
    cevm_hash hash;
    cevm_u256_to_be(bytes, key);
    cevm_keccak256(&hash, bytes, sizeof bytes);
    return hash;
}

cevm_hash cevm_tree_memo_address(tree_memo *memo, const cevm_address *address)
{
    const size_t at = (address->bytes[19] ^ address->bytes[18] * 5u) % TREE_MEMO_ACCOUNTS;
    if (memo == NULL) {
        return cevm_tree_hash_address(address);
    }
    if (!memo->accounts[at].is_known || !cevm_address_equal(&memo->accounts[at].address, address)) {
        memo->accounts[at].hash = cevm_tree_hash_address(address);
        memo->accounts[at].address = *address;
        memo->accounts[at].is_known = true;
    }
    return memo->accounts[at].hash;
}

cevm_hash cevm_tree_memo_key(tree_memo *memo, const cevm_u256 *key)
{
    const size_t at = (size_t)key->w[0] % TREE_MEMO_SLOTS;
    if (memo == NULL) {
        return cevm_tree_hash_key(key);
    }
    if (!memo->slots[at].is_known || !cevm_u256_equal(&memo->slots[at].key, key)) {
        memo->slots[at].hash = cevm_tree_hash_key(key);
        memo->slots[at].key = *key;
        memo->slots[at].is_known = true;
    }
    return memo->slots[at].hash;
}

cevm_db_account cevm_tree_describe(const tree_account *account)
{
    return (cevm_db_account){
        .balance = account->balance,
        .nonce = account->nonce,
        .code_hash = account->code != NULL ? account->code->hash : cevm_empty_code_hash,
        .has_storage = account->slot_count != 0 || (!account->is_whole && account->base_has_storage),
    };
}

static tree_account *find_account(const tree_view *view, const cevm_hash *key)
{
    tree_leaf *leaf = cevm_tree_find(view->state->accounts, key);
    return leaf != NULL ? tree_as_account(&leaf->head) : NULL;
}

/** Whether what the tree does not have can be in the base. */
static bool may_be_below(const tree_view *view, const cevm_hash *key)
{
    return view->common->has_base && cevm_tree_find(view->state->gone, key) == NULL;
}

cevm_err cevm_tree_read_account(const tree_view *view, cevm_db_account *out, bool *exists, const cevm_address *address)
{
    const cevm_hash key = cevm_tree_memo_address(view->memo, address);
    const tree_account *account = find_account(view, &key);
    *exists = account != NULL;
    if (account != NULL) {
        *out = cevm_tree_describe(account);
        return CEVM_OK;
    }
    if (!may_be_below(view, &key)) {
        return CEVM_OK;
    }
    const cevm_db *base = &view->common->base;
    return base->vtable->account(base->ctx, out, exists, address);
}

/** Finds a slot in the tree; true when the base has to be asked. */
static bool find_slot(const tree_view *view, cevm_u256 *out, const cevm_address *address, const cevm_u256 *key)
{
    const cevm_hash hashed_address = cevm_tree_memo_address(view->memo, address);
    const tree_account *account = find_account(view, &hashed_address);
    *out = cevm_u256_from_u64(0);
    if (account == NULL) {
        return may_be_below(view, &hashed_address);
    }
    if (account->storage == NULL && account->is_whole) {
        return false;
    }
    const cevm_hash hashed_key = cevm_tree_memo_key(view->memo, key);
    tree_leaf *leaf = cevm_tree_find(account->storage, &hashed_key);
    if (leaf != NULL) {
        *out = tree_as_slot(&leaf->head)->value;
        return false;
    }
    return !account->is_whole && cevm_tree_find(account->gone, &hashed_key) == NULL;
}

cevm_err cevm_tree_read_storage(const tree_view *view, cevm_u256 *out, const cevm_address *address,
                                const cevm_u256 *key)
{
    if (!find_slot(view, out, address, key)) {
        return CEVM_OK;
    }
    const cevm_db *base = &view->common->base;
    return base->vtable->storage(base->ctx, out, address, key);
}

cevm_err cevm_tree_read_block_hash(const tree_common *common, cevm_hash *out, uint64_t number)
{
    memset(out, 0, sizeof *out);
    return common->has_base ? common->base.vtable->block_hash(common->base.ctx, out, number) : CEVM_OK;
}

static bool is_below(const tree_view *view, const cevm_db_key *key)
{
    cevm_u256 value;
    if (key->is_slot) {
        return find_slot(view, &value, &key->address, &key->slot);
    }
    const cevm_hash hashed = cevm_tree_hash_address(&key->address);
    return cevm_tree_find(view->state->accounts, &hashed) == NULL && may_be_below(view, &hashed);
}

cevm_err cevm_tree_read_prefetch(const tree_view *view, const cevm_db_key *keys, size_t count)
{
    const cevm_db *base = &view->common->base;
    if (!view->common->has_base || base->vtable->prefetch == NULL || count == 0) {
        return CEVM_OK;
    }
    cevm_db_key *wanted = cevm_resize_array(view->common->allocator, NULL, count, sizeof *wanted);
    if (wanted == NULL) {
        return CEVM_ERR_NOMEM;
    }
    size_t wanted_count = 0;
    for (size_t i = 0; i < count; ++i) {
        if (is_below(view, &keys[i])) {
            wanted[wanted_count++] = keys[i];
        }
    }
    const cevm_err err = wanted_count != 0 ? base->vtable->prefetch(base->ctx, wanted, wanted_count) : CEVM_OK;
    cevm_free(view->common->allocator, wanted);
    return err;
}
