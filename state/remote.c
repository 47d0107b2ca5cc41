/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/remote.c: the remote backend (cevm/remote.h): its life, what is known, the interface, and guessing.
 */
#include "state/remote_internal.h"

#include <cevm/alloc.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum { DEFAULT_BATCH = 1000, DEFAULT_TIMEOUT_MS = 30000, DEFAULT_PATIENCE_MS = 120000, DEFAULT_FIRST_WAIT_MS = 250 };
enum { DEFAULT_MAX_RESPONSE = 1 << 26 };

/* ---- Errors ----------------------------------------------------------------------------------------------------------- */

cevm_err cevm_remote_fail(cevm_remote *remote, cevm_err err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)pthread_mutex_lock(&remote->text_lock);
    (void)vsnprintf(remote->text, sizeof remote->text, format, args);
    (void)pthread_mutex_unlock(&remote->text_lock);
    va_end(args);
    return err;
}

void cevm_remote_last_error(cevm_remote *remote, cevm_remote_error *out)
{
    (void)pthread_mutex_lock(&remote->text_lock);
    memcpy(out->text, remote->text, sizeof out->text);
    (void)pthread_mutex_unlock(&remote->text_lock);
}

/* ---- What is known ---------------------------------------------------------------------------------------------------- */

/** Makes room for one more entry in an array and its map; NULL when memory runs out. */
static void *make_room(cevm_remote *remote, cevm_map *map, void *array, size_t *capacity, size_t count, size_t size)
{
    if (count >= CEVM_MAP_NONE / 2 || cevm_map_reserve(map, 1) != CEVM_OK) {
        return NULL;
    }
    return cevm_array_reserve(remote->allocator, array, capacity, count, 1, size);
}

static uint32_t find_account(const cevm_remote *remote, uint32_t *tag, const cevm_address *address)
{
    *tag = cevm_map_hash_address(&remote->seed, address);
    uint32_t position = cevm_map_start(&remote->account_map, *tag);
    uint32_t index;
    do {
        index = cevm_map_next(&remote->account_map, &position, *tag);
    } while (index != CEVM_MAP_NONE && !cevm_address_equal(&remote->accounts[index].address, address));
    return index;
}

remote_account *cevm_remote_account_entry(cevm_remote *remote, const cevm_address *address)
{
    uint32_t tag;
    uint32_t index = find_account(remote, &tag, address);
    if (index == CEVM_MAP_NONE) {
        remote_account *accounts = make_room(remote, &remote->account_map, remote->accounts, &remote->account_capacity,
                                             remote->account_count, sizeof *accounts);
        if (accounts == NULL) {
            return NULL;
        }
        remote->accounts = accounts;
        index = (uint32_t)remote->account_count++;
        accounts[index] = (remote_account){.address = *address};
        cevm_map_insert(&remote->account_map, tag, index);
    }
    return &remote->accounts[index];
}

remote_slot *cevm_remote_slot_entry(cevm_remote *remote, const cevm_address *address, const cevm_u256 *key)
{
    const uint32_t owner = cevm_map_hash_address(&remote->seed, address);
    const uint32_t tag = cevm_map_hash_slot(&remote->seed, owner, key);
    uint32_t position = cevm_map_start(&remote->slot_map, tag);
    uint32_t index;
    do {
        index = cevm_map_next(&remote->slot_map, &position, tag);
    } while (index != CEVM_MAP_NONE && (!cevm_u256_equal(&remote->slots[index].key, key) ||
                                        !cevm_address_equal(&remote->slots[index].address, address)));
    if (index == CEVM_MAP_NONE) {
        remote_slot *slots = make_room(remote, &remote->slot_map, remote->slots, &remote->slot_capacity,
                                       remote->slot_count, sizeof *slots);
        if (slots == NULL) {
            return NULL;
        }
        remote->slots = slots;
        index = (uint32_t)remote->slot_count++;
        slots[index] = (remote_slot){.address = *address, .key = *key};
        cevm_map_insert(&remote->slot_map, tag, index);
    }
    return &remote->slots[index];
}

