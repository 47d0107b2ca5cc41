/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inverse in the prime field of BN254, by the division steps of divsteps_field.h. There are at most 13 batches, for 741 steps
 * are enough for 256 bits: |d| < 8p, which 300 bits hold.
 */
#include "precompiles/crypto/bn254_fp.h"
#include "precompiles/crypto/divsteps.h"

#if CEVM_DIVSTEPS

enum { FIELD_LIMBS = 5, FIELD_WORDS = 4, FIELD_MULTIPLES = 4 };

static const uint64_t field_inverse = 0x82df87d1b799c77;

/* 8p, 4p, 2p, p. */
static const int64_t field_multiples[FIELD_MULTIPLES][FIELD_LIMBS] = {
    {0x10460b6c3e7ea38, 0xb548b438e5469e, 0x22db40c0ac2ecbc, 0x7397098d014dc28, 0x18322},
    {0x82305b61f3f51c, 0x5aa45a1c72a34f, 0x116da060561765e, 0x39cb84c680a6e14, 0xc191},
    {0x841182db0f9fa8e, 0x2d522d0e3951a7, 0x8b6d0302b0bb2f, 0x9ce5c263405370a, 0x60c8},
    {0xc208c16d87cfd47, 0x816a916871ca8d3, 0x45b68181585d97, 0x4e72e131a029b85, 0x3064},
};

/* 2^512 mod p. */
static const int64_t field_form[FIELD_LIMBS] = {0x32cfc5b538afa89, 0xe71911d44501fbf, 0xb1eff0a417ff6b5,
                                                0x9f71cab8351f47a, 0x6d8};

#include "precompiles/crypto/divsteps_field.h"

bool cevm_fp_inv_divsteps(fp *r, const fp *a)
{
    field_invert(r->l, a->l);
    return true;
}

#else

bool cevm_fp_inv_divsteps(fp *r, const fp *a)
{
    (void)r;
    (void)a;
    return false;
}

#endif
