/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EIP-4844's point evaluation: the reference implementation's vectors for verify_kzg_proof, with the versioned hash put in
 * front; the contract's own rules; and the lines that are built in, against the ceremony's file and blst. Both are looked
 * for below $CEVM_VECTORS_DIR (c-kzg-4844).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <openssl/evp.h>

#include "precompiles/point_evaluation.h"
#include "tests/unit/precompile_vectors.h"

enum { KZG = 0x0a, CASES = 72, TEXT = 512 };

/* What a case of verify_kzg_proof says, hex without 0x; output is "true", "false" or "null". */
typedef struct kzg_case {
    char commitment[TEXT], z[TEXT], y[TEXT], proof[TEXT], output[TEXT];
} kzg_case;

/* The part of a line between a key and its end, without blanks, quotes and 0x. */
static bool take(char out[TEXT], const char *line, const char *key)
{
    const char *at = line + strspn(line, " ");
    if (strncmp(at, key, strlen(key)) != 0) {
        return false;
    }
    at += strlen(key);
    at += strspn(at, " '");
    at += strncmp(at, "0x", 2) == 0 ? 2 : 0;
    const size_t length = strcspn(at, "'\n");
    assert_in_range(length, 0, TEXT - 1);
    memcpy(out, at, length);
    out[length] = '\0';
    return true;
}

static kzg_case read_case(const char *path)
{
    kzg_case c = {0};
    char line[1024];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        (void)(take(c.commitment, line, "commitment:") || take(c.z, line, "z:") || take(c.y, line, "y:") ||
               take(c.proof, line, "proof:") || take(c.output, line, "output:"));
    }
    (void)fclose(file);
    assert_string_not_equal(c.output, "");
    return c;
}

/* The contract's input; the versioned hash is SHA-256 of the commitment, its first byte 1. */
static call_result evaluate(const kzg_case *c)
{
    char text[6 * TEXT] = "";
    char hash[65] = "";
    uint8_t digest[32];
    size_t size = 0;
    uint8_t *commitment = bytes_of_hex(c->commitment, &size);
    assert_int_equal(EVP_Digest(commitment, size, digest, NULL, EVP_sha256(), NULL), 1);
    free(commitment);
    digest[0] = 1;
    for (size_t i = 0; i < sizeof digest; ++i) {
        (void)snprintf(hash + 2 * i, 3, "%02x", digest[i]);
    }
    (void)snprintf(text, sizeof text, "%s%s%s%s%s", hash, c->z, c->y, c->commitment, c->proof);
    return call_hex(KZG, CEVM_CANCUN, text);
}

static const char answer[] = "0000000000000000000000000000000000000000000000000000000000001000"
                             "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001";

/* The path of a file below the vectors, or a skipped test. */
static void find(char out[4096], const char *name)
{
    const char *folder = getenv("CEVM_VECTORS_DIR");
    const char *require = getenv("CEVM_REQUIRE_VECTORS");
    (void)snprintf(out, 4096, "%s/c-kzg-4844/%s", folder != NULL ? folder : "ethereum-tests/vectors", name);
    if (access(out, R_OK) != 0) {
        if (require != NULL && strcmp(require, "1") == 0) {
            fail_msg("CEVM_REQUIRE_VECTORS=1 and %s is missing", out);
        }
        print_message("no vectors at %s: set CEVM_VECTORS_DIR\n", out);
        skip();
    }
}

static void test_verify_kzg_proof(void **state)
{
    (void)state;
    needs_blst();
    char path[4096];
    find(path, "tests/verify_kzg_proof/kzg-mainnet");
    size_t seen = 0;
    size_t valid = 0;
    DIR *folder = opendir(path);
    assert_non_null(folder);
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        char file[4096 + 300];
        if (entry->d_name[0] == '.') {
            continue;
        }
        (void)snprintf(file, sizeof file, "%s/%s/data.yaml", path, entry->d_name);
        const kzg_case c = read_case(file);
        const bool expected = strcmp(c.output, "true") == 0;
        const call_result r = evaluate(&c);
        assert_int_equal(r.gas, 50000);
        if ((r.status == CEVM_PRECOMPILE_OK) != expected || (!expected && r.status != CEVM_PRECOMPILE_FAIL)) {
            fail_msg("%s: status %d", entry->d_name, (int)r.status);
        }
        if (expected) {
            expect_output(r, answer);
            ++valid;
        }
        ++seen;
    }
    (void)closedir(folder);
    assert_in_range(seen, CASES, SIZE_MAX);
    print_message("%zu cases, %zu of them valid proofs\n", seen, valid);
}

/* The commitment to the polynomial 0 and its proof are infinity, at every z. */
#define INFINITY_48 "c00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
#define NUMBER_0    "0000000000000000000000000000000000000000000000000000000000000000"
#define NUMBER_1    "0000000000000000000000000000000000000000000000000000000000000001"
#define ORDER       "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001"
/* sha256(INFINITY_48) with the first byte 1, as sha256sum gives it */
#define INFINITY_HASH "010657f37554c781402a22917dee2f75def7ab966d7b770905398eba3c444014"

