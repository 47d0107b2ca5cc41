/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The persistent map against sorted arrays: many versions are alive at a time, each with a copy of what it has to hold;
 * a change of one must leave all others as they were. Allocations fail now and then, and at the end nothing is left.
 * Prints its seed; SEED=n replays it.
 */
#include "state/pmap.h"

#include "tests/oom/faulty.h"
#include "tests/property/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <pthread.h>

enum { KEYS = 300, VERSIONS = 8, STEPS = 20000, CHECK_EVERY = 50 };

typedef struct value {
    cevm_ref ref;
    uint64_t number;
    size_t *live;
} value;

typedef struct entry {
    cevm_hash key;
    uint64_t number;
} entry;

/** What a version has to hold, in key order. */
typedef struct model {
    entry entries[KEYS];
    size_t count;
} model;

static uint64_t random_state;

static uint64_t below(uint64_t limit) { return random_next(&random_state) % limit; }

static void destroy_value(cevm_ref *ref)
{
    value *v = (value *)(void *)ref;
    --*v->live;
    free(v);
}

static value *make_value(uint64_t number, size_t *live)
{
    value *v = malloc(sizeof *v);
    assert_non_null(v);
    cevm_ref_init(&v->ref, destroy_value);
    v->number = number;
    v->live = live;
    ++*live;
    return v;
}

static uint64_t number_of(const cevm_ref *ref) { return ((const value *)(const void *)ref)->number; }

/** Keys of every likeness: hashes, numbers, ones that share long prefixes or differ only in the last bits. */
static void make_keys(cevm_hash keys[KEYS])
{
    for (size_t i = 0; i < KEYS; ++i) {
        switch (i % 4) {
        case 0:
            for (size_t b = 0; b < sizeof keys[i].bytes; ++b) {
                keys[i].bytes[b] = (uint8_t)below(256);
            }
            break;
        case 1: keys[i] = cevm_pmap_number(i); break;
        case 2:
            memset(&keys[i], 0, sizeof keys[i]);
            cevm_store_be32(keys[i].bytes + 28, (uint32_t)i);
            break;
        default:
            memset(&keys[i], 0xff, sizeof keys[i]);
            keys[i].bytes[below(32)] = (uint8_t)below(256);
            keys[i].bytes[i / 10] = (uint8_t)i;
            break;
        }
    }
}

/** Where a key is, or would be. */
static size_t position(const model *m, const cevm_hash *key, bool *found)
{
    size_t i = 0;
    while (i < m->count && memcmp(m->entries[i].key.bytes, key->bytes, 32) < 0) {
        ++i;
    }
    *found = i < m->count && cevm_hash_equal(&m->entries[i].key, key);
    return i;
}

static void model_put(model *m, const cevm_hash *key, uint64_t number)
{
    bool found;
    const size_t i = position(m, key, &found);
    if (!found) {
        memmove(m->entries + i + 1, m->entries + i, (m->count - i) * sizeof(entry));
        m->entries[i].key = *key;
        ++m->count;
    }
    m->entries[i].number = number;
}

static void model_remove(model *m, const cevm_hash *key)
{
    bool found;
    const size_t i = position(m, key, &found);
    if (found) {
        memmove(m->entries + i, m->entries + i + 1, (m->count - i - 1) * sizeof(entry));
        --m->count;
    }
}

typedef struct walk {
    const model *model;
    size_t seen;
    size_t stop_at;
} walk;

static bool on_entry(void *user, const cevm_hash *key, cevm_ref *v)
{
    walk *w = user;
    bool found;
    const size_t i = position(w->model, key, &found);
    assert_true(found);
    assert_true(number_of(v) == w->model->entries[i].number);
    return ++w->seen != w->stop_at;
}

static void check(const cevm_pmap *map, const model *m, const cevm_hash keys[KEYS])
{
    walk all = {.model = m};
    assert_int_equal(map->count, m->count);
    for (size_t i = 0; i < KEYS; ++i) {
        bool found;
        const size_t at = position(m, &keys[i], &found);
        const cevm_ref *v = cevm_pmap_get(map, &keys[i]);
        assert_int_equal(v != NULL, found);
        assert_true(v == NULL || number_of(v) == m->entries[at].number);
    }
    cevm_pmap_for_each(map, on_entry, &all);
    assert_int_equal(all.seen, m->count);
}

