/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sidecar of a blob transaction (EIP-4844, EIP-7594). A blob is 4096 numbers modulo the order of BLS12-381's groups: the
 * values of a polynomial at the 4096th roots of unity, in bit-reversed order. Its proof shows the polynomial's value at a
 * place that a hash of blob and commitment chooses, which is what the contract at 0x0a verifies.
 */
#include "rpc/blob_sidecar.h"

#include <cevm/alloc.h>

#define OPENSSL_SUPPRESS_DEPRECATED /* the one-shot functions want a context that can fail */
#include <openssl/sha.h>

#include "evm/u256.h"
#include "precompiles/precompiles.h"
#include "rpc/blob_cells.h"
#include "state/rlp.h"

enum {
    ELEMENTS = 4096,
    ELEMENTS_LOG2 = 12,
    NUMBER = 32,
    BLOB_SIZE = CEVM_BLOB_SIZE,
    COMMITMENT_SIZE = CEVM_KZG_POINT,
    CELL_VERSION = 1,
    POINT_INPUT = 192,
    POINT_OUTPUT = 64
};

/* The order of the groups; the first of the numbers that generate all others. */
static const cevm_u256 order = {{UINT64_C(0xffffffff00000001), UINT64_C(0x53bda402fffe5bfe),
                                 UINT64_C(0x3339d80809a1d805), UINT64_C(0x73eda753299d7d48)}};
enum { PRIMITIVE_ROOT = 7 };

/* ---- Reading ------------------------------------------------------------------------------------------------------- */

bool cevm_blob_sidecar_split(cevm_blob_sidecar *out, cevm_bytes *fields, cevm_bytes raw)
{
    cevm_bytes payload;
    cevm_rlp_item item;
    uint64_t version = 0;
    size_t count = 0;
    *out = (cevm_blob_sidecar){.has_cell_proofs = false};
    if (raw.size < 2 || raw.data[0] != CEVM_TX_BLOB) {
        return false;
    }
    cevm_bytes cursor = {raw.data + 1, raw.size - 1};
    if (!cevm_rlp_next_list(&cursor, &payload) || cursor.size != 0 || !cevm_rlp_count(&count, payload) ||
        (count != 4 && count != 5) || !cevm_rlp_next(&payload, &item) || !item.is_list) {
        return false;
    }
    *fields = item.whole;
    out->has_cell_proofs = count == 5;
    if (count == 5 && (cevm_rlp_next_u64(&payload, &version) != CEVM_RLP_NUMBER_OK || version != CELL_VERSION)) {
        return false;
    }
    return cevm_rlp_next_list(&payload, &out->blobs) && cevm_rlp_next_list(&payload, &out->commitments) &&
           cevm_rlp_next_list(&payload, &out->proofs);
}

/* ---- Arithmetic modulo the order ------------------------------------------------------------------------------------- */

static cevm_u256 mul(cevm_modulus *known, const cevm_u256 *a, const cevm_u256 *b)
{
    return cevm_u256_mulmod_with(known, a, b, &order);
}

static cevm_u256 sub(const cevm_u256 *a, const cevm_u256 *b)
{
    const cevm_u256 difference = u256_sub(a, b);
    return u256_lt(a, b) ? u256_add(&difference, &order) : difference;
}

static cevm_u256 power(cevm_modulus *known, const cevm_u256 *base, const cevm_u256 *exponent)
{
    cevm_u256 result = cevm_u256_from_u64(1);
    for (unsigned bit = 256; bit-- > 0;) {
        result = mul(known, &result, &result);
        if (((exponent->w[bit / 64] >> (bit % 64)) & 1) != 0) {
            result = mul(known, &result, base);
        }
    }
    return result;
}

/** By Fermat: a^(order - 2). */
static cevm_u256 inverse(cevm_modulus *known, const cevm_u256 *a)
{
    const cevm_u256 two = cevm_u256_from_u64(2);
    const cevm_u256 exponent = u256_sub(&order, &two);
    return power(known, a, &exponent);
}

static unsigned reverse_bits(unsigned index)
{
    unsigned out = 0;
    for (unsigned i = 0; i < ELEMENTS_LOG2; ++i) {
        out = (out << 1) | ((index >> i) & 1);
    }
    return out;
}

