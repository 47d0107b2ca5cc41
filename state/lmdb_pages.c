/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/lmdb_pages.c: whether the pages of an LMDB file hang together. LMDB trusts them: a page with a wrong offset in it
 * makes it read outside of the map, which ends the process. So a file of doubtful origin is looked through here first, with
 * plain reads: every page that can be reached is the one it should be, is used once, and nothing in it points outside of it.
 *
 * The layout is that of LMDB 0.9 (data version 1) on machines with 64-bit words, least significant byte first.
 */
#include "state/lmdb_internal.h"

#include <cevm/alloc.h>

#include <stdio.h>
#include <unistd.h>

enum {
    PAGE_BRANCH = 1,
    PAGE_LEAF = 2,
    PAGE_OVERFLOW = 4,
    NODE_BIG = 1,
    NODE_TABLE = 2,
    PAGE_HEADER = 16,
    NODE_HEADER = 8,
    META_TABLES = 40, /* two tables: free pages, and the one that names the others */
    META_LAST = 136,
    META_TRANSACTION = 144,
    META_SIZE = 152,
    TABLE_SIZE = 48,
    INTEGER_KEYS = 8,
    MAX_DEPTH = 31,
    MAX_PAGE = 32768,
    MAX_TABLES = 64
};

#define NO_PAGE UINT64_MAX

/** A table as it is described in the file. */
typedef struct table {
    unsigned flags;
    unsigned depth;
    uint64_t branch_pages;
    uint64_t leaf_pages;
    uint64_t overflow_pages;
    uint64_t entries;
    uint64_t root;
} table;

typedef struct level {
    uint8_t *page;
    unsigned next;
    unsigned count;
} level;

typedef struct checking {
    const cevm_allocator *allocator;
    int file;
    size_t page_size;
    uint64_t last;
    uint8_t *used;             /* a bit for each page */
    uint8_t *pages;            /* one for each level, one for what is read on the way */
    bool starts[MAX_PAGE / 2]; /* where nodes of a page begin */
    level levels[MAX_DEPTH + 1];
    table seen; /* figures of the table that is walked over */
    table tables[MAX_TABLES];
    size_t table_count;
    bool is_free; /* the table of free pages is walked over */
    bool is_main; /* ... the one that names the others */
    char *text;
    size_t text_size;
} checking;

static uint64_t load_le(const uint8_t *p, size_t size)
{
    uint64_t value = 0;
    for (size_t i = size; i > 0; --i) {
        value = value << 8 | p[i - 1];
    }
    return value;
}

static cevm_err damaged(const checking *c, uint64_t page, const char *what)
{
    (void)snprintf(c->text, c->text_size, "data.mdb is damaged: page %llu %s", (unsigned long long)page, what);
    return CEVM_ERR_BACKEND;
}

/** Marks pages as used. */
static cevm_err use(checking *c, uint64_t page, uint64_t count)
{
    if (page < 2 || page > c->last || count > c->last - page + 1) {
        return damaged(c, page, "lies outside of the file");
    }
    for (; count != 0; --count, ++page) {
        uint8_t *byte = &c->used[page / 8];
        const uint8_t bit = (uint8_t)(1u << (page % 8));
        if ((*byte & bit) != 0) {
            return damaged(c, page, "is used twice");
        }
        *byte |= bit;
    }
    return CEVM_OK;
}

static cevm_err read_at(const checking *c, uint8_t *out, size_t size, uint64_t page, uint64_t offset)
{
    const off_t at = (off_t)(page * c->page_size + offset);
    return pread(c->file, out, size, at) == (ssize_t)size ? CEVM_OK : damaged(c, page, "cannot be read");
}

/* ---- What a leaf holds ----------------------------------------------------------------------------------------------- */

