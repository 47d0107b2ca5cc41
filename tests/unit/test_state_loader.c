/* SPDX-License-Identifier: Apache-2.0 */
/* The loader of state tests: every spelling that the official files use, and every way a file can be wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include <cevm/crypto.h>
#include <cevm/hex.h>

#include "ethereum-tests/runner.h"

/* The key and address of go-ethereum's and the official tests' default sender. */
#define SECRET_KEY "0x45a915e4d060149eb4365960e6a7a45f334393093061116b197e3240065ff2d8"
#define SENDER     "0xa94f5374fce5edbc8e2a8697c15331677e6ebf0b"
#define HASH_1     "0x0000000000000000000000000000000000000000000000000000000000000001"
#define ENV                                                                                                         \
    "\"env\":{\"currentCoinbase\":\"2adc25665018aa1fe0e6bc666dac8fc2697ff9ba\",\"currentNumber\":\"0x1\","          \
    "\"currentTimestamp\":\"0x03e8\",\"currentGasLimit\":\"0x7FFFFFFFFFFFFFFF\",\"currentDifficulty\":\"0x20000\"," \
    "\"currentBaseFee\":\"0x0a\",\"currentRandom\":\"0x20000\",\"currentExcessBlobGas\":\"0x00\","                  \
    "\"previousHash\":\"0x00\",\"somethingNew\":{}}"
#define PRE \
    "\"pre\":{\"" SENDER "\":{\"balance\":\"0x0de0b6b3a7640000\",\"nonce\":\"0x0\",\"code\":\"\",\"storage\":{}}}"
#define POST_ITEM(data, gas, value)                                                                                    \
    "{\"hash\":\"" HASH_1 "\",\"logs\":\"" HASH_1 "\",\"indexes\":{\"data\":" data ",\"gas\":" gas ",\"value\":" value \
    "}}"
#define POST "\"post\":{\"Cancun\":[" POST_ITEM("0", "0", "0") "]}"
#define TX(more)                                                                                                      \
    "\"transaction\":{\"data\":[\"0x\",\"0x60\"],\"gasLimit\":[\"0x5208\",\"0x061a80\"],\"value\":[\"0x\",\"0x01\"]," \
    "\"nonce\":\"0x0\",\"to\":\"0x1000000000000000000000000000000000000001\",\"secretKey\":\"" SECRET_KEY "\"," more  \
    "}"
#define LEGACY_TX      TX("\"gasPrice\":\"0xa\"")
#define TEST(tx, post) "{\"t\":{" ENV "," PRE "," tx "," post "}}"

/* A document and the test in it. */
typedef struct fixture {
    cevm_json_error error;
    json_t *document;
    cevm_json_at root, at;
    cevm_state_test test;
} fixture;

static bool load(fixture *f, const char *text)
{
    memset(f, 0, sizeof *f);
    if (!cevm_json_load_text(&f->document, &f->error, "file.json", text, strlen(text))) {
        return false;
    }
    f->root = cevm_json_root(f->document, "file.json", NULL, &f->error);
    bool ok = cevm_json_need(&f->at, &f->root, "t") && cevm_state_test_load(&f->test, &f->at, NULL);
    if (!ok) {
        json_decref(f->document);
    }
    return ok;
}

static void done(fixture *f)
{
    cevm_state_test_free(&f->test);
    json_decref(f->document);
}

static void refuse(const char *text, const char *where)
{
    fixture f;
    assert_false(load(&f, text));
    assert_non_null(strstr(f.error.text, "file.json"));
    if (strstr(f.error.text, where) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", f.error.text, where);
    }
}

static void assert_u64(const cevm_u256 *value, uint64_t expected)
{
    assert_true(cevm_u256_fits_u64(value));
    assert_int_equal(value->w[0], expected);
}

/* ---- What the official files hold -------------------------------------------------------------------------------- */

