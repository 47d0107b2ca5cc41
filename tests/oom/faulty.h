/* SPDX-License-Identifier: Apache-2.0 */
/**
 * tests/oom/faulty.h: an allocator and a backend that fail when they are told to: once, for good, or by chance. Of one thread.
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

#include "tests/property/random.h"

/* ---- An allocator that fails ------------------------------------------------------------------------------------- */

typedef struct faulty {
    size_t calls;    /* allocations asked for */
    size_t fail_at;  /* the one to refuse, counted from 1; 0 = none */
    bool for_good;   /* and every one after it */
    uint64_t one_in; /* one in so many is refused, by chance; 0 = none */
    uint64_t chance; /* the generator of its numbers */
    size_t live;     /* blocks not yet freed */
} faulty;

/** From now on, the n-th allocation is the one to refuse; 0 = none. */
static inline void faulty_after(faulty *f, size_t n) { f->fail_at = n != 0 ? f->calls + n : 0; }

/** Whether it was asked for. */
static inline bool faulty_failed(const faulty *f) { return f->fail_at != 0 && f->calls >= f->fail_at; }

static inline void *faulty_resize(void *ctx, void *ptr, size_t size)
{
    faulty *f = ctx;
    if (size == 0) {
        f->live -= ptr != NULL;
        free(ptr);
        return NULL;
    }
    f->calls += 1;
    if (f->for_good ? faulty_failed(f) : f->calls == f->fail_at) {
        return NULL;
    }
    if (f->one_in != 0 && random_next(&f->chance) % f->one_in == 0) {
        return NULL;
    }
    void *out = realloc(ptr, size);
    assert_non_null(out);
    f->live += ptr == NULL;
    return out;
}

/* ---- A backend that fails ---------------------------------------------------------------------------------------- */

/** Calls of a backend by what they do. */
typedef enum flaky_calls {
    FLAKY_READS = 1,
    FLAKY_WRITES = 2, /* commit and root */
    FLAKY_BLOCKS = 4, /* begin_block, end_block and undo_block */
} flaky_calls;

/** A layer over another backend. */
typedef struct flaky_db {
    cevm_db below;
    unsigned counted; /* which calls are counted and may fail, of FLAKY_ */
    size_t calls;
    size_t fail_at; /* the one to fail, counted from 1; 0 = none */
    bool for_good;  /* and every one after it */
} flaky_db;

static inline bool flaky_fails(flaky_db *db, flaky_calls kind)
{
    if ((db->counted & (unsigned)kind) == 0) {
        return false;
    }
    db->calls += 1;
    return db->calls == db->fail_at || (db->for_good && db->fail_at != 0 && db->calls > db->fail_at);
}

static inline cevm_err flaky_account(void *ctx, cevm_db_account *out, bool *exists, const cevm_address *address)
{
    flaky_db *db = ctx;
    return flaky_fails(db, FLAKY_READS) ? CEVM_ERR_BACKEND
                                        : db->below.vtable->account(db->below.ctx, out, exists, address);
}

static inline cevm_err flaky_storage(void *ctx, cevm_u256 *out, const cevm_address *address, const cevm_u256 *key)
{
    flaky_db *db = ctx;
    return flaky_fails(db, FLAKY_READS) ? CEVM_ERR_BACKEND
                                        : db->below.vtable->storage(db->below.ctx, out, address, key);
}

static inline cevm_err flaky_code(void *ctx, cevm_bytes *out, const cevm_hash *hash)
{
    flaky_db *db = ctx;
    return flaky_fails(db, FLAKY_READS) ? CEVM_ERR_BACKEND : db->below.vtable->code(db->below.ctx, out, hash);
}

static inline cevm_err flaky_block_hash(void *ctx, cevm_hash *out, uint64_t number)
{
    flaky_db *db = ctx;
    return flaky_fails(db, FLAKY_READS) ? CEVM_ERR_BACKEND : db->below.vtable->block_hash(db->below.ctx, out, number);
}

static inline cevm_err flaky_commit(void *ctx, const cevm_diff *diff)
{
    flaky_db *db = ctx;
    return flaky_fails(db, FLAKY_WRITES) ? CEVM_ERR_BACKEND : db->below.vtable->commit(db->below.ctx, diff);
}

static inline cevm_err flaky_root(void *ctx, cevm_hash *out)
{
    flaky_db *db = ctx;
    return flaky_fails(db, FLAKY_WRITES) ? CEVM_ERR_BACKEND : db->below.vtable->root(db->below.ctx, out);
}

static inline cevm_err flaky_begin_block(void *ctx)
{
    flaky_db *db = ctx;
    return flaky_fails(db, FLAKY_BLOCKS) ? CEVM_ERR_BACKEND : db->below.vtable->begin_block(db->below.ctx);
}

static inline cevm_err flaky_end_block(void *ctx, bool keep)
{
    flaky_db *db = ctx;
    return flaky_fails(db, FLAKY_BLOCKS) ? CEVM_ERR_BACKEND : db->below.vtable->end_block(db->below.ctx, keep);
}

static inline cevm_err flaky_undo_block(void *ctx)
{
    flaky_db *db = ctx;
    return flaky_fails(db, FLAKY_BLOCKS) ? CEVM_ERR_BACKEND : db->below.vtable->undo_block(db->below.ctx);
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
        .begin_block = flaky_begin_block,
        .end_block = flaky_end_block,
        .undo_block = flaky_undo_block,
    };
    return (cevm_db){&vtable, db};
}

#endif
