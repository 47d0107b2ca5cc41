/* SPDX-License-Identifier: Apache-2.0 */
/**
 * precompiles/crypto/bls12_ifma_fp.h: the prime field of BLS12-381 for ifma_fp.h. R = 2^416 is above 2^35 p.
 */
#ifndef CEVM_PRECOMPILES_CRYPTO_BLS12_IFMA_FP_H
#define CEVM_PRECOMPILES_CRYPTO_BLS12_IFMA_FP_H

#include <stdint.h>

enum { FP8_LIMBS = 8, FP8_WORDS = 6 };

static const uint64_t fp8_modulus[FP8_LIMBS] = {0xeffffffffaaab, 0xfeb153ffffb9f, 0x6b0f6241eabff, 0x12bf6730d2a0f,
                                                0x764774b84f385, 0x1ba7b6434bacd, 0x1ea397fe69a4b, 0x1a011};
static const uint64_t fp8_negative_inverse = 0x3fffcfffcfffd;
static const uint64_t fp8_to_words[FP8_LIMBS] = {0x900000002fffd, 0xbc40c0002760, 0x3c758baebf400, 0x57455f4898575,
                                                 0xd77ce58537052, 0x71a97a256ec6, 0xec3fa80e4935c, 0x15f65};
static const uint64_t fp8_from_words[FP8_LIMBS] = {0x7fde37dba9366, 0x4e27525bc342b, 0x1f5b1e9778489, 0xb872b2b91b9dc,
                                                   0xb206f497dfcaf, 0x4137cc89a9b0b, 0xd9d20d7e39959, 0x411c};

#include "precompiles/crypto/ifma_fp.h"

#endif
