/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a node, the step from world to world, and what moves it: transactions, mining, edits, snapshots. */
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include <cevm/alloc.h>

#include "rpc/filters.h"
#include "rpc/node_internal.h"
#include "rpc/store.h"
#include "state/map.h"

/* ---- Errors -------------------------------------------------------------------------------------------------------- */

bool cevm_node_say(cevm_node_error *error, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    *error = (cevm_node_error){.code = code, .err = CEVM_OK};
    (void)vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    return false;
}

bool cevm_node_say_err(cevm_node_error *error, cevm_err err)
{
    *error = (cevm_node_error){.code = 0, .err = err};
    (void)snprintf(error->text, sizeof error->text, "%s", cevm_err_string(err));
    return false;
}

/* ---- Time ---------------------------------------------------------------------------------------------------------- */

uint64_t cevm_node_real_time(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec;
}

uint64_t cevm_node_now(const cevm_world *world)
{
    return cevm_node_real_time() + (uint64_t)world->settings.time_offset;
}

/* ---- Worlds -------------------------------------------------------------------------------------------------------- */

cevm_world *cevm_node_world(cevm_node *node)
{
    (void)pthread_mutex_lock(&node->publishing);
    cevm_world *world = cevm_world_retain(node->world);
    (void)pthread_mutex_unlock(&node->publishing);
    return world;
}

/**
 * The number from which on the branches of two worlds differ. Where one begins after the other has ended, everything does.
 */
static uint64_t fork_point(const cevm_world *a, const cevm_world *b)
{
    const uint64_t x = a->head->block.header.number;
    const uint64_t y = b->head->block.header.number;
    const uint64_t lowest = a->first > b->first ? a->first : b->first;
    uint64_t number = (x < y ? x : y) + 1;
    while (number > lowest) {
        const cevm_record *left = cevm_world_block(a, number - 1);
        const cevm_record *right = cevm_world_block(b, number - 1);
        if (left == right || left == NULL || right == NULL) { /* what one has forgotten cannot be told apart */
            return number;
        }
        --number;
    }
    return 0;
}

static uint64_t later(uint64_t a, uint64_t b) { return a > b ? a : b; }

/** The blocks from a number on that are known, newest or oldest first; returns how many. */
static size_t list_blocks(cevm_record **out, const cevm_world *world, uint64_t from, bool newest_first)
{
    const uint64_t head = world->head->block.header.number;
    size_t count = 0;
    for (uint64_t i = from; i <= head; ++i) {
        cevm_record *record = cevm_world_block(world, newest_first ? head - (i - from) : i);
        if (record != NULL) { /* it was not forgotten */
            out[count++] = record;
        }
    }
    return count;
}

static void tell(cevm_node *node, const cevm_node_event *event)
{
    for (size_t i = 0; i < node->listener_count; ++i) {
        node->listeners[i].call(node->listeners[i].user, event);
    }
}

static void replace_world(cevm_node *node, cevm_world *draft)
{
    cevm_record_release(node->pending);
    node->pending = NULL;
    node->pending_world = NULL;
    (void)pthread_mutex_lock(&node->publishing);
    node->world = draft;
    if (node->settles != 0) {
        cevm_node_take_promises(&node->promises, node->settles);
    }
    (void)pthread_mutex_unlock(&node->publishing);
}

bool cevm_node_publish(cevm_node *node, cevm_node_error *error, cevm_world *draft, cevm_pooled *const *pooled,
                       size_t pooled_count)
{
    cevm_world *old = node->world;
    cevm_node_event event = {.world = draft, .pooled = pooled, .pooled_count = pooled_count};
    cevm_record **list = NULL;
    if (node->listener_count != 0 && draft->head != old->head) {
        const uint64_t point = fork_point(old, draft);
        const uint64_t from = later(point, old->first);
        const uint64_t added_from = later(point, draft->first);
        const uint64_t room =
            old->head->block.header.number + 1 - from + draft->head->block.header.number + 1 - added_from;
        list = cevm_resize_array(node->allocator, NULL, room, sizeof(cevm_record *));
        if (list == NULL) {
            return cevm_node_say_err(error, CEVM_ERR_NOMEM);
        }
        event.removed_count = list_blocks(list, old, from, true);
        event.added_count = list_blocks(list + event.removed_count, draft, added_from, false);
        event.removed = list;
        event.added = list + event.removed_count;
    }
    const cevm_err err = cevm_node_miner_start(node, draft);
    bool ok = err == CEVM_OK || cevm_node_say_err(error, err);
    ok = ok && (node->store == NULL || cevm_store_save(node->store, error, draft)); /* the last that can fail */
    if (ok) {
        replace_world(node, draft);
        tell(node, &event);
        cevm_world_release(old);
    }
    cevm_free(node->allocator, (void *)list);
    return ok;
}

