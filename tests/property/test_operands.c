/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every opcode that computes a word, in code, against GMP: all pairs of operands at the limits of what is treated apart,
 * each a constant of the code or a word that the decoder cannot know, in both engines, and with what may follow a result:
 * a branch, one ISZERO or NOT after the other. And memory at the limits of offsets, with exactly the gas that it costs and
 * one less.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <gmp.h>

#include "tests/property/mock_host.h"

/* What GMP computes with. Operands in the order of the stack, the top first. */
typedef struct model {
    mpz_t in[3];
    mpz_t out, whole, half;
} model;

/* As signed numbers. */
static void make_signed(model *m, unsigned operands)
{
    for (unsigned i = 0; i < operands; ++i) {
        if (mpz_cmp(m->in[i], m->half) >= 0) {
            mpz_sub(m->in[i], m->in[i], m->whole);
        }
    }
}

static unsigned long clamped(const model *m, unsigned long limit)
{
    return mpz_cmp_ui(m->in[0], limit) < 0 ? mpz_get_ui(m->in[0]) : limit;
}

static void expect_add(model *m) { mpz_add(m->out, m->in[0], m->in[1]); }
static void expect_sub(model *m) { mpz_sub(m->out, m->in[0], m->in[1]); }
static void expect_mul(model *m) { mpz_mul(m->out, m->in[0], m->in[1]); }
static void expect_exp(model *m) { mpz_powm(m->out, m->in[0], m->in[1], m->whole); }
static void expect_and(model *m) { mpz_and(m->out, m->in[0], m->in[1]); }
static void expect_or(model *m) { mpz_ior(m->out, m->in[0], m->in[1]); }
static void expect_xor(model *m) { mpz_xor(m->out, m->in[0], m->in[1]); }
static void expect_not(model *m) { mpz_com(m->out, m->in[0]); }
static void expect_lt(model *m) { mpz_set_ui(m->out, mpz_cmp(m->in[0], m->in[1]) < 0); }
static void expect_gt(model *m) { mpz_set_ui(m->out, mpz_cmp(m->in[0], m->in[1]) > 0); }
static void expect_eq(model *m) { mpz_set_ui(m->out, mpz_cmp(m->in[0], m->in[1]) == 0); }
static void expect_iszero(model *m) { mpz_set_ui(m->out, mpz_sgn(m->in[0]) == 0); }
static void expect_shl(model *m) { mpz_mul_2exp(m->out, m->in[1], clamped(m, 256)); }
static void expect_shr(model *m) { mpz_fdiv_q_2exp(m->out, m->in[1], clamped(m, 256)); }

static void expect_clz(model *m)
{
    mpz_set_ui(m->out, mpz_sgn(m->in[0]) == 0 ? 256 : 256 - mpz_sizeinbase(m->in[0], 2));
}

static void expect_div(model *m)
{
    mpz_set_ui(m->out, 0);
    if (mpz_sgn(m->in[1]) != 0) {
        mpz_tdiv_q(m->out, m->in[0], m->in[1]);
    }
}

static void expect_mod(model *m)
{
    mpz_set_ui(m->out, 0);
    if (mpz_sgn(m->in[1]) != 0) {
        mpz_tdiv_r(m->out, m->in[0], m->in[1]);
    }
}

static void expect_sdiv(model *m)
{
    make_signed(m, 2);
    expect_div(m);
}

static void expect_smod(model *m)
{
    make_signed(m, 2);
    expect_mod(m);
}

static void expect_slt(model *m)
{
    make_signed(m, 2);
    expect_lt(m);
}

static void expect_sgt(model *m)
{
    make_signed(m, 2);
    expect_gt(m);
}

static void expect_sar(model *m)
{
    const unsigned long bits = clamped(m, 256);
    make_signed(m, 2);
    mpz_fdiv_q_2exp(m->out, m->in[1], bits);
}

static void expect_byte(model *m)
{
    const unsigned long i = clamped(m, 32);
    mpz_fdiv_q_2exp(m->out, m->in[1], i == 32 ? 256 : 8 * (31 - i));
    mpz_fdiv_r_2exp(m->out, m->out, 8);
}

static void expect_signextend(model *m)
{
    const unsigned long bits = 8 * (clamped(m, 31) + 1);
    mpz_fdiv_r_2exp(m->out, m->in[1], bits);
    if (mpz_tstbit(m->out, bits - 1) != 0) {
        mpz_set_ui(m->in[0], 1);
        mpz_mul_2exp(m->in[0], m->in[0], bits);
        mpz_sub(m->out, m->out, m->in[0]);
    }
}

