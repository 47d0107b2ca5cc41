/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/memdb.c: the memory backend (cevm/db.h): accounts, storage, code and block hashes in hash maps.
 *
 * A commit is all or nothing: a first pass makes room for everything the diff can add and may run out of memory, a second
 * pass writes and cannot fail. Both maps remember what changed; the tries are brought up to date when a root is asked for.
 */
#include "state/memdb_internal.h"

#include <cevm/alloc.h>
#include <cevm/crypto.h>

/* ---- Life -------------------------------------------------------------------------------------------------------- */

cevm_err cevm_memdb_create(cevm_memdb **out, const cevm_allocator *allocator)
{
    cevm_memdb *db = cevm_zalloc(allocator, sizeof *db);
    if (db == NULL) {
        return CEVM_ERR_NOMEM;
    }
    db->allocator = allocator;
    db->free_head = CEVM_MAP_NONE;
    db->dirty_head = CEVM_MAP_NONE;
    cevm_map_seed_init(&db->seed);
    cevm_map_init(&db->account_map, allocator);
    cevm_map_init(&db->code_map, allocator);
    cevm_map_init(&db->block_map, allocator);
    cevm_trie_init(&db->trie, allocator);
    cevm_buf_init(&db->scratch, allocator);
    cevm_buf_init(&db->value, allocator);
    *out = db;
    return CEVM_OK;
}

void cevm_memdb_free_storage(const cevm_memdb *db, memdb_storage *storage)
{
    if (storage != NULL) {
        cevm_map_free(&storage->map);
        cevm_trie_clear(&storage->trie);
        cevm_free(db->allocator, storage->slots);
        cevm_free(db->allocator, storage);
    }
}

void cevm_memdb_destroy(cevm_memdb *db)
{
    if (db == NULL) {
        return;
    }
    for (size_t i = 0; i < db->account_count; ++i) {
        cevm_memdb_free_storage(db, db->accounts[i].storage);
    }
    for (size_t i = 0; i < db->code_count; ++i) {
        cevm_free(db->allocator, db->codes[i].data);
    }
    cevm_memdb_history_free(db);
    cevm_map_free(&db->account_map);
    cevm_map_free(&db->code_map);
    cevm_map_free(&db->block_map);
    cevm_trie_clear(&db->trie);
    cevm_buf_free(&db->scratch);
    cevm_buf_free(&db->value);
    cevm_free(db->allocator, db->accounts);
    cevm_free(db->allocator, db->codes);
    cevm_free(db->allocator, db->blocks);
    cevm_free(db->allocator, db);
}

/* ---- Look-up ----------------------------------------------------------------------------------------------------- */

uint32_t cevm_memdb_find_account(const cevm_memdb *db, const cevm_address *address)
{
    uint32_t tag = cevm_map_hash_address(&db->seed, address);
    uint32_t position = cevm_map_start(&db->account_map, tag);
    uint32_t index;
    do {
        index = cevm_map_next(&db->account_map, &position, tag);
    } while (index != CEVM_MAP_NONE && !cevm_address_equal(&db->accounts[index].address, address));
    return index;
}

static uint32_t find_slot(const cevm_memdb *db, const memdb_storage *storage, const cevm_u256 *key)
{
    uint32_t tag = cevm_map_hash_slot(&db->seed, 0, key);
    uint32_t position = cevm_map_start(&storage->map, tag);
    uint32_t index;
    do {
        index = cevm_map_next(&storage->map, &position, tag);
    } while (index != CEVM_MAP_NONE && !cevm_u256_equal(&storage->slots[index].key, key));
    return index;
}

cevm_u256 cevm_memdb_slot_value(const cevm_memdb *db, const memdb_storage *storage, const cevm_u256 *key)
{
    uint32_t index = storage != NULL ? find_slot(db, storage, key) : CEVM_MAP_NONE;
    return index != CEVM_MAP_NONE ? storage->slots[index].value : cevm_u256_from_u64(0);
}

const memdb_code *cevm_memdb_find_code(const cevm_memdb *db, const cevm_hash *hash)
{
    uint32_t tag = cevm_map_hash_hash(&db->seed, hash);
    uint32_t position = cevm_map_start(&db->code_map, tag);
    uint32_t index;
    do {
        index = cevm_map_next(&db->code_map, &position, tag);
    } while (index != CEVM_MAP_NONE && !cevm_hash_equal(&db->codes[index].hash, hash));
    return index != CEVM_MAP_NONE ? &db->codes[index] : NULL;
}

