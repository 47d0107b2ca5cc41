/* SPDX-License-Identifier: Apache-2.0 */
/**
 * tests/property/proof_check.h: a verifier of Merkle Patricia proofs (EIP-1186), written after the Yellow Paper, appendix
 * D: it knows nothing of how the library keeps its tries.
 */
#ifndef CEVM_TESTS_PROOF_CHECK_H
#define CEVM_TESTS_PROOF_CHECK_H

#include "state/rlp.h"
#include "state/trie.h"

#include <cevm/crypto.h>

enum { PROOF_NODES = 80, PROOF_NODE_SIZE = 600 };

typedef struct proof {
    uint8_t nodes[PROOF_NODES][PROOF_NODE_SIZE];
    size_t sizes[PROOF_NODES];
    size_t count;
} proof;

/** For cevm_tree_prove_account and cevm_tree_prove_slot. */
static inline bool proof_collect(void *user, cevm_bytes rlp)
{
    proof *p = user;
    if (p->count == PROOF_NODES || rlp.size > PROOF_NODE_SIZE) {
        return false;
    }
    memcpy(p->nodes[p->count], rlp.data, rlp.size);
    p->sizes[p->count++] = rlp.size;
    return true;
}

static inline unsigned proof_nibble(const uint8_t *bytes, size_t i)
{
    return i % 2 == 0 ? bytes[i / 2] >> 4 : bytes[i / 2] & 15u;
}

/** What a proof shows. */
typedef enum proof_result { PROOF_WRONG, PROOF_ABSENT, PROOF_PRESENT } proof_result;

/** A way through the nodes. */
typedef struct proof_walk {
    const proof *proof;
    size_t used;      /* nodes */
    size_t position;  /* nibbles of the key */
    cevm_bytes node;  /* payload of its list */
    bool is_complete; /* `value` says what came of it */
    cevm_bytes value; /* empty: absent */
} proof_walk;

/** Goes to the node that a reference stands for. */
static inline bool proof_follow(proof_walk *w, const cevm_rlp_item *ref)
{
    if (ref->is_list) {
        w->node = ref->payload;
        return ref->whole.size < 32;
    }
    if (ref->payload.size == 0) {
        w->is_complete = true;
        return true;
    }
    cevm_hash hash;
    if (ref->payload.size != 32 || w->used == w->proof->count) {
        return false;
    }
    cevm_bytes cursor = {w->proof->nodes[w->used], w->proof->sizes[w->used]};
    cevm_keccak256(&hash, cursor.data, cursor.size);
    ++w->used;
    return memcmp(hash.bytes, ref->payload.data, 32) == 0 && cevm_rlp_next_list(&cursor, &w->node) && cursor.size == 0;
}

/** One node: a branch of 17 items, or a leaf or extension of two. */
static inline bool proof_step(proof_walk *w, const cevm_hash *key)
{
    cevm_rlp_item items[17];
    size_t count = 0;
    cevm_bytes cursor = w->node;
    while (count < 17 && cevm_rlp_next(&cursor, &items[count])) {
        ++count;
    }
    if (cursor.size != 0) {
        return false;
    }
    if (count == 17) {
        return w->position < 64 && proof_follow(w, &items[proof_nibble(key->bytes, w->position++)]);
    }
    if (count != 2 || items[0].is_list || items[0].payload.size == 0) {
        return false;
    }
    const uint8_t *path = items[0].payload.data;
    const unsigned flags = path[0] >> 4;
    const size_t nibbles = 2 * items[0].payload.size;
    for (size_t i = (flags & 1) != 0 ? 1 : 2; i < nibbles; ++i, ++w->position) {
        if (w->position == 64) {
            return false;
        }
        if (proof_nibble(path, i) != proof_nibble(key->bytes, w->position)) {
            w->is_complete = true;
            return true;
        }
    }
    if ((flags & 2) == 0) {
        return proof_follow(w, &items[1]);
    }
    w->is_complete = true;
    w->value = items[1].payload;
    return w->position == 64 && !items[1].is_list && w->value.size != 0;
}

/** Checks a proof for a key against the root; *value views the proof. Every node of it has to be of use. */
static inline proof_result proof_verify(const proof *p, const cevm_hash *root, const cevm_hash *key, cevm_bytes *value)
{
    proof_walk w = {.proof = p};
    const cevm_rlp_item top = {.payload = {root->bytes, 32}};
    if (p->count == 0) {
        return memcmp(root->bytes, cevm_trie_empty_root.bytes, 32) == 0 ? PROOF_ABSENT : PROOF_WRONG;
    }
    bool right = proof_follow(&w, &top);
    while (right && !w.is_complete) {
        right = proof_step(&w, key);
    }
    if (!right || w.used != p->count) {
        return PROOF_WRONG;
    }
    *value = w.value;
    return w.value.size != 0 ? PROOF_PRESENT : PROOF_ABSENT;
}

#endif
