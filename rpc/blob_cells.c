/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proofs of cells (EIP-7594). A blob is a polynomial p of degree below 4096. Cell k is what p is on the 64 numbers whose 64th
 * power is h_k, and what p is there is what p mod (X^64 - h_k) is. Its proof is the commitment to the quotient, so with the
 * secret τ of the ceremony
 *
 *     p(τ) - (p mod (X^64 - h_k))(τ) = proof_k (τ^64 - h_k)
 *
 * All 128 are verified at once, each times a power of a number r that nobody could choose. Here the whole polynomial is at
 * hand, so no cell is computed: the sum over k of r^k (p mod (X^64 - h_k)) has at X^j the coefficient
 *
 *     sum over m of p_(j + 64 m) s_m,   where s_m = sum over k of r^k h_k^m
 */
#include "rpc/blob_cells.h"

#ifdef CEVM_NO_BLST

const char *cevm_blob_cells_check(const uint8_t *blob, const uint8_t *commitment,
                                  const uint8_t *const proofs[CEVM_BLOB_CELLS], const cevm_allocator *allocator)
{
    (void)blob;
    (void)commitment;
    (void)proofs;
    (void)allocator;
    return NULL;
}

#else

#include <cevm/alloc.h>
#include <cevm/hex.h>

#define OPENSSL_SUPPRESS_DEPRECATED /* the one-shot functions want a context that can fail */
#include <openssl/sha.h>

#include "precompiles/bls12_381.h"

enum {
    ELEMENTS = 4096,
    CELLS = CEVM_BLOB_CELLS,
    CELL = 64,                /* numbers, of the 8192 of an extended blob */
    PARTS = ELEMENTS / CELL,  /* coefficients that fall on one power when a polynomial is reduced for a cell */
    TERMS = 1 + CELL + CELLS, /* of the larger sum: the commitment, powers of τ, proofs */
    PRIMITIVE_ROOT = 7,       /* generates all numbers but 0 */
    NUMBER = 32,
    G2_POINT = 96
};

static const char invalid_proof[] = "invalid blob proof";

/** What is worked with; too much for a stack. */
typedef struct work {
    blst_fr p[ELEMENTS]; /* the polynomial's coefficients */
    blst_fr s[PARTS];
    blst_fr r[CELLS]; /* r^k */
    blst_fr h[CELLS]; /* h_k */
    blst_p1_affine proofs[CELLS];
    blst_p1_affine commitment;
    blst_p1_affine finite[CELLS + 1]; /* of those two, to be looked at together */
    blst_p1_affine powers[CELL];      /* [τ^j]G1 */
    blst_p2_affine tau_64;            /* [τ^64]G2 */
} work;

/* ---- Numbers ------------------------------------------------------------------------------------------------------- */

static blst_fr fr_of(uint64_t value)
{
    const uint64_t words[4] = {value, 0, 0, 0};
    blst_fr out;
    blst_fr_from_uint64(&out, words);
    return out;
}

static void fr_read(blst_fr *out, const uint8_t in[NUMBER])
{
    blst_scalar scalar;
    blst_scalar_from_bendian(&scalar, in);
    blst_fr_from_scalar(out, &scalar);
}

static void fr_write(uint8_t out[NUMBER], const blst_fr *in)
{
    blst_scalar scalar;
    blst_scalar_from_fr(&scalar, in);
    blst_bendian_from_scalar(out, &scalar);
}

/** A number whose powers are all the 2^log2 roots of unity: 7^((q - 1) / 2^log2), where q is the order of the groups. */
static blst_fr root_of_unity(unsigned log2)
{
    /* (q - 1) / 2^32: the roots whose order is a power of two go no further. */
    static const uint8_t odd[28] = {0x73, 0xed, 0xa7, 0x53, 0x29, 0x9d, 0x7d, 0x48, 0x33, 0x39, 0xd8, 0x08, 0x09, 0xa1,
                                    0xd8, 0x05, 0x53, 0xbd, 0xa4, 0x02, 0xff, 0xfe, 0x5b, 0xfe, 0xff, 0xff, 0xff, 0xff};
    const blst_fr base = fr_of(PRIMITIVE_ROOT);
    blst_fr out = fr_of(1);
    for (size_t i = 0; i < 8 * sizeof odd; ++i) {
        blst_fr_sqr(&out, &out);
        if ((odd[i / 8] >> (7 - i % 8) & 1) != 0) {
            blst_fr_mul(&out, &out, &base);
        }
    }
    for (unsigned i = log2; i < 32; ++i) {
        blst_fr_sqr(&out, &out);
    }
    return out;
}

