/* SPDX-License-Identifier: Apache-2.0 */
#include "evm/evmc/adapter.h"

#include <limits.h>

/* ---- The machine ------------------------------------------------------------------------------------------------- */

bool cevm_evmc_machine_init(cevm_evmc_machine *machine)
{
    if (cevm_code_cache_create(&machine->code_cache, NULL, 0) != CEVM_OK) {
        return false;
    }
    if (pthread_mutex_init(&machine->lock, NULL) != 0) {
        cevm_code_cache_destroy(machine->code_cache);
        return false;
    }
    return true;
}

static void drop_idle(cevm_evmc_machine *machine)
{
    while (machine->idle_count != 0) {
        cevm_vm_destroy(machine->idle[--machine->idle_count]);
    }
}

void cevm_evmc_machine_destroy(cevm_evmc_machine *machine)
{
    drop_idle(machine);
    cevm_code_cache_destroy(machine->code_cache);
    (void)pthread_mutex_destroy(&machine->lock);
}

/** Reads a decimal number; 0 when it is none, or too large. */
static size_t parse_size(const char *text)
{
    size_t value = 0;
    do {
        if (*text < '0' || *text > '9' || value > (SIZE_MAX - 9) / 10) {
            return 0;
        }
        value = 10 * value + (size_t)(*text - '0');
    } while (*++text != '\0');
    return value;
}

static bool set_memory_limit(cevm_evmc_machine *machine, const char *value)
{
    const size_t limit = parse_size(value);
    machine->memory_limit = limit != 0 ? limit : machine->memory_limit;
    return limit != 0;
}

static bool set_engine(cevm_evmc_machine *machine, const char *value)
{
    static const char *const names[] = {
        [CEVM_ENGINE_AUTO] = "auto", [CEVM_ENGINE_EXACT] = "exact", [CEVM_ENGINE_BLOCK] = "block"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        if (strcmp(value, names[i]) == 0) {
            machine->engine = (cevm_engine)i;
            return true;
        }
    }
    return false;
}

int cevm_evmc_set_option(cevm_evmc_machine *machine, const char *name, const char *value)
{
    static const struct {
        const char *name;
        bool (*set)(cevm_evmc_machine *machine, const char *value);
    } options[] = {{"memory-limit", set_memory_limit}, {"engine", set_engine}};
    for (size_t i = 0; name != NULL && i < sizeof options / sizeof options[0]; ++i) {
        if (strcmp(name, options[i].name) == 0) {
            drop_idle(machine); /* they have the old value */
            return value != NULL && options[i].set(machine, value) ? EVMC_SET_OPTION_SUCCESS
                                                                   : EVMC_SET_OPTION_INVALID_VALUE;
        }
    }
    return EVMC_SET_OPTION_INVALID_NAME;
}

/** A VM to run one frame; NULL when memory runs out. */
static cevm_vm *take_vm(cevm_evmc_machine *machine)
{
    cevm_vm *vm = NULL;
    (void)pthread_mutex_lock(&machine->lock);
    if (machine->idle_count != 0) {
        vm = machine->idle[--machine->idle_count];
    }
    (void)pthread_mutex_unlock(&machine->lock);
    if (vm == NULL) {
        const cevm_vm_config config = {.struct_size = sizeof config,
                                       .memory_limit = machine->memory_limit,
                                       .code_cache = machine->code_cache,
                                       .engine = machine->engine};
        (void)cevm_vm_create(&vm, &config);
    }
    return vm;
}

static void give_vm(cevm_evmc_machine *machine, cevm_vm *vm)
{
    (void)pthread_mutex_lock(&machine->lock);
    const bool keep = machine->idle_count < CEVM_EVMC_IDLE;
    if (keep) {
        machine->idle[machine->idle_count++] = vm;
    }
    (void)pthread_mutex_unlock(&machine->lock);
    if (!keep) {
        cevm_vm_destroy(vm);
    }
}

/* ---- Calls ------------------------------------------------------------------------------------------------------- */

static bool can_pay(const cevm_evmc_run *run, const cevm_message *msg)
{
    if (cevm_u256_is_zero(&msg->value) || msg->kind == CEVM_DELEGATECALL || msg->kind == CEVM_STATICCALL) {
        return true;
    }
    const cevm_hash word = run->callbacks.get_balance(run->context, &msg->sender);
    const cevm_u256 balance = cevm_u256_from_be(word.bytes);
    return !u256_lt(&balance, &msg->value);
}

