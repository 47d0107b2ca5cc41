/* SPDX-License-Identifier: Apache-2.0 */
/* Programs are the entries of state tests: files are found, read, and each entry made ready to run. */
#include "bench/bench.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "chain/validate.h"

enum { MAX_DEPTH = 8, PATH_SIZE = 4096 };

/** EIP-7825: a transaction may have no more gas. Workloads from before it are given so much. */
#define GAS_CAP ((uint64_t)1 << 24)

/** A file that was read; kept as long as its programs. */
struct bench_file {
    struct bench_file *next;
    char *path;
    json_t *root;
    cevm_state_test *tests;
    size_t test_count;
};

static const cevm_hash no_hash = {{0}};

const char *bench_mode_name(bench_mode mode)
{
    static const char *const names[BENCH_MODE_COUNT] = {"execute", "total", "transaction"};
    return names[mode];
}

const char *bench_end_name(bench_end end)
{
    static const char *const names[] = {"success", "revert", "halt"};
    return names[end];
}

static bool complain(const char *path, const char *why)
{
    (void)fprintf(stderr, "bench: %s: %s\n", path, why);
    return false;
}

/* ---- One program ------------------------------------------------------------------------------------------------- */

/** group/test, and what tells the entry from its siblings. */
static void name_program(bench_program *out, const char *path)
{
    const cevm_state_test *test = out->test;
    const cevm_test_entry *entry = out->entry;
    const char *slash = strrchr(path, '/');
    const char *folder = slash;
    while (folder != NULL && folder != path && folder[-1] != '/') {
        --folder;
    }
    const int folder_size = folder != NULL ? (int)(slash - folder) : 0;
    (void)snprintf(out->group, sizeof out->group, "%.*s", folder_size < 20 ? folder_size : 20,
                   folder_size != 0 ? folder : "");
    if (out->group[0] == '\0') {
        (void)strcpy(out->group, "here");
    }
    char suffix[32] = "";
    if (test->entry_count > 1 && entry->label != NULL) {
        (void)snprintf(suffix, sizeof suffix, "/%.24s", entry->label);
    } else if (test->entry_count > 1) {
        (void)snprintf(suffix, sizeof suffix, "/%zu", entry->index);
    }
    (void)snprintf(out->name, sizeof out->name, "%s/%.28s%s", out->group, test->name, suffix);
}

/** The message that the transaction comes to. */
static void build_message(bench_program *p)
{
    const cevm_tx *tx = &p->tx;
    p->env = (cevm_tx_env){
        .origin = tx->sender,
        .gas_price = cevm_tx_effective_price(tx, &p->block),
        .blob_hashes = tx->blob_hashes,
        .blob_hash_count = tx->blob_count,
    };
    p->message = (cevm_message){
        .kind = tx->is_create ? CEVM_CREATE : CEVM_CALL,
        .gas = (int64_t)(tx->gas_limit - cevm_tx_intrinsic_gas(tx, p->block.fork).gas),
        .sender = tx->sender,
        .recipient = tx->to,
        .value = tx->value,
        .input = tx->data,
    };
    if (tx->is_create) {
        cevm_create_address(&p->message.recipient, &tx->sender, tx->nonce);
    }
    p->message.code_address = p->message.recipient;
}

static bool make_program(bench_program *out, const char *path, cevm_state_test *test, const cevm_test_entry *entry)
{
    cevm_json_error error;
    *out = (bench_program){.path = path, .test = test, .entry = entry};
    name_program(out, path);
    if (!entry->fork_known) {
        return complain(path, "an entry has a fork that is not known");
    }
    cevm_state_test_block(&out->block, test, entry);
    if (!cevm_state_test_transaction(&out->tx, test, entry, &error)) {
        return complain(path, error.text);
    }
    if (CEVM_HAS_EIP(out->block.fork, 7825) && out->tx.gas_limit > GAS_CAP) {
        out->tx.gas_limit = GAS_CAP;
    }
    const cevm_intrinsic_gas intrinsic = cevm_tx_intrinsic_gas(&out->tx, out->block.fork);
    if (out->tx.gas_limit < intrinsic.gas || out->tx.gas_limit > INT64_MAX) {
        return complain(path, "the gas limit is too low or too high");
    }
    build_message(out);
    out->has_post = !cevm_hash_equal(&entry->root, &no_hash);
    return true;
}

/** "_info": {"unit": "call", "units": 1000}: what the program does again and again. */
static void read_unit(bench_program *out, json_t *value)
{
    json_t *info = json_object_get(value, "_info");
    const char *unit = json_string_value(json_object_get(info, "unit"));
    const json_int_t units = json_integer_value(json_object_get(info, "units"));
    if (unit != NULL && units > 0) {
        out->unit = unit;
        out->units = (uint64_t)units;
    }
}

