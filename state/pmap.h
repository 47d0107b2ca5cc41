/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/pmap.h: a persistent map (a hash array mapped trie): a change makes a new map that shares all but the path to what
 * changed, the old one stays. Keys are 32 bytes, taken as they are: hashes, or numbers made into keys with cevm_pmap_number.
 * Values are counted references.
 *
 * Copying costs a count; put and remove cost a path. Threads: a map is an immutable value; any thread may read one that it
 * holds and let go of it.
 */
#ifndef CEVM_STATE_PMAP_H
#define CEVM_STATE_PMAP_H

#include <cevm/types.h>

#include "state/ref.h"

struct cevm_pmap_node;

/** Zero is the empty map. */
typedef struct cevm_pmap {
    struct cevm_pmap_node *root;
    size_t count;
} cevm_pmap;

/** One more owner of the same map. */
cevm_pmap cevm_pmap_copy(const cevm_pmap *map);
/** Lets go of a map; it is then empty. */
void cevm_pmap_release(cevm_pmap *map);

/** The value of a key, borrowed from the map; NULL when it is not there. */
cevm_ref *cevm_pmap_get(const cevm_pmap *map, const cevm_hash *key);
/**
 * Replaces *map by one in which the key has this value (a reference of its own is taken). Errors: CEVM_ERR_NOMEM, *map as
 * it was. The allocator is kept by the nodes made and must be safe on every thread that lets go of maps; NULL = libc.
 */
cevm_err cevm_pmap_put(cevm_pmap *map, const cevm_hash *key, cevm_ref *value, const cevm_allocator *allocator);
/** Replaces *map by one without the key; nothing happens when it is not there. Errors: CEVM_ERR_NOMEM. */
cevm_err cevm_pmap_remove(cevm_pmap *map, const cevm_hash *key, const cevm_allocator *allocator);

/** Called for each entry, in no order that means anything but always the same for equal contents; false stops. */
typedef bool (*cevm_pmap_visit)(void *user, const cevm_hash *key, cevm_ref *value);
void cevm_pmap_for_each(const cevm_pmap *map, cevm_pmap_visit visit, void *user);

/** A number as a key: near numbers do not share long prefixes. */
cevm_hash cevm_pmap_number(uint64_t number);

#endif
