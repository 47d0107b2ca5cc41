/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every operation of evm/u256.h against GMP: on all pairs and triples of a list of edge values, then on random operands
 * of many shapes. SEED= repeats a run, ITERATIONS= lengthens it.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <gmp.h>

#include "evm/u256.h"
#include "tests/property/random.h"

static const uint64_t ones = UINT64_MAX;

/* What GMP computes with, made once: scratch numbers and the constants 2^255 and 2^256. */
typedef struct model {
    mpz_t in[3];
    mpz_t out[2];
    mpz_t half;
    mpz_t whole;
    uint64_t seed;
} model;

/* run() computes with our code, expect() with GMP; both leave `outputs` numbers, GMP's yet to be reduced mod 2^256. */
typedef struct operation {
    const char *name;
    unsigned operands;
    unsigned outputs;
    void (*run)(cevm_u256 out[2], const cevm_u256 in[3]);
    void (*expect)(model *m);
} operation;

static void to_gmp(mpz_t out, const cevm_u256 *v) { mpz_import(out, 4, -1, sizeof v->w[0], 0, 0, v->w); }

/* The two's complement reading of operand i. */
static void as_signed(model *m, unsigned i)
{
    if (mpz_cmp(m->in[i], m->half) >= 0) {
        mpz_sub(m->in[i], m->in[i], m->whole);
    }
}

/* Operand i as a small number, or `limit` if it is no smaller than that. */
static unsigned clamped(const model *m, unsigned i, unsigned limit)
{
    return mpz_cmp_ui(m->in[i], limit) < 0 ? (unsigned)mpz_get_ui(m->in[i]) : limit;
}

/* Sums and bits ---------------------------------------------------------------------------------------------------- */

static void run_add(cevm_u256 out[2], const cevm_u256 in[3])
{
    out[0] = u256_add(&in[0], &in[1]);
    out[1] = cevm_u256_from_u64(u256_add_overflow(&out[1], &in[0], &in[1]));
}

static void expect_add(model *m)
{
    mpz_add(m->out[0], m->in[0], m->in[1]);
    mpz_fdiv_q_2exp(m->out[1], m->out[0], 256);
}

static void run_sub(cevm_u256 out[2], const cevm_u256 in[3])
{
    out[0] = u256_sub(&in[0], &in[1]);
    out[1] = cevm_u256_from_u64(u256_sub_borrow(&out[1], &in[0], &in[1]));
}

static void expect_sub(model *m)
{
    mpz_sub(m->out[0], m->in[0], m->in[1]);
    mpz_set_ui(m->out[1], mpz_sgn(m->out[0]) < 0);
}

static void run_overflow(cevm_u256 out[2], const cevm_u256 in[3])
{
    out[0] = in[0];
    (void)u256_add_overflow(&out[0], &out[0], &in[1]);
    out[1] = in[1];
    (void)u256_sub_borrow(&out[1], &in[0], &out[1]);
}

static void expect_overflow(model *m)
{
    mpz_add(m->out[0], m->in[0], m->in[1]);
    mpz_sub(m->out[1], m->in[0], m->in[1]);
}

static void run_neg_not(cevm_u256 out[2], const cevm_u256 in[3])
{
    out[0] = u256_neg(&in[0]);
    out[1] = u256_not(&in[0]);
}

static void expect_neg_not(model *m)
{
    mpz_neg(m->out[0], m->in[0]);
    mpz_com(m->out[1], m->in[0]);
}

static void run_and_or(cevm_u256 out[2], const cevm_u256 in[3])
{
    out[0] = u256_and(&in[0], &in[1]);
    out[1] = u256_or(&in[0], &in[1]);
}

static void expect_and_or(model *m)
{
    mpz_and(m->out[0], m->in[0], m->in[1]);
    mpz_ior(m->out[1], m->in[0], m->in[1]);
}

static void run_xor_max(cevm_u256 out[2], const cevm_u256 in[3])
{
    out[0] = u256_xor(&in[0], &in[1]);
    out[1] = u256_max();
}

static void expect_xor_max(model *m)
{
    mpz_xor(m->out[0], m->in[0], m->in[1]);
    mpz_sub_ui(m->out[1], m->whole, 1);
}

