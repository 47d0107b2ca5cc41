/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/memdb_root.c: the state root of the memory backend (Yellow Paper, section 4.1): a trie of accounts, each with the
 * root of the trie of its storage, keys hashed.
 *
 * Only what a commit marked dirty is put into the tries. When memory runs out in the middle, what is done is done, the
 * rest stays marked, and the next call goes on from there.
 */
#include "state/memdb_internal.h"

#include <cevm/crypto.h>

/** Brings a storage trie up to date with its slots. */
static cevm_err update_storage(cevm_memdb *db, memdb_storage *storage)
{
    while (storage->dirty_head != CEVM_MAP_NONE) {
        uint32_t index = storage->dirty_head;
        memdb_slot *slot = &storage->slots[index];
        const bool gone = cevm_u256_is_zero(&slot->value);
        uint8_t key[32];
        cevm_hash hashed;
        cevm_u256_to_be(key, &slot->key);
        cevm_keccak256(&hashed, key, sizeof key);
        cevm_buf_clear(&db->value);
        if (!gone) {
            cevm_rlp_put_u256(&db->value, &slot->value);
        }
        if (db->value.failed) {
            return CEVM_ERR_NOMEM;
        }
        cevm_err err = cevm_trie_put(&storage->trie, (cevm_bytes){hashed.bytes, sizeof hashed.bytes},
                                     (cevm_bytes){db->value.data, db->value.size});
        if (err != CEVM_OK) {
            return err;
        }
        storage->dirty_head = slot->link;
        slot->dirty = false;
        if (gone) {
            cevm_map_remove(&storage->map, cevm_map_hash_slot(&db->seed, 0, &slot->key), index);
            slot->link = storage->free_head;
            storage->free_head = index;
        }
    }
    return CEVM_OK;
}

/** Brings the account trie up to date with an account that exists. */
static cevm_err update_account(cevm_memdb *db, memdb_account *account, cevm_bytes key)
{
    cevm_hash storage_root = cevm_trie_empty_root;
    if (account->storage != NULL) {
        cevm_err err = update_storage(db, account->storage);
        if (err == CEVM_OK) {
            err = cevm_trie_root(&account->storage->trie, &storage_root, &db->scratch);
        }
        if (err != CEVM_OK) {
            return err;
        }
        if (account->storage->nonzero == 0) {
            cevm_memdb_free_storage(db, account->storage);
            account->storage = NULL;
        }
    }
    cevm_buf_clear(&db->value);
    size_t list = cevm_rlp_list_begin(&db->value);
    cevm_rlp_put_u64(&db->value, account->nonce);
    cevm_rlp_put_u256(&db->value, &account->balance);
    cevm_rlp_put_hash(&db->value, &storage_root);
    cevm_rlp_put_hash(&db->value, &account->code_hash);
    cevm_rlp_list_end(&db->value, list);
    if (db->value.failed) {
        return CEVM_ERR_NOMEM;
    }
    return cevm_trie_put(&db->trie, key, (cevm_bytes){db->value.data, db->value.size});
}

cevm_err cevm_memdb_root(cevm_memdb *db, cevm_hash *out)
{
    while (db->dirty_head != CEVM_MAP_NONE) {
        uint32_t index = db->dirty_head;
        memdb_account *account = &db->accounts[index];
        cevm_hash hashed;
        cevm_keccak256(&hashed, account->address.bytes, sizeof account->address.bytes);
        const cevm_bytes key = {hashed.bytes, sizeof hashed.bytes};
        cevm_err err =
            account->exists ? update_account(db, account, key) : cevm_trie_put(&db->trie, key, (cevm_bytes){NULL, 0});
        if (err != CEVM_OK) {
            return err;
        }
        db->dirty_head = account->link;
        account->dirty = false;
        if (!account->exists) {
            cevm_map_remove(&db->account_map, cevm_map_hash_address(&db->seed, &account->address), index);
            account->link = db->free_head;
            db->free_head = index;
        }
    }
    return cevm_trie_root(&db->trie, out, &db->scratch);
}
