/* SPDX-License-Identifier: Apache-2.0 */
#include "evm/arena.h"

#include <cevm/alloc.h>

enum { ALIGNMENT = 16, CHUNK_SIZE = 64 * 1024, KEEP_SIZE = 4 * CHUNK_SIZE };

struct cevm_arena_chunk {
    cevm_arena_chunk *next;
    size_t capacity;
    _Alignas(ALIGNMENT) uint8_t bytes[];
};

void cevm_arena_init(cevm_arena *arena, const cevm_allocator *allocator)
{
    *arena = (cevm_arena){.allocator = allocator};
}

static void free_chunks(cevm_arena *arena, cevm_arena_chunk *chunk)
{
    while (chunk != NULL) {
        cevm_arena_chunk *next = chunk->next;
        cevm_free(arena->allocator, chunk);
        chunk = next;
    }
}

void cevm_arena_destroy(cevm_arena *arena)
{
    free_chunks(arena, arena->first);
    *arena = (cevm_arena){.allocator = arena->allocator};
}

/** Makes `current` a chunk with room for size bytes: the next one if it is large enough, otherwise a new one before it. */
static bool add_chunk(cevm_arena *arena, size_t size)
{
    cevm_arena_chunk **link = arena->current != NULL ? &arena->current->next : &arena->first;
    if (*link == NULL || (*link)->capacity < size) {
        const size_t capacity = size > CHUNK_SIZE ? size : CHUNK_SIZE;
        if (capacity > SIZE_MAX - sizeof(cevm_arena_chunk)) {
            return false;
        }
        cevm_arena_chunk *chunk = cevm_alloc(arena->allocator, sizeof *chunk + capacity);
        if (chunk == NULL) {
            return false;
        }
        chunk->capacity = capacity;
        chunk->next = *link;
        *link = chunk;
    }
    arena->current = *link;
    arena->used = 0;
    return true;
}

void *cevm_arena_alloc(cevm_arena *arena, size_t size)
{
    if (size > SIZE_MAX - ALIGNMENT) {
        return NULL;
    }
    size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (arena->current == NULL || arena->current->capacity - arena->used < size) {
        if (!add_chunk(arena, size)) {
            return NULL;
        }
    }
    void *p = arena->current->bytes + arena->used;
    arena->used += size;
    return p;
}

void *cevm_arena_zalloc(cevm_arena *arena, size_t size)
{
    void *p = cevm_arena_alloc(arena, size);
    if (p != NULL) {
        memset(p, 0, size);
    }
    return p;
}

void *cevm_arena_array(cevm_arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        return NULL;
    }
    return cevm_arena_zalloc(arena, count != 0 ? count * size : 1);
}

char *cevm_arena_text(cevm_arena *arena, const char *text)
{
    const size_t size = strlen(text) + 1;
    char *copy = cevm_arena_alloc(arena, size);
    if (copy != NULL) {
        memcpy(copy, text, size);
    }
    return copy;
}

void cevm_arena_leave_chunk(cevm_arena *arena, cevm_arena_mark mark)
{
    cevm_arena_chunk **link = mark.chunk != NULL ? &mark.chunk->next : &arena->first;
    if (*link != NULL && (*link)->capacity > KEEP_SIZE) {
        free_chunks(arena, *link);
        *link = NULL;
    }
    arena->current = mark.chunk;
}
