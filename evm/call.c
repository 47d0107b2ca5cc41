/* SPDX-License-Identifier: Apache-2.0 */
/* How a message begins and how a frame ends: checkpoints, value, precompiles, and the way results go back. */
#include "evm/code_cache.h"
#include "evm/create.h"
#include "evm/frame.h"

#include <cevm/precompile.h>

static inline bool is_create(cevm_call_kind kind) { return kind == CEVM_CREATE || kind == CEVM_CREATE2; }

static int give_up(cevm_vm *vm, cevm_err err)
{
    vm->err = err;
    return OP_ERROR;
}

/** A tracer is told the address of CREATE, which is otherwise derived only when the creation may begin. */
static cevm_err trace_enter(cevm_vm *vm, cevm_message *msg, size_t depth)
{
    cevm_account_info sender;
    if (vm->tracer == NULL || vm->tracer->on_enter == NULL) {
        return CEVM_OK;
    }
    if (msg->kind == CEVM_CREATE && vm->depth != 0) {
        const cevm_err err = vm->host.vtable->load_account(vm->host.ctx, &sender, &msg->sender, false);
        if (err != CEVM_OK) {
            return err;
        }
        cevm_create_address(&msg->recipient, &msg->sender, sender.nonce);
    }
    vm->tracer->on_enter(vm->tracer->ctx, msg, (uint32_t)depth);
    return CEVM_OK;
}

static void trace_exit(const cevm_vm *vm, int status, int64_t gas, size_t depth)
{
    if (vm->tracer != NULL && vm->tracer->on_exit != NULL) {
        const cevm_result result = {.status = (cevm_status)status,
                                    .gas = {.left = gas, .refund = vm->refund},
                                    .output = {vm->output.data, vm->output.size}};
        vm->tracer->on_exit(vm->tracer->ctx, &result, (uint32_t)depth);
    }
}

/**
 * Gives what came of a message to the frame that sent it: gas, a word on its stack, output into its memory. At top level
 * there is no such frame and the result stays in vm->output.
 */
static void deliver(cevm_vm *vm, cevm_call_kind kind, int status, int64_t gas, const cevm_address *created,
                    uint64_t output_offset, uint64_t output_size)
{
    if (vm->depth == 0) {
        return;
    }
    cevm_frame *caller = vm->frames[vm->depth - 1];
    const bool success = cevm_status_is_success((cevm_status)status);
    caller->gas += gas;
    if (is_create(kind)) {
        *caller->top = success ? cevm_u256_from_address(created) : cevm_u256_from_u64(0);
        if (success) {
            vm->output.size = 0; /* EIP-211: a creation leaves return data only when it reverts */
        }
        return;
    }
    *caller->top = cevm_u256_from_u64(success);
    const size_t n = vm->output.size < output_size ? vm->output.size : (size_t)output_size;
    if (n != 0) {
        memcpy(caller->memory + output_offset, vm->output.data, n);
    }
}

/** Ends a message that got no frame. */
static int deliver_at_once(cevm_vm *vm, int status, int64_t gas)
{
    const cevm_pending *p = &vm->pending;
    if (cevm_status_is_halt((cevm_status)status)) {
        gas = 0;
    }
    if (!cevm_status_is_success((cevm_status)status) && status != CEVM_STATUS_REVERT) {
        vm->output.size = 0;
    }
    trace_exit(vm, status, gas, vm->depth + 1);
    deliver(vm, p->msg.kind, status, gas, &p->msg.recipient, p->output_offset, p->output_size);
    vm->pending.msg.gas = gas; /* the top level reads it from here */
    return status;
}

