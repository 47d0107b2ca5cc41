/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 0x06, 0x07, 0x08: addition, multiplication and pairing check on BN254 (EIP-196, EIP-197), priced anew by EIP-1108.
 *
 * Addition and multiplication read zeros where the input has ended and nothing past 128 and 96 bytes. All three refuse
 * coordinates of p or more and points off the curve; the pairing check also points of the twist whose order is not r, asked
 * after it is known that they are on the twist at all, and also when the other point of the pair is infinity.
 *
 * Pairs go through the Miller loop in batches, so scratch does not grow with the input beyond one batch; the final
 * exponentiation is done once.
 */
#include "precompiles/crypto/bn254_pairing.h"
#include "precompiles/precompiles.h"

enum { POINT_SIZE = 64, PAIR_SIZE = 192, WORD = 32, BATCH = 64 };

cevm_precompile_cost cevm_bn254_add_cost(cevm_bytes input, cevm_fork fork)
{
    (void)input;
    return cevm_flat_cost(CEVM_HAS_EIP(fork, 1108) ? 150 : 500, POINT_SIZE);
}

cevm_precompile_status cevm_bn254_add_run(uint8_t *output, size_t *output_size, cevm_bytes input, cevm_fork fork,
                                          void *scratch)
{
    uint8_t bytes[2 * POINT_SIZE];
    g1 a;
    g1 b;
    (void)fork;
    (void)scratch;
    cevm_read_padded(bytes, input, 0, sizeof bytes);
    if (!cevm_g1_from_bytes(&a, bytes) || !cevm_g1_from_bytes(&b, bytes + POINT_SIZE)) {
        return CEVM_PRECOMPILE_FAIL;
    }
    cevm_g1_add(&a, &a, &b);
    cevm_g1_to_bytes(output, &a);
    *output_size = POINT_SIZE;
    return CEVM_PRECOMPILE_OK;
}

cevm_precompile_cost cevm_bn254_mul_cost(cevm_bytes input, cevm_fork fork)
{
    (void)input;
    return cevm_flat_cost(CEVM_HAS_EIP(fork, 1108) ? 6000 : 40000, POINT_SIZE);
}

cevm_precompile_status cevm_bn254_mul_run(uint8_t *output, size_t *output_size, cevm_bytes input, cevm_fork fork,
                                          void *scratch)
{
    uint8_t bytes[POINT_SIZE + WORD];
    g1 a;
    (void)fork;
    (void)scratch;
    cevm_read_padded(bytes, input, 0, sizeof bytes);
    if (!cevm_g1_from_bytes(&a, bytes)) {
        return CEVM_PRECOMPILE_FAIL;
    }
    const cevm_u256 k = cevm_u256_from_be(bytes + POINT_SIZE);
    cevm_g1_mul(&a, &a, k.w);
    cevm_g1_to_bytes(output, &a);
    *output_size = POINT_SIZE;
    return CEVM_PRECOMPILE_OK;
}

cevm_precompile_cost cevm_bn254_pairing_cost(cevm_bytes input, cevm_fork fork)
{
    const uint64_t pairs = input.size / PAIR_SIZE;
    const uint64_t gas = CEVM_HAS_EIP(fork, 1108) ? 45000 + 34000 * pairs : 100000 + 80000 * pairs;
    cevm_precompile_cost cost = cevm_flat_cost(gas, WORD);
    cost.scratch_size = (size_t)(pairs < BATCH ? pairs : BATCH) * sizeof(bn254_pair);
    return cost;
}

/* Reads a pair. *used tells whether its pairing is another than 1, and then *pair is set. False if it is refused. */
static bool read_pair(bn254_pair *pair, bool *used, const uint8_t bytes[PAIR_SIZE])
{
    g1 p;
    g2 q;
    *used = false;
    if (!cevm_g1_from_bytes(&p, bytes) || !cevm_g2_from_bytes(&q, bytes + POINT_SIZE)) {
        return false;
    }
    if (g2_is_infinity(&q)) {
        return true;
    }
    if (g1_is_infinity(&p)) {
        return cevm_g2_in_subgroup(&q);
    }
    cevm_bn254_pair_set(pair, &p, &q);
    *used = true;
    return true;
}

/*
 * The product of the Miller functions of all pairs, those in scratch for one batch at a time. False if a pair is refused.
 * *empty tells that no pair has a pairing other than 1: the product is then not set.
 */
static bool miller_product(fp12 *product, bool *empty, cevm_bytes input, bn254_pair *pairs)
{
    size_t held = 0;
    *empty = true;
    for (size_t offset = 0; offset < input.size; offset += PAIR_SIZE) {
        bool used;
        fp12 part;
        if (!read_pair(&pairs[held], &used, input.data + offset)) {
            return false;
        }
        held += used;
        if (held == 0 || (held < BATCH && offset + PAIR_SIZE < input.size)) {
            continue;
        }
        if (!cevm_bn254_miller_loop(*empty ? product : &part, pairs, held)) {
            return false; /* a point outside the subgroup */
        }
        if (!*empty) {
            cevm_fp12_mul(product, product, &part);
        }
        *empty = false;
        held = 0;
    }
    return true;
}

cevm_precompile_status cevm_bn254_pairing_run(uint8_t *output, size_t *output_size, cevm_bytes input, cevm_fork fork,
                                              void *scratch)
{
    fp12 product;
    bool empty;
    (void)fork;
    if (input.size % PAIR_SIZE != 0 || !miller_product(&product, &empty, input, scratch)) {
        return CEVM_PRECOMPILE_FAIL;
    }
    if (!empty) {
        cevm_bn254_final_exponentiation(&product, &product);
    }
    memset(output, 0, WORD);
    output[WORD - 1] = empty || cevm_fp12_is_one(&product);
    *output_size = WORD;
    return CEVM_PRECOMPILE_OK;
}
