/* SPDX-License-Identifier: Apache-2.0 */
/* This library as a machine. */
#include <cevm/crypto.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bench/stage.h"

typedef struct machine {
    bench_machine base;
    cevm_vm_config config;
    cevm_vm *vm; /* has run what it runs */
    const bench_program *program;
    bench_stage stage;        /* for messages */
    bench_stage store;        /* for transactions: only its store is used */
    cevm_state *transactions; /* a journal over that store */
} machine;

static bool fail(const machine *m, const char *what, cevm_err err)
{
    (void)fprintf(stderr, "bench: cevm: %s: %s: %s\n", m->program->name, what, cevm_err_string(err));
    return false;
}

static void unload(bench_machine *base)
{
    machine *m = (machine *)base;
    cevm_state_destroy(m->transactions);
    m->transactions = NULL;
    bench_stage_close(&m->store);
    bench_stage_close(&m->stage);
}

static bool load(bench_machine *base, const bench_program *program)
{
    machine *m = (machine *)base;
    m->program = program;
    cevm_err err = bench_stage_open(&m->stage, program, m->vm);
    if (err == CEVM_OK) {
        err = bench_stage_open_plain(&m->store, program, m->vm);
    }
    if (err == CEVM_OK) {
        const cevm_db db = {.vtable = &m->store.vtable, .ctx = cevm_memdb_interface(m->store.db).ctx};
        err = cevm_state_create(&m->transactions, &db, NULL);
    }
    if (err != CEVM_OK) {
        unload(base);
        return fail(m, "state before", err);
    }
    return true;
}

static cevm_err run_on(const machine *m, cevm_vm *vm, const bench_stage *stage, const cevm_message *message,
                       cevm_result *result)
{
    const bench_program *p = m->program;
    return cevm_vm_execute(vm, result, message, &p->block, &p->env, &stage->host, NULL);
}

static cevm_err run_message(const machine *m, cevm_vm *vm, const bench_stage *stage, cevm_result *result)
{
    return run_on(m, vm, stage, &m->program->message, result);
}

static bench_end end_of(cevm_status status)
{
    if (cevm_status_is_success(status)) {
        return BENCH_SUCCESS;
    }
    return cevm_status_is_revert(status) ? BENCH_REVERT : BENCH_HALT;
}

/** On a stage of its own, because a state root ends it. */
static bool answer_message(const machine *m, bench_answer *out)
{
    bench_stage stage;
    cevm_result result;
    cevm_err err = bench_stage_open(&stage, m->program, m->vm);
    if (err == CEVM_OK) {
        err = run_message(m, m->vm, &stage, &result);
        if (err == CEVM_OK) {
            out->end = end_of(result.status);
            out->gas = (uint64_t)(m->program->message.gas - result.gas.left);
            out->refund = result.gas.refund;
            cevm_keccak256(&out->output, result.output.data, result.output.size);
            err = bench_stage_finish(&stage, out);
        }
        bench_stage_close(&stage);
    }
    return err == CEVM_OK || fail(m, "execution", err);
}

static cevm_err run_transaction(const machine *m, cevm_receipt *receipt, cevm_tx_error *reason)
{
    const bench_program *p = m->program;
    const cevm_block_usage usage = {0};
    return cevm_tx_apply(m->vm, m->transactions, receipt, reason, &p->tx, &p->block, &usage, NULL);
}

/** Over a store of its own, because the changes are committed. */
static bool answer_transaction(machine *m, bench_answer *out)
{
    cevm_receipt receipt;
    cevm_tx_error reason = CEVM_TX_NONE;
    const cevm_block_usage usage = {0};
    const bench_program *p = m->program;
    bench_stage stage;
    cevm_err err = bench_stage_open_plain(&stage, p, m->vm);
    if (err == CEVM_OK) {
        cevm_state_discard(stage.state);
        err = cevm_tx_apply(m->vm, stage.state, &receipt, &reason, &p->tx, &p->block, &usage, NULL);
        if (err == CEVM_OK && reason == CEVM_TX_NONE) {
            out->end = end_of(receipt.status);
            out->gas = receipt.gas_used;
            out->refund = 0;
            cevm_keccak256(&out->output, receipt.output.data, receipt.output.size);
            err = cevm_logs_hash(&out->logs, receipt.logs, receipt.log_count, NULL);
        }
        if (err == CEVM_OK && reason == CEVM_TX_NONE) {
            err = cevm_state_commit_root(stage.state, &out->root);
            out->has_root = err == CEVM_OK;
        }
        bench_stage_close(&stage);
    }
    if (err == CEVM_OK && reason != CEVM_TX_NONE) {
        (void)fprintf(stderr, "bench: %s: the transaction is rejected: %s\n", p->name, cevm_tx_error_string(reason));
        return false;
    }
    return err == CEVM_OK || fail(m, "transaction", err);
}

