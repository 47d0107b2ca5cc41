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

#include "precompiles/crypto/little_endian.h"

#if defined(__x86_64__) && !defined(CEVM_PORTABLE)
#define CEVM_KECCAK_HAS_X86 1
#else
#define CEVM_KECCAK_HAS_X86 0
#endif

/** First byte of the padding: what tells Keccak-256 from SHA3-256. And the bytes of a block. */
enum { CEVM_KECCAK_PAD = 0x01, CEVM_SHA3_PAD = 0x06, CEVM_KECCAK_RATE = 136 };

/** Absorbs `size` bytes (data may be NULL when that is 0), pads with `pad`, and writes the first 32 bytes squeezed. */
void cevm_keccak_sponge(cevm_hash *out, const void *data, size_t size, uint8_t pad);

/** The constants of step iota, one a round. */
extern const uint64_t cevm_keccak_round_constants[24];

/** Keccak-f[1600] alone, for sponges of another rate (Ethash's Keccak-512). Lane (x, y) is at x + 5 y. */
void cevm_keccak_permute(uint64_t lanes[25]);

/** cevm_keccak_sponge in the form that every machine can run; it chooses among this and the next two at each call. */
void cevm_keccak_sponge_portable(cevm_hash *out, const void *data, size_t size, uint8_t pad);

#if CEVM_KECCAK_HAS_X86
/** The same on a processor with BMI1 and BMI2. */
void cevm_keccak_sponge_bmi(cevm_hash *out, const void *data, size_t size, uint8_t pad);

/** The same on a processor with AVX-512 from VBMI2 on: those before it lower their clock for registers of 512 bits. */
void cevm_keccak_sponge_avx512(cevm_hash *out, const void *data, size_t size, uint8_t pad);
#endif

/** Xors into the lanes the last block: the `size` bytes that are left, fewer than a block, and the padding. */
static inline void cevm_keccak_xor_last(uint64_t lanes[CEVM_KECCAK_RATE / 8], const uint8_t *rest, size_t size,
                                        uint8_t pad)
{
    const size_t whole = size / 8;
    for (size_t i = 0; i < whole; ++i) {
        lanes[i] ^= load_le64(rest + 8 * i);
    }
    uint64_t tail = (uint64_t)pad << (size % 8 * 8);
    for (size_t i = 0; i < size % 8; ++i) {
        tail |= (uint64_t)rest[8 * whole + i] << (8 * i);
    }
    lanes[whole] ^= tail;
    lanes[CEVM_KECCAK_RATE / 8 - 1] ^= UINT64_C(0x80) << 56;
}

#endif
