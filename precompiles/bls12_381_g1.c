/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 0x0b, 0x0c, 0x10: addition, multi-scalar multiplication and the map to the curve in G1 of BLS12-381 (EIP-2537).
 *
 * Multiples are halved with the curve's endomorphism: (x, y) -> (βx, -y), β a cube root of 1, multiplies a point of the
 * subgroup by the square of the curve's parameter, which has 128 bits. So a term of 256 bits is two terms of 128.
 */
#include "precompiles/bls12_381.h"

#ifdef CEVM_NO_BLST

size_t cevm_bls12_g1_sum_scratch(size_t terms)
{
    (void)terms;
    return 0;
}

#else

enum {
    HALF = 16,       /* bytes of half a scalar */
    PAD = 16,        /* blst reads a byte past the last scalar, and leaves out its bits */
    TABLE_TERMS = 32, /* up to this many terms a table of small multiples of each point beats Pippenger's buckets */
    TABLE_BITS = 5,
    CHUNK = 16, /* points whose tables are made at once: what blst takes of the stack for it is 48 KiB */
};

static bool equal(const blst_fp *a, const blst_fp *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static bool is_infinity(const blst_p1_affine *a)
{
    return blst_p1_affine_is_inf(a);
}

/* a + b, written out: one inversion and nothing of the detour over projective coordinates. */
static void add(blst_p1_affine *out, const blst_p1_affine *a, const blst_p1_affine *b)
{
    static const blst_fp zero;
    blst_fp slope;
    blst_fp below;
    blst_p1_affine sum;
    if (is_infinity(a) || is_infinity(b)) {
        *out = is_infinity(a) ? *b : *a;
        return;
    }
    if (!equal(&a->x, &b->x)) {
        blst_fp_sub(&slope, &b->y, &a->y);
        blst_fp_sub(&below, &b->x, &a->x);
    } else if (equal(&a->y, &b->y) && !equal(&a->y, &zero)) {
        blst_fp_sqr(&slope, &a->x);
        blst_fp_mul_by_3(&slope, &slope);
        blst_fp_add(&below, &a->y, &a->y);
    } else {
        memset(out, 0, sizeof *out);
        return;
    }
    blst_fp_eucl_inverse(&below, &below);
    blst_fp_mul(&slope, &slope, &below);
    blst_fp_sqr(&sum.x, &slope);
    blst_fp_sub(&sum.x, &sum.x, &a->x);
    blst_fp_sub(&sum.x, &sum.x, &b->x);
    blst_fp_sub(&sum.y, &a->x, &sum.x);
    blst_fp_mul(&sum.y, &sum.y, &slope);
    blst_fp_sub(&sum.y, &sum.y, &a->y);
    *out = sum;
}

static void endomorphism(blst_p1_affine *out, const blst_p1_affine *in, size_t count)
{
    static const uint64_t number[6] = {0x2e01fffffffefffe, 0xde17d813620a0002, 0xddb3a93be6f89688,
                                       0xba69c6076a0f77ea, 0x5f19672fdf76ce51, 0};
    blst_fp beta;
    blst_fp_from_uint64(&beta, number);
    for (size_t i = 0; i < count; ++i) {
        blst_fp_mul(&out[i].x, &in[i].x, &beta);
        blst_fp_cneg(&out[i].y, &in[i].y, true);
    }
}

static size_t table_size(size_t points)
{
    return blst_p1s_mult_wbits_precompute_sizeof(TABLE_BITS, points);
}

static size_t work_size(size_t terms)
{
    return terms <= TABLE_TERMS ? table_size(2 * terms) + blst_p1s_mult_wbits_scratch_sizeof(2 * terms)
                                : blst_p1s_mult_pippenger_scratch_sizeof(2 * terms);
}

size_t cevm_bls12_g1_sum_scratch(size_t terms)
{
    /* Infinities and zeros drop out, so that what was to go through buckets may end in a table. */
    const size_t work = work_size(terms);
    const size_t least = work_size(terms < TABLE_TERMS ? terms : TABLE_TERMS);
    return 2 * terms * (sizeof(blst_p1_affine) + HALF) + PAD + (work > least ? work : least);
}

void cevm_g1_sum_begin(cevm_g1_sum *sum, void *scratch, size_t terms)
{
    uint8_t *at = scratch;
    sum->points = scratch;
    sum->work = at + 2 * terms * sizeof(blst_p1_affine);
    sum->scalars = at + cevm_bls12_g1_sum_scratch(terms) - 2 * terms * HALF - PAD;
    sum->count = 0;
    sum->capacity = terms;
    memset(sum->scalars + 2 * terms * HALF, 0, PAD);
}

void cevm_g1_sum_add(cevm_g1_sum *sum, const blst_p1_affine *point, const uint8_t scalar[CEVM_BLS12_SCALAR])
{
    uint64_t digits[4];
    if (is_infinity(point) || !cevm_bls12_digits(digits, scalar)) {
        return;
    }
    /* The halves are what dividing by the square of x leaves and gives: d0 + d1 x and d2 + d3 x. */
    for (size_t half = 0; half < 2; ++half) {
        const uint64_t x = 0xd201000000010000;
        const uint64_t d[2] = {digits[2 * half], digits[2 * half + 1]};
        uint64_t low;
        const uint64_t high = cevm_bls12_multiply_add(&low, d[1], x, d[0]);
        uint8_t *out = sum->scalars + (half * sum->capacity + sum->count) * HALF;
        for (size_t i = 0; i < 8; ++i) {
            out[i] = (uint8_t)(low >> (8 * i));
            out[8 + i] = (uint8_t)(high >> (8 * i));
        }
    }
    sum->points[sum->count++] = *point;
}
