/* SPDX-License-Identifier: Apache-2.0 */
/**
 * evm/arena.h: memory that is given out in order and given back in bulk: to a mark, or all of it. Blocks never move. One
 * thread. An arena of zeros with its allocator set is ready for use.
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
/** Frees everything; the arena can be used again. */
void cevm_arena_destroy(cevm_arena *arena);
/** size bytes aligned to 16; NULL when memory runs out. */
void *cevm_arena_alloc(cevm_arena *arena, size_t size);
/** The same, filled with zeros. */
void *cevm_arena_zalloc(cevm_arena *arena, size_t size);
/** count zeroed items of size bytes; NULL on overflow or when memory runs out. A count of 0 gives a pointer not to be read. */
void *cevm_arena_array(cevm_arena *arena, size_t count, size_t size);
/** A NUL-terminated copy of text; NULL when memory runs out. */
char *cevm_arena_text(cevm_arena *arena, const char *text);
static inline cevm_arena_mark cevm_arena_get_mark(const cevm_arena *arena)
{
    return (cevm_arena_mark){.chunk = arena->current, .used = arena->used};
}

/** cevm_arena_release to a mark in another chunk. */
void cevm_arena_leave_chunk(cevm_arena *arena, cevm_arena_mark mark);
/** Gives back all that was given out since the mark. Chunks are kept for reuse, except very large ones. */
static inline void cevm_arena_release(cevm_arena *arena, cevm_arena_mark mark)
{
    if (arena->current != mark.chunk) {
        cevm_arena_leave_chunk(arena, mark);
    }
    arena->used = mark.used;
}

#endif
