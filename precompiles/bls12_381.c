/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 0x0b to 0x11: the BLS12-381 contracts (EIP-2537). A multi-scalar multiplication of k points costs k multiplications less
 * a discount that grows with k.
 * The curve is not in this build: the prices and the lengths that the EIP refuses are.
 */
#include "precompiles/precompiles.h"

/* Sizes in bytes: a field element is padded to 64, a point of G1 is two of them, of G2 four. */
enum {
    FP_SIZE = 64,
    FP2_SIZE = 2 * FP_SIZE,
    G1_SIZE = 2 * FP_SIZE,
    G2_SIZE = 2 * FP2_SIZE,
    SCALAR_SIZE = 32,
    G1_TERM_SIZE = G1_SIZE + SCALAR_SIZE,
    G2_TERM_SIZE = G2_SIZE + SCALAR_SIZE,
    PAIR_SIZE = G1_SIZE + G2_SIZE,
    WORD = 32,
    DISCOUNTS = 128,
};

/* Thousandths of the price of k single multiplications, for k = 1 .. 128; the last one holds for every larger k. */
static const uint16_t g1_discount[DISCOUNTS] = {
    /* clang-format off */
    1000,  949,  848,  797,  764,  750,  738,  728,  719,  712,  705,  698,  692,  687,  682,  677,
     673,  669,  665,  661,  658,  654,  651,  648,  645,  642,  640,  637,  635,  632,  630,  627,
     625,  623,  621,  619,  617,  615,  613,  611,  609,  608,  606,  604,  603,  601,  599,  598,
     596,  595,  593,  592,  591,  589,  588,  586,  585,  584,  582,  581,  580,  579,  577,  576,
     575,  574,  573,  572,  570,  569,  568,  567,  566,  565,  564,  563,  562,  561,  560,  559,
     558,  557,  556,  555,  554,  553,  552,  551,  550,  549,  548,  547,  547,  546,  545,  544,
     543,  542,  541,  540,  540,  539,  538,  537,  536,  536,  535,  534,  533,  532,  532,  531,
     530,  529,  528,  528,  527,  526,  525,  525,  524,  523,  522,  522,  521,  520,  520,  519,
    /* clang-format on */
};

static const uint16_t g2_discount[DISCOUNTS] = {
    /* clang-format off */
    1000, 1000,  923,  884,  855,  832,  812,  796,  782,  770,  759,  749,  740,  732,  724,  717,
     711,  704,  699,  693,  688,  683,  679,  674,  670,  666,  663,  659,  655,  652,  649,  646,
     643,  640,  637,  634,  632,  629,  627,  624,  622,  620,  618,  615,  613,  611,  609,  607,
     606,  604,  602,  600,  598,  597,  595,  593,  592,  590,  589,  587,  586,  584,  583,  582,
     580,  579,  578,  576,  575,  574,  573,  571,  570,  569,  568,  567,  566,  565,  563,  562,
     561,  560,  559,  558,  557,  556,  555,  554,  553,  552,  552,  551,  550,  549,  548,  547,
     546,  545,  545,  544,  543,  542,  541,  541,  540,  539,  538,  537,  537,  536,  535,  535,
     534,  533,  532,  532,  531,  530,  530,  529,  528,  528,  527,  526,  526,  525,  524,  524,
    /* clang-format on */
};

static uint64_t msm_gas(size_t terms, uint64_t multiplication, const uint16_t discount[DISCOUNTS])
{
    if (terms == 0) {
        return 0; /* refused by its length; like geth, the price of no term is nothing */
    }
    return terms * multiplication * discount[(terms < DISCOUNTS ? terms : DISCOUNTS) - 1] / 1000;
}

/* What an input of an acceptable length gets while the curve is missing, and any other. */
static cevm_precompile_status length_verdict(bool acceptable)
{
    return acceptable ? CEVM_PRECOMPILE_NOT_BUILT : CEVM_PRECOMPILE_FAIL;
}

static bool is_list_of(size_t size, size_t item) { return size != 0 && size % item == 0; }