static void spells_env_as_old_and_new_files_do(void **state)
{
    (void)state;
    fixture f;
    cevm_block_env block;
    assert_true(load(&f, TEST(LEGACY_TX, POST)));
    cevm_state_test_block(&block, &f.test, &f.test.entries[0]);
    assert_int_equal(block.coinbase.bytes[0], 0x2a); /* written without 0x */
    assert_int_equal(block.number, 1);               /* odd number of digits */
    assert_int_equal(block.gas_limit, INT64_MAX);    /* upper case */
    assert_u64(&block.base_fee, 10);
    assert_int_equal(block.prev_randao.bytes[29], 2); /* short */
    assert_true(cevm_u256_is_zero(&block.difficulty));
    assert_int_equal(block.chain_id, 1);
    assert_int_equal(block.max_blobs, 6);
    assert_u64(&block.blob_base_fee, 1);
    done(&f);
}

static void picks_env_by_fork(void **state)
{
    (void)state;
    fixture f;
    cevm_block_env block;
    assert_true(load(&f, TEST(LEGACY_TX, "\"post\":{\"Berlin\":[" POST_ITEM("0", "0", "0") "]}")));
    cevm_state_test_block(&block, &f.test, &f.test.entries[0]);
    assert_true(cevm_u256_is_zero(&block.base_fee));
    assert_u64(&block.difficulty, 0x20000);
    assert_int_equal(block.prev_randao.bytes[29], 0);
    assert_int_equal(block.max_blobs, 0);
    done(&f);
}

static void takes_blob_schedule_and_chain_id_from_config(void **state)
{
    (void)state;
    fixture f;
    cevm_block_env block;
    assert_true(load(&f,
                     "{\"t\":{" ENV "," PRE "," LEGACY_TX "," POST ",\"config\":{\"chainid\":\"0x7\",\"blobSchedule\":{"
                     "\"Cancun\":{\"target\":\"0x01\",\"max\":\"0x02\",\"baseFeeUpdateFraction\":\"0x64\"}}}}}"));
    cevm_state_test_block(&block, &f.test, &f.test.entries[0]);
    assert_int_equal(block.chain_id, 7);
    assert_int_equal(block.max_blobs, 2);
    assert_int_equal(f.test.entries[0].blob.base_fee_update_fraction, 100);
    done(&f);
}

static void picks_from_many_indexes(void **state)
{
    (void)state;
    fixture f;
    cevm_tx tx;
    assert_true(
        load(&f, TEST(LEGACY_TX, "\"post\":{\"Cancun\":[" POST_ITEM("0", "1", "0") "," POST_ITEM("1", "0", "1") "]}")));
    assert_int_equal(f.test.entry_count, 2);
    assert_true(cevm_state_test_transaction(&tx, &f.test, &f.test.entries[0], &f.error));
    assert_int_equal(tx.gas_limit, 400000);
    assert_int_equal(tx.data.size, 0);
    assert_true(cevm_u256_is_zero(&tx.value)); /* "0x" */
    assert_true(cevm_state_test_transaction(&tx, &f.test, &f.test.entries[1], &f.error));
    assert_int_equal(tx.gas_limit, 21000);
    assert_int_equal(tx.data.size, 1);
    assert_u64(&tx.value, 1);
    done(&f);
}

static void signs_with_the_secret_key(void **state)
{
    (void)state;
    fixture f;
    cevm_tx tx;
    char hex[41];
    assert_true(load(&f, TEST(LEGACY_TX, POST)));
    assert_true(cevm_state_test_transaction(&tx, &f.test, &f.test.entries[0], &f.error));
    cevm_hex_encode(hex, tx.sender.bytes, sizeof tx.sender.bytes);
    assert_string_equal(hex, &SENDER[2]);
    assert_int_equal(tx.type, CEVM_TX_LEGACY);
    cevm_tx_error reason = CEVM_TX_ERROR_COUNT;
    tx.has_sender = false;
    assert_int_equal(cevm_tx_recover_sender(&tx, &reason, CEVM_FRONTIER, NULL), CEVM_OK);
    assert_int_equal(reason, CEVM_TX_NONE);
    cevm_hex_encode(hex, tx.sender.bytes, sizeof tx.sender.bytes);
    assert_string_equal(hex, &SENDER[2]);
    done(&f);
}

