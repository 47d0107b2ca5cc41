/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/pmap.c: the persistent map (state/pmap.h).
 *
 * A radix tree over the key, five bits at a time, with no branch of a single child: a branch knows at which five bits its
 * keys part, a leaf knows its whole key. The form depends on nothing but the content.
 *
 * Nodes are counted and may have many owners. One that is reached through nodes with a single owner each is nobody else's,
 * so it is changed where it stands; all others are copied. What a change needs is allocated before anything is touched.
 *
 * A branch is deeper than the one above it, so a path holds at most DEPTHS of them and walks need no recursion.
 */
#include "state/pmap.h"

#include <cevm/alloc.h>

enum { KEY_BITS = 256, STEP = 5, DEPTHS = (KEY_BITS + STEP - 1) / STEP, LEAF = UINT8_MAX };

typedef struct cevm_pmap_node {
    atomic_size_t count; /* owners */
    const cevm_allocator *allocator;
    uint8_t depth; /* steps that all keys below have in common; LEAF: a leaf */
} node;

typedef struct leaf_node {
    node head;
    cevm_hash key;
    cevm_ref *value;
} leaf_node;

typedef struct branch_node {
    node head;
    uint32_t present; /* bit i: there is a child for step value i */
    node *children[]; /* of the bits set, in their order */
} branch_node;

/** The branches from the root to a place. */
typedef struct path {
    branch_node *branches[DEPTHS];
    size_t count;
    size_t owned; /* so many of them, from the root on, are this map's alone */
    node *place;  /* what hangs there; NULL: nothing */
    bool place_owned;
} path;

static leaf_node *as_leaf(node *n) { return (leaf_node *)(void *)n; }

static branch_node *as_branch(node *n) { return (branch_node *)(void *)n; }

/** Step number i of a key. */
static unsigned step_of(const cevm_hash *key, size_t i)
{
    const size_t bit = STEP * i;
    const unsigned high = key->bytes[bit / 8];
    const unsigned low = bit / 8 + 1 < sizeof key->bytes ? key->bytes[bit / 8 + 1] : 0;
    return (high << 8 | low) >> (16 - STEP - bit % 8) & ((1u << STEP) - 1);
}

/** Number of leading steps in which two different keys agree. */
static size_t common_steps(const cevm_hash *a, const cevm_hash *b)
{
    size_t i = 0;
    while (a->bytes[i] == b->bytes[i]) {
        ++i;
    }
    const unsigned differ = a->bytes[i] ^ (unsigned)b->bytes[i];
    return (8 * i + (size_t)__builtin_clz(differ) - (sizeof(unsigned) - 1) * 8) / STEP;
}

/** Bits that are set. A compiler that may not use the processor's instruction would call a function. */
static size_t popcount(uint32_t bits)
{
    bits -= bits >> 1 & 0x55555555u;
    bits = (bits & 0x33333333u) + (bits >> 2 & 0x33333333u);
    bits = (bits + (bits >> 4)) & 0x0f0f0f0fu;
    return bits * 0x01010101u >> 24;
}

static size_t child_count(const branch_node *branch) { return popcount(branch->present); }

/** Where among the children the one for a step value is, or would be. */
static size_t child_index(const branch_node *branch, unsigned value)
{
    return popcount(branch->present & ((UINT32_C(1) << value) - 1));
}

static bool has_child(const branch_node *branch, unsigned value) { return (branch->present >> value & 1) != 0; }

/* ---- Life of nodes ------------------------------------------------------------------------------------------------- */

static void retain(node *n) { atomic_fetch_add_explicit(&n->count, 1, memory_order_relaxed); }

static bool is_single(node *n) { return atomic_load_explicit(&n->count, memory_order_acquire) == 1; }

/** Lets go of one reference; true when it was the last. */
static bool drop(node *n) { return atomic_fetch_sub_explicit(&n->count, 1, memory_order_acq_rel) == 1; }

