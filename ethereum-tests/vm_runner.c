/* SPDX-License-Identifier: Apache-2.0 */
/* Runs an old VM test: the interpreter over the journal, and no transaction around it. */
#include <cevm/alloc.h>
#include <cevm/state.h>
#include <cevm/transition.h>

#include <inttypes.h>
#include <stdio.h>

#include "ethereum-tests/runner.h"

/* a + b and a - b modulo 2^256. */
static cevm_u256 add(const cevm_u256 *a, const cevm_u256 *b)
{
    cevm_u256 r = {{0, 0, 0, 0}};
    uint64_t carry = 0;
    for (int i = 0; i < 4; i++) {
        uint64_t sum = a->w[i] + b->w[i];
        uint64_t out = sum < a->w[i];
        r.w[i] = sum + carry;
        carry = out | (r.w[i] < sum);
    }
    return r;
}

static cevm_u256 subtract(const cevm_u256 *a, const cevm_u256 *b)
{
    const cevm_u256 one = {{1, 0, 0, 0}};
    cevm_u256 inverted = {{~b->w[0], ~b->w[1], ~b->w[2], ~b->w[3]}};
    inverted = add(&inverted, &one);
    return add(a, &inverted);
}

static const cevm_genesis_account *find_account(const cevm_genesis_alloc *alloc, const cevm_address *address)
{
    for (size_t i = 0; i < alloc->count; i++) {
        if (cevm_address_equal(&alloc->accounts[i].address, address)) {
            return &alloc->accounts[i];
        }
    }
    return NULL;
}

/*
 * In these tests the code runs at once: the value of the message has been paid already, the balances are those it sees.
 * The interpreter pays the value itself, so it is put back beforehand: more for the caller, less for the recipient
 * (modulo 2^256; the payment brings both to where the file has them).
 */
static cevm_err store_before(cevm_memdb *db, const cevm_vm_test *test)
{
    cevm_err err = cevm_genesis_alloc_store(db, &test->pre);
    if (err != CEVM_OK) {
        return err;
    }
    const cevm_genesis_account *recipient = find_account(&test->pre, &test->address);
    const cevm_genesis_account *caller = find_account(&test->pre, &test->caller);
    cevm_genesis_account r = recipient != NULL ? *recipient : (cevm_genesis_account){.address = test->address};
    cevm_genesis_account c = caller != NULL ? *caller : (cevm_genesis_account){.address = test->caller};
    r.code = test->code;
    if (!cevm_address_equal(&test->address, &test->caller)) {
        r.balance = subtract(&r.balance, &test->value);
        c.balance = add(&c.balance, &test->value);
        const cevm_genesis_alloc payer = {&c, 1};
        err = cevm_genesis_alloc_store(db, &payer);
    }
    const cevm_genesis_alloc payee = {&r, 1};
    return err == CEVM_OK ? cevm_genesis_alloc_store(db, &payee) : err;
}

/* Puts an account that the test does not list out of the way of the comparison: the caller, left empty by the payment. */
static cevm_err compare_after(bool *same, cevm_test_result *out, cevm_memdb *db, const cevm_vm_test *test)
{
    const cevm_genesis_account *accounts = test->post.accounts;
    size_t count = test->post.count;
    if (find_account(&test->post, &test->caller) != NULL || find_account(&test->pre, &test->caller) != NULL) {
        return cevm_genesis_alloc_compare(same, out->detail, sizeof out->detail, db, &test->post);
    }
    cevm_genesis_account *with_caller = cevm_alloc(test->arena.allocator, (count + 1) * sizeof *with_caller);
    if (with_caller == NULL) {
        return CEVM_ERR_NOMEM;
    }
    size_t at = 0;
    while (at < count && memcmp(accounts[at].address.bytes, test->caller.bytes, sizeof test->caller.bytes) < 0) {
        with_caller[at] = accounts[at];
        at++;
    }
    with_caller[at] = (cevm_genesis_account){.address = test->caller};
    for (size_t i = at; i < count; i++) {
        with_caller[i + 1] = accounts[i];
    }
    const cevm_genesis_alloc expected = {with_caller, count + 1};
    cevm_err err = cevm_genesis_alloc_compare(same, out->detail, sizeof out->detail, db, &expected);
    cevm_free(test->arena.allocator, with_caller);
    return err;
}

