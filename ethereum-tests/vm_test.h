/* SPDX-License-Identifier: Apache-2.0 */
/**
 * ethereum-tests/vm_test.h: the old VM tests: one piece of code ("exec") run by the interpreter alone, without a
 * transaction around it. "gas", "out", "logs" and "post" say what must come of it; without them the code must fail.
 *
 * A loaded test borrows from its JSON document. Threads: one test per thread.
 */
#ifndef CEVM_TESTS_VM_TEST_H
#define CEVM_TESTS_VM_TEST_H

#include <cevm/vm.h>

#include "chain/alloc.h"

typedef struct cevm_vm_test {
    const char *name;
    const char *file;
    cevm_arena arena;
    cevm_block_env block; /* the fork is the one mainnet was at in this block */
    cevm_genesis_alloc pre;
    cevm_address address, caller, origin;
    cevm_u256 value, gas_price;
    uint64_t gas;
    cevm_bytes code, data;

    bool must_fail; /* nothing below is there */
    uint64_t gas_left;
    cevm_bytes output;
    cevm_hash logs;
    cevm_genesis_alloc post;
} cevm_vm_test;

/** Whether a case of a file looks like a VM test ("exec"). */
bool cevm_vm_test_is(const json_t *value);

/** Reads one case; at->key is its name. False with the reason in at->error; nothing is then left to free. */
bool cevm_vm_test_load(cevm_vm_test *out, const cevm_json_at *at, const cevm_allocator *allocator);
void cevm_vm_test_free(cevm_vm_test *test);

#endif
