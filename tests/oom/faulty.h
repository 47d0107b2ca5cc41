/* SPDX-License-Identifier: Apache-2.0 */
/**
 * tests/oom/faulty.h: an allocator and a backend that fail when they are told to, once or for good.
 */
#ifndef CEVM_TESTS_OOM_FAULTY_H
#define CEVM_TESTS_OOM_FAULTY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include <cevm/db.h>

/* ---- An allocator that fails once -------------------------------------------------------------------------------- */

typedef struct faulty {
    size_t calls;   /* allocations asked for */
    size_t fail_at; /* the one to refuse, counted from 1; 0 = none */
    bool for_good;  /* and every one after it */
    size_t live;    /* blocks not yet freed */
} faulty;

static inline void *faulty_resize(void *ctx, void *ptr, size_t size)
{
    faulty *f = ctx;
    if (size == 0) {
        f->live -= ptr != NULL;
        free(ptr);
        return NULL;
    }
    f->calls += 1;
    if (f->calls == f->fail_at || (f->for_good && f->fail_at != 0 && f->calls > f->fail_at)) {
        return NULL;
    }
    void *out = realloc(ptr, size);
    assert_non_null(out);
    f->live += ptr == NULL;
    return out;
}

/* ---- A backend whose reads fail once ----------------------------------------------------------------------------- */

typedef struct flaky_db {
    cevm_db below;
    size_t reads;
    size_t fail_at;
    bool writes_too; /* commit and root fail as well, and are counted */
} flaky_db;

static inline bool flaky_fails(flaky_db *db) { return ++db->reads == db->fail_at; }

static inline cevm_err flaky_account(void *ctx, cevm_db_account *out, bool *exists, const cevm_address *address)
{
    flaky_db *db = ctx;
    return flaky_fails(db) ? CEVM_ERR_BACKEND : db->below.vtable->account(db->below.ctx, out, exists, address);
}

static inline cevm_err flaky_storage(void *ctx, cevm_u256 *out, const cevm_address *address, const cevm_u256 *key)
{
    flaky_db *db = ctx;
    return flaky_fails(db) ? CEVM_ERR_BACKEND : db->below.vtable->storage(db->below.ctx, out, address, key);
}

static inline cevm_err flaky_code(void *ctx, cevm_bytes *out, const cevm_hash *hash)
{
    flaky_db *db = ctx;
    return flaky_fails(db) ? CEVM_ERR_BACKEND : db->below.vtable->code(db->below.ctx, out, hash);
}

static inline cevm_err flaky_block_hash(void *ctx, cevm_hash *out, uint64_t number)
{
    flaky_db *db = ctx;
    return flaky_fails(db) ? CEVM_ERR_BACKEND : db->below.vtable->block_hash(db->below.ctx, out, number);
}

static inline cevm_err flaky_commit(void *ctx, const cevm_diff *diff)
{
    flaky_db *db = ctx;
    return db->writes_too && flaky_fails(db) ? CEVM_ERR_BACKEND : db->below.vtable->commit(db->below.ctx, diff);
}

static inline cevm_err flaky_root(void *ctx, cevm_hash *out)
{
    flaky_db *db = ctx;
    return db->writes_too && flaky_fails(db) ? CEVM_ERR_BACKEND : db->below.vtable->root(db->below.ctx, out);
}

/** The interface of a store with the layer between. */
static inline cevm_db flaky_interface(flaky_db *db)
{
    static const cevm_db_vtable vtable = {
        .struct_size = sizeof(cevm_db_vtable),
        .account = flaky_account,
        .storage = flaky_storage,
        .code = flaky_code,
        .block_hash = flaky_block_hash,
        .commit = flaky_commit,
        .root = flaky_root,
    };
    return (cevm_db){&vtable, db};
}

#endif
