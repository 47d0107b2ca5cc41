/* SPDX-License-Identifier: Apache-2.0 */
/* The frames of a transaction as a tree. */
#include "trace/call_tree.h"

#include <cevm/alloc.h>
#include <cevm/precompile.h>

#include "evm/opcodes.h"
#include "trace/revert_reason.h"

void cevm_call_tree_release(cevm_call_tree *tree)
{
    for (size_t i = 0; i < tree->frame_count; ++i) {
        cevm_trace_free(tree->trace, tree->frames[i].input);
        cevm_trace_free(tree->trace, tree->frames[i].output);
        cevm_trace_free(tree->trace, tree->frames[i].error);
    }
    for (size_t i = 0; i < tree->log_count; ++i) {
        cevm_trace_free(tree->trace, tree->logs[i].data);
    }
    cevm_free(tree->trace->allocator, tree->frames);
    cevm_free(tree->trace->allocator, tree->logs);
}

/* A new frame below `current`, zeroed but for its links; NULL when there is no memory for it (the trace has failed). */
static cevm_call_frame *add_frame(cevm_call_tree *tree, uint8_t type)
{
    void *array = tree->frames;
    bool ok = tree->trace->failed == CEVM_OK &&
              cevm_trace_grow(tree->trace, &array, &tree->frame_capacity, tree->frame_count, sizeof tree->frames[0]);
    tree->frames = array;
    if (!ok) {
        return NULL;
    }
    uint32_t index = (uint32_t)tree->frame_count++;
    cevm_call_frame *frame = &tree->frames[index];
    *frame = (cevm_call_frame){.type = type,
                               .parent = tree->current,
                               .first_child = CEVM_NO_FRAME,
                               .last_child = CEVM_NO_FRAME,
                               .next_sibling = CEVM_NO_FRAME,
                               .first_log = CEVM_NO_FRAME,
                               .last_log = CEVM_NO_FRAME};
    if (tree->current != CEVM_NO_FRAME) {
        cevm_call_frame *parent = &tree->frames[tree->current];
        if (parent->last_child != CEVM_NO_FRAME) {
            tree->frames[parent->last_child].next_sibling = index;
        } else {
            parent->first_child = index;
        }
        parent->last_child = index;
        parent->child_count++;
    }
    return frame;
}

static uint8_t type_of(cevm_call_kind kind)
{
    static const uint8_t types[] = {[CEVM_CALL] = OP_CALL,
                                    [CEVM_CALLCODE] = OP_CALLCODE,
                                    [CEVM_DELEGATECALL] = OP_DELEGATECALL,
                                    [CEVM_STATICCALL] = OP_STATICCALL,
                                    [CEVM_CREATE] = OP_CREATE,
                                    [CEVM_CREATE2] = OP_CREATE2};
    return types[kind];
}

const char *cevm_call_type_name(uint8_t type)
{
    return type == OP_SELFDESTRUCT ? "SELFDESTRUCT" : cevm_opcode_name(CEVM_LATEST, type);
}

/*
 * From whom to whom, as geth has it: code that runs in the account of another is called by that account. The message tells
 * where a delegated account's code is (EIP-7702), so what was called is read from the stack.
 */
static void set_ends(cevm_call_frame *frame, const cevm_call_tree *tree, const cevm_message *msg)
{
    frame->from = msg->sender;
    frame->to = msg->recipient;
    if (msg->kind == CEVM_DELEGATECALL || msg->kind == CEVM_CALLCODE) {
        const cevm_u256 *target = cevm_fault_watch_operand(&tree->watch, 1);
        frame->from = msg->recipient;
        frame->to = target != NULL ? cevm_address_from_u256(target) : msg->code_address;
    }
}

static void enter(cevm_call_tree *tree, const cevm_message *msg, uint32_t depth)
{
    cevm_fault_watch_enter(&tree->watch);
    if (tree->hidden != 0 || (tree->options.only_top && depth > 1)) {
        tree->hidden++;
        return;
    }
    cevm_call_frame *frame = add_frame(tree, type_of(msg->kind));
    if (frame == NULL) {
        tree->hidden++;
        return;
    }
    set_ends(frame, tree, msg);
    frame->has_to = true;
    frame->has_value = msg->kind != CEVM_STATICCALL;
    frame->value = msg->value;
    frame->gas = depth == 1 && tree->gas_limit != 0 ? tree->gas_limit : (uint64_t)msg->gas;
    frame->gas_used = (uint64_t)msg->gas; /* until it ends */
    frame->is_precompile = frame->type != OP_CREATE && frame->type != OP_CREATE2 && !msg->disable_precompiles &&
                           cevm_precompile_find(&frame->to, tree->watch.fork) != NULL;
    tree->current = (uint32_t)(frame - tree->frames);
    cevm_bytes input = cevm_trace_copy(tree->trace, msg->input);
    tree->frames[tree->current].input = input;
}

