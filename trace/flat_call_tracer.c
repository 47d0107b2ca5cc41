/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flatCallTracer: the calls and creations as a list, as Parity's trace module has them, in the shape of geth's. Its
 * options onlyTopCall and withLog are taken and mean nothing, as in geth. And the same list as Parity itself has it.
 */
#include <cevm/alloc.h>

#include "evm/opcodes.h"
#include "trace/call_tree.h"
#include "trace/parity.h"
#include "trace/parity_parts.h"

typedef struct flat_tracer {
    cevm_call_trace calls;
    bool parity_errors;
    bool precompiles; /* calls of precompiled contracts are shown too */
    bool is_parity;   /* not as geth has it */
    bool is_bare;     /* entries tell neither block nor transaction */
    bool is_open;     /* entries alone: the list around them is somebody else's */
    cevm_parity_list list;
    uint32_t *path; /* position among its siblings, by depth */
    size_t path_size, path_capacity;
} flat_tracer;

/*
 * A CALL or STATICCALL of a precompiled contract is left out, but not of the outermost frame; Parity shows it when it moves
 * value.
 */
static bool is_hidden(const flat_tracer *t, const cevm_call_frame *frame)
{
    return !t->precompiles && frame->is_precompile && frame->parent != CEVM_NO_FRAME &&
           (frame->type == OP_CALL || frame->type == OP_STATICCALL) &&
           (!t->is_parity || cevm_u256_is_zero(&frame->value));
}

/* ---- Errors in Parity's words ------------------------------------------------------------------------------------- */

typedef struct wording {
    const char *geth;
    const char *parity;
    bool prefix; /* whatever follows */
} wording;

static const wording wordings[] = {
    {"contract creation code storage out of gas", "Out of gas", false},
    {"out of gas", "Out of gas", false},
    {"gas uint64 overflow", "Out of gas", false},
    {"max code size exceeded", "Out of gas", false},
    {"invalid jump destination", "Bad jump destination", false},
    {"execution reverted", "Reverted", false},
    {"return data out of bounds", "Out of bounds", false},
    {"stack limit reached 1024 (1023)", "Out of stack", false},
    {"precompiled contract failed", "Built-in failed", false},
    {"invalid input length", "Built-in failed", false},
    {"out of gas:", "Out of gas", true},
    {"invalid opcode:", "Bad instruction", true},
    {"stack underflow", "Stack underflow", true},
};

static cevm_bytes in_parity(cevm_bytes error)
{
    for (size_t i = 0; i < sizeof wordings / sizeof wordings[0]; ++i) {
        size_t n = strlen(wordings[i].geth);
        bool fits = wordings[i].prefix ? error.size >= n : error.size == n;
        if (fits && memcmp(error.data, wordings[i].geth, n) == 0) {
            return (cevm_bytes){(const uint8_t *)wordings[i].parity, strlen(wordings[i].parity)};
        }
    }
    return error;
}

/* Parity's words by how the frame ended, where geth's text does not tell that; NULL elsewhere. */
static const char *parity_word(cevm_status status)
{
    static const struct {
        cevm_status status;
        const char *word;
    } words[] = {
        {CEVM_STATUS_STATIC_WRITE, "Mutable Call In Static Context"},
        {CEVM_STATUS_STACK_OVERFLOW, "Out of stack"},
        {CEVM_STATUS_CREATE_COLLISION, "Out of gas"},
        {CEVM_STATUS_CODE_PREFIX, "Invalid code"},
        {CEVM_STATUS_PRECOMPILE_FAILED, "Built-in failed"},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; ++i) {
        if (words[i].status == status) {
            return words[i].word;
        }
    }
    return NULL;
}

static cevm_bytes error_of(const flat_tracer *t, const cevm_call_frame *frame)
{
    const char *word = t->is_parity ? parity_word(frame->status) : NULL;
    if (word != NULL) {
        return (cevm_bytes){(const uint8_t *)word, strlen(word)};
    }
    return t->parity_errors ? in_parity(frame->error) : frame->error;
}

/* ---- Writing ------------------------------------------------------------------------------------------------------ */

