/* SPDX-License-Identifier: Apache-2.0 */
/** The hash index and the sort of state/map.h, against plain arrays and libc's qsort. */
#include "state/map.h"

#include <cevm/alloc.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

static uint64_t random_state = 20150730; /* the day of the genesis block */

static uint32_t next_random(void)
{
    random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(random_state >> 33);
}

static bool holds(const cevm_map *map, uint32_t tag, uint32_t index)
{
    uint32_t position = cevm_map_start(map, tag);
    uint32_t found;
    do {
        found = cevm_map_next(map, &position, tag);
    } while (found != CEVM_MAP_NONE && found != index);
    return found == index;
}

/** Tags are few, so that buckets collide and runs wrap around the end of the table. */
static void test_insert_remove(void **unused)
{
    enum { ENTRIES = 500 };
    uint32_t tags[ENTRIES];
    bool present[ENTRIES] = {false};
    uint32_t count = 0;
    cevm_map map;
    (void)unused;
    cevm_map_init(&map, NULL);
    assert_false(holds(&map, 1, 1));
    for (uint32_t i = 0; i < ENTRIES; ++i) {
        tags[i] = i % 3 == 0 ? UINT32_MAX - i % 5 : next_random() % 64;
    }
    for (unsigned step = 0; step < 20000; ++step) {
        const uint32_t i = next_random() % ENTRIES;
        /* Fuller and emptier by turns. */
        const bool add = next_random() % 4 < (step / 2000 % 2 == 0 ? 3u : 1u);
        if (add && !present[i]) {
            assert_int_equal(cevm_map_reserve(&map, 1), CEVM_OK);
            cevm_map_insert(&map, tags[i], i);
            present[i] = true;
            ++count;
        } else if (!add && present[i]) {
            cevm_map_remove(&map, tags[i], i);
            present[i] = false;
            --count;
        }
        assert_int_equal(map.count, count);
        if (step % 200 == 0) {
            for (uint32_t j = 0; j < ENTRIES; ++j) {
                assert_true(holds(&map, tags[j], j) == present[j]);
            }
        }
    }
    cevm_map_clear(&map);
    for (uint32_t j = 0; j < ENTRIES; ++j) {
        assert_false(holds(&map, tags[j], j));
    }
    cevm_map_free(&map);
}

/** Keys in sequence, keys that differ in one limb, keys in the high bytes: the tags stay apart as random ones would. */
static void test_spread(void **unused)
{
    enum { COUNT = 4096, BUCKETS = 8192 };
    static unsigned used[BUCKETS];
    (void)unused;
    for (unsigned shape = 0; shape < 5; ++shape) {
        cevm_map_seed seed;
        unsigned most = 0;
        cevm_map_seed_init(&seed);
        memset(used, 0, sizeof used);
        for (uint64_t i = 0; i < COUNT; ++i) {
            cevm_u256 key = {{0, 0, 0, 0}};
            cevm_address address = {{0}};
            key.w[shape % 4] = shape == 3 ? i << 52 : i;
            cevm_store_be64(address.bytes + 12, i);
            const uint32_t tag =
                shape == 4 ? cevm_map_hash_address(&seed, &address) : cevm_map_hash_slot(&seed, 3, &key);
            ++used[tag % BUCKETS];
        }
        for (size_t i = 0; i < BUCKETS; ++i) {
            most = used[i] > most ? used[i] : most;
        }
        /* Poisson with mean 1/2: twelve in one bucket has a probability below 1e-8 over all buckets. */
        assert_true(most < 12);
    }
}

static void test_seeds_differ(void **unused)
{
    cevm_map_seed a;
    cevm_map_seed b;
    (void)unused;
    cevm_map_seed_init(&a);
    cevm_map_seed_init(&b);
    assert_memory_not_equal(&a, &b, sizeof a);
}

typedef struct wide {
    uint32_t key;
    uint8_t rest[96];
} wide;

static int compare(const void *a, const void *b)
{
    const wide *left = a;
    const wide *right = b;
    return (left->key > right->key) - (left->key < right->key);
}

static void test_sort(void **unused)
{
    enum { MOST = 300 };
    static wide ours[MOST];
    static wide theirs[MOST];
    (void)unused;
    for (size_t count = 0; count <= MOST; count += 1 + count / 8) {
        for (size_t i = 0; i < count; ++i) {
            ours[i].key = next_random() % 1000;
            memset(ours[i].rest, (int)(ours[i].key & 0xff), sizeof ours[i].rest);
            theirs[i] = ours[i];
        }
        cevm_sort(ours, count, sizeof *ours, compare);
        qsort(theirs, count, sizeof *theirs, compare);
        assert_memory_equal(ours, theirs, count * sizeof *ours);
    }
}

static void test_array(void **unused)
{
    size_t capacity = 0;
    uint32_t *array = NULL;
    (void)unused;
    for (uint32_t i = 0; i < 1000; ++i) {
        array = cevm_array_reserve(NULL, array, &capacity, i, 1, sizeof *array);
        assert_non_null(array);
        assert_true(capacity > i);
        array[i] = i;
    }
    for (uint32_t i = 0; i < 1000; ++i) {
        assert_int_equal(array[i], i);
    }
    /* A size that cannot be: refused, the array still good. */
    const size_t before = capacity;
    assert_null(cevm_array_reserve(NULL, array, &capacity, 1000, SIZE_MAX / 2, sizeof *array));
    assert_int_equal(capacity, before);
    assert_int_equal(array[999], 999);
    cevm_free(NULL, array);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_insert_remove), cmocka_unit_test(test_spread), cmocka_unit_test(test_seeds_differ),
        cmocka_unit_test(test_sort),          cmocka_unit_test(test_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
