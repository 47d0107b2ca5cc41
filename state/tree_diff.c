/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/tree_diff.c: the difference of two states as a change to commit: how a state gets into another store.
 */
#include "state/tree_internal.h"

#include "evm/u256.h"

#include <cevm/alloc.h>

/** A diff that grows. The slots of all accounts lie one after the other, in the order of `changes`. */
typedef struct builder {
    const cevm_allocator *allocator;
    bool has_base;
    cevm_account_change *changes;
    size_t count;
    size_t capacity;
    cevm_slot_change *slots;
    size_t slot_count;
    size_t slot_capacity;
} builder;

static int compare_addresses(const void *a, const void *b)
{
    const cevm_account_change *left = a;
    const cevm_account_change *right = b;
    return memcmp(left->address.bytes, right->address.bytes, sizeof left->address.bytes);
}

static int compare_keys(const void *a, const void *b)
{
    const cevm_slot_change *left = a;
    const cevm_slot_change *right = b;
    return u256_cmp(&left->key, &right->key);
}

static cevm_account_change *add_change(builder *b, const cevm_address *address)
{
    cevm_account_change *changes =
        cevm_array_reserve(b->allocator, b->changes, &b->capacity, b->count, 1, sizeof *changes);
    if (changes == NULL) {
        return NULL;
    }
    b->changes = changes;
    changes[b->count] = (cevm_account_change){.address = *address};
    return &changes[b->count++];
}

static cevm_err add_slot(builder *b, const cevm_u256 *key, const cevm_u256 *value)
{
    cevm_slot_change *slots =
        cevm_array_reserve(b->allocator, b->slots, &b->slot_capacity, b->slot_count, 1, sizeof *slots);
    if (slots == NULL) {
        return CEVM_ERR_NOMEM;
    }
    b->slots = slots;
    slots[b->slot_count++] = (cevm_slot_change){.key = *key, .value = *value};
    return CEVM_OK;
}

/** The slots in which an account differs from what it was; left NULL: from one without any. */
static cevm_err add_slots(builder *b, const tree_account *left, const tree_account *right)
{
    static const cevm_u256 zero = {{0, 0, 0, 0}};
    tree_comparison c;
    tree_node *before;
    tree_node *after;
    cevm_err err = CEVM_OK;
    cevm_tree_compare(&c, left != NULL ? left->storage : NULL, right->storage);
    while (err == CEVM_OK && cevm_tree_next_difference(&c, &before, &after)) {
        const tree_slot *slot = tree_as_slot(after != NULL ? after : before);
        const bool same = before != NULL && after != NULL &&
                          cevm_u256_equal(&tree_as_slot(before)->value, &tree_as_slot(after)->value);
        err = same ? CEVM_OK : add_slot(b, &slot->key, after != NULL ? &slot->value : &zero);
    }
    /* What the base has under these keys counts no more; those that were in the tree are said to be gone already. */
    cevm_tree_compare(&c, left != NULL ? left->gone : NULL, right->gone);
    while (err == CEVM_OK && cevm_tree_next_difference(&c, &before, &after)) {
        const tree_leaf *mark = after != NULL && before == NULL ? tree_as_leaf(after) : NULL;
        if (mark != NULL && cevm_tree_find(right->storage, &mark->key) == NULL &&
            (left == NULL || cevm_tree_find(left->storage, &mark->key) == NULL)) {
            err = add_slot(b, &((const tree_slot_mark *)(const void *)mark)->key, &zero);
        }
    }
    return err;
}

static void describe_code(cevm_account_change *change, const tree_account *left, const tree_account *right)
{
    const tree_code *code = right->code;
    const cevm_hash *before = left != NULL && left->code != NULL ? &left->code->hash : &cevm_empty_code_hash;
    change->code_hash = code != NULL ? code->hash : cevm_empty_code_hash;
    change->code_changed =
        (left == NULL || !cevm_hash_equal(&change->code_hash, before)) && (code == NULL || !code->is_elsewhere);
    if (change->code_changed && code != NULL) {
        change->code = (cevm_bytes){code->data, code->size};
    }
}

/** An account that is there afterwards. */
static cevm_err add_account(builder *b, const tree_account *left, const tree_account *right)
{
    cevm_account_change *change = add_change(b, &right->address);
    if (change == NULL) {
        return CEVM_ERR_NOMEM;
    }
    change->balance = right->balance;
    change->nonce = right->nonce;
    change->storage_cleared = right->is_whole && (left != NULL ? !left->is_whole : b->has_base);
    describe_code(change, left, right);
    const size_t first = b->slot_count;
    const cevm_err err = add_slots(b, change->storage_cleared ? NULL : left, right);
    if (err == CEVM_OK) {
        change->slot_count = b->slot_count - first;
    }
    if (err == CEVM_OK && change->slot_count > 1) {
        cevm_sort(b->slots + first, change->slot_count, sizeof *b->slots, compare_keys);
    }
    return err;
}