static uint32_t find_block(const cevm_memdb *db, uint64_t number, uint32_t *tag)
{
    const cevm_u256 key = cevm_u256_from_u64(number);
    *tag = cevm_map_hash_slot(&db->seed, 0, &key);
    uint32_t position = cevm_map_start(&db->block_map, *tag);
    uint32_t index;
    do {
        index = cevm_map_next(&db->block_map, &position, *tag);
    } while (index != CEVM_MAP_NONE && db->blocks[index].number != number);
    return index;
}

/* ---- The backend's reads ----------------------------------------------------------------------------------------- */

static cevm_err read_account(void *ctx, cevm_db_account *out, bool *exists, const cevm_address *address)
{
    const cevm_memdb *db = ctx;
    uint32_t index = cevm_memdb_find_account(db, address);
    *exists = index != CEVM_MAP_NONE && db->accounts[index].exists;
    if (*exists) {
        const memdb_account *account = &db->accounts[index];
        out->balance = account->balance;
        out->nonce = account->nonce;
        out->code_hash = account->code_hash;
        out->has_storage = account->storage != NULL && account->storage->nonzero != 0;
    }
    return CEVM_OK;
}

static cevm_err read_storage(void *ctx, cevm_u256 *out, const cevm_address *address, const cevm_u256 *key)
{
    const cevm_memdb *db = ctx;
    uint32_t index = cevm_memdb_find_account(db, address);
    *out = cevm_memdb_slot_value(db, index != CEVM_MAP_NONE ? db->accounts[index].storage : NULL, key);
    return CEVM_OK;
}

static cevm_err read_code(void *ctx, cevm_bytes *out, const cevm_hash *code_hash)
{
    const memdb_code *code = cevm_memdb_find_code(ctx, code_hash);
    if (code == NULL) {
        return CEVM_ERR_BACKEND; /* an account names it, so it should be here */
    }
    *out = (cevm_bytes){code->data, code->size};
    return CEVM_OK;
}

static cevm_err read_block_hash(void *ctx, cevm_hash *out, uint64_t number)
{
    const cevm_memdb *db = ctx;
    uint32_t tag;
    uint32_t index = find_block(db, number, &tag);
    memset(out, 0, sizeof *out);
    if (index != CEVM_MAP_NONE) {
        *out = db->blocks[index].hash;
    }
    return CEVM_OK;
}

/* ---- Commit, first pass: make room ------------------------------------------------------------------------------- */

cevm_err cevm_memdb_reserve_slots(const cevm_memdb *db, memdb_storage *storage, size_t extra)
{
    if (extra > UINT32_MAX) {
        return CEVM_ERR_NOMEM;
    }
    memdb_slot *slots =
        cevm_array_reserve(db->allocator, storage->slots, &storage->capacity, storage->count, extra, sizeof *slots);
    if (slots == NULL) {
        return CEVM_ERR_NOMEM;
    }
    storage->slots = slots;
    return cevm_map_reserve(&storage->map, (uint32_t)extra);
}

memdb_storage *cevm_memdb_make_storage(const cevm_memdb *db, size_t extra)
{
    memdb_storage *storage = cevm_zalloc(db->allocator, sizeof *storage);
    if (storage == NULL) {
        return NULL;
    }
    storage->free_head = CEVM_MAP_NONE;
    storage->dirty_head = CEVM_MAP_NONE;
    cevm_map_init(&storage->map, db->allocator);
    cevm_trie_init(&storage->trie, db->allocator);
    if (cevm_memdb_reserve_slots(db, storage, extra) != CEVM_OK) {
        cevm_memdb_free_storage(db, storage);
        return NULL;
    }
    return storage;
}

/** Keeps code under its hash. What a commit that fails later has kept is found again or never asked for. */
static cevm_err keep_code(cevm_memdb *db, const cevm_hash *hash, cevm_bytes code)
{
    if (code.size == 0 || cevm_memdb_find_code(db, hash) != NULL) {
        return CEVM_OK;
    }
    memdb_code *codes =
        cevm_array_reserve(db->allocator, db->codes, &db->code_capacity, db->code_count, 1, sizeof *codes);
    if (codes == NULL) {
        return CEVM_ERR_NOMEM;
    }
    db->codes = codes;
    if (cevm_map_reserve(&db->code_map, 1) != CEVM_OK) {
        return CEVM_ERR_NOMEM;
    }
    uint8_t *data = cevm_alloc(db->allocator, code.size);
    if (data == NULL) {
        return CEVM_ERR_NOMEM;
    }
    memcpy(data, code.data, code.size);
    codes[db->code_count] = (memdb_code){.hash = *hash, .data = data, .size = code.size};
    cevm_map_insert(&db->code_map, cevm_map_hash_hash(&db->seed, hash), (uint32_t)db->code_count++);
    return CEVM_OK;
}

