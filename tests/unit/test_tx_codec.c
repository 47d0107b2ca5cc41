/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transactions as bytes: the published example of EIP-155, the five types there and back, what the decoder refuses, and
 * the official TransactionTests and state tests' "txbytes" where the vectors are at hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cevm/crypto.h>
#include <cevm/hex.h>
#include <cevm/transition.h>
#include <cevm/tx.h>

#include "chain/validate.h"

/* ---- Reading and comparing --------------------------------------------------------------------------------------- */

typedef struct bytes_owned {
    uint8_t *data;
    size_t size;
} bytes_owned;

/** Hex text to malloc'ed bytes. An exact-size block lets ASan see a read past the end. */
static bytes_owned from_hex(const char *text)
{
    const size_t length = strlen(text);
    bytes_owned out = {malloc(length / 2 + 1), 0};
    assert_non_null(out.data);
    assert_true(cevm_hex_decode(out.data, &out.size, text, length));
    uint8_t *exact = malloc(out.size != 0 ? out.size : 1);
    assert_non_null(exact);
    memcpy(exact, out.data, out.size);
    free(out.data);
    out.data = exact;
    return out;
}

static cevm_tx *decode_hex(const char *text, cevm_tx_error *reason)
{
    const bytes_owned raw = from_hex(text);
    cevm_tx *tx = NULL;
    const cevm_err err = cevm_tx_decode(&tx, reason, (cevm_bytes){raw.data, raw.size}, NULL);
    assert_int_equal(err, *reason == CEVM_TX_NONE ? CEVM_OK : CEVM_ERR_ENCODING);
    assert_true((tx != NULL) == (err == CEVM_OK));
    free(raw.data);
    return tx;
}

static void assert_refused(const char *text, cevm_tx_error expected)
{
    cevm_tx_error reason;
    cevm_tx *tx = decode_hex(text, &reason);
    assert_null(tx);
    assert_string_equal(cevm_tx_error_name(reason), cevm_tx_error_name(expected));
}

static void assert_encodes_to(const cevm_tx *tx, cevm_bytes expected)
{
    size_t size = 0;
    assert_int_equal(cevm_tx_encode(NULL, &size, 0, tx, NULL), CEVM_OK);
    assert_int_equal(size, expected.size);
    uint8_t *out = malloc(size);
    assert_non_null(out);
    assert_int_equal(cevm_tx_encode(out, &size, size - 1, tx, NULL), CEVM_ERR_LIMIT);
    assert_int_equal(size, expected.size);
    assert_int_equal(cevm_tx_encode(out, &size, size, tx, NULL), CEVM_OK);
    assert_memory_equal(out, expected.data, size);
    free(out);
}

static void assert_hash(const cevm_hash *hash, const char *expected)
{
    uint8_t bytes[32];
    assert_true(cevm_hex_decode_exact(bytes, sizeof bytes, expected));
    assert_memory_equal(hash->bytes, bytes, sizeof bytes);
}

static void assert_address(const cevm_address *address, const char *expected)
{
    uint8_t bytes[20];
    assert_true(cevm_hex_decode_exact(bytes, sizeof bytes, expected));
    assert_memory_equal(address->bytes, bytes, sizeof bytes);
}

/* ---- EIP-155 ----------------------------------------------------------------------------------------------------- */

static const char eip155_signed[] =
    "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008"
    "025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f76"
    "1aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83";

static void test_eip155_example_decodes_and_recovers(void **state)
{
    (void)state;
    cevm_tx_error reason;
    cevm_hash hash;
    cevm_tx *tx = decode_hex(eip155_signed, &reason);
    assert_non_null(tx);
    assert_int_equal(tx->type, CEVM_TX_LEGACY);
    assert_true(tx->has_chain_id);
    assert_int_equal(tx->chain_id, 1);
    assert_int_equal(tx->nonce, 9);
    assert_int_equal(tx->gas_limit, 21000);
    assert_int_equal(tx->max_fee.w[0], 20000000000u);
    assert_int_equal(tx->max_priority_fee.w[0], 20000000000u);
    assert_int_equal(tx->value.w[0], 1000000000000000000u);
    assert_false(tx->is_create);
    assert_int_equal(cevm_tx_signing_hash(&hash, tx, NULL), CEVM_OK);
    assert_hash(&hash, "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53");
    assert_int_equal(cevm_tx_recover_sender(tx, &reason, CEVM_SPURIOUS_DRAGON, NULL), CEVM_OK);
    assert_int_equal(reason, CEVM_TX_NONE);
    assert_address(&tx->sender, "9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f");

    /* The form does not exist before its fork. */
    assert_int_equal(cevm_tx_recover_sender(tx, &reason, CEVM_TANGERINE_WHISTLE, NULL), CEVM_OK);
    assert_int_equal(reason, CEVM_TX_INVALID_SIGNATURE_VRS);
    assert_false(tx->has_sender);
    cevm_tx_destroy(tx, NULL);
}

