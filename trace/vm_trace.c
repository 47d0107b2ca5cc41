/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The "vmTrace" of Parity's trace module: {"code", "ops": [{"pc", "cost", "ex", "sub"}]}. "ex" is what an instruction did,
 * null when it failed: the gas then left ("used"), the words it put on the stack ("push"), the memory ("mem") and the slot
 * ("store") it wrote. "sub" is the same of the frame it began. What an instruction did is seen when the next one of its
 * frame begins; so everything is written as it comes, and only the open frames are kept.
 */
#include <cevm/alloc.h>

#include "evm/opcodes.h"
#include "trace/parity_parts.h"

/* An instruction whose entry is open. */
typedef struct open_op {
    bool is_open;
    bool has_sub;
    uint8_t op;
    bool stores;
    cevm_u256 key, value;          /* of the slot */
    uint64_t mem_offset, mem_size; /* of what it writes; size 0: nothing */
    int64_t gas;                   /* before it; once it is paid, after it */
    bool is_paid;
} open_op;

typedef struct vm_trace {
    cevm_trace base;
    bool has_begun;
    open_op *frames; /* by depth */
    size_t frame_count, frame_capacity;
} vm_trace;

bool cevm_trace_vm_has_begun(const cevm_trace *base) { return ((const vm_trace *)base)->has_begun; }

/* ---- What an instruction will write -------------------------------------------------------------------------------- */

/* Where on the stack, from the top, an opcode has offset and size of the memory it writes; NONE for a size that is fixed. */
typedef struct mem_operands {
    uint8_t offset, size;
    uint8_t fixed;
} mem_operands;

enum { NONE = 0xff };

static bool writes_memory(mem_operands *out, uint8_t op)
{
    switch (op) {
    case OP_MLOAD: /* for Parity it may make memory longer */
    case OP_MSTORE: *out = (mem_operands){0, NONE, 32}; return true;
    case OP_MSTORE8: *out = (mem_operands){0, NONE, 1}; return true;
    case OP_CALLDATACOPY:
    case OP_CODECOPY:
    case OP_RETURNDATACOPY:
    case OP_MCOPY: *out = (mem_operands){0, 2, 0}; return true;
    case OP_EXTCODECOPY: *out = (mem_operands){1, 3, 0}; return true;
    case OP_CALL:
    case OP_CALLCODE: *out = (mem_operands){5, 6, 0}; return true;
    case OP_DELEGATECALL:
    case OP_STATICCALL: *out = (mem_operands){4, 5, 0}; return true;
    default: return false;
    }
}

static void note_memory(open_op *o, const cevm_step *step)
{
    mem_operands where;
    if (!writes_memory(&where, step->op) || where.offset >= step->stack_size ||
        (where.size != NONE && where.size >= step->stack_size)) {
        return;
    }
    const cevm_u256 *top = step->stack + step->stack_size - 1;
    const cevm_u256 *offset = top - where.offset;
    const cevm_u256 size = where.size != NONE ? *(top - where.size) : cevm_u256_from_u64(where.fixed);
    if (cevm_u256_fits_u64(offset) && cevm_u256_fits_u64(&size)) { /* others cannot be paid for */
        o->mem_offset = offset->w[0];
        o->mem_size = size.w[0];
    }
}

static void note_operands(open_op *o, const cevm_step *step)
{
    note_memory(o, step);
    o->stores = step->op == OP_SSTORE && step->stack_size >= 2;
    if (o->stores) {
        o->key = step->stack[step->stack_size - 1];
        o->value = step->stack[step->stack_size - 2];
    }
}

/* ---- Writing ------------------------------------------------------------------------------------------------------ */

static void put_memory(cevm_json_writer *w, const open_op *o, const cevm_step *after)
{
    cevm_json_put_key(w, "mem");
    if (after == NULL || o->mem_size == 0 || o->mem_size > after->memory.size ||
        o->mem_offset > after->memory.size - o->mem_size) {
        cevm_json_put_null(w);
        return;
    }
    cevm_json_begin_object(w);
    cevm_json_put_key(w, "data");
    cevm_json_put_data(w, (cevm_bytes){after->memory.data + o->mem_offset, (size_t)o->mem_size});
    cevm_json_put_key(w, "off");
    cevm_json_put_number(w, o->mem_offset);
    cevm_json_end_object(w);
}

/* The words that are new on the stack, the topmost last; DUP and SWAP show all down to the one they touch. */
static void put_pushed(const vm_trace *t, const open_op *o, const cevm_step *after)
{
    cevm_json_writer *w = t->base.out;
    size_t count = after != NULL ? cevm_op_tables[t->base.fork][o->op].out : 0;
    cevm_json_put_key(w, "push");
    cevm_json_begin_array(w);
    for (size_t i = count <= (after != NULL ? after->stack_size : 0) ? count : 0; i > 0; --i) {
        cevm_json_put_quantity256(w, &after->stack[after->stack_size - i]);
    }
    cevm_json_end_array(w);
}

static void put_store(cevm_json_writer *w, const open_op *o)
{
    cevm_json_put_key(w, "store");
    if (!o->stores) {
        cevm_json_put_null(w);
        return;
    }
    cevm_json_begin_object(w);
    cevm_json_put_key(w, "key");
    cevm_json_put_quantity256(w, &o->key);
    cevm_json_put_key(w, "val");
    cevm_json_put_quantity256(w, &o->value);
    cevm_json_end_object(w);
}