static void run_lengths(cevm_u256 out[2], const cevm_u256 in[3])
{
    out[0] = cevm_u256_from_u64(u256_clz(&in[0]));
    out[1] = cevm_u256_from_u64(u256_bit_length(&in[0]) * 1000 + u256_byte_length(&in[0]));
}

static void expect_lengths(model *m)
{
    const size_t bits = mpz_sgn(m->in[0]) == 0 ? 0 : mpz_sizeinbase(m->in[0], 2);
    mpz_set_ui(m->out[0], 256 - bits);
    mpz_set_ui(m->out[1], bits * 1000 + (bits + 7) / 8);
}

/* Order ------------------------------------------------------------------------------------------------------------ */

static void run_order(cevm_u256 out[2], const cevm_u256 in[3])
{
    out[0] = cevm_u256_from_u64((uint64_t)u256_lt(&in[0], &in[1]) * 2 + u256_gt(&in[0], &in[1]));
    out[1] = cevm_u256_from_u64((uint64_t)(u256_cmp(&in[0], &in[1]) + 1));
}

static void expect_order(model *m)
{
    const int order = mpz_cmp(m->in[0], m->in[1]);
    mpz_set_ui(m->out[0], order < 0 ? 2 : order > 0);
    mpz_set_ui(m->out[1], order < 0 ? 0 : order == 0 ? 1 : 2);
}

static void run_signed_order(cevm_u256 out[2], const cevm_u256 in[3])
{
    out[0] = cevm_u256_from_u64((uint64_t)u256_slt(&in[0], &in[1]) * 2 + u256_sgt(&in[0], &in[1]));
    out[1] = cevm_u256_from_u64((uint64_t)cevm_u256_equal(&in[0], &in[1]) * 2 + cevm_u256_is_zero(&in[0]));
}

static void expect_signed_order(model *m)
{
    as_signed(m, 0);
    as_signed(m, 1);
    const int order = mpz_cmp(m->in[0], m->in[1]);
    mpz_set_ui(m->out[0], order < 0 ? 2 : order > 0);
    mpz_set_ui(m->out[1], (order == 0 ? 2 : 0) + (mpz_sgn(m->in[0]) == 0 ? 1U : 0U));
}

/* Shifts and bytes ------------------------------------------------------------------------------------------------- */

static void run_shl_shr(cevm_u256 out[2], const cevm_u256 in[3])
{
    out[0] = u256_shl(&in[1], &in[0]);
    out[1] = u256_shr(&in[1], &in[0]);
}

static void expect_shl_shr(model *m)
{
    const unsigned count = clamped(m, 0, 256);
    mpz_mul_2exp(m->out[0], m->in[1], count);
    mpz_fdiv_q_2exp(m->out[1], m->in[1], count);
}

static void run_shifts_by_unsigned(cevm_u256 out[2], const cevm_u256 in[3])
{
    out[0] = u256_shl_u(&in[1], (unsigned)in[0].w[0] & 255);
    out[1] = u256_shr_u(&in[1], (unsigned)in[0].w[0] & 255);
}

static void expect_shifts_by_unsigned(model *m)
{
    const unsigned count = (unsigned)mpz_get_ui(m->in[0]) & 255;
    mpz_mul_2exp(m->out[0], m->in[1], count);
    mpz_fdiv_q_2exp(m->out[1], m->in[1], count);
}

static void run_sar_byte(cevm_u256 out[2], const cevm_u256 in[3])
{
    out[0] = u256_sar(&in[1], &in[0]);
    out[1] = u256_byte(&in[0], &in[1]);
}

static void expect_sar_byte(model *m)
{
    const unsigned byte = clamped(m, 0, 32);
    mpz_fdiv_q_2exp(m->out[1], m->in[1], byte == 32 ? 256 : 8 * (31 - byte));
    mpz_fdiv_r_2exp(m->out[1], m->out[1], 8);
    as_signed(m, 1);
    mpz_fdiv_q_2exp(m->out[0], m->in[1], clamped(m, 0, 256));
}

static void run_signextend(cevm_u256 out[2], const cevm_u256 in[3]) { out[0] = u256_signextend(&in[0], &in[1]); }

