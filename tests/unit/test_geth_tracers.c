/* SPDX-License-Identifier: Apache-2.0 */
/*
 * go-ethereum's vectors of its named tracers (eth/tracers/internal/tracetest/testdata): a genesis, the block a transaction
 * is in, the transaction, and the JSON its tracer gives.
 *
 * call_tracer_legacy and prestate_tracer_legacy are of the same tracers written in JavaScript, whose JSON differs from that
 * of the native ones; there is no JavaScript here, so they are not run. The files of flatCallTracer were made by another
 * program and leave out what is empty or zero, and go-ethereum's own test reads both sides into structs before it compares
 * them; here what is empty or zero is taken out of both, and so are block and position, which the files say and the test
 * does not. The same files are held against the "trace" of Parity's module.
 */
#include <cevm/crypto.h>
#include <cevm/db.h>
#include <cevm/hex.h>
#include <cevm/state.h>

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "chain/genesis_json.h"
#include "tests/unit/json_text.h"
#include "trace/parity.h"

static const char folder_of_all[] = "geth-testdata/eth/tracers/internal/tracetest/testdata";

/* One vector on its way. */
typedef struct vector {
    const char *path;
    cevm_json_error error;
    cevm_arena arena;
    json_t *root;
    cevm_memdb *db;
    cevm_state *state;
    cevm_vm *vm;
    cevm_tx *tx;
    cevm_block_env block;
} vector;

#define CHECK(v, condition)                                                     \
    do {                                                                        \
        if (!(condition)) {                                                     \
            fail_msg("%s: not %s; %s", (v)->path, #condition, (v)->error.text); \
        }                                                                       \
    } while (0)

static uint64_t number_at(vector *v, const cevm_json_at *object, const char *key)
{
    cevm_json_at at;
    uint64_t out = 0;
    if (cevm_json_find(&at, object, key)) {
        CHECK(v, cevm_json_u64(&out, &at));
    }
    return out;
}

/*
 * Some files have forks out of order or but one of two that go together, and one has a name in the wrong case, which Go
 * takes all the same. What has begun before the block may begin with the chain, and what has not may never.
 */
static void put_forks_in_order(json_t *config, json_int_t number)
{
    const char *key;
    json_t *value;
    void *next;
    if (json_object_get(config, "IstanbulBlock") != NULL) {
        (void)json_object_set(config, "istanbulBlock", json_object_get(config, "IstanbulBlock"));
        (void)json_object_del(config, "IstanbulBlock");
    }
    json_object_foreach_safe(config, next, key, value)
    {
        size_t length = strlen(key);
        if (length <= 5 || strcmp(key + length - 5, "Block") != 0 || !json_is_integer(value)) {
            continue;
        }
        if (json_integer_value(value) <= number) {
            (void)json_integer_set(value, 0);
        } else {
            (void)json_object_del(config, key);
        }
    }
}

static void read_block(vector *v, const cevm_json_at *root)
{
    cevm_json_at genesis;
    cevm_json_at at;
    cevm_json_at context;
    cevm_chain_config config;
    CHECK(v, cevm_json_need(&context, root, "context") && cevm_json_need(&genesis, root, "genesis") &&
                 cevm_json_need(&at, &genesis, "config"));
    put_forks_in_order(at.value, (json_int_t)number_at(v, &context, "number"));
    CHECK(v, cevm_genesis_config_read(&config, &at));
    v->block = (cevm_block_env){.number = number_at(v, &context, "number"),
                                .timestamp = number_at(v, &context, "timestamp"),
                                .gas_limit = number_at(v, &context, "gasLimit"),
                                .chain_id = config.chain_id,
                                .base_fee = cevm_u256_from_u64(number_at(v, &context, "baseFeePerGas")),
                                .blob_base_fee = cevm_u256_from_u64(1)};
    CHECK(v, cevm_json_need(&at, &context, "difficulty") && cevm_json_u256(&v->block.difficulty, &at));
    CHECK(v, cevm_json_need(&at, &context, "miner") && cevm_json_address(&v->block.coinbase, &at));
    bool is_merged = cevm_u256_is_zero(&v->block.difficulty);
    v->block.fork = cevm_chain_fork(&config, v->block.number, v->block.timestamp, is_merged);
    v->block.max_blobs = cevm_chain_blob_params(&config, v->block.timestamp).max;
}

static void read_state(vector *v, const cevm_json_at *root)
{
    cevm_json_at genesis;
    cevm_json_at at;
    cevm_genesis_alloc alloc;
    CHECK(v, cevm_json_need(&genesis, root, "genesis") && cevm_json_need(&at, &genesis, "alloc") &&
                 cevm_genesis_alloc_load(&alloc, &at, &v->arena));
    CHECK(v, cevm_memdb_create(&v->db, NULL) == CEVM_OK && cevm_genesis_alloc_store(v->db, &alloc) == CEVM_OK);
    cevm_db db = cevm_memdb_interface(v->db);
    CHECK(v, cevm_state_create(&v->state, &db, NULL) == CEVM_OK);
    CHECK(v, cevm_vm_create(&v->vm, NULL) == CEVM_OK);
}

static void read_tx(vector *v, const cevm_json_at *root)
{
    cevm_json_at at;
    cevm_bytes raw = {NULL, 0};
    cevm_tx_error reason;
    CHECK(v, cevm_json_need(&at, root, "input") && cevm_json_bytes(&raw, &at, &v->arena));
    CHECK(v, cevm_tx_decode(&v->tx, &reason, raw, NULL) == CEVM_OK);
    CHECK(v, cevm_tx_recover_sender(v->tx, &reason, v->block.fork, NULL) == CEVM_OK && v->tx->has_sender);
}

/* The same vectors as Parity's list, which they were made from; see strip_for_parity. */
static const char parity[] = "parity";

static cevm_err make_trace(cevm_trace **out, cevm_trace_error *error, const cevm_trace_request *request)
{
    static const cevm_parity_parts parts = {.trace = true};
    return request->name == parity ? cevm_parity_create(out, request, &parts) : cevm_trace_create(out, error, request);
}

static json_t *run(vector *v, const char *tracer)
{
    json_text text = {0};
    cevm_json_writer writer;
    cevm_trace *trace;
    cevm_trace_error error;
    cevm_receipt receipt;
    cevm_tx_error reason;
    cevm_json_writer_init(&writer, json_text_take, &text);
    const cevm_trace_request request = {.name = tracer,
                                        .config = json_object_get(v->root, "tracerConfig"),
                                        .out = &writer,
                                        .state = v->state,
                                        .context = {.block_number = v->block.number}};
    if (make_trace(&trace, &error, &request) != CEVM_OK) {
        fail_msg("%s: %s", v->path, error.text);
    }
    CHECK(v, cevm_trace_begin(trace, v->tx, &v->block) == CEVM_OK);
    CHECK(v, cevm_tx_apply(v->vm, v->state, &receipt, &reason, v->tx, &v->block, &(cevm_block_usage){0},
                           cevm_trace_hooks(trace)) == CEVM_OK);
    if (reason != CEVM_TX_NONE) {
        fail_msg("%s: refused: %s", v->path, cevm_tx_error_string(reason));
    }
    CHECK(v, cevm_trace_finish(trace, &receipt) == CEVM_OK);
    cevm_trace_destroy(trace);
    assert_int_equal(writer.depth, 0);
    return json_text_read(&writer, &text);
}

/* One file of callTracer has logs without their index, which is then 0. */
static void add_log_index(json_t *frame)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(frame, "logs"), i, item)
    {
        if (json_object_get(item, "index") == NULL) {
            assert_int_equal(json_object_set_new(item, "index", json_string("0x0")), 0);
        }
    }
    json_array_foreach(json_object_get(frame, "calls"), i, item) { add_log_index(item); }
}

