/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The block engine against the exact one on random programs: how they end, gas, refund, output, the words left on the
 * stack, memory, and everything asked of the host, in order. The programs are heavy in what the block engine changes: words
 * moved about on the stack, constants, comparisons before branches, memory, and gas that runs out in the middle.
 *
 * SEED=n replays a run, ITERATIONS=n makes it longer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "tests/property/mock_host.h"

enum { CODE_SIZE = 400, ROOM = 200 };

static uint64_t below(uint64_t *random, uint64_t bound) { return random_next(random) % bound; }

/** A program being written: its code, and how many words its stack has at this place, as far as can be told. */
typedef struct program {
    uint8_t code[CODE_SIZE + ROOM];
    size_t size;
    int height;
    size_t targets[32]; /* JUMPDESTs behind */
    size_t target_count;
    size_t holes[32]; /* places of two bytes that want a JUMPDEST ahead */
    size_t hole_count;
} program;

static void put(program *p, uint8_t byte) { p->code[p->size++] = byte; }

static void put_push2(program *p, uint64_t value)
{
    put(p, OP_PUSH2);
    put(p, (uint8_t)(value >> 8));
    put(p, (uint8_t)value);
    ++p->height;
}

/** PUSH of a number of some size: small ones, powers of two, masks, all ones, anything. */
static void put_constant(program *p, uint64_t *random)
{
    cevm_u256 v = cevm_u256_from_u64(below(random, 3));
    const cevm_u256 one = cevm_u256_from_u64(1);
    switch (below(random, 8)) {
    case 0: v = cevm_u256_from_u64(below(random, 300)); break;
    case 1: v = u256_shl_u(&one, (unsigned)below(random, 256)); break;
    case 2:
        v = u256_shl_u(&one, (unsigned)below(random, 256));
        v = u256_sub(&v, &one);
        break;
    case 3:
        v = (cevm_u256){{random_next(random), random_next(random), random_next(random), random_next(random)}};
        break;
    case 4: v = cevm_u256_from_u64(random_next(random) >> below(random, 64)); break;
    case 5: v = u256_neg(&one); break;
    default: break;
    }
    uint8_t be[32];
    cevm_u256_to_be(be, &v);
    size_t skip = 0;
    while (skip < 31 && be[skip] == 0) {
        ++skip;
    }
    put(p, (uint8_t)(OP_PUSH1 + (31 - skip)));
    for (size_t i = skip; i < 32; ++i) {
        put(p, be[i]);
    }
    ++p->height;
}

static void put_op(program *p, const cevm_op_info *ops, uint8_t op)
{
    put(p, op);
    p->height += (int)ops[op].out - (int)ops[op].in;
}

static void put_jumpdest(program *p, uint64_t *random)
{
    for (size_t i = 0; i < p->hole_count;) {
        if (below(random, 2) == 0) {
            p->code[p->holes[i]] = (uint8_t)(p->size >> 8);
            p->code[p->holes[i] + 1] = (uint8_t)p->size;
            p->holes[i] = p->holes[--p->hole_count];
        } else {
            ++i;
        }
    }
    if (p->target_count < sizeof p->targets / sizeof p->targets[0]) {
        p->targets[p->target_count++] = p->size;
    }
    put(p, OP_JUMPDEST);
}

/** A jump: mostly to a JUMPDEST, ahead or behind, mostly with a condition, now and then with a computed target. */
static void put_jump(program *p, const cevm_op_info *ops, uint64_t *random)
{
    static const uint8_t conditions[] = {OP_LT, OP_GT, OP_SLT, OP_SGT, OP_EQ, OP_ISZERO, OP_SUB, OP_AND};
    const bool conditional = below(random, 5) != 0;
    if (conditional && p->height >= 2 && below(random, 4) != 0) {
        put_op(p, ops, conditions[below(random, sizeof conditions)]);
        for (uint64_t n = below(random, 3); n != 0; --n) {
            put_op(p, ops, OP_ISZERO);
        }
    }
    if (conditional && p->height < 1) {
        put_constant(p, random);
    }
    const bool back = p->target_count != 0 && below(random, 3) == 0;
    uint64_t target = back ? p->targets[below(random, p->target_count)] : below(random, CODE_SIZE);
    const bool computed = below(random, 6) == 0;
    if (computed) {
        put_push2(p, 7);
        target = back ? target - 7 : target;
    }
    if (!back && !computed && p->hole_count < sizeof p->holes / sizeof p->holes[0]) {
        p->holes[p->hole_count++] = p->size + 1;
    }
    put_push2(p, target & 0xffff);
    if (computed) {
        put_op(p, ops, OP_ADD);
    }
    put_op(p, ops, conditional ? OP_JUMPI : OP_JUMP);
}