static void test_eip155_example_is_what_signing_gives(void **state)
{
    (void)state;
    uint8_t key[32];
    memset(key, 0x46, sizeof key);
    cevm_tx tx = {.has_chain_id = true, .chain_id = 1, .nonce = 9, .gas_limit = 21000};
    tx.max_fee = cevm_u256_from_u64(20000000000u);
    tx.max_priority_fee = tx.max_fee;
    tx.value = cevm_u256_from_u64(1000000000000000000u);
    memset(tx.to.bytes, 0x35, sizeof tx.to.bytes);
    assert_int_equal(cevm_tx_sign(&tx, key, NULL), CEVM_OK);
    assert_address(&tx.sender, "9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f");
    const bytes_owned raw = from_hex(eip155_signed);
    assert_encodes_to(&tx, (cevm_bytes){raw.data, raw.size});
    free(raw.data);

    memset(key, 0, sizeof key);
    assert_int_equal(cevm_tx_sign(&tx, key, NULL), CEVM_ERR_ARGUMENT);
}

/* Regression 29: chain ids that do not fit a byte, up to those whose v passes 64 bits. */
static void test_eip155_chain_ids_above_255(void **state)
{
    (void)state;
    static const uint64_t chains[] = {0,
                                      1,
                                      110,
                                      111,
                                      255,
                                      256,
                                      1337,
                                      65535,
                                      11155111,
                                      4294967295,
                                      4294967296,
                                      (uint64_t)1 << 62,
                                      UINT64_MAX >> 1,
                                      ((uint64_t)1 << 63) - 18,
                                      ((uint64_t)1 << 63) + 5,
                                      UINT64_MAX};
    uint8_t key[32] = {0};
    key[31] = 7;
    for (size_t i = 0; i < sizeof chains / sizeof chains[0]; ++i) {
        for (uint64_t nonce = 0; nonce < 4; ++nonce) { /* several, to see both parities */
            cevm_tx tx = {.has_chain_id = true, .chain_id = chains[i], .nonce = nonce, .gas_limit = 21000};
            assert_int_equal(cevm_tx_sign(&tx, key, NULL), CEVM_OK);
            uint8_t raw[256];
            size_t size;
            assert_int_equal(cevm_tx_encode(raw, &size, sizeof raw, &tx, NULL), CEVM_OK);
            cevm_tx *back;
            cevm_tx_error reason;
            assert_int_equal(cevm_tx_decode(&back, &reason, (cevm_bytes){raw, size}, NULL), CEVM_OK);
            assert_true(back->has_chain_id);
            assert_true(back->chain_id == chains[i]);
            assert_true(cevm_u256_equal(&back->v, &tx.v));
            assert_int_equal(cevm_tx_recover_sender(back, &reason, CEVM_LATEST, NULL), CEVM_OK);
            assert_int_equal(reason, CEVM_TX_NONE);
            assert_memory_equal(back->sender.bytes, tx.sender.bytes, 20);
            assert_int_equal(cevm_tx_check_chain(back, CEVM_LATEST, chains[i]), CEVM_TX_NONE);
            assert_int_equal(cevm_tx_check_chain(back, CEVM_LATEST, chains[i] ^ 256), CEVM_TX_INVALID_CHAINID);
            cevm_tx_destroy(back, NULL);
        }
    }
}

