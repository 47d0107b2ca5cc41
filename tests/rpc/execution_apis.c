/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Usage: execution_apis [-v] DIRECTORY [NAME-PREFIX]
 *
 * Runs the .io files of the execution-apis archive in their order against one node with its genesis and chain, through the
 * dispatcher that the servers use. The JSON must match whole, only error messages may differ; where a file says
 * "// speconly:" it is the shape that must match. One line a file that fails, then "N passed, N failed, N skipped".
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <jansson.h>

#include "rpc/dispatch.h"
#include "rpc/node.h"

enum { MAX_FILES = 4096, PATH_SIZE = 1024 };

typedef struct runner {
    cevm_node *node;
    bool is_verbose;
    size_t passed;
    size_t failed;
} runner;

static const cevm_rpc_limits limits = {
    .body = (size_t)64 << 20, .answer = (size_t)64 << 20, .batch = 100, .depth = 64, .timeout_ms = 60000};

/* ---- Comparing ----------------------------------------------------------------------------------------------------- */

/** Writes where two values differ. */
static bool differ(char *why, size_t size, const char *path, const json_t *want, const json_t *have)
{
    char *a = json_dumps(want, JSON_ENCODE_ANY | JSON_SORT_KEYS);
    char *b = json_dumps(have, JSON_ENCODE_ANY | JSON_SORT_KEYS);
    (void)snprintf(why, size, "%s: wanted %.300s, got %.300s", path, a != NULL ? a : "nothing",
                   b != NULL ? b : "nothing");
    free(a);
    free(b);
    return false;
}

/** In shape alone strings need not be the same, but both hex or both not. */
static bool same_leaf(const json_t *want, const json_t *have, bool shape_only)
{
    if (!shape_only) {
        return json_equal(want, have) ||
               (json_is_number(want) && json_is_number(have) && json_number_value(want) == json_number_value(have));
    }
    if (json_is_string(want) && json_is_string(have)) {
        return (strncmp(json_string_value(want), "0x", 2) == 0) == (strncmp(json_string_value(have), "0x", 2) == 0);
    }
    return json_typeof(want) == json_typeof(have) || (json_is_number(want) && json_is_number(have)) ||
           (json_is_boolean(want) && json_is_boolean(have));
}

static bool same(char *why, size_t size, const char *path, const json_t *want, const json_t *have, bool shape_only);

static bool same_object(char *why, size_t size, const char *path, json_t *want, json_t *have, bool shape_only)
{
    const char *key = NULL;
    json_t *value = NULL;
    char below[512];
    json_object_foreach(want, key, value)
    {
        (void)snprintf(below, sizeof below, "%s.%s", path, key);
        const json_t *other = json_object_get(have, key);
        if (other == NULL) {
            return differ(why, size, below, value, NULL);
        }
        if (strcmp(key, "message") == 0 && json_object_get(want, "code") != NULL) {
            continue; /* texts of errors may differ */
        }
        if (!same(why, size, below, value, other, shape_only)) {
            return false;
        }
    }
    json_object_foreach(have, key, value)
    {
        if (json_object_get(want, key) == NULL) {
            (void)snprintf(below, sizeof below, "%s.%s", path, key);
            return differ(why, size, below, NULL, value);
        }
    }
    return true;
}

/** Recursion goes as deep as the expected answer, which is a file of the archive. */
static bool same(char *why, size_t size, const char *path, const json_t *want, const json_t *have, bool shape_only)
{
    if (json_is_object(want) && json_is_object(have)) {
        return same_object(why, size, path, (json_t *)(uintptr_t)want, (json_t *)(uintptr_t)have, shape_only);
    }
    if (!json_is_array(want) || !json_is_array(have)) {
        return same_leaf(want, have, shape_only) || differ(why, size, path, want, have);
    }
    const size_t count = json_array_size(have);
    if (!shape_only && json_array_size(want) != count) {
        return differ(why, size, path, want, have);
    }
    for (size_t i = 0; i < count && json_array_size(want) != 0; ++i) {
        char below[512];
        const size_t model = i < json_array_size(want) ? i : json_array_size(want) - 1;
        (void)snprintf(below, sizeof below, "%s[%zu]", path, i);
        if (!same(why, size, below, json_array_get(want, model), json_array_get(have, i), shape_only)) {
            return false;
        }
    }
    return true;
}

/* ---- Asking -------------------------------------------------------------------------------------------------------- */

/** The node's answer to a request; the caller releases it. NULL when it is no JSON. */
static json_t *ask(runner *r, const char *request, size_t length)
{
    const cevm_rpc_peer peer = {.node = r->node, .limits = &limits};
    cevm_rpc_request parsed;
    cevm_rpc_output out = {.limit = limits.answer};
    cevm_rpc_request_read(&parsed, &limits, request, length);
    cevm_rpc_request_answer(&parsed, &peer, &out);
    json_t *answer = out.gone || out.overflow ? NULL : json_loadb(out.data, out.size, JSON_DECODE_ANY, NULL);
    cevm_rpc_request_clear(&parsed);
    cevm_rpc_output_clear(&out);
    return answer;
}

