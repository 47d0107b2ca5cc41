/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cevm/alloc.h: small helpers over cevm_allocator. A NULL allocator is libc. Safe on any thread the allocator is.
 */
#ifndef CEVM_ALLOC_H
#define CEVM_ALLOC_H

#include <cevm/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Resizes a block (NULL = new). new_size must not be 0. NULL on failure, the old block then stays valid. */
static inline void *cevm_resize(const cevm_allocator *a, void *ptr, size_t new_size)
{
    const cevm_allocator *use = a != NULL ? a : cevm_default_allocator();
    return use->resize(use->ctx, ptr, new_size);
}

/** Allocates size bytes, uninitialised (at least one). NULL on failure. */
static inline void *cevm_alloc(const cevm_allocator *a, size_t size)
{
    return cevm_resize(a, NULL, size != 0 ? size : 1);
}

/** Allocates size bytes of zeros (at least one). NULL on failure. */
static inline void *cevm_zalloc(const cevm_allocator *a, size_t size)
{
    void *p = cevm_alloc(a, size);
    if (p != NULL) {
        memset(p, 0, size);
    }
    return p;
}

/** Resizes an array to count items of size bytes; NULL on overflow or failure. */
static inline void *cevm_resize_array(const cevm_allocator *a, void *ptr, size_t count, size_t size)
{
    if (count == 0 || size == 0 || count > SIZE_MAX / size) {
        return NULL;
    }
    return cevm_resize(a, ptr, count * size);
}

/** Frees a block; NULL is allowed. */
static inline void cevm_free(const cevm_allocator *a, void *ptr)
{
    if (ptr != NULL) {
        const cevm_allocator *use = a != NULL ? a : cevm_default_allocator();
        (void)use->resize(use->ctx, ptr, 0);
    }
}

#ifdef __cplusplus
}
#endif
#endif