cevm_precompile_cost cevm_bls12_g1add_cost(cevm_bytes input, cevm_fork fork)
{
    (void)input;
    (void)fork;
    return cevm_flat_cost(375, G1_SIZE);
}

cevm_precompile_status cevm_bls12_g1add_run(uint8_t *output, size_t *output_size, cevm_bytes input, cevm_fork fork,
                                            void *scratch)
{
    (void)output;
    (void)output_size;
    (void)fork;
    (void)scratch;
    return length_verdict(input.size == 2 * G1_SIZE);
}

cevm_precompile_cost cevm_bls12_g1msm_cost(cevm_bytes input, cevm_fork fork)
{
    (void)fork;
    return cevm_flat_cost(msm_gas(input.size / G1_TERM_SIZE, 12000, g1_discount), G1_SIZE);
}

cevm_precompile_status cevm_bls12_g1msm_run(uint8_t *output, size_t *output_size, cevm_bytes input, cevm_fork fork,
                                            void *scratch)
{
    (void)output;
    (void)output_size;
    (void)fork;
    (void)scratch;
    return length_verdict(is_list_of(input.size, G1_TERM_SIZE));
}

cevm_precompile_cost cevm_bls12_g2add_cost(cevm_bytes input, cevm_fork fork)
{
    (void)input;
    (void)fork;
    return cevm_flat_cost(600, G2_SIZE);
}

cevm_precompile_status cevm_bls12_g2add_run(uint8_t *output, size_t *output_size, cevm_bytes input, cevm_fork fork,
                                            void *scratch)
{
    (void)output;
    (void)output_size;
    (void)fork;
    (void)scratch;
    return length_verdict(input.size == 2 * G2_SIZE);
}

cevm_precompile_cost cevm_bls12_g2msm_cost(cevm_bytes input, cevm_fork fork)
{
    (void)fork;
    return cevm_flat_cost(msm_gas(input.size / G2_TERM_SIZE, 22500, g2_discount), G2_SIZE);
}

cevm_precompile_status cevm_bls12_g2msm_run(uint8_t *output, size_t *output_size, cevm_bytes input, cevm_fork fork,
                                            void *scratch)
{
    (void)output;
    (void)output_size;
    (void)fork;
    (void)scratch;
    return length_verdict(is_list_of(input.size, G2_TERM_SIZE));
}

cevm_precompile_cost cevm_bls12_pairing_cost(cevm_bytes input, cevm_fork fork)
{
    (void)fork;
    return cevm_flat_cost(37700 + 32600 * (uint64_t)(input.size / PAIR_SIZE), WORD);
}

cevm_precompile_status cevm_bls12_pairing_run(uint8_t *output, size_t *output_size, cevm_bytes input, cevm_fork fork,
                                              void *scratch)
{
    (void)output;
    (void)output_size;
    (void)fork;
    (void)scratch;
    return length_verdict(is_list_of(input.size, PAIR_SIZE));
}

cevm_precompile_cost cevm_bls12_map_g1_cost(cevm_bytes input, cevm_fork fork)
{
    (void)input;
    (void)fork;
    return cevm_flat_cost(5500, G1_SIZE);
}

cevm_precompile_status cevm_bls12_map_g1_run(uint8_t *output, size_t *output_size, cevm_bytes input, cevm_fork fork,
                                             void *scratch)
{
    (void)output;
    (void)output_size;
    (void)fork;
    (void)scratch;
    return length_verdict(input.size == FP_SIZE);
}

cevm_precompile_cost cevm_bls12_map_g2_cost(cevm_bytes input, cevm_fork fork)
{
    (void)input;
    (void)fork;
    return cevm_flat_cost(23800, G2_SIZE);
}

cevm_precompile_status cevm_bls12_map_g2_run(uint8_t *output, size_t *output_size, cevm_bytes input, cevm_fork fork,
                                             void *scratch)
{
    (void)output;
    (void)output_size;
    (void)fork;
    (void)scratch;
    return length_verdict(input.size == FP2_SIZE);
}
