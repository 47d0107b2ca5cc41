/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blob transactions in the form in which they travel (EIP-4844, EIP-7594): proofs against the vectors of c-kzg-4844 (below
 * $CEVM_VECTORS_DIR), and the transactions themselves, sent to a node.
 */
#include "node_support.h"

#include <dirent.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "evm/u256.h"
#include "precompiles/bls12_381.h"
#include "rpc/blob_cells.h"
#include "rpc/blob_sidecar.h"
#include "state/rlp.h"

enum { BLOB = 131072, POINT = 48, CELLS = 128, CASES = 17 };

/** One file: input.blob, input.commitment, input.proof, and output. */
typedef struct kzg_case {
    uint8_t *blob;
    size_t blob_size;
    uint8_t commitment[2 * POINT];
    size_t commitment_size;
    uint8_t proof[2 * POINT];
    size_t proof_size;
    bool valid;
} kzg_case;

/** The hex behind a key, between quotes. */
static size_t read_hex(uint8_t *out, const char *text, const char *key)
{
    size_t size = 0;
    const char *at = strstr(text, key);
    assert_non_null(at);
    at = strchr(at, '\'') + 1;
    assert_true(cevm_hex_decode(out, &size, at, strcspn(at, "'")));
    return size;
}

static void read_case(kzg_case *c, const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, 4 * BLOB);
    assert_non_null(file);
    assert_non_null(text);
    assert_true(fread(text, 1, 4 * BLOB - 1, file) > 0);
    assert_int_equal(fclose(file), 0);
    c->blob = malloc(2 * BLOB);
    c->blob_size = read_hex(c->blob, text, "blob:");
    c->commitment_size = read_hex(c->commitment, text, "commitment:");
    c->proof_size = read_hex(c->proof, text, "proof:");
    c->valid = strstr(text, "output: true") != NULL;
    free(text);
}

static cevm_hash versioned_hash(const uint8_t commitment[POINT])
{
    cevm_hash hash;
    assert_int_equal(EVP_Digest(commitment, POINT, hash.bytes, NULL, EVP_sha256(), NULL), 1);
    hash.bytes[0] = 1;
    return hash;
}

/** A string as an RLP list's payload. */
static cevm_bytes payload(cevm_buf *buf, const uint8_t *data, size_t size, size_t times)
{
    cevm_buf_init(buf, NULL);
    for (size_t i = 0; i < times; ++i) {
        cevm_rlp_put_bytes(buf, data, size);
    }
    assert_false(buf->failed);
    return (cevm_bytes){buf->data, buf->size};
}

static const char *check(const kzg_case *c, bool cells, size_t proofs)
{
    cevm_buf blobs;
    cevm_buf commitments;
    cevm_buf list;
    const cevm_hash hash = versioned_hash(c->commitment);
    const cevm_tx tx = {.type = CEVM_TX_BLOB, .blob_hashes = &hash, .blob_count = 1};
    const cevm_blob_sidecar sidecar = {.has_cell_proofs = cells,
                                       .blobs = payload(&blobs, c->blob, c->blob_size, 1),
                                       .commitments = payload(&commitments, c->commitment, c->commitment_size, 1),
                                       .proofs = payload(&list, c->proof, c->proof_size, proofs)};
    const char *wrong = cevm_blob_sidecar_check(&sidecar, &tx, NULL);
    cevm_buf_free(&blobs);
    cevm_buf_free(&commitments);
    cevm_buf_free(&list);
    return wrong;
}

/* ---- Vectors -------------------------------------------------------------------------------------------------------- */

/** The path of a folder of the vectors; skips the test without it. */
static void find(char out[4096], const char *name)
{
    const char *folder = getenv("CEVM_VECTORS_DIR");
    const char *require = getenv("CEVM_REQUIRE_VECTORS");
    (void)snprintf(out, 4096, "%s/c-kzg-4844/tests/%s", folder != NULL ? folder : "ethereum-tests/vectors", name);
    if (access(out, R_OK) != 0) {
        if (require != NULL && strcmp(require, "1") == 0) {
            fail_msg("CEVM_REQUIRE_VECTORS=1 and %s is missing", out);
        }
        print_message("no vectors at %s: set CEVM_VECTORS_DIR\n", out);
        skip();
    }
}