static void judge_success(cevm_test_runner *runner, cevm_test_result *out, const cevm_vm_test *test, cevm_memdb *db,
                          cevm_state *state, const cevm_result *result)
{
    size_t log_count = 0;
    const cevm_log *logs = cevm_state_logs(state, &log_count);
    cevm_hash logs_hash;
    bool same_output =
        result->output.size == test->output.size &&
        (test->output.size == 0 || memcmp(result->output.data, test->output.data, test->output.size) == 0);
    cevm_err err = cevm_logs_hash(&logs_hash, logs, log_count, runner->allocator);
    if (err == CEVM_OK) {
        err = cevm_state_end_tx(state);
    }
    if (err == CEVM_OK) {
        err = cevm_state_commit(state);
    }
    if (err == CEVM_OK) {
        err = cevm_memdb_root(db, &out->root);
        out->has_root = err == CEVM_OK;
    }
    bool same_state = true;
    if (err == CEVM_OK) {
        err = compare_after(&same_state, out, db, test);
    }
    char want[32], got[32];
    if (err != CEVM_OK) {
        cevm_test_fail_err(out, "state after", err);
    } else if (result->gas.left < 0 || (uint64_t)result->gas.left != test->gas_left) {
        (void)snprintf(want, sizeof want, "%" PRIu64, test->gas_left);
        (void)snprintf(got, sizeof got, "%" PRId64, result->gas.left);
        cevm_test_fail(out, CEVM_TEST_GAS, want, got, "gas left: got %s, want %s", got, want);
    } else if (!same_output) {
        (void)snprintf(want, sizeof want, "%zu bytes", test->output.size);
        (void)snprintf(got, sizeof got, "%zu bytes", result->output.size);
        cevm_test_fail(out, CEVM_TEST_OUTPUT, want, got, "output mismatch: got %s, want %s", got, want);
    } else if (!cevm_hash_equal(&logs_hash, &test->logs)) {
        cevm_test_fail_hash(out, CEVM_TEST_LOGS, "logs hash", &test->logs, &logs_hash);
    } else if (!same_state) {
        cevm_test_fail(out, CEVM_TEST_STATE, "", "", "state mismatch: %.400s", out->detail);
    }
}

static void judge(cevm_test_runner *runner, cevm_test_result *out, const cevm_vm_test *test, cevm_memdb *db,
                  cevm_state *state, const cevm_result *result)
{
    const char *ended = cevm_status_string(result->status);
    out->gas_used = test->gas - (uint64_t)result->gas.left;
    if (test->must_fail) {
        if (!cevm_status_is_halt(result->status)) {
            cevm_test_fail(out, CEVM_TEST_STATUS, "a failure", ended,
                           "the code should have failed, but ended with \"%s\"", ended);
        }
        out->has_root = cevm_memdb_root(db, &out->root) == CEVM_OK;
    } else if (!cevm_status_is_success(result->status)) {
        cevm_test_fail(out, CEVM_TEST_STATUS, "success", ended, "unexpected error: %s", ended);
    } else {
        judge_success(runner, out, test, db, state, result);
    }
}

static cevm_err execute(cevm_test_runner *runner, cevm_result *result, const cevm_vm_test *test, cevm_state *state)
{
    const cevm_message msg = {.kind = CEVM_CALL,
                              .gas = (int64_t)test->gas,
                              .sender = test->caller,
                              .recipient = test->address,
                              .code_address = test->address,
                              .value = test->value,
                              .input = test->data};
    const cevm_tx_env tx = {.origin = test->origin, .gas_price = test->gas_price};
    const cevm_host host = cevm_state_host(state);
    cevm_err err = cevm_state_begin_tx(state, test->block.fork);
    return err == CEVM_OK ? cevm_vm_execute(runner->vm, result, &msg, &test->block, &tx, &host, runner->tracer) : err;
}

void cevm_test_run_vm(cevm_test_runner *runner, cevm_test_result *out, const cevm_vm_test *test)
{
    memset(out, 0, sizeof *out);
    cevm_memdb *db = NULL;
    cevm_state *state = NULL;
    cevm_result result;
    cevm_err err = cevm_memdb_create(&db, runner->allocator);
    if (err == CEVM_OK) {
        err = store_before(db, test);
    }
    if (err == CEVM_OK) {
        cevm_db backend = cevm_memdb_interface(db);
        err = cevm_state_create(&state, &backend, runner->allocator);
    }
    if (err == CEVM_OK) {
        err = execute(runner, &result, test, state);
    }
    if (err != CEVM_OK) {
        cevm_test_fail_err(out, "execution", err);
    } else {
        judge(runner, out, test, db, state, &result);
    }
    if (runner->inspect != NULL && out->has_root) {
        runner->inspect(runner->inspect_user, db, &out->root);
    }
    cevm_state_destroy(state);
    cevm_memdb_destroy(db);
}
