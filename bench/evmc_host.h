/* SPDX-License-Identifier: Apache-2.0 */
/**
 * bench/evmc_host.h: a cevm_host behind EVMC's callbacks. What the ABIs share is here; evmc_peer12.c and evmc_peer18.c add
 * what differs.
 *
 * EVMC's callbacks cannot fail. The first error of the host is kept in `err`, the callback answers with zeros, and whoever
 * started the execution looks at `err` when it is over.
 */
#ifndef CEVM_BENCH_EVMC_HOST_H
#define CEVM_BENCH_EVMC_HOST_H

#include <cevm/vm.h>

#include "evm/evmc/abi.h"

/** What the host of one execution knows; a machine sees it as evmc_host_context. */
typedef struct bench_evmc_world {
    cevm_host host;
    const cevm_block_env *block;
    const cevm_tx_env *tx;
    evmc_tx_context_head context; /* the two above as EVMC wants them */
    int revision;                 /* of the machine's ABI */
    void *vm;                     /* the machine: evmc12_vm or evmc18_vm */
    cevm_err err;
} bench_evmc_world;

static inline bench_evmc_world *bench_evmc_world_of(evmc_host_context *context)
{
    return (bench_evmc_world *)(void *)context;
}

/** Fills in the context and forgets an error. */
void bench_evmc_begin(bench_evmc_world *world, const cevm_host *host, const cevm_block_env *block,
                      const cevm_tx_env *tx);

bool bench_evmc_account_exists(evmc_host_context *context, const cevm_address *address);
cevm_hash bench_evmc_get_storage(evmc_host_context *context, const cevm_address *address, const cevm_hash *key);
int bench_evmc_set_storage(evmc_host_context *context, const cevm_address *address, const cevm_hash *key,
                           const cevm_hash *value);
cevm_hash bench_evmc_get_balance(evmc_host_context *context, const cevm_address *address);
uint64_t bench_evmc_get_nonce(evmc_host_context *context, const cevm_address *address);
size_t bench_evmc_get_code_size(evmc_host_context *context, const cevm_address *address);
cevm_hash bench_evmc_get_code_hash(evmc_host_context *context, const cevm_address *address);
size_t bench_evmc_copy_code(evmc_host_context *context, const cevm_address *address, size_t offset, uint8_t *buffer,
                            size_t size);
bool bench_evmc_selfdestruct(evmc_host_context *context, const cevm_address *address, const cevm_address *beneficiary);
cevm_hash bench_evmc_get_block_hash(evmc_host_context *context, int64_t number);
void bench_evmc_emit_log(evmc_host_context *context, const cevm_address *address, const uint8_t *data, size_t data_size,
                         const cevm_hash *topics, size_t topics_count);
cevm_hash bench_evmc_get_transient_storage(evmc_host_context *context, const cevm_address *address,
                                           const cevm_hash *key);
void bench_evmc_set_transient_storage(evmc_host_context *context, const cevm_address *address, const cevm_hash *key,
                                      const cevm_hash *value);
/** Whether the account was warm already. */
bool bench_evmc_warm_account(evmc_host_context *context, const cevm_address *address);
bool bench_evmc_warm_storage(evmc_host_context *context, const cevm_address *address, const cevm_hash *key);

/* ---- Messages ---------------------------------------------------------------------------------------------------- */

/** How far a message has come. */
typedef struct bench_evmc_frame {
    cevm_checkpoint start;
    cevm_bytes code; /* to run; empty when `done` */
    bool done;       /* there is nothing to run: `result` is what came of it */
    evmc_result_head result;
} bench_evmc_frame;

/** Begins a call: moves the value, runs a precompiled contract, finds the code. */
void bench_evmc_call_begin(bench_evmc_world *world, bench_evmc_frame *frame, const evmc_message_head *message,
                           const cevm_address *code_address);
/**
 * Begins a creation at `address`: bumps the nonce of the creator (below top level), looks for a collision, begins the account
 * and moves the value. The code is the message's input.
 */
void bench_evmc_create_begin(bench_evmc_world *world, bench_evmc_frame *frame, const evmc_message_head *message,
                             const cevm_address *address);
/** Ends a creation that ran: stores the code that the result holds, or says why not. */
void bench_evmc_create_end(bench_evmc_world *world, evmc_result_head *result, const cevm_address *address);
/** Ends a message: undoes what it did unless it was a success. */
void bench_evmc_message_end(bench_evmc_world *world, const bench_evmc_frame *frame, const evmc_result_head *result);

#endif