static void tells_the_type_from_the_keys(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        cevm_tx_type type;
    } cases[] = {
        {TEST(TX("\"gasPrice\":\"0xa\",\"accessLists\":[null,[]]"), POST), CEVM_TX_LEGACY},
        {TEST(TX("\"gasPrice\":\"0xa\",\"accessLists\":[[],null]"), POST), CEVM_TX_ACCESS_LIST},
        {TEST(
             TX("\"gasPrice\":\"0xa\",\"accessLists\":[[{\"address\":\"" SENDER "\",\"storageKeys\":[\"0x1\"]}],null]"),
             POST),
         CEVM_TX_ACCESS_LIST},
        {TEST(TX("\"maxFeePerGas\":\"0xa\",\"maxPriorityFeePerGas\":\"0x\""), POST), CEVM_TX_DYNAMIC_FEE},
        {TEST(TX("\"maxFeePerGas\":\"0xa\",\"maxPriorityFeePerGas\":\"0x\",\"blobVersionedHashes\":[]"), POST),
         CEVM_TX_BLOB},
        {TEST(TX("\"maxFeePerGas\":\"0xa\",\"maxPriorityFeePerGas\":\"0x\",\"maxFeePerBlobGas\":\"0x1\","
                 "\"blobVersionedHashes\":[\"" HASH_1 "\"]"),
              POST),
         CEVM_TX_BLOB},
        {TEST(TX("\"maxFeePerGas\":\"0xa\",\"maxPriorityFeePerGas\":\"0x\",\"authorizationList\":[{\"chainId\":\"0x0\","
                 "\"address\":\"" SENDER
                 "\",\"nonce\":\"0x1\",\"v\":\"0x01\",\"r\":\"0x2\",\"s\":\"0x3\",\"signer\":\"x\"}]"),
              POST),
         CEVM_TX_SET_CODE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture f;
        cevm_tx tx;
        assert_true(load(&f, cases[i].text));
        assert_true(cevm_state_test_transaction(&tx, &f.test, &f.test.entries[0], &f.error));
        assert_int_equal(tx.type, cases[i].type);
        assert_int_equal(tx.has_chain_id, cases[i].type != CEVM_TX_LEGACY);
        assert_int_equal(tx.access_count, i == 2 ? 1 : 0);
        assert_int_equal(tx.blob_count, i == 5 ? 1 : 0);
        assert_int_equal(tx.authorization_count, i == 6 ? 1 : 0);
        done(&f);
    }
}

static void reads_an_empty_recipient_as_creation(void **state)
{
    (void)state;
    fixture f;
    cevm_tx tx;
    assert_true(
        load(&f, TEST("\"transaction\":{\"data\":[\"0x\"],\"gasLimit\":[\"0x1\"],\"value\":[\"0x\"],\"nonce\":\"0x0\","
                      "\"to\":\"\",\"gasPrice\":\"0x1\",\"sender\":\"" SENDER "\"}",
                      POST)));
    assert_true(cevm_state_test_transaction(&tx, &f.test, &f.test.entries[0], &f.error));
    assert_true(tx.is_create);
    assert_true(tx.has_sender); /* without a key the sender is taken as it stands */
    done(&f);
}

