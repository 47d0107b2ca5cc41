/* SPDX-License-Identifier: Apache-2.0 */
/* Runs one entry of a state test: state before, transaction, root, logs, reason. */
#include <cevm/crypto.h>
#include <cevm/precompile.h>
#include <cevm/state.h>

#include <inttypes.h>
#include <stdio.h>

#include "ethereum-tests/runner.h"

/* What one run holds; torn down by run_end. */
typedef struct run {
    cevm_test_runner *runner;
    cevm_test_result *out;
    cevm_state_test *test;
    const cevm_test_entry *entry;
    cevm_memdb *db;
    cevm_state *state;
    cevm_tx *decoded; /* owned, when the transaction came from bytes */
    cevm_tx built;    /* otherwise */
    const cevm_tx *tx;
    cevm_tx_error reason;
    cevm_block_env block;
    cevm_db_vtable vtable;
} run;

/* In state tests BLOCKHASH is keccak256 of the number written in decimal: there is no chain to ask. */
static cevm_err hash_of_number(void *ctx, cevm_hash *out, uint64_t number)
{
    (void)ctx;
    char text[24];
    int length = snprintf(text, sizeof text, "%" PRIu64, number);
    cevm_keccak256(out, text, (size_t)length);
    return CEVM_OK;
}

static cevm_err open_state(run *r)
{
    cevm_err err = cevm_memdb_create(&r->db, r->runner->allocator);
    if (err == CEVM_OK) {
        err = cevm_genesis_alloc_store(r->db, &r->test->pre);
    }
    if (err != CEVM_OK) {
        return err;
    }
    cevm_db db = cevm_memdb_interface(r->db);
    r->vtable = *db.vtable;
    r->vtable.block_hash = hash_of_number;
    db.vtable = &r->vtable;
    return cevm_state_create(&r->state, &db, r->runner->allocator);
}

static void run_end(run *r)
{
    cevm_state_destroy(r->state);
    cevm_memdb_destroy(r->db);
    cevm_tx_destroy(r->decoded, r->runner->allocator);
}

/* Finds the transaction and its sender. False when the run is over; r->reason says when it is rejected already. */
static bool take_transaction(run *r)
{
    const cevm_test_entry *e = r->entry;
    if (e->value_too_wide) {
        r->reason = CEVM_TX_RLP_INVALID_VALUE;
        return true;
    }
    if (!e->has_tx_bytes) {
        cevm_json_error error;
        r->tx = &r->built;
        if (!cevm_state_test_transaction(&r->built, r->test, e, &error)) {
            r->out->verdict = CEVM_TEST_ERROR;
            (void)snprintf(r->out->error, sizeof r->out->error, "%.500s", error.text);
            return false;
        }
        return true;
    }
    cevm_err err = cevm_tx_decode(&r->decoded, &r->reason, e->tx_bytes, r->runner->allocator);
    if (err == CEVM_ERR_ENCODING) {
        return true;
    }
    if (err == CEVM_OK) {
        r->tx = r->decoded;
        err = cevm_tx_recover_sender(r->decoded, &r->reason, r->block.fork, r->runner->allocator);
    }
    if (err != CEVM_OK) {
        cevm_test_fail_err(r->out, "transaction", err);
    }
    return err == CEVM_OK;
}

/*
 * A block reward of nothing. It leaves an empty coinbase account before EIP-161 where the transaction made none: it was
 * rejected, or the coinbase destroyed itself.
 */
static cevm_err reward_coinbase(run *r)
{
    const cevm_u256 nothing = {{0, 0, 0, 0}};
    cevm_err err = cevm_state_begin_tx(r->state, r->block.fork);
    if (err == CEVM_OK) {
        err = cevm_state_add_balance(r->state, &r->block.coinbase, &nothing);
    }
    if (err == CEVM_OK) {
        err = cevm_state_end_tx(r->state);
    }
    return err == CEVM_OK ? cevm_state_commit(r->state) : err;
}

