/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The block engine: each kind of entry does what the instructions do that it stands for, wherever the gas ends; decoding is
 * bounded; code is shared and dropped as promised.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>

#include "evm/block.h"
#include "tests/property/mock_host.h"

/** Instructions and the entry that they, or they and the branch behind them, have to become. */
typedef struct snippet {
    enum cevm_decoded_entry_kind kind;
    bool branches; /* PUSH target, JUMPI follows */
    uint8_t size;
    uint8_t code[40];
} snippet;

#define BYTES(...) \
    sizeof((uint8_t[]){__VA_ARGS__}), { __VA_ARGS__ }
#define WIDE                                                                                                         \
    0x7f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, \
        30, 31, 32
#define PUSH(n)             OP_PUSH1, (n)
#define SELECTOR(n, target) OP_DUP1, PUSH(n), OP_EQ, PUSH(target), OP_JUMPI
#define SMALL_OFFSET        OP_PUSH1, 0x3f, OP_AND
#define ONE(kind, ...)                          \
    {                                           \
        BLOCK_##kind, false, BYTES(__VA_ARGS__) \
    }
#define BRANCH(kind, ...)                      \
    {                                          \
        BLOCK_##kind, true, BYTES(__VA_ARGS__) \
    }
#define OPCODE(name)                             \
    {                                            \
        BLOCK_OP_##name, false, BYTES(OP_##name) \
    }

