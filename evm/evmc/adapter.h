/* SPDX-License-Identifier: Apache-2.0 */
/**
 * evm/evmc/adapter.h: the VM as a machine behind EVMC. What the ABIs share is in adapter.c and host.c; evmc12.c and
 * evmc18.c add what differs, and each becomes a shared object of its own.
 *
 * EVMC's host keeps the frames: it moves value, checks and stores code, undoes, runs precompiled contracts, and calls
 * execute once for each frame. So each execution is one frame of a VM whose calls go outside (evm/frame.h), back to
 * the host.
 *
 * Threads: execute may be called on one machine from many threads at once, and from within itself. Everything else
 * may not.
 */
#ifndef CEVM_EVMC_ADAPTER_H
#define CEVM_EVMC_ADAPTER_H

#include "evm/evmc/abi.h"
#include "evm/frame.h"

#include <pthread.h>

typedef struct cevm_evmc_run cevm_evmc_run;

/** The callbacks that are the same in every ABI, wherever in the host's interface they stand. */
typedef struct cevm_evmc_callbacks {
    evmc_account_exists_fn account_exists;
    evmc_get_storage_fn get_storage;
    evmc_set_storage_fn set_storage;
    evmc_get_word_fn get_balance;
    evmc_get_word_fn get_code_hash;
    evmc_get_code_size_fn get_code_size;
    evmc_copy_code_fn copy_code;
    evmc_selfdestruct_fn selfdestruct;
    evmc_get_block_hash_fn get_block_hash;
    evmc_emit_log_fn emit_log;
    evmc_get_storage_fn get_transient_storage;
    evmc_set_transient_storage_fn set_transient_storage;
} cevm_evmc_callbacks;

/** What each ABI does in its own way. */
typedef struct cevm_evmc_abi {
    /** Warms an account or a slot (EIP-2929); true when it was warm already. */
    bool (*access_account)(const cevm_evmc_run *run, const cevm_address *address);
    bool (*access_storage)(const cevm_evmc_run *run, const cevm_address *address, const cevm_hash *key);
    /** Asks for the transaction context. */
    evmc_tx_context_head (*tx_context)(const cevm_evmc_run *run);
    /** Sends a message that the frame may send: a status or OP_ERROR, as cevm_vm.outside. */
    int (*call)(cevm_evmc_run *run, cevm_vm *vm, const evmc_message_head *head);
} cevm_evmc_abi;

/** One execution; the ctx of its cevm_host. */
struct cevm_evmc_run {
    const cevm_evmc_abi *abi;
    cevm_evmc_callbacks callbacks;
    const void *host; /* the interface, of the ABI's type */
    evmc_host_context *context;
    cevm_fork fork;
    int32_t depth;
    cevm_vm *vm;
    cevm_block_env block; /* all but the fork is there when an opcode has asked */
    cevm_tx_env tx;
    bool has_balance; /* SELFDESTRUCT asked for the balance of the account that runs, and will ask again */
    cevm_u256 balance;
    uint8_t code_begin[24]; /* as much of code as tells a delegation (EIP-7702) from all else */
    bool given;             /* code is what execute was given, and has not been asked for yet */
    bool code_known;        /* code is that of code_of */
    cevm_bytes code;        /* what was last asked for */
    cevm_address code_of;
    uint8_t *code_copy; /* owned; NULL as long as nothing was copied */
    int status;         /* below zero: the host said so of a call, and the execution ends with it */
};

/** VMs that wait for work. */
enum { CEVM_EVMC_IDLE = 64 };

/** What is behind a machine. */
typedef struct cevm_evmc_machine {
    pthread_mutex_t lock; /* over the two below */
    cevm_vm *idle[CEVM_EVMC_IDLE];
    size_t idle_count;
    size_t memory_limit; /* bytes of EVM memory of a frame; 0 = the VM's default */
    cevm_engine engine;
    cevm_code_cache *code_cache; /* of all its VMs */
} cevm_evmc_machine;

/** Prepares a machine that is all zeros. False when that fails. */
bool cevm_evmc_machine_init(cevm_evmc_machine *machine);

/** Frees what a machine holds. */
void cevm_evmc_machine_destroy(cevm_evmc_machine *machine);

/**
 * set_option; returns an evmc_set_option_result. "memory-limit": bytes of memory that a frame may have, a decimal
 * number above 0; beyond, the frame ends with EVMC_OUT_OF_MEMORY. "engine": auto, exact or block (cevm_engine).
 */
int cevm_evmc_set_option(cevm_evmc_machine *machine, const char *name, const char *value);

/**
 * Runs code. In `run`, abi, callbacks, host, context and fork are set and the rest is zero. The output belongs to the
 * result. A chain id above 64 bits is rejected, if the code asks for the context.
 */
evmc_result_head cevm_evmc_execute(cevm_evmc_machine *machine, cevm_evmc_run *run, const evmc_message_head *message,
                                   cevm_bytes code);

/** Takes what a call gave over into the VM: a status or OP_ERROR. The result is released by the caller. */
int cevm_evmc_take(cevm_evmc_run *run, cevm_vm *vm, const evmc_result_head *result);

/** The functions of a host that a frame needs; those that only begin a frame are not there. */
extern const cevm_host_vtable cevm_evmc_host;

#endif