static cevm_err reward_and_root(run *r, cevm_hash *root)
{
    cevm_err err = reward_coinbase(r);
    return err == CEVM_OK ? cevm_memdb_root(r->db, root) : err;
}

/* ---- A contract that this build does not hold -------------------------------------------------------------------- */

typedef struct precompile_watch {
    cevm_fork fork;
    const cevm_precompile *last;
} precompile_watch;

static void watch_enter(void *ctx, const cevm_message *msg, uint32_t depth)
{
    (void)depth;
    precompile_watch *watch = ctx;
    if (msg->kind == CEVM_CREATE || msg->kind == CEVM_CREATE2) {
        return;
    }
    const cevm_precompile *p = cevm_precompile_find(&msg->code_address, watch->fork);
    watch->last = p != NULL ? p : watch->last;
}

/* Runs it again under a tracer to learn which contract is missing. */
static void name_missing_contract(run *r)
{
    precompile_watch watch = {.fork = r->block.fork};
    cevm_tracer tracer = {.struct_size = sizeof tracer, .ctx = &watch, .on_enter = watch_enter};
    cevm_receipt receipt;
    cevm_block_usage usage = {0};
    cevm_tx_error reason = CEVM_TX_NONE;
    cevm_err err = cevm_tx_apply(r->runner->vm, r->state, &receipt, &reason, r->tx, &r->block, &usage, &tracer);
    if (err == CEVM_ERR_NOT_BUILT && watch.last != NULL) {
        (void)snprintf(r->out->detail, sizeof r->out->detail, "0x%02x %s", watch.last->address, watch.last->name);
    }
}

/* ---- Comparison -------------------------------------------------------------------------------------------------- */

/* Where the file gives the whole state after the transaction, says which account differs first. */
static void name_difference(run *r)
{
    cevm_test_result *out = r->out;
    if (r->entry->state == NULL) {
        return;
    }
    cevm_json_error error;
    cevm_json_at at = cevm_json_root(r->entry->state, r->test->file, "state", &error);
    cevm_genesis_alloc expected;
    bool same = true;
    if (!cevm_genesis_alloc_load(&expected, &at, &r->test->arena)) {
        (void)snprintf(out->detail, sizeof out->detail, "%.500s", error.text);
    } else if (cevm_genesis_alloc_compare(&same, out->detail, sizeof out->detail, r->db, &expected) == CEVM_OK &&
               same) {
        (void)snprintf(out->detail, sizeof out->detail,
                       "every account of \"state\" is as it should be; only the root differs");
    }
}

static void judge_rejected(run *r)
{
    cevm_test_result *out = r->out;
    const cevm_test_entry *e = r->entry;
    const char *name = cevm_tx_error_name(r->reason), *words = cevm_tx_error_string(r->reason);
    cevm_err err = cevm_memdb_root(r->db, &out->root);
    out->has_root = err == CEVM_OK;
    bool same_root = err == CEVM_OK && cevm_hash_equal(&out->root, &e->root);
    if (err == CEVM_OK && !same_root && e->expect_exception != NULL && !CEVM_HAS_EIP(r->block.fork, 161)) {
        /* Some older files give the root after the reward of nothing, others the root before the transaction. */
        err = reward_and_root(r, &out->root);
        same_root = err == CEVM_OK && cevm_hash_equal(&out->root, &e->root);
    }
    if (err != CEVM_OK) {
        cevm_test_fail_err(out, "state root", err);
    } else if (e->expect_exception == NULL) {
        char numbers[64] = "";
        if (r->reason == CEVM_TX_INTRINSIC_GAS_TOO_LOW && r->tx != NULL) { /* geth says how much */
            (void)snprintf(numbers, sizeof numbers, ": have %" PRIu64 ", want %" PRIu64, r->tx->gas_limit,
                           cevm_tx_intrinsic_gas(r->tx, r->block.fork).gas);
        }
        cevm_test_fail(out, CEVM_TEST_REASON, "a valid transaction", name, "unexpected error: %s%s", words, numbers);
    } else if (!cevm_tx_error_matches(r->reason, e->expect_exception)) {
        cevm_test_fail(out, CEVM_TEST_REASON, e->expect_exception, name,
                       "rejected for another reason: got %s (%s), want %s", name, words, e->expect_exception);
    } else if (!same_root) {
        cevm_test_fail_hash(out, CEVM_TEST_ROOT, "state root after a rejected transaction", &e->root, &out->root);
        name_difference(r);
    }
}

