/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The block engine against the exact one on short sequences of instructions, since what it folds, fuses, moves and drops
 * depends on which of them meet: all pairs at each fork, all threes of those that work on words, and longer ones by chance.
 * The words they find are values that the decoder cannot know, constants, or both in turns.
 *
 * SEED=n replays the chance, ITERATIONS=n makes more of it, ALL=1 takes all threes of all instructions (minutes).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "tests/property/mock_host.h"

enum { DEPTH = 8, LONGEST = 7, TURNS = 4, CODE_ROOM = 1024, END = 3 };

/** Where the words come from that a sequence finds on the stack. */
typedef enum origin { FROM_CALLDATA, FROM_CODE, MIXED, ORIGINS } origin;

typedef struct sequences {
    cevm_vm *exact, *block;
    mock_host host;
    uint8_t code[CODE_ROOM], input[32 * DEPTH];
    size_t size;
    uint64_t count; /* of programs; the hash of each is its number */
} sequences;

static void put(sequences *s, uint8_t byte) { s->code[s->size++] = byte; }

/** Operands at the limits of what is treated apart. */
static cevm_u256 word(unsigned i)
{
    static const uint64_t small[] = {5, 0, 1, 2, 31, 32, 33, 64, 255, 256, 257, 0xffffffff, 0x100000000, MOCK_BASE + 1};
    enum { SMALL = sizeof small / sizeof small[0], WORDS = SMALL + 6 };
    const cevm_u256 one = cevm_u256_from_u64(1);
    switch (i % WORDS) {
    case SMALL: return cevm_u256_from_u64(UINT64_MAX);
    case SMALL + 1: return (cevm_u256){{0, 1, 0, 0}};
    case SMALL + 2: return u256_shl_u(&one, 255);
    case SMALL + 3: return u256_max();
    case SMALL + 4: return (cevm_u256){{UINT64_MAX - 4, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
    case SMALL + 5:
        return (cevm_u256){{0x8123456789abcdef, 0xfedcba9876543210, 0x0f1e2d3c4b5a6978, 0x7766554433221100}};
    default: return cevm_u256_from_u64(small[i % WORDS]);
    }
}

static void put_word(sequences *s, const cevm_u256 *v)
{
    uint8_t be[32];
    cevm_u256_to_be(be, v);
    unsigned skip = 0;
    while (skip < 31 && be[skip] == 0) {
        ++skip;
    }
    put(s, (uint8_t)(OP_PUSH1 + 31 - skip));
    for (; skip < 32; ++skip) {
        put(s, be[skip]);
    }
}

/** An instruction with the bytes that belong to it. A jump goes to the end of the program, END. */
static void put_instruction(sequences *s, uint8_t op)
{
    static const cevm_u256 wide = {{1, 2, 3, 4}};
    const cevm_u256 narrow = cevm_u256_from_u64(op == OP_JUMP || op == OP_JUMPI ? END : 8);
    if (op == OP_JUMP || op == OP_JUMPI) {
        put_word(s, &narrow);
        put(s, op);
    } else if (op >= OP_PUSH1 && op <= OP_PUSH32) {
        put_word(s, op == OP_PUSH32 ? &wide : &narrow);
    } else {
        put(s, op);
    }
}

/** The end comes first, where a byte can name it: a jump over it, then the words, the sequence, and a jump back. */
static void write_program(sequences *s, const uint8_t *ops, unsigned count, origin from, unsigned turn)
{
    static const uint8_t head[] = {OP_PUSH1, 9,        OP_JUMP, OP_JUMPDEST, OP_PUSH1,
                                   64,       OP_PUSH1, 0,       OP_RETURN,   OP_JUMPDEST};
    memcpy(s->code, head, sizeof head);
    s->size = sizeof head;
    for (unsigned i = DEPTH; i-- > 0;) {
        const cevm_u256 v = word(turn * 5 + i * (turn % 3 + 1));
        const cevm_u256 at = cevm_u256_from_u64((uint64_t)32 * i);
        cevm_u256_to_be(s->input + (size_t)32 * i, &v);
        if (from == FROM_CODE || (from == MIXED && (i + turn) % 2 == 0)) {
            put_word(s, &v);
        } else {
            put_word(s, &at);
            put(s, OP_CALLDATALOAD);
        }
    }
    for (unsigned i = 0; i < count; ++i) {
        put_instruction(s, ops[i]);
    }
    put_instruction(s, OP_JUMP);
}

static void compare(sequences *s, cevm_fork fork, const uint8_t *ops, unsigned count, origin from, unsigned turn)
{
    write_program(s, ops, count, from, turn);
    s->host.code[0].bytes = (cevm_bytes){s->code, s->size};
    cevm_store_be64(s->host.code[0].hash.bytes, ++s->count);
    const int64_t gas = turn % 4 == 3 ? (int64_t)(60 + s->count % 89) : 60000; /* or it ends somewhere in the middle */
    const cevm_bytes input = {s->input, sizeof s->input};
    const mock_outcome a = mock_execute(s->exact, &s->host, fork, gas, input);
    const mock_outcome b = mock_execute(s->block, &s->host, fork, gas, input);
    if (memcmp(&a, &b, sizeof a) != 0) {
        for (size_t i = 0; i < s->size; ++i) {
            print_message("%02x", s->code[i]);
        }
        for (unsigned i = 0; i < count; ++i) {
            print_message("%c%s", i == 0 ? '\n' : ' ', cevm_opcode_name(fork, ops[i]));
        }
        fail_msg("fork %d, words %d of turn %u, gas %lld: exact status %d gas %lld, block status %d gas %lld",
                 (int)fork, (int)from, turn, (long long)gas, (int)a.status, (long long)a.gas.left, (int)b.status,
                 (long long)b.gas.left);
    }
}

static bool is_between(uint8_t op, uint8_t first, uint8_t last) { return op >= first && op <= last; }

/** The opcodes of a fork, of rows of the same kind only some. `words`: only those that do nothing but work on words. */
static unsigned opcodes_of(uint8_t out[256], cevm_fork fork, bool words)
{
    unsigned n = 0;
    for (unsigned i = 0; i < 256; ++i) {
        const uint8_t op = (uint8_t)i;
        const bool is_one_of_many = is_between(op, OP_PUSH1 + 1, OP_PUSH32 - 1) ||
                                    is_between(op, OP_DUP1 + 3, OP_DUP16) || is_between(op, OP_SWAP1 + 3, OP_SWAP16) ||
                                    is_between(op, OP_LOG0 + 2, OP_LOG4);
        const bool is_word = op < OP_KECCAK256
                                 ? op != OP_STOP
                                 : is_between(op, OP_POP, OP_MSTORE8) || op == OP_CALLDATALOAD || op == OP_JUMPI ||
                                       op == OP_CALLER || op == OP_JUMPDEST || is_between(op, 0x5f, OP_SWAP16);
        if (cevm_op_tables[fork][op].span != 0 && !is_one_of_many && (is_word || !words)) {
            out[n++] = op;
        }
    }
    return n;
}

static sequences *sequences_open(void)
{
    sequences *s = calloc(1, sizeof *s);
    assert_non_null(s);
    cevm_vm_config config = {.struct_size = sizeof config, .memory_limit = 1 << 20, .engine = CEVM_ENGINE_EXACT};
    assert_int_equal(cevm_vm_create(&s->exact, &config), CEVM_OK);
    config.engine = CEVM_ENGINE_BLOCK;
    assert_int_equal(cevm_vm_create(&s->block, &config), CEVM_OK);
    return s;
}

static void sequences_close(sequences *s)
{
    print_message("%llu programs\n", (unsigned long long)s->count);
    cevm_vm_destroy(s->exact);
    cevm_vm_destroy(s->block);
    free(s);
}

static void test_pairs_at_each_fork(void **state)
{
    (void)state;
    sequences *s = sequences_open();
    for (int fork = 0; fork < CEVM_FORK_COUNT; ++fork) {
        uint8_t known[256];
        const unsigned n = opcodes_of(known, (cevm_fork)fork, false);
        const unsigned turns = fork == CEVM_FORK_COUNT - 1 ? 2 * TURNS : 2;
        for (unsigned i = 0; i < n * n; ++i) {
            const uint8_t ops[] = {known[i / n], known[i % n]};
            for (unsigned turn = 0; turn < turns; ++turn) {
                compare(s, (cevm_fork)fork, ops, 2, (origin)((turn + i) % ORIGINS), turn + (unsigned)fork);
            }
        }
    }
    sequences_close(s);
}

static void test_threes(void **state)
{
    (void)state;
    sequences *s = sequences_open();
    uint8_t known[256];
    const unsigned n = opcodes_of(known, (cevm_fork)(CEVM_FORK_COUNT - 1), random_setting("ALL", 0) == 0);
    for (unsigned i = 0; i < n * n * n; ++i) {
        const uint8_t ops[] = {known[i / (n * n)], known[i / n % n], known[i % n]};
        compare(s, (cevm_fork)(CEVM_FORK_COUNT - 1), ops, 3, (origin)(i % ORIGINS), i / ORIGINS % 20);
    }
    sequences_close(s);
}

static void test_longer_ones_by_chance(void **state)
{
    (void)state;
    sequences *s = sequences_open();
    uint64_t random = random_seed();
    const uint64_t iterations = random_setting("ITERATIONS", 100000);
    print_message("SEED=%llu ITERATIONS=%llu\n", (unsigned long long)random, (unsigned long long)iterations);
    uint8_t all[256], words[256];
    const cevm_fork fork = (cevm_fork)(CEVM_FORK_COUNT - 1);
    const unsigned n = opcodes_of(all, fork, false), m = opcodes_of(words, fork, true);
    for (uint64_t i = 0; i < iterations; ++i) {
        uint8_t ops[LONGEST];
        const unsigned count = 4 + (unsigned)(random_next(&random) % (LONGEST - 3));
        for (unsigned k = 0; k < count; ++k) {
            const uint64_t draw = random_next(&random);
            const uint8_t fresh = draw % 8 == 0 ? all[(draw >> 8) % n] : words[(draw >> 8) % m];
            ops[k] =
                k != 0 && (draw >> 32) % 4 == 0 ? ops[k - 1] : fresh; /* the same again is what chance seldom gives */
        }
        compare(s, fork, ops, count, (origin)(random_next(&random) % ORIGINS), (unsigned)(random_next(&random) % 20));
    }
    sequences_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs_at_each_fork),
        cmocka_unit_test(test_threes),
        cmocka_unit_test(test_longer_ones_by_chance),
    };
    return cmocka_run_group_tests_name("sequences", tests, NULL, NULL);
}
