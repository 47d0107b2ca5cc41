/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/artifacts.h"

#include <errno.h>
#include <fts.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cevm/alloc.h>
#include <cevm/crypto.h>

#include "evm/arena.h"
#include "trace/revert.h"
#include "trace/selectors.h"

enum { FUNCTION, ERROR, KINDS, SIGNATURE_SIZE = 1024, MAX_FILE = 64 << 20 };

typedef struct entry {
    uint32_t selector;
    const char *signature;
} entry;

typedef struct list {
    entry *items;
    size_t count, capacity;
} list;

struct cevm_artifacts {
    cevm_arena arena;
    list lists[KINDS];
};

/* ---- Signatures --------------------------------------------------------------------------------------------------------- */

typedef struct text {
    char data[SIGNATURE_SIZE];
    size_t size;
    bool whole;
} text;

static void add(text *t, const char *piece)
{
    size_t size = strlen(piece);
    if (t->size + size >= sizeof t->data) {
        t->whole = false;
        return;
    }
    memcpy(t->data + t->size, piece, size + 1);
    t->size += size;
}

/* A place in a list of parameters, with the ways back: tuples hold tuples. */
typedef struct level {
    json_t *inputs;
    size_t next;
    const char *suffix; /* "[]" and the like behind the closing bracket */
} level;

/* "(address,(uint256,bytes)[])" */
static void add_types(text *t, json_t *inputs)
{
    level stack[16];
    size_t depth = 0;
    stack[0] = (level){inputs, 0, ""};
    add(t, "(");
    while (t->whole) {
        level *at = &stack[depth];
        if (at->next >= json_array_size(at->inputs)) {
            add(t, ")");
            add(t, at->suffix);
            if (depth == 0) {
                return;
            }
            --depth;
            continue;
        }
        json_t *item = json_array_get(at->inputs, at->next);
        const char *type = json_string_value(json_object_get(item, "type"));
        add(t, at->next++ != 0 ? "," : "");
        if (type == NULL || (strncmp(type, "tuple", 5) == 0 && depth + 1 == sizeof stack / sizeof stack[0])) {
            t->whole = false;
        } else if (strncmp(type, "tuple", 5) == 0) {
            stack[++depth] = (level){json_object_get(item, "components"), 0, type + 5};
            add(t, "(");
        } else {
            add(t, type);
        }
    }
}

static bool append(list *l, uint32_t selector, const char *signature)
{
    if (l->count == l->capacity) {
        size_t wanted = l->capacity != 0 ? l->capacity * 2 : 64;
        entry *grown = cevm_resize_array(NULL, l->items, wanted, sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        l->items = grown;
        l->capacity = wanted;
    }
    l->items[l->count++] = (entry){selector, signature};
    return true;
}

/* False when memory ran out. */
static bool add_item(cevm_artifacts *a, json_t *item)
{
    const char *type = json_string_value(json_object_get(item, "type"));
    const char *name = json_string_value(json_object_get(item, "name"));
    int kind = type == NULL                    ? KINDS
               : strcmp(type, "function") == 0 ? FUNCTION
               : strcmp(type, "error") == 0    ? ERROR
                                               : KINDS;
    text t = {.whole = true};
    if (kind == KINDS || name == NULL) {
        return true;
    }
    add(&t, name);
    add_types(&t, json_object_get(item, "inputs"));
    if (!t.whole) {
        return true;
    }
    cevm_hash hash;
    cevm_keccak256(&hash, t.data, t.size);
    char *kept = cevm_arena_text(&a->arena, t.data);
    uint32_t selector =
        (uint32_t)hash.bytes[0] << 24 | (uint32_t)hash.bytes[1] << 16 | (uint32_t)hash.bytes[2] << 8 | hash.bytes[3];
    return kept != NULL && append(&a->lists[kind], selector, kept);
}

/* ---- Files -------------------------------------------------------------------------------------------------------------- */

static bool read_file(cevm_artifacts *a, const char *path, off_t size)
{
    json_error_t error;
    if (size > MAX_FILE) {
        return true;
    }
    json_t *json = json_load_file(path, 0, &error);
    json_t *abi = json_is_array(json) ? json : json_object_get(json, "abi");
    bool ok = true;
    for (size_t i = 0; ok && i < json_array_size(abi); ++i) {
        ok = add_item(a, json_array_get(abi, i));
    }
    json_decref(json);
    return ok;
}

static bool is_json(const char *name)
{
    size_t size = strlen(name);
    return size > 5 && strcmp(name + size - 5, ".json") == 0;
}

static bool skipped(const char *name)
{
    return strcmp(name, "node_modules") == 0 || strcmp(name, "build-info") == 0 || strcmp(name, ".git") == 0;
}

/* 0, or an errno. */
static int walk(cevm_artifacts *a, const char *path)
{
    char *const paths[] = {(char *)(uintptr_t)path, NULL};
    int result = 0;
    errno = 0;
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_COMFOLLOW, NULL);
    if (tree == NULL) {
        return errno;
    }
    FTSENT *file;
    while (result == 0 && (file = fts_read(tree)) != NULL) {
        if (file->fts_info == FTS_D && file->fts_level > 0 && skipped(file->fts_name)) {
            (void)fts_set(tree, file, FTS_SKIP);
        } else if (file->fts_info == FTS_F && is_json(file->fts_name)) {
            result = read_file(a, file->fts_path, file->fts_statp->st_size) ? 0 : ENOMEM;
        } else if ((file->fts_info == FTS_NS || file->fts_info == FTS_DNR || file->fts_info == FTS_ERR) &&
                   file->fts_level == 0) {
            result = file->fts_errno;
        }
    }
    (void)fts_close(tree);
    return result;
}

