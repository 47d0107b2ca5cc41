/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/tree_internal.h: what the files of the shared memory backend (cevm/treedb.h) have in common. tree.c holds the store,
 * tree_commit.c its changes, tree_read.c what is read from a state, tree_node.c the nodes and the paths between them,
 * tree_hash.c their references, tree_proof.c proofs, tree_walk.c walks and differences, tree_diff.c differences as commits, tree_code.c code.
 *
 * A state is two roots. `accounts` is the Merkle Patricia trie of the accounts, each with the root of the trie of its
 * storage. `gone`, used only over a base, marks what the base has and this state has not; such marks stand in tries of their
 * own so that the others are what they would be without a base.
 *
 * Extension nodes are not stored: a branch knows how many nibbles its keys have in common, a leaf knows its whole key.
 *
 * Nodes are counted. A node that is reached from the store's root through nodes with one owner each is the store's alone and
 * changes in place; any other is copied first. A node caches the reference by which the node above includes it. That depends
 * on how far above that one is, so a node whose place moves up or down is made the store's own like one that changes.
 * A state that was handed out has all its references, and nothing that it reaches is written to any more.
 */
#ifndef CEVM_STATE_TREE_INTERNAL_H
#define CEVM_STATE_TREE_INTERNAL_H

#include "state/map.h"
#include "state/rlp.h"

#include <cevm/treedb.h>

#include <pthread.h>
#include <stdatomic.h>

enum { TREE_NIBBLES = 64, TREE_HASH = 32 };

/** What a node is. */
typedef enum tree_kind { TREE_BRANCH, TREE_ACCOUNT, TREE_SLOT, TREE_ACCOUNT_MARK, TREE_SLOT_MARK } tree_kind;

/** What all nodes begin with. */
typedef struct tree_node {
    atomic_size_t count; /* owners */
    uint8_t kind;
    uint8_t depth;    /* of a branch: nibbles that all keys below have in common; of a leaf: TREE_NIBBLES */
    uint8_t ref_size; /* 0: not known. 32: a hash. Less: the node itself, whose encoding is that short. */
    uint8_t ref[TREE_HASH];
} tree_node;

typedef struct tree_branch {
    tree_node head;
    tree_node *children[16]; /* by nibble number `depth`; at least two are there */
} tree_branch;

/** What leaves of all kinds begin with. */
typedef struct tree_leaf {
    tree_node head;
    cevm_hash key;
} tree_leaf;

/** Code, shared by all accounts of all states that have it. */
typedef struct tree_code {
    atomic_size_t count;
    struct tree_code *next; /* in the table */
    cevm_hash hash;
    bool is_elsewhere; /* not here: the base may have it */
    size_t size;
    uint8_t data[];
} tree_code;

typedef struct tree_account {
    tree_leaf leaf;
    cevm_address address;
    bool is_whole;         /* slots that are not here are zero; otherwise the base is asked */
    bool base_has_storage; /* counts unless is_whole */
    uint64_t nonce;
    cevm_u256 balance;
    tree_code *code;    /* NULL: none */
    tree_node *storage; /* tree_slot */
    tree_node *gone;    /* tree_slot_mark */
    size_t slot_count;
} tree_account;

typedef struct tree_slot {
    tree_leaf leaf;
    cevm_u256 key;
    cevm_u256 value; /* never zero */
} tree_slot;

typedef struct tree_account_mark {
    tree_leaf leaf;
    cevm_address address;
} tree_account_mark;

typedef struct tree_slot_mark {
    tree_leaf leaf;
    cevm_u256 key;
} tree_slot_mark;

/** What a store and its states share; counted by them. */
typedef struct tree_common {
    atomic_size_t count;
    const cevm_allocator *allocator;
    bool has_base;
    cevm_db base;
    cevm_map_seed seed;
    pthread_mutex_t lock; /* of what follows: code by hash, without owning it */
    tree_code **buckets;  /* a power of two of them; NULL until the first code */
    size_t bucket_count;
    size_t code_count;
} tree_common;