/** The polynomial from what it is at the roots of unity, in bit-reversed order: a Fourier transform backwards, in place. */
static void interpolate(blst_fr p[ELEMENTS])
{
    blst_fr scale = fr_of(ELEMENTS);
    unsigned log2 = 1;
    for (size_t length = 2; length <= ELEMENTS; length *= 2, ++log2) {
        blst_fr root = root_of_unity(log2);
        blst_fr_inverse(&root, &root);
        for (size_t from = 0; from < ELEMENTS; from += length) {
            blst_fr factor = fr_of(1);
            for (size_t i = from; i < from + length / 2; ++i) {
                blst_fr high;
                blst_fr_mul(&high, &p[i + length / 2], &factor);
                blst_fr_sub(&p[i + length / 2], &p[i], &high);
                blst_fr_add(&p[i], &p[i], &high);
                blst_fr_mul(&factor, &factor, &root);
            }
        }
    }
    blst_fr_inverse(&scale, &scale);
    for (size_t i = 0; i < ELEMENTS; ++i) {
        blst_fr_mul(&p[i], &p[i], &scale);
    }
}

static unsigned reverse_bits(unsigned index, unsigned count)
{
    unsigned out = 0;
    for (unsigned i = 0; i < count; ++i) {
        out = out << 1 | (index >> i & 1);
    }
    return out;
}

/** h_k: the extended blob is in bit-reversed order, so that cell k is where the 128th root with k's bits reversed is. */
static void fill_cells(blst_fr h[CELLS])
{
    const blst_fr root = root_of_unity(7);
    blst_fr value = fr_of(1);
    for (unsigned i = 0; i < CELLS; ++i) {
        h[reverse_bits(i, 7)] = value;
        blst_fr_mul(&value, &value, &root);
    }
}

/** 1, r, r^2 …, where r is a hash of all that is claimed. */
static void fill_weights(blst_fr r[CELLS], const uint8_t *blob, const uint8_t *commitment,
                         const uint8_t *const proofs[CELLS])
{
    static const char domain[] = "cevm cell proofs";
    uint8_t digest[SHA256_DIGEST_LENGTH];
    blst_fr value;
    SHA256_CTX context;
    (void)SHA256_Init(&context); /* these have no way to fail */
    (void)SHA256_Update(&context, domain, sizeof domain);
    (void)SHA256_Update(&context, blob, CEVM_BLOB_SIZE);
    (void)SHA256_Update(&context, commitment, CEVM_KZG_POINT);
    for (size_t i = 0; i < CELLS; ++i) {
        (void)SHA256_Update(&context, proofs[i], CEVM_KZG_POINT);
    }
    (void)SHA256_Final(digest, &context);
    digest[0] &= 0x3f; /* below the order */
    fr_read(&value, digest);
    r[0] = fr_of(1);
    for (size_t i = 1; i < CELLS; ++i) {
        blst_fr_mul(&r[i], &r[i - 1], &value);
    }
}

static void fill_sums(work *w)
{
    for (size_t k = 0; k < CELLS; ++k) {
        blst_fr term = w->r[k];
        for (size_t m = 0; m < PARTS; ++m) {
            blst_fr_add(&w->s[m], &w->s[m], &term);
            blst_fr_mul(&term, &term, &w->h[k]);
        }
    }
}

/* ---- Points -------------------------------------------------------------------------------------------------------- */

/** The commitment and the proofs; false when one is no point of the group. */
static bool read_points(work *w, const uint8_t *commitment, const uint8_t *const proofs[CELLS])
{
    blst_p1_affine *finite = w->finite;
    size_t count = 0;
    for (size_t k = 0; k < CELLS; ++k) {
        if (blst_p1_uncompress(&w->proofs[k], proofs[k]) != BLST_SUCCESS) {
            return false;
        }
        if (!blst_p1_affine_is_inf(&w->proofs[k])) {
            finite[count++] = w->proofs[k];
        }
    }
    if (blst_p1_uncompress(&w->commitment, commitment) != BLST_SUCCESS) {
        return false;
    }
    if (!blst_p1_affine_is_inf(&w->commitment)) {
        finite[count++] = w->commitment;
    }
    return count == 0 || cevm_bls12_g1_in_subgroup(finite, count);
}

