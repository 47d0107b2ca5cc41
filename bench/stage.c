/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/stage.h"

#include <cevm/crypto.h>

#include <inttypes.h>
#include <stdio.h>

/* In state tests BLOCKHASH is keccak256 of the number written in decimal. */
static cevm_err hash_of_number(void *ctx, cevm_hash *out, uint64_t number)
{
    (void)ctx;
    char text[24];
    const int length = snprintf(text, sizeof text, "%" PRIu64, number);
    cevm_keccak256(out, text, (size_t)length);
    return CEVM_OK;
}

/* Where the contract of the prelude is: no program has anything there. */
static const cevm_address prelude_address = {{0xc0, 0xde, 0xc0, 0xde}};

static cevm_err add_prelude(cevm_memdb *db)
{
    static const uint8_t code[] = {0x60, 0x01, 0x61, 0x0f, 0xe0, 0x52, /* MSTORE(0x0fe0, 1) */
                                   0x60, 0x09, 0x56, 0x5b, 0x00};      /* JUMP(9) JUMPDEST STOP */
    const cevm_u256 nothing = {{0, 0, 0, 0}};
    return cevm_memdb_set_account(db, &prelude_address, &nothing, 1, (cevm_bytes){code, sizeof code});
}

static cevm_err warm_all(const bench_stage *stage, const cevm_vm *vm)
{
    const bench_program *program = stage->program;
    const cevm_host *host = &stage->host;
    if (!CEVM_HAS_EIP(program->block.fork, 2929)) {
        return CEVM_OK;
    }
    cevm_err err = host->vtable->warm_account(host->ctx, &program->message.sender);
    if (err == CEVM_OK) {
        err = host->vtable->warm_account(host->ctx, &program->message.recipient);
    }
    if (err == CEVM_OK) {
        err = cevm_vm_warm_precompiles(vm, host, program->block.fork);
    }
    if (err == CEVM_OK && CEVM_HAS_EIP(program->block.fork, 3651)) {
        err = host->vtable->warm_account(host->ctx, &program->block.coinbase);
    }
    return err;
}

static cevm_err open_stage(bench_stage *out, const bench_program *program, const cevm_vm *vm, bool with_prelude)
{
    *out = (bench_stage){.program = program};
    cevm_err err = cevm_memdb_create(&out->db, NULL);
    if (err == CEVM_OK) {
        err = cevm_genesis_alloc_store(out->db, &program->test->pre);
    }
    if (err == CEVM_OK && with_prelude) {
        err = add_prelude(out->db);
    }
    if (err == CEVM_OK) {
        cevm_db db = cevm_memdb_interface(out->db);
        out->vtable = *db.vtable;
        out->vtable.block_hash = hash_of_number;
        db.vtable = &out->vtable;
        err = cevm_state_create(&out->state, &db, NULL);
    }
    if (err == CEVM_OK) {
        out->host = cevm_state_host(out->state);
        err = cevm_state_begin_tx(out->state, program->block.fork);
    }
    if (err == CEVM_OK) {
        err = warm_all(out, vm);
    }
    if (err != CEVM_OK) {
        bench_stage_close(out);
        return err;
    }
    out->start = out->host.vtable->checkpoint(out->host.ctx);
    return CEVM_OK;
}

cevm_err bench_stage_open(bench_stage *out, const bench_program *program, const cevm_vm *vm)
{
    return open_stage(out, program, vm, true);
}

cevm_err bench_stage_open_plain(bench_stage *out, const bench_program *program, const cevm_vm *vm)
{
    return open_stage(out, program, vm, false);
}

cevm_message bench_stage_prelude(const bench_program *program)
{
    return (cevm_message){
        .kind = CEVM_CALL,
        .gas = 1000000,
        .sender = program->message.sender,
        .recipient = prelude_address,
        .code_address = prelude_address,
    };
}

void bench_stage_close(bench_stage *stage)
{
    cevm_state_destroy(stage->state);
    cevm_memdb_destroy(stage->db);
    *stage = (bench_stage){0};
}

cevm_err bench_stage_finish(bench_stage *stage, bench_answer *answer)
{
    cevm_err err = cevm_state_end_tx(stage->state);
    if (err == CEVM_OK) {
        size_t count;
        const cevm_log *logs = cevm_state_logs(stage->state, &count);
        err = cevm_logs_hash(&answer->logs, logs, count, NULL);
    }
    if (err == CEVM_OK) {
        err = cevm_state_commit_root(stage->state, &answer->root);
        answer->has_root = err == CEVM_OK;
    }
    return err;
}
