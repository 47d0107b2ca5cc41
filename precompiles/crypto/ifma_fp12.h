/* SPDX-License-Identifier: Apache-2.0 */
/**
 * precompiles/crypto/ifma_fp12.h: Fp12 = Fp2[w], w^6 = XI + i, over the field of ifma_fp.h, which is included before. XI, 1 or 9,
 * is named by what includes this. The six coefficients of an element, as a polynomial in w over Fp2, are lanes 0 to 5, so each
 * vector multiplication does one thing to all of them. Lanes 6 and 7 hold something bounded that nobody looks at.
 *
 * An element's numbers lie below 4p between calls; products have them below 2p. Bounds below are for R > 84 p, the least that
 * a field here has.
 */
#ifndef CEVM_PRECOMPILES_CRYPTO_IFMA_FP12_H
#define CEVM_PRECOMPILES_CRYPTO_IFMA_FP12_H

enum { SIX_LANES = 0x3f, ODD_LANES = 0x2a };

/* Real parts, imaginary parts. */
typedef struct element {
    fp8 r, i;
} element;

/* Between elements and scalar code's: w^k is v^(k / 2) w^(k % 2), each coefficient a real and an imaginary part. */
IFMA_INLINE __m512i coefficients_at(void)
{
    return _mm512_setr_epi64(0, 6 * FP8_WORDS, 2 * FP8_WORDS, 8 * FP8_WORDS, 4 * FP8_WORDS, 10 * FP8_WORDS, 0, 0);
}

IFMA static void element_from(element *r, const uint64_t *words)
{
    fp8_store(&r->r, fp8_from(words, coefficients_at(), SIX_LANES));
    fp8_store(&r->i, fp8_from(words + FP8_WORDS, coefficients_at(), SIX_LANES));
}

IFMA static void element_to(uint64_t *words, const element *a)
{
    fp8_to(words, coefficients_at(), SIX_LANES, fp8_load(&a->r));
    fp8_to(words + FP8_WORDS, coefficients_at(), SIX_LANES, fp8_load(&a->i));
}

/* w becomes -w. */
IFMA static void element_conjugate(element *r, const element *a)
{
    const fp8_limbs zero = {{{0}}};
    const fp8 *const from[2] = {&a->r, &a->i};
    fp8 *const to[2] = {&r->r, &r->i};
    for (int k = 0; k < 2; ++k) {
        const fp8_limbs x = fp8_load(from[k]);
        fp8_store(to[k], fp8_carry(fp8_blend(ODD_LANES, x, fp8_plus_modulus(fp8_minus(zero, x), 2))));
    }
}

/* Products ---------------------------------------------------------------------------------------------------------- */

/*
 * A factor laid out so that its product with w^k is a load: (XI + i) c_0 .. (XI + i) c_5, c_0 .. c_5. Beginning 6 - k from the
 * left there stand the coefficients of w^k times it. Real parts, imaginary parts, and their sums, which have to be sums lane
 * by lane of what stands in the other two.
 */
enum { REAL, IMAGINARY, SUM, PARTS, TURN = 6 };
typedef struct factor_part {
    _Alignas(64) uint64_t l[FP8_LIMBS][2 * FP8_LANES];
} factor_part;

typedef struct factor {
    factor_part part[PARTS];
} factor;

IFMA_INLINE void set_part(factor_part *part, fp8_limbs turned, fp8_limbs plain)
{
#pragma GCC unroll 8
    for (int i = 0; i < FP8_LIMBS; ++i) {
        _mm512_storeu_si512(part->l[i], turned.l[i]);
        _mm512_storeu_si512(part->l[i] + TURN, plain.l[i]);
    }
}

/* Nine times it for XI = 9, once for 1. */
IFMA_INLINE fp8_limbs times_xi(fp8_limbs a)
{
    if (XI == 1) {
        return a;
    }
    const fp8_limbs twice = fp8_plus(a, a);
    const fp8_limbs fourfold = fp8_plus(twice, twice);
    return fp8_plus(a, fp8_plus(fourfold, fourfold));
}

/* (XI + i) (r + s i) below 2p, for r and s below 4p. */
IFMA_INLINE void turn(fp8_limbs *turned_r, fp8_limbs *turned_s, fp8_limbs r, fp8_limbs s)
{
    *turned_r = fp8_reduce(fp8_plus_modulus(fp8_minus(times_xi(r), s), 5));
    *turned_s = fp8_reduce(fp8_plus_modulus(fp8_plus(times_xi(s), r), 5));
}

