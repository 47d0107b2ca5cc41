/* SPDX-License-Identifier: Apache-2.0 */
/* callTracer: the calls and creations, nested, in the shape of geth's. */
#include <cevm/alloc.h>

#include "trace/call_tree.h"

static void open_frame(const cevm_call_trace *t, uint32_t i)
{
    cevm_json_writer *w = t->base.out;
    const cevm_call_frame *frame = &t->tree.frames[i];
    cevm_json_begin_object(w);
    cevm_call_put_members(w, frame);
    cevm_call_put_logs(w, &t->tree, frame);
    cevm_json_put_key(w, "type");
    cevm_json_put_string(w, cevm_call_type_name(frame->type));
    if (frame->first_child != CEVM_NO_FRAME) {
        cevm_json_put_key(w, "calls");
        cevm_json_begin_array(w);
    }
}

static void close_frame(const cevm_call_trace *t, uint32_t i)
{
    if (t->tree.frames[i].first_child != CEVM_NO_FRAME) {
        cevm_json_end_array(t->base.out);
    }
    cevm_json_end_object(t->base.out);
}

static cevm_err finish(cevm_trace *base, const cevm_receipt *receipt)
{
    cevm_call_trace *t = (cevm_call_trace *)base;
    uint32_t i = 0;
    bool closing = false;
    if (!cevm_call_trace_settle(t, receipt)) {
        return CEVM_ERR_ARGUMENT;
    }
    do {
        if (closing) {
            close_frame(t, i);
        } else {
            open_frame(t, i);
        }
    } while (cevm_trace_may_write(base) && cevm_call_tree_next(&t->tree, &i, &closing));
    return base->failed;
}

static void release(cevm_trace *base) { cevm_call_tree_release(&((cevm_call_trace *)base)->tree); }

static const cevm_trace_ops ops = {.begin = cevm_call_trace_begin, .finish = finish, .release = release};

cevm_err cevm_trace_make_call(cevm_trace **out, cevm_trace_error *error, const cevm_trace_request *request)
{
    cevm_call_tree_options options = {0};
    if (!cevm_trace_option_bool(&options.only_top, error, request->config, "onlyTopCall") ||
        !cevm_trace_option_bool(&options.logs, error, request->config, "withLog")) {
        return CEVM_ERR_ARGUMENT;
    }
    cevm_call_trace *t = cevm_trace_new(sizeof *t, &ops, request);
    if (t == NULL) {
        return CEVM_ERR_NOMEM;
    }
    cevm_call_trace_init(t, &options);
    *out = &t->base;
    return CEVM_OK;
}