static int compare(const void *a, const void *b)
{
    const entry *x = a;
    const entry *y = b;
    int order = (x->selector > y->selector) - (x->selector < y->selector);
    return order != 0 ? order : strcmp(x->signature, y->signature);
}

bool cevm_artifacts_load(cevm_artifacts **out, char *error, size_t error_size, const char *path)
{
    cevm_artifacts *a = cevm_zalloc(NULL, sizeof *a);
    int why = a != NULL ? walk(a, path) : ENOMEM;
    *out = NULL;
    if (why != 0) {
        (void)snprintf(error, error_size, "%s: %s", path, strerror(why));
        cevm_artifacts_free(a);
        return false;
    }
    for (int kind = 0; kind < KINDS; ++kind) {
        if (a->lists[kind].count != 0) {
            qsort(a->lists[kind].items, a->lists[kind].count, sizeof(entry), compare);
        }
    }
    *out = a;
    return true;
}

void cevm_artifacts_free(cevm_artifacts *a)
{
    if (a != NULL) {
        for (int kind = 0; kind < KINDS; ++kind) {
            cevm_free(NULL, a->lists[kind].items);
        }
        cevm_arena_destroy(&a->arena);
        cevm_free(NULL, a);
    }
}

size_t cevm_artifacts_count(const cevm_artifacts *a)
{
    size_t count = 0;
    for (int kind = 0; a != NULL && kind < KINDS; ++kind) {
        count += a->lists[kind].count;
    }
    return count;
}

/* ---- Names -------------------------------------------------------------------------------------------------------------- */

static const char *find(const cevm_artifacts *a, int kind, uint32_t selector)
{
    size_t low = 0;
    size_t high = a != NULL ? a->lists[kind].count : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const entry *e = &a->lists[kind].items[middle];
        if (e->selector == selector) {
            return e->signature;
        }
        if (e->selector < selector) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

const char *cevm_artifacts_function(const cevm_artifacts *a, uint32_t selector)
{
    const char *name = find(a, FUNCTION, selector);
    return name != NULL ? name : cevm_known_function(selector);
}

void cevm_artifacts_describe_revert(char *out, size_t size, const cevm_artifacts *a, cevm_bytes data)
{
    if (a != NULL && data.size >= 4) {
        uint32_t selector =
            (uint32_t)data.data[0] << 24 | (uint32_t)data.data[1] << 16 | (uint32_t)data.data[2] << 8 | data.data[3];
        const char *name = find(a, ERROR, selector);
        if (name != NULL) {
            cevm_describe_call(out, size, name, (cevm_bytes){data.data + 4, data.size - 4});
            return;
        }
    }
    (void)cevm_revert_describe(out, size, data);
}