/** Marks the free pages that a record of `size` bytes at `offset` of page `page` lists: their number, then each. */
static cevm_err use_free(checking *c, uint64_t page, uint64_t offset, uint64_t size)
{
    uint8_t word[8];
    cevm_err err = size >= sizeof word ? read_at(c, word, sizeof word, page, offset) : damaged(c, page, "is cut short");
    const uint64_t count = err == CEVM_OK ? load_le(word, sizeof word) : 0;
    if (err == CEVM_OK && (count > c->last || size != (count + 1) * sizeof word)) {
        err = damaged(c, page, "has a list of free pages of the wrong length");
    }
    uint64_t before = NO_PAGE;
    for (uint64_t i = 1; err == CEVM_OK && i <= count; ++i) {
        err = read_at(c, word, sizeof word, page, offset + i * sizeof word);
        const uint64_t free_page = load_le(word, sizeof word);
        if (err == CEVM_OK && free_page >= before) {
            err = damaged(c, page, "has a list of free pages out of order");
        }
        before = free_page;
        if (err == CEVM_OK) {
            err = use(c, free_page, 1);
        }
    }
    return err;
}

static void load_table(table *out, const uint8_t *p)
{
    *out = (table){.flags = (unsigned)load_le(p + 4, 2),
                   .depth = (unsigned)load_le(p + 6, 2),
                   .branch_pages = load_le(p + 8, 8),
                   .leaf_pages = load_le(p + 16, 8),
                   .overflow_pages = load_le(p + 24, 8),
                   .entries = load_le(p + 32, 8),
                   .root = load_le(p + 40, 8)};
}

/** A value on pages of its own. */
static cevm_err check_big(checking *c, uint64_t page, uint64_t size)
{
    uint8_t header[PAGE_HEADER];
    const cevm_err err = page >= 2 && page <= c->last ? read_at(c, header, sizeof header, page, 0)
                                                      : damaged(c, page, "lies outside of the file");
    if (err != CEVM_OK) {
        return err;
    }
    const uint64_t count = load_le(header + 12, 4);
    const uint64_t needed = (size + PAGE_HEADER + c->page_size - 1) / c->page_size;
    if (load_le(header, 8) != page || load_le(header + 10, 2) != PAGE_OVERFLOW || count != needed) {
        return damaged(c, page, "is not the long value it should be");
    }
    c->seen.overflow_pages += count;
    return use(c, page, count);
}

/** A leaf's node at `offset`; what it takes lies within the page. */
static cevm_err check_leaf_node(checking *c, const uint8_t *page, uint64_t number, size_t offset)
{
    const uint8_t *node = page + offset;
    const uint64_t size = load_le(node, 2) | load_le(node + 2, 2) << 16;
    const unsigned flags = (unsigned)load_le(node + 4, 2);
    const size_t key_size = (size_t)load_le(node + 6, 2);
    const bool is_big = flags == NODE_BIG;
    const size_t data = offset + NODE_HEADER + key_size;
    if (key_size == 0 || key_size > 511 || data > c->page_size || (is_big ? 8 : size) > c->page_size - data) {
        return damaged(c, number, "has a record that does not fit");
    }
    if (flags != 0 && !is_big && !(flags == NODE_TABLE && c->is_main)) {
        return damaged(c, number, "has a record of a kind that should not be there");
    }
    if (c->is_free && key_size != 8) {
        return damaged(c, number, "has a key of the wrong length");
    }
    c->seen.entries++;
    if (flags == NODE_TABLE) {
        if (size != TABLE_SIZE || c->table_count == MAX_TABLES) {
            return damaged(c, number, "describes a table wrongly");
        }
        load_table(&c->tables[c->table_count++], page + data);
        return CEVM_OK;
    }
    if (!is_big) {
        return c->is_free ? use_free(c, number, data, size) : CEVM_OK;
    }
    const uint64_t first = load_le(page + data, 8);
    const cevm_err err = check_big(c, first, size);
    return err == CEVM_OK && c->is_free ? use_free(c, first, PAGE_HEADER, size) : err;
}

/* ---- Pages ----------------------------------------------------------------------------------------------------------- */