remote_hash *cevm_remote_hash_entry(cevm_remote *remote, uint64_t number)
{
    const cevm_u256 key = cevm_u256_from_u64(number);
    const uint32_t tag = cevm_map_hash_slot(&remote->seed, 0, &key);
    uint32_t position = cevm_map_start(&remote->hash_map, tag);
    uint32_t index;
    do {
        index = cevm_map_next(&remote->hash_map, &position, tag);
    } while (index != CEVM_MAP_NONE && remote->hashes[index].number != number);
    if (index == CEVM_MAP_NONE) {
        remote_hash *hashes = make_room(remote, &remote->hash_map, remote->hashes, &remote->hash_capacity,
                                        remote->hash_count, sizeof *hashes);
        if (hashes == NULL) {
            return NULL;
        }
        remote->hashes = hashes;
        index = (uint32_t)remote->hash_count++;
        hashes[index] = (remote_hash){.number = number};
        cevm_map_insert(&remote->hash_map, tag, index);
    }
    return &remote->hashes[index];
}

remote_code *cevm_remote_find_code(cevm_remote *remote, const cevm_hash *hash)
{
    const uint32_t tag = cevm_map_hash_hash(&remote->seed, hash);
    uint32_t position = cevm_map_start(&remote->code_map, tag);
    uint32_t index;
    do {
        index = cevm_map_next(&remote->code_map, &position, tag);
    } while (index != CEVM_MAP_NONE && !cevm_hash_equal(&remote->codes[index].hash, hash));
    return index != CEVM_MAP_NONE ? &remote->codes[index] : NULL;
}

cevm_err cevm_remote_keep_code(cevm_remote *remote, const cevm_hash *hash, uint8_t *data, size_t size, bool is_saved)
{
    remote_code *codes = NULL;
    if (size != 0 && cevm_remote_find_code(remote, hash) == NULL) {
        codes = make_room(remote, &remote->code_map, remote->codes, &remote->code_capacity, remote->code_count,
                          sizeof *codes);
        if (codes != NULL) {
            remote->codes = codes;
            const uint32_t index = (uint32_t)remote->code_count++;
            codes[index] = (remote_code){.hash = *hash, .data = data, .size = size, .is_saved = is_saved};
            cevm_map_insert(&remote->code_map, cevm_map_hash_hash(&remote->seed, hash), index);
            return CEVM_OK;
        }
        cevm_free(remote->allocator, data);
        return CEVM_ERR_NOMEM;
    }
    cevm_free(remote->allocator, data);
    return CEVM_OK;
}

/* ---- Wanting ------------------------------------------------------------------------------------------------------------ */

static void free_list(const cevm_remote *remote, remote_list *list)
{
    for (size_t i = 0; i < list->count; ++i) {
        cevm_free(remote->allocator, list->items[i].code);
    }
    cevm_free(remote->allocator, list->items);
    *list = (remote_list){.items = NULL};
}

/** The mark of a want's entry, which is made if need be; NULL: no memory. Under `lock`. */
static remote_mark *mark_of(cevm_remote *remote, const remote_want *want)
{
    remote_account *account = NULL;
    remote_slot *slot = NULL;
    remote_hash *hash = NULL;
    switch (want->kind) {
    case REMOTE_ACCOUNT: account = cevm_remote_account_entry(remote, &want->address); break;
    case REMOTE_SLOT: slot = cevm_remote_slot_entry(remote, &want->address, &want->key); break;
    case REMOTE_HASH: hash = cevm_remote_hash_entry(remote, want->key.w[0]); break;
    case REMOTE_CHAIN_ID:
    case REMOTE_BLOCK:
    case REMOTE_OTHER: break;
    }
    return account != NULL ? &account->mark : slot != NULL ? &slot->mark : hash != NULL ? &hash->mark : NULL;
}

