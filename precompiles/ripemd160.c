/* SPDX-License-Identifier: Apache-2.0 */
/* 0x03: RIPEMD-160 of the input, left-padded to 32 bytes. 600 gas and 120 a word. */
#define OPENSSL_SUPPRESS_DEPRECATED /* the one-shot calls that replace these are far slower on short inputs */
#include <openssl/ripemd.h>

#include "precompiles/precompiles.h"

enum { WORD = 32, PADDING = WORD - RIPEMD160_DIGEST_LENGTH };

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
    RIPEMD160_CTX context;
    (void)RIPEMD160_Init(&context); /* these three have no way to fail */
    if (input.size != 0) {
        (void)RIPEMD160_Update(&context, input.data, input.size);
    }
    memset(output, 0, PADDING);
    (void)RIPEMD160_Final(output + PADDING, &context);
    *output_size = WORD;
    return CEVM_PRECOMPILE_OK;
}
