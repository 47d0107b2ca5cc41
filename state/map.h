/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/map.h: the hash index that the journal and the memory backend share.
 *
 * Open addressing with linear probing over pairs (tag, index): the entries themselves live in an array of the owner, who
 * compares keys. Eight bytes a bucket, at most 3/4 full, so that most look-ups read one cache line here and one entry.
 *
 * Hostile keys: addresses and storage keys are chosen by strangers, so the hash is keyed with random words (one draw from
 * the system a map): NH (the universal family of UMAC, RFC 4418: two different keys of one length meet with probability
 * 2^-32 whatever they are) and then a mixer, because the table uses only some of the bits. Nothing the library computes
 * depends on the order of a map.
 */
#ifndef CEVM_STATE_MAP_H
#define CEVM_STATE_MAP_H

#include <cevm/types.h>

/** No entry. Indices of entries are below it. */
#define CEVM_MAP_NONE UINT32_MAX

/** The secret of a hash. */
typedef struct cevm_map_seed {
    uint32_t w[12];
} cevm_map_seed;

typedef struct cevm_map_bucket {
    uint32_t tag;   /* the hash; its low bits choose the bucket */
    uint32_t index; /* CEVM_MAP_NONE: free */
} cevm_map_bucket;

typedef struct cevm_map {
    const cevm_allocator *allocator;
    cevm_map_bucket *buckets; /* NULL until the first reserve */
    uint32_t mask;            /* buckets - 1 */
    uint32_t count;
} cevm_map;

/** Draws a seed: from the system, or when it cannot, from the clock and the layout of memory. */
void cevm_map_seed_init(cevm_map_seed *seed);

void cevm_map_init(cevm_map *map, const cevm_allocator *allocator);
/** Frees the memory; the map is then empty and usable. */
void cevm_map_free(cevm_map *map);
/** Empties the map in time proportional to what it held (a table much too large is given back). */
void cevm_map_clear(cevm_map *map);
/** Makes room for `extra` more entries. Errors: CEVM_ERR_NOMEM, the map unchanged. */
cevm_err cevm_map_reserve(cevm_map *map, uint32_t extra);
/** Adds an entry that is not there; cannot fail after cevm_map_reserve. */
void cevm_map_insert(cevm_map *map, uint32_t tag, uint32_t index);
/** Removes the entry with this tag and index, which must be there. */
void cevm_map_remove(cevm_map *map, uint32_t tag, uint32_t index);

/**
 * Look-up: begins at the tag's bucket, and each call of cevm_map_next gives the index of an entry with the same tag, or
 * CEVM_MAP_NONE when there are no more.
 */
static inline uint32_t cevm_map_start(const cevm_map *map, uint32_t tag) { return tag & map->mask; }

static inline uint32_t cevm_map_next(const cevm_map *map, uint32_t *position, uint32_t tag)
{
    if (map->buckets == NULL) {
        return CEVM_MAP_NONE;
    }
    for (;;) {
        const cevm_map_bucket *bucket = &map->buckets[*position];
        *position = (*position + 1) & map->mask;
        if (bucket->index == CEVM_MAP_NONE || bucket->tag == tag) {
            return bucket->index;
        }
    }
}

/** One step of NH over eight bytes: (a + s) * (b + t) of 32-bit halves. */
static inline uint64_t cevm_map_nh(uint64_t word, const uint32_t s[2])
{
    return (uint64_t)((uint32_t)word + s[0]) * (uint32_t)((uint32_t)(word >> 32) + s[1]);
}

/** Spreads 64 bits over the tag. */
static inline uint32_t cevm_map_finish(uint64_t h)
{
    h ^= h >> 32;
    h *= UINT64_C(0x9e3779b97f4a7c15);
    h ^= h >> 29;
    h *= UINT64_C(0xbf58476d1ce4e5b9);
    return (uint32_t)(h >> 32);
}

static inline uint32_t cevm_map_hash_address(const cevm_map_seed *seed, const cevm_address *address)
{
    uint64_t a;
    uint64_t b;
    uint32_t c;
    memcpy(&a, address->bytes, 8);
    memcpy(&b, address->bytes + 8, 8);
    memcpy(&c, address->bytes + 16, 4);
    return cevm_map_finish(cevm_map_nh(a, seed->w) + cevm_map_nh(b, seed->w + 2) + cevm_map_nh(c, seed->w + 4));
}

/** A storage key of the account (or other owner) with number `owner`. */
static inline uint32_t cevm_map_hash_slot(const cevm_map_seed *seed, uint64_t owner, const cevm_u256 *key)
{
    return cevm_map_finish(cevm_map_nh(key->w[0], seed->w) + cevm_map_nh(key->w[1], seed->w + 2) +
                           cevm_map_nh(key->w[2], seed->w + 4) + cevm_map_nh(key->w[3], seed->w + 6) +
                           cevm_map_nh(owner, seed->w + 8));
}

static inline uint32_t cevm_map_hash_hash(const cevm_map_seed *seed, const cevm_hash *hash)
{
    cevm_u256 words;
    memcpy(&words, hash->bytes, sizeof words);
    return cevm_map_hash_slot(seed, 0, &words);
}

/**
 * Makes room for `extra` (at least 1) more items of `size` bytes in an array that holds `count`. Returns the array, moved
 * or not, with *capacity as it is now; NULL when memory runs out, and then the old array stays as it was.
 */
void *cevm_array_reserve(const cevm_allocator *allocator, void *array, size_t *capacity, size_t count, size_t extra,
                         size_t size);

/** Orders `count` items of `size` bytes in place (heap sort: no memory, no bad case, not stable). */
void cevm_sort(void *items, size_t count, size_t size, int (*compare)(const void *a, const void *b));

#endif
