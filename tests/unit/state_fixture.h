/* SPDX-License-Identifier: Apache-2.0 */
/**
 * tests/unit/state_fixture.h: a journal over a memory store, with a layer between that counts reads and can fail.
 * Include after cmocka.h.
 */
#ifndef CEVM_TESTS_STATE_FIXTURE_H
#define CEVM_TESTS_STATE_FIXTURE_H

#include <cevm/state.h>

#include <stdlib.h>

typedef struct fixture {
    cevm_memdb *memdb;
    cevm_db under;
    cevm_state *state;
    cevm_host host;
    size_t account_reads;
    size_t storage_reads;
    size_t code_reads;
    size_t commits;
    cevm_diff last; /* counts only; the arrays are gone */
    bool fail;      /* every read and commit answers CEVM_ERR_BACKEND */
} fixture;

static inline cevm_err fixture_account(void *ctx, cevm_db_account *out, bool *exists, const cevm_address *address)
{
    fixture *f = ctx;
    ++f->account_reads;
    return f->fail ? CEVM_ERR_BACKEND : f->under.vtable->account(f->under.ctx, out, exists, address);
}

static inline cevm_err fixture_storage(void *ctx, cevm_u256 *out, const cevm_address *address, const cevm_u256 *key)
{
    fixture *f = ctx;
    ++f->storage_reads;
    return f->fail ? CEVM_ERR_BACKEND : f->under.vtable->storage(f->under.ctx, out, address, key);
}

static inline cevm_err fixture_code(void *ctx, cevm_bytes *out, const cevm_hash *hash)
{
    fixture *f = ctx;
    ++f->code_reads;
    return f->fail ? CEVM_ERR_BACKEND : f->under.vtable->code(f->under.ctx, out, hash);
}

static inline cevm_err fixture_block_hash(void *ctx, cevm_hash *out, uint64_t block)
{
    fixture *f = ctx;
    return f->fail ? CEVM_ERR_BACKEND : f->under.vtable->block_hash(f->under.ctx, out, block);
}

static inline cevm_err fixture_commit(void *ctx, const cevm_diff *diff)
{
    fixture *f = ctx;
    if (f->fail) {
        return CEVM_ERR_BACKEND;
    }
    ++f->commits;
    f->last.account_count = diff->account_count;
    for (size_t i = 0; i < diff->account_count; ++i) {
        const cevm_account_change *change = &diff->accounts[i];
        assert_true(i == 0 || memcmp(diff->accounts[i - 1].address.bytes, change->address.bytes, 20) < 0);
        for (size_t j = 1; j < change->slot_count; ++j) {
            uint8_t before[32];
            uint8_t now[32];
            cevm_u256_to_be(before, &change->slots[j - 1].key);
            cevm_u256_to_be(now, &change->slots[j].key);
            assert_true(memcmp(before, now, 32) < 0);
        }
    }
    return f->under.vtable->commit(f->under.ctx, diff);
}

static inline fixture *fixture_make(void)
{
    static const cevm_db_vtable vtable = {.struct_size = sizeof vtable,
                                          .account = fixture_account,
                                          .storage = fixture_storage,
                                          .code = fixture_code,
                                          .block_hash = fixture_block_hash,
                                          .commit = fixture_commit};
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    assert_int_equal(cevm_memdb_create(&f->memdb, NULL), CEVM_OK);
    f->under = cevm_memdb_interface(f->memdb);
    const cevm_db db = {&vtable, f};
    assert_int_equal(cevm_state_create(&f->state, &db, NULL), CEVM_OK);
    f->host = cevm_state_host(f->state);
    return f;
}

static inline void fixture_free(fixture *f)
{
    cevm_state_destroy(f->state);
    cevm_memdb_destroy(f->memdb);
    free(f);
}

/* Short names; every one asserts success. */

static inline cevm_u256 num(uint64_t v) { return cevm_u256_from_u64(v); }

static inline void store_account(fixture *f, const cevm_address *a, uint64_t balance, uint64_t nonce, cevm_bytes code)
{
    const cevm_u256 wei = num(balance);
    assert_int_equal(cevm_memdb_set_account(f->memdb, a, &wei, nonce, code), CEVM_OK);
}

static inline void store_slot(fixture *f, const cevm_address *a, uint64_t key, uint64_t value)
{
    const cevm_u256 k = num(key);
    const cevm_u256 v = num(value);
    assert_int_equal(cevm_memdb_set_storage(f->memdb, a, &k, &v), CEVM_OK);
}

