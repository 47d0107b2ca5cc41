/* SPDX-License-Identifier: Apache-2.0 */
/* A machine in a shared object that speaks EVMC, in this process and over the same host as this library. */
#include <cevm/crypto.h>

#include <ctype.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "bench/evmc_peer.h"
#include "bench/stage.h"
#include "evm/evmc/abi12.h"
#include "evm/evmc/abi18.h"

typedef struct machine {
    bench_machine base;
    void *library;
    const bench_evmc_abi *abi;
    void *(*create)(void);
    bench_evmc_analyse_fn analyse; /* the three may be missing */
    bench_evmc_release_fn release;
    bench_evmc_function execute_analysed;
    bench_evmc_world world; /* holds the machine */
    cevm_vm *rules;         /* tells which precompiles are warm */
    const bench_program *program;
    bench_stage stage;
    void *analysis; /* of the program's code; NULL when the machine cannot, or there is no code */
} machine;

static bool fail(const machine *m, const char *what, cevm_err err)
{
    (void)fprintf(stderr, "bench: %s: %s: %s: %s\n", m->base.name, m->program->name, what, cevm_err_string(err));
    return false;
}

static void unload(bench_machine *base)
{
    machine *m = (machine *)base;
    if (m->analysis != NULL) {
        m->release(m->analysis);
        m->analysis = NULL;
    }
    bench_stage_close(&m->stage);
}

static bool load(bench_machine *base, const bench_program *program)
{
    machine *m = (machine *)base;
    m->program = program;
    cevm_err err = bench_stage_open(&m->stage, program, m->rules);
    if (err == CEVM_OK && m->analyse != NULL && program->message.kind == CEVM_CALL) {
        cevm_code code;
        err = m->stage.host.vtable->load_code(m->stage.host.ctx, &code, &program->message.code_address);
        if (err == CEVM_OK && code.bytes.size != 0) {
            m->analysis = m->analyse(code.bytes.data, code.bytes.size);
        }
    }
    if (err != CEVM_OK) {
        unload(base);
        return fail(m, "state before", err);
    }
    bench_evmc_begin(&m->world, &m->stage.host, &program->block, &program->env);
    m->world.revision = m->abi->revision(program->block.fork);
    return true;
}

/* ---- What comes of it -------------------------------------------------------------------------------------------- */

typedef struct taken {
    bench_answer *answer;
    int64_t gas;
    bool broken;
} taken;

static void take_answer(void *user, const evmc_result_head *result)
{
    taken *t = user;
    t->broken = result->status_code < 0;
    t->answer->end = result->status_code == EVMC_SUCCESS  ? BENCH_SUCCESS
                     : result->status_code == EVMC_REVERT ? BENCH_REVERT
                                                          : BENCH_HALT;
    t->answer->gas = (uint64_t)(t->gas - result->gas_left);
    t->answer->refund = result->gas_refund;
    cevm_keccak256(&t->answer->output, result->output_data, result->output_size);
}

static bool answer(bench_machine *base, bench_mode mode, bench_answer *out)
{
    (void)mode;
    machine *m = (machine *)base;
    bench_stage stage;
    *out = (bench_answer){0};
    taken t = {.answer = out, .gas = m->program->message.gas};
    cevm_err err = bench_stage_open(&stage, m->program, m->rules);
    if (err == CEVM_OK) {
        bench_evmc_world world = m->world;
        const bench_evmc_call call = {.message = &m->program->message};
        bench_evmc_begin(&world, &stage.host, &m->program->block, &m->program->env);
        m->abi->run(&world, &call, take_answer, &t);
        err = world.err != CEVM_OK ? world.err : bench_stage_finish(&stage, out);
        bench_stage_close(&stage);
    }
    if (t.broken) {
        (void)fprintf(stderr, "bench: %s: %s: the machine gives an internal error\n", m->base.name, m->program->name);
        return false;
    }
    return err == CEVM_OK || fail(m, "execution", err);
}

/* ---- Time -------------------------------------------------------------------------------------------------------- */

static void time_execute(machine *m, uint64_t count, uint64_t *ns)
{
    const bench_evmc_call call = {&m->program->message, m->analysis, m->execute_analysed};
    const uint64_t start = bench_cpu_ns();
    for (uint64_t i = 0; i < count; ++i) {
        m->abi->run(&m->world, &call, NULL, NULL);
        bench_stage_reset(&m->stage);
    }
    *ns = bench_cpu_ns() - start;
}

static void time_total(machine *m, uint64_t count, uint64_t *ns)
{
    const bench_evmc_call call = {&m->program->message, NULL, NULL};
    const cevm_message prelude = bench_stage_prelude(m->program);
    const bench_evmc_call first = {&prelude, NULL, NULL};
    void *const kept = m->world.vm;
    uint64_t times[BENCH_COLD_RUNS];
    for (uint64_t i = 0; i < count; ++i) {
        m->world.vm = m->create();
        m->abi->run(&m->world, &first, NULL, NULL);
        bench_stage_reset(&m->stage);
        const bench_stopwatch watch = bench_start();
        m->abi->run(&m->world, &call, NULL, NULL);
        times[i] = bench_stop(&watch);
        bench_stage_reset(&m->stage);
        m->abi->destroy(m->world.vm);
    }
    m->world.vm = kept;
    *ns = count * bench_median(times, count);
}

