/* SPDX-License-Identifier: Apache-2.0 */
/**
 * tests/property/mock_host.h: a world small enough to be made anew millions of times. It keeps a digest of everything it is
 * asked, in order, so that two executions with the same digest have asked the same things.
 */
#ifndef CEVM_TESTS_MOCK_HOST_H
#define CEVM_TESTS_MOCK_HOST_H

#include <cevm/cevm.h>

#include "evm/frame.h"
#include "tests/property/random.h"

enum { MOCK_CONTRACTS = 3, MOCK_BASE = 0xc0de, MOCK_LOG = 4096 };

typedef enum mock_what { MOCK_STORAGE, MOCK_TRANSIENT, MOCK_WARM_SLOT, MOCK_WARM_ACCOUNT } mock_what;

/** One change; the newest for a key holds. */
typedef struct mock_change {
    mock_what what;
    cevm_address address;
    cevm_u256 key;
    cevm_u256 value;
} mock_change;

typedef struct mock_host {
    cevm_code code[MOCK_CONTRACTS]; /* at MOCK_BASE and the addresses behind it */
    mock_change log[MOCK_LOG];
    size_t count;
    uint64_t digest;
} mock_host;

static inline void mock_mix(mock_host *m, const void *data, size_t size)
{
    const uint8_t *p = data;
    uint64_t h = m->digest;
    for (; size >= 8; size -= 8, p += 8) {
        uint64_t x;
        memcpy(&x, p, 8);
        h = (h ^ x) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 29;
    }
    for (; size != 0; --size, ++p) {
        h = (h ^ *p) * UINT64_C(0x100000001b3);
    }
    m->digest = h;
}

static inline void mock_note(mock_host *m, uint64_t what, const cevm_address *address, const cevm_u256 *key)
{
    mock_mix(m, &what, sizeof what);
    if (address != NULL) {
        mock_mix(m, address->bytes, sizeof address->bytes);
    }
    if (key != NULL) {
        mock_mix(m, key, sizeof *key);
    }
}

static inline const mock_change *mock_find(const mock_host *m, mock_what what, const cevm_address *address,
                                           const cevm_u256 *key)
{
    for (size_t i = m->count; i-- > 0;) {
        const mock_change *c = &m->log[i];
        if (c->what == what && cevm_u256_equal(&c->key, key) && cevm_address_equal(&c->address, address)) {
            return c;
        }
    }
    return NULL;
}

static inline cevm_err mock_set(mock_host *m, mock_what what, const cevm_address *address, const cevm_u256 *key,
                                const cevm_u256 *value)
{
    if (m->count == MOCK_LOG) {
        return CEVM_ERR_LIMIT;
    }
    m->log[m->count++] = (mock_change){what, *address, *key, *value};
    return CEVM_OK;
}

/** Whether an access is the first one; it then no longer is, unless `peek`. */
static inline cevm_err mock_touch(mock_host *m, bool *cold, mock_what what, const cevm_address *address,
                                  const cevm_u256 *key, bool peek)
{
    const cevm_u256 zero = cevm_u256_from_u64(0);
    *cold = mock_find(m, what, address, key) == NULL;
    return *cold && !peek ? mock_set(m, what, address, key, &zero) : CEVM_OK;
}

static inline int mock_contract(const cevm_address *address)
{
    for (int i = 0; i < MOCK_CONTRACTS; ++i) {
        const cevm_u256 n = cevm_u256_from_u64((uint64_t)(MOCK_BASE + i));
        const cevm_address a = cevm_address_from_u256(&n);
        if (cevm_address_equal(&a, address)) {
            return i;
        }
    }
    return -1;
}

