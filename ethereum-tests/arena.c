/* SPDX-License-Identifier: Apache-2.0 */
#include "ethereum-tests/arena.h"

#include <stdalign.h>

enum { ARENA_BLOCK = 64 * 1024 };

struct cevm_arena_block {
    cevm_arena_block *next;
    size_t used;
    size_t size;
    alignas(max_align_t) uint8_t data[];
};

void *cevm_arena_take(cevm_arena *arena, size_t size)
{
    const size_t align = alignof(max_align_t);
    if (size > SIZE_MAX / 2) {
        return NULL;
    }
    size = (size + align - 1) / align * align;
    cevm_arena_block *block = arena->blocks;
    if (block == NULL || block->size - block->used < size) {
        size_t room = size > ARENA_BLOCK ? size : ARENA_BLOCK;
        block = cevm_alloc(arena->allocator, sizeof *block + room);
        if (block == NULL) {
            return NULL;
        }
        block->next = arena->blocks;
        block->used = 0;
        block->size = room;
        arena->blocks = block;
    }
    uint8_t *p = block->data + block->used;
    block->used += size;
    memset(p, 0, size);
    return p;
}

void *cevm_arena_array(cevm_arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        return NULL;
    }
    return cevm_arena_take(arena, count != 0 ? count * size : 1);
}

char *cevm_arena_text(cevm_arena *arena, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = cevm_arena_take(arena, size);
    if (copy != NULL) {
        memcpy(copy, text, size);
    }
    return copy;
}

void cevm_arena_clear(cevm_arena *arena)
{
    while (arena->blocks != NULL) {
        cevm_arena_block *block = arena->blocks;
        arena->blocks = block->next;
        cevm_free(arena->allocator, block);
    }
}