static void needs_blst(void)
{
#ifdef CEVM_NO_BLST
    skip();
#endif
}

static void test_verify_blob_kzg_proof(void **unused)
{
    char path[4096];
    size_t seen = 0;
    size_t valid = 0;
    (void)unused;
    needs_blst();
    find(path, "verify_blob_kzg_proof/kzg-mainnet");
    DIR *folder = opendir(path);
    assert_non_null(folder);
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        char file[4096 + 300];
        kzg_case c;
        if (entry->d_name[0] == '.') {
            continue;
        }
        (void)snprintf(file, sizeof file, "%s/%s/data.yaml", path, entry->d_name);
        read_case(&c, file);
        const char *wrong = check(&c, false, 1);
        if ((wrong == NULL) != c.valid) {
            fail_msg("%s: %s", entry->d_name, wrong != NULL ? wrong : "accepted");
        }
        valid += c.valid;
        ++seen;
        free(c.blob);
    }
    (void)closedir(folder);
    assert_in_range(seen, CASES, SIZE_MAX);
    print_message("%zu cases, %zu of them valid proofs\n", seen, valid);
}

/* ---- Proofs of cells ------------------------------------------------------------------------------------------------ */

#ifndef CEVM_NO_BLST
/* [τ^64]G1, as the ceremony's trusted_setup.txt has it: a test needs it, the program does not. */
static const char tau_64[] =
    "a9ef67304dc297ab5af778cf8afa849eeac27db4b6978963e97b95ef7a8d3264d0d07775f728c298a2b6daed2ecf5053";

static const char *const powers[] = {
#define TAU_G1(hex) hex,
#define TAU_G2(hex)
#include "rpc/kzg_setup.def"
#undef TAU_G1
#undef TAU_G2
};

static void decode_point(uint8_t out[POINT], const char *hex) { assert_true(cevm_hex_decode_exact(out, POINT, hex)); }

static const cevm_u256 order = {{UINT64_C(0xffffffff00000001), UINT64_C(0x53bda402fffe5bfe),
                                 UINT64_C(0x3339d80809a1d805), UINT64_C(0x73eda753299d7d48)}};

static cevm_u256 power(cevm_u256 base, cevm_u256 exponent)
{
    cevm_u256 out = cevm_u256_from_u64(1);
    for (unsigned i = 0; i < 256; ++i) {
        if ((exponent.w[i / 64] >> (i % 64) & 1) != 0) {
            out = cevm_u256_mulmod(&out, &base, &order);
        }
        base = cevm_u256_mulmod(&base, &base, &order);
    }
    return out;
}

/** A root of unity of this order (EIP-4844: powers of 7). */
static cevm_u256 root_of_unity(uint64_t count)
{
    cevm_u256 exponent = order;
    const cevm_u256 divisor = cevm_u256_from_u64(count);
    exponent.w[0] -= 1;
    return power(cevm_u256_from_u64(7), cevm_u256_div(&exponent, &divisor));
}

static unsigned reversed(unsigned index, unsigned bits)
{
    unsigned out = 0;
    for (unsigned i = 0; i < bits; ++i) {
        out |= (index >> i & 1) << (bits - 1 - i);
    }
    return out;
}

/** Adds factor * X^exponent to a blob. */
static void add_monomial(uint8_t blob[BLOB], uint64_t factor, uint64_t exponent)
{
    const cevm_u256 root = power(root_of_unity(4096), cevm_u256_from_u64(exponent));
    cevm_u256 value = cevm_u256_from_u64(factor);
    for (unsigned i = 0; i < 4096; ++i) {
        uint8_t *at = blob + (size_t)32 * reversed(i, 12);
        const cevm_u256 before = cevm_u256_from_be(at);
        const cevm_u256 sum = cevm_u256_addmod(&before, &value, &order);
        cevm_u256_to_be(at, &sum);
        value = cevm_u256_mulmod(&value, &root, &order);
    }
}