static inline cevm_err mock_load_account(void *ctx, cevm_account_info *out, const cevm_address *address, bool skip_cold)
{
    mock_host *m = ctx;
    const cevm_u256 zero = cevm_u256_from_u64(0);
    const int contract = mock_contract(address);
    *out = (cevm_account_info){.code_hash = cevm_empty_code_hash};
    mock_note(m, 1 + (uint64_t)skip_cold, address, NULL);
    const cevm_err err = mock_touch(m, &out->cold, MOCK_WARM_ACCOUNT, address, &zero, skip_cold);
    if (skip_cold && out->cold) {
        out->skipped = true;
        return err;
    }
    if (contract >= 0) {
        out->exists = true;
        out->nonce = 1;
        out->balance = cevm_u256_from_u64(1000);
        out->code_hash = m->code[contract].hash;
    }
    return err;
}

static inline cevm_err mock_load_code(void *ctx, cevm_code *out, const cevm_address *address)
{
    mock_host *m = ctx;
    const int contract = mock_contract(address);
    mock_note(m, 3, address, NULL);
    *out = contract >= 0 ? m->code[contract] : (cevm_code){.hash = cevm_empty_code_hash};
    return CEVM_OK;
}

static inline cevm_err mock_sload(void *ctx, cevm_slot_info *out, const cevm_address *address, const cevm_u256 *key,
                                  bool skip_cold)
{
    mock_host *m = ctx;
    mock_note(m, 4 + (uint64_t)skip_cold, address, key);
    *out = (cevm_slot_info){.value = *key};
    const cevm_err err = mock_touch(m, &out->cold, MOCK_WARM_SLOT, address, key, skip_cold);
    out->skipped = skip_cold && out->cold;
    const mock_change *c = mock_find(m, MOCK_STORAGE, address, key);
    out->value = c != NULL ? c->value : *key; /* at first each slot holds its own number */
    return err;
}

static inline cevm_err mock_sstore(void *ctx, cevm_sstore_info *out, const cevm_address *address, const cevm_u256 *key,
                                   const cevm_u256 *value, bool skip_cold)
{
    mock_host *m = ctx;
    mock_note(m, 6 + (uint64_t)skip_cold, address, key);
    mock_note(m, 6, NULL, value);
    *out = (cevm_sstore_info){.original = *key, .current = *key};
    cevm_err err = mock_touch(m, &out->cold, MOCK_WARM_SLOT, address, key, skip_cold);
    if (err != CEVM_OK || (skip_cold && out->cold)) {
        out->skipped = true;
        return err;
    }
    const mock_change *c = mock_find(m, MOCK_STORAGE, address, key);
    out->current = c != NULL ? c->value : *key;
    return mock_set(m, MOCK_STORAGE, address, key, value);
}

static inline cevm_err mock_tload(void *ctx, cevm_u256 *out, const cevm_address *address, const cevm_u256 *key)
{
    mock_host *m = ctx;
    mock_note(m, 8, address, key);
    const mock_change *c = mock_find(m, MOCK_TRANSIENT, address, key);
    *out = c != NULL ? c->value : cevm_u256_from_u64(0);
    return CEVM_OK;
}

static inline cevm_err mock_tstore(void *ctx, const cevm_address *address, const cevm_u256 *key, const cevm_u256 *value)
{
    mock_host *m = ctx;
    mock_note(m, 9, address, key);
    mock_note(m, 9, NULL, value);
    return mock_set(m, MOCK_TRANSIENT, address, key, value);
}

static inline cevm_err mock_block_hash(void *ctx, cevm_hash *out, uint64_t number)
{
    mock_note(ctx, 10 + (number << 8), NULL, NULL);
    memset(out, (int)(number & 0xff), sizeof *out);
    return CEVM_OK;
}

static inline cevm_err mock_warm_account(void *ctx, const cevm_address *address)
{
    mock_note(ctx, 11, address, NULL);
    return CEVM_OK;
}

static inline cevm_err mock_transfer(void *ctx, const cevm_address *from, const cevm_address *to,
                                     const cevm_u256 *value)
{
    mock_note(ctx, 12, from, value);
    mock_note(ctx, 12, to, NULL);
    return CEVM_OK;
}