static inline void begin(fixture *f, cevm_fork fork) { assert_int_equal(cevm_state_begin_tx(f->state, fork), CEVM_OK); }

static inline void end(fixture *f) { assert_int_equal(cevm_state_end_tx(f->state), CEVM_OK); }

static inline cevm_account_info peek(fixture *f, const cevm_address *a)
{
    cevm_account_info info;
    assert_int_equal(cevm_state_get_account(f->state, &info, a), CEVM_OK);
    return info;
}

static inline cevm_account_info load(fixture *f, const cevm_address *a, bool skip_cold)
{
    cevm_account_info info;
    assert_int_equal(f->host.vtable->load_account(f->host.ctx, &info, a, skip_cold), CEVM_OK);
    return info;
}

static inline cevm_slot_info sload(fixture *f, const cevm_address *a, uint64_t key, bool skip_cold)
{
    const cevm_u256 k = num(key);
    cevm_slot_info info;
    assert_int_equal(f->host.vtable->sload(f->host.ctx, &info, a, &k, skip_cold), CEVM_OK);
    return info;
}

static inline cevm_sstore_info sstore(fixture *f, const cevm_address *a, uint64_t key, uint64_t value)
{
    const cevm_u256 k = num(key);
    const cevm_u256 v = num(value);
    cevm_sstore_info info;
    assert_int_equal(f->host.vtable->sstore(f->host.ctx, &info, a, &k, &v, false), CEVM_OK);
    return info;
}

static inline uint64_t slot_now(fixture *f, const cevm_address *a, uint64_t key)
{
    const cevm_u256 k = num(key);
    cevm_u256 v;
    assert_int_equal(cevm_state_get_storage(f->state, &v, a, &k), CEVM_OK);
    return v.w[0];
}

static inline uint64_t tload(fixture *f, const cevm_address *a, uint64_t key)
{
    const cevm_u256 k = num(key);
    cevm_u256 v;
    assert_int_equal(f->host.vtable->tload(f->host.ctx, &v, a, &k), CEVM_OK);
    return v.w[0];
}

static inline void tstore(fixture *f, const cevm_address *a, uint64_t key, uint64_t value)
{
    const cevm_u256 k = num(key);
    const cevm_u256 v = num(value);
    assert_int_equal(f->host.vtable->tstore(f->host.ctx, a, &k, &v), CEVM_OK);
}

static inline void transfer(fixture *f, const cevm_address *from, const cevm_address *to, uint64_t value)
{
    const cevm_u256 v = num(value);
    assert_int_equal(f->host.vtable->transfer(f->host.ctx, from, to, &v), CEVM_OK);
}

static inline void create(fixture *f, const cevm_address *a)
{
    assert_int_equal(f->host.vtable->create_account(f->host.ctx, a), CEVM_OK);
}

static inline bool selfdestruct(fixture *f, const cevm_address *a, const cevm_address *heir)
{
    cevm_selfdestruct_info info;
    assert_int_equal(f->host.vtable->selfdestruct(f->host.ctx, &info, a, heir), CEVM_OK);
    return info.first;
}

static inline void set_code(fixture *f, const cevm_address *a, const char *code)
{
    const cevm_bytes bytes = {(const uint8_t *)code, strlen(code)};
    assert_int_equal(f->host.vtable->set_code(f->host.ctx, a, bytes), CEVM_OK);
}

static inline cevm_code load_code(fixture *f, const cevm_address *a)
{
    cevm_code code;
    assert_int_equal(f->host.vtable->load_code(f->host.ctx, &code, a), CEVM_OK);
    return code;
}

static inline cevm_checkpoint mark(fixture *f) { return f->host.vtable->checkpoint(f->host.ctx); }

static inline void revert_to(fixture *f, cevm_checkpoint m) { f->host.vtable->revert(f->host.ctx, m); }

static inline void add_log(fixture *f, const cevm_address *a, uint32_t topics, const char *data)
{
    const cevm_log log = {.address = *a, .topic_count = topics, .data = {(const uint8_t *)data, strlen(data)}};
    assert_int_equal(f->host.vtable->log(f->host.ctx, &log), CEVM_OK);
}

static inline void commit_state(fixture *f) { assert_int_equal(cevm_state_commit(f->state), CEVM_OK); }

#endif
