/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is signed of messages and of structured data. Digests and signatures are those of EIP-712's own example, or made with
 * ethers 6.17 from the first of the node's keys.
 */
#include "node_support.h"

#include "rpc/typed_data.h"

static const char mail[] =
    "{\"types\":{\"EIP712Domain\":[{\"name\":\"name\",\"type\":\"string\"},{\"name\":\"version\",\"type\":\"string\"},"
    "{\"name\":\"chainId\",\"type\":\"uint256\"},{\"name\":\"verifyingContract\",\"type\":\"address\"}],"
    "\"Person\":[{\"name\":\"name\",\"type\":\"string\"},{\"name\":\"wallet\",\"type\":\"address\"}],"
    "\"Mail\":[{\"name\":\"from\",\"type\":\"Person\"},{\"name\":\"to\",\"type\":\"Person\"},"
    "{\"name\":\"contents\",\"type\":\"string\"}]},\"primaryType\":\"Mail\",\"domain\":{\"name\":\"Ether Mail\","
    "\"version\":\"1\",\"chainId\":1,\"verifyingContract\":\"0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC\"},"
    "\"message\":{\"from\":{\"name\":\"Cow\",\"wallet\":\"0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826\"},"
    "\"to\":{\"name\":\"Bob\",\"wallet\":\"0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB\"},\"contents\":\"Hello, "
    "Bob!\"}}";

/* Arrays of arrays of structs, numbers at their limits, no type for the domain. */
static const char tree[] =
    "{\"types\":{\"Leaf\":[{\"name\":\"a\",\"type\":\"int8\"},{\"name\":\"b\",\"type\":\"bytes4\"},"
    "{\"name\":\"c\",\"type\":\"bool[2]\"}],\"Tree\":[{\"name\":\"leaves\",\"type\":\"Leaf[][2]\"},"
    "{\"name\":\"data\",\"type\":\"bytes\"},{\"name\":\"n\",\"type\":\"int256\"},{\"name\":\"u\",\"type\":\"uint64\"},"
    "{\"name\":\"tags\",\"type\":\"string[]\"},{\"name\":\"who\",\"type\":\"address\"}]},\"primaryType\":\"Tree\","
    "\"domain\":{\"name\":\"x\",\"salt\":\"0xabababababababababababababababababababababababababababababababab\"},"
    "\"message\":{\"leaves\":[[{\"a\":-128,\"b\":\"0x01020304\",\"c\":[true,false]}],[{\"a\":127,\"b\":\"0xffffffff\","
    "\"c\":[false,false]},{\"a\":-1,\"b\":\"0x00000000\",\"c\":[true,true]}]],\"data\":\"0x1234567890\","
    "\"n\":\"-57896044618658097711785492504343953926634992332820282019728792003956564819968\","
    "\"u\":\"18446744073709551615\",\"tags\":[\"\",\"d\u00e9j\u00e0\"],"
    "\"who\":\"0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826\"}}";

static const char mail_signature[] = "0x6ea8bb309a3401225701f3565e32519f94a0ea91a5910ce9229fe488e773584c"
                                     "0390416a2190d9560219dab757ecca2029e63fa9d1c2aebf676cc25b9f03126a1b";

static void expect_digest(const char *document, const char *expected)
{
    cevm_typed_error error = {.text = ""};
    cevm_hash digest;
    cevm_hash wanted;
    json_error_t problem;
    json_t *data = json_loads(document, 0, &problem);
    assert_non_null(data);
    const bool ok = json_is_array(data) ? cevm_typed_list_digest(&digest, &error, data, NULL)
                                        : cevm_typed_data_digest(&digest, &error, data, NULL);
    if (!ok) {
        fail_msg("%s", error.text);
    }
    assert_true(cevm_hex_decode_exact(wanted.bytes, sizeof wanted.bytes, expected));
    assert_memory_equal(&digest, &wanted, sizeof digest);
    json_decref(data);
}

static void test_digests(void **unused)
{
    (void)unused;
    expect_digest(mail, "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2");
    expect_digest(tree, "1bf336c48cf61ca851d3f671a9b86422c476747fa56fa47cb0efd777fddc2530");
}

/* The older form; the value is the one that signers test themselves with. */
static void test_list(void **unused)
{
    (void)unused;
    expect_digest("[{\"type\":\"string\",\"name\":\"message\",\"value\":\"Hi, Alice!\"}]",
                  "14b9f24872e28cc49e72dc104d7380d8e0ba84a3fe2e712704bcac66a5702bd5");
}

static void expect_signature(cevm_node *node, const char *method, const char *first, const char *second,
                             const char *expected)
{
    char params[8192];
    (void)snprintf(params, sizeof params, "%s,%s", first, second);
    expect_text(node, method, params, expected);
}