static void expect_addmod(model *m)
{
    mpz_add(m->in[0], m->in[0], m->in[1]);
    mpz_set(m->in[1], m->in[2]);
    expect_mod(m);
}

static void expect_mulmod(model *m)
{
    mpz_mul(m->in[0], m->in[0], m->in[1]);
    mpz_set(m->in[1], m->in[2]);
    expect_mod(m);
}

typedef struct opcode {
    uint8_t op;
    unsigned operands;
    void (*expect)(model *m);
} opcode;

static const opcode opcodes[] = {
    {OP_ADD, 2, expect_add},   {OP_SUB, 2, expect_sub},       {OP_MUL, 2, expect_mul},
    {OP_DIV, 2, expect_div},   {OP_SDIV, 2, expect_sdiv},     {OP_MOD, 2, expect_mod},
    {OP_SMOD, 2, expect_smod}, {OP_ADDMOD, 3, expect_addmod}, {OP_MULMOD, 3, expect_mulmod},
    {OP_EXP, 2, expect_exp},   {OP_LT, 2, expect_lt},         {OP_SIGNEXTEND, 2, expect_signextend},
    {OP_GT, 2, expect_gt},     {OP_SLT, 2, expect_slt},       {OP_SGT, 2, expect_sgt},
    {OP_EQ, 2, expect_eq},     {OP_AND, 2, expect_and},       {OP_OR, 2, expect_or},
    {OP_XOR, 2, expect_xor},   {OP_NOT, 1, expect_not},       {OP_ISZERO, 1, expect_iszero},
    {OP_BYTE, 2, expect_byte}, {OP_SHL, 2, expect_shl},       {OP_SHR, 2, expect_shr},
    {OP_SAR, 2, expect_sar},   {OP_CLZ, 1, expect_clz},
};

enum { OPCODES = sizeof opcodes / sizeof opcodes[0] };

/** 2^power + add. */
typedef struct limit {
    unsigned power;
    int add;
} limit;

static const limit limits[] = {
    {0, -1},   {0, 0},   {1, 0},   {1, 1},     {3, 0},    {5, -2},   {5, -1},   {5, 0},    {5, 1},   {7, 0},
    {8, -2},   {8, -1},  {8, 0},   {8, 1},     {31, 0},   {32, -1},  {32, 0},   {32, 1},   {63, -1}, {63, 0},
    {64, -1},  {64, 0},  {64, 1},  {96, 0},    {127, 0},  {128, -1}, {128, 0},  {160, -1}, {192, 0}, {254, 0},
    {255, -1}, {255, 0}, {255, 1}, {256, -33}, {256, -3}, {256, -2}, {256, -1},
};

enum { LIMITS = sizeof limits / sizeof limits[0] };

static void limit_to_gmp(mpz_t out, const limit *l)
{
    mpz_set_ui(out, 1);
    mpz_mul_2exp(out, out, l->power);
    if (l->add < 0) {
        mpz_sub_ui(out, out, (unsigned long)-l->add);
    } else {
        mpz_add_ui(out, out, (unsigned long)l->add);
    }
}

static void to_be(uint8_t be[32], const mpz_t v)
{
    mpz_t r;
    mpz_init(r);
    mpz_fdiv_r_2exp(r, v, 256);
    memset(be, 0, 32);
    const size_t size = (mpz_sizeinbase(r, 2) + 7) / 8;
    if (mpz_sgn(r) != 0) {
        (void)mpz_export(be + 32 - size, NULL, 1, 1, 1, 0, r);
    }
    mpz_clear(r);
}

/* Programs --------------------------------------------------------------------------------------------------------- */

enum { ENGINES = 2, ROOM = 256, NEWEST = CEVM_FORK_COUNT - 1 };

typedef struct bench {
    cevm_vm *vm[ENGINES];
    mock_host host;
    model m;
    uint8_t code[ROOM], input[96];
    size_t size;
    uint64_t count;
} bench;

static int open_bench(void **state)
{
    bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    cevm_vm_config config = {.struct_size = sizeof config, .memory_limit = 1 << 20};
    for (int i = 0; i < ENGINES; ++i) {
        config.engine = i == 0 ? CEVM_ENGINE_EXACT : CEVM_ENGINE_BLOCK;
        assert_int_equal(cevm_vm_create(&b->vm[i], &config), CEVM_OK);
    }
    mpz_inits(b->m.in[0], b->m.in[1], b->m.in[2], b->m.out, b->m.whole, b->m.half, NULL);
    limit_to_gmp(b->m.whole, &(limit){256, 0});
    limit_to_gmp(b->m.half, &(limit){255, 0});
    *state = b;
    return 0;
}