/** Lets go of a node (NULL is allowed) and of all that nobody else holds below it. */
static void release(node *n)
{
    struct {
        branch_node *branch;
        size_t next;
    } stack[DEPTHS];
    size_t depth = 0;
    for (;;) {
        if (n != NULL && drop(n)) {
            if (n->depth != LEAF) {
                stack[depth].branch = as_branch(n);
                stack[depth++].next = 0;
            } else {
                cevm_ref_release(as_leaf(n)->value);
                cevm_free(n->allocator, n);
            }
        }
        while (depth > 0 && stack[depth - 1].next == child_count(stack[depth - 1].branch)) {
            branch_node *done = stack[--depth].branch;
            cevm_free(done->head.allocator, done);
        }
        if (depth == 0) {
            return;
        }
        n = stack[depth - 1].branch->children[stack[depth - 1].next++];
    }
}

static leaf_node *make_leaf(const cevm_hash *key, cevm_ref *value, const cevm_allocator *allocator)
{
    leaf_node *leaf = cevm_alloc(allocator, sizeof *leaf);
    if (leaf != NULL) {
        atomic_init(&leaf->head.count, 1);
        leaf->head.allocator = allocator;
        leaf->head.depth = LEAF;
        leaf->key = *key;
        leaf->value = value;
        cevm_ref_retain(value);
    }
    return leaf;
}

/** A branch with room for `count` children; they are the caller's to fill in. */
static branch_node *make_branch(size_t count, size_t depth, const cevm_allocator *allocator)
{
    branch_node *branch = cevm_alloc(allocator, sizeof *branch + count * sizeof branch->children[0]);
    if (branch != NULL) {
        atomic_init(&branch->head.count, 1);
        branch->head.allocator = allocator;
        branch->head.depth = (uint8_t)depth;
        branch->present = 0;
    }
    return branch;
}

/* ---- Paths --------------------------------------------------------------------------------------------------------- */

/** Some leaf that agrees with the key in as many steps as any does. */
static leaf_node *nearest_leaf(node *n, const cevm_hash *key)
{
    while (n->depth != LEAF) {
        const branch_node *branch = as_branch(n);
        const unsigned value = step_of(key, n->depth);
        n = branch->children[has_child(branch, value) ? child_index(branch, value) : 0];
    }
    return as_leaf(n);
}

/** Goes down to what hangs on the key's way at `depth` steps or deeper. */
static void find_path(path *p, node *root, const cevm_hash *key, size_t depth)
{
    p->count = 0;
    p->owned = 0;
    p->place = root;
    p->place_owned = root != NULL && is_single(root);
    while (p->place != NULL && p->place->depth < depth) { /* a leaf is never above */
        branch_node *branch = as_branch(p->place);
        p->owned += (size_t)p->place_owned;
        p->branches[p->count++] = branch;
        const unsigned value = step_of(key, branch->head.depth);
        p->place = has_child(branch, value) ? branch->children[child_index(branch, value)] : NULL;
        p->place_owned = p->place_owned && p->place != NULL && is_single(p->place);
    }
}

/** Makes empty copies of the branches that others own too. */
static cevm_err make_copies(const path *p, branch_node *copies[DEPTHS], const cevm_allocator *allocator)
{
    for (size_t i = p->owned; i < p->count; ++i) {
        copies[i] = make_branch(child_count(p->branches[i]), p->branches[i]->head.depth, allocator);
        if (copies[i] == NULL) {
            while (i > p->owned) {
                cevm_free(allocator, copies[--i]);
            }
            return CEVM_ERR_NOMEM;
        }
    }
    return CEVM_OK;
}

/**
 * Hangs `fresh` where the path ends, filling in the copies. The map lets go of what it replaces; `hollow` tells that the
 * place was this map's alone and its children have moved to `fresh`.
 */