static void end_frame(cevm_call_tree *tree, cevm_call_frame *frame, const cevm_result *result)
{
    const char *error = cevm_fault_watch_exit(&tree->watch, result->status);
    if (error != NULL && frame->is_precompile && result->status == CEVM_STATUS_PRECOMPILE_FAILED) {
        error = cevm_precompile_fault(&frame->to, frame->input.size);
    }
    uint64_t left = (uint64_t)result->gas.left;
    frame->gas_used = frame->gas_used > left ? frame->gas_used - left : 0;
    frame->status = result->status;
    if (error != NULL) {
        frame->error = cevm_trace_copy(tree->trace, (cevm_bytes){(const uint8_t *)error, strlen(error)});
        frame->has_to = frame->type != OP_CREATE && frame->type != OP_CREATE2;
    }
    if (error == NULL || result->status == CEVM_STATUS_REVERT) {
        frame->output = cevm_trace_copy(tree->trace, result->output);
    }
}

static void leave(cevm_call_tree *tree, const cevm_result *result)
{
    if (tree->hidden != 0) {
        tree->hidden--;
    } else if (tree->current != CEVM_NO_FRAME) {
        cevm_call_frame *frame = &tree->frames[tree->current];
        end_frame(tree, frame, result);
        tree->current = frame->parent;
    }
    cevm_fault_watch_enter(&tree->watch); /* the failure was that frame's alone */
}

void cevm_call_tree_step(cevm_call_tree *tree, const cevm_step *step)
{
    if (!cevm_fault_watch_step(&tree->watch, step)) {
        return;
    }
    tree->destroys =
        step->op == OP_SELFDESTRUCT && step->stack_size != 0 && tree->hidden == 0 && !tree->options.only_top;
    if (tree->destroys) { /* what it will move, while it can still be seen */
        tree->heir = cevm_address_from_u256(&step->stack[step->stack_size - 1]);
        tree->estate = cevm_trace_account(tree->trace, step->address).balance;
    }
}

static void step_end(cevm_call_tree *tree, int64_t gas_cost, int status)
{
    bool fails = cevm_fault_watch_step_end(&tree->watch, &gas_cost, status);
    if (tree->destroys && !fails) {
        cevm_call_frame *frame = add_frame(tree, OP_SELFDESTRUCT);
        if (frame != NULL) {
            frame->from = tree->watch.address;
            frame->to = tree->heir;
            frame->has_to = true;
            frame->value = tree->estate;
            frame->has_value = true;
        }
    }
    tree->destroys = false;
}

static void add_log(cevm_call_tree *tree, const cevm_log *log)
{
    if (!tree->options.logs || tree->hidden != 0 || tree->current == CEVM_NO_FRAME) {
        return;
    }
    void *array = tree->logs;
    bool ok = cevm_trace_grow(tree->trace, &array, &tree->log_capacity, tree->log_count, sizeof tree->logs[0]);
    tree->logs = array;
    if (!ok) {
        return;
    }
    size_t written = 0; /* logs of the transaction that stand, this one included */
    (void)cevm_state_logs(tree->trace->state, &written);
    cevm_call_frame *frame = &tree->frames[tree->current];
    cevm_call_log *kept = &tree->logs[tree->log_count];
    *kept = (cevm_call_log){.address = log->address,
                            .topic_count = log->topic_count,
                            .data = cevm_trace_copy(tree->trace, log->data),
                            .index = tree->trace->context.log_index + (written != 0 ? written - 1 : 0),
                            .position = frame->child_count,
                            .next = CEVM_NO_FRAME};
    memcpy(kept->topics, log->topics, sizeof kept->topics);
    uint32_t index = (uint32_t)tree->log_count++;
    if (frame->last_log != CEVM_NO_FRAME) {
        tree->logs[frame->last_log].next = index;
    } else {
        frame->first_log = index;
    }
    frame->last_log = index;
}

/* ---- As a tracer -------------------------------------------------------------------------------------------------- */

static void on_enter(void *ctx, const cevm_message *msg, uint32_t depth)
{
    enter(&((cevm_call_trace *)ctx)->tree, msg, depth);
}

static void on_leave(void *ctx, const cevm_result *result, uint32_t depth)
{
    (void)depth;
    leave(&((cevm_call_trace *)ctx)->tree, result);
}

static void on_step(void *ctx, const cevm_step *step)
{
    cevm_call_trace *t = ctx;
    if (cevm_trace_step(&t->base)) {
        cevm_call_tree_step(&t->tree, step);
    }
}

static void on_step_end(void *ctx, int64_t gas_cost, int status)
{
    step_end(&((cevm_call_trace *)ctx)->tree, gas_cost, status);
}

static void on_log(void *ctx, const cevm_log *log) { add_log(&((cevm_call_trace *)ctx)->tree, log); }

