/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Usage: bench/evm [--rounds N] [--json] [--only TEXT] file-or-files.json…
 *
 * Times the messages of files in the state-test format. For each entry:
 *   total    in a new VM, which has to find jump targets and decode what it thinks worth it
 *   warm     in a VM that has run it before and holds the code decoded
 *   exact    the same in the exact engine
 * The three take turns, so that what disturbs one disturbs all; the median and the least of the rounds are told. What is timed
 * is cevm_vm_execute of the top message over a journal whose accounts are loaded, not the validation of a transaction nor the
 * state root. Both engines must give the same result before anything is timed, and where the transaction can be signed, the
 * root and the logs that the file demands.
 */
#include <cevm/cevm.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ethereum-tests/runner.h"
#include "ethereum-tests/state_test.h"

enum { MAX_ROUNDS = 10000, WAYS = 3 };
enum { TOTAL, WARM, EXACT };

typedef struct options {
    int rounds;
    bool json;
    const char *only;
} options;

/** One entry set up to be run over and over. */
typedef struct workload {
    cevm_memdb *db;
    cevm_state *state;
    cevm_host host;
    cevm_block_env block;
    cevm_tx_env tx;
    cevm_message msg;
    cevm_vm *vms[WAYS];
} workload;

static double now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void must(cevm_err err, const char *what)
{
    if (err != CEVM_OK) {
        fprintf(stderr, "bench: %s: %s\n", what, cevm_err_string(err));
        exit(1);
    }
}

static cevm_vm *make_vm(cevm_engine engine)
{
    cevm_vm *vm = NULL;
    const cevm_vm_config config = {.struct_size = sizeof config, .engine = engine};
    must(cevm_vm_create(&vm, &config), "VM");
    return vm;
}

/** Reads the message out of the transaction; its fields need no signature. */
static bool read_message(workload *w, cevm_state_test *test, const cevm_test_entry *entry)
{
    cevm_json_error error;
    cevm_tx tx;
    if (!cevm_state_test_transaction(&tx, test, entry, &error)) {
        fprintf(stderr, "bench: %s: %s\n", test->name, error.text);
        return false;
    }
    if (tx.is_create) {
        fprintf(stderr, "bench: %s: creations are not timed\n", test->name);
        return false;
    }
    const cevm_intrinsic_gas intrinsic = cevm_tx_intrinsic_gas(&tx, w->block.fork);
    w->tx.origin = tx.sender;
    w->tx.gas_price = tx.max_fee;
    w->msg = (cevm_message){.kind = CEVM_CALL,
                            .gas = (int64_t)(tx.gas_limit - intrinsic.gas),
                            .sender = tx.sender,
                            .recipient = tx.to,
                            .code_address = tx.to,
                            .value = tx.value,
                            .input = tx.data};
    return true;
}

static bool workload_open(workload *w, cevm_state_test *test, const cevm_test_entry *entry)
{
    memset(w, 0, sizeof *w);
    cevm_state_test_block(&w->block, test, entry);
    must(cevm_memdb_create(&w->db, NULL), "store");
    must(cevm_test_alloc_store(w->db, &test->pre), "state before");
    const cevm_db db = cevm_memdb_interface(w->db);
    must(cevm_state_create(&w->state, &db, NULL), "state");
    w->host = cevm_state_host(w->state);
    w->vms[TOTAL] = NULL;
    w->vms[WARM] = make_vm(CEVM_ENGINE_BLOCK);
    w->vms[EXACT] = make_vm(CEVM_ENGINE_EXACT);
    return read_message(w, test, entry);
}

static void workload_close(workload *w)
{
    for (int i = 0; i < WAYS; ++i) {
        cevm_vm_destroy(w->vms[i]);
    }
    cevm_state_destroy(w->state);
    cevm_memdb_destroy(w->db);
}

