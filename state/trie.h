/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/trie.h: the Merkle Patricia trie (Yellow Paper, appendix D) in memory.
 *
 * Keys and values are byte strings; hashing keys ("secure" tries) is the caller's work. Every node caches the reference
 * its parent holds to it, and a change forgets only the references on its path: a root costs work in proportion to what
 * changed since the last one, not to what the trie holds.
 *
 * Extension nodes are not stored. A branch knows the depth at which its keys part, and a leaf knows its whole key, so the
 * nibbles between two branches are found in any leaf below. That is why a removal never allocates.
 *
 * Errors: a function that fails leaves the trie as it was. Threads: one at a time.
 */
#ifndef CEVM_STATE_TRIE_H
#define CEVM_STATE_TRIE_H

#include "state/rlp.h"

#include <cevm/types.h>

/** Longest key, in bytes: it bounds the depth of the trie (256 nibbles) and the stack a walk needs. */
enum { CEVM_TRIE_MAX_KEY = 128 };

struct cevm_trie_node;

typedef struct cevm_trie {
    const cevm_allocator *allocator; /* NULL = libc */
    struct cevm_trie_node *root;     /* NULL when empty */
} cevm_trie;

/** Root of the trie without keys: keccak256(rlp("")). */
extern const cevm_hash cevm_trie_empty_root;

void cevm_trie_init(cevm_trie *trie, const cevm_allocator *allocator);
/** Frees all nodes; the trie is then empty and usable. */
void cevm_trie_clear(cevm_trie *trie);

/**
 * Sets the value of a key; an empty value removes the key (the trie cannot hold one). Both are copied.
 * Errors: CEVM_ERR_NOMEM (never for a removal); CEVM_ERR_ARGUMENT when the key is longer than CEVM_TRIE_MAX_KEY.
 */
cevm_err cevm_trie_put(cevm_trie *trie, cevm_bytes key, cevm_bytes value);

/** Finds a key; *value then views the trie's copy, valid until the next change. False when it is absent. */
bool cevm_trie_get(const cevm_trie *trie, cevm_bytes *value, cevm_bytes key);

/** Appends nibbles [from, to) of a key in hex-prefix encoding (Yellow Paper, appendix C) as an RLP string. */
void cevm_trie_put_path(cevm_buf *buf, cevm_bytes key, size_t from, size_t to, bool is_leaf);

/** The root hash. scratch is a buffer to encode nodes in, emptied first. Errors: CEVM_ERR_NOMEM. */
cevm_err cevm_trie_root(cevm_trie *trie, cevm_hash *out, cevm_buf *scratch);

/**
 * The root of a list: values[i] under the key rlp(i), as transactions, receipts and withdrawals of a block are kept.
 * Errors: CEVM_ERR_NOMEM; CEVM_ERR_ARGUMENT when a value is empty.
 */
cevm_err cevm_trie_ordered_root(cevm_hash *out, const cevm_bytes *values, size_t count,
                                const cevm_allocator *allocator);

#endif