void cevm_call_trace_init(cevm_call_trace *t, const cevm_call_tree_options *options)
{
    t->tree.trace = &t->base;
    t->tree.options = *options;
    t->tree.watch.fork = CEVM_LATEST;
    t->tree.current = CEVM_NO_FRAME;
    t->base.hooks.on_enter = on_enter;
    t->base.hooks.on_exit = on_leave;
    t->base.hooks.on_step = on_step;
    t->base.hooks.on_step_end = on_step_end;
    t->base.hooks.on_log = options->logs ? on_log : NULL;
}

cevm_err cevm_call_trace_begin(cevm_trace *base, const cevm_tx *tx, const cevm_block_env *block)
{
    cevm_call_trace *t = (cevm_call_trace *)base;
    t->tree.gas_limit = tx->gas_limit;
    t->tree.watch.fork = block->fork;
    return CEVM_OK;
}

bool cevm_call_trace_settle(cevm_call_trace *t, const cevm_receipt *receipt)
{
    cevm_call_tree *tree = &t->tree;
    if (tree->frame_count == 0) {
        return false;
    }
    tree->frames[0].gas_used = receipt->gas_used;
    for (size_t i = 0; i < tree->frame_count; ++i) {
        cevm_call_frame *frame = &tree->frames[i];
        frame->is_lost =
            frame->error.size != 0 || (frame->parent != CEVM_NO_FRAME && tree->frames[frame->parent].is_lost);
    }
    return true;
}

/* ---- Writing ------------------------------------------------------------------------------------------------------ */

bool cevm_call_tree_next(const cevm_call_tree *tree, uint32_t *i, bool *closing)
{
    const cevm_call_frame *frame = &tree->frames[*i];
    if (!*closing) {
        if (frame->first_child != CEVM_NO_FRAME) {
            *i = frame->first_child;
        } else {
            *closing = true;
        }
        return true;
    }
    if (frame->next_sibling != CEVM_NO_FRAME) {
        *i = frame->next_sibling;
        *closing = false;
        return true;
    }
    *i = frame->parent;
    return frame->parent != CEVM_NO_FRAME;
}

static void put_text(cevm_json_writer *w, const char *key, cevm_bytes text)
{
    cevm_json_put_key(w, key);
    cevm_json_put_string_n(w, (const char *)text.data, text.size);
}

void cevm_call_put_members(cevm_json_writer *w, const cevm_call_frame *frame)
{
    cevm_json_put_key(w, "from");
    cevm_json_put_address(w, &frame->from);
    cevm_json_put_key(w, "gas");
    cevm_json_put_quantity(w, frame->gas);
    cevm_json_put_key(w, "gasUsed");
    cevm_json_put_quantity(w, frame->gas_used);
    if (frame->has_to) {
        cevm_json_put_key(w, "to");
        cevm_json_put_address(w, &frame->to);
    }
    cevm_json_put_key(w, "input");
    cevm_json_put_data(w, frame->input);
    if (frame->output.size != 0) {
        cevm_json_put_key(w, "output");
        cevm_json_put_data(w, frame->output);
    }
    if (frame->error.size != 0) {
        char scratch[CEVM_REVERT_REASON_SIZE];
        cevm_bytes reason;
        put_text(w, "error", frame->error);
        if (cevm_revert_reason(&reason, scratch, frame->output) && reason.size != 0) {
            put_text(w, "revertReason", reason);
        }
    }
    if (frame->has_value) {
        cevm_json_put_key(w, "value");
        cevm_json_put_quantity256(w, &frame->value);
    }
}

void cevm_call_put_logs(cevm_json_writer *w, const cevm_call_tree *tree, const cevm_call_frame *frame)
{
    if (frame->first_log == CEVM_NO_FRAME || frame->is_lost) {
        return;
    }
    cevm_json_put_key(w, "logs");
    cevm_json_begin_array(w);
    for (uint32_t i = frame->first_log; i != CEVM_NO_FRAME; i = tree->logs[i].next) {
        const cevm_call_log *log = &tree->logs[i];
        cevm_json_begin_object(w);
        cevm_json_put_key(w, "address");
        cevm_json_put_address(w, &log->address);
        cevm_json_put_key(w, "topics");
        cevm_json_begin_array(w);
        for (uint32_t k = 0; k < log->topic_count; ++k) {
            cevm_json_put_hash(w, &log->topics[k]);
        }
        cevm_json_end_array(w);
        cevm_json_put_key(w, "data");
        cevm_json_put_data(w, log->data);
        cevm_json_put_key(w, "index");
        cevm_json_put_quantity(w, log->index);
        cevm_json_put_key(w, "position");
        cevm_json_put_quantity(w, log->position);
        cevm_json_end_object(w);
    }
    cevm_json_end_array(w);
}
