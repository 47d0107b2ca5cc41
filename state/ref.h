/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/ref.h: counted references to immutable things, safe between threads.
 */
#ifndef CEVM_STATE_REF_H
#define CEVM_STATE_REF_H

#include <stdatomic.h>
#include <stddef.h>

/** First member of what is counted. */
typedef struct cevm_ref {
    atomic_size_t count;
    void (*destroy)(struct cevm_ref *self); /* called by whoever lets go of the last reference */
} cevm_ref;

static inline void cevm_ref_init(cevm_ref *ref, void (*destroy)(cevm_ref *self))
{
    atomic_init(&ref->count, 1);
    ref->destroy = destroy;
}

static inline void cevm_ref_retain(cevm_ref *ref) { atomic_fetch_add_explicit(&ref->count, 1, memory_order_relaxed); }

/** NULL is allowed. */
static inline void cevm_ref_release(cevm_ref *ref)
{
    if (ref != NULL && atomic_fetch_sub_explicit(&ref->count, 1, memory_order_acq_rel) == 1) {
        ref->destroy(ref);
    }
}

#endif