/* ---- What flatCallTracer's files leave out ------------------------------------------------------------------------ */

static bool is_nothing(const json_t *value)
{
    const char *text = json_string_value(value);
    return json_is_null(value) || (json_is_object(value) && json_object_size(value) == 0) ||
           (text != NULL && strspn(text, "0x") == strlen(text));
}

static void strip_object(json_t *object)
{
    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe(object, next, key, value)
    {
        if (is_nothing(value)) {
            (void)json_object_del(object, key);
        }
    }
}

static void strip_flat(json_t *list)
{
    static const char *const left_out[] = {"blockHash", "blockNumber", "transactionHash", "transactionPosition",
                                           "time"};
    size_t i;
    json_t *entry;
    json_array_foreach(list, i, entry)
    {
        strip_object(json_object_get(entry, "action"));
        strip_object(json_object_get(entry, "result"));
        for (size_t k = 0; k < sizeof left_out / sizeof left_out[0]; ++k) {
            (void)json_object_del(entry, left_out[k]);
        }
        strip_object(entry);
    }
}

/*
 * As Parity has it: gas and gasUsed of the outermost entry are without the intrinsic gas. Where the file's errors are in
 * geth's words, that there is one has to do.
 */
static void strip_for_parity(json_t *list, bool words)
{
    size_t i;
    json_t *entry;
    (void)json_object_del(json_object_get(json_array_get(list, 0), "action"), "gas");
    (void)json_object_del(json_object_get(json_array_get(list, 0), "result"), "gasUsed");
    json_array_foreach(list, i, entry)
    {
        if (!words && json_object_get(entry, "error") != NULL) {
            (void)json_object_set_new(entry, "error", json_true());
        }
        strip_object(entry);
    }
}

