/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/tree_hash.c: the references of nodes: what stands for a node in the one above it (Yellow Paper, appendix D). It is
 * the hash of its encoding, or the encoding itself if that is shorter than a hash. The root is always hashed.
 *
 * Every encoding fits a buffer of fixed size, so nothing here can fail.
 */
#include "state/tree_internal.h"

#include "state/trie.h"

#include <cevm/crypto.h>

/** Empties an encoding. */
static cevm_buf *begin(tree_encoding *encoding)
{
    encoding->buf = (cevm_buf){.data = encoding->bytes, .capacity = sizeof encoding->bytes};
    return &encoding->buf;
}

static void put_ref(cevm_buf *buf, const tree_node *n)
{
    if (n->ref_size == TREE_HASH) {
        cevm_rlp_put_bytes(buf, n->ref, TREE_HASH);
    } else {
        cevm_buf_append(buf, n->ref, n->ref_size);
    }
}

static uint8_t *write_ref(uint8_t *to, const tree_node *n)
{
    if (n == NULL) {
        *to++ = 0x80;
        return to;
    }
    if (n->ref_size == TREE_HASH) { /* nearly always; a copy of known size is no call */
        *to = 0x80 + TREE_HASH;
        memcpy(to + 1, n->ref, TREE_HASH);
        return to + 1 + TREE_HASH;
    }
    memcpy(to, n->ref, n->ref_size);
    return to + n->ref_size;
}

/**
 * A list of sixteen references and no value. Written without cevm_rlp_put_*: most of what is hashed are branches, and most of
 * the time that is not the hashing was spent on them.
 */
static void put_branch(cevm_buf *buf, const tree_branch *branch)
{
    enum { PREFIX = 3 };
    uint8_t *const first = buf->data + PREFIX;
    uint8_t *to = first;
    for (size_t i = 0; i < 16; ++i) {
        to = write_ref(to, branch->children[i]);
    }
    *to++ = 0x80;
    const size_t size = (size_t)(to - first);
    const size_t prefix = size < 56 ? 1 : size < 256 ? 2 : PREFIX;
    uint8_t *start = first - prefix;
    if (prefix == 1) {
        start[0] = (uint8_t)(0xc0 + size);
    } else {
        start[0] = (uint8_t)(0xf7 + prefix - 1);
        start[1] = (uint8_t)(prefix == 2 ? size : size >> 8);
        start[prefix - 1] = (uint8_t)size;
    }
    buf->data = start;
    buf->size = prefix + size;
}

/** What the trie holds for a leaf. */
static void put_value(cevm_buf *buf, tree_node *n)
{
    static const uint8_t mark = 1;
    tree_encoding value;
    cevm_buf *inner = begin(&value);
    if (n->kind == TREE_ACCOUNT) {
        const tree_account *account = tree_as_account(n);
        const cevm_hash root = cevm_tree_hash_known(account->storage);
        const size_t list = cevm_rlp_list_begin(inner);
        cevm_rlp_put_u64(inner, account->nonce);
        cevm_rlp_put_u256(inner, &account->balance);
        cevm_rlp_put_hash(inner, &root);
        cevm_rlp_put_hash(inner, account->code != NULL ? &account->code->hash : &cevm_empty_code_hash);
        cevm_rlp_list_end(inner, list);
    } else if (n->kind == TREE_SLOT) {
        cevm_rlp_put_u256(inner, &tree_as_slot(n)->value);
    } else {
        cevm_rlp_put_bytes(inner, &mark, 1);
    }
    cevm_rlp_put_bytes(buf, inner->data, inner->size);
}

static cevm_bytes key_bytes(const tree_leaf *leaf) { return (cevm_bytes){leaf->key.bytes, TREE_HASH}; }

