/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/simulate.h: eth_simulateV1: blocks that might follow, made of calls, on a state that is dropped afterwards.
 *
 *   simulate_input.c   what is asked for: blocks in order, gaps filled
 *   simulate_state.c   the state they are made on, with their own block hashes
 *   simulate_logs.c    logs, and transfers of ether as if they were logs
 *   simulate_block.c   one block
 *   eth_simulate.c     the method
 *
 * Everything lives in the call's arena, or ends with cevm_simulation_close. Threads: one thread's.
 */
#ifndef CEVM_RPC_SIMULATE_H
#define CEVM_RPC_SIMULATE_H

#include "rpc/call_args.h"
#include "rpc/find.h"
#include "rpc/overrides.h"

enum {
    CEVM_SIMULATE_MAX_BLOCKS = 256,
    CEVM_SIMULATE_BLOCK_SECONDS = 12, /* between blocks whose time is not said */
    CEVM_SIMULATE_NONCE_TOO_LOW = -38010,
    CEVM_SIMULATE_NONCE_TOO_HIGH = -38011,
    CEVM_SIMULATE_BASE_FEE_TOO_LOW = -38012,
    CEVM_SIMULATE_INTRINSIC_GAS = -38013,
    CEVM_SIMULATE_FUNDS = -38014,
    CEVM_SIMULATE_BLOCK_GAS = -38015,
    CEVM_SIMULATE_BLOCK_NUMBER = -38020,
    CEVM_SIMULATE_TIMESTAMP = -38021,
    CEVM_SIMULATE_SENDER_NOT_EOA = -38024,
    CEVM_SIMULATE_INITCODE = -38025,
    CEVM_SIMULATE_TOO_MANY = -38026,
    CEVM_SIMULATE_VM_ERROR = -32015
};

/** A block that is asked for; number and time are always set. */
typedef struct cevm_simulate_block {
    cevm_block_overrides overrides;
    cevm_state_overrides state;
    const json_t *calls; /* an array, or NULL */
} cevm_simulate_block;

/** What is asked for. */
typedef struct cevm_simulate_input {
    cevm_simulate_block *blocks;
    size_t count;
    bool traces_transfers;
    bool validates; /* as a real chain would: nonces, fees */
    bool shows_transactions;
} cevm_simulate_input;

/** Reads parameter 0, on top of `base`. False: the call failed. */
bool cevm_simulate_input_read(cevm_simulate_input *out, cevm_rpc_call *call, const cevm_header *base);

/* ---- The state ------------------------------------------------------------------------------------------------------ */

/** A block that was made. */
typedef struct cevm_simulated {
    cevm_header header;
    cevm_hash hash;
} cevm_simulated;

/** The backend of the state: a branch of the chain's, with the hashes of the blocks made here. */
typedef struct cevm_simulate_backend {
    cevm_db below; /* first: state/layer.h */
    const cevm_world *world;
    uint64_t base; /* number of the block all begins with */
    const cevm_simulated *blocks;
    size_t count;
} cevm_simulate_backend;

typedef struct cevm_simulation {
    cevm_rpc_call *call;
    const cevm_allocator *allocator;
    cevm_view view; /* of the block all begins with; the caller's */
    cevm_simulate_input input;
    cevm_treedb *db;
    cevm_simulate_backend backend;
    cevm_state *state;
    cevm_vm *vm;
    cevm_simulated *blocks; /* with room for all */
    size_t count;
    uint64_t gas_left; /* of what the node lets one request have */
    uint64_t deadline_ns;
} cevm_simulation;

/** Makes state and VM; input and view must be set. False: the call failed; close it all the same. */
bool cevm_simulation_open(cevm_simulation *s);
void cevm_simulation_close(cevm_simulation *s);
/* ---- Logs ----------------------------------------------------------------------------------------------------------- */

/** Gathers the logs of a transaction, and transfers of ether as logs of ERC-7528's address in between. */
typedef struct cevm_transfer_logs {
    cevm_tracer tracer;
    cevm_state *state;
    cevm_arena *arena;
    cevm_log *logs;
    size_t count;
    size_t capacity;
    size_t *frames; /* how many logs there were when each open frame began */
    size_t depth;
    size_t frame_capacity;
    bool has_pending; /* a SELFDESTRUCT that has begun */
    cevm_log pending;
    bool failed; /* memory ran out */
} cevm_transfer_logs;

const cevm_tracer *cevm_transfer_logs_begin(cevm_transfer_logs *out, cevm_state *state, cevm_arena *arena);

/* ---- A block -------------------------------------------------------------------------------------------------------- */

/** Makes block `index` of the input and writes it. False: the call failed. */
bool cevm_simulate_block_run(cevm_simulation *s, size_t index);

#endif
