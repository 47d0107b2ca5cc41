/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/tree_node.c: the nodes of the shared memory backend: their life, and the paths that are copied for a change.
 *
 * A change goes down from the root and makes each node of its way the store's own. When memory runs out on the way, some
 * nodes have been copied and some references forgotten, and that is all: the content changes in one step at the end.
 *
 * A branch is deeper than the one above it, so that a path holds at most TREE_NIBBLES of them, and walks need no recursion.
 * Letting go of an account lets go of its storage: one trie inside the other, no deeper.
 */
#include "state/tree_internal.h"

#include <cevm/alloc.h>

/* ---- Life ------------------------------------------------------------------------------------------------------------ */

static size_t node_size(tree_kind kind)
{
    switch (kind) {
    case TREE_BRANCH: return sizeof(tree_branch);
    case TREE_ACCOUNT: return sizeof(tree_account);
    case TREE_SLOT: return sizeof(tree_slot);
    case TREE_ACCOUNT_MARK: return sizeof(tree_account_mark);
    case TREE_SLOT_MARK: return sizeof(tree_slot_mark);
    }
    return 0;
}

tree_node *cevm_tree_node_make(tree_common *common, tree_kind kind)
{
    tree_node *n = cevm_zalloc(common->allocator, node_size(kind));
    if (n != NULL) {
        atomic_init(&n->count, 1);
        n->kind = (uint8_t)kind;
        n->depth = TREE_NIBBLES;
    }
    return n;
}

static void retain(tree_node *n) { atomic_fetch_add_explicit(&n->count, 1, memory_order_relaxed); }

static bool is_single(tree_node *n) { return atomic_load_explicit(&n->count, memory_order_acquire) == 1; }

/** Lets go of one reference; true when it was the last. */
static bool drop(tree_node *n) { return atomic_fetch_sub_explicit(&n->count, 1, memory_order_acq_rel) == 1; }

/** What is soon counted, and perhaps hashed, is fetched now, all at once: each count has to wait for its own otherwise. */
static void prefetch_children(const tree_branch *branch)
{
    for (size_t i = 0; i < 16; ++i) {
        if (branch->children[i] != NULL) {
            __builtin_prefetch(branch->children[i], 1);
            __builtin_prefetch(&branch->children[i]->ref[TREE_HASH - 1], 1);
        }
    }
}

/** Frees a leaf, the last reference to which is gone; the storage of an account is the caller's. */
static void free_leaf(tree_common *common, tree_node *n)
{
    if (n->kind == TREE_ACCOUNT) {
        cevm_tree_code_release(common, tree_as_account(n)->code);
    }
    cevm_free(common->allocator, n);
}

/** Lets go of a trie of leaves that own nothing, or (`tail` not NULL) of accounts, whose storages are left to `tail`. */
static void release_trie(tree_common *common, tree_node *n, void (*tail)(tree_common *common, tree_account *account))
{
    struct {
        tree_branch *branch;
        size_t next;
    } stack[TREE_NIBBLES];
    size_t height = 0;
    for (;;) {
        if (n != NULL && drop(n)) {
            if (n->kind == TREE_BRANCH) {
                prefetch_children(tree_as_branch(n));
                stack[height].branch = tree_as_branch(n);
                stack[height++].next = 0;
            } else {
                if (n->kind == TREE_ACCOUNT && tail != NULL) {
                    tail(common, tree_as_account(n));
                }
                free_leaf(common, n);
            }
        }
        while (height > 0 && stack[height - 1].next == 16) {
            cevm_free(common->allocator, stack[--height].branch);
        }
        if (height == 0) {
            return;
        }
        n = stack[height - 1].branch->children[stack[height - 1].next++];
    }
}

static void release_storage(tree_common *common, tree_account *account)
{
    release_trie(common, account->storage, NULL);
    release_trie(common, account->gone, NULL);
}

void cevm_tree_node_release(tree_common *common, tree_node *n) { release_trie(common, n, release_storage); }

tree_state cevm_tree_state_copy(const tree_state *state)
{
    if (state->accounts != NULL) {
        retain(state->accounts);
    }
    if (state->gone != NULL) {
        retain(state->gone);
    }
    return *state;
}

