/* SPDX-License-Identifier: Apache-2.0 */
/* 0x02: SHA-256 of the input. 60 gas and 12 a word. */
#define OPENSSL_SUPPRESS_DEPRECATED /* the one-shot calls that replace these are four times slower on short inputs */
#include <openssl/sha.h>

#include "precompiles/precompiles.h"

cevm_precompile_cost cevm_sha256_cost(cevm_bytes input, cevm_fork fork)
{
    (void)fork;
    return cevm_flat_cost(cevm_word_gas(60, 12, input.size), SHA256_DIGEST_LENGTH);
}

cevm_precompile_status cevm_sha256_run(uint8_t *output, size_t *output_size, cevm_bytes input, cevm_fork fork,
                                       void *scratch)
{
    (void)fork;
    (void)scratch;
    SHA256_CTX context;
    (void)SHA256_Init(&context); /* these three have no way to fail */
    if (input.size != 0) {
        (void)SHA256_Update(&context, input.data, input.size);
    }
    (void)SHA256_Final(output, &context);
    *output_size = SHA256_DIGEST_LENGTH;
    return CEVM_PRECOMPILE_OK;
}
