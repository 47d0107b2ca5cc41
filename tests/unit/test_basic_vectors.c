/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The official GenesisTests, and of BasicTests the keys, transactions and mainnet's genesis. What else is in BasicTests:
 * difficulties (test_difficulty.c), ciphers of the network, hex-prefixed nibbles (proved by the roots of test_trie.c), and
 * genesis blocks of a time before Frontier, whose headers had other fields.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cevm/crypto.h>
#include <cevm/genesis.h>
#include <cevm/hex.h>
#include <cevm/tx.h>

#include "chain/genesis_json.h"
#include "vector_file.h"

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    assert_non_null(text);
    return text;
}

/* The bytes of a member, in a buffer that lives as long as the program needs it: the caller frees it. */
static cevm_bytes bytes_at(const json_t *object, const char *key)
{
    const char *text = text_at(object, key);
    uint8_t *data = malloc(strlen(text) / 2 + 1);
    size_t size = 0;
    assert_non_null(data);
    assert_true(strlen(text) == 0 || cevm_hex_decode(data, &size, text, strlen(text)));
    return (cevm_bytes){data, size};
}

static void free_bytes(cevm_bytes bytes) { free((void *)(uintptr_t)bytes.data); }

static void assert_bytes_equal(cevm_bytes got, cevm_bytes expected)
{
    assert_int_equal(got.size, expected.size);
    assert_memory_equal(got.data, expected.data, expected.size);
}

/* ---- GenesisTests ------------------------------------------------------------------------------------------------ */

/* The files write a balance as "wei" here and there. */
static void name_balances(json_t *alloc)
{
    const char *address;
    json_t *account;
    json_object_foreach(alloc, address, account)
    {
        json_t *wei = json_object_get(account, "wei");
        if (wei != NULL) {
            assert_int_equal(json_object_set(account, "balance", wei), 0);
        }
    }
}

static void check_genesis(const char *name, json_t *test)
{
    cevm_json_error error;
    cevm_arena arena = {0};
    cevm_genesis_alloc accounts;
    cevm_header header;
    cevm_memdb *db = NULL;
    cevm_hash root;
    uint8_t encoded[2048];
    size_t size = 0;
    static const cevm_chain_config frontier;
    cevm_json_at at = cevm_json_root(test, "basic_genesis_tests.json", name, &error), alloc;
    name_balances(json_object_get(test, "alloc"));
    assert_int_equal(cevm_memdb_create(&db, NULL), CEVM_OK);
    if (!cevm_genesis_header_read(&header, &at, &arena) || !cevm_json_need(&alloc, &at, "alloc") ||
        !cevm_genesis_alloc_load(&accounts, &alloc, &arena)) {
        fail_msg("%s", error.text);
    }
    assert_int_equal(cevm_genesis_alloc_store(db, &accounts), CEVM_OK);
    assert_int_equal(cevm_memdb_root(db, &root), CEVM_OK);
    cevm_genesis_complete(&header, &frontier, &root);

    const cevm_block block = {.header = header};
    const cevm_bytes expected = bytes_at(test, "result");
    assert_int_equal(cevm_block_encode(encoded, &size, sizeof encoded, &block, NULL), CEVM_OK);
    assert_bytes_equal((cevm_bytes){encoded, size}, expected);
    free_bytes(expected);
    cevm_memdb_destroy(db);
    cevm_arena_destroy(&arena);
}

static void test_genesis_blocks(void **state)
{
    (void)state;
    json_t *root = open_vectors("EthereumTestsMisc/GenesisTests/basic_genesis_tests.json");
    const char *name;
    json_t *test;
    assert_int_equal(json_object_size(root), 3);
    json_object_foreach(root, name, test) { check_genesis(name, test); }
    json_decref(root);
}

/* ---- BasicTests -------------------------------------------------------------------------------------------------- */