static const char *check_cells(const uint8_t *blob, const uint8_t *commitment, uint8_t proofs[CELLS][POINT])
{
    const uint8_t *list[CELLS];
    for (size_t i = 0; i < CELLS; ++i) {
        list[i] = proofs[i];
    }
    return cevm_blob_cells_check(blob, commitment, list, NULL);
}

/* Each power is τ times the one before: the contract at 0x0a says so of the proof that X^(j + 1) is 0 at 0. */
static void test_setup(void **unused)
{
    (void)unused;
    assert_int_equal(sizeof powers / sizeof powers[0], 64);
    for (size_t j = 0; j < 64; ++j) {
        uint8_t input[192] = {0};
        uint8_t output[64];
        size_t size = 0;
        const cevm_bytes bytes = {input, sizeof input};
        decode_point(input + 96, j < 63 ? powers[j + 1] : tau_64);
        decode_point(input + 144, powers[j]);
        const cevm_hash hash = versioned_hash(input + 96);
        memcpy(input, hash.bytes, sizeof hash.bytes);
        void *scratch = malloc(cevm_point_evaluation_cost(bytes, CEVM_CANCUN).scratch_size);
        assert_non_null(scratch);
        assert_int_equal(cevm_point_evaluation_run(output, &size, bytes, CEVM_CANCUN, scratch), CEVM_PRECOMPILE_OK);
        free(scratch);
    }
}

/* X^63 leaves no quotient by X^64 - h, X^64 leaves 1, whatever h is: proofs without arithmetic. */
static void test_simple_cells(void **unused)
{
    static uint8_t proofs[CELLS][POINT];
    uint8_t commitment[POINT];
    uint8_t *blob = calloc(1, BLOB);
    (void)unused;
    assert_non_null(blob);
    add_monomial(blob, 1, 63);
    decode_point(commitment, powers[63]);
    for (size_t k = 0; k < CELLS; ++k) {
        memset(proofs[k], 0, POINT);
        proofs[k][0] = 0xc0;
    }
    assert_null(check_cells(blob, commitment, proofs));
    decode_point(commitment, tau_64);
    assert_string_equal(check_cells(blob, commitment, proofs), "invalid blob proof");
    memset(blob, 0, BLOB);
    add_monomial(blob, 1, 64);
    assert_string_equal(check_cells(blob, commitment, proofs), "invalid blob proof");
    for (size_t k = 0; k < CELLS; ++k) {
        decode_point(proofs[k], powers[0]);
    }
    assert_null(check_cells(blob, commitment, proofs));
    for (size_t k = 0; k < CELLS; k += 31) { /* any of them counts */
        proofs[k][0] ^= 0x20;                /* -1 */
        assert_string_equal(check_cells(blob, commitment, proofs), "invalid blob proof");
        proofs[k][0] ^= 0x20;
        proofs[k][POINT - 1] ^= 1; /* not on the curve, or another point, or not in the group */
        assert_string_equal(check_cells(blob, commitment, proofs), "invalid blob proof");
        proofs[k][POINT - 1] ^= 1;
    }
    blob[BLOB - 1] ^= 1;
    assert_string_equal(check_cells(blob, commitment, proofs), "invalid blob proof");
    free(blob);
}

/** A term of a polynomial. */
typedef struct monomial {
    uint64_t factor;
    unsigned exponent;
} monomial;

/** Adds factor [τ^exponent]G1. */
static void add_power(blst_p1 *sum, const blst_p1_affine *setup, const cevm_u256 *factor, unsigned exponent)
{
    uint8_t bytes[32];
    blst_scalar scalar;
    blst_p1 point;
    cevm_u256_to_be(bytes, factor);
    blst_scalar_from_bendian(&scalar, bytes);
    blst_p1_from_affine(&point, &setup[exponent]);
    blst_p1_mult(&point, &point, scalar.b, 255);
    blst_p1_add_or_double(sum, sum, &point);
}