/** Bytes of a node whose header lies within the page; more than a page has when it says so itself. */
static size_t node_size(const uint8_t *node, bool is_branch)
{
    const uint64_t data = load_le(node, 2) | load_le(node + 2, 2) << 16;
    const bool is_big = (load_le(node + 4, 2) & NODE_BIG) != 0;
    uint64_t size = NODE_HEADER + load_le(node + 6, 2);
    if (!is_branch) {
        size += is_big ? 8 : data;
    }
    return (size_t)(size + (size & 1));
}

/** The nodes fill the page from `upper` to its end without a gap: LMDB moves them about believing that. */
static cevm_err check_packing(checking *c, const uint8_t *page, uint64_t number, unsigned count, bool is_branch)
{
    const size_t upper = (size_t)load_le(page + 14, 2);
    const size_t most = (((c->page_size - PAGE_HEADER) / 2) & ~(size_t)1) - 2; /* so that two fit */
    size_t total = 0;
    size_t lowest = c->page_size;
    memset(c->starts, 0, c->page_size / 2);
    for (unsigned i = 0; i < count; ++i) {
        const size_t offset = (size_t)load_le(page + PAGE_HEADER + 2 * (size_t)i, 2);
        if (offset < upper || offset % 2 != 0 || offset + NODE_HEADER > c->page_size || c->starts[offset / 2]) {
            return damaged(c, number, "points outside of itself");
        }
        const size_t size = node_size(page + offset, is_branch);
        if (size > c->page_size - offset || size > most) {
            return damaged(c, number, "has a record that does not fit");
        }
        c->starts[offset / 2] = true;
        total += size;
        lowest = offset < lowest ? offset : lowest;
    }
    for (unsigned i = 0; i < count; ++i) {
        const size_t offset = (size_t)load_le(page + PAGE_HEADER + 2 * (size_t)i, 2);
        const size_t end = offset + node_size(page + offset, is_branch);
        if (end != c->page_size && !c->starts[end / 2]) {
            return damaged(c, number, "has a gap between its records");
        }
    }
    return lowest == upper && total == c->page_size - upper ? CEVM_OK : damaged(c, number, "has records that overlap");
}

/** That the keys of a page, whose nodes lie within it, are in order. */
static cevm_err check_order(const checking *c, const uint8_t *page, uint64_t number, unsigned count, bool is_branch)
{
    const uint8_t *before = NULL;
    size_t before_size = 0;
    for (unsigned i = is_branch ? 1 : 0; i < count; ++i) { /* a branch's first key stands for all before the second */
        const uint8_t *node = page + load_le(page + PAGE_HEADER + 2 * (size_t)i, 2);
        const uint8_t *key = node + NODE_HEADER;
        const size_t size = (size_t)load_le(node + 6, 2);
        int order = -1;
        if (c->is_free && size != 8) {
            return damaged(c, number, "has a key of the wrong length");
        }
        if (before != NULL && c->is_free) {
            order = load_le(before, 8) < load_le(key, 8) ? -1 : 1;
        } else if (before != NULL) {
            order = memcmp(before, key, before_size < size ? before_size : size);
            order = order == 0 && before_size >= size ? 1 : order;
        }
        if (order > 0) {
            return damaged(c, number, "has keys out of order");
        }
        before = key;
        before_size = size;
    }
    return CEVM_OK;
}

/** Reads a page of a tree into the level it belongs to. */
static cevm_err enter_page(checking *c, uint64_t number, unsigned depth, bool is_branch)
{
    level *l = &c->levels[depth];
    cevm_err err = use(c, number, 1);
    if (err == CEVM_OK) {
        err = read_at(c, l->page, c->page_size, number, 0);
    }
    if (err != CEVM_OK) {
        return err;
    }
    const size_t lower = (size_t)load_le(l->page + 12, 2);
    const size_t upper = (size_t)load_le(l->page + 14, 2);
    const uint64_t flags = load_le(l->page + 10, 2);
    if (load_le(l->page, 8) != number || flags != (is_branch ? PAGE_BRANCH : PAGE_LEAF)) {
        return damaged(c, number, "is not the one that should be there");
    }
    if (lower < PAGE_HEADER || lower % 2 != 0 || lower > upper || upper > c->page_size) {
        return damaged(c, number, "has wrong bounds");
    }
    l->count = (unsigned)(lower - PAGE_HEADER) / 2;
    l->next = 0;
    if (l->count < (is_branch ? 2u : 1u)) {
        return damaged(c, number, "holds too little");
    }
    *(is_branch ? &c->seen.branch_pages : &c->seen.leaf_pages) += 1;
    err = check_packing(c, l->page, number, l->count, is_branch);
    return err == CEVM_OK ? check_order(c, l->page, number, l->count, is_branch) : err;
}