static void expect_signextend(model *m)
{
    const unsigned bits = 8 * (clamped(m, 0, 31) + 1);
    mpz_fdiv_r_2exp(m->out[0], m->in[1], bits);
    if (mpz_tstbit(m->out[0], bits - 1) != 0) {
        mpz_set_ui(m->in[0], 1);
        mpz_mul_2exp(m->in[0], m->in[0], bits);
        mpz_sub(m->out[0], m->out[0], m->in[0]);
    }
}

/* Products and quotients ------------------------------------------------------------------------------------------- */

static void run_mul(cevm_u256 out[2], const cevm_u256 in[3])
{
    out[0] = u256_mul(&in[0], &in[1]);
    const bool overflow = cevm_u256_mul_overflow(&out[1], &in[0], &in[1]);
    /* The second output is the flag where both products agree, and otherwise no flag. */
    out[1] = cevm_u256_from_u64(cevm_u256_equal(&out[0], &out[1]) ? overflow : 2);
}

static void expect_mul(model *m)
{
    mpz_mul(m->out[0], m->in[0], m->in[1]);
    mpz_set_ui(m->out[1], mpz_cmp(m->out[0], m->whole) >= 0);
}

static void run_mul_wide(cevm_u256 out[2], const cevm_u256 in[3])
{
    uint64_t product[8];
    cevm_u256_mul_wide(product, &in[0], &in[1]);
    memcpy(out[0].w, product, sizeof out[0].w);
    memcpy(out[1].w, product + 4, sizeof out[1].w);
}

static void expect_mul_wide(model *m)
{
    mpz_mul(m->out[0], m->in[0], m->in[1]);
    mpz_fdiv_q_2exp(m->out[1], m->out[0], 256);
}

static void run_divmod(cevm_u256 out[2], const cevm_u256 in[3]) { cevm_u256_divmod(&out[0], &out[1], &in[0], &in[1]); }

static void run_divmod_in_place(cevm_u256 out[2], const cevm_u256 in[3])
{
    out[0] = in[1];
    out[1] = in[0];
    cevm_u256_divmod(&out[0], &out[1], &out[1], &out[0]);
}

static void run_div_mod(cevm_u256 out[2], const cevm_u256 in[3])
{
    out[0] = cevm_u256_div(&in[0], &in[1]);
    out[1] = cevm_u256_mod(&in[0], &in[1]);
}

static void expect_divmod(model *m)
{
    if (mpz_sgn(m->in[1]) == 0) {
        mpz_set_ui(m->out[0], 0);
        mpz_set_ui(m->out[1], 0);
    } else {
        mpz_tdiv_qr(m->out[0], m->out[1], m->in[0], m->in[1]);
    }
}

static void run_sdiv_smod(cevm_u256 out[2], const cevm_u256 in[3])
{
    out[0] = cevm_u256_sdiv(&in[0], &in[1]);
    out[1] = cevm_u256_smod(&in[0], &in[1]);
}

static void expect_sdiv_smod(model *m)
{
    as_signed(m, 0);
    as_signed(m, 1);
    expect_divmod(m);
}

static void run_addmod_mulmod(cevm_u256 out[2], const cevm_u256 in[3])
{
    out[0] = cevm_u256_addmod(&in[0], &in[1], &in[2]);
    out[1] = cevm_u256_mulmod(&in[0], &in[1], &in[2]);
}

static void expect_addmod_mulmod(model *m)
{
    if (mpz_sgn(m->in[2]) == 0) {
        mpz_set_ui(m->out[0], 0);
        mpz_set_ui(m->out[1], 0);
        return;
    }
    mpz_add(m->out[0], m->in[0], m->in[1]);
    mpz_mul(m->out[1], m->in[0], m->in[1]);
    mpz_fdiv_r(m->out[0], m->out[0], m->in[2]);
    mpz_fdiv_r(m->out[1], m->out[1], m->in[2]);
}

