/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcevm-evmc18.so: EVMC's ABI 18. The machine guards the nonce of a creation (EIP-2681), derives the address and
 * warms it.
 */
#include "evm/evmc/abi18.h"
#include "evm/evmc/adapter.h"

typedef struct machine18 {
    evmc18_vm vm; /* first: what the host holds */
    cevm_evmc_machine machine;
} machine18;

static const evmc18_host_interface *host_of(const cevm_evmc_run *run) { return run->host; }

static bool access_account(const cevm_evmc_run *run, const cevm_address *address)
{
    return host_of(run)->access_account(run->context, address);
}

static bool access_storage(const cevm_evmc_run *run, const cevm_address *address, const cevm_hash *key)
{
    return host_of(run)->access_storage(run->context, address, key);
}

/** What must hold before a creation begins; its address, which is warm from here on even if it fails (EIP-2929). */
static int begin_create(const cevm_evmc_run *run, cevm_message *msg)
{
    const uint64_t nonce = host_of(run)->get_nonce(run->context, &msg->sender);
    if (nonce == UINT64_MAX) {
        return CEVM_STATUS_NONCE_OVERFLOW;
    }
    if (msg->kind == CEVM_CREATE) { /* that of CREATE2 is there */
        cevm_create_address(&msg->recipient, &msg->sender, nonce);
    }
    if (CEVM_HAS_EIP(run->fork, 2929)) {
        (void)access_account(run, &msg->recipient);
    }
    return OP_NEXT;
}

static evmc_tx_context_head tx_context(const cevm_evmc_run *run)
{
    return host_of(run)->get_tx_context(run->context).head;
}

static int call(cevm_evmc_run *run, cevm_vm *vm, const evmc_message_head *head)
{
    cevm_message *msg = &vm->pending.msg;
    evmc18_message message = {.head = *head, .code_address = msg->code_address};
    if (head->kind == EVMC_CREATE || head->kind == EVMC_CREATE2) {
        const int status = begin_create(run, msg);
        if (status != OP_NEXT) {
            return status;
        }
        message.head.recipient = msg->recipient;
    }
    const evmc18_result result = host_of(run)->call(run->context, &message);
    const int status = cevm_evmc_take(run, vm, &result.head);
    if (result.head.release != NULL) {
        result.head.release(&result.head);
    }
    return status;
}

/** A fork, or CEVM_FORK_COUNT for what is not known here. */
static cevm_fork fork_of(int revision)
{
    static const cevm_fork forks[] = {
        [EVMC18_FRONTIER] = CEVM_FRONTIER,
        [EVMC18_HOMESTEAD] = CEVM_HOMESTEAD,
        [EVMC18_TANGERINE_WHISTLE] = CEVM_TANGERINE_WHISTLE,
        [EVMC18_SPURIOUS_DRAGON] = CEVM_SPURIOUS_DRAGON,
        [EVMC18_BYZANTIUM] = CEVM_BYZANTIUM,
        [EVMC18_PETERSBURG] = CEVM_PETERSBURG,
        [EVMC18_ISTANBUL] = CEVM_ISTANBUL,
        [EVMC18_BERLIN] = CEVM_BERLIN,
        [EVMC18_LONDON] = CEVM_LONDON,
        [EVMC18_PARIS] = CEVM_PARIS,
        [EVMC18_SHANGHAI] = CEVM_SHANGHAI,
        [EVMC18_CANCUN] = CEVM_CANCUN,
        [EVMC18_PRAGUE] = CEVM_PRAGUE,
        [EVMC18_OSAKA] = CEVM_OSAKA,
    };
    const size_t count = sizeof forks / sizeof forks[0];
    return revision >= 0 && (size_t)revision < count ? forks[revision] : CEVM_FORK_COUNT;
}

static evmc18_result execute(evmc18_vm *vm, const evmc18_host_interface *host, evmc_host_context *context, int revision,
                             const evmc18_message *message, const uint8_t *code, size_t code_size)
{
    static const cevm_evmc_abi abi = {access_account, access_storage, tx_context, call};
    machine18 *self = (machine18 *)(void *)vm;
    const cevm_fork fork = fork_of(revision);
    if (fork == CEVM_FORK_COUNT) {
        return (evmc18_result){.head = {.status_code = EVMC_REJECTED}};
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
    return (evmc18_result){.head =
                               cevm_evmc_execute(&self->machine, &run, &message->head, (cevm_bytes){code, code_size})};
}

static int set_option(evmc18_vm *vm, const char *name, const char *value)
{
    return cevm_evmc_set_option(&((machine18 *)(void *)vm)->machine, name, value);
}

static void destroy(evmc18_vm *vm)
{
    machine18 *self = (machine18 *)(void *)vm;
    cevm_evmc_machine_destroy(&self->machine);
    cevm_free(NULL, self);
}

/** What EVMC's loader looks for; NULL when memory runs out. */
CEVM_API evmc18_vm *evmc_create_cevm_evmc18(void);
CEVM_API evmc18_vm *evmc_create(void);

evmc18_vm *evmc_create_cevm_evmc18(void)
{
    machine18 *self = cevm_zalloc(NULL, sizeof *self);
    if (self == NULL || !cevm_evmc_machine_init(&self->machine)) {
        cevm_free(NULL, self);
        return NULL;
    }
    self->vm = (evmc18_vm){EVMC18_ABI_VERSION, "cevm", cevm_version(), destroy, execute, set_option};
    return &self->vm;
}

evmc18_vm *evmc_create(void) { return evmc_create_cevm_evmc18(); }
