/* SPDX-License-Identifier: Apache-2.0 */
/**
 * bench/stage.h: the state that a program's message runs in, the same for every machine of this process: a memory store
 * with the accounts of the test, a journal over it in an open transaction, and everything warm that a transaction warms.
 *
 * The pointers into the program are borrowed until it is closed. One thread.
 */
#ifndef CEVM_BENCH_STAGE_H
#define CEVM_BENCH_STAGE_H

#include <cevm/state.h>

#include "bench/bench.h"

typedef struct bench_stage {
    const bench_program *program;
    cevm_memdb *db;
    cevm_state *state;
    cevm_host host;
    cevm_checkpoint start; /* to revert to after each run */
    cevm_db_vtable vtable;
} bench_stage;

/** Opens it. `vm` is only asked which precompiles are warm. On an error nothing is left to close. */
cevm_err bench_stage_open(bench_stage *out, const bench_program *program, const cevm_vm *vm);
/** The same without the contract of the prelude: the accounts of the program alone, whose root its file gives. */
cevm_err bench_stage_open_plain(bench_stage *out, const bench_program *program, const cevm_vm *vm);
void bench_stage_close(bench_stage *stage);

/**
 * What a new machine runs before its cold run: a call to a contract of a dozen bytes that jumps and writes a little memory. The
 * machine then has its stack, its memory and its tables, as one that works has, and has seen none of the program's code.
 */
cevm_message bench_stage_prelude(const bench_program *program);

/** Undoes what a run changed. */
static inline void bench_stage_reset(const bench_stage *stage)
{
    stage->host.vtable->revert(stage->host.ctx, stage->start);
}

/** Ends the transaction after one run, and fills in logs and root. The stage can only be closed then. */
cevm_err bench_stage_finish(bench_stage *stage, bench_answer *answer);

#endif