/* Regression 29: s above n/2 is refused from Homestead on and fine before. */
static void test_eip2_high_s(void **state)
{
    (void)state;
    uint8_t key[32] = {0};
    key[0] = 1;
    cevm_tx tx = {.gas_limit = 21000};
    cevm_tx_error reason;
    assert_int_equal(cevm_tx_sign(&tx, key, NULL), CEVM_OK);
    const cevm_address sender = tx.sender;
    /* n - s with the other parity is the same signature. */
    static const cevm_u256 n = {{0xbfd25e8cd0364141u, 0xbaaedce6af48a03bu, 0xfffffffffffffffeu, 0xffffffffffffffffu}};
    uint64_t borrow = 0;
    for (size_t i = 0; i < 4; ++i) {
        const uint64_t limb = tx.s.w[i];
        tx.s.w[i] = n.w[i] - limb - borrow;
        borrow = n.w[i] < limb || (n.w[i] == limb && borrow != 0) ? 1 : 0;
    }
    tx.v.w[0] = 27 + (28 - tx.v.w[0]);
    assert_int_equal(cevm_tx_recover_sender(&tx, &reason, CEVM_FRONTIER, NULL), CEVM_OK);
    assert_int_equal(reason, CEVM_TX_NONE);
    assert_memory_equal(tx.sender.bytes, sender.bytes, 20);
    for (int fork = CEVM_HOMESTEAD; fork < CEVM_FORK_COUNT; ++fork) {
        assert_int_equal(cevm_tx_recover_sender(&tx, &reason, (cevm_fork)fork, NULL), CEVM_OK);
        assert_int_equal(reason, CEVM_TX_INVALID_SIGNATURE_VRS);
        assert_false(tx.has_sender);
    }
}

static void test_y_parity_of_typed_transactions_is_0_or_1(void **state)
{
    (void)state;
    uint8_t key[32] = {1};
    static const uint64_t wrong[][2] = {{2, 0}, {27, 0}, {28, 0}, {37, 0}, {256, 0}, {UINT64_MAX, 0}, {0, 1}, {1, 1}};
    for (int type = CEVM_TX_ACCESS_LIST; type <= CEVM_TX_SET_CODE; ++type) {
        cevm_tx tx = {.type = (cevm_tx_type)type, .has_chain_id = true, .chain_id = 1};
        cevm_tx_error reason;
        assert_int_equal(cevm_tx_sign(&tx, key, NULL), CEVM_OK);
        assert_int_equal(cevm_tx_recover_sender(&tx, &reason, CEVM_LATEST, NULL), CEVM_OK);
        assert_int_equal(reason, CEVM_TX_NONE);
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; ++i) {
            tx.v = (cevm_u256){{wrong[i][0], wrong[i][1], 0, 0}};
            assert_int_equal(cevm_tx_recover_sender(&tx, &reason, CEVM_LATEST, NULL), CEVM_OK);
            assert_int_equal(reason, CEVM_TX_INVALID_SIGNATURE_VRS);
        }
    }
}

/* ---- What the decoder refuses ------------------------------------------------------------------------------------ */

static void test_eip2718_malformed_envelopes(void **state)
{
    (void)state;
    assert_refused("", CEVM_TX_RLP_ERROR_EOF);
    assert_refused("00", CEVM_TX_TYPE_NOT_SUPPORTED);
    assert_refused("05c0", CEVM_TX_TYPE_NOT_SUPPORTED);
    assert_refused("7fc0", CEVM_TX_TYPE_NOT_SUPPORTED);
    assert_refused("02", CEVM_TX_RLP_ERROR_EOF);
    assert_refused("0280", CEVM_TX_RLP_INVALID_HEADER);
    assert_refused("80", CEVM_TX_TYPE_NOT_SUPPORTED);
    assert_refused("8202c0", CEVM_TX_RLP_INVALID_HEADER);
    assert_refused("c0", CEVM_TX_RLP_TOO_FEW_ELEMENTS);
    assert_refused("c000", CEVM_TX_RLP_ERROR_SIZE);
    assert_refused("c1", CEVM_TX_RLP_ERROR_SIZE);
    assert_refused("f8", CEVM_TX_RLP_ERROR_SIZE);
    assert_refused("f800", CEVM_TX_RLP_ERROR_SIZE_LEADING_ZEROS);
    assert_refused("ffffffffffffffffff", CEVM_TX_RLP_ERROR_SIZE);
    assert_refused("04ffffffffffffffffff", CEVM_TX_RLP_ERROR_SIZE);
}

