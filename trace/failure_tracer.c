/* SPDX-License-Identifier: Apache-2.0 */
/*
 * failureTracer: why a transaction failed, in one object: the instruction at which it went wrong, in which contract, and the
 * calls that led there. A caller that only hands on what its callee reverted with is not where it went wrong; one that
 * fails for a reason of its own is.
 */
#include <cevm/alloc.h>

#include <stdio.h>

#include "trace/fault_watch.h"
#include "trace/revert.h"
#include "trace/trace_base.h"

/*
 * Where there is no data to compare, because the callee ran out of gas or gave no reason, a caller hands that on if it reverts
 * right after a RETURNDATACOPY. What compilers put between the call and the revert is shorter than NEAR_STEPS.
 */
enum { DEPTHS = 1026, SHOWN_WORDS = 8, NEAR_STEPS = 64, RETURNDATACOPY = 0x3e };

/* A call that is running. */
typedef struct frame {
    cevm_call_kind kind;
    cevm_address from;
    cevm_address to;   /* whose storage is used */
    cevm_address code; /* whose code runs */
    uint8_t selector[4];
    uint8_t selector_size;
} frame;

/* How a frame failed. */
typedef struct fault {
    bool is_set;
    bool has_step; /* false: it failed before or without an instruction */
    uint32_t depth;
    uint64_t pc;
    char op[24];
    int64_t gas;
    int64_t gas_cost;
    size_t stack_size;
    cevm_u256 stack[SHOWN_WORDS]; /* the top first */
    char error[96];
    cevm_bytes output; /* a copy */
} fault;

typedef struct failure_tracer {
    cevm_trace base;
    cevm_fault_watch watch;
    fault step;    /* the instruction under way, and when it has failed what came of it, until its frame has ended */
    fault child;   /* of the callee that ended last in the frame that runs; is_set false when it did not fail */
    size_t since;  /* instructions of that frame after it */
    bool copied;   /* one of them was RETURNDATACOPY */
    frame *frames; /* by depth - 1 */
    size_t frame_capacity;
    frame *path; /* to where `child` went wrong, from the outermost */
    size_t path_capacity;
    size_t path_size;
} failure_tracer;

static void forget(failure_tracer *t, fault *f)
{
    cevm_trace_free(&t->base, f->output);
    *f = (fault){.is_set = false};
}

static void enter(void *ctx, const cevm_message *msg, uint32_t depth)
{
    failure_tracer *t = ctx;
    void *array = t->frames;
    cevm_fault_watch_enter(&t->watch);
    forget(t, &t->child);
    forget(t, &t->step);
    if (depth == 0 || depth > DEPTHS ||
        !cevm_trace_grow(&t->base, &array, &t->frame_capacity, depth - 1, sizeof *t->frames)) {
        return;
    }
    t->frames = array;
    frame *f = &t->frames[depth - 1];
    *f = (frame){.kind = msg->kind, .from = msg->sender, .to = msg->recipient, .code = msg->code_address};
    if (msg->kind != CEVM_CREATE && msg->kind != CEVM_CREATE2 && msg->input.size >= sizeof f->selector) {
        memcpy(f->selector, msg->input.data, sizeof f->selector);
        f->selector_size = sizeof f->selector;
    }
}

static void step(void *ctx, const cevm_step *s)
{
    failure_tracer *t = ctx;
    if (!cevm_trace_step(&t->base) || !cevm_fault_watch_step(&t->watch, s)) {
        return;
    }
    if (t->step.is_set) {
        forget(t, &t->step);
    }
    ++t->since;
    t->copied = t->copied || s->op == RETURNDATACOPY;
    fault *f = &t->step;
    f->has_step = true;
    f->depth = s->depth;
    f->pc = s->pc;
    f->gas = s->gas;
    (void)snprintf(f->op, sizeof f->op, "%s", s->op_name != NULL ? s->op_name : "INVALID");
    f->stack_size = s->stack_size < SHOWN_WORDS ? s->stack_size : SHOWN_WORDS;
    for (size_t i = 0; i < f->stack_size; ++i) {
        f->stack[i] = s->stack[s->stack_size - 1 - i];
    }
}

static void step_end(void *ctx, int64_t gas_cost, int status)
{
    failure_tracer *t = ctx;
    const bool failed = cevm_fault_watch_step_end(&t->watch, &gas_cost, status);
    t->step.gas_cost = gas_cost;
    t->step.is_set = failed || (status >= 0 && !cevm_status_is_success((cevm_status)status));
}

/* Remembers the calls that lead to the frame at `depth`. */
static void keep_path(failure_tracer *t, uint32_t depth)
{
    void *array = t->path;
    while (t->path_capacity < depth) {
        if (!cevm_trace_grow(&t->base, &array, &t->path_capacity, t->path_capacity, sizeof *t->path)) {
            return;
        }
        t->path = array;
    }
    if (depth > 0 && t->frames != NULL && depth <= t->frame_capacity) {
        memcpy(t->path, t->frames, depth * sizeof *t->path);
        t->path_size = depth;
    }
}

/* Whether a frame that reverted only handed on what its callee said. */
static bool hands_on(const failure_tracer *t, const cevm_result *result)
{
    if (!t->child.is_set || !cevm_status_is_revert(result->status) || result->output.size != t->child.output.size) {
        return false;
    }
    return result->output.size != 0 ? memcmp(result->output.data, t->child.output.data, result->output.size) == 0
                                    : t->copied && t->since <= NEAR_STEPS;
}

