/* SPDX-License-Identifier: Apache-2.0 */
/**
 * precompiles/precompiles.h: the handlers that precompiles.def names, and what they share. The contract that each pair
 * obeys is cevm_precompile's. Pure functions, safe on any thread.
 *
 * Files: ecrecover.c, sha256.c, ripemd160.c, identity.c, modexp.c, bn254.c (0x06 to 0x08), blake2f.c, point_evaluation.c,
 * bls12_381.c (0x0b to 0x11: prices, encodings) with bls12_381_g1.c, _g2.c and _pairing.c, p256verify.c. blst.mk and blst.sh
 * bring blst, on which 0x0a to 0x11 stand.
 */
#ifndef CEVM_PRECOMPILES_PRECOMPILES_H
#define CEVM_PRECOMPILES_PRECOMPILES_H

#include <cevm/precompile.h>

#define PRECOMPILE(address, name, since, eip, handler)                                                  \
    cevm_precompile_cost cevm_##handler##_cost(cevm_bytes input, cevm_fork fork);                       \
    cevm_precompile_status cevm_##handler##_run(uint8_t *output, size_t *output_size, cevm_bytes input, \
                                                cevm_fork fork, void *scratch);
#include "precompiles/precompiles.def"
#undef PRECOMPILE

/** A price that needs no scratch. */
static inline cevm_precompile_cost cevm_flat_cost(uint64_t gas, size_t output_size)
{
    cevm_precompile_cost cost = {gas, output_size, 0};
    return cost;
}

/** The price of so much a call and so much for each 32-byte word begun; input sizes that memory can hold never overflow. */
static inline uint64_t cevm_word_gas(uint64_t base, uint64_t per_word, size_t size)
{
    const uint64_t words = (uint64_t)size / 32 + (size % 32 != 0);
    return base + per_word * words;
}

/** Copies input[offset, offset + size) to out, zeros where the input has ended (the Yellow Paper's virtual padding). */
static inline void cevm_read_padded(uint8_t *out, cevm_bytes input, size_t offset, size_t size)
{
    const size_t left = offset < input.size ? input.size - offset : 0;
    const size_t have = size < left ? size : left;
    if (have != 0) {
        memcpy(out, input.data + offset, have);
    }
    memset(out + have, 0, size - have);
}

#endif
