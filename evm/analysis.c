/* SPDX-License-Identifier: Apache-2.0 */
#include "evm/analysis.h"

#include "evm/opcodes.h"

#include <cevm/alloc.h>

void cevm_jumpdest_scan(uint64_t *bits, const uint8_t *code, size_t size)
{
    memset(bits, 0, jumpdest_words(size) * sizeof *bits);
    for (size_t i = 0; i < size; ++i) {
        const uint8_t op = code[i];
        if ((int8_t)op >= OP_PUSH1) { /* as a signed number no other is as large */
            i += (size_t)(op - OP_PUSH1) + 1;
        } else if (op == OP_JUMPDEST) {
            bits[i / 64] |= (uint64_t)1 << (i % 64);
        }
    }
}

/**
 * Whether none of the 32 bytes at `before` could be a PUSH whose data reaches the byte behind them. Whatever they are, an
 * instruction then begins there.
 */
static inline bool nothing_covers(const uint8_t *before)
{
    typedef int8_t bytes __attribute__((vector_size(16)));
    typedef uint64_t words __attribute__((vector_size(16)));
    /* n bytes before the end it takes a PUSHn at least; as a signed number, so that what is above PUSH32 is below all. */
    const bytes low_limit = {0x7e, 0x7d, 0x7c, 0x7b, 0x7a, 0x79, 0x78, 0x77,
                             0x76, 0x75, 0x74, 0x73, 0x72, 0x71, 0x70, 0x6f};
    const bytes high_limit = {0x6e, 0x6d, 0x6c, 0x6b, 0x6a, 0x69, 0x68, 0x67,
                              0x66, 0x65, 0x64, 0x63, 0x62, 0x61, 0x60, 0x5f};
    bytes low;
    bytes high;
    memcpy(&low, before, sizeof low);
    memcpy(&high, before + sizeof low, sizeof high);
    const words covers = (words)((low > low_limit) | (high > high_limit));
    return (covers[0] | covers[1]) == 0;
}

/** The first of the 32 bytes at `before` that might reach behind them; one does. */
static size_t first_cover(const uint8_t *before)
{
    size_t i = 0;
    while ((int8_t)before[i] <= 0x7e - (int)i) {
        ++i;
    }
    return i;
}

cevm_boundary cevm_boundary_at(const uint8_t *code, size_t pc, uint32_t *effort)
{
    enum { REACH = 32, FARTHEST = 512, LOOK = 2, WALK = 32 };
    size_t from = pc;
    *effort += LOOK;
    while (from > REACH && !nothing_covers(code + from - REACH)) {
        if (pc - from > FARTHEST) {
            return CEVM_BOUNDARY_UNKNOWN;
        }
        /* Most often that is data itself, and nothing covers the PUSH it belongs to. */
        from -= REACH - first_cover(code + from - REACH);
        *effort += WALK; /* it will have to be walked as well */
    }
    from = from > REACH ? from : 0;
    while (from < pc) {
        from += code[from] >= OP_PUSH1 && code[from] <= OP_PUSH32 ? (size_t)(code[from] - OP_PUSH1) + 2 : 1;
    }
    return from == pc ? CEVM_BOUNDARY_YES : CEVM_BOUNDARY_NO;
}

void cevm_analysis_init(cevm_analysis_cache *cache, const cevm_allocator *allocator)
{
    *cache = (cevm_analysis_cache){.allocator = allocator};
}

/** Frees what is at a place. */
static void drop(cevm_analysis_cache *cache, cevm_analysis_entry **place)
{
    if (*place != NULL) {
        cache->bytes -= (*place)->bytes;
        cevm_free(cache->allocator, *place);
        *place = NULL;
    }
}

void cevm_analysis_destroy(cevm_analysis_cache *cache)
{
    for (size_t i = 0; cache->bytes != 0 && i < CEVM_ANALYSIS_ENTRIES; ++i) {
        drop(cache, &cache->entries[i]);
    }
    cevm_free(cache->allocator, cache->entries);
    *cache = (cevm_analysis_cache){.allocator = cache->allocator};
}

/** Drops everything not in use, when the byte bound is reached; false when that does not make room. */
static bool make_room(cevm_analysis_cache *cache, size_t bytes)
{
    if (bytes > CEVM_ANALYSIS_MAX_BYTES) {
        return false;
    }
    if (cache->bytes + bytes <= CEVM_ANALYSIS_MAX_BYTES) {
        return true;
    }
    for (size_t i = 0; i < CEVM_ANALYSIS_ENTRIES; ++i) {
        if (cache->entries[i] != NULL && cache->entries[i]->last_use != cache->execution) {
            drop(cache, &cache->entries[i]);
        }
    }
    return cache->bytes + bytes <= CEVM_ANALYSIS_MAX_BYTES;
}

const uint64_t *cevm_analysis_get(cevm_analysis_cache *cache, const cevm_hash *code_hash, const uint8_t *code,
                                  size_t size)
{
    if (cache->entries == NULL) {
        cache->entries = cevm_zalloc(cache->allocator, CEVM_ANALYSIS_ENTRIES * sizeof *cache->entries);
        if (cache->entries == NULL) {
            return NULL;
        }
    }
    /* The hash is uniform; an attacker can make two codes share a place, which costs him a scan a call and no more. */
    cevm_analysis_entry **place = &cache->entries[cevm_load_be64(code_hash->bytes) % CEVM_ANALYSIS_ENTRIES];
    cevm_analysis_entry *entry = *place;
    if (entry != NULL && entry->code_size == size && cevm_hash_equal(&entry->hash, code_hash)) {
        entry->last_use = cache->execution;
        return entry->bits;
    }
    const size_t bytes = sizeof *entry + jumpdest_words(size) * sizeof *entry->bits;
    if ((entry != NULL && entry->last_use == cache->execution) || !make_room(cache, bytes)) {
        return NULL;
    }
    entry = cevm_alloc(cache->allocator, bytes);
    if (entry == NULL) {
        return NULL;
    }
    drop(cache, place);
    *entry = (cevm_analysis_entry){.hash = *code_hash, .code_size = size, .bytes = bytes, .last_use = cache->execution};
    cevm_jumpdest_scan(entry->bits, code, size);
    *place = entry;
    cache->bytes += bytes;
    return entry->bits;
}