static cevm_err check_table(checking *c, const table *t)
{
    cevm_err err = CEVM_OK;
    c->seen = (table){.entries = 0};
    if ((t->root == NO_PAGE) != (t->depth == 0) || t->depth > MAX_DEPTH ||
        (t->flags & 0x7fffu) != (c->is_free ? INTEGER_KEYS : 0u)) {
        return damaged(c, t->root, "is the root of a table that is described wrongly");
    }
    unsigned depth = 0;
    if (t->root != NO_PAGE) {
        err = enter_page(c, t->root, 0, t->depth > 1);
        depth = 1;
    }
    while (err == CEVM_OK && depth != 0) {
        level *l = &c->levels[depth - 1];
        if (l->next == l->count) {
            --depth;
            continue;
        }
        const size_t offset = (size_t)load_le(l->page + PAGE_HEADER + 2 * (size_t)l->next++, 2);
        if (depth == t->depth) {
            err = check_leaf_node(c, l->page, load_le(l->page, 8), offset);
        } else {
            err = enter_page(c, load_le(l->page + offset, 6), depth, depth + 1 < t->depth);
            ++depth;
        }
    }
    if (err == CEVM_OK && (c->seen.entries != t->entries || c->seen.branch_pages != t->branch_pages ||
                           c->seen.leaf_pages != t->leaf_pages || c->seen.overflow_pages != t->overflow_pages)) {
        err = damaged(c, t->root, "is the root of a table whose figures are wrong");
    }
    return err;
}

static cevm_err check_all(checking *c, const uint8_t meta[META_SIZE])
{
    table free_pages;
    table names;
    load_table(&free_pages, meta + META_TABLES);
    load_table(&names, meta + META_TABLES + TABLE_SIZE);
    c->is_main = true;
    cevm_err err = check_table(c, &names);
    c->is_main = false;
    for (size_t i = 0; err == CEVM_OK && i < c->table_count; ++i) {
        err = check_table(c, &c->tables[i]);
    }
    c->is_free = true;
    return err == CEVM_OK ? check_table(c, &free_pages) : err;
}

cevm_err cevm_lmdb_check_pages(int file, size_t page_size, char *text, size_t text_size,
                               const cevm_allocator *allocator)
{
    uint8_t meta[2][META_SIZE];
    checking c = {.allocator = allocator, .file = file, .page_size = page_size, .text = text, .text_size = text_size};
    cevm_err err = read_at(&c, meta[0], META_SIZE, 0, 0);
    if (err == CEVM_OK) {
        err = read_at(&c, meta[1], META_SIZE, 1, 0);
    }
    if (err != CEVM_OK) {
        return err;
    }
    const uint8_t *newest =
        load_le(meta[1] + META_TRANSACTION, 8) > load_le(meta[0] + META_TRANSACTION, 8) ? meta[1] : meta[0];
    c.last = load_le(newest + META_LAST, 8);
    c.used = cevm_zalloc(allocator, (size_t)(c.last / 8) + 1);
    c.pages = cevm_alloc(allocator, (MAX_DEPTH + 1) * page_size);
    if (c.used == NULL || c.pages == NULL) {
        (void)snprintf(text, text_size, "%s", cevm_err_string(CEVM_ERR_NOMEM));
        err = CEVM_ERR_NOMEM;
    } else {
        for (size_t i = 0; i <= MAX_DEPTH; ++i) {
            c.levels[i].page = c.pages + i * page_size;
        }
        err = check_all(&c, newest);
    }
    cevm_free(allocator, c.used);
    cevm_free(allocator, c.pages);
    return err;
}
