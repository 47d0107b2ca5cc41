/* SPDX-License-Identifier: Apache-2.0 */
/**
 * tests/unit/evmc_mock.h: a host of EVMC that is told what to answer and remembers what it was asked, in both ABIs.
 */
#ifndef CEVM_TESTS_EVMC_MOCK_H
#define CEVM_TESTS_EVMC_MOCK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "evm/evmc/abi12.h"
#include "evm/evmc/abi18.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOCK_OTHER = 0xab };

/** A machine, the ABI it speaks, and the world of a test. The world is the host's context. */
typedef struct mock {
    int abi;
    void *library;
    void *vm;
    int revision;
    /* what the host answers */
    bool exists; /* the account 0xab, in the last byte */
    bool warm;
    int storage_status;
    cevm_hash balance, storage, transient, code_hash, block_hash;
    uint64_t nonce;
    cevm_bytes code_there; /* of every account */
    evmc_tx_context_head tx;
    evmc_result_head call_result;
    cevm_address created;
    cevm_bytes recurse; /* not empty: a call runs this code in the same machine */
    /* what it was asked */
    size_t calls;
    evmc_message_head message; /* the last call */
    uint8_t input[64];
    cevm_hash salt;
    cevm_address code_address;
    cevm_address accessed; /* the last account */
    size_t logs, log_topics, log_size;
    size_t destroyed;
    int32_t deepest;
    char asked[64]; /* one letter for each callback about an account or the transaction, in their order */
    /* what came of the last execution */
    evmc_result_head result;
    uint8_t output[64];
} mock;

static inline mock *mock_of(evmc_host_context *context) { return (mock *)(void *)context; }

static inline void mock_asked(evmc_host_context *context, char what)
{
    mock *m = mock_of(context);
    const size_t count = strlen(m->asked);
    if (count + 1 < sizeof m->asked) {
        m->asked[count] = what;
        m->asked[count + 1] = '\0';
    }
}

static inline bool mock_is_there(const mock *m, const cevm_address *address)
{
    return m->exists || address->bytes[19] != MOCK_OTHER;
}

static inline bool mock_exists(evmc_host_context *context, const cevm_address *address)
{
    mock_asked(context, 'e');
    return mock_is_there(mock_of(context), address);
}

static inline cevm_hash mock_storage(evmc_host_context *context, const cevm_address *address, const cevm_hash *key)
{
    (void)address;
    (void)key;
    return mock_of(context)->storage;
}

static inline int mock_set_storage(evmc_host_context *context, const cevm_address *address, const cevm_hash *key,
                                   const cevm_hash *value)
{
    (void)address;
    (void)key;
    mock_of(context)->storage = *value;
    return mock_of(context)->storage_status;
}

static inline cevm_hash mock_balance(evmc_host_context *context, const cevm_address *address)
{
    mock_asked(context, 'b');
    return mock_is_there(mock_of(context), address) ? mock_of(context)->balance : (cevm_hash){{0}};
}

static inline uint64_t mock_nonce(evmc_host_context *context, const cevm_address *address)
{
    mock_asked(context, 'n');
    (void)address;
    return mock_of(context)->nonce;
}

static inline size_t mock_code_size(evmc_host_context *context, const cevm_address *address)
{
    mock_asked(context, 's');
    (void)address;
    return mock_of(context)->code_there.size;
}

static inline cevm_hash mock_code_hash(evmc_host_context *context, const cevm_address *address)
{
    mock_asked(context, 'h');
    (void)address;
    return mock_of(context)->code_hash;
}

static inline size_t mock_copy_code(evmc_host_context *context, const cevm_address *address, size_t offset,
                                    uint8_t *buffer, size_t size)
{
    mock_asked(context, 'c');
    (void)address;
    const cevm_bytes code = mock_of(context)->code_there;
    const size_t left = offset < code.size ? code.size - offset : 0;
    const size_t n = left < size ? left : size;
    if (n != 0) {
        memcpy(buffer, code.data + offset, n);
    }
    return n;
}

static inline bool mock_selfdestruct(evmc_host_context *context, const cevm_address *address,
                                     const cevm_address *beneficiary)
{
    mock_asked(context, 'd');
    (void)address;
    (void)beneficiary;
    return mock_of(context)->destroyed++ == 0;
}

static inline cevm_hash mock_block_hash(evmc_host_context *context, int64_t number)
{
    cevm_hash hash = mock_of(context)->block_hash;
    hash.bytes[0] = (uint8_t)number;
    return hash;
}

static inline void mock_log(evmc_host_context *context, const cevm_address *address, const uint8_t *data, size_t size,
                            const cevm_hash *topics, size_t count)
{
    (void)address;
    (void)data;
    (void)topics;
    mock_of(context)->logs++;
    mock_of(context)->log_topics = count;
    mock_of(context)->log_size = size;
}

static inline bool mock_access_account(evmc_host_context *context, const cevm_address *address)
{
    mock_asked(context, 'a');
    mock_of(context)->accessed = *address;
    return mock_of(context)->warm;
}

static inline bool mock_access_storage(evmc_host_context *context, const cevm_address *address, const cevm_hash *key)
{
    (void)address;
    (void)key;
    return mock_of(context)->warm;
}

static inline int mock_access_account12(evmc_host_context *context, const cevm_address *address)
{
    return mock_access_account(context, address);
}

static inline int mock_access_storage12(evmc_host_context *context, const cevm_address *address, const cevm_hash *key)
{
    return mock_access_storage(context, address, key);
}