/** Runs the message once and takes it back; its time in microseconds. */
static double run_once(workload *w, cevm_vm *vm, cevm_result *result, cevm_hash *output)
{
    must(cevm_state_begin_tx(w->state, w->block.fork), "begin");
    must(w->host.vtable->warm_account(w->host.ctx, &w->msg.sender), "sender");
    must(w->host.vtable->warm_account(w->host.ctx, &w->msg.recipient), "recipient");
    const cevm_checkpoint before = w->host.vtable->checkpoint(w->host.ctx);
    const double start = now_us();
    must(cevm_vm_execute(vm, result, &w->msg, &w->block, &w->tx, &w->host, NULL), "execution");
    const double time = now_us() - start;
    if (output != NULL) {
        cevm_keccak256(output, result->output.data, result->output.size);
    }
    w->host.vtable->revert(w->host.ctx, before);
    must(cevm_state_end_tx(w->state), "end");
    return time;
}

/** Whether both engines come to the same end; that of the exact one in *result. */
static bool engines_agree(workload *w, cevm_result *result)
{
    cevm_result block;
    cevm_hash output, block_output;
    (void)run_once(w, w->vms[EXACT], result, &output);
    (void)run_once(w, w->vms[WARM], &block, &block_output);
    return result->status == block.status && result->gas.left == block.gas.left &&
           result->gas.refund == block.gas.refund && cevm_hash_equal(&output, &block_output);
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct figure {
    double least, median;
} figure;

static void measure(workload *w, int rounds, figure out[WAYS])
{
    static double times[WAYS][MAX_ROUNDS];
    cevm_result result;
    for (int round = 0; round < rounds; ++round) {
        for (int way = 0; way < WAYS; ++way) {
            cevm_vm *vm = way == TOTAL ? make_vm(CEVM_ENGINE_AUTO) : w->vms[way];
            times[way][round] = run_once(w, vm, &result, NULL);
            if (way == TOTAL) {
                cevm_vm_destroy(vm);
            }
        }
    }
    for (int way = 0; way < WAYS; ++way) {
        qsort(times[way], (size_t)rounds, sizeof times[way][0], by_size);
        out[way] = (figure){times[way][0], times[way][rounds / 2]};
    }
}

/** Takes a key of zeros, which stands for "there is none", out of a test that names its sender. */
static void drop_empty_key(json_t *test)
{
    json_t *transaction = json_object_get(test, "transaction");
    const char *key = json_string_value(json_object_get(transaction, "secretKey"));
    if (key != NULL && strspn(key, "0x") == strlen(key) && json_object_get(transaction, "sender") != NULL) {
        (void)json_object_del(transaction, "secretKey");
    }
}

/** Whether the file's demands are met: "yes", "no", or "-" when it has none (a root of zeros) or the transaction no signature. */
static const char *check_file(cevm_state_test *test, const cevm_test_entry *entry)
{
    static const cevm_hash none;
    cevm_test_runner runner;
    cevm_test_result result;
    if (cevm_hash_equal(&entry->root, &none)) {
        return "-";
    }
    must(cevm_test_runner_init(&runner, NULL), "runner");
    cevm_test_run_entry(&runner, &result, test, entry);
    cevm_test_runner_clear(&runner);
    return result.verdict == CEVM_TEST_PASS ? "yes" : result.verdict == CEVM_TEST_FAIL ? "no" : "-";
}

static void print_row(const options *o, const char *name, const cevm_result *r, int64_t gas, const char *checked,
                      const figure f[WAYS])
{
    static int rows;
    const double used = (double)(gas - r->gas.left);
    if (o->json) {
        printf(
            "%s\n  {\"name\": \"%s\", \"gas\": %.0f, \"status\": %d, \"checked\": \"%s\", \"total_us\": [%.3f, %.3f], "
            "\"warm_us\": [%.3f, %.3f], \"exact_us\": [%.3f, %.3f]}",
            rows++ == 0 ? "" : ",", name, used, (int)r->status, checked, f[TOTAL].least, f[TOTAL].median, f[WARM].least,
            f[WARM].median, f[EXACT].least, f[EXACT].median);
        return;
    }
    printf("%-34s %10.0f %7s %11.2f %11.2f %11.2f %11.2f %9.0f %7.2f\n", name, used, checked, f[TOTAL].median,
           f[WARM].median, f[WARM].least, f[EXACT].least, used / f[WARM].least, f[EXACT].least / f[WARM].least);
}

/** Measures an entry; false when something is wrong with it. */
static bool bench_entry(const options *o, cevm_state_test *test, const cevm_test_entry *entry)
{
    char name[128];
    (void)snprintf(name, sizeof name, "%.80s %.40s", test->name, entry->label != NULL ? entry->label : "");
    if (!entry->fork_known || (o->only != NULL && strstr(name, o->only) == NULL)) {
        return true;
    }
    workload w;
    cevm_result result;
    figure figures[WAYS];
    bool right = workload_open(&w, test, entry);
    if (right) {
        const char *checked = check_file(test, entry);
        const double first = run_once(&w, w.vms[EXACT], &result, NULL);
        right = strcmp(checked, "no") != 0 && engines_agree(&w, &result);
        if (right) {
            const double wanted = o->rounds != 0 ? (double)o->rounds : 1e6 / (first + 1);
            measure(&w, wanted < 5 ? 5 : wanted > 10000 ? MAX_ROUNDS : (int)wanted, figures);
            print_row(o, name, &result, w.msg.gas, checked, figures);
        } else {
            fprintf(stderr, "bench: %s: wrong result\n", name);
        }
    }
    workload_close(&w);
    return right;
}

static bool bench_file(const options *o, const char *path)
{
    json_t *json;
    cevm_json_error error;
    const char *key;
    json_t *value;
    bool right = true;
    if (!cevm_json_load_file(&json, &error, path)) {
        fprintf(stderr, "bench: %s\n", error.text);
        return false;
    }
    json_object_foreach(json, key, value)
    {
        cevm_json_at at = cevm_json_root(value, path, key, &error);
        cevm_state_test test;
        drop_empty_key(value);
        if (!cevm_state_test_is(value) || !cevm_state_test_load(&test, &at, NULL)) {
            fprintf(stderr, "bench: %s: no state test that can be read\n", path);
            right = false;
            continue;
        }
        for (size_t i = 0; i < test.entry_count; ++i) {
            right = bench_entry(o, &test, &test.entries[i]) && right;
        }
        cevm_state_test_free(&test);
    }
    json_decref(json);
    return right;
}

int main(int argc, char **argv)
{
    options o = {.rounds = 0};
    bool right = true;
    int first = 1;
    for (; first < argc && strncmp(argv[first], "--", 2) == 0; ++first) {
        if (strcmp(argv[first], "--json") == 0) {
            o.json = true;
        } else if (strcmp(argv[first], "--rounds") == 0 && first + 1 < argc) {
            o.rounds = atoi(argv[++first]);
        } else if (strcmp(argv[first], "--only") == 0 && first + 1 < argc) {
            o.only = argv[++first];
        } else {
            break;
        }
    }
    if (first == argc || o.rounds < 0 || o.rounds > MAX_ROUNDS || strncmp(argv[first], "--", 2) == 0) {
        fprintf(stderr, "usage: bench/evm [--rounds 1…%d] [--json] [--only TEXT] FILE.json…\n", MAX_ROUNDS);
        return 2;
    }
    if (o.json) {
        printf("[");
    } else {
        printf("%-34s %10s %7s %11s %11s %11s %11s %9s %7s\n", "program (µs)", "gas", "checked", "total", "warm",
               "warm least", "exact least", "Mgas/s", "ratio");
    }
    for (int i = first; i < argc; ++i) {
        right = bench_file(&o, argv[i]) && right;
    }
    if (o.json) {
        printf("\n]\n");
    }
    return right ? 0 : 1;
}