static void test_number_of_items_is_exact(void **state)
{
    (void)state;
    cevm_tx_error reason;
    cevm_tx *tx = decode_hex("c9808080808080808080", &reason); /* nine empty strings are a legacy creation */
    assert_non_null(tx);
    assert_true(tx->is_create);
    assert_false(tx->has_chain_id);
    cevm_tx_destroy(tx, NULL);
    assert_refused("c88080808080808080", CEVM_TX_RLP_TOO_FEW_ELEMENTS);
    assert_refused("ca80808080808080808080", CEVM_TX_RLP_TOO_MANY_ELEMENTS);
    /* chain id, nonce, price, gas, to, value, data, access list, y, r, s */
    tx = decode_hex("01cb80808080808080c0808080", &reason);
    assert_non_null(tx);
    cevm_tx_destroy(tx, NULL);
    assert_refused("01ca80808080808080c08080", CEVM_TX_RLP_TOO_FEW_ELEMENTS);
    assert_refused("01cc80808080808080c080808080", CEVM_TX_RLP_TOO_MANY_ELEMENTS);
    assert_refused("01cb8080808080808080808080", CEVM_TX_RLP_INVALID_VALUE); /* the access list is a string */
}

/** A set-code transaction of zeros around one authorization, whose items are given without the tuple's prefix. */
static void with_authorization(char *text, size_t capacity, const char *items)
{
    const unsigned items_size = (unsigned)strlen(items) / 2;
    assert_true(items_size < 56 - 2 - 12);
    snprintf(text, capacity, "04%02x8080808080808080c0%02x%02x%s808080", 0xc0 + items_size + 2 + 12,
             0xc0 + items_size + 1, 0xc0 + items_size, items);
}

static void test_authorization_widths(void **state)
{
    (void)state;
    cevm_tx_error reason;
    char text[1024];
    /* The widest tuple: 33 + 21 + 9 + 2 + 33 + 33 = 0x83 bytes. */
    static const char word[] = "a0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
    snprintf(text, sizeof text, "04f8938080808080808080c0f885f883%s%s%s%s%s%s808080", word,
             "941111111111111111111111111111111111111111", "88ffffffffffffffff", "81ff", word, word);
    cevm_tx *tx = decode_hex(text, &reason);
    assert_string_equal(cevm_tx_error_name(reason), "NONE");
    assert_int_equal(tx->authorization_count, 1);
    assert_int_equal(tx->authorizations[0].y_parity, 255);
    assert_true(tx->authorizations[0].nonce == UINT64_MAX);
    assert_int_equal(tx->authorizations[0].address.bytes[19], 0x11);
    const bytes_owned raw = from_hex(text);
    assert_encodes_to(tx, (cevm_bytes){raw.data, raw.size});
    free(raw.data);
    cevm_tx_destroy(tx, NULL);

    with_authorization(text, sizeof text,
                       "80941111111111111111111111111111111111111111"
                       "80808080");
    tx = decode_hex(text, &reason);
    assert_string_equal(cevm_tx_error_name(reason), "NONE");
    cevm_tx_destroy(tx, NULL);

    static const char *const wrong[] = {
        "80941111111111111111111111111111111111111111808080",     /* five items */
        "809411111111111111111111111111111111111111118080808080", /* seven items */
        "809311111111111111111111111111111111111111"
        "80808080", /* a short address */
        "8095111111111111111111111111111111111111111111"
        "80808080", /* a long address */
        "00941111111111111111111111111111111111111111"
        "80808080", /* chain id as a zero byte */
        "80941111111111111111111111111111111111111111"
        "80"
        "820100"
        "8080", /* y parity 256 */
        "80941111111111111111111111111111111111111111"
        "89010000000000000000"
        "808080", /* nonce 2^64 */
        "80c0"
        "80808080", /* the address is a list */
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; ++i) {
        with_authorization(text, sizeof text, wrong[i]);
        assert_refused(text, CEVM_TX_TYPE_4_INVALID_AUTHORIZATION_FORMAT);
    }
    assert_refused("04ce8080808080808080c0c180808080", CEVM_TX_TYPE_4_INVALID_AUTHORIZATION_FORMAT); /* a string */
}

/* ---- Names of reasons -------------------------------------------------------------------------------------------- */

