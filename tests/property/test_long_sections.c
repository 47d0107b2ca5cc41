/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The block engine against the exact one on straight lines of code, longer than one section may be, on stacks from empty to
 * full: sections are cut in the middle, words are moved about more than there is room for, instructions reach below what
 * a section knows, and the stack has too few or too many words somewhere.
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

enum { CODE_SIZE = 6000, ROOM = 64, NEWEST = CEVM_FORK_COUNT - 1 };

typedef struct line {
    uint8_t code[CODE_SIZE + ROOM];
    size_t size;
    int height;
    int64_t gas; /* about what it takes */
} line;

static uint64_t below(uint64_t *random, uint64_t bound) { return random_next(random) % bound; }

static void put_op(line *l, uint8_t op)
{
    const cevm_op_info *info = &cevm_op_tables[NEWEST][op];
    l->code[l->size++] = op;
    l->height += (int)info->out - (int)info->in;
    l->gas += info->gas;
}

static void put_constant(line *l, uint64_t *random)
{
    const unsigned size = below(random, 4) == 0 ? 1 + (unsigned)below(random, 32) : 1;
    const bool ones = below(random, 4) == 0;
    put_op(l, (uint8_t)(OP_PUSH1 + size - 1));
    for (unsigned i = 0; i < size; ++i) {
        l->code[l->size++] = ones ? 0xff : (uint8_t)random_next(random);
    }
}

static void put_memory(line *l, uint64_t *random)
{
    static const uint8_t ops[] = {OP_MLOAD, OP_MSTORE, OP_MSTORE8, OP_KECCAK256, OP_MCOPY, OP_LOG1, OP_EXP};
    const uint8_t op = ops[below(random, sizeof ops)];
    const unsigned small = op == OP_MCOPY ? 3 : op == OP_KECCAK256 || op == OP_LOG1 || op == OP_EXP ? 2 : 1;
    for (unsigned i = 0; i < small; ++i) {
        put_op(l, OP_PUSH1);
        l->code[l->size++] = (uint8_t)random_next(random);
    }
    put_op(l, op);
    l->gas += 60;
}

/** How often what comes. */
typedef struct mixture {
    uint64_t swap, dup, push, pop, word, read, memory, jumpdest;
} mixture;

static void put_any(line *l, uint64_t *random, const mixture *m, bool within)
{
    static const uint8_t words[] = {OP_ADD,    OP_SUB,    OP_MUL,        OP_DIV,   OP_MOD, OP_AND,  OP_OR,
                                    OP_XOR,    OP_NOT,    OP_ISZERO,     OP_CLZ,   OP_LT,  OP_GT,   OP_SLT,
                                    OP_SGT,    OP_EQ,     OP_SHL,        OP_SHR,   OP_SAR, OP_BYTE, OP_NOT,
                                    OP_ADDMOD, OP_MULMOD, OP_SIGNEXTEND, OP_ISZERO};
    static const uint8_t reads[] = {OP_CALLER, OP_PC, OP_MSIZE, OP_CALLDATASIZE, OP_PUSH0, OP_NUMBER, OP_CALLDATALOAD};
    uint64_t draw = below(random, m->swap + m->dup + m->push + m->pop + m->word + m->read + m->memory + m->jumpdest);
    uint8_t op = OP_JUMPDEST;
    if (draw < m->swap) {
        op = (uint8_t)(OP_SWAP1 + below(random, 16));
    } else if ((draw -= m->swap) < m->dup) {
        op = (uint8_t)(OP_DUP1 + below(random, 16));
    } else if ((draw -= m->dup) < m->push) {
        put_constant(l, random);
        return;
    } else if ((draw -= m->push) < m->pop) {
        op = OP_POP;
    } else if ((draw -= m->pop) < m->word) {
        op = words[below(random, sizeof words)];
    } else if ((draw -= m->word) < m->read) {
        op = reads[below(random, sizeof reads)];
    } else if (draw - m->read < m->memory) {
        put_memory(l, random);
        return;
    }
    const cevm_op_info *info = &cevm_op_tables[NEWEST][op];
    if (!within || (l->height >= (int)info->in && l->height + (int)info->out - (int)info->in <= CEVM_STACK_LIMIT)) {
        put_op(l, op);
    }
}

static void make_line(line *l, uint64_t *random)
{
    const size_t size = 400 + below(random, below(random, 4) == 0 ? CODE_SIZE - 400 : 1200);
    const int deep = (int)below(random, below(random, 2) == 0 ? 40 : CEVM_STACK_LIMIT + 1);
    const mixture m = {.swap = 1 + below(random, 30),
                       .dup = 1 + below(random, 30),
                       .push = 1 + below(random, 10),
                       .pop = 1 + below(random, 30),
                       .word = 1 + below(random, 30),
                       .read = 1 + below(random, 10),
                       .memory = below(random, 5),
                       .jumpdest = below(random, 40) == 0};
    const bool within = below(random, 8) != 0;
    *l = (line){.size = 0};
    for (int i = 0; i < deep; ++i) { /* words that differ and that nothing is known of, whatever comes */
        put_op(l, i % 3 == 0 ? OP_PC : OP_GAS);
    }
    while (l->size < size) {
        put_any(l, random, &m, within || below(random, 50) != 0);
    }
    if (below(random, 8) != 0 && l->height <= CEVM_STACK_LIMIT - 2) {
        put_op(l, OP_PUSH0);
        put_op(l, OP_PUSH0);
    }
    put_op(l, OP_RETURN);
}

static void compare(cevm_vm *exact, cevm_vm *block, mock_host *host, int64_t gas, const line *l)
{
    const cevm_bytes input = {l->code, 100};
    const mock_outcome a = mock_execute(exact, host, (cevm_fork)NEWEST, gas, input);
    const mock_outcome b = mock_execute(block, host, (cevm_fork)NEWEST, gas, input);
    if (memcmp(&a, &b, sizeof a) != 0) {
        for (size_t i = 0; i < l->size; ++i) {
            print_message("%02x", l->code[i]);
        }
        fail_msg("\ngas %lld: exact status %d gas %lld stack %zu, block status %d gas %lld stack %zu", (long long)gas,
                 (int)a.status, (long long)a.gas.left, a.stack_size, (int)b.status, (long long)b.gas.left,
                 b.stack_size);
    }
}

static void test_long_lines(void **state)
{
    (void)state;
    static line l;
    static mock_host host;
    const uint64_t seed = random_seed();
    const uint64_t iterations = random_setting("ITERATIONS", 3000);
    uint64_t random = seed;
    print_message("SEED=%llu ITERATIONS=%llu\n", (unsigned long long)seed, (unsigned long long)iterations);
    cevm_vm_config config = {.struct_size = sizeof config, .engine = CEVM_ENGINE_EXACT};
    cevm_vm *exact, *block;
    assert_int_equal(cevm_vm_create(&exact, &config), CEVM_OK);
    config.engine = CEVM_ENGINE_BLOCK;
    assert_int_equal(cevm_vm_create(&block, &config), CEVM_OK);
    for (uint64_t i = 0; i < iterations; ++i) {
        make_line(&l, &random);
        host.code[0].bytes = (cevm_bytes){l.code, l.size};
        cevm_store_be64(host.code[0].hash.bytes, i + 1);
        compare(exact, block, &host, 4 * l.gas + 10000, &l);
        compare(exact, block, &host, (int64_t)below(&random, (uint64_t)l.gas + 1), &l);
    }
    cevm_vm_destroy(exact);
    cevm_vm_destroy(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_long_lines)};
    return cmocka_run_group_tests_name("long_sections", tests, NULL, NULL);
}