static void test_methods(void **unused)
{
    static const char hello[] = "0xf16ea9a3478698f695fd1401bfe27e9e4a7e8e3da94aa72b021125e31fa899cc"
                                "573c48ea3fe1d4ab61a9db10c19032026e3ed2dbccba5a178235ac27f94504311c";
    static const char beef[] = "0xa114c834af73872c6c9efe918d85b0b1b34a486d10f9011e2630e28417c828c0"
                               "60dbd65cda67e73d52ebb7c555260621dbc1b0b4036acb61086bba091ac3f1641b";
    static const char alice[] = "\"" ALICE "\"";
    cevm_node *node = node_open();
    (void)unused;
    expect_signature(node, "eth_signTypedData_v4", alice, mail, mail_signature);
    expect_signature(node, "eth_signTypedData_v3", alice, mail, mail_signature);
    json_t *text = json_string(mail);
    char *quoted_mail = json_dumps(text, JSON_ENCODE_ANY); /* as text, as many clients send it */
    expect_signature(node, "eth_signTypedData_v4", alice, quoted_mail, mail_signature);
    free(quoted_mail);
    json_decref(text);
    expect_signature(node, "personal_sign", "\"0xdeadbeef\"", alice, beef);
    expect_signature(node, "personal_sign", alice, "\"0xdeadbeef\"", beef);
    expect_signature(node, "personal_sign", "\"hello\"", alice, hello);
    expect_signature(node, "eth_sign", alice, "\"0x68656c6c6f\"", hello);
    expect_error(node, "eth_sign", "\"0x0000000000000000000000000000000000001234\",\"0x00\"", -32000,
                 "unknown account 0x0000000000000000000000000000000000001234");
    cevm_node_destroy(node);
}

static void expect_refused(const char *types, const char *message, const char *error_text)
{
    char document[4096];
    json_error_t problem;
    cevm_hash digest;
    cevm_typed_error error = {.text = ""};
    (void)snprintf(document, sizeof document, "{\"types\":%s,\"primaryType\":\"A\",\"domain\":{},\"message\":%s}",
                   types, message);
    json_t *data = json_loads(document, 0, &problem);
    assert_non_null(data);
    assert_false(cevm_typed_data_digest(&digest, &error, data, NULL));
    if (strstr(error.text, error_text) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", error.text, error_text);
    }
    json_decref(data);
}

#define ONE_FIELD(type) "{\"A\":[{\"name\":\"x\",\"type\":\"" type "\"}]}"

static void test_refusals(void **unused)
{
    (void)unused;
    expect_refused("{}", "{}", "\"primaryType\" is missing");
    expect_refused(ONE_FIELD("uint8"), "{\"x\":256}", "does not fit its type uint8");
    expect_refused(ONE_FIELD("uint8"), "{\"x\":-1}", "does not fit its type uint8");
    expect_refused(ONE_FIELD("int8"), "{\"x\":128}", "does not fit its type int8");
    expect_refused(ONE_FIELD("int8"), "{\"x\":-129}", "does not fit its type int8");
    expect_refused(ONE_FIELD("uint7"), "{\"x\":1}", "unknown type uint7");
    expect_refused(ONE_FIELD("uint264"), "{\"x\":1}", "unknown type uint264");
    expect_refused(ONE_FIELD("bytes33"), "{\"x\":\"0x\"}", "unknown type bytes33");
    expect_refused(ONE_FIELD("bytes2"), "{\"x\":\"0x010203\"}", "does not fit its type bytes2");
    expect_refused(ONE_FIELD("address"), "{\"x\":\"0x01\"}", "address");
    expect_refused(ONE_FIELD("bool"), "{\"x\":2}", "neither true nor false");
    expect_refused(ONE_FIELD("string"), "{}", "the field x is missing");
    expect_refused(ONE_FIELD("B"), "{\"x\":1}", "unknown type B");
    expect_refused(ONE_FIELD("uint8[2]"), "{\"x\":[1]}", "no such array");
    expect_refused("{\"A\":[{\"name\":1}]}", "{}", "fields need a");
}

/* Values that nest without end are stopped. */
static void test_depth(void **unused)
{
    char message[2048] = "";
    (void)unused;
    for (int i = 0; i < 100; ++i) {
        strcat(message, "{\"x\":");
    }
    strcat(message, "null");
    for (int i = 0; i < 100; ++i) {
        strcat(message, "}");
    }
    expect_refused(ONE_FIELD("A"), message, "nested deeper than");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digests),  cmocka_unit_test(test_list),  cmocka_unit_test(test_methods),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
