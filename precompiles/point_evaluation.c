/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 0x0a: KZG point evaluation (EIP-4844). 50000 gas; 192 bytes in, 64 out.
 * The verification is not in this build: the price and the refusal of other lengths are.
 */
#include "precompiles/precompiles.h"

enum { INPUT_SIZE = 192, OUTPUT_SIZE = 64 };

cevm_precompile_cost cevm_point_evaluation_cost(cevm_bytes input, cevm_fork fork)
{
    (void)input;
    (void)fork;
    return cevm_flat_cost(50000, OUTPUT_SIZE);
}

cevm_precompile_status cevm_point_evaluation_run(uint8_t *output, size_t *output_size, cevm_bytes input, cevm_fork fork,
                                                 void *scratch)
{
    (void)output;
    (void)output_size;
    (void)fork;
    (void)scratch;
    return input.size != INPUT_SIZE ? CEVM_PRECOMPILE_FAIL : CEVM_PRECOMPILE_NOT_BUILT;
}
