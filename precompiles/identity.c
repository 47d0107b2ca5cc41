/* SPDX-License-Identifier: Apache-2.0 */
/* 0x04: the input, copied. 15 gas and 3 a word. */
#include "precompiles/precompiles.h"

cevm_precompile_cost cevm_identity_cost(cevm_bytes input, cevm_fork fork)
{
    (void)fork;
    return cevm_flat_cost(cevm_word_gas(15, 3, input.size), input.size);
}

cevm_precompile_status cevm_identity_run(uint8_t *output, size_t *output_size, cevm_bytes input, cevm_fork fork,
                                         void *scratch)
{
    (void)fork;
    (void)scratch;
    if (input.size != 0) {
        memcpy(output, input.data, input.size);
    }
    *output_size = input.size;
    return CEVM_PRECOMPILE_OK;
}