/** The 4096th roots of unity in bit-reversed order. */
static void fill_roots(cevm_modulus *known, cevm_u256 roots[ELEMENTS])
{
    const cevm_u256 one = cevm_u256_from_u64(1);
    const cevm_u256 count = cevm_u256_from_u64(ELEMENTS);
    const cevm_u256 primitive = cevm_u256_from_u64(PRIMITIVE_ROOT);
    const cevm_u256 less = u256_sub(&order, &one);
    const cevm_u256 exponent = cevm_u256_div(&less, &count);
    const cevm_u256 root = power(known, &primitive, &exponent);
    cevm_u256 value = one;
    for (unsigned i = 0; i < ELEMENTS; ++i) {
        roots[reverse_bits(i)] = value;
        value = mul(known, &value, &root);
    }
}

/**
 * The polynomial's value at z by the barycentric formula: (z^n - 1) / n * sum of value_i * root_i / (z - root_i). All
 * inverses cost one: of the running products, undone from the end.
 */
static void evaluate(cevm_u256 *out, const uint8_t *blob, const cevm_u256 *z, cevm_u256 *room)
{
    cevm_modulus known = {.ready = false};
    cevm_u256 *roots = room;
    cevm_u256 *products = room + ELEMENTS; /* of z - root_0 … z - root_i */
    cevm_u256 product = cevm_u256_from_u64(1);
    cevm_u256 sum = cevm_u256_from_u64(0);
    fill_roots(&known, roots);
    for (unsigned i = 0; i < ELEMENTS; ++i) {
        if (cevm_u256_equal(z, &roots[i])) {
            *out = cevm_u256_from_be(blob + (size_t)NUMBER * i);
            return;
        }
        const cevm_u256 difference = sub(z, &roots[i]);
        product = mul(&known, &product, &difference);
        products[i] = product;
    }
    cevm_u256 rest = inverse(&known, &product);
    for (unsigned i = ELEMENTS; i-- > 0;) {
        const cevm_u256 difference = sub(z, &roots[i]);
        const cevm_u256 value = cevm_u256_from_be(blob + (size_t)NUMBER * i);
        cevm_u256 term = i > 0 ? mul(&known, &rest, &products[i - 1]) : rest;
        rest = mul(&known, &rest, &difference);
        term = mul(&known, &term, &roots[i]);
        term = mul(&known, &term, &value);
        sum = cevm_u256_addmod(&sum, &term, &order);
    }
    const cevm_u256 one = cevm_u256_from_u64(1);
    const cevm_u256 count = cevm_u256_from_u64(ELEMENTS);
    const cevm_u256 by = inverse(&known, &count);
    cevm_u256 factor = power(&known, z, &count);
    factor = sub(&factor, &one);
    factor = mul(&known, &factor, &by);
    *out = mul(&known, &sum, &factor);
}

/* ---- Proofs -------------------------------------------------------------------------------------------------------- */

/** The place at which the polynomial has to be shown: a hash of blob and commitment. */
static cevm_u256 challenge(const uint8_t *blob, const uint8_t *commitment)
{
    static const char domain[] = "FSBLOBVERIFY_V1_";
    uint8_t degree[16] = {0};
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA256_CTX context;
    degree[14] = ELEMENTS >> 8;
    (void)SHA256_Init(&context);
    (void)SHA256_Update(&context, domain, sizeof domain - 1);
    (void)SHA256_Update(&context, degree, sizeof degree);
    (void)SHA256_Update(&context, blob, BLOB_SIZE);
    (void)SHA256_Update(&context, commitment, COMMITMENT_SIZE);
    (void)SHA256_Final(digest, &context);
    const cevm_u256 number = cevm_u256_from_be(digest);
    return cevm_u256_mod(&number, &order);
}