static void put_lower(cevm_json_writer *w, const char *key, const char *name)
{
    char lower[16];
    size_t n = 0;
    for (; name[n] != '\0' && n < sizeof lower; ++n) {
        lower[n] = (char)(name[n] >= 'A' && name[n] <= 'Z' ? name[n] + ('a' - 'A') : name[n]);
    }
    cevm_json_put_key(w, key);
    cevm_json_put_string_n(w, lower, n);
}

static void put_address(cevm_json_writer *w, const char *key, const cevm_address *address)
{
    cevm_json_put_key(w, key);
    cevm_json_put_address(w, address);
}

static void put_value(cevm_json_writer *w, const char *key, const cevm_u256 *value)
{
    cevm_json_put_key(w, key);
    cevm_json_put_quantity256(w, value);
}

static void put_data(cevm_json_writer *w, const char *key, cevm_bytes data)
{
    cevm_json_put_key(w, key);
    cevm_json_put_data(w, data);
}

static void put_destruction(cevm_json_writer *w, const cevm_call_frame *frame)
{
    put_address(w, "address", &frame->from);
    put_value(w, "balance", &frame->value);
    put_address(w, "refundAddress", &frame->to);
}

static bool creates(const cevm_call_frame *frame) { return frame->type == OP_CREATE || frame->type == OP_CREATE2; }

static void put_action(cevm_json_writer *w, const cevm_call_frame *frame)
{
    cevm_json_put_key(w, "action");
    cevm_json_begin_object(w);
    if (frame->type == OP_SELFDESTRUCT) {
        put_destruction(w, frame);
        cevm_json_end_object(w);
        return;
    }
    put_lower(w, creates(frame) ? "creationMethod" : "callType", cevm_call_type_name(frame->type));
    put_address(w, "from", &frame->from);
    cevm_json_put_key(w, "gas");
    cevm_json_put_quantity(w, frame->gas);
    put_data(w, creates(frame) ? "init" : "input", frame->input);
    if (!creates(frame)) {
        put_address(w, "to", &frame->to);
    }
    put_value(w, "value", &frame->value); /* of a STATICCALL too */
    cevm_json_end_object(w);
}

/* A frame that reverted has output all the same; of any other failure nothing is left. */
static void put_result(cevm_json_writer *w, const cevm_call_frame *frame, bool is_parity)
{
    if (frame->type == OP_SELFDESTRUCT && is_parity) {
        cevm_json_put_key(w, "result");
        cevm_json_put_null(w);
    }
    if (frame->type == OP_SELFDESTRUCT || (frame->error.size != 0 && frame->status != CEVM_STATUS_REVERT)) {
        return;
    }
    cevm_json_put_key(w, "result");
    cevm_json_begin_object(w);
    if (creates(frame) && frame->has_to) {
        put_address(w, "address", &frame->to);
    }
    cevm_json_put_key(w, "gasUsed");
    cevm_json_put_quantity(w, frame->gas_used);
    put_data(w, creates(frame) ? "code" : "output", frame->output);
    cevm_json_end_object(w);
}

static uint32_t shown_children(const flat_tracer *t, const cevm_call_frame *frame)
{
    uint32_t count = 0;
    for (uint32_t i = frame->first_child; i != CEVM_NO_FRAME; i = t->calls.tree.frames[i].next_sibling) {
        count += is_hidden(t, &t->calls.tree.frames[i]) ? 0 : 1;
    }
    return count;
}

static void put_block(cevm_json_writer *w, const cevm_trace_context *context)
{
    cevm_json_put_key(w, "blockHash");
    if (context->has_block) {
        cevm_json_put_hash(w, &context->block_hash);
    } else {
        cevm_json_put_null(w);
    }
    cevm_json_put_key(w, "blockNumber");
    cevm_json_put_number(w, context->block_number);
}

static void put_transaction(cevm_json_writer *w, const cevm_trace_context *context)
{
    cevm_json_put_key(w, "transactionHash");
    if (context->has_tx) {
        cevm_json_put_hash(w, &context->tx_hash);
    } else {
        cevm_json_put_null(w);
    }
    cevm_json_put_key(w, "transactionPosition");
    cevm_json_put_number(w, context->tx_index);
}