static void rejects_a_bigint_value_without_running(void **state)
{
    (void)state;
    fixture f;
    cevm_test_runner runner;
    cevm_test_result result;
    assert_true(
        load(&f, TEST("\"transaction\":{\"data\":[\"0x\"],\"gasLimit\":[\"0x5208\"],\"value\":[\"0x:bigint "
                      "0x10000000000000000000000000000000000000000000000000000000000000001\"],\"nonce\":\"0x0\","
                      "\"to\":\"" SENDER "\",\"gasPrice\":\"0xa\",\"secretKey\":\"" SECRET_KEY "\"}",
                      "\"post\":{\"Cancun\":[{\"hash\":\"" HASH_1 "\",\"logs\":\"" HASH_1
                      "\",\"indexes\":{\"data\":0,\"gas\":0,\"value\":0},"
                      "\"expectException\":\"TransactionException.SENDER_NOT_EOA\"}]}")));
    assert_true(f.test.entries[0].value_too_wide);
    assert_int_equal(cevm_test_runner_init(&runner, NULL), CEVM_OK);
    cevm_test_run_entry(&runner, &result, &f.test, &f.test.entries[0]);
    assert_int_equal(result.verdict, CEVM_TEST_FAIL);
    assert_int_equal(result.aspect, CEVM_TEST_REASON);
    assert_string_equal(result.got, "RLP_INVALID_VALUE");
    cevm_test_runner_clear(&runner);
    done(&f);
}

static void keeps_an_unknown_fork_apart(void **state)
{
    (void)state;
    fixture f;
    cevm_test_runner runner;
    cevm_test_result result;
    assert_true(load(&f, TEST(LEGACY_TX, "\"post\":{\"Atlantis\":[" POST_ITEM("0", "0", "0") "]}")));
    assert_false(f.test.entries[0].fork_known);
    assert_int_equal(cevm_test_runner_init(&runner, NULL), CEVM_OK);
    cevm_test_run_entry(&runner, &result, &f.test, &f.test.entries[0]);
    assert_int_equal(result.verdict, CEVM_TEST_ERROR);
    assert_non_null(strstr(result.error, "Atlantis"));
    cevm_test_runner_clear(&runner);
    done(&f);
}

/** EIP-7892: Osaka with other blob parameters, out of the file if it has them (EIP-7840). */
static void knows_the_forks_of_blob_parameters(void **state)
{
    (void)state;
    static const char item[] = POST_ITEM("0", "0", "0");
    static const char schedule[] = "{\"BPO5\":{\"target\":\"0x2\",\"max\":\"0x3\",\"baseFeeUpdateFraction\":\"0x4\"}}";
    static const cevm_blob_params expected[] = {{6, 9, 5007716}, {10, 15, 8346193}, {2, 3, 4}};
    fixture f;
    char text[4096];
    (void)snprintf(text, sizeof text,
                   "{\"t\":{%s,%s,%s,\"post\":{\"Osaka\":[%s],\"BPO1\":[%s],\"BPO5\":[%s]},"
                   "\"config\":{\"blobSchedule\":%s}}}",
                   ENV, PRE, LEGACY_TX, item, item, item, schedule);
    assert_true(load(&f, text));
    assert_int_equal(f.test.entry_count, 3);
    for (size_t i = 0; i < 3; ++i) {
        const cevm_test_entry *entry = &f.test.entries[i];
        cevm_block_env block;
        assert_true(entry->fork_known && entry->fork == CEVM_OSAKA);
        assert_memory_equal(&entry->blob, &expected[i], sizeof entry->blob);
        cevm_state_test_block(&block, &f.test, entry);
        assert_int_equal(block.max_blobs, expected[i].max);
    }
    done(&f);
}

static void loads_16_mib_of_code(void **state)
{
    (void)state;
    enum { SIZE = 16 << 20 };
    const char *head = "{\"t\":{" ENV ",\"pre\":{\"" SENDER "\":{\"code\":\"0x";
    const char *tail = "\"}}," LEGACY_TX "," POST "}}";
    size_t head_size = strlen(head);
    char *text = malloc(head_size + (size_t)SIZE * 2 + strlen(tail) + 1);
    assert_non_null(text);
    memcpy(text, head, head_size);
    memset(text + head_size, '5', (size_t)SIZE * 2);
    memcpy(text + head_size + (size_t)SIZE * 2, tail, strlen(tail) + 1);
    fixture f;
    assert_true(load(&f, text));
    assert_int_equal(f.test.pre.accounts[0].code.size, SIZE);
    assert_int_equal(f.test.pre.accounts[0].code.data[SIZE - 1], 0x55);
    done(&f);
    text[head_size] = 'g';
    refuse(text, "t/pre/" SENDER "/code: must be bytes of hex");
    free(text);
}