static remote_want new_want(remote_kind kind, const cevm_address *address, const cevm_u256 *key)
{
    remote_want want = {.kind = kind, .left = (uint8_t)((1U << cevm_remote_call_count(kind)) - 1)};
    if (address != NULL) {
        want.address = *address;
    }
    if (key != NULL) {
        want.key = *key;
    }
    return want;
}

/** Puts a want on a list unless its key is known or on one. Under `lock`. */
static cevm_err add_want(cevm_remote *remote, remote_list *list, const remote_want *want)
{
    remote_mark *mark = mark_of(remote, want);
    if (mark == NULL) {
        return CEVM_ERR_NOMEM;
    }
    if (*mark != REMOTE_UNKNOWN) {
        return CEVM_OK;
    }
    remote_want *items =
        cevm_array_reserve(remote->allocator, list->items, &list->capacity, list->count, 1, sizeof *items);
    if (items == NULL) {
        return CEVM_ERR_NOMEM;
    }
    list->items = items;
    items[list->count++] = *want;
    *mark = REMOTE_WANTED;
    return CEVM_OK;
}

/** Makes an answered want known. Under `lock`. */
static cevm_err keep_answer(cevm_remote *remote, remote_want *want)
{
    cevm_err err = CEVM_OK;
    if (want->kind == REMOTE_ACCOUNT) {
        err = cevm_remote_keep_code(remote, &want->hash, want->code, want->code_size, false);
        want->code = NULL;
        remote_account *account = err == CEVM_OK ? cevm_remote_account_entry(remote, &want->address) : NULL;
        if (account != NULL) {
            *account = (remote_account){.address = want->address,
                                        .mark = REMOTE_KNOWN,
                                        .nonce = want->nonce,
                                        .balance = want->value,
                                        .code_hash = want->hash};
        }
        return account != NULL ? CEVM_OK : CEVM_ERR_NOMEM;
    }
    if (want->kind == REMOTE_SLOT) {
        remote_slot *slot = cevm_remote_slot_entry(remote, &want->address, &want->key);
        if (slot != NULL) {
            slot->value = want->value;
            slot->mark = REMOTE_KNOWN;
        }
        return slot != NULL ? CEVM_OK : CEVM_ERR_NOMEM;
    }
    remote_hash *hash = cevm_remote_hash_entry(remote, want->key.w[0]);
    if (hash != NULL) {
        hash->hash = want->hash;
        hash->mark = REMOTE_KNOWN;
    }
    return hash != NULL ? CEVM_OK : CEVM_ERR_NOMEM;
}

/** Keeps what was answered, in memory and in the file; what was not is unknown again. Under `lock`. */
static cevm_err settle(cevm_remote *remote, remote_want *wants, size_t count)
{
    cevm_err err = CEVM_OK;
    bool any = false;
    for (size_t i = 0; i < count; ++i) {
        if (wants[i].left == 0 && !wants[i].is_known && err == CEVM_OK) {
            err = keep_answer(remote, &wants[i]);
            any = true;
        }
        remote_mark *mark = wants[i].left != 0 || err != CEVM_OK ? mark_of(remote, &wants[i]) : NULL;
        if (mark != NULL && *mark == REMOTE_WANTED) {
            *mark = REMOTE_UNKNOWN;
        }
    }
    return err == CEVM_OK && any ? cevm_remote_cache_put(remote, wants, count) : err;
}