static void put_frame(const flat_tracer *t, const cevm_call_frame *frame)
{
    cevm_json_writer *w = t->calls.base.out;
    cevm_json_begin_object(w);
    put_action(w, frame);
    if (!t->is_bare) {
        put_block(w, &t->calls.base.context);
    }
    if (frame->error.size != 0) {
        cevm_bytes error = error_of(t, frame);
        cevm_json_put_key(w, "error");
        cevm_json_put_string_n(w, (const char *)error.data, error.size);
    }
    put_result(w, frame, t->is_parity);
    cevm_json_put_key(w, "subtraces");
    cevm_json_put_number(w, shown_children(t, frame));
    cevm_json_put_key(w, "traceAddress");
    cevm_json_begin_array(w);
    for (size_t i = 0; i < t->path_size; ++i) {
        cevm_json_put_number(w, t->path[i]);
    }
    cevm_json_end_array(w);
    if (!t->is_bare) {
        put_transaction(w, &t->calls.base.context);
    }
    cevm_json_put_key(w, "type");
    cevm_json_put_string(w, frame->type == OP_SELFDESTRUCT ? "suicide" : creates(frame) ? "create" : "call");
    cevm_json_end_object(w);
}

static bool is_shown(const flat_tracer *t, const cevm_call_frame *frame)
{
    const cevm_parity_entry entry = {
        .from = &frame->from, .to = frame->has_to ? &frame->to : NULL, .path = t->path, .path_size = t->path_size};
    return !is_hidden(t, frame) && (t->list.wants == NULL || t->list.wants(t->list.user, &entry));
}

/* Goes down to the first frame below the one just written. */
static bool descend(flat_tracer *t)
{
    void *array = t->path;
    bool ok = cevm_trace_grow(&t->calls.base, &array, &t->path_capacity, t->path_size, sizeof t->path[0]);
    t->path = array;
    if (ok) {
        t->path[t->path_size++] = 0;
    }
    return ok;
}

/* Parity's outermost entry is a message as the others are: what gas it was given, and what of that it used. */
static bool settle(flat_tracer *t, const cevm_receipt *receipt)
{
    const cevm_call_tree *tree = &t->calls.tree;
    const uint64_t used = tree->frame_count != 0 ? tree->frames[0].gas_used : 0;
    if (!cevm_call_trace_settle(&t->calls, receipt)) {
        return false;
    }
    if (t->is_parity) {
        tree->frames[0].gas_used = used;
    }
    return true;
}

/* Where the next frame stands, from the one just passed to `i`. False: no memory for it, and the trace has failed. */
static bool move_path(flat_tracer *t, uint32_t before, uint32_t i, bool was_closing, bool closing)
{
    if (!was_closing && i != before) {
        return descend(t);
    }
    if (was_closing && closing) {
        t->path_size--;
    } else if (was_closing && !is_hidden(t, &t->calls.tree.frames[before])) {
        t->path[t->path_size - 1]++;
    }
    return true;
}

static void put_frames(flat_tracer *t)
{
    uint32_t i = 0;
    bool closing = false;
    bool more = true;
    while (more) {
        const cevm_call_frame *frame = &t->calls.tree.frames[i];
        if (!closing && is_shown(t, frame)) {
            put_frame(t, frame);
        }
        const bool was_closing = closing;
        const uint32_t before = i;
        more = cevm_trace_may_write(&t->calls.base) && cevm_call_tree_next(&t->calls.tree, &i, &closing) &&
               move_path(t, before, i, was_closing, closing);
    }
}

static cevm_err finish(cevm_trace *base, const cevm_receipt *receipt)
{
    flat_tracer *t = (flat_tracer *)base;
    if (!settle(t, receipt)) {
        return CEVM_ERR_ARGUMENT;
    }
    if (!t->is_open) {
        cevm_json_begin_array(base->out);
    }
    put_frames(t);
    if (!t->is_open) {
        cevm_json_end_array(base->out);
    }
    return base->failed;
}