static void test_expected_exceptions_are_matched_by_name(void **state)
{
    (void)state;
    assert_true(cevm_tx_error_matches(CEVM_TX_NONCE_IS_MAX, "TransactionException.NONCE_IS_MAX"));
    assert_true(cevm_tx_error_matches(CEVM_TX_NONCE_IS_MAX, "TR_NonceHasMaxValue"));
    assert_true(cevm_tx_error_matches(CEVM_TX_INSUFFICIENT_ACCOUNT_FUNDS,
                                      "TransactionException.INTRINSIC_GAS_TOO_LOW|TransactionException.INSUFFICIENT_"
                                      "ACCOUNT_FUNDS"));
    assert_true(cevm_tx_error_matches(CEVM_TX_INSUFFICIENT_ACCOUNT_FUNDS, "TR_NoFundsOrGas"));
    assert_true(cevm_tx_error_matches(CEVM_TX_INTRINSIC_GAS_TOO_LOW, "TR_NoFundsOrGas"));
    assert_true(cevm_tx_error_matches(CEVM_TX_SENDER_NOT_EOA, "SenderNotEOA"));
    assert_true(cevm_tx_error_matches(CEVM_TX_VALUE_OVERFLOW, "TR_RLP_WRONGVALUE"));
    assert_true(cevm_tx_error_matches(CEVM_TX_TYPE_2_TX_PRE_FORK, "TR_TypeNotSupported"));
    assert_false(cevm_tx_error_matches(CEVM_TX_TYPE_2_TX_PRE_FORK, "TransactionException.TYPE_3_TX_PRE_FORK"));
    assert_false(cevm_tx_error_matches(CEVM_TX_INTRINSIC_GAS_TOO_LOW, "TR_NoFunds"));
    assert_false(cevm_tx_error_matches(CEVM_TX_INTRINSIC_GAS_TOO_LOW, "TransactionException.INTRINSIC_GAS"));
    assert_false(cevm_tx_error_matches(CEVM_TX_INTRINSIC_GAS_TOO_LOW, "BlockException.INTRINSIC_GAS_TOO_LOW"));
    assert_false(cevm_tx_error_matches(CEVM_TX_INTRINSIC_GAS_TOO_LOW, ""));
    assert_false(cevm_tx_error_matches(CEVM_TX_INTRINSIC_GAS_TOO_LOW, "||"));
    assert_false(cevm_tx_error_matches(CEVM_TX_RLP_ERROR_EOF, ""));
    assert_false(cevm_tx_error_matches(CEVM_TX_NONE, ""));
    assert_false(cevm_tx_error_matches(CEVM_TX_NONE, "NONE"));
    assert_string_equal(cevm_tx_error_name((cevm_tx_error)9999), "UNKNOWN");
    for (int i = 1; i < CEVM_TX_ERROR_COUNT; ++i) {
        const cevm_tx_error error = (cevm_tx_error)i;
        assert_true(strlen(cevm_tx_error_string(error)) > 0);
        assert_true(cevm_tx_error_rpc_code(error) < 0);
        assert_true(cevm_tx_error_matches(error, cevm_tx_error_name(error)));
    }
}

/* ---- Official vectors -------------------------------------------------------------------------------------------- */

static const char *vectors_dir(void)
{
    const char *dir = getenv("CEVM_VECTORS_DIR");
    return dir != NULL ? dir : "ethereum-tests/vectors";
}

typedef void (*visit_case)(const char *file, const char *name, json_t *body);

static size_t walk(const char *path, visit_case visit)
{
    DIR *dir = opendir(path);
    size_t files = 0;
    if (dir == NULL) {
        return 0;
    }
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        char sub[4096];
        struct stat info;
        const char *suffix = strrchr(entry->d_name, '.');
        if (entry->d_name[0] == '.' || (suffix != NULL && strcmp(suffix, ".json") != 0)) {
            continue;
        }
        const int length = snprintf(sub, sizeof sub, "%s/%s", path, entry->d_name);
        assert_true(length > 0 && (size_t)length < sizeof sub);
        assert_int_equal(stat(sub, &info), 0);
        if (S_ISDIR(info.st_mode)) {
            files += walk(sub, visit);
            continue;
        }
        json_t *root = json_load_file(sub, 0, NULL);
        if (root == NULL) {
            fail_msg("%s: not JSON", sub);
        }
        const char *name;
        json_t *body;
        json_object_foreach(root, name, body) { visit(sub, name, body); }
        json_decref(root);
        ++files;
    }
    closedir(dir);
    return files;
}