/** Asks for wants and keeps the answers. Without locks. */
static cevm_err fetch(cevm_remote *remote, remote_want *wants, size_t count)
{
    (void)pthread_mutex_lock(&remote->wire);
    (void)pthread_mutex_lock(&remote->lock);
    for (size_t i = 0; i < count; ++i) {
        const remote_mark *mark = mark_of(remote, &wants[i]);
        wants[i].is_known = mark != NULL && *mark == REMOTE_KNOWN;
        wants[i].left = wants[i].is_known ? 0 : wants[i].left;
    }
    (void)pthread_mutex_unlock(&remote->lock);
    cevm_err err = cevm_remote_ask(remote, wants, count);
    (void)pthread_mutex_lock(&remote->lock);
    const cevm_err kept = settle(remote, wants, count);
    (void)pthread_mutex_unlock(&remote->lock);
    (void)pthread_mutex_unlock(&remote->wire);
    err = err != CEVM_OK ? err : kept;
    return err == CEVM_ERR_IO ? CEVM_ERR_BACKEND : err;
}

/** Whether the calling thread wants guesses. Under `lock`. */
static bool guesses_here(const cevm_remote *remote)
{
    return remote->is_guessing && pthread_equal(remote->guesser, pthread_self()) != 0;
}

/**
 * What a read does about an unknown key: notes it and guesses, or asks. *guessed tells which; otherwise the key is known
 * now. Without locks.
 */
static cevm_err learn(cevm_remote *remote, bool *guessed, remote_kind kind, const cevm_address *address,
                      const cevm_u256 *key)
{
    remote_want want = new_want(kind, address, key);
    (void)pthread_mutex_lock(&remote->lock);
    cevm_err err = CEVM_OK;
    *guessed = guesses_here(remote);
    if (*guessed) {
        err = add_want(remote, &remote->guessed, &want);
        remote->guesses++;
    }
    (void)pthread_mutex_unlock(&remote->lock);
    if (!*guessed) {
        err = fetch(remote, &want, 1);
        cevm_free(remote->allocator, want.code);
    }
    return err;
}

/* ---- The interface ------------------------------------------------------------------------------------------------------ */

static bool known_account(cevm_remote *remote, remote_account *out, const cevm_address *address)
{
    uint32_t tag;
    (void)pthread_mutex_lock(&remote->lock);
    const uint32_t index = find_account(remote, &tag, address);
    const bool known = index != CEVM_MAP_NONE && remote->accounts[index].mark == REMOTE_KNOWN;
    if (known) {
        *out = remote->accounts[index];
    }
    (void)pthread_mutex_unlock(&remote->lock);
    return known;
}

static cevm_err read_account(void *ctx, cevm_db_account *out, bool *exists, const cevm_address *address)
{
    cevm_remote *remote = ctx;
    remote_account account = {.code_hash = cevm_empty_code_hash};
    if (!known_account(remote, &account, address)) {
        bool guessed = false;
        const cevm_err err = learn(remote, &guessed, REMOTE_ACCOUNT, address, NULL);
        if (err != CEVM_OK) {
            return err;
        }
        if (!guessed && !known_account(remote, &account, address)) {
            return CEVM_ERR_BACKEND;
        }
    }
    const bool has_code = !cevm_hash_equal(&account.code_hash, &cevm_empty_code_hash);
    *exists = has_code || account.nonce != 0 || !cevm_u256_is_zero(&account.balance);
    *out = (cevm_db_account){
        .balance = account.balance, .nonce = account.nonce, .code_hash = account.code_hash, .has_storage = has_code};
    return CEVM_OK;
}

static bool known_slot(cevm_remote *remote, cevm_err *err, cevm_u256 *out, const cevm_address *address,
                       const cevm_u256 *key)
{
    (void)pthread_mutex_lock(&remote->lock);
    const remote_slot *slot = cevm_remote_slot_entry(remote, address, key);
    const bool known = slot != NULL && slot->mark == REMOTE_KNOWN;
    if (known) {
        *out = slot->value;
    }
    *err = slot != NULL ? CEVM_OK : CEVM_ERR_NOMEM;
    (void)pthread_mutex_unlock(&remote->lock);
    return known;
}

