/* SPDX-License-Identifier: Apache-2.0 */
/* The debug methods, where the archive of execution-apis does not ask for them. */
#include "node_support.h"

#include <cevm/crypto.h>

#define COUNTER     "0x00000000000000000000000000000000000000c1"
#define WORD(digit) "\"0x000000000000000000000000000000000000000000000000000000000000000" digit "\""

/* Adds one to slot 0. */
#define COUNTER_CODE "0x5f546001015f5500"

static void set_counter(cevm_node *node) { rpc_do(node, "anvil_setCode", "\"" COUNTER "\",\"" COUNTER_CODE "\""); }

/* Two calls of the counter in block 1; their hashes. */
static cevm_node *open_counted(char first[67], char second[67])
{
    cevm_node *node = node_open();
    char *const hashes[] = {first, second};
    set_counter(node);
    rpc_do(node, "evm_setAutomine", "false");
    for (size_t i = 0; i < 2; ++i) {
        json_t *hash =
            rpc(node, "eth_sendTransaction", "{\"from\":\"" ALICE "\",\"to\":\"" COUNTER "\",\"gas\":\"0x20000\"}");
        memcpy(hashes[i], json_string_value(hash), 67);
        json_decref(hash);
    }
    rpc_do(node, "evm_mine", "");
    return node;
}

static json_t *trace(cevm_node *node, const char *hash, const char *options)
{
    char params[400];
    (void)snprintf(params, sizeof params, "\"%s\"%s%s", hash, options[0] != '\0' ? "," : "", options);
    return rpc(node, "debug_traceTransaction", params);
}

/* Slot 0 of the counter as prestateTracer saw it. */
static uint64_t slot_before(const json_t *prestate)
{
    const json_t *storage = json_object_get(json_object_get(prestate, COUNTER), "storage");
    return quantity(storage, "0x0000000000000000000000000000000000000000000000000000000000000000");
}

/* Each transaction is traced on the state it was executed on, however much has happened since. */
static void test_transactions_of_a_block(void **unused)
{
    char first[67];
    char second[67];
    (void)unused;
    cevm_node *node = open_counted(first, second);
    rpc_do(node, "anvil_setStorageAt", "\"" COUNTER "\",\"0x0\"," WORD("9"));
    rpc_do(node, "evm_mine", "");
    json_t *a = trace(node, first, "{\"tracer\":\"prestateTracer\"}");
    json_t *b = trace(node, second, "{\"tracer\":\"prestateTracer\"}");
    assert_int_equal(slot_before(a), 0);
    assert_int_equal(slot_before(b), 1);
    json_decref(a);
    json_decref(b);
    a = trace(node, second, "");
    b = rpc(node, "debug_traceBlockByNumber", "\"0x1\"");
    assert_int_equal(json_array_size(b), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(b, 1), "txHash")), second);
    assert_true(json_equal(a, json_object_get(json_array_get(b, 1), "result")));
    json_t *receipt = rpc(node, "eth_getTransactionReceipt", quoted((char[80]){0}, second));
    assert_int_equal(quantity(receipt, "gasUsed"), json_integer_value(json_object_get(a, "gas")));
    char params[100];
    (void)snprintf(params, sizeof params, "\"%s\"", json_string_value(json_object_get(receipt, "blockHash")));
    json_t *by_hash = rpc(node, "debug_traceBlockByHash", params);
    assert_true(json_equal(b, by_hash));
    json_t *raw = rpc(node, "debug_getRawBlock", "\"0x1\"");
    char *text = json_dumps(raw, JSON_ENCODE_ANY);
    json_t *by_rlp = rpc(node, "debug_traceBlock", text);
    assert_true(json_equal(b, by_rlp));
    free(text);
    json_decref(raw);
    json_decref(by_rlp);
    json_decref(by_hash);
    json_decref(receipt);
    json_decref(a);
    json_decref(b);
    cevm_node_destroy(node);
}

/* A transaction whose sender did not sign. */
static void test_impersonated(void **unused)
{
    cevm_node *node = node_open();
    (void)unused;
    set_counter(node);
    rpc_do(node, "anvil_setBalance", "\"" COUNTER "\",\"0xde0b6b3a7640000\"");
    rpc_do(node, "anvil_impersonateAccount", "\"" COUNTER "\"");
    json_t *hash = rpc(node, "eth_sendTransaction", "{\"from\":\"" COUNTER "\",\"to\":\"" BOB "\",\"value\":\"0x5\"}");
    json_t *got = trace(node, json_string_value(hash), "{\"tracer\":\"callTracer\"}");
    assert_string_equal(json_string_value(json_object_get(got, "from")), COUNTER);
    assert_string_equal(json_string_value(json_object_get(got, "value")), "0x5");
    json_decref(got);
    json_decref(hash);
    cevm_node_destroy(node);
}