static bool add_program(bench_programs *programs, const bench_program *program)
{
    if (programs->count == programs->capacity) {
        const size_t capacity = programs->capacity != 0 ? 2 * programs->capacity : 64;
        bench_program *items = realloc(programs->items, capacity * sizeof *items);
        if (items == NULL) {
            return complain(program->path, "out of memory");
        }
        programs->items = items;
        programs->capacity = capacity;
    }
    programs->items[programs->count++] = *program;
    return true;
}

/* ---- Files ------------------------------------------------------------------------------------------------------- */

/** The sender stands in the test; signing would take a key, and some files give one that is none. */
static void forget_key(json_t *value)
{
    json_t *transaction = json_object_get(value, "transaction");
    if (json_is_string(json_object_get(transaction, "sender"))) {
        (void)json_object_del(transaction, "secretKey");
    }
}

static bool load_tests(bench_programs *programs, struct bench_file *file)
{
    cevm_json_error error;
    const cevm_json_at top = cevm_json_root(file->root, file->path, NULL, &error);
    const char *name;
    json_t *value;
    json_object_foreach(file->root, name, value)
    {
        const cevm_json_at at = {.up = &top, .key = name, .value = value, .file = file->path, .error = &error};
        if (!cevm_state_test_is(value)) {
            return complain(file->path, "holds something that is no state test");
        }
        forget_key(value);
        cevm_state_test *test = &file->tests[file->test_count];
        if (!cevm_state_test_load(test, &at, NULL)) {
            return complain(file->path, error.text);
        }
        ++file->test_count;
        for (size_t i = 0; i < test->entry_count; ++i) {
            bench_program program;
            if (!make_program(&program, file->path, test, &test->entries[i])) {
                return false;
            }
            read_unit(&program, value);
            if (!add_program(programs, &program)) {
                return false;
            }
        }
    }
    return true;
}

static bool add_file(bench_programs *programs, const char *path)
{
    cevm_json_error error;
    struct bench_file *file = calloc(1, sizeof *file);
    if (file == NULL) {
        return complain(path, "out of memory");
    }
    file->next = programs->files;
    programs->files = file;
    file->path = strdup(path);
    if (!cevm_json_load_file(&file->root, &error, path)) {
        (void)fprintf(stderr, "bench: %s\n", error.text);
        return false;
    }
    file->tests = calloc(json_object_size(file->root) + 1, sizeof *file->tests);
    if (file->path == NULL || file->tests == NULL) {
        return complain(path, "out of memory");
    }
    return load_tests(programs, file);
}

static bool add_below(bench_programs *programs, const char *path, unsigned depth);

static bool add_folder(bench_programs *programs, const char *path, unsigned depth)
{
    struct dirent **names = NULL;
    const int count = scandir(path, &names, NULL, alphasort);
    if (count < 0) {
        return complain(path, "cannot be read");
    }
    bool ok = true;
    for (int i = 0; i < count; ++i) {
        char below[PATH_SIZE];
        const int length = snprintf(below, sizeof below, "%s/%s", path, names[i]->d_name);
        if (ok && names[i]->d_name[0] != '.' && length > 0 && (size_t)length < sizeof below) {
            ok = add_below(programs, below, depth + 1);
        }
        free(names[i]);
    }
    free(names);
    return ok;
}

/** Below a folder only *.json counts, so that a licence may lie beside the programs. */
static bool add_below(bench_programs *programs, const char *path, unsigned depth)
{
    struct stat info;
    const char *dot = strrchr(path, '.');
    if (stat(path, &info) != 0) {
        return complain(path, "is not there");
    }
    if (S_ISDIR(info.st_mode)) {
        return depth < MAX_DEPTH ? add_folder(programs, path, depth) : complain(path, "is too deep");
    }
    if (depth != 0 && (dot == NULL || strcmp(dot, ".json") != 0)) {
        return true;
    }
    return add_file(programs, path);
}

bool bench_programs_add(bench_programs *programs, const char *path)
{
    char clean[PATH_SIZE];
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof clean) {
        return complain(path, "is no path");
    }
    memcpy(clean, path, length + 1);
    while (length > 1 && clean[length - 1] == '/') {
        clean[--length] = '\0';
    }
    return add_below(programs, clean, 0);
}

void bench_programs_free(bench_programs *programs)
{
    while (programs->files != NULL) {
        struct bench_file *file = programs->files;
        programs->files = file->next;
        for (size_t i = 0; i < file->test_count; ++i) {
            cevm_state_test_free(&file->tests[i]);
        }
        free(file->tests);
        json_decref(file->root);
        free(file->path);
        free(file);
    }
    free(programs->items);
    *programs = (bench_programs){0};
}
