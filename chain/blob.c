/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blob gas: its price (EIP-4844) and the parameters a fork gives it (EIP-4844, EIP-7691). The price is a function of the
 * excess alone; EIP-7918 bounds it from below by how the excess of the next block is made, which a block does, not this.
 */
#include <cevm/transition.h>

#include "evm/u256.h"

/*
 * Wide enough for every intermediate value: a term is below 2^64 * e^178 < 2^321, times the numerator below 2^385, and
 * there are far fewer than 2^64 terms.
 */
#define WIDE_LIMBS 8

/** e^178 > 2^256: from this quotient on the price saturates. */
#define SATURATING_EXPONENT 178

typedef struct wide {
    uint64_t limb[WIDE_LIMBS]; /* least significant first */
} wide;

static bool wide_is_zero(const wide *a)
{
    uint64_t any = 0;
    for (size_t i = 0; i < WIDE_LIMBS; ++i) {
        any |= a->limb[i];
    }
    return any == 0;
}

static void wide_add(wide *a, const wide *b)
{
    unsigned char carry = 0;
    for (size_t i = 0; i < WIDE_LIMBS; ++i) {
        a->limb[i] = u256_addc(a->limb[i], b->limb[i], &carry);
    }
}

static void wide_mul(wide *a, uint64_t factor)
{
    uint64_t carry = 0;
    for (size_t i = 0; i < WIDE_LIMBS; ++i) {
        uint64_t high;
        unsigned char over = 0;
        a->limb[i] = u256_addc(u256_mul64(a->limb[i], factor, &high), carry, &over);
        carry = high + over; /* a product of limbs is at most 2^128 - 2^65 + 1: no overflow */
    }
}

/** a /= divisor, rounded down; bit by bit in the limb, which needs no 128-bit type. divisor is not 0. */
static void wide_div(wide *a, uint64_t divisor)
{
    uint64_t remainder = 0;
    for (size_t i = WIDE_LIMBS; i-- > 0;) {
        uint64_t quotient = 0;
        if ((a->limb[i] | remainder) == 0) {
            continue;
        }
        for (unsigned bit = 64; bit-- > 0;) {
            const bool over = (remainder >> 63) != 0;
            remainder = (remainder << 1) | ((a->limb[i] >> bit) & 1);
            quotient <<= 1;
            if (over || remainder >= divisor) {
                remainder -= divisor;
                quotient |= 1;
            }
        }
        a->limb[i] = quotient;
    }
}

cevm_blob_params cevm_blob_params_default(cevm_fork fork)
{
    static const cevm_blob_params none = {0, 0, 0};
    static const cevm_blob_params eip4844 = {3, 6, 3338477};
    static const cevm_blob_params eip7691 = {6, 9, 5007716};
    if (CEVM_HAS_EIP(fork, 7691)) {
        return eip7691;
    }
    return CEVM_HAS_EIP(fork, 4844) ? eip4844 : none;
}

/*
 * EIP-4844's fake_exponential(1, excess, fraction). The specification divides each term by fraction * i at once; dividing
 * by one and then the other rounds down to the same number.
 */
void cevm_blob_base_fee(cevm_u256 *out, uint64_t excess_blob_gas, uint64_t update_fraction)
{
    if (excess_blob_gas == 0) {
        *out = cevm_u256_from_u64(1);
        return;
    }
    if (update_fraction == 0 || excess_blob_gas / update_fraction >= SATURATING_EXPONENT) {
        *out = u256_max();
        return;
    }
    wide sum = {{0}};
    wide term = {{update_fraction}};
    for (uint64_t i = 1; !wide_is_zero(&term); ++i) {
        wide_add(&sum, &term);
        wide_mul(&term, excess_blob_gas);
        wide_div(&term, update_fraction);
        wide_div(&term, i);
    }
    wide_div(&sum, update_fraction);
    if ((sum.limb[4] | sum.limb[5] | sum.limb[6] | sum.limb[7]) != 0) {
        *out = u256_max();
        return;
    }
    *out = (cevm_u256){{sum.limb[0], sum.limb[1], sum.limb[2], sum.limb[3]}};
}
