/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 0x0b to 0x11: the BLS12-381 contracts (EIP-2537): prices, and how numbers and points are written. A multi-scalar
 * multiplication of k points costs k multiplications less a discount that grows with k. The contracts themselves are in
 * bls12_381_g1.c, bls12_381_g2.c and bls12_381_pairing.c.
 */
#include "precompiles/bls12_381.h"

enum { WORD = 32, DISCOUNTS = 128, PADDING = 16, FP_BYTES = 48 };

/* Thousandths of the price of k single multiplications, for k = 1 .. 128; the last one holds for every larger k. */
static const uint16_t g1_discount[DISCOUNTS] = {
    /* clang-format off */
    1000,  949,  848,  797,  764,  750,  738,  728,  719,  712,  705,  698,  692,  687,  682,  677,
     673,  669,  665,  661,  658,  654,  651,  648,  645,  642,  640,  637,  635,  632,  630,  627,
     625,  623,  621,  619,  617,  615,  613,  611,  609,  608,  606,  604,  603,  601,  599,  598,
     596,  595,  593,  592,  591,  589,  588,  586,  585,  584,  582,  581,  580,  579,  577,  576,
     575,  574,  573,  572,  570,  569,  568,  567,  566,  565,  564,  563,  562,  561,  560,  559,
     558,  557,  556,  555,  554,  553,  552,  551,  550,  549,  548,  547,  547,  546,  545,  544,
     543,  542,  541,  540,  540,  539,  538,  537,  536,  536,  535,  534,  533,  532,  532,  531,
     530,  529,  528,  528,  527,  526,  525,  525,  524,  523,  522,  522,  521,  520,  520,  519,
    /* clang-format on */
};

static const uint16_t g2_discount[DISCOUNTS] = {
    /* clang-format off */
    1000, 1000,  923,  884,  855,  832,  812,  796,  782,  770,  759,  749,  740,  732,  724,  717,
     711,  704,  699,  693,  688,  683,  679,  674,  670,  666,  663,  659,  655,  652,  649,  646,
     643,  640,  637,  634,  632,  629,  627,  624,  622,  620,  618,  615,  613,  611,  609,  607,
     606,  604,  602,  600,  598,  597,  595,  593,  592,  590,  589,  587,  586,  584,  583,  582,
     580,  579,  578,  576,  575,  574,  573,  571,  570,  569,  568,  567,  566,  565,  563,  562,
     561,  560,  559,  558,  557,  556,  555,  554,  553,  552,  552,  551,  550,  549,  548,  547,
     546,  545,  545,  544,  543,  542,  541,  541,  540,  539,  538,  537,  537,  536,  535,  535,
     534,  533,  532,  532,  531,  530,  530,  529,  528,  528,  527,  526,  526,  525,  524,  524,
    /* clang-format on */
};

static uint64_t msm_gas(size_t terms, uint64_t multiplication, const uint16_t discount[DISCOUNTS])
{
    if (terms == 0) {
        return 0; /* refused by its length; like geth, the price of no term is nothing */
    }
    return (uint64_t)terms * multiplication * discount[(terms < DISCOUNTS ? terms : DISCOUNTS) - 1] / 1000;
}

cevm_precompile_cost cevm_bls12_g1add_cost(cevm_bytes input, cevm_fork fork)
{
    (void)input;
    (void)fork;
    return cevm_flat_cost(375, CEVM_BLS12_G1);
}

cevm_precompile_cost cevm_bls12_g1msm_cost(cevm_bytes input, cevm_fork fork)
{
    (void)fork;
    const size_t terms = input.size / CEVM_BLS12_G1_TERM;
    cevm_precompile_cost cost = {msm_gas(terms, 12000, g1_discount), CEVM_BLS12_G1, cevm_bls12_g1_sum_scratch(terms)};
    return cost;
}

cevm_precompile_cost cevm_bls12_g2add_cost(cevm_bytes input, cevm_fork fork)
{
    (void)input;
    (void)fork;
    return cevm_flat_cost(600, CEVM_BLS12_G2);
}

cevm_precompile_cost cevm_bls12_g2msm_cost(cevm_bytes input, cevm_fork fork)
{
    (void)fork;
    const size_t terms = input.size / CEVM_BLS12_G2_TERM;
    cevm_precompile_cost cost = {msm_gas(terms, 22500, g2_discount), CEVM_BLS12_G2, cevm_bls12_g2_sum_scratch(terms)};
    return cost;
}

