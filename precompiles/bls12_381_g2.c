/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 0x0d, 0x0e, 0x11: addition, multi-scalar multiplication and the map to the curve in G2 of BLS12-381 (EIP-2537).
 *
 * Multiples are quartered with the curve's endomorphism ψ (untwist, Frobenius, twist), which multiplies a point of the
 * subgroup by the curve's parameter, a negative number of 64 bits. So a term of 256 bits is four terms of 64.
 */
#include "precompiles/crypto/bls12_ifma.h"

#ifdef CEVM_NO_BLST

size_t cevm_bls12_g2_sum_scratch(size_t terms)
{
    (void)terms;
    return 0;
}

#else

enum {
    QUARTER = 8,      /* bytes of a quarter of a scalar */
    PAD = 16,         /* blst reads a byte past the last scalar, and leaves out its bits */
    TABLE_TERMS = 16, /* up to this many terms a table of small multiples of each point beats Pippenger's buckets */
    TABLE_BITS = 4,
    VECTOR = 8, /* points whose membership is checked at once */
    CHUNK = 8,  /* points whose tables are made at once: what blst takes of the stack for it is 24 KiB */
};

/* A sum of multiples under construction; all of it lies in its scratch. */
typedef struct g2_sum {
    blst_p2_affine *points; /* room for four a term */
    uint8_t *scalars;       /* the quarters of all scalars, each at its distance of `capacity` from the one before */
    void *work;
    size_t count;
    size_t capacity;
} g2_sum;

static bool equal(const blst_fp2 *a, const blst_fp2 *b) { return memcmp(a, b, sizeof *a) == 0; }

static bool is_infinity(const blst_p2_affine *a) { return blst_p2_affine_is_inf(a); }

void cevm_bls12_g2_to_affine(blst_p2_affine *out, const blst_p2 *point)
{
    blst_fp2 inverse;
    blst_fp2 power;
    cevm_bls12_fp2_inverse(&inverse, &point->z);
    blst_fp2_sqr(&power, &inverse);
    blst_fp2_mul(&out->x, &point->x, &power);
    blst_fp2_mul(&power, &power, &inverse);
    blst_fp2_mul(&out->y, &point->y, &power);
}

/* a + b, written out: one inversion and nothing of the detour over projective coordinates. */
static void add(blst_p2_affine *out, const blst_p2_affine *a, const blst_p2_affine *b)
{
    static const blst_fp2 zero;
    blst_fp2 slope;
    blst_fp2 below;
    blst_p2_affine sum;
    if (is_infinity(a) || is_infinity(b)) {
        *out = is_infinity(a) ? *b : *a;
        return;
    }
    if (!equal(&a->x, &b->x)) {
        blst_fp2_sub(&slope, &b->y, &a->y);
        blst_fp2_sub(&below, &b->x, &a->x);
    } else if (equal(&a->y, &b->y) && !equal(&a->y, &zero)) {
        blst_fp2_sqr(&slope, &a->x);
        blst_fp2_mul_by_3(&slope, &slope);
        blst_fp2_add(&below, &a->y, &a->y);
    } else {
        memset(out, 0, sizeof *out);
        return;
    }
    cevm_bls12_fp2_inverse(&below, &below);
    blst_fp2_mul(&slope, &slope, &below);
    blst_fp2_sqr(&sum.x, &slope);
    blst_fp2_sub(&sum.x, &sum.x, &a->x);
    blst_fp2_sub(&sum.x, &sum.x, &b->x);
    blst_fp2_sub(&sum.y, &a->x, &sum.x);
    blst_fp2_mul(&sum.y, &sum.y, &slope);
    blst_fp2_sub(&sum.y, &sum.y, &a->y);
    *out = sum;
}

/* Whether all points, on the curve and none of them infinity, are in G2. */
static bool in_subgroup(const blst_p2_affine *points, size_t count)
{
    bool all = true;
#if CEVM_BLS12_IFMA
    if (count > 2 && cevm_bls12_has_ifma()) { /* eight take twice as long as one by blst */
        return cevm_ifma_g2_in_subgroup(points, count);
    }
#endif
    for (size_t i = 0; i < count && all; ++i) {
        all = blst_p2_affine_in_g2(&points[i]);
    }
    return all;
}

