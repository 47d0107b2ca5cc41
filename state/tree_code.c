/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/tree_code.c: what the states of a store share: the allocator, the base, and code by hash.
 *
 * The table of code owns nothing: accounts own code, and who lets go of the last reference takes it out of the table. That
 * may happen on any thread, while another finds the code there. So a reference is taken under the lock, and only from a
 * count that is not zero; code whose count has fallen to zero is as good as absent.
 */
#include "state/tree_internal.h"

#include <cevm/alloc.h>

cevm_err cevm_tree_common_create(tree_common **out, const cevm_db *base, const cevm_allocator *allocator)
{
    tree_common *common = cevm_zalloc(allocator, sizeof *common);
    if (common == NULL) {
        return CEVM_ERR_NOMEM;
    }
    if (pthread_mutex_init(&common->lock, NULL) != 0) {
        cevm_free(allocator, common);
        return CEVM_ERR_NOMEM;
    }
    atomic_init(&common->count, 1);
    common->allocator = allocator;
    common->has_base = base != NULL;
    if (base != NULL) {
        common->base = *base;
    }
    cevm_map_seed_init(&common->seed);
    *out = common;
    return CEVM_OK;
}

void cevm_tree_common_retain(tree_common *common)
{
    atomic_fetch_add_explicit(&common->count, 1, memory_order_relaxed);
}

void cevm_tree_common_release(tree_common *common)
{
    if (atomic_fetch_sub_explicit(&common->count, 1, memory_order_acq_rel) != 1) {
        return;
    }
    const cevm_allocator *allocator = common->allocator;
    (void)pthread_mutex_destroy(&common->lock);
    cevm_free(allocator, (void *)common->buckets);
    cevm_free(allocator, common);
}

/* ---- The table; the lock is held ------------------------------------------------------------------------------------- */

enum { MIN_BUCKETS = 64 };

static tree_code **bucket_of(const tree_common *common, const cevm_hash *hash)
{
    return &common->buckets[cevm_map_hash_hash(&common->seed, hash) & (common->bucket_count - 1)];
}

static tree_code *find(const tree_common *common, const cevm_hash *hash)
{
    tree_code *code = common->buckets != NULL ? *bucket_of(common, hash) : NULL;
    while (code != NULL && !cevm_hash_equal(&code->hash, hash)) {
        code = code->next;
    }
    return code;
}

static void take_out(const tree_common *common, const tree_code *code)
{
    tree_code **where = bucket_of(common, &code->hash);
    while (*where != code) {
        where = &(*where)->next;
    }
    *where = code->next;
}

static void put_in(const tree_common *common, tree_code *code)
{
    tree_code **bucket = bucket_of(common, &code->hash);
    code->next = *bucket;
    *bucket = code;
}

/** Makes room for one more. A table that cannot grow only becomes slower; false when there is none at all. */
static bool make_room(tree_common *common)
{
    if (common->code_count < common->bucket_count) {
        return true;
    }
    const size_t count = common->bucket_count != 0 ? common->bucket_count * 2 : MIN_BUCKETS;
    tree_code **buckets = cevm_resize_array(common->allocator, NULL, count, sizeof(tree_code *));
    if (buckets == NULL) {
        return common->buckets != NULL;
    }
    for (size_t i = 0; i < count; ++i) {
        buckets[i] = NULL;
    }
    tree_code **old = common->buckets;
    const size_t old_count = common->bucket_count;
    common->buckets = buckets;
    common->bucket_count = count;
    for (size_t i = 0; i < old_count; ++i) {
        for (tree_code *code = old[i]; code != NULL;) {
            tree_code *next = code->next;
            put_in(common, code);
            code = next;
        }
    }
    cevm_free(common->allocator, (void *)old);
    return true;
}