/** The powers of τ in G1, which stand last in the file. */
static blst_p1_affine *read_setup(const char *path)
{
    char line[400];
    uint8_t bytes[POINT];
    blst_p1_affine *setup = malloc(4096 * sizeof *setup);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_non_null(setup);
    for (size_t i = 0; i < 2 + 4096 + 65; ++i) {
        assert_non_null(fgets(line, sizeof line, file));
    }
    for (size_t i = 0; i < 4096; ++i) {
        assert_non_null(fgets(line, sizeof line, file));
        line[strcspn(line, "\r\n")] = '\0';
        if (i < 64) {
            assert_string_equal(line, powers[i]);
        }
        decode_point(bytes, line);
        assert_int_equal(blst_p1_uncompress(&setup[i], bytes), BLST_SUCCESS);
    }
    (void)fclose(file);
    return setup;
}

/* X^n over X^64 - h leaves X^(n - 64) + h X^(n - 128) + …, and h is another number in each cell. */
static void test_cells(void **unused)
{
    static const monomial p[] = {{5, 0}, {7, 70}, {11, 200}, {13, 4095}};
    static uint8_t proofs[CELLS][POINT];
    char path[4096];
    uint8_t commitment[POINT];
    uint8_t *blob = calloc(1, BLOB);
    blst_p1 sum = {{{0}}, {{0}}, {{0}}};
    (void)unused;
    find(path, "../src/trusted_setup.txt");
    blst_p1_affine *setup = read_setup(path);
    for (size_t i = 0; i < sizeof p / sizeof p[0]; ++i) {
        const cevm_u256 factor = cevm_u256_from_u64(p[i].factor);
        add_monomial(blob, p[i].factor, p[i].exponent);
        add_power(&sum, setup, &factor, p[i].exponent);
    }
    blst_p1_compress(commitment, &sum);
    const cevm_u256 root = root_of_unity(CELLS);
    for (unsigned k = 0; k < CELLS; ++k) {
        const cevm_u256 h = power(root, cevm_u256_from_u64(reversed(k, 7)));
        sum = (blst_p1){{{0}}, {{0}}, {{0}}};
        for (size_t i = 0; i < sizeof p / sizeof p[0]; ++i) {
            cevm_u256 factor = cevm_u256_from_u64(p[i].factor);
            for (unsigned left = p[i].exponent; left >= 64; left -= 64) {
                add_power(&sum, setup, &factor, left - 64);
                factor = cevm_u256_mulmod(&factor, &h, &order);
            }
        }
        blst_p1_compress(proofs[k], &sum);
    }
    assert_null(check_cells(blob, commitment, proofs));
    memcpy(proofs[5], proofs[6], POINT);
    assert_string_equal(check_cells(blob, commitment, proofs), "invalid blob proof");
    free(setup);
    free(blob);
}
#endif

/* ---- Transactions --------------------------------------------------------------------------------------------------- */

/* The blob of zeros: its polynomial is 0, so commitment and proof are the point at infinity. */
static void make_zero(kzg_case *c)
{
    *c = (kzg_case){.blob = calloc(1, BLOB), .blob_size = BLOB, .commitment_size = POINT, .proof_size = POINT};
    assert_non_null(c->blob);
    c->commitment[0] = 0xc0;
    c->proof[0] = 0xc0;
}

static void test_counts(void **unused)
{
    kzg_case c;
    (void)unused;
    make_zero(&c);
    assert_null(check(&c, false, 1));
    assert_string_equal(check(&c, false, 0), "invalid number of blob proofs");
    assert_non_null(check(&c, false, 2));
    assert_null(check(&c, true, CELLS));
    assert_string_equal(check(&c, true, CELLS - 1), "invalid number of blob proofs");
    assert_non_null(check(&c, true, CELLS + 1));
    memset(c.blob, 0xff, 32);
    assert_string_equal(check(&c, true, CELLS), "invalid blob: a field element is out of range");
    c.blob_size--;
    assert_string_equal(check(&c, true, CELLS), "invalid blob or commitment size");
    free(c.blob);
}

