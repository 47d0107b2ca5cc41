/* SPDX-License-Identifier: Apache-2.0 */
/**
 * ethereum-tests/arena.h: memory of one loaded test: taken piece by piece, given back at once.
 *
 * A test is read, run and dropped; nothing in it is freed alone. Threads: one arena per thread.
 */
#ifndef CEVM_TESTS_ARENA_H
#define CEVM_TESTS_ARENA_H

#include <cevm/alloc.h>

typedef struct cevm_arena_block cevm_arena_block;

/** Zero-initialise, set allocator (NULL = libc), use. */
typedef struct cevm_arena {
    const cevm_allocator *allocator;
    cevm_arena_block *blocks; /* the newest first */
} cevm_arena;

/** size bytes of zeros, aligned for any type; NULL when memory runs out. */
void *cevm_arena_take(cevm_arena *arena, size_t size);

/** count zeroed items of size bytes; NULL on overflow or when memory runs out. A count of 0 gives a pointer not to be read. */
void *cevm_arena_array(cevm_arena *arena, size_t count, size_t size);

/** A NUL-terminated copy of text; NULL when memory runs out. */
char *cevm_arena_text(cevm_arena *arena, const char *text);

/** Gives everything back; the arena can be used again. */
void cevm_arena_clear(cevm_arena *arena);

#endif
