/* SPDX-License-Identifier: Apache-2.0 */
/**
 * bench/evmc_peer.h: an EVMC machine behind one interface, whichever ABI it speaks.
 */
#ifndef CEVM_BENCH_EVMC_PEER_H
#define CEVM_BENCH_EVMC_PEER_H

#include "bench/evmc_host.h"

/** A function of a shared object; cast to what it is before it is called. */
typedef void (*bench_evmc_function)(void);

/**
 * EVMC has no word for code that was analysed before: every execution analyses anew. A shared object may export these three
 * besides; the outermost frame of a warm run is then run by them.
 *
 *     void *bench_analyse(const uint8_t *code, size_t size);
 *     void bench_release(void *analysis);
 *     struct evmc_result bench_execute(vm, host, context, revision, message, analysis);   as vm->execute
 */
typedef void *(*bench_evmc_analyse_fn)(const uint8_t *code, size_t size);
typedef void (*bench_evmc_release_fn)(void *analysis);

/** A top-level message; the analysis and what runs it are NULL for vm->execute. */
typedef struct bench_evmc_call {
    const cevm_message *message;
    void *analysis;
    bench_evmc_function execute_analysed;
} bench_evmc_call;

/** Looks at a result before it is released. */
typedef void (*bench_evmc_take)(void *user, const evmc_result_head *result);

/** What differs between the ABIs. */
typedef struct bench_evmc_abi {
    const char *(*name)(const void *vm);
    const char *(*version)(const void *vm);
    void (*destroy)(void *vm);
    int (*revision)(cevm_fork fork);
    /** Runs a message to its end; take may be NULL. */
    void (*run)(bench_evmc_world *world, const bench_evmc_call *call, bench_evmc_take take, void *user);
} bench_evmc_abi;

extern const bench_evmc_abi bench_evmc_abi12;
extern const bench_evmc_abi bench_evmc_abi18;

/** The head of a top-level message. */
static inline evmc_message_head bench_evmc_head(const cevm_message *message)
{
    evmc_message_head head = {
        .kind = message->kind == CEVM_CREATE ? EVMC_CREATE : EVMC_CALL,
        .flags = (message->is_static ? EVMC_STATIC : 0U) | (message->disable_precompiles ? EVMC_DELEGATED : 0U),
        .gas = message->gas,
        .recipient = message->recipient,
        .sender = message->sender,
        .input_data = message->input.data,
        .input_size = message->input.size,
    };
    cevm_u256_to_be(head.value.bytes, &message->value);
    return head;
}

#endif