cevm_precompile_cost cevm_bls12_pairing_cost(cevm_bytes input, cevm_fork fork)
{
    (void)fork;
    return cevm_flat_cost(37700 + 32600 * (uint64_t)(input.size / CEVM_BLS12_PAIR), WORD);
}

cevm_precompile_cost cevm_bls12_map_g1_cost(cevm_bytes input, cevm_fork fork)
{
    (void)input;
    (void)fork;
    return cevm_flat_cost(5500, CEVM_BLS12_G1);
}

cevm_precompile_cost cevm_bls12_map_g2_cost(cevm_bytes input, cevm_fork fork)
{
    (void)input;
    (void)fork;
    return cevm_flat_cost(23800, CEVM_BLS12_G2);
}

#ifndef CEVM_NO_BLST

/* The modulus p of the field, big-endian. */
static const uint8_t modulus[FP_BYTES] = {
    0x1a, 0x01, 0x11, 0xea, 0x39, 0x7f, 0xe6, 0x9a, 0x4b, 0x1b, 0xa7, 0xb6, 0x43, 0x4b, 0xac, 0xd7,
    0x64, 0x77, 0x4b, 0x84, 0xf3, 0x85, 0x12, 0xbf, 0x67, 0x30, 0xd2, 0xa0, 0xf6, 0xb0, 0xf6, 0x24,
    0x1e, 0xab, 0xff, 0xfe, 0xb1, 0x53, 0xff, 0xff, 0xb9, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xaa, 0xab,
};

bool cevm_bls12_read_fp(blst_fp *out, const uint8_t in[CEVM_BLS12_FP])
{
    static const uint8_t zeros[PADDING];
    if (memcmp(in, zeros, PADDING) != 0 || memcmp(in + PADDING, modulus, FP_BYTES) >= 0) {
        return false;
    }
    blst_fp_from_bendian(out, in + PADDING);
    return true;
}

bool cevm_bls12_read_fp2(blst_fp2 *out, const uint8_t in[CEVM_BLS12_FP2])
{
    return cevm_bls12_read_fp(&out->fp[0], in) && cevm_bls12_read_fp(&out->fp[1], in + CEVM_BLS12_FP);
}

bool cevm_bls12_read_g1(blst_p1_affine *out, const uint8_t in[CEVM_BLS12_G1])
{
    /* blst writes infinity as zeros too, and holds it to be on the curve. */
    return cevm_bls12_read_fp(&out->x, in) && cevm_bls12_read_fp(&out->y, in + CEVM_BLS12_FP) &&
           blst_p1_affine_on_curve(out);
}

bool cevm_bls12_read_g2(blst_p2_affine *out, const uint8_t in[CEVM_BLS12_G2])
{
    return cevm_bls12_read_fp2(&out->x, in) && cevm_bls12_read_fp2(&out->y, in + CEVM_BLS12_FP2) &&
           blst_p2_affine_on_curve(out);
}

static void write_fp(uint8_t out[CEVM_BLS12_FP], const blst_fp *value)
{
    memset(out, 0, PADDING);
    blst_bendian_from_fp(out + PADDING, value);
}

void cevm_bls12_write_g1(uint8_t out[CEVM_BLS12_G1], const blst_p1_affine *point)
{
    write_fp(out, &point->x);
    write_fp(out + CEVM_BLS12_FP, &point->y);
}

void cevm_bls12_write_g2(uint8_t out[CEVM_BLS12_G2], const blst_p2_affine *point)
{
    const blst_fp *coordinates[] = {&point->x.fp[0], &point->x.fp[1], &point->y.fp[0], &point->y.fp[1]};
    for (size_t i = 0; i < 4; ++i) {
        write_fp(out + i * CEVM_BLS12_FP, coordinates[i]);
    }
}

#if defined(__SIZEOF_INT128__) && !defined(CEVM_PORTABLE)
__extension__ typedef unsigned __int128 wide;

/* (high * 2^64 + low) / divisor for high < divisor; *rest receives the remainder. */
static uint64_t divide(uint64_t *rest, uint64_t high, uint64_t low, uint64_t divisor)
{
    const wide value = ((wide)high << 64) | low;
    *rest = (uint64_t)(value % divisor);
    return (uint64_t)(value / divisor);
}