/** The network's form of a transaction: 0x03 ‖ [fields, (1,) blobs, commitments, proofs], as JSON text. */
static char *wrap(cevm_bytes tx, const kzg_case *c, bool cells)
{
    cevm_buf buf;
    cevm_buf part;
    cevm_buf_init(&buf, NULL);
    const size_t whole = cevm_rlp_list_begin(&buf);
    cevm_buf_append(&buf, tx.data + 1, tx.size - 1);
    if (cells) {
        cevm_rlp_put_u64(&buf, 1);
    }
    const struct {
        const uint8_t *data;
        size_t size;
        size_t times;
    } lists[3] = {{c->blob, BLOB, 1}, {c->commitment, POINT, 1}, {c->proof, POINT, cells ? CELLS : 1}};
    for (size_t i = 0; i < 3; ++i) {
        const cevm_bytes list = payload(&part, lists[i].data, lists[i].size, lists[i].times);
        const size_t mark = cevm_rlp_list_begin(&buf);
        cevm_buf_append(&buf, list.data, list.size);
        cevm_rlp_list_end(&buf, mark);
        cevm_buf_free(&part);
    }
    cevm_rlp_list_end(&buf, whole);
    assert_false(buf.failed);
    char *text = malloc(2 * buf.size + 8);
    assert_non_null(text);
    memcpy(text, "\"0x03", 5);
    cevm_hex_encode(text + 5, buf.data, buf.size);
    strcat(text, "\"");
    cevm_buf_free(&buf);
    return text;
}

static void test_sending(void **unused)
{
    cevm_node *node = node_open();
    (void)unused;
    for (int i = 0; i < 2; ++i) {
        kzg_case c;
        uint8_t key[32];
        uint8_t raw[1024];
        size_t size = 0;
        char params[80];
        make_zero(&c);
        const cevm_hash hash = versioned_hash(c.commitment);
        cevm_tx tx = {.type = CEVM_TX_BLOB,
                      .has_chain_id = true,
                      .chain_id = 31337,
                      .nonce = (uint64_t)i,
                      .gas_limit = 21000,
                      .blob_hashes = &hash,
                      .blob_count = 1};
        tx.max_fee = tx.max_fee_per_blob_gas = cevm_u256_from_u64(4000000000);
        cevm_node_account(node, 0, &tx.to, key);
        assert_int_equal(cevm_tx_sign(&tx, key, NULL), CEVM_OK);
        assert_int_equal(cevm_tx_encode(raw, &size, sizeof raw, &tx, NULL), CEVM_OK);
        char *text = wrap((cevm_bytes){raw, size}, &c, i == 1);
        json_t *sent = rpc(node, "eth_sendRawTransaction", text);
        json_t *receipt = rpc(node, "eth_getTransactionReceipt", quoted(params, json_string_value(sent)));
        assert_int_equal(quantity(receipt, "status"), 1);
        assert_int_equal(quantity(receipt, "blobGasUsed"), BLOB);
        json_decref(receipt);
        json_decref(sent);
        c.commitment[1] ^= 1; /* another's */
        free(text);
        text = wrap((cevm_bytes){raw, size}, &c, i == 1);
        expect_error(node, "eth_sendRawTransaction", text, -32000, "blob hash mismatch");
        free(text);
        free(c.blob);
    }
    assert_int_equal(latest(node, "blobGasUsed"), BLOB);
    cevm_node_destroy(node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_verify_blob_kzg_proof),
                                       cmocka_unit_test(test_counts),
                                       cmocka_unit_test(test_sending),
#ifndef CEVM_NO_BLST
                                       cmocka_unit_test(test_setup),
                                       cmocka_unit_test(test_simple_cells),
                                       cmocka_unit_test(test_cells)
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
