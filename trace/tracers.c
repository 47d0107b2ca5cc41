/* SPDX-License-Identifier: Apache-2.0 */
/* The table of tracers, and what a request goes through before one of them is made. */
#include "trace/tracers.h"

#include <cevm/alloc.h>

#include <stdio.h>

#include "trace/trace_base.h"

static const cevm_trace_info infos[] = {
#define TRACER(id, name, summary, options) {name, summary, options},
#include "trace/tracers.def"
#undef TRACER
};

static cevm_trace_maker *const makers[] = {
#define TRACER(id, name, summary, options) cevm_trace_make_##id,
#include "trace/tracers.def"
#undef TRACER
};

enum { INFO_COUNT = sizeof infos / sizeof infos[0] };

const cevm_trace_info *cevm_trace_list(size_t *count)
{
    *count = INFO_COUNT;
    return infos;
}

/* Adds text at `at`, cut to what fits; returns the new end. */
static size_t add(cevm_trace_error *error, size_t at, const char *text)
{
    size_t room = sizeof error->text - 1 - at;
    size_t n = strlen(text) < room ? strlen(text) : room;
    memcpy(error->text + at, text, n);
    error->text[at + n] = '\0';
    return at + n;
}

/* What a stranger wrote, as part of a message: cut, and without control characters. */
static size_t add_foreign(cevm_trace_error *error, size_t at, const char *text)
{
    char clean[41];
    size_t n = 0;
    for (; text[n] != '\0' && n + 1 < sizeof clean; ++n) {
        clean[n] = '?';
        if ((unsigned char)text[n] >= 0x20 && (unsigned char)text[n] < 0x7f) {
            clean[n] = text[n];
        }
    }
    clean[n] = '\0';
    at = add(error, at, clean);
    return text[n] != '\0' ? add(error, at, "…") : at;
}

static void say_unknown_tracer(cevm_trace_error *error, const char *name)
{
    size_t at = 0;
    if (strpbrk(name, "{}();\n") != NULL) {
        at = add(error, at, "tracers written in JavaScript are not supported; there are ");
    } else {
        at = add(error, at, "unknown tracer \"");
        at = add_foreign(error, at, name);
        at = add(error, at, "\"; there are ");
    }
    for (size_t i = 1; i < INFO_COUNT; ++i) {
        at = add(error, at, infos[i].name);
        at = add(error, at, ", ");
    }
    (void)add(error, at, "and without a name the struct log");
}

/* Whether a name is among names separated by blanks. */
static bool is_listed(const char *list, const char *name)
{
    size_t size = strlen(name);
    while (*list != '\0') {
        size_t n = strcspn(list, " ");
        if (n == size && memcmp(list, name, n) == 0) {
            return true;
        }
        list += n;
        list += strspn(list, " ");
    }
    return false;
}

static void say_unknown_option(cevm_trace_error *error, const cevm_trace_info *info, const char *key)
{
    const char *name = info->name[0] != '\0' ? info->name : "the struct log";
    size_t at = add(error, 0, "unknown option \"");
    at = add_foreign(error, at, key);
    at = add(error, at, "\" of ");
    at = add(error, at, name);
    if (info->options[0] == '\0') {
        (void)add(error, at, ", which has none");
        return;
    }
    at = add(error, at, "; there are ");
    for (const char *p = info->options; *p != '\0';) {
        char word[40];
        size_t n = strcspn(p, " ");
        (void)snprintf(word, sizeof word, "%.*s%s", (int)n, p, p[n] != '\0' ? ", " : "");
        at = add(error, at, word);
        p += n;
        p += strspn(p, " ");
    }
}

static bool check_options(cevm_trace_error *error, const cevm_trace_info *info, const json_t *config)
{
    if (config == NULL || json_is_null(config)) {
        return true;
    }
    if (!json_is_object(config)) {
        (void)add(error, 0, "the options of a tracer must be an object");
        return false;
    }
    if (strcmp(info->options, "*") == 0) {
        return true;
    }
    /* jansson iterates through a pointer that is not const, and changes nothing. */
    const char *key;
    json_t *value;
    union {
        const json_t *given;
        json_t *iterated;
    } object = {.given = config};
    json_object_foreach(object.iterated, key, value)
    {
        if (!is_listed(info->options, key)) {
            say_unknown_option(error, info, key);
            return false;
        }
    }
    return true;
}

cevm_err cevm_trace_create(cevm_trace **out, cevm_trace_error *error, const cevm_trace_request *request)
{
    const char *name = request->name != NULL ? request->name : "";
    name = strcmp(name, "structLog") == 0 ? "" : name; /* where a name must be given */
    *out = NULL;
    error->text[0] = '\0';
    for (size_t i = 0; i < INFO_COUNT; ++i) {
        if (strcmp(infos[i].name, name) == 0) {
            if (!check_options(error, &infos[i], request->config)) {
                return CEVM_ERR_ARGUMENT;
            }
            cevm_err err = makers[i](out, error, request);
            if (err == CEVM_ERR_NOMEM) {
                (void)add(error, 0, "out of memory");
            }
            return err;
        }
    }
    say_unknown_tracer(error, name);
    return CEVM_ERR_ARGUMENT;
}

cevm_err cevm_trace_begin(cevm_trace *trace, const cevm_tx *tx, const cevm_block_env *block)
{
    trace->fork = block->fork;
    if (trace->ops->begin == NULL) {
        return CEVM_OK;
    }
    cevm_err err = trace->ops->begin(trace, tx, block);
    return err != CEVM_OK ? err : trace->failed;
}

const cevm_tracer *cevm_trace_hooks(cevm_trace *trace) { return &trace->hooks; }

cevm_err cevm_trace_finish(cevm_trace *trace, const cevm_receipt *receipt)
{
    cevm_err err = trace->failed;
    if (err == CEVM_OK) {
        err = trace->ops->finish(trace, receipt);
    }
    if (err == CEVM_OK) {
        err = trace->failed;
    }
    if (err != CEVM_OK && !cevm_trace_abort(trace, cevm_err_string(err))) {
        cevm_json_put_null(trace->out);
    }
    return trace->out->failed ? CEVM_ERR_IO : err;
}

bool cevm_trace_abort(cevm_trace *trace, const char *reason)
{
    if (trace->out->total == trace->total_start) {
        return false;
    }
    if (trace->ops->abort != NULL) {
        trace->ops->abort(trace, reason);
    }
    cevm_json_close_to(trace->out, trace->depth);
    return true;
}

cevm_err cevm_trace_failure(const cevm_trace *trace) { return trace->failed; }

void cevm_trace_destroy(cevm_trace *trace)
{
    if (trace != NULL) {
        if (trace->ops->release != NULL) {
            trace->ops->release(trace);
        }
        cevm_free(trace->allocator, trace);
    }
}