/* ---- Folders ------------------------------------------------------------------------------------------------------ */

/* Of the object, what is like a vector's result. */
static json_t *take_trace(json_t *object)
{
    json_t *trace = json_incref(json_object_get(object, "trace"));
    json_decref(object);
    return trace;
}

static bool run_vector(const char *path, const char *tracer, bool is_flat)
{
    vector v = {.path = path};
    cevm_arena_init(&v.arena, NULL);
    CHECK(&v, cevm_json_load_file(&v.root, &v.error, path));
    cevm_json_at root = cevm_json_root(v.root, path, NULL, &v.error);
    read_block(&v, &root);
    read_state(&v, &root);
    read_tx(&v, &root);
    json_t *got = run(&v, tracer);
    json_t *want = json_object_get(v.root, "result");
    if (is_flat) {
        strip_flat(got);
        strip_flat(want);
    } else if (tracer == parity) {
        const json_t *config = json_object_get(v.root, "tracerConfig");
        const bool words = json_is_true(json_object_get(config, "convertParityErrors"));
        got = take_trace(got);
        strip_flat(got);
        strip_flat(want);
        strip_for_parity(got, words);
        strip_for_parity(want, words);
    } else {
        add_log_index(want);
    }
    bool same = json_equal(got, want) == 1;
    if (!same) {
        char *got_text = json_dumps(got, JSON_SORT_KEYS | JSON_INDENT(1));
        char *want_text = json_dumps(want, JSON_SORT_KEYS | JSON_INDENT(1));
        json_text_show_difference(path, want_text, got_text);
        free(got_text);
        free(want_text);
    }
    json_decref(got);
    json_decref(v.root);
    cevm_tx_destroy(v.tx, NULL);
    cevm_vm_destroy(v.vm);
    cevm_state_destroy(v.state);
    cevm_memdb_destroy(v.db);
    cevm_arena_destroy(&v.arena);
    return same;
}

/* Of all folders. */
typedef struct tally {
    size_t passed, failed;
} tally;

static void run_folder(tally *all, const char *name, const char *tracer, size_t at_least)
{
    const char *vectors = getenv("CEVM_VECTORS_DIR");
    const char *required = getenv("CEVM_REQUIRE_VECTORS");
    char folder[2048];
    size_t passed = 0;
    size_t failed = 0;
    (void)snprintf(folder, sizeof folder, "%s/%s/%s", vectors != NULL ? vectors : "ethereum-tests/vectors",
                   folder_of_all, name);
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        if (required != NULL && strcmp(required, "1") == 0) {
            fail_msg("CEVM_REQUIRE_VECTORS=1 and %s is missing", folder);
        }
        print_message("no vectors at %s: set CEVM_VECTORS_DIR\n", folder);
        skip();
    }
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        size_t length = strlen(entry->d_name);
        char path[4096];
        if (length < 5 || strcmp(entry->d_name + length - 5, ".json") != 0) {
            continue;
        }
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (run_vector(path, tracer, strcmp(tracer, "flatCallTracer") == 0)) {
            passed++;
        } else {
            failed++;
        }
    }
    (void)closedir(dir);
    print_message("geth's %s: %zu passed, %zu failed\n", name, passed, failed);
    all->passed += passed;
    all->failed += failed;
    assert_int_equal(failed, 0);
    assert_in_range(passed, at_least, SIZE_MAX);
}

static void test_call(void **state) { run_folder(*state, "call_tracer", "callTracer", 8); }

static void test_call_with_log(void **state) { run_folder(*state, "call_tracer_withLog", "callTracer", 5); }

static void test_flat_call(void **state) { run_folder(*state, "call_tracer_flat", "flatCallTracer", 16); }

static void test_parity(void **state) { run_folder(*state, "call_tracer_flat", parity, 16); }

static void test_prestate(void **state) { run_folder(*state, "prestate_tracer", "prestateTracer", 6); }

static void test_prestate_diff(void **state)
{
    run_folder(*state, "prestate_tracer_with_diff_mode", "prestateTracer", 7);
}

static void test_erc7562(void **state) { run_folder(*state, "erc7562_tracer", "erc7562Tracer", 2); }

int main(void)
{
    tally all = {0, 0};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_call, &all),          cmocka_unit_test_prestate(test_call_with_log, &all),
        cmocka_unit_test_prestate(test_flat_call, &all),     cmocka_unit_test_prestate(test_prestate, &all),
        cmocka_unit_test_prestate(test_prestate_diff, &all), cmocka_unit_test_prestate(test_erc7562, &all),
        cmocka_unit_test_prestate(test_parity, &all),
    };
    int status = cmocka_run_group_tests(tests, NULL, NULL);
    if (all.passed + all.failed != 0) {
        print_message("%zu passed, %zu failed, 0 skipped\n", all.passed, all.failed);
    }
    return status;
}
