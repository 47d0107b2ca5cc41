/* SPDX-License-Identifier: Apache-2.0 */
/**
 * tests/unit/evm_fixture.h: a world of a few accounts in which a test runs bytecode through cevm_vm_execute.
 */
#ifndef CEVM_TESTS_EVM_FIXTURE_H
#define CEVM_TESTS_EVM_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cevm/cevm.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct world {
    cevm_memdb *db;
    cevm_state *state;
    cevm_vm *vm;
    cevm_host host;
    cevm_block_env block;
    cevm_tx_env tx;
    cevm_result result;
    const cevm_tracer *tracer;
} world;

/** Address 0x00…00ab for a small number. */
static inline cevm_address addr(uint64_t n)
{
    const cevm_u256 v = cevm_u256_from_u64(n);
    return cevm_address_from_u256(&v);
}

enum { SENDER = 0xca11, CONTRACT = 0xc0de };

static inline void world_open(world *w, cevm_fork fork)
{
    memset(w, 0, sizeof *w);
    assert_int_equal(cevm_memdb_create(&w->db, NULL), CEVM_OK);
    const cevm_db db = cevm_memdb_interface(w->db);
    assert_int_equal(cevm_state_create(&w->state, &db, NULL), CEVM_OK);
    assert_int_equal(cevm_vm_create(&w->vm, NULL), CEVM_OK);
    w->host = cevm_state_host(w->state);
    w->block.fork = fork;
    w->block.number = 1000;
    w->block.gas_limit = 30000000;
    w->block.chain_id = 1;
    w->tx.origin = addr(SENDER);
}

static inline void world_close(world *w)
{
    cevm_vm_destroy(w->vm);
    cevm_state_destroy(w->state);
    cevm_memdb_destroy(w->db);
}

/** Hex (spaces allowed) into a fresh block; *size receives its length. */
static inline uint8_t *bytes_of(const char *hex, size_t *size)
{
    char *packed = malloc(strlen(hex) + 1);
    uint8_t *out = malloc(strlen(hex) / 2 + 1);
    assert_non_null(packed);
    assert_non_null(out);
    size_t n = 0;
    for (const char *p = hex; *p != '\0'; ++p) {
        if (*p != ' ') {
            packed[n++] = *p;
        }
    }
    assert_true(cevm_hex_decode(out, size, packed, n));
    free(packed);
    return out;
}

/** Puts an account with code (hex) into the store. */
static inline void world_account(world *w, uint64_t address, uint64_t balance, uint64_t nonce, const char *hex)
{
    size_t size;
    uint8_t *code = bytes_of(hex, &size);
    const cevm_address a = addr(address);
    const cevm_u256 b = cevm_u256_from_u64(balance);
    assert_int_equal(cevm_memdb_set_account(w->db, &a, &b, nonce, (cevm_bytes){code, size}), CEVM_OK);
    free(code);
}

static inline void world_storage(world *w, uint64_t address, uint64_t key, uint64_t value)
{
    const cevm_address a = addr(address);
    const cevm_u256 k = cevm_u256_from_u64(key);
    const cevm_u256 v = cevm_u256_from_u64(value);
    assert_int_equal(cevm_memdb_set_storage(w->db, &a, &k, &v), CEVM_OK);
}

/** Begins a transaction with the sender and the contract warm, as the transition would. */
static inline void world_begin(world *w)
{
    const cevm_address sender = addr(SENDER), contract = addr(CONTRACT);
    assert_int_equal(cevm_state_begin_tx(w->state, w->block.fork), CEVM_OK);
    assert_int_equal(w->host.vtable->warm_account(w->host.ctx, &sender), CEVM_OK);
    assert_int_equal(w->host.vtable->warm_account(w->host.ctx, &contract), CEVM_OK);
}

/** Calls the contract with gas; the transaction must have begun. */
static inline cevm_status world_call(world *w, int64_t gas, cevm_bytes input)
{
    const cevm_message msg = {.kind = CEVM_CALL,
                              .gas = gas,
                              .sender = addr(SENDER),
                              .recipient = addr(CONTRACT),
                              .code_address = addr(CONTRACT),
                              .input = input};
    assert_int_equal(cevm_vm_execute(w->vm, &w->result, &msg, &w->block, &w->tx, &w->host, w->tracer), CEVM_OK);
    return w->result.status;
}

/** Runs code (hex) as the contract in a transaction of its own. */
static inline cevm_status world_run(world *w, const char *hex, int64_t gas)
{
    world_account(w, CONTRACT, 0, 1, hex);
    cevm_state_discard(w->state);
    world_begin(w);
    return world_call(w, gas, (cevm_bytes){NULL, 0});
}

/** Gas the last execution used. */
static inline int64_t gas_used(const world *w, int64_t gas) { return gas - w->result.gas.left; }

/** The output as a number (32 bytes). */
static inline cevm_u256 output_word(const world *w)
{
    assert_int_equal(w->result.output.size, 32);
    return cevm_u256_from_be(w->result.output.data);
}

static inline void assert_output_u64(const world *w, uint64_t expected)
{
    const cevm_u256 word = output_word(w);
    assert_true(cevm_u256_fits_u64(&word));
    assert_int_equal(word.w[0], expected);
}

#endif