static int close_bench(void **state)
{
    bench *b = *state;
    for (int i = 0; i < ENGINES; ++i) {
        cevm_vm_destroy(b->vm[i]);
    }
    mpz_clears(b->m.in[0], b->m.in[1], b->m.in[2], b->m.out, b->m.whole, b->m.half, NULL);
    free(b);
    return 0;
}

static void put(bench *b, uint8_t byte) { b->code[b->size++] = byte; }

/** A word: a constant as short as it can be, or a piece of the calldata. */
static void put_operand(bench *b, unsigned i, bool constant)
{
    const uint8_t *be = b->input + (size_t)32 * i;
    unsigned skip = 0;
    while (skip < 31 && be[skip] == 0) {
        ++skip;
    }
    if (!constant) {
        put(b, OP_PUSH1);
        put(b, (uint8_t)(32 * i));
        put(b, OP_CALLDATALOAD);
        return;
    }
    put(b, (uint8_t)(OP_PUSH1 + 31 - skip));
    for (; skip < 32; ++skip) {
        put(b, be[skip]);
    }
}

/** What comes behind the result, and what it makes of it. */
typedef enum tail { NOTHING, NOT_NOT, ISZERO_ISZERO, ISZERO, BRANCH, BRANCH_UNLESS, BRANCH_IF_TWICE, TAILS } tail;

static void put_tail(bench *b, tail t)
{
    static const uint8_t before[TAILS][3] = {
        [NOT_NOT] = {2, OP_NOT, OP_NOT},  [ISZERO_ISZERO] = {2, OP_ISZERO, OP_ISZERO},   [ISZERO] = {1, OP_ISZERO},
        [BRANCH_UNLESS] = {1, OP_ISZERO}, [BRANCH_IF_TWICE] = {2, OP_ISZERO, OP_ISZERO},
    };
    for (unsigned i = 0; i < before[t][0]; ++i) {
        put(b, before[t][1 + i]);
    }
    if (t >= BRANCH) { /* 0 where it is not taken, otherwise 1 */
        const uint8_t to = (uint8_t)(b->size + 10);
        const uint8_t rest[] = {OP_PUSH1,          to,       OP_JUMPI,   OP_PUSH0,   OP_PUSH1,
                                (uint8_t)(to + 3), OP_JUMP,  OP_INVALID, OP_INVALID, OP_INVALID,
                                OP_JUMPDEST,       OP_PUSH1, 1,          OP_JUMPDEST};
        memcpy(b->code + b->size, rest, sizeof rest);
        b->size += sizeof rest;
    }
    static const uint8_t end[] = {OP_PUSH0, OP_MSTORE, OP_PUSH1, 32, OP_PUSH0, OP_RETURN};
    memcpy(b->code + b->size, end, sizeof end);
    b->size += sizeof end;
}

static void expect_tail(model *m, tail t)
{
    mpz_fdiv_r_2exp(m->out, m->out, 256);
    if (t > NOT_NOT) {
        const bool is_zero = mpz_sgn(m->out) == 0;
        mpz_set_ui(m->out, is_zero == (t == ISZERO || t == BRANCH_UNLESS));
    }
}

static void check(bench *b, const opcode *op, const limit *const in[3], unsigned constants, tail t)
{
    uint8_t expected[32];
    for (unsigned i = 0; i < op->operands; ++i) {
        limit_to_gmp(b->m.in[i], in[i]);
        to_be(b->input + (size_t)32 * i, b->m.in[i]);
    }
    op->expect(&b->m);
    expect_tail(&b->m, t);
    to_be(expected, b->m.out);
    b->size = 0;
    for (unsigned i = op->operands; i-- > 0;) {
        put_operand(b, i, (constants >> i & 1) != 0);
    }
    put(b, op->op);
    put_tail(b, t);
    b->host.code[0].bytes = (cevm_bytes){b->code, b->size};
    cevm_store_be64(b->host.code[0].hash.bytes, ++b->count);
    for (int e = 0; e < ENGINES; ++e) {
        const mock_outcome out =
            mock_execute(b->vm[e], &b->host, (cevm_fork)NEWEST, 100000, (cevm_bytes){b->input, sizeof b->input});
        if (out.status != CEVM_STATUS_RETURN || memcmp(b->vm[e]->output.data, expected, 32) != 0) {
            for (size_t i = 0; i < b->size; ++i) {
                print_message("%02x", b->code[i]);
            }
            (void)gmp_fprintf(stderr, "\nGMP says %Zx\n", b->m.out);
            fail_msg("%s, engine %d, constants %u, tail %d: status %d", cevm_opcode_name((cevm_fork)NEWEST, op->op), e,
                     constants, (int)t, (int)out.status);
        }
    }
}

