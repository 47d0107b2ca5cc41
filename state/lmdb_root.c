/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/lmdb_root.c: the tries of the backend on disk (Yellow Paper, appendix D).
 *
 * A walk goes down from the root to the keys that changed. Below a prefix stands nothing, a leaf, or a branch at the depth
 * where the first and the last key with that prefix part; both are found in the table of accounts or slots, whose order is
 * the trie's. A child below which nothing changed is included by the reference its branch has stored. A branch that is
 * new has stored none, and looks for its children one by one.
 *
 * Where nothing was removed, a branch that stands right at the prefix is still there, and is read without looking for
 * first and last. Where something was, branches may be gone: what is stored below the prefix but not below the branch that
 * stands there now is removed.
 */
#include <cevm/alloc.h>
#include <cevm/crypto.h>

#include "state/lmdb_internal.h"
#include "state/map.h"
#include "state/trie.h"

enum { MAX_PATH = LMDB_NIBBLES + 1 };

/** A key that changed, within one trie. */
typedef struct change {
    cevm_hash key;
    size_t gone; /* of the changes before this one, how many keys are no longer there */
} change;

/** A branch on the way down. Its path is the walk's first `depth` nibbles. */
typedef struct frame {
    size_t start; /* nibbles above the node */
    size_t depth; /* of the branch */
    size_t next;  /* change */
    size_t end;
    unsigned child;
    bool has_stored;
    lmdb_ref refs[16]; /* as stored, then as they are */
} frame;

typedef struct lmdb_walk {
    frame frames[MAX_PATH];
    uint8_t nibbles[LMDB_NIBBLES];
    size_t height;
    change *changes;
    size_t count;
    size_t capacity;
    /* The trie. */
    const cevm_hash *owner; /* of a storage; NULL: the accounts */
    MDB_cursor *leaves;
    MDB_cursor *branches;
    bool checks; /* everything is made anew and compared with what is stored */
    uint64_t branch_count;
} walk;

void cevm_lmdb_free_walk(cevm_lmdb *db)
{
    if (db->walk != NULL) {
        cevm_free(db->allocator, db->walk->changes);
        cevm_free(db->allocator, db->walk);
        db->walk = NULL;
    }
}

static unsigned nibble(const cevm_hash *key, size_t i)
{
    return i % 2 == 0 ? key->bytes[i / 2] >> 4 : key->bytes[i / 2] & 15u;
}

/** Order of a key and the walk's first `depth` nibbles; 0: it begins with them. */
static int compare_path(const walk *w, const cevm_hash *key, size_t depth)
{
    for (size_t i = 0; i < depth; ++i) {
        const int order = (int)nibble(key, i) - (int)w->nibbles[i];
        if (order != 0) {
            return order;
        }
    }
    return 0;
}

/* ---- Leaves ---------------------------------------------------------------------------------------------------------- */

/** A leaf that was found. */
typedef struct leaf {
    cevm_hash key;
    uint8_t record[LMDB_MAX_RECORD];
    size_t size;
} leaf;

static size_t owner_size(const walk *w) { return w->owner != NULL ? LMDB_HASH : 0; }

/** The walk's first `depth` nibbles as a key of the table of leaves, filled up with one nibble. */
static size_t leaf_key(const walk *w, uint8_t out[LMDB_SLOT_KEY], size_t depth, unsigned fill)
{
    const size_t before = owner_size(w);
    if (before != 0) {
        memcpy(out, w->owner->bytes, before);
    }
    for (size_t i = 0; i < LMDB_NIBBLES; i += 2) {
        const unsigned high = i < depth ? w->nibbles[i] : fill;
        const unsigned low = i + 1 < depth ? w->nibbles[i + 1] : fill;
        out[before + i / 2] = (uint8_t)(high << 4 | low);
    }
    return before + LMDB_HASH;
}