static cevm_err read_storage(void *ctx, cevm_u256 *out, const cevm_address *address, const cevm_u256 *key)
{
    cevm_remote *remote = ctx;
    cevm_err err;
    *out = cevm_u256_from_u64(0);
    if (known_slot(remote, &err, out, address, key) || err != CEVM_OK) {
        return err;
    }
    bool guessed = false;
    err = learn(remote, &guessed, REMOTE_SLOT, address, key);
    if (err == CEVM_OK && !guessed && !known_slot(remote, &err, out, address, key)) {
        return err != CEVM_OK ? err : CEVM_ERR_BACKEND;
    }
    return err;
}

static cevm_err read_code(void *ctx, cevm_bytes *out, const cevm_hash *code_hash)
{
    cevm_remote *remote = ctx;
    (void)pthread_mutex_lock(&remote->lock);
    const remote_code *code = cevm_remote_find_code(remote, code_hash);
    if (code != NULL) {
        *out = (cevm_bytes){code->data, code->size};
    }
    (void)pthread_mutex_unlock(&remote->lock);
    return code != NULL ? CEVM_OK
                        : cevm_remote_fail(remote, CEVM_ERR_BACKEND, "code that no account has was asked for");
}

static bool known_hash(cevm_remote *remote, cevm_err *err, cevm_hash *out, uint64_t number)
{
    (void)pthread_mutex_lock(&remote->lock);
    const remote_hash *entry = cevm_remote_hash_entry(remote, number);
    const bool known = entry != NULL && entry->mark == REMOTE_KNOWN;
    if (known) {
        *out = entry->hash;
    }
    *err = entry != NULL ? CEVM_OK : CEVM_ERR_NOMEM;
    (void)pthread_mutex_unlock(&remote->lock);
    return known;
}

static cevm_err read_block_hash(void *ctx, cevm_hash *out, uint64_t number)
{
    cevm_remote *remote = ctx;
    cevm_err err = CEVM_OK;
    const cevm_u256 key = cevm_u256_from_u64(number);
    memset(out, 0, sizeof *out);
    if (number > remote->block.header.number || known_hash(remote, &err, out, number) || err != CEVM_OK) {
        return err;
    }
    bool guessed = false;
    err = learn(remote, &guessed, REMOTE_HASH, NULL, &key);
    if (err == CEVM_OK && !guessed && !known_hash(remote, &err, out, number)) {
        return err != CEVM_OK ? err : CEVM_ERR_BACKEND;
    }
    return err;
}

static cevm_err prefetch(void *ctx, const cevm_db_key *keys, size_t count)
{
    cevm_remote *remote = ctx;
    remote_list own = {.items = NULL};
    cevm_err err = CEVM_OK;
    (void)pthread_mutex_lock(&remote->lock);
    remote_list *list = guesses_here(remote) ? &remote->guessed : &own;
    for (size_t i = 0; err == CEVM_OK && i < count; ++i) {
        const remote_want want =
            new_want(keys[i].is_slot ? REMOTE_SLOT : REMOTE_ACCOUNT, &keys[i].address, &keys[i].slot);
        err = add_want(remote, list, &want);
    }
    if (err != CEVM_OK) {
        (void)settle(remote, own.items, own.count);
    }
    (void)pthread_mutex_unlock(&remote->lock);
    if (err == CEVM_OK && own.count != 0) {
        err = fetch(remote, own.items, own.count);
    }
    free_list(remote, &own);
    return err;
}

static cevm_err refuse_commit(void *ctx, const cevm_diff *diff)
{
    (void)ctx;
    return diff->account_count == 0 ? CEVM_OK : CEVM_ERR_ARGUMENT;
}

cevm_db cevm_remote_interface(cevm_remote *remote)
{
    static const cevm_db_vtable vtable = {
        .struct_size = sizeof vtable,
        .account = read_account,
        .storage = read_storage,
        .code = read_code,
        .block_hash = read_block_hash,
        .prefetch = prefetch,
        .commit = refuse_commit,
    };
    return (cevm_db){.vtable = &vtable, .ctx = remote};
}