static void hang(cevm_pmap *map, const path *p, branch_node *const copies[DEPTHS], const cevm_hash *key, node *fresh,
                 bool hollow)
{
    node *child = fresh;
    for (size_t i = p->count; i > p->owned; --i) {
        const branch_node *old = p->branches[i - 1];
        branch_node *copy = copies[i - 1];
        const size_t at = child_index(old, step_of(key, old->head.depth));
        copy->present = old->present;
        for (size_t c = 0; c < child_count(old); ++c) {
            copy->children[c] = c != at ? old->children[c] : child;
            if (c != at) {
                retain(copy->children[c]);
            }
        }
        child = &copy->head;
    }
    node **where = &map->root;
    if (p->owned != 0) {
        branch_node *above = p->branches[p->owned - 1];
        where = &above->children[child_index(above, step_of(key, above->head.depth))];
    }
    node *old = *where;
    *where = child;
    if (hollow) {
        cevm_free(old->allocator, old);
    } else {
        release(old);
    }
}

/** A child for a new branch: moved from an old one that is about to go, else shared with it. */
static node *take(node *child, bool moves)
{
    if (!moves) {
        retain(child);
    }
    return child;
}

/* ---- The map ------------------------------------------------------------------------------------------------------- */

cevm_pmap cevm_pmap_copy(const cevm_pmap *map)
{
    if (map->root != NULL) {
        retain(map->root);
    }
    return *map;
}

void cevm_pmap_release(cevm_pmap *map)
{
    release(map->root);
    *map = (cevm_pmap){0};
}

cevm_ref *cevm_pmap_get(const cevm_pmap *map, const cevm_hash *key)
{
    node *n = map->root;
    while (n != NULL && n->depth != LEAF) {
        const branch_node *branch = as_branch(n);
        const unsigned value = step_of(key, n->depth);
        n = has_child(branch, value) ? branch->children[child_index(branch, value)] : NULL;
    }
    return n != NULL && cevm_hash_equal(&as_leaf(n)->key, key) ? as_leaf(n)->value : NULL;
}

/** Gives a key that is there another value. */
static cevm_err replace(cevm_pmap *map, const cevm_hash *key, cevm_ref *value, const cevm_allocator *allocator)
{
    path p;
    branch_node *copies[DEPTHS];
    find_path(&p, map->root, key, DEPTHS);
    leaf_node *old = as_leaf(p.place);
    if (old->value == value) {
        return CEVM_OK;
    }
    if (p.place_owned) {
        cevm_ref_retain(value);
        cevm_ref_release(old->value);
        old->value = value;
        return CEVM_OK;
    }
    leaf_node *leaf = make_leaf(key, value, allocator);
    if (leaf == NULL || make_copies(&p, copies, allocator) != CEVM_OK) {
        release(leaf != NULL ? &leaf->head : NULL);
        return CEVM_ERR_NOMEM;
    }
    hang(map, &p, copies, key, &leaf->head, false);
    return CEVM_OK;
}

/** Adds a key that is not there and agrees in `shared` steps, and no more, with `near`. */
static cevm_err insert(cevm_pmap *map, const cevm_hash *near, size_t shared, const cevm_hash *key, cevm_ref *value,
                       const cevm_allocator *allocator)
{
    path p;
    branch_node *copies[DEPTHS];
    find_path(&p, map->root, key, shared);
    const bool grows = p.place->depth == shared; /* a branch there gets one more child */
    const size_t count = grows ? child_count(as_branch(p.place)) : 1;
    leaf_node *leaf = make_leaf(key, value, allocator);
    branch_node *branch = leaf != NULL ? make_branch(count + 1, shared, allocator) : NULL;
    if (branch == NULL || make_copies(&p, copies, allocator) != CEVM_OK) {
        cevm_free(allocator, branch);
        release(leaf != NULL ? &leaf->head : NULL);
        return CEVM_ERR_NOMEM;
    }
    const unsigned step = step_of(key, shared);
    branch->present = grows ? as_branch(p.place)->present : UINT32_C(1) << step_of(near, shared);
    const size_t at = child_index(branch, step);
    branch->present |= UINT32_C(1) << step;
    for (size_t i = 0; i < count; ++i) {
        branch->children[i + (size_t)(i >= at)] =
            grows ? take(as_branch(p.place)->children[i], p.place_owned) : take(p.place, false);
    }
    branch->children[at] = &leaf->head;
    hang(map, &p, copies, key, &branch->head, grows && p.place_owned);
    return CEVM_OK;
}