static inline cevm_hash mock_transient(evmc_host_context *context, const cevm_address *address, const cevm_hash *key)
{
    (void)address;
    (void)key;
    return mock_of(context)->transient;
}

static inline void mock_set_transient(evmc_host_context *context, const cevm_address *address, const cevm_hash *key,
                                      const cevm_hash *value)
{
    (void)address;
    (void)key;
    mock_of(context)->transient = *value;
}

static inline evmc12_tx_context mock_tx12(evmc_host_context *context)
{
    mock_asked(context, 'x');
    return (evmc12_tx_context){.head = mock_of(context)->tx};
}

static inline evmc18_tx_context mock_tx18(evmc_host_context *context)
{
    mock_asked(context, 'x');
    return (evmc18_tx_context){.head = mock_of(context)->tx};
}

static inline void mock_remember(mock *m, const evmc_message_head *head, const cevm_address *code_address)
{
    mock_asked((evmc_host_context *)(void *)m, 'l');
    m->calls++;
    m->message = *head;
    m->code_address = *code_address;
    m->deepest = head->depth > m->deepest ? head->depth : m->deepest;
    const size_t n = head->input_size < sizeof m->input ? head->input_size : sizeof m->input;
    if (n != 0) {
        memcpy(m->input, head->input_data, n);
    }
}

static inline evmc12_result mock_call12(evmc_host_context *context, const evmc12_message *message);
static inline evmc18_result mock_call18(evmc_host_context *context, const evmc18_message *message);

static const evmc12_host_interface mock_host12 = {
    mock_exists,           mock_storage,          mock_set_storage, mock_balance,       mock_code_size,  mock_code_hash,
    mock_copy_code,        mock_selfdestruct,     mock_call12,      mock_tx12,          mock_block_hash, mock_log,
    mock_access_account12, mock_access_storage12, mock_transient,   mock_set_transient,
};

static const evmc18_host_interface mock_host18 = {
    mock_exists,    mock_storage,        mock_set_storage,    mock_balance,   mock_nonce,         mock_code_size,
    mock_code_hash, mock_copy_code,      mock_selfdestruct,   mock_call18,    mock_tx18,          mock_block_hash,
    mock_log,       mock_access_account, mock_access_storage, mock_transient, mock_set_transient,
};

static inline evmc12_result mock_call12(evmc_host_context *context, const evmc12_message *message)
{
    mock *m = mock_of(context);
    mock_remember(m, &message->head, &message->code_address);
    m->salt = message->create2_salt;
    if (m->recurse.size != 0) {
        evmc12_vm *vm = m->vm;
        return vm->execute(vm, &mock_host12, context, m->revision, message, m->recurse.data, m->recurse.size);
    }
    return (evmc12_result){.head = m->call_result, .create_address = m->created};
}

static inline evmc18_result mock_call18(evmc_host_context *context, const evmc18_message *message)
{
    mock *m = mock_of(context);
    mock_remember(m, &message->head, &message->code_address);
    if (m->recurse.size != 0) {
        evmc18_vm *vm = m->vm;
        return vm->execute(vm, &mock_host18, context, m->revision, message, m->recurse.data, m->recurse.size);
    }
    return (evmc18_result){.head = m->call_result};
}

/** Loads a machine as EVMC's loader does. */
static inline void mock_open(mock *m, int abi)
{
    char path[4096], symbol[64];
    const char *build = getenv("BUILD");
    memset(m, 0, sizeof *m);
    m->abi = abi;
    build = build != NULL ? build : "build";
    (void)snprintf(path, sizeof path, "%s%s/libcevm-evmc%d.so", build[0] == '/' ? "" : "./", build, abi);
    m->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(m->library);
    (void)snprintf(symbol, sizeof symbol, "evmc_create_cevm_evmc%d", abi);
    void *(*create)(void) = NULL;
    void *const address = dlsym(m->library, symbol);
    memcpy(&create, &address, sizeof create);
    assert_non_null(create);
    assert_non_null(dlsym(m->library, "evmc_create"));
    m->vm = create();
    assert_non_null(m->vm);
    m->revision = abi == 12 ? (int)EVMC12_CANCUN : (int)EVMC18_CANCUN;
    m->exists = true;
    m->warm = true;
}

static inline void mock_close(mock *m)
{
    if (m->abi == 12) {
        ((evmc12_vm *)m->vm)->destroy(m->vm);
    } else {
        ((evmc18_vm *)m->vm)->destroy(m->vm);
    }
    assert_int_equal(dlclose(m->library), 0);
}

/** Runs code with a message whose head is given; the result and its first bytes are in the mock. */
static inline void mock_execute(mock *m, const evmc_message_head *head, cevm_bytes code)
{
    evmc_host_context *context = (evmc_host_context *)(void *)m;
    if (m->abi == 12) {
        evmc12_vm *vm = m->vm;
        const evmc12_message message = {.head = *head};
        m->result = vm->execute(vm, &mock_host12, context, m->revision, &message, code.data, code.size).head;
    } else {
        evmc18_vm *vm = m->vm;
        const evmc18_message message = {.head = *head};
        m->result = vm->execute(vm, &mock_host18, context, m->revision, &message, code.data, code.size).head;
    }
    memset(m->output, 0, sizeof m->output);
    const size_t n = m->result.output_size < sizeof m->output ? m->result.output_size : sizeof m->output;
    if (n != 0) {
        memcpy(m->output, m->result.output_data, n);
    }
    if (m->result.release != NULL) {
        m->result.release(&m->result);
    }
    m->result.output_data = NULL;
}

#endif