/* -ψ: multiplication by the absolute value of the parameter. (x, y) -> (conj(x) cx, -conj(y) cy), cx purely imaginary. */
void cevm_bls12_g2_endomorphism(blst_p2_affine *out, const blst_p2_affine *in, size_t count)
{
    static const uint64_t numbers[3][6] = {
        {0x8bfd00000000aaad, 0x409427eb4f49fffd, 0x897d29650fb85f9b, 0xaa0d857d89759ad4, 0xec02408663d4de85,
         0x1a0111ea397fe699}, /* 1 / (1 + i)^((p - 1) / 3), its imaginary part */
        {0xf1ee7b04121bdea2, 0x304466cf3e67fa0a, 0xef396489f61eb45e, 0x1c3dedd930b1cf60, 0xe2e9c448d77a2cd9,
         0x135203e60180a68e}, /* 1 / (1 + i)^((p - 1) / 2) */
        {0xc81084fbede3cc09, 0xee67992f72ec05f4, 0x77f76e17009241c5, 0x48395dabc2d3435e, 0x6831e36d6bd17ffe,
         0x06af0e0437ff400b},
    };
    blst_fp cx;
    blst_fp2 cy;
    blst_fp_from_uint64(&cx, numbers[0]);
    blst_fp_from_uint64(&cy.fp[0], numbers[1]);
    blst_fp_from_uint64(&cy.fp[1], numbers[2]);
    for (size_t i = 0; i < count; ++i) {
        const blst_fp real = in[i].x.fp[0];
        blst_fp2 y = in[i].y;
        blst_fp_mul(&out[i].x.fp[0], &in[i].x.fp[1], &cx);
        blst_fp_mul(&out[i].x.fp[1], &real, &cx);
        blst_fp_cneg(&y.fp[0], &y.fp[0], true); /* -conj */
        blst_fp2_mul(&out[i].y, &y, &cy);
    }
}

/* A multiple of a point of G2 that is not infinity. */
static void multiply(blst_p2 *out, const blst_p2_affine *point, const uint8_t scalar[CEVM_BLS12_SCALAR])
{
    blst_p2 multiples[CEVM_BLS12_ODD_MULTIPLES]; /* P, 3P, 5P, 7P */
    blst_p2 step;
    blst_p2_affine table[4][CEVM_BLS12_ODD_MULTIPLES]; /* of P, [|x|]P, [|x|^2]P, [|x|^3]P */
    int8_t digit[CEVM_BLS12_DIGITS][4];
    const size_t rows = cevm_bls12_signed_quarters(digit, scalar);
    blst_p2_from_affine(&multiples[0], point);
    blst_p2_double(&step, &multiples[0]);
    for (size_t i = 1; i < CEVM_BLS12_ODD_MULTIPLES; ++i) {
        blst_p2_add_or_double(&multiples[i], &multiples[i - 1], &step);
    }
    const blst_p2 *all[] = {multiples, NULL}; /* NULL: the others follow */
    blst_p2s_to_affine(table[0], all, CEVM_BLS12_ODD_MULTIPLES);
    for (size_t i = 1; i < 4; ++i) {
        cevm_bls12_g2_endomorphism(table[i], table[i - 1], CEVM_BLS12_ODD_MULTIPLES);
    }
    memset(out, 0, sizeof *out);
    for (size_t k = rows; k-- > 0;) {
        blst_p2_double(out, out);
        for (size_t i = 0; i < 4; ++i) {
            const int d = digit[k][i];
            if (d != 0) {
                blst_p2_affine term = table[i][(d < 0 ? -d : d) / 2];
                blst_fp2_cneg(&term.y, &term.y, d < 0);
                blst_p2_add_or_double_affine(out, out, &term);
            }
        }
    }
}

static size_t table_size(size_t points) { return blst_p2s_mult_wbits_precompute_sizeof(TABLE_BITS, points); }

