/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 0x06, 0x07, 0x08: addition, multiplication and pairing check on BN254 (EIP-196, EIP-197), priced anew by EIP-1108.
 * The curve is not in this build: the prices and the lengths that the EIPs refuse are.
 */
#include "precompiles/precompiles.h"

enum { POINT_SIZE = 64, PAIR_SIZE = 192, WORD = 32 };

cevm_precompile_cost cevm_bn254_add_cost(cevm_bytes input, cevm_fork fork)
{
    (void)input;
    return cevm_flat_cost(CEVM_HAS_EIP(fork, 1108) ? 150 : 500, POINT_SIZE);
}

cevm_precompile_status cevm_bn254_add_run(uint8_t *output, size_t *output_size, cevm_bytes input, cevm_fork fork,
                                          void *scratch)
{
    (void)output;
    (void)output_size;
    (void)input;
    (void)fork;
    (void)scratch;
    return CEVM_PRECOMPILE_NOT_BUILT;
}

cevm_precompile_cost cevm_bn254_mul_cost(cevm_bytes input, cevm_fork fork)
{
    (void)input;
    return cevm_flat_cost(CEVM_HAS_EIP(fork, 1108) ? 6000 : 40000, POINT_SIZE);
}

cevm_precompile_status cevm_bn254_mul_run(uint8_t *output, size_t *output_size, cevm_bytes input, cevm_fork fork,
                                          void *scratch)
{
    (void)output;
    (void)output_size;
    (void)input;
    (void)fork;
    (void)scratch;
    return CEVM_PRECOMPILE_NOT_BUILT;
}

cevm_precompile_cost cevm_bn254_pairing_cost(cevm_bytes input, cevm_fork fork)
{
    const uint64_t pairs = input.size / PAIR_SIZE;
    const uint64_t gas = CEVM_HAS_EIP(fork, 1108) ? 45000 + 34000 * pairs : 100000 + 80000 * pairs;
    return cevm_flat_cost(gas, WORD);
}

cevm_precompile_status cevm_bn254_pairing_run(uint8_t *output, size_t *output_size, cevm_bytes input, cevm_fork fork,
                                              void *scratch)
{
    (void)output;
    (void)output_size;
    (void)fork;
    (void)scratch;
    return input.size % PAIR_SIZE != 0 ? CEVM_PRECOMPILE_FAIL : CEVM_PRECOMPILE_NOT_BUILT;
}