void cevm_tree_state_release(tree_common *common, tree_state *state)
{
    cevm_tree_node_release(common, state->accounts);
    cevm_tree_node_release(common, state->gone);
    *state = (tree_state){NULL, NULL};
}

/* ---- Copies ---------------------------------------------------------------------------------------------------------- */

/** Makes what a copied node refers to have one more owner. */
static void retain_parts(tree_node *n)
{
    if (n->kind == TREE_BRANCH) {
        tree_branch *branch = tree_as_branch(n);
        prefetch_children(branch);
        for (size_t i = 0; i < 16; ++i) {
            if (branch->children[i] != NULL) {
                retain(branch->children[i]);
            }
        }
    } else if (n->kind == TREE_ACCOUNT) {
        tree_account *account = tree_as_account(n);
        if (account->code != NULL) {
            cevm_tree_code_retain(account->code);
        }
        if (account->storage != NULL) {
            retain(account->storage);
        }
        if (account->gone != NULL) {
            retain(account->gone);
        }
    }
}

/**
 * Makes the node at a place the store's own, if what holds the place is; its reference is forgotten, because it is about to
 * change or to move. NULL: no memory.
 */
static tree_node *own(tree_common *common, tree_node **place)
{
    tree_node *n = *place;
    if (!is_single(n)) {
        const size_t size = node_size((tree_kind)n->kind);
        tree_node *copy = cevm_alloc(common->allocator, size);
        if (copy == NULL) {
            return NULL;
        }
        /* All but the count, which others may be changing. */
        const size_t from = offsetof(tree_node, kind);
        memcpy((uint8_t *)copy + from, (const uint8_t *)n + from, size - from);
        atomic_init(&copy->count, 1);
        retain_parts(copy);
        *place = copy;
        cevm_tree_node_release(common, n);
        n = copy;
    }
    n->ref_size = 0;
    return n;
}

/* ---- Paths ----------------------------------------------------------------------------------------------------------- */

tree_leaf *cevm_tree_find(tree_node *root, const cevm_hash *key)
{
    tree_node *n = root;
    while (n != NULL && n->kind == TREE_BRANCH) {
        n = tree_as_branch(n)->children[tree_nibble(key, n->depth)];
    }
    return n != NULL && cevm_hash_equal(&tree_as_leaf(n)->key, key) ? tree_as_leaf(n) : NULL;
}

/** Some child of a branch; there are always at least two. */
static tree_node *any_child(const tree_branch *branch)
{
    size_t i = 0;
    while (branch->children[i] == NULL) {
        ++i;
    }
    return branch->children[i];
}

const tree_leaf *cevm_tree_any_leaf(tree_node *n)
{
    while (n->kind == TREE_BRANCH) {
        n = any_child(tree_as_branch(n));
    }
    return tree_as_leaf(n);
}

/** Some leaf that shares as many nibbles with the key as any does. */
static const tree_leaf *nearest_leaf(tree_node *n, const cevm_hash *key)
{
    while (n->kind == TREE_BRANCH) {
        tree_node *next = tree_as_branch(n)->children[tree_nibble(key, n->depth)];
        n = next != NULL ? next : any_child(tree_as_branch(n));
    }
    return tree_as_leaf(n);
}

/** Number of leading nibbles two keys share. */
static size_t common_nibbles(const cevm_hash *a, const cevm_hash *b)
{
    size_t i = 0;
    while (i < TREE_HASH && a->bytes[i] == b->bytes[i]) {
        ++i;
    }
    return 2 * i + (size_t)(i < TREE_HASH && (a->bytes[i] ^ b->bytes[i]) < 16);
}

/**
 * Goes down the key's way to what hangs at `depth` nibbles or deeper, making the branches above the store's own. NULL: no
 * memory.
 */
static tree_node **open_path(tree_common *common, tree_node **root, const cevm_hash *key, size_t depth)
{
    tree_node **place = root;
    while (*place != NULL && (*place)->depth < depth) { /* a branch */
        tree_node *n = own(common, place);
        if (n == NULL) {
            return NULL;
        }
        place = &tree_as_branch(n)->children[tree_nibble(key, n->depth)];
    }
    return place;
}

