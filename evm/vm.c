/* SPDX-License-Identifier: Apache-2.0 */
#include "evm/code_cache.h"
#include "evm/create.h"
#include "evm/frame.h"
#include "evm/ops_flow.h"

#include <time.h>

/** EVM memory that all frames together may hold when the host sets no limit: 4 GiB, over 2^45 gas. */
#define DEFAULT_MEMORY_LIMIT ((size_t)1 << (sizeof(size_t) > 4 ? 32 : 30))

cevm_err cevm_vm_create(cevm_vm **out, const cevm_vm_config *config)
{
    cevm_vm_config given = {.struct_size = sizeof given};
    *out = NULL;
    if (config != NULL) {
        /* The struct only grows: a caller built against an older header has fewer fields, and zeros for the rest. */
        if (config->struct_size < offsetof(cevm_vm_config, precompile_changes) || config->struct_size > sizeof given) {
            return CEVM_ERR_ARGUMENT;
        }
        memcpy(&given, config, config->struct_size);
    }
    const cevm_allocator *allocator = given.allocator;
    cevm_vm *vm = cevm_zalloc(allocator, sizeof *vm);
    if (vm == NULL) {
        return CEVM_ERR_NOMEM;
    }
    vm->allocator = allocator;
    vm->frames = cevm_zalloc(allocator, (CEVM_MAX_CALL_DEPTH + 1) * sizeof *vm->frames);
    if (vm->frames == NULL) {
        cevm_free(allocator, vm);
        return CEVM_ERR_NOMEM;
    }
    vm->memory_limit = given.memory_limit != 0 ? given.memory_limit : DEFAULT_MEMORY_LIMIT;
    vm->cancel = given.cancel;
    vm->deadline_ns = given.deadline_ns;
    vm->precompile_changes = given.precompile_changes;
    vm->precompile_change_count = given.precompile_change_count;
    vm->code_cache = given.code_cache;
    vm->engine = given.engine;
    vm->max_code_size = given.max_code_size != 0 ? given.max_code_size : CEVM_MAX_CODE_SIZE;
    vm->max_initcode_size = given.max_code_size == 0              ? CEVM_MAX_INITCODE_SIZE
                            : given.max_code_size <= SIZE_MAX / 2 ? 2 * given.max_code_size
                                                                  : SIZE_MAX;
    cevm_arena_init(&vm->arena, allocator);
    cevm_analysis_init(&vm->analysis, allocator);
    *out = vm;
    return CEVM_OK;
}

void cevm_vm_destroy(cevm_vm *vm)
{
    if (vm == NULL) {
        return;
    }
    for (size_t i = 0; i <= CEVM_MAX_CALL_DEPTH && vm->frames[i] != NULL; ++i) { /* made from the first on */
        cevm_free(vm->allocator, vm->frames[i]);
    }
    cevm_free(vm->allocator, vm->frames);
    cevm_free(vm->allocator, vm->stack);
    cevm_free(vm->allocator, vm->memory_block);
    cevm_free(vm->allocator, vm->output.data);
    cevm_free(vm->allocator, vm->scratch.data);
    cevm_arena_destroy(&vm->arena);
    cevm_analysis_destroy(&vm->analysis);
    cevm_code_slots_destroy(vm);
    cevm_keccak_memo_destroy(&vm->keccak_memo, vm->allocator);
    cevm_free(vm->allocator, vm);
}

void cevm_vm_set_deadline(cevm_vm *vm, uint64_t deadline_ns) { vm->deadline_ns = deadline_ns; }

void cevm_vm_set_cancel(cevm_vm *vm, const volatile bool *cancel) { vm->cancel = cancel; }

/** Whether the host said what is at an address. */
static bool is_changed(const cevm_vm *vm, const cevm_address *address)
{
    size_t i = 0;
    while (i < vm->precompile_change_count && !cevm_address_equal(&vm->precompile_changes[i].address, address)) {
        ++i;
    }
    return i != vm->precompile_change_count;
}

cevm_err cevm_vm_warm_precompiles(const cevm_vm *vm, const cevm_host *host, cevm_fork fork)
{
    size_t count;
    const cevm_precompile *rows = cevm_precompiles(&count);
    cevm_err err = CEVM_OK;
    for (size_t i = 0; i < count && err == CEVM_OK; ++i) {
        const cevm_address address = CEVM_ADDRESS_OF(rows[i].address);
        if (fork >= rows[i].since && !is_changed(vm, &address)) {
            err = host->vtable->warm_account(host->ctx, &address);
        }
    }
    for (size_t i = 0; i < vm->precompile_change_count && err == CEVM_OK; ++i) {
        const cevm_address *address = &vm->precompile_changes[i].address;
        if (cevm_precompile_find_with(vm->precompile_changes, vm->precompile_change_count, address, fork) != NULL) {
            err = host->vtable->warm_account(host->ctx, address);
        }
    }
    return err;
}