/** One exchange: the answer held against what was expected. */
static bool check(const char *name, const json_t *answer, const char *expected, bool shape_only)
{
    char why[2048] = "";
    json_t *want = json_loads(expected, JSON_DECODE_ANY, NULL);
    const bool ok = want != NULL && answer != NULL && same(why, sizeof why, "", want, answer, shape_only);
    if (!ok) {
        printf("not ok - %s %s\n", name, want == NULL ? "(the file has no JSON)" : answer == NULL ? "(no JSON)" : why);
    }
    json_decref(want);
    return ok;
}

static bool run_file(runner *r, const char *path, const char *name)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t capacity = 0;
    bool shape_only = false;
    bool ok = file != NULL;
    json_t *answer = NULL;
    while (file != NULL && ok && getline(&line, &capacity, file) > 0) {
        shape_only = shape_only || strncmp(line, "// speconly:", 12) == 0;
        if (strncmp(line, ">>", 2) == 0) {
            json_decref(answer);
            answer = ask(r, line + 2, strlen(line + 2));
            if (r->is_verbose && answer != NULL) {
                char *text = json_dumps(answer, JSON_ENCODE_ANY);
                printf("%s: %s\n", name, text);
                free(text);
            }
        } else if (strncmp(line, "<<", 2) == 0) {
            ok = check(name, answer, line + 2, shape_only);
        }
    }
    json_decref(answer);
    free(line);
    if (file != NULL) {
        (void)fclose(file);
    } else {
        printf("not ok - %s cannot be read\n", name);
    }
    return ok;
}

/* ---- The archive --------------------------------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text);
    return length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

/** Adds "method/file.io" for each file of a method's folder. */
static void add_files(char **names, size_t *count, const char *root, const char *method)
{
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/%s", root, method);
    DIR *folder = opendir(path);
    const struct dirent *entry = NULL;
    while (folder != NULL && *count < MAX_FILES && (entry = readdir(folder)) != NULL) {
        if (ends_with(entry->d_name, ".io")) {
            (void)snprintf(path, sizeof path, "%s/%s", method, entry->d_name);
            names[*count] = strdup(path);
            *count += names[*count] != NULL;
        }
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
}

static size_t list_files(char **names, const char *root)
{
    size_t count = 0;
    DIR *folder = opendir(root);
    const struct dirent *entry = NULL;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] != '.') {
            add_files(names, &count, root, entry->d_name);
        }
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
    qsort(names, count, sizeof *names, compare_names);
    return count;
}

static cevm_node *make_node(const char *root)
{
    char genesis[PATH_SIZE];
    char chain[PATH_SIZE];
    cevm_node *node = NULL;
    cevm_node_error error = {.text = ""};
    (void)snprintf(genesis, sizeof genesis, "%s/genesis.json", root);
    (void)snprintf(chain, sizeof chain, "%s/chain.rlp", root);
    /* As the archive was made: what is sent waits, until the next file. */
    const cevm_node_options options = {
        .genesis_path = genesis, .import_path = chain, .accounts = 10, .no_mining = true, .fork = CEVM_LATEST};
    if (cevm_node_create(&node, &error, &options) != CEVM_OK) {
        printf("not ok - the node: %s\n", error.text);
        return NULL;
    }
    return node;
}

int main(int argc, char **argv)
{
    runner r = {.is_verbose = argc > 1 && strcmp(argv[1], "-v") == 0};
    const int first = r.is_verbose ? 2 : 1;
    if (argc <= first) {
        (void)fprintf(stderr, "usage: execution_apis [-v] DIRECTORY [NAME-PREFIX]\n");
        return 2;
    }
    const char *prefix = argc > first + 1 ? argv[first + 1] : "";
    char **names = calloc(MAX_FILES, sizeof *names);
    r.node = names != NULL ? make_node(argv[first]) : NULL;
    const size_t count = r.node != NULL ? list_files(names, argv[first]) : 0;
    for (size_t i = 0; i < count; ++i) {
        char path[PATH_SIZE];
        (void)snprintf(path, sizeof path, "%s/%s", argv[first], names[i]);
        if (strncmp(names[i], prefix, strlen(prefix)) == 0) {
            const bool ok = run_file(&r, path, names[i]);
            r.passed += ok;
            r.failed += !ok;
        }
        free(names[i]);
    }
    free(names);
    if (r.node != NULL) {
        cevm_node_destroy(r.node);
    }
    printf("%zu passed, %zu failed, 0 skipped\n", r.passed, r.failed);
    return r.failed == 0 && r.passed != 0 ? 0 : 1;
}
