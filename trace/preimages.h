/* SPDX-License-Identifier: Apache-2.0 */
/**
 * trace/preimages.h: what a transaction hashed with KECCAK256, each once. Internal to trace/.
 */
#ifndef CEVM_TRACE_PREIMAGES_H
#define CEVM_TRACE_PREIMAGES_H

#include "state/map.h"
#include "trace/trace_base.h"

typedef struct cevm_preimage {
    cevm_hash hash;
    cevm_bytes data; /* owned */
} cevm_preimage;

typedef struct cevm_preimages {
    cevm_map_seed seed;
    cevm_map map;
    cevm_preimage *items;
    size_t count, capacity;
} cevm_preimages;

void cevm_preimages_init(cevm_preimages *p, const cevm_allocator *allocator);
void cevm_preimages_release(cevm_preimages *p, const cevm_trace *t);
/** Keeps what a step hashes, if it is a KECCAK256. */
void cevm_preimages_step(cevm_preimages *p, cevm_trace *t, const cevm_step *step);
/** Puts them in the order of their bytes, so that the same transaction always gives the same text. */
void cevm_preimages_sort(cevm_preimages *p);

#endif