static bool answer(bench_machine *base, bench_mode mode, bench_answer *out)
{
    *out = (bench_answer){0};
    return mode == BENCH_TRANSACTION ? answer_transaction((machine *)base, out) : answer_message((machine *)base, out);
}

/* ---- Time -------------------------------------------------------------------------------------------------------- */

static cevm_err time_execute(const machine *m, uint64_t count, uint64_t *ns)
{
    cevm_result result;
    const uint64_t start = bench_cpu_ns();
    for (uint64_t i = 0; i < count; ++i) {
        const cevm_err err = run_message(m, m->vm, &m->stage, &result);
        if (err != CEVM_OK) {
            return err;
        }
        bench_stage_reset(&m->stage);
    }
    *ns = bench_cpu_ns() - start;
    return CEVM_OK;
}

static cevm_err time_total(const machine *m, uint64_t count, uint64_t *ns)
{
    uint64_t times[BENCH_COLD_RUNS];
    const cevm_message prelude = bench_stage_prelude(m->program);
    for (uint64_t i = 0; i < count; ++i) {
        cevm_vm *fresh;
        cevm_result result;
        cevm_err err = cevm_vm_create(&fresh, &m->config);
        if (err != CEVM_OK) {
            return err;
        }
        (void)run_on(m, fresh, &m->stage, &prelude, &result);
        bench_stage_reset(&m->stage);
        const bench_stopwatch watch = bench_start();
        err = run_message(m, fresh, &m->stage, &result);
        times[i] = bench_stop(&watch);
        bench_stage_reset(&m->stage);
        cevm_vm_destroy(fresh);
        if (err != CEVM_OK) {
            return err;
        }
    }
    *ns = count * bench_median(times, count);
    return CEVM_OK;
}

static cevm_err time_transaction(const machine *m, uint64_t count, uint64_t *ns)
{
    const uint64_t start = bench_cpu_ns();
    for (uint64_t i = 0; i < count; ++i) {
        cevm_receipt receipt;
        cevm_tx_error reason;
        const cevm_err err = run_transaction(m, &receipt, &reason);
        if (err != CEVM_OK) {
            return err;
        }
        cevm_state_discard(m->transactions);
    }
    *ns = bench_cpu_ns() - start;
    return CEVM_OK;
}

static bool sample(bench_machine *base, bench_mode mode, uint64_t count, uint64_t *ns)
{
    const machine *m = (machine *)base;
    static cevm_err (*const time_mode[BENCH_MODE_COUNT])(const machine *m, uint64_t count,
                                                         uint64_t *ns) = {time_execute, time_total, time_transaction};
    const cevm_err err = time_mode[mode](m, count, ns);
    return err == CEVM_OK || fail(m, "execution", err);
}

static void close_machine(bench_machine *base)
{
    machine *m = (machine *)base;
    cevm_vm_destroy(m->vm);
    free(m);
}

bench_machine *bench_machine_cevm(const char *name, const char *engine)
{
    static const bench_machine_vtable vtable = {load, answer, sample, unload, close_machine};
    static const char *const engines[] = {"auto", "exact", "block"}; /* in the order of cevm_engine */
    cevm_vm_config config = {.struct_size = sizeof config};
    size_t i = 0;
    while (i < sizeof engines / sizeof engines[0] && strcmp(engines[i], engine) != 0) {
        ++i;
    }
    if (i == sizeof engines / sizeof engines[0]) {
        (void)fprintf(stderr, "bench: no engine is called '%s': auto, exact, block\n", engine);
        return NULL;
    }
    config.engine = (cevm_engine)i;
    machine *m = calloc(1, sizeof *m);
    if (m == NULL || cevm_vm_create(&m->vm, &config) != CEVM_OK) {
        free(m);
        (void)fputs("bench: out of memory\n", stderr);
        return NULL;
    }
    m->config = config;
    m->base = (bench_machine){.vtable = &vtable, .modes = {true, true, true}, .is_cevm = true};
    (void)snprintf(m->base.name, sizeof m->base.name, "%.15s", name != NULL ? name : "cevm");
    (void)snprintf(m->base.version, sizeof m->base.version, "cevm %s, engine %s", cevm_version(), engine);
    return &m->base;
}