static uint64_t call_slot(cevm_node *node, const char *block, const char *more)
{
    char params[600];
    (void)snprintf(params, sizeof params, "{\"to\":\"" COUNTER "\"},%s,{\"tracer\":\"prestateTracer\"%s}", block, more);
    json_t *got = rpc(node, "debug_traceCall", params);
    const uint64_t slot = slot_before(got);
    json_decref(got);
    return slot;
}

static void test_calls(void **unused)
{
    char first[67];
    char second[67];
    (void)unused;
    cevm_node *node = open_counted(first, second);
    assert_int_equal(call_slot(node, "\"latest\"", ""), 2);
    assert_int_equal(call_slot(node, "\"latest\"", ",\"txIndex\":\"0x0\""), 0);
    assert_int_equal(call_slot(node, "\"0x1\"", ",\"txIndex\":\"0x1\""), 1);
    assert_int_equal(call_slot(node, "\"0x1\"", ",\"txIndex\":\"0x2\""), 2);
    assert_int_equal(
        call_slot(node, "\"latest\"",
                  ",\"stateOverrides\":{\"" COUNTER "\":{\"stateDiff\":{"
                  "\"0x0000000000000000000000000000000000000000000000000000000000000000\":" WORD("7") "}}}"),
        7);
    expect_error(node, "debug_traceCall", "{\"to\":\"" COUNTER "\"},\"0x1\",{\"txIndex\":\"0x3\"}", -32000,
                 "transaction index 3 out of range");
    /* NUMBER, stored: the block's, or the one supposed */
    json_t *got = rpc(node, "debug_traceCall",
                      "{\"to\":\"" COUNTER "\"},\"latest\",{\"blockOverrides\":{\"number\":\"0x1234\"},"
                      "\"stateOverrides\":{\"" COUNTER "\":{\"code\":\"0x435f5260205ff3\"}}}");
    assert_string_equal(json_string_value(json_object_get(got, "returnValue")),
                        "0x0000000000000000000000000000000000000000000000000000000000001234");
    json_decref(got);
    expect_error(node, "debug_traceCall", "{\"from\":\"" COUNTER "\",\"to\":\"" BOB "\",\"value\":\"0x1\"},\"latest\"",
                 -32000, "tracing failed: insufficient funds");
    cevm_node_destroy(node);
}

static void test_errors(void **unused)
{
    char first[67];
    char second[67];
    char params[200];
    (void)unused;
    cevm_node *node = open_counted(first, second);
    expect_error(node, "debug_traceTransaction", WORD("1"), -32000, "transaction not found");
    expect_error(node, "debug_traceBlockByNumber", "\"0x0\"", -32000, "genesis is not traceable");
    expect_error(node, "debug_traceBlockByHash", WORD("1"), -32000, "block 0x0000");
    expect_error(node, "debug_traceBlock", "\"0x01\"", -32000, "could not decode block");
    (void)snprintf(params, sizeof params, "\"%s\",{\"tracer\":\"calltracer\"}", first);
    expect_error(node, "debug_traceTransaction", params, -32602,
                 "unknown tracer \"calltracer\"; there are callTracer, ");
    (void)snprintf(params, sizeof params, "\"%s\",{\"trace\":\"callTracer\"}", first);
    expect_error(node, "debug_traceTransaction", params, -32602, "unknown trace option \"trace\"; there are tracer, ");
    (void)snprintf(params, sizeof params, "\"%s\",{\"tracerConfig\":{\"withLog\":true}}", first);
    expect_error(node, "debug_traceTransaction", params, -32602, "tracerConfig gives options to a tracer");
    (void)snprintf(params, sizeof params, "\"%s\",{\"timeout\":\"soon\"}", first);
    expect_error(node, "debug_traceTransaction", params, -32602, "timeout wants a duration");
    (void)snprintf(params, sizeof params, "\"%s\",{\"enableMemory\":1}", first);
    expect_error(node, "debug_traceTransaction", params, -32602, "option enableMemory must be true or false");
    expect_error(node, "debug_traceCall",
                 "{\"to\":\"" COUNTER
                 "\",\"gas\":\"0x1000000\"},\"latest\",{\"tracer\":\"callTracer\",\"timeout\":\"1us\","
                 "\"stateOverrides\":{\"" COUNTER "\":{\"code\":\"0x5b5f56\"}}}",
                 -32000, "execution timeout");
    rpc_do(node, "eth_sendTransaction", "{\"from\":\"" ALICE "\",\"to\":\"" BOB "\"}");
    json_t *waiting = rpc(node, "eth_pendingTransactions", "");
    (void)snprintf(params, sizeof params, "\"%s\"",
                   json_string_value(json_object_get(json_array_get(waiting, 0), "hash")));
    expect_error(node, "debug_traceTransaction", params, -32000, "transaction not found: it waits");
    json_decref(waiting);
    cevm_node_destroy(node);
}

