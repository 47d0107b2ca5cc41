/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/trie.c: the Merkle Patricia trie (Yellow Paper, appendix D). How nodes are kept is told in state/trie.h.
 *
 * Walks are loops. A branch is deeper than the one above it and no deeper than its keys are long, so a path holds at most
 * MAX_NIBBLES + 1 branches, and a walk over all nodes needs a stack of that many entries.
 */
#include "state/trie.h"

#include <cevm/alloc.h>
#include <cevm/crypto.h>

enum { MAX_NIBBLES = 2 * CEVM_TRIE_MAX_KEY, MAX_PATH = MAX_NIBBLES + 2 };

/** What leaves and branches share: the reference by which the parent includes this node. */
struct cevm_trie_node {
    bool is_branch;
    uint8_t ref_size; /* 0: not known. 32: a hash. Less: the node itself, whose encoding is that short. */
    uint8_t ref[32];
};

typedef struct cevm_trie_node node;

typedef struct leaf_node {
    node head;
    uint16_t key_size; /* bytes */
    size_t value_size;
    uint8_t bytes[]; /* the key, then the value */
} leaf_node;

typedef struct branch_node {
    node head;
    uint16_t depth;     /* nibbles that all keys below have in common */
    node *children[16]; /* by nibble number `depth` */
    node *value;        /* the leaf whose key ends here, or NULL */
} branch_node;

/* keccak256(0x80) */
const cevm_hash cevm_trie_empty_root = {{0x56, 0xe8, 0x1f, 0x17, 0x1b, 0xcc, 0x55, 0xa6, 0xff, 0x83, 0x45,
                                         0xe6, 0x92, 0xc0, 0xf8, 0x6e, 0x5b, 0x48, 0xe0, 0x1b, 0x99, 0x6c,
                                         0xad, 0xc0, 0x01, 0x62, 0x2f, 0xb5, 0xe3, 0x63, 0xb4, 0x21}};

static leaf_node *as_leaf(node *n) { return (leaf_node *)(void *)n; }

static branch_node *as_branch(node *n) { return (branch_node *)(void *)n; }

static cevm_bytes leaf_key(const leaf_node *leaf) { return (cevm_bytes){leaf->bytes, leaf->key_size}; }

static cevm_bytes leaf_value(const leaf_node *leaf)
{
    return (cevm_bytes){leaf->bytes + leaf->key_size, leaf->value_size};
}

static unsigned nibble(cevm_bytes key, size_t i)
{
    uint8_t byte = key.data[i / 2];
    return i % 2 == 0 ? byte >> 4 : byte & 15u;
}

/** Number of leading nibbles two keys share. */
static size_t common_nibbles(cevm_bytes a, cevm_bytes b)
{
    size_t least = a.size < b.size ? a.size : b.size;
    size_t i = 0;
    while (i < least && a.data[i] == b.data[i]) {
        ++i;
    }
    return 2 * i + (size_t)(i < least && (a.data[i] ^ b.data[i]) < 16);
}

