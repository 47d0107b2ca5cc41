/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/tree_proof.c: proofs (EIP-1186): the nodes on the way to a key, from the root down. A node that its parent includes
 * whole, because it is shorter than a hash, is not repeated. The way ends at the key's leaf, or at the node that shows that
 * there is none: a branch without a child for it, or a leaf or an extension that leads elsewhere.
 */
#include "state/tree_internal.h"

/** Whether the nibbles [from, to) of a key are those above a node. */
static bool leads_to(const cevm_hash *key, tree_node *n, size_t from, size_t to)
{
    const tree_leaf *leaf = cevm_tree_any_leaf(n);
    size_t i = from;
    while (i < to && tree_nibble(key, i) == tree_nibble(&leaf->key, i)) {
        ++i;
    }
    return i == to;
}

static void prove(tree_node *root, const cevm_hash *key, cevm_tree_visit_node visit, void *user)
{
    tree_encoding own;
    tree_encoding extension;
    size_t start = 0;
    bool goes_on = true;
    for (tree_node *n = root; n != NULL && goes_on;) {
        bool has_extension;
        bool is_top = n == root;
        cevm_tree_encode(&own, &extension, &has_extension, n, start);
        if (has_extension) {
            if (is_top || extension.buf.size >= TREE_HASH) {
                goes_on = visit(user, (cevm_bytes){extension.buf.data, extension.buf.size});
            }
            is_top = false;
            goes_on = goes_on && leads_to(key, n, start, n->depth);
        }
        if (goes_on && (is_top || own.buf.size >= TREE_HASH)) {
            goes_on = visit(user, (cevm_bytes){own.buf.data, own.buf.size});
        }
        start = (size_t)n->depth + 1;
        n = n->kind == TREE_BRANCH ? tree_as_branch(n)->children[tree_nibble(key, n->depth)] : NULL;
    }
}

cevm_err cevm_tree_prove_account(const cevm_tree *tree, cevm_hash *storage_root, const cevm_address *address,
                                 cevm_tree_visit_node visit, void *user)
{
    const cevm_hash key = cevm_tree_hash_address(address);
    if (storage_root != NULL) {
        tree_leaf *leaf = cevm_tree_find(tree->state.accounts, &key);
        *storage_root = cevm_tree_hash_known(leaf != NULL ? tree_as_account(&leaf->head)->storage : NULL);
    }
    prove(tree->state.accounts, &key, visit, user);
    return CEVM_OK;
}

cevm_err cevm_tree_prove_slot(const cevm_tree *tree, const cevm_address *address, const cevm_u256 *key,
                              cevm_tree_visit_node visit, void *user)
{
    const cevm_hash hashed_address = cevm_tree_hash_address(address);
    const cevm_hash hashed_key = cevm_tree_hash_key(key);
    tree_leaf *leaf = cevm_tree_find(tree->state.accounts, &hashed_address);
    if (leaf != NULL) {
        prove(tree_as_account(&leaf->head)->storage, &hashed_key, visit, user);
    }
    return CEVM_OK;
}