static void test_words_against_gmp(void **state)
{
    bench *b = *state;
    for (unsigned o = 0; o < OPCODES; ++o) {
        const opcode *op = &opcodes[o];
        const unsigned second = op->operands > 1 ? LIMITS : 1;
        for (unsigned i = 0; i < LIMITS * second; ++i) {
            const limit *const in[3] = {&limits[i % LIMITS], &limits[i / LIMITS], &limits[(i * 7 + i / 11) % LIMITS]};
            for (unsigned constants = 0; constants < 1U << op->operands; ++constants) {
                check(b, op, in, constants, NOTHING);
                check(b, op, in, constants, (tail)(1 + (i + constants + i / LIMITS) % (TAILS - 1)));
            }
        }
    }
    print_message("%llu programs\n", (unsigned long long)b->count);
}

/* Memory ----------------------------------------------------------------------------------------------------------- */

/** 3w + w²/512 for the words up to `end`, as the Yellow Paper has it. */
static void memory_price(mpz_t out, const mpz_t end)
{
    mpz_t square;
    mpz_init(square);
    mpz_add_ui(out, end, 31);
    mpz_fdiv_q_2exp(out, out, 5);
    mpz_mul(square, out, out);
    mpz_fdiv_q_2exp(square, square, 9);
    mpz_mul_ui(out, out, 3);
    mpz_add(out, out, square);
    mpz_clear(square);
}

/** An access at a limit after one at the beginning, with the gas that it costs and `less` less. */
static void check_memory(bench *b, uint8_t op, const limit *offset, bool constant, bool grown, unsigned less)
{
    model *m = &b->m;
    limit_to_gmp(m->in[0], offset);
    to_be(b->input, m->in[0]);
    mpz_add_ui(m->in[1], m->in[0], op == OP_MSTORE8 ? 1 : 32);
    memory_price(m->out, m->in[1]);
    const bool is_dear = mpz_cmp_ui(m->out, UINT64_C(1) << 40) > 0;
    const bool is_large = mpz_cmp_ui(m->in[1], 1 << 20) > 0;
    const int64_t memory = is_dear ? INT64_C(1) << 40 : (int64_t)mpz_get_ui(m->out);
    int64_t gas = memory + (constant ? 3 : 6) + 3; /* the offset, and the access itself */
    b->size = 0;
    if (grown) { /* a word is there already */
        const uint8_t store[] = {OP_PUSH0, OP_PUSH0, OP_MSTORE};
        memcpy(b->code, store, sizeof store);
        b->size = sizeof store;
        gas += 2 + 2 + 3;
    }
    if (op != OP_MLOAD) {
        put(b, OP_PUSH1);
        put(b, 0xab);
        gas += 3;
    }
    put_operand(b, 0, constant);
    put(b, op);
    put(b, OP_STOP);
    b->host.code[0].bytes = (cevm_bytes){b->code, b->size};
    cevm_store_be64(b->host.code[0].hash.bytes, ++b->count);
    const cevm_err err = !is_dear && is_large && less == 0 ? CEVM_ERR_LIMIT : CEVM_OK;
    const cevm_status status = is_dear || less != 0 ? CEVM_STATUS_OUT_OF_GAS : CEVM_STATUS_STOP;
    for (int e = 0; e < ENGINES; ++e) {
        const mock_outcome out =
            mock_execute(b->vm[e], &b->host, (cevm_fork)NEWEST, gas - less, (cevm_bytes){b->input, 32});
        if (out.err != err || (err == CEVM_OK && (out.status != status || out.gas.left != 0))) {
            (void)gmp_fprintf(stderr, "offset %Zx costs %Zd\n", m->in[0], m->out);
            fail_msg("%s, engine %d, constant %d: err %d status %d left %lld", cevm_opcode_name((cevm_fork)NEWEST, op),
                     e, (int)constant, (int)out.err, (int)out.status, (long long)out.gas.left);
        }
    }
}

static void test_memory_costs_what_it_has_to(void **state)
{
    static const uint8_t accesses[] = {OP_MLOAD, OP_MSTORE, OP_MSTORE8};
    for (unsigned i = 0; i < LIMITS * sizeof accesses; ++i) {
        for (unsigned how = 0; how < 8; ++how) {
            check_memory(*state, accesses[i / LIMITS], &limits[i % LIMITS], (how & 1) != 0, (how & 2) != 0, how >> 2);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_words_against_gmp, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(test_memory_costs_what_it_has_to, open_bench, close_bench),
    };
    return cmocka_run_group_tests_name("operands", tests, NULL, NULL);
}