static evmc_message_head head_of(const cevm_evmc_run *run, const cevm_message *msg)
{
    static const int32_t kinds[] = {
        [CEVM_CALL] = EVMC_CALL,       [CEVM_CALLCODE] = EVMC_CALLCODE, [CEVM_DELEGATECALL] = EVMC_DELEGATECALL,
        [CEVM_STATICCALL] = EVMC_CALL, [CEVM_CREATE] = EVMC_CREATE,     [CEVM_CREATE2] = EVMC_CREATE2,
    };
    evmc_message_head head = {
        .kind = kinds[msg->kind],
        .flags = (msg->is_static ? EVMC_STATIC : 0U) | (msg->disable_precompiles ? EVMC_DELEGATED : 0U),
        .depth = run->depth + 1,
        .gas = msg->gas,
        .recipient = msg->recipient,
        .sender = msg->sender,
        .input_data = msg->input.data,
        .input_size = msg->input.size,
    };
    cevm_u256_to_be(head.value.bytes, &msg->value);
    return head;
}

/** cevm_vm.outside: what a machine has to check is checked, the rest is the host's. */
static int call_outside(cevm_vm *vm)
{
    cevm_evmc_run *run = vm->host.ctx;
    const cevm_message *msg = &vm->pending.msg;
    if (run->depth >= CEVM_MAX_CALL_DEPTH) {
        return CEVM_STATUS_CALL_DEPTH;
    }
    if (!can_pay(run, msg)) {
        return CEVM_STATUS_INSUFFICIENT_BALANCE;
    }
    const evmc_message_head head = head_of(run, msg);
    return run->abi->call(run, vm, &head);
}

int cevm_evmc_take(cevm_evmc_run *run, cevm_vm *vm, const evmc_result_head *result)
{
    cevm_message *msg = &vm->pending.msg;
    run->code_known = false;
    if (result->status_code < 0 || result->gas_left < 0 || result->gas_left > msg->gas) {
        /* An execution that was given up must not look like a call that failed; nor may gas come out of nothing. */
        run->status = result->status_code < 0 ? result->status_code : EVMC_INTERNAL_ERROR;
        vm->err = CEVM_ERR_BACKEND;
        return OP_ERROR;
    }
    const size_t size = result->output_data != NULL ? result->output_size : 0;
    if (!cevm_buffer_reserve(vm, &vm->output, size)) {
        vm->err = CEVM_ERR_NOMEM;
        return OP_ERROR;
    }
    if (size != 0) {
        memcpy(vm->output.data, result->output_data, size);
    }
    vm->output.size = size;
    vm->refund += result->gas_refund;
    msg->gas = result->gas_left;
    /* Gas and output are the host's to say; a halt, which has neither, is told from a revert by them alone. */
    return result->status_code == EVMC_SUCCESS ? CEVM_STATUS_RETURN : CEVM_STATUS_REVERT;
}

/* ---- One execution ----------------------------------------------------------------------------------------------- */

static evmc_status_code status_of(cevm_status status)
{
    switch (status) {
    case CEVM_STATUS_STOP:
    case CEVM_STATUS_RETURN:
    case CEVM_STATUS_SELFDESTRUCT: return EVMC_SUCCESS;
    case CEVM_STATUS_REVERT: return EVMC_REVERT;
    case CEVM_STATUS_CALL_DEPTH: return EVMC_CALL_DEPTH_EXCEEDED;
    case CEVM_STATUS_INSUFFICIENT_BALANCE: return EVMC_INSUFFICIENT_BALANCE;
    case CEVM_STATUS_NONCE_OVERFLOW: return EVMC_ARGUMENT_OUT_OF_RANGE;
    case CEVM_STATUS_INITCODE_TOO_LARGE: /* EIP-3860: as if it ran out of gas */
    case CEVM_STATUS_CODE_STORE_GAS:
    case CEVM_STATUS_OUT_OF_GAS: return EVMC_OUT_OF_GAS;
    case CEVM_STATUS_STACK_UNDERFLOW: return EVMC_STACK_UNDERFLOW;
    case CEVM_STATUS_STACK_OVERFLOW: return EVMC_STACK_OVERFLOW;
    case CEVM_STATUS_BAD_JUMP: return EVMC_BAD_JUMP_DESTINATION;
    case CEVM_STATUS_UNDEFINED_OPCODE: return EVMC_UNDEFINED_INSTRUCTION;
    case CEVM_STATUS_INVALID_OPCODE: return EVMC_INVALID_INSTRUCTION;
    case CEVM_STATUS_STATIC_WRITE: return EVMC_STATIC_MODE_VIOLATION;
    case CEVM_STATUS_RETURN_DATA_BOUNDS: return EVMC_INVALID_MEMORY_ACCESS;
    case CEVM_STATUS_CODE_PREFIX: return EVMC_CONTRACT_VALIDATION_FAILURE;
    case CEVM_STATUS_PRECOMPILE_FAILED: return EVMC_PRECOMPILE_FAILURE;
    case CEVM_STATUS_CREATE_COLLISION:
    case CEVM_STATUS_CODE_TOO_LARGE:
    default: return EVMC_FAILURE;
    }
}

