/* SPDX-License-Identifier: Apache-2.0 */
/* Named tracers on the command line. */
#include "cli/named_trace.h"

static bool put(void *ctx, const char *text, size_t size) { return fwrite(text, 1, size, ctx) == size; }

static bool ignore(void *ctx, const char *text, size_t size)
{
    (void)ctx;
    (void)text;
    (void)size;
    return true;
}

static bool make(cevm_named_trace *t, cevm_state *state, const cevm_trace_context *context)
{
    cevm_trace_request request = {.name = t->name, .config = t->config, .out = &t->writer, .state = state};
    if (context != NULL) {
        request.context = *context;
    }
    cevm_err err = cevm_trace_create(&t->trace, &t->error, &request);
    t->failed = t->failed == CEVM_OK ? err : t->failed;
    return err == CEVM_OK;
}

bool cevm_named_trace_open(cevm_named_trace *out, const char *name, const char *config, FILE *stream)
{
    *out = (cevm_named_trace){.name = name, .stream = stream};
    if (config != NULL && config[0] != '\0') {
        json_error_t error;
        out->config = json_loads(config, JSON_REJECT_DUPLICATES, &error);
        if (out->config == NULL) {
            (void)snprintf(out->error.text, sizeof out->error.text, "the tracer's options are no JSON: %.160s",
                           error.text);
            return false;
        }
    }
    cevm_json_writer_init(&out->writer, ignore, NULL);
    if (!make(out, NULL, NULL)) {
        json_decref(out->config);
        out->config = NULL;
        return false;
    }
    cevm_trace_destroy(out->trace);
    out->trace = NULL;
    return true;
}

const cevm_tracer *cevm_named_trace_begin(cevm_named_trace *t, cevm_state *state, const cevm_tx *tx,
                                          const cevm_block_env *block, const cevm_trace_context *context)
{
    cevm_json_writer_init(&t->writer, put, t->stream);
    if (!make(t, state, context)) {
        return NULL;
    }
    cevm_err err = cevm_trace_begin(t->trace, tx, block);
    if (err != CEVM_OK) {
        t->failed = t->failed == CEVM_OK ? err : t->failed;
        cevm_trace_destroy(t->trace);
        t->trace = NULL;
        return NULL;
    }
    return cevm_trace_hooks(t->trace);
}

void cevm_named_trace_end(cevm_named_trace *t, const cevm_receipt *receipt)
{
    bool wrote = true;
    cevm_err err = CEVM_OK;
    if (t->trace == NULL) {
        return;
    }
    if (receipt != NULL) {
        err = cevm_trace_finish(t->trace, receipt);
    } else {
        wrote = cevm_trace_abort(t->trace, "the transaction was not executed");
    }
    if (!cevm_json_flush(&t->writer) || (wrote && fputc('\n', t->stream) == EOF) || fflush(t->stream) != 0) {
        err = CEVM_ERR_IO;
    }
    t->failed = t->failed == CEVM_OK ? err : t->failed;
    cevm_trace_destroy(t->trace);
    t->trace = NULL;
}

cevm_err cevm_named_trace_close(cevm_named_trace *t)
{
    cevm_trace_destroy(t->trace);
    t->trace = NULL;
    json_decref(t->config);
    t->config = NULL;
    return t->failed;
}

/* Words from the column where the line stands to the end of a line of 80, and on from `column` in the next. */
static void put_words(FILE *to, const char *words, size_t column)
{
    enum { WIDTH = 80 };
    size_t at = column;
    for (const char *word = words; *word != '\0';) {
        const size_t size = strcspn(word, " ");
        if (at != column && at + 1 + size > WIDTH) {
            (void)fprintf(to, "\n%*s", (int)column, "");
            at = column;
        }
        at += (at != column ? 1U : 0U) + size;
        (void)fprintf(to, "%s%.*s", at != column + size ? " " : "", (int)size, word);
        word += size + (word[size] != '\0' ? 1 : 0);
    }
    (void)fputc('\n', to);
}

void cevm_named_trace_help(FILE *to)
{
    enum { COLUMN = 27 };
    size_t count;
    const cevm_trace_info *infos = cevm_trace_list(&count);
    for (size_t i = 0; i < count; ++i) {
        const char *name = infos[i].name[0] != '\0' ? infos[i].name : "structLog";
        (void)fprintf(to, "  %-*s", COLUMN - 2, name);
        put_words(to, infos[i].summary, COLUMN);
        if (infos[i].options[0] != '\0' && strcmp(infos[i].options, "*") != 0) {
            (void)fprintf(to, "%*s", COLUMN + 2, "");
            put_words(to, infos[i].options, COLUMN + 2);
        }
    }
}
