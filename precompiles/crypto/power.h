/* SPDX-License-Identifier: Apache-2.0 */
/**
 * precompiles/crypto/power.h: powers modulo any number, on GMP's limbs (least significant first). Pure, safe on any thread.
 *
 * power.c chooses the way. The code of power_small.c serves odd moduli of one or two limbs and the power of two in an even
 * modulus; what is left, an odd modulus of three limbs or more, goes to GMP's mpz_powm, unless the exponent is short.
 *
 * Memory: mpz_powm allocates its result, as long as the modulus, and GMP takes from the heap each piece of its own scratch
 * above 64 KiB, such as the table of powers for an exponent and a modulus of 1024 bytes. No other way allocates.
 */
#ifndef CEVM_PRECOMPILES_CRYPTO_POWER_H
#define CEVM_PRECOMPILES_CRYPTO_POWER_H

#include <gmp.h>

#include <cevm/types.h>

/** A number; `limbs` may have leading zeros where it is not said otherwise. Borrowed. */
typedef struct cevm_natural {
    const mp_limb_t *limbs;
    size_t count;
} cevm_natural;

/** Limbs of scratch that cevm_power wants for a base and a modulus of so many limbs. */
size_t cevm_power_scratch(size_t base_limbs, size_t modulus_limbs);

/**
 * out = base^exponent mod modulus, as many limbs as the modulus has; 0^0 is 1. False, with nothing written, for a modulus of
 * 0 or 1.
 */
bool cevm_power(mp_limb_t *out, cevm_natural base, cevm_natural exponent, cevm_natural modulus, mp_limb_t *scratch);

/* The small moduli. Numbers have no leading zeros, base and exponent are above 0. */

#if GMP_NUMB_BITS == 64 && defined(__SIZEOF_INT128__) && !defined(CEVM_PORTABLE)
#define CEVM_HAS_POWER_SMALL 1
#else
#define CEVM_HAS_POWER_SMALL 0 /* GMP does it all */
#endif

#if CEVM_HAS_POWER_SMALL
/* Limbs that an odd modulus, and that a power of two, may have at most. */
enum { CEVM_POWER_ODD = 2, CEVM_POWER_EVEN = 4 };

/** out = base^exponent mod q, q odd and above 1. Scratch: twice the base's limbs, and four more. */
void cevm_power_odd(mp_limb_t *out, cevm_natural base, cevm_natural exponent, cevm_natural q, mp_limb_t *scratch);

/** out = base^exponent mod 2^k, in (k + 63) / 64 limbs; k above 0. */
void cevm_power_even(mp_limb_t *out, cevm_natural base, cevm_natural exponent, size_t k);

/**
 * out = the number below q 2^k, q odd, that is r1 mod q and r2 mod 2^k. out and r1, zeros before it, have as many limbs as
 * q 2^k; r2 has (k + 63) / 64. Scratch: q's limbs, and four more.
 */
void cevm_power_combine(mp_limb_t *out, size_t count, const mp_limb_t *r1, cevm_natural q, const mp_limb_t *r2,
                        size_t k, mp_limb_t *scratch);
#endif

#endif