cevm_err cevm_remote_assume_zero(cevm_remote *remote, const cevm_address *address, const cevm_u256 *key)
{
    (void)pthread_mutex_lock(&remote->lock);
    remote_slot *slot = cevm_remote_slot_entry(remote, address, key);
    if (slot != NULL && slot->mark == REMOTE_UNKNOWN) {
        slot->mark = REMOTE_KNOWN; /* its value is zero from the beginning */
    }
    (void)pthread_mutex_unlock(&remote->lock);
    return slot != NULL ? CEVM_OK : CEVM_ERR_NOMEM;
}

/* ---- Guessing ----------------------------------------------------------------------------------------------------------- */

cevm_err cevm_remote_begin_guessing(cevm_remote *remote)
{
    if (pthread_mutex_lock(&remote->guessing_lock) != 0) { /* by the same thread twice */
        return CEVM_ERR_ARGUMENT;
    }
    (void)pthread_mutex_lock(&remote->lock);
    remote->is_guessing = true;
    remote->guesser = pthread_self();
    remote->guesses = 0;
    (void)pthread_mutex_unlock(&remote->lock);
    return CEVM_OK;
}

size_t cevm_remote_guess_count(cevm_remote *remote)
{
    (void)pthread_mutex_lock(&remote->lock);
    const size_t count = remote->guesses;
    (void)pthread_mutex_unlock(&remote->lock);
    return count;
}

void cevm_remote_end_guessing(cevm_remote *remote, size_t *guesses)
{
    (void)pthread_mutex_lock(&remote->lock);
    *guesses = remote->guesses;
    remote->is_guessing = false;
    (void)pthread_mutex_unlock(&remote->lock);
    (void)pthread_mutex_unlock(&remote->guessing_lock);
}

cevm_err cevm_remote_fetch_guessed(cevm_remote *remote)
{
    (void)pthread_mutex_lock(&remote->lock);
    remote_list list = remote->guessed;
    remote->guessed = (remote_list){.items = NULL};
    (void)pthread_mutex_unlock(&remote->lock);
    const cevm_err err = fetch(remote, list.items, list.count);
    free_list(remote, &list);
    return err;
}

cevm_err cevm_remote_call(cevm_remote *remote, char **result, const char *method, const char *params)
{
    remote_want want = new_want(REMOTE_OTHER, NULL, NULL);
    *result = NULL;
    want.method = method;
    want.params = params;
    (void)pthread_mutex_lock(&remote->wire);
    const cevm_err err = cevm_remote_ask(remote, &want, 1);
    (void)pthread_mutex_unlock(&remote->wire);
    if (err == CEVM_OK) {
        *result = (char *)want.code;
    } else {
        cevm_free(remote->allocator, want.code);
    }
    return err;
}

/* ---- Life --------------------------------------------------------------------------------------------------------------- */

/** The host and port of a URL: all that messages may show of it. */
static void name_host(char *out, size_t size, const char *url)
{
    const char *begin = strstr(url, "://");
    begin = begin != NULL ? begin + 3 : url;
    const char *end = begin + strcspn(begin, "/?#\\");
    for (const char *at = begin; at != end; ++at) {
        begin = *at == '@' ? at + 1 : begin;
    }
    (void)snprintf(out, size, "%.*s", end - begin < 200 ? (int)(end - begin) : 200, begin);
}

static cevm_err connect_node(cevm_remote *remote, const cevm_remote_options *o)
{
    const char *reason = "";
    if (o->transport != NULL) {
        remote->transport = *o->transport;
        return CEVM_OK;
    }
    const cevm_curl_options options = {.allocator = o->allocator,
                                       .url = o->url,
                                       .headers = o->headers,
                                       .header_count = o->header_count,
                                       .timeout_ms = o->timeout_ms != 0 ? o->timeout_ms : DEFAULT_TIMEOUT_MS,
                                       .max_response = o->max_response != 0 ? o->max_response : DEFAULT_MAX_RESPONSE,
                                       .cancel = o->cancel};
    const cevm_err err = cevm_curl_open(&remote->curl, &reason, &options);
    if (err == CEVM_OK) {
        remote->transport = cevm_curl_transport(remote->curl);
        return CEVM_OK;
    }
    return cevm_remote_fail(remote, err, "%s: %s", remote->host, err == CEVM_ERR_NOMEM ? cevm_err_string(err) : reason);
}

