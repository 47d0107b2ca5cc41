/* SPDX-License-Identifier: Apache-2.0 */
/* `cevm statetest` and `cevm blocktest`: run the tests of one file. */
#include <cevm/hex.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/dump.h"
#include "cli/vectors.h"

static const cevm_tracer *begin_named(void *user, cevm_state *state, const cevm_tx *tx, const cevm_block_env *block)
{
    return cevm_named_trace_begin(user, state, tx, block, NULL);
}

static void end_named(void *user, const cevm_receipt *receipt) { cevm_named_trace_end(user, receipt); }

bool cevm_vectors_worker_init(cevm_vectors_worker *out, const cevm_vectors_options *options)
{
    *out = (cevm_vectors_worker){.options = options};
    if (cevm_test_runner_init(&out->runner, NULL) != CEVM_OK) {
        return false;
    }
    if (!cevm_tracing_open(&out->trace, &options->tracing, "json", options->kind->command, stderr)) {
        cevm_test_runner_clear(&out->runner);
        return false;
    }
    out->runner.tracer = out->trace.tracer;
    if (out->trace.is_named) {
        out->watch = (cevm_test_watch){.user = &out->trace.named, .begin = begin_named, .end = end_named};
        out->runner.watch = &out->watch;
    }
    return true;
}

bool cevm_vectors_worker_clear(cevm_vectors_worker *worker)
{
    bool ok = cevm_tracing_close(&worker->trace, worker->options->kind->command);
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

static void keep_state(void *user, cevm_memdb *db, const cevm_hash *root)
{
    cevm_vectors_run *run = user;
    free(run->state);
    run->state = cevm_cli_dump(db, root);
}

uint64_t cevm_vectors_now_ns(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static bool selected(const cevm_vectors_options *o, const char *name)
{
    return !o->has_run || regexec(&o->run, name, 0, NULL, 0) == 0;
}

void cevm_vectors_report(cevm_vectors_run *run, cevm_vectors_case *c)
{
    const cevm_vectors_options *o = run->worker->options;
    c->state = run->state;
    flush_trace(&run->worker->trace);
    if (c->result->has_root && (!o->human || o->trace)) {
        char hex[65];
        cevm_hex_encode(hex, c->result->root.bytes, sizeof c->result->root.bytes);
        (void)fprintf(run->err, "{\"stateRoot\": \"0x%s\"}\n", hex);
    }
    cevm_vectors_tally_case(run->tally, c);
    if (!o->human) {
        (void)fputs(run->wrote_json ? ",\n" : "", run->out);
        cevm_vectors_write_json(run->out, c, o->bench);
        run->wrote_json = true;
    } else if (c->result->verdict == CEVM_TEST_FAIL || c->result->verdict == CEVM_TEST_ERROR) {
        cevm_vectors_write_failure(run->out, o, c);
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

bool cevm_vectors_bad_file(cevm_vectors_run *run, const char *why)
{
    const cevm_vectors_options *o = run->worker->options;
    (void)fprintf(run->err, "%s %s: %s\n", o->cli->program, o->kind->command, why);
    return false;
}

void cevm_vectors_file(cevm_vectors_worker *worker, cevm_vectors_tally *tally, FILE *out, FILE *err, const char *path)
{
    cevm_vectors_run run = {.worker = worker, .tally = tally, .out = out, .err = err, .path = path};
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
        (void)cevm_vectors_bad_file(&run, error.text);
    }
    const char *name;
    json_t *value;
    json_object_foreach(root, name, value)
    { /* a bad case does not keep the others from being run */
        cevm_json_at at = {.up = &top, .key = name, .value = value, .file = path, .error = &error};
        if (selected(worker->options, name) && !worker->options->kind->run_case(&run, &at)) {
            ok = false;
        }
    }
    tally->bad_files += ok ? 0 : 1;
    json_decref(root);
}
