/* SPDX-License-Identifier: Apache-2.0 */
/**
 * evm/evmc/abi12.h: EVMC's ABI 12, the last that was released on its own (12.1), in C17.
 *
 * The host derives the address of a creation, warms it and returns it in the result.
 */
#ifndef CEVM_EVMC_ABI12_H
#define CEVM_EVMC_ABI12_H

#include "evm/evmc/abi.h"

enum { EVMC12_ABI_VERSION = 12 };

typedef enum evmc12_revision {
    EVMC12_FRONTIER,
    EVMC12_HOMESTEAD,
    EVMC12_TANGERINE_WHISTLE,
    EVMC12_SPURIOUS_DRAGON,
    EVMC12_BYZANTIUM,
    EVMC12_CONSTANTINOPLE,
    EVMC12_PETERSBURG,
    EVMC12_ISTANBUL,
    EVMC12_BERLIN,
    EVMC12_LONDON,
    EVMC12_PARIS,
    EVMC12_SHANGHAI,
    EVMC12_CANCUN,
    EVMC12_PRAGUE,
    EVMC12_OSAKA
} evmc12_revision;

typedef struct evmc12_message {
    evmc_message_head head;
    cevm_hash create2_salt;
    cevm_address code_address;
    const uint8_t *code;
    size_t code_size;
} evmc12_message;

typedef struct evmc12_result {
    evmc_result_head head;
    cevm_address create_address;
    uint8_t padding[4];
} evmc12_result;

typedef struct evmc12_tx_context {
    evmc_tx_context_head head;
    const void *initcodes;
    size_t initcodes_count;
} evmc12_tx_context;

/** What get_capabilities answers: the machine runs EVM code. */
enum { EVMC12_CAPABILITY_EVM1 = 1 };

/** evmc_access_status: 0 cold, 1 warm. */
typedef int evmc12_access_status;

typedef struct evmc12_host_interface {
    evmc_account_exists_fn account_exists;
    evmc_get_storage_fn get_storage;
    evmc_set_storage_fn set_storage;
    evmc_get_word_fn get_balance;
    evmc_get_code_size_fn get_code_size;
    evmc_get_word_fn get_code_hash;
    evmc_copy_code_fn copy_code;
    evmc_selfdestruct_fn selfdestruct;
    evmc12_result (*call)(evmc_host_context *context, const evmc12_message *message);
    evmc12_tx_context (*get_tx_context)(evmc_host_context *context);
    evmc_get_block_hash_fn get_block_hash;
    evmc_emit_log_fn emit_log;
    evmc12_access_status (*access_account)(evmc_host_context *context, const cevm_address *address);
    evmc12_access_status (*access_storage)(evmc_host_context *context, const cevm_address *address,
                                           const cevm_hash *key);
    evmc_get_storage_fn get_transient_storage;
    evmc_set_transient_storage_fn set_transient_storage;
} evmc12_host_interface;

typedef struct evmc12_vm evmc12_vm;
struct evmc12_vm {
    int abi_version;
    const char *name;
    const char *version;
    void (*destroy)(evmc12_vm *vm);
    evmc12_result (*execute)(evmc12_vm *vm, const evmc12_host_interface *host, evmc_host_context *context, int revision,
                             const evmc12_message *message, const uint8_t *code, size_t code_size);
    uint32_t (*get_capabilities)(evmc12_vm *vm);
    int (*set_option)(evmc12_vm *vm, const char *name, const char *value);
};

_Static_assert(sizeof(evmc12_message) == 184 && offsetof(evmc12_message, create2_salt) == 112 &&
                   offsetof(evmc12_message, code_address) == 144 && offsetof(evmc12_message, code) == 168,
               "evmc_message of ABI 12");
_Static_assert(sizeof(evmc12_result) == 72 && offsetof(evmc12_result, create_address) == 48, "evmc_result of ABI 12");
_Static_assert(sizeof(evmc12_tx_context) == 256, "evmc_tx_context of ABI 12");
_Static_assert(sizeof(evmc12_host_interface) == 128 && offsetof(evmc12_host_interface, call) == 64 &&
                   offsetof(evmc12_host_interface, access_account) == 96,
               "evmc_host_interface of ABI 12");
_Static_assert(sizeof(evmc12_vm) == 56 && offsetof(evmc12_vm, execute) == 32 && offsetof(evmc12_vm, set_option) == 48,
               "evmc_vm of ABI 12");

#endif
