/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 0x0a: KZG point evaluation (EIP-4844). 50000 gas; 192 bytes in, 64 out: that the polynomial behind a commitment C takes the
 * value y at z, proven by π. With the secret τ of the ceremony that is C - y G1 = (τ - z) π, or, where pairings can tell,
 * e(C - y G1 + z π, G2) = e(π, [τ]G2).
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* as in sha256.c */
#include <openssl/sha.h>

#include "precompiles/point_evaluation.h"

enum {
    INPUT_SIZE = 192,
    OUTPUT_SIZE = 64,
    NUMBER = 32,
    COMPRESSED = 48,
    Z_AT = 32,
    Y_AT = 64,
    COMMITMENT_AT = 96,
    PROOF_AT = 144,
    VERSION = 0x01
};

cevm_precompile_cost cevm_point_evaluation_cost(cevm_bytes input, cevm_fork fork)
{
    (void)input;
    (void)fork;
    cevm_precompile_cost cost = {50000, OUTPUT_SIZE, cevm_bls12_g1_sum_scratch(2)};
    return cost;
}

#ifndef CEVM_NO_BLST
/* FIELD_ELEMENTS_PER_BLOB and BLS_MODULUS: what the contract answers, and the bound of z and y. */
static const uint8_t answer[OUTPUT_SIZE] = {
    [30] = 0x10, [31] = 0x00, /* 4096 */
    [32] = 0x73, 0xed,        0xa7, 0x53, 0x29, 0x9d, 0x7d, 0x48, 0x33, 0x39, 0xd8, 0x08, 0x09, 0xa1, 0xd8, 0x05,
    0x53,        0xbd,        0xa4, 0x02, 0xff, 0xfe, 0x5b, 0xfe, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x01,
};

/* Whether the versioned hash is the commitment's: its SHA-256 with the first byte replaced by the version. */
static bool hash_matches(const uint8_t *input)
{
    uint8_t hash[SHA256_DIGEST_LENGTH];
    SHA256_CTX context;
    (void)SHA256_Init(&context); /* these three have no way to fail */
    (void)SHA256_Update(&context, input + COMMITMENT_AT, COMPRESSED);
    (void)SHA256_Final(hash, &context);
    hash[0] = VERSION;
    return memcmp(hash, input, sizeof hash) == 0;
}

static bool is_canonical(const uint8_t number[NUMBER]) { return memcmp(number, answer + NUMBER, NUMBER) < 0; }

static bool read_point(blst_p1_affine *out, const uint8_t in[COMPRESSED])
{
    return blst_p1_uncompress(out, in) == BLST_SUCCESS;
}

/* Whether both are in the subgroup. */
static bool in_subgroup(const blst_p1_affine *a, const blst_p1_affine *b)
{
    blst_p1_affine points[2];
    size_t count = 0;
    const blst_p1_affine *const both[2] = {a, b};
    for (size_t i = 0; i < 2; ++i) {
        if (!blst_p1_affine_is_inf(both[i])) {
            points[count++] = *both[i];
        }
    }
    return cevm_bls12_g1_in_subgroup(points, count);
}

/* Whether e(left, G2) = e(right, [τ]G2). */
static bool pairings_match(blst_p1 *left, const blst_p1_affine *right)
{
    static const cevm_bls12_line *const lines[2] = {cevm_kzg_lines[0], cevm_kzg_lines[1]};
    cevm_bls12_place places[2];
    cevm_bls12_value value;
    blst_p1_affine affine;
    if (blst_p1_is_inf(left) || blst_p1_affine_is_inf(right)) {
        return blst_p1_is_inf(left) && blst_p1_affine_is_inf(right);
    }
    blst_p1_cneg(left, true);
    cevm_bls12_g1_to_affine(&affine, left);
    cevm_bls12_place_set(&places[0], &affine);
    cevm_bls12_place_set(&places[1], right);
    cevm_bls12_miller_loop_lines(&value, lines, places);
    return cevm_bls12_pairs_to_one(&value);
}

static bool verify(const uint8_t *input, void *scratch)
{
    blst_p1_affine commitment;
    blst_p1_affine proof;
    blst_p1_affine minus_one = *blst_p1_affine_generator();
    blst_p1 left;
    cevm_g1_sum sum;
    if (!hash_matches(input) || !is_canonical(input + Z_AT) || !is_canonical(input + Y_AT) ||
        !read_point(&commitment, input + COMMITMENT_AT) || !read_point(&proof, input + PROOF_AT) ||
        !in_subgroup(&commitment, &proof)) {
        return false;
    }
    blst_fp_cneg(&minus_one.y, &minus_one.y, true);
    cevm_g1_sum_begin(&sum, scratch, 2);
    cevm_g1_sum_add(&sum, &minus_one, input + Y_AT);
    cevm_g1_sum_add(&sum, &proof, input + Z_AT);
    cevm_g1_sum_end(&sum, &left);
    blst_p1_add_or_double_affine(&left, &left, &commitment);
    return pairings_match(&left, &proof);
}
#endif

cevm_precompile_status cevm_point_evaluation_run(uint8_t *output, size_t *output_size, cevm_bytes input, cevm_fork fork,
                                                 void *scratch)
{
    (void)fork;
    if (input.size != INPUT_SIZE) {
        return CEVM_PRECOMPILE_FAIL;
    }
#ifdef CEVM_NO_BLST
    (void)output;
    (void)output_size;
    (void)scratch;
    return CEVM_PRECOMPILE_NOT_BUILT;
#else
    if (!verify(input.data, scratch)) {
        return CEVM_PRECOMPILE_FAIL;
    }
    memcpy(output, answer, OUTPUT_SIZE);
    *output_size = OUTPUT_SIZE;
    return CEVM_PRECOMPILE_OK;
#endif
}