IFMA static void set_factor(factor *f, const element *a)
{
    const fp8_limbs r = fp8_load(&a->r);
    const fp8_limbs i = fp8_load(&a->i);
    fp8_limbs turned_r;
    fp8_limbs turned_i;
    turn(&turned_r, &turned_i, r, i);
    set_part(&f->part[REAL], turned_r, r);
    set_part(&f->part[IMAGINARY], turned_i, i);
    set_part(&f->part[SUM], fp8_carry(fp8_plus(turned_r, turned_i)), fp8_carry(fp8_plus(r, i)));
}

/* The sum over the terms t of lane[t] of a, in all lanes, times one part of w^(power[t]) times the factor: below
 * 6 (8p)^2 / R + p < 6p. */
IFMA_INLINE fp8_limbs sum_of_products(int terms, const fp8 *a, const int *lane, const int *power,
                                      const factor_part *part)
{
    __m512i t[2 * FP8_LIMBS + 1];
#pragma GCC unroll 17
    for (int i = 0; i <= 2 * FP8_LIMBS; ++i) {
        t[i] = _mm512_setzero_si512();
    }
    for (int k = 0; k < terms; ++k) {
        __m512i b[FP8_LIMBS];
#pragma GCC unroll 8
        for (int i = 0; i < FP8_LIMBS; ++i) {
            b[i] = _mm512_loadu_si512(part->l[i] + TURN - power[k]);
        }
#pragma GCC unroll 8
        for (int i = 0; i < FP8_LIMBS; ++i) {
            fp8_row(t + i, fp8_all(a->l[i][lane[k]]), b);
        }
    }
    return fp8_montgomery(t);
}

/* r = the element whose products of real parts, of imaginary parts and of sums these are, by Karatsuba's identity. */
IFMA_INLINE void set_from_products(element *r, fp8_limbs real, fp8_limbs imaginary, fp8_limbs sums)
{
    const fp8_limbs both = fp8_plus(real, imaginary);
    fp8_store(&r->r, fp8_reduce(fp8_plus_modulus(fp8_minus(real, imaginary), 5)));
    fp8_store(&r->i, fp8_reduce(fp8_plus_modulus(fp8_minus(sums, both), 5)));
}

IFMA static void element_mul(element *r, const element *a, const element *b)
{
    static const int places[6] = {0, 1, 2, 3, 4, 5};
    factor f;
    fp8 sum;
    set_factor(&f, b);
    fp8_store(&sum, fp8_carry(fp8_plus(fp8_load(&a->r), fp8_load(&a->i))));
    const fp8_limbs real = sum_of_products(6, &a->r, places, places, &f.part[REAL]);
    const fp8_limbs imaginary = sum_of_products(6, &a->i, places, places, &f.part[IMAGINARY]);
    set_from_products(r, real, imaginary, sum_of_products(6, &sum, places, places, &f.part[SUM]));
}

/* a times a line of three coefficients, lanes 0 and 1, 2 and 3, 4 and 5 of `line`, below 2p, at the given powers of w. */
IFMA_INLINE void element_mul_line(element *r, const element *a, fp8_limbs line, const int powers[3])
{
    static const int real_lanes[3] = {0, 2, 4};
    static const int imaginary_lanes[3] = {1, 3, 5};
    const __m512i neighbours = _mm512_setr_epi64(1, 0, 3, 2, 5, 4, 7, 6);
    factor f;
    fp8 values;
    fp8 sums;
    fp8_store(&values, line);
    fp8_store(&sums, fp8_carry(fp8_plus(line, fp8_permute(neighbours, line))));
    set_factor(&f, a);
    const fp8_limbs real = sum_of_products(3, &values, real_lanes, powers, &f.part[REAL]);
    const fp8_limbs imaginary = sum_of_products(3, &values, imaginary_lanes, powers, &f.part[IMAGINARY]);
    set_from_products(r, real, imaginary, sum_of_products(3, &sums, real_lanes, powers, &f.part[SUM]));
}

/* Squares in the cyclotomic subgroup -------------------------------------------------------------------------------- */

/* What lanes k and k + 3 hold, exchanged. */
IFMA_INLINE fp8_limbs swap(fp8_limbs a) { return fp8_permute(_mm512_setr_epi64(3, 4, 5, 0, 1, 2, 6, 7), a); }

