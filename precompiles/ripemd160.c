/* SPDX-License-Identifier: Apache-2.0 */
/* 0x03: RIPEMD-160 of the input, left-padded to 32 bytes. 600 gas and 120 a word. */
#include "precompiles/crypto/ripemd160.h"
#include "precompiles/precompiles.h"

enum { WORD = 32, DIGEST = 20, PADDING = WORD - DIGEST };

cevm_precompile_cost cevm_ripemd160_cost(cevm_bytes input, cevm_fork fork)
{
    (void)fork;
    return cevm_flat_cost(cevm_word_gas(600, 120, input.size), WORD);
}

cevm_precompile_status cevm_ripemd160_run(uint8_t *output, size_t *output_size, cevm_bytes input, cevm_fork fork,
                                          void *scratch)
{
    (void)fork;
    (void)scratch;
    memset(output, 0, PADDING);
    cevm_ripemd160(output + PADDING, input.data, input.size);
    *output_size = WORD;
    return CEVM_PRECOMPILE_OK;
}