static void end_op(vm_trace *t, open_op *o)
{
    cevm_json_writer *w = t->base.out;
    if (!o->has_sub) {
        cevm_json_put_key(w, "sub");
        cevm_json_put_null(w);
    }
    cevm_json_end_object(w);
    o->is_open = false;
    (void)cevm_trace_may_write(&t->base);
}

/* Ends the entry of an instruction that did its work; `after`: what the next one finds, NULL when it ended its frame. */
static void end_done(vm_trace *t, open_op *o, const cevm_step *after, int64_t gas_left)
{
    cevm_json_writer *w = t->base.out;
    cevm_json_put_key(w, "ex");
    cevm_json_begin_object(w);
    put_memory(w, o, after);
    put_pushed(t, o, after);
    put_store(w, o);
    cevm_json_put_key(w, "used");
    cevm_json_put_signed(w, gas_left);
    cevm_json_end_object(w);
    end_op(t, o);
}

static void end_failed(vm_trace *t, open_op *o)
{
    cevm_json_put_key(t->base.out, "ex");
    cevm_json_put_null(t->base.out);
    end_op(t, o);
}

/* ---- Hooks -------------------------------------------------------------------------------------------------------- */

static open_op *innermost(const vm_trace *t) { return t->frame_count != 0 ? &t->frames[t->frame_count - 1] : NULL; }

static void on_enter(void *ctx, const cevm_message *msg, uint32_t depth)
{
    vm_trace *t = ctx;
    cevm_json_writer *w = t->base.out;
    void *array = t->frames;
    open_op *caller = innermost(t);
    bool creates = msg->kind == CEVM_CREATE || msg->kind == CEVM_CREATE2;
    (void)depth;
    if (t->base.failed != CEVM_OK) {
        return;
    }
    if (caller != NULL && caller->is_open) {
        caller->has_sub = true;
        cevm_json_put_key(w, "sub");
    }
    bool ok = cevm_trace_grow(&t->base, &array, &t->frame_capacity, t->frame_count, sizeof t->frames[0]);
    t->frames = array;
    if (!ok) {
        return;
    }
    t->has_begun = true;
    t->frames[t->frame_count++] = (open_op){.is_open = false};
    cevm_json_begin_object(w);
    cevm_json_put_key(w, "code");
    cevm_json_put_data(w, creates ? msg->input : cevm_trace_code(&t->base, &msg->code_address));
    cevm_json_put_key(w, "ops");
    cevm_json_begin_array(w);
}

static void on_leave(void *ctx, const cevm_result *result, uint32_t depth)
{
    vm_trace *t = ctx;
    open_op *o = innermost(t);
    (void)result;
    (void)depth;
    if (t->base.failed != CEVM_OK || o == NULL) {
        return;
    }
    if (o->is_open && o->is_paid) { /* STOP, RETURN, SELFDESTRUCT */
        end_done(t, o, NULL, o->gas);
    } else if (o->is_open) {
        end_failed(t, o);
    }
    cevm_json_end_array(t->base.out);
    cevm_json_end_object(t->base.out);
    t->frame_count--;
}

static void on_step(void *ctx, const cevm_step *step)
{
    vm_trace *t = ctx;
    open_op *o = innermost(t);
    if (!cevm_trace_step(&t->base) || o == NULL) {
        return;
    }
    if (o->is_open) {
        end_done(t, o, step, step->gas);
    }
    if (step->pc >= step->code.size) { /* the STOP behind the code is not in it */
        return;
    }
    *o = (open_op){.is_open = true, .op = step->op, .gas = step->gas};
    note_operands(o, step);
    cevm_json_begin_object(t->base.out);
    cevm_json_put_key(t->base.out, "pc");
    cevm_json_put_number(t->base.out, step->pc);
}

static void on_step_end(void *ctx, int64_t gas_cost, int status)
{
    vm_trace *t = ctx;
    open_op *o = innermost(t);
    if (t->base.failed != CEVM_OK || o == NULL || !o->is_open) {
        return;
    }
    cevm_json_put_key(t->base.out, "cost");
    cevm_json_put_signed(t->base.out, gas_cost);
    o->gas -= gas_cost;
    o->is_paid = true;
    if (status == CEVM_STATUS_REVERT) {
        end_done(t, o, NULL, o->gas);
    } else if (status >= 0) {
        end_failed(t, o);
    }
}

/* ---- The whole ---------------------------------------------------------------------------------------------------- */

static cevm_err finish(cevm_trace *base, const cevm_receipt *receipt)
{
    vm_trace *t = (vm_trace *)base;
    (void)receipt;
    if (!t->has_begun) { /* no frame has: nothing was executed */
        cevm_json_put_null(base->out);
    }
    return base->failed;
}

static void release(cevm_trace *base) { cevm_free(base->allocator, ((vm_trace *)base)->frames); }

cevm_err cevm_trace_make_vm(cevm_trace **out, const cevm_trace_request *request)
{
    static const cevm_trace_ops ops = {.finish = finish, .release = release};
    vm_trace *t = cevm_trace_new(sizeof *t, &ops, request);
    if (t == NULL) {
        return CEVM_ERR_NOMEM;
    }
    t->base.hooks.on_enter = on_enter;
    t->base.hooks.on_exit = on_leave;
    t->base.hooks.on_step = on_step;
    t->base.hooks.on_step_end = on_step_end;
    *out = &t->base;
    return CEVM_OK;
}