static cevm_err copy_leaf(cevm_lmdb *db, leaf *out, MDB_val key, MDB_val value)
{
    const walk *w = db->walk;
    if (key.mv_size != owner_size(w) + LMDB_HASH || value.mv_size == 0 || value.mv_size > sizeof out->record) {
        return cevm_lmdb_corrupt(db, "a record of %s is damaged (key %zu bytes, value %zu)",
                                 w->owner != NULL ? "storage" : "accounts", key.mv_size, value.mv_size);
    }
    memcpy(out->key.bytes, (const uint8_t *)key.mv_data + owner_size(w), LMDB_HASH);
    memcpy(out->record, value.mv_data, value.mv_size);
    out->size = value.mv_size;
    return CEVM_OK;
}

/** Finds the first and the last leaf below the walk's first `depth` nibbles. */
static cevm_err find_leaves(cevm_lmdb *db, bool *found, leaf *first, leaf *last, size_t depth)
{
    const walk *w = db->walk;
    uint8_t from[LMDB_SLOT_KEY];
    MDB_val key;
    MDB_val value;
    size_t size = leaf_key(w, from, depth, 0);
    cevm_err err = cevm_lmdb_seek(db, w->leaves, found, &key, &value, from, size, owner_size(w));
    if (err != CEVM_OK || !*found) {
        return err;
    }
    err = copy_leaf(db, first, key, value);
    if (err != CEVM_OK) {
        return err;
    }
    *found = compare_path(w, &first->key, depth) == 0;
    if (!*found) {
        return CEVM_OK;
    }
    size = leaf_key(w, from, depth, 15);
    key = (MDB_val){.mv_size = size, .mv_data = from};
    int rc = mdb_cursor_get(w->leaves, &key, &value, MDB_SET_RANGE);
    if (rc == MDB_NOTFOUND) {
        rc = mdb_cursor_get(w->leaves, &key, &value, MDB_LAST);
    } else if (rc == MDB_SUCCESS && (key.mv_size != size || memcmp(key.mv_data, from, size) != 0)) {
        rc = mdb_cursor_get(w->leaves, &key, &value, MDB_PREV);
    }
    err = cevm_lmdb_fail(db, "cannot search", rc);
    if (err == CEVM_OK) {
        err = copy_leaf(db, last, key, value);
    }
    if (err == CEVM_OK && compare_path(w, &last->key, depth) != 0) {
        err = cevm_lmdb_corrupt(db, "the order of the keys is damaged");
    }
    return err;
}

/** Appends what the trie holds for a leaf. */
static cevm_err leaf_value(cevm_lmdb *db, cevm_buf *out, const leaf *l)
{
    const cevm_bytes record = {l->record, l->size};
    cevm_buf_clear(out);
    if (db->walk->owner != NULL) {
        lmdb_slot slot;
        if (!cevm_lmdb_decode_slot(&slot, record)) {
            return cevm_lmdb_corrupt(db, "the record of a slot is damaged (%zu bytes)", l->size);
        }
        cevm_rlp_put_u256(out, &slot.value);
    } else {
        lmdb_account account;
        if (!cevm_lmdb_decode_account(&account, record)) {
            return cevm_lmdb_corrupt(db, "the record of an account is damaged (%zu bytes)", l->size);
        }
        const size_t list = cevm_rlp_list_begin(out);
        cevm_rlp_put_u64(out, account.nonce);
        cevm_rlp_put_u256(out, &account.balance);
        cevm_rlp_put_hash(out, &account.storage_root);
        cevm_rlp_put_hash(out, &account.code_hash);
        cevm_rlp_list_end(out, list);
    }
    return out->failed ? CEVM_ERR_NOMEM : CEVM_OK;
}

/* ---- References ------------------------------------------------------------------------------------------------------ */

/** The reference to the node whose encoding the buffer holds. */
static cevm_err set_ref(lmdb_ref *out, const cevm_buf *encoded)
{
    if (encoded->failed) {
        return CEVM_ERR_NOMEM;
    }
    if (encoded->size < LMDB_HASH) {
        out->size = (uint8_t)encoded->size;
        memcpy(out->bytes, encoded->data, encoded->size);
    } else {
        cevm_hash hash;
        cevm_keccak256(&hash, encoded->data, encoded->size);
        out->size = LMDB_HASH;
        memcpy(out->bytes, hash.bytes, LMDB_HASH);
    }
    return CEVM_OK;
}