/** Publishes a draft if all went well until here; otherwise, or when that fails, drops it. */
static bool conclude(cevm_node *node, cevm_node_error *error, bool ok, cevm_world *draft, cevm_pooled *const *pooled,
                     size_t pooled_count)
{
    ok = ok && cevm_node_publish(node, error, draft, pooled, pooled_count);
    if (!ok) {
        cevm_world_release(draft);
    }
    return ok;
}

/** A draft of the present world, under the lock, which the caller gives back; NULL on an error. */
static cevm_world *begin(cevm_node *node, cevm_node_error *error)
{
    if (!cevm_node_lock(node, error)) {
        return NULL;
    }
    cevm_world *draft = cevm_world_clone(node->world);
    if (draft == NULL) {
        (void)cevm_node_say_err(error, CEVM_ERR_NOMEM);
        cevm_node_unlock(node);
    }
    return draft;
}

/* ---- Mining and transactions ---------------------------------------------------------------------------------------- */

/** Automine: blocks for what can run, as many as it takes. */
static bool mine_ready(cevm_node *node, cevm_node_error *error, cevm_world *draft, const cevm_pooled *wanted)
{
    const cevm_mine_plan plan = {.needs_txs = true, .wanted = wanted};
    cevm_mined mined = {.a_block = true, .is_full = true};
    while (mined.a_block && mined.is_full) {
        if (!cevm_node_mine_on(node, error, draft, &plan, &mined)) {
            return false;
        }
    }
    return true;
}

bool cevm_node_submit(cevm_node *node, cevm_node_error *error, cevm_hash *hash, const cevm_tx *tx, bool impersonated)
{
    cevm_pooled *pooled = NULL;
    const cevm_err err = cevm_pooled_create(&pooled, tx, impersonated, node->allocator);
    if (err != CEVM_OK) {
        return cevm_node_say_err(error, err);
    }
    cevm_world *draft = begin(node, error);
    bool ok = draft != NULL;
    if (ok) {
        *hash = pooled->hash;
        ok = cevm_pool_admit(node, error, draft, pooled);
        if (ok && draft->settings.automine) {
            ok = mine_ready(node, error, draft, pooled);
        }
        ok = conclude(node, error, ok, draft, &pooled, 1);
        cevm_node_unlock(node);
    }
    cevm_pooled_release(pooled);
    return ok;
}

cevm_err cevm_node_pending(cevm_node *node, cevm_world *world, cevm_record **out)
{
    static const cevm_mine_plan plan = {.needs_txs = false};
    cevm_node_error error = {.err = CEVM_OK};
    cevm_mined mined;
    *out = NULL;
    (void)pthread_mutex_lock(&node->writing);
    if (node->pending_world == world && node->pending->block.header.timestamp >= cevm_node_now(world)) {
        cevm_ref_retain(&node->pending->ref);
        *out = node->pending;
    } else {
        cevm_world *draft = cevm_world_clone(world);
        if (draft == NULL) {
            error.err = CEVM_ERR_NOMEM;
        } else if (cevm_node_mine_on(node, &error, draft, &plan, &mined)) {
            *out = draft->head;
            cevm_ref_retain(&draft->head->ref);
        } else if (error.err == CEVM_OK) {
            error.err = CEVM_ERR_BACKEND; /* the chain's contracts do not let a block be made */
        }
        cevm_world_release(draft);
    }
    if (*out != NULL && world == node->world && node->pending != *out) {
        cevm_record_release(node->pending);
        cevm_ref_retain(&(*out)->ref);
        node->pending = *out;
        node->pending_world = world;
    }
    (void)pthread_mutex_unlock(&node->writing);
    return error.err;
}

/* ---- Edits --------------------------------------------------------------------------------------------------------- */

static bool edit_draft(cevm_node *node, cevm_node_error *error, cevm_world *draft,
                       bool (*edit)(void *user, cevm_world *world, cevm_treedb *db, cevm_node_error *error), void *user)
{
    cevm_tree *state = NULL;
    cevm_err err = cevm_node_engine_seek(node, draft);
    if (err != CEVM_OK) {
        return cevm_node_say_err(error, err);
    }
    if (!edit(user, draft, node->engine.db, error)) {
        cevm_node_engine_abandon(node);
        return false;
    }
    err = cevm_treedb_snapshot(node->engine.db, &state);
    if (err != CEVM_OK) {
        cevm_node_engine_abandon(node);
        return cevm_node_say_err(error, err);
    }
    if (state != node->engine.at) {
        cevm_node_engine_abandon(node); /* what the state had read is old */
        cevm_world_set_state(draft, state);
    }
    cevm_tree_release(state);
    return true;
}