tree_leaf *cevm_tree_open(tree_common *common, tree_node **root, const cevm_hash *key)
{
    tree_node **place = open_path(common, root, key, TREE_NIBBLES);
    tree_node *n = place != NULL ? own(common, place) : NULL;
    return n != NULL ? tree_as_leaf(n) : NULL;
}

cevm_err cevm_tree_put(tree_common *common, tree_node **root, tree_leaf *leaf)
{
    if (*root == NULL) {
        *root = &leaf->head;
        return CEVM_OK;
    }
    const cevm_hash near = nearest_leaf(*root, &leaf->key)->key;
    const size_t shared = common_nibbles(&near, &leaf->key);
    tree_node **place = open_path(common, root, &leaf->key, shared);
    if (place == NULL) {
        return CEVM_ERR_NOMEM;
    }
    if (shared == TREE_NIBBLES) { /* the leaf with this key is there */
        tree_node *old = *place;
        *place = &leaf->head;
        cevm_tree_node_release(common, old);
        return CEVM_OK;
    }
    if ((*place)->depth == shared) { /* a branch with nothing for this key */
        tree_node *n = own(common, place);
        if (n == NULL) {
            return CEVM_ERR_NOMEM;
        }
        tree_as_branch(n)->children[tree_nibble(&leaf->key, shared)] = &leaf->head;
        return CEVM_OK;
    }
    /* A new branch above what hangs there, which moves down. */
    tree_node *moved = own(common, place);
    tree_node *n = moved != NULL ? cevm_tree_node_make(common, TREE_BRANCH) : NULL;
    if (n == NULL) {
        return CEVM_ERR_NOMEM;
    }
    n->depth = (uint8_t)shared;
    tree_as_branch(n)->children[tree_nibble(&near, shared)] = moved;
    tree_as_branch(n)->children[tree_nibble(&leaf->key, shared)] = &leaf->head;
    *place = n;
    return CEVM_OK;
}

/** The place of the only child of a branch but the one for a nibble; NULL when there are several. */
static tree_node **only_other(tree_branch *branch, unsigned nibble)
{
    tree_node **only = NULL;
    for (unsigned i = 0; i < 16; ++i) {
        if (i != nibble && branch->children[i] != NULL) {
            if (only != NULL) {
                return NULL;
            }
            only = &branch->children[i];
        }
    }
    return only;
}

/** The depth of the branch over a leaf that is there and is not alone. */
static size_t depth_above(const tree_node *root, const cevm_hash *key)
{
    size_t depth = 0;
    for (const tree_node *n = root; n->kind == TREE_BRANCH;) {
        depth = n->depth;
        n = ((const tree_branch *)(const void *)n)->children[tree_nibble(key, depth)];
    }
    return depth;
}

cevm_err cevm_tree_remove(tree_common *common, tree_node **root, const cevm_hash *key)
{
    if (cevm_tree_find(*root, key) == NULL) {
        return CEVM_OK;
    }
    if ((*root)->kind != TREE_BRANCH) {
        cevm_tree_node_release(common, *root);
        *root = NULL;
        return CEVM_OK;
    }
    tree_node **place = open_path(common, root, key, depth_above(*root, key));
    tree_node *n = place != NULL ? own(common, place) : NULL;
    if (n == NULL) {
        return CEVM_ERR_NOMEM;
    }
    tree_branch *branch = tree_as_branch(n);
    const unsigned nibble = tree_nibble(key, n->depth);
    tree_node **other = only_other(branch, nibble);
    if (other == NULL) {
        cevm_tree_node_release(common, branch->children[nibble]);
        branch->children[nibble] = NULL;
        return CEVM_OK;
    }
    /* The branch gives way to what is left, which moves up. */
    tree_node *moved = own(common, other);
    if (moved == NULL) {
        return CEVM_ERR_NOMEM;
    }
    *other = NULL;
    *place = moved;
    cevm_tree_node_release(common, n);
    return CEVM_OK;
}
