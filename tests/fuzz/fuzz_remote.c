/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The remote backend (cevm/remote.h). The first byte of the input says what the rest is:
 *
 *   0   a node's answers, one a line: whatever it says, nothing may crash, wait or leak
 *   4   the same after a good first one
 *   1   a cache file behind its name: it is opened, read, and recorded into
 *   2   changes to a good cache file, three bytes each: position, position, value
 *   3   JSON: what state/scan.h takes jansson takes too, unless it is not UTF-8
 */
#include <sys/mman.h>
#include <unistd.h>

#include "state/scan.h"
#include "tests/unit/remote_support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct script {
    const uint8_t *at;
    size_t left;
    bool begins_well;
} script;

#define WORD "0000000000000000000000000000000000000000000000000000000000000001"

/** Chain and block, as they are asked for first. */
static const char opening[] = "[{\"id\":1,\"result\":\"0x5\"},{\"id\":2,\"result\":{\"number\":\"0x3e8\","
                              "\"hash\":\"0x" WORD "\",\"parentHash\":\"0x" WORD "\",\"timestamp\":\"0x1\","
                              "\"gasLimit\":\"0x1c9c380\"}}]";

/** The next line as an answer; none when there are no more. */
static cevm_err post_line(void *ctx, cevm_remote_reply *out, cevm_bytes body)
{
    script *s = ctx;
    (void)body;
    *out = (cevm_remote_reply){.status = s->left != 0 ? 200 : 401};
    if (s->begins_well) {
        s->begins_well = false;
        *out = (cevm_remote_reply){.status = 200, .body = {(const uint8_t *)opening, sizeof opening - 1}};
    } else if (s->left != 0) {
        const uint8_t *end = memchr(s->at, '\n', s->left);
        const size_t length = end != NULL ? (size_t)(end - s->at) : s->left;
        out->body = (cevm_bytes){s->at, length};
        const size_t step = length + (end != NULL ? 1 : 0);
        s->at += step;
        s->left -= step;
    }
    return CEVM_OK;
}

static void use(cevm_remote *remote)
{
    const cevm_db db = cevm_remote_interface(remote);
    cevm_db_key keys[6] = {{.is_slot = false}};
    for (uint8_t i = 0; i < 6; ++i) {
        keys[i].address.bytes[19] = i / 2;
        keys[i].is_slot = i % 2 != 0;
        keys[i].slot = cevm_u256_from_u64(i);
    }
    (void)db.vtable->prefetch(db.ctx, keys, 6);
    for (size_t i = 0; i < 6; ++i) {
        cevm_db_account account;
        cevm_bytes code;
        cevm_u256 value;
        bool exists = false;
        if (db.vtable->account(db.ctx, &account, &exists, &keys[i].address) == CEVM_OK &&
            !cevm_hash_equal(&account.code_hash, &cevm_empty_code_hash) &&
            db.vtable->code(db.ctx, &code, &account.code_hash) != CEVM_OK) {
            abort();
        }
        (void)db.vtable->storage(db.ctx, &value, &keys[i].address, &keys[i].slot);
    }
    cevm_hash hash;
    (void)db.vtable->block_hash(db.ctx, &hash, 990);
}

/** Opens a store, uses it in every way, closes it. */
static bool open_and_use(const cevm_remote_options *options)
{
    cevm_remote *remote = NULL;
    cevm_remote_error error;
    const bool ok = cevm_remote_open(&remote, &error, options) == CEVM_OK;
    if (ok) {
        use(remote);
        cevm_remote_close(remote);
    } else if (error.text[0] == '\0') {
        abort();
    }
    return ok;
}

static void fuzz_answers(const uint8_t *data, size_t size, bool begins_well)
{
    script s = {data, size, begins_well};
    const cevm_remote_transport transport = {.ctx = &s, .post = post_line};
    cevm_remote_options options = fake_node_options(&transport, NULL);
    options.patience_ms = 1;
    (void)open_and_use(&options);
}

