/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every allocation, every read and every write of a block's execution fails in turn: the answer is the error, nothing
 * leaks, and once the state is discarded and the store's block taken back, both are what they were.
 */
#include "faulty.h"
#include "tests/unit/execution_support.h"

#include <cevm/vm.h>

#define DEPOSIT_CONTRACT "00000000219ab540356cbb839cbe05303d7705fa"
#define DEPOSIT_EVENT    "649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5"

enum { TX_COUNT = 3 };

/** A block with something of everything its fork has, over a store that a run leaves as it was unless it succeeds. */
typedef struct bench {
    cevm_memdb *db;
    flaky_db flaky;
    faulty memory;
    cevm_allocator allocator;
    cevm_execution_input input;
    cevm_tx txs[TX_COUNT];
    uint8_t deposit[576];
    cevm_hash before; /* root */
} bench;

static const cevm_withdrawal withdrawals[] = {{.address = {{1}}, .amount = 5}, {.address = {{2}}, .amount = 0}};
static const cevm_ommer_reward ommers[] = {{{{3}}, 9}, {{{4}}, 8}};

static void make_deposit(uint8_t event[576])
{
    static const uint8_t words[10][3] = {{0, 0, 160}, {1, 1, 0},  {2, 1, 64}, {3, 1, 128}, {4, 2, 0},
                                         {5, 0, 48},  {8, 0, 32}, {10, 0, 8}, {12, 0, 96}, {16, 0, 8}};
    memset(event, 0, 576);
    for (size_t i = 0; i < 10; ++i) {
        memcpy(event + words[i][0] * 32 + 30, words[i] + 1, 2);
    }
}

/** Transactions that log their calldata, at the deposit contract and elsewhere, and store; one creates a contract. */
static void make_txs(bench *b, bool has_requests)
{
    static const uint8_t key[32] = {[31] = SENDER_KEY};
    make_deposit(b->deposit);
    for (uint64_t i = 0; i < TX_COUNT; ++i) {
        b->txs[i] = plain_tx();
        b->txs[i].nonce = i;
    }
    b->txs[0].data = (cevm_bytes){b->deposit, sizeof b->deposit};
    if (has_requests) {
        b->txs[1].to = address_from(DEPOSIT_CONTRACT);
        b->txs[1].data = b->txs[0].data;
    }
    b->txs[2].is_create = true;
    for (size_t i = 0; i < TX_COUNT; ++i) {
        assert_int_equal(cevm_tx_sign(&b->txs[i], key, NULL), CEVM_OK);
    }
}

static void bench_open(bench *b, cevm_fork fork)
{
    world w;
    memset(b, 0, sizeof *b);
    world_open(&w, fork);
    w.block.number = 10;
    put_system_contracts(&w);
    put_contract(&w, DEPOSIT_CONTRACT, "365f5f377f" DEPOSIT_EVENT "365fa1");
    world_put(&w, address_of(CONTRACT), 0, 1, "3660006000376000366000a04360005500"); /* LOG1(calldata, 0), SSTORE */
    b->input = input_of(&w);
    b->db = w.db;
    cevm_memdb_set_history(b->db, 1);
    cevm_vm_destroy(w.vm);
    cevm_state_destroy(w.state);
    b->flaky = (flaky_db){.below = cevm_memdb_interface(b->db), .counted = FLAKY_READS | FLAKY_WRITES};
    b->allocator = (cevm_allocator){&b->memory, faulty_resize};
    b->input.is_dao_fork = fork == CEVM_HOMESTEAD;
    b->input.pays_reward = !CEVM_HAS_EIP(fork, 3675);
    cevm_block_reward(&b->input.reward, fork);
    b->input.ommers = ommers;
    b->input.ommer_count = b->input.pays_reward ? 2 : 0;
    b->input.withdrawals = withdrawals;
    b->input.withdrawal_count = 2;
    b->input.deposit_contract = address_from(DEPOSIT_CONTRACT);
    make_txs(b, CEVM_HAS_EIP(fork, 7685));
    assert_int_equal(cevm_memdb_root(b->db, &b->before), CEVM_OK);
}

static cevm_err execute_all(const bench *b, cevm_execution *execution)
{
    cevm_err err = cevm_execution_begin(execution, NULL);
    for (size_t i = 0; i < TX_COUNT && err == CEVM_OK; ++i) {
        cevm_tx_error reason;
        err = cevm_execution_tx(execution, NULL, &reason, &b->txs[i], NULL);
        assert_true(err != CEVM_OK || reason == CEVM_TX_NONE);
    }
    if (err != CEVM_OK) {
        return err;
    }
    cevm_execution_output out;
    cevm_block_error verdict;
    err = cevm_execution_end(execution, &out, &verdict, NULL);
    if (err == CEVM_OK) {
        assert_string_equal(cevm_block_error_name(verdict), "NONE");
        assert_int_equal(out.request_count, out.has_requests ? 1 : 0);
    }
    return err;
}