/** Whether nothing of an account that is there before and after has changed. */
static bool is_same(const cevm_account_change *change, const tree_account *left)
{
    return left != NULL && change->slot_count == 0 && !change->storage_cleared && change->nonce == left->nonce &&
           cevm_u256_equal(&change->balance, &left->balance) &&
           cevm_hash_equal(&change->code_hash, left->code != NULL ? &left->code->hash : &cevm_empty_code_hash);
}

static cevm_err add_deleted(builder *b, const cevm_address *address)
{
    cevm_account_change *change = add_change(b, address);
    if (change == NULL) {
        return CEVM_ERR_NOMEM;
    }
    change->deleted = true;
    return CEVM_OK;
}

static cevm_err collect(builder *b, const tree_state *from, const tree_state *to)
{
    tree_comparison c;
    tree_node *left;
    tree_node *right;
    cevm_err err = CEVM_OK;
    cevm_tree_compare(&c, from->accounts, to->accounts);
    while (err == CEVM_OK && cevm_tree_next_difference(&c, &left, &right)) {
        const tree_account *before = left != NULL ? tree_as_account(left) : NULL;
        if (right == NULL) {
            err = add_deleted(b, &tree_as_account(left)->address);
            continue;
        }
        err = add_account(b, before, tree_as_account(right));
        if (err == CEVM_OK && is_same(&b->changes[b->count - 1], before)) {
            --b->count;
        }
    }
    cevm_tree_compare(&c, from->gone, to->gone);
    while (err == CEVM_OK && cevm_tree_next_difference(&c, &left, &right)) {
        const tree_leaf *mark = right != NULL && left == NULL ? tree_as_leaf(right) : NULL;
        if (mark != NULL && cevm_tree_find(from->accounts, &mark->key) == NULL &&
            cevm_tree_find(to->accounts, &mark->key) == NULL) {
            err = add_deleted(b, &((const tree_account_mark *)(const void *)mark)->address);
        }
    }
    return err;
}

/** Everything in one piece of memory: the changes in their order, then the slots. */
static cevm_err finish(builder *b, cevm_diff *out)
{
    if (b->count > SIZE_MAX / 2 / sizeof *b->changes || b->slot_count > SIZE_MAX / 2 / sizeof *b->slots) {
        return CEVM_ERR_NOMEM;
    }
    const size_t head = b->count * sizeof *b->changes;
    uint8_t *memory = cevm_alloc(b->allocator, head + b->slot_count * sizeof *b->slots);
    if (memory == NULL) {
        return CEVM_ERR_NOMEM;
    }
    cevm_account_change *changes = (cevm_account_change *)(void *)memory;
    cevm_slot_change *slots = (cevm_slot_change *)(void *)(memory + head);
    if (b->slot_count != 0) {
        memcpy(slots, b->slots, b->slot_count * sizeof *slots);
    }
    size_t next = 0;
    for (size_t i = 0; i < b->count; ++i) {
        changes[i] = b->changes[i];
        changes[i].slots = slots + next;
        next += changes[i].slot_count;
    }
    cevm_sort(changes, b->count, sizeof *changes, compare_addresses);
    *out = (cevm_diff){.accounts = changes, .account_count = b->count};
    return CEVM_OK;
}

cevm_err cevm_tree_diff(cevm_diff *out, const cevm_tree *before, const cevm_tree *after)
{
    const tree_state nothing = {NULL, NULL};
    builder b = {.allocator = after->common->allocator, .has_base = after->common->has_base};
    *out = (cevm_diff){NULL, 0};
    cevm_err err = collect(&b, before != NULL ? &before->state : &nothing, &after->state);
    if (err == CEVM_OK && b.count != 0) {
        err = finish(&b, out);
    }
    cevm_free(b.allocator, b.changes);
    cevm_free(b.allocator, b.slots);
    return err;
}

void cevm_tree_diff_free(cevm_diff *diff, const cevm_tree *after)
{
    union {
        const cevm_account_change *given;
        void *taken;
    } pointer = {.given = diff->accounts};
    cevm_free(after->common->allocator, pointer.taken);
    *diff = (cevm_diff){NULL, 0};
}
