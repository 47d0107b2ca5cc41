/* SPDX-License-Identifier: Apache-2.0 */
/**
 * evm/arena.h: memory that is given out in order and given back in bulk, to a mark. Blocks never move. One thread.
 */
#ifndef CEVM_EVM_ARENA_H
#define CEVM_EVM_ARENA_H

#include <cevm/types.h>

typedef struct cevm_arena_chunk cevm_arena_chunk;

typedef struct cevm_arena {
    const cevm_allocator *allocator;
    cevm_arena_chunk *first;
    cevm_arena_chunk *current;
    size_t used; /* bytes of `current` */
} cevm_arena;

typedef struct cevm_arena_mark {
    cevm_arena_chunk *chunk;
    size_t used;
} cevm_arena_mark;

void cevm_arena_init(cevm_arena *arena, const cevm_allocator *allocator);
void cevm_arena_destroy(cevm_arena *arena);
/** size bytes aligned to 16; NULL when memory runs out. */
void *cevm_arena_alloc(cevm_arena *arena, size_t size);
cevm_arena_mark cevm_arena_get_mark(const cevm_arena *arena);
/** Gives back all that was given out since the mark. Chunks are kept for reuse, except very large ones. */
void cevm_arena_release(cevm_arena *arena, cevm_arena_mark mark);

#endif
