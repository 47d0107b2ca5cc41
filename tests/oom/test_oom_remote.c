/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A transaction over a remote state, with its file, where every allocation and every request fails in turn: the answer is
 * the error, nothing leaks, what was recorded is whole, and the next try comes out as it should.
 */
#include "faulty.h"
#include "tests/unit/execution_support.h"
#include "tests/unit/remote_support.h"

#include <unistd.h>

typedef struct bench {
    world w;
    fake_node node;
    faulty memory;
    cevm_allocator allocator;
    cevm_remote_transport transport;
    cevm_execution_input input;
    cevm_tx tx;
    char path[300];
    size_t fail_at; /* request that gets no answer, counted from 1; 0 = none */
    size_t requests;
} bench;

static cevm_err flaky_post(void *ctx, cevm_remote_reply *out, cevm_bytes body)
{
    bench *b = ctx;
    if (++b->requests == b->fail_at) {
        *out = (cevm_remote_reply){.status = 401};
        return CEVM_OK;
    }
    return fake_node_post(&b->node, out, body);
}

/** A contract that reads a slot, asks for the balance of what is there, and keeps the hash of a block. */
static void bench_open(bench *b)
{
    const char *place = getenv("TMPDIR");
    const cevm_address contract = address_of(CONTRACT);
    const cevm_u256 key = cevm_u256_from_u64(1);
    const cevm_u256 value = cevm_u256_from_u64(STRANGER);
    memset(b, 0, sizeof *b);
    world_open(&b->w, CEVM_OSAKA);
    put_system_contracts(&b->w);
    world_put(&b->w, contract, 5, 1, "6001543160025560054303406003556001543b5000");
    world_put(&b->w, address_of(STRANGER), 99, 1, "6000");
    assert_int_equal(cevm_memdb_set_storage(b->w.db, &contract, &key, &value), CEVM_OK);
    b->w.block.number = 1001;
    b->input = input_of(&b->w);
    b->tx = typed_tx(CEVM_TX_DYNAMIC_FEE);
    b->node = (fake_node){.db = cevm_memdb_interface(b->w.db), .number = 1000, .chain_id = 1, .branch = 0xaa};
    b->allocator = (cevm_allocator){&b->memory, faulty_resize};
    b->transport = (cevm_remote_transport){.ctx = b, .post = flaky_post};
    (void)snprintf(b->path, sizeof b->path, "%.200s/cevm-XXXXXX", place != NULL ? place : P_tmpdir);
    const int file = mkstemp(b->path);
    assert_true(file >= 0);
    (void)close(file);
}

static void bench_close(bench *b)
{
    (void)unlink(b->path);
    fake_node_free(&b->node);
    world_close(&b->w);
}

static cevm_err apply_tx(bench *b, cevm_state *state, cevm_vm *vm, uint64_t *gas_used)
{
    cevm_receipt receipt;
    cevm_tx_error reason = CEVM_TX_NONE;
    const cevm_err err = cevm_tx_apply(vm, state, &receipt, &reason, &b->tx, &b->w.block, &b->w.usage, NULL);
    if (err == CEVM_OK) {
        assert_string_equal(cevm_tx_error_name(reason), "NONE");
        *gas_used = receipt.gas_used;
    }
    return err;
}

/** Everything from opening the store to closing it. */
static cevm_err run(bench *b, bool warms, bool offline, uint64_t *gas_used)
{
    cevm_remote *remote = NULL;
    cevm_remote_error error;
    cevm_state *state = NULL;
    cevm_vm *vm = NULL;
    const cevm_tx *list[] = {&b->tx};
    const cevm_vm_config config = {.struct_size = sizeof config, .allocator = &b->allocator};
    cevm_remote_options options = fake_node_options(&b->transport, b->path);
    options.allocator = &b->allocator;
    options.offline = offline;
    b->requests = 0;
    cevm_err err = cevm_remote_open(&remote, &error, &options);
    if (err == CEVM_OK) {
        const cevm_db db = cevm_remote_interface(remote);
        if (warms) {
            err = cevm_remote_warm_block(remote, NULL, &db, &config, &b->input, list, 1);
        }
        err = err == CEVM_OK ? cevm_state_create(&state, &db, &b->allocator) : err;
    }
    err = err == CEVM_OK ? cevm_vm_create(&vm, &config) : err;
    err = err == CEVM_OK ? apply_tx(b, state, vm, gas_used) : err;
    cevm_vm_destroy(vm);
    cevm_state_destroy(state);
    cevm_remote_close(remote);
    assert_int_equal(b->memory.live, 0);
    return err;
}

/** The file as it is: whatever happened, it can be read, and completed. */
static void assert_file_is_whole(bench *b, uint64_t gas_used)
{
    uint64_t gas = 0;
    b->memory = (faulty){0};
    b->fail_at = 0;
    assert_int_equal(run(b, false, false, &gas), CEVM_OK);
    assert_true(gas == gas_used);
    assert_int_equal(run(b, false, true, &gas), CEVM_OK);
    assert_true(gas == gas_used);
    assert_int_equal(truncate(b->path, 0), 0);
}

static void test_every_fault(void **state)
{
    (void)state;
    for (int warms = 0; warms < 2; ++warms) {
        bench b;
        uint64_t gas_used = 0;
        uint64_t gas = 0;
        bench_open(&b);
        assert_int_equal(run(&b, warms != 0, false, &gas_used), CEVM_OK);
        assert_int_equal(truncate(b.path, 0), 0);
        const size_t allocations = b.memory.calls;
        const size_t requests = b.requests;
        for (size_t at = 1; at <= allocations; ++at) {
            for (int for_good = 0; for_good < 2; ++for_good) {
                b.memory = (faulty){.fail_at = at, .for_good = for_good != 0};
                const cevm_err err = run(&b, warms != 0, false, &gas);
                assert_true(err == CEVM_ERR_NOMEM || (!for_good && err == CEVM_OK && gas == gas_used));
                assert_file_is_whole(&b, gas_used);
            }
        }
        b.memory = (faulty){0};
        for (size_t at = 1; at <= requests; ++at) {
            b.fail_at = at;
            assert_int_equal(run(&b, warms != 0, false, &gas), CEVM_ERR_BACKEND);
            assert_file_is_whole(&b, gas_used);
        }
        print_message("%s: %zu allocations, %zu requests\n", warms ? "in batches" : "one by one", allocations,
                      requests);
        bench_close(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
