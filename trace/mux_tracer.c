/* SPDX-License-Identifier: Apache-2.0 */
/* muxTracer: several tracers in one run. Its options name them: {"callTracer": {its options}, "4byteTracer": null}. */
#include <cevm/alloc.h>

#include <stdio.h>

#include "trace/mux.h"

#define HAND_ON(t, hook, ...)                                      \
    for (size_t i = 0; i < (t)->count; ++i) {                      \
        if ((t)->parts[i]->hooks.hook != NULL) {                   \
            (t)->parts[i]->hooks.hook((t)->parts[i], __VA_ARGS__); \
        }                                                          \
    }

static void on_tx_start(void *ctx, const cevm_block_env *block, const cevm_tx_env *tx)
{
    cevm_mux *t = ctx;
    HAND_ON(t, on_tx_start, block, tx)
}

static void on_enter(void *ctx, const cevm_message *msg, uint32_t depth)
{
    cevm_mux *t = ctx;
    HAND_ON(t, on_enter, msg, depth)
}

static void on_leave(void *ctx, const cevm_result *result, uint32_t depth)
{
    cevm_mux *t = ctx;
    HAND_ON(t, on_exit, result, depth)
}

static void on_step(void *ctx, const cevm_step *step)
{
    cevm_mux *t = ctx;
    HAND_ON(t, on_step, step)
    for (size_t i = 0; i < t->count; ++i) {
        if (t->parts[i]->failed != CEVM_OK) {
            cevm_trace_fail(&t->base, t->parts[i]->failed);
        }
    }
}

static void on_step_end(void *ctx, int64_t gas_cost, int status)
{
    cevm_mux *t = ctx;
    HAND_ON(t, on_step_end, gas_cost, status)
}

static void on_log(void *ctx, const cevm_log *log)
{
    cevm_mux *t = ctx;
    HAND_ON(t, on_log, log)
}

cevm_err cevm_mux_begin(cevm_trace *base, const cevm_tx *tx, const cevm_block_env *block)
{
    cevm_mux *t = (cevm_mux *)base;
    cevm_err err = CEVM_OK;
    for (size_t i = 0; i < t->count && err == CEVM_OK; ++i) {
        err = cevm_trace_begin(t->parts[i], tx, block);
    }
    return err;
}

cevm_err cevm_mux_failure(const cevm_mux *t)
{
    cevm_err err = CEVM_OK;
    for (size_t i = 0; i < t->count && err == CEVM_OK; ++i) {
        err = t->parts[i]->failed;
    }
    return err;
}

static cevm_err finish(cevm_trace *base, const cevm_receipt *receipt)
{
    cevm_mux *t = (cevm_mux *)base;
    cevm_err err = cevm_mux_failure(t);
    if (err != CEVM_OK) {
        return err;
    }
    cevm_json_begin_object(base->out);
    for (size_t i = 0; i < t->count && err == CEVM_OK; ++i) {
        cevm_json_put_key(base->out, t->names[i]);
        err = t->parts[i]->ops->finish(t->parts[i], receipt);
    }
    cevm_json_end_object(base->out);
    return err;
}

void cevm_mux_release(cevm_trace *base)
{
    cevm_mux *t = (cevm_mux *)base;
    for (size_t i = 0; i < t->count; ++i) {
        cevm_trace_destroy(t->parts[i]);
    }
}

static cevm_err add_part(cevm_mux *t, cevm_trace_error *error, const cevm_trace_request *request, const char *name,
                         const json_t *config)
{
    cevm_trace_request part = *request;
    part.name = name;
    part.config = config;
    /* The struct log writes while the others keep silent, and a mux in a mux has no end. */
    bool is_log = name[0] == '\0' || strcmp(name, "structLog") == 0;
    if (is_log || strcmp(name, "muxTracer") == 0) {
        (void)snprintf(error->text, sizeof error->text, "muxTracer cannot hold %s",
                       is_log ? "the struct log" : "another");
        return CEVM_ERR_ARGUMENT;
    }
    if (t->count == CEVM_MUX_PARTS) {
        (void)snprintf(error->text, sizeof error->text, "muxTracer holds at most %d tracers", (int)CEVM_MUX_PARTS);
        return CEVM_ERR_ARGUMENT;
    }
    cevm_err err = cevm_trace_create(&t->parts[t->count], error, &part);
    if (err != CEVM_OK) {
        return err;
    }
    size_t listed;
    const cevm_trace_info *infos = cevm_trace_list(&listed);
    for (size_t i = 0; i < listed; ++i) {
        if (strcmp(infos[i].name, name) == 0) {
            t->names[t->count] = infos[i].name;
        }
    }
    t->parts[t->count]->depth = request->out->depth + 1;
    t->count++;
    return CEVM_OK;
}

void cevm_mux_hook_up(cevm_mux *t)
{
    cevm_tracer *own = &t->base.hooks;
    for (size_t i = 0; i < t->count; ++i) {
        const cevm_tracer *part = &t->parts[i]->hooks;
        own->on_tx_start = part->on_tx_start != NULL ? on_tx_start : own->on_tx_start;
        own->on_enter = part->on_enter != NULL ? on_enter : own->on_enter;
        own->on_exit = part->on_exit != NULL ? on_leave : own->on_exit;
        own->on_step = part->on_step != NULL ? on_step : own->on_step;
        own->on_step_end = part->on_step_end != NULL ? on_step_end : own->on_step_end;
        own->on_log = part->on_log != NULL ? on_log : own->on_log;
    }
}

cevm_err cevm_trace_make_mux(cevm_trace **out, cevm_trace_error *error, const cevm_trace_request *request)
{
    static const cevm_trace_ops ops = {.begin = cevm_mux_begin, .finish = finish, .release = cevm_mux_release};
    cevm_mux *t = cevm_trace_new(sizeof *t, &ops, request);
    if (t == NULL) {
        return CEVM_ERR_NOMEM;
    }
    const char *name;
    json_t *value;
    union {
        const json_t *given;
        json_t *iterated;
    } object = {.given = request->config};
    json_object_foreach(object.iterated, name, value)
    {
        cevm_err err = add_part(t, error, request, name, value);
        if (err != CEVM_OK) {
            cevm_trace_destroy(&t->base);
            return err;
        }
    }
    cevm_mux_hook_up(t);
    *out = &t->base;
    return CEVM_OK;
}