static void test_eip4844_rules(void **state)
{
    (void)state;
    needs_blst();
    static const char *const refused[] = {
        INFINITY_HASH NUMBER_0 NUMBER_1 INFINITY_48 INFINITY_48, /* y is not 0 */
        INFINITY_HASH ORDER NUMBER_0 INFINITY_48 INFINITY_48,    /* z and y must be reduced */
        INFINITY_HASH NUMBER_0 ORDER INFINITY_48 INFINITY_48,
        NUMBER_0 NUMBER_0 NUMBER_0 INFINITY_48 INFINITY_48, /* not the commitment's hash */
        "5f0657f37554c781402a22917dee2f75def7ab966d7b770905398eba3c444014" NUMBER_0 NUMBER_0 INFINITY_48
            INFINITY_48, /* its hash, but not its version */
    };
    expect_output(call_hex(KZG, CEVM_CANCUN, INFINITY_HASH NUMBER_0 NUMBER_0 INFINITY_48 INFINITY_48), answer);
    expect_output(call_hex(KZG, CEVM_CANCUN, INFINITY_HASH NUMBER_1 NUMBER_0 INFINITY_48 INFINITY_48), answer);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; ++i) {
        assert_int_equal(call_hex(KZG, CEVM_CANCUN, refused[i]).status, CEVM_PRECOMPILE_FAIL);
    }
}

#ifndef CEVM_NO_BLST

/* The line through t and q, or the tangent if they are the same, scaled to begin with 1, and t + q: the textbook's formulas. */
static void line_and_sum(blst_fp2 line[2], blst_p2_affine *t, const blst_p2_affine *q)
{
    blst_fp2 slope;
    blst_fp2 below;
    blst_fp2 x;
    if (blst_p2_affine_is_equal(t, q)) {
        blst_fp2_sqr(&slope, &t->x);
        blst_fp2_mul_by_3(&slope, &slope);
        blst_fp2_add(&below, &t->y, &t->y);
    } else {
        blst_fp2_sub(&slope, &q->y, &t->y);
        blst_fp2_sub(&below, &q->x, &t->x);
    }
    blst_fp2_inverse(&below, &below);
    blst_fp2_mul(&slope, &slope, &below);
    blst_fp2_mul(&below, &slope, &t->x);
    blst_fp2_sub(&below, &t->y, &below);
    blst_fp2_inverse(&line[1], &below); /* 1 / (y - slope x) */
    blst_fp2_mul(&line[0], &slope, &line[1]);
    blst_fp2_sqr(&x, &slope);
    blst_fp2_sub(&x, &x, &t->x);
    blst_fp2_sub(&x, &x, &q->x);
    blst_fp2_sub(&below, &t->x, &x);
    blst_fp2_mul(&below, &below, &slope);
    blst_fp2_sub(&t->y, &below, &t->y);
    t->x = x;
}

static void check_lines(const cevm_bls12_line lines[CEVM_BLS12_LINES], const blst_p2_affine *q)
{
    blst_p2_affine t = *q;
    blst_fp2 expected[2];
    size_t at = 0;
    for (int place = 62; place >= 0; --place) {
        const blst_p2_affine before = t;
        line_and_sum(expected, &t, &before);
        assert_memory_equal(lines[at].words, expected, sizeof expected);
        ++at;
        if (((0xd201000000010000 >> place) & 1) != 0) {
            line_and_sum(expected, &t, q);
            assert_memory_equal(lines[at].words, expected, sizeof expected);
            ++at;
        }
    }
    assert_int_equal(at, CEVM_BLS12_LINES);
}

/* The lines that are built in are those of the generator and of the second of the ceremony's powers in G2. */
static void test_trusted_setup(void **state)
{
    (void)state;
    char path[4096];
    char line[512];
    blst_p2_affine tau;
    size_t size = 0;
    check_lines(cevm_kzg_lines[0], blst_p2_affine_generator());
    find(path, "src/trusted_setup.txt");
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    /* "4096", "65", 4096 points of G1 in Lagrange's form, then the powers in G2 from the generator on. */
    for (size_t i = 0; i < 2 + 4096 + 2; ++i) {
        assert_non_null(fgets(line, sizeof line, file));
    }
    (void)fclose(file);
    line[strcspn(line, "\n")] = '\0';
    uint8_t *bytes = bytes_of_hex(line, &size);
    assert_int_equal(size, 96);
    assert_int_equal(blst_p2_uncompress(&tau, bytes), BLST_SUCCESS);
    free(bytes);
    check_lines(cevm_kzg_lines[1], &tau);
}

#else

static void test_trusted_setup(void **state)
{
    (void)state;
    needs_blst();
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verify_kzg_proof),
        cmocka_unit_test(test_eip4844_rules),
        cmocka_unit_test(test_trusted_setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