static inline cevm_err mock_address(void *ctx, const cevm_address *address)
{
    mock_note(ctx, 13, address, NULL);
    return CEVM_OK;
}

static inline cevm_err mock_set_code(void *ctx, const cevm_address *address, cevm_bytes code)
{
    mock_note(ctx, 14, address, NULL);
    mock_mix(ctx, code.data, code.size);
    return CEVM_OK;
}

static inline cevm_err mock_selfdestruct(void *ctx, cevm_selfdestruct_info *out, const cevm_address *address,
                                         const cevm_address *beneficiary)
{
    mock_note(ctx, 15, address, NULL);
    mock_note(ctx, 15, beneficiary, NULL);
    out->first = false;
    return CEVM_OK;
}

static inline cevm_err mock_log_record(void *ctx, const cevm_log *log)
{
    mock_note(ctx, 16 + log->topic_count, &log->address, NULL);
    mock_mix(ctx, log->topics, log->topic_count * sizeof log->topics[0]);
    mock_mix(ctx, log->data.data, log->data.size);
    return CEVM_OK;
}

static inline cevm_checkpoint mock_checkpoint(void *ctx)
{
    const mock_host *m = ctx;
    return (cevm_checkpoint){.journal = m->count};
}

static inline void mock_revert(void *ctx, cevm_checkpoint mark)
{
    mock_host *m = ctx;
    mock_note(m, 32, NULL, NULL);
    m->count = mark.journal;
}

static const cevm_host_vtable mock_vtable = {
    .struct_size = sizeof mock_vtable,
    .load_account = mock_load_account,
    .load_code = mock_load_code,
    .sload = mock_sload,
    .sstore = mock_sstore,
    .tload = mock_tload,
    .tstore = mock_tstore,
    .block_hash = mock_block_hash,
    .warm_account = mock_warm_account,
    .transfer = mock_transfer,
    .create_account = mock_address,
    .increment_nonce = mock_address,
    .set_code = mock_set_code,
    .selfdestruct = mock_selfdestruct,
    .log = mock_log_record,
    .checkpoint = mock_checkpoint,
    .revert = mock_revert,
};

/** What can be told of an execution. */
typedef struct mock_outcome {
    cevm_err err;
    cevm_status status;
    cevm_gas gas;
    size_t output_size, stack_size;
    uint64_t digest; /* of everything asked of the host, the output, and stack and memory where they can be seen */
} mock_outcome;

/** Calls the first contract. */
static inline mock_outcome mock_execute(cevm_vm *vm, mock_host *host, cevm_fork fork, int64_t gas, cevm_bytes input)
{
    mock_outcome out;
    memset(&out, 0, sizeof out);
    host->count = 0;
    host->digest = 1;
    const cevm_block_env block = {.fork = fork, .number = 300, .gas_limit = 30000000, .chain_id = 1};
    const cevm_tx_env tx = {.gas_price = {{7, 0, 0, 0}}};
    const cevm_host interface = {&mock_vtable, host};
    const cevm_u256 number = cevm_u256_from_u64(MOCK_BASE);
    cevm_message msg = {.kind = CEVM_CALL, .gas = gas, .input = input};
    msg.recipient = msg.code_address = cevm_address_from_u256(&number);
    cevm_result result;
    out.err = cevm_vm_execute(vm, &result, &msg, &block, &tx, &interface, NULL);
    if (out.err == CEVM_OK) {
        out.status = result.status;
        out.gas = result.gas;
        out.output_size = result.output.size;
        mock_mix(host, result.output.data, result.output.size);
        if (result.status == CEVM_STATUS_RETURN || result.status == CEVM_STATUS_REVERT) {
            const cevm_frame *f = vm->frames[0];
            out.stack_size = (size_t)(f->top - f->base);
            mock_mix(host, f->base + 1, out.stack_size * sizeof *f->base);
            mock_mix(host, f->memory, f->memory_size);
        }
    }
    out.digest = host->digest;
    return out;
}

#endif