/** What an execution that was given up is called. */
static evmc_result_head given_up(const cevm_evmc_run *run, cevm_err err)
{
    const bool memory = err == CEVM_ERR_NOMEM || err == CEVM_ERR_LIMIT;
    int status = memory ? EVMC_OUT_OF_MEMORY : err == CEVM_ERR_ARGUMENT ? EVMC_REJECTED : EVMC_INTERNAL_ERROR;
    if (run->status < 0) {
        status = run->status;
    }
    return (evmc_result_head){.status_code = status};
}

static void release_output(const evmc_result_head *result) { cevm_free(NULL, (void *)(uintptr_t)result->output_data); }

/** What a frame came to. The output is copied: the VM is needed for others. */
static evmc_result_head result_of(const cevm_evmc_run *run, const cevm_result *result)
{
    evmc_result_head out = {.status_code = status_of(result->status)};
    if (out.status_code == EVMC_SUCCESS) {
        out.gas_refund = result->gas.refund;
    } else if (out.status_code != EVMC_REVERT) {
        return out;
    }
    out.gas_left = result->gas.left;
    if (result->output.size != 0) {
        uint8_t *copy = cevm_alloc(NULL, result->output.size);
        if (copy == NULL) {
            return given_up(run, CEVM_ERR_NOMEM);
        }
        memcpy(copy, result->output.data, result->output.size);
        out.output_data = copy;
        out.output_size = result->output.size;
        out.release = release_output;
    }
    return out;
}

/** cevm_vm.environment: most frames never ask. */
static void ask_environment(cevm_vm *vm)
{
    cevm_evmc_run *run = vm->host.ctx;
    const evmc_tx_context_head context = run->abi->tx_context(run);
    const cevm_u256 chain_id = cevm_u256_from_be(context.chain_id.bytes);
    if (!cevm_u256_fits_u64(&chain_id)) {
        run->status = EVMC_REJECTED; /* however the frame ends: a wrong CHAINID would be worse */
    }
    run->block = (cevm_block_env){
        .fork = run->fork,
        .coinbase = context.block_coinbase,
        .number = (uint64_t)context.block_number,
        .timestamp = (uint64_t)context.block_timestamp,
        .gas_limit = (uint64_t)context.block_gas_limit,
        .base_fee = cevm_u256_from_be(context.block_base_fee.bytes),
        .difficulty = cevm_u256_from_be(context.block_prev_randao.bytes), /* EVMC has one field for both */
        .prev_randao = context.block_prev_randao,
        .blob_base_fee = cevm_u256_from_be(context.blob_base_fee.bytes),
        .chain_id = chain_id.w[0],
    };
    run->tx = (cevm_tx_env){
        .origin = context.tx_origin,
        .gas_price = cevm_u256_from_be(context.tx_gas_price.bytes),
        .blob_hashes = context.blob_hashes,
        .blob_hash_count = context.blob_hashes_count,
    };
    vm->environment = NULL;
}

/** The frame. Kind DELEGATECALL: run this code as this account, and neither move value nor look for precompiles. */
static cevm_message message_of(const evmc_message_head *head)
{
    const bool creates = head->kind == EVMC_CREATE || head->kind == EVMC_CREATE2;
    return (cevm_message){
        .kind = CEVM_DELEGATECALL,
        .is_static = (head->flags & EVMC_STATIC) != 0,
        .disable_precompiles = true,
        .gas = head->gas,
        .sender = head->sender,
        .recipient = head->recipient,
        .code_address = head->recipient,
        .value = cevm_u256_from_be(head->value.bytes),
        .input = creates ? (cevm_bytes){NULL, 0} : (cevm_bytes){head->input_data, head->input_size},
    };
}

evmc_result_head cevm_evmc_execute(cevm_evmc_machine *machine, cevm_evmc_run *run, const evmc_message_head *message,
                                   cevm_bytes code)
{
    const cevm_message msg = message_of(message);
    const cevm_host host = {.vtable = &cevm_evmc_host, .ctx = run};
    cevm_vm *vm = take_vm(machine);
    if (vm == NULL) {
        return given_up(run, CEVM_ERR_NOMEM);
    }
    vm->outside = call_outside;
    vm->environment = ask_environment;
    run->vm = vm;
    run->block.fork = run->fork;
    run->depth = message->depth;
    run->given = true;
    run->code = code;
    cevm_result result;
    const cevm_err err = cevm_vm_execute(vm, &result, &msg, &run->block, &run->tx, &host, NULL);
    const bool ran = err == CEVM_OK && run->status >= 0;
    const evmc_result_head out = ran ? result_of(run, &result) : given_up(run, err);
    cevm_free(NULL, run->code_copy);
    give_vm(machine, vm);
    return out;
}
