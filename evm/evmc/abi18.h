/* SPDX-License-Identifier: Apache-2.0 */
/**
 * evm/evmc/abi18.h: EVMC's ABI 18, which evmone 0.23 speaks, in C17.
 *
 * The machine derives the address of a creation, warms it and checks the nonce; the address travels in
 * message.head.recipient.
 */
#ifndef CEVM_EVMC_ABI18_H
#define CEVM_EVMC_ABI18_H

#include "evm/evmc/abi.h"

enum { EVMC18_ABI_VERSION = 18 };

/** Without Constantinople, which no chain that lasts has run. */
typedef enum evmc18_revision {
    EVMC18_FRONTIER,
    EVMC18_HOMESTEAD,
    EVMC18_TANGERINE_WHISTLE,
    EVMC18_SPURIOUS_DRAGON,
    EVMC18_BYZANTIUM,
    EVMC18_PETERSBURG,
    EVMC18_ISTANBUL,
    EVMC18_BERLIN,
    EVMC18_LONDON,
    EVMC18_PARIS,
    EVMC18_SHANGHAI,
    EVMC18_CANCUN,
    EVMC18_PRAGUE,
    EVMC18_OSAKA,
    EVMC18_AMSTERDAM
} evmc18_revision;

typedef struct evmc18_message {
    evmc_message_head head;
    cevm_address code_address;
    const uint8_t *code;
    size_t code_size;
} evmc18_message;

typedef struct evmc18_result {
    evmc_result_head head;
} evmc18_result;

typedef struct evmc18_tx_context {
    evmc_tx_context_head head;
    uint64_t block_slot_number;
} evmc18_tx_context;

/** evmc_access_status: false cold, true warm. */
typedef bool evmc18_access_status;

typedef struct evmc18_host_interface {
    evmc_account_exists_fn account_exists;
    evmc_get_storage_fn get_storage;
    evmc_set_storage_fn set_storage;
    evmc_get_word_fn get_balance;
    evmc_get_nonce_fn get_nonce;
    evmc_get_code_size_fn get_code_size;
    evmc_get_word_fn get_code_hash;
    evmc_copy_code_fn copy_code;
    evmc_selfdestruct_fn selfdestruct;
    evmc18_result (*call)(evmc_host_context *context, const evmc18_message *message);
    evmc18_tx_context (*get_tx_context)(evmc_host_context *context);
    evmc_get_block_hash_fn get_block_hash;
    evmc_emit_log_fn emit_log;
    evmc18_access_status (*access_account)(evmc_host_context *context, const cevm_address *address);
    evmc18_access_status (*access_storage)(evmc_host_context *context, const cevm_address *address,
                                           const cevm_hash *key);
    evmc_get_storage_fn get_transient_storage;
    evmc_set_transient_storage_fn set_transient_storage;
} evmc18_host_interface;

typedef struct evmc18_vm evmc18_vm;
struct evmc18_vm {
    int abi_version;
    const char *name;
    const char *version;
    void (*destroy)(evmc18_vm *vm);
    evmc18_result (*execute)(evmc18_vm *vm, const evmc18_host_interface *host, evmc_host_context *context, int revision,
                             const evmc18_message *message, const uint8_t *code, size_t code_size);
    int (*set_option)(evmc18_vm *vm, const char *name, const char *value);
};

_Static_assert(sizeof(evmc18_message) == 152 && offsetof(evmc18_message, code_address) == 112 &&
                   offsetof(evmc18_message, code) == 136,
               "evmc_message of ABI 18");
_Static_assert(sizeof(evmc18_result) == 48, "evmc_result of ABI 18");
_Static_assert(sizeof(evmc18_tx_context) == 248, "evmc_tx_context of ABI 18");
_Static_assert(sizeof(evmc18_host_interface) == 136 && offsetof(evmc18_host_interface, call) == 72 &&
                   offsetof(evmc18_host_interface, access_account) == 104,
               "evmc_host_interface of ABI 18");
_Static_assert(sizeof(evmc18_vm) == 48 && offsetof(evmc18_vm, execute) == 32 && sizeof(bool) == 1, "evmc_vm of ABI 18");

#endif