/* A modulus is noted when it first comes, made ready the second time, and from then on its reciprocal is used. */
static void run_mulmod_with(cevm_u256 out[2], const cevm_u256 in[3])
{
    cevm_modulus known = {.ready = false};
    (void)cevm_u256_mulmod_with(&known, &in[1], &in[0], &in[2]);
    out[0] = cevm_u256_mulmod_with(&known, &in[1], &in[0], &in[2]);
    out[1] = cevm_u256_mulmod_with(&known, &in[0], &in[1], &in[2]);
    assert_true(known.ready || in[2].w[3] == 0);
}

static void expect_mulmod_with(model *m)
{
    mpz_set_ui(m->out[0], 0);
    if (mpz_sgn(m->in[2]) != 0) {
        mpz_mul(m->out[0], m->in[0], m->in[1]);
        mpz_fdiv_r(m->out[0], m->out[0], m->in[2]);
    }
    mpz_set(m->out[1], m->out[0]);
}

static void run_exp(cevm_u256 out[2], const cevm_u256 in[3]) { out[0] = cevm_u256_exp(&in[0], &in[1]); }

static void expect_exp(model *m) { mpz_powm(m->out[0], m->in[0], m->in[1], m->whole); }

static const operation operations[] = {
    {"add", 2, 2, run_add, expect_add},
    {"sub", 2, 2, run_sub, expect_sub},
    {"add_overflow, sub_borrow in place", 2, 2, run_overflow, expect_overflow},
    {"neg, not", 1, 2, run_neg_not, expect_neg_not},
    {"and, or", 2, 2, run_and_or, expect_and_or},
    {"xor, max", 2, 2, run_xor_max, expect_xor_max},
    {"clz, bit and byte length", 1, 2, run_lengths, expect_lengths},
    {"lt gt, cmp", 2, 2, run_order, expect_order},
    {"slt sgt, equal is_zero", 2, 2, run_signed_order, expect_signed_order},
    {"shl, shr", 2, 2, run_shl_shr, expect_shl_shr},
    {"shl_u, shr_u", 2, 2, run_shifts_by_unsigned, expect_shifts_by_unsigned},
    {"sar, byte", 2, 2, run_sar_byte, expect_sar_byte},
    {"signextend", 2, 1, run_signextend, expect_signextend},
    {"mul", 2, 2, run_mul, expect_mul},
    {"mul_wide", 2, 2, run_mul_wide, expect_mul_wide},
    {"divmod", 2, 2, run_divmod, expect_divmod},
    {"divmod in place", 2, 2, run_divmod_in_place, expect_divmod},
    {"div, mod", 2, 2, run_div_mod, expect_divmod},
    {"sdiv, smod", 2, 2, run_sdiv_smod, expect_sdiv_smod},
    {"addmod, mulmod", 3, 2, run_addmod_mulmod, expect_addmod_mulmod},
    {"mulmod with a modulus that is known", 3, 2, run_mulmod_with, expect_mulmod_with},
    {"exp", 2, 1, run_exp, expect_exp},
};

enum { OPERATIONS = sizeof operations / sizeof operations[0] };

/* Comparison ------------------------------------------------------------------------------------------------------- */

static void check(model *m, const operation *op, const cevm_u256 in[3])
{
    cevm_u256 out[2] = {{{0}}, {{0}}};
    for (unsigned i = 0; i < 3; ++i) {
        to_gmp(m->in[i], &in[i]);
    }
    op->run(out, in);
    op->expect(m);
    for (unsigned i = 0; i < op->outputs; ++i) {
        mpz_fdiv_r_2exp(m->out[i], m->out[i], 256);
        to_gmp(m->in[0], &out[i]);
        if (mpz_cmp(m->in[0], m->out[i]) == 0) {
            continue;
        }
        (void)fprintf(stderr, "SEED=%" PRIu64 " repeats this\n", m->seed);
        (void)gmp_fprintf(stderr, "%s, output %u: got %Zx, GMP says %Zx\n", op->name, i, m->in[0], m->out[i]);
        for (unsigned k = 0; k < op->operands; ++k) {
            to_gmp(m->in[0], &in[k]);
            (void)gmp_fprintf(stderr, "  operand %u: %Zx\n", k, m->in[0]);
        }
        fail_msg("%s differs from GMP", op->name);
    }
}

