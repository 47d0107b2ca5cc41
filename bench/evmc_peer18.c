/* SPDX-License-Identifier: Apache-2.0 */
/* Machines of EVMC's ABI 18: the machine derives the address of a creation. */
#include "bench/evmc_peer.h"
#include "evm/evmc/abi18.h"

static evmc18_tx_context get_tx_context(evmc_host_context *context)
{
    return (evmc18_tx_context){.head = bench_evmc_world_of(context)->context};
}

static evmc18_access_status access_account(evmc_host_context *context, const cevm_address *address)
{
    return bench_evmc_warm_account(context, address);
}

static evmc18_access_status access_storage(evmc_host_context *context, const cevm_address *address,
                                           const cevm_hash *key)
{
    return bench_evmc_warm_storage(context, address, key);
}

static evmc18_result call(evmc_host_context *context, const evmc18_message *message);

static const evmc18_host_interface host_interface = {
    .account_exists = bench_evmc_account_exists,
    .get_storage = bench_evmc_get_storage,
    .set_storage = bench_evmc_set_storage,
    .get_balance = bench_evmc_get_balance,
    .get_nonce = bench_evmc_get_nonce,
    .get_code_size = bench_evmc_get_code_size,
    .get_code_hash = bench_evmc_get_code_hash,
    .copy_code = bench_evmc_copy_code,
    .selfdestruct = bench_evmc_selfdestruct,
    .call = call,
    .get_tx_context = get_tx_context,
    .get_block_hash = bench_evmc_get_block_hash,
    .emit_log = bench_evmc_emit_log,
    .access_account = access_account,
    .access_storage = access_storage,
    .get_transient_storage = bench_evmc_get_transient_storage,
    .set_transient_storage = bench_evmc_set_transient_storage,
};

static evmc18_result execute(bench_evmc_world *world, const evmc18_message *message, cevm_bytes code)
{
    evmc18_vm *vm = world->vm;
    return vm->execute(vm, &host_interface, (evmc_host_context *)(void *)world, world->revision, message, code.data,
                       code.size);
}

static evmc18_result create(bench_evmc_world *world, const evmc18_message *message)
{
    evmc18_message inner = *message;
    bench_evmc_frame frame;
    bench_evmc_create_begin(world, &frame, &message->head, &message->head.recipient);
    evmc18_result result = {.head = frame.result};
    if (!frame.done) {
        inner.head.input_data = NULL;
        inner.head.input_size = 0;
        result = execute(world, &inner, frame.code);
        bench_evmc_create_end(world, &result.head, &message->head.recipient);
    }
    bench_evmc_message_end(world, &frame, &result.head);
    return result;
}

static evmc18_result call(evmc_host_context *context, const evmc18_message *message)
{
    bench_evmc_world *world = bench_evmc_world_of(context);
    bench_evmc_frame frame;
    if (message->head.kind == EVMC_CREATE || message->head.kind == EVMC_CREATE2) {
        return create(world, message);
    }
    bench_evmc_call_begin(world, &frame, &message->head, &message->code_address);
    if (frame.done) {
        bench_evmc_message_end(world, &frame, &frame.result);
        return (evmc18_result){.head = frame.result};
    }
    const evmc18_result result = execute(world, message, frame.code);
    bench_evmc_message_end(world, &frame, &result.head);
    return result;
}

/* ---- The machine ------------------------------------------------------------------------------------------------- */

typedef evmc18_result (*execute_analysed_fn)(evmc18_vm *vm, const evmc18_host_interface *host,
                                             evmc_host_context *context, int revision, const evmc18_message *message,
                                             void *analysis);

/** A call whose code was analysed before. */
static evmc18_result call_analysed(bench_evmc_world *world, const evmc18_message *message, const bench_evmc_call *call_)
{
    bench_evmc_frame frame;
    bench_evmc_call_begin(world, &frame, &message->head, &message->code_address);
    evmc18_result result = {.head = frame.result};
    if (!frame.done) {
        const execute_analysed_fn run_code = (execute_analysed_fn)call_->execute_analysed;
        result = run_code(world->vm, &host_interface, (evmc_host_context *)(void *)world, world->revision, message,
                          call_->analysis);
    }
    bench_evmc_message_end(world, &frame, &result.head);
    return result;
}

static void run(bench_evmc_world *world, const bench_evmc_call *call_, bench_evmc_take take, void *user)
{
    const evmc18_message message = {
        .head = bench_evmc_head(call_->message),
        .code_address = call_->message->code_address,
    };
    const evmc18_result result = call_->analysis != NULL ? call_analysed(world, &message, call_)
                                                         : call((evmc_host_context *)(void *)world, &message);
    if (take != NULL) {
        take(user, &result.head);
    }
    if (result.head.release != NULL) {
        result.head.release(&result.head);
    }
}

static int revision(cevm_fork fork)
{
    static const uint8_t of_fork[CEVM_FORK_COUNT] = {
        [CEVM_FRONTIER] = EVMC18_FRONTIER,
        [CEVM_HOMESTEAD] = EVMC18_HOMESTEAD,
        [CEVM_TANGERINE_WHISTLE] = EVMC18_TANGERINE_WHISTLE,
        [CEVM_SPURIOUS_DRAGON] = EVMC18_SPURIOUS_DRAGON,
        [CEVM_BYZANTIUM] = EVMC18_BYZANTIUM,
        [CEVM_CONSTANTINOPLE] = EVMC18_BYZANTIUM,
        [CEVM_PETERSBURG] = EVMC18_PETERSBURG,
        [CEVM_ISTANBUL] = EVMC18_ISTANBUL,
        [CEVM_BERLIN] = EVMC18_BERLIN,
        [CEVM_LONDON] = EVMC18_LONDON,
        [CEVM_PARIS] = EVMC18_PARIS,
        [CEVM_SHANGHAI] = EVMC18_SHANGHAI,
        [CEVM_CANCUN] = EVMC18_CANCUN,
        [CEVM_PRAGUE] = EVMC18_PRAGUE,
        [CEVM_OSAKA] = EVMC18_OSAKA,
    };
    return of_fork[fork];
}

static const char *name(const void *vm) { return ((const evmc18_vm *)vm)->name; }
static const char *version(const void *vm) { return ((const evmc18_vm *)vm)->version; }

static void destroy(void *vm)
{
    evmc18_vm *machine = vm;
    machine->destroy(machine);
}

const bench_evmc_abi bench_evmc_abi18 = {
    .name = name,
    .version = version,
    .destroy = destroy,
    .revision = revision,
    .run = run,
};
