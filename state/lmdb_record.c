/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/lmdb_record.c: the records of the backend on disk as bytes. There is one way to write each, and what is not
 * written that way is refused: a record comes from a file that anything may have happened to.
 */
#include "state/lmdb_internal.h"

#include <cevm/crypto.h>

#include "state/trie.h"

enum { HAS_CODE = 1, HAS_STORAGE = 2, ADDRESS = 20, NUMBER = 8 };

void cevm_lmdb_hash_slot(cevm_hash *out, const cevm_u256 *key)
{
    uint8_t word[32];
    cevm_u256_to_be(word, key);
    cevm_keccak256(out, word, sizeof word);
}

/** Appends a number without leading zeros; the number of bytes. */
static size_t put_short(uint8_t *out, const cevm_u256 *value)
{
    uint8_t word[32];
    size_t skip = 0;
    cevm_u256_to_be(word, value);
    while (skip < sizeof word && word[skip] == 0) {
        ++skip;
    }
    memcpy(out, word + skip, sizeof word - skip);
    return sizeof word - skip;
}

/** Reads `size` bytes as a number that has no leading zeros. */
static bool get_short(cevm_u256 *out, const uint8_t *data, size_t size)
{
    uint8_t word[32] = {0};
    if (size > sizeof word || (size != 0 && data[0] == 0)) {
        return false;
    }
    memcpy(word + sizeof word - size, data, size);
    *out = cevm_u256_from_be(word);
    return true;
}

/* flags, address, nonce, size of the balance, balance, [code hash], [storage root] */
size_t cevm_lmdb_encode_account(uint8_t out[LMDB_MAX_RECORD], const lmdb_account *account)
{
    const bool has_code = !cevm_hash_equal(&account->code_hash, &cevm_empty_code_hash);
    size_t size = 0;
    out[size++] = (uint8_t)((has_code ? HAS_CODE : 0) | (account->has_storage ? HAS_STORAGE : 0));
    memcpy(out + size, account->address.bytes, ADDRESS);
    size += ADDRESS;
    cevm_store_be64(out + size, account->nonce);
    size += NUMBER;
    const size_t balance = put_short(out + size + 1, &account->balance);
    out[size] = (uint8_t)balance;
    size += 1 + balance;
    if (has_code) {
        memcpy(out + size, account->code_hash.bytes, LMDB_HASH);
        size += LMDB_HASH;
    }
    if (account->has_storage) {
        memcpy(out + size, account->storage_root.bytes, LMDB_HASH);
        size += LMDB_HASH;
    }
    return size;
}

bool cevm_lmdb_decode_account(lmdb_account *out, cevm_bytes record)
{
    const size_t fixed = 1 + ADDRESS + NUMBER + 1;
    if (record.size < fixed || (record.data[0] & ~(HAS_CODE | HAS_STORAGE)) != 0) {
        return false;
    }
    const bool has_code = (record.data[0] & HAS_CODE) != 0;
    const size_t balance = record.data[fixed - 1];
    out->has_storage = (record.data[0] & HAS_STORAGE) != 0;
    size_t at = fixed + balance;
    if (record.size != at + (has_code ? LMDB_HASH : 0) + (out->has_storage ? LMDB_HASH : 0) ||
        !get_short(&out->balance, record.data + fixed, balance)) {
        return false;
    }
    memcpy(out->address.bytes, record.data + 1, ADDRESS);
    out->nonce = cevm_load_be64(record.data + 1 + ADDRESS);
    out->code_hash = cevm_empty_code_hash;
    out->storage_root = cevm_trie_empty_root;
    if (has_code) {
        memcpy(out->code_hash.bytes, record.data + at, LMDB_HASH);
        at += LMDB_HASH;
    }
    if (out->has_storage) {
        memcpy(out->storage_root.bytes, record.data + at, LMDB_HASH);
    }
    return !has_code || !cevm_hash_equal(&out->code_hash, &cevm_empty_code_hash);
}

/* size of the key, key, value */
size_t cevm_lmdb_encode_slot(uint8_t out[LMDB_MAX_SLOT], const lmdb_slot *slot)
{
    const size_t key = put_short(out + 1, &slot->key);
    out[0] = (uint8_t)key;
    return 1 + key + put_short(out + 1 + key, &slot->value);
}

bool cevm_lmdb_decode_slot(lmdb_slot *out, cevm_bytes record)
{
    if (record.size < 2 || record.data[0] > record.size - 2) {
        return false;
    }
    const size_t key = record.data[0];
    return get_short(&out->key, record.data + 1, key) &&
           get_short(&out->value, record.data + 1 + key, record.size - 1 - key);
}

/* a bit for each child, then size and bytes of each reference */
size_t cevm_lmdb_encode_branch(uint8_t out[LMDB_MAX_BRANCH], const lmdb_ref refs[16])
{
    unsigned mask = 0;
    size_t size = 2;
    for (unsigned i = 0; i < 16; ++i) {
        if (refs[i].size != 0) {
            mask |= 1u << i;
            out[size++] = refs[i].size;
            memcpy(out + size, refs[i].bytes, refs[i].size);
            size += refs[i].size;
        }
    }
    out[0] = (uint8_t)(mask >> 8);
    out[1] = (uint8_t)mask;
    return size;
}

bool cevm_lmdb_decode_branch(lmdb_ref refs[16], cevm_bytes record)
{
    if (record.size < 2) {
        return false;
    }
    const unsigned mask = (unsigned)record.data[0] << 8 | record.data[1];
    size_t at = 2;
    for (unsigned i = 0; i < 16; ++i) {
        refs[i].size = 0;
        if ((mask >> i & 1u) == 0) {
            continue;
        }
        if (at == record.size || record.data[at] == 0 || record.data[at] > LMDB_HASH ||
            record.size - at - 1 < record.data[at]) {
            return false;
        }
        refs[i].size = record.data[at++];
        memcpy(refs[i].bytes, record.data + at, refs[i].size);
        at += refs[i].size;
    }
    return at == record.size && (mask & (mask - 1)) != 0; /* at least two */
}

cevm_err cevm_lmdb_find_account(cevm_lmdb *db, bool *found, lmdb_account *out, const cevm_hash *hash)
{
    cevm_bytes record;
    const cevm_err err = cevm_lmdb_get(db, found, &record, LMDB_ACCOUNTS, hash->bytes, LMDB_HASH);
    if (err == CEVM_OK && *found && !cevm_lmdb_decode_account(out, record)) {
        return cevm_lmdb_corrupt(db, "the record of an account is damaged (%zu bytes)", record.size);
    }
    return err;
}
