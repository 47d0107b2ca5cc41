/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which instructions follow each other most in the programs of the bench, in pairs and in threes: what a fusion may be worth.
 * `make bench-sequences` runs it.
 *
 * The lengths of PUSH, the depths of DUP and SWAP and the topics of LOG are not told apart. Every program weighs the same,
 * however long it runs, and within it each instruction that is run does. A sequence stays within a frame, and passes jumps.
 */
#include <cevm/tracer.h>

#include <stdlib.h>
#include <string.h>

#include "bench/stage.h"

enum { KINDS = 80, SHOWN = 40, NONE = KINDS };

/** Counts of one program, or shares of all. */
typedef struct table {
    uint8_t kinds[256]; /* of each opcode; those without a name share the last */
    char names[KINDS][16];
    size_t kind_count;
    double *counts; /* KINDS * KINDS pairs, then KINDS^3 threes */
    double *shares;
    uint64_t steps;
    uint32_t depth;
    unsigned last[2]; /* the kinds before, or NONE */
} table;

enum { PAIRS = KINDS * KINDS, THREES = PAIRS * KINDS, PLACES = PAIRS + THREES };

/** The kind with a name, made if it is new. */
static uint8_t kind_of(table *t, const char *name)
{
    size_t i = 0;
    while (i < t->kind_count && strcmp(t->names[i], name) != 0) {
        ++i;
    }
    if (i == t->kind_count && i + 1 < KINDS) {
        (void)snprintf(t->names[i], sizeof t->names[i], "%s", name);
        ++t->kind_count;
    }
    return (uint8_t)(i < KINDS ? i : KINDS - 1);
}

/** PUSH0, or what comes before the number in PUSH1, DUP1, SWAP1, LOG1. */
static uint8_t kind_of_op(table *t, const char *op_name)
{
    static const char *const families[] = {"PUSH", "DUP", "SWAP", "LOG"};
    if (op_name == NULL) {
        return kind_of(t, "undefined");
    }
    for (size_t i = 0; i < sizeof families / sizeof families[0]; ++i) {
        const size_t length = strlen(families[i]);
        if (strncmp(op_name, families[i], length) == 0 && strspn(op_name + length, "0123456789") != 0) {
            return kind_of(t, families[i]);
        }
    }
    return kind_of(t, op_name);
}

static void on_step(void *ctx, const cevm_step *step)
{
    table *t = ctx;
    if (t->kinds[step->op] == NONE) {
        t->kinds[step->op] = kind_of_op(t, step->op_name);
    }
    const unsigned kind = t->kinds[step->op];
    if (step->depth != t->depth) {
        t->depth = step->depth;
        t->last[0] = t->last[1] = NONE;
    }
    if (t->last[1] != NONE) {
        const size_t pair = (size_t)t->last[1] * KINDS + kind;
        t->counts[pair] += 1;
        if (t->last[0] != NONE) {
            t->counts[PAIRS + (size_t)t->last[0] * PAIRS + pair] += 1;
        }
    }
    t->last[0] = t->last[1];
    t->last[1] = kind;
    ++t->steps;
}

/** Adds a program's shares. */
static cevm_err count(table *t, cevm_vm *vm, const bench_program *program)
{
    bench_stage stage;
    cevm_result result;
    const cevm_tracer tracer = {.struct_size = sizeof tracer, .ctx = t, .on_step = on_step};
    cevm_err err = bench_stage_open(&stage, program, vm);
    if (err != CEVM_OK) {
        return err;
    }
    memset(t->counts, 0, PLACES * sizeof *t->counts);
    t->steps = 0;
    t->depth = 0;
    err = cevm_vm_execute(vm, &result, &program->message, &program->block, &program->env, &stage.host, &tracer);
    for (size_t i = 0; i < PLACES && t->steps != 0; ++i) {
        t->shares[i] += t->counts[i] / (double)t->steps;
    }
    bench_stage_close(&stage);
    return err;
}

/** Prints the largest of `places` shares, which it forgets. */
static void print(table *t, size_t first, size_t places, size_t programs, const char *title)
{
    (void)printf("%s\n", title);
    for (int rank = 0; rank < SHOWN; ++rank) {
        size_t best = 0;
        for (size_t i = 1; i < places; ++i) {
            best = t->shares[first + i] > t->shares[first + best] ? i : best;
        }
        const double share = t->shares[first + best];
        if (share == 0) {
            return;
        }
        t->shares[first + best] = 0;
        (void)printf("%6.2f %%  %s%s%s %s\n", 100 * share / (double)programs,
                     places == THREES ? t->names[best / PAIRS] : "", places == THREES ? " " : "",
                     t->names[best / KINDS % KINDS], t->names[best % KINDS]);
    }
}

int main(int argc, char **argv)
{
    bench_programs programs = {0};
    cevm_vm *vm = NULL;
    table *t = calloc(1, sizeof *t);
    bool ok = argc > 1 && t != NULL && cevm_vm_create(&vm, NULL) == CEVM_OK;
    for (int i = 1; i < argc && ok; ++i) {
        ok = bench_programs_add(&programs, argv[i]);
    }
    if (ok) {
        memset(t->kinds, NONE, sizeof t->kinds);
        t->counts = calloc(PLACES, sizeof *t->counts);
        t->shares = calloc(PLACES, sizeof *t->shares);
        ok = t->counts != NULL && t->shares != NULL;
    }
    for (size_t i = 0; i < programs.count && ok; ++i) {
        ok = count(t, vm, &programs.items[i]) == CEVM_OK;
    }
    if (ok) {
        (void)printf("%zu programs, shares of their instructions\n", programs.count);
        print(t, 0, PAIRS, programs.count, "pairs");
        print(t, PAIRS, THREES, programs.count, "threes");
    } else {
        (void)fputs("usage: cevm-bench-sequences FILE|FOLDER...   (or a program cannot be run)\n", stderr);
    }
    if (t != NULL) {
        free(t->counts);
        free(t->shares);
    }
    free(t);
    cevm_vm_destroy(vm);
    bench_programs_free(&programs);
    return ok ? 0 : 1;
}