static size_t work_size(size_t terms)
{
    return terms <= TABLE_TERMS ? table_size(4 * terms) + blst_p2s_mult_wbits_scratch_sizeof(4 * terms)
                                : blst_p2s_mult_pippenger_scratch_sizeof(4 * terms);
}

size_t cevm_bls12_g2_sum_scratch(size_t terms)
{
    /* Infinities and zeros drop out, so that what was to go through buckets may end in a table. */
    const size_t work = work_size(terms);
    const size_t least = work_size(terms < TABLE_TERMS ? terms : TABLE_TERMS);
    return 4 * terms * (sizeof(blst_p2_affine) + QUARTER) + PAD + (work > least ? work : least);
}

static void sum_begin(g2_sum *sum, void *scratch, size_t terms)
{
    uint8_t *at = scratch;
    sum->points = scratch;
    sum->work = at + 4 * terms * sizeof(blst_p2_affine);
    sum->scalars = at + cevm_bls12_g2_sum_scratch(terms) - 4 * terms * QUARTER - PAD;
    sum->count = 0;
    sum->capacity = terms;
    memset(sum->scalars + 4 * terms * QUARTER, 0, PAD);
}

static void sum_add(g2_sum *sum, const blst_p2_affine *point, const uint8_t scalar[CEVM_BLS12_SCALAR])
{
    uint8_t *quarters[4];
    for (size_t i = 0; i < 4; ++i) {
        quarters[i] = sum->scalars + (i * sum->capacity + sum->count) * QUARTER;
    }
    if (!is_infinity(point) && cevm_bls12_quarters(quarters, scalar)) {
        sum->points[sum->count++] = *point;
    }
}

static void sum_by_table(g2_sum *sum, blst_p2 *out, const uint8_t *const scalars[])
{
    const size_t n = sum->count;
    const size_t entries = n << (TABLE_BITS - 1);
    blst_p2_affine *table = sum->work;
    for (size_t i = 0; i < n; i += CHUNK) {
        const blst_p2_affine *points[] = {sum->points + i, NULL};
        blst_p2s_mult_wbits_precompute(table + (i << (TABLE_BITS - 1)), TABLE_BITS, points,
                                       n - i < CHUNK ? n - i : CHUNK);
    }
    for (size_t i = 0; i < 3; ++i) {
        cevm_bls12_g2_endomorphism(table + (i + 1) * entries, table + i * entries, entries);
    }
    uint8_t *rest = (uint8_t *)sum->work + table_size(4 * n);
    blst_p2s_mult_wbits(out, table, TABLE_BITS, 4 * n, scalars, 8 * QUARTER, (void *)rest);
}

static void sum_end(g2_sum *sum, blst_p2 *out)
{
    const size_t n = sum->count;
    if (n == 0) {
        memset(out, 0, sizeof *out);
        return;
    }
    for (size_t i = 1; i < 4; ++i) {
        memmove(sum->scalars + i * n * QUARTER, sum->scalars + i * sum->capacity * QUARTER, n * QUARTER);
    }
    const uint8_t *scalars[] = {sum->scalars, NULL}; /* NULL: the others follow */
    if (n <= TABLE_TERMS) {
        sum_by_table(sum, out, scalars);
    } else {
        const blst_p2_affine *points[] = {sum->points, NULL};
        for (size_t i = 0; i < 3; ++i) {
            cevm_bls12_g2_endomorphism(sum->points + (i + 1) * n, sum->points + i * n, n);
        }
        blst_p2s_mult_pippenger(out, points, 4 * n, scalars, 8 * QUARTER, sum->work);
    }
}

/* The contract for one term. */
static cevm_precompile_status run_one(uint8_t *output, size_t *output_size, cevm_bytes input)
{
    blst_p2_affine point;
    blst_p2 total;
    if (!cevm_bls12_read_g2(&point, input.data)) {
        return CEVM_PRECOMPILE_FAIL;
    }
    if (!is_infinity(&point)) {
        if (!blst_p2_affine_in_g2(&point)) {
            return CEVM_PRECOMPILE_FAIL;
        }
        multiply(&total, &point, input.data + CEVM_BLS12_G2);
        cevm_bls12_g2_to_affine(&point, &total);
    }
    cevm_bls12_write_g2(output, &point);
    *output_size = CEVM_BLS12_G2;
    return CEVM_PRECOMPILE_OK;
}
#endif