bool cevm_buffer_reserve(cevm_vm *vm, cevm_vm_buffer *buffer, size_t size)
{
    buffer->size = 0;
    if (size <= buffer->capacity) {
        return true;
    }
    const size_t capacity = size < 256 ? 256 : size;
    uint8_t *data = cevm_alloc(vm->allocator, capacity);
    if (data == NULL) {
        return false;
    }
    cevm_free(vm->allocator, buffer->data);
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

enum { MEMORY_ALIGNMENT = 64 };

/** Makes the memory of the VM, of which `used` bytes count, at least `needed` bytes; the frames then know where it is. */
static bool grow_memory(cevm_vm *vm, size_t used, size_t needed)
{
    size_t capacity = vm->memory_capacity < 4096 ? 4096 : 2 * vm->memory_capacity;
    capacity = capacity > needed ? capacity : needed;
    const size_t was_at = vm->memory_block != NULL ? (size_t)(vm->memory - vm->memory_block) : 0;
    uint8_t *block = cevm_resize(vm->allocator, vm->memory_block, capacity + MEMORY_ALIGNMENT - 1);
    if (block == NULL) {
        return false;
    }
    /* Copies of a kilobyte take twice as long when each vector of them straddles two lines of the cache. */
    const size_t at = (size_t)(-(uintptr_t)block % MEMORY_ALIGNMENT);
    if (at != was_at) {
        memmove(block + at, block + was_at, used);
    }
    uint8_t *memory = block + at;
    vm->memory_block = block;
    vm->memory = memory;
    vm->memory_capacity = capacity;
    for (size_t i = 0; i < vm->depth; ++i) {
        cevm_frame *f = vm->frames[i];
        f->memory = memory + f->memory_base;
        if (f->input_in_memory) {
            f->input.data = memory + f->input_offset;
        }
    }
    return true;
}

/**
 * Makes memory zero from `end`, where that of the running frame ends, at least to `needed`: further than asked for, so that
 * memory which grows word by word is not zeroed word by word.
 */
static void zero_ahead(cevm_vm *vm, size_t end, size_t needed)
{
    enum { AHEAD = 512 };
    const size_t from = end > vm->memory_zeroed ? end : vm->memory_zeroed;
    const size_t room = vm->memory_capacity - needed;
    const size_t ahead = (needed - end) / 2 + AHEAD;
    vm->memory_zeroed = needed + (ahead < room ? ahead : room);
    memset(vm->memory + from, 0, vm->memory_zeroed - from);
}

int cevm_memory_grow(cevm_frame *f, uint64_t end)
{
    if (end > CEVM_MEMORY_MAX) {
        return charge_too_much(f);
    }
    const uint64_t words = gas_words(end);
    const uint64_t size = words * 32;
    if (!charge(f, gas_memory(words) - gas_memory(f->memory_size / 32))) {
        return CEVM_STATUS_OUT_OF_GAS;
    }
    cevm_vm *vm = f->vm;
    if (f->memory_base > vm->memory_limit || size > vm->memory_limit - f->memory_base) {
        return op_error(f, CEVM_ERR_LIMIT);
    }
    const size_t needed = f->memory_base + (size_t)size;
    const size_t end_now = f->memory_base + f->memory_size;
    const size_t used = end_now > vm->memory_zeroed ? end_now : vm->memory_zeroed;
    if (needed > vm->memory_capacity && !grow_memory(vm, used, needed)) {
        return op_error(f, CEVM_ERR_NOMEM);
    }
    if (needed > vm->memory_zeroed) {
        zero_ahead(vm, end_now, needed);
    }
    f->memory_size = (size_t)size;
    return OP_NEXT;
}

int cevm_vm_poll(cevm_vm *vm)
{
    vm->poll_countdown = CEVM_POLL_INTERVAL;
    if (vm->cancel != NULL && __atomic_load_n(vm->cancel, __ATOMIC_RELAXED)) {
        vm->err = CEVM_ERR_CANCELLED;
        return OP_ERROR;
    }
    if (vm->deadline_ns != 0) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        if ((uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec >= vm->deadline_ns) {
            vm->err = CEVM_ERR_CANCELLED;
            return OP_ERROR;
        }
    }
    return OP_NEXT;
}

/** Finds the JUMPDESTs of the running code: OP_NEXT, or OP_ERROR when memory runs out. */
static int analyse(cevm_frame *f)
{
    cevm_vm *vm = f->vm;
    if (f->has_hash) {
        f->jumpdests = cevm_analysis_get(&vm->analysis, &f->code_hash, f->code, f->code_size);
    }
    if (f->jumpdests == NULL) {
        uint64_t *bits = cevm_arena_alloc(&vm->arena, jumpdest_words(f->code_size) * sizeof *bits);
        if (bits == NULL) {
            return op_error(f, CEVM_ERR_NOMEM);
        }
        cevm_jumpdest_scan(bits, f->code, f->code_size);
        f->jumpdests = bits;
    }
    return OP_NEXT;
}

int cevm_frame_check_jump(cevm_frame *f, size_t pc)
{
    if (f->code[pc] != OP_JUMPDEST) {
        return CEVM_STATUS_BAD_JUMP;
    }
    /* A scan takes about half a nanosecond a byte. */
    if (f->jump_effort <= 64 + f->code_size / 2) {
        const cevm_boundary answer = cevm_boundary_at(f->code, pc, &f->jump_effort);
        if (answer != CEVM_BOUNDARY_UNKNOWN) {
            return answer == CEVM_BOUNDARY_YES ? OP_NEXT : CEVM_STATUS_BAD_JUMP;
        }
    }
    const int st = analyse(f);
    if (st != OP_NEXT) {
        return st;
    }
    return jumpdest_test(f->jumpdests, pc) ? OP_NEXT : CEVM_STATUS_BAD_JUMP;
}

/** Runs the top frame until it ends (a status), calls (OP_CHILD) or fails (OP_ERROR). */
static int run_frame(cevm_frame *f)
{
    int status = f->ip != NULL ? cevm_decoded_run(f) : cevm_exact_run(f);
    while (status == OP_HOT) {
        cevm_frame_heat_up(f);
        status = f->ip != NULL ? cevm_decoded_run(f) : cevm_exact_run(f);
    }
    return status;
}

/** Runs frames until the outermost one has ended: its status, or OP_ERROR. *gas is what it left. */
static int run(cevm_vm *vm, int64_t *gas)
{
    int status = cevm_message_begin(vm);
    if (status != OP_NEXT) {
        *gas = vm->pending.msg.gas;
        return status;
    }
    while (vm->depth != 0) {
        cevm_frame *f = vm->frames[vm->depth - 1];
        status = run_frame(f);
        if (status == OP_CHILD) {
            status = cevm_message_begin(vm);
        } else if (status != OP_ERROR) {
            status = cevm_frame_end(vm, status);
        }
        if (status == OP_ERROR) {
            return OP_ERROR;
        }
        *gas = f->gas; /* of the frame that ran; right when the loop ends */
    }
    return status;
}

/** Gives back what a rare execution made large; what most need is kept. The output stays: the caller reads it. */
static void trim(cevm_vm *vm)
{
    enum { KEEP_MEMORY = 4 << 20, KEEP_STACK_WORDS = 64 << 10 };
    if (vm->memory_capacity > KEEP_MEMORY) {
        cevm_free(vm->allocator, vm->memory_block);
        vm->memory_block = NULL;
        vm->memory = NULL;
        vm->memory_capacity = 0;
    }
    if (vm->stack_capacity > KEEP_STACK_WORDS) {
        cevm_free(vm->allocator, vm->stack);
        vm->stack = NULL;
        vm->stack_capacity = 0;
    }
    if (vm->scratch.capacity > KEEP_MEMORY) {
        cevm_free(vm->allocator, vm->scratch.data);
        vm->scratch = (cevm_vm_buffer){NULL, 0, 0};
    }
}

/** Sets the VM up for one execution. */
static cevm_err prepare(cevm_vm *vm, const cevm_message *msg)
{
    vm->err = CEVM_OK;
    vm->refund = 0;
    vm->depth = 0;
    vm->output.size = 0;
    vm->poll_countdown = 1;
    vm->memory_zeroed = 0;
    cevm_arena_release(&vm->arena, (cevm_arena_mark){NULL, 0});
    cevm_analysis_begin(&vm->analysis);
    ++vm->execution;
    cevm_code_slots_begin(vm);
    cevm_keccak_memo_begin(&vm->keccak_memo, vm->allocator);
    vm->pending.msg = *msg;
    vm->pending.code = (cevm_code){.bytes = {NULL, 0}};
    vm->pending.output_offset = 0;
    vm->pending.output_size = 0;
    if (msg->kind == CEVM_CREATE || msg->kind == CEVM_CREATE2) {
        return CEVM_OK;
    }
    return vm->host.vtable->load_code(vm->host.ctx, &vm->pending.code, &msg->code_address);
}

cevm_err cevm_vm_execute(cevm_vm *vm, cevm_result *out, const cevm_message *msg, const cevm_block_env *block,
                         const cevm_tx_env *tx, const cevm_host *host, const cevm_tracer *tracer)
{
    if (vm->depth != 0 || msg->gas < 0 || (int)block->fork < 0 || block->fork >= CEVM_FORK_COUNT) {
        return CEVM_ERR_ARGUMENT;
    }
    vm->host = *host;
    vm->tracer = tracer;
    vm->block = block;
    vm->tx = tx;
    vm->fork = block->fork;
    vm->ops = cevm_op_tables[block->fork];
    const cevm_checkpoint checkpoint = host->vtable->checkpoint(host->ctx);
    cevm_err err = prepare(vm, msg);
    if (err == CEVM_OK) {
        int64_t gas = 0;
        const int status = run(vm, &gas);
        err = status == OP_ERROR ? vm->err : CEVM_OK;
        if (err == CEVM_OK) {
            out->status = (cevm_status)status;
            out->gas = (cevm_gas){.left = gas, .refund = vm->refund};
            out->output = (cevm_bytes){vm->output.data, vm->output.size};
        }
    }
    if (err != CEVM_OK) {
        host->vtable->revert(host->ctx, checkpoint);
        vm->depth = 0;
    }
    trim(vm);
    return err;
}