/* On the stack are three words of calldata, the first on top, and above them nothing. */
static const snippet snippets[] = {
    ONE(SKIP, OP_JUMPDEST, OP_JUMPDEST, OP_JUMPDEST),
    ONE(FALL, OP_CALLER, OP_JUMPDEST),
    ONE(JUMP_AT, OP_DUP1, OP_DUP1, OP_XOR, PUSH(18), OP_ADD, OP_JUMP, OP_INVALID, OP_JUMPDEST),
    ONE(JUMPI_AT, OP_DUP1, OP_DUP1, OP_DUP1, OP_XOR, PUSH(19), OP_ADD, OP_JUMPI, OP_INVALID, OP_JUMPDEST),
    ONE(BAD_JUMP, PUSH(OP_JUMPDEST), OP_DUP2, PUSH(10), OP_JUMPI, OP_POP),
    ONE(OP_NOT, OP_NOT, OP_NOT, OP_NOT),
    ONE(OP_NOT, OP_DUP2, OP_NOT, OP_NOT, OP_DUP2, OP_NOT),
    ONE(OP_CLZ, OP_CLZ, OP_CLZ),
    ONE(OP_CLZ, OP_CLZ, OP_CLZ, OP_CLZ),
    ONE(OP_ADD, OP_NOT, OP_NOT, OP_ADD),
    ONE(OP_ADD, OP_ADD, OP_NOT, OP_NOT, OP_SWAP1, OP_POP),
    ONE(MLOAD_I, OP_DUP1, OP_NOT, OP_NOT, PUSH(32), OP_MLOAD),
    ONE(MSTORE_I, OP_ADD, OP_NOT, OP_NOT, PUSH(64), OP_MSTORE),
    ONE(OP_ISZERO, OP_ISZERO, OP_ISZERO, OP_ISZERO),
    ONE(OP_LT, OP_LT, OP_ISZERO, OP_ISZERO),
    ONE(EQ_I, PUSH(5), OP_EQ, OP_ISZERO, OP_ISZERO, OP_ISZERO, OP_ISZERO),
    ONE(MSTORE_I, OP_LT, OP_ISZERO, OP_ISZERO, OP_DUP1, PUSH(64), OP_MSTORE),
    BRANCH(BRANCH_IF, OP_JUMPDEST),
    BRANCH(BRANCH_IF, OP_ISZERO, OP_ISZERO),
    BRANCH(BRANCH_IF, OP_DUP1),
    BRANCH(BRANCH_IF, OP_DUP2, OP_SWAP1),
    BRANCH(BRANCH_UNLESS, OP_ISZERO),
    BRANCH(BRANCH_UNLESS, OP_ISZERO, OP_ISZERO, OP_ISZERO),
    BRANCH(BRANCH_UNLESS, OP_DUP1, OP_ISZERO),
    BRANCH(BRANCH_LT, OP_LT),
    BRANCH(BRANCH_LT, OP_GT),
    BRANCH(BRANCH_LT, OP_DUP2, OP_DUP2, OP_LT),
    BRANCH(BRANCH_NOT_LT, OP_LT, OP_ISZERO),
    BRANCH(BRANCH_SLT, OP_SLT),
    BRANCH(BRANCH_SLT, OP_SGT),
    BRANCH(BRANCH_NOT_SLT, OP_SGT, OP_ISZERO),
    BRANCH(BRANCH_EQ, OP_EQ),
    BRANCH(BRANCH_NOT_EQ, OP_EQ, OP_ISZERO),
    BRANCH(BRANCH_LT_I, PUSH(5), OP_GT),
    BRANCH(BRANCH_NOT_LT_I, PUSH(5), OP_GT, OP_ISZERO),
    BRANCH(BRANCH_I_LT, PUSH(5), OP_LT),
    BRANCH(BRANCH_NOT_I_LT, PUSH(5), OP_LT, OP_ISZERO),
    BRANCH(BRANCH_EQ_I, PUSH(5), OP_EQ),
    BRANCH(BRANCH_NOT_EQ_I, PUSH(5), OP_EQ, OP_ISZERO),
    ONE(SELECT, OP_JUMPDEST, SELECTOR(5, 33), SELECTOR(6, 34), SELECTOR(0, 33), OP_CALLER, OP_POP, OP_JUMPDEST,
        OP_JUMPDEST),
    ONE(SELECT, OP_JUMPDEST, SELECTOR(5, 31), SELECTOR(6, 31), OP_DUP2, PUSH(64), OP_GT, PUSH(32), OP_JUMPI,
        OP_JUMPDEST, OP_JUMPDEST),
    ONE(MOVE, OP_DUP1),
    ONE(MOVE, OP_JUMPDEST, OP_SWAP1, OP_POP),
    ONE(OP_ADD, OP_ADD, OP_SWAP1, OP_POP), /* the result is written where the move would bring it */
    ONE(MOVE2, OP_DUP1, OP_DUP3),
    ONE(EXCHANGE, OP_SWAP1),
    ONE(EXCHANGE, OP_SWAP2, OP_SWAP1),
    ONE(CONST_I, PUSH(7)),
    ONE(CONST_K, WIDE),
    ONE(ADD_I, PUSH(5), OP_ADD),
    ONE(SUB_I, PUSH(5), OP_SWAP1, OP_SUB),
    ONE(I_SUB, PUSH(5), OP_SUB),
    ONE(MUL_I, PUSH(5), OP_MUL),
    ONE(SHL_I, PUSH(8), OP_MUL),
    ONE(SHR_I, PUSH(8), OP_SWAP1, OP_DIV),
    ONE(AND_I, PUSH(8), OP_SWAP1, OP_MOD),
    ONE(AND_I, PUSH(85), OP_AND),
    ONE(AND_K, WIDE, OP_AND),
    ONE(AND_K, PUSH(1), PUSH(200), OP_SHL, OP_SWAP1, OP_MOD),
    ONE(OR_I, PUSH(85), OP_OR),
    ONE(XOR_I, PUSH(85), OP_XOR),
    ONE(EQ_I, PUSH(5), OP_EQ),
    ONE(LT_I, PUSH(5), OP_GT),
    ONE(I_LT, PUSH(5), OP_LT),
    ONE(SHL_I, PUSH(5), OP_SHL),
    ONE(SHL_I, PUSH(255), OP_SHL),
    ONE(SHR_I, PUSH(224), OP_SHR),
    ONE(SAR_I, PUSH(224), OP_SAR),
    ONE(BYTE_I, PUSH(30), OP_BYTE),
    ONE(BYTE_I, PUSH(32), OP_BYTE),
    ONE(SIGNEXTEND_I, PUSH(0), OP_SIGNEXTEND),
    ONE(SIGNEXTEND_I, PUSH(40), OP_SIGNEXTEND),
    ONE(MLOAD_R, SMALL_OFFSET, OP_MLOAD),
    ONE(MLOAD_R, OP_MLOAD),
    ONE(MLOAD_I, PUSH(32), OP_MLOAD),
    ONE(MSTORE_R, SMALL_OFFSET, OP_MSTORE),
    ONE(MSTORE_R, OP_MSTORE),
    ONE(MSTORE_I, PUSH(64), OP_MSTORE),
    ONE(MSTORE8_R, SMALL_OFFSET, OP_MSTORE8),
    OPCODE(ADD),
    OPCODE(MUL),
    OPCODE(SUB),
    OPCODE(DIV),
    OPCODE(SDIV),
    OPCODE(MOD),
    OPCODE(SMOD),
    OPCODE(ADDMOD),
    OPCODE(MULMOD),
    OPCODE(EXP),
    OPCODE(SIGNEXTEND),
    OPCODE(LT),
    OPCODE(SLT),
    OPCODE(EQ),
    OPCODE(ISZERO),
    OPCODE(AND),
    OPCODE(OR),
    OPCODE(XOR),
    OPCODE(NOT),
    OPCODE(BYTE),
    OPCODE(SHL),
    OPCODE(SHR),
    OPCODE(SAR),
    OPCODE(CLZ),
    OPCODE(CALLDATALOAD),
    OPCODE(BLOBHASH),
    OPCODE(BLOCKHASH),
    OPCODE(SELFBALANCE),
    OPCODE(TLOAD),
    OPCODE(TSTORE),
    OPCODE(SLOAD),
    OPCODE(SSTORE),
    OPCODE(BALANCE),
    OPCODE(GAS),
    OPCODE(MSIZE),
    OPCODE(CALLER),
    OPCODE(EXTCODESIZE),
    {BLOCK_OP_KECCAK256, false, BYTES(SMALL_OFFSET, OP_KECCAK256)},
    ONE(CALLDATACOPY_I, PUSH(32), PUSH(16), PUSH(64), OP_CALLDATACOPY),
    ONE(CALLDATACOPY_I, PUSH(70), PUSH(40), PUSH(9), OP_CALLDATACOPY), /* half of it behind the end */
    ONE(CALLDATACOPY_I, PUSH(96), OP_PUSH2, 255, 255, PUSH(1), OP_CALLDATACOPY),
    ONE(CALLDATACOPY_I, OP_SWAP2, PUSH(33), PUSH(2), PUSH(7), OP_CALLDATACOPY, OP_ADD, OP_DUP1, PUSH(64), OP_MSTORE),
    ONE(CODECOPY_I, PUSH(32), PUSH(0), PUSH(64), OP_CODECOPY),
    ONE(CODECOPY_I, PUSH(96), PUSH(20), PUSH(0), OP_CODECOPY),
    ONE(CODECOPY_I, PUSH(1), OP_PUSH2, 1, 0, OP_PUSH2, 255, 255, OP_CODECOPY), /* the memory costs gas */
    ONE(CODECOPY_I, OP_PUSH4, 255, 255, 255, 255, PUSH(1), PUSH(1), OP_CODECOPY),
    ONE(CODECOPY_I, OP_DUP3, OP_SWAP1, PUSH(80), PUSH(3), PUSH(1), OP_CODECOPY, OP_SUB, OP_DUP1, PUSH(3), OP_MSTORE),
    ONE(MCOPY_I, PUSH(0), OP_MSTORE, PUSH(32), OP_MSTORE, PUSH(60), PUSH(3), PUSH(9), OP_MCOPY),
    ONE(MCOPY_I, PUSH(0), OP_MSTORE, PUSH(32), OP_MSTORE, PUSH(60), PUSH(9), PUSH(3), OP_MCOPY),
    ONE(MCOPY_I, PUSH(0), OP_MSTORE, PUSH(32), PUSH(160), PUSH(3), OP_MCOPY, OP_ADD),
    ONE(MCOPY_I, OP_NOT, PUSH(9), OP_MSTORE, OP_DUP1, PUSH(32), PUSH(9), PUSH(64), OP_MCOPY, OP_SWAP1, PUSH(0),
        OP_MSTORE),
    ONE(OP_CALLDATACOPY, PUSH(0), PUSH(3), OP_PUSH3, 255, 255, 255, OP_CALLDATACOPY), /* no bytes cost no memory */
    ONE(OP_CALLDATACOPY, PUSH(3), PUSH(3), OP_PUSH3, 1, 0, 0, OP_CALLDATACOPY),
    ONE(OP_CALLDATACOPY, PUSH(70), OP_PUSH3, 1, 0, 1, PUSH(9), OP_CALLDATACOPY),
    ONE(OP_CALLDATACOPY, PUSH(0), OP_NOT, PUSH(3), PUSH(9), OP_CALLDATACOPY),
    ONE(OP_CALLDATACOPY, SMALL_OFFSET, PUSH(3), PUSH(9), OP_CALLDATACOPY),
    ONE(OP_CODECOPY, OP_POP, PUSH(63), OP_AND, PUSH(70), OP_SWAP1, PUSH(9), OP_CODECOPY),
    ONE(OP_MCOPY, SMALL_OFFSET, PUSH(70), OP_SWAP1, PUSH(9), OP_MCOPY),
    ONE(OP_MCOPY, PUSH(70), OP_DUP2, PUSH(9), OP_MCOPY),
    {BLOCK_OP_RETURNDATACOPY, false, BYTES(PUSH(0), PUSH(0), PUSH(9), OP_RETURNDATACOPY)},
    {BLOCK_OP_LOG1, false, BYTES(PUSH(40), PUSH(9), OP_LOG1)},
};

