/* SPDX-License-Identifier: Apache-2.0 */
/* `cevm statetest`: runs the tests of one file. */
#include <cevm/hex.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/statetest.h"

bool cevm_statetest_worker_init(cevm_statetest_worker *out, const cevm_statetest_options *options)
{
    *out = (cevm_statetest_worker){.options = options};
    if (cevm_test_runner_init(&out->runner, NULL) != CEVM_OK) {
        return false;
    }
    if (!cevm_tracing_open(&out->trace, &options->tracing, "json", "statetest", stderr)) {
        cevm_test_runner_clear(&out->runner);
        return false;
    }
    out->runner.tracer = out->trace.tracer;
    return true;
}

bool cevm_statetest_worker_clear(cevm_statetest_worker *worker)
{
    bool ok = cevm_tracing_close(&worker->trace, "statetest");
    cevm_test_runner_clear(&worker->runner);
    return ok;
}

/* The trace of an entry comes before its state root. A failed write is told when the trace is closed. */
static void flush_trace(const cevm_open_trace *trace)
{
    if (trace->json != NULL) {
        (void)cevm_eip3155_flush(trace->json);
    } else if (trace->text != NULL) {
        (void)cevm_geth_text_flush(trace->text);
    } else if (trace->steps != NULL) {
        (void)cevm_steps_flush(trace->steps);
    }
}

/* What is written to while one file is run. */
typedef struct file_run {
    cevm_statetest_worker *worker;
    cevm_statetest_tally *tally;
    FILE *out;
    FILE *err;
    const char *path;
    bool wrote_json; /* an entry is out: a comma goes before the next */
    char *state;     /* --dump: the state of the entry that runs */
} file_run;

static void keep_state(void *user, cevm_memdb *db, const cevm_hash *root)
{
    file_run *run = user;
    free(run->state);
    run->state = cevm_statetest_dump(db, root);
}

static uint64_t now_ns(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static bool selected(const cevm_statetest_options *o, const char *name)
{
    return !o->has_run || regexec(&o->run, name, 0, NULL, 0) == 0;
}

/* Puts out what came of one entry. */
static void report(file_run *run, cevm_statetest_case *c)
{
    const cevm_statetest_options *o = run->worker->options;
    c->state = run->state;
    flush_trace(&run->worker->trace);
    if (c->result->has_root && (!o->human || o->trace)) {
        char hex[65];
        cevm_hex_encode(hex, c->result->root.bytes, sizeof c->result->root.bytes);
        (void)fprintf(run->err, "{\"stateRoot\": \"0x%s\"}\n", hex);
    }
    cevm_statetest_tally_case(run->tally, c);
    if (!o->human) {
        (void)fputs(run->wrote_json ? ",\n" : "", run->out);
        cevm_statetest_write_json(run->out, c, o->bench);
        run->wrote_json = true;
    } else if (c->result->verdict == CEVM_TEST_FAIL || c->result->verdict == CEVM_TEST_ERROR) {
        cevm_statetest_write_failure(run->out, o, c);
    } else if (o->bench && c->result->verdict == CEVM_TEST_PASS) {
        (void)fprintf(run->out, "%10.3f ms %12ju gas  %s [%s/%zu]\n", (double)c->time_ns / 1e6,
                      (uintmax_t)c->result->gas_used, c->name, c->fork_name, c->index);
    }
    if (o->human && o->dump && run->state != NULL) {
        (void)fprintf(run->out, "%s\n", run->state);
    }
    free(run->state);
    run->state = NULL;
}

static bool bad_file(file_run *run, const char *why)
{
    (void)fprintf(run->err, "%s statetest: %s\n", run->worker->options->cli->program, why);
    return false;
}

static bool run_state_test(file_run *run, const cevm_json_at *at)
{
    const cevm_statetest_options *o = run->worker->options;
    cevm_state_test test;
    if (!cevm_state_test_load(&test, at, NULL)) {
        return bad_file(run, at->error->text);
    }
    for (size_t i = 0; i < test.entry_count; i++) {
        const cevm_test_entry *e = &test.entries[i];
        if ((o->has_fork && (!e->fork_known || e->fork != o->fork)) || (o->has_index && e->index != o->index)) {
            continue;
        }
        cevm_test_result result;
        uint64_t start = now_ns();
        cevm_test_run_entry(&run->worker->runner, &result, &test, e);
        cevm_statetest_case c = {.file = run->path,
                                 .name = test.name,
                                 .fork_name = e->fork_name,
                                 .fork = e->fork_known ? (int)e->fork : (int)CEVM_FORK_COUNT,
                                 .index = e->index,
                                 .label = e->label,
                                 .time_ns = now_ns() - start,
                                 .result = &result};
        report(run, &c);
    }
    cevm_state_test_free(&test);
    return true;
}

static bool run_vm_test(file_run *run, const cevm_json_at *at)
{
    const cevm_statetest_options *o = run->worker->options;
    cevm_vm_test test;
    if (!cevm_vm_test_load(&test, at, NULL)) {
        return bad_file(run, at->error->text);
    }
    if ((!o->has_fork || test.block.fork == o->fork) && (!o->has_index || o->index == 0)) {
        cevm_test_result result;
        uint64_t start = now_ns();
        cevm_test_run_vm(&run->worker->runner, &result, &test);
        cevm_statetest_case c = {.file = run->path,
                                 .name = test.name,
                                 .fork_name = cevm_fork_name(test.block.fork),
                                 .fork = (int)test.block.fork,
                                 .time_ns = now_ns() - start,
                                 .result = &result};
        report(run, &c);
    }
    cevm_vm_test_free(&test);
    return true;
}

static bool run_case(file_run *run, const cevm_json_at *at)
{
    if (cevm_state_test_is(at->value)) {
        return run_state_test(run, at);
    }
    if (cevm_vm_test_is(at->value)) {
        return run_vm_test(run, at);
    }
    (void)cevm_json_fail(at, "is not a state test: a state test has \"env\", \"pre\", \"transaction\" and \"post\"");
    return bad_file(run, at->error->text);
}

void cevm_statetest_file(cevm_statetest_worker *worker, cevm_statetest_tally *tally, FILE *out, FILE *err,
                         const char *path)
{
    file_run run = {.worker = worker, .tally = tally, .out = out, .err = err, .path = path};
    cevm_json_error error;
    json_t *root = NULL;
    worker->runner.inspect = worker->options->dump ? keep_state : NULL;
    worker->runner.inspect_user = &run;
    tally->files++;
    bool ok = cevm_json_load_file(&root, &error, path);
    cevm_json_at top = cevm_json_root(root, path, NULL, &error);
    ok = ok && cevm_json_is_object(&top);
    if (ok && json_object_size(root) == 0) {
        ok = cevm_json_fail(&top, "holds no test");
    }
    if (!ok) {
        (void)bad_file(&run, error.text);
    }
    const char *name;
    json_t *value;
    json_object_foreach(root, name, value)
    { /* a bad case does not keep the others from being run */
        cevm_json_at at = {.up = &top, .key = name, .value = value, .file = path, .error = &error};
        if (selected(worker->options, name) && !run_case(&run, &at)) {
            ok = false;
        }
    }
    tally->bad_files += ok ? 0 : 1;
    json_decref(root);
}