/** Memory at an offset that is mostly small. */
static void put_memory(program *p, const cevm_op_info *ops, uint64_t *random)
{
    static const uint8_t memory_ops[] = {OP_MLOAD,    OP_MSTORE, OP_MSTORE8, OP_KECCAK256, OP_CALLDATACOPY,
                                         OP_CODECOPY, OP_MCOPY,  OP_LOG0,    OP_LOG2,      OP_RETURNDATACOPY,
                                         OP_MSIZE,    OP_MLOAD,  OP_MSTORE,  OP_MLOAD,     OP_MSTORE};
    const uint8_t op = memory_ops[below(random, sizeof memory_ops)];
    const int needed = op == OP_MLOAD ? 1 : op == OP_LOG2 ? 4 : op == OP_MSTORE || op == OP_MSTORE8 ? 2 : 3;
    for (int i = 0; i < needed && op != OP_MSIZE; ++i) {
        put_push2(p, below(random, below(random, 30) == 0 ? 20000 : 200));
    }
    put_op(p, ops, op);
}

static void put_call(program *p, const cevm_op_info *ops, uint64_t *random)
{
    static const uint8_t calls[] = {OP_CALL, OP_STATICCALL, OP_DELEGATECALL, OP_CALLCODE};
    const uint8_t op = calls[below(random, 4)];
    for (int i = 0; i < 4; ++i) {
        put_push2(p, below(random, 100));
    }
    if (op == OP_CALL || op == OP_CALLCODE) {
        put_push2(p, below(random, 2) * below(random, 3000));
    }
    put_push2(p, below(random, 8) == 0 ? below(random, 10) : MOCK_BASE + below(random, MOCK_CONTRACTS + 1));
    put_push2(p, below(random, 20000));
    put_op(p, ops, op);
}

/** Any opcode that the fork has, its words being there or, seldom, not. */
static void put_any(program *p, const cevm_op_info *ops, uint64_t *random)
{
    const uint8_t op = (uint8_t)random_next(random);
    const bool ends = ops[op].span == 0 || op == OP_STOP || op == OP_RETURN || op == OP_REVERT || op == OP_INVALID ||
                      op == OP_SELFDESTRUCT || op == OP_JUMP || op == OP_JUMPI;
    if ((ends && below(random, 30) != 0) || ((int)ops[op].in > p->height && below(random, 60) != 0)) {
        return;
    }
    if (op >= OP_PUSH1 && op <= OP_PUSH32) {
        put_constant(p, random);
    } else {
        put_op(p, ops, op);
    }
}

static void put_stack_op(program *p, const cevm_op_info *ops, uint64_t *random)
{
    const uint64_t reach = (uint64_t)(p->height > 16 ? 16 : p->height);
    switch (below(random, 8)) {
    case 0:
    case 1:
    case 2:
        if (reach >= 1) {
            put_op(p, ops, (uint8_t)(OP_DUP1 + below(random, reach)));
        }
        break;
    case 3:
    case 4:
    case 5:
        if (reach >= 2) {
            put_op(p, ops, (uint8_t)(OP_SWAP1 + below(random, reach - 1)));
        }
        break;
    case 6:
        if (reach >= 1) {
            put_op(p, ops, OP_POP);
        }
        break;
    default: put_constant(p, random); break;
    }
}

