/* SPDX-License-Identifier: Apache-2.0 */
/** precompiles/crypto/blake2b.h: the compression function of BLAKE2b (RFC 7693 section 3.2). Pure, safe on any thread. */
#ifndef CEVM_PRECOMPILES_CRYPTO_BLAKE2B_H
#define CEVM_PRECOMPILES_CRYPTO_BLAKE2B_H

#include <cevm/types.h>

/**
 * out = F(h, m, t, last) after so many rounds; BLAKE2b itself takes 12. All words are little-endian: eight of state, 16 of
 * message, two of offset. out may be h.
 */
void cevm_blake2b_f(uint8_t out[64], const uint8_t h[64], const uint8_t m[128], const uint8_t t[16], bool last,
                    uint32_t rounds);

/** The same in the form that every machine can run; cevm_blake2b_f takes AVX2 where there is some. */
void cevm_blake2b_f_portable(uint8_t out[64], const uint8_t h[64], const uint8_t m[128], const uint8_t t[16], bool last,
                             uint32_t rounds);

#endif
