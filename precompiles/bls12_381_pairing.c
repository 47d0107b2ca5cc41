/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 0x0f: the pairing check on BLS12-381 (EIP-2537): whether the product of the pairings of k pairs of points is 1. The pairs of a
 * batch share the squarings of their Miller loops, and all share one final exponentiation.
 */
#include "precompiles/bls12_381.h"

enum { WORD = 32, BATCH = 16 };

#ifndef CEVM_NO_BLST
/* Pairs that wait for their Miller loop, and the product of those that had theirs. */
typedef struct batch {
    blst_p1_affine p[BATCH];
    blst_p2_affine q[BATCH];
    size_t count;
    blst_fp12 product;
} batch;

static void flush(batch *b)
{
    if (b->count != 0) {
        const blst_p1_affine *p[] = {b->p, NULL};
        const blst_p2_affine *q[] = {b->q, NULL};
        blst_fp12 value;
        blst_miller_loop_n(&value, q, p, b->count);
        blst_fp12_mul(&b->product, &b->product, &value);
        b->count = 0;
    }
}

/* Reads a pair; false when a point of it is not in its subgroup. A pair with infinity is 1 and drops out. */
static bool add_pair(batch *b, const uint8_t in[CEVM_BLS12_PAIR])
{
    blst_p1_affine *p = &b->p[b->count];
    blst_p2_affine *q = &b->q[b->count];
    if (!cevm_bls12_read_g1(p, in) || !cevm_bls12_read_g2(q, in + CEVM_BLS12_G1)) {
        return false;
    }
    const bool p_infinite = blst_p1_affine_is_inf(p);
    const bool q_infinite = blst_p2_affine_is_inf(q);
    if ((!p_infinite && !blst_p1_affine_in_g1(p)) || (!q_infinite && !blst_p2_affine_in_g2(q))) {
        return false;
    }
    b->count += !p_infinite && !q_infinite;
    if (b->count == BATCH) {
        flush(b);
    }
    return true;
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
    b.product = *blst_fp12_one();
    for (size_t at = 0; at < input.size; at += CEVM_BLS12_PAIR) {
        if (!add_pair(&b, input.data + at)) {
            return CEVM_PRECOMPILE_FAIL;
        }
    }
    flush(&b);
    blst_final_exp(&b.product, &b.product);
    memset(output, 0, WORD);
    output[WORD - 1] = blst_fp12_is_one(&b.product);
    *output_size = WORD;
    return CEVM_PRECOMPILE_OK;
#endif
}
