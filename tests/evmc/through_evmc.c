/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the program cevm run every message through a machine that speaks EVMC: linked with --wrap=cevm_vm_execute, so
 * that the official tests go over EVMC's host (bench/evmc_host.h) and the shared object that EVMC_MACHINE names,
 * frame by frame. Traces, which EVMC has not, stay with the library.
 */
#include "bench/evmc_peer.h"
#include "evm/evmc/abi12.h"
#include "evm/evmc/abi18.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

cevm_err __real_cevm_vm_execute(cevm_vm *vm, cevm_result *out, const cevm_message *msg, const cevm_block_env *block,
                                const cevm_tx_env *tx, const cevm_host *host, const cevm_tracer *tracer);
cevm_err __wrap_cevm_vm_execute(cevm_vm *vm, cevm_result *out, const cevm_message *msg, const cevm_block_env *block,
                                const cevm_tx_env *tx, const cevm_host *host, const cevm_tracer *tracer);

static pthread_once_t once = PTHREAD_ONCE_INIT;
static void *machine; /* all threads use the same */
static const bench_evmc_abi *abi;

static _Thread_local uint8_t *output; /* of the last message of this thread; lives as long as the process */

static void load_machine(void)
{
    const char *path = getenv("EVMC_MACHINE");
    void *library = path != NULL ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    void *(*create)(void) = NULL;
    void *const symbol = library != NULL ? dlsym(library, "evmc_create") : NULL;
    memcpy(&create, &symbol, sizeof create);
    machine = create != NULL ? create() : NULL;
    if (machine == NULL) {
        (void)fputs("EVMC_MACHINE must name a shared object with a function evmc_create\n", stderr);
        exit(EXIT_FAILURE);
    }
    abi = *(const int *)machine == EVMC12_ABI_VERSION ? &bench_evmc_abi12 : &bench_evmc_abi18;
}

static void take(void *user, const evmc_result_head *result)
{
    cevm_result *out = user;
    const int status = result->status_code;
    free(output);
    output = malloc(result->output_size + 1);
    if (output == NULL) {
        abort();
    }
    if (result->output_size != 0) {
        memcpy(output, result->output_data, result->output_size);
    }
    *out = (cevm_result){
        .status = status == EVMC_SUCCESS ? CEVM_STATUS_RETURN
                  : status == EVMC_REVERT
                      ? CEVM_STATUS_REVERT
                      : CEVM_STATUS_OUT_OF_GAS, /* or another halt: all are alike to a transaction */
        .gas = {.left = result->gas_left, .refund = result->gas_refund},
        .output = {output, result->output_size},
    };
    if (status < 0) {
        (void)fprintf(stderr, "the machine gave up: %d\n", status);
        abort();
    }
}

cevm_err __wrap_cevm_vm_execute(cevm_vm *vm, cevm_result *out, const cevm_message *msg, const cevm_block_env *block,
                                const cevm_tx_env *tx, const cevm_host *host, const cevm_tracer *tracer)
{
    (void)pthread_once(&once, load_machine);
    /* ABI 18 has no Constantinople, which no chain that lasts has run. */
    const bool unknown = abi == &bench_evmc_abi18 && block->fork == CEVM_CONSTANTINOPLE;
    if (tracer != NULL || unknown) {
        return __real_cevm_vm_execute(vm, out, msg, block, tx, host, tracer);
    }
    bench_evmc_world world = {.revision = abi->revision(block->fork), .vm = machine};
    const bench_evmc_call call = {.message = msg};
    bench_evmc_begin(&world, host, block, tx);
    abi->run(&world, &call, take, out);
    return world.err;
}
