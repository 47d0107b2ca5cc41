/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cevm/vm.h: run one message (a call or a contract creation) over a host.
 *
 * This is the lowest of three levels: it knows bytecode, gas and frames, and asks the host for everything else. For a
 * whole transaction over a state backend see cevm/transition.h.
 *
 * Threads: one VM per thread at a time. Different VMs are independent.
 */
#ifndef CEVM_VM_H
#define CEVM_VM_H

#include <cevm/forks.h>
#include <cevm/host.h>
#include <cevm/precompile.h>
#include <cevm/tracer.h>
#include <cevm/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How a frame ended; the values are in ranges (see status.def). */
typedef enum cevm_status {
#define STATUS(id, value, text) CEVM_STATUS_##id = (value),
#include <cevm/status.def>
#undef STATUS
} cevm_status;

/** A short phrase for a status, geth's where geth has one; static storage, never NULL. */
CEVM_API const char *cevm_status_string(cevm_status status);

static inline bool cevm_status_is_success(cevm_status s) { return (int)s < 16; }
/** Ended without success, but gas that is left is returned and (for REVERT) output is kept. */
static inline bool cevm_status_is_revert(cevm_status s) { return (int)s >= 16 && (int)s < 32; }
/** Exceptional halt: all gas of the frame is gone and there is no output. */
static inline bool cevm_status_is_halt(cevm_status s) { return (int)s >= 32; }

/** Gas of a frame, in gas units. */
typedef struct cevm_gas {
    int64_t left;   /* what may still be spent; never negative in a result */
    int64_t refund; /* refund counter (SSTORE, SELFDESTRUCT); may pass below zero inside a frame */
} cevm_gas;

typedef enum cevm_call_kind {
    CEVM_CALL,
    CEVM_CALLCODE,
    CEVM_DELEGATECALL,
    CEVM_STATICCALL,
    CEVM_CREATE,
    CEVM_CREATE2
} cevm_call_kind;

/** What is the same for every transaction of a block. Units: wei, gas, seconds. */
typedef struct cevm_block_env {
    cevm_fork fork;
    cevm_address coinbase;
    uint64_t number;
    uint64_t timestamp;
    uint64_t gas_limit;
    cevm_u256 base_fee;      /* EIP-1559; zero before London */
    cevm_u256 difficulty;    /* before Paris */
    cevm_hash prev_randao;   /* EIP-4399, from Paris */
    cevm_u256 blob_base_fee; /* EIP-7516: the price of one unit of blob gas in this block */
    uint64_t max_blobs;      /* EIP-4844/7691: blobs a block may hold; 0 before Cancun */
    uint64_t chain_id;       /* EIP-155, EIP-1344 */
} cevm_block_env;

/** What is the same for every frame of a transaction. */
typedef struct cevm_tx_env {
    cevm_address origin;
    cevm_u256 gas_price;          /* effective price, wei per gas */
    const cevm_hash *blob_hashes; /* EIP-4844 versioned hashes; borrowed for the execution */
    size_t blob_hash_count;
} cevm_tx_env;

/**
 * One message. The VM does the checkpoint, the value transfer and, for a creation, everything from the collision check
 * (which warms the new address) to the storing of code. It does not charge intrinsic gas, bump the nonce of the sender of
 * a top-level message, or warm sender and recipient: that is the transition's work.
 */
typedef struct cevm_message {
    cevm_call_kind kind;      /* CEVM_CALL or CEVM_CREATE at top level */
    bool is_static;           /* EIP-214 */
    bool disable_precompiles; /* EIP-7702: the code came by delegation, an address of a precompile is then empty code */
    int64_t gas;              /* gas units, >= 0 */
    cevm_address sender;
    cevm_address recipient;    /* account whose storage and balance are used; for CEVM_CREATE the new address */
    cevm_address code_address; /* account whose code runs; ignored for CEVM_CREATE */
    cevm_u256 value;           /* wei */
    cevm_bytes input;          /* calldata, or initcode for CEVM_CREATE; borrowed; never an earlier output of this VM */
} cevm_message;

/** What came of a message. */
typedef struct cevm_result {
    cevm_status status;
    cevm_gas gas;      /* what is left, and the refund counter of the whole message (zero unless success) */
    cevm_bytes output; /* return or revert data; owned by the VM, valid until its next call */
} cevm_result;

/**
 * Decoded code by code hash and fork, for VMs to share. Any number of VMs, on any threads, may use one at the same time.
 */
typedef struct cevm_code_cache cevm_code_cache;

/**
 * Makes a cache that keeps at most max_bytes of decoded code (0 = 64 MiB), dropping what was used least recently; what runs
 * at the moment stays beyond that. The allocator (NULL = libc) must be safe on every thread that uses the cache, and must
 * outlive it. Errors: CEVM_ERR_NOMEM.
 */