/** Runs a precompiled contract: a status with *gas what is left, or OP_ERROR. */
static int run_precompile(cevm_vm *vm, const cevm_precompile *contract, int64_t *gas)
{
    const cevm_message *msg = &vm->pending.msg;
    const cevm_precompile_cost cost = contract->cost(msg->input, vm->fork);
    if (cost.gas > (uint64_t)*gas) {
        return CEVM_STATUS_OUT_OF_GAS;
    }
    if (cost.output_size > vm->memory_limit || cost.scratch_size > vm->memory_limit) {
        return give_up(vm, CEVM_ERR_LIMIT);
    }
    if (!cevm_buffer_reserve(vm, &vm->output, cost.output_size) ||
        !cevm_buffer_reserve(vm, &vm->scratch, cost.scratch_size)) {
        return give_up(vm, CEVM_ERR_NOMEM);
    }
    size_t size = 0;
    switch (contract->run(vm->output.data, &size, msg->input, vm->fork, vm->scratch.data)) {
    case CEVM_PRECOMPILE_OK: break;
    case CEVM_PRECOMPILE_FAIL: return CEVM_STATUS_PRECOMPILE_FAILED;
    case CEVM_PRECOMPILE_NOT_BUILT: return give_up(vm, CEVM_ERR_NOT_BUILT);
    case CEVM_PRECOMPILE_NOMEM:
    default: return give_up(vm, CEVM_ERR_NOMEM);
    }
    vm->output.size = size;
    *gas -= (int64_t)cost.gas;
    return CEVM_STATUS_RETURN;
}

/** Whether the sender can pay the value: OP_NEXT, INSUFFICIENT_BALANCE or OP_ERROR. */
static int check_balance(cevm_vm *vm, cevm_account_info *sender)
{
    const cevm_message *msg = &vm->pending.msg;
    const cevm_err err = vm->host.vtable->load_account(vm->host.ctx, sender, &msg->sender, false);
    if (err != CEVM_OK) {
        return give_up(vm, err);
    }
    return u256_lt(&sender->balance, &msg->value) ? CEVM_STATUS_INSUFFICIENT_BALANCE : OP_NEXT;
}

/** What must hold before a call begins: depth and balance. */
static int check_call(cevm_vm *vm)
{
    const cevm_message *msg = &vm->pending.msg;
    cevm_account_info sender;
    if (vm->depth > CEVM_MAX_CALL_DEPTH) {
        return CEVM_STATUS_CALL_DEPTH;
    }
    const bool moves_value = (msg->kind == CEVM_CALL || msg->kind == CEVM_CALLCODE) && !cevm_u256_is_zero(&msg->value);
    return moves_value ? check_balance(vm, &sender) : OP_NEXT;
}

/**
 * What must hold before a creation begins: depth, balance, nonce (EIP-2681); then, below top level, the creator's nonce
 * is bumped and the address derived. The new address is warm even if the creation then fails (EIP-2929).
 */
static int check_create(cevm_vm *vm)
{
    cevm_message *msg = &vm->pending.msg;
    cevm_account_info sender;
    if (vm->depth > CEVM_MAX_CALL_DEPTH) {
        return CEVM_STATUS_CALL_DEPTH;
    }
    const int st = check_balance(vm, &sender);
    if (st != OP_NEXT) {
        return st;
    }
    if (vm->depth != 0) {
        if (sender.nonce == UINT64_MAX) {
            return CEVM_STATUS_NONCE_OVERFLOW;
        }
        if (msg->kind == CEVM_CREATE) {
            cevm_create_address(&msg->recipient, &msg->sender, sender.nonce);
        }
        const cevm_err err = vm->host.vtable->increment_nonce(vm->host.ctx, &msg->sender);
        if (err != CEVM_OK) {
            return give_up(vm, err);
        }
    }
    return cevm_create_check(vm, &msg->recipient);
}

/** Words of the operand stack that a frame above those in use needs. */
static inline size_t stack_needed(const cevm_vm *vm)
{
    const size_t used = vm->depth != 0 ? (size_t)(vm->frames[vm->depth - 1]->top - vm->stack) : 0;
    return used + CEVM_STACK_LIMIT + 1 + CEVM_BLOCK_SCRATCH_WORDS;
}