static void leave(void *ctx, const cevm_result *result, uint32_t depth)
{
    failure_tracer *t = ctx;
    const char *why = cevm_fault_watch_exit(&t->watch, result->status);
    if (cevm_status_is_success(result->status)) {
        forget(t, &t->child);
    } else if (!hands_on(t, result)) {
        const cevm_bytes output = cevm_trace_copy(&t->base, result->output);
        forget(t, &t->child);
        t->child = t->step;
        t->child.has_step = t->step.is_set && t->step.depth == depth;
        t->child.is_set = true;
        t->child.depth = depth;
        t->child.output = output;
        (void)snprintf(t->child.error, sizeof t->child.error, "%s",
                       why != NULL ? why : cevm_status_string(result->status));
        keep_path(t, depth);
    }
    t->step = (fault){.is_set = false};
    t->since = 0;
    t->copied = false;
}

/* ---- The answer --------------------------------------------------------------------------------------------------- */

static const char *kind_name(cevm_call_kind kind)
{
    static const char *const names[] = {"CALL", "CALLCODE", "DELEGATECALL", "STATICCALL", "CREATE", "CREATE2"};
    return (size_t)kind < sizeof names / sizeof names[0] ? names[kind] : "CALL";
}

static void put_calls(const failure_tracer *t)
{
    cevm_json_writer *w = t->base.out;
    cevm_json_put_key(w, "calls");
    cevm_json_begin_array(w);
    for (size_t i = 0; i < t->path_size; ++i) {
        const frame *f = &t->path[i];
        cevm_json_begin_object(w);
        cevm_json_put_key(w, "type");
        cevm_json_put_string(w, kind_name(f->kind));
        cevm_json_put_key(w, "from");
        cevm_json_put_address(w, &f->from);
        cevm_json_put_key(w, "to");
        cevm_json_put_address(w, f->kind == CEVM_CREATE || f->kind == CEVM_CREATE2 ? &f->to : &f->code);
        if (f->selector_size != 0) {
            cevm_json_put_key(w, "selector");
            cevm_json_put_data(w, (cevm_bytes){f->selector, f->selector_size});
        }
        cevm_json_end_object(w);
    }
    cevm_json_end_array(w);
}

static void put_step(const failure_tracer *t)
{
    cevm_json_writer *w = t->base.out;
    const fault *f = &t->child;
    cevm_json_put_key(w, "step");
    if (!f->has_step || t->path_size == 0) {
        cevm_json_put_null(w);
        return;
    }
    const frame *last = &t->path[t->path_size - 1];
    const bool creates = last->kind == CEVM_CREATE || last->kind == CEVM_CREATE2;
    cevm_json_begin_object(w);
    cevm_json_put_key(w, "address");
    cevm_json_put_address(w, creates ? &last->to : &last->code);
    cevm_json_put_key(w, "pc");
    cevm_json_put_number(w, f->pc);
    cevm_json_put_key(w, "op");
    cevm_json_put_string(w, f->op);
    cevm_json_put_key(w, "gas");
    cevm_json_put_signed(w, f->gas);
    cevm_json_put_key(w, "gasCost");
    cevm_json_put_signed(w, f->gas_cost);
    cevm_json_put_key(w, "depth");
    cevm_json_put_number(w, f->depth);
    cevm_json_put_key(w, "stack"); /* the top first */
    cevm_json_begin_array(w);
    for (size_t i = 0; i < f->stack_size; ++i) {
        cevm_json_put_quantity256(w, &f->stack[i]);
    }
    cevm_json_end_array(w);
    cevm_json_end_object(w);
}

static cevm_err finish(cevm_trace *base, const cevm_receipt *receipt)
{
    const failure_tracer *t = (failure_tracer *)base;
    cevm_json_writer *w = base->out;
    const bool failed = !cevm_status_is_success(receipt->status);
    cevm_json_begin_object(w);
    cevm_json_put_key(w, "failed");
    cevm_json_put_bool(w, failed);
    if (failed && t->child.is_set) {
        char reason[512];
        cevm_json_put_key(w, "error");
        cevm_json_put_string(w, t->child.error);
        if (t->child.output.size != 0 && cevm_revert_describe(reason, sizeof reason, t->child.output)) {
            cevm_json_put_key(w, "reason");
            cevm_json_put_string(w, reason);
        }
        cevm_json_put_key(w, "output");
        cevm_json_put_data(w, t->child.output);
        put_step(t);
        put_calls(t);
    }
    cevm_json_end_object(w);
    return CEVM_OK;
}

static cevm_err begin(cevm_trace *base, const cevm_tx *tx, const cevm_block_env *block)
{
    (void)tx;
    ((failure_tracer *)base)->watch.fork = block->fork;
    return CEVM_OK;
}

static void release(cevm_trace *base)
{
    failure_tracer *t = (failure_tracer *)base;
    forget(t, &t->child);
    forget(t, &t->step);
    cevm_free(base->allocator, t->frames);
    cevm_free(base->allocator, t->path);
}

cevm_err cevm_trace_make_failure(cevm_trace **out, cevm_trace_error *error, const cevm_trace_request *request)
{
    static const cevm_trace_ops ops = {.begin = begin, .finish = finish, .release = release};
    (void)error;
    failure_tracer *t = cevm_trace_new(sizeof *t, &ops, request);
    if (t == NULL) {
        return CEVM_ERR_NOMEM;
    }
    t->watch.fork = CEVM_LATEST;
    t->base.hooks.on_enter = enter;
    t->base.hooks.on_step = step;
    t->base.hooks.on_step_end = step_end;
    t->base.hooks.on_exit = leave;
    *out = &t->base;
    return CEVM_OK;
}
