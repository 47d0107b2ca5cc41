/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 0x01: the address that signed. Input: digest, v, r, s, 32 bytes each, zeros where it ends early; output: the address,
 * left-padded to 32 bytes. 3000 gas. What does not recover is a success with empty output. EIP-2's limit on s holds for
 * transactions alone: any s in [1, n-1] is good here.
 */
#include <cevm/crypto.h>

#include "precompiles/precompiles.h"

enum { WORD = 32, PADDING = WORD - (int)sizeof(cevm_address) };

cevm_precompile_cost cevm_ecrecover_cost(cevm_bytes input, cevm_fork fork)
{
    (void)input;
    (void)fork;
    return cevm_flat_cost(3000, WORD);
}

cevm_precompile_status cevm_ecrecover_run(uint8_t *output, size_t *output_size, cevm_bytes input, cevm_fork fork,
                                          void *scratch)
{
    (void)fork;
    (void)scratch;
    uint8_t words[4 * WORD];
    cevm_read_padded(words, input, 0, sizeof words);
    *output_size = 0;

    const cevm_u256 v = cevm_u256_from_be(words + WORD);
    if (!cevm_u256_fits_u64(&v) || (v.w[0] != 27 && v.w[0] != 28)) {
        return CEVM_PRECOMPILE_OK;
    }
    cevm_hash digest;
    cevm_address signer;
    memcpy(digest.bytes, words, sizeof digest.bytes);
    if (!cevm_recover_address(&signer, &digest, words + 2 * WORD, words + 3 * WORD, (unsigned)(v.w[0] - 27))) {
        return CEVM_PRECOMPILE_OK;
    }
    memset(output, 0, PADDING);
    memcpy(output + PADDING, signer.bytes, sizeof signer.bytes);
    *output_size = WORD;
    return CEVM_PRECOMPILE_OK;
}