/* ---- States ------------------------------------------------------------------------------------------------------- */

static void test_storage_range(void **unused)
{
    cevm_node *node = node_open();
    char params[300];
    (void)unused;
    rpc_do(node, "anvil_setCode",
           "\"" COUNTER "\",\"0x6001600155600260025560036003555f54600101"
           "5f5500\"");
    rpc_do(node, "eth_sendTransaction", "{\"from\":\"" ALICE "\",\"to\":\"" COUNTER "\",\"gas\":\"0x40000\"}");
    json_t *block = latest_block(node);
    const char *hash = json_string_value(json_object_get(block, "hash"));
    (void)snprintf(params, sizeof params, "\"%s\",0,\"" COUNTER "\",\"0x00\",10", hash);
    json_t *before = rpc(node, "debug_storageRangeAt", params);
    assert_int_equal(json_object_size(json_object_get(before, "storage")), 0);
    assert_true(json_is_null(json_object_get(before, "nextKey")));
    json_decref(before);
    char start[67] = "0x";
    size_t seen = 0;
    for (size_t page = 0; start[0] != '\0'; ++page) {
        (void)snprintf(params, sizeof params, "\"%s\",1,\"" COUNTER "\",\"%s\",3", hash, start);
        json_t *after = rpc(node, "debug_storageRangeAt", params);
        const char *key;
        json_t *slot;
        json_object_foreach(json_object_get(after, "storage"), key, slot)
        {
            uint8_t bytes[32];
            cevm_hash hashed;
            char hex[67] = "0x";
            assert_true(cevm_hex_decode_exact(bytes, 32, json_string_value(json_object_get(slot, "key"))));
            cevm_keccak256(&hashed, bytes, 32);
            cevm_hex_encode(hex + 2, hashed.bytes, 32);
            assert_string_equal(key, hex);
            assert_int_equal(quantity(slot, "value"), bytes[31] != 0 ? bytes[31] : 1);
            seen++;
        }
        const char *next = json_string_value(json_object_get(after, "nextKey"));
        assert_int_equal(next != NULL, page == 0);
        (void)snprintf(start, sizeof start, "%s", next != NULL ? next : "");
        json_decref(after);
    }
    assert_int_equal(seen, 4);
    json_decref(block);
    cevm_node_destroy(node);
}

/* 32 bytes out of base64, as hex. */
static void from_base64(char out[67], const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t bytes[33];
    uint32_t bits = 0;
    assert_int_equal(strlen(text), 44);
    for (size_t i = 0; i < 44; ++i) {
        const char *digit = text[i] != '=' ? strchr(digits, text[i]) : digits;
        assert_non_null(digit);
        bits = bits << 6 | (uint32_t)(digit - digits);
        if (i % 4 == 3) {
            bytes[i / 4 * 3] = (uint8_t)(bits >> 16);
            bytes[i / 4 * 3 + 1] = (uint8_t)(bits >> 8);
            bytes[i / 4 * 3 + 2] = (uint8_t)bits;
        }
    }
    memcpy(out, "0x", 2);
    cevm_hex_encode(out + 2, bytes, 32);
}