static void make_program(program *p, const cevm_op_info *ops, uint64_t *random)
{
    static const uint8_t words[] = {OP_ADD,        OP_MUL,  OP_SUB,  OP_DIV, OP_MOD,          OP_ADDMOD, OP_MULMOD,
                                    OP_SIGNEXTEND, OP_LT,   OP_GT,   OP_SLT, OP_SGT,          OP_EQ,     OP_ISZERO,
                                    OP_AND,        OP_OR,   OP_XOR,  OP_NOT, OP_BYTE,         OP_SHL,    OP_SHR,
                                    OP_SAR,        OP_SDIV, OP_SMOD, OP_EXP, OP_CALLDATALOAD, OP_CALLER, OP_GAS,
                                    OP_SLOAD,      OP_PC,   OP_CLZ};
    memset(p, 0, sizeof *p);
    const size_t size = 20 + below(random, CODE_SIZE - 20);
    const uint64_t mixed = below(random, 4); /* how much of a program is something else than words on the stack */
    while (p->size < size) {
        const uint64_t kind = below(random, mixed == 0 ? 12 : 20);
        const uint8_t op = words[below(random, sizeof words)];
        if (kind < 6) {
            put_stack_op(p, ops, random);
        } else if (kind < 12) {
            if (ops[op].span != 0 && (int)ops[op].in <= p->height) {
                put_op(p, ops, op);
            }
        } else if (kind < 14) {
            put_memory(p, ops, random);
        } else if (kind < 16) {
            put_jump(p, ops, random);
        } else if (kind < 17) {
            put_jumpdest(p, random);
        } else if (kind < 18 && below(random, 3) == 0) {
            put_call(p, ops, random);
        } else {
            put_any(p, ops, random);
        }
    }
    while (p->hole_count != 0) {
        put_jumpdest(p, random);
    }
    if (below(random, 4) != 0) { /* an end that shows memory and, through the stack that is compared, the words */
        put_push2(p, 0x200);
        put_push2(p, 0);
        put(p, below(random, 2) == 0 ? OP_RETURN : OP_REVERT);
    }
}

static void describe(const char *name, const mock_outcome *o)
{
    print_message("%s: err %d status %d gas %lld refund %lld output %zu stack %zu digest %016llx\n", name, (int)o->err,
                  (int)o->status, (long long)o->gas.left, (long long)o->gas.refund, o->output_size, o->stack_size,
                  (unsigned long long)o->digest);
}

static void print_program(const program *p)
{
    for (size_t i = 0; i < p->size; ++i) {
        print_message("%02x", p->code[i]);
    }
    print_message("\n");
}

static void test_engines_agree(void **state)
{
    (void)state;
    static program programs[MOCK_CONTRACTS];
    static mock_host host;
    const uint64_t seed = random_seed();
    const uint64_t iterations = random_setting("ITERATIONS", 20000);
    uint64_t random = seed;
    print_message("SEED=%llu ITERATIONS=%llu\n", (unsigned long long)seed, (unsigned long long)iterations);
    /* A cache so small that code comes and goes; a memory limit that some programs reach. */
    cevm_code_cache *cache;
    assert_int_equal(cevm_code_cache_create(&cache, NULL, 1 << 20), CEVM_OK);
    cevm_vm_config config = {.struct_size = sizeof config, .memory_limit = 16384, .code_cache = cache};
    cevm_vm *exact, *block, *automatic;
    config.engine = CEVM_ENGINE_EXACT;
    assert_int_equal(cevm_vm_create(&exact, &config), CEVM_OK);
    config.engine = CEVM_ENGINE_BLOCK;
    assert_int_equal(cevm_vm_create(&block, &config), CEVM_OK);
    config.engine = CEVM_ENGINE_AUTO;
    assert_int_equal(cevm_vm_create(&automatic, &config), CEVM_OK);
    for (uint64_t i = 0; i < iterations; ++i) {
        const cevm_fork fork = (cevm_fork)below(&random, CEVM_FORK_COUNT);
        for (size_t c = 0; c < MOCK_CONTRACTS; ++c) {
            make_program(&programs[c], cevm_op_tables[fork], &random);
            host.code[c].bytes = (cevm_bytes){programs[c].code, programs[c].size};
            for (size_t b = 0; b < 4; ++b) {
                cevm_store_be64(host.code[c].hash.bytes + 8 * b, random_next(&random));
            }
        }
        const int64_t gas = (int64_t)(random_next(&random) >> (44 + below(&random, 14)));
        const cevm_bytes input = {programs[1].code, 70};
        const mock_outcome a = mock_execute(exact, &host, fork, gas, input);
        const mock_outcome b = mock_execute(block, &host, fork, gas, input);
        const mock_outcome c = i % 8 == 0 ? mock_execute(automatic, &host, fork, gas, input) : b;
        if (memcmp(&a, &b, sizeof a) != 0 || memcmp(&a, &c, sizeof a) != 0) {
            print_message("iteration %llu, fork %d, gas %lld\n", (unsigned long long)i, (int)fork, (long long)gas);
            describe("exact", &a);
            describe("block", &b);
            describe("auto", &c);
            for (size_t k = 0; k < MOCK_CONTRACTS; ++k) {
                print_program(&programs[k]);
            }
            fail();
        }
    }
    cevm_vm_destroy(exact);
    cevm_vm_destroy(block);
    cevm_vm_destroy(automatic);
    cevm_code_cache_destroy(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_engines_agree)};
    return cmocka_run_group_tests_name("engines", tests, NULL, NULL);
}
