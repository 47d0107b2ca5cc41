/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/tree_walk.c: walks over states in the order of their hashed keys, and the differences of two.
 */
#include "state/tree_internal.h"

static void start(tree_cursor *c, tree_node *root)
{
    c->at = root;
    c->height = 0;
}

/** Goes to what comes after the node. */
static void skip(tree_cursor *c)
{
    c->at = NULL;
    while (c->height > 0 && c->at == NULL) {
        tree_branch *branch = c->stack[c->height - 1].branch;
        unsigned child = c->stack[c->height - 1].child + 1;
        while (child < 16 && branch->children[child] == NULL) {
            ++child;
        }
        if (child < 16) {
            c->stack[c->height - 1].child = child;
            c->at = branch->children[child];
        } else {
            --c->height;
        }
    }
}

/** Goes to the first child of the node, a branch, not before `first`; past the branch when it has none. */
static void enter(tree_cursor *c, unsigned first)
{
    tree_branch *branch = tree_as_branch(c->at);
    unsigned child = first;
    while (child < 16 && branch->children[child] == NULL) {
        ++child;
    }
    if (child == 16) {
        skip(c);
        return;
    }
    c->stack[c->height].branch = branch;
    c->stack[c->height++].child = child;
    c->at = branch->children[child];
}

/** Goes down to the first leaf from the node on. */
static void descend(tree_cursor *c)
{
    while (c->at != NULL && c->at->kind == TREE_BRANCH) {
        enter(c, 0);
    }
}

/** Goes to the first leaf whose key is not before `from` (NULL: the first of all). */
static void seek(tree_cursor *c, tree_node *root, const cevm_hash *from)
{
    size_t matched = 0; /* nibbles of `from` that lead to the node */
    start(c, root);
    while (from != NULL && c->at != NULL) {
        const cevm_hash *key = &cevm_tree_any_leaf(c->at)->key;
        const size_t depth = c->at->depth;
        while (matched < depth && tree_nibble(key, matched) == tree_nibble(from, matched)) {
            ++matched;
        }
        if (matched < depth) {
            if (tree_nibble(key, matched) < tree_nibble(from, matched)) {
                skip(c); /* all of it is before */
            }
            break;
        }
        if (c->at->kind != TREE_BRANCH) {
            break;
        }
        const unsigned wanted = tree_nibble(from, depth);
        enter(c, wanted);
        if (c->height == 0 || c->stack[c->height - 1].branch->head.depth != depth ||
            c->stack[c->height - 1].child != wanted) {
            break; /* what follows is after it */
        }
        ++matched;
    }
    descend(c);
}

/* ---- Walks ----------------------------------------------------------------------------------------------------------- */

cevm_err cevm_tree_for_each_account(const cevm_tree *tree, const cevm_hash *from, cevm_tree_visit_account visit,
                                    void *user)
{
    tree_cursor c;
    seek(&c, tree->state.accounts, from);
    while (c.at != NULL) {
        const tree_account *account = tree_as_account(c.at);
        const cevm_db_account view = cevm_tree_describe(account);
        const cevm_hash storage_root = cevm_tree_hash_known(account->storage);
        cevm_bytes code = {NULL, 0};
        if (account->code != NULL && !account->code->is_elsewhere) {
            code = (cevm_bytes){account->code->data, account->code->size};
        } else if (account->code != NULL) {
            const cevm_err err = cevm_tree_code_read(&code, tree->common, &account->code->hash);
            if (err != CEVM_OK) {
                return err;
            }
        }
        if (!visit(user, &account->leaf.key, &account->address, &view, &storage_root, code)) {
            break;
        }
        skip(&c);
        descend(&c);
    }
    return CEVM_OK;
}

cevm_err cevm_tree_for_each_slot(const cevm_tree *tree, const cevm_address *address, const cevm_hash *from,
                                 cevm_tree_visit_slot visit, void *user)
{
    const cevm_hash key = cevm_tree_hash_address(address);
    tree_leaf *leaf = cevm_tree_find(tree->state.accounts, &key);
    tree_cursor c;
    seek(&c, leaf != NULL ? tree_as_account(&leaf->head)->storage : NULL, from);
    while (c.at != NULL) {
        const tree_slot *slot = tree_as_slot(c.at);
        if (!visit(user, &slot->leaf.key, &slot->key, &slot->value)) {
            break;
        }
        skip(&c);
        descend(&c);
    }
    return CEVM_OK;
}

