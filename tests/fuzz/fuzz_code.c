/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Any bytes as code, at any fork: the first byte is the fork, the rest a contract that may call itself. Gas never grows, a
 * failed frame keeps none, and neither a tracer nor the engine changes anything.
 */
#include <cevm/cevm.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { GAS = 100000 };

/** What a run came to, kept after the VM that owns the output is gone. */
typedef struct outcome {
    cevm_err err;
    cevm_status status;
    int64_t left;
    cevm_hash output;
} outcome;

static void count_step(void *ctx, const cevm_step *step)
{
    uint64_t *sum = ctx;
    *sum += step->pc + step->stack_size + step->memory.size;
    if (step->gas < 0 || step->gas > GAS || step->stack_size > 1024) {
        abort();
    }
}

static void must(cevm_err err)
{
    if (err != CEVM_OK) {
        abort();
    }
}

static outcome run(cevm_fork fork, cevm_bytes code, cevm_engine engine, const cevm_tracer *tracer)
{
    const cevm_address contract = {{[19] = 0xc0}}, caller = {{[19] = 0xca}};
    const cevm_u256 balance = cevm_u256_from_u64(1000);
    cevm_memdb *store = NULL;
    cevm_state *state = NULL;
    cevm_vm *vm = NULL;
    must(cevm_memdb_create(&store, NULL));
    must(cevm_memdb_set_account(store, &contract, &balance, 1, code));
    const cevm_db db = cevm_memdb_interface(store);
    must(cevm_state_create(&state, &db, NULL));
    must(cevm_state_begin_tx(state, fork));
    const cevm_vm_config config = {.struct_size = sizeof config, .engine = engine};
    must(cevm_vm_create(&vm, &config));

    const cevm_block_env block = {.fork = fork, .number = 300, .gas_limit = 30000000, .chain_id = 1};
    const cevm_tx_env tx = {.origin = caller};
    const cevm_message call = {.kind = CEVM_CALL,
                               .gas = GAS,
                               .sender = caller,
                               .recipient = contract,
                               .code_address = contract,
                               .input = code};
    const cevm_host host = cevm_state_host(state);
    cevm_result result = {0};
    outcome out = {.err = cevm_vm_execute(vm, &result, &call, &block, &tx, &host, tracer)};
    if (out.err == CEVM_OK) {
        out.status = result.status;
        out.left = result.gas.left;
        cevm_keccak256(&out.output, result.output.data, result.output.size);
        if (out.left < 0 || out.left > GAS || (cevm_status_is_halt(out.status) && out.left != 0)) {
            abort();
        }
        must(cevm_state_end_tx(state));
        must(cevm_state_commit(state));
    } else if (out.err != CEVM_ERR_NOT_BUILT) {
        abort();
    }
    cevm_vm_destroy(vm);
    cevm_state_destroy(state);
    cevm_memdb_destroy(store);
    return out;
}

static bool same(const outcome *a, const outcome *b)
{
    return a->err == b->err && a->status == b->status && a->left == b->left && cevm_hash_equal(&a->output, &b->output);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    const cevm_fork fork = (cevm_fork)(data[0] % CEVM_FORK_COUNT);
    const cevm_bytes code = {data + 1, size - 1};
    uint64_t sum = 0;
    const cevm_tracer tracer = {.struct_size = sizeof tracer, .ctx = &sum, .on_step = count_step};
    const outcome plain = run(fork, code, CEVM_ENGINE_EXACT, NULL);
    const outcome traced = run(fork, code, CEVM_ENGINE_EXACT, &tracer);
    const outcome block = run(fork, code, CEVM_ENGINE_BLOCK, NULL);
    if (!same(&plain, &traced) || !same(&plain, &block)) {
        abort();
    }
    return 0;
}