/** Runs a suite, or skips (fails, when the vectors are required) if its folder is not there. */
static void run_suite(const char *suite, visit_case visit)
{
    char path[2048];
    const int length = snprintf(path, sizeof path, "%s/%s", vectors_dir(), suite);
    assert_true(length > 0 && (size_t)length < sizeof path);
    if (walk(path, visit) != 0) {
        return;
    }
    const char *required = getenv("CEVM_REQUIRE_VECTORS");
    if (required != NULL && strcmp(required, "1") == 0) {
        fail_msg("no vectors in %s", path);
    }
    print_message("no vectors in %s: set CEVM_VECTORS_DIR\n", path);
    skip();
}

static struct {
    size_t valid, refused, two_faults;
} seen;

/** Everything a TransactionTest judges: bytes, fork, chain 1, signature, the transaction alone. */
static cevm_tx_error judge(cevm_tx **out, cevm_bytes raw, cevm_fork fork)
{
    cevm_tx_error reason;
    if (cevm_tx_decode(out, &reason, raw, NULL) != CEVM_OK) {
        return reason;
    }
    cevm_tx *tx = *out;
    if ((reason = cevm_tx_check_type(tx, fork)) != CEVM_TX_NONE ||
        (reason = cevm_tx_check_chain(tx, fork, 1)) != CEVM_TX_NONE) {
        return reason;
    }
    assert_int_equal(cevm_tx_recover_sender(tx, &reason, fork, NULL), CEVM_OK);
    if (reason != CEVM_TX_NONE || (reason = cevm_tx_check_alone(tx, fork)) != CEVM_TX_NONE) {
        return reason;
    }
    cevm_u256 cost;
    if (tx->type == CEVM_TX_DYNAMIC_FEE) {
        uint8_t max[32], priority[32];
        cevm_u256_to_be(max, &tx->max_fee);
        cevm_u256_to_be(priority, &tx->max_priority_fee);
        if (memcmp(max, priority, 32) < 0) {
            return CEVM_TX_PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS;
        }
    }
    reason = cevm_tx_max_cost(&cost, tx);
    return reason == CEVM_TX_GASLIMIT_PRICE_PRODUCT_OVERFLOW ? reason : CEVM_TX_NONE;
}

static void check_valid(const char *where, const cevm_tx *tx, cevm_bytes raw, json_t *expected, cevm_fork fork)
{
    uint8_t bytes[32];
    cevm_hash hash;
    assert_int_equal(cevm_tx_hash(&hash, tx, NULL), CEVM_OK);
    assert_true(cevm_hex_decode_exact(bytes, 32, json_string_value(json_object_get(expected, "hash"))));
    assert_memory_equal(hash.bytes, bytes, 32);
    assert_true(cevm_hex_decode_exact(bytes, 20, json_string_value(json_object_get(expected, "sender"))));
    assert_memory_equal(tx->sender.bytes, bytes, 20);
    cevm_u256 gas;
    assert_true(cevm_u256_from_text(&gas, json_string_value(json_object_get(expected, "intrinsicGas"))));
    if (cevm_tx_intrinsic_gas(tx, fork).gas != gas.w[0]) {
        fail_msg("%s: intrinsic gas", where);
    }
    assert_encodes_to(tx, raw);
    ++seen.valid;
}

