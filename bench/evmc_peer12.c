/* SPDX-License-Identifier: Apache-2.0 */
/* Machines of EVMC's ABI 12: the host derives and warms the address of a creation and guards its nonce (EIP-2681). */
#include "bench/evmc_peer.h"
#include "evm/evmc/abi12.h"

#include <cevm/crypto.h>

static evmc12_tx_context get_tx_context(evmc_host_context *context)
{
    return (evmc12_tx_context){.head = bench_evmc_world_of(context)->context};
}

static evmc12_access_status access_account(evmc_host_context *context, const cevm_address *address)
{
    return bench_evmc_warm_account(context, address);
}

static evmc12_access_status access_storage(evmc_host_context *context, const cevm_address *address,
                                           const cevm_hash *key)
{
    return bench_evmc_warm_storage(context, address, key);
}

static evmc12_result call(evmc_host_context *context, const evmc12_message *message);

static const evmc12_host_interface host_interface = {
    .account_exists = bench_evmc_account_exists,
    .get_storage = bench_evmc_get_storage,
    .set_storage = bench_evmc_set_storage,
    .get_balance = bench_evmc_get_balance,
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

static evmc12_result execute(bench_evmc_world *world, const evmc12_message *message, cevm_bytes code)
{
    evmc12_vm *vm = world->vm;
    return vm->execute(vm, &host_interface, (evmc_host_context *)(void *)world, world->revision, message, code.data,
                       code.size);
}

/** Derives the address of a creation and warms it (EIP-2929). False when the nonce can go no further (EIP-2681). */
static bool derive_address(bench_evmc_world *world, cevm_address *out, const evmc12_message *message)
{
    evmc_host_context *context = (evmc_host_context *)(void *)world;
    const evmc_message_head *head = &message->head;
    const uint64_t nonce = bench_evmc_get_nonce(context, &head->sender);
    if (head->depth == 0) { /* the transaction has derived it, with the nonce before it bumped that */
        *out = head->recipient;
        return true;
    }
    if (nonce == UINT64_MAX) {
        return false;
    }
    if (head->kind == EVMC_CREATE) {
        cevm_create_address(out, &head->sender, nonce);
    } else {
        cevm_hash initcode_hash;
        cevm_keccak256(&initcode_hash, head->input_data, head->input_size);
        cevm_create2_address(out, &head->sender, &message->create2_salt, &initcode_hash);
    }
    (void)bench_evmc_warm_account(context, out);
    return true;
}

static evmc12_result create(bench_evmc_world *world, const evmc12_message *message)
{
    evmc12_message inner = *message;
    bench_evmc_frame frame;
    if (!derive_address(world, &inner.head.recipient, message)) { /* the gas comes back */
        return (evmc12_result){.head = {.status_code = EVMC_FAILURE, .gas_left = message->head.gas}};
    }
    bench_evmc_create_begin(world, &frame, &message->head, &inner.head.recipient);
    evmc12_result result = {.head = frame.result};
    if (!frame.done) {
        inner.head.input_data = NULL;
        inner.head.input_size = 0;
        result = execute(world, &inner, frame.code);
        bench_evmc_create_end(world, &result.head, &inner.head.recipient);
    }
    bench_evmc_message_end(world, &frame, &result.head);
    result.create_address = inner.head.recipient;
    return result;
}

static evmc12_result call(evmc_host_context *context, const evmc12_message *message)
{
    bench_evmc_world *world = bench_evmc_world_of(context);
    bench_evmc_frame frame;
    if (message->head.kind == EVMC_CREATE || message->head.kind == EVMC_CREATE2) {
        return create(world, message);
    }
    bench_evmc_call_begin(world, &frame, &message->head, &message->code_address);
    if (frame.done) {
        bench_evmc_message_end(world, &frame, &frame.result);
        return (evmc12_result){.head = frame.result};
    }
    const evmc12_result result = execute(world, message, frame.code);
    bench_evmc_message_end(world, &frame, &result.head);
    return result;
}

/* ---- The machine ------------------------------------------------------------------------------------------------- */

typedef evmc12_result (*execute_analysed_fn)(evmc12_vm *vm, const evmc12_host_interface *host,
                                             evmc_host_context *context, int revision, const evmc12_message *message,
                                             void *analysis);

/** A call whose code was analysed before. */
static evmc12_result call_analysed(bench_evmc_world *world, const evmc12_message *message, const bench_evmc_call *call_)
{
    bench_evmc_frame frame;
    bench_evmc_call_begin(world, &frame, &message->head, &message->code_address);
    evmc12_result result = {.head = frame.result};
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
    const evmc12_message message = {
        .head = bench_evmc_head(call_->message),
        .code_address = call_->message->code_address,
    };
    const evmc12_result result = call_->analysis != NULL ? call_analysed(world, &message, call_)
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
        [CEVM_FRONTIER] = EVMC12_FRONTIER,
        [CEVM_HOMESTEAD] = EVMC12_HOMESTEAD,
        [CEVM_TANGERINE_WHISTLE] = EVMC12_TANGERINE_WHISTLE,
        [CEVM_SPURIOUS_DRAGON] = EVMC12_SPURIOUS_DRAGON,
        [CEVM_BYZANTIUM] = EVMC12_BYZANTIUM,
        [CEVM_CONSTANTINOPLE] = EVMC12_CONSTANTINOPLE,
        [CEVM_PETERSBURG] = EVMC12_PETERSBURG,
        [CEVM_ISTANBUL] = EVMC12_ISTANBUL,
        [CEVM_BERLIN] = EVMC12_BERLIN,
        [CEVM_LONDON] = EVMC12_LONDON,
        [CEVM_PARIS] = EVMC12_PARIS,
        [CEVM_SHANGHAI] = EVMC12_SHANGHAI,
        [CEVM_CANCUN] = EVMC12_CANCUN,
        [CEVM_PRAGUE] = EVMC12_PRAGUE,
        [CEVM_OSAKA] = EVMC12_OSAKA,
    };
    return of_fork[fork];
}

static const char *name(const void *vm) { return ((const evmc12_vm *)vm)->name; }
static const char *version(const void *vm) { return ((const evmc12_vm *)vm)->version; }

static void destroy(void *vm)
{
    evmc12_vm *machine = vm;
    machine->destroy(machine);
}

const bench_evmc_abi bench_evmc_abi12 = {
    .name = name,
    .version = version,
    .destroy = destroy,
    .revision = revision,
    .run = run,
};
