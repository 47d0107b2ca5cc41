/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/map.c: the hash index (state/map.h), and growing and sorting of the arrays it points into.
 */
#include "state/map.h"

#include <cevm/alloc.h>

#include <time.h>
#include <unistd.h>

enum { MIN_BUCKETS = 16 };

void cevm_map_seed_init(cevm_map_seed *seed)
{
    if (getentropy(seed->w, sizeof seed->w) == 0) {
        return;
    }
    struct timespec now = {0, 0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t x = (uint64_t)(uintptr_t)seed ^ (uint64_t)now.tv_nsec << 20 ^ (uint64_t)now.tv_sec;
    for (size_t i = 0; i < sizeof seed->w / sizeof seed->w[0]; ++i) {
        x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        seed->w[i] = cevm_map_finish(x);
    }
}

void cevm_map_init(cevm_map *map, const cevm_allocator *allocator)
{
    memset(map, 0, sizeof *map);
    map->allocator = allocator;
}

void cevm_map_free(cevm_map *map)
{
    cevm_free(map->allocator, map->buckets);
    cevm_map_init(map, map->allocator);
}

static void mark_free(cevm_map_bucket *buckets, size_t count)
{
    memset(buckets, 0xff, count * sizeof *buckets); /* every index is CEVM_MAP_NONE */
}

void cevm_map_clear(cevm_map *map)
{
    if (map->count == 0) {
        return;
    }
    size_t buckets = (size_t)map->mask + 1;
    if (buckets > MIN_BUCKETS && buckets / 16 > map->count) {
        cevm_map_free(map);
        return;
    }
    mark_free(map->buckets, buckets);
    map->count = 0;
}

static void place(cevm_map *map, cevm_map_bucket entry)
{
    uint32_t i = entry.tag & map->mask;
    while (map->buckets[i].index != CEVM_MAP_NONE) {
        i = (i + 1) & map->mask;
    }
    map->buckets[i] = entry;
}

cevm_err cevm_map_reserve(cevm_map *map, uint32_t extra)
{
    uint64_t needed = (uint64_t)map->count + extra;
    uint64_t size = map->buckets != NULL ? (uint64_t)map->mask + 1 : MIN_BUCKETS;
    while (needed > size / 4 * 3) {
        size *= 2;
    }
    if (map->buckets != NULL && size == (uint64_t)map->mask + 1) {
        return CEVM_OK;
    }
    if (size > UINT64_C(1) << 31 || size > SIZE_MAX / sizeof(cevm_map_bucket)) {
        return CEVM_ERR_NOMEM;
    }
    cevm_map_bucket *buckets = cevm_alloc(map->allocator, (size_t)size * sizeof *buckets);
    if (buckets == NULL) {
        return CEVM_ERR_NOMEM;
    }
    cevm_map grown = *map;
    grown.buckets = buckets;
    grown.mask = (uint32_t)(size - 1);
    mark_free(buckets, (size_t)size);
    for (size_t i = 0; map->buckets != NULL && i <= map->mask; ++i) {
        if (map->buckets[i].index != CEVM_MAP_NONE) {
            place(&grown, map->buckets[i]);
        }
    }
    cevm_free(map->allocator, map->buckets);
    *map = grown;
    return CEVM_OK;
}

void cevm_map_insert(cevm_map *map, uint32_t tag, uint32_t index)
{
    place(map, (cevm_map_bucket){.tag = tag, .index = index});
    ++map->count;
}

void cevm_map_remove(cevm_map *map, uint32_t tag, uint32_t index)
{
    uint32_t hole = tag & map->mask;
    while (map->buckets[hole].index != index) {
        hole = (hole + 1) & map->mask;
    }
    /* Pull back what probed past the hole, so that no tombstones are needed. */
    uint32_t i = hole;
    for (;;) {
        i = (i + 1) & map->mask;
        if (map->buckets[i].index == CEVM_MAP_NONE) {
            break;
        }
        uint32_t home = map->buckets[i].tag & map->mask;
        if (((i - home) & map->mask) >= ((i - hole) & map->mask)) {
            map->buckets[hole] = map->buckets[i];
            hole = i;
        }
    }
    map->buckets[hole].index = CEVM_MAP_NONE;
    --map->count;
}

void *cevm_array_reserve(const cevm_allocator *allocator, void *array, size_t *capacity, size_t count, size_t extra,
                         size_t size)
{
    if (extra <= *capacity - count) {
        return array;
    }
    size_t grown = *capacity != 0 ? *capacity : 8;
    while (grown - count < extra) {
        if (grown > SIZE_MAX / 2) {
            return NULL;
        }
        grown *= 2;
    }
    void *resized = cevm_resize_array(allocator, array, grown, size);
    if (resized != NULL) {
        *capacity = grown;
    }
    return resized;
}

static void swap_bytes(uint8_t *a, uint8_t *b, size_t size)
{
    uint8_t piece[64];
    while (size != 0) {
        size_t n = size < sizeof piece ? size : sizeof piece;
        memcpy(piece, a, n);
        memcpy(a, b, n);
        memcpy(b, piece, n);
        a += n;
        b += n;
        size -= n;
    }
}

/** Lets items[root] sink until the heap of `count` items below it is in order. */
static void sink(uint8_t *items, size_t root, size_t count, size_t size, int (*compare)(const void *, const void *))
{
    while (root < count / 2) {
        size_t child = 2 * root + 1;
        if (child + 1 < count && compare(items + child * size, items + (child + 1) * size) < 0) {
            ++child;
        }
        if (compare(items + root * size, items + child * size) >= 0) {
            return;
        }
        swap_bytes(items + root * size, items + child * size, size);
        root = child;
    }
}

void cevm_sort(void *items, size_t count, size_t size, int (*compare)(const void *a, const void *b))
{
    for (size_t i = count / 2; i > 0; --i) {
        sink(items, i - 1, count, size, compare);
    }
    for (size_t end = count; end > 1; --end) {
        swap_bytes(items, (uint8_t *)items + (end - 1) * size, size);
        sink(items, 0, end - 1, size, compare);
    }
}
