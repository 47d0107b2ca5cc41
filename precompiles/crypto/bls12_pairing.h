/* SPDX-License-Identifier: Apache-2.0 */
/**
 * precompiles/crypto/bls12_pairing.h: the optimal ate pairing on BLS12-381, as far as the question "is the product of these
 * pairings 1?" needs it. Field arithmetic is blst's, and that of Fp12 in vectors where the processor can (bls12_ifma.h).
 *
 * Pure functions, safe on any thread, no allocation.
 */
#ifndef CEVM_PRECOMPILES_CRYPTO_BLS12_PAIRING_H
#define CEVM_PRECOMPILES_CRYPTO_BLS12_PAIRING_H

#include "precompiles/crypto/bls12_ifma.h"

#ifndef CEVM_NO_BLST

/** Doublings and additions in a Miller loop: 63 and 5. */
enum { CEVM_BLS12_LINES = 68 };

/** An element of Fp12, in the form that this processor computes with. */
typedef struct cevm_bls12_value {
    union {
        blst_fp12 scalar;
#if CEVM_BLS12_IFMA
        cevm_ifma_fp12 vector;
#endif
    } as;
    bool in_vectors;
} cevm_bls12_value;

/** A point (x, -y) of G1, ready to have lines evaluated at it. */
typedef struct cevm_bls12_place {
    blst_fp x, minus_y;
#if CEVM_BLS12_IFMA
    cevm_ifma_place vector;
#endif
} cevm_bls12_place;

/** One pair while its Miller loop runs. */
typedef struct cevm_bls12_pair {
    blst_p2_affine q;
    blst_fp2 x, y, z; /* the multiple of q that has been reached, as (x / z, y / z) */
    cevm_bls12_place p;
} cevm_bls12_pair;

/** A line 1 + a x w^2 - b y w^3 through multiples of a fixed point of G2: a, b. Numbers are in blst's form. */
typedef struct cevm_bls12_line {
    uint64_t words[24];
} cevm_bls12_line;

void cevm_bls12_value_set_one(cevm_bls12_value *r);
void cevm_bls12_value_mul(cevm_bls12_value *r, const cevm_bls12_value *a, const cevm_bls12_value *b);

/** p is not infinity. */
void cevm_bls12_place_set(cevm_bls12_place *place, const blst_p1_affine *p);

/** Makes a pair ready for the loop; neither point is infinity, both are on their curves. */
void cevm_bls12_pair_set(cevm_bls12_pair *pair, const blst_p1_affine *p, const blst_p2_affine *q);

/** r = the product of the Miller functions of all the pairs, at least one, with one chain of squares. False if a point q is
 * not in its subgroup: the product is then of no meaning. Pairs are used up. */
bool cevm_bls12_miller_loop(cevm_bls12_value *r, cevm_bls12_pair *pairs, size_t count);

/** The same for two fixed points of G2, whose lines are known: lines[i] goes with places[i]. */
void cevm_bls12_miller_loop_lines(cevm_bls12_value *r, const cevm_bls12_line *const lines[2],
                                  const cevm_bls12_place places[2]);

/** Whether the power of a that makes pairings of Miller functions, (p^12 - 1) / r, is 1. a is not 0. */
bool cevm_bls12_pairs_to_one(const cevm_bls12_value *a);

#endif
#endif