/* Operands --------------------------------------------------------------------------------------------------------- */

static const cevm_u256 edges[] = {
    {{0, 0, 0, 0}},
    {{1, 0, 0, 0}},
    {{2, 0, 0, 0}},
    {{3, 0, 0, 0}},
    {{7, 0, 0, 0}},
    {{8, 0, 0, 0}},
    {{30, 0, 0, 0}},
    {{31, 0, 0, 0}},
    {{32, 0, 0, 0}},
    {{63, 0, 0, 0}},
    {{64, 0, 0, 0}},
    {{65, 0, 0, 0}},
    {{127, 0, 0, 0}},
    {{128, 0, 0, 0}},
    {{192, 0, 0, 0}},
    {{255, 0, 0, 0}},
    {{256, 0, 0, 0}},
    {{257, 0, 0, 0}},
    {{0x7fffffff, 0, 0, 0}},
    {{0x80000000, 0, 0, 0}},
    {{0xffffffff, 0, 0, 0}},
    {{0x100000000, 0, 0, 0}},
    {{0x7fffffffffffffff, 0, 0, 0}},
    {{0x8000000000000000, 0, 0, 0}},
    {{0x8000000000000001, 0, 0, 0}},
    {{UINT64_MAX, 0, 0, 0}},
    {{0, 1, 0, 0}},
    {{1, 1, 0, 0}},
    {{UINT64_MAX, 0x7fffffffffffffff, 0, 0}},
    {{0, 0x8000000000000000, 0, 0}},
    {{UINT64_MAX, UINT64_MAX, 0, 0}},
    {{0, 0, 1, 0}},
    {{0, UINT64_MAX, 0x8000000000000000, 0}},
    {{UINT64_MAX, UINT64_MAX, UINT64_MAX, 0}},
    {{0, 0, 0, 1}},
    {{UINT64_MAX, 0, 0, 1}},
    {{UINT64_MAX, UINT64_MAX, UINT64_MAX, 0x7fffffffffffffff}},
    {{0, 0, 0, 0x8000000000000000}},
    {{1, 0, 0, 0x8000000000000000}},
    {{UINT64_MAX, UINT64_MAX, 0, 0x8000000000000000}},
    {{1, 2, 0xc000000000000001, 0x8000000000000000}},
    {{0, 0, UINT64_MAX, UINT64_MAX}},
    {{0, UINT64_MAX, UINT64_MAX, UINT64_MAX}},
    {{UINT64_MAX - 1, UINT64_MAX, UINT64_MAX, UINT64_MAX}},
    {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}},
};

enum { EDGES = sizeof edges / sizeof edges[0] };

static cevm_u256 random_word(uint64_t *state)
{
    cevm_u256 v = {{0}};
    for (unsigned i = 0; i < 4; ++i) {
        v.w[i] = random_next(state);
    }
    return v;
}

/* A limb out of the values around which carries and quotient estimates go wrong. */
static uint64_t random_edge_limb(uint64_t *state)
{
    const uint64_t pick = random_next(state);
    const uint64_t top = (uint64_t)1 << 63;
    const uint64_t values[] = {0, 1, ones, ones - 1, top, top - 1, top + 1, random_next(state)};
    return values[pick % (sizeof values / sizeof values[0])];
}

/* v with its low bits replaced from bit `from` down, so that it agrees with the old v at the top. */
static cevm_u256 disturb_below(const cevm_u256 *v, unsigned from, uint64_t *state)
{
    cevm_u256 r = *v;
    for (unsigned i = 0; i < from / 64; ++i) {
        r.w[i] = random_edge_limb(state);
    }
    return r;
}