static void put_ref(cevm_buf *buf, const lmdb_ref *ref)
{
    if (ref->size == LMDB_HASH || ref->size == 0) {
        cevm_rlp_put_bytes(buf, ref->bytes, ref->size);
    } else {
        cevm_buf_append(buf, ref->bytes, ref->size);
    }
}

static cevm_err leaf_ref(cevm_lmdb *db, lmdb_ref *out, const leaf *l, size_t start)
{
    const cevm_err err = leaf_value(db, &db->value, l);
    if (err != CEVM_OK) {
        return err;
    }
    cevm_buf_clear(&db->scratch);
    const size_t list = cevm_rlp_list_begin(&db->scratch);
    cevm_trie_put_path(&db->scratch, (cevm_bytes){l->key.bytes, LMDB_HASH}, start, LMDB_NIBBLES, true);
    cevm_rlp_put_bytes(&db->scratch, db->value.data, db->value.size);
    cevm_rlp_list_end(&db->scratch, list);
    return set_ref(out, &db->scratch);
}

/** The reference to the branch of a frame, with the extension above it if there is one. */
static cevm_err branch_ref(cevm_lmdb *db, lmdb_ref *out, const frame *f)
{
    lmdb_ref branch;
    uint8_t path[LMDB_SLOT_KEY];
    cevm_buf_clear(&db->scratch);
    size_t list = cevm_rlp_list_begin(&db->scratch);
    for (size_t i = 0; i < 16; ++i) {
        put_ref(&db->scratch, &f->refs[i]);
    }
    cevm_rlp_put_bytes(&db->scratch, NULL, 0);
    cevm_rlp_list_end(&db->scratch, list);
    cevm_err err = set_ref(&branch, &db->scratch);
    if (err != CEVM_OK || f->depth == f->start) {
        *out = branch;
        return err;
    }
    const size_t size = leaf_key(db->walk, path, f->depth, 0);
    cevm_buf_clear(&db->scratch);
    list = cevm_rlp_list_begin(&db->scratch);
    cevm_trie_put_path(&db->scratch, (cevm_bytes){path + size - LMDB_HASH, LMDB_HASH}, f->start, f->depth, false);
    put_ref(&db->scratch, &branch);
    cevm_rlp_list_end(&db->scratch, list);
    return set_ref(out, &db->scratch);
}

/* ---- Stored branches ------------------------------------------------------------------------------------------------- */

enum { MAX_BRANCH_KEY = 1 + LMDB_HASH + LMDB_NIBBLES };

/** The key of the branch at the walk's first `depth` nibbles. */
static size_t branch_key(const walk *w, uint8_t out[MAX_BRANCH_KEY], size_t depth)
{
    const size_t before = 1 + owner_size(w);
    out[0] = w->owner != NULL ? 1 : 0;
    if (w->owner != NULL) {
        memcpy(out + 1, w->owner->bytes, LMDB_HASH);
    }
    memcpy(out + before, w->nibbles, depth);
    return before + depth;
}

static cevm_err load_branch(cevm_lmdb *db, frame *f, size_t depth)
{
    uint8_t key[MAX_BRANCH_KEY];
    cevm_bytes record;
    const size_t size = branch_key(db->walk, key, depth);
    const cevm_err err = cevm_lmdb_get(db, &f->has_stored, &record, LMDB_BRANCHES, key, size);
    if (err == CEVM_OK && f->has_stored && !cevm_lmdb_decode_branch(f->refs, record)) {
        return cevm_lmdb_corrupt(db, "the record of a branch is damaged (%zu bytes)", record.size);
    }
    return err;
}