static void visit_transaction_test(const char *file, const char *name, json_t *body)
{
    const bytes_owned raw = from_hex(json_string_value(json_object_get(body, "txbytes")));
    const cevm_bytes view = {raw.data, raw.size};
    const char *fork_name;
    json_t *expected;
    json_object_foreach(json_object_get(body, "result"), fork_name, expected)
    {
        cevm_fork fork = CEVM_LATEST;
        cevm_tx *tx = NULL;
        char where[4400];
        snprintf(where, sizeof where, "%s %s %s", file, name, fork_name);
        assert_true(cevm_fork_by_name(&fork, fork_name));
        const cevm_tx_error reason = judge(&tx, view, fork);
        const char *exception = json_string_value(json_object_get(expected, "exception"));
        if (exception == NULL) {
            if (reason != CEVM_TX_NONE) {
                fail_msg("%s: %s", where, cevm_tx_error_name(reason));
            }
            check_valid(where, tx, view, expected, fork);
        } else if (cevm_tx_error_matches(reason, exception)) {
            ++seen.refused;
        } else if (reason == CEVM_TX_PRIORITY_OVERFLOW && raw.data[0] == CEVM_TX_DYNAMIC_FEE &&
                   !CEVM_HAS_EIP(fork, 1559) && strstr(exception, "TYPE_NOT_SUPPORTED") != NULL) {
            /* A number too wide in a type of a later fork: two faults, and the decoder, which has no fork, names the first. */
            ++seen.two_faults;
        } else {
            fail_msg("%s: %s, expected %s", where, cevm_tx_error_name(reason), exception);
        }
        cevm_tx_destroy(tx, NULL);
    }
    free(raw.data);
}

static void test_official_transaction_tests(void **state)
{
    (void)state;
    memset(&seen, 0, sizeof seen);
    run_suite("EthereumTestsMisc/TransactionTests", visit_transaction_test);
    print_message("TransactionTests: %zu valid, %zu refused for the expected reason, %zu with two faults\n", seen.valid,
                  seen.refused, seen.two_faults);
    assert_true(seen.valid != 0 && seen.refused != 0);
}

static size_t seen_by_type[5];

/** A state test's "txbytes": sender as the test names it, and the same bytes back. */
static void visit_state_test(const char *file, const char *name, json_t *body)
{
    const char *sender = json_string_value(json_object_get(json_object_get(body, "transaction"), "sender"));
    const char *fork_name;
    json_t *posts;
    json_object_foreach(json_object_get(body, "post"), fork_name, posts)
    {
        size_t index;
        json_t *post;
        json_array_foreach(posts, index, post)
        {
            const char *text = json_string_value(json_object_get(post, "txbytes"));
            if (text == NULL || sender == NULL) {
                continue;
            }
            const bytes_owned raw = from_hex(text);
            cevm_tx *tx = NULL;
            cevm_tx_error reason;
            const cevm_err err = cevm_tx_decode(&tx, &reason, (cevm_bytes){raw.data, raw.size}, NULL);
            if (err != CEVM_OK) {
                fail_msg("%s %s: %s", file, name, cevm_tx_error_name(reason));
            }
            assert_encodes_to(tx, (cevm_bytes){raw.data, raw.size});
            assert_int_equal(cevm_tx_recover_sender(tx, &reason, CEVM_LATEST, NULL), CEVM_OK);
            if (reason != CEVM_TX_NONE) {
                fail_msg("%s %s: %s", file, name, cevm_tx_error_name(reason));
            }
            assert_address(&tx->sender, sender);
            ++seen_by_type[tx->type];
            cevm_tx_destroy(tx, NULL);
            free(raw.data);
        }
    }
}

static void test_txbytes_of_state_tests(void **state)
{
    (void)state;
    memset(seen_by_type, 0, sizeof seen_by_type);
    run_suite("state_tests/berlin", visit_state_test);
    run_suite("state_tests/prague/eip7702_set_code_tx", visit_state_test);
    run_suite("state_tests/prague/eip7623_increase_calldata_cost", visit_state_test);
    run_suite("state_tests/cancun/eip4844_blobs", visit_state_test);
    size_t all = 0;
    for (size_t type = 0; type < 5; ++type) {
        print_message("txbytes of type %zu: %zu\n", type, seen_by_type[type]);
        all += seen_by_type[type];
    }
    assert_true(all != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eip155_example_decodes_and_recovers),
        cmocka_unit_test(test_eip155_example_is_what_signing_gives),
        cmocka_unit_test(test_eip155_chain_ids_above_255),
        cmocka_unit_test(test_eip2_high_s),
        cmocka_unit_test(test_y_parity_of_typed_transactions_is_0_or_1),
        cmocka_unit_test(test_eip2718_malformed_envelopes),
        cmocka_unit_test(test_number_of_items_is_exact),
        cmocka_unit_test(test_authorization_widths),
        cmocka_unit_test(test_expected_exceptions_are_matched_by_name),
        cmocka_unit_test(test_official_transaction_tests),
        cmocka_unit_test(test_txbytes_of_state_tests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