/** A state: one owner of each of its roots. */
typedef struct tree_state {
    tree_node *accounts;
    tree_node *gone;
} tree_state;

struct cevm_tree {
    atomic_size_t count;
    tree_common *common;
    tree_state state;
    cevm_hash root;
};

enum { TREE_MEMO_ACCOUNTS = 8, TREE_MEMO_SLOTS = 16 }; /* powers of two */

/** Hashes of the addresses and keys asked for last: what is read is often written soon, or read again in the next block. */
typedef struct tree_memo {
    struct {
        bool is_known;
        cevm_address address;
        cevm_hash hash;
    } accounts[TREE_MEMO_ACCOUNTS];
    struct {
        bool is_known;
        cevm_u256 key;
        cevm_hash hash;
    } slots[TREE_MEMO_SLOTS];
} tree_memo;

struct cevm_treedb {
    tree_common *common;
    tree_memo memo;
    tree_state now;
    cevm_tree *handed_out; /* what `now` was handed out as; NULL when it has changed since */
    tree_state *past; /* before each block that can be taken back, oldest first; the last one is the open block's */
    size_t past_count;
    size_t past_capacity;
    size_t history;
    bool block_open;
};

static inline tree_branch *tree_as_branch(tree_node *n) { return (tree_branch *)(void *)n; }
static inline tree_leaf *tree_as_leaf(tree_node *n) { return (tree_leaf *)(void *)n; }
static inline tree_account *tree_as_account(tree_node *n) { return (tree_account *)(void *)n; }
static inline tree_slot *tree_as_slot(tree_node *n) { return (tree_slot *)(void *)n; }

static inline unsigned tree_nibble(const cevm_hash *key, size_t i)
{
    return i % 2 == 0 ? key->bytes[i / 2] >> 4 : key->bytes[i / 2] & 15u;
}

/* ---- tree_code.c ---------------------------------------------------------------------------------------------------- */

cevm_err cevm_tree_common_create(tree_common **out, const cevm_db *base, const cevm_allocator *allocator);
void cevm_tree_common_retain(tree_common *common);
void cevm_tree_common_release(tree_common *common);

/** One more reference to code with these bytes; *out is NULL for none. Errors: CEVM_ERR_NOMEM. */
cevm_err cevm_tree_code_get(tree_code **out, tree_common *common, const cevm_hash *hash, cevm_bytes bytes);
/** The same for code that should be known already; if it is not, it is noted as being elsewhere. */
cevm_err cevm_tree_code_named(tree_code **out, tree_common *common, const cevm_hash *hash);
void cevm_tree_code_retain(tree_code *code);
/** NULL is allowed. */
void cevm_tree_code_release(tree_common *common, tree_code *code);
/** The bytes of code that some state holds, from the base if need be. CEVM_ERR_BACKEND when nobody has it. */
cevm_err cevm_tree_code_read(cevm_bytes *out, tree_common *common, const cevm_hash *hash);

/* ---- tree_node.c ---------------------------------------------------------------------------------------------------- */

/** Lets go of a node (NULL is allowed) and of all below that nobody else holds. */
void cevm_tree_node_release(tree_common *common, tree_node *n);
/** A node of a kind, zeroed but for that, its count and depth. NULL when memory runs out. */
tree_node *cevm_tree_node_make(tree_common *common, tree_kind kind);
/** The leaf of a key, or NULL. */
tree_leaf *cevm_tree_find(tree_node *root, const cevm_hash *key);
/** Some leaf below a node (or the node itself): it has the nibbles above the node. */
const tree_leaf *cevm_tree_any_leaf(tree_node *n);
/** The leaf of a key that is there, made the store's own, its reference and those above it forgotten. NULL: no memory. */
tree_leaf *cevm_tree_open(tree_common *common, tree_node **root, const cevm_hash *key);
/** Adds or replaces a leaf; a reference to it is taken over, but not on an error. CEVM_ERR_NOMEM: content as it was. */
cevm_err cevm_tree_put(tree_common *common, tree_node **root, tree_leaf *leaf);
/** Removes a key if it is there. CEVM_ERR_NOMEM: content as it was. */
cevm_err cevm_tree_remove(tree_common *common, tree_node **root, const cevm_hash *key);

