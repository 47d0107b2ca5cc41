/* SPDX-License-Identifier: Apache-2.0 */
/**
 * evm/evmc/abi.h: what EVMC's ABI 12 and ABI 18 have in common, in C17: numbers, and the parts that their structs begin
 * with. abi12.h and abi18.h complete them.
 *
 * EVMC is the interface between an Ethereum client and a virtual machine in a shared object. Addresses and 32-byte
 * words are plain bytes there as here, so cevm_address and cevm_hash stand for them. Fields keep EVMC's names; what
 * they mean is in EVMC's documentation.
 */
#ifndef CEVM_EVMC_ABI_H
#define CEVM_EVMC_ABI_H

#include <cevm/types.h>

typedef enum evmc_call_kind {
    EVMC_CALL = 0,
    EVMC_DELEGATECALL = 1,
    EVMC_CALLCODE = 2,
    EVMC_CREATE = 3,
    EVMC_CREATE2 = 4
} evmc_call_kind;

enum {
    EVMC_STATIC = 1,   /* EIP-214 */
    EVMC_DELEGATED = 2 /* the code came by EIP-7702's delegation */
};

/** How an execution ended. Above zero: revert and exceptional halts. Below: the machine could not run it. */
typedef enum evmc_status_code {
    EVMC_SUCCESS = 0,
    EVMC_FAILURE = 1,
    EVMC_REVERT = 2,
    EVMC_OUT_OF_GAS = 3,
    EVMC_INVALID_INSTRUCTION = 4,
    EVMC_UNDEFINED_INSTRUCTION = 5,
    EVMC_STACK_OVERFLOW = 6,
    EVMC_STACK_UNDERFLOW = 7,
    EVMC_BAD_JUMP_DESTINATION = 8,
    EVMC_INVALID_MEMORY_ACCESS = 9,
    EVMC_CALL_DEPTH_EXCEEDED = 10,
    EVMC_STATIC_MODE_VIOLATION = 11,
    EVMC_PRECOMPILE_FAILURE = 12,
    EVMC_CONTRACT_VALIDATION_FAILURE = 13,
    EVMC_ARGUMENT_OUT_OF_RANGE = 14,
    EVMC_INSUFFICIENT_BALANCE = 17,
    EVMC_INTERNAL_ERROR = -1,
    EVMC_REJECTED = -2,
    EVMC_OUT_OF_MEMORY = -3
} evmc_status_code;

/** What set_option answers. */
typedef enum evmc_set_option_result {
    EVMC_SET_OPTION_SUCCESS = 0,
    EVMC_SET_OPTION_INVALID_NAME = 1,
    EVMC_SET_OPTION_INVALID_VALUE = 2
} evmc_set_option_result;

/** What a write does to a slot, by its original, its current and its new value (EIP-2200). */
typedef enum evmc_storage_status {
    EVMC_STORAGE_ASSIGNED = 0,
    EVMC_STORAGE_ADDED = 1,
    EVMC_STORAGE_DELETED = 2,
    EVMC_STORAGE_MODIFIED = 3,
    EVMC_STORAGE_DELETED_ADDED = 4,
    EVMC_STORAGE_MODIFIED_DELETED = 5,
    EVMC_STORAGE_DELETED_RESTORED = 6,
    EVMC_STORAGE_ADDED_DELETED = 7,
    EVMC_STORAGE_MODIFIED_RESTORED = 8
} evmc_storage_status;

/** The client's own; a machine only passes it back. */
typedef struct evmc_host_context evmc_host_context;

/** The fields that a message of either ABI begins with. */
typedef struct evmc_message_head {
    int32_t kind; /* evmc_call_kind */
    uint32_t flags;
    int32_t depth;
    int64_t gas;
    cevm_address recipient;
    cevm_address sender;
    const uint8_t *input_data;
    size_t input_size;
    cevm_hash value;
} evmc_message_head;

/** The fields that a result of either ABI begins with. release, if there is one, frees what the result points to. */
typedef struct evmc_result_head evmc_result_head;
struct evmc_result_head {
    int32_t status_code; /* evmc_status_code */
    int64_t gas_left;
    int64_t gas_refund;
    const uint8_t *output_data;
    size_t output_size;
    void (*release)(const evmc_result_head *result);
};

/** The fields that a transaction context of either ABI begins with. */
typedef struct evmc_tx_context_head {
    cevm_hash tx_gas_price;
    cevm_address tx_origin;
    cevm_address block_coinbase;
    int64_t block_number;
    int64_t block_timestamp;
    int64_t block_gas_limit;
    cevm_hash block_prev_randao;
    cevm_hash chain_id;
    cevm_hash block_base_fee;
    cevm_hash blob_base_fee;
    const cevm_hash *blob_hashes;
    size_t blob_hashes_count;
} evmc_tx_context_head;

typedef bool (*evmc_account_exists_fn)(evmc_host_context *context, const cevm_address *address);
typedef cevm_hash (*evmc_get_storage_fn)(evmc_host_context *context, const cevm_address *address, const cevm_hash *key);
typedef int (*evmc_set_storage_fn)(evmc_host_context *context, const cevm_address *address, const cevm_hash *key,
                                   const cevm_hash *value); /* evmc_storage_status */
typedef cevm_hash (*evmc_get_word_fn)(evmc_host_context *context, const cevm_address *address); /* balance, code hash */
typedef uint64_t (*evmc_get_nonce_fn)(evmc_host_context *context, const cevm_address *address);
typedef size_t (*evmc_get_code_size_fn)(evmc_host_context *context, const cevm_address *address);
typedef size_t (*evmc_copy_code_fn)(evmc_host_context *context, const cevm_address *address, size_t offset,
                                    uint8_t *buffer, size_t size);
typedef bool (*evmc_selfdestruct_fn)(evmc_host_context *context, const cevm_address *address,
                                     const cevm_address *beneficiary);
typedef cevm_hash (*evmc_get_block_hash_fn)(evmc_host_context *context, int64_t number);
typedef void (*evmc_emit_log_fn)(evmc_host_context *context, const cevm_address *address, const uint8_t *data,
                                 size_t data_size, const cevm_hash *topics, size_t topics_count);
typedef void (*evmc_set_transient_storage_fn)(evmc_host_context *context, const cevm_address *address,
                                              const cevm_hash *key, const cevm_hash *value);

/* The ABIs are those of 64-bit machines. */
_Static_assert(sizeof(evmc_message_head) == 112 && offsetof(evmc_message_head, gas) == 16 &&
                   offsetof(evmc_message_head, sender) == 44 && offsetof(evmc_message_head, input_data) == 64 &&
                   offsetof(evmc_message_head, value) == 80,
               "evmc_message");
_Static_assert(sizeof(evmc_result_head) == 48 && offsetof(evmc_result_head, gas_left) == 8 &&
                   offsetof(evmc_result_head, output_data) == 24 && offsetof(evmc_result_head, release) == 40,
               "evmc_result");
_Static_assert(sizeof(evmc_tx_context_head) == 240 && offsetof(evmc_tx_context_head, block_coinbase) == 52 &&
                   offsetof(evmc_tx_context_head, block_number) == 72 &&
                   offsetof(evmc_tx_context_head, block_prev_randao) == 96 &&
                   offsetof(evmc_tx_context_head, blob_hashes) == 224,
               "evmc_tx_context");

#endif
