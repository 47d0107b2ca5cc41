/* SPDX-License-Identifier: Apache-2.0 */
/**
 * precompiles/crypto/keccak.h: the Keccak sponge of rate 1088 bits below cevm_keccak256.
 *
 * Ethereum uses the padding of the Keccak submission (first pad byte 0x01), SHA3-256 that of FIPS 202 (0x06); all else is
 * the same. The pad byte is a parameter so that tests can hold this code against any SHA3-256. Pure, safe on any thread.
 */
#ifndef CEVM_PRECOMPILES_CRYPTO_KECCAK_H
#define CEVM_PRECOMPILES_CRYPTO_KECCAK_H

#include <cevm/crypto.h>

#if defined(__x86_64__) && !defined(CEVM_PORTABLE)
#define CEVM_KECCAK_HAS_AVX512 1
#else
#define CEVM_KECCAK_HAS_AVX512 0
#endif

/** First byte of the padding: what tells Keccak-256 from SHA3-256. */
enum { CEVM_KECCAK_PAD = 0x01, CEVM_SHA3_PAD = 0x06 };

/** Absorbs `size` bytes (data may be NULL when that is 0), pads with `pad`, and writes the first 32 bytes squeezed. */
void cevm_keccak_sponge(cevm_hash *out, const void *data, size_t size, uint8_t pad);

/** The constants of step iota, one a round. */
extern const uint64_t cevm_keccak_round_constants[24];

/** Takes whole blocks of 136 bytes into a state of 25 lanes: xors each in and permutes. The form every machine can run. */
void cevm_keccak_absorb_portable(uint64_t state[25], const uint8_t *blocks, size_t count);

#if CEVM_KECCAK_HAS_AVX512
/** The same on a processor with AVX-512F. */
void cevm_keccak_absorb_avx512(uint64_t state[25], const uint8_t *blocks, size_t count);
#endif

#endif
