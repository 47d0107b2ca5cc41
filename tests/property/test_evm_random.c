/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random programs: an execution that is watched ends exactly as one that is not (observers never affect a result), gas
 * never grows, and what a frame reports keeps to its rules. The programs are made so that they run for a while: operands
 * are small, jumps mostly hit, and the contracts call each other.
 *
 * SEED=n replays a run, ITERATIONS=n makes it longer.
 */
#include "tests/unit/evm_fixture.h"

#include "evm/opcodes.h"
#include "tests/property/random.h"

enum { CONTRACTS = 4, CODE_SIZE = 200, GAS = 300000 };

static uint64_t below(uint64_t *random, uint64_t bound) { return random_next(random) % bound; }

static uint64_t contract_address(uint64_t i) { return i == 0 ? CONTRACT : 0xb000 + i; }

/** Appends PUSH of a number that means something: an offset, a contract, a jump target, sometimes anything. */
static size_t put_operand(uint8_t *code, uint64_t *random)
{
    uint64_t value;
    switch (below(random, 64)) {
    case 0:
    case 3:
    case 4:
    case 5:
    case 6:
    case 7: value = contract_address(below(random, CONTRACTS)); break;
    case 1: value = 1 + below(random, 10); break; /* a precompile, most of the time */
    case 2:
        code[0] = OP_PUSH32;
        for (size_t i = 0; i < 32; ++i) {
            code[1 + i] = (uint8_t)random_next(random);
        }
        return 33;
    default: value = below(random, 256); break;
    }
    code[0] = OP_PUSH1 + 1;
    code[1] = (uint8_t)(value >> 8);
    code[2] = (uint8_t)value;
    return 3;
}

/** Whether a program is over with this opcode; such are made seldom. */
static bool ends_frame(const cevm_op_info *info, uint8_t op)
{
    return info->span == 0 || op == OP_STOP || op == OP_RETURN || op == OP_REVERT || op == OP_INVALID ||
           op == OP_SELFDESTRUCT;
}

/** Fills a program: for each opcode its operands and then itself; now and then a byte of chance. */
static void make_program(uint8_t *code, cevm_fork fork, uint64_t *random)
{
    const cevm_op_info *ops = cevm_op_tables[fork];
    size_t n = 0;
    while (n < CODE_SIZE) {
        const uint8_t op = (uint8_t)random_next(random);
        const size_t operands = ops[op].span != 0 ? ops[op].in : 0;
        const bool jumps = op == OP_JUMP || op == OP_JUMPI;
        if (jumps || operands > 7 || (ends_frame(&ops[op], op) && below(random, 20) != 0)) {
            continue;
        }
        for (size_t i = 0; i < operands; ++i) {
            n += put_operand(code + n, random);
        }
        code[n++] = op;
        if (below(random, 6) == 0) { /* a jump forward, over a byte that is never run */
            const size_t target = n + 5;
            code[n++] = OP_PUSH1 + 1;
            code[n++] = (uint8_t)(target >> 8);
            code[n++] = (uint8_t)target;
            code[n++] = OP_JUMP;
            code[n++] = OP_INVALID;
            code[n++] = OP_JUMPDEST;
        }
    }
}

static void count_step(void *ctx, const cevm_step *step)
{
    uint64_t *steps = ctx;
    ++*steps;
    assert_true(step->gas >= 0);
    assert_true(step->stack_size <= 1024);
    assert_true(step->depth >= 1 && step->depth <= 1025);
    assert_true(step->memory.size % 32 == 0);
}

static void check_step_end(void *ctx, int64_t gas_cost, int status)
{
    (void)ctx;
    (void)status;
    assert_true(gas_cost >= 0);
}

typedef struct outcome {
    cevm_err err;
    cevm_status status;
    cevm_gas gas;
    cevm_hash output, root;
} outcome;

/** Runs the programs in a world of their own. */
static outcome execute(cevm_fork fork, uint8_t programs[CONTRACTS][CODE_SIZE + 400], const cevm_tracer *tracer)
{
    world w;
    outcome out;
    memset(&out, 0, sizeof out);
    world_open(&w, fork);
    for (uint64_t i = 0; i < CONTRACTS; ++i) {
        const cevm_address a = addr(contract_address(i));
        const cevm_u256 balance = cevm_u256_from_u64(1000 * i);
        assert_int_equal(cevm_memdb_set_account(w.db, &a, &balance, 1, (cevm_bytes){programs[i], CODE_SIZE}), CEVM_OK);
        world_storage(&w, contract_address(i), i, 7);
    }
    world_begin(&w);
    const cevm_message msg = {.kind = CEVM_CALL,
                              .gas = GAS,
                              .sender = addr(SENDER),
                              .recipient = addr(CONTRACT),
                              .code_address = addr(CONTRACT),
                              .input = {programs[1], 100}};
    out.err = cevm_vm_execute(w.vm, &w.result, &msg, &w.block, &w.tx, &w.host, tracer);
    if (out.err == CEVM_OK) {
        out.status = w.result.status;
        out.gas = w.result.gas;
        cevm_keccak256(&out.output, w.result.output.data, w.result.output.size);
        assert_true(out.gas.left >= 0 && out.gas.left <= GAS);
        assert_true(!cevm_status_is_halt(out.status) || (out.gas.left == 0 && w.result.output.size == 0));
    }
    assert_int_equal(cevm_state_end_tx(w.state), CEVM_OK);
    assert_int_equal(cevm_state_commit(w.state), CEVM_OK);
    assert_int_equal(cevm_memdb_root(w.db, &out.root), CEVM_OK);
    world_close(&w);
    return out;
}

static void test_regression_12_watching_changes_nothing(void **state)
{
    (void)state;
    const uint64_t seed = random_seed();
    const uint64_t iterations = random_setting("ITERATIONS", 3000);
    uint64_t random = seed, steps = 0;
    static uint8_t programs[CONTRACTS][CODE_SIZE + 400];
    const cevm_tracer tracer = {
        .struct_size = sizeof tracer, .ctx = &steps, .on_step = count_step, .on_step_end = check_step_end};
    print_message("SEED=%llu ITERATIONS=%llu\n", (unsigned long long)seed, (unsigned long long)iterations);
    for (uint64_t i = 0; i < iterations; ++i) {
        const cevm_fork fork = (cevm_fork)below(&random, CEVM_FORK_COUNT);
        for (size_t j = 0; j < CONTRACTS; ++j) {
            make_program(programs[j], fork, &random);
        }
        const outcome plain = execute(fork, programs, NULL);
        const outcome watched = execute(fork, programs, &tracer);
        if (memcmp(&plain, &watched, sizeof plain) != 0) {
            print_error("iteration %llu at %s\n", (unsigned long long)i, cevm_fork_name(fork));
        }
        assert_memory_equal(&plain, &watched, sizeof plain);
    }
    assert_true(steps > 10 * iterations); /* the programs do run */
    print_message("%llu steps\n", (unsigned long long)steps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_regression_12_watching_changes_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