static cevm_u256 random_operand(uint64_t *state, const cevm_u256 *others, unsigned count)
{
    const uint64_t pick = random_next(state);
    const unsigned length = (unsigned)(pick >> 32) % 256;
    cevm_u256 v = random_word(state);
    if (pick % 16 < 6) { /* any bit length, as likely short as long */
        for (unsigned i = 0; i < 4; ++i) {
            const unsigned kept = length + 1 > 64 * i ? length + 1 - 64 * i : 0;
            v.w[i] = kept == 0 ? 0 : kept >= 64 ? v.w[i] : v.w[i] & (((uint64_t)1 << kept) - 1);
        }
    } else if (pick % 16 < 9) { /* limbs of ones, zeros and single bits */
        for (unsigned i = 0; i < 4; ++i) {
            v.w[i] = i <= length / 64 ? random_edge_limb(state) : 0;
        }
    } else if (pick % 16 < 11) { /* a power of two, or one more, or one less */
        v = cevm_u256_from_u64(0);
        v.w[length / 64] = (uint64_t)1 << length % 64;
        const uint64_t step = random_next(state) % 3;
        for (unsigned i = 0; step == 1 && i < 4 && ++v.w[i] == 0; ++i) {
        }
        for (unsigned i = 0; step == 2 && i < 4 && v.w[i]-- == 0; ++i) {
        }
    } else if (pick % 16 < 13) { /* small: shift counts, byte indices, exponents */
        v = cevm_u256_from_u64(v.w[0] % 300);
    } else if (pick % 16 < 14) { /* an edge value */
        v = edges[v.w[0] % EDGES];
    } else if (count != 0) { /* equal to an earlier operand, or alike at the top */
        v = disturb_below(&others[v.w[0] % count], pick % 16 == 14 ? 0 : length, state);
    }
    return v;
}

/* An earlier operand times something, plus or minus little: quotients that come out just at or just below a limb. */
static void make_near_multiple(cevm_u256 *a, const cevm_u256 *b, uint64_t *state)
{
    mpz_t product;
    mpz_t factor;
    const cevm_u256 random = random_operand(state, NULL, 0);
    mpz_init(product);
    mpz_init(factor);
    to_gmp(product, b);
    to_gmp(factor, &random);
    const size_t room = 256 - mpz_sizeinbase(product, 2);
    mpz_fdiv_r_2exp(factor, factor, room);
    mpz_mul(product, product, factor);
    mpz_sub_ui(product, product, (unsigned long)(random_next(state) % 3));
    *a = cevm_u256_from_u64(0);
    if (mpz_sgn(product) > 0) {
        mpz_export(a->w, NULL, -1, sizeof a->w[0], 0, 0, product);
    }
    mpz_clear(product);
    mpz_clear(factor);
}

/* Tests ------------------------------------------------------------------------------------------------------------ */

static void test_all_edge_values(void **state)
{
    model *m = *state;
    for (unsigned k = 0; k < OPERATIONS; ++k) {
        const operation *op = &operations[k];
        const unsigned second = op->operands >= 2 ? EDGES : 1;
        const unsigned third = op->operands >= 3 ? EDGES : 1;
        for (unsigned i = 0; i < EDGES * second * third; ++i) {
            const cevm_u256 in[3] = {edges[i % EDGES], edges[i / EDGES % second], edges[i / EDGES / second]};
            check(m, op, in);
        }
    }
}

static void test_random_operands(void **state)
{
    model *m = *state;
    const uint64_t iterations = random_setting("ITERATIONS", 200000);
    uint64_t random = m->seed;
    for (uint64_t n = 0; n < iterations; ++n) {
        cevm_u256 in[3];
        for (unsigned i = 0; i < 3; ++i) {
            in[i] = random_operand(&random, in, i);
        }
        if (n % 8 == 0) {
            make_near_multiple(&in[0], &in[1], &random);
        }
        for (unsigned k = 0; k < OPERATIONS; ++k) {
            check(m, &operations[k], in);
        }
    }
}

static int set_up(void **state)
{
    static model m;
    m.seed = random_seed();
    (void)printf("test_u256_gmp: SEED=%" PRIu64 "\n", m.seed);
    mpz_inits(m.in[0], m.in[1], m.in[2], m.out[0], m.out[1], m.half, m.whole, NULL);
    mpz_setbit(m.half, 255);
    mpz_setbit(m.whole, 256);
    *state = &m;
    return 0;
}

static int tear_down(void **state)
{
    model *m = *state;
    mpz_clears(m->in[0], m->in[1], m->in[2], m->out[0], m->out[1], m->half, m->whole, NULL);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_edge_values),
        cmocka_unit_test(test_random_operands),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
