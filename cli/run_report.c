/* SPDX-License-Identifier: Apache-2.0 */
/* What a run tells: to programs as geth's evm does, to people in words. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/dump.h"
#include "cli/run.h"
#include "cli/term.h"
#include "trace/revert.h"
#include "trace/selectors.h"

static bool put_output(cevm_bytes output)
{
    char text[8193];
    (void)fputs("0x", stdout);
    for (size_t at = 0; at < output.size; at += 4096) {
        size_t n = output.size - at < 4096 ? output.size - at : 4096;
        cevm_hex_encode(text, output.data + at, n);
        (void)fwrite(text, 1, 2 * n, stdout);
    }
    (void)fputc('\n', stdout);
    return ferror(stdout) == 0;
}

/* A line of the summary: a label, and text that may go on below itself. */
static void put_item(FILE *to, const cevm_term *term, const char *label, const char *paint, const char *text)
{
    while (*text != '\0') {
        size_t n = cevm_wrap(text, term->width - 12);
        (void)fprintf(to, "  %-10s%s%.*s%s\n", label, paint, (int)(text[n] != '\0' ? n - 1 : n), text,
                      paint[0] != '\0' ? "\033[0m" : "");
        label = "";
        text += n;
    }
}

static void put_log(FILE *to, const cevm_term *term, const cevm_log *log)
{
    char text[256];
    uint8_t words[32 * 4];
    char address[41];
    size_t indexed = log->topic_count != 0 ? log->topic_count - 1 : 0;
    uint32_t start = log->topic_count != 0 ? (uint32_t)(cevm_load_be64(log->topics[0].bytes) >> 32) : 0;
    const char *event = log->topic_count != 0 ? cevm_known_event(start) : NULL;
    cevm_hex_encode(address, log->address.bytes, sizeof log->address.bytes);
    if (event != NULL && 32 * indexed + log->data.size <= sizeof words) {
        for (size_t i = 0; i < indexed; ++i) {
            memcpy(words + 32 * i, log->topics[i + 1].bytes, 32);
        }
        if (log->data.size != 0) {
            memcpy(words + 32 * indexed, log->data.data, log->data.size);
        }
        cevm_describe_call(text, sizeof text, event, (cevm_bytes){words, 32 * indexed + log->data.size});
        put_item(to, term, "log", "", text);
        (void)fprintf(to, "            by 0x%s\n", address);
        return;
    }
    (void)fprintf(to, "  log       %u topics, %zu bytes, by 0x%s\n", (unsigned)log->topic_count, log->data.size,
                  address);
    for (uint32_t i = 0; i < log->topic_count; ++i) {
        char topic[65];
        cevm_hex_encode(topic, log->topics[i].bytes, 32);
        (void)fprintf(to, "            0x%s\n", topic);
    }
}

static void put_summary(FILE *to, const cevm_run_outcome *r)
{
    cevm_term term = cevm_term_of(to);
    bool good = cevm_status_is_success(r->status);
    const char *paint = !term.colour ? "" : good ? "\033[1;32m" : "\033[1;31m";
    put_item(to, &term, "result", paint, good ? "success" : cevm_status_string(r->status));
    if (r->status == CEVM_STATUS_REVERT) {
        char reason[512];
        (void)cevm_revert_describe(reason, sizeof reason, r->output);
        put_item(to, &term, "reason", paint, reason);
    }
    (void)fprintf(to, "  gas used  %llu of %llu", (unsigned long long)r->gas_used, (unsigned long long)r->gas_limit);
    if (r->refund > 0) {
        (void)fprintf(to, " (refund counter %lld)", (long long)r->refund);
    }
    (void)fputc('\n', to);
    if (r->has_created) {
        char created[41];
        cevm_hex_encode(created, r->created.bytes, sizeof r->created.bytes);
        (void)fprintf(to, "  created   0x%s\n", created);
    }
    for (size_t i = 0; i < r->log_count; ++i) {
        put_log(to, &term, &r->logs[i]);
    }
}

void cevm_run_report(const cevm_run_options *options, const cevm_run_outcome *outcome, const cevm_open_trace *trace)
{
    bool machine_trace = trace->tracer != NULL && !trace->is_table;
    if (!machine_trace) { /* geth: what the trace says already is not said again */
        bool people = !options->cli->as_evm;
        (void)put_output(outcome->output);
        if (!cevm_status_is_success(outcome->status) && !(people && cevm_term_of(stdout).is_terminal)) {
            (void)printf(" error: %s\n", cevm_status_string(outcome->status));
        }
        (void)fflush(stdout);
        if (people) {
            put_summary(stderr, outcome);
        }
    }
}

void cevm_run_report_cost(const cevm_run_outcome *r)
{
    double us = (double)r->time_ns / 1000.0;
    bool long_run = us >= 1000.0;
    (void)fprintf(stderr,
                  "EVM gas used:    %llu\n"
                  "execution time:  %.6f%s\n"
                  "allocations:     %llu\n"
                  "allocated bytes: %llu\n",
                  (unsigned long long)r->gas_used, long_run ? us / 1000.0 : us, long_run ? "ms" : "µs",
                  (unsigned long long)r->allocations, (unsigned long long)r->allocated_bytes);
}

bool cevm_run_dump(const cevm_run_options *options, cevm_memdb *db)
{
    cevm_hash root;
    cevm_err err = cevm_memdb_root(db, &root);
    char *text = err == CEVM_OK ? cevm_cli_dump(db, &root) : NULL;
    json_t *state = text != NULL ? json_loads(text, 0, NULL) : NULL;
    free(text);
    if (state == NULL || json_dumpf(state, stdout, JSON_INDENT(4)) != 0) { /* geth's layout */
        (void)fprintf(stderr, "%s: the state cannot be shown: %s\n", options->command,
                      cevm_err_string(err != CEVM_OK ? err : CEVM_ERR_NOMEM));
        json_decref(state);
        return false;
    }
    json_decref(state);
    return fputc('\n', stdout) != EOF;
}
