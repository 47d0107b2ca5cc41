/* SPDX-License-Identifier: Apache-2.0 */
/** precompiles/crypto/ripemd160.h: the hash RIPEMD-160 (ISO/IEC 10118-3). Pure, safe on any thread. */
#ifndef CEVM_PRECOMPILES_CRYPTO_RIPEMD160_H
#define CEVM_PRECOMPILES_CRYPTO_RIPEMD160_H

#include <cevm/types.h>

/** out = RIPEMD-160 of `size` bytes; data may be NULL when that is 0. */
void cevm_ripemd160(uint8_t out[20], const void *data, size_t size);

#endif