/** Makes the place of the next frame, and room for a full operand stack above the caller's. */
__attribute__((noinline)) static bool make_frame(cevm_vm *vm)
{
    if (vm->frames[vm->depth] == NULL) {
        vm->frames[vm->depth] = cevm_zalloc(vm->allocator, sizeof(cevm_frame));
        if (vm->frames[vm->depth] == NULL) {
            return false;
        }
    }
    const size_t needed = stack_needed(vm);
    if (needed <= vm->stack_capacity) {
        return true;
    }
    const size_t capacity = needed > 2 * vm->stack_capacity ? needed : 2 * vm->stack_capacity;
    cevm_u256 *old = vm->stack;
    cevm_u256 *stack = cevm_resize_array(vm->allocator, NULL, capacity, sizeof *stack);
    if (stack == NULL) {
        return false;
    }
    if (old != NULL) {
        memcpy(stack, old, vm->stack_capacity * sizeof *stack);
    }
    for (size_t i = 0; i < vm->depth; ++i) {
        cevm_frame *f = vm->frames[i];
        f->base = stack + (f->base - old);
        f->top = stack + (f->top - old);
    }
    cevm_free(vm->allocator, old);
    vm->stack = stack;
    vm->stack_capacity = capacity;
    return true;
}

static inline bool reserve_frame(cevm_vm *vm)
{
    return (vm->frames[vm->depth] != NULL && stack_needed(vm) <= vm->stack_capacity) || make_frame(vm);
}

/** Pushes a frame for vm->pending. `code` stays where it is; initcode has been copied to the arena. */
static void push_frame(cevm_vm *vm, cevm_bytes code, cevm_checkpoint checkpoint, cevm_arena_mark mark)
{
    const cevm_pending *p = &vm->pending;
    const cevm_frame *caller = vm->depth != 0 ? vm->frames[vm->depth - 1] : NULL;
    const bool creates = is_create(p->msg.kind);
    cevm_frame *f = vm->frames[vm->depth];
    f->vm = vm;
    f->gas = p->msg.gas;
    f->code = code.data;
    f->code_size = code.size;
    f->base = caller != NULL ? caller->top : vm->stack;
    f->top = f->base;
    f->pc = 0;
    f->memory_base = caller != NULL ? caller->memory_base + caller->memory_size : 0;
    f->memory = vm->memory != NULL ? vm->memory + f->memory_base : NULL;
    f->memory_size = 0;
    f->jumpdests = NULL;
    f->jump_effort = 0;
    f->input = creates ? (cevm_bytes){NULL, 0} : p->msg.input;
    f->input_in_memory = caller != NULL && f->input.size != 0;
    f->input_offset = f->input_in_memory ? (size_t)(f->input.data - vm->memory) : 0;
    f->kind = p->msg.kind;
    f->is_static = p->msg.is_static;
    f->has_hash = !creates && vm->outside == NULL;
    f->address = p->msg.recipient;
    f->sender = p->msg.sender;
    f->value = p->msg.value;
    f->code_hash = p->code.hash;
    f->checkpoint = checkpoint;
    f->arena = mark;
    f->refund_before = vm->refund;
    f->output_offset = p->output_offset;
    f->output_size = p->output_size;
    vm->output.size = 0;
    ++vm->depth;
    cevm_frame_choose_engine(f);
}

/** Moves the value and touches the recipient (EIP-161); the kinds that run in the caller's account do neither. */
static cevm_err move_value(cevm_vm *vm)
{
    const cevm_message *msg = &vm->pending.msg;
    if (msg->kind == CEVM_DELEGATECALL || msg->kind == CEVM_CALLCODE) {
        return CEVM_OK;
    }
    return vm->host.vtable->transfer(vm->host.ctx, &msg->sender, &msg->recipient, &msg->value);
}

/** The precompiled contract at an address, or NULL. The table knows numbers of 64 bits, which few addresses are. */
static inline const cevm_precompile *find_precompile(const cevm_vm *vm, const cevm_address *address)
{
    uint64_t first;
    memcpy(&first, address->bytes, sizeof first);
    if (first != 0 && vm->precompile_change_count == 0) {
        return NULL;
    }
    return cevm_precompile_find_with(vm->precompile_changes, vm->precompile_change_count, address, vm->fork);
}