/** Takes a reference unless the code is about to be freed. */
static bool revive(tree_code *code)
{
    size_t count = atomic_load_explicit(&code->count, memory_order_relaxed);
    while (count != 0) {
        if (atomic_compare_exchange_weak_explicit(&code->count, &count, count + 1, memory_order_acquire,
                                                  memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

/** A reference to code that is there and alive, and here if need be; else NULL. */
static tree_code *revive_known(const tree_common *common, const cevm_hash *hash, bool needs_bytes)
{
    tree_code *code = find(common, hash);
    return code != NULL && !(needs_bytes && code->is_elsewhere) && revive(code) ? code : NULL;
}

/** Adds code in the place of what has the same hash, if something has. */
static bool add(tree_common *common, tree_code *code)
{
    tree_code *old = find(common, &code->hash);
    if (old != NULL) {
        take_out(common, old); /* alive perhaps, but somebody has the bytes now */
        --common->code_count;
    } else if (!make_room(common)) {
        return false;
    }
    put_in(common, code);
    ++common->code_count;
    return true;
}

/* ---- References ------------------------------------------------------------------------------------------------------ */

static tree_code *make_code(const tree_common *common, const cevm_hash *hash, const cevm_bytes *bytes)
{
    const size_t size = bytes != NULL ? bytes->size : 0;
    if (size > SIZE_MAX - sizeof(tree_code)) {
        return NULL;
    }
    tree_code *code = cevm_alloc(common->allocator, sizeof *code + size);
    if (code != NULL) {
        atomic_init(&code->count, 1);
        code->next = NULL;
        code->hash = *hash;
        code->is_elsewhere = bytes == NULL;
        code->size = size;
        if (size != 0) {
            memcpy(code->data, bytes->data, size);
        }
    }
    return code;
}

/** bytes == NULL: they are not known. */
static cevm_err get(tree_code **out, tree_common *common, const cevm_hash *hash, const cevm_bytes *bytes)
{
    (void)pthread_mutex_lock(&common->lock);
    tree_code *code = revive_known(common, hash, bytes != NULL);
    if (code == NULL) {
        code = make_code(common, hash, bytes);
        if (code != NULL && !add(common, code)) {
            cevm_free(common->allocator, code);
            code = NULL;
        }
    }
    (void)pthread_mutex_unlock(&common->lock);
    *out = code;
    return code != NULL ? CEVM_OK : CEVM_ERR_NOMEM;
}

cevm_err cevm_tree_code_get(tree_code **out, tree_common *common, const cevm_hash *hash, cevm_bytes bytes)
{
    if (bytes.size == 0) {
        *out = NULL;
        return CEVM_OK;
    }
    return get(out, common, hash, &bytes);
}

cevm_err cevm_tree_code_named(tree_code **out, tree_common *common, const cevm_hash *hash)
{
    if (cevm_hash_equal(hash, &cevm_empty_code_hash)) {
        *out = NULL;
        return CEVM_OK;
    }
    return get(out, common, hash, NULL);
}

void cevm_tree_code_retain(tree_code *code) { atomic_fetch_add_explicit(&code->count, 1, memory_order_relaxed); }

void cevm_tree_code_release(tree_common *common, tree_code *code)
{
    if (code == NULL || atomic_fetch_sub_explicit(&code->count, 1, memory_order_acq_rel) != 1) {
        return;
    }
    (void)pthread_mutex_lock(&common->lock);
    const tree_code *known = find(common, &code->hash);
    if (known == code) {
        take_out(common, code);
        --common->code_count;
    }
    (void)pthread_mutex_unlock(&common->lock);
    cevm_free(common->allocator, code);
}

cevm_err cevm_tree_code_read(cevm_bytes *out, tree_common *common, const cevm_hash *hash)
{
    (void)pthread_mutex_lock(&common->lock);
    const tree_code *code = find(common, hash);
    const bool is_here = code != NULL && !code->is_elsewhere;
    if (is_here) {
        *out = (cevm_bytes){code->data, code->size};
    }
    (void)pthread_mutex_unlock(&common->lock);
    if (is_here) {
        return CEVM_OK;
    }
    return common->has_base ? common->base.vtable->code(common->base.ctx, out, hash) : CEVM_ERR_BACKEND;
}