/** Asks the node which block it is about. */
static cevm_err ask_block(cevm_remote *remote, const cevm_remote_options *o)
{
    const cevm_u256 number = cevm_u256_from_u64(o->block);
    remote_want wants[] = {new_want(REMOTE_CHAIN_ID, NULL, NULL), new_want(REMOTE_BLOCK, NULL, &number)};
    wants[1].is_newest = !o->has_block;
    const cevm_err err = cevm_remote_ask(remote, wants, 2);
    if (err != CEVM_OK) {
        return err;
    }
    remote->block.chain_id = wants[0].nonce;
    if (o->has_chain_id && o->chain_id != remote->block.chain_id) {
        return cevm_remote_fail(remote, CEVM_ERR_ARGUMENT,
                                "%s: the node is on chain %" PRIu64 ", not on chain %" PRIu64, remote->host,
                                remote->block.chain_id, o->chain_id);
    }
    return CEVM_OK;
}

/** The hashes that the block itself tells. */
static cevm_err keep_own_hashes(cevm_remote *remote)
{
    const cevm_header *header = &remote->block.header;
    for (unsigned back = 0; back < 2 && back <= header->number; ++back) {
        remote_hash *entry = cevm_remote_hash_entry(remote, header->number - back);
        if (entry == NULL) {
            return CEVM_ERR_NOMEM;
        }
        entry->hash = back == 0 ? remote->block.hash : header->parent_hash;
        entry->mark = REMOTE_KNOWN;
    }
    return CEVM_OK;
}

static cevm_err start(cevm_remote *remote, const cevm_remote_options *o)
{
    cevm_err err = CEVM_OK;
    if (o->offline ? o->cache_path == NULL : o->url == NULL && o->transport == NULL) {
        return cevm_remote_fail(remote, CEVM_ERR_ARGUMENT,
                                o->offline ? "offline takes a cache file" : "a remote state takes a URL");
    }
    if (o->url != NULL) {
        name_host(remote->host, sizeof remote->host, o->url);
    } else {
        (void)snprintf(remote->host, sizeof remote->host, "the node");
    }
    if (o->cache_path != NULL) {
        err = cevm_remote_cache_open(remote, o->cache_path);
    }
    if (err == CEVM_OK && !o->offline) {
        err = connect_node(remote, o);
    }
    if (err == CEVM_OK) {
        err = o->offline ? cevm_remote_cache_find_block(remote, o) : ask_block(remote, o);
    }
    (void)snprintf(remote->tag, sizeof remote->tag, "0x%" PRIx64, remote->block.header.number);
    if (err == CEVM_OK) {
        err = keep_own_hashes(remote);
    }
    if (err == CEVM_OK) {
        err = cevm_remote_cache_load(remote);
    }
    return err == CEVM_OK ? cevm_remote_cache_put_block(remote) : err;
}

/** One that tells a thread which has it already. */
static void init_guessing_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attributes;
    (void)pthread_mutexattr_init(&attributes);
    (void)pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    (void)pthread_mutex_init(lock, &attributes);
    (void)pthread_mutexattr_destroy(&attributes);
}

