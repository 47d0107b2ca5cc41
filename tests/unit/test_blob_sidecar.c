/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blob transactions in the form in which they travel (EIP-4844, EIP-7594): proofs against the vectors of c-kzg-4844 (below
 * $CEVM_VECTORS_DIR), and the transactions themselves, sent to a node.
 */
#include "node_support.h"

#include <dirent.h>
#include <openssl/evp.h>
#include <unistd.h>

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
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_verify_blob_kzg_proof), cmocka_unit_test(test_counts),
                                       cmocka_unit_test(test_sending)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