bool cevm_node_edit(cevm_node *node, cevm_node_error *error,
                    bool (*edit)(void *user, cevm_world *world, cevm_treedb *db, cevm_node_error *error), void *user)
{
    cevm_world *draft = begin(node, error);
    if (draft == NULL) {
        return false;
    }
    const bool ok = conclude(node, error, edit_draft(node, error, draft, edit, user), draft, NULL, 0);
    cevm_node_unlock(node);
    return ok;
}

/* ---- Snapshots ----------------------------------------------------------------------------------------------------- */

bool cevm_node_snapshot(cevm_node *node, cevm_node_error *error, uint64_t *id)
{
    if (!cevm_node_lock(node, error)) {
        return false;
    }
    cevm_kept_world *snapshots = cevm_array_reserve(node->allocator, node->snapshots, &node->snapshot_capacity,
                                                    node->snapshot_count, 1, sizeof *snapshots);
    const bool ok = snapshots != NULL || cevm_node_say_err(error, CEVM_ERR_NOMEM);
    if (ok) {
        node->snapshots = snapshots;
        *id = ++node->last_snapshot;
        snapshots[node->snapshot_count++] =
            (cevm_kept_world){*id, cevm_node_now(node->world), cevm_world_retain(node->world)};
    }
    cevm_node_unlock(node);
    return ok;
}

/**
 * The world of a snapshot, its clock going on from what it said then. How the node mines and whom it signs for is not of the
 * chain and stays as it is.
 */
static cevm_world *draft_of(const cevm_node *node, const cevm_kept_world *snapshot)
{
    cevm_world *draft = cevm_world_clone(snapshot->world);
    if (draft == NULL) {
        return NULL;
    }
    const cevm_node_settings *present = &node->world->settings;
    draft->settings.time_offset = (int64_t)(snapshot->now - cevm_node_real_time());
    draft->settings.automine = present->automine;
    draft->settings.interval_ms = present->interval_ms;
    draft->settings.order = present->order;
    draft->settings.auto_impersonate = present->auto_impersonate;
    cevm_pmap_release(&draft->impersonated);
    draft->impersonated = cevm_pmap_copy(&node->world->impersonated);
    return draft;
}

/** Goes to a world that what is promised does not belong to; the lock to leave is held. */
static bool leave_for(cevm_node *node, cevm_node_error *error, cevm_world *draft)
{
    if (draft == NULL) {
        return cevm_node_say_err(error, CEVM_ERR_NOMEM);
    }
    node->settles = SIZE_MAX;
    const bool ok = conclude(node, error, true, draft, NULL, 0);
    node->settles = 0;
    cevm_node_end_promises(node);
    if (ok) {
        cevm_world_release(node->begun);
        node->begun = NULL;
    }
    return ok;
}

bool cevm_node_revert(cevm_node *node, cevm_node_error *error, bool *found, uint64_t id)
{
    size_t index = 0;
    bool ok = true;
    *found = false;
    if (!cevm_node_lock_to_leave(node, error)) {
        return false;
    }
    for (size_t i = 0; i < node->snapshot_count; ++i) {
        *found = *found || node->snapshots[i].id == id;
        index = node->snapshots[i].id == id ? i : index;
    }
    if (*found) {
        ok = leave_for(node, error, draft_of(node, &node->snapshots[index]));
        while (ok && node->snapshot_count > index) {
            cevm_world_release(node->snapshots[--node->snapshot_count].world);
        }
    }
    cevm_node_unlock(node);
    return ok;
}

static void drop_snapshots(cevm_node *node)
{
    while (node->snapshot_count > 0) {
        cevm_world_release(node->snapshots[--node->snapshot_count].world);
    }
}

bool cevm_node_reset(cevm_node *node, cevm_node_error *error)
{
    if (!cevm_node_lock_to_leave(node, error)) {
        return false;
    }
    const bool ok = leave_for(node, error, cevm_world_clone(node->origin));
    if (ok) {
        drop_snapshots(node);
    }
    cevm_node_unlock(node);
    return ok;
}

/* ---- Life ---------------------------------------------------------------------------------------------------------- */

const cevm_node_options *cevm_node_get_options(const cevm_node *node) { return &node->options; }

const cevm_allocator *cevm_node_allocator(const cevm_node *node) { return node->allocator; }