cevm_precompile_status cevm_bls12_g2add_run(uint8_t *output, size_t *output_size, cevm_bytes input, cevm_fork fork,
                                            void *scratch)
{
    (void)fork;
    (void)scratch;
    if (input.size != 2 * CEVM_BLS12_G2) {
        return CEVM_PRECOMPILE_FAIL;
    }
#ifdef CEVM_NO_BLST
    (void)output;
    (void)output_size;
    return CEVM_PRECOMPILE_NOT_BUILT;
#else
    blst_p2_affine a;
    blst_p2_affine b;
    if (!cevm_bls12_read_g2(&a, input.data) || !cevm_bls12_read_g2(&b, input.data + CEVM_BLS12_G2)) {
        return CEVM_PRECOMPILE_FAIL;
    }
    add(&a, &a, &b);
    cevm_bls12_write_g2(output, &a);
    *output_size = CEVM_BLS12_G2;
    return CEVM_PRECOMPILE_OK;
#endif
}

cevm_precompile_status cevm_bls12_g2msm_run(uint8_t *output, size_t *output_size, cevm_bytes input, cevm_fork fork,
                                            void *scratch)
{
    (void)fork;
    if (input.size == 0 || input.size % CEVM_BLS12_G2_TERM != 0) {
        return CEVM_PRECOMPILE_FAIL;
    }
#ifdef CEVM_NO_BLST
    (void)output;
    (void)output_size;
    (void)scratch;
    return CEVM_PRECOMPILE_NOT_BUILT;
#else
    g2_sum sum;
    blst_p2_affine unchecked[VECTOR];
    blst_p2_affine point;
    blst_p2 total;
    size_t held = 0;
    if (input.size == CEVM_BLS12_G2_TERM) {
        return run_one(output, output_size, input);
    }
    sum_begin(&sum, scratch, input.size / CEVM_BLS12_G2_TERM);
    for (size_t at = 0; at < input.size; at += CEVM_BLS12_G2_TERM) {
        if (!cevm_bls12_read_g2(&point, input.data + at)) {
            return CEVM_PRECOMPILE_FAIL;
        }
        if (is_infinity(&point)) {
            continue;
        }
        unchecked[held++] = point;
        if (held == VECTOR) {
            if (!in_subgroup(unchecked, held)) {
                return CEVM_PRECOMPILE_FAIL;
            }
            held = 0;
        }
        sum_add(&sum, &point, input.data + at + CEVM_BLS12_G2);
    }
    if (!in_subgroup(unchecked, held)) {
        return CEVM_PRECOMPILE_FAIL;
    }
    sum_end(&sum, &total);
    cevm_bls12_g2_to_affine(&point, &total);
    cevm_bls12_write_g2(output, &point);
    *output_size = CEVM_BLS12_G2;
    return CEVM_PRECOMPILE_OK;
#endif
}

cevm_precompile_status cevm_bls12_map_g2_run(uint8_t *output, size_t *output_size, cevm_bytes input, cevm_fork fork,
                                             void *scratch)
{
    (void)fork;
    (void)scratch;
    if (input.size != CEVM_BLS12_FP2) {
        return CEVM_PRECOMPILE_FAIL;
    }
#ifdef CEVM_NO_BLST
    (void)output;
    (void)output_size;
    return CEVM_PRECOMPILE_NOT_BUILT;
#else
    blst_fp2 element;
    blst_p2 mapped;
    blst_p2_affine point;
    if (!cevm_bls12_read_fp2(&element, input.data)) {
        return CEVM_PRECOMPILE_FAIL;
    }
    blst_map_to_g2(&mapped, &element, NULL);
    cevm_bls12_g2_to_affine(&point, &mapped);
    cevm_bls12_write_g2(output, &point);
    *output_size = CEVM_BLS12_G2;
    return CEVM_PRECOMPILE_OK;
#endif
}