static void test_versions(void **unused)
{
    static model models[VERSIONS];
    static cevm_hash keys[KEYS];
    cevm_pmap maps[VERSIONS] = {{0}};
    faulty f = {0};
    const cevm_allocator allocator = {.ctx = &f, .resize = faulty_resize};
    size_t values = 0;
    (void)unused;
    make_keys(keys);
    memset(models, 0, sizeof models);
    for (size_t i = 0; i < STEPS; ++i) {
        const size_t which = below(VERSIONS);
        cevm_pmap *map = &maps[which];
        const cevm_hash *key = &keys[below(KEYS)];
        const uint64_t kind = below(40);
        faulty_after(&f, below(10) == 0 ? 1 + below(6) : 0);
        if (kind == 0) {
            const size_t from = below(VERSIONS);
            const cevm_pmap copy = cevm_pmap_copy(&maps[from]);
            cevm_pmap_release(map);
            *map = copy;
            models[which] = models[from];
        } else if (kind == 1 && below(10) == 0) {
            cevm_pmap_release(map);
            models[which].count = 0;
        } else if (kind < (i / 2000 % 2 == 0 ? 15 : 25)) {
            const cevm_err err = cevm_pmap_remove(map, key, &allocator);
            if (err == CEVM_OK) {
                model_remove(&models[which], key);
            }
            assert_true(err == CEVM_OK || err == CEVM_ERR_NOMEM);
        } else {
            value *v = make_value(i, &values);
            const cevm_err err = cevm_pmap_put(map, key, &v->ref, &allocator);
            if (err == CEVM_OK) {
                model_put(&models[which], key, i);
            }
            assert_true(err == CEVM_OK || (err == CEVM_ERR_NOMEM && faulty_failed(&f)));
            cevm_ref_release(&v->ref);
        }
        check(map, &models[which], keys);
        for (size_t m = 0; i % CHECK_EVERY == 0 && m < VERSIONS; ++m) {
            check(&maps[m], &models[m], keys);
        }
    }
    for (size_t i = 0; i < VERSIONS; ++i) {
        cevm_pmap_release(&maps[i]);
    }
    assert_int_equal(f.live, 0);
    assert_int_equal(values, 0);
}

/** A map nobody else holds changes in place, so that growing one does not copy it again and again. */
static void test_alone(void **unused)
{
    enum { MANY = 5000 };
    cevm_pmap map = {0};
    faulty f = {0};
    const cevm_allocator allocator = {.ctx = &f, .resize = faulty_resize};
    size_t values = 0;
    (void)unused;
    for (uint64_t i = 0; i < MANY; ++i) {
        const cevm_hash key = cevm_pmap_number(i);
        value *v = make_value(i, &values);
        assert_int_equal(cevm_pmap_put(&map, &key, &v->ref, &allocator), CEVM_OK);
        assert_int_equal(cevm_pmap_put(&map, &key, &v->ref, &allocator), CEVM_OK); /* the same again */
        cevm_ref_release(&v->ref);
    }
    assert_int_equal(map.count, MANY);
    for (uint64_t i = 0; i < MANY; ++i) {
        const cevm_hash key = cevm_pmap_number(i);
        assert_true(number_of(cevm_pmap_get(&map, &key)) == i);
        /* What is this map's alone is given another value without memory. */
        value *v = make_value(i + 1, &values);
        faulty_after(&f, 1);
        assert_int_equal(cevm_pmap_put(&map, &key, &v->ref, &allocator), CEVM_OK);
        faulty_after(&f, 0);
        cevm_ref_release(&v->ref);
        assert_true(number_of(cevm_pmap_get(&map, &key)) == i + 1);
    }
    for (uint64_t i = 0; i < MANY; ++i) {
        const cevm_hash key = cevm_pmap_number(i);
        assert_int_equal(cevm_pmap_remove(&map, &key, &allocator), CEVM_OK);
        assert_null(cevm_pmap_get(&map, &key));
        assert_int_equal(cevm_pmap_remove(&map, &key, &allocator), CEVM_OK);
    }
    assert_int_equal(map.count, 0);
    assert_null(map.root);
    assert_int_equal(f.live, 0);
    assert_int_equal(values, 0);
}

typedef struct note {
    uint64_t numbers[KEYS];
    size_t seen;
    size_t stop_at;
} note;

static bool note_number(void *user, const cevm_hash *key, cevm_ref *v)
{
    note *n = user;
    (void)key;
    n->numbers[n->seen++] = number_of(v);
    return n->seen != n->stop_at;
}

/** A walk stops when it is told to, and goes the same way in maps of equal content however they came about. */