cevm_err cevm_remote_open(cevm_remote **out, cevm_remote_error *error, const cevm_remote_options *o)
{
    *out = NULL;
    (void)snprintf(error->text, sizeof error->text, "%s", cevm_err_string(CEVM_ERR_NOMEM));
    if (o->struct_size != sizeof *o) {
        (void)snprintf(error->text, sizeof error->text, "%s", cevm_err_string(CEVM_ERR_ARGUMENT));
        return CEVM_ERR_ARGUMENT;
    }
    cevm_remote *remote = cevm_zalloc(o->allocator, sizeof *remote);
    if (remote == NULL) {
        return CEVM_ERR_NOMEM;
    }
    remote->allocator = o->allocator;
    remote->is_offline = o->offline;
    remote->batch = o->batch_size != 0 ? o->batch_size : DEFAULT_BATCH;
    remote->patience_ms = o->patience_ms != 0 ? o->patience_ms : DEFAULT_PATIENCE_MS;
    remote->first_wait_ms = o->first_wait_ms != 0 ? o->first_wait_ms : DEFAULT_FIRST_WAIT_MS;
    remote->cancel = o->cancel;
    remote->log = o->log;
    remote->cache.file = -1;
    (void)pthread_mutex_init(&remote->wire, NULL);
    (void)pthread_mutex_init(&remote->lock, NULL);
    (void)pthread_mutex_init(&remote->text_lock, NULL);
    init_guessing_lock(&remote->guessing_lock);
    cevm_map_seed_init(&remote->seed);
    remote->random = (uint64_t)remote->seed.w[0] << 32 | remote->seed.w[1] | 1;
    cevm_map_init(&remote->account_map, o->allocator);
    cevm_map_init(&remote->slot_map, o->allocator);
    cevm_map_init(&remote->hash_map, o->allocator);
    cevm_map_init(&remote->code_map, o->allocator);
    const cevm_err err = start(remote, o);
    if (err != CEVM_OK) {
        if (remote->text[0] != '\0') {
            memcpy(error->text, remote->text, sizeof error->text);
        }
        cevm_remote_close(remote);
        return err;
    }
    *out = remote;
    return CEVM_OK;
}

void cevm_remote_close(cevm_remote *remote)
{
    if (remote == NULL) {
        return;
    }
    for (size_t i = 0; i < remote->code_count; ++i) {
        cevm_free(remote->allocator, remote->codes[i].data);
    }
    free_list(remote, &remote->guessed);
    cevm_remote_cache_close(remote);
    cevm_curl_close(remote->curl);
    cevm_map_free(&remote->account_map);
    cevm_map_free(&remote->slot_map);
    cevm_map_free(&remote->hash_map);
    cevm_map_free(&remote->code_map);
    cevm_free(remote->allocator, remote->accounts);
    cevm_free(remote->allocator, remote->slots);
    cevm_free(remote->allocator, remote->hashes);
    cevm_free(remote->allocator, remote->codes);
    cevm_free(remote->allocator, remote->extra_data);
    (void)pthread_mutex_destroy(&remote->wire);
    (void)pthread_mutex_destroy(&remote->lock);
    (void)pthread_mutex_destroy(&remote->text_lock);
    (void)pthread_mutex_destroy(&remote->guessing_lock);
    cevm_free(remote->allocator, remote);
}

void cevm_remote_get_block(const cevm_remote *remote, cevm_remote_block *out) { *out = remote->block; }

void cevm_remote_get_stat(cevm_remote *remote, cevm_remote_stat *out)
{
    (void)pthread_mutex_lock(&remote->wire);
    (void)pthread_mutex_lock(&remote->lock);
    *out = remote->stat;
    for (size_t i = 0; i < remote->account_count; ++i) {
        out->accounts += remote->accounts[i].mark == REMOTE_KNOWN ? 1 : 0;
    }
    for (size_t i = 0; i < remote->slot_count; ++i) {
        out->slots += remote->slots[i].mark == REMOTE_KNOWN ? 1 : 0;
    }
    out->codes = remote->code_count;
    (void)pthread_mutex_unlock(&remote->lock);
    (void)pthread_mutex_unlock(&remote->wire);
}