static cevm_err store_branch(cevm_lmdb *db, const frame *f)
{
    uint8_t key[MAX_BRANCH_KEY];
    uint8_t record[LMDB_MAX_BRANCH];
    size_t children = 0;
    for (size_t i = 0; i < 16; ++i) {
        children += f->refs[i].size != 0 ? 1 : 0;
    }
    if (children < 2) {
        return cevm_lmdb_corrupt(db, "a branch of the trie does not match accounts and slots");
    }
    const size_t size = branch_key(db->walk, key, f->depth);
    const size_t record_size = cevm_lmdb_encode_branch(record, f->refs);
    if (db->walk->checks) {
        bool found = false;
        cevm_bytes stored = {NULL, 0};
        const cevm_err err = cevm_lmdb_get(db, &found, &stored, LMDB_BRANCHES, key, size);
        if (err == CEVM_OK && (!found || stored.size != record_size || memcmp(stored.data, record, record_size) != 0)) {
            return cevm_lmdb_corrupt(db, "a branch of the trie is %s", found ? "not what lies below it" : "missing");
        }
        db->walk->branch_count++;
        return err;
    }
    return cevm_lmdb_put(db, LMDB_BRANCHES, key, size, (cevm_bytes){record, record_size});
}

/** Removes the branches stored below the first `start` nibbles, but not those at or below `depth` ones (0: all). */
static cevm_err clean(cevm_lmdb *db, size_t start, size_t depth, bool has_branch)
{
    const walk *w = db->walk;
    uint8_t from[MAX_BRANCH_KEY + 1];
    uint8_t keep[MAX_BRANCH_KEY + 1];
    const size_t prefix = branch_key(w, from, start);
    const size_t keep_size = has_branch ? branch_key(w, keep, depth) : 0;
    size_t from_size = prefix;
    for (;;) {
        bool found = false;
        MDB_val key;
        MDB_val value;
        cevm_err err = cevm_lmdb_seek(db, w->branches, &found, &key, &value, from, from_size, prefix);
        if (err != CEVM_OK || !found) {
            return err;
        }
        if (has_branch && key.mv_size >= keep_size && memcmp(key.mv_data, keep, keep_size) == 0) {
            if (key.mv_size > keep_size && ((const uint8_t *)key.mv_data)[keep_size] > 15) {
                return cevm_lmdb_corrupt(db, "the key of a branch is damaged");
            }
            memcpy(from, keep, keep_size); /* go on behind them: no nibble is 16 */
            from[keep_size] = 16;
            from_size = keep_size + 1;
            continue;
        }
        err = cevm_lmdb_fail(db, "cannot remove", mdb_cursor_del(w->branches, 0));
        if (err != CEVM_OK) {
            return err;
        }
    }
}

/* ---- The walk -------------------------------------------------------------------------------------------------------- */

/** Whether one of the changes [from, to) is of a key that is no longer there. */
static bool any_gone(const walk *w, size_t from, size_t to)
{
    return from != to && w->changes[to].gone != w->changes[from].gone;
}

/**
 * Looks what stands below the walk's first `start` nibbles, where the changes [from, to) fall. A branch becomes a new
 * frame; anything else is *out at once.
 */
static cevm_err enter(cevm_lmdb *db, bool *is_frame, lmdb_ref *out, size_t start, size_t from, size_t to)
{
    walk *w = db->walk;
    const bool removes = any_gone(w, from, to);
    leaf first;
    leaf last;
    bool found = false;
    *is_frame = false;
    out->size = 0;
    frame *f = &w->frames[w->height];
    *f = (frame){.start = start, .depth = start, .next = from, .end = to};
    cevm_err err = CEVM_OK;
    if (!removes && !w->checks && start < LMDB_NIBBLES) {
        err = load_branch(db, f, start);
        if (err != CEVM_OK || f->has_stored) {
            *is_frame = err == CEVM_OK;
            w->height += *is_frame ? 1 : 0;
            return err;
        }
    }
    err = find_leaves(db, &found, &first, &last, start);
    if (err != CEVM_OK) {
        return err;
    }
    const bool is_leaf = found && cevm_hash_equal(&first.key, &last.key);
    if (found && !is_leaf) {
        size_t depth = start;
        while (nibble(&first.key, depth) == nibble(&last.key, depth)) {
            w->nibbles[depth] = (uint8_t)nibble(&first.key, depth);
            ++depth;
        }
        f->depth = depth;
        err = w->checks ? CEVM_OK : load_branch(db, f, depth);
        *is_frame = err == CEVM_OK;
        w->height += *is_frame ? 1 : 0;
    }
    if (err == CEVM_OK && removes) {
        err = clean(db, start, f->depth, *is_frame);
    }
    return err == CEVM_OK && is_leaf ? leaf_ref(db, out, &first, start) : err;
}

