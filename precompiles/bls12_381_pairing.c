/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 0x0f: the pairing check on BLS12-381 (EIP-2537): whether the product of the pairings of k pairs of points is 1. The pairs of a
 * batch share the squarings of their Miller loops, and all share one final exponentiation.
 */
#include "precompiles/crypto/bls12_pairing.h"

enum { WORD = 32, BATCH = 16 };

#ifndef CEVM_NO_BLST
/* Pairs that wait for their Miller loop, and the product of those that had theirs. */
typedef struct batch {
    cevm_bls12_pair pairs[BATCH];
    blst_p1_affine p[BATCH]; /* the pairs' points of G1 */
    size_t count;
    cevm_bls12_value product;
} batch;

/* False when a point of the pairs is not in its subgroup. */
static bool flush(batch *b)
{
    cevm_bls12_value value;
    if (b->count == 0) {
        return true;
    }
    const bool good = cevm_bls12_g1_in_subgroup(b->p, b->count) && cevm_bls12_miller_loop(&value, b->pairs, b->count);
    if (!good) {
        return false;
    }
    cevm_bls12_value_mul(&b->product, &b->product, &value);
    b->count = 0;
    return true;
}

/* Reads a pair; false when it is refused. A pair with infinity is 1 and drops out, but its other point is looked at. */
static bool add_pair(batch *b, const uint8_t in[CEVM_BLS12_PAIR])
{
    blst_p1_affine p;
    blst_p2_affine q;
    if (!cevm_bls12_read_g1(&p, in) || !cevm_bls12_read_g2(&q, in + CEVM_BLS12_G1)) {
        return false;
    }
    const bool p_infinite = blst_p1_affine_is_inf(&p);
    const bool q_infinite = blst_p2_affine_is_inf(&q);
    if (p_infinite || q_infinite) {
        return (p_infinite || blst_p1_affine_in_g1(&p)) && (q_infinite || blst_p2_affine_in_g2(&q));
    }
    b->p[b->count] = p;
    cevm_bls12_pair_set(&b->pairs[b->count++], &p, &q);
    return b->count < BATCH || flush(b);
}
#endif

cevm_precompile_status cevm_bls12_pairing_run(uint8_t *output, size_t *output_size, cevm_bytes input, cevm_fork fork,
                                              void *scratch)
{
    (void)fork;
    (void)scratch;
    if (input.size == 0 || input.size % CEVM_BLS12_PAIR != 0) {
        return CEVM_PRECOMPILE_FAIL;
    }
#ifdef CEVM_NO_BLST
    (void)output;
    (void)output_size;
    return CEVM_PRECOMPILE_NOT_BUILT;
#else
    batch b;
    b.count = 0;
    cevm_bls12_value_set_one(&b.product);
    for (size_t at = 0; at < input.size; at += CEVM_BLS12_PAIR) {
        if (!add_pair(&b, input.data + at)) {
            return CEVM_PRECOMPILE_FAIL;
        }
    }
    if (!flush(&b)) {
        return CEVM_PRECOMPILE_FAIL;
    }
    memset(output, 0, WORD);
    output[WORD - 1] = cevm_bls12_pairs_to_one(&b.product);
    *output_size = WORD;
    return CEVM_PRECOMPILE_OK;
#endif
}