static void judge_applied(run *r, const cevm_receipt *receipt)
{
    cevm_test_result *out = r->out;
    const cevm_test_entry *e = r->entry;
    cevm_hash logs;
    out->gas_used = receipt->gas_used;
    /* Before the reward: it begins a transaction of its own, and the logs are gone with that. */
    cevm_err err = cevm_logs_hash(&logs, receipt->logs, receipt->log_count, r->runner->allocator);
    if (err == CEVM_OK) {
        err = reward_and_root(r, &out->root);
    }
    if (err != CEVM_OK) {
        cevm_test_fail_err(out, "state root", err);
        return;
    }
    out->has_root = true;
    if (e->expect_exception != NULL) {
        cevm_test_fail(out, CEVM_TEST_REASON, e->expect_exception, "a valid transaction",
                       "expected error \"%s\", got no error", e->expect_exception);
    } else if (!cevm_hash_equal(&out->root, &e->root)) {
        cevm_test_fail_hash(out, CEVM_TEST_ROOT, "post state root", &e->root, &out->root);
        name_difference(r);
    } else if (!cevm_hash_equal(&logs, &e->logs)) {
        cevm_test_fail_hash(out, CEVM_TEST_LOGS, "post state logs hash", &e->logs, &logs);
    }
}

static void apply(run *r)
{
    cevm_receipt receipt;
    cevm_block_usage usage = {0};
    cevm_test_runner *runner = r->runner;
    cevm_err err = CEVM_OK;
    if (r->reason == CEVM_TX_NONE) {
        const cevm_test_watch *watch = runner->watch;
        const cevm_tracer *tracer =
            watch != NULL ? watch->begin(watch->user, r->state, r->tx, &r->block) : runner->tracer;
        err = cevm_tx_apply(runner->vm, r->state, &receipt, &r->reason, r->tx, &r->block, &usage, tracer);
        if (watch != NULL) {
            watch->end(watch->user, err == CEVM_OK && r->reason == CEVM_TX_NONE ? &receipt : NULL);
        }
    }
    if (err != CEVM_OK) {
        cevm_test_fail_err(r->out, "execution", err);
        r->out->has_root = cevm_memdb_root(r->db, &r->out->root) == CEVM_OK;
        if (err == CEVM_ERR_NOT_BUILT) {
            name_missing_contract(r);
        }
    } else if (r->reason != CEVM_TX_NONE) {
        judge_rejected(r);
    } else {
        judge_applied(r, &receipt);
    }
    if (runner->inspect != NULL && r->out->has_root) {
        runner->inspect(runner->inspect_user, r->db, &r->out->root);
    }
}

void cevm_test_run_entry(cevm_test_runner *runner, cevm_test_result *out, cevm_state_test *test,
                         const cevm_test_entry *entry)
{
    memset(out, 0, sizeof *out);
    if (!entry->fork_known) {
        out->verdict = CEVM_TEST_ERROR;
        (void)snprintf(out->error, sizeof out->error, "unsupported fork \"%.80s\"", entry->fork_name);
        return;
    }
    run r = {.runner = runner, .out = out, .test = test, .entry = entry};
    cevm_state_test_block(&r.block, test, entry);
    cevm_err err = open_state(&r);
    if (err != CEVM_OK) {
        cevm_test_fail_err(out, "state before", err);
    } else if (take_transaction(&r)) {
        apply(&r);
    }
    run_end(&r);
}