/** The changes below a child of the top frame; *end is where they end, and where they begin is returned. */
static size_t changes_below(const walk *w, frame *f, unsigned child, size_t *end)
{
    /* Before and behind the branch lie keys that are gone. */
    while (f->next < f->end && compare_path(w, &w->changes[f->next].key, f->depth) < 0) {
        f->next++;
    }
    const size_t begin = f->next;
    while (f->next < f->end && compare_path(w, &w->changes[f->next].key, f->depth) == 0 &&
           nibble(&w->changes[f->next].key, f->depth) == child) {
        f->next++;
    }
    *end = f->next;
    return begin;
}

/** Makes the root of the walk's trie; *out is the reference to it, size 0 when the trie is empty. */
static cevm_err run_walk(cevm_lmdb *db, lmdb_ref *out)
{
    walk *w = db->walk;
    bool is_frame = false;
    w->height = 0;
    cevm_err err = enter(db, &is_frame, out, 0, 0, w->count);
    while (err == CEVM_OK && w->height != 0) {
        frame *f = &w->frames[w->height - 1];
        if (f->child < 16) {
            size_t end = 0;
            const unsigned child = f->child++;
            const size_t begin = changes_below(w, f, child, &end);
            if (begin != end || !f->has_stored) {
                w->nibbles[f->depth] = (uint8_t)child;
                err = enter(db, &is_frame, &f->refs[child], f->depth + 1, begin, end);
            }
            continue;
        }
        err = store_branch(db, f);
        if (err == CEVM_OK) {
            lmdb_ref *place = out;
            if (w->height > 1) {
                frame *above = &w->frames[w->height - 2];
                place = &above->refs[above->child - 1];
            }
            err = branch_ref(db, place, f);
        }
        w->height--;
    }
    return err;
}

/** Opens the walk over a trie. */
static cevm_err begin_walk(cevm_lmdb *db, const cevm_hash *owner, size_t count)
{
    if (db->walk == NULL) {
        db->walk = cevm_zalloc(db->allocator, sizeof *db->walk);
        if (db->walk == NULL) {
            return CEVM_ERR_NOMEM;
        }
    }
    walk *w = db->walk;
    change *changes = cevm_array_reserve(db->allocator, w->changes, &w->capacity, 0, count + 1, sizeof *changes);
    if (changes == NULL) {
        return CEVM_ERR_NOMEM;
    }
    w->changes = changes;
    w->count = 0;
    w->checks = false;
    changes[0].gone = 0;
    w->owner = owner;
    const cevm_err err = cevm_lmdb_cursor(db, &w->leaves, owner != NULL ? LMDB_STORAGE : LMDB_ACCOUNTS);
    if (err != CEVM_OK) {
        return err;
    }
    return cevm_lmdb_cursor(db, &w->branches, LMDB_BRANCHES);
}

/** Adds a change; keys come in order, several times perhaps. */
static void add_change(walk *w, const uint8_t key[LMDB_HASH], bool is_there)
{
    if (w->count != 0 && memcmp(w->changes[w->count - 1].key.bytes, key, LMDB_HASH) == 0) {
        return;
    }
    memcpy(w->changes[w->count].key.bytes, key, LMDB_HASH);
    w->changes[w->count + 1].gone = w->changes[w->count].gone + (is_there ? 0 : 1);
    w->count++;
}

static void end_walk(walk *w)
{
    if (w != NULL) {
        mdb_cursor_close(w->leaves);
        mdb_cursor_close(w->branches);
        w->leaves = NULL;
        w->branches = NULL;
        w->owner = NULL;
    }
}

/** The hash that a reference to a root stands for. */
static void root_hash(cevm_hash *out, const lmdb_ref *ref)
{
    if (ref->size == 0) {
        *out = cevm_trie_empty_root;
    } else if (ref->size == LMDB_HASH) {
        memcpy(out->bytes, ref->bytes, LMDB_HASH);
    } else {
        cevm_keccak256(out, ref->bytes, ref->size); /* a root is hashed even when it is short */
    }
}