/* ---- What is wrong ----------------------------------------------------------------------------------------------- */

static void says_where_a_value_is_wrong(void **state)
{
    (void)state;
    refuse("{\"t\":{" PRE "," LEGACY_TX "," POST "}}", "t: has no \"env\"");
    refuse("{\"t\":{" ENV "," LEGACY_TX "," POST "}}", "t: has no \"pre\"");
    refuse("{\"t\":{" ENV "," PRE "," POST "}}", "t: has no \"transaction\"");
    refuse("{\"t\":{" ENV "," PRE "," LEGACY_TX "}}", "t: has no \"post\"");
    refuse("{\"t\":[]}", "t: must be an object, is an array");
    refuse("{\"t\":{" ENV ",\"pre\":7," LEGACY_TX "," POST "}}", "t/pre: must be an object, is a number");
    refuse("{\"t\":{" ENV ",\"pre\":{\"0x12\":{}}," LEGACY_TX "," POST "}}", "t/pre/0x12: the key must be an address");
    refuse("{\"t\":{" ENV ",\"pre\":{\"" SENDER "\":{\"nonce\":\"0x10000000000000000\"}}," LEGACY_TX "," POST "}}",
           "/nonce: must fit 64 bits");
    refuse("{\"t\":{" ENV ",\"pre\":{\"" SENDER "\":{\"balance\":\"0xzz\"}}," LEGACY_TX "," POST "}}",
           "/balance: must be a number of at most 256 bits, is \"0xzz\"");
    refuse("{\"t\":{" ENV ",\"pre\":{\"" SENDER "\":{\"storage\":{\"key\":\"0x1\"}}}," LEGACY_TX "," POST "}}",
           "/storage/key: the key must be a number");
    refuse("{\"t\":{" ENV ",\"pre\":{\"" SENDER "\":{},\"a94f5374fce5edbc8e2a8697c15331677e6ebf0b\":{}}," LEGACY_TX
           "," POST "}}",
           "stands here twice");
    refuse(TEST(LEGACY_TX, "\"post\":{\"Cancun\":{}}"), "t/post/Cancun: must be an array, is an object");
    refuse(TEST(LEGACY_TX, "\"post\":{\"Cancun\":[7]}"), "t/post/Cancun/0: must be an object, is a number");
    refuse(TEST(LEGACY_TX, "\"post\":{\"Cancun\":[{\"hash\":\"0x12\"}]}"),
           "t/post/Cancun/0/hash: must be 32 bytes of hex");
    refuse(TEST(LEGACY_TX, "\"post\":{\"Cancun\":[" POST_ITEM("2", "0", "0") "]}"),
           "t/post/Cancun/0/indexes: \"data\" is 2, but transaction/data has 2 items");
    refuse(TEST(LEGACY_TX, "\"post\":{\"Cancun\":[" POST_ITEM("0", "-1", "0") "]}"),
           "t/post/Cancun/0/indexes/gas: must not be negative");
    refuse(TEST("\"transaction\":{\"data\":\"0x\"}", POST), "t/transaction/data: must be an array, is a string");
}

