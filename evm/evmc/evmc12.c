/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcevm-evmc12.so: EVMC's ABI 12. The host derives the address of a creation, warms it and guards the nonce
 * (EIP-2681).
 */
#include "evm/evmc/abi12.h"
#include "evm/evmc/adapter.h"

typedef struct machine12 {
    evmc12_vm vm; /* first: what the host holds */
    cevm_evmc_machine machine;
} machine12;

static const evmc12_host_interface *host_of(const cevm_evmc_run *run) { return run->host; }

static bool access_account(const cevm_evmc_run *run, const cevm_address *address)
{
    return host_of(run)->access_account(run->context, address) != 0;
}

static bool access_storage(const cevm_evmc_run *run, const cevm_address *address, const cevm_hash *key)
{
    return host_of(run)->access_storage(run->context, address, key) != 0;
}

static evmc_tx_context_head tx_context(const cevm_evmc_run *run)
{
    return host_of(run)->get_tx_context(run->context).head;
}

static int call(cevm_evmc_run *run, cevm_vm *vm, const evmc_message_head *head)
{
    evmc12_message message = {.head = *head, .code_address = vm->pending.msg.code_address};
    if (head->kind == EVMC_CREATE || head->kind == EVMC_CREATE2) {
        message.head.recipient = (cevm_address){{0}};
        cevm_u256_to_be(message.create2_salt.bytes, &vm->pending.salt);
    }
    const evmc12_result result = host_of(run)->call(run->context, &message);
    const int status = cevm_evmc_take(run, vm, &result.head);
    vm->pending.msg.recipient = result.create_address;
    if (result.head.release != NULL) {
        result.head.release(&result.head);
    }
    return status;
}

/** A fork, or CEVM_FORK_COUNT for what is not known here. */
static cevm_fork fork_of(int revision)
{
    static const cevm_fork forks[] = {
        [EVMC12_FRONTIER] = CEVM_FRONTIER,
        [EVMC12_HOMESTEAD] = CEVM_HOMESTEAD,
        [EVMC12_TANGERINE_WHISTLE] = CEVM_TANGERINE_WHISTLE,
        [EVMC12_SPURIOUS_DRAGON] = CEVM_SPURIOUS_DRAGON,
        [EVMC12_BYZANTIUM] = CEVM_BYZANTIUM,
        [EVMC12_CONSTANTINOPLE] = CEVM_CONSTANTINOPLE,
        [EVMC12_PETERSBURG] = CEVM_PETERSBURG,
        [EVMC12_ISTANBUL] = CEVM_ISTANBUL,
        [EVMC12_BERLIN] = CEVM_BERLIN,
        [EVMC12_LONDON] = CEVM_LONDON,
        [EVMC12_PARIS] = CEVM_PARIS,
        [EVMC12_SHANGHAI] = CEVM_SHANGHAI,
        [EVMC12_CANCUN] = CEVM_CANCUN,
        [EVMC12_PRAGUE] = CEVM_PRAGUE,
        [EVMC12_OSAKA] = CEVM_OSAKA,
    };
    const size_t count = sizeof forks / sizeof forks[0];
    return revision >= 0 && (size_t)revision < count ? forks[revision] : CEVM_FORK_COUNT;
}

static evmc12_result execute(evmc12_vm *vm, const evmc12_host_interface *host, evmc_host_context *context, int revision,
                             const evmc12_message *message, const uint8_t *code, size_t code_size)
{
    static const cevm_evmc_abi abi = {access_account, access_storage, tx_context, call};
    machine12 *self = (machine12 *)(void *)vm;
    const cevm_fork fork = fork_of(revision);
    if (fork == CEVM_FORK_COUNT) {
        return (evmc12_result){.head = {.status_code = EVMC_REJECTED}};
    }
    cevm_evmc_run run = {
        .abi = &abi,
        .callbacks = {host->account_exists, host->get_storage, host->set_storage, host->get_balance,
                      host->get_code_hash, host->get_code_size, host->copy_code, host->selfdestruct,
                      host->get_block_hash, host->emit_log, host->get_transient_storage, host->set_transient_storage},
        .host = host,
        .context = context,
        .fork = fork,
    };
    return (evmc12_result){.head =
                               cevm_evmc_execute(&self->machine, &run, &message->head, (cevm_bytes){code, code_size})};
}

static uint32_t get_capabilities(evmc12_vm *vm)
{
    (void)vm;
    return EVMC12_CAPABILITY_EVM1;
}

static int set_option(evmc12_vm *vm, const char *name, const char *value)
{
    return cevm_evmc_set_option(&((machine12 *)(void *)vm)->machine, name, value);
}

static void destroy(evmc12_vm *vm)
{
    machine12 *self = (machine12 *)(void *)vm;
    cevm_evmc_machine_destroy(&self->machine);
    cevm_free(NULL, self);
}

/** What EVMC's loader looks for; NULL when memory runs out. */
CEVM_API evmc12_vm *evmc_create_cevm_evmc12(void);
CEVM_API evmc12_vm *evmc_create(void);

evmc12_vm *evmc_create_cevm_evmc12(void)
{
    machine12 *self = cevm_zalloc(NULL, sizeof *self);
    if (self == NULL || !cevm_evmc_machine_init(&self->machine)) {
        cevm_free(NULL, self);
        return NULL;
    }
    self->vm = (evmc12_vm){EVMC12_ABI_VERSION, "cevm", cevm_version(), destroy, execute, get_capabilities, set_option};
    return &self->vm;
}

evmc12_vm *evmc_create(void) { return evmc_create_cevm_evmc12(); }
