/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 0x0b, 0x0c, 0x10: addition, multi-scalar multiplication and the map to the curve in G1 of BLS12-381 (EIP-2537).
 *
 * Multiples are halved with the curve's endomorphism: (x, y) -> (βx, -y), β a cube root of 1, multiplies a point of the
 * subgroup by the square of the curve's parameter, which has 128 bits. So a term of 256 bits is two terms of 128.
 */
#include "precompiles/crypto/bls12_ifma.h"

#ifdef CEVM_NO_BLST

size_t cevm_bls12_g1_sum_scratch(size_t terms)
{
    (void)terms;
    return 0;
}

#else

enum {
    HALF = 16,        /* bytes of half a scalar */
    PAD = 16,         /* blst reads a byte past the last scalar, and leaves out its bits */
    TABLE_TERMS = 32, /* up to this many terms a table of small multiples of each point beats Pippenger's buckets */
    TABLE_BITS = 5,
    VECTOR = 8, /* points whose membership is checked at once */
    CHUNK = 16, /* points whose tables are made at once: what blst takes of the stack for it is 48 KiB */
};

static bool equal(const blst_fp *a, const blst_fp *b) { return memcmp(a, b, sizeof *a) == 0; }

static bool is_infinity(const blst_p1_affine *a) { return blst_p1_affine_is_inf(a); }

void cevm_bls12_g1_to_affine(blst_p1_affine *out, const blst_p1 *point)
{
    blst_fp inverse;
    blst_fp power;
    cevm_bls12_fp_inverse(&inverse, &point->z);
    blst_fp_sqr(&power, &inverse);
    blst_fp_mul(&out->x, &point->x, &power);
    blst_fp_mul(&power, &power, &inverse);
    blst_fp_mul(&out->y, &point->y, &power);
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
    cevm_bls12_fp_inverse(&below, &below);
    blst_fp_mul(&slope, &slope, &below);
    blst_fp_sqr(&sum.x, &slope);
    blst_fp_sub(&sum.x, &sum.x, &a->x);
    blst_fp_sub(&sum.x, &sum.x, &b->x);
    blst_fp_sub(&sum.y, &a->x, &sum.x);
    blst_fp_mul(&sum.y, &sum.y, &slope);
    blst_fp_sub(&sum.y, &sum.y, &a->y);
    *out = sum;
}