cevm_err cevm_pmap_put(cevm_pmap *map, const cevm_hash *key, cevm_ref *value, const cevm_allocator *allocator)
{
    if (map->root == NULL) {
        leaf_node *leaf = make_leaf(key, value, allocator);
        if (leaf == NULL) {
            return CEVM_ERR_NOMEM;
        }
        *map = (cevm_pmap){.root = &leaf->head, .count = 1};
        return CEVM_OK;
    }
    const cevm_hash *near = &nearest_leaf(map->root, key)->key;
    if (cevm_hash_equal(near, key)) {
        return replace(map, key, value, allocator);
    }
    const cevm_err err = insert(map, near, common_steps(near, key), key, value, allocator);
    map->count += (size_t)(err == CEVM_OK);
    return err;
}

cevm_err cevm_pmap_remove(cevm_pmap *map, const cevm_hash *key, const cevm_allocator *allocator)
{
    path p;
    branch_node *copies[DEPTHS];
    if (cevm_pmap_get(map, key) == NULL) {
        return CEVM_OK;
    }
    find_path(&p, map->root, key, DEPTHS);
    if (p.count == 0) {
        cevm_pmap_release(map);
        return CEVM_OK;
    }
    /* The branch over the leaf is what gives way: to its other child, or to a branch that is smaller by one. */
    leaf_node *leaf = as_leaf(p.place);
    const branch_node *old = p.branches[--p.count];
    const bool moves = p.owned > p.count;
    p.owned = moves ? p.count : p.owned;
    const unsigned step = step_of(key, old->head.depth);
    const size_t at = child_index(old, step);
    const size_t count = child_count(old);
    branch_node *branch = count > 2 ? make_branch(count - 1, old->head.depth, allocator) : NULL;
    if ((count > 2 && branch == NULL) || make_copies(&p, copies, allocator) != CEVM_OK) {
        cevm_free(allocator, branch);
        return CEVM_ERR_NOMEM;
    }
    node *fresh = branch != NULL ? &branch->head : take(old->children[1 - at], moves);
    if (branch != NULL) {
        branch->present = old->present & ~(UINT32_C(1) << step);
        for (size_t i = 0; i < count - 1; ++i) {
            branch->children[i] = take(old->children[i + (size_t)(i >= at)], moves);
        }
    }
    hang(map, &p, copies, key, fresh, moves);
    if (moves) {
        release(&leaf->head);
    }
    --map->count;
    return CEVM_OK;
}

void cevm_pmap_for_each(const cevm_pmap *map, cevm_pmap_visit visit, void *user)
{
    struct {
        const branch_node *branch;
        size_t next;
    } stack[DEPTHS];
    size_t depth = 0;
    node *n = map->root;
    while (n != NULL) {
        if (n->depth != LEAF) {
            stack[depth].branch = as_branch(n);
            stack[depth++].next = 0;
        } else if (!visit(user, &as_leaf(n)->key, as_leaf(n)->value)) {
            return;
        }
        while (depth > 0 && stack[depth - 1].next == child_count(stack[depth - 1].branch)) {
            --depth;
        }
        n = depth > 0 ? stack[depth - 1].branch->children[stack[depth - 1].next++] : NULL;
    }
}

cevm_hash cevm_pmap_number(uint64_t number)
{
    /* Each step can be undone, so different numbers stay different. */
    uint64_t x = number;
    x ^= x >> 30;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= UINT64_C(0x94d049bb133111eb);
    x ^= x >> 31;
    cevm_hash key = {{0}};
    cevm_store_be64(key.bytes, x);
    return key;
}
