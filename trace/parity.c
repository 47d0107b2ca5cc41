/* SPDX-License-Identifier: Apache-2.0 */
/* A transaction as Parity's trace module tells it: output, and of trace, stateDiff and vmTrace what was asked for. */
#include "trace/parity.h"

#include "trace/mux.h"
#include "trace/parity_parts.h"

typedef struct parity_trace {
    cevm_mux mux;
    cevm_trace *trace, *state_diff, *vm; /* parts of the mux; NULL: not asked for */
    void (*enter_parts)(void *ctx, const cevm_message *msg, uint32_t depth);
} parity_trace;

/* The vmTrace is written as it comes: the object it stands in is begun just before it. */
static void on_enter(void *ctx, const cevm_message *msg, uint32_t depth)
{
    parity_trace *t = ctx;
    if (t->vm != NULL && depth == 1) {
        cevm_json_begin_object(t->mux.base.out);
        cevm_json_put_key(t->mux.base.out, "vmTrace");
    }
    t->enter_parts(ctx, msg, depth);
}

/* A part as a member of the object, or what stands for one that nobody asked for. */
static cevm_err put_part(parity_trace *t, const char *name, cevm_trace *part, const cevm_receipt *receipt)
{
    cevm_json_writer *w = t->mux.base.out;
    cevm_json_put_key(w, name);
    if (part == NULL) {
        cevm_json_put_null(w);
        return CEVM_OK;
    }
    return part->ops->finish(part, receipt);
}

static cevm_err put_rest(parity_trace *t, const cevm_receipt *receipt)
{
    cevm_json_writer *w = t->mux.base.out;
    const bool keeps_output = cevm_status_is_success(receipt->status) || receipt->status == CEVM_STATUS_REVERT;
    cevm_json_put_key(w, "output");
    cevm_json_put_data(w, keeps_output ? receipt->output : (cevm_bytes){NULL, 0});
    cevm_err err = put_part(t, "stateDiff", t->state_diff, receipt);
    if (err != CEVM_OK) {
        return err;
    }
    if (t->trace != NULL) {
        err = put_part(t, "trace", t->trace, receipt);
    } else {
        cevm_json_put_key(w, "trace");
        cevm_json_begin_array(w);
        cevm_json_end_array(w);
    }
    if (t->mux.base.context.has_tx) {
        cevm_json_put_key(w, "transactionHash");
        cevm_json_put_hash(w, &t->mux.base.context.tx_hash);
    }
    return err;
}

static cevm_err finish(cevm_trace *base, const cevm_receipt *receipt)
{
    parity_trace *t = (parity_trace *)base;
    cevm_err err = cevm_mux_failure(&t->mux);
    if (err != CEVM_OK) {
        return err;
    }
    const bool is_begun = t->vm != NULL && cevm_trace_vm_has_begun(t->vm);
    if (!is_begun) {
        cevm_json_begin_object(base->out);
    }
    err = is_begun ? t->vm->ops->finish(t->vm, receipt) : put_part(t, "vmTrace", t->vm, receipt);
    if (err == CEVM_OK) {
        err = put_rest(t, receipt);
    }
    if (err == CEVM_OK) {
        cevm_json_end_object(base->out);
    }
    return err;
}

static cevm_err add(parity_trace *t, cevm_trace **part, const cevm_trace_request *request,
                    cevm_err (*make)(cevm_trace **out, const cevm_trace_request *request))
{
    cevm_err err = make(part, request);
    if (err == CEVM_OK) {
        t->mux.parts[t->mux.count++] = *part;
    }
    return err;
}

cevm_err cevm_parity_create(cevm_trace **out, const cevm_trace_request *request, const cevm_parity_parts *parts)
{
    static const cevm_trace_ops ops = {.begin = cevm_mux_begin, .finish = finish, .release = cevm_mux_release};
    cevm_err err = CEVM_OK;
    parity_trace *t = cevm_trace_new(sizeof *t, &ops, request);
    *out = NULL;
    if (t == NULL) {
        return CEVM_ERR_NOMEM;
    }
    if (parts->vm_trace) {
        err = add(t, &t->vm, request, cevm_trace_make_vm);
    }
    if (parts->state_diff && err == CEVM_OK) {
        err = add(t, &t->state_diff, request, cevm_trace_make_state_diff);
    }
    if (parts->trace && err == CEVM_OK) {
        err = add(t, &t->trace, request, cevm_trace_make_parity_flat);
    }
    if (err != CEVM_OK) {
        cevm_trace_destroy(&t->mux.base);
        return err;
    }
    cevm_mux_hook_up(&t->mux);
    if (t->mux.base.hooks.on_enter != NULL) {
        t->enter_parts = t->mux.base.hooks.on_enter;
        t->mux.base.hooks.on_enter = on_enter;
    }
    *out = &t->mux.base;
    return CEVM_OK;
}
