/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cevm/crypto.h: hashing and signature recovery, as Ethereum uses them. Pure, safe on any thread.
 */
#ifndef CEVM_CRYPTO_H
#define CEVM_CRYPTO_H

#include <cevm/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** keccak256 (the original padding, not SHA-3's). data may be NULL when size is 0. */
CEVM_API void cevm_keccak256(cevm_hash *out, const void *data, size_t size);

/**
 * The address whose key signed `digest`. r and s are 32 big-endian bytes, y_parity 0 or 1; any s in [1, n-1] is accepted
 * (EIP-2's limit is the caller's). False when there is no such key.
 */
CEVM_API bool cevm_recover_address(cevm_address *out, const cevm_hash *digest, const uint8_t r[32], const uint8_t s[32],
                                   unsigned y_parity);

/**
 * Signs a digest with a secret key (RFC 6979, low s). False when the key is not in [1, n-1].
 */
CEVM_API bool cevm_sign(uint8_t r[32], uint8_t s[32], unsigned *y_parity, const cevm_hash *digest,
                        const uint8_t secret_key[32]);

/** The address of a secret key; false when the key is not in [1, n-1]. */
CEVM_API bool cevm_secret_to_address(cevm_address *out, const uint8_t secret_key[32]);

#ifdef __cplusplus
}
#endif
#endif