static void test_account_range(void **unused)
{
    char first[67];
    char second[67];
    char start[67] = "0x";
    char params[200];
    size_t seen = 0;
    bool has_counter = false;
    (void)unused;
    cevm_node *node = open_counted(first, second);
    json_t *block = latest_block(node);
    for (;;) {
        (void)snprintf(params, sizeof params, "\"latest\",\"%s\",4,false,false", start);
        json_t *page = rpc(node, "debug_accountRange", params);
        const json_t *counter = json_object_get(json_object_get(page, "accounts"), COUNTER);
        seen += json_object_size(json_object_get(page, "accounts"));
        assert_string_equal(json_string_value(json_object_get(page, "root")),
                            json_string_value(json_object_get(block, "stateRoot")) + 2);
        if (counter != NULL) {
            has_counter = true;
            assert_string_equal(json_string_value(json_object_get(counter, "code")), COUNTER_CODE);
            assert_string_equal(json_string_value(json_object_get(
                                    json_object_get(counter, "storage"),
                                    "0x0000000000000000000000000000000000000000000000000000000000000000")),
                                "02");
        }
        const char *next = json_string_value(json_object_get(page, "next"));
        if (next == NULL) {
            json_decref(page);
            break;
        }
        from_base64(start, next);
        json_decref(page);
    }
    assert_true(has_counter);
    json_t *all = rpc(node, "debug_accountRange", "\"latest\"");
    assert_int_equal(json_object_size(json_object_get(all, "accounts")), seen);
    json_decref(all);
    json_decref(block);
    cevm_node_destroy(node);
}

static bool contains(const json_t *list, const char *address)
{
    size_t i;
    const json_t *item;
    json_array_foreach(list, i, item)
    {
        if (strcasecmp(json_string_value(item), address) == 0) {
            return true;
        }
    }
    return false;
}

static void test_roots_and_changes(void **unused)
{
    char first[67];
    char second[67];
    char params[200];
    (void)unused;
    cevm_node *node = open_counted(first, second);
    json_t *block = latest_block(node);
    (void)snprintf(params, sizeof params, "\"%s\"", json_string_value(json_object_get(block, "hash")));
    json_t *roots = rpc(node, "debug_intermediateRoots", params);
    assert_int_equal(json_array_size(roots), 2);
    assert_false(json_equal(json_array_get(roots, 0), json_array_get(roots, 1)));
    assert_true(json_equal(json_array_get(roots, 1), json_object_get(block, "stateRoot")));
    json_decref(roots);
    json_t *changed = rpc(node, "debug_getModifiedAccountsByHash", params);
    assert_true(contains(changed, ALICE));
    assert_true(contains(changed, COUNTER));
    assert_false(contains(changed, BOB));
    json_decref(changed);
    rpc_do(node, "evm_setAutomine", "true");
    rpc_do(node, "eth_sendTransaction", "{\"from\":\"" CAROL "\",\"to\":\"" BOB "\",\"value\":\"0x1\"}");
    changed = rpc(node, "debug_getModifiedAccountsByNumber", "\"0x1\",\"0x2\"");
    assert_true(contains(changed, BOB));
    assert_true(contains(changed, CAROL));
    assert_false(contains(changed, COUNTER));
    json_decref(changed);
    expect_error(node, "debug_getModifiedAccountsByNumber", "\"0x2\",\"0x1\"", -32000,
                 "start block height (2) must be");
    expect_error(node, "debug_getModifiedAccountsByNumber", "\"0x0\"", -32000, "the first block has no parent");
    json_decref(block);
    cevm_node_destroy(node);
}

/* ---- Encodings ---------------------------------------------------------------------------------------------------- */

static cevm_hash hash_of_data(const json_t *data)
{
    const char *text = json_string_value(data);
    uint8_t *bytes = malloc(strlen(text) / 2 + 1);
    size_t size;
    cevm_hash out;
    assert_non_null(bytes);
    assert_true(cevm_hex_decode(bytes, &size, text, strlen(text)));
    cevm_keccak256(&out, bytes, size);
    free(bytes);
    return out;
}

static void expect_hash(const json_t *data, const char *want)
{
    char hex[67] = "0x";
    const cevm_hash hash = hash_of_data(data);
    cevm_hex_encode(hex + 2, hash.bytes, 32);
    assert_string_equal(hex, want);
}

static void test_raw(void **unused)
{
    char first[67];
    char second[67];
    (void)unused;
    cevm_node *node = open_counted(first, second);
    json_t *block = latest_block(node);
    json_t *header = rpc(node, "debug_getRawHeader", "\"latest\"");
    expect_hash(header, json_string_value(json_object_get(block, "hash")));
    json_decref(header);
    char params[80];
    json_t *tx = rpc(node, "debug_getRawTransaction", quoted(params, second));
    expect_hash(tx, second);
    json_decref(tx);
    json_t *receipts = rpc(node, "debug_getRawReceipts", "\"latest\"");
    assert_int_equal(json_array_size(receipts), 2);
    json_decref(receipts);
    expect_text(node, "debug_getRawTransaction", WORD("1"), "0x");
    expect_error(node, "debug_getRawBlock", "\"1\"", -32602, "invalid argument 0: hex string without 0x prefix");
    expect_error(node, "debug_getRawBlock", "\"0x99\"", -32000, "header not found");
    json_t *bad = rpc(node, "debug_getBadBlocks", "");
    assert_int_equal(json_array_size(bad), 0);
    json_decref(bad);
    json_decref(block);
    cevm_node_destroy(node);
}