/** The powers of τ, which are known to be points of the groups. */
static bool read_setup(work *w)
{
    static const char *const g1[CELL] = {
#define TAU_G1(hex) hex,
#define TAU_G2(hex)
#include "rpc/kzg_setup.def"
#undef TAU_G1
#undef TAU_G2
    };
    static const char g2[] =
#define TAU_G1(hex)
#define TAU_G2(hex) hex
#include "rpc/kzg_setup.def"
#undef TAU_G1
#undef TAU_G2
        ;
    uint8_t bytes[G2_POINT];
    bool ok = cevm_hex_decode_exact(bytes, G2_POINT, g2) && blst_p2_uncompress(&w->tau_64, bytes) == BLST_SUCCESS;
    for (size_t i = 0; ok && i < CELL; ++i) {
        ok = cevm_hex_decode_exact(bytes, CEVM_KZG_POINT, g1[i]) &&
             blst_p1_uncompress(&w->powers[i], bytes) == BLST_SUCCESS;
    }
    return ok;
}

static void add_term(cevm_g1_sum *sum, const blst_p1_affine *point, const blst_fr *factor)
{
    uint8_t scalar[NUMBER];
    fr_write(scalar, factor);
    cevm_g1_sum_add(sum, point, scalar);
}

/** The sum of r^k proof_k. */
static void sum_proofs(blst_p1_affine *out, const work *w, void *scratch)
{
    cevm_g1_sum sum;
    blst_p1 point;
    cevm_g1_sum_begin(&sum, scratch, TERMS);
    for (size_t k = 0; k < CELLS; ++k) {
        add_term(&sum, &w->proofs[k], &w->r[k]);
    }
    cevm_g1_sum_end(&sum, &point);
    cevm_bls12_g1_to_affine(out, &point);
}

/** The sum of r^k (commitment - [p mod (X^64 - h_k)] + h_k proof_k). */
static void sum_claims(blst_p1_affine *out, const work *w, void *scratch)
{
    cevm_g1_sum sum;
    blst_p1 point;
    blst_fr total = fr_of(0);
    cevm_g1_sum_begin(&sum, scratch, TERMS);
    for (size_t k = 0; k < CELLS; ++k) {
        blst_fr factor;
        blst_fr_mul(&factor, &w->r[k], &w->h[k]);
        add_term(&sum, &w->proofs[k], &factor);
        blst_fr_add(&total, &total, &w->r[k]);
    }
    add_term(&sum, &w->commitment, &total);
    for (size_t j = 0; j < CELL; ++j) {
        blst_fr coefficient = fr_of(0);
        for (size_t m = 0; m < PARTS; ++m) {
            blst_fr term;
            blst_fr_mul(&term, &w->p[j + CELL * m], &w->s[m]);
            blst_fr_sub(&coefficient, &coefficient, &term);
        }
        add_term(&sum, &w->powers[j], &coefficient);
    }
    cevm_g1_sum_end(&sum, &point);
    cevm_bls12_g1_to_affine(out, &point);
}

/** Whether e(a, [τ^64]G2) = e(b, G2). */
static bool pairings_match(const work *w, const blst_p1_affine *a, const blst_p1_affine *b)
{
    blst_fp12 left;
    blst_fp12 right;
    if (blst_p1_affine_is_inf(a) || blst_p1_affine_is_inf(b)) {
        return blst_p1_affine_is_inf(a) && blst_p1_affine_is_inf(b);
    }
    blst_miller_loop(&left, &w->tau_64, a);
    blst_miller_loop(&right, blst_p2_affine_generator(), b);
    return blst_fp12_finalverify(&left, &right);
}

/* ---- The whole ------------------------------------------------------------------------------------------------------ */

static const char *verify(work *w, void *scratch, const uint8_t *blob, const uint8_t *commitment,
                          const uint8_t *const proofs[CELLS])
{
    blst_p1_affine left;
    blst_p1_affine right;
    if (!read_setup(w)) {
        return "the trusted setup is damaged";
    }
    if (!read_points(w, commitment, proofs)) {
        return invalid_proof;
    }
    for (size_t i = 0; i < ELEMENTS; ++i) {
        fr_read(&w->p[i], blob + NUMBER * i);
    }
    interpolate(w->p);
    fill_cells(w->h);
    fill_weights(w->r, blob, commitment, proofs);
    fill_sums(w);
    sum_proofs(&left, w, scratch);
    sum_claims(&right, w, scratch);
    return pairings_match(w, &left, &right) ? NULL : invalid_proof;
}

const char *cevm_blob_cells_check(const uint8_t *blob, const uint8_t *commitment,
                                  const uint8_t *const proofs[CEVM_BLOB_CELLS], const cevm_allocator *allocator)
{
    work *w = cevm_zalloc(allocator, sizeof *w);
    void *scratch = cevm_alloc(allocator, cevm_bls12_g1_sum_scratch(TERMS));
    const char *wrong = w != NULL && scratch != NULL ? verify(w, scratch, blob, commitment, proofs) : "out of memory";
    cevm_free(allocator, w);
    cevm_free(allocator, scratch);
    return wrong;
}

#endif