/** Asks the contract of EIP-4844 whether the proof holds. */
static const char *verify_point(const uint8_t input[POINT_INPUT], const cevm_allocator *allocator)
{
    const cevm_bytes bytes = {input, POINT_INPUT};
    const cevm_precompile_cost cost = cevm_point_evaluation_cost(bytes, CEVM_CANCUN);
    uint8_t output[POINT_OUTPUT];
    size_t size = 0;
    void *scratch = cevm_alloc(allocator, cost.scratch_size);
    if (scratch == NULL) {
        return "out of memory";
    }
    const cevm_precompile_status status = cevm_point_evaluation_run(output, &size, bytes, CEVM_CANCUN, scratch);
    cevm_free(allocator, scratch);
    /* A build without the curve takes a proof on trust: it could not use it either. */
    return status == CEVM_PRECOMPILE_FAIL ? "invalid blob proof" : NULL;
}

static const char *verify_blob(const uint8_t *blob, const uint8_t *commitment, const uint8_t *proof,
                               const cevm_hash *hash, const cevm_allocator *allocator)
{
    uint8_t input[POINT_INPUT];
    cevm_u256 y;
    const cevm_u256 z = challenge(blob, commitment);
    cevm_u256 *room = cevm_resize_array(allocator, NULL, 2 * (size_t)ELEMENTS, sizeof *room);
    if (room == NULL) {
        return "out of memory";
    }
    evaluate(&y, blob, &z, room);
    cevm_free(allocator, room);
    memcpy(input, hash->bytes, sizeof hash->bytes);
    cevm_u256_to_be(input + 32, &z);
    cevm_u256_to_be(input + 64, &y);
    memcpy(input + 96, commitment, COMMITMENT_SIZE);
    memcpy(input + 144, proof, COMMITMENT_SIZE);
    return verify_point(input, allocator);
}

/* ---- The whole ------------------------------------------------------------------------------------------------------ */

static const char *check_numbers(const uint8_t *blob)
{
    for (size_t i = 0; i < ELEMENTS; ++i) {
        const cevm_u256 value = cevm_u256_from_be(blob + NUMBER * i);
        if (!u256_lt(&value, &order)) {
            return "invalid blob: a field element is out of range";
        }
    }
    return NULL;
}

static bool next_sized(cevm_bytes *cursor, cevm_bytes *out, size_t size)
{
    return cevm_rlp_next_string(cursor, out) && out->size == size;
}

/** One blob with its commitment and its proof, or those of its cells. */
static const char *check_one(cevm_blob_sidecar *rest, const cevm_hash *hash, const cevm_allocator *allocator)
{
    cevm_bytes blob;
    cevm_bytes commitment;
    cevm_bytes proof = {NULL, 0};
    const uint8_t *proofs[CEVM_BLOB_CELLS];
    uint8_t digest[SHA256_DIGEST_LENGTH];
    if (!next_sized(&rest->blobs, &blob, BLOB_SIZE) || !next_sized(&rest->commitments, &commitment, COMMITMENT_SIZE)) {
        return "invalid blob or commitment size";
    }
    (void)SHA256(commitment.data, commitment.size, digest);
    digest[0] = 1; /* VERSIONED_HASH_VERSION_KZG */
    if (memcmp(digest, hash->bytes, sizeof digest) != 0) {
        return "blob hash mismatch: a commitment is not the one the transaction names";
    }
    for (size_t i = 0; i < (rest->has_cell_proofs ? CEVM_BLOB_CELLS : 1); ++i) {
        if (!next_sized(&rest->proofs, &proof, COMMITMENT_SIZE)) {
            return "invalid number of blob proofs";
        }
        proofs[i] = proof.data;
    }
    const char *wrong = check_numbers(blob.data);
    if (wrong != NULL) {
        return wrong;
    }
    return rest->has_cell_proofs ? cevm_blob_cells_check(blob.data, commitment.data, proofs, allocator)
                                 : verify_blob(blob.data, commitment.data, proof.data, hash, allocator);
}

const char *cevm_blob_sidecar_check(const cevm_blob_sidecar *sidecar, const cevm_tx *tx,
                                    const cevm_allocator *allocator)
{
    cevm_blob_sidecar rest = *sidecar;
    const char *wrong = NULL;
    for (size_t i = 0; wrong == NULL && i < tx->blob_count; ++i) {
        wrong = check_one(&rest, &tx->blob_hashes[i], allocator);
    }
    if (wrong == NULL && (rest.blobs.size != 0 || rest.commitments.size != 0 || rest.proofs.size != 0)) {
        wrong = "there are more blobs, commitments or proofs than the transaction names";
    }
    return wrong;
}