static bool bytes_equal(cevm_bytes a, cevm_bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/** Where a branch keeps the node for `key`, which shares the branch's depth of nibbles or is searched as if it did. */
static node **branch_slot(branch_node *branch, cevm_bytes key)
{
    size_t depth = branch->depth;
    return depth < 2 * key.size ? &branch->children[nibble(key, depth)] : &branch->value;
}

/** Some entry of a branch; there are always at least two. */
static node *branch_any(const branch_node *branch)
{
    node *found = branch->value;
    for (size_t i = 0; found == NULL && i < 16; ++i) {
        found = branch->children[i];
    }
    return found;
}

/** A leaf below n that shares as many nibbles with key as any leaf below n does. */
static leaf_node *nearest_leaf(node *n, cevm_bytes key)
{
    while (n->is_branch) {
        node *next = *branch_slot(as_branch(n), key);
        n = next != NULL ? next : branch_any(as_branch(n));
    }
    return as_leaf(n);
}

/** Any leaf below n. */
static leaf_node *any_leaf(node *n)
{
    while (n->is_branch) {
        n = branch_any(as_branch(n));
    }
    return as_leaf(n);
}

void cevm_trie_init(cevm_trie *trie, const cevm_allocator *allocator)
{
    trie->allocator = allocator;
    trie->root = NULL;
}

void cevm_trie_clear(cevm_trie *trie)
{
    struct {
        branch_node *branch;
        size_t next;
    } stack[MAX_PATH];
    size_t depth = 0;
    node *n = trie->root;
    trie->root = NULL;
    for (;;) {
        if (n != NULL && n->is_branch) {
            stack[depth].branch = as_branch(n);
            stack[depth++].next = 0;
        } else {
            cevm_free(trie->allocator, n);
        }
        while (depth > 0 && stack[depth - 1].next == 17) {
            cevm_free(trie->allocator, stack[--depth].branch);
        }
        if (depth == 0) {
            return;
        }
        branch_node *branch = stack[depth - 1].branch;
        size_t i = stack[depth - 1].next++;
        n = i < 16 ? branch->children[i] : branch->value;
    }
}

bool cevm_trie_get(const cevm_trie *trie, cevm_bytes *value, cevm_bytes key)
{
    if (trie->root == NULL) {
        return false;
    }
    const leaf_node *leaf = nearest_leaf(trie->root, key);
    if (!bytes_equal(leaf_key(leaf), key)) {
        return false;
    }
    *value = leaf_value(leaf);
    return true;
}

static leaf_node *make_leaf(const cevm_trie *trie, cevm_bytes key, cevm_bytes value)
{
    if (value.size > SIZE_MAX - sizeof(leaf_node) - key.size) {
        return NULL;
    }
    leaf_node *leaf = cevm_alloc(trie->allocator, sizeof *leaf + key.size + value.size);
    if (leaf != NULL) {
        leaf->head.is_branch = false;
        leaf->head.ref_size = 0;
        leaf->key_size = (uint16_t)key.size;
        leaf->value_size = value.size;
        if (key.size != 0) {
            memcpy(leaf->bytes, key.data, key.size);
        }
        memcpy(leaf->bytes + key.size, value.data, value.size);
    }
    return leaf;
}

/**
 * Goes down to the place for `key` at `depth` nibbles, forgetting the references of the branches above it: the place holds
 * nothing, a leaf, or a branch that is at least that deep.
 */
static node **open_path(cevm_trie *trie, cevm_bytes key, size_t depth)
{
    node **place = &trie->root;
    while (*place != NULL && (*place)->is_branch && as_branch(*place)->depth < depth) {
        (*place)->ref_size = 0;
        place = branch_slot(as_branch(*place), key);
    }
    return place;
}

/** Gives a leaf that the trie holds another value. */
static cevm_err replace_value(cevm_trie *trie, leaf_node *old, cevm_bytes key, cevm_bytes value)
{
    if (bytes_equal(leaf_value(old), value)) {
        return CEVM_OK;
    }
    leaf_node *leaf = old;
    if (old->value_size != value.size) {
        leaf = make_leaf(trie, key, value);
        if (leaf == NULL) {
            return CEVM_ERR_NOMEM;
        }
    } else {
        memcpy(leaf->bytes + leaf->key_size, value.data, value.size);
    }
    leaf->head.ref_size = 0;
    *open_path(trie, key, MAX_NIBBLES + 1) = &leaf->head;
    if (leaf != old) {
        cevm_free(trie->allocator, old);
    }
    return CEVM_OK;
}

/** Adds a key that is absent and shares `shared` nibbles, and no more, with `near`, a leaf nearest to it. */
static cevm_err insert(cevm_trie *trie, leaf_node *near, size_t shared, cevm_bytes key, cevm_bytes value)
{
    leaf_node *leaf = make_leaf(trie, key, value);
    if (leaf == NULL) {
        return CEVM_ERR_NOMEM;
    }
    node **place = open_path(trie, key, shared);
    if (*place == NULL) {
        *place = &leaf->head;
        return CEVM_OK;
    }
    if ((*place)->is_branch && as_branch(*place)->depth == shared) {
        (*place)->ref_size = 0;
        *branch_slot(as_branch(*place), key) = &leaf->head;
        return CEVM_OK;
    }
    branch_node *branch = cevm_zalloc(trie->allocator, sizeof *branch);
    if (branch == NULL) {
        cevm_free(trie->allocator, leaf);
        return CEVM_ERR_NOMEM;
    }
    branch->head.is_branch = true;
    branch->depth = (uint16_t)shared;
    *branch_slot(branch, leaf_key(near)) = *place;
    *branch_slot(branch, key) = &leaf->head;
    (*place)->ref_size = 0; /* it starts deeper now */
    *place = &branch->head;
    return CEVM_OK;
}

/** The only entry of a branch, or NULL when it has more. */
static node *branch_only(const branch_node *branch)
{
    node *only = branch->value;
    for (size_t i = 0; i < 16; ++i) {
        if (branch->children[i] != NULL) {
            if (only != NULL) {
                return NULL;
            }
            only = branch->children[i];
        }
    }
    return only;
}

/** Takes a leaf out of the trie; a branch left with one entry gives way to it. */
static void remove_leaf(cevm_trie *trie, leaf_node *leaf)
{
    node **above = NULL; /* where the branch over `place` hangs */
    node **place = &trie->root;
    while ((*place)->is_branch) {
        (*place)->ref_size = 0;
        above = place;
        place = branch_slot(as_branch(*place), leaf_key(leaf));
    }
    *place = NULL;
    cevm_free(trie->allocator, leaf);
    if (above == NULL) {
        return;
    }
    branch_node *branch = as_branch(*above);
    node *only = branch_only(branch);
    if (only != NULL) {
        only->ref_size = 0; /* it starts higher now */
        *above = only;
        cevm_free(trie->allocator, branch);
    }
}

cevm_err cevm_trie_put(cevm_trie *trie, cevm_bytes key, cevm_bytes value)
{
    if (key.size > CEVM_TRIE_MAX_KEY) {
        return CEVM_ERR_ARGUMENT;
    }
    leaf_node *near = trie->root != NULL ? nearest_leaf(trie->root, key) : NULL;
    bool present = near != NULL && bytes_equal(leaf_key(near), key);
    if (value.size == 0) {
        if (present) {
            remove_leaf(trie, near);
        }
        return CEVM_OK;
    }
    if (present) {
        return replace_value(trie, near, key, value);
    }
    return insert(trie, near, near != NULL ? common_nibbles(leaf_key(near), key) : 0, key, value);
}

/* ---- Hashing ----------------------------------------------------------------------------------------------------- */

void cevm_trie_put_path(cevm_buf *buf, cevm_bytes key, size_t from, size_t to, bool is_leaf)
{
    uint8_t path[CEVM_TRIE_MAX_KEY + 1];
    size_t size = 0;
    unsigned flags = is_leaf ? 2 : 0;
    if ((to - from) % 2 != 0) {
        path[size++] = (uint8_t)((flags + 1) << 4 | nibble(key, from));
        ++from;
    } else {
        path[size++] = (uint8_t)(flags << 4);
    }
    for (; from < to; from += 2) {
        path[size++] = (uint8_t)(nibble(key, from) << 4 | nibble(key, from + 1));
    }
    cevm_rlp_put_bytes(buf, path, size);
}

/** Appends a reference: a hash is an RLP string, a short node stands as it is. */
static void put_ref(cevm_buf *buf, const node *n)
{
    if (n->ref_size == sizeof n->ref) {
        cevm_rlp_put_bytes(buf, n->ref, sizeof n->ref);
    } else {
        cevm_buf_append(buf, n->ref, n->ref_size);
    }
}

/** Makes the reference to the node whose encoding the buffer holds; the root is hashed even when it is short. */
static void set_ref(node *n, const cevm_buf *encoded, bool is_root)
{
    if (encoded->size < sizeof n->ref && !is_root) {
        memcpy(n->ref, encoded->data, encoded->size);
        n->ref_size = (uint8_t)encoded->size;
    } else {
        cevm_hash hash;
        cevm_keccak256(&hash, encoded->data, encoded->size);
        memcpy(n->ref, hash.bytes, sizeof hash.bytes);
        n->ref_size = sizeof hash.bytes;
    }
}

static void encode_branch(cevm_buf *buf, const branch_node *branch)
{
    size_t list = cevm_rlp_list_begin(buf);
    for (size_t i = 0; i < 16; ++i) {
        if (branch->children[i] != NULL) {
            put_ref(buf, branch->children[i]);
        } else {
            cevm_rlp_put_bytes(buf, NULL, 0);
        }
    }
    cevm_bytes value = {NULL, 0};
    if (branch->value != NULL) {
        value = leaf_value(as_leaf(branch->value));
    }
    cevm_rlp_put_bytes(buf, value.data, value.size);
    cevm_rlp_list_end(buf, list);
}

/** Makes the reference to a node that hangs at `start` nibbles; the references of its children are known. */
static cevm_err make_ref(node *n, size_t start, bool is_root, cevm_buf *scratch)
{
    cevm_buf_clear(scratch);
    if (n->is_branch) {
        encode_branch(scratch, as_branch(n));
    } else {
        const leaf_node *leaf = as_leaf(n);
        size_t list = cevm_rlp_list_begin(scratch);
        cevm_bytes value = leaf_value(leaf);
        cevm_trie_put_path(scratch, leaf_key(leaf), start, 2 * (size_t)leaf->key_size, true);
        cevm_rlp_put_bytes(scratch, value.data, value.size);
        cevm_rlp_list_end(scratch, list);
    }
    if (scratch->failed) {
        return CEVM_ERR_NOMEM;
    }
    size_t depth = n->is_branch ? as_branch(n)->depth : start;
    if (depth == start) {
        set_ref(n, scratch, is_root);
        return CEVM_OK;
    }
    /* The nibbles between: an extension node over the branch. */
    node branch_ref = {.is_branch = true, .ref_size = 0};
    set_ref(&branch_ref, scratch, false);
    cevm_buf_clear(scratch);
    size_t list = cevm_rlp_list_begin(scratch);
    cevm_trie_put_path(scratch, leaf_key(any_leaf(n)), start, depth, false);
    put_ref(scratch, &branch_ref);
    cevm_rlp_list_end(scratch, list);
    if (scratch->failed) {
        return CEVM_ERR_NOMEM;
    }
    set_ref(n, scratch, is_root);
    return CEVM_OK;
}

cevm_err cevm_trie_root(cevm_trie *trie, cevm_hash *out, cevm_buf *scratch)
{
    struct {
        node *n;
        size_t start; /* nibbles above the node */
        size_t next;  /* child to look at */
    } stack[MAX_PATH];
    if (trie->root == NULL) {
        *out = cevm_trie_empty_root;
        return CEVM_OK;
    }
    size_t depth = 0;
    if (trie->root->ref_size == 0) {
        stack[0].n = trie->root;
        stack[0].start = 0;
        stack[0].next = 0;
        depth = 1;
    }
    while (depth > 0) {
        node *n = stack[depth - 1].n;
        node *child = NULL;
        while (n->is_branch && child == NULL && stack[depth - 1].next < 16) {
            child = as_branch(n)->children[stack[depth - 1].next++];
            if (child != NULL && child->ref_size != 0) {
                child = NULL;
            }
        }
        if (child != NULL) {
            stack[depth].n = child;
            stack[depth].start = (size_t)as_branch(n)->depth + 1;
            stack[depth].next = 0;
            ++depth;
            continue;
        }
        cevm_err err = make_ref(n, stack[depth - 1].start, depth == 1, scratch);
        if (err != CEVM_OK) {
            return err;
        }
        --depth;
    }
    memcpy(out->bytes, trie->root->ref, sizeof out->bytes);
    return CEVM_OK;
}

cevm_err cevm_trie_ordered_root(cevm_hash *out, const cevm_bytes *values, size_t count, const cevm_allocator *allocator)
{
    cevm_trie trie;
    cevm_buf buf;
    cevm_err err = CEVM_OK;
    cevm_trie_init(&trie, allocator);
    cevm_buf_init(&buf, allocator);
    for (size_t i = 0; err == CEVM_OK && i < count; ++i) {
        cevm_buf_clear(&buf);
        cevm_rlp_put_u64(&buf, i);
        if (buf.failed) {
            err = CEVM_ERR_NOMEM;
        } else if (values[i].size == 0) {
            err = CEVM_ERR_ARGUMENT;
        } else {
            err = cevm_trie_put(&trie, (cevm_bytes){buf.data, buf.size}, values[i]);
        }
    }
    if (err == CEVM_OK) {
        err = cevm_trie_root(&trie, out, &buf);
    }
    cevm_trie_clear(&trie);
    cevm_buf_free(&buf);
    return err;
}