/* ---- The witness -------------------------------------------------------------------------------------------------- */

/* Each node of a proof on the state before is in the witness. */
static void expect_nodes(const json_t *witness, const json_t *proof)
{
    size_t i;
    const json_t *node;
    assert_int_not_equal(json_array_size(proof), 0);
    json_array_foreach(proof, i, node)
    {
        assert_true(contains(json_object_get(witness, "state"), json_string_value(node)));
    }
}

/*
 * A contract clears one of two slots: the other moves up in the trie, and its node is needed though nobody reads it. It
 * also looks back three blocks, and calls another contract.
 */
static void test_witness(void **unused)
{
    cevm_node *node = node_open();
    (void)unused;
    /* SSTORE(1, 0); BLOCKHASH(NUMBER - 3); STATICCALL(BOB's neighbour) */
    rpc_do(node, "anvil_setCode",
           "\"" COUNTER "\",\"0x5f60015560034303405060"
           "00808080"
           "60c25afa00\"");
    rpc_do(node, "anvil_setCode", "\"0x00000000000000000000000000000000000000c2\",\"0x6001600200\"");
    rpc_do(node, "anvil_setStorageAt", "\"" COUNTER "\",\"0x1\"," WORD("1"));
    rpc_do(node, "anvil_setStorageAt", "\"" COUNTER "\",\"0x2\"," WORD("2"));
    rpc_do(node, "anvil_mine", "\"0x5\"");
    json_t *cleared = rpc(node, "eth_getProof", "\"" COUNTER "\",[\"0x1\"],\"latest\"");
    json_t *other = rpc(node, "eth_getProof", "\"" COUNTER "\",[\"0x2\"],\"latest\"");
    json_t *sender = rpc(node, "eth_getProof", "\"" ALICE "\",[],\"latest\"");
    rpc_do(node, "eth_sendTransaction", "{\"from\":\"" ALICE "\",\"to\":\"" COUNTER "\",\"gas\":\"0x40000\"}");
    expect_text(node, "eth_getStorageAt", "\"" COUNTER "\",\"0x1\"",
                "0x0000000000000000000000000000000000000000000000000000000000000000");
    json_t *witness = rpc(node, "debug_executionWitness", "\"latest\"");
    expect_nodes(witness, json_object_get(sender, "accountProof"));
    expect_nodes(witness, json_object_get(cleared, "accountProof"));
    expect_nodes(witness, json_object_get(json_array_get(json_object_get(cleared, "storageProof"), 0), "proof"));
    expect_nodes(witness, json_object_get(json_array_get(json_object_get(other, "storageProof"), 0), "proof"));
    assert_true(contains(json_object_get(witness, "codes"), "0x6001600200"));
    assert_true(contains(json_object_get(witness, "keys"), COUNTER));
    const json_t *headers = json_object_get(witness, "headers");
    assert_int_equal(json_array_size(headers), 3); /* 3, 4 and the parent, 5 */
    assert_int_equal(quantity(json_array_get(headers, 0), "number"), 3);
    /* The root of the state before is there. */
    const char *root = json_string_value(json_object_get(json_array_get(headers, 2), "stateRoot"));
    bool has_root = false;
    size_t i;
    const json_t *item;
    json_array_foreach(json_object_get(witness, "state"), i, item)
    {
        char hex[67] = "0x";
        const cevm_hash hash = hash_of_data(item);
        cevm_hex_encode(hex + 2, hash.bytes, 32);
        has_root = has_root || strcmp(hex, root) == 0;
    }
    assert_true(has_root);
    json_decref(witness);
    json_decref(cleared);
    json_decref(other);
    json_decref(sender);
    expect_error(node, "debug_executionWitness", "\"0x0\"", -32000, "block found, but parent missing");
    cevm_node_destroy(node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transactions_of_a_block),
        cmocka_unit_test(test_impersonated),
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_storage_range),
        cmocka_unit_test(test_account_range),
        cmocka_unit_test(test_roots_and_changes),
        cmocka_unit_test(test_raw),
        cmocka_unit_test(test_witness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