enum { SNIPPETS = sizeof snippets / sizeof snippets[0], WORDS = 14, CODE_ROOM = 200 };

/** Writes a program around a snippet; returns its size. */
static size_t surround(uint8_t *code, const snippet *s)
{
    static const uint8_t before[] = {PUSH(64), OP_CALLDATALOAD, PUSH(32), OP_CALLDATALOAD, PUSH(0), OP_CALLDATALOAD};
    static const uint8_t after[] = {OP_JUMPDEST, PUSH(96), PUSH(0), OP_RETURN};
    size_t n = 0;
    memcpy(code, before, sizeof before);
    n += sizeof before;
    memcpy(code + n, s->code, s->size);
    n += s->size;
    if (s->branches) {
        const uint8_t branch[] = {PUSH((uint8_t)(n + 8)), OP_JUMPI, OP_NUMBER, OP_CALLER, OP_ADD, OP_POP, OP_JUMPDEST};
        memcpy(code + n, branch, sizeof branch);
        n += sizeof branch;
    } else {
        const uint8_t jump[] = {PUSH((uint8_t)(n + 4)), OP_JUMP, OP_INVALID}; /* makes a JUMP_TO */
        memcpy(code + n, jump, sizeof jump);
        n += sizeof jump;
    }
    memcpy(code + n, after, sizeof after);
    return n + sizeof after;
}

