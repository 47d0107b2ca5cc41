/* SPDX-License-Identifier: Apache-2.0 */
/**
 * precompiles/bls12_381.h: what the contracts on the curve BLS12-381 share (EIP-2537; point evaluation, EIP-4844, stands on
 * the same curve): sizes, encodings, and sums of multiples in G1. Field and curve arithmetic are blst's.
 *
 * Pure functions, safe on any thread. A build with CEVM_NO_BLST has the sizes and prices only.
 */
#ifndef CEVM_PRECOMPILES_BLS12_381_H
#define CEVM_PRECOMPILES_BLS12_381_H

#include "precompiles/precompiles.h"

/* Sizes in bytes: a field element is padded to 64, a point of G1 is two of them, of G2 four. */
enum {
    CEVM_BLS12_FP = 64,
    CEVM_BLS12_FP2 = 2 * CEVM_BLS12_FP,
    CEVM_BLS12_G1 = 2 * CEVM_BLS12_FP,
    CEVM_BLS12_G2 = 2 * CEVM_BLS12_FP2,
    CEVM_BLS12_SCALAR = 32,
    CEVM_BLS12_G1_TERM = CEVM_BLS12_G1 + CEVM_BLS12_SCALAR,
    CEVM_BLS12_G2_TERM = CEVM_BLS12_G2 + CEVM_BLS12_SCALAR,
    CEVM_BLS12_PAIR = CEVM_BLS12_G1 + CEVM_BLS12_G2,
};

/** Bytes of scratch that a sum of this many multiples wants; 0 when blst is not built in. */
size_t cevm_bls12_g1_sum_scratch(size_t terms);
size_t cevm_bls12_g2_sum_scratch(size_t terms);

#ifndef CEVM_NO_BLST
#ifndef CEVM_SYSTEM_BLST
#include <cevm_blst_names.h> /* our copy of blst has names of its own; see blst.sh */
#endif
#include <blst.h>

/** The absolute value of the curve's parameter x, which is negative; r is a little less than its fourth power. */
extern const uint64_t cevm_bls12_parameter;

/** Reads a field element: sixteen zero bytes, then a number below the modulus. False when it is none. */
bool cevm_bls12_read_fp(blst_fp *out, const uint8_t in[CEVM_BLS12_FP]);
bool cevm_bls12_read_fp2(blst_fp2 *out, const uint8_t in[CEVM_BLS12_FP2]);

/** Reads a point; all zeros are infinity. False when it is not on the curve. The subgroup is not looked at. */
bool cevm_bls12_read_g1(blst_p1_affine *out, const uint8_t in[CEVM_BLS12_G1]);
bool cevm_bls12_read_g2(blst_p2_affine *out, const uint8_t in[CEVM_BLS12_G2]);

/** 1 / a, and 0 for 0. */
void cevm_bls12_fp_inverse(blst_fp *r, const blst_fp *a);
void cevm_bls12_fp2_inverse(blst_fp2 *r, const blst_fp2 *a);

/** The affine coordinates of a point; zeros of infinity. */
void cevm_bls12_g1_to_affine(blst_p1_affine *out, const blst_p1 *point);
void cevm_bls12_g2_to_affine(blst_p2_affine *out, const blst_p2 *point);

/** Whether all points, on the curve and none of them infinity, are in G1. */
bool cevm_bls12_g1_in_subgroup(const blst_p1_affine *points, size_t count);

/** (x, y) -> (conj(x) cx, -conj(y) cy), for each of `count` points of the twist: on those of the subgroup multiplication by
 * the absolute value of the curve's parameter. */
void cevm_bls12_g2_endomorphism(blst_p2_affine *out, const blst_p2_affine *in, size_t count);

void cevm_bls12_write_g1(uint8_t out[CEVM_BLS12_G1], const blst_p1_affine *point);
void cevm_bls12_write_g2(uint8_t out[CEVM_BLS12_G2], const blst_p2_affine *point);

/**
 * Splits a scalar, any 256-bit number big-endian, modulo the order r of the groups, along the curve's endomorphisms: into
 * halves in base x^2, of 16 bytes, or quarters in base |x|, of 8 bytes; x is the curve's parameter, r a little less than
 * x^4. What is written is little-endian. False, and nothing is written, when the scalar is 0 modulo r.
 */
bool cevm_bls12_halves(uint8_t *low, uint8_t *high, const uint8_t scalar[CEVM_BLS12_SCALAR]);
bool cevm_bls12_quarters(uint8_t *out[4], const uint8_t scalar[CEVM_BLS12_SCALAR]);

/** The quarters once more, as signed digits: digit[k][i] times 2^k times |x|^i. Digits are odd, below 8 in size, or 0; most are
 * 0. The return value is how many rows may hold others, none when the scalar is 0 modulo r. */
enum { CEVM_BLS12_DIGITS = 68, CEVM_BLS12_ODD_MULTIPLES = 4 };
size_t cevm_bls12_signed_quarters(int8_t digit[CEVM_BLS12_DIGITS][4], const uint8_t scalar[CEVM_BLS12_SCALAR]);

/** A sum of multiples in G1 under construction; all of it lies in its scratch. */
typedef struct cevm_g1_sum {
    blst_p1_affine *points; /* room for two a term */
    uint8_t *scalars;       /* 16 bytes each, little-endian: the low halves, then from `capacity` on the high ones */
    void *work;
    size_t count;
    size_t capacity;
} cevm_g1_sum;

/** Begins a sum of at most `terms` multiples in cevm_bls12_g1_sum_scratch(terms) bytes, aligned to 8. */
void cevm_g1_sum_begin(cevm_g1_sum *sum, void *scratch, size_t terms);

/** Adds a multiple of a point of the subgroup, infinity included. The scalar is any 256-bit number, big-endian. */
void cevm_g1_sum_add(cevm_g1_sum *sum, const blst_p1_affine *point, const uint8_t scalar[CEVM_BLS12_SCALAR]);

/** The sum; it is then over. */
void cevm_g1_sum_end(cevm_g1_sum *sum, blst_p1 *out);

#endif
#endif