/** Makes room for one account's change; *fresh receives the storage the account will have instead of its own, if any. */
static cevm_err prepare_change(cevm_memdb *db, memdb_storage **fresh, const cevm_account_change *change)
{
    if (change->deleted) {
        return CEVM_OK;
    }
    if (change->code_changed && keep_code(db, &change->code_hash, change->code) != CEVM_OK) {
        return CEVM_ERR_NOMEM;
    }
    if (change->slot_count == 0) {
        return CEVM_OK;
    }
    uint32_t index = cevm_memdb_find_account(db, &change->address);
    memdb_storage *storage = index != CEVM_MAP_NONE ? db->accounts[index].storage : NULL;
    if (storage != NULL && !change->storage_cleared) {
        return cevm_memdb_reserve_slots(db, storage, change->slot_count);
    }
    *fresh = cevm_memdb_make_storage(db, change->slot_count);
    return *fresh != NULL ? CEVM_OK : CEVM_ERR_NOMEM;
}

static cevm_err reserve_accounts(cevm_memdb *db, size_t extra)
{
    if (extra > UINT32_MAX) {
        return CEVM_ERR_NOMEM;
    }
    memdb_account *accounts = cevm_array_reserve(db->allocator, db->accounts, &db->account_capacity, db->account_count,
                                                 extra, sizeof *accounts);
    if (accounts == NULL) {
        return CEVM_ERR_NOMEM;
    }
    db->accounts = accounts;
    return cevm_map_reserve(&db->account_map, (uint32_t)extra);
}

/* ---- Commit, second pass: write ---------------------------------------------------------------------------------- */

static memdb_account *open_account(cevm_memdb *db, const cevm_address *address)
{
    uint32_t index = cevm_memdb_find_account(db, address);
    if (index == CEVM_MAP_NONE) {
        index = db->free_head;
        if (index != CEVM_MAP_NONE) {
            db->free_head = db->accounts[index].link;
        } else {
            index = (uint32_t)db->account_count++;
        }
        memset(&db->accounts[index], 0, sizeof db->accounts[index]);
        db->accounts[index].address = *address;
        cevm_map_insert(&db->account_map, cevm_map_hash_address(&db->seed, address), index);
    }
    memdb_account *account = &db->accounts[index];
    if (!account->dirty) {
        account->dirty = true;
        account->link = db->dirty_head;
        db->dirty_head = index;
    }
    return account;
}

void cevm_memdb_write_slot(const cevm_memdb *db, memdb_storage *storage, const cevm_slot_change *change)
{
    uint32_t index = find_slot(db, storage, &change->key);
    if (index == CEVM_MAP_NONE) {
        if (cevm_u256_is_zero(&change->value)) {
            return;
        }
        index = storage->free_head;
        if (index != CEVM_MAP_NONE) {
            storage->free_head = storage->slots[index].link;
        } else {
            index = (uint32_t)storage->count++;
        }
        memset(&storage->slots[index], 0, sizeof storage->slots[index]);
        storage->slots[index].key = change->key;
        cevm_map_insert(&storage->map, cevm_map_hash_slot(&db->seed, 0, &change->key), index);
    }
    memdb_slot *slot = &storage->slots[index];
    storage->nonzero -= (size_t)!cevm_u256_is_zero(&slot->value);
    storage->nonzero += (size_t)!cevm_u256_is_zero(&change->value);
    slot->value = change->value;
    if (!slot->dirty) {
        slot->dirty = true;
        slot->link = storage->dirty_head;
        storage->dirty_head = index;
    }
}

static void apply_change(cevm_memdb *db, memdb_storage *fresh, const cevm_account_change *change)
{
    memdb_account *account = open_account(db, &change->address);
    if (db->block_open) {
        cevm_memdb_history_note(db, account, change);
    }
    account->exists = !change->deleted;
    if (change->deleted || change->storage_cleared) {
        cevm_memdb_free_storage(db, account->storage);
        account->storage = NULL;
    }
    if (change->deleted) {
        return;
    }
    account->balance = change->balance;
    account->nonce = change->nonce;
    account->code_hash = change->code_hash;
    if (fresh != NULL) {
        account->storage = fresh;
    }
    for (size_t i = 0; i < change->slot_count; ++i) {
        cevm_memdb_write_slot(db, account->storage, &change->slots[i]);
    }
}