/** The whole block, with its VM and its state; the store keeps it only if all went well. */
static cevm_err bench_run(bench *b)
{
    const cevm_db db = flaky_interface(&b->flaky);
    const cevm_vm_config config = {.struct_size = sizeof config, .allocator = &b->allocator};
    const cevm_db_vtable *below = b->flaky.below.vtable;
    cevm_vm *vm = NULL;
    cevm_state *state = NULL;
    cevm_execution *execution = NULL;
    assert_int_equal(below->begin_block(b->flaky.below.ctx), CEVM_OK);
    cevm_err err = cevm_vm_create(&vm, &config);
    if (err == CEVM_OK) {
        err = cevm_state_create(&state, &db, &b->allocator);
    }
    if (err == CEVM_OK) {
        err = cevm_execution_create(&execution, vm, state, &b->input, &b->allocator);
    }
    if (err == CEVM_OK) {
        err = execute_all(b, execution);
    }
    if (err == CEVM_OK) {
        err = cevm_state_commit(state);
    }
    cevm_execution_destroy(execution);
    cevm_state_destroy(state);
    cevm_vm_destroy(vm);
    assert_int_equal(b->memory.live, 0);
    assert_int_equal(below->end_block(b->flaky.below.ctx, err == CEVM_OK), CEVM_OK);
    return err;
}

static void assert_root(bench *b, const cevm_hash *expected)
{
    cevm_hash root;
    assert_int_equal(cevm_memdb_root(b->db, &root), CEVM_OK);
    assert_memory_equal(root.bytes, expected->bytes, sizeof root.bytes);
}

/** One run with a fault somewhere in it, on the same store again and again. */
static void run_with_fault(bench *b, size_t allocation, bool for_good, size_t access)
{
    b->memory = (faulty){.fail_at = allocation, .for_good = for_good};
    b->flaky.calls = 0;
    b->flaky.fail_at = access;
    assert_int_equal(bench_run(b), allocation != 0 ? CEVM_ERR_NOMEM : CEVM_ERR_BACKEND);
    assert_root(b, &b->before);
}

/** One allocation fails and no other: where only a cache went without, the block comes out as it should. */
static void run_with_one_refusal(bench *b, size_t allocation, const cevm_hash *after)
{
    b->memory = (faulty){.fail_at = allocation};
    b->flaky.fail_at = 0;
    const cevm_err err = bench_run(b);
    if (err == CEVM_OK) {
        assert_root(b, after);
        assert_int_equal(b->flaky.below.vtable->undo_block(b->flaky.below.ctx), CEVM_OK);
    } else {
        assert_int_equal(err, CEVM_ERR_NOMEM);
    }
    assert_root(b, &b->before);
}

static void test_block_with_every_fault(void **state)
{
    (void)state;
    static const cevm_fork forks[] = {CEVM_FRONTIER, CEVM_HOMESTEAD, CEVM_BYZANTIUM, CEVM_SHANGHAI, CEVM_OSAKA};
    for (size_t f = 0; f < sizeof forks / sizeof forks[0]; ++f) {
        bench b;
        bench_open(&b, forks[f]);
        assert_int_equal(bench_run(&b), CEVM_OK);
        const size_t allocations = b.memory.calls;
        const size_t accesses = b.flaky.calls;
        cevm_hash after;
        assert_int_equal(cevm_memdb_root(b.db, &after), CEVM_OK);
        assert_memory_not_equal(after.bytes, b.before.bytes, 32);
        assert_int_equal(b.flaky.below.vtable->undo_block(b.flaky.below.ctx), CEVM_OK);
        assert_root(&b, &b.before);
        for (size_t at = 1; at <= allocations; ++at) {
            run_with_one_refusal(&b, at, &after);
            run_with_fault(&b, at, true, 0);
        }
        for (size_t at = 1; at <= accesses; ++at) {
            run_with_fault(&b, 0, false, at);
        }
        b.memory = (faulty){0};
        b.flaky.fail_at = 0;
        assert_int_equal(bench_run(&b), CEVM_OK);
        assert_root(&b, &after);
        print_message("%s: %zu allocations, %zu accesses\n", cevm_fork_name(forks[f]), allocations, accesses);
        cevm_memdb_destroy(b.db);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_block_with_every_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
