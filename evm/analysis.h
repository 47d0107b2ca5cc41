/* SPDX-License-Identifier: Apache-2.0 */
/**
 * evm/analysis.h: which bytes of a code are JUMPDESTs, found once and remembered by code hash.
 *
 * Threads: a cache belongs to one VM.
 */
#ifndef CEVM_EVM_ANALYSIS_H
#define CEVM_EVM_ANALYSIS_H

#include <cevm/types.h>

/** Number of 64-bit words of a bitmap for so many bytes of code. */
static inline size_t jumpdest_words(size_t code_size) { return code_size / 64 + 1; }

/** Sets bit i of bits for each JUMPDEST at i that is not inside a PUSH's immediate. bits has jumpdest_words(size) words. */
void cevm_jumpdest_scan(uint64_t *bits, const uint8_t *code, size_t size);

/** Whether an instruction begins at a position, as far as the bytes before it tell. */
typedef enum cevm_boundary { CEVM_BOUNDARY_NO, CEVM_BOUNDARY_YES, CEVM_BOUNDARY_UNKNOWN } cevm_boundary;

/**
 * Whether an instruction begins at pc, from at most a few hundred bytes before it: cold code that jumps a few times need not
 * be scanned for that. Nearly always known at once; not in code made to hide it. Adds to *effort about how many
 * nanoseconds that took.
 */
cevm_boundary cevm_boundary_at(const uint8_t *code, size_t pc, uint32_t *effort);

static inline bool jumpdest_test(const uint64_t *bits, uint64_t pc) { return (bits[pc / 64] >> (pc % 64)) & 1; }

typedef struct cevm_analysis_entry {
    cevm_hash hash;
    size_t code_size;
    size_t bytes;      /* of memory, this struct included */
    uint64_t last_use; /* execution in which it was last handed out */
    uint64_t bits[];
} cevm_analysis_entry;

/** A bounded cache of bitmaps by code hash. Entries handed out stay until the next execution begins. */
typedef struct cevm_analysis_cache {
    const cevm_allocator *allocator;
    cevm_analysis_entry **entries; /* CEVM_ANALYSIS_ENTRIES places, made at first use; NULL: nothing is there */
    size_t bytes;                  /* held in entries */
    uint64_t execution;
} cevm_analysis_cache;

enum { CEVM_ANALYSIS_ENTRIES = 1024, CEVM_ANALYSIS_MAX_BYTES = 8 * 1024 * 1024 };

void cevm_analysis_init(cevm_analysis_cache *cache, const cevm_allocator *allocator);
void cevm_analysis_destroy(cevm_analysis_cache *cache);
/** Says that a new execution begins: nothing handed out before is in use any more. */
static inline void cevm_analysis_begin(cevm_analysis_cache *cache) { ++cache->execution; }
/**
 * The bitmap of a code, from the cache or made and kept. NULL when it cannot be kept (no memory, or its place is taken by
 * one in use): the caller then makes its own.
 */
const uint64_t *cevm_analysis_get(cevm_analysis_cache *cache, const cevm_hash *code_hash, const uint8_t *code,
                                  size_t size);

#endif