static bool sample(bench_machine *base, bench_mode mode, uint64_t count, uint64_t *ns)
{
    machine *m = (machine *)base;
    if (mode == BENCH_TOTAL) {
        time_total(m, count, ns);
    } else {
        time_execute(m, count, ns);
    }
    return m->world.err == CEVM_OK || fail(m, "execution", m->world.err);
}

/* ---- Opening ----------------------------------------------------------------------------------------------------- */

static void close_machine(bench_machine *base)
{
    machine *m = (machine *)base;
    if (m->world.vm != NULL) {
        m->abi->destroy(m->world.vm);
    }
    if (m->library != NULL) {
        (void)dlclose(m->library);
    }
    cevm_vm_destroy(m->rules);
    free(m);
}

static bench_evmc_function find(void *library, const char *symbol)
{
    bench_evmc_function function = NULL;
    void *const address = dlsym(library, symbol);
    memcpy(&function, &address, sizeof function); /* POSIX promises that they have one size; C has no cast for it */
    return function;
}

/** The name of the file without "lib" and what follows the first dot. */
static void stem_of(char *out, size_t size, const char *path)
{
    const char *file = strrchr(path, '/');
    file = file != NULL ? file + 1 : path;
    file += strncmp(file, "lib", 3) == 0 ? 3 : 0;
    (void)snprintf(out, size, "%.*s", (int)strcspn(file, "."), file);
}

/**
 * EVMC's rule: evmc_create_ and the stem of the file with '_' for '-', then evmc_create. Besides, the parts of the stem from
 * the right are left off one by one: libevmone-gcc.so may export evmc_create_evmone.
 */
static bench_evmc_function find_create(void *library, const char *path)
{
    char stem[64], symbol[96];
    stem_of(stem, sizeof stem, path);
    for (char *c = stem; *c != '\0'; ++c) {
        *c = isalnum((unsigned char)*c) ? *c : '_';
    }
    for (char *cut = stem; cut != NULL;) {
        (void)snprintf(symbol, sizeof symbol, "evmc_create_%s", stem);
        const bench_evmc_function function = find(library, symbol);
        if (function != NULL) {
            return function;
        }
        cut = strrchr(stem, '_');
        if (cut != NULL) {
            *cut = '\0';
        }
    }
    return find(library, "evmc_create");
}

static bool open_library(machine *m, const char *path)
{
    char with_folder[4096];
    (void)snprintf(with_folder, sizeof with_folder, "%s%s", strchr(path, '/') != NULL ? "" : "./", path);
    m->library = dlopen(with_folder, RTLD_NOW | RTLD_LOCAL);
    if (m->library == NULL) {
        (void)fprintf(stderr, "bench: %s\n", dlerror());
        return false;
    }
    m->create = (void *(*)(void))find_create(m->library, path);
    m->world.vm = m->create != NULL ? m->create() : NULL;
    if (m->world.vm == NULL) {
        (void)fprintf(stderr, "bench: %s: exports no evmc_create function that gives a machine\n", path);
        return false;
    }
    const int abi = *(const int *)m->world.vm; /* every ABI begins its machine with its number */
    m->abi = abi == EVMC12_ABI_VERSION ? &bench_evmc_abi12 : abi == EVMC18_ABI_VERSION ? &bench_evmc_abi18 : NULL;
    if (m->abi == NULL) {
        (void)fprintf(stderr, "bench: %s: speaks EVMC's ABI %d; 12 and 18 can be loaded\n", path, abi);
        m->world.vm = NULL;
        return false;
    }
    m->analyse = (bench_evmc_analyse_fn)find(m->library, "bench_analyse");
    m->release = (bench_evmc_release_fn)find(m->library, "bench_release");
    m->execute_analysed = find(m->library, "bench_execute");
    if (m->release == NULL || m->execute_analysed == NULL) {
        m->analyse = NULL;
    }
    (void)snprintf(m->base.version, sizeof m->base.version, "%.20s %.20s, EVMC %d%s", m->abi->name(m->world.vm),
                   m->abi->version(m->world.vm), abi, m->analyse == NULL ? ", analyses in every execution" : "");
    return true;
}

bench_machine *bench_machine_evmc(const char *name, const char *path)
{
    static const bench_machine_vtable vtable = {load, answer, sample, unload, close_machine};
    machine *m = calloc(1, sizeof *m);
    if (m == NULL || cevm_vm_create(&m->rules, NULL) != CEVM_OK) {
        free(m);
        (void)fputs("bench: out of memory\n", stderr);
        return NULL;
    }
    m->base = (bench_machine){.vtable = &vtable, .modes = {true, true, false}};
    if (name != NULL) {
        (void)snprintf(m->base.name, sizeof m->base.name, "%.15s", name);
    } else {
        stem_of(m->base.name, sizeof m->base.name, path);
    }
    if (!open_library(m, path)) {
        close_machine(&m->base);
        return NULL;
    }
    return &m->base;
}
