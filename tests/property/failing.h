/* SPDX-License-Identifier: Apache-2.0 */
/**
 * tests/property/failing.h: an allocator that fails at a moment of the test's choosing, and knows whether all was given back.
 */
#ifndef CEVM_TESTS_FAILING_H
#define CEVM_TESTS_FAILING_H

#include <stddef.h>
#include <stdlib.h>

typedef struct failing {
    size_t left; /* allocations until the one that fails; 0: none does */
    size_t live; /* blocks not yet freed */
} failing;

static inline void *failing_resize(void *ctx, void *ptr, size_t size)
{
    failing *f = ctx;
    if (size == 0) {
        f->live -= (size_t)(ptr != NULL);
        free(ptr);
        return NULL;
    }
    if (f->left != 0 && --f->left == 0) {
        return NULL;
    }
    f->live += (size_t)(ptr == NULL);
    return realloc(ptr, size);
}

#endif