static void test_walks(void **unused)
{
    enum { MANY = 200 };
    note first = {.seen = 0};
    note second = {.seen = 0};
    note third = {.stop_at = 7};
    cevm_pmap up = {0};
    cevm_pmap down = {0};
    size_t values = 0;
    (void)unused;
    for (uint64_t i = 0; i < MANY; ++i) {
        const cevm_hash key = cevm_pmap_number(i);
        const cevm_hash other = cevm_pmap_number(MANY - 1 - i);
        value *a = make_value(i, &values);
        value *b = make_value(MANY - 1 - i, &values);
        assert_int_equal(cevm_pmap_put(&up, &key, &a->ref, NULL), CEVM_OK);
        assert_int_equal(cevm_pmap_put(&down, &other, &b->ref, NULL), CEVM_OK);
        cevm_ref_release(&a->ref);
        cevm_ref_release(&b->ref);
    }
    cevm_pmap_for_each(&up, note_number, &first);
    assert_int_equal(first.seen, MANY);
    cevm_pmap_for_each(&down, note_number, &second);
    assert_int_equal(second.seen, MANY);
    assert_memory_equal(first.numbers, second.numbers, MANY * sizeof first.numbers[0]);
    cevm_pmap_for_each(&down, note_number, &third);
    assert_int_equal(third.seen, 7);
    cevm_pmap_release(&up);
    cevm_pmap_release(&down);
    assert_int_equal(values, 0);
}

/* ---- Threads --------------------------------------------------------------------------------------------------------- */

enum { READERS = 4, ROUNDS = 300, HELD = 200 };

/** The writer leaves its newest map here; readers take copies. */
typedef struct board {
    pthread_mutex_t lock;
    cevm_pmap map;
    uint64_t round;
    bool done;
} board;

static void *read_maps(void *user)
{
    board *b = user;
    for (bool done = false; !done;) {
        (void)pthread_mutex_lock(&b->lock);
        cevm_pmap map = cevm_pmap_copy(&b->map);
        const uint64_t round = b->round;
        done = b->done;
        (void)pthread_mutex_unlock(&b->lock);
        size_t wrong = 0;
        for (uint64_t i = 0; i < HELD; ++i) {
            const cevm_hash key = cevm_pmap_number(i);
            const cevm_ref *v = cevm_pmap_get(&map, &key);
            wrong += (size_t)(v == NULL || number_of(v) != round);
        }
        cevm_pmap_release(&map);
        if (wrong != 0) {
            return b;
        }
    }
    return NULL;
}

static void destroy_shared(cevm_ref *ref) { free(ref); }

static void put_round(cevm_pmap *map, uint64_t round)
{
    for (uint64_t i = 0; i < HELD; ++i) {
        const cevm_hash key = cevm_pmap_number(i);
        value *v = malloc(sizeof *v);
        assert_non_null(v);
        *v = (value){.number = round};
        cevm_ref_init(&v->ref, destroy_shared);
        assert_int_equal(cevm_pmap_put(map, &key, &v->ref, NULL), CEVM_OK);
        cevm_ref_release(&v->ref);
    }
}

static void test_threads(void **unused)
{
    board b = {.round = 0};
    pthread_t readers[READERS];
    cevm_pmap map = {0};
    (void)unused;
    put_round(&map, 0);
    b.map = cevm_pmap_copy(&map);
    assert_int_equal(pthread_mutex_init(&b.lock, NULL), 0);
    for (size_t i = 0; i < READERS; ++i) {
        assert_int_equal(pthread_create(&readers[i], NULL, read_maps, &b), 0);
    }
    for (uint64_t round = 1; round <= ROUNDS; ++round) {
        put_round(&map, round);
        cevm_pmap copy = cevm_pmap_copy(&map);
        (void)pthread_mutex_lock(&b.lock);
        const cevm_pmap old = b.map;
        b.map = copy;
        b.round = round;
        b.done = round == ROUNDS;
        (void)pthread_mutex_unlock(&b.lock);
        copy = old;
        cevm_pmap_release(&copy);
    }
    for (size_t i = 0; i < READERS; ++i) {
        void *wrong = NULL;
        assert_int_equal(pthread_join(readers[i], &wrong), 0);
        assert_null(wrong);
    }
    (void)pthread_mutex_destroy(&b.lock);
    cevm_pmap_release(&b.map);
    cevm_pmap_release(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_versions), cmocka_unit_test(test_alone),
                                       cmocka_unit_test(test_walks), cmocka_unit_test(test_threads)};
    random_state = random_seed();
    print_message("SEED=%" PRIu64 "\n", random_state);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