static void test_genesis_of_mainnet(void **state)
{
    (void)state;
    json_t *root = open_vectors("EthereumTestsMisc/BasicTests/genesishashestest.json");
    const cevm_bytes rlp = bytes_at(root, "genesis_rlp_hex"), hash = bytes_at(root, "genesis_hash");
    const cevm_bytes state_root = bytes_at(root, "genesis_state_root");
    cevm_block *block = NULL;
    cevm_block_verdict verdict;
    uint8_t encoded[2048];
    size_t size = 0;
    assert_int_equal(cevm_block_decode(&block, &verdict, rlp, NULL), CEVM_OK);
    assert_bytes_equal((cevm_bytes){block->hash.bytes, sizeof block->hash.bytes}, hash);
    assert_bytes_equal((cevm_bytes){block->header.state_root.bytes, sizeof block->header.state_root.bytes}, state_root);
    assert_int_equal(cevm_block_encode(encoded, &size, sizeof encoded, block, NULL), CEVM_OK);
    assert_bytes_equal((cevm_bytes){encoded, size}, rlp);
    cevm_block_destroy(block, NULL);
    free_bytes(rlp);
    free_bytes(hash);
    free_bytes(state_root);
    json_decref(root);
}

/* seed -> key -> address. (The signatures beside them are of a digest that the file does not tell.) */
static void test_keys_and_addresses(void **state)
{
    (void)state;
    json_t *root = open_vectors("EthereumTestsMisc/BasicTests/keyaddrtest.json"), *test;
    size_t i;
    assert_int_equal(json_array_size(root), 2);
    json_array_foreach(root, i, test)
    {
        const char *seed = text_at(test, "seed");
        const cevm_bytes key = bytes_at(test, "key"), expected = bytes_at(test, "addr");
        cevm_hash digest;
        cevm_address address;
        cevm_keccak256(&digest, seed, strlen(seed));
        assert_bytes_equal((cevm_bytes){digest.bytes, sizeof digest.bytes}, key);
        assert_true(cevm_secret_to_address(&address, key.data));
        assert_bytes_equal((cevm_bytes){address.bytes, sizeof address.bytes}, expected);
        free_bytes(key);
        free_bytes(expected);
    }
    json_decref(root);
}

static void check_transaction(const json_t *test)
{
    const cevm_bytes raw = bytes_at(test, "signed"), key = bytes_at(test, "key"), to = bytes_at(test, "to");
    const cevm_bytes data = bytes_at(test, "data");
    cevm_tx *tx = NULL;
    cevm_tx_error reason = CEVM_TX_NONE;
    cevm_address sender;
    uint8_t encoded[1024];
    size_t size = 0;
    assert_int_equal(cevm_tx_decode(&tx, &reason, raw, NULL), CEVM_OK);
    assert_int_equal(cevm_tx_recover_sender(tx, &reason, CEVM_FRONTIER, NULL), CEVM_OK);
    assert_int_equal(reason, CEVM_TX_NONE);
    assert_true(cevm_secret_to_address(&sender, key.data));
    assert_true(cevm_address_equal(&tx->sender, &sender));
    assert_int_equal(tx->nonce, json_integer_value(json_object_get(test, "nonce")));
    assert_int_equal(tx->gas_limit, json_integer_value(json_object_get(test, "startgas")));
    assert_int_equal(tx->max_fee.w[0], json_integer_value(json_object_get(test, "gasprice")));
    assert_int_equal(tx->value.w[0], json_integer_value(json_object_get(test, "value")));
    assert_int_equal(tx->is_create, to.size == 0);
    if (to.size != 0) {
        assert_bytes_equal((cevm_bytes){tx->to.bytes, sizeof tx->to.bytes}, to);
    }
    assert_bytes_equal(tx->data, data);
    assert_int_equal(cevm_tx_encode(encoded, &size, sizeof encoded, tx, NULL), CEVM_OK);
    assert_bytes_equal((cevm_bytes){encoded, size}, raw);
    cevm_tx_destroy(tx, NULL);
    free_bytes(raw);
    free_bytes(key);
    free_bytes(to);
    free_bytes(data);
}

static void test_transactions(void **state)
{
    (void)state;
    json_t *root = open_vectors("EthereumTestsMisc/BasicTests/txtest.json"), *test;
    size_t i;
    assert_int_equal(json_array_size(root), 2);
    json_array_foreach(root, i, test) { check_transaction(test); }
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_genesis_blocks),
        cmocka_unit_test(test_genesis_of_mainnet),
        cmocka_unit_test(test_keys_and_addresses),
        cmocka_unit_test(test_transactions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