/** The reference to what an encoding holds. */
static uint8_t make_ref(uint8_t out[TREE_HASH], const cevm_buf *encoded, bool is_root)
{
    if (encoded->size < TREE_HASH && !is_root) {
        memcpy(out, encoded->data, encoded->size);
        return (uint8_t)encoded->size;
    }
    cevm_hash hash;
    cevm_keccak256(&hash, encoded->data, encoded->size);
    memcpy(out, hash.bytes, TREE_HASH);
    return TREE_HASH;
}

void cevm_tree_encode(tree_encoding *own, tree_encoding *extension, bool *has_extension, tree_node *n, size_t start)
{
    cevm_buf *buf = begin(own);
    *has_extension = n->kind == TREE_BRANCH && n->depth > start;
    if (n->kind != TREE_BRANCH) {
        const size_t list = cevm_rlp_list_begin(buf);
        cevm_trie_put_path(buf, key_bytes(tree_as_leaf(n)), start, TREE_NIBBLES, true);
        put_value(buf, n);
        cevm_rlp_list_end(buf, list);
        return;
    }
    put_branch(buf, tree_as_branch(n));
    if (*has_extension) {
        tree_node inner = {.kind = TREE_BRANCH};
        inner.ref_size = make_ref(inner.ref, buf, false);
        cevm_buf *above = begin(extension);
        const size_t outer = cevm_rlp_list_begin(above);
        cevm_trie_put_path(above, key_bytes(cevm_tree_any_leaf(n)), start, n->depth, false);
        put_ref(above, &inner);
        cevm_rlp_list_end(above, outer);
    }
}

/** Makes the reference of a node whose children have theirs. */
static void hash_node(tree_node *n, size_t start, bool is_root)
{
    tree_encoding own;
    tree_encoding extension;
    bool has_extension;
    if (n->kind == TREE_ACCOUNT) {
        cevm_hash root;
        cevm_tree_hash(tree_as_account(n)->storage, &root);
        cevm_tree_hash(tree_as_account(n)->gone, &root);
    }
    cevm_tree_encode(&own, &extension, &has_extension, n, start);
    n->ref_size = make_ref(n->ref, has_extension ? &extension.buf : &own.buf, is_root);
}

cevm_hash cevm_tree_hash_known(const tree_node *root)
{
    cevm_hash out = cevm_trie_empty_root;
    if (root != NULL) {
        memcpy(out.bytes, root->ref, sizeof out.bytes);
    }
    return out;
}

/** Their references are all going to be read, from places far apart in memory: better at the same time. */
static void fetch_children(tree_node *n)
{
    for (size_t i = 0; i < 16 && n->kind == TREE_BRANCH; ++i) {
        const tree_node *child = tree_as_branch(n)->children[i];
        if (child != NULL) {
            __builtin_prefetch(&child->ref_size);
            __builtin_prefetch(&child->ref[TREE_HASH - 1]);
        }
    }
}

void cevm_tree_hash(tree_node *root, cevm_hash *out)
{
    struct {
        tree_node *n;
        size_t start; /* nibbles above the node */
        size_t next;  /* child to look at */
    } stack[TREE_NIBBLES + 1];
    size_t height = 0;
    if (root != NULL && root->ref_size == 0) {
        fetch_children(root);
        stack[height].n = root;
        stack[height].start = 0;
        stack[height++].next = 0;
    }
    while (height > 0) {
        tree_node *n = stack[height - 1].n;
        tree_node *child = NULL;
        while (n->kind == TREE_BRANCH && child == NULL && stack[height - 1].next < 16) {
            child = tree_as_branch(n)->children[stack[height - 1].next++];
            if (child != NULL && child->ref_size != 0) {
                child = NULL;
            }
        }
        if (child != NULL) {
            fetch_children(child);
            stack[height].n = child;
            stack[height].start = (size_t)n->depth + 1;
            stack[height++].next = 0;
            continue;
        }
        hash_node(n, stack[height - 1].start, height == 1);
        --height;
    }
    *out = cevm_tree_hash_known(root);
}