/** A file in memory, one for the whole process. */
static const char *file_path(int *file)
{
    static char path[64];
    static int kept = -1;
    if (kept < 0) {
        kept = memfd_create("cache", MFD_CLOEXEC);
        (void)snprintf(path, sizeof path, "/proc/self/fd/%d", kept);
    }
    if (kept < 0) {
        abort();
    }
    *file = kept;
    return path;
}

static void put_file(int file, const uint8_t *data, size_t size)
{
    if (ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) != (ssize_t)size) {
        abort();
    }
}

static fake_node *small_node(void)
{
    static fake_node n;
    static cevm_memdb *db;
    if (db == NULL) {
        const cevm_address address = {.bytes = {[19] = 1}};
        const cevm_u256 word = cevm_u256_from_u64(3);
        const uint8_t code[] = {0x60, 0x00};
        if (cevm_memdb_create(&db, NULL) != CEVM_OK ||
            cevm_memdb_set_account(db, &address, &word, 1, (cevm_bytes){code, sizeof code}) != CEVM_OK ||
            cevm_memdb_set_storage(db, &address, &word, &word) != CEVM_OK) {
            abort();
        }
        n = (fake_node){.db = cevm_memdb_interface(db), .number = 1000, .chain_id = 5, .branch = 0xaa};
    }
    return &n;
}

/** A file is used offline, then recorded into; if that could be, all of it is there then. */
static void use_file(void)
{
    int file;
    const cevm_remote_transport transport = fake_node_transport(small_node());
    cevm_remote_options options = fake_node_options(&transport, file_path(&file));
    options.offline = true;
    (void)open_and_use(&options);
    options.offline = false;
    if (open_and_use(&options)) {
        options.offline = true;
        if (!open_and_use(&options)) {
            abort();
        }
    }
}

static void fuzz_file(const uint8_t *data, size_t size)
{
    int file;
    (void)file_path(&file);
    put_file(file, data, size);
    use_file();
}

static void fuzz_changes(const uint8_t *data, size_t size)
{
    static uint8_t good[1 << 16];
    static size_t good_size;
    uint8_t copy[sizeof good];
    int file;
    (void)file_path(&file);
    if (good_size == 0) {
        put_file(file, good, 0);
        use_file();
        const ssize_t got = pread(file, good, sizeof good, 0);
        if (got < 100) {
            abort();
        }
        good_size = (size_t)got;
    }
    memcpy(copy, good, good_size);
    for (size_t i = 0; i + 3 <= size; i += 3) {
        copy[((size_t)data[i] << 8 | data[i + 1]) % good_size] = data[i + 2];
    }
    put_file(file, copy, good_size);
    use_file();
}

static void fuzz_json(const uint8_t *data, size_t size)
{
    cevm_scan_value value;
    json_error_t error = {.text = ""};
    const bool ok = cevm_scan_document(&value, (cevm_bytes){data, size});
    json_t *other = json_loadb((const char *)data, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    bool may_differ = strstr(error.text, "too big") != NULL || strstr(error.text, "real number overflow") != NULL;
    for (size_t i = 0; i < size; ++i) { /* jansson looks at what characters are, too */
        may_differ = may_differ || data[i] >= 0x80 || (data[i] == '\\' && i + 1 < size && data[i + 1] == 'u');
    }
    if (other == NULL && ok && !may_differ) {
        abort();
    }
    cevm_scan_walk walk = ok ? cevm_scan_items(&value) : (cevm_scan_walk){NULL, NULL, false};
    cevm_scan_value item;
    size_t count = 0;
    while (ok && cevm_scan_next(&walk, NULL, &item)) {
        cevm_u256 word;
        int64_t number;
        (void)cevm_scan_quantity(&word, &item);
        (void)cevm_scan_int64(&number, &item);
        ++count;
    }
    if (ok && json_is_array(other) && count != json_array_size(other)) {
        abort();
    }
    json_decref(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    switch (data[0] % 5) {
    case 0:
    case 4: fuzz_answers(data + 1, size - 1, data[0] % 5 == 4); break;
    case 1: fuzz_file(data + 1, size - 1); break;
    case 2: fuzz_changes(data + 1, size - 1); break;
    default: fuzz_json(data + 1, size - 1); break;
    }
    return 0;
}
