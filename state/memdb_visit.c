/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/memdb_visit.c: walks over the memory backend in the order of addresses and keys (dumps, test posts).
 */
#include "state/memdb_internal.h"

#include <cevm/alloc.h>

static int compare_accounts(const void *a, const void *b)
{
    const memdb_account *const *left = a;
    const memdb_account *const *right = b;
    return memcmp((*left)->address.bytes, (*right)->address.bytes, sizeof(*left)->address.bytes);
}

static int compare_slots(const void *a, const void *b)
{
    const memdb_slot *const *left = a;
    const memdb_slot *const *right = b;
    uint8_t left_key[32];
    uint8_t right_key[32];
    cevm_u256_to_be(left_key, &(*left)->key);
    cevm_u256_to_be(right_key, &(*right)->key);
    return memcmp(left_key, right_key, sizeof left_key);
}

cevm_err cevm_memdb_for_each_account(cevm_memdb *db, cevm_memdb_visit_account visit, void *user)
{
    size_t count = 0;
    if (db->account_count == 0) {
        return CEVM_OK;
    }
    const memdb_account **order = cevm_resize_array(db->allocator, NULL, db->account_count, sizeof(memdb_account *));
    if (order == NULL) {
        return CEVM_ERR_NOMEM;
    }
    for (size_t i = 0; i < db->account_count; ++i) {
        if (db->accounts[i].exists) {
            order[count++] = &db->accounts[i];
        }
    }
    cevm_sort((void *)order, count, sizeof *order, compare_accounts);
    bool go_on = true;
    for (size_t i = 0; go_on && i < count; ++i) {
        const memdb_account *account = order[i];
        const memdb_code *code = cevm_memdb_find_code(db, &account->code_hash);
        const cevm_db_account view = {.balance = account->balance,
                                      .nonce = account->nonce,
                                      .code_hash = account->code_hash,
                                      .has_storage = account->storage != NULL && account->storage->nonzero != 0};
        cevm_bytes bytes = {NULL, 0};
        if (code != NULL) {
            bytes = (cevm_bytes){code->data, code->size};
        }
        go_on = visit(user, &account->address, &view, bytes);
    }
    cevm_free(db->allocator, (void *)order);
    return CEVM_OK;
}

cevm_err cevm_memdb_for_each_slot(cevm_memdb *db, const cevm_address *address, cevm_memdb_visit_slot visit, void *user)
{
    uint32_t index = cevm_memdb_find_account(db, address);
    const memdb_storage *storage = index != CEVM_MAP_NONE ? db->accounts[index].storage : NULL;
    if (storage == NULL || storage->nonzero == 0) {
        return CEVM_OK;
    }
    const memdb_slot **order = cevm_resize_array(db->allocator, NULL, storage->count, sizeof(memdb_slot *));
    if (order == NULL) {
        return CEVM_ERR_NOMEM;
    }
    size_t count = 0;
    for (size_t i = 0; i < storage->count; ++i) {
        if (!cevm_u256_is_zero(&storage->slots[i].value)) {
            order[count++] = &storage->slots[i];
        }
    }
    cevm_sort((void *)order, count, sizeof *order, compare_slots);
    bool go_on = true;
    for (size_t i = 0; go_on && i < count; ++i) {
        go_on = visit(user, &order[i]->key, &order[i]->value);
    }
    cevm_free(db->allocator, (void *)order);
    return CEVM_OK;
}