static cevm_err begin(cevm_trace *base, const cevm_tx *tx, const cevm_block_env *block)
{
    flat_tracer *t = (flat_tracer *)base;
    cevm_err err = cevm_call_trace_begin(base, tx, block);
    if (t->is_parity) {
        t->calls.tree.gas_limit = 0; /* the message's instead of the transaction's */
    }
    return err;
}

static void release(cevm_trace *base)
{
    flat_tracer *t = (flat_tracer *)base;
    cevm_call_tree_release(&t->calls.tree);
    cevm_free(base->allocator, t->path);
}

static flat_tracer *make(const cevm_trace_request *request)
{
    static const cevm_trace_ops ops = {.begin = begin, .finish = finish, .release = release};
    flat_tracer *t = cevm_trace_new(sizeof *t, &ops, request);
    if (t != NULL) {
        cevm_call_trace_init(&t->calls, &(cevm_call_tree_options){0});
    }
    return t;
}

cevm_err cevm_trace_make_flat_call(cevm_trace **out, cevm_trace_error *error, const cevm_trace_request *request)
{
    bool parity_errors = false;
    bool precompiles = false;
    bool ignored = false;
    if (!cevm_trace_option_bool(&parity_errors, error, request->config, "convertParityErrors") ||
        !cevm_trace_option_bool(&precompiles, error, request->config, "includePrecompiles") ||
        !cevm_trace_option_bool(&ignored, error, request->config, "onlyTopCall") ||
        !cevm_trace_option_bool(&ignored, error, request->config, "withLog")) {
        return CEVM_ERR_ARGUMENT;
    }
    flat_tracer *t = make(request);
    if (t == NULL) {
        return CEVM_ERR_NOMEM;
    }
    t->parity_errors = parity_errors;
    t->precompiles = precompiles;
    *out = &t->calls.base;
    return CEVM_OK;
}

/* ---- As Parity has it ---------------------------------------------------------------------------------------------- */

static cevm_err make_parity(flat_tracer **out, const cevm_trace_request *request)
{
    *out = make(request);
    if (*out == NULL) {
        return CEVM_ERR_NOMEM;
    }
    (*out)->is_parity = true;
    (*out)->parity_errors = true;
    return CEVM_OK;
}

cevm_err cevm_trace_make_parity_flat(cevm_trace **out, const cevm_trace_request *request)
{
    flat_tracer *t = NULL;
    cevm_err err = make_parity(&t, request);
    if (err == CEVM_OK) {
        t->is_bare = true;
        *out = &t->calls.base;
    }
    return err;
}

cevm_err cevm_parity_list_create(cevm_trace **out, const cevm_trace_request *request, const cevm_parity_list *list)
{
    flat_tracer *t = NULL;
    cevm_err err = make_parity(&t, request);
    *out = NULL;
    if (err == CEVM_OK) {
        t->is_open = true;
        t->list = *list;
        *out = &t->calls.base;
    }
    return err;
}

void cevm_parity_put_reward(cevm_json_writer *w, const cevm_trace_context *context, const cevm_parity_reward *reward)
{
    cevm_json_begin_object(w);
    cevm_json_put_key(w, "action");
    cevm_json_begin_object(w);
    put_address(w, "author", &reward->author);
    cevm_json_put_key(w, "rewardType");
    cevm_json_put_string(w, reward->type);
    put_value(w, "value", &reward->value);
    cevm_json_end_object(w);
    put_block(w, context);
    cevm_json_put_key(w, "result");
    cevm_json_put_null(w);
    cevm_json_put_key(w, "subtraces");
    cevm_json_put_number(w, 0);
    cevm_json_put_key(w, "traceAddress");
    cevm_json_begin_array(w);
    cevm_json_end_array(w);
    cevm_json_put_key(w, "transactionHash");
    cevm_json_put_null(w);
    cevm_json_put_key(w, "transactionPosition");
    cevm_json_put_null(w);
    cevm_json_put_key(w, "type");
    cevm_json_put_string(w, "reward");
    cevm_json_end_object(w);
}