tree_state cevm_tree_state_copy(const tree_state *state);
void cevm_tree_state_release(tree_common *common, tree_state *state);

/* ---- tree_hash.c ---------------------------------------------------------------------------------------------------- */

/** Room for the encoding of any node. */
typedef struct tree_encoding {
    uint8_t bytes[640];
    cevm_buf buf; /* within `bytes`, which it never outgrows; not always from their beginning on */
} tree_encoding;

/** Completes the references of a trie (NULL: the empty one); *out is its root. */
void cevm_tree_hash(tree_node *root, cevm_hash *out);
/** The root of a trie that has its references. */
cevm_hash cevm_tree_hash_known(const tree_node *root);
/**
 * Encodes a node that hangs at `start` nibbles and whose children have their references: the branch or leaf, and if there
 * are nibbles between, the extension node above it (else *has_extension is false).
 */
void cevm_tree_encode(tree_encoding *own, tree_encoding *extension, bool *has_extension, tree_node *n, size_t start);

/* ---- tree_read.c ---------------------------------------------------------------------------------------------------- */

/** Where a state is read from. */
typedef struct tree_view {
    tree_common *common;
    const tree_state *state;
    tree_memo *memo; /* NULL for states that many may read */
} tree_view;

cevm_hash cevm_tree_hash_address(const cevm_address *address);
cevm_hash cevm_tree_hash_key(const cevm_u256 *key);
/** The same, remembered; memo may be NULL. */
cevm_hash cevm_tree_memo_address(tree_memo *memo, const cevm_address *address);
cevm_hash cevm_tree_memo_key(tree_memo *memo, const cevm_u256 *key);

cevm_err cevm_tree_read_account(const tree_view *view, cevm_db_account *out, bool *exists, const cevm_address *address);
cevm_err cevm_tree_read_storage(const tree_view *view, cevm_u256 *out, const cevm_address *address,
                                const cevm_u256 *key);
cevm_err cevm_tree_read_block_hash(const tree_common *common, cevm_hash *out, uint64_t number);
/** Passes those keys to the base that it would be asked for. */
cevm_err cevm_tree_read_prefetch(const tree_view *view, const cevm_db_key *keys, size_t count);
/** What cevm_db_account says of an account. */
cevm_db_account cevm_tree_describe(const tree_account *account);

/* ---- tree_walk.c ----------------------------------------------------------------------------------------------------- */

/** A place in a trie: a node, and the branches above it. */
typedef struct tree_cursor {
    tree_node *at; /* NULL: at the end */
    struct {
        tree_branch *branch;
        unsigned child; /* the one that `at` is below */
    } stack[TREE_NIBBLES];
    size_t height;
} tree_cursor;

/** Two tries side by side. */
typedef struct tree_comparison {
    tree_cursor before;
    tree_cursor after;
} tree_comparison;

void cevm_tree_compare(tree_comparison *c, tree_node *before, tree_node *after);
/**
 * Goes on to the next key that only one of the tries has, or for which their leaves are not one node; *left and *right are
 * those leaves, NULL where there is none. False at the end. What the tries share is not looked into.
 */
bool cevm_tree_next_difference(tree_comparison *c, tree_node **left, tree_node **right);

/* ---- tree_commit.c -------------------------------------------------------------------------------------------------- */

/** cevm_db_vtable.commit. */
cevm_err cevm_treedb_commit(void *ctx, const cevm_diff *diff);

/* ---- tree.c ---------------------------------------------------------------------------------------------------------- */

/** To be called before `now` changes. */
void cevm_treedb_forget_handed_out(cevm_treedb *db);

#endif