bool cevm_node_listen(cevm_node *node, cevm_node_listener listener, void *user)
{
    (void)pthread_mutex_lock(&node->writing);
    const bool ok = node->listener_count < CEVM_NODE_MAX_LISTENERS;
    if (ok) {
        node->listeners[node->listener_count].call = listener;
        node->listeners[node->listener_count++].user = user;
    }
    (void)pthread_mutex_unlock(&node->writing);
    return ok;
}

struct cevm_filters *cevm_node_filters(const cevm_node *node) { return node->filters; }

cevm_ref *cevm_node_nothing(cevm_node *node) { return &node->nothing; }

size_t cevm_node_account_count(const cevm_node *node) { return node->key_count; }

void cevm_node_account(const cevm_node *node, size_t index, cevm_address *address, uint8_t secret_key[32])
{
    *address = node->keys[index].address;
    if (secret_key != NULL) {
        memcpy(secret_key, node->keys[index].secret, sizeof node->keys[index].secret);
    }
}

bool cevm_node_key(const cevm_node *node, uint8_t secret_key[32], const cevm_address *address)
{
    for (size_t i = 0; i < node->key_count; ++i) {
        if (cevm_address_equal(&node->keys[i].address, address)) {
            memcpy(secret_key, node->keys[i].secret, sizeof node->keys[i].secret);
            return true;
        }
    }
    return false;
}

static void nothing_to_destroy(cevm_ref *self) { (void)self; }

static bool init_locks(cevm_node *node)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0) {
        return false;
    }
    const bool ok = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                    pthread_cond_init(&node->wake, &attributes) == 0 &&
                    pthread_cond_init(&node->promises.changed, &attributes) == 0;
    (void)pthread_condattr_destroy(&attributes);
    return ok && pthread_mutex_init(&node->publishing, NULL) == 0 && pthread_mutex_init(&node->writing, NULL) == 0 &&
           pthread_mutex_init(&node->sending, NULL) == 0 && pthread_mutex_init(&node->benches_lock, NULL) == 0;
}

/**
 * BIP-39 has 12, 15, 18, 21 or 24 words with one space between: anything else is a slip, and would give accounts that nobody
 * expects.
 */
static bool is_mnemonic(const char *text)
{
    size_t words = 0;
    for (const char *p = text; *p != '\0'; ++p) {
        if (*p == ' ' && (p == text || p[1] == ' ' || p[1] == '\0')) {
            return false;
        }
        words += *p != ' ' && (p == text || p[-1] == ' ');
    }
    return words >= 12 && words <= 24 && words % 3 == 0;
}

static bool make_keys(cevm_node *node, cevm_node_error *error, const cevm_node_options *options)
{
    static const char mnemonic[] = "test test test test test test test test test test test junk";
    static const char derivation[] = "m/44'/60'/0'/0/";
    if (options->accounts == 0) {
        return true;
    }
    if (options->mnemonic != NULL && !is_mnemonic(options->mnemonic)) {
        return cevm_node_say(error, 0,
                             "a mnemonic has 12, 15, 18, 21 or 24 words with one space between, not \"%.80s\"",
                             options->mnemonic);
    }
    node->keys = cevm_resize_array(node->allocator, NULL, options->accounts, sizeof *node->keys);
    if (node->keys == NULL) {
        return cevm_node_say_err(error, CEVM_ERR_NOMEM);
    }
    node->key_count = options->accounts;
    return cevm_accounts_derive(node->keys, node->key_count, options->mnemonic != NULL ? options->mnemonic : mnemonic,
                                options->derivation != NULL ? options->derivation : derivation) ||
           cevm_node_say(error, 0, "the accounts cannot be derived: the derivation path has to be like %s", derivation);
}

/** A world of the first block alone, for cevm_node_reset. */
static cevm_err make_origin(cevm_node *node)
{
    const cevm_world *world = node->world;
    cevm_world *origin = cevm_world_create(node->allocator);
    if (origin == NULL) {
        return CEVM_ERR_NOMEM;
    }
    origin->first = world->first;
    origin->settings = world->settings;
    node->origin = origin;
    return cevm_world_append(origin, cevm_world_block(world, world->first));
}

/** The world that the store has is gone on with; how the node mines is as this start has it. */
static cevm_err resume(cevm_node *node, cevm_world *loaded)
{
    const cevm_node_options *options = &node->options;
    cevm_node_settings *settings = &loaded->settings;
    settings->automine = !options->no_mining && (options->block_time_ms == 0 || options->mixed_mining);
    settings->interval_ms = options->no_mining ? 0 : options->block_time_ms;
    settings->order = options->order;
    settings->auto_impersonate = options->auto_impersonate;
    node->world = loaded;
    const cevm_err err = make_origin(node);
    if (err != CEVM_OK || options->import_path == NULL) {
        return err;
    }
    /* The import changes a world in place, and this one is the store's too. */
    node->world = cevm_world_clone(loaded);
    cevm_world_release(loaded);
    return node->world != NULL ? CEVM_OK : CEVM_ERR_NOMEM;
}