cevm_err cevm_memdb_commit(void *ctx, const cevm_diff *diff)
{
    cevm_memdb *db = ctx;
    const size_t count = diff->account_count;
    if (count == 0) {
        return CEVM_OK;
    }
    memdb_storage **fresh = cevm_resize_array(db->allocator, NULL, count, sizeof(memdb_storage *));
    if (fresh == NULL) {
        return CEVM_ERR_NOMEM;
    }
    for (size_t i = 0; i < count; ++i) {
        fresh[i] = NULL;
    }
    cevm_err err = reserve_accounts(db, count);
    if (err == CEVM_OK) {
        err = cevm_memdb_history_reserve(db, diff);
    }
    for (size_t i = 0; err == CEVM_OK && i < count; ++i) {
        err = prepare_change(db, &fresh[i], &diff->accounts[i]);
    }
    for (size_t i = 0; i < count; ++i) {
        if (err == CEVM_OK) {
            apply_change(db, fresh[i], &diff->accounts[i]);
        } else {
            cevm_memdb_free_storage(db, fresh[i]);
        }
    }
    cevm_free(db->allocator, (void *)fresh);
    return err;
}

/* ---- Public ------------------------------------------------------------------------------------------------------ */

static cevm_err read_root(void *ctx, cevm_hash *out) { return cevm_memdb_root(ctx, out); }

cevm_db cevm_memdb_interface(cevm_memdb *db)
{
    static const cevm_db_vtable vtable = {
        .struct_size = sizeof vtable,
        .account = read_account,
        .storage = read_storage,
        .code = read_code,
        .block_hash = read_block_hash,
        .prefetch = NULL,
        .commit = cevm_memdb_commit,
        .root = read_root,
        .begin_block = cevm_memdb_begin_block,
        .end_block = cevm_memdb_end_block,
        .undo_block = cevm_memdb_undo_block,
        .open_past = cevm_memdb_open_past,
        .close_past = cevm_memdb_close_past,
    };
    return (cevm_db){.vtable = &vtable, .ctx = db};
}

cevm_err cevm_memdb_set_account(cevm_memdb *db, const cevm_address *address, const cevm_u256 *balance, uint64_t nonce,
                                cevm_bytes code)
{
    cevm_account_change change = {.address = *address,
                                  .storage_cleared = true,
                                  .balance = *balance,
                                  .nonce = nonce,
                                  .code_changed = true,
                                  .code = code};
    cevm_keccak256(&change.code_hash, code.data, code.size);
    const cevm_diff diff = {.accounts = &change, .account_count = 1};
    return cevm_memdb_commit(db, &diff);
}

cevm_err cevm_memdb_set_storage(cevm_memdb *db, const cevm_address *address, const cevm_u256 *key,
                                const cevm_u256 *value)
{
    uint32_t index = cevm_memdb_find_account(db, address);
    if (index == CEVM_MAP_NONE || !db->accounts[index].exists) {
        return CEVM_ERR_ARGUMENT;
    }
    const memdb_account *account = &db->accounts[index];
    const cevm_slot_change slot = {.key = *key, .value = *value};
    const cevm_account_change change = {.address = *address,
                                        .balance = account->balance,
                                        .nonce = account->nonce,
                                        .code_hash = account->code_hash,
                                        .slots = &slot,
                                        .slot_count = 1};
    const cevm_diff diff = {.accounts = &change, .account_count = 1};
    return cevm_memdb_commit(db, &diff);
}

cevm_err cevm_memdb_set_block_hash(cevm_memdb *db, uint64_t number, const cevm_hash *hash)
{
    uint32_t tag;
    uint32_t index = find_block(db, number, &tag);
    if (index != CEVM_MAP_NONE) {
        db->blocks[index].hash = *hash;
        return CEVM_OK;
    }
    memdb_block *blocks =
        cevm_array_reserve(db->allocator, db->blocks, &db->block_capacity, db->block_count, 1, sizeof *blocks);
    if (blocks == NULL) {
        return CEVM_ERR_NOMEM;
    }
    db->blocks = blocks;
    if (cevm_map_reserve(&db->block_map, 1) != CEVM_OK) {
        return CEVM_ERR_NOMEM;
    }
    blocks[db->block_count] = (memdb_block){.number = number, .hash = *hash};
    cevm_map_insert(&db->block_map, tag, (uint32_t)db->block_count++);
    return CEVM_OK;
}