/* ---- Differences ------------------------------------------------------------------------------------------------------ */

void cevm_tree_compare(tree_comparison *c, tree_node *before, tree_node *after)
{
    start(&c->before, before);
    start(&c->after, after);
}

bool cevm_tree_next_difference(tree_comparison *c, tree_node **left, tree_node **right)
{
    for (;;) {
        tree_node *a = c->before.at;
        tree_node *b = c->after.at;
        if (a == NULL && b == NULL) {
            return false;
        }
        if (a == b) {
            skip(&c->before);
            skip(&c->after);
            continue;
        }
        /* The higher of two branches is entered; leaves are the deepest of all. */
        const size_t depth_a = a != NULL ? a->depth : TREE_NIBBLES;
        const size_t depth_b = b != NULL ? b->depth : TREE_NIBBLES;
        if (depth_a < TREE_NIBBLES && depth_a <= depth_b) {
            enter(&c->before, 0);
        }
        if (depth_b < TREE_NIBBLES && depth_b <= depth_a) {
            enter(&c->after, 0);
        }
        if (depth_a < TREE_NIBBLES || depth_b < TREE_NIBBLES) {
            continue;
        }
        int order = a == NULL ? 1 : -1;
        if (a != NULL && b != NULL) {
            order = memcmp(tree_as_leaf(a)->key.bytes, tree_as_leaf(b)->key.bytes, TREE_HASH);
        }
        *left = order <= 0 ? a : NULL;
        *right = order >= 0 ? b : NULL;
        if (order <= 0) {
            skip(&c->before);
        }
        if (order >= 0) {
            skip(&c->after);
        }
        return true;
    }
}

static bool equal_roots(const tree_node *a, const tree_node *b)
{
    const cevm_hash left = cevm_tree_hash_known(a);
    const cevm_hash right = cevm_tree_hash_known(b);
    return a == b || cevm_hash_equal(&left, &right);
}

/** Whether two nodes say the same of an account. */
static bool equal_accounts(const tree_account *a, const tree_account *b)
{
    const cevm_db_account left = cevm_tree_describe(a);
    const cevm_db_account right = cevm_tree_describe(b);
    return left.nonce == right.nonce && cevm_u256_equal(&left.balance, &right.balance) &&
           cevm_hash_equal(&left.code_hash, &right.code_hash) && a->is_whole == b->is_whole &&
           equal_roots(a->storage, b->storage) && equal_roots(a->gone, b->gone);
}

cevm_err cevm_tree_for_each_change(const cevm_tree *before, const cevm_tree *after, cevm_tree_visit_address visit,
                                   void *user)
{
    tree_comparison c;
    tree_node *left;
    tree_node *right;
    cevm_tree_compare(&c, before->state.accounts, after->state.accounts);
    while (cevm_tree_next_difference(&c, &left, &right)) {
        if (left != NULL && right != NULL && equal_accounts(tree_as_account(left), tree_as_account(right))) {
            continue;
        }
        if (!visit(user, &tree_as_account(left != NULL ? left : right)->address)) {
            return CEVM_OK;
        }
    }
    /* Accounts of the base that only one of them has lost, and that neither has made anew. */
    cevm_tree_compare(&c, before->state.gone, after->state.gone);
    while (cevm_tree_next_difference(&c, &left, &right)) {
        const tree_leaf *mark = tree_as_leaf(left != NULL ? left : right);
        const tree_account_mark *gone = (const tree_account_mark *)(const void *)mark;
        if ((left == NULL || right == NULL) && cevm_tree_find(before->state.accounts, &mark->key) == NULL &&
            cevm_tree_find(after->state.accounts, &mark->key) == NULL && !visit(user, &gone->address)) {
            return CEVM_OK;
        }
    }
    return CEVM_OK;
}
