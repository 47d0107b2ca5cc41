/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transactions as JSON (chain/tx_json.h). The signed ones and their encodings come from EIP-155's example and from
 * go-ethereum's cases of `t8n` (testdata 13, body of exp.json; testdata 33 for the authorization).
 */
#include <cevm/hex.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "chain/tx_json.h"

/* A transaction that was read; its arena and its document with it. */
typedef struct loaded {
    cevm_arena arena;
    cevm_json_error error;
    json_t *json;
    cevm_tx tx;
    bool ok;
} loaded;

static loaded load(const char *text, uint64_t chain_id)
{
    loaded l = {.ok = false};
    assert_true(cevm_json_load_text(&l.json, &l.error, "text", text, strlen(text)));
    cevm_json_at at = cevm_json_root(l.json, "text", NULL, &l.error);
    l.ok = cevm_tx_json_load(&l.tx, &at, chain_id, &l.arena);
    return l;
}

static void unload(loaded *l)
{
    json_decref(l->json);
    cevm_arena_destroy(&l->arena);
}

static void check_encoding(const char *text, uint64_t chain_id, const char *expected)
{
    uint8_t raw[512];
    char hex[1025];
    size_t size = 0;
    loaded l = load(text, chain_id);
    assert_true(l.ok);
    assert_int_equal(cevm_tx_encode(raw, &size, sizeof raw, &l.tx, NULL), CEVM_OK);
    cevm_hex_encode(hex, raw, size);
    assert_string_equal(hex, expected);
    unload(&l);
}

static void check_refused(const char *text, const char *expected)
{
    loaded l = load(text, 1);
    assert_false(l.ok);
    if (strstr(l.error.text, expected) == NULL) {
        fail_msg("expected %s, got %s", expected, l.error.text);
    }
    unload(&l);
}

#define EIP155_FIELDS                                                    \
    "\"nonce\": \"0x9\", \"gasPrice\": \"20000000000\", \"gas\": 21000," \
    "\"to\": \"0x3535353535353535353535353535353535353535\", \"value\": \"0xde0b6b3a7640000\", \"input\": \"0x\""
#define EIP155_KEY "\"secretKey\": \"0x4646464646464646464646464646464646464646464646464646464646464646\""
#define EIP155_RAW                                                                                                     \
    "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe" \
    "537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"

static void test_signs_eip155_example(void **unused)
{
    (void)unused;
    check_encoding("{" EIP155_FIELDS "," EIP155_KEY "}", 1, EIP155_RAW);
    check_encoding("{" EIP155_FIELDS "," EIP155_KEY ", \"v\": \"0x0\", \"r\": \"0x0\", \"s\": \"0x0\"}", 1, EIP155_RAW);
}

static void test_keeps_a_signature(void **unused)
{
    (void)unused;
    const char *text =
        "{" EIP155_FIELDS ", \"v\": 37,"
        "\"r\": \"18515461264373351373200002665853028612451056578545711640558177340181847433846\","
        "\"s\": \"46948507304638947509940763649030358759909902576025900602547168820602576006531\"," EIP155_KEY "}";
    check_encoding(text, 99, EIP155_RAW); /* neither the key nor the chain of the caller counts */
    loaded l = load(text, 99);
    assert_true(l.ok && l.tx.has_chain_id && !l.tx.has_sender);
    assert_int_equal(l.tx.chain_id, 1);
    unload(&l);
}