/*
 * By Granger and Scott ("Faster squaring in the cyclotomic subgroup of sixth degree extensions", 2010). With s = w^3,
 * s^2 = XI + i, an element is A + B w + C w^2 over Fp4 = Fp2[s], whose parts are lanes (0, 3), (1, 4), (2, 5). In the subgroup
 * its square is (3 A^2 - 2 A') + (3 s C^2 + 2 B') w + (3 B^2 - 2 C') w^2, where ' turns s into -s.
 *
 * For a part a + b s lanes 0 to 2 receive a^2 + (XI + i) b^2, lanes 3 to 5 (a + b)^2 - a^2 - b^2. Squares in Fp2 are
 * (x + y) (x - y) + 2 x y i. Bounds: numbers come in up to 4p; the first two products are below 2p, the third below 5p; t lies
 * in (-8p, 42p), and with XI = 1 in (-8p, 10p). Then it is not reduced, for R is 2^35 p: the sum at the end lies in (-62p, 68p).
 * Else it lies in (-8p, 14p).
 */
IFMA_INLINE void square_cyclotomic(fp8_limbs *r, fp8_limbs *i)
{
    const __mmask8 low = 0x07;
    const __mmask8 second = 0x02;
    const __mmask8 even = 0x15;
    const __m512i places = _mm512_setr_epi64(0, 5, 1, 3, 2, 4, 6, 7);
    const fp8_limbs sum_r = fp8_plus(*r, swap(*r));
    const fp8_limbs sum_i = fp8_plus(*i, swap(*i));
    const fp8_limbs left = fp8_blend(low, sum_r, fp8_plus(sum_r, sum_i));
    const fp8_limbs right = fp8_blend(low, sum_i, fp8_plus_modulus(fp8_minus(sum_r, sum_i), 3));
    const fp8_limbs square_r =
        fp8_product(fp8_carry(fp8_plus(*r, *i)), fp8_carry(fp8_plus_modulus(fp8_minus(*r, *i), 2)));
    fp8_limbs square_i = fp8_product(*r, *i);
    const fp8_limbs cross = fp8_product(fp8_carry(left), fp8_carry(right));
    square_i = fp8_plus(square_i, square_i);
    const fp8_limbs other_r = swap(square_r);
    const fp8_limbs other_i = swap(square_i);
    const fp8_limbs odd_r = fp8_minus(swap(cross), fp8_plus(square_r, other_r));
    const fp8_limbs odd_i = fp8_minus(fp8_plus(cross, cross), fp8_plus(square_i, other_i));
    const fp8_limbs even_r = fp8_plus(square_r, fp8_minus(times_xi(other_r), other_i));
    const fp8_limbs even_i = fp8_plus(square_i, fp8_plus(times_xi(other_i), other_r));
    fp8_limbs t_r = fp8_permute(places, fp8_blend(low, odd_r, even_r));
    fp8_limbs t_i = fp8_permute(places, fp8_blend(low, odd_i, even_i));
    fp8_limbs turned_r = fp8_minus(t_r, t_i);
    fp8_limbs turned_i = fp8_plus(t_r, t_i);
    if (XI != 1) {
        t_r = fp8_reduce(fp8_plus_modulus(t_r, 5));
        t_i = fp8_reduce(fp8_plus_modulus(t_i, 5));
        turn(&turned_r, &turned_i, t_r, t_i);
    }
    const fp8_limbs u_r = fp8_blend(second, t_r, turned_r);
    const fp8_limbs u_i = fp8_blend(second, t_i, turned_i);
    const fp8_limbs d_r = fp8_blend(even, fp8_plus(u_r, *r), fp8_minus(u_r, *r));
    const fp8_limbs d_i = fp8_blend(even, fp8_plus(u_i, *i), fp8_minus(u_i, *i));
    const unsigned shift = XI == 1 ? 7 : 5;
    *r = fp8_reduce(fp8_plus_modulus(fp8_plus(u_r, fp8_plus(d_r, d_r)), shift));
    *i = fp8_reduce(fp8_plus_modulus(fp8_plus(u_i, fp8_plus(d_i, d_i)), shift));
}

IFMA static void element_sqr_cyclotomic(element *r, const element *a, unsigned times)
{
    fp8_limbs real = fp8_load(&a->r);
    fp8_limbs imaginary = fp8_load(&a->i);
    for (unsigned k = 0; k < times; ++k) {
        square_cyclotomic(&real, &imaginary);
    }
    fp8_store(&r->r, real);
    fp8_store(&r->i, imaginary);
}

#endif
