/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 0x100: verification of an ECDSA signature on the curve secp256r1 (EIP-7951). 6900 gas; 160 bytes in: hash, r, s and the
 * public key's x and y; the number 1 out. What does not verify is a success with empty output, and so is an input of any
 * other length.
 *
 * The curve is libcrypto's. It reduces where the EIP refuses, so the bounds are ours; a call makes and frees all it needs,
 * some kilobytes, and runs out of them with NOMEM, never with a verdict.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* what replaces the Jacobian coordinates is a modular inversion slower */
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>

#include "precompiles/precompiles.h"

enum { INPUT_SIZE = 160, OUTPUT_SIZE = 32, NUMBER = 32, R_AT = 32, S_AT = 64, X_AT = 96, Y_AT = 128 };

typedef enum verdict { INVALID, VALID, NO_MEMORY } verdict;

/* What a call takes from libcrypto. */
typedef struct verifier {
    EC_GROUP *group;
    EC_POINT *point;
    BN_CTX *context;
} verifier;

/* The modulus p of the field and the order n of the group, big-endian. */
static const uint8_t modulus[NUMBER] = {
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
};
static const uint8_t order[NUMBER] = {
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
};

static bool in_range(const uint8_t number[NUMBER], const uint8_t bound[NUMBER])
{
    return memcmp(number, bound, NUMBER) < 0;
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
    uint8_t any = 0;
    for (size_t i = 0; i < size; ++i) {
        any |= bytes[i];
    }
    return any == 0;
}

/* Whether a value of the field is the x of a point, in Jacobian coordinates X = x Z^2. */
static verdict is_x_of(const verifier *v, BIGNUM *value, const BIGNUM *x, const BIGNUM *z)
{
    const BIGNUM *p = EC_GROUP_get0_field(v->group);
    BIGNUM *product = BN_CTX_get(v->context);
    if (product == NULL || !BN_mod_sqr(product, z, p, v->context) ||
        !BN_mod_mul(product, product, value, p, v->context)) {
        return NO_MEMORY;
    }
    return BN_cmp(product, x) == 0 ? VALID : INVALID;
}

/* Whether the x of v->point is r modulo n: it is r or, as it may be anything below p, r + n. */
static verdict compare(const verifier *v, BIGNUM *r)
{
    BIGNUM *x = BN_CTX_get(v->context);
    BIGNUM *z = BN_CTX_get(v->context);
    if (EC_POINT_is_at_infinity(v->group, v->point)) {
        return INVALID;
    }
    if (z == NULL || !EC_POINT_get_Jprojective_coordinates_GFp(v->group, v->point, x, NULL, z, v->context)) {
        return NO_MEMORY;
    }
    const verdict first = is_x_of(v, r, x, z);
    if (first != INVALID) {
        return first;
    }
    if (!BN_add(r, r, EC_GROUP_get0_order(v->group))) {
        return NO_MEMORY;
    }
    return BN_cmp(r, EC_GROUP_get0_field(v->group)) < 0 ? is_x_of(v, r, x, z) : INVALID;
}

static verdict verify(const verifier *v, const uint8_t *input)
{
    const BIGNUM *n = EC_GROUP_get0_order(v->group);
    BIGNUM *number[5]; /* hash, r, s, x, y */
    for (size_t i = 0; i < 5; ++i) {
        number[i] = BN_CTX_get(v->context);
        if (number[i] == NULL || BN_bin2bn(input + i * NUMBER, NUMBER, number[i]) == NULL) {
            return NO_MEMORY;
        }
    }
    BIGNUM *u1 = number[0];
    BIGNUM *r = number[1];
    BIGNUM *s = number[2];
    BIGNUM *u2 = number[3]; /* in the place of x, once that is used */
    /* Writes the coordinates, then looks whether they are on the curve: failing is one or the other. */
    if (!EC_POINT_set_affine_coordinates(v->group, v->point, number[3], number[4], v->context)) {
        return ERR_GET_REASON(ERR_peek_last_error()) == EC_R_POINT_IS_NOT_ON_CURVE ? INVALID : NO_MEMORY;
    }
    if (BN_mod_inverse(s, s, n, v->context) == NULL || !BN_mod_mul(u1, u1, s, n, v->context) ||
        !BN_mod_mul(u2, r, s, n, v->context) || !EC_POINT_mul(v->group, v->point, u1, v->point, u2, v->context)) {
        return NO_MEMORY;
    }
    return compare(v, r);
}

static verdict verify_with_libcrypto(const uint8_t *input)
{
    verdict result = NO_MEMORY;
    verifier v = {EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1), NULL, BN_CTX_new()};
    if (v.group != NULL && v.context != NULL) {
        v.point = EC_POINT_new(v.group);
        BN_CTX_start(v.context);
        result = v.point != NULL ? verify(&v, input) : NO_MEMORY;
        BN_CTX_end(v.context);
    }
    EC_POINT_free(v.point);
    BN_CTX_free(v.context);
    EC_GROUP_free(v.group);
    return result;
}

cevm_precompile_cost cevm_p256verify_cost(cevm_bytes input, cevm_fork fork)
{
    (void)input;
    (void)fork;
    return cevm_flat_cost(6900, OUTPUT_SIZE);
}

cevm_precompile_status cevm_p256verify_run(uint8_t *output, size_t *output_size, cevm_bytes input, cevm_fork fork,
                                           void *scratch)
{
    (void)fork;
    (void)scratch;
    *output_size = 0;
    /* (0, 0) is how infinity is written; it is not on the curve either. */
    if (input.size != INPUT_SIZE || is_zero(input.data + R_AT, NUMBER) || is_zero(input.data + S_AT, NUMBER) ||
        !in_range(input.data + R_AT, order) || !in_range(input.data + S_AT, order) ||
        !in_range(input.data + X_AT, modulus) || !in_range(input.data + Y_AT, modulus) ||
        is_zero(input.data + X_AT, INPUT_SIZE - X_AT)) {
        return CEVM_PRECOMPILE_OK;
    }
    (void)ERR_set_mark();
    const verdict result = verify_with_libcrypto(input.data);
    (void)ERR_pop_to_mark(); /* the caller's queue of errors is as it was */
    if (result == NO_MEMORY) {
        return CEVM_PRECOMPILE_NOMEM;
    }
    if (result == VALID) {
        memset(output, 0, OUTPUT_SIZE);
        output[OUTPUT_SIZE - 1] = 1;
        *output_size = OUTPUT_SIZE;
    }
    return CEVM_PRECOMPILE_OK;
}