/* a * b + c, low half first. */
static void multiply_add(uint64_t out[2], uint64_t a, uint64_t b, uint64_t c)
{
    const wide value = (wide)a * b + c;
    out[0] = (uint64_t)value;
    out[1] = (uint64_t)(value >> 64);
}
#else
static uint64_t divide(uint64_t *rest, uint64_t high, uint64_t low, uint64_t divisor)
{
    uint64_t quotient = 0;
    for (unsigned i = 64; i-- > 0;) {
        const bool carry = high >> 63 != 0;
        high = (high << 1) | ((low >> i) & 1);
        quotient <<= 1;
        if (carry || high >= divisor) {
            high -= divisor;
            quotient |= 1;
        }
    }
    *rest = high;
    return quotient;
}

static void multiply_add(uint64_t out[2], uint64_t a, uint64_t b, uint64_t c)
{
    const uint64_t mask = 0xffffffff;
    const uint64_t low = (a & mask) * (b & mask);
    const uint64_t middle = (a >> 32) * (b & mask) + (low >> 32);
    const uint64_t other = (a & mask) * (b >> 32) + (middle & mask);
    out[0] = ((other << 32) | (low & mask)) + c;
    out[1] = (a >> 32) * (b >> 32) + (middle >> 32) + (other >> 32) + (out[0] < c);
}
#endif

static void write_le(uint8_t out[8], uint64_t value)
{
    for (size_t i = 0; i < 8; ++i) {
        out[i] = (uint8_t)(value >> (8 * i));
    }
}

const uint64_t cevm_bls12_parameter = 0xd201000000010000;

/* The digits of a scalar modulo r in base `parameter`, least first; false when they are all zero. */
static bool digits_of(uint64_t digits[4], const uint8_t scalar[CEVM_BLS12_SCALAR])
{
    blst_scalar reduced;
    uint64_t limbs[4];
    if (!blst_scalar_from_be_bytes(&reduced, scalar, CEVM_BLS12_SCALAR)) {
        return false;
    }
    blst_uint64_from_scalar(limbs, &reduced);
    for (size_t i = 0; i < 3; ++i) {
        uint64_t rest = 0;
        for (size_t k = 4 - i; k-- > 0;) {
            limbs[k] = divide(&rest, rest, limbs[k], cevm_bls12_parameter);
        }
        digits[i] = rest;
    }
    digits[3] = limbs[0];
    return true;
}

bool cevm_bls12_halves(uint8_t *low, uint8_t *high, const uint8_t scalar[CEVM_BLS12_SCALAR])
{
    uint64_t digits[4];
    uint64_t half[2];
    if (!digits_of(digits, scalar)) {
        return false;
    }
    multiply_add(half, digits[1], cevm_bls12_parameter, digits[0]);
    write_le(low, half[0]);
    write_le(low + 8, half[1]);
    multiply_add(half, digits[3], cevm_bls12_parameter, digits[2]);
    write_le(high, half[0]);
    write_le(high + 8, half[1]);
    return true;
}

bool cevm_bls12_quarters(uint8_t *out[4], const uint8_t scalar[CEVM_BLS12_SCALAR])
{
    uint64_t digits[4];
    if (!digits_of(digits, scalar)) {
        return false;
    }
    for (size_t i = 0; i < 4; ++i) {
        write_le(out[i], digits[i]);
    }
    return true;
}

size_t cevm_bls12_signed_quarters(int8_t digit[CEVM_BLS12_DIGITS][4], const uint8_t scalar[CEVM_BLS12_SCALAR])
{
    uint64_t quarters[4];
    size_t rows = 0;
    memset(digit, 0, CEVM_BLS12_DIGITS * sizeof *digit);
    if (!digits_of(quarters, scalar)) {
        return 0;
    }
    for (size_t i = 0; i < 4; ++i) {
        uint64_t rest = quarters[i]; /* below the parameter: what is added to it does not overflow */
        for (size_t k = 0; rest != 0; ++k) {
            if ((rest & 1) != 0) {
                const unsigned low = rest & 15;
                digit[k][i] = (int8_t)(low < 8 ? (int)low : (int)low - 16);
                rest = low < 8 ? rest - low : rest + (16 - low);
                rows = rows <= k ? k + 1 : rows;
            }
            rest >>= 1;
        }
    }
    return rows;
}

#endif