bool cevm_bls12_g1_in_subgroup(const blst_p1_affine *points, size_t count)
{
    bool all = true;
#if CEVM_BLS12_IFMA
    while (all && count > 1 && cevm_bls12_has_ifma()) {
        const size_t n = count < VECTOR ? count : VECTOR;
        all = cevm_ifma_g1_in_subgroup(points, n);
        points += n;
        count -= n;
    }
#endif
    while (all && count != 0) {
        all = blst_p1_affine_in_g1(points);
        ++points;
        --count;
    }
    return all;
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

/* |x| times a point; exact on all of the curve. */
static void times_parameter(blst_p1 *out, const blst_p1 *in)
{
    const blst_p1 base = *in;
    *out = base;
    for (int place = 62; place >= 0; --place) {
        blst_p1_double(out, out);
        if (((cevm_bls12_parameter >> place) & 1) != 0) {
            blst_p1_add_or_double(out, out, &base);
        }
    }
}

/* a, 3a, 5a, 7a. */
static void odd_multiples(blst_p1 out[CEVM_BLS12_ODD_MULTIPLES], const blst_p1 *a)
{
    blst_p1 step;
    blst_p1_double(&step, a);
    out[0] = *a;
    for (size_t i = 1; i < CEVM_BLS12_ODD_MULTIPLES; ++i) {
        blst_p1_add_or_double(&out[i], &out[i - 1], &step);
    }
}

/*
 * A multiple of a point of the curve that is not infinity; false if the point is not in G1. To see that is to compute
 * [x^2]P = [|x|][|x|]P, which has to be (βx, -y) (Scott, "A note on group membership tests for G1, G2 and GT on BLS
 * pairing-friendly curves", 2021), and [|x|]P on the way makes quarters of what otherwise were halves.
 */
static bool multiply(blst_p1 *out, const blst_p1_affine *point, const uint8_t scalar[CEVM_BLS12_SCALAR])
{
    blst_p1 multiples[2 * CEVM_BLS12_ODD_MULTIPLES];
    blst_p1 square;
    blst_p1_affine table[4][CEVM_BLS12_ODD_MULTIPLES]; /* of P, [|x|]P, [|x|^2]P, [|x|^3]P */
    int8_t digit[CEVM_BLS12_DIGITS][4];
    blst_p1_from_affine(&multiples[0], point);
    times_parameter(&multiples[CEVM_BLS12_ODD_MULTIPLES], &multiples[0]);
    times_parameter(&square, &multiples[CEVM_BLS12_ODD_MULTIPLES]);
    endomorphism(&table[0][0], point, 1);
    blst_p1_from_affine(out, &table[0][0]);
    if (!blst_p1_is_equal(&square, out)) {
        return false;
    }
    memset(out, 0, sizeof *out);
    const size_t rows = cevm_bls12_signed_quarters(digit, scalar);
    odd_multiples(multiples, &multiples[0]);
    odd_multiples(multiples + CEVM_BLS12_ODD_MULTIPLES, &multiples[CEVM_BLS12_ODD_MULTIPLES]);
    const blst_p1 *all[] = {multiples, NULL}; /* NULL: the others follow */
    blst_p1s_to_affine(table[0], all, 2 * (size_t)CEVM_BLS12_ODD_MULTIPLES);
    endomorphism(table[2], table[0], 2 * (size_t)CEVM_BLS12_ODD_MULTIPLES);
    for (size_t k = rows; k-- > 0;) {
        blst_p1_double(out, out);
        for (size_t i = 0; i < 4; ++i) {
            const int d = digit[k][i];
            if (d != 0) {
                blst_p1_affine term = table[i][(d < 0 ? -d : d) / 2];
                blst_fp_cneg(&term.y, &term.y, d < 0);
                blst_p1_add_or_double_affine(out, out, &term);
            }
        }
    }
    return true;
}

static size_t table_size(size_t points) { return blst_p1s_mult_wbits_precompute_sizeof(TABLE_BITS, points); }

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
    uint8_t *low = sum->scalars + sum->count * HALF;
    if (!is_infinity(point) && cevm_bls12_halves(low, low + sum->capacity * HALF, scalar)) {
        sum->points[sum->count++] = *point;
    }
}

static void sum_by_table(cevm_g1_sum *sum, blst_p1 *out, const uint8_t *const scalars[])
{
    const size_t n = sum->count;
    blst_p1_affine *table = sum->work;
    for (size_t i = 0; i < n; i += CHUNK) {
        const blst_p1_affine *points[] = {sum->points + i, NULL};
        blst_p1s_mult_wbits_precompute(table + (i << (TABLE_BITS - 1)), TABLE_BITS, points,
                                       n - i < CHUNK ? n - i : CHUNK);
    }
    endomorphism(table + (n << (TABLE_BITS - 1)), table, n << (TABLE_BITS - 1));
    uint8_t *rest = (uint8_t *)sum->work + table_size(2 * n);
    blst_p1s_mult_wbits(out, table, TABLE_BITS, 2 * n, scalars, 8 * HALF, (void *)rest);
}

void cevm_g1_sum_end(cevm_g1_sum *sum, blst_p1 *out)
{
    const size_t n = sum->count;
    if (n == 0) {
        memset(out, 0, sizeof *out);
        return;
    }
    memmove(sum->scalars + n * HALF, sum->scalars + sum->capacity * HALF, n * HALF);
    const uint8_t *scalars[] = {sum->scalars, NULL}; /* NULL: the others follow */
    if (n <= TABLE_TERMS) {
        sum_by_table(sum, out, scalars);
    } else {
        const blst_p1_affine *points[] = {sum->points, NULL};
        endomorphism(sum->points + n, sum->points, n);
        blst_p1s_mult_pippenger(out, points, 2 * n, scalars, 8 * HALF, sum->work);
    }
}

/* The contract for one term. */
static cevm_precompile_status run_one(uint8_t *output, size_t *output_size, cevm_bytes input)
{
    blst_p1_affine point;
    blst_p1 total;
    if (!cevm_bls12_read_g1(&point, input.data)) {
        return CEVM_PRECOMPILE_FAIL;
    }
    if (!is_infinity(&point)) {
        if (!multiply(&total, &point, input.data + CEVM_BLS12_G1)) {
            return CEVM_PRECOMPILE_FAIL;
        }
        cevm_bls12_g1_to_affine(&point, &total);
    }
    cevm_bls12_write_g1(output, &point);
    *output_size = CEVM_BLS12_G1;
    return CEVM_PRECOMPILE_OK;
}
#endif