/** The first world: from the store, or the genesis; then with the blocks to import. */
static bool begin_chain(cevm_node *node, cevm_node_error *error)
{
    const cevm_node_options *options = &node->options;
    cevm_world *loaded = NULL;
    cevm_err err = CEVM_OK;
    if (node->store != NULL && !cevm_store_load(node->store, error, &loaded, node->engine.db, &node->nothing)) {
        return false;
    }
    if (loaded != NULL && !cevm_node_is_described(node, error, loaded)) {
        cevm_world_release(loaded);
        return false;
    }
    if (loaded != NULL) {
        err = resume(node, loaded);
    } else if (!cevm_node_genesis(node, error, &node->world)) {
        return false;
    }
    if (err != CEVM_OK) {
        return cevm_node_say_err(error, err);
    }
    if (options->import_path != NULL && !cevm_node_import(node, error, node->world, options->import_path)) {
        return false;
    }
    if (loaded == NULL) {
        node->origin = cevm_world_retain(node->world);
    }
    return node->store == NULL || cevm_store_save(node->store, error, node->world);
}

static bool open_node(cevm_node *node, cevm_node_error *error, const cevm_node_options *options)
{
    if (!init_locks(node)) {
        return cevm_node_say_err(error, CEVM_ERR_NOMEM);
    }
    cevm_ref_init(&node->nothing, nothing_to_destroy);
    if (options->data_dir != NULL &&
        !cevm_store_open(&node->store, error, options->data_dir, options->no_sync, node->allocator)) {
        return false;
    }
    if (!cevm_node_fork_open(node, error)) {
        return false;
    }
    cevm_err err = cevm_code_cache_create(&node->code_cache, node->allocator, 0);
    if (err == CEVM_OK) {
        err = cevm_node_engine_open(node);
    }
    if (err != CEVM_OK) {
        return cevm_node_say_err(error, err);
    }
    if (!make_keys(node, error, options) || !begin_chain(node, error)) {
        return false;
    }
    err = cevm_filters_create(&node->filters, node);
    if (err == CEVM_OK) {
        (void)pthread_mutex_lock(&node->writing);
        err = cevm_node_miner_start(node, node->world);
        (void)pthread_mutex_unlock(&node->writing);
    }
    return err == CEVM_OK || cevm_node_say_err(error, err);
}

cevm_err cevm_node_create(cevm_node **out, cevm_node_error *error, const cevm_node_options *options)
{
    *out = NULL;
    *error = (cevm_node_error){.err = CEVM_OK};
    cevm_node *node = cevm_zalloc(options->allocator, sizeof *node);
    if (node == NULL) {
        (void)cevm_node_say_err(error, CEVM_ERR_NOMEM);
        return CEVM_ERR_NOMEM;
    }
    node->options = *options;
    node->allocator = options->allocator;
    if (!open_node(node, error, options)) {
        cevm_node_destroy(node);
        return error->err != CEVM_OK ? error->err : CEVM_ERR_ARGUMENT;
    }
    *out = node;
    return CEVM_OK;
}

void cevm_node_destroy(cevm_node *node)
{
    if (node == NULL) {
        return;
    }
    cevm_node_miner_stop(node);
    cevm_filters_destroy(node->filters);
    cevm_node_benches_free(node);
    cevm_record_release(node->pending);
    drop_snapshots(node);
    cevm_free(node->allocator, node->snapshots);
    cevm_world_release(node->origin);
    cevm_world_release(node->world);
    cevm_store_close(node->store);
    cevm_node_engine_close(node);
    cevm_remote_close(node->remote);
    cevm_code_cache_destroy(node->code_cache);
    if (node->keys != NULL) {
        memset(node->keys, 0, node->key_count * sizeof *node->keys);
    }
    cevm_free(node->allocator, node->keys);
    (void)pthread_mutex_destroy(&node->publishing);
    (void)pthread_mutex_destroy(&node->writing);
    (void)pthread_mutex_destroy(&node->sending);
    (void)pthread_mutex_destroy(&node->benches_lock);
    (void)pthread_cond_destroy(&node->wake);
    (void)pthread_cond_destroy(&node->promises.changed);
    cevm_free(node->allocator, node);
}