CEVM_API cevm_err cevm_code_cache_create(cevm_code_cache **out, const cevm_allocator *allocator, size_t max_bytes);

/** Frees a cache; NULL is allowed. Every VM that was given it must have been destroyed. */
CEVM_API void cevm_code_cache_destroy(cevm_code_cache *cache);

/** What runs bytecode. The results are the same. */
typedef enum cevm_engine {
    CEVM_ENGINE_AUTO,  /* code begins in the exact engine and is decoded when it has run long enough to be worth it */
    CEVM_ENGINE_EXACT, /* byte by byte; what a tracer with steps always gets */
    CEVM_ENGINE_BLOCK  /* decoded before it runs for the first time */
} cevm_engine;

/** Limits and services of a VM. Zero-initialise, set struct_size, fill what you need. */
typedef struct cevm_vm_config {
    size_t struct_size;              /* sizeof(cevm_vm_config) */
    const cevm_allocator *allocator; /* NULL = libc; must outlive the VM */
    size_t memory_limit;             /* bytes of EVM memory over all frames together; 0 = 4 GiB */
    /**
     * Looked at in each call and every 4096 jumps; NULL = never. Any thread may set it, as an atomic (__atomic_store_n); it is
     * read as one.
     */
    const volatile bool *cancel;
    uint64_t deadline_ns; /* CLOCK_MONOTONIC nanoseconds at which execution stops; 0 = none */
    const cevm_precompile_change *precompile_changes; /* see cevm/precompile.h; must outlive the VM; NULL = none */
    size_t precompile_change_count;
    cevm_code_cache *code_cache; /* must outlive the VM; NULL = one of its own */
    cevm_engine engine;
    size_t
        max_code_size; /* bytes, instead of EIP-170's limit; EIP-3860's is then twice that; 0 = as the EIPs have it */
} cevm_vm_config;

typedef struct cevm_vm cevm_vm;

/** Makes a VM. config may be NULL. Errors: CEVM_ERR_NOMEM, CEVM_ERR_ARGUMENT. */
CEVM_API cevm_err cevm_vm_create(cevm_vm **out, const cevm_vm_config *config);

/** Frees a VM; NULL is allowed. */
CEVM_API void cevm_vm_destroy(cevm_vm *vm);

/** Moves the deadline (CLOCK_MONOTONIC nanoseconds, 0 = none) for the executions that follow. */
CEVM_API void cevm_vm_set_deadline(cevm_vm *vm, uint64_t deadline_ns);
/** Changes the flag that cancels the executions that follow (NULL = none). */
CEVM_API void cevm_vm_set_cancel(cevm_vm *vm, const volatile bool *cancel);

/**
 * Warms every precompiled contract that is active at a fork under the VM's changes, as a transaction does before it runs
 * (EIP-2929); an address that becomes a precompile only later stays cold. Errors: the host's.
 */
CEVM_API cevm_err cevm_vm_warm_precompiles(const cevm_vm *vm, const cevm_host *host, cevm_fork fork);

/**
 * Runs one message to its end.
 *
 * @param vm     context
 * @param out    result; meaningful only when CEVM_OK is returned
 * @param msg    the message
 * @param block  block environment, @param tx transaction environment: borrowed for the call
 * @param host   state access; its errors come back unchanged
 * @param tracer observer, or NULL
 * @return CEVM_OK when the message ran, whatever its status; CEVM_ERR_NOMEM, CEVM_ERR_BACKEND, CEVM_ERR_LIMIT,
 *         CEVM_ERR_CANCELLED, CEVM_ERR_NOT_BUILT otherwise: the host has then been reverted to where it was, and the
 *         execution must not be used for anything.
 */
CEVM_API cevm_err cevm_vm_execute(cevm_vm *vm, cevm_result *out, const cevm_message *msg, const cevm_block_env *block,
                                  const cevm_tx_env *tx, const cevm_host *host, const cevm_tracer *tracer);

/** The address CREATE gives: keccak256(rlp([sender, nonce]))[12:]. */
CEVM_API void cevm_create_address(cevm_address *out, const cevm_address *sender, uint64_t nonce);

/** The address CREATE2 gives: keccak256(0xff ‖ sender ‖ salt ‖ keccak256(initcode))[12:] (EIP-1014). */
CEVM_API void cevm_create2_address(cevm_address *out, const cevm_address *sender, const cevm_hash *salt,
                                   const cevm_hash *initcode_hash);

/** Whether code is a delegation designation (0xef0100 ‖ address, EIP-7702); *out receives the address. */
CEVM_API bool cevm_delegation_target(cevm_address *out, cevm_bytes code);

#ifdef __cplusplus
}
#endif
#endif