static void says_why_a_transaction_cannot_be_built(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } cases[] = {
        {TEST(TX("\"x\":0"), POST), "t/transaction: has no \"gasPrice\""},
        {TEST(TX("\"gasPrice\":\"0xa\",\"accessLists\":[7]"), POST), "t/transaction/accessLists/0: must be an array"},
        {TEST(TX("\"gasPrice\":\"0xa\",\"accessLists\":[[{}]]"), POST), "accessLists/0/0: has no \"address\""},
        {TEST(TX("\"maxFeePerGas\":\"0xa\""), POST), "t/transaction: has no \"maxPriorityFeePerGas\""},
        {TEST(TX("\"maxFeePerGas\":\"0xa\",\"authorizationList\":{}"), POST), "authorizationList: must be an array"},
        {TEST(TX("\"maxFeePerGas\":\"0xa\",\"blobVersionedHashes\":[\"0x1\"]"), POST), "must be 32 bytes of hex"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture f;
        cevm_tx tx;
        assert_true(load(&f, cases[i].text));
        assert_false(cevm_state_test_transaction(&tx, &f.test, &f.test.entries[0], &f.error));
        if (strstr(f.error.text, cases[i].why) == NULL) {
            fail_msg("\"%s\" does not say \"%s\"", f.error.text, cases[i].why);
        }
        done(&f);
    }
}

static void refuses_a_text_cut_anywhere(void **state)
{
    (void)state;
    const char *whole = TEST(LEGACY_TX, POST);
    size_t size = strlen(whole);
    for (size_t cut = 0; cut < size; cut++) {
        json_t *document = NULL;
        cevm_json_error error;
        assert_false(cevm_json_load_text(&document, &error, "file.json", whole, cut));
        assert_null(document);
        assert_non_null(strstr(error.text, "file.json:"));
    }
}

static void refuses_a_key_that_stands_twice(void **state)
{
    (void)state;
    refuse("{\"t\":{},\n\"t\":{}}", "file.json:2:");
}

static void refuses_deep_nesting(void **state)
{
    (void)state;
    enum { DEPTH = 1000000 };
    char *text = malloc(DEPTH + 1);
    assert_non_null(text);
    memset(text, '[', DEPTH);
    text[DEPTH] = '\0';
    refuse(text, "maximum parsing depth reached");
    free(text);
}

static void refuses_files_it_should_not_read(void **state)
{
    (void)state;
    json_t *document = NULL;
    cevm_json_error error;
    assert_false(cevm_json_load_file(&document, &error, "no/such/file.json"));
    assert_non_null(strstr(error.text, "no/such/file.json: cannot be opened"));
    assert_false(cevm_json_load_file(&document, &error, "/"));
    assert_non_null(strstr(error.text, "not a regular file"));
    assert_false(cevm_json_load_file(&document, &error, "/dev/zero"));
    assert_non_null(strstr(error.text, "not a regular file"));

    FILE *big = tmpfile(); /* a hole of 1 GiB: refused by its size, before a byte is read */
    assert_non_null(big);
    char path[64];
    (void)snprintf(path, sizeof path, "/dev/fd/%d", fileno(big));
    assert_int_equal(ftruncate(fileno(big), (off_t)1 << 30), 0);
    assert_false(cevm_json_load_file(&document, &error, path));
    assert_non_null(strstr(error.text, "JSON files above 256 MiB are not read"));
    (void)fclose(big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spells_env_as_old_and_new_files_do),
        cmocka_unit_test(picks_env_by_fork),
        cmocka_unit_test(takes_blob_schedule_and_chain_id_from_config),
        cmocka_unit_test(picks_from_many_indexes),
        cmocka_unit_test(signs_with_the_secret_key),
        cmocka_unit_test(tells_the_type_from_the_keys),
        cmocka_unit_test(reads_an_empty_recipient_as_creation),
        cmocka_unit_test(rejects_a_bigint_value_without_running),
        cmocka_unit_test(keeps_an_unknown_fork_apart),
        cmocka_unit_test(knows_the_forks_of_blob_parameters),
        cmocka_unit_test(loads_16_mib_of_code),
        cmocka_unit_test(says_where_a_value_is_wrong),
        cmocka_unit_test(says_why_a_transaction_cannot_be_built),
        cmocka_unit_test(refuses_a_text_cut_anywhere),
        cmocka_unit_test(refuses_a_key_that_stands_twice),
        cmocka_unit_test(refuses_deep_nesting),
        cmocka_unit_test(refuses_files_it_should_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