/* ---- What is marked -------------------------------------------------------------------------------------------------- */

static int compare_hashes(const void *a, const void *b) { return memcmp(a, b, LMDB_HASH); }

static int compare_slots(const void *a, const void *b) { return memcmp(a, b, LMDB_SLOT_KEY); }

/** Brings the storage trie of an account up to date with marked slots, and its record with the root. */
static cevm_err update_storage(cevm_lmdb *db, const lmdb_slot_key *slots, size_t count)
{
    cevm_hash owner;
    bool found = false;
    lmdb_account account;
    lmdb_ref ref = {.size = 0};
    memcpy(owner.bytes, slots[0].bytes, LMDB_HASH);
    cevm_err err = cevm_lmdb_find_account(db, &found, &account, &owner);
    if (err != CEVM_OK || !found) {
        return err != CEVM_OK ? err : cevm_lmdb_drop_branches(db, &owner);
    }
    err = begin_walk(db, &owner, count);
    for (size_t i = 0; err == CEVM_OK && i < count; ++i) {
        bool is_there = false;
        cevm_bytes record;
        err = cevm_lmdb_get(db, &is_there, &record, LMDB_STORAGE, slots[i].bytes, LMDB_SLOT_KEY);
        if (err == CEVM_OK) {
            add_change(db->walk, slots[i].bytes + LMDB_HASH, is_there);
        }
    }
    if (err == CEVM_OK) {
        err = run_walk(db, &ref);
    }
    end_walk(db->walk);
    if (err != CEVM_OK) {
        return err;
    }
    uint8_t record[LMDB_MAX_RECORD];
    account.has_storage = ref.size != 0;
    root_hash(&account.storage_root, &ref);
    const size_t size = cevm_lmdb_encode_account(record, &account);
    return cevm_lmdb_put(db, LMDB_ACCOUNTS, owner.bytes, LMDB_HASH, (cevm_bytes){record, size});
}

static cevm_err update_storages(cevm_lmdb *db)
{
    cevm_err err = CEVM_OK;
    cevm_sort(db->slots, db->slot_count, sizeof *db->slots, compare_slots);
    for (size_t i = 0; err == CEVM_OK && i < db->slot_count;) {
        size_t end = i + 1;
        while (end < db->slot_count && memcmp(db->slots[i].bytes, db->slots[end].bytes, LMDB_HASH) == 0) {
            ++end;
        }
        err = update_storage(db, &db->slots[i], end - i);
        i = end;
    }
    return err;
}

cevm_err cevm_lmdb_update_root(cevm_lmdb *db)
{
    lmdb_ref ref = {.size = 0};
    cevm_err err = update_storages(db);
    if (err == CEVM_OK) {
        cevm_sort(db->accounts, db->account_count, sizeof *db->accounts, compare_hashes);
        err = begin_walk(db, NULL, db->account_count);
    }
    for (size_t i = 0; err == CEVM_OK && i < db->account_count; ++i) {
        bool is_there = false;
        cevm_bytes record;
        err = cevm_lmdb_get(db, &is_there, &record, LMDB_ACCOUNTS, db->accounts[i].bytes, LMDB_HASH);
        if (err == CEVM_OK) {
            add_change(db->walk, db->accounts[i].bytes, is_there);
        }
    }
    if (err == CEVM_OK) {
        err = run_walk(db, &ref);
    }
    end_walk(db->walk);
    if (err == CEVM_OK) {
        root_hash(&db->head.root, &ref);
        db->account_count = 0;
        db->slot_count = 0;
    }
    return err;
}

cevm_err cevm_lmdb_check_trie(cevm_lmdb *db, cevm_hash *root, uint64_t *branch_count, const cevm_hash *owner)
{
    lmdb_ref ref = {.size = 0};
    cevm_err err = begin_walk(db, owner, 0);
    if (err == CEVM_OK) {
        db->walk->checks = true;
        db->walk->branch_count = 0;
        err = run_walk(db, &ref);
        *branch_count += db->walk->branch_count;
    }
    end_walk(db->walk);
    root_hash(root, &ref);
    return err;
}
