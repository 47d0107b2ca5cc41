/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 0x09: the compression function F of BLAKE2b with its number of rounds free (EIP-152). One gas a round.
 * Input, exactly 213 bytes: rounds (4, big-endian), h (64), m (128), t (16), final flag (1, must be 0 or 1).
 */
#include "precompiles/crypto/blake2b.h"
#include "precompiles/precompiles.h"

enum { INPUT_SIZE = 213, H_AT = 4, M_AT = 68, T_AT = 196, FLAG_AT = 212, OUTPUT_SIZE = 64 };

static uint32_t rounds_of(cevm_bytes input)
{
    const uint8_t *p = input.data;
    return ((uint32_t)p[0] << 24) | ((uint32_t)p[1] << 16) | ((uint32_t)p[2] << 8) | p[3];
}

cevm_precompile_cost cevm_blake2f_cost(cevm_bytes input, cevm_fork fork)
{
    (void)fork;
    /* A wrong length is refused by run; there is no number of rounds to price then. */
    return cevm_flat_cost(input.size == INPUT_SIZE ? rounds_of(input) : 0, OUTPUT_SIZE);
}

cevm_precompile_status cevm_blake2f_run(uint8_t *output, size_t *output_size, cevm_bytes input, cevm_fork fork,
                                        void *scratch)
{
    (void)fork;
    (void)scratch;
    if (input.size != INPUT_SIZE || input.data[FLAG_AT] > 1) {
        return CEVM_PRECOMPILE_FAIL;
    }
    cevm_blake2b_f(output, input.data + H_AT, input.data + M_AT, input.data + T_AT, input.data[FLAG_AT] == 1,
                   rounds_of(input));
    *output_size = OUTPUT_SIZE;
    return CEVM_PRECOMPILE_OK;
}