/** Begins a call: a precompile or an account without code is done with at once. */
static int begin_call(cevm_vm *vm)
{
    const cevm_message *msg = &vm->pending.msg;
    const cevm_host *host = &vm->host;
    int st = check_call(vm);
    if (st != OP_NEXT) {
        return st == OP_ERROR ? st : deliver_at_once(vm, st, msg->gas);
    }
    const cevm_checkpoint checkpoint = host->vtable->checkpoint(host->ctx);
    const cevm_err err = move_value(vm);
    if (err != CEVM_OK) {
        return give_up(vm, err);
    }
    const cevm_precompile *contract = find_precompile(vm, &msg->code_address);
    if (contract != NULL && !msg->disable_precompiles) {
        int64_t gas = msg->gas;
        st = run_precompile(vm, contract, &gas);
        if (st == OP_ERROR) {
            return st;
        }
        if (!cevm_status_is_success((cevm_status)st)) {
            host->vtable->revert(host->ctx, checkpoint);
        }
        return deliver_at_once(vm, st, gas);
    }
    /* EIP-7702: a delegate that is a precompile has no code. The code of an EVMC host is run whatever its address is. */
    if (vm->pending.code.bytes.size == 0 || (contract != NULL && vm->outside == NULL)) {
        vm->output.size = 0;
        return deliver_at_once(vm, CEVM_STATUS_STOP, msg->gas);
    }
    if (!reserve_frame(vm)) {
        return give_up(vm, CEVM_ERR_NOMEM);
    }
    push_frame(vm, vm->pending.code.bytes, checkpoint, cevm_arena_get_mark(&vm->arena));
    return OP_NEXT;
}

/** Begins a creation. The initcode is copied: the caller's memory may move while it runs. */
static int begin_create(cevm_vm *vm)
{
    const cevm_message *msg = &vm->pending.msg;
    const cevm_host *host = &vm->host;
    const int st = check_create(vm);
    if (st != OP_NEXT) {
        return st == OP_ERROR ? st : deliver_at_once(vm, st, msg->gas);
    }
    const cevm_checkpoint checkpoint = host->vtable->checkpoint(host->ctx);
    const cevm_arena_mark mark = cevm_arena_get_mark(&vm->arena);
    cevm_err err = host->vtable->create_account(host->ctx, &msg->recipient);
    if (err == CEVM_OK) {
        err = move_value(vm);
    }
    if (err != CEVM_OK) {
        return give_up(vm, err);
    }
    uint8_t *initcode = cevm_arena_alloc(&vm->arena, msg->input.size + 1);
    if (initcode == NULL || !reserve_frame(vm)) {
        return give_up(vm, CEVM_ERR_NOMEM);
    }
    if (msg->input.size != 0) {
        memcpy(initcode, msg->input.data, msg->input.size);
    }
    push_frame(vm, (cevm_bytes){initcode, msg->input.size}, checkpoint, mark);
    return OP_NEXT;
}

int cevm_message_begin(cevm_vm *vm)
{
    cevm_message *msg = &vm->pending.msg;
    vm->poll_countdown = CEVM_POLL_INTERVAL;
    if ((vm->cancel != NULL || vm->deadline_ns != 0) && cevm_vm_poll(vm) != OP_NEXT) {
        return OP_ERROR;
    }
    const cevm_err err = trace_enter(vm, msg, vm->depth + 1);
    if (err != CEVM_OK) {
        return give_up(vm, err);
    }
    if (vm->outside != NULL && vm->depth != 0) {
        const int st = vm->outside(vm);
        return st == OP_ERROR ? st : deliver_at_once(vm, st, msg->gas);
    }
    return is_create(msg->kind) ? begin_create(vm) : begin_call(vm);
}

int cevm_frame_end(cevm_vm *vm, int status)
{
    cevm_frame *f = vm->frames[vm->depth - 1];
    if (cevm_status_is_success((cevm_status)status) && is_create(f->kind)) {
        status = cevm_create_deposit(f, status);
        if (status == OP_ERROR) {
            return status;
        }
    }
    if (!cevm_status_is_success((cevm_status)status)) {
        vm->host.vtable->revert(vm->host.ctx, f->checkpoint);
        vm->refund = f->refund_before;
    }
    if (cevm_status_is_halt((cevm_status)status)) {
        f->gas = 0;
        vm->output.size = 0;
    }
    trace_exit(vm, status, f->gas, vm->depth);
    cevm_arena_release(&vm->arena, f->arena);
    --vm->depth;
    if (f->memory_size != 0 && vm->memory_zeroed > f->memory_base) {
        vm->memory_zeroed = f->memory_base; /* it may have written to all above */
    }
    deliver(vm, f->kind, status, f->gas, &f->address, f->output_offset, f->output_size);
    return status;
}
