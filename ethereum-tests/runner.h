/* SPDX-License-Identifier: Apache-2.0 */
/**
 * ethereum-tests/runner.h: runs loaded tests: what came of one, and the context that runs them one after another.
 *
 * Threads: one runner per thread.
 */
#ifndef CEVM_TESTS_RUNNER_H
#define CEVM_TESTS_RUNNER_H

#include <cevm/transition.h>
#include <cevm/vm.h>

#include "ethereum-tests/blockchain_test.h"
#include "ethereum-tests/state_test.h"
#include "ethereum-tests/vm_test.h"

typedef enum cevm_test_verdict {
    CEVM_TEST_PASS,
    CEVM_TEST_FAIL,      /* it ran, and something is not as it should be */
    CEVM_TEST_NOT_BUILT, /* it reached a precompiled contract that this build does not hold */
    CEVM_TEST_ERROR      /* it could not be run: an unknown fork, a bad transaction object, memory */
} cevm_test_verdict;

/** What differs first, in the order in which it is looked at. */
typedef enum cevm_test_aspect {
    CEVM_TEST_NOTHING,
    CEVM_TEST_REASON, /* rejected though it should not be, not rejected though it should be, or for another reason */
    CEVM_TEST_STATUS, /* a VM test that must fail and did not, or the other way round */
    CEVM_TEST_GAS,
    CEVM_TEST_OUTPUT,
    CEVM_TEST_ROOT,
    CEVM_TEST_LOGS,
    CEVM_TEST_STATE,
    CEVM_TEST_GENESIS,  /* the first block of a blockchain test */
    CEVM_TEST_HASH,     /* of a block */
    CEVM_TEST_RECEIPTS, /* of a block */
    CEVM_TEST_HEAD      /* another block is the head at the end */
} cevm_test_aspect;

typedef struct cevm_test_result {
    cevm_test_verdict verdict;
    cevm_test_aspect aspect; /* for FAIL */
    bool has_root;
    cevm_hash root;     /* state root after the test; the one before it when the transaction was rejected */
    uint64_t gas_used;  /* of a blockchain test: by all blocks that were accepted */
    char error[512];    /* one line: what is wrong, in the words of geth's runner where it has some; "" when PASS */
    char expected[160]; /* FAIL: what should have come out, "" when it does not fit a line */
    char got[160];
    char detail
        [512]; /* FAIL: first differing account or slot, "" when the test does not tell; NOT_BUILT: the contract */
} cevm_test_result;

/** "root", "logs" …; static storage. */
const char *cevm_test_aspect_name(cevm_test_aspect aspect);

/** Looks at the state a test left behind, before it is dropped. */
typedef void (*cevm_test_inspect)(void *user, cevm_memdb *db, const cevm_hash *root);

/** Watches the execution of a state test's transaction, with a look at the state before and after. */
typedef struct cevm_test_watch {
    void *user;
    /** Before; gives the hooks to execute with, or NULL. The state is the test's, not to be changed. */
    const cevm_tracer *(*begin)(void *user, cevm_state *state, const cevm_tx *tx, const cevm_block_env *block);
    /** After; receipt is NULL when the transaction was refused or stopped. */
    void (*end)(void *user, const cevm_receipt *receipt);
} cevm_test_watch;

typedef struct cevm_test_runner {
    cevm_vm_config config; /* of the VM, and of those that chains make */
    cevm_vm *vm;
    cevm_ethash *ethash; /* one for all chains: its cache is the same for all their blocks, and dear to make */
    const cevm_allocator *allocator; /* NULL = libc */
    const cevm_tracer *tracer;       /* watches each execution; NULL = none. Set by the user. */
    const cevm_test_watch *watch;    /* in its place, of state tests; NULL = none. Set by the user. */
    cevm_test_inspect inspect;       /* NULL = none. Set by the user. */
    void *inspect_user;
} cevm_test_runner;

/** Makes a runner with a VM of its own. Errors: those of cevm_vm_create. */
cevm_err cevm_test_runner_init(cevm_test_runner *out, const cevm_allocator *allocator);
void cevm_test_runner_clear(cevm_test_runner *runner);

/** Runs one entry of a state test. Always writes a result. */
void cevm_test_run_entry(cevm_test_runner *runner, cevm_test_result *out, cevm_state_test *test,
                         const cevm_test_entry *entry);

/** Runs a VM test. Always writes a result. */
void cevm_test_run_vm(cevm_test_runner *runner, cevm_test_result *out, const cevm_vm_test *test);

/** Runs a blockchain test: imports its blocks one after another into a chain of its own. Always writes a result. */
void cevm_test_run_blockchain(cevm_test_runner *runner, cevm_test_result *out, cevm_blockchain_test *test);

/* ---- For the runners' own files ---------------------------------------------------------------------------------- */

/** Sets FAIL with the two values; format and the rest make the error line. */
void cevm_test_fail(cevm_test_result *out, cevm_test_aspect aspect, const char *expected, const char *got,
                    const char *format, ...) __attribute__((format(printf, 5, 6)));
/** Sets FAIL for two hashes that differ: "<what> mismatch: got …, want …". */
void cevm_test_fail_hash(cevm_test_result *out, cevm_test_aspect aspect, const char *what, const cevm_hash *expected,
                         const cevm_hash *got);
/** Sets ERROR (or NOT_BUILT for that code) from a library error. */
void cevm_test_fail_err(cevm_test_result *out, const char *what, cevm_err err);

#endif