static cevm_u256 interesting_word(unsigned i)
{
    static const uint64_t small[] = {0, 1, 4, 5, 6, 31, 32, 64, 256};
    const cevm_u256 one = cevm_u256_from_u64(1);
    switch (i) {
    case 9: return (cevm_u256){{0, 1, 0, 0}};
    case 10: return u256_shl_u(&one, 255);
    case 11: return u256_max();
    case 12: return (cevm_u256){{UINT64_MAX - 4, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
    case 13: return (cevm_u256){{0x8123456789abcdef, 0xfedcba9876543210, 0x0f1e2d3c4b5a6978, 0x7766554433221100}};
    default: return cevm_u256_from_u64(small[i]);
    }
}

typedef struct engines {
    cevm_vm *exact, *block;
    mock_host host;
    uint8_t code[CODE_ROOM];
    uint8_t input[96];
} engines;

static engines *engines_open(void)
{
    engines *e = calloc(1, sizeof *e);
    assert_non_null(e);
    cevm_vm_config config = {.struct_size = sizeof config, .engine = CEVM_ENGINE_EXACT};
    assert_int_equal(cevm_vm_create(&e->exact, &config), CEVM_OK);
    config.engine = CEVM_ENGINE_BLOCK;
    assert_int_equal(cevm_vm_create(&e->block, &config), CEVM_OK);
    return e;
}

static void engines_close(engines *e)
{
    cevm_vm_destroy(e->exact);
    cevm_vm_destroy(e->block);
    free(e);
}

static void engines_set_code(engines *e, size_t size, uint64_t hash)
{
    e->host.code[0].bytes = (cevm_bytes){e->code, size};
    cevm_store_be64(e->host.code[0].hash.bytes, hash);
}

static void engines_compare(engines *e, int64_t gas, unsigned row)
{
    const cevm_bytes input = {e->input, sizeof e->input};
    const mock_outcome a = mock_execute(e->exact, &e->host, CEVM_OSAKA, gas, input);
    const mock_outcome b = mock_execute(e->block, &e->host, CEVM_OSAKA, gas, input);
    if (memcmp(&a, &b, sizeof a) != 0) {
        fail_msg("row %u, gas %lld: exact status %d gas %lld, block status %d gas %lld", row, (long long)gas,
                 (int)a.status, (long long)a.gas.left, (int)b.status, (long long)b.gas.left);
    }
}

static bool has_entry(const cevm_decoded_code *code, enum cevm_decoded_entry_kind kind)
{
    for (uint32_t i = CEVM_BLOCK_FIRST; i < code->entry_count; ++i) {
        if (code->entries[i].handler.label == cevm_decoded_handlers()[kind].label) {
            return true;
        }
    }
    return false;
}

static void test_each_entry_does_what_its_instructions_do(void **state)
{
    (void)state;
    engines *e = engines_open();
    static bool covered[BLOCK_KIND_COUNT];
    for (unsigned row = 0; row < SNIPPETS; ++row) {
        const size_t size = surround(e->code, &snippets[row]);
        engines_set_code(e, size, row + 1);
        cevm_decoded_code *code = cevm_decoded_decode(e->code, size, CEVM_OSAKA, NULL);
        assert_non_null(code);
        if (!has_entry(code, snippets[row].kind)) {
            fail_msg("row %u does not become the entry it stands for", row);
        }
        for (int kind = 0; kind < BLOCK_KIND_COUNT; ++kind) {
            covered[kind] = covered[kind] || has_entry(code, (enum cevm_decoded_entry_kind)kind);
        }
        cevm_decoded_free(code, NULL);
        for (unsigned i = 0; i < WORDS * WORDS; ++i) {
            const cevm_u256 a = interesting_word(i % WORDS), b = interesting_word(i / WORDS);
            const cevm_u256 c = interesting_word((i + i / WORDS) % WORDS);
            cevm_u256_to_be(e->input, &a);
            cevm_u256_to_be(e->input + 32, &b);
            cevm_u256_to_be(e->input + 64, &c);
            engines_compare(e, 100000, row);
        }
        for (int64_t gas = 0; gas < 400; ++gas) { /* out of gas at each instruction */
            engines_compare(e, gas, row);
        }
        engines_compare(e, 2300, row);
        engines_compare(e, 2250, row);
    }
    for (int kind = 0; kind < BLOCK_OP_STOP; ++kind) {
        if (!covered[kind]) {
            fail_msg("no row has an entry of kind %d", kind);
        }
    }
    engines_close(e);
}

/** Far more words are taken off the stack in a straight line than a section follows. */
static void test_deep_stacks(void **state)
{
    (void)state;
    static const uint8_t takers[] = {OP_ADD, OP_MULMOD, OP_POP, OP_MSTORE8, OP_CALLDATACOPY, OP_LOG4};
    enum { WORDS_PUSHED = 1020 };
    static uint8_t code[2 * WORDS_PUSHED + 600];
    engines *e = engines_open();
    for (unsigned i = 0; i < sizeof takers; ++i) {
        const cevm_op_info *info = &cevm_op_tables[CEVM_OSAKA][takers[i]];
        for (size_t count = 75; count * (size_t)(info->in - info->out) < WORDS_PUSHED && count <= 600; count += 15) {
            size_t size = 0;
            while (size < 2 * (size_t)WORDS_PUSHED) {
                const uint8_t push[] = {PUSH((uint8_t)(size * 7 / 2 + 3))};
                memcpy(code + size, push, sizeof push);
                size += sizeof push;
            }
            memset(code + size, takers[i], count);
            e->host.code[0].bytes = (cevm_bytes){code, size + count};
            cevm_store_be64(e->host.code[0].hash.bytes, 1000 * (i + 1) + count);
            engines_compare(e, 10000000, i);
        }
    }
    engines_close(e);
}

/** Comparisons that look the same but do not need the same of the stack: each finds it too low or too high by itself. */
static void test_a_selector_checks_the_stack_each_time(void **state)
{
    (void)state;
    enum { TARGET = 3 };
    static const uint8_t head[] = {PUSH(5), OP_JUMP, OP_JUMPDEST, OP_STOP, OP_JUMPDEST};
    static const struct {
        uint8_t size, bytes[5];
    } ways[] = {
        {BYTES(OP_DUP1)},
        {BYTES(OP_DUP1, OP_DUP1, OP_DUP1, OP_POP, OP_POP)}, /* reaches higher */
        {BYTES(OP_DUP1, OP_DUP3, OP_POP)},                  /* reaches lower */
    };
    enum { WAYS = sizeof ways / sizeof ways[0], LOW = 6, HIGH = CEVM_STACK_LIMIT - 8 };
    static uint8_t code[sizeof head + CEVM_STACK_LIMIT + 64];
    engines *e = engines_open();
    for (unsigned row = 0; row < WAYS * WAYS * WAYS; ++row) {
        for (unsigned height = 0; height <= CEVM_STACK_LIMIT; height += height == LOW ? HIGH - LOW : 1) {
            memcpy(code, head, sizeof head);
            memset(code + sizeof head, OP_CALLER, height);
            size_t size = sizeof head + height;
            for (unsigned i = 0, of = row; i < 3; ++i, of /= WAYS) {
                const uint8_t compare[] = {PUSH((uint8_t)(i + 1)), OP_EQ, PUSH(TARGET), OP_JUMPI};
                memcpy(code + size, ways[of % WAYS].bytes, ways[of % WAYS].size);
                size += ways[of % WAYS].size;
                memcpy(code + size, compare, sizeof compare);
                size += sizeof compare;
            }
            e->host.code[0].bytes = (cevm_bytes){code, size};
            cevm_store_be64(e->host.code[0].hash.bytes, row * 10000 + height + 1);
            engines_compare(e, 100000, row);
        }
    }
    engines_close(e);
}

/* ---- Bounds ------------------------------------------------------------------------------------------------------ */

/** Code of one pattern, over and over, that makes the most of something in decoding. */
static void test_decoding_is_bounded(void **state)
{
    (void)state;
    static const struct {
        uint8_t size, bytes[6];
    } patterns[] = {
        {BYTES(OP_JUMPDEST)},
        {BYTES(OP_PUSH32)},
        {BYTES(OP_PUSH0, OP_JUMPDEST)},
        {BYTES(OP_GAS)},
        {BYTES(OP_JUMPI)},
        {BYTES(OP_SWAP16)},
        {BYTES(OP_SWAP16, OP_JUMPDEST)},
        {BYTES(OP_DUP16)},
        {BYTES(OP_DUP16, OP_ADD)},
        {BYTES(OP_CALLER, OP_SWAP16)},
        {BYTES(OP_SWAP16, OP_ISZERO, OP_GAS)},
        {BYTES(OP_MULMOD)},
        {BYTES(OP_PUSH0, OP_DUP1, OP_MULMOD)},
        {BYTES(OP_SWAP1, OP_SWAP2, OP_GAS)},
        {BYTES(OP_SWAP3, OP_ISZERO)},
        {BYTES(OP_PUSH1, 0, OP_SLOAD)},
        {BYTES(OP_DUP1, OP_MSTORE)},
        {BYTES(OP_LT, OP_JUMPI)},
        {BYTES(OP_PUSH0, OP_PUSH0, OP_EXP)},
        {BYTES(OP_CALLER, OP_DUP1, OP_SWAP5, OP_KECCAK256)},
        {BYTES(OP_POP)},
        {BYTES(OP_JUMPDEST, OP_PUSH1, 0, OP_JUMP)},
        {BYTES(OP_ISZERO, OP_SWAP16)},
        {BYTES(OP_PUSH9)},
    };
    enum { SIZE = 65536 };
    uint8_t *code = malloc(SIZE);
    assert_non_null(code);
    for (size_t p = 0; p < sizeof patterns / sizeof patterns[0]; ++p) {
        for (size_t i = 0; i < SIZE; ++i) {
            code[i] = patterns[p].bytes[i % patterns[p].size];
        }
        cevm_decoded_code *decoded = cevm_decoded_decode(code, SIZE, CEVM_OSAKA, NULL);
        assert_non_null(decoded);
        if (decoded->entry_count > 3 * SIZE || decoded->bytes > 64 * SIZE) {
            fail_msg("pattern %zu: %u entries, %zu bytes", p, decoded->entry_count, decoded->bytes);
        }
        cevm_decoded_free(decoded, NULL);
    }
    free(code);
}

/* ---- The cache --------------------------------------------------------------------------------------------------- */

/** PUSH1 n, PUSH0, MSTORE, a loop of `rounds` that runs long enough to be decoded, RETURN(0, 32). */
static size_t make_loop(uint8_t *code, uint8_t n, uint8_t rounds)
{
    const uint8_t bytes[] = {PUSH(rounds), OP_JUMPDEST, PUSH(1),  OP_SWAP1,  OP_SUB,   OP_DUP1,  PUSH(2),
                             OP_JUMPI,     PUSH(n),     OP_PUSH0, OP_MSTORE, PUSH(32), OP_PUSH0, OP_RETURN};
    memcpy(code, bytes, sizeof bytes);
    return sizeof bytes;
}

enum { SHARERS = 4, CODES = 40, TURNS = 400 };

typedef struct sharer {
    pthread_t thread;
    cevm_code_cache *cache;
    uint64_t random;
    int wrong;
} sharer;

static void *share(void *arg)
{
    sharer *s = arg;
    mock_host *host = calloc(1, sizeof *host);
    cevm_vm *vm = NULL;
    const cevm_vm_config config = {.struct_size = sizeof config, .code_cache = s->cache};
    s->wrong = host == NULL || cevm_vm_create(&vm, &config) != CEVM_OK;
    for (int turn = 0; turn < TURNS && !s->wrong; ++turn) {
        uint8_t code[32];
        const uint8_t n = (uint8_t)(random_next(&s->random) % CODES);
        host->code[0].bytes = (cevm_bytes){code, make_loop(code, n, 200)};
        host->code[0].hash.bytes[0] = n;
        const mock_outcome out = mock_execute(vm, host, CEVM_OSAKA, 100000, (cevm_bytes){NULL, 0});
        s->wrong = out.status != CEVM_STATUS_RETURN || vm->output.data[31] != n;
    }
    cevm_vm_destroy(vm);
    free(host);
    return NULL;
}

static void test_a_cache_is_shared_by_threads(void **state)
{
    (void)state;
    sharer sharers[SHARERS];
    cevm_code_cache *cache;
    assert_int_equal(cevm_code_cache_create(&cache, NULL, 8192), CEVM_OK); /* too small for all of them */
    for (uint64_t i = 0; i < SHARERS; ++i) {
        sharers[i] = (sharer){.cache = cache, .random = i};
        assert_int_equal(pthread_create(&sharers[i].thread, NULL, share, &sharers[i]), 0);
    }
    for (int i = 0; i < SHARERS; ++i) {
        assert_int_equal(pthread_join(sharers[i].thread, NULL), 0);
        assert_int_equal(sharers[i].wrong, 0);
    }
    cevm_code_cache_destroy(cache);
}

/** An allocator that knows how much is out. */
static void *counting_resize(void *ctx, void *ptr, size_t size)
{
    size_t *live = ctx;
    size_t *block = ptr != NULL ? (size_t *)ptr - 2 : NULL;
    *live -= block != NULL ? block[0] : 0;
    if (size == 0) {
        free(block);
        return NULL;
    }
    block = realloc(block, size + 2 * sizeof *block);
    assert_non_null(block);
    block[0] = size;
    *live += size;
    return block + 2;
}

static void test_a_cache_keeps_to_its_bound(void **state)
{
    (void)state;
    enum { BOUND = 20000, BUCKETS = 20000 };
    size_t live = 0;
    const cevm_allocator allocator = {&live, counting_resize};
    cevm_code_cache *cache;
    assert_int_equal(cevm_code_cache_create(&cache, &allocator, BOUND), CEVM_OK);
    const size_t empty = live + BUCKETS;
    mock_host *host = calloc(1, sizeof *host);
    assert_non_null(host);
    cevm_vm *vm;
    const cevm_vm_config config = {.struct_size = sizeof config, .code_cache = cache, .engine = CEVM_ENGINE_BLOCK};
    assert_int_equal(cevm_vm_create(&vm, &config), CEVM_OK);
    for (uint64_t i = 0; i < 200; ++i) {
        uint8_t code[32];
        host->code[0].bytes = (cevm_bytes){code, make_loop(code, (uint8_t)i, 3)};
        cevm_store_be64(host->code[0].hash.bytes, i);
        const mock_outcome out = mock_execute(vm, host, CEVM_OSAKA, 100000, (cevm_bytes){NULL, 0});
        assert_int_equal(out.status, CEVM_STATUS_RETURN);
        assert_true(live <= empty + BOUND + 4096); /* and what ran last */
    }
    assert_true(live > empty + BOUND / 2);
    cevm_vm_destroy(vm);
    cevm_code_cache_destroy(cache);
    free(host);
    assert_int_equal(live, 0);
}

/** The state is asked for what the gas pays for, not for less because something behind it is too dear (EIP-7928). */
static void test_what_is_charged_ahead_hides_no_access(void **state)
{
    (void)state;
    static const uint8_t accesses[] = {OP_SLOAD, OP_BALANCE, OP_EXTCODESIZE, OP_EXTCODEHASH};
    engines *e = engines_open();
    for (unsigned i = 0; i < sizeof accesses; ++i) {
        const uint8_t code[] = {PUSH(9), accesses[i], PUSH(8), accesses[i], OP_PUSH0, OP_PUSH0, OP_LOG0, OP_STOP};
        memcpy(e->code, code, sizeof code);
        engines_set_code(e, sizeof code, 1000 + i);
        for (int64_t gas = 2000; gas < 6000; gas += 7) {
            engines_compare(e, gas, i);
        }
    }
    engines_close(e);
}

enum { FORK_VARIANTS = 11 };

/**
 * A loop that gets hot, then something that forks differ in: what instructions there are, what they cost, what they mean.
 * Returns the size of the code.
 */
static size_t make_fork_dependent(uint8_t *code, unsigned variant)
{
    static const uint8_t loop[] = {PUSH(60), OP_JUMPDEST, PUSH(1), OP_SWAP1, OP_SUB, OP_DUP1, PUSH(2), OP_JUMPI};
    static const uint8_t ends[FORK_VARIANTS][8] = {
        {OP_PUSH0, OP_POP},
        {PUSH(1), OP_CLZ, OP_CLZ, OP_POP},
        {PUSH(1), PUSH(4), OP_SHL, OP_POP},
        {PUSH(7), OP_SLOAD, OP_SLOAD, OP_POP},
        {PUSH(7), OP_BALANCE, OP_POP},
        {PUSH(7), PUSH(8), OP_SSTORE},
        {OP_BASEFEE, OP_BLOBBASEFEE, OP_POP, OP_POP},
        {PUSH(2), PUSH(255), OP_EXP, OP_POP},
        {OP_PREVRANDAO, OP_SELFBALANCE, OP_POP, OP_POP},
        {PUSH(0), OP_EXTCODEHASH, OP_CHAINID, OP_POP, OP_POP},
        {PUSH(0), OP_TLOAD, OP_RETURNDATASIZE, OP_POP, OP_POP},
    };
    memcpy(code, loop, sizeof loop);
    memcpy(code + sizeof loop, ends[variant], sizeof ends[0]); /* zeros behind: STOP */
    return sizeof loop + sizeof ends[0];
}

/** One code at one fork after the other, on VMs that share what they decoded. */
static void test_code_is_decoded_for_each_fork(void **state)
{
    (void)state;
    engines *e = engines_open();
    cevm_code_cache *cache;
    cevm_vm *shared[3];
    assert_int_equal(cevm_code_cache_create(&cache, NULL, 0), CEVM_OK);
    cevm_vm_config config = {.struct_size = sizeof config, .code_cache = cache};
    for (int i = 0; i < 3; ++i) {
        config.engine = i == 2 ? CEVM_ENGINE_BLOCK : CEVM_ENGINE_AUTO;
        assert_int_equal(cevm_vm_create(&shared[i], &config), CEVM_OK);
    }
    uint64_t random = 1;
    for (unsigned turn = 0; turn < 4000; ++turn) {
        const uint64_t draw = random_next(&random);
        const unsigned variant = (unsigned)(draw % FORK_VARIANTS);
        const cevm_fork fork = (cevm_fork)((draw >> 8) % CEVM_FORK_COUNT);
        engines_set_code(e, make_fork_dependent(e->code, variant), variant + 1);
        const mock_outcome a = mock_execute(e->exact, &e->host, fork, 30000, (cevm_bytes){NULL, 0});
        const mock_outcome b = mock_execute(shared[(draw >> 16) % 3], &e->host, fork, 30000, (cevm_bytes){NULL, 0});
        if (memcmp(&a, &b, sizeof a) != 0) {
            fail_msg("variant %u, fork %d, turn %u: exact status %d gas %lld, the other %d %lld", variant, (int)fork,
                     turn, (int)a.status, (long long)a.gas.left, (int)b.status, (long long)b.gas.left);
        }
    }
    for (int i = 0; i < 3; ++i) {
        cevm_vm_destroy(shared[i]);
    }
    cevm_code_cache_destroy(cache);
    engines_close(e);
}

/** An allocator with which nothing stays where it was, and what is read there is no longer what it was. */
static void *moving_resize(void *ctx, void *ptr, size_t size)
{
    (void)ctx;
    size_t *old = ptr != NULL ? (size_t *)ptr - 2 : NULL;
    size_t *moved = NULL;
    if (size != 0) {
        moved = malloc(size + 2 * sizeof *moved);
        assert_non_null(moved);
        moved[0] = size;
    }
    if (old != NULL) {
        const size_t had = old[0];
        if (moved != NULL) {
            memcpy(moved + 2, old + 2, had < size ? had : size);
        }
        memset(old + 2, 0xdd, had);
        free(old);
    }
    return moved != NULL ? moved + 2 : NULL;
}

/** A callee's calldata lies in its caller's memory, which moves when the callee's grows. */
static void test_calldata_moves_with_the_memory(void **state)
{
    (void)state;
    static const uint8_t callees[][32] = {
        {PUSH(64), PUSH(0), OP_PUSH2, 0x30, 0, OP_CALLDATACOPY, PUSH(64), OP_PUSH2, 0x30, 0, OP_RETURN},
        {OP_CALLDATASIZE, PUSH(0), OP_CALLDATASIZE, PUSH(192), OP_MUL, OP_CALLDATACOPY, PUSH(64), OP_PUSH2, 0x30, 0,
         OP_RETURN},
        {PUSH(32), OP_CALLDATALOAD, PUSH(0), OP_CALLDATALOAD, OP_PUSH2, 0x30, 0, OP_MSTORE, OP_PUSH2, 0x30, 32,
         OP_MSTORE, PUSH(64), OP_PUSH2, 0x30, 0, OP_RETURN},
        {PUSH(1), OP_PUSH2, 0x50, 0, OP_MSTORE, PUSH(0), OP_CALLDATALOAD, PUSH(0), OP_MSTORE, PUSH(32), OP_CALLDATALOAD,
         PUSH(32), OP_MSTORE, PUSH(64), PUSH(0), OP_RETURN},
    };
    static const uint8_t caller[] = {WIDE,     PUSH(0),   OP_MSTORE, WIDE,           OP_NOT,
                                     PUSH(32), OP_MSTORE, PUSH(64),  PUSH(128),      PUSH(64),
                                     PUSH(0),  PUSH(0),   OP_PUSH2,  MOCK_BASE >> 8, (MOCK_BASE & 0xff) + 1,
                                     OP_GAS,   OP_CALL,   OP_POP,    PUSH(64),       PUSH(128),
                                     OP_RETURN};
    const cevm_allocator allocator = {NULL, moving_resize};
    mock_host *host = calloc(1, sizeof *host);
    assert_non_null(host);
    for (unsigned i = 0; i < 2 * sizeof callees / sizeof callees[0]; ++i) {
        cevm_vm *vm;
        cevm_vm_config config = {.struct_size = sizeof config, .allocator = &allocator};
        config.engine = i % 2 == 0 ? CEVM_ENGINE_EXACT : CEVM_ENGINE_BLOCK;
        assert_int_equal(cevm_vm_create(&vm, &config), CEVM_OK);
        host->code[0].bytes = (cevm_bytes){caller, sizeof caller};
        host->code[1].bytes = (cevm_bytes){callees[i / 2], sizeof callees[0]};
        cevm_store_be64(host->code[1].hash.bytes, i + 1);
        const mock_outcome out = mock_execute(vm, host, CEVM_OSAKA, 1000000, (cevm_bytes){NULL, 0});
        assert_int_equal(out.status, CEVM_STATUS_RETURN);
        assert_int_equal(vm->output.size, 64);
        for (unsigned k = 0; k < 32; ++k) {
            assert_int_equal(vm->output.data[k], k + 1);
            assert_int_equal(vm->output.data[32 + k], (uint8_t) ~(k + 1));
        }
        cevm_vm_destroy(vm);
    }
    free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_entry_does_what_its_instructions_do),
        cmocka_unit_test(test_deep_stacks),
        cmocka_unit_test(test_a_selector_checks_the_stack_each_time),
        cmocka_unit_test(test_decoding_is_bounded),
        cmocka_unit_test(test_a_cache_is_shared_by_threads),
        cmocka_unit_test(test_a_cache_keeps_to_its_bound),
        cmocka_unit_test(test_what_is_charged_ahead_hides_no_access),
        cmocka_unit_test(test_code_is_decoded_for_each_fork),
        cmocka_unit_test(test_calldata_moves_with_the_memory),
    };
    return cmocka_run_group_tests_name("block_engine", tests, NULL, NULL);
}