/* EIP-155: v = 35 + 2 * chain id + {0, 1}, which passes 64 bits before a chain id does. */
static void test_chain_ids_of_v(void **unused)
{
    (void)unused;
    static const struct {
        const char *v;
        bool has_chain_id;
        uint64_t chain_id;
    } rows[] = {
        {"0x0", false, 0},
        {"0x1b", false, 0},
        {"0x22", false, 0},
        {"0x23", true, 0},
        {"0x26", true, 1},
        {"0xffffffffffffffff", true, 0x7fffffffffffffee},
        {"0x10000000000000022", true, 0x7fffffffffffffff},
        {"0x20000000000000021", true, UINT64_MAX},
        {"0x20000000000000022", true, UINT64_MAX},
        {"0x20000000000000023", false, 0},
        {"0x8000000000000000000000000000000000000000000000000000000000000025", false, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        char text[512];
        (void)snprintf(text, sizeof text, "{%s, \"v\": \"%s\", \"r\": 5, \"s\": 6}", EIP155_FIELDS, rows[i].v);
        loaded l = load(text, 99);
        assert_true(l.ok);
        assert_int_equal(l.tx.has_chain_id, rows[i].has_chain_id);
        assert_true(l.tx.chain_id == rows[i].chain_id);
        unload(&l);
    }
}

static void test_unprotected(void **unused)
{
    (void)unused;
    loaded l = load("{" EIP155_FIELDS "," EIP155_KEY ", \"protected\": false}", 1);
    assert_true(l.ok && l.tx.has_sender);
    assert_false(l.tx.has_chain_id);
    assert_true(l.tx.v.w[0] == 27 || l.tx.v.w[0] == 28);
    unload(&l);
}

/* The first of testdata/13: signed there, encoded in its exp.json. */
static void test_dynamic_fee(void **unused)
{
    (void)unused;
    check_encoding(
        "{\"type\": \"0x2\", \"chainId\": \"0x1\", \"nonce\": \"0x1\", \"maxPriorityFeePerGas\": \"0x0\","
        "\"maxFeePerGas\": \"0xfa0\", \"gas\": \"0x84d0\", \"to\": \"0x1111111111111111111111111111111111111111\","
        "\"value\": \"0x0\", \"input\": \"0x\", \"accessList\": [], \"v\": \"0x0\", \"r\": \"0x0\", \"s\": \"0x0\","
        "\"secretKey\": \"0x41f6e321b31e72173f8ff2e292359e1862f24fba42fe6f97efaf641980eff298\"}",
        1,
        "02f864010180820fa08284d0941111111111111111111111111111111111111111"
        "8080c001a0b7dfab36232379bb3d1497a4f91c1966b1f932eae3ade107bf5d723b9cb474e0a0"
        "6261c359a10f2132f126d250485b90cf20f30340801244a08ef6142ab33d1904");
}

#define TYPED_FIELDS                                                                                              \
    "\"chainId\": 1, \"nonce\": 0, \"gas\": 100000, \"to\": \"0x71562b71999873db5b286df957af199ec94617f7\","      \
    "\"value\": 0, \"data\": \"0x01ff\", \"maxFeePerGas\": 9, \"maxPriorityFeePerGas\": 2, \"yParity\": \"0x1\"," \
    "\"r\": 5, \"s\": 6"

static void test_lists(void **unused)
{
    (void)unused;
    loaded l =
        load("{\"type\": \"0x4\", " TYPED_FIELDS ", \"accessList\": [{\"address\":"
             "\"0x000000000000000000000000000000000000aaaa\", \"storageKeys\": [\"0x1\", \"0x02\"]}, {\"address\":"
             "\"0x000000000000000000000000000000000000bbbb\"}], \"authorizationList\": [{\"chainId\": \"0x1\","
             "\"address\": \"0x000000000000000000000000000000000000aaaa\", \"nonce\": \"0x1\", \"yParity\": \"0x1\","
             "\"r\": \"0xf7e3e597fc097e71ed6c26b14b25e5395bc8510d58b9136af439e12715f2d721\","
             "\"s\": \"0x6cf7c3d7939bfdb784373effc0ebb0bd7549691a513f395e3cdabf8602724987\"}]}",
             1);
    assert_true(l.ok);
    assert_int_equal(l.tx.type, CEVM_TX_SET_CODE);
    assert_int_equal(l.tx.access_count, 2);
    assert_int_equal(l.tx.access_list[0].key_count, 2);
    assert_int_equal(l.tx.access_list[0].keys[1].bytes[31], 2);
    assert_int_equal(l.tx.access_list[1].key_count, 0);
    assert_int_equal(l.tx.authorization_count, 1);
    assert_int_equal(l.tx.authorizations[0].nonce, 1);
    assert_int_equal(l.tx.authorizations[0].y_parity, 1);
    assert_int_equal(l.tx.authorizations[0].address.bytes[19], 0xaa);
    assert_int_equal(l.tx.v.w[0], 1);
    assert_memory_equal(l.tx.data.data, "\x01\xff", 2);
    unload(&l);
    l = load("{\"type\": \"0x3\", " TYPED_FIELDS ", \"maxFeePerBlobGas\": \"0x7\", \"blobVersionedHashes\":"
             "[\"0x0100000000000000000000000000000000000000000000000000000000000009\"]}",
             1);
    assert_true(l.ok);
    assert_int_equal(l.tx.blob_count, 1);
    assert_int_equal(l.tx.blob_hashes[0].bytes[31], 9);
    assert_int_equal(l.tx.max_fee_per_blob_gas.w[0], 7);
    unload(&l);
}

static void test_recipient(void **unused)
{
    (void)unused;
    static const char *const none[] = {"null", "\"\"", "\"0x\""};
    for (size_t i = 0; i < 3; i++) {
        char text[256];
        (void)snprintf(text, sizeof text,
                       "{\"nonce\": 0, \"gasPrice\": 1, \"gas\": 1, \"value\": 0, \"input\": \"\", \"to\": %s}",
                       none[i]);
        loaded l = load(text, 1);
        assert_true(l.ok && l.tx.is_create);
        assert_true(cevm_u256_equal(&l.tx.max_fee, &l.tx.max_priority_fee));
        unload(&l);
    }
}

static void test_refused(void **unused)
{
    (void)unused;
    check_refused("[]", "must be an object");
    check_refused("{}", "\"nonce\"");
    check_refused("{\"type\": \"0x5\"}", "transaction type not supported");
    check_refused("{\"nonce\": 0, \"gas\": 1}", "\"gasPrice\"");
    check_refused("{\"nonce\": -1}", "negative");
    check_refused("{\"nonce\": \"0x10000000000000000\"}", "must fit 64 bits");
    check_refused("{\"nonce\": 0, \"gas\": 1, \"gasPrice\": 1, \"value\": 0}", "\"input\"");
    check_refused("{\"nonce\": 0, \"gas\": 1, \"gasPrice\": 1, \"to\": \"0x12\"}", "20 bytes of hex");
    check_refused("{\"nonce\": 0, \"gas\": 1, \"gasPrice\": 1, \"value\": 0, \"input\": \"0x1\"}", "bytes of hex");
    check_refused("{\"type\": \"0x2\", \"nonce\": 0, \"gas\": 1, \"gasPrice\": 1}", "\"maxFeePerGas\"");
    check_refused("{\"type\": 3, " TYPED_FIELDS ", \"maxFeePerBlobGas\": 1}", "\"blobVersionedHashes\"");
    check_refused("{\"type\": 4, " TYPED_FIELDS "}", "\"authorizationList\"");
    check_refused("{\"type\": 4, " TYPED_FIELDS
                  ", \"authorizationList\": [{\"chainId\": 1, \"nonce\": 1, \"r\": 1, \"s\": 1,"
                  "\"address\": \"0x000000000000000000000000000000000000aaaa\"}]}",
                  "yParity");
    check_refused("{\"type\": 2, " TYPED_FIELDS ", \"accessList\": [{}]}", "\"address\"");
    check_refused("{" EIP155_FIELDS ", \"secretKey\": \"0x0\"}", "cannot sign");
    check_refused("{" EIP155_FIELDS
                  ", \"secretKey\": \"0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141\"}",
                  "cannot sign");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signs_eip155_example),
        cmocka_unit_test(test_keeps_a_signature),
        cmocka_unit_test(test_chain_ids_of_v),
        cmocka_unit_test(test_unprotected),
        cmocka_unit_test(test_dynamic_fee),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_recipient),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
