/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 0x100: verification of a secp256r1 signature (EIP-7951). 6900 gas; 160 bytes in, the number 1 out. What does not verify
 * is a success with empty output, and so is an input of any other length; the curve itself is not in this build.
 */
#include "precompiles/precompiles.h"

enum { INPUT_SIZE = 160, OUTPUT_SIZE = 32 };

cevm_precompile_cost cevm_p256verify_cost(cevm_bytes input, cevm_fork fork)
{
    (void)input;
    (void)fork;
    return cevm_flat_cost(6900, OUTPUT_SIZE);
}

cevm_precompile_status cevm_p256verify_run(uint8_t *output, size_t *output_size, cevm_bytes input, cevm_fork fork,
                                           void *scratch)
{
    (void)output;
    (void)fork;
    (void)scratch;
    if (input.size != INPUT_SIZE) {
        *output_size = 0;
        return CEVM_PRECOMPILE_OK;
    }
    return CEVM_PRECOMPILE_NOT_BUILT;
}
