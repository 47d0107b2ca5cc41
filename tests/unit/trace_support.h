/* SPDX-License-Identifier: Apache-2.0 */
/** tests/unit/trace_support.h: a transaction in a small world, traced by name, and what the tracer made of it. */
#ifndef CEVM_TESTS_TRACE_SUPPORT_H
#define CEVM_TESTS_TRACE_SUPPORT_H

#include "tx_support.h"

#include "json_text.h"
#include "trace/tracers.h"

static inline json_t *parse_json(const char *text)
{
    json_error_t error;
    json_t *out = json_loads(text, JSON_DECODE_ANY, &error);
    if (out == NULL) {
        fail_msg("%s in %s", error.text, text);
    }
    return out;
}

/** A trace on its way. */
typedef struct traced {
    json_text text;
    cevm_json_writer writer;
    cevm_trace *trace;
    cevm_trace_error error;
} traced;

/** Fills `request` but for limits, context and stop, which the test may have set. */
static inline cevm_err traced_open(traced *t, world *w, const char *name, const char *config,
                                   cevm_trace_request *request)
{
    memset(t, 0, sizeof *t);
    json_t *options = config != NULL ? parse_json(config) : NULL;
    cevm_json_writer_init(&t->writer, json_text_take, &t->text);
    request->name = name;
    request->config = options;
    request->out = &t->writer;
    request->state = w->state;
    cevm_err err = cevm_trace_create(&t->trace, &t->error, request);
    json_decref(options);
    return err;
}

static inline cevm_receipt traced_apply(traced *t, world *w, const cevm_tx *tx)
{
    cevm_receipt receipt;
    cevm_tx_error reason = CEVM_TX_ERROR_COUNT;
    assert_int_equal(cevm_trace_begin(t->trace, tx, &w->block), CEVM_OK);
    assert_int_equal(
        cevm_tx_apply(w->vm, w->state, &receipt, &reason, tx, &w->block, &w->usage, cevm_trace_hooks(t->trace)),
        CEVM_OK);
    assert_string_equal(cevm_tx_error_name(reason), "NONE");
    return receipt;
}

/** Applies a transaction under a trace that is open, and ends the trace: its text, freed by the caller. */
static inline char *traced_text(traced *t, world *w, const cevm_tx *tx)
{
    const cevm_receipt receipt = traced_apply(t, w, tx);
    assert_int_equal(cevm_trace_finish(t->trace, &receipt), CEVM_OK);
    cevm_trace_destroy(t->trace);
    assert_int_equal(t->writer.depth, 0);
    assert_true(cevm_json_flush(&t->writer));
    return t->text.data;
}

/** The text of a trace; freed by the caller. */
static inline char *trace_text(world *w, const char *name, const char *config, const cevm_tx *tx,
                               const cevm_trace_context *context)
{
    traced t;
    cevm_trace_request request = {0};
    if (context != NULL) {
        request.context = *context;
    }
    if (traced_open(&t, w, name, config, &request) != CEVM_OK) {
        fail_msg("%s: %s", name, t.error.text);
    }
    return traced_text(&t, w, tx);
}

/** The same, parsed. */
static inline json_t *trace_json(world *w, const char *name, const char *config, const cevm_tx *tx)
{
    char *text = trace_text(w, name, config, tx, NULL);
    json_t *out = parse_json(text);
    free(text);
    return out;
}

/** Fails unless two JSON values are equal, and shows where they are not. Takes `got`. */
static inline void expect_json(json_t *got, const char *want_text)
{
    json_t *want = parse_json(want_text);
    if (json_equal(got, want) != 1) {
        char *a = json_dumps(want, JSON_SORT_KEYS | JSON_INDENT(1) | JSON_ENCODE_ANY);
        char *b = json_dumps(got, JSON_SORT_KEYS | JSON_INDENT(1) | JSON_ENCODE_ANY);
        json_text_show_difference("trace", a, b);
        free(a);
        free(b);
        fail_msg("the JSON is not as it should be");
    }
    json_decref(want);
    json_decref(got);
}

/** The contract gets this code; the transaction that calls it, with gas, leaves a trace that must be `want`. */
static inline void expect_trace(cevm_fork fork, const char *code, uint64_t gas, const char *name, const char *config,
                                const char *want)
{
    world w;
    world_open(&w, fork);
    world_put(&w, address_of(CONTRACT), 0, 1, code);
    cevm_tx tx = plain_tx();
    tx.gas_limit = gas;
    expect_json(trace_json(&w, name, config, &tx), want);
    world_close(&w);
}

#endif