cevm_precompile_status cevm_bls12_g1add_run(uint8_t *output, size_t *output_size, cevm_bytes input, cevm_fork fork,
                                            void *scratch)
{
    (void)fork;
    (void)scratch;
    if (input.size != 2 * CEVM_BLS12_G1) {
        return CEVM_PRECOMPILE_FAIL;
    }
#ifdef CEVM_NO_BLST
    (void)output;
    (void)output_size;
    return CEVM_PRECOMPILE_NOT_BUILT;
#else
    blst_p1_affine a;
    blst_p1_affine b;
    if (!cevm_bls12_read_g1(&a, input.data) || !cevm_bls12_read_g1(&b, input.data + CEVM_BLS12_G1)) {
        return CEVM_PRECOMPILE_FAIL;
    }
    add(&a, &a, &b);
    cevm_bls12_write_g1(output, &a);
    *output_size = CEVM_BLS12_G1;
    return CEVM_PRECOMPILE_OK;
#endif
}

cevm_precompile_status cevm_bls12_g1msm_run(uint8_t *output, size_t *output_size, cevm_bytes input, cevm_fork fork,
                                            void *scratch)
{
    (void)fork;
    if (input.size == 0 || input.size % CEVM_BLS12_G1_TERM != 0) {
        return CEVM_PRECOMPILE_FAIL;
    }
#ifdef CEVM_NO_BLST
    (void)output;
    (void)output_size;
    (void)scratch;
    return CEVM_PRECOMPILE_NOT_BUILT;
#else
    cevm_g1_sum sum;
    blst_p1_affine unchecked[VECTOR];
    blst_p1_affine point;
    blst_p1 total;
    size_t held = 0;
    if (input.size == CEVM_BLS12_G1_TERM) {
        return run_one(output, output_size, input);
    }
    cevm_g1_sum_begin(&sum, scratch, input.size / CEVM_BLS12_G1_TERM);
    for (size_t at = 0; at < input.size; at += CEVM_BLS12_G1_TERM) {
        if (!cevm_bls12_read_g1(&point, input.data + at)) {
            return CEVM_PRECOMPILE_FAIL;
        }
        if (is_infinity(&point)) {
            continue;
        }
        unchecked[held++] = point;
        if (held == VECTOR) {
            if (!cevm_bls12_g1_in_subgroup(unchecked, held)) {
                return CEVM_PRECOMPILE_FAIL;
            }
            held = 0;
        }
        cevm_g1_sum_add(&sum, &point, input.data + at + CEVM_BLS12_G1);
    }
    if (!cevm_bls12_g1_in_subgroup(unchecked, held)) {
        return CEVM_PRECOMPILE_FAIL;
    }
    cevm_g1_sum_end(&sum, &total);
    cevm_bls12_g1_to_affine(&point, &total);
    cevm_bls12_write_g1(output, &point);
    *output_size = CEVM_BLS12_G1;
    return CEVM_PRECOMPILE_OK;
#endif
}

cevm_precompile_status cevm_bls12_map_g1_run(uint8_t *output, size_t *output_size, cevm_bytes input, cevm_fork fork,
                                             void *scratch)
{
    (void)fork;
    (void)scratch;
    if (input.size != CEVM_BLS12_FP) {
        return CEVM_PRECOMPILE_FAIL;
    }
#ifdef CEVM_NO_BLST
    (void)output;
    (void)output_size;
    return CEVM_PRECOMPILE_NOT_BUILT;
#else
    blst_fp element;
    blst_p1 mapped;
    blst_p1_affine point;
    if (!cevm_bls12_read_fp(&element, input.data)) {
        return CEVM_PRECOMPILE_FAIL;
    }
    blst_map_to_g1(&mapped, &element, NULL);
    cevm_bls12_g1_to_affine(&point, &mapped);
    cevm_bls12_write_g1(output, &point);
    *output_size = CEVM_BLS12_G1;
    return CEVM_PRECOMPILE_OK;
#endif
}
