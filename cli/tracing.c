/* SPDX-License-Identifier: Apache-2.0 */
/* The tracer a command line asks for. */
#include "cli/tracing.h"

#include <string.h>

#include "cli/term.h"

void cevm_tracing_options(cevm_option *rows, cevm_tracing *tracing)
{
    const cevm_option all[CEVM_TRACING_OPTION_COUNT] = {
        {"trace", CEVM_OPTION_SWITCH, &tracing->trace},
        {"json", CEVM_OPTION_SWITCH, &tracing->json},
        {"trace.format", CEVM_OPTION_TEXT, &tracing->format},
        {"trace.nomemory", CEVM_OPTION_SWITCH, &tracing->no_memory},
        {"trace.nostack", CEVM_OPTION_SWITCH, &tracing->no_stack},
        {"trace.nostorage", CEVM_OPTION_SWITCH, &tracing->no_storage},
        {"trace.noreturndata", CEVM_OPTION_SWITCH, &tracing->no_return_data},
        {"nomemory", CEVM_OPTION_SWITCH, &tracing->no_memory},
        {"nostack", CEVM_OPTION_SWITCH, &tracing->no_stack},
        {"noreturndata", CEVM_OPTION_SWITCH, &tracing->no_return_data},
        {"trace.tracer", CEVM_OPTION_TEXT, &tracing->tracer},
        {"trace.config", CEVM_OPTION_TEXT, &tracing->config},
        {"trace.jsonconfig", CEVM_OPTION_TEXT, &tracing->config},
    };
    memcpy(rows, all, sizeof all);
}

static cevm_err open_json(cevm_open_trace *out, const cevm_tracing *tracing, FILE *stream)
{
    const cevm_eip3155_options options = {
        .memory = !tracing->no_memory, .no_stack = tracing->no_stack, .return_data = !tracing->no_return_data};
    cevm_err err = cevm_eip3155_create(&out->json, stream, &options, NULL);
    out->tracer = err == CEVM_OK ? cevm_eip3155_tracer(out->json) : NULL;
    return err;
}

static cevm_err open_text(cevm_open_trace *out, const cevm_tracing *tracing, FILE *stream, bool markdown)
{
    const cevm_geth_text_options options = {.markdown = markdown,
                                            .memory = !tracing->no_memory,
                                            .no_stack = tracing->no_stack,
                                            .no_storage = tracing->no_storage,
                                            .return_data = !tracing->no_return_data};
    cevm_err err = cevm_geth_text_create(&out->text, stream, &options, NULL);
    out->tracer = err == CEVM_OK ? cevm_geth_text_tracer(out->text) : NULL;
    return err;
}

static cevm_err open_table(cevm_open_trace *out, const cevm_tracing *tracing, FILE *stream)
{
    cevm_term term = cevm_term_of(stream);
    const cevm_steps_options options = {
        .colour = term.colour, .unicode = term.unicode, .no_stack = tracing->no_stack, .width = term.width};
    cevm_err err = cevm_steps_create(&out->steps, stream, &options, NULL);
    out->tracer = err == CEVM_OK ? cevm_steps_tracer(out->steps) : NULL;
    out->is_table = true;
    return err;
}

static bool open_named(cevm_open_trace *out, const cevm_tracing *tracing, const char *command, FILE *stream)
{
    out->is_named = cevm_named_trace_open(&out->named, tracing->tracer, tracing->config, stream);
    if (!out->is_named) {
        (void)fprintf(stderr, "%s: %s\n", command, out->named.error.text);
    }
    return out->is_named;
}

static bool is_geth_text(const char *format)
{
    return strcmp(format, "struct") == 0 || strcmp(format, "md") == 0 || strcmp(format, "markdown") == 0;
}

static bool is_format(const char *format)
{
    return strcmp(format, "json") == 0 || strcmp(format, "table") == 0 || is_geth_text(format);
}

bool cevm_tracing_open(cevm_open_trace *out, const cevm_tracing *tracing, const char *fallback, const char *command,
                       FILE *stream)
{
    *out = (cevm_open_trace){0};
    if (tracing->tracer != NULL && tracing->tracer[0] != '\0') {
        return open_named(out, tracing, command, stream);
    }
    if (tracing->config != NULL) {
        (void)fprintf(stderr, "%s: --trace.config gives options to a tracer: name it with --trace.tracer\n", command);
        return false;
    }
    const char *format = tracing->format != NULL ? tracing->format : tracing->json ? "json" : fallback;
    cevm_err err = CEVM_OK;
    if (!tracing->trace && !tracing->json && is_format(format)) {
        return true;
    }
    if (strcmp(format, "json") == 0) {
        err = open_json(out, tracing, stream);
    } else if (is_geth_text(format)) {
        err = open_text(out, tracing, stream, format[0] == 'm');
    } else if (strcmp(format, "table") == 0) {
        err = open_table(out, tracing, stream);
    } else {
        (void)fprintf(stderr, "%s: unknown trace format \"%s\"; there are json, struct, md and table\n", command,
                      format);
        return false;
    }
    if (err != CEVM_OK) {
        (void)fprintf(stderr, "%s: cannot trace: %s\n", command, cevm_err_string(err));
        return false;
    }
    return true;
}

bool cevm_tracing_close(cevm_open_trace *open, const char *command)
{
    cevm_err err = open->json != NULL    ? cevm_eip3155_flush(open->json)
                   : open->text != NULL  ? cevm_geth_text_flush(open->text)
                   : open->steps != NULL ? cevm_steps_flush(open->steps)
                   : open->is_named      ? cevm_named_trace_close(&open->named)
                                         : CEVM_OK;
    cevm_eip3155_destroy(open->json);
    cevm_geth_text_destroy(open->text);
    cevm_steps_destroy(open->steps);
    *open = (cevm_open_trace){0};
    if (err != CEVM_OK) {
        (void)fprintf(stderr, "%s: the trace is not complete: %s\n", command, cevm_err_string(err));
    }
    return err == CEVM_OK;
}
